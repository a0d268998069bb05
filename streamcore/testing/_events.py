"""Turn a message into the events of a stream that adds up to it.

Each block is split into its start, deltas and stop by the rule for its type; the fields of the message are spread over
`message_start` and the `message_delta` events. What the protocol leaves open follows from choices (see `_choices`),
which are drawn for each option, before anything is split.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import attrs
from hypothesis import strategies as st

from streamcore import types
from streamcore.testing._choices import Choices, cut, draw_choices
from streamcore.testing._json import write
from streamcore.testing._values import messages, wire_objects
from streamcore.types.base import absent, wire_fields, with_extra


@attrs.frozen
class _Layout:
    """The choices that blocks are split by.

    Attributes:
        cuts: Where texts are cut, and all that has no option of its own.
        prefilled: How much of a block is in its start.
        formatted: How the JSON of a tool's input is written.
    """

    cuts: Choices
    prefilled: Choices
    formatted: Choices

    def in_start(self, size: int) -> int:
        """Return how much of something of this size is in the start of its block: mostly nothing."""
        choice = next(self.prefilled)
        return choice % size + 1 if choice > 200 and size else 0

    def pieces(self, text: str) -> list[str]:
        """Cut a text into up to four pieces; some may be empty."""
        places = [next(self.cuts) for _ in range(next(self.cuts) % 4)]
        return cut(text, [place if place % 2 else -1 - place for place in places])

    def text(self, text: str) -> tuple[str, list[str]]:
        """Split a text into what the block starts with and the pieces of its deltas."""
        first = self.in_start(len(text))
        return text[:first], self.pieces(text[first:]) if text[first:] or next(self.cuts) % 2 else []

    def input(self, value: Any) -> list[str]:
        """Return the fragments of a tool's input; an empty one may have none."""
        return self.pieces(write(value, self.formatted)) if value or next(self.cuts) % 2 else []


_Parts: TypeAlias = tuple[types.ContentBlock, list[types.ContentBlockDelta]]


@st.composite
def event_streams(
    draw: st.DrawFn,
    message: types.Message | None = None,
    *,
    interleaved: bool = False,
    prefilled: bool = True,
    sparse: bool = True,
    formatted: bool = True,
    pings: bool = True,
    unknown: bool = False,
) -> list[types.MessageStreamEvent]:
    """Draw the events of a legal stream: applied one after the other, they add up to exactly `message`.

    Texts are cut anywhere, and so is the JSON of a tool's input; some deltas are empty.

    Args:
        draw: Given by Hypothesis.
        message: The message that the events add up to; by default any of `messages()`.
        interleaved: Whether a block may start while others are open, so that their deltas are mixed.
        prefilled: Whether the start of a block may already hold a part of its content. The blocks of the API start
            empty, but the protocol does not require it.
        sparse: Whether there may be several `message_delta` events, each with some of the totals so far. Otherwise
            there is one with all the fields that it can have, as the API mostly sends it.
        formatted: Whether the JSON of a tool's input may have any blanks and escapes.
        pings: Whether there may be pings, anywhere.
        unknown: Whether there may be events of new types, and new fields in events and deltas.

    Raises:
        ValueError: No stream adds up to `message`: its last fallback block names a model that is not its own.

    ```python
    @given(st.data(), messages())
    def test_adds_up(data, message):
        accumulator = MessageAccumulator()
        for event in data.draw(event_streams(message=message, interleaved=True)):
            accumulator.apply(event.to_dict())
        assert accumulator.final_message == message
    ```
    """
    if message is None:
        message = draw(messages(unknown=unknown))
    layout = _Layout(draw_choices(draw), draw_choices(draw, prefilled), draw_choices(draw, formatted))
    blocks = [_block_events(index, block, layout) for index, block in enumerate(message.content)]
    start, changes = _message_events(message, draw_choices(draw, sparse), layout.cuts)
    mixed = _in_turn(blocks, draw_choices(draw, interleaved))
    events: list[types.MessageStreamEvent] = [start, *mixed, *changes, types.MessageStopEvent()]
    if unknown:
        events = _with_unknown_field(events, draw_choices(draw))
        events = _inserted(events, draw(_UNKNOWN_EVENTS), layout.cuts, last=len(events) - 1)
    places = draw_choices(draw, pings)
    return _inserted(events, [types.PingEvent()] * (next(places) % 4), places, last=len(events))


