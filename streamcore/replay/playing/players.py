"""A body played: its bytes chunk by chunk, each when its time has come, sync and async.

`Schedule` says what is due and knows no clock but the one it is given; the two players wait for it. A reader who is
slow finds the chunks waiting for him, as he would on a socket: times count from the first read, not from the last.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator
from typing import Any, Self

import attrs

from streamcore._extras import requires_extra
from streamcore.api.errors import APIConnectionError, APITimeoutError, InvalidArgumentError
from streamcore.replay.capture import Chunk, End, Pause, Step

__all__ = ["AS_RECORDED", "INSTANTLY", "AsyncPlayer", "Failures", "SyncPlayer", "check_speed"]

AS_RECORDED = 1.0
"""The speed at which chunks come as they came."""

INSTANTLY = math.inf
"""The speed at which nothing waits, except where a fault says so."""


def check_speed(speed: object) -> float:
    """`speed`, if it is one.

    Raises:
        InvalidArgumentError: It is not a number above 0.
    """
    if not isinstance(speed, int | float) or isinstance(speed, bool) or not speed > 0:
        raise InvalidArgumentError(
            f"speed must be a number above 0 (1 is as recorded, math.inf is instantly), not {speed!r}"
        )
    return speed


def _broken(message: str) -> Exception:
    return APIConnectionError(f"Connection error while reading the answer ({message}).")


def _timed_out(seconds: float) -> Exception:
    return APITimeoutError(f"Request timed out while reading the answer (nothing came for {seconds} s).")


def _no_timeout() -> float | None:
    return None


@attrs.frozen(kw_only=True)
class Failures:
    """What a player raises, and how long it lets a reader wait. Adapters have exceptions of their own.

    Attributes:
        broken: Makes the exception for a connection that fails, of words that say how.
        timed_out: Makes the exception for a silence that is too long, of its length in seconds.
        timeout: Tells how long a silence may be, in seconds; `None` is any length.
    """

    broken: Callable[[str], Exception] = _broken
    timed_out: Callable[[float], Exception] = _timed_out
    timeout: Callable[[], float | None] = _no_timeout


def _schedule(
    body: Iterable[Step], speed: float, failures: Failures, clock: Callable[[], float]
) -> Generator[float | bytes]:
    """What to do, in order: wait for so many seconds, or give these bytes. Ends or raises where the body does."""
    began = clock()
    for step in body:
        if isinstance(step, Pause):
            began += step.seconds
            wait = step.seconds
        else:
            wait = 0.0 if speed == INSTANTLY else began + step.time / speed - clock()
        if wait > 0:
            wait = min(wait, threading.TIMEOUT_MAX)  # a file may say any time
            allowed = failures.timeout()
            if allowed is not None and wait > allowed:
                yield allowed
                raise failures.timed_out(allowed)
            yield wait
        if isinstance(step, Chunk):
            if step.data:
                yield step.data
        elif isinstance(step, End):
            if step.reason == "broken":
                raise failures.broken(step.message or "the connection was cut")
            return


class SyncPlayer(Iterator[bytes]):
    """Plays a body to sync code. `close()` may be called from any thread; it ends a wait.

    Args:
        body: The steps.
        speed: 1 is as recorded, 10 ten times as fast, `INSTANTLY` without waiting.
        failures: The exceptions to raise.
        sleep: Waits for so many seconds, in place of waiting that `close()` can end.
        clock: Tells the time in seconds.
    """

    def __init__(
        self,
        body: Iterable[Step],
        *,
        speed: float = INSTANTLY,
        failures: Failures | None = None,
        sleep: Callable[[float], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._schedule = _schedule(body, check_speed(speed), failures or Failures(), clock)
        self._closed = threading.Event()
        self._sleep = sleep or self._closed.wait
        self._reading = False

    def __next__(self) -> bytes:
        self._reading = True
        try:
            for due in self._schedule:
                if self._closed.is_set():
                    break
                if isinstance(due, bytes):
                    return due
                self._sleep(due)
        finally:
            self._reading = False
            if self._closed.is_set():
                self._schedule.close()
        raise StopIteration

    def close(self) -> None:
        """Play no more."""
        self._closed.set()
        if not self._reading:
            with contextlib.suppress(ValueError):  # a thread has begun to read just now, and will close it
                self._schedule.close()


class AsyncPlayer:
    """Plays a body to async code, under asyncio or trio. `aclose()` may be called from any task; it ends a wait.

    Args:
        body: The steps.
        speed: As for `SyncPlayer`.
        failures: The exceptions to raise.
        sleep: Waits for so many seconds.
        clock: Tells the time in seconds.
    """

    def __init__(
        self,
        body: Iterable[Step],
        *,
        speed: float = INSTANTLY,
        failures: Failures | None = None,
        sleep: Callable[[float], Awaitable[object]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._schedule = _schedule(body, check_speed(speed), failures or Failures(), clock)
        self._sleep = sleep
        self._anyio: Any = None
        self._closed = False
        self._waiting: Any = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._anyio is None:
            self._anyio = _loaded_anyio()  # before the clock starts: it takes a while
        for due in self._schedule:
            if self._closed:
                break
            if isinstance(due, bytes):
                return due
            await self._wait(due)
        raise StopAsyncIteration

    async def _wait(self, seconds: float) -> None:
        with self._anyio.CancelScope() as self._waiting:
            try:
                await (self._sleep or self._anyio.sleep)(seconds)
            finally:
                self._waiting = None

    async def aclose(self) -> None:
        """Play no more."""
        self._closed = True
        if self._waiting is None:
            self._schedule.close()
        else:
            self._waiting.cancel()


def _loaded_anyio() -> Any:
    with requires_extra("replay"):
        import anyio

    anyio.CancelScope()  # which loads what is for this event loop
    return anyio
