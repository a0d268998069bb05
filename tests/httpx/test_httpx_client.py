"""The httpx adapter over real sockets: what it sends, what it gives back, and how often it tries.

The async half runs against the aiohttp adapter too.
"""

from __future__ import annotations

import contextlib
import json
import math
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import httpx
import httpx2
import pytest
from adapters import Adapter, each_adapter
from helpers import HELLO, STOP, block_start, body, by_frame, delta, in_pieces, start, text
from server import (
    ASK,
    BACKENDS,
    BOUND,
    Cut,
    Pause,
    Reply,
    Request,
    Server,
    Stall,
    error_reply,
    json_reply,
    run,
    serving,
    stream_reply,
)
from tls import make_certificate

import streamcore
import streamcore.httpx as anthropic
from streamcore.api import attempts
from streamcore.api.client import BaseClient
from streamcore.codec import decode_event
from streamcore.errors import InvalidArgumentError

HELLO_BODY = body(*HELLO)
EVENTS = [decode_event(json.dumps(payload).encode()) for payload in HELLO]
HELLO_REPLY = stream_reply(*by_frame(HELLO_BODY))
MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-1",
    "content": [{"type": "text", "text": "Hello"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 25, "output_tokens": 8},
}
DEEP = json.loads('{"a":' * 300 + "1" + "}" * 300)
RETRY_NOW = {"retry-after-ms": "1"}


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(always=HELLO_REPLY) as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(api_key="key", base_url=server.url) as client:
        yield client


def async_client(server: Server, **options: Any) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(api_key="key", base_url=server.url, **options)


# Answers


def test_a_stream(client: anthropic.Anthropic) -> None:
    with client.messages.stream(**ASK) as stream:
        assert list(stream.text_stream) == ["Hel", "lo"]
    message = stream.get_final_message()
    assert message.to_dict()["content"] == MESSAGE["content"]
    assert stream.request_id == "req_1"
    assert stream.response.headers["content-type"].startswith("text/event-stream")


@each_adapter
def test_an_async_stream(server: Server, adapter: Adapter) -> None:
    async def main() -> None:
        async with adapter.client(server) as client:
            async with client.messages.stream(**ASK) as stream:
                assert [piece async for piece in stream.text_stream] == ["Hel", "lo"]
            assert await stream.get_final_text() == "Hello"
            assert stream.request_id == "req_1"

    adapter.run(main)


def test_a_message(server: Server, client: anthropic.Anthropic) -> None:
    server.reply(json_reply(MESSAGE))
    message = client.messages.create(**ASK)
    assert message.to_dict() == MESSAGE
    assert "stream" not in server.requests[0].json()


@each_adapter
def test_a_message_async(server: Server, adapter: Adapter) -> None:
    server.reply(json_reply(MESSAGE))

    async def main() -> None:
        async with adapter.client(server) as client:
            assert (await client.messages.create(**ASK)).to_dict() == MESSAGE

    adapter.run(main)


def test_create_with_stream_gives_typed_events(client: anthropic.Anthropic) -> None:
    with client.messages.create(**ASK, stream=True) as stream:
        events = list(stream)
    assert events == EVENTS
    assert stream.response.status_code == 200
    assert events[2].delta.text == "Hel"


@pytest.mark.parametrize("resource", ["messages", "beta"])
def test_create_with_stream_decodes_as_it_is_told(server: Server, client: anthropic.Anthropic, resource: str) -> None:
    messages: Any = client.beta.messages if resource == "beta" else client.messages
    server.always = stream_reply(body(HELLO[0], b"data: [DONE]\n\n", *HELLO[1:]))
    with messages.create(**ASK, stream=True) as stream:
        assert list(stream) == EVENTS
    with messages.create(**ASK, stream=True, strict=False, limits=anthropic.NOT_GIVEN) as stream:
        assert list(stream) == EVENTS
    with messages.create(**ASK, stream=True, strict=True) as stream, pytest.raises(streamcore.DecodeError):
        list(stream)
    limits = streamcore.Limits(max_stream_size=100)
    with messages.create(**ASK, stream=True, limits=limits) as stream, pytest.raises(streamcore.LimitExceededError):
        list(stream)
    assert [request.json() for request in server.requests] == [{**ASK, "stream": True}] * 4


DECODING: list[dict[str, Any]] = [{"strict": True}, {"strict": False}, {"limits": streamcore.Limits()}]
OF_STREAM: list[dict[str, Any]] = [{"trailing_strings": False}, {"event_handler": anthropic.MessageStream}]
MISPLACED = [*DECODING, *OF_STREAM, *({**option, "stream": True} for option in [*OF_STREAM, {"limits": 5}])]


