"""The message streams: a stream with an engine under it, derived events, handlers, and views of the message.

In: an iterable of chunks, and how to release the connection behind it. Out: events and their derived events, the text
alone, the message so far and the final message. All of these are views of one stream and may be used in any order.
`Stream` and `AsyncStream` do the reading.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from types import UnionType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeAlias, TypedDict

from streamcore.engine import MessageEngine
from streamcore.errors import (
    IncompleteStreamError,
    InvalidArgumentError,
    InvalidJSON,
    NoTextError,
    ProtocolError,
    Violation,
    error_in_call,
    shortened,
)
from streamcore.limits import DEFAULT_LIMITS, Limits
from streamcore.stream._async_stream import AsyncStream
from streamcore.stream._derived import DerivingDecoder
from streamcore.stream._handlers import Handlers
from streamcore.stream._stream import Stream
from streamcore.stream._typed import TypedAsyncStream, TypedStream
from streamcore.types import ContentBlock, Message, MessageStreamEvent, ParsedMessageStreamEvent, TextBlock, TextEvent
from streamcore.types.message import OutputT

if TYPE_CHECKING:
    from streamcore.accumulator import MessageAccumulator
    from streamcore.stream._pump import Pump
    from streamcore.typed import OnInvalid

__all__ = ["AsyncMessageStream", "MessageStream"]

ToolTypes: TypeAlias = Mapping[str, Any] | Iterable[Any] | None
"""Classes of the inputs of tools by the names of the tools, or classes and functions that have these names."""


class _Options(TypedDict):
    """The options of an engine that a stream has too."""

    strict: bool
    limits: Limits
    trailing_strings: bool
    invalid_json: InvalidJSON
    output_format: Any
    tool_types: ToolTypes
    on_invalid: OnInvalid


_DEFAULTS: _Options = {
    "strict": False,
    "limits": DEFAULT_LIMITS,
    "trailing_strings": False,
    "invalid_json": "raise",
    "output_format": None,
    "tool_types": None,
    "on_invalid": "raise",
}


class _MessageBase(Generic[OutputT]):
    """The base of `MessageStream` and `AsyncMessageStream`."""

    _engine: MessageEngine[OutputT]
    _accumulator: MessageAccumulator
    _decoder: DerivingDecoder
    _pump: Pump[ParsedMessageStreamEvent]

    def _use_engine(self, engine: MessageEngine[OutputT] | None, options: _Options) -> DerivingDecoder:
        """Use an engine, by default a new one with these options. Return the decoder for the stream."""
        if engine is None:
            engine = MessageEngine(**options)
        elif options != _DEFAULTS:
            defaults: Mapping[str, object] = _DEFAULTS
            given = ", ".join(name for name, value in options.items() if value != defaults[name])
            raise InvalidArgumentError(f"an engine has its options already: it cannot be combined with {given}")
        self._engine = engine
        self._accumulator = engine.accumulator
        self._decoder = self._decoder_of(engine)
        return self._decoder

    def _decoder_of(self, engine: MessageEngine[OutputT]) -> DerivingDecoder:
        return DerivingDecoder(engine)

    def checkpoint(self) -> bytes:
        """Return the state of the stream as bytes, between any two events. This changes nothing.

        `MessageEngine.restore` reads it, and a stream with that `engine` goes on exactly here, with the chunks that
        follow. All chunks that this stream has read are in the checkpoint. If the derived event of the latest event has
        not been delivered, it comes first. Inside a handler, the event that it handles counts as delivered.

        Raises:
            CheckpointError: The stream is broken. (A connection that has failed breaks no stream.)
        """
        return self._decoder.checkpoint(self._pump.unread)

    @property
    def current_message_snapshot(self) -> Message[OutputT]:
        """The message exactly up to the latest event. It never changes.

        Reading it costs a copy of each open part that has changed since it was last read: the list of blocks, and the
        text so far, or one level of each open list and dict in the input of a tool. Closed parts are shared.

        Raises:
            IncompleteStreamError: `message_start` has not arrived.
        """
        snapshot = self._accumulator.snapshot
        if snapshot is None:
            raise self._raised(IncompleteStreamError("the message has not begun: message_start has not come"))
        return snapshot

    @property
    def violations(self) -> tuple[Violation, ...]:
        """Protocol violations seen so far that did not lose any data."""
        return self._engine.violations

    def _final_message(self) -> Message[OutputT]:
        try:
            return self._engine.final_message
        except ProtocolError as error:
            raise self._raised(error) from error.__cause__

    def _raised(self, error: ProtocolError) -> ProtocolError:
        """Return the error as this stream raises it: an `APIError` too, if the stream has a response."""
        response = self._pump.response
        return error if response is None else error_in_call(error, response)


class MessageStream(_MessageBase[OutputT], Stream[ParsedMessageStreamEvent], TypedStream):
    """Iterate over the events of one message as they arrive, and build the message.

    ```python
    with MessageStream(response.iter_bytes(), close=response.close) as stream:
        for text in stream.text_stream:
            print(text, end="", flush=True)
        message = stream.get_final_message()
    ```

    Iteration yields every wire event and, after it, its derived event if it has one (`TextEvent`, ...). Iteration and
    `text_stream` are views of one stream: you may leave one and go on with the other.

    A subclass may override handlers (`on_text`, ...). They are called before their event is delivered. An exception
    that a handler raises ends the stream.

    Args:
        chunks: The bytes of the stream, cut anywhere.
        response: The HTTP library's response, which the stream has as `response`.
        close: Releases the connection, as for `Stream`.
        strict: Raise where otherwise a `Violation` is recorded.
        limits: Bounds on the stream.
        trailing_strings: Whether a string value that is still open is part of a tool's `input`, as for `MessageEngine`.
        invalid_json: What happens if the input of a tool is not valid JSON, as for `MessageEngine`.
        output_format: The class that the text of the answer is JSON of, as for `MessageEngine`.
        tool_types: The classes of the inputs of tools, as for `MessageEngine`.
        on_invalid: What happens if something is not of its class, as for `MessageEngine`.
        engine: The engine to go on with, which was restored from a checkpoint. It has options of its own.

    Raises:
        InvalidArgumentError: A handler is a coroutine function, or there are options beside the `engine`.
    """

    def __init__(
        self,
        chunks: Iterable[bytes],
        *,
        response: Any = None,
        close: Callable[[], object] | None = None,
        strict: bool = False,
        limits: Limits = DEFAULT_LIMITS,
        trailing_strings: bool = False,
        invalid_json: InvalidJSON = "raise",
        output_format: type[OutputT] | UnionType | None = None,
        tool_types: ToolTypes = None,
        on_invalid: OnInvalid = "raise",
        engine: MessageEngine[OutputT] | None = None,
    ) -> None:
        options: _Options = {
            "strict": strict,
            "limits": limits,
            "trailing_strings": trailing_strings,
            "invalid_json": invalid_json,
            "output_format": output_format,
            "tool_types": tool_types,
            "on_invalid": on_invalid,
        }
        decoder = self._use_engine(engine, options)
        super().__init__(chunks, decoder=decoder, response=response, close=close)
        self._handlers = Handlers.of(self, MessageStream)

    @property
    def text_stream(self) -> Iterator[str]:
        """The text alone, piece by piece."""
        return (event.text for event in self if isinstance(event, TextEvent))

    def until_done(self) -> None:
        """Read the stream to its end."""
        for _ in self:
            pass

    def get_final_message(self) -> Message[OutputT]:
        """Read the stream to its end and return the message. May be called again, and after the stream was closed.

        Raises:
            IncompleteStreamError: The stream ended or was closed before `message_stop`. The error has the `snapshot`.
            ProtocolError: The stream is broken.
            APIError: The API, or the connection to it, failed.
        """
        self.until_done()
        return self._final_message()

    def get_final_text(self) -> str:
        """Read the stream to its end and return the text of all text blocks as one.

        Raises:
            NoTextError: The message has no text block.
            StreamCoreError: As for `get_final_message()`.
        """
        return _text_of(self.get_final_message())

    # Handlers, for subclasses to override

    def on_stream_event(self, event: MessageStreamEvent) -> None:
        """Handle an event from the API."""

    def on_text(self, delta: str, snapshot: str) -> None:
        """Handle more text: `delta` let a text block grow to `snapshot`. An override may leave `snapshot` out."""

    def on_content_block(self, content_block: ContentBlock) -> None:
        """Handle a complete content block."""

    def on_message(self, message: Message) -> None:
        """Handle the complete message."""

    def on_timeout(self) -> None:
        """Handle a failure because something took too long. `on_exception` follows."""

    def on_exception(self, exception: Exception) -> None:
        """Handle a failure of the stream. `exception` is raised afterwards."""

    def on_end(self) -> None:
        """Handle the end of the stream: it has been read to its end, has failed, or was closed.

        This is called last, and once. If the stream is closed while other handlers run, it is called after them, in
        their thread. It is not called for a stream that is dropped unfinished, since garbage is collected in any thread
        and at any time.
        """


class AsyncMessageStream(_MessageBase[OutputT], AsyncStream[ParsedMessageStreamEvent], TypedAsyncStream):
    """`MessageStream` for async programs, under asyncio or trio.

    ```python
    async with AsyncMessageStream(response.aiter_bytes(), close=response.aclose) as stream:
        async for text in stream.text_stream:
            print(text, end="", flush=True)
        message = await stream.get_final_message()
    ```

    Handlers are coroutine functions. A handler that does not await anything may be a plain method.

    Args:
        chunks: The bytes of the stream, cut anywhere.
        response: The HTTP library's response, which the stream has as `response`.
        close: Releases the connection, as for `AsyncStream`.
        strict: Raise where otherwise a `Violation` is recorded.
        limits: Bounds on the stream.
        trailing_strings: Whether a string value that is still open is part of a tool's `input`, as for `MessageEngine`.
        invalid_json: What happens if the input of a tool is not valid JSON, as for `MessageEngine`.
        output_format: The class that the text of the answer is JSON of, as for `MessageEngine`.
        tool_types: The classes of the inputs of tools, as for `MessageEngine`.
        on_invalid: What happens if something is not of its class, as for `MessageEngine`.
        engine: The engine to go on with, which was restored from a checkpoint. It has options of its own.
    """

    def __init__(
        self,
        chunks: AsyncIterable[bytes],
        *,
        response: Any = None,
        close: Callable[[], Awaitable[object]] | None = None,
        strict: bool = False,
        limits: Limits = DEFAULT_LIMITS,
        trailing_strings: bool = False,
        invalid_json: InvalidJSON = "raise",
        output_format: type[OutputT] | UnionType | None = None,
        tool_types: ToolTypes = None,
        on_invalid: OnInvalid = "raise",
        engine: MessageEngine[OutputT] | None = None,
    ) -> None:
        options: _Options = {
            "strict": strict,
            "limits": limits,
            "trailing_strings": trailing_strings,
            "invalid_json": invalid_json,
            "output_format": output_format,
            "tool_types": tool_types,
            "on_invalid": on_invalid,
        }
        decoder = self._use_engine(engine, options)
        super().__init__(chunks, decoder=decoder, response=response, close=close)
        self._handlers = Handlers.of(self, AsyncMessageStream)

    @property
    def text_stream(self) -> AsyncIterator[str]:
        """The text alone, piece by piece."""
        return _AsyncText(self)

    async def until_done(self) -> None:
        """Read the stream to its end."""
        async for _ in self:
            pass

    async def get_final_message(self) -> Message[OutputT]:
        """Read the stream to its end and return the message. May be called again, and after the stream was closed.

        Raises:
            IncompleteStreamError: The stream ended or was closed before `message_stop`. The error has the `snapshot`.
            ProtocolError: The stream is broken.
            APIError: The API, or the connection to it, failed.
        """
        await self.until_done()
        return self._final_message()

    async def get_final_text(self) -> str:
        """Read the stream to its end and return the text of all text blocks as one.

        Raises:
            NoTextError: The message has no text block.
            StreamCoreError: As for `get_final_message()`.
        """
        return _text_of(await self.get_final_message())

    # Handlers, for subclasses to override

    async def on_stream_event(self, event: MessageStreamEvent) -> None:
        """Handle an event from the API."""

    async def on_text(self, delta: str, snapshot: str) -> None:
        """Handle more text: `delta` let a text block grow to `snapshot`. An override may leave `snapshot` out."""

    async def on_content_block(self, content_block: ContentBlock) -> None:
        """Handle a complete content block."""

    async def on_message(self, message: Message) -> None:
        """Handle the complete message."""

    async def on_timeout(self) -> None:
        """Handle a failure because something took too long. `on_exception` follows."""

    async def on_exception(self, exception: Exception) -> None:
        """Handle a failure of the stream. `exception` is raised afterwards."""

    async def on_end(self) -> None:
        """Handle the end of the stream: it has been read to its end, has failed, or was closed.

        This is called last, and once. If the stream is closed while other handlers run, it is called after them, in
        their task. If the stream is left because of a cancellation, it is called within that: under trio, or in a
        cancel scope of anyio, whatever waits in here is cancelled too, unless it is in a shielded scope. It is not
        called for a stream that is dropped unfinished, since garbage is collected in any thread and at any time.
        """


class _AsyncText:
    """The text of an async stream, piece by piece."""

    # This is not an async generator, because one that is left half-read is closed by its event loop, later and only if
    # that still runs.

    __slots__ = ("_stream",)

    def __init__(self, stream: AsyncMessageStream) -> None:
        self._stream = stream

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        while True:
            event = await self._stream.__anext__()
            if isinstance(event, TextEvent):
                return event.text


def _text_of(message: Message) -> str:
    texts = [block.text for block in message.content if isinstance(block, TextBlock)]
    if not texts:
        found = ", ".join(block.type for block in message.content) or "none"
        raise NoTextError(f"the message has no text block; its blocks: {shortened(found, 1000)}")
    return "".join(texts)
