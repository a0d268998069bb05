"""The event loop an async answer belongs to: for closing it from where nothing can be awaited, and at the loop's end.

For asyncio and trio. Both close the async generators that are left half-read: asyncio all at once, so that one which is
closing another, as those of a body do, is told that it "is already running"; trio in no order, and with a warning for
each that it finds dropped. So neither gets to know of those of a body, but of one only that closes them in order.
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
from typing import Any, Protocol, TypeAlias, TypeVar

__all__ = ["Close", "Loop", "at_end", "close_with_loop", "first_of", "running_loop"]

_T = TypeVar("_T")

_log = logging.getLogger(__name__)

Close: TypeAlias = Callable[[], Coroutine[Any, Any, None]]


class Loop(Protocol):
    """An event loop. It may have ended when it is asked for something."""

    def spawn(self, close: Close) -> None:
        """Run `close` in the background, from any thread, if the loop still takes tasks."""

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

    There is no loop any more that could close it, and the system closes the sockets. But each generator would be
    finalized by the interpreter, fail as no loop is running, and have its traceback printed.
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
    """What a loop closes at its end, and so runs `close`; if it was not resumed before."""
    try:
        yield
    except GeneratorExit:
        await close()


def _resume(guard: AsyncGenerator[None]) -> None:
    # It waits for nothing, so that it takes no event loop to run it.
    with contextlib.suppress(StopIteration, StopAsyncIteration):
        guard.__anext__().__await__().__next__()


# The connections that belong to each loop of asyncio, and what closes them at its end.
_kept: dict[asyncio.AbstractEventLoop, tuple[weakref.WeakSet[Any], AsyncGenerator[None]]] = {}


def close_with_loop(connection: Any) -> None:
    """Have a connection closed at the end of the running event loop, if it is still there then.

    A pool keeps it open for later, and in another loop of asyncio's it can neither be used nor closed. To trio, any of
    its loops is the same.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return
    if loop not in _kept:
        for ended in [each for each in list(_kept) if each.is_closed()]:  # without a word to its generators
            _kept.pop(ended, None)
        connections: weakref.WeakSet[Any] = weakref.WeakSet()
        guard = _until_closed(functools.partial(_close_kept, loop))
        _resume(guard)
        _kept[loop] = connections, guard
    with contextlib.suppress(TypeError):  # somebody's stand-in, which cannot be referred to weakly
        _kept[loop][0].add(connection)


async def _close_kept(loop: asyncio.AbstractEventLoop) -> None:
    connections, _ = _kept.pop(loop)
    for connection in list(connections):
        await _quietly(connection.aclose)


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


@types.coroutine
def first_of(chunks: AsyncGenerator[_T], started: list[Any]) -> Generator[Any, Any, _T]:
    """The first of `chunks`. The async generators that begin on the way, `chunks` the first of them, come into
    `started`: the loop gets to know of none, and whoever has the list has to close them.

    Each step is made by itself, so that other tasks, which run in between, keep their hooks.
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
        except BaseException as error:  # noqa: BLE001  # passed on
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
    # asyncio itself holds tasks weakly.
    _closing: set[asyncio.Task[None]] = set()  # noqa: RUF012  # shared by all on purpose

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def spawn(self, close: Close) -> None:
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

    def spawn(self, close: Close) -> None:
        def start() -> None:
            with contextlib.suppress(RuntimeError):  # the main task has ended, and with it the time of system tasks
                self._trio.lowlevel.spawn_system_task(_quietly, close)

        with contextlib.suppress(self._trio.RunFinishedError):
            self._token.run_sync_soon(start)

    async def pause(self) -> None:
        await self._trio.lowlevel.cancel_shielded_checkpoint()
