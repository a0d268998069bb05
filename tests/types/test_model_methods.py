"""The methods that programs know from pydantic and from the official package, held to those of the latter."""

from __future__ import annotations

import copy
import json
import math
import pickle
from typing import Any

import attrs
import pydantic
import pytest
from anthropic.types.beta import BetaMessage
from helpers import STREAMS, example, wire_types, without_nulls

from streamcore import InvalidArgumentError, MessageEngine
from streamcore._objects.immutable import ImmutableList
from streamcore.errors import StreamCoreError
from streamcore.types import (
    CacheCreation,
    FallbackBlock,
    Message,
    RawContentBlockDeltaEvent,
    TextBlock,
    TextDelta,
    ToolUseBlock,
    Unknown,
    UnknownBlock,
    Usage,
)

WIRE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [
        {"type": "text", "text": "a", "citations": None, "new": 1},
        {"type": "tool_use", "id": "t", "name": "n", "input": {"x": [1, None]}},
        {"type": "fallback", "from": {"model": "a"}, "to": {"model": "m"}},
        {"type": "zork", "y": None},
    ],
    "stop_reason": None,
    "usage": {"input_tokens": 1, "output_tokens": 2},
    "zone": None,
}
MESSAGE = Message.from_dict(WIRE)


def messages() -> list[Message]:
    """Return the messages of all streams that can be read."""
    found = []
    for path in STREAMS:
        engine = MessageEngine(multiple_messages=True)
        try:
            engine.receive_data(path.read_bytes())
            engine.receive_eof()
            for _ in engine.events():
                pass
        except StreamCoreError:
            pass
        if engine.snapshot is not None:
            found.append(engine.snapshot)
    return found


# Writing


def test_messages_are_written_as_by_the_official_package() -> None:
    compared = 0
    for ours in messages():
        theirs = BetaMessage.construct(**ours.to_dict())
        assert without_nulls(theirs.to_dict(mode="json", warnings=False)) == without_nulls(ours.to_dict())
        assert theirs.to_dict(mode="json", exclude_none=True, warnings=False) == ours.to_dict(exclude_none=True)
        assert json.loads(theirs.to_json(exclude_none=True, warnings=False)) == json.loads(
            ours.to_json(exclude_none=True)
        )
        names = {"id", "role"}
        assert theirs.model_dump(include=names, warnings=False) == ours.model_dump(include=names)
        inside: Any = {"content": {"__all__": {"type"}}}
        assert theirs.model_dump(include=inside, warnings=False) == ours.model_dump(include=inside)
        if not any(isinstance(block, Unknown) for block in ours.content):  # theirs takes one for some other block
            assert_has_keys(ours.model_dump(exclude_unset=False), theirs.model_dump(by_alias=True))
        assert Message.from_dict(theirs) == ours
        compared += 1
    assert compared > 20


def assert_has_keys(ours: Any, theirs: Any) -> None:
    if isinstance(theirs, dict):
        assert theirs.keys() <= ours.keys()
        for key in theirs:
            assert_has_keys(ours[key], theirs[key])
    elif isinstance(theirs, list):
        for mine, other in zip(ours, theirs, strict=True):
            assert_has_keys(mine, other)


def test_fields_without_a_value_are_left_out_unless_the_api_always_sends_them() -> None:
    text = {"type": "text", "text": "a", "new": 1}
    assert MESSAGE.model_dump() == {**WIRE, "content": [text, *WIRE["content"][1:]], "stop_sequence": None}
    assert MESSAGE.model_dump() == MESSAGE.model_dump(mode="json") == MESSAGE.to_dict() == MESSAGE.to_dict(mode="json")
    assert "stop_sequence" not in MESSAGE.model_dump(exclude_defaults=True)
    assert MESSAGE.model_dump(exclude_defaults=True)["zone"] is None  # an unknown field has no default
    dumped = MESSAGE.to_dict(exclude_none=True)
    assert not {"stop_reason", "zone"} & dumped.keys()
    assert dumped["content"][1]["input"] == {"x": [1, None]}  # not fields, but JSON
    assert dumped["content"][3] == {"type": "zork"}
    every = MESSAGE.to_dict(exclude_unset=False)
    assert every["container"] is None
    assert every["content"][0]["citations"] is None
    assert Message(id="1", model="m").model_dump(exclude_unset=False)["usage"] is None
    assert Message.from_dict(every) == MESSAGE


