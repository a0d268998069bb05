"""The user's classes out of an engine or a stream: what is complete, what is valid, and what is neither."""

from __future__ import annotations

import copy
import datetime
import enum
import json
import pickle
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypedDict

import anthropic.lib.streaming
import attrs
import msgspec
import pydantic
import pytest
from anthropic.lib.streaming._messages import accumulate_event
from helpers import (
    CAPTURES,
    JSON_VALUES,
    STOP,
    any_chunks,
    block_start,
    block_stop,
    body,
    by_frame,
    chunkings,
    drive,
    message_delta,
    partial_json,
    payloads_of,
    start,
    stream_id,
    text,
    tool_start,
)
from hypothesis import given
from hypothesis import strategies as st
from server import BACKENDS, run

from streamcore import (
    AsyncMessageStream,
    DecodeError,
    IncompleteStreamError,
    Message,
    MessageAccumulator,
    MessageEngine,
    MessageStream,
    PartialJSON,
)
from streamcore.errors import InvalidArgumentError
from streamcore.typed import AnswerTypes, InvalidOutputError, UnsupportedTypeError, output_format_param
from streamcore.types import (
    ContentBlock,
    MCPToolUseBlock,
    ParsedContentBlockStopEvent,
    ParsedMessageStopEvent,
    ServerToolUseBlock,
    TextBlock,
    TextEvent,
    ToolUseBlock,
)


@attrs.frozen
class Edit:
    line: int
    text: str = ""


@attrs.frozen
class Report:
    title: str
    edits: list[Edit]
    day: datetime.date
    kind: Literal["short", "long"] = "short"


VALUE = {"title": 'Tides "2026" 🌊', "edits": [{"line": 1, "text": "a\nb"}, {"line": 2}], "day": "2026-11-20"}
REPORT = Report(VALUE["title"], [Edit(1, "a\nb"), Edit(2)], datetime.date(2026, 11, 20))  # type: ignore[arg-type]


def fragments(content: str, size: int = 7) -> list[str]:
    return [content[begin : begin + size] for begin in range(0, len(content), size)]


def answer(content: str, *, stop_reason: str | None = "end_turn", index: int = 0) -> list[dict[str, Any]]:
    """The events of a message that is one text."""
    deltas = [text(index, piece) for piece in fragments(content)]
    return [start(), block_start(index), *deltas, block_stop(index), message_delta(stop_reason), STOP]


def call(content: str, *, stop_reason: str | None = "tool_use", name: str = "edit") -> list[dict[str, Any]]:
    """The events of a message that calls one tool."""
    deltas = [partial_json(0, piece) for piece in ["", *fragments(content)]]
    return [start(), tool_start(0, name), *deltas, block_stop(0), message_delta(stop_reason), STOP]


# Output


@pytest.mark.parametrize("chunks", list(chunkings(body(*answer(json.dumps(VALUE))))), ids=len)
def test_the_output_is_an_instance_from_the_stop_of_its_block_on(chunks: list[bytes]) -> None:
    stream = MessageStream(chunks, output_format=Report)
    stops = 0
    for event in stream:
        if isinstance(event, TextEvent):
            assert stream.current_message_snapshot.parsed_output is None
        if isinstance(event, ParsedContentBlockStopEvent):
            assert isinstance(event.content_block, TextBlock)
            assert event.content_block.parsed_output == REPORT
            assert stream.current_message_snapshot.parsed_output == REPORT
            stops += 1
        if isinstance(event, ParsedMessageStopEvent):
            assert event.message.parsed_output == REPORT
            stops += 1
    assert stops == 2
    assert stream.get_final_message().parsed_output == REPORT


def test_an_engine_and_an_accumulator_give_it_too() -> None:
    engine = MessageEngine(output_format=Report)
    outcome = drive(body(*answer(json.dumps(VALUE))), engine=engine)
    assert engine.final_message.parsed_output == REPORT
    accumulator = MessageAccumulator(parser=AnswerTypes(output_format=Report))
    for event in outcome.events:
        accumulator.apply(event)
    assert accumulator.final_message.parsed_output == REPORT


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_async_stream_gives_it_too(backend: str) -> None:
    async def test() -> None:
        async def chunks() -> Any:
            for chunk in by_frame(body(*answer(json.dumps(VALUE)))):
                yield chunk

        async with AsyncMessageStream(chunks(), output_format=Report) as stream:
            assert (await stream.get_final_message()).parsed_output == REPORT

    run(backend, test)


