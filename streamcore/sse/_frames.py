"""Bytes of an event stream to frames, after the WHATWG standard (HTML, section 9.2, "Server-sent events").

A frame is one event: its name and its data. There are two paths to it.

- By sections, for nearly all streams. Where the bytes contain no CR, a blank line is `LF LF`, and one `bytes.split`
  cuts a chunk into the sections between blank lines: one section is one event. A chunk that is exactly one event, as in
  a live stream, is not even cut. The bytes after the last blank line of a chunk are buffered until their own blank line
  comes.
- By lines, for everything else: CR, empty sections, and events too long to buffer. This is the plain path, in
  `_by_lines`.

Both take time that is linear in the bytes, however they were cut.

All state that outlives a call is in attributes, none in a suspended generator.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from streamcore._checkpoint import require
from streamcore._objects.not_copyable import NotCopyable
from streamcore.errors import LimitExceededError, StreamCoreError
from streamcore.limits import Limits
from streamcore.sse._buffer import HEAD_SIZE, ChunkBuffer
from streamcore.sse._by_lines import LineReader
from streamcore.sse._fields import Frame
from streamcore.sse._frames_state import BOM, FramesState, Position
from streamcore.sse._lines import BLANK_LINE, CR, may_end_event
from streamcore.sse._names import common_frame
from streamcore.sse._sections import Sections

__all__ = ["FrameReader"]

# An event longer than this without a blank line is read by lines: it may be an endless comment, which the line reader
# drops.
_MAX_REST_SIZE = 64 * 1024


# A global is read far faster than an enum member on Python 3.11.
_IN_EVENT = Position.IN_EVENT
_IN_LINES = Position.IN_LINES


class FrameReader(NotCopyable):
    """Read the frames of an event stream.

    A caller may call `next_frame` alone. Or it may look at the bytes first, which may be exactly one event:

    ```python
    if reader.chunk_begins_event:
        chunk = reader.buffer.next_chunk  # if you recognise it, skip it with `reader.skip_chunk(chunk)`
    else:
        section = next(reader.unread_sections, None)  # if you do not recognise it, call `reader.next_frame(section)`
    ```

    Args:
        limits: Bounds on the stream.
        keep_dataless: Whether an event that has a name and no data gets a frame with empty data. The standard drops it.

    Attributes:
        buffer: Stores the chunks.
        chunk_begins_event: Whether everything before the next chunk has been read and the chunk begins an event. Then
            the chunk is within all limits.
        unread_sections: Iterates over the sections of the chunk that was cut last, without their blank lines.
        at_eof: Whether the stream has ended.
    """

    __slots__ = (
        "_end",
        "_event_offset",
        "_is_over_limit",
        "_keep_dataless",
        "_last_safe_offset",
        "_limits",
        "_lines",
        "_max_rest_size",
        "_position",
        "_rest",
        "_sections",
        "at_eof",
        "buffer",
        "chunk_begins_event",
        "unread_sections",
    )

    def __init__(self, limits: Limits, *, keep_dataless: bool = False) -> None:
        self._limits = limits
        self._keep_dataless = keep_dataless
        max_piece_size = min(limits.max_line_size, limits.max_event_size)
        # The buffer cuts chunks, so that none is over the limits of a line and an event.
        self.buffer: ChunkBuffer = ChunkBuffer(
            head_size=min(HEAD_SIZE, limits.max_stream_size), max_chunk_size=max_piece_size
        )
        # A chunk that begins up to here cannot go over the limit of the stream.
        self._last_safe_offset = limits.max_stream_size - max_piece_size
        self._max_rest_size = min(_MAX_REST_SIZE, max_piece_size)
        self._is_over_limit = False
        self.at_eof: bool = False
        self.chunk_begins_event: bool = False
        self._position = Position.AT_START
        # Made when first needed; most streams never need it.
        self._lines: LineReader | None = None
        # The sections of the chunk that was cut last.
        self._sections: Sections | None = None
        self.unread_sections: Iterator[bytes] = iter(())
        # The offset of the first byte of `_rest`, except in `_IN_LINES`, where the line reader counts the bytes.
        self._end = 0
        self._rest = bytearray()
        # Bytes of the stream before the latest event.
        self._event_offset = 0

    def receive_eof(self) -> None:
        """Note that the stream has ended."""
        self.at_eof = True
        self.buffer.close("receive_eof() has ended the stream")

    def fail(self, error: Exception) -> None:
        """Refuse more data and forget what has not been read: the stream has failed with `error`."""
        self._event_offset, self._end = self.event_offset, self.received
        self.chunk_begins_event = False
        self.buffer.close(f"the stream has failed: {error}")
        self.buffer.clear()
        self.unread_sections = iter(())
        self._sections = None
        self._rest.clear()
        if self._lines is not None:
            self._lines.discard()
        self._position = Position.BETWEEN_EVENTS

    # Checkpoints

    def get_state(self, unread: Iterable[bytes] = ()) -> FramesState:
        """Return the state for a checkpoint.

        Args:
            unread: Chunks to add to those that have not been read.
        """
        return FramesState(
            position=self._position,
            rest=bytes(self._rest),
            end=self._end,
            event_offset=self._event_offset,
            at_eof=self.at_eof,
            is_over_limit=self._is_over_limit,
            buffer=self.buffer.get_state(unread),
            sections=None if self._sections is None else self._sections.get_state(),
            lines=None if self._lines is None else self._lines.get_state(),
        )

    def set_state(self, state: FramesState) -> None:
        """Take over the state of a checkpoint.

        Raises:
            CheckpointError: The state is over a limit or contradicts itself.
        """
        state.check(max_section_size=self.buffer.max_chunk_size)
        self.buffer.set_state(state.buffer)
        self._position = state.position
        self._rest += state.rest
        self._end, self._event_offset, self._is_over_limit = state.end, state.event_offset, state.is_over_limit
        if state.lines is not None:
            lines = self._line_reader
            lines.set_state(state.lines)
            if self._position is _IN_LINES:
                require(lines.fields.offset <= lines.end, "an event begins after the end of the stream")
            else:
                require(lines.is_between_events, "lines are left over")
        if state.sections is not None:
            sections = state.sections
            self._sections = Sections(list(sections.unread), sections.offset, sections.event_offset)
            self.unread_sections = self._sections.unread
        self._update_chunk_begins_event()
        if state.at_eof:
            self.receive_eof()
        require(self.received <= self._limits.max_stream_size, "the stream is over the limit")

    # Frames

    def skip_chunk(self, chunk: bytes) -> None:
        """Skip the next chunk: the caller has recognised it as one event. Only if `chunk_begins_event`."""
        self._event_offset = self._end
        self._end += len(chunk)
        if self._end > self._last_safe_offset:
            self.chunk_begins_event = False
        buffer = self.buffer
        if buffer.later is None:
            buffer.next_chunk = None
        else:
            buffer.advance()

    def next_frame(self, section: bytes | None = None) -> Frame | None:
        """Return the next frame that the bytes so far allow, or None if more bytes are needed.

        Args:
            section: The section that `unread_sections` has just given, if the caller has taken one.

        Raises:
            LimitExceededError: A line, an event or the stream is longer than the limits allow. All frames before that
                have been returned.
        """
        while True:
            frame = None
            if self.chunk_begins_event:
                chunk = self.buffer.next_chunk
                if chunk is None:
                    return None
                lines = chunk.split(b"\n", 3)
                if len(lines) == 4 and not lines[2] and not lines[3] and CR not in chunk:
                    frame = common_frame(lines)
                if frame is None:
                    self.read_chunk()
                else:
                    self.skip_chunk(chunk)
            elif section is not None or (section := next(self.unread_sections, None)) is not None:
                lines = section.split(b"\n")
                frame = common_frame(lines) if len(lines) == 2 else None
                if frame is None and (frame := self._read_section(lines)) is not None:
                    return frame
                section = None
            elif self._position is _IN_LINES:
                if (frame := self._line_reader.next_frame()) is not None:
                    return frame
                if not (self._leave_lines() or self.read_chunk()):
                    return None
            elif not self.read_chunk():
                return None
            if frame is not None:
                # It has no `retry` field; an event before it may have had one.
                if self._lines is not None:
                    self._lines.fields.event_retry = None
                return frame

    @property
    def is_by_lines(self) -> bool:
        """Whether the next frame is read by lines."""
        return self._position is _IN_LINES

    def read_chunk(self) -> bool:
        """Make sections or lines of the next chunk, if all sections before have been read.

        Returns:
            Whether there was anything to do.
        """
        if self._sections is not None:
            if not self._sections.is_read:
                return True
            self._forget_sections()
        if self._position is _IN_EVENT and len(self._rest) > self._max_rest_size:
            self._read_rest()
            return True
        if self._is_over_limit:
            raise LimitExceededError(
                f"the stream is longer than {self._limits.max_stream_size} bytes", offset=self.received
            )
        chunk = self.buffer.next_chunk
        if chunk is None:
            return False
        if self._position is Position.AT_START and not self._rest and chunk[0] != BOM[0]:
            self._position = Position.BETWEEN_EVENTS
            self._update_chunk_begins_event()
            if self.chunk_begins_event:
                return True
        self.buffer.advance()
        room = self._limits.max_stream_size - self.received
        if len(chunk) > room:
            chunk = chunk[:room]
            self._is_over_limit = True
        if self._position is _IN_EVENT:
            if may_end_event(self._rest, chunk):
                # A byte is joined here at most twice: as part of `chunk`, and as part of `_rest` if no blank line
                # follows it in its chunk.
                chunk = bytes(self._rest) + chunk
                self._rest.clear()
                self._cut(chunk)
            else:
                self._rest += chunk
        elif self._position is _IN_LINES:
            self._cut_lines(chunk)
        elif self._position is Position.AT_START:
            self._read_start(chunk)
        else:
            self._cut(chunk)
        return True

    # By sections

    def _read_start(self, chunk: bytes) -> None:
        """Drop the BOM, if there is one. It may be cut."""
        self._rest += chunk
        if len(self._rest) < len(BOM) and BOM.startswith(self._rest) and not self._is_over_limit:
            return
        start = bytes(self._rest)
        self._rest.clear()
        data = start.removeprefix(BOM)
        self._end = len(start) - len(data)
        self._cut(data)

    def _cut(self, data: bytes) -> None:
        """Cut bytes that begin at the start of an event into sections."""
        self._position = Position.BETWEEN_EVENTS
        sections = data.split(BLANK_LINE)
        rest = sections.pop()
        # An empty or over-long section needs checks that only the line reader makes.
        max_size = self.buffer.max_chunk_size
        if CR in data or b"" in sections or (len(data) > max_size and max(map(len, sections), default=0) > max_size):
            self._enter_lines(data)
            return
        if sections:
            self._sections = Sections(sections, self._end, self._event_offset)
            self.unread_sections = self._sections.unread
            self._end += len(data) - len(rest)
        if rest:
            self._position = _IN_EVENT
            self._rest += rest
        self._update_chunk_begins_event()

    def _read_section(self, lines: list[bytes]) -> Frame | None:
        """Return the frame in the lines of an unusual section, or None if it has none, as with comments."""
        sections, fields = self._sections, self._line_reader.fields
        assert sections is not None
        offset = sections.latest_offset
        for line in lines:
            if line:
                fields.add(line, offset)
            offset += len(line) + 1
        sections.set_event_offset(fields.offset if fields.has_begun else None)
        return fields.dispatch()

    def _forget_sections(self) -> None:
        """Forget the sections: all have been read."""
        assert self._sections is not None
        self._event_offset = self._sections.event_offset
        self._sections = None
        self._update_chunk_begins_event()

    def _update_chunk_begins_event(self) -> None:
        self.chunk_begins_event = (
            self._position is Position.BETWEEN_EVENTS
            and self._sections is None
            and self._end <= self._last_safe_offset
            and not self._is_over_limit
        )

    # By lines

    def _enter_lines(self, data: bytes) -> None:
        """Read by lines, from the start of an event on."""
        self._position = _IN_LINES
        self.chunk_begins_event = False
        lines = self._line_reader
        lines.fields.offset = self._event_offset
        lines.begin(self._end)
        lines.receive(data)

    @property
    def _line_reader(self) -> LineReader:
        if self._lines is None:
            self._lines = LineReader(self._limits, keep_dataless=self._keep_dataless)
        return self._lines

    def _cut_lines(self, data: bytes) -> None:
        """Read by lines up to the blank line that ends the event. Keep the rest, to be cut into sections."""
        cut = -1 if CR in data else data.find(BLANK_LINE)
        if cut >= 0:
            cut += len(BLANK_LINE)
            self._rest += data[cut:]
            data = data[:cut]
        self._line_reader.receive(data)

    def _leave_lines(self) -> bool:
        """Go on by sections, if the lines have ended between two events. Return whether they have."""
        lines = self._line_reader
        if not lines.is_between_events:
            return False
        self._end = lines.end
        self._event_offset = lines.fields.offset
        lines.fields.event_retry = None
        data = bytes(self._rest)
        self._rest.clear()
        self._cut(data)
        return True

    def _read_rest(self) -> None:
        """Hand `_rest` to the line reader, which counts its complete lines. Do nothing while there are sections."""
        if self._position is _IN_EVENT and self._sections is None:
            data = bytes(self._rest)
            self._rest.clear()
            self._enter_lines(data)
            self._line_reader.next_frame()  # returns None, because no line is blank

    # The end

    def unfinished_frame(self) -> Frame | None:
        """Return the frame of the event that the stream has ended in, as if its blank line had come, or None.

        Call this when everything that was received has been read.
        """
        self._read_rest()
        return self._line_reader.unfinished_frame() if self._position is _IN_LINES else None

    def end_event(self) -> None:
        """Count the event of `unfinished_frame` as whole: it is no longer `pending`."""
        self._line_reader.end_event()

    # The state of the stream

    @property
    def event_offset(self) -> int:
        """Bytes of the stream before the first line of the latest event, or of one that has begun since.

        If an event has been cut, only the line reader knows whether it has begun. So reading this property makes the
        reader go on by lines, as `pending` and `retry` do.
        """
        self._read_rest()
        if self._position is _IN_LINES:
            return self._line_reader.fields.offset
        return self._event_offset if self._sections is None else self._sections.event_offset

    @property
    def received(self) -> int:
        """Bytes of the stream that have been read."""
        if self._sections is not None and not self._sections.is_read:
            return self._sections.end
        end = self._line_reader.end if self._position is _IN_LINES else self._end
        return end + len(self._rest)

    @property
    def pending(self) -> int:
        """Bytes since the end of the last event that belong to an event whose blank line has not come.

        Raises:
            StreamCoreError: There are events that have not been read.
        """
        if (
            self.buffer.next_chunk is not None
            or (self._lines is not None and self._lines.has_lines)
            or (self._sections is not None and (self._rest or not self._sections.is_read))
        ):
            raise StreamCoreError("pending is known once all events() have been read")
        self._read_rest()
        return self._line_reader.pending if self._position is _IN_LINES else len(self._rest)

    @property
    def last_event_id(self) -> str | None:
        """The id that a client would send when it reconnects; `None` before the first `id` field."""
        return None if self._lines is None else self._lines.fields.last_event_id

    @property
    def retry(self) -> int | None:
        """The latest reconnection time that the stream asked for, in milliseconds."""
        self._read_rest()
        return None if self._lines is None else self._lines.fields.retry

    @property
    def event_retry(self) -> int | None:
        """The reconnection time that came with the latest event, in milliseconds."""
        return None if self._lines is None else self._lines.fields.event_retry
