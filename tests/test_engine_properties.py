"""`MessageEngine` against itself: cut in other ways, fed broken bytes, and without its shortcuts."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from helpers import (
    FIXTURES,
    STREAMS,
    block_start,
    body,
    by_frame,
    chunkings,
    delta,
    drive,
    examples,
    frame,
    in_pieces,
    message_bodies,
    message_payloads,
    same,
    start,
    stream_id,
)
from hypothesis import given
from hypothesis import strategies as st

from streamcore import (
    DecodeError,
    IncompleteStreamError,
    Limits,
    MessageAccumulator,
    MessageEngine,
    ProtocolError,
    RawMessageDecoder,
)
from streamcore.codec import TYPED_EVENTS, EventInterpreter
from streamcore.errors import ViolationLog
from streamcore.sse._frames import FrameReader
from streamcore.testing.strategies import WholeStream, mutations, texts, whole_streams
from streamcore.testing.strategies import chunkings as cut_somehow
from streamcore.types import MessageStreamEvent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from helpers import Outcome, Payload

    from streamcore import Message

# Whole files are long: those that fit a quick run are drawn from at random, and each is cut in fixed ways besides.
BODIES = [path.read_bytes() for path in STREAMS]
SHORT_BODIES = [data for data in BODIES if len(data) < 6000] or [b""]
FEWER = examples(0.5)

RECORDED = st.sampled_from(SHORT_BODIES)
ANY_BODY = message_bodies() | RECORDED


def engine(**options: Any) -> MessageEngine:
    return MessageEngine(multiple_messages=True, **options)


def plain(data: bytes) -> tuple[list[Any], list[Message | None], Any]:
    """The events and snapshots by way of the three layers alone, and the type of the error."""
    if data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"<", b"{", b"["):
        return [], [], DecodeError  # another kind of body: for the engine to say, not for a layer
    log = ViolationLog()
    accumulator = MessageAccumulator(multiple_messages=True, log=log)
    interpreter: EventInterpreter[MessageStreamEvent] = EventInterpreter(TYPED_EVENTS, accumulator, log, max_depth=200)
    events: list[Any] = []
    snapshots: list[Message | None] = []
    try:
        for name, payload in frames_of(data):
            event = interpreter.event_of(name, payload)
            if event is None:
                continue
            accumulator.apply(event)
            events.append(event)
            snapshots.append(accumulator.snapshot)
        accumulator.end()
    except ProtocolError as error:
        return events, snapshots, type(error)
    return events, snapshots, None


def frames_of(data: bytes) -> Iterator[tuple[str | None, bytes]]:
    """The frames of a stream, and what it ends in if that is whole JSON."""
    reader = FrameReader(Limits(), keep_dataless=True)
    reader.buffer.append(data)
    reader.receive_eof()
    while (frame := reader.next_frame()) is not None:
        yield frame
    last = reader.unfinished_frame()
    if last is not None:
        try:
            whole = isinstance(json.loads(last[1]), dict)
        except ValueError:
            whole = last[1].strip() == b"[DONE]"
        if whole:
            yield last


# Any cut


@pytest.mark.parametrize("path", STREAMS, ids=stream_id)
def test_any_cut_of_a_recorded_stream_gives_the_same_events_and_snapshots(path: Any) -> None:
    data = path.read_bytes()
    if len(data) > 20_000:  # a look at every snapshot is costly: the start of a long stream has all of its shapes
        data = data[: data.index(b"\n\n", 20_000) + 2]
    whole = drive(data, engine=engine())
    for chunks in chunkings(data):
        assert same(drive(chunks, engine=engine()).comparable(), whole.comparable())


@FEWER
@given(ANY_BODY.flatmap(lambda data: st.tuples(st.just(data), cut_somehow(data))), st.booleans())
def test_any_cut_gives_the_same_events_snapshots_violations_and_errors(
    case: tuple[bytes, list[bytes]], strict: bool
) -> None:
    data, chunks = case
    whole = drive(data, engine=engine(strict=strict))
    assert same(drive(chunks, engine=engine(strict=strict)).comparable(), whole.comparable())
    assert same(drive(in_pieces(data, 1), engine=engine(strict=strict)).comparable(), whole.comparable())


@FEWER
@given(ANY_BODY.flatmap(mutations).flatmap(lambda data: st.tuples(st.just(data), cut_somehow(data))), st.booleans())
def test_any_cut_of_a_broken_stream_gives_the_same_events_snapshots_violations_and_errors(
    case: tuple[bytes, list[bytes]], strict: bool
) -> None:
    data, chunks = case
    whole = drive(data, engine=engine(strict=strict))
    assert same(drive(chunks, engine=engine(strict=strict)).comparable(), whole.comparable())
    assert same(drive(by_frame(data), engine=engine(strict=strict)).comparable(), whole.comparable())


@given(message_payloads())
def test_a_generated_stream_gives_its_payloads_back(payloads: list[Payload]) -> None:
    outcome = drive(by_frame(body(*payloads)))
    assert outcome.error is None
    assert outcome.types == [payload["type"] for payload in payloads]
    for event, payload in zip(outcome.events, payloads, strict=True):
        if payload["type"] == "content_block_delta":
            assert event.to_dict() == payload


@given(whole_streams())
def test_the_message_is_the_one_that_the_stream_adds_up_to(stream: WholeStream) -> None:
    outcome = drive(stream.chunks)
    assert outcome.error is None
    assert outcome.snapshot == stream.message


# Snapshots


def check_immutable(data: bytes) -> None:
    taken: list[tuple[Message | None, Message | None]] = []
    decoder = engine()
    decoder.receive_data(data)
    try:
        for _ in decoder.events():
            taken.append((decoder.snapshot, copy.deepcopy(decoder.snapshot)))  # those before an error count
    except ProtocolError:
        pass
    for snapshot, copied in taken:
        assert same(snapshot, copied)
        if snapshot is not None and copied is not None:
            assert same(snapshot.to_dict()["content"], copied.to_dict()["content"])


@pytest.mark.parametrize("data", [data for data in BODIES if len(data) < 50_000])
def test_snapshots_of_recorded_streams_stay_equal_to_copies_taken_then(data: bytes) -> None:
    check_immutable(data if len(data) < 12_000 else data[:12_000])


@FEWER
@given(message_bodies())
def test_snapshots_stay_equal_to_copies_taken_then(data: bytes) -> None:
    check_immutable(data)


@FEWER
@given(message_bodies(), st.data())
def test_snapshots_do_not_depend_on_which_were_looked_at(data: bytes, choices: st.DataObject) -> None:
    always = drive(by_frame(data), engine=engine())
    decoder = engine()
    number = 0
    for chunk in by_frame(data):
        decoder.receive_data(chunk)
        for _ in decoder.events():
            if choices.draw(st.booleans()):
                assert decoder.snapshot == always.snapshots[number]
            number += 1
    assert decoder.snapshot == always.snapshot


# The shortcuts


@pytest.mark.parametrize("path", STREAMS, ids=stream_id)
def test_the_shortcut_equals_the_plain_path_on_recorded_streams(path: Any) -> None:
    data = path.read_bytes()
    if len(data) > 20_000:
        data = data[: data.index(b"\n\n", 20_000) + 2]
    check_plain(data)


def check_plain(data: bytes) -> None:
    events, snapshots, error = plain(data)
    for chunks in ([data], by_frame(data)):
        outcome = drive(chunks, engine=engine())
        assert outcome.events == events
        assert same(outcome.snapshots, snapshots)
        # Only the engine tells that a body is not an event stream at all.
        assert error in (IncompleteStreamError, None) if outcome.error is None else True
        if outcome.events:
            assert error is (None if outcome.error is None else type(outcome.error))


@given(message_bodies())
def test_the_shortcut_equals_the_plain_path(data: bytes) -> None:
    check_plain(data)


@given(ANY_BODY.flatmap(mutations))
def test_the_shortcut_equals_the_plain_path_on_broken_streams(data: bytes) -> None:
    check_plain(data)


# The shortcut for the deltas that are nearly all of a stream: it must see when a payload is not what it looks like.

HOT_BLOCKS: dict[tuple[str, str], Payload] = {
    ("text_delta", "text"): {"type": "text", "text": ""},
    ("thinking_delta", "thinking"): {"type": "thinking", "thinking": ""},
    ("input_json_delta", "partial_json"): {"type": "tool_use", "id": "1", "name": "n", "input": {}},
}
_SPACE = st.sampled_from(["", "", "", " ", "  ", "\t"])
# Keys and values that would mislead who looks for quotes and backslashes without parsing.
_TRICKY = st.text(st.sampled_from('"\\{}[]:, ntexu0é😀\n'), max_size=6) | st.sampled_from(
    ["\\", '\\"', '"}}', "\\\\", "text", "type"]
)


@st.composite
def _json_texts(draw: st.DrawFn, value: Any) -> str:
    """A way to write a string or a short value."""
    return json.dumps(value, ensure_ascii=draw(st.booleans()))


@st.composite
def _members(draw: st.DrawFn) -> str:
    """More members for an object, comma first; duplicates of known keys among them."""
    parts = []
    for _ in range(draw(st.integers(0, 2))):
        key = draw(_TRICKY | st.sampled_from(["type", "index", "delta", "text", "partial_json", "thinking"]))
        value = draw(
            _TRICKY
            | st.integers(-1, 3)
            | st.none()
            | st.lists(_TRICKY, max_size=1)
            | st.dictionaries(_TRICKY, _TRICKY, max_size=1)
        )
        parts.append(f",{draw(_SPACE)}{draw(_json_texts(key))}{draw(_SPACE)}:{draw(_json_texts(value))}{draw(_SPACE)}")
    return "".join(parts)


@st.composite
def delta_payloads(draw: st.DrawFn, delta_type: str, field: str, index: int) -> bytes:
    text = draw(_json_texts(draw(_TRICKY | texts())))
    inner = f'"type":"{delta_type}","{field}":{text}{draw(_members())}{draw(_SPACE)}'
    outer = f'"type":"content_block_delta","index":{index},"delta":{{{inner}}}{draw(_members())}{draw(_SPACE)}'
    payload = f"{{{outer}}}{draw(_SPACE)}".encode()
    return draw(mutations(payload)) if draw(st.integers(0, 3)) == 3 else payload


@examples(5)
@given(st.sampled_from(sorted(HOT_BLOCKS)), st.integers(0, 11), st.data())
def test_the_shortcut_equals_the_plain_path_on_deltas_that_are_not_what_they_look_like(
    hot: tuple[str, str], index: int, data: st.DataObject
) -> None:
    delta_type, field = hot
    opening = [start(), *(block_start(number, HOT_BLOCKS[hot]) for number in range(index + 1))]
    stream = body(*opening, delta(index, delta_type, **{field: ""}))
    for _ in range(data.draw(st.integers(1, 3))):
        asked = data.draw(st.sampled_from([index, index, index, index // 10]))
        payload = data.draw(delta_payloads(delta_type, field, asked))
        stream += b"event: content_block_delta\ndata: " + payload + b"\n\n"
    check_plain(stream)


# Broken bytes

LIMITS = Limits(max_line_size=3000, max_event_size=3000, max_stream_size=100_000, max_depth=30, max_blocks=10)


def check_contained(data: bytes, outcome: Outcome) -> None:
    """Nothing but events and `ProtocolError` came out: any other would have left `drive`."""
    assert len(outcome.events) <= len(data)
    if outcome.error is not None:
        assert outcome.error.offset is not None
        assert 0 <= outcome.error.offset <= len(data)
        assert outcome.error.event_number == len(outcome.events)
        assert str(outcome.error)
    for violation in outcome.violations:
        assert violation.offset is not None
        assert 0 <= violation.offset <= len(data)
        assert str(violation)
    if outcome.snapshot is not None:
        json.loads(outcome.snapshot.to_json())


@given(ANY_BODY.flatmap(mutations), st.booleans(), st.booleans())
def test_any_mutation_ends_in_events_or_a_protocol_error(data: bytes, strict: bool, several: bool) -> None:
    check_contained(data, drive(by_frame(data), engine=MessageEngine(strict=strict, multiple_messages=several)))
    check_contained(data, drive(data, engine=MessageEngine(strict=strict, limits=LIMITS, trailing_strings=several)))


@given(ANY_BODY.flatmap(mutations), st.booleans())
def test_any_mutation_ends_in_raw_events_or_a_protocol_error(data: bytes, strict: bool) -> None:
    decoder = RawMessageDecoder(strict=strict)
    try:
        for chunk in by_frame(data):
            decoder.receive_data(chunk)
            list(decoder.events())
        decoder.receive_eof()
        list(decoder.events())
    except ProtocolError as error:
        assert error.offset is not None
        assert error.snapshot is None


@given(st.binary(max_size=300), st.booleans())
def test_arbitrary_bytes_are_never_a_message(data: bytes, strict: bool) -> None:
    outcome = drive(data, engine=MessageEngine(strict=strict))
    check_contained(data, outcome)
    assert outcome.error is not None


_NOISE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 3)
    | st.sampled_from(["", "text", "text_delta", "tool_use", "message", "x"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["type", "index", "delta", "text", "content_block", "message", "usage", "content", "input", "id"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=6,
)


@st.composite
def _disturbed_payloads(draw: st.DrawFn) -> list[Payload]:
    """A legal stream in which payloads are moved, repeated, lost, or hold values of the wrong kind."""
    payloads: list[Payload] = draw(message_payloads())
    for _ in range(draw(st.integers(1, 4))):
        position = draw(st.integers(0, len(payloads) - 1))
        match draw(st.sampled_from(["drop", "repeat", "move", "spoil", "insert"])):
            case "drop" if len(payloads) > 1:
                del payloads[position]
            case "repeat":
                payloads.insert(draw(st.integers(0, len(payloads))), payloads[position])
            case "move":
                payloads.insert(draw(st.integers(0, len(payloads) - 1)), payloads.pop(position))
            case "spoil" if payloads[position]:
                spoilt = copy.deepcopy(payloads[position])
                target: Any = spoilt
                while draw(st.booleans()) and (
                    deeper := [item for item in target.values() if isinstance(item, dict) and item]
                ):
                    target = draw(st.sampled_from(deeper))
                target[draw(st.sampled_from(sorted(target)))] = draw(_NOISE)
                payloads[position] = spoilt
            case _:
                noise = draw(_NOISE)
                payloads.insert(position, noise if isinstance(noise, dict) else {"type": noise})
    return payloads


@given(_disturbed_payloads(), st.booleans())
def test_any_disturbed_order_or_value_ends_in_events_or_a_protocol_error(payloads: list[Payload], strict: bool) -> None:
    data = b"".join(frame(payload, event=None) for payload in payloads)
    outcome = drive(data, engine=MessageEngine(strict=strict))
    check_contained(data, outcome)
    if not strict:
        check_plain_after(payloads, outcome)


def check_plain_after(payloads: list[Payload], outcome: Outcome) -> None:
    """An SDK that does its own framing and parsing gets the same."""
    accumulator = MessageAccumulator()
    for number, payload in enumerate(payloads):
        try:
            accumulator.apply(payload)
        except ProtocolError as error:
            assert type(error) is type(outcome.error)
            assert number == len(outcome.events)
            return
        assert same(accumulator.snapshot, outcome.snapshots[number])


# Streams cut off


@pytest.mark.parametrize(
    "path", [path for path in FIXTURES if path.parent.name != "broken"] or STREAMS[:10], ids=stream_id
)
def test_a_stream_cut_at_every_byte_never_looks_complete(path: Any) -> None:
    data = path.read_bytes()
    outcome = drive(data, engine=engine())
    if outcome.error is not None:
        pytest.skip("is not complete to begin with")
    complete_at = complete_points(data)
    # Every byte of the last frames, and steps before: each cut is a whole run.
    points = {*range(max(0, len(data) - 400), len(data)), *range(0, len(data), max(1, len(data) // 200))}
    for point in sorted(points):
        outcome = drive(data[:point], engine=engine())
        assert (outcome.error is None) == (point in complete_at)
        if outcome.error is not None and point > 0:
            assert isinstance(outcome.error, IncompleteStreamError)


def complete_points(data: bytes) -> set[int]:
    """How much of the stream may have come without anything missing: from after `message_stop` to the next start."""
    points: set[int] = set()
    decoder = engine()
    for point, byte in enumerate(data):
        decoder.receive_data(bytes([byte]))
        list(decoder.events())
        last = type_of_unfinished_event(data[: point + 1])
        if last == "message_stop" or (decoder.complete and last != "message_start"):
            points.add(point + 1)
    return points


def type_of_unfinished_event(data: bytes) -> str | None:
    """The type of the event that a stream ends in, if only its blank line is missing."""
    _, _, payload = data.replace(b"\r", b"").rpartition(b"\n\n")[2].rpartition(b"data:")
    try:
        value = json.loads(payload)
    except ValueError:
        return None
    found: str = value["type"]
    return found


@FEWER
@given(message_bodies(), st.data())
def test_a_generated_stream_cut_anywhere_never_looks_complete(data: bytes, choices: st.DataObject) -> None:
    whole = drive(data, engine=engine())
    assert whole.error is None
    stop_at = data.rindex(b"message_stop")
    point = choices.draw(st.integers(0, stop_at))
    outcome = drive(data[:point], engine=engine())
    # Before the first event a stream may begin with a field that nobody knows, and then looks like none.
    assert isinstance(outcome.error, IncompleteStreamError if outcome.events else (IncompleteStreamError, DecodeError))
    assert outcome.events == whole.events[: len(outcome.events)]
    assert outcome.snapshots == whole.snapshots[: len(outcome.snapshots)]
