"""The dicts of a request: the keys of the official package, and what a caller's type checker makes of them.

mypy reads this file with the rest (`.ci/run`): each `type: ignore` here is a mistake that it must see, as it complains
of those which are not needed.
"""

from __future__ import annotations

import json
from typing import Any, get_type_hints

import anthropic.types as official
import pytest
from helpers import HELLO, body
from official import bare, members, members_for_callers, required, words_of_key
from server import Server, serving, stream_reply
from typing_extensions import is_typeddict

import streamcore.httpx as anthropic
from streamcore import types
from streamcore.types import (
    ImageBlockParam,
    MessageParam,
    TextBlock,
    TextBlockParam,
    ToolParam,
    ToolResultBlockParam,
    ToolUseBlock,
)

FACE: Any = types  # type checkers do not know its `__all__`
NAMES = [name for name in FACE.__all__ if name.endswith("Param")]
DICTS = [name for name in NAMES if is_typeddict(getattr(types, name))]


@pytest.mark.parametrize("name", DICTS)
def test_keys_and_their_words_are_those_of_the_official_package(name: str) -> None:
    ours, theirs = getattr(types, name), getattr(official, name)
    mine, other = (get_type_hints(each, include_extras=True) for each in (ours, theirs))
    assert mine.keys() == other.keys()
    assert required(ours, mine) == required(theirs, other)
    for key in other:
        if not is_typeddict(bare(other[key])):
            assert {word for word in words_of_key(mine[key]) if isinstance(word, str)} == words_of_key(other[key]), key
    assert ours.__doc__


@pytest.mark.parametrize("name", [name for name in NAMES if name not in DICTS and name != "ModelParam"])
def test_unions_have_the_members_of_the_official_package(name: str) -> None:
    assert members(getattr(types, name)) == members_for_callers(getattr(official, name))


def test_what_is_not_there_is_not_there() -> None:
    with pytest.raises(AttributeError, match="NoSuchParam"):
        types.NoSuchParam  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(AttributeError):
        types.NoSuch  # type: ignore[attr-defined]  # noqa: B018


TOOL: ToolParam = {
    "name": "search",
    "description": "Searches.",
    "input_schema": {"type": "object", "properties": {"query": {"type": "string"}}},
    "cache_control": {"type": "ephemeral", "ttl": "1h"},
}
IMAGE: ImageBlockParam = {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}}


def converse(client: anthropic.Anthropic) -> None:
    """A program as people write it, with all that is checked in its arguments."""
    messages: list[MessageParam] = [{"role": "user", "content": [{"type": "text", "text": "Hi"}, IMAGE]}]
    with client.messages.stream(
        model="claude-1",
        max_tokens=100,
        system=[TextBlockParam(type="text", text="Be brief.")],
        messages=messages,
        tools=[TOOL, {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}],
        tool_choice={"type": "auto"},
        thinking={"type": "enabled", "budget_tokens": 1024},
        stop_sequences=["END"],
        temperature=anthropic.NOT_GIVEN,
        top_k=anthropic.omit,
        metadata={"user_id": "u"},
    ) as stream:
        message = stream.get_final_message()
    results: list[ToolResultBlockParam] = [
        {"type": "tool_result", "tool_use_id": block.id, "content": "found", "is_error": False}
        for block in message.content
        if isinstance(block, ToolUseBlock)
    ]
    messages.append({"role": "assistant", "content": message.content})
    messages.append({"role": "user", "content": results})
    messages.append({"role": "user", "content": [TextBlock(text="And?"), {"type": "text", "text": "Well?"}]})
    client.messages.create(model="claude-1", max_tokens=100, messages=[*messages, message], stream=True).close()


async def converse_async(client: anthropic.AsyncAnthropic) -> None:
    async with client.beta.messages.stream(
        model="claude-1",
        max_tokens=100,
        messages=[{"role": "user", "content": "Hi"}],
        betas=["one-2026"],
        tools=[{"type": "computer_20990101", "name": "computer", "display_width_px": 1}],
        mcp_servers=[{"type": "url", "name": "m", "url": "https://example.org"}],
        context_management={"edits": []},
    ) as stream:
        await stream.until_done()


def mistaken(client: anthropic.Anthropic) -> object:
    client.messages.stream(model="m", max_tokens=1, messages=[{"role": "robot", "content": ""}])  # type: ignore[list-item]
    client.messages.stream(model="m", max_tokens=1, messages=[{"role": "user"}])  # type: ignore[list-item]
    client.messages.stream(model="m", max_tokens="1", messages=[])  # type: ignore[call-overload]
    client.messages.stream(model="m", messages=[])  # type: ignore[call-overload]
    client.messages.stream(model="m", max_tokens=1, messages=[], stop_sequences="END")  # type: ignore[call-overload]
    client.messages.stream(model="m", max_tokens=1, messages=[], tool_choice={"type": "all"})  # type: ignore[call-overload]
    wrong: ToolParam = {"name": "search", "schema": {}}  # type: ignore[typeddict-item,typeddict-unknown-key]
    text: TextBlockParam = {"type": "txt", "text": ""}  # type: ignore[typeddict-item]
    return wrong, text


def test_a_program_with_types_is_a_program() -> None:
    with serving() as server:
        server.always = stream_reply(body(*HELLO))
        check_program(server)


def check_program(server: Server) -> None:
    with anthropic.Anthropic(api_key="key", base_url=server.url) as client:
        converse(client)
    first, second = (request.json() for request in server.requests)
    assert first["tools"][0] == json.loads(json.dumps(TOOL))
    assert first["messages"][0]["content"][1] == IMAGE
    assert "temperature" not in first
    assert "top_k" not in first
    roles = [(turn["role"], turn["content"]) for turn in second["messages"]]
    answer = [{"type": "text", "text": "Hello"}]
    assert roles[1:] == [
        ("assistant", answer),
        ("user", []),
        ("user", [{"type": "text", "text": "And?"}, {"type": "text", "text": "Well?"}]),
        ("assistant", answer),
    ]
