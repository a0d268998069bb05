"""`stream.checkpoint()`, and streams over a restored engine."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Container, Iterator, Sequence
from typing import Any

import attrs
import pytest
from helpers import (
    FIXTURES,
    HELLO,
    HELLO_TYPES,
    STOP,
    any_chunks,
    block_start,
    block_stop,
    body,
    by_frame,
    frame,
    message_bodies,
    message_delta,
    partial_json,
    same,
    start,
    text,
    tool_start,
)
from hypothesis import given
from hypothesis import strategies as st
from server import BACKENDS, run

from streamcore import (
    AsyncMessageStream,
    CheckpointError,
    DecodeError,
    InvalidArgumentError,
    Limits,
    MessageEngine,
    MessageStream,
    ProtocolError,
)
from streamcore.errors import APIError, OverloadedError
from streamcore.testing.strategies import broken_streams
from streamcore.types import ErrorEvent

_HALVES = [start(), block_start(0), text(0, "a\ud83d"), text(0, "\ude00\ud83d"), block_stop(0), block_start(1)]
_HALVES += [text(1, "\ud83d"), text(0, "late\ud83d"), message_delta(), STOP]
HALVES = [frame(json.dumps(event).encode()) for event in _HALVES]
ERROR = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
ODD_ERROR = b"event: error\ndata: the server is busy\n\n"

MOMENTS = st.just(range(10**6)) | st.frozensets(st.integers(0, 40))
BODIES = (
    message_bodies()
    | broken_streams().map(lambda stream: stream.data)
    | st.sampled_from([body(*HALVES), body(*HELLO[:3], ERROR), body(*HELLO[:3], ODD_ERROR), body(*HELLO)])
)


def restored(stream: Any, chunks: Any, cls: Any = MessageStream) -> Any:
    data = stream.checkpoint()
    again = cls(chunks, engine=MessageEngine.restore(data))
    assert again.checkpoint() == data
    return again


def shown(items: Sequence[Any]) -> list[Any]:
    return [(item.type, repr(item), repr(getattr(item, "snapshot", None))) for item in items]


def all_items(chunks: Sequence[bytes], at: Container[int] = ()) -> tuple[list[Any], list[Any]]:
    """All that comes out of a stream that is put away and taken up again after these items."""
    unread = iter(chunks)
    stream = MessageStream(unread)
    items: list[Any] = []
    seen: list[Any] = []
    try:
        while (item := next(stream, None)) is not None:
            if len(items) in at:
                stream = restored(stream, unread)
            items.append(item)
            seen += [shown([item]), stream._engine.snapshot, stream.violations]
        seen.append(stream.get_final_message())
    except (ProtocolError, APIError) as error:
        seen.append((type(error), str(error), getattr(error, "snapshot", None)))
    return shown(items), seen


@given(BODIES.flatmap(any_chunks), MOMENTS)
def test_a_stream_goes_on_from_any_checkpoints_as_if_there_were_none(chunks: list[bytes], at: Container[int]) -> None:
    assert same(all_items(chunks, at), all_items(chunks))


def test_events_of_the_fixtures_can_be_followed_by_a_checkpoint() -> None:
    for path in FIXTURES:
        data = path.read_bytes()[:5000]
        assert same(all_items([data], range(1, 10**6, 3)), all_items([data])), path


@pytest.mark.slow  # each checkpoint has the message so far: they are as long as the square of the stream
def test_every_event_of_the_fixtures_can_be_followed_by_a_checkpoint() -> None:
    for path in FIXTURES:
        data = path.read_bytes()
        for chunks in ([data], by_frame(data)):
            assert same(all_items(chunks, range(10**6)), all_items(chunks)), path


async def async_chunks(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_async_stream_goes_on_from_checkpoints(backend: str) -> None:
    async def main() -> None:
        unread = iter(by_frame(body(*HELLO)))
        stream = AsyncMessageStream(async_chunks(unread))
        types = []
        while (item := await anext(stream, None)) is not None:
            types.append(item.type)
            stream = restored(stream, async_chunks(unread), AsyncMessageStream)
        assert types == HELLO_TYPES
        assert await stream.get_final_text() == "Hello"

    run(backend, main)


def test_a_derived_event_that_was_not_delivered_comes_first() -> None:
    unread = iter(by_frame(body(*HELLO)))
    stream = MessageStream(unread)
    while next(stream).type != "content_block_delta":
        pass
    resumed = MessageStream(unread, engine=MessageEngine.restore(stream.checkpoint()))
    assert list(resumed.text_stream) == ["Hel", "lo"]
    assert next(stream).type == "text"  # the original is as it was


def test_a_derived_event_that_was_delivered_does_not_come_again() -> None:
    unread = iter(by_frame(body(*HELLO)))
    stream = MessageStream(unread)
    assert next(stream.text_stream) == "Hel"
    assert list(restored(stream, unread).text_stream) == ["lo"]


def test_an_engine_that_has_gone_on_has_nothing_to_deliver() -> None:
    unread = iter(by_frame(body(*HELLO)))
    stream = MessageStream(unread)
    while next(stream).type != "content_block_delta":
        pass
    engine = MessageEngine.restore(stream.checkpoint())
    engine.receive_data(next(unread))
    assert [event.type for event in engine.events()] == ["content_block_delta"]
    assert b"delivery" not in engine.checkpoint()
    assert [item.type for item in MessageStream(unread, engine=engine)] == HELLO_TYPES[-3:]


def test_a_stream_takes_over_what_is_to_be_delivered() -> None:
    unread = iter(by_frame(body(*HELLO)))
    stream = MessageStream(unread)
    while next(stream).type != "content_block_delta":
        pass
    engine = MessageEngine.restore(stream.checkpoint())
    assert b'"delivery"' in engine.checkpoint()
    resumed = MessageStream(unread, engine=engine)
    assert b'"delivery"' in resumed.checkpoint()
    assert next(resumed).type == "text"
    assert b'"delivery"' not in resumed.checkpoint() + engine.checkpoint()


def test_a_checkpoint_before_the_first_read_keeps_what_is_to_be_delivered() -> None:
    unread = iter(by_frame(body(*HELLO)))
    stream = MessageStream(unread)
    while next(stream).type != "content_block_delta":
        pass
    for _ in range(3):
        stream = restored(stream, unread)
    engine = MessageEngine.restore(stream.checkpoint())
    stream = MessageStream(unread, engine=MessageEngine.restore(engine.checkpoint()))
    assert list(stream.text_stream) == ["Hel", "lo"]


def test_the_exception_of_an_error_event_is_raised_after_a_checkpoint_too() -> None:
    for error in (ERROR, ODD_ERROR):
        unread = iter([body(*HELLO[:3], error)])
        stream = MessageStream(unread)
        while not isinstance(item := next(stream), ErrorEvent):
            pass
        resumed = restored(stream, unread)
        with pytest.raises(APIError) as raised:
            next(resumed)
        with pytest.raises(APIError) as original:
            next(stream)
        assert (type(raised.value), str(raised.value)) == (type(original.value), str(original.value))
        assert raised.value.snapshot == original.value.snapshot
        assert raised.value.body == original.value.body == item.payload or error is ODD_ERROR
    assert issubclass(OverloadedError, APIError)


def test_a_stream_over_a_complete_message_reads_no_chunk() -> None:
    engine = MessageEngine()
    engine.receive_data(body(*HELLO))
    list(engine.events())

    def chunks() -> Iterator[bytes]:
        raise AssertionError("nothing may be read")
        yield b""

    with MessageStream(chunks(), engine=MessageEngine.restore(engine.checkpoint())) as stream:
        assert list(stream) == []
        assert stream.get_final_text() == "Hello"


def test_handlers_are_called_once_for_each_event() -> None:
    calls: list[Any] = []

    class Handled(MessageStream[Any]):
        def on_text(self, delta: str, snapshot: str) -> None:
            calls.append((delta, snapshot))

        def on_stream_event(self, event: Any) -> None:
            calls.append(event.type)

        def on_content_block(self, content_block: Any) -> None:
            calls.append(content_block)

        def on_message(self, message: Any) -> None:
            calls.append(message)

    Handled(by_frame(body(*HELLO))).until_done()
    expected, calls = calls, []
    unread = iter(by_frame(body(*HELLO)))
    stream = Handled(unread)
    while next(stream, None) is not None:
        stream = restored(stream, unread, Handled)
    assert calls == expected


def test_the_rest_of_a_large_chunk_is_in_the_checkpoint() -> None:
    words = ["x" * 40_000, "y" * 40_000, "z" * 40_000]
    events = [start(), block_start(0), *[text(0, word) for word in words], block_stop(0), message_delta(), STOP]
    stream = MessageStream(iter([body(*events)]))
    assert next(stream.text_stream) == words[0]
    resumed = restored(stream, [])
    assert list(resumed.text_stream) == words[1:]
    assert resumed.get_final_text() == "".join(words)
    assert list(stream.text_stream) == words[1:]


def test_a_failed_connection_leaves_a_checkpoint_and_a_broken_stream_does_not() -> None:
    frames = by_frame(body(*HELLO))

    def chunks() -> Iterator[bytes]:
        yield from frames[:4]
        raise ConnectionResetError

    stream = MessageStream(chunks())
    with pytest.raises(ConnectionResetError):
        stream.until_done()
    stream.close()
    resumed = MessageStream(frames[4:], engine=MessageEngine.restore(stream.checkpoint()))
    assert resumed.get_final_text() == "Hello"
    broken = MessageStream([body(*HELLO[:3], b"data: {\n\n")])
    with pytest.raises(DecodeError):
        broken.until_done()
    with pytest.raises(CheckpointError, match="a stream that has failed has no checkpoint: the payload is not JSON"):
        broken.checkpoint()


def test_an_engine_excludes_options() -> None:
    for cls, chunks in ((MessageStream, []), (AsyncMessageStream, async_chunks(iter([])))):
        make: Any = cls
        with pytest.raises(InvalidArgumentError, match="cannot be combined with strict, limits"):
            make(chunks, engine=MessageEngine(), strict=True, limits=Limits(max_blocks=1))


@attrs.frozen
class Query:
    q: str


def test_views_of_a_restored_stream_begin_at_the_beginning() -> None:
    pieces = [partial_json(0, piece) for piece in ('{"q": "a",', '"r": ["b",', '"c"]}')]
    events = [start(), tool_start(0), *pieces]
    unread = iter(by_frame(body(*events, block_stop(0), message_delta("tool_use"), STOP)))
    stream = MessageStream(unread, tool_types={"search": Query})
    values = stream.values("r.*", str, block=0)
    assert next(values) == "b"
    engine = MessageEngine.restore(stream.checkpoint(), tool_types={"search": Query})
    resumed = MessageStream(unread, engine=engine)
    assert resumed.partial(Query).q == "a"
    assert list(resumed.values("r.*", str, block=0)) == ["b", "c"]
    block: Any = resumed.get_final_message().content[0]
    assert block.parsed_input == Query(q="a")


def test_a_stream_refuses_an_event_that_its_engine_cannot_have_delivered() -> None:
    stream = MessageStream(by_frame(body(*HALVES)))
    while next(stream).type != "content_block_delta":
        pass
    engine = MessageEngine.restore(stream.checkpoint())
    delivery = engine.take_delivery()
    assert delivery is not None
    event: Any = delivery.event
    longer = attrs.evolve(event, delta=attrs.evolve(event.delta, text="a" * 1000))
    data = engine.checkpoint_of_stream((), delivery._replace(event=longer))
    with pytest.raises(CheckpointError):
        MessageStream([], engine=MessageEngine.restore(data))
