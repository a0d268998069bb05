"""`client.messages` and `client.beta.messages` for all adapters: arguments in, messages and streams out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, overload

from typing_extensions import TypeVar, Unpack

from streamcore.api.attempts import AsyncAttempts, SyncAttempts
from streamcore.api.request import NOT_GIVEN, CallOptions, NotGiven, given
from streamcore.api.typed import typed_arguments
from streamcore.decoders import MessageEventDecoder
from streamcore.errors import InvalidArgumentError, InvalidJSON, api_errors
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
from streamcore.types.message import OutputT

if TYPE_CHECKING:
    from streamcore.typed import OnInvalid

__all__ = ["AsyncBeta", "AsyncMessages", "Beta", "Messages"]

_StreamT = TypeVar("_StreamT", bound=MessageStream, default=MessageStream)
_AsyncStreamT = TypeVar("_AsyncStreamT", bound=AsyncMessageStream, default=AsyncMessageStream)

_PATH = "/v1/messages"


def _event_decoder(
    strict: bool | NotGiven, limits: Limits | NotGiven, arguments: Mapping[str, Any], *, stream: bool
) -> MessageEventDecoder | None:
    """Return the decoder for the answer to a `create()`, or None if the answer is not streamed.

    Raises:
        InvalidArgumentError: An option of decoding does not apply. It would otherwise be sent to the API as a new
            parameter.
    """
    for name in ("trailing_strings", "invalid_json", "event_handler"):
        if name in arguments:
            raise InvalidArgumentError(f"{name} is an argument of stream(): create() accumulates nothing")
    if stream:
        return MessageEventDecoder(strict=given(strict) and bool(strict), limits=_checked_limits(limits))
    for name, value in (("strict", strict), ("limits", limits)):
        if given(value):
            raise InvalidArgumentError(f"{name} says how to decode a stream: create() takes it only with stream=True")
    return None


def _checked_limits(limits: Any) -> Limits:
    if not given(limits):
        return DEFAULT_LIMITS
    if not isinstance(limits, Limits):
        raise InvalidArgumentError(f"limits must be of the class streamcore.Limits, not {limits!r}")
    return limits


class Messages:
    """The Messages API."""

    def __init__(self, client: SyncAttempts) -> None:
        self._client = client

    @overload
    def create(
        self,
        *,
        stream: Literal[False] = False,
        output_format: type[OutputT],
        on_invalid: OnInvalid = "raise",
        **arguments: Unpack[CallOptions],
    ) -> Message[OutputT]: ...
    @overload
    def create(
        self,
        *,
        stream: Literal[False] = False,
        output_format: Any = NOT_GIVEN,
        on_invalid: OnInvalid = "raise",
        **arguments: Unpack[CallOptions],
    ) -> Message: ...
    @overload
    def create(
        self,
        *,
        stream: Literal[True],
        strict: bool = False,
        limits: Limits = DEFAULT_LIMITS,
        output_format: Any = NOT_GIVEN,
        on_invalid: OnInvalid = "raise",
        **arguments: Unpack[CallOptions],
    ) -> Stream[MessageStreamEvent]: ...
    @overload
    def create(
        self,
        *,
        stream: bool,
        output_format: Any = NOT_GIVEN,
        on_invalid: OnInvalid = "raise",
        **arguments: Unpack[CallOptions],
    ) -> Message | Stream[MessageStreamEvent]: ...
    def create(
        self,
        *,
        stream: bool = False,
        strict: bool | NotGiven = NOT_GIVEN,
        limits: Limits | NotGiven = NOT_GIVEN,
        output_format: Any = NOT_GIVEN,
        on_invalid: OnInvalid = "raise",
        **arguments: Unpack[CallOptions],
    ) -> Message | Stream[MessageStreamEvent]:
        """Return the model's answer as a message, or with `stream=True` as a stream of events.

        Such a stream accumulates nothing, so its exceptions do not have a `snapshot`. Use `stream()` to have one.

        Args:
            stream: Whether to return a stream.
            strict: As for `MessageEngine`; only with `stream=True`.
            limits: As for `MessageEngine`; only with `stream=True`. (`trailing_strings` is about accumulating, and
                `stream()` alone has it.)
            output_format: The class that the text should be JSON of. `parsed_output` of the message is an instance.
            on_invalid: What to do if something does not match its class: `"raise"` or `"keep"`; see `MessageEngine`.
            **arguments: Those of the API, and `CallOptions`. `tools` may also contain classes and functions.

        Raises:
            InvalidOutputError: The answer does not match the class that was asked for.
            UnsupportedTypeError: A schema cannot be made for a class.
            InvalidArgumentError: An argument is missing or invalid, or is for another kind of answer.
            APIError: The call failed; `APIStatusError` or a subclass if the API says so.
            APIResponseValidationError: The answer is neither a message nor an event stream.
            LimitExceededError: The message goes beyond the defaults of `Limits`.
        """
        decoder = _event_decoder(strict, limits, arguments, stream=stream)
        typed = typed_arguments(arguments, output_format=output_format, on_invalid=on_invalid)
        call = self._client._call(_PATH, typed.request, stream=stream)
        if decoder is None:
            message = self._client._fetch(call)
            with api_errors(None):
                return typed.parsed(message)
        answer = self._client._open(call)
        return Stream(answer, decoder=decoder, response=answer.response, close=answer.close)

    @overload
    def parse(
        self, *, output_format: type[OutputT], on_invalid: OnInvalid = "raise", **arguments: Unpack[CallOptions]
    ) -> Message[OutputT]: ...
    @overload
    def parse(
        self, *, output_format: Any = NOT_GIVEN, on_invalid: OnInvalid = "raise", **arguments: Unpack[CallOptions]
    ) -> Message: ...
    def parse(
        self, *, output_format: Any = NOT_GIVEN, on_invalid: OnInvalid = "raise", **arguments: Unpack[CallOptions]
    ) -> Message:
        """Return the model's answer as `create` does: the name that the `anthropic` package has for `output_format`.

        Raises:
            Exception: As for `create`.
        """
        return self.create(output_format=output_format, on_invalid=on_invalid, **arguments)

    @overload
    def stream(
        self,
        *,
        strict: bool = False,
        limits: Limits = DEFAULT_LIMITS,
        trailing_strings: bool = False,
        invalid_json: InvalidJSON = "raise",
        output_format: type[OutputT],
        on_invalid: OnInvalid = "raise",
        **arguments: Unpack[CallOptions],
    ) -> MessageStreamManager[MessageStream[OutputT]]: ...
    @overload
    def stream(
        self,
        *,
        event_handler: type[_StreamT] = MessageStream,  # type: ignore[assignment]  # the default of the variable too
        strict: bool = False,
        limits: Limits = DEFAULT_LIMITS,
        trailing_strings: bool = False,
        invalid_json: InvalidJSON = "raise",
        output_format: Any = NOT_GIVEN,
        on_invalid: OnInvalid = "raise",
        **arguments: Unpack[CallOptions],
    ) -> MessageStreamManager[_StreamT]: ...
    def stream(
        self,
        *,
        event_handler: type[Any] = MessageStream,
        strict: bool = False,
        limits: Limits = DEFAULT_LIMITS,
        trailing_strings: bool = False,
        invalid_json: InvalidJSON = "raise",
        output_format: Any = NOT_GIVEN,
        on_invalid: OnInvalid = "raise",
        **arguments: Unpack[CallOptions],
    ) -> MessageStreamManager[Any]:
        """Stream the model's answer. The request is sent when the `with` block is entered.

        Args:
            event_handler: The class of the stream: a subclass of `MessageStream` with handler methods of its own.
            strict: As for `MessageEngine`.
            limits: As for `MessageEngine`.
            trailing_strings: As for `MessageEngine`.
            invalid_json: As for `MessageEngine`.
            output_format: The class that the text should be JSON of, as for `create` and `MessageEngine`.
            on_invalid: As for `MessageEngine`.
            **arguments: Those of the API, and `CallOptions`. `tools` may also contain classes and functions.

        Raises:
            UnsupportedTypeError: A schema cannot be made for a class.
            InvalidArgumentError: An argument is missing or invalid.
        """
        limits = _checked_limits(limits)
        typed = typed_arguments(arguments, output_format=output_format, on_invalid=on_invalid)
        call = self._client._call(_PATH, typed.request, stream=True)

        def open_stream() -> Any:
            answer = self._client._open(call)
            return event_handler(
                answer,
                response=answer.response,
                close=answer.close,
                strict=strict,
                limits=limits,
                trailing_strings=trailing_strings,
                invalid_json=invalid_json,
                **typed.for_stream,
            )

        return MessageStreamManager(open_stream)


class AsyncMessages:
    """The Messages API for async code."""

    def __init__(self, client: AsyncAttempts) -> None:
        self._client = client

    @overload
    async def create(
        self,
        *,
        stream: Literal[False] = False,
        output_format: type[OutputT],
        on_invalid: OnInvalid = "raise",
        **arguments: Unpack[CallOptions],
    ) -> Message[OutputT]: ...
    @overload
    async def create(
        self,
        *,
        stream: Literal[False] = False,
        output_format: Any = NOT_GIVEN,
        on_invalid: OnInvalid = "raise",
        **arguments: Unpack[CallOptions],
    ) -> Message: ...
    @overload
    async def create(
        self,
        *,
        stream: Literal[True],
        strict: bool = False,
        limits: Limits = DEFAULT_LIMITS,
        output_format: Any = NOT_GIVEN,
        on_invalid: OnInvalid = "raise",
        **arguments: Unpack[CallOptions],
    ) -> AsyncStream[MessageStreamEvent]: ...
    @overload
    async def create(
        self,
        *,
        stream: bool,
        output_format: Any = NOT_GIVEN,
        on_invalid: OnInvalid = "raise",
        **arguments: Unpack[CallOptions],
    ) -> Message | AsyncStream[MessageStreamEvent]: ...
    async def create(
        self,
        *,
        stream: bool = False,
        strict: bool | NotGiven = NOT_GIVEN,
        limits: Limits | NotGiven = NOT_GIVEN,
        output_format: Any = NOT_GIVEN,
        on_invalid: OnInvalid = "raise",
        **arguments: Unpack[CallOptions],
    ) -> Message | AsyncStream[MessageStreamEvent]:
        """Like `Messages.create`."""
        decoder = _event_decoder(strict, limits, arguments, stream=stream)
        typed = typed_arguments(arguments, output_format=output_format, on_invalid=on_invalid)
        call = self._client._call(_PATH, typed.request, stream=stream)
        if decoder is None:
            message = await self._client._fetch(call)
            with api_errors(None):
                return typed.parsed(message)
        answer = await self._client._open(call)
        return AsyncStream(answer, decoder=decoder, response=answer.response, close=answer.aclose)

    @overload
    async def parse(
        self, *, output_format: type[OutputT], on_invalid: OnInvalid = "raise", **arguments: Unpack[CallOptions]
    ) -> Message[OutputT]: ...
    @overload
    async def parse(
        self, *, output_format: Any = NOT_GIVEN, on_invalid: OnInvalid = "raise", **arguments: Unpack[CallOptions]
    ) -> Message: ...
    async def parse(
        self, *, output_format: Any = NOT_GIVEN, on_invalid: OnInvalid = "raise", **arguments: Unpack[CallOptions]
    ) -> Message:
        """Like `Messages.parse`."""
        return await self.create(output_format=output_format, on_invalid=on_invalid, **arguments)

    @overload
    def stream(
        self,
        *,
        strict: bool = False,
        limits: Limits = DEFAULT_LIMITS,
        trailing_strings: bool = False,
        invalid_json: InvalidJSON = "raise",
        output_format: type[OutputT],
        on_invalid: OnInvalid = "raise",
        **arguments: Unpack[CallOptions],
    ) -> AsyncMessageStreamManager[AsyncMessageStream[OutputT]]: ...
    @overload
    def stream(
        self,
        *,
        event_handler: type[_AsyncStreamT] = AsyncMessageStream,  # type: ignore[assignment]  # as in `Messages.stream`
        strict: bool = False,
        limits: Limits = DEFAULT_LIMITS,
        trailing_strings: bool = False,
        invalid_json: InvalidJSON = "raise",
        output_format: Any = NOT_GIVEN,
        on_invalid: OnInvalid = "raise",
        **arguments: Unpack[CallOptions],
    ) -> AsyncMessageStreamManager[_AsyncStreamT]: ...
    def stream(
        self,
        *,
        event_handler: type[Any] = AsyncMessageStream,
        strict: bool = False,
        limits: Limits = DEFAULT_LIMITS,
        trailing_strings: bool = False,
        invalid_json: InvalidJSON = "raise",
        output_format: Any = NOT_GIVEN,
        on_invalid: OnInvalid = "raise",
        **arguments: Unpack[CallOptions],
    ) -> AsyncMessageStreamManager[Any]:
        """Like `Messages.stream`, with `async with`. `event_handler` is a subclass of `AsyncMessageStream`."""
        limits = _checked_limits(limits)
        typed = typed_arguments(arguments, output_format=output_format, on_invalid=on_invalid)
        call = self._client._call(_PATH, typed.request, stream=True)

        async def open_stream() -> Any:
            answer = await self._client._open(call)
            return event_handler(
                answer,
                response=answer.response,
                close=answer.aclose,
                strict=strict,
                limits=limits,
                trailing_strings=trailing_strings,
                invalid_json=invalid_json,
                **typed.for_stream,
            )

        return AsyncMessageStreamManager(open_stream)


class Beta:
    """`client.beta`: the same API. `betas=[...]` turns beta features on, which only changes a header."""

    def __init__(self, client: SyncAttempts) -> None:
        self.messages = Messages(client)


class AsyncBeta:
    """`client.beta` for async code."""

    def __init__(self, client: AsyncAttempts) -> None:
        self.messages = AsyncMessages(client)
