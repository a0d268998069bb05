"""The first bytes of a body: whether they begin an event stream, or something else, such as an error page.

Two questions, as a body may turn out to be something else early or late:

- `start_of`, before anything is read: HTML and JSON are recognised by their first character. Plain text passes, since
  an event stream may contain lines that are not known and are ignored.
- `begins_like_a_stream`, at the end of a body that had no event, and for a body whose content type is not that of a
  stream: it must begin with a field or a comment.
"""

from __future__ import annotations

import enum
import json
import re

from streamcore.sse._frames_state import BOM
from streamcore.sse._lines import FIELD_NAMES

__all__ = ["Start", "beginning", "begins_like_a_stream", "start_of"]

_HTML = (b"<",)
_JSON = (b"{", b"[")
_FIRST_LINE = re.compile(b"(?:%b)?[:\\r\\n]" % b"|".join(FIELD_NAMES))
# A stream may begin with blank lines, but not with more than so many bytes of them.
_MOST_BLANK_LINES = 1024


class Start(enum.Enum):
    """What a body begins like."""

    UNDECIDED = enum.auto()  # more bytes are needed
    OTHER_SO_FAR = enum.auto()  # another format; its beginning is not complete
    STREAM = enum.auto()  # perhaps not a valid one
    OTHER = enum.auto()


def start_of(head: bytes, *, is_all: bool) -> Start:
    """Return what a body begins like.

    Another format is reported once its `beginning` is complete, which the error shows. So the error does not depend on
    how the bytes were cut.

    Args:
        head: The first bytes of the body.
        is_all: Whether no more bytes will be added to them.
    """
    if head[:1].isalpha():  # the usual case
        return Start.STREAM
    start = _without_blanks(head)
    if not start:
        return Start.UNDECIDED
    if start[:1] not in _HTML + _JSON:
        return Start.STREAM
    return Start.OTHER if is_all or beginning(head) is not None else Start.OTHER_SO_FAR


def beginning(head: bytes) -> bytes | None:
    """Return the bytes of another format that an error shows, or None if more are needed.

    They end with the first line that is not blank. JSON may take several lines, with its words in the later ones. So if
    its first line alone is not JSON, this returns None, and the error shows all bytes once no more follow.
    """
    start = _without_blanks(head)
    line = start.splitlines()[0]
    if len(line) == len(start) or (start[:1] in _JSON and not _is_json(line)):
        return None
    return head[: len(head) - len(start) + len(line)]


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def begins_like_a_stream(body: bytes) -> bool | None:
    """Return whether a body begins as an event stream does: with a field or a comment. None if more of it is needed.

    Blank lines may come before that. A field without a value needs no colon.
    """
    body = body[:_MOST_BLANK_LINES]  # no more, so that it does not matter how the bytes were cut
    start = body.removeprefix(BOM).lstrip(b"\r\n")
    if _FIRST_LINE.match(start):
        return True
    is_cut = BOM.startswith(body) or any(name.startswith(start) for name in FIELD_NAMES)
    return None if is_cut and len(body) < _MOST_BLANK_LINES else False


def _without_blanks(head: bytes) -> bytes:
    """Strip a BOM, even an incomplete one, and leading whitespace."""
    return b"" if BOM.startswith(head) else head.removeprefix(BOM).lstrip()
