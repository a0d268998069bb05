"""Streams that are abandoned, in every way one can be: no socket, no task, no slot of the pool and no warning remains.

The pool has four slots, so a single one that is not given back per way would soon be missed.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import aiohttp
import anyio
import httpx
import httpx2
import pytest
import trio
from adapters import Adapter, each_adapter
from helpers import HELLO, body, by_frame
from server import ASK, BACKENDS, Reply, Request, Server, Stall, run, serving, stream_reply

import streamcore.aiohttp
import streamcore.httpx as anthropic
from streamcore.api.loops import running_loop

MANY = pytest.mark.parametrize("streams", [200, pytest.param(1000, marks=pytest.mark.slow)])
SLOTS = 4
TIMEOUT = httpx2.Timeout(10)
WHOLE = stream_reply(*by_frame(body(*HELLO)))
BEGUN = stream_reply(body(*HELLO[:3]), Stall())
UNREAD = stream_reply(body(*HELLO[:4]) + b": more than anybody reads\n" * 20_000 + body(*HELLO[4:]))


def answer(request: Request) -> Reply:
    return {"whole": WHOLE, "begun": BEGUN, "unread": UNREAD}[request.headers["x-reply"]]


def ask(reply: str) -> dict[str, Any]:
    return {**ASK, "extra_headers": {"x-reply": reply}}


def open_files() -> int:
    return len(os.listdir("/dev/fd"))


@pytest.fixture(params=[httpx2, httpx], ids=["httpx2", "httpx"])
def library(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(always=answer) as server:
        yield server


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """asyncio complains of what was lost in its log, and Python of what was not closed where pytest hears it."""
    caplog.set_level(logging.WARNING)
    gc.collect()
    yield
    gc.collect()
    # asyncio's debug mode also warns of steps that took long, as any may on a busy machine.
    assert [record for record in caplog.records if "seconds" not in record.getMessage()] == []


class Boom(Exception):
    pass


# Sync


def whole(client: Any) -> None:
    with client.messages.stream(**ask("whole")) as stream:
        assert stream.get_final_text() == "Hello"


def left_by_break(client: Any, reply: str) -> None:
    with client.messages.stream(**ask(reply)) as stream:
        for _ in stream:
            break


def left_unread(client: Any, reply: str) -> None:
    with client.messages.stream(**ask(reply)):
        pass


def left_by_an_exception(client: Any, reply: str) -> None:
    with contextlib.suppress(Boom), client.messages.stream(**ask(reply)) as stream:
        for _ in stream.text_stream:
            raise Boom


def left_by_an_interruption(client: Any, reply: str) -> None:
    with contextlib.suppress(KeyboardInterrupt), client.messages.stream(**ask(reply)) as stream:
        for _ in stream.text_stream:
            raise KeyboardInterrupt


def closed(client: Any, reply: str) -> None:
    stream = client.messages.stream(**ask(reply)).__enter__()
    next(stream)
    stream.close()


def dropped(client: Any, reply: str) -> None:
    stream = client.messages.stream(**ask(reply)).__enter__()
    next(stream)


def dropped_unread(client: Any, reply: str) -> None:
    client.messages.create(**ask(reply), stream=True)


def dropped_in_a_cycle(client: Any, reply: str) -> None:
    stream = client.messages.create(**ask(reply), stream=True)
    next(stream)
    cycle: list[Any] = [stream]
    cycle.append(cycle)
    del stream, cycle
    gc.collect()


WAYS = [
    left_by_break,
    left_unread,
    left_by_an_exception,
    left_by_an_interruption,
    closed,
    dropped,
    dropped_unread,
    dropped_in_a_cycle,
]


@MANY
def test_many_streams_leave_nothing(server: Server, streams: int) -> None:
    gc.collect()
    before = open_files()
    http = httpx2.Client(limits=httpx2.Limits(max_connections=SLOTS))
    with anthropic.Anthropic(api_key="key", base_url=server.url, http_client=http, timeout=TIMEOUT) as client:
        for number in range(streams // 2):
            whole(client)
            WAYS[number % len(WAYS)](client, ("begun", "unread")[number // len(WAYS) % 2])
            assert server.open_connections <= SLOTS + 1  # the server hears of an end a moment later
        whole(client)
        server.wait_until_idle(connections=1)
        assert open_files() <= before + 2  # both ends of the one that is kept alive
    server.wait_until_idle()
    assert open_files() <= before


@pytest.mark.parametrize("way", WAYS)
def test_each_way_to_abandon_a_stream(server: Server, library: Any, way: Callable[[Any, str], None]) -> None:
    http = library.Client(limits=library.Limits(max_connections=1))
    with anthropic.Anthropic(api_key="key", base_url=server.url, http_client=http, timeout=TIMEOUT) as client:
        for reply in ("begun", "unread"):
            way(client, reply)
            server.wait_until_idle()
        whole(client)


def test_a_client_that_is_dropped_closes_its_connections(server: Server) -> None:
    whole(anthropic.Anthropic(api_key="key", base_url=server.url))
    server.wait_until_idle()


def test_a_stream_that_is_dropped_while_the_pool_is_at_work(server: Server, library: Any) -> None:
    """Garbage is collected at any moment, also where the library holds its pool's lock: the pool must be left alone."""
    client: Any = anthropic.Anthropic(
        api_key="key", base_url=server.url, timeout=TIMEOUT, http_client=library.Client(timeout=TIMEOUT.read)
    )
    dropped: list[Any] = [client.messages.create(**ask("begun"), stream=True)]

    class Lock:
        """The pool's lock, in whose possession the stream is dropped."""

        def __init__(self, lock: Any) -> None:
            self._lock = lock

        def __enter__(self) -> None:
            self._lock.__enter__()
            if dropped:
                requests = len(pool._requests)
                dropped.clear()
                assert len(pool._requests) == requests

        def __exit__(self, *exc: object) -> None:
            self._lock.__exit__(*exc)

    pool = client._http._transport._pool
    pool._optional_thread_lock = Lock(pool._optional_thread_lock)
    with client:
        whole(client)
        server.wait_until_idle(connections=1)


