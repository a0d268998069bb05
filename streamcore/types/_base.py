"""What all wire types share: values in, wire form out, nothing dropped.

A wire type is a frozen, slotted attrs class that derives from `WireObject`. Three conventions carry the rest:

- A constant `type` tag is a class attribute (`type: ClassVar[Literal["text"]] = "text"`), so that no instance stores it
  and no decoder has to fill it in.
- A field that the wire had and the class does not know lands in `extra`. Few objects have any, so the others do not
  pay for it: `extra` is an empty mapping on the class, and an object with unknown fields is an instance of a subclass
  of the same name that has one attribute more (`with_extra`).
- `None` stands for both an absent field and a null one. `to_dict()` leaves such a field out, except where the API
  always sends it (`wire_field(null=True)`).

This module knows nothing of JSON text, events or streams.
"""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

import attrs

from streamcore.types._construct import evolve
from streamcore.types._frozen import Frozen, frozen

__all__ = [
    "Unknown",
    "WireObject",
    "absent",
    "extend",
    "extended",
    "lone_surrogate",
    "plain",
    "type_tag",
    "wire_field",
    "wire_fields",
    "with_extra",
    "with_surrogates_escaped",
]

_W = TypeVar("_W", bound="WireObject")

lone_surrogate = re.compile("[\ud800-\udfff]")


class WireObject(Frozen):
    """Base of every type that has a form on the wire.

    Attributes:
        extra: Fields that the wire had and this version of streamcore does not know, as plain JSON values.
    """

    __slots__ = ()

    extra: Mapping[str, Any] = MappingProxyType({})

    # Once for all, and not generated for each class: that would be a seventh of the time of an import. Hidden from type
    # checkers, which learn from a comparison only where it is Python's own.
    if not TYPE_CHECKING:

        def __eq__(self, other: object) -> bool:
            if other.__class__ is not self.__class__:
                return NotImplemented
            compared, _ = _compared_and_shown(self.__class__)
            return compared(self) == compared(other)

        def __hash__(self) -> int:
            cls = self.__class__
            compared, _ = _compared_and_shown(cls)
            return hash((cls, compared(self)))

        def __repr__(self) -> str:
            cls = self.__class__
            _, shown = _compared_and_shown(cls)
            return f"{cls.__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"

    def to_dict(self) -> dict[str, Any]:
        """The wire form as plain dicts and lists, safe to change: a known field with no value is left out, unknown
        fields come back as they were.
        """
        return {key: plain(value) for key, value in self._wire_items()}

    def to_json(self, *, indent: int | None = None) -> str:
        """The wire form as JSON text, on one line or indented by `indent` spaces.

        A lone surrogate, which JSON can escape and UTF-8 cannot say, is escaped: the text can always be encoded. A
        tool's input may hold `NaN` and infinities; they are written as Python and jiter read them. (msgspec, three
        times as fast, would write null.)
        """
        import json  # few programs ask for this

        separators = (",", ":") if indent is None else None
        text = json.dumps(self.to_dict(), ensure_ascii=False, indent=indent, separators=separators)
        return with_surrogates_escaped(text)

    def model_dump(self) -> dict[str, Any]:
        """The same as `to_dict()`, under the name that users of pydantic know."""
        return self.to_dict()

    def model_dump_json(self, *, indent: int | None = None) -> str:
        """The same as `to_json()`, under the name that users of pydantic know."""
        return self.to_json(indent=indent)

    def to_param(self) -> dict[str, Any]:
        """This object as a part of the next request: the wire form without the fields that the API sends and does not
        take back.
        """
        return {key: plain(value, as_param=True) for key, value in self._wire_items(as_param=True)}

    def _wire_items(self, as_param: bool = False) -> list[tuple[str, Any]]:
        cls = type(self)
        items: list[tuple[str, Any]] = []
        constant = type_tag(cls)
        if constant is not None:
            items.append(("type", constant))
        for field in wire_fields(cls):
            if as_param and field.response_only:
                continue
            value = getattr(self, field.name)
            if value is not field.absent or field.null:
                items.append((field.key, value))
        items.extend(self.extra.items())
        return items


def with_surrogates_escaped(json: str) -> str:
    """JSON text that can always be encoded. (A lone surrogate can only stand in one of its strings.)"""
    return lone_surrogate.sub(lambda found: f"\\u{ord(found[0]):04x}", json)


@functools.cache
def _compared_and_shown(cls: Any) -> tuple[Callable[[Any], Any], tuple[str, ...]]:
    """What gives the values of an object that count when it is compared, and the attributes that are printed."""
    fields = attrs.fields(cls)
    compared = tuple(field.name for field in fields if field.eq)
    return (
        operator.attrgetter(*compared) if compared else lambda _: (),
        tuple(field.name for field in fields if field.repr),
    )


def plain(value: Any, as_param: bool = False) -> Any:
    """A deep copy of `value` made of dicts, lists and scalars only."""
    if isinstance(value, WireObject):
        return value.to_param() if as_param else value.to_dict()
    if isinstance(value, (tuple, list)):
        return [plain(item, as_param) for item in value]
    if isinstance(value, Mapping):
        return {key: plain(item, as_param) for key, item in value.items()}
    return value