@pytest.mark.parametrize("options", MISPLACED, ids=lambda options: "-".join(options))
def test_what_does_not_apply_to_a_create_is_refused(
    server: Server, client: anthropic.Anthropic, options: dict[str, Any]
) -> None:
    for messages in (client.messages, client.beta.messages):
        with pytest.raises(InvalidArgumentError, match=next(iter(options))):
            messages.create(**ASK, **options)
    if "stream" not in options:
        with pytest.raises(InvalidArgumentError, match=next(iter(options))):
            client.messages.parse(**ASK, **options)
    with pytest.raises(InvalidArgumentError, match="limits must be"):
        client.messages.stream(**ASK, limits=5)  # type: ignore[call-overload]  # the test is about a value that is not Limits
    assert server.requests == []


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (json_reply({**MESSAGE, "new_field": "x" * 2000}), streamcore.LimitExceededError),
        (json_reply({**MESSAGE, "content": [DEEP]}), streamcore.LimitExceededError),
        (json_reply({**MESSAGE, "content": 5}), anthropic.APIResponseValidationError),
        (error_reply(400), anthropic.APIError),
    ],
)
def test_what_create_raises_is_in_its_documentation(
    server: Server, client: anthropic.Anthropic, reply: Reply, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "DEFAULT_LIMITS", streamcore.Limits(max_event_size=1500))
    server.reply(reply)
    with pytest.raises(error):
        client.messages.create(**ASK)
    assert f"{error.__name__}: " in (client.messages.create.__doc__ or "")


@each_adapter
def test_create_with_stream_gives_typed_events_async(server: Server, adapter: Adapter) -> None:
    async def main() -> None:
        async with adapter.client(server) as client:
            stream = await client.messages.create(**ASK, stream=True)
            assert [event async for event in stream] == EVENTS

    adapter.run(main)


def test_beta_features_are_a_header(server: Server, client: anthropic.Anthropic) -> None:
    with client.beta.messages.stream(**ASK, betas=["one-2025", "two-2025"]) as stream:
        assert stream.get_final_text() == "Hello"
    server.reply(json_reply(MESSAGE))
    client.beta.messages.create(**ASK)
    first, second = server.requests
    assert (first.path, first.query) == (second.path, second.query) == ("/v1/messages", "")
    assert first.headers["anthropic-beta"] == "one-2025,two-2025"
    assert "anthropic-beta" not in second.headers
    assert "betas" not in first.json()


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
@pytest.mark.parametrize("gzip", [False, True])
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_bodies_arrive_whole_however_they_are_sent(server: Server, framing: Any, gzip: bool, size: int) -> None:
    server.reply(stream_reply(*in_pieces(HELLO_BODY, size), framing=framing, gzip=gzip))
    with anthropic.Anthropic(api_key="key", base_url=server.url) as client, client.messages.stream(**ASK) as stream:
        assert stream.get_final_text() == "Hello"


@pytest.mark.parametrize("gzip", [False, True])
def test_events_come_out_as_they_arrive(server: Server, client: anthropic.Anthropic, gzip: bool) -> None:
    server.reply(stream_reply(body(*HELLO[:3]), Stall(), gzip=gzip))
    with client.messages.stream(**ASK) as stream:
        assert next(iter(stream.text_stream)) == "Hel"


def test_several_streams_use_one_connection(server: Server, client: anthropic.Anthropic) -> None:
    for _ in range(3):
        with client.messages.stream(**ASK) as stream:
            stream.until_done()
    assert server.connections == 1


def test_threads_share_a_client(client: anthropic.Anthropic) -> None:
    texts: list[str] = []

    def ask() -> None:
        with client.messages.stream(**ASK) as stream:
            texts.append(stream.get_final_text())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(BOUND)
    assert texts == ["Hello"] * 8


# Requests


def test_the_request_on_the_wire(server: Server, client: anthropic.Anthropic) -> None:
    with client.messages.stream(**ASK, temperature=0.5, extra_headers={"x-mine": "1"}, extra_query={"q": "a b"}):
        pass
    (request,) = server.requests
    assert request.method == "POST"
    assert request.target == "/v1/messages?q=a%20b"
    assert request.json() == {**ASK, "temperature": 0.5, "stream": True}
    expected = {
        "authorization": "Bearer key",
        "anthropic-version": "2026-10-21",
        "accept": "application/json",
        "content-type": "application/json",
        "x-mine": "1",
    }
    assert {name: request.headers.get(name) for name in expected} == expected
    assert "x-api-key" not in request.headers
    assert request.headers["user-agent"].startswith("streamcore/")


def test_credentials_and_url_from_the_environment(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "env-key")
    with anthropic.Anthropic() as client, client.messages.stream(**ASK) as stream:
        stream.until_done()
    assert server.requests[0].headers["authorization"] == "Bearer env-key"


