"""The parts of its adapter that only aiohttp has: sessions, timeouts, proxies, TLS, connections, and gaps of aiohttp.

What all adapters do is tested in `test_httpx_*`, for all of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import math
import os
import socket
import ssl
import subprocess
import sys
import traceback
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import httpx2
import pytest
from helpers import HELLO, body, by_frame
from server import ASK, BOUND, Cut, Pause, Reply, Request, Server, Stall, error_reply, json_reply, serving, stream_reply
from tls import make_certificate

import streamcore
import streamcore.aiohttp as anthropic
from streamcore.aiohttp.timeouts import timeouts_of
from streamcore.api.options import NOT_GIVEN

HELLO_REPLY = stream_reply(*by_frame(body(*HELLO)))
BEGUN = stream_reply(body(*HELLO[:3]), Stall())
MESSAGE = {**HELLO[0]["message"], "content": [{"type": "text", "text": "Hello"}], "stop_reason": "end_turn"}


def run(main: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    async def bounded() -> Any:
        async with asyncio.timeout(BOUND):
            return await main()

    return asyncio.run(bounded(), debug=True)


def client_for(server: Server, **options: Any) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(**{"api_key": "key", "base_url": server.url, **options})


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(always=HELLO_REPLY) as server:
        yield server


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """asyncio and aiohttp complain of what was lost in logs, and Python where pytest hears it."""
    caplog.set_level(logging.WARNING)
    yield
    gc.collect()
    assert [record for record in caplog.records if "seconds" not in record.getMessage()] == []


async def ask(client: anthropic.AsyncAnthropic, **options: Any) -> str:
    async with client.messages.stream(**ASK, **options) as stream:
        text: str = await stream.get_final_text()
        return text


# Sessions


def test_a_session_that_is_handed_in_is_used_and_stays_open(server: Server) -> None:
    async def main() -> None:
        async with aiohttp.ClientSession(headers={"x-from": "their session"}) as session:
            async with client_for(server, http_client=session) as client:
                async with client.messages.stream(**ASK) as stream:
                    assert await stream.get_final_text() == "Hello"
                assert isinstance(stream.response, aiohttp.ClientResponse)
            assert client.is_closed()
            assert not session.closed
            with pytest.raises(anthropic.StreamCoreError, match="closed"):
                await ask(client)
            assert await ask(client_for(server, http_client=session)) == "Hello"

    run(main)
    assert server.requests[0].headers["x-from"] == "their session"
    assert server.connections == 1


def test_a_session_that_is_handed_in_may_raise_for_statuses_and_leave_bodies_compressed(server: Server) -> None:
    server.reply(error_reply(400), stream_reply(body(*HELLO), gzip=True))

    async def main() -> None:
        async with aiohttp.ClientSession(raise_for_status=True, auto_decompress=False) as session:
            client = client_for(server, http_client=session)
            with pytest.raises(anthropic.BadRequestError, match="it failed"):
                await ask(client)
            assert await ask(client) == "Hello"

    run(main)


def test_a_client_made_before_any_loop_serves_one_loop_after_the_other(server: Server) -> None:
    client = client_for(server)
    for _ in range(3):
        assert run(lambda: ask(client)) == "Hello"
        server.wait_until_idle()  # its session was closed at the end of the loop
    run(client.close)
    assert client.is_closed()


def test_a_client_that_is_dropped_closes_its_session(server: Server) -> None:
    async def main() -> None:
        await ask(client_for(server))
        while server.open_connections:  # noqa: ASYNC110  # no event tells
            await asyncio.sleep(0.001)

    run(main)


def test_a_client_lives_as_long_as_its_streams(server: Server) -> None:
    server.reply(stream_reply(body(*HELLO[:3]), Pause(0.1), body(*HELLO[3:])))

    async def main() -> None:
        client = client_for(server)
        stream = await client.messages.create(**ASK, stream=True)
        await anext(stream)
        del client
        gc.collect()
        await asyncio.sleep(0.05)  # the time in which a session is closed
        assert len([event async for event in stream]) == len(HELLO) - 1

    run(main)


def test_a_loop_that_ends_without_a_word_leaves_no_complaint(server: Server) -> None:
    client = client_for(server, default_headers={"connection": "close"})
    loop = asyncio.new_event_loop()
    assert loop.run_until_complete(ask(client)) == "Hello"
    loop.run_until_complete(asyncio.sleep(0.01))  # the connection is closed, as the header asked for
    loop.close()  # and no shutdown_asyncgens()
    assert run(lambda: ask(client)) == "Hello"


def test_copies_share_the_session(server: Server) -> None:
    async def main() -> None:
        async with client_for(server) as client:
            copy = client.with_options(default_headers={"x-mine": "1"})
            assert [await ask(client), await ask(copy)] == ["Hello", "Hello"]
        assert copy.is_closed()

    run(main)
    assert server.connections == 1


def test_a_copy_may_have_a_session_of_its_own(server: Server) -> None:
    async def main() -> None:
        async with aiohttp.ClientSession() as session, client_for(server) as client:
            copy = client.copy(http_client=session)
            await client.close()
            assert await ask(copy) == "Hello"

    run(main)


def test_there_is_no_bound_on_connections(server: Server) -> None:
    # aiohttp's own bound is 100.
    server.always = BEGUN

    async def main() -> None:
        async with client_for(server) as client, contextlib.AsyncExitStack() as stack:
            asked = [stack.enter_async_context(client.messages.stream(**ASK)) for _ in range(150)]
            streams = await asyncio.gather(*asked)
            assert server.open_connections == 150
            assert {(await anext(stream)).type for stream in streams} == {"message_start"}

    run(main)
    server.wait_until_idle()


def test_without_asyncio_there_is_a_clear_error(server: Server) -> None:
    import trio

    async def main() -> None:
        with pytest.raises(anthropic.StreamCoreError, match="asyncio"):
            await ask(client_for(server))

    trio.run(main)


def test_closing_the_client_ends_the_reading_of_its_streams(server: Server) -> None:
    server.always = BEGUN

    async def main() -> None:
        client = client_for(server)
        stream = await client.messages.create(**ASK, stream=True)
        for _ in range(3):
            await anext(stream)
        reading = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.01)
        await client.close()
        with pytest.raises(anthropic.APIConnectionError, match=r"^The client was closed\.$"):
            await reading

    run(main)
    server.wait_until_idle()


def test_closing_a_session_that_was_handed_in_ends_the_reading_too(server: Server) -> None:
    server.always = BEGUN

    async def main() -> None:
        async with aiohttp.ClientSession() as session:
            client = client_for(server, http_client=session)
            async with client.messages.stream(**ASK) as stream:
                async for _ in stream.text_stream:
                    break
                reading = asyncio.ensure_future(stream.get_final_message())
                await asyncio.sleep(0.01)
                await session.close()
                with pytest.raises(anthropic.APIConnectionError, match=r"^The client was closed\.$") as caught:
                    await reading
                assert caught.value.snapshot == stream.current_message_snapshot

    run(main)


@pytest.mark.parametrize("wrong", [object(), httpx2.AsyncClient(), aiohttp.ClientSession, "session"])
def test_what_is_handed_in_has_to_be_a_session(wrong: Any) -> None:
    with pytest.raises(anthropic.InvalidArgumentError, match=r"http_client must be an aiohttp\.ClientSession"):
        anthropic.AsyncAnthropic(api_key="key", http_client=wrong)


def test_outside_of_asyncio_a_client_cannot_be_closed() -> None:
    client = anthropic.AsyncAnthropic(api_key="key")
    with pytest.raises(streamcore.StreamCoreError, match="no event loop of asyncio is running"):
        client.close().send(None)
    assert client.is_closed()
    assert "StreamCoreError: " in (client.close.__doc__ or "")


# Streams in the hands of something that outlives the loop


LATE = [BEGUN, stream_reply(body(*HELLO[:3]) + b": unread\n" * 200_000)]


@pytest.mark.parametrize("reply", LATE)
@pytest.mark.parametrize("own", [True, False])
def test_a_stream_that_outlives_its_loop_is_closed_with_it(server: Server, reply: Reply, own: bool) -> None:
    server.always = reply
    kept: list[Any] = []

    async def main() -> None:
        if own:
            client = client_for(server)
            kept.append(await client.messages.create(**ASK, stream=True))
            await anext(kept[0])
        else:
            async with aiohttp.ClientSession() as session:
                client = client_for(server, http_client=session)
                kept.append(await client.messages.create(**ASK, stream=True))
                await anext(kept[0])

    run(main)
    server.wait_until_idle()
    kept.clear()


# Timeouts


def test_which_timeouts_count() -> None:
    default = aiohttp.ClientTimeout(total=300, sock_connect=30)
    chosen = aiohttp.ClientTimeout(total=7)
    seconds = timeouts_of(9, chosen)
    assert (seconds.total, seconds.sock_connect, seconds.sock_read) == (None, 9, 9)
    assert timeouts_of(NOT_GIVEN, chosen) is chosen
    ours = timeouts_of(NOT_GIVEN, default)
    assert (ours.total, ours.sock_connect, ours.sock_read) == (None, 5, 600)
    assert timeouts_of(None, chosen) == aiohttp.ClientTimeout()
    assert timeouts_of(default, chosen) is default
    for wrong in ("soon", 0, -1, object()):
        with pytest.raises(anthropic.InvalidArgumentError, match="timeout"):
            timeouts_of(wrong, default)


@pytest.mark.parametrize(
    "timeout",
    [
        -1,
        0,
        "5",
        True,
        object(),
        aiohttp.ClientTimeout(total=-1),
        aiohttp.ClientTimeout(sock_read="5"),  # type: ignore[arg-type]  # not a number on purpose
    ],
)
def test_a_timeout_that_is_none_is_refused_at_once(timeout: Any) -> None:
    with pytest.raises(anthropic.InvalidArgumentError, match="timeout must"):
        anthropic.AsyncAnthropic(api_key="key", timeout=timeout)
    client = anthropic.AsyncAnthropic(api_key="key")
    with pytest.raises(anthropic.InvalidArgumentError, match="timeout must"):
        client.copy(timeout=timeout)
    with pytest.raises(anthropic.InvalidArgumentError, match="timeout must"):
        client.messages.stream(**ASK, timeout=timeout)  # before it is entered
    assert "InvalidArgumentError: " in (anthropic.AsyncAnthropic.__init__.__doc__ or "")


def test_the_idle_timeout_of_a_bare_response_has_to_be_one(server: Server) -> None:
    async def main() -> None:
        async with aiohttp.ClientSession() as session, session.post(server.url) as response:
            with pytest.raises(anthropic.InvalidArgumentError, match="idle_timeout"):
                await anthropic.async_message_stream(response, idle_timeout="5")  # type: ignore[arg-type]  # as above

    run(main)


@pytest.mark.parametrize("endless", [math.inf, aiohttp.ClientTimeout(*[math.inf] * 4)])
def test_an_infinite_timeout_is_none(server: Server, endless: Any) -> None:
    async def main() -> None:
        async with client_for(server, timeout=endless, idle_timeout=math.inf) as client:
            assert await ask(client) == "Hello"

    run(main)


@contextlib.contextmanager
def deaf_server() -> Iterator[str]:
    """The URL of a server that accepts connections (the system does that for it) and never reads from them."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.parametrize("timeout", [0.1, aiohttp.ClientTimeout(total=0.1), aiohttp.ClientTimeout(sock_read=0.1)])
