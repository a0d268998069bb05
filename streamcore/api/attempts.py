"""A call to its answer: send, look at what came, send again if that helps. Once for sync and once for async.

An adapter derives its clients from `SyncAttempts` or `AsyncAttempts` and brings the sending and the waiting; what it
gets from the network is a `SyncAnswer` or an `AsyncAnswer`. The decisions themselves are those of `retry` and
`response`.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any, Protocol, TypeVar

from streamcore.api.client import BaseClient, Call
from streamcore.api.errors import APIConnectionError, APIResponseValidationError, APIStatusError
from streamcore.api.response import (
    ERROR_BODY_SIZE,
    is_event_stream,
    is_success,
    message_from_body,
    not_a_stream,
    status_error,
)
from streamcore.api.retry import retry_delay
from streamcore.errors import LimitExceededError
from streamcore.limits import DEFAULT_LIMITS
from streamcore.types import Message

__all__ = ["AsyncAnswer", "AsyncAttempts", "SyncAnswer", "SyncAttempts", "async_checked", "checked"]

_T = TypeVar("_T")


_SyncAnswerT = TypeVar("_SyncAnswerT", bound="SyncAnswer")
_AsyncAnswerT = TypeVar("_AsyncAnswerT", bound="AsyncAnswer")


class _Answer(Protocol):
    """The head of an answer. `headers` finds names written in lower case; `response` is the HTTP library's object.

    `keep_body` is called with what was read of a failure's body, and lets `response` have it for its body.
    """

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def response(self) -> Any: ...
    def keep_body(self, body: bytes) -> None: ...


class SyncAnswer(_Answer, Protocol):
    """An answer whose body is read by iteration, which raises `APIConnectionError` and nothing else.

    `close()` may be called at any time, more than once and from another thread. It raises nothing else either.
    """

    def __iter__(self) -> Iterator[bytes]: ...
    def close(self) -> None: ...


class AsyncAnswer(_Answer, Protocol):
    """The same for async code: `aclose()` may be called from another task."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...
    async def aclose(self) -> None: ...


def _is_wanted(answer: _Answer, *, stream: bool) -> bool:
    return is_success(answer.status) and (not stream or is_event_stream(answer.headers))


def _failure(answer: _Answer, body: bytes) -> APIStatusError | APIResponseValidationError:
    answer.keep_body(body)
    if is_success(answer.status):
        return not_a_stream(answer.headers, body, response=answer.response)
    return status_error(answer.status, body, response=answer.response)


def _check_size(size: int) -> None:
    if size > DEFAULT_LIMITS.max_event_size:
        raise LimitExceededError(f"the body has more than {DEFAULT_LIMITS.max_event_size} bytes")


def _delay(call: Call, error: APIConnectionError | APIStatusError, retries_taken: int) -> float | None:
    """Seconds to wait before the call is made again after `error`, or `None` if it is not."""
    response = error.response if isinstance(error, APIStatusError) else None
    return retry_delay(
        retries_taken,
        max_retries=call.max_retries,
        status=error.status_code if isinstance(error, APIStatusError) else None,
        headers=response.headers if response is not None else {},
        random=random.random(),  # noqa: S311  # it spreads retries, it keeps no secret
        now=time.time(),
    )


class SyncAttempts(BaseClient):
    """A client that makes its calls from sync code."""

    def _send(self, call: Call) -> SyncAnswer:
        """Send the request and wait for the head of the answer.

        Raises:
            APIConnectionError: None came.
        """
        raise NotImplementedError

    def _sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def _open(self, call: Call) -> SyncAnswer:
        """The answer to a call, its body still to be read; whoever asked for it has to close it.

        Raises:
            APIError: There is none, or it says that the call failed.
            APIResponseValidationError: It is no event stream where one was asked for.
        """
        return self._repeat(call, self._begin)

    def _fetch(self, call: Call) -> Message:
        """The message in the answer to a call.

        Raises:
            APIError: There is no answer, or it says that the call failed.
            APIResponseValidationError: It holds no message.
            LimitExceededError: It is longer, or nests deeper, than the defaults of `Limits` allow.
        """
        return self._repeat(call, self._read)

    def _repeat(self, call: Call, attempt: Callable[[Call], _T]) -> _T:
        retries_taken = 0
        while True:
            try:
                return attempt(call)
            except (APIConnectionError, APIStatusError) as error:
                delay = _delay(call, error, retries_taken)
                if delay is None or self.is_closed:
                    raise
            retries_taken += 1
            self._sleep(delay)

    def _begin(self, call: Call) -> SyncAnswer:
        return checked(self._send(call), stream=call.stream)

    def _read(self, call: Call) -> Message:
        answer = self._begin(call)
        body = bytearray()
        try:
            for chunk in answer:
                body += chunk
                _check_size(len(body))
        finally:
            answer.close()
        return message_from_body(bytes(body), response=answer.response)


