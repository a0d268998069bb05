"""Frozen attrs classes of which attrs makes the greater part when it is first asked for.

There are more than a hundred wire types, and attrs writes and compiles an `__init__` for each: a fifth of the import. A
program meets a dozen of them and calls the `__init__` of few, for decoders fill objects in other ways. So `frozen` only
gives a class its slots. What attrs has to say of it, its fields and its `__init__`, comes of the same class as it was
written, given to `attrs.frozen` when somebody looks. To callers it is an attrs class like any other.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import attrs

__all__ = ["Frozen", "frozen"]

_put = object.__setattr__


@attrs.frozen(eq=False, repr=False)
class Frozen:
    """Base of the classes that `frozen` makes. It has what attrs would give to each alone, for all: that attributes
    cannot be set or deleted, the place of weak references, and how the state is taken for copies and pickles.
    """

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in attrs.fields(self.__class__)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # What another version had, and this has not, is left out.
        for field in attrs.fields(self.__class__):
            if field.name in state:
                _put(self, field.name, state[field.name])


if TYPE_CHECKING:
    from attrs import frozen  # which type checkers know
else:

    def frozen(*, kw_only: Literal[True]) -> Callable[[type[Any]], type[Any]]:
        """Like `attrs.frozen(kw_only=True, eq=False, repr=False)`, for subclasses of `Frozen` whose methods neither
        name `__class__` nor call `super()` without arguments.
        """
        return _with_slots


_LATE = ("__init__", *(name for name in vars(Frozen) if name.startswith("__attrs_")))


def _with_slots(cls: type[Any]) -> type[Any]:
    written = {name: value for name, value in vars(cls).items() if name not in ("__dict__", "__weakref__")}
    written["__qualname__"] = cls.__qualname__
    fields = [name for name, annotation in cls.__annotations__.items() if not annotation.startswith("ClassVar")]
    namespace = {name: value for name, value in written.items() if name not in fields}
    namespace["__slots__"] = tuple(fields)
    for name in _LATE:
        namespace[name] = _Late(written)
    return type(cls.__name__, cls.__bases__, namespace)


_completing = threading.RLock()


class _Late:
    """Stands for an attribute that attrs makes, until it is read."""

    __slots__ = ("_cls", "_name", "_written")

    def __init__(self, written: dict[str, Any]) -> None:
        self._written = written

    def __set_name__(self, cls: type[Any], name: str) -> None:
        self._cls = cls
        self._name = name

    def __get__(self, instance: object, owner: type[Any]) -> Any:
        with _completing:
            if vars(self._cls)[self._name] is self:
                _complete(self._cls, self._written)
        made = vars(self._cls)[self._name]
        return made.__get__(instance, owner) if self._name == "__init__" else made


def _complete(cls: type[Any], written: dict[str, Any]) -> None:
    made = attrs.frozen(type(cls.__name__, cls.__bases__, written), kw_only=True, eq=False, repr=False)
    for name in _LATE:
        if type(vars(cls)[name]) is _Late:  # and not what somebody has put in its place
            setattr(cls, name, vars(made)[name])