def test_headers_from_the_environment(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "X-One: 1\n x-two :a: b \n\nnothing\nX-Three: 3\r\nX-Four: 4")
    options: dict[str, Any] = {"default_headers": {"x-three": "mine"}}
    with anthropic.Anthropic(api_key="key", base_url=server.url, **options) as client:
        for each in (client, client.with_options(default_headers={"x-four": anthropic.omit})):
            with each.messages.stream(**ASK):
                pass
    sent = [{name: value for name, value in request.headers.items() if name[:2] == "x-"} for request in server.requests]
    assert sent[0] == {"x-one": "1", "x-two": "a: b", "x-three": "mine", "x-four": "4"}
    assert sent[1] == {"x-one": "1", "x-two": "a: b", "x-three": "mine"}


def test_the_default_http_clients_have_our_defaults_and_take_others() -> None:
    for make in (anthropic.DefaultHttpxClient, anthropic.DefaultAsyncHttpxClient):
        assert make().timeout == anthropic.DEFAULT_TIMEOUT == httpx2.Timeout(600, connect=5)
        assert make().follow_redirects
        assert make(timeout=7, follow_redirects=False).timeout == httpx2.Timeout(7)


def test_more_streams_than_httpx_has_connections_by_default(server: Server) -> None:
    server.always = stream_reply(body(*HELLO[:3]), Stall())
    timeout = anthropic.Timeout(BOUND, pool=0.001)
    with contextlib.ExitStack() as streams:
        client = streams.enter_context(anthropic.Anthropic(api_key="key", base_url=server.url, timeout=timeout))
        for _ in range(101):
            streams.enter_context(client.with_options(max_retries=0).messages.stream(**ASK))
        assert server.open_connections == 101


def test_an_auth_token(server: Server) -> None:
    with anthropic.Anthropic(auth_token="token", base_url=server.url) as client, client.messages.stream(**ASK):
        pass
    assert server.requests[0].headers["authorization"] == "Bearer token"


def test_with_options_shares_the_connections(server: Server, client: anthropic.Anthropic) -> None:
    changed = client.with_options(default_headers={"x-mine": "1"}, api_key="other")
    for each in (client, changed):
        with each.messages.stream(**ASK) as stream:
            stream.until_done()
    assert server.connections == 1
    assert [request.headers["authorization"] for request in server.requests] == ["Bearer key", "Bearer other"]
    assert [request.headers.get("x-mine") for request in server.requests] == [None, "1"]


def test_nothing_is_sent_before_the_stream_is_entered(server: Server, client: anthropic.Anthropic) -> None:
    client.messages.stream(**ASK)
    assert server.requests == []


def test_arguments_that_make_no_request_are_refused_at_once(server: Server, client: anthropic.Anthropic) -> None:
    with pytest.raises(InvalidArgumentError, match="messages"):
        client.messages.stream(**{**ASK, "messages": b"raw"})
    with pytest.raises(InvalidArgumentError, match="timeout"):
        client.messages.create(**ASK, timeout="soon")
    assert server.requests == []


# Handed in


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_an_http_client_that_is_handed_in_is_used(server: Server, library: Any) -> None:
    with library.Client(headers={"x-from": "their client"}) as http:
        client = anthropic.Anthropic(api_key="key", base_url=server.url, http_client=http)
        with client.messages.stream(**ASK) as stream:
            assert stream.get_final_text() == "Hello"
        assert isinstance(stream.response, library.Response)
        server.reply(stream_reply(HELLO_BODY[:200], Cut()))
        with pytest.raises(anthropic.APIConnectionError), client.messages.stream(**ASK) as stream:
            stream.until_done()
        server.reply(stream_reply(HELLO_BODY[:200], Stall()))
        with pytest.raises(anthropic.APITimeoutError), client.messages.stream(**ASK, idle_timeout=0.05) as stream:
            stream.until_done()
    assert server.requests[0].headers["x-from"] == "their client"


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_an_http_client_that_is_handed_in_is_closed_with_ours(library: Any) -> None:
    http, async_http = library.Client(), library.AsyncClient()
    with anthropic.Anthropic(api_key="key", http_client=http):
        assert not http.is_closed
    assert http.is_closed

    async def main() -> None:
        async with anthropic.AsyncAnthropic(api_key="key", http_client=async_http):
            assert not async_http.is_closed
        assert async_http.is_closed

    run("asyncio", main)


CLOSING = r"closing the connection \(RuntimeError: boom\)"


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_an_answer_that_cannot_be_closed_is_an_error_of_ours(library: Any) -> None:
    status = 200

    class Chunks(library.SyncByteStream):  # type: ignore[misc]  # of either library
        def __iter__(self) -> Iterator[bytes]:
            yield HELLO_BODY[:300]
            yield b" " * 1_000_000

        def close(self) -> None:
            raise RuntimeError("boom")

    http = library.Client(transport=library.MockTransport(lambda _: library.Response(status, stream=Chunks())))
    with anthropic.Anthropic(api_key="key", http_client=http) as client:
        with pytest.raises(anthropic.APIConnectionError, match=CLOSING), client.messages.stream(**ASK) as stream:
            next(stream)
        stream.close()
        client.messages.create(**ASK, stream=True)  # dropped
        status = 400
        with pytest.raises(anthropic.BadRequestError):  # and nothing of how its body was closed
            client.messages.create(**ASK)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("library", [httpx, httpx2])
