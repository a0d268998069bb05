"""The arguments of a call, as the official client takes them.

Programs pass on what our streams gave them: `message.content` as a part of the next request. The official client
does not know these objects, so they become dicts.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import anthropic

from streamcore.api.arguments import list_of
from streamcore.api.options import NOT_GIVEN, Omit
from streamcore.types import WireObject

__all__ = ["check_names", "for_official", "is_given", "tool_params"]

_THEIR_MARKS = tuple(kind for kind in (getattr(anthropic, name, None) for name in ("NotGiven", "Omit")) if kind)


def is_given(value: object) -> bool:
    """Return whether an argument was given. Both packages have marks that say that it was not."""
    return value is not NOT_GIVEN and not isinstance(value, (Omit, *_THEIR_MARKS))


def for_official(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments with dicts in place of our objects, and without those that were not given."""
    return {name: _plain(value) for name, value in arguments.items() if is_given(value)}


def _plain(value: Any) -> Any:
    if isinstance(value, WireObject):
        return value.to_param()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)) or (isinstance(value, Iterator) and not hasattr(value, "read")):  # no files
        return [_plain(item) for item in value]
    if isinstance(value, Omit):  # a header to remove
        return anthropic.Omit()
    return value


def tool_params(tools: Any) -> list[Any]:
    """Return tools with dicts in place of those that `anthropic.beta_tool` has made. Ours stay as they are.

    Raises:
        InvalidArgumentError: They are not a list.
    """
    return [
        tool.to_dict() if hasattr(tool, "to_dict") and not isinstance(tool, (type, WireObject)) else tool
        for tool in list_of(tools, "tools")
    ]


def check_names(method: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    """Check the names of the arguments of a method, before it is called.

    Raises:
        TypeError: It does not have an argument of a name.
    """
    names = _names(getattr(method, "__func__", method))
    for name in arguments:
        if names is not None and name not in names:
            raise TypeError(f"{method.__qualname__}() got an unexpected keyword argument {name!r}")


@functools.cache
def _names(function: Callable[..., Any]) -> frozenset[str] | None:
    """Return the names of the parameters of a function, or None if it takes any."""
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return frozenset(parameter.name for parameter in parameters)
