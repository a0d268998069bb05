"""Faults of fields: fields that are absent, odd numbers, wrong JSON types, and halves of surrogate pairs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from hypothesis import strategies as st

from streamcore.testing._event_faults import Draw, FaultyStream, block_stop, delta_event, number_of, replaced, sound
from streamcore.testing._json import texts
from streamcore.testing._wire import Event, payload_of


def _without_key(draw: st.DrawFn, value: dict[str, Any], key: str) -> dict[str, Any]:
    """Remove this member from an object, or make it null."""
    rest = {name: item for name, item in value.items() if name != key}
    return rest | draw(st.sampled_from([{}, {key: None}]))


def lacking(kind: str, member: str, keys: Sequence[str]) -> Draw:
    """Return a function that removes one of these keys from an object in the first event of a type."""

    def draw_fault(draw: st.DrawFn) -> FaultyStream:
        events = sound(draw)
        place = number_of(kind, events)
        payload = payload_of(events[place])
        changed = payload | {member: _without_key(draw, payload[member], draw(st.sampled_from(keys)))}
        return replaced(events, place, changed)

    return draw_fault


def _with_usage(draw: st.DrawFn, change: Callable[[dict[str, Any]], dict[str, Any]]) -> FaultyStream:
    """Change the object with the usage, in `message_start` or in `message_delta`."""
    events = sound(draw)
    kind = draw(st.sampled_from(["message_start", "message_delta"]))
    place = number_of(kind, events)
    payload = payload_of(events[place])
    if kind == "message_start":
        return replaced(events, place, payload | {"message": change(payload["message"])})
    return replaced(events, place, change(payload))


def without_usage(draw: st.DrawFn) -> FaultyStream:
    return _with_usage(draw, lambda holder: _without_key(draw, holder, "usage"))


def counted(draw: st.DrawFn, counts: Sequence[Any]) -> FaultyStream:
    count = {draw(st.sampled_from(["input_tokens", "output_tokens"])): draw(st.sampled_from(counts))}
    return _with_usage(draw, lambda holder: holder | {"usage": holder.get("usage", {}) | count})


# Halves are rounded to the even integer: 2.5 to 2, and 3.5 to 4.
ODD_COUNTS: list[Any] = [7.0, 2.5, 3.5, 0.1, 1e3, "0", "12", "007"]
WRONG_COUNTS: list[Any] = [True, "", "-1", "1.5", " 1", "many", "\u0661", [], {}]


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

# A block, a delta for it or None, and the field that is missing: in the delta if there is one, else in the block.
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


def missing(cases: Sequence[_Missing]) -> Draw:
    """Return a function that draws a stream of one block, with a field absent or null in it or in its delta."""

    def draw_fault(draw: st.DrawFn) -> FaultyStream:
        start, *_, change, stop = sound(draw)
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
        rest = [block_stop(0), change, stop]
        if delta is None:
            return FaultyStream([start], first, rest)
        return FaultyStream([start, first], delta_event(0, **delta), rest)

    return draw_fault


WRONG_INDEXES: list[Callable[[int], Any]] = [
    lambda _: None,
    str,
    bool,
    lambda index: index + 0.5,
    lambda index: [index],
]


def indexed(draw: st.DrawFn, changed: Callable[[int], Any]) -> FaultyStream:
    """Change the index in one event of a block, or remove it if `changed` returns None."""
    events = sound(draw)
    places = [number for number, event in enumerate(events) if "index" in payload_of(event)]
    place = draw(st.sampled_from(places))
    payload = payload_of(events[place])
    index = changed(payload["index"])
    fault = _without_key(draw, payload, "index") if index is None else payload | {"index": index}
    return replaced(events, place, fault)


# Values of the wrong JSON type, and events that lack a field which is required.
WRONG_FIELDS: list[Event] = [
    delta_event(0, type="text_delta", text=1),
    delta_event(0, type="text_delta", text=["x"]),
    delta_event(0, type="input_json_delta", partial_json={"a": 1}),
    {"type": "content_block_delta", "index": 0, "delta": "x"},
    {"type": "content_block_delta", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": {}}},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "redacted_thinking"}},
    {"type": "message_delta", "delta": []},
]


# Surrogates: a server that cuts text by UTF-16 units sends halves of characters


def _escaped(event: Event) -> bytes:
    """Return the bytes of an event with everything beyond ASCII escaped, as halves of pairs must be."""
    payload = payload_of(event)
    return f"event: {payload['type']}\ndata: {json.dumps(payload)}\n\n".encode()


_GROWING = st.sampled_from(
    [
        ({"type": "text", "text": ""}, "text_delta", "text"),
        (_THINKING, "thinking_delta", "thinking"),
        (_TOOL, "input_json_delta", "partial_json"),
    ]
)


def _grown(draw: st.DrawFn, pieces: Sequence[str]) -> FaultyStream:
    start, *_, change, stop = sound(draw)
    block, kind, key = draw(_GROWING)
    if key == "partial_json":
        pieces = ['{"a":"', *pieces, '"}']
    first: Event = {"type": "content_block_start", "index": 0, "content_block": block}
    deltas = [_escaped(delta_event(0, **{"type": kind, key: piece})) for piece in pieces]
    return FaultyStream([start, first], b"".join(deltas), [block_stop(0), change, stop])


def split_surrogates(draw: st.DrawFn) -> FaultyStream:
    units = draw(texts(max_size=4)).replace('"', "").replace("\\", "") + "\U0001f600"
    encoded = units.encode("utf-16-le")
    cut_at_units = [encoded[at : at + 2].decode("utf-16-le", "surrogatepass") for at in range(0, len(encoded), 2)]
    return _grown(draw, [piece for piece in cut_at_units if piece >= " "])


def lone_surrogate(draw: st.DrawFn) -> FaultyStream:
    half = draw(st.sampled_from(["\ud83d", "\ude00", "\ude00\ud83d"]))
    return _grown(draw, ["a", half, "b"])
