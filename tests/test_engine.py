"""The face of `MessageEngine` and `RawMessageDecoder`."""

from __future__ import annotations

import copy
import itertools
import pickle
import sys
import tracemalloc
from typing import Any

import pytest
from helpers import (
    CAPTURES,
    HELLO,
    PING,
    STOP,
    block_start,
    block_stop,
    body,
    by_frame,
    chunkings,
    cut,
    delta,
    drive,
    frame,
    message_delta,
    partial_json,
    start,
    stream_id,
    text,
    tool_start,
    without_nulls,
)

import streamcore
from streamcore import (
    DecodeError,
    EventOrderError,
    IncompleteStreamError,
    InvalidArgumentError,
    LimitExceededError,
    Limits,
    MessageEngine,
    MessageStream,
    PartialJSON,
    ProtocolError,
    RawMessageDecoder,
    SSEDecoder,
    Stream,
    StreamCoreError,
)
from streamcore.codec import decode_event
from streamcore.errors import APIError
from streamcore.types import (
    ContentBlockDeltaEvent,
    ErrorEvent,
    RawContentBlockDeltaEvent,
    RawContentBlockStartEvent,
    RawMessageDeltaEvent,
    TextBlock,
    TextDelta,
    ToolUseBlock,
)

# Feeding and reading


def test_a_stream_becomes_events_and_a_message() -> None:
    engine = MessageEngine()
    outcome = drive(body(*HELLO), engine=engine)
    assert outcome.types == [payload["type"] for payload in HELLO]
    wire = [without_nulls(event.to_dict()) for event in outcome.events[1:]]
    assert wire == [without_nulls(payload) for payload in HELLO[1:]]
    assert engine.final_message.content == [TextBlock(text="Hello")]
    assert engine.final_message.usage.output_tokens == 8
    assert engine.final_message.usage.input_tokens == 25
    assert engine.final_message.stop_reason == "end_turn"
    assert engine.complete
    assert engine.violations == ()


def test_receiving_data_only_buffers() -> None:
    engine = MessageEngine()
    engine.receive_data(body(*HELLO[:2]) + b"event: x\ndata: {oops}\n\n")
    assert engine.snapshot is None


ODD_EVENTS = {
    "a plain one": frame(text(0, "hi")),
    "an empty line of data": b"data: \n" + frame(text(0, "hi")),
    "two names": b"event: ping\n" + frame(text(0, "hi")),
    "a name after the data": b'data: {"type":"ping"}\nevent: ping\n\n',
    "an id and a retry": b"id: 7\nevent: ping\nretry: 30\n" + b'data: {"type":"ping"}\n\n',
    "a comment inside": b'event: ping\n: event: x\ndata: {"type":"ping"}\n\n',
    "data on two lines": b'event: ping\ndata: {"type":\ndata: "ping"}\n\n',
    "a name and no data": b"event: nothing\n\n",
    "no blank": b'event:ping\ndata:{"type":"ping"}\n\n',
    "CRLF": frame(text(0, "hi")).replace(b"\n", b"\r\n"),
}


@pytest.mark.parametrize("odd", ODD_EVENTS.values(), ids=ODD_EVENTS.keys())
def test_an_event_is_the_same_wherever_it_was_cut(odd: bytes) -> None:
    before = body(start(), block_start(0), *[text(0, "before")] * 3)
    after = frame(text(0, "after"))
    data = before + odd + after + after

    def seen(chunks: list[bytes]) -> list[Any]:
        engine = MessageEngine()
        found: list[Any] = []
        for chunk in chunks:
            engine.receive_data(chunk)
            found += [(event, engine.event_offset, engine.snapshot) for event in engine.events()]
        return [*found, engine.pending, engine.received, engine.retry, engine.last_event_id]

    whole = seen([data])
    end = len(before + odd) + 10
    for first in range(len(before) - 3, end):
        for second in (first + 1, first + 2, first + 12, first + 40, end):
            assert seen(cut(data, [first, second])) == whole


def test_between_events_the_offset_is_that_of_the_one_that_has_begun() -> None:
    last, cut_event = frame(text(0, "last")), frame(text(0, "cut"))
    before = body(start(), block_start(0), *[text(0, "before")] * 3, last)
    for size in range(1, len(cut_event)):
        engine = MessageEngine()
        engine.receive_data(before)
        assert len(list(engine.events())) == 6
        engine.receive_data(cut_event[:size])
        assert list(engine.events()) == []
        has_begun = b"\n" in cut_event[:size]
        assert engine.event_offset == len(before) - (0 if has_begun else len(last))
        assert engine.pending == size
        assert engine.received == len(before) + size


