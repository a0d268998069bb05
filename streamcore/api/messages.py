"""`client.messages` and `client.beta.messages` for all adapters: arguments in, messages and streams out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Literal, overload

from typing_extensions import TypeVar, Unpack

from streamcore.api.arguments import takes
from streamcore.api.elsewhere import Elsewhere
from streamcore.api.options import NOT_GIVEN, CallOptions, DecodingOptions, StreamOptions, if_given
from streamcore.api.prepared import prepare_create, prepare_stream
from streamcore.api.raw_messages import (
    AsyncMessagesWithRawResponse,
    AsyncMessagesWithStreamingResponse,
    MessagesWithRawResponse,
    MessagesWithStreamingResponse,
)
from streamcore.stream import (
    AsyncMessageStream,
    AsyncMessageStreamManager,
    AsyncStream,
    MessageStream,
    MessageStreamManager,
    Stream,
)
from streamcore.types import Message, MessageStreamEvent
from streamcore.types.message import OutputT

if TYPE_CHECKING:
    from streamcore.api.face import AsyncClient, SyncClient

__all__ = ["AsyncBeta", "AsyncMessages", "Beta", "Messages", "WithResponses"]

_StreamT = TypeVar("_StreamT", bound=MessageStream, default=MessageStream)
_MessagesT = TypeVar("_MessagesT")
_AsyncStreamT = TypeVar("_AsyncStreamT", bound=AsyncMessageStream, default=AsyncMessageStream)


class Messages(Elsewhere):
    """The Messages API.

    Attributes:
        with_raw_response: `create()` with the response as its result.
        with_streaming_response: `create()` with a context manager as its result, whose response was not read.
    """

    def __init__(self, client: SyncClient) -> None:
        self._client = client
        self.with_raw_response: MessagesWithRawResponse = MessagesWithRawResponse(client)
        self.with_streaming_response: MessagesWithStreamingResponse = MessagesWithStreamingResponse(client)

    @overload
    def create(
        self, *, stream: Literal[False] = False, output_format: type[OutputT], **arguments: Unpack[CallOptions]
    ) -> Message[OutputT]: ...
    @overload
    def create(
        self, *, stream: Literal[False] = False, output_format: Any = NOT_GIVEN, **arguments: Unpack[CallOptions]
    ) -> Message: ...
    @overload
    def create(
        self, *, stream: Literal[True], output_format: Any = NOT_GIVEN, **arguments: Unpack[DecodingOptions]
    ) -> Stream[MessageStreamEvent]: ...
    @overload
    def create(
        self, *, stream: bool, output_format: Any = NOT_GIVEN, **arguments: Unpack[CallOptions]
    ) -> Message | Stream[MessageStreamEvent]: ...
    @takes(DecodingOptions)
    def create(
        self, *, stream: bool = False, output_format: Any = NOT_GIVEN, **arguments: Unpack[DecodingOptions]
    ) -> Message | Stream[MessageStreamEvent]:
        """Return the model's answer as a message, or with `stream=True` as a stream of events.

        Such a stream accumulates nothing, so its exceptions do not have a `snapshot`. Use `stream()` to have one.

        Args:
            stream: Whether to return a stream.
            output_format: The class that the text should be JSON of. `parsed_output` of the message is an instance.
            **arguments: Those of the API, and `CallOptions`; with `stream=True` also `strict` and `limits`, as for
                `MessageEngine`. `tools` may also contain classes and functions.

        Raises:
            InvalidOutputError: The answer does not match the class that was asked for.
            UnsupportedTypeError: A schema cannot be made for a class.
            TypeError: An argument is missing, or has a name that is not known.
            InvalidArgumentError: An argument is invalid, or is for another kind of answer.
            APIError: The call failed; `APIStatusError` or a subclass if the API says so.
            APIResponseValidationError: The answer is neither a message nor an event stream.
            LimitExceededError: The message goes beyond the defaults of `Limits`.
        """
        stream = if_given(stream, False)
        prepared = prepare_create(self._client, arguments, stream=stream, output_format=output_format)
        if not stream:
            return prepared.parsed(self._client._fetch(prepared.call))
        answer = self._client._open(prepared.call)
        return prepared.open_stream(answer, answer)

    @overload
    def parse(self, *, output_format: type[OutputT], **arguments: Unpack[CallOptions]) -> Message[OutputT]: ...
    @overload
    def parse(self, *, output_format: Any = NOT_GIVEN, **arguments: Unpack[CallOptions]) -> Message: ...
    @takes(CallOptions)
    def parse(self, *, output_format: Any = NOT_GIVEN, **arguments: Unpack[CallOptions]) -> Message:
        """Return the model's answer as `create` does. The `anthropic` package has this name for typed answers.

        Raises:
            Exception: As for `create`.
        """
        return self.create(output_format=output_format, **arguments)

    @overload
    def stream(
        self, *, output_format: type[OutputT], **arguments: Unpack[StreamOptions]
    ) -> MessageStreamManager[MessageStream[OutputT]]: ...
    @overload
    def stream(
        self,
        *,
        event_handler: type[_StreamT] = MessageStream,  # type: ignore[assignment]  # the default of the variable too
        output_format: Any = NOT_GIVEN,
        **arguments: Unpack[StreamOptions],
    ) -> MessageStreamManager[_StreamT]: ...
    @takes(StreamOptions)
    def stream(
        self,
        *,
        event_handler: type[Any] = MessageStream,
        output_format: Any = NOT_GIVEN,
        **arguments: Unpack[StreamOptions],
    ) -> MessageStreamManager[Any]:
        """Stream the model's answer. The request is sent when the `with` block is entered.

        Args:
            event_handler: The class of the stream: a subclass of `MessageStream` with handler methods of its own.
            output_format: The class that the text should be JSON of, as for `create` and `MessageEngine`.
            **arguments: Those of the API, and `StreamOptions`: also `strict`, `limits`, `trailing_strings` and
                `invalid_json`, as for `MessageEngine`. `tools` may also contain classes and functions.

        Raises:
            UnsupportedTypeError: A schema cannot be made for a class.
            TypeError: An argument is missing, or has a name that is not known.
            InvalidArgumentError: An argument is invalid.
        """
        prepared = prepare_stream(self._client, arguments, output_format=output_format)
        handler: type[Any] = if_given(event_handler, MessageStream)

        def open_stream() -> Any:
            answer = self._client._open(prepared.call)
            return handler(answer, response=answer.response, close=answer.close, **prepared.stream_options)

        return MessageStreamManager(open_stream)


class AsyncMessages(Elsewhere):
    """The Messages API for async code."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self.with_raw_response: AsyncMessagesWithRawResponse = AsyncMessagesWithRawResponse(client)
        self.with_streaming_response: AsyncMessagesWithStreamingResponse = AsyncMessagesWithStreamingResponse(client)

    @overload
    async def create(
        self, *, stream: Literal[False] = False, output_format: type[OutputT], **arguments: Unpack[CallOptions]
    ) -> Message[OutputT]: ...
    @overload
    async def create(
        self, *, stream: Literal[False] = False, output_format: Any = NOT_GIVEN, **arguments: Unpack[CallOptions]
    ) -> Message: ...
    @overload
    async def create(
        self, *, stream: Literal[True], output_format: Any = NOT_GIVEN, **arguments: Unpack[DecodingOptions]
    ) -> AsyncStream[MessageStreamEvent]: ...
    @overload
    async def create(
        self, *, stream: bool, output_format: Any = NOT_GIVEN, **arguments: Unpack[CallOptions]
    ) -> Message | AsyncStream[MessageStreamEvent]: ...
    @takes(DecodingOptions)
    async def create(
        self, *, stream: bool = False, output_format: Any = NOT_GIVEN, **arguments: Unpack[DecodingOptions]
    ) -> Message | AsyncStream[MessageStreamEvent]:
        """Like `Messages.create`."""
        stream = if_given(stream, False)
        prepared = prepare_create(self._client, arguments, stream=stream, output_format=output_format)
        if not stream:
            return prepared.parsed(await self._client._fetch(prepared.call))
        answer = await self._client._open(prepared.call)
        return prepared.open_async_stream(answer, answer)

    @overload
    async def parse(self, *, output_format: type[OutputT], **arguments: Unpack[CallOptions]) -> Message[OutputT]: ...
    @overload
    async def parse(self, *, output_format: Any = NOT_GIVEN, **arguments: Unpack[CallOptions]) -> Message: ...
    @takes(CallOptions)
    async def parse(self, *, output_format: Any = NOT_GIVEN, **arguments: Unpack[CallOptions]) -> Message:
        """Like `Messages.parse`."""
        return await self.create(output_format=output_format, **arguments)

    @overload
    def stream(
        self, *, output_format: type[OutputT], **arguments: Unpack[StreamOptions]
    ) -> AsyncMessageStreamManager[AsyncMessageStream[OutputT]]: ...
    @overload
    def stream(
        self,
        *,
        event_handler: type[_AsyncStreamT] = AsyncMessageStream,  # type: ignore[assignment]  # as in `Messages.stream`
        output_format: Any = NOT_GIVEN,
        **arguments: Unpack[StreamOptions],
    ) -> AsyncMessageStreamManager[_AsyncStreamT]: ...
    @takes(StreamOptions)
    def stream(
        self,
        *,
        event_handler: type[Any] = AsyncMessageStream,
        output_format: Any = NOT_GIVEN,
        **arguments: Unpack[StreamOptions],
    ) -> AsyncMessageStreamManager[Any]:
        """Like `Messages.stream`, with `async with`. `event_handler` is a subclass of `AsyncMessageStream`."""
        prepared = prepare_stream(self._client, arguments, output_format=output_format)
        handler: type[Any] = if_given(event_handler, AsyncMessageStream)

        async def open_stream() -> Any:
            answer = await self._client._open(prepared.call)
            return handler(answer, response=answer.response, close=answer.aclose, **prepared.stream_options)

        return AsyncMessageStreamManager(open_stream)


