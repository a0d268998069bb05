"""The strategies draw what they say: legal streams that add up to their message, and broken ones with their outcome."""

from __future__ import annotations

import json
import random
import re
import textwrap
import typing
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from helpers import by_frame, drive, examples, wire_types
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

import streamcore.testing
from streamcore import MessageAccumulator, MessageEngine, SSEDecoder
from streamcore.codec import converter
from streamcore.errors import LimitExceededError, ProtocolError, ViolationKind
from streamcore.limits import DEFAULT_LIMITS, Limits
from streamcore.testing.model import outcome_in_model, without_nulls
from streamcore.testing.strategies import (
    BROKEN_ROWS,
    FRAMINGS,
    BrokenStream,
    Framing,
    RepeatedKeys,
    WholeStream,
    broken_streams,
    chunkings,
    content_blocks,
    event_streams,
    json_objects,
    json_texts,
    json_values,
    messages,
    mutations,
    partial_json_deltas,
    sse_bytes,
    whole_streams,
    wire_objects,
)
from streamcore.types import (
    ContentBlock,
    ContentBlockStartEvent,
    FallbackBlock,
    FallbackInfo,
    Message,
    MessageDeltaEvent,
    MessageStartEvent,
    TextBlock,
    ToolUseBlock,
    Unknown,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from streamcore import MessageStreamEvent
    from streamcore.types import WireObject

BLOCKS: list[type[Any]] = list(typing.get_args(ContentBlock))
# Looking for what is rare takes many tries, and shrinking it some more.
SEARCH = settings(
    max_examples=3000,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.generate, Phase.shrink],
)


def shortest(strategy: st.SearchStrategy[Any], condition: Callable[[Any], Any]) -> Any:
    return find(strategy, condition, settings=SEARCH, random=random.Random(0))


def drawn(strategy: st.SearchStrategy[Any], condition: Callable[[Any], Any]) -> Any:
    """A value for which `condition` holds, or `NoSuchExample` after many tries."""
    return find(strategy, condition, settings=settings(SEARCH, phases=[Phase.generate]), random=random.Random(0))


def same_draw(first: st.SearchStrategy[Any], then: Callable[[Any], st.SearchStrategy[Any]]) -> Any:
    """Pairs of a value and what is drawn for it."""
    return first.flatmap(lambda value: st.tuples(st.just(value), then(value)))


# The documentation


DOCUMENTED = [
    pytest.param(example, id=f"{path.stem}-{number}")
    for path in sorted(Path(streamcore.testing.__file__).parent.glob("*.py"))
    if path.stem in ("_broken", "_events", "_json", "_values", "_whole", "_wire", "check", "machine", "strategies")
    for number, example in enumerate(re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL))
]


@pytest.mark.parametrize("example", DOCUMENTED)
def test_the_examples_in_docstrings_run(example: str) -> None:
    example = textwrap.dedent(example).replace("max_examples=20", "max_examples=3")
    namespace: dict[str, Any] = {"converter": converter, "given": given, "json": json, "st": st}
    for module in (streamcore, streamcore.types, streamcore.testing.strategies):
        namespace |= {name: getattr(module, name) for name in module.__all__}
    namespace["TheirAccumulator"] = Accumulator
    exec(compile(example, "docstring", "exec"), namespace)
    for name, function in list(namespace.items()):
        if name.startswith("test_"):
            function()


class Accumulator:
    """What the examples call theirs: ours, in other words."""

    def __init__(self) -> None:
        self.engine = MessageEngine()

    def feed(self, chunk: bytes) -> None:
        self.engine.receive_data(chunk)
        for event in self.engine.events():
            assert event.type != "error"

    def message(self) -> Message:
        self.engine.receive_eof()
        list(self.engine.events())
        return self.engine.final_message


# JSON


def depth(value: Any) -> int:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if items is None else 1 + max(map(depth, items), default=0)


@pytest.mark.parametrize(
    "condition",
    [
        lambda value: depth(value) > 50,
        lambda value: isinstance(value, (list, dict)) and len(value) > 150,
        lambda value: isinstance(value, int) and abs(value) > 2**64,
        lambda value: isinstance(value, dict) and "" in value,
        lambda value: isinstance(value, str) and max(value, default="") > "\uffff",
        lambda value: isinstance(value, float) and "e" in repr(value),
        lambda value: isinstance(value, RepeatedKeys) and len(value.members) > len(value),
    ],
    ids=["deep", "wide", "big integer", "empty key", "surrogate pair", "exponent", "duplicate keys"],
)
def test_json_values_of_all_shapes_are_drawn(condition: Callable[[Any], bool]) -> None:
    drawn(json_values(duplicate_keys=True), condition)


