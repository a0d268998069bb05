"""Recording over real sockets: the very bytes, when they came, and how it ended. The user notices nothing."""

from __future__ import annotations

import gc
import json
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anthropic
import anyio
import httpx
import httpx2
import pytest
from helpers import HELLO, HELLO_TYPES, body, by_frame, in_pieces, start, text
from server import ASK, BACKENDS, Cut, Pause, error_reply, json_reply, run, serving, stream_reply

import streamcore.aiohttp
import streamcore.httpx
import streamcore.replay.httpx
import streamcore.replay.httpx2
from streamcore import StreamCoreError
from streamcore.errors import APIConnectionError, InvalidArgumentError
from streamcore.replay import (
    AS_RECORDED,
    Capture,
    CaptureError,
    Chunk,
    End,
    Recorder,
    Redaction,
    open_capture,
    open_stream,
    read_captures,
    record,
)

FRAMES = [frame for frame in by_frame(body(*HELLO)) if frame]
KEY = "sk-ant-api03-secret-key"


class Ticks:
    """A clock that goes on by a second at each look."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        self.time += 1
        return self.time


class Slept:
    """A clock that goes on by what is slept."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


def recorded(path: Path) -> Capture:
    (capture,) = read_captures(path)
    return capture.in_memory()


def data_of(path: Path) -> list[bytes]:
    return [chunk.data for chunk in recorded(path).chunks]


def end_of(path: Path) -> End:
    end = list(recorded(path).body)[-1]
    assert isinstance(end, End)
    return end


def client_playing(frames: list[bytes]) -> streamcore.httpx.Anthropic:
    capture = Capture(headers={"content-type": "text/event-stream"}, body=tuple(Chunk(0.0, frame) for frame in frames))
    transport = streamcore.replay.httpx2.ReplayTransport(capture)
    return streamcore.httpx.Anthropic(api_key=KEY, http_client=httpx2.Client(transport=transport))


# Each of the ways to ask and to read

Client = streamcore.httpx.Anthropic
AsyncClient = streamcore.httpx.AsyncAnthropic
AiohttpClient = streamcore.aiohttp.AsyncAnthropic


def ask_with_client(url: str, path: Path) -> list[str]:
    with (
        Client(api_key=KEY, base_url=url) as client,
        record(client, path, clock=Ticks()) as recording,
        recording.messages.stream(**ASK) as stream,
    ):
        assert isinstance(recording, Client)
        return [event.type for event in stream]


def ask_with_copied_client(url: str, path: Path) -> list[str]:
    with (
        Client(api_key=KEY, base_url=url) as client,
        record(client, path, clock=Ticks()) as recording,
        recording.with_options(max_retries=0).messages.stream(**ASK) as stream,
    ):
        return [event.type for event in stream]


def ask_with_httpx(url: str, path: Path) -> list[str]:
    recorder = Recorder(path, clock=Ticks())
    transport = streamcore.replay.httpx.RecordingTransport(recorder)
    with recorder, httpx.Client(transport=transport) as http_client:
        client = Client(api_key=KEY, base_url=url, http_client=http_client)
        with client.messages.stream(**ASK) as stream:
            return [event.type for event in stream]


def ask_with_official_client(url: str, path: Path) -> list[str]:
    recorder = Recorder(path, clock=Ticks())
    transport = streamcore.replay.httpx2.RecordingTransport(recorder)
    with recorder, httpx2.Client(transport=transport) as http_client:
        client = anthropic.Anthropic(api_key=KEY, base_url=url, http_client=http_client)
        with client.messages.stream(**ASK) as stream:
            return [event.type for event in stream]


def ask_with_async_client(url: str, path: Path, backend: str = "asyncio") -> list[str]:
    async def test() -> list[str]:
        async with (
            AsyncClient(api_key=KEY, base_url=url) as client,
            record(client, path, clock=Ticks()) as recording,
            recording.messages.stream(**ASK) as stream,
        ):
            return [event.type async for event in stream]

    return run(backend, test)


def ask_with_async_client_on_trio(url: str, path: Path) -> list[str]:
    return ask_with_async_client(url, path, "trio")


def ask_with_aiohttp(url: str, path: Path) -> list[str]:
    async def test() -> list[str]:
        async with (
            AiohttpClient(api_key=KEY, base_url=url) as client,
            record(client, path, clock=Ticks()) as recording,
            recording.with_options(max_retries=0).messages.stream(**ASK) as stream,
        ):
            return [event.type async for event in stream]

    return run("asyncio", test)


