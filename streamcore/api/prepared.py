"""Decide everything about a call of the Messages API before it is sent: its request, its decoding, its types.

A call without classes among its arguments does not load `streamcore.typed`.
"""

from __future__ import annotations

import inspect
import reprlib
from collections.abc import AsyncIterable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from streamcore.api.arguments import check_names, list_of, mapping_of, warn_about_model
from streamcore.api.client import BaseClient, Call
from streamcore.api.options import NOT_GIVEN, DecodingOptions, StreamOptions, given, if_given, only_given
from streamcore.decoders import MessageEventDecoder
from streamcore.errors import InvalidArgumentError, api_errors
from streamcore.limits import DEFAULT_LIMITS, Limits
from streamcore.stream import AsyncStream, Stream
from streamcore.types import Message, MessageStreamEvent

if TYPE_CHECKING:
    from streamcore.api.attempts import AsyncAnswer, SyncAnswer
    from streamcore.typed import AnswerTypes, OnInvalid

__all__ = ["Decoding", "PreparedCall", "check_create", "prepare_create", "prepare_stream", "take_decoding"]

_PATH = "/v1/messages"
_DECODING_OPTIONS = ("strict", "limits")
_BUILDING_OPTIONS = ("trailing_strings", "invalid_json")


@attrs.frozen(kw_only=True)
class Decoding:
    """How the answer to a call is decoded.

    Attributes:
        decoding: The options for decoding a stream that were given.
        types: The types of the answer, None if the arguments contain no classes.
    """

    decoding: dict[str, Any]
    types: AnswerTypes | None

    @property
    def stream_options(self) -> dict[str, Any]:
        """The options for a message stream."""
        if self.types is None:
            return self.decoding
        return {
            **self.decoding,
            "output_format": self.types.output_format,
            "tool_types": self.types.tools,
            "on_invalid": self.types.on_invalid,
        }

    def open_stream(self, answer: SyncAnswer, chunks: Iterable[bytes]) -> Stream[MessageStreamEvent]:
        """Return the stream of events in the body of an answer: `chunks`."""
        decoder = MessageEventDecoder(**self.decoding)
        return Stream(chunks, decoder=decoder, response=answer.response, close=answer.close)

    def open_async_stream(self, answer: AsyncAnswer, chunks: AsyncIterable[bytes]) -> AsyncStream[MessageStreamEvent]:
        """Like `open_stream`, for async code."""
        decoder = MessageEventDecoder(**self.decoding)
        return AsyncStream(chunks, decoder=decoder, response=answer.response, close=answer.aclose)

    def parsed(self, message: Message) -> Message[Any]:
        """Return a message that was not streamed, with the parsed values of its blocks.

        Raises:
            InvalidOutputError: A block does not match its type.
        """
        if self.types is None:
            return message
        with api_errors(None):
            return self.types.parse_message(message)


@attrs.frozen(kw_only=True)
class PreparedCall(Decoding):
    """A call that is ready to be sent.

    Attributes:
        call: The request, and how it is made.
    """

    call: Call


def prepare_create(
    client: BaseClient, arguments: Mapping[str, Any], *, stream: bool, output_format: Any
) -> PreparedCall:
    """Prepare a `create()`.

    Raises:
        TypeError: An argument is missing, or is not one of `create()`.
        InvalidArgumentError: An argument is invalid, or is for another kind of answer.
        UnsupportedTypeError: A schema cannot be made for a class.
    """
    check_create(arguments, stream=stream)
    check_names("create", arguments, DecodingOptions)
    return _prepare(client, arguments, stream=stream, output_format=output_format)


def check_create(arguments: Mapping[str, Any], *, stream: bool) -> None:
    """Check that no argument of a `create()` is for another kind of answer.

    An option that does not apply would otherwise be sent to the API as a new parameter.

    Raises:
        InvalidArgumentError: One is.
    """
    for name in (*_BUILDING_OPTIONS, "event_handler"):
        if name in arguments:
            raise InvalidArgumentError(f"{name} is an argument of stream(): create() accumulates nothing")
    for name in _DECODING_OPTIONS if not stream else ():
        if given(arguments.get(name, NOT_GIVEN)):
            raise InvalidArgumentError(f"{name} says how to decode a stream: create() takes it only with stream=True")


def prepare_stream(client: BaseClient, arguments: Mapping[str, Any], *, output_format: Any) -> PreparedCall:
    """Prepare a `stream()`.

    Raises:
        TypeError: An argument is missing, or is not one of `stream()`.
        InvalidArgumentError: An argument is invalid.
        UnsupportedTypeError: A schema cannot be made for a class.
    """
    check_names("stream", arguments, StreamOptions)
    return _prepare(client, arguments, stream=True, output_format=output_format)


def _prepare(client: BaseClient, arguments: Mapping[str, Any], *, stream: bool, output_format: Any) -> PreparedCall:
    params = only_given(arguments)
    warn_about_model(params)
    if "messages" in params:
        params["messages"] = list_of(params["messages"], "messages")
    taken = take_decoding(params, output_format=output_format)
    call = client._call(_PATH, params, stream=stream)
    return PreparedCall(call=call, decoding=taken.decoding, types=taken.types)


def take_decoding(params: dict[str, Any], *, output_format: Any) -> Decoding:
    """Remove from the arguments of a call what says how its answer is decoded, and replace classes by their schemas.

    Raises:
        InvalidArgumentError: An argument is invalid, or two output formats are given.
        UnsupportedTypeError: A schema cannot be made for a class.
    """
    options = {name: params.pop(name, NOT_GIVEN) for name in _DECODING_OPTIONS + _BUILDING_OPTIONS}
    decoding = {name: value for name, value in options.items() if given(value)}
    on_invalid = if_given(params.pop("on_invalid", NOT_GIVEN), "raise")
    for name, value in (("invalid_json", decoding.get("invalid_json", "raise")), ("on_invalid", on_invalid)):
        if value not in ("raise", "keep"):
            raise InvalidArgumentError(f"{name} must be one of 'raise', 'keep', not {reprlib.repr(value)}")
    limits = decoding.get("limits", DEFAULT_LIMITS)
    if not isinstance(limits, Limits):
        raise InvalidArgumentError(f"limits must be of the class streamcore.Limits, not {reprlib.repr(limits)}")
    types = _take_types(params, if_given(output_format, None), on_invalid)
    return Decoding(decoding=decoding, types=types)


def _take_types(params: dict[str, Any], output_format: Any, on_invalid: OnInvalid) -> AnswerTypes | None:
    """Replace the classes among the parameters by their schemas, and return the types of the answer.

    Raises:
        InvalidArgumentError: Two output formats are given.
        UnsupportedTypeError: A class does not have a schema that the API accepts.
    """
    tools = params.get("tools")
    if tools is not None:
        tools = params["tools"] = list_of(tools, "tools")
    else:
        tools = []
    if output_format is None and not any(map(_may_have_a_type, tools)):
        return None

    from streamcore.typed import AnswerTypes, output_format_param, tool_params

    if output_format is not None:
        config = mapping_of(params.get("output_config"), "output_config")
        if config.get("format") is not None:
            raise InvalidArgumentError("both output_format and output_config['format'] were given")
        params["output_config"] = {**config, "format": output_format_param(output_format)}
    types = AnswerTypes(output_format=output_format, tools=tools, on_invalid=on_invalid)
    if tools:
        params["tools"] = tool_params(tools)
    return types if types.has_types else None


def _may_have_a_type(tool: Any) -> bool:
    return not isinstance(tool, Mapping) and (inspect.isroutine(tool) or callable(tool) or hasattr(tool, "structure"))