def test_a_request_that_the_server_does_not_take(timeout: Any) -> None:
    async def main(url: str) -> None:
        async with aiohttp.ClientSession() as session:
            client = anthropic.AsyncAnthropic(
                api_key="key", base_url=url, http_client=session, timeout=timeout, max_retries=0
            )
            before = len(os.listdir("/dev/fd"))
            with pytest.raises(anthropic.APITimeoutError):
                await client.messages.create(**ASK, system="x" * 12_000_000)
            async with asyncio.timeout(BOUND):  # what was not sent does not keep the connection
                while len(os.listdir("/dev/fd")) > before:  # noqa: ASYNC110  # no event tells
                    await asyncio.sleep(0.001)

    with deaf_server() as url:
        run(lambda: main(url))


def test_a_new_session_has_the_timeout_that_is_taken_for_nobodys() -> None:
    async def main() -> None:
        async with aiohttp.ClientSession() as session:
            assert timeouts_of(NOT_GIVEN, session.timeout).total is None

    run(main)


@pytest.mark.parametrize("where", ["session", "client", "call"])
@pytest.mark.parametrize("bound", [{"total": 0.1}, {"sock_read": 0.1}])
def test_timeouts_of_aiohttp(server: Server, where: str, bound: dict[str, float]) -> None:
    server.always = BEGUN
    timeout = aiohttp.ClientTimeout(**bound)
    options: dict[str, dict[str, Any]] = {"session": {}, "client": {}, "call": {}}
    options[where]["timeout"] = timeout

    async def main() -> None:
        async with aiohttp.ClientSession(**options["session"]) as session:
            client = client_for(server, http_client=session, **options["client"])
            with pytest.raises(anthropic.APITimeoutError) as caught:
                await ask(client, **options["call"])
            assert caught.value.snapshot is not None
            assert caught.value.snapshot.content[0].to_dict()["text"] == "Hel"

    run(main)
    server.wait_until_idle()


