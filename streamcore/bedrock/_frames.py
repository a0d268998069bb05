"""Bytes of a binary event stream to server-sent events, one for each frame.

A frame is: its length, the length of its headers, a checksum of these two (the prelude, 12 bytes), the headers, the
payload, and a checksum of all. botocore's parser reads it, as in every program on AWS. That parser copies what it has
whenever it is given more, so a frame that arrives in small pieces would take quadratic time. It is therefore given
whole frames, which the length in the prelude tells apart. If a frame is not complete, a parser of its own checks its
prelude ahead: a wrong checksum or length is reported at once, and not after megabytes that a wrong length asks for.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from botocore.eventstream import (
    EventStreamBuffer,
    EventStreamMessage,
    InvalidHeadersLength,
    InvalidPayloadLength,
    ParserError,
)

from streamcore._objects.not_copyable import NotCopyable
from streamcore.bedrock._events import server_sent_event
from streamcore.errors import (
    DecodeError,
    IncompleteStreamError,
    InvalidArgumentError,
    LimitExceededError,
    ProtocolError,
    StreamCoreError,
)
from streamcore.limits import Limits

__all__ = ["FrameReader"]

_PRELUDE = struct.Struct("!II")
_PRELUDE_SIZE = 12
_CHECKSUM_SIZE = 4
# What the parser raises for headers whose checksum is right and whose content is not: it looks up types in a dict, and
# unpacks and decodes what may be too short.
_PARSER_ERRORS = (ParserError, KeyError, ValueError, struct.error)


class FrameReader(NotCopyable):
    """Read the frames of a binary event stream as server-sent events.

    Args:
        limits: Bounds on the stream. `max_event_size` bounds a frame. botocore's parser has a bound of its own, 24 MB
            for the payload of a frame.

    Attributes:
        event_offset: Bytes of the stream before the latest frame.
        received: Bytes of the stream that have been received.
        failure: The error that the stream has failed with.
    """

    __slots__ = (
        "_at_eof",
        "_buffer",
        "_limits",
        "_next_offset",
        "_parser",
        "_prelude_is_checked",
        "event_offset",
        "failure",
        "received",
    )

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._parser = EventStreamBuffer()
        # The bytes that have not been read. Deleting from its front costs nothing.
        self._buffer = bytearray()
        # Whether that has been done for the first frame in the buffer, which is not complete.
        self._prelude_is_checked = False
        self._next_offset = 0
        self._at_eof = False
        self.event_offset: int = 0
        self.received: int = 0
        self.failure: ProtocolError | None = None

    def receive_data(self, chunk: bytes) -> None:
        """Store the next bytes of the stream.

        Raises:
            StreamCoreError: After `receive_eof()`, or after an error.
            InvalidArgumentError: The chunk is not bytes and does not support the buffer protocol.
        """
        if self.failure is not None or self._at_eof:
            because = "the stream has ended" if self.failure is None else "the stream has failed"
            raise StreamCoreError(f"cannot receive more data: {because}")
        try:
            self._buffer += chunk if type(chunk) is bytes else bytes(memoryview(chunk))
        except TypeError:
            raise InvalidArgumentError(f"a chunk must be bytes; received {type(chunk).__name__}") from None
        self.received = self._next_offset + len(self._buffer)

    def receive_eof(self) -> None:
        """Note that the stream has ended."""
        self._at_eof = True

    def events(self) -> Iterator[bytes]:
        """Yield the server-sent event of each frame that has arrived.

        Raises:
            ProtocolError: As for `next_event`.
        """
        while (event := self.next_event()) is not None:
            yield event

    def next_event(self) -> bytes | None:
        """Return the server-sent event of the next frame, or None if more bytes are needed.

        Raises:
            DecodeError: The frame is broken, or its headers or its payload are not those of an event.
            LimitExceededError: The stream is over a limit.
            IncompleteStreamError: After `receive_eof()`: the stream has ended inside a frame.
        """
        if self.failure is not None:
            raise self.failure.with_traceback(None)
        try:
            while (frame := self._next_frame()) is not None:
                event = self._read(frame)
                if event is not None:
                    return event
            if self._at_eof and self._buffer:
                self.event_offset = self._next_offset
                raise IncompleteStreamError(f"the stream ended after {len(self._buffer)} bytes of a frame")
        except ProtocolError as error:
            if error.offset is None:
                error.offset = self.event_offset
            self.failure = error
            self._buffer.clear()
            raise
        return None

    def _next_frame(self) -> bytes | None:
        """Take the next frame out of the buffer once it is complete, or return None."""
        buffer = self._buffer
        if len(buffer) < _PRELUDE_SIZE:
            self._check_stream_size(len(buffer))
            return None
        self.event_offset = self._next_offset
        length, headers = _PRELUDE.unpack_from(buffer)
        is_possible = headers + _PRELUDE_SIZE + _CHECKSUM_SIZE <= length <= self._limits.max_event_size
        if not is_possible or len(buffer) < length:
            if not self._prelude_is_checked:
                self._check_prelude(length, headers, is_possible=is_possible)
            return None
        self._check_stream_size(length)
        frame = bytes(memoryview(buffer)[:length])
        del buffer[:length]
        self._next_offset += length
        self._prelude_is_checked = False
        return frame

    def _check_prelude(self, length: int, headers: int, *, is_possible: bool) -> None:
        _parse(EventStreamBuffer(), bytes(self._buffer[:_PRELUDE_SIZE]))
        if length > self._limits.max_event_size:
            raise LimitExceededError(f"the frame has {length} bytes, more than {self._limits.max_event_size}")
        if not is_possible:
            raise DecodeError(f"the frame says that it has {length} bytes, {headers} of them in headers")
        self._check_stream_size(length)
        self._prelude_is_checked = True

    def _check_stream_size(self, size: int) -> None:
        if self._next_offset + size > self._limits.max_stream_size:
            raise LimitExceededError(f"the stream has more than {self._limits.max_stream_size} bytes")

    def _read(self, frame: bytes) -> bytes | None:
        try:
            message = _parse(self._parser, frame)
        except DecodeError:
            # If it is the prelude that is broken, say the same as when it comes alone.
            _parse(EventStreamBuffer(), frame[:_PRELUDE_SIZE])
            raise
        assert message is not None, "the frame is complete"
        return server_sent_event(message.headers, message.payload)


def _parse(parser: EventStreamBuffer, data: bytes) -> EventStreamMessage | None:
    """Return the message that a parser reads in a frame, or None if there is only the prelude.

    Raises:
        DecodeError: The frame is broken.
        LimitExceededError: It is over a limit of the parser.
    """
    parser.add_data(data)
    try:
        return next(parser, None)
    except (InvalidHeadersLength, InvalidPayloadLength) as error:
        raise LimitExceededError(f"the frame is too long: {error}") from error
    except _PARSER_ERRORS as error:
        raise DecodeError(f"the frame is broken: {type(error).__name__}: {error}", received=data) from error
