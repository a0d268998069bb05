"""Redact a capture: clean the places that are named for secrets, then mask their values everywhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

import attrs

from streamcore.errors import excerpt
from streamcore.replay.capture import Capture, CapturedRequest, Headers
from streamcore.replay.content_coding import MAX_SIZE, ContentError, codings, content_headers, decoded, encoding_of
from streamcore.replay.redaction.mask import REDACTED, Mask, RedactionError, Secrets
from streamcore.replay.redaction.request_body import clean_body, clean_headers
from streamcore.replay.redaction.secret_names import normal_name
from streamcore.replay.redaction.secret_places import SecretPlaces

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
    """Secrets to take out of captures before they are written, in addition to the usual ones.

    Attributes:
        secrets: Texts to take out everywhere, of any length.
        names: Further names of headers, parameters and JSON fields whose values are secret, in any case.
        hook: Called with each capture without its body; returns a cleaner one.
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
        """Return the head of a capture without secrets, and the mask for its body, which may arrive later.

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
            headers=clean_headers(places, request.headers),
            body=clean_body(places, request),
        )
    return attrs.evolve(capture, request=request, headers=clean_headers(places, capture.headers))


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
