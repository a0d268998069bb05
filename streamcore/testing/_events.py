"""A message to the events of a stream that adds up to it.

Each block is taken apart into its start, deltas and stop by the rule for its type; the message's own fields are spread
over `message_start` and the `message_delta` events. What the protocol leaves open is drawn.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

import attrs
from hypothesis import strategies as st

from streamcore.testing._json import fragments, json_objects, partial_json_deltas
from streamcore.testing._values import NEW_NAMES, messages
from streamcore.types import (
    CitationsDelta,
    CompactionBlock,
    CompactionDelta,
    ContentBlock,
    ContentBlockDelta,
    ContentBlockDeltaEvent,
    ContentBlockStartEvent,
    ContentBlockStopEvent,
    FallbackBlock,
    InputJSONDelta,
    MCPToolUseBlock,
    Message,
    MessageDelta,
    MessageDeltaEvent,
    MessageDeltaUsage,
    MessageStartEvent,
    MessageStopEvent,
    MessageStreamEvent,
    PingEvent,
    ServerToolUseBlock,
    SignatureDelta,
    TextBlock,
    TextDelta,
    ThinkingBlock,
    ThinkingDelta,
    ToolUseBlock,
    UnknownBlock,
    UnknownEvent,
    Usage,
)
from streamcore.types._base import absent, wire_fields, with_extra

__all__ = ["event_streams"]

_T = TypeVar("_T")


@attrs.frozen
class _Ways:
    """What a block may be like; as in `event_streams`."""

    prefilled: bool
    formatted: bool


_Parts: TypeAlias = tuple[ContentBlock, list[ContentBlockDelta]]


@st.composite
def event_streams(
    draw: st.DrawFn,
    message: Message | None = None,
    *,
    interleaved: bool = False,
    prefilled: bool = True,
    sparse: bool = True,
    formatted: bool = True,
    pings: bool = True,
    unknown: bool = False,
) -> list[MessageStreamEvent]:
    """The events of a legal stream that adds up to `message`, exactly: applied one after the other they give it.

    Texts are cut anywhere, and so is the JSON of a tool's input; some deltas are empty.

    Args:
        draw: Given by Hypothesis.
        message: What the stream adds up to; any of `messages()` by default.
        interleaved: Whether a block may start while others are open, and their deltas be mixed.
        prefilled: Whether the start of a block may hold a part of it already. The API's blocks start empty, but nothing
            says that they must.
        sparse: Whether `message_delta` may come several times, each with some of the totals so far. Otherwise there is
            one, with all fields that it can have, as the API mostly sends it.
        formatted: Whether the JSON of a tool's input is written with any blanks and escapes, or plainly.
        pings: Whether pings come in between, before and after.
        unknown: Whether events that no version knows come in between, and deltas have fields that none knows.

    Raises:
        ValueError: `message` cannot come of a stream: a fallback block names another model than it has.

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
    ways = _Ways(prefilled, formatted)
    blocks = [_block_events(draw, index, block, ways) for index, block in enumerate(message.content)]
    start, changes = _message_events(draw, message, sparse)
    events: list[MessageStreamEvent] = [start, *_in_turn(draw, blocks, interleaved), *changes, MessageStopEvent()]
    if unknown:
        events = _with_unknown_fields(draw, events)
        events = _inserted(draw, events, _UNKNOWN_EVENTS, last=len(events) - 1)
    return _inserted(draw, events, st.just(PingEvent()), last=len(events)) if pings else events


_UNKNOWN_EVENTS: st.SearchStrategy[MessageStreamEvent] = st.builds(
    lambda name, fields: UnknownEvent(data={**fields, "type": name}), NEW_NAMES, json_objects(max_leaves=3)
)


def _inserted(
    draw: st.DrawFn, items: list[_T], others: st.SearchStrategy[_T], *, last: int, max_size: int = 3
) -> list[_T]:
    """`items` with a few of the others put between them, up to the place `last`."""
    places = draw(st.lists(st.integers(0, last), max_size=max_size))
    result = list(items)
    for place in sorted(places, reverse=True):
        result.insert(place, draw(others))
    return result


def _with_unknown_fields(draw: st.DrawFn, events: list[MessageStreamEvent]) -> list[MessageStreamEvent]:
    """`events` of which one, perhaps, has a field more, or its delta."""
    number = draw(st.integers(0, len(events)))
    if number == 0:
        return events
    event = events[number - 1]
    extra = {"new_thing": draw(st.integers(0, 9))}
    if isinstance(event, ContentBlockDeltaEvent):
        event = ContentBlockDeltaEvent(index=event.index, delta=with_extra(event.delta, extra))
    elif not isinstance(event, MessageDeltaEvent):  # there it is a field of the message
        event = with_extra(event, extra)
    return [*events[: number - 1], event, *events[number:]]


