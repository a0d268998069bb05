"""Types in words: what should have been where something else is."""

from __future__ import annotations

import functools
from typing import Annotated, Any

from streamcore.typed.choices import choices_of
from streamcore.typed.shapes import Anything, Array, Map, OneOf, Record, Scalar, Tuple, name_of, shape_of

__all__ = ["expected", "expected_scalar"]


def expected(annotation: Any) -> str:
    """What JSON a type is written as, in words."""
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


def expected_scalar(shape: Scalar) -> str:
    """The same for a scalar, with the limits that it has."""
    schema: dict[str, Any] = {}
    if shape.constraints:
        from streamcore.typed.schema import json_schema

        schema = json_schema(
            functools.reduce(lambda inner, meta: Annotated[inner, meta], shape.constraints, shape.annotation)
        )
    limits = ", ".join(f"{key} {value}" for key, value in schema.items() if key not in _DESCRIBING)
    name = _NAMES.get(shape.annotation)
    if name is None:
        values = [value for value, _ in choices_of(shape.annotation)]
        name = "one of " + ", ".join(map(repr, values)) if values else f"a string that is a {name_of(shape.annotation)}"
    return f"{name} ({limits})" if limits else name


_DESCRIBING = frozenset({"type", "format", "enum", "title", "description", "examples", "$defs", "$ref"})
_NAMES: dict[Any, str] = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "a boolean",
    None: "null",
    type(None): "null",
}
