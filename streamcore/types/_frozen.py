"""Frozen attrs classes whose fields and `__init__` attrs builds on first use.

There are over a hundred wire types. For each one attrs generates and compiles an `__init__`, which takes about 0.15 ms:
15 to 20 ms together, a quarter of the time that `from streamcore import MessageEngine` takes. A program needs few of
them, because the decoders fill objects without calling `__init__` (see `streamcore._objects.construct`).

So `frozen` gives a class only its slots, which takes 0.02 ms. The attributes that attrs would add (`__init__`,
`__attrs_attrs__` and a few more) are descriptors; the first one that is read runs `attrs.frozen` on the class as it was
written and replaces all of them with its results. From the outside the class looks like any other attrs class:
`tests/types/test_frozen.py` compares the two.

Measured: importing `MessageEngine` takes 66 to 70 ms of CPU time more than an empty program with these classes, and 79
to 86 ms with plain `attrs.frozen`; the limit is 80 ms. (In instructions: 302 million for 387.)
"""

from __future__ import annotations

import functools
import inspect
import re
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import attrs

from streamcore._objects.immutable import array
from streamcore.errors import InvalidArgumentError, excerpt

__all__ = ["Frozen", "frozen", "unchecked"]


@attrs.frozen(eq=False, repr=False)
class Frozen:
    """Base of all classes that `frozen` makes.

    It has what does not differ between them: the refusal to set or delete attributes, the slot for weak references,
    and how the state is read and restored for copies and pickles. The `__weakref__` slot must be here and not in each
    class: Python can only change the `__class__` of an object between classes with the same layout, and
    `streamcore._objects.construct` relies on that.
    """

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in attrs.fields(type(self))}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # A pickle of another version of streamcore may have fields that this version does not have. Ignore those.
        for field in attrs.fields(type(self)):
            if field.name in state:
                # Pickles of earlier versions have tuples where there are lists now.
                value = state[field.name]
                object.__setattr__(self, field.name, array(value) if field.converter is array else value)


if TYPE_CHECKING:
    from attrs import frozen  # type checkers know what this one does
else:

    def frozen(*, kw_only: Literal[True]) -> Callable[[type[Any]], type[Any]]:
        """Return a decorator that works like `attrs.frozen(kw_only=True, eq=False, repr=False)`, but lazily.

        The decorated class must derive from `Frozen`. Because it is created a second time, its methods must not use
        `__class__` or call `super()` without arguments: both would refer to the first one.
        """
        return _with_slots


# The attributes that attrs gives to each class: all that it gave to `Frozen` itself under these names.
_MADE_BY_ATTRS = ("__init__", *(name for name in vars(Frozen) if name.startswith("__attrs_")))


def _with_slots(cls: type[Any]) -> type[Any]:
    """Create `cls` again with a slot for each field and a placeholder for each attribute that attrs would add."""
    body = {name: value for name, value in vars(cls).items() if name not in ("__dict__", "__weakref__")}
    body["__qualname__"] = cls.__qualname__
    fields = _fields_in(body)
    namespace = {name: value for name, value in body.items() if name not in fields}  # a default would hide the slot
    # A field that a base declares as well, with a wider type, uses the slot of the base. attrs does the same.
    slots = {name: vars(base)[name] for base in cls.__mro__[1:] for name in vars(base).get("__slots__", ())}
    namespace["__slots__"] = tuple(name for name in fields if name not in slots)
    namespace.update({name: slots[name] for name in fields if name in slots})
    for name in _MADE_BY_ATTRS:
        namespace[name] = _Placeholder(body)
    return type(cls.__name__, cls.__bases__, namespace)


def _fields_in(body: dict[str, Any]) -> dict[str, str]:
    """Return the annotations of the fields that a class body declares: all but those of class attributes.

    Annotations are strings (all modules of types have `from __future__ import annotations`).
    """
    return {
        name: annotation
        for name, annotation in body["__annotations__"].items()
        if not annotation.startswith("ClassVar") and not (name == "type" and annotation.startswith("Literal"))
    }


_F = TypeVar("_F", bound=Frozen)


