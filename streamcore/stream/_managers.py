"""Managers: open a message stream on entering a `with` block, close it on leaving."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Generic

from typing_extensions import TypeVar

from streamcore.stream._message_stream import AsyncMessageStream, MessageStream

__all__ = ["AsyncMessageStreamManager", "MessageStreamManager"]

_StreamT = TypeVar("_StreamT", bound=MessageStream, default=MessageStream)
_AsyncStreamT = TypeVar("_AsyncStreamT", bound=AsyncMessageStream, default=AsyncMessageStream)


class MessageStreamManager(Generic[_StreamT]):
    """Open a message stream on entering and close it on leaving. Before that, nothing is sent.

    Args:
        open_stream: Opens the stream.
    """

    def __init__(self, open_stream: Callable[[], _StreamT]) -> None:
        self._open_stream = open_stream
        self._stream: _StreamT | None = None

    def __enter__(self) -> _StreamT:
        self._stream = self._open_stream()
        return self._stream

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()


class AsyncMessageStreamManager(Generic[_AsyncStreamT]):
    """Open an async message stream on entering and close it on leaving. Before that, nothing is sent.

    Args:
        open_stream: Opens the stream. It is called, and awaited, when the manager is entered.
    """

    def __init__(self, open_stream: Callable[[], Awaitable[_AsyncStreamT]]) -> None:
        self._open_stream = open_stream
        self._stream: _AsyncStreamT | None = None

    async def __aenter__(self) -> _AsyncStreamT:
        self._stream = await self._open_stream()
        return self._stream

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.close()
