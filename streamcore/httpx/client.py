"""`Anthropic` and `AsyncAnthropic` on httpx2, or on a client of httpx2 or httpx that the caller passes.

This module has only what depends on httpx: sending, waiting, closing. The rest of a client is in `streamcore.api`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from urllib.request import getproxies

import anyio
import httpx2

from streamcore.api.client import BaseClient, Call
from streamcore.api.face import AsyncClient, SyncClient
from streamcore.api.loops import running_loop
from streamcore.api.request import without_userinfo
from streamcore.errors import APIConnectionError, InvalidArgumentError
from streamcore.httpx.library import DEFAULT_TIMEOUT, library_of, timeouts_of, translate
from streamcore.httpx.open_response import AsyncHttpxAnswer, HttpxAnswer, in_library, open_answers

__all__ = [
    "DEFAULT_CONNECTION_LIMITS",
    "DEFAULT_TIMEOUT",
    "Anthropic",
    "AsyncAnthropic",
    "DefaultAsyncHttpxClient",
    "DefaultHttpxClient",
]

_T = TypeVar("_T")

# A stream holds its connection for minutes. httpx's own limit of 100 is meant for short answers.
DEFAULT_CONNECTION_LIMITS = httpx2.Limits(max_connections=1000, max_keepalive_connections=100)
_DEFAULTS = {"timeout": DEFAULT_TIMEOUT, "limits": DEFAULT_CONNECTION_LIMITS, "follow_redirects": True}


class _HttpxClient(BaseClient[Any]):
    """What the two clients share."""

    _http: Any

    def _use(self, http_client: Any, kind: str, make: Callable[[], Any]) -> None:
        """Send with `http_client`, or with an HTTP client of our own if it is None."""
        self._http = _checked_http(http_client, kind) if http_client is not None else _own(make)
        # Redirects to the same origin are followed if the library's client would follow them.
        self._follows_redirects = bool(getattr(self._http, "follow_redirects", True))

    def _arguments(self) -> dict[str, Any]:
        return {**super()._arguments(), "http_client": self._http}

    def _checked_timeout(self, timeout: Any) -> Any:
        timeouts_of(timeout, DEFAULT_TIMEOUT)
        return timeout

    def _check_open(self, cause: Exception | None = None) -> None:
        """Check that the client is open.

        Raises:
            APIConnectionError: It was closed, which may be the reason for `cause`.
        """
        if self.is_closed():
            raise APIConnectionError("The client was closed.") from cause

    def _request(self, call: Call) -> Any:
        """Return the library's request for one attempt.

        Raises:
            APIConnectionError: The client was closed.
            InvalidArgumentError: The URL or the timeout is invalid.
        """
        self._check_open()
        request = call.request
        try:
            return self._http.build_request(
                request.method,
                request.url,
                headers=request.headers,
                content=request.body,
                extensions={"timeout": timeouts_of(call.timeout, self._http.timeout)},
            )
        except library_of(self._http).InvalidURL as error:
            raise InvalidArgumentError(f"the URL {without_userinfo(request.url)!r} is invalid: {error}") from error

    @contextlib.contextmanager
    def _translating(self, request: Any = None, *, doing: str) -> Iterator[None]:
        """Raise our exceptions for those of the library."""
        try:
            yield
        except Exception as error:
            if request is not None:
                self._check_open(error)
            raise translate(error, thing=self._http, request=request, doing=doing) from error


class Anthropic(_HttpxClient, SyncClient[Any]):
    """A client of the API for sync code; threads may share it.

    ```python
    with Anthropic() as client:
        with client.messages.stream(model=..., max_tokens=1024, messages=[...]) as stream:
            for text in stream.text_stream:
                print(text, end="", flush=True)
    ```

    `http_client` is an `httpx2.Client` or an `httpx.Client`. It is closed with this client, whereas a session that is
    passed to `streamcore.aiohttp` stays open. Its timeout is used if `timeout` is not given. The library's default of 5
    seconds is too short for a model and is not used: pass it as `timeout` if you want it. `DefaultHttpxClient` has our
    defaults. If it has `follow_redirects=False`, redirects are not followed; otherwise those within an origin are.

    With HTTP/2, several streams share a connection. So if a stream is closed while another thread or task waits for its
    bytes, that wait ends with the next bytes or its timeout.
    """

    def _send_with(self, http_client: Any) -> None:
        shared = http_client if isinstance(http_client, _Live) else None  # a copy gets that of its original
        self._use(http_client if shared is None else shared.http, "Client", _OwnClient)
        self._live = _Live(self._http) if shared is None else shared

    def close(self) -> None:
        """Close all connections, including those of copies of this client and of an `http_client` that was passed.

        A thread that reads an answer wakes up. One that waits for an answer to begin wakes up at its timeout.

        Raises:
            APIConnectionError: A connection could not be closed cleanly. The client is closed nevertheless.
        """
        with contextlib.ExitStack() as closings:  # it continues when one of them raises
            closings.callback(self._close_http)
            self._live.close()

    def _close_http(self) -> None:
        with self._translating(doing="closing the connections"), in_library():
            self._http.close()

    def is_closed(self) -> bool:
        """Return whether `close()` was called."""
        return self._live.is_closed

    def _arguments(self) -> dict[str, Any]:
        return {**super()._arguments(), "http_client": self._live}

    def _send(self, call: Call) -> HttpxAnswer:
        request = self._request(call)
        with self._translating(request, doing="waiting for the answer"), in_library():
            response = self._http.send(request, stream=True, follow_redirects=False)
        return HttpxAnswer(response, http=self._live, idle_timeout=call.idle_timeout)


class AsyncAnthropic(_HttpxClient, AsyncClient[Any]):
    """A client of the API for async code, under asyncio or trio.

    ```python
    async with AsyncAnthropic() as client:
        async with client.messages.stream(model=..., max_tokens=1024, messages=[...]) as stream:
            async for text in stream.text_stream:
                print(text, end="", flush=True)
    ```

    `http_client` is an `httpx2.AsyncClient` or an `httpx.AsyncClient`. All that `Anthropic` says about it applies.
    `DefaultAsyncHttpxClient` has our defaults.
    """

    def _send_with(self, http_client: Any) -> None:
        self._use(http_client, "AsyncClient", _OwnAsyncClient)

    async def close(self) -> None:
        """Close all connections, including those of copies of this client and of an `http_client` that was passed.

        Raises:
            APIConnectionError: A connection could not be closed cleanly, such as one that another event loop left open.
                The client is closed nevertheless.
        """
        with self._translating(doing="closing the connections"):
            await self._http.aclose()

    def is_closed(self) -> bool:
        """Return whether `close()` was called."""
        return bool(self._http.is_closed)

    async def _send(self, call: Call) -> AsyncHttpxAnswer:
        request = self._request(call)
        with self._translating(request, doing="waiting for the answer"):
            response = await self._http.send(request, stream=True, follow_redirects=False)
        if (connection := response.extensions.get("network_stream")) is not None:
            running_loop().keep(connection)
        return AsyncHttpxAnswer(response, http=self._http, idle_timeout=call.idle_timeout)

    async def _sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)


class _Live:
    """Whether a sync client and its copies are open, which share their connections.

    Closing a socket does not wake a thread that waits for its bytes. Closing an answer does.
    """

    def __init__(self, http: Any) -> None:
        self.http = http
        self._closed = False

    @property
    def is_closed(self) -> bool:
        return self._closed or bool(self.http.is_closed)

    def close(self) -> None:
        self._closed = True  # first, so that threads that wake up see why
        with contextlib.ExitStack() as closings:
            answers = open_answers(self)
            for answer in answers:
                closings.callback(answer.wait_for_reader)  # the last calls, as callbacks run in reverse
            for answer in answers:
                closings.callback(answer.close)


def _checked_http(http: Any, kind: str) -> Any:
    """Return the `http_client` that was passed.

    Raises:
        InvalidArgumentError: It is not a client of the library, or it is sync where async is needed, or the reverse.
    """
    close = "close" if kind == "Client" else "aclose"
    if not all(hasattr(http, name) for name in ("build_request", "send", "timeout", "is_closed", close)):
        raise InvalidArgumentError(f"http_client must be an httpx2.{kind} or an httpx.{kind}, not {http!r}")
    return http


class DefaultHttpxClient(httpx2.Client):
    """An `httpx2.Client` with our defaults. Change some of them and pass it as `http_client`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**_DEFAULTS, **options})


