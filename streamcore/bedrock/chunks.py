"""Chunks of a binary event stream to chunks of server-sent events, for streams: one chunk for each frame.

A stream takes any iterable of chunks, and so does `EventChunks`. A stream reads a chunk only when it has delivered all
events of those before, so what it delivers is in step with the frames. A frame that is alone in its chunk takes the
fast path of the engine.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Any, Self

from streamcore.bedrock._frames import FrameReader
from streamcore.errors import IncompleteStreamError, ProtocolError, error_in_call
from streamcore.limits import DEFAULT_LIMITS, Limits

__all__ = ["AsyncEventChunks", "EventChunks", "async_event_chunks", "event_chunks"]

_LAST = b"event: message_stop\n"


class _EventChunks:
    """What the sync and the async iterator share.

    Args:
        chunks: The bytes of the binary stream.
        response: The response that they come from. With it, errors are `APIError`s, as those of streams are.
        limits: Bounds on the binary stream.
    """

    def __init__(self, chunks: Any, *, response: Any = None, limits: Limits = DEFAULT_LIMITS) -> None:
        self._source = chunks
        self._response = response
        self._frames = FrameReader(limits)
        self._at_eof = False
        # Whether the rest is passed on as it is: that of an answer after `message_stop`. A stream reads it only to free
        # the connection. Other chunks may have another message after it.
        self._is_over = False

    @property
    def is_drainable(self) -> bool:
        """Whether the rest may be read after `message_stop`, so that its connection can be used again."""
        return getattr(self._source, "is_drainable", False) is True

    def place(self, error: ProtocolError) -> None:
        """Set the offset of an error that the events had to that of the frame in the binary stream."""
        frames = self._frames
        if frames.failure is None and error.offset_unit == "byte":
            error.offset = frames.received if isinstance(error, IncompleteStreamError) else frames.event_offset

    def _next_event(self) -> bytes | None:
        try:
            event = self._frames.next_event()
        except ProtocolError as error:
            if self._response is None:
                raise
            raise error_in_call(error, self._response) from error.__cause__
        self._is_over = self.is_drainable and event is not None and event.startswith(_LAST)
        return event

    def _receive(self, chunk: bytes | None) -> None:
        if chunk is None:
            self._at_eof = True
            self._frames.receive_eof()
        else:
            self._frames.receive_data(chunk)


class EventChunks(_EventChunks):
    """The events of a binary stream, one server-sent event at a time."""

    def __init__(self, chunks: Iterable[bytes], *, response: Any = None, limits: Limits = DEFAULT_LIMITS) -> None:
        super().__init__(chunks, response=response, limits=limits)
        self._chunks: Iterator[bytes] = iter(chunks)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        if self._is_over:
            return next(self._chunks)
        while (event := self._next_event()) is None:
            if self._at_eof:
                raise StopIteration
            self._receive(next(self._chunks, None))
        return event


class AsyncEventChunks(_EventChunks):
    """`EventChunks` for async programs."""

    def __init__(self, chunks: AsyncIterable[bytes], *, response: Any = None, limits: Limits = DEFAULT_LIMITS) -> None:
        super().__init__(chunks, response=response, limits=limits)
        self._chunks: AsyncIterator[bytes] = aiter(chunks)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._is_over:
            return await anext(self._chunks)
        while (event := self._next_event()) is None:
            if self._at_eof:
                raise StopAsyncIteration
            self._receive(await anext(self._chunks, None))
        return event


def event_chunks(chunks: Iterable[bytes], *, limits: Limits = DEFAULT_LIMITS) -> EventChunks:
    """Return the server-sent events in the chunks of a binary stream, for a `MessageStream`.

    ```python
    with MessageStream(event_chunks(response.iter_bytes()), close=response.close) as stream:
        for text in stream.text_stream:
            print(text, end="", flush=True)
    ```

    Offsets of errors and violations count bytes of these events. For those of the binary stream, use `BedrockDecoder`.

    Args:
        chunks: The bytes, cut anywhere.
        limits: Bounds on the binary stream, as for `BedrockDecoder`.
    """
    return EventChunks(chunks, limits=limits)


def async_event_chunks(chunks: AsyncIterable[bytes], *, limits: Limits = DEFAULT_LIMITS) -> AsyncEventChunks:
    """Like `event_chunks`, for an `AsyncMessageStream`."""
    return AsyncEventChunks(chunks, limits=limits)
