"""The cattrs converter of the wire types, for programs that structure their own classes with cattrs.

It structures by the rules of this package: `converter.structure(obj, Message)` is `structure(obj, Message)`, and
`converter.unstructure(message)` is `message.to_dict()`. Decoding does not need it, and cattrs takes a seventh of the
import time, so it is loaded on first use.
"""

from __future__ import annotations

import types
from typing import Any, Union, get_args, get_origin

import cattrs

from streamcore.types import WireObject
from streamcore.types.base import plain
from streamcore.types.structuring import structure

__all__ = ["converter"]


def _is_ours(annotation: Any) -> bool:
    """Return whether an annotation is a wire type, or a union with one."""
    if get_origin(annotation) in (Union, types.UnionType):
        return any(_is_ours(member) for member in get_args(annotation))
    cls = get_origin(annotation) or annotation
    return isinstance(cls, type) and issubclass(cls, WireObject)


def _is_written(cls: Any) -> bool:
    """Return whether objects of a class are ours. cattrs goes by `__class__`, which `streamcore.anthropic` replaces."""
    return _is_ours(cls) or hasattr(cls, "__wire_class__")


def _make_converter() -> cattrs.Converter:
    made = cattrs.Converter()
    # The value belongs to the program, and `structure` changes what it is given.
    made.register_structure_hook_func(_is_ours, lambda value, cls: structure(plain(value), cls))
    made.register_unstructure_hook_func(_is_written, WireObject.to_dict)
    return made


converter: cattrs.Converter = _make_converter()
