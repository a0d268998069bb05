"""What no file may hold: keys, authorization, cookies, organisation ids, wherever they stand in an exchange.

What stands in a secret place is taken out there, whatever it is: in a header, a parameter of a URL or form, or a JSON
field that is named for secrets, and as the user and password in a URL. What was in such a place of the request or of
the head of the response is then taken out everywhere, if it is too long for a word: of the URL, of all headers, of the
bodies, in the ways in which these write it (JSON, percent-encoded). So is whatever looks like an API key
(`sk-ant-...`). What is shorter stays elsewhere, and so do cookies and organisations without a digit.

In heads and request bodies a secret becomes `REDACTED`. In the body of the response it becomes as many `x`, so that
chunks keep their sizes; a secret that is cut between chunks is found. The JSON body of a request that cannot be read is
taken out whole. A secret whose place has no telling name is for `Redaction` to be told of.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from typing import TypeAlias
from urllib.parse import unquote, unquote_plus

import attrs

from streamcore.replay.capture import Capture, CapturedRequest, Headers
from streamcore.replay.content import ContentDecoder, ContentError, content_headers, encoding_of
from streamcore.replay.mask import REDACTED, Mask
from streamcore.replay.request_body import clean_body
from streamcore.replay.secret_names import (
    is_credential,
    is_secret_field,
    is_secret_header,
    is_secret_parameter,
    normal_name,
)

__all__ = ["DEFAULT_REDACTION", "REDACTED", "Redaction"]

# Shorter ones may be words, above all without a digit.
_SHORTEST = 8
_SHORTEST_WITHOUT_DIGIT = 12

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'<>\\^`{}|()\[\]]+")
_USER = re.compile(r"(?<=://)[^/?#\s]*(?=@)")
_PARAMETER = re.compile(r"(?<=[?&;#])(?P<name>[^=?&;#/]+)=(?P<value>[^&#]*)")
_FORM_FIELD = re.compile(r"(?:^|(?<=&))(?P<name>[^=&]+)=(?P<value>[^&]*)")
_ORGANISATION_IN_PATH = re.compile(r"(?<=/)(?P<name>organi[sz]ations?|orgs?|workspaces?)/(?P<value>[^/?#]*\d[^/?#]*)")
_NAMED = re.compile(r"([\w-]+)=\"?([^\",\s]+)")

Hook: TypeAlias = Callable[[Capture], Capture]


def _tuple(secrets: Iterable[str]) -> tuple[str, ...]:
    return tuple(secrets)


def _normal_names(names: Iterable[str]) -> frozenset[str]:
    return frozenset(map(normal_name, names))


@attrs.frozen(kw_only=True)
class Redaction:
    """What is taken out of captures before they are written, besides what always is.

    Attributes:
        secrets: Texts to take out wherever they stand, whatever their length.
        names: Further names of headers, parameters and JSON fields whose values are secret, in any case.
        hook: Is given each capture without its body, and returns it with more taken out.
    """

    secrets: tuple[str, ...] = attrs.field(default=(), converter=_tuple)
    names: frozenset[str] = attrs.field(default=frozenset(), converter=_normal_names)
    hook: Hook | None = None

    def redact(self, capture: Capture) -> Capture:
        """A capture without secrets. Its body is masked as it is gone through."""
        head, mask = self.begin(capture)
        return attrs.evolve(head, body=capture.body).with_body(mask.body)

    def begin(self, head: Capture) -> tuple[Capture, Mask]:
        """The same for a capture whose body is still to come: the head without secrets, and what masks the body."""
        found = Finder(self.names)
        clean = found.head(attrs.evolve(head, body=()))
        mask = Mask(found.secrets.union(filter(None, self.secrets)))
        clean = _without(mask, clean)
        return clean if self.hook is None else attrs.evolve(self.hook(clean), body=()), mask


DEFAULT_REDACTION = Redaction()
"""What is taken out if nobody says more."""


def _without(mask: Mask, capture: Capture) -> Capture:
    def headers(pairs: Headers) -> Headers:
        return tuple((mask.text(name), mask.text(value)) for name, value in pairs)

    request = capture.request
    if request is not None:
        request = attrs.evolve(
            request, url=mask.text(request.url), headers=headers(request.headers), body=mask.data(request.body)
        )
    return attrs.evolve(capture, request=request, headers=headers(capture.headers))


class Finder:
    """Takes out of a head what is in a secret place. What of it can be known elsewhere is then in `secrets`.

    Args:
        names: Further normal names of secret places.
    """

    def __init__(self, names: frozenset[str] = frozenset()) -> None:
        self._names = names
        self.secrets: set[str] = set()

    def head(self, capture: Capture) -> Capture:
        """A capture without them."""
        request = capture.request
        if request is not None:
            request = _unpacked(request)
            request = attrs.evolve(
                request,
                url=self.url(_ORGANISATION_IN_PATH.sub(self._of_path, request.url)),
                headers=self._headers(request.headers),
                body=clean_body(self, request),
            )
        return attrs.evolve(capture, request=request, headers=self._headers(capture.headers))

    def is_field(self, name: str) -> bool:
        """Whether what a JSON field of this name holds is secret."""
        normal = normal_name(name)
        return normal in self._names or is_secret_field(normal)

    def is_parameter(self, name: str) -> bool:
        """Whether the parameter of a URL or form is secret."""
        normal = normal_name(name)
        return normal in self._names or is_secret_parameter(normal)

    def is_header(self, name: str) -> bool:
        """Whether a header is secret."""
        normal = normal_name(name)
        return normal in self._names or is_secret_header(normal)

    def found(self, name: str, *secrets: str) -> str:
        """What takes the place of secrets that were in a place of this name."""
        credential = is_credential(normal_name(name))
        self.secrets.update(secret for secret in secrets if _is_known_elsewhere(secret, credential=credential))
        return REDACTED

    def header(self, name: str, value: str) -> str:
        """The value of a header."""
        if not self.is_header(name):
            return self.text(value)
        normal = normal_name(name)
        if "cookie" in normal:
            pairs = value.split(";")[: 1 if normal.startswith("set_") else None]  # its attributes are no secrets
            return self.found(name, *(pair.partition("=")[2].strip(' "') for pair in pairs))
        scheme, _, credential = value.strip().partition(" ")
        if not credential:
            return self.found(name, scheme)
        credential = credential.strip()
        if scheme.lower() == "basic":
            self.found(name, *_user_and_password(credential))
        named = (secret for each, secret in _NAMED.findall(credential) if self.is_header(each))
        return self.found(name, credential, *named)

    def url(self, url: str) -> str:
        """A URL without its user, password and secret parameters."""
        return _PARAMETER.sub(self._of_parameter, _USER.sub(self._of_user, url))

    def form(self, text: str) -> str:
        """A form as it is written in a URL."""
        return _FORM_FIELD.sub(self._of_parameter, text)

    def text(self, text: str) -> str:
        """Any text: the URLs in it."""
        return _URL.sub(lambda found: self.url(found[0]), text) if "://" in text else text

    def _headers(self, headers: Headers) -> Headers:
        return tuple((name, self.header(name, value)) for name, value in headers)

    def _of_user(self, found: re.Match[str]) -> str:
        user, _, password = found[0].partition(":")
        secret = password or user
        return self.found("password", secret, unquote(secret)) if secret else ""

    def _of_path(self, found: re.Match[str]) -> str:
        return f"{found['name']}/{self.found(found['name'], found['value'])}"

    def _of_parameter(self, found: re.Match[str]) -> str:
        name, value = unquote_plus(found["name"]), found["value"]
        if self.is_parameter(name):
            return f"{found['name']}={self.found(name, value, unquote_plus(value))}"
        return f"{found['name']}={_PARAMETER.sub(self._of_parameter, value)}"  # it may be cut by `;`, or be a URL


def _is_known_elsewhere(secret: str, *, credential: bool) -> bool:
    if secret == REDACTED or len(secret) < _SHORTEST or re.search(r"\s", secret):
        return False
    mixed = re.search(r"\d", secret) is not None and re.search(r"[^\W\d_]", secret) is not None
    return mixed or (credential and len(secret) >= _SHORTEST_WITHOUT_DIGIT)


def _unpacked(request: CapturedRequest) -> CapturedRequest:
    """The request with its content coding undone, so that secrets in its body are seen."""
    encoding = encoding_of(request.headers)
    if not encoding:
        return request
    try:
        decoder = ContentDecoder(encoding)
        body = decoder.decode(request.body) + decoder.finish()
    except ContentError:
        return request
    return attrs.evolve(request, headers=content_headers(request.headers), body=body)


def _user_and_password(parameter: str) -> list[str]:
    try:
        decoded = base64.b64decode(parameter).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return []
    return [decoded, *decoded.split(":", 1)[1:]]
