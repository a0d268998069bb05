"""`with_raw_response` and `with_streaming_response` of wrapped clients: `parse()` gives our streams."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import TracebackType
from typing import Any

from streamcore.anthropic.arguments import for_official, is_given

__all__ = ["Delegating", "RawResponses", "StreamedResponses"]


class Delegating:
    """An object, mostly an official one, with some of its attributes replaced."""

    def __init__(self, official: Any) -> None:
        self._official = official

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # copying and pickling ask for such names before there is anything
            raise AttributeError(name)
        return getattr(self._official, name)

    @property  # type: ignore[misc]  # it cannot be set
    def __class__(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]  # what `isinstance` asks too
        return type(self._official)

    def __repr__(self) -> str:
        return repr(self._official)


class RawResponse(Delegating):
    """An official response to a request with `stream=True`.

    Args:
        official: The response.
        make: Makes the stream of it. A coroutine function if the `parse` of the response is one.
    """

    def __init__(self, official: Any, make: Callable[[Any], Any]) -> None:
        super().__init__(official)
        self._make = make
        self._stream: Any = None

    def parse(self, **arguments: Any) -> Any:
        """Return the stream of events, the same each time. With arguments, return what the official method returns."""
        if arguments:
            return self._official.parse(**arguments)
        if inspect.iscoroutinefunction(self._official.parse):
            return self._parse_async()
        if self._stream is None:
            self._stream = self._make(self._official.http_response)
        return self._stream

    async def _parse_async(self) -> Any:
        if self._stream is None:
            self._stream = await self._make(self._official.http_response)
        return self._stream


class _Responses(Delegating):
    """`with_raw_response` or `with_streaming_response` of a resource.

    Args:
        official: The official one.
        prepare: Returns the arguments of a call that streams, and what makes a stream of the response.
    """

    def __init__(self, official: Any, prepare: Callable[..., tuple[dict[str, Any], Callable[[Any], Any]]]) -> None:
        super().__init__(official)
        self._prepare = prepare


class RawResponses(_Responses):
    """`with_raw_response`, sync and async."""

    def create(self, *, stream: Any = False, **arguments: Any) -> Any:
        """Return the response, or an awaitable of it."""
        if not (is_given(stream) and stream):
            return self._official.create(**for_official(arguments))
        params, make = self._prepare(arguments)
        sent = self._official.create(**params)
        return _awaited(sent, make) if inspect.isawaitable(sent) else RawResponse(sent, make)


async def _awaited(sent: Any, make: Callable[[Any], Any]) -> RawResponse:
    return RawResponse(await sent, make)


class StreamedResponses(_Responses):
    """`with_streaming_response`, sync and async."""

    def create(self, *, stream: Any = False, **arguments: Any) -> Any:
        """Return the manager of the response."""
        if not (is_given(stream) and stream):
            return self._official.create(**for_official(arguments))
        params, make = self._prepare(arguments)
        return _Manager(self._official.create(**params), make)


class _Manager(Delegating):
    def __init__(self, official: Any, make: Callable[[Any], Any]) -> None:
        super().__init__(official)
        self._make = make

    def __enter__(self) -> RawResponse:
        return RawResponse(self._official.__enter__(), self._make)

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        self._official.__exit__(exc_type, exc, exc_tb)

    async def __aenter__(self) -> RawResponse:
        return RawResponse(await self._official.__aenter__(), self._make)

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        await self._official.__aexit__(exc_type, exc, exc_tb)
