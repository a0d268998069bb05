"""Fragments of one JSON text in, the values at a path out, each when its last character is there.

In go strings, cut anywhere. Out come the values that the path means, as JSON text with the place of each; or, for a
path that grows, pieces of text. Values elsewhere are passed over without being parsed.

What it costs: every character is looked at a fixed number of times, whatever the chunking; what a value is made of is
joined once, when it is complete. A value is complete with its last character, but a number only with what follows it.

What is on the way to the values is checked; a text that turns out to be no JSON there ends the scan quietly, as it is
for others to say what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, cast

import attrs
import msgspec

from streamcore.typed.faults import Step
from streamcore.typed.paths import Path

__all__ = ["Found", "PathScanner"]


@attrs.frozen
class Found:
    """A value that is complete, or a piece of a string that grows.

    Attributes:
        steps: Where it stands in the document.
        text: Its JSON text; of a piece, the text itself.
    """

    steps: tuple[Step, ...]
    text: str


_Match = Callable[[str, int], re.Match[str]]
_space = cast("_Match", re.compile(r"[ \t\n\r]*+").match)
# What of a container's inside can be passed over at once: all but its brackets, and strings only if they are whole.
_inside = cast("_Match", re.compile(r'[^"{}\[\]]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"[^"{}\[\]]*+)*+', re.DOTALL).match)
_plain = cast("_Match", re.compile(r'[^"\\]*+').match)
_scalar = cast("_Match", re.compile(r"[^,\]} \t\n\r]*+").match)
_H = "[0-9a-fA-F]"
# Of a string's inside, all that is whole: an escaped surrogate pair is taken as one.
_whole_text = cast(
    "_Match",
    re.compile(
        rf'[^"\\]*+(?:\\(?:["\\/bfnrt]|u(?![dD][89abAB]){_H}{{4}}'
        rf'|u[dD][89abAB]{_H}{{2}}\\u[dD][c-fC-F]{_H}{{2}})[^"\\]*+)*+'
    ).match,
)
_LONGEST_ESCAPE: Final = 12
_LITERALS: Final = frozenset({"true", "false", "null", "NaN", "Infinity", "-Infinity"})
_LONGEST_LITERAL: Final = 9


class PathScanner:
    """The values at one path of one JSON text.

    Args:
        path: Which values.
    """

    __slots__ = ("_depth", "_escaped", "_frames", "_grows", "_kept", "_last", "_path", "_state", "_tail", "done")

    def __init__(self, path: Path) -> None:
        self._path = path.steps
        self._grows = path.grows
        self._last = len(path.steps)
        # The containers that are on the way: of arrays the place of the current item, of objects the current key.
        self._frames: list[_Frame] = []
        self._state: _State = PathScanner._value
        self._kept: list[str] | None = None  # the parts of a value that is wanted, while it is not complete
        self._depth = 0
        self._escaped = False
        self._tail = ""  # of a string that grows, an escape that was cut
        self.done = False
        """Whether nothing more can come: the text is complete, or no JSON."""

    def feed(self, text: str) -> list[Found]:
        """Take in more of the text; the values that are complete with it."""
        found: list[Found] = []
        position, end = 0, len(text)
        while position < end and not self.done:
            position = self._state(self, text, position, found)
        return found

    def close(self) -> list[Found]:
        """The text ends here: a number that was the whole of it is complete."""
        found: list[Found] = []
        if not self.done and self._state is PathScanner._rest_of_scalar and not self._frames:
            self._complete("", 0, 0, found)
        self.done = True
        return found

    # The states. Each takes the text and a position in it that is not its end, and gives the position it has come to.

    def _value(self, text: str, position: int, found: list[Found]) -> int:
        """Where a value should begin."""
        position = _space(text, position).end()
        if position == len(text):
            return position
        char = text[position]
        if char == "]" and self._frames and self._frames[-1].is_empty_array:
            return self._leave(position)
        depth = len(self._frames)
        if char in ",:]}":
            return self._fail(position)
        if self._frames:
            self._frames[-1].count += 1
        on_the_way = depth == 0 or self._frames[-1].fits(self._path[depth - 1])
        if on_the_way and depth < self._last and char in "{[":
            self._frames.append(_Frame(char == "{"))
            self._state = PathScanner._key if char == "{" else PathScanner._value
            return position + 1
        if on_the_way and depth == self._last and self._grows and char == '"':
            self._state = PathScanner._growing
            return position + 1
        self._kept = [] if on_the_way and depth == self._last and not self._grows else None
        if char == '"':
            self._state = PathScanner._rest_of_string
        elif char in "{[":
            self._state, self._depth = PathScanner._rest_of_container, 1
        else:
            self._state = PathScanner._rest_of_scalar
            return position
        if self._kept is not None:
            self._kept.append(char)
        return position + 1

    def _rest_of_container(self, text: str, start: int, found: list[Found]) -> int:
        position, end = start, len(text)
        while (position := _inside(text, position).end()) < end:
            char = text[position]
            position += 1
            if char == '"':
                # The rest of a string that is not whole yet, and with it the rest of what has come.
                self._keep(text, start, position)
                self._state = PathScanner._rest_of_string
                return position
            self._depth += 1 if char in "{[" else -1
            if not self._depth:
                return self._complete(text, start, position, found)
        self._keep(text, start, position)
        return position

    def _rest_of_string(self, text: str, start: int, found: list[Found]) -> int:
        position, end = start, len(text)
        if self._escaped:
            position += 1
            self._escaped = False
        while (position := _plain(text, position).end()) < end:
            position += 1
            if text[position - 1] == '"':
                if not self._depth:
                    return self._complete(text, start, position, found)
                self._keep(text, start, position)
                self._state = PathScanner._rest_of_container
                return position
            if position == end:
                self._escaped = True
            position += 1
        self._keep(text, start, end)
        return end

    def _rest_of_scalar(self, text: str, start: int, found: list[Found]) -> int:
        position = _scalar(text, start).end()
        self._keep(text, start, position)
        kept = self._kept
        is_literal = kept is not None and len(kept) <= _LONGEST_LITERAL and "".join(kept) in _LITERALS
        return self._complete("", 0, 0, found, position) if is_literal or position < len(text) else position

    def _growing(self, text: str, start: int, found: list[Found]) -> int:
        buffer = self._tail + text[start:]
        stop = _whole_text(buffer, 0).end()
        if stop:
            piece = self._decoded(buffer[:stop])
            if piece is None:
                return self._fail(start)
            found.append(Found(self._place(), piece))
        position = start + stop - len(self._tail)
        self._tail = ""
        if stop == len(buffer):
            return position
        if buffer[stop] == '"':
            return self._after_value(position + 1)
        if len(buffer) - stop >= _LONGEST_ESCAPE:
            return self._fail(position)  # no escape is that long
        self._tail = buffer[stop:]
        return len(text)

    def _key(self, text: str, position: int, found: list[Found]) -> int:
        """Where a key should begin, or the object end."""
        position = _space(text, position).end()
        if position == len(text):
            return position
        if text[position] == "}" and self._frames[-1].count == 0:
            return self._leave(position)
        if text[position] != '"':
            return self._fail(position)
        self._state, self._kept = PathScanner._rest_of_key, []
        return position + 1

    def _rest_of_key(self, text: str, start: int, found: list[Found]) -> int:
        position, end = start, len(text)
        if self._escaped:
            position += 1
            self._escaped = False
        while (position := _plain(text, position).end()) < end:
            position += 1
            if text[position - 1] == '"':
                self._keep(text, start, position - 1)
                key = self._decoded("".join(self._kept or ()))
                if key is None:
                    return self._fail(position)
                self._frames[-1].key = key
                self._state, self._kept = PathScanner._colon, None
                return position
            if position == end:
                self._escaped = True
            position += 1
        self._keep(text, start, end)
        return end

    def _colon(self, text: str, position: int, found: list[Found]) -> int:
        position = _space(text, position).end()
        if position == len(text):
            return position
        if text[position] != ":":
            return self._fail(position)
        self._state = PathScanner._value
        return position + 1

    def _comma(self, text: str, position: int, found: list[Found]) -> int:
        """After a value in a container."""
        position = _space(text, position).end()
        if position == len(text):
            return position
        char, frame = text[position], self._frames[-1]
        if char == ("}" if frame.is_object else "]"):
            return self._leave(position)
        if char != ",":
            return self._fail(position)
        self._state = PathScanner._key if frame.is_object else PathScanner._value
        return position + 1

    # Between the states

    def _keep(self, text: str, start: int, end: int) -> None:
        if self._kept is not None and end > start:
            self._kept.append(text[start:end])

    def _complete(self, text: str, start: int, end: int, found: list[Found], position: int | None = None) -> int:
        self._keep(text, start, end)
        self._depth = 0
        if self._kept is not None:
            found.append(Found(self._place(), "".join(self._kept)))
            self._kept = None
        return self._after_value(end if position is None else position)

    def _after_value(self, position: int) -> int:
        self._state = PathScanner._comma
        self.done = not self._frames
        return position

    def _leave(self, position: int) -> int:
        self._frames.pop()
        return self._after_value(position + 1)

    def _fail(self, position: int) -> int:
        self.done = True
        return position

    def _place(self) -> tuple[Step, ...]:
        return tuple(frame.key if frame.is_object else frame.count - 1 for frame in self._frames)

    def _decoded(self, raw: str) -> str | None:
        if "\\" not in raw:
            return raw
        try:
            return _unescape(f'"{raw}"')
        except msgspec.MsgspecError:
            return None


_State = Callable[[PathScanner, str, int, list[Found]], int]
_unescape = msgspec.json.Decoder(str).decode


class _Frame:
    """A container on the way: which of its values is at hand."""

    __slots__ = ("count", "is_object", "key")

    def __init__(self, is_object: bool) -> None:
        self.is_object = is_object
        self.key = ""
        self.count = 0

    @property
    def is_empty_array(self) -> bool:
        return not self.is_object and self.count == 0

    def fits(self, step: Any) -> bool:
        if step.key is None:
            return True
        return bool(step.key == self.key if self.is_object else step.index == self.count - 1)
