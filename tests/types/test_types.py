"""The types as values: they compare, hash, print, match, copy and pickle; and their wire form."""

from __future__ import annotations

import copy
import json
import pickle
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from helpers import example, for_each, wire_types

import streamcore.types
from streamcore._objects.immutable import ImmutableList
from streamcore.codec import converter, decode_event
from streamcore.types import (
    CitationCharLocation,
    CitationsDelta,
    CitationsSearchResultLocation,
    ContentBlockDeltaEvent,
    ContentBlockStartEvent,
    FallbackBlock,
    FallbackInfo,
    Message,
    MessageStopEvent,
    TextBlock,
    TextDelta,
    ThinkingBlock,
    ThinkingDelta,
    ToolUseBlock,
    Unknown,
    UnknownBlock,
    Usage,
    WebSearchResultBlock,
    WebSearchToolResultBlock,
    WireObject,
)
from streamcore.types.base import absent, extend

if TYPE_CHECKING:
    from streamcore import MessageStreamEvent

every_type = for_each([(cls,) for cls in wire_types()])
every_known_type = for_each([(cls,) for cls in wire_types() if not issubclass(cls, Unknown)])
every_example = for_each([(cls, full) for cls in wire_types() for full in (True, False)])


def with_unknown_field() -> Message:
    wire = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [],
        "zone": {"a": [1, None]},
    }
    message: Message = converter.structure(wire, Message)
    return message


# Values


@every_example
def test_equal_by_value_and_not_by_identity(cls: type[WireObject], full: bool) -> None:
    assert example(cls, full=full) == example(cls, full=full)
    assert not example(cls, full=full) != example(cls, full=full)  # noqa: SIM202  # `!=` has code of its own


def test_values_of_different_classes_differ() -> None:
    values = [TextDelta(text="a"), ThinkingDelta(thinking="a"), TextBlock(text="a"), TextBlock(text="a", citations=[])]
    others: list[object] = [*values, {"type": "text", "text": "a"}, "a", None]
    for position, value in enumerate(values):
        assert [value == other for other in others].index(True) == position
        assert [value != other for other in others].count(True) == len(others) - 1


@every_type
def test_frozen_in_every_field(cls: type[WireObject]) -> None:
    value = example(cls)
    before = copy.deepcopy(value)
    for field in attrs.fields(cls):
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            setattr(value, field.name, None)
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            delattr(value, field.name)
    assert value == before


@every_type
def test_slotted(cls: type[WireObject]) -> None:
    assert not hasattr(example(cls), "__dict__")
    with pytest.raises((AttributeError, TypeError)):
        example(cls).made_up = 1


def test_an_object_with_unknown_fields_is_frozen_and_slotted_too() -> None:
    message = with_unknown_field()
    assert not hasattr(message, "__dict__")
    for name in ("id", "extra", "zone"):
        with pytest.raises(AttributeError):
            setattr(message, name, None)


def test_the_extra_of_an_object_without_unknown_fields_cannot_be_written() -> None:
    with pytest.raises(TypeError):
        TextBlock(text="a").extra["b"] = 1  # type: ignore[index]
    assert TextBlock(text="b").extra == {}


def test_hashable_where_all_fields_are() -> None:
    assert hash(TextDelta(text="a")) == hash(TextDelta(text="a"))
    citation = CitationsSearchResultLocation(
        cited_text="a", search_result_index=0, source="s", title=None, start_block_index=0, end_block_index=1
    )
    blocks = {
        TextBlock(text="a", citations=[citation]),
        TextBlock(text="a", citations=[citation]),
        TextBlock(text="b"),
    }
    assert len(blocks) == 2
    assert len({Message(id="1", model="m", content=[TextBlock(text="a")]), Message(id="1", model="m")}) == 2


def test_hashable_where_a_field_is_a_dict() -> None:
    first, second = (ToolUseBlock(id="1", name="n", input={"a": [1]}) for _ in range(2))
    assert hash(first) == hash(second)


