"""Wire events to what a message stream yields: each event, and after it the derived event that says what it has led to.

In: an event and the engine that has just delivered it. Out: one or two events. Names and order are those of the
`anthropic` package. Costs a microsecond and remembers nothing; snapshots are built when they are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, cast

from streamcore.block_builder import BlockBuilder
from streamcore.engine import MessageEngine
from streamcore.types import (
    CitationEvent,
    CompactionBlock,
    CompactionEvent,
    ContentBlockDeltaEvent,
    ContentBlockStopEvent,
    InputJsonEvent,
    Message,
    MessageStopEvent,
    MessageStreamEvent,
    ParsedContentBlockStopEvent,
    ParsedMessageStopEvent,
    ParsedMessageStreamEvent,
    SignatureEvent,
    TextEvent,
    ThinkingEvent,
)

__all__ = ["DerivingDecoder", "derive"]


def derive(event: MessageStreamEvent, engine: MessageEngine) -> tuple[ParsedMessageStreamEvent, ...]:
    """What a message stream yields for a wire event: the event itself (for the two stops, one that carries what is
    complete), followed by its derived event if it has one.

    To be called with each event right when `engine.events()` has delivered it; the results may be read at any time.
    """
    if isinstance(event, ContentBlockDeltaEvent):
        make = _DERIVED.get(event.delta.type)
        builder = engine.builder(event.index)
        # What comes after message_stop was not applied.
        if make is None or builder is None or (builder.closed and engine.complete):
            return (event,)
        derived = make(event.delta, builder)
        return (event,) if derived is None else (event, derived)
    if isinstance(event, ContentBlockStopEvent):
        builder = engine.builder(event.index)
        if builder is None:
            # After message_stop, for a block that was never started: there is no block to give, but nothing is lost.
            return (cast("ParsedContentBlockStopEvent", event),)
        block = partial(builder.at, builder.marks())
        return (ParsedContentBlockStopEvent.deferred(block, ("index", event.index), extra=event.extra),)
    if isinstance(event, MessageStopEvent):
        return (ParsedMessageStopEvent.deferred(engine.deferred_message(), extra=event.extra),)
    return (event,)


class DerivingDecoder:
    """An engine as a decoder that gives derived events as well."""

    __slots__ = ("_engine", "receive_data", "receive_eof")

    def __init__(self, engine: MessageEngine) -> None:
        self._engine = engine
        self.receive_data = engine.receive_data
        self.receive_eof = engine.receive_eof

    @property
    def snapshot(self) -> Message | None:
        return self._engine.snapshot

    def events(self) -> Iterator[ParsedMessageStreamEvent]:
        engine = self._engine
        for event in engine.events():
            yield from derive(event, engine)


# What each type of delta gives. A delta that its block could not take has changed no part of it, and gives nothing.


def _text(delta: Any, builder: BlockBuilder) -> TextEvent | None:
    part = builder.parts.get("text")
    return None if part is None else TextEvent.deferred(partial(part.at, part.mark()), ("text", delta.text))


def _thinking(delta: Any, builder: BlockBuilder) -> ThinkingEvent | None:
    part = builder.parts.get("thinking")
    return None if part is None else ThinkingEvent.deferred(partial(part.at, part.mark()), ("thinking", delta.thinking))


def _signature(delta: Any, builder: BlockBuilder) -> SignatureEvent | None:
    return SignatureEvent(signature=delta.signature) if "signature" in builder.parts else None


def _citation(delta: Any, builder: BlockBuilder) -> CitationEvent | None:
    part = builder.parts.get("citations")
    return None if part is None else CitationEvent.deferred(partial(part.at, part.mark()), ("citation", delta.citation))


def _input_json(delta: Any, builder: BlockBuilder) -> InputJsonEvent | None:
    part = builder.parts.get("input")
    if part is None:
        return None
    return InputJsonEvent.deferred(partial(part.at, part.mark()), ("partial_json", delta.partial_json))


def _compaction(delta: Any, builder: BlockBuilder) -> CompactionEvent | None:
    if not isinstance(builder.start, CompactionBlock):
        return None
    content, encrypted = builder.parts.get("content"), builder.parts.get("encrypted_content")
    encrypted_content: Any = builder.start.encrypted_content if encrypted is None else encrypted.mark()
    if content is None:
        return CompactionEvent(content=builder.start.content, encrypted_content=encrypted_content)
    return CompactionEvent.deferred(partial(content.at, content.mark()), ("encrypted_content", encrypted_content))


_DERIVED: dict[str, Callable[[Any, BlockBuilder], ParsedMessageStreamEvent | None]] = {
    "text_delta": _text,
    "thinking_delta": _thinking,
    "signature_delta": _signature,
    "citations_delta": _citation,
    "input_json_delta": _input_json,
    "compaction_delta": _compaction,
}
