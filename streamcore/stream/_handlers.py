"""Handler methods: which of them a stream's class overrides, which event calls which, and that `on_end` comes last.

In: the items of a stream, the error that ended it, its end. Out: calls, as a name with arguments. The stream makes the
calls, since it knows whether to await them. A stream whose class overrides no handler has no `Handlers`.
"""

from __future__ import annotations

import inspect
import threading
from typing import Any, TypeAlias

from streamcore.errors import APITimeoutError, InvalidArgumentError
from streamcore.types import MessageStreamEvent, ParsedContentBlockStopEvent, ParsedMessageStopEvent, TextEvent

__all__ = ["Call", "Handlers"]

Call: TypeAlias = tuple[str, tuple[Any, ...]]
"""The name of a handler, and its arguments."""

_NAMES = ("on_stream_event", "on_text", "on_message", "on_content_block", "on_exception", "on_timeout", "on_end")


class Handlers:
    """The overridden handlers of one stream.

    A stream may be closed while handlers run: by one of them, or by another thread or task. `on_end` must still be the
    last to be called. So the stream asks `enter()` before it calls any, and `leave()` afterwards; and whichever of
    `leave()` and `end()` returns True has to make the calls of `for_end()`.
    """

    __slots__ = ("_is_over", "_lock", "_names", "_running", "_text_with_snapshot")

    @classmethod
    def of(cls, stream: object, base: type) -> Handlers | None:
        """Return the handlers of a stream, or None if it has only those of `base`, which do nothing.

        Raises:
            InvalidArgumentError: A handler is a coroutine function, and that of `base` is not.
        """
        if type(stream) is base:
            return None
        names = frozenset(name for name in _NAMES if getattr(type(stream), name, None) is not getattr(base, name, None))
        for name in sorted(names):
            if inspect.iscoroutinefunction(getattr(stream, name)) and not inspect.iscoroutinefunction(
                getattr(base, name)
            ):
                raise InvalidArgumentError(
                    f"{type(stream).__name__}.{name} must not be a coroutine function: a sync stream cannot await it"
                )
        return cls(stream, names) if names else None

    def __init__(self, stream: object, names: frozenset[str]) -> None:
        self._names = names
        # Reentrant, because a signal handler may close the stream while its thread has the lock.
        self._lock = threading.RLock()
        # How many calls of handlers are under way: more than one if a handler reads on.
        self._running = 0
        self._is_over = False
        self._text_with_snapshot = "on_text" in names and _accepts_two(stream.on_text)  # type: ignore[attr-defined]  # it is among the names

    def for_item(self, item: object) -> list[Call]:
        """Return the calls for an item that is about to be delivered: none for most."""
        names = self._names
        calls: list[Call] = []
        if isinstance(item, TextEvent):
            if "on_text" in names:
                calls.append(("on_text", (item.text, item.snapshot) if self._text_with_snapshot else (item.text,)))
        elif isinstance(item, MessageStreamEvent):
            if "on_stream_event" in names:
                calls.append(("on_stream_event", (item,)))
            if "on_content_block" in names and isinstance(item, ParsedContentBlockStopEvent):
                calls.append(("on_content_block", (item.content_block,)))
            if "on_message" in names and isinstance(item, ParsedMessageStopEvent):
                calls.append(("on_message", (item.message,)))
        return calls

    def for_error(self, error: BaseException) -> list[Call]:
        """Return the calls for the error that ended the stream: none for an interruption, such as a cancellation."""
        calls: list[Call] = []
        if isinstance(error, Exception):
            if "on_timeout" in self._names and isinstance(error, (TimeoutError, APITimeoutError)):
                calls.append(("on_timeout", ()))
            if "on_exception" in self._names:
                calls.append(("on_exception", (error,)))
        return calls

    def for_end(self) -> list[Call]:
        """Return the last call."""
        return [("on_end", ())] if "on_end" in self._names else []

    def enter(self) -> bool:
        """Return whether handlers may be called. They must not be once the stream is over."""
        with self._lock:
            if not self._is_over:
                self._running += 1
            return not self._is_over

    def leave(self) -> bool:
        """Note that the handlers have returned. Return whether they were the last, and the stream ended meanwhile."""
        with self._lock:
            self._running -= 1
            return self._is_over and not self._running

    def end(self) -> bool:
        """Note that the stream is over; to be called once. Return whether no handlers are running."""
        with self._lock:
            self._is_over = True
            return not self._running


def _accepts_two(on_text: Any) -> bool:
    # An example in the documentation of the `anthropic` package overrides `on_text(delta)`.
    try:
        inspect.signature(on_text).bind("", "")
    except TypeError:
        return False
    return True
