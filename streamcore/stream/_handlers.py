"""Handler methods: which of them a stream's class has overridden, and what each is to be called with, and when.

In: the items of a stream, the error that ended it, its end. Out: calls, as names with arguments. Who calls is the
stream, which knows whether to await. A class that overrides none has no `Handlers`.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterator
from typing import Any, TypeAlias

from streamcore.errors import InvalidArgumentError
from streamcore.types import MessageStreamEvent, ParsedContentBlockStopEvent, ParsedMessageStopEvent, TextEvent

__all__ = ["Call", "Handlers"]

Call: TypeAlias = tuple[str, tuple[Any, ...]]


class Handlers:
    """The overridden handlers of one stream.

    A stream may be closed while handlers run: by one of them, or by another thread or task. `on_end` has to be the last
    all the same. So who calls any asks `enter()` before and `leave()` after, and whoever is told to calls those of
    `for_end()`.
    """

    __slots__ = ("_lock", "_names", "_over", "_running", "_text_with_snapshot")

    NAMES = ("on_stream_event", "on_text", "on_message", "on_content_block", "on_exception", "on_timeout", "on_end")

    @classmethod
    def of(cls, stream: object, base: type) -> Handlers | None:
        """The handlers of a stream, `None` if it has only those of `base`, which do nothing.

        Raises:
            InvalidArgumentError: One would have to be awaited, and those of `base` have not.
        """
        if type(stream) is base:
            return None
        names = frozenset(
            name for name in cls.NAMES if getattr(type(stream), name, None) is not getattr(base, name, None)
        )
        for name in sorted(names):
            if inspect.iscoroutinefunction(getattr(stream, name)) and not inspect.iscoroutinefunction(
                getattr(base, name)
            ):
                raise InvalidArgumentError(
                    f"{type(stream).__name__}.{name} is a coroutine function, which a sync stream cannot await"
                )
        return cls(stream, names) if names else None

    def __init__(self, stream: object, names: frozenset[str]) -> None:
        self._names = names
        # A signal handler may close the stream while its thread holds the lock.
        self._lock = threading.RLock()
        self._running = 0
        self._over = False
        self._text_with_snapshot = "on_text" in names and _takes_two(stream.on_text)  # type: ignore[attr-defined]  # it is among the names

    def for_item(self, item: object) -> Iterator[Call]:
        """The calls for an item that is about to be delivered."""
        names = self._names
        if isinstance(item, TextEvent):
            if "on_text" in names:
                yield "on_text", (item.text, item.snapshot) if self._text_with_snapshot else (item.text,)
        elif isinstance(item, MessageStreamEvent):
            if "on_stream_event" in names:
                yield "on_stream_event", (item,)
            if "on_content_block" in names and isinstance(item, ParsedContentBlockStopEvent):
                yield "on_content_block", (item.content_block,)
            if "on_message" in names and isinstance(item, ParsedMessageStopEvent):
                yield "on_message", (item.message,)

    def for_error(self, error: BaseException) -> Iterator[Call]:
        """The calls for what ended the stream: none for an interruption, such as a cancellation."""
        if isinstance(error, Exception):
            if "on_timeout" in self._names and _is_timeout(error):
                yield "on_timeout", ()
            if "on_exception" in self._names:
                yield "on_exception", (error,)

    def enter(self) -> bool:
        """Whether handlers may be called: no more, once the stream is over."""
        with self._lock:
            if not self._over:
                self._running += 1
            return not self._over

    def leave(self) -> bool:
        """Those that were called have returned. Whether the end is to be told, as the stream was closed meanwhile."""
        with self._lock:
            self._running -= 1
            return self._over and not self._running

    def end(self) -> bool:
        """The stream is over; to be called once. Whether the end is to be told here, as no handlers run."""
        with self._lock:
            self._over = True
            return not self._running

    def for_end(self) -> Iterator[Call]:
        """The last call."""
        if "on_end" in self._names:
            yield "on_end", ()


def _takes_two(on_text: Any) -> bool:
    # `on_text(delta)` is what an example in the documents of the `anthropic` package overrides.
    try:
        inspect.signature(on_text).bind("", "")
    except TypeError:
        return False
    return True


def _is_timeout(error: Exception) -> bool:
    from streamcore.api.errors import APITimeoutError

    return isinstance(error, (TimeoutError, APITimeoutError))