@pytest.mark.parametrize(
    "escape", ['\\"', "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t", "\\u00e9", "\\ud83d\\ude00"]
)
def test_every_escape_is_written(escape: str) -> None:
    text = json.loads(f'"{escape}"')
    assert drawn(json_texts([text]), lambda written: escape in written)


def test_json_values_have_repeated_keys_on_request_only() -> None:
    with pytest.raises(NoSuchExample):
        find(json_values(), lambda value: isinstance(value, RepeatedKeys), settings=settings(SEARCH, max_examples=200))


@given(same_draw(json_values(duplicate_keys=True), json_texts))
def test_json_texts_say_their_value(case: tuple[Any, str]) -> None:
    value, text = case
    assert json.loads(text) == value
    assert repr(json.loads(text)) == repr(json.loads(json.dumps(value)))


@given(same_draw(json_values() | json_objects(), partial_json_deltas))
def test_fragments_add_up_to_a_text_of_the_value(case: tuple[Any, list[str]]) -> None:
    value, fragments = case
    assert (json.loads("".join(fragments)) if fragments else {}) == value


def test_an_empty_object_may_come_as_no_fragments_or_an_empty_one() -> None:
    assert shortest(partial_json_deltas({}), lambda fragments: True) == []
    assert "" in drawn(partial_json_deltas({}), lambda fragments: "" in fragments)


def test_json_shrinks_to_plain_text_in_one_piece() -> None:
    assert shortest(partial_json_deltas({"a": [1, "é"]}), lambda fragments: True) == ['{"a":[1,"é"]}']
    assert shortest(json_values(), lambda value: depth(value) > 2) == [[[None]]]


# Values


@pytest.mark.parametrize("cls", BLOCKS, ids=lambda cls: cls.__name__)
def test_blocks_of_each_type_are_drawn_and_come_back_from_their_wire_form(cls: type[Any]) -> None:
    @given(content_blocks(cls, unknown=issubclass(cls, Unknown)))
    @examples(0.3)
    def check(block: Any) -> None:
        assert isinstance(block, cls)
        assert converter.structure(block.to_dict(), ContentBlock) == block  # type: ignore[arg-type]  # a union

    check()


@pytest.mark.slow
@pytest.mark.parametrize("cls", BLOCKS, ids=lambda cls: cls.__name__)
def test_any_block_is_of_any_type(cls: type[Any]) -> None:
    assert isinstance(drawn(content_blocks(unknown=True), lambda block: isinstance(block, cls)), cls)


@pytest.mark.parametrize("cls", [cls for cls in wire_types() if cls is not Message], ids=lambda cls: cls.__name__)
def test_objects_of_each_type_are_drawn_and_come_back_from_their_wire_form(cls: type[WireObject]) -> None:
    @given(wire_objects(cls, unknown=True))
    @examples(0.1)
    def check(value: WireObject) -> None:
        assert isinstance(value, cls)
        assert converter.structure(value.to_dict(), cls) == value

    check()


@given(messages(unknown=True))
def test_messages_come_back_from_their_wire_form(message: Message) -> None:
    assert converter.structure(message.to_dict(), Message) == message


def test_nothing_is_unknown_unless_asked_for() -> None:
    @given(messages())
    def check(message: Message) -> None:
        assert "new" not in json.dumps([*message.extra, *(block.type for block in message.content)])

    check()


# Event streams


@given(same_draw(messages(unknown=True), lambda message: event_streams(message, interleaved=True, unknown=True)))
def test_events_add_up_to_the_message_exactly(case: tuple[Message, list[MessageStreamEvent]]) -> None:
    message, events = case
    accumulator = MessageAccumulator(strict=True)
    for event in events:
        accumulator.apply(event)
    assert accumulator.final_message == message
    assert accumulator.final_message.to_dict() == message.to_dict()
    assert [getattr(block, "partial_input", None) for block in accumulator.final_message.content] == [
        getattr(block, "partial_input", None) for block in message.content
    ]


@given(event_streams(sparse=True))
def test_counts_only_grow(events: list[MessageStreamEvent]) -> None:
    counts: list[int] = []
    for event in events:
        if isinstance(event, MessageStartEvent):
            counts.append(event.message.usage.output_tokens)
        if isinstance(event, MessageDeltaEvent):
            assert event.usage.output_tokens is not None
            counts.append(event.usage.output_tokens)
    assert all(before <= after for before, after in pairwise(counts))


