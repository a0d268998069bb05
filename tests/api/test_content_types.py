"""A body that begins as an event stream is read as one, whatever its content type says: all adapters."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
import requests
from adapters import Adapter, each_adapter
from helpers import HELLO, body, in_pieces
from server import ASK, Pause, Reply, serving

import streamcore.httpx
import streamcore.urllib3
from streamcore import DecodeError
from streamcore.errors import APIError, APIResponseValidationError, APIStatusError, OverloadedError
from streamcore.replay import open_capture, record

WRONG = {"content-type": "application/json"}
STREAM = body(*HELLO)
OVERLOADED = json.dumps({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}).encode()
NOT_STREAMS: list[tuple[bytes, type[APIError]]] = [
    (b"<html>502</html>", APIResponseValidationError),
    (b'{"type": "message", "id": "msg_1"}', APIResponseValidationError),
    (b"errors everywhere", APIResponseValidationError),
    (b"ev", APIResponseValidationError),
    (b"", APIResponseValidationError),
    (OVERLOADED, OverloadedError),
    (b'{"error": "busy"}', APIStatusError),
]


def streams(prefix: bytes) -> list[Reply]:
    data = prefix + STREAM
    return [
        Reply(steps=[data], headers=WRONG),
        Reply(steps=in_pieces(data, 3), headers=WRONG),
        Reply(steps=[data[:4], Pause(0.02), data[4:]], headers=WRONG, framing="close"),
        Reply(steps=[data], headers={"content-type": "text/html; charset=utf-8"}, gzip=True),
    ]


@pytest.mark.parametrize("prefix", [b"", b": hello\n\n", b"\xef\xbb\xbf", b"\r\n\n"])
def test_a_stream_under_another_content_type_is_read(prefix: bytes) -> None:
    replies = streams(prefix)
    with serving(*replies, *replies, *replies) as server, httpx2.Client() as http:
        for _ in replies:
            with (
                streamcore.httpx.Anthropic(api_key="key", base_url=server.url, max_retries=0) as client,
                client.messages.stream(**ASK) as stream,
            ):
                assert stream.get_final_text() == "Hello"
            with http.stream("POST", server.url) as response, streamcore.httpx.message_stream(response) as stream:
                assert stream.get_final_text() == "Hello"
            with requests.post(server.url, json={}, stream=True) as raw, streamcore.urllib3.message_stream(raw) as read:
                assert read.get_final_text() == "Hello"


@each_adapter
def test_an_async_one_too(adapter: Adapter) -> None:
    replies = streams(b"")

    async def main() -> None:
        async with adapter.client(server, max_retries=0) as client:
            for _ in replies:
                async with client.messages.stream(**ASK) as stream:
                    assert await stream.get_final_text() == "Hello"

    with serving(*replies) as server:
        adapter.run(main)


@pytest.mark.parametrize(("data", "expected"), NOT_STREAMS)
def test_any_other_body_raises_and_is_shown(data: bytes, expected: type[APIError]) -> None:
    replies = [Reply(steps=[data], headers=WRONG), Reply(steps=in_pieces(data, 3), headers=WRONG)]
    with (
        serving(*replies) as server,
        streamcore.httpx.Anthropic(api_key="key", base_url=server.url, max_retries=0) as client,
    ):
        for _ in replies:
            with pytest.raises(expected) as caught, client.messages.stream(**ASK):
                pass
            shown: Any = caught.value
            assert shown.received == data if expected is APIResponseValidationError else "busy" in str(shown)
            assert shown.response.content == data


@each_adapter
@pytest.mark.parametrize(("data", "expected"), NOT_STREAMS)
def test_any_other_body_raises_in_async_code(adapter: Adapter, data: bytes, expected: type[APIError]) -> None:
    async def main() -> None:
        async with adapter.client(server, max_retries=0) as client:
            with pytest.raises(expected):
                async with client.messages.stream(**ASK):
                    pass

    with serving(Reply(steps=in_pieces(data, 3), headers=WRONG)) as server:
        adapter.run(main)


@pytest.mark.parametrize("data", [data for data, _ in NOT_STREAMS if data[:1] in b"<{" and data])
def test_another_body_under_the_right_content_type_raises(data: bytes) -> None:
    with (
        serving(Reply(steps=[data], headers={"content-type": "text/event-stream"})) as server,
        streamcore.httpx.Anthropic(api_key="key", base_url=server.url, max_retries=0) as client,
        client.messages.stream(**ASK) as stream,
    ):
        with pytest.raises(APIError) as caught:
            stream.until_done()
        assert isinstance(caught.value, (DecodeError, APIStatusError))


def test_such_a_stream_is_recorded_once(tmp_path: Any) -> None:
    path = tmp_path / "hello.jsonl"
    with (
        serving(streams(b"")[1]) as server,
        streamcore.httpx.Anthropic(api_key="key", base_url=server.url, max_retries=0) as client,
        record(client, path) as recorded,
        recorded.messages.stream(**ASK) as stream,
    ):
        assert stream.get_final_text() == "Hello"
    assert b"".join(step.data for step in open_capture(path).body if hasattr(step, "data")) == STREAM