def test_the_stream_is_refused_with_the_chunk_that_makes_it_too_long() -> None:
    before, cut_event = body(start(), block_start(0), *[text(0, "before")] * 4), frame(text(0, "cut"))
    for size in (40, 60, 80):
        engine = MessageEngine(limits=Limits(max_stream_size=len(before) + size))
        engine.receive_data(before)
        assert len(list(engine.events())) == 6
        engine.receive_data(cut_event[: size - 20])
        assert list(engine.events()) == []
        engine.receive_data(cut_event[size - 20 : size + 1])
        with pytest.raises(LimitExceededError, match="the stream is longer"):
            list(engine.events())
        engine = MessageEngine(limits=Limits(max_stream_size=len(before) + size))
        engine.receive_data(before)
        assert len(list(engine.events())) == 6
        engine.receive_data(cut_event[: size + 1])
        with pytest.raises(LimitExceededError, match="the stream is longer"):
            list(engine.events())


def test_events_are_lazy_and_the_snapshot_is_in_step_within_one_chunk() -> None:
    engine = MessageEngine()
    engine.receive_data(body(*HELLO))
    seen = []
    for _ in engine.events():
        assert engine.snapshot is not None
        seen.append([block.to_dict().get("text") for block in engine.snapshot.content])
    assert seen == [[], [""], ["Hel"], ["Hello"], ["Hello"], ["Hello"], ["Hello"]]


def test_events_can_be_left_and_taken_up_again() -> None:
    engine = MessageEngine()
    engine.receive_data(body(*HELLO))
    types = []
    while True:
        event = next(iter(engine.events()), None)
        if event is None:
            break
        types.append(event.type)
        assert engine.complete == (event.type == "message_stop")
    assert types == [payload["type"] for payload in HELLO]


def test_events_before_a_fault_in_the_same_chunk_come_out_first() -> None:
    engine = MessageEngine()
    engine.receive_data(body(*HELLO[:4], frame(b"oops", event="x"), *HELLO[4:]))
    events = engine.events()
    assert [next(events).type for _ in range(4)] == [payload["type"] for payload in HELLO[:4]]
    with pytest.raises(DecodeError):
        next(events)
    assert engine.violations == ()


def test_data_received_while_iterating_is_not_lost() -> None:
    engine = MessageEngine()
    frames = by_frame(body(*HELLO))
    engine.receive_data(frames[0])
    types = []
    for number, event in enumerate(engine.events(), 1):
        types.append(event.type)
        if number < len(HELLO):
            engine.receive_data(frames[number])
    types += [event.type for event in engine.events()]
    assert types == [payload["type"] for payload in HELLO]
    assert engine.final_message.content == [TextBlock(text="Hello")]


def test_an_iterator_goes_on_where_the_one_before_it_was_left() -> None:
    engine = MessageEngine()
    payloads = [start(), block_start(0), *(text(0, f"{n},") for n in range(20)), block_stop(0), message_delta(), STOP]
    engine.receive_data(body(*payloads[:8]))
    types = [event.type for event in itertools.islice(engine.events(), 4)]
    engine.receive_data(body(*payloads[8:16]))
    types += [event.type for event in itertools.islice(engine.events(), 7)]
    engine.receive_data(body(*payloads[16:]))
    types += [event.type for event in engine.events()]
    assert types == [payload["type"] for payload in payloads]
    assert engine.final_message.content == [TextBlock(text="".join(f"{n}," for n in range(20)))]


def test_no_data_gives_no_events() -> None:
    engine = MessageEngine()
    assert list(engine.events()) == []
    engine.receive_data(b"")
    assert list(engine.events()) == []
    assert engine.snapshot is None
    assert not engine.complete


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_any_kind_of_bytes_is_taken(kind: type[bytes]) -> None:
    outcome = drive([kind(chunk) for chunk in by_frame(body(*HELLO))])
    assert outcome.error is None
    assert outcome.comparable() == drive(by_frame(body(*HELLO))).comparable()


