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
class Fault:
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


# Sound streams to break


def sound(draw: st.DrawFn, first: Any = TextBlock, second: Any = (TextBlock, ToolUseBlock)) -> Events:
    """Draw a legal stream whose block 0 is a text, or of the class `first`, and ends before the next block starts."""
    block = draw(content_blocks(first))
    message = draw(messages(blocks=content_blocks(*second), max_blocks=1, cut_off=False, details=False))
    message = attrs.evolve(message, content=(block, *message.content))
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


def replaced(events: Events, number: int, fault: Event | bytes) -> Fault:
    """Put a fault in the place of one event."""
    return Fault(events[:number], fault, events[number + 1 :])


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


def put(event: Callable[[st.DrawFn, Events], Event | bytes], where: _Where) -> Callable[[st.DrawFn], Fault]:
    """Return a function that inserts an event into a legal stream; `event` gets the events before it."""

    def draw_fault(draw: st.DrawFn) -> Fault:
        events = sound(draw)
        place = _place(draw, events, where)
        return Fault(events[:place], event(draw, events[:place]), events[place:])

    return draw_fault


# The faults


def misnamed(draw: st.DrawFn, name: st.SearchStrategy[str | None]) -> Fault:
    events = sound(draw)
    place = draw(st.integers(0, len(events) - 1))
    own = payload_of(events[place])["type"]
    other = draw(name)
    return replaced(events, place, frame(events[place], name="message" if other == own else other))


OTHER_NAMES: st.SearchStrategy[str | None] = st.sampled_from(["ping", "message", "content_block_delta", "new_event"])


def repeated_start(draw: st.DrawFn) -> Fault:
    events = sound(draw)
    return Fault(events[:1], events[0], events[1:])


def start_again(draw: st.DrawFn, before: Events) -> Event:
    return before[0]


def other_start(draw: st.DrawFn, before: Events) -> Event:
    start = payload_of(before[0])
    return start | {"message": start["message"] | {"id": "msg_2"}}


def start_after_stop(draw: st.DrawFn) -> Fault:
    events = sound(draw)
    return Fault(events, draw(st.sampled_from([events[0], other_start(draw, events)])), events[1:])


def without(kind: str) -> Callable[[st.DrawFn], Fault]:
    """Return a function that leaves out the first event of a type."""

    def draw_fault(draw: st.DrawFn) -> Fault:
        events = sound(draw)
        return replaced(events, number_of(kind, events), b"")

    return draw_fault


def truncated(draw: st.DrawFn) -> Fault:
    events = sound(draw)
    return Fault(events[: draw(st.integers(0, len(events) - 1))], b"")


def truncated_inside_event(draw: st.DrawFn) -> Fault:
    """Cut an event off before the last byte of its payload."""
    events = sound(draw)
    place = draw(st.integers(0, len(events) - 1))
    last = frame(events[place])
    return Fault(events[:place], last[: draw(st.integers(1, len(last) - 3))])


def missing_blank_line(draw: st.DrawFn) -> Fault:
    """Leave out the blank line at the end, and perhaps the line end before it."""
    events = sound(draw)
    last = frame(events[-1])
    return Fault(events[:-1], last[: len(last) - draw(st.integers(1, 2))])


def done(draw: st.DrawFn, where: Literal["before", "instead", "after"]) -> Fault:
    """Insert `[DONE]` before the stop reason, instead of `message_stop` or after it."""
    events = sound(draw)
    fault = draw(st.sampled_from([b"data: [DONE]\n\n", b"event: done\ndata: [DONE]\n\n"]))
    if where == "after":
        return Fault(events, fault)
    if where == "instead":
        # A message_delta without a stop reason does not end the message.
        events = [_with_stop_reason(event) for event in events]
        return Fault(events[:-1], fault)
    deltas = [number for number, event in enumerate(events) if payload_of(event)["type"] == "message_delta"]
    place = draw(st.integers(0, min(deltas, default=0)))
    return Fault(events[:place], fault, events[place:])


def _with_stop_reason(event: Event) -> Event:
    payload = payload_of(event)
    if payload["type"] != "message_delta":
        return payload
    return payload | {"delta": payload["delta"] | {"stop_reason": "end_turn"}}


_NO_EVENTS = [b"{oops}", b'{"type":"ping"', b"null", b"[1]", b'{"type":1}', b'"ping"', b"ping", b"\xff"]
NO_STREAMS = [
    b"<html><body>502 Bad Gateway</body></html>",
    b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}',
    b"upstream connect error or disconnect/reset before headers\n",
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03K\xcb\xcf\x07\x00!es\x8c",
]


def not_an_event(draw: st.DrawFn, _: Events) -> bytes:
    name = draw(st.sampled_from([b"", b"event: content_block_delta\n", b"event: message\n"]))
    return b"%sdata: %s\n\n" % (name, draw(st.sampled_from(_NO_EVENTS)))


def odd_ping(draw: st.DrawFn, _: Events) -> bytes:
    payloads = [b"{}", b'{"at":1}', b'{"type":"beat"}', b'{"type":1}', b'{"type":null}', b"still here", b"[]", b"null"]
    line = draw(st.sampled_from([b"", b"data\n", b"data:\n", *[b"data: %s\n" % payload for payload in payloads]]))
    return b"event: ping\n%s\n" % line


def empty_data(draw: st.DrawFn, _: Events) -> bytes:
    return draw(st.sampled_from([b"data:\n\n", b"event: content_block_delta\ndata: \n\n", b"event: message_stop\n\n"]))


