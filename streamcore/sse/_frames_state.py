"""The state of a `FrameReader`, and what its methods rely on."""

from __future__ import annotations

import enum

from streamcore._checkpoint import require
from streamcore._objects.state import Count, SavedState
from streamcore.sse._buffer import BufferState
from streamcore.sse._by_lines import LinesState
from streamcore.sse._lines import BLANK_LINE, CR
from streamcore.sse._sections import SectionsState

__all__ = ["BOM", "FramesState", "Position"]

BOM = b"\xef\xbb\xbf"


class Position(enum.Enum):
    """Where a reader of frames is when all sections have been read."""

    AT_START = "at_start"  # before the first bytes; `rest` has those so far that may be part of a BOM
    BETWEEN_EVENTS = "between_events"  # the next byte begins an event
    IN_EVENT = "in_event"  # `rest` has the first bytes of an event, as they came
    IN_LINES = "in_lines"  # reading line by line; `rest` has the bytes that follow these lines


class FramesState(SavedState):
    """The state of a `FrameReader`.

    Attributes:
        position: Where the reader is when all sections have been read.
        buffer: The chunks that have not been read.
        rest: Bytes that were read and belong to no frame yet.
        end: Bytes of the stream before `rest`. If `position` is `IN_LINES`, the reader of lines has the number.
        event_offset: Bytes of the stream before the latest event.
        at_eof: Whether the stream has ended.
        is_over_limit: Whether the stream goes on after its greatest size.
        sections: The sections of the chunk that was cut last, until they are forgotten.
        lines: The reader of lines, if it was needed.
    """

    position: Position
    buffer: BufferState
    rest: bytes = b""
    end: Count = 0
    event_offset: Count = 0
    at_eof: bool = False
    is_over_limit: bool = False
    sections: SectionsState | None = None
    lines: LinesState | None = None

    def check(self, *, max_section_size: int) -> None:
        """Check that the state does not contradict itself.

        Raises:
            CheckpointError: It does, or a section is over the limit.
        """
        rest = self.rest
        if self.position is Position.AT_START:
            require(BOM.startswith(rest), "a stream begins with other bytes than a BOM")
        elif self.position is Position.BETWEEN_EVENTS:
            require(not rest, "there are bytes of an event between events")
        elif self.position is Position.IN_EVENT:
            require(bool(rest) and CR not in rest and BLANK_LINE not in rest, "the bytes are not those of one event")
        else:
            require(self.lines is not None, "the reader of lines is missing")
        require(self.event_offset <= self.end, "an event begins after the end of the stream")
        if self.sections is not None:
            self._check_sections(self.sections, max_section_size)

    def _check_sections(self, sections: SectionsState, max_size: int) -> None:
        require(self.position in (Position.BETWEEN_EVENTS, Position.IN_EVENT), "sections are left over")
        for section in sections.unread:
            require(
                0 < len(section) <= max_size and CR not in section and BLANK_LINE not in section,
                "a section is not one event, or it is over the limit",
            )
        size = sum(len(section) + len(BLANK_LINE) for section in sections.unread)
        require(sections.offset + size == self.end, "the sections do not end where they should")
        require(sections.event_offset <= sections.offset, "an event begins after the end of the stream")