@frozen(kw_only=True)
class Unknown(WireObject):
    """An object whose `type` is new to this version of streamcore, kept whole.

    Its fields can be read as attributes (`block.some_field`), as one would on a known type.

    Attributes:
        data: The whole object, `type` included, as plain JSON values.
    """

    data: dict[str, Any]

    # No `str` for a type checker: comparing the `type` of an event or a block with that of a known class would then
    # not tell it which class that is.
    @property
    def type(self) -> Literal["(a type that is new to this version of streamcore)"]:
        """The `type` that came: any string but those of the known classes."""
        return cast(Any, self.data["type"])  # type: ignore[no-any-return]  # for type checkers alone

    def __getattr__(self, name: str) -> Any:
        # Only called for what is not an attribute. The guard is for copy and pickle, which ask an instance that has
        # no `data` yet.
        if name == "data" or name.startswith("__"):
            raise AttributeError(name)
        try:
            return self.data[name]
        except KeyError:
            raise AttributeError(f"{self.__class__.__name__} {self.type!r} has no field {name!r}") from None

    def _wire_items(self, as_param: bool = False) -> list[tuple[str, Any]]:
        return list(self.data.items())


@attrs.frozen(eq=False, repr=False)
class WireField:
    """How one attribute of a wire type appears on the wire; `absent` is the very object that stands for no value."""

    name: str
    key: str
    absent: object
    null: bool
    response_only: bool


def wire_field(
    *,
    key: str | None = None,
    default: Any = None,
    null: bool = False,
    response_only: bool = False,
    local: bool = False,
    shown: bool = True,
) -> Any:
    """An attribute with a default whose wire form differs from the plain rule.

    Args:
        key: Its name on the wire, where that is not the attribute's.
        default: Its value when the wire has none.
        null: Whether `to_dict()` says null instead of leaving it out.
        response_only: Whether the API refuses it in a request (`to_param()` leaves it out).
        local: Whether it has no wire form at all. It does not count when values are compared.
        shown: Whether it is printed.
    """
    metadata = {"key": key, "null": null, "response_only": response_only, "local": local}
    return attrs.field(default=default, metadata=metadata, eq=not local, repr=shown)


_WIRE_FIELDS: dict[type[Any], tuple[WireField, ...]] = {}


def wire_fields(cls: type[Any]) -> tuple[WireField, ...]:
    """The attributes of a wire type that appear on the wire, in order, without `extra` and the constant `type`."""
    fields = _WIRE_FIELDS.get(cls)
    if fields is None:
        fields = _WIRE_FIELDS[cls] = tuple(
            WireField(
                name=field.name,
                key=field.metadata.get("key") or field.name,
                absent=field.default if isinstance(field.default, WireObject) else None,
                null=field.metadata.get("null", False),
                response_only=field.metadata.get("response_only", False),
            )
            for field in attrs.fields(cls)
            if field.name != "extra" and not field.metadata.get("local", False)
        )
    return fields


def type_tag(cls: type[Any]) -> str | None:
    """The constant `type` of a wire type; `None` for a type without one, or with one that varies."""
    tag = getattr(cls, "type", None)
    return tag if isinstance(tag, str) else None


_ABSENT: dict[type[Any], Any] = {}


def absent(cls: type[_W]) -> _W:
    """The one object that stands for a `cls` that the wire did not give: all defaults, and not written by `to_dict()`.

    It is of a class of its own, so that copies and pickles of it are itself, and equal to any other `cls` that is all
    defaults.
    """
    if cls not in _ABSENT:
        plain_one = cls()
        namespace = {
            "__slots__": (),
            "__eq__": lambda self, other: other is self or (type(other) is cls and other == plain_one),
            "__hash__": lambda self: hash(plain_one),
            "__reduce__": lambda self: (absent, (cls,)),
            "__module__": cls.__module__,
            "__qualname__": cls.__qualname__,
            "__doc__": cls.__doc__,
        }
        made: Any = type(cls.__name__, (cls,), namespace)
        _ABSENT[cls] = made()
    value: _W = _ABSENT[cls]
    return value


def with_extra(value: _W, extra: Mapping[str, Any]) -> _W:
    """A copy of `value` that also holds the unknown fields `extra`."""
    return _restore(type(value), {**_attributes(value), "extra": {**value.extra, **extra}})


def extend(value: _W, changes: dict[str, Any]) -> _W:
    """Return a copy of `value` with `changes` made, unknown fields included under their own names.

    The wire names fields that this version does not know. They go where such fields live. They are a dict and not
    keyword arguments, as the wire may give them any name.
    """
    cls: Any = type(value)
    known = _wire_names(cls)
    inside = {name: changes[name] for name in changes if name in known}
    base: Any = cls.__base__
    changed: _W = base(**inside) if _ABSENT.get(base) is value else evolve(value, inside)
    extra = {name: changes[name] for name in changes if name not in known}
    return with_extra(changed, extra) if extra else changed


@functools.cache
def _wire_names(cls: Any) -> frozenset[str]:
    return frozenset(field.name for field in wire_fields(cls))


def _attributes(value: WireObject) -> dict[str, Any]:
    cls: type[Any] = type(value)
    return {field.name: getattr(value, field.name) for field in attrs.fields(cls)}


def _restore(cls: type[_W], attributes: dict[str, Any]) -> _W:
    restored: _W = extended(cls)(**attributes)
    return restored


_EXTENDED: dict[type[Any], type[Any]] = {}


def extended(cls: type[Any]) -> type[Any]:
    """The subclass of `cls` whose instances have an `extra` of their own; `cls` itself if it is such a one already."""
    if "extra" in attrs.fields_dict(cls):
        return cls
    made = _EXTENDED.get(cls)
    if made is None:

        def __reduce__(self: Any) -> tuple[Any, ...]:  # noqa: N807  # it becomes a method below
            # The subclass has no importable name; the class it stands for has.
            return _restore, (cls, _attributes(self))

        made = _EXTENDED[cls] = attrs.make_class(
            cls.__name__,
            {"extra": attrs.field(kw_only=True)},
            bases=(cls,),
            class_body={"__reduce__": __reduce__, "__module__": cls.__module__, "__doc__": cls.__doc__},
            frozen=True,
            slots=True,
            eq=False,
            repr=False,
        )
        made.__qualname__ = cls.__qualname__
    return made
