"""The event loop of an async answer: close the answer where nothing can be awaited, and when the loop ends.

The body of a response of httpx is read by six to eight async generators, each inside the next, in httpx and httpcore.
Both asyncio and trio close the generators that are left half-read. asyncio closes all at once. Those of a body close
each other, and then fail because one "is already running". trio closes them in any order, and warns about each that was
dropped. So `first_of` keeps both from seeing the generators of a body. They see a single one, the guard, which closes
the others in order.

Each part is needed; simpler ways were considered:

- Setting the hooks of `first_of` once, around the first read: while it waits, other tasks would start their generators
  under our hooks. So the hooks are set for each step, and the steps are passed on by hand. `yield from` cannot do it.
- Closing only the response: that does not end the generators, which the loop would finalize later, with a complaint.
- Running `aclose()` up to its first wait, as streams do for other iterables: httpcore first waits for a lock of its
  pool, so nothing would be closed. It takes a task, and `_Begun` makes sure that the task starts.
- anyio for `pause()`: its cancel scope belongs to a task, and a stream that is dropped is closed from within any task.
- One guard for each loop, for bodies and kept connections alike: bodies must be kept alive until they are closed, and
  connections must not be.
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

__all__ = ["Close", "at_end", "close_with_loop", "first_of", "running_loop"]

_T = TypeVar("_T")

_log = logging.getLogger(__name__)

Close: TypeAlias = Callable[[], Coroutine[Any, Any, None]]


def running_loop() -> _AsyncioLoop | _TrioLoop:
    """Return the event loop that is running now. Its `spawn()` may be called even when it has ended.

    Raises:
        RuntimeError: Neither asyncio nor trio is running.
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
        # Nobody could handle it, and in trio a background task that fails ends the whole program.
        _log.warning("a connection could not be closed cleanly", exc_info=True)


# Each guard, with the generators of the body that it closes. Loops hold generators weakly, so they are held here.
_guards: dict[AsyncGenerator[None], list[AsyncGeneratorType[Any, Any]]] = {}


def at_end(close: Close, generators: list[AsyncGeneratorType[Any, Any]]) -> Callable[[], None]:
    """Have `close` run when the running event loop ends, unless the returned function is called before.

    What `close` refers to stays alive until then.

    Args:
        close: Closes a response and `generators`.
        generators: The generators that the body is read by.
    """

    async def close_once() -> None:
        _guards.pop(guard, None)
        await _quietly(close)

    def cancel() -> None:
        if _guards.pop(guard, None) is not None:
            _resume(guard)

    guard = _until_closed(close_once)
    _resume(guard)
    _guards[guard] = generators
    return cancel


@atexit.register
def _end_generators() -> None:
    """End what is still half-read when the interpreter exits, because its event loop was never closed.

    No loop is left that could close it, and the system closes the sockets. But the interpreter would finalize each
    generator, which fails as no loop is running, and print its traceback.
    """
    while _guards:
        guard, generators = _guards.popitem()
        _resume(guard)
        for generator in generators:
            with contextlib.suppress(BaseException):
                steps = generator.aclose().__await__()
                next(steps)
                steps.close()


async def _until_closed(close: Close) -> AsyncGenerator[None]:
    """Run `close` when the event loop closes this generator at its end, unless it was resumed before."""
    try:
        yield
    except GeneratorExit:
        await close()


def _resume(guard: AsyncGenerator[None]) -> None:
    # The generator does not wait, so it can be run without an event loop.
    with contextlib.suppress(StopIteration, StopAsyncIteration):
        guard.__anext__().__await__().__next__()


# The connections of each loop of asyncio, and the guard that closes them at its end.
_kept: dict[asyncio.AbstractEventLoop, tuple[weakref.WeakSet[Any], AsyncGenerator[None]]] = {}


def close_with_loop(connection: Any) -> None:
    """Have a connection closed at the end of the running event loop, if it still exists then.

    A pool keeps it open for later, but another loop of asyncio can neither use nor close it. With trio, all loops can.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return
    if loop not in _kept:
        for ended in [each for each in list(_kept) if each.is_closed()]:  # without closing its generators
            _kept.pop(ended, None)
        connections: weakref.WeakSet[Any] = weakref.WeakSet()
        guard = _until_closed(functools.partial(_close_kept, loop))
        _resume(guard)
        _kept[loop] = connections, guard
    with contextlib.suppress(TypeError):  # a stand-in of the caller that does not support weak references
        _kept[loop][0].add(connection)


async def _close_kept(loop: asyncio.AbstractEventLoop) -> None:
    connections, _ = _kept.pop(loop)
    for connection in list(connections):
        await _quietly(connection.aclose)


class _Begun(Coroutine[Any, Any, None]):
    """A coroutine that takes its first step even if it is cancelled before.

    At its end, `asyncio.run` cancels all tasks and waits for them. A task that was created just before would end
    without having started, and its connection would stay open.
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


class _AsyncioLoop:
    # asyncio holds only weak references to tasks.
    _closing: set[asyncio.Task[None]] = set()  # noqa: RUF012  # shared by all on purpose

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def spawn(self, close: Close) -> None:
        """Run `close` in the background, from any thread, if the loop still accepts tasks."""

        def start() -> None:
            task = self._loop.create_task(_Begun(_quietly(close)))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(start)

    async def pause(self) -> None:
        """Let other tasks run once."""
        await asyncio.sleep(0)


class _TrioLoop:
    def __init__(self) -> None:
        import trio

        self._trio = trio
        self._token = trio.lowlevel.current_trio_token()

    def spawn(self, close: Close) -> None:
        """Run `close` in the background, from any thread, if trio still accepts tasks."""

        def start() -> None:
            with contextlib.suppress(RuntimeError):  # the main task has ended, and with it the time of system tasks
                self._trio.lowlevel.spawn_system_task(_quietly, close)

        with contextlib.suppress(self._trio.RunFinishedError):
            self._token.run_sync_soon(start)

    async def pause(self) -> None:
        """Let other tasks run once, shielded from cancellation by trio."""
        await self._trio.lowlevel.cancel_shielded_checkpoint()
