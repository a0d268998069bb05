"""Parsed JSON to wire types: the plain path, which decides what is unusual and says what is wrong.

What the wire may surprise with, and what it means:

- A field that a class does not know goes to `extra`; an object with a `type` that no class has becomes the `Unknown...`
  class of its union. Neither is a fault.
- A known field that is null counts as absent.
- A constant `type` that is absent is what it can only be.
- A known field that is missing or of the wrong JSON type is a fault. Strings are not taken for numbers, nor numbers for
  booleans. Where a class lists the strings it knows (`StopReason`), any other string is kept as it is.

Reading stops after a few faults, and the text about them is bounded: a peer that sends a wrong array of a million items
gets as short an answer as one that sends one.
"""

from __future__ import annotations

import types
from typing import Any, TypeVar, Union, get_args, get_origin

import attrs

from streamcore.codec._annotations import scalar_types, union_members
from streamcore.codec._json import kind_of
from streamcore.types import Unknown, WireObject
from streamcore.types._base import type_tag, wire_fields, with_extra

__all__ = ["StructureError", "read"]

_MAX_FAULTS = 3
_MAX_NAME_LENGTH = 40


class StructureError(ValueError):
    """A value is not what its annotation says; the text says where and why."""


class _EnoughFaultsError(Exception):
    """As many faults have been found as will be shown."""


def read(value: Any, annotation: Any) -> Any:
    """Return the object that parsed JSON stands for.

    Raises:
        StructureError: A known field is missing or has the wrong JSON type. The text names the first few of them.
    """
    reader = _Reader()
    try:
        result = reader.read(value, annotation, "$")
    except _EnoughFaultsError:
        result = None
    if reader.faults:
        raise StructureError("; ".join(reader.faults))
    return result


_NAMES = {str: "a string", int: "an integer", float: "a number", bool: "a boolean", dict: "an object"}


class _Reader:
    """Read one value.

    A path is written as in JSONPath: `$.message.content[3].text`.
    """

    __slots__ = ("faults",)

    def __init__(self) -> None:
        self.faults: list[str] = []

    def read(self, value: Any, annotation: Any, path: str) -> Any:
        accepted = scalar_types(annotation)
        if accepted is not None:
            if type(value) not in accepted:
                self._fault(path, _NAMES[accepted[-1]], value)
            return value
        origin = get_origin(annotation)
        if annotation is Any:
            return value
        if isinstance(annotation, TypeVar):
            return self.read(value, annotation.__bound__, path)
        if origin is tuple:
            return self._read_tuple(value, get_args(annotation)[0], path)
        if origin in (Union, types.UnionType):
            return self._read_union(value, get_args(annotation), path)
        cls = origin or annotation
        if type(value) is not dict:
            return self._fault(path, "an object", value)
        if issubclass(cls, Unknown):
            return cls(data=value)
        return self._read_object(value, cls, path)

    def _read_tuple(self, value: Any, item: Any, path: str) -> tuple[Any, ...]:
        if type(value) is not list:
            self._fault(path, "an array", value)
            return ()
        return tuple([self.read(member, item, f"{path}[{number}]") for number, member in enumerate(value)])

    def _read_union(self, value: Any, members: tuple[Any, ...], path: str) -> Any:
        if value is None and types.NoneType in members:
            return None
        others = [member for member in members if member is not types.NoneType]
        if len(others) == 1:
            return self.read(value, others[0], path)
        tagged, by_kind, fallback = union_members(members)
        if by_kind.get(type(value)) is not None:
            return self.read(value, by_kind[type(value)], path)
        kinds = [kind_of(kind()) for kind in by_kind if kind is not types.NoneType]
        has_objects = bool(tagged) or fallback is not None
        if type(value) is not dict or not has_objects:
            return self._fault(path, " or ".join([*kinds, "an object"] if has_objects else kinds), value)
        tag = value.get("type")
        if type(tag) is not str:
            return self._say(path, "an object needs a type")
        member = tagged.get(tag, fallback)
        if member is None:
            return self._say(path, f"unknown type {_shortened(tag)}")
        return self.read(value, member, path)

    def _read_object(self, value: dict[str, Any], cls: type[WireObject], path: str) -> Any:
        attrs.resolve_types(cls)
        tag = type_tag(cls)
        if tag is not None and value.get("type", tag) != tag:
            return self._say(path, f"expected the type {tag!r}, got {_shortened(value['type'])}")
        known = {"type"} if tag is not None else set()
        arguments: dict[str, Any] = {}
        annotations = {field.name: (field.type, field.default) for field in attrs.fields(cls)}
        for field in wire_fields(cls):
            known.add(field.key)
            annotation, default = annotations[field.name]
            item = value.get(field.key)
            if item is not None:
                arguments[field.name] = self.read(item, annotation, f"{path}.{field.key}")
            elif default is attrs.NOTHING:
                if field.key in value:
                    arguments[field.name] = self.read(None, annotation, f"{path}.{field.key}")
                else:
                    self._say(path, f"required field {field.key!r} is missing")
        if self.faults:
            return None
        made = cls(**arguments)
        unknown = {key: item for key, item in value.items() if key not in known}
        return with_extra(made, unknown) if unknown else made

    def _fault(self, path: str, expected: str, value: Any) -> None:
        self._say(path, f"expected {expected}, got {kind_of(value)}")

    def _say(self, path: str, what: str) -> None:
        self.faults.append(f"{what} @ {path}")
        if len(self.faults) == _MAX_FAULTS:
            self.faults.append("and perhaps more")
            raise _EnoughFaultsError


def _shortened(name: object) -> str:
    shown = repr(name)
    return shown if len(shown) <= _MAX_NAME_LENGTH else f"{shown[:_MAX_NAME_LENGTH]}..."