def test_a_buffer_may_be_reused_by_the_caller() -> None:
    engine = MessageEngine()
    buffer = bytearray(4096)
    types = []
    for chunk in by_frame(body(*HELLO)):
        buffer[: len(chunk)] = chunk
        engine.receive_data(memoryview(buffer)[: len(chunk)])  # type: ignore[arg-type]  # bytes-like
        types += [event.type for event in engine.events()]
    assert types == [payload["type"] for payload in HELLO]


def test_options_are_keyword_only() -> None:
    with pytest.raises(TypeError):
        MessageEngine(True)  # type: ignore[call-arg]  # on purpose


# Snapshots


def test_the_snapshot_is_the_same_object_while_nothing_changes() -> None:
    engine = MessageEngine()
    for payload in HELLO:
        engine.receive_data(frame(payload))
        list(engine.events())
        snapshot = engine.snapshot
        assert engine.snapshot is snapshot
        engine.receive_data(frame(PING) + b": comment\n\n" + frame({"type": "new"}) + b"data: {")
        list(engine.events())
        assert engine.snapshot is snapshot
        engine.receive_data(b'"type": "ping"}\n\n')
        list(engine.events())
        assert engine.snapshot is snapshot
    assert engine.final_message is engine.snapshot


def test_snapshots_taken_at_every_event_never_change() -> None:
    payloads = [
        start(),
        tool_start(0),
        *(partial_json(0, part) for part in '{"a": [1, {"b": "cd"}], "e": 5}'),
        *HELLO[4:],
    ]
    engine = MessageEngine()
    engine.receive_data(body(*payloads))
    taken = [(engine.snapshot, copy.deepcopy(engine.snapshot)) for _ in engine.events()]
    for snapshot, copied in taken:
        assert snapshot == copied


def test_who_looks_at_the_end_sees_what_who_looked_all_the_time_sees() -> None:
    payloads = [start(), tool_start(0), *(partial_json(0, part) for part in '{"a": [1, "b"]}'), *HELLO[4:]]
    quiet, busy = MessageEngine(), MessageEngine()
    outcome = drive(body(*payloads), engine=busy)
    quiet.receive_data(body(*payloads))
    assert list(quiet.events()) == outcome.events
    assert quiet.final_message == busy.final_message


def test_trailing_strings_count_if_asked_for() -> None:
    data = body(start(), tool_start(0), partial_json(0, '{"a": "x'))
    for wanted, expected in ((False, {}), (True, {"a": "x"})):
        engine = MessageEngine(trailing_strings=wanted)
        drive(data, engine=engine, eof=False)
        assert engine.snapshot is not None
        (block,) = engine.snapshot.content
        assert isinstance(block, ToolUseBlock)
        assert block.input == expected


def test_several_messages_are_taken_if_asked_for() -> None:
    data = body(*HELLO, start("msg_2"), *HELLO[1:])
    engine = MessageEngine(multiple_messages=True)
    outcome = drive(data, engine=engine)
    assert outcome.error is None
    assert [snapshot.id for snapshot in outcome.snapshots if snapshot] == ["msg_1"] * 7 + ["msg_2"] * 7
    assert engine.final_message.id == "msg_2"
    outcome = drive(data[:-3], engine=MessageEngine(multiple_messages=True))
    assert type(outcome.error) is IncompleteStreamError


def test_interleaved_hot_and_other_deltas_all_arrive() -> None:
    # The shortcut is for one block at a time: it must follow when another block speaks.
    payloads = [start(), block_start(0), block_start(1), tool_start(2)]
    for n in range(10):
        payloads += [text(0, f"a{n}"), text(0, "."), text(1, f"b{n}"), partial_json(2, "[" if n == 0 else f"{n},")]
        payloads += [text(1, ","), delta(n % 2, "text_delta", text="!", new=1), PING]
    payloads += [
        partial_json(2, "0]"),
        block_stop(1),
        text(0, "end"),
        block_stop(0),
        block_stop(2),
        message_delta(),
        STOP,
    ]
    for chunks in chunkings(body(*payloads)):
        engine = MessageEngine()
        outcome = drive(chunks, engine=engine)
        assert outcome.error is None
        wire = [without_nulls(event.to_dict()) for event in outcome.events[4:]]
        assert wire == [without_nulls(payload) for payload in payloads[4:]]
        first, second, third = engine.final_message.content
        assert first == TextBlock(text="".join(f"a{n}." + "!" * (n % 2 == 0) for n in range(10)) + "end")
        assert second == TextBlock(text="".join(f"b{n}," + "!" * (n % 2) for n in range(10)))
        assert isinstance(third, ToolUseBlock)
        assert third.input == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]


