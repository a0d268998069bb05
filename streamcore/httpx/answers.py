"""An httpx response as an answer: its body chunk by chunk, our exceptions in place of the library's, closed for sure.

An answer may be closed by another thread or task than the one that reads it, and one that is dropped without being
closed gives its connection back all the same.
"""

from __future__ import annotations

import contextlib
import functools
import os
import queue
import socket
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from typing import Any, ClassVar, Self

import anyio

from streamcore.api.errors import APIConnectionError
from streamcore.httpx.library import library_of
from streamcore.httpx.loops import at_end, running_loop

__all__ = ["AsyncAnswer", "SyncAnswer", "in_library"]


class _Later(threading.local):
    """What a thread has to close as soon as it has left the HTTP library."""

    def __init__(self) -> None:
        self.depth = 0
        self.closings: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()

    def leave(self) -> None:
        self.depth -= 1
        while not self.depth and not self.closings.empty():
            self.closings.get_nowait()()


_later = _Later()


@contextlib.contextmanager
def in_library() -> Iterator[None]:
    """This thread is inside the HTTP library, which may be at work on its connection pool.

    Garbage may be collected there, and signals handled: an answer that is closed by these must leave the pool alone,
    which would change under the library's hands, or whose lock would never come free. It is closed when the thread
    comes out.
    """
    _later.depth += 1
    try:
        yield
    finally:
        _later.leave()


class _Answer:
    """What both have: the head, and how the body's exceptions are ours."""

    def __init__(self, response: Any, http: Any, idle_timeout: float | None) -> None:
        self.response = response
        self._http = http
        self._library = library_of(response)
        self._closed = False
        self._bound_silence(idle_timeout)

    @property
    def status(self) -> int:
        status: int = self.response.status_code
        return status

    @property
    def headers(self) -> Any:
        return self.response.headers

    def keep_body(self, body: bytes) -> None:
        """Let `response` have `body` for its body: of what was read chunk by chunk it has kept nothing, and its own
        `read()`, which would have, knows no bound.
        """
        if not hasattr(self.response, "_content"):  # one that was read before it was handed in has it whole
            self.response._content = body

    @property
    def _request(self) -> Any:
        try:
            return self.response.request
        except RuntimeError:  # a response made by hand has none, and says so in this way
            return None

    def _bound_silence(self, idle_timeout: float | None) -> None:
        # The transport looks the read timeout up when it begins to read a body. From here on it bounds the silence
        # between bytes; up to here it has bounded the wait for the head, which may take longer.
        timeouts = getattr(self._request, "extensions", {}).get("timeout")
        if idle_timeout is not None and timeouts is not None:
            read = timeouts.get("read")
            timeouts["read"] = idle_timeout if read is None else min(read, idle_timeout)

    def _translated(self, error: Exception) -> APIConnectionError | None:
        """Our exception for one that reading has raised, `None` if that is no matter of the connection."""
        if self._closed:
            # Closed under the reader's hands, from another thread or task, the library fails in ways of its own.
            return APIConnectionError("The stream was closed.", request=self._request)
        if self._http is not None and self._http.is_closed:
            return APIConnectionError("The client was closed.", request=self._request)
        if isinstance(error, self._library.failures):
            return self._library.translate(error, request=self._request, doing="reading the answer")
        return None

    def _socket(self) -> socket.socket | None:
        """The socket, if it belongs to this answer alone."""
        if self.response.is_closed or not _is_alone(self.response):
            return None
        stream = self.response.extensions.get("network_stream")
        found = stream.get_extra_info("socket") if stream is not None else None
        return found if isinstance(found, socket.socket) else None


class SyncAnswer(_Answer):
    """The answer to a request sent with `stream=True`.

    Args:
        response: Of httpx2 or httpx.
        http: The library's client that has sent the request, if it is known.
        idle_timeout: The longest silence between bytes of the body, in seconds.
    """

    def __init__(self, response: Any, *, http: Any = None, idle_timeout: float | None = None) -> None:
        super().__init__(response, http, idle_timeout)
        self._chunks: Generator[bytes] = response.iter_bytes()
        self._reading = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        # `in_library()` written out: this runs for every chunk.
        _later.depth += 1
        self._reading = True
        try:
            return next(self._chunks)
        except StopIteration:
            raise
        except Exception as error:
            translated = self._translated(error)
            if translated is None:
                raise
            raise translated from error
        finally:
            self._reading = False
            _later.leave()

    def close(self) -> None:
        """Close the connection, or give it back if the body was read to its end. May be called from any thread."""
        if not self._closed:
            self._closed = True
            if self._reading:
                # What waits for bytes is not woken by the closing of its socket, but it is by a shutdown.
                _shut_down(self._socket())
            if _later.depth:
                _later.closings.put(self.response.close)
            else:
                self.response.close()

    def __del__(self) -> None:
        with contextlib.suppress(Exception):  # there is no one to raise it to
            self.close()