def test_what_the_user_has_of_it_is_not_the_wires() -> None:
    parsed = drive(body(*answer(json.dumps(VALUE))), engine=MessageEngine(output_format=Report)).snapshot
    plain = drive(body(*answer(json.dumps(VALUE)))).snapshot
    assert parsed is not None
    assert plain is not None
    assert parsed == plain
    assert hash(parsed.content[0]) == hash(plain.content[0])
    assert repr(parsed) == repr(plain)
    assert parsed.to_dict() == plain.to_dict()
    assert parsed.to_json() == plain.to_json()
    assert parsed.to_param() == plain.to_param()
    assert pickle.loads(pickle.dumps(parsed)).parsed_output == REPORT
    assert copy.deepcopy(parsed).parsed_output == REPORT
    assert plain.parsed_output is None


def test_the_first_text_with_an_output_is_that_of_the_message() -> None:
    empty = [
        block_start(0),
        block_stop(0),
        block_start(1),
        text(1, "[]"),
        block_stop(1),
        block_start(2),
        text(2, "[3]"),
    ]
    data = body(start(), *empty, block_stop(2), message_delta(), STOP)
    message = drive(data, engine=MessageEngine(output_format=list[int])).snapshot
    assert message is not None
    assert [block.parsed_output for block in message.content if isinstance(block, TextBlock)] == [None, [], [3]]
    assert message.parsed_output == []


@pytest.mark.parametrize("content", ['{"title": 3}', "[1]", "null", '"text"', json.dumps(VALUE | {"day": "soon"})])
def test_output_of_another_type_raises_when_its_block_stops(content: str) -> None:
    outcome = drive(body(*answer(content)), engine=MessageEngine(output_format=Report))
    error = outcome.error
    assert isinstance(error, InvalidOutputError)
    assert outcome.types[-1] == "content_block_delta"
    assert error.faults
    assert error.index == 0
    assert error.value == json.loads(content)
    assert error.event_number == len(outcome.events)
    assert error.snapshot is not None
    assert error.snapshot.content == [TextBlock(text=content)]
    for path, wanted in [(fault.path, fault.expected) for fault in error.faults]:
        assert path in str(error)
        assert wanted in str(error)


@pytest.mark.parametrize(
    "content", ["", " \n", "Sorry, no.", '{"title": "a" "b"}', '{"title": "cut of', "[1, 2", '{"a": tru}']
)
def test_what_is_no_whole_json_raises_when_the_model_says_that_it_has_finished(content: str) -> None:
    outcome = drive(body(*answer(content)), engine=MessageEngine(output_format=Report))
    assert isinstance(outcome.error, InvalidOutputError)
    assert outcome.types[-1] == "message_delta"
    assert outcome.error.received == content
    assert "not complete JSON" in str(outcome.error)
    with pytest.raises(InvalidOutputError):
        MessageStream([body(*answer(content))], output_format=Report).get_final_message()


@pytest.mark.parametrize("stop_reason", ["max_tokens", "refusal", "model_context_window_exceeded", "pause_turn", None])
def test_what_the_reason_for_stopping_explains_does_not_raise(stop_reason: str | None) -> None:
    data = body(*answer('{"title": "cut of', stop_reason=stop_reason))
    message = MessageStream([data], output_format=Report).get_final_message()
    assert message.parsed_output is None
    (block,) = message.content
    assert isinstance(block, TextBlock)
    assert isinstance(block.parse_error, InvalidOutputError)
    assert "not complete JSON" in str(block.parse_error)


@pytest.mark.parametrize("stop_reason", ["end_turn", "stop_sequence", "new_reason"])
@pytest.mark.parametrize("content", ["", '{"title": "cut of'])
def test_other_reasons_for_stopping_excuse_nothing(stop_reason: str, content: str) -> None:
    data = body(*answer(content, stop_reason=stop_reason))
    with pytest.raises(InvalidOutputError, match="not complete JSON"):
        MessageStream([data], output_format=Report).get_final_message()
    kept = MessageStream([data], output_format=Report, on_invalid="keep").get_final_message()
    (block,) = kept.content
    assert isinstance(block, TextBlock)
    assert isinstance(block.parse_error, InvalidOutputError)


