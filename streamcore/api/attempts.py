"""Make a call: send it, look at the answer, follow redirects, and try again if that helps. Once sync, once async.

An adapter derives its clients from `SyncAttempts` or `AsyncAttempts` and implements sending and waiting. What it gets
from the network is a `SyncAnswer` or an `AsyncAnswer`. The decisions are made in `retry`, `redirects` and `response`.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any, Protocol, TypeVar, cast

import attrs

from streamcore.api.client import BaseClient, Call
from streamcore.api.peeked import AsyncPeeked, SyncPeeked
from streamcore.api.redirects import MAX_REDIRECTS, describe_redirect, redirected
from streamcore.api.response import (
    ERROR_BODY_SIZE,
    begins_like_a_stream,
    is_event_stream,
    is_success,
    message_from_body,
    not_a_stream,
    status_error,
)
from streamcore.api.retry import retry_delay
from streamcore.errors import (
    APIConnectionError,
    APIResponseValidationError,
    APIStatusError,
    LimitExceededError,
    error_in_call,
)
from streamcore.limits import DEFAULT_LIMITS
from streamcore.types import Message

__all__ = ["AsyncAnswer", "AsyncAttempts", "SyncAnswer", "SyncAttempts", "async_checked", "checked"]

_T = TypeVar("_T")


_SyncAnswerT = TypeVar("_SyncAnswerT", bound="SyncAnswer")
_AsyncAnswerT = TypeVar("_AsyncAnswerT", bound="AsyncAnswer")


class _Answer(Protocol):
    """The head of an answer.

    `headers` finds names in lower case. `response` is the HTTP library's object. `keep_body` is called with what was
    read of a failure's body, and makes it the body of `response`.
    """

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def response(self) -> Any: ...
    def keep_body(self, body: bytes) -> None: ...


class SyncAnswer(_Answer, Protocol):
    """An answer whose body is read by iteration. Reading raises only `APIConnectionError`.

    `close()` may be called at any time, repeatedly, and from another thread. It too raises only `APIConnectionError`.
    """

    def __iter__(self) -> Iterator[bytes]: ...
    def close(self) -> None: ...


class AsyncAnswer(_Answer, Protocol):
    """Like `SyncAnswer`, for async code: `aclose()` may be called from another task."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...
    async def aclose(self) -> None: ...


def _is_wanted(answer: _Answer, *, stream: bool) -> bool:
    return is_success(answer.status) and (not stream or is_event_stream(answer.headers))


def _failure(answer: _Answer, body: bytes) -> APIStatusError | APIResponseValidationError:
    body = body[:ERROR_BODY_SIZE]
    answer.keep_body(body)
    if is_success(answer.status):
        return not_a_stream(answer.headers, body, response=answer.response)
    refused = describe_redirect(answer.status, answer.headers)
    return status_error(answer.status, body, response=answer.response, message=refused)


def _check_size(size: int, response: Any) -> None:
    if size > DEFAULT_LIMITS.max_event_size:
        error = LimitExceededError(f"the body has more than {DEFAULT_LIMITS.max_event_size} bytes")
        raise error_in_call(error, response)


def _delay(call: Call, error: APIConnectionError | APIStatusError, retries_taken: int) -> float | None:
    """Return the seconds to wait before the call is made again after `error`, or None if it is not made again."""
    response = error.response if isinstance(error, APIStatusError) else None
    return retry_delay(
        retries_taken,
        max_retries=call.max_retries,
        status=error.status_code if isinstance(error, APIStatusError) else None,
        headers=response.headers if response is not None else {},
        random=random.random(),  # noqa: S311  # it spreads retries and protects nothing
        now=time.time(),
    )


