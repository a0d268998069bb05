"""Check the arguments of a call, before anything is done with them.

The names of the arguments are the keys of the classes in `options`, which type checkers read too. So an editor, a type
checker, `inspect.signature` and this module know the same ones.
"""

from __future__ import annotations

import functools
import inspect
import io
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping, MappingView
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any, TypeVar

from streamcore.api.models import DEPRECATED_MODELS, MODELS_WITHOUT_THINKING_ENABLED
from streamcore.api.options import NOT_GIVEN, given
from streamcore.errors import InvalidArgumentError

__all__ = ["check_names", "list_of", "mapping_of", "takes", "warn_about_model"]

_CallableT = TypeVar("_CallableT", bound=Callable[..., Any])

_REQUIRED = ("max_tokens", "messages", "model")
_PACKAGE = str(Path(__file__).parents[1])
# These can be iterated over and are not meant as arrays: a set has no order, and a file is not meant as its lines.
_NOT_ARRAYS = (str, bytes, bytearray, memoryview, Mapping, AbstractSet, io.IOBase, os.PathLike)


def takes(options: Any) -> Callable[[_CallableT], _CallableT]:
    """Return a decorator that lists the keys of a TypedDict in the signature of a method that has `**arguments`.

    Frameworks ask `inspect.signature` which arguments a method takes, and so do editors that run the code.
    """

    def decorate(method: _CallableT) -> _CallableT:
        signature = inspect.signature(method)
        named = [each for each in signature.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
        hints = options.__annotations__
        named += [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if name in _REQUIRED else NOT_GIVEN,
                annotation=_as_written(hints[name]),
            )
            for name in (*_REQUIRED, *sorted(hints.keys() - {*_REQUIRED}))
        ]
        method.__signature__ = signature.replace(parameters=named)  # type: ignore[attr-defined]
        return method

    return decorate


def _as_written(hint: Any) -> str:
    """Return the text of a hint, without what only says how the argument may be left out."""
    return re.sub(r"^(?:Required|Maybe)\[(.*)\]$", r"\1", hint.__forward_arg__)


@functools.cache
def _keys(options: Any) -> frozenset[str]:
    return frozenset(options.__annotations__)


def check_names(method: str, arguments: Mapping[str, Any], options: Any) -> None:
    """Check that the arguments are keys of a TypedDict, and that none is missing that each call needs.

    Raises:
        TypeError: One is missing, or is not an argument of the method.
    """
    accepted = _keys(options)
    for name in arguments:
        if name not in accepted:
            import difflib  # here because few programs need it

            similar = difflib.get_close_matches(name, accepted, n=1)
            hint = f"did you mean {similar[0]!r}? " if similar else ""
            raise TypeError(
                f"{method}() got an unexpected keyword argument {name!r}; {hint}"
                "A parameter of the API that is new to streamcore goes into extra_body={...}"
            )
    extra = arguments.get("extra_body")
    sent = {**(extra if isinstance(extra, Mapping) else {}), **arguments}
    missing = [name for name in _REQUIRED if not given(sent.get(name, NOT_GIVEN))]
    if missing:
        raise TypeError(f"{method}() is missing the keyword argument{'s' * (len(missing) > 1)} {', '.join(missing)}")


def list_of(value: Any, name: str) -> list[Any]:
    """Return an argument that has to be an array as a list.

    Raises:
        InvalidArgumentError: It is not an iterable, or it is a string, a mapping, a set or a file.
    """
    if isinstance(value, Iterable) and (isinstance(value, MappingView) or not isinstance(value, _NOT_ARRAYS)):
        return list(value)
    raise InvalidArgumentError(f"{name} must be a list, not of type {type(value).__name__}")


def mapping_of(value: Any, name: str) -> Mapping[str, Any]:
    """Return an argument that has to be a mapping. None counts as an empty one.

    Raises:
        InvalidArgumentError: It is something else.
    """
    if value is None or not given(value):
        return {}
    if isinstance(value, Mapping):
        return value
    raise InvalidArgumentError(f"{name} must be a mapping, not of type {type(value).__name__}")


def warn_about_model(arguments: Mapping[str, Any]) -> None:
    """Warn the caller if the model has an end of life, or works better without fixed thinking."""
    model, thinking = arguments.get("model"), arguments.get("thinking")
    if not isinstance(model, str):
        return
    if (end := DEPRECATED_MODELS.get(model)) is not None:
        warnings.warn(
            f"The model {model!r} is deprecated: its end of life is {end}. "
            "See https://docs.claude.com/en/docs/about-claude/model-deprecations",
            DeprecationWarning,
            stacklevel=_level_of_caller(),
        )
    if model in MODELS_WITHOUT_THINKING_ENABLED and isinstance(thinking, Mapping) and thinking.get("type") == "enabled":
        warnings.warn(
            f"With the model {model!r}, thinking of the type 'enabled' is deprecated: 'adaptive' gives better results.",
            UserWarning,
            stacklevel=_level_of_caller(),
        )


def _level_of_caller() -> int:
    """Return the `stacklevel` of the first frame outside of this package, for the function that calls this one."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    return level
