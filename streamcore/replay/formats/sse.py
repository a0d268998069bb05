"""Read and write the bytes of event streams and nothing else, as `curl` writes them. Files end in `.sse`.

They have no request, no headers and no times: everything arrives at once, in chunks of 64 KB. A file may have several
streams, one after the other: a `message_start` after a `message_stop` begins the next. After a stream that broke off, a
comment marks the beginning of the next. Answers that are not event streams, such as failures before a success, are not
written. Reading and writing keep one block and one event in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import attrs

from streamcore.api.response import is_event_stream, is_success
from streamcore.limits import DEFAULT_LIMITS
from streamcore.replay.capture import Capture, CaptureError, Chunk
from streamcore.replay.formats.event_splitter import EventSplitter, payload_type
from streamcore.replay.formats.same_file import Version, check_version, version_of

_BLOCK_SIZE = 64 * 1024
_SLICE = 1024
# Enough to find some ends of events. The splitter then says where they are exactly.
_BLANK_LINES = (b"\n\n", b"\n\r\n", b"\r\r")
_LONGEST_BLANK_LINE = 3
_MOST_HELD = DEFAULT_LIMITS.max_event_size
_HEADERS = {"content-type": "text/event-stream; charset=utf-8"}
# Written between two streams, if the first broke off. It begins with bytes with which few files end: the last bytes of
# a file are held back as long as they may be the beginning of a mark.
_MARK = b"\r\n\r\n: the stream above broke off, another follows\n\n"


def read_sse(path: Path) -> Iterator[Capture | CaptureError]:
    """Yield the captures in a file. Their bodies read the file again, each time they are iterated over.

    Raises:
        FileChangedError: The file was changed since its reading began.
        OSError: The file cannot be read.
    """
    version = version_of(path)  # a missing file is an error at once, not when the body is read
    body = SseBody(path, 0, version)
    yield Capture(headers=_HEADERS, body=body, name=str(path))
    check_version(path, version, path)
    if version is None:  # a pipe cannot be read a second time
        return
    size = path.stat().st_size
    while (offset := _next_offset(body)) < size:
        body = SseBody(path, offset, version)
        yield Capture(headers=_HEADERS, body=body, name=f"{path}, byte {offset}")
        check_version(path, version, path)


def _next_offset(body: SseBody) -> int:
    """Return the offset of the stream after this one, or of the end of the file."""
    offset = body.offset + sum(len(chunk.data) for chunk in body)
    with body.path.open("rb") as file:
        file.seek(offset)
        return offset + len(_MARK) if file.read(len(_MARK)) == _MARK else offset


def is_stream(capture: Capture) -> bool:
    """Whether the body is an event stream, according to the head."""
    return is_success(capture.status) and is_event_stream({"content-type": capture.header("content-type") or ""})


def sse_pieces(captures: Iterable[Capture]) -> Iterator[bytes]:
    """Yield the bytes of the event streams among these captures.

    Raises:
        CaptureError: There are captures, and none of them is an event stream.
    """
    written = 0
    left_out: Capture | None = None
    before: _Boundary | None = None
    for capture in captures:
        if is_stream(capture):
            written += 1
            if before is not None and not before.is_over:
                yield _MARK
            before = _Boundary()
            for chunk in capture.chunks:
                before.push(chunk.data)
                yield chunk.data
        else:
            left_out = left_out or capture
    if left_out is not None and not written:
        raise CaptureError(f"none of the captures is an event stream: {left_out}")


@attrs.frozen
class SseBody:
    """The bytes of one stream in a file, from an offset on."""

    path: Path
    offset: int
    version: Version

    def __iter__(self) -> Iterator[Chunk]:
        try:
            yield from _chunks(self)
        except OSError as error:
            raise CaptureError(f"cannot be read: {error.strerror or error}", path=str(self.path)) from error


def _chunks(body: SseBody) -> Iterator[Chunk]:
    with body.path.open("rb") as file:
        check_version(file, body.version, body.path)
        if body.offset:
            file.seek(body.offset)
        boundary = _Boundary()
        while block := file.read(_BLOCK_SIZE):
            data = boundary.push(block)
            if data:
                yield Chunk(0.0, data)
            if boundary.passed:
                break
        else:
            if rest := boundary.rest():
                yield Chunk(0.0, rest)
        check_version(file, body.version, body.path)  # it may have been written over in the meantime


class _Boundary:
    """Find where the next stream begins.

    Only `message_start` and `message_stop` matter. So a block is split into events only if it contains `message_st`,
    with which both names begin; few blocks do.
    """

    def __init__(self) -> None:
        self._held = bytearray()
        self._stopped = False
        self.passed = False

    def push(self, block: bytes) -> bytes:
        """Take a block. Return the bytes so far, after those returned before, that belong to the first stream."""
        held = self._held
        searched = max(0, len(held) - _LONGEST_BLANK_LINE)
        held += block
        places = [(held.rfind(blank, searched), len(blank)) for blank in _BLANK_LINES]
        mark = held.find(_MARK, max(0, len(held) - len(block) - len(_MARK)))
        if mark >= 0:
            self.passed = True
            return self._up_to_next_start(bytes(held[:mark]))
        end = max(place + length if place >= 0 else 0 for place, length in places)
        if len(held) - end > _MOST_HELD:
            end = len(held)  # probably not an event stream
        end = min(end, len(held) - _begun_mark(held))
        data = bytes(held[:end])
        del held[:end]
        return self._up_to_next_start(data) if b"message_st" in data else data

    @property
    def is_over(self) -> bool:
        """Whether a stream that comes next would be recognised as another one."""
        return self.passed or (self._stopped and not self._held.strip(b"\r\n"))

    def rest(self) -> bytes:
        """Return the bytes that were held back, after the last block."""
        return self._up_to_next_start(bytes(self._held))

    def _up_to_next_start(self, data: bytes) -> bytes:
        """Return the bytes before the next stream's `message_start`, and set `passed`. Return all if none comes."""
        splitter = EventSplitter(max_size=len(data))
        size = 0
        # In slices, so that little of the next stream is split.
        for piece in splitter.split(data[at : at + _SLICE] for at in range(0, len(data), _SLICE)):
            kind = payload_type(piece) if b"message_st" in piece else None
            if kind == "message_start" and self._stopped:
                self.passed = True
                return data[:size]
            self._stopped = self._stopped or kind == "message_stop"
            size += len(piece)
        return data


def _begun_mark(data: bytearray) -> int:
    return next((size for size in range(len(_MARK) - 1, 0, -1) if data.endswith(_MARK[:size])), 0)
