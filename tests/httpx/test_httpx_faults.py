"""When the network or the peer fails: nothing that came is lost, and nothing broken looks complete.

For the httpx adapter and, through its async client, the aiohttp adapter.
"""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import aiohttp
import httpx
import httpx2
import pytest
from adapters import Adapter, blocking_aiohttp, each_adapter, status_of, text_of
from helpers import HELLO, STOP, block_start, block_stop, body, by_frame, message_delta, start, text
from server import (
    ASK,
    BACKENDS,
    Cut,
    Pause,
    Reply,
    Server,
    Stall,
    error_reply,
    run,
    serving,
    stream_reply,
)

import streamcore.aiohttp
import streamcore.httpx as anthropic
from streamcore import Limits, Message, MessageEngine, ProtocolError
from streamcore.api import attempts
from streamcore.types import ErrorEvent

# Short, so that it can be cut at each of its bytes; with all kinds of events, and a character of several bytes.
SHORT = [start(), block_start(0), text(0, "Hé"), block_stop(0), message_delta(), STOP]
SHORT_BODY = body(*SHORT)
TOO_SHORT = (anthropic.IncompleteStreamError, anthropic.APIConnectionError)


def came(data: bytes, *, eof: bool = False) -> tuple[Message | None, int]:
    """The message and the number of the events that are whole in `data`, or at its end if that is `eof`."""
    engine = MessageEngine()
    engine.receive_data(data)
    count = 0
    with contextlib.suppress(ProtocolError):
        for _ in engine.events():
            count += 1
        if eof:
            engine.receive_eof()
            for _ in engine.events():
                count += 1
    return engine.snapshot, count


def snapshot_at(data: bytes) -> Message | None:
    return came(data)[0]


# For each length: what came, and what came if the body ended there in order (an event without its blank line counts).
CAME = {eof: [came(SHORT_BODY[:length], eof=eof) for length in range(len(SHORT_BODY) + 1)] for eof in (False, True)}


def came_at(length: int, how: str) -> tuple[Message | None, int]:
    return CAME[how in ("in order", "by closing")][length]


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def httpx_client(server: Server) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(api_key="key", base_url=server.url, max_retries=0) as client:
        yield client


