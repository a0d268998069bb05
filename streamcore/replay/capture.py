"""Capture: one exchange over HTTP as a value, its answer cut and timed as it arrived.

The body of a capture is an iterable of steps that can be iterated over again and again: a tuple in memory, or an object
that reads a file each time, so that a long recording is never in memory as a whole. The bytes are the content, after
any content coding (gzip, ...) was undone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal, TypeAlias, cast

import attrs

from streamcore.errors import StreamCoreError

Headers: TypeAlias = tuple[tuple[str, str], ...]
"""Names and values, in order. A name may occur more than once."""

EndReason: TypeAlias = Literal["complete", "broken", "closed"]
"""How a body ended: as the server meant it to, because the connection failed, or because the reader left."""


class CaptureError(StreamCoreError):
    """A capture cannot be read or written, or no capture answers a request.

    Attributes:
        path: The file, if the error is about one.
        line: The line in it, counted from 1.
    """

    def __init__(self, message: str, *, path: str | None = None, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.line = line

    def __str__(self) -> str:
        place = f"{self.path}, line {self.line}" if self.line is not None else self.path
        return self.message if place is None else f"{place}: {self.message}"

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.message,), self.__dict__.copy()


@attrs.frozen
class Chunk:
    """Bytes that arrived at once.

    Attributes:
        time: When they arrived, in seconds since the head of the response arrived.
        data: The bytes.
    """

    time: float
    data: bytes


@attrs.frozen
class Pause:
    """Nothing arrives for so many seconds, whatever the speed of playing. Only faults make pauses."""

    seconds: float


@attrs.frozen
class End:
    """The end of a body, its last step. A body without one is complete.

    Attributes:
        time: When the body ended, in seconds since the head of the response arrived.
        reason: Why it ended.
        message: How the connection failed, if it did.
    """

    time: float
    reason: EndReason = "complete"
    message: str = ""


Step: TypeAlias = Chunk | Pause | End

_QUERY = re.compile(r"[?#]")


def _headers(given: Mapping[str, str] | Iterable[tuple[str, str]]) -> Headers:
    pairs = cast("Iterable[tuple[str, str]]", given.items() if isinstance(given, Mapping) else given)
    return tuple((name, value) for name, value in pairs)


def _header(headers: Headers, name: str) -> str | None:
    found = [value for each, value in headers if each.lower() == name.lower()]
    return ", ".join(found) if found else None


@attrs.frozen(kw_only=True)
class CapturedRequest:
    """The request of an exchange.

    Attributes:
        method: The method, usually `POST`.
        url: The complete URL.
        headers: Names and values. The constructor also takes a mapping.
        body: The bytes that were sent; empty if nothing was sent or they are not known.
    """

    method: str = "POST"
    url: str
    headers: Headers = attrs.field(default=(), converter=_headers)
    body: bytes = b""

    @property
    def path(self) -> str:
        """The path of the URL. A file may have any text as a URL, and `urllib` refuses some."""
        before_query = _QUERY.split(self.url, maxsplit=1)[0]
        _, separator, rest = before_query.partition("://")
        return "".join(rest.partition("/")[1:]) if separator else before_query

    def header(self, name: str) -> str | None:
        """Return the value of a header, or None. Several headers of that name are joined with commas."""
        return _header(self.headers, name)


@attrs.frozen(kw_only=True)
class Capture:
    """One exchange: the request, and the response with its timing.

    Attributes:
        request: The request; None if it is not known.
        status: The status of the response.
        headers: The headers of the response: names and values. The constructor also takes a mapping.
        body: The chunks in order, and at most one `End` after them. It can be iterated over again and again.
        name: The name in messages, for example the path of the file. Comparisons ignore it.
    """

    request: CapturedRequest | None = None
    status: int = 200
    headers: Headers = attrs.field(default=(), converter=_headers)
    body: Iterable[Step] = ()
    name: str = attrs.field(default="", eq=False)

    def header(self, name: str) -> str | None:
        """Return the value of a response header, or None. Several headers of that name are joined with commas."""
        return _header(self.headers, name)

    @property
    def chunks(self) -> Iterator[Chunk]:
        """The chunks, without the other steps."""
        return (step for step in self.body if isinstance(step, Chunk))

    @property
    def data(self) -> bytes:
        """The bytes of the body."""
        return b"".join(chunk.data for chunk in self.chunks)

    def with_body(self, change: Callable[[Iterable[Step]], Iterable[Step]]) -> Capture:
        """Return the capture with another body, which `change` makes from this one each time it is iterated over."""
        return attrs.evolve(self, body=_ChangedBody(self.body, change))

    def in_memory(self) -> Capture:
        """Return the capture with its body in memory, so that captures compare by their content."""
        return attrs.evolve(self, body=tuple(self.body))

    def __str__(self) -> str:
        asked = "" if self.request is None else f"{self.request.method} {self.request.url}"
        return " · ".join(part for part in (self.name, asked, f"status {self.status}") if part)


def text_of(data: bytes) -> str | None:
    """Return bytes as text, or None if they are not UTF-8. For formats that write other bytes in another way."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


@attrs.frozen
class _ChangedBody(Iterable[Step]):
    body: Iterable[Step]
    change: Callable[[Iterable[Step]], Iterable[Step]]

    def __iter__(self) -> Iterator[Step]:
        return iter(self.change(self.body))
