"""Frames to events, and a place for all that is wrong or unusual: what the decoders of Messages streams share.

A decoder has an `EventSource` and asks it for events. The source checks that the body is an event stream, decodes each
frame, and says what is missing at the end. A frame that is not ordinary goes to the `EventInterpreter` of the codec.
The source records violations with their place, and adds to an error what it knows: where, which event, which payload.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from streamcore._not_copyable import NotCopyable
from streamcore.codec import UNUSUAL, EventInterpreter, Progress, parse, parse_json
from streamcore.errors import (
    DecodeError,
    IncompleteStreamError,
    LimitExceededError,
    ProtocolError,
    Violation,
    ViolationLog,
    excerpt,
    shortened,
)
from streamcore.limits import Limits
from streamcore.sse._frames import BOM, FrameReader
from streamcore.types import Message, MessageStreamEvent, RawMessageStreamEvent, UnknownEvent

__all__ = ["DecoderFace", "EventSource", "EventT", "Recognise"]

EventT = TypeVar("EventT", bound=MessageStreamEvent | RawMessageStreamEvent)
_EventT_co = TypeVar("_EventT_co", covariant=True)


class Recognise(Protocol[_EventT_co]):
    """Returns the event that a block or a chunk is, if it is one of those that are the same in every stream."""

    def __call__(self, piece: bytes, *, is_chunk: bool) -> _EventT_co | None: ...


class EventSource(NotCopyable, Generic[EventT]):
    """Read events from the bytes of a Messages stream.

    Args:
        annotation: The union of the events.
        recognise: Knows events without decoding them.
        progress: How far the message has come.
        log: Where violations are recorded.
        limits: Bounds on the stream.

    Attributes:
        frames: Makes frames of the bytes.
        log: The violations.
        event_number: How many events have been delivered.
        is_ready: Whether events may be read. If not, `begin` finds out.
    """

    __slots__ = (
        "_current",
        "_error_event",
        "_failure",
        "_has_finished",
        "_interpreter",
        "_left_over",
        "_located",
        "_max_containers",
        "_max_depth",
        "_recognise",
        "_structure",
        "event_number",
        "frames",
        "is_ready",
        "log",
    )

    def __init__(
        self,
        annotation: Any,
        recognise: Recognise[EventT] | None,
        *,
        progress: Progress,
        log: ViolationLog,
        limits: Limits,
    ) -> None:
        self.frames = FrameReader(limits, keep_dataless=True)
        self.log = log
        self.event_number = 0
        self._interpreter = EventInterpreter[EventT](annotation, progress, log, max_depth=limits.max_depth)
        self._structure = self._interpreter.structure
        self._recognise = recognise
        self._max_depth = limits.max_depth
        self._max_containers = limits.max_containers
        # The payload in work, for an error to show; of an event that was recognised, both lines.
        self._current: bytes | None = None
        # How many entries of the log have their place.
        self._located = 0
        self._error_event: Any = None
        self.is_ready = False
        self._has_finished = False
        # Bytes of an event that the stream has ended in; None before the end.
        self._left_over: int | None = None
        self._failure: ProtocolError | None = None

    @property
    def failure(self) -> ProtocolError | None:
        """The error that the stream has failed with."""
        return self._failure

    def begin(self) -> None:
        """Raise what the stream has failed with, if it has; or raise if it does not begin like an event stream.

        The second is decided when the first line has come, so that it does not depend on how the bytes were cut.
        """
        if self._failure is not None:
            raise self._failure.with_traceback(None)
        head = self.frames.buffer.head
        if head[:1].isalpha():
            self.is_ready = True
            return
        start = _without_blanks(head)
        line = start.splitlines()[0] if start else b""
        if start[:1] not in (b"<", b"{", b"["):
            self.is_ready = bool(start)
        elif len(line) < len(start) or self.frames.at_eof or len(head) == self.frames.buffer.head_size:
            error = _not_a_stream(head[: len(head) - len(start) + len(line)])
            self.fail(error, None)
            raise error

    def next_event(self, block: bytes | None = None) -> EventT | None:
        """Return the next event that the bytes so far allow, or None if more bytes are needed.

        Args:
            block: What `frames.unread_blocks` has just given, if it was asked.

        Raises:
            DecodeError: A payload is not a valid event.
            LimitExceededError: The stream is over a limit.
        """
        frames = self.frames
        if self._recognise is not None:
            chunk = frames.buffer.next_chunk if frames.is_idle else None
            piece = block if chunk is None else chunk
            if piece is not None and (recurring := self._recognise(piece, is_chunk=chunk is not None)) is not None:
                self._current = piece
                if chunk is not None:
                    frames.skip_chunk(chunk)
                return recurring
        while (frame := frames.next_frame(block)) is not None:
            name, self._current = frame
            event = self._decode_frame(name, self._current)
            if event is not None:
                return event
            block = self._current = None
        return self._last_event() if frames.at_eof and self._left_over is None else None

    def _decode_frame(self, name: str | None, payload: bytes) -> EventT | None:
        """Return the event in a frame, or None if the frame means nothing."""
        if len(payload) > self._max_containers and payload.count(b"{") + payload.count(b"[") > self._max_containers:
            raise LimitExceededError(f"the payload has more than {self._max_containers} arrays and objects")
        event: EventT | None
        try:
            event = self._structure(parse(payload, max_depth=self._max_depth))
        except (DecodeError, *UNUSUAL):
            event = self._interpreter.event_of(name, payload)
        else:
            event_type = event.type
            if name == event_type and name != "error":
                return event
            if event_type == "error" or type(event) is UnknownEvent:
                event = self._interpreter.event_of(name, payload)
            else:
                self._interpreter.report_name(name, event_type)
        if event is None:
            self.locate()
        elif event.type == "error":
            self._error_event = event
        return event

    def _last_event(self) -> EventT | None:
        """Return the event that the stream has ended in, if nothing but its blank line is missing.

        A payload that is whole can mean only one thing. The standard discards the event, and so does strict mode.
        """
        frames = self.frames
        self._left_over = left_over = frames.pending
        frame = frames.unfinished_frame() if left_over and not self.log.is_strict else None
        if frame is None or not _is_whole(*frame, self._max_depth):
            return None
        frames.end_event()
        self._left_over = 0
        name, self._current = frame
        self.log.report("missing_blank_line", f"the stream ended without a blank line after its last {left_over} bytes")
        return self._decode_frame(name, self._current)

    def delivered(self) -> None:
        """Note that the event that `next_event` has returned is about to be delivered."""
        if self.log.length > self._located:
            self.locate()
        self._current = None
        self.event_number += 1

    def finish(self, check_complete: Callable[[], None]) -> None:
        """Check that the stream has come to its end, once it has been read and no more will come.

        Args:
            check_complete: Raises if the message is not complete.

        Raises:
            IncompleteStreamError: The stream ended too soon.
            DecodeError: It was not an event stream.
        """
        if self._has_finished or not self.frames.at_eof:
            return
        self._has_finished = True
        frames = self.frames
        if self.event_number == 0 and not _may_be_a_stream(_without_blanks(frames.buffer.head)):
            raise _not_a_stream(frames.buffer.head)
        left_over = frames.pending if self._left_over is None else self._left_over
        try:
            check_complete()
        except IncompleteStreamError as error:
            error.offset = frames.received
            if left_over:
                error.message += f"; {left_over} bytes of an unfinished event were left over: no blank line ended it"
            if self._error_event is not None:
                cause = self._error_event.error
                error.message += f"; an error event had come: {shortened(f'{cause.type}: {cause.message}', 500)}"
            raise
        if left_over:
            offset = frames.received - left_over
            try:
                self.log.report(
                    "after_message_stop", f"{left_over} bytes of an unfinished event came after message_stop"
                )
            except ProtocolError as error:  # in strict mode
                error.offset = offset
                raise
            finally:
                self.locate(offset)

    def locate(self, offset: int | None = None) -> None:
        """Put a place on what has been recorded since the last time: by default that of the latest event."""
        if self.log.length > self._located:
            place = self.frames.event_offset if offset is None else offset
            self.log.locate(self._located, offset=place, event_number=self.event_number)
            self._located = self.log.length

    def fail(self, error: ProtocolError, snapshot: Message | None) -> None:
        """Note that the stream has failed, and add to the error what it does not say itself."""
        self._failure = error
        self.is_ready = False
        self.frames.fail(error)
        if error.received is None:
            error.received = self._current
            if self._current is not None and self._current.startswith(b"event: "):
                # An event that was recognised: no payload that could be decoded begins like this.
                error.received = self._current.partition(b"\ndata: ")[2].removesuffix(b"\n\n")
        if error.offset is None:
            error.offset = self.frames.event_offset
        if error.event_number is None:
            error.event_number = self.event_number
        if error.snapshot is None:
            error.snapshot = snapshot
        self.locate()


class DecoderFace(NotCopyable, Generic[EventT]):
    """The verbs and properties that every decoder of Messages streams has, all of them those of its source."""

    __slots__ = ("_buffer", "_source")

    def __init__(self, source: EventSource[EventT]) -> None:
        self._source = source
        self._buffer = source.frames.buffer

    def receive_data(self, chunk: bytes) -> None:
        """Store the next bytes of the stream, any number of them. `events()` does the work.

        Raises:
            StreamCoreError: After `receive_eof()`, or after an error.
            InvalidArgumentError: The chunk is not bytes and does not support the buffer protocol.
        """
        self._buffer.append(chunk)

    def receive_eof(self) -> None:
        """Note that the stream has ended. Read `events()` once more after it."""
        self._source.frames.receive_eof()

    @property
    def violations(self) -> tuple[Violation, ...]:
        """Protocol violations seen so far that did not lose any data."""
        return self._source.log.entries

    @property
    def event_offset(self) -> int:
        """Bytes of the stream before the first line of the latest event, or of one that has begun since."""
        return self._source.frames.event_offset

    @property
    def received(self) -> int:
        """Bytes of the stream that `events()` has read."""
        return self._source.frames.received

    @property
    def pending(self) -> int:
        """Bytes since the end of the last event that belong to an event whose blank line has not come.

        Raises:
            StreamCoreError: There are `events()` that have not been read.
        """
        return self._source.frames.pending

    @property
    def last_event_id(self) -> str | None:
        """The id that a client would send when it reconnects; `None` before the first `id` field."""
        return self._source.frames.last_event_id

    @property
    def retry(self) -> int | None:
        """The latest reconnection time that the stream asked for, in milliseconds."""
        return self._source.frames.retry


def _without_blanks(head: bytes) -> bytes:
    """Return the start of a stream without a BOM, or a part of one, and blanks."""
    return b"" if BOM.startswith(head) else head.removeprefix(BOM).lstrip()


def _may_be_a_stream(start: bytes) -> bool:
    """Return whether a body may begin like this, or is a part of such a beginning, and be an event stream."""
    return not start or any(
        (field + end).startswith(start) or start.startswith(field + end)
        for field in (b"event", b"data", b"id", b"retry", b"")
        for end in (b":", b"\n", b"\r")
    )


def _is_whole(name: str | None, payload: bytes, max_depth: int) -> bool:
    """Return whether nothing can be missing from a payload: it is a JSON object or the sentinel of other APIs.

    What an error says may be any JSON, but a number may go on.
    """
    content = payload.strip()
    if content == b"[DONE]":
        return True
    try:
        value = parse_json(payload, max_depth=max_depth)
    except ProtocolError:
        return False
    return type(value) is dict or (name == "error" and type(value) in (str, list))


def _not_a_stream(received: bytes) -> DecodeError:
    return DecodeError(
        f"the body is not an event stream; it begins with {excerpt(received)}", offset=0, received=received
    )