@pytest.fixture(params=["httpx", "aiohttp"])
def client(server: Server, request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "httpx":
        yield request.getfixturevalue("httpx_client")
    else:
        yield from blocking_aiohttp(api_key="key", base_url=server.url, max_retries=0)


def is_wire(event: Any) -> bool:
    return event.type in {payload["type"] for payload in SHORT}


# Cut at every byte. The server ends the body in good order (so only the stream is short), hangs up, or resets.


def _ended(data: bytes, how: str) -> Reply:
    if how == "in order":
        return stream_reply(data)
    if how == "by closing":
        return stream_reply(data, framing="close")
    if how == "short of its length":
        return stream_reply(data, framing="length", missing=1)
    return stream_reply(data, Cut())


WAYS = ["in order", "by closing", "short of its length", "cut"]
# By default at places that differ from event to event; `slow` cuts at all of them.
EACH_CUT = pytest.mark.parametrize("step", [17, pytest.param(1, marks=pytest.mark.slow)])


def check_cut(length: int, how: str, error: BaseException, seen: list[Any]) -> None:
    expected: tuple[type[Exception], ...] = (
        (anthropic.IncompleteStreamError,) if how in ("in order", "by closing") else (anthropic.APIConnectionError,)
    )
    assert isinstance(error, expected), (length, how, error)
    assert isinstance(error, TOO_SHORT)
    assert (error.snapshot, sum(map(is_wire, seen))) == came_at(length, how), (length, how)


@pytest.mark.parametrize("how", WAYS)
@EACH_CUT
def test_cut_at_every_byte(server: Server, httpx_client: anthropic.Anthropic, how: str, step: int) -> None:
    for length in range(0, len(SHORT_BODY), step):
        if came_at(length, how)[1] == len(SHORT):
            continue
        server.reply(_ended(SHORT_BODY[:length], how))
        seen: list[Any] = []
        with pytest.raises(TOO_SHORT) as caught, httpx_client.messages.stream(**ASK) as stream:
            seen.extend(stream)
        check_cut(length, how, caught.value, seen)
        with pytest.raises(TOO_SHORT) as again:
            stream.get_final_message()
        assert getattr(again.value, "snapshot", None) == came_at(length, how)[0]


@each_adapter
@pytest.mark.parametrize("how", WAYS)
@EACH_CUT
def test_cut_at_every_byte_async(server: Server, adapter: Adapter, how: str, step: int) -> None:
    async def main() -> None:
        async with adapter.client(server, max_retries=0) as client:
            for length in range(0, len(SHORT_BODY), step):
                if came_at(length, how)[1] == len(SHORT):
                    continue
                server.reply(_ended(SHORT_BODY[:length], how))
                seen: list[Any] = []
                async with client.messages.stream(**ASK) as stream:
                    with pytest.raises(TOO_SHORT) as caught:
                        await read_into(seen, stream)
                check_cut(length, how, caught.value, seen)
                with pytest.raises(TOO_SHORT) as again:
                    await stream.get_final_message()
                assert getattr(again.value, "snapshot", None) == came_at(length, how)[0]

    adapter.run(main)


async def read_into(seen: list[Any], stream: Any) -> None:
    async for event in stream:
        seen.append(event)  # what came before the exception counts


@pytest.mark.parametrize("how", WAYS)
@EACH_CUT
def test_create_cut_at_every_byte(server: Server, httpx_client: anthropic.Anthropic, how: str, step: int) -> None:
    for length in range(0, len(SHORT_BODY), step):
        if came_at(length, how)[1] == len(SHORT):
            continue
        server.reply(_ended(SHORT_BODY[:length], how))
        seen: list[Any] = []
        with pytest.raises(TOO_SHORT) as caught, httpx_client.messages.create(**ASK, stream=True) as stream:
            seen.extend(stream)
        assert len(seen) == came_at(length, how)[1]
        assert getattr(caught.value, "snapshot", None) is None


@each_adapter
@pytest.mark.parametrize("how", ["in order", "cut"])
@EACH_CUT
def test_create_cut_at_every_byte_async(server: Server, adapter: Adapter, how: str, step: int) -> None:
    async def main() -> None:
        async with adapter.client(server, max_retries=0) as client:
            for length in range(0, len(SHORT_BODY), step):
                if came_at(length, how)[1] == len(SHORT):
                    continue
                server.reply(_ended(SHORT_BODY[:length], how))
                seen: list[Any] = []
                async with await client.messages.create(**ASK, stream=True) as stream:
                    with pytest.raises(TOO_SHORT):
                        await read_into(seen, stream)
                assert len(seen) == came_at(length, how)[1]

    adapter.run(main)


def test_a_reset_in_the_middle(server: Server, client: Any) -> None:
    # A reset may overtake bytes that were sent before it, so the wait.
    server.reply(stream_reply(body(*SHORT[:3]), Pause(0.05), Cut(reset=True)))
    with pytest.raises(anthropic.APIConnectionError) as caught, client.messages.stream(**ASK) as stream:
        stream.until_done()
    assert caught.value.snapshot == snapshot_at(body(*SHORT[:3]))


def test_compressed_bytes_cut_in_the_middle(server: Server, client: Any) -> None:
    for steps in range(len(SHORT)):
        server.reply(stream_reply(*[body(payload) for payload in SHORT[:steps]], Cut(), gzip=True))
        with pytest.raises(anthropic.APIConnectionError) as caught, client.messages.stream(**ASK) as stream:
            stream.until_done()
        assert caught.value.snapshot == snapshot_at(body(*SHORT[:steps]))


def test_bytes_that_are_not_compressed_as_promised(server: Server, client: Any) -> None:
    server.reply(stream_reply(SHORT_BODY, headers={"content-encoding": "gzip"}))
    with (
        pytest.raises(anthropic.APIConnectionError, match=r"(?i)decod(e|ing)"),
        client.messages.stream(**ASK) as stream,
    ):
        stream.until_done()


def test_a_cut_after_the_last_event_loses_nothing(server: Server, client: Any) -> None:
    server.reply(stream_reply(SHORT_BODY, Cut()))
    with client.messages.stream(**ASK) as stream:
        assert stream.get_final_message() == came_at(len(SHORT_BODY), "in order")[0]


# Silence


@pytest.mark.parametrize("count", range(len(SHORT)))
def test_a_stall_ends_after_the_idle_timeout(server: Server, client: Any, count: int) -> None:
    server.reply(stream_reply(body(*SHORT[:count]), Stall()))
    with (
        pytest.raises(anthropic.APITimeoutError) as caught,
        client.messages.stream(**ASK, idle_timeout=0.05) as stream,
    ):
        stream.until_done()
    assert caught.value.snapshot == snapshot_at(body(*SHORT[:count]))
    assert caught.value.request is not None
    server.wait_until_idle()


@each_adapter
@pytest.mark.parametrize("count", [0, 3])
def test_a_stall_ends_after_the_idle_timeout_async(server: Server, adapter: Adapter, count: int) -> None:
    server.reply(stream_reply(body(*SHORT[:count]), Stall()))

    async def main() -> None:
        async with adapter.client(server, max_retries=0, idle_timeout=0.05) as client:
            with pytest.raises(anthropic.APITimeoutError) as caught:
                async with client.messages.stream(**ASK) as stream:
                    await stream.until_done()
            assert caught.value.snapshot == snapshot_at(body(*SHORT[:count]))
            server.wait_until_idle()

    adapter.run(main)


def test_the_idle_timeout_bounds_silence_and_not_the_stream(server: Server, client: Any) -> None:
    steps = [step for chunk in by_frame(SHORT_BODY) for step in (chunk, Pause(0.05))]
    server.reply(stream_reply(*steps))
    with client.messages.stream(**ASK, idle_timeout=0.2) as stream:
        assert stream.get_final_text() == "Hé"


def test_the_smaller_of_the_two_timeouts_counts(server: Server, client: Any) -> None:
    server.reply(stream_reply(Stall()), stream_reply(Stall()))
    for timeout, idle in ((0.05, 30), (30, 0.05)):
        options = {**ASK, "timeout": timeout, "idle_timeout": idle}
        began = time.monotonic()
        with pytest.raises(anthropic.APITimeoutError), client.messages.stream(**options) as stream:
            stream.until_done()
        assert time.monotonic() - began < 10


def test_a_head_that_does_not_come(server: Server, client: Any) -> None:
    server.reply(Reply(head=[Stall()]), Reply(head=[Stall()]))
    with pytest.raises(anthropic.APITimeoutError), client.messages.stream(**ASK, timeout=0.05):
        pass
    with pytest.raises(anthropic.APITimeoutError):
        client.messages.create(**ASK, timeout=0.05)


def test_a_message_whose_body_stalls(server: Server, client: Any) -> None:
    headers = {"content-type": "application/json"}
    server.reply(Reply(steps=[b'{"id":', Stall()], headers=headers))
    with pytest.raises(anthropic.APITimeoutError):
        client.messages.create(**ASK, idle_timeout=0.05)


def test_handlers_hear_of_a_timeout(server: Server, httpx_client: anthropic.Anthropic) -> None:
    calls: list[str] = []

    class Mine(anthropic.MessageStream):
        def on_timeout(self) -> None:
            calls.append("timeout")

        def on_exception(self, exception: Exception) -> None:
            calls.append(type(exception).__name__)

        def on_end(self) -> None:
            calls.append("end")

    server.reply(stream_reply(body(SHORT[0]), Stall()))
    with (
        pytest.raises(anthropic.APITimeoutError),
        httpx_client.messages.stream(**ASK, event_handler=Mine, idle_timeout=0.05) as stream,
    ):
        stream.until_done()
    assert calls == ["timeout", "APITimeoutError", "end"]


# Connections that do not come about


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def test_nobody_listens() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    client = anthropic.Anthropic(api_key="key", base_url=url, max_retries=0)
    with client, pytest.raises(anthropic.APIConnectionError) as caught:
        client.messages.create(**ASK)
    assert type(caught.value) is anthropic.APIConnectionError
    assert caught.value.snapshot is None
    assert caught.value.__cause__ is not None


@each_adapter
def test_nobody_listens_async(adapter: Adapter) -> None:
    async def main() -> None:
        url = f"http://127.0.0.1:{free_port()}"
        async with adapter.module.AsyncAnthropic(api_key="key", base_url=url, max_retries=0) as client:
            with pytest.raises(anthropic.APIConnectionError):
                async with client.messages.stream(**ASK):
                    pass

    adapter.run(main)


@pytest.mark.parametrize("head", [[Cut()], [Cut(reset=True)]])
def test_the_server_hangs_up_without_an_answer(server: Server, client: Any, head: Sequence[Cut]) -> None:
    server.reply(Reply(head=head))
    with pytest.raises(anthropic.APIConnectionError), client.messages.stream(**ASK):
        pass


# What the API says


FAILURE = {"type": "error", "error": {"type": "some_error", "message": "because"}}
STATUSES = [400, 401, 402, 403, 404, 408, 409, 413, 418, 422, 429, 500, 502, 503, 504, 529]


@pytest.mark.parametrize("status", STATUSES)
def test_a_status_is_an_exception_wherever_one_asks(server: Server, client: Any, status: int) -> None:
    server.always = error_reply(status, "some_error", "because")
    asks: list[Callable[[], object]] = [
        lambda: client.messages.create(**ASK),
        lambda: client.messages.create(**ASK, stream=True),
        lambda: client.messages.stream(**ASK).__enter__(),
        lambda: client.beta.messages.create(**ASK),
    ]
    for ask in asks:
        with pytest.raises(anthropic.APIStatusError) as caught:
            ask()
        error = caught.value
        assert error.status_code == status_of(error.response) == status
        assert error.request_id == "req_1"
        assert error.type == "some_error"
        assert error.api_message == "because"
        assert error.body == json.loads(text_of(error.response)) == FAILURE
        assert error.snapshot is None
    assert server.connections == 1  # the bodies were read, so that the connection could be used again


@each_adapter
@pytest.mark.parametrize("status", [400, 529])
def test_a_status_is_an_exception_async(server: Server, adapter: Adapter, status: int) -> None:
    server.always = error_reply(status, "some_error", "because")

    async def main() -> None:
        async with adapter.client(server, max_retries=0) as client:
            with pytest.raises(anthropic.APIStatusError) as caught:
                async with client.messages.stream(**ASK):
                    pass
            assert caught.value.status_code == status
            assert json.loads(text_of(caught.value.response)) == FAILURE
            with pytest.raises(anthropic.APIStatusError) as caught:
                await client.messages.create(**ASK)
            read = getattr(caught.value.response, "aread", None) or caught.value.response.read
            assert json.loads(await read()) == FAILURE

    adapter.run(main)
    assert server.connections == 1


@pytest.mark.parametrize("library", [httpx, httpx2])
@pytest.mark.parametrize("gzip", [False, True])
def test_the_body_of_a_failure_can_be_read_whoever_sent_the_request(server: Server, library: Any, gzip: bool) -> None:
    server.always = Reply(steps=[json.dumps(FAILURE).encode()], status=400, gzip=gzip)

    async def main() -> None:
        async with (
            library.AsyncClient() as http,
            anthropic.AsyncAnthropic(api_key="key", base_url=server.url, http_client=http) as client,
        ):
            with pytest.raises(anthropic.BadRequestError) as caught:
                await client.messages.create(**ASK)
            assert isinstance(caught.value.response, library.Response)
            assert caught.value.response.json() == FAILURE

    run("asyncio", main)
    with library.Client() as http, anthropic.Anthropic(api_key="key", base_url=server.url, http_client=http) as client:
        with pytest.raises(anthropic.BadRequestError) as caught:
            client.messages.create(**ASK, stream=True)
        assert caught.value.response.json() == json.loads(caught.value.response.read()) == FAILURE
        # One that was read before it was handed in keeps what it has.
        response = http.post(server.url)
        with pytest.raises(anthropic.BadRequestError) as caught:
            anthropic.message_stream(response)
        assert caught.value.response is response
        assert caught.value.body == response.json() == FAILURE


@pytest.mark.parametrize("text", ['{"a":1}', "[1]", "<p>Sign in</p>", '{"content":[1]}', json.dumps(FAILURE)])
def test_an_answer_that_is_not_a_message_can_be_read(server: Server, client: Any, text: str) -> None:
    server.reply(Reply(steps=[text.encode()]))
    with pytest.raises(anthropic.APIError) as caught:
        client.messages.create(**ASK)
    error: Any = caught.value
    assert text_of(error.response) == text


def test_an_answer_that_is_too_long_for_a_message_can_be_read_so_far(
    server: Server, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "DEFAULT_LIMITS", Limits(max_event_size=5))
    server.reply(Reply(steps=[b"x" * 10]))
    with pytest.raises(anthropic.APILimitExceededError) as caught:
        client.messages.create(**ASK)
    assert text_of(caught.value.response) == "x" * 10


def test_a_failure_with_a_page_of_html(server: Server, client: Any) -> None:
    server.reply(Reply(steps=[b"<html>Bad gateway"], status=502, headers={"content-type": "text/html"}))
    with pytest.raises(anthropic.InternalServerError, match="<html>Bad gateway"):
        client.messages.create(**ASK)


@pytest.mark.parametrize("step", [Cut(), Stall()])
def test_a_failure_whose_body_breaks_off_is_still_that_failure(server: Server, client: Any, step: Any) -> None:
    server.reply(Reply(steps=[b'{"type":', step], status=401))
    with pytest.raises(anthropic.AuthenticationError) as caught:
        client.messages.create(**ASK, idle_timeout=0.05)
    assert isinstance(caught.value.__cause__, anthropic.APIConnectionError)
    assert caught.value.body == text_of(caught.value.response) == '{"type":'


def test_of_an_endless_failure_only_the_beginning_is_read(server: Server, client: Any) -> None:
    server.reply(Reply(steps=[b"x" * 100_000] * 3 + [Stall()], status=500))
    with pytest.raises(anthropic.InternalServerError) as caught:
        client.messages.create(**ASK)
    assert caught.value.body == text_of(caught.value.response) == "x" * 256 * 1024
    server.wait_until_idle()


ERRORS = {
    "overloaded_error": anthropic.OverloadedError,
    "rate_limit_error": anthropic.RateLimitError,
    "api_error": anthropic.InternalServerError,
    "invalid_request_error": anthropic.BadRequestError,
    "something_new": anthropic.APIStatusError,
}


@pytest.mark.parametrize(("kind", "expected"), ERRORS.items())
@pytest.mark.parametrize("count", [0, 3])
def test_an_error_event_is_delivered_and_raised(
    server: Server, client: Any, kind: str, expected: type[anthropic.APIStatusError], count: int
) -> None:
    failure = {"type": "error", "error": {"type": kind, "message": "sorry"}}
    server.reply(stream_reply(body(*SHORT[:count], failure)))
    events: list[Any] = []
    with pytest.raises(anthropic.APIStatusError, match="sorry") as caught, client.messages.stream(**ASK) as stream:
        events.extend(stream)
    assert type(caught.value) is expected
    assert isinstance(events[-1], ErrorEvent)
    assert caught.value.snapshot == snapshot_at(body(*SHORT[:count]))
    assert caught.value.request_id == "req_1"
    assert len(server.requests) == 1


# Bodies that are not event streams


PAGES = [
    (b"<!doctype html><html>Sign in", "text/html"),
    (b'{"hello": "world"}', "application/json"),
    (b"<html>Sign in", "text/event-stream"),
    (b'{"hello": "world"}', "text/plain"),
    (b"Sign in, please", ""),
]


@pytest.mark.parametrize(("page", "content_type"), PAGES)
def test_a_body_that_is_no_stream_is_shown(server: Server, client: Any, page: bytes, content_type: str) -> None:
    headers = {"content-type": content_type} if content_type else {}
    server.always = Reply(steps=[page], headers=headers)
    with pytest.raises(anthropic.DecodeError) as caught, client.messages.stream(**ASK) as stream:
        stream.until_done()
    assert page.decode()[:10] in str(caught.value)
    with pytest.raises(anthropic.DecodeError), client.messages.create(**ASK, stream=True) as events:
        list(events)


@each_adapter
def test_a_body_that_is_no_stream_is_shown_async(server: Server, adapter: Adapter) -> None:
    server.reply(Reply(steps=[PAGES[0][0]], headers={"content-type": "text/html"}))

    async def main() -> None:
        async with adapter.client(server, max_retries=0) as client:
            with pytest.raises(anthropic.DecodeError, match="Sign in"):
                async with client.messages.stream(**ASK):
                    pass

    adapter.run(main)


BUSY = {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}, "request_id": "req_2"}


