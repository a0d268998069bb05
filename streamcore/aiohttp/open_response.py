"""A response of aiohttp as an answer: its body in chunks, our exceptions in place of aiohttp's, reliably closed.

A task may close an answer while another one reads it. An answer that is dropped without being closed closes its
connection too.
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
from streamcore.errors import APIConnectionError, connection_error

__all__ = ["AiohttpAnswer", "failure"]


def failure(error: Exception, *, request: aiohttp.RequestInfo, doing: str) -> APIConnectionError:
    """Return our exception for one that was raised by sending a request or reading an answer.

    It may be aiohttp's, the system's, or any that is raised by parts of a session that the caller passed.
    """
    return connection_error(error, timed_out=isinstance(error, TimeoutError), request=request, doing=doing)


class AiohttpAnswer:
    """The answer to a request.

    Args:
        response: A response whose body was not read yet, or was read completely.
        idle_timeout: The longest silence between bytes of the body, in seconds.
        deadline: When the body must be complete, by the clock of the event loop.
        connections: The connections of the client, which must live as long as this answer.
    """

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        *,
        idle_timeout: float | None = None,
        deadline: float | None = None,
        connections: Connections | None = None,
    ) -> None:
        self.response = response
        self.is_drainable = True
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
        # Another task may have closed it during the read.
        if self._connections is not None and self._connections.closed:
            return APIConnectionError("The client was closed.", request=self.response.request_info)
        if self._closed:
            return APIConnectionError("The stream was closed.", request=self.response.request_info)
        return failure(error, request=self.response.request_info, doing="reading the answer")

    async def aclose(self) -> None:
        """Close the connection, unless the body was received to its end. Any task may call this.

        Everything is done before the first wait, so a stream that is dropped may start the coroutine and throw it away.
        """
        if not self._closed:
            self._closed = True
            self._unwatch()
            if _break_off(self.response, "the stream was closed"):
                await asyncio.sleep(0)  # in its next turn, the event loop closes the socket

    def keep_body(self, body: bytes) -> None:
        """Make `body` the body of `response`, for its `text()`, `json()` and `read()`."""
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

    # Other things that end a body: silence, a deadline, the loss of the connection

    def _bound_silence(self, idle_timeout: float | None) -> None:
        # Until now the timeout limited the wait for the head, which may take longer. aiohttp sets it for each request.
        protocol = _protocol(self.response)
        if idle_timeout is not None and protocol is not None:
            read = protocol.read_timeout
            protocol.read_timeout = idle_timeout if read is None else min(read, idle_timeout)
            protocol.start_timeout()

    def _watch_loss(self) -> None:
        # If another task closes the session, aiohttp does not wake the reader, which would wait forever.
        protocol = _protocol(self.response)
        self._loss = protocol.closed if protocol is not None else None
        self._on_loss = functools.partial(_lost, self.response)
        if self._loss is not None:
            # The connection outlives the answer. If it fails later, its exception must be retrieved, or asyncio logs
            # it. All answers on a connection share one callback for that.
            self._loss.remove_done_callback(_look_at)
            self._loss.add_done_callback(_look_at)
            self._loss.add_done_callback(self._on_loss)

    def _unwatch(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        if self._loss is not None:
            self._loss.remove_done_callback(self._on_loss)


def _protocol(response: aiohttp.ClientResponse) -> Any:
    """Return the protocol of the connection, or None if the body came with the head and the connection is released."""
    connection = response.connection
    return connection.protocol if connection is not None else None


def _left_over(content: aiohttp.StreamReader) -> bytes:
    """Return the bytes that were received before a failure. aiohttp raises the failure first, and would drop them."""
    error = content.exception()
    if error is None:
        return b""
    content.set_exception(None)  # type: ignore[arg-type]  # its initial value
    try:
        return content.read_nowait()
    finally:
        content.set_exception(error)


def _break_off(response: aiohttp.ClientResponse, why: str) -> bool:
    """Close the connection, and end a read that is waiting. Return False if the body was received to its end."""
    if response.closed:
        return False
    if response.content.exception() is None:
        # aiohttp would raise one and the same exception in all readers, which would collect all their tracebacks.
        response.content.set_exception(aiohttp.ClientConnectionError(why))
    connection = response.connection
    if connection is not None and connection.transport is not None:
        # A TLS shutdown waits for the peer, and may need the event loop for longer than it runs.
        with contextlib.suppress(RuntimeError):  # the event loop has ended
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
        response.content.set_exception(TimeoutError("the whole answer took longer than its timeout"))
