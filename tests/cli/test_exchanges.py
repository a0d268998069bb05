"""The commands over captures of several exchanges: streams, complete messages, failures, and what is about neither."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import capture_formats
import pytest
from helpers import FIXTURES, HELLO, body, by_frame
from test_cli import documents, run

from streamcore import MessageEngine
from streamcore.replay import Capture, CapturedRequest, Chunk, End, write_captures
from streamcore.replay.playing.complete_message import stream_of

URL = "https://api.anthropic.com/v1/messages?beta=true"
EVENT_STREAM = {"content-type": "text/event-stream"}
JSON = {"content-type": "application/json"}
HELLO_BYTES = body(*HELLO)
GOOD = [path for path in FIXTURES if path.parent.name != "broken" and path.stem != "several"]


def message_of(data: bytes) -> Any:
    engine = MessageEngine(multiple_messages=True)
    engine.receive_data(data)
    list(engine.events())
    return engine.final_message


def exchange(data: bytes, headers: dict[str, str], *, url: str = URL, method: str = "POST", **fields: Any) -> Capture:
    request = CapturedRequest(method=method, url=url)
    return Capture(request=request, headers=headers, body=fields.pop("body", [Chunk(0.0, data)]), **fields)


MESSAGE = message_of(HELLO_BYTES).to_json().encode()
HEAD = exchange(b"", {"content-type": "text/html"}, url="https://api.anthropic.com", method="HEAD")
MODELS = exchange(b'{"data":[]}', JSON, url="https://api.anthropic.com/v1/models", method="GET")
COUNT = exchange(b'{"input_tokens":3}', JSON, url="https://api.anthropic.com/v1/messages/count_tokens")
STREAM = exchange(HELLO_BYTES, EVENT_STREAM)
COMPLETE = exchange(MESSAGE, JSON)
BUSY = exchange(b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}', JSON, status=529)
CUT = exchange(b"", EVENT_STREAM, body=[Chunk(0.0, b"".join(by_frame(HELLO_BYTES)[:3])), End(1.0, "broken", "reset")])
SAID_BUSY = 'the answer is not a stream or a message (status 529, application/json): b\'{"type":"error",'


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Of eight exchanges, two are good, two have failed in the middle, and the others are about other things."""
    path = tmp_path / "mixed.jsonl"
    write_captures(path, [HEAD, BUSY, MODELS, STREAM, CUT, COUNT, COMPLETE, HEAD])
    return path


def test_check_reports_every_exchange(mixed: Path) -> None:
    result = run("check", mixed)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0] == f"skipped     {mixed}, exchange 1  (HEAD /: status 200, text/html)"
    assert lines[1].startswith(f"failed      {mixed}, exchange 2")
    assert lines[2].strip().startswith(SAID_BUSY)
    assert lines[3] == f"skipped     {mixed}, exchange 3  (GET /v1/models: status 200, application/json)"
    assert lines[4].startswith(f"ok          {mixed}, exchange 4  (messages: 1, events: 7, ")
    assert lines[5].startswith(f"failed      {mixed}, exchange 5  (messages: 0, events: 3, ")
    assert "message_stop has not come" in lines[6]
    assert lines[7].startswith(f"skipped     {mixed}, exchange 6  (POST /v1/messages/count_tokens: ")
    assert lines[8].startswith(f"ok          {mixed}, exchange 7  (messages: 1, events: 5, ")
    assert lines[9].startswith(f"skipped     {mixed}, exchange 8")
    assert lines[10:] == ["2 ok, 0 with violations, 2 failed, 4 skipped"]


def test_check_as_json_has_an_entry_for_each_exchange(mixed: Path) -> None:
    report = json.loads(run("check", "--json", mixed).stdout)
    assert report["counts"] == {"ok": 2, "violations": 0, "failed": 2}
    assert report["skipped"] == 4
    assert [file["exchange"] for file in report["files"]] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [file["status"] for file in report["files"]][:4] == ["skipped", "failed", "skipped", "ok"]
    assert {file["path"] for file in report["files"]} == {str(mixed)}
    assert report["files"][0]["skipped"] == "HEAD /: status 200, text/html"


def test_the_other_commands_skip_what_is_not_about_messages_and_go_on_after_a_failure(mixed: Path) -> None:
    for command, whole in (("message", 2), ("events", 2), ("replay", 2)):
        result = run(command, mixed)
        assert result.exit_code == 1
        assert result.stdout.count("end_turn") == whole
        first, second = result.stderr.splitlines()
        assert first.startswith(f"streamcore: {mixed}, exchange 2: {SAID_BUSY}")
        assert second.startswith(f"streamcore: {mixed}, exchange 5: ")
    assert [json.dumps(each) for each in documents(run("message", mixed).stdout)] == [
        json.dumps(json.loads(MESSAGE))
    ] * 2


def test_replay_shows_several_exchanges_like_several_messages(tmp_path: Path) -> None:
    write_captures(tmp_path / "a.jsonl", [HEAD, STREAM, MODELS, STREAM])
    (tmp_path / "a.sse").write_bytes(HELLO_BYTES * 2)
    assert run("replay", tmp_path / "a.jsonl").stdout == run("replay", tmp_path / "a.sse").stdout