class WithResponses(Elsewhere, Generic[_MessagesT]):
    """`with_raw_response` or `with_streaming_response` of a client, or of its `beta`.

    Attributes:
        messages: That of `client.messages`.
        beta: That of `client.beta`.
    """

    messages: _MessagesT
    beta: WithResponses[_MessagesT]

    def __init__(self, messages: _MessagesT, beta: WithResponses[_MessagesT] | None = None) -> None:
        self.messages = messages
        if beta is not None:
            self.beta = beta


class Beta(Elsewhere):
    """`client.beta`: the same API. `betas=[...]` turns beta features on, which only changes a header."""

    def __init__(self, client: SyncClient) -> None:
        self.messages: Messages = Messages(client)
        raw, streaming = self.messages.with_raw_response, self.messages.with_streaming_response
        self.with_raw_response: WithResponses[MessagesWithRawResponse] = WithResponses(raw)
        self.with_streaming_response: WithResponses[MessagesWithStreamingResponse] = WithResponses(streaming)


class AsyncBeta(Elsewhere):
    """`client.beta` for async code."""

    def __init__(self, client: AsyncClient) -> None:
        self.messages: AsyncMessages = AsyncMessages(client)
        raw, streaming = self.messages.with_raw_response, self.messages.with_streaming_response
        self.with_raw_response: WithResponses[AsyncMessagesWithRawResponse] = WithResponses(raw)
        self.with_streaming_response: WithResponses[AsyncMessagesWithStreamingResponse] = WithResponses(streaming)
