"""The bytes of checkpoints: the kept ones, what is said of wrong ones, options and classes, size."""

from __future__ import annotations

import contextlib
import gc
import json
import re
import tracemalloc
import typing
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import kept
import msgspec
import pytest
from helpers import (
    HELLO,
    PING,
    block_start,
    block_stop,
    body,
    by_frame,
    message_delta,
    partial_json,
    same,
    start,
    text,
    tool_start,
)
from hypothesis import given
from hypothesis import strategies as st
from test_checkpoint_mutations import state_of, with_state
from test_checkpoints import everything

import streamcore
from streamcore import (
    CheckpointError,
    DecodeError,
    EventOrderError,
    InvalidArgumentError,
    LimitExceededError,
    Limits,
    MessageAccumulator,
    MessageEngine,
    PartialJSON,
    ProtocolError,
    RawMessageDecoder,
    SSEDecoder,
)
from streamcore._engine_state import EngineState
from streamcore._objects.state import SavedState
from streamcore.accumulator._state import AccumulatorCheckpoint
from streamcore.decoders import DecoderState
from streamcore.partial_json._partial_json import PartialJSONState
from streamcore.sse._decoder import SSEState

# Kept checkpoints


def kept_checkpoint(name: str) -> bytes:
    return (kept.FOLDER / f"{name}.jsonl").read_bytes()


def test_the_checkpoints_of_version_1_go_on_as_if_there_were_none() -> None:
    for name, case in kept.CASES.items():
        restored = type(case.make()).restore(kept_checkpoint(name), **case.restore)
        rest = [case.after] if case.after else []
        expected = everything(case.decoder(), rest, looks=True, **case.restore)
        assert same(everything(restored, rest, looks=True, **case.restore), expected), name


def test_the_other_checkpoints_of_version_1_go_on_as_if_there_were_none() -> None:
    engine = MessageEngine.restore(kept_checkpoint("stream"))
    items = [repr(item) for item in streamcore.MessageStream([], engine=engine)]
    assert items == [repr(item) for item in kept.stream_in_event()]
    accumulator = MessageAccumulator.restore(kept_checkpoint("accumulator"))
    assert accumulator.snapshot == kept.accumulator().snapshot
    partial = PartialJSON.restore(kept_checkpoint("partial-json"))
    for one in (partial, kept.partial_json()):
        one.feed('00"}')
        assert one.close() == {"big": 123456789012345678901234567890, "half": "\U0001f600"}


def test_a_change_of_the_format_is_noticed() -> None:
    """A new key without a default would need a new version, and a kept checkpoint of it."""
    for name, data in kept.all_checkpoints().items():
        assert state_of(data) == state_of(kept_checkpoint(name)), f"{name}: see {kept.__file__}"
    assert {path.stem for path in kept.FOLDER.iterdir()} == kept.all_checkpoints().keys()


def test_the_checkpoint_of_any_stream_is_utf_8() -> None:
    for name, data in kept.all_checkpoints().items():
        assert data.decode().count("\n") == 2, name
    assert b"\\ud83d" in kept.all_checkpoints()["after-half"]


def states(annotation: Any) -> Iterator[type[SavedState]]:
    """The classes of a state and of the states in it."""
    if isinstance(annotation, type) and issubclass(annotation, SavedState):
        yield annotation
        for field in msgspec.structs.fields(annotation):
            yield from states(field.type)
    for argument in typing.get_args(annotation):
        yield from states(argument)


def test_the_guide_has_every_key() -> None:
    guide = Path(streamcore.__file__).with_name("EMBEDDING.md").read_text(encoding="utf-8")
    table = guide.partition("### The format of a checkpoint")[2].partition("\n## ")[0]
    rows = [set(re.findall(r"`([a-z_0-9]+)`", row.partition(" | ")[2])) for row in table.splitlines() if row[:1] == "|"]
    for root in (EngineState, DecoderState, SSEState, AccumulatorCheckpoint, PartialJSONState):
        for state in states(root):
            keys = {field.name for field in msgspec.structs.fields(state)}
            assert any(keys <= row for row in rows), f"no row has all keys of {state.__name__}: {sorted(keys)}"


# Faults


