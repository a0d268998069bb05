"""Dicts and lists that cannot be changed, for the JSON values that snapshots share.

A snapshot shares everything unchanged with the snapshots before and after it. The wire types are frozen, but the input
of a tool and unknown fields are JSON: dicts and lists. If those could be changed, a change to one snapshot would show
in the others, and in those still to come.

`ImmutableDict` and `ImmutableList` are subclasses, so they are a dict and a list to `isinstance`, `==`, pattern
matching, `json`, msgspec and pydantic, and print like them. `ImmutableList` also holds the arrays of wire types, such
as the content of a message. They differ in four ways:

- Methods that would change them raise `TypeError`.
- They can be hashed if everything in them can be hashed.
- A list equals a tuple of the same items: programs compare with either.
- `copy.copy()`, `copy.deepcopy()`, `.copy()`, `dict(...)`, `list(...)`, `|`, `+` and slices give ordinary dicts and
  lists, which belong to the caller. A deep copy has ordinary ones at every level.

Rejected: returning copies. `block.input` would be a different object at each read, or cost a copy of each block that
is looked at; and snapshots of a block that is still open would copy all of it each time. Also rejected: proxies, such
as `MappingProxyType`, which are not dicts to `isinstance` and `json`.

Cost: a container is copied once, when it is complete. `dict.__setitem__(value, ...)` and `value.__init__(...)` still
change a value, as `object.__setattr__` changes a frozen attrs object. (With an `__init__` that refuses, a container
would have to be filled in another way, which takes 40 % longer.) Functions in C that write into any list or dict
without calling its methods, such as those of `heapq`, change a value too. The functions here that fill new containers
rely on the first.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

__all__ = [
    "ImmutableDict",
    "ImmutableList",
    "array",
    "immutable",
    "immutable_in_place",
    "immutable_items",
    "immutable_items_in_place",
    "sealed",
]

_K = TypeVar("_K")
_V = TypeVar("_V")


def _refuse_dict(self: object, *args: object, **kwargs: object) -> NoReturn:
    raise TypeError(
        "this dict cannot be changed, as snapshots share it; copy it first: dict(value), or copy.deepcopy(value) "
        "if nested values must change too"
    )


def _refuse_list(self: object, *args: object, **kwargs: object) -> NoReturn:
    raise TypeError(
        "this list cannot be changed, as snapshots share it; copy it first: list(value), or copy.deepcopy(value) "
        "if nested values must change too"
    )


class ImmutableDict(dict[_K, _V]):
    """A dict that cannot be changed."""

    __slots__ = ()

    __setitem__: Callable[..., NoReturn] = _refuse_dict
    __delitem__: Callable[..., NoReturn] = _refuse_dict
    __ior__: Callable[..., NoReturn] = _refuse_dict
    clear: Callable[..., NoReturn] = _refuse_dict
    pop: Callable[..., NoReturn] = _refuse_dict
    popitem: Callable[..., NoReturn] = _refuse_dict
    setdefault: Callable[..., NoReturn] = _refuse_dict
    update: Callable[..., NoReturn] = _refuse_dict
    fromkeys: Callable[..., dict[Any, Any]] = dict.fromkeys  # as it is of dict: it gives an ordinary one

    def __hash__(self) -> int:  # type: ignore[override]  # dict has none
        return hash(frozenset(self.items()))

    def __copy__(self) -> dict[_K, _V]:
        return dict(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[_K, _V]:
        made: dict[_K, _V] = {}
        for key, value in self.items():
            made[key] = copy.deepcopy(value, memo)
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return ImmutableDict, (dict(self),)


class ImmutableList(list[_V]):
    """A list that cannot be changed."""

    __slots__ = ()

    __setitem__: Callable[..., NoReturn] = _refuse_list
    __delitem__: Callable[..., NoReturn] = _refuse_list
    __iadd__: Callable[..., NoReturn] = _refuse_list
    __imul__: Callable[..., NoReturn] = _refuse_list
    append: Callable[..., NoReturn] = _refuse_list
    clear: Callable[..., NoReturn] = _refuse_list
    extend: Callable[..., NoReturn] = _refuse_list
    insert: Callable[..., NoReturn] = _refuse_list
    pop: Callable[..., NoReturn] = _refuse_list
    remove: Callable[..., NoReturn] = _refuse_list
    reverse: Callable[..., NoReturn] = _refuse_list
    sort: Callable[..., NoReturn] = _refuse_list

    def __eq__(self, other: object) -> bool:
        return list.__eq__(self, list(other) if isinstance(other, tuple) else other)

    def __ne__(self, other: object) -> bool:
        return list.__ne__(self, list(other) if isinstance(other, tuple) else other)

    def __hash__(self) -> int:  # type: ignore[override]  # list has none
        return hash(tuple(self))

    def __copy__(self) -> list[_V]:
        return list(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> list[_V]:
        made: list[_V] = []
        for value in self:
            made.append(copy.deepcopy(value, memo))  # noqa: PERF401  # a comprehension is one more frame at each level
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return ImmutableList, (list(self),)


def sealed(container: dict[Any, Any] | list[Any]) -> Any:
    """Return an immutable copy of one container, at its own level only."""
    if container.__class__ is dict:
        return ImmutableDict(container)
    return ImmutableList(container)


# Whether no type in an iterable is dict or list: one call in C. Most lists have no container, and then need no loop.
_holds_no_container = frozenset((dict, list)).isdisjoint


def immutable(value: Any) -> Any:
    """Return a JSON value with each dict and list in it replaced by an immutable copy.

    Parts that are immutable already are not looked into, so the cost is linear in what is not. Instances of other
    subclasses of dict and list, and all other objects, are left as they are. A container that is in the value several
    times is copied once: a value that contains itself gives one that contains itself.
    """
    if value.__class__ is not dict and value.__class__ is not list:
        return value
    made = sealed(value)
    copies = {id(value): made}
    # A list of what is still to be looked into, and not recursion: no depth is too much for it.
    unread = [made]
    while unread:
        container = unread.pop()
        if container.__class__ is ImmutableDict:
            for key, item in container.items():
                if item.__class__ is dict or item.__class__ is list:
                    inner = copies.get(id(item))
                    if inner is None:
                        inner = copies[id(item)] = sealed(item)
                        unread.append(inner)
                    dict.__setitem__(container, key, inner)
        elif not _holds_no_container(map(type, container)):
            for number, item in enumerate(container):
                if item.__class__ is dict or item.__class__ is list:
                    inner = copies.get(id(item))
                    if inner is None:
                        inner = copies[id(item)] = sealed(item)
                        unread.append(inner)
                    list.__setitem__(container, number, inner)
    return made


def immutable_in_place(value: Any) -> Any:
    """Return the same as `immutable`, for a value that belongs to the caller.

    Each container inside the value is replaced as soon as its copy has been made, so the value never exists twice,
    which halves the peak memory of an event. The value stays equal to what it was.
    """
    if value.__class__ is not dict and value.__class__ is not list:
        return value
    try:
        return _replace_inside(value)
    except RecursionError:
        return immutable(value)


def _replace_inside(container: Any) -> Any:
    if container.__class__ is dict:
        for key, item in container.items():
            if item.__class__ is dict or item.__class__ is list:
                container[key] = _replace_inside(item)
    elif not _holds_no_container(map(type, container)):
        for number, item in enumerate(container):
            if item.__class__ is dict or item.__class__ is list:
                container[number] = _replace_inside(item)
    return sealed(container)


def immutable_items(values: Any) -> Any:
    """Return an immutable list of JSON values, each made immutable, or None for None."""
    return None if values is None else ImmutableList([immutable(value) for value in values])


def immutable_items_in_place(values: list[Any] | None) -> ImmutableList[Any] | None:
    """Return the same as `immutable_items`, for values that belong to the caller."""
    return None if values is None else ImmutableList([immutable_in_place(value) for value in values])


def array(value: Any) -> Any:
    """Return an immutable list of the items of a list or a tuple, and any other value as it is.

    The items are not copied.
    """
    if value.__class__ is ImmutableList or not isinstance(value, (list, tuple)):
        return value
    return ImmutableList(value)
