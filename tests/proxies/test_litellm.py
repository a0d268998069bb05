"""Our clients against a real LiteLLM proxy (1.108.7), whose upstream is scripted: all on loopback."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anthropic
import anyio
import chat_completions as chat
import pytest
from adapters import ADAPTERS, Adapter, Blocking
from anyio.from_thread import start_blocking_portal
from helpers import FIXTURES, drive, stream_id, without_nulls
from litellm_proxy import CHAT, MESSAGES, Proxy, needs_litellm, running
from server import ASK, Cut, Pause, Reply, Request, error_reply, json_reply, stream_reply

import streamcore
import streamcore.aiohttp
import streamcore.httpx
from streamcore import Message, MessageAccumulator, Violation

pytestmark = [needs_litellm, pytest.mark.slow, pytest.mark.xdist_group("litellm")]  # with one proxy

Outcome = tuple[Message, tuple[Violation, ...]]
Way = Callable[..., Outcome]

HTML = Reply(steps=[b"<html>bad gateway</html>"], status=502, headers={"content-type": "text/html"})
ERRORS: dict[str, type[Exception]] = {**vars(streamcore), **vars(streamcore.httpx)}


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    with running(tmp_path_factory.mktemp("litellm")) as proxy:
        yield proxy


@pytest.fixture(params=["httpx", "httpx-async", "aiohttp"])
def client(proxy: Proxy, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Each of our clients, for sync code."""
    options: dict[str, Any] = {"api_key": proxy.key, "base_url": proxy.url, "max_retries": 0}
    if request.param == "httpx":
        with streamcore.httpx.Anthropic(**options) as client:
            yield client
        return
    with start_blocking_portal("asyncio") as portal:
        module: Any = streamcore.aiohttp if request.param == "aiohttp" else streamcore.httpx
        asynchronous = module.AsyncAnthropic(**options)
        yield Blocking(portal, asynchronous)
        portal.call(asynchronous.close)


def by_stream(client: Any, model: str) -> Outcome:
    with client.messages.stream(**{**ASK, "model": model}) as stream:
        return stream.get_final_message(), stream.violations


def by_events(client: Any, model: str) -> Outcome:
    accumulator = MessageAccumulator()
    with client.messages.create(**{**ASK, "model": model}, stream=True) as events:
        for event in events:
            accumulator.apply(event)
    return accumulator.final_message, accumulator.violations


def at_once(client: Any, model: str) -> Outcome:
    return client.messages.create(**{**ASK, "model": model}), ()


each_way = pytest.mark.parametrize("way", [by_stream, by_events, at_once])
each_streaming_way = pytest.mark.parametrize("way", [by_stream, by_events])


def content_of(message: Any) -> list[Any]:
    return [block.to_dict() for block in message.content]


def payload_of_event(name: str, **fields: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps({'type': name, **fields})}\n\n".encode()


# An upstream that speaks chat completions


@each_streaming_way
@pytest.mark.parametrize("name", chat.ANSWERS)
def test_an_answer_of_a_chat_model_arrives_whole(proxy: Proxy, client: Any, way: Way, name: str) -> None:
    steps, content, stop_reason = chat.ANSWERS[name]
    proxy.upstream.always = stream_reply(*steps)
    message, violations = way(client, CHAT)
    assert proxy.upstream.requests[-1].path == "/v1/chat/completions"
    assert content_of(message) == content
    assert (message.stop_reason, message.model) == (stop_reason, CHAT)
    assert (message.usage.input_tokens, message.usage.output_tokens) == (11, 7)
    assert violations == ()


@pytest.mark.parametrize("name", [name for name in chat.ANSWERS if "halves" not in name])
def test_the_message_is_the_one_that_the_official_client_makes(proxy: Proxy, name: str) -> None:
    proxy.upstream.always = stream_reply(*chat.ANSWERS[name][0])
    ask: Any = {**ASK, "model": CHAT}
    options: Any = {"api_key": proxy.key, "base_url": proxy.url, "max_retries": 0}
    with anthropic.Anthropic(**options) as official, official.messages.stream(**ask) as stream:
        theirs: Any = stream.get_final_message().to_dict()
    with streamcore.httpx.Anthropic(**options) as client:
        ours, _ = by_stream(client, CHAT)
    assert without_nulls(ours.to_dict()) == without_nulls({**theirs, "id": ours.id})


