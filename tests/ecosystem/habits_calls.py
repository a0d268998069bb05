"""Habits with calls: their arguments, and what is sent."""

from __future__ import annotations

import datetime
import inspect
import io
import pathlib
import tempfile
import warnings
from typing import Any

import anthropic
from habits import MESSAGES, Area, Package
from habits_messages import filled

calls = Area("Calls")
conversations = Area("Conversations")

TOOLS = [{"name": "f", "description": "d", "input_schema": {"type": "object", "properties": {"a": {"type": "string"}}}}]


@calls.same
def arguments(at: Package) -> Any:
    """`system`, `stop_sequences`, `tools`, `tool_choice`, `metadata`, `thinking`"""
    return at.sent(
        system=[{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}],
        stop_sequences=["x"],
        tools=TOOLS,
        tool_choice={"type": "auto"},
        metadata={"user_id": "u"},
        thinking={"type": "enabled", "budget_tokens": 1024},
    )


@calls.different("older models and other servers take them")
def sampling(at: Package) -> Any:
    """`temperature`, `top_p`, `top_k`"""
    body = at.sent(temperature=0.5, top_p=0.9, top_k=5)
    return body["temperature"], body["top_p"], body["top_k"]


@calls.same
def extra(at: Package) -> Any:
    """`extra_headers`, `extra_query`, `extra_body`, `timeout`"""
    body = at.sent(extra_headers={"x-a": "1"}, extra_query={"q": "2"}, extra_body={"new": [3]}, timeout=5)
    request = at.server.requests[-1]
    return body, request.headers["x-a"], request.query, request.path


@calls.same
def headers(at: Package) -> Any:
    """The headers `authorization`, `anthropic-version`, `content-type`, `accept`"""
    at.create()
    sent = at.server.requests[-1].headers
    return [sent.get(name) for name in ("authorization", "x-api-key", "anthropic-version", "content-type", "accept")]


@calls.different("it says which program sends")
def user_agent(at: Package) -> Any:
    """The header `user-agent`"""
    at.create()
    return at.server.requests[-1].headers["user-agent"].partition("/")[0]


@calls.same
def not_given(at: Package) -> Any:
    """`system=NOT_GIVEN`, `tools=omit`, `metadata=not_given`"""
    module = at.module
    return at.sent(system=module.NOT_GIVEN, tools=module.omit, metadata=module.not_given)


@calls.same
def official_not_given(at: Package) -> Any:
    """`anthropic.NOT_GIVEN` and `anthropic.omit`, imported from the official package"""
    body = at.sent(
        system=anthropic.NOT_GIVEN,
        tools=anthropic.omit,
        metadata=anthropic.not_given,
        stop_sequences=anthropic.NOT_GIVEN,
        extra_headers={"x-a": anthropic.omit},
        timeout=anthropic.NOT_GIVEN,
    )
    return body, "x-a" in at.server.requests[-1].headers


@calls.same
def omitted_header(at: Package) -> Any:
    """`extra_headers={"anthropic-version": omit}` leaves a header out"""
    at.create(extra_headers={"anthropic-version": at.module.omit})
    return "anthropic-version" in at.server.requests[-1].headers


@calls.same
def misspelt(at: Package) -> Any:
    """A misspelt argument of `create` is a `TypeError`, and nothing is sent"""
    try:
        at.create(max_token=3)
    except TypeError:
        return "TypeError", len(at.server.requests)
    return "accepted"


@calls.same
def misspelt_stream(at: Package) -> Any:
    """A misspelt argument of `stream` is a `TypeError`, and nothing is sent"""
    try:
        with at.stream(sytem="s"):
            pass
    except TypeError:
        return "TypeError", len(at.server.requests)
    return "accepted"


@calls.same
def misspelt_client(at: Package) -> Any:
    """A misspelt argument of `Anthropic` is a `TypeError`"""
    try:
        at.new(api_kee="k")
    except TypeError:
        return "TypeError"
    return "accepted"


@calls.same
def required(at: Package) -> Any:
    """`except TypeError` around a call without `max_tokens`"""
    try:
        at.client.messages.create(model="text", messages=MESSAGES)
    except TypeError:
        return "TypeError"
    return "accepted"


@calls.different("one class to catch for all that cannot be sent")
def unsendable(at: Package) -> Any:
    """A set in `messages`"""
    return at.sent(messages=[{"role": "user", "content": {"Hi"}}])["messages"]


@calls.different("one class to catch for all that cannot be sent")
def wrong_tools(at: Package) -> Any:
    """`tools=5`"""
    return at.sent(tools=5)["tools"]


@calls.different("the only thing that it can mean")
def bytes_in_base64(at: Package) -> Any:
    """`bytes` as `data` of a base64 source"""
    source = {"type": "base64", "media_type": "image/png", "data": b"\x89PNG"}
    return at.sent(messages=[{"role": "user", "content": [{"type": "image", "source": source}]}])["messages"][0][
        "content"
    ][0]["source"]


