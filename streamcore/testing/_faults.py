"""The faults that a stream may have: each drawn with what comes before it and what would have come after."""

from __future__ import annotations

import json
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
    "MISSING_RESULTS",
    "MISSING_TEXTS",
    "MISSING_TOOL_FIELDS",
    "NO_STREAMS",
    "ODD_COUNTS",
    "OTHER_NAMES",
    "WRONG_COUNTS",
    "WRONG_INDEXES",
    "Fault",
    "about",
    "after_stop",
    "block_start",
    "counted",
    "delta_event",
    "done",
    "empty_data",
    "empty_wrong_delta",
    "error_event",
    "indexed",
    "lacking",
    "lone_surrogate",
    "misnamed",
    "missing",
    "missing_blank_line",
    "not_an_event",
    "odd_error",
    "odd_ping",
    "other_start",
    "over_limit",
    "put",
    "repeated_start",
    "split_surrogates",
    "start_after_stop",
    "start_again",
    "started",
    "truncated",
    "truncated_inside_event",
    "typeless",
    "typeless_before_start",
    "typeless_event",
    "unknown",
    "unknown_event",
    "without",
    "without_usage",
    "wrong_field",
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
    """The cut is before the last byte of the payload."""
    events = _sound(draw)
    place = draw(st.integers(0, len(events) - 1))
    last = frame(events[place])
    return Fault(events[:place], last[: draw(st.integers(1, len(last) - 3))])


def missing_blank_line(draw: st.DrawFn) -> Fault:
    """Nothing or only the line end follows the last payload."""
    events = _sound(draw)
    last = frame(events[-1])
    return Fault(events[:-1], last[: len(last) - draw(st.integers(1, 2))])


def done(draw: st.DrawFn, where: Literal["before", "instead", "after"]) -> Fault:
    """A `[DONE]`, before the stop reason has come, in place of `message_stop` or after it."""
    events = _sound(draw)
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


def not_an_event(draw: st.DrawFn, _: _Events) -> bytes:
    name = draw(st.sampled_from([b"", b"event: content_block_delta\n", b"event: message\n"]))
    return b"%sdata: %s\n\n" % (name, draw(st.sampled_from(_NO_EVENTS)))


def odd_ping(draw: st.DrawFn, _: _Events) -> bytes:
    payloads = [b"{}", b'{"at":1}', b'{"type":"beat"}', b'{"type":1}', b'{"type":null}', b"still here", b"[]", b"null"]
    line = draw(st.sampled_from([b"", b"data\n", b"data:\n", *[b"data: %s\n" % payload for payload in payloads]]))
    return b"event: ping\n%s\n" % line


def empty_data(draw: st.DrawFn, _: _Events) -> bytes:
    return draw(st.sampled_from([b"data:\n\n", b"event: content_block_delta\ndata: \n\n", b"event: message_stop\n\n"]))


def typeless(draw: st.DrawFn) -> Fault:
    """One payload has no type, or null; the `event:` line has it."""
    events = _sound(draw)
    place = draw(st.integers(0, len(events) - 1))
    payload = payload_of(events[place])
    name = payload.pop("type")
    changed = payload | draw(st.sampled_from([{}, {"type": None}]))
    return Fault(events[:place], frame(changed, name=name), events[place + 1 :])


_COST = {"cost": 0.5, "choices": []}


def typeless_event(draw: st.DrawFn, _: _Events) -> bytes:
    return frame(_COST | draw(st.sampled_from([{}, {"type": None}, {"error": None}])), name=draw(_NO_NAMES))


_NO_NAMES: st.SearchStrategy[str | None] = st.sampled_from([None, "message"])


def typeless_before_start(draw: st.DrawFn) -> Fault:
    events = _sound(draw)
    return Fault([], frame(_COST, name=draw(_NO_NAMES)), events)


# Fields that are absent, and numbers that are spelled oddly


def _without_key(draw: st.DrawFn, value: dict[str, Any], key: str) -> dict[str, Any]:
    """The object with this member absent or null."""
    rest = {name: item for name, item in value.items() if name != key}
    return rest | draw(st.sampled_from([{}, {key: None}]))


def lacking(kind: str, member: str, keys: Sequence[str]) -> Callable[[st.DrawFn], Fault]:
    """Takes one of these keys from an object in the first event of a type."""

    def draw_fault(draw: st.DrawFn) -> Fault:
        events = _sound(draw)
        place = next(number for number, event in enumerate(events) if payload_of(event)["type"] == kind)
        payload = payload_of(events[place])
        changed = payload | {member: _without_key(draw, payload[member], draw(st.sampled_from(keys)))}
        return Fault(events[:place], changed, events[place + 1 :])

    return draw_fault


