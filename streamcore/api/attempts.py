"""Make a call: send it, check the answer, follow redirects, and try again if that helps.

What an adapter gets from the network is a `SyncAnswer` or an `AsyncAnswer`. The decisions are made in `retry`,
`redirects` and `response`. The procedures are written once, as steps (see `streamcore._steps`): sync clients run them,
async clients await them.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any, Protocol, TypeVar

import attrs

from streamcore._objects.construct import evolve
from streamcore._steps import Step, Steps, run, run_async
from streamcore.api.client import BaseClient, Call, HttpClientT
from streamcore.api.logs import log_answer, log_failure, log_request, log_retry
from streamcore.api.peeked import Peeked
from streamcore.api.redirects import MAX_REDIRECTS, describe_redirect, redirected
from streamcore.api.response import (
    ERROR_BODY_SIZE,
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
from streamcore.sse import begins_like_a_stream
from streamcore.types import Message

__all__ = [
    "AsyncAnswer",
    "Attempts",
    "SyncAnswer",
    "async_checked",
    "checked",
    "message_from_answer",
    "whole_body",
]

# How long the body of a failure or of a redirect is read. A gateway may send pings after a failure too, and each starts
# the read timeout again.
_FAILURE_SECONDS = 10.0

_T = TypeVar("_T")
_SyncAnswerT = TypeVar("_SyncAnswerT", bound="SyncAnswer")
_AsyncAnswerT = TypeVar("_AsyncAnswerT", bound="AsyncAnswer")


class _AnswerHead(Protocol):
    """The head of an answer.

    `headers` finds names in lower case. `response` is the HTTP library's object. `is_drainable` says whether the rest
    of the body may be read after the message has ended: without that, the connection of a stream is not used again.
    `keep_body(body)` makes what was read the body of `response`. It is not called for a stream.
    """

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def response(self) -> Any: ...
    @property
    def is_drainable(self) -> bool: ...
    def keep_body(self, body: bytes) -> None: ...


class SyncAnswer(_AnswerHead, Protocol):
    """An answer whose body is read by iteration. Reading raises only `APIConnectionError`.

    `close()` may be called at any time, repeatedly, and from another thread. It too raises only `APIConnectionError`.
    """

    def __iter__(self) -> Iterator[bytes]: ...
    def close(self) -> None: ...


class AsyncAnswer(_AnswerHead, Protocol):
    """Like `SyncAnswer`, for async code: `aclose()` may be called from another task."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...
    async def aclose(self) -> None: ...


def _failure(answer: _AnswerHead, body: bytes) -> APIStatusError | APIResponseValidationError:
    """Return the exception for an answer that is not what was asked for. `body` is what was read of its body."""
    body = body[:ERROR_BODY_SIZE]
    answer.keep_body(body)
    if is_success(answer.status):
        return not_a_stream(answer.headers, body, response=answer.response)
    refused = describe_redirect(answer.status, answer.headers)
    return status_error(answer.status, body, response=answer.response, message=refused)


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


class Attempts(BaseClient[HttpClientT]):
    """What sync and async clients share: how a call is made, as steps."""

    # Whether redirects to the same origin are followed.
    _follows_redirects = True
    _send: Callable[[Call], Any]
    _sleep: Callable[[float], Any]

    def _repeating(self, call: Call, attempt: Callable[[Call], Steps[_T]]) -> Steps[tuple[_T, int]]:
        """Make attempts until one succeeds, or until its error is not worth another one.

        Return the result of the attempt, and how many were made before it.
        """
        retries_taken = 0
        while True:
            try:
                return (yield from attempt(call)), retries_taken
            except (APIConnectionError, APIStatusError) as error:
                delay = _delay(call, error, retries_taken)
                if delay is None or self.is_closed():
                    log_failure(call, error)
                    raise
                retries_taken += 1
                log_retry(call, error, retries_taken=retries_taken, delay=delay)
            yield self._sleep, (delay,)

    def _exchange(self, call: Call) -> Steps[Any]:
        """Send a request once, and return the answer."""
        log_request(call)
        answer = yield self._send, (call,)
        log_answer(call, answer.status, answer.headers)
        return answer

    def _begin(self, call: Call) -> Steps[Any]:
        """Send a call, follow redirects, and return the answer, its body not read yet."""
        for _ in range(MAX_REDIRECTS if self._follows_redirects else 0):
            answer = yield from self._exchange(call)
            request = redirected(call.request, answer.status, answer.headers)
            if request is None:
                return (yield from _checking(answer, stream=call.stream))
            # The body of a redirect does not matter, but only a body that was read frees the connection.
            body = _Body(answer)
            try:
                yield from body.beginning()
            finally:
                yield from body.close_quietly()
            call = attrs.evolve(call, request=request)
        answer = yield from self._exchange(call)
        return (yield from _checking(answer, stream=call.stream))

    def _receive(self, call: Call) -> Steps[tuple[Any, bytes]]:
        """Send a call, and return the answer and its body."""
        answer = yield from self._begin(call)
        return answer, (yield from whole_body(answer))

    def _read(self, call: Call) -> Steps[Message]:
        """Send a call, and return the message in the answer."""
        answer, body = yield from self._receive(call)
        return message_from_answer(answer, body)


