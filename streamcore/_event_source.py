"""Frames to events, and the location of errors and violations: shared by the decoders.

A decoder has an `EventSource` and asks it for events. The source checks that the body is an event stream, decodes each
frame, and says what is missing at the end. A frame that is not ordinary goes to the `EventInterpreter` of the codec.
The source adds their location to violations, and to errors their location, the event number and the payload.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, Protocol, TypeVar

from streamcore._checkpoint import require
from streamcore._objects.not_copyable import NotCopyable
from streamcore._objects.state import Count, SavedState
from streamcore.codec import UNUSUAL, EventInterpreter, EventKind, Progress, means_error, parse_json
from streamcore.errors import (
    CheckpointError,
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
from streamcore.sse._frames import FrameReader
from streamcore.sse._frames_state import FramesState
from streamcore.sse._start import Start, beginning, begins_like_a_stream, start_of
from streamcore.types import Message, MessageStreamEvent, RawMessageStreamEvent, UnknownEvent

__all__ = ["DecoderBase", "EventSource", "EventT", "Recognise", "SourceState"]

EventT = TypeVar("EventT", bound=MessageStreamEvent | RawMessageStreamEvent)
_EventT_co = TypeVar("_EventT_co", covariant=True)


class Recognise(Protocol[_EventT_co]):
    """Returns the event that a section or a chunk is, if it is one of those that are the same in every stream."""

    def __call__(self, piece: bytes, *, is_chunk: bool) -> _EventT_co | None: ...


class SourceState(SavedState):
    """The state of an `EventSource`.

    Attributes:
        frames: The state of the frames.
        event_number: How many events have been delivered.
        error_words: The words of the latest `error` event.
        has_finished: Whether the end of the stream has been checked.
        left_over: Bytes of an event that the stream has ended in; None before the end.
        unfinished: The payload of that event, as far as it has come.
    """

    frames: FramesState
    event_number: Count = 0
    error_words: str | None = None
    has_finished: bool = False
    left_over: Count | None = None
    unfinished: bytes | None = None


class EventSource(NotCopyable, Generic[EventT]):
    """Read events from the bytes of a Messages stream.

    Args:
        kind: What the events are.
        recognise: Recognises recurring events without decoding them.
        progress: How far the message has come.
        log: Where violations are recorded.
        limits: Bounds on the stream.

    Attributes:
        frames: Makes frames of the bytes.
        log: The violations.
        event_number: How many events have been delivered.
        start_is_checked: Whether the body begins like an event stream. False again after a failure, so that `begin`
            raises it.
    """

    __slots__ = (
        "_current",
        "_error_words",
        "_failure",
        "_has_finished",
        "_interpreter",
        "_left_over",
        "_located",
        "_max_containers",
        "_max_depth",
        "_recognise",
        "_structure",
        "_unfinished",
        "event_number",
        "frames",
        "log",
        "start_is_checked",
    )

    def __init__(
        self,
        kind: EventKind,
        recognise: Recognise[EventT] | None,
        *,
        progress: Progress,
        log: ViolationLog,
        limits: Limits,
    ) -> None:
        self.frames: FrameReader = FrameReader(limits, keep_dataless=True)
        self.log: ViolationLog = log
        self.event_number: int = 0
        self._interpreter: EventInterpreter[EventT]
        self._interpreter = EventInterpreter(kind, progress, log, max_depth=limits.max_depth)
        self._structure = kind.structure
        self._recognise = recognise
        self._max_depth = limits.max_depth
        self._max_containers = limits.max_containers
        # The payload being decoded, for an error to show; for an event that was recognised, both lines.
        self._current: bytes | None = None
        # Number of log entries that have a location.
        self._located = 0
        # The words of the latest `error` event, for the error at an end that comes too soon.
        self._error_words: str | None = None
        self.start_is_checked: bool = False
        self._has_finished = False
        # Bytes of an event that the stream has ended in; None before the end.
        self._left_over: int | None = None
        # Its payload, as far as it has come, if it does not count.
        self._unfinished: bytes | None = None
        self._failure: ProtocolError | None = None

    @property
    def failure(self) -> ProtocolError | None:
        """The error that the stream has failed with."""
        return self._failure

    def begin(self) -> bool:
        """Look at the beginning of the body. Return False if nothing may be read before more of it has come.

        Raises:
            ProtocolError: The failure of the stream, or a DecodeError if the body begins like another format.
        """
        if self._failure is not None:
            raise self._failure.with_traceback(None)
        head = self.frames.buffer.head
        start = start_of(head, is_all=self.frames.at_eof or len(head) == self.frames.buffer.head_size)
        if start is Start.OTHER:
            error = _not_a_stream(beginning(head) or head)
            self.fail(error, None)
            raise error
        self.start_is_checked = start is Start.STREAM
        return start is not Start.OTHER_SO_FAR

    def next_event(self, section: bytes | None = None) -> EventT | None:
        """Return the next event that the bytes so far allow, or None if more bytes are needed.

        Args:
            section: The section that `frames.unread_sections` has just given, if the caller has taken one.

        Raises:
            DecodeError: A payload is not a valid event.
            LimitExceededError: The stream is over a limit.
        """
        frames = self.frames
        if self._recognise is not None:
            chunk = frames.buffer.next_chunk if frames.chunk_begins_event else None
            piece = section if chunk is None else chunk
            if piece is not None and (recurring := self._recognise(piece, is_chunk=chunk is not None)) is not None:
                self._current = piece
                if chunk is not None:
                    frames.skip_chunk(chunk)
                return recurring
        while (frame := frames.next_frame(section)) is not None:
            name, self._current = frame
            event = self._decode_frame(name, self._current)
            if event is not None:
                return event
            section = self._current = None
        return self._last_event() if frames.at_eof and self._left_over is None else None

    def _decode_frame(self, name: str | None, payload: bytes) -> EventT | None:
        """Return the event in a frame, or None if the frame means nothing."""
        if len(payload) > self._max_containers and payload.count(b"{") + payload.count(b"[") > self._max_containers:
            raise LimitExceededError(f"the payload has more than {self._max_containers} arrays and objects")
        event: EventT | None
        try:
            ordinary: EventT = self._structure(parse_json(payload, max_depth=self._max_depth))
        except (DecodeError, *UNUSUAL):
            event = self._interpreter.event_of(name, payload)
        else:
            event_type = ordinary.type
            if name == event_type and name != "error":
                return ordinary
            if event_type == "error" or type(ordinary) is UnknownEvent:
                event = self._interpreter.event_of(name, payload)
            else:
                event = ordinary
                self._interpreter.report_name(name, event_type)
        if event is None:
            self.locate()
        elif event.type == "error":
            self._error_words = _words_of(event)
        return event

    def _last_event(self) -> EventT | None:
        """Return the event that the stream has ended in, if nothing but its blank line is missing.

        A payload that is whole can mean only one thing. The standard discards the event, and so does strict mode, but
        not an error: the server's words matter more than their form.
        """
        frames = self.frames
        self._left_over = left_over = frames.pending
        is_strict = self.log.is_strict
        frame = frames.unfinished_frame() if left_over else None
        if frame is None or not _is_whole(*frame, self._max_depth, only_errors=is_strict):
            self._unfinished = None if frame is None else frame[1]
            return None
        frames.end_event()
        self._left_over = 0
        name, self._current = frame
        self.log.report(
            "odd_error" if is_strict else "missing_blank_line",
            f"the stream ended without a blank line after its last {left_over} bytes",
        )
        return self._decode_frame(name, self._current)

    def before_delivery(self) -> None:
        """Note that the event that `next_event` has returned is about to be delivered."""
        if self.log.length > self._located:
            self.locate()
        self._current = None
        self.event_number += 1

    def finish(self, check_complete: Callable[[], None]) -> None:
        """Check that the stream ended properly. Do nothing before `receive_eof()`.

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
        if self.event_number == 0 and begins_like_a_stream(frames.buffer.head) is False:
            raise _not_a_stream(frames.buffer.head)
        left_over = frames.pending if self._left_over is None else self._left_over
        try:
            check_complete()
        except IncompleteStreamError as error:
            error.offset = frames.received
            error.received = self._unfinished  # it may have the words of an error
            if left_over:
                error.message += f"; {left_over} bytes of an unfinished event were left over: no blank line ended it"
            if self._error_words is not None:
                error.message += f"; an error event had come: {self._error_words}"
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

    def get_state(self, unread: Iterable[bytes] = ()) -> SourceState:
        """Return the state for a checkpoint, without that of the log, which others share.

        Args:
            unread: Chunks to add to those that have not been read.

        Raises:
            CheckpointError: The stream has failed.
        """
        if self._failure is not None:
            raise CheckpointError(f"a stream that has failed has no checkpoint: {self._failure}")
        return SourceState(
            frames=self.frames.get_state(unread),
            event_number=self.event_number,
            error_words=self._error_words,
            has_finished=self._has_finished,
            left_over=self._left_over,
            unfinished=self._unfinished,
        )

    def set_state(self, state: SourceState) -> None:
        """Take over the state of a checkpoint. The log has its state already.

        Raises:
            CheckpointError: The state is over a limit or contradicts itself.
        """
        self.frames.set_state(state.frames)
        self.event_number, self._error_words = state.event_number, state.error_words
        self._has_finished, self._left_over, self._unfinished = state.has_finished, state.left_over, state.unfinished
        has_ended = state.has_finished or state.left_over is not None or state.unfinished is not None
        require(self.frames.at_eof or not has_ended, "the end was checked before it came")
        self._located = self.log.length

    def locate(self, offset: int | None = None) -> None:
        """Add a location to the violations recorded since the last call: by default that of the latest event."""
        if self.log.length > self._located:
            place = self.frames.event_offset if offset is None else offset
            self.log.locate(self._located, offset=place, event_number=self.event_number)
            self._located = self.log.length

    def fail(self, error: ProtocolError, snapshot: Message | None) -> None:
        """Note that the stream has failed, and complete the error's attributes."""
        self._failure = error
        self.start_is_checked = False
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


class DecoderBase(NotCopyable, Generic[EventT]):
    """Base of the decoders: `receive_data`, `receive_eof`, and the properties of the source."""

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


def _is_whole(name: str | None, payload: bytes, max_depth: int, *, only_errors: bool) -> bool:
    """Return whether nothing can be missing from a payload: it is a JSON object or the sentinel of other APIs.

    What an error says may be any JSON, but a number may go on.

    Args:
        name: The name that came beside the payload.
        payload: The bytes.
        max_depth: How many arrays and objects may be nested.
        only_errors: Return False for everything that is not an error.
    """
    if payload.strip() == b"[DONE]":
        return name == "error" or not only_errors
    try:
        value = parse_json(payload, max_depth=max_depth)
    except ProtocolError:
        return False
    if means_error(name, value):
        return type(value) in (dict, str, list)
    return type(value) is dict and not only_errors


def _words_of(event: Any) -> str:
    return shortened(f"{event.error.type}: {event.error.message}", 500)


def _not_a_stream(received: bytes) -> DecodeError:
    return DecodeError(
        f"the body is not an event stream; it begins with {excerpt(received)}", offset=0, received=received
    )