def test_an_answer_that_cannot_be_closed_is_an_error_of_ours_async(library: Any, backend: str) -> None:
    status = 200

    class Chunks(library.AsyncByteStream):  # type: ignore[misc]  # of either library
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield HELLO_BODY[:300]
            yield b" " * 1_000_000

        async def aclose(self) -> None:
            raise RuntimeError("boom")

    async def main() -> None:
        nonlocal status
        http = library.AsyncClient(transport=library.MockTransport(lambda _: library.Response(status, stream=Chunks())))
        async with anthropic.AsyncAnthropic(api_key="key", http_client=http) as client:
            with pytest.raises(anthropic.APIConnectionError, match=CLOSING):
                async with client.messages.stream(**ASK) as stream:
                    await anext(stream)
            await stream.close()
            status = 400
            with pytest.raises(anthropic.BadRequestError):
                await client.messages.create(**ASK)

    run(backend, main)


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_what_cannot_be_closed_is_an_error_of_ours(library: Any) -> None:
    closed: list[str] = []

    class Chunks(library.SyncByteStream):  # type: ignore[misc]  # of either library
        def __iter__(self) -> Iterator[bytes]:
            yield HELLO_BODY[:300]
            yield HELLO_BODY[300:]

        def close(self) -> None:
            closed.append("stream")
            raise RuntimeError("not this one")

    class Transport(library.BaseTransport):  # type: ignore[misc]  # of either library
        def handle_request(self, request: Any) -> Any:
            return library.Response(200, stream=Chunks())

        def close(self) -> None:
            closed.append("transport")
            raise RuntimeError("boom")

    client = anthropic.Anthropic(api_key="key", http_client=library.Client(transport=Transport()))
    streams = [client.messages.create(**ASK, stream=True) for _ in range(2)]
    assert [next(stream).type for stream in streams] == ["message_start"] * 2
    with pytest.raises(anthropic.APIConnectionError, match=r"closing the connections \(RuntimeError: boom\)") as caught:
        client.close()
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert closed == ["stream", "stream", "transport"]
    assert client.is_closed()
    client.close()
    with (
        pytest.raises(anthropic.APIConnectionError, match="closing"),
        anthropic.Anthropic(api_key="key", http_client=library.Client(transport=Transport())),
    ):
        pass


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("library", [httpx, httpx2])
def test_what_cannot_be_closed_is_an_error_of_ours_async(library: Any, backend: str) -> None:
    class Transport(library.AsyncBaseTransport):  # type: ignore[misc]  # of either library
        async def aclose(self) -> None:
            raise RuntimeError("boom")

    async def main() -> None:
        client = anthropic.AsyncAnthropic(api_key="key", http_client=library.AsyncClient(transport=Transport()))
        with pytest.raises(anthropic.APIConnectionError, match=r"closing the connections \(RuntimeError: boom\)"):
            await client.close()
        assert client.is_closed()
        await client.aclose()

    run(backend, main)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("library", [httpx, httpx2])
def test_an_async_http_client_that_is_handed_in_is_used(server: Server, library: Any, backend: str) -> None:
    async def main() -> None:
        async with library.AsyncClient() as http:
            client = async_client(server, http_client=http)
            async with client.messages.stream(**ASK) as stream:
                assert await stream.get_final_text() == "Hello"
            server.reply(stream_reply(HELLO_BODY[:200], Cut()))
            with pytest.raises(anthropic.APIConnectionError):
                async with client.messages.stream(**ASK) as stream:
                    await stream.until_done()
            server.reply(stream_reply(HELLO_BODY[:200], Stall()))
            with pytest.raises(anthropic.APITimeoutError):
                async with client.messages.stream(**ASK, idle_timeout=0.05) as stream:
                    await stream.until_done()

    run(backend, main)


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_a_bare_response_can_be_wrapped(server: Server, library: Any) -> None:
    server.reply(HELLO_REPLY, error_reply(529, "overloaded_error"), json_reply({"hello": 1}))
    with library.Client() as http:
        with http.stream("POST", server.url, json={}) as response, anthropic.message_stream(response) as stream:
            assert stream.get_final_text() == "Hello"
        with http.stream("POST", server.url, json={}) as response, pytest.raises(anthropic.OverloadedError):
            anthropic.message_stream(response)
        with http.stream("POST", server.url, json={}) as response, pytest.raises(anthropic.DecodeError, match="hello"):
            anthropic.message_stream(response)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("library", [httpx, httpx2])
