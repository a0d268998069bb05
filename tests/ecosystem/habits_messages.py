"""Habits with messages and blocks as values: read, dumped, copied, built, compared, validated."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

from habits import Area, Package

messages = Area("Messages")
dumps = Area("JSON of messages")
values = Area("Messages as values")
built = Area("Objects that programs make")

USAGE = {"input_tokens": 3, "output_tokens": 4}
MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": "Hi", "citations": None}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": USAGE,
}


def filled(value: Any) -> Any:
    """Return JSON without nulls, so that fields that one package does not have do not count."""
    if isinstance(value, dict):
        return {key: filled(item) for key, item in value.items() if item is not None}
    return [filled(item) for item in value] if isinstance(value, list) else value


@messages.same
def attributes(at: Package) -> Any:
    """`message.content[0].text`, `.id`, `.role`, `.type`, `.model`, `.stop_reason`, `.usage.input_tokens`"""
    message = at.create()
    usage = message.usage
    return (
        [message.content[0].text, message.id, message.role, message.type, message.model, message.stop_reason],
        [message.stop_sequence, usage.input_tokens, usage.output_tokens, usage.cache_read_input_tokens],
    )


@messages.same
def private_request_id(at: Package) -> Any:
    """`message._request_id`"""
    return at.create()._request_id


@messages.same
def absent_fields(at: Package) -> Any:
    """Fields without a value are `None`: `block.citations`, `message.container`, `usage.cache_creation_input_tokens`"""
    message = at.create()
    return message.content[0].citations, message.container, message.usage.cache_creation_input_tokens


@messages.same
def tool_use(at: Package) -> Any:
    """`next(block for block in message.content if block.type == "tool_use").input["city"]`"""
    block = next(block for block in at.create("tool").content if block.type == "tool_use")
    return isinstance(block.input, dict), dict(block.input), block.name, block.id


@messages.same
def block_classes(at: Package) -> Any:
    """`isinstance(block, types.TextBlock)`, `ToolUseBlock`, `ThinkingBlock`"""
    classes = [getattr(at.types, name) for name in ("TextBlock", "ToolUseBlock", "ThinkingBlock")]
    return [[isinstance(block, cls) for cls in classes] for block in at.create("weather").content]


@messages.same
def beta_classes(at: Package) -> Any:
    """`isinstance(message, types.beta.BetaMessage)`, `BetaTextBlock`"""
    message_cls, block_cls = at.load("types.beta", "BetaMessage", "BetaTextBlock")
    message = at.client.beta.messages.create(model="text", max_tokens=9, messages=[{"role": "user", "content": "Hi"}])
    return isinstance(message, message_cls), isinstance(message.content[0], block_cls)


@messages.same
def is_list(at: Package) -> Any:
    """`isinstance(message.content, list)`"""
    return isinstance(at.create().content, list)


@messages.same
def list_operators(at: Package) -> Any:
    """`message.content == [...]`, `message.content + [...]`, `[...] + message.content`, slices, `reversed`, `in`"""
    content = at.create("weather").content
    return (
        content == list(content),
        list(content) == content,
        type(content + [1]) is list,
        len([1] + content),
        isinstance(content[1:], list),
        content[:1] == [content[0]],
        [block.type for block in reversed(content)],
        content[0] in content,
        content.index(content[1]),
        content.count(content[0]),
        bool(content),
    )


@messages.same
def list_pattern(at: Package) -> Any:
    """`match message.content: case [types.TextBlock(text=text), *_]`"""
    match at.create().content:
        case [at.types.TextBlock(text=text), *_]:
            return text
    return None


@messages.same
def object_pattern(at: Package) -> Any:
    """`match message: case types.Message(stop_reason="tool_use", content=[*_, types.ToolUseBlock(name=name)])`"""
    types = at.types
    match at.create("weather"):
        case types.Message(stop_reason="tool_use", content=[*_, types.ToolUseBlock(name=name)]):
            return name
    return None


@messages.different("a message never changes: copy the list")
def append(at: Package) -> Any:
    """`message.content.append(block)`"""
    content = at.create().content
    content.append(content[0])
    return len(content)


@messages.different("a message never changes: `model_copy(update=...)` returns another one")
def assign(at: Package) -> Any:
    """`message.stop_reason = "end_turn"`"""
    message = at.create("weather")
    message.stop_reason = "end_turn"
    return message.stop_reason


@messages.same
def citations(at: Package) -> Any:
    """`block.citations` is a list; `citation.cited_text`, `citation.type`"""
    blocks = at.create("citations").content
    return [
        (isinstance(block.citations, list), [(item.type, item.cited_text) for item in block.citations])
        for block in blocks
        if block.type == "text" and block.citations
    ]


@messages.same
def parse_with_pydantic(at: Package) -> Any:
    """`messages.parse(output_format=Model)` and `message.parsed_output`, with a pydantic model"""
    model = _forecast()
    message = at.client.messages.parse(
        model="results", max_tokens=9, messages=[{"role": "user", "content": "Hi"}], output_format=model
    )
    return isinstance(message.parsed_output, model), message.parsed_output.model_dump()


@messages.same
def stream_with_pydantic(at: Package) -> Any:
    """`messages.stream(output_format=Model)` and `get_final_message().parsed_output`, with a pydantic model"""
    with at.stream("results", output_format=_forecast()) as stream:
        return stream.get_final_message().parsed_output.model_dump()


def _forecast() -> Any:
    import pydantic

    return pydantic.create_model("Anything", __config__=pydantic.ConfigDict(extra="allow"))


# JSON


@dumps.same
def to_dict(at: Package) -> Any:
    """`message.to_dict()`"""
    return at.create("weather").to_dict()


@dumps.same
def to_dict_mode(at: Package) -> Any:
    """`message.to_dict(mode="python", use_api_names=True, exclude_none=True)`"""
    return at.create("weather").to_dict(mode="python", use_api_names=True, exclude_none=True)


@dumps.same
def to_json(at: Package) -> Any:
    """`message.to_json()`: indented by two spaces"""
    text = at.create("weather").to_json()
    return json.loads(text), text.startswith('{\n  "')


@dumps.same
def to_json_compact(at: Package) -> Any:
    """`message.to_json(indent=None)`: on one line"""
    text = at.create("weather").to_json(indent=None)
    return json.loads(text), "\n" in text, ", " in text.partition('"content"')[0]


@dumps.same
def model_dump(at: Package) -> Any:
    """`message.model_dump(exclude_none=True)`"""
    return at.create("weather").model_dump(exclude_none=True)


@dumps.same
def model_dump_unset(at: Package) -> Any:
    """`message.model_dump(mode="json", by_alias=True, exclude_unset=True, warnings=False)`"""
    return at.create("weather").model_dump(mode="json", by_alias=True, exclude_unset=True, warnings=False)


@dumps.same
def model_dump_plain(at: Package) -> Any:
    """`message.model_dump()`, nulls left out"""
    return filled(at.create("weather").model_dump())


@dumps.different("only what the API sent")
def model_dump_nulls(at: Package) -> Any:
    """`message.model_dump()["content"]`"""
    return at.create().model_dump()["content"][0].keys() - {"type", "text"}


@dumps.same
def model_dump_include(at: Package) -> Any:
    """`message.model_dump(include={...})`, `exclude={...}`, also of nested fields"""
    message = at.create("weather")
    return (
        message.model_dump(include={"id", "role"}),
        sorted(message.model_dump(exclude={"content", "usage"}, exclude_none=True)),
        message.model_dump(include={"usage": {"input_tokens"}}),
        message.model_dump(exclude={"content": {"__all__": {"signature"}}}, exclude_none=True)["content"],
    )


@dumps.same
def model_dump_json(at: Package) -> Any:
    """`message.model_dump_json(exclude_none=True)`, `indent=2`"""
    message = at.create("weather")
    indented = message.model_dump_json(indent=2, exclude_none=True)
    return json.loads(message.model_dump_json(exclude_none=True)), json.loads(indented), indented[:5]


@dumps.same
def dump_of_blocks(at: Package) -> Any:
    """`[block.model_dump(exclude_none=True) for block in message.content]`, `usage.model_dump(exclude_none=True)`"""
    message = at.create("weather")
    return [block.model_dump(exclude_none=True) for block in message.content], message.usage.model_dump(
        exclude_none=True
    )


@dumps.same
def json_default(at: Package) -> Any:
    """`json.dumps(message, default=lambda value: value.model_dump())`"""
    return filled(json.loads(json.dumps(at.create("weather"), default=lambda value: value.model_dump())))


@dumps.same
def json_of_input(at: Package) -> Any:
    """`json.dumps(block.input)`"""
    return json.dumps(at.create("tool").content[-1].input)


@dumps.different("`model_dump()` and `to_dict()` do this, all the way down")
def iterate_fields(at: Package) -> Any:
    """`dict(message)`: field names to values"""
    return {name for name, value in dict(at.create()).items() if value is not None}


@dumps.different("pydantic itself deprecates these names")
def old_names(at: Package) -> Any:
    """`message.dict()`, `message.json()`: names of pydantic 1"""
    message = at.create()
    return filled(message.dict()), filled(json.loads(message.json()))


# Values


@values.same
def equal(at: Package) -> Any:
    """`==` of messages and of blocks"""
    first, second = at.create("weather"), at.create("weather")
    return first.content == second.content, first == second, first.content[0] == second.content[1]


@values.same
def copies(at: Package) -> Any:
    """`copy.copy`, `copy.deepcopy`, `pickle` of a message"""
    message = at.create("weather")
    return (
        copy.copy(message) == message,
        copy.deepcopy(message) == message,
        pickle.loads(pickle.dumps(message)) == message,
    )


@values.same
def copies_of_lists(at: Package) -> Any:
    """`list(message.content)`, `message.content.copy()`, `copy.copy(message.content)`, `sorted(...)`"""
    content = at.create("weather").content
    copied = copy.copy(content)
    types = [block.type for block in sorted(content, key=lambda block: str(block.type))]
    return type(list(content)) is list, content.copy() == content, copied == content, types


@values.same
def model_copy(at: Package) -> Any:
    """`message.model_copy(update={...})`, `deep=True`"""
    message = at.create("weather")
    changed = message.model_copy(update={"stop_reason": "end_turn"})
    return changed.stop_reason, message.stop_reason, message.model_copy(deep=True) == message


@values.same
def model_extra(at: Package) -> Any:
    """`block.model_extra`, and an unknown field as an attribute"""
    data = {**MESSAGE, "content": [{"type": "text", "text": "Hi", "mood": {"a": 1}}], "colour": "red"}
    message = at.types.Message.model_validate(data)
    return message.model_extra, message.colour, message.content[0].model_extra, message.content[0].mood


@values.same
def fields_set(at: Package) -> Any:
    """`message.model_fields_set`"""
    return sorted(at.types.TextBlock.model_validate({"type": "text", "text": "Hi"}).model_fields_set)


@values.same
def model_fields(at: Package) -> Any:
    """`types.TextBlock.model_fields`, `name in type(message).model_fields`"""
    return sorted(at.types.TextBlock.model_fields), "stop_reason" in type(at.create()).model_fields


@values.same
def has_attribute(at: Package) -> Any:
    """`hasattr(block, "text")`, `getattr(block, "text", None)`"""
    return [(hasattr(block, "text"), getattr(block, "input", None)) for block in at.create("tool").content]


@values.different("a value prints as it is written in Python, without fields that did not arrive")
def shown(at: Package) -> Any:
    """`print(block)`"""
    return repr(at.types.TextBlock.model_validate({"type": "text", "text": "Hi"}))


# Objects that programs make


@built.same
def constructor(at: Package) -> Any:
    """`types.Message(id=..., type="message", role="assistant", content=[types.TextBlock(...)], usage=types.Usage(...))`"""
    types = at.types
    message = types.Message(
        id="msg_1",
        type="message",
        role="assistant",
        model="m",
        content=[types.TextBlock(type="text", text="Hi", citations=None)],
        stop_reason="end_turn",
        stop_sequence=None,
        usage=types.Usage(**USAGE),
    )
    return message.content[0].text, message == types.Message.model_validate(MESSAGE), filled(message.to_dict())


@built.same
def constructor_of_dicts(at: Package) -> Any:
    """`types.Message(**data)`, with dicts for blocks and usage"""
    message = at.types.Message(**MESSAGE)
    return message.content[0].text, message.usage.output_tokens


@built.same
def constructor_of_tool_use(at: Package) -> Any:
    """`types.ToolUseBlock(type="tool_use", id=..., name=..., input={...})`"""
    return filled(at.types.ToolUseBlock(type="tool_use", id="t", name="f", input={"a": [1]}).to_dict())


@built.same
def constructor_of_events(at: Package) -> Any:
    """`types.RawContentBlockDeltaEvent(type=..., index=0, delta=types.TextDelta(type="text_delta", text="Hi"))`"""
    types = at.types
    delta = types.TextDelta(type="text_delta", text="Hi")
    event = types.RawContentBlockDeltaEvent(type="content_block_delta", index=0, delta=delta)
    return event.delta.text, event.to_dict()


@built.same
def constructor_of_all_events(at: Package) -> Any:
    """Each `types.Raw…Event(...)`, as mocks of streams make them"""
    types = at.types
    made = [
        types.RawMessageStartEvent(type="message_start", message=types.Message(**MESSAGE)),
        types.RawContentBlockStartEvent(
            type="content_block_start", index=0, content_block=types.TextBlock(type="text", text="")
        ),
        types.RawContentBlockStopEvent(type="content_block_stop", index=0),
        types.RawMessageDeltaEvent(
            type="message_delta",
            delta={"stop_reason": "end_turn", "stop_sequence": None},
            usage=types.MessageDeltaUsage(output_tokens=4),
        ),
        types.RawMessageStopEvent(type="message_stop"),
    ]
    return [event.type for event in made], made[3].delta.stop_reason, made[3].usage.output_tokens


@built.different("`type` is a constant of the class, so it can be left out")
def constructor_without_type(at: Package) -> Any:
    """`types.TextBlock(text="Hi")`, without `type`"""
    return at.types.TextBlock(text="Hi").text


@built.different("pydantic is not imported; the errors are `ValueError`s of both packages")
def constructor_with_wrong_type(at: Package) -> Any:
    """`types.TextBlock(type="wrong", text="Hi")`"""
    return at.types.TextBlock(type="wrong", text="Hi").text


@built.same
def validate(at: Package) -> Any:
    """`types.Message.model_validate(data)`, `model_validate_json(text)`"""
    cls = at.types.Message
    first, second = cls.model_validate(MESSAGE), cls.model_validate_json(json.dumps(MESSAGE))
    return first == second, first.content[0].text, type(first.content[0]).__name__


@built.same
def validate_object(at: Package) -> Any:
    """`types.Message.model_validate(message)` of a message"""
    message = at.create()
    return at.types.Message.model_validate(message) == message


@built.same
def validate_wrong(at: Package) -> Any:
    """`except ValueError` around `types.Message.model_validate({"id": 3})`"""
    try:
        at.types.Message.model_validate({"id": 3})
    except ValueError:
        return "refused"
    return "accepted"


@built.same
def model_construct(at: Package) -> Any:
    """`types.Message.model_construct(...)` and `types.Message.construct(...)`, nothing checked"""
    cls = at.types.Message
    return cls.model_construct(id="msg_1", content=[]).id, cls.construct(**MESSAGE).content[0].text


@built.same
def params(at: Package) -> Any:
    """`types.ToolParam(name=..., input_schema=...)` and the other `…Param` classes make dicts"""
    types = at.types
    return [
        types.UserMessageParam(role="user", content="Hi"),
        types.TextBlockParam(type="text", text="Hi"),
        types.ToolParam(name="f", input_schema={"type": "object"}),
        types.ToolResultBlockParam(type="tool_result", tool_use_id="t", content="ok"),
        types.CacheControlEphemeralParam(type="ephemeral"),
        types.ToolChoiceToolParam(type="tool", name="f"),
        types.ThinkingConfigEnabledParam(type="enabled", budget_tokens=1024),
        types.ImageBlockParam(type="image", source={"type": "url", "url": "u"}),
        types.Base64ImageSourceParam(type="base64", media_type="image/png", data="aGk="),
        types.MetadataParam(user_id="u"),
    ]
