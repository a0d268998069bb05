"""The derived events of a message stream: each wire event, followed by an event that has its result so far.

In: an event, and the engine that has just delivered it. Out: one or two events, with the names and in the order of the
`anthropic` package. Deriving an event costs a microsecond and stores nothing; its snapshot is built when it is read.

There are two paths to the same events. `derive` is the plain one. `DerivingDecoder.items` has a fast path in front of
it for the deltas that add text to the current block, which are nearly all of a stream.
`tests/stream/test_derived.py` compares the two.

A new type of delta that adds text needs no change here, only a row in `types/text_deltas.py`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias
from typing import cast as typing_cast

from streamcore._checkpoint import validating
from streamcore._engine_state import Delivery
from streamcore.accumulator import BlockInProgress
from streamcore.accumulator.surrogates import is_first_half, joined
from streamcore.engine import MessageEngine
from streamcore.errors import ProtocolError
from streamcore.stream.failures import error_after_event, error_of_decoder
from streamcore.types import (
    CitationEvent,
    CompactionBlock,
    CompactionEvent,
    ContentBlockDeltaEvent,
    ContentBlockStopEvent,
    ErrorEvent,
    Message,
    MessageStopEvent,
    MessageStreamEvent,
    ParsedContentBlockStopEvent,
    ParsedMessageStopEvent,
    ParsedMessageStreamEvent,
    SignatureEvent,
)
from streamcore.types.base import extended
from streamcore.types.derived import deferring
from streamcore.types.text_deltas import TEXT_DELTAS

if TYPE_CHECKING:
    from streamcore.stream._pump import Completion

__all__ = ["DerivingDecoder", "derive"]

_Make: TypeAlias = Callable[..., Any]
"""Makes a derived event. Its arguments are a delta, the field that the delta has changed, and a mark of that field."""

# Make a derived event of a delta with its own text, and with another text in its place.
_MAKERS: dict[str, _Make] = {kind: deferring(row.derived, f"delta.{row.source}") for kind, row in TEXT_DELTAS.items()}
_MAKERS_OF_TEXT: dict[str, _Make] = {kind: deferring(row.derived, row.source) for kind, row in TEXT_DELTAS.items()}


def derive(event: MessageStreamEvent, engine: MessageEngine[Any]) -> tuple[ParsedMessageStreamEvent, ...]:
    """Return what a message stream yields for a wire event: the event, and its derived event if it has one.

    In place of `content_block_stop` and `message_stop` come events that have the complete block or message as well.

    Call this with each event right after `engine.events()` has delivered it. The results may be read at any time.
    """
    if isinstance(event, ContentBlockDeltaEvent):
        derived = _derive_from_delta(event, engine)
        return (event,) if derived is None else (event, derived)
    if isinstance(event, ContentBlockStopEvent):
        stop, block = _with_block(event, engine), engine.block_in_progress(event.index)
        return (stop,) if block is None else (*_held_back(block), stop)
    if isinstance(event, MessageStopEvent):
        message = engine.accumulator.message
        unclosed = () if message is None else message.unclosed
        return (*(held for block in unclosed for held in _held_back(block)), _with_message(event, engine))
    return (event,)


# Stops


_make_block_stop = deferring(ParsedContentBlockStopEvent, "index")
_make_message_stop = deferring(ParsedMessageStopEvent)


@functools.cache
def _makers_with_extra() -> tuple[_Make, _Make]:
    """Return the two functions for stops with unknown fields. They are rare, so this is lazy."""
    return (
        deferring(extended(ParsedContentBlockStopEvent), "index", "extra"),
        deferring(extended(ParsedMessageStopEvent), "extra"),
    )


def _with_block(event: ContentBlockStopEvent, engine: MessageEngine[Any]) -> ParsedContentBlockStopEvent:
    block = engine.block_in_progress(event.index)
    if block is None:
        # It came after message_stop, for a block that was never started. So it has no block, but it is passed on:
        # nothing is lost.
        return typing_cast("ParsedContentBlockStopEvent", event)
    made: ParsedContentBlockStopEvent
    if event.extra:
        made = _makers_with_extra()[0](event.index, event.extra, block, block.marks())
    else:
        made = _make_block_stop(event.index, block, block.marks())
    return made


def _with_message(event: MessageStopEvent, engine: MessageEngine[Any]) -> ParsedMessageStopEvent:
    message = _Deferred(engine.deferred_message())
    made: ParsedMessageStopEvent = (
        _makers_with_extra()[1](event.extra, message, None) if event.extra else _make_message_stop(message, None)
    )
    return made


class _Deferred:
    """A value built on demand, behind the `at` that derived events call."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    def at(self, mark: None) -> Any:
        return self._make()


# Deltas


