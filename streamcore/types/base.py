"""The base of all wire types: how they compare and print, and how they turn into their wire form without loss.

A wire type is a frozen, slotted attrs class that derives from `WireObject`. It follows four conventions:

- A constant `type` tag (`type: Literal["text"] = "text"`) is a class attribute: instances do not store it and decoders
  do not set it. For type checkers it is a field, so that `TextBlock(type="text", text="a")` is right.
- An array is annotated as a list and is an `ImmutableList`: `__init__` makes one of a list or a tuple.
- Fields that arrive but are unknown to the class go into `extra`. Few objects have any, so the others must not pay
  for a slot: on the class, `extra` is an empty mapping, and an object with unknown fields is an instance of a subclass
  with the same name and one more slot (`with_extra`, `extended`). There they can also be read as attributes.
- `None` stands for an absent field as well as for a null one. `to_dict()` leaves such a field out, unless the API
  always sends it (`wire_field(null=True)`).

Other rooms read the declarations with `wire_fields` and `type_tag`, and make objects with `absent`, `with_extra` and
`extend`. This module knows nothing about events or streams.
"""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

import attrs

from streamcore._objects.construct import evolve
from streamcore._objects.immutable import immutable
from streamcore.errors import excerpt
from streamcore.types._fields import WireField, wire_field
from streamcore.types._frozen import frozen
from streamcore.types._model import Model

__all__ = [
    "Unknown",
    "WireField",
    "WireObject",
    "absent",
    "extend",
    "extended",
    "is_absent",
    "json_text",
    "lone_surrogate",
    "plain",
    "type_tag",
    "wire_field",
    "wire_fields",
    "with_extra",
]

_W = TypeVar("_W", bound="WireObject")


class WireObject(Model):
    """Base of every type that has a wire form.

    Attributes:
        extra: Fields that arrived and that this version of streamcore does not know, as plain JSON values. They can
            also be read as attributes: `message.some_field`.
    """

    __slots__ = ()

    extra: Mapping[str, Any] = MappingProxyType({})

    # These three are written once here. If attrs generated them for each class, the import would take a seventh longer.
    # Type checkers must not see them: they only narrow types by `==` if the class uses Python's own `__eq__`.
    if not TYPE_CHECKING:

        def __eq__(self, other: object) -> bool:
            if type(other) is not type(self):
                return NotImplemented
            compared_values, _ = _compared_and_shown(type(self))
            return compared_values(self) == compared_values(other)

        def __hash__(self) -> int:
            compared_values, _ = _compared_and_shown(type(self))
            return hash((type(self), compared_values(self)))

        def __repr__(self) -> str:
            _, shown = _compared_and_shown(type(self))
            fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
            return f"{type(self).__qualname__}({fields})"

    def to_dict(
        self,
        *,
        mode: str = "python",
        use_api_names: bool = True,
        exclude_unset: bool = True,
        exclude_defaults: bool = False,
        exclude_none: bool = False,
        warnings: bool = True,
    ) -> dict[str, Any]:
        """Return the wire form as new dicts and lists.

        Known fields without a value are left out; unknown fields come back as they arrived. The arguments are those of
        the `anthropic` package.

        Args:
            mode: `"python"` or `"json"`. Both are the same here: all values are JSON values.
            use_api_names: Whether keys are those of the wire, and not the names of attributes (`from`, not `from_`).
            exclude_unset: Whether fields without a value are left out. Otherwise they are None.
            exclude_defaults: Whether None is left out for known fields that the API always sends, too.
            exclude_none: Whether None is left out for all fields, unknown ones included. What the JSON in a field
                contains is left as it is.
            warnings: Without effect: there is nothing to warn of.
        """
        if use_api_names and exclude_unset and not exclude_defaults and not exclude_none:
            return {key: plain(value) for key, value in self._wire_items()}
        return self.model_dump(
            by_alias=use_api_names,
            exclude_unset=exclude_unset,
            exclude_defaults=exclude_defaults,
            exclude_none=exclude_none,
        )

    def to_json(
        self,
        *,
        indent: int | None = 2,
        use_api_names: bool = True,
        exclude_unset: bool = True,
        exclude_defaults: bool = False,
        exclude_none: bool = False,
        warnings: bool = True,
    ) -> str:
        """Return the wire form as JSON text, indented by `indent` spaces, or on one line if that is None.

        The other arguments are those of `to_dict()`. The text can always be encoded as UTF-8: lone surrogates are
        escaped. `NaN` and infinities, which the input of a tool may contain, are written as Python's `json` and jiter
        read them.
        """
        value = self.to_dict(
            use_api_names=use_api_names,
            exclude_unset=exclude_unset,
            exclude_defaults=exclude_defaults,
            exclude_none=exclude_none,
        )
        return json_text(value, indent=indent)

    def to_param(self) -> dict[str, Any]:
        """Return this object as a part of the next request.

        This is the wire form without the fields that the API sends but does not accept.
        """
        return {key: plain(value, as_param=True) for key, value in self._wire_items(as_param=True)}

    def _wire_items(self, as_param: bool = False) -> list[tuple[str, Any]]:
        cls = type(self)
        items: list[tuple[str, Any]] = []
        tag = type_tag(cls)
        if tag is not None:
            items.append(("type", tag))
        for field in wire_fields(cls):
            if as_param and field.response_only:
                continue
            value = getattr(self, field.name)
            if value is not field.absent or field.null:
                items.append((field.key, value))
        items.extend(self.extra.items())
        return items


