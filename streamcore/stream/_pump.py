"""What all streams share, sync and async: everything but the reading and the waiting.

In: chunks of bytes, the end of them, or the error in their place. Out: items one by one, and whether the stream is
over. Does no I/O and has never heard of event loops; from other threads, only `end` may be called.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Generic, Protocol, TypeVar

from streamcore.errors import DecodeError
from streamcore.types import ErrorEvent

__all__ = ["SLICE_SIZE", "WORK_PER_TURN", "Decoder", "Pump", "error_delivered", "error_in_place"]

# A stream that has much to give would keep every other task waiting. So it counts what was done since they last had a
# turn: items and KB of chunks, some 5 µs of work each, and to let them run costs some 10. And it decodes a large chunk
# a slice at a time: the first item of one of 10 MB would otherwise take 50 ms. Counted and not timed, turns are the
# same on all machines, and no clock is read.
WORK_PER_TURN = 128
SLICE_SIZE = 64 * 1024

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)


class Decoder(Protocol[_T_co]):
    """What a stream can be driven by: `SSEDecoder`, `RawMessageDecoder`, `MessageEngine`, or one of the caller's."""

    def receive_data(self, chunk: bytes, /) -> None: ...

    def receive_eof(self) -> None: ...

    def events(self) -> Iterator[_T_co]: ...


class Pump(Generic[_T]):
    """A decoder with what is known of its stream.

    Attributes:
        response: What the adapter has in the place of an HTTP response.
        over: Whether nothing more will come out: the stream has been read to its end, has failed, or was closed.
        items: All that comes out of the decoder, endlessly, with a `None` whenever more bytes are needed. What it
            raises is for `fail`; who is not in a hurry calls `take`.
        error: What it failed with. It is raised again by whoever goes on, so that no failure looks like an end.
        reading: Whether a read is under way; for the stream to say, and for others to keep out.
        work: How much was done: an item counts for one, and a KB of a chunk too. For the stream to look at and reset.
    """

    __slots__ = (
        "_decoder",
        "_eof",
        "_receive_data",
        "_slices",
        "_unended",
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
        # A generator that does not know the pump: no reference cycle, so that a dropped stream is freed at once. Ours
        # for messages is its decoder's own, which is one generator less to go through. (It is asked of the class: a
        # double or a proxy that answers to every name has the verbs of `Decoder` alone.)
        endless = getattr(type(decoder), "endless_items", None)
        self.items: Iterator[_T | None] = _items(decoder, response) if endless is None else endless(decoder, response)
        self._eof = False
        self._slices: Iterator[bytes] | None = None
        self._unended = [None]
        self.response = response
        self.over = False
        self.error: Exception | None = None
        self.reading = False
        self.work = 0

    def take(self) -> _T | None:
        """The next item that the bytes so far allow; `None` to say that more are needed, or that the stream is over.

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
                    self.over = self._eof
                    return None
        except Exception as error:
            self.fail(error)
            raise
        self.work += 1
        return item

    def take_slice(self) -> bool:
        """Give the decoder more of a chunk that has been received. Whether there was more of one."""
        if self._slices is None:
            return False
        slice_ = next(self._slices, None)
        if slice_ is None:
            self._slices = None
            return False
        self._receive_data(slice_)
        self.work += len(slice_) >> 10
        return True

    def fail(self, error: Exception) -> None:
        """The stream has failed, with `error`."""
        self.error = error
        self.over = True

    def receive(self, chunk: bytes | None) -> None:
        """Take what a read gave, `None` being the end."""
        try:
            if chunk is None:
                self._eof = True
                self._decoder.receive_eof()
            elif len(chunk) <= SLICE_SIZE:
                self._receive_data(chunk)
                self.work += len(chunk) >> 10
            else:
                self._slices = _slices(chunk)
        except Exception as error:  # noqa: BLE001  # raised by the next take()
            self.receive_error(error)

    def receive_error(self, error: Exception) -> None:
        """Take what a read raised, to be raised by `take()` once what came before has come out."""
        if self.over:
            return  # it was closed, which is how a read that is under way may learn of it
        if getattr(error, "snapshot", self) is None:
            with contextlib.suppress(AttributeError):
                error.snapshot = getattr(self._decoder, "snapshot", None)  # type: ignore[attr-defined]  # of who has it
        self.fail(error)

    def end(self) -> bool:
        """The stream is over. Whether this is the first to say so, and so the one to release the connection."""
        self.over = True
        try:
            self._unended.pop()  # one operation, whichever threads meet here
        except IndexError:
            return False
        return True


def _slices(chunk: bytes) -> Iterator[bytes]:
    data = bytes(chunk)  # no copy, unless it may change
    return (data[start : start + SLICE_SIZE] for start in range(0, len(data), SLICE_SIZE))


def _items(decoder: Decoder[_T], response: Any) -> Iterator[_T | None]:
    """All that comes out of a decoder, with a `None` whenever it has no more for now."""
    while True:
        try:
            for item in decoder.events():
                yield item
                if isinstance(item, ErrorEvent):
                    raise error_delivered(item, decoder, response)
        except DecodeError as error:
            raise error_in_place(error, response) from None
        yield None


# Only a stream that fails pays for loading the exceptions of the API.


def error_delivered(event: ErrorEvent, decoder: object, response: Any) -> Exception:
    """What is raised after an `error` event."""
    from streamcore.api.failures import error_from_event

    return error_from_event(event, response=response, snapshot=getattr(decoder, "snapshot", None))


def error_in_place(error: DecodeError, response: Any) -> Exception:
    """What is raised for an error of a decoder: the one that the API has sent in the place of a stream, as JSON under a
    content type that does not tell, if it is on one line and as short as the API's are. Of any other body the decoder
    has kept no more than it shows.
    """
    from streamcore.api.response import error_in_body

    received = error.received if isinstance(error.received, bytes) and error.offset == 0 else b""
    return error_in_body(received, response=response) or error
