"""Views of a message stream in the user's own classes, sync and async: partial values, and values at a path.

In: a stream, and the views that its engine has. Out: values. Like `text_stream` they are views of the one stream: you
may leave one and go on with another, or with the stream itself, and nothing is lost.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Generic, Self, TypeAlias, overload

from typing_extensions import TypeVar

from streamcore.errors import api_errors

if TYPE_CHECKING:
    from streamcore.engine import MessageEngine
    from streamcore.stream._pump import Pump
    from streamcore.typed import Values

__all__ = ["AsyncStreamValues", "StreamValues", "TypedAsyncStream", "TypedStream"]

_T = TypeVar("_T", default=Any)

Errors: TypeAlias = Callable[[], AbstractContextManager[None]]


class StreamValues(Generic[_T]):
    """Iterate over values as they become complete.

    Args:
        read_on: Reads the next item of the stream. It is called when no value is there, and raises `StopIteration` at
            the end of the stream.
        values: The values that are there.
        errors: Returns a context that raises errors as the stream does.
    """

    __slots__ = ("_errors", "_read_on", "_values")

    def __init__(self, read_on: Callable[[], object], values: Values[_T], errors: Errors) -> None:
        self._read_on = read_on
        self._values = values
        self._errors = errors

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> _T:
        while True:
            with self._errors():
                for value in self._values:
                    return value
            self._read_on()


class AsyncStreamValues(Generic[_T]):
    """`StreamValues` for an async stream."""

    # This is not an async generator, because one that is left half-read is closed by its event loop, later and only if
    # that still runs.

    __slots__ = ("_errors", "_read_on", "_values")

    def __init__(self, read_on: Callable[[], Awaitable[object]], values: Values[_T], errors: Errors) -> None:
        self._read_on = read_on
        self._values = values
        self._errors = errors

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> _T:
        while True:
            with self._errors():
                for value in self._values:
                    return value
            await self._read_on()


class _Typed:
    """The base of `TypedStream` and `TypedAsyncStream`."""

    _engine: MessageEngine[Any]
    _pump: Pump[Any]

    def _errors(self) -> AbstractContextManager[None]:
        response = self._pump.response
        return nullcontext() if response is None else api_errors(response)

    @overload
    def partial(self, type: type[_T], *, block: int | None = None, tool: str | None = None) -> _T: ...
    @overload
    def partial(self, type: Any, *, block: int | None = None, tool: str | None = None) -> Any: ...
    def partial(self, type: Any, *, block: int | None = None, tool: str | None = None) -> Any:  # noqa: A002  # the usual name; the builtin is not used here
        """Return a value of a class as far as it has arrived. See `MessageEngine.partial`."""
        return self._engine.partial(type, block=block, tool=tool)


class TypedStream(_Typed):
    """The views of a sync message stream in the user's own classes."""

    if TYPE_CHECKING:

        def __next__(self) -> object: ...

    @overload
    def values(
        self, path: str, type: type[_T], *, block: int | None = None, tool: str | None = None
    ) -> StreamValues[_T]: ...
    @overload
    def values(
        self, path: str, type: Any = None, *, block: int | None = None, tool: str | None = None
    ) -> StreamValues: ...
    def values(self, path: str, type: Any = None, *, block: int | None = None, tool: str | None = None) -> StreamValues:  # noqa: A002  # the usual name; the builtin is not used here
        """Return the values at a path of a tool's input or of structured output, each as soon as it is complete.

        See `MessageEngine.values` for paths and arguments. Like `text_stream`, the result is a view of the stream and
        reads it on. The same arguments give the same view, which goes on where it was left; a new one begins at the
        beginning of the message, even if that has been read already.
        """
        return StreamValues(self.__next__, self._engine.values(path, type, block=block, tool=tool), self._errors)


class TypedAsyncStream(_Typed):
    """The views of an async message stream in the user's own classes."""

    if TYPE_CHECKING:

        async def __anext__(self) -> object: ...

    @overload
    def values(
        self, path: str, type: type[_T], *, block: int | None = None, tool: str | None = None
    ) -> AsyncStreamValues[_T]: ...
    @overload
    def values(
        self, path: str, type: Any = None, *, block: int | None = None, tool: str | None = None
    ) -> AsyncStreamValues: ...
    def values(
        self,
        path: str,
        type: Any = None,  # noqa: A002  # the usual name; the builtin is not used here
        *,
        block: int | None = None,
        tool: str | None = None,
    ) -> AsyncStreamValues:
        """Return the values at a path of a tool's input or of structured output, each as soon as it is complete.

        See `MessageEngine.values` for paths and arguments. Like `text_stream`, the result is a view of the stream and
        reads it on. The same arguments give the same view, which goes on where it was left; a new one begins at the
        beginning of the message, even if that has been read already.
        """
        return AsyncStreamValues(self.__anext__, self._engine.values(path, type, block=block, tool=tool), self._errors)
