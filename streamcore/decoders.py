"""Bytes of a Messages stream to its events and nothing else: nothing is accumulated, and their order is not checked."""

from __future__ import annotations

from collections.abc import Iterator

from streamcore._event_source import Decode, DecoderFace, EventSource, EventT, Recognise
from streamcore.codec import decode_event, decode_raw_event
from streamcore.codec._recurring import recurring_event
from streamcore.errors import IncompleteStreamError, ProtocolError
from streamcore.limits import DEFAULT_LIMITS, Limits
from streamcore.types import MessageStreamEvent, RawMessageStreamEvent

__all__ = ["MessageEventDecoder", "RawMessageDecoder"]


class _EventDecoder(DecoderFace[EventT]):
    """A decoder that accumulates nothing; its subclasses say what makes an event of a payload."""

    __slots__ = ("_saw_message_stop",)

    def __init__(
        self, decode: Decode[EventT], recognise: Recognise[EventT] | None, *, strict: bool, limits: Limits
    ) -> None:
        super().__init__(EventSource(decode, recognise, strict=strict, limits=limits))
        self._saw_message_stop = False

    def events(self) -> Iterator[EventT]:
        """Yield the events that the bytes so far allow, one by one.

        Only one iterator may be in use at a time.

        Raises:
            DecodeError: A payload is not a valid event, or the body is not an event stream.
            LimitExceededError: The stream is over a limit.
            IncompleteStreamError: After `receive_eof()`: `message_stop` has not come.
        """
        source = self._source
        if not source.is_ready:
            source.begin()
        try:
            while (event := source.next_event()) is not None:
                if event.type == "message_stop":
                    self._saw_message_stop = True
                source.delivered()
                yield event
            source.finish(self._check_complete)
        except ProtocolError as error:
            source.fail(error, None)
            raise

    def _check_complete(self) -> None:
        if not self._saw_message_stop:
            raise IncompleteStreamError("the stream ended before message_stop")


class RawMessageDecoder(_EventDecoder[RawMessageStreamEvent]):
    """Decode a Messages stream into events whose content blocks and deltas are plain dicts.

    Nothing is accumulated, and the order of events is not checked.

    Args:
        strict: Raise where otherwise a `Violation` is recorded.
        limits: Bounds on the stream.
    """

    __slots__ = ()

    def __init__(self, *, strict: bool = False, limits: Limits = DEFAULT_LIMITS) -> None:
        super().__init__(decode_raw_event, None, strict=strict, limits=limits)


class MessageEventDecoder(_EventDecoder[MessageStreamEvent]):
    """Decode a Messages stream into the typed events that `MessageEngine` gives, without the message.

    Nothing is accumulated, and the order of events is not checked.

    Args:
        strict: Raise where otherwise a `Violation` is recorded.
        limits: Bounds on the stream.
    """

    __slots__ = ()

    def __init__(self, *, strict: bool = False, limits: Limits = DEFAULT_LIMITS) -> None:
        super().__init__(decode_event, recurring_event, strict=strict, limits=limits)
