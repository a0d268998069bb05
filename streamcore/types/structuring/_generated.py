"""Functions, generated for a wire type, that make its objects from dicts.

Generated code is used because it has no loop over the fields and no look-up of what to do with each: structuring an
event costs 15 to 18 % less than with functions that loop. It is registered in `linecache`, so that a debugger can step
through it.

This is what is generated for `TextBlock`:

    def structure(value):
        draft = Draft()
        if value['type'] != 'text':
            raise Unfit
        count = 2
        item = value['text']
        if item.__class__ is not type_0_0:
            raise Unfit
        draft.text = item
        if 'citations' in value:
            count += 1
            item = value['citations']
            draft.citations = None if item is None else structure_1(item)
        else:
            draft.citations = default_1
        draft.parsed_output = default_2
        draft.parse_error = default_3
        if count == len(value):
            return freeze(draft)
        return with_extra(freeze(draft), immutable({key: value[key] for key in value if key not in known}))

A value that does not fit the class raises `Unfit`, `KeyError` or `TypeError`; `_structure` then uses the plain path.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from streamcore._objects.construct import draft_class, freezer, generate
from streamcore._objects.immutable import immutable_in_place
from streamcore.types.base import with_extra

__all__ = ["FieldPlan", "Unfit", "make_structurer"]


class Unfit(Exception):  # it never leaves the codec
    """A value does not fit its class."""


@attrs.frozen(eq=False, repr=False)
class FieldPlan:
    """How one attribute is filled.

    Attributes:
        name: The attribute.
        key: Its name on the wire; `None` if it has no wire form and keeps its default.
        default: Its value if the wire has none; `attrs.NOTHING` if the wire must have one.
        types: The exact types of its values, if only the type must be checked.
        structure: The function for its value, if `types` is empty.
        convert: The function to call in place of the attribute's converter, or None.
        takes_null: Whether null counts as absent.
    """

    name: str
    key: str | None
    default: Any
    types: tuple[type, ...]
    structure: Callable[[Any], Any] | None
    convert: Callable[[Any], Any] | None
    takes_null: bool = False


def make_structurer(cls: type[Any], tag: str | None, plans: list[FieldPlan]) -> Callable[[Any], Any]:
    """Return the function that makes a `cls` from a dict.

    Args:
        cls: A frozen wire type.
        tag: The `type` that the wire gives.
        plans: One for each attribute.
    """
    known = frozenset(plan.key for plan in plans if plan.key is not None) | ({"type"} if tag is not None else set())
    names: dict[str, Any] = {
        "cls": cls,
        "Draft": draft_class(cls),
        "freeze": freezer(cls),
        "Unfit": Unfit,
        "known": known,
        "with_extra": with_extra,
        "immutable": immutable_in_place,
    }
    required = [plan for plan in plans if plan.key is not None and plan.default is attrs.NOTHING]
    body = ["def structure(value):", "    draft = Draft()"]
    if tag is None and not required:
        body += ["    if value.__class__ is not dict:", "        raise Unfit"]  # nothing below would raise for `[]`
    if tag is not None:
        body += [f"    if value['type'] != {tag!r}:", "        raise Unfit"]
    body.append(f"    count = {len(required) + (tag is not None)}")
    for number, plan in enumerate(plans):
        names[f"default_{number}"] = plan.default
        names[f"structure_{number}"] = plan.structure
        names[f"convert_{number}"] = plan.convert
        names.update({f"type_{number}_{i}": accepted for i, accepted in enumerate(plan.types)})
        body += [f"    {line}" for line in _lines(number, plan)]
    body += [
        "    if count == len(value):",
        "        return freeze(draft)",
        "    return with_extra(freeze(draft), immutable({key: value[key] for key in value if key not in known}))",
    ]
    structure: Callable[[Any], Any] = generate("\n".join(body), "structure", names)
    return structure


def _lines(number: int, plan: FieldPlan) -> list[str]:
    """Return the lines that fill one attribute."""
    attribute = f"draft.{plan.name}"
    if plan.key is None:
        return [f"{attribute} = default_{number}"]
    if plan.default is attrs.NOTHING:
        return [f"item = value[{plan.key!r}]", *_filled(attribute, number, plan)]
    return [
        f"if {plan.key!r} in value:",
        "    count += 1",
        f"    item = value[{plan.key!r}]",
        *[f"    {line}" for line in _filled(attribute, number, plan)],
        "else:",
        f"    {attribute} = default_{number}",
    ]


def _filled(attribute: str, number: int, plan: FieldPlan) -> list[str]:
    """Return the lines that check the item and set the attribute."""
    value = "item" if plan.types else f"structure_{number}(item)"
    if plan.convert is not None:
        value = f"convert_{number}({value})"
    if not plan.types:
        none = "None if item is None else " if plan.takes_null else ""
        return [f"{attribute} = {none}{value}"]
    checks = [f"item.__class__ is not type_{number}_{i}" for i in range(len(plan.types))]
    if plan.takes_null:
        checks.append("item is not None")
    return [f"if {' and '.join(checks)}:", "    raise Unfit", f"{attribute} = {value}"]
