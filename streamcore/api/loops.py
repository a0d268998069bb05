"""Close connections when their event loop ends, and where nothing can be awaited.

Event loops of asyncio and trio close the async generators that are open when they end. So each loop gets one generator
of ours, the guard, which closes everything else in order.

Simpler ways were considered:

- Running the coroutine that closes up to its first wait, as streams do for other iterables: httpcore first waits for a
  lock of its pool, so nothing would be closed. So a task closes. If the loop ends before the task has begun, the guard
  does.
- anyio for `pause()`: its cancel scope belongs to a task, and a stream that is dropped is closed from within any task.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import logging
import sys
import weakref
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, TypeAlias

__all__ = ["Loop", "running_loop"]

_log = logging.getLogger(__name__)

Close: TypeAlias = Callable[[], Coroutine[Any, Any, None]]


async def _quietly(close: Close) -> None:
    try:
        await close()
    except Exception:  # noqa: BLE001  # logged
        # Nobody could handle it, and in trio a background task that fails ends the whole program.
        _log.warning("a connection could not be closed cleanly", exc_info=True)


class Loop:
    """An event loop: what to close at its end, and how to close something earlier.

    Attributes:
        closings: The coroutine functions that close what is open, each with a plain function as its substitute. The
            substitute is called where the loop cannot run a coroutine any more: it has ended without closing its
            generators, or another thread is running it when the interpreter exits. Everything that these functions
            refer to stays alive until then.
    """

    _start: Callable[[Close], None]
    pause: Close

    def __init__(self, key: Any) -> None:
        self.closings: dict[Close, Callable[[], None]] = {}
        self._key = key
        self._connections: weakref.WeakSet[Any] = weakref.WeakSet()
        self._guard = self._until_end()
        _resume(self._guard)

    async def _until_end(self) -> AsyncGenerator[None]:
        """Close everything when the event loop closes this generator at its end, unless it was resumed before."""
        try:
            yield
        except GeneratorExit:
            _loops.pop(self._key, None)
            while self.closings:
                close, _ = self.closings.popitem()
                await _quietly(close)
            for connection in list(self._connections):
                await _quietly(connection.aclose)

    def keep(self, connection: Any) -> None:
        """Close a connection when the loop ends, if it still exists then.

        A pool keeps it open for later, but another loop of asyncio can neither use nor close it.
        """
        with contextlib.suppress(TypeError):  # a stand-in of the caller that does not support weak references
            self._connections.add(connection)

    async def close(self, close: Close) -> None:
        """Run one of `closings`, and remove it."""
        try:
            await close()
        finally:
            self.closings.pop(close, None)

    def spawn(self, close: Close) -> None:
        """Run `close` in the background, or when the loop ends, if that is before. Any thread may call this."""
        self.closings.setdefault(close, lambda: None)
        self._start(functools.partial(_quietly, functools.partial(self.close, close)))


def _resume(guard: AsyncGenerator[None]) -> None:
    # The generator does not wait, so it can be run without an event loop.
    with contextlib.suppress(StopIteration, StopAsyncIteration):
        guard.__anext__().__await__().__next__()


class _AsyncioLoop(Loop):
    def _start(self, run: Close) -> None:
        def start() -> None:
            task = self._key.create_task(run())
            _tasks.add(task)
            task.add_done_callback(_tasks.discard)

        if self._key.is_closed():
            _abandon(self._key)
        else:
            self._key.call_soon_threadsafe(start)

    async def pause(self) -> None:
        """Let other tasks run once."""
        await asyncio.sleep(0)


class _TrioLoop(Loop):
    def keep(self, connection: Any) -> None:
        """Do nothing: another loop of trio can use the connection. A pool fails on one that was closed."""

    def _start(self, run: Close) -> None:
        import trio

        def start() -> None:
            with contextlib.suppress(RuntimeError):  # the main task has ended, and with it the time of system tasks
                trio.lowlevel.spawn_system_task(run)

        with contextlib.suppress(trio.RunFinishedError):
            self._key.run_sync_soon(start)

    async def pause(self) -> None:
        """Let other tasks run once, shielded from cancellation by trio."""
        import trio

        await trio.lowlevel.cancel_shielded_checkpoint()


# These keep tasks and guards alive: asyncio refers to its tasks weakly, and both libraries to their generators.
_tasks: set[asyncio.Task[None]] = set()
_loops: dict[Any, _AsyncioLoop | _TrioLoop] = {}


def running_loop() -> _AsyncioLoop | _TrioLoop:
    """Return the event loop that is running now.

    Raises:
        RuntimeError: Neither asyncio nor trio is running.
    """
    key: Any
    kind: type[_AsyncioLoop | _TrioLoop] = _AsyncioLoop
    try:
        key = asyncio.get_running_loop()
    except RuntimeError:
        if (trio := sys.modules.get("trio")) is None:
            raise
        key, kind = trio.lowlevel.current_trio_token(), _TrioLoop
    if key not in _loops:
        for each in list(_loops):
            if isinstance(each, asyncio.AbstractEventLoop) and each.is_closed():  # without closing its generators
                _abandon(each)
        _loops[key] = kind(key)
    return _loops[key]


@atexit.register
def _abandon_all() -> None:
    """Close what loops that were never closed have left open, while the interpreter is still whole."""
    for key in list(_loops):
        with contextlib.suppress(Exception):  # Python would print it, and nobody could handle it
            _abandon(key)


def _abandon(key: Any) -> None:
    """Close what a loop has left open, in the loop if it can still run."""
    if (loop := _loops.pop(key, None)) is None:  # another thread has done it
        return
    if isinstance(key, asyncio.AbstractEventLoop) and not key.is_closed() and not key.is_running():
        key.run_until_complete(loop._guard.aclose())
        return
    _resume(loop._guard)
    for close in list(loop.closings.values()):
        close()