def test_deltas_are_checked_against_their_block_though_the_shortcut_would_fit_another() -> None:
    payloads = [start(), block_start(0), text(0, "a"), block_stop(0), text(0, "b")]
    outcome = drive(by_frame(body(*payloads)), engine=MessageEngine(strict=True))
    assert type(outcome.error) is EventOrderError
    outcome = drive(by_frame(body(*payloads[:3], frame(text(0, "b"), event=None))), engine=MessageEngine(strict=True))
    assert type(outcome.error) is DecodeError
    assert len(outcome.events) == 3


# The end


def test_there_is_no_final_message_before_message_stop() -> None:
    engine = MessageEngine()
    with pytest.raises(IncompleteStreamError):
        _ = engine.final_message
    engine.receive_data(body(*HELLO[:-1]))
    list(engine.events())
    with pytest.raises(IncompleteStreamError) as caught:
        _ = engine.final_message
    assert caught.value.snapshot == engine.snapshot


def test_the_final_message_is_there_before_the_end_of_input() -> None:
    engine = MessageEngine()
    engine.receive_data(body(*HELLO))
    list(engine.events())
    assert engine.final_message.id == "msg_1"


@pytest.mark.parametrize("data", [b"", b"\xef", b"\xef\xbb", b"\xef\xbb\xbf", b": only a comment\n\n", b"\n\n\n"])
def test_an_empty_stream_is_incomplete(data: bytes) -> None:
    for chunks in chunkings(data):
        outcome = drive(chunks)
        assert type(outcome.error) is IncompleteStreamError
        assert outcome.error.snapshot is None
        assert "message_start has not come" in outcome.error.message


@pytest.mark.parametrize("left_over", [b"data: {", b"event: ping\n", b'event: ping\ndata: {"type": "ping"\n'])
def test_an_event_cut_off_after_message_stop_loses_nothing_but_is_noted(left_over: bytes) -> None:
    for chunks in chunkings(body(*HELLO) + left_over):
        engine = MessageEngine()
        outcome = drive(chunks, engine=engine)
        assert outcome.error is None
        assert outcome.kinds == ["after_message_stop"]
        assert f"{len(left_over)} bytes" in outcome.violations[0].message
        assert outcome.violations[0].offset == len(body(*HELLO))
        assert engine.final_message.content == [TextBlock(text="Hello")]
        strict = drive(chunks, engine=MessageEngine(strict=True))
        assert type(strict.error) is EventOrderError
        assert len(strict.events) == len(HELLO)


def test_a_violation_at_the_end_is_noted_once_however_often_events_are_read() -> None:
    engine = MessageEngine()
    drive(body(*HELLO) + b"data: {", engine=engine)
    assert list(engine.events()) == []
    assert list(engine.events()) == []
    assert len(engine.violations) == 1


def test_no_data_is_taken_after_the_end() -> None:
    engine = MessageEngine()
    drive(body(*HELLO), engine=engine)
    with pytest.raises(StreamCoreError, match="ended"):
        engine.receive_data(b"")
    assert engine.final_message.id == "msg_1"


# Errors


def test_an_error_sticks_and_what_was_good_stays_readable() -> None:
    engine = MessageEngine()
    late = frame(text(0, "!"), event=None)
    outcome = drive(body(*HELLO[:4], late, frame(b"oops", event="x")), engine=engine)
    assert outcome.error is not None
    with pytest.raises(DecodeError) as caught:
        list(engine.events())
    assert caught.value is outcome.error
    with pytest.raises(StreamCoreError):
        engine.receive_data(body(*HELLO))
    with pytest.raises(DecodeError):
        _ = engine.final_message
    engine.receive_eof()
    with pytest.raises(DecodeError):
        list(engine.events())
    assert engine.snapshot is not None
    assert engine.snapshot.content == [TextBlock(text="Hello!")]
    assert outcome.kinds == ["event_name"]
    assert not engine.complete


def test_a_violation_of_an_event_that_is_then_refused_says_where_it_was() -> None:
    engine = MessageEngine()
    outcome = drive(body(*HELLO[:4], frame(text(3, "!"), event=None)), engine=engine)
    assert type(outcome.error) is EventOrderError
    assert outcome.kinds == ["event_name"]
    assert outcome.violations[0].offset == outcome.error.offset
    assert outcome.violations[0].event_number == 4


