"""Bytes of an event stream to frames, after the WHATWG standard (HTML, section 9.2, "Server-sent events").

In: bytes, cut anywhere. Out: one frame per dispatched event, a `(name, data)` pair whose data is not decoded. The
decoders of `sse` and `engine` are made of it; what a frame is to become is for them to say.

Costs: linear in the bytes, whatever the chunking. What a chunk ends in the middle of (a line, or an event of which
there is no more than its first line and a part of the second) is collected in one growing buffer and taken out once,
when its end comes; a comment, or a line that cannot become a field any more, is dropped as it arrives. What is buffered
is bounded by `Limits`.

Knows nothing of JSON or of messages.
"""

from __future__ import annotations

from typing import TypeAlias

from streamcore._chunks import ChunkQueue
from streamcore.errors import LimitExceededError, ProtocolError, StreamCoreError
from streamcore.limits import DEFAULT_LIMITS, Limits

__all__ = ["BOM", "CR", "EVENT", "HEAD_SIZE", "LF", "MAX_RETRY_DIGITS", "NAMES", "Frame", "FrameDecoder"]

BOM = b"\xef\xbb\xbf"
LF = 0x0A
CR = 0x0D
_COLON = 0x3A

_FIELDS = (b"event", b"data", b"id", b"retry")
# What a line may begin with and still become a field, with its colon: each of their prefixes.
_FIELD_STARTS = frozenset((field + b":")[:length] for field in _FIELDS for length in range(1, len(field) + 2))
_LONGEST_FIELD_START = max(map(len, _FIELD_STARTS))

MAX_RETRY_DIGITS = 18

_NOTHING = (b":", b"\n")  # what a comment and a blank line begin with

# Event lines seen so far, in any stream, and the name each gives. There are few, and a look-up is three times as fast
# as taking the line apart. Bounded, so that no stream can fill memory with names.
NAMES: dict[bytes, str] = {}
_MAX_NAMES = 256
_MAX_NAME_LINE_SIZE = 64

EVENT = b"event: "

# How much of the start of the stream is kept, to show what came instead of one.
HEAD_SIZE = 512

Frame: TypeAlias = tuple[str | None, bytes]
"""One dispatched event: its name, `None` where the stream gave none, and its data, undecoded."""


