"""Bytes of an event stream to frames, after the WHATWG standard (HTML, section 9.2, "Server-sent events").

A frame is what one event of the stream says: its name and its data. There are two ways to one.

- By blocks, which is how nearly all streams go. Where the bytes hold no CR, a blank line is `LF LF`, and one
  `bytes.split` cuts a chunk into the blocks between blank lines: one block is one event. A chunk that is exactly one
  event, as in a live stream, is not even cut. What follows the last blank line of a chunk is held until its own blank
  line comes.
- By lines, for everything else: CR line ends, and events that are too long to be held as they came. This is the plain
  path, in `_by_lines`.

Both take time that is linear in the bytes, however they were cut.

All state that outlives a call is in attributes, none in the frame of a generator.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator

from streamcore._not_copyable import NotCopyable
from streamcore.errors import LimitExceededError, StreamCoreError
from streamcore.limits import Limits
from streamcore.sse._blocks import Blocks
from streamcore.sse._buffer import HEAD_SIZE, ChunkBuffer
from streamcore.sse._by_lines import LineReader
from streamcore.sse._fields import Frame
from streamcore.sse._lines import CR, LF

__all__ = ["BOM", "FrameReader"]

BOM = b"\xef\xbb\xbf"

_BLANK_LINE = b"\n\n"

# The start of an event that is longer than this goes by lines: it may be a comment without end, which takes no memory
# there.
_MAX_HELD_SIZE = 64 * 1024


class _Position(enum.Enum):
    """Where the reader is when all pieces have been read."""

    AT_START = enum.auto()  # before the first bytes, which may be a BOM; `_held` has those that may be a part of one
    BETWEEN_EVENTS = enum.auto()  # the next byte begins an event
    IN_EVENT = enum.auto()  # `_held` has the first bytes of an event, as they came
    IN_LINES = enum.auto()  # lines are at hand, or a line or an event has begun; `_held` has what follows them


_BETWEEN_EVENTS = _Position.BETWEEN_EVENTS  # a global is read in a third of the time of a member of an enum


class FrameReader(NotCopyable):
    """Read the frames of an event stream.

    A caller may ask for frames alone, or look at the bytes first:

    ```python
    piece = reader.take()
    if not recognised(piece):
        frame = reader.next_frame(piece)
    ```

    Args:
        limits: Bounds on the stream.

    Attributes:
        buffer: Takes the chunks.
        at_eof: Whether the stream has ended.
    """

    __slots__ = (
        "_blocks",
        "_end",
        "_event_offset",
        "_held",
        "_is_over_limit",
        "_lines",
        "_max_held_size",
        "_max_piece_size",
        "_max_stream_size",
        "_position",
        "_previous_offset",
        "_unread_blocks",
        "at_eof",
        "buffer",
    )

    def __init__(self, limits: Limits) -> None:
        # What is within this size is within all limits but that of the stream.
        self._max_piece_size = min(limits.max_line_size, limits.max_event_size)
        self._max_held_size = min(self._max_piece_size, _MAX_HELD_SIZE)
        self._max_stream_size = limits.max_stream_size
        self.buffer = ChunkBuffer(head_size=min(HEAD_SIZE, limits.max_stream_size))
        self.at_eof = False
        self._is_over_limit = False
        self._position = _Position.AT_START
        self._lines = LineReader(limits)
        # The blocks of the chunk that was cut last.
        self._blocks: Blocks | None = None
        self._unread_blocks: Iterator[bytes] = iter(())
        # Bytes of the stream up to here, and the bytes that follow.
        self._end = 0
        self._held = bytearray()
        # Bytes of the stream before the latest event, and before the one before it.
        self._event_offset = self._previous_offset = 0

    def receive_eof(self) -> None:
        """Note that the stream has ended."""
        self.at_eof = True
        self.buffer.close("receive_eof() has ended the stream")

    def fail(self, error: Exception) -> None:
        """Refuse more data and forget what has not been read: the stream has failed with `error`."""
        self._event_offset, self._end = self.event_offset, self.received
        self.buffer.close(f"the stream has failed: {error}")
        self.buffer.clear()
        self._unread_blocks = iter(())
        self._blocks = None
        self._held.clear()
        self._lines.discard()
        self._position = _BETWEEN_EVENTS

    # Frames

    def take(self) -> bytes | None:
        """Return the next bytes if they may be one event as they stand.

        They are a block, without its blank line, or a whole chunk, which may turn out to be several events. A caller who
        recognises them is done with them; otherwise they belong to `next_frame`.

        Returns:
            The bytes; empty bytes if all that was received has been read; None if only `next_frame` can tell.
        """
        for block in self._unread_blocks:
            return block
        if self._position is not _BETWEEN_EVENTS:
            return None
        buffer = self.buffer
        chunk = buffer.next_chunk
        if chunk is None:
            return None if buffer.later or self._is_over_limit else b""
        end = self._end + len(chunk)
        if chunk[-1] != LF or len(chunk) > self._max_piece_size or end > self._max_stream_size:
            return None
        buffer.next_chunk = None
        if self._blocks is not None:
            self._forget_blocks()
        self._previous_offset = self._event_offset
        self._event_offset = self._end
        self._end = end
        return chunk

    def next_frame(self, piece: bytes | None = None) -> Frame | None:
        """Return the next frame that the bytes so far allow, or None if there is none.

        Args:
            piece: What `take` has just returned, if it was called.

        Raises:
            LimitExceededError: A line, an event or the stream is longer than the limits allow. All frames before that
                have been returned.
        """
        if piece is None:
            piece = self.take()
        while piece != b"":
            if piece is not None:
                frame = self._read_piece(piece)
            elif self._position is _Position.IN_LINES:
                frame = self._lines.next_frame()
                if frame is None and not (self._leave_lines() or self._read_chunk()):
                    return None
            elif self._read_chunk():
                frame = None
            else:
                return None
            if frame is not None:
                return frame
            piece = self.take()
        return None

    def _read_piece(self, piece: bytes) -> Frame | None:
        """Return the frame in a piece, or None if there is none. A chunk that is more than one event is cut."""
        lines = piece.split(b"\n", 3)
        if (
            len(lines) == 2 or (len(lines) == 4 and not lines[2] and not lines[3])  # a chunk has its blank line
        ) and CR not in piece:
            # One line with the name and one with the data: nearly every event.
            name, data = lines[0], lines[1]
            if name[:7] == b"event: " and data[:6] == b"data: ":
                self._lines.fields.event_retry = None
                return name[7:].decode("utf-8", "replace") or None, data[6:]
        if self._blocks is None:
            # A chunk: its parts are counted in place of the whole.
            self._end = self._event_offset
            self._event_offset = self._previous_offset
            self._cut(piece)
            return None
        offset = self._blocks.latest_offset
        fields = self._lines.fields
        for line in piece.split(b"\n"):
            if line:
                fields.add(line, offset)
            offset += len(line) + 1
        self._blocks.set_event_offset(fields.offset if fields.has_begun else None)
        return fields.dispatch()

    def _read_chunk(self) -> bool:
        """Make blocks or lines of the next chunk. Return whether there was one."""
        if self._blocks is not None:
            self._forget_blocks()
        if len(self._held) > self._max_held_size and self._position is _Position.IN_EVENT:
            self._read_held()
            return True
        if self._is_over_limit:
            raise LimitExceededError(f"the stream is longer than {self._max_stream_size} bytes", offset=self.received)
        chunk = self.buffer.take()
        if chunk is None:
            return False
        room = self._max_stream_size - self.received
        if len(chunk) > room:
            chunk = chunk[:room]
            self._is_over_limit = True
        if self._position is _BETWEEN_EVENTS:
            self._cut(chunk)
        elif self._position is _Position.IN_LINES:
            self._cut_lines(chunk)
        elif self._position is _Position.AT_START:
            self._read_start(chunk)
        elif _may_end_event(self._held, chunk):
            # A byte is joined here once: what follows the last blank line is held again, but not what is before it.
            data = bytes(self._held) + chunk
            self._held.clear()
            self._cut(data)
        else:
            self._hold(chunk)
        return True

    # By blocks

    def _read_start(self, chunk: bytes) -> None:
        """Drop the BOM, if there is one. It may be cut."""
        if not self._held and chunk[0] != BOM[0]:
            self._cut(chunk)
            return
        self._held += chunk
        if len(self._held) < len(BOM) and BOM.startswith(self._held) and not self._is_over_limit:
            return
        start = bytes(self._held)
        self._held.clear()
        data = start.removeprefix(BOM)
        self._end = len(start) - len(data)
        self._cut(data)

    def _cut(self, data: bytes) -> None:
        """Cut what begins at the start of an event into blocks."""
        self._position = _BETWEEN_EVENTS
        blocks = data.split(_BLANK_LINE)
        rest = blocks.pop()
        if CR in data or b"" in blocks or (len(data) > self._max_piece_size and _longest(blocks) > self._max_piece_size):
            self._enter_lines(data)
            return
        if blocks:
            self._blocks = Blocks(blocks, offset=self._end, event_offset=self._event_offset)
            self._unread_blocks = self._blocks.unread
            self._end += len(data) - len(rest)
        if rest:
            self._hold(rest)

    def _forget_blocks(self) -> None:
        """Forget the blocks: all have been read."""
        assert self._blocks is not None
        self._event_offset = self._blocks.event_offset
        self._blocks = None

    def _hold(self, start: bytes) -> None:
        """Keep the start of an event until its end comes."""
        self._position = _Position.IN_EVENT
        self._held += start

    # By lines

    def _enter_lines(self, data: bytes) -> None:
        """Read by lines, from the start of an event on."""
        self._position = _Position.IN_LINES
        self._lines.fields.offset = self._event_offset
        self._lines.begin(self._end)
        self._lines.receive(data)

    def _cut_lines(self, data: bytes) -> None:
        """Read by lines what ends the event that has begun. What follows it waits, to go by blocks."""
        cut = -1 if CR in data else data.find(_BLANK_LINE)
        if cut >= 0:
            cut += len(_BLANK_LINE)
            self._held += data[cut:]
            data = data[:cut]
        self._lines.receive(data)

    def _leave_lines(self) -> bool:
        """Go on by blocks, if the lines have ended between two events. Return whether they have."""
        if not self._lines.is_between_events:
            return False
        self._end = self._lines.end
        self._event_offset = self._lines.fields.offset
        data = bytes(self._held)
        self._held.clear()
        self._cut(data)
        return True

    def _read_held(self) -> None:
        """Read the lines of what is held, once the blocks before it are done with: what they say counts."""
        if self._position is _Position.IN_EVENT and self._blocks is None:
            data = bytes(self._held)
            self._held.clear()
            self._enter_lines(data)
            self._lines.next_frame()  # there is none: it has no blank line

    # What is known of the stream

    @property
    def event_offset(self) -> int:
        """Bytes of the stream before the first line of the latest event, or of one that has begun since."""
        self._read_held()
        if self._position is _Position.IN_LINES:
            return self._lines.fields.offset
        return self._event_offset if self._blocks is None else self._blocks.event_offset

    @property
    def received(self) -> int:
        """Bytes of the stream that have been read."""
        if self._blocks is not None and not self._blocks.is_read:
            return self._blocks.end
        return (self._lines.end if self._position is _Position.IN_LINES else self._end) + len(self._held)

    @property
    def pending(self) -> int:
        """Bytes since the end of the last event that belong to an event whose blank line has not come.

        Raises:
            StreamCoreError: There are events that have not been read.
        """
        if (
            self.buffer.next_chunk is not None
            or self._lines.has_lines
            or (self._blocks is not None and (self._held or not self._blocks.is_read))
        ):
            raise StreamCoreError("pending is known once all events() have been read")
        self._read_held()
        return self._lines.pending if self._position is _Position.IN_LINES else len(self._held)

    @property
    def last_event_id(self) -> str | None:
        """The id that a client would send when it reconnects; `None` before the first `id` field."""
        return self._lines.fields.last_event_id

    @property
    def retry(self) -> int | None:
        """The latest reconnection time that the stream asked for, in milliseconds."""
        self._read_held()
        return self._lines.fields.retry

    @property
    def event_retry(self) -> int | None:
        """The reconnection time that came with the latest event, in milliseconds."""
        return self._lines.fields.event_retry


def _longest(blocks: list[bytes]) -> int:
    return max(map(len, blocks), default=0)


def _may_end_event(held: bytearray, chunk: bytes) -> bool:
    """Return whether the chunk has a blank line, or needs to be read by lines."""
    return CR in chunk or (LF in chunk and (_BLANK_LINE in chunk or (held[-1] == LF and chunk[0] == LF)))
