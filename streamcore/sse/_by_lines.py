"""The plain path to frames: the standard's own algorithm, a line at a time."""

from __future__ import annotations

from streamcore._checkpoint import require
from streamcore._objects.state import Count, SavedState
from streamcore.limits import Limits
from streamcore.sse._fields import EventFields, FieldsState, Frame
from streamcore.sse._lines import LineSplitter, SplitterState

__all__ = ["LineReader", "LinesState"]


class LinesState(SavedState):
    """The state of a `LineReader`.

    Attributes:
        fields: The fields of the current event.
        splitter: Where the splitting into lines is.
        unread: The lines that have not been read, with their ends.
        offset: Bytes of the stream before the first of them.
    """

    fields: FieldsState
    splitter: SplitterState
    unread: tuple[bytes, ...] = ()
    offset: Count = 0


class LineReader:
    """Read frames line by line.

    Args:
        limits: Bounds on lines and events.
        keep_dataless: See `EventFields`.

    Attributes:
        fields: The fields of the current event, and the id and retry that earlier events have set.
    """

    __slots__ = ("_lines", "_next_line", "_offset", "_splitter", "fields")

    def __init__(self, limits: Limits, *, keep_dataless: bool = False) -> None:
        self.fields = EventFields(limits, keep_dataless=keep_dataless)
        self._splitter = LineSplitter(max_line_size=limits.max_line_size)
        # Lines split off so far, with their ends.
        self._lines: list[bytes] = []
        # The index in `_lines` of the next line to read.
        self._next_line = 0
        # Bytes of the stream before that line.
        self._offset = 0

    def begin(self, offset: int) -> None:
        """Start at an event whose first byte has this offset."""
        self._splitter.end = offset

    def receive(self, data: bytes) -> None:
        """Split more bytes into lines. The caller has read all earlier lines."""
        self._lines = self._splitter.split(data)
        self._next_line = 0
        self._offset = self._splitter.line_offset

    def next_frame(self) -> Frame | None:
        """Return the next frame in the lines received, or None if all of them have been read.

        Raises:
            LimitExceededError: A line, or all data of an event, is too long.
        """
        lines, fields = self._lines, self.fields
        while self._next_line < len(lines):
            line = lines[self._next_line]
            # Free the line: it may be long, and the fields keep a copy of its value.
            lines[self._next_line] = b""
            offset, size = self._offset, len(line)
            line = line.rstrip(b"\r\n")
            if line:
                fields.add(line, offset)
            self._next_line += 1
            self._offset = offset + size
            if not line and (frame := fields.dispatch()) is not None:
                return frame
        self._lines = []
        self._next_line = 0
        self._splitter.check_size()
        return None

    def unfinished_frame(self) -> Frame | None:
        """Return the frame of the unfinished event as if its blank line had come.

        None if it has no data, or if its last line has no colon and is cut off. Call this when all lines have been
        read.
        """
        line = self._splitter.unfinished
        if line:
            if b":" not in line:
                return None
            self.fields.add(line, self.end - len(line))
        return self.fields.frame if self.fields.has_begun else None

    def end_event(self) -> None:
        """End the event of `unfinished_frame` as a blank line would."""
        self._splitter.clear()
        self.fields.dispatch()

    @property
    def end(self) -> int:
        """Bytes of the stream so far."""
        return self._splitter.end

    @property
    def has_lines(self) -> bool:
        """Whether there are lines that have not been read."""
        return self._next_line < len(self._lines)

    @property
    def is_between_events(self) -> bool:
        """Whether all lines have been read, and neither a line nor an event has begun."""
        return not self._lines and self._splitter.is_between_lines and not self.fields.has_begun

    @property
    def pending(self) -> int:
        """Bytes since the end of the last event that belong to one that has begun. All lines have been read."""
        if self.fields.has_begun:
            return self.end - self.fields.offset
        return self._splitter.unfinished_size

    def get_state(self) -> LinesState:
        """Return the state for a checkpoint."""
        return LinesState(
            fields=self.fields.get_state(),
            splitter=self._splitter.get_state(),
            unread=tuple(self._lines[self._next_line :]),
            offset=self._offset,
        )

    def set_state(self, state: LinesState) -> None:
        """Take over the state of a checkpoint.

        Raises:
            CheckpointError: The state is over a limit or contradicts itself.
        """
        self.fields.set_state(state.fields)
        self._splitter.set_state(state.splitter)
        self._lines, self._offset = list(state.unread), state.offset
        size = sum(map(len, state.unread))
        require(not size or self._offset + size <= self.end, "the lines end after the stream")

    def discard(self) -> None:
        """Forget what has not been read."""
        self._lines = []
        self._next_line = 0
        self.fields.discard()
