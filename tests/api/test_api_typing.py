"""What type checkers know about the clients, for mypy to read: `.ci/run` checks this file with the rest."""

from __future__ import annotations

from typing import Any, assert_type

import streamcore.httpx as anthropic
from streamcore.aiohttp.types.beta import BetaTextBlock
from streamcore.httpx.lib.streaming import MessageStreamManager
from streamcore.httpx.types import MessageParam, RawContentBlockDeltaEvent
from streamcore.httpx.types.beta import BetaMessage
from streamcore.types import Message, MessageStreamEvent, TextBlock, TextDelta


class Answer:
    text: str


def responses(client: anthropic.Anthropic, messages: list[MessageParam]) -> None:
    raw = client.messages.with_raw_response.create(model="claude-1", max_tokens=1, messages=messages)
    assert_type(raw, anthropic.APIResponse[Message])
    assert_type(raw.parse(), Message)
    assert_type(raw.parse()._request_id, str | None)
    typed = client.beta.messages.with_raw_response.create(
        model="claude-1", max_tokens=1, messages=messages, output_format=Answer
    )
    assert_type(typed.parse(), Message[Answer])
    stream = client.with_raw_response.messages.create(model="claude-1", max_tokens=1, messages=messages, stream=True)
    assert_type(stream.parse(), anthropic.Stream[MessageStreamEvent])
    for event in stream.parse():
        match event:
            case anthropic.types.RawContentBlockDeltaEvent(delta=TextDelta(text=text)):
                assert_type(text, str)
    with client.with_streaming_response.beta.messages.create(
        model="claude-1", max_tokens=1, messages=messages
    ) as response:
        assert_type(response.parse(), Message)
    with client.messages.stream(model="claude-1", max_tokens=1, messages=messages) as events:
        for each in events:
            if isinstance(each, RawContentBlockDeltaEvent) and isinstance(each.delta, TextDelta):
                assert_type(each.delta, TextDelta)


async def async_responses(client: anthropic.AsyncAnthropic, messages: list[MessageParam]) -> None:
    raw = await client.messages.with_raw_response.create(model="claude-1", max_tokens=1, messages=messages)
    assert_type(await raw.parse(), Message)
    stream = client.messages.with_streaming_response.create(
        model="claude-1", max_tokens=1, messages=messages, stream=True
    )
    async with stream as response:
        assert_type(await response.parse(), anthropic.AsyncStream[MessageStreamEvent])


def names(message: BetaMessage, block: BetaTextBlock) -> None:
    assert_type(message, Message)
    assert_type(block, TextBlock)
    assert_type(message, anthropic.types.beta.BetaMessage[Any])


def test_the_names_of_the_stubs_exist() -> None:
    assert issubclass(MessageStreamManager, anthropic.MessageStreamManager)
    assert BetaMessage is anthropic.types.beta.BetaMessage
