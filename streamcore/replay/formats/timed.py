r"""Read and write the timed format: captures as JSON Lines, with the cuts and times of the chunks. It ends in `.jsonl`.

A capture is a header line, a line a chunk, and an end line. A file may hold several captures, one after the other:
files can be concatenated. Lines end in LF, the file is UTF-8. Version 1:

```
{"streamcore":"capture","version":1,"request":{...},"response":{"status":200,"headers":[["request-id","req_1"]]}}
{"t":0.0,"text":"event: ping\ndata: {\"type\":\"ping\"}\n\n"}
{"t":0.135,"base64":"ZGF0YTog4p0="}
{"t":0.21,"end":"complete"}
```

- `request` is `null` if it is not known; otherwise it has `method`, `url`, `headers` (pairs, as in `response`) and, if
  there was a body, `body` or `body_base64`.
- `t` is in seconds since the head of the response arrived. A chunk is written as `text` if it is UTF-8, and otherwise
  as `base64`, for example if it is cut inside a character.
- `end` says how the body ended: `complete`; `broken`, if the connection failed after the bytes above, and then
  `message` says how; or `closed`, if the reader closed it. A capture without an end line is damaged.

Readers refuse other versions and ignore unknown keys. A damaged header costs its own capture: after the next end line
comes the next header. Reading and writing hold one line in memory,
and a line has at most 512 MB.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Literal

import attrs
import msgspec

from streamcore.errors import excerpt
from streamcore.replay.capture import (
    Capture,
    CapturedRequest,
    CaptureError,
    Chunk,
    End,
    EndReason,
    Headers,
    Pause,
    Step,
    text_of,
)
from streamcore.replay.formats.same_file import Version, check_version, version_of
from streamcore.replay.formats.spool import Spool

_VERSION = 1
_LONGEST_LINE = 512 * 1024 * 1024  # eight times the largest request that is recorded


@attrs.frozen(kw_only=True)
class _Request:
    method: str
    url: str
    headers: Headers = ()
    body: str | None = None
    body_base64: bytes | None = None


@attrs.frozen(kw_only=True)
class _Response:
    status: int
    headers: Headers = ()


@attrs.frozen(kw_only=True)
class _Header:
    streamcore: Literal["capture"]
    version: int
    request: _Request | None = None
    response: _Response


@attrs.frozen(kw_only=True)
class _Line:
    t: float
    text: str | None = None
    base64: bytes | None = None
    end: EndReason | None = None
    message: str = ""


# Besides msgspec's own: wrong UTF-8, a number that is too long, nesting that is too deep.
_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)

_header_decoder = msgspec.json.Decoder(_Header)
_line_decoder = msgspec.json.Decoder(_Line)
_encode = msgspec.json.Encoder().encode


# Writing


def timed_lines(captures: Iterable[Capture]) -> Iterator[bytes]:
    """Yield the lines of a file with these captures."""
    for capture in captures:
        yield from _capture_lines(capture)


def _capture_lines(capture: Capture) -> Iterator[bytes]:
    """Yield the lines of a capture. The format has no pauses: they shift the times of the steps after them."""
    yield timed_header(capture)
    time = shift = 0.0
    for step in capture.body:
        if isinstance(step, Pause):
            shift += step.seconds
        elif isinstance(step, End):
            yield timed_end(attrs.evolve(step, time=step.time + shift))
            return
        else:
            time = step.time + shift
            yield timed_chunk(attrs.evolve(step, time=time) if shift else step)
    yield timed_end(End(time))


def timed_header(capture: Capture) -> bytes:
    """Return the header line of a capture."""
    request = capture.request
    asked = None if request is None else {"method": request.method, "url": request.url, "headers": request.headers}
    if asked is not None and request is not None and request.body:
        asked |= _text_or_base64(request.body, "body", "body_base64")
    response = {"status": capture.status, "headers": capture.headers}
    return _line({"streamcore": "capture", "version": _VERSION, "request": asked, "response": response})


def timed_chunk(chunk: Chunk) -> bytes:
    """Return the line of a chunk."""
    return _line({"t": _rounded(chunk.time), **_text_or_base64(chunk.data, "text", "base64")})


def timed_end(end: End) -> bytes:
    """Return the end line."""
    return _line(
        {"t": _rounded(end.time), "end": end.reason} | ({"message": end.message} if end.reason == "broken" else {})
    )


def _rounded(time: float) -> float:
    return round(float(time), 6)


def _text_or_base64(data: bytes, text: str, otherwise: str) -> dict[str, str]:
    decoded = text_of(data)
    return {otherwise: base64.b64encode(data).decode()} if decoded is None else {text: decoded}


def _line(value: object) -> bytes:
    return _encode(value) + b"\n"


# Reading


def read_timed(path: Path) -> Iterator[Capture | CaptureError]:
    """Yield the captures in a file. Their bodies read the file again, each time they are iterated over.

    A capture whose header is damaged is an error in its place.

    Raises:
        FileChangedError: The file was changed since its reading began.
        OSError: The file cannot be read.
    """
    offset = 0
    is_between = True  # captures: every line but an empty one must be a header
    with path.open("rb") as file:
        version = version_of(file)
        for number, line in enumerate(_lines(file, path), 1):
            offset += len(line)
            if number == 1 or (is_between and line.strip()) or _begins_capture(line):
                is_between = False
                try:
                    found: Capture | CaptureError = _capture(line, path, number, offset, version)
                except CaptureError as error:
                    found = error
                yield found
                check_version(path, version, path)
            elif _ends_capture(line):
                is_between = True


def _lines(file: IO[bytes], path: Path | Spool) -> Iterator[bytes]:
    while line := file.readline(_LONGEST_LINE + 1):
        if len(line) > _LONGEST_LINE:
            raise CaptureError(f"a line has more than {_LONGEST_LINE} bytes", path=str(path))
        yield line


def timed_capture(path: Spool, offset: int) -> Capture:
    """Return the capture that begins at `offset`.

    Raises:
        CaptureError: None does.
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        file.seek(offset)
        line = file.readline()
    return _capture(line, path, 1, offset + len(line))


