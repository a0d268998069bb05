"""Functions, generated one a wire type, that make objects from dicts in a third of the time that cattrs needs.

In: a wire type, the hook for each of its fields, and the plain function for the type. Out: a function that does what
the plain one does. The generated code has one straight piece a field: take the item, look at its type, put it where it
belongs. Whatever is not as the class says is left to the plain function, which knows what is to be forgiven and how an
error is told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from streamcore._twin import generated, twin
from streamcore.types._base import with_extra

__all__ = ["Filler", "Item", "make_filler"]

Filler = Callable[[Any, Any], Any]


@attrs.frozen(eq=False, repr=False)
class Item:
    """How one attribute is filled.

    Attributes:
        name: The attribute.
        key: Its name on the wire; `None` if it has no wire form and keeps its default.
        default: Its value if the wire has none; `attrs.NOTHING` if the wire must have one.
        types: The exact types of its values, where nothing but these is checked.
        hook: What makes its value of the wire's, where `types` is empty.
    """

    name: str
    key: str | None
    default: Any
    types: tuple[type, ...]
    hook: Filler | None


def make_filler(cls: type[Any], tag: str | None, items: list[Item], plain: Filler) -> Filler:
    """The function for `cls`, which has the same arguments as a hook of cattrs.

    Args:
        tag: The `type` that the wire must give, if it gives one.
        plain: The function that decides about everything that is not plainly right.
    """
    known = frozenset(item.key for item in items if item.key is not None) | ({"type"} if tag is not None else set())
    names: dict[str, Any] = {"cls": cls, "twin": twin(cls), "plain": plain, "known": known, "with_extra": with_extra}
    body = [
        "def fill(value, annotation):",
        "    if type(value) is not dict:",
        "        return plain(value, annotation)",
        "    made = twin()",
        "    count = 0",
    ]
    if tag is not None:
        body += [
            "    if 'type' in value:",
            f"        if value['type'] != {tag!r}:",
            "            return plain(value, annotation)",
            "        count = 1",
        ]
    for number, item in enumerate(items):
        names[f"default_{number}"] = item.default
        if item.key is not None:
            # Looked for before it is taken: most fields are absent, and that is how to know it soonest.
            body += [
                f"    if {item.key!r} in value:",
                f"        item = value[{item.key!r}]",
                "        count += 1",
                *_taken(number, item, names),
                "    else:",
            ]
        if item.default is attrs.NOTHING:
            body.append("        return plain(value, annotation)")
        else:
            body.append(f"    {'' if item.key is None else '    '}made.{item.name} = default_{number}")
    body += [
        "    made.__class__ = cls",
        "    if count == len(value):",
        "        return made",
        "    return with_extra(made, {key: value[key] for key in value if key not in known})",
    ]
    filler: Filler = generated("\n".join(body), "fill", names)
    return filler


def _taken(number: int, item: Item, names: dict[str, Any]) -> list[str]:
    """The lines that put what the wire gave where it belongs."""
    # Absent and null are the same to most fields. The others leave null to the plain function.
    null = f"made.{item.name} = None" if item.default is None else "return plain(value, annotation)"
    if item.types:
        checks = []
        for position, accepted in enumerate(item.types):
            names[f"type_{number}_{position}"] = accepted
            checks.append(f"item.__class__ is type_{number}_{position}")
        return [
            f"        if {' or '.join(checks)}:",
            f"            made.{item.name} = item",
            "        elif item is None:",
            f"            {null}",
            "        else:",
            "            return plain(value, annotation)",
        ]
    names[f"hook_{number}"] = item.hook
    return [
        "        if item is None:",
        f"            {null}",
        "        else:",
        f"            made.{item.name} = hook_{number}(item, None)",
    ]
