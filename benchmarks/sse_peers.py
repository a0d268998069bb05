"""Decoders of event streams, alone: a peer takes chunks, and puts the events it makes of them where it is told.

All of them give name and data of each event. What they do beside that differs:

- streamcore: bounds what it buffers, knows the offset of each event, and takes nothing but UTF-8.
- httpx2 and httpx-sse: the text of a response, in whatever charset its header names, cut into lines. httpx2 bounds the
  size of an event.
- anthropic: keeps the lines of each event as they came, which is what its `raw` is for.
- sseclient-py: the stream cut at blank lines, the lines of an event by `splitlines`. It logs each event, to nobody.
- aiohttp-sse-client: lines from aiohttp's reader, one `await` each. It ends lines at LF only.

The last three buffer without a bound. An event loop and a reader of aiohttp's stand for its connection, as a response
without a connection does for the two of httpx.
"""

from __future__ import annotations

import asyncio
from collections import deque
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
from aiohttp_sse_client.client import EventSource  # type: ignore[import-untyped]  # it has no types
from anthropic import _streaming as anthropic_streaming
from yarl import URL

from benchmarks.harness import OURS
from benchmarks.pipelines import response
from streamcore import SSEDecoder

Events = deque[Any]
Peer = Callable[[list[bytes], Events], None]


def streamcore(chunks: list[bytes], events: Events) -> None:
    decoder = SSEDecoder()
    for chunk in chunks:
        decoder.receive_data(chunk)
        events.extend(decoder.events())


def with_httpx2(chunks: list[bytes], events: Events) -> None:
    events.extend(httpx2.EventSource(response(chunks)))


class _HttpxBody(httpx.SyncByteStream):
    def __init__(self, chunks: list[bytes]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)


def with_httpx_sse(chunks: list[bytes], events: Events) -> None:
    headers = {"content-type": "text/event-stream"}
    body = httpx.Response(200, headers=headers, stream=_HttpxBody(chunks))
    events.extend(httpx_sse.EventSource(body).iter_sse())


def with_anthropic(chunks: list[bytes], events: Events) -> None:
    events.extend(anthropic_streaming.SSEDecoder().iter_bytes(iter(chunks)))


def with_sseclient(chunks: list[bytes], events: Events) -> None:
    events.extend(sseclient.SSEClient(iter(chunks)).events())


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


async def _read_with_aiohttp(chunks: list[bytes], events: Events) -> None:
    loop = asyncio.get_running_loop()
    # The limit is that of the reader's buffer: large enough, for there is no socket to be paused.
    content = aiohttp.StreamReader(BaseProtocol(loop), 2**30, loop=loop)
    for chunk in chunks:
        content.feed_data(chunk)
    content.feed_eof()
    # At the end it tries to reconnect, and waits before it does.
    source = EventSource("http://localhost/", session=_Session(content), reconnection_time=timedelta(0))
    await source.connect()
    try:
        async for event in source:
            events.append(event)
    except aiohttp.ClientConnectionError:
        return


def with_aiohttp_sse_client(chunks: list[bytes], events: Events) -> None:
    asyncio.run(_read_with_aiohttp(chunks, events))


PEERS: dict[str, Peer] = {
    OURS: streamcore,
    "httpx2": with_httpx2,
    "httpx-sse": with_httpx_sse,
    "anthropic": with_anthropic,
    "sseclient-py": with_sseclient,
    "aiohttp-sse-client": with_aiohttp_sse_client,
}


def read(peer: Peer, chunks: list[bytes]) -> None:
    """Read a stream and keep nothing."""
    peer(chunks, deque(maxlen=0))


def pairs(peer: Peer, chunks: list[bytes]) -> list[tuple[str, str]]:
    """Name and data of each event."""
    events: Events = deque()
    peer(chunks, events)
    names = ("event", "type")  # the second is aiohttp-sse-client's
    return [(next(getattr(event, n) for n in names if hasattr(event, n)) or "message", event.data) for event in events]
