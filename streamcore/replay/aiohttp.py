"""A connector that plays captures, for clients on aiohttp: it connects to nothing but a player in the same event loop.

```python
session = aiohttp.ClientSession(connector=ReplayConnector("weather.jsonl"))
client = streamcore.aiohttp.AsyncAnthropic(http_client=session)
```

aiohttp has no place to hand it a response. So each request gets a pair of connected sockets of its own: at one end is
aiohttp's client, at the other its server, which plays the capture as it would to anybody. As on any socket, chunks that
are there at once may be read as one; a reader who waits for bytes gets each as it is.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any

from streamcore._extras import requires_extra
from streamcore.replay.capture import Capture, CapturedRequest
from streamcore.replay.content_coding import content_headers
from streamcore.replay.faults import Fault
from streamcore.replay.headers import pairs
from streamcore.replay.playing.chunking import Chunking
from streamcore.replay.playing.complete_message import accumulate, wants_message
from streamcore.replay.playing.players import INSTANTLY, AsyncPlayer, Failures
from streamcore.replay.playing.replay import Choose, Replay, Source

with requires_extra("aiohttp"):
    import aiohttp
    from aiohttp import web
    from aiohttp.client_proto import ResponseHandler
    from multidict import CIMultiDict

__all__ = ["ReplayConnector"]

# How often a reader may run before the next chunk is sent: the loop has to see the bytes, and then to wake who waits.
_TURNS = 3


class ReplayConnector(aiohttp.BaseConnector):
    """Plays captures in place of connecting. To be made where an event loop runs, like any connector.

    Args:
        source: Captures, or a `Replay` of them: then that has the options that follow.
        speed: 1 is as recorded, 10 ten times as fast, `INSTANTLY` (the default) without waiting.
        chunking: How the bytes are cut.
        faults: Faults to apply, in this order. The chunking comes after them.
        choose: Says which capture answers a request. Without it they are played in order.
        repeat: Whether the order begins again at its end.
        sleep: Waits for so many seconds.
        clock: Tells the time in seconds.

    Raises:
        InvalidArgumentError: An option is invalid.
    """

    def __init__(
        self,
        source: Source | Replay,
        *,
        speed: float = INSTANTLY,
        chunking: Chunking | str = "recorded",
        faults: Iterable[Fault | str] = (),
        choose: Choose | None = None,
        repeat: bool = False,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not isinstance(source, Replay):
            source = Replay(source, speed=speed, chunking=chunking, faults=faults, choose=choose, repeat=repeat)
        self.replay = source
        self._sleep = sleep
        self._clock = clock
        # A connection serves one request: it knows which, and breaking it breaks nothing else.
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
                method=request.method, url=url, headers=pairs(request.headers), body=await request.content.read()
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
    """The connection fails here."""


def _raise_at(client: ResponseHandler, error: Exception) -> None:
    """Raise an error where the answer is waited for, or its body is read."""
    payload: aiohttp.StreamReader | None = client._payload
    if payload is not None:
        payload.set_exception(error)
    client.set_exception(error)


def _hung_up(request: web.BaseRequest) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.close()
    return web.StreamResponse()
