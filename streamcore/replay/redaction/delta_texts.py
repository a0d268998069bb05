"""Find the texts of deltas in an event stream that arrives in pieces, in one pass and without a parser.

For each text the scanner returns the index of the block, the name of the field, and where the text is. Any field may
have a text: the API may add a type of delta that we do not know. The scanner only keeps which text it is in, so a text
of any length takes no memory.
"""

from __future__ import annotations

import re
from typing import TypeAlias

# The index comes before the text, as the API writes it. Types are left out: every event has one or two.
_HEAD = re.compile(
    rb'"index"[ \t]{0,9}+:[ \t]{0,9}+([0-9]{1,9}+)'
    rb'|"(?!type")([A-Za-z_][A-Za-z0-9_]{0,39}+)"[ \t]{0,9}+:[ \t]{0,9}+"'
)
_LONGEST_HEAD = 64
# A string ends at the end of a line, so a broken one does not hide the rest.
_REST_OF_STRING = re.compile(rb'(?:[^"\\\r\n]++|\\[^\r\n])*+')


DeltaText: TypeAlias = tuple[tuple[bytes, bytes], int, int]
"""The text of a delta, or part of it: the index of the block and the name of the field; where it begins, and ends.

Texts of the same block and field belong together."""


class DeltaScanner:
    """Finds the texts of deltas. Each byte is scanned once, but for the few that may be part of a name."""

    def __init__(self) -> None:
        self._index = b""
        self._field: bytes | None = None  # of the text that the scan is in

    def scan(self, data: bytes, at: int, *, final: bool) -> tuple[list[DeltaText], int]:
        """Return the texts from `at` on, and where to go on when more bytes have come.

        `final` says that no more bytes will come.
        """
        texts: list[DeltaText] = []
        while at < len(data):
            if self._field is None:
                head = _HEAD.search(data, at)
                if head is None:
                    return texts, len(data) if final else max(at, len(data) - _LONGEST_HEAD)
                if head[1] is not None:
                    if head.end() == len(data) and not final:
                        return texts, head.start()  # the index may go on
                    self._index = head[1]
                self._field = head[2]
                at = head.end()
            else:
                rest = _REST_OF_STRING.match(data, at)
                end = rest.end() if rest else at
                texts.append(((self._index, self._field), at, end))
                at = end
                if data[end : end + 1] == b"\\" and end + 1 == len(data) and not final:
                    return texts, at  # an escape that is cut
                if at < len(data):
                    self._field = None
                    at += 1
        return texts, at
