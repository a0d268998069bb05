"""Attempts: what is read of the body of a failure."""

from __future__ import annotations

import asyncio
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

    def check() -> object:
        if is_async:
            return asyncio.run(attempts.async_checked(answer, stream=True))
        return attempts.checked(answer, stream=True)

    with pytest.raises(InternalServerError):
        check()
    assert answer.kept == b"x" * ERROR_BODY_SIZE
    assert copied == ERROR_BODY_SIZE
