r"""Find text that may be written with escapes, and say which bytes it was written with.

A `View` is bytes, and for each part of them the place that they come from in another view. `undone()` makes the view in
which JSON escapes (`\/`, `\u002B`) and percent escapes (`%2B`) are replaced by what they stand for; `joined()` makes a
view of several pieces. So a search need not know about spellings, and what it finds can be crossed out in the original.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence

import attrs

Span = tuple[int, int]
"""Where something begins, and where it ends."""

_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|\\u[0-9a-fA-F]{4}"
    rb"|\\[\"\\/bfnrt]"
    rb"|%[0-9a-fA-F]{2}"
)
_SHORT = {
    b"\\b": b"\b",
    b"\\f": b"\f",
    b"\\n": b"\n",
    b"\\r": b"\r",
    b"\\t": b"\t",
    b"\\/": b"/",
    b'\\"': b'"',
    b"\\\\": b"\\",
}


@attrs.frozen(eq=False)
class View:
    """Bytes that are made of those of another view, or the original.

    Attributes:
        text: The bytes.
        below: The view that they are made of; `None` if this is the original.
    """

    text: bytes
    below: View | None = None
    # Where each segment begins in `text`, and its span in the text of `below`. A segment of the same length in both is
    # a copy; any other is an escape, and counts as a whole.
    _begins: Sequence[int] = ()
    _spans: Sequence[Span] = ()

    def undone(self) -> View:
        """Return the view with one level of escapes undone; this view if it has no escapes."""
        begins: list[int] = []
        spans: list[Span] = []
        pieces: list[bytes] = []
        size = end = 0
        for escape in _ESCAPE.finditer(self.text):
            begin = escape.start()
            if begin > end:
                begins.append(size)
                spans.append((end, begin))
                pieces.append(self.text[end:begin])
                size += begin - end
            end = escape.end()
            begins.append(size)
            spans.append((begin, end))
            meant = _meant(escape[0])
            pieces.append(meant)
            size += len(meant)
        if not begins:
            return self
        if end < len(self.text):
            begins.append(size)
            spans.append((end, len(self.text)))
            pieces.append(self.text[end:])
        return View(b"".join(pieces), self, begins, spans)

    def joined(self, spans: Iterable[Span]) -> View:
        """Return the view of these pieces of the text, one after the other."""
        begins: list[int] = []
        kept: list[Span] = []
        size = 0
        for begin, end in spans:
            if end > begin:
                begins.append(size)
                kept.append((begin, end))
                size += end - begin
        return View(b"".join(self.text[begin:end] for begin, end in kept), self, begins, kept)

    def origin(self, begin: int, end: int) -> Iterator[Span]:
        """Yield the spans of the original that the bytes from `begin` to `end` are made of."""
        if self.below is None:
            yield begin, end
            return
        for segment in range(bisect_right(self._begins, begin) - 1, len(self._begins)):
            at = self._begins[segment]
            if at >= end:
                return
            source, source_end = self._spans[segment]
            size = (self._begins[segment + 1] if segment + 1 < len(self._begins) else len(self.text)) - at
            if source_end - source == size:
                source, source_end = source + max(0, begin - at), source_end - max(0, at + size - end)
            yield from self.below.origin(source, source_end)


def _meant(escape: bytes) -> bytes:
    if escape in _SHORT:
        return _SHORT[escape]
    if escape.startswith(b"%"):
        return bytes([int(escape[1:], 16)])
    units = b"".join(bytes.fromhex(escape[at + 2 : at + 6].decode()) for at in range(0, len(escape), 6))
    return units.decode("utf-16-be", "surrogatepass").encode("utf-8", "surrogatepass")
