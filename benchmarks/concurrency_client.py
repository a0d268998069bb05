"""One cell of `benchmarks.concurrency`: so many streams at once, through one library, in a process of its own.

    python -m benchmarks.concurrency_client CONTESTANT STREAMS HTTP_PORT CONTROL_PORT [--flood BYTES] [--unfair] ...

Prints what was measured as JSON. The streams are opened and wait; then they get events at a steady pace, then as many
as they can take; then they end.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import re
import resource
import statistics
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Self

import attrs

_ASK: dict[str, Any] = {"model": "claude-1", "max_tokens": 100, "messages": [{"role": "user", "content": "Hi"}]}
_OPENING = 10
"""How many streams are being opened at a time."""
PACE = 2000
_PACE_OF_ONE = 50
"""Events a second in all, and at most for one stream."""
PACE_IN_FLOOD = 200
"""So few that what others get is not what holds them up."""


@attrs.define
class Seen:
    """What the streams of a process have had."""

    texts: int = 0
    opened: int = 0
    first: list[float] = attrs.field(factory=list)
    latencies: list[int] = attrs.field(factory=list)

    def take(self, text: str) -> None:
        self.texts += 1
        if text[0] == "@":
            self.latencies.append(time.monotonic_ns() - int(text[1:]))


Open = Callable[[], Any]
"""Gives an async context manager that opens a stream; what it gives has a `text_stream`."""


# Contestants


@asynccontextmanager
async def _ours(module: Any, url: str, http_client: Any = None) -> AsyncIterator[Open]:
    async with module.AsyncAnthropic(api_key="key", base_url=url, http_client=http_client, timeout=None) as client:
        yield lambda: client.messages.stream(**_ASK)


@asynccontextmanager
async def ours_on_aiohttp(url: str) -> AsyncIterator[Open]:
    import streamcore.aiohttp

    async with _ours(streamcore.aiohttp, url) as opens:
        yield opens


@asynccontextmanager
async def ours_on_httpx(url: str) -> AsyncIterator[Open]:
    import httpx2

    import streamcore.httpx

    http = httpx2.AsyncClient(limits=httpx2.Limits(max_connections=None))
    async with _ours(streamcore.httpx, url, http) as opens:
        yield opens


@asynccontextmanager
async def official(url: str) -> AsyncIterator[Open]:
    import anthropic
    import httpx2

    http = anthropic.DefaultAsyncHttpxClient(limits=httpx2.Limits(max_connections=None))
    async with _ours(anthropic, url, http) as opens:
        yield opens


class _Bare:
    """A socket and nothing else: what the machine, the event loop and this program need by themselves."""

    _TEXT = re.compile(rb'"text":"([^"]+)"')

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writer.write(b"POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n")
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._writer.close()

    @property
    def text_stream(self) -> AsyncIterator[str]:
        return self._texts()

    async def _texts(self) -> AsyncIterator[str]:
        while not (chunk := await self._reader.read(65536)).endswith(b"0\r\n\r\n"):
            for text in self._TEXT.findall(chunk):  # one that is cut in two is not found: a few of many
                yield text.decode()


@asynccontextmanager
async def bare_sockets(url: str) -> AsyncIterator[Open]:
    port = int(url.rpartition(":")[2])
    yield lambda: _Bare(port)


CONTESTANTS: dict[str, Callable[[str], Any]] = {
    "aiohttp": ours_on_aiohttp,
    "httpx2": ours_on_httpx,
    "anthropic": official,
    "bare": bare_sockets,
}


# What is measured


class Server:
    """The commands of `benchmarks.concurrency_server`."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._writer.close()

    async def do(self, command: str, **arguments: Any) -> Any:
        self._writer.write(json.dumps({"do": command, **arguments}).encode() + b"\n")
        return json.loads(await self._reader.readline())

    def another(self) -> Server:
        """For commands while one is being carried out."""
        return Server(self._port)