@pytest.mark.parametrize("content_type", ["application/json", "text/event-stream", "text/plain", ""])
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_an_error_in_json_with_status_200_is_that_error(
    server: Server, client: Any, content_type: str, end: bytes
) -> None:
    headers = {"content-type": content_type} if content_type else {}
    server.always = Reply(steps=[json.dumps(BUSY).encode() + end], headers=headers)
    with pytest.raises(anthropic.OverloadedError, match="busy") as caught, client.messages.stream(**ASK) as stream:
        stream.until_done()
    assert (caught.value.status_code, caught.value.body, caught.value.request_id) == (529, BUSY, "req_2")
    assert status_of(caught.value.response) == 200
    with pytest.raises(anthropic.OverloadedError), client.messages.create(**ASK, stream=True) as events:
        list(events)
    with pytest.raises(anthropic.OverloadedError):
        client.messages.create(**ASK)


@pytest.mark.parametrize("page", [b"<html>", b"{", json.dumps({"type": "error"}).encode(), body(*HELLO)])
def test_a_body_that_is_no_message(server: Server, client: Any, page: bytes) -> None:
    server.reply(Reply(steps=[page], headers={"content-type": "application/json"}))
    with pytest.raises(anthropic.DecodeError) as caught:
        client.messages.create(**ASK)
    assert caught.value.received == page