def test_what_is_wrong_with_a_checkpoint_is_said() -> None:
    data = MessageEngine().checkpoint()
    head, _, state = data.partition(b"\n")
    wrong = {
        b"": "the bytes are not a checkpoint",
        b"{}\n{}\n": "the bytes are not a checkpoint",
        b"\xff\xfe": "the bytes are not a checkpoint",
        b"[" * 100_000: "the bytes are not a checkpoint",
        b'{"a":' * 200 + b"\n": "the bytes are not a checkpoint",
        data.replace(b"streamcore checkpoint", b"other"): "the bytes are not a checkpoint",
        data.replace(
            b'"version": 1', b'"version": 2'
        ): "has version 2; this version of streamcore reads version 1 only",
        data.replace(b'"version": 1', b'"version": "1"'): "the bytes are not a checkpoint",
        b'{"format": "streamcore checkpoint", "version": 7, "new": 1}': "has version 7; this version of streamcore",
        SSEDecoder().checkpoint(): "is one of a SSEDecoder, not of a MessageEngine",
        data.replace(b"MessageEngine", b"\\ud83d" * 30): "the bytes are not a checkpoint",
        data[:-5]: "damaged or cut off",
        head: "damaged or cut off",
        data + b"x": "damaged or cut off",
        data.replace(b"10000", b"10001"): "damaged or cut off",
        with_state(data, []): "not valid: Expected `object`, got `array`",
        with_state(data, {}): "not valid: Object missing required field `limits`",
        with_state(data, state_of(data) | {"\ud83d": 1}): "not valid",
    }
    for bad, said in wrong.items():
        with pytest.raises(CheckpointError, match=re.escape(said)):
            MessageEngine.restore(bad)
    for line in (b"\xff", b"{", b"[" * 100_000, b"1" * 5000, b'{"limits": {}, "limits": "\xed\xa0"}'):
        bad = json.dumps(json.loads(head) | {"crc32": zlib.crc32(line)}).encode() + b"\n" + line
        with pytest.raises(CheckpointError, match="not valid"):
            MessageEngine.restore(bad)
    assert state


@given(
    st.binary(max_size=300)
    | st.builds(lambda n, b: MessageEngine().checkpoint()[:n] + b, st.integers(0, 300), st.binary())
)
def test_any_bytes_are_refused_by_an_error_of_our_own(data: bytes) -> None:
    with pytest.raises(CheckpointError):
        MessageEngine.restore(data)


@given(st.integers(0, 10**6), st.integers(1, 255))
def test_every_flipped_byte_is_noticed(place: int, change: int) -> None:
    data = bytearray(kept_checkpoint("at-end"))
    place %= len(data) - 1  # the last line end may be missing
    data[place] ^= change
    try:
        restored = MessageEngine.restore(bytes(data))
    except CheckpointError:
        return
    # Blanks in the head mean nothing.
    assert place < data.index(b"\n")
    assert restored.checkpoint() == kept_checkpoint("at-end")


def test_a_checkpoint_may_be_any_bytes_like_object() -> None:
    data = MessageEngine().checkpoint()
    for like in (bytearray(data), memoryview(data)):
        assert MessageEngine.restore(like).checkpoint() == data  # type: ignore[arg-type]  # as database drivers return them
    for wrong in ("text", None, 3):
        with pytest.raises(InvalidArgumentError, match="a checkpoint must be bytes; received"):
            MessageEngine.restore(wrong)  # type: ignore[arg-type]  # it is wrong


def test_a_value_that_json_cannot_carry_is_refused() -> None:
    for value in (10**5000, object()):
        accumulator = MessageAccumulator()
        accumulator.apply(start(new_field=value))
        with pytest.raises(CheckpointError, match="cannot be written as JSON"):
            accumulator.checkpoint()


def test_a_stream_that_has_failed_has_no_checkpoint() -> None:
    broken = body(start(), b"event: content_block_stop\ndata: {\n\n")
    for decoder in (MessageEngine(), RawMessageDecoder()):
        decoder.receive_data(broken)
        with pytest.raises(DecodeError):
            list(decoder.events())
        with pytest.raises(
            CheckpointError, match="a stream that has failed has no checkpoint: the payload is not JSON"
        ):
            decoder.checkpoint()
    sse = SSEDecoder(limits=Limits(max_line_size=10))
    sse.receive_data(b"data: " + b"x" * 20 + b"\n")
    with pytest.raises(LimitExceededError):
        list(sse.events())
    with pytest.raises(CheckpointError, match="a line is longer than 10 bytes"):
        sse.checkpoint()