def message_from_answer(answer: Any, body: bytes) -> Message:
    """Return the message in the body of an answer, with the ids in its headers.

    Raises:
        Exception: As for `message_from_body`.
    """
    ids = tuple(answer.headers.get(name) for name in ("request-id", "anthropic-workspace-id"))
    return evolve(message_from_body(body, response=answer.response), {"response_ids": ids})


def whole_body(answer: Any) -> Steps[bytes]:
    """Read the body of an answer to its end, close the answer, and return the body."""
    body = _Body(answer)
    content = bytearray()
    try:
        while (chunk := (yield body.next_chunk)) is not None:
            content += chunk
            if len(content) > DEFAULT_LIMITS.max_event_size:
                error = LimitExceededError(f"the body has more than {DEFAULT_LIMITS.max_event_size} bytes")
                raise error_in_call(error, answer.response)
    finally:
        yield body.close, ()
        answer.keep_body(bytes(content))
    return bytes(content)


def checked(answer: _SyncAnswerT, *, stream: bool) -> _SyncAnswerT:
    """Return `answer` if it is what was asked for. Close it if not.

    If the content type is not that of an event stream, the body decides: not all servers and gateways set it.

    Raises:
        APIStatusError: The status is not 2xx.
        APIResponseValidationError: `stream` is true, and the answer is not an event stream.
    """
    accepted: _SyncAnswerT = run(_checking(answer, stream=stream))
    return accepted


async def async_checked(answer: _AsyncAnswerT, *, stream: bool) -> _AsyncAnswerT:
    """Like `checked`, for async code."""
    accepted: _AsyncAnswerT = await run_async(_checking(answer, stream=stream))
    return accepted


def _checking(answer: Any, *, stream: bool) -> Steps[Any]:
    """Return the answer if it is what was asked for. Otherwise read its beginning, close it and raise."""
    succeeded = is_success(answer.status)
    if succeeded and (not stream or is_event_stream(answer.headers)):
        return answer
    body = _Body(answer)
    try:
        beginning, cause = b"", None
        if succeeded:
            beginning, cause = yield from body.beginning(until=begins_like_a_stream)
            if begins_like_a_stream(beginning):
                return Peeked(answer, body.chunks, beginning)
        if cause is None:
            beginning, cause = yield from body.beginning(beginning)
    except BaseException:
        yield from body.close_quietly()
        raise
    yield from body.close_quietly()
    raise _failure(answer, beginning) from cause


class _Body:
    """The body of an answer, sync or async.

    Attributes:
        chunks: The iterator over the body.
        next_chunk: The step that reads the next chunk. Its result is None at the end.
        close: Closes the answer.
    """

    def __init__(self, answer: Any) -> None:
        is_async = hasattr(answer, "aclose")
        self.chunks: Any = aiter(answer) if is_async else iter(answer)
        self.next_chunk: Step = (anext if is_async else next, (self.chunks, None))
        self.close: Callable[[], Any] = answer.aclose if is_async else answer.close

    def beginning(
        self, begun: bytes = b"", *, until: Callable[[bytes], bool | None] | None = None
    ) -> Steps[tuple[bytes, APIConnectionError | None]]:
        """Read the beginning of the body.

        Return what was read, and the error that ended the reading if there was one.

        Args:
            begun: What was read of it before.
            until: Called after each chunk with a copy of all bytes so far. Reading stops when it returns True or False,
                so it must return None as long as it needs more bytes, which may be a few KB at most.
        """
        content = bytearray(begun)
        deadline = time.monotonic() + _FAILURE_SECONDS
        try:
            while (chunk := (yield self.next_chunk)) is not None:
                content += chunk
                is_enough = time.monotonic() > deadline if until is None else until(bytes(content)) is not None
                if is_enough or len(content) >= ERROR_BODY_SIZE:
                    break
        except APIConnectionError as error:
            return bytes(content), error
        return bytes(content), None

    def close_quietly(self) -> Steps[None]:
        # The status of the answer, or the error that is under way, says more than an error in closing.
        with contextlib.suppress(APIConnectionError):
            yield self.close, ()
