"""The server of `benchmarks.concurrency`: it holds streams open and sends the events that the client asks for.

    python -m benchmarks.concurrency_server

It prints its address. `POST /v1/messages` starts a stream that sends one text and then waits. The commands below act on
all waiting streams. Arguments are JSON, and the answer arrives when the command is done:

    POST /do/pace {"events": 80, "rate": 20, "skip": 0}   send events at this rate per second, to one stream after the
                                                          other, except the first `skip` streams
    POST /do/burst {"events": 40}                         send this many events to each stream as fast as it takes them
    POST /do/flood {"events": 90000}                      send this many events to the first stream in one chunk
    POST /do/finish {}                                    end all streams

A paced event carries the time when it was sent, on the monotonic clock that all processes of a machine share.
"""

from __future__ import annotations

import asyncio
import gc
import resource
import time

from aiohttp import web

from benchmarks import inputs

_FRAMES = inputs.long_text(1).frames
OPENING = b"".join(_FRAMES[:2])
_FIRST_TEXT = _FRAMES[2]
_END = b"".join(_FRAMES[3:])
_BATCH = 20
"""How many events of a burst go into one chunk."""
_TICK = 0.002
"""How many seconds pass between two looks at the clock while events are paced."""


def _delta(text: str) -> bytes:
    return inputs.delta_frame({"type": "text_delta", "text": text})


DELTA = _delta(" and some words")


class _Streams:
    def __init__(self) -> None:
        self._open: list[web.StreamResponse] = []
        self._end = asyncio.Event()

    async def start(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        response = web.StreamResponse(headers={"content-type": "text/event-stream", "request-id": "req_1"})
        await response.prepare(request)
        await response.write(OPENING + _FIRST_TEXT)
        self._open.append(response)
        await self._end.wait()
        await response.write(_END)
        return response

    async def do(self, request: web.Request) -> web.Response:
        await getattr(self, f"_{request.match_info['command']}")(**await request.json())
        return web.Response()

    async def _pace(self, events: int, rate: float, skip: int) -> None:
        streams = self._open[skip:]
        began = time.monotonic()
        sent = 0
        while sent < events:
            due = min(events, int((time.monotonic() - began) * rate) + 1)
            for number in range(sent, due):
                await streams[number % len(streams)].write(_delta(f"@{time.monotonic_ns()}"))
            sent = due
            await asyncio.sleep(_TICK)

    async def _burst(self, events: int) -> None:
        for sent in range(0, events, _BATCH):
            batch = DELTA * min(_BATCH, events - sent)
            for stream in self._open:
                await stream.write(batch)
            await asyncio.sleep(0)

    async def _flood(self, events: int) -> None:
        await self._open[0].write(DELTA * events)

    async def _finish(self) -> None:
        self._end.set()
        self._open, self._end = [], asyncio.Event()


async def main() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    streams = _Streams()
    app = web.Application()
    app.add_routes([web.post("/v1/messages", streams.start), web.post("/do/{command}", streams.do)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=4096).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    gc.freeze()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