@every_example
def test_prints_its_class_and_its_fields(cls: type[WireObject], full: bool) -> None:
    value = example(cls, full=full)
    assert repr(value).startswith(f"{cls.__name__}(")
    namespace = vars(streamcore.types)
    assert eval(repr(value), dict(namespace)) == value  # our own text


def test_unknown_fields_are_printed() -> None:
    assert "'zone': {'a': [1, None]}" in repr(with_unknown_field())
    assert repr(with_unknown_field()).startswith("Message(")


@every_type
def test_fields_are_named_and_not_counted(cls: type[WireObject]) -> None:
    if attrs.fields(cls):
        with pytest.raises(TypeError):
            cls("a")  # type: ignore[call-arg]


# Match statements


def described(event: MessageStreamEvent) -> str:
    match event:
        case ContentBlockDeltaEvent(index=index, delta=TextDelta(text=text)):
            return f"{index}: {text}"
        case ContentBlockDeltaEvent(delta=CitationsDelta(citation=CitationCharLocation(cited_text=cited))):
            return f"cites {cited}"
        case ContentBlockStartEvent(content_block=ToolUseBlock(name=name)):
            return f"calls {name}"
        case ContentBlockStartEvent(content_block=UnknownBlock(data={"image": image})):
            return f"mirrors {image}"
        case MessageStopEvent():
            return "stops"
        case other:
            return other.type


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b'{"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"a"}}', "2: a"),
        (b'{"type":"content_block_delta","index":2,"new":1,"delta":{"type":"text_delta","text":"a","new":1}}', "2: a"),
        (
            (
                b'{"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":{"cited_text":"c",'
                b'"type":"char_location","document_index":0,"start_char_index":0,"end_char_index":1}}}'
            ),
            "cites c",
        ),
        (
            b'{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"1","name":"n","input":{}}}',
            "calls n",
        ),
        (b'{"type":"content_block_start","index":0,"content_block":{"type":"mirror","image":"i"}}', "mirrors i"),
        (b'{"type":"message_stop"}', "stops"),
        (b'{"type":"ping"}', "ping"),
        (b'{"type":"brand_new"}', "brand_new"),
    ],
)
def test_events_are_matched_by_class_and_field(payload: bytes, expected: str) -> None:
    assert described(decode_event(payload)) == expected


# Copies


@every_example
def test_pickle_gives_an_equal_value_of_the_same_class(cls: type[WireObject], full: bool) -> None:
    value = example(cls, full=full)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        restored = pickle.loads(pickle.dumps(value, protocol))
        assert restored == value
        assert type(restored) is cls
        assert restored.to_dict() == value.to_dict()


@every_example
def test_copies_are_equal(cls: type[WireObject], full: bool) -> None:
    value = example(cls, full=full)
    for copied in (copy.copy(value), copy.deepcopy(value)):
        assert copied == value
        assert type(copied) is cls
        assert copied.to_dict() == value.to_dict()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_unknown_fields_survive_pickle_and_copies(protocol: int) -> None:
    message = with_unknown_field()
    for copied in (pickle.loads(pickle.dumps(message, protocol)), copy.copy(message), copy.deepcopy(message)):
        assert copied == message
        assert type(copied) is type(message)
        assert isinstance(copied, Message)
        assert copied.extra == {"zone": {"a": [1, None]}}
        assert copied.to_dict() == message.to_dict()


def test_a_deep_copy_shares_no_input() -> None:
    block = ToolUseBlock(id="1", name="n", input={"a": []})
    copied = copy.deepcopy(block)
    copied.input["a"].append(1)
    assert block.input == {"a": []}


def test_evolve_keeps_unknown_fields() -> None:
    evolved = attrs.evolve(with_unknown_field(), model="other")
    assert evolved.model == "other"
    assert evolved.extra == {"zone": {"a": [1, None]}}
    assert evolved.to_dict()["zone"] == {"a": [1, None]}


