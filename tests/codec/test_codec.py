# ruff: noqa: E501  # tables of payloads, a line each
"""Payloads to events and back: what the wire says survives, what is wrong is named."""

from __future__ import annotations

import json
import math
import types
import typing
from typing import Any, Literal, Union

import anthropic.types as official
import anthropic.types.beta as official_beta
import attrs
import pydantic
import pytest
from helpers import STREAMS, example, for_each, payloads_of, stream_id, wire_types, without_nulls

import streamcore.types
from streamcore import DecodeError, LimitExceededError, MessageEngine, ProtocolError
from streamcore.codec import (
    converter,
    decode_event,
    decode_raw_event,
    encode_event,
    parse,
    structure_event,
)
from streamcore.types import (
    ContentBlockDeltaEvent,
    ContentBlockStartEvent,
    ErrorEvent,
    Message,
    MessageDeltaEvent,
    MessageStartEvent,
    MessageStreamEvent,
    PingEvent,
    RawContentBlockDeltaEvent,
    RawContentBlockStartEvent,
    RawMessageDeltaEvent,
    TextBlock,
    TextDelta,
    ToolUseBlock,
    UnknownBlock,
    UnknownCitation,
    UnknownDelta,
    UnknownEvent,
    UnknownResult,
    WireObject,
)

BLOCK_TYPES = """text, thinking, redacted_thinking, tool_use, server_tool_use, web_search_tool_result,
web_fetch_tool_result, code_execution_tool_result, bash_code_execution_tool_result,
text_editor_code_execution_tool_result, tool_search_tool_result, advisor_tool_result, mcp_tool_use, mcp_tool_result,
mcp_tool_listing, container_upload, compaction, fallback""".replace("\n", " ").split(", ")
DELTA_TYPES = [
    "text_delta",
    "input_json_delta",
    "thinking_delta",
    "signature_delta",
    "citations_delta",
    "compaction_delta",
]


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


def start_of(block: dict[str, Any]) -> bytes:
    return encoded({"type": "content_block_start", "index": 0, "content_block": block})


# What real streams hold


@pytest.mark.parametrize("path", STREAMS, ids=stream_id)
def test_every_recorded_payload_survives(path: Any) -> None:
    for payload in payloads_of(path.read_bytes()):
        try:
            value = json.loads(payload)
        except ValueError:
            with pytest.raises(DecodeError):
                decode_event(payload)
            continue
        if not isinstance(value, dict) or not isinstance(value.get("type"), str):
            with pytest.raises(DecodeError):
                decode_event(payload)
            continue
        event = decode_event(payload)
        assert without_nulls(event.to_dict()) == without_nulls(value)
        assert structure_event(value) == event
        assert decode_event(encode_event(event)) == event
        raw = decode_raw_event(payload)
        assert without_nulls(raw.to_dict()) == without_nulls(value)
        assert decode_raw_event(encode_event(raw)) == raw


@pytest.mark.parametrize("path", STREAMS, ids=stream_id)
def test_recorded_payloads_hold_no_type_that_is_new(path: Any) -> None:
    # The fixtures may hold some on purpose, and say so in their names.
    if "unknown" in path.name or "new" in path.name:
        return
    for payload in payloads_of(path.read_bytes()):
        try:
            event = decode_event(payload)
        except ProtocolError:
            continue
        assert "Unknown" not in repr(event)


# Every type there is


def members(union: Any) -> dict[str, type[WireObject]]:
    return {cls.type: cls for cls in map(origin, typing.get_args(union)) if isinstance(getattr(cls, "type", None), str)}


def origin(annotation: Any) -> Any:
    return typing.get_origin(annotation) or annotation


def test_every_block_and_delta_type_of_the_protocol_has_a_class() -> None:
    assert set(members(streamcore.types.ContentBlock)) == set(BLOCK_TYPES)
    assert len(BLOCK_TYPES) == 18
    assert set(members(streamcore.types.ContentBlockDelta)) == set(DELTA_TYPES)


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("cls", members(streamcore.types.ContentBlock).values(), ids=lambda cls: cls.type)
def test_every_block_type_is_decoded_to_its_class(cls: type[WireObject], full: bool) -> None:
    block = example(cls, full=full)
    event = decode_event(start_of(block.to_dict()))
    assert event == ContentBlockStartEvent(index=0, content_block=block)
    assert type(event.content_block) is cls


