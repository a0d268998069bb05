"""An event stream cut where its events end, with every byte kept as it is.

In: bytes, cut anywhere. Out: pieces that make up the very same bytes, each ending with a blank line, the last perhaps
without one. For faults and chunkings, which move events about and must not touch what is in them. A decoder is the
wrong tool for that: it gives what an event means, not how it was written.

Linear in the bytes. What is held is the one piece that has begun.
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

__all__ = ["EventSplitter", "event_steps", "is_event", "payload_type"]

# The end of a line and the blank line after it. A CR at the end of what has come may be half of a CRLF.
_BLANK_LINE = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r(?!\n))")
_LONGEST_BLANK_LINE = 4
_DATA_LINE = re.compile(rb"(?:^|[\r\n]|^\xef\xbb\xbf)data(?=[:\r\n])")


class EventSplitter:
    """Cuts the bytes it is fed.

    Args:
        max_size: Bytes in one piece.
    """

    def __init__(self, *, max_size: int = DEFAULT_LIMITS.max_event_size) -> None:
        self._held = bytearray()
        self._searched = 0
        self._max_size = max_size

    def feed(self, data: bytes) -> list[bytes]:
        """The pieces that end in `data`.

        Raises:
            LimitExceededError: One is longer than it may be.
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
        if len(held) > self._max_size and not pieces:  # with pieces to give, the next call is early enough
            raise LimitExceededError(f"an event has more than {self._max_size} bytes")
        return pieces

    def finish(self) -> bytes:
        """What has come since the last piece: an event without its blank line, or nothing."""
        rest = bytes(self._held)
        self._held.clear()
        self._searched = 0
        return rest


def is_event(piece: bytes) -> bool:
    """Whether a piece is an event, and not only comments and blank lines."""
    return _DATA_LINE.search(piece) is not None


def payload_type(piece: bytes) -> str | None:
    """The `type` in the payload of an event; `None` if the piece has none."""
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
    """The steps of a body with a chunk for each piece. A piece has the time at which the last of its bytes arrived."""
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
