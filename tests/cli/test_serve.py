"""The local endpoint: the same bytes to every client, cut and timed as recorded, and an answer to everything else."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anthropic
import attrs
import capture_formats
import httpx
import httpx2
import pytest
from helpers import FIXTURES, HELLO, STOP, STREAMS, body, by_frame, start, text
from server import ASK
from test_cli import read_until, run, start_command
from wire import Connection, ask

import streamcore.aiohttp
import streamcore.httpx
from streamcore import MessageEngine, StreamCoreError
from streamcore.replay import (
    AS_RECORDED,
    Capture,
    CaptureError,
    Chunk,
    End,
    Pause,
    RandomChunks,
    open_capture,
    parse_fault,
    read_captures,
    write_captures,
)
from streamcore.replay.faults import kinds
from streamcore.replay.httpx import ReplayTransport as OlderReplayTransport
from streamcore.replay.httpx2 import ReplayTransport
from streamcore.replay.server import serve
from streamcore.testing import assert_same_stream

REPOSITORY = Path(__file__).parents[2]
WEATHER = REPOSITORY / "fixtures" / "weather.sse"
BROKEN = REPOSITORY / "fixtures" / "broken"
EVENT_STREAM = {"content-type": "text/event-stream; charset=utf-8"}
GOOD = [path for path in FIXTURES if path.parent != BROKEN]
HELLO_BYTES = body(*HELLO)


def capture_of(*steps: Any, **fields: Any) -> Capture:
    """A capture whose steps may be given as bytes, a second apart."""
    made = [Chunk(float(n), step) if isinstance(step, bytes) else step for n, step in enumerate(steps)]
    return Capture(**{"headers": EVENT_STREAM, "body": tuple(made), **fields})


# The same bytes to everything


def by_official_client(url: str) -> bytes:
    with (
        anthropic.Anthropic(api_key="k", base_url=url) as client,
        client.messages.with_streaming_response.create(**ASK, stream=True) as response,
    ):
        return b"".join(response.iter_bytes())


def by_our_client(url: str) -> bytes:
    with streamcore.httpx.Anthropic(api_key="k", base_url=url) as client:
        stream = client.messages.create(**ASK, stream=True)
        return b"".join(stream.response.iter_bytes())


def by_our_async_client(url: str) -> bytes:
    async def read() -> bytes:
        async with streamcore.httpx.AsyncAnthropic(api_key="k", base_url=url) as client:
            stream = await client.messages.create(**ASK, stream=True)
            return b"".join([data async for data in stream.response.aiter_bytes()])

    return asyncio.run(read())


def by_our_aiohttp_client(url: str) -> bytes:
    async def read() -> bytes:
        async with streamcore.aiohttp.AsyncAnthropic(api_key="k", base_url=url) as client:
            stream = await client.messages.create(**ASK, stream=True)
            data: bytes = await stream.response.read()
            return data

    return asyncio.run(read())


def by_curl(url: str) -> bytes:
    if shutil.which("curl") is None:
        return ask(url).body
    command = ["curl", "--silent", "--show-error", "--no-buffer", "--data", '{"stream": true}', f"{url}/v1/messages"]
    return subprocess.run(command, check=True, capture_output=True, timeout=30).stdout


CLIENTS: list[Callable[[str], bytes]] = [
    by_official_client,
    by_our_client,
    by_our_async_client,
    by_our_aiohttp_client,
    by_curl,
]


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("share", [pytest.param(1, marks=pytest.mark.slow), len(CLIENTS)])
def test_every_client_gets_the_bytes_of_every_stream(client: Callable[[str], bytes], share: int) -> None:
    """With a share of 5, each of the five clients takes another fifth of the streams."""
    streams = STREAMS[CLIENTS.index(client) % share :: share]
    captures = [capture for path in streams for capture in read_captures(path)]
    with serve(streams, chunking=RandomChunks(seed=7, largest=20_000)) as url:
        for capture in captures:
            assert client(url) == capture.data, capture.name


@pytest.mark.parametrize("path", sorted((REPOSITORY / "fixtures").glob("[ft-w]*.sse")), ids=lambda path: path.stem)
def test_clients_make_the_same_stream_of_it(path: Path) -> None:
    with serve(path, chunking="event") as url:
        with anthropic.Anthropic(api_key="k", base_url=url) as theirs, theirs.messages.stream(**ASK) as stream:
            message = stream.get_final_message()
        with streamcore.httpx.Anthropic(api_key="k", base_url=url) as ours, ours.messages.stream(**ASK) as stream:
            assert_same_stream(stream, path.read_bytes())
            assert stream.get_final_message().content[0].type == message.content[0].type
            assert stream.get_final_message().id == message.id


# Chunks, times, heads


def test_a_chunk_of_the_capture_is_a_chunk_on_the_wire() -> None:
    chunks = [*by_frame(HELLO_BYTES)[:-1], b"\xf0\x9f", b"\x8c\xa6", b"x" * 200_000]
    with serve(capture_of(*chunks)) as url:
        answer = ask(url)
    assert answer.chunks == chunks
    assert answer.complete


def test_chunking_cuts_in_another_way() -> None:
    with serve(capture_of(HELLO_BYTES), chunking="event") as url:
        assert ask(url).chunks == by_frame(HELLO_BYTES)[:-1]
    with serve(capture_of(HELLO_BYTES), chunking=1) as url:
        assert ask(url).chunks == [bytes([byte]) for byte in HELLO_BYTES]


def test_each_chunk_is_sent_when_its_time_has_come() -> None:
    """The second chunk is an hour late, so that only what does not wait for it can be seen."""
    with serve(capture_of(Chunk(0.0, b"first"), Chunk(3600.0, b"second")), speed=AS_RECORDED) as url:
        connection = Connection(url)
        connection.send()
        connection.receive_head()
        assert connection.receive_chunk() == b"first"
        connection.close()


def test_a_head_does_not_wait_for_the_body() -> None:
    with serve(capture_of(Pause(3600), HELLO_BYTES)) as url:
        connection = Connection(url)
        connection.send()
        assert connection.receive_head()[0] == 200
        connection.close()


def test_status_and_headers_are_those_of_the_capture_but_for_what_is_about_its_connection() -> None:
    headers = [
        ("content-type", "text/event-stream"),
        ("Request-Id", "req_9"),
        ("x-twice", "1"),
        ("x-twice", "2"),
        ("date", "Thu, 01 Jan 1970 00:00:00 GMT"),
        ("content-encoding", "gzip"),
        ("content-length", "5"),
        ("transfer-encoding", "chunked"),
        ("connection", "close"),
        (":status", "200"),
    ]
    with serve(capture_of(HELLO_BYTES, headers=headers, status=201)) as url:
        response = httpx2.post(f"{url}/v1/messages", json={"stream": True})
    assert response.status_code == 201
    assert response.content == HELLO_BYTES
    assert response.headers.get_list("x-twice") == ["1", "2"]
    assert response.headers["request-id"] == "req_9"
    assert response.headers["date"] == "Thu, 01 Jan 1970 00:00:00 GMT"
    assert not {"content-encoding", "content-length", "connection"} & set(response.headers)


def test_a_recorded_failure_is_played_as_it_was() -> None:
    failure = b'{"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}'
    capture = Capture(
        status=429, headers={"content-type": "application/json", "retry-after": "7"}, body=(Chunk(0.0, failure),)
    )
    with serve(capture) as url, streamcore.httpx.Anthropic(api_key="k", base_url=url, max_retries=0) as client:
        for stream in (True, False):
            with pytest.raises(streamcore.httpx.RateLimitError, match="slow down") as caught:
                client.messages.create(**ASK, stream=stream)
            assert caught.value.response.headers["retry-after"] == "7"


def test_a_connection_is_used_again() -> None:
    with serve(capture_of(HELLO_BYTES)) as url:
        connection = Connection(url)
        for _ in range(3):
            assert connection.ask().body == HELLO_BYTES
            assert connection.ask(body={}).json()["id"] == "msg_1"
            assert connection.ask("/nowhere").status == 404
        connection.close()


def test_http_1_0_gets_the_bytes_up_to_the_end_of_the_connection() -> None:
    with serve(capture_of(b"one", b"two")) as url:
        answer = ask(url, version="1.0")
        assert (answer.status, answer.body) == (200, b"onetwo")
        assert "transfer-encoding" not in answer.headers


# Ends


@pytest.mark.parametrize("reason", ["broken", "closed"])
def test_an_end_that_is_not_the_servers(reason: Any) -> None:
    """A connection that broke is closed within the body; of one that the reader left, all was sent."""
    with serve(capture_of(b"one", b"two", End(5.0, reason, "reset"))) as url:
        answer = ask(url)
    assert answer.chunks == [b"one", b"two"]
    assert answer.complete == (reason == "closed")


def test_a_cut_is_a_failed_connection_to_clients() -> None:
    begun = body(*HELLO[:3])
    with serve(capture_of(begun, End(1.0, "broken", "reset"))) as url:
        with (
            streamcore.httpx.Anthropic(api_key="k", base_url=url, max_retries=0) as client,
            client.messages.stream(**ASK) as stream,
            pytest.raises(streamcore.httpx.APIConnectionError) as caught,
        ):
            stream.until_done()
        assert caught.value.snapshot is not None
        assert caught.value.snapshot.to_dict()["content"] == [{"type": "text", "text": "Hel"}]
        with (
            anthropic.Anthropic(api_key="k", base_url=url, max_retries=0) as theirs,
            pytest.raises(httpx2.RemoteProtocolError),
            theirs.messages.stream(**ASK) as their_stream,
        ):
            their_stream.until_done()


def test_a_capture_that_turns_out_to_be_damaged_breaks_off(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_captures(path, [capture_of(b"one", b"two")])
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    lines: list[str] = []
    with serve(path, log=lines.append) as url:
        answer = ask(url)
        assert (answer.chunks, answer.complete) == ([b"one", b"two"], False)
        answer = ask(url, body={})
        assert answer.status == 500
        assert "a.jsonl, line 3: the capture has no end line" in answer.json()["error"]["message"]
    assert "cut, as the rest cannot be played" in lines[0]


def test_headers_that_cannot_be_sent_are_an_error() -> None:
    with serve(capture_of(HELLO_BYTES, headers=[("content-type", "text/event-stream"), ("x", "a\r\nb: c")])) as url:
        answer = ask(url)
        assert answer.status == 500
        assert "the header 'x' cannot be sent" in answer.json()["error"]["message"]


@pytest.mark.parametrize("status", [-1, 0, 99, 101, 600, 1000, 99999])
def test_a_status_that_is_not_valid_is_an_error(status: int) -> None:
    with serve(capture_of(HELLO_BYTES, status=status)) as url:
        answer = ask(url)
        assert answer.status == 500
        assert answer.json()["error"]["message"].endswith(f"the status {status} is not valid")


@pytest.mark.parametrize("status", [204, 205, 304])
def test_a_status_without_a_body_is_played(status: int) -> None:
    with serve([capture_of(HELLO_BYTES, status=status), capture_of(HELLO_BYTES)]) as url:
        assert httpx2.post(f"{url}/v1/messages", json={"stream": True}).status_code == status
        assert ask(url).body == HELLO_BYTES


@pytest.mark.parametrize(
    ("name", "value"),
    [("", "x"), (" ", "x"), ("a b", "x"), ("a:b", "x"), ("ä", "x"), ("x\ud800", "x"), ("x", "a\ud800"), ("x", "\x00")],
)
def test_a_header_that_is_not_valid_is_an_error(name: str, value: str) -> None:
    with serve(capture_of(HELLO_BYTES, headers=[("content-type", "text/event-stream"), (name, value)])) as url:
        answer = ask(url)
        assert answer.status == 500
        assert answer.json()["error"]["message"].endswith("cannot be sent")
        answer = ask(url, body={})  # of the complete message, these headers are not sent
        assert answer.status == 200


def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder, outside = tmp_path / "captures", tmp_path / "private.sse"
    (folder / "below").mkdir(parents=True)
    (folder / "a.sse").write_bytes(HELLO_BYTES)
    outside.write_bytes(body(start("msg_private")))
    (folder / "below" / "inside.sse").symlink_to(folder / "a.sse")
    with serve(folder) as url:
        assert ask(f"{url}/inside").body == HELLO_BYTES
    with serve(folder) as url:
        # Put there, or turned into a link, while it is served.
        (folder / "a.sse").unlink()
        (folder / "a.sse").symlink_to(outside)
        for path in ("/a", "/inside", ""):
            answer = ask(url + path)
            assert answer.status == 500
            assert "is a link that leads out of the folder" in answer.json()["error"]["message"]
    refused = pytest.raises(CaptureError, match=r"a\.sse: it is a link that leads out of the folder")
    with refused, serve(folder):
        pass
    assert run("serve", folder).stderr.count("\n") == 1
    with serve(folder / "a.sse") as url:  # named by the user: meant
        assert b"msg_private" in ask(url).body


def test_a_file_that_has_been_played_and_becomes_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder, outside = tmp_path / "captures", tmp_path / "private.sse"
    folder.mkdir()
    (folder / "a.sse").write_bytes(HELLO_BYTES)
    outside.write_bytes(body(start("msg_private")))
    with serve(folder) as url:
        for path in ("/a", "") * 2:
            assert ask(url + path).body == HELLO_BYTES
            (folder / "a.sse").unlink()
            (folder / "a.sse").symlink_to(outside)
            for _ in range(3):
                assert "leads out of the folder" in ask(url + path).json()["error"]["message"]
            (folder / "a.sse").unlink()
            (folder / "a.sse").write_bytes(HELLO_BYTES)


def test_a_file_that_changes_into_something_else_while_a_folder_is_played_is_refused(tmp_path: Path) -> None:
    folder, outside = tmp_path / "captures", tmp_path / "private.sse"
    folder.mkdir()
    outside.write_bytes(body(start("msg_private")))
    for name in ("a.sse", "b.sse"):
        (folder / name).write_bytes(HELLO_BYTES)
    process = start_command("serve", folder)
    assert process.stdout is not None
    try:
        url = read_until(process.stdout.fileno(), b"\n").decode().strip()
        assert ask(url).body == HELLO_BYTES
        (folder / "b.sse").unlink()
        (folder / "b.sse").symlink_to(outside)
        assert "leads out of the folder" in ask(url).json()["error"]["message"]
        (folder / "b.sse").unlink()
        os.mkfifo(folder / "b.sse")  # opening it would block the server for ever
        assert "it is not a regular file" in ask(f"{url}/b").json()["error"]["message"]
        assert ask(url).body == HELLO_BYTES
    finally:
        process.kill()
        process.communicate()


def test_a_file_that_could_not_be_read_is_read_when_it_can(tmp_path: Path) -> None:
    captures = [capture_of(b"1"), capture_of(b"2")]
    write_captures(tmp_path / "a.jsonl", captures)
    write_captures(tmp_path / "b.jsonl", [capture_of(b"3")])
    with serve(tmp_path) as url:
        assert [ask(url).body, ask(f"{url}/a").body, ask(f"{url}/b").body] == [b"1", b"1", b"3"]
        (tmp_path / "b.jsonl").rename(tmp_path / "away")
        assert ask(url).body == b"2"
        for _ in range(2):
            assert "cannot be read: No such file" in ask(f"{url}/b").json()["error"]["message"]
        assert ask(url).status == 500
        assert ask(url).body == b"1"  # the folder has been listed anew
        (tmp_path / "b.jsonl").write_bytes(b"damaged")
        assert [ask(url).status for _ in range(6)] == [200, 200, 200, 500, 200, 200]
        (tmp_path / "away").rename(tmp_path / "b.jsonl")
        assert ask(url).body == b"3"
        assert ask(f"{url}/b").body == b"3"


def test_what_is_damaged_costs_one_request_of_each_round(tmp_path: Path) -> None:
    for name, old, new in (("a.har", b'"status":202', b'"status":"?"'), ("b.jsonl", b'"status":202', b'"status":"?"')):
        path = tmp_path / name
        write_captures(path, [capture_of(b"1"), attrs.evolve(capture_of(b"2"), status=202), capture_of(b"3")])
        assert old in path.read_bytes()
        path.write_bytes(path.read_bytes().replace(old, new))
    (tmp_path / "c.har").write_bytes((tmp_path / "a.har").read_bytes()[:-5])  # cut off
    with serve(tmp_path) as url:
        for _ in range(2):
            answers = [ask(url) for _ in range(10)]
            bodies = [answer.body if answer.status == 200 else None for answer in answers]
            assert bodies == [b"1", None, b"3", b"1", None, b"3", b"1", None, b"3", None]


@pytest.mark.parametrize("suffix", capture_formats.ALL)
def test_a_file_that_has_become_shorter_is_played_as_it_is_now(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    messages = [body(start("msg_1"), STOP), body(start("msg_2"), *[text(0, "long")] * 20, STOP), body(start("msg_3"))]
    write_captures(path, [capture_of(message) for message in messages])
    with serve(path) as url:
        assert [ask(url).body for _ in range(2)] == messages[:2]
        write_captures(path, [capture_of(messages[0])])
        answers = [ask(url).body for _ in range(4)]
    assert answers[-3:] == [messages[0]] * 3
    assert b"" not in answers


READ_EACH_TIME = [".jsonl", ".sse"]  # the formats whose bodies are not in memory, but read when they are played


def versions(count: int, more: bytes = b"") -> dict[str, list[bytes]]:
    made = {name: [body(start(f"msg_{name}{number}"), STOP) for number in range(count)] for name in ("old", "new")}
    made["new"] = [message + more for message in made["new"]]
    return made


@pytest.mark.parametrize("more", [b"", b": 7 more\n\n", b": many more" * 50 + b"\n\n"])
@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize("suffix", READ_EACH_TIME)
def test_no_answer_is_of_an_old_file_once_it_has_been_replaced(
    suffix: str, in_place: bool, more: bytes, tmp_path: Path
) -> None:
    path, other = tmp_path / f"a{suffix}", tmp_path / f"other{suffix}"
    messages = versions(3, more)
    write_captures(path, map(capture_of, messages["old"]))
    write_captures(other, map(capture_of, messages["new"]))
    with serve(path) as url:
        assert ask(url).body == messages["old"][0]
        if in_place:
            path.write_bytes(other.read_bytes())
        else:
            other.rename(path)
        assert [ask(url).body for _ in range(4)] == [*messages["new"], messages["new"][0]]


def test_a_body_is_not_read_from_another_file_than_its_head(tmp_path: Path) -> None:
    for suffix in READ_EACH_TIME:
        path = tmp_path / f"a{suffix}"
        messages = versions(2)
        write_captures(path, map(capture_of, messages["old"]))
        captures = list(read_captures(path))
        write_captures(path, map(capture_of, messages["new"]))
        for capture in captures:
            with pytest.raises(CaptureError, match="changed or replaced while it was in use"):
                capture.data  # noqa: B018
        assert [capture.data for capture in read_captures(path)] == messages["new"]


@pytest.mark.parametrize("suffix", READ_EACH_TIME)
def test_a_file_that_is_written_over_while_it_is_read_is_an_error(suffix: str, tmp_path: Path) -> None:
    path, other = tmp_path / f"a{suffix}", tmp_path / f"other{suffix}"
    for file, tag in ((path, "old"), (other, "new")):
        chunks = [Chunk(0.0, f"data: {tag}{number} {'x' * 100_000}\n\n".encode()) for number in range(5)]
        write_captures(file, [Capture(headers={"content-type": "text/event-stream"}, body=chunks)])
    steps = iter(open_capture(path).body)
    assert b"old" in next(step.data for step in steps if isinstance(step, Chunk))
    path.write_bytes(other.read_bytes())
    with pytest.raises(CaptureError, match="changed or replaced while it was in use"):
        list(steps)


def test_a_function_that_chooses_gets_the_captures_of_the_new_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    messages = versions(2, b": more\n\n")
    write_captures(path, map(capture_of, messages["old"]))
    with serve(path, choose=lambda _, captures: captures[1]) as url:
        assert ask(url).body == messages["old"][1]
        write_captures(path, map(capture_of, messages["new"]))
        assert b"msg_old" not in ask(url).body  # it is cut
        assert ask(url).body == messages["new"][1]


# No stream asked for


@pytest.mark.parametrize(
    "path", [path for path in FIXTURES if path.parent.name != "broken"], ids=lambda path: path.stem
)
def test_who_asks_for_no_stream_gets_the_message(path: Path) -> None:
    engine = MessageEngine(multiple_messages=True)
    engine.receive_data(path.read_bytes())
    list(engine.events())
    with serve(path, chunking=10) as url:
        for asked in ({}, {"stream": False}):
            answer = ask(url, body=asked)
            assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
            if path.stem != "several":
                assert answer.json() == engine.final_message.to_dict()


def test_the_clients_read_that_message() -> None:
    with serve(WEATHER) as url:
        theirs = anthropic.Anthropic(api_key="k", base_url=url).messages.create(**ASK)
        ours = streamcore.httpx.Anthropic(api_key="k", base_url=url).messages.create(**ASK)
    assert theirs.id == ours.id == "msg_weather"
    assert theirs.content[2].to_dict() == ours.content[2].to_dict()


@pytest.mark.parametrize(
    ("name", "status", "kind", "said"),
    [
        ("truncated", 500, "api_error", "the stream ended before the message did"),
        ("cut-inside-event", 500, "api_error", "bytes of an unfinished event were left over"),
        ("unstarted-block", 500, "api_error", "content_block_delta came for a block that was never started"),
        ("wrong-input", 500, "api_error", "JSON"),
        ("error", 529, "overloaded_error", "Overloaded"),
    ],
)
def test_a_stream_that_comes_to_no_message_is_an_error_of_the_api(name: str, status: int, kind: str, said: str) -> None:
    with serve(BROKEN / f"{name}.sse") as url:
        answer = ask(url, body={})
    assert answer.status == status
    assert answer.json()["type"] == "error"
    assert answer.json()["error"]["type"] == kind
    assert said in answer.json()["error"]["message"]


SURROGATE = "a\ud800b"
ODD_BYTES = body(*HELLO).replace(b"Hel", rb"a\ud800b").replace(b'"lo"', b'""')
ODD_ERROR = body(start(), {"type": "error", "error": {"type": "overloaded_error", "message": "?"}}).replace(
    b"?", rb"a\ud800b"
)


def test_a_lone_surrogate_comes_to_a_message_or_an_error_too() -> None:
    for source, status, path in (
        (capture_of(ODD_BYTES), 200, ["content", 0, "text"]),
        (capture_of(ODD_ERROR), 529, ["error", "message"]),
    ):
        with serve(source) as url:
            answer = ask(url, body={})
        assert answer.status == status
        said = answer.json()
        for step in path:
            said = said[step]
        assert said == SURROGATE


def test_a_transport_makes_a_message_of_a_lone_surrogate() -> None:
    clients: list[Any] = [
        httpx2.Client(transport=ReplayTransport(capture_of(ODD_BYTES))),
        httpx.Client(transport=OlderReplayTransport(capture_of(ODD_BYTES))),
    ]
    for client in clients:
        with client:
            answer = client.post("https://x/v1/messages", json={"messages": []})
        assert answer.status_code == 200
        assert answer.json()["content"][0]["text"] == SURROGATE


def test_a_connection_that_broke_is_no_answer_to_who_asks_for_no_stream() -> None:
    with serve(capture_of(body(*HELLO[:3]), End(1.0, "broken"))) as url:
        connection = Connection(url)
        connection.send(body={})
        assert connection.socket.recv(1) == b""
        connection.close()


def test_a_long_path_is_not_logged_in_full() -> None:
    lines: list[str] = []
    with serve(capture_of(HELLO_BYTES), log=lines.append) as url:
        assert httpx.post(f"{url}/{'a' * 60_000}").status_code == 404
    (line,) = lines
    assert line.startswith("POST /aaa")
    assert len(line) < 1000
    assert "(60006 characters in all)" in line


def test_secrets_of_a_query_are_not_logged() -> None:
    lines: list[str] = []
    with serve(capture_of(HELLO_BYTES), log=lines.append) as url:
        ask(url, "/v1/messages?api_key=s3cr3t-s3cr3t&beta=true")
    assert "s3cr3t" not in lines[0]
    assert "beta=true" in lines[0]


# Which capture


def test_captures_are_played_in_turn_and_then_again() -> None:
    with serve([capture_of(b"1"), capture_of(b"2")]) as url:
        assert [ask(url).body for _ in range(5)] == [b"1", b"2", b"1", b"2", b"1"]


def test_without_repeat_there_is_an_end_that_lists_what_was_played() -> None:
    with serve([capture_of(b"1", name="one")], repeat=False) as url:
        ask(url)
        answer = ask(url)
    assert answer.status == 404
    assert "1. one" in answer.json()["error"]["message"]


def test_a_folder_is_played_in_the_order_of_names_and_each_file_by_its_name(tmp_path: Path) -> None:
    for name, number in (("b.sse", 2), ("a.jsonl", 1), ("c d.sse", 3), ("a.sse", 4)):
        write_captures(tmp_path / name, [capture_of(body(start(f"msg_{number}")))])
    (tmp_path / "notes.txt").write_text("no capture")
    with serve(tmp_path) as url:

        def played(name: str = "") -> bytes:
            return ask(url + name).body.partition(b"msg_")[2][:1]

        assert [played() for _ in range(5)] == [b"1", b"4", b"2", b"3", b"1"]
        assert [played("/b"), played("/b"), played("/c%20d"), played("/a.sse")] == [b"2", b"2", b"3", b"4"]
        assert ask(f"{url}/a").status == 404
        with streamcore.httpx.Anthropic(api_key="k", base_url=f"{url}/b") as client:
            stream = client.messages.create(**ASK, stream=True)
            assert b"msg_2" in stream.response.read()


def test_the_request_may_choose() -> None:
    captures = [capture_of(b"1", name="one"), capture_of(b"2", name="two")]

    def choose(request: Any, there: Any) -> Capture | None:
        return next((capture for capture in there if capture.name.encode() in request.body), None)

    with serve(captures, choose=choose) as url:
        assert ask(url, body={"stream": True, "model": "two"}).body == b"2"
        answer = ask(url, body={"stream": True, "model": "three"})
    assert answer.status == 404
    assert "one" in answer.json()["error"]["message"]


def test_several_requests_are_answered_at_once() -> None:
    """Each of eight answers waits until all eight have begun."""
    count = 8
    with serve(capture_of(b"1", Chunk(3600.0, b"2")), speed=AS_RECORDED) as url:
        connections = [Connection(url) for _ in range(count)]
        for connection in connections:
            connection.send()
        for connection in connections:
            connection.receive_head()
            assert connection.receive_chunk() == b"1"
        for connection in connections:
            connection.close()


# Requests that are refused


@pytest.mark.parametrize(
    "path", ["/", "/v1/messages/", "/v1/messages/count_tokens", "/v1/complete", "/x/v1/messages", "//"]
)
def test_other_paths_are_not_found_and_told_what_is_there(path: str) -> None:
    with serve(WEATHER) as url:
        answer = ask(url, path)
    assert answer.status == 404
    assert answer.json()["error"]["type"] == "not_found_error"
    assert answer.json()["error"]["message"].endswith("POST to one of: /v1/messages, /weather/v1/messages")


def test_a_query_does_not_matter() -> None:
    with serve(WEATHER) as url:
        assert ask(url, "/v1/messages?beta=true").status == 200
        with streamcore.httpx.Anthropic(api_key="k", base_url=url) as client:
            assert client.beta.messages.create(**ASK, betas=["x"]).id == "msg_weather"


@pytest.mark.parametrize(
    ("method", "data", "status"),
    [
        ("GET", b"", 405),
        ("DELETE", b"", 405),
        ("POST", b"", 400),
        ("POST", b"[]", 400),
        ("POST", b'{"stream":1}', 400),
        ("POST", b"\xff", 400),
        ("POST", b"[" * 100_000, 400),
    ],
)
def test_requests_that_ask_for_no_message_are_refused_and_use_up_no_capture(
    method: str, data: bytes, status: int
) -> None:
    with serve([capture_of(b"1"), capture_of(b"2")]) as url:
        answer = ask(url, body=data, method=method)
        assert answer.status == status
        assert answer.json()["error"]["type"] == "invalid_request_error"
        assert ask(url).body == b"1"


def test_a_client_does_not_try_again_what_the_endpoint_refuses() -> None:
    lines: list[str] = []
    with (
        serve(BROKEN / "truncated.sse", log=lines.append) as url,
        anthropic.Anthropic(api_key="k", base_url=url) as client,
        pytest.raises(anthropic.InternalServerError),
    ):
        client.messages.create(**ASK)
    assert len(lines) == 1


# The log


def test_a_line_says_what_became_of_each_request() -> None:
    lines: list[str] = []
    gone = threading.Event()

    def log(line: str) -> None:
        lines.append(line)
        if "left" in line:
            gone.set()

    with serve([capture_of(b"one", b"two", name="x.jsonl"), capture_of(b"1", Pause(3600))], log=log) as url:
        ask(url, "/v1/messages?beta=true")
        connection = Connection(url)
        connection.send()
        connection.receive_head()
        connection.receive_chunk()
        connection.close()
        assert gone.wait(30)
        ask(url, "/x")
    assert lines[0].startswith("POST /v1/messages?beta=true 200: x.jsonl, 2 chunks, 6 bytes, 0.")
    assert lines[1].endswith("the client has left")
    assert re.fullmatch(r"POST /x 404: 0\.\d\d s, this path does not exist", lines[2])


def test_a_line_for_what_is_not_found_is_short_however_much_there_is(tmp_path: Path) -> None:
    for number in range(50):
        (tmp_path / f"{number:02}.sse").write_bytes(HELLO_BYTES)
    lines: list[str] = []
    with serve(tmp_path, log=lines.append) as url:
        said = ask(url, "/x").json()["error"]["message"]
    assert len(lines) == 1
    assert len(lines[0]) < 60
    assert said.startswith("/x is not served; POST to one of: /v1/messages, /00/v1/messages, ")
    assert said.endswith(", /18/v1/messages and 31 more")
    with serve([capture_of(b"1", name="one")], repeat=False, log=lines.append) as url:
        ask(url)
        assert "there were: 1. one" in ask(url).json()["error"]["message"]
    assert re.fullmatch(r"POST /v1/messages 404: 0\.\d\d s, no capture answers it", lines[-1])


def test_a_file_whose_name_is_no_text_is_played(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xff.sse")).write_bytes(HELLO_BYTES)
    (tmp_path / os.fsdecode(b"\xfe.sse")).write_bytes(body(*HELLO[:3]))
    with serve(tmp_path) as url:
        assert "/%FE/v1/messages, /%FF/v1/messages" in ask(url, "/x").json()["error"]["message"]
        assert "does not add up to a message" in ask(url, body={}).json()["error"]["message"]
        assert ask(url).body == HELLO_BYTES


# Beginning and ending


def test_streams_that_are_open_do_not_keep_a_server_from_ending() -> None:
    lines: list[str] = []
    with serve(capture_of(b"1", Pause(3600)), log=lines.append) as url:
        connection = Connection(url)
        connection.send()
        connection.receive_head()
        connection.receive_chunk()
    assert connection.socket.recv(1) == b""  # no end of the body
    connection.close()
    assert lines[0].endswith("the server has ended")


def test_a_server_that_cannot_begin_says_why(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match=r"none\.sse: cannot be read: No such file"), serve(tmp_path / "none.sse"):
        pass
    with pytest.raises(CaptureError, match="this directory has no captures"), serve(tmp_path):
        pass
    with serve(WEATHER) as url:
        port = int(url.rpartition(":")[2])
        taken = pytest.raises(StreamCoreError, match=rf"cannot listen on 127\.0\.0\.1:{port}: ")
        with taken, serve(WEATHER, port=port):
            pass
    unknown = pytest.raises(StreamCoreError, match=r"cannot listen on nowhere\.invalid:0")
    with unknown, serve(WEATHER, host="nowhere.invalid"):
        pass
    with pytest.raises(StreamCoreError, match="speed must be"), serve(WEATHER, speed=-1):
        pass
    with serve(WEATHER, port=port) as url:  # the port is free again
        assert ask(url).status == 200


def test_it_listens_on_the_loopback_interface_only() -> None:
    with serve(WEATHER) as url:
        assert url.startswith("http://127.0.0.1:")
    with serve(WEATHER, host="::1") as url:
        assert url.startswith("http://[::1]:")


# The command


@contextlib.contextmanager
def serving_command(*arguments: str | Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    process = start_command("serve", *arguments)
    assert process.stdout is not None
    try:
        url = read_until(process.stdout.fileno(), b"\n").decode().strip()
        yield process, url
    finally:
        process.kill()
        process.communicate()


def test_the_command_prints_its_url_and_a_line_for_each_request_and_ends_when_told() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        with serving_command(WEATHER, "--chunking", "event") as (process, url):
            assert ask(url).chunks == by_frame(WEATHER.read_bytes())[:-1]
            assert ask(url, "/x").status == 404
            process.send_signal(number)
            out, err = process.communicate(timeout=30)
        assert process.returncode == 0
        assert out == b""
        lines = err.decode().splitlines()
        assert lines[0].startswith(f"POST /v1/messages 200: {WEATHER}, 59 chunks, 7904 bytes, ")
        assert lines[1].startswith("POST /x 404: ")
        assert len(lines) == 2


def test_the_command_ends_also_while_a_stream_is_open(tmp_path: Path) -> None:
    write_captures(tmp_path / "a.jsonl", [capture_of(Chunk(0.0, b"1"), Chunk(3600.0, b"2"))])
    with serving_command(tmp_path / "a.jsonl") as (process, url):
        connection = Connection(url)
        connection.send()
        connection.receive_head()
        assert connection.receive_chunk() == b"1"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        connection.close()
    assert process.returncode == 0
    assert err.endswith(b"the server has ended\n")


def test_the_command_plays_at_once_if_asked_to(tmp_path: Path) -> None:
    write_captures(tmp_path / "a.jsonl", [capture_of(Chunk(0.0, b"1"), Chunk(3600.0, b"2"))])
    with serving_command(tmp_path, "--speed", "0") as (_, url):
        assert ask(url).chunks == [b"1", b"2"]


WHOLE: tuple[str, ...] = ()
FAULTS: dict[str, type[Exception] | tuple[str, ...]] = {
    "cut:event=5": streamcore.httpx.IncompleteStreamError,
    "cut:event=5,broken=yes": streamcore.httpx.APIConnectionError,
    "cut:byte=0": streamcore.httpx.IncompleteStreamError,
    "stall:seconds=3600,event=3": streamcore.httpx.APITimeoutError,
    "error:event=4,type=overloaded_error": streamcore.httpx.OverloadedError,
    "status:code=429": streamcore.httpx.RateLimitError,
    "status:code=529": streamcore.httpx.OverloadedError,
    "corrupt:event=3": streamcore.httpx.DecodeError,
    "duplicate:event=0": ("repeated_message_start",),
    "duplicate:event=1": streamcore.httpx.EventOrderError,
    "drop:event=1": streamcore.httpx.EventOrderError,
    "nameless": ("event_name",),
    "comments": WHOLE,
    "pings:every=2": WHOLE,
    "crlf": WHOLE,
}


def test_the_outcomes_above_are_those_of_each_fault() -> None:
    assert {text.partition(":")[0] for text in FAULTS} == kinds.FAULTS.keys()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_has_the_outcome_that_the_protocol_names_in_both_adapters(fault: str) -> None:
    expected = FAULTS[fault]
    options: Any = {"api_key": "k", "max_retries": 0, "idle_timeout": 0.3}

    def sync(url: str) -> Any:
        with streamcore.httpx.Anthropic(base_url=url, **options) as client, client.messages.stream(**ASK) as stream:
            return stream.get_final_message(), stream.violations

    async def over_aiohttp(url: str) -> Any:
        client = streamcore.aiohttp.AsyncAnthropic(base_url=url, **options)
        async with client, client.messages.stream(**ASK) as stream:
            return await stream.get_final_message(), stream.violations

    engine = MessageEngine()
    engine.receive_data((REPOSITORY / "fixtures" / "text.sse").read_bytes())
    list(engine.events())
    with serve(REPOSITORY / "fixtures" / "text.sse", faults=[parse_fault(fault)]) as url:
        for read in (sync, lambda url: asyncio.run(over_aiohttp(url))):
            if isinstance(expected, type):
                with pytest.raises(expected) as caught:
                    read(url)
                assert isinstance(caught.value, streamcore.httpx.APIError)
            else:
                message, violations = read(url)
                assert message == engine.final_message
                assert tuple(dict.fromkeys(violation.kind for violation in violations)) == expected


def test_faults_compose_and_the_seed_makes_them_the_same_again() -> None:
    arguments = ("--fault", "comments", "--fault", "cut:broken=yes", "--chunking", "random")
    seen = []
    for seed in ("1", "1", "4"):
        with serving_command(WEATHER, *arguments, "--seed", seed) as (_, url):
            seen.append(ask(url))
    assert seen[0].chunks == seen[1].chunks
    assert len({answer.body for answer in seen}) > 1
    assert not any(answer.complete for answer in seen)
    assert b": " in seen[0].body


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([WEATHER, "--fault", "odd"], "'odd' is not a fault; it must be one of cut, stall"),
        ([WEATHER, "--fault", "cut:evt=1"], "'cut' has no option 'evt'"),
        (["none.sse"], "none.sse: cannot be read: No such file or directory"),
        (["weather.txt"], "weather.txt: cannot be read: No such file or directory"),
        (["none"], "none: cannot be read: No such file or directory"),
        ([REPOSITORY / "README.md"], "README.md: the suffix '.md' must be one of"),
        ([REPOSITORY / "LICENSE"], "LICENSE: it has no suffix, which must be one of .jsonl"),
        (["-"], "standard input cannot be served"),
        ([WEATHER, "--chunking", "odd"], "'odd' is not a chunking; it must be recorded, event"),
        ([WEATHER, "--host", "nowhere.invalid"], "cannot listen on nowhere.invalid:0"),
    ],
)
def test_the_command_says_in_one_line_what_is_wrong(arguments: list[Any], said: str) -> None:
    result = run("serve", *arguments)
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
