"""Show what a file begins with, for errors that say that it is in another format."""

from __future__ import annotations

from codecs import BOM_UTF8
from io import BufferedReader

from streamcore.errors import excerpt

_HEAD_SIZE = 200  # messages show less


def head_of(file: BufferedReader) -> bytes:
    """Return the first bytes of a file, which stays at its beginning."""
    return file.peek(_HEAD_SIZE)[:_HEAD_SIZE]


def shown(head: bytes) -> str | None:
    """Return the first line as a literal, without a BOM and blanks, or None if the file is empty."""
    text = head.removeprefix(BOM_UTF8)
    start = text.lstrip()
    if not start and len(head) < _HEAD_SIZE:
        return None
    return excerpt((start or text).splitlines()[0])
