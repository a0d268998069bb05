"""Whether all of a type can be structured, found out before there is anything to structure.

In: an annotation. Out: nothing, or an `UnsupportedTypeError`. pydantic models answer for themselves.
"""

from __future__ import annotations

from typing import Any, get_origin

import typing_extensions

from streamcore.typed.annotations import as_written, cached_by_annotation, name_of
from streamcore.typed.schema import json_schema
from streamcore.typed.shapes import Array, Map, OneOf, Record, Scalar, Tuple, UnsupportedTypeError, is_model, shape_of

__all__ = ["check_type"]


@cached_by_annotation
def check_type(annotation: Any) -> None:
    """See that JSON can be structured as all of a type.

    Raises:
        UnsupportedTypeError: Some part of it is none that it can be structured as.
    """
    _check(annotation, set())


def _check(annotation: Any, seen: set[Any]) -> None:
    shape = shape_of(annotation)
    match shape:
        case Array():
            _check(shape.item, seen)
            if shape.unique and not _is_hashable(shape.item):
                raise UnsupportedTypeError(f"{name_of(annotation)}: {name_of(shape.item)} cannot be in a set")
        case Map():
            _check(shape.value, seen)
        case Tuple():
            for item in shape.items:
                _check(item, seen)
        case OneOf():
            for member in shape.members:
                _check(member, seen)
        case Record() if not is_model(shape.cls) and (key := as_written(shape.annotation)) not in seen:
            seen.add(key)
            for field in shape.fields:
                _check(field.annotation, seen)
        case Scalar():
            json_schema(annotation)  # msgspec, which describes it, is what reads it
        case _:
            pass


def _is_hashable(annotation: Any) -> bool:
    shape = shape_of(annotation)
    match shape:
        case Map():
            return False
        case Array():
            return (get_origin(shape.annotation) or shape.annotation) in (tuple, frozenset) and _is_hashable(shape.item)
        case Record():
            return not typing_extensions.is_typeddict(shape.cls) and shape.cls.__hash__ is not None
        case Tuple():
            return all(map(_is_hashable, shape.items))
        case OneOf():
            return any(map(_is_hashable, shape.members))
        case _:
            return True