# Async


async def whole_async(client: Any) -> None:
    async with client.messages.stream(**ask("whole")) as stream:
        assert await stream.get_final_text() == "Hello"


async def async_left_by_break(client: Any, reply: str) -> None:
    async with client.messages.stream(**ask(reply)) as stream:
        async for _ in stream:
            break


async def async_left_unread(client: Any, reply: str) -> None:
    async with client.messages.stream(**ask(reply)):
        pass


async def async_left_by_an_exception(client: Any, reply: str) -> None:
    with contextlib.suppress(Boom):
        async with client.messages.stream(**ask(reply)) as stream:
            async for _ in stream.text_stream:
                raise Boom


async def async_closed(client: Any, reply: str) -> None:
    stream = await client.messages.create(**ask(reply), stream=True)
    await anext(stream)
    await stream.close()


async def async_closed_by_another_task(client: Any, reply: str) -> None:
    stream = await client.messages.create(**ask("begun"), stream=True)
    waiting = anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(_read, stream, waiting)
        await waiting.wait()
        await stream.close()


async def _read(stream: Any, waiting: anyio.Event) -> None:
    """Read a stream that begins and stalls; `waiting` is heard of when this task gives way, and so waits for more."""
    async for event in stream:
        if event.type == "content_block_delta":
            waiting.set()


async def async_dropped(client: Any, reply: str) -> None:
    stream = await client.messages.create(**ask(reply), stream=True)
    await anext(stream)


async def async_dropped_unread(client: Any, reply: str) -> None:
    await client.messages.create(**ask(reply), stream=True)


async def async_dropped_in_a_cycle(client: Any, reply: str) -> None:
    stream = await client.messages.create(**ask(reply), stream=True)
    await anext(stream)
    cycle: list[Any] = [stream]
    cycle.append(cycle)
    del stream, cycle
    gc.collect()


async def async_cancelled(client: Any, reply: str) -> None:
    with anyio.CancelScope() as scope:
        async with client.messages.stream(**ask("begun")) as stream:
            async for _ in stream:
                scope.deadline = anyio.current_time()


async def async_task_cancelled(client: Any, reply: str) -> None:
    """As `task.cancel()` of asyncio does it, which no scope knows of."""

    async def read() -> None:
        async with client.messages.stream(**ask("begun")) as stream:
            await _read(stream, waiting)

    waiting = anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(read)
        await waiting.wait()
        if asyncio_is_running():
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()
        else:
            group.cancel_scope.cancel()


def asyncio_is_running() -> bool:
    with contextlib.suppress(RuntimeError):
        return asyncio.get_running_loop() is not None
    return False


ASYNC_WAYS = [
    async_left_by_break,
    async_left_unread,
    async_left_by_an_exception,
    async_closed,
    async_closed_by_another_task,
    async_dropped,
    async_dropped_unread,
    async_dropped_in_a_cycle,
    async_cancelled,
    async_task_cancelled,
]


def living_tasks() -> int:
    return len(asyncio.all_tasks()) if asyncio_is_running() else trio.lowlevel.current_statistics().tasks_living


async def settled(server: Server, *, connections: int, tasks: int) -> None:
    """Wait until what was abandoned has gone: that is done in the background."""
    with anyio.fail_after(5):
        while server.open_connections > connections or living_tasks() > tasks:  # noqa: ASYNC110  # no event tells
            await anyio.sleep(0.001)


each_library = pytest.mark.parametrize(
    ("library", "backend"),
    [(httpx2, "asyncio"), (httpx2, "trio"), (httpx, "asyncio"), (httpx, "trio"), (aiohttp, "asyncio")],
    ids=lambda value: getattr(value, "__name__", value),
)


@contextlib.asynccontextmanager
async def async_client(server: Server, library: Any, slots: int) -> AsyncIterator[Any]:
    if library is aiohttp:
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=slots)) as session,
            streamcore.aiohttp.AsyncAnthropic(
                api_key="key", base_url=server.url, http_client=session, timeout=TIMEOUT.read
            ) as client,
        ):
            yield client
        return
    http = library.AsyncClient(limits=library.Limits(max_connections=slots))
    async with anthropic.AsyncAnthropic(
        api_key="key", base_url=server.url, http_client=http, timeout=TIMEOUT
    ) as client:
        yield client


