"""Surrogate pairs that a server splits between two deltas.

A server that cuts text by UTF-16 units may send one half of a pair in one delta and the other in the next, as JSON
escapes. Python strings can contain both halves, but they are then two characters that UTF-8 cannot encode. So the
second half is joined with the first in the buffer. A half without the other stays as it is.

Text without halves costs almost nothing more: the fast path refuses escaped halves, and the plain path looks for them
only in text that is not ASCII.
"""

from __future__ import annotations

import io

from streamcore.types.base import lone_surrogate

__all__ = ["has_halves", "is_first_half", "joined", "write_joined"]


def has_halves(text: str) -> bool:
    """Return whether a text has a half of a surrogate pair."""
    return not text.isascii() and lone_surrogate.search(text) is not None


def is_first_half(character: str) -> bool:
    """Return whether a character is the first half of a surrogate pair. An empty text is not."""
    return "\ud800" <= character <= "\udbff"


def write_joined(buffer: io.StringIO, text: str) -> bool:
    """Append a text. Join its first character with the last one in the buffer if they are a pair.

    Returns:
        Whether they were, so that the last character in the buffer has changed.
    """
    text = joined(text)
    if "\udc00" <= text[0] <= "\udfff" and is_first_half(_last_character(buffer)):
        last = _last_character(buffer)
        buffer.seek(buffer.tell() - 1)
        buffer.write(joined(last + text[0]))
        buffer.write(text[1:])
        return True
    buffer.write(text)
    return False


def _last_character(buffer: io.StringIO) -> str:
    end = buffer.tell()
    if not end:
        return ""
    buffer.seek(end - 1)
    return buffer.read(1)  # this leaves the position at the end


def joined(text: str) -> str:
    """Join halves that are next to each other."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