def overlap(events: list[MessageStreamEvent]) -> bool:
    open_ones = 0
    for event in events:
        if isinstance(event, ContentBlockStartEvent):
            open_ones += 1
            if open_ones > 1:
                return True
        open_ones -= event.type == "content_block_stop"
    return False


def test_blocks_are_interleaved_on_request_only() -> None:
    assert drawn(event_streams(interleaved=True), overlap)

    @given(event_streams())
    def check(events: list[MessageStreamEvent]) -> None:
        assert not overlap(events)

    check()


def test_options_take_away_what_they_say() -> None:
    @given(event_streams(pings=False, sparse=False, prefilled=False))
    def check(events: list[MessageStreamEvent]) -> None:
        types = [event.type for event in events]
        assert "ping" not in types
        assert types.count("message_delta") == 1
        for event in events:
            if isinstance(event, ContentBlockStartEvent) and isinstance(event.content_block, TextBlock):
                assert event.content_block.text == ""

    check()


def test_a_message_that_no_stream_makes_is_refused() -> None:
    block = FallbackBlock(from_=FallbackInfo(model="a"), to=FallbackInfo(model="b"))
    with pytest.raises(ValueError, match="'b'"):
        drawn(event_streams(Message(id="1", model="c", content=[block])), lambda events: True)


# Bytes


@pytest.mark.parametrize("framing", [[], *([way] for way in FRAMINGS), FRAMINGS], ids=repr)
def test_bytes_say_their_events_in_any_framing(framing: list[Framing]) -> None:
    @given(same_draw(event_streams(unknown=True), lambda events: sse_bytes(events, framing=framing)))
    @examples(0.4)
    def check(case: tuple[list[MessageStreamEvent], bytes]) -> None:
        events, data = case
        outcome = drive(data)
        assert outcome.error is None
        assert outcome.events == events
        if "missing_names" not in framing:
            assert outcome.violations == ()

    check()


EVENTS: list[dict[str, Any]] = [
    {"type": "ping"},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {}},
]
FORMS: dict[Framing, Callable[[bytes], Any]] = {
    "padding": lambda data: b" }\n\n" in data,
    "line_ends": lambda data: b"\r\n" in data and b"\r\r" in data,
    "bom": lambda data: data.startswith(b"\xef\xbb\xbf"),
    "comments": lambda data: re.search(rb"\n:[^\n]*\ndata", data) and re.search(rb"\n\n:", data),
    "fields": lambda data: b"\nid: 1\n" in data and b"data:{" in data and re.search(rb"data[^\n]*\nevent", data),
    "data_lines": lambda data: re.search(rb"data: *\{\ndata: ", data),
    "json": lambda data: b"\\u0070" in data and b'" :' in data,
    "nulls": lambda data: b'"container":null' in data,
    "missing_names": lambda data: re.search(rb"\n\ndata: ", data) and b"event: " in data,
}


@pytest.mark.parametrize("way", FRAMINGS)
def test_each_way_of_framing_is_drawn(way: Framing) -> None:
    assert drawn(sse_bytes(EVENTS, framing=[way]), FORMS[way])


def test_without_framing_there_is_one_stream_and_it_is_as_the_api_writes_it() -> None:
    payloads = [{"type": "ping"}, {"type": "message_stop"}]
    expected = b'event: ping\ndata: {"type":"ping"}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n'
    assert shortest(sse_bytes(payloads, framing=[]), lambda data: True) == expected
    assert shortest(sse_bytes(payloads), lambda data: True) == expected


@given(same_draw(st.binary(max_size=60), chunkings))
def test_chunks_add_up_to_the_bytes(case: tuple[bytes, list[bytes]]) -> None:
    data, chunks = case
    assert b"".join(chunks) == data


def test_chunks_shrink_to_one() -> None:
    assert shortest(chunkings(b"data: 1\n\ndata: 2\n\n"), lambda chunks: True) == [b"data: 1\n\ndata: 2\n\n"]
    assert b"" in drawn(chunkings(b"abc"), lambda chunks: b"" in chunks)


