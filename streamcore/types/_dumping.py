"""The wire form with the options of pydantic: which fields without a value to write, which to include or exclude."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, TypeAlias

import attrs

from streamcore.types.base import Unknown, WireObject, type_tag, wire_fields

__all__ = ["Options", "Selection", "dump", "selection"]

Selection: TypeAlias = "AbstractSet[Any] | Mapping[Any, Any]"
"""Names or indices; in a mapping, each with True for all of it, or with what is selected inside.

`"__all__"` stands for all items of a list, and negative indices count from its end.
"""


@attrs.frozen(kw_only=True, eq=False)
class Options:
    """Which fields are written, and under which names.

    Attributes:
        api_names: Whether keys are those of the wire, and not the names of attributes.
        unset: Whether fields without a value are written as None.
        defaults: Whether None is written for fields that the API always sends.
        none: Whether None is written at all.
    """

    api_names: bool
    unset: bool
    defaults: bool
    none: bool


def selection(name: str, value: Any) -> Selection | None:
    """Return the value of the argument `name`, `include` or `exclude`.

    Raises:
        TypeError: It is not a set or a dict.
    """
    if value is None or isinstance(value, (AbstractSet, Mapping)):
        return value
    raise TypeError(f"{name} must be a set or a dict, not {type(value).__name__}")


def dump(value: Any, options: Options, include: Selection | None, exclude: Selection | None) -> Any:
    """Return a deep copy of `value` that consists of dicts, lists and scalars only.

    Args:
        value: A wire object, or what one contains.
        options: Which fields of wire objects are written.
        include: What to write, or None for all.
        exclude: What to leave out.
    """
    if isinstance(value, WireObject):
        members: Iterator[tuple[str, tuple[Any, ...], Any]] = _fields(value, options)
    elif isinstance(value, Mapping):
        members = ((key, (key,), item) for key, item in value.items())
    elif isinstance(value, (list, tuple)):
        count = len(value)
        numbered = ((str(at), (at, at - count, "__all__"), item) for at, item in enumerate(value))
        return [dump(item, options, *inside) for _, item, *inside in _selected(numbered, include, exclude)]
    else:
        return value
    return {key: dump(item, options, *inside) for key, item, *inside in _selected(members, include, exclude)}


def _fields(value: WireObject, options: Options) -> Iterator[tuple[str, tuple[str, ...], Any]]:
    """Yield the fields to write: the key, the names by which it can be selected, and the value."""
    if not isinstance(value, Unknown):
        tag = type_tag(type(value))
        if tag is not None:
            yield "type", ("type",), tag
        for field in wire_fields(type(value)):
            item = getattr(value, field.name)
            if item is field.absent:
                item = None
                if not (options.none and options.defaults and (field.null or options.unset)):
                    continue
            yield field.key if options.api_names else field.name, (field.name, field.key), item
    for key, item in (value.data if isinstance(value, Unknown) else value.extra).items():
        if item is not None or options.none:
            yield key, (key,), item


def _selected(
    members: Iterator[tuple[str, tuple[Any, ...], Any]], include: Selection | None, exclude: Selection | None
) -> Iterator[tuple[str, Any, Selection | None, Selection | None]]:
    """Yield the members that are selected: the key, the value, and what to include and to exclude inside of it."""
    for key, names, item in members:
        included = True if include is None else _found(include, names)
        excluded = False if exclude is None else _found(exclude, names)
        if included is not False and excluded is not True:
            yield key, item, None if included is True else included, None if excluded is False else excluded


def _found(chosen: Selection, names: tuple[Any, ...]) -> Any:
    """Return True if all of a member is selected, False if nothing of it is, or the selection inside of it."""
    for name in names:
        if name in chosen:
            inside = chosen[name] if isinstance(chosen, Mapping) else True
            return True if inside is ... else inside
    return False
