"""The recording proxy: nothing changes between client and upstream, and what went through is in the file."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import signal
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import anthropic
import capture_formats
import httpx2
import pytest
from aiohttp.base_protocol import BaseProtocol
from helpers import HELLO, STREAMS, body, by_frame
from server import ASK, Cut, Pause, Reply, Server, Stall, error_reply, json_reply, serving, stream_reply
from test_cli import read_until, run, start_command
from test_serve import CLIENTS, capture_of
from wire import Connection, ask

import streamcore.aiohttp
import streamcore.httpx
from streamcore import StreamCoreError
from streamcore.replay import (
    AS_RECORDED,
    Capture,
    CaptureError,
    Chunk,
    End,
    RandomChunks,
    Redaction,
    read_captures,
    write_captures,
)
from streamcore.replay.recording.recorder import Recorder
from streamcore.replay.server import serve
from streamcore.replay.server.proxy import BrokenAnswerError, _Proxy, pieces_of, proxy

HELLO_BYTES = body(*HELLO)


def captures_in(path: Path) -> list[Capture]:
    return [capture.in_memory() for capture in read_captures(path)]


def chunks_of(capture: Capture) -> list[bytes]:
    return [chunk.data for chunk in capture.chunks]


def end_of(capture: Capture) -> End:
    (*_, end) = capture.body
    assert isinstance(end, End)
    return end


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "out.jsonl"


# Exchanges that go through


def test_headers_that_are_no_utf_8_are_recorded(output: Path) -> None:
    request = (
        b"POST /v1/messages HTTP/1.1\r\nhost: localhost\r\nx-name: Andr\xe9\r\nx-other: Andr\xc3\xa9\r\n"
        b'content-length: 15\r\n\r\n{"stream":true}'
    )
    with serve(capture_of(HELLO_BYTES)) as upstream, proxy(upstream, output) as url:
        connection = Connection(url)
        connection.socket.sendall(request)
        assert connection.receive().body == HELLO_BYTES
        connection.close()
    (recorded,) = captures_in(output)
    assert recorded.request is not None
    assert [recorded.request.header(name) for name in ("x-name", "x-other")] == ["André", "André"]


@pytest.mark.parametrize("suffix", capture_formats.ALL)
def test_an_output_that_cannot_be_written_is_said_before_there_is_anything_to_lose(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"a{suffix}"
    path.mkdir()
    folder = run("record", "--url", "http://127.0.0.1:9", "--output", path)
    assert (folder.exit_code, folder.output) == (1, f"streamcore: {path}: cannot be written: it is a folder\n")
    path.rmdir()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    refused = run("record", "--url", "http://127.0.0.1:9", "--output", path)
    assert refused.exit_code == 1
    assert refused.output == f"streamcore: {path}: cannot be written: its folder is not writable\n"


@pytest.mark.parametrize("client", CLIENTS)
def test_what_is_recorded_is_what_was_served(client: Callable[[str], bytes], output: Path) -> None:
    streams = STREAMS[:: max(1, len(STREAMS) // 25)]
    served = [capture for path in streams for capture in read_captures(path)]
    chunking = RandomChunks(seed=3, largest=100_000)
    with serve(streams, chunking=chunking) as upstream, proxy(upstream, output) as url:
        for capture in served:
            assert client(url) == capture.data
    with serve(streams, chunking=chunking) as upstream:
        on_the_wire = [ask(upstream).chunks for _ in served]
    recorded = captures_in(output)
    assert [capture.data for capture in recorded] == [capture.data for capture in served]
    assert [chunks_of(capture) for capture in recorded] == on_the_wire
    assert {end_of(capture).reason for capture in recorded} == {"complete"}


def test_a_recording_of_a_replay_of_a_recording_is_the_recording(tmp_path: Path) -> None:
    """Its times are in order, too; how exact they are is for a quiet machine to say."""
    chunks = (Chunk(0.0, b"event: ping\ndata: {}\n\n"), Chunk(0.2, b"x" * 300_000), Chunk(0.4, b"\xf0\x9f"))
    original = capture_of(*chunks, End(0.4))
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    for source, path in ((original, first), (first, second)):
        with serve(source, speed=AS_RECORDED) as upstream, proxy(upstream, path) as url:
            assert ask(url).complete
    for path in (first, second):
        (recorded,) = captures_in(path)
        assert chunks_of(recorded) == chunks_of(original)
        times = [chunk.time for chunk in recorded.chunks]
        assert times == sorted(times)
        assert times[-1] > times[0]


def test_the_request_goes_on_as_it_came_and_is_recorded_without_its_secrets(output: Path) -> None:
    with serving(always=stream_reply(HELLO_BYTES)) as upstream:
        with (
            proxy(f"{upstream.url}/prefix/", output) as url,
            anthropic.Anthropic(api_key="sk-ant-very-secret", base_url=url) as client,
        ):
            list(
                client.beta.messages.create(**ASK, stream=True, betas=["b-1"], extra_headers={"cookie": "id=12345678"})
            )
        (request,) = upstream.requests
    assert request.target == "/prefix/v1/messages"
    assert request.headers["authorization"] == "Bearer sk-ant-very-secret"
    assert request.headers["cookie"] == "id=12345678"
    assert request.headers["anthropic-beta"] == "b-1"
    assert request.headers["host"] == upstream.url.removeprefix("http://")
    assert request.headers["accept-encoding"] == "identity"
    assert request.json() == {**ASK, "stream": True}
    text = output.read_text()
    assert "very-secret" not in text
    assert "12345678" not in text
    (capture,) = captures_in(output)
    assert capture.request is not None
    assert capture.request.url == f"{upstream.url}/prefix/v1/messages"
    assert json.loads(capture.request.body) == {**ASK, "stream": True}
    assert capture.request.header("anthropic-beta") == "b-1"


def test_each_chunk_goes_on_at_once(output: Path) -> None:
    with serving(stream_reply(b"one", Pause(0.05), b"two", Stall())) as upstream, proxy(upstream.url, output) as url:
        connection = Connection(url)
        connection.send()
        connection.receive_head()
        assert connection.receive_chunk() == b"one"
        assert connection.receive_chunk() == b"two"
        connection.close()


def test_a_head_goes_on_before_the_body(output: Path) -> None:
    with serving(stream_reply(Stall())) as upstream, proxy(upstream.url, output) as url:
        connection = Connection(url)
        connection.send()
        assert connection.receive_head()[1]["request-id"] == "req_1"
        connection.close()


@pytest.mark.parametrize(
    ("head", "status", "said"),
    [
        ("200 OK\r\nx-a: a\x01b", 502, "the header 'x-a' cannot be sent"),
        ("200 OK\r\nset-cookie: \x7f", 502, "the header 'Set-Cookie' cannot be sent"),
        ("101 Switching Protocols\r\nupgrade: websocket", 502, "the status 101 is not valid"),
        ("999 Request denied", 502, "the status 999 is not valid"),
        ("099 OK", 502, "the status 99 is not valid"),
        ("200 a\tb\x01", 200, "1 chunk, 2 bytes"),
        ("200 OK\r\nx-a: \xff", 200, "1 chunk, 2 bytes"),
    ],
)
def test_an_answer_that_cannot_be_passed_on_is_one_line(head: str, status: int, said: str, output: Path) -> None:
    log: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as upstream:
        port = upstream.getsockname()[1]
        with proxy(f"http://127.0.0.1:{port}", output, log=log.append) as url:
            connection = Connection(url)
            connection.send()
            accepted, _ = upstream.accept()
            accepted.recv(65536)
            accepted.sendall(f"HTTP/1.1 {head}\r\ncontent-length: 2\r\n\r\nok".encode("latin-1"))
            assert connection.receive_head()[0] == status
            accepted.close()
            connection.close()
    (line,) = log
    assert line.startswith(f"POST /v1/messages {status}: ")
    assert said in line


def test_failures_of_the_upstream_are_passed_on_and_recorded(output: Path) -> None:
    replies = [error_reply(529, "overloaded_error", headers={"retry-after": "0"}), stream_reply(HELLO_BYTES)]
    with (
        serving(*replies) as upstream,
        proxy(upstream.url, output) as url,
        streamcore.httpx.Anthropic(api_key="k", base_url=url, max_retries=1) as client,
    ):
        assert client.messages.stream(**ASK).__enter__().get_final_text() == "Hello"
    recorded = captures_in(output)
    assert [capture.status for capture in recorded] == [529, 200]
    assert json.loads(recorded[0].data)["error"]["type"] == "overloaded_error"
    assert recorded[0].header("retry-after") == "0"


def test_answers_of_every_kind_pass(output: Path) -> None:
    with serving() as upstream, proxy(upstream.url, output) as url, httpx2.Client(base_url=url) as client:
        upstream.reply(
            json_reply({"id": 1}),
            json_reply({}, 404),
            json_reply({}, 302, headers={"location": "/elsewhere"}),
            stream_reply(b"to the end", framing="close"),
            stream_reply(),
        )
        assert client.get("/v1/models?limit=2").json() == {"id": 1}
        assert client.delete("/v1/files/%2F%20x").status_code == 404
        assert client.get("/r").headers["location"] == "/elsewhere"
        assert client.post("/", content=b"\xff").content == b"to the end"
        assert client.post("/").content == b""
        assert [request.target for request in upstream.requests][:2] == ["/v1/models?limit=2", "/v1/files/%2F%20x"]
        assert [request.method for request in upstream.requests] == ["GET", "DELETE", "GET", "POST", "POST"]
        assert upstream.requests[3].body == b"\xff"
    assert [capture.status for capture in captures_in(output)] == [200, 404, 302, 200, 200]


def test_an_answer_that_is_packed_all_the_same_is_unpacked_for_both(output: Path) -> None:
    steps = by_frame(HELLO_BYTES)[:-1]
    with serving(stream_reply(*steps, gzip=True)) as upstream, proxy(upstream.url, output) as url:
        answer = ask(url)
    assert answer.body == HELLO_BYTES
    assert "content-encoding" not in answer.headers
    (capture,) = captures_in(output)
    assert capture.data == HELLO_BYTES
    assert capture.header("content-encoding") is None


def test_a_packed_answer_that_was_cut_off_is_broken(output: Path) -> None:
    log: list[str] = []
    reply = Reply(steps=[gzip.compress(HELLO_BYTES)[:-4]], headers={"content-encoding": "gzip"}, framing="length")
    with serving(reply) as upstream, proxy(upstream.url, output, log=log.append) as url:
        answer = ask(url)
    assert answer.body == HELLO_BYTES
    assert not answer.complete
    (capture,) = captures_in(output)
    assert capture.data == HELLO_BYTES
    assert end_of(capture).reason == "broken"
    assert log[0].endswith("broken off: the packed content was cut off")


@pytest.mark.parametrize("encoding", ["identity,", " , Identity", "gzip, identity", "gzip, gzip", ""])
def test_codings_are_undone_however_they_are_listed(encoding: str, output: Path) -> None:
    packed = HELLO_BYTES
    for _ in range(encoding.count("gzip")):
        packed = gzip.compress(packed)
    reply = Reply(steps=[packed], headers={"content-encoding": encoding}, framing="length")
    with serving(reply) as upstream, proxy(upstream.url, output) as url:
        assert ask(url).body == HELLO_BYTES
    (capture,) = captures_in(output)
    assert capture.data == HELLO_BYTES
    assert capture.header("content-encoding") is None


def test_an_answer_in_an_unknown_coding_is_passed_on_and_not_recorded(output: Path) -> None:
    log: list[str] = []
    reply = Reply(steps=[b"abc"], headers={"content-encoding": "lzma"}, framing="length")
    with (
        pytest.raises(CaptureError, match="its body is packed"),
        serving(reply) as upstream,
        proxy(upstream.url, output, log=log.append) as url,
    ):
        answer = ask(url)
    assert answer.body == b"abc"
    assert answer.headers["content-encoding"] == "lzma"
    assert "not recorded: " in log[0]


def test_a_packed_answer_is_broken_off_where_it_unpacks_to_too_much(
    output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamcore.replay.server.proxy.MAX_SIZE", 100_000)
    log: list[str] = []
    bomb = stream_reply(b"data: 1\n\n" * 1_000_000, gzip=True)
    with serving(bomb) as upstream, proxy(upstream.url, output, log=log.append) as url:
        answer = ask(url)
    assert not answer.complete
    assert len(answer.body) <= 100_000
    (capture,) = captures_in(output)
    assert len(capture.data) <= 100_000
    said = "the content is larger than 100000 bytes when it is unpacked"
    assert end_of(capture).reason == "broken"
    assert said in end_of(capture).message
    assert log[0].endswith(f"broken off: {said}")


def test_an_answer_that_is_not_packed_has_no_limit(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamcore.replay.server.proxy.MAX_SIZE", 1000)
    reply = stream_reply(b"data: 1\n\n" * 1000)
    with serving(reply) as upstream, proxy(upstream.url, output) as url:
        assert len(ask(url).body) == 9000


def test_headers_of_one_connection_stay_on_it(output: Path) -> None:
    reply = json_reply({}, headers={"connection": "x-hop", "x-hop": "1", "keep-alive": "timeout=5", "x-kept": "1"})
    with serving(reply) as upstream, proxy(upstream.url, output) as url:
        answer = httpx2.get(
            url, headers={"connection": "keep-alive, x-mine", "x-mine": "1", "te": "trailers", "x": "y"}
        )
        (request,) = upstream.requests
    assert not {"x-hop", "keep-alive"} & set(answer.headers)
    assert answer.headers["x-kept"] == "1"
    assert not {"x-mine", "te"} & set(request.headers)
    assert request.headers["x"] == "y"


# Connections that break


@pytest.mark.parametrize("cut", [Cut(), Cut(reset=True)])
@pytest.mark.parametrize("pause", [Pause(0.05), b""])
def test_what_came_before_the_upstream_broke_off_is_passed_on_and_kept(cut: Cut, pause: Any, output: Path) -> None:
    lines: list[str] = []
    with (
        serving(stream_reply(b"one", b"two", pause, cut)) as upstream,
        proxy(upstream.url, output, log=lines.append) as url,
    ):
        answer = ask(url, "/v1/messages?api_key=s3cr3t-s3cr3t")
    assert "s3cr3t" not in lines[0]
    assert answer.body == b"onetwo"
    assert not answer.complete
    (capture,) = captures_in(output)
    assert capture.data == b"onetwo"
    assert end_of(capture).reason == "broken"
    assert "2 chunks, 6 bytes" in lines[0]
    assert "the upstream broke off" in lines[0]


def test_what_is_still_unread_when_the_upstream_breaks_off_is_not_lost() -> None:
    """Bytes and the failure have come at once, faster than they are passed on: aiohttp would raise, and drop them."""

    async def test() -> list[tuple[bytes, bool]]:
        loop = asyncio.get_running_loop()
        content = aiohttp.StreamReader(BaseProtocol(loop), 65536, loop=loop)
        content.begin_http_chunk_receiving()
        content.feed_data(b"one")
        content.end_http_chunk_receiving()
        content.begin_http_chunk_receiving()
        content.feed_data(b"tw")
        content.set_exception(aiohttp.ClientPayloadError("gone"))
        pieces = aiter(pieces_of(content))
        came = [await anext(pieces), await anext(pieces)]
        with pytest.raises(BrokenAnswerError, match="gone"):
            await anext(pieces)
        return came

    assert asyncio.run(test()) == [(b"one", True), (b"tw", False)]


def test_a_body_shorter_than_its_length_is_broken(output: Path) -> None:
    with (
        serving(stream_reply(b"0123456789", framing="length", missing=3)) as upstream,
        proxy(upstream.url, output) as url,
    ):
        answer = ask(url)
    assert (answer.body, answer.complete) == (b"0123456789", False)
    (capture,) = captures_in(output)
    assert (capture.data, end_of(capture).reason) == (b"0123456789", "broken")


def test_what_came_before_the_client_left_is_kept(output: Path) -> None:
    left = threading.Event()
    with (
        serving(stream_reply(b"one", Stall())) as upstream,
        proxy(upstream.url, output, log=lambda line: left.set()) as url,
    ):
        connection = Connection(url)
        connection.send()
        connection.receive_head()
        connection.receive_chunk()
        connection.close()
        assert left.wait(30)
        upstream.wait_until_idle()
        (capture,) = captures_in(output)
    assert (chunks_of(capture), end_of(capture).reason) == ([b"one"], "closed")


def test_a_client_that_leaves_while_its_request_is_redacted_is_one_line(output: Path) -> None:
    begun, logged, go_on = threading.Event(), threading.Event(), threading.Event()
    log: list[str] = []

    def hook(head: Capture) -> Capture:
        begun.set()
        assert go_on.wait(30)
        return head

    def note(line: str) -> None:
        log.append(line)
        logged.set()

    with (
        serving(stream_reply(HELLO_BYTES)) as upstream,
        proxy(upstream.url, output, redaction=Redaction(hook=hook), log=note) as url,
    ):
        connection = Connection(url)
        connection.send(body={"stream": True, "messages": "x" * 100_000})
        assert begun.wait(30)
        connection.close()
        logged.wait(5)
        go_on.set()
    assert log == ["POST /v1/messages -: the client has left"]


def test_what_came_before_the_proxy_ended_is_kept(output: Path) -> None:
    lines: list[str] = []
    with serving(stream_reply(b"one", Stall())) as upstream:
        with proxy(upstream.url, output, log=lines.append) as url:
            connection = Connection(url)
            connection.send()
            connection.receive_head()
            connection.receive_chunk()
        connection.close()
    (capture,) = captures_in(output)
    assert (chunks_of(capture), end_of(capture).reason) == ([b"one"], "closed")
    assert lines[0].endswith("the server has ended")


def test_an_upstream_that_does_not_answer_is_a_bad_gateway(output: Path) -> None:
    lines: list[str] = []
    with Server() as gone:
        pass
    with proxy(gone.url, output, log=lines.append) as url:
        answer = ask(url)
    assert answer.status == 502
    assert answer.json()["error"]["message"].startswith(f"no answer from {gone.url}: ClientConnectorError")
    assert not output.exists()
    with proxy(gone.url.replace("//", "//me:secret@"), output, log=lines.append) as url:
        answer = ask(url)
    assert answer.json()["error"]["message"].startswith(f"no answer from {gone.url.replace('//', '//***@')}: ")
    assert "secret" not in "".join(lines)
    with serving(stream_reply(head=[Cut()]), stream_reply(HELLO_BYTES)) as upstream, proxy(upstream.url, output) as url:
        assert ask(url).status == 502
        assert ask(url).body == HELLO_BYTES
    assert len(captures_in(output)) == 1


# The file


def test_it_is_there_when_an_answer_is_over_and_grows_with_each(output: Path) -> None:
    with serving(always=stream_reply(HELLO_BYTES)) as upstream, proxy(upstream.url, output) as url:
        for count in (1, 2, 3):
            ask(url)
            assert len(captures_in(output)) == count
    assert len(captures_in(output)) == 3
    assert [path.name for path in output.parent.iterdir()] == ["out.jsonl"]


def test_what_is_written_in_all_grows_as_what_is_recorded_does(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []

    def counting(path: Path, *args: Any, **options: Any) -> None:
        write_captures(path, *args, **options)
        written.append(path.stat().st_size)

    monkeypatch.setattr("streamcore.replay.recording.recorder.write_captures", counting)
    monkeypatch.setattr("streamcore.replay.recording.recorder._LITTLE", 0)
    monkeypatch.setattr("streamcore.replay.server.proxy._PAUSE", 3600)
    with serving(always=stream_reply(HELLO_BYTES)) as upstream, proxy(upstream.url, output) as url:
        for _ in range(32):
            ask(url)
    assert len(captures_in(output)) == 32
    assert sum(written) < 4 * output.stat().st_size


async def pauses_of(exchanges: int, output: Path) -> list[float]:
    """How long a proxy waits after each of so many exchanges before it writes a large file again."""
    pauses: list[float] = []

    class Loop:
        def call_later(self, pause: float, callback: Callable[[], None]) -> Loop:
            pauses.append(pause)
            self.callback = callback
            return self

    recorder, loop, log = Recorder(output), Loop(), list[str]()
    handler: Any = _Proxy("http://a", None, recorder, log.append)  # type: ignore[arg-type]
    with pytest.MonkeyPatch.context() as patch, recorder:
        patch.setattr(asyncio, "get_running_loop", lambda: loop)
        for _ in range(exchanges):
            recorder.begin(capture_of()).complete()
            handler._save_soon()
            handler._save_soon()
            loop.callback()
    return pauses


def test_a_large_file_is_written_the_less_often_the_larger_it_is(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamcore.replay.server.proxy._BYTES_A_SECOND", 1)
    few, many = (asyncio.run(pauses_of(count, output.with_name(f"{count}.jsonl"))) for count in (10, 20))
    assert (len(few), len(many)) == (10, 20)
    assert many[-1] > 1.9 * few[-1]


def test_a_large_file_is_written_when_nothing_comes_any_more(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    is_there = threading.Event()

    def telling(path: Path, captures: list[Capture], **options: Any) -> None:
        write_captures(path, captures, **options)
        if len(captures) == 3:
            is_there.set()

    monkeypatch.setattr("streamcore.replay.recording.recorder.write_captures", telling)
    monkeypatch.setattr("streamcore.replay.recording.recorder._LITTLE", 0)
    monkeypatch.setattr("streamcore.replay.server.proxy._PAUSE", 0.01)
    with serving(always=stream_reply(HELLO_BYTES)) as upstream, proxy(upstream.url, output) as url:
        for _ in range(3):
            ask(url)
        assert is_there.wait(30)


def test_exchanges_at_once_are_in_the_order_in_which_their_answers_began(output: Path) -> None:
    with serving(stream_reply(b"slow", Stall()), stream_reply(b"fast")) as upstream:
        with proxy(upstream.url, output) as url:
            connection = Connection(url)
            connection.send()
            connection.receive_head()
            assert ask(url).body == b"fast"
            assert not output.exists()
            assert connection.receive_chunk() == b"slow"
        connection.close()
    assert [capture.data for capture in captures_in(output)] == [b"slow", b"fast"]


def test_a_plain_file_has_the_streams_one_after_the_other(tmp_path: Path) -> None:
    with serving(always=stream_reply(HELLO_BYTES)) as upstream, proxy(upstream.url, tmp_path / "out.sse") as url:
        ask(url)
        ask(url)
    assert (tmp_path / "out.sse").read_bytes() == HELLO_BYTES * 2


def test_a_file_that_cannot_be_written_is_said_with_each_answer_and_at_the_end(tmp_path: Path) -> None:
    lines: list[str] = []
    folder = tmp_path / "folder"
    folder.mkdir()
    with serving(always=stream_reply(HELLO_BYTES)) as upstream:
        recording = proxy(upstream.url, folder / "out.jsonl", log=lines.append)
        url = recording.__enter__()
        folder.rmdir()
        assert ask(url).complete
        with pytest.raises(CaptureError, match=r"cannot be written: .*; the recording is kept in (.*)") as caught:
            recording.__exit__(None, None, None)
    kept = Path(str(caught.value).rpartition(" ")[2])
    assert [capture.data for capture in captures_in(kept)] == [HELLO_BYTES]
    kept.unlink()
    assert "not saved yet" in lines[0]
    assert "cannot be written" in lines[0]


def test_what_cannot_be_is_said_before_anything_begins(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match=r"the suffix '\.txt' must be one of"), proxy("http://x", tmp_path / "a.txt"):
        pass
    folder = pytest.raises(CaptureError, match=r"a\.sse: cannot be written: its folder is not there")
    with folder, proxy("http://x", tmp_path / "none" / "a.sse"):
        pass
    with pytest.raises(StreamCoreError, match="base_url must be an http or https URL"), proxy("x", tmp_path / "a.sse"):
        pass


# The clients, at once


def test_clients_at_once_do_not_disturb_each_other(output: Path) -> None:
    async def test(url: str) -> list[Any]:
        async with streamcore.aiohttp.AsyncAnthropic(api_key="k", base_url=url) as client:

            async def one() -> Any:
                async with client.messages.stream(**ASK) as stream:
                    return await stream.get_final_text()

            return await asyncio.gather(*(one() for _ in range(30)))

    with (
        serving(always=stream_reply(*by_frame(HELLO_BYTES)[:-1])) as upstream,
        proxy(upstream.url, output) as url,
    ):
        assert asyncio.run(test(url)) == ["Hello"] * 30
    assert [chunks_of(capture) for capture in captures_in(output)] == [by_frame(HELLO_BYTES)[:-1]] * 30


# The command


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_command_records_until_it_is_told_to_end(number: signal.Signals, output: Path) -> None:
    with serving(stream_reply(HELLO_BYTES), stream_reply(b"one", Stall())) as upstream:
        process = start_command("record", "--url", upstream.url, "--output", output)
        try:
            assert process.stdout is not None
            url = read_until(process.stdout.fileno(), b"\n").decode().strip()
            assert ask(url).body == HELLO_BYTES
            connection = Connection(url)
            connection.send()
            connection.receive_head()
            connection.receive_chunk()
            process.send_signal(number)
            out, err = process.communicate(timeout=30)
            connection.close()
        finally:
            process.kill()
            process.communicate()
    assert process.returncode == 0
    assert out == b""
    first, second = err.decode().splitlines()
    assert first.startswith("POST /v1/messages 200: 1 chunk, ")
    assert second.endswith("the server has ended")
    assert [capture.data for capture in captures_in(output)] == [HELLO_BYTES, b"one"]


def test_the_command_goes_on_under_nohup(output: Path) -> None:
    with serving(always=stream_reply(HELLO_BYTES)) as upstream:
        arguments = ("record", "--url", upstream.url, "--output", output)
        process = start_command(*arguments, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        try:
            assert process.stdout is not None
            url = read_until(process.stdout.fileno(), b"\n").decode().strip()
            process.send_signal(signal.SIGHUP)
            assert ask(url).body == HELLO_BYTES
        finally:
            process.kill()
            process.communicate()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--url", "x", "--output", "a.jsonl"], 1, "must be an http or https URL, not 'x'"),
        (["--url", "http://x", "--output", "a.txt"], 1, "a.txt: the suffix '.txt' must be one of"),
        (["--url", "http://x", "--output", "none/a.sse"], 1, "none/a.sse: cannot be written"),
        (["--url", "http://x"], 2, "Missing option '--output'"),
    ],
)
def test_the_command_says_what_is_wrong(arguments: list[str], code: int, said: str, tmp_path: Path) -> None:
    result = run("record", *arguments)
    assert result.exit_code == code
    assert said in result.stderr
