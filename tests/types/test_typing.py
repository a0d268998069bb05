"""What a caller writes, for mypy to read: `.ci/run` checks this file with the rest. Its test makes sure that it runs.

Each `assert_type` is a claim about what the type checker knows at that line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_type

from helpers import HELLO, body

from streamcore import Message, MessageEngine, MessageStreamEvent
from streamcore.types import (
    ContentBlock,
    ContentBlockDeltaEvent,
    ContentBlockStartEvent,
    InputJSONDelta,
    MessageDeltaEvent,
    TextBlock,
    TextDelta,
    ThinkingDelta,
    ToolUseBlock,
)


def by_type_string(event: MessageStreamEvent) -> str:
    if event.type == "message_start":
        assert_type(event.message, Message)
        return event.message.id
    if event.type == "content_block_delta":
        if event.delta.type == "text_delta":
            assert_type(event.delta, TextDelta)
            return event.delta.text
        if event.delta.type == "input_json_delta":
            assert_type(event.delta.partial_json, str)
            return event.delta.partial_json
    elif event.type == "content_block_start":
        if event.content_block.type == "tool_use":
            assert_type(event.content_block, ToolUseBlock)
            return event.content_block.name
    elif event.type == "message_delta":
        assert_type(event, MessageDeltaEvent)
        assert_type(event.usage.output_tokens, int | None)
        return str(event.usage.output_tokens)
    return event.type


def by_match(event: MessageStreamEvent) -> str:
    match event:
        case ContentBlockDeltaEvent(delta=TextDelta(text=text)):
            assert_type(text, str)
            return text
        case ContentBlockDeltaEvent(delta=InputJSONDelta(partial_json=fragment)):
            return fragment
        case ContentBlockDeltaEvent(delta=ThinkingDelta(thinking=thinking)):
            return thinking
        case ContentBlockStartEvent(content_block=TextBlock() | ToolUseBlock() as block):
            assert_type(block, TextBlock | ToolUseBlock)
            return block.type
        case _:
            return ""


def with_constants() -> tuple[TextBlock, list[ContentBlock]]:
    """Constructors take the constants, and arrays are lists for functions of the program that take lists."""
    block = TextBlock(type="text", text="a")
    message = Message(type="message", role="assistant", id="1", model="m", content=[block])
    assert_type(message.content, list[ContentBlock])
    assert_type(Message.from_dict(message.to_dict()), Message)
    if TYPE_CHECKING:
        TextBlock(type="thinking", text="a")  # type: ignore[arg-type]
    return block, message.content + [block]  # noqa: RUF005  # programs write it


def by_items(content: list[ContentBlock]) -> str:
    match content:
        case [TextBlock(type="text", text=first), *_]:
            assert_type(first, str)
            return first
        case _:
            return ""


def test_constants_and_lists() -> None:
    block, content = with_constants()
    assert by_items(content) == block.text


def test_events_are_told_apart_by_their_type_and_by_match() -> None:
    engine = MessageEngine()
    engine.receive_data(body(*HELLO))
    events = list(engine.events())
    texts = [
        event.delta.text for event in events if event.type == "content_block_delta" and event.delta.type == "text_delta"
    ]
    assert texts
    assert [by_match(event) for event in events if by_match(event) in texts] == texts
    assert [by_type_string(event) for event in events if by_type_string(event) in texts] == texts
