"""Take secrets out of captures before they are written: keys, authorization, cookies, organisation ids.

It goes in two steps. First, every value in a place that is named for secrets is taken out, whatever it is: headers,
parameters of URLs and forms, JSON fields of the request, the user and password of a URL, and Claude Code's
`metadata.user_id`. Names are compared without regard to case and separators (`secret_names` lists them). Then each
value that was in such a place of the request, or of the head of the response, is masked everywhere else: in the URL, in
all headers and in both bodies, however it is escaped, and where it is split over chunks or deltas. So is whatever looks
like an API key (`sk-ant-...`), and so are the JSON fields of the response that are named for secrets (`access_token`).

A JSON field is named for secrets if its name ends in one of these, whatever comes before, in the singular or the plural
(`my_access_tokens`, `webhookSigningKey`):

- `auth`, `authorization`, `bearer`, `cookie`, `credential`, `device_id`, `jwt`, `otp`, `passphrase`, `passwd`,
  `password`, `pwd`, `secret`, `session_id`, or the id of an organisation or a workspace;
- `token`; in the plural, only after a word that tells it from a count (`access`, `api`, `auth`, `refresh`, ...);
- `key` after a word that tells it from any other (`access`, `api`, `client`, `encryption`, `private`, `signing`, ...);
- `code` after `auth`, `authorization`, `mfa`, `otp`, `pass`, `recovery` or `verification`.

Headers and parameters are secret under these names and under more.

In heads and request bodies a secret becomes `REDACTED`. In the body of the response each of its bytes becomes an `x`,
so that chunks keep their sizes (digits of a number become `1`). A request body is taken out whole if it looks like JSON
but cannot be read as JSON or has more than a million strings, commas and brackets, if its content coding cannot be
undone, or if that makes it larger than a megabyte and a hundred times as large as it came.

Not promised:

- Short values and ordinary words that were in a secret place are not masked elsewhere: values with less than 8
  characters or with a blank in them, digits without a letter below 16 characters, and words without a digit (but for
  the value of a credential from 12 characters on).
- Values that only the body of the response has are masked in the fields that are named for secrets, and not in the text
  that a model writes, in the JSON that tool input deltas add up to, or where they are repeated.
- Secrets in places without a telling name (also `key`, `code`, `pin`, `token_value`) are not known: tell `Redaction`
  about them. The same goes for personal data.
- In an answer, the name of a field is known up to a length of 100 bytes, with at most 16 blanks before its colon.
- A multipart body inside a part of another is not read.
- In a text, a password of a URL is not known if the user before it has a quote, a bracket or a parenthesis.
- If the payload of an event goes over several lines, the value of a field is found on a later `data:` line, but not
  after a comment or another field of the event.
- In a body, a secret is not found elsewhere if its first and last byte are more than 64 KB apart. If blocks are
  interleaved, one that is split over deltas is only found if each event has its index before its text, as the API does.
- Undoing up to two levels of escapes has to lead to the secret. Base64, encryption, compression inside a body, and an
  encoding other than UTF-8 hide it. Parameters of a URL that is itself percent-encoded in a parameter are not known.

The work is linear in the size of a capture. Nothing recurses on what a peer sends, except the reader of a request's
JSON, which has a limit. A capture whose body is still packed, or that has more than a thousand secrets to look for,
cannot be redacted: `RedactionError`. A recorder leaves that capture out and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

import attrs

from streamcore.errors import excerpt
from streamcore.replay.capture import Capture, CapturedRequest, Headers
from streamcore.replay.content import MAX_SIZE, ContentError, codings, content_headers, decoded, encoding_of
from streamcore.replay.mask import REDACTED, Mask, RedactionError, Secrets
from streamcore.replay.request_body import clean_body
from streamcore.replay.secret_names import normal_name
from streamcore.replay.secret_places import SecretPlaces

__all__ = ["DEFAULT_REDACTION", "REDACTED", "Redaction", "RedactionError"]

# A megabyte takes up to a second. So what a few bytes unpack to is read only if it is small.
_MOST_EXPANSION = 100
_SMALL = 1024 * 1024

Hook: TypeAlias = Callable[[Capture], Capture]


def _tuple(secrets: Iterable[str]) -> tuple[str, ...]:
    return tuple(secrets)


def _normal_names(names: Iterable[str]) -> frozenset[str]:
    return frozenset(map(normal_name, names))


@attrs.frozen(kw_only=True)
class Redaction:
    """What to take out of captures before they are written, besides what always is.

    Attributes:
        secrets: Texts to take out wherever they are, whatever their length.
        names: Further names of headers, parameters and JSON fields whose values are secret, in any case.
        hook: Called with each capture without its body; returns it with more taken out.
    """

    secrets: tuple[str, ...] = attrs.field(default=(), converter=_tuple)
    names: frozenset[str] = attrs.field(default=frozenset(), converter=_normal_names)
    hook: Hook | None = None

    def redact(self, capture: Capture) -> Capture:
        """Return the capture without secrets. Its body is masked while it is iterated over.

        Raises:
            RedactionError: It cannot be redacted.
        """
        _check_unpacked(capture)
        head, secrets = self._clean(capture)
        return attrs.evolve(head, body=capture.body).with_body(secrets.body)

    def begin(self, head: Capture) -> tuple[Capture, Mask]:
        """Return the head of a capture without secrets, and the mask for its body, which may still be to come.

        Raises:
            RedactionError: It cannot be redacted.
        """
        _check_unpacked(head)
        clean, secrets = self._clean(head)
        return clean, Mask(secrets)

    def _clean(self, capture: Capture) -> tuple[Capture, Secrets]:
        places = SecretPlaces(self.names)
        clean = _clean_head(places, attrs.evolve(capture, body=()))
        secrets = Secrets(places.secrets.union(self.secrets), places.is_field)
        clean = _masked(secrets, clean)
        return clean if self.hook is None else attrs.evolve(self.hook(clean), body=()), secrets


DEFAULT_REDACTION = Redaction()
"""The redaction that is used unless another is given."""


def _check_unpacked(capture: Capture) -> None:
    coding = encoding_of(capture.headers)
    if codings(coding):
        raise RedactionError(f"its body is packed ({excerpt(coding)}), so secrets cannot be found in it")


def _clean_head(places: SecretPlaces, capture: Capture) -> Capture:
    request = capture.request
    if request is not None:
        request = _unpacked(request)
        request = attrs.evolve(
            request,
            url=places.request_url(request.url),
            headers=places.headers(request.headers),
            body=clean_body(places, request),
        )
    return attrs.evolve(capture, request=request, headers=places.headers(capture.headers))


def _unpacked(request: CapturedRequest) -> CapturedRequest:
    """Return the request with its content coding undone, so that the secrets in its body can be seen."""
    encoding = encoding_of(request.headers)
    if not encoding:
        return request
    try:
        max_size = min(MAX_SIZE, max(_SMALL, _MOST_EXPANSION * len(request.body)))
        body = decoded(encoding, request.body, max_size=max_size)
    except ContentError:
        body = REDACTED.encode()
    return attrs.evolve(request, headers=content_headers(request.headers), body=body)


def _masked(secrets: Secrets, capture: Capture) -> Capture:
    def headers(pairs: Headers) -> Headers:
        return tuple((secrets.text(name), secrets.text(value)) for name, value in pairs)

    request = capture.request
    if request is not None:
        request = attrs.evolve(
            request, url=secrets.text(request.url), headers=headers(request.headers), body=secrets.data(request.body)
        )
    return attrs.evolve(capture, request=request, headers=headers(capture.headers))
