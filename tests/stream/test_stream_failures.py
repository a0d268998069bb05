"""What a stream raises after an `error` event, and for a body that is not a stream."""

from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from helpers import HELLO, block_start, body, frame, partial_json, start, text, tool_start

from streamcore import (
    DecodeError,
    EventOrderError,
    IncompleteStreamError,
    LimitExceededError,
    Limits,
    MessageStream,
    ProtocolError,
    RawMessageDecoder,
)
from streamcore.errors import APIError, APIStatusError, FileExpiredError, OverloadedError, RateLimitError
from streamcore.stream import Stream
from streamcore.stream.failures import error_from_json
from streamcore.typed import InvalidOutputError

RESPONSE = SimpleNamespace(status_code=200, headers={"request-id": "req_head"}, request="the request")
ERROR = {"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}, "request_id": "req_body"}
JSON = json.dumps(ERROR).encode()


def streams(data: bytes) -> list[Stream[Any]]:
    return [
        MessageStream([data], response=RESPONSE),
        Stream([data], decoder=RawMessageDecoder(), response=RESPONSE),
    ]


def streams_by_byte(data: bytes) -> list[Stream[Any]]:
    chunks = [bytes([byte]) for byte in data]
    return [MessageStream(chunks, response=RESPONSE), Stream(chunks, decoder=RawMessageDecoder(), response=RESPONSE)]


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n\r\n"])
@pytest.mark.parametrize("value", [JSON, b"\n" + json.dumps(ERROR, indent=2).encode(), JSON.replace(b"{", b"{\n\n")])
def test_the_json_of_an_error_in_place_of_a_stream_is_that_error(value: bytes, end: bytes) -> None:
    for stream in [*streams(value + end), *streams_by_byte(value + end)]:
        with pytest.raises(RateLimitError) as caught:
            list(stream)
        assert (caught.value.api_message, caught.value.response) == ("slow down", RESPONSE)
        assert (caught.value.request_id, caught.value.snapshot) == ("req_head", None)
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b"[]",
        b"{",
        b'{"type": "message", "error": {}}',
        b"<html>",
        b"{\n\n" + body(start()),
        json.dumps(ERROR, indent=1000).encode(),
    ],
)
def test_any_other_body_in_place_of_a_stream_is_a_decode_error(data: bytes) -> None:
    for stream in streams(data):
        with pytest.raises(DecodeError) as caught:
            list(stream)
        assert caught.value.offset == 0


def test_an_error_of_odd_shape_later_in_a_stream_raises_with_its_words() -> None:
    broken = {"type": "error", "error": {"type": 7, "message": "no"}}
    for stream in streams(body(start(), broken)):
        assert [event.type for event in (next(stream), next(stream))] == ["message_start", "error"]
        with pytest.raises(APIError, match="no"):
            next(stream)


@pytest.mark.parametrize(("offset", "received"), [(0, None), (5, JSON), (None, JSON)])
def test_any_other_error_of_a_decoder_is_raised_as_it_is(offset: int | None, received: bytes | None) -> None:
    error = DecodeError("no", offset=offset, received=received)

    class Decoder(RawMessageDecoder):
        def events(self) -> Any:
            raise error

    with pytest.raises(DecodeError) as caught:
        next(Stream([JSON], decoder=Decoder()))
    assert caught.value is error


def test_an_error_event_is_returned_and_then_raised_with_the_snapshot() -> None:
    overloaded = {"type": "error", "error": {"type": "overloaded_error", "message": ""}}
    message, raw = streams(body(start(), overloaded))
    for stream in (message, raw):
        assert next(stream).type == "message_start"
        assert next(stream).type == "error"
        with pytest.raises(OverloadedError) as caught:
            next(stream)
        assert str(caught.value) == "overloaded_error"
        snapshot = caught.value.snapshot
        assert (snapshot is None) is (stream is raw)
        with pytest.raises(APIStatusError) as again:
            next(stream)
        assert again.value is caught.value


