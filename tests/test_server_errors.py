"""Errors of servers: which frames are errors, also at the end of the stream, and which exception a stream raises."""

from __future__ import annotations

import json
from typing import Any

import pytest
from helpers import HELLO, body, chunkings, drive, frame

from streamcore import (
    EventOrderError,
    IncompleteStreamError,
    MessageEngine,
    MessageStream,
    RawMessageDecoder,
)
from streamcore.errors import (
    APIStatusError,
    InternalServerError,
    OverloadedError,
    RateLimitError,
    ServiceUnavailableError,
)
from streamcore.types import ErrorEvent

OPEN = HELLO[:4]  # the block 0 is open
DONE = HELLO[:6]  # only message_stop is missing

OVERLOADED = b'{"type":"error","error":{"type":"overloaded_error","message":"too busy"}}'


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
@pytest.mark.parametrize("count", [0, 4])
@pytest.mark.parametrize(
    "last",
    [
        b"event: error\ndata: " + OVERLOADED,
        b"data: " + OVERLOADED,
        b'event: error\ndata: "too busy"',
        b'data: {"error":"too busy"}',
        b'event: chunk\ndata: {"type":null,"error":{"message":"too busy"}}',
    ],
)
def test_an_error_without_its_blank_line_is_delivered_in_strict_mode_too(last: bytes, count: int, end: bytes) -> None:
    data = body(*HELLO[:count]) + last + end
    for chunks in chunkings(data):
        outcome = drive(chunks, engine=MessageEngine(strict=True))
        event = outcome.events[-1]
        assert isinstance(event, ErrorEvent)
        assert event.error.message == "too busy"
        assert set(outcome.kinds) == {"odd_error"}
        assert outcome.violations[0].offset == len(body(*HELLO[:count]))
        assert type(outcome.error) is IncompleteStreamError
        assert "too busy" in outcome.error.message
        assert "left over" not in outcome.error.message
        with pytest.raises(InternalServerError, match="too busy") as caught:
            MessageStream(chunks, strict=True).until_done()
        assert (caught.value.snapshot is None) == (count == 0)
    decoder = RawMessageDecoder(strict=True)
    decoder.receive_data(data)
    decoder.receive_eof()
    with pytest.raises(IncompleteStreamError, match="too busy"):
        list(decoder.events())


@pytest.mark.parametrize(
    "last",
    [
        b'event: message_stop\ndata: {"type":"message_stop"}',
        b"data: [DONE]",
        b"event: error\ndata: 503",
        b"event: error\ndata: upstream reset",
        b'event: error\ndata: {"type":"error","error":{"type":"overloa',
        b'event: error\ndata: {"type":"ping"}',
    ],
)
def test_nothing_else_without_its_blank_line_counts_in_strict_mode(last: bytes) -> None:
    for chunks in chunkings(body(*DONE) + last):
        outcome = drive(chunks, engine=MessageEngine(strict=True))
        assert len(outcome.events) == len(DONE)
        assert type(outcome.error) is IncompleteStreamError
        assert f"{len(last)} bytes" in outcome.error.message


def test_an_error_after_message_stop_is_raised_in_strict_mode_with_the_words_of_the_server() -> None:
    for last in (frame(OVERLOADED), frame(OVERLOADED)[:-2]):
        outcome = drive(body(*HELLO) + last, engine=MessageEngine(strict=True))
        assert type(outcome.error) is EventOrderError
        assert "after message_stop" in outcome.error.message
        assert outcome.error.received == OVERLOADED
        assert "too busy" in str(outcome.error)


@pytest.mark.parametrize("strict", [False, True])
def test_the_name_error_counts_before_the_sentinel_of_another_protocol(strict: bool) -> None:
    outcome = drive(body(*DONE) + frame(b"[DONE]", event="error"), engine=MessageEngine(strict=strict))
    event = outcome.events[-1]
    assert isinstance(event, ErrorEvent)
    assert (event.error.message, event.payload) == ("[DONE]", "[DONE]")
    assert type(outcome.error) is IncompleteStreamError


def test_the_name_ping_counts_before_the_sentinel_of_another_protocol() -> None:
    outcome = drive(body(*DONE) + frame(b"[DONE]", event="ping") + body(HELLO[-1]))
    assert outcome.error is None
    assert outcome.types[-2:] == ["ping", "message_stop"]
    assert outcome.kinds == ["odd_ping"]


@pytest.mark.parametrize(
    ("payload", "expected", "status"),
    [
        ({"error": {"code": "rate_limit_error", "message": "slow"}}, RateLimitError, 429),
        ({"error": {"type": "tokens", "code": "rate_limit_error", "message": "slow"}}, RateLimitError, 429),
        ({"type": "overloaded_error", "error": {"message": "busy"}}, OverloadedError, 529),
        ({"type": "error", "error": {"type": 429, "message": "slow"}}, RateLimitError, 429),
        ({"error": {"code": 503.0, "message": "down"}}, ServiceUnavailableError, 503),
        ([{"error": {"code": 429, "message": "slow", "status": "RESOURCE_EXHAUSTED"}}], RateLimitError, 429),
        ({"type": "error", "error": {"type": "api_error", "code": 429, "message": "x"}}, InternalServerError, 500),
        ({"error": {"code": True, "message": "x"}}, InternalServerError, 500),
        ({"error": {"code": 429.5, "message": "x"}}, InternalServerError, 500),
        ({"error": {"type": "teapot", "status": 418, "message": "x"}}, APIStatusError, 418),
        ({"error": {"type": "new_error", "code": "new_code", "message": "x"}}, APIStatusError, 200),
    ],
)
def test_a_stream_raises_what_a_type_or_a_code_names_or_else_an_http_status(
    payload: Any, expected: type[APIStatusError], status: int
) -> None:
    data = body(*OPEN) + frame(json.dumps(payload).encode(), event="error")
    with pytest.raises(APIStatusError) as caught:
        MessageStream([data]).until_done()
    assert type(caught.value) is expected
    assert caught.value.status_code == status
    assert caught.value.body == payload
    assert caught.value.snapshot is not None


def test_a_list_of_one_error_has_its_message() -> None:
    payload = [{"error": {"code": 429, "message": "slow"}}]
    (event,) = drive(frame(json.dumps(payload).encode(), event="error")).events
    assert isinstance(event, ErrorEvent)
    assert event.error.message == "slow"
    assert event.payload == payload
