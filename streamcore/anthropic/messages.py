"""`client.messages` and `client.beta.messages` of a wrapped client: streams are ours, everything else is official."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Literal, overload

from typing_extensions import TypeVar, Unpack

from streamcore.anthropic import streams
from streamcore.anthropic.answers import opened, opened_async
from streamcore.anthropic.arguments import check_names, for_official, is_given, tool_params
from streamcore.anthropic.raw import Delegating, RawResponses, StreamedResponses
from streamcore.api.client import checked_idle_timeout
from streamcore.api.options import NOT_GIVEN, DecodingOptions, StreamOptions
from streamcore.api.prepared import Decoding, check_create, take_decoding
from streamcore.stream import (
    AsyncMessageStream,
    AsyncMessageStreamManager,
    AsyncStream,
    MessageStream,
    MessageStreamManager,
    Stream,
)
from streamcore.types import MessageStreamEvent
from streamcore.types.message import OutputT

if TYPE_CHECKING:
    from collections.abc import Mapping

    import anthropic.types

__all__ = ["AsyncBeta", "AsyncMessages", "Beta", "Messages"]

_StreamT = TypeVar("_StreamT", bound=MessageStream, default=MessageStream)
_AsyncStreamT = TypeVar("_AsyncStreamT", bound=AsyncMessageStream, default=AsyncMessageStream)

# Official methods whose arguments may contain objects of ours.
_TAKING_MESSAGES = ("count_tokens", "parse", "tool_runner")


class _Resource(Delegating):
    """An official resource, with some of its attributes replaced.

    Args:
        official: The resource.
        bedrock: Whether its streams are binary, if they do not say what they are.
    """

    def __init__(self, official: Any, *, bedrock: bool) -> None:
        super().__init__(official)
        self._bedrock = bedrock

    def __getattr__(self, name: str) -> Any:
        found = super().__getattr__(name)
        if name not in _TAKING_MESSAGES:
            return found

        @functools.wraps(found)
        def call(**arguments: Any) -> Any:
            return found(**for_official(arguments))

        return call

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *dir(self._official)})


class _MessagesResource(_Resource):
    """What sync and async messages share."""

    create: Any

    def __init__(self, official: Any, *, bedrock: bool) -> None:
        super().__init__(official, bedrock=bedrock)
        # Frameworks look at the signature. The official method has no docstring.
        create: Any = functools.update_wrapper(functools.partial(self.create), official.create)
        create.__doc__ = self.create.__doc__
        vars(self)["create"] = create

    @functools.cached_property
    def with_raw_response(self) -> Any:
        """The official `with_raw_response`. If the answer is a stream, `parse()` gives a stream of ours."""
        return RawResponses(self._official.with_raw_response, self._prepare_raw)

    @functools.cached_property
    def with_streaming_response(self) -> Any:
        """The official `with_streaming_response`. If the answer is a stream, `parse()` gives a stream of ours."""
        return StreamedResponses(self._official.with_streaming_response, self._prepare_raw)

    def _prepare(self, arguments: Mapping[str, Any], output_format: Any) -> _Prepared:
        return _Prepared(self._official, arguments, output_format, bedrock=self._bedrock)

    def _prepare_create(self, arguments: Mapping[str, Any], output_format: Any) -> _Prepared:
        check_create(arguments, stream=True)
        return self._prepare(arguments, output_format)

    def _prepare_raw(self, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
        named = dict(arguments)
        prepared = self._prepare_create(named, named.pop("output_format", NOT_GIVEN))
        return prepared.params, functools.partial(self._stream_of, prepared)

    def _stream_of(self, prepared: _Prepared, response: Any) -> Any:
        """Return the stream in a response. Each subclass has its own, sync or async."""
        raise NotImplementedError


class _Prepared:
    """A call that is ready to be sent: its arguments, and how its answer is opened and decoded."""

    def __init__(self, official: Any, arguments: Mapping[str, Any], output_format: Any, *, bedrock: bool) -> None:
        params = {name: value for name, value in arguments.items() if is_given(value)}
        idle_timeout = checked_idle_timeout(params.pop("idle_timeout", None))
        if params.get("tools") is not None:
            params["tools"] = tool_params(params["tools"])
        if isinstance(output_format, dict):  # a schema that is ready
            params["output_format"] = output_format
            output_format = NOT_GIVEN
        self.decoding: Decoding = take_decoding(
            params, output_format=output_format if is_given(output_format) else NOT_GIVEN
        )
        self.params: dict[str, Any] = {**for_official(params), "stream": True}
        self.opening: dict[str, Any] = {
            "bedrock": bedrock,
            "idle_timeout": idle_timeout,
            "limits": self.decoding.decoding.get("limits"),
        }
        check_names(official.create, self.params)


class Messages(_MessagesResource):
    """The Messages API of a wrapped client.

    `create` and `stream` are described below. Everything else is that of the official client.
    """

    @overload
    def create(
        self, *, stream: Literal[False] = False, output_format: Any = NOT_GIVEN, **arguments: Any
    ) -> anthropic.types.Message: ...
    @overload
    def create(
        self, *, stream: Literal[True], output_format: Any = NOT_GIVEN, **arguments: Unpack[DecodingOptions]
    ) -> Stream[MessageStreamEvent]: ...
    @overload
    def create(
        self, *, stream: bool, output_format: Any = NOT_GIVEN, **arguments: Any
    ) -> anthropic.types.Message | Stream[MessageStreamEvent]: ...
    def create(self, *, stream: Any = False, output_format: Any = NOT_GIVEN, **arguments: Any) -> Any:
        """Return the answer of the official client, or with `stream=True` a stream of our events.

        Such a stream accumulates nothing, so its exceptions do not have a `snapshot`. Use `stream()` to have one.

        Args:
            stream: Whether to return a stream.
            output_format: With `stream=True`, the class that the text should be JSON of; its schema is sent.
            **arguments: Those of the official method; with `stream=True` also `strict`, `limits` and `idle_timeout`.

        Raises:
            InvalidArgumentError: An argument is invalid, or is for another kind of answer.
            TypeError: The official method does not have an argument.
            anthropic.APIError: The call failed.
        """
        if not (is_given(stream) and stream):
            return self._official.create(**for_official({"output_format": output_format, **arguments}))
        prepared = self._prepare_create(arguments, output_format)
        return self._stream_of(prepared, self._send(prepared))

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
        event_handler: Any = MessageStream,
        output_format: Any = NOT_GIVEN,
        **arguments: Any,
    ) -> MessageStreamManager[Any]:
        """Stream the model's answer. The request is sent when the `with` block is entered.

        Args:
            event_handler: The class of the stream: a subclass of `MessageStream` with handler methods of its own.
            output_format: The class that the text should be JSON of, as for our own clients.
            **arguments: Those of the official `create`, and `strict`, `limits`, `trailing_strings`, `invalid_json`,
                `on_invalid` and `idle_timeout`, as for our own clients. `tools` may also contain classes and functions.

        Raises:
            UnsupportedTypeError: A schema cannot be made for a class.
            InvalidArgumentError: An argument is invalid.
            TypeError: The official method does not have an argument.
        """
        prepared = self._prepare(arguments, output_format)
        handler = streams.message_stream_class(event_handler)

        def open_stream() -> Any:
            response = self._send(prepared)
            answer = opened(response, **prepared.opening)
            return handler(answer.chunks, response=response, close=answer.close, **prepared.decoding.stream_options)

        return streams.MessageStreamManager(open_stream)

    def _send(self, prepared: _Prepared) -> Any:
        return self._official.with_streaming_response.create(**prepared.params).__enter__().http_response

    def _stream_of(self, prepared: _Prepared, response: Any) -> Any:
        answer = opened(response, **prepared.opening)
        decoder = streams.EventDecoder(**prepared.decoding.decoding)
        return streams.Stream(answer.chunks, decoder=decoder, response=response, close=answer.close)


class AsyncMessages(_MessagesResource):
    """The Messages API of a wrapped async client."""

    @overload
    async def create(
        self, *, stream: Literal[False] = False, output_format: Any = NOT_GIVEN, **arguments: Any
    ) -> anthropic.types.Message: ...
    @overload
    async def create(
        self, *, stream: Literal[True], output_format: Any = NOT_GIVEN, **arguments: Unpack[DecodingOptions]
    ) -> AsyncStream[MessageStreamEvent]: ...
    @overload
    async def create(
        self, *, stream: bool, output_format: Any = NOT_GIVEN, **arguments: Any
    ) -> anthropic.types.Message | AsyncStream[MessageStreamEvent]: ...
    async def create(self, *, stream: Any = False, output_format: Any = NOT_GIVEN, **arguments: Any) -> Any:
        """Like `Messages.create`."""
        if not (is_given(stream) and stream):
            return await self._official.create(**for_official({"output_format": output_format, **arguments}))
        prepared = self._prepare_create(arguments, output_format)
        return await self._stream_of(prepared, await self._send(prepared))

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
        event_handler: Any = AsyncMessageStream,
        output_format: Any = NOT_GIVEN,
        **arguments: Any,
    ) -> AsyncMessageStreamManager[Any]:
        """Like `Messages.stream`, with `async with`. `event_handler` is a subclass of `AsyncMessageStream`."""
        prepared = self._prepare(arguments, output_format)
        handler = streams.message_stream_class(event_handler)

        async def open_stream() -> Any:
            response = await self._send(prepared)
            answer = await opened_async(response, **prepared.opening)
            return handler(answer.chunks, response=response, close=answer.close, **prepared.decoding.stream_options)

        return streams.AsyncMessageStreamManager(open_stream)

    async def _send(self, prepared: _Prepared) -> Any:
        manager = self._official.with_streaming_response.create(**prepared.params)
        return (await manager.__aenter__()).http_response

    async def _stream_of(self, prepared: _Prepared, response: Any) -> Any:
        answer = await opened_async(response, **prepared.opening)
        decoder = streams.EventDecoder(**prepared.decoding.decoding)
        return streams.AsyncStream(answer.chunks, decoder=decoder, response=response, close=answer.close)


class Beta(_Resource):
    """`client.beta` of a wrapped client: its `messages` are ours."""

    @functools.cached_property
    def messages(self) -> Messages:
        """The Messages API with beta features."""
        return Messages(self._official.messages, bedrock=self._bedrock)


class AsyncBeta(_Resource):
    """`client.beta` of a wrapped async client."""

    @functools.cached_property
    def messages(self) -> AsyncMessages:
        """The Messages API with beta features."""
        return AsyncMessages(self._official.messages, bedrock=self._bedrock)