def test_names_are_those_of_the_wire_unless_asked_for() -> None:
    block = MESSAGE.content[2]
    assert isinstance(block, FallbackBlock)
    assert list(block.model_dump()) == list(block.to_dict()) == ["type", "from", "to"]
    assert list(block.model_dump(by_alias=False)) == list(block.to_dict(use_api_names=False)) == ["type", "from_", "to"]
    assert block.model_dump(include={"from_"}) == block.model_dump(include={"from"}) == {"from": {"model": "a"}}


def test_parts_are_included_and_excluded() -> None:
    def content(**options: Any) -> Any:
        return MESSAGE.model_dump(**options).get("content")

    assert content(include={"content": {0: {"text"}, -1: True}}) == [{"text": "a"}, {"type": "zork", "y": None}]
    assert content(include={"content": ...}) == MESSAGE.to_dict()["content"]
    assert content(exclude={"content"}) is content(include={"content": False}) is None
    assert content(exclude={"content": {"__all__": {"type", "input"}, 5: True}})[1:3] == [
        {"id": "t", "name": "n"},
        {"from": {"model": "a"}, "to": {"model": "m"}},
    ]
    assert content(exclude={"content": {1: {"input": {"x": {0}}}}})[1]["input"] == {"x": [None]}
    assert json.loads(MESSAGE.model_dump_json(include={"zone"})) == {"zone": None}
    for name in ("include", "exclude"):
        with pytest.raises(TypeError, match=f"{name} must be a set or a dict, not str"):
            MESSAGE.model_dump(**{name: "content"})  # type: ignore[arg-type]


def test_options_of_pydantic_are_accepted_and_others_are_not() -> None:
    options: dict[str, Any] = {"round_trip": True, "warnings": "error", "context": 1, "serialize_as_any": True}
    assert MESSAGE.model_dump(**options, fallback=str, exclude_computed_fields=True) == MESSAGE.to_dict(warnings=False)
    dumps: list[Any] = [MESSAGE.model_dump, MESSAGE.model_dump_json, MESSAGE.to_dict, MESSAGE.to_json]
    for dump in dumps:
        with pytest.raises(TypeError, match="unexpected keyword argument 'exclude_nothing'"):
            dump(exclude_nothing=True)


def test_json_text() -> None:
    block = TextBlock(text="é")
    assert block.to_json() == '{\n  "type": "text",\n  "text": "é"\n}'
    assert block.to_json(indent=None) == block.model_dump_json() == '{"type":"text","text":"é"}'
    assert block.model_dump_json(ensure_ascii=True) == '{"type":"text","text":"\\u00e9"}'


def test_a_dict_of_an_object_has_its_fields() -> None:
    assert dict(MESSAGE)["content"] is MESSAGE.content
    assert list(dict(MESSAGE)) == list(MESSAGE.to_dict())
    assert dict(UnknownBlock(data={"type": "a", "b": 1})) == {"type": "a", "b": 1}


# Reading


def test_every_type_is_read_back() -> None:
    for cls in wire_types():
        value = example(cls)
        for form in (value.to_dict(), value):
            assert cls.from_dict(form).to_dict() == cls.model_validate(form, strict=True).to_dict() == value.to_dict()
        for text in (value.to_json(), value.to_json().encode()):
            read = cls.from_json(text), cls.model_validate_json(bytearray(value.to_json().encode()), context=None)
            assert [type(one) for one in read] == [cls, cls]
            assert [one.to_dict() for one in read] == [value.to_dict()] * 2


def test_what_is_read_stays_unchanged_and_is_not_shared() -> None:
    given = {"type": "tool_use", "id": "t", "name": "n", "input": {"x": [1]}}
    block = ToolUseBlock.from_dict(given)
    given["input"]["x"].append(2)  # type: ignore[index]
    assert block.input == {"x": [1]}
    assert type(given["input"]) is dict
    nested = Message.from_dict({**WIRE, "content": (block, given), "usage": Usage(input_tokens=3)})
    assert nested.content[0] == block
    assert nested.usage.input_tokens == 3
    assert ToolUseBlock.from_dict(block) is block


def test_models_of_the_official_package_are_read_without_what_they_add() -> None:
    class Parsed:
        __pydantic_validator__ = None  # as models of pydantic have one

        def model_dump(self, **options: Any) -> dict[str, Any]:
            assert options == {"mode": "json", "by_alias": True, "exclude_unset": True, "warnings": False}
            tool = {"type": "tool_use", "id": "t", "name": "n", "input": {"type": "text", "parsed_output": 1}}
            return {**WIRE, "content": [{"type": "text", "text": "{}", "parsed_output": {}}, tool]}

    message = Message.model_validate(Parsed())
    assert message.content[0] == TextBlock(text="{}")
    assert message.to_dict()["content"][1]["input"] == {"type": "text", "parsed_output": 1}
    assert message.content[0].model_extra == {}