@pytest.mark.parametrize("bound", [{"total": 0.1}, {"sock_read": 0.1}])
def test_a_head_that_does_not_come(server: Server, bound: dict[str, float]) -> None:
    server.always = Reply(head=[Stall()])

    async def main() -> None:
        async with client_for(server, max_retries=0, timeout=aiohttp.ClientTimeout(**bound)) as client:
            with pytest.raises(anthropic.APITimeoutError) as caught:
                await ask(client)
            assert str(caught.value.request.url) == f"{server.url}/v1/messages"

    run(main)


def test_the_total_timeout_is_over_with_the_stream(server: Server) -> None:
    async def main() -> None:
        async with client_for(server, timeout=aiohttp.ClientTimeout(total=0.1)) as client:
            async with client.messages.stream(**ASK) as stream:
                await stream.until_done()
            await asyncio.sleep(0.15)
            assert await stream.get_final_text() == "Hello"

    run(main)


# What aiohttp would lose: it raises a failure before it gives out what came before


@pytest.mark.parametrize(
    ("end", "options", "error"),
    [
        (Cut(), {}, anthropic.APIConnectionError),
        (Cut(reset=True), {}, anthropic.APIConnectionError),
        (Stall(), {"idle_timeout": 0.02}, anthropic.APITimeoutError),
        (Stall(), {"timeout": aiohttp.ClientTimeout(total=0.1)}, anthropic.APITimeoutError),
    ],
    ids=["cut", "reset", "idle", "total"],
)
def test_what_came_before_a_failure_is_delivered_before_it(
    server: Server, end: Any, options: Any, error: type[Exception]
) -> None:
    server.always = stream_reply(body(HELLO[0]), Pause(0.02), body(*HELLO[1:4]), Pause(0.001), end)

    async def main() -> None:
        async with client_for(server) as client:
            seen = []
            stream = await client.messages.create(**ASK, stream=True, **options)
            seen.append((await anext(stream)).type)
            await asyncio.sleep(0.2)  # meanwhile all comes, and the failure too

            async def read() -> None:
                async for event in stream:
                    seen.append(event.type)

            with pytest.raises(error):
                await read()
            assert seen == [payload["type"] for payload in HELLO[:4]]

    run(main)


