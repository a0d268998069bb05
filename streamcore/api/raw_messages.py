"""`with_raw_response` and `with_streaming_response`: `messages.create` with an HTTP response as its result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, overload

from typing_extensions import Unpack

from streamcore.api.api_response import APIResponse, AsyncAPIResponse, AsyncResponseManager, ResponseManager, Result
from streamcore.api.arguments import takes
from streamcore.api.attempts import message_from_answer
from streamcore.api.elsewhere import Elsewhere
from streamcore.api.options import NOT_GIVEN, CallOptions, DecodingOptions, if_given
from streamcore.api.prepared import PreparedCall, prepare_create
from streamcore.stream import AsyncStream, Stream
from streamcore.types import Message, MessageStreamEvent
from streamcore.types.message import OutputT

if TYPE_CHECKING:
    from streamcore.api.face import AsyncClient, SyncClient

__all__ = [
    "AsyncMessagesWithRawResponse",
    "AsyncMessagesWithStreamingResponse",
    "MessagesWithRawResponse",
    "MessagesWithStreamingResponse",
]


class MessagesWithRawResponse(Elsewhere):
    """The Messages API, with responses as results. Their bodies were read, unless `stream=True`."""

    def __init__(self, client: SyncClient) -> None:
        self._client = client

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
        return _respond(self._client, arguments, stream=is_stream, output_format=output_format, read=not is_stream)


class MessagesWithStreamingResponse(Elsewhere):
    """The Messages API, with context managers of responses as results. Their bodies were not read."""

    def __init__(self, client: SyncClient) -> None:
        self._client = client

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
            lambda: _respond(
                self._client, arguments, stream=bool(if_given(stream, False)), output_format=output_format, read=False
            )
        )


class AsyncMessagesWithRawResponse(Elsewhere):
    """Like `MessagesWithRawResponse`, for async code."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

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
        return await _respond_async(
            self._client, arguments, stream=is_stream, output_format=output_format, read=not is_stream
        )


class AsyncMessagesWithStreamingResponse(Elsewhere):
    """Like `MessagesWithStreamingResponse`, for async code."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

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
            lambda: _respond_async(
                self._client, arguments, stream=bool(if_given(stream, False)), output_format=output_format, read=False
            )
        )


def _respond(
    client: SyncClient, arguments: Mapping[str, Any], *, stream: bool, output_format: Any, read: bool
) -> APIResponse[Any]:
    """Make the call of a `create()`, and return the response. `read` says whether to read its body now."""
    prepared = prepare_create(client, arguments, stream=stream, output_format=output_format)
    answer, body, retries_taken = client._respond(prepared.call, read=read)
    result = Result(of_chunks=prepared.open_stream) if stream else _message(prepared)
    return APIResponse(answer, result, body=body, retries_taken=retries_taken)


async def _respond_async(
    client: AsyncClient, arguments: Mapping[str, Any], *, stream: bool, output_format: Any, read: bool
) -> AsyncAPIResponse[Any]:
    """Like `_respond`, for async code."""
    prepared = prepare_create(client, arguments, stream=stream, output_format=output_format)
    answer, body, retries_taken = await client._respond(prepared.call, read=read)
    result = Result(of_chunks=prepared.open_async_stream) if stream else _message(prepared)
    return AsyncAPIResponse(answer, result, body=body, retries_taken=retries_taken)


def _message(prepared: PreparedCall) -> Result[Any]:
    return Result(of_body=lambda answer, body: prepared.parsed(message_from_answer(answer, body)))
