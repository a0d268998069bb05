"""The body of a request, sent in pieces within a time limit: aiohttp itself waits without limit for the server."""

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
        data: The whole body.
        timeout: How many seconds each 64 KB may take; `None` means without a limit.
    """

    def __init__(self, data: bytes, *, timeout: float | None) -> None:
        super().__init__(io.BytesIO(data))
        self._data = memoryview(data)
        self._timeout = timeout or None  # aiohttp takes 0 as unlimited too

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        """Write the body, up to `content_length` if that was set.

        Raises:
            TimeoutError: The server did not accept a piece in time.
        """
        data = self._data[:content_length]
        transport = writer.transport  # if the connection is closed, the writer forgets it
        try:
            for start in range(0, len(data), _PIECE):
                async with asyncio.timeout(self._timeout):
                    await writer.write(data[start : start + _PIECE])
                    # aiohttp waits for its buffer only now and then, and after the last piece without a limit.
                    await writer.drain()
                await asyncio.sleep(0)  # a fast connection accepts everything without a wait
        except BaseException as error:
            # Closing the connection normally would wait until the server has accepted the rest.
            if transport is not None:
                transport.abort()
            if isinstance(error, TimeoutError):
                raise TimeoutError("the server did not accept the request in time") from error
            raise
