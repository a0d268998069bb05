"""An HTTP/1.1 server for the tests: real sockets on loopback, scripted replies, recorded requests.

It runs on asyncio in a thread of its own, so that sync and async clients of every library talk to the same server. A
reply determines each byte that is sent: in which chunks, with which pauses, and where the connection breaks.

A library (`aiohttp.web`, or h11) would save little: HTTP is about 25 lines here, which parse a request and write a head
and chunks. The rest is the script: exact chunks, pauses and resets before and inside a reply, a body shorter than its
`content-length`. A library would have to be bypassed for these. Besides, the client of aiohttp would then be tested
against aiohttp's own server.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import struct
import threading
import time
import zlib
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, Literal, Self, TypeAlias, TypeVar
from unittest import mock

import anyio
import attrs

T = TypeVar("T")

BACKENDS = ("asyncio", "trio")
"""The event loops that async tests run on: `@pytest.mark.parametrize("backend", BACKENDS)`."""

BOUND = 30
"""The longest time in seconds that a test waits for anything. After that it fails, so that it cannot hang."""

ASK: dict[str, Any] = {"model": "claude-1", "max_tokens": 100, "messages": [{"role": "user", "content": "Hi"}]}
"""The arguments that every call needs."""


def run(backend: str, test: Callable[[], Awaitable[T]]) -> T:
    """Run an async test with asyncio's debug mode on, for at most `BOUND` seconds."""

    async def bounded() -> T:
        with anyio.fail_after(BOUND):
            return await test()

    # The debug mode keeps a traceback with every callback, which is most of its cost. One line of it is enough.
    with mock.patch("asyncio.constants.DEBUG_STACK_DEPTH", 1):
        return anyio.run(bounded, backend=backend, backend_options={"debug": True} if backend == "asyncio" else {})


@attrs.frozen
class Pause:
    """Send nothing for this many seconds."""

    seconds: float


@attrs.frozen
class Stall:
    """Send nothing more, and keep the connection open until the client closes it. It must do so within `BOUND`."""


@attrs.frozen
class Gate:
    """Send nothing until the test opens the gate. It must do so within `BOUND`."""

    _opened: threading.Event = attrs.field(factory=threading.Event, init=False)

    def open(self) -> None:
        self._opened.set()

    async def wait(self) -> None:
        async with asyncio.timeout(BOUND):
            while not self._opened.is_set():  # noqa: ASYNC110  # another thread sets it
                await asyncio.sleep(0.01)


@attrs.frozen
class Cut:
    """Close the connection in the middle of the reply, with FIN or with a reset (RST)."""

    reset: bool = False


Step: TypeAlias = bytes | Pause | Stall | Gate | Cut


@attrs.frozen(kw_only=True)
class Reply:
    """The answer to one request.

    Attributes:
        steps: The body. Each bytes object is sent at once, as one chunk of the transfer coding.
        head: The steps before the status line.
        framing: How the client sees the end of the body: by chunked coding, a length, or the end of the connection.
        missing: The number of bytes that `content-length` promises and that are not sent.
        gzip: Whether the body is compressed; it is flushed at each step.
    """

    steps: Sequence[Step] = ()
    status: int = 200
    headers: dict[str, str] = attrs.field(factory=dict)
    head: Sequence[Pause | Stall | Cut] = ()
    framing: Literal["chunked", "length", "close"] = "chunked"
    missing: int = 0
    gzip: bool = False


