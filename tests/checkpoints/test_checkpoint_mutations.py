"""Checkpoints that are damaged, wrong or hostile: our own error, or an engine that works."""

from __future__ import annotations

import contextlib
import copy
import json
import zlib
from collections.abc import Iterator
from typing import Any

from helpers import STOP, block_stop, body, message_delta, text
from hypothesis import given
from hypothesis import strategies as st
from test_checkpoints import BODIES, all_properties

from streamcore import CheckpointError, MessageEngine, MessageStream, StreamCoreError
from streamcore._checkpoint import _encoded

# What follows a checkpoint. Whatever the state is, some of it must be legal there.
REST = body(text(0, "a"), text(1, "b"), block_stop(0), block_stop(1), message_delta(), STOP)


def checkpoint_of(body_so_far: bytes, at: int, *, drained: bool = True, **options: Any) -> bytes:
    """A checkpoint after `at` bytes, perhaps with events that have not been read."""
    engine = MessageEngine(multiple_messages=True, invalid_json="keep", **options)
    stream = MessageStream([body_so_far[:at]], engine=engine)
    try:
        for number, _ in enumerate(stream):
            if not drained and number > at % 10:
                break
    except StreamCoreError:
        pass
    try:
        return stream.checkpoint()
    except CheckpointError:
        return MessageEngine().checkpoint()


def with_state(data: bytes, state: Any) -> bytes:
    """The checkpoint with another state and the right checksum."""
    head = json.loads(data.partition(b"\n")[0])
    line = _encoded(json.dumps(state, ensure_ascii=False))
    return json.dumps(head | {"crc32": zlib.crc32(line)}).encode() + b"\n" + line + b"\n"


def state_of(data: bytes) -> Any:
    return json.loads(data.partition(b"\n")[2].decode("utf-8", "surrogatepass"))


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of everything in a JSON value."""
    yield path
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        yield from places(member, (*path, key))


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


DEEP: Any = []
for _ in range(150):
    DEEP = [DEEP]
VALUES: list[Any] = [None, True, False, 0, 1, -1, 2**31, 2**63, 2**70, -(2**70), 0.5, 1e308, float("inf"), float("nan")]
VALUES += ["", "x", "\ud800", "\ud83d\ude00", "open", "input", "text", "e30=", "Cg==", "DQo=", [], {}, [[]], [{}], DEEP]
VALUES += [
    {"type": "text"},
    {"type": "text", "text": ""},
    {"type": "new", "input": 1},
    {"": None},
    "a" * 2000,
    [0] * 500,
]


@st.composite
def mutated(draw: st.DrawFn, data: bytes) -> bytes:
    """The checkpoint with up to three changes at random places."""
    state = state_of(data)
    for _ in range(draw(st.integers(1, 3))):
        paths = [path for path in places(state) if path]
        path = draw(st.sampled_from(paths))
        parent, key = at(state, path[:-1]), path[-1]
        kind = draw(st.sampled_from(["replace", "remove", "copy", "repeat", "number", "add"]))
        if kind == "remove":
            del parent[key]
        elif kind == "repeat" and isinstance(parent, list):
            parent[key:key] = [copy.deepcopy(parent[key])] * draw(st.integers(1, 5))
        elif kind == "copy":
            parent[key] = copy.deepcopy(at(state, draw(st.sampled_from(paths))))
        elif kind == "number" and type(parent[key]) is int:
            parent[key] += draw(st.integers(-3, 3))
        elif kind == "add" and isinstance(parent[key], dict):
            parent[key][draw(st.sampled_from(["extra", "index", "type", "text", ""]))] = draw(st.sampled_from(VALUES))
        else:
            parent[key] = copy.deepcopy(draw(st.sampled_from(VALUES)))
    return with_state(data, state)


def use(data: bytes) -> bool:
    """Restore a checkpoint and use what comes out in all ways. Return whether it was accepted."""
    try:
        engine = MessageEngine.restore(data)
    except CheckpointError as error:
        assert len(str(error)) < 1000
        return False
    again = engine.checkpoint()
    assert MessageEngine.restore(again).checkpoint() == again
    for path in ("a", "*", "~"):
        with contextlib.suppress(StreamCoreError):
            list(engine.values(path))
    engine.partial(dict)
    all_properties(engine)
    try:
        for event in engine.events():
            repr(event), engine.snapshot, all_properties(engine)
        engine.receive_data(REST)
        for event in engine.events():
            repr(event), repr(engine.snapshot), all_properties(engine)
        engine.receive_eof()
        list(engine.events())
        engine.final_message.to_json()
    except StreamCoreError as error:
        repr(getattr(error, "snapshot", None))
    try:
        with MessageStream([REST], engine=MessageEngine.restore(data)) as stream:
            for item in stream:
                repr(item), stream.checkpoint()
            stream.get_final_message()
    except StreamCoreError:
        pass
    return True


ANY_CHECKPOINT = st.builds(checkpoint_of, BODIES, st.integers(0, 2000), drained=st.booleans())


@given(ANY_CHECKPOINT.flatmap(mutated))
def test_a_changed_state_is_refused_or_is_that_of_an_engine_that_works(data: bytes) -> None:
    use(data)
