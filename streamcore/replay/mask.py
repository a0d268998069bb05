"""Takes texts out of heads and of bodies: those it is told, and whatever looks like an API key (`sk-ant-...`)."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

import attrs

from streamcore.replay.capture import Chunk, End, Step

__all__ = ["REDACTED", "Mask"]

REDACTED = "REDACTED"
"""What stands in the place of a secret."""

_KEY = rb"[A-Za-z0-9_-]"
_LONGEST_KEY = 512
# Not within a word (`task-ant-hill`), but after an escape, which may end in a letter: `\nsk-...`, `%22sk-...`.
_BEFORE = rb"(?:(?<![A-Za-z0-9]sk-)|(?<=\\[bfnrt]sk-)|(?<=\\u[0-9A-Fa-f]{4}sk-)|(?<=%[0-9A-Fa-f]{2}sk-))"
_LOOKS_SECRET = re.compile(
    rb"sk-(?:ant-[a-z]{2,8}\d\d-KEY{0,512}|BEFORE(?:ant-KEY{6,512}|(?=[A-Za-z_-]{0,40}\d)KEY{20,512}))".replace(
        b"KEY", _KEY
    ).replace(b"BEFORE", _BEFORE)
)
_MAY_LOOK_SECRET = re.compile(rb"(?:s|sk|sk-KEY{0,512})\Z".replace(b"KEY", _KEY))
_MAY_GO_ON = re.compile(_KEY)
_BEFORE_SIZE = 6
# Of a text that may have begun at the end of a chunk, so many bytes are looked for first.
_HEAD_SIZE = 8


class Mask:
    """Takes texts out, in all the ways in which heads and bodies may write them.

    In a body each byte of them becomes an `x`, so that chunks keep their sizes. A chunk is held for as long as its end
    may be the start of such a text.

    Args:
        secrets: The texts.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        written = {way for secret in secrets for way in _written(secret)}
        self._needles = sorted((way.encode("utf-8", "surrogatepass") for way in written), key=len, reverse=True)
        self._pattern = re.compile(b"|".join([*map(re.escape, self._needles), _LOOKS_SECRET.pattern]))
        self._heads = [needle[:_HEAD_SIZE] for needle in self._needles]
        self._starts = {needle[:size] for needle in self._needles for size in range(1, min(len(needle), _HEAD_SIZE))}
        self._held: list[Chunk] = []
        self._before = b""

    def text(self, text: str) -> str:
        """A text without them."""
        return self.data(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    def data(self, data: bytes) -> bytes:
        """Bytes without them."""
        return self._pattern.sub(REDACTED.encode(), data)

    def body(self, steps: Iterable[Step]) -> Iterator[Step]:
        """A whole body without them."""
        fresh = copy.copy(self)
        fresh._held, fresh._before = [], b""
        for step in steps:
            yield from fresh.feed(step)
        yield from fresh.finish()

    def feed(self, step: Step) -> list[Step]:
        """The steps, of those fed so far and not returned, that can be without them by now."""
        if not isinstance(step, Chunk):
            end = attrs.evolve(step, message=self.text(step.message)) if isinstance(step, End) else step
            return [*self.finish(), end]
        self._held.append(step)
        text = self._before + (step.data if len(self._held) == 1 else b"".join(chunk.data for chunk in self._held))
        return self._passed_on(*self._crossed_out(text, len(text) - self._open(text)))

    def finish(self) -> list[Step]:
        """What is left."""
        text = self._before + b"".join(chunk.data for chunk in self._held)
        ready = self._passed_on(*self._crossed_out(text, len(text)))
        self._before = b""
        return ready

    def _passed_on(self, text: bytes, sure: int) -> list[Step]:
        ready: list[Step] = []
        waiting: list[Chunk] = []
        begin = released = len(self._before)
        for chunk in self._held:
            end = begin + len(chunk.data)
            same = chunk if text[begin:end] == chunk.data else Chunk(chunk.time, text[begin:end])
            if end <= sure and not waiting:
                ready.append(same)
                released = end
            else:
                waiting.append(same)
            begin = end
        self._held = waiting
        self._before = text[max(0, released - _BEFORE_SIZE) : released]
        return ready

    def _crossed_out(self, text: bytes, sure: int) -> tuple[bytes, int]:
        """The text without what ends in its sure part, and how long that is: what reaches beyond it may go on."""
        # The search for what is there is fast, and the pattern is not.
        if b"sk-" not in text and not any(needle in text for needle in self._needles):
            return text, sure
        clean = bytearray(text)
        for found in self._pattern.finditer(text, len(self._before)):
            if found.end() > sure:
                return bytes(clean), min(sure, found.start())
            clean[found.start() : found.end()] = b"x" * len(found[0])
        return bytes(clean), sure

    def _open(self, text: bytes) -> int:
        """How many of the last bytes may be the start of a secret."""
        longest = 0
        if _MAY_GO_ON.match(text, len(text) - 1):
            found = _MAY_LOOK_SECRET.search(text, max(0, len(text) - _LONGEST_KEY))
            longest = len(text) - found.start() if found else 0
        for needle, head in zip(self._needles, self._heads, strict=True):
            place = text.find(head, max(0, len(text) - len(needle) + 1))
            while place >= 0 and len(text) - place > longest:
                if needle.startswith(text[place:]):
                    longest = len(text) - place
                    break
                place = text.find(head, place + 1)
        if longest < _HEAD_SIZE:
            shorter = (size for size in range(_HEAD_SIZE - 1, longest, -1) if text[-size:] in self._starts)
            longest = next(shorter, longest)
        return min(longest, len(text) - len(self._before))


def _written(secret: str) -> set[str]:
    in_json = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    encodable = secret.encode("utf-8", "surrogatepass")
    in_url = {quote(encodable, safe=""), quote(encodable), quote_plus(encodable)}
    return {secret} | in_json | in_url | {re.sub("%..", lambda code: code[0].lower(), way) for way in in_url}
