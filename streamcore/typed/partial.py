"""A view of a value that is still being written: the attributes of its class, `MISSING` where nothing has come yet.

In: the value so far of a JSON text, and a type. Out: something that looks like a value of the type. A string that is
still open is there as far as it has come; all else is there when it is certain: a number, a date or a name from a list
may become another one with its next character. A view does not change.

What a view costs is what reading the value so far costs (see `PartialJSON`); what an attribute is, is made of that when
it is read. What is complete is made once, and is the same object in all views, so treat it as read-only. So the first
read of an attribute costs what has come of it since the last one, and any read of an array a copy of the list.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any, Generic, TypeAlias

import attrs
import typing_extensions
from typing_extensions import TypeVar

from streamcore.accumulator import BlockInProgress as BlockBuilder
from streamcore.partial_json import PartialJSON
from streamcore.typed.answers import Target
from streamcore.typed.faults import InvalidOutputError
from streamcore.typed.missing import MISSING
from streamcore.typed.shapes import Anything, Array, Map, OneOf, Record, Scalar, Shape, Tuple, name_of, shape_of
from streamcore.typed.structuring import may_be, structure
from streamcore.typed.values import Blocks, Source, growth

__all__ = ["Partial", "PartialReader", "partial_value"]

_T = TypeVar("_T", default=Any)


@attrs.frozen
class Edge:
    """How much of a value is open: what came last in it may go on.

    Attributes:
        levels: How many containers are open, the value itself being the first, each the last thing in the one around.
        scalar: Whether a string or number is, inside the innermost of these.
    """

    levels: int = 0
    scalar: bool = False

    @property
    def is_open(self) -> bool:
        return self.levels > 0 or self.scalar

    def of_last(self) -> Edge:
        """The edge of the last thing in an open container, or in a closed one."""
        return Edge(self.levels - 1, self.scalar) if self.levels > 0 else _CLOSED


_CLOSED = Edge()

Made: TypeAlias = dict[tuple[Any, ...], tuple[Any, Any, Any]]
"""What was made of values that are complete: under their identity and that of the type, which are kept beside it; and
of the complete items of arrays, under the identity of the first of them.
"""


class Partial(Generic[_T]):
    """A value of a class, as far as it has come. Its attributes are those of the class; to `isinstance` and to `match`
    it is an instance of it.
    """

    # With two underscores, so that none of them is a name that the class may have.
    __slots__ = ("__annotation", "__edge", "__fields", "__made", "__so_far")

    def __init__(self, annotation: Any, so_far: Mapping[str, Any], edge: Edge, made: Made | None = None) -> None:
        shape = shape_of(annotation)
        assert isinstance(shape, Record)
        _put(self, "_Partial__annotation", annotation)
        _put(self, "_Partial__fields", {field.name: field for field in shape.fields})
        _put(self, "_Partial__so_far", so_far)
        _put(self, "_Partial__edge", edge)
        _put(self, "_Partial__made", {} if made is None else made)

    @property  # type: ignore[misc]  # it is not to be set
    def __class__(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]  # it is not to be set
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
        is_last = key == next(reversed(so_far))
        edge = self.__edge.of_last() if is_last else _CLOSED
        return partial_value(so_far[key], field.annotation, edge, self.__made)

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

    __hash__ = None  # type: ignore[assignment]  # Python's way to say that there is none

    def __reduce__(self) -> tuple[Any, ...]:
        return Partial, (self.__annotation, self.__so_far, self.__edge)


_put = object.__setattr__


def partial_value(value: Any, annotation: Any, edge: Edge, made: Made) -> Any:
    """What has come of a value of a type, from the JSON value so far."""
    if edge.is_open or (type(value) is annotation and type(value) in _PLAIN):
        return _partial_value(value, annotation, edge, made)
    key = (id(value), id(annotation))
    found = made.get(key)
    if found is None:
        found = made[key] = (value, annotation, _partial_value(value, annotation, edge, made))
    return found[2]


_PLAIN = (str, int, float, bool)


def _partial_value(value: Any, annotation: Any, edge: Edge, made: Made) -> Any:
    shape = shape_of(annotation)
    match shape:
        case OneOf():
            return _partial_member(value, shape, edge, made)
        case Record() if isinstance(value, dict):
            if typing_extensions.is_typeddict(shape.cls):
                return _partial_dict(value, {field.key: field.annotation for field in shape.fields}, edge, made)
            return Partial(annotation, value, edge, made)
        case Map() if isinstance(value, dict):
            return _partial_dict(value, dict.fromkeys(value, shape.value), edge, made)
        case Array() if isinstance(value, list):
            return _partial_array(value, shape.item, edge, made)
        case Tuple() if isinstance(value, list):
            return _partial_items(value, shape.items, edge, made)
        case Anything():
            return value
        case Scalar():
            return _partial_scalar(value, shape, edge)
        case _:
            return MISSING


def _partial_scalar(value: Any, shape: Scalar, edge: Edge) -> Any:
    if not edge.is_open and type(value) is shape.annotation and type(value) in _PLAIN and not shape.constraints:
        return value
    if edge.is_open:
        return value if isinstance(value, str) and shape.annotation is str else MISSING
    try:
        return structure(value, shape.annotation)
    except InvalidOutputError:
        return MISSING


def _partial_dict(value: dict[str, Any], types: Mapping[str, Any], edge: Edge, made: Made) -> dict[str, Any]:
    last = next(reversed(value), None)
    members = {
        key: partial_value(item, types[key], edge.of_last() if key == last else _CLOSED, made)
        for key, item in value.items()
        if key in types
    }
    return {key: item for key, item in members.items() if item is not MISSING}


def _partial_items(value: list[Any], types: Any, edge: Edge, made: Made) -> list[Any]:
    last = len(value) - 1
    items = [
        partial_value(item, annotation, edge.of_last() if place == last else _CLOSED, made)
        for place, (item, annotation) in enumerate(zip(value, types, strict=False))
    ]
    return items[:-1] if edge.is_open and items and items[-1] is MISSING else items


def _partial_array(value: list[Any], annotation: Any, edge: Edge, made: Made) -> list[Any]:
    """The items so far. An open array is a new list at each read, but with the same complete items in it: what was made
    of those is kept, and only what has come since is made.
    """
    if not value:
        return []
    complete = len(value) - 1 if edge.is_open else len(value)
    items: list[Any] = []
    if complete > 0:
        key = (id(value[0]), id(annotation), "items")
        seen, items, _ = made.get(key, ([], [], None))
        if len(seen) > complete or not all(map(operator.is_, seen, value)):  # another array that begins alike
            seen, items = [], []
        new = value[len(seen) : complete]
        items += [partial_value(item, annotation, _CLOSED, made) for item in new]
        seen += new
        made[key] = (seen, items, None)
    last = [] if complete == len(value) else [partial_value(value[-1], annotation, edge.of_last(), made)]
    return items + [item for item in last if item is not MISSING]


def _partial_member(value: Any, shape: OneOf, edge: Edge, made: Made) -> Any:
    """The only member of a union that can become of the value. If it is complete, the first that it is of."""
    possible = [member for member in shape.shapes if may_be(member, value) and _has_members(member, value)]
    if not edge.is_open:
        possible = [member for member in possible if _is_of(value, member)][:1]
    return partial_value(value, possible[0].annotation, edge, made) if len(possible) == 1 else MISSING


def _has_members(shape: Shape, value: Any) -> bool:
    """Whether a class has all the members that have come, if it is to be one of several."""
    if not isinstance(shape, Record) or not isinstance(value, dict) or shape.open:
        return True
    return value.keys() <= shape.by_key.keys() | ({shape.tag[0]} if shape.tag is not None else set())


def _is_of(value: Any, shape: Shape) -> bool:
    try:
        structure(value, shape.annotation)
    except InvalidOutputError:
        return False
    return True


class PartialReader:
    """The value so far of the latest block that is meant.

    Args:
        source: What has the blocks.
        target: Which are meant.
    """

    __slots__ = ("_blocks", "_builder", "_json", "_made", "_target")

    def __init__(self, source: Source, target: Target) -> None:
        shape_of(target.annotation)
        self._target = target
        self._blocks = Blocks(source)
        self._builder: BlockBuilder | None = None
        self._json = PartialJSON()
        self._made: Made = {}

    def view(self) -> Any:
        """The value as far as it has come: a `Partial` of a class, a list of what there is, ...; `MISSING` if that
        is nothing, unless it is of a class, which then has nothing but missing attributes.
        """
        for builder in self._blocks.fresh():
            if self._target.type_in(builder.start, builder.index)[0]:
                self._builder, self._json, self._made = builder, PartialJSON(), {}
        json = self._json
        if self._builder is not None and (text := growth(self._builder, json.length)):
            json.feed(text)
        value = json.best
        edge = Edge(json.depth, json.is_inside_scalar)
        if self._builder is not None and self._builder.is_closed and type(value) in (int, float):
            edge = _CLOSED  # a number that is all there is
        annotation = self._target.annotation
        if value is None and not (json.error is None and json.complete):
            value = {} if isinstance(shape_of(annotation), Record) else MISSING
        return value if value is MISSING else partial_value(value, annotation, edge, self._made)
