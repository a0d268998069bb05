"""Classes as JSON objects: the fields of every kind of class that a user may bring.

These are attrs classes, dataclasses, TypedDicts, NamedTuples, msgspec Structs and pydantic models.

A member of an object is named as the attribute is, unless a Struct's `rename` or a pydantic alias says otherwise.
pydantic is never imported here: a pydantic model can only exist if the user has imported it.
"""

from __future__ import annotations

import dataclasses
import enum
import importlib
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal, get_origin

import attrs
import msgspec
import typing_extensions

from streamcore.typed.annotations import UnsupportedTypeError, name_of, substitute, type_arguments

__all__ = ["MISSING", "Field", "Missing", "Tag", "adapter_of", "fields_of", "is_model", "is_open"]


class Missing(enum.Enum):
    """The type of `MISSING`, which is false and stays itself when it is copied or pickled."""

    MISSING = "MISSING"

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "MISSING"


# Typed as Any: `partial.name` has the type `str` for a type checker, which would call `partial.name is MISSING` wrong.
MISSING: Final[Any] = Missing.MISSING
"""Stands for a value that is absent or has not come yet; `None` is the value of JSON's `null`."""

Tag: typing.TypeAlias = tuple[str, str | int]
"""The name and the value of the member that tells the members of a union of Structs apart."""


@attrs.frozen(eq=False)
class Field:
    """A member of an object.

    Attributes:
        name: The name of the attribute.
        key: The name of the member in the JSON object.
        annotation: Its type.
        default: Its default value, or `MISSING` if it has none that a schema can show.
        required: Whether the object must have it.
        aliases: Other names that the member may have in the JSON object.
    """

    name: str
    key: str
    annotation: Any
    default: Any = MISSING
    required: bool = True
    aliases: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        return (self.key, *self.aliases)


def fields_of(annotation: Any, cls: type[Any]) -> tuple[tuple[Field, ...], Tag | None]:
    """Return the fields of a class, and the tag if it is a tagged Struct.

    Args:
        annotation: The class as it was written, which may have type arguments.
        cls: The class itself.

    Raises:
        UnsupportedTypeError: It is not one of the supported kinds of classes, or an annotation cannot be resolved.
    """
    read = next((read for applies, read in _KINDS if applies(cls)), None)
    if read is None:
        raise UnsupportedTypeError(
            f"{name_of(annotation)} is not an attrs class, dataclass, TypedDict, NamedTuple, Struct or pydantic model"
        )
    try:
        hints = typing.get_type_hints(cls, include_extras=True)
        found = read(cls)
    except NameError as error:
        raise UnsupportedTypeError(f"{cls.__qualname__} has an annotation that cannot be resolved: {error}") from None
    known = type_arguments(annotation)
    fields = tuple(
        # A reader sees annotations that are strings as they are; the hints have them resolved.
        attrs.evolve(field, annotation=substitute(hints.get(field.name, field.annotation), known))
        for field in found
    )
    tag: Tag | None = None
    if issubclass(cls, msgspec.Struct):
        config = cls.__struct_config__
        if config.array_like:
            raise UnsupportedTypeError(f"{cls.__qualname__} is array_like: its schema is not supported")
        if config.tag is not None and config.tag_field is not None:
            tag = (config.tag_field, config.tag)
    return fields, tag


# pydantic


def is_model(cls: Any) -> bool:
    """Tell whether a class is a pydantic model or dataclass, without importing pydantic."""
    if not isinstance(cls, type):
        return False
    return (hasattr(cls, "__pydantic_validator__") and hasattr(cls, "model_json_schema")) or (
        "__pydantic_validator__" in vars(cls) and dataclasses.is_dataclass(cls)
    )


def adapter_of(annotation: Any) -> Any:
    """Return a `TypeAdapter`, which validates and describes a pydantic dataclass: the class itself cannot."""
    return importlib.import_module("pydantic").TypeAdapter(annotation)


