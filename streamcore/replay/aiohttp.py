"""Play captures to clients on aiohttp, with a connector that connects to a player in the same event loop.

```python
session = aiohttp.ClientSession(connector=ReplayConnector("weather.jsonl"))
client = streamcore.aiohttp.AsyncAnthropic(http_client=session)
```

aiohttp does not let a connector return a response. So each request gets its own pair of connected sockets: aiohttp's
client is at one end, and its server at the other, which plays the capture. As on any socket, chunks that arrive at the
same time may be read as one.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Unpack

from streamcore._extras import requires_extra
from streamcore.replay.capture import Capture, CapturedRequest
from streamcore.replay.content_coding import content_headers
from streamcore.replay.headers import header_pairs
from streamcore.replay.playing.complete_message import accumulate, wants_message
from streamcore.replay.playing.players import AsyncPlayer, Failures
from streamcore.replay.playing.replay import Replay, ReplayOptions, Source

with requires_extra("aiohttp"):
    import aiohttp
    from aiohttp import web
    from aiohttp.client_proto import ResponseHandler
    from multidict import CIMultiDict

__all__ = ["ReplayConnector"]

# How often a reader may run before the next chunk is sent: the loop must see the bytes and then wake the reader.
_TURNS = 3


class ReplayConnector(aiohttp.BaseConnector):
    """Plays captures in place of connecting. Like any connector, it must be made in a running event loop.

    Args:
        source: Captures, or a `Replay` of them.
        sleep: Waits for so many seconds.
        clock: Returns the time in seconds.
        **options: The options of `Replay`, unless `source` is one: `speed`, `chunking`, `faults`, `choose`, `repeat`.

    Raises:
        InvalidArgumentError: An option is invalid.
    """

    def __init__(
        self,
        source: Source | Replay,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        **options: Unpack[ReplayOptions],
    ) -> None:
        self.replay: Replay = Replay.of(source, options)
        self._sleep = sleep
        self._clock = clock
        # A connection serves one request: breaking it breaks nothing else.
        super().__init__(force_close=True, limit=0)

    async def _create_connection(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Any],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109  # aiohttp's; there is nothing to wait for
    ) -> ResponseHandler:
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        _, client = await loop.create_connection(self._factory, sock=ours)
        server = web.Server(partial(self._answer, client, str(req.url)), handler_cancellation=True)
        await loop.connect_accepted_socket(server, theirs)
        return client

    async def _answer(self, client: ResponseHandler, url: str, request: web.BaseRequest) -> web.StreamResponse:
        try:
            asked = CapturedRequest(
                method=request.method, url=url, headers=header_pairs(request.headers), body=await request.content.read()
            )
            capture = self.replay.answer(asked)
            if wants_message(asked, capture):
                capture = await accumulate(capture, **self._options())
            response = web.StreamResponse(status=capture.status, headers=CIMultiDict(content_headers(capture.headers)))
            await response.prepare(request)
            await self._play(capture, response)
        except _Broken:
            return _hung_up(request)
        except Exception as error:  # noqa: BLE001  # raised at the other end
            _raise_at(client, error)
            return _hung_up(request)
        return response

    async def _play(self, capture: Capture, response: web.StreamResponse) -> None:
        player = AsyncPlayer(capture.body, **self._options())
        async for data in player:
            await response.write(data)
            for _ in range(_TURNS):
                await asyncio.sleep(0)

    def _options(self) -> dict[str, Any]:
        return {
            "speed": self.replay.speed,
            "failures": Failures(broken=_Broken),
            "sleep": self._sleep,
            "clock": self._clock,
        }


class _Broken(Exception):
    """The connection fails at this point."""


def _raise_at(client: ResponseHandler, error: Exception) -> None:
    """Raise an error in the code that waits for the answer or reads its body."""
    payload: aiohttp.StreamReader | None = client._payload
    if payload is not None:
        payload.set_exception(error)
    client.set_exception(error)


def _hung_up(request: web.BaseRequest) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.close()
    return web.StreamResponse()
