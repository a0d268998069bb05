"""Chunks that have been received and not yet read.

What the buffer has to support, and what it costs:

- `append`: once for each chunk that the caller receives. In a live stream the previous chunk has been read by then, so
  it only sets `next_chunk`.
- `next_chunk`, then `advance`. If `later` is None, a reader sets `next_chunk = None` itself, which saves a call.
- `head`: the first bytes of the stream, which show whether it is an event stream. `append` collects them. Once there
  are enough, they cost nothing.
- `close`: from then on `append` raises. The stream has ended, or failed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from streamcore._objects.not_copyable import NotCopyable
from streamcore._objects.state import SavedState
from streamcore.errors import InvalidArgumentError, StreamCoreError

__all__ = ["HEAD_SIZE", "BufferState", "ChunkBuffer"]

HEAD_SIZE = 512


class BufferState(SavedState):
    """The state of a `ChunkBuffer`.

    Attributes:
        head: The first bytes received.
        chunks: The chunks that have not been read.
    """

    head: bytes = b""
    chunks: tuple[bytes, ...] = ()


class ChunkBuffer(NotCopyable):
    """Store chunks until they are read.

    Args:
        head_size: How many of the first bytes to keep as `head`.
        max_chunk_size: Chunks that are longer are cut, so that a reader need not look at their size.

    Attributes:
        head: The first bytes received, at most `head_size` of them.
        head_size: How many of the first bytes are kept.
        max_chunk_size: The greatest length of `next_chunk`.
        next_chunk: The chunk to read next, `None` if all have been read. It is never empty.
        later: The chunks after `next_chunk`, or `None`. If it is None, a reader may set `next_chunk` to None itself.
    """

    __slots__ = ("_closed_because", "_direct_size", "head", "head_size", "later", "max_chunk_size", "next_chunk")

    def __init__(self, *, head_size: int, max_chunk_size: int) -> None:
        self.head_size: int = head_size
        self.max_chunk_size: int = max_chunk_size
        self.head: bytes = b""
        self.next_chunk: bytes | None = None
        # A deque that has become empty still takes 8 KB, so an empty one is not kept.
        self.later: deque[bytes] | None = None
        self._closed_because: str | None = None
        # The length up to which a chunk only needs to be stored: 0 if the buffer is closed, or the head not complete.
        self._direct_size = 0

    def append(self, chunk: bytes) -> None:
        """Store a chunk.

        Raises:
            StreamCoreError: The buffer is closed.
            InvalidArgumentError: The chunk is not bytes and does not support the buffer protocol.
        """
        if self.next_chunk is None and type(chunk) is bytes and 0 < len(chunk) <= self._direct_size:
            self.next_chunk = chunk
        else:
            self._append_with_care(chunk)

    def _append_with_care(self, chunk: bytes) -> None:
        if self._closed_because is not None:
            raise StreamCoreError(f"cannot receive more data: {self._closed_because}")
        if type(chunk) is not bytes:
            try:
                chunk = bytes(memoryview(chunk))
            except TypeError:
                raise InvalidArgumentError(
                    "a chunk must be bytes, such as `iter_bytes()` of a response gives; "
                    f"received {type(chunk).__name__}"
                ) from None
        self._add_to_head(chunk)
        self._cut_and_store(chunk)

    def _add_to_head(self, chunk: bytes) -> None:
        if len(self.head) < self.head_size:
            self.head += chunk[: self.head_size - len(self.head)]
        if len(self.head) == self.head_size:
            self._direct_size = self.max_chunk_size

    def _cut_and_store(self, chunk: bytes) -> None:
        size = self.max_chunk_size
        if len(chunk) <= size:
            self._store(chunk)
        else:
            for start in range(0, len(chunk), max(size, 1)):
                self._store(chunk[start : start + max(size, 1)])

    def _store(self, chunk: bytes) -> None:
        if self.next_chunk is None:
            self.next_chunk = chunk or None
        elif self.later is not None and chunk:
            self.later.append(chunk)
        elif chunk:
            self.later = deque((chunk,))

    def advance(self) -> None:
        """Go on to the next chunk: `next_chunk` has been read."""
        if self.later:
            self.next_chunk = self.later.popleft()
        else:
            self.next_chunk = self.later = None

    def get_state(self, unread: Iterable[bytes]) -> BufferState:
        """Return the state for a checkpoint, with these chunks added."""
        chunks = () if self.next_chunk is None else (self.next_chunk, *(self.later or ()))
        return BufferState(head=self.head, chunks=(*chunks, *unread))

    def set_state(self, state: BufferState) -> None:
        """Take over the state of a checkpoint. The limits may be others than before, so chunks are cut again."""
        self._add_to_head(state.head)
        for chunk in state.chunks:
            self._cut_and_store(chunk)

    def close(self, because: str) -> None:
        """Refuse further chunks. The reason becomes part of the error that `append` raises."""
        self._closed_because = because
        self._direct_size = 0

    def clear(self) -> None:
        """Forget the chunks that have not been read."""
        self.next_chunk = self.later = None
