"""`BedrockDecoder`: bytes of a binary event stream to typed events and an always-current message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, TypeVar, overload

import attrs

from streamcore._objects.not_copyable import NotCopyable
from streamcore.bedrock._frames import FrameReader
from streamcore.engine import MessageEngine
from streamcore.errors import IncompleteStreamError, ProtocolError, Violation
from streamcore.limits import DEFAULT_LIMITS, Limits
from streamcore.stream import Decoder
from streamcore.types import Message, MessageStreamEvent

__all__ = ["BedrockDecoder"]

_T = TypeVar("_T")


class BedrockDecoder(NotCopyable, Generic[_T]):
    """Decode the answer of `InvokeModelWithResponseStream` as `MessageEngine` decodes a stream of the API itself.

    ```python
    decoder = BedrockDecoder()
    for chunk in chunks:
        decoder.receive_data(chunk)
        for event in decoder.events():
            print(event, decoder.snapshot)
    decoder.receive_eof()
    for event in decoder.events():
        print(event, decoder.snapshot)
    message = decoder.final_message
    ```

    An exception that AWS sends inside the stream is delivered as an `ErrorEvent`, as an `error` event of the API is. A
    `Stream` with this decoder raises it after that: `throttlingException` as a `RateLimitError`.

    Offsets, of errors and violations too, count bytes of the binary stream.

    Args:
        decoder: Decodes the server-sent events that the frames become. The default is a `MessageEngine`. To set its
            options, pass one: `BedrockDecoder(MessageEngine(strict=True))`.
        limits: Bounds on the binary stream. `max_event_size` bounds a frame, which is a third longer than its event.
            The default decoder has the same limits.
    """

    __slots__ = ("_at_eof", "_frames", "_offsets", "decoder")

    @overload
    def __init__(self: BedrockDecoder[MessageStreamEvent], *, limits: Limits = DEFAULT_LIMITS) -> None: ...
    @overload
    def __init__(self, decoder: Decoder[_T], *, limits: Limits = DEFAULT_LIMITS) -> None: ...
    def __init__(self, decoder: Decoder[Any] | None = None, *, limits: Limits = DEFAULT_LIMITS) -> None:
        self.decoder: Any = MessageEngine(limits=limits) if decoder is None else decoder
        self._frames = FrameReader(limits)
        # For each violation, the offset of its frame.
        self._offsets: list[int] = []
        self._at_eof = False

    def receive_data(self, chunk: bytes) -> None:
        """Store the next bytes of the stream, any number of them. `events()` does the work.

        Raises:
            StreamCoreError: After `receive_eof()`, or after an error.
            InvalidArgumentError: The chunk is not bytes and does not support the buffer protocol.
        """
        self._frames.receive_data(chunk)

    def receive_eof(self) -> None:
        """Note that the stream has ended. Read `events()` once more after it."""
        self._frames.receive_eof()
        self._at_eof = True

    def events(self) -> Iterator[_T]:
        """Yield the events that the bytes so far allow, one by one. `snapshot` is in step with the latest.

        Only one iterator may be in use at a time. It may be left at any event; the next one goes on from there.

        Raises:
            DecodeError: A frame is broken: a checksum does not match, or its length, its headers or its payload are
                wrong.
            IncompleteStreamError: After `receive_eof()`: the stream has ended inside a frame, or before `message_stop`.
            LimitExceededError: The stream is over a limit.
            ProtocolError: What the decoder behind the frames raises.
        """
        try:
            yield from self._decoded()
            for event in self._frames.events():
                self.decoder.receive_data(event)
                yield from self._decoded()
            if self._at_eof:
                self.decoder.receive_eof()
                yield from self._decoded()
        except ProtocolError as error:
            self._fail(error)
            raise

    def _decoded(self) -> Iterator[_T]:
        try:
            yield from self.decoder.events()
        finally:
            self._note_violations()

    def _note_violations(self) -> None:
        known = len(self._offsets)
        if (found := len(getattr(self.decoder, "violations", ()))) > known:
            self._offsets += [self._frames.event_offset] * (found - known)

    def _fail(self, error: ProtocolError) -> None:
        """Complete an error, with the place in the binary stream."""
        frames = self._frames
        if frames.failure is None:
            frames.failure = error
            error.offset = frames.received if isinstance(error, IncompleteStreamError) else frames.event_offset
        if error.snapshot is None:
            error.snapshot = self.snapshot

    @property
    def snapshot(self) -> Message | None:
        """The message exactly up to the latest event delivered. None if the decoder does not build one."""
        snapshot: Message | None = getattr(self.decoder, "snapshot", None)
        return snapshot

    @property
    def complete(self) -> bool:
        """Whether `message_stop` has arrived, if the decoder is an engine."""
        return bool(self.decoder.complete)

    @property
    def multiple_messages(self) -> bool:
        """Whether the stream may hold several messages, so that it is not over at `message_stop`."""
        return getattr(self.decoder, "multiple_messages", False) is True

    @property
    def final_message(self) -> Message:
        """The complete message, if the decoder is an engine.

        Raises:
            IncompleteStreamError: `message_stop` has not arrived.
            ProtocolError: The error that the stream failed with before that.
        """
        failure = self._frames.failure
        if failure is not None and not self.complete:
            raise failure.with_traceback(None)
        message: Message = self.decoder.final_message
        return message

    @property
    def violations(self) -> tuple[Violation, ...]:
        """Protocol violations seen so far that did not lose any data."""
        self._note_violations()
        found = getattr(self.decoder, "violations", ())
        return tuple(
            attrs.evolve(violation, offset=offset) for violation, offset in zip(found, self._offsets, strict=True)
        )

    @property
    def event_offset(self) -> int:
        """Bytes of the stream before the latest frame."""
        return self._frames.event_offset