def unchecked(cls: type[_F], attributes: dict[str, Any]) -> _F:
    """Return `cls(**attributes)`, whatever the values of constant attributes: servers may send any `role`."""
    made = cls.__new__(cls)
    init: Any = cls.__init__
    getattr(init, "__wrapped__", init)(made, **attributes)
    return made


class _Placeholder:
    """An attribute of a class that attrs has not made yet. Reading it makes it, and its neighbours."""

    __slots__ = ("_body", "_cls", "_name")

    def __init__(self, body: dict[str, Any]) -> None:
        self._body = body

    def __set_name__(self, cls: type[Any], name: str) -> None:
        self._cls = cls
        self._name = name

    def __get__(self, instance: object, owner: type[Any]) -> Any:
        # Two threads may read placeholders of one class at the same time; both must get the same objects.
        with _lock:
            if vars(self._cls)[self._name] is self:
                _replace_placeholders(self._cls, self._body)
        made = vars(self._cls)[self._name]
        return made.__get__(instance, owner) if self._name == "__init__" else made


_lock = threading.RLock()  # reentrant: attrs reads the attributes of base classes, which may be placeholders too


def _replace_placeholders(cls: type[Any], body: dict[str, Any]) -> None:
    """Run attrs on a throw-away copy of the class and move the results to `cls`."""
    fields = {**body, "__annotations__": _fields_in(body)}
    made = attrs.frozen(
        type(cls.__name__, cls.__bases__, fields), kw_only=True, eq=False, repr=False, field_transformer=_with_arrays
    )
    results = {name: vars(made)[name] for name in _MADE_BY_ATTRS}
    results["__init__"] = _init_of(results["__init__"], _constants(cls, body))
    for name in _MADE_BY_ATTRS:
        if type(vars(cls)[name]) is _Placeholder:  # keep a value that was assigned in its place
            setattr(cls, name, results[name])


def _with_arrays(_: type[Any], fields: list[attrs.Attribute[Any]]) -> list[attrs.Attribute[Any]]:
    """Let `__init__` make lists and tuples immutable, in each field that is annotated as a list."""
    return [
        field.evolve(converter=array) if field.converter is None and "list[" in str(field.type) else field
        for field in fields
    ]


_ONE_WORD = re.compile(r"Literal\['[^']*'\]")  # as the compiler writes an annotation


def _constants(cls: type[Any], body: dict[str, Any]) -> dict[str, str]:
    """Return the attributes that can have one value only: the `type`, and what is annotated with a single literal."""
    annotations: dict[str, str] = body["__annotations__"]
    words = [name for name, annotation in annotations.items() if _ONE_WORD.fullmatch(annotation)]
    constants = {name: body[name] for name in words if isinstance(body.get(name), str)}
    tag = getattr(cls, "type", None)  # it may be that of the base
    return {"type": tag, **constants} if isinstance(tag, str) else constants


def _init_of(init: Callable[..., None], constants: dict[str, str]) -> Callable[..., None]:
    """Return the `__init__` for programs: it takes what models of pydantic take.

    It accepts the constant attributes and refuses other values for them, and makes objects of the dicts of the wire
    form. Decoders do not call it. `__wrapped__` is the one of attrs, without these.
    """

    @functools.wraps(init)
    def checking(self: Any, *args: Any, **fields: Any) -> None:
        for name in constants.keys() & fields.keys():
            if fields[name] != constants[name]:
                value = fields[name]
                found = excerpt(value) if isinstance(value, str) else f"of type {type(value).__name__}"
                raise InvalidArgumentError(f"{name} of {type(self).__name__} must be {constants[name]!r}, not {found}")
        if "type" in constants:
            fields.pop("type", None)
        if any(isinstance(value, (dict, list, tuple)) for value in fields.values()):
            from streamcore.types._reading import without_dicts

            fields = without_dicts(type(self), fields)
        init(self, *args, **fields)

    signature = inspect.signature(init)
    first, *others = signature.parameters.values()
    if "type" in constants:
        tag = constants["type"]
        keyword = inspect.Parameter("type", inspect.Parameter.KEYWORD_ONLY, default=tag, annotation=f'Literal["{tag}"]')
        others.insert(0, keyword)
    vars(checking)["__signature__"] = signature.replace(parameters=[first, *others])
    return checking
