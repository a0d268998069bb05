"""The arguments of clients and calls: their names, what stands for "not given", and what may be in them."""

from __future__ import annotations

import base64
import inspect
import io
import pathlib
import warnings
from collections import UserString
from collections.abc import Iterator
from typing import Any
from unittest import mock

import anthropic
import httpx2
import pydantic
import pytest
from adapters import Adapter, each_adapter
from anthropic._data import DEPRECATED_MODELS, MODELS_TO_WARN_WITH_THINKING_ENABLED
from helpers import HELLO, body
from server import ASK, Server, json_reply, serving, stream_reply

import streamcore.aiohttp
import streamcore.httpx as ours
from streamcore.api import models
from streamcore.api.options import StreamOptions, omit
from streamcore.errors import InvalidArgumentError, StreamCoreError

MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-1", "content": [], "usage": {}}


@pytest.fixture
def server() -> Iterator[Server]:
    def answer(request: Any) -> Any:
        return stream_reply(body(*HELLO)) if request.json().get("stream") else json_reply(MESSAGE)

    with serving(always=answer) as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[Any]:
    with ours.Anthropic(api_key="key", base_url=server.url, max_retries=0) as client:
        yield client


# Names


def test_a_misspelt_argument_is_refused_before_anything_is_sent(client: Any, server: Server) -> None:
    raw, streamed = client.messages.with_raw_response, client.beta.messages.with_streaming_response
    for call in (client.messages.create, client.messages.parse, client.beta.messages.stream, raw.create):
        with pytest.raises(TypeError, match=r"unexpected keyword argument 'max_token'; did you mean 'max_tokens'\?"):
            call(**ASK, max_token=1)
        with pytest.raises(TypeError, match="missing the keyword argument max_tokens"):
            call(model="claude-1", messages=[])
        with pytest.raises(TypeError, match="missing the keyword arguments max_tokens, messages, model"):
            call()
    with (
        pytest.raises(TypeError, match=r"'nonsense'; A parameter of the API .* extra_body"),
        streamed.create(**ASK, nonsense=1),
    ):
        raise AssertionError("it was sent")
    makers: list[Any] = [ours.Anthropic, ours.AsyncAnthropic, streamcore.aiohttp.AsyncAnthropic, client.copy]
    for make in makers:
        with pytest.raises(TypeError, match="api_kye"):
            make(api_kye="key")
    with pytest.raises(TypeError, match="'stream'"):
        client.messages.stream(**ASK, stream=True)
    assert server.requests == []
    client.messages.create(model="claude-1", extra_body={"messages": [], "max_tokens": 5, "new": [1]})
    assert server.requests[-1].json() == {"model": "claude-1", "messages": [], "max_tokens": 5, "new": [1]}


def test_signatures_name_all_arguments() -> None:
    with anthropic.Anthropic(api_key="key") as theirs, ours.Anthropic(api_key="key") as mine:
        for name in ("create", "stream", "parse"):
            known = set(inspect.signature(getattr(theirs.messages, name)).parameters)
            known |= set(inspect.signature(getattr(theirs.beta.messages, name)).parameters)
            assert known - set(inspect.signature(getattr(mine.messages, name)).parameters) <= {"output_format"}
        signature = inspect.signature(mine.messages.stream)
        assert signature.parameters.keys() >= StreamOptions.__annotations__.keys()
        assert signature.parameters["model"].default is inspect.Parameter.empty
        assert signature.parameters["system"].default is ours.NOT_GIVEN
        assert "model: 'ModelParam', " in str(signature)
        assert "temperature: 'float' = NOT_GIVEN" in str(signature)
        for owner in (mine.messages.with_raw_response, mine.messages.with_streaming_response):
            assert "tools" in inspect.signature(owner.create).parameters
    for cls in (ours.Anthropic, ours.AsyncAnthropic, streamcore.aiohttp.AsyncAnthropic):
        parameters = inspect.signature(cls).parameters
        assert list(parameters) == [
            *("api_key", "auth_token", "base_url", "timeout", "idle_timeout", "max_retries", "default_headers"),
            *("default_query", "http_client"),
        ]
        assert all(name in str(cls.__init__.__doc__) for name in parameters)


def test_resources_are_made_once_and_can_be_patched(client: Any, server: Server) -> None:
    assert client.messages is client.messages
    assert client.beta.messages is client.beta.messages
    with mock.patch.object(client.messages, "create", return_value="patched"):
        assert client.messages.create() == "patched"
    client.messages.stream = lambda **arguments: arguments
    assert client.messages.stream(a=1) == {"a": 1}
    assert client.copy().messages.stream is not client.messages.stream
    with mock.patch.object(client, "messages", "patched"):
        assert client.messages == "patched"
    assert client.messages.create(**ASK).id == "msg_1"
    client.api_key = "another"
    client.messages.create(**ASK)
    assert server.requests[-1].headers["authorization"] == "Bearer another"
    assert not client.is_closed()


