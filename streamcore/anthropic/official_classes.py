"""Lookalikes: objects of ours that are instances of the official classes too, for `isinstance` and `match`.

Programs that were written for the official package ask `isinstance(event, anthropic.types.RawContentBlockDeltaEvent)`
or `case TextDelta(text=text)`. Without lookalikes such a program would lose its text without an error as soon as its
client is wrapped.

The trick: `isinstance(x, C)` asks for the type of `x`, and if that is not a `C`, for `x.__class__`. A lookalike belongs
to a subclass of our class whose `__class__` is a *stand-in*: a class that derives from all official classes for which
our class stands (`TextBlock`, `BetaTextBlock`, `ParsedTextBlock`, ...). So the lookalike is an instance of ours and of
all of these. `unittest.mock` does the same for `Mock(spec=...)`. `ABCMeta.register` has no effect on pydantic's models.

- `type(x)` is the subclass. It has our name, and no slots of its own. A lookalike equals the plain object with the same
  fields.
- A stand-in is official to `isinstance`, but calling it makes a lookalike, and it has the fields that attrs asks for.
  So `attrs.evolve(x, text="b")`, which goes by `x.__class__`, gives a lookalike.
- pydantic takes an instance of a model for one, and reads its `__dict__`, `__pydantic_fields_set__` and the like, when
  a model of theirs that contains it is written. Lookalikes have these attributes.
- A copy and an unpickled lookalike are lookalikes again. Where `anthropic` is not installed, a pickle gives our plain
  objects.

Which official classes there are for one of ours follows from their names: those of all models that a message or an
event of the installed version may contain. Classes of ours without an official one stay as they are, and so do those
for types that we do not know.

`casting.py` makes a lookalike of an object, and `streams.py` says when.

`tests/anthropic/test_official_classes.py` fails if a new version of pydantic or `anthropic` breaks the trick.
"""

from __future__ import annotations

import functools
import operator
import typing
from collections.abc import Iterator
from typing import Any, TypeVar

import anthropic.types
import anthropic.types.beta
import attrs
import pydantic
from anthropic.lib import streaming

from streamcore import types as ours
from streamcore._objects.construct import constructor
from streamcore._objects.immutable import ImmutableList
from streamcore.anthropic.casting import Cast, Convert, as_it_is, caster
from streamcore.types import ContentBlockDeltaEvent, Unknown, WireObject
from streamcore.types.base import extended, wire_fields
from streamcore.types.lookalikes import as_lookalike
from streamcore.types.text_deltas import TEXT_DELTAS

__all__ = ["CASTS", "DELTA_CASTS", "lookalike", "lookalike_class", "official_classes"]

_T = TypeVar("_T")


def lookalike(value: _T) -> _T:
    """Return an object of ours, with all that is inside, as lookalikes. Other values are returned as they are."""
    convert = CASTS[type(value)]
    return value if convert is None else convert(value, lookalike)


# Which official classes there are


_MODULES = (anthropic.types, anthropic.types.beta, streaming)


@functools.cache
def official_classes() -> dict[type[WireObject], tuple[type[pydantic.BaseModel], ...]]:
    """Return the official classes for each of our classes that has any, none of them a base of another."""
    found: dict[type[WireObject], dict[type[pydantic.BaseModel], None]] = {}
    for model in _models():
        cls = _class_for(model)
        if cls is not None:
            found.setdefault(cls, {})[model] = None
    declared = [cls for cls in vars(ours).values() if isinstance(cls, type) and issubclass(cls, WireObject)]
    every = {cls: [model for base in cls.__mro__ for model in found.get(base, ())] for cls in declared}
    return {
        cls: tuple(
            model for model in models if not any(other is not model and issubclass(other, model) for other in models)
        )
        for cls, models in every.items()
        if models
    }


def _models() -> Iterator[type[pydantic.BaseModel]]:
    """Yield all official models that are exported, and all that these may contain."""
    waiting = [value for module in _MODULES for name, value in vars(module).items() if not name.startswith("_")]
    seen: set[type] = set()
    while waiting:
        value = waiting.pop()
        arguments = typing.get_args(value)
        if arguments:
            waiting += arguments
        elif isinstance(value, type) and issubclass(value, pydantic.BaseModel) and value not in seen:
            seen.add(value)
            if "[" not in value.__name__:  # the generic class is a base of it
                yield value
            waiting += (field.annotation for field in value.model_fields.values())


