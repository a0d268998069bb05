"""The clients, sync and async, whichever HTTP library sends.

An adapter derives its clients from `SyncClient` or `AsyncClient`. It implements `_send_with()`, `_send()`, `close()`,
`is_closed()`, and in async code `_sleep()`.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self, cast

from streamcore._steps import run, run_async
from streamcore.api.attempts import AsyncAnswer, Attempts, SyncAnswer
from streamcore.api.client import Call, HttpClientT
from streamcore.api.elsewhere import Elsewhere
from streamcore.api.messages import AsyncBeta, AsyncMessages, Beta, Messages, WithResponses
from streamcore.api.raw_messages import (
    AsyncMessagesWithRawResponse,
    AsyncMessagesWithStreamingResponse,
    MessagesWithRawResponse,
    MessagesWithStreamingResponse,
)
from streamcore.api.resources import Resource
from streamcore.types import Message

__all__ = ["AsyncClient", "SyncClient"]


class SyncClient(Attempts[HttpClientT], Elsewhere):
    """The base of sync clients."""

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
        answer, _ = run(self._repeating(call, self._begin))
        return cast("SyncAnswer", answer)

    def _fetch(self, call: Call) -> Message:
        """Return the message in the answer to a call.

        Raises:
            APIError: No answer came, or it says that the call failed.
            APIResponseValidationError: The answer is not a message.
            LimitExceededError: The answer goes beyond the defaults of `Limits`.
        """
        message, _ = run(self._repeating(call, self._read))
        return message

    def _respond(self, call: Call, *, read: bool) -> tuple[SyncAnswer, bytes | None, int]:
        """Return the answer to a call, its body if `read` is true, and how many retries were made.

        Raises:
            APIError: As for `_open`.
        """
        if read:
            (answer, body), retries_taken = run(self._repeating(call, self._receive))
            return answer, body, retries_taken
        answer, retries_taken = run(self._repeating(call, self._begin))
        return answer, None, retries_taken

    @Resource
    def messages(self) -> Messages:
        """The Messages API."""
        return Messages(self)

    @Resource
    def beta(self) -> Beta:
        """The API's beta features."""
        return Beta(self)

    @property
    def with_raw_response(self) -> WithResponses[MessagesWithRawResponse]:
        """The same methods, which return responses: their bodies are read."""
        return WithResponses(self.messages.with_raw_response, beta=self.beta.with_raw_response)

    @property
    def with_streaming_response(self) -> WithResponses[MessagesWithStreamingResponse]:
        """The same methods, which return context managers of responses: their bodies are not read yet."""
        return WithResponses(self.messages.with_streaming_response, beta=self.beta.with_streaming_response)

    def close(self) -> None:
        """Close the connections.

        Raises:
            StreamCoreError: A connection could not be closed cleanly.
        """
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class AsyncClient(Attempts[HttpClientT], Elsewhere):
    """The base of async clients."""

    async def _send(self, call: Call) -> AsyncAnswer:
        """Like `SyncClient._send`."""
        raise NotImplementedError

    async def _sleep(self, seconds: float) -> None:
        raise NotImplementedError

    async def _open(self, call: Call) -> AsyncAnswer:
        """Like `SyncClient._open`."""
        answer, _ = await run_async(self._repeating(call, self._begin))
        return cast("AsyncAnswer", answer)

    async def _fetch(self, call: Call) -> Message:
        """Like `SyncClient._fetch`."""
        message, _ = await run_async(self._repeating(call, self._read))
        return message

    async def _respond(self, call: Call, *, read: bool) -> tuple[AsyncAnswer, bytes | None, int]:
        """Like `SyncClient._respond`."""
        if read:
            (answer, body), retries_taken = await run_async(self._repeating(call, self._receive))
            return answer, body, retries_taken
        answer, retries_taken = await run_async(self._repeating(call, self._begin))
        return answer, None, retries_taken

    @Resource
    def messages(self) -> AsyncMessages:
        """The Messages API."""
        return AsyncMessages(self)

    @Resource
    def beta(self) -> AsyncBeta:
        """The API's beta features."""
        return AsyncBeta(self)

    @property
    def with_raw_response(self) -> WithResponses[AsyncMessagesWithRawResponse]:
        """Like `SyncClient.with_raw_response`."""
        return WithResponses(self.messages.with_raw_response, beta=self.beta.with_raw_response)

    @property
    def with_streaming_response(self) -> WithResponses[AsyncMessagesWithStreamingResponse]:
        """Like `SyncClient.with_streaming_response`."""
        return WithResponses(self.messages.with_streaming_response, beta=self.beta.with_streaming_response)

    async def close(self) -> None:
        """Close the connections.

        Raises:
            StreamCoreError: A connection could not be closed cleanly.
        """
        raise NotImplementedError

    async def aclose(self) -> None:
        """Do the same as `close()`.

        Raises:
            StreamCoreError: As for `close()`.
        """
        await self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()
