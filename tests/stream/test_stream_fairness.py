"""A stream that has much to give lets other tasks run. Counted in turns and events: times depend on the machine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from adapters import Adapter, each_adapter
from helpers import HELLO, STOP, block_start, block_stop, body, in_pieces, message_delta, start, text
from server import ASK, BACKENDS, run, serving, stream_reply

import streamcore
from streamcore import AsyncMessageStream, MessageEngine
from streamcore.stream import AsyncStream
from streamcore.stream._pump import SLICE_SIZE, WORK_PER_TURN, Pump

# trio draws lots for the order of tasks, so that the other one may have the first turn of a round and the last of the
# next.
LONGEST = {"asyncio": WORK_PER_TURN, "trio": 2 * WORK_PER_TURN}
DELTAS = 20_000
BURST = body(start(), block_start(0), *[text(0, "word ")] * DELTAS, block_stop(0), message_delta(), STOP)


async def once(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def in_small_chunks(data: bytes) -> AsyncIterator[bytes]:
    for chunk in in_pieces(data, 1000):
        yield chunk


async def longest_turn(stream: Any) -> int:
    """Read a stream to its end beside a task that always wants to run: the most items between two of its turns."""
    longest = items = 0

    async def another_task(*, task_status: anyio.abc.TaskStatus[None]) -> None:
        nonlocal longest, items
        task_status.started()
        while True:
            longest, items = max(longest, items), 0
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as group:
        await group.start(another_task)
        async for _ in stream:
            items += 1
        group.cancel_scope.cancel()
    return max(longest, items)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("chunks", [once, in_small_chunks])
def test_no_turn_is_longer_than_so_many_items(backend: str, chunks: Callable[[bytes], AsyncIterator[bytes]]) -> None:
    async def main() -> int:
        return await longest_turn(AsyncMessageStream(chunks(BURST)))

    assert 0 < run(backend, main) <= LONGEST[backend]


@pytest.mark.parametrize("backend", BACKENDS)
def test_turns_are_not_given_more_often_than_that(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    turns = 0

    async def checkpoint() -> None:
        nonlocal turns
        turns += 1

    async def main() -> int:
        return len([item async for item in AsyncMessageStream(once(BURST))])

    monkeypatch.setattr("streamcore.stream._async_stream.checkpoint", checkpoint)
    items = run(backend, main)
    work = items + len(BURST) // 1024
    assert items // WORK_PER_TURN <= turns <= work // WORK_PER_TURN + 1


@pytest.mark.parametrize("backend", BACKENDS)
def test_large_items_end_a_turn_sooner(backend: str) -> None:
    size = SLICE_SIZE // 4
    data = body(start(), block_start(0), *[text(0, "x" * size)] * 400, block_stop(0), message_delta(), STOP)

    async def main() -> int:
        return await longest_turn(AsyncStream(once(data), decoder=MessageEngine()))

    assert 0 < run(backend, main) <= 2 * LONGEST[backend] * 1024 // size


@pytest.mark.parametrize("backend", BACKENDS)
def test_chunks_that_hold_no_item_end_turns_too(backend: str) -> None:
    turns = 0

    async def comments() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b": ping\n\n" * 512
        yield body(*HELLO)

    async def another_task() -> None:
        nonlocal turns
        while True:
            turns += 1
            await anyio.lowlevel.checkpoint()

    async def main() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(another_task)
            await AsyncMessageStream(comments()).until_done()
            group.cancel_scope.cancel()

    run(backend, main)
    assert turns > 10


@each_adapter
def test_a_burst_over_a_connection_lets_another_task_run(adapter: Adapter) -> None:
    async def main() -> int:
        async with adapter.client(server) as client:
            return await longest_turn(await client.messages.create(**ASK, stream=True))

    with serving(stream_reply(BURST)) as server:
        assert 0 < adapter.run(main) <= LONGEST[adapter.backend]


def test_a_large_chunk_is_decoded_in_slices() -> None:
    sizes: list[int] = []

    class Decoder(MessageEngine):
        def receive_data(self, chunk: bytes) -> None:
            sizes.append(len(chunk))
            super().receive_data(chunk)

    pump = Pump(Decoder(), None)
    pump.receive(BURST)
    assert sizes == []  # not before something is asked for
    while pump.take() is not None:
        pass
    assert sum(sizes) == len(BURST)
    assert max(sizes) == SLICE_SIZE
    assert len(sizes) == -(-len(BURST) // SLICE_SIZE)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_a_large_chunk_may_be_any_buffer(kind: Callable[[bytes], Any]) -> None:
    with streamcore.MessageStream([kind(BURST)]) as stream:
        assert stream.get_final_text() == "word " * DELTAS
