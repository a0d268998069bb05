"""FastAPI and Starlette apps over real sockets: one app on both packages, and what each answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import attrs
import httpx2
import pytest
from guides import PACKAGE, python_example, run
from habits import MESSAGES, answered
from habits_messages import MESSAGE, filled
from helpers import HELLO, body, by_frame, drive
from server import Server, Stall, serving, stream_reply
from starlette.applications import Starlette
from starlette.routing import Mount
from web_app import app_of, serving_app

import streamcore.httpx

# FastAPI gives each parameter an alias. For official classes pydantic then warns, as it builds them late.
pytestmark = pytest.mark.filterwarnings("ignore::pydantic.warnings.UnsupportedFieldAttributeWarning")


@attrs.frozen
class Site:
    """The two apps on one server, and the upstream of both."""

    http: httpx2.Client
    upstream: Server

    def both(self, path: str, **request: Any) -> tuple[Any, Any]:
        """Return what the app on the official package and that on ours answer: a status and JSON."""
        answers = [self.http.post(f"/{app}/{path}", **request) for app in ("theirs", "ours")]
        there, here = [(answer.status_code, answer.json()) for answer in answers]
        return there, here


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with serving(always=answered) as upstream:
        apps = {"theirs": app_of(anthropic, upstream.url), "ours": app_of(streamcore.httpx, upstream.url)}
        app = Starlette(routes=[Mount(f"/{name}", app) for name, app in apps.items()])
        with serving_app(app) as url, httpx2.Client(base_url=url) as http:
            yield Site(http, upstream)


TURNS = [
    {"role": "user", "content": [{"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}]},
    {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {"a": [1, None]}}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "ok"}]},
]


def test_fastapi_answers_as_with_the_official_package(site: Site) -> None:
    requests: dict[str, dict[str, Any]] = {
        "message?model=weather": {},
        "message?model=citations": {},
        "blocks?model=weather": {},
        "untyped?model=tool": {},
        "roles": {"json": TURNS},
        "ask": {"json": {"model": "text", "messages": TURNS}},
        "usage": {"json": MESSAGE},
        "saved": {"json": {"message": MESSAGE, "tags": ["a"]}},
    }
    for path, request in requests.items():
        (status, there), (our_status, here) = site.both(path, **request)
        assert (status, our_status) == (200, 200), f"{path}: {here}"
        assert filled(here) == filled(there), path


def test_fastapi_sends_what_it_was_given(site: Site) -> None:
    bodies = []
    for app in ("theirs", "ours"):
        site.http.post(f"/{app}/ask", json={"model": "text", "messages": TURNS})
        bodies.append(site.upstream.requests[-1].json())
    assert bodies[0]["messages"] == bodies[1]["messages"] == TURNS


def test_fastapi_refuses_what_it_refuses_with_the_official_package(site: Site) -> None:
    requests: dict[str, Any] = {
        "roles": [{"role": "nobody", "content": "Hi"}],
        "ask": {"model": "text", "messages": [{"content": "Hi"}]},
        "usage": {"id": 3},
        "saved": {"message": "Hi"},
    }
    for path, payload in requests.items():
        (status, _), (our_status, here) = site.both(path, json=payload)
        assert (status, our_status) == (422, 422), path
        assert here["detail"][0]["loc"][0] == "body"


def test_fastapi_has_an_openapi_schema(site: Site) -> None:
    there, here = (site.http.get(f"/{app}/openapi.json").json() for app in ("theirs", "ours"))
    assert there["paths"].keys() == here["paths"].keys()
    for name in ("Message", "Usage", "TextBlock", "ToolUseBlock"):
        their, our = there["components"]["schemas"][name], here["components"]["schemas"][name]
        assert our["type"] == their["type"] == "object"
        assert set(our["properties"]) >= set(their["required"]) - {"type"}, name
    schema = here["paths"]["/message"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/Message"}


def test_a_relayed_stream_is_the_message_again(site: Site) -> None:
    question = {"model": "weather", "messages": MESSAGES}
    messages = []
    for app in ("theirs", "ours"):
        answer = site.http.post(f"/{app}/stream", json=question)
        assert answer.headers["content-type"].startswith("text/event-stream")
        snapshot = drive(answer.content).snapshot
        assert snapshot is not None
        messages.append(filled(snapshot.to_dict()))
    assert messages[0] == messages[1]
    answer = site.http.post("/ours/stream", json={"model": "status:429", "messages": MESSAGES})
    assert (answer.status_code, answer.json()["error"]["type"]) == (429, "rate_limit_error")


@pytest.mark.parametrize("framework", ["fastapi", "starlette"])
def test_when_the_browser_leaves_the_upstream_is_closed(framework: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(stream_reply(*by_frame(body(*HELLO))[:3], Stall())) as upstream:
        monkeypatch.setenv("ANTHROPIC_API_KEY", "key")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", upstream.url)
        if framework == "fastapi":
            app, path, question = (
                app_of(streamcore.httpx, upstream.url),
                "/stream",
                {"model": "m", "messages": MESSAGES},
            )
        else:
            example = python_example(PACKAGE / "stream" / "README.md", "app = Starlette(")
            app, path, question = run(example)["app"], "/chat", {"question": "Hi"}
        with serving_app(app) as url, httpx2.Client(base_url=url) as http:
            with http.stream("POST", path, json=question) as answer:
                chunks = answer.iter_bytes()  # kept: a generator that is dropped would close the connection
                assert b"message_start" in next(chunks)
                assert upstream.open_connections == 1
            upstream.wait_until_idle()
