"""Find the classes of httpx2 or httpx, which have the same names in both libraries."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from types import ModuleType
from typing import Any

from streamcore.replay.capture import CapturedRequest
from streamcore.replay.headers import header_pairs


class Library:
    """One of the libraries.

    Attributes:
        module: The library.
        stream: Makes its byte stream, sync and async, of a player or a recorded answer.
    """

    def __init__(self, module: ModuleType) -> None:
        self.module = module

        class _Stream(module.SyncByteStream, module.AsyncByteStream):  # type: ignore[misc, name-defined]  # of either library
            def __init__(self, answer: Any) -> None:
                self._answer = answer

            def __iter__(self) -> Iterator[bytes]:
                return iter(self._answer)

            def __aiter__(self) -> AsyncIterator[bytes]:
                return aiter(self._answer)

            def close(self) -> None:
                self._answer.close()

            async def aclose(self) -> None:
                await self._answer.aclose()

        self.stream: Any = _Stream


def captured_request(request: Any) -> CapturedRequest:
    """Return a request of either library, whose body has been read."""
    return CapturedRequest(
        method=request.method, url=str(request.url), headers=header_pairs(request.headers), body=request.content
    )