@MANY
@pytest.mark.parametrize(("library", "backend"), [(httpx2, "asyncio"), (httpx2, "trio"), (aiohttp, "asyncio")])
def test_many_async_streams_leave_nothing(server: Server, library: Any, backend: str, streams: int) -> None:
    gc.collect()
    before = open_files()

    async def main() -> None:
        tasks = living_tasks()
        async with async_client(server, library, SLOTS) as client:
            for number in range(streams // 2):
                await whole_async(client)
                await ASYNC_WAYS[number % len(ASYNC_WAYS)](client, ("begun", "unread")[number // len(ASYNC_WAYS) % 2])
            await whole_async(client)
            await settled(server, connections=1, tasks=tasks)
        assert living_tasks() == tasks

    run(backend, main)
    server.wait_until_idle()
    assert open_files() <= before


@each_library
@pytest.mark.parametrize("way", ASYNC_WAYS)
def test_each_way_to_abandon_an_async_stream(
    server: Server, library: Any, backend: str, way: Callable[[Any, str], Awaitable[None]]
) -> None:
    async def main() -> None:
        tasks = living_tasks()
        async with async_client(server, library, 1) as client:
            for reply in ("begun", "unread"):
                await way(client, reply)
                await settled(server, connections=0, tasks=tasks)
            await whole_async(client)
        assert living_tasks() == tasks

    run(backend, main)


@each_adapter
def test_streams_that_are_dropped_when_the_loop_ends(server: Server, adapter: Adapter) -> None:
    async def main() -> None:
        client = adapter.client(server)
        await client.messages.create(**ask("begun"), stream=True)
        stream = await client.messages.create(**ask("begun"), stream=True)
        await anext(stream)

    for _ in range(20):  # trio chooses the order of its tasks by lot
        adapter.run(main)
        gc.collect()
    server.wait_until_idle()


def unclosed_client(server: Server, library: Any) -> Any:
    if library is aiohttp:  # a session of the caller's own is the caller's to close
        return streamcore.aiohttp.AsyncAnthropic(api_key="key", base_url=server.url)
    return anthropic.AsyncAnthropic(api_key="key", base_url=server.url, http_client=library.AsyncClient())


def in_a_list(stream: Any, kept: list[Any]) -> None:
    kept.append(stream)


def in_a_cycle(stream: Any, kept: list[Any]) -> None:
    stream.itself = stream


def in_an_exception(stream: Any, kept: list[Any]) -> None:
    try:
        raise Boom
    except Boom as error:
        stream.error = error  # whose traceback has this frame


@each_library
@pytest.mark.parametrize("keep", [in_a_list, in_a_cycle, in_an_exception])
@pytest.mark.parametrize("events", [0, 1, 4])
def test_streams_that_are_still_referenced_when_the_loop_ends(
    server: Server, library: Any, backend: str, keep: Callable[[Any, list[Any]], None], events: int, caplog: Any
) -> None:
    kept: list[Any] = []

    async def main() -> None:
        client = unclosed_client(server, library)
        for _ in range(3):
            stream = await client.messages.stream(**ask("begun")).__aenter__()
            for _ in range(events):
                await anext(stream)
            keep(stream, kept)

    run(backend, main)
    server.wait_until_idle()
    kept.clear()
    gc.collect()
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_body_that_is_read_to_its_end_is_let_go(server: Server, library: Any, backend: str) -> None:
    async def main() -> None:
        async with async_client(server, library, 1) as client:
            await whole_async(client)
            assert not running_loop().closings

    run(backend, main)


@pytest.mark.parametrize("module", [streamcore.httpx, streamcore.aiohttp])
def test_an_async_client_that_is_dropped_closes_its_connections(server: Server, module: Any) -> None:
    async def main() -> None:
        client = module.AsyncAnthropic(api_key="key", base_url=server.url)
        await whole_async(client)
        del client
        await settled(server, connections=0, tasks=living_tasks())

    asyncio.run(main(), debug=True)


def test_a_closing_is_done_though_the_loop_ends_and_cancels_it() -> None:
    done: list[str] = []

    async def close() -> None:
        await asyncio.sleep(0)
        done.append("closed")

    async def main() -> None:
        running_loop().spawn(close)

    asyncio.run(main(), debug=True)
    assert done == ["closed"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_cancellation_does_not_cut_the_closing_short(backend: str) -> None:
    closed: list[bool] = []

    class Body(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield body(*HELLO[:3])
            await anyio.sleep(30)

        async def aclose(self) -> None:
            await anyio.sleep(0.01)
            closed.append(True)

    def reply(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=Body())

    async def main() -> None:
        http = httpx2.AsyncClient(transport=httpx2.MockTransport(reply))
        async with anthropic.AsyncAnthropic(api_key="key", http_client=http) as client:
            with anyio.CancelScope() as scope:
                async with client.messages.stream(**ASK) as stream:
                    async for _ in stream:
                        scope.cancel()
                        break

    run(backend, main)
    assert closed == [True]
