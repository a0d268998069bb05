"""The adapters that async tests run against, and async clients for tests that are written without `await`."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Self, TypeVar

import anyio
import attrs
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from server import BOUND, Server, run

import streamcore.aiohttp
import streamcore.httpx

_T = TypeVar("_T")


@attrs.frozen
class Adapter:
    """An adapter's module under an event loop that it runs on."""

    module: Any
    backend: str

    def __str__(self) -> str:
        return f"{self.module.__name__.rpartition('.')[2]}-{self.backend}"

    def client(self, server: Server, **options: Any) -> Any:
        return self.module.AsyncAnthropic(**{"api_key": "key", "base_url": server.url, **options})

    def run(self, test: Callable[[], Awaitable[_T]]) -> _T:
        return run(self.backend, test)


ADAPTERS = [
    Adapter(streamcore.httpx, "asyncio"),
    Adapter(streamcore.httpx, "trio"),
    Adapter(streamcore.aiohttp, "asyncio"),
]
each_adapter = pytest.mark.parametrize("adapter", ADAPTERS, ids=str)


def status_of(response: Any) -> int:
    """The status of either library's response."""
    status: int = response.status if hasattr(response, "status") else response.status_code
    return status


def text_of(response: Any) -> str:
    """The body of either library's response, which has been read."""
    if not inspect.iscoroutinefunction(response.text):
        return str(response.text)
    reading = response.text()
    with pytest.raises(StopIteration) as done:
        reading.send(None)  # there is nothing to wait for
    return str(done.value.value)


class Blocking:
    """An async client, or what it gives, for sync code: what has to be awaited is, in the event loop of a thread."""

    def __init__(self, portal: BlockingPortal, thing: Any) -> None:
        self._portal = portal
        self._thing = thing

    def __getattr__(self, name: str) -> Any:
        return self._wrapped(getattr(self._thing, name))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._wrapped(self._wait(lambda: self._thing(*args, **kwargs)))

    def __enter__(self) -> Any:
        return self._wrapped(self._wait(self._thing.__aenter__))

    def __exit__(self, *exc: object) -> None:
        self._wait(lambda: self._thing.__aexit__(*exc))

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        try:
            return self._wait(self._thing.__anext__)
        except StopAsyncIteration:
            raise StopIteration from None

    def _wait(self, call: Callable[[], Any]) -> Any:
        async def bounded() -> Any:
            with anyio.fail_after(BOUND):
                result = call()
                return await result if inspect.isawaitable(result) else result

        return self._portal.call(bounded)

    def _wrapped(self, value: Any) -> Any:
        awaits = any(hasattr(value, name) for name in ("__aenter__", "__aiter__", "_client", "_official", "messages"))
        return (
            Blocking(self._portal, value)
            if awaits or inspect.ismethod(value) or isinstance(value, functools.partial)
            else value
        )


def blocking_aiohttp(**options: Any) -> Iterator[Any]:
    """`streamcore.aiohttp.AsyncAnthropic` for sync code, in the debug mode of asyncio; for fixtures to yield from."""
    with start_blocking_portal("asyncio", {"debug": True}) as portal:
        client = streamcore.aiohttp.AsyncAnthropic(**options)
        yield Blocking(portal, client)
        portal.call(client.close)
        assert portal.call(_tasks) == 1


async def _tasks() -> int:
    # The portal's own task and the one that asks.
    return len(asyncio.all_tasks()) - 1
