"""Streams of wrapped clients: ours, but instances of the official classes too, and so is what they deliver.

Whatever comes out of the decoder of such a stream is cast to lookalikes (see `official_classes.py`): iteration,
`text_stream` and handlers get them. A message is cast when it is read.

Nearly all events of a stream are deltas that add text, each followed by its derived event. These take a short path.
"""
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, TypeVar

import anthropic
from anthropic.lib import streaming

from streamcore import stream as ours
from streamcore._objects.immutable import ImmutableList
from streamcore.anthropic.official_classes import CASTS, DELTA_CASTS, lookalike, lookalike_class
from streamcore.decoders import MessageEventDecoder
from streamcore.types import (
    CitationEvent,
    ContentBlockDeltaEvent,
    Message,
    ParsedContentBlockStopEvent,
    ParsedMessageStopEvent,
)
from streamcore.types.derived import deferring
from streamcore.types.text_deltas import TEXT_DELTAS

__all__ = [
    "AsyncMessageStreamManager",
    "AsyncStream",
    "EventDecoder",
    "MessageStreamManager",
    "Stream",
    "message_stream_class",
]

_T = TypeVar("_T")


class Parts:
    """Cast the parts of one message, each once: its snapshots share the blocks that have not changed.

    What this remembers is bounded by the message: with each snapshot it forgets what the one before did not need.
    """

    def __init__(self) -> None:
        # By the identity of the object, which is kept, so that its identity is not used again.
        self._made: dict[int, tuple[Any, Any]] = {}
        self._made_before: dict[int, tuple[Any, Any]] = {}
        # By the identity of its first item: the latest list that began with it, and its items as lookalikes.
        self._lists: dict[int, tuple[Any, list[Any]]] = {}
        self._lists_before: dict[int, tuple[Any, list[Any]]] = {}

    def lookalike(self, value: _T) -> _T:
        """Return a message, or a part of one, as a lookalike."""
        if isinstance(value, Message) and id(value) not in self._made:
            self._made_before, self._made = self._made, {}
            self._lists_before, self._lists = self._lists, {}
        return self._part(value)  # type: ignore[no-any-return]  # it is made of `value`

    def event(self, event: _T) -> _T:
        """Return an event that has parts of the message. The event itself is not remembered."""
        cast = CASTS[type(event)]
        return event if cast is None else cast(event, self._part)

    def _part(self, value: Any) -> Any:
        cast = CASTS[type(value)]
        if cast is None:
            return value
        if type(value) is ImmutableList:  # each snapshot has new ones
            return self._list(value) if value else value
        key = id(value)
        known = self._made.get(key)
        if known is None:
            known = self._made[key] = self._made_before.get(key) or (value, cast(value, self._part))
        return known[1]

    def _list(self, values: Any) -> Any:
        """Cast a list, which may be one that was cast before with more items, or with another last one.

        Without this, snapshots at each event took quadratic time: for 4,000 citations 5 s, and now 0.3 s. The
        comparison is one of identities in C, as the lists have the same items.
        """
        key = id(values[0])
        known, made = self._lists.get(key) or self._lists_before.get(key) or ([], [])
        shared = max(len(known) - 1, 0)
        items = made[:shared] if values[:shared] == known[:shared] else []
        items += map(self._part, values[len(items) :])
        self._lists[key] = (values, items)
        return ImmutableList(items)


class EventDecoder(MessageEventDecoder):
    """A decoder of events that are lookalikes."""

    def events(self) -> Iterator[Any]:
        """Yield the events that the bytes so far allow."""
        casts = DELTA_CASTS
        for event in super().events():
            if type(event) is ContentBlockDeltaEvent:
                yield casts[event.delta.type](event, lookalike)
            else:
                yield lookalike(event)


# Events with a deferred field that is a part of the message.
_WITH_PARTS = (ParsedContentBlockStopEvent, ParsedMessageStopEvent, CitationEvent)


class _MessageDecoder(ours.DerivingDecoder):
    """A decoder of the events of a message stream that are lookalikes."""

    __slots__ = ("_parts", "_text_kinds")

    def __init__(self, engine: Any, parts: Parts) -> None:
        super().__init__(engine)
        self._parts = parts
        self._text_kinds = _text_kinds()

    @property
    def snapshot(self) -> Any:
        return self._parts.lookalike(super().snapshot)

    def _derive(self, event: Any) -> tuple[Any, ...]:
        return tuple(map(self._cast, super()._derive(event)))

    def _cast(self, event: Any) -> Any:
        return self._parts.event(event) if isinstance(event, _WITH_PARTS) else lookalike(event)


@functools.cache
def _text_kinds() -> dict[str, tuple[Any, Any]]:
    """Return what a `DerivingDecoder` does for deltas that add text, with lookalikes."""
    return {
        kind: (DELTA_CASTS[kind], deferring(lookalike_class(row.derived), f"delta.{row.source}"))
        for kind, row in TEXT_DELTAS.items()
    }


def _passing_for(*officials: type) -> Any:
    """Return the attribute `__class__` of a class whose objects pass for these."""
    stand_in = officials[0] if len(officials) == 1 else type(officials[0].__name__, officials, {})
    return property(lambda self: stand_in)


class Stream(ours.Stream[Any]):
    """A stream of events."""

    __class__ = _passing_for(anthropic.Stream)


class AsyncStream(ours.AsyncStream[Any]):
    """An async stream of events."""

    __class__ = _passing_for(anthropic.AsyncStream)


class _OfMessage:
    """What streams of one message share. It stands in front of their class."""

    def _decoder_of(self, engine: Any) -> Any:
        self._parts = Parts()
        return _MessageDecoder(engine, self._parts)

    @property
    def current_message_snapshot(self) -> Any:
        """The message exactly up to the latest event, as a lookalike."""
        return self._parts.lookalike(super().current_message_snapshot)  # type: ignore[misc]  # it stands in front

    def _final_message(self) -> Any:
        return self._parts.lookalike(super()._final_message())  # type: ignore[misc]  # as above


@functools.lru_cache(maxsize=64)  # programs may make classes of handlers again and again
def message_stream_class(handler: Any) -> Any:
    """Return a subclass of a message stream that delivers lookalikes.

    Args:
        handler: `MessageStream`, `AsyncMessageStream`, or a subclass with handlers.
    """
    if issubclass(handler, ours.AsyncMessageStream):
        passing = _passing_for(streaming.AsyncMessageStream, streaming.BetaAsyncMessageStream)
    else:
        passing = _passing_for(streaming.MessageStream, streaming.BetaMessageStream)
    names = {"__module__": handler.__module__, "__qualname__": handler.__qualname__, "__doc__": handler.__doc__}
    return type(handler.__name__, (_OfMessage, handler), {**names, "__class__": passing})


class MessageStreamManager(ours.MessageStreamManager[Any]):
    """A manager of a stream of one message."""

    __class__ = _passing_for(streaming.MessageStreamManager, streaming.BetaMessageStreamManager)


class AsyncMessageStreamManager(ours.AsyncMessageStreamManager[Any]):
    """A manager of an async stream of one message."""

    __class__ = _passing_for(streaming.AsyncMessageStreamManager, streaming.BetaAsyncMessageStreamManager)
