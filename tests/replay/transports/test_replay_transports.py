"""Captures played into clients: ours on each HTTP library, and the official one."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp
import anthropic
import httpx
import httpx2
import pytest
from helpers import FIXTURES, HELLO, body, start
from server import ASK, BACKENDS, run

import streamcore.aiohttp
import streamcore.httpx
import streamcore.replay.httpx
import streamcore.replay.httpx2
from streamcore import StreamCoreError
from streamcore.errors import (
    APIConnectionError,
    APITimeoutError,
    InvalidArgumentError,
)
from streamcore.replay import (
    Capture,
    CapturedRequest,
    CaptureError,
    Chunk,
    Chunking,
    End,
    NoCaptureError,
    Pause,
    RandomChunks,
    Replay,
    open_capture,
    open_stream,
    write_captures,
)
from streamcore.replay.aiohttp import ReplayConnector
from streamcore.replay.faults import Cut, Status

GOOD = [path for path in FIXTURES if path.parent.name != "broken" and path.stem != "several"]
LIBRARIES = [(httpx2, streamcore.replay.httpx2), (httpx, streamcore.replay.httpx)]
CHUNKINGS: list[Chunking] = ["recorded", "event", 100, RandomChunks(seed=1)]
EVENT_STREAM = {"content-type": "text/event-stream"}
KEY = "sk-ant-key"


class Slept:
    """A clock that goes on by what is slept."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


@pytest.mark.parametrize("chunking", CHUNKINGS)
@pytest.mark.parametrize(("library", "transports"), LIBRARIES)
def test_our_client_gets_the_message(library: Any, transports: Any, chunking: Chunking) -> None:
    for path in GOOD:
        expected = open_stream(path).get_final_message()
        with library.Client(transport=transports.ReplayTransport(path, chunking=chunking)) as http_client:
            client = streamcore.httpx.Anthropic(api_key=KEY, http_client=http_client)
            with client.messages.stream(**ASK) as stream:
                assert stream.get_final_message() == expected

        async def test(path: Path = path) -> Any:
            async with library.AsyncClient(
                transport=transports.AsyncReplayTransport(path, chunking=chunking)
            ) as http_client:
                client = streamcore.httpx.AsyncAnthropic(api_key=KEY, http_client=http_client)
                async with client.messages.stream(**ASK) as stream:
                    return await stream.get_final_message()

        for backend in BACKENDS:
            assert run(backend, test) == expected


OFFICIAL = ["text", "weather", "thinking", "tool", "parallel", "citations", "pings", "crlf", "search"]


@pytest.mark.parametrize("name", OFFICIAL)
def test_the_official_client_runs_from_a_capture(name: str) -> None:
    (path,) = [path for path in GOOD if path.stem == name]
    expected = open_stream(path).get_final_message()
    transport = streamcore.replay.httpx2.ReplayTransport([path, path], chunking=RandomChunks(seed=2))
    with httpx2.Client(transport=transport) as http_client:
        client = anthropic.Anthropic(api_key=KEY, http_client=http_client)
        with client.messages.stream(**ASK) as stream:
            message = stream.get_final_message()
        assert message.id == expected.id
        assert [block.type for block in message.content] == [block.type for block in expected.content]
        assert [event.type for event in client.messages.create(stream=True, **ASK)][-1] == "message_stop"

    async def test() -> list[str]:
        transport = streamcore.replay.httpx2.AsyncReplayTransport(path)
        async with httpx2.AsyncClient(transport=transport) as http_client:
            client = anthropic.AsyncAnthropic(api_key=KEY, http_client=http_client)
            async with client.messages.stream(**ASK) as stream:
                return [block.type for block in (await stream.get_final_message()).content]

    assert run("asyncio", test) == [block.type for block in expected.content]


def playing(capture: Capture, **options: Any) -> streamcore.httpx.Anthropic:
    http_client = httpx2.Client(transport=streamcore.replay.httpx2.ReplayTransport(capture, **options))
    return streamcore.httpx.Anthropic(api_key=KEY, http_client=http_client, max_retries=0)


def test_the_head_is_that_of_the_capture_without_what_told_of_the_transfer() -> None:
    headers = [("Request-Id", "req_9"), ("x", "1"), ("x", "2"), ("content-encoding", "gzip"), ("Content-Length", "3")]
    capture = Capture(headers=headers, body=[Chunk(0, body(*HELLO))])
    with playing(capture) as client, client.messages.stream(**ASK) as stream:
        assert stream.request_id == "req_9"
        assert stream.response.headers.multi_items() == [("request-id", "req_9"), ("x", "1"), ("x", "2")]
        assert stream.get_final_text() == "Hello"