def test_any_object_with_a_model_dump_is_read() -> None:
    class Plain:
        def model_dump(self) -> Any:
            return {"type": "text", "text": "a"}

    class Broken:
        def model_dump(self) -> Any:
            raise KeyError("broken")

    assert TextBlock.from_dict(Plain()) == TextBlock(text="a")
    assert Message.from_dict({**WIRE, "content": [Plain()]}).content == [TextBlock(text="a")]
    for value in (Broken(), {**WIRE, "content": [Broken()]}):
        with pytest.raises(InvalidArgumentError, match="a Broken cannot be dumped: 'broken'"):
            Message.from_dict(value)
    with pytest.raises(pydantic.ValidationError, match="a Broken cannot be dumped: 'broken'"):
        pydantic.TypeAdapter(Message).validate_python(Broken())


def test_wrong_values_are_an_invalid_argument() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    for value, said in [
        ({**WIRE, "id": 5}, r"not a valid Message: expected a string, got a number @ \$\.id"),
        ({**WIRE, "content": [{"type": "text", "text": 5}]}, r"@ \$\.content\[0\]\.text"),
        ({**WIRE, "type": "text"}, "expected the type 'message', got 'text'"),
        ([WIRE], "expected an object, got an array"),
        (None, "expected an object, got null"),
        ("{}", "expected an object, got a string"),
        (TextBlock(text="a"), "expected an object, got a TextBlock"),
        (object(), "expected an object, got a object"),
        (Message, "expected an object, got a type"),
        ({**WIRE, "zone": deep}, "nests too deep"),
    ]:
        with pytest.raises(InvalidArgumentError, match=said):
            Message.from_dict(value)
    for text, said in [
        ("{", "the text is not JSON: Expecting property name"),
        (b"\xff", "the text is not JSON"),
        ("[]", "not a valid Message: expected an object, got an array"),
        ("[" * 100_000, "nests too deep"),
        (5, "JSON text must be a str or bytes, not int"),
    ]:
        with pytest.raises(InvalidArgumentError, match=said):
            Message.model_validate_json(text)  # type: ignore[arg-type]
    assert issubclass(InvalidArgumentError, ValueError)  # as pydantic's error is


def test_numbers_that_are_not_in_json_survive() -> None:
    block = ToolUseBlock(id="1", name="n", input={"a": [math.inf, 10**60]})
    assert ToolUseBlock.from_json(block.to_json()) == block


# Copies, and objects that are not checked


def test_a_copy_with_other_values() -> None:
    copied = MESSAGE.model_copy(update={"id": "msg_2", "content": (TextBlock(text="b"),), "extra_field": 1})
    assert (copied.id, copied.content) == ("msg_2", [TextBlock(text="b")])
    assert type(copied.content) is ImmutableList
    assert copied.model_extra == {"zone": None, "extra_field": 1}
    assert copied.usage is MESSAGE.usage
    assert MESSAGE.id == "msg_1"
    assert MESSAGE.model_copy() == MESSAGE.model_copy(deep=True) == MESSAGE
    assert MESSAGE.model_copy(deep=True).usage is not MESSAGE.usage
    block = TextBlock(text="a").model_copy(update={"parsed_output": [1]})
    assert block.parsed_output == [1]
    assert block.extra == {}
    absent = Message(id="1", model="m").usage.model_copy(update={"output_tokens": 3})
    assert absent == Usage(output_tokens=3)
    assert type(absent) is Usage
    unknown = UnknownBlock(data={"type": "a"}).model_copy(update={"b": 1})
    assert unknown == UnknownBlock(data={"type": "a", "b": 1})
    with pytest.raises(InvalidArgumentError, match="the type of a TextBlock cannot be changed"):
        block.model_copy(update={"type": "thinking"})


def test_an_object_of_values_that_are_not_checked() -> None:
    block = TextBlock(text="b")
    message: Any = Message.model_construct(content=[{"type": "text", "text": "a"}], id=5, role="user", zone=1)
    assert (message.content, message.id, message.model, message.role) == ([TextBlock(text="a")], 5, None, "user")
    assert message.extra == {"zone": 1}
    assert Message.model_construct(content=[block]).content == [block]
    unfit: Any = Message.model_construct(content=[{"no": "type"}]).content
    assert unfit == [{"no": "type"}]
    by_key: Any = {"from": {"model": "a"}, "to": None}
    assert FallbackBlock.model_construct(**by_key).from_.model == "a"
    assert Message.construct(**WIRE) == MESSAGE
    assert UnknownBlock.model_construct(type="a", b=[1]).data == {"type": "a", "b": [1]}