def _in_turn(draw: st.DrawFn, blocks: list[list[MessageStreamEvent]], interleaved: bool) -> list[MessageStreamEvent]:
    """The events of all blocks: one block after the other or, `interleaved`, mixed. They start in order even then."""
    if not interleaved:
        return [event for events in blocks for event in events]
    waiting = [list(events) for events in blocks]
    open_ones: list[list[MessageStreamEvent]] = []
    mixed: list[MessageStreamEvent] = []
    # Whose turn it is: zero goes on with the first that is open, so that failures shrink to one block after the other.
    turns = itertools.cycle(draw(st.lists(st.integers(0, 3), max_size=12)) or [0])
    while waiting or open_ones:
        turn = min(next(turns), len(open_ones) - (not waiting))
        if turn == len(open_ones):
            open_ones.append(waiting.pop(0))
        mixed.append(open_ones[turn].pop(0))
        open_ones = [events for events in open_ones if events]
    return mixed


# Blocks


def _block_events(draw: st.DrawFn, index: int, block: ContentBlock, ways: _Ways) -> list[MessageStreamEvent]:
    take_apart = _TAKE_APART.get(type(block).__mro__[1] if block.extra else type(block), _whole)
    start, deltas = take_apart(draw, block, ways)
    return [
        ContentBlockStartEvent(index=index, content_block=start),
        *(ContentBlockDeltaEvent(index=index, delta=delta) for delta in deltas),
        ContentBlockStopEvent(index=index),
    ]


def _whole(_: st.DrawFn, block: Any, __: _Ways) -> _Parts:
    return block, []


def _pieces(draw: st.DrawFn, text: str, ways: _Ways) -> tuple[str, list[str]]:
    """What of `text` the block starts with, and the pieces in which the rest comes."""
    first = draw(st.integers(0, len(text))) if ways.prefilled and draw(_SELDOM) else 0
    pieces = draw(fragments(text[first:]))
    return text[:first], [] if pieces == [""] else pieces


_SELDOM = st.integers(0, 5).map(lambda number: number == 5)


def _text(draw: st.DrawFn, block: TextBlock, ways: _Ways) -> _Parts:
    text, pieces = _pieces(draw, block.text, ways)
    citations = block.citations or ()
    first = draw(st.integers(0, len(citations))) if ways.prefilled and draw(_SELDOM) else 0
    early = block.citations if not citations else citations[:first] if first else draw(st.sampled_from([None, ()]))
    deltas: list[ContentBlockDelta] = [TextDelta(text=piece) for piece in pieces]
    # From the last to the first, each before the one that was put in before.
    place = len(deltas)
    for citation in reversed(citations[first:]):
        place = draw(st.integers(0, place).map(lambda drawn, most=place: most - drawn))  # type: ignore[misc]  # a default has no type
        deltas.insert(place, CitationsDelta(citation=citation))
    return attrs.evolve(block, text=text, citations=early), deltas


def _thinking(draw: st.DrawFn, block: ThinkingBlock, ways: _Ways) -> _Parts:
    thinking, pieces = _pieces(draw, block.thinking, ways)
    deltas: list[ContentBlockDelta] = [ThinkingDelta(thinking=piece) for piece in pieces]
    signature = block.signature
    if signature is not None and not (ways.prefilled and draw(_SELDOM)):
        signature = draw(st.sampled_from(["", None]))
        deltas.append(SignatureDelta(signature=block.signature or ""))
    return attrs.evolve(block, thinking=thinking, signature=signature), deltas


def _compaction(draw: st.DrawFn, block: CompactionBlock, ways: _Ways) -> _Parts:
    deltas: list[ContentBlockDelta] = []
    content = block.content
    if content is not None:
        text, pieces = _pieces(draw, content, ways)
        content = text or None
        deltas += [CompactionDelta(content=piece) for piece in pieces or [""]]
    encrypted = block.encrypted_content
    if encrypted is not None and not (ways.prefilled and draw(_SELDOM)):
        encrypted = None
        deltas.append(CompactionDelta(encrypted_content=block.encrypted_content))
    return attrs.evolve(block, content=content, encrypted_content=encrypted), deltas


def _input_fragments(value: Any, ways: _Ways) -> st.SearchStrategy[list[str]]:
    return partial_json_deltas(value) if ways.formatted else fragments(json.dumps(value, ensure_ascii=False))


