"""Checkpoints of engines, decoders and accumulators: what follows is what the original would have done."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from helpers import (
    FIXTURES,
    HELLO,
    STREAMS,
    any_chunks,
    block_start,
    block_stop,
    body,
    by_frame,
    delta,
    in_pieces,
    message_bodies,
    message_delta,
    partial_json,
    same,
    start,
    stream_id,
    text,
    tool_start,
)
from hypothesis import given
from hypothesis import strategies as st

from streamcore import (
    CheckpointError,
    IncompleteStreamError,
    LimitExceededError,
    Limits,
    MessageAccumulator,
    MessageEngine,
    MessageEventDecoder,
    ProtocolError,
    RawMessageDecoder,
    SSEDecoder,
    StreamCoreError,
)
from streamcore.testing.strategies import broken_streams, mutations

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence
    from pathlib import Path

AnyDecoder: TypeAlias = MessageEngine | MessageEventDecoder | RawMessageDecoder | SSEDecoder

NEVER: frozenset[int] = frozenset()
ALWAYS = range(10**9)


def everything(
    decoder: Any, chunks: Sequence[bytes], *, at: Container[int] = NEVER, looks: bool = False, **classes: Any
) -> list[Any]:
    """All that comes out of a decoder. It is replaced by what its checkpoint restores at these moments.

    A moment is after each chunk, each event, and the end. With `looks`, all properties are read after each event.
    """
    seen: list[Any] = []
    moment = 0

    def maybe_restored(decoder: Any) -> Any:
        nonlocal moment
        moment += 1
        if moment not in at:
            return decoder
        return restored(decoder, classes)

    def read() -> None:
        nonlocal decoder
        while (event := next(decoder.events(), None)) is not None:
            decoder = maybe_restored(decoder)
            seen.append((event, decoder.received, decoder.last_event_id))
            if looks:
                seen.append(all_properties(decoder))
                decoder = maybe_restored(decoder)

    try:
        for chunk in chunks:
            decoder.receive_data(chunk)
            decoder = maybe_restored(decoder)
            read()
            decoder = maybe_restored(decoder)
        decoder.receive_eof()
        decoder = maybe_restored(decoder)
        read()
        decoder = maybe_restored(decoder)
    except ProtocolError as error:
        seen.append(fault(error))
    seen.append(all_properties(decoder))
    if isinstance(decoder, MessageEngine):
        seen += [views(decoder), views(restored(decoder, classes))]
        try:
            seen.append(decoder.final_message)
        except ProtocolError as error:
            seen.append(fault(error))
    return seen


def restored(decoder: Any, classes: dict[str, Any]) -> Any:
    try:
        data = decoder.checkpoint()
    except CheckpointError:
        return decoder  # it has failed
    again = type(decoder).restore(data, **classes)
    assert again.checkpoint() == data
    return again


def views(engine: MessageEngine) -> list[Any]:
    """What new views show. Views are not put away, so this is asked at the end."""
    seen: list[Any] = [engine.partial(dict)]
    for path in ("a", "*", "a~"):
        try:
            seen += engine.values(path)
        except StreamCoreError as error:
            seen.append(str(error))
    return seen


def all_properties(decoder: Any) -> list[Any]:
    names = ["event_offset", "received", "pending", "last_event_id", "retry", "violations", "snapshot", "complete"]
    seen: list[Any] = []
    for name in names:
        try:
            seen.append(getattr(decoder, name, None))
        except StreamCoreError as error:
            seen.append(str(error))
    if isinstance(decoder, MessageEngine) and decoder.snapshot is not None:
        blocks = [decoder.block_in_progress(index) for index in range(len(decoder.snapshot.content))]
        seen += [None if block is None else (block.length, block.is_closed, block.parsed) for block in blocks]
        seen += [getattr(block, "partial_input", None) for block in decoder.snapshot.content]
        seen += [shown(getattr(block, "parse_error", None)) for block in decoder.snapshot.content]
    return seen


def shown(error: Any) -> Any:
    return None if error is None else fault(error)


def fault(error: ProtocolError) -> tuple[Any, ...]:
    place = error.offset, error.event_number, error.index
    return type(error), str(error), error.message, *place, error.snapshot, error.received


ENGINES: list[Callable[[], MessageEngine]] = [
    MessageEngine,
    lambda: MessageEngine(strict=True),
    lambda: MessageEngine(multiple_messages=True, invalid_json="keep", trailing_strings=True),
]
DECODERS: list[Callable[[], AnyDecoder]] = [*ENGINES, MessageEventDecoder, RawMessageDecoder, SSEDecoder]

MOMENTS = st.just(ALWAYS) | st.frozensets(st.integers(1, 40))
BROKEN = broken_streams().map(lambda stream: stream.data)
BODIES = message_bodies() | BROKEN | message_bodies().flatmap(mutations)
CUT_BODIES = BODIES.flatmap(any_chunks)


@given(CUT_BODIES, st.sampled_from(DECODERS), MOMENTS, st.booleans())
def test_a_decoder_goes_on_from_any_checkpoints_as_if_there_were_none(
    chunks: list[bytes], make: Callable[[], AnyDecoder], at: Container[int], looks: bool
) -> None:
    whole = everything(make(), chunks, looks=looks)
    assert same(everything(make(), chunks, at=at, looks=looks), whole)


@given(CUT_BODIES, st.sampled_from(DECODERS))
def test_taking_a_checkpoint_changes_nothing(chunks: list[bytes], make: Callable[[], AnyDecoder]) -> None:
    def read(decoder: Any, *, is_watched: bool) -> list[Any]:
        seen: list[Any] = []
        try:
            for chunk in [*chunks, None]:
                if chunk is None:
                    decoder.receive_eof()
                else:
                    decoder.receive_data(chunk)
                for event in decoder.events():  # the same iterator goes on after the checkpoints
                    if is_watched:
                        assert decoder.checkpoint() == decoder.checkpoint()
                    seen.append((event, decoder.received, getattr(decoder, "snapshot", None)))
        except ProtocolError as error:
            seen.append(fault(error))
        return [*seen, all_properties(decoder)]

    assert same(read(make(), is_watched=True), read(make(), is_watched=False))


# What only some streams show


def test_an_engine_over_its_limit_raises_it_after_the_events_before_it() -> None:
    limits = Limits(max_stream_size=len(body(*HELLO[:4])) - 1)
    for chunks in ([body(*HELLO)], by_frame(body(*HELLO))):
        whole = everything(MessageEngine(limits=limits), chunks)
        assert any(LimitExceededError in item for item in whole if isinstance(item, tuple))
        assert same(everything(MessageEngine(limits=limits), chunks, at=ALWAYS), whole)


def test_the_fields_of_an_event_that_is_not_whole_are_put_away() -> None:
    for chunks in (
        [b"retry: 5\nid: 7\n", b"event: x\r\n", b"data: a\n", b"data: b\n\n"],
        [b"retry: 5\n\n", b"data: a\n\n"],
    ):
        assert same(everything(SSEDecoder(), chunks, at=ALWAYS), everything(SSEDecoder(), chunks))


def test_violations_of_a_kind_go_on_being_counted() -> None:
    chunks = in_pieces(body(start(), *[b'data: {"type": "ping"}\n\n'] * 150), 997)
    whole = everything(MessageEngine(), chunks)
    assert same(everything(MessageEngine(), chunks, at=range(0, 10**6, 20)), whole)


def test_a_view_of_a_restored_engine_sees_the_block_that_grows() -> None:
    engine = MessageEngine()
    engine.receive_data(body(start(), block_start(0), block_start(1), text(0, '{"a": [1, ')))
    list(engine.events())
    engine = MessageEngine.restore(engine.checkpoint())
    view = engine.values("a.*")
    assert list(view) == [1]
    engine.receive_data(body(text(0, "2, ")))
    list(engine.events())
    assert list(view) == [2]


def test_an_accumulator_whose_stream_has_ended_stays_so() -> None:
    accumulator = MessageAccumulator()
    for event in (start(), tool_start(0), partial_json(0, '{"a": 1')):
        accumulator.apply(event)
    with pytest.raises(IncompleteStreamError):
        accumulator.end()
    accumulator = MessageAccumulator.restore(accumulator.checkpoint())
    assert accumulator.snapshot is not None
    block: Any = accumulator.snapshot.content[0]
    assert block.partial_input == '{"a": 1'


def test_an_accumulator_that_has_refused_an_event_can_be_put_away() -> None:
    for first in (start(), start(a=1, b=2, c=3)):
        accumulator = MessageAccumulator(limits=Limits(max_unknown_fields=2))
        accumulator.apply(first)
        with pytest.raises(LimitExceededError, match="more than 2 unknown fields"):
            accumulator.apply(message_delta(None, d=1, e=2, f=3))
        restored = MessageAccumulator.restore(accumulator.checkpoint())
        assert restored.checkpoint() == accumulator.checkpoint()


def test_a_decoder_without_a_message_knows_what_is_missing() -> None:
    chunks = by_frame(body(*HELLO[:-1], b"data: [DONE]\n\n"))
    for make in (MessageEventDecoder, RawMessageDecoder):
        whole = everything(make(), chunks)
        assert whole[-2][0].type == "message_stop"
        assert same(everything(make(), chunks, at=ALWAYS), whole)


def test_values_that_a_late_delta_has_dropped_stay_dropped() -> None:
    engine = MessageEngine(output_format=list[int])
    engine.receive_data(body(start(), block_start(0), text(0, "[1]"), block_stop(0), text(0, " ")))
    stops = [event for event in engine.events() if event.type == "content_block_stop"]
    assert stops
    for one in (engine, MessageEngine.restore(engine.checkpoint(), output_format=list[int])):
        assert one.snapshot is not None
        assert one.snapshot.content[0].parsed_output is None  # type: ignore[union-attr]  # it is text


def test_the_stop_of_a_block_is_known_when_a_citation_came_late() -> None:
    place = {"document_index": 0, "document_title": None, "start_char_index": 0, "end_char_index": 1}
    citation = delta(0, "citations_delta", citation={"type": "char_location", "cited_text": "1", **place})
    engine = MessageEngine(output_format=list[int])
    engine.receive_data(body(start(), block_start(0), text(0, "[1]"), citation, block_stop(0), citation))
    list(engine.events())
    data = engine.checkpoint()
    assert b'"stopped_at":{"text":3,"citations":1}' in data
    assert MessageEngine.restore(data, output_format=list[int]).checkpoint() == data


# Recorded streams


def test_the_fixtures_can_be_put_away_after_some_events() -> None:
    for path in FIXTURES:
        data = path.read_bytes()[:20_000]
        chunks = in_pieces(data, 997)
        assert same(everything(ENGINES[2](), chunks, at=range(2, 10**6, 7)), everything(ENGINES[2](), chunks)), path


@pytest.mark.slow  # each checkpoint has the message so far: they are as long as the square of the stream
@pytest.mark.parametrize("path", STREAMS, ids=stream_id)
def test_recorded_streams_can_be_put_away_after_every_event(path: Path) -> None:
    data = path.read_bytes()
    data = data[: data.find(b"\n\n", 30_000) + 2] if len(data) > 30_000 else data
    for chunks in (by_frame(data), in_pieces(data, 997)):
        assert same(everything(ENGINES[2](), chunks, at=ALWAYS), everything(ENGINES[2](), chunks))
    assert same(everything(ENGINES[0](), [data], at=range(0, 10**6, 5)), everything(ENGINES[0](), [data]))


_PROGRAM = """
import sys
from streamcore import MessageEngine
engine = MessageEngine.restore(open(sys.argv[1], "rb").read())
engine.receive_data(open(sys.argv[2], "rb").read())
engine.receive_eof()
for event in engine.events():
    print(repr((event, engine.snapshot, engine.event_offset)))