def test_a_bare_async_response_can_be_wrapped(server: Server, library: Any, backend: str) -> None:
    server.reply(HELLO_REPLY, error_reply(529, "overloaded_error"))

    async def main() -> None:
        async with library.AsyncClient() as http:
            async with (
                http.stream("POST", server.url, json={}) as response,
                await anthropic.async_message_stream(response) as stream,
            ):
                assert await stream.get_final_text() == "Hello"
            async with http.stream("POST", server.url, json={}) as response:
                with pytest.raises(anthropic.OverloadedError):
                    await anthropic.async_message_stream(response)

    run(backend, main)


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_a_stream_over_the_bytes_of_a_response(server: Server, library: Any) -> None:
    with (
        library.stream("POST", server.url, json={}) as response,
        streamcore.httpx.MessageStream(response.iter_bytes(), response=response) as stream,
    ):
        assert stream.get_final_text() == "Hello"
        assert stream.request_id == "req_1"


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_an_http_client_of_the_wrong_kind_is_refused(library: Any) -> None:
    for thing in (object(), library, library.AsyncClient()):
        with pytest.raises(InvalidArgumentError, match=r"httpx2\.Client or an httpx\.Client"):
            anthropic.Anthropic(api_key="key", http_client=thing)
    with library.Client() as http, pytest.raises(InvalidArgumentError, match=r"httpx2\.AsyncClient .* not .*Client"):
        anthropic.AsyncAnthropic(api_key="key", http_client=http)


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_a_response_of_the_wrong_kind_is_refused(server: Server, library: Any) -> None:
    with library.Client() as http, http.stream("POST", server.url) as response:

        async def main() -> None:
            with pytest.raises(InvalidArgumentError, match="AsyncClient"):
                await anthropic.async_message_stream(response)

        run("asyncio", main)
        assert anthropic.message_stream(response).get_final_text() == "Hello"

    async def reverse() -> None:
        async with library.AsyncClient() as http, http.stream("POST", server.url) as response:
            with pytest.raises(InvalidArgumentError, match="sync client"):
                anthropic.message_stream(response)
            assert await (await anthropic.async_message_stream(response)).get_final_text() == "Hello"

    run("asyncio", reverse)


def test_an_empty_api_key_is_none() -> None:
    with anthropic.Anthropic(api_key="") as client, pytest.raises(InvalidArgumentError, match="no credentials"):
        client.messages.create(**ASK)


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_a_transport_without_sockets(library: Any) -> None:
    def answer(request: Any) -> Any:
        return library.Response(200, headers={"content-type": "text/event-stream"}, content=HELLO_BODY)

    http = library.Client(transport=library.MockTransport(answer))
    with anthropic.Anthropic(api_key="key", http_client=http) as client, client.messages.stream(**ASK) as stream:
        assert stream.get_final_text() == "Hello"


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_timeouts_of_either_library(server: Server, library: Any) -> None:
    server.reply(Reply(head=[Stall()]), Reply(head=[Stall()]))
    with anthropic.Anthropic(api_key="key", base_url=server.url, max_retries=0) as client:
        with pytest.raises(anthropic.APITimeoutError):
            client.messages.create(**ASK, timeout=library.Timeout(5, read=0.05))
        with pytest.raises(anthropic.APITimeoutError):
            client.with_options(timeout=library.Timeout(5, read=0.05)).messages.create(**ASK)


def test_the_timeout_of_a_client_that_is_handed_in_counts_if_somebody_chose_it(server: Server) -> None:
    from streamcore.httpx.library import timeouts_of

    assert timeouts_of(anthropic.NOT_GIVEN, httpx2.Client().timeout)["read"] == 600
    assert timeouts_of(anthropic.NOT_GIVEN, httpx2.Client(timeout=7).timeout)["read"] == 7
    assert timeouts_of(anthropic.NOT_GIVEN, httpx2.Client(timeout=None).timeout)["read"] is None
    assert timeouts_of(9, httpx2.Client(timeout=7).timeout)["read"] == 9
    assert timeouts_of(None, httpx2.Client(timeout=7).timeout)["read"] is None


@pytest.mark.parametrize("make", [anthropic.Anthropic, anthropic.AsyncAnthropic])
@pytest.mark.parametrize(
    "timeout", [-1, 0, "5", True, object(), httpx.Timeout, httpx.Timeout(-1), httpx2.Timeout(5, pool=-0.1)]
)
def test_a_timeout_that_is_none_is_refused_at_once(make: Any, timeout: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="timeout must"):
        make(api_key="key", timeout=timeout)
    client = make(api_key="key")
    for refusing in (client.copy, client.with_options):
        with pytest.raises(InvalidArgumentError, match="timeout must"):
            refusing(timeout=timeout)
    with pytest.raises(InvalidArgumentError, match="timeout must"):
        client.messages.stream(**ASK, timeout=timeout)  # before it is entered


