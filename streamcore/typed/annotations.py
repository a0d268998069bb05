"""Annotations as the user wrote them: comparing them, resolving type variables, and showing them in messages."""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Callable
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin

from streamcore.errors import StreamCoreError

__all__ = [
    "UnsupportedTypeError",
    "as_written",
    "cached_by_annotation",
    "name_of",
    "substitute",
    "type_arguments",
]

_R = TypeVar("_R")


class UnsupportedTypeError(StreamCoreError, TypeError):
    """No JSON schema can describe the type, or the API does not accept its schema."""


def as_written(annotation: Any) -> Any:
    """Return a dictionary key for an annotation that keeps the order of unions.

    `A | B` equals `B | A`, but the order matters: the first member is preferred.
    """
    arguments = get_args(annotation)
    return (annotation, tuple((type(item), as_written(item)) for item in arguments)) if arguments else annotation


_CACHE_SIZE: Final = 1024


def cached_by_annotation(read: Callable[[Any], _R]) -> Callable[[Any], _R]:
    """Cache the latest results of a function of one annotation, told apart by `as_written`."""
    results: dict[Any, _R] = {}

    @functools.wraps(read)
    def cached(annotation: Any) -> _R:
        key = as_written(annotation)
        try:
            if key in results:
                return results[key]
        except TypeError:
            return read(annotation)  # it cannot be hashed, such as a `Literal` of a list
        result = read(annotation)
        if len(results) >= _CACHE_SIZE:
            results.clear()
        results[key] = result
        return result

    return cached


def type_arguments(annotation: Any) -> dict[Any, Any]:
    """Return what the type variables of a class and of its bases stand for."""
    origin, arguments = get_origin(annotation) or annotation, get_args(annotation)
    known: dict[Any, Any] = dict(zip(getattr(origin, "__parameters__", ()), arguments, strict=False))
    for base in getattr(origin, "__orig_bases__", ()):
        for variable, value in type_arguments(base).items():
            known.setdefault(variable, substitute(value, known))
    return known


def substitute(annotation: Any, known: dict[Any, Any]) -> Any:
    """Replace the type variables in an annotation by what they stand for."""
    if isinstance(annotation, TypeVar):
        return known.get(annotation, annotation)
    variables = getattr(annotation, "__parameters__", ())
    if not variables or get_origin(annotation) is None:
        return annotation
    return annotation[tuple(known.get(variable, variable) for variable in variables)]


def name_of(annotation: Any) -> str:
    """Return an annotation nearly as its author wrote it."""
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
