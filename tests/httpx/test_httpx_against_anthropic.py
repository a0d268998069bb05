"""The official client beside ours, against the same server: the same events, the same message, the same exceptions."""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
from adapters import Adapter, each_adapter
from anthropic._error_classes import ERROR_CLASSES
from helpers import HELLO, body, by_frame, without_nulls
from official import NOT_HERE, exports, family_of, parameters_of
from server import (
    ASK,
    Cut,
    Reply,
    Request,
    Server,
    Stall,
    error_reply,
    json_reply,
    serving,
    stream_reply,
)
from test_against_anthropic import SOUND, comparable, each_message

import streamcore.httpx as ours
from streamcore.api.options import CallOptions

# What the official stream delivers: no pings, and what it derives under the same names as ours.
DERIVED = {
    "text": ("text", "snapshot"),
    "thinking": ("thinking", "snapshot"),
    "signature": ("signature",),
    "input_json": ("partial_json", "snapshot"),
    "citation": ("citation", "snapshot"),
}
WIRE = {
    "message_start": ("message",),
    "content_block_start": ("index", "content_block"),
    "content_block_delta": ("index", "delta"),
    "content_block_stop": ("index", "content_block"),
    "message_delta": ("delta", "usage"),
    "message_stop": ("message",),
}
COMPARED = {**DERIVED, **WIRE}


@pytest.fixture(scope="module")
def shared_server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def server(shared_server: Server) -> Server:
    shared_server.requests.clear()
    return shared_server


@pytest.fixture(scope="module")
def official(shared_server: Server) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(api_key="key", base_url=shared_server.url, max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def client(shared_server: Server) -> Iterator[ours.Anthropic]:
    with ours.Anthropic(api_key="key", base_url=shared_server.url, max_retries=0) as client:
        yield client


def plain(value: Any) -> Any:
    """A field of an event as JSON, ours or theirs."""
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "to_dict"):
        return comparable(json.loads(value.to_json()))
    return comparable(value)


def event_log(events: Any) -> list[Any]:
    log = []
    for event in events:
        fields = COMPARED.get(event.type)
        if fields is not None:
            log.append([event.type, {name: plain(getattr(event, name)) for name in fields}])
    return log


@pytest.mark.parametrize("data", each_message(SOUND))
def test_the_same_events_and_the_same_message(server: Server, official: Any, client: Any, data: bytes) -> None:
    server.reply(stream_reply(*by_frame(data)), stream_reply(*by_frame(data)))
    with official.beta.messages.stream(**ASK) as stream:
        expected = event_log(stream)
        message = stream.current_message_snapshot
    with client.beta.messages.stream(**ASK) as stream:
        events = event_log(stream)
        if not data.endswith((b"\n\n", b"\r\n\r\n")):
            # A capture whose last blank line is missing: theirs drops the last event.
            assert events.pop() == ["message_stop", {"message": plain(message)}]
            assert "missing_blank_line" in [violation.kind for violation in stream.violations]
        assert events == expected
        assert plain(stream.current_message_snapshot) == plain(message)


@each_adapter
def test_the_same_async(server: Server, adapter: Adapter) -> None:
    server.always = stream_reply(*by_frame(body(*HELLO)))

    async def main() -> None:
        logs = []
        for module in (anthropic, adapter.module):
            make: Any = module.AsyncAnthropic
            async with make(api_key="key", base_url=server.url) as client, client.messages.stream(**ASK) as stream:
                logs.append(event_log([event async for event in stream]))
        assert logs[0] == logs[1]

    adapter.run(main)


def test_create_with_stream_gives_the_same_events(server: Server, official: Any, client: Any) -> None:
    server.always = stream_reply(*by_frame(body(*HELLO)))
    logs = []
    for each in (official, client):
        with each.messages.create(**ASK, stream=True) as stream:
            logs.append([plain(event) for event in stream])
    assert logs[0] == logs[1]


def test_the_same_message_without_a_stream(server: Server, official: Any, client: Any) -> None:
    message = {**HELLO[0]["message"], "content": [{"type": "text", "text": "Hello"}], "stop_reason": "end_turn"}
    server.always = json_reply(message)
    assert plain(client.messages.create(**ASK)) == plain(official.messages.create(**ASK))


STATUSES = [301, 400, 401, 402, 403, 404, 408, 409, 412, 413, 418, 422, 429, 431, 499, 500, 501, 502, 503, 504, 529]


def failure(client: Any, method: str) -> Any:
    try:
        if method == "create":
            client.messages.create(**ASK)
        else:
            with client.messages.stream(**ASK, timeout=0.2) as stream:
                stream.until_done()
    except Exception as error:  # noqa: BLE001  # which one it is, is the question
        return error
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize("method", ["create", "stream"])
@pytest.mark.parametrize("status", STATUSES)
def test_the_same_exception_for_each_status(
    server: Server, official: Any, client: Any, status: int, method: str
) -> None:
    server.always = error_reply(status, "some_error", "because", headers={"anthropic-workspace-id": "wrkspc_1"})
    check_same_failure(failure(official, method), failure(client, method))


