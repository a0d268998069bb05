"""The event loop of an async answer: close the answer where nothing can be awaited, and when the loop ends.

The body of a response of httpx is read by six to eight async generators, each inside the next, in httpx and httpcore.
Both asyncio and trio close the generators that are left half-read. asyncio closes all at once. Those of a body close
each other, and then fail because one "is already running". trio closes them in any order, and warns about each that was
dropped. So `first_of` keeps both from seeing the generators of a body. They see a single one for all bodies, the guard,
which closes the others in order.

Simpler ways were considered:

- Setting the hooks of `first_of` once, around the first read: while it waits, other tasks would start their generators
  under our hooks. So the hooks are set for each step, and the steps are passed on by hand. `yield from` cannot do it.
- Closing only the response: that does not end the generators, which the loop would finalize later, with a complaint.
- Running `aclose()` up to its first wait, as streams do for other iterables: httpcore first waits for a lock of its
  pool, so nothing would be closed. It takes a task. If the loop ends before the task has begun, the guard closes.
- anyio for `pause()`: its cancel scope belongs to a task, and a stream that is dropped is closed from within any task.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import logging
import sys
import types
import weakref
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from types import AsyncGeneratorType
from typing import Any, TypeAlias, TypeVar

import anyio

__all__ = ["first_of", "running_loop"]

_T = TypeVar("_T")

_log = logging.getLogger(__name__)

Close: TypeAlias = Callable[[], Coroutine[Any, Any, None]]


async def _quietly(close: Close) -> None:
    try:
        await close()
    except Exception:  # noqa: BLE001  # logged
        # Nobody could handle it, and in trio a background task that fails ends the whole program.
        _log.warning("a connection could not be closed cleanly", exc_info=True)


class _Loop:
    """An event loop: what to close at its end, and how to close something before.

    Attributes:
        closings: The functions that close the bodies which are half-read, each with the generators that read it.
            Everything that these refer to stays alive until then.
    """

    _start: Callable[[Close], None]
    pause: Close

    def __init__(self, key: Any) -> None:
        self.closings: dict[Close, list[AsyncGeneratorType[Any, Any]]] = {}
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
            with anyio.CancelScope(shield=True):  # trio cancels what it runs at its end
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
        self.closings.setdefault(close, [])
        self._start(functools.partial(_quietly, functools.partial(self.close, close)))


def _resume(guard: AsyncGenerator[None]) -> None:
    # The generator does not wait, so it can be run without an event loop.
    with contextlib.suppress(StopIteration, StopAsyncIteration):
        guard.__anext__().__await__().__next__()


class _AsyncioLoop(_Loop):
    def _start(self, run: Close) -> None:
        def start() -> None:
            task = self._key.create_task(run())
            _tasks.add(task)
            task.add_done_callback(_tasks.discard)

        if not self._key.is_closed():
            self._key.call_soon_threadsafe(start)

    async def pause(self) -> None:
        """Let other tasks run once."""
        await asyncio.sleep(0)


class _TrioLoop(_Loop):
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


# asyncio holds tasks weakly, and both libraries the guards of their loops.
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
def _abandon_loops() -> None:
    """End what is half-read while the interpreter is whole, where an event loop was never closed."""
    for key in list(_loops):
        _abandon(key)


def _abandon(key: Any) -> None:
    """End what is half-read without the event loop, which has ended or will never close it.

    The system closes the sockets. But the interpreter would finalize each generator, which fails as no loop is running,
    and print its traceback.
    """
    if (loop := _loops.pop(key, None)) is not None:  # another thread may do the same
        _resume(loop._guard)
        for generator in [each for generators in list(loop.closings.values()) for each in generators]:
            with contextlib.suppress(BaseException):
                steps = generator.aclose().__await__()
                next(steps)
                steps.close()


@types.coroutine
def first_of(chunks: AsyncGenerator[_T], started: list[Any]) -> Generator[Any, Any, _T]:
    """Return the first of `chunks`, and append the async generators that are started by it to `started`.

    `chunks` is the first of these. The event loop does not see them, so the owner of the list must close them. The
    hooks that hide them are set for each step alone, so that other tasks, which run in between, keep theirs.
    """
    with _first_iterations(started):
        iterator: Any = chunks.__anext__()
    step = functools.partial(iterator.send, None)
    while True:
        try:
            with _first_iterations(started):
                waits_for = step()
        except StopIteration as end:
            chunk: _T = end.value
            return chunk
        try:
            sent = yield waits_for
        except BaseException as error:  # noqa: BLE001  # passed on to the iterator
            step = functools.partial(iterator.throw, error)
        else:
            step = functools.partial(iterator.send, sent)


@contextlib.contextmanager
def _first_iterations(started: list[Any]) -> Generator[None]:
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(firstiter=started.append, finalizer=None)
    try:
        yield
    finally:
        sys.set_asyncgen_hooks(*hooks)
