"""Wire events to what a message stream yields: each event, and after it the derived event that says what it has led to.

In: an event and the engine that has just delivered it. Out: one or two events. Names and order are those of the
`anthropic` package. Costs a microsecond and remembers nothing; snapshots are built when they are read.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias, cast

from streamcore.accumulator import BlockInProgress
from streamcore.engine import MessageEngine
from streamcore.errors import DecodeError
from streamcore.stream._pump import error_delivered, error_in_place
from streamcore.types import (
    CitationEvent,
    CompactionBlock,
    CompactionEvent,
    ContentBlockDeltaEvent,
    ContentBlockStopEvent,
    ErrorEvent,
    InputJSONDelta,
    InputJsonEvent,
    Message,
    MessageStopEvent,
    MessageStreamEvent,
    ParsedContentBlockStopEvent,
    ParsedMessageStopEvent,
    ParsedMessageStreamEvent,
    SignatureEvent,
    TextDelta,
    TextEvent,
    ThinkingDelta,
    ThinkingEvent,
)
from streamcore.types._base import extended
from streamcore.types.derived import deferring

__all__ = ["DerivingDecoder", "derive"]

_make_text = deferring(TextEvent, "delta.text")
_make_thinking = deferring(ThinkingEvent, "delta.thinking")
_make_input_json = deferring(InputJsonEvent, "delta.partial_json")
_make_citation = deferring(CitationEvent, "delta.citation")
_make_compaction = deferring(CompactionEvent, "encrypted_content")
_make_block_stop = deferring(ParsedContentBlockStopEvent, "index")
_make_message_stop = deferring(ParsedMessageStopEvent)


# For stops with fields that are new to this version.


@functools.cache
def _maker_with_extra() -> tuple[Callable[..., Any], Callable[..., Any]]:
    return (
        deferring(extended(ParsedContentBlockStopEvent), "index", "extra"),
        deferring(extended(ParsedMessageStopEvent), "extra"),
    )


def derive(event: MessageStreamEvent, engine: MessageEngine[Any]) -> tuple[ParsedMessageStreamEvent, ...]:
    """What a message stream yields for a wire event: the event itself (for the two stops, one that carries what is
    complete), followed by its derived event if it has one.

    To be called with each event right when `engine.events()` has delivered it; the results may be read at any time.
    """
    make: Callable[..., Any] | None
    if isinstance(event, ContentBlockDeltaEvent):
        make = _DERIVED.get(event.delta.type)
        builder = engine.block_in_progress(event.index)
        # What comes after message_stop was not applied.
        if make is None or builder is None or (builder.is_closed and engine.complete):
            return (event,)
        derived = make(event.delta, builder)
        return (event,) if derived is None else (event, derived)
    if isinstance(event, ContentBlockStopEvent):
        builder = engine.block_in_progress(event.index)
        if builder is None:
            # After message_stop, for a block that was never started: there is no block to give, but nothing is lost.
            return (cast("ParsedContentBlockStopEvent", event),)
        if event.extra:
            return (_maker_with_extra()[0](event.index, event.extra, builder, builder.marks()),)
        return (_make_block_stop(event.index, builder, builder.marks()),)
    if isinstance(event, MessageStopEvent):
        message = _Later(engine.deferred_message())
        if event.extra:
            return (_maker_with_extra()[1](event.extra, message, None),)
        return (_make_message_stop(message, None),)
    return (event,)


class _Later:
    """What is made when it is asked for, in the form of something that grows."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    def at(self, mark: None) -> Any:
        return self._make()


# What each type of delta gives. A delta that its block could not take has changed no part of it, and gives nothing.


def _text(delta: Any, builder: BlockInProgress) -> TextEvent | None:
    part = builder.fields.get("text")
    return None if part is None else _make_text(delta, part, part.mark())


def _thinking(delta: Any, builder: BlockInProgress) -> ThinkingEvent | None:
    part = builder.fields.get("thinking")
    return None if part is None else _make_thinking(delta, part, part.mark())


