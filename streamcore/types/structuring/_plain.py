"""Parsed JSON to wire types: the plain path, which decides what unusual values mean and says what is wrong.

How unexpected values are read:

- A field that a class does not know goes to `extra`; an object with a `type` that no class has becomes the `Unknown...`
  class of its union. Neither is a fault.
- A known field that is null counts as absent.
- A constant `type` that is absent or null counts as that constant.
- A required field that is absent, and a number that is spelled oddly, are taken for what the tables in
  `tolerance.py` say, and each time a `Deviation` is recorded. (The generated functions refuse both, so ordinary
  payloads do not pay for this.)
- Any other known field that is missing or of the wrong JSON type is a fault. Where a class lists the strings it knows
  (`StopReason`), any other string is kept as it is.

Reading stops after a few faults, and the text about them is bounded: an array of a million wrong items gives an error
message as short as that for a few.
"""

from __future__ import annotations

import types
from copy import copy
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

import attrs

from streamcore._objects.immutable import ImmutableList
from streamcore.errors import InvalidArgumentError
from streamcore.types import Unknown, WireObject
from streamcore.types._frozen import unchecked
from streamcore.types.base import WireField, type_tag, wire_fields, with_extra
from streamcore.types.structuring.annotations import kind_of, scalar_types, union_members, without_none
from streamcore.types.structuring.tolerance import MISSING_FIELDS, integer_of

__all__ = ["Deviation", "StructureError", "read"]

_MAX_FAULTS = 3
_MAX_NAME_LENGTH = 40
_MAX_DEVIATIONS = 100  # as `_MOST_OF_A_KIND` in `errors/_protocol.py`: the log records no more of a kind


@attrs.frozen
class Deviation:
    """A value that was taken for another one.

    Attributes:
        kind: The kind of the violation.
        path: Where the field is, as in JSONPath.
        received: The value that came, as text, shortened like everything in error messages; None if nothing came.
        taken_for: What it was taken for, as text.
    """

    kind: Literal["missing_field", "odd_number"]
    path: str
    received: str | None
    taken_for: str

    @property
    def message(self) -> str:
        """The field and the value that came, in words."""
        came = "is absent" if self.received is None else f"is {self.received}"
        return f"{self.path} {came}"


class StructureError(InvalidArgumentError):
    """A value does not fit its annotation; the text says where and why.

    Attributes:
        faults: The first few faults, each as its text, ` @ ` and the path as in JSONPath.
    """

    @property
    def faults(self) -> tuple[str, ...]:
        return self.args

    def __str__(self) -> str:
        return "; ".join(self.args)


class _EnoughFaultsError(Exception):
    """As many faults have been found as will be shown."""


def read(value: Any, annotation: Any, deviations: list[Deviation] | None = None) -> Any:
    """Return the value of an annotation's type for a parsed JSON value.

    Args:
        value: The JSON value.
        annotation: A wire type, or another annotation of one of their fields.
        deviations: Each value that was taken for another one is added to this list.

    Raises:
        StructureError: A known field is missing or has the wrong JSON type. The text names the first few of them.
    """
    reader = _Reader([] if deviations is None else deviations)
    try:
        result = reader.read(value, annotation, "$")
    except _EnoughFaultsError:
        result = None
    if reader.faults:
        raise StructureError(*reader.faults)
    return result


_NAMES = {str: "a string", int: "an integer", float: "a number", bool: "a boolean", dict: "an object"}


