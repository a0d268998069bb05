"""The plain path to frames: the standard's own algorithm, a line at a time."""

from __future__ import annotations

from streamcore.limits import Limits
from streamcore.sse._fields import EventFields, Frame
from streamcore.sse._lines import LineSplitter

__all__ = ["LineReader"]


class LineReader:
    """Read frames line by line.

    Args:
        limits: Bounds on lines and events.
        keep_dataless: See `EventFields`.

    Attributes:
        fields: The fields of the event that has begun, and what lasts of those before it.
    """

    __slots__ = ("_lines", "_next_line", "_offset", "_splitter", "fields")

    def __init__(self, limits: Limits, *, keep_dataless: bool = False) -> None:
        self.fields = EventFields(limits, keep_dataless=keep_dataless)
        self._splitter = LineSplitter(max_line_size=limits.max_line_size)
        # Lines that were split off, with their ends; the number of the next one, and the bytes of the stream before it.
        self._lines: list[bytes] = []
        self._next_line = 0
        self._offset = 0

    def begin(self, offset: int) -> None:
        """Note that the next byte is at the start of an event, with so many bytes of the stream before it."""
        self._splitter.end = offset

    def receive(self, data: bytes) -> None:
        """Take more bytes. All lines before have been read."""
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
            lines[self._next_line] = b""  # a line may be long, and its content is a copy
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
        """Return the frame that a blank line would give now, or None if it would give none or a field is cut off.

        All lines have been read, and no more will come.
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

    def discard(self) -> None:
        """Forget what has not been read."""
        self._lines = []
        self._next_line = 0
        self.fields.discard()
