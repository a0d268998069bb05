"""An httpx response as an answer: its body chunk by chunk, our exceptions in place of the library's, closed for sure.

An answer may be closed by another thread or task than the one that reads it, and one that is dropped without being
closed gives its connection back all the same.
"""

from __future__ import annotations

import contextlib
import functools
import queue
import socket
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from types import AsyncGeneratorType
from typing import Any, Self

import anyio

from streamcore.api.errors import APIConnectionError
from streamcore.httpx.library import library_of
from streamcore.httpx.loops import at_end, first_of, running_loop

__all__ = ["AsyncAnswer", "SyncAnswer", "in_library"]


class _Later(threading.local):
    """What a thread has to close as soon as it has left the HTTP library."""

    def __init__(self) -> None:
        self.depth = 0
        self.closings: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()

    def leave(self) -> None:
        self.depth -= 1
        while not self.depth and not self.closings.empty():
            with contextlib.suppress(Exception):  # whoever comes out has nothing to do with it
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
        # A transport of ours that plays captures has failed. No answer of the API's says so.
        if (error := getattr(response, "extensions", {}).get("streamcore_error")) is not None:
            raise error
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

    def _translated(self, error: Exception) -> APIConnectionError:
        """Our exception for one that reading has raised."""
        # Closed under the reader's hands, from another thread or task, the library fails in ways of its own.
        if self._http is not None and self._http.is_closed:
            return APIConnectionError("The client was closed.", request=self._request)
        if self._closed:
            return APIConnectionError("The stream was closed.", request=self._request)
        return self._library.translate(error, request=self._request, doing="reading the answer")

    def _closing_failed(self, error: Exception) -> APIConnectionError:
        return self._library.translate(error, request=self._request, doing="closing the connection")

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
        http: What has sent the request, if it is known: it says whether it `is_closed`.
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
            raise self._translated(error) from error
        finally:
            self._reading = False
            _later.leave()
            if self._closed:
                self._release()

    def close(self) -> None:
        """Close the connection, or give it back if the body was read to its end. May be called from any thread.

        Raises:
            APIConnectionError: It could not be closed in good order.
        """
        if not self._closed:
            self._closed = True
            if self._reading:
                if not _is_alone(self.response):
                    return  # no bytes would come through any more: the thread that waits for some closes after them
                # What waits for bytes is not woken by the closing of its socket, but it is by a shutdown.
                _shut_down(self._socket())
            self._release()

    def _release(self) -> None:
        if _later.depth:
            _later.closings.put(self.response.close)
        else:
            try:
                self.response.close()
            except Exception as error:
                raise self._closing_failed(error) from error

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

    def __init__(self, response: Any, *, http: Any = None, idle_timeout: float | None = None) -> None:
        super().__init__(response, http, idle_timeout)
        self._chunks: AsyncGenerator[bytes] = response.aiter_bytes()
        # The async generators that the body is read by, from the outermost to the innermost, once it is being read.
        self._generators: list[AsyncGeneratorType[Any, Any]] = []
        self._reading = False
        self._begun = False
        self._loop = running_loop()
        # An answer may go as part of a reference cycle, and what it refers to goes with it. What the loop shall close
        # at its end does not, up to then or to `_let_go()`: no generator is ever collected half-read.
        self._let_go = at_end(functools.partial(_close, response, self._generators))
        self._close = functools.partial(_close, response, self._generators, then=self._let_go)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        self._reading = True
        try:
            if self._begun:
                chunk = await self._chunks.__anext__()
            else:
                self._begun = True
                chunk = await first_of(self._chunks, self._generators)
        except StopAsyncIteration:
            raise
        except Exception as error:
            raise self._translated(error) from error
        finally:
            self._reading = False
            if self._closed:  # by another task, which has left the rest to this one
                self._close_without_waiting()
        return chunk

    @property
    def _is_over(self) -> bool:
        return self.response.is_closed and all(generator.ag_frame is None for generator in self._generators)

    async def aclose(self) -> None:
        """Close the connection, or give it back if the body was read to its end. May be called from any task.

        If nobody waits for it (the coroutine is thrown away at its first step, as by a stream that is dropped), it goes
        on in the background.

        Raises:
            APIConnectionError: It could not be closed in good order.
        """
        if self._closed:
            return
        self._closed = True
        if self._is_over:
            self._let_go()
            return
        try:
            await self._loop.pause()
        except BaseException:
            self._loop.spawn(self._close)
            raise
        try:
            if not self._reading:
                await self._close()
            elif _is_alone(self.response):
                await _close(self.response, [])  # which ends the read of the other task
        except Exception as error:
            raise self._closing_failed(error) from error

    def __del__(self) -> None:
        if hasattr(self, "_close") and not self._closed:  # the constructor has not failed
            # In a cycle, a stream that goes along may be finalized after this and call `aclose()`.
            self._closed = True
            self._close_without_waiting()

    def _close_without_waiting(self) -> None:
        if self._is_over:
            self._let_go()
        else:
            self._loop.spawn(self._close)


async def _close(
    response: Any, generators: list[AsyncGeneratorType[Any, Any]], *, then: Callable[[], object] = lambda: None
) -> None:
    # Closing is not cut short by the cancellation that led to it.
    with anyio.CancelScope(shield=True):
        try:
            await response.aclose()
        finally:
            # Some close those inside of them, some do not. They wait for nothing but to hear that they may end.
            for generator in generators:
                with contextlib.suppress(Exception):  # what they say to that is of no interest: the response is closed
                    await generator.aclose()
            then()


def _is_alone(response: Any) -> bool:
    """Whether the response has its connection for itself: HTTP/2 has many on one."""
    return bool(response.http_version.startswith("HTTP/1"))
