"""The body of a request, sent piece by piece within a time: aiohttp waits without end for a server to take it."""

from __future__ import annotations

import asyncio
import io

from aiohttp import BytesIOPayload
from aiohttp.abc import AbstractStreamWriter

__all__ = ["Body"]

_PIECE = 64 * 1024


class Body(BytesIOPayload):
    """The body of a request.

    Args:
        data: The whole of it.
        timeout: How many seconds each 64 KB may take; `None` is no bound.
    """

    def __init__(self, data: bytes, *, timeout: float | None) -> None:
        super().__init__(io.BytesIO(data))
        self._data = memoryview(data)
        self._timeout = timeout or None  # for aiohttp, 0 is no bound either

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        """Write what aiohttp wants written: all, unless somebody has set a shorter length.

        Raises:
            TimeoutError: The server has not taken a piece in time.
        """
        data = self._data[:content_length]
        transport = writer.transport  # whoever closes the connection takes it from the writer
        try:
            for start in range(0, len(data), _PIECE):
                async with asyncio.timeout(self._timeout):
                    await writer.write(data[start : start + _PIECE])
                    # aiohttp waits for what it has not sent only now and then, and after the last piece without bound.
                    await writer.drain()
                await asyncio.sleep(0)  # a fast connection takes all without a wait
        except BaseException as error:
            # A connection that is closed would wait for the server to take the rest.
            if transport is not None:
                transport.abort()
            if isinstance(error, TimeoutError):
                raise TimeoutError("the server has not taken the request in time") from error
            raise
