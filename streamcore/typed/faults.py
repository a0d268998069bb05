"""The faults of an answer that is JSON but not of the user's type, and the words for them.

Structuring works with exceptions: a hook that finds something of the wrong type raises `Mismatch`. cattrs groups the
errors of a class's members and of a list's items, and pins a note to each that says where it was; our own hooks do the
same through `item_error`, `member_error` and `group_errors`. `faults_of` turns the tree of exceptions into a list of
`Fault`, which `InvalidOutputError` carries to the user.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, TypeAlias

import attrs
import cattrs
import msgspec
from cattrs.errors import AttributeValidationNote, ClassValidationError, IterableValidationError, IterableValidationNote

from streamcore.errors import CALL_ERRORS, APIResponseValidationError, DecodeError, excerpt, shortened
from streamcore.typed.annotations import UnsupportedTypeError, name_of
from streamcore.typed.fields import MISSING, Field
from streamcore.typed.shapes import Anything, Array, Map, OneOf, Record, Scalar, Tuple, choices_of, shape_of

__all__ = [
    "MAX_FAULTS",
    "APIInvalidOutputError",
    "Fault",
    "InvalidOutputError",
    "JSONStep",
    "Mismatch",
    "count_faults",
    "expected",
    "expected_scalar",
    "faults_of",
    "format_path",
    "group_errors",
    "item_error",
    "member_error",
]

JSONStep: TypeAlias = str | int
"""One step down into JSON: the name of a member of an object, or the index of an item of an array."""

_PLAIN_KEY: Final = re.compile(r'[^."*~\x00-\x1f]+')


def format_path(steps: Iterable[JSONStep]) -> str:
    """Format a path as `values` takes it: `edits.3.line`; the empty path is the whole document."""
    return ".".join(
        # Not with msgspec: a key may have half of a surrogate pair, which UTF-8 cannot encode.
        str(step) if isinstance(step, int) or _PLAIN_KEY.fullmatch(step) else json.dumps(step, ensure_ascii=False)
        for step in steps
    )


# For the user


@attrs.frozen
class Fault:
    """One thing that is wrong.

    Attributes:
        path: Where it is, as a path that `values` would take: `edits.3.line`; empty for the whole document.
        expected: What should be there, in words.
        received: What arrived, or `MISSING` if nothing did.
    """

    path: str
    expected: str
    received: Any

    def __str__(self) -> str:
        where = f"at {shortened(self.path)}" if self.path else "at the top"
        received = "nothing" if self.received is MISSING else _describe(self.received)
        return f"{where}: expected {self.expected}, got {received}"


def _describe(value: Any) -> str:
    """Describe a JSON value by its kind and the beginning of its text."""
    from streamcore.codec import kind_of

    if value is None:
        return "null"
    try:
        text = msgspec.json.encode(value).decode()
    except (TypeError, ValueError):
        text = repr(value)
    return f"{kind_of(value)}: {text}" if len(text) <= 80 else f"{kind_of(value)}: {excerpt(text, 80)}"


class InvalidOutputError(DecodeError):
    """The model's output is not of the requested type.

    The message says where, which type was expected there, and what arrived.

    Attributes:
        faults: The faults, in the order of the type's fields; empty if the output is not complete JSON. After the
            hundredth fault in an array or a mapping, the rest of it is not looked at.
        value: The JSON value that arrived, or None if the output is not complete JSON.
    """

    faults: tuple[Fault, ...]
    value: Any

    def __init__(self, message: str, *, faults: tuple[Fault, ...] = (), value: Any = None, **place: Any) -> None:
        super().__init__(message, **place)
        self.faults = faults
        self.value = value


class APIInvalidOutputError(APIResponseValidationError, InvalidOutputError):
    """An `InvalidOutputError` in the answer to a call."""


CALL_ERRORS[InvalidOutputError] = APIInvalidOutputError


# Types in words


def expected(annotation: Any) -> str:
    """Say in words which JSON is expected for a type."""
    shape = shape_of(annotation)
    match shape:
        case Anything():
            return "any value"
        case Record():
            return f"an object ({name_of(shape.annotation)})"
        case Map():
            return "an object"
        case Array():
            return "an array"
        case Tuple():
            return f"an array of {len(shape.items)}"
        case OneOf():
            return " or ".join(dict.fromkeys(map(expected, shape.members)))
        case Scalar():
            return expected_scalar(shape)


_SCALAR_NAMES: Final[dict[Any, str]] = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "a boolean",
    None: "null",
    type(None): "null",
}
_NOT_LIMITS: Final = frozenset({"type", "format", "enum", "title", "description", "examples", "$defs", "$ref"})


def expected_scalar(shape: Scalar) -> str:
    """Say in words which scalar is expected, with the limits on it."""
    schema: dict[str, Any] = {}
    if shape.constraints:
        from streamcore.typed.schema import json_schema

        schema = json_schema(shape.constrain(shape.annotation))
    limits = ", ".join(f"{key} {value}" for key, value in schema.items() if key not in _NOT_LIMITS)
    name = _SCALAR_NAMES.get(shape.annotation)
    if name is None:
        values = [value for value, _ in choices_of(shape.annotation)]
        name = "one of " + ", ".join(map(repr, values)) if values else f"a string that is a {name_of(shape.annotation)}"
    return f"{name} ({limits})" if limits else name


# Errors while structuring

MAX_FAULTS: Final = 100
"""After so many faults in an array or a mapping, the rest of it is not looked at."""


class Mismatch(ValueError):
    """A value has the wrong type; `steps` lead to it from the value that the hook was given."""

    def __init__(self, expected: str, received: Any, steps: tuple[JSONStep, ...] = ()) -> None:
        super().__init__(expected)
        self.expected = expected
        self.received = received
        self.steps = steps


def group_errors(kind: type[cattrs.BaseValidationError], errors: Sequence[Exception], annotation: Any) -> Exception:
    """Make one exception of several, of the class that cattrs would use."""
    return kind("", errors, annotation)  # pyright: ignore[reportCallIssue]  # pyright misses its `__new__`


def item_error(error: Exception, step: JSONStep, annotation: Any) -> Exception:
    """Note in `error` that it was found at this item of an array or a mapping."""
    return _add_note(error, IterableValidationNote("", step, annotation))


def member_error(error: Exception, name: str, annotation: Any) -> Exception:
    """Note in `error` that it was found at this attribute."""
    return _add_note(error, AttributeValidationNote("", name, annotation))


def _add_note(error: Exception, note: AttributeValidationNote | IterableValidationNote) -> Exception:
    error.add_note(note)  # the notes are strings, but it is their classes that `_step_of` looks at
    return error


def count_faults(error: BaseException) -> int:
    """Return how many faults an exception has inside, at most."""
    return sum(map(count_faults, error.exceptions)) if isinstance(error, cattrs.BaseValidationError) else 1


def faults_of(error: BaseException, annotation: Any, value: Any, steps: tuple[JSONStep, ...]) -> Iterator[Fault]:
    """Yield what is wrong, from the exceptions that structuring has raised.

    Args:
        error: The exception, which may hold others.
        annotation: The type that was expected.
        value: The JSON value that arrived.
        steps: Where the value stands.
    """
    if isinstance(error, (ClassValidationError, IterableValidationError)):
        for inner in error.exceptions:
            step = _step_of(inner, annotation)
            if step is None:
                yield from faults_of(inner, annotation, value, steps)
            else:
                yield from faults_of(inner, _type_at(annotation, step), _value_at(value, step), (*steps, step))
    elif isinstance(error, Mismatch):
        yield Fault(format_path((*steps, *error.steps)), error.expected, error.received)
    elif isinstance(error, KeyError) and value is MISSING:
        yield Fault(format_path(steps), expected(annotation), MISSING)
    elif isinstance(error, UnsupportedTypeError):
        raise error
    else:
        # The class itself, its validators for example, refuses its members.
        yield Fault(format_path(steps), f"{name_of(annotation)} ({error})", value)


def _step_of(error: BaseException, annotation: Any) -> JSONStep | None:
    """Return the step that a note says, or None without a note."""
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


def _type_at(annotation: Any, step: JSONStep) -> Any:
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
            return next((found for member in shape.members if (found := _type_at(member, step)) is not Any), Any)
        case _:
            return Any


def _value_at(value: Any, step: JSONStep) -> Any:
    try:
        return value[step]
    except (KeyError, IndexError, TypeError):
        return MISSING