def _class_for(model: type[pydantic.BaseModel]) -> type[WireObject] | None:
    """Return our class for an official model: the one with the same name, but for what stands in front of it."""
    name = model.__name__
    # The derived events of theirs have names that we have for events on the wire.
    derived = "Parsed" if model.__module__.startswith("anthropic.lib.") else ""
    plain = name.replace("Beta", "", 1)
    names = [derived + plain, plain, plain.removeprefix("Parsed"), plain.removeprefix("Raw"), plain + "Object"]
    found = [getattr(ours, each, None) for each in names]
    found.append(getattr(ours.beta, name, None))  # names that are not "Beta" and ours
    if name == "Delta":
        found.append(ours.MessageDelta)
    for cls in found:
        if isinstance(cls, type) and issubclass(cls, WireObject) and not issubclass(cls, Unknown):
            return cls
    return None


# The classes of lookalikes


class _StandIn:
    """The class that `__class__` of lookalikes gives, as an attribute of their class.

    It takes pydantic a millisecond to make one, so it is made when it is first read.
    """

    def __get__(self, lookalike: object, cls: Any) -> type[Any]:
        cls._stand_in = _made_stand_in(cls)
        return cls._stand_in  # type: ignore[no-any-return]  # it replaces this descriptor


class _Lookalike:
    """The methods that all lookalikes share: they are copied to each class."""

    __slots__ = ()

    if typing.TYPE_CHECKING:
        _plain_class: Any

        def _wire_items(self) -> list[tuple[str, Any]]: ...

    _stand_in = _StandIn()
    # In C, as each `isinstance` with another class asks for it.
    __class__: Any = property(operator.attrgetter("_stand_in"))

    def __eq__(self, other: object) -> bool:
        return bool(_plain(self) == _plain(other))

    def __hash__(self) -> int:
        return hash(_plain(self))

    def __reduce__(self) -> tuple[Any, ...]:
        return as_lookalike, (_plain(self),)

    @classmethod
    def _extended(cls) -> type[Any]:
        plain: Any = extended(cls._plain_class)
        return _lookalike_class(plain)

    # What pydantic reads of an instance of a model

    __pydantic_private__ = None
    __pydantic_generic_metadata__ = {"origin": None, "args": (), "parameters": ()}  # noqa: RUF012  # as a model has it

    @property
    def __dict__(self) -> Any:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]
        # Those that did not come are None here, as in a model. pydantic counts the fields of the members of a union.
        fields, rest = _fields_and_rest(self)
        names = _fields_of_any(self._plain_class)
        missing = {name: None for key, name in names.items() if key not in rest and getattr(self, name, None) is None}
        return fields | missing

    @property
    def __pydantic_extra__(self) -> dict[str, Any]:
        return _fields_and_rest(self)[1]

    @property
    def __pydantic_fields_set__(self) -> set[str]:
        fields, rest = _fields_and_rest(self)
        return {*fields, *rest}


