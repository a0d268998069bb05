"""JSON schemas of types: what a request tells the model about the types it wants.

`json_schema` describes a type. Classes, containers and unions are described here; scalars are left to
`msgspec.json.schema`, and pydantic describes its own models. (msgspec alone would refuse every union of two classes
that are not its own Structs.) `check_type` tells in advance whether all of a type can be described and structured.
Descriptions come from docstrings.
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias, get_origin

import msgspec
import typing_extensions

from streamcore.typed.annotations import UnsupportedTypeError, as_written, cached_by_annotation, name_of
from streamcore.typed.fields import MISSING, Field, adapter_of, is_model
from streamcore.typed.shapes import (
    Anything,
    Array,
    Map,
    OneOf,
    Record,
    Scalar,
    Shape,
    Tuple,
    own_choices,
    shape_of,
)

__all__ = ["Schema", "check_type", "description_of", "json_schema", "member_descriptions"]

Schema: TypeAlias = dict[str, Any]

# msgspec names no format for a time that may come with or without a zone, but a model needs one.
_FORMATS: Final = {"datetime": "date-time", "time": "time"}


def json_schema(annotation: Any) -> Schema:
    """Return the JSON schema of a type. Classes that occur in it are in `$defs`; the type itself is at the top.

    Raises:
        UnsupportedTypeError: The type cannot be described.
    """
    return _Describer().whole(annotation)


class _Describer:
    """Make one schema, in which a class is described once, even if it occurs several times or in itself."""

    def __init__(self) -> None:
        self._names: dict[Any, str] = {}
        self._definitions: dict[str, Schema] = {}

    def whole(self, annotation: Any) -> Schema:
        shape = shape_of(annotation)
        schema = self.of(annotation)
        name = schema.get("$ref", "").removeprefix("#/$defs/")
        if name and len(schema) == 1:
            # The API needs a type at the top, not a reference.
            schema = self._definitions[name]
            if not _refers_to(self._definitions, name):
                del self._definitions[name]
        if description := _annotated_words(shape).get("description"):
            schema = {**schema, "description": description}
        return {**schema, "$defs": self._definitions} if self._definitions else schema

    def of(self, annotation: Any) -> Schema:
        shape = shape_of(annotation)
        return self._DESCRIBE[type(shape)](self, shape) | _annotated_words(shape)

    def _anything(self, shape: Anything) -> Schema:
        return {}

    def _scalar(self, shape: Scalar) -> Schema:
        if choices := own_choices(shape.annotation):
            return {"enum": [value for value, _ in choices]}
        try:
            schema = msgspec.json.schema(shape.constrain(shape.annotation))
        except TypeError as error:
            raise UnsupportedTypeError(f"{name_of(shape.annotation)}: {error}") from None
        definitions = schema.pop("$defs", None)
        if definitions is None:
            if "format" not in schema and (form := _FORMATS.get(name_of(shape.annotation))):
                schema["format"] = form
            return schema
        (body,) = definitions.values()  # the schema of an enum
        del schema["$ref"]
        return self._refer(shape.annotation, lambda: body) | schema

    def _array(self, shape: Array) -> Schema:
        items = self.of(shape.item)
        schema: Schema = {"type": "array"}
        if items:
            schema["items"] = items
        if shape.unique:
            schema["uniqueItems"] = True
        return schema | _limits(shape, minItems="min_length", maxItems="max_length")

    def _tuple(self, shape: Tuple) -> Schema:
        schema: Schema = {"type": "array", "prefixItems": [self.of(item) for item in shape.items]}
        limits = {"minItems": shape.required, "maxItems": len(shape.items)}
        if not shape.fields:
            return schema | limits | {"items": False}
        schema["prefixItems"] = [
            item | _default_of(field) for item, field in zip(schema["prefixItems"], shape.fields, strict=True)
        ]
        words = {
            "title": name_of(shape.annotation),
            "description": description_of(get_origin(shape.annotation) or shape.annotation),
        }
        return self._refer(
            shape.annotation, lambda: {key: text for key, text in words.items() if text} | schema | limits
        )

    def _map(self, shape: Map) -> Schema:
        schema: Schema = {"type": "object"}
        if value := self.of(shape.value):
            schema["additionalProperties"] = value
        return schema | _limits(shape, minProperties="min_length", maxProperties="max_length")

    def _union(self, shape: OneOf) -> Schema:
        variants = [self.of(member) for member in shape.members]
        return {"anyOf": variants}

    def _record(self, shape: Record) -> Schema:
        describe = self._model if is_model(shape.cls) else self._class
        return self._refer(shape.annotation, lambda: describe(shape))

    def _model(self, shape: Record) -> Schema:
        try:
            describe = getattr(shape.cls, "model_json_schema", None) or adapter_of(shape.annotation).json_schema
            schema: Schema = dict(describe())
        except Exception as error:
            raise UnsupportedTypeError(f"pydantic cannot describe {name_of(shape.cls)}: {error}") from error
        for name, definition in schema.pop("$defs", {}).items():
            if (self._definitions.get(name) or definition) != definition:
                raise UnsupportedTypeError(f"two classes are named {name}, and pydantic described one of them")
            self._definitions[name] = definition
        if "$ref" in schema:  # the model occurs in itself
            schema = self._definitions[schema["$ref"].removeprefix("#/$defs/")]
        return schema

    def _class(self, shape: Record) -> Schema:
        cls = shape.cls
        schema: Schema = {"title": name_of(shape.annotation)}
        if description := description_of(cls):
            schema["description"] = description
        described = member_descriptions(cls)
        properties: dict[str, Schema] = {}
        if shape.tag is not None:
            key, value = shape.tag
            properties[key] = {"enum": [value]}
        for field in shape.fields:
            member = self.of(field.annotation)
            if field.name in described:
                member.setdefault("description", described[field.name])
            properties[field.key] = member | _default_of(field)
        required = [field.key for field in shape.fields if field.required]
        if shape.tag is not None:
            required.insert(0, shape.tag[0])
        schema |= {"type": "object", "properties": properties, "required": required}
        if issubclass(cls, msgspec.Struct) and cls.__struct_config__.forbid_unknown_fields:
            schema["additionalProperties"] = False
        return schema

    def _refer(self, annotation: Any, describe: Callable[[], Schema]) -> Schema:
        name = self._names.get(annotation)
        if name is None:
            name = self._names[annotation] = self._free_name(annotation)
            self._definitions[name] = {}  # reserves the name while the members are described
            self._definitions[name] = describe()
        return {"$ref": f"#/$defs/{name}"}

    def _free_name(self, annotation: Any) -> str:
        wanted = re.sub(r"[^A-Za-z0-9_.-]", "_", name_of(annotation))
        taken = self._definitions.keys() | set(self._names.values())
        return next(
            name
            for number in range(1, len(taken) + 2)
            if (name := wanted if number == 1 else f"{wanted}_{number}") not in taken
        )

    _DESCRIBE: Final[dict[type[Shape], Callable[[_Describer, Any], Schema]]] = {
        Anything: _anything,
        Scalar: _scalar,
        Array: _array,
        Tuple: _tuple,
        Map: _map,
        OneOf: _union,
        Record: _record,
    }


def _refers_to(definitions: dict[str, Schema], name: str) -> bool:
    def mentions(value: Any) -> bool:
        if isinstance(value, dict):
            return value.get("$ref") == f"#/$defs/{name}" or any(map(mentions, value.values()))
        return isinstance(value, list) and any(map(mentions, value))

    return mentions(definitions)


def _annotated_words(shape: Shape) -> Schema:
    """Return the description that `Annotated` holds: `msgspec.Meta(description=...)`, or a plain string."""
    words: Schema = {}
    for item in shape.metadata:
        if isinstance(item, str):
            words["description"] = item
        elif isinstance(item, msgspec.Meta):
            given = {"title": item.title, "description": item.description, "examples": item.examples}
            words |= {key: value for key, value in given.items() if value is not None}
            words |= item.extra_json_schema or {}
    return words


def _limits(shape: Shape, **names: str) -> Schema:
    found = ((key, getattr(meta, name)) for meta in shape.constraints for key, name in names.items())
    return {key: value for key, value in found if value is not None}


def _default_of(field: Field) -> Schema:
    if field.default is MISSING:
        return {}
    try:
        # A set is sorted: its order differs between processes, and a checkpoint has a checksum of the schema.
        return {"default": msgspec.to_builtins(field.default, str_keys=True, order="deterministic")}
    except (TypeError, ValueError):
        return {}  # a default without a JSON form is left out


# Checking a type


@cached_by_annotation
def check_type(annotation: Any) -> None:
    """Check that JSON can be structured as a type, with all that it consists of.

    pydantic models are not looked into: pydantic has checked them.

    Raises:
        UnsupportedTypeError: JSON cannot be structured as some part of the type.
    """
    _check(annotation, set())


def _check(annotation: Any, seen: set[Any]) -> None:
    shape = shape_of(annotation)
    match shape:
        case Array():
            _check(shape.item, seen)
            if shape.unique and not _is_hashable(shape.item):
                raise UnsupportedTypeError(f"{name_of(annotation)}: {name_of(shape.item)} cannot be in a set")
        case Map():
            _check(shape.value, seen)
        case Tuple():
            for item in shape.items:
                _check(item, seen)
        case OneOf():
            for member in shape.members:
                _check(member, seen)
        case Record() if not is_model(shape.cls) and (key := as_written(shape.annotation)) not in seen:
            seen.add(key)
            for field in shape.fields:
                _check(field.annotation, seen)
        case Scalar():
            json_schema(annotation)  # msgspec also structures scalars: it can if it can describe them
        case _:
            pass


def _is_hashable(annotation: Any) -> bool:
    shape = shape_of(annotation)
    match shape:
        case Map():
            return False
        case Array():
            return (get_origin(shape.annotation) or shape.annotation) in (tuple, frozenset) and _is_hashable(shape.item)
        case Record():
            return not typing_extensions.is_typeddict(shape.cls) and shape.cls.__hash__ is not None
        case Tuple():
            return all(map(_is_hashable, shape.items))
        case OneOf():
            return any(map(_is_hashable, shape.members))
        case _:
            return True


# Descriptions from docstrings


def _docstring(thing: Any) -> str:
    doc: object = vars(thing).get("__doc__") if isinstance(thing, type) else getattr(thing, "__doc__", None)
    if not isinstance(doc, str):
        return ""
    doc = inspect.cleandoc(doc)
    if isinstance(thing, type):
        if issubclass(thing, enum.Enum) and doc == "An enumeration.":
            return ""
        made = dataclasses.is_dataclass(thing) or issubclass(thing, tuple)
        if made and doc.startswith(f"{thing.__name__}(") and doc.endswith(")"):
            return ""  # Python writes the signature there if the user wrote no docstring
    return doc


def description_of(thing: Any) -> str:
    """Return the description of a class or function in its docstring, or an empty string."""
    doc = _docstring(thing)
    parsed = _parsed(doc)
    if parsed is None:
        return doc
    parts = (parsed.short_description, parsed.long_description)
    return "\n\n".join(part for part in parts if part)


def member_descriptions(thing: Any) -> dict[str, str]:
    """Return the descriptions of attributes or parameters in the docstring of a class or function, by their names."""
    parsed = _parsed(_docstring(thing))
    if parsed is None:
        return {}
    return {member.arg_name: member.description for member in parsed.params if member.description}


def _parsed(doc: str) -> Any:
    """Parse the sections of a docstring in the style of Google, NumPy or Sphinx.

    Return None without `docstring_parser` (the extra `typed`). The whole docstring is then the description.
    """
    if not doc:
        return None
    try:
        import docstring_parser
    except ImportError:
        return None
    try:
        return docstring_parser.parse(doc)
    except docstring_parser.ParseError:
        return None