def test_a_function_chooses_by_the_request() -> None:
    def choose(request: CapturedRequest, captures: Sequence[Capture]) -> Capture | None:
        asked = json.loads(request.body)["messages"][0]["content"]
        assert request.header("authorization") == f"Bearer {KEY}"
        return next((capture for capture in captures if capture.name == asked), None)

    captures = [Capture(name=name, body=[Chunk(0, body(start(name), *HELLO[1:]))]) for name in ("lima", "rome")]
    replay = Replay(captures, choose=choose)
    transport = streamcore.replay.httpx2.ReplayTransport(replay)
    with httpx2.Client(transport=transport) as http_client:
        client = streamcore.httpx.Anthropic(api_key=KEY, http_client=http_client)
        for city in ("rome", "lima"):
            with client.messages.stream(**{**ASK, "messages": [{"role": "user", "content": city}]}) as stream:
                assert stream.get_final_message().id == city
        with pytest.raises(NoCaptureError, match=r"there were: 1\. lima · status 200; 2\. rome"):
            client.messages.stream(**{**ASK, "messages": [{"role": "user", "content": "oslo"}]}).__enter__()


def ask_with(cls: Any, source: Any, asked: dict[str, Any], max_retries: int = 2, **options: Any) -> Any:
    """What the client of a class, ours or the official one, gets from the transport for its library."""
    is_async = cls.__name__.startswith("Async")
    name = f"{'Async' * is_async}ReplayTransport"
    library, transports = options.pop("via", LIBRARIES[0])
    transport = getattr(transports, name)(source, **options)
    if not is_async:
        with library.Client(transport=transport) as http_client:
            return cls(api_key=KEY, http_client=http_client, max_retries=max_retries).messages.create(**asked)

    async def test() -> Any:
        async with library.AsyncClient(transport=transport) as http_client:
            return await cls(api_key=KEY, http_client=http_client, max_retries=max_retries).messages.create(**asked)

    return run("asyncio", test)


CLIENTS = [
    anthropic.Anthropic,
    anthropic.AsyncAnthropic,
    streamcore.httpx.Anthropic,
    streamcore.httpx.AsyncAnthropic,
]
STREAMING = {**ASK, "stream": True}


def is_ours(client: Any) -> bool:
    """Ours raise what is wrong with captures as it is; others get it as an error of the API."""
    return bool(client.__module__.startswith("streamcore"))


@pytest.mark.parametrize("client", CLIENTS)
def test_a_request_without_a_capture_fails_at_once_with_every_client(client: Any) -> None:
    asked: list[CapturedRequest] = []

    def choose(request: CapturedRequest, captures: Sequence[Capture]) -> Capture | None:
        asked.append(request)
        return None

    with pytest.raises(Exception, match=r"1 in number; there were: 1\. one · status 200") as caught:
        ask_with(client, Capture(name="one"), STREAMING, choose=choose)
    assert type(caught.value).__name__ == ("NoCaptureError" if is_ours(client) else "NotFoundError")
    assert len(asked) == 1


@pytest.mark.parametrize("client", CLIENTS)
def test_captures_that_cannot_be_read_fail_again_and_again(client: Any, tmp_path: Path) -> None:
    for options in ({}, {"choose": lambda _, captures: captures[0]}):
        replay = Replay(tmp_path / "none.sse", **options)  # type: ignore[arg-type]
        for _ in range(2):
            with pytest.raises(Exception, match=r"none\.sse: cannot be read: No such file") as caught:
                ask_with(client, replay, STREAMING)
            assert type(caught.value).__name__ == ("CaptureError" if is_ours(client) else "InternalServerError")


def test_what_is_chosen_has_to_be_a_capture() -> None:
    choose: Any = lambda request, captures: "lima"  # noqa: E731
    with pytest.raises(InvalidArgumentError, match="choose must return one of the captures or None, not"):
        Replay(Capture(), choose=choose).answer(CapturedRequest(url="/"))
    with pytest.raises(InvalidArgumentError, match="choose must return one of the captures"):
        ask_with(streamcore.httpx.Anthropic, Capture(), STREAMING, choose=choose)


