"""Parsed JSON to wire types: the fast path, for objects that fit their class exactly.

`structure(value, Message)` calls a function that was generated for `Message` (see `_generated`). It does not handle
anything unusual: it raises, and then the plain path, `_plain`, reads the same value again and decides what it means or
what is wrong with it. So the fast path may refuse any value. For a value that it accepts, its result must be that of
the plain path: the test compares the two (`tests/types/structuring/test_structure.py`).

A function is made for each kind of annotation when it is first needed. Their number is bounded by the number of our
types: nothing that a peer sends is remembered.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any, TypeVar, Union, get_args, get_origin

import attrs

from streamcore._objects.immutable import (
    ImmutableList,
    immutable,
    immutable_in_place,
    immutable_items,
    immutable_items_in_place,
)
from streamcore.types import Unknown, WireObject
from streamcore.types.base import plain, type_tag, wire_fields
from streamcore.types.structuring import _plain
from streamcore.types.structuring._generated import FieldPlan, Unfit, make_structurer
from streamcore.types.structuring.annotations import scalar_types, union_members, without_none
from streamcore.types.structuring.tolerance import MISSING_FIELDS

__all__ = ["UNUSUAL", "structure", "structurer_for"]

Structurer = Callable[[Any], Any]


def structure(value: Any, annotation: Any) -> Any:
    """Return the object of a wire type, or of a union of them, for parsed JSON.

    Do not use `value` afterwards: dicts and lists in it may be replaced.

    Raises:
        StructureError: A known field is missing or has the wrong JSON type.
    """
    try:
        return structurer_for(annotation)(value)
    except UNUSUAL:
        return _plain.read(plain(value), annotation)  # values out of a snapshot are subclasses of dict and list


UNUSUAL = (Unfit, KeyError, TypeError)
"""What a structurer raises for a value that it leaves to the plain path."""


@functools.cache
def structurer_for(annotation: Any) -> Structurer:
    """Return the function that structures values of an annotation, or raises Unfit, KeyError or TypeError."""
    scalar = scalar_types(annotation)
    if scalar is not None:
        return _of_types(scalar)
    origin = get_origin(annotation)
    if annotation is Any:
        return _any_but_null
    if isinstance(annotation, TypeVar):
        return structurer_for(annotation.__bound__)
    if origin is list:
        return _array_of(structurer_for(get_args(annotation)[0]))
    if origin in (Union, types.UnionType):
        return _union_of(get_args(annotation))
    cls = origin or annotation
    if issubclass(cls, Unknown):
        return lambda value: cls(data=immutable_in_place(value))
    return _object_of(cls)


def _any_but_null(value: Any) -> Any:
    if value is None:
        raise Unfit  # The plain path decides what null stands for.
    return value


def _of_types(accepted: tuple[type, ...]) -> Structurer:
    def structure_scalar(value: Any) -> Any:
        if type(value) in accepted:
            return value
        raise Unfit

    return structure_scalar


def _array_of(structure_item: Structurer) -> Structurer:
    def structure_array(value: Any) -> ImmutableList[Any]:
        if type(value) is not list:
            raise Unfit
        return ImmutableList([structure_item(item) for item in value])

    return structure_array


class _ByTag(dict[str, Structurer]):
    """The structurers of the members of a union, by their `type`.

    A structurer is added when its type first comes: most programs get few types. A tag that no member has is not
    remembered, as a peer chooses it.
    """

    def __init__(self, members: dict[str, Any], fallback: Structurer | None) -> None:
        self._members = members
        self._fallback = fallback

    def __missing__(self, tag: str) -> Structurer:
        if tag in self._members:
            made = self[tag] = structurer_for(self._members[tag])
            return made
        if self._fallback is None or type(tag) is not str:
            raise Unfit
        return self._fallback


def _union_of(members: tuple[Any, ...]) -> Structurer:
    """Return the function for a union. It looks at the `type` of objects, and at the JSON type of everything else."""
    others = [member for member in members if member is not types.NoneType]
    if len(others) == 1:
        structure_other = structurer_for(others[0])
        return lambda value: None if value is None else structure_other(value)
    tagged, by_kind, fallback = union_members(members)
    by_tag = _ByTag(tagged, None if fallback is None else structurer_for(fallback))
    if not by_kind:
        return lambda value: by_tag[value["type"]](value)
    structurers = {kind: structurer_for(member) for kind, member in by_kind.items() if member is not None}

    if types.NoneType in by_kind:
        structurers[types.NoneType] = lambda value: None

    def structure_member(value: Any) -> Any:
        structure_kind = structurers.get(type(value))
        return by_tag[value["type"]](value) if structure_kind is None else structure_kind(value)

    return structure_member


def _object_of(cls: type[WireObject]) -> Structurer:
    attrs.resolve_types(cls)
    keys = {field.name: field.key for field in wire_fields(cls)}
    odd_if_null = MISSING_FIELDS.get(cls, {})
    plans = [
        _plan(field, key := keys.get(field.name), takes_null=field.default is None and key not in odd_if_null)
        for field in attrs.fields(cls)
    ]
    return make_structurer(cls, type_tag(cls), plans)


# The converters of wire types copy a program's values. Parsed JSON belongs to the codec and needs no copy.
_IN_PLACE: dict[Any, Callable[[Any], Any]] = {
    immutable: immutable_in_place,
    immutable_items: immutable_items_in_place,
}


def _plan(field: attrs.Attribute[Any], key: str | None, *, takes_null: bool) -> FieldPlan:
    if key is None:
        return FieldPlan(field.name, None, field.default, (), None, None)
    annotation = without_none(field.type)
    convert = _IN_PLACE.get(field.converter)
    accepted = scalar_types(annotation)
    if accepted is not None:
        return FieldPlan(field.name, key, field.default, accepted, None, convert, takes_null)
    return FieldPlan(field.name, key, field.default, (), structurer_for(annotation), convert, takes_null)