_UNKNOWN_EVENTS = st.lists(wire_objects(types.UnknownEvent), max_size=2)


def _inserted(
    events: list[types.MessageStreamEvent], others: Sequence[types.MessageStreamEvent], choices: Choices, *, last: int
) -> list[types.MessageStreamEvent]:
    """Insert other events between these, up to the place `last`."""
    result = list(events)
    for place, other in zip(sorted(next(choices) % (last + 1) for _ in others), others, strict=True):
        result.insert(place + len(result) - len(events), other)
    return result


def _with_unknown_field(events: list[types.MessageStreamEvent], choices: Choices) -> list[types.MessageStreamEvent]:
    """Add an unknown field to one event, or to its delta; without choices, to none."""
    number = next(choices) % (len(events) + 1)
    if number == 0:
        return events
    event = events[number - 1]
    extra = {"new_thing": next(choices) % 10}
    if isinstance(event, types.ContentBlockDeltaEvent):
        event = types.ContentBlockDeltaEvent(index=event.index, delta=with_extra(event.delta, extra))
    elif not isinstance(event, types.MessageDeltaEvent):  # there, a new field belongs to the message
        event = with_extra(event, extra)
    return [*events[: number - 1], event, *events[number:]]


def _in_turn(blocks: list[list[types.MessageStreamEvent]], turns: Choices) -> list[types.MessageStreamEvent]:
    """Mix the events of all blocks, which start in order; without choices, put one block after the other."""
    waiting = [list(events) for events in blocks]
    open_ones: list[list[types.MessageStreamEvent]] = []
    mixed: list[types.MessageStreamEvent] = []
    while waiting or open_ones:
        # Zero goes on with the first block that is open.
        turn = min(next(turns) % 4, len(open_ones) - (not waiting))
        if turn == len(open_ones):
            open_ones.append(waiting.pop(0))
        mixed.append(open_ones[turn].pop(0))
        open_ones = [events for events in open_ones if events]
    return mixed


# Blocks


def _block_events(index: int, block: types.ContentBlock, layout: _Layout) -> list[types.MessageStreamEvent]:
    split = _SPLITS.get(type(block).__mro__[1] if block.extra else type(block))
    start, deltas = split(block, layout) if split is not None else (block, [])
    return [
        types.ContentBlockStartEvent(index=index, content_block=start),
        *(types.ContentBlockDeltaEvent(index=index, delta=delta) for delta in deltas),
        types.ContentBlockStopEvent(index=index),
    ]


def _text(block: types.TextBlock, layout: _Layout) -> _Parts:
    text, pieces = layout.text(block.text)
    deltas: list[types.ContentBlockDelta] = [types.TextDelta(text=piece) for piece in pieces]
    citations = block.citations or ()
    first = layout.in_start(len(citations))
    early = block.citations if not citations else citations[:first] if first or next(layout.cuts) % 2 else None
    # From the last to the first, each before the one that was put in before.
    place = len(deltas)
    for citation in reversed(citations[first:]):
        place -= next(layout.cuts) % (place + 1)
        deltas.insert(place, types.CitationsDelta(citation=citation))
    return attrs.evolve(block, text=text, citations=early), deltas


def _thinking(block: types.ThinkingBlock, layout: _Layout) -> _Parts:
    thinking, pieces = layout.text(block.thinking)
    deltas: list[types.ContentBlockDelta] = [types.ThinkingDelta(thinking=piece) for piece in pieces]
    signature = block.signature
    if signature is not None and not layout.in_start(1):
        deltas.append(types.SignatureDelta(signature=signature))
        signature = None if next(layout.cuts) % 2 else ""
    return attrs.evolve(block, thinking=thinking, signature=signature), deltas


def _compaction(block: types.CompactionBlock, layout: _Layout) -> _Parts:
    deltas: list[types.ContentBlockDelta] = []
    content, encrypted = block.content, block.encrypted_content
    if content is not None:
        text, pieces = layout.text(content)
        content = text or None
        deltas += [types.CompactionDelta(content=piece) for piece in pieces or [""]]
    if encrypted is not None and not layout.in_start(1):
        deltas.append(types.CompactionDelta(encrypted_content=encrypted))
        encrypted = None
    return attrs.evolve(block, content=content, encrypted_content=encrypted), deltas