def test_an_exchange_is_picked_by_its_number(mixed: Path) -> None:
    for command in ("message", "events", "replay", "check"):
        assert run(command, "--exchange", "4", mixed).exit_code == 0
        assert run(command, "--exchange", "7", mixed).exit_code == 0
        assert run(command, "--exchange", "5", mixed).exit_code == 1
        for number, said in (
            ("1", f"{mixed}: it has no Messages stream; exchange 1 is HEAD /: status 200, text/html"),
            ("9", f"{mixed}: exchange 9 does not exist: the last is 8"),
        ):
            result = run(command, "--exchange", number, mixed)
            assert result.exit_code == 1
            if command == "check":
                assert said.removeprefix(f"{mixed}: ") in result.stdout
            else:
                assert (result.stdout, result.stderr) == ("", f"streamcore: {said}\n")
        assert run(command, "--exchange", "0", mixed).exit_code == 2
    assert run("message", "--exchange", "4", mixed).stdout == run("message", "--exchange", "7", mixed).stdout


def test_the_exchanges_are_listed(mixed: Path) -> None:
    for command in ("message", "events", "replay", "check"):
        result = run(command, "--list", mixed)
        assert (result.exit_code, result.stderr) == (0, "")
        assert result.stdout.splitlines() == [
            "   1  other     HEAD /: status 200, text/html",
            "   2  failed    POST /v1/messages: status 529, application/json",
            "   3  other     GET /v1/models: status 200, application/json",
            "   4  stream    POST /v1/messages: status 200, text/event-stream",
            "   5  stream    POST /v1/messages: status 200, text/event-stream",
            "   6  other     POST /v1/messages/count_tokens: status 200, application/json",
            "   7  message   POST /v1/messages: status 200, application/json",
            "   8  other     HEAD /: status 200, text/html",
        ]
    assert run("replay", "--list", GOOD[0]).stdout == "   1  stream\n"
    lines = run("check", "--list", "--exchange", "4", mixed, GOOD[0]).stdout.splitlines()
    assert lines[:2] == [str(mixed), "   4  stream    POST /v1/messages: status 200, text/event-stream"]


@pytest.mark.parametrize("suffix", capture_formats.WITH_HEADS)
@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_complete_message_is_read_as_the_stream_of_it(path: Path, suffix: str, tmp_path: Path) -> None:
    message = message_of(path.read_bytes())
    capture = tmp_path / f"a{suffix}"
    write_captures(capture, [exchange(message.to_json().encode(), JSON)])
    assert run("message", capture).stdout == message.to_json(indent=2) + "\n"
    engine = MessageEngine(strict=True)
    engine.receive_data(stream_of(message.to_dict()))
    engine.receive_eof()
    list(engine.events())
    assert engine.final_message.to_dict() == message.to_dict()
    for command in ("replay", "events", "check"):
        assert run(command, "--strict", capture).exit_code == 0


NO_MESSAGES = [
    b'{"type":"message"}',
    b"[",
    b"",
    b'{"type":"message","content":[{}],"usage":1}',
    b'{"type":"message","content":[],"usage":' + b"9" * 5000 + b"}",
    b'{"type":"message","content":[],"usage":{"a":' + b"9" * 5000 + b"}}",
    b'{"type":"message","content":[{"a":' + b"[" * 900 + b"]" * 900 + b'}],"usage":{}}',
    b'{"type":"message","content":' + b"[" * 20_000 + b"]" * 20_000 + b',"usage":{}}',
]


@pytest.mark.parametrize("data", NO_MESSAGES)
def test_a_message_that_is_not_one_fails(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_captures(path, [exchange(data, JSON)])
    for command in ("message", "events", "replay", "check"):
        result = run(command, path)
        assert result.exit_code == 1
        assert result.exception is None or isinstance(result.exception, SystemExit)


@pytest.mark.parametrize("suffix", capture_formats.WITH_HEADS)
def test_a_url_that_is_not_one_is_only_a_text(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    bad = "http://[bad/v1/messages?a=b"
    write_captures(
        path, [exchange(HELLO_BYTES, EVENT_STREAM, url=bad), exchange(b"{}", JSON, url="http://[x", method="GET")]
    )
    assert run("check", path).stdout.endswith("1 ok, 0 with violations, 0 failed, 1 skipped\n")
    assert "POST /v1/messages: " in run("check", path, "--list").stdout
    assert "GET /: " in run("check", path, "--list").stdout


def test_the_answer_to_a_head_request_is_not_a_stream_whatever_its_type(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_captures(path, [exchange(b"", EVENT_STREAM, method=method) for method in ("HEAD", "OPTIONS")] + [STREAM])
    assert run("check", path).stdout.endswith("1 ok, 0 with violations, 0 failed, 2 skipped\n")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://a/v1/messages?b=/c#d", "/v1/messages"),
        ("https://a", ""),
        ("https://a/#?", "/"),
        ("/v1/messages?a=://b", "/v1/messages"),
        ("http://[a/b", "/b"),
        ("", ""),
    ],
)
def test_the_path_of_a_url(url: str, path: str) -> None:
    assert CapturedRequest(url=url).path == path


def test_what_is_read_before_a_capture_is_damaged_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_captures(path, [STREAM, STREAM])
    path.write_bytes(path.read_bytes()[:-20])
    result = run("message", path)
    assert (result.exit_code, result.stdout.count("end_turn")) == (1, 2)
    assert result.stderr.count("\n") == 1
    statuses = [file["status"] for file in json.loads(run("check", "--json", path).stdout)["files"]]
    assert statuses == ["ok", "failed"]
