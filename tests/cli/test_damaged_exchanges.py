"""The commands over captures in which an exchange is damaged, or is the stream of another API."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from test_cli import run
from test_exchanges import EVENT_STREAM, HEAD, HELLO_BYTES, JSON, STREAM, exchange

from streamcore.replay import Capture, CaptureError, read_captures, write_captures
from streamcore.replay.formats.files import read_exchanges

Damage = Callable[[bytes], bytes]


def once(old: bytes, new: bytes) -> Damage:
    """Damage what stands in the second exchange of three."""

    def damage(data: bytes) -> bytes:
        first = data.index(old) + len(old)
        second = data.index(old, first)
        return data[:second] + new + data[second + len(old) :]

    return damage


DAMAGED: dict[str, tuple[str, Damage]] = {
    "a header that is not JSON": (".jsonl", once(b'"version":1', b'"version":')),
    "a header cut at its beginning": (".jsonl", once(b'{"streamcore":"capture",', b"")),
    "a header that is rubbish": (".jsonl", once(b'{"streamcore":"capture","version":1,"request":{', b"\x00")),
    "a header of another version": (".jsonl", once(b'"version":1', b'"version":2')),
    "an entry without a URL": (".har", once(b'"url":', b'"uri":')),
    "an entry with a wrong status": (".har", once(b'"status":200', b'"status":"a"')),
    "an interaction without a URI": (".yaml", once(b"uri:", b"url:")),
    "an interaction with a wrong value": (".yaml", once(b"code: 200", b"code: !!int x")),
    "an interaction that is nested too deep": (".yaml", once(b"code: 200", b"code: " + b"[" * 60 + b"]" * 60)),
    "an interaction with an unknown tag": (".yaml", once(b"code: 200", b"code: !code {a: [200]}")),
    "an interaction with an unknown alias": (".yaml", once(b"code: 200", b"code: [[*a, 1], 2]")),
}


def damaged(folder: Path, suffix: str, damage: Damage, *captures: Capture) -> Path:
    path = folder / f"a{suffix}"
    write_captures(path, captures or [STREAM, STREAM, STREAM])
    path.write_bytes(damage(path.read_bytes()))
    return path


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_exchange_costs_itself(name: str, tmp_path: Path) -> None:
    path = damaged(tmp_path, *DAMAGED[name])
    result = run("check", "--json", path)
    files = json.loads(result.stdout)["files"]
    assert result.exit_code == 1
    assert [(file["exchange"], file["status"]) for file in files] == [(1, "ok"), (2, "failed"), (3, "ok")]
    assert files[1]["fault"]["kind"] == "unreadable"
    assert str(path) not in files[1]["fault"]["message"]
    for command in ("message", "events", "replay"):
        result = run(command, path)
        assert (result.exit_code, result.stdout.count("end_turn")) == (1, 2)
        assert result.stderr.count("\n") == 1
        assert result.stderr.startswith(f"streamcore: {path}, exchange 2: ")
        assert run(command, path, "--exchange", "3").exit_code == 0
        assert run(command, path, "--exchange", "2").exit_code == 1
        lines = run(command, path, "--list").stdout.splitlines()
        assert [line.split()[:2] for line in lines] == [["1", "stream"], ["2", "damaged"], ["3", "stream"]]


@pytest.mark.parametrize("name", DAMAGED)
def test_whoever_reads_a_file_gets_the_error_in_its_place(name: str, tmp_path: Path) -> None:
    path = damaged(tmp_path, *DAMAGED[name])
    first, second, third = read_exchanges(path)
    assert isinstance(first, Capture)
    assert isinstance(second, CaptureError)
    assert second.path == str(path)
    assert isinstance(third, Capture)
    assert third.data == HELLO_BYTES
    captures = read_captures(path)
    assert next(captures).data == HELLO_BYTES
    with pytest.raises(CaptureError):
        next(captures)


@pytest.mark.parametrize(
    ("suffix", "damage"),
    [
        (".har", once(b'"url":', b'"url"')),
        (".har", once(b'"status":200', b'"status":' + b"[" * 5000)),
        (".har", lambda data: data[:-200]),
        (".yaml", once(b"uri:", b"\turi: [")),
        (".yaml", once(b"code: 200", b"code: " + b"[" * 5000)),
    ],
)
def test_where_the_rest_cannot_be_read_a_line_says_so(suffix: str, damage: Damage, tmp_path: Path) -> None:
    path = damaged(tmp_path, suffix, damage)
    result = run("check", "--json", path)
    files = json.loads(result.stdout)["files"]
    assert result.exit_code == 1
    whole = len(files) - 1
    assert [(file["exchange"], file["status"]) for file in files[:-1]] == [(n, "ok") for n in range(1, whole + 1)]
    said = f"the rest, after exchange {whole}, cannot be read: " if whole else "not a HAR file: "
    assert (files[-1]["exchange"], files[-1]["fault"]["message"].startswith(said)) == (None, True)
    for arguments in (["message"], ["check", "--list"]):
        result = run(*arguments, path)
        assert result.exit_code == 1
        assert result.stderr.startswith(f"streamcore: {path}: {said}")
        assert result.stderr.count("\n") == 1


def test_an_alias_of_what_was_read_in_part_is_an_error(tmp_path: Path) -> None:
    path = damaged(tmp_path, ".yaml", lambda data: data)
    path.write_bytes(
        path.read_bytes()
        .replace(b"- request:", b"- &whole\n  request:", 1)
        .replace(b"version: 1", b"- &part {request: {method: GET}, a: [*none, 1]}\n- *part\n- *whole\nversion: 1")
    )
    found = list(read_exchanges(path))
    assert [isinstance(each, Capture) for each in found] == [True, True, True, False, False, True]
    assert "part" in str(found[4])


def test_a_line_after_the_end_of_a_capture_is_a_header(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_captures(path, [STREAM])
    path.write_bytes(path.read_bytes() + b"\n \n" + path.read_bytes())
    assert [isinstance(each, Capture) for each in read_exchanges(path)] == [True, True]
    text = exchange(b'data: {"type":"ping","end":"complete"}\n\n', EVENT_STREAM)
    write_captures(path, [text, STREAM])
    assert [isinstance(each, Capture) for each in read_exchanges(path)] == [True, True]


# --list --json


def test_a_list_as_json(tmp_path: Path) -> None:
    path = damaged(tmp_path, ".jsonl", once(b'"version":1', b'"version":2'), HEAD, STREAM, STREAM)
    raw, broken = tmp_path / "a.sse", tmp_path / "a.har"
    raw.write_bytes(HELLO_BYTES)
    broken.write_bytes(b"{")
    result = run("check", "--list", "--json", path, raw, broken)
    listed = json.loads(result.stdout)
    assert (result.exit_code, listed["ok"]) == (1, False)
    assert [(file["path"], file["exchange"], file["kind"]) for file in listed["files"]] == [
        (str(path), 1, "other"),
        (str(path), 2, "damaged"),
        (str(path), 3, "stream"),
        (str(raw), None, "stream"),
        (str(broken), None, "unreadable"),
    ]
    assert listed["files"][0]["summary"] == "HEAD /: status 200, text/html"
    assert "version 2" in listed["files"][1]["summary"]
    assert "not a HAR file" in listed["files"][4]["summary"]
    result = run("check", "--list", "--json", "--exchange", "3", path)
    assert (result.exit_code, len(json.loads(result.stdout)["files"])) == (0, 1)


# Streams of other APIs

CHAT = "https://api.openai.example/v1/chat/completions"
CHUNK = b'data: {"id":"c","object":"chat.completion.chunk","choices":[]}\n\n'
FOREIGN = [
    CHUNK + b"data: [DONE]\n\n",
    b": comment\n\n" + CHUNK,
    b'event: response.created\ndata: {"type":"response.created","response":{}}\n\n',
    b'event: message\ndata: {"jsonrpc":"2.0","id":1,"result":{}}\n\n',
    b'event: message\ndata: {"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"a"}}\n\n',
]


@pytest.mark.parametrize("data", FOREIGN)
def test_a_stream_of_another_api_is_skipped(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    foreign = exchange(data, EVENT_STREAM, url=CHAT)
    write_captures(path, [foreign, STREAM])
    result = run("check", path)
    assert result.exit_code == 0
    assert result.stdout.endswith("1 ok, 0 with violations, 0 failed, 1 skipped\n")
    assert "(POST /v1/chat/completions: status 200, text/event-stream)" in result.stdout
    for command in ("message", "events", "replay"):
        result = run(command, path)
        assert (result.exit_code, result.stderr, result.stdout.count("end_turn")) == (0, "", 1)
    write_captures(path, [foreign])
    said = "it has no Messages stream; exchange 1 is POST /v1/chat/completions"
    assert said in run("check", path).stdout
    assert said in run("message", path).stderr


@pytest.mark.parametrize(
    ("data", "url"),
    [
        (CHUNK, "https://a/v1/messages"),
        (b'data: {"error":{"type":"overloaded_error","message":"Overloaded"}}\n\n', CHAT),
        (b'data: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n', CHAT),
        (b"data: {\n\n", CHAT),
        (b"data: [1]\n\n", CHAT),
        (b"data: {" + b'"a":[' * 20_000 + b"\n\n", CHAT),
        (b'event: message_start\ndata: {"message":{}}\n\n', CHAT),
        (b'data: {"type":"ping"}\n\n' + CHUNK, CHAT),
        (b"", CHAT),
    ],
)
def test_a_stream_that_may_be_of_messages_is_not_skipped(data: bytes, url: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_captures(path, [exchange(data, EVENT_STREAM, url=url), STREAM])
    assert run("check", path).stdout.endswith("1 ok, 0 with violations, 1 failed\n")


def test_a_messages_stream_at_another_path_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_captures(path, [exchange(HELLO_BYTES, EVENT_STREAM, url=CHAT), exchange(b"{}", JSON, url=CHAT)])
    assert run("check", path).stdout.endswith("1 ok, 0 with violations, 0 failed, 1 skipped\n")
