"""How pydantic reads, writes and describes wire types. Only pydantic loads this module, and it never loads pydantic.

- A value is read as `from_dict` reads it, whatever pydantic's settings, and must have the `type` of its class: pydantic
  tries the classes of a union one by one.
- An object is written as `to_dict` writes it.
- The JSON Schema is that of the *shape*: a schema of pydantic's that describes the wire form. Objects with a `type`
  make a tagged union in it. Pydantic also looks into it for the `type` of a class, and reads nothing by it.
"""

from __future__ import annotations

import functools
import re
import types
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

import attrs

from streamcore.types._model import ModelField
from streamcore.types._reading import as_json, structured
from streamcore.types.base import Unknown, WireObject, type_tag, wire_fields
from streamcore.types.structuring import StructureError
from streamcore.types.structuring.annotations import union_members

__all__ = ["core_schema_of", "fields_of", "json_schema_of", "schema_of_answer", "serializer_of"]

_Generate = Callable[[Any], Any]


def fields_of(cls: Any) -> dict[str, ModelField]:
    """Return what `model_fields` of a class says."""
    attrs.resolve_types(cls)
    annotations = {field.name: field for field in attrs.fields(cls)}
    tag = type_tag(cls)
    found = {} if tag is None else {"type": ModelField(Literal[tag], None, tag, False)}
    for field in wire_fields(cls):
        attribute = annotations[field.name]
        required = attribute.default is attrs.NOTHING
        alias = None if field.key == field.name else field.key
        found[field.name] = ModelField(attribute.type, alias, None if required else attribute.default, required)
    return found


def core_schema_of(cls: type[Any], source: Any, handler: Any) -> Any:
    """Return the schema of a class for pydantic.

    Args:
        cls: The class.
        source: The class, or `cls[...]` if it is generic.
        handler: What pydantic gives to the hook.
    """
    from pydantic_core import core_schema

    read = _typed_event(cls)
    arguments = dict(zip(_parameters(cls), get_args(source), strict=False)) if read is cls else {}
    # A function around a schema that it never calls: pydantic finds the `type` in it if the program has a union with
    # `Field(discriminator="type")`.
    return core_schema.no_info_wrap_validator_function(
        _named(cls.__name__, lambda value, _: value if isinstance(value, cls) else _validate(read, value)),
        _shape(read, arguments, handler),
        ref=f"{cls.__module__}.{cls.__qualname__}:{id(cls)}",
        serialization=core_schema.plain_serializer_function_ser_schema(_serialize, info_arg=True),
    )


@functools.cache
def serializer_of(cls: Any) -> Any:
    """Return pydantic's serializer for a class."""
    from pydantic import TypeAdapter

    return TypeAdapter(cls).serializer


def json_schema_of(schema: Any, handler: Any) -> Any:
    """Return the JSON Schema for a schema that `core_schema_of` made."""
    described = handler(schema["schema"])
    if "description" in described:  # the docstring, with the attributes, which the schema has anyway
        described["description"] = described["description"].partition("\n\nAttributes:")[0]
    return described


def schema_of_answer(annotation: Any, other_tags: set[str], handler: Any) -> Any:
    """Return the schema of a block of an answer in a request: an object, or a dict that stays one.

    Args:
        annotation: The class of the block, or a union.
        other_tags: The types of blocks that are described elsewhere.
        handler: What pydantic gives to the hook.
    """
    from pydantic_core import core_schema

    members = get_args(annotation) or (annotation,)
    described = [member for member in members if type_tag(member) not in other_tags] or members
    return core_schema.no_info_plain_validator_function(
        _named("block of an answer", lambda value: _validate_block(annotation, value)),
        json_schema_input_schema=_shape_of_union(tuple(described), handler.generate_schema),
        serialization=core_schema.plain_serializer_function_ser_schema(
            lambda value, info: value if isinstance(value, dict) else _serialize(value, info), info_arg=True
        ),
    )


# Reading and writing


def _typed_event(cls: type[Any]) -> type[Any]:
    """Return the class whose objects are read for a class: for a raw event, the typed one.

    A program that annotates with a `Raw...` class of the `anthropic` package means events whose parts are objects.
    """
    from streamcore.types import events

    typed: type[Any] = {
        events.RawContentBlockStartEvent: events.ContentBlockStartEvent,
        events.RawContentBlockDeltaEvent: events.ContentBlockDeltaEvent,
        events.RawMessageDeltaEvent: events.MessageDeltaEvent,
    }.get(cls, cls)
    return typed


