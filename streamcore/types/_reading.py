"""Wire types out of what programs have: dicts, JSON text, and models of other packages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar, get_origin

import attrs

from streamcore._objects.immutable import array, immutable
from streamcore.errors import InvalidArgumentError
from streamcore.types._frozen import unchecked
from streamcore.types.base import Unknown, WireObject, is_absent, type_tag, wire_fields, with_extra
from streamcore.types.structuring import StructureError, kind_of, structure

__all__ = ["as_json", "construct", "copied", "from_text", "from_value", "structured", "without_dicts"]

_W = TypeVar("_W", bound=WireObject)


def from_value(cls: type[_W], value: Any) -> _W:
    """Return the object of `cls` for a dict, a model or an object of `cls`.

    Raises:
        InvalidArgumentError: The value is not the wire form of `cls`.
    """
    try:
        made: _W = structured(cls, value)
    except StructureError as error:
        raise InvalidArgumentError(f"the value is not a valid {cls.__name__}: {error}") from None
    return made


def from_text(cls: type[_W], text: str | bytes | bytearray) -> _W:
    """Return the object of `cls` for JSON text.

    Raises:
        InvalidArgumentError: The text is not JSON, or not the wire form of `cls`.
    """
    if not isinstance(text, (str, bytes, bytearray)):
        raise InvalidArgumentError(f"JSON text must be a str or bytes, not {type(text).__name__}")
    try:
        value = json.loads(text)
    except RecursionError:
        raise InvalidArgumentError("the text nests too deep") from None
    except ValueError as error:  # UnicodeDecodeError too
        raise InvalidArgumentError(f"the text is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise InvalidArgumentError(f"the text is not a valid {cls.__name__}: expected an object, got {kind_of(value)}")
    return from_value(cls, value)


def structured(cls: Any, value: Any) -> Any:
    """Return the object of a class, or of a union, for a value, which is not changed.

    Raises:
        StructureError: The value is not its wire form. The text, and `faults`, say where and why.
    """
    if isinstance(value, cls):
        return value
    try:
        return structure(_wire_form(value), cls)
    except RecursionError:
        raise StructureError("the value nests too deep @ $") from None


def _wire_form(value: Any) -> dict[str, Any]:
    """Return a mapping, or a model of another package, as dicts and lists that belong to the caller."""
    form = None if isinstance(value, WireObject) else as_json(value)
    if isinstance(form, dict):
        return form
    is_json = isinstance(value, (str, bool, int, float, list, tuple, type(None)))
    raise StructureError(f"expected an object, got {kind_of(form) if is_json else f'a {type(value).__name__}'} @ $")


def as_json(value: Any) -> Any:
    """Return a deep copy in which all mappings, wire objects and models of other packages are dicts.

    Raises:
        StructureError: The `model_dump()` of a model fails.
    """
    if isinstance(value, WireObject):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(item) for item in value]
    dump = getattr(value, "model_dump", None)
    if dump is None or isinstance(value, type):
        return value
    is_pydantic = hasattr(type(value), "__pydantic_validator__")
    options = {"mode": "json", "by_alias": True, "exclude_unset": True, "warnings": False} if is_pydantic else {}
    try:
        form = dump(**options)
    except RecursionError:
        raise
    except Exception as error:
        raise StructureError(f"a {type(value).__name__} cannot be dumped: {error} @ $") from error
    _drop_parsed(form)
    return form


def _drop_parsed(value: Any) -> None:
    """Remove what the `anthropic` package adds to text blocks and never sends: their parsed output."""
    if isinstance(value, dict):
        if value.get("type") == "text":
            value.pop("parsed_output", None)
        value = [item for key, item in value.items() if key != "input"]  # that of a tool is any JSON
    if isinstance(value, list):
        for item in value:
            _drop_parsed(item)


def without_dicts(cls: Any, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a constructor, with objects in place of the dicts of the wire form.

    Raises:
        InvalidArgumentError: A dict is not the wire form of its field.
    """
    attrs.resolve_types(cls)
    known = {field.name: field for field in attrs.fields(cls)}
    made = dict(fields)
    for name, value in fields.items():
        if name in known and _has_dicts(value) and _is_structured(known[name]):
            try:
                found = structure(as_json(value), known[name].type)
            except (StructureError, RecursionError) as error:
                raise InvalidArgumentError(f"{name} of {cls.__name__} is not valid: {error}") from None
            if isinstance(found, list):  # objects among the dicts stay what they are
                found = [new if isinstance(old, dict) else old for old, new in zip(value, found, strict=True)]
            made[name] = found
    return made


def _has_dicts(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, (list, tuple)) and any(isinstance(one, dict) for one in value))


def _is_structured(field: attrs.Attribute[Any]) -> bool:
    """Return whether the dicts in a field become objects: not if it is JSON, or has no wire form."""
    converter: Any = field.converter  # that of JSON, if it is not that of arrays
    annotation: Any = field.type
    if isinstance(annotation, TypeVar):
        annotation = annotation.__bound__
    is_json = converter not in (None, array) or annotation is Any or get_origin(annotation) is dict
    return not is_json and not field.metadata.get("local")


def construct(cls: type[_W], values: dict[str, Any]) -> _W:
    """Return an object of `cls` without checking `values`.

    Dicts and lists become the types of their fields where they fit. A required field that is missing is None.
    """
    if issubclass(cls, Unknown):
        return unchecked(cls, {"data": values})
    attrs.resolve_types(cls)
    fields = {field.name: field for field in attrs.fields(cls)}
    keys = {field.key: field.name for field in wire_fields(cls)}
    attributes: dict[str, Any] = {name: None for name, field in fields.items() if field.default is attrs.NOTHING}
    unknown: dict[str, Any] = {}
    for key, value in values.items():
        name = key if key in fields else keys.get(key)
        if name is not None:
            attributes[name] = _loosely(value, fields[name])
        elif key != "type" or type_tag(cls) is None:
            unknown[key] = value
    made = unchecked(cls, attributes)
    return with_extra(made, unknown) if unknown else made


def _loosely(value: Any, field: attrs.Attribute[Any]) -> Any:
    """Return dicts and lists as the type of their field, or as they are if they do not fit."""
    if not _has_dicts(value) or not _is_structured(field):
        return value
    try:
        return structure(as_json(value), field.type)
    except (StructureError, RecursionError):
        return immutable(value)


def copied(value: _W, changes: Mapping[str, Any]) -> _W:
    """Return a copy of `value` with other values for some attributes, which are not checked.

    Names that are not attributes are unknown fields.

    Raises:
        InvalidArgumentError: The type would change.
    """
    cls: Any = type(value)
    tag = type_tag(cls)
    if tag is not None and changes.get("type", tag) != tag:
        raise InvalidArgumentError(f"the type of a {cls.__name__} cannot be changed")
    if isinstance(value, Unknown):
        return unchecked(type(value), {"data": {**value.data, **changes}})
    fields = {field.name: field for field in attrs.fields(cls)}
    attributes = {name: getattr(value, name) for name in fields} | {
        name: item for name, item in changes.items() if name in fields
    }
    made: _W = unchecked(cls.__base__ if is_absent(value) else cls, attributes)
    unknown = {name: item for name, item in changes.items() if name not in fields and (name != "type" or tag is None)}
    return with_extra(made, unknown) if unknown else made
