"""Events to the bytes of a stream, in every way that the standard allows; bytes to chunks; bytes to broken bytes."""

from __future__ import annotations

import itertools
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias, get_args

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from streamcore.testing._json import Whims, cut, fragments, whims, write
from streamcore.types import MessageStreamEvent

__all__ = [
    "FRAMINGS",
    "Event",
    "Framing",
    "by_event",
    "chunkings",
    "encode",
    "frame",
    "mutations",
    "payload_of",
    "sse_bytes",
]

Event: TypeAlias = MessageStreamEvent | Mapping[str, Any]
"""An event, typed or as its payload."""

Framing: TypeAlias = Literal[
    "padding", "line_ends", "bom", "comments", "fields", "data_lines", "json", "nulls", "missing_names"
]
"""One way in which the bytes may differ from the plainest form of a stream, and mean the same:

- `"padding"`: blanks before the closing brace of a payload, as the API sends them;
- `"line_ends"`: CR or CRLF in place of LF;
- `"bom"`: a byte order mark at the start;
- `"comments"`: comments and blank lines, between events and inside them;
- `"fields"`: `id`, `retry` and unknown fields, no blank after the colon, `data` before `event`;
- `"data_lines"`: a payload on several `data` lines;
- `"json"`: payloads with any blanks, escapes and order of keys;
- `"nulls"`: fields that are null instead of absent, or absent instead of null, in a `message_delta`;
- `"missing_names"`: events without an `event:` line. The standard has these, the API does not: proxies make them.
"""

FRAMINGS: tuple[Framing, ...] = get_args(Framing)


def sse_bytes(events: Sequence[Event], *, framing: Collection[Framing] = FRAMINGS) -> SearchStrategy[bytes]:
    """The stream of `events`, as bytes in some legal framing.

    Args:
        events: Typed events, or their payloads as dicts.
        framing: The ways in which it may differ from what the API writes at its plainest; with none there is just one
            stream. See `Framing`.

    ```python
    @given(sse_bytes([{"type": "ping"}], framing=["comments", "line_ends", "padding"]))
    def test_one_event_in_any_form(data):
        decoder = SSEDecoder()
        decoder.receive_data(data)
        assert [json.loads(event.data) for event in decoder.events()] == [{"type": "ping"}]
    ```
    """
    ways = st.lists(st.sampled_from(sorted(framing)), unique=True) if framing else st.just([])
    return st.builds(lambda some, drawn: encode(events, set(some), drawn), ways, whims())


def payload_of(event: Event) -> dict[str, Any]:
    """The JSON object of an event, with the nulls that the API writes; a payload is left as it is."""
    if isinstance(event, Mapping):
        return dict(event)
    payload = event.to_dict()
    if event.type == "message_delta":
        payload["delta"] = {"stop_reason": None, "stop_sequence": None} | payload.get("delta", {})
    return payload


def frame(event: Event, *, name: str | None = "") -> bytes:
    """One event as the API writes it; `name` is its type, another name, or `None` for no `event:` line."""
    payload = payload_of(event)
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    named = payload["type"] if name == "" else name
    return (f"event: {named}\n" if named is not None else "").encode() + f"data: {text}\n\n".encode()


def encode(events: Sequence[Event], ways: Collection[str], drawn: Whims) -> bytes:
    """The stream of `events`, framed in these ways, each where the whims have it."""
    if not ways:
        return b"".join(frame(event) for event in events)
    roll = itertools.cycle(drawn or [0])
    parts = ["\ufeff"] if "bom" in ways else []
    for event in events:
        lines = list(_lines(payload_of(event), ways, roll))
        # Lines that end in CR, and then a blank one that ends in LF, would be one line less: an event is all of a kind.
        end = ("\r\n", "\r", "\n", "\r\n")[next(roll) % 4] if "line_ends" in ways else "\n"
        parts += [line + end for line in lines]
    return "".join(parts).encode()


_COMMENTS = (":", ": keep-alive", ":data: x", ": é\u2028")
_OTHER_FIELDS = ("id: 1", "retry: 3000", "unknown: x", "data_: x", "id", "dat")


def _lines(payload: dict[str, Any], ways: Collection[str], roll: Iterator[int]) -> Iterator[str]:
    """The lines of one event, the blank one included, and what may stand before it."""
    if "comments" in ways and (whim := next(roll)) > 2:
        yield _COMMENTS[whim % 4]
        yield from [""] * (whim % 3)
    colon = ":" if "fields" in ways and next(roll) > 4 else ": "
    names = [] if "missing_names" in ways and next(roll) % 2 == 0 else [f"event{colon}{payload['type']}"]
    data = [f"data{colon if line[:1] != ' ' else ': '}{line}" for line in _data(payload, ways, roll)]
    lines = data + names if "fields" in ways and next(roll) == 7 else names + data
    if "fields" in ways and (whim := next(roll)) > 1:
        lines.insert(whim % (len(lines) + 1), _OTHER_FIELDS[whim % len(_OTHER_FIELDS)])
    if "comments" in ways and (whim := next(roll)) > 4:
        lines.insert(whim % (len(lines) + 1), _COMMENTS[whim % 4])
    yield from lines
    yield ""


