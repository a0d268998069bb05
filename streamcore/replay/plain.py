"""Plain recordings: the bytes of event streams and nothing else, as `curl` writes them. Files end in `.sse`.

They have no request, no headers and no times: all is there at once, in chunks of 64 KB. A file may hold several
streams, one after the other; a `message_start` that comes after a `message_stop` begins the next. Both ways hold a
block and one event in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import attrs

from streamcore.errors import LimitExceededError
from streamcore.replay.capture import Capture, CaptureError, Chunk
from streamcore.replay.events import EventSplitter, payload_type

__all__ = ["read_plain"]

_BLOCK_SIZE = 64 * 1024
_HEADERS = {"content-type": "text/event-stream; charset=utf-8"}


def read_plain(path: Path) -> Iterator[Capture]:
    """The captures in a file, one by one. Their bodies read the file again, each time they are gone through.

    Raises:
        OSError: The file cannot be read.
    """
    size = path.stat().st_size
    offset = 0
    while not offset or offset < size:
        body = PlainBody(path, offset)
        yield Capture(headers=_HEADERS, body=body, name=f"{path}, byte {offset}" if offset else str(path))
        offset += sum(len(chunk.data) for chunk in body)
        if not size:
            return


@attrs.frozen
class PlainBody:
    """The bytes of one stream in a file, from an offset on."""

    path: Path
    offset: int

    def __iter__(self) -> Iterator[Chunk]:
        try:
            yield from _chunks(self.path, self.offset)
        except OSError as error:
            raise CaptureError(f"cannot be read: {error.strerror or error}", path=str(self.path)) from error


def _chunks(path: Path, offset: int) -> Iterator[Chunk]:
    with path.open("rb") as file:
        file.seek(offset)
        boundary = _Boundary()
        while block := file.read(_BLOCK_SIZE):
            data = boundary.before(block)
            if data:
                yield Chunk(0.0, data)
            if boundary.passed:
                return
        if rest := boundary.rest():
            yield Chunk(0.0, rest)


class _Boundary:
    """Finds where the next stream begins."""

    def __init__(self) -> None:
        self._splitter: EventSplitter | None = EventSplitter()
        self._stopped = False
        self.passed = False

    def before(self, block: bytes) -> bytes:
        """Of the bytes that have come, those that for sure belong to the first stream."""
        if self._splitter is None:
            return block
        try:
            found = self._splitter.feed(block)
        except LimitExceededError:
            # No event stream, most likely. Whatever it is, it is one.
            rest = self._splitter.finish()
            self._splitter = None
            return rest
        pieces = []
        for piece in found:
            if b"message_st" in piece:
                kind = payload_type(piece)
                if kind == "message_start" and self._stopped:
                    self.passed = True
                    break
                self._stopped = self._stopped or kind == "message_stop"
            pieces.append(piece)
        return b"".join(pieces)

    def rest(self) -> bytes:
        """After the last block: what has been held back."""
        return b"" if self._splitter is None else self._splitter.finish()