# Options, limits and classes


def test_options_are_those_of_the_original() -> None:
    engine = MessageEngine(
        strict=True,
        trailing_strings=True,
        multiple_messages=True,
        invalid_json="keep",
        limits=Limits(max_blocks=1),
    )
    engine = MessageEngine.restore(engine.checkpoint())
    engine.receive_data(body(start(), tool_start(0), partial_json(0, '{"a": "b')))
    list(engine.events())
    assert engine.snapshot is not None
    assert engine.snapshot.content[0].input == {"a": "b"}  # type: ignore[union-attr]  # it is the use of a tool
    assert engine.multiple_messages
    engine.receive_data(body(block_start(1)))
    with pytest.raises(LimitExceededError, match="more than 1 blocks"):
        list(engine.events())


def test_limits_can_be_given_again() -> None:
    engine = MessageEngine()
    engine.receive_data(body(*HELLO[:4], block_start(1)) + b"event: ping\ndata: " + b"x" * 100)
    list(engine.events())
    data = engine.checkpoint()
    for limits, said in (
        (Limits(max_blocks=1), "there are too many blocks"),
        (Limits(max_stream_size=100), "the stream is over the limit"),
        (Limits(max_depth=1), "a value nests too deep"),
    ):
        with pytest.raises(CheckpointError, match=said):
            MessageEngine.restore(data, limits=limits)
    lower = MessageEngine.restore(data, limits=Limits(max_line_size=150, max_event_size=150))
    lower.receive_data(b"x" * 100)
    with pytest.raises(LimitExceededError, match="a line is longer than 150 bytes"):
        list(lower.events())
    hostile = state_of(data)
    hostile["limits"]["max_line_size"] = -1
    with pytest.raises(CheckpointError, match="a limit is negative"):
        MessageEngine.restore(with_state(data, hostile))


@attrs.frozen
class Query:
    """A query."""

    q: str


def described_otherwise() -> Any:
    @attrs.frozen
    class Query:
        """A query, in other words."""

        q: str

    return Query


def with_another_field() -> Any:
    @attrs.frozen
    class Query:
        q: str
        n: int = 1

    return Query


def test_classes_are_given_again_and_others_are_refused() -> None:
    engine = MessageEngine(tool_types={"search": Query}, on_invalid="keep")
    engine.receive_data(body(start(), tool_start(0), partial_json(0, '{"q": "a"}'), block_stop(0)))
    list(engine.events())
    data = engine.checkpoint()
    restored = MessageEngine.restore(data, tool_types={"search": described_otherwise()})
    assert restored.snapshot is not None
    block: Any = restored.snapshot.content[0]
    assert block.parsed_input.q == "a"
    wrong: list[dict[str, Any]] = [
        {},
        {"tool_types": {"search": with_another_field()}},
        {"tool_types": {"find": Query}},
        {"output_format": Query},
        {"output_format": Query, "tool_types": {"search": Query}},
    ]
    for classes in wrong:
        with pytest.raises(CheckpointError, match=r"was made with Query .schema [0-9a-f]{8}. for the tool 'search'"):
            MessageEngine.restore(data, **classes)
    plain = MessageEngine().checkpoint()
    with pytest.raises(CheckpointError, match=r"was made with no classes, and output_format=Query .* are given"):
        MessageEngine.restore(plain, output_format=Query)


def test_a_member_named_description_counts() -> None:
    classes = [attrs.make_class("Item", {"description": attrs.field(type=kind)}) for kind in (str, int)]
    data = MessageEngine(output_format=classes[0]).checkpoint()
    MessageEngine.restore(data, output_format=classes[0])
    with pytest.raises(CheckpointError, match=r"was made with output_format=Item"):
        MessageEngine.restore(data, output_format=classes[1])