def typeless(draw: st.DrawFn) -> Fault:
    """Leave out the type of a payload, or make it null; the `event:` line names it."""
    events = sound(draw)
    place = draw(st.integers(0, len(events) - 1))
    payload = payload_of(events[place])
    name = payload.pop("type")
    changed = payload | draw(st.sampled_from([{}, {"type": None}]))
    return replaced(events, place, frame(changed, name=name))


_COST = {"cost": 0.5, "choices": []}


def typeless_event(draw: st.DrawFn, _: Events) -> bytes:
    return frame(_COST | draw(st.sampled_from([{}, {"type": None}, {"error": None}])), name=draw(_NO_NAMES))


_NO_NAMES: st.SearchStrategy[str | None] = st.sampled_from([None, "message"])


def typeless_before_start(draw: st.DrawFn) -> Fault:
    events = sound(draw)
    return Fault([], frame(_COST, name=draw(_NO_NAMES)), events)


def empty_wrong_delta(draw: st.DrawFn, _: Events) -> Event:
    deltas: list[Event] = [
        delta_event(0, type="input_json_delta", partial_json=""),
        delta_event(0, type="thinking_delta", thinking=""),
        delta_event(0, type="signature_delta", signature=""),
        delta_event(0, type="compaction_delta", content=None),
    ]
    return draw(st.sampled_from(deltas))


def after_stop(draw: st.DrawFn) -> Fault:
    events = sound(draw)
    late = draw(st.sampled_from([*events[1:], unknown_event(draw, events)]))
    return Fault(events, late)


def error_event(draw: st.DrawFn) -> Fault:
    events = sound(draw)
    kind = draw(st.sampled_from(["overloaded_error", "api_error", "rate_limit_error", "new_error"]))
    error = {"type": "error", "error": {"type": kind, "message": draw(texts())}}
    return Fault(events[: draw(st.integers(0, len(events) - 1))], error, api_error=kind)


def odd_error(draw: st.DrawFn) -> Fault:
    """Insert an error in one of the shapes that servers and gateways are known to send."""
    events = sound(draw)
    words = "upstream reset"
    name, payload, kind = draw(
        st.sampled_from(
            [
                ("error", {"error": {"message": words}}, "api_error"),
                (None, {"error": {"message": words, "type": "server_error", "code": 500}}, "server_error"),
                ("message", {"error": words}, "api_error"),
                ("error", {"type": "error", "error": words}, "api_error"),
                ("error", {"type": "error", "message": words}, "api_error"),
                ("error", {"message": words}, "api_error"),
                ("error", {"type": "overloaded_error", "message": words}, "overloaded_error"),
                ("error", words, "api_error"),
                (None, {"type": "error", "error": {"type": "overloaded_error", "message": words}}, "overloaded_error"),
                (
                    "ping",
                    {"type": "error", "error": {"type": "rate_limit_error", "message": words}},
                    "rate_limit_error",
                ),
            ]
        )
    )
    text = words if payload == words and draw(st.booleans()) else json.dumps(payload)
    line = "" if name is None else f"event: {name}\n"
    fault = f"{line}data: {text}\n\n".encode()
    return Fault(events[: draw(st.integers(0, len(events) - 1))], fault, api_error=kind)


def unknown_event(draw: st.DrawFn, _: Events) -> Event:
    return {**draw(json_objects(max_leaves=2)), "type": "new_event"}


def unknown(draw: st.DrawFn) -> Fault:
    message = draw(messages(max_blocks=2, unknown=True))
    return Fault(draw(event_streams(message, pings=False, unknown=True)), b"")


def unfinished_input(draw: st.DrawFn) -> Fault:
    """Cut off the input of a tool although the stop reason is `tool_use`."""
    events = sound(draw, ToolUseBlock, (TextBlock,))
    stop = number_of("content_block_stop", events)
    text = draw(json_texts({"a": 1})).rstrip()
    partial = text[: draw(st.integers(text.index("{") + 1, len(text) - 1))]
    change = {"type": "message_delta", "delta": {"stop_reason": "tool_use"}}
    rest = [change if payload_of(event)["type"] == "message_delta" else event for event in events[stop:]]
    return Fault(events[:2], delta_event(0, type="input_json_delta", partial_json=partial), rest)


def wrong_input(draw: st.DrawFn) -> Fault:
    """Make the input of a tool wrong JSON. It is reported when the block stops."""
    events = sound(draw, ToolUseBlock)
    text = draw(json_texts({"a": 1})) + draw(st.sampled_from(["x", "}", "]", ",", '"', "{}"]))
    return Fault([*events[:2], delta_event(0, type="input_json_delta", partial_json=text)], block_stop(0))


def over_limit(draw: st.DrawFn) -> Fault:
    """Exceed a limit that the events before the fault only just keep."""
    events = sound(draw, second=(TextBlock,))
    place = _place(draw, events, "closed")
    before = events[:place]
    lines = [line for event in events for line in frame(event).split(b"\n")]
    longest = max(map(len, lines))
    deepest = max(_depth(payload_of(event)) for event in events)
    limits, fault = draw(
        st.sampled_from(
            [
                (Limits(max_blocks=started(before)), block_start(started(before))),
                (Limits(max_line_size=longest), {"type": "new_event", "text": "x" * longest}),
                (Limits(max_event_size=longest), {"type": "new_event", "text": "x" * longest}),
                (Limits(max_depth=deepest), {"type": "new_event", "value": deep([], deepest)}),
                (Limits(max_stream_size=sum(len(frame(event)) for event in before)), {"type": "ping"}),
            ]
        )
    )
    return Fault(before, fault, events[place:], limits=limits)


def _depth(value: Any) -> int:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if items is None else 1 + max(map(_depth, items), default=0)
