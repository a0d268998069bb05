"""Paths: which values of a JSON document somebody wants to see.

    summary          the member `summary` of the object at the top
    edits.*          each item of the array `edits`, or each member if it is an object
    edits.0.line     a member of its first item
    "a.b".c          a key that has a dot, a star, a tilde or a quote in it: in quotes, written as JSON
    summary~         the text of `summary`, piece by piece, as it grows
                     (the empty path) the document itself

`parse_path` reads a path without knowing the document: `0` may be an array index or a member with that name.
`resolve` follows a path through a type. `PathReader` finds the values at a path in a text that arrives in fragments.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final, Union

import attrs

from streamcore.errors import StreamCoreError
from streamcore.partial_json import ABSENT, Scanner, ValueAt
from streamcore.typed.annotations import name_of
from streamcore.typed.faults import JSONStep, expected, format_path
from streamcore.typed.shapes import Anything, Array, Map, OneOf, Record, Scalar, Tuple, shape_of

__all__ = ["Path", "PathError", "PathReader", "PathStep", "parse_path", "resolve"]


class PathError(StreamCoreError, ValueError):
    """The path is malformed, or no value of the type can have it."""


@attrs.frozen
class PathStep:
    """One step of a path.

    Attributes:
        key: The name of a member, or None for any member or item.
        index: The array index, if `key` is a number: then the step fits either.
    """

    key: str | None = None
    index: int | None = None

    @property
    def any(self) -> bool:
        return self.key is None

    def fits(self, step: JSONStep) -> bool:
        """Tell whether this step leads to the member or item `step`."""
        return self.key is None or (self.key == step if isinstance(step, str) else self.index == step)

    def __str__(self) -> str:
        return "*" if self.key is None else format_path((self.key if self.index is None else self.index,))


@attrs.frozen
class Path:
    """A parsed path; `grows` is whether the text of the value is wanted piece by piece, as it grows."""

    steps: tuple[PathStep, ...]
    grows: bool = False

    def fits(self, steps: tuple[JSONStep, ...]) -> bool:
        """Tell whether this path leads to the place `steps`, which has the same number of steps."""
        return all(wanted.fits(step) for wanted, step in zip(self.steps, steps, strict=True))

    def __str__(self) -> str:
        return ".".join(map(str, self.steps)) + ("~" if self.grows else "")


# Reading a path

_STEP: Final = re.compile(r'\*|"(?:[^"\\]|\\.)*"|[^."*~]+')


def parse_path(text: str) -> Path:
    """Parse the text of a path.

    Raises:
        PathError: The text is not a path.
    """
    grows = text.endswith("~") and text.count('"') % 2 == 0  # a tilde in quotes belongs to a key
    rest = text.removesuffix("~") if grows else text
    steps: list[PathStep] = []
    position = 0
    while rest:
        found = _STEP.match(rest, position)
        if found is None:
            raise PathError(f"{text!r} is not a path: expected a name, a number or '*' at character {position}")
        steps.append(_parse_step(found[0], text))
        position = found.end()
        if position == len(rest):
            break
        if rest[position] != ".":
            raise PathError(f"{text!r} is not a path: expected '.' at character {position}")
        position += 1
    return Path(tuple(steps), grows)


def _parse_step(part: str, text: str) -> PathStep:
    if part == "*":
        return PathStep()
    if part.startswith('"'):
        try:
            return PathStep(json.loads(part))
        except ValueError as error:
            raise PathError(f"{text!r} is not a path: {part} is not a JSON string ({error})") from None
    # `012` can only be a member. Twenty digits are more than any index has, and keep `int` fast.
    is_index = part.isascii() and part.isdigit() and part == str(int(part[:20]))
    return PathStep(part, int(part) if is_index else None)


# Following a path through a type


def resolve(path: Path, annotation: Any) -> Any:
    """Return the type that a value of this type has at a path; a union if several types are possible.

    Raises:
        PathError: No value of the type has anything there.
    """
    found = [annotation]
    for number, step in enumerate(path.steps):
        below: list[Any] = []
        reasons: list[str] = []
        for item in found:
            for outcome in _below(item, step):
                if isinstance(outcome, _Reason):
                    reasons.append(outcome)
                else:
                    below.append(outcome)
        if not below:
            here = ".".join(map(str, path.steps[:number])) or name_of(annotation)
            raise PathError(f"the path {str(path)!r} cannot match: {here} {'; '.join(dict.fromkeys(reasons))}")
        found = below
    if path.grows:
        if not any(map(_may_be_text, found)):
            raise PathError(f"the path {str(path)!r} cannot match: there is {expected(_union(found))}, not text")
        return str
    return _union(found)


class _Reason(str):
    """Why a step leads nowhere."""

    __slots__ = ()


def _below(annotation: Any, step: PathStep) -> Iterator[Any]:
    """Yield the types that one step can lead to, and a `_Reason` for each alternative where it leads nowhere."""
    shape = shape_of(annotation)
    match shape:
        case Anything():
            yield Any
        case OneOf():
            for member in shape.members:
                yield from _below(member, step)
        case Array():
            if step.any or step.index is not None:
                yield shape.item
            else:
                yield _Reason(f"is an array, which has no member {str(step)!r}: its items are '*'")
        case Tuple():
            if step.any:
                yield from shape.items
            elif step.index is not None and step.index < len(shape.items):
                yield shape.items[step.index]
            else:
                yield _Reason(f"is an array of {len(shape.items)}, which has no item {str(step)!r}")
        case Map():
            yield shape.value
        case Record():
            yield from _member(shape, step)
        case Scalar():
            yield _Reason(f"is {expected(annotation)}, which has no members or items")


def _member(shape: Record, step: PathStep) -> Iterator[Any]:
    if step.any:
        yield from (field.annotation for field in shape.fields)
        if shape.open:
            yield Any
    elif shape.tag is not None and step.key == shape.tag[0]:
        yield type(shape.tag[1])
    elif (field := shape.by_key.get(step.key or "")) is not None:
        yield field.annotation
    elif shape.open:
        yield Any
    else:
        names = ", ".join(repr(format_path((key,))) for key in shape.by_key) or "none"
        yield _Reason(f"is an object ({name_of(shape.annotation)}), which has no member {str(step)!r}, but {names}")


def _may_be_text(annotation: Any) -> bool:
    shape = shape_of(annotation)
    match shape:
        case Anything():
            return True
        case OneOf():
            return any(map(_may_be_text, shape.members))
        case Scalar():
            return shape.annotation not in (int, float, bool, None, type(None))
        case _:
            return False


def _union(annotations: list[Any]) -> Any:
    return Any if Any in annotations else Union[tuple(annotations)]  # noqa: UP007  # of types known at run time only


# Finding the values at a path in a text


class PathReader:
    """The values at a path of one JSON text that arrives in fragments; or, if the path grows, the pieces of its text.

    Each value is given once, when it closes. All values at a path lie in as many containers as the path has steps, so
    the scanner watches that depth, and only the places there are compared with the path.

    A fault in the text ends the reading without an error: others report it.

    Args:
        path: The path.
        keeps_halves: Whether a string may contain half of a surrogate pair, as for `Scanner`.

    Attributes:
        length: The number of characters read so far.
        done: Whether nothing more can come: the text is complete or wrong.
    """

    __slots__ = ("_given", "_path", "_scanner", "done", "length")

    def __init__(self, path: Path, *, keeps_halves: bool = False) -> None:
        self._path = path
        self._scanner = Scanner(watch_depth=len(path.steps))
        self._scanner.keeps_halves = keeps_halves
        self._given = 0  # how many characters of the open string were given as pieces
        self.length: int = 0
        self.done: bool = False

    def feed(self, text: str) -> list[ValueAt]:
        """Read more text. Return the values that close in it, or the pieces that it adds."""
        if self.done:
            return []
        self.length += len(text)
        self._scanner.scan(text)
        self.done = self._scanner.done
        return self._take_new()

    def close(self) -> list[ValueAt]:
        """Accept that the text ends here, which closes a number at the top. Return the values that close.

        Any other text that is not complete stays open: deltas may come after the block's stop.
        """
        if self.done or self._scanner.number is ABSENT or self._scanner.containers:
            return []
        self.done = True
        self._scanner.end()
        return self._take_new()

    def _take_new(self) -> list[ValueAt]:
        closed = self._scanner.take_closed()
        if closed:
            closed = [item for item in closed if self._path.fits(item.path)]
        return self._pieces(closed) if self._path.grows else closed

    def _pieces(self, closed: list[ValueAt]) -> list[ValueAt]:
        """Return what has been added to strings: to those that have closed, then to the one that is open."""
        pieces: list[ValueAt] = []
        for path, value in closed:
            if isinstance(value, str) and len(value) > self._given:
                pieces.append(ValueAt(path, value[self._given :]))
            self._given = 0  # only the first of them can have been open before
        string = self._scanner.open_string()
        # If a part of it was given, it is known to fit.
        if string is not None and len(string.value) > self._given and (self._given or self._path.fits(string.path)):
            pieces.append(ValueAt(string.path, string.value[self._given :]))
            self._given = len(string.value)
        return pieces
