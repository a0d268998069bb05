"""Classes as arguments of a client: what goes over the wire, and what comes back. Over real sockets."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from typing import Any, assert_type

import anthropic
import attrs
import pydantic
import pytest
from adapters import Adapter, each_adapter
from helpers import STOP, block_start, block_stop, body, by_frame, message_delta, partial_json, start, text, tool_start
from server import ASK, Server, json_reply, serving, stream_reply

import streamcore.httpx as ours
from streamcore import Message, MessageStream
from streamcore.stream._typed import StreamValues
from streamcore.typed import InvalidOutputError, UnsupportedTypeError, tool
from streamcore.types import ToolUseBlock


@attrs.frozen
class Report:
    """A report.

    Attributes:
        day: Of the report.
    """

    title: str
    day: datetime.date


class TheirReport(pydantic.BaseModel):
    """A report."""

    title: str = pydantic.Field(min_length=1)
    day: datetime.date


@attrs.frozen
class GetWeather:
    """Look up the weather."""

    city: str


def lookup(word: str) -> str:
    """Look a word up."""
    return word.upper()


VALUE = {"title": "Tides", "day": "2026-11-20"}
REPORT = Report("Tides", datetime.date(2026, 11, 20))
STREAM = body(
    start(),
    *(block_start(0), text(0, '{"title": "Ti'), text(0, 'des", "day": "2026-11-20"}'), block_stop(0)),
    *(tool_start(1, "get_weather"), partial_json(1, '{"city": "Faro"}'), block_stop(1)),
    *(tool_start(2, "lookup"), partial_json(2, '{"word": "tide"}'), block_stop(2)),
    *(message_delta("tool_use"), STOP),
)
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-1",
    "content": [
        {"type": "text", "text": json.dumps(VALUE)},
        {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Faro"}},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 2},
}
TOOLS: list[Any] = [GetWeather, lookup, {"name": "plain", "input_schema": {"type": "object"}}]


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(always=stream_reply(*by_frame(STREAM))) as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[ours.Anthropic]:
    with ours.Anthropic(api_key="key", base_url=server.url, max_retries=0) as client:
        yield client


def parsed_inputs(message: Message[Any]) -> list[Any]:
    return [block.parsed_input for block in message.content if isinstance(block, ToolUseBlock)]


# On the wire


def test_a_model_goes_over_the_wire_as_from_the_official_package(server: Server, client: ours.Anthropic) -> None:
    arguments: Any = {**ASK, "output_config": {"effort": "low"}, "output_format": TheirReport}
    with anthropic.Anthropic(api_key="key", base_url=server.url, max_retries=0) as official:
        with official.messages.stream(**arguments) as theirs:
            theirs.until_done()
        with client.messages.stream(**arguments) as stream:
            stream.until_done()
        server.reply(json_reply(MESSAGE), json_reply(MESSAGE), json_reply(MESSAGE))
        parsed = official.messages.parse(**arguments)
        assert client.messages.parse(**arguments).parsed_output == parsed.parsed_output
        assert client.messages.create(**arguments).parsed_output == parsed.parsed_output
    bodies = [request.json() for request in server.requests]
    assert bodies[1] == bodies[0]
    assert bodies[3] == bodies[4] == bodies[2]
    assert bodies[0]["output_config"]["format"]["type"] == "json_schema"
    assert bodies[0]["output_config"]["effort"] == "low"
    assert "output_format" not in bodies[0]
    headers = [request.headers.get("anthropic-beta") for request in server.requests]
    assert headers == [None] * 5


def test_classes_and_functions_go_over_the_wire_as_tools(server: Server, client: ours.Anthropic) -> None:
    with client.messages.stream(**ASK, tools=TOOLS) as stream:
        stream.until_done()
    sent = server.requests[0].json()["tools"]
    assert [item["name"] for item in sent] == ["get_weather", "lookup", "plain"]
    assert (
        sent[0]
        == {
            "name": "get_weather",
            "description": "Look up the weather.",
            "input_schema": {
                "title": "GetWeather",
                "description": "Look up the weather.",
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        }
        or "description" not in sent[0]["input_schema"]
    )
    assert sent[1]["input_schema"]["properties"] == {"word": {"type": "string"}}
    assert sent[2] == TOOLS[2]


def test_the_tools_of_a_request_may_come_from_an_iterator(server: Server, client: ours.Anthropic) -> None:
    with client.messages.stream(**ASK, tools=iter(TOOLS)) as stream:
        assert parsed_inputs(stream.get_final_message())[0] == GetWeather("Faro")
    assert len(server.requests[0].json()["tools"]) == 3


@pytest.mark.parametrize("nothing", [None, ours.NOT_GIVEN, ours.omit])
def test_no_output_format_is_none(server: Server, client: ours.Anthropic, nothing: Any) -> None:
    with client.messages.stream(**ASK, output_format=nothing, tools=nothing or ours.omit) as stream:
        assert stream.get_final_message().parsed_output is None
    assert server.requests[0].json().keys() == {*ASK, "stream"}


def test_arguments_that_make_no_request_are_refused_at_once(server: Server, client: ours.Anthropic) -> None:
    with pytest.raises(ours.InvalidArgumentError, match="both output_format and output_config"):
        client.messages.stream(**ASK, output_format=Report, output_config={"format": {"type": "json_schema"}})
    with pytest.raises(UnsupportedTypeError, match="must be a type"):
        client.messages.parse(**ASK, output_format={"type": "object"})
    with pytest.raises(UnsupportedTypeError, match="any keys"):
        client.messages.create(**ASK, output_format=dict[str, int])
    with pytest.raises(UnsupportedTypeError, match="two tools are named"):
        client.messages.stream(**ASK, tools=[GetWeather, tool(lookup, name="get_weather")])
    with pytest.raises(ours.InvalidArgumentError, match="on_invalid"):
        client.messages.stream(**ASK, output_format=Report, on_invalid="ignore")  # type: ignore[call-overload]
    assert server.requests == []


# Answers


def test_a_stream_gives_instances(client: ours.Anthropic) -> None:
    with client.messages.stream(**ASK, output_format=Report, tools=TOOLS) as stream:
        assert list(stream.values("title")) == ["Tides"]
        message = stream.get_final_message()
    assert message.parsed_output == REPORT
    weather, word = parsed_inputs(message)
    assert weather == GetWeather("Faro")
    assert word() == "TIDE"


@each_adapter
def test_an_async_client_gives_instances(server: Server, adapter: Adapter) -> None:
    async def main() -> None:
        async with adapter.client(server) as client:
            async with client.messages.stream(**ASK, output_format=Report, tools=TOOLS) as stream:
                assert [title async for title in stream.values("title")] == ["Tides"]
                message = await stream.get_final_message()
            assert message.parsed_output == REPORT
            assert parsed_inputs(message)[0] == GetWeather("Faro")
            server.reply(json_reply(MESSAGE), json_reply(MESSAGE))
            whole = await client.beta.messages.parse(**ASK, output_format=Report, tools=TOOLS)
            assert whole.parsed_output == REPORT
            assert parsed_inputs(await client.messages.create(**ASK, tools=TOOLS)) == [GetWeather("Faro")]

    adapter.run(main)


def test_a_whole_message_gives_instances(server: Server, client: ours.Anthropic) -> None:
    server.reply(json_reply(MESSAGE), json_reply(MESSAGE))
    message = client.messages.parse(**ASK, output_format=Report, tools=TOOLS)
    assert message.parsed_output == REPORT
    assert parsed_inputs(message) == [GetWeather("Faro")]
    assert message.to_dict() == MESSAGE
    assert client.beta.messages.parse(**ASK).parsed_output is None


def test_a_whole_message_that_is_not_of_the_class_raises_or_is_kept(server: Server, client: ours.Anthropic) -> None:
    wrong = MESSAGE | {
        "content": [{"type": "text", "text": '{"title": "t", "day": "soon"}'}],
        "stop_reason": "end_turn",
    }
    server.reply(json_reply(wrong), json_reply(wrong))
    with pytest.raises(InvalidOutputError, match="at day: expected a string that is a date") as caught:
        client.messages.parse(**ASK, output_format=Report)
    assert caught.value.snapshot is not None
    assert caught.value.snapshot.to_dict() == wrong
    kept = client.messages.parse(**ASK, output_format=Report, on_invalid="keep")
    assert kept.parsed_output is None
    assert "soon" in str(getattr(kept.content[0], "parse_error", None))


def test_events_alone_are_what_create_with_stream_gives(server: Server, client: ours.Anthropic) -> None:
    with client.messages.create(**ASK, stream=True, output_format=Report, tools=TOOLS) as stream:
        assert [event.type for event in stream][-1] == "message_stop"
    assert server.requests[0].json()["output_config"]["format"]["type"] == "json_schema"


class _Handler(MessageStream[Report]):
    seen: Any = None

    def on_message(self, message: Message[Any]) -> None:
        self.seen = message.parsed_output


def test_a_handler_sees_instances(client: ours.Anthropic) -> None:
    with client.messages.stream(**ASK, output_format=Report, event_handler=_Handler) as stream:
        stream.until_done()
    assert stream.seen == REPORT


# What a type checker knows


def typed(client: ours.Anthropic) -> None:
    with client.messages.stream(
        model="m", max_tokens=1, messages=[], output_format=Report, tools=[GetWeather, lookup]
    ) as stream:
        assert_type(stream, MessageStream[Report])
        assert_type(stream.get_final_message().parsed_output, Report | None)
        assert_type(stream.current_message_snapshot.parsed_output, Report | None)
        assert_type(stream.values("title", str), StreamValues[str])
        assert_type(stream.values("title"), StreamValues[Any])
        assert_type(stream.partial(Report), Report)
    message = client.messages.parse(model="m", max_tokens=1, messages=[], output_format=list[Report])
    assert_type(message.parsed_output, list[Report] | None)
    with client.messages.stream(model="m", max_tokens=1, messages=[]) as plain:
        assert_type(plain, MessageStream[Any])
    with client.messages.stream(model="m", max_tokens=1, messages=[], event_handler=_Handler) as handled:
        assert_type(handled, _Handler)


def test_what_a_type_checker_knows_is_so(client: ours.Anthropic, server: Server) -> None:
    server.reply(*[stream_reply(STREAM)] * 1, json_reply(MESSAGE | {"content": []}))
    typed(client)