def test_a_fault_after_message_stop_fails_the_stream_too() -> None:
    engine = MessageEngine()
    outcome = drive(body(*HELLO, frame(b"oops", event="x")), engine=engine)
    assert type(outcome.error) is DecodeError
    with pytest.raises(StreamCoreError):
        engine.receive_data(b"x")
    assert engine.final_message == outcome.error.snapshot  # complete before the fault


def test_an_error_shows_where_it_is_and_what_arrived() -> None:
    fault = frame(b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":5}}')
    error = drive(body(*HELLO[:3], fault)).error
    assert error is not None
    shown = str(error)
    assert f"byte {len(body(*HELLO[:3]))}" in shown
    assert "event 3" in shown
    assert "delta" in shown
    assert error.received is not None
    assert "text_delta" in str(error.received)


def test_a_long_payload_is_shown_cut_and_kept_whole() -> None:
    error = drive(body(*HELLO[:3], frame(b"x" * 100_000, event="x"))).error
    assert error is not None
    assert len(str(error)) < 1000
    assert error.received == b"x" * 100_000


def test_errors_can_be_pickled_with_all_they_carry() -> None:
    error = drive(body(*HELLO[:4], text(3, "!"))).error
    restored = pickle.loads(pickle.dumps(error))
    assert type(restored) is type(error)
    assert str(restored) == str(error)
    assert vars(restored) == vars(error)


def test_the_family_of_errors() -> None:
    assert issubclass(ProtocolError, StreamCoreError)
    children = [cls for cls in ProtocolError.__subclasses__() if cls.__module__.startswith("streamcore.errors")]
    exported = [cls for cls in vars(streamcore).values() if isinstance(cls, type) and issubclass(cls, ProtocolError)]
    assert {ProtocolError, *(cls for cls in children if not issubclass(cls, APIError))} == {*exported}
    assert {DecodeError, EventOrderError, LimitExceededError, IncompleteStreamError} <= {*exported}


def test_invalid_utf8_in_a_payload_is_read_with_the_replacement_character() -> None:
    broken = frame(text(0, "\ufffd!")).replace("\ufffd".encode(), b"\xff")
    for chunks in chunkings(body(*HELLO[:4], broken, *HELLO[4:])):
        engine = MessageEngine()
        assert drive(chunks, engine=engine).error is None
        assert engine.final_message.content == [TextBlock(text="Hello\ufffd!")]


def test_limits_hold_for_the_whole_stream_and_for_frames() -> None:
    outcome = drive(body(*HELLO), engine=MessageEngine(limits=Limits(max_line_size=100)))
    assert type(outcome.error) is LimitExceededError
    assert outcome.events == []
    assert outcome.error.offset in (0, len(b"event: message_start\n"))


# Other ways to write the same stream


@pytest.mark.parametrize("newline", [b"\r\n", b"\r"])
def test_other_line_ends_make_no_difference(newline: bytes) -> None:
    expected = drive(body(*HELLO))
    for chunks in chunkings(body(*HELLO).replace(b"\n", newline)):
        outcome = drive(chunks)
        assert outcome.error is None
        assert outcome.events == expected.events
        assert outcome.snapshots == expected.snapshots


def test_a_payload_over_several_data_lines_is_one_payload() -> None:
    payload = b'event: content_block_delta\ndata: {"type": "content_block_delta",\ndata: "index": 0,\ndata:\ndata: "delta": {"type": "text_delta", "text": "!"}}\n\n'  # noqa: E501
    outcome = drive(body(*HELLO[:4], payload, *HELLO[4:]))
    assert outcome.error is None
    assert outcome.events[4] == ContentBlockDeltaEvent(index=0, delta=TextDelta(text="!"))


def test_the_hot_shape_with_any_spacing_gives_the_same_events() -> None:
    compact = b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\\"q\\" \\\\"}}'
    expected = ContentBlockDeltaEvent(index=0, delta=TextDelta(text='"q" \\'))
    variants = [
        compact,
        compact[:-1] + b"      }",
        compact.replace(b":", b": "),
        compact.replace(b'"index":0,', b"").replace(b"}}", b'},"index":0}'),
        compact + b"  ",
    ]
    for variant in variants:
        for prefix in (
            b"event: content_block_delta\ndata: ",
            b"event:content_block_delta\ndata:",
            b"id: 1\nevent: content_block_delta\ndata: ",
        ):
            data = body(*HELLO[:3]) + prefix + variant + b"\n\n"
            for chunks in (by_frame(data), [data]):
                outcome = drive(chunks, eof=False)
                assert outcome.error is None
                assert outcome.violations == ()
                assert outcome.events[3] == expected


# Raw events


def test_the_raw_decoder_leaves_blocks_and_deltas_as_dicts() -> None:
    for chunks in chunkings(body(*HELLO)):
        decoder = RawMessageDecoder()
        events: list[Any] = []
        for chunk in chunks:
            decoder.receive_data(chunk)
            events += decoder.events()
        decoder.receive_eof()
        events += decoder.events()
        assert [event.type for event in events] == [payload["type"] for payload in HELLO]
        assert isinstance(events[1], RawContentBlockStartEvent)
        assert events[1].content_block == {"type": "text", "text": ""}
        assert isinstance(events[2], RawContentBlockDeltaEvent)
        assert events[2].delta == {"type": "text_delta", "text": "Hel"}
        assert isinstance(events[5], RawMessageDeltaEvent)
        assert events[5].delta == {"stop_reason": "end_turn", "stop_sequence": None}
        assert decoder.violations == ()


def raw(data: bytes, **options: Any) -> tuple[list[Any], ProtocolError | None, RawMessageDecoder]:
    decoder = RawMessageDecoder(**options)
    events: list[Any] = []
    try:
        decoder.receive_data(data)
        for event in decoder.events():
            events.append(event)  # those before an error count
        decoder.receive_eof()
        for event in decoder.events():
            events.append(event)
    except ProtocolError as error:
        return events, error, decoder
    return events, None, decoder


@pytest.mark.parametrize("path", CAPTURES, ids=stream_id)
def test_the_raw_decoder_gives_the_same_wire_events_as_the_engine(path: Any) -> None:
    data = path.read_bytes()
    outcome = drive(data, engine=MessageEngine(multiple_messages=True))
    events, error, _ = raw(data)
    wire = [without_nulls(event.to_dict()) for event in events]
    assert wire == [without_nulls(event.to_dict()) for event in outcome.events]
    # It does not know where a second message ends.
    assert type(error) is type(outcome.error)


def test_the_raw_decoder_raises_with_the_place() -> None:
    events, error, decoder = raw(body(*HELLO[:3], frame(b"oops", event="x")))
    assert len(events) == 3
    assert type(error) is DecodeError
    assert error.offset == len(body(*HELLO[:3]))
    assert error.event_number == 3
    assert error.snapshot is None
    with pytest.raises(StreamCoreError):
        decoder.receive_data(b"")
    with pytest.raises(DecodeError):
        list(decoder.events())


def test_the_raw_decoder_knows_the_end() -> None:
    _, error, _ = raw(body(*HELLO[:-1]))
    assert type(error) is IncompleteStreamError
    _, error, _ = raw(body(*HELLO[:-1]) + b"data: {")
    assert type(error) is IncompleteStreamError
    assert "7 bytes" in error.message
    _, error, _ = raw(b"<html>")
    assert type(error) is DecodeError
    _, error, _ = raw(b"")
    assert type(error) is IncompleteStreamError


def test_the_raw_decoder_notes_names_and_done_and_raises_them_if_strict() -> None:
    data = body(*HELLO[:2], frame(HELLO[2], event=None), *HELLO[3:], frame(b"[DONE]", event=None))
    events, error, decoder = raw(data)
    assert error is None
    assert len(events) == len(HELLO)
    assert [violation.kind for violation in decoder.violations] == ["event_name", "done_sentinel"]
    assert decoder.violations[0].offset == len(body(*HELLO[:2]))
    events, error, _ = raw(data, strict=True)
    assert len(events) == 2
    assert type(error) is DecodeError


def test_the_raw_decoder_delivers_errors_of_the_api() -> None:
    events, error, _ = raw(body({"type": "error", "error": {"type": "overloaded_error", "message": "m"}}))
    assert isinstance(events[0], ErrorEvent)
    assert type(error) is IncompleteStreamError
    assert "overloaded_error" in error.message


def test_an_error_carries_the_payload_that_it_is_about() -> None:
    late_start = frame(b'{"type":"content_block_stop","index":9}')
    error = drive(body(*HELLO[:3], late_start)).error
    assert error is not None
    assert error.received == b'{"type":"content_block_stop","index":9}'
    assert error.index == 9


def test_an_early_end_names_the_block_that_was_open() -> None:
    error = drive(body(*HELLO[:3])).error
    assert isinstance(error, IncompleteStreamError)
    assert error.index == 0


def test_a_message_delta_may_bring_what_the_message_knows_and_message_start_had_not() -> None:
    delta = frame(
        b'{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1},'
        b'"diagnostics":{"cache_miss_reason":{"type":"model_changed","cache_missed_input_tokens":3}}}'
    )
    engine = MessageEngine()
    drive(body(*HELLO[:-2], delta, frame(b'{"type":"message_stop"}')), engine=engine)
    assert engine.violations == ()
    assert engine.final_message.diagnostics is not None
    assert engine.final_message.to_dict()["diagnostics"]["cache_miss_reason"]["type"] == "model_changed"


# Several iterators, and what is left after a failure


@pytest.mark.parametrize("joined", [False, True])
def test_an_iterator_made_after_a_failure_raises_the_same_error(joined: bool) -> None:
    broken = frame(text(0, "lost")).replace(b'"index":0', b'"index":0,')
    chunks = [frame(start()), frame(block_start(0)), frame(text(0, "one")), broken]
    chunks += [frame(payload) for payload in (text(0, "two"), block_stop(0), message_delta("end_turn"), STOP)]
    engine = MessageEngine()
    for chunk in [b"".join(chunks)] if joined else chunks:
        engine.receive_data(chunk)
    with pytest.raises(DecodeError) as first:
        list(engine.events())
    with pytest.raises(DecodeError) as again:
        list(engine.events())
    assert again.value is first.value
    with pytest.raises(DecodeError):
        _ = engine.final_message
    assert not engine.complete


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_an_error_of_the_stream_shows_no_payload_of_an_event_that_was_right(newline: bytes) -> None:
    data = body(start(), block_start(0), text(0, "hi")).replace(b"\n", newline)
    for size in (1, 40, len(data)):
        engine = MessageEngine()
        for chunk in (data[i : i + size] for i in range(0, len(data), size)):
            engine.receive_data(chunk)
        engine.receive_eof()
        with pytest.raises(IncompleteStreamError) as raised:
            list(engine.events())
        assert raised.value.received is None


def test_limits_do_not_depend_on_what_was_decoded_before() -> None:
    def outcome_of(limits: Limits) -> Any:
        return type(drive([frame(PING)], engine=MessageEngine(limits=limits)).error)

    payload = frame(block_start(0)).splitlines()[1].removeprefix(b"data: ")
    for _ in range(2):
        for limits in (Limits(max_event_size=10), Limits(max_line_size=12)):
            assert outcome_of(limits) is LimitExceededError
        with pytest.raises(LimitExceededError):
            decode_event(payload, max_depth=1)
        for _ in range(2):
            assert outcome_of(Limits()) is IncompleteStreamError
            decode_event(payload)


@pytest.mark.parametrize(
    "stream",
    [
        b'{"error": 1}\n' + frame(PING),
        b"event: ping\ndata: [DONE]\n\nhello there\n",
        b"<html>\nevent: a\n\n",
        b"hello\n\nevent: a\ndata: b",
    ],
    ids=["JSON", "text after [DONE]", "HTML", "text before the beginning of an event"],
)
def test_whether_it_is_a_stream_does_not_depend_on_the_cut(stream: bytes) -> None:
    def told(chunks: list[bytes]) -> Any:
        outcome = drive(chunks, engine=MessageEngine())
        assert outcome.error is not None
        return outcome.types, type(outcome.error), outcome.error.message

    whole = told([stream])
    for chunks in chunkings(stream):
        assert told(chunks) == whole


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, pickle.dumps])
def test_what_is_in_the_middle_of_a_stream_is_not_copied(again: Any) -> None:
    engine = MessageEngine()
    engine.receive_data(body(start(), block_start(0), text(0, "hi")))
    list(engine.events())
    builder = engine.block_in_progress(0)
    for unfinished in (
        engine,
        engine.accumulator,
        builder,
        PartialJSON(),
        SSEDecoder(),
        RawMessageDecoder(),
        MessageStream([]),
        Stream([], decoder=SSEDecoder()),
    ):
        with pytest.raises(TypeError, match=f"{type(unfinished).__name__} is in the middle of a stream"):
            again(unfinished)
    assert again(engine.snapshot)


