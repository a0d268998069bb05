"""Read a response of httpx2 or httpx that the caller asked for, as a `MessageStream`."""

from __future__ import annotations

from typing import Any

from streamcore.api.attempts import async_checked, checked
from streamcore.api.client import checked_idle_timeout
from streamcore.errors import InvalidArgumentError
from streamcore.httpx.open_response import AsyncHttpxAnswer, HttpxAnswer
from streamcore.stream import AsyncMessageStream, MessageStream

__all__ = ["async_message_stream", "message_stream"]


def message_stream(response: Any, *, idle_timeout: float | None = None, **options: Any) -> MessageStream:
    """Return the stream in a response to a request with `stream=True`, or inside `with client.stream(...)`.

    ```python
    with http_client.stream("POST", url, json=body) as response, message_stream(response) as stream:
        for text in stream.text_stream:
            print(text, end="", flush=True)
    ```

    Unlike a stream over `response.iter_bytes()`, it raises the exceptions of the API, and `close()` from another thread
    ends a read that is waiting for bytes. (Over HTTP/2, the read ends with the next bytes or its timeout: other streams
    use the same connection.)

    Args:
        response: An `httpx2.Response` or `httpx.Response`. It is closed with the stream.
        idle_timeout: The longest silence between bytes, in seconds.
        **options: Those of `MessageStream`.

    Raises:
        InvalidArgumentError: The response is that of an `AsyncClient`, or `idle_timeout` is invalid.
        APIStatusError: The status is not 2xx.
        APIResponseValidationError: The body is not an event stream.
        APIConnectionError: The body of a response that is not a stream could not be read.
    """
    _check(response, "__iter__", "a sync client", not_of="an AsyncClient", use="async_message_stream()")
    answer = checked(HttpxAnswer(response, idle_timeout=checked_idle_timeout(idle_timeout)), stream=True)
    return MessageStream(answer, response=response, close=answer.close, **options)


async def async_message_stream(
    response: Any, *, idle_timeout: float | None = None, **options: Any
) -> AsyncMessageStream:
    """Like `message_stream`, for a response of an `AsyncClient`."""
    _check(response, "__aiter__", "an AsyncClient", not_of="a sync client", use="message_stream()")
    answer = await async_checked(
        AsyncHttpxAnswer(response, idle_timeout=checked_idle_timeout(idle_timeout)), stream=True
    )
    return AsyncMessageStream(answer, response=response, close=answer.aclose, **options)


def _check(response: Any, iteration: str, kind: str, *, not_of: str, use: str) -> None:
    read = hasattr(response, "_content")
    if not read and not hasattr(response.stream, iteration):
        raise InvalidArgumentError(f"the response must be that of {kind}, and this one is of {not_of}: use {use}")
