"""The programs of the public documents, in our own words: only the import line differs, and each does what it says.

The documents' programs are not typed, so neither are the clients here: `event.type == "..."` narrows for pyright, and
for mypy only a `match` over the classes does.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from helpers import (
    HELLO,
    STOP,
    block_start,
    block_stop,
    body,
    by_frame,
    delta,
    message_delta,
    partial_json,
    start,
    text,
    tool_start,
)
from server import BOUND, Cut, Request, Server, Stall, error_reply, serving, stream_reply

import streamcore.aiohttp
import streamcore.httpx as anthropic
from streamcore.httpx import AsyncMessageStream
from streamcore.types import MessageStreamEvent

each_module = pytest.mark.parametrize("module", [anthropic, streamcore.aiohttp])

MODEL = "claude-sonnet-4-5-20250929"
pytestmark = pytest.mark.filterwarnings("ignore:The model .* is deprecated:DeprecationWarning")
STORY = ["Once", " upon", " a", " time", ".", " The", " end", "."]

TOOLS = [
    {
        "name": "get_weather",
        "description": "Get weather",
        "input_schema": {
            "type": "object",
            "properties": {"location": {"type": "string"}},
            "required": ["location"],
        },
    }
]

WEATHER = [
    start("msg_weather"),
    block_start(0),
    text(0, "Let me "),
    text(0, "look."),
    block_stop(0),
    tool_start(1, "get_weather"),
    partial_json(1, ""),
    partial_json(1, '{"location": "San'),
    partial_json(1, ' Francisco"}'),
    block_stop(1),
    message_delta("tool_use", usage={"output_tokens": 31}),
    STOP,
]

THOUGHT = [
    start("msg_thought"),
    block_start(0, {"type": "thinking", "thinking": "", "signature": ""}),
    delta(0, "thinking_delta", thinking="Two and "),
    delta(0, "thinking_delta", thinking="two..."),
    delta(0, "signature_delta", signature="c2ln"),
    block_stop(0),
    block_start(1),
    text(1, "Four."),
    block_stop(1),
    message_delta(),
    STOP,
]


def saying(*pieces: str) -> Any:
    """A reply whose text comes in these pieces."""
    payloads = [start(), block_start(0), *(text(0, piece) for piece in pieces), block_stop(0), message_delta(), STOP]
    return stream_reply(*by_frame(body(*payloads)))


def asking(question: str, **params: Any) -> dict[str, Any]:
    return {
        "model": MODEL,
        "max_tokens": 1024,
        "messages": [{"role": "user", "content": question}],
        **params,
    }


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with serving(always=saying(*STORY)) as server:
        monkeypatch.setenv("ANTHROPIC_API_KEY", "key")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[Any]:
    with anthropic.Anthropic() as client:
        yield client


def test_basic_text(client: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with client.messages.stream(**asking("Write a short story")) as stream:
        for piece in stream.text_stream:
            print(piece, end="", flush=True)
    print()
    assert capsys.readouterr().out == "Once upon a time. The end.\n"


def test_the_final_message_after_the_block(client: Any) -> None:
    with client.messages.stream(**asking("What is 2+2?")) as stream:
        for _ in stream.text_stream:
            pass
    message = stream.get_final_message()
    assert message.usage.output_tokens == 8
    assert message.usage.input_tokens == 25
    assert message.stop_reason == "end_turn"
    assert stream.get_final_message() is message


def test_the_final_message_without_reading_first(client: Any) -> None:
    with client.messages.stream(**asking("Hello")) as stream:
        message = stream.get_final_message()
    assert message.content[0].text == "".join(STORY)


def test_all_events(server: Server, client: Any) -> None:
    server.reply(stream_reply(*by_frame(body(*HELLO))))
    log: list[str] = []
    with client.messages.stream(**asking("Hello")) as stream:
        for event in stream:
            if event.type == "message_start":
                log.append(f"[started: {event.message.id}]")
            elif event.type == "content_block_start":
                log.append(f"[block {event.index} started: {event.content_block.type}]")
            elif event.type == "content_block_delta":
                if event.delta.type == "text_delta":
                    log.append(event.delta.text)
            elif event.type == "text":
                log.append(f"<{event.text}|{event.snapshot}>")
            elif event.type == "content_block_stop":
                log.append(f"[block {event.index} stopped: {event.content_block.text}]")
            elif event.type == "message_delta":
                log.append(f"[{event.delta.stop_reason}, {event.usage.output_tokens} tokens]")
            elif event.type == "message_stop":
                log.append(f"[completed: {event.message.stop_reason}]")
    assert log == [
        "[started: msg_1]",
        "[block 0 started: text]",
        "Hel",
        "<Hel|Hel>",
        "lo",
        "<lo|Hello>",
        "[block 0 stopped: Hello]",
        "[end_turn, 8 tokens]",
        "[completed: end_turn]",
    ]


def test_tool_use(server: Server, client: Any) -> None:
    server.reply(stream_reply(*by_frame(body(*WEATHER))))
    calls, fragments, said = [], [], []
    with client.messages.stream(**asking("What's the weather in SF?", tools=TOOLS)) as stream:
        for event in stream:
            if event.type == "content_block_start" and event.content_block.type == "tool_use":
                calls.append(event.content_block.name)
            elif event.type == "content_block_delta":
                if event.delta.type == "text_delta":
                    said.append(event.delta.text)
                elif event.delta.type == "input_json_delta":
                    fragments.append(event.delta.partial_json)
    message = stream.get_final_message()
    assert calls == ["get_weather"]
    assert "".join(said) == "Let me look."
    assert "".join(fragments) == '{"location": "San Francisco"}'
    assert [(block.name, block.input) for block in message.content if block.type == "tool_use"] == [
        ("get_weather", {"location": "San Francisco"})
    ]
    assert message.stop_reason == "tool_use"
    assert server.requests[0].json()["tools"] == TOOLS


def test_tool_use_in_a_loop_of_ones_own(server: Server, client: Any) -> None:
    server.reply(stream_reply(*by_frame(body(*WEATHER))), saying("Sunny."))
    messages: list[dict[str, Any]] = [{"role": "user", "content": "What's the weather in SF?"}]
    while True:
        with client.messages.stream(model=MODEL, max_tokens=64000, tools=TOOLS, messages=messages) as stream:
            for _ in stream.text_stream:
                pass
            response = stream.get_final_message()
        if response.stop_reason != "tool_use":
            break
        messages.append({"role": "assistant", "content": response.content})
        results = [
            {"type": "tool_result", "tool_use_id": block.id, "content": "18 degrees"}
            for block in response.content
            if block.type == "tool_use"
        ]
        messages.append({"role": "user", "content": results})
    assert stream.get_final_text() == "Sunny."
    assert server.requests[1].json()["messages"][1:] == [
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "Let me look."},
                {
                    "type": "tool_use",
                    "id": "toolu_1",
                    "name": "get_weather",
                    "input": {"location": "San Francisco"},
                },
            ],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "18 degrees"}]},
    ]


def test_usage_while_streaming(client: Any) -> None:
    tokens, parts = 0, []
    with client.messages.stream(**asking("Write a long essay")) as stream:
        for event in stream:
            if event.type == "message_delta":
                if event.usage and event.usage.output_tokens is not None:
                    tokens = event.usage.output_tokens
            elif event.type == "content_block_delta" and event.delta.type == "text_delta":
                parts.append(event.delta.text)
        final = stream.get_final_message()
    assert tokens == final.usage.output_tokens == 8
    assert parts == STORY


@each_module
def test_async(server: Server, module: Any) -> None:
    async def main() -> str:
        client = module.AsyncAnthropic()
        pieces = []
        async with client.messages.stream(**asking("Write a haiku")) as stream:
            async for piece in stream.text_stream:
                pieces.append(piece)  # as the document has it
        return "".join(pieces)

    assert asyncio.run(main(), debug=True) == "".join(STORY)
    server.wait_until_idle()  # the client was dropped without being closed


@each_module
def test_async_events(server: Server, module: Any) -> None:
    async def main() -> list[str]:
        client = module.AsyncAnthropic()
        async with client.messages.stream(**asking("Hello")) as stream:
            return [event.type async for event in stream]

    types = asyncio.run(main(), debug=True)
    assert types[0] == "message_start"
    assert types[-1] == "message_stop"


@each_module
def test_three_streams_at_once(server: Server, module: Any) -> None:
    def answer(request: Request) -> Any:
        return saying("About ", request.json()["messages"][0]["content"])

    server.always = answer
    questions = ["What is Python?", "What is JavaScript?", "What is Rust?"]

    async def ask(client: Any, question: str) -> str:
        async with client.messages.stream(**asking(question)) as stream:
            async for _ in stream:
                pass
        said: str = await stream.get_final_text()
        return said

    async def main() -> list[str]:
        client = module.AsyncAnthropic()
        return await asyncio.gather(*[ask(client, question) for question in questions])

    assert asyncio.run(main(), debug=True) == [f"About {question}" for question in questions]
    assert server.connections == 3


def test_buffering(client: Any) -> None:
    shown: list[str] = []
    with client.messages.stream(**asking("Write a story")) as stream:
        buffer = ""
        for piece in stream.text_stream:
            buffer += piece
            if len(buffer) >= 10 or piece in ".!?\n":
                shown.append(buffer)
                buffer = ""
        if buffer:
            shown.append(buffer)
    assert shown == ["Once upon a", " time.", " The end."]


def test_the_snapshot_at_each_event(client: Any) -> None:
    lengths: list[int] = []
    with client.messages.stream(**asking("Count to 10")) as stream:
        for event in stream:
            snapshot = stream.current_message_snapshot
            if event.type == "content_block_delta" and snapshot.content:
                lengths.append(len(snapshot.content[0].text) if snapshot.content[0].type == "text" else -1)
    assert lengths == [len("".join(STORY[: count + 1])) for count in range(len(STORY))]


def test_the_text_as_a_whole(client: Any) -> None:
    with client.messages.stream(**asking("Hello")) as stream:
        for _ in stream:
            pass
        assert stream.get_final_text() == "".join(STORY)


# Errors


def outcome(client: Any, **options: Any) -> str:
    """The error handling of the documents: the narrower classes first."""
    got = ""
    try:
        with client.messages.stream(**asking("Write a story"), **options) as stream:
            for piece in stream.text_stream:
                got += piece
    except anthropic.APITimeoutError:
        return f"{got}[timed out]"
    except anthropic.APIConnectionError:
        return f"{got}[connection lost]"
    except anthropic.RateLimitError:
        return f"{got}[rate limited]"
    except anthropic.APIStatusError as e:
        return f"{got}[API error: {e.status_code}]"
    except anthropic.APIError as e:
        return f"{got}[error: {e.message}]"
    return got


def test_errors(server: Server, client: Any) -> None:
    begun = body(start(), block_start(0), text(0, "Once"))
    overloaded = {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}
    once = client.with_options(max_retries=0)
    server.reply(
        stream_reply(begun, Stall()),
        stream_reply(begun, Cut()),
        error_reply(429, "rate_limit_error"),
        error_reply(400, "invalid_request_error"),
        stream_reply(begun, body(overloaded)),
    )
    assert outcome(once, idle_timeout=0.05) == "Once[timed out]"
    assert outcome(once) == "Once[connection lost]"
    assert outcome(once) == "[rate limited]"
    assert outcome(once) == "[API error: 400]"
    assert outcome(once) == "Once[API error: 529]"
    assert outcome(once) == "".join(STORY)


# Conversations and parameters


def test_several_turns(server: Server, client: Any) -> None:
    server.reply(saying("Hi ", "Alice!"), saying("Alice."))
    conversation: list[dict[str, Any]] = []

    def turn(said: str) -> str:
        conversation.append({"role": "user", "content": said})
        with client.messages.stream(model=MODEL, max_tokens=1024, messages=conversation) as stream:
            for _ in stream.text_stream:
                pass
        message = stream.get_final_message()
        conversation.append({"role": "assistant", "content": message.content})
        answer: str = stream.get_final_text()
        return answer

    assert turn("Hi, I'm Alice") == "Hi Alice!"
    assert turn("What's my name?") == "Alice."
    assert server.requests[1].json()["messages"] == [
        {"role": "user", "content": "Hi, I'm Alice"},
        {"role": "assistant", "content": [{"type": "text", "text": "Hi Alice!"}]},
        {"role": "user", "content": "What's my name?"},
    ]


def test_a_system_prompt_and_a_temperature(server: Server, client: Any) -> None:
    for params in ({"system": "You are a helpful Python expert. Be concise."}, {"temperature": 0.8}):
        with client.messages.stream(**asking("Explain list comprehensions", **params)) as stream:
            assert "".join(stream.text_stream) == "".join(STORY)
        sent = server.requests[-1].json()
        assert {name: sent[name] for name in params} == params


def test_thinking_through_beta(server: Server, client: Any) -> None:
    server.reply(stream_reply(*by_frame(body(*THOUGHT))))
    thinking = {"type": "enabled", "budget_tokens": 1000}
    shown: list[str] = []
    with client.beta.messages.stream(**asking("Solve this: ...", thinking=thinking)) as stream:
        for event in stream:
            if event.type == "content_block_start" and event.content_block.type == "thinking":
                shown.append("[Thinking...]")
            elif event.type == "content_block_delta":
                if event.delta.type == "thinking_delta":
                    shown.append(f"[{event.delta.thinking}]")
                elif event.delta.type == "text_delta":
                    shown.append(event.delta.text)
    assert shown == ["[Thinking...]", "[Two and ]", "[two...]", "Four."]
    block = stream.get_final_message().content[0]
    assert (block.thinking, block.signature) == ("Two and two...", "c2ln")
    assert server.requests[0].json()["thinking"] == thinking
    assert server.requests[0].target == "/v1/messages"


def test_the_raw_response(client: Any) -> None:
    with client.messages.stream(**asking("Hello")) as stream:
        assert stream.response.headers.get("request-id") == stream.request_id == "req_1"
        assert stream.response.status_code == 200
        assert "".join(stream.text_stream) == "".join(STORY)


def test_timeouts_for_long_streams(server: Server) -> None:
    with anthropic.Anthropic(timeout=httpx.Timeout(120.0)) as client, client.messages.stream(**asking("Hi")) as stream:
        assert stream.get_final_text() == "".join(STORY)


# Streams that end early, and by hand


INTERRUPTED = """
    import signal, sys, warnings
    import streamcore.httpx as anthropic

    client = anthropic.Anthropic()
    {handler}
    try:
        with client.messages.stream(
            model="claude-1", max_tokens=1024, messages=[dict(role="user", content="Write a very long story")]
        ) as stream:
            for text in stream.text_stream:
                print(text, end="", flush=True)
    except KeyboardInterrupt:
        print("[stopped]")
