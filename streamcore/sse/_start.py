"""The first bytes of a body: whether they begin an event stream, or something else, such as an error page.

Two questions, as a body may turn out to be something else early or late:

- `start_of`, before anything is read: HTML and JSON are recognised by their first character. A body of text is given
  the benefit of the doubt: to an event stream, text is a line that it does not know.
- `may_be_a_stream`, at the end of a body that had no event: only a line that begins like a field or a comment will do.
"""

from __future__ import annotations

import enum

from streamcore.sse._frames import BOM
from streamcore.sse._lines import FIELD_NAMES

__all__ = ["Start", "first_line", "may_be_a_stream", "start_of"]

_OTHER_FORMATS = (b"<", b"{", b"[")  # HTML and JSON


class Start(enum.Enum):
    """What a body begins like."""

    UNDECIDED = enum.auto()  # more bytes are needed
    STREAM = enum.auto()  # perhaps not a valid one
    OTHER = enum.auto()


def start_of(head: bytes, *, is_all: bool) -> Start:
    """Return what a body begins like.

    Another format is reported once its first line is complete. The error shows this line, so it does not depend on how
    the bytes were cut.

    Args:
        head: The first bytes of the body.
        is_all: Whether no more bytes will be added to them.
    """
    if head[:1].isalpha():  # the usual case
        return Start.STREAM
    start = _without_blanks(head)
    if not start:
        return Start.UNDECIDED
    if start[:1] not in _OTHER_FORMATS:
        return Start.STREAM
    is_line_whole = len(start.splitlines()[0]) < len(start)
    return Start.OTHER if is_line_whole or is_all else Start.UNDECIDED


def first_line(head: bytes) -> bytes:
    """Return the bytes up to the end of the first line that is not blank."""
    start = _without_blanks(head)
    line = start.splitlines()[0] if start else b""
    return head[: len(head) - len(start) + len(line)]


def may_be_a_stream(head: bytes) -> bool:
    """Return whether an event stream may begin with these bytes, which may be only the start of its first line."""
    start = _without_blanks(head)
    return not start or any(
        (field + end).startswith(start) or start.startswith(field + end)
        for field in (*FIELD_NAMES, b"")
        for end in (b":", b"\n", b"\r")
    )


def _without_blanks(head: bytes) -> bytes:
    """Strip a BOM, even an incomplete one, and leading whitespace."""
    return b"" if BOM.startswith(head) else head.removeprefix(BOM).lstrip()
