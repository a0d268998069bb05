"""What an annotation of a wire type says about JSON, for both the fast path and the plain path of structuring."""

from __future__ import annotations

import types
from typing import Any, Literal, Union, get_args, get_origin

from streamcore.types import Unknown, WireObject
from streamcore.types.base import type_tag

__all__ = ["kind_of", "scalar_types", "union_members", "without_none"]

_SCALARS: dict[Any, tuple[type, ...]] = {
    # By exact type: a bool is not a number on the wire, though Python takes it for an int.
    str: (str,),
    int: (int,),
    float: (int, float),
    bool: (bool,),
    dict: (dict,),
    # A set of strings. The API may add to any without notice, so any string fits.
    Literal: (str,),
}


def scalar_types(annotation: Any) -> tuple[type, ...] | None:
    """Return the exact types of the values of an annotation, or None if more than the type must be checked."""
    return _SCALARS.get(get_origin(annotation) or annotation)


def without_none(annotation: Any) -> Any:
    """Return an annotation without None."""
    if get_origin(annotation) in (Union, types.UnionType):
        return Union[tuple(member for member in get_args(annotation) if member is not types.NoneType)]  # noqa: UP007
    return annotation


def union_members(members: tuple[Any, ...]) -> tuple[dict[str, Any], dict[type, Any], Any]:
    """Sort the members of a union: by tag, by JSON type, and the class for objects with an unknown tag, if any."""
    tagged: dict[str, Any] = {}
    by_kind: dict[type, Any] = {}
    fallback: Any = None
    for member in members:
        cls = get_origin(member) or member
        if cls is types.NoneType:
            by_kind[cls] = None
        elif not issubclass(cls, WireObject):
            by_kind[cls] = member
        elif issubclass(cls, Unknown):
            fallback = member
        elif (tag := type_tag(cls)) is not None:
            tagged[tag] = member
        else:
            by_kind[dict] = member
    return tagged, by_kind, fallback


def kind_of(value: object) -> str:
    """Return what JSON calls the type of a value."""
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return next((name for kind, name in names.items() if isinstance(value, kind)), "a number")