@pytest.mark.parametrize(
    "condition",
    [
        lambda data: data == b"",
        lambda data: data == b"abcdefabcdef",
        lambda data: len(data) == 6 and sum(x != y for x, y in zip(data, b"abcdef", strict=True)) == 1,
        lambda data: data == b"defabc",
        lambda data: b"data: " in data,
        lambda data: data == b"abcdef",
    ],
    ids=["lost", "repeated", "flipped", "moved", "put in", "whole"],
)
def test_bytes_are_changed_in_all_ways(condition: Callable[[bytes], bool]) -> None:
    drawn(mutations(b"abcdef"), condition)


# Whole streams


@given(whole_streams())
def test_a_whole_stream_is_its_message_to_the_engine_and_to_the_model(stream: WholeStream) -> None:
    assert b"".join(stream.chunks) == stream.data
    outcome = drive(stream.chunks)
    assert outcome.error is None
    assert outcome.snapshot == stream.message
    assert set(outcome.kinds) <= {"event_name"}
    modelled = outcome_in_model(stream.data)
    assert modelled.error is None
    assert without_nulls(modelled.message) == without_nulls(stream.message.to_dict())
    assert [event["type"] for event in modelled.events] == outcome.types


def test_a_failure_shows_a_short_stream() -> None:
    def wrong(stream: WholeStream) -> bool:
        return any(isinstance(block, ToolUseBlock) and block.input for block in stream.message.content)

    stream = shortest(whole_streams(details=False), wrong)
    assert [event.type for event in stream.events] == [
        "message_start",
        "content_block_start",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ] or len(stream.events) == 6
    assert stream.chunks == [stream.data]
    assert by_frame(stream.data) == [*(frame for frame in by_frame(stream.data) if frame.startswith(b"event: ")), b""]
    assert len(stream.data) < 900


@pytest.mark.slow
def test_a_failure_of_mixed_blocks_shows_two_and_no_more() -> None:
    stream = shortest(whole_streams(details=False), lambda stream: overlap(stream.events))
    assert len(stream.message.content) == 2
    assert len(stream.events) == 7


# Broken streams


def test_a_row_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="'oops' is not a row; it must be one of"):
        broken_streams("oops")


def test_each_kind_of_violation_and_each_error_of_engines_is_drawn() -> None:
    streams = [shortest(broken_streams(row), lambda _: True) for row in BROKEN_ROWS]
    # The kind that is missing needs an option of the engine.
    assert {each.violation for each in streams} - {None} == {*typing.get_args(ViolationKind)} - {"invalid_input"}
    raised = [cls for cls in vars(streamcore).values() if isinstance(cls, type) and issubclass(cls, ProtocolError)]
    assert {each.error for each in streams} - {None} == {*raised} - {ProtocolError}


@pytest.mark.parametrize("limit", [field.name for field in attrs.fields(Limits)])
def test_each_limit_is_exceeded(limit: str) -> None:
    default = getattr(DEFAULT_LIMITS, limit)
    stream = shortest(broken_streams("over_limit"), lambda stream: getattr(stream.limits, limit) != default)
    outcome = drive(stream.chunks, engine=MessageEngine(limits=stream.limits))
    assert isinstance(outcome.error, LimitExceededError)
    assert not isinstance(drive(stream.chunks).error, LimitExceededError)


@pytest.mark.parametrize("row", BROKEN_ROWS)
def test_a_broken_stream_has_its_outcome(row: str) -> None:
    @given(broken_streams(row))
    @examples(0.4)
    def check(stream: BrokenStream) -> None:
        assert stream.row == row
        outcome = drive(stream.chunks, engine=MessageEngine(limits=stream.limits), eof=not stream.stalls)
        assert type(outcome.error) is (stream.error or type(None))
        assert outcome.kinds == ([stream.violation] if stream.violation else [])
        assert outcome.snapshot == stream.message
        assert len(outcome.events) == stream.event_count
        errors = [event.error.type for event in outcome.events if event.type == "error"]
        assert errors == ([stream.api_error] if stream.api_error else [])
        strict = MessageEngine(limits=stream.limits, strict=True)
        assert type(drive(stream.chunks, engine=strict, eof=not stream.stalls).error) is (
            stream.strict_error or type(None)
        )

    check()


def test_a_broken_stream_shrinks_to_a_short_one() -> None:
    stream = shortest(broken_streams("late_delta"), lambda stream: True)
    names = [event.event for event in _events(stream.data)]
    assert names == [
        "message_start",
        "content_block_start",
        "content_block_stop",
        "content_block_delta",
        "message_delta",
        "message_stop",
    ]
    assert stream.chunks == [stream.data]


def _events(data: bytes) -> list[Any]:
    decoder = SSEDecoder()
    decoder.receive_data(data)
    return list(decoder.events())
