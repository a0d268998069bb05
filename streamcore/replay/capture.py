"""A capture: one exchange over HTTP as a value, its answer cut and timed as it came.

The body of a capture is an iterable of steps that can be gone through again and again: a tuple in memory, or something
that reads a file anew each time, so that a long recording is never held in memory. The bytes are those of the content,
after any content coding (gzip, ...) was undone. Does no I/O and knows of no file format.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal, TypeAlias, cast

import attrs

from streamcore.errors import StreamCoreError

__all__ = ["Capture", "CaptureError", "CapturedRequest", "Chunk", "End", "EndReason", "Headers", "Pause", "Step"]

Headers: TypeAlias = tuple[tuple[str, str], ...]
"""Names and values, in order; a name may come more than once."""

EndReason: TypeAlias = Literal["complete", "broken", "closed"]
"""How a body ended: as the server meant it to, because the connection failed, or because the reader left."""


class CaptureError(StreamCoreError):
    """A capture cannot be read or written, or no capture answers a request.

    Attributes:
        path: The file concerned, if one is.
        line: The line of it, counted from 1.
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
        time: When, in seconds since the head of the response arrived.
        data: The bytes.
    """

    time: float
    data: bytes


@attrs.frozen
class Pause:
    """Nothing arrives for so many seconds, at whatever speed the capture is played. Only faults make one."""

    seconds: float


@attrs.frozen
class End:
    """The body is over. It is the last step; a body without one is complete.

    Attributes:
        time: When, in seconds since the head of the response arrived.
        reason: Why.
        message: What failed, in words, where the connection did.
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
    """What was asked.

    Attributes:
        method: `POST`, mostly.
        url: The whole of it.
        headers: Names and values. A mapping is taken, too.
        body: The bytes sent; empty if nothing was sent or they are not known.
    """

    method: str = "POST"
    url: str
    headers: Headers = attrs.field(default=(), converter=_headers)
    body: bytes = b""

    @property
    def path(self) -> str:
        """The path of the URL. A file may hold any text as a URL: `urllib` refuses some of them."""
        before_query = _QUERY.split(self.url, maxsplit=1)[0]
        _, separator, rest = before_query.partition("://")
        return "".join(rest.partition("/")[1:]) if separator else before_query

    def header(self, name: str) -> str | None:
        """The value of a header; those of several of that name are joined with commas."""
        return _header(self.headers, name)


@attrs.frozen(kw_only=True)
class Capture:
    """One exchange: what was asked, and what came back when.

    Attributes:
        request: What was asked; `None` if that is not known.
        status: The status of the response.
        headers: Of the response: names and values. A mapping is taken, too.
        body: Its chunks in order, and at most one `End` after them. Iterating over it again begins again.
        name: What to call it in messages: for example the file it is from. It does not count in comparisons.
    """

    request: CapturedRequest | None = None
    status: int = 200
    headers: Headers = attrs.field(default=(), converter=_headers)
    body: Iterable[Step] = ()
    name: str = attrs.field(default="", eq=False)

    def header(self, name: str) -> str | None:
        """The value of a header of the response; those of several of that name are joined with commas."""
        return _header(self.headers, name)

    @property
    def chunks(self) -> Iterator[Chunk]:
        """The chunks, read anew."""
        return (step for step in self.body if isinstance(step, Chunk))

    @property
    def data(self) -> bytes:
        """The bytes of the body as one."""
        return b"".join(chunk.data for chunk in self.chunks)

    def with_body(self, change: Callable[[Iterable[Step]], Iterable[Step]]) -> Capture:
        """The same with the body that `change` makes of this one's, each time it is gone through."""
        return attrs.evolve(self, body=_ChangedBody(self.body, change))

    def in_memory(self) -> Capture:
        """The same with its body held in memory, so that captures compare by what they hold."""
        return attrs.evolve(self, body=tuple(self.body))

    def __str__(self) -> str:
        asked = "" if self.request is None else f"{self.request.method} {self.request.url}"
        return " · ".join(part for part in (self.name, asked, f"status {self.status}") if part)


@attrs.frozen
class _ChangedBody(Iterable[Step]):
    body: Iterable[Step]
    change: Callable[[Iterable[Step]], Iterable[Step]]

    def __iter__(self) -> Iterator[Step]:
        return iter(self.change(self.body))
