"""A value that is still being written, as its class: `MISSING` stands where nothing has come yet.

`partial_value` makes it from the JSON value so far and a type. A string that is still open is shown as far as it has
come. Everything else is shown when it is certain: a number, a date or a name from a list may become another one with
the next character. A partial value does not change.

The cost: attributes are made when they are read. A complete value is made once and is the same object in all partial
values, so treat it as read-only. Reading an attribute costs what has come of it since the last read; reading an array
or an object with any keys also copies the list or dict.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from itertools import compress, repeat
from typing import Any, ClassVar, Generic, TypeAlias

import attrs
import typing_extensions
from typing_extensions import TypeVar

from streamcore.typed.annotations import name_of
from streamcore.typed.faults import InvalidOutputError, JSONStep
from streamcore.typed.fields import MISSING
from streamcore.typed.shapes import Anything, Array, Map, OneOf, Record, Scalar, Shape, Tuple, shape_of
from streamcore.typed.structuring import structure
from streamcore.typed.unions import has_members, may_be

__all__ = ["CLOSED", "Edge", "MadeValues", "Partial", "partial_value"]

_T = TypeVar("_T", default=Any)


@attrs.frozen
class Edge:
    """Which part of a value is still open.

    Attributes:
        path: The place in the document of the innermost value that is open; None if the value is complete.
        level: How many steps of the path lead to the value itself.
    """

    path: tuple[JSONStep, ...] | None = None
    level: int = 0

    @property
    def is_open(self) -> bool:
        return self.path is not None

    @property
    def place(self) -> JSONStep | None:
        """The member or item of this container that is open, or None if all are complete."""
        return None if self.path is None or self.level == len(self.path) else self.path[self.level]

    def at(self, place: JSONStep) -> Edge:
        """Return the edge of a member or item of this container."""
        return Edge(self.path, self.level + 1) if place == self.place else CLOSED


CLOSED = Edge()

MadeValues: TypeAlias = dict[tuple[Any, ...], tuple[Any, Any, Any]]
"""What was made for one document.

- The value made from a complete JSON value has the identities of the JSON value and of its type as its key. The entry
  also holds both of them, so that their identities stay taken.
- The complete part of an open container is kept by its level and its type: its members or items, and what was made from
  them. Only one container of a level is open.