@pytest.mark.parametrize("decoder", [MessageEngine, RawMessageDecoder, SSEDecoder])
def test_a_chunk_that_is_no_bytes_is_refused(decoder: type[Any]) -> None:
    made = decoder()
    with pytest.raises(InvalidArgumentError, match=r"must be bytes.*received str"):
        made.receive_data("event: ping")
    made.receive_data(memoryview(frame(PING)))
    assert len(list(made.events())) == 1


def test_a_stream_of_text_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match=r"must be bytes.*received str"):
        MessageStream(["event: ping"]).until_done()  # type: ignore[list-item]  # the test is about a value that is not bytes


def read(decoder: Any, chunks: list[bytes]) -> None:
    for chunk in chunks:
        decoder.receive_data(chunk)
        list(decoder.events())


@pytest.mark.parametrize("size", [1, 5, 11, 100])
@pytest.mark.parametrize("decoder", [MessageEngine, RawMessageDecoder])
def test_a_body_of_another_kind_is_told_however_it_is_cut_and_small_the_limit(decoder: type[Any], size: int) -> None:
    body = b'{"abcdef":1}\n' + b"x" * 200
    for chunks in ([body], *chunkings(body)):
        made = decoder(limits=Limits(max_stream_size=size))
        with pytest.raises(DecodeError, match="the body is not an event stream"):
            read(made, chunks)