def _data(payload: dict[str, Any], ways: Collection[str], roll: Iterator[int]) -> list[str]:
    """The text of a payload, in lines."""
    if "nulls" in ways:
        payload = _with_other_nulls(payload, next(roll))
    if "json" in ways:
        if next(roll) > 3:
            payload = dict(reversed(payload.items()))
        text = write(payload, [next(roll) for _ in range(7)]).strip(" \t\r\n")
    else:
        text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    if "padding" in ways:
        text = text[:-1] + " " * next(roll) + "}"
    text = text.replace("\r", " ")  # blanks, all of them: in a string it is escaped
    if "data_lines" not in ways:
        return [text.replace("\n", " ")]
    if next(roll) > 3:
        text = "{\n" + text[1:-1] + "\n}"
    return text.split("\n")


def _with_other_nulls(payload: dict[str, Any], whim: int) -> dict[str, Any]:
    if payload.get("type") != "message_delta" or not isinstance(payload.get("delta"), dict):
        return payload
    if whim < 4:
        return payload | {"delta": {key: item for key, item in payload["delta"].items() if item is not None}}
    nulls = {"input_tokens": None, "cache_read_input_tokens": None, "server_tool_use": None}
    changed = {"context_management": None} | payload
    return changed | {"delta": {"container": None} | payload["delta"], "usage": nulls | payload.get("usage", {})}


# Chunks


def by_event(data: bytes) -> list[bytes]:
    """`data` as live streams mostly arrive: an event a chunk."""
    parts = data.split(b"\n\n")
    return [part + b"\n\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def chunkings(data: bytes) -> SearchStrategy[list[bytes]]:
    r"""`data` in chunks, as a network may deliver it: whole, an event a chunk, a few bytes at a time, or cut anywhere,
    also inside a character or between CR and LF, with empty chunks among them.

    ```python
    @given(chunkings(b"data: 1\r\n\r\n"))
    def test_cut_anywhere(chunks):
        decoder = SSEDecoder()
        for chunk in chunks:
            decoder.receive_data(chunk)
        assert [event.data for event in decoder.events()] == ["1"]
    ```
    """
    in_threes = [data[begin : begin + 3] for begin in range(0, len(data), 3)]
    return fragments(data) | st.just(by_event(data)) | st.just(in_threes)


# Broken bytes

# What a parser of streams or of JSON may trip over.
_TOKENS = [b"\n", b"\r", b"\n\n", b"data: ", b"data: [DONE]\n\n", b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":"]
_TOKENS += [b"null", b"1", b"-", b"\xef\xbb\xbf", b"\xff", b"\0", b'"type":"ping"', b"event: ping\n"]

# At which place, how much, and what.
_Change: TypeAlias = tuple[str, int, int, bytes]


def mutations(data: bytes) -> SearchStrategy[bytes]:
    """`data` with up to three faults: bytes lost, cut off, flipped, repeated, moved or put in. It may be whole all the
    same: some faults undo each other, and some bytes do not matter.

    ```python
    @given(whole_streams().flatmap(lambda stream: mutations(stream.data)))
    def test_only_our_errors_come_out(data):
        engine = MessageEngine()
        engine.receive_data(data)
        try:
            list(engine.events())
        except ProtocolError as error:
            assert error.offset is not None
    ```
    """
    place = st.integers(0, len(data))
    kinds = st.sampled_from(["drop", "cut", "flip", "repeat", "insert", "move"])
    length = st.integers(1, 60) | st.integers(1, 1000)
    change = st.tuples(kinds, place, length, st.sampled_from(_TOKENS) | st.binary(max_size=20))
    return st.lists(change, min_size=1, max_size=3).map(lambda changes: _changed(data, changes))


def _changed(data: bytes, changes: list[_Change]) -> bytes:
    for kind, place, length, token in changes:
        before, piece, after = data[:place], data[place : place + length], data[place + length :]
        if kind == "drop":
            data = before + after
        elif kind == "cut":
            data = before
        elif kind == "flip":
            data = before + bytes(byte ^ (length % 255 + 1) for byte in piece[:1]) + piece[1:] + after
        elif kind == "repeat":
            data = before + piece + piece + after
        elif kind == "insert":
            data = before + token + piece + after
        else:
            rest = before + after
            (first, second) = cut(rest, [length % (len(rest) + 1)])
            data = first + piece + second
    return data
