"""Types to the JSON schemas that go over the wire.

In: an annotation. Out: a JSON schema as a dict. `json_schema` describes a type; whatever is no class, container or
union is left to `msgspec.json.schema`, and pydantic describes its own models. (msgspec alone would refuse every union
of two classes that are not its own Structs.) `transform_schema` makes a schema fit what the API accepts for structured
output: keywords that it does not support are said in words, in the description, as the `anthropic` package does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, get_origin

import msgspec

from streamcore.typed.choices import own_choices
from streamcore.typed.docs import description_of, member_descriptions
from streamcore.typed.missing import MISSING
from streamcore.typed.shapes import (
    Anything,
    Array,
    Field,
    Map,
    OneOf,
    Record,
    Scalar,
    Shape,
    Tuple,
    UnsupportedTypeError,
    adapter_of,
    is_model,
    name_of,
    shape_of,
)

__all__ = ["json_schema", "output_format_param", "transform_schema"]

Schema = dict[str, Any]

# msgspec names no format where a time may come with or without a zone; a model has to be told all the same.
_FORMATS: Final = {"datetime": "date-time", "time": "time"}


def json_schema(annotation: Any) -> Schema:
    """The JSON schema of a type. Classes that it is made of stand in `$defs`; the type itself stands at the top.

    Raises:
        UnsupportedTypeError: It cannot be described.
    """
    return _Describer().whole(annotation)


def output_format_param(annotation: Any) -> Schema:
    """What `output_config.format` has to be for an answer of this type.

    Raises:
        UnsupportedTypeError: The API would not accept its schema.
    """
    if isinstance(annotation, Mapping):
        raise UnsupportedTypeError("output_format must be a type: a schema goes to output_config={'format': ...}")
    if not is_model(annotation):
        _check_closed(annotation, name_of(annotation), set())
    return {"type": "json_schema", "schema": transform_schema(json_schema(annotation))}


def _check_closed(annotation: Any, path: str, seen: set[Any]) -> None:
    """Raise if there is something that the API would take for an object without members, or refuse."""
    shape = shape_of(annotation)
    match shape:
        case Anything():
            raise UnsupportedTypeError(f"{path} may be anything; structured output needs a type for all of it")
        case Map():
            raise UnsupportedTypeError(
                f"{path} is an object with any keys ({name_of(annotation)}), which structured output cannot have: "
                "a list of objects with a key and a value can say the same"
            )
        case Array():
            _check_closed(shape.item, f"{path}.*", seen)
        case Tuple():
            for number, item in enumerate(shape.items):
                _check_closed(item, f"{path}.{number}", seen)
        case OneOf():
            for member in shape.members:
                _check_closed(member, path, seen)
        case Record() if shape.annotation not in seen and not is_model(shape.cls):
            seen.add(shape.annotation)
            for field in shape.fields:
                _check_closed(field.annotation, f"{path}.{field.key}", seen)


class _Describer:
    """Makes one schema: a type that occurs several times, or in itself, is described once."""

    def __init__(self) -> None:
        self._names: dict[Any, str] = {}
        self._definitions: dict[str, Schema] = {}

    def whole(self, annotation: Any) -> Schema:
        shape = shape_of(annotation)
        schema = self.of(annotation)
        name = schema.get("$ref", "").removeprefix("#/$defs/")
        if name and len(schema) == 1:
            # The API wants to see at the top what the type is: a reference there would say nothing.
            schema = self._definitions[name]
            if not _refers_to(self._definitions, name):
                del self._definitions[name]
        if description := _said(shape).get("description"):
            schema = {**schema, "description": description}
        return {**schema, "$defs": self._definitions} if self._definitions else schema

    def of(self, annotation: Any) -> Schema:
        shape = shape_of(annotation)
        return self._DESCRIBE[type(shape)](self, shape) | _said(shape)

    def _anything(self, shape: Anything) -> Schema:
        return {}

    def _scalar(self, shape: Scalar) -> Schema:
        if choices := own_choices(shape.annotation):
            return {"enum": [value for value, _ in choices]}
        constrained = shape.annotation
        for meta in shape.constraints:
            constrained = Annotated[constrained, meta]
        try:
            schema = msgspec.json.schema(constrained)
        except TypeError as error:
            raise UnsupportedTypeError(f"{name_of(shape.annotation)}: {error}") from None
        definitions = schema.pop("$defs", None)
        if definitions is None:
            if "format" not in schema and (form := _FORMATS.get(name_of(shape.annotation))):
                schema["format"] = form
            return schema
        (body,) = definitions.values()  # of an enum
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
        about = {
            "title": name_of(shape.annotation),
            "description": description_of(get_origin(shape.annotation) or shape.annotation),
        }
        return self._refer(
            shape.annotation, lambda: {key: text for key, text in about.items() if text} | schema | limits
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
        if "$ref" in schema:  # a model that occurs in itself
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
            self._definitions[name] = {}  # taken, while what it refers to is described
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


def _said(shape: Shape) -> Schema:
    """What `Annotated` says in words: `msgspec.Meta(description=...)`, or a plain string."""
    said: Schema = {}
    for item in shape.metadata:
        if isinstance(item, str):
            said["description"] = item
        elif isinstance(item, msgspec.Meta):
            given = {"title": item.title, "description": item.description, "examples": item.examples}
            said |= {key: value for key, value in given.items() if value is not None}
            said |= item.extra_json_schema or {}
    return said


def _limits(shape: Shape, **names: str) -> Schema:
    found = ((key, getattr(meta, name)) for meta in shape.constraints for key, name in names.items())
    return {key: value for key, value in found if value is not None}


def _default_of(field: Field) -> Schema:
    if field.default is MISSING:
        return {}
    try:
        return {"default": msgspec.to_builtins(field.default, str_keys=True)}
    except (TypeError, ValueError):
        return {}  # it has no JSON form, and nobody is told of it


# What the API accepts

_STRING_FORMATS: Final = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
)
_Transform = Callable[[Schema, Schema], None]


def transform_schema(schema: Mapping[str, Any] | type[Any]) -> Schema:
    """A schema with what the API accepts for structured output, from any schema (or from a type).

    Objects are closed, `oneOf` becomes `anyOf`; a keyword that is not supported goes into the description, as
    `{minimum: 0}`, where the model reads it. Wire for wire what `transform_schema` of the `anthropic` package makes.

    Raises:
        UnsupportedTypeError: Some part of it does not say what it is.
    """
    rest = dict(schema) if isinstance(schema, Mapping) else json_schema(schema)
    result: Schema = {}
    if (definitions := rest.pop("$defs", None)) is not None:
        result["$defs"] = {name: transform_schema(definition) for name, definition in definitions.items()}
    if (reference := rest.pop("$ref", None)) is not None:
        result["$ref"] = reference
        return result
    kind = rest.pop("type", None)
    if _move_values(rest, result):
        kind = None
        _move_variants(rest, result)
    elif not _move_variants(rest, result):
        if kind is None:
            raise UnsupportedTypeError(
                f"the schema {rest!r} does not say what it is: it needs a type, an enum, a const or anyOf"
            )
        result["type"] = kind
    for key in ("description", "title"):
        if (said := rest.pop(key, None)) is not None:
            result[key] = said
    if isinstance(kind, str) and kind in _TRANSFORM:
        _TRANSFORM[kind](rest, result)
    if rest:
        words = "{" + ", ".join(f"{key}: {value}" for key, value in rest.items()) + "}"
        before = result.get("description")
        result["description"] = words if before is None else f"{before}\n\n{words}"
    return result


def _move_values(rest: Schema, result: Schema) -> bool:
    values = rest.get("enum")
    if isinstance(values, list) and values and all(map(_is_primitive, values)):
        result["enum"] = list(rest.pop("enum"))
    if "const" in rest and _is_primitive(rest["const"]):
        result["const"] = rest.pop("const")
    return bool(result.keys() & {"enum", "const"})


def _move_variants(rest: Schema, result: Schema) -> bool:
    found = [(key, rest.pop(key, None)) for key in ("anyOf", "oneOf", "allOf")]
    for key, variants in found:
        if isinstance(variants, list):
            result["allOf" if key == "allOf" else "anyOf"] = [transform_schema(variant) for variant in variants]
            return True
    return False


def _is_primitive(value: object) -> bool:
    return value is None or isinstance(value, (str, int, float, bool))


def _transform_object(rest: Schema, result: Schema) -> None:
    properties: Mapping[str, Any] = rest.pop("properties", {})
    result["properties"] = {key: transform_schema(member) for key, member in properties.items()}
    rest.pop("additionalProperties", None)
    result["additionalProperties"] = False
    if (required := rest.pop("required", None)) is not None:
        result["required"] = list(required)


def _transform_string(rest: Schema, result: Schema) -> None:
    form = rest.pop("format", None)
    if form in _STRING_FORMATS:
        result["format"] = form
    elif form:
        rest["format"] = form


def _transform_array(rest: Schema, result: Schema) -> None:
    prefix = rest.get("prefixItems")
    items = rest.pop("items", None)
    if isinstance(items, Mapping):
        result["items"] = transform_schema(items)
    elif prefix:
        # A tuple: its places can be told in words only, but any item is of one of their types.
        variants: list[Schema] = []
        for item in map(transform_schema, prefix):
            if item not in variants:
                variants.append(item)
        result["items"] = variants[0] if len(variants) == 1 else {"anyOf": variants}
    least = rest.pop("minItems", None)
    if least in (0, 1):
        result["minItems"] = least
    elif least is not None:
        rest["minItems"] = least


_TRANSFORM: Final[dict[str, _Transform]] = {
    "object": _transform_object,
    "string": _transform_string,
    "array": _transform_array,
}
