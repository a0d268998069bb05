"""What the async clients of all adapters do over real sockets, where `test_httpx_client.py` asks the sync one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from adapters import Adapter, each_adapter
from helpers import HELLO, body, by_frame, in_pieces
from server import ASK, Cut, Reply, Server, Stall, error_reply, json_reply, serving, stream_reply

import streamcore
import streamcore.httpx as anthropic

HELLO_BODY = body(*HELLO)
MESSAGE = {**HELLO[0]["message"], "content": [{"type": "text", "text": "Hello"}], "stop_reason": "end_turn"}
RETRY_NOW = {"retry-after-ms": "1"}


@pytest.fixture
def server() -> Any:
    with serving(always=stream_reply(*by_frame(HELLO_BODY))) as server:
        yield server


async def ask(client: Any, **options: Any) -> str:
    async with client.messages.stream(**ASK, **options) as stream:
        text: str = await stream.get_final_text()
        return text


@each_adapter
@pytest.mark.parametrize("gzip", [False, True])
def test_bodies_arrive_whole_however_they_are_sent(server: Server, adapter: Adapter, gzip: bool) -> None:
    framings: Any = ["chunked", "length", "close"]
    pieces = [list(in_pieces(HELLO_BODY, size)) for size in (1, 7, 10_000)]
    replies = [stream_reply(*steps, framing=framing, gzip=gzip) for framing in framings for steps in pieces]
    server.reply(*replies)

    async def main() -> None:
        async with adapter.client(server) as client:
            assert [await ask(client) for _ in replies] == ["Hello"] * 9

    adapter.run(main)


@each_adapter
def test_create_takes_what_applies_to_it_and_refuses_the_rest(server: Server, adapter: Adapter) -> None:
    server.always = stream_reply(body(HELLO[0], b"data: [DONE]\n\n", *HELLO[1:]))

    async def main() -> None:
        async with adapter.client(server) as client:
            for messages in (client.messages, client.beta.messages):
                stream = await messages.create(**ASK, stream=True, strict=True)
                with pytest.raises(streamcore.DecodeError):
                    [event async for event in stream]
                stream = await messages.create(**ASK, stream=True, limits=streamcore.Limits(max_stream_size=100))
                with pytest.raises(streamcore.LimitExceededError):
                    [event async for event in stream]
                for name in ("trailing_strings", "event_handler"):
                    with pytest.raises(anthropic.InvalidArgumentError, match=name):
                        await messages.create(**ASK, stream=True, **{name: None})
                for name in ("strict", "limits", "trailing_strings", "event_handler"):
                    with pytest.raises(anthropic.InvalidArgumentError, match=name):
                        await messages.create(**ASK, **{name: None})
                    with pytest.raises(anthropic.InvalidArgumentError, match=name):
                        await messages.parse(**ASK, **{name: None})
                with pytest.raises(anthropic.InvalidArgumentError, match="limits must be"):
                    messages.stream(**ASK, limits=None)

    adapter.run(main)
    assert [request.json() for request in server.requests] == [{**ASK, "stream": True}] * 4


@each_adapter
@pytest.mark.parametrize("gzip", [False, True])
def test_events_come_out_as_they_arrive(server: Server, adapter: Adapter, gzip: bool) -> None:
    server.reply(stream_reply(body(*HELLO[:3]), Stall(), gzip=gzip))

    async def main() -> None:
        async with adapter.client(server) as client, client.messages.stream(**ASK) as stream:
            assert await anext(aiter(stream.text_stream)) == "Hel"

    adapter.run(main)


@each_adapter
def test_the_request_on_the_wire(server: Server, adapter: Adapter) -> None:
    async def main() -> None:
        async with adapter.client(server, default_headers={"x-one": "1", "x-two": "2"}) as client:
            await ask(client, extra_headers={"x-two": anthropic.omit, "x-three": "3"}, extra_query={"q": "a b"})
            await ask(client)

    adapter.run(main)
    first, second = server.requests
    assert (first.method, first.target) == ("POST", "/v1/messages?q=a%20b")
    assert first.json() == {**ASK, "stream": True}
    assert {name: value for name, value in first.headers.items() if name[:2] == "x-"} == {"x-one": "1", "x-three": "3"}
    assert first.headers["authorization"] == "Bearer key"
    assert first.headers["content-type"] == "application/json"
    assert second.headers["x-two"] == "2"
    assert server.connections == 1


@each_adapter
def test_after_the_last_retry_the_error_is_raised(server: Server, adapter: Adapter) -> None:
    server.always = error_reply(529, "overloaded_error", headers=RETRY_NOW)

    async def main() -> None:
        async with adapter.client(server, max_retries=3) as client:
            with pytest.raises(anthropic.OverloadedError) as caught:
                await client.messages.create(**ASK)
            assert caught.value.request_id == "req_1"
            assert len(server.requests) == 4
            with pytest.raises(anthropic.OverloadedError):
                await client.messages.create(**ASK, max_retries=0)

    adapter.run(main)
    assert len(server.requests) == 5


@each_adapter
def test_x_should_retry_decides(server: Server, adapter: Adapter) -> None:
    server.reply(error_reply(400, headers={"x-should-retry": "true", **RETRY_NOW}))
    server.reply(error_reply(529, headers={"x-should-retry": "false"}))

    async def main() -> None:
        async with adapter.client(server) as client:
            with pytest.raises(anthropic.OverloadedError):
                await client.messages.create(**ASK)

    adapter.run(main)
    assert len(server.requests) == 2


@each_adapter
def test_a_connection_that_breaks_before_the_answer_is_retried(
    server: Server, adapter: Adapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    async def waited(self: Any, seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(adapter.module.AsyncAnthropic, "_sleep", waited)
    half = json.dumps(MESSAGE).encode()[:50]
    server.reply(Reply(head=[Cut()]), Reply(head=[Cut(reset=True)]))
    server.reply(Reply(steps=[half], headers={"content-type": "application/json"}, framing="length", missing=9))
    server.reply(json_reply(MESSAGE))

    async def main() -> None:
        async with adapter.client(server, max_retries=3) as client:
            assert (await client.messages.create(**ASK)).to_dict() == MESSAGE

    adapter.run(main)
    assert len(server.requests) == 4
    assert len({request.body for request in server.requests}) == 1
    assert 0.375 <= waits[0] <= 0.5
    assert 0.75 <= waits[1] <= 1


@each_adapter
def test_a_stream_that_has_begun_is_never_retried(server: Server, adapter: Adapter) -> None:
    server.reply(stream_reply(Cut()), stream_reply(body(HELLO[0]), Cut()))

    async def main() -> None:
        async with adapter.client(server) as client:
            for _ in range(2):
                with pytest.raises(anthropic.APIConnectionError):
                    await ask(client)

    adapter.run(main)
    assert len(server.requests) == 2


@each_adapter
def test_a_subclass_of_the_stream_handles_events(server: Server, adapter: Adapter) -> None:
    seen: list[str] = []

    class Mine(anthropic.AsyncMessageStream):
        async def on_text(self, delta: str, snapshot: str) -> None:
            seen.append(f"{delta}|{snapshot}")

    async def main() -> None:
        async with adapter.client(server) as client:
            assert await ask(client, event_handler=Mine) == "Hello"

    adapter.run(main)
    assert seen == ["Hel|Hel", "lo|Hello"]
