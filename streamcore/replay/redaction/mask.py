"""Mask known secrets, and text that looks like an API key (`sk-ant-...`), in texts and in bodies that arrive in chunks.

A secret is found in any spelling: with JSON escapes, also in JSON within a JSON string, or percent-encoded. In a
body it is also found where it is split over chunks, or over several deltas of an event stream; and there the values of
JSON fields that are named for secrets are crossed out too.

A body is searched in blocks of 64 KB, each together with the 64 KB before it: the work is linear in its size, and the
memory for the search is that of two blocks. So a secret is found if all of it lies within 64 KB. A secret that is
longer than 256 bytes is masked in pieces of 256.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from urllib.parse import unquote_to_bytes

import attrs

from streamcore.replay.capture import CaptureError, Chunk, End, Step
from streamcore.replay.redaction.delta_texts import DeltaScanner, DeltaText
from streamcore.replay.redaction.escapes import Span, View
from streamcore.replay.redaction.json_fields import FieldScanner

REDACTED = "REDACTED"
"""What takes the place of a secret."""

BLOCK_SIZE = 64 * 1024
"""So many bytes of a body are masked at once."""

_LONGEST_NEEDLE = 256
_MOST_NEEDLES = 1000
_SHORTEST_UNDONE = 8
# JSON in a string of JSON, and one more level for percent encoding.
_LEVELS = 3

# Bounded or possessive throughout, so that the search is linear. `sk-` does not count within a word (`task-ant-hill`).
_LOOKS_SECRET = re.compile(
    rb"sk-ant-[a-z]{2,8}\d\d-[A-Za-z0-9_-]*+"
    rb"|(?<![A-Za-z0-9])sk-(?:ant-[A-Za-z0-9_-]{6,}+|(?=[A-Za-z_-]{0,40}+\d)[A-Za-z0-9_-]{20,}+)"
)


class RedactionError(CaptureError):
    """A capture cannot be redacted, so it must not be written."""


def _never(_: str) -> bool:
    return False


class Secrets:
    """Secrets to mask. It is immutable.

    Args:
        texts: The secrets.
        is_field: Whether a JSON field of this name, in a body, holds a secret.

    Raises:
        RedactionError: There are too many secrets to look for.
    """

    def __init__(self, texts: Iterable[str] = (), is_field: Callable[[str], bool] = _never) -> None:
        needles = {piece for text in texts if text for way in _written(text) for piece in _pieces(way)}
        if len(needles) > _MOST_NEEDLES:
            raise RedactionError(f"it has more than {_MOST_NEEDLES} different secrets to look for")
        self._needles = sorted(needles)
        self.is_field = is_field

    def text(self, text: str) -> str:
        """Return a text with `REDACTED` for each secret."""
        return self.data(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    def data(self, data: bytes) -> bytes:
        """Return bytes with `REDACTED` for each secret."""
        pieces: list[bytes] = []
        end = 0
        for begin, stop in _merged(self._found_in_blocks(data)):
            pieces += (data[end:begin], REDACTED.encode())
            end = stop
        return b"".join([*pieces, data[end:]]) if pieces else data

    def body(self, steps: Iterable[Step]) -> Iterator[Step]:
        """Yield the steps of a body with `x` for each byte of a secret, so that chunks keep their sizes."""
        mask = Mask(self)
        for step in steps:
            yield from mask.feed(step)
        yield from mask.finish()

    def spans(self, data: bytes, deltas: Iterable[Sequence[Span]]) -> Iterator[Span]:
        """Yield where secrets are in part of a body. `deltas` has, for each content block, where its texts are."""
        whole = View(data)
        yield from self._found(whole)
        for texts in deltas:
            if len(texts) > 1:
                yield from self._found(whole.joined(texts))

    def _found_in_blocks(self, data: bytes) -> Iterator[Span]:
        """Yield where secrets are, block by block as in a body: a view takes many times the memory of its bytes."""
        for end in range(BLOCK_SIZE, len(data) + BLOCK_SIZE, BLOCK_SIZE):
            base = max(0, end - 2 * BLOCK_SIZE)
            for begin, stop in self._found(View(data[base:end])):
                yield base + begin, base + stop

    def _found(self, view: View) -> Iterator[Span]:
        for _ in range(_LEVELS):
            # Secrets may overlap: where escapes are written is looked up once for all of them.
            for begin, end in _merged(self._found_as_written(view.text)):
                yield from view.origin(begin, end)
            undone = view.undone()
            if undone is view:
                return
            view = undone

    def _found_as_written(self, text: bytes) -> Iterator[Span]:
        for needle in self._needles:
            at = text.find(needle)
            while at >= 0:
                yield at, at + len(needle)
                at = text.find(needle, at + len(needle))
        if b"sk-" in text:
            for found in _LOOKS_SECRET.finditer(text):
                yield found.span()


class Mask:
    """Masks one body. A chunk is held until 64 KB follow it: by then a secret that begins in it has been found."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._fields = FieldScanner(secrets.is_field)
        self._deltas = DeltaScanner()
        self._texts: list[DeltaText] = []  # those in the last blocks; the places count from the beginning of the body
        self._forgotten = 0
        self._held: list[Chunk] = []
        self._original = bytearray()
        self._masked = bytearray()
        # How much of the original has been searched for secrets, for fields, and for deltas.
        self._searched = self._scanned = self._split = 0

    def is_due(self, size: int) -> bool:
        """Whether so many more bytes will start the work on a block."""
        return len(self._original) - self._searched + size >= BLOCK_SIZE

    def feed(self, step: Step) -> list[Step]:
        """Return the steps that are ready, of those fed so far."""
        if not isinstance(step, Chunk):
            end = attrs.evolve(step, message=self._secrets.text(step.message)) if isinstance(step, End) else step
            return [*self.finish(), end]
        due = self.is_due(len(step.data))
        self._held.append(step)
        self._original += step.data
        self._masked += step.data
        if not due:
            return []
        self._search(final=False)
        return self._released(min(self._searched - BLOCK_SIZE, self._scanned))

    def finish(self) -> list[Step]:
        """Return the rest of the steps."""
        self._search(final=True)
        return self._released(len(self._original))

    def _search(self, *, final: bool) -> None:
        """Cross out what is in the blocks that have come since the last search; at the end, also in the rest."""
        while len(self._original) - self._searched >= BLOCK_SIZE:
            self._search_block(self._searched + BLOCK_SIZE, final=False)
        if final:
            self._search_block(len(self._original), final=True)

    def _search_block(self, stop: int, *, final: bool) -> None:
        """Cross out what is in the next block, which ends at `stop`, together with the 64 KB before it."""
        base = max(0, min(self._searched - BLOCK_SIZE, self._scanned))
        with memoryview(self._original) as original:
            data = bytes(original[base:stop])
        texts, split = self._deltas.scan(data, self._split - base, final=final)
        offset = self._forgotten + base
        self._texts = [text for text in self._texts if text[2] > offset]
        self._texts += [(block, offset + begin, offset + end) for block, begin, end in texts]
        deltas: dict[object, list[Span]] = {}
        for block, begin, end in self._texts:
            deltas.setdefault(block, []).append((max(0, begin - offset), end - offset))
        for begin, end in self._secrets.spans(data, deltas.values()):
            self._masked[base + begin : base + end] = b"x" * (end - begin)
        fields, scanned = self._fields.scan(data, self._scanned - base, final=final)
        for begin, end, fill in fields:
            self._masked[base + begin : base + end] = fill * (end - begin)
        self._scanned = base + scanned
        self._split = base + split
        self._searched = stop

    def _released(self, size: int) -> list[Step]:
        """Return the chunks that lie within the first `size` bytes, and forget them."""
        ready: list[Step] = []
        end = 0
        for chunk in self._held:
            if end + len(chunk.data) > size:
                break
            data = bytes(self._masked[end : end + len(chunk.data)])
            ready.append(chunk if data == chunk.data else Chunk(chunk.time, data))
            end += len(chunk.data)
        del self._held[: len(ready)]
        del self._original[:end]
        del self._masked[:end]
        self._searched -= end
        self._scanned -= end
        self._split -= end
        self._forgotten += end
        return ready


def _merged(spans: Iterable[Span]) -> list[Span]:
    """Return spans in order, those that overlap or touch as one."""
    merged: list[Span] = []
    for begin, end in sorted(spans):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


def _written(secret: str) -> set[bytes]:
    """Return the secret as it is, as in a form, and as the search sees it if it has percent escapes itself."""
    data = secret.encode("utf-8", "surrogatepass")
    undone = unquote_to_bytes(data)
    # Undoing escapes does not make a blank of a `+`. A secret that becomes very short may be anything.
    return {data, data.replace(b" ", b"+"), undone if len(undone) >= _SHORTEST_UNDONE else data}


def _pieces(data: bytes) -> Iterator[bytes]:
    yield data[-_LONGEST_NEEDLE:]
    for begin in range(0, len(data) - _LONGEST_NEEDLE, _LONGEST_NEEDLE):
        yield data[begin : begin + _LONGEST_NEEDLE]
