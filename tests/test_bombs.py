"""Inputs made to hurt: each ends within the limits, in work that grows with its length and in bounded memory.

Work is counted in lines of Python run and functions called, memory by `tracemalloc`: no clock decides.
"""

from __future__ import annotations

import sys
import tracemalloc
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

import pytest
from helpers import (
    HELLO,
    PING,
    STOP,
    block_start,
    block_stop,
    body,
    frame,
    in_pieces,
    message_delta,
    partial_json,
    start,
    text,
)
from helpers import tool_start as tool_block

from streamcore import (
    DecodeError,
    EventOrderError,
    LimitExceededError,
    Limits,
    MessageEngine,
    PartialJSON,
    ProtocolError,
    RawMessageDecoder,
    SSEDecoder,
)
from streamcore.accumulator import _message_delta

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MB = 1024 * 1024


def feed(decoder: Any, chunks: Iterable[bytes]) -> tuple[int, int, ProtocolError | None]:
    """How many bytes were taken and events delivered, and the error that ended it."""
    taken = events = 0
    try:
        for chunk in chunks:
            decoder.receive_data(chunk)
            taken += len(chunk)
            for _ in decoder.events():
                events += 1
    except ProtocolError as error:
        return taken, events, error
    return taken, events, None


def work(function: Callable[[], object]) -> int:
    """Lines of Python that are run, and functions that are called, C functions too."""
    count = 0

    def on_line(*_: Any) -> Any:
        nonlocal count
        count += 1
        return on_line

    def on_call(_: Any, event: str, __: Any) -> None:
        nonlocal count
        count += event == "c_call"

    sys.setprofile(on_call)
    sys.settrace(on_line)
    try:
        function()
    finally:
        sys.settrace(None)
        sys.setprofile(None)
    return count


def check_linear(run: Callable[[int], Any], size: int) -> None:
    """Twice as much takes twice the work; a little more where part of the half is known from before."""
    run(10)  # what is made once is made
    small, large = work(lambda: run(size)), work(lambda: run(2 * size))
    assert large < 2.3 * small
    assert large > 1.5 * small  # it was the right thing that was counted


