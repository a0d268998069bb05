"""Status, headers and body to an exception or a message."""

from __future__ import annotations

import json
import pickle
from types import SimpleNamespace
from typing import Any

import pytest

from streamcore import DecodeError
from streamcore.api.errors import APIResponseValidationError, OverloadedError, RateLimitError
from streamcore.api.response import is_event_stream, is_success, message_from_body, not_a_stream, status_error
from streamcore.types import TextBlock, Usage

RESPONSE = SimpleNamespace(status_code=200, headers={"request-id": "req_1"})
MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-1",
    "content": [{"type": "text", "text": "hi", "citations": None}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 2},
}


@pytest.mark.parametrize(("status", "success"), [(200, True), (204, True), (199, False), (301, False), (404, False)])
def test_success_is_2xx(status: int, success: bool) -> None:
    assert is_success(status) is success


@pytest.mark.parametrize(
    ("content_type", "may_be"),
    [
        ("text/event-stream", True),
        ("Text/Event-Stream; charset=utf-8", True),
        ("text/plain", True),
        ("application/octet-stream", True),
        (None, True),
        ("text/html; charset=utf-8", False),
        ("application/json", False),
        ("application/xml", False),
    ],
)
def test_the_content_type_tells_what_cannot_be_a_stream(content_type: str | None, may_be: bool) -> None:
    assert is_event_stream({} if content_type is None else {"content-type": content_type}) is may_be


def test_a_failure_has_its_body_as_json_or_as_text() -> None:
    body = {"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}}
    error = status_error(429, json.dumps(body).encode(), response=RESPONSE)
    assert isinstance(error, RateLimitError)
    assert error.body == body
    assert error.request_id == "req_1"
    assert status_error(502, b" <html>\xff ", response=RESPONSE).body == "<html>\ufffd"
    assert status_error(502, b"[" * 100_000, response=RESPONSE).status_code == 502


def test_a_page_of_html_in_place_of_a_stream_is_shown() -> None:
    error = not_a_stream({"content-type": "text/html; charset=x"}, b"<html>" + b"x" * 1000, response=RESPONSE)
    assert isinstance(error, APIResponseValidationError)
    assert isinstance(error, DecodeError)
    assert (error.response, error.status_code, error.offset) == (RESPONSE, 200, 0)
    assert "text/html" in str(error)
    assert "<html>" in str(error)
    assert len(str(error)) < 500
    assert error.received == b"<html>" + b"x" * 1000


def test_an_error_in_json_in_place_of_a_stream_is_that_error() -> None:
    body = {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}, "request_id": "req_2"}
    error = not_a_stream({"content-type": "application/json"}, json.dumps(body).encode(), response=None)
    assert isinstance(error, OverloadedError)
    assert error.request_id == "req_2"


@pytest.mark.parametrize("body", [{"type": "error"}, {"type": "error", "error": "text"}, {"type": "message"}, [], 7])
def test_other_json_in_place_of_a_stream_is_shown(body: Any) -> None:
    error = not_a_stream({"content-type": "application/json"}, json.dumps(body).encode(), response=None)
    assert isinstance(error, DecodeError)


def test_a_message() -> None:
    message = message_from_body(json.dumps(MESSAGE | {"new_field": 1}).encode())
    assert message.content == (TextBlock(text="hi"),)
    assert message.usage == Usage(input_tokens=1, output_tokens=2)
    assert message.extra == {"new_field": 1}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"\xff",
        b"null",
        b"[]",
        b"[" * 100_000,
        b'{"type": "message"}',
        json.dumps(MESSAGE | {"type": "error"}).encode(),
        json.dumps(MESSAGE | {"content": "text"}).encode(),
        json.dumps(MESSAGE | {"content": [{"type": "text"}]}).encode(),
        json.dumps(MESSAGE | {"usage": {"input_tokens": "1"}}).encode(),
    ],
)
def test_what_is_no_message_is_shown(body: bytes) -> None:
    with pytest.raises(APIResponseValidationError) as caught:
        message_from_body(body, response=RESPONSE)
    assert caught.value.received == body
    assert caught.value.response is RESPONSE
    restored = pickle.loads(pickle.dumps(caught.value))
    assert (type(restored), str(restored)) == (APIResponseValidationError, str(caught.value))


def test_an_error_in_json_in_place_of_a_message_is_that_error() -> None:
    body = b'{"type": "error", "error": {"type": "overloaded_error", "details": {"error_code": "new"}}}'
    with pytest.raises(OverloadedError) as caught:
        message_from_body(body)
    assert caught.value.error_code == "new"
