"""Checkpoints between events in any order, legal or not, with and without classes of the user's own."""

from __future__ import annotations

import json
from collections.abc import Container, Sequence
from typing import Any

import attrs
from helpers import (
    STOP,
    any_chunks,
    block_start,
    block_stop,
    body,
    delta,
    message_delta,
    partial_json,
    same,
    start,
    text,
    tool_start,
)
from hypothesis import given
from hypothesis import strategies as st
from test_checkpoints import MOMENTS, NEVER, everything, fault, shown

from streamcore import MessageAccumulator, MessageEngine, ProtocolError
from streamcore.typed.answers import AnswerTypes


@attrs.frozen
class Answer:
    a: int


CITATION = {"type": "char_location", "cited_text": "x", "document_index": 0, "start_char_index": 0, "end_char_index": 1}
CITATION |= {"document_title": "t", "file_id": None}

# Events that change something, are odd, or are refused, depending on those before.
EVENTS: list[dict[str, Any]] = [
    start(),
    start(content=[{"type": "text", "text": "before"}]),
    start("msg_2", new_field=[1e400, 10**30, "\ud83d"]),
    *[block_start(index) for index in range(3)],
    block_start(0, {"type": "text", "text": "\ud83d", "citations": []}),
    *[tool_start(index) for index in range(3)],
    block_start(1, {"type": "thinking", "thinking": "", "signature": ""}),
    block_start(1, {"type": "compaction", "content": None}),
    block_start(1, {"type": "new_block", "input": {"big": 10**30}, "field": [1.0, 1, -0.0]}),
    block_start(1, {"type": "fallback", "from": {"model": "claude-1"}, "to": {"model": "claude-2"}}),
    *[text(index, piece) for index in range(2) for piece in ('{"a": ', "1}", '"x"}', "\ud83d", "\ude00", "é", "")],
    *[partial_json(1, piece) for piece in ('{"a": ', "1}", '"x"}', "\ud83d", "\ude00", '{"a": "\ud83d', "]", "")],
    delta(0, "citations_delta", citation=CITATION),
    delta(1, "thinking_delta", thinking="hm\ud83d"),
    delta(1, "signature_delta", signature="s"),
    delta(1, "compaction_delta", content="c\ud83d", encrypted_content="e"),
    delta(1, "new_delta", field=1),
    *[block_stop(index) for index in range(3)],
    message_delta("end_turn"),
    message_delta("tool_use", new_field={"deep": [None, 2.5]}),
    message_delta(None, usage={"output_tokens": 9, "new_count": 10**30}),
    STOP,
    {"type": "ping"},
    {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
    {"type": "new_event"},
]
USUAL = [start(), block_start(0), tool_start(1)]
ORDERS = st.lists(st.sampled_from(EVENTS), max_size=25).map(lambda events: USUAL + events) | st.lists(
    st.sampled_from(EVENTS), max_size=30
)
TYPES = st.sampled_from(
    [
        None,
        AnswerTypes(output_format=Answer, on_invalid="keep"),
        AnswerTypes(output_format=Answer, tools={"search": Answer}, on_invalid="keep"),
        AnswerTypes(tools={"search": Answer}, on_invalid="raise"),
        AnswerTypes(output_format=Answer, on_invalid="raise"),
    ]
)


def steps(events: Sequence[Any], types: AnswerTypes | None, invalid_json: Any, at: Container[int]) -> list[Any]:
    """What an accumulator makes of events. It may be used after an error, as each event is refused on its own."""
    accumulator = MessageAccumulator(multiple_messages=True, invalid_json=invalid_json, parser=types)
    seen: list[Any] = []
    messages = []
    for number, event in enumerate(events):
        try:
            accumulator.apply(event)
        except ProtocolError as error:
            seen.append(fault(error))
        if number in at:
            data = accumulator.checkpoint()
            accumulator = MessageAccumulator.restore(data, parser=types)
            assert accumulator.checkpoint() == data
        messages.append(accumulator.deferred_message())
        snapshot = accumulator.snapshot
        seen.append((snapshot, accumulator.violations, accumulator.complete, accumulator.lacks_only_stop))
        for block in [] if snapshot is None else snapshot.content:
            values = [getattr(block, name, None) for name in ("parsed_input", "parsed_output", "partial_input")]
            seen.append((values, shown(getattr(block, "parse_error", None))))
    if accumulator.complete:
        seen.append(messages[-1]())
    return seen


@given(ORDERS, TYPES, st.sampled_from(["raise", "keep"]), MOMENTS)
def test_events_in_any_order_go_on_from_any_checkpoints_as_if_there_were_none(
    events: list[Any], types: AnswerTypes | None, invalid_json: Any, at: Container[int]
) -> None:
    assert same(steps(events, types, invalid_json, at), steps(events, types, invalid_json, NEVER))


def payload(event: dict[str, Any]) -> bytes:
    return json.dumps(event).replace("Infinity", "1e400").encode()


@given(ORDERS.map(lambda events: body(*map(payload, events))).flatmap(any_chunks), TYPES, MOMENTS, st.booleans())
def test_bytes_of_any_order_go_on_from_any_checkpoints_as_if_there_were_none(
    chunks: list[bytes], types: AnswerTypes | None, at: Container[int], looks: bool
) -> None:
    classes: dict[str, Any] = {} if types is None else {"output_format": types.output_format, "tool_types": types.tools}
    options = classes if types is None else {**classes, "on_invalid": types.on_invalid}

    def make() -> MessageEngine:
        return MessageEngine(invalid_json="keep", multiple_messages=True, **options)

    whole = everything(make(), chunks, looks=looks)
    assert same(everything(make(), chunks, at=at, looks=looks, **classes), whole)