def ask_with_async_transport(url: str, path: Path) -> list[str]:
    async def test() -> list[str]:
        recorder = Recorder(path, clock=Ticks())
        transport = streamcore.replay.httpx2.AsyncRecordingTransport(recorder)
        with recorder:
            async with httpx2.AsyncClient(transport=transport) as http_client:
                client = anthropic.AsyncAnthropic(api_key=KEY, base_url=url, http_client=http_client)
                async with client.messages.stream(**ASK) as stream:
                    return [event.type async for event in stream]

    return run("asyncio", test)


WAYS = [
    ask_with_client,
    ask_with_copied_client,
    ask_with_httpx,
    ask_with_official_client,
    ask_with_async_client,
    ask_with_async_client_on_trio,
    ask_with_aiohttp,
    ask_with_async_transport,
]


@pytest.mark.parametrize("gzip", [False, True])
@pytest.mark.parametrize("ask", WAYS)
def test_what_comes_is_recorded_and_the_user_gets_it_all_the_same(
    ask: Callable[[str, Path], list[str]], gzip: bool, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    steps = [step for frame in FRAMES for step in (frame, Pause(0.01))]
    with serving(stream_reply(*steps, gzip=gzip)) as server:
        types = ask(server.url, path)
        (request,) = server.requests
    assert types == HELLO_TYPES
    capture = recorded(path)
    assert capture.data == b"".join(FRAMES)
    chunks = list(capture.chunks)
    assert len(chunks) > 1, "as it came, in many chunks"
    times = [chunk.time for chunk in chunks]
    assert times == sorted(times)
    assert times[0] >= 1
    assert end_of(path).reason == "complete"
    assert capture.status == 200
    assert capture.header("Request-Id") == "req_1"
    assert capture.header("content-encoding") is None
    assert capture.request is not None
    assert capture.request.method == "POST"
    assert capture.request.url == f"{server.url}{request.target}"
    assert capture.request.header("authorization" if ask is not ask_with_official_client else "x-api-key") in (
        "REDACTED",
        None,
    )
    assert capture.request.body == request.body
    assert KEY.encode() not in path.read_bytes()
    with open_stream(path) as stream:
        assert [event.type for event in stream] == types


@pytest.mark.parametrize("ask", WAYS)
def test_what_was_received_is_kept_when_the_stream_breaks(
    ask: Callable[[str, Path], list[str]], tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    with (
        serving(stream_reply(*FRAMES[:4], Cut()), always=error_reply(400)) as server,
        pytest.raises((StreamCoreError, httpx2.HTTPError, anthropic.APIError)),
    ):
        ask(server.url, path)
    assert recorded(path).data == b"".join(FRAMES[:4])
    assert end_of(path).reason == "broken"
    assert end_of(path).message
    with pytest.raises(APIConnectionError) as caught, open_stream(path) as stream:
        stream.until_done()
    assert caught.value.snapshot is not None


def test_an_early_leave_is_recorded_as_one(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with (
        serving(stream_reply(*FRAMES[:3], Pause(20))) as server,
        Client(api_key=KEY, base_url=server.url) as client,
        record(client, path) as client,
        client.messages.stream(**ASK) as stream,
    ):
        assert next(iter(stream)).type == "message_start"
        next(stream)
    assert end_of(path).reason == "closed"
    assert recorded(path).data == b"".join(FRAMES[:3])[: len(recorded(path).data)]


def test_attempts_that_failed_are_recorded_too_and_replayed_in_order(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with (
        serving(error_reply(529, "overloaded_error", headers={"retry-after": "0"}), stream_reply(*FRAMES)) as server,
        Client(api_key=KEY, base_url=server.url) as client,
        record(client, path) as client,
        client.messages.stream(**ASK) as stream,
    ):
        message = stream.get_final_message()
    assert [capture.status for capture in read_captures(path)] == [529, 200]
    with httpx2.Client(transport=streamcore.replay.httpx2.ReplayTransport(path)) as http_client:
        client = streamcore.httpx.Anthropic(api_key=KEY, http_client=http_client)
        with client.messages.stream(**ASK) as stream:
            assert stream.get_final_message() == message


def test_a_file_of_bare_streams_has_no_failed_attempts(tmp_path: Path) -> None:
    path = tmp_path / "a.sse"
    with (
        serving(error_reply(529, headers={"retry-after": "0"}), stream_reply(*FRAMES)) as server,
        Client(api_key=KEY, base_url=server.url) as client,
    ):
        with record(client, path) as recording, recording.messages.stream(**ASK) as stream:
            stream.until_done()
        assert path.read_bytes() == b"".join(FRAMES)
        path.unlink()
        with record(client, path) as recording, pytest.raises(StreamCoreError):
            recording.with_options(max_retries=0).messages.stream(**ASK).__enter__()
        assert not path.exists()


def test_streams_at_once_are_exchanges_of_their_own_in_the_order_they_began(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with (
        serving(*(stream_reply(*by_frame(body(start(f"msg_{n}"), *HELLO[1:]))) for n in range(3))) as server,
        Client(api_key=KEY, base_url=server.url) as client,
        record(client, path) as client,
        client.messages.stream(**ASK) as first,
        client.messages.stream(**ASK) as second,
        client.messages.stream(**ASK) as third,
    ):
        for stream in (third, first, second):
            stream.until_done()
    messages = [open_stream(capture).get_final_message().id for capture in read_captures(path)]
    assert messages == ["msg_0", "msg_1", "msg_2"]


def test_the_file_is_written_at_the_end_and_not_before_and_not_without_an_answer(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"before")
    with serving(stream_reply(*FRAMES)) as server, Client(api_key=KEY, base_url=server.url) as client:
        with record(client, path):
            pass
        assert path.read_bytes() == b"before"
        with record(client, path) as recording, recording.messages.stream(**ASK) as stream:
            next(stream)
            assert path.read_bytes() == b"before"
    assert end_of(path).reason == "closed"
    assert [each.name for each in tmp_path.iterdir()] == ["a.jsonl"]


def test_the_file_is_written_when_the_block_ends_with_an_exception(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"

    def fail() -> None:
        with record(client_playing(FRAMES), path) as client, client.messages.stream(**ASK) as stream:
            next(stream)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert data_of(path) == FRAMES[:1]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_recorded_stream_that_is_dropped_closes_what_it_reads_from(backend: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"

    async def test() -> None:
        with serving(stream_reply(*FRAMES[:3], Pause(20))) as server:
            async with (
                AsyncClient(api_key=KEY, base_url=server.url) as client,
                record(client, path) as recording,
            ):
                stream = await recording.messages.stream(**ASK).__aenter__()
                await anext(stream)
                del stream
                gc.collect()
                await anyio.to_thread.run_sync(server.wait_until_idle)

    run(backend, test)
    assert end_of(path).reason == "closed"


def test_answers_that_are_no_streams_are_recorded_too(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    answer = {**start()["message"], "content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn"}
    with (
        serving(json_reply(answer), stream_reply(*FRAMES)) as server,
        Client(api_key=KEY, base_url=server.url) as client,
        record(client, path) as recording,
    ):
        message = recording.messages.create(**ASK)
        assert len(list(recording.messages.create(stream=True, **ASK))) == len(FRAMES)
    first, second = read_captures(path)
    assert json.loads(first.data) == answer
    assert second.data == b"".join(FRAMES)
    with httpx2.Client(transport=streamcore.replay.httpx2.ReplayTransport(path)) as http_client:
        assert Client(api_key=KEY, http_client=http_client).messages.create(**ASK) == message


def test_a_long_recording_is_never_held_in_memory(tmp_path: Path) -> None:
    """8 MB. A few chunks of them are in memory at once, and what is kept there before a file is made."""
    path = tmp_path / "a.jsonl"

    def chunks() -> Iterator[bytes]:
        for number in range(400):
            yield b"data: %d %s\n\n" % (number, b"la" * 10_000)

    sends = httpx2.MockTransport(lambda request: httpx2.Response(200, content=chunks()))
    tracemalloc.start()
    try:
        with (
            httpx2.Client(transport=streamcore.replay.httpx2.RecordingTransport(path, sends)) as client,
            client.stream("POST", "http://api/") as response,
        ):
            assert sum(1 for _ in response.iter_raw()) == 400
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4_000_000
    assert all(one.data == other for one, other in zip(open_capture(path).chunks, chunks(), strict=True))


def test_other_things_cannot_be_recorded(tmp_path: Path) -> None:
    for thing in (None, httpx2.Client(), anthropic.Anthropic(api_key=KEY)):
        with pytest.raises(InvalidArgumentError, match=f"only clients of streamcore .*, not {type(thing).__name__}"):
            record(thing, tmp_path / "a.jsonl")  # type: ignore[call-overload]
    with pytest.raises(CaptureError, match="suffix"):
        record(streamcore.httpx.Anthropic(api_key=KEY), tmp_path / "a.xml")


def test_the_error_for_a_stream_says_to_record_its_client(tmp_path: Path) -> None:
    client = client_playing(FRAMES)
    with client.messages.stream(**ASK) as stream:
        things: list[Any] = [stream, client.messages.stream(**ASK)]
        for thing in things:
            with pytest.raises(InvalidArgumentError, match="for a stream, record the client that makes it"):
                record(thing, tmp_path / "a.jsonl")
        assert [event.type for event in stream] == HELLO_TYPES
    assert not (tmp_path / "a.jsonl").exists()


def test_a_full_disk_fails_the_recording_and_not_the_stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("streamcore.replay.formats.spool.Spool.append", full)
    path = tmp_path / "a.jsonl"
    with (
        pytest.raises(CaptureError, match=r"the recording does not fit on the disk: .*No space left"),
        record(client_playing(FRAMES), path) as client,
        client.messages.stream(**ASK) as stream,
    ):
        assert [event.type for event in stream] == HELLO_TYPES
    assert not path.exists()


def test_a_hook_that_fails_fails_the_recording_and_not_the_stream(tmp_path: Path) -> None:
    def failing(head: Capture) -> Capture:
        raise KeyError("x-trace")

    path = tmp_path / "a.jsonl"
    with (
        pytest.raises(CaptureError, match=r"a\.jsonl: .* capture could not be redacted: KeyError: 'x-trace'") as raised,
        record(client_playing(FRAMES), path, redaction=Redaction(hook=failing)) as client,
        client.messages.stream(**ASK) as stream,
    ):
        assert [event.type for event in stream] == HELLO_TYPES
    assert isinstance(raised.value.__cause__, KeyError)
    assert not path.exists()


def test_a_folder_that_is_not_there_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match=r"a\.jsonl: cannot be written: its folder is not there"):
        record(streamcore.httpx.Anthropic(api_key=KEY), tmp_path / "none" / "a.jsonl")


def test_a_round_trip_keeps_bytes_cuts_and_times(tmp_path: Path) -> None:
    """Recorded over a socket, played with the recorded times, and recorded again."""
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    data = body(*HELLO[:2], *[text(0, "ä")] * 3, *HELLO[4:])
    chunks = in_pieces(data, 77)
    with (
        serving(stream_reply(*(step for chunk in chunks for step in (Pause(0.02), chunk)))) as server,
        Client(api_key=KEY, base_url=server.url) as client,
        record(client, first) as recording,
        recording.messages.stream(**ASK) as stream,
    ):
        stream.until_done()
    transport = streamcore.replay.httpx2.ReplayTransport(first, speed=AS_RECORDED)
    with (
        httpx2.Client(transport=transport) as http_client,
        record(Client(api_key=KEY, http_client=http_client), second) as recording,
        recording.messages.stream(**ASK) as stream,
    ):
        stream.until_done()
    assert b"".join(data_of(first)) == data
    assert data_of(second) == data_of(first)
    assert len(data_of(first)) > 2
    for old, new in zip(recorded(first).chunks, recorded(second).chunks, strict=True):
        assert new.time >= old.time - 0.001, "never before its time"


def test_a_round_trip_by_a_clock_that_nothing_disturbs_keeps_the_times_exactly(tmp_path: Path) -> None:
    clock = Slept()
    path = tmp_path / "a.jsonl"
    steps = (Chunk(0.25, b"data: {}"), Chunk(0.25, b"\n\n"), Chunk(3.5, b": \xc3"), Chunk(4.0, b"\xa4\n\n"), End(4.125))
    transport = streamcore.replay.httpx2.ReplayTransport(
        Capture(body=steps), speed=AS_RECORDED, sleep=clock.sleep, clock=clock
    )
    with Recorder(path, clock=clock) as recorder:
        outer = streamcore.replay.httpx2.RecordingTransport(recorder, transport)
        with httpx2.Client(transport=outer) as http_client, http_client.stream("POST", "http://api/") as response:
            assert b"".join(response.iter_raw()) == b"".join(step.data for step in steps if isinstance(step, Chunk))
    assert tuple(recorded(path).body) == steps
