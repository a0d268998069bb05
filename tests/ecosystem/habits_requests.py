"""Habits with calls: their arguments, what is sent, and the options of a client."""

from __future__ import annotations

import datetime
import inspect
import io
import logging
import os
import pathlib
import tempfile
import warnings
from typing import Any
from unittest import mock

import anthropic
import httpx2
from habits import MESSAGES, Area, Package, asking
from habits_messages import MESSAGE, filled
from server import error_reply, json_reply

calls = Area("Calls")
conversations = Area("Conversations")
clients = Area("Clients")
logs = Area("Logging")

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
    return at.sent(messages=[{"role": "user", "content": {"Hi"}}])


@calls.different("one class to catch for all that cannot be sent")
def wrong_tools(at: Package) -> Any:
    """`tools=5`"""
    return at.sent(tools=5)


@calls.different("the only thing that it can mean")
def bytes_in_base64(at: Package) -> Any:
    """`bytes` as `data` of a base64 source"""
    source = {"type": "base64", "media_type": "image/png", "data": b"\x89PNG"}
    return at.sent(messages=[{"role": "user", "content": [{"type": "image", "source": source}]}])["messages"]


@calls.different("the program reads its files: a request that is repeated would read them again")
def files_in_base64(at: Package) -> Any:
    """A `pathlib.Path` and an open file as `data` of a base64 source"""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "a.png"
        path.write_bytes(b"\x89PNG")
        found = []
        for data in (path, io.BytesIO(b"\x89PNG")):
            source = {"type": "base64", "media_type": "image/png", "data": data}
            found.append(at.sent(messages=[{"role": "user", "content": [{"type": "image", "source": source}]}]))
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
    """`max_tokens=64000` without `stream=True`: refused, as it could take longer than ten minutes"""
    try:
        at.create(max_tokens=64000)
    except ValueError:
        return "ValueError", len(at.server.requests)
    return "accepted"


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


# Clients


@clients.same
def options(at: Package) -> Any:
    """`client.api_key`, `base_url`, `max_retries`, `auth_token`, `timeout`"""
    client = at.new(timeout=3.0, max_retries=4)
    return client.api_key, str(client.base_url).rstrip("/"), client.max_retries, client.auth_token, client.timeout


@clients.same
def defaults(at: Package) -> Any:
    """`DEFAULT_TIMEOUT`, `DEFAULT_MAX_RETRIES`, `DEFAULT_CONNECTION_LIMITS`"""
    module = at.module
    return module.DEFAULT_TIMEOUT.read, module.DEFAULT_MAX_RETRIES, module.DEFAULT_CONNECTION_LIMITS.max_connections


@clients.same
def environment(at: Package) -> Any:
    """`ANTHROPIC_API_KEY`, `ANTHROPIC_AUTH_TOKEN`, `ANTHROPIC_BASE_URL`"""
    given = {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": "http://127.0.0.1:9/x"}
    with mock.patch.dict(os.environ, given):
        client = at.module.Anthropic()
        return client.api_key, str(client.base_url).rstrip("/")


@clients.same
def auth_token(at: Package) -> Any:
    """`auth_token=`: the header `authorization`"""
    with at.new(api_key=None, auth_token="t") as client:
        client.messages.create(**asking())
    sent = at.server.requests[-1].headers
    return sent.get("authorization"), sent.get("x-api-key")


@clients.same
def with_options(at: Package) -> Any:
    """`client.with_options(max_retries=1, timeout=2)`, `client.copy(api_key="other")`"""
    client = at.client.with_options(max_retries=1, timeout=2)
    at.client.copy(api_key="other").messages.create(**asking())
    return client.max_retries, client.timeout, at.server.requests[-1].headers["authorization"]


@clients.same
def default_headers(at: Package) -> Any:
    """`default_headers=`, `default_query=`"""
    with at.new(default_headers={"x-a": "1"}, default_query={"q": "2"}) as client:
        client.messages.create(**asking())
        return at.server.requests[-1].headers["x-a"], at.server.requests[-1].query, client.default_headers["x-a"]


@clients.same
def http_client(at: Package) -> Any:
    """`http_client=httpx2.Client(transport=...)`, `DefaultHttpxClient(...)`"""
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json=MESSAGE))
    found = []
    for http in (httpx2.Client(transport=transport), at.module.DefaultHttpxClient(transport=transport)):
        with at.new(http_client=http) as client:
            found.append(client.messages.create(**asking()).content[0].text)
    return found


@clients.same
def timeout(at: Package) -> Any:
    """`timeout=Timeout(10, connect=2)`"""
    with at.new(timeout=at.module.Timeout(10, connect=2)) as client:
        return client.messages.create(**asking()).role, client.timeout.connect


@clients.same
def closed(at: Package) -> Any:
    """`with Anthropic() as client`, `client.is_closed()`, `client.close()`"""
    with at.new() as client:
        before = client.is_closed()
    client.close()
    return before, client.is_closed()


