"""What no file may hold: keys, authorization, cookies, organisation ids, wherever they stand in an exchange.

Secrets are known by the name of their header, query parameter or JSON field, by their looks (`sk-ant-...`), and as the
user and password in a URL. One that was found anywhere in the request or in the head of the response is then taken out
everywhere: of the URL, of all headers, of the bodies, in the ways in which these write it (JSON, percent-encoded).

In heads and request bodies it becomes `REDACTED`. In the body of the response it becomes as many `x`, so that chunks
keep their sizes; a secret that is cut between chunks is found. What is shorter than six characters is taken out only
where its name tells: elsewhere it may be a word. A secret whose place has no telling name is for `Redaction` to be
told of.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, TypeAlias
from urllib.parse import quote, quote_plus, unquote, unquote_plus, urlsplit, urlunsplit

import attrs
import msgspec

from streamcore.replay.capture import Capture, CapturedRequest, Chunk, End, Headers, Step
from streamcore.replay.content import ContentDecoder, ContentError, content_headers, encoding_of

__all__ = ["DEFAULT_REDACTION", "REDACTED", "Mask", "Redaction"]

REDACTED = "REDACTED"
"""What stands in the place of a secret."""

_SHORTEST = 6

# A name is brought to lower case with underscores before it is looked at: `x-api-key`, `apiKey`, `API_KEY`.
_SECRET_NAME = re.compile(
    r"(?:^|_)(?:(?:api|access|secret|private|subscription|account)_?key(?:_id)?|authorization|auth|token|secret|"
    r"passw(?:or)?d|passphrase|credentials?|cookie|session_?id|organi[sz]ation(?:_?id)?|org_?id|workspace_?id)$"
)
# As names of query parameters these are keys too.
_SECRET_PARAMETERS = frozenset({"key", "sig", "signature"})
# As names of JSON fields fewer are sure: an `organization` or a `token` may be what a conversation is about.
_SECRET_FIELD = re.compile(
    r"(?:^|_)(?:(?:api|access|secret|private|subscription|account)_?key|authorization|client_?secret|passw(?:or)?d|"
    r"(?:access|auth|authorization|bearer|refresh|security|session)_?token|organi[sz]ation_?id|org_?id|workspace_?id)$"
)
_LOOKS_SECRET = re.compile(r"\bsk-(?:ant-[A-Za-z0-9_-]{6,}|[A-Za-z0-9_-]{20,})")

Hook: TypeAlias = Callable[[Capture], Capture]


def _tuple(secrets: Iterable[str]) -> tuple[str, ...]:
    return tuple(secrets)


def _normal(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().replace("-", "_")


def _normal_names(names: Iterable[str]) -> frozenset[str]:
    return frozenset(map(_normal, names))


@attrs.frozen(kw_only=True)
class Redaction:
    """What is taken out of captures before they are written, besides what always is.

    Attributes:
        secrets: Texts to take out wherever they stand, whatever their length.
        names: Further names of headers, query parameters and JSON fields whose values are secret, in any case.
        hook: Is given each capture without its body, and returns it with more taken out.
    """

    secrets: tuple[str, ...] = attrs.field(default=(), converter=_tuple)
    names: frozenset[str] = attrs.field(default=frozenset(), converter=_normal_names)
    hook: Hook | None = None

    def redact(self, capture: Capture) -> Capture:
        """A capture without secrets. Its body is masked as it is gone through."""
        head, mask = self.begin(capture)
        return attrs.evolve(head, body=capture.body).with_body(partial(_masked, mask))

    def begin(self, head: Capture) -> tuple[Capture, Mask]:
        """The same for a capture whose body is still to come: the head without secrets, and what masks the body."""
        found = _Finder(self.names)
        clean = found.head(attrs.evolve(head, body=()))
        needles = _needles(found.secrets, self.secrets)
        clean = _without(needles, clean)
        return clean if self.hook is None else attrs.evolve(self.hook(clean), body=()), Mask(needles)


# Finding what is secret by its name, and taking it out there


class _Finder:
    """Goes through a head, takes out what is secret by its name or place, and keeps it in `secrets`."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names
        self.secrets: set[str] = set()

    def head(self, capture: Capture) -> Capture:
        request = capture.request
        if request is not None:
            request = _unpacked(request)
            request = attrs.evolve(
                request,
                url=self._url(request.url),
                headers=self._headers(request.headers),
                body=self._body(request),
            )
        return attrs.evolve(capture, request=request, headers=self._headers(capture.headers))

    def _is_secret(self, name: str, names: re.Pattern[str] = _SECRET_NAME) -> bool:
        normal = _normal(name)
        return normal in self._names or names.search(normal) is not None

    def _learn(self, *secrets: str) -> str:
        self.secrets.update(secret for secret in secrets if secret != REDACTED)
        return REDACTED

    def _looked_at(self, text: str) -> str:
        self._learn(*_LOOKS_SECRET.findall(text))
        return text

    def _headers(self, headers: Headers) -> Headers:
        return tuple((name, self._header(name, value)) for name, value in headers)

    def _header(self, name: str, value: str) -> str:
        if not self._is_secret(name):
            return self._looked_at(value)
        if _normal(name).endswith("cookie"):
            pairs = (pair.partition("=") for pair in value.split(";"))
            return self._learn(value, *(secret.strip(' "') for _, _, secret in pairs))
        scheme, _, parameter = value.partition(" ")
        if scheme.lower() == "basic":
            self._learn(*_user_and_password(parameter))
        return self._learn(value, *value.split())

    def _url(self, url: str) -> str:
        self._looked_at(url)
        try:
            parts = urlsplit(url)
        except ValueError:  # no URL, whatever it is
            return url
        place = parts.netloc
        user, at, host = place.rpartition("@")
        if at:
            self._learn(user, *map(unquote, user.split(":")))
            place = f"{REDACTED}@{host}"
        return urlunsplit(parts._replace(netloc=place, query=self._query(parts.query)))

    def _query(self, query: str) -> str:
        found = []
        for part in query.split("&"):
            name, equals, value = part.partition("=")
            if equals and (self._is_secret(unquote_plus(name)) or unquote_plus(name).lower() in _SECRET_PARAMETERS):
                part = f"{name}={self._learn(value, unquote_plus(value))}"
            found.append(part)
        return "&".join(found)

    def _body(self, request: CapturedRequest) -> bytes:
        body = request.body
        self._looked_at(body.decode("utf-8", "replace"))
        if "urlencoded" in (request.header("content-type") or ""):
            return self._query(body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        try:
            decoded = msgspec.json.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return body
        clean = self._value(decoded)
        return body if clean == decoded else msgspec.json.encode(clean)

    def _field(self, name: str, value: Any) -> Any:
        if isinstance(value, str) and self._is_secret(name, _SECRET_FIELD):
            return self._learn(value)
        return self._value(value)

    def _value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._field(name, each) for name, each in value.items()}
        return [self._value(each) for each in value] if isinstance(value, list) else value


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
    return [decoded, *decoded.split(":", 1)]