def test_unknown_fields_are_attributes() -> None:
    block: Any = TextBlock.from_dict({"type": "text", "text": "a", "colour": 1, "_source": 2, "to_dict": 3})
    assert (block.colour, block.text, block.to_dict()["to_dict"]) == (1, "a", 3)
    for name in ("colours", "_source", "__len__"):
        with pytest.raises(AttributeError, match=f"TextBlock has no attribute '{name}'"):
            getattr(block, name)
    assert copy.copy(block) == copy.deepcopy(block) == pickle.loads(pickle.dumps(block)) == block
    caching: Any = CacheCreation(ephemeral_1h_input_tokens=0)
    assert (caching.get("ephemeral_1h_input_tokens", 5), caching.get("ephemeral_5m_input_tokens", 5)) == (0, 5)


def test_constructors_take_the_dicts_of_the_wire_form() -> None:
    known = {name: value for name, value in WIRE.items() if name != "zone"}
    message: Any = Message(**known)
    assert message == Message.from_dict(known)
    assert Message(id="1", model="m", content=[TextBlock(text="a"), {"type": "text", "text": "b"}]).content == [  # type: ignore[list-item]
        TextBlock(text="a"),
        TextBlock(text="b"),
    ]
    parsed = TextBlock(text="a", parsed_output=1)
    mixed: Any = Message(id="1", model="m", content=[parsed, {"type": "text", "text": "b"}])  # type: ignore[list-item]
    assert mixed.content[0] is parsed
    given: Any = {"x": [1]}
    assert ToolUseBlock(id="1", name="n", input=given).input == given
    assert RawContentBlockDeltaEvent(index=0, delta=given).delta is given
    assert TextBlock(text="a", parsed_output=given).parsed_output is given
    wrong: Any = [{"type": "text", "text": 5}]
    with pytest.raises(InvalidArgumentError, match=r"content of Message is not valid: expected a string.*\[0\]\.text"):
        Message(id="1", model="m", content=wrong)


def test_fields_are_described() -> None:
    fields = FallbackBlock.model_fields
    assert list(fields) == ["type", "from_", "to", "trigger"]
    assert [field.is_required() for field in fields.values()] == [False, True, True, False]
    assert (fields["from_"].alias, fields["type"].default, fields["trigger"].default) == ("from", "fallback", None)
    assert Message.model_fields["stop_sequence"].annotation == (str | None)
    assert MESSAGE.model_fields_set == {"type", "id", "model", "role", "content", "usage", "zone"}
    assert MESSAGE.model_extra == {"zone": None}
    assert UnknownBlock(data={"type": "a", "b": 1}).model_extra == {"b": 1}
    theirs = set(BetaMessage.model_fields)
    assert theirs <= set(Message.model_fields)


# Constructors


def test_constructors_take_the_type_and_the_role_if_they_are_right() -> None:
    assert TextBlock(type="text", text="a") == TextBlock(text="a")
    assert Message(type="message", role="assistant", id="1", model="m") == Message(id="1", model="m")
    for cls in wire_types():
        if isinstance(tag := getattr(cls, "type", None), str):
            value = example(cls)
            make: Any = cls
            fields = {field.name: getattr(value, field.name) for field in attrs.fields(cls)}
            assert make(type=tag, **fields) == value
            with pytest.raises(InvalidArgumentError, match=rf"type of {cls.__name__} must be '{tag}', not 'other'"):
                make(type="other", **fields)
    wrong: Any = "user"
    with pytest.raises(InvalidArgumentError, match="role of Message must be 'assistant', not 'user'"):
        Message(id="1", model="m", role=wrong)
    deep: Any = None
    for _ in range(10_000):
        deep = [deep]
    with pytest.raises(InvalidArgumentError, match="type of TextDelta must be 'text_delta', not of type list"):
        TextDelta(type=deep, text="a")
    for usage in ({}, {"input_tokens": 1.5}):  # on both paths
        assert Message.from_dict({**WIRE, "role": "user", "usage": usage}).role == wrong  # servers may send any
    with pytest.raises(TypeError, match="missing 1 required keyword-only argument: 'text'"):
        TextDelta(type="text_delta")  # type: ignore[call-arg]