class DefaultAsyncHttpxClient(httpx2.AsyncClient):
    """Like `DefaultHttpxClient`, for async code."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**_DEFAULTS, **options})


# Programs make a client and never close it, so its connections are closed when it is dropped. That may be when the
# interpreter exits, and then anything that `__del__` uses may be gone, in the HTTP library and in this module too.
# Nobody can handle an exception there: Python would only print its traceback.


class _OwnClient(DefaultHttpxClient):
    def __del__(self) -> None:
        try:
            if _is_whole(self) and not self.is_closed:
                self.close()
        except Exception:  # noqa: BLE001, S110  # `contextlib` may be gone too
            pass


class _OwnAsyncClient(DefaultAsyncHttpxClient):
    def __del__(self) -> None:
        try:
            # Without a running loop there is nothing to close: the connections belonged to a loop that has ended.
            if _is_whole(self) and not self.is_closed:
                running_loop().spawn(self.aclose)
        except Exception:  # noqa: BLE001, S110
            pass


def _is_whole(http: httpx2.Client | httpx2.AsyncClient) -> bool:
    """Return whether the constructor has finished: what it makes last is what `close` needs."""
    return hasattr(http, "_mounts")


def _own(make: Callable[[], _T]) -> _T:
    """Return an HTTP client of our own, which follows the environment.

    Raises:
        InvalidArgumentError: The proxies or certificates that the environment names are invalid.
    """
    try:
        return make()
    except (ValueError, ImportError, OSError, httpx2.InvalidURL) as error:
        # The message about an invalid proxy URL shows what looks like the port, which may be a part of the password.
        secret = isinstance(error, httpx2.InvalidURL) and any("@" in url for url in getproxies().values())
        said = type(error).__name__ if secret else without_userinfo(str(error))
        raise InvalidArgumentError(f"no HTTP client can be made in this environment: {said}") from None
