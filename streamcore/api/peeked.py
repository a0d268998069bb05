"""Answers whose beginning was read to find out what they are: they give it once more, and then the rest.

Few answers need this, so it is around them and not in the answers of each adapter.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, Self

__all__ = ["AsyncPeeked", "SyncPeeked"]


class _Peeked:
    def __init__(self, answer: Any, chunks: Any, beginning: bytes) -> None:
        self._answer = answer
        self._chunks = chunks
        self._beginning = beginning

    def _take_beginning(self) -> bytes:
        taken, self._beginning = self._beginning, b""
        return taken

    def __getattr__(self, name: str) -> Any:
        return getattr(self._answer, name)


class SyncPeeked(_Peeked):
    """An answer, from its beginning.

    Args:
        answer: The answer.
        chunks: What it has been read by.
        beginning: What was read.
    """

    _chunks: Iterator[bytes]

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        return self._take_beginning() or next(self._chunks)


class AsyncPeeked(_Peeked):
    """`SyncPeeked` for async code."""

    _chunks: AsyncIterator[bytes]

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        return self._take_beginning() or await self._chunks.__anext__()
