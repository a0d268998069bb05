"""Find the classes of httpx2 or httpx, which have the same names in both libraries."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from types import ModuleType
from typing import Any

from streamcore.replay.capture import CapturedRequest
from streamcore.replay.headers import header_pairs

__all__ = ["Streams", "captured_request"]


class Streams:
    """The classes of one of the libraries.

    Attributes:
        module: The library.
        sync_stream: Makes its `SyncByteStream` of an iterator of chunks and what closes it.
        async_stream: Makes its `AsyncByteStream` in the same way.
    """

    def __init__(self, module: ModuleType) -> None:
        self.module = module

        class _SyncBytes(module.SyncByteStream):  # type: ignore[misc, name-defined]  # of either library
            def __init__(self, chunks: Iterable[bytes], close: Callable[[], object]) -> None:
                self._chunks = chunks
                self.close = close

            def __iter__(self) -> Iterator[bytes]:
                return iter(self._chunks)

        class _AsyncBytes(module.AsyncByteStream):  # type: ignore[misc, name-defined]  # of either library
            def __init__(self, chunks: Any, close: Callable[[], Awaitable[object]]) -> None:
                self._chunks = chunks
                self.aclose = close

            def __aiter__(self) -> AsyncIterator[bytes]:
                return aiter(self._chunks)

        self.sync_stream: Any = _SyncBytes
        self.async_stream: Any = _AsyncBytes


def captured_request(request: Any) -> CapturedRequest:
    """Return a request of either library, whose body has been read."""
    return CapturedRequest(
        method=request.method, url=str(request.url), headers=header_pairs(request.headers), body=request.content
    )