def _named(name: str, validate: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function under a name that pydantic's errors show."""
    validate.__name__ = validate.__qualname__ = name
    return validate


def _validate(cls: type[Any], value: Any) -> Any:
    """Return the object of `cls` for a value, or raise an error that pydantic shows with the place of each fault."""
    try:
        if isinstance(value, Mapping):
            _check_type(cls, value)
        made = structured(cls, value)
        if isinstance(made, Unknown) and made is not value:
            _check_type(cls, made.data)
    except StructureError as error:
        faults = error.faults
    else:
        return made
    raise _validation_error(cls.__name__, faults, value)


def _validate_block(annotation: Any, value: Any) -> Any:
    try:
        made = structured(annotation, value)
    except StructureError as error:
        faults = error.faults
    else:
        return as_json(value) if isinstance(value, Mapping) else made
    raise _validation_error("block", faults, value)


def _validation_error(title: str, faults: tuple[str, ...], value: Any) -> Exception:
    """Return the error of pydantic with each fault and its place."""
    from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

    details = [
        InitErrorDetails(
            type=PydanticCustomError("wire_form", what),  # pyright: ignore[reportArgumentType]  # no values in it
            loc=tuple(int(index) if index else name for name, index in _STEP.findall(path)),
            input=value,
        )
        for what, _, path in (fault.rpartition(" @ ") for fault in faults)
        if what
    ]
    return ValidationError.from_exception_data(title, details)


_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")


def _check_type(cls: type[Any], value: Mapping[str, Any]) -> None:
    """Check the `type` of the wire form of a tagged class, or of one for unknown types."""
    found = value.get("type")
    tag = type_tag(cls)
    if tag is not None and found != tag:
        raise StructureError(f"the type must be {tag!r} @ $.type")
    if issubclass(cls, Unknown) and (type(found) is not str or found in _known_tags(cls)):
        raise StructureError("the type must be a string, and none of the types that are known @ $.type")


_KNOWN_TAGS: dict[type[Any], frozenset[str]] = {}


def _known_tags(cls: type[Unknown]) -> frozenset[str]:
    """Return the types that are known in the unions that a class for unknown types is in."""
    if cls in _KNOWN_TAGS:
        return _KNOWN_TAGS[cls]
    from streamcore.types import blocks, citations, context, deltas, derived, events, message, results, usage

    modules = (blocks, citations, context, deltas, derived, events, message, results, usage)
    unions = [value for module in modules for value in vars(module).values() if cls in get_args(value)]
    tags = {type_tag(get_origin(member) or member) for union in unions for member in get_args(union)}
    return _KNOWN_TAGS.setdefault(cls, frozenset(tag for tag in tags if tag is not None))


def _serialize(value: Any, info: Any) -> Any:
    if not isinstance(value, WireObject):
        from pydantic_core import PydanticSerializationUnexpectedValue

        raise PydanticSerializationUnexpectedValue(f"a {type(value).__name__} is not a type of streamcore")
    return value.model_dump(
        include=info.include,
        exclude=info.exclude,
        exclude_defaults=info.exclude_defaults,
        exclude_none=info.exclude_none,
    )


# The shape of the wire form


def _parameters(cls: Any) -> tuple[Any, ...]:
    return getattr(cls, "__parameters__", ())


def _shape(cls: Any, arguments: dict[Any, Any], handler: Any) -> Any:
    from pydantic_core import core_schema

    if issubclass(cls, Unknown):
        shapes = {"type": core_schema.typed_dict_field(core_schema.str_schema(), required=True)}
    else:
        attrs.resolve_types(cls)
        annotations = {field.name: field for field in attrs.fields(cls)}
        tag = type_tag(cls)
        shapes = {}
        if tag is not None:
            shapes["type"] = core_schema.typed_dict_field(core_schema.literal_schema([tag]), required=True)
        for field in wire_fields(cls):
            attribute = annotations[field.name]
            annotation = arguments.get(attribute.type, attribute.type)
            shapes[field.key] = core_schema.typed_dict_field(
                _shape_of(annotation, handler.generate_schema), required=attribute.default is attrs.NOTHING
            )
    return core_schema.typed_dict_schema(shapes, cls=cls, extra_behavior="allow")


def _shape_of(annotation: Any, generate: _Generate) -> Any:
    """Return the shape of the values of an annotation."""
    from pydantic_core import core_schema

    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, TypeVar):
        return _shape_of(annotation.__bound__ or Any, generate)
    if origin is list:
        return core_schema.list_schema(_shape_of(arguments[0], generate))
    if origin is Literal and len(arguments) > 1:
        # The API may add words without notice.
        return core_schema.union_schema([core_schema.literal_schema(list(arguments)), core_schema.str_schema()])
    if origin not in (Union, types.UnionType):
        return generate(annotation)
    others = tuple(member for member in arguments if member is not types.NoneType)
    if len(others) < len(arguments):
        return core_schema.nullable_schema(_shape_of(Union[others], generate))  # noqa: UP007  # known at run time only
    return _shape_of_union(others, generate)


def _shape_of_union(members: tuple[Any, ...], generate: _Generate) -> Any:
    from pydantic_core import core_schema

    tagged, by_kind, fallback = union_members(members)
    shapes = [_shape_of(member, generate) for member in by_kind.values()]
    if len(tagged) > 1:
        choices = {tag: generate(member) for tag, member in tagged.items()}
        shapes.append(core_schema.tagged_union_schema(choices, discriminator="type"))
    else:
        shapes += [generate(member) for member in tagged.values()]
    if fallback is not None:
        shapes.append(generate(fallback))
    return shapes[0] if len(shapes) == 1 else core_schema.union_schema(shapes)