@pytest.mark.parametrize("cls", members(streamcore.types.ContentBlockDelta).values(), ids=lambda cls: cls.type)
def test_every_delta_type_is_decoded_to_its_class(cls: type[WireObject]) -> None:
    delta = example(cls)
    event = decode_event(encoded({"type": "content_block_delta", "index": 3, "delta": delta.to_dict()}))
    assert event == ContentBlockDeltaEvent(index=3, delta=delta)
    assert type(event.delta) is cls


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("cls", members(MessageStreamEvent).values(), ids=lambda cls: cls.type)
def test_every_event_is_encoded_and_decoded(cls: type[WireObject], full: bool) -> None:
    event = example(cls, full=full)
    assert decode_event(encode_event(event)) == event
    assert b"\n" not in encode_event(event)


# The same types in the official package

OFFICIAL_NAMES = {
    "MessageStartEvent": "BetaRawMessageStartEvent",
    "MessageDeltaEvent": "BetaRawMessageDeltaEvent",
    "MessageStopEvent": "BetaRawMessageStopEvent",
    "ContentBlockStartEvent": "BetaRawContentBlockStartEvent",
    "ContentBlockDeltaEvent": "BetaRawContentBlockDeltaEvent",
    "ContentBlockStopEvent": "BetaRawContentBlockStopEvent",
    "CompactionDelta": "BetaCompactionContentBlockDelta",
}


def official_models() -> list[tuple[type[WireObject], type[pydantic.BaseModel]]]:
    """Our classes, each with the official ones of the same name."""
    pairs = []
    for cls in wire_types():
        names = [(official_beta, OFFICIAL_NAMES.get(cls.__name__, f"Beta{cls.__name__}")), (official, cls.__name__)]
        found = [getattr(module, name, None) for module, name in names]
        pairs += [(cls, model) for model in found if isinstance(model, type) and issubclass(model, pydantic.BaseModel)]
    delta = official_beta.beta_raw_message_delta_event.Delta
    return [*pairs, (streamcore.types.MessageDelta, delta)]


every_official_model = for_each(official_models())


def test_most_of_our_types_have_an_official_twin() -> None:
    with_twin = {cls for cls, _ in official_models()}
    alone = {
        cls.__name__ for cls in wire_types() if cls not in with_twin and not cls.__name__.startswith(("Unknown", "Raw"))
    }
    assert alone == {
        "CacheMiss",
        "ErrorEvent",
        "ErrorObject",
        "PingEvent",
        "ToolAdditionBlock",
        "ToolRemovalBlock",
    }


@every_official_model
def test_every_official_field_is_a_field_of_ours(cls: type[WireObject], model: type[pydantic.BaseModel]) -> None:
    missing = {name for name in model.model_fields if not hasattr(cls, name) and name != "type"}
    assert missing == set()


@every_official_model
def test_what_is_required_of_ours_is_required_of_the_official_one(
    cls: type[WireObject], model: type[pydantic.BaseModel]
) -> None:
    # Else a payload that the API may send would be refused.
    required = {field.name for field in attrs.fields(cls) if field.default is attrs.NOTHING}
    assert required <= {
        name
        for name, field in model.model_fields.items()
        if field.is_required() and type(None) not in typing.get_args(field.annotation)
    } | ({"type"} if "type" in required else set())


@for_each([(*pair, full) for pair in official_models() for full in (True, False)])
def test_an_official_object_is_decoded_without_a_rest(
    cls: type[WireObject], model: type[pydantic.BaseModel], full: bool
) -> None:
    wire = official_example(model, full=full)
    value = converter.structure(wire, cls)
    assert without_nulls(value.to_dict()) == without_nulls(wire)
    # `estimated_tokens` is known, though it is kept with the unknown ones: see `ThinkingDelta`.
    assert set(extras_of(value)) <= {"estimated_tokens"}


def extras_of(value: Any) -> typing.Iterator[str]:
    if isinstance(value, WireObject):
        assert "Unknown" not in type(value).__name__, value
        yield from value.extra
        for field in attrs.fields(type(value)):
            yield from extras_of(getattr(value, field.name))
    elif isinstance(value, list):
        for item in value:
            yield from extras_of(item)


