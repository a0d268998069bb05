"""The session that a client sends with: one that the caller passed, or one of its own for each event loop.

A session of aiohttp belongs to an event loop and must be closed before the loop ends. But a client is often made before
a loop runs, and dropped without being closed. So its own session is made when the first request is sent. It is closed
with the client, when the client is dropped, at the end of its loop, or when the interpreter exits.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools

import aiohttp

from streamcore.aiohttp.proxies import proxy_for
from streamcore.api.loops import Loop, running_loop
from streamcore.errors import APIConnectionError, InvalidArgumentError, StreamCoreError

__all__ = ["Connections"]


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
        self._own: dict[Loop, aiohttp.ClientSession] = {}
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether sending is not possible any more."""
        return self._closed or (self.handed_in is not None and self.handed_in.closed)

    def session(self) -> aiohttp.ClientSession:
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
        session = self._own.get(loop)
        if session is None or session.closed:
            self._own = {each: own for each, own in self._own.items() if not own.closed}
            # Without a limit on connections: each stream holds one for minutes, and would keep others waiting.
            session = self._own[loop] = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
            loop.closings[session.close] = functools.partial(_close_late, session, asyncio.get_running_loop())
        return session

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
            loop, session = self._own.popitem()
            if loop is here:
                await loop.close(session.close)
            else:
                loop.spawn(session.close)

    def __del__(self) -> None:
        for loop, session in getattr(self, "_own", {}).items():  # the constructor may have failed
            if not session.closed:
                loop.spawn(session.close)


def _close_late(session: aiohttp.ClientSession, loop: asyncio.AbstractEventLoop) -> None:
    """Close a session if its event loop has ended, so that waiting is neither possible nor needed."""
    if loop.is_closed():
        closing = session.close()
        with contextlib.suppress(StopIteration):
            closing.send(None)
        closing.close()


def _running_loop() -> Loop:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise StreamCoreError("aiohttp runs under asyncio, and no event loop of asyncio is running") from None
    return running_loop()
