"""What a wrapped client is besides its streams: the official client, untouched."""

from __future__ import annotations

import copy
import inspect
import io
import pickle
from collections.abc import Iterator
from typing import Any
from unittest import mock

import anthropic
import anthropic.lib.streaming
import attrs
import httpx2
import pytest
from helpers import HELLO, body, partial_json, tool_start
from official_clients import KINDS, Kind, Setup, each_kind, set_up
from opentelemetry import trace
from server import ASK, json_reply, run, serving, stream_reply

import streamcore.httpx
from streamcore import InvalidArgumentError
from streamcore.anthropic import wrap
from streamcore.api.options import NOT_GIVEN, omit
from streamcore.typed import InvalidOutputError

SYNC, ASYNC, BEDROCK, *_ = KINDS
MESSAGE: dict[str, Any] = {
    "id": "m",
    "type": "message",
    "role": "assistant",
    "model": "c",
    "content": [{"type": "text", "text": "Hi"}],
}
MESSAGE |= {"stop_reason": "end_turn", "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1}}


@pytest.fixture
def setup(kind: Kind) -> Iterator[Setup]:
    yield from set_up(kind)


just_sync = pytest.mark.parametrize("kind", [SYNC], ids=str)


@each_kind
def test_it_is_a_view_of_the_client_which_does_not_change(kind: Kind) -> None:
    with serving() as server:
        client = kind.official(server)
        for name in ("messages", "beta"):
            getattr(client, name)  # the package makes these when they are first read
        before = dict(vars(client))
        wrapped = wrap(client)
        assert vars(client) == before
        assert isinstance(wrapped, kind.make)
        assert wrapped.__wrapped__ is client
        assert wrap(wrapped) is wrapped
        assert wrapped.base_url == client.base_url
        assert "messages" in dir(wrapped)
        assert repr(client) in repr(wrapped)
        assert repr(client.messages) in repr(wrapped.messages)
        for copy in (wrapped.with_options(timeout=3), wrapped.copy(timeout=3), wrapped.with_middleware()):
            assert isinstance(copy, kind.make)
            assert type(copy.messages) is type(wrapped.messages)
            assert type(copy) is type(wrapped)
        assert wrapped.with_options(timeout=3).timeout == wrapped.copy(timeout=3).timeout == 3
        wrapped.max_retries = 7
        assert client.max_retries == 7
        # What we do not replace is the client's own.
        for name in ("messages", "beta"):
            assert isinstance(getattr(wrapped, name), type(getattr(client, name)))
        create = inspect.signature(wrapped.messages.create).parameters
        assert create.keys() == inspect.signature(client.messages.create).parameters.keys()
        assert inspect.getdoc(wrapped.messages.create) == inspect.getdoc(type(wrapped.messages).create)
        assert inspect.iscoroutinefunction(wrapped.messages.create) == kind.is_async
        assert wrapped.post == client.post
        if hasattr(client.messages, "batches"):
            assert wrapped.messages.batches is client.messages.batches
        assert type(wrapped.beta.messages).__module__ == "streamcore.anthropic.messages"
        with pytest.raises(AttributeError, match="nothing"):
            _ = wrapped.nothing
        with pytest.raises(AttributeError, match="nothing"):
            _ = wrapped.messages.nothing

        async def close() -> None:
            async with wrapped as entered:
                assert entered is wrapped

        if kind.is_async:
            run("asyncio", close)
        else:
            with wrapped as entered:
                assert entered is wrapped
        assert client.is_closed
        assert wrapped.is_closed


def test_a_wrapped_client_can_be_copied_and_patched() -> None:
    with anthropic.Anthropic(api_key="key") as client:
        wrapped: Any = wrap(client)
        messages, official = wrapped.messages, client.messages
        again = copy.copy(wrapped)
        assert again.__wrapped__ is client
        assert type(again.messages) is type(messages)
        with pytest.raises(TypeError, match="pickle"):  # as that of the client
            pickle.dumps(wrapped)
        with mock.patch.object(wrapped, "messages") as patched:
            assert wrapped.messages is patched
        assert wrapped.messages is messages
        assert client.messages is official


def test_only_clients_can_be_wrapped() -> None:
    classes: tuple[Any, ...] = (anthropic.Anthropic, streamcore.httpx.Anthropic)
    for wrong in (None, "client", *classes, httpx2, anthropic.types.TextDelta.model_construct()):
        with pytest.raises(InvalidArgumentError, match="client must be a client of the anthropic package"):
            wrap(wrong)


@just_sync
def test_what_is_not_a_stream_is_official(setup: Setup) -> None:
    client, server = setup.client, setup.server
    server.reply(json_reply(MESSAGE), json_reply(MESSAGE), json_reply({"input_tokens": 5}), json_reply(MESSAGE))
    assert type(client.messages.create(**ASK)) is anthropic.types.Message
    assert type(client.beta.messages.create(**ASK, stream=False)).__name__ == "BetaMessage"
    assert client.messages.count_tokens(model="m", messages=ASK["messages"]).input_tokens == 5
    assert type(client.messages.with_raw_response.create(**ASK)) is anthropic.APIResponse


@pytest.mark.parametrize("kind", KINDS[:4], ids=str)
def test_a_raw_response_is_parsed_to_a_stream_of_ours(setup: Setup) -> None:
    setup.server.reply(*[setup.kind.reply(body(*HELLO))] * 5)
    stream_class = streamcore.AsyncStream if setup.kind.is_async else streamcore.Stream
    official_class = anthropic.AsyncStream if setup.kind.is_async else anthropic.Stream
    response_class = anthropic.AsyncAPIResponse if setup.kind.is_async else anthropic.APIResponse
    for messages in (setup.client.messages, setup.client.beta.messages):
        raw = messages.with_raw_response.create(**ASK, stream=True)
        with messages.with_streaming_response.create(**ASK, stream=True) as streamed:
            for response in (raw, streamed):
                thing = getattr(response, "_thing", response)  # of a `Blocking`
                assert isinstance(thing, response_class)
                assert response.headers["request-id"] == "req_1"
                assert thing.http_response.status_code == 200
                stream = response.parse()
                inner = getattr(stream, "_thing", stream)
                assert isinstance(inner, stream_class)
                assert isinstance(inner, official_class)
                assert getattr(response.parse(), "_thing", stream) is inner
                assert [event.type for event in stream] == [payload["type"] for payload in HELLO]
    with setup.client.messages.with_streaming_response.create(**ASK, stream=True) as response:
        assert b"Hel" in response.read() or setup.kind.binary
    setup.server.reply(setup.kind.reply(body(*HELLO[:3])))
    with pytest.raises(anthropic.APIError, match="before message_stop"):
        list(setup.client.messages.with_raw_response.create(**ASK, stream=True).parse())


@just_sync
def test_the_tool_runner_runs_on_official_streams(setup: Setup) -> None:
    @anthropic.beta_tool
    def weather(city: str) -> str:
        """The weather.

        Args:
            city: The city.
        """
        return f"rain in {city}"

    asked = {"type": "tool_use", "id": "t", "name": "weather", "input": {"city": "Paris"}}
    setup.server.reply(json_reply(MESSAGE | {"content": [asked], "stop_reason": "tool_use"}), json_reply(MESSAGE))
    runner = setup.client.beta.messages.tool_runner(**ASK, tools=[weather])
    assert runner.until_done().content[0].text == "Hi"
    assert "rain in Paris" in str(setup.server.requests[-1].json())
    events = [HELLO[0], tool_start(0, "weather"), partial_json(0, '{"city": "Rome"}'), *HELLO[4:]]
    events[-2] = events[-2] | {"delta": {"stop_reason": "tool_use", "stop_sequence": None}}
    setup.server.reply(stream_reply(body(*events)), stream_reply(body(*HELLO)))
    for stream in setup.client.beta.messages.tool_runner(**ASK, tools=[weather], stream=True):
        assert type(stream) is anthropic.lib.streaming.BetaMessageStream
    assert "rain in Rome" in str(setup.server.requests[-1].json())
    # The same tool in a stream of ours.
    setup.server.reply(stream_reply(body(*HELLO)))
    with setup.client.beta.messages.stream(**ASK, tools=[weather]) as stream:
        stream.until_done()
    assert setup.server.requests[-1].json()["tools"] == [weather.to_dict()]


@attrs.frozen
class Greeting:
    text: str


@pytest.mark.parametrize("kind", [SYNC, ASYNC, BEDROCK], ids=str)
def test_typed_answers(setup: Setup) -> None:
    events = [*HELLO[:2], HELLO[2] | {"delta": {"type": "text_delta", "text": '{"text": "Hi"}'}}, *HELLO[4:]]
    setup.server.reply(*[setup.kind.reply(body(*events))] * 4, setup.kind.reply(body(*HELLO)))
    for messages in (setup.client.messages, setup.client.beta.messages):
        with messages.stream(**ASK, output_format=Greeting, output_config={"effort": "low"}) as stream:
            message = stream.get_final_message()
        assert message.content[0].parsed_output == Greeting("Hi")
        config = setup.server.requests[-1].json()["output_config"]
        assert config["effort"] == "low"
        assert config["format"]["schema"]["properties"] == {"text": {"type": "string"}}
    list(setup.client.messages.create(**ASK, stream=True, output_format=Greeting))
    assert setup.server.requests[-1].json()["output_config"] == {"format": config["format"]}
    with setup.client.messages.stream(**ASK, tools=[Greeting]) as stream:
        stream.until_done()
    assert setup.server.requests[-1].json()["tools"][0]["input_schema"]["properties"] == {"text": {"type": "string"}}
    with (
        pytest.raises(InvalidOutputError) as caught,
        setup.client.messages.stream(**ASK, output_format=Greeting) as stream,
    ):
        stream.until_done()
    assert isinstance(caught.value, anthropic.APIError)


@just_sync
def test_arguments(setup: Setup) -> None:
    client, server = setup.client, setup.server
    server.reply(*[stream_reply(body(*HELLO))] * 2, json_reply(MESSAGE), json_reply({"input_tokens": 5}))
    with client.messages.stream(
        **ASK, system=omit, metadata=NOT_GIVEN, tools=anthropic.NOT_GIVEN, stop_sequences=anthropic.omit, strict=True
    ) as stream:
        message = stream.get_final_message()
    assert server.requests[-1].json() == {**ASK, "stream": True}
    turns = [*ASK["messages"], message, {"role": "user", "content": message.content}]
    text = {"type": "text", "text": "Hello"}
    expected = [*ASK["messages"], {"role": "assistant", "content": [text]}, {"role": "user", "content": [text]}]
    again: dict[str, Any] = {**ASK, "messages": iter(turns)}
    with client.messages.stream(**again, extra_headers={"anthropic-version": omit}) as stream:
        stream.until_done()
    assert server.requests[-1].json()["messages"] == expected
    assert "anthropic-version" not in server.requests[-1].headers
    client.messages.create(**{**ASK, "messages": turns})
    assert server.requests[-1].json()["messages"] == expected
    client.messages.count_tokens(model="m", messages=turns)
    assert server.requests[-1].json()["messages"] == expected
    sent = len(server.requests)
    for call in (
        client.messages.stream,
        client.beta.messages.stream,
        lambda **a: client.messages.create(**a, stream=True),
    ):
        with pytest.raises(TypeError, match="unexpected keyword argument 'sistem'"):
            call(**ASK, sistem="x")
        with pytest.raises(InvalidArgumentError, match="limits must be"):
            call(**ASK, limits=5)
        with pytest.raises(InvalidArgumentError, match="idle_timeout"):
            call(**ASK, idle_timeout=-1)
        with pytest.raises(InvalidArgumentError, match="tools must be a list"):
            call(**ASK, tools=5)
        # A ready schema is for the official client, which had this argument in earlier versions.
        with pytest.raises(TypeError, match="unexpected keyword argument 'output_format'"):
            call(**ASK, output_format={"type": "json_schema", "schema": {}})
    with pytest.raises(InvalidArgumentError, match="invalid_json is an argument of stream"):
        client.messages.create(**ASK, stream=True, invalid_json="keep")
    with pytest.raises(TypeError, match=r"[Mm]issing required arguments"):
        client.messages.create(model="m", stream=True)
    assert len(server.requests) == sent


@just_sync
def test_files_are_read_by_the_official_client(setup: Setup) -> None:
    setup.server.reply(stream_reply(body(*HELLO)))
    source = {"type": "base64", "media_type": "image/png", "data": io.BytesIO(b"png")}
    turns = [{"role": "user", "content": [{"type": "image", "source": source}]}]
    with setup.client.messages.stream(**{**ASK, "messages": turns}) as stream:
        stream.until_done()
    assert setup.server.requests[-1].json()["messages"][0]["content"][0]["source"]["data"] == "cG5n"


@just_sync
def test_middleware_sees_the_calls(setup: Setup) -> None:
    seen: list[str] = []

    def note(request: Any, call_next: Any) -> Any:
        seen.append(request.method)
        return call_next(request)

    setup.server.reply(stream_reply(body(*HELLO)))
    with setup.client.with_middleware(note).messages.stream(**ASK) as stream:
        assert stream.get_final_text() == "Hello"
    assert seen == ["post"] or seen == ["POST"]


class Spans(trace.TracerProvider):
    """A tracer that counts what it starts and ends."""

    def __init__(self) -> None:
        self.started = 0
        self.ended = 0

    def get_tracer(self, *args: Any, **kwargs: Any) -> Any:
        provider = self

        class Span(trace.NonRecordingSpan):
            def is_recording(self) -> bool:
                return True

            def end(self, end_time: int | None = None) -> None:
                provider.ended += 1

        class Tracer(trace.NoOpTracer):
            def start_span(self, *args: Any, **kwargs: Any) -> trace.Span:
                provider.started += 1
                return Span(trace.SpanContext(trace_id=1, span_id=1, is_remote=False))

        return Tracer()


def test_the_official_client_traces_a_call_once() -> None:
    spans = Spans()
    for setup in set_up(SYNC, open_telemetry={"tracer_provider": spans}):
        setup.server.reply(*[stream_reply(body(*HELLO))] * 3)
        client = setup.client
        for number in range(1, 3):
            with client.messages.stream(**ASK) as stream:
                assert (spans.started, spans.ended) == (number, number - 1)
                stream.until_done()
            assert (spans.started, spans.ended) == (number, number)
        with client.messages.stream(**ASK) as stream:
            next(iter(stream))
        assert (spans.started, spans.ended) == (3, 3)


def test_nothing_private_of_the_package_is_used() -> None:
    """These names are all that we need of it, and they are public. If one is gone, this is the test to read."""
    resources = [anthropic.resources.Messages, anthropic.resources.AsyncMessages]
    resources += [anthropic.resources.beta.messages.Messages, anthropic.resources.beta.messages.AsyncMessages]
    for resource in resources:
        assert hasattr(resource, "with_streaming_response"), "wrap() sends its calls through with_streaming_response"
    assert "http_response" in anthropic.APIResponse.__mro__[1].__annotations__, "wrap() reads response.http_response"
    assert isinstance(httpx2.Response(200).extensions, dict), "wrap() notes in response.extensions what to raise"
    for kind in ("MessageStream", "MessageStreamManager", "AsyncMessageStream", "AsyncMessageStreamManager"):
        assert hasattr(anthropic.lib.streaming, kind), "streams of wrapped clients pass for this class"
