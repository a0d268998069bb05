"""The rules by which parsed JSON becomes wire types: one a kind of annotation, each making hooks such as cattrs has.

In: dicts, lists and scalars, as a JSON decoder makes them. Out: wire types. Scalars go by exact JSON type, unions by
the tag of their members, classes by a function that is generated for each. No rule is about one class alone. Knows
nothing of bytes.

The rules serve a cattrs converter (`_converter`), and alone they serve everything that is plainly right, which is all
that most programs meet: `hook_for` loads cattrs, a seventh of the import, only for what is not.

What the wire may surprise with:

- A field that a class does not know goes to `extra`; an object whose `type` no class has becomes the union's
  `Unknown...` class. Neither is an error.
- A known field that is null counts as absent.
- A known field of the wrong JSON type is an error, whose path `explain` finds. Strings are not taken for numbers, nor
  numbers for booleans; where a class lists the values it knows (`StopReason`), any other string is kept as it is.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any, Literal, Protocol, TypeVar, Union, get_args, get_origin

import attrs

from streamcore._filler import Item, make_filler
from streamcore.types import Unknown, WireObject
from streamcore.types._base import type_tag, wire_fields

__all__ = ["RULES", "Hook", "Hooks", "filler_hook", "hook_for", "is_wire_type", "kind_of"]

Hook = Callable[[Any, Any], Any]


class Hooks(Protocol):
    """Where a rule gets the hooks for the parts of its type: a cattrs converter, or `hook_for`."""

    @property
    def detailed_validation(self) -> bool:
        """Whether the hooks tell of everything that is wrong, and where."""
        ...

    def get_structure_hook(self, annotation: Any, /) -> Hook:
        """The hook for a part."""
        ...


def _origin(annotation: Any) -> Any:
    return get_origin(annotation)


def kind_of(value: object) -> str:
    """What JSON calls the type of `value`."""
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def _scalar_hook(accepted: tuple[type, ...], name: str) -> Hook:
    # By exact type: a bool is not a number on the wire, though Python takes it for an int.
    def structure(value: Any, _: Any) -> Any:
        if type(value) in accepted:
            return value
        raise ValueError(f"expected {name}, got {kind_of(value)}")

    return structure


_SCALARS: dict[Any, tuple[tuple[type, ...], str]] = {
    str: ((str,), "a string"),
    int: ((int,), "an integer"),
    float: ((int, float), "a number"),
    bool: ((bool,), "a boolean"),
    # A closed set of strings, of which the API may add to any without notice.
    Literal: ((str,), "a string"),
    dict: ((dict,), "an object"),
}


def _scalar(annotation: Any) -> tuple[tuple[type, ...], str] | None:
    return _SCALARS.get(_origin(annotation) or annotation)


def filler_hook(cls: type[Any], hooks: Hooks, make_plain: Callable[[], Hook]) -> Hook:
    """A wire type: a function generated for it, which is quick where all is as the class says. The rest it leaves to
    the plain hook, made when there is any.
    """
    plain = functools.cache(make_plain)
    attrs.resolve_types(cls)
    keys = {field.name: field.key for field in wire_fields(cls)}
    items = [_item(field, keys.get(field.name), hooks) for field in attrs.fields(cls)]
    return make_filler(cls, type_tag(cls), items, lambda value, annotation: plain()(value, annotation))


def _item(field: attrs.Attribute[Any], key: str | None, hooks: Hooks) -> Item:
    if key is None:
        return Item(field.name, None, field.default, (), None)
    annotation = _without_none(field.type)
    scalar = _scalar(annotation)
    if scalar is not None:
        return Item(field.name, key, field.default, scalar[0], None)
    return Item(field.name, key, field.default, (), hooks.get_structure_hook(annotation))


def _without_none(annotation: Any) -> Any:
    """What an optional annotation has beside `None`, if that is one type; else the annotation itself."""
    if _origin(annotation) in (Union, types.UnionType):
        members = [member for member in get_args(annotation) if member is not types.NoneType]
        if len(members) == 1:
            return members[0]
    return annotation


def _unknown_hook(cls: type[Unknown], _: Hooks) -> Hook:
    def structure(value: Any, _: Any) -> Unknown:
        return cls(data=value)

    return structure


def _union_hook(union: Any, hooks: Hooks) -> Hook:
    """A union: objects by their `type`, everything else by its JSON type."""
    members = [member for member in get_args(union) if member is not types.NoneType]
    if len(members) == 1 and (scalar := _scalar(members[0])) is not None:
        accepted, name = scalar
        return _scalar_hook((*accepted, types.NoneType), name)
    classes: dict[str, Any] = {}
    by_kind: dict[type, Hook] = {types.NoneType: lambda value, _: None} if types.NoneType in get_args(union) else {}
    fallback: Hook | None = None
    for member in members:
        cls = _origin(member) or member
        if issubclass(cls, WireObject) and (tag := type_tag(cls)) is not None:
            classes[tag] = member
        elif issubclass(cls, Unknown):
            fallback = hooks.get_structure_hook(member)
        else:
            kind = dict if issubclass(cls, WireObject) else list if cls is tuple else cls
            by_kind[kind] = hooks.get_structure_hook(member)
    has_objects = bool(classes or fallback)
    names = [kind_of(kind()) for kind in by_kind if kind is not types.NoneType]
    expected = " or ".join([*names, "an object"] if has_objects else names)
    # Filled as types are met: most programs meet few, and making all hooks would double the time of an import.
    by_tag: dict[str, Hook] = {}

    def structure(value: Any, _: Any) -> Any:
        hook = by_kind.get(type(value))
        if hook is None and type(value) is dict:
            tag = value.get("type")
            hook = by_tag.get(tag) if type(tag) is str else None
        return structure_other(value) if hook is None else hook(value, None)

    def structure_other(value: Any) -> Any:
        if type(value) is not dict or not has_objects:
            raise ValueError(f"expected {expected}, got {kind_of(value)}")
        tag = value.get("type")
        if type(tag) is not str:
            raise ValueError("expected an object with a type")
        hook = by_tag.get(tag)
        if hook is None:
            if tag in classes:
                hook = by_tag[tag] = hooks.get_structure_hook(classes[tag])
            elif fallback is not None:
                hook = fallback
            else:
                raise ValueError(f"unknown type {tag!r}")
        return hook(value, None)

    return structure


def _tuple_hook(annotation: Any, hooks: Hooks) -> Hook:
    item = get_args(annotation)[0]
    items = list[item]  # type: ignore[valid-type]  # a type made at run time
    detailed = hooks.detailed_validation
    structure_items = hooks.get_structure_hook(items if detailed else item)

    def structure(value: Any, _: Any) -> tuple[Any, ...]:
        # cattrs takes any iterable for a list, a string too.
        if type(value) is not list:
            raise ValueError(f"expected an array, got {kind_of(value)}")
        if detailed:
            return tuple(structure_items(value, items))  # tells which item is wrong
        return tuple([structure_items(member, None) for member in value])

    return structure


def is_wire_type(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, WireObject)


RULES: list[tuple[Callable[[Any], bool], Callable[[Any, Hooks], Hook]]] = [
    (
        lambda annotation: _scalar(annotation) is not None,
        lambda annotation, _: _scalar_hook(*_SCALARS[_origin(annotation) or annotation]),
    ),
    (lambda annotation: _origin(annotation) is tuple, _tuple_hook),
    (lambda annotation: _origin(annotation) in (Union, types.UnionType), _union_hook),
    (
        lambda annotation: isinstance(annotation, TypeVar),
        lambda variable, hooks: hooks.get_structure_hook(variable.__bound__),
    ),
    (lambda annotation: is_wire_type(annotation) and issubclass(annotation, Unknown), _unknown_hook),
]
"""Which annotations a rule is for, and what makes their hooks. The first that fits counts. Wire types that are none of
these have a filler.
"""


class _WithoutCattrs:
    """The hooks for what is plainly right."""

    detailed_validation = False

    def __init__(self) -> None:
        self._hooks: dict[Any, Hook] = {Any: lambda value, _: value}

    def get_structure_hook(self, annotation: Any, /) -> Hook:
        hook = self._hooks.get(annotation)
        if hook is None:
            hook = self._hooks[annotation] = self._make(annotation)
        return hook

    def _make(self, annotation: Any) -> Hook:
        for fits, make in RULES:
            if fits(annotation):
                return make(annotation, self)
        if is_wire_type(annotation):
            return filler_hook(annotation, self, lambda: _plain_hook(annotation))
        return _cattrs_hook(annotation)


def _plain_hook(cls: type[Any]) -> Hook:
    from streamcore._converter import converter, plain_hook

    return plain_hook(cls, converter)


def _cattrs_hook(annotation: Any) -> Hook:
    from streamcore._converter import converter

    return converter.get_structure_hook(annotation)


hook_for = _WithoutCattrs().get_structure_hook
"""The hook that makes an object of the parsed JSON, called with it and the annotation. It raises `ValueError` or
`KeyError` for what does not fit; `_converter.explain` finds out where that is.
"""
