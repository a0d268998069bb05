"""The event loop an async answer belongs to, for closing it from where nothing can be awaited. For asyncio and trio."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Protocol, TypeAlias

__all__ = ["Close", "Loop", "running_loop"]

_log = logging.getLogger(__name__)

Close: TypeAlias = Callable[[], Coroutine[Any, Any, None]]


class Loop(Protocol):
    """An event loop. It may have ended when it is asked for something."""

    def spawn(self, close: Close, *, late: Callable[[], object]) -> None:
        """Run `close` in the background, from any thread; or, if the loop takes no more tasks, `late`.

        Under asyncio a loop takes tasks up to its end.
        """

    async def pause(self) -> None:
        """Give up control once, without heeding trio's cancellation."""


def running_loop() -> Loop:
    """The event loop that is running now.

    Raises:
        RuntimeError: None is.
    """
    try:
        return _AsyncioLoop(asyncio.get_running_loop())
    except RuntimeError:
        with contextlib.suppress(ImportError):
            return _TrioLoop()
        raise


async def _quietly(close: Close) -> None:
    try:
        await close()
    except Exception:  # noqa: BLE001  # logged
        # There is no one to raise it to, and a background task of trio's that fails takes the whole program along.
        _log.warning("a connection could not be closed in good order", exc_info=True)


class _Begun(Coroutine[Any, Any, None]):
    """A coroutine that takes its first step even if it is cancelled before it.

    At its end `asyncio.run` cancels all tasks and waits for them. One that was made a moment before would end there
    without a start, and its connection stay open.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self._coroutine = coroutine
        self._begun = False

    def send(self, value: Any) -> Any:
        self._begun = True
        return self._coroutine.send(value)

    def throw(self, *error: Any) -> Any:
        return self._coroutine.throw(*error) if self._begun else self.send(None)

    def close(self) -> None:
        self._coroutine.close()

    def __await__(self) -> Generator[Any, Any, None]:
        return self._coroutine.__await__()


class _AsyncioLoop:
    # asyncio itself holds tasks weakly.
    _closing: set[asyncio.Task[None]] = set()  # noqa: RUF012  # shared by all on purpose

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def spawn(self, close: Close, *, late: Callable[[], object]) -> None:
        def start() -> None:
            task = self._loop.create_task(_Begun(_quietly(close)))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(start)

    async def pause(self) -> None:
        await asyncio.sleep(0)


class _TrioLoop:
    def __init__(self) -> None:
        import trio

        self._trio = trio
        self._token = trio.lowlevel.current_trio_token()

    def spawn(self, close: Close, *, late: Callable[[], object]) -> None:
        def start() -> None:
            try:
                self._trio.lowlevel.spawn_system_task(_quietly, close)
            except RuntimeError:  # the main task has ended, and with it the time of system tasks
                late()

        try:
            self._token.run_sync_soon(start)
        except self._trio.RunFinishedError:
            late()

    async def pause(self) -> None:
        await self._trio.lowlevel.cancel_shielded_checkpoint()
