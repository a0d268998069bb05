"""What the decoders of Messages streams share: frames to events, and a place for all that is raised.

In: the frames of an event stream. Out: for each its event, checked against the name of its frame. What a body is that
is no event stream, and what a stream is that ends inside an event, is decided here. Knows nothing of messages.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from streamcore.errors import (
    DecodeError,
    IncompleteStreamError,
    ProtocolError,
    Violation,
    ViolationLog,
    excerpt,
)
from streamcore.framing import BOM, FrameDecoder
from streamcore.limits import Limits
from streamcore.types import Message, MessageStreamEvent, RawMessageStreamEvent

__all__ = ["Decode", "EventT", "MessagesDecoder"]

EventT = TypeVar("EventT", bound=MessageStreamEvent | RawMessageStreamEvent)
_EventT_co = TypeVar("_EventT_co", covariant=True)


class Decode(Protocol[_EventT_co]):
    def __call__(self, payload: bytes, *, max_depth: int) -> _EventT_co: ...


class MessagesDecoder(FrameDecoder, Generic[EventT]):
    """A decoder of Messages streams but for its `events()`.

    Args:
        decode: Makes an event of a payload.
        strict: Raise where otherwise a `Violation` is recorded.
        limits: Bounds on the stream.
    """

    __slots__ = (
        "_decode",
        "_error_event",
        "_event_number",
        "_finished",
        "_located",
        "_log",
        "_max_depth",
        "_start_checked",
    )

    def __init__(self, decode: Decode[EventT], *, strict: bool, limits: Limits) -> None:
        super().__init__(limits=limits)
        self._decode = decode
        self._max_depth = limits.max_depth
        self._log = ViolationLog(strict=strict)
        # How many of its entries have their place in the stream.
        self._located = 0
        self._event_number = 0
        self._error_event: Any = None
        self._finished = False
        self._start_checked = False

    @property
    def violations(self) -> tuple[Violation, ...]:
        """What was odd so far, but lost nothing."""
        return self._log.entries

    def _snapshot(self) -> Message | None:
        return None

    def _event_of(self, name: str | None, data: bytes) -> EventT | None:
        """The event in a frame; `None` if there is none."""
        try:
            event = self._decode(data, max_depth=self._max_depth)
        except DecodeError:
            lenient = self._decode_leniently(data)
            if lenient is None:
                return None
            event = lenient
        if name != event.type:
            found = "the event: line is missing" if name is None else f"the event: line says {name!r}"
            self._log.report("event_name", f"{found} where the payload's type is {event.type!r}")
        return event

    def _decode_leniently(self, data: bytes) -> EventT | None:
        """The event in a payload that cannot be decoded as it is, `None` for the `[DONE]` that other APIs end their
        streams with.
        """
        if data == b"[DONE]":
            self._log.report("done_sentinel", "[DONE] came, which belongs to another protocol")
            return None
        # The standard has invalid UTF-8 read as U+FFFD. It is rare enough to be looked for only after a failure.
        replaced = data.decode("utf-8", "replace").encode()
        if replaced == data:
            raise  # the failure that this was called for
        return self._decode(replaced, max_depth=self._max_depth)

    def _check_start(self) -> None:
        """Raise if the stream begins like HTML or JSON, which no event stream does.

        To be asked before the first frame is read, and the answer is not given before the first line is there: so it
        does not depend on how the bytes were cut.
        """
        if self._end == 0 and self._chunk is not None and self._chunk[:1].isalpha():
            self._start_checked = True
            return
        head = self._received_head()
        start = _without_blanks(head)
        line = start.splitlines()[0] if start else b""
        if start[:1] not in (b"<", b"{", b"["):
            self._start_checked = bool(start)
        elif len(line) < len(start) or self._eof or len(head) == self._head_size:
            raise _not_a_stream(head[: len(head) - len(start) + len(line)])

    def _finish(self, check_complete: Callable[[], None]) -> None:
        """The stream has ended and no frame is left. `check_complete` raises if the message is not complete."""
        if self._finished:
            return
        self._finished = True
        if self._event_number == 0 and not _may_be_a_stream(_without_blanks(head := self._received_head())):
            raise _not_a_stream(head)
        left_over = self.pending
        try:
            check_complete()
        except IncompleteStreamError as error:
            error.offset = self.received
            if left_over:
                error.message += f"; {left_over} bytes of an unfinished event were left over: no blank line ended it"
            if self._error_event is not None:
                cause = self._error_event.error
                error.message += f"; an error event had come: {cause.type}: {cause.message}"
            raise
        if left_over:
            offset = self.received - left_over
            try:
                self._log.report(
                    "after_message_stop", f"{left_over} bytes of an unfinished event came after message_stop"
                )
            except ProtocolError as error:  # in strict mode
                error.offset = offset
                raise
            finally:
                self._locate(offset)

    def _locate(self, offset: int) -> None:
        """Put this place on what has been recorded since the last time."""
        self._log.locate(self._located, offset=offset, event_number=self._event_number)
        self._located = self._log.length

    def _fail(self, error: ProtocolError, received: bytes | None) -> None:
        """Note that the stream has failed, and say in the error where, with what message and, if it does not say so
        itself, on what payload.
        """
        self._let_go(error)
        if error.received is None:
            error.received = received
        if error.offset is None:
            error.offset = self.event_offset
        if error.event_number is None:
            error.event_number = self._event_number
        if error.snapshot is None:
            error.snapshot = self._snapshot()
        if self._log.length > self._located:
            self._locate(self.event_offset)


def _without_blanks(head: bytes) -> bytes:
    """The start of a stream without a BOM, or a part of one, and blanks."""
    return b"" if BOM.startswith(head) else head.removeprefix(BOM).lstrip()


def _may_be_a_stream(start: bytes) -> bool:
    return not start or any(
        (field + end).startswith(start) or start.startswith(field + end)
        for field in (b"event", b"data", b"id", b"retry", b"")
        for end in (b":", b"\n", b"\r")
    )


def _not_a_stream(received: bytes) -> DecodeError:
    return DecodeError(
        f"the body is not an event stream, it begins with {excerpt(received)}", offset=0, received=received
    )
