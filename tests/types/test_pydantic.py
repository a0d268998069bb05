"""Wire types and the dicts of requests in pydantic: adapters, models and JSON Schema."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Annotated, Any, Generic, Optional, TypeVar

import anthropic.types
import jsonschema
import pydantic
import pytest
from helpers import example, wire_types
from pydantic import Field, TypeAdapter, ValidationError

import streamcore.types
from streamcore.types import (
    CacheControlEphemeralParam,
    ContentBlock,
    ContentBlockDeltaEvent,
    ContentBlockStartEvent,
    Message,
    MessageDeltaEvent,
    MessageParam,
    MessageStreamEvent,
    ParsedMessageStreamEvent,
    PingEvent,
    RawContentBlockDeltaEvent,
    RawMessageStreamEvent,
    TextBlock,
    TextDelta,
    ToolUnionParam,
    ToolUseBlock,
    UnknownBlock,
)

WIRE: dict[str, Any] = {
    "type": "message",
    "id": "msg_1",
    "model": "m",
    "role": "assistant",
    "content": [{"type": "text", "text": "a", "citations": []}, {"type": "zork", "x": [1, None]}],
    "stop_reason": None,
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 2},
    "zone": {"a": None},
}
MESSAGE = Message.from_dict(WIRE)
MESSAGES: TypeAdapter[Message] = TypeAdapter(Message)
EVENTS: TypeAdapter[MessageStreamEvent] = TypeAdapter(MessageStreamEvent)
BLOCKS: TypeAdapter[ContentBlock] = TypeAdapter(ContentBlock)
PARAMS: TypeAdapter[list[MessageParam]] = TypeAdapter(list[MessageParam])


class Answer(pydantic.BaseModel):
    x: int


class Stored(pydantic.BaseModel):
    message: Message
    typed: Message[Answer] | None = None
    block: Optional[TextBlock] = None  # noqa: UP045  # programs write it
    blocks: list[ContentBlock] = []
    event: MessageStreamEvent | None = None
    either: Answer | Message | None = None
    params: list[MessageParam] = []


def faults(error: ValidationError) -> list[tuple[tuple[Any, ...], str]]:
    return [(fault["loc"], fault["msg"]) for fault in error.errors()]


def refused(adapter: TypeAdapter[Any], value: Any) -> list[tuple[tuple[Any, ...], str]]:
    with pytest.raises(ValidationError) as caught:
        adapter.validate_python(value)
    return faults(caught.value)


# Reading and writing


TYPES = [cls for cls in wire_types() if not cls.__name__.startswith("Raw")]


def test_every_type_goes_through_pydantic_and_back() -> None:
    for cls in TYPES:
        adapter: TypeAdapter[Any] = TypeAdapter(cls)
        for value in (example(cls), example(cls, full=False)):
            wire = value.to_dict()
            assert adapter.validate_python(value) is value
            read = [adapter.validate_python(wire)]
            if "NaN" not in value.to_json():
                read.append(adapter.validate_json(value.to_json()))
            assert [type(one) for one in read] == [cls] * len(read)
            assert [one.to_dict() for one in read] == [wire] * len(read)
            assert adapter.dump_python(value) == adapter.dump_python(value, mode="json") == wire
            assert json.loads(adapter.dump_json(value)) == wire


def test_unions_find_the_class_by_the_type() -> None:
    unions: list[Any] = [MessageStreamEvent, ParsedMessageStreamEvent, ContentBlock]
    for union in unions:
        adapter: TypeAdapter[Any] = TypeAdapter(union)
        for member in union.__args__:
            value = example(getattr(member, "__origin__", member))
            read = adapter.validate_python(value.to_dict())
            assert type(read) is type(value)
            assert adapter.validate_python(value) is value
            assert adapter.dump_python(value) == value.to_dict()
    assert type(BLOCKS.validate_python({"type": "zork", "x": 1})) is UnknownBlock
    # A wrong value, or one without a type, does not become an object of an unknown type.
    assert (("function-wrap[TextBlock()]", "text"), "expected a string, got a number") in refused(
        BLOCKS, {"type": "text", "text": 5}
    )
    assert len(refused(BLOCKS, {"text": "a"})) == len(refused(EVENTS, {})) + 10
    assert EVENTS.validate_python({"type": "ping"}) == PingEvent()
    delta: TypeAdapter[Any] = TypeAdapter(ContentBlockDeltaEvent[TextDelta])
    assert delta.validate_python(example(ContentBlockDeltaEvent)).index == example(ContentBlockDeltaEvent).index


def test_a_union_may_name_the_type_as_its_discriminator() -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(Annotated[TextBlock | ToolUseBlock, Field(discriminator="type")])
    block = TextBlock(text="a")
    assert adapter.validate_python(block) is block
    assert adapter.validate_json(adapter.dump_json(block)) == block
    tool = {"type": "tool_use", "id": "1", "name": "search", "input": {}}
    assert adapter.validate_python(tool) == ToolUseBlock.from_dict(tool)
    assert refused(adapter, {"type": "text", "text": 5}) == [(("text", "text"), "expected a string, got a number")]
    assert "does not match any of the expected tags" in refused(adapter, {"type": "zork"})[0][1]
    assert adapter.json_schema()["discriminator"]["propertyName"] == "type"


def test_a_model_of_a_type_that_is_known_is_not_of_an_unknown_one() -> None:
    unknown = TypeAdapter(UnknownBlock)
    known = anthropic.types.TextBlock(type="text", text="a")
    assert refused(unknown, known)[0][0] == ("type",)
    with pytest.raises(ValidationError):
        unknown.validate_python({"type": "text", "text": "a"})


def test_raw_events_are_read_as_the_typed_ones() -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)
    for cls in (ContentBlockStartEvent, ContentBlockDeltaEvent, MessageDeltaEvent):
        event = example(cls)
        assert adapter.validate_python(event.to_dict()) == event
        assert "$defs" in TypeAdapter(cls).json_schema()
    raw = RawContentBlockDeltaEvent(index=0, delta={"type": "text_delta", "text": "a"})
    assert adapter.validate_python(raw) is raw
    assert adapter.dump_python(raw) == raw.to_dict()
    assert adapter.validate_python({**raw.to_dict(), "index": 1}).delta == TextDelta(text="a")


def test_models_of_the_official_package_are_read() -> None:
    theirs = anthropic.types.Message.construct(**WIRE)
    assert MESSAGES.validate_python(theirs) == MESSAGE
    assert BLOCKS.validate_python(anthropic.types.TextBlock(type="text", text="a")) == TextBlock(text="a")


def test_wrong_input_is_an_error_of_pydantic_at_its_place_in_our_words() -> None:
    assert refused(MESSAGES, {**WIRE, "content": [*WIRE["content"], {"type": "text", "text": 5}], "id": 1}) == [
        (("id",), "expected a string, got a number"),
        (("content", 2, "text"), "expected a string, got a number"),
    ]
    assert refused(MESSAGES, {}) == [(("type",), "the type must be 'message'")]
    assert refused(MESSAGES, 5) == [((), "expected an object, got a number")]
    assert refused(MESSAGES, TextBlock(text="a")) == [((), "expected an object, got a TextBlock")]
    with pytest.raises(ValidationError) as caught:
        Stored.model_validate({"message": {**WIRE, "usage": {"input_tokens": "{x}"}}})
    assert faults(caught.value) == [(("message", "usage", "input_tokens"), "expected an integer, got a string")]
    assert "wire_form" in repr(caught.value)


def test_fields_of_models() -> None:
    stored = Stored.model_validate(
        {
            "message": WIRE,
            "typed": MESSAGE,
            "block": {"type": "text", "text": "a"},
            "blocks": MESSAGE.content,
            "event": {"type": "ping"},
            "either": {"x": 1},
            "params": [{"role": "assistant", "content": MESSAGE.content}],
        }
    )
    assert stored.message == stored.typed == MESSAGE
    assert stored.blocks == MESSAGE.content
    assert stored.either == Answer(x=1)
    assert Stored.model_validate_json(stored.model_dump_json()).message == MESSAGE
    assert Stored(message=MESSAGE, either=MESSAGE).model_dump()["either"] == WIRE
    assert stored.model_dump(include={"message": {"content": {0: {"text"}}}}) == {
        "message": {"content": [{"text": "a"}]}
    }
    assert stored.model_dump(exclude={"message": {"zone"}}, exclude_none=True)["message"] == MESSAGE.model_dump(
        exclude={"zone"}, exclude_none=True
    )
    with pytest.warns(UserWarning, match="a int is not a type of streamcore"):
        Stored.model_construct(message=5).model_dump()


# Requests


def test_dicts_of_requests_stay_dicts_and_objects_stay_objects() -> None:
    text = {"type": "text", "text": "a", "new": 1}
    tool = {"type": "tool_use", "id": "1", "name": "n", "input": {"a": [1]}}
    result = {"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text", "text": "b"}]}
    search = {"type": "web_search_tool_result", "tool_use_id": "1", "content": []}
    given = [
        {"role": "user", "content": "hi", "new": 1},
        {"role": "assistant", "content": [text, tool, search, {"type": "zork"}, TextBlock(text="a")]},
        {"role": "user", "content": [result]},
        {"role": "system", "content": [TextBlock(text="a"), {"type": "text", "text": "a"}]},
    ]
    assert PARAMS.validate_python(given) == given
    lazy = [{"role": "user", "content": (block for block in [text])}, {"role": "user", "content": (text,)}]
    assert PARAMS.validate_python(lazy) == [{"role": "user", "content": [text]}] * 2
    official = [{"role": "assistant", "content": [anthropic.types.TextBlock(type="text", text="a")]}]
    assert PARAMS.validate_python(official) == [{"role": "assistant", "content": [TextBlock(text="a")]}]
    dumped = json.loads(PARAMS.dump_json(PARAMS.validate_python(given)))
    assert dumped[1]["content"] == [text, tool, search, {"type": "zork"}, {"type": "text", "text": "a"}]
    assert PARAMS.validate_python(dumped) == dumped


@pytest.mark.parametrize("kind", [["text"], {}, None, 5])
def test_a_block_of_a_request_with_a_type_that_is_wrong_is_refused(kind: Any) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(MessageParam)
    assert refused(adapter, {"role": "user", "content": [{"type": kind, "text": "a"}]})


def test_wrong_dicts_of_requests_are_errors_of_their_own_class_only() -> None:
    assert refused(PARAMS, [{"role": "wrong", "content": []}])[0][0] == (0,)
    content = [{"type": "text", "text": 5}, {"type": "thinking"}, {"type": "web_search_tool_result", "content": 5}]
    found = refused(PARAMS, [{"role": "user", "content": content}])
    places = [loc[4:] for loc, _ in found if loc[3] != "str"]
    assert places == [
        (0, "text", "text"),
        (1, "thinking", "thinking"),
        (1, "thinking", "signature"),
        (2, "block of an answer"),
        (2, "block of an answer", "content"),
    ]
    assert len(refused(PARAMS, [{"role": "user", "content": [5]}])) == 2


def test_every_type_of_a_request_is_described() -> None:
    names = [name for name in streamcore.types.__all__ if name.endswith("Param")]  # type: ignore[attr-defined]
    adapters: Any = [(name, "validation", TypeAdapter(getattr(streamcore.types, name))) for name in names]
    refs, schema = TypeAdapter.json_schemas(adapters)
    assert len(refs) == len(names) > 60
    jsonschema.Draft202012Validator.check_schema(schema)
    caching: TypeAdapter[Any] = TypeAdapter(CacheControlEphemeralParam)
    assert caching.validate_python({"type": "ephemeral", "ttl": "5m", "new": 1})["new"] == 1
    tools: TypeAdapter[Any] = TypeAdapter(list[ToolUnionParam])
    given = [{"name": "n", "input_schema": {"type": "object"}}, {"type": "web_search_20250305", "name": "web_search"}]
    assert tools.validate_python(given) == given


# JSON Schema


def test_the_schema_of_a_message_describes_its_wire_form() -> None:
    schema = MESSAGES.json_schema()
    assert schema == MESSAGES.json_schema(mode="serialization")
    assert schema["properties"]["type"]["const"] == "message"
    assert schema["required"] == ["type", "id", "model"]
    assert schema["description"] == "The answer of the model."
    assert set(schema["properties"]) == set(Message.model_fields)
    known, unknown = schema["properties"]["content"]["items"]["anyOf"]
    assert known["discriminator"]["mapping"]["tool_use"] == "#/$defs/ToolUseBlock"
    assert unknown == {"$ref": "#/$defs/UnknownBlock"}
    words, others, null = schema["properties"]["stop_reason"]["anyOf"]
    assert "end_turn" in words["enum"]
    assert (others["type"], null["type"]) == ("string", "null")
    assert "from" in schema["$defs"]["FallbackBlock"]["properties"]
    assert Message.model_json_schema() == schema
    jsonschema.validate(WIRE, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**WIRE, "type": "text"}, schema)


def test_every_example_fits_the_schema_of_its_type() -> None:
    adapters: Any = [(cls, "validation", TypeAdapter(cls)) for cls in TYPES]
    refs, schema = TypeAdapter.json_schemas(adapters)
    jsonschema.Draft202012Validator.check_schema(schema)
    for cls in TYPES:
        one = jsonschema.Draft202012Validator({**refs[cls, "validation"], "$defs": schema["$defs"]})
        for full in (True, False):
            one.validate(example(cls, full=full).to_dict())


T = TypeVar("T")


class Box(pydantic.BaseModel, Generic[T]):
    value: T


def test_generic_models() -> None:
    assert Box[Message].model_validate({"value": WIRE}).value == MESSAGE
    assert Box[list[ToolUseBlock]].model_json_schema()["properties"]["value"]["items"] == {
        "$ref": "#/$defs/ToolUseBlock"
    }


def test_pydantic_is_not_loaded_by_the_types() -> None:
    code = """
import sys
from streamcore.types import Message, MessageParam
message = Message.from_json('{"type":"message","id":"1","model":"m","content":[]}')
message.model_dump_json(include={"id"}), message.model_copy(update={"id": "2"}), Message.model_fields
print([name for name in sys.modules if name.startswith("pydantic")])
"""
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"
