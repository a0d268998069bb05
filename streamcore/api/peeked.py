"""An answer whose beginning was read to find out what it is: it gives that once more, and then the rest.

Few answers need this, so it is around them and not in the answers of each adapter.
"""

from __future__ import annotations

from typing import Any, Self

__all__ = ["Peeked"]


class Peeked:
    """An answer from its beginning, sync or async as the answer itself.

    Args:
        answer: The answer.
        chunks: The iterator that has read the beginning.
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
