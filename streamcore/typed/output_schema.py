"""Schemas that the API accepts for structured output.

The API accepts only a part of JSON Schema. `transform_schema` moves other keywords into the description, where the
model reads them. Its results are exactly those of `transform_schema` in the `anthropic` package.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from streamcore.typed.annotations import UnsupportedTypeError, name_of
from streamcore.typed.fields import is_model
from streamcore.typed.schema import Schema, json_schema
from streamcore.typed.shapes import Anything, Array, Map, OneOf, Record, Tuple, shape_of

__all__ = ["output_format_param", "transform_schema"]


def output_format_param(annotation: Any) -> Schema:
    """Return `output_config.format` for an answer of this type.

    Raises:
        UnsupportedTypeError: The API would not accept the schema of the type.
    """
    if isinstance(annotation, Mapping):
        raise UnsupportedTypeError("output_format must be a type: a schema goes to output_config={'format': ...}")
    if not is_model(annotation):
        _check_closed(annotation, name_of(annotation), set())
    return {"type": "json_schema", "schema": transform_schema(json_schema(annotation))}


def _check_closed(annotation: Any, path: str, seen: set[Any]) -> None:
    """Raise if the API would refuse some part of the type, or would read it as an object without members."""
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


_STRING_FORMATS: Final = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
)
_Transform = Callable[[Schema, Schema], None]


def transform_schema(schema: Mapping[str, Any] | type[Any]) -> Schema:
    """Return a schema that the API accepts for structured output, made from any schema or type.

    Objects are closed, and `oneOf` becomes `anyOf`. A keyword that is not supported goes into the description, as
    `{minimum: 0}`.

    Raises:
        UnsupportedTypeError: Some part of the schema has no type, enum, const or union.
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
        if (words := rest.pop(key, None)) is not None:
            result[key] = words
    if isinstance(kind, str) and kind in _TRANSFORM:
        _TRANSFORM[kind](rest, result)
    if rest:
        keywords = "{" + ", ".join(f"{key}: {value}" for key, value in rest.items()) + "}"
        before = result.get("description")
        result["description"] = keywords if before is None else f"{before}\n\n{keywords}"
    return result


# Each of these moves what the API accepts from `rest` to `result`, and leaves the other keywords in `rest`.


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
        # A tuple. The API does not accept a type for each index; but each item has one of these types.
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