def test_secrets_of_requests_are_not_in_messages() -> None:
    request = CapturedRequest(
        url="https://me:s3cr3t-word@api.example/v1?api_key=s3cr3t-key", body=b'{"api_key":"s3cr3t-body"}'
    )
    replay = Replay(Capture(request=request))
    replay.answer(request)
    with pytest.raises(NoCaptureError, match=r"api\.example/v1.*api\.example/v1") as caught:
        replay.answer(request)
    assert "s3cr3t" not in str(caught.value)


# Requests that do not ask for a stream


@pytest.mark.parametrize("via", LIBRARIES)
@pytest.mark.parametrize("client", CLIENTS)
def test_who_asks_for_no_stream_gets_the_message(client: Any, via: Any) -> None:
    if client.__module__.startswith("anthropic") and via[0] is not httpx2:
        return  # the official client takes no other
    for path in GOOD:
        message = ask_with(client, path, ASK, via=via, chunking=RandomChunks(seed=3))
        expected = open_stream(path).get_final_message()
        assert message.id == expected.id
        assert [block.type for block in message.content] == [block.type for block in expected.content]


@pytest.mark.parametrize("client", CLIENTS)
def test_who_asks_for_no_stream_gets_the_error_that_the_stream_comes_to(client: Any, tmp_path: Path) -> None:
    broken = {path.stem: path for path in FIXTURES if path.parent.name == "broken"}
    damaged = tmp_path / "cut.jsonl"
    write_captures(damaged, [open_capture(GOOD[0])])
    damaged.write_bytes(damaged.read_bytes().rpartition(b'{"t"')[0])
    for path, error, match in (
        (broken["error"], "OverloadedError", "Overloaded"),
        (broken["truncated"], "InternalServerError", "does not add up to a message: the stream ended before"),
        (damaged, "CaptureError" if is_ours(client) else "InternalServerError", "no end line"),
    ):
        with pytest.raises(Exception, match=match) as caught:
            ask_with(client, path, ASK, max_retries=0)
        assert type(caught.value).__name__ == error


def test_a_cut_and_a_stall_are_the_same_to_who_asks_for_no_stream() -> None:
    for client in (streamcore.httpx.Anthropic, streamcore.httpx.AsyncAnthropic):
        with pytest.raises(APIConnectionError, match="cut on purpose"):
            ask_with(client, GOOD[0], ASK, faults=[Cut(event=3, broken=True)], max_retries=0)


@pytest.mark.parametrize("library", [anthropic, streamcore.httpx])
def test_a_status_on_purpose_is_not_tried_again_unless_its_headers_let(library: Any) -> None:
    path = GOOD[0]
    no_second = NoCaptureError if library is streamcore.httpx else library.NotFoundError
    for fault, error in ((Status(code=529), library.OverloadedError), (Status(code=529, headers=()), no_second)):
        transport = streamcore.replay.httpx2.ReplayTransport(path, faults=[fault])
        with httpx2.Client(transport=transport) as http_client, pytest.raises(error):
            library.Anthropic(api_key=KEY, http_client=http_client, max_retries=1).messages.create(stream=True, **ASK)


# aiohttp


def session(source: Any, **options: Any) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=ReplayConnector(source, **options))


@pytest.mark.parametrize("chunking", CHUNKINGS)
def test_our_client_on_aiohttp_gets_the_message(chunking: Chunking) -> None:
    async def test() -> None:
        async with session(GOOD, chunking=chunking) as http_client:
            client = streamcore.aiohttp.AsyncAnthropic(api_key=KEY, http_client=http_client)
            for path in GOOD:
                async with client.messages.stream(**ASK) as stream:
                    assert await stream.get_final_message() == open_stream(path).get_final_message()

    run("asyncio", test)


def test_a_session_of_aiohttp_sees_the_head_and_each_chunk() -> None:
    data = body(*HELLO)
    capture = Capture(status=201, headers=[("x", "1"), ("X", "2"), ("content-length", "1")], body=[Chunk(0, data)])
    clock = Slept()

    options: dict[str, Any] = {"chunking": 50, "speed": 1, "sleep": clock.sleep, "clock": clock}

    async def test() -> None:
        async with (
            session(capture, **options) as http_client,
            http_client.post("https://api.example/v1/x?y=z", data=b"hi") as response,
        ):
            assert response.status == 201
            assert response.headers.getall("x") == ["1", "2"]
            chunks = [chunk async for chunk in response.content.iter_any()]
        assert chunks == [data[begin : begin + 50] for begin in range(0, len(data), 50)]

    run("asyncio", test)