# Requests


@pytest.mark.parametrize("size", [10, 3_000_000])
def test_bodies_of_any_size_are_sent_without_a_warning(server: Server, size: int) -> None:
    server.reply(json_reply(MESSAGE))

    async def main() -> None:
        async with client_for(server) as client:
            await client.messages.create(**ASK, system="x" * size)

    run(main)
    assert len(server.requests[0].json()["system"]) == size


def test_a_redirect_is_followed_with_the_body(server: Server) -> None:
    server.reply(Reply(status=307, headers={"location": "/elsewhere"}, framing="length"), json_reply(MESSAGE))

    async def main() -> None:
        async with client_for(server) as client:
            assert (await client.messages.create(**ASK)).to_dict()["content"] == MESSAGE["content"]

    run(main)
    first, second = server.requests
    assert second.path == "/elsewhere"
    assert first.json() == second.json() == ASK


@pytest.mark.parametrize("url", ["http://xn--\xfc.test", "http://user:secret@127.0.0.1:1"])
def test_urls_that_aiohttp_cannot_use(url: str) -> None:
    async def main() -> None:
        async with anthropic.AsyncAnthropic(api_key="key", base_url=url, max_retries=0) as client:
            with pytest.raises(anthropic.InvalidArgumentError):
                await client.messages.create(**ASK)

    run(main)


@pytest.mark.parametrize("url", ["http://user:secret@127.0.0.1:1", "http://user:secret@xn--\xfc.test"])
def test_no_error_shows_the_password_of_a_url(url: str) -> None:
    async def main() -> None:
        async with anthropic.AsyncAnthropic(api_key="key", base_url=url, max_retries=0) as client:
            with pytest.raises(anthropic.InvalidArgumentError, match=url[-5:]) as caught:
                await client.messages.create(**ASK)
        assert "secret" not in str(caught.value)

    run(main)