def test_values_that_differ_in_an_unknown_field_differ() -> None:
    message = with_unknown_field()
    plain = Message(id="msg_1", model="m")
    assert message != plain
    assert plain != message
    assert with_unknown_field() == message


def test_partial_input_does_not_come_between_equal_values() -> None:
    # It says how the value came about, and has no wire form.
    block = ToolUseBlock(id="1", name="n", input={}, partial_input='{"a')
    assert block == ToolUseBlock(id="1", name="n", input={})
    assert "partial_input" not in block.to_dict()
    assert "partial_input" not in block.to_param()
    assert pickle.loads(pickle.dumps(block)).partial_input == '{"a'


# The wire form


@every_example
def test_to_dict_and_structure_are_inverse(cls: type[WireObject], full: bool) -> None:
    value = example(cls, full=full)
    assert converter.structure(value.to_dict(), cls) == value


@every_example
def test_all_wire_forms_agree(cls: type[WireObject], full: bool) -> None:
    value = example(cls, full=full)
    wire = value.to_dict()
    assert value.model_dump() == wire
    assert json.loads(value.to_json()) == wire
    assert "\n" not in value.model_dump_json()
    assert value.model_dump_json() == value.to_json(indent=None)
    assert value.to_json() == value.model_dump_json(indent=2)
    assert json.loads(value.model_dump_json()) == wire
    assert cls.from_dict(wire).to_dict() == cls.from_json(value.to_json()).to_dict() == wire
    assert converter.unstructure(value) == wire


def test_json_is_indented_by_the_number_asked_for() -> None:
    assert TextDelta(text="é").to_json() == '{\n  "type": "text_delta",\n  "text": "é"\n}'
    assert TextDelta(text="é").to_json(indent=4) == '{\n    "type": "text_delta",\n    "text": "é"\n}'


@every_known_type
def test_to_dict_is_plain_and_starts_with_the_type(cls: type[WireObject]) -> None:
    def check(item: Any) -> None:
        assert type(item) in (dict, list, str, int, float, bool, type(None))
        for inner in item.values() if isinstance(item, dict) else item if isinstance(item, list) else ():
            check(inner)

    wire = example(cls).to_dict()
    check(wire)
    tag = getattr(cls, "type", None)
    if isinstance(tag, str):
        assert next(iter(wire.items())) == ("type", tag)


@every_type
def test_to_dict_is_safe_to_change(cls: type[WireObject]) -> None:
    def scramble(item: Any) -> None:
        for inner in list(item.values()) if isinstance(item, dict) else list(item) if isinstance(item, list) else ():
            scramble(inner)
        if isinstance(item, (dict, list)):
            item.clear()

    value = example(cls)
    before = copy.deepcopy(value)
    scramble(value.to_dict())
    scramble(value.to_param())
    assert value == before


def test_absent_fields_are_left_out_but_for_those_the_api_always_sends() -> None:
    assert TextBlock(text="a").to_dict() == {"type": "text", "text": "a"}
    message = Message(id="1", model="m", usage=Usage(input_tokens=1, output_tokens=2)).to_dict()
    assert message == {
        "type": "message",
        "id": "1",
        "model": "m",
        "role": "assistant",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 2},
    }


def test_from_is_written_under_its_own_name() -> None:
    block = FallbackBlock(from_=FallbackInfo(model="a"), to=FallbackInfo(model="b"))
    assert block.to_dict() == {"type": "fallback", "from": {"model": "a"}, "to": {"model": "b"}}


def test_integers_of_any_size_are_exact_in_json() -> None:
    block = ToolUseBlock(id="1", name="n", input={"a": 10**60, "b": 2**63, "c": -(2**64)})
    assert json.loads(block.to_json())["input"] == {"a": 10**60, "b": 2**63, "c": -(2**64)}


# The message as input of the next request