def test_an_answer_that_is_not_streamed_arrives_whole(proxy: Proxy, client: Any) -> None:
    function = {"name": "get_weather", "arguments": '{"city": "Rome"}'}
    calls = [{"id": "call_0", "type": "function", "function": function}]
    proxy.upstream.always = chat.completion("tool_calls", content="Let me see.", tool_calls=calls)
    message, _ = at_once(client, CHAT)
    assert content_of(message) == [
        {"type": "text", "text": "Let me see."},
        {"type": "tool_use", "id": "call_0", "name": "get_weather", "input": {"city": "Rome"}},
    ]
    assert (message.stop_reason, message.usage.output_tokens) == ("tool_use", 7)


@each_streaming_way
@pytest.mark.parametrize("name", chat.FAILURES)
def test_a_failure_in_mid_stream_is_an_error_that_says_why(proxy: Proxy, client: Any, way: Way, name: str) -> None:
    steps, error, words = chat.FAILURES[name]
    proxy.upstream.always = stream_reply(*steps)
    with pytest.raises(ERRORS[error]) as caught:
        way(client, CHAT)
    assert words in str(caught.value)


def test_an_error_has_the_message_so_far_and_the_body_as_it_came(proxy: Proxy, client: Any) -> None:
    proxy.upstream.always = stream_reply(*chat.FAILURES["an error"][0])
    with pytest.raises(streamcore.httpx.InternalServerError) as caught:
        by_stream(client, CHAT)
    assert caught.value.snapshot is not None
    assert content_of(caught.value.snapshot) == [{"type": "text", "text": "Hel"}]
    body: Any = caught.value.body
    assert body["type"] == "error"
    assert body["error"]["type"] == "api_error"
    assert "litellm.InternalServerError" in body["error"]["message"]


@pytest.mark.parametrize("model", [CHAT, MESSAGES])
@each_way
@pytest.mark.parametrize(
    ("reply", "error", "status", "words"),
    [
        (json_reply({"error": {"message": "slow down, please"}}, 429), "RateLimitError", 429, "slow down, please"),
        (json_reply({"error": {"message": "whose key?"}}, 401), "AuthenticationError", 401, "whose key?"),
        (error_reply(529, "overloaded_error", "busy"), "InternalServerError", None, "busy"),
        (HTML, "InternalServerError", 502, "<html>bad gateway</html>"),
    ],
    ids=["429", "401", "529", "HTML"],
)
def test_a_refused_request_raises_what_its_status_says(
    proxy: Proxy, client: Any, model: str, way: Way, reply: Reply, error: str, status: int | None, words: str
) -> None:
    proxy.upstream.always = reply
    with pytest.raises(ERRORS[error]) as caught:
        way(client, model)
    refused: Any = caught.value
    assert status is None or refused.status_code == status  # LiteLLM makes 500 of 529 for some models
    assert words in str(refused)
    assert words in refused.body["error"]["message"]


def test_a_request_is_repeated_after_429(proxy: Proxy, client: Any) -> None:
    before = len(proxy.upstream.requests)
    proxy.upstream.reply(json_reply({"error": {"message": "slow down, please"}}, 429))
    proxy.upstream.always = stream_reply(*chat.ANSWERS["text"][0])
    message, _ = by_stream(client.with_options(max_retries=1), CHAT)
    assert content_of(message) == chat.ANSWERS["text"][1]
    assert len(proxy.upstream.requests) - before == 2


@pytest.mark.parametrize(
    "steps",
    [
        [chat.HEL],
        [chat.HEL, *chat.end("stop")[:1]],
        [chat.HEL, b'data: {"id": "chatcmpl-1", "choi\n\n', *chat.end("stop")],
    ],
    ids=["no finish reason", "no [DONE]", "half a chunk"],
)
def test_litellm_passes_a_broken_answer_off_as_a_whole_one(proxy: Proxy, client: Any, steps: list[bytes]) -> None:
    # Nothing on the wire shows it: these are canonical streams with "stop_reason": "end_turn".
    proxy.upstream.always = stream_reply(*steps)
    message, violations = by_stream(client, CHAT)
    assert content_of(message) == [{"type": "text", "text": "Hel"}]
    assert (message.stop_reason, violations) == ("end_turn", ())


# An upstream that speaks the Messages API

ONE_MESSAGE = [path for path in FIXTURES if path.parent.name == "fixtures" and path.stem != "several"]


