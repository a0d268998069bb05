"""Our exceptions as exceptions of the official package too, so that `except` clauses written for it hold.

An exception of a stream gets a class that derives from its own class, from the class with the same name in the official
package, and if an HTTP library raised it, from the class of that exception: the official client lets these through. The
classes are made when they are first needed, once for each combination. All of them come from these three libraries, so
a peer cannot add any.
"""

from __future__ import annotations

import functools
from typing import Any, TypeVar, cast

import anthropic
import anthropic.types

from streamcore.anthropic.official_classes import lookalike
from streamcore.errors import APIError, StreamCoreError

__all__ = ["as_theirs"]

_ErrorT = TypeVar("_ErrorT", bound=StreamCoreError)
_LIBRARIES = ("httpx2", "httpx")


def as_theirs(error: _ErrorT) -> _ErrorT:
    """Return an error as one of the official package too, with all that it has."""
    if isinstance(error, _Both):
        return error
    ours: Any = type(error)
    cls = _both((ours, *_theirs(ours), *_of_library(error.__cause__)))
    made = cls.__new__(cls, *error.args)
    made.__dict__.update(error.__dict__)
    if "snapshot" in made.__dict__:
        made.__dict__["snapshot"] = lookalike(made.__dict__["snapshot"])
    made.__cause__, made.__context__ = error.__cause__, error.__context__
    made.__suppress_context__ = error.__suppress_context__
    return cast("_ErrorT", made.with_traceback(error.__traceback__))


class _Both(Exception):
    """The base of the classes that are made here."""

    @property
    def request(self) -> Any:
        """The HTTP library's request. The exceptions of httpx have a property of this name, ours an attribute."""
        return self.__dict__.get("request")

    @request.setter
    def request(self, value: Any) -> None:
        self.__dict__["request"] = value

    def __reduce__(self) -> tuple[Any, ...]:
        # The class cannot be imported. The HTTP library's objects have connections, so they stay in this process.
        state = {name: None if name in ("request", "response") else value for name, value in self.__dict__.items()}
        return _restore, (type(self).__bases__[1:], self.args), state


def _restore(bases: tuple[type[Any], ...], args: tuple[Any, ...]) -> Exception:
    cls = _both(bases)
    return cls.__new__(cls, *args)


@functools.cache
def _both(classes: tuple[type[Any], ...]) -> type[Exception]:
    """Return the class that derives from all of these, under the name and the module of the first, which is ours."""
    ours = classes[0]
    names = {"__module__": ours.__module__, "__qualname__": ours.__qualname__, "__doc__": ours.__doc__}
    return type(ours.__name__, (_Both, *classes), names)


@functools.cache
def _theirs(ours: type[Exception]) -> tuple[type[Exception], ...]:
    """Return the official class with the name of ours, or of the nearest of its bases."""
    for cls in ours.__mro__:
        for module in (anthropic, anthropic.types):
            found = getattr(module, cls.__name__, None)
            if isinstance(found, type) and issubclass(found, anthropic.APIError) and issubclass(cls, APIError):
                return (found,)
    return ()


def _of_library(cause: BaseException | None) -> tuple[type[BaseException], ...]:
    """Return the class of an exception of httpx2 or httpx."""
    is_of_library = type(cause).__module__.partition(".")[0] in _LIBRARIES
    return (type(cause),) if is_of_library and cause is not None else ()
