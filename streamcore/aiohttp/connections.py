"""The session that a client sends with: one that the caller passed, or one of its own for each event loop.

A session of aiohttp belongs to an event loop and must be closed before the loop ends. But a client is often made before
a loop runs, and dropped without being closed. So its own session is made when the first request is sent. It is closed
with the client, when the client is dropped, at the end of its loop, or when the interpreter exits.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import weakref
from collections.abc import AsyncGenerator

import aiohttp
import attrs

from streamcore.aiohttp.proxies import proxy_for
from streamcore.errors import APIConnectionError, InvalidArgumentError, StreamCoreError

__all__ = ["Connections"]


@attrs.frozen
class _Own:
    session: aiohttp.ClientSession
    keeper: AsyncGenerator[None]


class Connections:
    """The sessions of a client and its copies.

    Args:
        handed_in: The caller's session, if one was passed. It is never closed here.

    Raises:
        InvalidArgumentError: `handed_in` is not a session.
    """

    def __init__(self, handed_in: aiohttp.ClientSession | None) -> None:
        if handed_in is not None and not isinstance(handed_in, aiohttp.ClientSession):
            raise InvalidArgumentError(f"http_client must be an aiohttp.ClientSession, not {handed_in!r}")
        self.handed_in = handed_in
        self._own: dict[asyncio.AbstractEventLoop, _Own] = {}
        self._closed = False
        _all.add(self)

    @property
    def closed(self) -> bool:
        """Whether sending is not possible any more."""
        return self._closed or (self.handed_in is not None and self.handed_in.closed)

    async def session(self) -> aiohttp.ClientSession:
        """Return the session for the running event loop.

        Raises:
            APIConnectionError: The client or the session was closed.
            StreamCoreError: No event loop of asyncio is running.
        """
        if self.closed:
            raise APIConnectionError("The client was closed.")
        if self.handed_in is not None:
            return self.handed_in
        loop = _running_loop()
        own = self._own.get(loop)
        if own is None or own.session.closed:
            self._forget_ended_loops()
            # Without a limit on connections: each stream holds one for minutes, and would keep others waiting.
            session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
            own = self._own[loop] = _Own(session, _keeper(session))
            await anext(own.keeper)
        return own.session

    def proxy(self, url: str) -> str | None:
        """Return the proxy that the environment names for `url`. A session that was passed decides for itself.

        Raises:
            InvalidArgumentError: aiohttp does not support this kind of proxy.
        """
        return proxy_for(url) if self.handed_in is None else None

    async def close(self) -> None:
        """Close our own sessions, and with them the connections of all streams.

        Raises:
            StreamCoreError: No event loop of asyncio is running.
        """
        self._closed = True
        here = _running_loop()
        while self._own:
            loop, own = self._own.popitem()
            if loop is here:
                await own.keeper.aclose()
            elif not loop.is_closed():
                loop.call_soon_threadsafe(loop.create_task, own.keeper.aclose())
            else:
                _close_late(own.session)

    def _forget_ended_loops(self) -> None:
        for loop in [loop for loop, own in self._own.items() if loop.is_closed() or own.session.closed]:
            _close_late(self._own.pop(loop).session)

    def __del__(self) -> None:
        # A loop that still runs closes its session when the keeper is dropped.
        if hasattr(self, "_own"):
            self._forget_ended_loops()

    def _end(self) -> None:
        """Close the sessions of loops that nobody runs or closes any more, as the interpreter exits."""
        for loop, own in list(self._own.items()):
            if not loop.is_running() and not loop.is_closed():
                loop.run_until_complete(own.keeper.aclose())


_all: weakref.WeakSet[Connections] = weakref.WeakSet()


@atexit.register
def _end_all() -> None:
    # While the interpreter is still whole: when it takes itself apart, a session that is open complains.
    for connections in list(_all):
        with contextlib.suppress(Exception):  # Python would print it, and nobody could handle it
            connections._end()


async def _keeper(session: aiohttp.ClientSession) -> AsyncGenerator[None]:
    """Hold a session, and close it when this generator is closed.

    Event loops close the async generators that are open when they end, and those that are dropped.
    """
    try:
        yield
    finally:
        await session.close()


def _close_late(session: aiohttp.ClientSession) -> None:
    """Close a session whose event loop has ended, so that waiting is neither possible nor needed."""
    closing = session.close()
    with contextlib.suppress(StopIteration):
        closing.send(None)
    closing.close()


def _running_loop() -> asyncio.AbstractEventLoop:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise StreamCoreError("aiohttp runs under asyncio, and no event loop of asyncio is running") from None
