"""Annotations as they are written: what the type variables in them stand for, and how they read."""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Callable
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

__all__ = ["as_written", "cached_by_annotation", "name_of", "substituted", "type_arguments"]

_R = TypeVar("_R")


def as_written(annotation: Any) -> Any:
    """What tells an annotation from others, to remember something under it. `A | B` equals `B | A`, but the first
    member goes before the second.
    """
    arguments = get_args(annotation)
    return (annotation, tuple((type(item), as_written(item)) for item in arguments)) if arguments else annotation


def cached_by_annotation(read: Callable[[Any], _R]) -> Callable[[Any], _R]:
    """`read` with the latest results remembered, also of annotations that are equal but in another order."""
    kept: dict[Any, _R] = {}

    @functools.wraps(read)
    def cached(annotation: Any) -> _R:
        key = as_written(annotation)
        try:
            if key in kept:
                return kept[key]
        except TypeError:
            return read(annotation)  # it cannot be hashed, as a `Literal` of a list
        made = read(annotation)
        if len(kept) >= _KEPT:
            kept.clear()
        kept[key] = made
        return made

    return cached


_KEPT = 1024


def type_arguments(annotation: Any) -> dict[Any, Any]:
    """What the type variables of a class and of its bases stand for."""
    origin, arguments = get_origin(annotation) or annotation, get_args(annotation)
    known: dict[Any, Any] = dict(zip(getattr(origin, "__parameters__", ()), arguments, strict=False))
    for base in getattr(origin, "__orig_bases__", ()):
        for variable, value in type_arguments(base).items():
            known.setdefault(variable, substituted(value, known))
    return known


def substituted(annotation: Any, known: dict[Any, Any]) -> Any:
    """An annotation with what its type variables stand for."""
    if isinstance(annotation, TypeVar):
        return known.get(annotation, annotation)
    variables = getattr(annotation, "__parameters__", ())
    if not variables or get_origin(annotation) is None:
        return annotation
    return annotation[tuple(known.get(variable, variable) for variable in variables)]


def name_of(annotation: Any) -> str:
    """An annotation as its author wrote it, nearly."""
    if annotation is type(None):
        return "None"
    if isinstance(annotation, type) and not get_args(annotation):
        return annotation.__qualname__.rpartition(".<locals>.")[2]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is typing.Annotated:
        return name_of(arguments[0])
    if origin in (Union, types.UnionType):
        return " | ".join(map(name_of, arguments))
    if origin is not None and origin is not Literal and arguments:
        inside = ", ".join("..." if item is Ellipsis else name_of(item) for item in arguments)
        return f"{name_of(origin)}[{inside}]"
    return str(annotation).removeprefix("typing.")
