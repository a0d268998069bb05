"""Bound how deep JSON is nested before a parser sees it, while it is read in blocks.

A parser that keeps a path to where it is takes memory that grows with the square of the depth: 40 KB of `[` would need
gigabytes. This looks at brackets only, in one pass, and keeps a number from block to block.
"""

from __future__ import annotations

import re
from itertools import accumulate

MAX_DEPTH = 200
"""How many arrays and objects may be nested. A HAR file needs about ten, and more for the stacks of some browsers."""

# A string, also one that the end of the block cuts: otherwise each quote in a cut string would begin a search again.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|(\\?)\Z)', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


class TooDeepError(ValueError):
    """JSON is nested too deep."""


class DepthGuard:
    """Counts how deep JSON is nested.

    Args:
        max_depth: The limit.
    """

    def __init__(self, max_depth: int = MAX_DEPTH) -> None:
        self._max_depth = max_depth
        self._depth = 0
        self._cut_string = b""

    def check(self, block: bytes) -> None:
        """Look at the next bytes.

        Raises:
            TooDeepError: They are nested too deep.
        """
        text, self._cut_string = self._cut_string + block, b""
        outside = _STRING.sub(self._cut, text)
        depths = list(accumulate(map(_STEP.__getitem__, outside.translate(None, _NOT_BRACKETS)), initial=self._depth))
        if max(depths) > self._max_depth:
            raise TooDeepError(f"arrays and objects are nested more than {self._max_depth} deep")
        self._depth = depths[-1]

    def _cut(self, string: re.Match[bytes]) -> bytes:
        if string[1] is not None:
            # The string goes on in the next block. What matters there is the quote, and a backslash at the cut.
            self._cut_string = b'"' + string[1]
        return b""
