"""A view of a value that is still being written: the attributes of its class, `MISSING` where nothing has come yet.

In: the value so far of a JSON text, and a type. Out: something that looks like a value of the type. A string that is
still open is there as far as it has come; all else is there when it is certain: a number, a date or a name from a list
may become another one with its next character. A view does not change.

Building one costs nothing: what an attribute is, is looked up when it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic

import attrs
from typing_extensions import TypeVar

from streamcore.partial_json import PartialJSON
from streamcore.typed.answers import Target
from streamcore.typed.faults import InvalidOutputError
from streamcore.typed.missing import MISSING
from streamcore.typed.shapes import Anything, Array, Map, OneOf, Record, Scalar, Shape, Tuple, name_of, shape_of
from streamcore.typed.structuring import may_be, structure
from streamcore.typed.values import Blocks, Source
from streamcore.block_builder import BlockBuilder

__all__ = ["Partial", "PartialReader", "partial_value"]

_T = TypeVar("_T", default=Any)


class Partial(Generic[_T]):
    """A value of a class, as far as it has come. Its attributes are those of the class; to `isinstance` and to `match`
    it is an instance of it.
    """

    __slots__ = ("_annotation", "_fields", "_open", "_so_far")

    def __init__(self, annotation: Any, so_far: Mapping[str, Any], *, is_open: bool) -> None:
        shape = shape_of(annotation)
        assert isinstance(shape, Record)
        _put(self, "_annotation", annotation)
        _put(self, "_fields", {field.name: field for field in shape.fields})
        _put(self, "_so_far", so_far)
        _put(self, "_open", is_open)

    @property
    def __class__(self) -> Any:
        shape = shape_of(self._annotation)
        assert isinstance(shape, Record)
        return shape.cls

    def __getattr__(self, name: str) -> Any:
        fields = object.__getattribute__(self, "_fields")
        field = fields.get(name)
        if field is None:
            raise AttributeError(f"{name_of(self._annotation)} has no field {name!r}")
        if field.key not in self._so_far:
            return MISSING
        # What is open is what came last.
        is_open = self._open and field.key == next(reversed(self._so_far))
        return partial_value(self._so_far[field.key], field.annotation, is_open=is_open)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a partial {name_of(self._annotation)} cannot be changed")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a partial {name_of(self._annotation)} cannot be changed")

    def __repr__(self) -> str:
        members = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._fields)
        return f"Partial({name_of(self._annotation)}({members}))"

    def __eq__(self, other: object) -> bool:
        if type(other) is not Partial:
            return NotImplemented
        return self._annotation == other._annotation and all(
            getattr(self, name) == getattr(other, name) for name in self._fields
        )

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self._annotation, self._so_far, self._open)


_put = object.__setattr__


def _restore(annotation: Any, so_far: Mapping[str, Any], is_open: bool) -> Partial[Any]:
    return Partial(annotation, so_far, is_open=is_open)


def partial_value(value: Any, annotation: Any, *, is_open: bool) -> Any:
    """What has come of a value of a type.

    Args:
        value: The JSON value so far.
        annotation: The type.
        is_open: Whether the last thing in it may still change.
    """
    shape = shape_of(annotation)
    match shape:
        case OneOf():
            return _partial_member(value, shape, is_open=is_open)
        case Record() if isinstance(value, dict):
            if hasattr(shape.cls, "__total__"):  # a TypedDict: a dict is what it looks like
                return _partial_dict(value, {field.key: field.annotation for field in shape.fields}, is_open)
            return Partial(annotation, value, is_open=is_open)
        case Map() if isinstance(value, dict):
            return _partial_dict(value, dict.fromkeys(value, shape.value), is_open)
        case Array() if isinstance(value, list):
            return _partial_items(value, [shape.item] * len(value), is_open)
        case Tuple() if isinstance(value, list):
            return _partial_items(value, shape.items, is_open)
        case Anything():
            return value
        case Scalar():
            return _partial_scalar(value, shape, is_open=is_open)
        case _:
            return MISSING


def _partial_scalar(value: Any, shape: Scalar, *, is_open: bool) -> Any:
    if is_open:
        return value if isinstance(value, str) and shape.annotation is str else MISSING
    try:
        return structure(value, shape.annotation)
    except InvalidOutputError:
        return MISSING


def _partial_dict(value: dict[str, Any], types: Mapping[str, Any], is_open: bool) -> dict[str, Any]:
    last = next(reversed(value), None)
    made = {
        key: partial_value(item, types[key], is_open=is_open and key == last)
        for key, item in value.items()
        if key in types
    }
    return {key: item for key, item in made.items() if item is not MISSING}


def _partial_items(value: list[Any], types: Any, is_open: bool) -> list[Any]:
    last = len(value) - 1
    made = [
        partial_value(item, annotation, is_open=is_open and place == last)
        for place, (item, annotation) in enumerate(zip(value, types, strict=False))
    ]
    return made[:-1] if made and made[-1] is MISSING and is_open else made


def _partial_member(value: Any, shape: OneOf, *, is_open: bool) -> Any:
    """The first member of a union that can become of the value; a complete one is what structuring makes of it."""
    possible = [member for member in shape.shapes if may_be(member, value) and _has_members(member, value)]
    for member in possible:
        made = partial_value(value, member.annotation, is_open=is_open)
        if made is not MISSING:
            return made
    return MISSING


def _has_members(shape: Shape, value: Any) -> bool:
    """Whether a class has all the members that have come, if it is to be one of several."""
    if not isinstance(shape, Record) or not isinstance(value, dict):
        return True
    return value.keys() <= shape.by_key.keys() | ({shape.tag[0]} if shape.tag is not None else set())


class PartialReader:
    """The value so far of the latest block that is meant.

    Args:
        source: What has the blocks.
        target: Which are meant.
    """

    __slots__ = ("_blocks", "_builder", "_json", "_target")

    def __init__(self, source: Source, target: Target) -> None:
        self._target = target
        self._blocks = Blocks(source)
        self._builder: BlockBuilder | None = None
        self._json = PartialJSON()

    def view(self) -> Any:
        """The value as far as it has come: a `Partial` of a class, a list of what there is, ...; `MISSING` if that
        is nothing, unless it is of a class, which then has nothing but missing attributes.
        """
        for builder in self._blocks.fresh():
            if self._target.type_in(builder.start, builder.index)[0]:
                self._builder, self._json = builder, PartialJSON()
        annotation = self._target.annotation
        value: Any = None
        is_open = True
        if self._builder is not None:
            self._json.feed(self._builder.json_since(self._json.length))
            value = self._json.best
            is_open = not (self._json.error is None and self._json.complete) and not self._builder.closed
        if value is None and isinstance(shape_of(annotation), Record):
            value = {}
        return MISSING if value is None else partial_value(value, annotation, is_open=is_open and self._json.is_inside_scalar)
