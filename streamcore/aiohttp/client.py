"""`AsyncAnthropic` on aiohttp.

This module has only what depends on aiohttp: sending, waiting, closing. The rest of a client is in `streamcore.api`.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from streamcore.aiohttp.bodies import Body
from streamcore.aiohttp.connections import Connections
from streamcore.aiohttp.open_response import AiohttpAnswer, failure
from streamcore.aiohttp.timeouts import DEFAULT_TIMEOUT, steps_of, timeouts_of
from streamcore.api.client import Call
from streamcore.api.face import AsyncClient
from streamcore.api.request import without_userinfo
from streamcore.errors import APIConnectionError, InvalidArgumentError

__all__ = ["AsyncAnthropic"]


class AsyncAnthropic(AsyncClient[aiohttp.ClientSession]):
    """A client of the API for async code, under asyncio.

    ```python
    async with AsyncAnthropic() as client:
        async with client.messages.stream(model=..., max_tokens=1024, messages=[...]) as stream:
            async for text in stream.text_stream:
                print(text, end="", flush=True)
    ```

    Its own session does not limit the number of connections, follows the environment's proxies, and is made when the
    first request is sent. So the client can be made anywhere, and used in several event loops in turn.

    `http_client` is an `aiohttp.ClientSession` to send with, in place of our own. Its connector (which allows 100
    connections by default), proxy, TLS, headers, cookies and timeouts are used. It stays open when this client is
    closed, unlike one that is passed to `streamcore.httpx`. A timeout object is an `aiohttp.ClientTimeout`.
    """

    def _send_with(self, http_client: aiohttp.ClientSession | Connections | None) -> None:
        # A copy gets the connections of its original.
        self._connections = http_client if isinstance(http_client, Connections) else Connections(http_client)

    async def close(self) -> None:
        """Close all connections, including those of copies of this client. Iteration over their streams ends.

        A session that was passed as `http_client` stays open, and so do its streams.

        Raises:
            StreamCoreError: No event loop of asyncio is running. The client cannot send any more nevertheless.
        """
        await self._connections.close()

    def is_closed(self) -> bool:
        """Return whether `close()` was called, or the session that was passed is closed."""
        return self._connections.closed

    def _arguments(self) -> dict[str, Any]:
        return {**super()._arguments(), "http_client": self._connections}

    def _checked_timeout(self, timeout: Any) -> Any:
        timeouts_of(timeout, DEFAULT_TIMEOUT)
        return timeout

    async def _send(self, call: Call) -> AiohttpAnswer:
        session = self._connections.session()
        timeouts = timeouts_of(call.timeout, session.timeout)
        steps = steps_of(timeouts)
        request = call.request
        url = _url(request.url)
        proxy = self._connections.proxy(request.url)
        try:
            # The limit for the whole answer is kept here: once aiohttp's own is reached, it drops what it has received.
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
                raise refusal from None  # so that not even a traceback shows the invalid URL
            raised = _failure(error, call, url)
            if _USERINFO.search(str(error)):  # aiohttp shows the URL of a proxy that has refused, with the password
                raise type(raised)(without_userinfo(raised.message), request=raised.request) from None
            raise raised from error
        return AiohttpAnswer(
            response,
            idle_timeout=call.idle_timeout,
            deadline=bound.when(),
            connections=self._connections,
        )

    async def _sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


_USERINFO = re.compile(r"://[^/?#\s]*@")


def _url(text: str) -> URL:
    try:
        return URL(text, encoded=text.isascii())
    except ValueError as error:
        raise InvalidArgumentError(f"the URL {without_userinfo(text)!r} is invalid: {error}") from error


def _refusal(error: Exception, call: Call) -> InvalidArgumentError | None:
    """Return our exception for a request that aiohttp could not make, or None if it made the request."""
    invalid = isinstance(error, (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError))
    # aiohttp raises a ValueError for what it cannot send at all. Some failures of connections are subclasses of it.
    refused = isinstance(error, ValueError) and not isinstance(error, (aiohttp.ClientError, OSError))
    if not refused and (not invalid or isinstance(error, aiohttp.RedirectClientError)):
        return None
    # Its message shows the whole URL, and the invalid one may be that of the proxy.
    shown, said = without_userinfo(call.request.url), without_userinfo(str(error))
    return InvalidArgumentError(f"a request for {shown!r} cannot be made: {said}")


def _failure(error: Exception, call: Call, url: URL) -> APIConnectionError:
    # Without a response, this stands for the `request_info` that a response has.
    headers = CIMultiDictProxy(CIMultiDict(call.request.headers))
    request = aiohttp.RequestInfo(url, call.request.method, headers, url)
    return failure(error, request=request, doing="waiting for the answer")