def official_example(annotation: Any, *, full: bool) -> Any:
    """JSON that the official type describes; from a union its first member, the null last."""
    origin_, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin_ is typing.Annotated or str(origin_).endswith("Required"):
        return official_example(arguments[0], full=full)
    if origin_ in (Union, types.UnionType):
        kinds = [item for item in arguments if item is not type(None)]
        return official_example(kinds[0], full=full) if full or len(kinds) == len(arguments) else None
    if origin_ is Literal:
        return arguments[0]
    if origin_ in (list, typing.List):  # noqa: UP006  # what their annotations say
        return [official_example(arguments[0], full=full)]
    if origin_ in (dict, typing.Dict) or annotation is object or annotation is Any:  # noqa: UP006
        return {"key": [1, None]}
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return {
            (field.alias or name): official_example(field.annotation, full=full)
            for name, field in annotation.model_fields.items()
            if full or field.is_required()
        }
    if typing.is_typeddict(annotation):
        hints = typing.get_type_hints(annotation)
        return {name: official_example(hints[name], full=full) for name in annotation.__required_keys__}
    examples: dict[str, Any] = {"str": "s", "int": 1, "float": 1.5, "bool": True, "datetime": "2026-01-01T00:00:00Z"}
    return examples[annotation.__name__]


@pytest.mark.parametrize(
    "name", ["BetaContentBlock", "BetaRawContentBlockDelta", "BetaTextCitation", "BetaRawMessageStreamEvent"]
)
def test_every_member_of_an_official_union_is_known(name: str) -> None:
    union = getattr(official_beta, name, None) or getattr(official_beta.beta_text_block, name)
    ours = {
        "BetaContentBlock": streamcore.types.ContentBlock,
        "BetaRawContentBlockDelta": streamcore.types.ContentBlockDelta,
        "BetaTextCitation": streamcore.types.TextCitation,
        "BetaRawMessageStreamEvent": MessageStreamEvent,
    }[name]
    models = typing.get_args(typing.get_args(union)[0])
    tags = {typing.get_args(model.model_fields["type"].annotation)[0] for model in models}
    assert len(tags) >= 5
    assert tags <= set(members(ours))


# New fields and types survive


@pytest.mark.parametrize(
    ("payload", "cls"),
    [
        ({"type": "brand_new", "index": 0, "content": [{"a": None}]}, UnknownEvent),
        ({"type": "ping", "at": 5}, PingEvent),
        ({"type": "message_start", "new": {"b": 1}, "message": {"id": "1", "type": "message", "role": "assistant", "model": "m", "content": [], "zone": [1]}}, MessageStartEvent),
        ({"type": "content_block_start", "index": 0, "content_block": {"type": "mirror", "image": "i"}}, ContentBlockStartEvent),
        ({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "", "lang": "fr"}}, ContentBlockStartEvent),
        ({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "", "citations": [{"type": "dream", "of": "x"}]}}, ContentBlockStartEvent),
        ({"type": "content_block_start", "index": 0, "content_block": {"type": "bash_code_execution_tool_result", "tool_use_id": "1", "content": {"type": "new_result", "x": 1}}}, ContentBlockStartEvent),
        ({"type": "content_block_start", "index": 0, "content_block": {"type": "web_search_tool_result", "tool_use_id": "1", "content": [{"type": "new_result", "x": 1}]}}, ContentBlockStartEvent),
        ({"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "1", "name": "n", "input": {"type": "text"}, "caller": {"type": "oracle", "age": 3}}}, ContentBlockStartEvent),
        ({"type": "content_block_delta", "index": 0, "delta": {"type": "smell_delta", "smell": "rose"}}, ContentBlockDeltaEvent),
        ({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "a", "logprob": -1.5}, "time": 3}, ContentBlockDeltaEvent),
        ({"type": "content_block_delta", "index": 0, "delta": {"type": "citations_delta", "citation": {"type": "dream"}}}, ContentBlockDeltaEvent),
        ({"type": "message_delta", "delta": {"stop_reason": "bored", "mood": "low"}, "usage": {"output_tokens": 1, "naps": 2, "iterations": [{"type": "nap", "input_tokens": 1}]}, "weather": "rain"}, MessageDeltaEvent),
        ({"type": "message_delta", "delta": {"stop_details": {"type": "nap", "long": True}, "container": {"id": "1", "expires_at": "x", "floor": 2}}, "usage": {}, "context_management": {"applied_edits": [{"type": "new_edit", "n": 1}], "m": 2}}, MessageDeltaEvent),
        ({"type": "error", "error": {"type": "tired_error", "message": "m", "hint": "sleep"}, "request_id": "r", "at": 1}, ErrorEvent),
    ],
)  # fmt: skip
def test_unknown_types_and_fields_survive(payload: dict[str, Any], cls: type[WireObject]) -> None:
    event = decode_event(encoded(payload))
    assert isinstance(event, cls)
    assert without_nulls(event.to_dict()) == without_nulls(payload)
    again = decode_event(encode_event(event))
    assert again == event
    assert again.to_dict() == event.to_dict()
    raw = decode_raw_event(encoded(payload))
    assert without_nulls(raw.to_dict()) == without_nulls(payload)


