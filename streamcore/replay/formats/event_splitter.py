"""Cut an event stream where its events end, and keep every byte.

Faults and chunkings move events and must not change them, so a decoder, which returns the meaning of an event, does not
help. Joined, the pieces are the input. Each ends with a blank line, except perhaps the last. The work is linear in the
bytes, and only the piece that has begun is kept in memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import attrs
import msgspec

from streamcore.errors import LimitExceededError
from streamcore.limits import DEFAULT_LIMITS
from streamcore.replay.capture import Chunk, Step
from streamcore.sse import SSEDecoder

# The end of a line and the blank line after it. A CR at the end of what has come may be half of a CRLF.
_BLANK_LINE = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r(?!\n))")
_LONGEST_BLANK_LINE = 4
_DATA_LINE = re.compile(rb"(?:^|[\r\n]|^\xef\xbb\xbf)data(?=[:\r\n])")


class EventSplitter:
    """Cuts the bytes that it is fed.

    Args:
        max_size: How many bytes a piece may have.
    """

    def __init__(self, *, max_size: int = DEFAULT_LIMITS.max_event_size) -> None:
        self._held = bytearray()
        self._searched = 0
        self._max_size = max_size

    def feed(self, data: bytes) -> list[bytes]:
        """Return the pieces that end in `data`.

        Raises:
            LimitExceededError: A piece is longer than it may be.
        """
        held = self._held
        held += data
        pieces = []
        begin = 0
        position = self._searched
        while (found := _BLANK_LINE.search(held, position)) is not None:
            position = found.end()
            if position == len(held) and held.endswith(b"\r"):
                position = found.start()
                break
            pieces.append(bytes(held[begin:position]))
            begin = position
        del held[:begin]
        self._searched = max(0, len(held) - _LONGEST_BLANK_LINE)
        if len(held) > self._max_size and not pieces:  # if there are pieces to return, the next call can raise
            raise LimitExceededError(f"an event has more than {self._max_size} bytes")
        return pieces

    def finish(self) -> bytes:
        """Return the rest, which may be an event without its blank line, or nothing."""
        rest = bytes(self._held)
        self._held.clear()
        self._searched = 0
        return rest

    def split(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield all pieces of these blocks, and the rest."""
        for block in blocks:
            yield from self.feed(block)
        yield self.finish()


def is_event(piece: bytes) -> bool:
    """Whether a piece is an event, and not only comments and blank lines."""
    return _DATA_LINE.search(piece) is not None


def payload_type(piece: bytes) -> str | None:
    """Return the `type` in the payload of an event, or None."""
    decoder = SSEDecoder()
    decoder.receive_data(piece)
    try:
        for event in decoder.events():
            return msgspec.json.decode(event.data, type=_Typed).type
    except (msgspec.MsgspecError, LimitExceededError):
        return None
    return None


@attrs.frozen
class _Typed:
    type: str


def event_steps(body: Iterable[Step]) -> Iterator[Step]:
    """Yield the steps of a body with a chunk for each piece. Its time is that of the last byte in it."""
    splitter = EventSplitter()
    time = 0.0
    for step in body:
        if isinstance(step, Chunk):
            time = step.time
            for piece in splitter.feed(step.data):
                yield Chunk(time, piece)
        else:
            if rest := splitter.finish():
                yield Chunk(time, rest)
            yield step
    if rest := splitter.finish():
        yield Chunk(time, rest)
