"""Bytes, cut anywhere, to lines.

A line ends in LF, CR or CRLF. `bytes.splitlines` knows exactly these three, so the only work here is to join what the
end of a chunk cuts: a line, or a CRLF.

- A line that is not complete is collected in one bytearray, so that a line of any number of pieces costs linear time.
- A line that has no end yet and cannot become a field (a comment, mostly) is dropped as it arrives: a peer may send a
  comment of any length, and it takes no memory.
"""

from __future__ import annotations

import enum

from streamcore._checkpoint import require
from streamcore._objects.state import Count, SavedState
from streamcore.errors import LimitExceededError

__all__ = ["BLANK_LINE", "CR", "FIELD_NAMES", "LF", "LineSplitter", "SplitterState", "may_end_event"]

LF = 0x0A
CR = 0x0D
BLANK_LINE = b"\n\n"

FIELD_NAMES = (b"event", b"data", b"id", b"retry")

# A line that begins with one of these may still become a field. Each is a prefix of a field's name with its colon.
_FIELD_STARTS = frozenset((name + b":")[:length] for name in FIELD_NAMES for length in range(1, len(name) + 2))
_LONGEST_FIELD_START = max(map(len, _FIELD_STARTS))


class _Mode(enum.Enum):
    IN_LINE = "in_line"
    AFTER_CR = "after_cr"  # the latest byte was CR: if LF follows, it belongs to the same line end
    DROPPING = "dropping"  # in a line that cannot be a field: all of it is ignored


class SplitterState(SavedState):
    """The state of a `LineSplitter`.

    Attributes:
        mode: Where the next byte is: in a line, after a CR, or in a line that is dropped.
        unfinished: The start of the line at the end, if it may become a field.
        end: Bytes of the stream so far.
    """

    mode: _Mode = _Mode.IN_LINE
    unfinished: bytes = b""
    end: Count = 0


class LineSplitter:
    """Split the bytes of a stream into lines.

    Args:
        max_line_size: Maximum bytes of an unfinished line, without its line end.

    Attributes:
        end: Bytes of the stream so far.
        line_offset: Bytes of the stream before the first of the lines that `split` returned last.
    """

    __slots__ = ("_max_line_size", "_mode", "_unfinished", "end", "line_offset")

    def __init__(self, *, max_line_size: int) -> None:
        self._max_line_size = max_line_size
        self._mode = _Mode.IN_LINE
        self._unfinished = bytearray()
        self.end = 0
        self.line_offset = 0

    @property
    def is_between_lines(self) -> bool:
        """Whether the next byte begins a line, whatever it is."""
        return self._mode is _Mode.IN_LINE and not self._unfinished

    @property
    def unfinished(self) -> bytes:
        """The start of the line at the end that has no line end yet, if it may become a field."""
        return bytes(self._unfinished)

    @property
    def unfinished_size(self) -> int:
        """Bytes of the unfinished line at the end, if it may become a field."""
        return len(self._unfinished)

    def get_state(self) -> SplitterState:
        """Return the state for a checkpoint."""
        return SplitterState(mode=self._mode, unfinished=self.unfinished, end=self.end)

    def set_state(self, state: SplitterState) -> None:
        """Take over the state of a checkpoint.

        Raises:
            CheckpointError: The state contradicts itself.
        """
        self._mode, self.end = state.mode, state.end
        line = state.unfinished
        require(not line or self._mode is _Mode.IN_LINE, "an unfinished line has begun outside of a line")
        require(LF not in line and CR not in line, "an unfinished line has a line end")
        require(len(line) <= self.end, "an unfinished line is longer than the stream")
        self._unfinished += line

    def clear(self) -> None:
        """Forget the unfinished line: it has been read."""
        self._unfinished.clear()

    def split(self, data: bytes) -> list[bytes]:
        """Return the lines that `data` completes, in order, each with its line end."""
        self.end += len(data)
        if self._mode is _Mode.AFTER_CR and data:
            self._mode = _Mode.IN_LINE
            data = data.removeprefix(b"\n")
        if LF not in data and CR not in data:
            self._keep(data)
            return []
        if self._unfinished:
            self._unfinished += data
            data = bytes(self._unfinished)
            self._unfinished.clear()
        self.line_offset = self.end - len(data)
        lines = data.splitlines(keepends=True)
        if self._mode is _Mode.DROPPING:
            self._mode = _Mode.IN_LINE
            dropped = lines.pop(0)
            self.line_offset += len(dropped)
            last = lines[-1][-1] if lines else dropped[-1]
        else:
            last = lines[-1][-1]
        if last == CR:
            self._mode = _Mode.AFTER_CR
        elif last != LF:
            self._keep(lines.pop())
        return lines

    def _keep(self, start: bytes) -> None:
        """Keep the start of a line, or drop it if the line cannot become a field."""
        if self._mode is _Mode.DROPPING or not start:
            return
        line = self._unfinished
        was_checked = len(line) >= _LONGEST_FIELD_START
        line += start
        if not was_checked:
            name, colon, _ = bytes(line[:_LONGEST_FIELD_START]).partition(b":")
            if name + colon not in _FIELD_STARTS:
                line.clear()
                self._mode = _Mode.DROPPING

    def check_size(self) -> None:
        """Refuse an unfinished line that is too long already.

        A start that is shorter than the longest name of a field is not refused: it may turn out not to be a field, and
        such a line may have any length.

        Raises:
            LimitExceededError: The unfinished line is longer than `max_line_size`.
        """
        if len(self._unfinished) > max(self._max_line_size, _LONGEST_FIELD_START):
            raise LimitExceededError(
                f"a line is longer than {self._max_line_size} bytes",
                offset=self.end - len(self._unfinished),
                received=bytes(self._unfinished[: self._max_line_size]),
            )


def may_end_event(rest: bytearray, chunk: bytes) -> bool:
    """Return whether `rest` and the chunk after it have a blank line, or need to be read by lines."""
    return CR in chunk or (LF in chunk and (BLANK_LINE in chunk or (rest[-1] == LF and chunk[0] == LF)))