@pytest.mark.parametrize("make", [anthropic.Anthropic, anthropic.AsyncAnthropic])
def test_what_the_constructor_raises_is_in_its_documentation(make: Any) -> None:
    for options in (
        {"timeout": -1},
        {"idle_timeout": "5"},
        {"http_client": 5},
        {"base_url": "x"},
        {"max_retries": None},
    ):
        with pytest.raises(InvalidArgumentError, match=next(iter(options))):
            make(**{"api_key": "key", **options})
    for documented in (make.__init__, make.copy, BaseClient.__init__, BaseClient.copy):
        assert "InvalidArgumentError: " in str(documented.__doc__)


@pytest.mark.parametrize("endless", [math.inf, httpx.Timeout(math.inf), httpx2.Timeout(math.inf)])
def test_an_infinite_timeout_is_none(server: Server, endless: Any) -> None:
    with anthropic.Anthropic(api_key="key", base_url=server.url, timeout=endless, max_retries=0) as client:
        for idle_timeout in (None, math.inf):
            with client.messages.stream(**ASK, idle_timeout=idle_timeout) as stream:
                assert stream.get_final_text() == "Hello"


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_the_idle_timeout_of_a_bare_response_has_to_be_one(server: Server, library: Any) -> None:
    wrong: Any
    for wrong in (0, "5"):
        with library.Client() as http, http.stream("POST", server.url) as response:
            with pytest.raises(InvalidArgumentError, match="idle_timeout"):
                anthropic.message_stream(response, idle_timeout=wrong)
            assert not response.is_closed


# Trying again


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503, 529])
def test_a_failure_that_may_pass_is_retried(server: Server, client: anthropic.Anthropic, status: int) -> None:
    server.reply(error_reply(status, headers=RETRY_NOW), error_reply(status, headers=RETRY_NOW))
    with client.messages.stream(**ASK) as stream:
        assert stream.get_final_text() == "Hello"
    assert len(server.requests) == 3
    assert {request.body for request in server.requests} == {server.requests[0].body}


@each_adapter
def test_a_failure_that_may_pass_is_retried_async(server: Server, adapter: Adapter) -> None:
    server.reply(error_reply(529, headers=RETRY_NOW), json_reply(MESSAGE))

    async def main() -> None:
        async with adapter.client(server) as client:
            await client.messages.create(**ASK)

    adapter.run(main)
    assert len(server.requests) == 2


def test_after_the_last_retry_the_error_is_raised(server: Server) -> None:
    server.always = error_reply(529, "overloaded_error", headers=RETRY_NOW)
    with anthropic.Anthropic(api_key="key", base_url=server.url, max_retries=3) as client:
        with pytest.raises(anthropic.OverloadedError) as caught:
            client.messages.create(**ASK)
        assert len(server.requests) == 4
        with pytest.raises(anthropic.OverloadedError):
            client.messages.create(**ASK, max_retries=0)
        assert len(server.requests) == 5
    assert caught.value.request_id == "req_1"
    assert caught.value.type == "overloaded_error"


def test_a_failure_that_stays_is_not_retried(server: Server, client: anthropic.Anthropic) -> None:
    server.reply(error_reply(400, "invalid_request_error", "no such field"))
    with pytest.raises(anthropic.BadRequestError, match="no such field"):
        client.messages.create(**ASK)
    assert len(server.requests) == 1


def test_x_should_retry_decides(server: Server, client: anthropic.Anthropic) -> None:
    server.reply(error_reply(400, headers={"x-should-retry": "true", **RETRY_NOW}))
    server.reply(error_reply(529, headers={"x-should-retry": "false"}))
    with pytest.raises(anthropic.OverloadedError):
        client.messages.create(**ASK)
    assert len(server.requests) == 2


@pytest.mark.parametrize("headers", [{"retry-after-ms": "150"}, {"retry-after": "0.15"}])
def test_retry_after_is_waited_for(server: Server, client: anthropic.Anthropic, headers: dict[str, str]) -> None:
    server.reply(error_reply(429, headers=headers), json_reply(MESSAGE))
    client.messages.create(**ASK)
    first, second = server.requests
    assert 0.14 < second.time - first.time < 0.45


@each_adapter
def test_retry_after_is_waited_for_async(server: Server, adapter: Adapter) -> None:
    server.reply(error_reply(429, headers={"retry-after-ms": "150"}), json_reply(MESSAGE))

    async def main() -> None:
        async with adapter.client(server) as client:
            await client.messages.create(**ASK)

    adapter.run(main)
    first, second = server.requests
    assert 0.14 < second.time - first.time < 0.45