class SyncAttempts(BaseClient):
    """A client that makes its calls from sync code."""

    # Whether redirects to the same origin are followed.
    _follows_redirects = True

    def _send(self, call: Call) -> SyncAnswer:
        """Send the request and wait for the head of the answer, which may be a redirect.

        Raises:
            APIConnectionError: No answer came.
        """
        raise NotImplementedError

    def _sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def _open(self, call: Call) -> SyncAnswer:
        """Return the answer to a call, its body not read yet. The caller has to close it.

        Raises:
            APIError: No answer came, or it says that the call failed.
            APIResponseValidationError: A stream was asked for, and the answer is not an event stream.
        """
        return self._repeat(call, self._begin)

    def _fetch(self, call: Call) -> Message:
        """Return the message in the answer to a call.

        Raises:
            APIError: No answer came, or it says that the call failed.
            APIResponseValidationError: The answer is not a message.
            LimitExceededError: The answer goes beyond the defaults of `Limits`.
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
        for _ in range(MAX_REDIRECTS if self._follows_redirects else 0):
            answer = self._send(call)
            request = redirected(call.request, answer.status, answer.headers)
            if request is None:
                return checked(answer, stream=call.stream)
            _read_and_close(answer)
            call = attrs.evolve(call, request=request)
        return checked(self._send(call), stream=call.stream)

    def _read(self, call: Call) -> Message:
        answer = self._begin(call)
        body = bytearray()
        try:
            for chunk in answer:
                body += chunk
                _check_size(len(body), answer.response)
        finally:
            answer.close()
        return message_from_body(bytes(body), response=answer.response)


def checked(answer: _SyncAnswerT, *, stream: bool) -> _SyncAnswerT:
    """Return `answer` if it is what was asked for. Close it if not.

    If the content type is not that of an event stream, the body decides: not all servers and gateways set it.

    Raises:
        APIStatusError: The status is not 2xx.
        APIResponseValidationError: `stream` is true, and the answer is not an event stream.
    """
    if _is_wanted(answer, stream=stream):
        return answer
    try:
        chunks = iter(answer)
        body, cause = b"", None
        if is_success(answer.status):
            body, cause = _beginning(chunks, until=begins_like_a_stream)
            if begins_like_a_stream(body):
                return cast("_SyncAnswerT", SyncPeeked(answer, chunks, body))
        if cause is None:
            body, cause = _beginning(chunks, body)
    except BaseException:
        _close_quietly(answer)
        raise
    _close_quietly(answer)
    raise _failure(answer, body) from cause


def _close_quietly(answer: SyncAnswer) -> None:
    # The status of the answer, or the error that is under way, says more than an error in closing.
    with contextlib.suppress(APIConnectionError):
        answer.close()


def _read_and_close(answer: SyncAnswer) -> None:
    """Read the beginning of a body that does not matter, and close the answer."""
    try:
        _beginning(iter(answer))
    finally:
        _close_quietly(answer)


def _beginning(
    chunks: Iterator[bytes], begun: bytes = b"", *, until: Callable[[bytes], bool | None] = lambda _: None
) -> tuple[bytes, APIConnectionError | None]:
    """Read the beginning of a body.

    Return what was read, and the error that ended the reading if there was one.

    Args:
        chunks: The body.
        begun: The part of it that was read before.
        until: Decides whether to stop, for what was read so far: None means that more of it is needed.
    """
    body = bytearray(begun)
    try:
        for chunk in chunks:
            body += chunk
            if len(body) >= ERROR_BODY_SIZE or until(bytes(body)) is not None:
                break
    except APIConnectionError as error:
        return bytes(body), error
    return bytes(body), None


class AsyncAttempts(BaseClient):
    """A client that makes its calls from async code. It does the same as `SyncAttempts`, step by step."""

    _follows_redirects = True

    async def _send(self, call: Call) -> AsyncAnswer:
        """Send the request and wait for the head of the answer, which may be a redirect.

        Raises:
            APIConnectionError: No answer came.
        """
        raise NotImplementedError

    async def _sleep(self, seconds: float) -> None:
        raise NotImplementedError

    async def _open(self, call: Call) -> AsyncAnswer:
        """Like `SyncAttempts._open`."""
        return await self._repeat(call, self._begin)

    async def _fetch(self, call: Call) -> Message:
        """Like `SyncAttempts._fetch`."""
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
        for _ in range(MAX_REDIRECTS if self._follows_redirects else 0):
            answer = await self._send(call)
            request = redirected(call.request, answer.status, answer.headers)
            if request is None:
                return await async_checked(answer, stream=call.stream)
            await _async_read_and_close(answer)
            call = attrs.evolve(call, request=request)
        return await async_checked(await self._send(call), stream=call.stream)

    async def _read(self, call: Call) -> Message:
        answer = await self._begin(call)
        body = bytearray()
        try:
            async for chunk in answer:
                body += chunk
                _check_size(len(body), answer.response)
        finally:
            await answer.aclose()
        return message_from_body(bytes(body), response=answer.response)


async def async_checked(answer: _AsyncAnswerT, *, stream: bool) -> _AsyncAnswerT:
    """Like `checked`."""
    if _is_wanted(answer, stream=stream):
        return answer
    try:
        chunks = aiter(answer)
        body, cause = b"", None
        if is_success(answer.status):
            body, cause = await _async_beginning(chunks, until=begins_like_a_stream)
            if begins_like_a_stream(body):
                return cast("_AsyncAnswerT", AsyncPeeked(answer, chunks, body))
        if cause is None:
            body, cause = await _async_beginning(chunks, body)
    except BaseException:
        await _async_close_quietly(answer)
        raise
    await _async_close_quietly(answer)
    raise _failure(answer, body) from cause


async def _async_close_quietly(answer: AsyncAnswer) -> None:
    with contextlib.suppress(APIConnectionError):
        await answer.aclose()


async def _async_read_and_close(answer: AsyncAnswer) -> None:
    try:
        await _async_beginning(aiter(answer))
    finally:
        await _async_close_quietly(answer)


async def _async_beginning(
    chunks: AsyncIterator[bytes], begun: bytes = b"", *, until: Callable[[bytes], bool | None] = lambda _: None
) -> tuple[bytes, APIConnectionError | None]:
    body = bytearray(begun)
    try:
        async for chunk in chunks:
            body += chunk
            if len(body) >= ERROR_BODY_SIZE or until(bytes(body)) is not None:
                break
    except APIConnectionError as error:
        return bytes(body), error
    return bytes(body), None
