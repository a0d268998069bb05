"""Objects of frozen classes, made and copied at the speed of classes that are not frozen.

A frozen attrs class refuses to set an attribute, so its `__init__` goes around that, which takes 70 ns an attribute.
Setting an attribute of an ordinary class takes 10. A Message of 12 attributes is made in 0.2 µs here, where `__init__`
takes 0.8 and `attrs.evolve` 1.1: snapshots are a fifth faster.

How: each frozen class gets a *draft* class with the same slots that is not frozen. An object is made as a draft,
filled, and then frozen: `draft.__class__ = cls`. Python allows this for classes of the same layout. (`__weakref__`
would be placed differently in each, so their common base has it.) No draft leaves the function that fills it.

This is the only module of the core that assigns `__class__`. It must give the same objects as `__init__` and
`attrs.evolve`: the test compares them (`tests/types/test_construct.py`).

Copying is done by functions that are generated for a class. That for `Message` and its `content`:

    def copy(given, new):
        made = Draft()
        made.id = given.id
        ...
        made.content = new
        made.__class__ = cls
        return made
"""

from __future__ import annotations

import functools
import linecache
from collections.abc import Callable
from typing import Any, TypeVar

import attrs

__all__ = ["constructor", "copier", "draft_class", "evolve", "freezer", "generate"]

_T = TypeVar("_T")


_DRAFTS: dict[type[Any], type[Any]] = {}


def draft_class(cls: type[Any]) -> type[Any]:
    """Return the class that has the slots of `cls` and is not frozen."""
    if cls in _DRAFTS:
        return _DRAFTS[cls]
    namespace = {
        "__slots__": cls.__dict__.get("__slots__", ()),
        "__module__": cls.__module__,
        # The base refuses to set attributes. Python sets them at full speed only if `__setattr__` and `__delattr__` are
        # both `object`'s.
        "__init__": object.__init__,
        "__setattr__": object.__setattr__,
        "__delattr__": object.__delattr__,
        # `streamcore.anthropic` gives objects a `__class__` of its own. A draft needs Python's, to change it.
        "__class__": object.__dict__["__class__"],
    }
    made = type(f"_{cls.__name__}Draft", (cls.__base__,), namespace)  # type: ignore[arg-type]  # every class has a base
    _DRAFTS[cls] = made
    return made


def freezer(cls: type[Any]) -> Callable[[Any], Any]:
    """Return a function that turns a filled draft of `cls` into a `cls`, and returns it."""

    def freeze(draft: Any) -> Any:
        draft.__class__ = cls
        return draft

    return freeze


def generate(source: str, name: str, names: dict[str, Any]) -> Any:
    """Return the function `name` that `source` defines, with `names` as its globals.

    The source is registered in `linecache`, so that a traceback shows it and a debugger can step through it.
    """
    filename = f"<streamcore generated {names['cls'].__qualname__}.{name} {len(linecache.cache)}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    exec(compile(source, filename, "exec"), names)  # noqa: S102  # as attrs makes its methods
    return names[name]


# A call of `freezer` would take 40 ns: a snapshot is two copies.
_FREEZE = ["    made.__class__ = cls", "    return made"]


def _copier(cls: type[Any], name: str | None) -> Callable[[Any, Any], Any]:
    fields = [field.name for field in attrs.fields(cls) if field.name != name]
    change = [f"    made.{name} = new"] if name else ["    for name in new:", "        setattr(made, name, new[name])"]
    source = "\n".join(
        [
            "def copy(given, new):",
            "    made = Draft()",
            *(f"    made.{field} = given.{field}" for field in fields),
            *change,
            *_FREEZE,
        ]
    )
    names = {"Draft": draft_class(cls), "cls": cls}
    copy: Callable[[Any, Any], Any] = generate(source, "copy", names)
    return copy


_CopierFactory = Callable[[Any, "str | None"], Callable[[Any, Any], Any]]
_cached_copier: _CopierFactory = functools.cache(_copier)


def copier(cls: Any, name: str) -> Callable[[Any, Any], Any]:
    """Return a function that copies an object of `cls` with another value for one attribute.

    It does what `evolve` does in half the time, for callers that make many copies.
    """
    return _cached_copier(cls, name)


def evolve(value: _T, changes: dict[str, Any]) -> _T:
    """Return a copy of `value` with other values for some attributes: `attrs.evolve`, in a fifth of its time.

    Converters do not run: pass values as the converters would return them.
    """
    made: _T = _cached_copier(type(value), None)(value, changes)
    return made


def constructor(cls: type[_T], *names: str) -> Callable[..., _T]:
    """Return a function that makes a `cls` from the values of the attributes `names`, by position.

    For `"delta.text"` it takes a `delta`, whose `text` becomes that of the object. Attributes that are not named stay
    unset.
    """
    source = "\n".join(
        [
            f"def make({', '.join(name.split('.')[0] for name in names)}):",
            "    made = Draft()",
            *(f"    made.{name.split('.')[-1]} = {name}" for name in names),
            *_FREEZE,
        ]
    )
    make: Callable[..., _T] = generate(source, "make", {"Draft": draft_class(cls), "cls": cls})
    return make
