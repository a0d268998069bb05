"""Strategies for bytes: encode events in every way that the standard allows, cut bytes into chunks, damage bytes."""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias, get_args

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from streamcore.testing._choices import Choices, cut, draw_choices, fragments
from streamcore.testing._json import write
from streamcore.types import MessageStreamEvent

Event: TypeAlias = MessageStreamEvent | Mapping[str, Any]
"""A typed event, or the payload of one."""

Framing: TypeAlias = Literal[
    "padding", "line_ends", "bom", "comments", "fields", "data_lines", "json", "nulls", "missing_names"
]
"""One way in which the bytes may differ from the plainest form of a stream without a change of meaning:

- `"padding"`: blanks before the closing brace of a payload, as the API sends them;
- `"line_ends"`: CR or CRLF in place of LF;
- `"bom"`: a byte order mark at the start;
- `"comments"`: comments and blank lines, between events and inside them;
- `"fields"`: `id`, `retry` and unknown fields, no blank after the colon, `data` before `event`;
- `"data_lines"`: a payload on several `data` lines;
- `"json"`: payloads with any blanks, escapes and order of keys;
- `"nulls"`: fields that are null instead of absent, or absent instead of null, in a `message_delta`;
- `"missing_names"`: events without an `event:` line. The standard allows them, and some proxies send them; the API does
  not.
"""

FRAMINGS: tuple[Framing, ...] = get_args(Framing)


@st.composite
def sse_bytes(draw: st.DrawFn, events: Sequence[Event], *, framing: Collection[Framing] = FRAMINGS) -> bytes:
    """Draw the bytes of a stream of `events`, in any legal framing.

    Args:
        draw: Given by Hypothesis.
        events: Typed events, or their payloads as dicts.
        framing: The ways in which the bytes may differ from the plainest form. With an empty `framing`, only the
            plainest form is drawn.

    ```python
    @given(sse_bytes([{"type": "ping"}], framing=["comments", "line_ends", "padding"]))
    def test_one_event_in_any_form(data):
        decoder = SSEDecoder()
        decoder.receive_data(data)
        assert [json.loads(event.data) for event in decoder.events()] == [{"type": "ping"}]
    ```
    """
    return encode(events, draw(ways_of_framing(framing)), draw_choices(draw))


def ways_of_framing(framing: Collection[Framing]) -> SearchStrategy[list[Framing]]:
    """Select some of the ways in `framing`; often none."""
    return _ways_of_framing(tuple(way for way in FRAMINGS if way in framing))


@functools.cache
def _ways_of_framing(ways: tuple[Framing, ...]) -> SearchStrategy[list[Framing]]:
    some = [st.lists(st.sampled_from(ways), min_size=1, unique=True)] if ways else []
    return st.one_of(st.just([]), *some)


def payload_of(event: Event) -> dict[str, Any]:
    """Return the JSON object of an event, with the nulls that the API writes. A payload is only copied."""
    if isinstance(event, Mapping):
        return dict(event)
    payload = event.to_dict()
    if event.type == "message_delta":
        payload["delta"] = {"stop_reason": None, "stop_sequence": None} | payload.get("delta", {})
    return payload


def frame(event: Event, *, name: str | None = "") -> bytes:
    """Return the bytes of an event as the API writes it.

    Args:
        event: The event.
        name: The name for the `event:` line: by default the event's type. None leaves out the line.
    """
    payload = payload_of(event)
    text = _plain_json(payload)
    named = payload["type"] if name == "" else name
    return (f"event: {named}\n" if named is not None else "").encode() + f"data: {text}\n\n".encode()


def _plain_json(payload: dict[str, Any]) -> str:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"))


def encode(events: Sequence[Event], ways: Collection[str], choices: Choices) -> bytes:
    """Return the bytes of a stream of `events`, framed in these ways."""
    if not ways:
        return b"".join(frame(event) for event in events)
    parts = ["\ufeff"] if "bom" in ways else []
    for event in events:
        lines = list(_lines(payload_of(event), ways, choices))
        # All lines of an event end alike: CR before a blank line that ends in LF would be read as one CRLF.
        end = ("\n", "\r\n", "\r", "\r\n")[next(choices) % 4] if "line_ends" in ways else "\n"
        parts += [line + end for line in lines]
    return "".join(parts).encode()


_COMMENTS = (":", ": keep-alive", ":data: x", ": é\u2028")
_OTHER_FIELDS = ("id: 1", "retry: 3000", "unknown: x", "data_: x", "id", "dat")