@pytest.mark.parametrize(
    "payload",
    [
        {"error": {"message": "busy"}},
        {"error": "busy"},
        {"type": None, "error": {"message": "busy"}},
        {"error": False},
        {"type": None, "error": False},
        {"error": None},
        {"cost": 1},
    ],
)
def test_a_payload_without_a_type_is_an_error_where_an_engine_takes_it_for_one(payload: dict[str, Any]) -> None:
    engine = MessageEngine()
    engine.receive_data(b"data: " + encoded(payload) + b"\n\n")
    try:
        expected = next(engine.events())
    except DecodeError:
        for decode in (decode_event, decode_raw_event):
            with pytest.raises(DecodeError, match="the payload has no type"):
                decode(encoded(payload))
    else:
        assert decode_event(encoded(payload)) == decode_raw_event(encoded(payload)) == expected


def test_nulls_of_unknown_fields_and_objects_are_kept() -> None:
    payload = {"type": "content_block_start", "index": 0, "content_block": {"type": "mirror", "image": None}}
    assert decode_event(encoded(payload)).to_dict() == payload
    payload = {"type": "ping", "at": None}
    assert decode_event(encoded(payload)).to_dict() == payload


def test_unknown_objects_have_classes_of_their_own() -> None:
    block = decode_event(start_of({"type": "mirror"}))
    assert isinstance(block, ContentBlockStartEvent)
    assert isinstance(block.content_block, UnknownBlock)
    text = decode_event(start_of({"type": "text", "text": "", "citations": [{"type": "dream"}]}))
    assert isinstance(text, ContentBlockStartEvent)
    assert isinstance(text.content_block, TextBlock)
    assert text.content_block.citations == [UnknownCitation(data={"type": "dream"})]
    delta = decode_event(encoded({"type": "content_block_delta", "index": 0, "delta": {"type": "smell_delta"}}))
    assert isinstance(delta, ContentBlockDeltaEvent)
    assert isinstance(delta.delta, UnknownDelta)
    result = {"type": "code_execution_tool_result", "tool_use_id": "1", "content": {"type": "new_result"}}
    event = decode_event(start_of(result))
    assert isinstance(event, ContentBlockStartEvent)
    assert isinstance(event.content_block, streamcore.types.CodeExecutionToolResultBlock)
    assert isinstance(event.content_block.content, UnknownResult)


def test_a_stop_reason_that_is_new_is_the_string_it_is() -> None:
    event = decode_event(b'{"type":"message_delta","delta":{"stop_reason":"bored"},"usage":{}}')
    assert isinstance(event, MessageDeltaEvent)
    assert event.delta.stop_reason == "bored"  # type: ignore[comparison-overlap]  # none of those known


def test_a_field_of_a_type_no_one_listed_is_not_taken_for_a_known_block() -> None:
    event = decode_event(start_of({"type": "tool_use", "id": "1", "name": "n", "input": {"type": "text", "text": 5}}))
    assert isinstance(event, ContentBlockStartEvent)
    assert isinstance(event.content_block, ToolUseBlock)
    assert event.content_block.input == {"type": "text", "text": 5}


def test_integers_of_any_size_are_exact() -> None:
    payload = (
        b'{"type":"brand_new","a":123456789012345678901234567890,"b":-9223372036854775809,"c":18446744073709551616}'
    )
    event = decode_event(payload)
    assert event.to_dict() == json.loads(payload)
    assert json.loads(encode_event(event)) == json.loads(payload)


def test_trailing_spaces_and_other_spaces_mean_nothing() -> None:
    assert decode_event(b'{"type":"message_stop"         }') == decode_event(b' \t{ "type" : "message_stop" }\r\n ')


