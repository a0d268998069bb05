"""A response of aiohttp as an answer: its body chunk by chunk, our exceptions in place of aiohttp's, closed for sure.

An answer may be closed by another task than the one that reads it, and one that is dropped without being closed closes
its connection all the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
import weakref
from typing import Any, Self

import aiohttp

from streamcore.aiohttp.connections import Connections
from streamcore.api.errors import APIConnectionError, connection_error

__all__ = ["AsyncAnswer", "failure"]


def failure(error: Exception, *, request: aiohttp.RequestInfo, doing: str) -> APIConnectionError:
    """Our exception for any that sending a request or reading an answer has raised: aiohttp's own and the system's, and
    what it calls on the way, of a session that was handed in, may raise others.
    """
    return connection_error(error, timed_out=isinstance(error, TimeoutError), request=request, doing=doing)


class AsyncAnswer:
    """The answer to a request.

    Args:
        response: Its body not read yet, or whole.
        idle_timeout: The longest silence between bytes of the body, in seconds.
        deadline: When the body has to be complete, by the clock of the event loop.
        connections: Those of the client that has asked, which live as long as this does.
        request_body: What was sent, if that is known: the response does not know it. Recordings look here.
    """

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        *,
        idle_timeout: float | None = None,
        deadline: float | None = None,
        connections: Connections | None = None,
        request_body: bytes = b"",
    ) -> None:
        self.response = response
        self.request_body = request_body
        self._already_read = response._body
        self._connections = connections
        self._thread = threading.get_ident()
        self._loop = asyncio.get_running_loop()
        self._watch_loss()
        self._bound_silence(idle_timeout)
        self._deadline = None
        if deadline is not None:
            self._deadline = self._loop.call_at(deadline, _expire, weakref.ref(response))
        self._closed = False

    @property
    def status(self) -> int:
        return self.response.status

    @property
    def headers(self) -> Any:
        return self.response.headers

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._already_read:
            chunk, self._already_read = self._already_read, None
            return chunk
        try:
            chunk = await self.response.content.readany()
        except Exception as error:
            chunk = _left_over(self.response.content)
            if not chunk:
                raise self._translated(error) from error
        if not chunk:
            self._unwatch()
            raise StopAsyncIteration
        return chunk

    def _translated(self, error: Exception) -> APIConnectionError:
        # Closed under the reader's hands, from another task.
        if self._connections is not None and self._connections.closed:
            return APIConnectionError("The client was closed.", request=self.response.request_info)
        if self._closed:
            return APIConnectionError("The stream was closed.", request=self.response.request_info)
        return failure(error, request=self.response.request_info, doing="reading the answer")

    async def aclose(self) -> None:
        """Close the connection, unless the body has been received to its end. May be called from any task.

        All is done before the first wait, so whoever cannot wait may run this all the same.
        """
        if not self._closed:
            self._closed = True
            self._unwatch()
            if _break_off(self.response, "the stream was closed"):
                await asyncio.sleep(0)  # in its next turn, the event loop closes the socket

    def keep_body(self, body: bytes) -> None:
        """Let `response` have what was read of the body of a failure, for its `text()`, `json()` and `read()`."""
        if self.response._body is None:
            self.response._body = body
        self.response._released = False

    def __del__(self) -> None:
        if getattr(self, "_closed", True):  # or the constructor has failed
            return
        try:
            self._unwatch()
            if self._thread == threading.get_ident() or self._loop.is_closed():
                _break_off(self.response, "the stream was dropped")
            else:
                self._loop.call_soon_threadsafe(_break_off, self.response, "the stream was dropped")
        except Exception:  # noqa: BLE001, S110
            # The loop has ended in the meantime, or the interpreter exits and has taken apart what is used here. Nobody
            # could handle the exception: Python would only print its traceback.
            pass

    # What ends a body besides its end

    def _bound_silence(self, idle_timeout: float | None) -> None:
        # Up to here the timeout has bounded the wait for the head, which may take longer. aiohttp sets it anew for each
        # request.
        protocol = _protocol(self.response)
        if idle_timeout is not None and protocol is not None:
            read = protocol.read_timeout
            protocol.read_timeout = idle_timeout if read is None else min(read, idle_timeout)
            protocol.start_timeout()

    def _watch_loss(self) -> None:
        # A reader whose session is closed by another task would wait forever: aiohttp does not tell it.
        protocol = _protocol(self.response)
        self._loss = protocol.closed if protocol is not None else None
        self._on_loss = functools.partial(_lost, self.response)
        if self._loss is not None:
            # The connection outlives the answer: what it fails with then has to be looked at, by one callback of all.
            self._loss.remove_done_callback(_look_at)
            self._loss.add_done_callback(_look_at)
            self._loss.add_done_callback(self._on_loss)

    def _unwatch(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        if self._loss is not None:
            self._loss.remove_done_callback(self._on_loss)


def _protocol(response: aiohttp.ClientResponse) -> Any:
    """What reads from the connection; `None` if the body has come with the head, and the connection was given back."""
    connection = response.connection
    return connection.protocol if connection is not None else None


def _left_over(content: aiohttp.StreamReader) -> bytes:
    """What had been received before a failure: aiohttp raises that first, and would never give this out."""
    error = content.exception()
    if error is None:
        return b""
    content.set_exception(None)  # type: ignore[arg-type]  # its initial value
    try:
        return content.read_nowait()
    finally:
        content.set_exception(error)


def _break_off(response: aiohttp.ClientResponse, why: str) -> bool:
    """Close the connection, and end a read that waits for more. False if the body has been received to its end."""
    if response.closed:
        return False
    if response.content.exception() is None:
        # aiohttp would take one exception for all, which gathers the tracebacks of all.
        response.content.set_exception(aiohttp.ClientConnectionError(why))
    connection = response.connection
    if connection is not None and connection.transport is not None:
        # TLS would take its leave of the peer, and need the event loop for longer than that may last.
        with contextlib.suppress(RuntimeError):  # it has ended already
            connection.transport.abort()
    response.close()
    return True


def _lost(response: aiohttp.ClientResponse, _: asyncio.Future[None]) -> None:
    _break_off(response, "the connection was closed")


def _look_at(loss: asyncio.Future[None]) -> None:
    if not loss.cancelled():
        loss.exception()


def _expire(reference: weakref.ref[aiohttp.ClientResponse]) -> None:
    response = reference()
    if response is not None and not response.closed and response.content.exception() is None:
        response.content.set_exception(TimeoutError("the time for the whole answer is over"))
