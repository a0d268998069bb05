"""Bedrock's binary event stream: whole, cut anywhere, broken in every way, and over every limit."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterable
from typing import Any

import botocore.eventstream
import pytest
from bedrock_frames import CHUNK, binary_of, binary_of_stream, chunk_of, exception_of, frame_of, header
from helpers import FIXTURES, HELLO, STOP, any_chunks, block_start, body, delta, drive, examples, in_pieces, start, text
from hypothesis import given, strategies

from streamcore import (
    DecodeError,
    EventOrderError,
    IncompleteStreamError,
    InvalidArgumentError,
    LimitExceededError,
    Limits,
    MessageEngine,
    MessageStream,
    ProtocolError,
    RawMessageDecoder,
    StreamCoreError,
)
from streamcore.bedrock import BedrockDecoder, event_chunks
from streamcore.errors import APIStatusError, InternalServerError, RateLimitError
from streamcore.stream import Stream

WHOLE = [path for path in FIXTURES if "broken" not in path.parts]


def decode(chunks: bytes | Iterable[bytes], decoder: BedrockDecoder[Any] | None = None) -> tuple[list[Any], list[Any]]:
    """Return the events, and the snapshot after each."""
    decoder = BedrockDecoder() if decoder is None else decoder
    events, snapshots = [], []
    for chunk in [chunks] if isinstance(chunks, bytes) else chunks:
        decoder.receive_data(chunk)
        for event in decoder.events():
            events.append(event)
            snapshots.append(decoder.snapshot)
    decoder.receive_eof()
    for event in decoder.events():
        events.append(event)
        snapshots.append(decoder.snapshot)
    return events, snapshots


def fault(data: bytes, **options: Any) -> ProtocolError:
    with pytest.raises(ProtocolError) as caught:
        decode(data, BedrockDecoder(**options))
    return caught.value


def test_every_fixture_gives_what_it_gives_as_server_sent_events() -> None:
    assert len(WHOLE) > 5
    for path in WHOLE:
        data = path.read_bytes()
        expected = drive(data)
        if expected.error is not None or expected.violations:
            continue
        frames = binary_of_stream(data)
        for chunks in (frames, [b"".join(frames)], in_pieces(b"".join(frames), 100)):
            events, snapshots = decode(chunks)
            assert (events, snapshots) == (expected.events, expected.snapshots), path.name
        with MessageStream(event_chunks(frames)) as stream:
            assert stream.get_final_message() == expected.snapshot, path.name


def test_another_decoder_can_stand_behind_the_frames() -> None:
    events, snapshots = decode(binary_of(*HELLO), BedrockDecoder(RawMessageDecoder()))
    assert [event.type for event in events] == [payload["type"] for payload in HELLO]
    assert snapshots == [None] * len(HELLO)
    with Stream([binary_of(*HELLO)], decoder=BedrockDecoder()) as stream:
        assert [event.type for event in stream][-1] == "message_stop"


def test_a_stream_of_several_messages() -> None:
    frames = [chunk_of(payload) for payload in [*HELLO, *HELLO]]
    types = [payload["type"] for payload in HELLO] * 2
    for chunks in (frames, [b"".join(frames)]):
        for decoded in (
            Stream(event_chunks(chunks), decoder=MessageEngine(multiple_messages=True)),
            Stream(chunks, decoder=BedrockDecoder(MessageEngine(multiple_messages=True))),
        ):
            assert [event.type for event in decoded] == types


def test_an_iterator_may_be_left_at_any_event() -> None:
    decoder = BedrockDecoder()
    decoder.receive_data(binary_of(*HELLO))
    seen = []
    for _ in HELLO:
        for event in decoder.events():
            seen.append(event.type)
            break
    assert seen == [payload["type"] for payload in HELLO]
    assert decoder.complete
    assert decoder.final_message == drive(body(*HELLO)).snapshot


def test_violations_and_errors_have_the_offset_of_their_frame() -> None:
    frames = [chunk_of(payload) for payload in HELLO]
    odd = [*frames[:5], chunk_of(text(0, "late"))]
    decoder = BedrockDecoder()
    with pytest.raises(IncompleteStreamError) as caught:
        decode(odd, decoder)
    assert caught.value.offset == sum(map(len, odd))
    assert [violation.offset for violation in decoder.violations] == [sum(map(len, odd[:-1]))]
    error = fault(binary_of(*HELLO[:3], text(7, "nowhere")))
    assert isinstance(error, EventOrderError)
    assert (error.offset, error.event_number) == (len(binary_of(*HELLO[:3])), 3)
    assert error.snapshot is not None
    assert error.snapshot.content[0].text == "Hel"  # type: ignore[union-attr]  # a text block


def test_a_broken_frame_says_where_and_after_what() -> None:
    good = binary_of(*HELLO[:3])
    frame = chunk_of(HELLO[3])
    flipped = {place: frame[:place] + bytes([frame[place] ^ 1]) + frame[place + 1 :] for place in (2, 9, 20, -20, -1)}
    short = struct.pack("!II", 15, 0)
    cases: dict[str, tuple[bytes, type[ProtocolError], str]] = {
        "checksum of the prelude": (flipped[2], DecodeError, "ChecksumMismatch"),
        "checksum itself": (flipped[9], DecodeError, "ChecksumMismatch"),
        "a header": (flipped[20], DecodeError, "ChecksumMismatch"),
        "the payload": (flipped[-20], DecodeError, "ChecksumMismatch"),
        "the last checksum": (flipped[-1], DecodeError, "ChecksumMismatch"),
        "too short a length": (short + struct.pack("!I", zlib.crc32(short)), DecodeError, "it has 15 bytes"),
        "no headers": (frame_of({}, b"{}"), DecodeError, "':message-type' must be a string"),
        "a wrong kind": (frame_of({":message-type": "new"}, b"{}"), DecodeError, "must be event, exception or error"),
        "no type": (frame_of({":message-type": "event"}, b"{}"), DecodeError, "':event-type' must be a string"),
        "a header twice": (frame_of(header("a", "b") * 2, b"{}"), DecodeError, "Duplicate header"),
        "an unknown header type": (frame_of(b"\x01a\x63", b"{}"), DecodeError, "KeyError"),
        "a header cut off": (frame_of(b"\x01a\x07\x00", b"{}"), DecodeError, "broken"),
        "not base64": (frame_of(CHUNK, b'{"bytes": "*"}'), DecodeError, "not a chunk in base64"),
        "not JSON": (frame_of(CHUNK, b"\xff"), DecodeError, "not a chunk in base64"),
        "no bytes": (frame_of(CHUNK, b"{}"), DecodeError, "not a chunk in base64"),
        "bytes that are not UTF-8": (frame_of(CHUNK, b'{"bytes": "\xff"}'), DecodeError, "not a chunk in base64"),
        "padding that nests deep": (
            frame_of(CHUNK, b'{"bytes": "", "p": %s}' % (b"[" * 9000)),
            DecodeError,
            "not a chunk in base64",
        ),
        "an event that is not JSON": (chunk_of(b"not JSON"), DecodeError, "JSON"),
        "cut off": (frame[:-1], IncompleteStreamError, "after .* bytes of a frame"),
        "cut off after its prelude": (frame[:12], IncompleteStreamError, "after 12 bytes of a frame"),
        "cut off in its prelude": (frame[:11], IncompleteStreamError, "after 11 bytes of a frame"),
    }
    for name, (data, cls, message) in cases.items():
        error = fault(good + data)
        assert type(error) is cls, (name, error)
        assert re.search(message, error.message), (name, error)
        assert error.offset == len(good), name
        with pytest.raises(cls) as caught:
            decode(in_pieces(good + data, 1))
        assert (caught.value.message, caught.value.received) == (error.message, error.received), name
        assert error.snapshot is not None, name
        assert error.snapshot.content[0].text == "Hel", name  # type: ignore[union-attr]  # a text block


def test_limits() -> None:
    good = binary_of(*HELLO)
    longest = max(len(chunk_of(payload)) for payload in HELLO)
    decode(good, BedrockDecoder(limits=Limits(max_event_size=longest, max_stream_size=len(good))))
    over = fault(good, limits=Limits(max_event_size=longest - 1))
    assert isinstance(over, LimitExceededError)
    assert "the frame has" in over.message
    for step in (1, len(good)):
        with pytest.raises(LimitExceededError, match="the stream has more than") as caught:
            decode(in_pieces(good, step), BedrockDecoder(limits=Limits(max_stream_size=len(good) - 1)))
        assert caught.value.offset == len(good) - len(chunk_of(HELLO[-1]))
    for size in (11, 12):  # the bytes before a prelude is complete count too
        assert "the stream has more than" in fault(good[:size], limits=Limits(max_stream_size=size - 1)).message
    # A wrong length is reported with the prelude, and nothing is buffered for it.
    prelude = struct.pack("!II", 30 * 2**20, 0)
    decoder = BedrockDecoder(limits=Limits(max_event_size=2**30))
    decoder.receive_data(prelude + struct.pack("!I", zlib.crc32(prelude)))
    with pytest.raises(LimitExceededError, match="exceeded the maximum"):
        list(decoder.events())
    assert fault(binary_of(*HELLO), limits=Limits(max_blocks=0)).__class__ is LimitExceededError


def test_a_frame_in_small_pieces_is_given_to_the_parser_in_two() -> None:
    frame = chunk_of(text(0, "x" * 50_000))
    data = binary_of(*HELLO[:2], frame)
    calls: list[int] = []

    class Counting(botocore.eventstream.EventStreamBuffer):  # type: ignore[misc]  # botocore has no types
        def add_data(self, data: bytes) -> None:
            calls.append(len(data))
            super().add_data(data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("streamcore.bedrock._frames.EventStreamBuffer", Counting)
        decoder = BedrockDecoder()
        for piece in in_pieces(data, 10):
            decoder.receive_data(piece)
            list(decoder.events())
    assert len(calls) == 6  # each prelude, and each frame
    assert sum(calls) == len(data) + 3 * 12


def test_exceptions_of_the_service_are_errors_of_their_family() -> None:
    cases: list[tuple[bytes, type[APIStatusError], int, str]] = [
        (exception_of("throttlingException", "Too many requests"), RateLimitError, 429, "throttlingException"),
        (exception_of("ThrottlingException", "Too many requests"), RateLimitError, 429, "ThrottlingException"),
        (exception_of("internalServerException", "Oh"), InternalServerError, 500, "internalServerException"),
        (exception_of("modelStreamErrorException", "Oh"), APIStatusError, 424, "modelStreamErrorException"),
        (
            exception_of("modelStreamErrorException", "Oh", originalStatusCode=500, originalMessage="no"),
            InternalServerError,
            500,
            "modelStreamErrorException",
        ),
        *[
            (
                exception_of("throttlingException", "Oh", originalStatusCode=odd),
                RateLimitError,
                429,
                "throttlingException",
            )
            for odd in ("500", 0, 200, True, 1e300, [500])
        ],
        (exception_of("newException", "Oh"), APIStatusError, 200, "newException"),
        *[
            (
                frame_of(header(":message-type", "error") + header(":error-code", "a") + message, b""),
                APIStatusError,
                200,
                "a",
            )
            for message in (
                header(":error-message", "Oh").replace(b"\x07", b"\x06"),
                b"\x0e:error-message\x09" + b"O" * 16,
            )
        ],
        (exception_of("throttlingException", "\udcff"), RateLimitError, 429, "throttlingException"),
        (
            frame_of({":message-type": "exception", ":exception-type": "validationException"}, b'{"message": "\xff"}'),
            APIStatusError,
            400,
            "validationException",
        ),
        (
            frame_of({":message-type": "error", ":error-code": "InternalFailure", ":error-message": "Oh"}, b""),
            APIStatusError,
            200,
            "InternalFailure",
        ),
        (
            frame_of({":message-type": "exception", ":exception-type": "validationException"}, b"not JSON"),
            APIStatusError,
            400,
            "validationException",
        ),
    ]
    for frame, cls, status, name in cases:
        with MessageStream(event_chunks([binary_of(*HELLO[:3]), frame])) as stream:
            with pytest.raises(cls) as caught:
                stream.get_final_message()
            error = caught.value
            assert (error.status_code, error.type) == (status, name)
            assert re.match(r"Too many requests|Oh|not JSON|O{16}|.*[\\�]", str(error.api_message))
            assert error.snapshot is not None
            assert error.snapshot.content[0].text == "Hel"  # type: ignore[union-attr]  # a text block
        decoder = BedrockDecoder()
        decoder.receive_data(binary_of(*HELLO[:3]) + frame)
        assert list(decoder.events())[-1].type == "error"


def test_other_frames() -> None:
    initial = frame_of({":message-type": "event", ":event-type": "initial-response"}, b"{}")
    new = frame_of({":message-type": "event", ":event-type": "metrics"}, b'{"latency": 5}')
    pretty = chunk_of(b'{\n  "type": "ping"\r\n}')
    odd = chunk_of(b'{"type": "\xff"}')  # not UTF-8: read as in an event stream
    lines = chunk_of({"type": "a\ndata: 5"})  # a type is not a line of the event stream
    assert decode(binary_of(HELLO[0]) + lines + binary_of(*HELLO[1:]))[0][1].to_dict() == {"type": "a\ndata: 5"}
    events, _ = decode(initial + binary_of(*HELLO[:-1]) + odd + new + pretty + chunk_of(STOP))
    assert [event.type for event in events][-4:] == ["\ufffd", "metrics", "ping", "message_stop"]
    assert events[-3].to_dict() == {"type": "metrics", "latency": 5}


def test_mistakes_of_the_caller() -> None:
    decoder = BedrockDecoder()
    with pytest.raises(InvalidArgumentError, match="a chunk must be bytes; received str"):
        decoder.receive_data("text")  # type: ignore[arg-type]
    decoder.receive_data(bytearray(binary_of(*HELLO[:2])))  # type: ignore[arg-type]  # accepted nevertheless
    decoder.receive_data(memoryview(b"not a frame!"))  # type: ignore[arg-type]
    with pytest.raises(DecodeError) as caught:
        list(decoder.events())
    with pytest.raises(DecodeError) as again:
        list(decoder.events())
    assert again.value is caught.value
    with pytest.raises(DecodeError):
        _ = decoder.final_message
    with pytest.raises(StreamCoreError, match="the stream has failed"):
        decoder.receive_data(b"")
    ended = BedrockDecoder(MessageEngine(strict=True))
    ended.receive_eof()
    with pytest.raises(StreamCoreError, match="the stream has ended"):
        ended.receive_data(b"")


PIECES = strategies.one_of(
    strategies.sampled_from([chunk_of(payload) for payload in [*HELLO, block_start(1), delta(1, "new"), start()]]),
    strategies.binary(max_size=40),
    strategies.builds(frame_of, strategies.binary(max_size=40), strategies.binary(max_size=40)),
    strategies.builds(
        lambda kind, value, payload: frame_of({":message-type": kind, ":event-type": value}, payload),
        strategies.sampled_from(["event", "exception", "error"]),
        strategies.text(max_size=5),
        strategies.binary(max_size=40),
    ),
    strategies.builds(chunk_of, strategies.binary(max_size=60)),
    strategies.builds(exception_of, strategies.text(max_size=20), strategies.text(max_size=20)),
)


@examples(2)
@given(strategies.data())
def test_any_bytes_in_any_chunks_give_the_same_and_only_our_errors(data: strategies.DataObject) -> None:
    whole = binary_of(*HELLO) if data.draw(strategies.booleans()) else b"".join(data.draw(strategies.lists(PIECES)))
    if whole and data.draw(strategies.booleans()):
        place = data.draw(strategies.integers(0, len(whole) - 1))
        whole = whole[:place] + data.draw(strategies.binary(max_size=3)) + whole[place + 1 :]
    outcomes = []
    for chunks in ([whole], data.draw(any_chunks(whole))):
        decoder = BedrockDecoder()
        events: list[Any] = []
        error = None
        try:
            for chunk in [*chunks, None]:
                decoder.receive_eof() if chunk is None else decoder.receive_data(chunk)
                for event in decoder.events():
                    events.append((event, decoder.snapshot))
        except ProtocolError as caught:
            error = (type(caught), caught.message, caught.offset, caught.event_number)
        outcomes.append((events, decoder.snapshot, decoder.violations, error))
    assert outcomes[0] == outcomes[1]


def test_botocore_is_loaded_by_this_room_alone() -> None:
    program = "import sys, streamcore, streamcore.httpx; assert 'botocore' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