"""


class Partial(Generic[_T]):
    """A value of a class, as far as it has come.

    It has the attributes of the class, and is an instance of it for `isinstance` and `match`.
    """

    # Two underscores: Python then adds the name of this class, so these cannot hide attributes of the user's class.
    __slots__ = ("__annotation", "__edge", "__fields", "__made", "__so_far")

    def __init__(self, annotation: Any, so_far: Mapping[str, Any], edge: Edge, made: MadeValues | None = None) -> None:
        shape = shape_of(annotation)
        assert isinstance(shape, Record)
        _put(self, "_Partial__annotation", annotation)
        _put(self, "_Partial__fields", {field.name: field for field in shape.fields})
        _put(self, "_Partial__so_far", so_far)
        _put(self, "_Partial__edge", edge)
        _put(self, "_Partial__made", {} if made is None else made)

    @property  # type: ignore[misc]  # it cannot be set
    def __class__(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]  # it cannot be set
        shape = shape_of(self.__annotation)
        assert isinstance(shape, Record)
        return shape.cls

    def __getattr__(self, name: str) -> Any:
        field = self.__fields.get(name)
        so_far = self.__so_far
        if field is None:
            shape = shape_of(self.__annotation)
            if not (isinstance(shape, Record) and shape.open and name in so_far):
                raise AttributeError(f"{name_of(self.__annotation)} has no field {name!r}")
            return so_far[name]
        key = next((key for key in field.keys if key in so_far), None)
        if key is None:
            return MISSING
        return partial_value(so_far[key], field.annotation, self.__edge.at(key), self.__made)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a partial {name_of(self.__annotation)} cannot be changed")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a partial {name_of(self.__annotation)} cannot be changed")

    def __repr__(self) -> str:
        members = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__fields)
        return f"Partial({name_of(self.__annotation)}({members}))"

    def __eq__(self, other: object) -> bool:
        if type(other) is not Partial:
            return NotImplemented
        return self.__annotation == other.__annotation and all(
            getattr(self, name) == getattr(other, name) for name in self.__fields
        )

    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # this is how Python marks a class that cannot be hashed

    def __reduce__(self) -> tuple[Any, ...]:
        return Partial, (self.__annotation, self.__so_far, self.__edge)


_put = object.__setattr__


def partial_value(value: Any, annotation: Any, edge: Edge, made: MadeValues) -> Any:
    """Return a value of a type as far as it has come.

    Args:
        value: The JSON value so far.
        annotation: The type.
        edge: Which part of `value` is open.
        made: What was made before. Pass the same dictionary for one document.
    """
    if edge.is_open:
        return _partial_value(value, annotation, edge, made)
    if type(value) is annotation and annotation in _PLAIN:
        return value
    key = (id(value), id(annotation))
    found = made.get(key)
    if found is None:
        found = made[key] = (value, annotation, _partial_value(value, annotation, edge, made))
    return found[2]


_PLAIN = (str, int, float, bool)


def _partial_value(value: Any, annotation: Any, edge: Edge, made: MadeValues) -> Any:
    shape = shape_of(annotation)
    match shape:
        case OneOf():
            return _partial_member(value, shape, edge, made)
        case Record() if isinstance(value, dict):
            if typing_extensions.is_typeddict(shape.cls):
                types = {field.key: field.annotation for field in shape.fields}
                known = {key: item for key, item in value.items() if key in types}
                return _partial_dict(known, annotation, types.__getitem__, edge, made)
            return Partial(annotation, value, edge, made)
        case Map() if isinstance(value, dict):
            return _partial_dict(value, annotation, lambda _: shape.value, edge, made)
        case Array() if isinstance(value, list):
            return _partial_array(value, annotation, shape.item, edge, made)
        case Tuple() if isinstance(value, list):
            return _partial_items(value, shape.items, edge, made)
        case Anything():
            return value
        case Scalar():
            return _partial_scalar(value, shape, edge)
        case _:
            return MISSING


def _partial_scalar(value: Any, shape: Scalar, edge: Edge) -> Any:
    if edge.is_open:
        return value if isinstance(value, str) and shape.annotation is str else MISSING
    try:
        return structure(value, shape.annotation)
    except InvalidOutputError:
        return MISSING


def _partial_items(value: list[Any], types: Any, edge: Edge, made: MadeValues) -> list[Any]:
    items = [
        partial_value(item, annotation, edge.at(place), made)
        for place, (item, annotation) in enumerate(zip(value, types, strict=False))
    ]
    return items[:-1] if edge.is_open and items and items[-1] is MISSING else items


# An open array or object is a new list or dict at each read. Its complete items or members are kept in `made`, and only
# those that have come since are made.


def _partial_dict(
    value: dict[str, Any], annotation: Any, type_of: Callable[[str], Any], edge: Edge, made: MadeValues
) -> dict[str, Any]:
    kept: tuple[Any, dict[Any, Any], dict[str, Any]] = (annotation, {}, {})
    _, seen, members = made.setdefault((edge.level, id(annotation), "open"), kept) if edge.is_open else kept
    open_key = edge.place
    seen.pop(open_key, None)  # the object may have the key twice
    is_new = map(operator.is_not, map(seen.get, value, repeat(MISSING)), value.values())
    for key in compress(value, is_new):
        members[key] = partial_value(value[key], type_of(key), edge.at(key), made)
        if key != open_key:
            seen[key] = value[key]
    return {key: members[key] for key in value if members[key] is not MISSING}


def _partial_array(value: list[Any], annotation: Any, item_type: Any, edge: Edge, made: MadeValues) -> list[Any]:
    kept: tuple[Any, list[Any], list[Any]] = (annotation, [], [])
    _, seen, items = made.setdefault((edge.level, id(annotation), "open"), kept) if edge.is_open else kept
    complete = len(value) if edge.place is None else len(value) - 1
    if not all(map(operator.is_, seen, value[:complete])):  # those of another array
        seen.clear()
        items.clear()
    new = value[len(seen) : complete]
    items += [partial_value(item, item_type, CLOSED, made) for item in new]
    seen += new
    last = [partial_value(value[place], item_type, edge.at(place), made) for place in range(complete, len(value))]
    return items[:complete] + [item for item in last if item is not MISSING]


def _partial_member(value: Any, shape: OneOf, edge: Edge, made: MadeValues) -> Any:
    """Return the value as the one member of the union that it can become, or `MISSING` if several are possible.

    A complete value is of the first member that accepts it.
    """
    possible = [member for member in shape.shapes if may_be(member, value) and has_members(member, value)]
    if not edge.is_open:
        possible = [member for member in possible if _is_of(value, member)][:1]
    return partial_value(value, possible[0].annotation, edge, made) if len(possible) == 1 else MISSING


def _is_of(value: Any, shape: Shape) -> bool:
    try:
        structure(value, shape.annotation)
    except InvalidOutputError:
        return False
    return True
