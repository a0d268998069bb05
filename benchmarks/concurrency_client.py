"""The client of `benchmarks.concurrency`: it measures many streams at once through one library.

    python -m benchmarks.concurrency_client CONTESTANT STREAMS URL [--flood BYTES] ...

It opens the streams, lets them wait, has the server send events at a steady pace and then as fast as possible, and ends
the streams. It prints the figures as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib
import json
import os
import re
import resource
import statistics
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Self

import aiohttp
import attrs

from benchmarks.concurrency_server import DELTA, OPENING

CONTESTANTS = ("streamcore.aiohttp", "streamcore.httpx", "anthropic", "bare sockets")
ONE_CHUNK = "one chunk"
_REQUEST: dict[str, Any] = {"model": "claude-1", "max_tokens": 100, "messages": [{"role": "user", "content": "Hi"}]}
_OPENED_AT_ONCE = 10
"""How many streams are being opened at any time."""
PACE = 2000
"""How many events a second all streams get together."""
_PACE_OF_ONE = 50
"""How many events a second one stream gets at most."""
PACE_IN_FLOOD = 200
"""How many events a second the other streams get during a flood: few, so that only the flood can delay them."""
_ENOUGH = 0.99
"""Which part of the events must be seen: `_BareStream` misses the few that two reads share."""


@attrs.define
class Seen:
    """What the streams have received so far.

    Attributes:
        first: For each stream, the seconds from the call to its first text.
        latencies: For each paced event, the nanoseconds from sending it to having its text.
    """

    texts: int = 0
    opened: int = 0
    first: list[float] = attrs.field(factory=list)
    latencies: list[int] = attrs.field(factory=list)

    def add(self, text: str) -> None:
        self.texts += 1
        if text[0] == "@":
            self.latencies.append(time.monotonic_ns() - int(text[1:]))


# Contestants

OpenStream = Callable[[], Any]
"""Return an async context manager that opens a stream; the stream has a `text_stream`."""


@asynccontextmanager
async def contestant(name: str, url: str) -> AsyncIterator[OpenStream]:
    """Give the function that opens a stream through this library."""
    if name == "bare sockets":
        yield partial(_BareStream, int(url.rpartition(":")[2]))
        return
    library = importlib.import_module(name)
    http_client = None
    if name != "streamcore.aiohttp":
        import httpx2

        http_client = library.DefaultAsyncHttpxClient(limits=httpx2.Limits(max_connections=None))
    async with library.AsyncAnthropic(api_key="key", base_url=url, http_client=http_client, timeout=None) as client:
        yield partial(client.messages.stream, **_REQUEST)


class _BareStream:
    """A socket and a regular expression: what the machine and the event loop need without any library."""

    _TEXT = re.compile(rb'"text":"([^"]+)"')

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writer.write(b"POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n")
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._writer.close()

    @property
    async def text_stream(self) -> AsyncIterator[str]:
        while not (chunk := await self._reader.read(65536)).endswith(b"0\r\n\r\n"):
            for text in self._TEXT.findall(chunk):
                yield text.decode()


# Measurements


class Cell:
    """Measure streams that are open at the same time, from opening them to their end."""

    def __init__(self, open_stream: OpenStream, commands: aiohttp.ClientSession, streams: int) -> None:
        self._open_stream = open_stream
        self._commands = commands
        self._streams = streams
        self._opening = asyncio.Semaphore(_OPENED_AT_ONCE)
        self._failed: list[asyncio.Task[None]] = []
        self.seen = Seen()

    async def measure(self, *, texts: int, seconds: float, flood: int) -> dict[str, Any]:
        # Load and build first what every process needs once.
        warm_up = self._start()
        await self._until(lambda: self.seen.opened == 1)
        await self._do("finish")
        await warm_up
        self.seen = Seen()

        measured: dict[str, Any] = {}
        before = resident_memory()
        tasks = [self._start() for _ in range(self._streams)]
        await self._until(lambda: self.seen.opened == self._streams)
        measured["first text"] = percentiles(self.seen.first)
        measured["memory"] = (resident_memory() - before) / self._streams
        if flood:
            measured["flood"] = await self._flood(events=flood // len(DELTA), seconds=seconds)
        else:
            measured["latency"] = await self._pace(seconds)
            measured["events a second"] = await self._burst(texts // self._streams or 1)
        await self._do("finish")
        await asyncio.gather(*tasks)
        return measured

    async def _do(self, command: str, **arguments: Any) -> None:
        async with self._commands.post(f"/do/{command}", json=arguments) as response:
            response.raise_for_status()

    async def _read(self) -> None:
        async with self._opening:
            began = time.perf_counter()
            stream = self._open_stream()
            texts = (await stream.__aenter__()).text_stream
            seen = self.seen
            seen.add(await anext(texts))
            seen.first.append(time.perf_counter() - began)
            seen.opened += 1
        try:
            async for text in texts:
                seen.add(text)
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

    async def _pace(self, seconds: float, *, skip: int = 0, rate: float = PACE) -> dict[str, float]:
        rate = min(rate, _PACE_OF_ONE * self._streams)
        events = int(rate * seconds)
        await self._do("pace", events=events, rate=rate, skip=skip)
        await self._until(lambda: len(self.seen.latencies) >= events * _ENOUGH)
        return percentiles([latency / 1e9 for latency in self.seen.latencies])

    async def _burst(self, each: int) -> float:
        before = self.seen.texts
        wanted = before + each * self._streams * _ENOUGH
        began = time.perf_counter()
        await self._do("burst", events=each)
        await self._until(lambda: self.seen.texts >= wanted)
        return (self.seen.texts - before) / (time.perf_counter() - began)

    async def _flood(self, *, events: int, seconds: float) -> dict[str, Any]:
        """Flood one stream while the others get events at a steady pace."""
        turns: list[float] = []
        pacing = asyncio.create_task(self._pace(seconds, skip=1, rate=PACE_IN_FLOOD))
        await asyncio.sleep(seconds / 4)
        other_task = asyncio.create_task(_take_turns(turns))
        wanted = self.seen.texts + events * _ENOUGH
        await self._do("flood", events=events)
        await self._until(lambda: self.seen.texts >= wanted)
        other_task.cancel()
        return {"latency": await pacing, "turns": percentiles(turns)}


async def _take_turns(turns: list[float]) -> None:
    """Run as often as the event loop allows, and note how long other tasks ran in between.

    This is CPU time of the thread, so other processes on the machine do not count.
    """
    latest = time.thread_time()
    while True:
        await asyncio.sleep(0)
        now = time.thread_time()
        turns.append(now - latest)
        latest = now


def resident_memory() -> int:
    """Return how many bytes of memory this process has, as the system sees it."""
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


async def one_chunk(size: int) -> dict[str, Any]:
    """Measure turns while one stream decodes `size` bytes that arrive as a single chunk."""
    import streamcore

    count = size // len(DELTA)
    chunk = OPENING + DELTA * count

    async def chunks(chunk: bytes) -> AsyncIterator[bytes]:
        yield chunk

    await anext(streamcore.AsyncMessageStream(chunks(OPENING + DELTA)).text_stream)  # warm up
    gc.collect()
    turns: list[float] = []
    other_task = asyncio.create_task(_take_turns(turns))
    await asyncio.sleep(0)
    texts = streamcore.AsyncMessageStream(chunks(chunk)).text_stream
    for _ in range(count):
        await anext(texts)
    await asyncio.sleep(0)
    other_task.cancel()
    return {"flood": {"turns": percentiles(turns)}}


async def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.concurrency_client", description=__doc__)
    parser.add_argument("contestant", choices=[*CONTESTANTS, ONE_CHUNK])
    parser.add_argument("streams", type=int)
    parser.add_argument("url")
    parser.add_argument("--texts", type=int, default=40_000, help="how many events all streams get in a burst")
    parser.add_argument("--seconds", type=float, default=4, help="how long events come at a steady pace")
    parser.add_argument("--flood", type=int, default=0, help="instead of a burst, send this many bytes to one stream")
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if options.contestant == ONE_CHUNK:
        print(json.dumps(await one_chunk(options.flood)))
        return
    no_timeout = aiohttp.ClientTimeout(total=None)
    async with (
        aiohttp.ClientSession(options.url, timeout=no_timeout) as commands,
        contestant(options.contestant, options.url) as open_stream,
    ):
        cell = Cell(open_stream, commands, options.streams)
        print(json.dumps(await cell.measure(texts=options.texts, seconds=options.seconds, flood=options.flood)))


if __name__ == "__main__":
    asyncio.run(main())
