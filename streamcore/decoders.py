"""Bytes of a Messages stream to its events and nothing else: nothing is accumulated, and their order is not checked.

In: bytes, cut anywhere. Out: events, typed or with plain dicts for blocks and deltas. Knows nothing of the message.
"""

from __future__ import annotations

from collections.abc import Iterator

from streamcore._decoder import Decode, EventT, MessagesDecoder
from streamcore.codec import decode_event, decode_raw_event
from streamcore.errors import IncompleteStreamError, ProtocolError
from streamcore.limits import DEFAULT_LIMITS, Limits
from streamcore.types import MessageStreamEvent, RawMessageStreamEvent

__all__ = ["MessageEventDecoder", "RawMessageDecoder"]


class _EventDecoder(MessagesDecoder[EventT]):
    """What the two have in common: all but the function that makes an event of a payload."""

    __slots__ = ("_complete",)

    def __init__(self, decode: Decode[EventT], *, strict: bool, limits: Limits) -> None:
        super().__init__(decode, strict=strict, limits=limits)
        self._complete = False

    def events(self) -> Iterator[EventT]:
        """The events that the bytes so far allow, one by one.

        Raises:
            DecodeError: A payload is not a valid event, or the body is no event stream.
            LimitExceededError: The stream is over a limit.
            IncompleteStreamError: After `receive_eof()`: `message_stop` has not come.
        """
        if self._error is not None:
            raise self._error.with_traceback(None)
        data = None
        try:
            if not self._start_checked:
                self._check_start()
            while (frame := self._next_frame()) is not None:
                name, data = frame
                event = self._event_of(name, data)
                if self._log.length > self._located:
                    self._locate(self.event_offset)
                if event is not None:
                    if event.type == "message_stop":
                        self._complete = True
                    elif event.type == "error":
                        self._error_event = event
                    self._event_number += 1
                    yield event
                data = None
            if self._eof:
                self._finish(self._check_complete)
        except ProtocolError as error:
            self._fail(error, data)
            raise

    def _check_complete(self) -> None:
        if not self._complete:
            raise IncompleteStreamError("the stream ended before message_stop")


class RawMessageDecoder(_EventDecoder[RawMessageStreamEvent]):
    """Decodes a Messages stream into events whose content blocks and deltas are plain dicts. Nothing is accumulated,
    and the order of events is not checked.

    Args:
        strict: Raise where otherwise a `Violation` is recorded.
        limits: Bounds on the stream.
    """

    __slots__ = ()

    def __init__(self, *, strict: bool = False, limits: Limits = DEFAULT_LIMITS) -> None:
        super().__init__(decode_raw_event, strict=strict, limits=limits)


class MessageEventDecoder(_EventDecoder[MessageStreamEvent]):
    """Decodes a Messages stream into the typed events that `MessageEngine` gives, without the message: nothing is
    accumulated, and the order of events is not checked.

    Args:
        strict: Raise where otherwise a `Violation` is recorded.
        limits: Bounds on the stream.
    """

    __slots__ = ()

    def __init__(self, *, strict: bool = False, limits: Limits = DEFAULT_LIMITS) -> None:
        super().__init__(decode_event, strict=strict, limits=limits)