def _lines(payload: dict[str, Any], ways: Collection[str], choices: Choices) -> Iterator[str]:
    """Yield the lines of an event and its blank line, perhaps with comments before them."""

    def choice(way: str) -> int:
        return next(choices) % 8 if way in ways else 0

    if (number := choice("comments")) > 2:
        yield _COMMENTS[number % 4]
        yield from [""] * (number % 3)
    colon = ":" if choice("fields") > 4 else ": "
    names = [f"event{colon}{payload['type']}"] if choice("missing_names") % 2 == 0 else []
    data = [f"data{colon if line[:1] != ' ' else ': '}{line}" for line in _data(payload, ways, choices)]
    lines = data + names if choice("fields") == 7 else names + data
    for way, others, least in (("fields", _OTHER_FIELDS, 2), ("comments", _COMMENTS, 5)):
        if (number := choice(way)) >= least:
            lines.insert(number % (len(lines) + 1), others[number % len(others)])
    yield from lines
    yield ""


def _data(payload: dict[str, Any], ways: Collection[str], choices: Choices) -> list[str]:
    """Return the text of a payload, in lines."""
    if "nulls" in ways:
        payload = _with_other_nulls(payload, next(choices) % 8)
    if "json" in ways:
        if next(choices) % 8 > 3:
            payload = dict(reversed(payload.items()))
        text = write(payload, choices).strip(" \t\r\n")
    else:
        text = _plain_json(payload)
    if "padding" in ways:
        text = text[:-1] + " " * (next(choices) % 8) + "}"
    text = text.replace("\r", " ")  # only blanks: in a string it is escaped
    if "data_lines" not in ways:
        return [text.replace("\n", " ")]
    if next(choices) % 8 > 3:
        text = "{\n" + text[1:-1] + "\n}"
    return text.split("\n")


def _with_other_nulls(payload: dict[str, Any], form: int) -> dict[str, Any]:
    if payload.get("type") != "message_delta" or not isinstance(payload.get("delta"), dict):
        return payload
    if form == 0:
        return payload
    if form < 5:
        return payload | {"delta": {key: item for key, item in payload["delta"].items() if item is not None}}
    nulls = {"input_tokens": None, "cache_read_input_tokens": None, "server_tool_use": None}
    changed = {"context_management": None} | payload
    return changed | {"delta": {"container": None} | payload["delta"], "usage": nulls | payload.get("usage", {})}


# Chunks


def by_event(data: bytes) -> list[bytes]:
    """Cut a stream into one chunk for each event, as live streams mostly arrive."""
    parts = data.split(b"\n\n")
    return [part + b"\n\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def chunkings(data: bytes) -> SearchStrategy[list[bytes]]:
    r"""Cut `data` into chunks as a network may deliver it.

    It comes whole, one event in each chunk, a few bytes at a time, or cut anywhere, also inside a character or between
    CR and LF, with empty chunks among the others.

    ```python
    @given(chunkings(b"data: 1\r\n\r\n"))
    def test_cut_anywhere(chunks):
        decoder = SSEDecoder()
        for chunk in chunks:
            decoder.receive_data(chunk)
        assert [event.data for event in decoder.events()] == ["1"]
    ```
    """
    # Of two alternatives Hypothesis prefers the one with fewer draws, so that cutting everywhere comes last.
    return (
        st.just([data]) | st.just(by_event(data)) | fragments(data) | _SIZES.map(lambda sizes: _in_sizes(data, sizes))
    )


_SIZES = st.lists(st.integers(1, 5), min_size=7, max_size=7)


def _in_sizes(data: bytes, sizes: Iterable[int]) -> list[bytes]:
    """Cut `data` into chunks of these sizes, over and over; what is left after 400 chunks is the last one."""
    ends = itertools.accumulate(itertools.islice(itertools.cycle(sizes), 400))
    return cut(data, itertools.takewhile(lambda end: end < len(data), ends))


# Broken bytes

# What a parser of streams or of JSON may stumble over.
_TOKENS = [b"\n", b"\r", b"\n\n", b"data: ", b"data: [DONE]\n\n", b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":"]
_TOKENS += [b"null", b"1", b"-", b"\xef\xbb\xbf", b"\xff", b"\0", b'"type":"ping"', b"event: ping\n"]

# The kind of a change, its place, the number of bytes that it concerns, and what an insertion inserts.
_Change: TypeAlias = tuple[str, int, int, bytes]


def mutations(data: bytes) -> SearchStrategy[bytes]:
    """Damaged forms of `data`: up to three times, bytes are lost, cut off, flipped, repeated, moved or inserted.

    The stream may still be whole: some changes undo each other, and some bytes do not matter.

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
