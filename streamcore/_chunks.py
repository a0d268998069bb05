"""The chunks of a stream that have been received and wait to be read.

In: bytes, as they come. Out: the same, in order. Knows nothing of what they hold.
"""

from __future__ import annotations

from collections import deque

from streamcore._uncopied import Uncopied
from streamcore.errors import InvalidArgumentError, ProtocolError, StreamCoreError

__all__ = ["ChunkQueue"]


class ChunkQueue(Uncopied):
    """Takes chunks until the stream has ended or failed; its subclasses read them."""

    __slots__ = ("_chunk", "_eof", "_error", "_later", "_open")

    def __init__(self) -> None:
        # The chunk that is next, and those after it. Mostly there is but one at a time.
        self._chunk: bytes | None = None
        self._later: deque[bytes] | None = None
        self._open = True
        self._eof = False
        self._error: ProtocolError | None = None

    def receive_data(self, chunk: bytes) -> None:
        """Take the next bytes of the stream, any number of them. Only buffers: `events()` does the work.

        Raises:
            StreamCoreError: After `receive_eof()`, or after an error.
            InvalidArgumentError: It is not bytes, nor anything that has their buffer.
        """
        # What goes for nearly every chunk is asked at once.
        if self._chunk is None and self._open and type(chunk) is bytes:
            self._chunk = chunk
        else:
            self._receive(chunk)

    def _receive(self, chunk: bytes) -> None:
        if self._error is not None:
            raise StreamCoreError(f"no more data is taken, as the stream has failed: {self._error}")
        if self._eof:
            raise StreamCoreError("no more data is taken, as receive_eof() has ended the stream")
        if type(chunk) is not bytes:
            try:
                chunk = bytes(memoryview(chunk))
            except TypeError:
                raise InvalidArgumentError(
                    f"a chunk is bytes, as they came (`iter_bytes()` of a response), and not {type(chunk).__name__}"
                ) from None
        if self._chunk is None:
            self._chunk = chunk
        elif self._later is None:
            self._later = deque((chunk,))
        else:
            self._later.append(chunk)

    def receive_eof(self) -> None:
        """The stream has ended. Read `events()` once more: what has no end yet is known to have none."""
        self._eof = True
        self._open = False

    def _pop(self) -> bytes | None:
        """The next chunk, which is then in the hands of the caller."""
        chunk = self._chunk
        if self._later:
            self._chunk = self._later.popleft()
        else:
            # A deque that has become empty holds on to 8 KB.
            self._chunk = self._later = None
        return chunk

    def _put_back(self, chunks: list[bytes]) -> None:
        """Put chunks, one at least, before all that waits."""
        later = deque() if self._later is None else self._later
        if self._chunk is not None:
            later.appendleft(self._chunk)
        later.extendleft(reversed(chunks))
        self._chunk = later.popleft()
        self._later = later

    def _let_go(self, error: ProtocolError) -> None:
        """The stream has failed: no more is taken, and none of what waits will be read."""
        self._error = error
        self._open = False
        self._chunk = self._later = None