@pytest.mark.parametrize("page", [b"", b"<html>Bad gateway", b"[1]", b'{"error": "text"}', b"null"])
def test_the_same_exception_for_other_bodies(server: Server, official: Any, client: Any, page: bytes) -> None:
    server.always = Reply(steps=[page], status=502)
    check_same_failure(failure(official, "create"), failure(client, "create"))


FIELDS = "message", "status_code", "request_id", "workspace_id", "body", "type", "api_message", "error_code"


def check_same_failure(theirs: Any, mine: Any) -> None:
    assert type(mine).__name__ == type(theirs).__name__
    assert isinstance(mine, ours.APIStatusError)
    for name in FIELDS:
        assert getattr(mine, name) == getattr(theirs, name), name
    assert str(mine) == str(theirs)
    assert mine.response.content == theirs.response.content
    assert family_of(type(mine), ours.APIError) == family_of(type(theirs), anthropic.APIError)


# Theirs has more: of endpoints for administration, which only `anthropic.types.organization` and the like have.
CODES = {
    key: theirs
    for key, theirs in ERROR_CLASSES.items()
    if hasattr(anthropic, theirs.__name__) or hasattr(anthropic.types, theirs.__name__)
}


def test_every_class_of_an_error_there_is_one_here() -> None:
    assert len(CODES) > 60
    for (status, code), theirs in CODES.items():
        mine = getattr(ours, theirs.__name__)
        assert family_of(mine, ours.APIError) == family_of(theirs, anthropic.APIError)
        assert (mine.status_code, mine.error_code) == (status, code)


def test_the_same_exception_for_each_code(server: Server, official: Any, client: Any) -> None:
    for status, code in {**CODES, (400, "new_code"): None, (418, "tool_name_conflict"): None}:
        error = {"type": "some_error", "message": "because", "details": {"error_code": code, "more": 1}}
        server.always = json_reply({"type": "error", "error": error}, status)
        check_same_failure(failure(official, "create"), failure(client, "create"))
    # The class of an administration's error is at least that of its status.
    for (status, code), theirs in ERROR_CLASSES.items():
        if (status, code) not in CODES:
            server.always = json_reply({"type": "error", "error": {"details": {"error_code": code}}}, status)
            assert type(failure(client, "create")).__name__ in family_of(theirs, anthropic.APIError)


def test_what_a_program_may_name_there_it_may_name_here() -> None:
    assert {name for name in exports() if not hasattr(ours, name)} <= NOT_HERE
    assert ours.__version__


@pytest.mark.parametrize("method", ["create", "stream"])
def test_every_parameter_there_has_a_type_here(client: Any, method: str) -> None:
    ours_own = set(inspect.signature(getattr(client.messages, method)).parameters)
    assert parameters_of(method) - ours_own <= set(CallOptions.__annotations__)


@pytest.mark.parametrize(
    ("reply", "name"),
    [
        (Reply(head=[Cut()]), "APIConnectionError"),
        (Reply(head=[Stall()]), "APITimeoutError"),
    ],
)
def test_the_same_exception_without_an_answer(
    server: Server, official: Any, client: Any, reply: Reply, name: str
) -> None:
    server.always = reply
    assert type(failure(official, "stream")).__name__ == type(failure(client, "stream")).__name__ == name


def test_a_cut_stream_looks_complete_to_theirs_and_not_to_ours(server: Server, official: Any, client: Any) -> None:
    server.always = stream_reply(body(*HELLO[:4]))
    with official.messages.stream(**ASK) as stream:
        assert stream.get_final_message().content[0].text == "Hello"
    with pytest.raises(ours.IncompleteStreamError), client.messages.stream(**ASK) as stream:
        stream.get_final_message()


# Headers that say what is asked for and by whom. The others say which library asks, and on which machine.
HEADERS = (
    *("authorization", "x-api-key", "anthropic-version", "anthropic-beta", "content-type", "accept", "x-mine"),
    *("anthropic-user-profile-id", "anthropic-workspace-id"),
)


def on_the_wire(request: Request) -> dict[str, Any]:
    return {
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": {name: request.headers.get(name) for name in HEADERS},
        "body": without_nulls(request.json()),
    }


def stream_it(messages: Any, **arguments: Any) -> None:
    with messages.stream(**ASK, **arguments) as stream:
        for _ in stream:
            pass


def create_it(messages: Any, **arguments: Any) -> None:
    messages.create(**ASK, **arguments)