def _shut_down(found: socket.socket | None) -> None:
    if found is not None:
        # Not the method of a TLS socket, which would take the TLS state away from the thread that reads. The peer may
        # have been faster, and then there is nothing to shut down.
        with contextlib.suppress(OSError):
            socket.socket.shutdown(found, socket.SHUT_RDWR)


class AsyncAnswer(_Answer):
    """The answer to a request sent with `stream=True`, under asyncio or trio.

    Args:
        response: Of httpx2 or httpx.
        http: The library's client that has sent the request, if it is known.
        idle_timeout: The longest silence between bytes of the body, in seconds.
    """

    _late: ClassVar[set[AsyncGenerator[bytes]]] = set()

    def __init__(self, response: Any, *, http: Any = None, idle_timeout: float | None = None) -> None:
        super().__init__(response, http, idle_timeout)
        self._chunks: AsyncGenerator[bytes] = response.aiter_bytes()
        self._reading = False
        self._begun = False
        self._loop = running_loop()
        # An answer may go as part of a reference cycle, and what it refers to goes with it; but an async generator that
        # is collected half-read is one for the event loop to close and for trio to warn of. What is to be closed at the
        # loop's end does not go: it is closed as after any other drop.
        self._let_go = at_end(functools.partial(_aclose, response, self._chunks))

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        self._reading = True
        try:
            if self._begun:
                return await self._chunks.__anext__()
            self._begun = True
            return await self._loop.first(self._chunks)
        except StopAsyncIteration:
            raise
        except Exception as error:
            translated = self._translated(error)
            if translated is None:
                raise
            raise translated from error
        finally:
            self._reading = False

    async def aclose(self) -> None:
        """Close the connection, or give it back if the body was read to its end. May be called from any task.

        Closing takes several steps, and one that is broken off cannot be taken up again. So if nobody waits for it
        (the coroutine is thrown away at its first step, as by a stream that is dropped), it goes on in the background.
        """
        if self._closed:
            return
        self._closed = True
        self._let_go()
        if self.response.is_closed:
            return
        close = functools.partial(_aclose, self.response, None if self._reading else self._chunks)
        try:
            await self._loop.pause()
        except BaseException:
            self._loop.spawn(close, late=self._close_late)
            raise
        await close()

    def __del__(self) -> None:
        # One that was closed keeps what `_close_late` holds.
        if hasattr(self, "_let_go") and not self._closed:  # the constructor has not failed
            # In a cycle, a stream that goes along may be finalized after this and call `aclose()`.
            self._closed = True
            self._let_go()
            if not self.response.is_closed:
                close = functools.partial(_aclose, self.response, self._chunks)
                self._loop.spawn(close, late=self._close_late)

    def _close_late(self) -> None:
        """Close the socket without waiting. The loop itself closes the generators that are left, if they stay alive."""
        self._late.add(self._chunks)
        stream = self.response.extensions.get("network_stream")
        found = stream.get_extra_info("socket") if stream is not None else None
        # The way to close a socket of trio's that works while trio runs and after.
        with contextlib.suppress(AttributeError, OSError):
            if found is not None:
                os.close(found.detach())


async def _aclose(response: Any, chunks: AsyncGenerator[bytes] | None) -> None:
    # Closing is not cut short by the cancellation that led to it.
    with anyio.CancelScope(shield=True):
        await response.aclose()
        if chunks is not None:
            await _finish(response, chunks)


async def _finish(response: Any, chunks: AsyncGenerator[bytes]) -> None:
    """End the generator behind the body of a closed response, and with it those that it is made of.

    Its `aclose()` would leave some of the inner ones half-read: asyncio closes those in the background, trio warns of
    them. So it is read on: after what had been received before the closing, the closed connection raises an error,
    which ends them all. That is so for a connection of HTTP/1 only: one of HTTP/2 stays open.
    """
    if _is_alone(response) and "network_stream" in response.extensions:
        with contextlib.suppress(Exception):
            async for _ in chunks:
                pass
    with contextlib.suppress(
        RuntimeError
    ):  # at its end, an event loop closes all generators, this one perhaps just now
        await chunks.aclose()


def _is_alone(response: Any) -> bool:
    """Whether the response has its connection for itself: HTTP/2 has many on one."""
    return bool(response.http_version.startswith("HTTP/1"))
