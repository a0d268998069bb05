"""`AsyncAnthropic` on aiohttp.

Only what is aiohttp's own is here: sending, waiting, closing. The rest of a client is in `streamcore.api`.
"""

from __future__ import annotations

import asyncio
from typing import Any, Self

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from streamcore.aiohttp.answers import AsyncAnswer, failure
from streamcore.aiohttp.bodies import Body
from streamcore.aiohttp.connections import Connections
from streamcore.aiohttp.timeouts import DEFAULT_TIMEOUT, steps_of, timeouts_of
from streamcore.api.client import Call
from streamcore.api.errors import APIConnectionError, InvalidArgumentError
from streamcore.api.face import AsyncClient
from streamcore.api.request import without_userinfo

__all__ = ["AsyncAnthropic"]


class AsyncAnthropic(AsyncClient):
    """A client of the API for async code, under asyncio.

    ```python
    async with AsyncAnthropic() as client:
        async with client.messages.stream(model=..., max_tokens=1024, messages=[...]) as stream:
            async for text in stream.text_stream:
                print(text, end="", flush=True)
    ```

    Its own session has no bound on connections, follows the environment's proxies, and is made when the first request
    is sent: the client itself can be made anywhere, and used in one event loop after the other.

    Args:
        http_client: An `aiohttp.ClientSession` to send with, in place of one of our own: with its connector (its bound
            on connections is 100 unless it was told otherwise), proxy, TLS, headers, cookies and timeouts. It stays
            open when this client is closed, unlike one that is handed to `streamcore.httpx`.
        **options: Those of `streamcore.api.client.BaseClient`; a timeout object is an `aiohttp.ClientTimeout`.

    Raises:
        InvalidArgumentError: One of them is not what it has to be.
    """

    def __init__(self, *, http_client: aiohttp.ClientSession | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._connections = Connections(http_client)

    def copy(self, **changes: Any) -> Self:
        copied = super().copy(**changes)
        if copied._connections.handed_in is self._connections.handed_in:
            copied._connections = self._connections
        return copied

    copy.__doc__ = AsyncClient.copy.__doc__

    async def close(self) -> None:
        """Close the connections, also those of copies of this client; iteration over their streams ends. A session that
        was handed in stays open, and so do its streams.

        Raises:
            StreamCoreError: No event loop of asyncio is running. The client sends nothing more all the same.
        """
        await self._connections.close()

    @property
    def is_closed(self) -> bool:
        """Whether `close()` was called, or the session that was handed in is closed."""
        return self._connections.closed

    def _arguments(self) -> dict[str, Any]:
        return {**super()._arguments(), "http_client": self._connections.handed_in}

    def _checked_timeout(self, timeout: Any) -> Any:
        timeouts_of(timeout, DEFAULT_TIMEOUT)
        return timeout

    async def _send(self, call: Call) -> AsyncAnswer:
        session = await self._connections.session()
        timeouts = timeouts_of(call.timeout, session.timeout)
        steps = steps_of(timeouts)
        request = call.request
        url = _url(request.url)
        proxy = self._connections.proxy(request.url)
        try:
            # The bound on the whole is kept here: once it is reached, aiohttp gives out nothing of what it has.
            async with asyncio.timeout(timeouts.total or None) as bound:
                response = await session.request(
                    request.method,
                    url,
                    headers=request.headers,
                    data=Body(request.body, timeout=steps.sock_read) if request.body else None,
                    timeout=steps,
                    proxy=proxy,
                    allow_redirects=False,
                    auto_decompress=True,
                    raise_for_status=False,
                )
        except Exception as error:
            if (refusal := _refusal(error, call)) is not None:
                raise refusal from None  # not even a traceback shows the URL that is wrong
            raise _failure(error, call, url) from error
        return AsyncAnswer(
            response,
            idle_timeout=call.idle_timeout,
            deadline=bound.when(),
            connections=self._connections,
            request_body=request.body,
        )

    async def _sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def _url(text: str) -> URL:
    try:
        return URL(text, encoded=text.isascii())
    except ValueError as error:
        raise InvalidArgumentError(f"the URL {without_userinfo(text)!r} is invalid: {error}") from error


def _refusal(error: Exception, call: Call) -> InvalidArgumentError | None:
    """Our exception for a request that aiohttp could not make, `None` if it made it."""
    invalid = isinstance(error, (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError))
    # Of what it cannot send at all it says so with a ValueError; some kinds of connections fail with a child of that.
    refused = isinstance(error, ValueError) and not isinstance(error, (aiohttp.ClientError, OSError))
    if not refused and (not invalid or isinstance(error, aiohttp.RedirectClientError)):
        return None
    # It shows URLs whole, and the one that is wrong may be that of the proxy.
    shown, said = without_userinfo(call.request.url), without_userinfo(str(error))
    return InvalidArgumentError(f"no request can be made for {shown!r}: {said}")


def _failure(error: Exception, call: Call, url: URL) -> APIConnectionError:
    # What has a response has this from there.
    headers = CIMultiDictProxy(CIMultiDict(call.request.headers))
    request = aiohttp.RequestInfo(url, call.request.method, headers, url)
    return failure(error, request=request, doing="waiting for the answer")
