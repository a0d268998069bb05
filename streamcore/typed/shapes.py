"""The meaning of a type annotation as JSON, which schemas, structuring, paths and partial views share.

`shape_of` turns an annotation into a `Shape`: which kind of JSON value it stands for, with the annotations of what lies
inside. Those are turned into shapes only when they are needed, so a class may occur in itself.
"""

from __future__ import annotations

import enum
import types
import typing
from typing import Any, Final, Literal, TypeAlias, TypeVar, Union, get_args, get_origin

import attrs
import msgspec
import typing_extensions

from streamcore.typed.annotations import UnsupportedTypeError, cached_by_annotation, name_of
from streamcore.typed.fields import Field, Tag, fields_of, is_model, is_open

__all__ = [
    "Anything",
    "Array",
    "Map",
    "OneOf",
    "Record",
    "Scalar",
    "Shape",
    "Tuple",
    "choices_of",
    "own_choices",
    "shape_of",
]


@attrs.frozen(eq=False)
class _Node:
    """Attributes that all shapes have.

    Attributes:
        annotation: The annotation, without `Annotated`.
        metadata: The other arguments of `Annotated`.
    """

    annotation: Any
    metadata: tuple[Any, ...] = attrs.field(default=(), kw_only=True)

    @property
    def constraints(self) -> tuple[msgspec.Meta, ...]:
        return tuple(item for item in self.metadata if isinstance(item, msgspec.Meta))

    def constrain(self, annotation: Any) -> Any:
        """Return another annotation with the constraints of this one."""
        return typing.Annotated[(annotation, *self.constraints)] if self.constraints else annotation


@attrs.frozen(eq=False)
class Anything(_Node):
    """Any JSON value."""


@attrs.frozen(eq=False)
class Scalar(_Node):
    """A string, number, boolean or null, or something that is written as one (a date, an enum)."""


@attrs.frozen(eq=False)
class Array(_Node):
    """An array of any length."""

    item: Any
    unique: bool = False


@attrs.frozen(eq=False)
class Tuple(_Node):
    """An array with a type for each index.

    Attributes:
        items: The types.
        required: How many items the array must have at least.
        fields: The fields of a NamedTuple; empty for a plain tuple.
    """

    items: tuple[Any, ...]
    required: int
    fields: tuple[Field, ...] = ()


@attrs.frozen(eq=False)
class Map(_Node):
    """An object with any keys."""

    value: Any


@attrs.frozen(eq=False)
class Record(_Node):
    """An object with known members.

    Attributes:
        cls: The class.
        fields: Its fields.
        tag: A member that always has the same value, besides the fields.
        open: Whether the object may have other members.
    """

    cls: type[Any]
    fields: tuple[Field, ...]
    tag: Tag | None = None
    open: bool = False

    @property
    def by_key(self) -> dict[str, Field]:
        return {key: field for field in self.fields for key in field.keys}

    @property
    def known_keys(self) -> set[str]:
        """All names of members, with the tag."""
        return self.by_key.keys() | ({self.tag[0]} if self.tag is not None else set())


@attrs.frozen(eq=False)
class OneOf(_Node):
    """A union."""

    members: tuple[Any, ...]

    @property
    def shapes(self) -> tuple[Shape, ...]:
        return tuple(map(shape_of, self.members))


Shape: TypeAlias = Anything | Scalar | Array | Tuple | Map | Record | OneOf

_SCALARS: Final = (str, int, float, bool, type(None), bytes, bytearray)
# These are compared by name, so that their modules need not be imported.
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
    """Return the shape of an annotation.

    Raises:
        UnsupportedTypeError: JSON cannot describe it.
    """
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
        # `UnsetType` marks a member of a Struct that may be absent. No JSON value has that type.
        members = [member for member in arguments if member is not msgspec.UnsetType]
        return OneOf(annotation, tuple(members)) if len(members) > 1 else shape_of(members[0])
    if origin is Literal:
        return Scalar(annotation)
    return _shape_of_class(annotation, origin or annotation, arguments)


def _shape_of_class(annotation: Any, cls: Any, arguments: tuple[Any, ...]) -> Shape:
    if not isinstance(cls, type):
        raise UnsupportedTypeError(f"{annotation!r} is not a type that JSON can describe")
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
    fields, tag = fields_of(annotation, cls)
    if issubclass(cls, tuple):
        items = tuple(field.annotation for field in fields)
        required = sum(field.required for field in fields)
        return Tuple(annotation, items, required, fields)
    return Record(annotation, cls, fields, tag, is_model(cls) and is_open(cls))


# Enums and `Literal`


def choices_of(annotation: Any) -> list[tuple[Any, Any]]:
    """Return the JSON values of an enum or a `Literal`, each with what it stands for; of other scalars, nothing.

    Raises:
        UnsupportedTypeError: One of the values is not a JSON scalar.
    """
    members: tuple[Any, ...] = ()
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        members = tuple(annotation)
    elif get_origin(annotation) is Literal:
        members = get_args(annotation)
    choices = [(member.value if isinstance(member, enum.Enum) else member, member) for member in members]
    for value, member in choices:
        if type(value) not in (str, int, float, bool, type(None)):
            raise UnsupportedTypeError(f"{name_of(annotation)}: the value of {member!r} is not a JSON scalar")
    return choices


def own_choices(annotation: Any) -> list[tuple[Any, Any]]:
    """Return `choices_of` if msgspec cannot read them itself, otherwise nothing.

    msgspec reads enums of strings only or of integers only, and in a `Literal` only strings, integers and None.
    """
    choices = choices_of(annotation)
    if get_origin(annotation) is Literal:
        return choices if {type(member) for _, member in choices} - {str, int, type(None)} else []
    return choices if {type(value) for value, _ in choices} not in ({str}, {int}) else []