def test_a_blank_text_before_the_use_of_a_tool_is_no_output() -> None:
    used = [block_start(0), text(0, "\n"), block_stop(0), tool_start(1), block_stop(1)]
    data = body(start(), *used, message_delta(stop_reason="tool_use"), STOP)
    assert MessageStream([data], output_format=Report).get_final_message().parsed_output is None


def test_an_invalid_output_may_be_kept() -> None:
    engine = MessageEngine(output_format=Report, on_invalid="keep")
    outcome = drive(body(*answer('{"title": 3}')), engine=engine)
    assert outcome.error is None
    (block,) = engine.final_message.content
    assert isinstance(block, TextBlock)
    assert block.parsed_output is None
    assert isinstance(block.parse_error, InvalidOutputError)
    assert block.parse_error.faults[0].path == "title"


def test_a_stream_that_ends_early_says_so_first() -> None:
    data = body(*answer(json.dumps(VALUE))[:-3])
    with pytest.raises(IncompleteStreamError):
        MessageStream([data], output_format=Report).get_final_message()


def test_deltas_that_come_late_change_the_output_of_the_message_not_of_the_event() -> None:
    late = [start(), block_start(0), text(0, "[1]"), block_stop(0), text(0, " "), message_delta(), STOP]
    engine = MessageEngine(output_format=list[int])
    outputs = [snapshot.parsed_output for snapshot in drive(body(*late), engine=engine).snapshots if snapshot]
    assert outputs == [None, None, None, [1], None, None, [1]]
    stream = MessageStream([body(*late)], output_format=list[int])
    events = list(stream)
    (stop,) = [event for event in events if isinstance(event, ParsedContentBlockStopEvent)]
    assert stop.content_block == TextBlock(text="[1]")
    assert isinstance(stop.content_block, TextBlock)
    assert stop.content_block.parsed_output == [1]
    message = stream.get_final_message()
    assert message.content == [TextBlock(text="[1] ")]
    assert message.parsed_output == [1]


def test_what_is_no_type_is_refused_at_once() -> None:
    for wrong in (complex, {"type": "object"}):
        with pytest.raises(UnsupportedTypeError):
            MessageEngine(output_format=wrong)  # type: ignore[arg-type]
    with pytest.raises(UnsupportedTypeError):
        MessageEngine(tool_types={"edit": int})


# Tools


@pytest.mark.parametrize("late", ["x", "[1"])
def test_a_late_delta_takes_the_parsed_input_away_whether_or_not_someone_has_looked(late: str) -> None:
    for look in (False, True):
        engine = MessageEngine(tool_types={"edit": Edit})
        engine.receive_data(
            body(start(), tool_start(0, "edit"), partial_json(0, '{"line":1,"text":"a"}'), block_stop(0))
        )
        list(engine.events())
        if look:
            assert engine.snapshot is not None
            block = engine.snapshot.content[0]
            assert isinstance(block, ToolUseBlock)
            assert block.parsed_input == Edit(line=1, text="a")
        engine.receive_data(body(partial_json(0, late), message_delta(), STOP))
        with pytest.raises(DecodeError, match="is not valid JSON") as raised:
            list(engine.events())
        for snapshot in (engine.snapshot, raised.value.snapshot):
            assert snapshot is not None
            block = snapshot.content[0]
            assert isinstance(block, ToolUseBlock)
            assert block.partial_input == '{"line":1,"text":"a"}' + late
            assert block.parsed_input is None


@pytest.mark.parametrize("chunks", list(chunkings(body(*call('{"line": 3, "text": "x"}')))), ids=len)
def test_the_input_of_a_tool_is_an_instance(chunks: list[bytes]) -> None:
    engine = MessageEngine(tool_types={"edit": Edit})
    drive(chunks, engine=engine)
    (block,) = engine.final_message.content
    assert isinstance(block, ToolUseBlock)
    assert block.parsed_input == Edit(3, "x")
    assert block.input == {"line": 3, "text": "x"}
    assert block.parse_error is None


