"""Attempts: what is read of the body of a failure."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from streamcore.api import attempts
from streamcore.api.response import ERROR_BODY_SIZE
from streamcore.errors import InternalServerError


class Failure:
    """An answer with status 500 whose body comes byte by byte."""

    status = 500

    def __init__(self, size: int) -> None:
        self.headers = {"content-type": "text/html"}
        self.response = SimpleNamespace(status_code=500, headers=self.headers)
        self.kept = b""
        self._size = size

    def __iter__(self) -> Iterator[bytes]:
        return iter([b"x"] * self._size)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk

    def keep_body(self, body: bytes) -> None:
        self.kept = body

    def close(self) -> None:
        pass


class AsyncFailure(Failure):
    async def aclose(self) -> None:
        pass


def check(answer: Any, *, is_async: bool) -> object:
    if is_async:
        return asyncio.run(attempts.async_checked(answer, stream=True))
    return attempts.checked(answer, stream=True)


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_the_body_of_a_failure_is_not_copied_for_each_chunk(is_async: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    copied = 0

    class Counted(bytearray):
        def __bytes__(self) -> bytes:
            nonlocal copied
            copied += len(self)
            return bytes(memoryview(self))

    monkeypatch.setattr(attempts, "bytearray", Counted, raising=False)
    answer: Any = (AsyncFailure if is_async else Failure)(2 * ERROR_BODY_SIZE)

    with pytest.raises(InternalServerError):
        check(answer, is_async=is_async)
    assert answer.kept == b"x" * ERROR_BODY_SIZE
    assert copied == ERROR_BODY_SIZE


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_the_body_of_a_failure_is_read_for_a_limited_time(is_async: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = itertools.count()
    monkeypatch.setattr(attempts, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    answer: Any = (AsyncFailure if is_async else Failure)(1000)
    with pytest.raises(InternalServerError):
        check(answer, is_async=is_async)
    assert answer.kept == b"x" * 11