def test_aiohttp_requests_are_chosen_for_and_what_fails_is_said(tmp_path: Path) -> None:
    asked: list[CapturedRequest] = []

    def choose(request: CapturedRequest, captures: Sequence[Capture]) -> Capture | None:
        asked.append(request)
        return None if b"nothing" in request.body else captures[0]

    path = tmp_path / "cut.jsonl"
    write_captures(path, [Capture(headers=EVENT_STREAM, body=[Chunk(0, body(*HELLO))])])
    path.write_bytes(path.read_bytes().rpartition(b'{"t"')[0])

    async def test() -> None:
        async with session(path, choose=choose) as http_client:
            client = streamcore.aiohttp.AsyncAnthropic(api_key=KEY, http_client=http_client, max_retries=0)
            with pytest.raises(NoCaptureError, match="none of the captures was chosen, 1 in number"):
                await client.messages.stream(
                    **{**ASK, "messages": [{"role": "user", "content": "nothing"}]}
                ).__aenter__()
            with pytest.raises(CaptureError, match="no end line"):
                await client.messages.create(**ASK)
            async with client.messages.stream(**ASK) as stream:
                with pytest.raises(CaptureError, match="no end line"):
                    await stream.until_done()
                assert stream.current_message_snapshot.id == "msg_1"

    run("asyncio", test)
    assert asked[0].url == "https://api.anthropic.com/v1/messages"
    assert asked[0].header("Authorization") == f"Bearer {KEY}"
    assert b"nothing" in asked[0].body


def test_a_stream_of_aiohttp_that_is_left_early_leaves_nothing_behind() -> None:
    async def test() -> None:
        async with session(Capture(body=[Chunk(0, body(*HELLO)), Pause(1000)])) as http_client:
            client = streamcore.aiohttp.AsyncAnthropic(api_key=KEY, http_client=http_client)
            async with client.messages.stream(**ASK) as stream:
                await anext(stream)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:
            await asyncio.wait(others)

    run("asyncio", test)


BREAKS: list[tuple[tuple[Chunk | Pause | End, ...], type[StreamCoreError]]] = [
    ((Chunk(0, body(start())), End(0, "broken", "reset by peer")), APIConnectionError),
    ((Chunk(0, body(start())), Pause(1000), Chunk(0, body(*HELLO[1:]))), APITimeoutError),
]


@pytest.mark.parametrize(("steps", "error"), BREAKS)
def test_a_cut_and_a_stall_are_what_they_are_on_a_socket_to_aiohttp_too(
    steps: Any, error: type[StreamCoreError]
) -> None:
    async def test() -> None:
        async with session(Capture(body=steps)) as http_client:
            client = streamcore.aiohttp.AsyncAnthropic(api_key=KEY, http_client=http_client, idle_timeout=0.05)
            async with client.messages.stream(**ASK) as stream:
                await stream.until_done()

    with pytest.raises(error) as caught:
        run("asyncio", test)
    assert caught.value.snapshot.id == "msg_1"  # type: ignore[attr-defined]


@pytest.mark.parametrize(("steps", "error"), BREAKS)
@pytest.mark.parametrize(("library", "transports"), LIBRARIES)
def test_a_cut_and_a_stall_are_what_they_are_on_a_socket(
    library: Any, transports: Any, steps: Any, error: type[StreamCoreError]
) -> None:
    capture = Capture(body=steps)
    with library.Client(transport=transports.ReplayTransport(capture, sleep=lambda _: None)) as http_client:
        client = streamcore.httpx.Anthropic(api_key=KEY, http_client=http_client, idle_timeout=0.01)
        with client.messages.stream(**ASK) as stream, pytest.raises(error) as caught:
            stream.until_done()
    assert caught.value.snapshot.id == "msg_1"  # type: ignore[attr-defined]

    async def test() -> None:
        async with library.AsyncClient(
            transport=transports.AsyncReplayTransport(capture, sleep=Slept().sleep)
        ) as http_client:
            client = streamcore.httpx.AsyncAnthropic(api_key=KEY, http_client=http_client, idle_timeout=0.01)
            async with client.messages.stream(**ASK) as stream:
                await stream.until_done()

    for backend in BACKENDS:
        with pytest.raises(error) as caught:
            run(backend, test)
        assert caught.value.snapshot.id == "msg_1"  # type: ignore[attr-defined]


def test_importing_the_room_loads_no_http_library() -> None:
    libraries = "{'httpx', 'httpx2', 'aiohttp', 'yaml', 'ijson', 'anyio'}"
    script = f"import sys, streamcore.replay; print(sorted({libraries} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
