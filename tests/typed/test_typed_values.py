"""`values(path)`: each value of a growing answer with the event that completes it, on engines and streams."""

from __future__ import annotations

import json
import weakref
from collections.abc import AsyncIterator
from typing import Any

import attrs
import pydantic
import pydantic.dataclasses
import pytest
from helpers import (
    JSON_OBJECTS,
    STOP,
    any_chunks,
    block_start,
    block_stop,
    body,
    by_frame,
    frame,
    message_delta,
    message_payloads,
    partial_json,
    start,
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
    MessageAccumulator,
    MessageEngine,
    MessageStream,
)
from streamcore.accumulator import BlockInProgress
from streamcore.codec import structure_event
from streamcore.partial_json import Scanner
from streamcore.typed import InvalidOutputError, PathError, Values
from streamcore.typed.answers import Target
from streamcore.typed.paths import PathReader, parse_path
from streamcore.types import ContentBlockStopEvent, ToolUseBlock


@attrs.frozen
class Edit:
    line: int
    text: str = ""


@attrs.frozen
class Report:
    summary: str
    edits: list[Edit]
    score: int = 0


@attrs.frozen
class Plan:
    edits: list[Edit]
    goal: str = ""


def deltas(index: int, content: str, size: int, *, tool: bool) -> list[dict[str, Any]]:
    pieces = [content[begin : begin + size] for begin in range(0, len(content), size)]
    return [partial_json(index, piece) if tool else text(index, piece) for piece in pieces]


def report(size: int = 5, **members: Any) -> bytes:
    """A stream whose text is a report, in fragments of so many characters."""
    value = {"summary": "It is done.", "edits": [{"line": 1}, {"line": 2, "text": "]}"}, {"line": 3}], "score": 12}
    content = json.dumps(value | members)
    return body(start(), block_start(0), *deltas(0, content, size, tool=False), block_stop(0), message_delta(), STOP)


ANYTHING = Target(block=None, tool=None, types={}, annotation=None)
EDITS = [Edit(1), Edit(2, "]}"), Edit(3)]


# When


@pytest.mark.parametrize("path", ["edits.*", "edits.1", "edits", "summary", "score", "edits.*.line", ""])
def test_a_value_comes_with_the_event_that_completes_it(path: str) -> None:
    """Each event brings the values that its character completes."""
    engine = MessageEngine(output_format=Report)
    values = engine.values(path)
    engine.receive_data(report(1))
    reader = PathReader(parse_path(path))
    total = 0
    for event in engine.events():
        expected = 0
        if event.type == "content_block_delta":
            expected = len(reader.feed(getattr(event.delta, "text", "")))
        elif event.type == "content_block_stop":
            expected = len(reader.close())
        assert len(list(values)) == expected
        total += expected
    assert total == {"edits.*": 3, "edits.*.line": 3}.get(path, 1)


@given(st.lists(JSON_OBJECTS, max_size=3), JSON_OBJECTS, st.data())
def test_the_values_are_what_the_finished_document_holds(
    items: list[dict[str, Any]], other: dict[str, Any], data: st.DataObject
) -> None:
    document = {**other, "items": items, "after": other}
    size = data.draw(st.integers(1, 20))
    sent = body(
        start(),
        tool_start(0),
        *deltas(0, json.dumps(document, ensure_ascii=data.draw(st.booleans())), size, tool=True),
        *(block_stop(0), message_delta("tool_use"), STOP),
    )
    stream = MessageStream(data.draw(any_chunks(sent)))
    assert list(stream.values("items.*")) == items
    assert list(stream.values("items")) == [items]
    assert list(stream.values("after.*")) == list(other.values())
    assert list(stream.values("")) == [document]
    assert list(stream.values("items.*.absent")) == [item["absent"] for item in items if "absent" in item]
    (block,) = stream.get_final_message().content
    assert isinstance(block, ToolUseBlock)
    assert block.input == document