# Taking out what was found, wherever it is


def _needles(found: Iterable[str], told: Iterable[str]) -> tuple[bytes, ...]:
    """The ways in which secrets may be written, the longest first."""
    secrets = {secret for secret in found if len(secret) >= _SHORTEST} | {secret for secret in told if secret}
    written = {way for secret in secrets for way in _written(secret)}
    return tuple(sorted((way.encode("utf-8", "surrogateescape") for way in written), key=len, reverse=True))


def _written(secret: str) -> set[str]:
    in_json = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    encodable = secret.encode("utf-8", "surrogateescape")
    in_url = {quote(encodable, safe=""), quote(encodable), quote_plus(encodable)}
    return {secret} | in_json | in_url | {re.sub("%..", lambda code: code[0].lower(), way) for way in in_url}


def _without(needles: tuple[bytes, ...], capture: Capture) -> Capture:
    if not needles:
        return capture
    replace = partial(_pattern(needles).sub, REDACTED.encode())

    def text(value: str) -> str:
        return replace(value.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    def headers(pairs: Headers) -> Headers:
        return tuple((text(name), text(value)) for name, value in pairs)

    request = capture.request
    if request is not None:
        request = CapturedRequest(
            method=request.method, url=text(request.url), headers=headers(request.headers), body=replace(request.body)
        )
    return attrs.evolve(capture, request=request, headers=headers(capture.headers))


def _pattern(needles: tuple[bytes, ...]) -> re.Pattern[bytes]:
    return re.compile(b"|".join(map(re.escape, needles)))


class Mask:
    """Takes secrets out of a body, chunk by chunk. A chunk is held for as long as its end may be the start of one.

    Args:
        needles: What to take out, the longest first.
    """

    def __init__(self, needles: tuple[bytes, ...] = ()) -> None:
        self.needles = needles
        self._pattern = _pattern(needles) if needles else None
        self._held: list[Chunk] = []

    def feed(self, step: Step) -> list[Step]:
        """The steps, of those fed so far and not returned, that can be without secrets by now."""
        if self._pattern is None:
            return [step]
        if not isinstance(step, Chunk):
            return [*self.finish(), self._in_words(step) if isinstance(step, End) else step]
        self._held.append(step)
        text = self._pattern.sub(_crossed_out, b"".join(chunk.data for chunk in self._held))
        sure = len(text) - self._open(text)
        ready: list[Step] = []
        waiting: list[Chunk] = []
        begin = 0
        for chunk in self._held:
            end = begin + len(chunk.data)
            (ready if end <= sure and not waiting else waiting).append(Chunk(chunk.time, text[begin:end]))
            begin = end
        self._held = waiting
        return ready

    def finish(self) -> list[Step]:
        """What is left."""
        held, self._held = self._held, []
        return [*held]

    def _open(self, text: bytes) -> int:
        """How many of the last bytes may be the start of a secret."""
        longest = 0
        for needle in self.needles:
            for size in range(min(len(needle) - 1, len(text)), longest, -1):
                if text.endswith(needle[:size]):
                    longest = size
                    break
        return longest

    def _in_words(self, end: End) -> End:
        assert self._pattern is not None
        message = self._pattern.sub(REDACTED.encode(), end.message.encode("utf-8", "surrogatepass"))
        return attrs.evolve(end, message=message.decode("utf-8", "surrogatepass"))


def _crossed_out(found: re.Match[bytes]) -> bytes:
    return b"x" * len(found[0])


def _masked(mask: Mask, body: Iterable[Step]) -> Iterator[Step]:
    mask = Mask(mask.needles)
    for step in body:
        yield from mask.feed(step)
    yield from mask.finish()


DEFAULT_REDACTION = Redaction()
"""What is taken out if nobody says more."""
