r"""Make values from texts with a name and options, as in `cut:event=3,broken=yes`.

A comma in a value is written `\,`. Headers are written `name: value`, with `|` between two of them.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Mapping
from typing import Any, get_args, get_type_hints

import attrs

from streamcore.errors import InvalidArgumentError
from streamcore.replay.capture import Headers

_COMMA = re.compile(r"(?<!\\),")


def split_options(text: str) -> tuple[str, dict[str, str]]:
    """Return the name and the options in `name` or `name:option=value,option=value`.

    Raises:
        InvalidArgumentError: An option has no value, or comes twice.
    """
    name, colon, rest = text.partition(":")
    options: dict[str, str] = {}
    for part in _COMMA.split(rest) if colon else ():
        option, equals, value = part.partition("=")
        if not option or not equals or option in options:
            raise InvalidArgumentError(f"{part!r} in {text!r} must be option=value, and each option must occur once")
        options[option] = value.replace("\\,", ",")
    return name, options


def _headers(text: str) -> Headers:
    headers = []
    for line in text.split("|"):
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise ValueError(line)
        headers.append((name.strip(), value.strip()))
    return tuple(headers)


_YES_OR_NO = {"yes": True, "no": False, "true": True, "false": False, "1": True, "0": False}
_FROM_TEXT: dict[object, Callable[[str], object]] = {
    int: int,
    float: float,
    str: str,
    bytes: str.encode,
    bool: _YES_OR_NO.__getitem__,
    Headers: _headers,
}


def with_options(cls: type, name: str, given: Mapping[str, str]) -> Any:
    """Make a value of an attrs class whose fields are given as text.

    Args:
        cls: The class.
        name: The name of the value in messages.
        given: The fields, by name.

    Raises:
        InvalidArgumentError: A field is unknown, has an invalid value, or is missing.
    """
    hints = get_type_hints(cls)
    options: dict[str, object] = {}
    for option, value in given.items():
        convert = _FROM_TEXT.get(_plain(hints.get(option)))
        if convert is None:
            there = [field.name for field in attrs.fields(cls) if _plain(hints[field.name]) in _FROM_TEXT]
            raise InvalidArgumentError(f"{name!r} has no option {option!r}, but {', '.join(there) or 'none'}")
        try:
            options[option] = convert(value)
        except (ValueError, KeyError):
            raise InvalidArgumentError(f"{value!r} is not a value for the option {option!r} of {name!r}") from None
    missing = [
        field.name for field in attrs.fields(cls) if field.default is attrs.NOTHING and field.name not in options
    ]
    if missing:
        raise InvalidArgumentError(f"{name!r} needs a value for {', '.join(missing)}")
    return cls(**options)


def _plain(hint: object) -> object:
    """Return the type in `type | None`."""
    if isinstance(hint, types.UnionType):
        return next(each for each in get_args(hint) if each is not type(None))
    return hint