def is_open(cls: Any) -> bool:
    """Tell whether an object of this pydantic class may have members that are not fields.

    These are extra members, and members in which the path of an `AliasPath` begins.
    """
    choices = (choice for info in cls.__pydantic_fields__.values() for choice in _alias_choices(info))
    return _model_config(cls).get("extra") == "allow" or any(not isinstance(choice, str) for choice in choices)


def _model_config(cls: Any) -> Mapping[str, Any]:
    found: Mapping[str, Any] = cls.model_config if hasattr(cls, "model_config") else cls.__pydantic_config__
    return found


def _alias_choices(info: Any) -> list[Any]:
    """Return the aliases of a pydantic field: names and paths."""
    alias = info.validation_alias or info.alias
    return [] if alias is None else list(getattr(alias, "choices", [alias]))


def _model_fields(cls: Any) -> list[Field]:
    return [
        _model_field(name, info, _model_config(cls))
        for name, info in cls.__pydantic_fields__.items()
        if getattr(info, "init", None) is not False
    ]


def _model_field(name: str, info: Any, config: Mapping[str, Any]) -> Field:
    keys = [alias for alias in _alias_choices(info) if isinstance(alias, str)]
    if config.get("validate_by_alias") is False:
        keys = []
    if not keys or config.get("populate_by_name") or config.get("validate_by_name"):
        keys.append(name)
    return Field(
        name,
        keys[0],
        typing.Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation,
        required=info.is_required(),
        aliases=tuple(keys[1:]),
    )


# The other kinds of classes


def _struct_fields(cls: type[Any]) -> list[Field]:
    return [
        Field(field.name, field.encode_name, field.type, _struct_default(field), field.required)
        for field in msgspec.structs.fields(cls)
    ]


def _struct_default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory in (list, dict):
        return field.default_factory()
    return MISSING if field.default in (msgspec.NODEFAULT, msgspec.UNSET) else field.default


def _constructor_fields(fields: Iterable[Any]) -> list[Field]:
    """Return the fields of an attrs class or a dataclass that its constructor takes."""
    found = []
    for field in fields:
        if field.init:
            has_default = field.default is not attrs.NOTHING and field.default is not dataclasses.MISSING
            # A schema cannot show the default of a factory, which would have to be called. attrs has it in `default`.
            visible = has_default and not isinstance(field.default, type(attrs.Factory(list)))
            required = not has_default and getattr(field, "default_factory", dataclasses.MISSING) is dataclasses.MISSING
            annotation = Any if field.type is None else field.type
            found.append(Field(field.name, field.name, annotation, field.default if visible else MISSING, required))
    return found


def _typeddict_fields(cls: Any) -> list[Field]:
    def is_required(name: str, hint: Any) -> bool:
        # If annotations are strings, the class does not see `Required` and `NotRequired` in them.
        origin = get_origin(hint)
        if origin in (typing_extensions.Required, typing_extensions.NotRequired):
            return origin is typing_extensions.Required
        return name in cls.__required_keys__

    hints = typing.get_type_hints(cls, include_extras=True)
    return [Field(name, name, hint, required=is_required(name, hint)) for name, hint in hints.items()]


def _namedtuple_fields(cls: Any) -> list[Field]:
    defaults: Mapping[str, Any] = cls._field_defaults
    return [Field(name, name, Any, defaults.get(name, MISSING), required=name not in defaults) for name in cls._fields]


_KINDS: Final[tuple[tuple[Callable[[Any], bool], Callable[[Any], list[Field]]], ...]] = (
    (is_model, _model_fields),  # first: a pydantic dataclass is a dataclass too
    (lambda cls: issubclass(cls, msgspec.Struct), _struct_fields),
    (attrs.has, lambda cls: _constructor_fields(attrs.fields(cls))),
    (dataclasses.is_dataclass, lambda cls: _constructor_fields(dataclasses.fields(cls))),
    (typing_extensions.is_typeddict, _typeddict_fields),
    (lambda cls: issubclass(cls, tuple) and hasattr(cls, "_field_defaults"), _namedtuple_fields),
)
