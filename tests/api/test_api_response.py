"""Status, headers and body to an exception or a message."""

from __future__ import annotations

import json
import pickle
from types import SimpleNamespace
from typing import Any

import pytest
from helpers import STOP, block_stop, body, message_delta, partial_json, start, tool_start

from streamcore import DecodeError, LimitExceededError, MessageEngine
from streamcore.api.response import is_event_stream, is_success, message_from_body, not_a_stream, status_error
from streamcore.codec import decode_event
from streamcore.errors import APIResponseValidationError, InternalServerError, OverloadedError, RateLimitError
from streamcore.types import MessageStartEvent, TextBlock, Usage

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
    error = not_a_stream({"content-type": "application/json"}, b'{"error": "busy"}', response=None)
    assert isinstance(error, InternalServerError)
    assert error.api_message == "busy"


@pytest.mark.parametrize("body", [{"type": "error"}, {"type": "message"}, [], 7])
def test_other_json_in_place_of_a_stream_is_shown(body: Any) -> None:
    error = not_a_stream({"content-type": "application/json"}, json.dumps(body).encode(), response=None)
    assert isinstance(error, DecodeError)


def test_a_message() -> None:
    message = message_from_body(json.dumps(MESSAGE | {"new_field": 1}).encode())
    assert message.content == [TextBlock(text="hi")]
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
        b'{"type": "message"}',
        b'{"a": NaN}',
        b'{"a": "\xff\\ud800"}',
        json.dumps(MESSAGE | {"type": "error"}).encode(),
        json.dumps(MESSAGE | {"content": "text"}).encode(),
        json.dumps(MESSAGE | {"content": [{"type": "text", "text": 5}]}).encode(),
        json.dumps(MESSAGE | {"usage": {"input_tokens": "many"}}).encode(),
    ],
)
def test_what_is_no_message_is_shown(body: bytes) -> None:
    with pytest.raises(APIResponseValidationError) as caught:
        message_from_body(body, response=RESPONSE)
    assert caught.value.received == body
    assert caught.value.response is RESPONSE
    restored = pickle.loads(pickle.dumps(caught.value))
    assert (type(restored), str(restored)) == (APIResponseValidationError, str(caught.value))


@pytest.mark.parametrize(
    "change",
    [
        {"content": [{"type": "text", "text": "a\ud800b"}]},
        {"content": [{"type": "tool_use", "id": "toolu_1", "name": "search", "input": {"\udfff": "\ud800"}}]},
        {"new_field": 10**400},
        {"new_field": float("inf")},
        {"type": None},
        {"id": None},
        {"model": None},
        {"content": None},
        {"content": [{"type": "text"}, {"type": "tool_use", "id": "toolu_1", "name": "now"}]},
        {"usage": {"input_tokens": "1", "output_tokens": 2.5}},
    ],
)
def test_a_message_is_taken_whole_as_it_is_in_a_stream(change: dict[str, Any]) -> None:
    # A number that no float can hold is infinite, in a stream too.
    body = json.dumps(
        {name: value for name, value in (MESSAGE | change).items() if value is not None or name != "type"}
    )
    body = body.replace("Infinity", "1e400")
    event = decode_event(b'{"type":"message_start","message":%s}' % body.encode())
    assert isinstance(event, MessageStartEvent)
    assert message_from_body(body.encode()) == event.message


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"content": [{"type": "text", "text": 5}]}, "expected a string, got a number @ $.content[0].text"),
        ({"content": [{"type": "redacted_thinking"}]}, "required field 'data' is missing @ $.content[0]"),
        ({"content": "text"}, "expected an array, got a string @ $.content"),
        ({"usage": {"input_tokens": "one", "output_tokens": 1}}, "got a string @ $.usage.input_tokens"),
        ({"type": "error"}, "expected the type 'message', got 'error' @ $"),
    ],
)
def test_what_is_wrong_with_a_message_is_told_with_its_path(change: dict[str, Any], said: str) -> None:
    with pytest.raises(APIResponseValidationError) as caught:
        message_from_body(json.dumps(MESSAGE | change).encode())
    assert said in caught.value.message


def nested(depth: int) -> bytes:
    """A message with the input of a tool in which a value lies in as many objects."""
    block = {"type": "tool_use", "id": "toolu_0", "name": "search", "input": {}}
    body = json.dumps(MESSAGE | {"content": [block]}).encode()
    return body.replace(b"{}", b'{"a":' * depth + b"1" + b"}" * depth)


def test_a_message_may_nest_as_deep_as_in_a_stream() -> None:
    deep = '{"a":' * 200 + "1" + "}" * 200
    engine = MessageEngine()
    engine.receive_data(body(start(), tool_start(0), partial_json(0, deep), block_stop(0), message_delta(), STOP))
    list(engine.events())
    assert message_from_body(nested(200)).content == engine.final_message.content


@pytest.mark.parametrize("body", [nested(201), nested(400), b"[" * 100_000])
def test_what_nests_deeper_is_over_a_limit(body: bytes) -> None:
    with pytest.raises(LimitExceededError, match="nests deeper than 203 levels") as caught:
        message_from_body(body)
    assert caught.value.received == body


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'[{"type":"tool_use","id":"t","name":"n","input":{"a":[' + b"[]," * 500_000 + b"1]}}]", "arrays and objects"),
        (b"[" + b'{"type":"text","text":""},' * 10_000 + b'{"type":"text","text":""}]', "10000 blocks"),
    ],
    ids=["containers", "blocks"],
)
def test_a_body_has_the_limits_of_a_stream(content: bytes, said: str) -> None:
    body = json.dumps({**MESSAGE, "content": None}).encode().replace(b"null", content, 1)
    with pytest.raises(LimitExceededError, match=said) as caught:
        message_from_body(body)
    assert caught.value.received == body


def test_the_body_of_a_failure_may_have_lone_surrogates() -> None:
    body = b'{"type": "error", "error": {"type": "rate_limit_error", "message": "slow \\ud800 down"}}'
    error = status_error(429, body, response=RESPONSE)
    assert error.body == {"type": "error", "error": {"type": "rate_limit_error", "message": "slow \ud800 down"}}


def test_an_error_in_json_in_place_of_a_message_is_that_error() -> None:
    body = b'{"type": "error", "error": {"type": "overloaded_error", "details": {"error_code": "new"}}}'
    with pytest.raises(OverloadedError) as caught:
        message_from_body(body)
    assert caught.value.error_code == "new"