# Not given


@each_adapter
def test_not_given_of_either_package_in_any_argument(adapter: Adapter) -> None:
    values = [ours.NOT_GIVEN, ours.omit, ours.NotGiven(), anthropic.NOT_GIVEN, anthropic.omit, anthropic.not_given]
    names = StreamOptions.__annotations__.keys() - ASK.keys()

    async def use(server: Server) -> None:
        constructor = ("timeout", "idle_timeout", "max_retries", "default_headers", "default_query", "http_client")
        for value in values:
            client = adapter.client(server, **dict.fromkeys(constructor, value))
            client = client.copy(**dict.fromkeys(constructor, value))
            not_given = dict.fromkeys(names, value)
            async with client.messages.stream(**ASK, **not_given, event_handler=value, output_format=value) as stream:
                await stream.get_final_message()
            of_streams = {"trailing_strings", "invalid_json"}
            not_given = dict.fromkeys(names - of_streams, value)
            await client.messages.create(**ASK, **not_given, stream=value, output_format=value)
            await client.messages.create(**ASK, system=[{"type": "text", "text": "x", "cache_control": value}])
            headers = {"anthropic-version": value, "x-one": "1"}
            await client.messages.create(**ASK, extra_headers=headers, extra_query={"a": value}, timeout=value)
            await client.close()

    def answer(request: Any) -> Any:
        return stream_reply(body(*HELLO)) if request.json().get("stream") else json_reply(MESSAGE)

    with serving(always=answer) as server:
        adapter.run(lambda: use(server))
    for number, request in enumerate(server.requests):
        expected = {**ASK, **({"stream": True} if number % 4 == 0 else {})}
        if number % 4 == 2:
            expected["system"] = [{"type": "text", "text": "x"}]
        assert request.json() == expected
        assert request.query == ""
        is_omit = repr(values[number // 4]).startswith("omit") or type(values[number // 4]).__name__ == "Omit"
        assert ("anthropic-version" in request.headers) is not (number % 4 == 3 and is_omit)


# Values


class Badge(pydantic.BaseModel):
    kind: str = pydantic.Field(default="badge", serialization_alias="type")
    note: str | None = None


def test_models_of_the_official_package_and_of_pydantic_are_sent_as_it_sends_them(server: Server) -> None:
    text = anthropic.types.TextBlock(type="text", text="hi", citations=None)
    tool = anthropic.types.ToolUseBlock.model_validate({"type": "tool_use", "id": "t", "name": "n", "input": {"a": 1}})
    beta = anthropic.types.beta.BetaTextBlock.model_validate({"type": "text", "text": "beta", "new": 1})
    arguments: Any = {
        **ASK,
        "messages": [
            {"role": "user", "content": [text, beta]},
            {"role": "assistant", "content": (block for block in [tool])},
        ],
        "system": [text],
        "metadata": Badge(note="x"),
        "tools": iter([Badge(kind="custom")]),
    }
    for package in (anthropic, ours):
        with package.Anthropic(api_key="key", base_url=server.url) as client:
            # The iterators are used up by a call.
            tools, content = [Badge(kind="custom")], (block for block in [tool])
            turns = [arguments["messages"][0], {"role": "assistant", "content": content}]
            client.messages.create(**{**arguments, "tools": tools, "messages": turns})
    assert server.requests[0].json() == server.requests[1].json()
    whole = anthropic.types.Message.model_validate(
        {**MESSAGE, "content": [text], "usage": {"input_tokens": 1, "output_tokens": 1}}
    )
    with ours.Anthropic(api_key="key", base_url=server.url) as client:
        turns = [*ASK["messages"], whole]
        client.messages.create(**{**ASK, "messages": turns})
    assert server.requests[-1].json()["messages"][1]["role"] == "assistant"
    assert server.requests[-1].json()["messages"][1].keys() == {"role", "content"}


def test_bytes_and_files_in_base64_sources(client: Any, server: Server, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "image.png"
    path.write_bytes(b"\x89PNG")
    with path.open("rb") as opened:
        for data in (b"\x89PNG", bytearray(b"\x89PNG"), memoryview(b"\x89PNG"), path, opened, io.BytesIO(b"\x89PNG")):
            source = {"type": "base64", "media_type": "image/png", "data": data}
            message = {"role": "user", "content": [{"type": "image", "source": source}]}
            client.messages.create(**{**ASK, "messages": [message]})
            sent = server.requests[-1].json()["messages"][0]["content"][0]["source"]
            assert sent == {**source, "data": base64.b64encode(b"\x89PNG").decode()}
    for unusable in (tmp_path / "missing", opened, {1}):
        broken: Any = {"type": "base64", "media_type": "image/png", "data": unusable}
        with pytest.raises(InvalidArgumentError, match=r"source\.data"):
            client.messages.create(**{**ASK, "messages": [{"role": "user", "content": [{"source": broken}]}]})


def test_what_cannot_be_sent_is_refused_and_nothing_else_comes_out(server: Server, tmp_path: pathlib.Path) -> None:
    cycle: list[Any] = []
    cycle.append({"again": cycle})
    deep: Any = None
    for _ in range(100_000):
        deep = [deep]

    class Broken:
        def model_dump(self) -> Any:
            raise KeyError("broken")

    class Endless:
        def model_dump(self) -> Any:
            return self

    (tmp_path / "file").write_text("text")
    made: Any = ours.Anthropic(api_key="key", base_url=server.url)
    with (tmp_path / "file").open() as opened, made as client:
        never: list[Any] = [{1}, opened, object(), b"bytes", cycle, deep, Broken(), UserString("x"), 10**5000, 1j]
        never += [float("nan"), {1: 2}, print, Broken, Endless(), mock.MagicMock()]
        for value in never:
            for name in ("system", "metadata", "thinking", "temperature", "model", "stop_sequences", "tool_choice"):
                with pytest.raises(InvalidArgumentError):
                    client.messages.create(**{**ASK, name: value})
            for name in ("messages", "tools"):
                with pytest.raises(StreamCoreError):  # or an UnsupportedTypeError, if it is a function
                    client.messages.create(**{**ASK, name: [value]})
            with pytest.raises(InvalidArgumentError):
                client.messages.stream(**ASK, extra_body={"new": value})
        for value in (5, "text", {"a": 1}, {1}, opened, tmp_path, memoryview(b"a"), object(), True):
            for name in ("messages", "tools"):
                with pytest.raises(InvalidArgumentError, match=f"{name} must be a list"):
                    client.messages.create(**{**ASK, name: value})
        for name in ("extra_headers", "extra_query", "extra_body", "betas"):
            with pytest.raises(InvalidArgumentError, match=f"{name} must be"):
                client.messages.create(**ASK, **{name: 5})
        for value in ({1}, b"bytes", opened, cycle, iter("ab")):
            with pytest.raises(InvalidArgumentError, match="the query"):
                client.messages.create(**ASK, extra_query={"q": value})
        for key in (5, b"name", None):
            odd: Any = {key: omit}
            with pytest.raises(InvalidArgumentError, match="cannot be the name of a header"):
                client.messages.create(**ASK, extra_headers=odd)
        for name in ("invalid_json", "on_invalid"):
            wrong: Any = {name: "ignore"}
            with pytest.raises(InvalidArgumentError, match=f"{name} must be one of 'raise', 'keep'"):
                client.messages.stream(**ASK, **wrong).__enter__()
        with pytest.raises(InvalidArgumentError, match="output_config must be"):
            client.messages.create(**ASK, output_config=5, output_format=Badge)
    assert server.requests == []
    del deep


# Models


def test_deprecated_models_warn_as_in_the_official_package(server: Server) -> None:
    assert models.DEPRECATED_MODELS == DEPRECATED_MODELS
    assert set(MODELS_TO_WARN_WITH_THINKING_ENABLED) == models.MODELS_WITHOUT_THINKING_ENABLED
    thinking = {"type": "enabled", "budget_tokens": 1024}
    seen = []
    for package in (anthropic, ours):
        with (
            package.Anthropic(api_key="key", base_url=server.url) as client,
            warnings.catch_warnings(record=True) as got,
        ):
            warnings.simplefilter("always")
            for model in ("claude-mythos-preview", "claude-opus-4-5", "claude-1", "claude-opus-4-6"):
                arguments: Any = {**ASK, "model": model, "thinking": thinking}
                client.messages.create(**arguments)
                client.messages.create(**arguments, stream=True).close()
                with client.beta.messages.stream(**arguments) as stream:
                    stream.until_done()
        assert "June 30th, 2026" in str(got[0].message)
        seen.append([each.category for each in got])
    assert seen[0] == seen[1]
    assert {each.filename for each in got} == {__file__}
    with ours.Anthropic(api_key="key", base_url=server.url) as client:
        with pytest.warns(DeprecationWarning, match="January 22nd, 2027") as recorded:
            client.messages.with_raw_response.create(**{**ASK, "model": "claude-opus-4-5"})
        assert recorded[0].filename == __file__


# Errors


def test_errors_are_made_as_tests_of_programs_make_them() -> None:
    request = httpx2.Request("POST", "http://api.test")
    for package in (anthropic, ours):
        error: Any = package.APIError("bad", request, body=None)
        assert (str(error), error.request, error.body) == ("bad", request, None)
        for timeout in (package.APITimeoutError(request), package.APITimeoutError(request=request)):
            assert timeout.request is request
            assert str(timeout).startswith("Request timed out")
        error = package.APIConnectionError(message="no", request=request)
        assert (str(error), error.request) == ("no", request)
        response = httpx2.Response(429, request=request)
        error = package.RateLimitError("slow", response=response, body={"a": 1})
        assert (error.status_code, error.response, error.body) == (429, response, {"a": 1})