@attrs.frozen(kw_only=True)
class Request:
    """A request as it arrived. Names of headers are in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    time: float
    connection: int

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    def json(self) -> Any:
        return json.loads(self.body)


Script: TypeAlias = Reply | Callable[[Request], Reply]


def stream_reply(*steps: Step, **fields: Any) -> Reply:
    """Return a reply that is an event stream."""
    headers = {"content-type": "text/event-stream; charset=utf-8", "request-id": "req_1", **fields.pop("headers", {})}
    return Reply(steps=steps, headers=headers, **fields)


def json_reply(value: Any, status: int = 200, **fields: Any) -> Reply:
    """Return a reply with a JSON body."""
    headers = {"content-type": "application/json", "request-id": "req_1", **fields.pop("headers", {})}
    return Reply(steps=[json.dumps(value).encode()], status=status, headers=headers, framing="length", **fields)


def error_reply(status: int, kind: str = "api_error", message: str = "it failed", **fields: Any) -> Reply:
    """Return a reply with an error, in the form of the API."""
    return json_reply({"type": "error", "error": {"type": kind, "message": message}}, status, **fields)


class _Hangup(Exception):
    """The client closed the connection, or the script makes the server close it."""


class LoopbackServer:
    """A server on a free port of the loopback interface, in a thread of its own, while its `with` block is open.

    Subclasses have `_converse`, which handles one connection.

    Attributes:
        url: The base URL of the server.
        connections: The number of connections so far.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self.url = ""
        self.connections = 0
        self._tls = tls
        self._faults: list[BaseException] = []
        self._open: dict[int, asyncio.Task[None]] = {}
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="test server", daemon=True)
        self._started = threading.Event()
        self._stop = asyncio.Event()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        raise NotImplementedError

    @property
    def open_connections(self) -> int:
        return len(self._open)

    def wait_until_idle(self, *, connections: int = 0, timeout: float = 5) -> None:
        """Wait until at most this many connections are open."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._open) <= connections, timeout):
                raise AssertionError(f"{len(self._open)} connections are still open")

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._started.wait(BOUND), "the server did not start"
        return self

    def __exit__(self, *exc: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(BOUND)
        assert not self._thread.is_alive(), "the server did not end"
        if self._faults:
            raise self._faults[0]

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=512, ssl=self._tls)
        scheme = "http" if self._tls is None else "https"
        self.url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._started.set()
        await self._stop.wait()
        server.close()
        tasks = list(self._open.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = self.connections
        task = asyncio.current_task()
        assert task is not None
        with self._changed:
            self.connections += 1
            self._open[number] = task
        try:
            await self._converse(reader, writer, number)
        except (_Hangup, ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass  # the normal ends of a conversation; a TLS client may hang up without closing TLS
        except asyncio.CancelledError:
            writer.transport.abort()  # the server ends; `close` would wait for a client that no longer reads
        except Exception as fault:  # noqa: BLE001  # raised by __exit__
            self._faults.append(fault)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, TimeoutError, asyncio.CancelledError, ssl.SSLError):
                await asyncio.wait_for(writer.wait_closed(), BOUND)
            with self._changed:
                del self._open[number]
                self._changed.notify_all()


class Server(LoopbackServer):
    """A server whose replies are scripted.

    Attributes:
        requests: All requests that arrived, in order.
        always: The reply when none is queued.
    """

    def __init__(self, always: Script | None = None, *, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(tls=tls)
        self.requests: list[Request] = []
        self.always: Script = always or error_reply(500, message="the test has scripted no reply")
        self._replies: deque[Script] = deque()

    def reply(self, *replies: Script) -> None:
        """Queue replies, one for each request to come."""
        self._replies.extend(replies)

    def forget(self) -> None:
        """Forget the requests that arrived, and the replies that no request took."""
        self.requests.clear()
        self._replies.clear()

    def wait_for_requests(self, count: int, *, timeout: float = 5) -> None:
        """Wait until this many requests have arrived."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.requests) >= count, timeout)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        while True:
            request = await _read_request(reader, number)
            with self._changed:
                self.requests.append(request)
                self._changed.notify_all()
            script = self._replies.popleft() if self._replies else self.always
            reply = script if isinstance(script, Reply) else script(request)
            await _send(reply, reader, writer)
            if reply.framing == "close" or request.headers.get("connection") == "close":
                return


async def _read_request(reader: asyncio.StreamReader, connection: int) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii")
    first, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(
        method=method, target=target, headers=headers, body=body, time=time.monotonic(), connection=connection
    )


async def _send(reply: Reply, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for event in reply.head:
        await _wait(event, reader, writer)
    compressor = zlib.compressobj(wbits=31) if reply.gzip else None
    steps = list(reply.steps)
    if compressor is not None:
        steps = [
            compressor.compress(step) + compressor.flush(zlib.Z_SYNC_FLUSH) if isinstance(step, bytes) else step
            for step in steps
        ]
        steps.append(compressor.flush())
    headers = dict(reply.headers)
    if reply.gzip:
        headers["content-encoding"] = "gzip"
    if reply.framing == "chunked":
        headers["transfer-encoding"] = "chunked"
    elif reply.framing == "length":
        length = sum(len(step) for step in steps if isinstance(step, bytes)) + reply.missing
        headers["content-length"] = str(length)
    else:
        headers["connection"] = "close"
    head = f"HTTP/1.1 {reply.status} Scripted\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(head.encode() + b"\r\n")
    for step in steps:
        if not isinstance(step, bytes):
            await _wait(step, reader, writer)
        elif step:
            writer.write(b"%x\r\n%s\r\n" % (len(step), step) if reply.framing == "chunked" else step)
            await writer.drain()
    if reply.framing == "chunked":
        writer.write(b"0\r\n\r\n")
    await writer.drain()
    if reply.missing:
        raise _Hangup


async def _wait(step: Pause | Stall | Gate | Cut, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    if isinstance(step, Cut):
        if step.reset:
            # A linger time of zero makes the system send RST instead of FIN.
            raw: socket.socket = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        raise _Hangup
    if isinstance(step, Gate):
        await step.wait()
        return
    # The client sends nothing while it waits for an answer, so a read returns only when the client closes its side.
    try:
        await asyncio.wait_for(reader.read(1), step.seconds if isinstance(step, Pause) else BOUND)
    except TimeoutError:
        assert isinstance(step, Pause), f"a client has waited for {BOUND} s and not given up"
    else:
        raise _Hangup


@contextlib.contextmanager
def serving(*replies: Script, always: Script | None = None, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Run a server that gives these replies, one for each request, and then `always`."""
    with Server(always, tls=tls) as server:
        server.reply(*replies)
        yield server