def json_text(value: Any, *, indent: int | None, ensure_ascii: bool = False) -> str:
    """Return a JSON value as text.

    msgspec is three times as fast, but would write null for `NaN` and infinities.
    """
    import json  # here because few programs need it

    separators = (",", ":") if indent is None else None
    text = json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators)
    # Only the strings in JSON text can contain a lone surrogate. What this handler writes for one is its escape.
    return text.encode("utf-8", "backslashreplace").decode()


lone_surrogate: re.Pattern[str] = re.compile("[\ud800-\udfff]")
"""One half of a surrogate pair: JSON can express it as an escape, UTF-8 cannot encode it."""


@functools.cache
def _compared_and_shown(cls: Any) -> tuple[Callable[[Any], Any], tuple[str, ...]]:
    """Return a getter for the field values that comparisons use, and the names of the fields that `repr` shows."""
    fields = attrs.fields(cls)
    compared = tuple(field.name for field in fields if field.eq)
    return (
        operator.attrgetter(*compared) if compared else lambda _: (),
        tuple(field.name for field in fields if field.repr),
    )


def plain(value: Any, as_param: bool = False) -> Any:
    """Return a deep copy of `value` that consists of dicts, lists and scalars only.

    With `as_param`, wire objects inside become parts of a request (`to_param()`).
    """
    if isinstance(value, WireObject):
        return value.to_param() if as_param else value.to_dict()
    if isinstance(value, (tuple, list)):
        return [plain(item, as_param) for item in value]
    if isinstance(value, Mapping):
        return {key: plain(item, as_param) for key, item in value.items()}
    return value


@frozen(kw_only=True)
class Unknown(WireObject):
    """An object whose `type` this version of streamcore does not know, with all of its fields.

    The fields can be read as attributes (`block.some_field`), as on a known type.

    Attributes:
        data: The whole object, including `type`, as plain JSON values.
    """

    data: dict[str, Any] = attrs.field(converter=immutable)

    # For a type checker this is a literal that no other class has, and not `str`: otherwise `event.type == "ping"`
    # could be true for an unknown event too, and would not narrow `event` to `PingEvent`.
    @property
    def type(self) -> Literal["(a type that is new to this version of streamcore)"]:
        """The `type` that arrived: any string except those of the known classes, and empty if none came."""
        return cast(Any, self.data.get("type", ""))  # type: ignore[no-any-return]  # only type checkers see the literal

    @property
    def model_extra(self) -> dict[str, Any]:
        """All fields but the `type`, as a new dict."""
        return {name: value for name, value in self.data.items() if name != "type"}

    def __getattr__(self, name: str) -> Any:
        # Python calls this only for names that are not attributes. copy and pickle look up `data` and special methods
        # on an instance that has no `data` yet; without this check that would recurse forever.
        if name == "data" or name.startswith("__"):
            raise AttributeError(name)
        try:
            return self.data[name]
        except KeyError:
            raise AttributeError(f"{type(self).__name__} {excerpt(self.type)} has no field {name!r}") from None

    def _wire_items(self, as_param: bool = False) -> list[tuple[str, Any]]:
        return list(self.data.items())


_WIRE_FIELDS: dict[type[Any], tuple[WireField, ...]] = {}