@clients.same
async def async_client(at: Package) -> Any:
    """`async with AsyncAnthropic() as client`, `await client.messages.create(...)`"""
    async with at.module.AsyncAnthropic(api_key="key", base_url=at.server.url) as client:
        message = await client.messages.create(**asking())
    return message.content[0].text, client.is_closed()


@clients.same
def one_resource(at: Package) -> Any:
    """`client.messages is client.messages`"""
    return at.client.messages is at.client.messages, at.client.beta.messages is at.client.beta.messages


@clients.same
def patched(at: Package) -> Any:
    """`mock.patch.object(client.messages, "create", return_value=...)` in a program's tests"""
    with mock.patch.object(at.client.messages, "create", return_value="mocked"):
        return at.create()


@clients.same
def specified(at: Package) -> Any:
    """`MagicMock(spec=Anthropic)`, `create_autospec(client)`"""
    spec = mock.MagicMock(spec=at.module.Anthropic)
    spec.messages.create.return_value = 3
    automatic = mock.create_autospec(at.client, instance=True)
    automatic.messages.create.return_value = 4
    return spec.messages.create(), automatic.messages.create(**asking()), isinstance(spec, at.module.Anthropic)


@clients.same
def subclass(at: Package) -> Any:
    """A subclass of `Anthropic` with an `__init__` of its own"""
    base = at.module.Anthropic

    class Client(base):  # type: ignore[misc, valid-type]
        def __init__(self, **options: Any) -> None:
            super().__init__(**{"api_key": "mine", **options})

    with Client(base_url=at.server.url) as client:
        client.messages.create(**asking())
        copied = client.with_options(max_retries=1)
    return at.server.requests[-1].headers["authorization"], type(copied) is Client


@clients.same
def client_signature(at: Package) -> Any:
    """`inspect.signature(Anthropic)`: the options that an editor shows"""
    names = ["api_key", "auth_token", "base_url", "timeout", "max_retries", "default_headers", "http_client"]
    parameters = inspect.signature(at.module.Anthropic).parameters
    return [name in parameters for name in names]


@clients.same
def no_key(at: Package) -> Any:
    """No key: an error before anything is sent"""
    with mock.patch.dict(os.environ):
        os.environ.pop("ANTHROPIC_API_KEY", None)
        try:
            with at.module.Anthropic(base_url=at.server.url) as client:
                client.messages.create(**asking())
        except Exception:  # noqa: BLE001  # which class it is depends on the version
            return len(at.server.requests)
    return "accepted"


@clients.same
def retries(at: Package) -> Any:
    """`max_retries=1` after 429, 500 and 529; `retry-after-ms`"""
    found = []
    for status in (429, 500, 529, 408, 409):
        at.server.requests.clear()
        at.server.reply(error_reply(status, headers={"retry-after-ms": "1"}))
        text = at.client.with_options(max_retries=1).messages.create(**asking()).content[0].text[:3]
        found.append((status, text, len(at.server.requests)))
    return found


@clients.same
def no_retry(at: Package) -> Any:
    """`x-should-retry: false` in the answer"""
    at.server.reply(error_reply(500, headers={"x-should-retry": "false"}))
    try:
        at.client.with_options(max_retries=1).messages.create(**asking())
    except at.module.InternalServerError:
        return len(at.server.requests)
    return "accepted"


@clients.different("headers for statistics are not sent")
def retry_count(at: Package) -> Any:
    """The header `x-stainless-retry-count` of the second try"""
    at.server.reply(error_reply(500, headers={"retry-after-ms": "1"}))
    at.client.with_options(max_retries=1).messages.create(**asking())
    return [request.headers.get("x-stainless-retry-count") for request in at.server.requests]


# Logging


def _records(at: Package, logger: str) -> list[logging.LogRecord]:
    records: list[logging.LogRecord] = []
    handler = logging.Handler(logging.DEBUG)
    handler.emit = records.append  # type: ignore[method-assign]
    target = logging.getLogger(logger)
    before = target.level
    target.addHandler(handler)
    target.setLevel(logging.DEBUG)
    try:
        at.server.reply(error_reply(529, headers={"retry-after-ms": "1"}), json_reply(MESSAGE))
        at.client.with_options(max_retries=1).messages.create(**asking())
    finally:
        target.removeHandler(handler)
        target.setLevel(before)
    return records


@logs.same
def retry_is_logged(at: Package) -> Any:
    """A repeated request is logged, by `logging.getLogger("anthropic")` there and `"streamcore"` here"""
    records = _records(at, at.module.__name__.partition(".")[0])
    return any("retr" in record.getMessage().lower() for record in records)


@logs.same
def no_secrets(at: Package) -> Any:
    """Keys are not logged"""
    client = at.client.api_key
    try:
        at.client.api_key = "sk-very-secret"
        records = _records(at, at.module.__name__.partition(".")[0])
    finally:
        at.client.api_key = client
    return any("sk-very-secret" in record.getMessage() for record in records)
