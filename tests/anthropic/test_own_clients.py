"""`wrap` of clients of streamcore: what they give passes for official objects."""

from __future__ import annotations

from typing import Any

import anthropic
import anyio.to_thread
import pytest
from adapters import Adapter, each_adapter
from anthropic.types import beta
from helpers import HELLO, body
from server import ASK, Server, Stall, error_reply, json_reply, serving, stream_reply

import streamcore.httpx
from streamcore import types
from streamcore.anthropic import wrap

ANSWER = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": "Hello"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 1, "output_tokens": 2},
}


def check_events(events: list[Any]) -> None:
    deltas = [event.delta for event in events if isinstance(event, beta.BetaRawContentBlockDeltaEvent)]
    assert "".join(delta.text for delta in deltas if isinstance(delta, beta.BetaTextDelta)) == "Hello"
    assert isinstance(events[0], anthropic.types.RawMessageStartEvent)
    assert isinstance(events[0], types.MessageStartEvent)
    assert isinstance(events[0].message, anthropic.types.Message)


def replies(server: Server) -> None:
    whole = stream_reply(body(*HELLO))
    server.reply(whole, whole, stream_reply(body(*HELLO[:3]), Stall()))
    server.reply(json_reply(ANSWER), json_reply(ANSWER), error_reply(400))


def test_a_sync_client() -> None:
    with serving() as server, wrap(streamcore.httpx.Anthropic(api_key="key", base_url=server.url)) as client:
        assert isinstance(client, streamcore.httpx.Anthropic)
        assert wrap(client) is client
        replies(server)
        with client.beta.messages.create(**ASK, stream=True) as stream:
            assert isinstance(stream, anthropic.Stream)
            check_events([next(stream), *stream])
        with client.messages.stream(**ASK) as stream:
            assert isinstance(stream, anthropic.lib.streaming.MessageStream)
            check_events(list(stream))
            assert isinstance(stream.get_final_message(), beta.BetaMessage)
        with client.with_options(max_retries=0).messages.create(**ASK, stream=True) as stream:
            next(stream)
        server.wait_until_idle()
        for call in (client.messages.create, client.messages.parse):
            message = call(**ASK)
            assert isinstance(message, anthropic.types.Message)
            assert isinstance(message.content[0], beta.BetaTextBlock)
            assert message == types.Message.from_dict(ANSWER)
        with pytest.raises(streamcore.httpx.BadRequestError):
            client.messages.create(**ASK)
        with pytest.raises(TypeError, match="sistem"):
            client.messages.create(**ASK, sistem="x")


@each_adapter
def test_an_async_client(adapter: Adapter) -> None:
    async def main() -> None:
        async with wrap(adapter.client(server)) as client:
            replies(server)
            async with await client.beta.messages.create(**ASK, stream=True) as stream:
                assert isinstance(stream, anthropic.AsyncStream)
                check_events([await anext(stream), *[event async for event in stream]])
            async with client.messages.stream(**ASK) as stream:
                assert isinstance(stream, anthropic.lib.streaming.AsyncMessageStream)
                check_events([event async for event in stream])
            async with await client.messages.create(**ASK, stream=True) as stream:
                await anext(stream)
            await anyio.to_thread.run_sync(server.wait_until_idle)
            for call in (client.messages.create, client.messages.parse):
                assert isinstance(await call(**ASK), beta.BetaMessage)
            with pytest.raises(adapter.module.BadRequestError):
                await client.messages.create(**ASK)

    with serving() as server:
        adapter.run(main)