def wire_fields(cls: type[Any]) -> tuple[WireField, ...]:
    """Return the attributes of a wire type that appear on the wire, in order, without `extra` and a constant `type`."""
    if cls not in _WIRE_FIELDS:
        _WIRE_FIELDS[cls] = tuple(
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
    return _WIRE_FIELDS[cls]


def type_tag(cls: type[Any]) -> str | None:
    """Return the constant `type` of a wire type, or None if it has none or if it varies."""
    tag = getattr(cls, "type", None)
    return tag if isinstance(tag, str) else None


_ABSENT: dict[type[Any], Any] = {}


def absent(cls: type[_W]) -> _W:
    """Return the one object that stands for a `cls` that did not arrive.

    It has the default in each field and is equal to any other such `cls`, but `to_dict()` recognizes it and leaves it
    out. It belongs to a subclass of its own whose only purpose is that a copy or an unpickled one is the same object.
    """
    if cls not in _ABSENT:
        defaults = cls()
        namespace = {
            "__slots__": (),
            "__eq__": lambda self, other: other is self or (isinstance(other, cls) and other == defaults),
            "__hash__": lambda self: hash(defaults),
            "__reduce__": lambda self: (absent, (cls,)),
            "__module__": cls.__module__,
            "__qualname__": cls.__qualname__,
            "__doc__": cls.__doc__,
        }
        subclass: Any = type(cls.__name__, (cls,), namespace)
        _ABSENT[cls] = subclass()
    value: _W = _ABSENT[cls]
    return value


def is_absent(value: WireObject) -> bool:
    """Return whether `value` is the object that stands for one of its class that did not arrive."""
    return _ABSENT.get(type(value).__base__) is value  # type: ignore[arg-type]  # every class has a base


def with_extra(value: _W, extra: Mapping[str, Any]) -> _W:
    """Return a copy of `value` that also has the unknown fields `extra`."""
    return _restore(type(value), {**_attributes(value), "extra": {**value.extra, **extra}})


def extend(value: _W, changes: dict[str, Any]) -> _W:
    """Return a copy of `value` with `changes` made, unknown fields included under their own names.

    The wire names fields that this version does not know. They go where such fields live. They are a dict and not
    keyword arguments, as the wire may give them any name.
    """
    cls: Any = type(value)
    known = _wire_names(cls)
    inside = {name: changes[name] for name in changes if name in known}
    changed: _W = cls.__base__(**inside) if is_absent(value) else evolve(value, inside)
    extra = {name: changes[name] for name in changes if name not in known}
    return with_extra(changed, extra) if extra else changed


@functools.cache
def _wire_names(cls: Any) -> frozenset[str]:
    return frozenset(field.name for field in wire_fields(cls))


def _attributes(value: WireObject) -> dict[str, Any]:
    cls: type[Any] = type(value)
    return {field.name: getattr(value, field.name) for field in attrs.fields(cls)}


def _restore(cls: type[_W], attributes: dict[str, Any]) -> _W:
    """Create an object with unknown fields. Pickles name this function, so it must keep its name and its arguments."""
    restored: _W = extended(cls)(**attributes)
    return restored


_EXTENDED: dict[type[Any], type[Any]] = {}


def extended(cls: type[Any]) -> type[Any]:
    """Return the subclass of `cls` whose instances have an `extra` of their own, or `cls` if it is one already."""
    if "extra" in attrs.fields_dict(cls):
        return cls
    if hasattr(cls, "_extended"):  # a class of `streamcore.anthropic`, which makes it itself
        return cls._extended()  # type: ignore[no-any-return]
    if cls not in _EXTENDED:

        def __reduce__(self: Any) -> tuple[Any, ...]:  # noqa: N807  # becomes a method below
            # Pickle cannot import the subclass by name; it can import `cls`.
            return _restore, (cls, _attributes(self))

        def __getattr__(self: Any, name: str) -> Any:  # noqa: N807
            # Python calls this only for names that are not attributes. Those that begin with `_` are never fields, and
            # `extra` is not there yet while an object is copied.
            if not name.startswith("_") and name != "extra" and name in self.extra:
                return self.extra[name]
            raise AttributeError(f"{self.__class__.__name__} has no attribute {name!r}", name=name, obj=self)

        subclass = attrs.make_class(
            cls.__name__,
            {"extra": attrs.field(kw_only=True, converter=immutable)},
            bases=(cls,),
            class_body={
                "__reduce__": __reduce__,
                "__getattr__": __getattr__,
                "__module__": cls.__module__,
                "__doc__": cls.__doc__,
            },
            frozen=True,
            slots=True,
            eq=False,
            repr=False,
        )
        subclass.__qualname__ = cls.__qualname__
        # Of two threads that get here together, both must return the same class, or their objects would not be equal.
        _EXTENDED.setdefault(cls, subclass)
    return _EXTENDED[cls]