def test_a_block_that_is_not_of_its_class_is_refused() -> None:
    engine = MessageEngine(tool_types={"search": Query})
    engine.receive_data(body(start(), tool_start(0), partial_json(0, '{"q": "a"}'), block_stop(0)))
    list(engine.events())
    data = engine.checkpoint()
    state = state_of(data)
    state["accumulator"]["message"]["blocks"][0]["fields"][0]["value"] = '{"q": 1}'
    with pytest.raises(CheckpointError, match="the input of 'search'"):
        MessageEngine.restore(with_state(data, state), tool_types={"search": Query})


# PartialJSON


FRAGMENTS = [
    '{"a":',
    '{"',
    "[1,",
    "12",
    "]",
    "}",
    '"',
    "\\ud8",
    "\\",
    "\ud83d",
    "\ude00",
    " ",
    "tru",
    "e",
    "x",
    "[[[[[",
]


def shown(partial: PartialJSON) -> list[Any]:
    error = partial.error
    seen: list[Any] = [partial.text, partial.best, partial.open_path]
    seen += [None if error is None else (type(error), str(error), error.offset, error.received)]
    return [*seen, None if error is not None else partial.complete]


@given(
    st.lists(st.tuples(st.sampled_from(FRAGMENTS) | st.text(max_size=5), st.booleans())),
    st.booleans(),
    st.integers(0, 3),
    st.booleans(),
)
def test_partial_json_goes_on_from_any_checkpoints(
    fragments: list[tuple[str, bool]], trailing_strings: bool, max_depth: int, joins_halves: bool
) -> None:
    original = PartialJSON(trailing_strings=trailing_strings, max_depth=max_depth)
    other = PartialJSON(trailing_strings=trailing_strings, max_depth=max_depth)
    original.joins_halves = other.joins_halves = joins_halves
    for fragment, is_read in fragments:
        original.feed(fragment)
        other.feed(fragment)
        if is_read:
            assert same(shown(other), shown(original))
        other = PartialJSON.restore(other.checkpoint())
    for _ in range(2):
        values = []
        for partial in (original, other):
            try:
                values.append(partial.close())
            except ProtocolError as error:
                values.append(str(error))
        assert same(values[1], values[0])
        other = PartialJSON.restore(other.checkpoint())
        assert same(shown(other), shown(original))
    with pytest.raises(EventOrderError):
        other.feed("1")
    deeper = PartialJSON.restore(other.checkpoint(), max_depth=0)
    assert deeper.text == original.text


# Size


def test_the_size_is_that_of_the_message_and_not_of_the_stream() -> None:
    def size(events: list[Any]) -> int:
        engine = MessageEngine()
        for chunk in by_frame(body(*events)):
            engine.receive_data(chunk)
            list(engine.events())
        return len(engine.checkpoint())

    head = [start(), block_start(0), block_start(1)]
    base = size(head)
    assert size([*head, *[PING] * 2000]) < base + 100
    # Blocks in turn: the list of those that were touched grows, and is not a part of the state.
    assert size([*head, *[text(number % 2, "x") for number in range(2000)]]) < base + 2000 + 200
    assert size([*head, *[message_delta(None)] * 2000]) < base + 100


def test_a_hostile_checkpoint_takes_memory_in_proportion_to_its_size() -> None:
    data = MessageEngine().checkpoint()
    state = state_of(data)
    message = {"id": "m", "role": "assistant", "model": "c", "content": [], "usage": {}, "type": "message"}
    size = 60_000
    hostile = [
        state | {"log": {"entries": [{"kind": "odd_ping", "message": ""}] * (size // 40)}},
        state | {"accumulator": {"phase": "open", "message": {"message": message | {"x": [[]] * (size // 4)}}}},
        state
        | {"accumulator": {"phase": "open", "message": {"message": message, "blocks": [{"start": {}}] * (size // 13)}}},
        state | {"accumulator": {"phase": "open", "message": {"message": message}, "late_blocks": [0] * (size // 2)}},
        state | {"source": {"frames": {"position": "between_events", "buffer": {"chunks": ["eA=="] * (size // 8)}}}},
    ]
    for value in hostile:
        bad = with_state(data, value)
        gc.collect()
        tracemalloc.start()
        with contextlib.suppress(CheckpointError):
            MessageEngine.restore(bad)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 60 * len(bad), list(value)
