"""What a type annotation means as JSON: the one reading that schemas, structuring, paths and partial views share.

In: an annotation that a user wrote. Out: a `Shape`, a small tree of the JSON kinds that values of it have. Classes are
read here, whatever made them: attrs, dataclasses, TypedDicts, NamedTuples, msgspec Structs, pydantic models. pydantic
is never imported: a class that is a model of it has brought it along.

Members of objects have the names of the attributes, or those that a Struct's `rename` or a pydantic alias gives them.
"""

from __future__ import annotations

import dataclasses
import enum
import importlib
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypeAlias, TypeVar, Union, get_args, get_origin

import attrs
import msgspec
import typing_extensions

from streamcore.errors import StreamCoreError
from streamcore.typed.annotations import cached_by_annotation, name_of, substituted, type_arguments
from streamcore.typed.missing import MISSING

__all__ = [
    "Anything",
    "Array",
    "Field",
    "Map",
    "OneOf",
    "Record",
    "Scalar",
    "Shape",
    "Tuple",
    "UnsupportedTypeError",
    "adapter_of",
    "is_model",
    "name_of",
    "shape_of",
]


class UnsupportedTypeError(StreamCoreError, TypeError):
    """A type that no JSON can be described with, or of which the API does not accept the schema."""


@attrs.frozen(eq=False)
class Field:
    """A member of an object.

    Attributes:
        name: Of the attribute.
        key: Of the member in the JSON object.
        annotation: Its type.
        default: Its default value, `MISSING` if it has none that could be shown.
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

    @property
    def shape(self) -> Shape:
        return shape_of(self.annotation)


@attrs.frozen(eq=False)
class _Node:
    """Attributes:
    annotation: What was read, without `Annotated`.
    metadata: What `Annotated` had beside it.
    """

    annotation: Any
    metadata: tuple[Any, ...] = attrs.field(default=(), kw_only=True)

    @property
    def constraints(self) -> tuple[msgspec.Meta, ...]:
        return tuple(item for item in self.metadata if isinstance(item, msgspec.Meta))


@attrs.frozen(eq=False)
class Anything(_Node):
    """`Any`: whatever JSON there is."""


@attrs.frozen(eq=False)
class Scalar(_Node):
    """What is no container: a string, number, boolean or null, or what is written as one (a date, an enum)."""


@attrs.frozen(eq=False)
class Array(_Node):
    """An array of any length."""

    item: Any
    unique: bool = False

    @property
    def shape(self) -> Shape:
        return shape_of(self.item)


@attrs.frozen(eq=False)
class Tuple(_Node):
    """An array with a type for each place; `required` places must be there. Of a NamedTuple they are `fields`."""

    items: tuple[Any, ...]
    required: int
    fields: tuple[Field, ...] = ()


@attrs.frozen(eq=False)
class Map(_Node):
    """An object with any keys."""

    value: Any

    @property
    def shape(self) -> Shape:
        return shape_of(self.value)


@attrs.frozen(eq=False)
class Record(_Node):
    """An object with known members; `tag` is a member that always has the one value. If it is `open`, it may have
    others.
    """

    cls: type[Any]
    fields: tuple[Field, ...]
    tag: tuple[str, str | int] | None = None
    open: bool = False

    @property
    def by_key(self) -> dict[str, Field]:
        return {key: field for field in self.fields for key in field.keys}


@attrs.frozen(eq=False)
class OneOf(_Node):
    """A union."""

    members: tuple[Any, ...]

    @property
    def shapes(self) -> tuple[Shape, ...]:
        return tuple(map(shape_of, self.members))


Shape: TypeAlias = Anything | Scalar | Array | Tuple | Map | Record | OneOf

_SCALARS: Final = (str, int, float, bool, type(None), bytes, bytearray)
# By name: each is a class of the standard library that need not be loaded for this.
_SCALAR_NAMES: Final = frozenset(
    {"datetime.datetime", "datetime.date", "datetime.time", "datetime.timedelta", "uuid.UUID", "decimal.Decimal"}
)
_ARRAYS: Final = frozenset(
    {
        "list",
        "set",
        "frozenset",
        "collections.abc.Sequence",
        "collections.abc.MutableSequence",
        "collections.abc.Collection",
        "collections.abc.Iterable",
        "collections.abc.Set",
        "collections.abc.MutableSet",
        "collections.deque",
    }
)
_SETS: Final = frozenset({"set", "frozenset", "collections.abc.Set", "collections.abc.MutableSet"})
_MAPS: Final = frozenset({"dict", "collections.abc.Mapping", "collections.abc.MutableMapping"})


@cached_by_annotation
def shape_of(annotation: Any) -> Shape:
    """The shape of an annotation.

    Raises:
        UnsupportedTypeError: It has none.
    """
    return _read(annotation)


def _read(annotation: Any) -> Shape:
    if annotation is None:
        annotation = type(None)
    if isinstance(annotation, typing_extensions.TypeAliasType) or type(annotation).__name__ == "TypeAliasType":
        return shape_of(annotation.__value__)
    if isinstance(annotation, typing.NewType):
        return shape_of(annotation.__supertype__)
    origin = get_origin(annotation)
    arguments = get_args(annotation)
    if origin is typing.Annotated:
        inner = shape_of(arguments[0])
        return attrs.evolve(inner, metadata=(*inner.metadata, *annotation.__metadata__))
    if origin in (typing_extensions.Required, typing_extensions.NotRequired, typing_extensions.ReadOnly, typing.Final):
        return shape_of(arguments[0])
    if annotation in (Any, object):
        return Anything(annotation)
    if isinstance(annotation, TypeVar):
        return shape_of(Any if annotation.__bound__ is None else annotation.__bound__)
    if origin in (Union, types.UnionType):
        # A Struct's way to say that a member may be absent: no JSON value is of that type.
        members = [member for member in arguments if member is not msgspec.UnsetType]
        return OneOf(annotation, tuple(members)) if len(members) > 1 else shape_of(members[0])
    if origin is Literal:
        return Scalar(annotation)
    return _read_class(annotation, origin or annotation, arguments)


def _read_class(annotation: Any, cls: Any, arguments: tuple[Any, ...]) -> Shape:
    if not isinstance(cls, type):
        raise UnsupportedTypeError(f"{annotation!r} is no type that JSON can be described with")
    name = f"{cls.__module__}.{cls.__qualname__}".removeprefix("builtins.")
    if cls in _SCALARS or name in _SCALAR_NAMES or issubclass(cls, enum.Enum):
        return Scalar(annotation)
    if cls is tuple and not (len(arguments) == 2 and arguments[1] is Ellipsis):
        return Tuple(annotation, arguments, len(arguments)) if arguments else Array(annotation, Any)
    if name in _ARRAYS or cls is tuple:
        return Array(annotation, arguments[0] if arguments else Any, name in _SETS)
    if name in _MAPS:
        if arguments and arguments[0] not in (str, Any):
            raise UnsupportedTypeError(f"{annotation!r}: the keys of a JSON object are strings")
        return Map(annotation, arguments[1] if arguments else Any)
    fields, tag = _fields_of(annotation, cls)
    if issubclass(cls, tuple):
        items = tuple(field.annotation for field in fields)
        required = sum(field.required for field in fields)
        return Tuple(annotation, items, required, fields)
    return Record(annotation, cls, fields, tag, is_model(cls) and _is_open(cls))


def _fields_of(annotation: Any, cls: type[Any]) -> tuple[tuple[Field, ...], tuple[str, str | int] | None]:
    read = next((read for applies, read in _CLASSES if applies(cls)), None)
    if read is None:
        raise UnsupportedTypeError(
            f"{name_of(annotation)} is no attrs class, dataclass, TypedDict, NamedTuple, Struct or pydantic model"
        )
    try:
        hints = typing.get_type_hints(cls, include_extras=True)
        found = read(cls)
    except NameError as error:
        raise UnsupportedTypeError(f"{cls.__qualname__} has an annotation that cannot be resolved: {error}") from None
    known = type_arguments(annotation)
    fields = tuple(
        attrs.evolve(field, annotation=substituted(hints.get(field.name, field.annotation), known)) for field in found
    )
    tag: tuple[str, str | int] | None = None
    if issubclass(cls, msgspec.Struct):
        config = cls.__struct_config__
        if config.array_like:
            raise UnsupportedTypeError(f"{cls.__qualname__} is array_like: its schema is not supported")
        if config.tag is not None and config.tag_field is not None:
            tag = (config.tag_field, config.tag)
    return fields, tag


# The kinds of classes, and how the fields of each are found. Annotations that are strings are resolved above.


def is_model(cls: Any) -> bool:
    """Whether a class is a pydantic model or dataclass. Nothing is imported to find out."""
    if not isinstance(cls, type):
        return False
    return (hasattr(cls, "__pydantic_validator__") and hasattr(cls, "model_json_schema")) or (
        "__pydantic_validator__" in vars(cls) and dataclasses.is_dataclass(cls)
    )


def adapter_of(annotation: Any) -> Any:
    """What validates and describes a pydantic dataclass, which does neither by itself."""
    return importlib.import_module("pydantic").TypeAdapter(annotation)


def _model_config(cls: Any) -> Mapping[str, Any]:
    found: Mapping[str, Any] = cls.model_config if hasattr(cls, "model_config") else cls.__pydantic_config__
    return found


def _is_open(cls: Any) -> bool:
    """Whether an object may have members that are no fields: extra ones, or those where a path to a field begins."""
    choices = (choice for info in cls.__pydantic_fields__.values() for choice in _alias_choices(info))
    return _model_config(cls).get("extra") == "allow" or any(not isinstance(choice, str) for choice in choices)


def _alias_choices(info: Any) -> list[Any]:
    """The aliases of a pydantic field: names, and paths."""
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


def _struct_fields(cls: type[Any]) -> list[Field]:
    return [
        Field(
            field.name,
            field.encode_name,
            field.type,
            _struct_default(field),
            field.required,
        )
        for field in msgspec.structs.fields(cls)
    ]


def _attrs_fields(cls: type[Any]) -> list[Field]:
    return [
        Field(
            field.name,
            field.name,
            Any if field.type is None else field.type,
            _shown(field.default),
            field.default is attrs.NOTHING,
        )
        for field in attrs.fields(cls)
        if field.init
    ]


def _dataclass_fields(cls: Any) -> list[Field]:
    return [
        Field(
            field.name,
            field.name,
            field.type,
            _shown(field.default),
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING,
        )
        for field in dataclasses.fields(cls)
        if field.init
    ]


def _typeddict_fields(cls: Any) -> list[Field]:
    def required(name: str, hint: Any) -> bool:
        # Annotations that are strings have told the class nothing.
        origin = get_origin(hint)
        if origin in (typing_extensions.Required, typing_extensions.NotRequired):
            return origin is typing_extensions.Required
        return name in cls.__required_keys__

    hints = typing.get_type_hints(cls, include_extras=True)
    return [Field(name, name, hint, required=required(name, hint)) for name, hint in hints.items()]


def _namedtuple_fields(cls: Any) -> list[Field]:
    defaults: Mapping[str, Any] = cls._field_defaults
    return [Field(name, name, Any, defaults.get(name, MISSING), required=name not in defaults) for name in cls._fields]


def _struct_default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory in (list, dict):
        return field.default_factory()
    return MISSING if field.default in (msgspec.NODEFAULT, msgspec.UNSET) else field.default


def _shown(default: Any) -> Any:
    """A default that a schema can show; none is shown that a factory makes."""
    hidden = (
        default is attrs.NOTHING or default is dataclasses.MISSING or isinstance(default, type(attrs.Factory(list)))
    )
    return MISSING if hidden else default


_CLASSES: Final[tuple[tuple[Callable[[Any], bool], Callable[[Any], list[Field]]], ...]] = (
    (is_model, _model_fields),
    (lambda cls: issubclass(cls, msgspec.Struct), _struct_fields),
    (attrs.has, _attrs_fields),
    (dataclasses.is_dataclass, _dataclass_fields),
    (typing_extensions.is_typeddict, _typeddict_fields),
    (lambda cls: issubclass(cls, tuple) and hasattr(cls, "_field_defaults"), _namedtuple_fields),
)
