"""Clients that outlive the event loop they were used in: used in the next one, or closed there."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from typing import Any

import httpx
import httpx2
import pytest
from adapters import Adapter, each_adapter
from helpers import HELLO, body, by_frame
from server import ASK, Server, Stall, serving, stream_reply

import streamcore.httpx as anthropic
from streamcore.api import loops


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(always=stream_reply(*by_frame(body(*HELLO)))) as server:
        yield server


async def ask(client: Any) -> Any:
    async with client.messages.stream(**ASK) as stream:
        assert await stream.get_final_text() == "Hello"
    return stream


async def begin(client: Any, server: Server) -> Any:
    server.reply(stream_reply(body(*HELLO[:3]), Stall()))
    stream = await client.messages.stream(**ASK).__aenter__()
    await anext(stream)
    return stream


@each_adapter
@pytest.mark.parametrize("again", [False, True])
def test_a_client_is_closed_in_a_later_loop(server: Server, adapter: Adapter, again: bool, caplog: Any) -> None:
    client = adapter.client(server)
    kept: list[Any] = []

    async def first() -> None:
        kept.append(await begin(client, server))
        kept.append(await ask(client))

    async def second() -> None:
        if again:
            kept.append(await ask(client))
        await client.close()

    adapter.run(first)
    if adapter.backend == "asyncio":
        server.wait_until_idle()  # those of a loop are closed with it
    adapter.run(second)
    server.wait_until_idle()
    assert client.is_closed()
    assert not caplog.records
    kept.clear()
    gc.collect()


@pytest.mark.parametrize("library", [httpx2, httpx])
def test_a_client_that_was_handed_in_is_closed_in_a_later_loop(server: Server, library: Any) -> None:
    client = anthropic.AsyncAnthropic(api_key="key", base_url=server.url, http_client=library.AsyncClient())
    asyncio.run(ask(client))
    asyncio.run(ask(client))
    asyncio.run(client.close())
    server.wait_until_idle()
    assert server.connections == 2


def test_a_loop_that_ends_without_a_word_leaves_a_connection_that_cannot_be_closed(server: Server) -> None:
    client = anthropic.AsyncAnthropic(api_key="key", base_url=server.url)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(ask(client))
    loop.close()
    with pytest.raises(anthropic.APIConnectionError, match=r"closing the connections \(RuntimeError"):
        asyncio.run(client.close())
    assert client.is_closed()
    with pytest.warns(ResourceWarning, match="unclosed"):  # the loop's own
        gc.collect()
    asyncio.run(ask(anthropic.AsyncAnthropic(api_key="key", base_url=server.url)))
    assert loop not in loops._loops
