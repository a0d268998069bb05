"""Read a response of aiohttp that the caller asked for, as an `AsyncMessageStream`."""

from __future__ import annotations

from typing import Any

import aiohttp

from streamcore.aiohttp.open_response import AiohttpAnswer
from streamcore.api.attempts import async_checked
from streamcore.api.client import checked_idle_timeout
from streamcore.stream import AsyncMessageStream

__all__ = ["async_message_stream"]


async def async_message_stream(
    response: aiohttp.ClientResponse, *, idle_timeout: float | None = None, **options: Any
) -> AsyncMessageStream:
    """Return the stream in a response.

    ```python
    async with session.post(url, json=body) as response, await async_message_stream(response) as stream:
        async for text in stream.text_stream:
            print(text, end="", flush=True)
    ```

    Args:
        response: A response whose body was not read yet. It is closed with the stream.
        idle_timeout: The longest silence between bytes, in seconds.
        **options: Those of `AsyncMessageStream`.

    Raises:
        InvalidArgumentError: `idle_timeout` is invalid.
        APIStatusError: The status is not 2xx.
        APIResponseValidationError: The body is not an event stream.
        APIConnectionError: The body of a response that is not a stream could not be read.
    """
    answer = await async_checked(AiohttpAnswer(response, idle_timeout=checked_idle_timeout(idle_timeout)), stream=True)
    return AsyncMessageStream(answer, response=response, close=answer.aclose, **options)
