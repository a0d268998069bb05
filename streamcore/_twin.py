"""Open twins of frozen classes: how objects are filled attribute by attribute at the speed of an open class.

attrs gives a frozen class a `__setattr__` that refuses, and an `__init__` that sets each slot by a call around it. That
is 70 ns an attribute, and 10 in a class that is open. So a class gets a twin with the same slots that is open; an
object is made as one of those, filled, and then turned into what it is to be by giving it its class. Nobody else ever
sees the twin. A frozen object of 12 attributes is made in 0.2 µs, where its `__init__` takes 0.8.

Python lets the class of an object change to one with the same layout. `__weakref__` would be placed differently in
each, so `WireObject` has it for all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import attrs

__all__ = ["changed", "generated", "maker", "replaced", "twin"]

_T = TypeVar("_T")

_TWINS: dict[type[Any], type[Any]] = {}
_COPIERS: dict[type[Any], Callable[[Any, dict[str, Any]], Any]] = {}


def twin(cls: type[Any]) -> type[Any]:
    """The open twin of a slotted class. Its objects become objects of `cls` by `made.__class__ = cls`."""
    made = _TWINS.get(cls)
    if made is None:
        namespace = {
            "__slots__": cls.__dict__.get("__slots__", ()),
            "__module__": cls.__module__,
            # In case the base is frozen.
            "__init__": object.__init__,
            "__setattr__": object.__setattr__,
        }
        made = _TWINS[cls] = type(f"_{cls.__name__}Twin", (cls.__base__,), namespace)  # type: ignore[arg-type]
    return made


def generated(source: str, name: str, names: dict[str, Any]) -> Any:
    """The function `name` that `source` defines, with `names` as its globals."""
    exec(compile(source, f"<generated {name}>", "exec"), names)  # noqa: S102  # as attrs makes its methods
    return names[name]


def replaced(value: _T, **changes: Any) -> _T:
    """A copy of `value` with `changes` made to known fields. Like `attrs.evolve`, in a fifth of its time: a snapshot is
    little else, and no wire type has a converter or validator that would have to run.
    """
    cls = type(value)
    copy = _COPIERS.get(cls)
    if copy is None:
        names = [field.name for field in attrs.fields(cls)]  # type: ignore[arg-type]
        source = "\n".join(
            [
                "def copy(value, changes):",
                "    made = twin()",
                *(f"    made.{name} = value.{name}" for name in names),
                "    for name in changes:",
                "        setattr(made, name, changes[name])",
                "    made.__class__ = cls",
                "    return made",
            ]
        )
        copy = _COPIERS[cls] = generated(source, "copy", {"twin": twin(cls), "cls": cls})
    made: _T = copy(value, changes)
    return made


_CHANGERS: dict[tuple[type[Any], str], Callable[[Any, Any], Any]] = {}


def changed(value: _T, name: str, new: object) -> _T:
    """A copy of `value` with another value for one attribute: `replaced`, for what happens at every snapshot."""
    cls = type(value)
    change = _CHANGERS.get((cls, name))
    if change is None:
        others = [field.name for field in attrs.fields(cls) if field.name != name]  # type: ignore[arg-type]
        source = "\n".join(
            [
                "def change(given, value):",
                "    made = twin()",
                *(f"    made.{other} = given.{other}" for other in others),
                f"    made.{name} = value",
                "    made.__class__ = cls",
                "    return made",
            ]
        )
        change = _CHANGERS[cls, name] = generated(source, "change", {"twin": twin(cls), "cls": cls})
    made: _T = change(value, new)
    return made


def maker(cls: type[_T], *names: str) -> Callable[..., _T]:
    """A function that makes objects of `cls` of the values for the attributes `names`, by position. An attribute that
    is not named stays empty.
    """
    source = "\n".join(
        [
            f"def make({', '.join(names)}):",
            "    made = twin()",
            *(f"    made.{name} = {name}" for name in names),
            "    made.__class__ = cls",
            "    return made",
        ]
    )
    make: Callable[..., _T] = generated(source, "make", {"twin": twin(cls), "cls": cls})
    return make
