"""Keep data in a file without a name, when it is too much for memory. The file ends with the last reference to it.

Threads may append and read at the same time. Each reader has its own position.
"""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import attrs

from streamcore.replay.capture import Chunk

_BLOCK_SIZE = 64 * 1024
_IN_MEMORY = 1024 * 1024


class Spool:
    """Bytes that can be appended, and read from any place. Up to a megabyte of them is in memory.

    The file has no buffer, unlike `tempfile.SpooledTemporaryFile`: after a write that failed because the disk is full,
    the bytes before it are still there, and the next write may succeed.
    """

    def __init__(self) -> None:
        self._memory = bytearray()
        self._file: IO[bytes] | None = None
        self._lock = threading.Lock()
        self.size: int = 0

    def append(self, data: bytes) -> None:
        """Add bytes at the end.

        Raises:
            OSError: They do not fit on the disk. Nothing has changed.
        """
        with self._lock:
            if self._file is None and self.size + len(data) > _IN_MEMORY:
                self._move_to_file()
            if self._file is None:
                self._memory += data
            else:
                _write(self._file, self.size, data)
            self.size += len(data)

    def body(self, data: bytes) -> SpooledBody:
        """Add bytes at the end, and return the body that has them.

        Raises:
            OSError: As for `append()`.
        """
        begin = self.size
        self.append(data)
        return SpooledBody(self, begin, begin + len(data))

    def extend(self, other: Spool) -> None:
        """Add the bytes of another spool at the end.

        Raises:
            OSError: They do not fit on the disk. Nothing has changed.
        """
        before = self.size
        try:
            for offset in range(0, other.size, _BLOCK_SIZE):
                self.append(other.read(offset, _BLOCK_SIZE))
        except OSError:
            with self._lock:
                del self._memory[before:]
                self.size = before
            raise

    def _move_to_file(self) -> None:
        file = _unnamed_file()
        try:
            _write(file, 0, bytes(self._memory))  # a view would keep the memory from shrinking
        except OSError:
            file.close()
            raise
        self._file = file
        self._memory = bytearray()

    def read(self, offset: int, size: int) -> bytes:
        """Return at most `size` bytes from `offset` on."""
        with self._lock:
            if self._file is None:
                return bytes(self._memory[offset : offset + size])
            self._file.seek(offset)
            return self._file.read(min(size, max(0, self.size - offset)))

    def open(self, _mode: str = "rb") -> IO[bytes]:
        """Open a reader at the beginning."""
        return io.BufferedReader(_Reader(self), _BLOCK_SIZE)

    def keep(self, path: Path) -> None:
        """Give the bytes a name, so that they stay. On Linux this takes no further room.

        Raises:
            OSError: That is not possible.
        """
        if self._file is not None:
            self._file.truncate(self.size)
            descriptor = self._file.fileno()
            with contextlib.suppress(OSError):
                # With a folder, even if it is not used, Python follows the link to the file.
                os.link(f"/proc/self/fd/{descriptor}", path, src_dir_fd=descriptor, follow_symlinks=True)
                return
        with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            try:
                file.writelines(self.read(offset, _BLOCK_SIZE) for offset in range(0, self.size, _BLOCK_SIZE))
                file.flush()
            except OSError:
                path.unlink()
                raise

    def close(self) -> None:
        """Drop the bytes."""
        if self._file is not None:
            self._file.close()

    def __str__(self) -> str:
        return "the recording"

    def __del__(self) -> None:
        if getattr(self, "_file", None) is not None:
            self.close()


def _unnamed_file() -> IO[bytes]:
    # `tempfile.TemporaryFile` makes one that can never be given a name.
    if hasattr(os, "O_TMPFILE"):
        with contextlib.suppress(OSError):  # not every file system can
            return open(os.open(tempfile.gettempdir(), os.O_TMPFILE | os.O_RDWR, 0o600), "r+b", buffering=0)
    return tempfile.TemporaryFile(buffering=0)


def _write(file: IO[bytes], offset: int, data: bytes) -> None:
    file.seek(offset)
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


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
    """Bytes in a spool, as the chunks of a body whose times are unknown."""

    spool: Spool
    begin: int
    end: int

    def __iter__(self) -> Iterator[Chunk]:
        for offset in range(self.begin, self.end, _BLOCK_SIZE):
            yield Chunk(0.0, self.spool.read(offset, min(_BLOCK_SIZE, self.end - offset)))