@given(message_payloads().map(lambda payloads: body(*payloads)), st.data())
def test_any_legal_stream_gives_the_same_values_in_any_chunks(sent: bytes, data: st.DataObject) -> None:
    whole = list(MessageStream([sent]).values("*"))
    stream = MessageStream(data.draw(any_chunks(sent)))
    assert list(stream.values("*")) == whole
    # Of interleaved blocks, the values come in the order in which they are complete.
    by_block = [
        value
        for block in stream.get_final_message().content
        if block.type in ("tool_use", "server_tool_use") and getattr(block, "partial_input", None) is None
        for value in block.input.values()
    ]
    assert all(value in whole for value in by_block)


@given(message_payloads().map(lambda payloads: body(*payloads)))
def test_a_view_that_is_read_after_each_event_has_missed_nothing(sent: bytes) -> None:
    engine = MessageEngine()
    early = engine.values("*")
    engine.receive_data(sent)
    found: list[str] = []
    for _ in engine.events():
        found += map(repr, early)
        fresh: Values[Any] = Values(engine.accumulator, parse_path("*"), ANYTHING)
        assert sorted(found) == sorted(map(repr, fresh))


# What


def test_a_type_that_is_known_makes_instances() -> None:
    assert list(MessageStream([report()], output_format=Report).values("edits.*")) == EDITS
    assert list(MessageStream([report()]).values("edits.*", Edit)) == EDITS
    assert list(MessageStream([report()]).values("edits.*", type=Edit)) == EDITS
    assert list(MessageStream([report()]).values("edits.0")) == [{"line": 1}]
    assert list(MessageStream([report()], output_format=Report).values("edits.*", type=dict[str, Any])) == [
        {"line": 1},
        {"line": 2, "text": "]}"},
        {"line": 3},
    ]


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_text_comes_as_it_grows(size: int) -> None:
    stream = MessageStream([report(size)], output_format=Report)
    pieces = list(stream.values("summary~"))
    assert "".join(pieces) == "It is done."
    assert len(pieces) == {1: 11, 3: 4, 1000: 1}[size]
    assert list(stream.values("edits.*.text~")) == ["]}"] if size > 1 else ["]", "}"]


def test_a_value_of_another_type_raises_and_those_after_it_can_be_had() -> None:
    stream = MessageStream([report(edits=[{"line": 1}, {"line": "x"}, {"line": 3}])])
    values = stream.values("edits.*", Edit)
    assert next(values) == Edit(1)
    with pytest.raises(InvalidOutputError, match=r"at edits\.1\.line: expected an integer, got a string") as caught:
        next(values)
    assert caught.value.index == 0
    assert caught.value.snapshot is not None
    assert list(values) == [Edit(3)]


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("edit.*", "no member 'edit', but 'summary', 'edits', 'score'"),
        ("edits.line", "an array, which has no member 'line'"),
        ("score~", "there is an integer, not text"),
        ("edits.", "is not a path"),
    ],
)
def test_a_path_that_cannot_match_is_refused_at_once(path: str, why: str) -> None:
    engine = MessageEngine(output_format=Report)
    with pytest.raises(PathError, match=why):
        engine.values(path)
    with pytest.raises(PathError, match=why):
        MessageStream([report()], output_format=Report).values(path)


# Which block


