"""What a message stream shows of the user's own classes, sync and async: partial views, and the values at a path, which
read the stream on until the next one is complete.

In: a stream, and the views that its engine has. Out: values. They are views of the one stream, as its
`text_stream` is: leave one and go on with another, or with the stream itself, and nothing is lost.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Generic, Self, overload

from typing_extensions import TypeVar

if TYPE_CHECKING:
    from streamcore.engine import MessageEngine
    from streamcore.typed import Values

__all__ = ["AsyncStreamValues", "StreamValues", "TypedAsyncStream", "TypedStream"]

_T = TypeVar("_T", default=Any)


class StreamValues(Generic[_T]):
    """Values as they become complete.

    Args:
        read_on: Reads the stream on, by one item, when no value is there. At its end it stops the iteration.
        values: Those that are there.
    """

    __slots__ = ("_read_on", "_values")

    def __init__(self, read_on: Callable[[], object], values: Values[_T]) -> None:
        self._read_on = read_on
        self._values = values

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> _T:
        while True:
            for value in self._values:
                return value
            self._read_on()


class AsyncStreamValues(Generic[_T]):
    """The same for an async stream."""

    # Not an async generator: one that is left half-read is closed later, by the event loop, if there still is one.

    __slots__ = ("_read_on", "_values")

    def __init__(self, read_on: Callable[[], Awaitable[object]], values: Values[_T]) -> None:
        self._read_on = read_on
        self._values = values

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> _T:
        while True:
            for value in self._values:
                return value
            await self._read_on()


class _Typed:
    _engine: MessageEngine[Any]

    @overload
    def partial(self, type: type[_T], *, block: int | None = None, tool: str | None = None) -> _T: ...
    @overload
    def partial(self, type: Any, *, block: int | None = None, tool: str | None = None) -> Any: ...
    def partial(self, type: Any, *, block: int | None = None, tool: str | None = None) -> Any:  # noqa: A002
        """What has come of a value of a class, up to the latest event, with `MISSING` in place of all that has not; see
        `MessageEngine.partial`.
        """
        return self._engine.partial(type, block=block, tool=tool)


class TypedStream(_Typed):
    """What a sync message stream has to do with the user's classes."""

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
    def values(self, path: str, type: Any = None, *, block: int | None = None, tool: str | None = None) -> StreamValues:  # noqa: A002
        """The values at a path of a tool's input or of structured output, each as soon as it is complete; for paths and
        arguments see `MessageEngine.values`.

        A view of the stream, as is `text_stream`, which it reads on. Asked for again with the same arguments it goes on
        where it was left; a new one begins at the beginning of the message, also when that has been read.
        """
        return StreamValues(self.__next__, self._engine.values(path, type, block=block, tool=tool))


class TypedAsyncStream(_Typed):
    """What an async message stream has to do with the user's classes."""

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
        type: Any = None,  # noqa: A002
        *,
        block: int | None = None,
        tool: str | None = None,
    ) -> AsyncStreamValues:
        """The values at a path of a tool's input or of structured output, each as soon as it is complete; for paths and
        arguments see `MessageEngine.values`.

        A view of the stream, as is `text_stream`, which it reads on. Asked for again with the same arguments it goes on
        where it was left; a new one begins at the beginning of the message, also when that has been read.
        """
        return AsyncStreamValues(self.__anext__, self._engine.values(path, type, block=block, tool=tool))
