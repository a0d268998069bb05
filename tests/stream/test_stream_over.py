"""Streams are over at `message_stop`, whatever the connection does after it: all adapters, over real sockets."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import aiohttp
import attrs
import httpx
import httpx2
import pytest
import requests
import urllib3
from helpers import HELLO, HELLO_TYPES, STOP, body, frame, start
from http2_server import Http2Server
from server import ASK, BACKENDS, Pause, Server, Stall, run, serving, stream_reply
from tls import make_certificate

import streamcore.aiohttp
import streamcore.httpx
import streamcore.urllib3
from streamcore import AsyncMessageStream, MessageEngine, MessageEventDecoder, MessageStream, RawMessageDecoder, Stream
from streamcore.replay import open_capture, record
from streamcore.stream import AsyncStream

WHOLE = body(*HELLO)
PINGS: list[bytes | Pause] = [b": ping\n\n", Pause(0.01)]

# What follows message_stop: nothing for ever, pings for ever, and more bytes than anyone wants to read.
NEVER_ENDS = {
    "silence": stream_reply(WHOLE, Stall()),
    "pings": stream_reply(WHOLE, *PINGS * 100_000),
    "bytes": stream_reply(WHOLE, *[b":" + 65_000 * b"x" + b"\n\n"] * 10_000),
}
ENDS_LATE = stream_reply(WHOLE, Pause(0.05))


# How each adapter opens streams, one after the other, with one pool of connections


@contextlib.contextmanager
def httpx_client(server: Server, library: Any) -> Iterator[Callable[[], Any]]:
    with streamcore.httpx.Anthropic(api_key="key", base_url=server.url, http_client=library.Client()) as client:
        yield lambda: client.messages.stream(**ASK)


@contextlib.contextmanager
def httpx_events(server: Server, library: Any) -> Iterator[Callable[[], Any]]:
    with streamcore.httpx.Anthropic(api_key="key", base_url=server.url, http_client=library.Client()) as client:
        yield lambda: client.messages.create(**ASK, stream=True)


@contextlib.contextmanager
def httpx_response(server: Server, library: Any) -> Iterator[Callable[[], Any]]:
    with library.Client() as client:
        yield lambda: streamcore.httpx.message_stream(
            client.send(client.build_request("POST", server.url, json={}), stream=True)
        )


@contextlib.contextmanager
def requests_response(server: Server, _: Any) -> Iterator[Callable[[], Any]]:
    with requests.Session() as session:
        yield lambda: streamcore.urllib3.message_stream(session.post(server.url, json={}, stream=True))


@contextlib.contextmanager
def urllib3_response(server: Server, _: Any) -> Iterator[Callable[[], Any]]:
    with urllib3.PoolManager() as pool:
        yield lambda: streamcore.urllib3.message_stream(
            pool.request("POST", server.url, body=b"{}", preload_content=False)
        )


@contextlib.asynccontextmanager
async def async_httpx_client(server: Server, library: Any) -> AsyncIterator[Callable[[], Any]]:
    http = library.AsyncClient()
    async with streamcore.httpx.AsyncAnthropic(api_key="key", base_url=server.url, http_client=http) as client:
        yield lambda: client.messages.stream(**ASK)


@contextlib.asynccontextmanager
async def async_httpx_response(server: Server, library: Any) -> AsyncIterator[Callable[[], Any]]:
    @contextlib.asynccontextmanager
    async def opened() -> AsyncIterator[Any]:
        request = client.build_request("POST", server.url, json={})
        async with await streamcore.httpx.async_message_stream(await client.send(request, stream=True)) as stream:
            yield stream

    async with library.AsyncClient() as client:
        yield opened


@contextlib.asynccontextmanager
async def aiohttp_client(server: Server, _: Any) -> AsyncIterator[Callable[[], Any]]:
    async with streamcore.aiohttp.AsyncAnthropic(api_key="key", base_url=server.url) as client:
        yield lambda: client.messages.stream(**ASK)


@contextlib.asynccontextmanager
async def aiohttp_response(server: Server, _: Any) -> AsyncIterator[Callable[[], Any]]:
    @contextlib.asynccontextmanager
    async def opened() -> AsyncIterator[Any]:
        async with await streamcore.aiohttp.async_message_stream(await session.post(server.url, json={})) as stream:
            yield stream

    async with aiohttp.ClientSession() as session:
        yield opened


@attrs.frozen
class Way:
    """A way to read a stream."""

    opener: Callable[[Server, Any], Any]
    library: Any = None
    backend: str | None = None

    def __str__(self) -> str:
        names = [self.opener.__name__, getattr(self.library, "__name__", None), self.backend]
        return "-".join(filter(None, names))

    def read(self, server: Server, count: int = 1) -> list[list[str]]:
        """Read so many streams to their ends, one after the other; the types of their events."""
        if self.backend is not None:
            return run(self.backend, lambda: self._read_async(server, count))
        found = []
        with self.opener(server, self.library) as open_stream:
            for _ in range(count):
                with open_stream() as stream:
                    found.append([event.type for event in stream])
        return found

    async def _read_async(self, server: Server, count: int) -> list[list[str]]:
        found = []
        async with self.opener(server, self.library) as open_stream:
            for _ in range(count):
                async with open_stream() as stream:
                    found.append([event.type async for event in stream])
        return found


LIBRARIES = (httpx2, httpx)
WAYS = [
    *[Way(opener, library) for opener in (httpx_client, httpx_response) for library in LIBRARIES],
    Way(requests_response),
    Way(urllib3_response),
    *[
        Way(opener, library, backend)
        for opener in (async_httpx_client, async_httpx_response)
        for library in LIBRARIES
        for backend in BACKENDS
    ],
    Way(aiohttp_client, None, "asyncio"),
    Way(aiohttp_response, None, "asyncio"),
]
each_way = pytest.mark.parametrize("way", WAYS, ids=str)


@each_way
@pytest.mark.parametrize("after", NEVER_ENDS)
def test_a_stream_is_over_though_its_body_never_ends(way: Way, after: str) -> None:
    with serving(NEVER_ENDS[after]) as server:
        assert way.read(server) == [HELLO_TYPES]
        server.wait_until_idle()


@each_way
def test_a_body_that_ends_a_little_later_leaves_its_connection_for_the_next(way: Way) -> None:
    with serving(always=ENDS_LATE) as server:
        assert way.read(server, 3) == 3 * [HELLO_TYPES]
        assert server.connections == 1


@each_way
def test_what_follows_message_stop_is_not_decoded(way: Way) -> None:
    error = frame({"type": "error", "error": {"type": "api_error", "message": "too late"}})
    with serving(always=stream_reply(WHOLE + error + b"data: nonsense\n\n", b"data: {\n\n")) as server:
        assert way.read(server, 2) == 2 * [HELLO_TYPES]
        assert server.connections == 1


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_stream_of_events_alone_is_over_too(library: Any) -> None:
    way = Way(httpx_events, library)
    with serving(NEVER_ENDS["silence"], always=ENDS_LATE) as server:
        assert way.read(server, 3) == 3 * [[event["type"] for event in HELLO]]
        assert server.connections == 2


@pytest.mark.parametrize("library", LIBRARIES)
def test_all_ways_to_the_end_are_over(library: Any) -> None:
    ways: list[Callable[[Any], Any]] = [
        lambda stream: stream.get_final_message(),
        lambda stream: stream.get_final_text(),
        lambda stream: stream.until_done(),
        lambda stream: list(stream.text_stream),
        lambda stream: next(event for event in stream if event.type == "message_stop"),
    ]
    with serving(always=NEVER_ENDS["silence"]) as server, httpx_client(server, library) as open_stream:
        for to_the_end in ways:
            with open_stream() as stream:
                to_the_end(stream)
            server.wait_until_idle()
    with serving(always=ENDS_LATE) as server, httpx_client(server, library) as open_stream:
        for to_the_end in ways:
            with open_stream() as stream:
                to_the_end(stream)
        assert server.connections == 1


def test_over_tls_too(tmp_path: Any) -> None:
    certificate, context = make_certificate(tmp_path)
    with serving(NEVER_ENDS["silence"], always=ENDS_LATE, tls=context) as server:
        http = httpx2.Client(verify=ssl.create_default_context(cafile=certificate))
        with streamcore.httpx.Anthropic(api_key="key", base_url=server.url, http_client=http) as client:
            for _ in range(3):
                with client.messages.stream(**ASK) as stream:
                    assert stream.get_final_text() == "Hello"
        assert server.connections == 2


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("backend", [None, *BACKENDS])
def test_over_http2_a_stream_is_over_and_the_others_go_on(library: Any, backend: str | None) -> None:
    def options(http: Any) -> dict[str, Any]:
        return {"api_key": "key", "base_url": server.url, "http_client": http, "max_retries": 0}

    def read() -> None:
        with streamcore.httpx.Anthropic(**options(library.Client(http1=False, http2=True))) as client:
            for _ in range(3):
                with client.messages.stream(**ASK) as stream:
                    assert stream.get_final_text() == "Hello"

    async def read_async() -> None:
        http = library.AsyncClient(http1=False, http2=True)
        async with streamcore.httpx.AsyncAnthropic(**options(http)) as client:
            for _ in range(3):
                async with client.messages.stream(**ASK) as stream:
                    assert await stream.get_final_text() == "Hello"

    with Http2Server([WHOLE]) as server:
        read() if backend is None else run(backend, read_async)
        assert server.connections == 1


def test_a_recording_of_a_stream_has_its_end(tmp_path: Any) -> None:
    path = tmp_path / "hello.jsonl"
    with (
        serving(ENDS_LATE) as server,
        streamcore.httpx.Anthropic(api_key="k", base_url=server.url) as client,
        record(client, path) as recorded,
        recorded.messages.stream(**ASK) as stream,
    ):
        stream.until_done()
    assert all(getattr(step, "reason", "complete") == "complete" for step in open_capture(path).body)


# Without a connection


def chunks_that_must_not_be_read() -> Iterator[bytes]:
    yield WHOLE
    raise AssertionError("the stream was over")


@pytest.mark.parametrize("decoder", [MessageEngine, MessageEventDecoder, RawMessageDecoder])
def test_a_plain_iterable_is_not_read_further(decoder: Any) -> None:
    assert len(list(Stream(chunks_that_must_not_be_read(), decoder=decoder()))) == len(HELLO)
    assert MessageStream(chunks_that_must_not_be_read()).get_final_text() == "Hello"


@pytest.mark.parametrize("backend", BACKENDS)
def test_nor_is_an_async_one(backend: str) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield WHOLE
        raise AssertionError("the stream was over")

    async def main() -> None:
        events = [event async for event in AsyncStream(chunks(), decoder=RawMessageDecoder())]
        assert len(events) == len(HELLO)
        assert await AsyncMessageStream(chunks()).get_final_text() == "Hello"

    run(backend, main)


def test_a_stream_of_several_messages_goes_on() -> None:
    engine = MessageEngine(multiple_messages=True)
    several = [*HELLO, start("msg_2"), *HELLO[1:]]
    assert [event.type for event in Stream([body(*several)], decoder=engine)] == [each["type"] for each in several]


def test_a_stream_in_strict_mode_does_not_look_behind_the_end() -> None:
    stream = MessageStream([WHOLE + body(STOP)], strict=True)
    assert stream.get_final_text() == "Hello"
    assert stream.violations == ()