@each_streaming_way
@pytest.mark.parametrize("path", ONE_MESSAGE, ids=stream_id)
def test_a_message_that_is_passed_through_is_the_upstreams(proxy: Proxy, client: Any, way: Way, path: Path) -> None:
    proxy.upstream.always = stream_reply(path.read_bytes())
    wanted = drive(path.read_bytes())
    message, violations = way(client, MESSAGES)
    assert proxy.upstream.requests[-1].path == "/v1/messages"
    assert wanted.snapshot is not None
    # LiteLLM puts its own name of the model into message_start.
    assert {**message.to_dict(), "model": ""} == {**wanted.snapshot.to_dict(), "model": ""}
    if way is by_stream:  # `create(stream=True)` does not record how events are named
        assert [violation.kind for violation in violations] == [violation.kind for violation in wanted.violations]


def test_a_message_that_is_not_streamed_is_the_upstreams(proxy: Proxy, client: Any) -> None:
    sent = drive((FIXTURES[0].parents[1] / "weather.sse").read_bytes()).snapshot
    assert sent is not None
    proxy.upstream.always = json_reply(sent.to_dict())
    message, _ = at_once(client, MESSAGES)
    assert message.to_dict() == {**sent.to_dict(), "model": MESSAGES}


BROKEN = FIXTURES[0].parent
START = payload_of_event(
    "message_start",
    message={
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": [],
        "model": "scripted",
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 11, "output_tokens": 1},
    },
)


@each_streaming_way
@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (stream_reply((BROKEN / "truncated.sse").read_bytes()), "IncompleteStreamError", "the stream ended before"),
        (stream_reply((BROKEN / "cut-inside-event.sse").read_bytes()), "IncompleteStreamError", "96 bytes"),
        (stream_reply((BROKEN / "error.sse").read_bytes()), "OverloadedError", "Overloaded"),
        (stream_reply((BROKEN / "unstarted-block.sse").read_bytes()), "EventOrderError", "never started"),
        (stream_reply((BROKEN / "wrong-input.sse").read_bytes()), "DecodeError", 'received \'{"at": "07:30", snooze'),
        (stream_reply(START, b'data: {"error": "out of memory"}\n\n'), "APIStatusError", "out of memory"),
        (stream_reply(START, b"event: error\ndata: out of memory\n\n"), "APIStatusError", "out of memory"),
        # If LiteLLM has not answered yet, it answers 500; else with an error event.
        (stream_reply(START, Cut()), "InternalServerError", "payload is not completed"),
        (stream_reply(START, Pause(0.3), Cut(reset=True)), "InternalServerError", "payload is not completed"),
        # LiteLLM passes it on as text/event-stream.
        (json_reply({"id": "msg_1", "type": "message"}), "DecodeError", "the body is not an event stream"),
    ],
    ids=[
        "truncated",
        "cut inside an event",
        "error",
        "block never started",
        "wrong JSON",
        "error without a type",
        "error in plain text",
        "cut connection",
        "reset connection",
        "no stream",
    ],
)
def test_a_broken_stream_that_is_passed_through_is_an_error_that_says_why(
    proxy: Proxy, client: Any, way: Way, reply: Reply, error: str, words: str
) -> None:
    proxy.upstream.always = reply
    with pytest.raises(ERRORS[error]) as caught:
        way(client, MESSAGES)
    assert words in str(caught.value)


# Many at once


@pytest.mark.parametrize("adapter", ADAPTERS, ids=str)
def test_fifty_streams_at_once_are_not_mixed(proxy: Proxy, adapter: Adapter) -> None:
    def echo(request: Request) -> Reply:
        question = request.json()["messages"][0]["content"]
        return stream_reply(*map(chat.content, question), Pause(0.1), *chat.end("stop"))

    proxy.upstream.always = echo
    answers = {}

    async def ask(client: Any, question: str) -> None:
        turns = [{"role": "user", "content": question}]
        async with client.messages.stream(model=CHAT, max_tokens=100, messages=turns) as stream:
            answers[question] = await stream.get_final_text()

    async def test() -> None:
        options: dict[str, Any] = {"api_key": proxy.key, "base_url": proxy.url, "max_retries": 0}
        async with adapter.module.AsyncAnthropic(**options) as client, anyio.create_task_group() as group:
            for number in range(50):
                group.start_soon(ask, client, f"This is question {number}.")

    adapter.run(test)
    assert len(answers) == 50
    assert all(question == answer for question, answer in answers.items())
