"""The sections of one chunk: what is between its blank lines, one event each.

A plain list iterator goes over the sections, at almost no cost for each. Offsets are computed on demand; iterating
records nothing.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator

from streamcore._objects.state import Count, SavedState

__all__ = ["Sections", "SectionsState"]

_BLANK_LINE_SIZE = 2


class SectionsState(SavedState):
    """The state of `Sections`: the arguments for new ones, which have what is left of the old ones.

    Attributes:
        unread: The sections that have not been read.
        offset: Bytes of the stream before the first of them.
        event_offset: Bytes of the stream before the latest event.
    """

    unread: tuple[bytes, ...] = ()
    offset: Count = 0
    event_offset: Count = 0


class Sections:
    """Sections, and where they are in the stream.

    Args:
        sections: The sections, without their blank lines.
        offset: Bytes of the stream before the first of them.
        event_offset: Bytes of the stream before the latest event so far.

    Attributes:
        unread: Iterates over the sections that have not been read. All readers share this iterator.
    """

    __slots__ = ("_event_offset", "_event_offsets", "_known", "_sections", "unread")

    def __init__(self, sections: list[bytes], offset: int, event_offset: int) -> None:
        self._sections = sections
        self._event_offset = event_offset
        # The last section whose offset was computed, and that offset. Counting goes on from there, so all offsets
        # together take linear time.
        self._known = (0, offset)
        # For sections that do not begin with their event: its offset, or None if the section has no event.
        self._event_offsets: dict[int, int | None] | None = None
        self.unread: Iterator[bytes] = iter(sections)

    def _offset(self, index: int) -> int:
        known, offset = self._known
        if index >= known:
            offset += sum(map(len, self._sections[known:index])) + _BLANK_LINE_SIZE * (index - known)
        else:
            offset -= sum(map(len, self._sections[index:known])) + _BLANK_LINE_SIZE * (known - index)
        self._known = (index, offset)
        return offset

    @property
    def is_read(self) -> bool:
        """Whether all sections have been read."""
        return operator.length_hint(self.unread) == 0

    @property
    def _latest_index(self) -> int:
        """The index of the section that was read last, -1 if none was."""
        return len(self._sections) - operator.length_hint(self.unread) - 1

    @property
    def latest_offset(self) -> int:
        """Bytes of the stream before the section that was read last."""
        return self._offset(self._latest_index)

    @property
    def end(self) -> int:
        """Bytes of the stream up to the end of the section that was read last."""
        return self._offset(self._latest_index + 1)

    @property
    def event_offset(self) -> int:
        """Bytes of the stream before the latest event."""
        index = self._latest_index
        if self._event_offsets is not None:
            while index in self._event_offsets:
                offset = self._event_offsets[index]
                if offset is not None:
                    return offset
                index -= 1
        return self._event_offset if index < 0 else self._offset(index)

    def get_state(self) -> SectionsState:
        """Return the state for a checkpoint."""
        unread = tuple(self._sections[self._latest_index + 1 :])
        return SectionsState(unread=unread, offset=self.end, event_offset=self.event_offset)

    def set_event_offset(self, offset: int | None) -> None:
        """Note where the event begins in the section that was read last, if not at its start; None means no event."""
        if self._event_offsets is None:
            self._event_offsets = {}
        self._event_offsets[self._latest_index] = offset
