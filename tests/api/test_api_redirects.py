"""Redirects: followed within an origin, and never to another one, whichever HTTP library sends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from adapters import ADAPTERS, Adapter
from helpers import HELLO, body
from server import ASK, Reply, Server, json_reply, serving, stream_reply

import streamcore.httpx
from streamcore.api.redirects import redirected
from streamcore.api.request import Request
from streamcore.replay import read_captures, record
from streamcore.replay.httpx2 import ReplayTransport

MESSAGE = {**HELLO[0]["message"], "content": [{"type": "text", "text": "Hello"}], "stop_reason": "end_turn"}
HEADERS = {"x-api-key": "secret", "content-type": "application/json", "authorization": "Bearer secret"}
REQUEST = Request(method="POST", url="https://api.example/v1/messages?a=1", headers=HEADERS, body=b"{}")


def redirect(status: int, location: str) -> Reply:
    return Reply(status=status, headers={"location": location}, steps=[b"moved"], framing="length")


# Which request


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/v2/messages", "https://api.example/v2/messages"),
        ("elsewhere?b=2#part", "https://api.example/v1/elsewhere?b=2"),
        ("?b=2", "https://api.example/v1/messages?b=2"),
        ("https://api.example/v2", "https://api.example/v2"),
        ("HTTPS://API.Example:443", "https://api.example/"),
        ("//api.example//other.example/v2", "https://api.example//other.example/v2"),
        ("https://user:password@api.example/v2", "https://api.example/v2"),
    ],
)
def test_a_redirect_within_the_origin_changes_the_url(location: str, url: str) -> None:
    assert redirected(REQUEST, 307, {"location": location}) == Request(
        method="POST", url=url, headers=HEADERS, body=b"{}"
    )


@pytest.mark.parametrize(
    "location",
    [
        "https://other.example/v1/messages",
        "//other.example/v1/messages",
        "http://api.example/v1/messages",
        "https://api.example:8443/v1/messages",
        "https://api.example.other.example/",
        "https://api.example@other.example/",
        "https://other.example\\@api.example.other.example/",
        "ftp://api.example/",
        "file:///etc/passwd",
        "https://api.example:port/",
        "https://[api.example/",
        "https://api.example:99999/",
        "/über",
        "/a b",
        "/a\nb",
        "/" + "a" * 70_000,
        "",
    ],
)
def test_any_other_redirect_is_not_followed(location: str) -> None:
    for status in (301, 302, 303, 307, 308):
        assert redirected(REQUEST, status, {"location": location}) is None


@pytest.mark.parametrize("location", ["https://api.example\\@other.example/", "https:\\\\other.example/", "/\\other"])
def test_a_url_that_can_be_read_in_two_ways_stays_with_the_host(location: str) -> None:
    request = redirected(REQUEST, 307, {"location": location})
    assert request is None or request.url.startswith("https://api.example/")


@pytest.mark.parametrize("status", [200, 300, 304, 305, 306, 400])
def test_other_statuses_do_not_redirect(status: int) -> None:
    assert redirected(REQUEST, status, {"location": "/v2"}) is None


@pytest.mark.parametrize(
    ("status", "first", "then"),
    [
        *[(status, "POST", "GET") for status in (301, 302, 303)],
        *[(status, "POST", "POST") for status in (307, 308)],
        *[(status, "PUT", "PUT") for status in (301, 302, 307, 308)],
        (303, "PUT", "GET"),
    ],
)
def test_the_status_decides_the_method(status: int, first: str, then: str) -> None:
    request = redirected(Request(method=first, url="http://a/", headers=HEADERS, body=b"{}"), status, {"location": "b"})
    assert request is not None
    assert (request.method, request.body) == (then, b"{}" if then != "GET" else b"")
    assert ("content-type" in request.headers) == (then != "GET")
    assert request.headers["x-api-key"] == "secret"


# Over sockets

Ask = Callable[..., Any]
"""Make a call with this `base_url` and these arguments, and return the message."""


def ask_sync(library: Any | None, **handed_in: Any) -> Ask:
    def ask(url: str, **arguments: Any) -> Any:
        http = {} if library is None else {"http_client": library.Client(**handed_in)}
        client = streamcore.httpx.Anthropic(
            api_key="key", base_url=url, default_headers={"x-api-key": "key"}, max_retries=1, **http
        )
        with client:
            if not arguments.pop("stream"):
                return client.messages.create(**ASK, **arguments)
            with client.messages.stream(**ASK, **arguments) as stream:
                return stream.get_final_message()

    return ask


def ask_async(adapter: Adapter) -> Ask:
    def ask(url: str, **arguments: Any) -> Any:
        async def main() -> Any:
            client = adapter.module.AsyncAnthropic(
                api_key="key", base_url=url, default_headers={"x-api-key": "key"}, max_retries=1
            )
            async with client:
                if not arguments.pop("stream"):
                    return await client.messages.create(**ASK, **arguments)
                async with client.messages.stream(**ASK, **arguments) as stream:
                    return await stream.get_final_message()

        return adapter.run(main)

    return ask


ASKS: dict[str, Ask] = {
    "httpx2": ask_sync(None),
    "httpx2 handed in": ask_sync(httpx2, follow_redirects=True),
    "httpx handed in": ask_sync(httpx, follow_redirects=True),
    **{str(adapter): ask_async(adapter) for adapter in ADAPTERS},
}
each_way = pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
whole_or_streamed = pytest.mark.parametrize("stream", [False, True], ids=["create", "stream"])


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def other() -> Iterator[Server]:
    with serving(always=json_reply(MESSAGE)) as server:
        yield server


def answer(*, stream: bool) -> Reply:
    return stream_reply(body(*HELLO)) if stream else json_reply(MESSAGE)


@each_way
@whole_or_streamed
@pytest.mark.parametrize("status", [307, 308])
def test_the_body_and_the_headers_go_along_within_an_origin(
    server: Server, ask: Ask, status: int, stream: bool
) -> None:
    server.reply(redirect(status, "/second"), redirect(status, f"{server.url}/third?a=1"), answer(stream=stream))
    assert ask(server.url, stream=stream).content[0].text == "Hello"
    assert [request.target for request in server.requests] == ["/v1/messages", "/second", "/third?a=1"]
    assert len({request.body for request in server.requests}) == 1
    assert all(request.headers["x-api-key"] == "key" for request in server.requests)
    assert server.connections == 1  # what is left of a redirect is read, so that its connection can be used again


@each_way
@pytest.mark.parametrize("status", [301, 302, 303])
def test_other_redirects_are_followed_by_a_get(server: Server, ask: Ask, status: int) -> None:
    server.reply(redirect(status, "/second"), json_reply(MESSAGE))
    assert ask(server.url, stream=False).content[0].text == "Hello"
    second = server.requests[1]
    assert (second.method, second.body, second.headers.get("content-type")) == ("GET", b"", None)


@each_way
@whole_or_streamed
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_origin_is_not_followed_and_said(
    server: Server, other: Server, ask: Ask, status: int, stream: bool
) -> None:
    target = f"{other.url}/v1/messages".replace("//", "//user:password@")
    server.always = redirect(status, target)
    with pytest.raises(streamcore.httpx.APIStatusError) as caught:
        ask(server.url, stream=stream)
    assert other.connections == 0
    assert len(server.requests) == 1
    error = caught.value
    assert (type(error), error.status_code, error.body) == (streamcore.httpx.APIStatusError, status, "moved")
    assert f"http://***@{other.url.removeprefix('http://')}/v1/messages" in str(error)
    assert "password" not in str(error)
    assert error.response.headers["location"] == target


@each_way
def test_a_redirect_to_another_origin_is_not_followed_after_one_within(server: Server, other: Server, ask: Ask) -> None:
    server.reply(redirect(307, "/second"), redirect(307, other.url))
    with pytest.raises(streamcore.httpx.APIStatusError, match=other.url):
        ask(server.url, stream=True)
    assert other.connections == 0


@each_way
def test_an_endless_row_of_redirects_ends(server: Server, ask: Ask) -> None:
    server.always = redirect(307, "/again")
    with pytest.raises(streamcore.httpx.APIStatusError, match="at most 20 in a row"):
        ask(server.url, stream=True)
    assert len(server.requests) == 21


@each_way
def test_a_long_location_does_not_make_a_long_error(server: Server, ask: Ask) -> None:
    server.always = redirect(307, f"http://other.example/{'a' * 7900}")
    with pytest.raises(streamcore.httpx.APIStatusError, match=r"other\.example/a") as caught:
        ask(server.url, stream=True)
    assert len(str(caught.value)) < 2100


@pytest.mark.parametrize("library", [httpx2, httpx])
def test_a_client_that_was_told_to_follow_no_redirects_follows_none(server: Server, library: Any) -> None:
    server.always = redirect(307, "/second")
    with pytest.raises(streamcore.httpx.APIStatusError, match="/second"):
        ask_sync(library, follow_redirects=False)(server.url, stream=True)
    assert len(server.requests) == 1


def test_a_recording_has_each_redirect_as_an_exchange_and_can_be_played(server: Server, tmp_path: Path) -> None:
    server.reply(redirect(307, "/second"), stream_reply(body(*HELLO)))
    file = tmp_path / "redirected.jsonl"
    client = streamcore.httpx.Anthropic(api_key="key", base_url=server.url)
    with client, record(client, file) as recorded, recorded.messages.stream(**ASK) as stream:
        assert stream.get_final_text() == "Hello"
    assert [(capture.status, b"".join(c.data for c in capture.chunks)[:5]) for capture in read_captures(file)] == [
        (307, b"moved"),
        (200, b"event"),
    ]
    http = httpx2.Client(transport=ReplayTransport(file), follow_redirects=True)
    with streamcore.httpx.Anthropic(api_key="key", base_url=server.url, http_client=http) as client:
        assert client.messages.create(**ASK, stream=True).response.status_code == 200