def _fields_and_rest(value: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the values that are on the wire: of the fields that all official classes have, and of the others.

    It is not known by which of the official classes an object is written. One that does not have a field writes it if
    it is among the unknown ones.
    """
    names = _common_fields(value._plain_class)
    fields: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    for key, item in value._wire_items():
        if key in names:
            fields[names[key]] = item
        else:
            rest[key] = item
    return fields, rest


@functools.cache
def _common_fields(cls: Any) -> dict[str, str]:
    """Return the names of the fields that all official classes of one of ours have, by their names on the wire."""
    names = _fields_of_any(cls)
    return {key: name for key, name in names.items() if all(name in model.model_fields for model in _officials(cls))}


@functools.cache
def _fields_of_any(cls: Any) -> dict[str, str]:
    """Return the names of the fields that any official class of one of ours has, by their names on the wire."""
    keys = {field.name: field.key for field in wire_fields(cls)}
    return {keys.get(name, name): name for model in _officials(cls) for name in model.model_fields}


def lookalike_class(cls: Any) -> type[Any] | None:
    """Return the class of the lookalikes of one of our classes, or None if it has no official class."""
    return _lookalike_class(cls) if _officials(cls) else None


def _officials(cls: Any) -> tuple[type[pydantic.BaseModel], ...]:
    """Return the official classes of one of ours, which may be one with unknown fields."""
    return official_classes().get(cls.__base__ if "extra" in attrs.fields_dict(cls) else cls, ())


@functools.cache
def _lookalike_class(cls: Any) -> type[Any]:
    # `_Lookalike` is not a base: classes without fields would get it as the base that their layout follows, and drafts
    # need ours there.
    names = {name: value for name, value in vars(_Lookalike).items() if name != "__annotations__"}
    names["_plain_class"] = cls
    names |= {name: getattr(cls, name) for name in ("__module__", "__qualname__", "__doc__")}
    return type(cls.__name__, (cls,), names)


@functools.cache
def _made_stand_in(lookalikes: Any) -> type[Any]:
    """Return a class that is official to `isinstance`, and that makes lookalikes if it is called."""
    cls: Any = lookalikes._plain_class
    officials = _officials(cls)

    def __new__(made: Any, *args: Any, **fields: Any) -> Any:  # noqa: N807  # becomes a method below
        if fields or not attrs.fields(cls):
            return lookalikes(**fields)
        return pydantic.BaseModel.__new__(made)  # pydantic makes a model: `model_validate` gives official objects

    names = {
        "__module__": officials[0].__module__,
        "__qualname__": officials[0].__qualname__,
        "__doc__": cls.__doc__,
        "__new__": __new__,
        "__attrs_attrs__": cls.__attrs_attrs__,
        "__wire_class__": cls,  # for `streamcore.codec.converter`
        "model_config": pydantic.ConfigDict(defer_build=True),
    }
    metaclass: Any = type(officials[0])
    made: type[Any] = metaclass(officials[0].__name__, officials, names)
    return made


# Casting


def _plain(value: Any) -> Any:
    """Return a lookalike as an object of our own class, but not the objects inside. Return other values as they are."""
    cls = getattr(type(value), "_plain_class", None)
    return value if cls is None else caster(cls)(value, as_it_is)


def _cast_list(values: Any, convert: Convert) -> Any:
    made = [convert(value) for value in values]
    for one, other in zip(made, values, strict=True):
        if one is not other:
            return ImmutableList(made)
    return values


def _cast_delta_event(event: Any, convert: Convert) -> Any:
    return DELTA_CASTS[event.delta.type](event, convert)


@functools.cache
def _cast_any_delta_event() -> Cast:
    event_class: Any = ContentBlockDeltaEvent
    cls: Any = _lookalike_class(event_class)
    return caster(cls)


class _DeltaCasts(dict[str, Cast]):
    """For each type of delta, the function that casts its events."""

    def __missing__(self, delta_type: str) -> Cast:
        if delta_type not in TEXT_DELTAS:
            return _cast_any_delta_event()  # not kept: a peer may send any type
        made = self[delta_type] = _caster_of_text(delta_type)
        return made


DELTA_CASTS = _DeltaCasts()


def _caster_of_text(delta_type: str) -> Cast:
    """Return a function that casts events whose delta adds text: nearly all events of a stream.

    It does what `_caster` does, in two thirds of the time.
    """
    row = TEXT_DELTAS[delta_type]
    delta_class: Any = row.delta
    event_class: Any = ContentBlockDeltaEvent
    make_delta = constructor(_lookalike_class(delta_class), f"delta.{row.source}")
    make = constructor(_lookalike_class(event_class), "index", "delta")
    cast_any = _cast_any_delta_event()

    def cast_event(event: Any, convert: Convert = lookalike) -> Any:
        delta = event.delta
        if type(delta) is not delta_class:  # it has unknown fields
            return cast_any(event, convert)
        return make(event.index, make_delta(delta))

    return cast_event


class _Casts(dict[type, "Cast | None"]):
    """For each type, the function that casts its objects, or None if they stay as they are."""

    def __missing__(self, cls: type) -> Cast | None:
        made: Cast | None = None
        if cls is ContentBlockDeltaEvent:
            made = _cast_delta_event
        elif issubclass(cls, WireObject) and not issubclass(cls, Unknown) and not hasattr(cls, "_plain_class"):
            found: Any = lookalike_class(cls)
            made = None if found is None else caster(found)
        self[cls] = made
        return made


CASTS = _Casts()
CASTS[ImmutableList] = _cast_list