def _tool_use(draw: st.DrawFn, block: ToolUseBlock, ways: _Ways) -> _Parts:
    if block.partial_input is not None:
        pieces = draw(fragments(block.partial_input))
    elif ways.prefilled and draw(_SELDOM):
        return block, []
    else:
        pieces = draw(_input_fragments(block.input, ways))
    deltas: list[ContentBlockDelta] = [InputJSONDelta(partial_json=piece) for piece in pieces]
    return attrs.evolve(block, input={}, partial_input=None), deltas


def _unknown(draw: st.DrawFn, block: UnknownBlock, ways: _Ways) -> _Parts:
    value = block.data.get("input")
    if not isinstance(value, dict) or not draw(st.booleans()):
        return block, []
    deltas: list[ContentBlockDelta] = [
        InputJSONDelta(partial_json=piece) for piece in draw(_input_fragments(value, ways))
    ]
    return UnknownBlock(data=block.data | {"input": {}}), deltas


# How each type of block is taken apart; one that is not here comes whole, at its start.
_TAKE_APART: dict[type[Any], Callable[[st.DrawFn, Any, _Ways], _Parts]] = {
    TextBlock: _text,
    ThinkingBlock: _thinking,
    CompactionBlock: _compaction,
    ToolUseBlock: _tool_use,
    ServerToolUseBlock: _tool_use,
    MCPToolUseBlock: _tool_use,
    UnknownBlock: _unknown,
}


# The message itself

# Where a field of the message comes: in `message_delta` itself, in its `delta`, or in its `usage`.
_TOP = [field.name for field in wire_fields(MessageDeltaEvent) if field.name not in ("delta", "usage")]
_INNER = [field.name for field in wire_fields(MessageDelta)]
_USAGE = [field.name for field in wire_fields(MessageDeltaUsage)]
_LATE_ONLY = ("stop_reason", "stop_sequence")


def _message_events(
    draw: st.DrawFn, message: Message, sparse: bool
) -> tuple[MessageStartEvent, list[MessageStreamEvent]]:
    """The start of the message, and the deltas that change it into what it is at the end."""
    count = draw(st.integers(1, 3)) if sparse else 1
    starting: dict[str, Any] = {"content": (), "model": _first_model(message)}
    starting_usage: dict[str, Any] = {}
    changes: list[dict[str, dict[str, Any]]] = [{"top": {}, "delta": {}, "usage": {}} for _ in range(count)]

    def place(name: str) -> int:
        """In which delta a field comes, counted from one; zero is the start."""
        if not sparse:
            return count
        return draw(st.integers(1 if name in _LATE_ONLY else 0, count))

    for part, names in (("top", _TOP), ("delta", _INNER)):
        for name in names:
            value = getattr(message, name)
            if value is not None and (at := place(name)) > 0:
                starting[name] = None
                changes[at - 1][part][name] = value
    for name in _USAGE if message.usage is not absent(Usage) else []:
        total = getattr(message.usage, name)
        # The API gives the output tokens in each message_delta.
        if total is not None and (at := count if name == "output_tokens" else place(name)) > 0:
            starting_usage[name], *later = _growing(draw, total, at) if isinstance(total, int) else [None] * at
            for change, so_far in zip(changes, [*later, total], strict=False):
                if so_far is not None:
                    change["usage"][name] = so_far
    if starting_usage:
        starting["usage"] = attrs.evolve(message.usage, **starting_usage)
    start = MessageStartEvent(message=attrs.evolve(message, **starting))
    return start, [_message_delta(change) for change in changes]


def _growing(draw: st.DrawFn, total: int, count: int) -> list[int]:
    """Counts on the way to `total`: they are of all so far, and only grow."""
    return sorted(draw(st.integers(0, total)) for _ in range(count))


def _message_delta(change: dict[str, dict[str, Any]]) -> MessageDeltaEvent:
    fields = dict(change["top"])
    if change["delta"]:
        fields["delta"] = MessageDelta(**change["delta"])
    if change["usage"]:
        fields["usage"] = MessageDeltaUsage(**change["usage"])
    return MessageDeltaEvent(**fields)


def _first_model(message: Message) -> str:
    """The model that began: a fallback block, where there is one, changes it."""
    fallbacks = [block for block in message.content if isinstance(block, FallbackBlock)]
    if not fallbacks:
        return message.model
    if fallbacks[-1].to.model != message.model:
        raise ValueError(f"the last fallback is to {fallbacks[-1].to.model!r}, but the model is {message.model!r}")
    return fallbacks[0].from_.model
