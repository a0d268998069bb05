"""Casting: make an object of another class with the same fields and the same values.

In: an object, and a function for the objects inside. Out: an object of the other class, made without `__init__`. The
function that casts objects of a class is generated from its fields, so it takes a third of a microsecond for most.

Casting never changes an object: the engine shares its objects between snapshots, and some between streams.
"""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable
from typing import Any, cast

import attrs

from streamcore._objects.construct import constructor, generate
from streamcore.types import WireObject
from streamcore.types.derived import deferring

__all__ = ["Cast", "Convert", "as_it_is", "caster"]

Convert = Callable[[Any], Any]
Cast = Callable[[Any, Convert], Any]
"""Takes an object and a function for what is inside, and returns the object as one of another class."""


def as_it_is(value: Any) -> Any:
    """Return the value."""
    return value


class _Deferred:
    """The source of a deferred field (see `streamcore.types.derived`) that casts what it gives."""

    __slots__ = ("_convert", "_source")

    def __init__(self, source: Any, convert: Convert) -> None:
        self._source = source
        self._convert = convert

    def at(self, mark: Any) -> Any:
        return self._convert(self._source.at(mark))


@functools.cache
def caster(cls: Any) -> Cast:
    """Return a function that makes a `cls` of an object with the same fields.

    That for `ContentBlockDeltaEvent`:

    def cast(given, convert):
        return make(given.index, None if given.delta is None else convert(given.delta))

    A deferred field stays deferred.
    """
    plain = getattr(cls, "_plain_class", cls)  # that of a lookalike
    attrs.resolve_types(plain)
    values = {}  # by the name of the field: how it is read
    deferred, source = "", ""
    for field in attrs.fields(plain):
        name, value = field.name, f"given.{field.name}"
        holds_objects = not field.metadata.get("local") and _holds_objects(field.type)
        # Most of them are None, which need no call.
        values[name] = f"None if {value} is None else convert({value})" if holds_objects else value
        if isinstance(inspect.getattr_static(plain, name), property):
            deferred, source = name, "Deferred(source, convert)" if holds_objects else "source"
    names: dict[str, Any] = {"cls": cls, "Deferred": _Deferred, "make": constructor(cls, *values)}
    lines = ["def cast(given, convert):"]
    if deferred:
        others = {name: value for name, value in values.items() if name != deferred}
        names["make_deferred"] = deferring(cls, *others)
        lines += [
            "    source = getattr(given, '_source', None)",
            "    if source is not None:",
            f"        return make_deferred({', '.join([*others.values(), source, 'given._mark'])})",
        ]
    lines.append(f"    return make({', '.join(values.values())})")
    return cast("Cast", generate("\n".join(lines), "cast", names))


def _holds_objects(annotation: Any) -> bool:
    """Return whether objects of ours may be inside a value of an annotation."""
    if isinstance(annotation, typing.TypeVar):
        return annotation.__bound__ is None or _holds_objects(annotation.__bound__)
    arguments = typing.get_args(annotation)
    origin = typing.get_origin(annotation) or annotation
    if isinstance(origin, type) and issubclass(origin, WireObject):
        return True
    return any(map(_holds_objects, arguments))