class Cell:
    """So many streams at once, from their opening to their end."""

    def __init__(self, opens: Open, server: Server, streams: int) -> None:
        self._opens = opens
        self._server = server
        self._streams = streams
        self._opening = asyncio.Semaphore(_OPENING)
        self._failed: list[asyncio.Task[None]] = []
        self.seen = Seen()

    async def measure(self, *, texts: int, seconds: float, flood: int) -> dict[str, Any]:
        await self._warm_up()
        measured: dict[str, Any] = {}
        before = resident()
        began = time.perf_counter()
        tasks = [self._start() for _ in range(self._streams)]
        await self._until(lambda: self.seen.opened == self._streams)
        measured["opening"] = time.perf_counter() - began
        measured["first text"] = percentiles(self.seen.first)
        measured["memory"] = (resident() - before) / self._streams
        if flood:
            measured["flood"] = await self._flood(flood=flood, seconds=seconds)
        else:
            measured["latency"] = await self._pace(seconds)
            measured["events a second"] = await self._burst(texts // self._streams or 1)
        await self._server.do("finish")
        await asyncio.gather(*tasks)
        return measured

    async def _warm_up(self) -> None:
        # What is loaded and made once belongs to no stream.
        task = self._start()
        await self._until(lambda: self.seen.opened == 1)
        await self._server.do("finish")
        await task
        self.seen = Seen()

    async def _read(self) -> None:
        async with self._opening:
            began = time.perf_counter()
            stream = self._opens()
            texts = (await stream.__aenter__()).text_stream
            seen = self.seen
            seen.take(await anext(texts))
            seen.first.append(time.perf_counter() - began)
            seen.opened += 1
        try:
            async for text in texts:
                seen.take(text)
        finally:
            await stream.__aexit__(None, None, None)

    async def _until(self, true: Callable[[], bool]) -> None:
        while not true():
            if self._failed:
                self._failed[0].result()
            await asyncio.sleep(0.005)

    def _start(self) -> asyncio.Task[None]:
        task = asyncio.create_task(self._read())
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self._failed.append(task)

    async def _pace(self, seconds: float, *, but_first: bool = False, rate: float = PACE) -> dict[str, float]:
        rate = min(rate, _PACE_OF_ONE * self._streams)
        events = int(rate * seconds)
        await self._server.do("pace", events=events, rate=rate, but_first=but_first)
        # Of bare sockets a few are not found.
        await self._until(lambda: len(self.seen.latencies) >= events * 0.99)
        return percentiles([latency / 1e9 for latency in self.seen.latencies])

    async def _burst(self, each: int) -> float:
        wanted = self.seen.texts + each * self._streams * 0.99
        before = self.seen.texts
        began = time.perf_counter()
        await self._server.do("burst", events=each)
        await self._until(lambda: self.seen.texts >= wanted)
        return (self.seen.texts - before) / (time.perf_counter() - began)

    async def _flood(self, *, flood: int, seconds: float) -> dict[str, Any]:
        """A burst for one stream, while the others get events at their pace."""
        turns: list[float] = []
        pacing = asyncio.create_task(self._pace(seconds, but_first=True, rate=PACE_IN_FLOOD))
        await asyncio.sleep(seconds / 4)
        others = asyncio.create_task(_take_turns(turns))
        async with self._server.another() as server:
            wanted = self.seen.texts + int((await server.do("flood", size=flood)) * 0.99)
        await self._until(lambda: self.seen.texts >= wanted)
        others.cancel()
        return {"latency": await pacing, "turns": percentiles(turns)}


async def _take_turns(turns: list[float]) -> None:
    """Run whenever the event loop lets it: how much this process has done between one turn and the next.

    In seconds of CPU time, so that other processes on the machine do not count.
    """
    latest = time.thread_time()
    while True:
        await asyncio.sleep(0)
        now = time.thread_time()
        turns.append(now - latest)
        latest = now


def resident() -> int:
    """Bytes of memory that this process has, as the system sees it."""
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def percentiles(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "p50": statistics.median(ordered),
        "p99": ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)],
        "max": ordered[-1],
    }


async def in_one_chunk(size: int) -> dict[str, Any]:
    """A burst that somebody hands over as one chunk."""
    import streamcore
    from benchmarks.concurrency_server import DELTA, OPENING

    count = size // len(DELTA)
    chunk = OPENING + DELTA * count

    async def chunks(chunk: bytes) -> AsyncIterator[bytes]:
        yield chunk

    await anext(streamcore.AsyncMessageStream(chunks(OPENING + DELTA)).text_stream)  # what is made once
    gc.collect()
    turns: list[float] = []
    others = asyncio.create_task(_take_turns(turns))
    await asyncio.sleep(0)
    texts = streamcore.AsyncMessageStream(chunks(chunk)).text_stream
    for _ in range(count):
        await anext(texts)
    await asyncio.sleep(0)
    others.cancel()
    return {"flood": {"turns": percentiles(turns)}}


def _never_give_way() -> None:
    from streamcore.stream import _async_stream, _pump

    for module in (_pump, _async_stream):
        for name in ("SLICE_SIZE", "WORK_PER_TURN"):
            if hasattr(module, name):
                setattr(module, name, 1 << 60)


async def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.concurrency_client", description=__doc__)
    parser.add_argument("contestant", choices=[*CONTESTANTS, "chunk"])
    parser.add_argument("streams", type=int)
    parser.add_argument("http_port", type=int)
    parser.add_argument("control_port", type=int)
    parser.add_argument("--texts", type=int, default=40_000, help="how many events the streams get at once, in all")
    parser.add_argument("--seconds", type=float, default=4, help="how long events come at a steady pace")
    parser.add_argument("--flood", type=int, default=0, help="a burst of so many bytes for one stream instead")
    parser.add_argument("--unfair", action="store_true", help="streams do not give way")
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if options.unfair:
        _never_give_way()
    if options.contestant == "chunk":
        print(json.dumps(await in_one_chunk(options.flood)))
        return
    opening = CONTESTANTS[options.contestant](f"http://127.0.0.1:{options.http_port}")
    async with Server(options.control_port) as server, opening as opens:
        cell = Cell(opens, server, options.streams)
        print(json.dumps(await cell.measure(texts=options.texts, seconds=options.seconds, flood=options.flood)))


if __name__ == "__main__":
    asyncio.run(main())