@pytest.mark.parametrize("cut_at", [1, 300_000, 600_010])
def test_a_failed_decoder_holds_nothing_of_the_stream(cut_at: int) -> None:
    before = b"data: 1\n\n"
    data = before + b"data: " + b"x" * 600_000 + b"\ndata: x\n" + b"y" * 1000
    for limits in (Limits(max_stream_size=len(data) - 5), Limits(max_event_size=500_000)):
        decoder = SSEDecoder(limits=limits)
        tracemalloc.start()
        try:
            try:
                read(decoder, [data[:cut_at], data[cut_at:]])
                pytest.fail("nothing was raised")
            except LimitExceededError as error:
                # An error keeps what it shows, and by its traceback the local variables of the code at fault.
                error.received = error.__traceback__ = None
            held, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert held < 50_000
        assert decoder.pending == 0
        assert decoder.event_offset == len(before)


def test_a_failed_engine_holds_nothing_of_what_waited() -> None:
    waiting = bytes(100_000)
    before = sys.getrefcount(waiting)
    engine = MessageEngine(limits=Limits(max_stream_size=100))
    engine.receive_data(body(start(), block_start(0)))
    engine.receive_data(waiting)
    with pytest.raises(LimitExceededError):
        list(engine.events())
    assert sys.getrefcount(waiting) == before