def test_no_fragments_are_an_empty_object() -> None:
    engine = MessageEngine(tool_types=[Empty, Edit])
    drive(body(*call("", name="empty")), engine=engine)
    (block,) = engine.final_message.content
    assert isinstance(block, ToolUseBlock)
    assert block.parsed_input == Empty()


@attrs.frozen
class Empty:
    pass


def test_a_tool_without_a_type_has_none() -> None:
    engine = MessageEngine(tool_types={"edit": Edit})
    drive(body(*call('{"line": "x"}', name="other")), engine=engine)
    (block,) = engine.final_message.content
    assert isinstance(block, ToolUseBlock)
    assert block.parsed_input is None


def test_invalid_input_raises_with_path_expected_type_and_what_arrived() -> None:
    outcome = drive(body(*call('{"line": "3"}')), engine=MessageEngine(tool_types={"edit": Edit}))
    error = outcome.error
    assert isinstance(error, InvalidOutputError)
    assert (
        error.message
        == "the input of 'edit' is not of the type Edit: at line: expected an integer, got a string: \"3\""
    )
    assert (error.faults[0].path, error.faults[0].expected, error.faults[0].received) == ("line", "an integer", "3")
    assert error.index == 0
    assert error.value == {"line": "3"}


def test_invalid_input_that_is_kept_stays_a_dict_with_the_error_beside_it() -> None:
    engine = MessageEngine(tool_types={"edit": Edit}, on_invalid="keep")
    outcome = drive(body(*call('{"line": "3"}')), engine=engine)
    assert outcome.error is None
    (block,) = engine.final_message.content
    assert isinstance(block, ToolUseBlock)
    assert block.parsed_input == block.input == {"line": "3"}
    assert isinstance(block.parse_error, InvalidOutputError)
    assert "at line: expected an integer" in str(block.parse_error)


def test_input_that_was_cut_is_partial_and_has_no_instance() -> None:
    engine = MessageEngine(tool_types={"edit": Edit})
    outcome = drive(body(*call('{"line": 3, "te', stop_reason="max_tokens")), engine=engine)
    assert outcome.error is None
    (block,) = engine.final_message.content
    assert isinstance(block, ToolUseBlock)
    assert block.partial_input == '{"line": 3, "te'
    assert block.parsed_input is None
    outcome = drive(body(*call('{"line": 3, "te')), engine=MessageEngine(tool_types={"edit": Edit}))
    assert isinstance(outcome.error, InvalidOutputError)


def test_on_invalid_is_one_of_two() -> None:
    with pytest.raises(InvalidArgumentError, match="on_invalid"):
        MessageEngine(output_format=Report, on_invalid="ignore")  # type: ignore[arg-type]


# Against the official package


class TheirEdit(pydantic.BaseModel):
    line: int
    text: str = ""


class TheirReport(pydantic.BaseModel):
    title: str
    edits: list[TheirEdit]
    day: datetime.date
    kind: Literal["short", "long"] = "short"


_REPORTS = st.builds(
    lambda title, edits, day, extra: {"title": title, "edits": edits, "day": day.isoformat()} | extra,
    st.text(max_size=9),
    st.lists(st.fixed_dictionaries({"line": st.integers()}, optional={"text": st.text(max_size=5)}), max_size=3),
    st.dates(),
    st.fixed_dictionaries({}, optional={"kind": st.sampled_from(["short", "long"]), "unknown": st.none()}),
)


def official(payloads: list[bytes], output_format: Any) -> Any:
    """The message that the official package makes of events."""
    from anthropic.types import RawMessageStreamEvent

    adapter: Any = pydantic.TypeAdapter(RawMessageStreamEvent)
    snapshot: Any = None
    buffers: dict[int, bytes] = {}
    for payload in payloads:
        event = adapter.validate_json(payload)
        if event.type in ("ping", "error"):
            continue
        snapshot = accumulate_event(
            event=event, current_snapshot=snapshot, json_bufs=buffers, output_format=output_format
        )
    return snapshot