def peak(function: Callable[[], object]) -> int:
    """The most memory that was held at a time, in bytes, above what was held before."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        function()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


# A million blocks


def blocks(count: int) -> Iterable[bytes]:
    return chain([body(start())], (frame(block_start(index)) for index in range(count)))


def test_a_million_blocks_end_at_the_limit() -> None:
    engine = MessageEngine()
    _, events, error = feed(engine, blocks(1_000_000))
    assert type(error) is LimitExceededError
    assert events == 10_001
    assert error.index == 10_000
    assert "10000 blocks" in str(error)
    assert len(str(error)) < 1000
    assert engine.snapshot is not None
    assert len(engine.snapshot.content) == 10_000


def test_blocks_take_work_and_memory_that_grow_with_their_number() -> None:
    check_linear(lambda count: feed(MessageEngine(), blocks(count)), 400)
    assert peak(lambda: feed(MessageEngine(), blocks(2000))) < 2000 * 4000


@pytest.mark.parametrize("open_block", [0, -1], ids=["the first", "the last"])
def test_done_sentinels_take_no_more_work_where_there_are_more_blocks(open_block: int) -> None:
    """Each asks whether a block is still open."""

    def run(count: int) -> None:
        stops = [block_stop(index) for index in range(count) if index != open_block % count]
        engine = MessageEngine()
        feed(engine, [*blocks(count), body(*stops, message_delta()), frame(b"[DONE]", event=None) * count])
        assert len(engine.violations) == min(count, 100)
        assert not engine.complete

    check_linear(run, 100)


# Nesting of a million


DEEP = 1_000_000


@pytest.mark.parametrize("opening", ["[", '{"a":'])
@pytest.mark.parametrize("whole", [True, False], ids=["closed", "open"])
@pytest.mark.parametrize("decoder", [MessageEngine, RawMessageDecoder])
def test_a_payload_nested_a_million_deep_is_refused(opening: str, whole: bool, decoder: type[Any]) -> None:
    closing = {"[": "]", '{"a":': "}"}[opening] * DEEP + "}" if whole else ""
    payload = '{"type":"new_event","a":' + opening * DEEP + ("1" if opening != "[" else "") + closing
    _, events, error = feed(decoder(), [body(start()), frame(payload.encode(), event="new_event")])
    assert type(error) is LimitExceededError or (not whole and type(error) is DecodeError)
    assert events == 1
    assert len(str(error)) < 1000


@pytest.mark.parametrize("size", [2000, 10_000_000], ids=["in fragments", "at once"])
@pytest.mark.parametrize("look", [True, False], ids=["read", "not read"])
def test_a_tools_input_nested_a_million_deep_is_refused(size: int, look: bool) -> None:
    def run() -> None:
        engine = MessageEngine()
        text = "[" * DEEP
        payloads = (partial_json(0, text[begin : begin + size]) for begin in range(0, DEEP, size))
        for payload in chain([start(), tool_block(0)], payloads):
            engine.receive_data(frame(payload))
            for _ in engine.events():
                assert not look or engine.snapshot is not None
        with pytest.raises(LimitExceededError, match="200 containers"):
            feed_or_raise(engine, frame({"type": "content_block_stop", "index": 0}))

    assert peak(run) < 12 * MB  # a few times the text


def feed_or_raise(engine: MessageEngine, chunk: bytes) -> None:
    engine.receive_data(chunk)
    list(engine.events())


# A line of 100 MB without an end


def line(begin: bytes, size: int = 100 * MB) -> Iterable[bytes]:
    return chain([begin], repeat(b"x" * 65536, size // 65536))


@pytest.mark.parametrize("decoder", [MessageEngine, SSEDecoder])
def test_a_line_of_100_mb_without_an_end_ends_at_the_limit(decoder: type[Any]) -> None:
    taken, _, error = feed(decoder(), line(b"data: "))
    assert type(error) is LimitExceededError
    assert taken < 65 * MB
    assert "a line is longer than 34603008 bytes" in str(error)
    assert len(str(error)) < 1000


@pytest.mark.parametrize("begin", [b": ", b"unknown: ", b"dat"], ids=["comment", "unknown field", "no field"])
def test_a_line_of_100_mb_that_can_be_no_field_is_dropped_as_it_comes(begin: bytes) -> None:
    decoder = SSEDecoder()
    assert peak(lambda: feed(decoder, line(begin))) < MB
    decoder.receive_data(b"\ndata: 1\n\n")
    assert [event.data for event in decoder.events()] == ["1"]


def test_memory_of_a_line_is_bounded_by_its_limit() -> None:
    limits = Limits(max_line_size=4 * MB, max_event_size=4 * MB)
    assert peak(lambda: feed(MessageEngine(limits=limits), line(b"data: "))) < 13 * MB


def test_data_lines_without_end_end_at_the_limit_of_an_event() -> None:
    limits = Limits(max_event_size=MB)
    taken, _, error = feed(MessageEngine(limits=limits), repeat(b"data: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n", 10**6))
    assert type(error) is LimitExceededError
    assert taken < 2 * MB


# A trickle


@pytest.mark.parametrize("decoder", [MessageEngine, SSEDecoder])
def test_a_trickle_of_single_bytes_takes_work_that_grows_with_their_number(decoder: type[Any]) -> None:
    def run(size: int) -> None:
        data = body(start(), block_start(0), text(0, "x" * size))
        _, _, error = feed(decoder(), in_pieces(data, 1))
        assert error is None

    check_linear(run, 3000)


@pytest.mark.parametrize("before", [b"", b"\r\n", b" ", b"\n"], ids=["nothing", "CRLF", "blank", "LF"])
def test_a_trickle_of_blanks_and_line_ends_takes_work_that_grows_with_their_number(before: bytes) -> None:
    unit = before or b":\r"
    check_linear(lambda count: feed(MessageEngine(), in_pieces(unit * count, 1)), 1000)


def test_a_trickle_holds_no_more_than_what_came() -> None:
    data = body(start(), block_start(0), text(0, "x" * 200_000))
    chunks = in_pieces(data[:-1], 1)
    assert peak(lambda: feed(SSEDecoder(), chunks)) < 4 * len(data)


# A number of a million digits


@pytest.mark.parametrize("number", ["1" * 10**6, "-" + "1" * 10**6, "0." + "1" * 10**6, "1e" + "1" * 10**6])
@pytest.mark.parametrize("size", [1000, 10**7], ids=["in fragments", "at once"])
def test_a_number_of_a_million_digits_in_a_tools_input_is_refused(number: str, size: int) -> None:
    engine = MessageEngine()
    whole = '{"a": ' + number + "}"
    fragments = [whole[begin : begin + size] for begin in range(0, len(whole), size)]
    _, _, error = feed(engine, map(frame, [start(), tool_block(0), *(partial_json(0, piece) for piece in fragments)]))
    assert error is None
    _, _, error = feed(engine, [frame({"type": "content_block_stop", "index": 0})])
    assert type(error) is LimitExceededError
    assert "4300 digits" in str(error)
    assert len(str(error)) < 1000


def test_digits_are_read_once_however_they_are_cut() -> None:
    def run(count: int) -> None:
        decoder = PartialJSON()
        decoder.feed("[")
        for _ in range(count):
            decoder.feed("1234567,")
            _ = decoder.error

    check_linear(run, 400)

    long = PartialJSON()
    long.feed("[")
    for _ in range(3000):
        long.feed("1" * 10)
        if long.error is not None:
            break
    assert long.length <= 4312


@pytest.mark.parametrize("number", ["1" * 10**6, "-" + "1" * 10**6])
def test_an_integer_of_a_million_digits_in_a_payload_is_refused(number: str) -> None:
    payload = ('{"type":"new_event","a":' + number + "}").encode()
    _, events, error = feed(MessageEngine(), [body(start()), frame(payload, event="new_event")])
    assert isinstance(error, (DecodeError, LimitExceededError))
    assert events == 1
    assert len(str(error)) < 1000


# A million events in one chunk


def test_a_million_events_in_one_chunk_come_one_by_one() -> None:
    engine = MessageEngine()
    engine.receive_data(body(start()) + frame(PING) * 1_000_000 + body(message_delta(), STOP))
    events = engine.events()
    assert next(events).type == "message_start"
    assert sum(1 for _ in events) == 1_000_002
    assert engine.final_message.stop_reason == "end_turn"


def test_many_events_in_one_chunk_take_work_and_memory_that_grow_with_their_number() -> None:
    def run(count: int) -> None:
        assert feed(MessageEngine(), [body(start(), block_start(0)) + frame(text(0, "x")) * count])[1] == count + 2

    check_linear(run, 500)
    size = len(frame(text(0, "x"))) * 5000
    assert peak(lambda: run(5000)) < 6 * size


@pytest.mark.parametrize("names", [True, False], ids=["", "without names"])
def test_what_is_odd_a_hundred_thousand_times_is_recorded_a_hundred_times(names: bool) -> None:
    engine = MessageEngine()
    feed(engine, [body(start()), frame(PING, event="new" if names else None) * 100_000])
    assert len(engine.violations) == 100


# An index that is not there


@pytest.mark.parametrize("index", [2**62, 2**63, 2**64, 10**40, -(2**62)])
@pytest.mark.parametrize("kind", ["content_block_start", "content_block_delta", "content_block_stop"])
def test_an_index_of_two_to_the_62_is_refused_and_makes_no_room(index: int, kind: str) -> None:
    payload = {
        "content_block_start": block_start(index),
        "content_block_delta": text(index, "x"),
        "content_block_stop": {"type": "content_block_stop", "index": index},
    }[kind]
    engine = MessageEngine()
    feed(engine, [body(*HELLO[:3])])

    def run() -> None:
        _, _, error = feed(engine, [frame(payload)])
        assert type(error) is EventOrderError
        assert error.index == index
        assert error.snapshot is not None

    assert peak(run) < MB


# Other things that come often


@pytest.mark.parametrize("where", ["message", "usage"])
def test_fields_that_are_new_in_each_message_delta_are_copied_once(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    copied = 0

    def counting(function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(value: Any, *args: Any, **fields: Any) -> Any:
            nonlocal copied
            copied += len(value.extra) + sum(map(len, args)) + len(fields)
            return function(value, *args, **fields)

        return wrapper

    for name in ("with_extra", "extend"):
        monkeypatch.setattr(_message_delta, name, counting(getattr(_message_delta, name)))
    fields = [{f"new_{number}": number} for number in range(500)]
    deltas = [message_delta("end_turn", **new) if where == "message" else message_delta(usage=new) for new in fields]
    engine = MessageEngine()
    feed(engine, [body(start(), *deltas)])
    assert engine.snapshot is not None
    extra = engine.snapshot.extra if where == "message" else engine.snapshot.usage.extra
    assert len(extra) == 500
    assert copied < 1000


# What each snapshot copies is bounded


def new_field(where: str, number: int) -> dict[str, Any]:
    payload = message_delta(None)
    target = payload if where == "event" else payload[where]
    target[f"new_{number}"] = number
    return payload


@pytest.mark.parametrize("where", ["event", "delta", "usage"])
def test_message_deltas_may_not_bring_new_fields_without_end(where: str) -> None:
    limits = Limits(max_unknown_fields=10)
    deltas = [new_field(where, number) for number in range(11)]
    allowed = [start(), *deltas[:10], *deltas[:10]]  # names that came before do not count again
    _, events, error = feed(MessageEngine(limits=limits), [body(*allowed, deltas[10])])
    assert type(error) is LimitExceededError
    assert error.message == "the message has more than 10 unknown fields"
    assert error.event_number == events == len(allowed)
    assert error.snapshot is not None
    assert len({**error.snapshot.extra, **error.snapshot.usage.extra}) == 10


@pytest.mark.parametrize("where", ["message", "usage"])
def test_new_fields_of_the_message_count_when_message_deltas_bring_more(where: str) -> None:
    fields = {f"old_{number}": number for number in range(10)}
    begin = start(**(fields if where == "message" else {"usage": {"input_tokens": 1, "output_tokens": 1, **fields}}))
    limits = Limits(max_unknown_fields=10)
    assert feed(MessageEngine(limits=limits), [body(begin, message_delta(), STOP)])[2] is None
    error = feed(MessageEngine(limits=limits), [body(begin, new_field("usage", 0))])[2]
    assert type(error) is LimitExceededError


def test_a_block_of_an_unknown_type_may_not_have_fields_without_end() -> None:
    limits = Limits(max_unknown_fields=10)
    blocks = [{"type": "new", **{f"f{number}": number for number in range(count)}} for count in (9, 10)]
    starts = [block_start(index, block) for index, block in enumerate(blocks)]
    _, events, error = feed(MessageEngine(limits=limits), [body(start(), *starts)])
    assert events == 2
    assert type(error) is LimitExceededError
    assert error.message == "the block has more than 10 fields, and its type is unknown"
    assert error.index == 1


@pytest.mark.parametrize("again", [False, True])
def test_a_message_may_not_begin_with_more_blocks_than_it_may_have(again: bool) -> None:
    engine = MessageEngine(limits=Limits(max_blocks=2), multiple_messages=True)
    text_block = {"type": "text", "text": ""}
    before = [start(content=[text_block] * 2), message_delta(), STOP] if again else []
    _, events, error = feed(engine, [body(*before, start(content=[text_block] * 3))])
    assert events == len(before)
    assert type(error) is LimitExceededError
    assert error.message == "the message has more than 2 blocks"


def test_a_stream_longer_than_its_limit_ends_there() -> None:
    limits = Limits(max_stream_size=MB)
    taken, _, error = feed(MessageEngine(limits=limits), chain([body(start())], repeat(frame(PING) * 1000)))
    assert type(error) is LimitExceededError
    assert taken < 2 * MB