# What else sending and reading may raise


class Broken(Exception):
    """What a transport, a hook or a tracer that somebody handed in raises."""


def broken(*_: Any) -> Any:
    raise Broken("it broke")


@pytest.mark.parametrize("library", [httpx, httpx2])
@pytest.mark.parametrize("place", ["transport", "hook"])
def test_whatever_sending_raises_is_retried_and_then_a_connection_error(library: Any, place: str) -> None:
    tries: list[Any] = []

    def fail(request: Any) -> Any:
        tries.append(request)
        broken()

    options = {"event_hooks": {"request": [fail]}} if place == "hook" else {"transport": library.MockTransport(fail)}
    with anthropic.Anthropic(api_key="key", max_retries=1, http_client=library.Client(**options)) as client:
        client._sleep = lambda seconds: None  # type: ignore[method-assign]
        with pytest.raises(anthropic.APIConnectionError, match="Broken: it broke") as caught:
            client.messages.create(**ASK)
    assert isinstance(caught.value.__cause__, Broken)
    assert len(tries) == 2


@pytest.mark.parametrize("backend", BACKENDS)
def test_whatever_sending_raises_is_a_connection_error_async(backend: str) -> None:
    async def main() -> None:
        http = httpx2.AsyncClient(transport=httpx2.MockTransport(broken))
        async with anthropic.AsyncAnthropic(api_key="key", max_retries=0, http_client=http) as client:
            with pytest.raises(anthropic.APIConnectionError, match="Broken: it broke"):
                await client.messages.create(**ASK)

    run(backend, main)