@pytest.mark.parametrize("make", [MessageEngine, RawMessageDecoder, SSEDecoder])
@pytest.mark.parametrize("size", [1, 16, 700])
@pytest.mark.parametrize("opening", [b"", b": comment\n\n", frame(start()), frame(start()) + frame(block_start(0))])
def test_a_line_that_does_not_end_is_refused_at_its_limit_whatever_came_before(
    opening: bytes, size: int, make: Any
) -> None:
    decoder = make(limits=Limits(max_line_size=2000))
    pieces = [opening, b"data: ", *[b"x" * size] * (10_000 // size)]
    given = 0

    def feed() -> None:
        nonlocal given
        for piece in pieces:
            given += len(piece)
            decoder.receive_data(piece)
            for _ in decoder.events():
                pass

    with pytest.raises(LimitExceededError) as raised:
        feed()
    assert given <= len(opening) + 2000 + size
    assert raised.value.offset == len(opening)


def test_blocks_of_a_chunk_that_waited_are_not_lost_behind_a_comment() -> None:
    comment = b": comment\n\n"
    chunks = [comment + comment, body(*HELLO) + frame(PING) + comment, frame(PING) + frame(PING)]
    engine = MessageEngine()
    for chunk in chunks:
        engine.receive_data(chunk)
    types = [event.type for event in engine.events()]
    assert types == [event["type"] for event in [*HELLO, PING, PING, PING]]