"""
HANDLER = """
    def handler(number, frame):
        print("[interrupted]")
        sys.exit(0)
    signal.signal(signal.SIGINT, handler)
"""


@pytest.mark.parametrize(("handler", "end"), [("", "[stopped]"), (HANDLER, "[interrupted]")])
def test_an_interruption(server: Server, handler: str, end: str) -> None:
    server.reply(stream_reply(body(start(), block_start(0), text(0, "Once")), Stall()))
    program = textwrap.dedent(INTERRUPTED).format(handler=textwrap.dedent(handler))
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, "-X", "dev", "-W", "error", "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        assert process.stdout is not None
        watchdog = threading.Timer(BOUND, process.kill)
        watchdog.start()
        try:
            assert process.stdout.read(4) == "Once"
            # A signal between Python's last look and the system call it is about to make is not noticed until that
            # call returns, whatever the library: it has to find the program waiting.
            time.sleep(0.2)
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate()
        finally:
            process.kill()
            watchdog.cancel()
    assert (output.strip(), errors, process.returncode) == (end, "", 0)
    server.wait_until_idle()


def test_a_manager_entered_and_left_by_hand(server: Server, client: Any) -> None:
    manager = client.messages.stream(**asking("Hello"))
    stream = manager.__enter__()
    pieces = []
    try:
        for event in stream:
            if event.type == "content_block_delta" and event.delta.type == "text_delta":
                pieces.append(event.delta.text)
        message = stream.get_final_message()
    finally:
        manager.__exit__(None, None, None)
    assert pieces == STORY
    assert message.content[0].text == "".join(STORY)


@each_module
def test_a_handler_class(server: Server, module: Any) -> None:
    server.always = stream_reply(*by_frame(body(*HELLO)))
    calls: list[str] = []

    class MyStream(AsyncMessageStream):
        async def on_text(self, delta: str, snapshot: str) -> None:
            calls.append(f"text {delta}|{snapshot}")

        async def on_stream_event(self, event: MessageStreamEvent) -> None:
            calls.append(f"event {event.type}")

        async def on_content_block(self, content_block: Any) -> None:
            calls.append(f"block {content_block.text}")

        async def on_message(self, message: Any) -> None:
            calls.append(f"message {message.id}")

        async def on_end(self) -> None:
            calls.append("end")

    async def main() -> Any:
        client = module.AsyncAnthropic()
        async with client.messages.stream(**asking("Say hello there!"), event_handler=MyStream) as stream:
            return await stream.get_final_message()

    message = asyncio.run(main(), debug=True)
    assert '"text": "Hello"' in message.model_dump_json(indent=2)
    assert [call for call in calls if not call.startswith("event")] == [
        "text Hel|Hel",
        "text lo|Hello",
        "block Hello",
        "message msg_1",
        "end",
    ]
    assert [call for call in calls if call.startswith("event")] == [f"event {payload['type']}" for payload in HELLO]


def test_a_handler_that_takes_the_delta_alone(server: Server, client: Any) -> None:
    seen: list[str] = []

    class MyStream(anthropic.MessageStream):
        def on_text(self, delta: str) -> None:  # type: ignore[override]  # as one of the documents has it
            seen.append(delta)

    with client.messages.stream(**asking("Hi"), event_handler=MyStream) as stream:
        stream.until_done()
    assert seen == STORY


def test_close_aborts_the_request(server: Server, client: Any) -> None:
    server.reply(stream_reply(body(start(), block_start(0), text(0, "Once")), Stall()))
    with client.messages.stream(**asking("Hi")) as stream:
        for piece in stream.text_stream:
            assert piece == "Once"
            stream.close()
        assert list(stream) == []
        server.wait_until_idle()


def test_until_done(client: Any) -> None:
    with client.messages.stream(**asking("Hi")) as stream:
        stream.until_done()
        assert stream.current_message_snapshot.stop_reason == "end_turn"


def test_events_without_a_message(client: Any) -> None:
    pieces = []
    for event in client.messages.create(**asking("Hi"), stream=True):
        if event.type == "content_block_delta" and event.delta.type == "text_delta":
            pieces.append(event.delta.text)
    assert pieces == STORY