def _begins_capture(line: bytes) -> bool:
    # Our own lines begin like this. Other programs may order keys differently and add blanks: those need a closer look.
    if line.startswith((b'{"t":', b"\n")) or b'"streamcore"' not in line:
        return False
    try:
        return "streamcore" in msgspec.json.decode(line, type=dict[str, object])
    except _UNREADABLE:
        return True  # reading it raises the error


def _ends_capture(line: bytes) -> bool:
    if b'"end"' not in line:
        return False
    try:
        return _line_decoder.decode(line).end is not None
    except _UNREADABLE:
        return False  # reading the body raises the error


def _capture(line: bytes, path: Path | Spool, number: int, offset: int, version: Version = None) -> Capture:
    try:
        header = _header_decoder.decode(line)
    except _UNREADABLE as error:
        raise CaptureError(
            f"not the header of a capture ({error}): {excerpt(line)}", path=str(path), line=number
        ) from None
    if header.version != _VERSION:
        raise CaptureError(
            f"the capture is of version {header.version}, and this reads version {_VERSION}",
            path=str(path),
            line=number,
        )
    asked = header.request
    request = None
    if asked is not None:
        body = asked.body.encode() if asked.body is not None else asked.body_base64 or b""
        request = CapturedRequest(method=asked.method, url=asked.url, headers=asked.headers, body=body)
    return Capture(
        request=request,
        status=header.response.status,
        headers=header.response.headers,
        body=_TimedBody(path, offset, number, version),
        name=str(path) if number == 1 else f"{path}, line {number}",
    )


@attrs.frozen
class _TimedBody(Iterable[Step]):
    """The lines of a file from an offset on, up to an end line."""

    path: Path | Spool
    offset: int
    header_line: int
    version: Version

    def __iter__(self) -> Iterator[Step]:
        try:
            with self.path.open("rb") as file:
                self._check(file)
                file.seek(self.offset)
                for step in self._steps(file):
                    if isinstance(step, End):
                        self._check(file)  # it may have been written over in the meantime
                    yield step
        except OSError as error:
            raise CaptureError(f"cannot be read: {error.strerror or error}", path=str(self.path)) from error

    def _check(self, file: IO[bytes]) -> None:
        if isinstance(self.path, Path):
            check_version(file, self.version, self.path)

    def _steps(self, file: IO[bytes]) -> Iterator[Step]:
        number = self.header_line
        for line in _lines(file, self.path):
            if _begins_capture(line):  # even if it could be a chunk too: captures that overlap would be quadratic
                break
            number += 1
            step = self._step(line, number)
            if step is not None:
                yield step
            if isinstance(step, End):
                return
        raise CaptureError("the capture has no end line: the file was cut short", path=str(self.path), line=number)

    def _step(self, line: bytes, number: int) -> Chunk | End | None:
        try:
            found = _line_decoder.decode(line)
            if found.end is not None:
                return End(found.t, found.end, found.message)
            if found.text is not None:
                return Chunk(found.t, found.text.encode())
            if found.base64 is not None:
                return Chunk(found.t, found.base64)
        except _UNREADABLE as error:
            fault = f" ({error})"
        else:
            fault = ""
        if not line.strip():
            return None
        raise CaptureError(f"not a line of a capture{fault}: {excerpt(line)}", path=str(self.path), line=number)
