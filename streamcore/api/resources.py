"""Attributes of a client that are made once, so that programs' tests can patch them: `client.messages`.

A client and its `messages` refer to each other. As a reference cycle, they would keep their connections open until
garbage is collected; dropped clients close their connections at once. So `messages` refers to a second object that
shares the attributes of the client (`vars()`), and is not the client. The client alone has the slot for its resources.
Tests: `tests/httpx/test_httpx_leaks.py`, `tests/api/test_arguments.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

__all__ = ["HasResources", "Resource"]

_T = TypeVar("_T")


class HasResources:
    """The base of clients."""

    __slots__ = ("__dict__", "__weakref__", "_resources")

    _resources: dict[str, Any]


def _resources_of(client: HasResources) -> dict[str, Any]:
    try:
        return client._resources
    except AttributeError:  # it was made without the constructor
        client._resources = {}
        return client._resources


class Resource(Generic[_T]):
    """A property that is made when it is first read. It may be set and deleted, after which it is made again.

    Args:
        make: Makes it. Its argument is an object like the client, without resources.
    """

    def __init__(self, make: Callable[[Any], _T]) -> None:
        self._make = make
        self._name = make.__name__
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, client: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, client: HasResources, owner: type[Any]) -> _T: ...
    def __get__(self, client: HasResources | None, owner: type[Any]) -> Self | _T:
        if client is None:
            return self
        resources = _resources_of(client)
        if self._name not in resources:
            shared: Any = object.__new__(type(client))
            shared.__dict__ = client.__dict__
            # Two threads that get here together must return the same object.
            resources.setdefault(self._name, self._make(shared))
        resource: _T = resources[self._name]
        return resource

    def __set__(self, client: HasResources, value: Any) -> None:
        _resources_of(client)[self._name] = value

    def __delete__(self, client: HasResources) -> None:
        _resources_of(client).pop(self._name, None)
