"""Replace a file completely or not at all, with a temporary file beside it.

Recordings hold conversations: a new file is readable by its owner only, and a file that is replaced keeps its mode.
A process that is killed leaves its temporary file behind; the next one that writes the same file removes it. Whoever
writes a temporary file holds a lock on it, which ends with the process: without a lock, the file is abandoned.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows: an open file cannot be removed there, which does for a lock
    fcntl = None  # type: ignore[assignment]

_LONGEST_PREFIX = 200  # bytes; a name may have 255


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Provide a file that takes the place of `path` if the block ends well, and is removed otherwise.

    Raises:
        OSError: It cannot be written, or `path` is something other than a regular file.
    """
    target = Path(os.path.realpath(path))
    with temporary_file(target) as file:
        yield file
        file.flush()
        with contextlib.suppress(FileNotFoundError):
            _take_over(file.fileno(), target.stat())
        os.fsync(file.fileno())
        os.replace(file.name, target)


def _take_over(descriptor: int, before: os.stat_result) -> None:
    """Give a file the owner and the mode of the one that it replaces."""
    if not stat.S_ISREG(before.st_mode):  # /dev/null, say, which would be gone
        raise OSError("it is not a regular file")
    if hasattr(os, "fchmod"):
        mode = stat.S_IMODE(before.st_mode)
        with contextlib.suppress(PermissionError):  # only root can give a file away
            os.fchown(descriptor, before.st_uid, before.st_gid)
        if os.fstat(descriptor).st_gid != before.st_gid:
            mode &= ~stat.S_IRWXG  # what its group might do, another one must not
        os.fchmod(descriptor, mode)


@contextlib.contextmanager
def temporary_file(target: Path) -> Iterator[IO[bytes]]:
    """Provide a new file beside `target` for the time of the block, and remove abandoned ones.

    Raises:
        OSError: It cannot be created.
    """
    _remove_abandoned(target)
    file = _create(target)
    try:
        with file:
            yield file
    finally:
        Path(file.name).unlink(missing_ok=True)


def _create(target: Path) -> IO[bytes]:
    while True:
        path = target.with_name(f"{_prefix(target)}{secrets.token_hex(8)}.tmp")
        file = open(path, "xb", opener=_open_private)  # noqa: SIM115  # `temporary_file` closes it
        _lock(file.fileno())
        if os.fstat(file.fileno()).st_nlink:
            return file
        file.close()  # removed by another process, before there was a lock


def _prefix(target: Path) -> str:
    """Return the prefix of temporary files for `target`: the name of `target`, cut off if it is very long."""
    return f".{os.fsencode(target.name)[:_LONGEST_PREFIX].decode(errors='ignore')}."


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _remove_abandoned(target: Path) -> None:
    name = re.compile(rf"{re.escape(_prefix(target))}[0-9a-f]{{16}}\.tmp")
    for path in [Path(target.parent, each) for each in os.listdir(target.parent) if name.fullmatch(each)]:
        # It may belong to somebody else, or have just been removed.
        with contextlib.suppress(OSError), open(path, "r+b") as file:
            if _lock(file.fileno(), wait=False):
                path.unlink()


def _lock(descriptor: int, *, wait: bool = True) -> bool:
    """Lock a file; return whether the caller has it. Some network file systems have no locks and return False."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True
