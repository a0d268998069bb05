"""Streams over HTTP/2, where many share one connection: closing one leaves the others alone, and nothing behind."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import anyio
import httpx
import httpx2
import pytest
from helpers import HELLO, body, by_frame
from http2_server import Http2Server
from server import ASK, BACKENDS, run

import streamcore.httpx as anthropic
from streamcore.api.loops import running_loop

FRAMES = by_frame(body(*HELLO))


@pytest.fixture(params=[httpx2, httpx], ids=["httpx2", "httpx"])
def library(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def server() -> Iterator[Http2Server]:
    with Http2Server(FRAMES[:3], FRAMES[3:]) as server:
        yield server


def client_of(server: Http2Server, library: Any, **options: Any) -> anthropic.Anthropic:
    http = library.Client(http1=False, http2=True)
    return anthropic.Anthropic(api_key="key", base_url=server.url, http_client=http, max_retries=0, **options)


def async_client_of(server: Http2Server, library: Any) -> anthropic.AsyncAnthropic:
    http = library.AsyncClient(http1=False, http2=True)
    return anthropic.AsyncAnthropic(api_key="key", base_url=server.url, http_client=http, max_retries=0)


def test_a_stream_that_is_left_does_not_disturb_another(server: Http2Server, library: Any) -> None:
    with client_of(server, library) as client, client.messages.stream(**ASK) as stream:
        next(stream)
        assert stream.response.http_version == "HTTP/2"
        for _ in range(3):
            with client.messages.stream(**ASK) as left:
                next(left)
            client.messages.create(**ASK, stream=True).close()
        server.more()
        assert stream.get_final_text() == "Hello"
        assert server.connections == 1
    server.wait_until_idle()


def test_a_stream_that_another_thread_closes_ends_with_the_next_bytes(server: Http2Server, library: Any) -> None:
    with client_of(server, library) as client, client.messages.stream(**ASK) as stream:

        def close() -> None:
            stream.close()
            server.more()

        closer = threading.Timer(0.05, close)
        closer.start()
        assert [event.type for event in stream][-1] == "text"  # what came before the closing
        closer.join()
        assert stream.current_message_snapshot.content[0].type == "text"
        with client.messages.stream(**ASK) as another:
            assert another.get_final_text() == "Hello"


def test_or_with_the_timeout(server: Http2Server, library: Any) -> None:
    with client_of(server, library, idle_timeout=0.2) as client, client.messages.stream(**ASK) as stream:
        closer = threading.Timer(0.05, stream.close)
        closer.start()
        assert [event.type for event in stream][-1] == "text"
        closer.join()


async def left(client: Any) -> None:
    async with client.messages.stream(**ASK) as stream:
        await anext(stream)


async def dropped(client: Any) -> None:
    stream = await client.messages.create(**ASK, stream=True)
    await anext(stream)


async def dropped_in_a_cycle(client: Any) -> None:
    stream = await client.messages.stream(**ASK).__aenter__()
    await anext(stream)
    stream.itself = stream
    del stream
    gc.collect()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("way", [left, dropped, dropped_in_a_cycle])
def test_async_streams_that_are_abandoned_leave_nothing(
    server: Http2Server, library: Any, backend: str, way: Callable[[Any], Awaitable[None]], caplog: Any
) -> None:
    async def main() -> None:
        async with async_client_of(server, library) as client, client.messages.stream(**ASK) as stream:
            await anext(stream)
            for _ in range(3):
                await way(client)
            server.more()
            assert await stream.get_final_text() == "Hello"
            assert server.connections == 1

    run(backend, main)
    gc.collect()
    server.wait_until_idle()
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("cancelled", [False, True])
def test_a_stream_that_another_task_closes(
    server: Http2Server, library: Any, backend: str, cancelled: bool, caplog: Any
) -> None:
    seen: list[str] = []

    async def read(stream: Any, waiting: anyio.Event) -> None:
        async for event in stream:
            seen.append(event.type)
            if event.type == "text":
                waiting.set()

    async def main() -> None:
        async with async_client_of(server, library) as client:
            stream = await client.messages.stream(**ASK).__aenter__()
            waiting = anyio.Event()
            async with anyio.create_task_group() as group:
                group.start_soon(read, stream, waiting)
                await waiting.wait()
                await stream.close()
                if cancelled:
                    group.cancel_scope.cancel()
                else:
                    server.more()
            assert seen[-1] == "text"  # what came before the closing
            with anyio.fail_after(10):
                while not stream.response.is_closed or running_loop().closings:  # noqa: ASYNC110  # no event tells
                    await anyio.sleep(0.001)

    run(backend, main)
    gc.collect()
    server.wait_until_idle()
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize("backend", BACKENDS)
def test_streams_that_are_still_referenced_when_the_loop_ends(
    server: Http2Server, library: Any, backend: str, caplog: Any
) -> None:
    kept: list[Any] = []

    async def main() -> None:
        client = async_client_of(server, library)
        for _ in range(3):
            kept.append(await client.messages.create(**ASK, stream=True))
            await anext(kept[-1])
        await client.close()

    run(backend, main)
    kept.clear()
    gc.collect()
    server.wait_until_idle()
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_client_is_closed_in_a_later_loop(server: Http2Server, library: Any, caplog: Any) -> None:
    client = async_client_of(server, library)
    kept: list[Any] = []

    async def use() -> None:
        for _ in range(3):
            kept.append(await client.messages.create(**ASK, stream=True, max_retries=1))
            await anext(kept[-1])
        await kept.pop().close()

    asyncio.run(use())
    server.wait_until_idle()
    asyncio.run(use())
    server.wait_until_idle()
    asyncio.run(client.close())
    kept.clear()
    gc.collect()
    assert not caplog.records
