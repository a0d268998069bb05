"""Async streams over iterables in memory, under asyncio and trio: as in `test_stream`, and what tasks add to that."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import weakref
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self

import anyio
import pytest
from helpers import HELLO, HELLO_TYPES, body, by_frame, start, text
from server import BOUND

from streamcore import IncompleteStreamError, MessageEngine, RawMessageDecoder, StreamCoreError
from streamcore.errors import APIConnectionError, APITimeoutError, OverloadedError
from streamcore.stream import AsyncMessageStream, AsyncMessageStreamManager, AsyncStream
from streamcore.types import TextBlock, TextEvent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Generator

CHUNKS = by_frame(body(*HELLO))
OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}

BACKENDS = ["asyncio", "trio"]


@pytest.fixture(params=BACKENDS)
def run(request: pytest.FixtureRequest) -> Callable[[Callable[[], Awaitable[Any]]], Any]:
    options = {"debug": True} if request.param == "asyncio" else {}

    def run(main: Callable[[], Awaitable[Any]]) -> Any:
        async def bounded() -> Any:
            with anyio.fail_after(30):
                return await main()

        result = anyio.run(bounded, backend=request.param, backend_options=options)
        gc.collect()  # what was left half-read warns here, if at all
        return result

    return run


class Source:
    """Chunks that are there, or come after a wait, and then, maybe, an end that never comes."""

    def __init__(
        self,
        chunks: list[bytes] = CHUNKS,
        *,
        error: BaseException | None = None,
        hang: bool = False,
        waits: bool = True,
    ) -> None:
        self.chunks = list(chunks)
        self.error = error
        self.hang = hang
        self.waits = waits
        self.closed = 0
        self.waiting = False
        self.wake = anyio.Event() if hang else None

    def __aiter__(self) -> Source:
        return self

    async def __anext__(self) -> bytes:
        if self.waits:
            await anyio.lowlevel.checkpoint()
        if self.chunks:
            return self.chunks.pop(0)
        if self.wake is not None:
            self.waiting = True
            await self.wake.wait()
            self.waiting = False
        if self.error is not None:
            raise self.error
        raise StopAsyncIteration

    async def close(self) -> None:
        self.closed += 1
        if self.wake is not None:
            self.wake.set()
        await anyio.lowlevel.checkpoint()

    async def generator(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self:
                yield chunk
        finally:
            await self.close()

    def stream(self, cls: type[Any] = AsyncMessageStream, **options: Any) -> Any:
        return cls(self, close=self.close, **options)


async def collect(stream: Any, into: list[Any] | None = None) -> list[Any]:
    events = [] if into is None else into
    async for event in stream:
        events.append(event)
    return events


def types(events: Any) -> list[str]:
    return [event.type for event in events]


# Iteration and its views


def test_events_text_and_the_final_message(run: Any) -> None:
    async def main() -> None:
        async with Source().stream() as stream:
            assert types(await collect(stream)) == HELLO_TYPES
        async with Source().stream() as stream:
            assert [text async for text in stream.text_stream] == ["Hel", "lo"]
            message = await stream.get_final_message()
        assert message.content == (TextBlock(text="Hello"),)
        assert await stream.get_final_message() is message
        assert await stream.get_final_text() == "Hello"

    run(main)


def test_runs_under_asyncio_alone() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for chunk in CHUNKS:
            await asyncio.sleep(0)
            yield chunk

    async def main() -> str:
        async with AsyncMessageStream(chunks()) as stream:
            return await stream.get_final_text()

    assert asyncio.run(main(), debug=True) == "Hello"


def test_views_of_one_stream_go_on_from_each_other(run: Any) -> None:
    async def main() -> None:
        stream = Source().stream()
        async for event in stream:
            if event.type == "content_block_start":
                break
        async for piece in stream.text_stream:
            assert piece == "Hel"
            break
        assert (await anext(stream)).type == "content_block_delta"
        assert await anext(stream.text_stream) == "lo"
        assert stream.current_message_snapshot.content == (TextBlock(text="Hello"),)
        assert types(await collect(stream)) == ["content_block_stop", "message_delta", "message_stop"]
        assert await collect(stream) == []
        await stream.until_done()

    run(main)


def test_other_decoders(run: Any) -> None:
    async def main() -> None:
        wire = [type_ for type_ in HELLO_TYPES if type_ != "text"]
        async with AsyncStream(Source(), decoder=RawMessageDecoder()) as stream:
            assert types(await collect(stream)) == wire
        async with AsyncStream(Source(), decoder=MessageEngine()) as typed:
            assert types(await collect(typed)) == wire
        source = Source()
        response = SimpleNamespace(aiter_bytes=source.generator, aclose=source.close, headers={"request-id": "req_1"})
        async with AsyncStream.raw_events(response) as events:
            assert events.request_id == "req_1"
            assert [event.event async for event in events] == wire
        assert [event.event async for event in AsyncStream.raw_events(Source())] == wire

    run(main)


# Failures


def test_failures_are_raised_with_the_snapshot_and_again(run: Any) -> None:
    async def main() -> None:
        error = APIConnectionError()
        for source, expected in (
            (Source([body(*HELLO[:3], OVERLOADED)]), OverloadedError),
            (Source(CHUNKS[:3], error=error), APIConnectionError),
            (Source(CHUNKS[:3]), IncompleteStreamError),
        ):
            stream = source.stream(Handled)
            seen: list[Any] = []
            with pytest.raises(expected) as caught:
                await collect(stream, seen)
            assert types(seen)[:4] == HELLO_TYPES[:4]
            error_raised: Any = caught.value
            assert error_raised.snapshot == stream.current_message_snapshot
            assert source.closed == 1
            assert stream.calls[-2:] == [("on_exception", expected), ("on_end",)]
            for again in (stream.until_done, stream.get_final_message, stream.get_final_text):
                with pytest.raises(expected):
                    await again()

    run(main)


def test_a_connection_that_breaks_after_the_message_does_not_take_it_away(run: Any) -> None:
    async def main() -> None:
        stream = Source(error=APIConnectionError()).stream()
        assert await stream.get_final_text() == "Hello"
        await stream.until_done()

    run(main)


# Ends


async def left_by_break(stream: Any) -> None:
    async for _ in stream:
        break
    await stream.close()


async def left_by_with(stream: Any) -> None:
    async with stream:
        await anext(stream)


async def left_by_an_exception(stream: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        async with stream:
            raise ZeroDivisionError


async def left_in_its_text(stream: Any) -> None:
    async with stream:
        async for _ in stream.text_stream:
            break


async def closed_twice(stream: Any) -> None:
    await stream.close()
    await stream.close()


@pytest.mark.parametrize("generator", [False, True])
@pytest.mark.parametrize("leave", [left_by_break, left_by_with, left_by_an_exception, left_in_its_text, closed_twice])
def test_left_early_it_is_closed_once_and_never_looks_final(run: Any, leave: Any, generator: bool) -> None:
    async def main() -> None:
        source = Source()
        stream: Any = AsyncMessageStream(source.generator()) if generator else source.stream()
        began = await anext(stream)
        await leave(stream)
        assert source.closed == 1
        assert await collect(stream) == []
        for read in (stream.get_final_message, stream.get_final_text):
            with pytest.raises(IncompleteStreamError) as caught:
                await read()
            snapshot = caught.value.snapshot
            assert snapshot is not None
            assert snapshot.id == began.message.id
        assert source.closed == 1

    run(main)


def test_left_at_message_stop_the_message_is_there(run: Any) -> None:
    async def main() -> None:
        async with Source(error=AssertionError("read on")).stream() as stream:
            async for event in stream:
                if event.type == "message_stop":
                    break
        assert await stream.get_final_text() == "Hello"

    run(main)


@pytest.mark.parametrize("events", [0, 1, 4, 20])
def test_a_stream_that_was_dropped_is_freed_and_closed_at_once(run: Any, events: int) -> None:
    async def main() -> None:
        gc.disable()
        try:
            source = Source()
            stream = source.stream()
            view = stream.text_stream
            if events:
                async for event in stream:
                    view = stream.text_stream
                    if event.type == HELLO_TYPES[min(events, len(HELLO_TYPES)) - 1]:
                        break
            alive = weakref.ref(stream)
            del view
            del stream
            assert alive() is None
            with anyio.fail_after(BOUND):
                while not source.closed:  # noqa: ASYNC110  # trio closes in a task, and no event tells
                    await anyio.sleep(0.001)
            assert source.closed == 1
        finally:
            gc.enable()

    run(main)


def test_a_stream_over_a_generator_that_was_dropped_half_read_is_closed(run: Any) -> None:
    async def main() -> None:
        source = Source()
        stream = AsyncMessageStream(source.generator())
        await anext(stream)
        del stream
        with anyio.fail_after(BOUND):
            while not source.closed:  # noqa: ASYNC110  # no event tells
                await anyio.sleep(0.001)
        assert source.closed == 1

    run(main)


def test_a_stream_dropped_outside_its_loop_or_thread_is_quiet(run: Any) -> None:
    kept: list[Any] = []

    async def main() -> None:
        for _ in range(2):
            kept.append(Source().stream())
            await anext(kept[-1])

    run(main)
    kept.pop()
    thread = threading.Thread(target=kept.clear)
    thread.start()
    thread.join(10)
    gc.collect()


@pytest.mark.parametrize("generator", [False, True])
def test_streams_dropped_at_the_end_of_the_loop_are_closed_and_quiet(run: Any, generator: bool) -> None:
    async def main() -> None:
        source = Source()
        sources.append(source)
        stream: Any = AsyncMessageStream(source.generator(), close=source.close) if generator else source.stream()
        await anext(stream)

    sources: list[Source] = []
    for _ in range(30):  # trio chooses the order of its tasks by lot
        run(main)
    assert {source.closed for source in sources} == {2 if generator else 1}


def test_cancelled_in_a_read_it_is_closed_and_quiet(run: Any) -> None:
    async def main() -> None:
        source = Source(CHUNKS[:3], hang=True)
        stream = source.stream(Handled)
        seen = []
        with anyio.move_on_after(0.05):
            async for event in stream:
                seen.append(event)
        assert types(seen) == HELLO_TYPES[:4]
        assert source.closed == 1
        assert not [call for call in stream.calls if call[0] == "on_exception"]
        assert await collect(stream) == []
        with pytest.raises(IncompleteStreamError):
            await stream.get_final_message()

    run(main)


def test_cancelled_in_a_generator_and_in_the_loop_body(run: Any) -> None:
    async def main() -> None:
        source = Source(CHUNKS[:3], hang=True)
        with anyio.move_on_after(0.05):
            async with AsyncMessageStream(source.generator()) as stream:
                await stream.until_done()
        assert source.closed == 1
        source = Source()
        with anyio.move_on_after(0.05):
            async with AsyncMessageStream(source.generator(), close=source.close) as stream:
                async for _ in stream:
                    await anyio.sleep(10)
        assert source.closed >= 1

    run(main)


def test_a_task_that_is_thrown_away_leaves_nothing() -> None:
    source_closed = []

    async def chunks() -> AsyncIterator[bytes]:
        yield CHUNKS[0]
        await asyncio.Event().wait()

    async def close() -> None:
        source_closed.append(1)
        await asyncio.sleep(0)

    async def main() -> None:
        stream = AsyncMessageStream(chunks(), close=close)
        coroutine = stream.until_done()
        coroutine.send(None)
        coroutine.close()
        await asyncio.sleep(0)

    asyncio.run(main(), debug=True)
    gc.collect()
    assert source_closed == [1]


@pytest.mark.parametrize("error", [OSError("closed"), None])
def test_closed_by_another_task_a_waiting_loop_ends(run: Any, error: Any) -> None:
    async def main() -> None:
        source = Source(CHUNKS[:3], error=error, hang=True)
        stream = source.stream(Handled)
        seen: list[Any] = []

        async def read() -> None:
            async for event in stream:
                seen.append(event)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(read)
            while not source.waiting:
                await anyio.lowlevel.checkpoint()
            with pytest.raises(StreamCoreError, match="another thread or task"):
                await anext(stream)
            assert source.closed == 0
            await stream.close()
        assert types(seen) == HELLO_TYPES[:4]
        assert source.closed == 1
        assert stream.calls[-1] == ("on_end",)
        assert not [call for call in stream.calls if call[0] == "on_exception"]

    run(main)


def test_closed_by_another_task_while_it_reads_a_generator(run: Any) -> None:
    async def main() -> None:
        source = Source(CHUNKS[:3], hang=True)
        stream = AsyncMessageStream(source.generator(), close=source.close)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(stream.until_done)
            while not source.waiting:
                await anyio.lowlevel.checkpoint()
            await stream.close()
        assert await collect(stream) == []

    run(main)


def test_a_thousand_streams_half_of_them_abandoned(run: Any) -> None:
    sources: list[Source] = []

    async def main() -> None:
        for number in range(1000):
            source = Source(waits=number % 3 == 0)
            sources.append(source)
            stream = source.stream()
            match number % 6:
                case 0:
                    await stream.until_done()
                case 1:
                    async with stream:
                        await anext(stream)
                case 2:
                    async for _ in stream.text_stream:
                        break
                case 3:
                    with anyio.CancelScope() as scope:
                        async for _ in stream:
                            scope.cancel()
                            await anyio.lowlevel.checkpoint()
                case 4:
                    await anext(stream)
                    await stream.close()
                case 5:
                    pass
            del stream
            await anyio.lowlevel.checkpoint()

    run(main)
    assert {source.closed for source in sources} == {1}


class Pause:
    """Wait for ever, under whichever event loop."""

    def __await__(self) -> Generator[None]:
        yield


@pytest.mark.parametrize("as_generator", [True, False])
def test_a_read_that_is_thrown_away_releases_the_connection(as_generator: bool) -> None:
    closed = []

    class Waiting:
        def __aiter__(self) -> Self:
            return self

        async def __anext__(self) -> bytes:
            await Pause()
            raise AssertionError

    async def generator() -> AsyncIterator[bytes]:
        await Pause()
        yield b""

    async def close() -> None:
        closed.append(1)
        await Pause()
        raise AssertionError

    stream = AsyncMessageStream(generator() if as_generator else Waiting(), close=close)
    reading = stream.__anext__()
    reading.send(None)
    reading.close()
    assert closed == [1]  # and not by the garbage collector, as the stream is still alive
    assert stream._pump.over


def test_a_stream_that_is_dropped_in_another_thread_leaves_its_event_loop_alone() -> None:
    here, there = Source(), Source()
    streams = [there.stream()]
    thread = threading.Thread(target=streams.clear)
    thread.start()
    thread.join()
    assert there.closed == 0
    streams = [here.stream()]
    streams.clear()
    assert here.closed == 1


# Fairness


def test_a_burst_lets_other_tasks_run(run: Any) -> None:
    burst = body(start(), HELLO[1], *[text(0, "word ")] * 20_000)
    waits: list[float] = []

    async def main() -> None:
        async def watch() -> None:
            while True:
                before = time.perf_counter()
                await anyio.lowlevel.checkpoint()
                waits.append(time.perf_counter() - before)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(watch)
            await anyio.lowlevel.checkpoint()
            waits.clear()
            count = 0
            async for event in Source([burst], waits=False).stream():
                count += isinstance(event, TextEvent)
                if count == 20_000:
                    break
            assert count == 20_000
            tasks.cancel_scope.cancel()

    run(main)
    assert len(waits) > 5  # the burst takes more than a tenth of a second


# Handlers


class Handled(AsyncMessageStream):
    def __init__(self, *args: Any, **options: Any) -> None:
        self.calls: list[tuple[Any, ...]] = []
        super().__init__(*args, **options)

    async def on_stream_event(self, event: Any) -> None:
        await anyio.lowlevel.checkpoint()
        self.calls.append(("on_stream_event", event.type))

    async def on_text(self, delta: str, snapshot: str) -> None:
        self.calls.append(("on_text", delta, snapshot))

    async def on_content_block(self, content_block: Any) -> None:
        self.calls.append(("on_content_block", content_block.text))

    async def on_message(self, message: Any) -> None:
        self.calls.append(("on_message", message.id))

    async def on_timeout(self) -> None:
        self.calls.append(("on_timeout",))

    async def on_exception(self, exception: Exception) -> None:
        self.calls.append(("on_exception", type(exception)))

    async def on_end(self) -> None:
        self.calls.append(("on_end",))


def test_handlers_are_called_in_order_and_the_end_last(run: Any) -> None:
    async def main() -> None:
        async with Source().stream(Handled) as stream:
            assert await stream.get_final_text() == "Hello"
        assert stream.calls == [
            ("on_stream_event", "message_start"),
            ("on_stream_event", "content_block_start"),
            ("on_stream_event", "content_block_delta"),
            ("on_text", "Hel", "Hel"),
            ("on_stream_event", "content_block_delta"),
            ("on_text", "lo", "Hello"),
            ("on_stream_event", "content_block_stop"),
            ("on_content_block", "Hello"),
            ("on_stream_event", "message_delta"),
            ("on_stream_event", "message_stop"),
            ("on_message", "msg_1"),
            ("on_end",),
        ]
        stream = Source(CHUNKS[:1], error=APITimeoutError()).stream(Handled)
        with pytest.raises(APITimeoutError):
            await stream.until_done()
        assert stream.calls[1:] == [("on_timeout",), ("on_exception", APITimeoutError), ("on_end",)]

    run(main)


def test_the_end_is_told_after_all_handlers_of_the_event_at_which_the_stream_is_closed(run: Any) -> None:
    class Closing(Handled):
        async def on_stream_event(self, event: Any) -> None:
            await super().on_stream_event(event)
            if event.type == "message_stop":
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self.close)

    async def main() -> None:
        stream = Source().stream(Closing)
        await stream.until_done()
        assert stream.calls[-3:] == [("on_stream_event", "message_stop"), ("on_message", "msg_1"), ("on_end",)]

    run(main)


def test_a_handler_need_not_be_a_coroutine(run: Any) -> None:
    pieces = []

    class Plain(AsyncMessageStream):
        def on_text(self, delta: str, snapshot: str) -> None:  # type: ignore[override]
            pieces.append(delta)

    async def main() -> None:
        await Source().stream(Plain).until_done()

    run(main)
    assert pieces == ["Hel", "lo"]


def test_on_text_may_leave_the_snapshot_out(run: Any) -> None:
    pieces = []

    class Short(AsyncMessageStream):
        async def on_text(self, delta: str) -> None:  # type: ignore[override]  # as an example in the documents does
            pieces.append(delta)

    async def main() -> None:
        await Source().stream(Short).until_done()

    run(main)
    assert pieces == ["Hel", "lo"]


def test_what_a_handler_raises_ends_the_stream(run: Any) -> None:
    class Failing(Handled):
        async def on_text(self, delta: str, snapshot: str) -> None:
            raise ZeroDivisionError

    async def main() -> None:
        source = Source()
        stream = source.stream(Failing)
        with pytest.raises(ZeroDivisionError):
            await stream.until_done()
        assert stream.calls[-2:] == [("on_exception", ZeroDivisionError), ("on_end",)]
        assert source.closed == 1

    run(main)


# Managers


def test_a_manager_opens_on_entering_and_closes_on_leaving(run: Any) -> None:
    async def main() -> None:
        source = Source()
        opened = []

        async def open_stream() -> AsyncMessageStream:
            opened.append(1)
            await anyio.lowlevel.checkpoint()
            stream: AsyncMessageStream = source.stream()
            return stream

        manager = AsyncMessageStreamManager(open_stream)
        await manager.__aexit__(None, None, None)
        assert not opened
        async with manager as stream:
            assert (await anext(stream)).type == "message_start"
            assert source.closed == 0
        assert source.closed == len(opened) == 1
        AsyncMessageStreamManager(open_stream)  # never entered, nothing to wait for
        await manager.__aenter__()
        await manager.__aexit__(None, None, None)

    run(main)
