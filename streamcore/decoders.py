"""Bytes of a Messages stream to its events and nothing else: nothing is accumulated, and their order is not checked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Self

from streamcore._checkpoint import limits_of, read_checkpoint, write_checkpoint
from streamcore._event_source import DecoderBase, EventSource, EventT, Recognise, SourceState
from streamcore._objects.state import SavedState
from streamcore.codec import RAW_EVENTS, TYPED_EVENTS, EventKind
from streamcore.codec._recurring import recurring_event
from streamcore.errors import IncompleteStreamError, LogState, ProtocolError, ViolationLog
from streamcore.limits import DEFAULT_LIMITS, Limits
from streamcore.types import MessageStreamEvent, RawMessageStreamEvent

__all__ = ["MessageEventDecoder", "RawMessageDecoder"]


class ProgressState(SavedState):
    """How far the message has come.

    Attributes:
        has_begun: Whether `message_start` has come.
        complete: Whether `message_stop` has come.
        has_stop_reason: Whether the stop reason has come.
        open_blocks: The indexes of the blocks that are open.
    """

    has_begun: bool = False
    complete: bool = False
    has_stop_reason: bool = False
    open_blocks: tuple[int, ...] = ()


class DecoderState(SavedState):
    """The state of a decoder without a message.

    Attributes:
        limits: Bounds on the stream.
        log: The violations.
        source: The state of the events.
        progress: How far the message has come.
    """

    limits: Limits
    log: LogState
    source: SourceState
    progress: ProgressState


class _Progress:
    """How far the message has come, judged by its events alone."""

    __slots__ = ("_has_stop_reason", "_open_blocks", "complete", "has_begun")

    def __init__(self) -> None:
        self.has_begun = False
        self.complete = False
        self._open_blocks: set[int] = set()
        self._has_stop_reason = False

    @property
    def lacks_only_stop(self) -> bool:
        return self.has_begun and not self.complete and self._has_stop_reason and not self._open_blocks

    def get_state(self) -> ProgressState:
        return ProgressState(
            has_begun=self.has_begun,
            complete=self.complete,
            has_stop_reason=self._has_stop_reason,
            open_blocks=tuple(sorted(self._open_blocks)),
        )

    def set_state(self, state: ProgressState) -> None:
        self.has_begun, self.complete = state.has_begun, state.complete
        self._has_stop_reason, self._open_blocks = state.has_stop_reason, set(state.open_blocks)

    def note(self, event: Any) -> None:
        """Take note of an event that is not a delta."""
        event_type = event.type
        if event_type == "message_start":
            self.has_begun = True
            self.complete = False
            self._has_stop_reason = bool(event.message.stop_reason)
            self._open_blocks.clear()
        elif event_type == "content_block_start":
            self._open_blocks.add(event.index)
        elif event_type == "content_block_stop":
            self._open_blocks.discard(event.index)
        elif event_type == "message_delta":
            delta = event.delta
            reason = delta.get("stop_reason") if isinstance(delta, dict) else delta.stop_reason
            self._has_stop_reason = self._has_stop_reason or bool(reason)
        elif event_type == "message_stop":
            self.complete = True


class _EventDecoder(DecoderBase[EventT]):
    """Base of the decoders without a message; subclasses choose the kind of event."""

    __slots__ = ("_limits", "_progress")

    _kind: ClassVar[EventKind]
    _recognise: ClassVar[Recognise[Any] | None] = None
    _name: ClassVar[str]

    def __init__(self, *, strict: bool = False, limits: Limits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._progress = _Progress()
        log = ViolationLog(strict=strict)
        super().__init__(EventSource(self._kind, self._recognise, progress=self._progress, log=log, limits=limits))

    def events(self) -> Iterator[EventT]:
        """Yield the events that the bytes so far allow, one by one.

        Only one iterator may be in use at a time.

        Raises:
            DecodeError: A payload is not a valid event, or the body is not an event stream.
            LimitExceededError: The stream is over a limit.
            IncompleteStreamError: After `receive_eof()`: `message_stop` has not arrived.
        """
        source = self._source
        if not source.start_is_checked and not source.begin():
            return
        try:
            while (event := source.next_event()) is not None:
                if event.type != "content_block_delta":
                    self._progress.note(event)
                source.before_delivery()
                yield event
            source.finish(self._check_complete)
        except ProtocolError as error:
            source.fail(error, None)
            raise

    def checkpoint(self) -> bytes:
        """Return the state as bytes, at any moment. This changes nothing.

        Raises:
            CheckpointError: The stream has failed.
        """
        state = DecoderState(
            limits=self._limits,
            log=self._source.log.get_state(),
            source=self._source.get_state(),
            progress=self._progress.get_state(),
        )
        return write_checkpoint(self._name, state)

    @classmethod
    def restore(cls, data: bytes, *, limits: Limits | None = None) -> Self:
        """Return a decoder that goes on from a checkpoint as the original would have.

        Args:
            data: What `checkpoint` returned.
            limits: Bounds on the stream in place of those of the original.

        Raises:
            CheckpointError: It is not a valid checkpoint of such a decoder, or it is over the limits.
            InvalidArgumentError: `data` is not bytes.
        """
        state = read_checkpoint(data, cls._name, DecoderState)
        decoder = cls(limits=limits_of(state.limits, limits))
        decoder._source.log.set_state(state.log)
        decoder._source.set_state(state.source)
        decoder._progress.set_state(state.progress)
        return decoder

    def _check_complete(self) -> None:
        if not self._progress.complete:
            raise IncompleteStreamError("the stream ended before message_stop")


class RawMessageDecoder(_EventDecoder[RawMessageStreamEvent]):
    """Decode a Messages stream into events whose content blocks and deltas are plain dicts.

    Nothing is accumulated, and the order of events is not checked.

    Args:
        strict: Raise where otherwise a `Violation` is recorded.
        limits: Bounds on the stream.
    """

    __slots__ = ()

    _kind = RAW_EVENTS
    _name = "RawMessageDecoder"


class MessageEventDecoder(_EventDecoder[MessageStreamEvent]):
    """Decode a Messages stream into the typed events that `MessageEngine` gives, without the message.

    Nothing is accumulated, and the order of events is not checked.

    Args:
        strict: Raise where otherwise a `Violation` is recorded.
        limits: Bounds on the stream.
    """

    __slots__ = ()

    _kind = TYPED_EVENTS
    _recognise = staticmethod(recurring_event)
    _name = "MessageEventDecoder"
