"""The path language of `values`: which values of a JSON document are meant.

    summary          the member `summary` of the object at the top
    edits.*          each item of the array `edits`, or each member of it if it is an object
    edits.0.line     a member of its first item
    "a.b".c          a key in quotes, written as JSON, where it has a dot, a star, a tilde or a quote in it
    summary~         the text of `summary`, piece by piece, as it grows
                     (nothing:) the document itself

A path is read without knowing the document: `0` is a place in an array or a member of that name. `resolve` follows a
path through a type, and says why no value of that type can have it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, Union

import attrs
import msgspec

from streamcore.errors import StreamCoreError
from streamcore.typed.faults import format_path
from streamcore.typed.shapes import Anything, Array, Map, OneOf, Record, Scalar, Tuple, name_of, shape_of
from streamcore.typed.wording import expected

__all__ = ["Path", "PathError", "PathStep", "parse_path", "resolve"]


class PathError(StreamCoreError, ValueError):
    """A path that is none, or that no value of the type can have."""


@attrs.frozen
class PathStep:
    """One step of a path: a member, a place (which may be a member named so), or, with neither, any."""

    key: str | None = None
    index: int | None = None

    @property
    def any(self) -> bool:
        return self.key is None

    def __str__(self) -> str:
        return "*" if self.key is None else format_path((self.key if self.index is None else self.index,))


@attrs.frozen
class Path:
    """A parsed path; `grows` says that the text of the value is wanted as it grows."""

    steps: tuple[PathStep, ...]
    grows: bool = False

    def __str__(self) -> str:
        return ".".join(map(str, self.steps)) + ("~" if self.grows else "")


_STEP: Final = re.compile(r'\*|"(?:[^"\\]|\\.)*"|[^."*~]+')


def parse_path(text: str) -> Path:
    """The path that `text` is.

    Raises:
        PathError: It is none.
    """
    grows = text.endswith("~") and not _in_quotes(text)
    rest = text.removesuffix("~") if grows else text
    steps: list[PathStep] = []
    position = 0
    while rest:
        found = _STEP.match(rest, position)
        if found is None:
            raise PathError(f"{text!r} is no path: there should be a name, a number or '*' at character {position}")
        steps.append(_step(found[0], text))
        position = found.end()
        if position == len(rest):
            break
        if rest[position] != ".":
            raise PathError(f"{text!r} is no path: there should be a '.' at character {position}")
        position += 1
    return Path(tuple(steps), grows)


def _in_quotes(text: str) -> bool:
    return text.count('"') % 2 == 1


def _step(part: str, text: str) -> PathStep:
    if part == "*":
        return PathStep()
    if part.startswith('"'):
        try:
            return PathStep(msgspec.json.decode(part, type=str))
        except msgspec.MsgspecError as error:
            raise PathError(f"{text!r} is no path: {part} is no JSON string ({error})") from None
    is_number = part.isascii() and part.isdigit() and part == str(int(part[:20]))
    return PathStep(part, int(part) if is_number else None)


# Paths through types


def resolve(path: Path, annotation: Any) -> Any:
    """The type that a value of a type has at a path; a union if it may have several.

    Raises:
        PathError: None has one there.
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
        if not any(_is_text(item) for item in found):
            raise PathError(f"the path {str(path)!r} cannot match: there is {expected(_union(found))}, and no text")
        return str
    return _union(found)


class _Reason(str):
    """Why there is nothing below."""

    __slots__ = ()


def _below(annotation: Any, step: PathStep) -> Iterator[Any]:
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
                yield _Reason(f"is an array of {len(shape.items)}, which has no {str(step)!r}")
        case Map():
            yield shape.value
        case Record():
            yield from _member(shape, step)
        case Scalar():
            yield _Reason(f"is {expected(annotation)}, which has nothing in it")


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


def _is_text(annotation: Any) -> bool:
    shape = shape_of(annotation)
    match shape:
        case Anything():
            return True
        case OneOf():
            return any(map(_is_text, shape.members))
        case Scalar():
            return shape.annotation not in (int, float, bool, None, type(None))
        case _:
            return False


def _union(annotations: list[Any]) -> Any:
    return Any if Any in annotations else Union[tuple(annotations)]  # noqa: UP007  # of types known at run time only
