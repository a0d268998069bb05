"""After `message_stop`: read what is left of an answer for a short time, so that its connection can be used again.

A message is complete at `message_stop`, but the answer is not: the end of the HTTP body follows, mostly in the same
packet. Only a connection whose answer was read to its end can carry another request. But some gateways keep the answer
open for minutes, or send pings for ever. So the rest is read within limits. If its end is not reached, the connection
is closed.

Only answers of our adapters are read further, and only if they say so with `is_drainable`: an iterable that is not ours
may block for ever. The time is limited in two ways. An async read can be cancelled. A sync read cannot: a change of the
socket's timeout has no effect on a body that is being read, and `select` does not see what the HTTP library has
buffered. But our answers can be closed from another thread, which shuts the socket down and ends the read.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator

from streamcore.errors import APIConnectionError
from streamcore.stream._event_loop import move_on_after

__all__ = ["DRAIN_SECONDS", "DRAIN_SIZE", "async_drain", "drain", "is_drainable"]

DRAIN_SECONDS = 0.25
"""How long the rest of an answer may take. A user waits so long at the end of a stream whose body does not end."""

DRAIN_SIZE = 64 * 1024
"""How many bytes of it are read. The chunk that goes over this is the last."""


def is_drainable(chunks: object) -> bool:
    """Return whether these chunks are an answer whose rest may be read, and whose connection may be used again."""
    return getattr(chunks, "is_drainable", False) is True


def drain(chunks: Iterator[bytes], close: Callable[[], object]) -> None:
    """Read chunks to their end, or to one of the two limits.

    Args:
        chunks: The rest of an answer.
        close: Closes the answer, from any thread, and so ends a read.
    """

    def expire() -> None:
        with contextlib.suppress(APIConnectionError):  # no one could handle it in this thread
            close()

    timer = threading.Timer(DRAIN_SECONDS, expire)
    timer.daemon = True
    timer.start()
    size = 0
    try:
        with contextlib.suppress(APIConnectionError):
            for chunk in chunks:
                size += len(chunk)
                if size > DRAIN_SIZE:
                    return
    finally:
        timer.cancel()
        timer.join()  # this does not take long: the timer is cancelled, or is closing


async def async_drain(chunks: AsyncIterator[bytes]) -> None:
    """Like `drain`, for an async answer. It needs no `close`: when the time is over, the read is cancelled."""
    size = 0
    with contextlib.suppress(APIConnectionError):
        async with move_on_after(DRAIN_SECONDS):
            async for chunk in chunks:
                size += len(chunk)
                if size > DRAIN_SIZE:
                    return
