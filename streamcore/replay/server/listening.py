"""Run an aiohttp handler: in the running event loop, in a thread of its own, or until the process gets a signal.

Some requests never reach the handler: malformed HTTP, a foreign `Host`, an unknown `Expect`.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import re
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from contextlib import AbstractAsyncContextManager
from typing import TypeAlias, TypedDict

from streamcore._extras import requires_extra
from streamcore.errors import StreamCoreError, shortened
from streamcore.replay.playing.complete_message import error_body

with requires_extra("serve"):
    from aiohttp import web
    from aiohttp.http import HttpProcessingError
    from anyio.from_thread import start_blocking_portal

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

Log: TypeAlias = Callable[[str], object]
"""Called with one line for each finished request."""

LOOPBACK = "127.0.0.1"


class ServerOptions(TypedDict, total=False):
    """Where a server listens and what it logs. `listening()` describes the options."""

    host: str
    port: int
    allowed_hosts: Collection[str]
    log: Log


# Requests may carry images. The API itself takes 32 MB.
_MAX_REQUEST_SIZE = 64 * 1024 * 1024
_MAX_HEADER_SIZE = 64 * 1024
# Seconds that open streams get when a server stops; then they are cut.
_GRACE = 0.1

_ENDING = web.AppKey("ending", asyncio.Event)


def no_log(line: str) -> None:
    """Log nothing."""


@contextlib.asynccontextmanager
async def listening(
    answer: Handler,
    *,
    host: str = LOOPBACK,
    port: int = 0,
    allowed_hosts: Collection[str] = (),
    auto_decompress: bool = True,
    log: Log = no_log,
) -> AsyncIterator[str]:
    """Serve for the time of the block, which gets the URL.

    Args:
        answer: Answers every request, whatever its method and path. It is cancelled if the client leaves.
        host: The address to listen on.
        port: The port; 0 picks a free one.
        allowed_hosts: Further names that a request may have as its `Host`; `*` allows any. `host`, `localhost` and IP
            addresses are always allowed.
        auto_decompress: Whether the content coding of request bodies is undone for `answer`.
        log: Called with one line for each request that does not reach `answer`.

    Raises:
        StreamCoreError: The server cannot listen there.
    """
    allowed = {name.lower().rstrip(".") for name in (host, *allowed_hosts)}

    @web.middleware  # in place of a route: no pattern matches every path
    async def handle(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not _is_allowed(request.headers.get("host"), allowed):
            log(f"{shortened(request.method)} 403: the Host header names another host")
            return error_response(403, _FOREIGN_HOST)
        try:
            return await answer(request)
        except ConnectionError:  # the client has left; aiohttp would log a traceback
            hang_up(request)
            return web.StreamResponse()

    app = web.Application(client_max_size=_MAX_REQUEST_SIZE, middlewares=[handle])
    ending = app[_ENDING] = asyncio.Event()

    async def note_end(_: web.Application) -> None:
        ending.set()

    async def log_unexpected(request: web.Request, response: web.StreamResponse) -> None:
        if isinstance(response, web.HTTPExpectationFailed):  # aiohttp answers an unknown `Expect` itself
            log(f"{shortened(request.method)} {response.status}: {response.reason}")

    app.on_shutdown.append(note_end)
    app.on_response_prepare.append(log_unexpected)
    runner = web.AppRunner(
        app,
        access_log=None,
        logger=_server_logger(log),
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


# Requests that do not reach the handler


_FOREIGN_HOST = (
    "this server does not answer to the name in the Host header: use an IP address or localhost, or allow the name "
    "(--allow-host)"
)


# An IPv6 address without brackets has no port after it.
_PORT = re.compile(r"^([^:]*|\[.*\]):\d*$")


def _is_allowed(header: str | None, allowed: set[str]) -> bool:
    """Return whether a request with this `Host` is answered.

    A web page can make its own name resolve to 127.0.0.1 and then read what a local server answers (DNS rebinding).
    Such a request carries the name of the page as its `Host`. An address cannot be rebound, and a request without the
    header does not come from a browser.
    """
    if header is None or "*" in allowed:
        return True
    name = _PORT.sub(r"\1", header.strip().lower()).strip("[]").rstrip(".")
    if name == "localhost" or name.endswith(".localhost") or name in allowed:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


MALFORMED = (HttpProcessingError, web.RequestPayloadError)
"""What reading a request raises if it is not valid HTTP."""


def not_http(error: Exception) -> str:
    """Return the text for a malformed request. Unlike aiohttp's message it does not quote the bytes."""
    return f"not valid HTTP ({type(error.__cause__ or error).__name__})"


def _server_logger(log: Log) -> logging.Logger:
    """Make the logger for aiohttp's server: malformed HTTP becomes one line, and so does a client that leaves.

    The line does not have the bytes that were sent: a malformed header may hold a key. Everything else is a bug and
    goes on to aiohttp's own logger, with its traceback.
    """
    usual = logging.getLogger("aiohttp.server")

    class ToLog(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            error = record.exc_info[1] if record.exc_info else None
            if isinstance(error, web.RequestPayloadError):
                pass  # a malformed body: the handler has answered the request, and logged that
            elif isinstance(error, HttpProcessingError):
                log(f"- {error.code}: {not_http(error)}")
            elif isinstance(error, ConnectionError):
                log("- -: the client has left")  # before aiohttp could tell it to send the body
            elif usual.isEnabledFor(record.levelno):
                usual.handle(record)

    logger = logging.Logger("streamcore.server")  # noqa: LOG001  # one for each server
    logger.addHandler(ToLog())
    return logger


# Where a server runs


Listening: TypeAlias = AbstractAsyncContextManager[str]


@contextlib.contextmanager
def in_thread(server: Listening) -> Iterator[str]:
    """Run `server` in the event loop of a new thread for the time of the block, which gets its URL.

    Raises:
        StreamCoreError: It could not start.
    """
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(server) as url:
        yield url


def _stopping_signals() -> Iterator[signal.Signals]:
    yield from (signal.SIGINT, signal.SIGTERM)
    # A terminal that is closed sends it; under `nohup` it is ignored.
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        yield signal.SIGHUP


def until_stopped(server: Listening, say: Callable[[str], object]) -> None:
    """Run `server` until the process gets SIGINT, SIGTERM or SIGHUP. They are the normal way to stop it, no error.

    Args:
        server: The server.
        say: Called with its URL as soon as it takes requests.

    Raises:
        StreamCoreError: It could not start.
    """

    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in _stopping_signals():
            with contextlib.suppress(NotImplementedError):  # Windows: there SIGINT is a KeyboardInterrupt
                loop.add_signal_handler(number, stop.set)
        async with server as url:
            say(url)
            await stop.wait()

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run())


# Answers when something is wrong


def error_response(status: int, message: str) -> web.Response:
    """Return an error in the form that the API uses."""
    return web.Response(status=status, body=error_body(status, message), content_type="application/json")


def who_left(request: web.Request) -> str:
    """Return why a handler was cancelled."""
    return "the server has ended" if request.app[_ENDING].is_set() else "the client has left"


def hang_up(request: web.Request) -> None:
    """Close the connection within an answer: the bytes sent so far arrive, and the body has no end."""
    if request.transport is not None:
        request.transport.close()