def without_usage(draw: st.DrawFn) -> Fault:
    events = _sound(draw)
    kind = draw(st.sampled_from(["message_start", "message_delta"]))
    place = next(number for number, event in enumerate(events) if payload_of(event)["type"] == kind)
    payload = payload_of(events[place])
    if kind == "message_start":
        changed = payload | {"message": _without_key(draw, payload["message"], "usage")}
    else:
        changed = _without_key(draw, payload, "usage")
    return Fault(events[:place], changed, events[place + 1 :])


_Missing: TypeAlias = tuple[dict[str, Any], dict[str, Any] | None, str]

_THINKING = {"type": "thinking", "thinking": "", "signature": ""}
_TOOL = {"type": "tool_use", "id": "toolu_1", "name": "search", "input": {}}
_SEARCH = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
_FOUND = {"type": "web_search_result", "url": "u", "title": "t", "encrypted_content": "x"}
_CITATION = {
    "type": "web_search_result_location",
    "cited_text": "c",
    "url": "u",
    "title": "t",
    "encrypted_index": "x",
}

# A block, a delta for it or None, and the field that is missing in the delta, or else in the block.
MISSING_TEXTS: list[_Missing] = [
    ({"type": "text", "text": ""}, None, "text"),
    (_THINKING, None, "thinking"),
    ({"type": "text", "text": "a"}, {"type": "text_delta", "text": "x"}, "text"),
    (_THINKING, {"type": "thinking_delta", "thinking": "x"}, "thinking"),
    (_THINKING | {"signature": "s"}, {"type": "signature_delta", "signature": "x"}, "signature"),
    (_TOOL, {"type": "input_json_delta", "partial_json": "{}"}, "partial_json"),
]
MISSING_TOOL_FIELDS: list[_Missing] = [
    (_TOOL | {"type": kind, **more}, None, key)
    for kind, more in (("tool_use", {}), ("server_tool_use", {}), ("mcp_tool_use", {"server_name": "s"}))
    for key in ("id", "name", "input")
]
MISSING_RESULTS: list[_Missing] = [
    (_SEARCH, None, "content"),
    (_SEARCH | {"type": "bash_code_execution_tool_result"}, None, "content"),
    (_FOUND, None, "encrypted_content"),
    ({"type": "text", "text": ""}, {"type": "citations_delta", "citation": _CITATION}, "encrypted_index"),
]


def missing(cases: Sequence[_Missing]) -> Callable[[st.DrawFn], Fault]:
    """A stream of one block, in which a field is absent or null."""

    def draw_fault(draw: st.DrawFn) -> Fault:
        start, *_, change, stop = _sound(draw)
        block, delta, key = draw(st.sampled_from(cases))
        if delta is None:
            block = _without_key(draw, block, key)
        elif "citation" in delta:
            delta = delta | {"citation": _without_key(draw, delta["citation"], key)}
        else:
            delta = _without_key(draw, delta, key)
        if block["type"] == "web_search_result":
            block = _SEARCH | {"content": [block]}
        first: Event = {"type": "content_block_start", "index": 0, "content_block": block}
        rest = [_block_stop(0), change, stop]
        if delta is None:
            return Fault([start], first, rest)
        return Fault([start, first], delta_event(0, **delta), rest)

    return draw_fault


# Halves are rounded to the even integer: 2.5 is 2, and 3.5 is 4.
ODD_COUNTS: st.SearchStrategy[Any] = st.sampled_from([7.0, 2.5, 3.5, 0.1, 1e3, "0", "12", "007"])
WRONG_COUNTS: st.SearchStrategy[Any] = st.sampled_from([True, "", "-1", "1.5", " 1", "many", "\u0661", [], {}])


def counted(draw: st.DrawFn, counts: st.SearchStrategy[Any]) -> Fault:
    events = _sound(draw)
    kind = draw(st.sampled_from(["message_start", "message_delta"]))
    place = next(number for number, event in enumerate(events) if payload_of(event)["type"] == kind)
    payload = payload_of(events[place])
    holder = payload["message"] if kind == "message_start" else payload
    usage = holder.get("usage", {}) | {draw(st.sampled_from(["input_tokens", "output_tokens"])): draw(counts)}
    changed = payload | ({"message": holder | {"usage": usage}} if kind == "message_start" else {"usage": usage})
    return Fault(events[:place], changed, events[place + 1 :])


