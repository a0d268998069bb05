"""The cattrs converter of the wire types: parsed JSON to frozen objects, and back, by the rules of `_hooks`.

In: dicts, lists and scalars, as a JSON decoder makes them. Out: wire types. Loaded by whoever asks for the converter,
and when an object is not as its class says: whether that is to be forgiven, and how the error is told, is decided here.
"""

from __future__ import annotations

import functools
from typing import Any

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn, override

from streamcore._hooks import RULES, Hook, filler_hook, hook_for, is_wire_type, kind_of
from streamcore.types import WireObject
from streamcore.types._base import type_tag, wire_fields, with_extra

__all__ = ["converter", "explain", "plain_hook"]


def plain_hook(cls: type[Any], converter: cattrs.BaseConverter) -> Hook:
    """The function that cattrs generates for a wire type, between the check of the tag and the unknown fields."""
    overrides = {field.name: override(omit=True) for field in attrs.fields(cls)}
    overrides |= {field.name: override(rename=field.key) for field in wire_fields(cls)}
    fill: Hook = make_dict_structure_fn(
        cls,
        converter,
        _cattrs_forbid_extra_keys=False,
        _cattrs_detailed_validation=converter.detailed_validation,
        **overrides,  # type: ignore[arg-type]  # mypy takes them for the named options
    )
    tag = type_tag(cls)
    known = frozenset(field.key for field in wire_fields(cls)) | ({"type"} if tag is not None else frozenset())

    def structure(value: Any, _: Any) -> Any:
        if type(value) is not dict:
            raise ValueError(f"expected an object, got {kind_of(value)}")
        if tag is not None and value.get("type", tag) != tag:
            raise ValueError(f"expected the type {tag!r}, got {value['type']!r}")
        try:
            result = fill(value, cls)
        except (ValueError, KeyError, cattrs.BaseValidationError):
            # Null where the class has a default but no None: rare enough to be looked for only now.
            if None not in value.values():
                raise
            result = fill({key: item for key, item in value.items() if item is not None}, cls)
        if not value.keys() <= known:
            return with_extra(result, {key: item for key, item in value.items() if key not in known})
        return result

    return structure


def _class_hook(cls: type[Any], converter: cattrs.BaseConverter) -> Hook:
    def make_plain() -> Hook:
        return plain_hook(cls, converter)

    return make_plain() if converter.detailed_validation else filler_hook(cls, converter, make_plain)


def _make_converter(*, detailed_validation: bool) -> cattrs.Converter:
    made = cattrs.Converter(detailed_validation=detailed_validation)
    made.register_structure_hook_factory(is_wire_type, _class_hook)
    for fits, make in reversed(RULES):  # of cattrs the last that fits counts
        made.register_structure_hook_factory(fits, make)
    for scalar in (str, int, float, bool):  # cattrs looks these up by class, before it asks the factories
        made.register_structure_hook(scalar, hook_for(scalar))
    made.register_unstructure_hook_func(is_wire_type, WireObject.to_dict)
    return made


converter = _make_converter(detailed_validation=False)
"""The converter for every wire type: `converter.structure(obj, Message)`, `converter.unstructure(message)`."""


@functools.cache
def _explainer() -> cattrs.Converter:
    """Says where an object is wrong, at several times the cost: made and asked only when one is."""
    return _make_converter(detailed_validation=True)


def explain(value: Any, annotation: Any) -> str:
    """What is wrong with `value`, which the converter has refused, and at which paths."""
    try:
        _explainer().structure(value, annotation)
    except (cattrs.BaseValidationError, ValueError) as error:
        return "; ".join(cattrs.transform_error(error, format_exception=_format_fault))
    raise AssertionError("the two converters disagree")


def _format_fault(error: BaseException, _: type | None) -> str:
    if isinstance(error, KeyError):
        return f"required field {error.args[0]!r} is missing"
    return str(error)