def checked(answer: _SyncAnswerT, *, stream: bool) -> _SyncAnswerT:
    """`answer`, if its head promises what was asked for; if not, it is closed.

    Raises:
        APIStatusError: Its status is not 2xx.
        APIResponseValidationError: It is no event stream, where `stream` says that one was asked for.
    """
    if _is_wanted(answer, stream=stream):
        return answer
    try:
        body, cause = _beginning(answer)
    finally:
        with contextlib.suppress(APIConnectionError):  # what the answer says is worth more
            answer.close()
    raise _failure(answer, body) from cause


def _beginning(answer: SyncAnswer) -> tuple[bytes, APIConnectionError | None]:
    """The beginning of a body, and what broke it off if something did: the status is worth more than that."""
    body = bytearray()
    try:
        for chunk in answer:
            body += chunk
            if len(body) >= ERROR_BODY_SIZE:
                break
    except APIConnectionError as error:
        return bytes(body), error
    return bytes(body[:ERROR_BODY_SIZE]), None


class AsyncAttempts(BaseClient):
    """A client that makes its calls from async code. The same as `SyncAttempts`, step by step."""

    async def _send(self, call: Call) -> AsyncAnswer:
        """Send the request and wait for the head of the answer.

        Raises:
            APIConnectionError: None came.
        """
        raise NotImplementedError

    async def _sleep(self, seconds: float) -> None:
        raise NotImplementedError

    async def _open(self, call: Call) -> AsyncAnswer:
        """As `SyncAttempts._open`."""
        return await self._repeat(call, self._begin)

    async def _fetch(self, call: Call) -> Message:
        """As `SyncAttempts._fetch`."""
        return await self._repeat(call, self._read)

    async def _repeat(self, call: Call, attempt: Callable[[Call], Awaitable[_T]]) -> _T:
        retries_taken = 0
        while True:
            try:
                return await attempt(call)
            except (APIConnectionError, APIStatusError) as error:
                delay = _delay(call, error, retries_taken)
                if delay is None or self.is_closed:
                    raise
            retries_taken += 1
            await self._sleep(delay)

    async def _begin(self, call: Call) -> AsyncAnswer:
        return await async_checked(await self._send(call), stream=call.stream)

    async def _read(self, call: Call) -> Message:
        answer = await self._begin(call)
        body = bytearray()
        try:
            async for chunk in answer:
                body += chunk
                _check_size(len(body))
        finally:
            await answer.aclose()
        return message_from_body(bytes(body), response=answer.response)


async def async_checked(answer: _AsyncAnswerT, *, stream: bool) -> _AsyncAnswerT:
    """As `checked`."""
    if _is_wanted(answer, stream=stream):
        return answer
    try:
        body, cause = await _async_beginning(answer)
    finally:
        with contextlib.suppress(APIConnectionError):
            await answer.aclose()
    raise _failure(answer, body) from cause


async def _async_beginning(answer: AsyncAnswer) -> tuple[bytes, APIConnectionError | None]:
    body = bytearray()
    try:
        async for chunk in answer:
            body += chunk
            if len(body) >= ERROR_BODY_SIZE:
                break
    except APIConnectionError as error:
        return bytes(body), error
    return bytes(body[:ERROR_BODY_SIZE]), None