def test_a_stream_that_fails_loads_no_client() -> None:
    program = f"""
import sys
from streamcore import MessageStream
for data in ({JSON!r}, {body(start(), ERROR)!r}, b"<html>"):
    try:
        list(MessageStream([data]))
    except Exception as error:
        print(type(error).__name__)
print([name for name in sys.modules if name.startswith("streamcore.api")])
"""
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert process.stdout.split() == ["RateLimitError", "RateLimitError", "DecodeError", "[]"]


# In place of a stream


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"type": "error", "error": {"type": "rate_limit_error"}}, "rate_limit_error"),
        ({"type": "error", "error": {"message": "busy"}}, "api_error: busy"),
        ({"error": {"message": "busy", "type": 7}, "request_id": 7}, "api_error: busy"),
        ({"error": "busy"}, "api_error: busy"),
        ({"type": "error", "message": "busy"}, "api_error: busy"),
    ],
)
def test_the_json_of_an_error_may_lack_fields(value: dict[str, object], expected: str) -> None:
    error = error_from_json(value, response=None)
    assert error is not None
    assert (str(error), error.request_id) == (expected, None)


def test_the_json_of_an_error_is_kept_whole() -> None:
    value = {**ERROR, "error": {"type": "a", "message": "b", "details": {"error_code": "file_expired"}}}
    error = error_from_json(value, response=None)
    assert type(error) is FileExpiredError
    assert (error.body, error.request_id) == (value, "req_body")


# A stream that has a response raises errors that are `APIError` too


BROKEN: list[tuple[bytes, type[ProtocolError], dict[str, Any]]] = [
    (body(*HELLO[:4]), IncompleteStreamError, {}),
    (b"", IncompleteStreamError, {}),
    (body(start(), text(0, "a")), EventOrderError, {}),
    (body(start(), block_start(0)) + b"data: {\n\n", DecodeError, {}),
    (b"<html>", DecodeError, {}),
    (body(*HELLO), LimitExceededError, {"limits": Limits(max_stream_size=100)}),
    (body(start(), tool_start(0), partial_json(0, "]"), {"type": "content_block_stop", "index": 0}), DecodeError, {}),
    (body(*HELLO), InvalidOutputError, {"output_format": int}),
    (frame(HELLO[0], event="x"), DecodeError, {"strict": True}),
]


@pytest.mark.parametrize(("data", "expected", "options"), BROKEN)
def test_errors_of_a_stream_with_a_response_are_api_errors_too(
    data: bytes, expected: type[ProtocolError], options: dict[str, Any]
) -> None:
    bare = MessageStream([data], **options)
    with pytest.raises(expected) as caught:
        bare.get_final_message()
    assert not isinstance(caught.value, APIError)
    stream = MessageStream([data], response=RESPONSE, **options)
    for _ in range(2):
        with pytest.raises(APIError) as raised:
            stream.get_final_message()
        assert isinstance(raised.value, expected)
        assert isinstance(raised.value, APIError)
        assert str(raised.value) == str(caught.value)
        assert raised.value.snapshot == caught.value.snapshot
        assert (raised.value.request, raised.value.response) == ("the request", RESPONSE)  # type: ignore[attr-defined]  # both have it


def test_so_are_those_of_a_stream_that_was_closed_early() -> None:
    stream = MessageStream([body(*HELLO)], response=RESPONSE)
    with pytest.raises(APIError):
        _ = stream.current_message_snapshot
    next(stream)
    stream.close()
    with pytest.raises(APIError) as caught:
        stream.get_final_message()
    assert isinstance(caught.value, IncompleteStreamError)
    assert caught.value.snapshot is not None


def test_so_are_those_of_values() -> None:
    data = body(start(), tool_start(0, "f"), partial_json(0, '{"a": "b"}'), *HELLO[4:])
    stream = MessageStream([data], response=RESPONSE)
    with pytest.raises(APIError) as caught:
        list(stream.values("a", int, tool="f"))
    assert isinstance(caught.value, InvalidOutputError)
    assert caught.value.faults