@pytest.mark.parametrize("proxy", ["http://user:secret@127.0.0.1:99999", "http://user:a/secret@127.0.0.1:1"])
def test_no_error_shows_the_password_of_a_proxy(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", proxy)

    async def main() -> None:
        async with anthropic.AsyncAnthropic(api_key="key", base_url="http://api.example", max_retries=0) as client:
            with pytest.raises(anthropic.InvalidArgumentError, match=r"//\*\*\*@127") as caught:
                await client.messages.create(**ASK)
        assert "secret" not in "".join(traceback.format_exception(caught.value))

    run(main)


@pytest.mark.parametrize("status", [407, 302])
def test_no_error_shows_the_password_of_a_proxy_that_refuses(
    server: Server, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    server.always = lambda _: Reply(status=status)
    monkeypatch.setenv("https_proxy", server.url.replace("http://", "http://user:se%40cret@"))

    async def main() -> None:
        async with anthropic.AsyncAnthropic(api_key="key", base_url="https://api.example", max_retries=0) as client:
            with pytest.raises(anthropic.APIConnectionError, match=rf"{status}.*//\*\*\*@127") as caught:
                await client.messages.create(**ASK)
        assert "cret" not in "".join(traceback.format_exception(caught.value))

    run(main)


def test_a_path_that_is_not_ascii_is_quoted(server: Server) -> None:
    async def main() -> None:
        async with client_for(server, base_url=f"{server.url}/für alle") as client:
            assert await ask(client) == "Hello"

    run(main)
    assert server.requests[0].path == "/f%C3%BCr%20alle/v1/messages"


# Proxies


def through_a_proxy(request: Request) -> Reply:
    # A request to a proxy has the whole URL as its target.
    assert request.target == "http://api.example/v1/messages", request.target
    return HELLO_REPLY


def test_the_proxy_of_a_session(server: Server) -> None:
    server.always = through_a_proxy

    async def main() -> None:
        async with aiohttp.ClientSession(proxy=server.url) as session:
            client = anthropic.AsyncAnthropic(api_key="key", base_url="http://api.example", http_client=session)
            assert await ask(client) == "Hello"

    run(main)


def test_the_proxy_of_the_environment(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.always = through_a_proxy
    monkeypatch.setenv("http_proxy", server.url.replace("http://", "http://user:secret@"))
    monkeypatch.setenv("no_proxy", "other.example")

    async def main() -> None:
        async with anthropic.AsyncAnthropic(api_key="key", base_url="http://api.example") as client:
            assert await ask(client) == "Hello"

    run(main)
    assert server.requests[0].headers["proxy-authorization"] == "Basic dXNlcjpzZWNyZXQ="
    assert server.requests[0].headers["authorization"] == "Bearer key"


def test_a_proxy_of_the_environment_needs_no_scheme(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.always = through_a_proxy
    monkeypatch.setenv("http_proxy", server.url.removeprefix("http://"))

    async def main() -> None:
        async with anthropic.AsyncAnthropic(api_key="key", base_url="http://api.example") as client:
            assert await ask(client) == "Hello"

    run(main)


def test_a_proxy_of_another_protocol(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "socks5://user:secret@127.0.0.1:1")

    async def main() -> None:
        async with anthropic.AsyncAnthropic(api_key="key", base_url="http://api.example", max_retries=0) as client:
            with pytest.raises(anthropic.InvalidArgumentError, match="socks5") as caught:
                await ask(client)
            assert "secret" not in str(caught.value)

    run(main)


@pytest.mark.parametrize("exempt", ["127.0.0.1", "*"])
def test_hosts_that_need_no_proxy(server: Server, monkeypatch: pytest.MonkeyPatch, exempt: str) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", exempt)

    async def main() -> None:
        async with client_for(server) as client:
            assert await ask(client) == "Hello"

    run(main)


def test_a_proxy_that_nobody_runs(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    async def main() -> None:
        async with client_for(server, max_retries=0) as client:
            with pytest.raises(anthropic.APIConnectionError, match=r"127\.0\.0\.1:1"):
                await ask(client)

    run(main)


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    return make_certificate(tmp_path_factory.mktemp("tls"))


def test_tls_as_the_session_has_it(certificate: tuple[Path, ssl.SSLContext]) -> None:
    path, context = certificate

    async def main() -> None:
        connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=path))
        async with aiohttp.ClientSession(connector=connector) as session:
            client = client_for(secure, http_client=session)
            assert await ask(client) == "Hello"
            secure.reply(BEGUN)
            async with client.messages.stream(**ASK) as stream:
                async for _ in stream.text_stream:
                    break

    with serving(HELLO_REPLY, tls=context) as secure:
        run(main)
        secure.wait_until_idle()


def test_a_certificate_that_is_not_trusted(certificate: tuple[Path, ssl.SSLContext]) -> None:
    async def main() -> None:
        async with client_for(secure, max_retries=0) as client:
            with pytest.raises(anthropic.APIConnectionError, match="certificate"):
                await ask(client)

    with serving(HELLO_REPLY, tls=certificate[1]) as secure:
        run(main)


# Responses


@pytest.mark.parametrize("status", [400, 529])
def test_the_response_of_a_failure_has_its_body(server: Server, status: int) -> None:
    server.always = error_reply(status, "some_error", "because")

    async def main() -> None:
        async with client_for(server, max_retries=0) as client:
            with pytest.raises(anthropic.APIStatusError) as caught:
                await ask(client)
        response = caught.value.response
        assert isinstance(response, aiohttp.ClientResponse)
        assert response.status == caught.value.status_code == status
        assert await response.json() == json.loads(await response.text()) == caught.value.body
        assert json.loads(await response.read()) == caught.value.body
        assert caught.value.request is response.request_info

    run(main)


def test_the_response_of_an_endless_failure_has_the_beginning_of_its_body(server: Server) -> None:
    server.always = Reply(steps=[b"x" * 100_000] * 3 + [Stall()], status=500)

    async def main() -> None:
        async with client_for(server, max_retries=0) as client:
            with pytest.raises(anthropic.InternalServerError) as caught:
                await ask(client)
            assert await caught.value.response.read() == b"x" * 256 * 1024

    run(main)
    server.wait_until_idle()


def test_a_bare_response_can_be_wrapped(server: Server) -> None:
    server.reply(HELLO_REPLY, *[error_reply(529, "overloaded_error")] * 2, HELLO_REPLY, BEGUN)

    async def main() -> None:
        async with aiohttp.ClientSession() as session:
            async with (
                session.post(server.url, json={}) as response,
                await anthropic.async_message_stream(response) as stream,
            ):
                assert await stream.get_final_text() == "Hello"
                assert stream.request_id == "req_1"
            async with session.post(server.url, json={}) as response:
                with pytest.raises(anthropic.OverloadedError):
                    await anthropic.async_message_stream(response)
            # One that was read before it was handed in keeps what it has.
            async with session.post(server.url, json={}) as response:
                read = await response.json()
                with pytest.raises(anthropic.OverloadedError) as caught:
                    await anthropic.async_message_stream(response)
                assert caught.value.body == await response.json() == read
            async with session.post(server.url, json={}) as response:
                await response.read()
                assert await (await anthropic.async_message_stream(response)).get_final_text() == "Hello"
            async with session.post(server.url, json={}) as response:
                stream = await anthropic.async_message_stream(response, idle_timeout=0.05)
                with pytest.raises(anthropic.APITimeoutError):
                    await stream.until_done()

    run(main)


def test_a_stream_over_the_bytes_of_a_response(server: Server) -> None:
    async def main() -> None:
        async with aiohttp.ClientSession() as session, session.post(server.url, json={}) as response:
            stream = streamcore.AsyncMessageStream(response.content.iter_any(), response=response)
            assert await stream.get_final_text() == "Hello"

    run(main)


# The module


def test_the_adapter_loads_neither_httpx_nor_anyio() -> None:
    program = """
        import sys, streamcore.aiohttp
        loaded = {"httpx", "httpx2", "anyio", "trio", "streamcore.httpx"} & sys.modules.keys()
        assert not loaded, loaded
        assert streamcore.aiohttp is not sys.modules["aiohttp"]
    """
    lines = [line.strip() for line in program.splitlines()]
    subprocess.run([sys.executable, "-c", "\n".join(lines)], check=True, timeout=BOUND)


def test_it_has_the_names_of_the_httpx_adapter_but_for_those_of_sync_clients_and_of_httpx() -> None:
    import streamcore.httpx

    missing = set(vars(streamcore.httpx)["__all__"]) - set(vars(anthropic)["__all__"])
    assert all(hasattr(anthropic, name) for name in vars(anthropic)["__all__"])
    of_httpx = {"DEFAULT_CONNECTION_LIMITS", "DefaultHttpxClient", "DefaultAsyncHttpxClient"}
    assert missing == {"Anthropic", "Client", "message_stream"} | of_httpx
