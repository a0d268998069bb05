"""What depends on the event loop. Whichever library runs it has been imported already, so nothing here imports one."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, TypeAlias

__all__ = ["AsyncClose", "checkpoint", "close_without_waiting", "move_on_after"]

AsyncClose: TypeAlias = Callable[[], Awaitable[object]]


async def checkpoint() -> None:
    """Let other tasks run."""
    trio, asyncio = sys.modules.get("trio"), sys.modules.get("asyncio")
    if trio is not None and trio.lowlevel.in_trio_task():
        await trio.lowlevel.checkpoint()
    elif asyncio is not None and asyncio._get_running_loop() is not None:
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def move_on_after(seconds: float) -> AsyncGenerator[None]:
    """Leave an `async with` block when this time is over."""
    trio, asyncio = sys.modules.get("trio"), sys.modules.get("asyncio")
    if trio is not None and trio.lowlevel.in_trio_task():
        with trio.move_on_after(seconds):
            yield
    elif asyncio is not None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                yield


def close_without_waiting(closes: list[AsyncClose]) -> None:
    """Close several things without waiting, at garbage collection. A failure does not stop the rest.

    Under trio a task of its own waits, if trio still accepts one. Otherwise each is run up to its first wait. That is
    enough to close a socket: all waiting comes after the transport has begun to close. A task of asyncio would need its
    event loop to go on for a while, which is not certain.
    """
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_run():
        # Garbage may be collected anywhere, also in the middle of trio's own work, so the task is started after that.
        trio.lowlevel.current_trio_token().run_sync_soon(_close_in_trio, trio, closes)
    else:
        _close_up_to_first_wait(closes)


def _close_in_trio(trio: Any, closes: list[AsyncClose]) -> None:
    try:
        trio.lowlevel.spawn_system_task(_close_all, closes)
    except RuntimeError:  # the main task has ended, and trio accepts no more system tasks
        _close_up_to_first_wait(closes)


async def _close_all(closes: list[AsyncClose]) -> None:
    # The end of the program cancels this task. Each close then runs up to its first wait.
    with contextlib.suppress(Exception):
        async with contextlib.AsyncExitStack() as stack:
            for close in reversed(closes):
                stack.push_async_callback(close)


def _close_up_to_first_wait(closes: list[AsyncClose]) -> None:
    for close in closes:
        with contextlib.suppress(BaseException):
            steps: Any = close().__await__()
            next(steps)
            steps.throw(GeneratorExit)
