"""Frameworks that use the `anthropic` package: functions that run one and return what it makes of an answer.

They need other versions than the tests of streamcore, so they live in a virtual environment of their own:

    python -m venv ~/ecosystem && ~/ecosystem/bin/pip install -e '.[ecosystem]'
    ~/ecosystem/bin/pytest -m slow tests/ecosystem/test_frameworks.py

`.ci/run` does this. Where the frameworks are not installed, the tests are skipped.
"""

from __future__ import annotations

import dataclasses
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


def plain(value: Any) -> Any:
    """Return a value of a framework as JSON."""
    if hasattr(value, "model_dump"):
        return plain(value.model_dump())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else repr(value)


def without(value: Any, *names: str) -> Any:
    """Return JSON without the fields of these names, at any depth, and without nulls."""
    if isinstance(value, dict):
        items = {key: without(item, *names) for key, item in value.items() if key not in names}
        return {key: item for key, item in items.items() if item is not None}
    return [without(item, *names) for item in value] if isinstance(value, list) else value


# langchain-anthropic: a subclass returns the clients


def _chat(clients: Clients, *, streaming: bool) -> Any:
    from langchain_anthropic import ChatAnthropic

    class Chat(ChatAnthropic):
        @cached_property
        def _client(self) -> Any:
            return clients.sync

        @cached_property
        def _async_client(self) -> Any:
            return clients.asynchronous

    chat: Any = Chat(model=MODEL, api_key="key", max_retries=0, max_tokens=100)  # type: ignore[call-arg, arg-type]
    return chat.bind_tools([TOOL]) if streaming else chat


def _of_chat(message: Any) -> Any:
    return without(plain(message), "id", "run_id")


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

    return AnthropicModel(MODEL, provider=AnthropicProvider(anthropic_client=clients.asynchronous))


def _of_model(response: Any) -> Any:
    return without(plain(response), "timestamp", "provider_url", "run_id", "conversation_id")


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

    llm_anthropic.Anthropic = lambda **_: clients.sync  # type: ignore[attr-defined]
    llm_anthropic.AsyncAnthropic = lambda **_: clients.asynchronous  # type: ignore[attr-defined]
    return llm.get_async_model(f"anthropic/{MODEL}") if asynchronous else llm.get_model(f"anthropic/{MODEL}")


def llm_sync(clients: Clients) -> Any:
    response = _llm_model(clients, asynchronous=False).prompt(QUESTION, key="key", stream=True)
    pieces = list(response)
    calls = [plain(call) for call in response.tool_calls()]
    return pieces, calls, plain(response.usage()), without(plain(response.response_json), "id")


async def llm_async(clients: Clients) -> Any:
    response = _llm_model(clients, asynchronous=True).prompt(QUESTION, key="key", stream=True)
    pieces = [piece async for piece in response]
    calls = [plain(call) for call in await response.tool_calls()]
    return pieces, calls, plain(await response.usage()), without(plain(response.response_json), "id")


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


def instructor_sync(clients: Clients) -> Any:
    answer, message = _instructor(clients, asynchronous=False).create_with_completion(**_ask())
    return plain(answer), message.stop_reason, message.usage.output_tokens


async def instructor_async(clients: Clients) -> Any:
    answer, message = await _instructor(clients, asynchronous=True).create_with_completion(**_ask())
    return plain(answer), message.stop_reason, message.usage.output_tokens


def instructor_partial(clients: Clients) -> Any:
    return [plain(answer) for answer in _instructor(clients, asynchronous=False).create_partial(**_ask())]


async def instructor_async_partial(clients: Clients) -> Any:
    return [plain(answer) async for answer in _instructor(clients, asynchronous=True).create_partial(**_ask())]


USES = (
    langchain,
    langchain_stream,
    langchain_async,
    langchain_async_stream,
    pydantic_ai,
    pydantic_ai_stream,
    llm_sync,
    llm_async,
    instructor_sync,
    instructor_async,
    instructor_partial,
    instructor_async_partial,
)
