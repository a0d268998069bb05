"""The other side of `benchmarks.concurrency`: holds streams open and sends what the client's process asks for.

    python -m benchmarks.concurrency_server

Prints two ports of the loopback interface. On the first it speaks HTTP: each request is answered by a stream that
begins at once and then waits. On the second it takes commands, a line of JSON each, and answers each when it is done:

    {"do": "streams"}                           how many streams are open
    {"do": "pace", "events": 80, "rate": 20, "but_first": false}
                                                so many events a second, to one stream after the other
    {"do": "burst", "events": 40}               so many events to each, as fast as they take them
    {"do": "flood", "size": 10000000}           so many bytes of events to the first, at once
    {"do": "finish"}                            the end of each

A paced event carries the time at which it is sent, by the clock that all processes of a machine share.
"""

from __future__ import annotations

import asyncio
import gc
import json
import resource
import time
from typing import Any

_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nrequest-id: req_1\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)
_BATCH = 20
_TICK = 0.002


def _frame(payload: dict[str, Any]) -> bytes:
    data = json.dumps(payload, separators=(",", ":"))
    return f"event: {payload['type']}\ndata: {data}\n\n".encode()


def _delta(text: str) -> bytes:
    return _frame({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}})


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


_MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-1",
    "content": [],
    "stop_reason": None,
    "stop_sequence": None,
    "usage": {"input_tokens": 25, "output_tokens": 1},
}
OPENING = _frame({"type": "message_start", "message": _MESSAGE}) + _frame(
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
)
_START = _chunk(OPENING + _delta("Hello"))
DELTA = _delta(" and some words")
_END = (
    _chunk(
        _frame({"type": "content_block_stop", "index": 0})
        + _frame(
            {
                "type": "message_delta",
                "delta": {"stop_reason": "end_turn", "stop_sequence": None},
                "usage": {"output_tokens": 8},
            }
        )
        + _frame({"type": "message_stop"})
    )
    + b"0\r\n\r\n"
)


class _Stream(asyncio.Protocol):
    """A connection on which one request after the other is answered by a stream."""

    transport: asyncio.Transport

    def __init__(self, streams: dict[_Stream, None]) -> None:
        self._streams = streams
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        if not blank:
            return
        fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:])
        if len(body) >= int(fields.get(b"content-length", b"0")):
            self._received = b""
            self.transport.write(_HEAD + _START)
            self._streams[self] = None

    def connection_lost(self, exc: Exception | None) -> None:
        self._streams.pop(self, None)


class _Commands:
    def __init__(self) -> None:
        self.streams: dict[_Stream, None] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            command = json.loads(line)
            result = await getattr(self, f"_{command.pop('do')}")(**command)
            writer.write(json.dumps(result).encode() + b"\n")
        writer.close()

    async def _streams(self) -> int:
        return len(self.streams)

    async def _pace(self, events: int, rate: float, but_first: bool) -> None:
        streams = list(self.streams)[but_first:]
        began = time.monotonic()
        sent = 0
        while sent < events:
            due = min(events, int((time.monotonic() - began) * rate) + 1)
            for number in range(sent, due):
                stream = streams[number % len(streams)]
                stream.transport.write(_chunk(_delta(f"@{time.monotonic_ns()}")))
            sent = due
            await asyncio.sleep(_TICK)

    async def _burst(self, events: int) -> None:
        whole, rest = divmod(events, _BATCH)
        batches = [_chunk(DELTA * _BATCH)] * whole + ([_chunk(DELTA * rest)] if rest else [])
        for batch in batches:
            for stream in self.streams:
                stream.transport.write(batch)
            await asyncio.sleep(0)

    async def _flood(self, size: int) -> int:
        events = size // len(DELTA)
        next(iter(self.streams)).transport.write(_chunk(DELTA * events))
        return events

    async def _finish(self) -> None:
        for stream in list(self.streams):
            stream.transport.write(_END)
        self.streams.clear()


async def main() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    loop = asyncio.get_running_loop()
    commands = _Commands()
    streams = await loop.create_server(lambda: _Stream(commands.streams), "127.0.0.1", 0, backlog=4096)
    control = await asyncio.start_server(commands.serve, "127.0.0.1", 0)
    print(streams.sockets[0].getsockname()[1], control.sockets[0].getsockname()[1], flush=True)
    gc.freeze()
    await control.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
