"""Play a body: give its chunks when they are due, to sync and async code.

`_schedule()` says what is due; the two players wait for it. Times count from the first read, not from the last one: a
slow reader finds the chunks waiting, as on a socket.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator
from typing import Any, Generic, Self, TypeVar

import attrs

from streamcore._extras import requires_extra
from streamcore.errors import APIConnectionError, APITimeoutError, InvalidArgumentError
from streamcore.replay.capture import Chunk, End, Pause, Step

_SleepT = TypeVar("_SleepT")

AS_RECORDED = 1.0
"""The speed at which chunks arrive as they were recorded."""

INSTANTLY = math.inf
"""The speed at which nothing waits, except where a fault says so."""


def check_speed(speed: object) -> float:
    """Return `speed` if it is valid.

    Raises:
        InvalidArgumentError: It is not a number above 0.
    """
    if not isinstance(speed, int | float) or isinstance(speed, bool) or not speed > 0:
        raise InvalidArgumentError(
            f"speed must be a number above 0 (1 is as recorded, math.inf is instantly), not {speed!r}"
        )
    return speed


@attrs.frozen(kw_only=True)
class Failures:
    """The exceptions of a player, and how long it lets a reader wait. Each adapter has its own exceptions.

    Attributes:
        broken: Makes the exception for a connection that fails, from a message.
        timed_out: Makes the exception for a silence that is too long, from its length in seconds.
        timeout: Returns how long a silence may be, in seconds; None is any length.
    """

    broken: Callable[[str], Exception] = lambda message: APIConnectionError(
        f"Connection error while reading the answer ({message})."
    )
    timed_out: Callable[[float], Exception] = lambda seconds: APITimeoutError(
        f"Request timed out while reading the answer (nothing came for {seconds} s)."
    )
    timeout: Callable[[], float | None] = lambda: None


def _schedule(
    body: Iterable[Step], speed: float, failures: Failures, clock: Callable[[], float]
) -> Generator[float | bytes]:
    """Yield what is due, in order: a number of seconds to wait, or bytes to give. End or raise where the body does."""
    began = clock()
    for step in body:
        if isinstance(step, Pause):
            began += step.seconds
            wait = step.seconds
        else:
            wait = 0.0 if speed == INSTANTLY else began + step.time / speed - clock()
        if wait > 0:
            wait = min(wait, threading.TIMEOUT_MAX)  # a file may have any time
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


class _Player(Generic[_SleepT]):
    """A body that is played.

    Args:
        body: The steps.
        speed: 1 is as recorded, 10 ten times as fast, `INSTANTLY` without waiting.
        failures: The exceptions to raise.
        sleep: Waits for this number of seconds. The default waits until they are over or the player is closed.
        clock: Returns the time in seconds.
    """

    def __init__(
        self,
        body: Iterable[Step],
        *,
        speed: float = INSTANTLY,
        failures: Failures | None = None,
        sleep: _SleepT | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._schedule = _schedule(body, check_speed(speed), failures or Failures(), clock)
        self._sleep = sleep
        self._closed = threading.Event()


class SyncPlayer(_Player[Callable[[float], object]], Iterator[bytes]):
    """Plays a body to sync code. `close()` may be called from any thread; it ends a wait."""

    _reading = False

    def __next__(self) -> bytes:
        self._reading = True
        try:
            for due in self._schedule:
                if self._closed.is_set():
                    break
                if isinstance(due, bytes):
                    return due
                (self._sleep or self._closed.wait)(due)
        finally:
            self._reading = False
            if self._closed.is_set():
                self._schedule.close()
        raise StopIteration

    def close(self) -> None:
        """Stop playing."""
        self._closed.set()
        if not self._reading:
            with contextlib.suppress(ValueError):  # a thread has begun to read just now, and will close it
                self._schedule.close()


class AsyncPlayer(_Player[Callable[[float], Awaitable[object]]]):
    """Plays a body to async code, under asyncio or trio. `aclose()` may be called from any task; it ends a wait."""

    _anyio: Any = None
    _waiting: Any = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._anyio is None:
            self._anyio = _loaded_anyio()  # before the clock starts, as it takes a while
        for due in self._schedule:
            if self._closed.is_set():
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
        """Stop playing."""
        self._closed.set()
        if self._waiting is None:
            self._schedule.close()
        else:
            self._waiting.cancel()


def _loaded_anyio() -> Any:
    with requires_extra("replay"):
        import anyio

    anyio.CancelScope()  # this loads the part for this event loop
    return anyio
