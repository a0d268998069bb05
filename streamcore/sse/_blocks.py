"""The blocks of one chunk: what is between its blank lines, one event each.

The blocks are iterated over by a plain list iterator, which costs next to nothing for each. Where one of them is in the
stream is not noted while that happens, but computed when somebody asks.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator

__all__ = ["Blocks"]

_BLANK_LINE_SIZE = 2


class Blocks:
    """Blocks, and where they are in the stream.

    Args:
        blocks: The blocks, without their blank lines.
        offset: Bytes of the stream before the first of them.
        event_offset: Bytes of the stream before the latest event so far.

    Attributes:
        unread: Iterates over the blocks that have not been read. There is one such iterator, for everybody.
    """

    __slots__ = ("_blocks", "_event_offset", "_event_offsets", "_known_index", "_known_offset", "unread")

    def __init__(self, blocks: list[bytes], *, offset: int, event_offset: int) -> None:
        self._blocks = blocks
        self._event_offset = event_offset
        # Of the blocks that do not begin with their event: where it is, or None if there is no event in them.
        self._event_offsets: dict[int, int | None] = {}
        # The block that was asked for last: to count on from there makes asking for each in turn linear.
        self._known_index = 0
        self._known_offset = offset
        self.unread: Iterator[bytes] = iter(blocks)

    @property
    def _latest(self) -> int:
        """The index of the block that was read last, -1 if none was."""
        return len(self._blocks) - operator.length_hint(self.unread) - 1

    def _offset(self, index: int) -> int:
        if index < self._known_index:
            size = sum(map(len, self._blocks[index : self._known_index]))
            return self._known_offset - size - _BLANK_LINE_SIZE * (self._known_index - index)
        size = sum(map(len, self._blocks[self._known_index : index]))
        self._known_offset += size + _BLANK_LINE_SIZE * (index - self._known_index)
        self._known_index = index
        return self._known_offset

    @property
    def is_read(self) -> bool:
        """Whether all blocks have been read."""
        return operator.length_hint(self.unread) == 0

    @property
    def latest_offset(self) -> int:
        """Bytes of the stream before the block that was read last."""
        return self._offset(self._latest)

    @property
    def end(self) -> int:
        """Bytes of the stream up to the end of the block that was read last."""
        return self._offset(self._latest + 1)

    @property
    def event_offset(self) -> int:
        """Bytes of the stream before the latest event."""
        index = self._latest
        while index >= 0:
            offset = self._event_offsets.get(index, -1)
            if offset is not None:
                return self._offset(index) if offset < 0 else offset
            index -= 1
        return self._event_offset

    def set_event_offset(self, offset: int | None) -> None:
        """Say where the event is in the block that was read last, if it does not begin there; None: there is no event."""
        self._event_offsets[self._latest] = offset
