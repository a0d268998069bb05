"""What a caller writes, for mypy to read: `.ci/run` checks this file with the rest. Its test makes sure that it runs.

Each `assert_type` is a claim about what the type checker knows at that line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_type

from helpers import HELLO, body

from streamcore import (
    Message,
    MessageEngine,
    MessageStream,
    MessageStreamEvent,
    RawMessageDecoder,
    RawMessageStreamEvent,
)
from streamcore.types import (
    ContentBlock,
    ContentBlockDelta,
    ContentBlockDeltaEvent,
    ContentBlockStartEvent,
    InputJSONDelta,
    MessageDelta,
    MessageDeltaEvent,
    ParsedContentBlockStopEvent,
    ParsedMessageStreamEvent,
    RawContentBlockDeltaEvent,
    RawContentBlockStartEvent,
    RawContentBlockStopEvent,
    RawMessageDeltaEvent,
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


def by_raw_match(event: MessageStreamEvent | ParsedMessageStreamEvent) -> str:
    match event:
        case RawContentBlockDeltaEvent(delta=TextDelta(text=text)):
            assert_type(text, str)
            return text
        case RawContentBlockDeltaEvent():
            assert_type(event, ContentBlockDeltaEvent)
            assert_type(event.delta, ContentBlockDelta)
        case RawContentBlockStartEvent(content_block=ToolUseBlock(name=name)):
            assert_type(name, str)
        case RawMessageDeltaEvent():
            assert_type(event, MessageDeltaEvent)
            assert_type(event.delta, MessageDelta)
    return ""


def by_raw_isinstance(event: ParsedMessageStreamEvent) -> str:
    if isinstance(event, RawContentBlockStopEvent):
        assert_type(event, ParsedContentBlockStopEvent)
    if isinstance(event, RawContentBlockDeltaEvent) and isinstance(event.delta, TextDelta):
        return text_of_raw(event)
    return ""


def text_of_raw(event: RawContentBlockDeltaEvent) -> str:
    return str(event.delta["text"] if isinstance(event.delta, dict) else event.delta.text)


def by_dict(event: RawMessageStreamEvent) -> str:
    # An event of a decoder, or a typed one.
    return text_of_raw(event) if isinstance(event, RawContentBlockDeltaEvent) else ""


def test_a_typed_event_is_an_instance_of_its_raw_class_and_never_equal_to_one() -> None:
    engine, decoder = MessageEngine(), RawMessageDecoder()
    for receiver in (engine, decoder):
        receiver.receive_data(body(*HELLO))
    typed, raw = list(engine.events()), list(decoder.events())
    names = ("RawContentBlockStartEvent", "RawContentBlockDeltaEvent", "RawMessageDeltaEvent")
    for mine, dicts in zip(typed, raw, strict=True):
        is_raw = any(cls.__name__ in names for cls in type(dicts).__mro__)
        assert isinstance(mine, type(dicts))
        assert (mine != dicts and dicts != mine and not isinstance(dicts, type(mine))) is is_raw
    texts = [by_raw_match(event) for event in typed]
    assert any(texts)
    assert [by_dict(event) for event in raw] == texts
    assert [by_dict(event) for event in typed] == texts
    assert "".join(map(by_raw_isinstance, MessageStream([body(*HELLO)]))) == "".join(texts)


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