def test_raw_events_keep_blocks_and_deltas_as_dicts() -> None:
    block = {"type": "text", "text": "", "citations": None}
    raw = decode_raw_event(start_of(block))
    assert isinstance(raw, RawContentBlockStartEvent)
    assert raw.content_block == block
    delta = {"type": "text_delta", "text": "a"}
    raw = decode_raw_event(encoded({"type": "content_block_delta", "index": 0, "delta": delta}))
    assert isinstance(raw, RawContentBlockDeltaEvent)
    assert raw.delta == delta
    raw = decode_raw_event(encoded({"type": "message_delta", "delta": {"stop_reason": None}, "usage": {}}))
    assert isinstance(raw, RawMessageDeltaEvent)
    assert raw.delta == {"stop_reason": None}


def test_equal_payloads_give_equal_events_whatever_was_decoded_before() -> None:
    # Some events are kept for the next time: one that came with an unknown field must not stand in for one without.
    plain, odd = b'{"type":"ping"}', b'{"type":"ping","n":1}'
    assert decode_event(plain) == decode_event(plain)
    assert decode_event(odd).extra == {"n": 1}
    assert decode_event(plain).extra == {}
    assert decode_event(bytes(plain)).to_dict() == {"type": "ping"}


def test_events_that_hold_what_can_be_changed_are_not_shared() -> None:
    for payload in (start_of({"type": "tool_use", "id": "1", "name": "n", "input": {}}), b'{"type":"new","a":{}}'):
        first, second = decode_event(payload), decode_event(payload)
        assert first == second
        assert first is not second
        changed: Any = first.data if isinstance(first, UnknownEvent) else first.content_block.input  # type: ignore[union-attr]  # a tool use
        with pytest.raises(TypeError):
            changed["a"] = 1
        assert decode_event(payload) == second


# Errors name the fault and its place


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"", ["not JSON"]),
        (b"{", ["not JSON"]),
        (b'{"type":"ping"', ["not JSON"]),
        (b'{"type":"ping"}}', ["not JSON"]),
        (b'{"type":"ping"} {"type":"ping"}', ["not JSON"]),
        (b"{'type':'ping'}", ["not JSON"]),
        (b'{"type":"ping","a":NaN}', ["not JSON"]),
        (b'{"type":"ping","a":"\n"}', ["not JSON"]),
        (b"<html>", ["not JSON"]),
        (b'{"type":"ping","a":"\xff"}', ["UTF-8"]),
        (b"[]", ["not an object", "array"]),
        (b"null", ["not an object", "null"]),
        (b'"ping"', ["not an object", "string"]),
        (b"5", ["not an object", "number"]),
        (b"true", ["not an object", "boolean"]),
        (b"{}", ["no type"]),
        (b'{"type":null}', ["no type"]),
        (b'{"type":5}', ["no type"]),
        (b'{"type":["ping"]}', ["no type"]),
        (b'{"Type":"ping"}', ["no type"]),
        (b'{"type":"content_block_stop"}', ["'index'", "missing"]),
        (b'{"type":"content_block_stop","index":null}', ["$.index", "integer", "null"]),
        (b'{"type":"content_block_stop","index":"0"}', ["index", "integer", "string"]),
        (b'{"type":"content_block_stop","index":0.5}', ["index", "integer"]),
        (b'{"type":"content_block_stop","index":true}', ["index", "integer", "boolean"]),
        (b'{"type":"content_block_start","index":0}', ["'content_block'", "missing"]),
        (b'{"type":"content_block_start","index":0,"content_block":[]}', ["content_block", "object", "array"]),
        (b'{"type":"content_block_start","index":0,"content_block":{}}', ["content_block", "type"]),
        (b'{"type":"content_block_start","index":0,"content_block":{"type":7}}', ["content_block", "type"]),
        (b'{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"","citations":{}}}', ["content_block.citations", "array"]),
        (b'{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"","citations":[{"type":"char_location"}]}}', ["content_block.citations[0]", "'cited_text'"]),
        (b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":5}}', ["delta.text", "string", "number"]),
        (b'{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":{}}}', ["delta.partial_json", "string", "object"]),
        (b'{"type":"content_block_delta","index":0,"delta":"text"}', ["delta", "object", "string"]),
        (b'{"type":"message_start"}', ["'message'", "missing"]),
        (b'{"type":"message_start","message":{"type":"memo","id":"1","model":"m"}}', ["message", "'memo'"]),
        (b'{"type":"message_start","message":{"id":"1","model":"m","content":[{"type":"text","text":""},{"type":"text","text":1}]}}', ["message.content[1].text", "string"]),
        (b'{"type":"message_delta","delta":[],"usage":{}}', ["delta", "object"]),
        (b'{"type":"message_delta","delta":{"stop_reason":3},"usage":{}}', ["delta.stop_reason", "string"]),
        (b'{"type":"message_delta","delta":{},"usage":{"output_tokens":"many"}}', ["usage.output_tokens", "integer"]),
    ],
)  # fmt: skip
def test_a_wrong_payload_is_an_error_that_says_where_and_what(payload: bytes, words: list[str]) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_event(payload)
    for word in words:
        assert word in caught.value.message
    assert caught.value.received is not None


