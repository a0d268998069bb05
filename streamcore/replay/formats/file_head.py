"""What a file begins with, for errors that say that it is not what it was taken for."""

from __future__ import annotations

from codecs import BOM_UTF8
from io import BufferedReader

from streamcore.errors import excerpt

__all__ = ["head_of", "shown"]

_HEAD_SIZE = 200  # what messages show is less


def head_of(file: BufferedReader) -> bytes:
    """The first bytes of a file, which stays at its beginning."""
    return file.peek(_HEAD_SIZE)[:_HEAD_SIZE]


def shown(head: bytes) -> str | None:
    """The first line, without a BOM and blanks, as a literal; `None` if there is nothing in the file."""
    text = head.removeprefix(BOM_UTF8)
    start = text.lstrip()
    if not start and len(head) < _HEAD_SIZE:
        return None
    return excerpt((start or text).splitlines()[0])