WRONG_INDEXES: st.SearchStrategy[Callable[[int], Any]] = st.sampled_from(
    [lambda _: None, str, bool, lambda index: index + 0.5, lambda index: [index]]
)


def indexed(draw: st.DrawFn, changed: Callable[[int], Any]) -> Fault:
    """One event of a block has its index changed. None takes it away."""
    events = _sound(draw)
    places = [number for number, event in enumerate(events) if "index" in payload_of(event)]
    place = draw(st.sampled_from(places))
    payload = payload_of(events[place])
    index = changed(payload["index"])
    fault = _without_key(draw, payload, "index") if index is None else payload | {"index": index}
    return Fault(events[:place], fault, events[place + 1 :])


def wrong_field(draw: st.DrawFn, _: _Events) -> Event:
    """Values of the wrong JSON type, and fields that must be there."""
    deltas: list[Event] = [
        delta_event(0, type="text_delta", text=1),
        delta_event(0, type="text_delta", text=["x"]),
        delta_event(0, type="input_json_delta", partial_json={"a": 1}),
        {"type": "content_block_delta", "index": 0, "delta": "x"},
        {"type": "content_block_delta", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": {}}},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "redacted_thinking"}},
        {"type": "message_delta", "delta": []},
    ]
    return draw(st.sampled_from(deltas))


# Surrogates: a server that cuts text by UTF-16 units sends half of a character


def _escaped(event: Event) -> bytes:
    """The event with everything beyond ASCII escaped, as half of a pair must be."""
    payload = payload_of(event)
    return f"event: {payload['type']}\ndata: {json.dumps(payload)}\n\n".encode()


_GROWING: st.SearchStrategy[tuple[dict[str, Any], str, str]] = st.sampled_from(
    [
        ({"type": "text", "text": ""}, "text_delta", "text"),
        (_THINKING, "thinking_delta", "thinking"),
        (_TOOL, "input_json_delta", "partial_json"),
    ]
)


def _grown(draw: st.DrawFn, pieces: Sequence[str]) -> Fault:
    start, *_, change, stop = _sound(draw)
    block, kind, key = draw(_GROWING)
    if key == "partial_json":
        pieces = ['{"a":"', *pieces, '"}']
    first: Event = {"type": "content_block_start", "index": 0, "content_block": block}
    deltas = [_escaped(delta_event(0, **{"type": kind, key: piece})) for piece in pieces]
    return Fault([start, first], b"".join(deltas), [_block_stop(0), change, stop])


def split_surrogates(draw: st.DrawFn) -> Fault:
    units = draw(texts(max_size=4)).replace('"', "").replace("\\", "") + "\U0001f600"
    encoded = units.encode("utf-16-le")
    cut_at_units = [encoded[at : at + 2].decode("utf-16-le", "surrogatepass") for at in range(0, len(encoded), 2)]
    return _grown(draw, [piece for piece in cut_at_units if piece >= " "])


def lone_surrogate(draw: st.DrawFn) -> Fault:
    half = draw(st.sampled_from(["\ud83d", "\ude00", "\ude00\ud83d"]))
    return _grown(draw, ["a", half, "b"])


def empty_wrong_delta(draw: st.DrawFn, _: _Events) -> Event:
    deltas: list[Event] = [
        delta_event(0, type="input_json_delta", partial_json=""),
        delta_event(0, type="thinking_delta", thinking=""),
        delta_event(0, type="signature_delta", signature=""),
        delta_event(0, type="compaction_delta", content=None),
    ]
    return draw(st.sampled_from(deltas))


def after_stop(draw: st.DrawFn) -> Fault:
    events = _sound(draw)
    late = draw(st.sampled_from([*events[1:], unknown_event(draw, events)]))
    return Fault(events, late)


def error_event(draw: st.DrawFn) -> Fault:
    events = _sound(draw)
    kind = draw(st.sampled_from(["overloaded_error", "api_error", "rate_limit_error", "new_error"]))
    error = {"type": "error", "error": {"type": kind, "message": draw(texts())}}
    return Fault(events[: draw(st.integers(0, len(events) - 1))], error, api_error=kind)


def odd_error(draw: st.DrawFn) -> Fault:
    """The words of a server that failed, in the shapes that are known of servers and gateways."""
    events = _sound(draw)
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
