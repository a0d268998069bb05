"""Derived events: what they are, that they are values, and that they hold what was so when they came."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from helpers import (
    HELLO,
    HELLO_TYPES,
    PING,
    STOP,
    STREAMS,
    block_start,
    block_stop,
    body,
    by_frame,
    delta,
    frame,
    message_delta,
    partial_json,
    same,
    start,
    stream_id,
    text,
    tool_start,
)

from streamcore import MessageEngine, MessageStream, ProtocolError
from streamcore.errors import APIStatusError
from streamcore.stream import derive
from streamcore.stream._derived import DerivingDecoder
from streamcore.stream._pump import Completion
from streamcore.types import (
    CitationEvent,
    CompactionEvent,
    ContentBlockDeltaEvent,
    ContentBlockStopEvent,
    InputJsonEvent,
    MessageStopEvent,
    ParsedContentBlockStopEvent,
    ParsedMessageStopEvent,
    SignatureEvent,
    TextBlock,
    TextEvent,
    ThinkingBlock,
    ThinkingEvent,
    ToolUseBlock,
)
from streamcore.types.derived import deferring

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from streamcore.types import ParsedMessageStreamEvent

# Items do not end at `message_stop`.
ENDLESS = Completion(MessageEngine(multiple_messages=True))

CITATION = {
    "type": "char_location",
    "cited_text": "c",
    "document_index": 0,
    "document_title": None,
    "start_char_index": 0,
    "end_char_index": 1,
}


def derived(data: bytes, **options: Any) -> list[ParsedMessageStreamEvent]:
    engine = MessageEngine(**options)
    engine.receive_data(data)
    return [item for event in engine.events() for item in derive(event, engine)]


def only(cls: type[Any], data: bytes, **options: Any) -> list[Any]:
    return [event for event in derived(data, **options) if isinstance(event, cls)]


# The events


def test_text_follows_its_delta_with_all_text_so_far() -> None:
    events = derived(body(*HELLO))
    assert [event.type for event in events] == HELLO_TYPES
    assert events[3] == TextEvent(text="Hel", snapshot="Hel")
    assert events[5] == TextEvent(text="lo", snapshot="Hello")


def test_a_delta_with_a_field_that_is_not_known_derives_in_a_stream_what_it_would_without() -> None:
    plain, more = (
        body(start(), block_start(0), delta(0, "text_delta", text="Hi", **extra), block_stop(0), message_delta(), STOP)
        for extra in ({}, {"field": 1})
    )
    for chunks in ([more], by_frame(more)):
        found = [event for event in MessageStream(chunks) if isinstance(event, TextEvent)]
        assert found == only(TextEvent, plain)


def test_text_begins_with_what_the_block_started_with() -> None:
    data = body(start(), block_start(0, {"type": "text", "text": "Well, "}), text(0, "hi"))
    assert only(TextEvent, data) == [TextEvent(text="hi", snapshot="Well, hi")]


def test_thinking_and_its_signature() -> None:
    thought = [delta(0, "thinking_delta", thinking="Hm"), delta(0, "thinking_delta", thinking="m")]
    signed = delta(0, "signature_delta", signature="c2ln")
    data = body(start(), block_start(0, {"type": "thinking", "thinking": ""}), *thought, signed)
    assert only(ThinkingEvent, data) == [
        ThinkingEvent(thinking="Hm", snapshot="Hm"),
        ThinkingEvent(thinking="m", snapshot="Hmm"),
    ]
    assert only(SignatureEvent, data) == [SignatureEvent(signature="c2ln")]


def test_citations_are_counted_up() -> None:
    cited = [delta(0, "citations_delta", citation={**CITATION, "cited_text": name}) for name in "ab"]
    first, second = only(CitationEvent, body(start(), block_start(0), *cited))
    assert first.snapshot == (first.citation,)
    assert second.snapshot == (first.citation, second.citation)
    assert [citation.cited_text for citation in second.snapshot] == ["a", "b"]


def test_tool_input_is_the_value_so_far() -> None:
    fragments = [partial_json(0, piece) for piece in ("", '{"a": [1', ', "b', 'c"]}')]
    events = only(InputJsonEvent, body(start(), tool_start(0), *fragments))
    assert [event.snapshot for event in events] == [{}, {"a": [1]}, {"a": [1]}, {"a": [1, "bc"]}]
    assert [event.partial_json for event in events] == ["", '{"a": [1', ', "b', 'c"]}']
    assert only(InputJsonEvent, body(start(), tool_start(0), *fragments), trailing_strings=True)[2].snapshot == {
        "a": [1, "b"]
    }


def test_compaction_holds_the_summary_so_far() -> None:
    changes = [
        delta(0, "compaction_delta", content=None, encrypted_content=None),
        delta(0, "compaction_delta", content="They "),
        delta(0, "compaction_delta", content="met", encrypted_content="b3BhcXVl"),
    ]
    events = only(CompactionEvent, body(start(), block_start(0, {"type": "compaction", "content": None}), *changes))
    assert events == [
        CompactionEvent(),
        CompactionEvent(content="They "),
        CompactionEvent(content="They met", encrypted_content="b3BhcXVl"),
    ]


def test_stops_carry_what_is_complete() -> None:
    events = derived(body(*HELLO))
    (stop,) = [event for event in events if isinstance(event, ContentBlockStopEvent)]
    assert stop == ParsedContentBlockStopEvent(index=0, content_block=TextBlock(text="Hello"))
    (end,) = [event for event in events if isinstance(event, MessageStopEvent)]
    assert isinstance(end, ParsedMessageStopEvent)
    assert end.message.content == [TextBlock(text="Hello")]
    assert end.message.stop_reason == "end_turn"


def test_a_block_that_stops_inside_its_input_carries_the_raw_text() -> None:
    data = body(start(), tool_start(0), partial_json(0, '{"a": 1, "b'), block_stop(0))
    (stop,) = only(ParsedContentBlockStopEvent, data)
    assert isinstance(stop.content_block, ToolUseBlock)
    assert stop.content_block.input == {"a": 1}
    assert stop.content_block.partial_input == '{"a": 1, "b'


def test_what_was_not_applied_derives_nothing() -> None:
    unknown = {"type": "sketch", "text": "no"}
    data = body(start(), block_start(0, unknown), text(0, "a"), delta(0, "stroke_delta", at=[1]))
    assert [event.type for event in derived(data)][2:] == ["content_block_delta"] * 2
    late = derived(body(*HELLO, text(0, "late"), block_stop(0), block_stop(7), STOP))[9:]
    assert [event.type for event in late] == [
        "content_block_delta",
        "content_block_stop",
        "content_block_stop",
        "message_stop",
    ]
    assert late[1] == ParsedContentBlockStopEvent(index=0, content_block=TextBlock(text="Hello"))
    assert late[2] == ContentBlockStopEvent(index=7)  # no such block


def test_an_unknown_block_derives_its_input() -> None:
    data = body(start(), block_start(0, {"type": "new_tool", "input": {}}), partial_json(0, '{"a": 1}'))
    assert only(InputJsonEvent, data) == [InputJsonEvent(partial_json='{"a": 1}', snapshot={"a": 1})]


def test_other_events_come_alone_and_as_they_are() -> None:
    engine = MessageEngine()
    engine.receive_data(body(start(), PING, {"type": "new_event"}, message_delta()))
    for event in engine.events():
        assert derive(event, engine) == (event,)
        assert derive(event, engine)[0] is event


def test_unknown_fields_of_a_stop_are_kept() -> None:
    data = body(*HELLO[:-3], {**block_stop(0), "seal": 1}, message_delta(), {**STOP, "metrics": {"ms": 5}})
    (stop,), (end,) = only(ContentBlockStopEvent, data), only(MessageStopEvent, data)
    assert stop.extra == {"seal": 1}
    assert stop.content_block == TextBlock(text="Hello")
    assert end.to_dict()["metrics"] == {"ms": 5}
    assert end.to_dict()["message"]["id"] == "msg_1"
    assert pickle.loads(pickle.dumps(end)) == end


# When it is built


@pytest.mark.parametrize("attribute", ["snapshot", "content_block", "message", "content"])
def test_built_once_and_only_when_read(attribute: str) -> None:
    classes: dict[str, type[Any]] = {
        "snapshot": TextEvent,
        "content_block": ParsedContentBlockStopEvent,
        "message": ParsedMessageStopEvent,
        "content": CompactionEvent,
    }

    class Source:
        def __init__(self, *values: str) -> None:
            self.values = list(values)

        def at(self, mark: str) -> str:
            assert mark == "mark"
            return self.values.pop()

    make = deferring(classes[attribute])
    source = Source("built")
    event = make(source, "mark")
    assert getattr(event, attribute) == "built"
    assert getattr(event, attribute) == "built"
    assert not source.values
    make(Source(), "mark")
    with pytest.raises(AttributeError, match="made_up"):
        _ = event.made_up


def test_text_read_at_each_event_is_the_text_of_the_message() -> None:
    engine = MessageEngine()
    engine.receive_data(body(*HELLO))
    for event in engine.events():
        for item in derive(event, engine):
            if isinstance(item, TextEvent):
                message = engine.snapshot
                assert message is not None
                block = message.content[0]
                assert isinstance(block, TextBlock)
                assert item.snapshot is block.text  # one copy serves both


READ: dict[str, Callable[[list[Any]], list[Any]]] = {
    "in order": lambda events: events,
    "backwards": lambda events: events[::-1],
    "every third": lambda events: events[::3],
}


@pytest.mark.parametrize("path", STREAMS, ids=stream_id)
def test_read_late_is_the_same_as_read_at_once(path: Path) -> None:
    for trailing_strings in (False, True):
        data = path.read_bytes()
        at_once, late = _copies(data, trailing_strings, now=True), _copies(data, trailing_strings, now=False)
        assert len(at_once) == len(late)
        for order in READ.values():
            for event in order(late):
                repr(event)
        assert late == at_once


def _copies(data: bytes, trailing_strings: bool, *, now: bool) -> list[Any]:
    engine = MessageEngine(trailing_strings=trailing_strings, multiple_messages=True)
    engine.receive_data(data)
    events = []
    try:
        for event in engine.events():
            for item in derive(event, engine):
                events.append(item)
                if now:
                    repr(item)
    except ProtocolError:
        pass
    return events


def test_a_stop_holds_the_block_without_what_came_after_it() -> None:
    late = [text(0, "!"), block_stop(0), text(0, "?")]
    first, second = only(ParsedContentBlockStopEvent, body(*HELLO[:5], *late))
    assert first.content_block == TextBlock(text="Hello")
    assert second.content_block == TextBlock(text="Hello!")


@pytest.mark.parametrize(
    ("block", "before", "after"),
    [
        ({"type": "thinking", "thinking": ""}, delta(0, "signature_delta", signature="a"), "signature_delta"),
        ({"type": "text", "text": ""}, delta(0, "citations_delta", citation=CITATION), "citations_delta"),
    ],
)
def test_a_late_delta_of_any_kind_leaves_the_stop_as_it_was(block: Any, before: Any, after: str) -> None:
    late = delta(0, after, signature="b", citation={**CITATION, "cited_text": "late"})
    (stop,) = only(ParsedContentBlockStopEvent, body(start(), block_start(0, block), before, block_stop(0), late))
    if isinstance(stop.content_block, ThinkingBlock):
        assert stop.content_block.signature == "a"
    else:
        assert len(stop.content_block.citations) == 1


def test_a_message_stop_holds_its_own_message_when_another_has_begun() -> None:
    second = [start("msg_2"), block_start(0), text(0, "Bye"), block_stop(0), message_delta(), STOP]
    first, last = only(ParsedMessageStopEvent, body(*HELLO, *second), multiple_messages=True)
    assert last.message.id == "msg_2"
    assert first.message.id == "msg_1"
    assert first.message.content == (TextBlock(text="Hello"),)


# Values


def test_an_event_that_was_not_read_prints_compares_copies_and_pickles() -> None:
    def event() -> Any:
        return only(TextEvent, body(*HELLO))[1]

    assert repr(event()) == "TextEvent(text='lo', snapshot='Hello')"
    assert event() == TextEvent(text="lo", snapshot="Hello")
    assert hash(event()) == hash(TextEvent(text="lo", snapshot="Hello"))
    assert copy.copy(event()) == copy.deepcopy(event()) == event()
    assert pickle.loads(pickle.dumps(event())) == event()
    assert attrs.evolve(event(), text="x") == TextEvent(text="x", snapshot="Hello")
    assert event().to_dict() == {"type": "text", "text": "lo", "snapshot": "Hello"}
    assert event().model_dump_json() == '{"type":"text","text":"lo","snapshot":"Hello"}'
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        event().snapshot = ""


def test_an_unpickled_event_needs_no_engine() -> None:
    stop = only(ParsedMessageStopEvent, body(*HELLO))[0]
    assert pickle.loads(pickle.dumps(stop)).message == stop.message


def test_an_event_made_of_values_parses_its_snapshot() -> None:
    event = TextEvent(text="1", snapshot="[1")
    assert event.parsed_snapshot() == pickle.loads(pickle.dumps(event)).parsed_snapshot() == [1]


def test_matched_by_the_class_of_the_wire_event() -> None:
    found = []
    for event in derived(body(*HELLO)):
        match event:
            case TextEvent(text=piece, snapshot=snapshot):
                found.append((piece, snapshot))
            case ContentBlockDeltaEvent(index=index):
                found.append(("delta", str(index)))
            case ContentBlockStopEvent(index=index):
                found.append(("stop", str(index)))
            case ParsedMessageStopEvent(message=message):
                found.append(("end", message.id))
            case _:
                pass
    assert found == [
        ("delta", "0"),
        ("Hel", "Hel"),
        ("delta", "0"),
        ("lo", "Hello"),
        ("stop", "0"),
        ("end", "msg_1"),
    ]


def test_a_frame_at_a_time_gives_the_same_as_all_at_once() -> None:
    engine = MessageEngine()
    events = []
    for payload in HELLO:
        engine.receive_data(frame(payload))
        events += [item for event in engine.events() for item in derive(event, engine)]
    assert events == derived(body(*HELLO))


@pytest.mark.parametrize("path", STREAMS, ids=stream_id)
def test_a_decoder_gives_at_once_what_it_gives_endlessly(path: Path) -> None:
    frames = by_frame(path.read_bytes())
    plain, quick = (DerivingDecoder(MessageEngine(multiple_messages=True)) for _ in range(2))
    items = quick.items(None, Completion(quick))
    for chunk in frames:
        plain.receive_data(chunk)
        quick.receive_data(chunk)
        events: list[Any] = []
        errors: list[Any] = [None, None]
        try:
            for event in plain.events():
                events.append(event)
        except ProtocolError as error:
            errors[0] = error.message
        given: list[Any] = []
        try:
            while (item := next(items)) is not None:
                given.append(item)
        except ProtocolError as error:
            errors[1] = error.message
        except APIStatusError as error:
            assert given[-1].type == "error"
            assert error.snapshot == plain.snapshot
            return
        assert [same(one, other) for one, other in zip(given, events, strict=True)] == [True] * len(events)
        assert errors[0] == errors[1]
        if errors[0] is not None:
            return


@pytest.mark.parametrize(
    ("block", "fields", "name"),
    [
        ({"type": "text", "text": ""}, {"type": "text_delta", "text": "a"}, "text"),
        ({"type": "thinking", "thinking": ""}, {"type": "thinking_delta", "thinking": "a"}, "thinking"),
        (
            {"type": "tool_use", "id": "1", "name": "n", "input": {}},
            {"type": "input_json_delta", "partial_json": "{"},
            "input_json",
        ),
    ],
)
def test_a_delta_with_a_field_that_is_new_has_its_derived_event(block: Any, fields: Any, name: str) -> None:
    data = body(start(), block_start(0, block), delta(0, **fields, new_thing=1), block_stop(0), message_delta(), STOP)
    with MessageStream([data]) as stream:
        assert [event.type for event in stream][2:4] == ["content_block_delta", name]


SKETCH = {"type": "sketch", "text": ""}
THINKING = {"type": "thinking", "thinking": ""}


@pytest.mark.parametrize(
    ("payloads", "expected"),
    [
        # The delta goes to block 1, of a new type, and is not applied. So block 0 is still the current one.
        ([block_start(0), block_start(1, SKETCH), text(0, "a"), text(1, "b"), text(0, "c")], ["a", None, "ac"]),
        # A delta of a new type for the current block.
        ([block_start(0), text(0, "a"), delta(0, "stroke_delta", text="b"), text(0, "c")], ["a", None, "ac"]),
        # A known delta that adds no text to the current block.
        ([block_start(0, THINKING), delta(0, "signature_delta", signature="s")], ["s"]),
        # The same for a block of a new type, which no delta can be applied to.
        ([block_start(0, SKETCH), text(0, "a"), delta(0, "signature_delta", signature="s")], [None, None]),
        # Deltas of two open blocks in turn.
        (
            [block_start(0), block_start(1), text(0, "a"), text(1, "b"), text(0, "c"), text(1, "d")],
            ["a", "b", "ac", "bd"],
        ),
        # Blocks of two types in turn.
        (
            [block_start(0), block_start(1, THINKING), text(0, "a"), delta(1, "thinking_delta", thinking="b")],
            ["a", "b"],
        ),
        # After its stop a block is not the current one, and its deltas still count.
        ([block_start(0), text(0, "a"), block_stop(0), text(0, "b"), text(0, "c")], ["a", "ab", "abc"]),
        # After message_stop they do not.
        ([*HELLO[1:], text(0, "late")], ["Hel", "Hello", None]),
        # Nor do those of blocks that were never started.
        ([*HELLO[1:], text(7, "late")], ["Hel", "Hello", None]),
    ],
)
def test_only_deltas_that_are_applied_to_the_current_block_take_the_fast_path(
    payloads: list[Any], expected: list[str | None]
) -> None:
    # A new field keeps the engine's fast path out of it, so that the derived events alone decide.
    for extra in ({}, {"new_field": 1}):
        sent = [{**payload, **extra} for payload in payloads]
        plain = derived(body(start(), *sent))
        items = DerivingDecoder(engine := MessageEngine()).items(None, ENDLESS)
        engine.receive_data(body(start(), *sent))
        quick = list(iter(items.__next__, None))
        assert quick == plain
        results: list[str | None] = []
        for event, after in zip(quick, [*quick[1:], None], strict=True):
            if isinstance(event, ContentBlockDeltaEvent):
                known = isinstance(after, (TextEvent, ThinkingEvent, SignatureEvent))
                results.append(getattr(after, "snapshot", getattr(after, "signature", None)) if known else None)
        assert results == expected


@pytest.mark.parametrize("first", ["snapshot", "message"])
def test_the_message_of_a_capture_of_several_is_the_same_whoever_asks_first(first: str) -> None:
    payloads = [start(), tool_start(0), partial_json(0, '{"a": [1'), message_delta("max_tokens"), STOP]
    engine = MessageEngine(multiple_messages=True)
    for payload in payloads:
        engine.receive_data(body(payload))
        for event in engine.events():
            if payload is not STOP:
                _ = engine.snapshot
            derived = derive(event, engine)
    (stop,) = derived
    message = stop.message if first == "message" else None  # type: ignore[union-attr]  # it is the stop's
    snapshot = engine.snapshot
    assert snapshot is not None
    assert snapshot.content[0].partial_input == '{"a": [1'  # type: ignore[union-attr]  # of a tool
    assert (message or stop.message) == snapshot == engine.final_message  # type: ignore[union-attr]  # as above