def _signature(delta: Any, builder: BlockInProgress) -> SignatureEvent | None:
    if delta.signature is None or "signature" not in builder.fields:
        return None
    return SignatureEvent(signature=delta.signature)


def _citation(delta: Any, builder: BlockInProgress) -> CitationEvent | None:
    part = builder.fields.get("citations")
    return None if part is None else _make_citation(delta, part, part.mark())


def _input_json(delta: Any, builder: BlockInProgress) -> InputJsonEvent | None:
    part = builder.fields.get("input")
    return None if part is None else _make_input_json(delta, part, part.mark())


def _compaction(delta: Any, builder: BlockInProgress) -> CompactionEvent | None:
    if not isinstance(builder.start, CompactionBlock):
        return None
    content, encrypted = builder.fields.get("content"), builder.fields.get("encrypted_content")
    encrypted_content: Any = builder.start.encrypted_content if encrypted is None else encrypted.mark()
    if content is None:
        return CompactionEvent(content=builder.start.content, encrypted_content=encrypted_content)
    made: CompactionEvent = _make_compaction(encrypted_content, content, content.mark())
    return made


_DERIVED: dict[str, Callable[[Any, BlockInProgress], ParsedMessageStreamEvent | None]] = {
    "text_delta": _text,
    "thinking_delta": _thinking,
    "signature_delta": _signature,
    "citations_delta": _citation,
    "input_json_delta": _input_json,
    "compaction_delta": _compaction,
}


class DerivingDecoder:
    """An engine as a decoder that gives derived events as well."""

    __slots__ = ("_engine", "receive_data", "receive_eof")

    def __init__(self, engine: MessageEngine[Any]) -> None:
        self._engine = engine
        self.receive_data = engine.receive_data
        self.receive_eof = engine.receive_eof

    @property
    def snapshot(self) -> Message[Any] | None:
        return self._engine.snapshot

    def events(self) -> Iterator[ParsedMessageStreamEvent]:
        for event in self._engine.events():
            yield from derive(event, self._engine)

    def endless_items(self, response: Any) -> Iterator[ParsedMessageStreamEvent | None]:
        """What `Pump.items` is to give, and raise, with these events; in two thirds of the time.

        For the deltas that are nearly all of a stream, those that add to the block at hand, what `derive` looks up is
        looked up when that is another block.
        """
        engine = self._engine
        accumulator = engine.accumulator
        hot: BlockInProgress | None = None
        delta_type, index, make, part, mark = _NO_HOT_DELTA
        while True:
            try:
                for event in engine.events():
                    if accumulator.current_block is not hot:
                        hot = accumulator.current_block
                        delta_type, index, make, part, mark = _NO_HOT_DELTA if hot is None else _hot_delta(hot)
                    if (
                        type(event) is ContentBlockDeltaEvent
                        and type(event.delta) is delta_type
                        and event.index == index
                    ):
                        yield event
                        yield make(event.delta, part, mark())
                        continue
                    yield from derive(event, engine)
                    if isinstance(event, ErrorEvent):
                        raise error_delivered(event, engine, response)
            except DecodeError as error:
                raise error_in_place(error, response) from None
            yield None


_HotDelta: TypeAlias = tuple[type, int, Callable[..., Any], Any, Callable[[], int]]
_NO_HOT_DELTA: _HotDelta = (type(None), -1, _make_text, None, int)
_HOT_DELTAS: dict[str, tuple[type, Callable[..., Any]]] = {
    "text_delta": (TextDelta, _make_text),
    "input_json_delta": (InputJSONDelta, _make_input_json),
    "thinking_delta": (ThinkingDelta, _make_thinking),
}


def _hot_delta(hot: BlockInProgress) -> _HotDelta:
    """Of the deltas that add text to this block: their type and index, and what makes derived events of what grows, and
    tells how long that is.
    """
    if hot.text_delta is None or hot.text is None:
        return _NO_HOT_DELTA
    delta_type, make = _HOT_DELTAS[hot.text_delta]
    return delta_type, hot.index, make, hot.text, hot.text.mark