class FrameDecoder(ChunkQueue):
    """Takes the bytes of an event stream apart; its subclasses say what becomes of the frames.

    Attributes:
        last_event_id: The id that a reconnecting client would send; `None` before the first `id` field.
        retry: The latest reconnection time that the stream asked for, in milliseconds.
    """

    __slots__ = (
        "_after_cr",
        "_bom_possible",
        "_carried_offset",
        "_data",
        "_discarding",
        "_end",
        "_event_retry",
        "_first",
        "_head",
        "_head_size",
        "_held",
        "_id",
        "_inside",
        "_kept",
        "_known_line",
        "_known_offset",
        "_lines",
        "_max_event_size",
        "_max_line_size",
        "_max_size",
        "_max_stream_size",
        "_name",
        "_next",
        "_overlong",
        "_pending",
        "_room",
        "_short",
        "_simple",
        "_tail",
        "_tail_offset",
        "last_event_id",
        "retry",
    )

    def __init__(self, *, limits: Limits = DEFAULT_LIMITS) -> None:
        super().__init__()
        self._max_event_size = limits.max_event_size
        self._max_line_size = limits.max_line_size
        self._max_size = min(limits.max_line_size, limits.max_event_size)
        self._max_stream_size = limits.max_stream_size
        self._head_size = min(HEAD_SIZE, limits.max_stream_size)
        self.last_event_id: str | None = None
        self.retry: int | None = None

        # The lines at hand: split off, without their ends, and how far they have been read. `_kept` is the same lines
        # with their ends, where these are not all LF; only offsets need it.
        self._lines: list[bytes] = []
        self._kept: list[bytes] | None = None
        self._next = 0
        # The offset of one of them: that of each later one is counted on from there, so that asking for many is linear.
        self._known_line = 0
        self._known_offset = 0
        # Whether all of them together fit in the limits of one line and one event, so that none needs a look.
        self._short = True
        # What comes after them: the start of a line, or (`_discarding`) of a line that is being dropped.
        self._tail = bytearray()
        self._discarding = False
        self._after_cr = False
        self._bom_possible = True
        # Whether the next byte begins an event, with nothing at hand and nothing of the above to heed. (A BOM is no
        # hindrance: a chunk that has one does not begin like an event.)
        self._simple = True
        # Whether all lines have been read, and `_tail` begins with a field: then chunks may be put behind it, see
        # `_keep`, and `_end` does not count these. Where `_tail` begins, how long it may become, and whether it holds
        # the end of a line.
        self._inside = False
        self._tail_offset = 0
        self._room = 0
        self._held = False
        # Bytes taken from the chunks so far, the first of them, and whether the rest is over the limit.
        self._end = 0
        self._head = b""
        self._overlong = False

        # The event being read: whether it has begun, its fields so far, and where it began: in a line at hand, or in
        # one of an earlier chunk.
        self._pending = False
        self._name: str | None = None
        self._data: bytes | bytearray | None = None
        self._event_retry: int | None = None
        self._id: str | None = None
        self._first = 0
        self._carried_offset: int | None = 0

    @property
    def event_offset(self) -> int:
        """Bytes of the stream before the first line of the latest event, or of the one that has begun since."""
        if self._held:
            return self._tail_offset
        return self._line_offset(self._first) if self._carried_offset is None else self._carried_offset

    @property
    def pending(self) -> int:
        """Bytes received since the end of the last event that belong to one whose blank line has not come. An event
        that the stream ends in is none: the standard discards it, and this tells of it.

        Raises:
            StreamCoreError: Not all `events()` that have come have been read.
        """
        if self._chunk is not None or self._next < len(self._lines):
            raise StreamCoreError("pending is known once all events() have been read")
        if self._pending:
            return self.received - self.event_offset
        return len(self._tail)

    @property
    def received(self) -> int:
        """Bytes of the stream that `events()` has worked on."""
        return self._tail_offset + len(self._tail) if self._inside else self._end

    def _next_frame(self) -> Frame | None:
        """The next of the frames that the bytes so far allow, `None` if there is none.

        Raises:
            LimitExceededError: A line, an event or the stream is longer than the limits allow. Frames before that
                have been delivered; calling again raises the same.
        """
        if self._error is not None:
            raise self._error.with_traceback(None)
        while True:
            if self._lines:
                frame = self._read_lines()
            else:
                chunk = self._pop()
                if chunk is None:
                    return None
                frame = self._whole_frame(chunk) if self._simple else None
                if frame is None and not self._keep(chunk):
                    self._split(chunk)
            if frame is not None:
                return frame

    def _skip_comments(self, chunk: bytes) -> bool:
        """Read the comments and blank lines that a chunk begins with, where `_simple` is true, and put the rest of it
        back. False if it begins with none.
        """
        at = 0
        while chunk[at : at + 1] in _NOTHING:
            end = chunk.find(b"\n", at) + 1
            if not end or b"\r" in chunk[at:end]:
                break
            at = end
        latest = self._carried_offset
        if not at or not self._count(chunk[:at]):
            return False
        self._carried_offset = latest  # it is no event
        if at < len(chunk):
            self._put_back([chunk[at:]])
        return True

    # Live streams mostly come as one event a chunk. Such a chunk takes 0.5 µs here, and by way of `_split` 1.2.

    def _whole_frame(self, chunk: bytes) -> Frame | None:
        """The frame that a chunk is, where `_simple` is true and the frame is of the plainest kind: an event line that
        was seen before, a data line, a blank one.
        """
        lines = chunk.split(b"\n", 3)
        if len(lines) == 4 and not lines[2] and not lines[3] and lines[1].startswith(b"data: ") and CR not in chunk:
            name = NAMES.get(lines[0])
            if name is not None and len(chunk) <= self._max_size and self._count(chunk):
                return name, lines[1][6:]
        return None

    def _count(self, event: bytes) -> bool:
        """Count a chunk that is one event, and need not be made lines of, as read. False if that is over the limit."""
        start = self._end
        end = start + len(event)
        if end > self._max_stream_size:
            return False
        if start < HEAD_SIZE:
            self._head += event[: HEAD_SIZE - start]
        self._carried_offset = start
        self._end = end
        return True

    def _rest(self) -> None:
        """All lines at hand have been read: get ready for the next chunk.

        Raises:
            LimitExceededError: The start of a line that is left is longer than a line may be, or the stream than it.
        """
        if self._carried_offset is None:
            self._carried_offset = self._line_offset(self._first)
        self._lines = []
        self._kept = None
        self._next = 0
        if not self._pending:
            self._event_retry = None
        tail = self._tail
        # What is shorter than the name of a field may turn out to be none, which may have any length.
        if len(tail) > max(self._max_line_size, _LONGEST_FIELD_START):
            raise self._failure(
                f"a line is longer than {self._max_line_size} bytes",
                self._end - len(tail),
                bytes(tail[: self._max_line_size]),
            )
        if self._overlong:
            raise self._failure(f"the stream is longer than {self._max_stream_size} bytes", self._end, None)
        self._simple = not (tail or self._discarding or self._pending or self._after_cr)
        if len(tail) >= _LONGEST_FIELD_START and self._end >= HEAD_SIZE:
            self._inside = True
            self._tail_offset = self._end - len(tail)
            self._room = min(self._max_line_size, self._max_stream_size - self._tail_offset)

    # The plain path: a line at a time

    def _read_lines(self) -> Frame | None:
        """The next frame in the lines at hand; `None` when they have been read without one."""
        lines = self._lines
        i = self._next
        if not self._pending:
            self._event_retry = None
            # Three lines of the plainest kind, taken at once in half of the time.
            if self._short and i < len(lines) - 2 and not lines[i + 2]:
                data = lines[i + 1]
                name = NAMES.get(lines[i])
                if name is not None and data[:6] == b"data: ":
                    self._first = i
                    self._carried_offset = None
                    self._next = i + 3
                    return name, data[6:]
        while i < len(lines):
            line = lines[i]
            self._next = i + 1
            if line:
                if line[0] != _COLON:
                    self._take_field(line, i)
            elif self._pending:
                frame = self._dispatch()
                if frame is not None:
                    return frame
            i += 1
        self._rest()
        return None

    def _take_field(self, line: bytes, i: int) -> None:
        field, _, value = line.partition(b":")
        if field not in _FIELDS:
            return
        if len(line) > self._max_line_size:
            raise self._failure(
                f"a line is longer than {self._max_line_size} bytes",
                self._line_offset(i),
                line[: self._max_line_size],
            )
        if not self._pending:
            self._pending = True
            self._first = i
            self._carried_offset = None
            self._name = None
            self._data = None
            self._event_retry = None
        if value[:1] == b" ":
            value = value[1:]
        if field == b"data":
            if self._data is None:
                self._data = value
            else:
                # Not a list of lines: a short one would take many times its size.
                if type(self._data) is bytes:
                    self._data = bytearray(self._data)
                self._data += b"\n" + value
            if len(self._data) > self._max_event_size:
                raise self._failure(
                    f"the data of an event is longer than {self._max_event_size} bytes", self.event_offset, line
                )
        elif field == b"event":
            self._name = value.decode("utf-8", "replace") or None
            if self._name is not None and len(line) <= _MAX_NAME_LINE_SIZE and len(NAMES) < _MAX_NAMES:
                NAMES[line] = self._name
        elif field == b"id":
            if b"\0" not in value:
                self._id = value.decode("utf-8", "replace")
        elif value.isdigit() and len(value) <= MAX_RETRY_DIGITS:
            self.retry = self._event_retry = int(value)

    def _dispatch(self) -> Frame | None:
        self._pending = False
        self.last_event_id = self._id
        data = self._data
        if data is None:
            return None
        self._data = None
        return self._name, bytes(data)

    def _received_head(self) -> bytes:
        """The first bytes received, at most `_head_size` of them."""
        head = self._head
        for chunk in (self._chunk, *(self._later or ())):
            if chunk is None or len(head) >= self._head_size:
                break
            head += chunk
        return head[: self._head_size]

    # Chunks to lines

    def _split(self, data: bytes) -> None:
        """Turn a chunk into lines, all lines before having been read."""
        held = self._held
        if self._inside:
            self._end = self._tail_offset + len(self._tail)
            self._inside = self._held = False
        if self._end + len(data) > self._max_stream_size:
            data = data[: self._max_stream_size - self._end]
            self._overlong = True
        self._simple = False
        if self._end < HEAD_SIZE:
            self._head += data[: HEAD_SIZE - self._end]
        begin = self._end
        self._end += len(data)

        if self._bom_possible and begin == len(self._tail):
            data = bytes(self._tail) + data
            self._tail.clear()
            if len(data) < len(BOM) and BOM.startswith(data) and not self._overlong:
                self._tail += data
                return
            self._bom_possible = False
            data = data.removeprefix(BOM)
        if self._after_cr and data:
            self._after_cr = False
            data = data.removeprefix(b"\n")
        # From here on `data` ends where the stream so far does: offsets are counted back from there.
        if not held and LF not in data and CR not in data:
            self._extend_tail(data)
            self._rest()
            return
        begins_inside = self._discarding
        if self._tail:
            data = bytes(self._tail) + data
            self._tail.clear()
        self._known_line = 0
        self._known_offset = self._end - len(data)
        self._short = len(data) <= self._max_size
        # Both splits know no line ends but LF, CR and CRLF: `bytes`, unlike `str`, has no others.
        if CR in data:
            kept = data.splitlines(keepends=True)
            rest = b"" if kept[-1][-1] in b"\r\n" else kept.pop()
            self._after_cr = not rest and kept[-1][-1] == CR
            self._kept = kept
            self._lines = [line.rstrip(b"\r\n") for line in kept]
        else:
            self._lines = data.split(b"\n")
            rest = self._lines.pop()
        if begins_inside:
            # The first line is the rest of one that is being dropped, and no blank line even if nothing is left of it.
            self._discarding = False
            self._next = 1
        if rest:
            self._extend_tail(rest)

    # A stream in small pieces: 0.2 µs each here, and otherwise 1.3.

    def _keep(self, data: bytes) -> bool:
        """Put a chunk that cannot complete an event behind `_tail`: where `_inside` is true, or if it begins an event.
        False, and nothing done, if it is none of that kind.
        """
        if CR in data:
            return False
        tail = self._tail
        size = len(tail) + len(data)
        if self._inside:
            if size > self._room:
                return False
            if LF in data:
                # The line that an event begins with waits for the lines after it: taken at once, they cost half.
                if self._held or self._pending or not tail.startswith(EVENT) or _has_lines(data):
                    return False
                self._held = True
        else:
            room = min(self._max_size, self._max_stream_size - self._end)
            begins = self._simple and data.startswith(EVENT) and not _has_lines(data)
            if not begins or size > room or self._end < HEAD_SIZE:
                return False
            self._simple = False
            self._inside = True
            self._held = LF in data
            self._tail_offset = self._end
            self._room = room
        tail += data
        return True

    def _take_kept(self, chunk: bytes) -> bytes:
        """Take all that is kept of an event out again. What is returned, with a chunk that ends a line of it behind it,
        is to be read as if it had come as one; it is the chunk if there is nothing to be taken.
        """
        if not self._inside or self._pending or LF not in chunk:
            return chunk
        kept = bytes(self._tail)
        self._tail.clear()
        self._end = self._tail_offset
        self._inside = self._held = False
        self._simple = True
        return kept + chunk

    def _extend_tail(self, data: bytes) -> None:
        """Keep the start of a line, or drop it if it can be no field."""
        if self._discarding or not data:
            return
        tail = self._tail
        length = len(tail)
        tail += data
        if length < _LONGEST_FIELD_START:
            name, colon, _ = bytes(tail[:_LONGEST_FIELD_START]).partition(b":")
            if name + colon not in _FIELD_STARTS:
                tail.clear()
                self._discarding = True

    def _line_offset(self, i: int) -> int:
        if self._kept is not None:
            self._known_offset += sum(map(len, self._kept[self._known_line : i]))
        else:
            self._known_offset += sum(map(len, self._lines[self._known_line : i])) + i - self._known_line
        self._known_line = i
        return self._known_offset

    def _failure(self, message: str, offset: int, received: bytes | None) -> LimitExceededError:
        error = LimitExceededError(message, offset=offset, received=received)
        self._let_go(error)
        return error

    def _let_go(self, error: ProtocolError) -> None:
        super()._let_go(error)
        self._carried_offset = self.event_offset
        self._end = self.received
        self._lines = []
        self._kept = None
        self._next = 0
        self._tail = bytearray()
        self._data = None
        self._simple = self._inside = self._held = self._pending = False


def _has_lines(data: bytes) -> bool:
    """Whether more than one line ends in `data`. (To count them would take a large chunk as long as to split it.)"""
    return data.find(b"\n", data.find(b"\n") + 1) >= 0