@pytest.mark.parametrize("value", [{}, {"type": "content_block_stop"}, {"type": 5}, {"type": ["a"]}, {1: 2}])
def test_a_parsed_object_that_is_no_event_is_a_decode_error(value: dict[Any, Any]) -> None:
    with pytest.raises(DecodeError):
        structure_event(value)


@pytest.mark.parametrize("depth", [201, 1000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_a_payload_that_nests_too_deep_is_a_limit_error(depth: int, opening: bytes, closing: bytes) -> None:
    payload = b'{"type":"brand_new","a":' + opening * depth + b"1" + closing * depth + b"}"
    for decode in (decode_event, decode_raw_event, parse):
        with pytest.raises(LimitExceededError, match="200 levels"):
            decode(payload)
    unfinished = b'{"type":"brand_new","a":' + opening * depth
    with pytest.raises(ProtocolError):
        decode_event(unfinished)


def test_a_payload_as_deep_as_the_limit_passes_and_a_lower_limit_counts() -> None:
    payload = b'{"type":"brand_new","a":' + b"[" * 199 + b"]" * 199 + b"}"
    event = decode_event(payload)
    assert json.loads(encode_event(event)) == json.loads(payload)
    with pytest.raises(LimitExceededError, match="10 levels"):
        decode_event(payload, max_depth=10)


def test_many_brackets_side_by_side_are_not_deep() -> None:
    payload = b'{"type":"brand_new","a":[' + b",".join([b"[]"] * 1000) + b"]}"
    assert decode_event(payload).to_dict() == json.loads(payload)
    text = encoded({"type": "brand_new", "a": "[" * 1000})
    assert decode_event(text).to_dict()["a"] == "[" * 1000


def test_numbers_beyond_a_double_raise_only_our_own() -> None:
    for number in (b"1e999", b"-1e999", b"1" * 5000, b"0." + b"1" * 5000, b"1e-999"):
        try:
            event = decode_event(b'{"type":"brand_new","a":' + number + b"}")
        except ProtocolError:
            continue
        assert not math.isnan(event.to_dict()["a"])
        encode_event(event)


def test_the_converter_serves_any_wire_type() -> None:
    message = converter.structure({"id": "1", "type": "message", "model": "m", "content": []}, Message)
    assert converter.unstructure(message) == message.to_dict()
    assert converter.structure([{"type": "text", "text": "a"}], tuple[TextBlock, ...]) == (TextBlock(text="a"),)


def test_valid_json_that_no_float_or_no_utf_8_can_hold_is_decoded_all_the_same() -> None:
    event = decode_event(b'{"type":"new","surrogate":"\\ud83d","large":1e400,"none":null}')
    assert isinstance(event, UnknownEvent)
    assert event.data == {"type": "new", "surrogate": "\ud83d", "large": float("inf"), "none": None}
    delta = decode_event(b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\\ud83d"}}')
    assert delta == ContentBlockDeltaEvent(index=0, delta=TextDelta(text="\ud83d"))
    assert decode_event(encode_event(delta)) == delta


def test_json_of_a_lone_surrogate_can_be_encoded_and_says_the_rest_as_it_is() -> None:
    block = TextBlock(text="é\ud800b\U0001f600")
    assert block.model_dump_json() == '{"type":"text","text":"é\\ud800b\U0001f600"}'
    assert json.loads(block.to_json(indent=2).encode()) == block.to_dict()
