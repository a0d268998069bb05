"""`client.messages` and `client.beta.messages` for all adapters: arguments in, messages and streams out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from typing_extensions import TypeVar, Unpack

from streamcore.api.options import NOT_GIVEN, CallOptions, DecodingOptions, StreamOptions
from streamcore.api.prepared import prepare_call, prepare_create
from streamcore.decoders import MessageEventDecoder
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

__all__ = ["AsyncBeta", "AsyncMessages", "Beta", "Messages"]

_StreamT = TypeVar("_StreamT", bound=MessageStream, default=MessageStream)
_AsyncStreamT = TypeVar("_AsyncStreamT", bound=AsyncMessageStream, default=AsyncMessageStream)


class Messages:
    """The Messages API."""

    def __init__(self, client: SyncClient) -> None:
        self._client = client

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
            InvalidArgumentError: An argument is missing or invalid, or is for another kind of answer.
            APIError: The call failed; `APIStatusError` or a subclass if the API says so.
            APIResponseValidationError: The answer is neither a message nor an event stream.
            LimitExceededError: The message goes beyond the defaults of `Limits`.
        """
        prepared = prepare_create(self._client, arguments, stream=stream, output_format=output_format)
        if not stream:
            return prepared.parsed(self._client._fetch(prepared.call))
        answer = self._client._open(prepared.call)
        decoder = MessageEventDecoder(**prepared.decoding)
        return Stream(answer, decoder=decoder, response=answer.response, close=answer.close)

    @overload
    def parse(self, *, output_format: type[OutputT], **arguments: Unpack[CallOptions]) -> Message[OutputT]: ...
    @overload
    def parse(self, *, output_format: Any = NOT_GIVEN, **arguments: Unpack[CallOptions]) -> Message: ...
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
            InvalidArgumentError: An argument is missing or invalid.
        """
        prepared = prepare_call(self._client, arguments, output_format=output_format)

        def open_stream() -> Any:
            answer = self._client._open(prepared.call)
            return event_handler(answer, response=answer.response, close=answer.close, **prepared.stream_options)

        return MessageStreamManager(open_stream)


class AsyncMessages:
    """The Messages API for async code."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

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
    async def create(
        self, *, stream: bool = False, output_format: Any = NOT_GIVEN, **arguments: Unpack[DecodingOptions]
    ) -> Message | AsyncStream[MessageStreamEvent]:
        """Like `Messages.create`."""
        prepared = prepare_create(self._client, arguments, stream=stream, output_format=output_format)
        if not stream:
            return prepared.parsed(await self._client._fetch(prepared.call))
        answer = await self._client._open(prepared.call)
        decoder = MessageEventDecoder(**prepared.decoding)
        return AsyncStream(answer, decoder=decoder, response=answer.response, close=answer.aclose)

    @overload
    async def parse(self, *, output_format: type[OutputT], **arguments: Unpack[CallOptions]) -> Message[OutputT]: ...
    @overload
    async def parse(self, *, output_format: Any = NOT_GIVEN, **arguments: Unpack[CallOptions]) -> Message: ...
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
    def stream(
        self,
        *,
        event_handler: type[Any] = AsyncMessageStream,
        output_format: Any = NOT_GIVEN,
        **arguments: Unpack[StreamOptions],
    ) -> AsyncMessageStreamManager[Any]:
        """Like `Messages.stream`, with `async with`. `event_handler` is a subclass of `AsyncMessageStream`."""
        prepared = prepare_call(self._client, arguments, output_format=output_format)

        async def open_stream() -> Any:
            answer = await self._client._open(prepared.call)
            return event_handler(answer, response=answer.response, close=answer.aclose, **prepared.stream_options)

        return AsyncMessageStreamManager(open_stream)


class Beta:
    """`client.beta`: the same API. `betas=[...]` turns beta features on, which only changes a header."""

    def __init__(self, client: SyncClient) -> None:
        self.messages: Messages = Messages(client)


class AsyncBeta:
    """`client.beta` for async code."""

    def __init__(self, client: AsyncClient) -> None:
        self.messages: AsyncMessages = AsyncMessages(client)
