"""Decoders of event streams, alone: chunks to events. Each gives what it made, as pairs of name and data.

What they do less than ours: none but httpx2 (from the outside) bounds what it buffers, sseclient-py and
aiohttp-sse-client know only some of the line ends, and drop or keep what the standard does not. What some do more:
the two for httpx decode the bytes of any charset first, as their response has it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import aiohttp
import httpx
import httpx2
import httpx_sse
import sseclient
from aiohttp.base_protocol import BaseProtocol
from aiohttp_sse_client.client import EventSource  # type: ignore[import-untyped]
from anthropic import _streaming as anthropic_streaming
from yarl import URL

from benchmarks.pipelines import response
from streamcore import SSEDecoder

Events = list[tuple[str, str]]


def streamcore(chunks: list[bytes]) -> list[Any]:
    decoder = SSEDecoder()
    receive_data = decoder.receive_data
    events = decoder.events
    found: list[Any] = []
    for chunk in chunks:
        receive_data(chunk)
        found += events()
    return found


def with_httpx2(chunks: list[bytes]) -> list[Any]:
    return list(httpx2.EventSource(response(chunks)))


class _HttpxBody(httpx.SyncByteStream):
    def __init__(self, chunks: list[bytes]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)


def with_httpx_sse(chunks: list[bytes]) -> list[Any]:
    headers = {"content-type": "text/event-stream"}
    return list(httpx_sse.EventSource(httpx.Response(200, headers=headers, stream=_HttpxBody(chunks))).iter_sse())


def with_anthropic(chunks: list[bytes]) -> list[Any]:
    return list(anthropic_streaming.SSEDecoder().iter_bytes(iter(chunks)))


def with_sseclient(chunks: list[bytes]) -> list[Any]:
    return list(sseclient.SSEClient(iter(chunks)).events())


class _Session:
    """As much of a session as the client asks for: one response, and then no more."""

    def __init__(self, content: aiohttp.StreamReader) -> None:
        self._responses = [
            SimpleNamespace(
                status=200, content_type="text/event-stream", content=content, real_url=URL("http://localhost/")
            )
        ]

    async def request(self, *_: object, **__: object) -> Any:
        if not self._responses:
            raise aiohttp.ClientConnectionError("no more")
        return self._responses.pop()


async def _read_with_aiohttp(chunks: list[bytes]) -> list[Any]:
    loop = asyncio.get_running_loop()
    # The limit is that of the reader's buffer: large enough, for there is no socket to be paused.
    content = aiohttp.StreamReader(BaseProtocol(loop), 2**30, loop=loop)
    for chunk in chunks:
        content.feed_data(chunk)
    content.feed_eof()
    found: list[Any] = []
    # At the end it tries to reconnect, and waits before it does.
    source = EventSource("http://localhost/", session=_Session(content), reconnection_time=timedelta(0))
    await source.connect()
    try:
        async for event in source:
            found.append(event)  # noqa: PERF401  # what came before the end is to be kept
    except aiohttp.ClientConnectionError:
        pass
    return found


def with_aiohttp_sse_client(chunks: list[bytes]) -> list[Any]:
    return asyncio.run(_read_with_aiohttp(chunks))


def _pairs(name: str) -> Callable[[list[Any]], Events]:
    return lambda events: [(getattr(event, name) or "message", event.data) for event in events]


PEERS: dict[str, tuple[Callable[[list[bytes]], list[Any]], Callable[[list[Any]], Events]]] = {
    "streamcore": (streamcore, _pairs("event")),
    "httpx2": (with_httpx2, _pairs("event")),
    "httpx-sse": (with_httpx_sse, _pairs("event")),
    "anthropic": (with_anthropic, _pairs("event")),
    "sseclient-py": (with_sseclient, _pairs("event")),
    "aiohttp-sse-client": (with_aiohttp_sse_client, _pairs("type")),
}
