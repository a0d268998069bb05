"""What sync and async streams share: properties, the order of what happens at the end, and the calls of handlers.

At its end a stream has to do several things in a fixed order. Each of them may fail, and in an async stream may have to
be awaited. The order is written only once, as steps for `run` and `run_async`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from streamcore._objects.not_copyable import NotCopyable
from streamcore._steps import Steps
from streamcore.stream._handlers import Call, Handlers
from streamcore.stream._pump import Decoder, Pump

__all__ = ["IN_USE", "StreamBase"]

_T = TypeVar("_T")

IN_USE = "the stream is being read by another thread or task"


class StreamBase(NotCopyable, Generic[_T]):
    """The base of `Stream` and `AsyncStream`."""

    _handlers: Handlers | None = None
    _release: Callable[[], Any] | None

    def __init__(self, decoder: Decoder[_T], response: Any) -> None:
        self._pump: Pump[_T] = Pump(decoder, response)

    @property
    def response(self) -> Any:
        """The HTTP library's response, `None` if the stream was made from bytes alone."""
        return self._pump.response

    @property
    def request_id(self) -> str | None:
        """The `request-id` header of the response: the id to give Anthropic when you ask about this stream."""
        return self._header("request-id")

    @property
    def workspace_id(self) -> str | None:
        """The workspace that the API key belongs to, if the response says so."""
        return self._header("anthropic-workspace-id")

    def _header(self, name: str) -> str | None:
        headers = getattr(self._pump.response, "headers", None)
        return None if headers is None else headers.get(name)

    def _drain(self) -> Any:
        """Read what follows `message_stop`, for a short time."""
        raise NotImplementedError

    def _close_chunks(self) -> Any:
        """Close the iterable of chunks, if it can be closed now."""
        raise NotImplementedError

    def _ending(self, error: BaseException | None) -> Steps[None]:
        """Yield the steps that end the stream: handlers of the error, the rest of the answer, release, `on_end`.

        A stream may be ended several times, also by several threads at once. Only the first call yields all the steps.

        Args:
            error: The error that ends it, None if it was read to its end or closed.
        """
        is_first = self._pump.end()
        handlers = self._handlers
        try:
            if is_first and error is not None and handlers is not None:
                yield from self._handling(handlers, handlers.for_error(error))
        finally:
            try:
                # An error in closing must not hide the error that ended the stream.
                with contextlib.suppress(*(() if error is None else (Exception,))):
                    try:
                        if is_first and error is None and self._pump.has_rest:
                            yield self._drain, ()
                        yield self._close_chunks, ()
                    finally:
                        if is_first and self._release is not None:
                            yield self._release, ()
            finally:
                if is_first and handlers is not None and handlers.end():
                    yield from self._calling(handlers.for_end())

    def _handling(self, handlers: Handlers, calls: list[Call]) -> Steps[None]:
        """Yield these calls of handlers, and `on_end` if the stream is closed meanwhile."""
        if handlers.enter():
            try:
                yield from self._calling(calls)
            finally:
                if handlers.leave():
                    yield from self._calling(handlers.for_end())

    def _calling(self, calls: list[Call]) -> Steps[None]:
        # `Handlers` knows names and not methods, since bound methods would make a reference cycle with the stream.
        for name, arguments in calls:
            yield getattr(self, name), arguments
