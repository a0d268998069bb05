"""Chunks that have been received and not yet read.

What the buffer has to support, and what it costs:

- `append`: once for each chunk that the caller receives. In a live stream the chunk before has been read by then, so
  this is one attribute that is set.
- `take`: return the next chunk, or None. Chunks that queue up are joined when their turn comes: each byte is copied at
  most once, and a long chunk is read faster than many short ones.
- `head`: the first bytes of the stream, which tell whether it is an event stream at all. They are recorded on the way
  in, and cost nothing once there are enough of them.
- `close`: from then on `append` raises. The stream has ended, or failed.
"""

from __future__ import annotations

from streamcore._not_copyable import NotCopyable
from streamcore.errors import InvalidArgumentError, StreamCoreError

__all__ = ["HEAD_SIZE", "ChunkBuffer"]

HEAD_SIZE = 512


class ChunkBuffer(NotCopyable):
    """Store chunks until they are read.

    Args:
        head_size: How many of the first bytes to keep as `head`.

    Attributes:
        next_chunk: The chunk that `take` returns next. A reader may also take it by setting this to None.
        later: The chunks after it.
        head: The first bytes received, at most `head_size` of them.
        head_size: The argument.
    """

    __slots__ = ("_closed_because", "_is_plain", "head", "head_size", "later", "next_chunk")

    def __init__(self, *, head_size: int = HEAD_SIZE) -> None:
        self.next_chunk: bytes | None = None
        self.later: list[bytes] = []
        self.head_size = head_size
        self._closed_because: str | None = None
        self.head = b""
        # Whether a chunk only needs to be stored: the buffer is open, the head is complete, and nothing has queued up.
        self._is_plain = False

    def append(self, chunk: bytes) -> None:
        """Store a chunk.

        Raises:
            StreamCoreError: The buffer is closed.
            InvalidArgumentError: The chunk is not bytes and does not support the buffer protocol.
        """
        if self._is_plain and self.next_chunk is None and type(chunk) is bytes and chunk:
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
        if not chunk:
            return
        if len(self.head) < self.head_size:
            self.head += chunk[: self.head_size - len(self.head)]
        if self.next_chunk is None and not self.later:
            self.next_chunk = chunk
        else:
            self.later.append(chunk)
        self._is_plain = len(self.head) == self.head_size and not self.later

    def take(self) -> bytes | None:
        """Return the next chunk and forget it, or None if all have been taken."""
        chunk = self.next_chunk
        self.next_chunk = None
        if chunk is None and self.later:
            chunk = b"".join(self.later)
            self.later = []
            self._is_plain = self._closed_because is None and len(self.head) == self.head_size
        return chunk

    def close(self, because: str) -> None:
        """Refuse further chunks. The reason becomes part of the error that `append` raises."""
        self._closed_because = because
        self._is_plain = False

    def clear(self) -> None:
        """Forget the chunks that have not been taken."""
        self.next_chunk = None
        self.later = []
