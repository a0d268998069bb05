"""Habits with messages and blocks: what is read from them, and how programs make them."""

from __future__ import annotations

import json
from typing import Any

from habits import Area, Package

messages = Area("Messages")
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
        type(content + [1]) is list,  # noqa: RUF005
        len([1] + content),  # noqa: RUF005
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


# Objects that programs make


@built.same
def constructor(at: Package) -> Any:
    """`types.Message(id=..., type="message", content=[types.TextBlock(...)], usage=types.Usage(...), ...)`"""
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
    (delta,) = at.load("types.raw_message_delta_event", "Delta")
    made = [
        types.RawMessageStartEvent(type="message_start", message=types.Message(**MESSAGE)),
        types.RawContentBlockStartEvent(
            type="content_block_start", index=0, content_block=types.TextBlock(type="text", text="")
        ),
        types.RawContentBlockStopEvent(type="content_block_stop", index=0),
        types.RawMessageDeltaEvent(
            type="message_delta",
            delta=delta(stop_reason="end_turn"),
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