def test_whatever_sending_raises_is_a_connection_error_with_aiohttp() -> None:
    async def main() -> None:
        tracing = aiohttp.TraceConfig()
        tracing.on_request_start.append(broken)
        async with (
            aiohttp.ClientSession(trace_configs=[tracing]) as session,
            streamcore.aiohttp.AsyncAnthropic(api_key="key", max_retries=0, http_client=session) as client,
        ):
            with pytest.raises(anthropic.APIConnectionError, match="Broken: it broke"):
                await client.messages.create(**ASK)

    run("asyncio", main)


@pytest.mark.parametrize("host", ["a..b", "a" * 70 + ".example"])
def test_a_host_whose_name_cannot_be_looked_up(host: str) -> None:
    client = anthropic.Anthropic(api_key="key", base_url=f"http://{host}/", max_retries=0)
    with client, pytest.raises(anthropic.APIConnectionError):
        client.messages.create(**ASK)


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_whatever_a_body_raises_is_a_connection_error_with_the_snapshot(library: Any) -> None:
    class Body(library.SyncByteStream):  # type: ignore[misc]
        def __iter__(self) -> Iterator[bytes]:
            yield SHORT_BODY[:-20]
            broken()

    def answer(request: Any) -> Any:
        return library.Response(200, headers={"content-type": "text/event-stream"}, stream=Body())

    client = anthropic.Anthropic(api_key="key", http_client=library.Client(transport=library.MockTransport(answer)))
    with (
        client,
        client.messages.stream(**ASK) as stream,
        pytest.raises(anthropic.APIConnectionError, match="Broken: it broke") as caught,
    ):
        stream.until_done()
    assert caught.value.snapshot == snapshot_at(SHORT_BODY[:-20])


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # the connection that the first loop has left behind
@each_adapter
def test_a_client_serves_one_event_loop_after_the_other(server: Server, adapter: Adapter) -> None:
    server.always = stream_reply(SHORT_BODY)
    client = adapter.client(server)

    async def ask() -> None:
        async with client.messages.stream(**ASK) as stream:
            assert await stream.get_final_text() == "Hé"

    async def ask_and_close() -> None:
        await ask()
        await client.close()

    for main in (ask, ask, ask_and_close):
        adapter.run(main)
