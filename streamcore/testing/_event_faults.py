"""The faults that a stream may have, each drawn with the events before it and those that would have come after it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

import attrs
from hypothesis import strategies as st

from streamcore.limits import DEFAULT_LIMITS, Limits
from streamcore.testing._events import event_streams
from streamcore.testing._json import deep, json_objects, json_texts, texts
from streamcore.testing._values import content_blocks, messages
from streamcore.testing._wire import Event, frame, payload_of
from streamcore.types import TextBlock, ToolUseBlock

Events: TypeAlias = list[Event]
_Where: TypeAlias = Literal["anywhere", "inside", "open", "closed"]


@attrs.frozen
class FaultyStream:
    """A stream with a fault.

    Attributes:
        before: The events before the fault.
        fault: The fault, as an event or as bytes.
        after: The events that follow it.
        api_error: The type of the error, if the fault is an `error` event. Engines deliver it, and end the stream.
        limits: The limits that the fault exceeds.
    """

    before: Sequence[Event]
    fault: Event | bytes
    after: Sequence[Event] = ()
    api_error: str | None = None
    limits: Limits = DEFAULT_LIMITS


Draw: TypeAlias = Callable[[st.DrawFn], FaultyStream]
"""Draws a stream with a fault."""


# Sound streams to break


def sound(draw: st.DrawFn, first: Any = TextBlock, second: Any = (TextBlock, ToolUseBlock)) -> Events:
    """Draw a legal stream whose block 0 is a text, or of the class `first`, and ends before the next block starts."""
    block = draw(content_blocks(first))
    message = draw(messages(blocks=content_blocks(*second), max_blocks=1, cut_off=False, details=False))
    message = attrs.evolve(message, content=[block, *message.content])
    return list(draw(event_streams(message, prefilled=False, sparse=False, formatted=False, pings=False)))


def _place(draw: st.DrawFn, events: Events, where: _Where) -> int:
    """Draw how many of the events come before the fault.

    It is anywhere, inside the message, while block 0 is open, or between the end of block 0 and that of the message.
    """
    stop = number_of("content_block_stop", events)
    bounds = {"anywhere": (0, len(events)), "inside": (1, len(events) - 1), "open": (2, stop)}
    return draw(st.integers(*bounds.get(where, (stop + 1, len(events) - 1))))


def number_of(kind: str, events: Events) -> int:
    """Return the number of the first event of a type."""
    return next(number for number, event in enumerate(events) if payload_of(event)["type"] == kind)


def replaced(events: Events, number: int, fault: Event | bytes) -> FaultyStream:
    """Put a fault in the place of one event."""
    return FaultyStream(events[:number], fault, events[number + 1 :])


def started(events: Sequence[Event]) -> int:
    return sum(payload_of(event)["type"] == "content_block_start" for event in events)


def delta_event(index: int, **fields: Any) -> Event:
    return {"type": "content_block_delta", "index": index, "delta": fields}


def block_start(index: int) -> Event:
    return {"type": "content_block_start", "index": index, "content_block": {"type": "text", "text": ""}}


def block_stop(index: int) -> Event:
    return {"type": "content_block_stop", "index": index}


def about(draw: st.DrawFn, index: int, *, start: bool = False) -> Event:
    """Draw an event about the block with this index."""
    delta = delta_event(index, type="text_delta", text="x")
    return draw(st.sampled_from([delta, block_stop(index), *([block_start(index)] if start else [])]))


_Insert: TypeAlias = Sequence[Event | bytes] | Callable[[st.DrawFn, Events], Event | bytes]


def put(inserted: _Insert, where: _Where) -> Draw:
    """Return a function that inserts one of these events into a legal stream, or draws it for the events before it."""

    def draw_fault(draw: st.DrawFn) -> FaultyStream:
        events = sound(draw)
        place = _place(draw, events, where)
        event = inserted(draw, events[:place]) if callable(inserted) else draw(st.sampled_from(inserted))
        return FaultyStream(events[:place], event, events[place:])

    return draw_fault


def changed(change: Callable[[st.DrawFn, dict[str, Any]], Event | bytes]) -> Draw:
    """Return a function that changes one event of a legal stream; `change` gets its payload."""

    def draw_fault(draw: st.DrawFn) -> FaultyStream:
        events = sound(draw)
        place = draw(st.integers(0, len(events) - 1))
        return replaced(events, place, change(draw, payload_of(events[place])))

    return draw_fault


# The faults


def misnamed(draw: st.DrawFn, payload: dict[str, Any]) -> bytes:
    names = ["ping", "message", "content_block_delta", "new_event"]
    return frame(payload, name=draw(st.sampled_from([name for name in names if name != payload["type"]])))


def repeated_start(draw: st.DrawFn) -> FaultyStream:
    start, *events = sound(draw)
    return FaultyStream([start], start, events)


def other_start(draw: st.DrawFn, before: Events) -> Event:
    start = payload_of(before[0])
    return start | {"message": start["message"] | {"id": "msg_2"}}


def start_after_stop(draw: st.DrawFn) -> FaultyStream:
    events = sound(draw)
    return FaultyStream(events, draw(st.sampled_from([events[0], other_start(draw, events)])), events[1:])


def without(kind: str) -> Draw:
    """Return a function that leaves out the first event of a type."""

    def draw_fault(draw: st.DrawFn) -> FaultyStream:
        events = sound(draw)
        return replaced(events, number_of(kind, events), b"")

    return draw_fault


def truncated(draw: st.DrawFn) -> FaultyStream:
    return FaultyStream(_cut_off(draw), b"")


def _cut_off(draw: st.DrawFn) -> Events:
    events = sound(draw)
    return events[: draw(st.integers(0, len(events) - 1))]


def truncated_inside_event(draw: st.DrawFn) -> FaultyStream:
    """Cut an event off before the last byte of its payload."""
    events = sound(draw)
    place = draw(st.integers(0, len(events) - 1))
    last = frame(events[place])
    return FaultyStream(events[:place], last[: draw(st.integers(1, len(last) - 3))])


def missing_blank_line(draw: st.DrawFn) -> FaultyStream:
    """Leave out the blank line at the end, and perhaps the line end before it."""
    events = sound(draw)
    last = frame(events[-1])
    return FaultyStream(events[:-1], last[: len(last) - draw(st.integers(1, 2))])


def done(draw: st.DrawFn, where: Literal["before", "instead", "after"]) -> FaultyStream:
    """Insert `[DONE]` before the stop reason, instead of `message_stop` or after it."""
    events = sound(draw)
    fault = draw(st.sampled_from([b"data: [DONE]\n\n", b"event: done\ndata: [DONE]\n\n"]))
    if where == "after":
        return FaultyStream(events, fault)
    if where == "instead":
        # A message_delta without a stop reason does not end the message.
        events = [_with_stop_reason(event) for event in events]
        return FaultyStream(events[:-1], fault)
    deltas = [number for number, event in enumerate(events) if payload_of(event)["type"] == "message_delta"]
    place = draw(st.integers(0, min(deltas, default=0)))
    return FaultyStream(events[:place], fault, events[place:])


def _with_stop_reason(event: Event) -> Event:
    payload = payload_of(event)
    if payload["type"] != "message_delta":
        return payload
    return payload | {"delta": payload["delta"] | {"stop_reason": "end_turn"}}


_TEXTS = [b"{oops}", b'{"type":"ping"', b"null", b"[1]", b'{"type":1}', b'"ping"', b"ping", b"\xff"]
NO_EVENTS = [
    b"%sdata: %s\n\n" % (name, text)
    for name in (b"", b"event: content_block_delta\n", b"event: message\n")
    for text in _TEXTS
]
NO_STREAMS = [
    b"<html><body>502 Bad Gateway</body></html>",
    b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}',
    b"upstream connect error or disconnect/reset before headers\n",
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03K\xcb\xcf\x07\x00!es\x8c",
]


_PINGS = [b"{}", b'{"at":1}', b'{"type":"beat"}', b'{"type":1}', b'{"type":null}', b"still here", b"[]", b"null"]
ODD_PINGS = [b"event: ping\n\n", b"event: ping\ndata\n\n", b"event: ping\ndata:\n\n"]
ODD_PINGS += [b"event: ping\ndata: %s\n\n" % payload for payload in _PINGS]
EMPTY_DATA = [b"data:\n\n", b"event: content_block_delta\ndata: \n\n", b"event: message_stop\n\n"]


def typeless(draw: st.DrawFn, payload: dict[str, Any]) -> bytes:
    """Leave out the type of a payload, or make it null; the `event:` line names it."""
    kind = payload.pop("type")
    return frame(payload | draw(st.sampled_from([{}, {"type": None}])), name=kind)


_COST = {"cost": 0.5, "choices": []}
TYPELESS_EVENTS = [
    frame(_COST | more, name=name) for name in (None, "message") for more in ({}, {"type": None}, {"error": None})
]


def typeless_before_start(draw: st.DrawFn) -> FaultyStream:
    return FaultyStream([], frame(_COST, name=draw(st.sampled_from([None, "message"]))), sound(draw))


EMPTY_WRONG_DELTAS = [
    delta_event(0, type="input_json_delta", partial_json=""),
    delta_event(0, type="thinking_delta", thinking=""),
    delta_event(0, type="signature_delta", signature=""),
    delta_event(0, type="compaction_delta", content=None),
]


def after_stop(draw: st.DrawFn) -> FaultyStream:
    events = sound(draw)
    late = draw(st.sampled_from([*events[1:], unknown_event(draw, events)]))
    return FaultyStream(events, late)


def error_event(draw: st.DrawFn) -> FaultyStream:
    kind = draw(st.sampled_from(["overloaded_error", "api_error", "rate_limit_error", "new_error"]))
    error = {"type": "error", "error": {"type": kind, "message": draw(texts())}}
    return FaultyStream(_cut_off(draw), error, api_error=kind)


# The shapes of errors that servers and gateways are known to send: the name of the event, its payload, and the type of
# the error.
_WORDS = "upstream reset"
_ODD_ERRORS: list[tuple[str | None, Any, str]] = [
    ("error", {"error": {"message": _WORDS}}, "api_error"),
    (None, {"error": {"message": _WORDS, "type": "server_error", "code": 500}}, "server_error"),
    ("message", {"error": _WORDS}, "api_error"),
    ("error", {"type": "error", "error": _WORDS}, "api_error"),
    ("error", {"type": "error", "message": _WORDS}, "api_error"),
    ("error", {"message": _WORDS}, "api_error"),
    ("error", {"type": "overloaded_error", "message": _WORDS}, "overloaded_error"),
    ("error", _WORDS, "api_error"),
    (None, {"type": "error", "error": {"type": "overloaded_error", "message": _WORDS}}, "overloaded_error"),
    ("ping", {"type": "error", "error": {"type": "rate_limit_error", "message": _WORDS}}, "rate_limit_error"),
]


def odd_error(draw: st.DrawFn) -> FaultyStream:
    name, payload, kind = draw(st.sampled_from(_ODD_ERRORS))
    text = _WORDS if payload == _WORDS and draw(st.booleans()) else json.dumps(payload)
    line = "" if name is None else f"event: {name}\n"
    return FaultyStream(_cut_off(draw), f"{line}data: {text}\n\n".encode(), api_error=kind)


def unknown_event(draw: st.DrawFn, _: Events) -> Event:
    return {**draw(json_objects(max_leaves=2)), "type": "new_event"}


def unknown(draw: st.DrawFn) -> FaultyStream:
    message = draw(messages(max_blocks=2, unknown=True))
    return FaultyStream(draw(event_streams(message, pings=False, unknown=True)), b"")


def unfinished_input(draw: st.DrawFn) -> FaultyStream:
    """Cut off the input of a tool although the stop reason is `tool_use`."""
    events = sound(draw, ToolUseBlock, (TextBlock,))
    stop = number_of("content_block_stop", events)
    text = draw(json_texts({"a": 1})).rstrip()
    partial = text[: draw(st.integers(text.index("{") + 1, len(text) - 1))]
    change = {"type": "message_delta", "delta": {"stop_reason": "tool_use"}}
    rest = [change if payload_of(event)["type"] == "message_delta" else event for event in events[stop:]]
    return FaultyStream(events[:2], delta_event(0, type="input_json_delta", partial_json=partial), rest)


def wrong_input(draw: st.DrawFn) -> FaultyStream:
    """Make the input of a tool wrong JSON. It is reported when the block stops."""
    events = sound(draw, ToolUseBlock)
    text = draw(json_texts({"a": 1})) + draw(st.sampled_from(["x", "}", "]", ",", '"', "{}"]))
    return FaultyStream([*events[:2], delta_event(0, type="input_json_delta", partial_json=text)], block_stop(0))


def over_limit(draw: st.DrawFn) -> FaultyStream:
    """Exceed a limit that the events before the fault only just keep."""
    events = sound(draw, second=(TextBlock,))
    place = _place(draw, events, "closed")
    before = events[:place]
    lines = [line for event in events for line in frame(event).split(b"\n")]
    longest = max(map(len, lines))
    deepest = max(_depth(payload_of(event)) for event in events)
    most_containers = max(frame(event).count(b"{") + frame(event).count(b"[") for event in events)
    new_block = {"type": "new_block", "a": 1, "b": 2}
    new_start = {"type": "content_block_start", "index": started(before), "content_block": new_block}
    limits, fault = draw(
        st.sampled_from(
            [
                (Limits(max_blocks=started(before)), block_start(started(before))),
                (Limits(max_line_size=longest), {"type": "new_event", "text": "x" * longest}),
                (Limits(max_event_size=longest), {"type": "new_event", "text": "x" * longest}),
                (Limits(max_depth=deepest), {"type": "new_event", "value": deep([], deepest)}),
                (Limits(max_stream_size=sum(len(frame(event)) for event in before)), {"type": "ping"}),
                (Limits(max_containers=most_containers), {"type": "new_event", "value": [[]] * most_containers}),
                (Limits(max_unknown_fields=2), new_start),
            ]
        )
    )
    return FaultyStream(before, fault, events[place:], limits=limits)


def _depth(value: Any) -> int:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if items is None else 1 + max(map(_depth, items), default=0)