@calls.same
def files_in_base64(at: Package) -> Any:
    """A `pathlib.Path` and an open file as `data` of a base64 source"""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "a.png"
        path.write_bytes(b"\x89PNG")
        found = []
        for data in (path, io.BytesIO(b"\x89PNG")):
            source = {"type": "base64", "media_type": "image/png", "data": data}
            sent = at.sent(messages=[{"role": "user", "content": [{"type": "image", "source": source}]}])
            found.append(sent["messages"][0]["content"][0]["source"]["data"])
        return found


@calls.same
def iterables(at: Package) -> Any:
    """Tuples and generators for `messages`, `tools` and `content`"""
    content = ({"type": "text", "text": text} for text in "ab")
    return at.sent(messages=({"role": "user", "content": content} for _ in range(1)), tools=tuple(TOOLS))


@calls.same
def dates(at: Package) -> Any:
    """`datetime` in `extra_body`"""
    return at.sent(extra_body={"at": datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)})


@calls.different("a call is sent as it is asked for; `timeout` limits it")
def long_answer(at: Package) -> Any:
    """`max_tokens=64000` without `stream=True`, which could take longer than ten minutes"""
    try:
        at.create(max_tokens=64000)
    except ValueError:
        return "refused with a ValueError"
    return "sent"


@calls.same
def deprecated_model(at: Package) -> Any:
    """A `DeprecationWarning` for a model that is at its end"""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        at.create("claude-3-opus-20240229")
    return [warning.category.__name__ for warning in caught], ["claude-3-opus" in str(item.message) for item in caught]


@calls.same
def raw_headers_of_beta(at: Package) -> Any:
    """`extra_headers={"anthropic-beta": "a-1"}`"""
    at.create(extra_headers={"anthropic-beta": "a-1"})
    return at.server.requests[-1].headers["anthropic-beta"]


@calls.same
def signature(at: Package) -> Any:
    """`inspect.signature(client.messages.create).parameters`: names that programs look for"""
    parameters = inspect.signature(at.client.messages.create).parameters
    return [name in parameters for name in ("model", "messages", "max_tokens", "system", "tools", "extra_headers")]


# Conversations


@conversations.same
def content_back(at: Package) -> Any:
    """`messages=[..., {"role": "assistant", "content": message.content}]`"""
    message = at.create("weather")
    return at.sent(messages=[*MESSAGES, {"role": message.role, "content": message.content}])


@conversations.same
def dump_back(at: Package) -> Any:
    """`{"role": "assistant", "content": message.model_dump(exclude_none=True)["content"]}`"""
    message = at.create("tool")
    return at.sent(
        messages=[*MESSAGES, {"role": "assistant", "content": message.model_dump(exclude_none=True)["content"]}]
    )


@conversations.same
def param_back(at: Package) -> Any:
    """`messages.append({"role": "assistant", "content": [block.model_dump() for block in message.content]})`"""
    message = at.create("tool")
    turn = {"role": "assistant", "content": [block.model_dump() for block in message.content]}
    return filled(at.sent(messages=[*MESSAGES, turn]))


@conversations.same
def built_blocks(at: Package) -> Any:
    """Blocks that the program made in `messages`: `types.TextBlock(type="text", text="Hi")`"""
    block = at.types.TextBlock(type="text", text="Hi")
    return at.sent(messages=[{"role": "user", "content": [block]}])


@conversations.same
def official_blocks(at: Package) -> Any:
    """Blocks of the official package in `messages`"""
    content = [
        anthropic.types.TextBlock(type="text", text="Hi"),
        anthropic.types.ToolUseBlock(type="tool_use", id="t", name="f", input={}),
    ]
    return at.sent(messages=[*MESSAGES, {"role": "assistant", "content": content}])


@conversations.same
def pydantic_models(at: Package) -> Any:
    """Models of pydantic in `messages`, `tools` and `system`"""
    import pydantic

    class Text(pydantic.BaseModel):
        type: str = "text"
        text: str

    return at.sent(
        messages=[{"role": "user", "content": [Text(type="text", text="Hi")]}], system=[Text(type="text", text="s")]
    )


@conversations.same
def tool_loop(at: Package) -> Any:
    """A loop with tools: `tool_use` blocks answered by `tool_result` blocks"""
    message = at.create("parallel", tools=TOOLS)
    results = [
        {"type": "tool_result", "tool_use_id": block.id, "content": str(block.input)}
        for block in message.content
        if block.type == "tool_use"
    ]
    turns = [*MESSAGES, {"role": "assistant", "content": message.content}, {"role": "user", "content": results}]
    return at.sent(messages=turns, tools=TOOLS)


@conversations.same
def history_as_json(at: Package) -> Any:
    """A history that is kept as JSON: `json.dumps([block.to_dict() for block in message.content])`"""
    return [block.to_dict() for block in at.create("weather").content]


@conversations.different("a message is a turn of its own; the official client sends fields that the API refuses")
def message_back(at: Package) -> Any:
    """The message itself in `messages`: the keys that are sent"""
    return sorted(at.sent(messages=[*MESSAGES, at.create()])["messages"][1])