def _derive_from_delta(event: ContentBlockDeltaEvent, engine: MessageEngine[Any]) -> ParsedMessageStreamEvent | None:
    derive_from = _DELTAS.get(event.delta.type)
    if derive_from is None:
        return None  # a type of delta that is new
    block = engine.block_in_progress(event.index)
    if block is None or (block.is_closed and engine.complete):
        return None  # after message_stop a delta is not applied, so it has no result
    return derive_from(event.delta, block)


_DeriveFrom: TypeAlias = Callable[[Any, BlockInProgress], "ParsedMessageStreamEvent | None"]
"""Returns the derived event of a delta, or None if the block is of a kind that such a delta cannot change."""


def _from_field(name: str, make: _Make) -> _DeriveFrom:
    """Return the function that derives events from deltas that grow this field."""

    def derive_from(delta: Any, block: BlockInProgress) -> Any:
        field = block.fields.get(name)
        return None if field is None else make(delta, field, field.mark())

    return derive_from


def _from_text(kind: str) -> _DeriveFrom:
    """Return the function that derives events from deltas that add text.

    A server may split a surrogate pair between two deltas. The first half then is not a part of the derived event of
    its delta, but of the next one: together they are a character. If the other half does not follow, the first half is
    delivered alone, at the latest before the end of the block, or of the message if the block is never stopped.
    """
    row = TEXT_DELTAS[kind]
    make, make_of_text = _MAKERS[kind], _MAKERS_OF_TEXT[kind]

    def derive_from(delta: Any, block: BlockInProgress) -> Any:
        field: Any = block.fields.get(row.target)
        if field is None:
            return None
        mark = field.mark()
        if not field.had_halves:
            return make(delta, field, mark)
        # `text` is the text of the delta as it is in the block, and `before` is the character before it. A half that
        # was held back may have been joined with the first character of the delta: that is then the first of `text`.
        delta_text = joined(getattr(delta, row.source) or "")
        start = mark - len(delta_text)
        before, text = ("", field.since(0)) if start == 0 else _split_first(field.since(start - 1))
        if block.is_closed:
            return make_of_text(delta_text, field, mark)  # a first half that the stop has delivered must not come again
        follows_half = is_first_half(before) and text[:1] == delta_text[:1]
        if follows_half:
            text = before + text
        ends_with_half = is_first_half(text[-1:])
        if ends_with_half:
            text, mark = text[:-1], mark - 1
        return make_of_text(text, field, mark) if text or not (ends_with_half or follows_half) else None

    return derive_from


def _held_back(block: BlockInProgress) -> Iterator[ParsedMessageStreamEvent]:
    """Yield a first half that was held back, at the end of a block: its stop, or that of the message."""
    for kind, row in TEXT_DELTAS.items():
        field: Any = block.fields.get(row.target)
        if field is not None and (mark := field.mark()) and is_first_half(last := field.since(mark - 1)):
            yield _MAKERS_OF_TEXT[kind](last, field, mark)


def _split_first(text: str) -> tuple[str, str]:
    return text[:1], text[1:]


def _signature(delta: Any, block: BlockInProgress) -> SignatureEvent | None:
    if delta.signature is None or "signature" not in block.fields:
        return None
    return SignatureEvent(signature=delta.signature)


_make_compaction = deferring(CompactionEvent, "encrypted_content")


def _compaction(delta: Any, block: BlockInProgress) -> CompactionEvent | None:
    if not isinstance(block.start, CompactionBlock):
        return None
    # A field that no delta has changed so far has the value that the block started with.
    content, encrypted = block.fields.get("content"), block.fields.get("encrypted_content")
    encrypted_content: Any = block.start.encrypted_content if encrypted is None else encrypted.mark()
    if content is None:
        return CompactionEvent(content=block.start.content, encrypted_content=encrypted_content)
    made: CompactionEvent = _make_compaction(encrypted_content, content, content.mark())
    return made


_DELTAS: dict[str, _DeriveFrom] = {
    **{kind: _from_text(kind) for kind in TEXT_DELTAS},
    "citations_delta": _from_field("citations", deferring(CitationEvent, "delta.citation")),
    "signature_delta": _signature,
    "compaction_delta": _compaction,
}


# The fast path


_CurrentText: TypeAlias = tuple[int, "str | None", "Cast | None", _Make, Any, Callable[[], int]]
# No delta has the type None, so the two functions are not called.
_NO_TEXT: _CurrentText = (-1, None, None, str, None, int)


def _current_text(block: BlockInProgress | None, kinds: TextKinds) -> _CurrentText:
    """Return what the fast path needs to know about the current block.

    That is its index, the type of the deltas that add text to it, what is done for deltas of this type, the field, and
    the function that returns its length.
    """
    if block is None or block.text is None or block.text_delta is None:
        return _NO_TEXT
    return block.index, block.text_delta, *kinds[block.text_delta], block.text, block.text.mark