@given(_REPORTS, st.data())
def test_the_output_is_what_the_official_package_parses(value: dict[str, Any], data: st.DataObject) -> None:
    sent = body(*answer(json.dumps(value, ensure_ascii=data.draw(st.booleans()))))
    theirs = official(payloads_of(sent), TheirReport)
    chunks = data.draw(any_chunks(sent))
    ours = MessageStream(chunks, output_format=Report).get_final_message().parsed_output
    assert ours is not None
    assert attrs.asdict(ours) == theirs.parsed_output.model_dump()
    same = MessageStream(chunks, output_format=TheirReport).get_final_message().parsed_output
    assert same == theirs.parsed_output


def test_a_pydantic_model_is_as_lenient_as_in_the_official_package() -> None:
    sent = body(*answer('{"title": "t", "edits": [{"line": "3"}], "day": "2026-11-20"}'))
    theirs = official(payloads_of(sent), TheirReport)
    assert MessageStream([sent], output_format=TheirReport).get_final_message().parsed_output == theirs.parsed_output
    with pytest.raises(InvalidOutputError, match=r"edits\.0\.line"):
        MessageStream([sent], output_format=Report).get_final_message()


# The inputs of tools in recorded streams, through classes that are inferred from them


def _inferred(value: Any, name: str) -> Any:
    """A type that a JSON value is of."""
    if isinstance(value, dict):
        if not all(re.fullmatch("[a-zA-Z][a-zA-Z0-9_]*", key) for key in value):
            return dict[str, Any]
        fields = {key: attrs.field(type=_inferred(item, f"{name}_{key}"), alias=key) for key, item in value.items()}
        return attrs.make_class(name, fields, frozen=True)
    if isinstance(value, list):
        kinds = [_inferred(item, f"{name}_item") for item in value]
        return list[kinds[0]] if len({type(item) for item in value}) == 1 and not isinstance(value[0], dict) else list  # type: ignore[valid-type]
    return type(value)


def _unstructured(value: Any) -> Any:
    if attrs.has(type(value)):
        return {field.name: _unstructured(getattr(value, field.name)) for field in attrs.fields(type(value))}
    return [_unstructured(item) for item in value] if isinstance(value, list) else value


def _messages(path: Path) -> Iterator[bytes]:
    """The streams in a capture, which may hold several."""
    payloads = payloads_of(path.read_bytes())
    starts = [number for number, item in enumerate(payloads) if b'"message_start"' in item]
    for begin, end in zip(starts, [*starts[1:], len(payloads)], strict=True):
        yield body(*payloads[begin:end])


_USES = (ToolUseBlock, ServerToolUseBlock, MCPToolUseBlock)


@pytest.mark.parametrize("path", CAPTURES, ids=stream_id)
def test_the_inputs_of_recorded_tool_calls_become_instances(path: Path) -> None:
    for data in _messages(path):
        plain = drive(data, eof=False).snapshot
        uses = [block for block in plain.content if isinstance(block, _USES)] if plain is not None else []
        inputs = {block.name: block.input for block in uses if isinstance(block.input, dict)}
        types = {name: _inferred(value, name) for name, value in inputs.items()}
        types = {name: made for name, made in types.items() if attrs.has(made)}
        engine = MessageEngine(tool_types=types, on_invalid="keep")
        typed = drive(data, engine=engine, eof=False).snapshot
        assert typed == plain
        for block in () if typed is None else typed.content:
            if not isinstance(block, _USES) or block.name not in types or not engine.complete:
                continue
            if block.partial_input is None and block.input == inputs[block.name]:
                assert type(block.parsed_input) is types[block.name]
                assert _unstructured(block.parsed_input) == block.input
                assert block.parse_error is None


def test_the_captures_hold_inputs_to_be_tried() -> None:
    """That the test above is about something."""
    if CAPTURES:
        assert sum(path.read_bytes().count(b"input_json_delta") > 0 for path in CAPTURES) >= 20


# The kinds of types that an answer may have


class Movie(TypedDict):
    title: str


class Shot(msgspec.Struct, tag="shot"):
    length: float


class Cut(msgspec.Struct, tag="cut"):
    pass


class Color(enum.Enum):
    RED = "red"


@dataclass
class Box:
    width: int


