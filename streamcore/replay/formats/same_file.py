"""Notice that a file has changed between two reads of it.

The bodies of captures read their file again. If it has been replaced since, the same place in it has something else.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import IO, TypeAlias

from streamcore.replay.capture import CaptureError

__all__ = ["FileChangedError", "Version", "check_version", "version_of"]

Version: TypeAlias = tuple[int, ...] | None
"""Which file it is, and how it is. None if it is not a regular file, which cannot be read twice anyway."""


class FileChangedError(CaptureError):
    """A file was changed or replaced after its captures had been read."""


def version_of(file: IO[bytes] | Path) -> Version:
    """Return the version of a file that is open, or of what has its name now.

    Raises:
        OSError: The file does not exist.
    """
    found = file.stat() if isinstance(file, Path) else os.fstat(file.fileno())
    if not stat.S_ISREG(found.st_mode):
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def check_version(file: IO[bytes] | Path, version: Version, path: Path) -> None:
    """Check that a file is as it was when its version was `version`.

    Raises:
        FileChangedError: It is not.
        OSError: The file does not exist.
    """
    if version_of(file) != version:
        raise FileChangedError("it was changed or replaced while it was in use; read it again", path=str(path))
