"""Running an aiohttp handler: in the event loop that is there, in a thread of its own, or until the process is told
to stop.

Knows how a server begins, ends and fails, and nothing of what else its handler answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import TypeAlias

from aiohttp import web

from streamcore.errors import StreamCoreError
from streamcore.replay.answers import error_body

__all__ = [
    "LOOPBACK",
    "Log",
    "error_response",
    "hang_up",
    "in_thread",
    "listening",
    "no_log",
    "until_stopped",
    "who_left",
]

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

Log: TypeAlias = Callable[[str], object]
"""Is called with a line for each request, when it is over."""

LOOPBACK = "127.0.0.1"

# Requests may carry images. The API itself takes 32 MB.
_MAX_REQUEST_SIZE = 64 * 1024 * 1024
_MAX_HEADER_SIZE = 64 * 1024
# Streams that are open when a server ends are cut after this many seconds.
_GRACE = 0.1

_ENDING = web.AppKey("ending", asyncio.Event)


def no_log(line: str) -> None:
    """Log nothing."""


@contextlib.asynccontextmanager
async def listening(
    handler: Handler, *, host: str = LOOPBACK, port: int = 0, auto_decompress: bool = True
) -> AsyncIterator[str]:
    """A server for the time of the block, which gets its URL.

    Args:
        handler: Answers every request, whatever its method and path. It is cancelled if the client leaves.
        host: The address to listen on.
        port: The port; 0 is any that is free.
        auto_decompress: Whether the handler gets bodies of requests without their content coding.

    Raises:
        StreamCoreError: It is not possible to listen there.
    """

    async def handle(request: web.Request) -> web.StreamResponse:
        return await handler(request)

    app = web.Application(client_max_size=_MAX_REQUEST_SIZE)
    app.router.add_route("*", "/{path:.*}", handle)
    ending = app[_ENDING] = asyncio.Event()

    async def note_end(_: web.Application) -> None:
        ending.set()

    app.on_shutdown.append(note_end)
    runner = web.AppRunner(
        app,
        access_log=None,
        handler_cancellation=True,
        shutdown_timeout=_GRACE,
        auto_decompress=auto_decompress,
        max_line_size=_MAX_HEADER_SIZE,
        max_field_size=_MAX_HEADER_SIZE,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except (OSError, OverflowError, UnicodeError) as error:
            said = error.strerror or error if isinstance(error, OSError) else error
            raise StreamCoreError(f"cannot listen on {host}:{port}: {said}") from error
        yield f"http://{f'[{host}]' if ':' in host else host}:{site.port}"
    finally:
        await runner.cleanup()


Listening: TypeAlias = AbstractAsyncContextManager[str]


@contextlib.contextmanager
def in_thread(server: Listening) -> Iterator[str]:
    """Run `server` in an event loop in a thread of its own for the time of the block, which gets its URL.

    Raises:
        StreamCoreError: It could not start.
    """
    started = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    urls: list[str] = []
    faults: list[BaseException] = []

    async def run() -> None:
        async with server as url:
            urls.append(url)
            started.set()
            await stop.wait()

    def main() -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: loop) as runner:
                runner.run(run())
        except BaseException as fault:  # noqa: BLE001  # raised in the thread that waits
            faults.append(fault)
        finally:
            started.set()

    thread = threading.Thread(target=main, name="streamcore server", daemon=True)
    thread.start()
    started.wait()
    if faults:
        thread.join()
        raise faults[0]
    try:
        yield urls[0]
    finally:
        if thread.is_alive():
            loop.call_soon_threadsafe(stop.set)
        thread.join()
        if faults:
            raise faults[0]


def until_stopped(server: Listening, say: Callable[[str], object]) -> None:
    """Run `server` until the process gets SIGINT or SIGTERM; both are how a server ends, and no error.

    Args:
        server: The server.
        say: Called with its URL as soon as it takes requests.

    Raises:
        StreamCoreError: It could not start.
    """

    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):  # Windows: there SIGINT is a KeyboardInterrupt
                loop.add_signal_handler(number, stop.set)
        async with server as url:
            say(url)
            await stop.wait()

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run())


# What handlers answer when all is not well


def error_response(status: int, kind: str, message: str) -> web.Response:
    """An error in the form of the API's."""
    return web.Response(status=status, body=error_body(kind, message), content_type="application/json")


def who_left(request: web.Request) -> str:
    """Why a handler was cancelled, in words."""
    return "the server has ended" if request.app[_ENDING].is_set() else "the client has left"


def hang_up(request: web.Request) -> None:
    """Close the connection within an answer: what was sent arrives, and no end of the body follows it."""
    if request.transport is not None:
        request.transport.close()
