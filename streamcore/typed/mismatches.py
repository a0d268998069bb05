"""The errors of structuring: raised where something is wrong, grouped by cattrs, and read back as faults.

A hook that finds something of the wrong type raises `Mismatch`. cattrs groups the errors of a class's members and of a
list's items and pins a note to each, which says where it was; the hooks of ours do the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import cattrs
from cattrs.errors import AttributeValidationNote, ClassValidationError, IterableValidationError, IterableValidationNote

from streamcore.typed.faults import Fault, Step, format_path
from streamcore.typed.missing import MISSING
from streamcore.typed.shapes import (
    Array,
    Field,
    Map,
    OneOf,
    Record,
    Tuple,
    UnsupportedTypeError,
    name_of,
    shape_of,
)
from streamcore.typed.wording import expected

__all__ = ["Mismatch", "faults_of", "grouped", "item_error", "member_error"]


class Mismatch(ValueError):
    """Something is of the wrong type; `steps` lead to it from what the hook was given."""

    def __init__(self, expected: str, received: Any, steps: tuple[Step, ...] = ()) -> None:
        super().__init__(expected)
        self.expected = expected
        self.received = received
        self.steps = steps


def grouped(kind: type[cattrs.BaseValidationError], errors: Sequence[Exception], annotation: Any) -> Exception:
    """Several errors as one."""
    return kind("", errors, annotation)  # pyright: ignore[reportCallIssue]  # it does not see `__new__`


def item_error(error: Exception, step: Step, annotation: Any) -> Exception:
    """`error`, found at this item of an array or a mapping."""
    return _noted(error, IterableValidationNote("", step, annotation))


def member_error(error: Exception, name: str, annotation: Any) -> Exception:
    """`error`, found at this attribute."""
    return _noted(error, AttributeValidationNote("", name, annotation))


def _noted(error: Exception, note: AttributeValidationNote | IterableValidationNote) -> Exception:
    # As cattrs does: `add_note()` would take any string, and it is the class of this one that matters.
    error.__notes__ = [*getattr(error, "__notes__", []), note]
    return error


def faults_of(error: BaseException, annotation: Any, value: Any, steps: tuple[Step, ...]) -> Iterator[Fault]:
    """What is wrong, from the tree of errors that cattrs has made: where each stands, its notes say."""
    if isinstance(error, (ClassValidationError, IterableValidationError)):
        for inner in error.exceptions:
            step = _step(inner, annotation)
            below = _below(annotation, step)
            if step is None:
                yield from faults_of(inner, annotation, value, steps)
            else:
                yield from faults_of(inner, below, _item(value, step), (*steps, step))
    elif isinstance(error, Mismatch):
        yield Fault(format_path((*steps, *error.steps)), error.expected, error.received)
    elif isinstance(error, KeyError) and value is MISSING:
        yield Fault(format_path(steps), expected(annotation), MISSING)
    elif isinstance(error, UnsupportedTypeError):
        raise error
    else:
        # What a class itself, its validators for example, has against its members.
        yield Fault(format_path(steps), f"{name_of(annotation)} ({error})", value)


def _step(error: BaseException, annotation: Any) -> Step | None:
    for note in getattr(error, "__notes__", ()):
        if isinstance(note, IterableValidationNote):
            return note.index
        if isinstance(note, AttributeValidationNote):
            return next((field.key for field in _fields(annotation) if field.name == note.name), note.name)
    return None


def _fields(annotation: Any) -> Iterator[Field]:
    shape = shape_of(annotation)
    if isinstance(shape, Record):
        yield from shape.fields
    elif isinstance(shape, OneOf):
        for member in shape.members:
            yield from _fields(member)


def _below(annotation: Any, step: Step | None) -> Any:
    shape = shape_of(annotation)
    match shape:
        case Array():
            return shape.item
        case Map():
            return shape.value
        case Tuple() if isinstance(step, int):
            return shape.items[step]
        case Record():
            return next((field.annotation for field in shape.fields if field.key == step), Any)
        case OneOf():
            return next((below for member in shape.members if (below := _below(member, step)) is not Any), Any)
        case _:
            return Any


def _item(value: Any, step: Step) -> Any:
    try:
        return value[step]
    except (KeyError, IndexError, TypeError):
        return MISSING
