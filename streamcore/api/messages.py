"""`client.messages` and `client.beta.messages`, the same for every adapter: arguments in, messages and streams out."""

from __future__ import annotations

from typing import Literal, overload

from typing_extensions import TypeVar, Unpack

from streamcore.api.attempts import AsyncAttempts, SyncAttempts
from streamcore.api.request import CallOptions
from streamcore.engine import MessageEventDecoder
from streamcore.limits import DEFAULT_LIMITS, Limits
from streamcore.stream import (
    AsyncMessageStream,
    AsyncMessageStreamManager,
    AsyncStream,
    MessageStream,
    MessageStreamManager,
    Stream,
)
from streamcore.types import Message, MessageStreamEvent

__all__ = ["AsyncBeta", "AsyncMessages", "Beta", "Messages"]

_StreamT = TypeVar("_StreamT", bound=MessageStream, default=MessageStream)
_AsyncStreamT = TypeVar("_AsyncStreamT", bound=AsyncMessageStream, default=AsyncMessageStream)

_PATH = "/v1/messages"


class Messages:
    """The Messages API."""

    def __init__(self, client: SyncAttempts) -> None:
        self._client = client

    @overload
    def create(self, *, stream: Literal[False] = False, **arguments: Unpack[CallOptions]) -> Message: ...
    @overload
    def create(self, *, stream: Literal[True], **arguments: Unpack[CallOptions]) -> Stream[MessageStreamEvent]: ...
    @overload
    def create(self, *, stream: bool, **arguments: Unpack[CallOptions]) -> Message | Stream[MessageStreamEvent]: ...
    def create(self, *, stream: bool = False, **arguments: Unpack[CallOptions]) -> Message | Stream[MessageStreamEvent]:
        """The model's answer, whole, or with `stream=True` as the events it comes in, of which nothing is accumulated.

        So an exception out of such a stream has no `snapshot`: whoever wants one asks for `stream()`.

        Raises:
            InvalidArgumentError: The arguments make no request.
            APIError: The call failed; `APIStatusError` and its children if the API says so.
            APIResponseValidationError: What came is neither a message nor an event stream.
        """
        call = self._client._call(_PATH, arguments, stream=stream)
        if not stream:
            return self._client._fetch(call)
        answer = self._client._open(call)
        return Stream(answer, decoder=MessageEventDecoder(), response=answer.response, close=answer.close)

    def stream(
        self,
        *,
        event_handler: type[_StreamT] = MessageStream,  # type: ignore[assignment]  # the default of the variable too
        strict: bool = False,
        limits: Limits = DEFAULT_LIMITS,
        trailing_strings: bool = False,
        **arguments: Unpack[CallOptions],
    ) -> MessageStreamManager[_StreamT]:
        """The model's answer as it comes. The request is sent when the `with` block is entered.

        Args:
            event_handler: The class of the stream: a subclass of `MessageStream` with handler methods of its own.
            strict: As for `MessageEngine`.
            limits: As for `MessageEngine`.
            trailing_strings: As for `MessageEngine`.
            **arguments: Those of the API, and `CallOptions`.

        Raises:
            InvalidArgumentError: The arguments make no request.
        """
        call = self._client._call(_PATH, arguments, stream=True)

        def open_stream() -> _StreamT:
            answer = self._client._open(call)
            return event_handler(
                answer,
                response=answer.response,
                close=answer.close,
                strict=strict,
                limits=limits,
                trailing_strings=trailing_strings,
            )

        return MessageStreamManager(open_stream)


class AsyncMessages:
    """The Messages API for async code."""

    def __init__(self, client: AsyncAttempts) -> None:
        self._client = client

    @overload
    async def create(self, *, stream: Literal[False] = False, **arguments: Unpack[CallOptions]) -> Message: ...
    @overload
    async def create(
        self, *, stream: Literal[True], **arguments: Unpack[CallOptions]
    ) -> AsyncStream[MessageStreamEvent]: ...
    @overload
    async def create(
        self, *, stream: bool, **arguments: Unpack[CallOptions]
    ) -> Message | AsyncStream[MessageStreamEvent]: ...
    async def create(
        self, *, stream: bool = False, **arguments: Unpack[CallOptions]
    ) -> Message | AsyncStream[MessageStreamEvent]:
        """As `Messages.create`."""
        call = self._client._call(_PATH, arguments, stream=stream)
        if not stream:
            return await self._client._fetch(call)
        answer = await self._client._open(call)
        return AsyncStream(answer, decoder=MessageEventDecoder(), response=answer.response, close=answer.aclose)

    def stream(
        self,
        *,
        event_handler: type[_AsyncStreamT] = AsyncMessageStream,  # type: ignore[assignment]  # as in `Messages.stream`
        strict: bool = False,
        limits: Limits = DEFAULT_LIMITS,
        trailing_strings: bool = False,
        **arguments: Unpack[CallOptions],
    ) -> AsyncMessageStreamManager[_AsyncStreamT]:
        """As `Messages.stream`, with `async with`; `event_handler` is a subclass of `AsyncMessageStream`."""
        call = self._client._call(_PATH, arguments, stream=True)

        async def open_stream() -> _AsyncStreamT:
            answer = await self._client._open(call)
            return event_handler(
                answer,
                response=answer.response,
                close=answer.aclose,
                strict=strict,
                limits=limits,
                trailing_strings=trailing_strings,
            )

        return AsyncMessageStreamManager(open_stream)


class Beta:
    """`client.beta`: the same API. Beta features are turned on by `betas=[...]`, which the header alone tells."""

    def __init__(self, client: SyncAttempts) -> None:
        self.messages = Messages(client)


class AsyncBeta:
    """`client.beta` for async code."""

    def __init__(self, client: AsyncAttempts) -> None:
        self.messages = AsyncMessages(client)
