"""An httpx response as an answer: its body in chunks, our exceptions in place of the library's, reliably closed.

A thread or task may close an answer while another one reads it. An answer that is dropped without being closed gives
its connection back too.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import queue
import socket
import threading
import time
import weakref
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from types import AsyncGeneratorType
from typing import Any, Self

import anyio

from streamcore._objects.ticket import Ticket
from streamcore.api.loops import running_loop
from streamcore.errors import APIConnectionError, as_raised
from streamcore.httpx.generators import abandon, first_of
from streamcore.httpx.library import translate

__all__ = ["AsyncHttpxAnswer", "HttpxAnswer", "in_library", "open_answers"]


class _DeferredClosings(threading.local):
    """The answers that a thread has to close as soon as it has left the HTTP library."""

    def __init__(self) -> None:
        self.depth = 0
        self.closings: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()

    def leave(self) -> None:
        self.depth -= 1
        while not self.depth and not self.closings.empty():
            with contextlib.suppress(Exception):  # the caller of the library did not ask for this
                self.closings.get_nowait()()


_deferred = _DeferredClosings()


@contextlib.contextmanager
def in_library() -> Iterator[None]:
    """Note that this thread is inside the HTTP library, which may be changing its connection pool.

    Garbage collection and signal handlers may run there. If they close an answer, they must not touch the pool: the
    library is changing it, or this thread holds its lock. So the answer is closed when the thread leaves the library.
    """
    _deferred.depth += 1
    try:
        yield
    finally:
        _deferred.leave()


class _HttpxAnswerBase:
    """The common part: the head of the answer, and the translation of exceptions."""

    def __init__(self, response: Any, http: Any, idle_timeout: float | None) -> None:
        # Our transport that plays captures has failed. Answers of the API do not have this extension.
        if (error := getattr(response, "extensions", {}).get("streamcore_error")) is not None:
            raise error
        self.response = response
        self._http = http
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
        """Make `body` the body of `response`.

        The library keeps nothing of a body that is read in chunks, and its own `read()` does not limit the size.
        """
        if not hasattr(self.response, "_content"):  # if it was read before, it has the whole body
            self.response._content = body

    @property
    def _request(self) -> Any:
        try:
            return self.response.request
        except RuntimeError:  # a response that was made by hand does not have a request
            return None

    def _bound_silence(self, idle_timeout: float | None) -> None:
        # The transport looks up the read timeout when it begins to read a body. From now on it limits the silence
        # between bytes. Until now it limited the wait for the head, which may take longer.
        timeouts = getattr(self._request, "extensions", {}).get("timeout")
        if idle_timeout is not None and timeouts is not None:
            read = timeouts.get("read")
            timeouts["read"] = idle_timeout if read is None else min(read, idle_timeout)

    def _translated(self, error: Exception) -> APIConnectionError:
        """Return our exception for one that was raised by reading."""
        # If another thread or task closed the answer during the read, the library raises all kinds of exceptions.
        if self._http is not None and self._http.is_closed:
            made = APIConnectionError("The client was closed.", request=self._request)
        elif self._closed:
            made = APIConnectionError("The stream was closed.", request=self._request)
        else:
            made = translate(error, thing=self.response, request=self._request, doing="reading the answer")
        made.__cause__ = error
        return as_raised(made, self.response)

    def _closing_failed(self, error: Exception) -> APIConnectionError:
        made = translate(error, thing=self.response, request=self._request, doing="closing the connection")
        made.__cause__ = error
        return as_raised(made, self.response)

    def _socket(self) -> socket.socket | None:
        """Return the socket, if it belongs to this answer alone."""
        if self.response.is_closed or not _is_alone(self.response):
            return None
        stream = self.response.extensions.get("network_stream")
        found = stream.get_extra_info("socket") if stream is not None else None
        return found if isinstance(found, socket.socket) else None


class HttpxAnswer(_HttpxAnswerBase):
    """The answer to a request that was sent with `stream=True`.

    Args:
        response: A response of httpx2 or httpx.
        http: The sender of the request, if it is known. It has `is_closed`.
        idle_timeout: The longest silence between bytes of the body, in seconds.
    """

    def __init__(self, response: Any, *, http: Any = None, idle_timeout: float | None = None) -> None:
        super().__init__(response, http, idle_timeout)
        self._chunks: Generator[bytes] = response.iter_bytes()
        self._reading = False
        self._ticket = Ticket()  # for `_release`
        with _lock:
            _open.add(self)

    @property
    def is_drainable(self) -> bool:
        """Whether draining pays: closing would cost the connection. False with HTTP/2 and without a socket."""
        return self._socket() is not None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        # This is `in_library()` without its cost, as it runs for every chunk.
        _deferred.depth += 1
        self._reading = True
        try:
            if self._closed:
                raise RuntimeError("another thread has closed the answer before this read")
            return next(self._chunks)
        except StopIteration:
            raise
        except Exception as error:
            raise self._translated(error) from error
        finally:
            self._reading = False
            _deferred.leave()
            if self._closed:
                self._release()

    def close(self) -> None:
        """Close the connection, or give it back if the body was read to its end. Any thread may call this.

        Raises:
            APIConnectionError: The connection could not be closed cleanly.
        """
        if not self._closed:
            # A reader sets `_reading` before it looks at `_closed`. This sets `_closed` before it looks at `_reading`.
            # So at least one of the two threads sees what the other has set.
            self._closed = True
            if not self._reading:
                self._release()
            elif _is_alone(self.response):
                # A shutdown wakes the thread that waits for bytes of the socket; closing the socket would not. The
                # reader closes it. If it was closed here, its number could go to a new socket, and a reader that is
                # about to wait would wait for the new one.
                _shut_down(self._socket())

    def wait_for_reader(self) -> None:
        """Wait a second at most for another thread to end a read, after `close()`."""
        for _ in range(0 if _deferred.depth else 100):
            if not self._reading or self._socket() is None:  # without a socket, nothing has woken it up
                return
            time.sleep(0.01)

    def _release(self) -> None:
        # A reader that has just ended a read and a thread that closes may both come here. Closed by two threads at
        # once, a response may close a connection that another request has got in the meantime.
        if not self._ticket.take():
            return
        if _deferred.depth:
            _deferred.closings.put(self.response.close)
        else:
            try:
                self.response.close()
            except Exception as error:
                raise self._closing_failed(error) from error

    def __del__(self) -> None:
        try:  # noqa: SIM105  # at interpreter exit, `contextlib` may be gone
            self.close()
        except Exception:  # noqa: BLE001, S110  # nobody could handle it
            pass


_open: weakref.WeakSet[HttpxAnswer] = weakref.WeakSet()
_lock = threading.RLock()  # a signal handler may close a client while its thread holds the lock


def open_answers(http: Any) -> list[HttpxAnswer]:
    """Return the answers to what `http` sent that still exist."""
    with _lock:
        return [answer for answer in _open if answer._http is http]


@atexit.register
def _close_at_exit() -> None:
    """Close what is open while the interpreter is still whole.

    Later, the HTTP library fails, and Python prints the traceback; CPython 3.13.0 even crashes. While a daemon thread
    is running, nothing is closed: the thread may be reading, and would print an exception that is not its fault.
    """
    if threading.active_count() == 1:
        for answer in list(_open):
            with contextlib.suppress(Exception):
                answer.close()


def _shut_down(found: socket.socket | None) -> None:
    if found is not None:
        # The method of a TLS socket would take the TLS state away from the thread that reads, so call the plain one.
        # It fails if the peer has closed the connection.
        with contextlib.suppress(OSError):
            socket.socket.shutdown(found, socket.SHUT_RDWR)


class AsyncHttpxAnswer(_HttpxAnswerBase):
    """The answer to a request that was sent with `stream=True`, under asyncio or trio.

    Args:
        response: A response of httpx2 or httpx.
        http: The library's client that sent the request, if it is known.
        idle_timeout: The longest silence between bytes of the body, in seconds.
    """

    def __init__(self, response: Any, *, http: Any = None, idle_timeout: float | None = None) -> None:
        super().__init__(response, http, idle_timeout)
        self._chunks: AsyncGenerator[bytes] = response.aiter_bytes()
        # The async generators that read the body, from the outermost to the innermost, once reading has begun.
        self._generators: list[AsyncGeneratorType[Any, Any]] = []
        self._reading = False
        self._loop = running_loop()
        # An answer may be collected as part of a reference cycle, together with everything that only it refers to. The
        # loop keeps the generators alive until they are closed, so that none is ever collected half-read.
        self._close = functools.partial(_close, response, self._generators)
        self._loop.closings[self._close] = functools.partial(abandon, self._generators)

    @property
    def is_drainable(self) -> bool:
        """Whether draining pays: closing would cost the connection. False with HTTP/2."""
        return _is_alone(self.response)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        self._reading = True
        try:
            has_begun = bool(self._generators)
            chunk = await (anext(self._chunks) if has_begun else first_of(self._chunks, self._generators))
        except StopAsyncIteration:
            raise
        except Exception as error:
            raise self._translated(error) from error
        finally:
            self._reading = False
            if self._closed:  # another task closed it and left the rest to this one
                self._close_without_waiting()
        return chunk

    def _is_over(self) -> bool:
        """Return whether nothing has to be closed any more, and make the loop forget this answer then."""
        is_over = self.response.is_closed and all(generator.ag_frame is None for generator in self._generators)
        if is_over:
            self._loop.closings.pop(self._close, None)
        return is_over

    async def aclose(self) -> None:
        """Close the connection, or give it back if the body was read to its end. Any task may call this.

        If the coroutine is thrown away at its first step, as a stream does that is dropped, closing continues in the
        background.

        Raises:
            APIConnectionError: The connection could not be closed cleanly.
        """
        if self._closed:
            return
        self._closed = True
        if self._is_over():
            return
        try:
            await self._loop.pause()
        except BaseException:
            self._loop.spawn(self._close)
            raise
        try:
            if not self._reading:
                await self._loop.close(self._close)
            elif _is_alone(self.response):
                await _close(self.response, [])  # this ends the read of the other task
        except Exception as error:
            raise self._closing_failed(error) from error

    def __del__(self) -> None:
        if hasattr(self, "_close") and not self._closed:  # the constructor has not failed
            # In a reference cycle, the stream may be finalized after this answer, and call `aclose()`.
            self._closed = True
            self._close_without_waiting()

    def _close_without_waiting(self) -> None:
        if not self._is_over():
            self._loop.spawn(self._close)


async def _close(response: Any, generators: list[AsyncGeneratorType[Any, Any]]) -> None:
    # The cancellation that led to closing must not interrupt it.
    with anyio.CancelScope(shield=True):
        try:
            await response.aclose()
        finally:
            # Some close the generators inside of them, some do not.
            for generator in generators:
                with contextlib.suppress(Exception):  # the response is closed, so their errors do not matter
                    await generator.aclose()


def _is_alone(response: Any) -> bool:
    """Return whether the response has a connection of its own. With HTTP/2, several share one."""
    return bool(response.http_version.startswith("HTTP/1"))
