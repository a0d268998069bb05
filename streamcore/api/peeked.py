"""An answer whose beginning was read to find out what it is: it yields the beginning again, and then the rest.

Few answers need this, so it wraps them, and the answers of the adapters know nothing of it.
"""

from __future__ import annotations

from typing import Any, Self

__all__ = ["Peeked"]


class Peeked:
    """An answer that is read from its beginning again. It is sync or async, like the one that it wraps.

    Args:
        answer: The answer.
        chunks: The iterator over its body, after the beginning.
        beginning: What was read.
    """

    def __init__(self, answer: Any, chunks: Any, beginning: bytes) -> None:
        self._answer = answer
        self._chunks = chunks
        self._beginning = beginning

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        return self._take_beginning() or next(self._chunks)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        return self._take_beginning() or await anext(self._chunks)

    def _take_beginning(self) -> bytes:
        taken, self._beginning = self._beginning, b""
        return taken

    def __getattr__(self, name: str) -> Any:
        return getattr(self._answer, name)
