"""Frames to `ServerSentEvent` values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

from streamcore._checkpoint import limits_of, read_checkpoint, write_checkpoint
from streamcore._objects.not_copyable import NotCopyable
from streamcore._objects.state import SavedState
from streamcore.errors import CheckpointError, ProtocolError
from streamcore.limits import DEFAULT_LIMITS, Limits
from streamcore.sse._event import ServerSentEvent, make_event
from streamcore.sse._frames import FrameReader
from streamcore.sse._frames_state import FramesState

__all__ = ["SSEDecoder"]


class SSEState(SavedState):
    """The state of an `SSEDecoder`.

    Attributes:
        limits: Bounds on the stream.
        frames: The state of the frames.
    """

    limits: Limits
    frames: FramesState


class SSEDecoder(NotCopyable):
    r"""Decode an event stream that is fed in chunks of any size.

    ```python
    decoder = SSEDecoder()
    decoder.receive_data(b"event: ping\ndata: {}\n\n")
    for event in decoder.events():
        ...
    decoder.receive_eof()
    ```

    The standard discards an event that the stream ends in; `pending` shows that bytes were left over.

    Args:
        limits: Bounds on the stream.
    """

    __slots__ = ("_failure", "_frames", "_limits")

    def __init__(self, *, limits: Limits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._frames = FrameReader(limits)
        self._failure: ProtocolError | None = None

    def receive_data(self, chunk: bytes) -> None:
        """Store the next bytes of the stream, any number of them. `events()` does the work.

        Raises:
            StreamCoreError: After `receive_eof()`, or after an error.
            InvalidArgumentError: The chunk is not bytes and does not support the buffer protocol.
        """
        self._frames.buffer.append(chunk)

    def receive_eof(self) -> None:
        """Note that the stream has ended."""
        self._frames.receive_eof()

    def events(self) -> Iterator[ServerSentEvent]:
        """Yield the events that the bytes so far allow, one by one.

        Only one iterator may be in use at a time. Invalid UTF-8 is read as U+FFFD.

        Raises:
            LimitExceededError: A line, an event or the stream is longer than the limits allow. The events before that
                have been delivered; calling again raises the same.
        """
        if self._failure is not None:
            raise self._failure.with_traceback(None)
        frames = self._frames
        try:
            while (frame := frames.next_frame()) is not None:
                name, data = frame
                yield make_event(
                    name or "message", data.decode("utf-8", "replace"), frames.last_event_id, frames.event_retry
                )
        except ProtocolError as error:
            self._failure = error
            frames.fail(error)
            raise

    def checkpoint(self) -> bytes:
        """Return the state as bytes, at any moment. This changes nothing.

        Raises:
            CheckpointError: The stream has failed.
        """
        if self._failure is not None:
            raise CheckpointError(f"a stream that has failed has no checkpoint: {self._failure}")
        return write_checkpoint("SSEDecoder", SSEState(limits=self._limits, frames=self._frames.get_state()))

    @classmethod
    def restore(cls, data: bytes, *, limits: Limits | None = None) -> Self:
        """Return a decoder that goes on from a checkpoint as the original would have.

        Args:
            data: What `checkpoint` returned.
            limits: Bounds on the stream in place of those of the original.

        Raises:
            CheckpointError: It is not a valid checkpoint of an `SSEDecoder`, or it is over the limits.
            InvalidArgumentError: `data` is not bytes.
        """
        state = read_checkpoint(data, "SSEDecoder", SSEState)
        decoder = cls(limits=limits_of(state.limits, limits))
        decoder._frames.set_state(state.frames)
        return decoder

    @property
    def event_offset(self) -> int:
        """Bytes of the stream before the first line of the latest event, or of one that has begun since."""
        return self._frames.event_offset

    @property
    def received(self) -> int:
        """Bytes of the stream that `events()` has read."""
        return self._frames.received

    @property
    def pending(self) -> int:
        """Bytes since the end of the last event that belong to an event whose blank line has not come.

        Raises:
            StreamCoreError: There are `events()` that have not been read.
        """
        return self._frames.pending

    @property
    def last_event_id(self) -> str | None:
        """The id that a client would send when it reconnects; `None` before the first `id` field."""
        return self._frames.last_event_id

    @property
    def retry(self) -> int | None:
        """The latest reconnection time that the stream asked for, in milliseconds."""
        return self._frames.retry
