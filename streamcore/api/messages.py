"""`client.messages` and `client.beta.messages`, the same for every adapter: arguments in, messages and streams out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, overload

from typing_extensions import TypeVar, Unpack

from streamcore.api.attempts import AsyncAttempts, SyncAttempts
from streamcore.api.errors import InvalidArgumentError
from streamcore.api.request import NOT_GIVEN, CallOptions, NotGiven, given
from streamcore.api.typed import typed_arguments
from streamcore.decoders import MessageEventDecoder
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
    """What decodes the answer to a `create()`, `None` if that is to come whole.

    Raises:
        InvalidArgumentError: Something is said of the decoding that does not apply. It would go to the API otherwise,
            as a parameter that is new.
    """
    for name in ("trailing_strings", "event_handler"):
        if name in arguments:
            raise InvalidArgumentError(f"{name} is an argument of stream(): create() accumulates nothing")
    if stream:
        return MessageEventDecoder(strict=given(strict) and bool(strict), limits=_checked_limits(limits))
    for name, value in (("strict", strict), ("limits", limits)):
        if given(value):
            raise InvalidArgumentError(f"{name} says how to decode a stream: create() takes it with stream=True alone")
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
        """The model's answer, whole, or with `stream=True` as the events it comes in, of which nothing is accumulated.

        So an exception out of such a stream has no `snapshot`: whoever wants one asks for `stream()`.

        Args:
            stream: Whether to have it as a stream.
            strict: As for `MessageEngine`; with `stream=True` alone.
            limits: As for `MessageEngine`; with `stream=True` alone. There is no `trailing_strings`, which is about
                what is accumulated.
            output_format: The class that the text is to be JSON of: `parsed_output` of the message is an instance.
            on_invalid: What happens if something is not of its class: `"raise"`, or `"keep"`: see `MessageEngine`.
            **arguments: Those of the API, and `CallOptions`. Among the `tools` may be classes and functions, too.

        Raises:
            InvalidOutputError: The answer is not of the class that was asked for.
            UnsupportedTypeError: There is no schema for a class.
            InvalidArgumentError: The arguments make no request, or are for another kind of answer.
            APIError: The call failed; `APIStatusError` and its children if the API says so.
            APIResponseValidationError: What came is neither a message nor an event stream.
            LimitExceededError: What came for a message is longer, or nests deeper, than the defaults of `Limits` allow.
        """
        decoder = _event_decoder(strict, limits, arguments, stream=stream)
        typed = typed_arguments(arguments, output_format=output_format, on_invalid=on_invalid)
        call = self._client._call(_PATH, typed.request, stream=stream)
        if decoder is None:
            return typed.parsed(self._client._fetch(call))
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
        """The model's answer, whole, as `create` gives it: the name that programs for the `anthropic` package know, if
        there is an `output_format`.

        Raises:
            Exception: As `create`.
        """
        return self.create(output_format=output_format, on_invalid=on_invalid, **arguments)

    @overload
    def stream(
        self,
        *,
        strict: bool = False,
        limits: Limits = DEFAULT_LIMITS,
        trailing_strings: bool = False,
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
        output_format: Any = NOT_GIVEN,
        on_invalid: OnInvalid = "raise",
        **arguments: Unpack[CallOptions],
    ) -> MessageStreamManager[Any]:
        """The model's answer as it comes. The request is sent when the `with` block is entered.

        Args:
            event_handler: The class of the stream: a subclass of `MessageStream` with handler methods of its own.
            strict: As for `MessageEngine`.
            limits: As for `MessageEngine`.
            trailing_strings: As for `MessageEngine`.
            output_format: The class that the text is to be JSON of, as for `create` and for `MessageEngine`.
            on_invalid: As for `MessageEngine`.
            **arguments: Those of the API, and `CallOptions`. Among the `tools` may be classes and functions, too.

        Raises:
            UnsupportedTypeError: There is no schema for a class.
            InvalidArgumentError: The arguments make no request.
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
        """As `Messages.create`."""
        decoder = _event_decoder(strict, limits, arguments, stream=stream)
        typed = typed_arguments(arguments, output_format=output_format, on_invalid=on_invalid)
        call = self._client._call(_PATH, typed.request, stream=stream)
        if decoder is None:
            return typed.parsed(await self._client._fetch(call))
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
        """As `Messages.parse`."""
        return await self.create(output_format=output_format, on_invalid=on_invalid, **arguments)

    @overload
    def stream(
        self,
        *,
        strict: bool = False,
        limits: Limits = DEFAULT_LIMITS,
        trailing_strings: bool = False,
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
        output_format: Any = NOT_GIVEN,
        on_invalid: OnInvalid = "raise",
        **arguments: Unpack[CallOptions],
    ) -> AsyncMessageStreamManager[Any]:
        """As `Messages.stream`, with `async with`; `event_handler` is a subclass of `AsyncMessageStream`."""
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
                **typed.for_stream,
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
