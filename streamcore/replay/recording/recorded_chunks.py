"""Copy the chunks of an answer to an exchange while they are read. Chunks and exceptions are passed on unchanged."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, Protocol, Self

from streamcore.stream.drain import is_drainable

__all__ = ["AsyncRecordedChunks", "Receiver", "RecordedChunks"]


class Receiver(Protocol):
    """Takes the copy: an `Exchange`, or something that undoes content codings for one."""

    def receive(self, data: bytes, /) -> None: ...
    async def areceive(self, data: bytes, /) -> None: ...
    def complete(self) -> None: ...
    def broke(self, error: BaseException, /) -> None: ...


class _RecordedChunks:
    def __init__(self, chunks: Any, exchange: Receiver) -> None:
        self._chunks = chunks
        self._exchange = exchange
        self.is_drainable: bool = is_drainable(chunks)

    def _ended(self, error: Exception) -> None:
        if isinstance(error, StopIteration | StopAsyncIteration):
            self._exchange.complete()
        else:
            self._exchange.broke(error)


class RecordedChunks(_RecordedChunks, Iterator[bytes]):
    """Chunks that are recorded as sync code reads them."""

    _chunks: Iterator[bytes]

    def __next__(self) -> bytes:
        try:
            chunk = next(self._chunks)
        except Exception as error:
            self._ended(error)
            raise
        self._exchange.receive(chunk)
        return chunk


class AsyncRecordedChunks(_RecordedChunks):
    """Chunks that are recorded as async code reads them."""

    _chunks: AsyncIterator[bytes]

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await anext(self._chunks)
        except Exception as error:
            self._ended(error)
            raise
        await self._exchange.areceive(chunk)
        return chunk