def test_to_param_is_the_role_and_the_content() -> None:
    citation = CitationCharLocation(
        cited_text="c", document_index=0, document_title=None, start_char_index=0, end_char_index=1, file_id="file_1"
    )
    message = Message(
        id="1",
        model="m",
        stop_reason="tool_use",
        content=[
            ThinkingBlock(thinking="hm", signature="sig"),
            TextBlock(text="a", citations=[citation]),
            ToolUseBlock(id="2", name="n", input={"q": None}),
        ],
    )
    assert message.to_param() == {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "sig"},
            {
                "type": "text",
                "text": "a",
                "citations": [
                    {
                        "type": "char_location",
                        "cited_text": "c",
                        "document_index": 0,
                        "document_title": None,
                        "start_char_index": 0,
                        "end_char_index": 1,
                    }
                ],
            },
            {"type": "tool_use", "id": "2", "name": "n", "input": {"q": None}},
        ],
    }
    assert citation.to_dict()["file_id"] == "file_1"


def test_to_param_keeps_fields_that_the_request_requires_even_as_null() -> None:
    # `title` and `document_title` are required members of the citations that a request may hold.
    citation = CitationsSearchResultLocation(
        cited_text="c", search_result_index=0, source="s", title=None, start_block_index=0, end_block_index=1
    )
    assert citation.to_param()["title"] is None


def test_to_param_reaches_into_tool_results() -> None:
    result = WebSearchResultBlock(title="t", url="u", encrypted_content="e", page_age=None)
    block = WebSearchToolResultBlock(tool_use_id="1", content=(result,))
    assert block.to_param()["content"][0]["encrypted_content"] == "e"


# Lists and unknown objects


def test_content_is_a_list_at_every_level() -> None:
    result = {"type": "web_search_result", "title": "t", "url": "u", "encrypted_content": "e", "page_age": None}
    block = {"type": "web_search_tool_result", "tool_use_id": "1", "content": [result]}
    message = converter.structure({"id": "1", "type": "message", "model": "m", "content": [block]}, Message)
    assert type(message.content) is ImmutableList
    (found,) = message.content
    assert isinstance(found, WebSearchToolResultBlock)
    assert type(found.content) is ImmutableList


UNKNOWN = {"type": "mirror", "image": "i", "data": "inner", "size": {"width": 1}, "none": None}


def test_fields_of_an_unknown_object_are_attributes() -> None:
    block = UnknownBlock(data=UNKNOWN)
    assert block.image == "i"
    assert block.size == {"width": 1}
    assert block.none is None
    assert str(block.type) == "mirror"
    assert block.data == UNKNOWN
    assert block.to_dict() == UNKNOWN


def test_a_field_that_an_unknown_object_lacks_is_an_attribute_error_that_names_it() -> None:
    block = UnknownBlock(data=UNKNOWN)
    with pytest.raises(AttributeError, match=r"'mirror'.*'depth'"):
        _ = block.depth
    assert getattr(block, "depth", 5) == 5
    assert not hasattr(block, "__len__")
    assert isinstance(block, Unknown)


def test_a_new_field_may_have_any_name() -> None:
    usage = extend(Usage(input_tokens=1), {"output_tokens": 2, "value": 3, "self": 4, "cls": 5, "changes": 6})
    assert usage.to_dict() == {"input_tokens": 1, "output_tokens": 2, "value": 3, "self": 4, "cls": 5, "changes": 6}
    assert extend(absent(Usage), {"input_tokens": 1}) == Usage(input_tokens=1)


def test_the_face_has_what_its_modules_define_and_nothing_that_they_import() -> None:
    face: Any = streamcore.types  # type checkers do not know its `__all__`
    assert {"ContentBlock", "ParsedTextBlock", "StopReason", "TextBlock", "TextEvent", "ToolParam"} <= set(face.__all__)
    assert {"ClassVar", "OutputT", "attrs", "deferring", "frozen", "immutable"}.isdisjoint({*vars(face), *face.__all__})
    assert {"Any", "TYPE_CHECKING", "blocks", "params"}.isdisjoint(face.__all__)