print(repr((engine.final_message, engine.violations)))
"""


_TYPED = """
import attrs, sys
from streamcore import MessageEngine
@attrs.frozen
class Answer:
    tags: frozenset[str] = frozenset({"a", "b", "c", "d"})
if sys.argv[1:]:
    MessageEngine.restore(open(sys.argv[1], "rb").read(), output_format=Answer)
else:
    sys.stdout.buffer.write(MessageEngine(output_format=Answer).checkpoint())
"""


@pytest.mark.slow  # starts processes
def test_another_process_knows_the_classes_again(tmp_path: Path) -> None:
    """The order of a set of strings, as a default may be, differs between processes."""
    path = tmp_path / "checkpoint"
    made = subprocess.run([sys.executable, "-c", _TYPED], check=True, capture_output=True, env=seeded("1"))
    path.write_bytes(made.stdout)
    for seed in ("1", "2", "3"):
        subprocess.run([sys.executable, "-c", _TYPED, str(path)], check=True, env=seeded(seed))


def seeded(seed: str) -> dict[str, str]:
    return {**os.environ, "PYTHONHASHSEED": seed}


@pytest.mark.slow  # starts processes
@pytest.mark.parametrize("name", ["citations", "crlf", "unknown", "weather"])
def test_another_process_goes_on_as_this_one_would(name: str, tmp_path: Path) -> None:
    data = next(path for path in FIXTURES if path.stem == name).read_bytes()
    for place in (len(data) // 3, len(data) // 2):
        engine = MessageEngine(multiple_messages=True)
        engine.receive_data(data[:place])
        list(engine.events())
        (tmp_path / "checkpoint").write_bytes(engine.checkpoint())
        (tmp_path / "rest").write_bytes(data[place:])
        program = [sys.executable, "-c", _PROGRAM, str(tmp_path / "checkpoint"), str(tmp_path / "rest")]
        lines = subprocess.run(program, check=True, capture_output=True, text=True).stdout.splitlines()
        engine.receive_data(data[place:])
        engine.receive_eof()
        here = [repr((event, engine.snapshot, engine.event_offset)) for event in engine.events()]
        assert lines == [*here, repr((engine.final_message, engine.violations))]
