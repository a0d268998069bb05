"""`client.messages` and `client.beta.messages` of a wrapped client: streams are ours, everything else is official."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Literal, overload

from typing_extensions import TypeVar, Unpack

from streamcore.anthropic.answers import Opened, opened, opened_async
from streamcore.anthropic.arguments import check_names, for_official, is_given, tool_params
from streamcore.api.client import checked_idle_timeout
from streamcore.api.options import NOT_GIVEN, DecodingOptions, StreamOptions
from streamcore.api.prepared import Decoding, check_create, take_decoding
from streamcore.decoders import MessageEventDecoder
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


class _Resource:
    """An official resource, with some of its attributes replaced.

    Args:
        official: The resource.
        bedrock: Whether its streams are binary, if they do not say what they are.
    """

    def __init__(self, official: Any, *, bedrock: bool) -> None:
        self._official = official
        self._bedrock = bedrock

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # copying and pickling ask for such names before there is anything
            raise AttributeError(name)
        found = getattr(self._official, name)
        if name not in _TAKING_MESSAGES:
            return found

        @functools.wraps(found)
        def call(**arguments: Any) -> Any:
            return found(**for_official(arguments))

        return call

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *dir(self._official)})

    def __repr__(self) -> str:
        return f"<{self._official!r} with streams of streamcore>"


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


class Messages(_Resource):
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
        check_create(arguments, stream=True)
        prepared = _Prepared(self._official, arguments, output_format, bedrock=self._bedrock)
        answer = self._open(prepared)
        decoder = MessageEventDecoder(**prepared.decoding.decoding)
        return Stream(answer.chunks, decoder=decoder, response=answer.response, close=answer.close)

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
        prepared = _Prepared(self._official, arguments, output_format, bedrock=self._bedrock)

        def open_stream() -> Any:
            answer = self._open(prepared)
            return event_handler(
                answer.chunks, response=answer.response, close=answer.close, **prepared.decoding.stream_options
            )

        return MessageStreamManager(open_stream)

    def _open(self, prepared: _Prepared) -> Opened:
        response = self._official.with_streaming_response.create(**prepared.params).__enter__()
        return opened(response.http_response, **prepared.opening)


class AsyncMessages(_Resource):
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
        check_create(arguments, stream=True)
        prepared = _Prepared(self._official, arguments, output_format, bedrock=self._bedrock)
        answer = await self._open(prepared)
        decoder = MessageEventDecoder(**prepared.decoding.decoding)
        return AsyncStream(answer.chunks, decoder=decoder, response=answer.response, close=answer.close)

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
        **arguments: Any,
    ) -> AsyncMessageStreamManager[Any]:
        """Like `Messages.stream`, with `async with`. `event_handler` is a subclass of `AsyncMessageStream`."""
        prepared = _Prepared(self._official, arguments, output_format, bedrock=self._bedrock)

        async def open_stream() -> Any:
            answer = await self._open(prepared)
            return event_handler(
                answer.chunks, response=answer.response, close=answer.close, **prepared.decoding.stream_options
            )

        return AsyncMessageStreamManager(open_stream)

    async def _open(self, prepared: _Prepared) -> Opened:
        response = await self._official.with_streaming_response.create(**prepared.params).__aenter__()
        return await opened_async(response.http_response, **prepared.opening)


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