def create_a_stream(messages: Any, **arguments: Any) -> None:
    with messages.create(**ASK, stream=True, **arguments) as stream:
        for _ in stream:
            pass


def as_asked_for(request: Request) -> Reply:
    if request.json().get("stream"):
        return stream_reply(body(*HELLO))
    return json_reply({**HELLO[0]["message"], "content": [], "stop_reason": "end_turn"})


ARGUMENTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "parameters": {
        "stop_sequences": ["END"],
        "system": "Be brief.",
        "metadata": {"user_id": "u"},
        "tools": [{"name": "search", "input_schema": {"type": "object"}}],
    },
    "headers": {"extra_headers": {"X-Mine": "1", "Anthropic-Beta": "three-2026", "Accept": "text/event-stream"}},
    "parameters that are headers": {"user_profile_id": "up", "workspace_id": "ws"},
    "one of them by both ways": {"user_profile_id": "up", "extra_headers": {"Anthropic-User-Profile-Id": "other"}},
    "query": {"extra_query": {"a": "x y&z+", "b": True, "c": None, "d": [1, "ü"], "e": {"f": 2}}},
    "body": {"extra_body": {"model": "other", "new": {"deep": [1]}}},
}
CLIENTS: dict[str, dict[str, Any]] = {
    "api key": {"api_key": "key"},
    "auth token": {"auth_token": "token"},
    "api key and another in a header": {"api_key": "key", "default_headers": {"X-Api-Key": "other"}},
    "an api key in a header alone": {"default_headers": {"X-Api-Key": "other"}},
    "authorization in a header": {"api_key": "key", "default_headers": {"Authorization": "Mine"}},
    "defaults": {"api_key": "key", "default_headers": {"x-mine": "2"}, "default_query": {"a": 0, "g": "1"}},
}


@pytest.fixture
def _no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in [name for name in os.environ if name.startswith("ANTHROPIC_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))  # theirs looks for credentials on the disk too


@pytest.mark.usefixtures("_no_credentials")
@pytest.mark.parametrize("options", CLIENTS.values(), ids=CLIENTS)
@pytest.mark.parametrize("custom", [None, "X-Mine: 3\nX-Api-Key : third\nno header"])
def test_the_same_request_on_the_wire(
    server: Server, options: dict[str, Any], custom: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if custom is not None:
        monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", custom)
    server.always = as_asked_for
    for module in (anthropic, ours):
        make: Any = module.Anthropic
        with make(**options, base_url=server.url, max_retries=0) as client:
            for ask in (stream_it, create_it, create_a_stream):
                for arguments in ARGUMENTS.values():
                    ask(client.messages, **arguments)
                    ask(client.beta.messages, **arguments)
                    ask(client.beta.messages, **arguments, betas=["one-2025", "two-2025"])
    half = len(server.requests) // 2
    assert half == 3 * 3 * len(ARGUMENTS)
    for theirs, mine in zip(server.requests[:half], server.requests[half:], strict=True):
        assert on_the_wire(mine) == on_the_wire(theirs)


@each_adapter
def test_the_same_request_on_the_wire_async(server: Server, adapter: Adapter) -> None:
    server.always = as_asked_for

    async def main() -> None:
        for module in (anthropic, adapter.module):
            make: Any = module.AsyncAnthropic
            async with make(api_key="key", base_url=server.url, max_retries=0) as client:
                for messages, arguments in ((client.messages, {}), (client.beta.messages, {"betas": ["one-2025"]})):
                    await messages.create(**ASK)
                    async with messages.stream(**ASK, **arguments) as stream:
                        await stream.until_done()

    adapter.run(main)
    assert [on_the_wire(request) for request in server.requests[4:]] == [
        on_the_wire(request) for request in server.requests[:4]
    ]


@pytest.mark.usefixtures("_no_credentials")
@pytest.mark.parametrize("headers", [{}, {"X-Api-Key": ""}, {"Authorization": ""}])
def test_without_credentials_neither_asks(server: Server, headers: dict[str, str]) -> None:
    for module in (anthropic, ours):
        make: Any = module.Anthropic
        with make(base_url=server.url, default_headers=headers) as client, pytest.raises((TypeError, ValueError)):
            client.messages.create(**ASK)
    assert server.requests == []


def test_an_answer_as_the_next_turn_is_the_same_on_the_wire(server: Server, official: Any, client: Any) -> None:
    server.always = stream_reply(body(*HELLO))
    for each in (official, client):
        with each.messages.stream(**ASK) as stream:
            turn = {"role": "assistant", "content": stream.get_final_message().content}
        with each.messages.stream(**{**ASK, "messages": [*ASK["messages"], turn, *ASK["messages"]]}) as stream:
            stream.until_done()
    _, theirs, _, mine = server.requests
    assert on_the_wire(mine) == on_the_wire(theirs)
