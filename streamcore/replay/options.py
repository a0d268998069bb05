"""What commands are given as text: a name and options, as in `cut:event=3,broken=yes`."""

from __future__ import annotations

from streamcore.api.errors import InvalidArgumentError

__all__ = ["split_options"]


def split_options(text: str) -> tuple[str, dict[str, str]]:
    """The name and the options in `name` or `name:option=value,option=value`.

    Raises:
        InvalidArgumentError: An option has no value, or comes twice.
    """
    name, colon, rest = text.partition(":")
    options: dict[str, str] = {}
    for part in rest.split(",") if colon else ():
        option, equals, value = part.partition("=")
        if not option or not equals or option in options:
            raise InvalidArgumentError(f"{part!r} in {text!r} is not an option of its own with a value (option=value)")
        options[option] = value
    return name, options
