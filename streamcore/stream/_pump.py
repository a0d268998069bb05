"""Chunks in, items out, and whether the stream is over: all that a stream decides while it is read, without I/O.

In: chunks of bytes, their end, or the error that came in their place. Out: items, one by one. A sync and an async
stream drive the same pump; it does not know which. Other threads may call `end`, and nothing else.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Generic, Protocol, TypeVar

from streamcore._objects.ticket import Ticket
from streamcore.errors import ProtocolError
from streamcore.stream.failures import error_after_event, error_of_decoder
from streamcore.types import ErrorEvent, MessageStopEvent

__all__ = ["SLICE_SIZE", "WORK_PER_TURN", "Completion", "Decoder", "Pump"]

# A stream that always has a next item would keep every other task waiting. So it counts the work done since the others
# last had a turn: an item is one unit, and so is a KB of a chunk. A unit takes some 5 µs, and a turn costs some 10. It
# counts work and reads no clock, so that turns come at the same places on all machines.
WORK_PER_TURN = 128

# A large chunk is decoded a slice at a time. The first item of a chunk of 10 MB would otherwise take 50 ms.
SLICE_SIZE = 64 * 1024

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)


class Decoder(Protocol[_T_co]):
    """What a stream can be driven by: `SSEDecoder`, `RawMessageDecoder`, `MessageEngine` or one of the caller's own."""

    def receive_data(self, chunk: bytes, /) -> None:
        """Store the next bytes."""

    def receive_eof(self) -> None:
        """Note that the bytes have ended."""

    def events(self) -> Iterator[_T_co]:
        """Yield the items that the bytes so far allow."""
        ...


class Completion:
    """Whether `message_stop` has arrived. A pump and the generator of its items share one, to avoid a reference cycle.

    Args:
        decoder: The decoder. If it has `multiple_messages`, its stream goes on after `message_stop`. If it is
            `complete` (restored from a checkpoint), the stream is over.

    Attributes:
        is_over: Whether the item that ends the stream has arrived.
    """

    __slots__ = ("_stop_ends_stream", "is_over")

    def __init__(self, decoder: object) -> None:
        self._stop_ends_stream = getattr(decoder, "multiple_messages", False) is not True
        self.is_over: bool = self._stop_ends_stream and getattr(decoder, "complete", False) is True

    def ends(self, item: object) -> bool:
        """Return whether the stream is over with this item, and note it. Call it before the item is delivered."""
        if self._stop_ends_stream and isinstance(item, MessageStopEvent):
            self.is_over = True
        return self.is_over


class Pump(Generic[_T]):
    """Take items out of a decoder, and keep the state of its stream.

    Attributes:
        response: The HTTP library's response, or what an adapter has in its place.
        items: All that comes out of the decoder up to `message_stop`, with a None whenever more bytes are needed. A
            caller that iterates over this itself, because it is faster than `take`, passes what it raises to `fail`.
        over: Whether no more items follow: `message_stop` or the end has arrived, or the stream has failed or was
            closed.
        error: What the stream failed with. Each further `take` raises it again, so that no failure looks like an end.
        reading: Whether a read is under way. The stream sets it, and refuses a second read meanwhile.
        work: The work done, in the units of `WORK_PER_TURN`. An async stream looks at it and resets it.
    """

    __slots__ = (
        "_at_eof",
        "_chunk",
        "_completion",
        "_decoder",
        "_receive_data",
        "_ticket",
        "error",
        "items",
        "over",
        "reading",
        "response",
        "work",
    )

    def __init__(self, decoder: Decoder[_T], response: Any) -> None:
        self._decoder = decoder
        self._receive_data = decoder.receive_data
        # A generator that does not refer to the pump: without a reference cycle, a dropped stream is freed at once. The
        # decoder of message streams brings a generator of its own, which saves one generator per item. (The class is
        # asked, because a mock or a proxy that answers to every name implements only `Decoder`.)
        items = getattr(type(decoder), "items", _items)
        self._completion = Completion(decoder)
        self.items: Iterator[_T | None] = items(decoder, response, self._completion)
        # A chunk that is decoded in slices, without those that the decoder has received.
        self._chunk: memoryview | None = None
        self._at_eof = False
        self._ticket = Ticket()  # for `end`
        self.response = response
        self.over = False
        self.error: Exception | None = None
        self.reading = False
        self.work = 0

    def take(self) -> _T | None:
        """Return the next item that the bytes so far allow, or None if more are needed or the stream is over.

        Raises:
            ProtocolError: The stream is broken.
            APIStatusError: The latest item was an `error` event.
            Exception: What `receive_error` was given.
        """
        if self.over:
            if self.error is not None:
                raise self.error
            return None
        try:
            while (item := next(self.items)) is None:
                if not self.take_slice():
                    self.over = self._at_eof
                    return None
        except StopIteration:
            self.over = True
            return None
        except Exception as error:
            self.fail(error)
            raise
        self.work += 1
        return item

    def take_slice(self) -> bool:
        """Give the decoder the next slice of a large chunk. Return False if nothing is left."""
        chunk = self._chunk
        if chunk is None:
            return False
        slice_ = bytes(chunk[:SLICE_SIZE])
        self._chunk = chunk[SLICE_SIZE:] if len(chunk) > SLICE_SIZE else None
        self._receive_data(slice_)
        self.work += len(slice_) >> 10
        return True

    @property
    def unread(self) -> tuple[bytes, ...]:
        """The bytes that were received and that the decoder has not got."""
        return () if self._chunk is None else (bytes(self._chunk),)

    def receive(self, chunk: bytes | None) -> None:
        """Receive the next chunk, or None for the end."""
        try:
            if chunk is None:
                self._at_eof = True
                self._decoder.receive_eof()
            elif len(chunk) <= SLICE_SIZE:
                self._receive_data(chunk)
                self.work += len(chunk) >> 10
            else:
                self._chunk = memoryview(bytes(chunk))  # copies a bytearray, which may change before it is read
        except Exception as error:  # noqa: BLE001  # raised by the next take()
            self.receive_error(error)

    def receive_error(self, error: Exception) -> None:
        """Receive what a read raised in place of a chunk. The next `take` raises it."""
        if self.over:
            return  # the stream was closed, and the read that was under way may have failed because of that
        if getattr(error, "snapshot", self) is None:
            # The error has an empty `snapshot`: fill it in, if it can be set and the decoder has one.
            with contextlib.suppress(AttributeError):
                error.snapshot = getattr(self._decoder, "snapshot", None)  # type: ignore[attr-defined]  # see above
        self.fail(error)

    def fail(self, error: Exception) -> None:
        """Note that the stream has failed with `error`."""
        self.error = error
        self.over = True

    @property
    def has_rest(self) -> bool:
        """Whether `message_stop` has arrived, and the end of the chunks has not."""
        return self._completion.is_over and not self._at_eof

    def end(self) -> bool:
        """Note that the stream is over. Return True to the first caller only, which then releases the connection."""
        self.over = True
        return self._ticket.take()


def _items(decoder: Decoder[_T], response: Any, completion: Completion) -> Iterator[_T | None]:
    """Yield all that comes out of a decoder up to `message_stop`, and None whenever it needs more bytes."""
    while not completion.is_over:
        try:
            for item in decoder.events():
                is_last = completion.ends(item)
                yield item
                if is_last:
                    return
                if isinstance(item, ErrorEvent):
                    raise error_after_event(item, decoder, response)
        except ProtocolError as error:
            raise error_of_decoder(error, response) from error.__cause__
        yield None
