"""Unions: which of their members a JSON value can be, and how well it fits.

The JSON kind of the value tells most members apart. Classes are told apart by members that have only certain values
(the tag of a Struct, a `Literal`), and by the members that they know.
"""

from __future__ import annotations

from typing import Any, Literal, get_origin

from streamcore.typed.annotations import cached_by_annotation
from streamcore.typed.shapes import Array, Map, Record, Scalar, Shape, Tuple, choices_of, shape_of

__all__ = ["has_members", "may_be", "misfit"]


def may_be(shape: Shape, value: Any) -> bool:
    """Tell whether a value has the JSON kind of a shape and, for a class, agrees with its constant members."""
    match shape:
        case Record():
            return isinstance(value, dict) and all(
                value[key] in allowed for key, allowed in _constants(shape.annotation).items() if key in value
            )
        case Map():
            return isinstance(value, dict)
        case Array() | Tuple():
            return isinstance(value, list)
        case Scalar():
            return not isinstance(value, (dict, list)) and (value is None) == (shape.annotation is type(None))
        case _:
            return True


def has_members(shape: Shape, value: Any) -> bool:
    """Tell whether a class knows all the members that have come. In a union, this rules the other classes out."""
    if not isinstance(shape, Record) or not isinstance(value, dict) or shape.open:
        return True
    return value.keys() <= shape.known_keys


def misfit(shape: Shape, value: Any) -> int:
    """Count what a member of a union would change in a value: the members that it drops, or an int that it converts."""
    if isinstance(shape, Record):
        return len(value.keys() - shape.known_keys)
    return int(isinstance(shape, Scalar) and type(value) is int and shape.annotation is float)


@cached_by_annotation
def _constants(annotation: Any) -> dict[str, tuple[Any, ...]]:
    """Return the members of a class that have only certain values, which tell it from other classes."""
    shape = shape_of(annotation)
    assert isinstance(shape, Record)
    found: dict[str, tuple[Any, ...]] = {shape.tag[0]: (shape.tag[1],)} if shape.tag is not None else {}
    for field in shape.fields:
        literal = shape_of(field.annotation)
        if isinstance(literal, Scalar) and get_origin(literal.annotation) is Literal:
            found[field.key] = tuple(value for value, _ in choices_of(literal.annotation))
    return found