def _tool_use(block: types.ToolUseBlock, layout: _Layout) -> _Parts:
    if block.partial_input is None and layout.in_start(1):
        return block, []
    pieces = layout.input(block.input) if block.partial_input is None else layout.pieces(block.partial_input)
    return attrs.evolve(block, input={}, partial_input=None), _input_deltas(pieces)


def _unknown(block: types.UnknownBlock, layout: _Layout) -> _Parts:
    value = block.data.get("input")
    if not isinstance(value, dict) or not next(layout.cuts) % 2:
        return block, []
    return types.UnknownBlock(data=block.data | {"input": {}}), _input_deltas(layout.input(value))


def _input_deltas(pieces: list[str]) -> list[types.ContentBlockDelta]:
    return [types.InputJSONDelta(partial_json=piece) for piece in pieces]


# How each type of block is split. A type that is not here has all its content in its start.
_SPLITS: dict[type[Any], Callable[[Any, _Layout], _Parts]] = {
    types.TextBlock: _text,
    types.ThinkingBlock: _thinking,
    types.CompactionBlock: _compaction,
    types.ToolUseBlock: _tool_use,
    types.ServerToolUseBlock: _tool_use,
    types.MCPToolUseBlock: _tool_use,
    types.UnknownBlock: _unknown,
}


# The message itself

# Where each field of a message may change: in `message_delta` itself, in its `delta` or in its `usage`.
_TOP = [field.name for field in wire_fields(types.MessageDeltaEvent) if field.name not in ("delta", "usage")]
_INNER = [field.name for field in wire_fields(types.MessageDelta)]
_USAGE = [field.name for field in wire_fields(types.MessageDeltaUsage)]
_LATE_ONLY = ("stop_reason", "stop_sequence")


def _message_events(
    message: types.Message, sparse: Choices, cuts: Choices
) -> tuple[types.MessageStartEvent, list[types.MessageStreamEvent]]:
    """Split a message into its start and the deltas that follow; without choices there is one delta with all fields."""
    count = next(sparse) % 3 + 1
    starting: dict[str, Any] = {"content": (), "model": _first_model(message)}
    starting_usage: dict[str, Any] = {}
    changes: list[dict[str, dict[str, Any]]] = [{"top": {}, "delta": {}, "usage": {}} for _ in range(count)]

    def place(name: str) -> int:
        """Return the number of the delta that a field comes in, counted from one; zero is the start."""
        return count - next(sparse) % (count + (name not in _LATE_ONLY))

    for part, names in (("top", _TOP), ("delta", _INNER)):
        for name in names:
            value = getattr(message, name)
            if value is not None and (at := place(name)) > 0:
                starting[name] = None
                changes[at - 1][part][name] = value
    for name in _USAGE if message.usage is not absent(types.Usage) else []:
        total = getattr(message.usage, name)
        # The API gives the output tokens in each message_delta.
        if total is not None and (at := count if name == "output_tokens" else place(name)) > 0:
            # The counts are totals so far: they only grow.
            so_far = sorted(total * next(cuts) // 255 for _ in range(at)) if isinstance(total, int) else [None] * at
            starting_usage[name], *later = so_far
            for change, value in zip(changes, [*later, total], strict=False):
                if value is not None:
                    change["usage"][name] = value
    if starting_usage:
        starting["usage"] = attrs.evolve(message.usage, **starting_usage)
    start = types.MessageStartEvent(message=attrs.evolve(message, **starting))
    return start, [_message_delta(change) for change in changes]


def _message_delta(change: dict[str, dict[str, Any]]) -> types.MessageDeltaEvent:
    fields = dict(change["top"])
    if change["delta"]:
        fields["delta"] = types.MessageDelta(**change["delta"])
    if change["usage"]:
        fields["usage"] = types.MessageDeltaUsage(**change["usage"])
    return types.MessageDeltaEvent(**fields)


def _first_model(message: types.Message) -> str:
    """Return the model that the message starts with. Each fallback block changes it."""
    fallbacks = [block for block in message.content if isinstance(block, types.FallbackBlock)]
    if not fallbacks:
        return message.model
    if fallbacks[-1].to.model != message.model:
        raise ValueError(f"the last fallback is to {fallbacks[-1].to.model!r}, but the model is {message.model!r}")
    return fallbacks[0].from_.model
