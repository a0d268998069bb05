"""What engines and streams hold while they wait: so little that ten thousand of them fit in one process."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable

import pytest
from helpers import HELLO, block_start, block_stop, body, partial_json, start, text, tool_start

from streamcore import AsyncMessageStream, MessageEngine, MessageStream, SSEDecoder
from streamcore.stream import AsyncStream

COUNT = 20


def held_by(make: Callable[[], object]) -> float:
    """Bytes that one of many holds."""
    make()  # what is made once belongs to none
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        many = [make() for _ in range(COUNT)]
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return (after - before) / len(many)


def engine_after(data: bytes) -> MessageEngine:
    engine = MessageEngine()
    engine.receive_data(data)
    for _ in engine.events():
        pass
    return engine


class NoChunks:
    def __aiter__(self) -> NoChunks:
        return self

    async def __anext__(self) -> bytes:
        raise StopAsyncIteration


def test_an_engine_that_has_not_begun() -> None:
    assert held_by(MessageEngine) < 2500


def test_an_engine_in_the_midst_of_a_message() -> None:
    begun = body(*HELLO[:3])
    assert held_by(lambda: engine_after(begun)) < 4096


def test_an_engine_keeps_no_chunk_that_it_has_read() -> None:
    # 60 KB. The engine keeps only the text of each delta.
    one_by_one = [body(start(), block_start(0)), *[body(text(0, "word "))] * 500]
    burst = b"".join(one_by_one)

    def after_chunks() -> MessageEngine:
        engine = MessageEngine()
        for chunk in one_by_one:
            engine.receive_data(chunk)
            for _ in engine.events():
                pass
        return engine

    assert held_by(lambda: engine_after(burst)) < held_by(after_chunks) + 1000


def test_a_decoder_of_events_keeps_none_that_it_has_given_out() -> None:
    def after_a_burst() -> SSEDecoder:
        decoder = SSEDecoder()
        decoder.receive_data(b"data: 12345678901234567890\n\n" * 500)
        for _ in decoder.events():
            pass
        return decoder

    assert held_by(after_a_burst) < 2500


@pytest.mark.parametrize(
    "make",
    [
        lambda: MessageStream(iter(())),
        lambda: AsyncMessageStream(NoChunks()),
        lambda: AsyncStream(NoChunks(), decoder=MessageEngine()),
    ],
)
def test_a_stream_that_waits(make: Callable[[], object]) -> None:
    assert held_by(make) < 4096


def test_the_input_of_a_tool_that_was_looked_at_takes_no_more_than_its_text_and_its_value_once_it_is_closed() -> None:
    size = 100_000
    fragments = [body(partial_json(0, part)) for part in ('{"a": "', *["x" * 20] * (size // 20), '"}')]

    def after(data: list[bytes]) -> MessageEngine:
        engine = MessageEngine()
        for chunk in data:
            engine.receive_data(chunk)
            for _ in engine.events():
                _ = engine.snapshot
        return engine

    held = held_by(lambda: after([body(start(), tool_start(0)), *fragments, body(block_stop(0))]))
    assert 2 * size < held < 2.3 * size
