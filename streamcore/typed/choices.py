"""Enums and `Literal`: the JSON values that there are, and what each stands for."""

from __future__ import annotations

import enum
from typing import Any, Literal, get_args, get_origin

from streamcore.typed.shapes import UnsupportedTypeError, name_of

__all__ = ["choices_of", "own_choices"]


def choices_of(annotation: Any) -> list[tuple[Any, Any]]:
    """The JSON values of an enum or a `Literal`, each with what it stands for; none of another scalar.

    Raises:
        UnsupportedTypeError: One of them has no JSON scalar for a value.
    """
    members: tuple[Any, ...] = ()
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        members = tuple(annotation)
    elif get_origin(annotation) is Literal:
        members = get_args(annotation)
    choices = [(member.value if isinstance(member, enum.Enum) else member, member) for member in members]
    for value, member in choices:
        if type(value) not in (str, int, float, bool, type(None)):
            raise UnsupportedTypeError(f"{name_of(annotation)}: {member!r} is nothing that JSON can say")
    return choices


def own_choices(annotation: Any) -> list[tuple[Any, Any]]:
    """`choices_of`, where they are not left to msgspec: it reads enums of strings or of integers, and no enum or
    boolean in a `Literal`.
    """
    choices = choices_of(annotation)
    kinds = {type(member) if get_origin(annotation) is Literal else type(value) for value, member in choices}
    if get_origin(annotation) is Literal:
        return choices if kinds - {str, int, type(None)} else []
    return choices if kinds not in ({str}, {int}) else []
