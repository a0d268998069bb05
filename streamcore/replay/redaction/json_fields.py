"""Cross out the values of secret fields in JSON that arrives in pieces, in one pass and without a parser.

The input is a JSON answer, or an event stream whose payloads are JSON; a payload may have several `data:` lines. The
scanner returns spans to cross out. In an array or object these are all strings, names too, and all numbers. It only
keeps how deep in a value it is, so a value of any length takes no memory.
"""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Callable

CrossedOut = tuple[int, int, bytes]
"""Where to cross out from, up to where, and the character to do it with: a number stays a number."""

# Blanks between tokens. The field name of a `data:` line is one: the line end before it was a blank of the payload.
_BLANK = rb"(?:[ \t\r\n]|(?<=[\r\n])data:)"
_DATA = b"data:"
# A name, with its colon. The bounds keep the search linear: it may begin at any quote.
_LONGEST_NAME = 100
_NAME = re.compile(rb'"((?:[^"\\\x00-\x1f]|\\[^\x00-\x1f]){1,100}+)"' + _BLANK + rb"{0,16}+:")
_LONGEST_MATCH = 2 * _LONGEST_NAME + 2 + 16 * len(_DATA) + 1
_BLANKS = re.compile(_BLANK + rb"*+")
# A string ends at the end of a line, so a broken one does not hide the rest.
_REST_OF_STRING = re.compile(rb'(?:[^"\\\r\n]++|\\[^\r\n])*+')
_NUMBER = re.compile(rb"[-+.0-9eE]*+")
_TOKEN = re.compile(rb'[\[{\]}"\-0-9]')


class _Place(enum.Enum):
    OUTSIDE = enum.auto()
    BEFORE_VALUE = enum.auto()
    IN_STRING = enum.auto()
    IN_NUMBER = enum.auto()
    IN_CONTAINER = enum.auto()


class FieldScanner:
    """Finds the values of secret fields. Each byte is scanned once, but for the few that may be part of a name.

    Args:
        is_secret: Whether a field with this name is secret.
    """

    def __init__(self, is_secret: Callable[[str], bool]) -> None:
        self._is_secret = is_secret
        self._known: dict[bytes, bool] = {}
        self._place = _Place.OUTSIDE
        self._depth = 0

    def scan(self, data: bytes, at: int, *, final: bool) -> tuple[list[CrossedOut], int]:
        """Return the spans to cross out from `at` on, and where to go on when more bytes have come.

        `final` says that no more bytes will come.
        """
        spans: list[CrossedOut] = []
        while at < len(data):
            if self._place is _Place.OUTSIDE:
                found = self._next_secret(data, at)
                if found is None:
                    return spans, len(data) if final else max(at, len(data) - _LONGEST_MATCH)
                self._place, at = _Place.BEFORE_VALUE, found
            elif self._place is _Place.BEFORE_VALUE:
                blanks = _BLANKS.match(data, at)
                at = blanks.end() if blanks else at
                if _DATA.startswith(data[at:]) and data[at - 1 : at] in (b"\r", b"\n") and not final:
                    return spans, at  # perhaps a `data:` that is cut
                if at < len(data):
                    at = self._open(data[at : at + 1], at)
            elif self._place is _Place.IN_STRING:
                end = _end(_REST_OF_STRING, data, at)
                spans.append((at, end, b"x"))
                at = end
                if data[end : end + 1] == b"\\" and end + 1 == len(data) and not final:
                    return spans, at  # an escape that is cut
                if at < len(data):
                    self._close()
                    at += 1
            elif self._place is _Place.IN_NUMBER:
                end = _end(_NUMBER, data, at)
                spans.append((at, end, b"1"))
                at = end
                if at < len(data):
                    self._close()
            else:
                token = _TOKEN.search(data, at)
                if token is None:
                    return spans, len(data)
                at = self._open(token[0], token.start())
        return spans, at

    def _next_secret(self, data: bytes, at: int) -> int | None:
        """Return where the name of the next secret field ends, or None."""
        known = self._known
        for found in _NAME.finditer(data, at):
            name = found[1]
            if name not in known:
                if len(known) > 1000:
                    known.clear()
                known[name] = self._is_secret(_text(name))
            if known[name]:
                return found.end()
        return None

    def _open(self, token: bytes, at: int) -> int:
        """Begin or end the token of a secret value at this byte. Return where its content begins."""
        if token == b'"':
            self._place = _Place.IN_STRING
        elif token in b"[{":
            self._depth += 1
            self._place = _Place.IN_CONTAINER
        elif token in b"]}":
            self._depth = max(0, self._depth - 1)
            self._close()
        elif token in b"-0123456789":
            self._place = _Place.IN_NUMBER
            return at
        else:  # true, false and null are not secret
            self._close()
            return at
        return at + 1

    def _close(self) -> None:
        self._place = _Place.IN_CONTAINER if self._depth else _Place.OUTSIDE


def _end(pattern: re.Pattern[bytes], data: bytes, at: int) -> int:
    found = pattern.match(data, at)
    return found.end() if found else at


def _text(name: bytes) -> str:
    try:
        return str(json.loads(b'"' + name + b'"'))
    except ValueError:
        return name.decode("utf-8", "replace")
