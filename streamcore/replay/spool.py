"""A file without a name for what would be too much for memory. It is gone with the last who refers to it.

Appending and reading may go on at once, from several threads; each reader has its own place in it.
"""

from __future__ import annotations

import io
import tempfile
import threading
from collections.abc import Iterator
from typing import IO, Any

import attrs

from streamcore.replay.capture import Chunk

__all__ = ["Spool", "SpooledBody"]

_BLOCK_SIZE = 64 * 1024
_IN_MEMORY = 1024 * 1024


class Spool:
    """Bytes that are appended to and read anywhere. What is small stays in memory."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  # see __del__
        self._lock = threading.Lock()
        self.size = 0

    def append(self, data: bytes) -> None:
        """Add bytes at the end.

        Raises:
            OSError: There is no room for them.
        """
        with self._lock:
            self._file.seek(self.size)
            self._file.write(data)
            self.size += len(data)

    def read(self, offset: int, size: int) -> bytes:
        """At most so many of the bytes from `offset` on."""
        with self._lock:
            self._file.seek(offset)
            return self._file.read(size)

    def open(self, _mode: str = "rb") -> IO[bytes]:
        """A reader from the beginning on."""
        return io.BufferedReader(_Reader(self), _BLOCK_SIZE)

    def close(self) -> None:
        """Drop the bytes."""
        self._file.close()

    def __str__(self) -> str:
        return "the recording"

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            self._file.close()


class _Reader(io.RawIOBase):
    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._offset = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        self._offset = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._offset, io.SEEK_END: self._spool.size}[whence]
        return self._offset

    def readinto(self, buffer: Any, /) -> int:
        data = self._spool.read(self._offset, len(buffer))
        buffer[: len(data)] = data
        self._offset += len(data)
        return len(data)


@attrs.frozen
class SpooledBody:
    """Bytes in a spool, as the chunks of a body of which no times are known."""

    spool: Spool
    begin: int
    end: int

    def __iter__(self) -> Iterator[Chunk]:
        for offset in range(self.begin, self.end, _BLOCK_SIZE):
            yield Chunk(0.0, self.spool.read(offset, min(_BLOCK_SIZE, self.end - offset)))
