"""The cattrs converter of the wire types: parsed JSON to frozen objects, and back.

In: dicts, lists and scalars, as a JSON decoder makes them. Out: wire types. One rule a kind of annotation: scalars by
exact JSON type, unions by the tag of their members, classes by the function that cattrs generates for them. No rule is
about one class alone. Knows nothing of bytes.

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
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn, override

from streamcore._filler import Item, make_filler
from streamcore.types import Unknown, WireObject
from streamcore.types._base import type_tag, wire_fields, with_extra

__all__ = ["Hook", "converter", "explain", "kind_of"]

Hook = Callable[[Any, Any], Any]


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


def _class_hook(cls: type[Any], converter: cattrs.BaseConverter) -> Hook:
    """A wire type: a function generated for it that is quick where all is as the class says, before the plain one."""
    plain = functools.cache(lambda: _plain_class_hook(cls, converter))
    if converter.detailed_validation:
        return plain()
    attrs.resolve_types(cls)
    keys = {field.name: field.key for field in wire_fields(cls)}
    items = [_item(field, keys.get(field.name), converter) for field in attrs.fields(cls)]
    return make_filler(cls, type_tag(cls), items, lambda value, annotation: plain()(value, annotation))


def _item(field: attrs.Attribute[Any], key: str | None, converter: cattrs.BaseConverter) -> Item:
    if key is None:
        return Item(field.name, None, field.default, (), None)
    annotation = _without_none(field.type)
    scalar = _scalar(annotation)
    if scalar is not None:
        return Item(field.name, key, field.default, scalar[0], None)
    return Item(field.name, key, field.default, (), converter.get_structure_hook(annotation))


def _without_none(annotation: Any) -> Any:
    """What an optional annotation has beside `None`, if that is one type; else the annotation itself."""
    if _origin(annotation) in (Union, types.UnionType):
        members = [member for member in get_args(annotation) if member is not types.NoneType]
        if len(members) == 1:
            return members[0]
    return annotation


def _plain_class_hook(cls: type[Any], converter: cattrs.BaseConverter) -> Hook:
    """The function that cattrs generates, between the check of the tag and the unknown fields."""
    overrides = {field.name: override(omit=True) for field in attrs.fields(cls)}
    overrides |= {field.name: override(rename=field.key) for field in wire_fields(cls)}
    fill: Hook = make_dict_structure_fn(
        cls,
        converter,
        _cattrs_forbid_extra_keys=False,
        _cattrs_detailed_validation=converter.detailed_validation,
        **overrides,  # type: ignore[arg-type]  # mypy takes them for the named options
    )
    tag = type_tag(cls)
    known = frozenset(field.key for field in wire_fields(cls)) | ({"type"} if tag is not None else frozenset())

    def structure(value: Any, _: Any) -> Any:
        if type(value) is not dict:
            raise ValueError(f"expected an object, got {kind_of(value)}")
        if tag is not None and value.get("type", tag) != tag:
            raise ValueError(f"expected the type {tag!r}, got {value['type']!r}")
        try:
            result = fill(value, cls)
        except (ValueError, KeyError, cattrs.BaseValidationError):
            # Null where the class has a default but no None: rare enough to be looked for only now.
            if None not in value.values():
                raise
            result = fill({key: item for key, item in value.items() if item is not None}, cls)
        if not value.keys() <= known:
            return with_extra(result, {key: item for key, item in value.items() if key not in known})
        return result

    return structure


def _unknown_hook(cls: type[Unknown], _: cattrs.BaseConverter) -> Hook:
    def structure(value: Any, _: Any) -> Unknown:
        return cls(data=value)

    return structure


def _union_hook(union: Any, converter: cattrs.BaseConverter) -> Hook:
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
            fallback = converter.get_structure_hook(member)
        else:
            kind = dict if issubclass(cls, WireObject) else list if cls is tuple else cls
            by_kind[kind] = converter.get_structure_hook(member)
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
                hook = by_tag[tag] = converter.get_structure_hook(classes[tag])
            elif fallback is not None:
                hook = fallback
            else:
                raise ValueError(f"unknown type {tag!r}")
        return hook(value, None)

    return structure


def _tuple_hook(annotation: Any, converter: cattrs.BaseConverter) -> Hook:
    item = get_args(annotation)[0]
    items = list[item]  # type: ignore[valid-type]  # a type made at run time
    structure_items = converter.get_structure_hook(items)  # tells which item is wrong
    structure_item = converter.get_structure_hook(item)

    def structure(value: Any, _: Any) -> tuple[Any, ...]:
        # cattrs takes any iterable for a list, a string too.
        if type(value) is not list:
            raise ValueError(f"expected an array, got {kind_of(value)}")
        if converter.detailed_validation:
            return tuple(structure_items(value, items))
        return tuple([structure_item(member, None) for member in value])

    return structure


def _make_converter(*, detailed_validation: bool) -> cattrs.Converter:
    made = cattrs.Converter(detailed_validation=detailed_validation)
    made.register_structure_hook_factory(
        lambda annotation: _scalar(annotation) is not None,
        lambda annotation: _scalar_hook(*_SCALARS[_origin(annotation) or annotation]),
    )
    for scalar in (str, int, float, bool):  # cattrs looks these up by class, before it asks the factories
        made.register_structure_hook(scalar, _scalar_hook(*_SCALARS[scalar]))
    made.register_structure_hook_factory(lambda annotation: _origin(annotation) is tuple, _tuple_hook)
    made.register_structure_hook_factory(
        lambda annotation: _origin(annotation) in (Union, types.UnionType), _union_hook
    )
    made.register_structure_hook_factory(
        lambda annotation: isinstance(annotation, TypeVar),
        lambda variable, converter: converter.get_structure_hook(variable.__bound__),
    )
    made.register_structure_hook_factory(_is_wire_type, _class_hook)
    made.register_structure_hook_factory(
        lambda annotation: _is_wire_type(annotation) and issubclass(annotation, Unknown), _unknown_hook
    )
    made.register_unstructure_hook_func(_is_wire_type, WireObject.to_dict)
    return made


def _is_wire_type(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, WireObject)


converter = _make_converter(detailed_validation=False)
"""The converter for every wire type: `converter.structure(obj, Message)`, `converter.unstructure(message)`."""


@functools.cache
def _explainer() -> cattrs.Converter:
    """Says where an object is wrong, at several times the cost: made and asked only when one is."""
    return _make_converter(detailed_validation=True)


def explain(value: Any, annotation: Any) -> str:
    """What is wrong with `value`, which the converter has refused, and at which paths."""
    try:
        _explainer().structure(value, annotation)
    except (cattrs.BaseValidationError, ValueError) as error:
        return "; ".join(cattrs.transform_error(error, format_exception=_format_fault))
    raise AssertionError("the two converters disagree")


def _format_fault(error: BaseException, _: type | None) -> str:
    if isinstance(error, KeyError):
        return f"required field {error.args[0]!r} is missing"
    return str(error)