def test_a_connection_that_breaks_before_the_answer_is_retried(
    server: Server, client: anthropic.Anthropic, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(anthropic.Anthropic, "_sleep", lambda self, seconds: waits.append(seconds))
    server.reply(Reply(head=[Cut()]), Reply(head=[Cut(reset=True)]))
    with client.messages.stream(**ASK) as stream:
        assert stream.get_final_text() == "Hello"
    assert len(server.requests) == 3
    assert 0.375 <= waits[0] <= 0.5
    assert 0.75 <= waits[1] <= 1


def test_a_message_whose_body_breaks_is_asked_for_again(
    server: Server, client: anthropic.Anthropic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anthropic.Anthropic, "_sleep", lambda self, seconds: None)
    half = json.dumps(MESSAGE).encode()[:50]
    server.reply(Reply(steps=[half], headers={"content-type": "application/json"}, framing="length", missing=9))
    server.reply(json_reply(MESSAGE))
    assert client.messages.create(**ASK).to_dict() == MESSAGE


def test_a_stream_that_has_begun_is_never_retried(server: Server, client: anthropic.Anthropic) -> None:
    server.reply(stream_reply(Cut()), stream_reply(body(HELLO[0]), Cut()))
    for _ in range(2):
        with pytest.raises(anthropic.APIConnectionError), client.messages.stream(**ASK) as stream:
            stream.until_done()
    assert len(server.requests) == 2


# Closing


def test_a_closed_client_says_so(server: Server) -> None:
    client = anthropic.Anthropic(api_key="key", base_url=server.url)
    assert not client.is_closed()
    client.close()
    assert client.is_closed()
    with pytest.raises(anthropic.APIConnectionError, match="The client was closed"):
        client.messages.create(**ASK)


@each_adapter
def test_a_closed_async_client_says_so(server: Server, adapter: Adapter) -> None:
    async def main() -> None:
        client = adapter.client(server)
        client._sleep = None  # it does not try again
        await client.close()
        with pytest.raises(anthropic.APIConnectionError, match="The client was closed"):
            await client.messages.create(**ASK)

    adapter.run(main)


def test_a_request_whose_client_is_closed_is_not_made_again(server: Server) -> None:
    client = anthropic.Anthropic(api_key="key", base_url=server.url)

    def answer(request: Request) -> Reply:
        client.close()
        return Reply(head=[Cut()])

    server.always = answer
    with pytest.raises(anthropic.APIConnectionError, match="The client was closed"):
        client.messages.create(**ASK)
    assert len(server.requests) == 1


@pytest.mark.parametrize("stream", [False, True])
def test_closing_a_client_in_another_thread_ends_a_read_that_waits(server: Server, stream: bool) -> None:
    message = body(*HELLO[:3]) if stream else b"{"
    server.reply(Reply(headers={"content-type": "text/event-stream"}, steps=[message, Stall()]))
    client = anthropic.Anthropic(api_key="key", base_url=server.url)
    copy = client.with_options(timeout=BOUND)
    closer = threading.Timer(0.2, client.close)
    closer.start()
    read = (lambda: list(copy.messages.create(**ASK, stream=True))) if stream else lambda: copy.messages.create(**ASK)
    with pytest.raises(anthropic.APIConnectionError, match="The client was closed") as caught:
        read()
    assert not isinstance(caught.value, anthropic.APITimeoutError)
    closer.join()
    server.wait_until_idle()


def test_a_stream_whose_client_was_closed_says_so(server: Server) -> None:
    server.always = stream_reply(body(*HELLO[:3]), Stall())
    client = anthropic.Anthropic(api_key="key", base_url=server.url)
    stream = client.messages.create(**ASK, stream=True)
    next(stream)
    client.close()
    with pytest.raises(anthropic.APIConnectionError, match="The client was closed"):
        list(stream)


@each_adapter
def test_a_stream_whose_client_was_closed_says_so_async(server: Server, adapter: Adapter) -> None:
    server.always = stream_reply(body(*HELLO[:3]), Stall())

    async def main() -> None:
        client = adapter.client(server)
        stream = await client.messages.create(**ASK, stream=True)
        await anext(stream)
        await client.close()
        with pytest.raises(anthropic.APIConnectionError, match="The client was closed"):
            async for _ in stream:
                pass

    adapter.run(main)


def test_closing_a_client_closes_its_connections(server: Server) -> None:
    with anthropic.Anthropic(api_key="key", base_url=server.url) as client:
        with client.messages.stream(**ASK) as stream:
            stream.until_done()
        assert server.open_connections == 1
    server.wait_until_idle()


def test_close_from_another_thread_ends_a_read_that_waits(server: Server, client: anthropic.Anthropic) -> None:
    server.reply(stream_reply(body(*HELLO[:3]), Stall()))
    with client.messages.stream(**ASK) as stream:
        assert next(iter(stream.text_stream)) == "Hel"
        closer = threading.Timer(0.05, stream.close)
        closer.start()
        began = time.monotonic()
        assert list(stream.text_stream) == []
        assert time.monotonic() - began < 2
        closer.join(BOUND)
    server.wait_until_idle()
    with pytest.raises(anthropic.IncompleteStreamError):
        stream.get_final_message()


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_close_from_another_thread_ends_a_read_of_a_bare_response(server: Server, library: Any) -> None:
    server.reply(stream_reply(body(*HELLO[:3]), Stall()))
    # Without a timeout, nothing but the closing ends the read.
    with library.Client(timeout=None) as http, http.stream("POST", server.url) as response:
        with anthropic.message_stream(response) as stream:
            assert next(iter(stream.text_stream)) == "Hel"
            closer = threading.Timer(0.1, stream.close)
            closer.start()
            assert list(stream.text_stream) == []
            closer.join(BOUND)
        server.wait_until_idle()


def test_close_from_another_thread_over_tls(tmp_path: Any) -> None:
    certificate, context = make_certificate(tmp_path)
    trusting = ssl.create_default_context(cafile=certificate)
    with serving(stream_reply(body(*HELLO[:3]), Stall()), tls=context) as server:
        http = httpx2.Client(verify=trusting)
        with anthropic.Anthropic(api_key="key", base_url=server.url, http_client=http) as client:
            with client.messages.stream(**ASK) as stream:
                assert next(iter(stream.text_stream)) == "Hel"
                closer = threading.Timer(0.05, stream.close)
                closer.start()
                assert list(stream.text_stream) == []
                closer.join(BOUND)
            server.wait_until_idle()


@each_adapter
def test_close_from_another_task_ends_a_read_that_waits(server: Server, adapter: Adapter) -> None:
    server.reply(stream_reply(body(*HELLO[:3]), Stall()))

    async def main() -> None:
        async with adapter.client(server) as client, client.messages.stream(**ASK) as stream:
            async for _ in stream.text_stream:
                break

            async def close_soon() -> None:
                await anyio.sleep(0.05)
                await stream.close()

            async with anyio.create_task_group() as group:
                group.start_soon(close_soon)
                assert [piece async for piece in stream.text_stream] == []

    adapter.run(main)
    server.wait_until_idle()


# The module


def test_the_core_does_not_load_an_http_library() -> None:
    program = """
        import sys, streamcore, streamcore.stream, streamcore.api.messages
        loaded = {"httpx", "httpx2", "aiohttp", "anyio", "streamcore.httpx"} & sys.modules.keys()
        assert not loaded, loaded
        import streamcore.httpx
        assert "httpx2" in sys.modules and "httpx" not in sys.modules
        assert streamcore.httpx is not sys.modules["httpx2"]
    """
    lines = [line.strip() for line in program.splitlines()]
    subprocess.run([sys.executable, "-c", "\n".join(lines)], check=True, timeout=BOUND)


def test_everything_a_program_imports_is_there() -> None:
    from streamcore.httpx import NOT_GIVEN, APIError, AsyncAnthropic, AsyncMessageStream, types

    assert anthropic.types is types
    assert anthropic.types.Message is streamcore.Message
    assert issubclass(anthropic.RateLimitError, anthropic.APIStatusError)
    assert issubclass(anthropic.APIStatusError, APIError)
    assert not NOT_GIVEN
    assert {AsyncAnthropic, AsyncMessageStream} == {anthropic.AsyncAnthropic, anthropic.AsyncMessageStream}
    assert all(hasattr(anthropic, name) for name in vars(anthropic)["__all__"])


def test_a_subclass_of_the_stream_handles_events(server: Server, client: anthropic.Anthropic) -> None:
    seen: list[str] = []

    class Mine(anthropic.MessageStream):
        def on_text(self, delta: str, snapshot: str) -> None:
            seen.append(f"{delta}|{snapshot}")

    with client.messages.stream(**ASK, event_handler=Mine) as stream:
        assert type(stream) is Mine
        stream.until_done()
    assert seen == ["Hel|Hel", "lo|Hello"]


def test_options_of_the_engine_can_be_given(server: Server, client: anthropic.Anthropic) -> None:
    server.always = stream_reply(body(start(), block_start(0), text(0, "x"), delta(0, "new_delta"), STOP))
    with client.messages.stream(**ASK) as stream:
        stream.until_done()
    assert stream.violations
    with pytest.raises(anthropic.ProtocolError), client.messages.stream(**ASK, strict=True) as stream:
        stream.until_done()
    limits = streamcore.Limits(max_stream_size=10)
    with pytest.raises(anthropic.LimitExceededError), client.messages.stream(**ASK, limits=limits) as stream:
        stream.until_done()


def test_a_slow_head_is_bounded_by_the_timeout_and_not_by_the_idle_timeout(
    server: Server, client: anthropic.Anthropic
) -> None:
    server.reply(stream_reply(HELLO_BODY, head=[Pause(0.2)]))
    with client.messages.stream(**ASK, idle_timeout=0.05) as stream:
        assert stream.get_final_text() == "Hello"