Cast: TypeAlias = Callable[[Any], Any]
TextKinds: TypeAlias = Mapping[str, "tuple[Cast | None, _Make]"]
"""For each type of delta that adds text: what turns its event into the one to yield, and what makes the derived one."""


class _ReceiveData(Protocol):
    def __call__(self, chunk: bytes, /) -> None: ...


class _ReceiveEOF(Protocol):
    def __call__(self) -> None: ...


class DerivingDecoder:
    """A decoder that yields the events of an engine and their derived events.

    A subclass may yield others in their place: it overrides `_derive` and `_text_kinds`.

    Args:
        engine: The engine. It may be in the middle of a stream.

    Raises:
        CheckpointError: The engine was restored from the checkpoint of a stream, and that has an event to deliver that
            cannot be the latest event of the engine.
    """

    __slots__ = ("_delivered", "_engine", "_event", "receive_data", "receive_eof")

    _text_kinds: TextKinds = MappingProxyType({kind: (None, make) for kind, make in _MAKERS.items()})

    def __init__(self, engine: MessageEngine[Any]) -> None:
        self._engine = engine
        # The event that is being delivered, and how many of it and its derived events have been. None once all have.
        self._event: MessageStreamEvent | None = None
        self._delivered = 1
        if (delivery := engine.take_delivery()) is not None:
            self._event, self._delivered, _ = delivery
            with validating():
                derive(self._event, engine)
        # Those of the engine, as a call in between would take time for each chunk.
        self.receive_data: _ReceiveData = engine.receive_data
        self.receive_eof: _ReceiveEOF = engine.receive_eof

    @property
    def snapshot(self) -> Message[Any] | None:
        return self._engine.snapshot

    def events(self) -> Iterator[ParsedMessageStreamEvent]:
        """Yield the events that the bytes so far allow, and their derived events."""
        for event in self._engine.events():
            yield from self._derive(event)

    def _derive(self, event: MessageStreamEvent) -> tuple[ParsedMessageStreamEvent, ...]:
        return derive(event, self._engine)

    @property
    def multiple_messages(self) -> bool:
        return self._engine.multiple_messages

    @property
    def complete(self) -> bool:
        return self._engine.complete

    def checkpoint(self, unread: Iterable[bytes]) -> bytes:
        """Return a checkpoint of the engine that also says what of the latest event has not been delivered.

        Args:
            unread: Bytes that the engine has not received.

        Raises:
            CheckpointError: The stream has failed.
        """
        engine, event, delivery = self._engine, self._event, None
        if event is not None and (isinstance(event, ErrorEvent) or self._delivered < len(derive(event, engine))):
            delivery = Delivery(event, self._delivered, engine.event_number)
        return engine.checkpoint_of_stream(unread, delivery)

    def items(self, response: Any, completion: Completion) -> Iterator[ParsedMessageStreamEvent | None]:
        """Yield, and raise, what `Pump.items` describes. This takes two thirds of the time of a loop over `events`.

        A delta that adds text to the current block does not change which block is current. So everything that such a
        delta needs is looked up once for a block, after an event of another kind has made it the current one.
        """
        engine = self._engine
        accumulator = engine.accumulator
        if self._event is not None:
            yield from self._deliver(self._event, response)
        if completion.is_over:
            return
        block = accumulator.current_block
        kinds = self._text_kinds
        index, text_delta, cast, make, text, mark = _current_text(block, kinds)
        while True:
            try:
                for event in engine.events():
                    if (
                        type(event) is ContentBlockDeltaEvent
                        and event.delta.type == text_delta
                        and event.index == index
                        and not text.had_halves
                    ):
                        self._event = event
                        yield event if cast is None else cast(event)
                        self._event = None
                        yield make(event.delta, text, mark())
                        continue
                    if accumulator.current_block is not block:
                        block = accumulator.current_block
                        index, text_delta, cast, make, text, mark = _current_text(block, kinds)
                    is_last = completion.ends(event)
                    self._delivered = 0
                    yield from self._deliver(event, response)
                    if is_last:
                        return
            except ProtocolError as error:
                raise error_of_decoder(error, response) from error.__cause__
            yield None

    def _deliver(self, event: MessageStreamEvent, response: Any) -> Iterator[ParsedMessageStreamEvent]:
        """Yield the event and its derived events, from number `_delivered` on. Raise what follows an error."""
        self._event = event
        for item in self._derive(event)[self._delivered :]:
            self._delivered += 1
            yield item
        if isinstance(event, ErrorEvent):
            raise error_after_event(event, self._engine, response)
        self._event = None
        self._delivered = 1  # what the fast path has delivered while there is an event
