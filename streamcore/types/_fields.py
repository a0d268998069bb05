"""How an attribute of a wire type is declared if its wire form is not the usual one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

__all__ = ["WireField", "wire_field"]


@attrs.frozen(eq=False, repr=False)
class WireField:
    """How one attribute of a wire type appears on the wire.

    Attributes:
        name: The name of the attribute.
        key: The name of the field on the wire.
        absent: The object that stands for "no value"; it is compared by identity.
        null: Whether `to_dict()` writes null for an absent value, instead of leaving the field out.
        response_only: Whether the API rejects the field in a request.
    """

    name: str
    key: str
    absent: object
    null: bool
    response_only: bool


def wire_field(
    *,
    key: str | None = None,
    default: Any = None,
    null: bool = False,
    response_only: bool = False,
    local: bool = False,
    shown: bool = True,
    converter: Callable[[Any], Any] | None = None,
) -> Any:
    """Declare an attribute with a default whose wire form is not the usual one.

    Args:
        key: The name of the field on the wire, if it is not the name of the attribute.
        default: The value if the field did not arrive.
        null: Whether `to_dict()` writes null for an absent value, instead of leaving the field out.
        response_only: Whether the API rejects the field in a request (`to_param()` leaves it out).
        local: Whether the attribute has no wire form. Comparisons ignore it.
        shown: Whether `repr` shows it.
        converter: A function that `__init__` applies to the value. Decoders apply one that gives the same result.
    """
    metadata = {"key": key, "null": null, "response_only": response_only, "local": local}
    return attrs.field(default=default, metadata=metadata, eq=not local, repr=shown, converter=converter)
