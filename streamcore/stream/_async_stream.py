"""The async stream: as the sync one, with `await`, turns for other tasks, and a way to close without waiting."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from types import TracebackType
from typing import Any, Self, TypeVar

from streamcore._steps import run_async
from streamcore.errors import StreamCoreError
from streamcore.sse import ServerSentEvent, SSEDecoder
from streamcore.stream._base import IN_USE, StreamBase
from streamcore.stream._event_loop import AsyncClose, checkpoint, close_without_waiting
from streamcore.stream._pump import WORK_PER_TURN, Decoder
from streamcore.stream.drain import async_drain, is_drainable

__all__ = ["AsyncStream"]

_T = TypeVar("_T")


class AsyncStream(StreamBase[_T]):
    """`Stream` for async programs, under asyncio or trio: over an async iterable, and with an async `close`.

    If items are there without waiting for them, the stream lets other tasks run after every 128 items or KB, which is
    about once in a millisecond.

    Args:
        chunks: The bytes, cut anywhere.
        decoder: Decodes them: `RawMessageDecoder`, `MessageEngine`, `SSEDecoder` or any object with their methods.
        response: The HTTP library's response, which the stream has as `response`.
        close: Releases the connection. Called once. It should also end a read that is under way in another task,
            whatever that read then returns or raises. If the stream is dropped half-read, no code can wait for it.
            Under asyncio it is then run up to its first wait; under trio it runs in a task of its own, if trio still
            accepts one.
    """

    def __init__(
        self,
        chunks: AsyncIterable[bytes],
        *,
        decoder: Decoder[_T],
        response: Any = None,
        close: AsyncClose | None = None,
    ) -> None:
        self._chunks: AsyncIterator[bytes] = aiter(chunks)
        self._release = close
        super().__init__(decoder, response)
        self._thread = threading.get_ident()

    @staticmethod
    def raw_events(source: Any) -> AsyncStream[ServerSentEvent]:
        """Return a stream of the server-sent events in `source`.

        Args:
            source: An async iterable of bytes, or a response with `aiter_bytes()` and `aclose()`.
        """
        if hasattr(source, "aiter_bytes"):
            return AsyncStream(source.aiter_bytes(), decoder=SSEDecoder(), response=source, close=source.aclose)
        return AsyncStream(source, decoder=SSEDecoder())

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> _T:
        pump = self._pump
        if pump.reading:
            raise StreamCoreError(IN_USE)
        try:
            while True:
                if pump.work >= WORK_PER_TURN:
                    pump.work = 0
                    await checkpoint()
                if (item := pump.take()) is not None or pump.over:
                    break
                await self._read()
            if item is not None and self._handlers is not None and (calls := self._handlers.for_item(item)):
                await run_async(self._handling(self._handlers, calls))
        except GeneratorExit:
            # The coroutine was thrown away while it waited, so nothing can be awaited here.
            self._abandon()
            raise
        except BaseException as error:
            await self._end(error)
            raise
        if item is None:
            await self._end()
            raise StopAsyncIteration
        return item

    async def _read(self) -> None:
        """Read the next chunk. If that fails, the next `take()` raises the error."""
        pump = self._pump
        pump.reading = True
        try:
            chunk = await self._chunks.__anext__()
        except StopAsyncIteration:
            pump.receive(None)
        except Exception as error:  # noqa: BLE001  # raised by the next take()
            pump.receive_error(error)
        else:
            pump.receive(chunk)
        finally:
            pump.reading = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Release the connection. Iteration ends, in other tasks too. May be called at any time, and again."""
        await self._end()

    def __del__(self) -> None:
        if hasattr(self, "_pump"):  # the constructor has not failed
            self._abandon()

    def _abandon(self, *, is_finalizing: Callable[[], bool] = sys.is_finalizing) -> None:
        """Close everything without waiting."""
        # At the exit of the interpreter the globals of this module may be None already. A default argument is not.
        if not self._pump.end() or is_finalizing():
            return
        if threading.get_ident() != self._thread:
            return  # an event loop must not be touched from another thread
        closes: list[AsyncClose] = [] if self._release is None else [self._release]
        if isinstance(self._chunks, AsyncGenerator):
            # If it were only dropped, its event loop would close it late, or complain. (Nothing is reading from it: a
            # read keeps the stream alive, and one that is thrown away has ended.)
            closes.insert(0, self._chunks.aclose)
        with contextlib.suppress(Exception):
            close_without_waiting(closes)

    async def _end(self, error: BaseException | None = None) -> None:
        await run_async(self._ending(error))

    async def _drain(self) -> None:
        if is_drainable(self._chunks) and not self._pump.reading:
            await async_drain(self._chunks)

    async def _close_chunks(self) -> None:
        # A generator that another task is running cannot be closed. That task closes it when its read has ended.
        if isinstance(self._chunks, AsyncGenerator) and not self._pump.reading:
            await self._chunks.aclose()
