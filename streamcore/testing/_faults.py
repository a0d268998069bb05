"""The faults that a stream may have: each drawn with what comes before it and what would have come after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

import attrs
from hypothesis import strategies as st

from streamcore.limits import DEFAULT_LIMITS, Limits
from streamcore.testing._events import event_streams
from streamcore.testing._json import json_objects, json_texts, texts
from streamcore.testing._values import content_blocks, messages
from streamcore.testing._wire import Event, frame, payload_of
from streamcore.types import TextBlock, ToolUseBlock

__all__ = [
    "NO_STREAMS",
    "OTHER_NAMES",
    "Fault",
    "about",
    "after_stop",
    "block_start",
    "delta_event",
    "error_event",
    "misnamed",
    "not_an_event",
    "other_start",
    "over_limit",
    "put",
    "repeated_start",
    "start_after_stop",
    "start_again",
    "started",
    "truncated",
    "truncated_inside_event",
    "unknown",
    "unknown_event",
    "without",
    "wrong_input",
]

_Events: TypeAlias = list[Event]
_Where: TypeAlias = Literal["anywhere", "inside", "open", "closed"]


@attrs.frozen
class Fault:
    """A stream with a fault: what came before, the fault, and what would have come."""

    before: Sequence[Event]
    fault: Event | bytes
    after: Sequence[Event] = ()
    # The type of the error, where an `error` event is the fault: it is delivered, and ends the stream.
    api_error: str | None = None
    limits: Limits = DEFAULT_LIMITS


# Sound streams to break


def _sound(draw: st.DrawFn, first: Any = TextBlock, second: Any = (TextBlock, ToolUseBlock)) -> _Events:
    """The events of a stream whose block 0 is a text, or of the class `first`, and comes first and alone."""
    block = draw(content_blocks(first))
    message = draw(messages(blocks=content_blocks(*second), max_blocks=1, cut_off=False, details=False))
    message = attrs.evolve(message, content=(block, *message.content))
    return list(draw(event_streams(message, prefilled=False, sparse=False, formatted=False, pings=False)))


def _place(draw: st.DrawFn, events: _Events, where: _Where) -> int:
    """How many of the events come before the fault: any number; or more than the first and less than all; or such that
    block 0 is open, or closed and the message is not.
    """
    stop = next(number for number, event in enumerate(events) if payload_of(event)["type"] == "content_block_stop")
    bounds = {"anywhere": (0, len(events)), "inside": (1, len(events) - 1), "open": (2, stop)}
    return draw(st.integers(*bounds.get(where, (stop + 1, len(events) - 1))))


def started(events: Sequence[Event]) -> int:
    return sum(payload_of(event)["type"] == "content_block_start" for event in events)


def delta_event(index: int, **fields: Any) -> Event:
    return {"type": "content_block_delta", "index": index, "delta": fields}


def block_start(index: int) -> Event:
    return {"type": "content_block_start", "index": index, "content_block": {"type": "text", "text": ""}}


def _block_stop(index: int) -> Event:
    return {"type": "content_block_stop", "index": index}


def about(draw: st.DrawFn, index: int, *, start: bool = False) -> Event:
    """Some event about the block with this index."""
    delta = delta_event(index, type="text_delta", text="x")
    return draw(st.sampled_from([delta, _block_stop(index), *([block_start(index)] if start else [])]))


def put(
    event: Callable[[st.DrawFn, _Events], Event | bytes],
    where: _Where,
    **options: Any,
) -> Callable[[st.DrawFn], Fault]:
    """Puts an event, made for those before it, into a sound stream."""

    def draw_fault(draw: st.DrawFn) -> Fault:
        events = _sound(draw)
        place = _place(draw, events, where)
        return Fault(events[:place], event(draw, events[:place]), events[place:], **options)

    return draw_fault


# The faults


def misnamed(draw: st.DrawFn, name: st.SearchStrategy[str | None]) -> Fault:
    events = _sound(draw)
    place = draw(st.integers(0, len(events) - 1))
    own = payload_of(events[place])["type"]
    other = draw(name)
    return Fault(events[:place], frame(events[place], name="message" if other == own else other), events[place + 1 :])


OTHER_NAMES: st.SearchStrategy[str | None] = st.sampled_from(["ping", "message", "content_block_delta", "new_event"])


def repeated_start(draw: st.DrawFn) -> Fault:
    events = _sound(draw)
    return Fault(events[:1], events[0], events[1:])


def start_again(draw: st.DrawFn, before: _Events) -> Event:
    return before[0]


def other_start(draw: st.DrawFn, before: _Events) -> Event:
    start = payload_of(before[0])
    return start | {"message": start["message"] | {"id": "msg_2"}}


def start_after_stop(draw: st.DrawFn) -> Fault:
    events = _sound(draw)
    return Fault(events, draw(st.sampled_from([events[0], other_start(draw, events)])), events[1:])


def without(kind: str) -> Callable[[st.DrawFn], Fault]:
    """Takes the first event of a type away."""

    def draw_fault(draw: st.DrawFn) -> Fault:
        events = _sound(draw)
        place = next(number for number, event in enumerate(events) if payload_of(event)["type"] == kind)
        return Fault(events[:place], b"", events[place + 1 :])

    return draw_fault


def truncated(draw: st.DrawFn) -> Fault:
    events = _sound(draw)
    return Fault(events[: draw(st.integers(0, len(events) - 1))], b"")


def truncated_inside_event(draw: st.DrawFn) -> Fault:
    events = _sound(draw)
    place = draw(st.integers(0, len(events) - 1))
    last = frame(events[place])
    return Fault(events[:place], last[: draw(st.integers(1, len(last) - 1))])


_NO_EVENTS = [b"{oops}", b'{"type":"ping"', b"", b"null", b"[1]", b"{}", b'{"type":1}', b'"ping"', b"ping"]
NO_STREAMS = [
    b"<html><body>502 Bad Gateway</body></html>",
    b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}',
    b"upstream connect error or disconnect/reset before headers\n",
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03K\xcb\xcf\x07\x00!es\x8c",
]


def not_an_event(draw: st.DrawFn, _: _Events) -> bytes:
    return b"event: ping\ndata: %s\n\n" % draw(st.sampled_from(_NO_EVENTS))


def after_stop(draw: st.DrawFn) -> Fault:
    events = _sound(draw)
    late = draw(st.sampled_from([*events[1:], unknown_event(draw, events)]))
    return Fault(events, late)


def error_event(draw: st.DrawFn) -> Fault:
    events = _sound(draw)
    kind = draw(st.sampled_from(["overloaded_error", "api_error", "rate_limit_error", "new_error"]))
    error = {"type": "error", "error": {"type": kind, "message": draw(texts())}}
    return Fault(events[: draw(st.integers(0, len(events) - 1))], error, api_error=kind)


def unknown_event(draw: st.DrawFn, _: _Events) -> Event:
    return {**draw(json_objects(max_leaves=2)), "type": "new_event"}


def unknown(draw: st.DrawFn) -> Fault:
    message = draw(messages(max_blocks=2, unknown=True))
    return Fault(draw(event_streams(message, pings=False, unknown=True)), b"")


def wrong_input(draw: st.DrawFn) -> Fault:
    """A tool's input that no JSON begins with is found out when its block stops."""
    events = _sound(draw, ToolUseBlock)
    text = draw(json_texts({"a": 1})) + draw(st.sampled_from(["x", "}", "]", ",", '"', "{}"]))
    return Fault([*events[:2], delta_event(0, type="input_json_delta", partial_json=text)], _block_stop(0))


# Over a limit: the limit is what the events before the fault just keep to.


def over_limit(draw: st.DrawFn) -> Fault:
    events = _sound(draw, second=(TextBlock,))
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
                (Limits(max_depth=deepest), {"type": "new_event", "value": _nested(deepest)}),
                (Limits(max_stream_size=sum(len(frame(event)) for event in before)), {"type": "ping"}),
            ]
        )
    )
    return Fault(before, fault, events[place:], limits=limits)


def _depth(value: Any) -> int:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if items is None else 1 + max(map(_depth, items), default=0)


def _nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth - 1):
        value = [value]
    return value