@pytest.mark.parametrize(
    ("output_format", "content", "output"),
    [
        (Edit, '{"line": 1}', Edit(1)),
        (Box, '{"width": 2}', Box(2)),
        (Movie, '{"title": "t"}', {"title": "t"}),
        (Shot, '{"type": "shot", "length": 2}', Shot(2.0)),
        (TheirEdit, '{"line": 3}', TheirEdit(line=3)),
        (list[Edit], '[{"line": 4}]', [Edit(4)]),
        (Shot | Cut, '{"type": "cut"}', Cut()),
        (Edit | Box, '{"width": 5}', Box(5)),
        (Literal["yes", "no"], '"no"', "no"),
        (Color, '"red"', Color.RED),
        (datetime.date, '"2026-11-20"', datetime.date(2026, 11, 20)),
        (int, "12", 12),
        (bool, "false", False),
        (tuple[int, str], '[1, "a"]', (1, "a")),
    ],
    ids=str,
)
def test_an_answer_may_be_of_any_of_these_types(output_format: Any, content: str, output: Any) -> None:
    stream = MessageStream(by_frame(body(*answer(content))), output_format=output_format)
    assert list(stream.values("")) == [output]
    parsed = stream.get_final_message().parsed_output
    assert parsed == output
    assert type(parsed) is type(output)
    assert output_format_param(output_format)["type"] == "json_schema"


def test_an_answer_that_is_null_is_no_output() -> None:
    message = MessageStream([body(*answer("null"))], output_format=Edit | None).get_final_message()
    assert message.parsed_output is None
    assert getattr(message.content[0], "parse_error", None) is None


# Whole messages


def test_a_message_that_came_whole_is_parsed_as_well() -> None:
    types = AnswerTypes(output_format=Report, tools={"edit": Edit})
    use = ToolUseBlock(id="toolu_1", name="edit", input={"line": 3})
    content: list[ContentBlock] = [TextBlock(text=json.dumps(VALUE)), use]
    message = Message(id="msg_1", model="m", content=content, stop_reason="tool_use")
    parsed: Message[Report] = types.parse_message(message)
    assert parsed == message
    assert parsed.parsed_output == REPORT
    assert isinstance(parsed.content[1], ToolUseBlock)
    assert parsed.content[1].parsed_input == Edit(3)
    broken = attrs.evolve(message, content=[use, TextBlock(text='{"title": 3}')])
    with pytest.raises(InvalidOutputError) as caught:
        types.parse_message(broken)
    assert caught.value.index == 1
    assert caught.value.snapshot == broken


# What a text event shows


@given(JSON_VALUES, st.data())
def test_the_parsed_snapshot_is_that_of_the_official_package(value: Any, data: st.DataObject) -> None:
    content = json.dumps(value, ensure_ascii=data.draw(st.booleans()))
    sent = body(*answer(content, stop_reason=None))
    events = [event for event in MessageStream(data.draw(any_chunks(sent))) if isinstance(event, TextEvent)]
    in_turn = [event.parsed_snapshot() for event in MessageStream([sent]) if isinstance(event, TextEvent)]
    for event, first in zip(events, in_turn, strict=True):
        assert isinstance(event, TextEvent)
        late = event.parsed_snapshot()
        theirs = anthropic.lib.streaming.TextEvent(type="text", text=event.text, snapshot=event.snapshot)
        try:
            expected = theirs.parsed_snapshot()
        except ValueError:
            expected = None  # jiter has no value before one begins
        assert first == late == event.parsed_snapshot() == expected


def test_a_parsed_snapshot_of_prose_is_an_error() -> None:
    stream = MessageStream([body(*answer("Sorry, no."))])
    (first, *_) = [event for event in stream if isinstance(event, TextEvent)]
    with pytest.raises(DecodeError, match="expected a value"):
        first.parsed_snapshot()


def test_parsed_snapshots_in_turn_parse_each_character_once(monkeypatch: pytest.MonkeyPatch) -> None:
    fed = 0
    feed = PartialJSON.feed

    def counted(self: PartialJSON, fragment: str) -> None:
        nonlocal fed
        fed += len(fragment)
        feed(self, fragment)

    content = json.dumps([{"number": n} for n in range(2000)])
    stream = MessageStream([body(*answer(content))])
    monkeypatch.setattr(PartialJSON, "feed", counted)
    last = None
    for event in stream:
        if isinstance(event, TextEvent):
            last = event.parsed_snapshot()
    assert last == json.loads(content)
    assert fed == len(content)
