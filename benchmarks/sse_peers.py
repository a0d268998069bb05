"""Decoders of event streams without a connection. A peer decodes chunks and appends the events to a deque.

All peers return the name and data of each event. They differ in what else they do:

- streamcore limits its buffer, records the offset of each event and accepts only UTF-8.
- httpx2 and httpx-sse decode the charset that the response names, and split the text into lines. httpx2 limits the size
  of an event.
- anthropic also keeps the raw lines of each event. It has no limits.
- sseclient-py splits the stream at blank lines, and each event with `splitlines`. It calls a logger that nobody listens
  to for each event. It has no limits.
- aiohttp-sse-client awaits each line from aiohttp's reader. Only LF ends a line. It has no limits.
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
    """As much of a session as the client needs: it gives one response and then refuses."""

    def __init__(self, content: aiohttp.StreamReader) -> None:
        self._responses = [
            SimpleNamespace(
                status=200, content_type="text/event-stream", content=content, real_url=URL("http://localhost/")
            )
        ]

    async def request(self, *_: object, **__: object) -> Any:
        if not self._responses:
            raise aiohttp.ClientConnectionError("there is only one response")
        return self._responses.pop()


async def _read_with_aiohttp(chunks: list[bytes], events: Events) -> None:
    loop = asyncio.get_running_loop()
    # Without a socket there is nothing to pause, so the limit of the buffer is out of reach.
    content = aiohttp.StreamReader(BaseProtocol(loop), 2**30, loop=loop)
    for chunk in chunks:
        content.feed_data(chunk)
    content.feed_eof()
    # The client reconnects at the end of the stream, after this time.
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
    """Read a stream and discard its events."""
    peer(chunks, deque(maxlen=0))


def pairs(peer: Peer, chunks: list[bytes]) -> list[tuple[str, str]]:
    """Return the name and data of each event."""
    events: Events = deque()
    peer(chunks, events)
    names = ("event", "type")  # aiohttp-sse-client says "type"
    return [(next(getattr(event, n) for n in names if hasattr(event, n)) or "message", event.data) for event in events]
