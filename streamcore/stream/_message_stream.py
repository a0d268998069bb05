"""Message streams over any iterable of bytes, sync and async: what a user's loop sees.

In: an iterable of chunks, whoever made it, and how to release the connection behind it. Out: events and their derived
events, the text alone, the message so far and the final message: views of one stream, in any order. `Stream` and
`AsyncStream` (from `_stream`) do the reading, for any decoder. Knows nothing of HTTP libraries.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from types import TracebackType, UnionType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeAlias

from typing_extensions import TypeVar

from streamcore.engine import MessageEngine
from streamcore.errors import IncompleteStreamError, NoTextError, Violation, shortened
from streamcore.limits import DEFAULT_LIMITS, Limits
from streamcore.stream._derived import DerivingDecoder, derive
from streamcore.stream._handlers import Handlers
from streamcore.stream._stream import AsyncStream, Stream
from streamcore.stream._typed import TypedAsyncStream, TypedStream
from streamcore.types import ContentBlock, Message, MessageStreamEvent, ParsedMessageStreamEvent, TextBlock, TextEvent
from streamcore.types.message import OutputT

if TYPE_CHECKING:
    from streamcore.accumulator import MessageAccumulator
    from streamcore.stream._pump import Pump
    from streamcore.typed import OnInvalid

__all__ = [
    "AsyncMessageStream",
    "AsyncMessageStreamManager",
    "AsyncStream",
    "MessageStream",
    "MessageStreamManager",
    "Stream",
    "derive",
]

ToolTypes: TypeAlias = Mapping[str, Any] | Iterable[Any] | None
"""Classes of tools' inputs, by the tools' names, or classes and functions to be named after."""


class _MessageBase(Generic[OutputT]):
    """What a sync and an async message stream have in common."""

    _engine: MessageEngine[OutputT]
    _accumulator: MessageAccumulator
    _pump: Pump[ParsedMessageStreamEvent]

    @property
    def current_message_snapshot(self) -> Message[OutputT]:
        """The message exactly up to the latest event. It never changes.

        To look costs a copy of what is open and has changed since the last look: the text so far, or of a tool's input
        each open list or dict, one level of it. What is closed is shared.

        Raises:
            IncompleteStreamError: `message_start` has not come.
        """
        snapshot = self._accumulator.snapshot
        if snapshot is None:
            raise IncompleteStreamError("there is no message yet: message_start has not come")
        return snapshot

    @property
    def violations(self) -> tuple[Violation, ...]:
        """What was odd so far, but lost nothing."""
        return self._engine.violations

    def _final_message(self) -> Message[OutputT]:
        return self._engine.final_message

    def _lost_nothing(self, error: Exception) -> bool:
        """Whether the message was complete when the stream failed, by a connection cut too early, say."""
        return error is self._pump.error and self._engine.complete


class MessageStream(_MessageBase[OutputT], Stream[ParsedMessageStreamEvent], TypedStream):
    """The events of one message as they arrive, and the message.

    ```python
    with MessageStream(response.iter_bytes(), close=response.close) as stream:
        for text in stream.text_stream:
            print(text, end="", flush=True)
        message = stream.get_final_message()
    ```

    Iteration gives every wire event and after it, where it has one, its derived event (`TextEvent`, ...). Iteration and
    `text_stream` are views of one stream: leave one and go on with the other.

    A subclass may override handlers (`on_text`, ...). They are called before their event is delivered, and what they
    raise ends the stream.

    Args:
        chunks: The bytes of the stream, cut anywhere.
        response: The HTTP library's response, to be had as `response`.
        close: Releases the connection, as for `Stream`.
        strict: Raise where otherwise a `Violation` is recorded.
        limits: Bounds on the stream.
        trailing_strings: Whether a string that is still open counts, in the input of a tool, as far as it has come.
        output_format: The class that the text of the answer is JSON of, as for `MessageEngine`.
        tool_types: The classes of tools' inputs, as for `MessageEngine`.
        on_invalid: What happens when something is not of its class, as for `MessageEngine`.

    Raises:
        InvalidArgumentError: A handler is a coroutine function.
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
        output_format: type[OutputT] | UnionType | None = None,
        tool_types: ToolTypes = None,
        on_invalid: OnInvalid = "raise",
    ) -> None:
        self._engine = MessageEngine(
            strict=strict,
            limits=limits,
            trailing_strings=trailing_strings,
            output_format=output_format,
            tool_types=tool_types,
            on_invalid=on_invalid,
        )
        self._accumulator = self._engine.accumulator
        super().__init__(chunks, decoder=DerivingDecoder(self._engine), response=response, close=close)
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
            IncompleteStreamError: The stream ended, or was closed, before `message_stop`; it has the `snapshot`.
            ProtocolError: The stream is broken.
            APIError: The API, or the connection to it, failed.
        """
        try:
            self.until_done()
        except Exception as error:
            if not self._lost_nothing(error):
                raise
        return self._final_message()

    def get_final_text(self) -> str:
        """Read the stream to its end and return the text of all text blocks as one.

        Raises:
            NoTextError: The message has no text block.
            StreamCoreError: As `get_final_message()`.
        """
        return _text_of(self.get_final_message())

    # Handlers, for subclasses to override

    def on_stream_event(self, event: MessageStreamEvent) -> None:
        """An event has come from the API."""

    def on_text(self, delta: str, snapshot: str) -> None:
        """A text block has grown by `delta` to `snapshot`. May also be overridden as `on_text(self, delta)`."""

    def on_content_block(self, content_block: ContentBlock) -> None:
        """A content block is complete."""

    def on_message(self, message: Message) -> None:
        """The message is complete."""

    def on_timeout(self) -> None:
        """The stream has failed because something took too long. `on_exception` follows."""

    def on_exception(self, exception: Exception) -> None:
        """The stream has failed; `exception` will be raised."""

    def on_end(self) -> None:
        """The stream is over: read to its end, failed or closed. Called last, once, and always but for a stream that is
        dropped unfinished: that is found in any thread, at any time, with nobody left to hear of it.

        A stream that is closed while other handlers run calls it after them, in their thread.
        """


class AsyncMessageStream(_MessageBase[OutputT], AsyncStream[ParsedMessageStreamEvent], TypedAsyncStream):
    """`MessageStream` for async programs, under asyncio or trio.

    ```python
    async with AsyncMessageStream(response.aiter_bytes(), close=response.aclose) as stream:
        async for text in stream.text_stream:
            print(text, end="", flush=True)
        message = await stream.get_final_message()
    ```

    Handlers are coroutine functions; one that waits for nothing may be a plain method.

    Args:
        chunks: The bytes of the stream, cut anywhere.
        response: The HTTP library's response, to be had as `response`.
        close: Releases the connection, as for `AsyncStream`.
        strict: Raise where otherwise a `Violation` is recorded.
        limits: Bounds on the stream.
        trailing_strings: Whether a string that is still open counts, in the input of a tool, as far as it has come.
        output_format: The class that the text of the answer is JSON of, as for `MessageEngine`.
        tool_types: The classes of tools' inputs, as for `MessageEngine`.
        on_invalid: What happens when something is not of its class, as for `MessageEngine`.
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
        output_format: type[OutputT] | UnionType | None = None,
        tool_types: ToolTypes = None,
        on_invalid: OnInvalid = "raise",
    ) -> None:
        self._engine = MessageEngine(
            strict=strict,
            limits=limits,
            trailing_strings=trailing_strings,
            output_format=output_format,
            tool_types=tool_types,
            on_invalid=on_invalid,
        )
        self._accumulator = self._engine.accumulator
        super().__init__(chunks, decoder=DerivingDecoder(self._engine), response=response, close=close)
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
            IncompleteStreamError: The stream ended, or was closed, before `message_stop`; it has the `snapshot`.
            ProtocolError: The stream is broken.
            APIError: The API, or the connection to it, failed.
        """
        try:
            await self.until_done()
        except Exception as error:
            if not self._lost_nothing(error):
                raise
        return self._final_message()

    async def get_final_text(self) -> str:
        """Read the stream to its end and return the text of all text blocks as one.

        Raises:
            NoTextError: The message has no text block.
            StreamCoreError: As `get_final_message()`.
        """
        return _text_of(await self.get_final_message())

    # Handlers, for subclasses to override

    async def on_stream_event(self, event: MessageStreamEvent) -> None:
        """An event has come from the API."""

    async def on_text(self, delta: str, snapshot: str) -> None:
        """A text block has grown by `delta` to `snapshot`. May also be overridden as `on_text(self, delta)`."""

    async def on_content_block(self, content_block: ContentBlock) -> None:
        """A content block is complete."""

    async def on_message(self, message: Message) -> None:
        """The message is complete."""

    async def on_timeout(self) -> None:
        """The stream has failed because something took too long. `on_exception` follows."""

    async def on_exception(self, exception: Exception) -> None:
        """The stream has failed; `exception` will be raised."""

    async def on_end(self) -> None:
        """The stream is over: read to its end, failed or closed. Called last, once, and always but for a stream that is
        dropped unfinished: that is found in any thread, at any time, with nobody left to hear of it.

        A stream that is closed while other handlers run calls it after them, in their task. One that is left because of
        a cancellation calls it within that: under trio, or in a scope of anyio's, what waits in here is cancelled too,
        but for what is in a shielded scope.
        """


class _AsyncText:
    # Not an async generator: one that is left half-read is closed later, by the event loop, if there still is one.

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


_StreamT = TypeVar("_StreamT", bound=MessageStream, default=MessageStream)
_AsyncStreamT = TypeVar("_AsyncStreamT", bound=AsyncMessageStream, default=AsyncMessageStream)


class MessageStreamManager(Generic[_StreamT]):
    """Opens a message stream on entering and closes it on leaving; until then nothing is sent.

    Args:
        open_stream: Opens the stream.
    """

    def __init__(self, open_stream: Callable[[], _StreamT]) -> None:
        self._open_stream = open_stream
        self._stream: _StreamT | None = None

    def __enter__(self) -> _StreamT:
        self._stream = self._open_stream()
        return self._stream

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()


class AsyncMessageStreamManager(Generic[_AsyncStreamT]):
    """Opens an async message stream on entering and closes it on leaving; until then nothing is sent.

    Args:
        open_stream: Opens the stream. It is not called before the manager is entered.
    """

    def __init__(self, open_stream: Callable[[], Awaitable[_AsyncStreamT]]) -> None:
        self._open_stream = open_stream
        self._stream: _AsyncStreamT | None = None

    async def __aenter__(self) -> _AsyncStreamT:
        self._stream = await self._open_stream()
        return self._stream

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.close()