def two_tools() -> bytes:
    one, other = json.dumps({"edits": [{"line": 1}, {"line": 2}]}), json.dumps({"edits": [{"line": 3}], "goal": "g"})
    turns = zip(deltas(1, one, 4, tool=True), deltas(2, other, 4, tool=True), strict=False)
    words = [block_start(0), text(0, "Well: "), text(0, '[{"edits": 1}]'), block_stop(0)]
    interleaved = [delta for turn in turns for delta in turn]
    rest = (
        deltas(1, one, 4, tool=True)[len(interleaved) // 2 :] + deltas(2, other, 4, tool=True)[len(interleaved) // 2 :]
    )
    ends = [block_stop(2), block_stop(1), message_delta("tool_use"), STOP]
    return body(start(), *words, tool_start(1, "one"), tool_start(2, "other"), *interleaved, *rest, *ends)


def test_the_values_come_from_whichever_block_they_belong_to() -> None:
    stream = MessageStream(by_frame(two_tools()))
    assert sorted(value["line"] for value in stream.values("edits.*")) == [1, 2, 3]
    assert list(stream.values("edits.*", block=2)) == [{"line": 3}]
    assert list(stream.values("edits.*", tool="one")) == [{"line": 1}, {"line": 2}]
    assert list(stream.values("edits.*", tool="none")) == []
    assert list(stream.values("edits.*", block=0)) == []
    with pytest.raises(PathError, match="not both"):
        stream.values("edits.*", block=1, tool="one")


def test_types_say_which_blocks_have_a_path() -> None:
    stream = MessageStream(by_frame(two_tools()), tool_types={"other": Plan})
    assert list(stream.values("edits.*")) == [Edit(3)]
    assert list(stream.values("goal~")) == ["g"]
    assert list(stream.values("edits.*", tool="one")) == [{"line": 1}, {"line": 2}]
    with pytest.raises(PathError, match="Plan"):
        stream.values("aim")
    with pytest.raises(PathError, match="Plan"):
        stream.values("aim", tool="other")
    assert list(stream.values("aim", tool="one")) == []
    assert list(stream.values("aim", block=2)) == []


def test_several_types_may_have_a_path() -> None:
    content = json.dumps({"summary": "s", "edits": [{"line": 9}]})
    sent = (
        two_tools()
        .replace(b'"text":"Well: "', b'"text":""')
        .replace(json.dumps('[{"edits": 1}]').encode(), json.dumps(content).encode())
    )
    stream = MessageStream(by_frame(sent), output_format=Report, tool_types={"other": Plan})
    assert list(stream.values("edits.*")) == [Edit(9), Edit(3)]
    assert list(stream.values("goal")) == ["g"]
    assert list(stream.values("summary")) == ["s"]


def test_prose_has_no_values() -> None:
    words = [start(), block_start(0), text(0, "See [1, 2] and {3}."), block_stop(0), message_delta(), STOP]
    assert list(MessageStream([body(*words)]).values("*")) == []


def test_input_that_comes_with_the_start_of_its_block_has_values() -> None:
    block = {"type": "tool_use", "id": "toolu_1", "name": "plan", "input": {"edits": [{"line": 7}]}}
    sent = body(start(), block_start(0, block), block_stop(0), message_delta("tool_use"), STOP)
    stream = MessageStream([sent], tool_types={"plan": Plan})
    assert list(stream.values("edits.*")) == [Edit(7)]
    assert stream.partial(Plan).edits[0].line == 7


# Views of one stream


def test_leaving_a_view_and_going_on_with_another_loses_nothing() -> None:
    for chunks in ([report(7)], by_frame(report(7))):
        stream = MessageStream(chunks, output_format=Report)
        for edit in stream.values("edits.*"):
            assert edit == EDITS[0]
            break
        assert next(stream.values("edits.*")) == EDITS[1]
        kinds = {event.type for event in stream}
        assert "message_stop" in kinds
        # What completed while nobody looked is still there, and what completed before somebody asked, too.
        assert list(stream.values("edits.*")) == EDITS[2:]
        assert list(stream.values("summary")) == ["It is done."]
        assert list(stream.values("summary")) == []
        assert "".join(stream.values("summary~")) == "It is done."


def test_views_may_be_read_in_turns() -> None:
    stream = MessageStream(by_frame(report(3)), output_format=Report)
    turns = zip(stream.values("edits.*"), stream.values("edits.*.line"), strict=True)
    assert list(turns) == list(zip(EDITS, [1, 2, 3], strict=True))


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_async_stream_has_the_same_views(backend: str) -> None:
    async def test() -> None:
        async def chunks() -> AsyncIterator[bytes]:
            for chunk in by_frame(report()):
                yield chunk

        async with AsyncMessageStream(chunks(), output_format=Report) as stream:
            async for edit in stream.values("edits.*"):
                assert edit == EDITS[0]
                break
            assert [edit async for edit in stream.values("edits.*")] == EDITS[1:]
            assert [score async for score in stream.values("score", int)] == [12]
            assert stream.partial(Report).score == 12

    run(backend, test)


def test_an_engine_gives_what_is_there_and_no_more() -> None:
    engine = MessageEngine()
    values: Values[Edit] = engine.values("edits.*", Edit)
    assert engine.values("edits.*", Edit) is values
    seen: list[Edit] = []
    for chunk in by_frame(report()):
        engine.receive_data(chunk)
        for _ in engine.events():
            seen += values
    assert seen == EDITS
    assert list(values) == []


def test_an_accumulator_has_the_same_view() -> None:
    accumulator = MessageAccumulator()
    values: Values[Any] = Values(
        accumulator, parse_path("edits.*"), Target(block=None, tool=None, types={}, annotation=Edit)
    )
    for payload in by_frame(report()):
        if payload:
            accumulator.apply(json.loads(payload.partition(b"data: ")[2]))
    assert list(values) == EDITS
    assert structure_event(STOP).type == "message_stop"


def test_of_several_messages_all_are_seen() -> None:
    engine = MessageEngine(multiple_messages=True, output_format=Report)
    values = engine.values("score")
    found: list[int] = []
    engine.receive_data(report() + report(score=34))
    for _ in engine.events():
        found += values
    assert found == [12, 34]


def test_a_stream_that_breaks_gives_first_what_was_complete() -> None:
    broken = report()[:-200] + b"data: {\n\n"
    values = MessageStream([broken], output_format=Report).values("edits.*")
    assert next(values) == EDITS[0]
    with pytest.raises(DecodeError):
        list(values)
    cut = by_frame(report())[:-4]
    values = MessageStream(cut, output_format=Report).values("edits.*")
    assert [next(values), next(values), next(values)] == EDITS
    with pytest.raises(IncompleteStreamError):
        next(values)


def test_a_closed_stream_still_gives_what_has_come() -> None:
    stream = MessageStream(by_frame(report()), output_format=Report)
    assert next(stream.values("edits.*.line")) == 1
    stream.close()
    assert list(stream.values("summary")) == ["It is done."]
    assert list(stream.values("score")) == []


def test_a_view_does_not_keep_a_stream_that_is_dropped_alive_by_a_cycle() -> None:
    stream = MessageStream([report()])
    assert list(stream.values("edits.0")) == [{"line": 1}]
    watch = weakref.ref(stream)
    del stream
    assert watch() is None


# Cost


def test_every_character_is_scanned_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """An array in fragments of 20 characters, twice as long: twice the characters scanned, each of them once."""
    scanned = 0
    scan = Scanner.scan

    def counted_scan(self: Scanner, fragment: str) -> bool:
        nonlocal scanned
        scanned += len(fragment)
        return scan(self, fragment)

    for items in (500, 1000):
        scanned = 0
        content = json.dumps({"rest": "x" * 10_000, "edits": [{"line": n, "text": "t" * 50} for n in range(items)]})
        sent = body(start(), block_start(0), *deltas(0, content, 20, tool=False), block_stop(0), message_delta(), STOP)
        stream = MessageStream(by_frame(sent))
        with monkeypatch.context() as patch:
            patch.setattr(Scanner, "scan", counted_scan)
            assert len(list(stream.values("edits.*", Edit))) == items
        assert scanned == len(content)


@pytest.mark.parametrize("views", [1, 3], ids=["one view", "three views"])
def test_an_event_makes_a_view_look_at_the_blocks_it_touched_only(views: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice as many blocks that stay open: twice the looks, not four times."""
    looks = 0
    length: Any = BlockInProgress.length

    def counted_length(self: BlockInProgress) -> int:
        nonlocal looks
        looks += 1
        return length.fget(self)  # type: ignore[no-any-return]

    def work(count: int) -> int:
        nonlocal looks
        engine = MessageEngine()
        found: list[list[Any]] = [[] for _ in range(views)]
        blocks = [payload for n in range(count) for payload in (tool_start(n), partial_json(n, '{"edits":['))]
        late = [partial_json(n, f"{n}]}}") for n in range(count)]
        engine.receive_data(body(start(), *blocks, *late))
        looks = 0
        with monkeypatch.context() as patch:
            patch.setattr(BlockInProgress, "length", property(counted_length))
            for _ in engine.events():
                for number, values in enumerate(found):
                    values += engine.values("edits.*", block=None, type=[None, int, float][number])
        assert found == [list(range(count))] * views
        return looks

    assert work(50) < 2.2 * work(25)


def test_the_view_of_one_block_looks_at_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program may have a view for each block. Twice as many blocks: twice the looks, not four times."""
    looks = 0
    type_in = Target.type_in

    def counted_type_in(self: Target, start: Any, index: int) -> tuple[bool, Any]:
        nonlocal looks
        looks += 1
        return type_in(self, start, index)

    engine = MessageEngine()
    blocks = [[tool_start(n), partial_json(n, f'{{"edits":[{n}]}}'), block_stop(n)] for n in range(50)]
    engine.receive_data(body(start(), *(payload for block in blocks for payload in block)))
    found: list[Any] = []
    with monkeypatch.context() as patch:
        patch.setattr(Target, "type_in", counted_type_in)
        for event in engine.events():
            if isinstance(event, ContentBlockStopEvent):
                found += engine.values("edits.*", block=event.index)
                assert engine.partial(dict, block=event.index) == {"edits": [event.index]}
    assert found == [*range(50)]
    assert looks == 100


def test_a_view_that_is_read_late_gives_the_values_of_all_blocks_in_their_order() -> None:
    engine = MessageEngine()
    early = engine.values("*")
    grow = [partial_json(n % 3, piece) for piece in ("[1", "0,", "2", "0,", "3") for n in (2, 0, 1)]
    engine.receive_data(body(start(), *[tool_start(n) for n in range(3)], *grow))
    found: list[Any] = []
    for number, _ in enumerate(engine.events()):
        if not number % 4:
            found += early
    found += early
    assert sorted(found) == [10, 10, 10, 20, 20, 20]
    assert list(engine.values("*", int)) == [10, 20, 10, 20, 10, 20]


def test_a_view_sees_what_is_added_to_a_block_after_another_one_has_stopped() -> None:
    engine = MessageEngine()
    values = engine.values("*")
    events = [tool_start(0), tool_start(1), partial_json(1, "[1,"), partial_json(0, "[2,"), block_stop(1)]
    engine.receive_data(body(start(), *events, partial_json(0, "3,"), partial_json(0, "4]")))
    found = [list(values) for _ in engine.events()]
    assert found == [[], [], [], [1], [2], [], [3], [4]]


@pytest.mark.parametrize("tool", [False, True], ids=["text", "tool"])
def test_a_surrogate_pair_that_is_split_between_two_deltas_is_one_character(tool: bool) -> None:
    begin, add = (tool_start, partial_json) if tool else (block_start, text)
    engine = MessageEngine()
    pieces: list[str] = []
    scores: list[int] = []
    shown = None
    # In JSON escapes, as UTF-8 cannot encode half of a pair.
    halves = ['{"summary":"a\ud83d', "\ude00\ud83d", '\ude00b","score":7}']
    for payload in [start(), begin(0), *(add(0, half) for half in halves), block_stop(0), message_delta(), STOP]:
        engine.receive_data(frame(json.dumps(payload).encode()))
        for _ in engine.events():
            pieces += engine.values("summary~", str)
            scores += engine.values("score", int)
            shown = engine.partial(Report)
    assert ascii(pieces) == ascii(["a", "\U0001f600", "\U0001f600b"])
    assert scores == [7]
    assert shown is not None
    assert (shown.summary, shown.score) == ("a\U0001f600\U0001f600b", 7)


def test_half_of_a_surrogate_pair_that_stays_alone_in_the_input_of_a_tool_is_kept() -> None:
    engine = MessageEngine()
    payloads = [start(), tool_start(0), partial_json(0, '{"summary":"a\ud83d'), partial_json(0, 'b","score":7}')]
    found: list[Any] = []
    for payload in [*payloads, block_stop(0), message_delta(), STOP]:
        engine.receive_data(frame(json.dumps(payload).encode()))
        for _ in engine.events():
            found += engine.values("*")
    assert found == ["a\ud83db", 7]
    assert isinstance(block := engine.final_message.content[0], ToolUseBlock)
    assert [*block.input.values()] == found
    assert engine.partial(Report).summary == "a\ud83db"


@pytest.mark.parametrize("every", [True, False], ids=["read after each event", "read at the end"])
def test_values_that_come_after_the_stop_of_their_block_are_given(every: bool) -> None:
    engine = MessageEngine()
    found: list[Any] = []
    payloads = [start(), tool_start(0), partial_json(0, '{"summary":"a",'), block_stop(0)]
    for payload in [*payloads, partial_json(0, '"score":7}'), message_delta(), STOP]:
        engine.receive_data(body(payload))
        for _ in engine.events():
            if every:
                found += engine.values("*")
    found += engine.values("*")
    assert found == ["a", 7]


def test_a_view_goes_on_with_a_block_whose_message_has_ended() -> None:
    engine = MessageEngine(multiple_messages=True)
    values = engine.values("score")
    first = report(score=1)
    engine.receive_data(first + report(score=2))
    events = engine.events()
    for event in events:
        if event.type == "content_block_delta":
            assert list(values) == []
            break
    for event in events:
        if event.type == "message_start":
            assert list(values) == [1]
    assert list(values) == [2]


def test_a_view_sees_each_message_also_if_both_begin_with_content() -> None:
    block = {"type": "text", "text": "Well:"}
    engine = MessageEngine(multiple_messages=True)
    values = engine.values("score")
    for score in (1, 2):
        events = [start(content=[block]), block_start(1), text(1, f'{{"score":{score}}}'), block_stop(1)]
        engine.receive_data(body(*events, message_delta(), STOP))
    found: list[int] = []
    for _ in engine.events():
        found += values
    assert found == [1, 2]


def test_text_after_a_fault_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    fed: list[str] = []
    feed = PathReader.feed

    def counted_feed(self: PathReader, fragment: str) -> Any:
        fed.append(fragment)
        return feed(self, fragment)

    monkeypatch.setattr(PathReader, "feed", counted_feed)
    sent = body(start(), block_start(0), *deltas(0, "Prose " * 50, 6, tool=False), block_stop(0), message_delta(), STOP)
    assert list(MessageStream(by_frame(sent)).values("*")) == []
    assert fed == ["Prose "]


class Aliased(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(populate_by_name=True)

    a: str = pydantic.Field(alias="A")
    b: str = pydantic.Field(validation_alias=pydantic.AliasChoices("b1", "b2", pydantic.AliasPath("c", 0)))


class Extra(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")

    a: str


@pydantic.dataclasses.dataclass
class AliasedDataclass:
    a: str = pydantic.Field(alias="A")


@pytest.mark.parametrize(
    ("annotation", "key", "name"),
    [
        (Aliased, "A", "a"),
        (Aliased, "a", "a"),
        (Aliased, "b1", "b"),
        (Aliased, "b2", "b"),
        (Aliased, "b", "b"),
        (Extra, "more", "more"),
        (AliasedDataclass, "A", "a"),
    ],
)
def test_a_pydantic_field_is_found_by_all_names_that_it_may_have(annotation: Any, key: str, name: str) -> None:
    value = {"A": "x", "b1": "x", "a": "x"} if annotation is Extra else {"A": "x", "b1": "x"}
    value = {known: text for known, text in value.items() if known.lower()[0] != key[0]} | {key: "y"}
    engine = MessageEngine(output_format=annotation)
    events = [start(), block_start(0), text(0, json.dumps(value)), block_stop(0), message_delta(), STOP]
    engine.receive_data(body(*events))
    list(engine.events())
    assert list(engine.values(key)) == ["y"]
    assert getattr(engine.partial(annotation), name) == "y"
    assert getattr(engine.final_message.parsed_output, name) == "y"


def test_a_pydantic_field_has_no_other_names() -> None:
    with pytest.raises(PathError):
        MessageEngine(output_format=AliasedDataclass).values("a")
    assert list(MessageEngine(output_format=Aliased).values("c.0")) == []
