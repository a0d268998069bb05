"""Surrogate pairs that a server splits between two deltas: streams join them, whatever the chunks."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest
from helpers import STOP, block_start, block_stop, body, by_frame, delta, message_delta, start, tool_start
from hypothesis import given
from hypothesis import strategies as st

from streamcore import AsyncMessageStream, MessageEngine, MessageStream
from streamcore.stream import derive

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HIGH, LOW, WHOLE = "\ud83d", "\ude00", "\U0001f600"

KINDS: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "text": (block_start(0), "text_delta", "text", "text"),
    "thinking": (block_start(0, {"type": "thinking", "thinking": ""}), "thinking_delta", "thinking", "thinking"),
    "tool input": (tool_start(0), "input_json_delta", "partial_json", "input_json"),
}
CASES: list[tuple[list[str], list[str]]] = [
    ([HIGH, LOW], [WHOLE]),
    (["a" + HIGH, LOW + "b"], ["a", WHOLE + "b"]),
    (["a" + HIGH, "", LOW, "b"], ["a", WHOLE, "b"]),
    (["a", HIGH, "b"], ["a", HIGH + "b"]),
    ([HIGH, HIGH, LOW, LOW], [HIGH, WHOLE, LOW]),
    (["a" + HIGH + LOW, "b"], ["a" + WHOLE, "b"]),
    ([HIGH + LOW + HIGH, LOW + HIGH], [WHOLE, WHOLE, HIGH]),
    (["a", HIGH], ["a", HIGH]),
    (["a" + HIGH], ["a", HIGH]),
    ([LOW, "a" + HIGH, LOW, "b"], [LOW, "a", WHOLE, "b"]),
    (["a", "", "b"], ["a", "", "b"]),
]


def payloads(kind: str, fragments: list[str]) -> list[Any]:
    first, delta_type, field, _ = KINDS[kind]
    deltas = [json.dumps(delta(0, delta_type, **{field: each})).encode() for each in fragments]
    return [start(), first, *(b"event: content_block_delta\ndata: " + each + b"\n\n" for each in deltas)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("fragments", "expected"), CASES)
def test_pairs_are_joined_in_derived_events(kind: str, fragments: list[str], expected: list[str]) -> None:
    *_, field, event_type = KINDS[kind]
    if kind == "tool input":
        fragments, expected = ['["', *fragments, '"]'], ['["', *expected, '"]']
        if expected[-2] == HIGH:  # it comes with what follows it
            expected[-2:] = [HIGH + '"]']
    data = body(*payloads(kind, fragments), block_stop(0), message_delta(), STOP)
    for chunks in ([data], by_frame(data)):
        events = [event for event in MessageStream(chunks, invalid_json="keep") if event.type == event_type]
        assert [getattr(event, field) for event in events] == expected
        if kind != "tool input":
            assert [event.snapshot for event in events] == ["".join(expected[: n + 1]) for n in range(len(expected))]  # type: ignore[union-attr]  # of text


@pytest.mark.parametrize("is_stopped", [True, False])
@pytest.mark.parametrize(("fragments", "expected"), CASES)
def test_pairs_are_joined_in_text_and_for_handlers(fragments: list[str], expected: list[str], is_stopped: bool) -> None:
    stop = [block_stop(0)] if is_stopped else []
    data = body(*payloads("text", fragments), *stop, message_delta(), STOP)
    pieces: list[str] = []

    class Stream(MessageStream):
        def on_text(self, delta: str, snapshot: str) -> None:
            pieces.append(delta)
            assert snapshot == "".join(pieces)

    stream: Any = Stream([data])
    assert list(stream.text_stream) == pieces == expected
    assert stream.get_final_text() == "".join(expected)

    async def chunks() -> AsyncIterator[bytes]:
        yield data

    async def main() -> list[str]:
        return [text async for text in AsyncMessageStream(chunks()).text_stream]

    assert asyncio.run(main()) == expected


@given(st.lists(st.text(st.sampled_from(["a", "\xe9", HIGH, LOW]), max_size=3), max_size=8), st.booleans())
def test_all_pieces_together_are_the_text_and_hold_no_pair_apart(fragments: list[str], ends: bool) -> None:
    blocks = payloads("text", fragments)
    data = body(*blocks, *([block_stop(0), message_delta(), STOP] if ends else []))
    engine = MessageEngine()
    engine.receive_data(data)
    plain = [item for event in engine.events() for item in derive(event, engine)]
    pieces = [item.text for item in plain if item.type == "text"]
    whole = "".join(fragments).encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    assert "".join(pieces) == (whole if ends else whole.removesuffix(HIGH) if whole.endswith(HIGH) else whole)
    assert all(not (one[-1:] == HIGH and other[:1] == LOW) for one, other in itertools.pairwise(pieces))
    if ends:
        assert list(MessageStream([data])) == plain


@pytest.mark.parametrize("kind", KINDS)
def test_halves_in_blocks_that_are_never_stopped_come_before_the_end_of_the_message(kind: str) -> None:
    fragments = ['["', HIGH] if kind == "tool input" else [HIGH]
    data = body(*payloads(kind, fragments), block_start(1), message_delta(), STOP)
    *_, field, event_type = KINDS[kind]
    for chunks in ([data], by_frame(data)):
        events = list(MessageStream(chunks))
        assert events[-2].type == event_type
        assert getattr(events[-2], field) == HIGH
        assert [event.type for event in events].count("message_stop") == 1


def test_blocks_in_turn_keep_their_halves() -> None:
    def text(index: int, text: str) -> bytes:
        return b"event: content_block_delta\ndata: %s\n\n" % json.dumps(delta(index, "text_delta", text=text)).encode()

    data = body(start(), block_start(0), block_start(1), text(0, "a" + HIGH), text(1, "b"), text(0, LOW), text(1, "c"))
    engine = MessageEngine()
    engine.receive_data(data)
    items = [item for event in engine.events() for item in derive(event, engine)]
    assert [item.text for item in items if item.type == "text"] == ["a", "b", WHOLE, "c"]


def test_a_half_that_comes_after_the_stop_of_its_block_does_not_bring_the_other_one_again() -> None:
    *opened, late = payloads("text", ["a" + HIGH, LOW + "b"])
    data = body(*opened, block_stop(0), late, message_delta(), STOP)
    stream = MessageStream([data])
    assert list(stream.text_stream) == ["a", HIGH, LOW + "b"]
    assert stream.get_final_text() == "a" + WHOLE + "b"