class _Reader:
    """Read one value.

    A path is written as in JSONPath: `$.message.content[3].text`.
    """

    __slots__ = ("_deviations", "faults")

    def __init__(self, deviations: list[Deviation]) -> None:
        self.faults: list[str] = []
        self._deviations = deviations

    def read(self, value: Any, annotation: Any, path: str) -> Any:
        accepted = scalar_types(annotation)
        if accepted is not None:
            if type(value) not in accepted:
                self._add_wrong_type(path, _NAMES[accepted[-1]], value)
            return value
        origin = get_origin(annotation)
        if annotation is Any:
            return value
        if isinstance(annotation, TypeVar):
            return self.read(value, annotation.__bound__, path)
        if origin is list:
            return self._read_array(value, get_args(annotation)[0], path)
        if origin in (Union, types.UnionType):
            return self._read_union(value, get_args(annotation), path)
        cls = origin or annotation
        if type(value) is not dict:
            return self._add_wrong_type(path, "an object", value)
        if issubclass(cls, Unknown):
            return cls(data=value)
        return self._read_object(value, cls, path)

    def _read_array(self, value: Any, item: Any, path: str) -> list[Any]:
        if type(value) is not list:
            self._add_wrong_type(path, "an array", value)
            return []
        return ImmutableList([self.read(member, item, f"{path}[{number}]") for number, member in enumerate(value)])

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
            return self._add_wrong_type(path, " or ".join([*kinds, "an object"] if has_objects else kinds), value)
        tag = value.get("type")
        if type(tag) is not str:
            return self._add_fault(path, "an object needs a type")
        member = tagged.get(tag, fallback)
        if member is None:
            return self._add_fault(path, f"unknown type {_shortened(tag)}")
        return self.read(value, member, path)

    def _read_object(self, value: dict[str, Any], cls: type[WireObject], path: str) -> Any:
        attrs.resolve_types(cls)
        tag = type_tag(cls)
        if tag is not None and value.get("type") not in (None, tag):
            return self._add_fault(path, f"expected the type {tag!r}, got {_shortened(value['type'])}")
        known = {"type"} if tag is not None else set()
        arguments: dict[str, Any] = {}
        missing = MISSING_FIELDS.get(cls, {})
        annotations = {field.name: (field.type, field.default) for field in attrs.fields(cls)}
        for field in wire_fields(cls):
            known.add(field.key)
            annotation, default = annotations[field.name]
            item = value.get(field.key)
            if item is not None:
                arguments[field.name] = self._read_field(item, annotation, f"{path}.{field.key}", field)
            elif field.key in missing and (field.key in value or default is attrs.NOTHING):
                arguments[field.name] = taken_for = copy(missing[field.key])
                received = "null" if field.key in value else None
                self._add_deviation("missing_field", f"{path}.{field.key}", received, taken_for)
            elif default is attrs.NOTHING:
                if field.key in value:
                    arguments[field.name] = self.read(None, annotation, f"{path}.{field.key}")
                else:
                    self._add_fault(path, f"required field {field.key!r} is missing")
        if self.faults:
            return None
        made = unchecked(cls, arguments)
        unknown = {key: item for key, item in value.items() if key not in known}
        return with_extra(made, unknown) if unknown else made

    def _read_field(self, value: Any, annotation: Any, path: str, field: WireField) -> Any:
        """Return the value of one field. If it should be an integer, it may be spelled oddly."""
        if type(value) is not int and without_none(annotation) is int:
            number = integer_of(field.key, value)
            if number is not None:
                self._add_deviation("odd_number", path, _shortened(value), number)
                return number
        return self.read(value, annotation, path)

    def _add_deviation(
        self, kind: Literal["missing_field", "odd_number"], path: str, received: str | None, value: Any
    ) -> None:
        if len(self._deviations) < _MAX_DEVIATIONS:
            self._deviations.append(Deviation(kind, path, received, _as_json(value)))

    def _add_wrong_type(self, path: str, expected: str, value: Any) -> None:
        """Record that a value has the wrong JSON type. Callers use the None that this returns as the value."""
        self._add_fault(path, f"expected {expected}, got {kind_of(value)}")

    def _add_fault(self, path: str, what: str) -> None:
        """Record a fault. Callers use the None that this returns as the value that could not be read."""
        self.faults.append(f"{what} @ {path}")
        if len(self.faults) == _MAX_FAULTS:
            self.faults.append("and perhaps more")
            raise _EnoughFaultsError


def _as_json(value: Any) -> str:
    if value is None:
        return "null"
    return "[]" if value == [] else _shortened(value)


def _shortened(name: object) -> str:
    shown = repr(name)
    return shown if len(shown) <= _MAX_NAME_LENGTH else f"{shown[:_MAX_NAME_LENGTH]}..."
