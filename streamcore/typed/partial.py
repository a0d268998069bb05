"""A view of a value that is still being written: the attributes of its class, `MISSING` where nothing has come yet.

In: the value so far of a JSON text, and a type. Out: something that looks like a value of the type. A string that is
still open is there as far as it has come; all else is there when it is certain: a number, a date or a name from a list
may become another one with its next character. A view does not change.

Building one costs nothing: what an attribute is, is looked up when it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic

from typing_extensions import TypeVar

from streamcore.block_builder import BlockBuilder
from streamcore.partial_json import PartialJSON
from streamcore.typed.answers import Target
from streamcore.typed.faults import InvalidOutputError
from streamcore.typed.missing import MISSING
from streamcore.typed.shapes import Anything, Array, Map, OneOf, Record, Scalar, Shape, Tuple, name_of, shape_of
from streamcore.typed.structuring import may_be, structure
from streamcore.typed.values import Blocks, Source, growth

__all__ = ["Partial", "PartialReader", "partial_value"]

_T = TypeVar("_T", default=Any)


class Partial(Generic[_T]):
    """A value of a class, as far as it has come. Its attributes are those of the class; to `isinstance` and to `match`
    it is an instance of it.
    """

    # With two underscores, so that none of them is a name that the class may have.
    __slots__ = ("__annotation", "__fields", "__open", "__so_far")

    def __init__(self, annotation: Any, so_far: Mapping[str, Any], *, is_open: bool) -> None:
        shape = shape_of(annotation)
        assert isinstance(shape, Record)
        _put(self, "_Partial__annotation", annotation)
        _put(self, "_Partial__fields", {field.name: field for field in shape.fields})
        _put(self, "_Partial__so_far", so_far)
        _put(self, "_Partial__open", is_open)

    @property  # type: ignore[misc]  # it is not to be set
    def __class__(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        shape = shape_of(self.__annotation)
        assert isinstance(shape, Record)
        return shape.cls

    def __getattr__(self, name: str) -> Any:
        field = self.__fields.get(name)
        if field is None:
            raise AttributeError(f"{name_of(self.__annotation)} has no field {name!r}")
        if field.key not in self.__so_far:
            return MISSING
        # What is open is what came last.
        is_open = self.__open and field.key == next(reversed(self.__so_far))
        return partial_value(self.__so_far[field.key], field.annotation, is_open=is_open)

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

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self.__annotation, self.__so_far, self.__open)


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
        shape_of(target.annotation)
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
        json = self._json
        if self._builder is not None and (text := growth(self._builder, json.length)):
            json.feed(text)
        value = json.best
        is_open = json.is_inside_scalar
        if is_open and self._builder is not None and self._builder.closed and not isinstance(value, (dict, list)):
            # A number that is all there is.
            is_open = isinstance(value, str)
        annotation = self._target.annotation
        if value is None and not (json.error is None and json.complete):
            value = {} if isinstance(shape_of(annotation), Record) else MISSING
        return value if value is MISSING else partial_value(value, annotation, is_open=is_open)
