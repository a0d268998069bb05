"""Clients of streamcore whose objects are instances of the official classes too.

Some frameworks take any client, but compare what it gives with the classes of the official package: pydantic-ai does.
Our clients do not know that package. So what they give is turned into lookalikes here (see `official_classes.py`), on
the way out.
"""
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Iterator
from types import TracebackType
from typing import Any, Self

import anthropic

from streamcore import stream as ours
from streamcore.anthropic.official_classes import lookalike
from streamcore.anthropic.raw import Delegating
from streamcore.anthropic.streams import message_stream_class
from streamcore.api.options import if_given
from streamcore.types import WireObject

__all__ = ["OwnBeta", "OwnMessages"]


class OwnMessages(Delegating):
    """`client.messages` of a client of ours, sync or async."""

    def create(self, **arguments: Any) -> Any:
        """Send a request, as the client of ours does."""
        return _passing(self._official.create(**arguments))

    def parse(self, **arguments: Any) -> Any:
        """Send a request, as the client of ours does."""
        return _passing(self._official.parse(**arguments))

    def stream(self, **arguments: Any) -> Any:
        """Stream an answer, as the client of ours does."""
        is_async = inspect.iscoroutinefunction(self._official.create)
        default = ours.AsyncMessageStream if is_async else ours.MessageStream
        handler = if_given(arguments.pop("event_handler", default), default)
        return self._official.stream(event_handler=message_stream_class(handler), **arguments)


class OwnBeta(Delegating):
    """`client.beta` of a client of ours, sync or async."""

    def __init__(self, beta: Any) -> None:
        super().__init__(beta)
        self.messages: OwnMessages = OwnMessages(beta.messages)


def _passing(made: Any) -> Any:
    """Return what a call has made as something whose objects are instances of the official classes."""
    if inspect.isawaitable(made):
        return _passing_later(made)
    if isinstance(made, ours.Stream):
        return _Events(made)
    if isinstance(made, ours.AsyncStream):
        return _AsyncEvents(made)
    return lookalike(made) if isinstance(made, WireObject) else made


async def _passing_later(made: Awaitable[Any]) -> Any:
    return _passing(await made)


class _Events(Delegating):
    """A stream of ours, whose events are lookalikes."""

    @property  # type: ignore[misc]  # as in the base
    def __class__(self) -> Any:
        return anthropic.Stream

    def __iter__(self) -> Iterator[Any]:
        return map(lookalike, self._official)

    def __next__(self) -> Any:
        return lookalike(next(self._official))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        self._official.close()


class _AsyncEvents(Delegating):
    """An async stream of ours, whose events are lookalikes."""

    @property  # type: ignore[misc]  # as in the base
    def __class__(self) -> Any:
        return anthropic.AsyncStream

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        return lookalike(await anext(self._official))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        await self._official.close()
