"""`invalid_json="keep"` on streams: a tool's input that is wrong JSON is kept as text, and the stream goes on."""

from __future__ import annotations

from typing import Any

import attrs
import httpx2
import pytest
import requests
from adapters import Adapter, each_adapter
from helpers import STOP, block_stop, body, by_frame, message_delta, partial_json, start, tool_start
from server import ASK, Server, serving, stream_reply

import streamcore.aiohttp
import streamcore.httpx
import streamcore.urllib3
from streamcore import AsyncMessageStream, DecodeError, Message, MessageStream
from streamcore.errors import APIError, InvalidArgumentError
from streamcore.types import ToolUseBlock

WRONG = '{"query": "a" "b"}'
DATA = body(
    start(), tool_start(0), partial_json(0, WRONG[:8]), partial_json(0, WRONG[8:]), block_stop(0),
    message_delta("tool_use"), STOP,
)  # fmt: skip
REPLY = stream_reply(DATA)


def check(message: Message[Any]) -> None:
    (block,) = message.content
    assert isinstance(block, ToolUseBlock)
    assert block.partial_input == WRONG
    assert message.stop_reason == "tool_use"
    assert message.usage.output_tokens == 8


@pytest.mark.parametrize("chunks", [[DATA], by_frame(DATA)])
def test_a_stream_keeps_it_if_it_is_told_to(chunks: list[bytes]) -> None:
    check(MessageStream(chunks, invalid_json="keep").get_final_message())
    with pytest.raises(DecodeError):
        MessageStream(chunks).get_final_message()
    for cls in (MessageStream, AsyncMessageStream):
        with pytest.raises(InvalidArgumentError, match="invalid_json"):
            cls(chunks, invalid_json="no")  # type: ignore[arg-type]  # what is tested


def test_sync_adapters_have_the_option() -> None:
    with (
        serving(always=REPLY) as server,
        httpx2.Client() as http,
        streamcore.httpx.Anthropic(api_key="key", base_url=server.url) as client,
    ):
        for messages in (client.messages, client.beta.messages):
            with messages.stream(**ASK, invalid_json="keep") as stream:
                check(stream.get_final_message())
            with messages.stream(**ASK) as stream, pytest.raises(APIError):
                stream.get_final_message()
        with (
            http.stream("POST", server.url) as response,
            streamcore.httpx.message_stream(response, invalid_json="keep") as stream,
        ):
            check(stream.get_final_message())
        with (
            requests.post(server.url, json={}, stream=True) as raw,
            streamcore.urllib3.message_stream(raw, invalid_json="keep") as stream,
        ):
            check(stream.get_final_message())
        assert all("invalid_json" not in request.body.decode() for request in server.requests)
        with pytest.raises(InvalidArgumentError, match="invalid_json"):
            client.messages.create(**ASK, stream=True, invalid_json="keep")  # type: ignore[call-overload]  # what is tested


@each_adapter
def test_async_adapters_have_the_option(adapter: Adapter) -> None:
    async def main(server: Server) -> None:
        async with adapter.client(server) as client:
            for messages in (client.messages, client.beta.messages):
                async with messages.stream(**ASK, invalid_json="keep") as stream:
                    check(await stream.get_final_message())

    with serving(always=REPLY) as server:
        adapter.run(lambda: main(server))


@attrs.frozen
class Query:
    query: str


def test_on_invalid_keep_implies_it_for_the_tools_that_have_a_type() -> None:
    stream: Any = MessageStream([DATA], tool_types={"search": Query}, on_invalid="keep")
    message = stream.get_final_message()
    check(message)
    assert type(message.content[0].parse_error) is DecodeError
    assert "not valid JSON" in message.content[0].parse_error.message
    with pytest.raises(DecodeError):
        MessageStream([DATA], tool_types={"other": Query}, on_invalid="keep").get_final_message()


@pytest.mark.parametrize("on_invalid", ["raise", "keep"])
@pytest.mark.parametrize("stop", [[block_stop(0)], []])
def test_a_tool_that_has_a_type_keeps_it_too(on_invalid: Any, stop: list[Any]) -> None:
    data = body(start(), tool_start(0), partial_json(0, WRONG), *stop, message_delta("tool_use"), STOP)
    stream: Any = MessageStream([data], tool_types={"search": Query}, on_invalid=on_invalid, invalid_json="keep")
    message = stream.get_final_message()
    check(message)
    assert type(message.content[0].parse_error) is DecodeError
    assert message.content[0].parsed_input is None
    assert "invalid_input" in [violation.kind for violation in stream.violations]


def test_input_that_is_not_of_its_type_is_raised_though_wrong_json_is_kept() -> None:
    data = body(start(), tool_start(0), partial_json(0, '{"query": 1}'), block_stop(0), message_delta("tool_use"), STOP)
    with pytest.raises(DecodeError, match="query"):
        MessageStream([data], tool_types={"search": Query}, invalid_json="keep").get_final_message()
