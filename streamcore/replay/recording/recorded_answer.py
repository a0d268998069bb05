"""Copy the chunks of an answer to an exchange while they are read. Chunks and exceptions are passed on unchanged."""

from __future__ import annotations

from typing import Any, Protocol, Self


class Receiver(Protocol):
    """Takes the copy: an `Exchange`, or something that undoes content codings for one."""

    def receive(self, data: bytes, /) -> None: ...
    async def areceive(self, data: bytes, /) -> None: ...
    def complete(self) -> None: ...
    def broke(self, error: BaseException, /) -> None: ...
    def close(self) -> None: ...


class _RecordedAnswer:
    """An answer that is recorded while it is read. Everything but its chunks and its end is that of the answer.

    Args:
        answer: An answer of one of our adapters, or a byte stream of httpx.
        chunks: The iterator over it.
        exchange: Takes the copy.
    """

    def __init__(self, answer: Any, chunks: Any, exchange: Receiver) -> None:
        self._answer = answer
        self._chunks = chunks
        self._exchange = exchange

    def _ended(self, error: Exception) -> None:
        if isinstance(error, StopIteration | StopAsyncIteration):
            self._exchange.complete()
        else:
            self._exchange.broke(error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._answer, name)


class RecordedAnswer(_RecordedAnswer):
    """An answer that sync code reads."""

    def __init__(self, answer: Any, exchange: Receiver) -> None:
        super().__init__(answer, iter(answer), exchange)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        try:
            chunk: bytes = next(self._chunks)
        except Exception as error:
            self._ended(error)
            raise
        self._exchange.receive(chunk)
        return chunk

    def close(self) -> None:
        """Close the answer. What was read by then is recorded."""
        self._exchange.close()
        self._answer.close()


class AsyncRecordedAnswer(_RecordedAnswer):
    """An answer that async code reads."""

    def __init__(self, answer: Any, exchange: Receiver) -> None:
        super().__init__(answer, aiter(answer), exchange)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk: bytes = await anext(self._chunks)
        except Exception as error:
            self._ended(error)
            raise
        await self._exchange.areceive(chunk)
        return chunk

    async def aclose(self) -> None:
        """Close the answer. What was read by then is recorded."""
        self._exchange.close()
        await self._answer.aclose()
