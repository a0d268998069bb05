"""`with_raw_response` and `with_streaming_response`: `messages.create` with an HTTP response as its result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from typing_extensions import Unpack

from streamcore.api.api_response import APIResponse, AsyncAPIResponse, AsyncResponseManager, ResponseManager
from streamcore.api.arguments import takes
from streamcore.api.elsewhere import Elsewhere
from streamcore.api.options import NOT_GIVEN, CallOptions, DecodingOptions, if_given
from streamcore.stream import AsyncStream, Stream
from streamcore.types import Message, MessageStreamEvent
from streamcore.types.message import OutputT

if TYPE_CHECKING:
    from streamcore.api.messages import AsyncMessages, Messages

__all__ = [
    "AsyncMessagesWithRawResponse",
    "AsyncMessagesWithStreamingResponse",
    "MessagesWithRawResponse",
    "MessagesWithStreamingResponse",
]


class MessagesWithRawResponse(Elsewhere):
    """The Messages API, with responses as results. Their bodies were read, unless `stream=True`."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages

    @overload
    def create(
        self, *, stream: Literal[False] = False, output_format: type[OutputT], **arguments: Unpack[CallOptions]
    ) -> APIResponse[Message[OutputT]]: ...
    @overload
    def create(
        self, *, stream: Literal[False] = False, output_format: Any = NOT_GIVEN, **arguments: Unpack[CallOptions]
    ) -> APIResponse[Message]: ...
    @overload
    def create(
        self, *, stream: Literal[True], output_format: Any = NOT_GIVEN, **arguments: Unpack[DecodingOptions]
    ) -> APIResponse[Stream[MessageStreamEvent]]: ...
    @overload
    def create(
        self, *, stream: bool, output_format: Any = NOT_GIVEN, **arguments: Unpack[DecodingOptions]
    ) -> APIResponse[Any]: ...
    @takes(DecodingOptions)
    def create(
        self, *, stream: bool = False, output_format: Any = NOT_GIVEN, **arguments: Unpack[DecodingOptions]
    ) -> APIResponse[Any]:
        """Send a call, and return the response. `parse()` of it returns what `messages.create` returns.

        Raises:
            Exception: As for `messages.create`.
        """
        is_stream = bool(if_given(stream, False))
        return self._messages._respond(arguments, stream=is_stream, output_format=output_format, read=not is_stream)


class MessagesWithStreamingResponse(Elsewhere):
    """The Messages API, with context managers of responses as results. Their bodies were not read."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages

    @overload
    def create(
        self, *, stream: Literal[False] = False, output_format: type[OutputT], **arguments: Unpack[CallOptions]
    ) -> ResponseManager[Message[OutputT]]: ...
    @overload
    def create(
        self, *, stream: Literal[False] = False, output_format: Any = NOT_GIVEN, **arguments: Unpack[CallOptions]
    ) -> ResponseManager[Message]: ...
    @overload
    def create(
        self, *, stream: Literal[True], output_format: Any = NOT_GIVEN, **arguments: Unpack[DecodingOptions]
    ) -> ResponseManager[Stream[MessageStreamEvent]]: ...
    @overload
    def create(
        self, *, stream: bool, output_format: Any = NOT_GIVEN, **arguments: Unpack[DecodingOptions]
    ) -> ResponseManager[Any]: ...
    @takes(DecodingOptions)
    def create(
        self, *, stream: bool = False, output_format: Any = NOT_GIVEN, **arguments: Unpack[DecodingOptions]
    ) -> ResponseManager[Any]:
        """Return a context manager that sends a call on entering, and gives the response.

        Raises:
            Exception: On entering: as for `messages.create`.
        """
        return ResponseManager(
            lambda: self._messages._respond(
                arguments, stream=bool(if_given(stream, False)), output_format=output_format, read=False
            )
        )


class AsyncMessagesWithRawResponse(Elsewhere):
    """Like `MessagesWithRawResponse`, for async code."""

    def __init__(self, messages: AsyncMessages) -> None:
        self._messages = messages

    @overload
    async def create(
        self, *, stream: Literal[False] = False, output_format: type[OutputT], **arguments: Unpack[CallOptions]
    ) -> AsyncAPIResponse[Message[OutputT]]: ...
    @overload
    async def create(
        self, *, stream: Literal[False] = False, output_format: Any = NOT_GIVEN, **arguments: Unpack[CallOptions]
    ) -> AsyncAPIResponse[Message]: ...
    @overload
    async def create(
        self, *, stream: Literal[True], output_format: Any = NOT_GIVEN, **arguments: Unpack[DecodingOptions]
    ) -> AsyncAPIResponse[AsyncStream[MessageStreamEvent]]: ...
    @overload
    async def create(
        self, *, stream: bool, output_format: Any = NOT_GIVEN, **arguments: Unpack[DecodingOptions]
    ) -> AsyncAPIResponse[Any]: ...
    @takes(DecodingOptions)
    async def create(
        self, *, stream: bool = False, output_format: Any = NOT_GIVEN, **arguments: Unpack[DecodingOptions]
    ) -> AsyncAPIResponse[Any]:
        """Like `MessagesWithRawResponse.create`."""
        is_stream = bool(if_given(stream, False))
        return await self._messages._respond(
            arguments, stream=is_stream, output_format=output_format, read=not is_stream
        )


class AsyncMessagesWithStreamingResponse(Elsewhere):
    """Like `MessagesWithStreamingResponse`, for async code."""

    def __init__(self, messages: AsyncMessages) -> None:
        self._messages = messages

    @overload
    def create(
        self, *, stream: Literal[False] = False, output_format: type[OutputT], **arguments: Unpack[CallOptions]
    ) -> AsyncResponseManager[Message[OutputT]]: ...
    @overload
    def create(
        self, *, stream: Literal[False] = False, output_format: Any = NOT_GIVEN, **arguments: Unpack[CallOptions]
    ) -> AsyncResponseManager[Message]: ...
    @overload
    def create(
        self, *, stream: Literal[True], output_format: Any = NOT_GIVEN, **arguments: Unpack[DecodingOptions]
    ) -> AsyncResponseManager[AsyncStream[MessageStreamEvent]]: ...
    @overload
    def create(
        self, *, stream: bool, output_format: Any = NOT_GIVEN, **arguments: Unpack[DecodingOptions]
    ) -> AsyncResponseManager[Any]: ...
    @takes(DecodingOptions)
    def create(
        self, *, stream: bool = False, output_format: Any = NOT_GIVEN, **arguments: Unpack[DecodingOptions]
    ) -> AsyncResponseManager[Any]:
        """Like `MessagesWithStreamingResponse.create`, with `async with`."""
        return AsyncResponseManager(
            lambda: self._messages._respond(
                arguments, stream=bool(if_given(stream, False)), output_format=output_format, read=False
            )
        )
