"""Frameworks that use the `anthropic` package: functions that run one and return what it makes of an answer.

They need other versions than the tests of streamcore, so they live in a virtual environment of their own:

    python -m venv ~/ecosystem && ~/ecosystem/bin/pip install -e '.[ecosystem]'
    ~/ecosystem/bin/pytest -m slow tests/ecosystem/test_frameworks.py

`.ci/run` does this. Where the frameworks are not installed, the tests are skipped.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import attrs

QUESTION = "What is a tide?"
MODEL = "claude-sonnet-4-5"

TOOL = {
    "name": "get_forecast",
    "description": "Look up a forecast",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}


@attrs.frozen
class Clients:
    """Clients of one kind: the official ones, ours, or wrapped official ones.

    Attributes:
        name: Which kind.
        sync: A sync client.
        asynchronous: An async client.
    """

    name: str
    sync: Any
    asynchronous: Any


@attrs.frozen
class Made:
    """What a framework makes of an answer.

    Attributes:
        text: The text, or its pieces as they came.
        calls: The tool calls: names and arguments.
        tokens: The number of tokens of the input and of the output.
        stop_reason: Why the model stopped.
        others: What else comes out of it.
    """

    text: Any = None
    calls: Any = ()
    tokens: Any = None
    stop_reason: Any = None
    others: Any = None


# langchain-anthropic: a subclass returns the clients


def _chat(clients: Clients, *, streaming: bool) -> Any:
    from langchain_anthropic import ChatAnthropic

    class Chat(ChatAnthropic):  # type: ignore[misc]
        @cached_property
        def _client(self) -> Any:
            return clients.sync

        @cached_property
        def _async_client(self) -> Any:
            return clients.asynchronous

    chat: Any = Chat(model=MODEL, api_key="key", max_retries=0, max_tokens=100)
    return chat.bind_tools([TOOL]) if streaming else chat


def _of_chat(message: Any) -> Any:
    usage = message.usage_metadata
    return Made(
        text=message.text,
        calls=[(call["name"], call["args"]) for call in (*message.tool_calls, *message.invalid_tool_calls)],
        tokens=usage and (usage["input_tokens"], usage["output_tokens"]),
        stop_reason=message.response_metadata.get("stop_reason"),
        others=[block["type"] for block in message.content_blocks],
    )


def langchain(clients: Clients) -> Any:
    return _of_chat(_chat(clients, streaming=False).invoke(QUESTION))


def langchain_stream(clients: Clients) -> Any:
    whole = None
    for chunk in _chat(clients, streaming=True).stream(QUESTION):
        whole = chunk if whole is None else whole + chunk
    return _of_chat(whole)


async def langchain_async(clients: Clients) -> Any:
    return _of_chat(await _chat(clients, streaming=False).ainvoke(QUESTION))


async def langchain_async_stream(clients: Clients) -> Any:
    whole = None
    async for chunk in _chat(clients, streaming=True).astream(QUESTION):
        whole = chunk if whole is None else whole + chunk
    return _of_chat(whole)


# pydantic-ai: its provider takes a client. It is async only.


def _model(clients: Clients) -> Any:
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    from streamcore.anthropic import wrap

    client = wrap(clients.asynchronous) if clients.name == "ours" else clients.asynchronous
    return AnthropicModel(MODEL, provider=AnthropicProvider(anthropic_client=client))


def _of_model(response: Any) -> Any:
    return Made(
        text=[part.content for part in response.parts if part.part_kind in ("text", "thinking")],
        calls=[(part.tool_name, part.args_as_dict()) for part in response.parts if part.part_kind == "tool-call"],
        tokens=(response.usage.input_tokens, response.usage.output_tokens),
        stop_reason=response.finish_reason,
        others=[part.part_kind for part in response.parts],
    )


async def pydantic_ai(clients: Clients) -> Any:
    from pydantic_ai.direct import model_request
    from pydantic_ai.messages import ModelRequest

    return _of_model(await model_request(_model(clients), [ModelRequest.user_text_prompt(QUESTION)]))


async def pydantic_ai_stream(clients: Clients) -> Any:
    from pydantic_ai.direct import model_request_stream
    from pydantic_ai.messages import ModelRequest

    async with model_request_stream(_model(clients), [ModelRequest.user_text_prompt(QUESTION)]) as stream:
        kinds = [type(event).__name__ async for event in stream]
        return kinds, _of_model(stream.get())


# llm-anthropic: it makes its clients itself, from two names of its module


def _llm_model(clients: Clients, *, asynchronous: bool) -> Any:
    import llm
    import llm_anthropic

    llm_anthropic.Anthropic = lambda **_: clients.sync
    llm_anthropic.AsyncAnthropic = lambda **_: clients.asynchronous
    return llm.get_async_model(f"anthropic/{MODEL}") if asynchronous else llm.get_model(f"anthropic/{MODEL}")


def _of_llm(pieces: list[str], calls: Any, usage: Any, message: Any) -> Made:
    return Made(
        text=pieces,
        calls=[(call.name, call.arguments) for call in calls],
        tokens=(usage.input, usage.output),
        stop_reason=message["stop_reason"],
        others=[block["type"] for block in message["content"]],
    )


def llm_sync(clients: Clients) -> Any:
    response = _llm_model(clients, asynchronous=False).prompt(QUESTION, key="key", stream=True)
    pieces = list(response)
    return _of_llm(pieces, response.tool_calls(), response.usage(), response.response_json)


async def llm_async(clients: Clients) -> Any:
    response = _llm_model(clients, asynchronous=True).prompt(QUESTION, key="key", stream=True)
    pieces = [piece async for piece in response]
    return _of_llm(pieces, await response.tool_calls(), await response.usage(), response.response_json)


# instructor: it patches a function


def _answer() -> Any:
    import pydantic

    return pydantic.create_model("get_forecast", __config__=pydantic.ConfigDict(extra="allow"))


def _instructor(clients: Clients, *, asynchronous: bool) -> Any:
    import instructor
    from instructor.v2.core.patch import patch_v2

    client = clients.asynchronous if asynchronous else clients.sync
    cls = instructor.AsyncInstructor if asynchronous else instructor.Instructor
    provider, mode = instructor.Provider.ANTHROPIC, instructor.Mode.TOOLS
    create = patch_v2(client.messages.create, provider=provider, mode=mode)
    return cls(client, create, mode=mode, provider=provider)


def _ask() -> dict[str, Any]:
    messages = [{"role": "user", "content": QUESTION}]
    return {"model": MODEL, "max_tokens": 100, "messages": messages, "response_model": _answer(), "max_retries": 1}


def _of_instructor(answer: Any, message: Any) -> Made:
    tokens = (message.usage.input_tokens, message.usage.output_tokens)
    return Made(others=answer.model_dump(), tokens=tokens, stop_reason=message.stop_reason)


def instructor_sync(clients: Clients) -> Any:
    answer, message = _instructor(clients, asynchronous=False).create_with_completion(**_ask())
    return _of_instructor(answer, message)


async def instructor_async(clients: Clients) -> Any:
    answer, message = await _instructor(clients, asynchronous=True).create_with_completion(**_ask())
    return _of_instructor(answer, message)


def instructor_partial(clients: Clients) -> Any:
    return [answer.model_dump() for answer in _instructor(clients, asynchronous=False).create_partial(**_ask())]


async def instructor_async_partial(clients: Clients) -> Any:
    return [answer.model_dump() async for answer in _instructor(clients, asynchronous=True).create_partial(**_ask())]


@attrs.frozen
class Use:
    """A way to use a framework.

    Attributes:
        run: Runs it on clients, and returns JSON.
        streams: Whether it asks for a stream.
        unless: The exception of the framework that a kind of clients does not cause, as it asks for official classes.
    """

    run: Callable[[Clients], Any]
    streams: bool
    unless: dict[str, str] = attrs.field(factory=dict)


USES = (
    Use(langchain, streams=False),
    Use(langchain_stream, streams=True),
    Use(langchain_async, streams=False),
    Use(langchain_async_stream, streams=True),
    Use(pydantic_ai, streams=True),  # behind the scenes, as its `max_tokens` is large
    Use(pydantic_ai_stream, streams=True),
    Use(llm_sync, streams=True),
    Use(llm_async, streams=True),
    Use(instructor_sync, streams=False, unless={"ours": "IncompleteOutputException"}),
    Use(instructor_async, streams=False, unless={"ours": "IncompleteOutputException"}),
    Use(instructor_partial, streams=True),
    Use(instructor_async_partial, streams=True),
)
