"""The `streamcore` command: what it prints, what it says about bad input, and how it ends."""

from __future__ import annotations

import builtins
import errno
import importlib.metadata
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from helpers import STOP, block_start, block_stop, delta, frame, message_delta, start, text
from hypothesis import given
from hypothesis import strategies as st

from streamcore import MessageEngine
from streamcore.cli.app import cli
from streamcore.cli.render import Pace

REPOSITORY = Path(__file__).parents[2]
FIXTURES = REPOSITORY / "fixtures"
WEATHER = FIXTURES / "weather.sse"
# What would make the output of a process flushed, coloured or encoded in another way than it is for most people.
SETTINGS = ("PYTHON", "FORCE_COLOR", "NO_COLOR")
COMMAND = [sys.executable, "-m", "streamcore"]
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
ENVIRONMENT |= {"PYTHONPATH": str(REPOSITORY), "PYTHONUTF8": "1"}
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def run(*arguments: str | Path, stdin: bytes | None = None) -> Result:
    plain = {name: None for name in os.environ if name.startswith(SETTINGS)}
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], input=stdin, env=plain)


def start_command(*arguments: str | Path, **options: Any) -> subprocess.Popen[bytes]:
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def read_until(descriptor: int, wanted: bytes) -> bytes:
    """Return the output of a process up to `wanted`, which must arrive within ten seconds."""
    seen = b""
    deadline = time.monotonic() + 10
    while wanted not in seen:
        ready, _, _ = select.select([descriptor], [], [], max(0, deadline - time.monotonic()))
        assert ready, f"{wanted!r} did not come, but {seen!r}"
        seen += os.read(descriptor, 65536)
    return seen


def message_of(path: Path) -> dict[str, Any]:
    engine = MessageEngine()
    engine.receive_data(path.read_bytes())
    list(engine.events())
    return engine.final_message.to_dict()


def documents(text: str) -> Iterator[Any]:
    decoder = json.JSONDecoder()
    while text.strip():
        document, end = decoder.raw_decode(text)
        yield document
        text = text[end:].lstrip()


# replay


def test_replay_shows_thinking_text_tool_input_and_the_end_of_the_message() -> None:
    thinking, _, tool = message_of(WEATHER)["content"]
    result = run("replay", WEATHER)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "[message msg_weather]",
        "",
        f"[thinking] {thinking['thinking']} [signed: 44 characters]",
        "",
        "Lisbon in November can be **18 °C and bright** in the morning and wet by lunch. 🌦️",
        "",
        "Let me look at the forecast before you fill the suitcase:",
        "",
        f"[tool_use get_forecast toolu_get_forecast_2] {json.dumps(tool['input'])}",
        "",
        "stop reason  tool_use",
        "model        claude-sonnet-5-5",
        "usage        412 tokens in, 143 out (47 of thinking)",
    ]


@pytest.mark.parametrize("path", sorted(FIXTURES.rglob("*.sse")), ids=lambda path: path.stem)
def test_replay_prints_no_control_codes_when_piped(path: Path) -> None:
    assert CONTROL.search(run("replay", path).stdout) is None


def test_control_characters_that_a_model_writes_do_not_reach_the_terminal(tmp_path: Path) -> None:
    body = (FIXTURES / "text.sse").read_text().replace('"text":"A "', r'"text":"\u001b[31m\u0007\u009b2J"')
    path = tmp_path / "control.sse"
    path.write_text(body)
    result = run("replay", path)
    assert "␛[31m␇\ufffd2J" in result.stdout
    assert CONTROL.search(result.stdout) is None


def test_replay_marks_citations_and_lists_them_at_the_end() -> None:
    lines = run("replay", FIXTURES / "citations.sse").stdout.splitlines()
    assert "The bridge dates from 1894[1] and rests on two granite towers[2][3]." in lines
    assert "[1] Notes of the harbour master “The bridge was opened in 1894.”" in lines
    assert "[3] “Two towers of granite carry it.”" in lines


@pytest.mark.parametrize(
    ("fixture", "shown"),
    [
        (
            "search",
            "[web_search_tool_result] 2 results\n  The oldest lighthouses https://example.org/lighthouses/oldest\n",
        ),
        ("search", "132 out, web searches: 1\n"),
        ("code", "[code_execution_tool_result] exit 0\n  file file_plot\n  2 3 5 7 11 13\n  saved\n"),
        ("refusal", "stop reason  refusal\ndetails      cyber: The request asks for help"),
        ("fallback", "[fallback] claude-opus-4-5 → claude-sonnet-5-5 (refusal)\n"),
        ("compaction", "[compaction] They plan a trip by train from Oslo to Palermo;"),
        ("parallel", "[tool_use list_contacts toolu_list_contacts_3] {}\n"),
        ("max-tokens", '"lines": ["The sea", "the sea", "and then the s\n\nstop reason  max_tokens\n'),
        ("unknown", '[event weather_report] {"type":"weather_report","sky":"clear"}\n'),
        ("unknown", '[sketch] {"type":"sketch","strokes":[[0,0],[3,4]]}\n'),
        ("unknown", '[emphasis_delta for block 1] {"type":"emphasis_delta","from":0,"to":5}\n'),
        ("interleaved", '[… toolu_get_time_1] zone": "A\n[… toolu_get_time_2] zone": "P\n'),
        ("repeated-start", "violations   1\n  message_start of 'msg_repeated' came again"),
    ],
)
def test_replay_shows(fixture: str, shown: str) -> None:
    result = run("replay", FIXTURES / f"{fixture}.sse")
    assert result.exit_code == 0
    assert shown in result.stdout


def test_replay_shows_each_message_of_a_file_with_its_own_end() -> None:
    output = run("replay", FIXTURES / "several.sse").stdout
    assert re.findall(r"\[message (\w+)\]", output) == ["msg_first", "msg_second", "msg_third"]
    assert re.findall(r"stop reason  (\w+)", output) == ["tool_use", "end_turn", "end_turn"]


def test_replay_takes_a_repeated_message_start_for_the_same_message() -> None:
    assert run("replay", FIXTURES / "repeated-start.sse").stdout.count("[message ") == 1


def test_replay_of_a_truncated_stream_says_so_and_fails() -> None:
    result = run("replay", FIXTURES / "broken" / "truncated.sse")
    assert result.exit_code == 1
    assert "The path led on through the\n\n[incomplete: the message breaks off here]\n" in result.stdout
    assert "the stream ended before the message did" in result.stderr


def test_replay_of_a_stream_with_an_error_event_shows_it_and_fails() -> None:
    result = run("replay", FIXTURES / "broken" / "error.sse")
    assert result.exit_code == 1
    assert "[error overloaded_error] Overloaded\n" in result.stdout
    assert "overloaded_error: Overloaded" in result.stderr


@pytest.mark.parametrize("command", ["replay", "events", "message", "check"])
def test_an_error_event_fails_the_command_even_if_the_message_is_completed(command: str) -> None:
    error = b'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"oh"}}\n\n'
    body = WEATHER.read_bytes().replace(b"event: message_delta\n", error + b"event: message_delta\n")
    result = run(command, "-", stdin=body)
    assert result.exit_code == 1
    assert "an error event came" in result.output


def test_replay_paces_the_events(monkeypatch: pytest.MonkeyPatch) -> None:
    naps: list[float] = []
    now = 100.0

    def sleep(seconds: float) -> None:
        nonlocal now
        naps.append(seconds)
        now += seconds

    monkeypatch.setattr("streamcore.cli.render.time.monotonic", lambda: now)
    monkeypatch.setattr("streamcore.cli.render.time.sleep", sleep)
    assert run("replay", FIXTURES / "text.sse", "--speed", "2").exit_code == 0
    assert naps == pytest.approx([1 / 80] * 17)


def test_replay_does_not_catch_up_on_what_came_late(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    naps: list[float] = []
    monkeypatch.setattr("streamcore.cli.render.time.monotonic", lambda: now)
    monkeypatch.setattr("streamcore.cli.render.time.sleep", naps.append)
    pace = Pace(1)
    now += 10
    pace.wait()
    assert naps == []
    pace.wait()
    assert naps == pytest.approx([1 / 40])


def test_replay_on_a_terminal_dims_thinking_and_takes_its_time() -> None:
    terminal, terminal_of_process = pty.openpty()
    environment = {**ENVIRONMENT, "TERM": "xterm-256color"}
    started = time.monotonic()
    process = subprocess.Popen(
        [*COMMAND, "replay", str(FIXTURES / "thinking.sse")], env=environment, stdout=terminal_of_process
    )
    os.close(terminal_of_process)
    output = read_until(terminal, b"usage")
    process.wait(10)
    os.close(terminal)
    assert b"\x1b[2m" in output
    assert b"\x1b[" not in run("replay", FIXTURES / "thinking.sse").stdout_bytes
    assert time.monotonic() - started > 16 / 40


# events


def test_events_are_one_json_object_a_line() -> None:
    lines = run("events", FIXTURES / "text.sse").stdout.splitlines()
    payloads = re.findall(r"^data: (.*)$", (FIXTURES / "text.sse").read_text(), re.MULTILINE)
    assert lines == payloads


def test_events_before_a_fault_are_printed() -> None:
    result = run("events", FIXTURES / "broken" / "truncated.sse")
    assert result.exit_code == 1
    assert [json.loads(line)["type"] for line in result.stdout.splitlines()][-1] == "content_block_delta"
    assert "the stream ended before the message did" in result.stderr


def test_derived_events_follow_the_event_that_they_come_from() -> None:
    result = run("events", "--derived", FIXTURES / "text.sse")
    assert result.exit_code == 0
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert [event["type"] for event in events[:6]] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "text",
        "content_block_delta",
        "text",
    ]
    assert events[5] == {"type": "text", "text": "tide is t", "snapshot": "A tide is t"}
    assert events[-3]["content_block"] == message_of(FIXTURES / "text.sse")["content"][0]
    assert events[-1]["message"] == message_of(FIXTURES / "text.sse")


# message


def test_message_is_the_final_message_as_json() -> None:
    result = run("message", WEATHER)
    assert result.exit_code == 0
    assert result.stderr == ""
    assert json.loads(result.stdout) == message_of(WEATHER)


def test_message_prints_a_document_for_each_message_of_a_file() -> None:
    messages = list(documents(run("message", FIXTURES / "several.sse").stdout))
    assert [message["id"] for message in messages] == ["msg_first", "msg_second", "msg_third"]
    assert messages[1]["content"] == [{"type": "text", "text": "A 17: over the wall."}]


def test_a_repeated_message_stop_does_not_print_the_message_again() -> None:
    body = WEATHER.read_bytes() + b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    assert len(list(documents(run("message", "-", stdin=body).stdout))) == 1


def test_message_prints_the_complete_messages_before_a_fault_and_not_the_incomplete_one() -> None:
    body = WEATHER.read_bytes() + (FIXTURES / "broken" / "truncated.sse").read_bytes()
    result = run("message", "-", stdin=body)
    assert result.exit_code == 1
    assert [message["id"] for message in documents(result.stdout)] == ["msg_weather"]


@pytest.mark.parametrize("command", ["events", "message"])
def test_violations_are_mentioned_on_stderr(command: str) -> None:
    result = run(command, FIXTURES / "nameless.sse")
    assert result.exit_code == 0
    assert "violations: 7" in result.stderr


@pytest.mark.parametrize("command", ["replay", "events", "message", "check"])
def test_strict_fails_where_otherwise_a_violation_is_noted(command: str) -> None:
    assert run(command, FIXTURES / "nameless.sse").exit_code == 0
    assert run(command, "--strict", FIXTURES / "nameless.sse").exit_code == 1


# check


def test_check_of_good_streams_passes() -> None:
    paths = sorted(FIXTURES.glob("*.sse"))
    result = run("check", *paths)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == f"{len(paths) - 3} ok, 3 with violations, 0 failed"


def test_check_says_where_a_stream_breaks_and_shows_the_line() -> None:
    result = run("check", FIXTURES / "broken" / "unstarted-block.sse")
    assert result.exit_code == 1
    assert (
        "content_block_delta came for a block that was never started (at byte 303, event 1, block 0)" in result.stdout
    )
    assert '| data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"On"}}' in result.stdout


def test_check_shows_the_last_line_of_a_stream_that_ends_early() -> None:
    result = run("check", FIXTURES / "broken" / "truncated.sse")
    assert "(at byte 907, event 6, block 0)" in result.stdout
    assert '"text":"through the"}}\n' in result.stdout


def test_check_finds_the_streams_in_folders_in_order() -> None:
    result = run("check", FIXTURES / "broken", "--json")
    paths = [file["path"] for file in json.loads(result.stdout)["files"]]
    assert paths == [str(path) for path in sorted((FIXTURES / "broken").glob("*.sse"))]
    below = json.loads(run("check", FIXTURES, "--json").stdout)
    good = len(list(FIXTURES.glob("*.sse"))) - 3
    assert below["counts"] == {"ok": good, "violations": 3, "failed": 5}


def test_check_as_json_is_one_document() -> None:
    result = run("check", "--json", FIXTURES / "several.sse", FIXTURES / "broken" / "wrong-input.sse")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    good, bad = report["files"]
    assert report["ok"] is False
    assert (good["status"], good["messages"], good["fault"]) == ("ok", 3, None)
    assert good["size"] == (FIXTURES / "several.sse").stat().st_size
    assert bad["status"] == "failed"
    assert bad["fault"]["kind"] == "DecodeError"
    assert bad["fault"]["index"] == 0
    assert bad["fault"]["offset"] == (FIXTURES / "broken" / "wrong-input.sse").read_bytes().index(
        b"event: content_block_stop"
    )


ERROR_LINE = 'data: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_'


def test_check_names_the_error_that_the_stream_has_reported_and_not_the_end_that_follows() -> None:
    path = FIXTURES / "broken" / "error.sse"
    result = run("check", "--json", path)
    assert result.exit_code == 1
    assert json.loads(result.stdout)["files"][0]["fault"] == {
        "kind": "overloaded_error",
        "message": "an error event came: overloaded_error: Overloaded",
        "offset": path.read_bytes().index(b"event: error"),
        "event_number": 6,
        "index": None,
        "context": ERROR_LINE[:99] + "…",
    }
    place = f"(at byte {path.read_bytes().index(b'event: error')}, event 6)"
    assert f"an error event came: overloaded_error: Overloaded {place}\n" in run("check", path).stdout


def test_check_keeps_the_first_of_the_faults_of_a_stream(tmp_path: Path) -> None:
    """Several errors in a chunk, the first of them not in the first message, and then a payload that is not JSON."""
    body = (FIXTURES / "broken" / "error.sse").read_bytes()
    more = body[body.index(b"event: error") :].replace(b"overloaded_error", b"api_error")
    path = tmp_path / "a.sse"
    path.write_bytes(WEATHER.read_bytes() + body + more * 2 + b"event: message_stop\ndata: {\n\n")
    (report,) = json.loads(run("check", "--json", path).stdout)["files"]
    assert report["fault"]["kind"] == "overloaded_error"
    assert report["fault"]["offset"] == path.read_bytes().index(b"event: error")
    assert report["fault"]["event_number"] == path.read_bytes().count(b"event: ") - 4
    assert report["events"] == report["fault"]["event_number"] + 3


def test_check_goes_on_after_a_file_that_cannot_be_read() -> None:
    result = run("check", "nowhere.sse", WEATHER)
    assert result.exit_code == 1
    assert "no such file" in result.stdout
    assert result.stdout.splitlines()[-1] == "1 ok, 0 with violations, 1 failed"


def test_check_of_a_folder_without_streams_fails(tmp_path: Path) -> None:
    result = run("check", tmp_path)
    assert result.exit_code == 1
    assert result.stderr == (
        f"streamcore: {tmp_path}: this directory has no captures: no .jsonl, .sse, .har, .json, .yaml, .yml\n"
    )


def test_check_of_a_folder_that_may_not_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "a.sse").write_bytes(WEATHER.read_bytes())
    scanned = os.scandir

    def refuse(path: Any) -> Any:
        if path == str(tmp_path / "below"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scanned(path)

    monkeypatch.setattr(os, "scandir", refuse)
    for command in ("check", "serve"):
        result = run(command, tmp_path)
        assert result.exit_code == 1
        assert result.stderr == f"streamcore: {tmp_path / 'below'}: cannot be read: Permission denied\n"


def test_check_of_many_files_shows_progress_on_a_terminal(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"{number}.sse").write_bytes(WEATHER.read_bytes())
    terminal, terminal_of_process = pty.openpty()
    environment = {**ENVIRONMENT, "TERM": "xterm-256color"}
    process = subprocess.Popen(
        [*COMMAND, "check", str(tmp_path)], env=environment, stdout=subprocess.PIPE, stderr=terminal_of_process
    )
    os.close(terminal_of_process)
    read_until(terminal, b"checking")
    stdout, _ = process.communicate(timeout=20)
    os.close(terminal)
    assert stdout.splitlines()[-1] == b"30 ok, 0 with violations, 0 failed"


@pytest.mark.parametrize("command", ["check", "replay"])
def test_colours_on_a_terminal_follow_no_color(command: str) -> None:
    for setting, has_colours in (({}, True), ({"NO_COLOR": "1"}, False)):
        terminal, terminal_of_process = pty.openpty()
        environment = {**ENVIRONMENT, "TERM": "xterm-256color", **setting}
        path = str(FIXTURES / "broken" / "error.sse")
        process = subprocess.Popen(
            [*COMMAND, command, path], env=environment, stdout=terminal_of_process, stderr=terminal_of_process
        )
        os.close(terminal_of_process)
        output = read_until(terminal, b"Overloaded")
        process.wait(20)
        os.close(terminal)
        assert (re.search(rb"\x1b\[[0-9;]*3[0-9]", output) is not None) is has_colours, output


def test_convert_of_a_large_file_shows_progress_on_a_terminal(tmp_path: Path) -> None:
    comments = (b": " + b"x" * 60_000 + b"\n\n") * 80
    (tmp_path / "large.sse").write_bytes(comments + WEATHER.read_bytes())
    terminal, terminal_of_process = pty.openpty()
    environment = {**ENVIRONMENT, "TERM": "xterm-256color"}
    command = [*COMMAND, "convert", str(tmp_path / "large.sse"), str(tmp_path / "large.har")]
    process = subprocess.Popen(command, env=environment, stderr=terminal_of_process)
    os.close(terminal_of_process)
    read_until(terminal, b"converting")
    assert process.wait(20) == 0
    os.close(terminal)
    assert (tmp_path / "large.har").exists()


# Input that is not a stream

BAD_INPUT: Mapping[str, tuple[bytes, str]] = {
    "empty": (b"", "it is empty"),
    "blank": (b"\n\n", "message_start has not come"),
    "html": (b"<!doctype html>\n<title>502</title>", "the body is not an event stream; it begins with b'<!doctype"),
    "json": (b'{"type":"error","error":{"type":"api_error","message":"no"}}', "the body is not an event stream"),
    "binary": (bytes(range(256)) * 20, "the body is not an event stream"),
    "utf-16": (WEATHER.read_text(encoding="utf-8").encode("utf-16"), "the body is not an event stream"),
    "latin-1": ("événement: 1\n\n".encode("latin-1"), "the body is not an event stream"),
}


@pytest.mark.parametrize("command", ["replay", "events", "message"])
@pytest.mark.parametrize("kind", BAD_INPUT)
def test_bad_input_gets_one_clear_line(command: str, kind: str, tmp_path: Path) -> None:
    content, said = BAD_INPUT[kind]
    path = tmp_path / "bad.sse"
    path.write_bytes(content)
    for result in (run(command, path), run(command, "-", stdin=content)):
        assert result.exit_code == 1
        assert result.stdout == ""
        assert result.stderr.startswith("streamcore: ")
        assert said in result.stderr
        assert result.stderr.count("\n") == 1
        assert CONTROL.search(result.stderr) is None


@pytest.mark.parametrize("command", ["replay", "events", "message"])
def test_a_path_that_is_no_file_gets_one_clear_line(command: str, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    assert run(command, missing).stderr == f"streamcore: {missing}: no such file or directory\n"
    assert run(command, tmp_path).stderr == f"streamcore: {tmp_path}: is a directory\n"


@pytest.mark.parametrize("kind", BAD_INPUT)
def test_check_of_bad_input_fails_and_says_why(kind: str, tmp_path: Path) -> None:
    content, said = BAD_INPUT[kind]
    path = tmp_path / "bad.sse"
    path.write_bytes(content)
    result = run("check", path)
    assert result.exit_code == 1
    assert said in result.stdout


def raising_for(path: Path, error: OSError, called: Callable[..., Any]) -> Callable[..., Any]:
    """A stand-in for a function of files, which raises for this one."""

    def stand_in(given: Any, *args: Any, **options: Any) -> Any:
        if given == str(path):
            raise error
        return called(given, *args, **options)

    return stand_in


def test_a_file_that_is_gone_is_not_taken_for_the_output(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is looked at once more for the line at fault."""
    path = tmp_path / "a.sse"
    path.write_bytes((FIXTURES / "broken" / "truncated.sse").read_bytes())
    gone = FileNotFoundError(errno.ENOENT, "No such file or directory", str(path))
    monkeypatch.setattr(os, "stat", raising_for(path, gone, os.stat))
    result = run("check", path)
    assert result.exit_code == 1
    assert result.stderr == f"streamcore: {path}: no such file or directory\n"


def test_a_file_that_may_not_be_read_gets_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = PermissionError(errno.EACCES, "Permission denied", str(WEATHER))
    monkeypatch.setattr(builtins, "open", raising_for(WEATHER, refused, builtins.open))
    result = run("message", WEATHER)
    assert result.exit_code == 1
    assert result.stderr == f"streamcore: {WEATHER}: permission denied\n"


ODD_VALUES = [
    b"null",
    b"5",
    b'"new"',
    b"[]",
    b"{}",
    b'[{"type":"new","title":3,"url":4,"text":5}]',
    b'{"type":"new","id":6}',
]


@given(data=st.data())
def test_whatever_is_changed_in_a_stream_no_command_breaks(data: st.DataObject) -> None:
    body = data.draw(st.sampled_from(sorted(FIXTURES.glob("*.sse")))).read_bytes()
    values = list(re.finditer(rb'":("(?:[^"\\]|\\.)*"|-?\d+|null|\[\]|\{\})', body))
    changed = data.draw(st.sampled_from(values))
    body = body[: changed.start(1)] + data.draw(st.sampled_from(ODD_VALUES)) + body[changed.end(1) :]
    for command in ("replay", "events", "message", "check"):
        result = run(command, "-", stdin=body)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        assert result.exit_code in (0, 1)
        assert result.exit_code == 0 or command == "check" or result.stderr.count("\n") == 1


# Lone surrogates, which JSON can escape and UTF-8 cannot say


def surrogate_stream() -> bytes:
    """They are in text, thinking, citations, a tool's name and input, and in what is unknown."""
    odd = "a\ud800b"
    citation = {"type": "web", "cited_text": odd, "title": odd, "url": odd}
    blocks: list[dict[str, Any]] = [
        {"type": "text", "text": ""},
        {"type": "thinking", "thinking": odd, "signature": ""},
        {"type": "tool_use", "id": odd, "name": odd, "input": {odd: [odd]}},
        {"type": odd, "strokes": odd},
    ]
    deltas = [text(0, odd), delta(0, "citations_delta", citation=citation), delta(0, "new_delta", x=odd)]
    events: list[dict[str, Any]] = [start("msg_odd")]
    for index, block in enumerate(blocks):
        events.append(block_start(index, block))
        events += deltas if index == 0 else []
        events.append(block_stop(index))
    events += [{"type": "odd", "x": odd}, message_delta(odd), STOP]
    return b"".join(frame(json.dumps(event).encode()) for event in events)


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (["replay"], r"a\ud800b"),
        (["events"], r'"text":"a\ud800b"'),
        (["events", "--derived"], r'{"type":"text","text":"a\ud800b","snapshot":"a\ud800b"}'),
        (["message"], r'"text": "a\ud800b"'),
        (["check"], "violations "),
        (["check", "--json"], '"ok": true'),
    ],
)
def test_a_lone_surrogate_is_printed_escaped(command: list[str], shown: str, tmp_path: Path) -> None:
    path = tmp_path / "a.sse"
    path.write_bytes(surrogate_stream())
    process = subprocess.run([*COMMAND, *command, str(path)], env=ENVIRONMENT, capture_output=True, check=False)
    assert process.returncode == 0, process.stderr
    assert shown in process.stdout.decode()
    assert b"Traceback" not in process.stderr
    assert run(*command, path).exit_code == 0
    if command == ["message"]:
        assert json.loads(process.stdout)["content"][2]["input"] == {"a\ud800b": ["a\ud800b"]}


@pytest.mark.parametrize("command", ["replay", "events", "message", "check"])
def test_an_error_with_a_lone_surrogate_is_printed_escaped(command: str, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff.sse")
    path.write_bytes((FIXTURES / "broken" / "error.sse").read_bytes().replace(b"Overloaded", rb"a\ud800b"))
    process = subprocess.run([*COMMAND, command, path], env=ENVIRONMENT, capture_output=True, check=False)
    assert process.returncode == 1
    assert rb"overloaded_error: a\ud800b" in process.stderr + process.stdout
    assert rb"\udcff.sse" in process.stderr + process.stdout
    assert b"Traceback" not in process.stderr


def test_replay_prints_a_lone_surrogate_to_a_terminal(tmp_path: Path) -> None:
    path = tmp_path / "a.sse"
    path.write_bytes(surrogate_stream())
    terminal, terminal_of_process = pty.openpty()
    process = subprocess.Popen([*COMMAND, "replay", str(path)], env=ENVIRONMENT, stdout=terminal_of_process)
    os.close(terminal_of_process)
    output = read_until(terminal, b"usage")
    assert process.wait(10) == 0
    os.close(terminal)
    assert rb"a\ud800b" in output


@pytest.mark.parametrize("kind", ["text", "thinking"])
def test_replay_joins_a_surrogate_pair_that_is_split_between_two_deltas(kind: str, tmp_path: Path) -> None:
    pieces = ["a\ud83d", "\ude00b\ud83d", "", "\ude00c\ud83d"]
    deltas = [delta(0, f"{kind}_delta", **{kind: piece}) for piece in pieces]
    events = [start(), block_start(0, {"type": kind, kind: ""}), *deltas, block_stop(0), message_delta(), STOP]
    path = tmp_path / "a.sse"
    path.write_bytes(b"".join(frame(json.dumps(event).encode()) for event in events))
    assert "a\U0001f600b\U0001f600c\\ud83d" in run("replay", path).stdout


# As a process


@pytest.mark.parametrize(("command", "first"), [("replay", b"A tide"), ("events", b'"text":"tide is t"')])
def test_a_live_stream_is_shown_before_the_rest_has_come(command: str, first: bytes) -> None:
    body = (FIXTURES / "text.sse").read_bytes()
    cut = body.index(b"a's slow")  # inside an event
    with start_command(command, "-", stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(body[:cut])
        process.stdin.flush()
        seen = read_until(process.stdout.fileno(), first)
        assert b"end_turn" not in seen
        stdout, stderr = process.communicate(body[cut:], timeout=10)
    assert b"end_turn" in stdout
    assert stderr == b""
    assert process.returncode == 0


def test_a_closed_pipe_ends_the_command_quietly(tmp_path: Path) -> None:
    path = tmp_path / "long.sse"
    path.write_bytes(WEATHER.read_bytes() * 200)
    for command in ("replay", "events", "message"):
        with start_command(command, path) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.readline()
            process.stdout.close()
            assert process.stderr.read() == b""
        assert process.returncode == 128 + signal.SIGPIPE


def test_an_interrupt_ends_the_command_quietly() -> None:
    with start_command("replay", "-", stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write((FIXTURES / "broken" / "truncated.sse").read_bytes())
        process.stdin.flush()
        read_until(process.stdout.fileno(), b"The path led on")
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=10)
    assert process.returncode == 130
    assert stdout == b"\n"  # what a shell prints next begins on a line of its own
    assert stderr == b""


def test_an_interrupt_between_lines_adds_none() -> None:
    with start_command("replay", "-", stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(WEATHER.read_bytes())
        process.stdin.flush()
        assert read_until(process.stdout.fileno(), b"usage").endswith(b"of thinking)\n")
        process.send_signal(signal.SIGINT)
        stdout, _ = process.communicate(timeout=10)
    assert (process.returncode, stdout) == (130, b"")


@pytest.mark.parametrize("command", ["replay", "events", "message", "check"])
def test_output_that_cannot_be_written_gets_one_clear_line(command: str) -> None:
    with open("/dev/full", "wb") as full:
        process = subprocess.run(
            [*COMMAND, command, str(WEATHER)], env=ENVIRONMENT, stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert process.returncode == 1
    assert process.stderr == b"streamcore: standard output: no space left on device\n"


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_options_that_print_end_as_commands_do_when_their_output_cannot_be_written(option: str) -> None:
    with open("/dev/full", "wb") as full:
        process = subprocess.run([*COMMAND, option], env=ENVIRONMENT, stdout=full, stderr=subprocess.PIPE, check=False)
    assert process.returncode == 1
    assert process.stderr == b"streamcore: standard output: no space left on device\n"
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed:
        process = subprocess.run(
            [*COMMAND, option], env=ENVIRONMENT, stdout=closed, stderr=subprocess.PIPE, check=False
        )
    assert (process.returncode, process.stderr) == (128 + signal.SIGPIPE, b"")


def test_characters_that_the_output_cannot_encode_are_escaped() -> None:
    environment = {**ENVIRONMENT, "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    process = subprocess.run([*COMMAND, "replay", str(WEATHER)], env=environment, capture_output=True, check=False)
    assert process.returncode == 0
    assert rb"18 \xb0C" in process.stdout


def test_the_version_is_that_of_the_package_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run("--version")
    assert (result.exit_code, result.output) == (0, f"{importlib.metadata.version('streamcore-messages')}\n")

    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    result = run("--version")
    assert result.exit_code == 1
    assert result.output == "streamcore: the version is not known, because the package is not installed\n"


def test_the_extra_of_the_command_brings_what_reads_every_format() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    assert "streamcore-messages[replay]" in extras["cli"]
    assert {"ijson", "pyyaml"} <= {requirement.partition(">")[0] for requirement in extras["replay"]}


@pytest.mark.parametrize("command", ["serve", "record"])
def test_the_help_says_what_else_a_command_needs(command: str) -> None:
    assert "pip install 'streamcore-messages[serve]'" in run(command, "--help").stdout


@pytest.mark.parametrize("missing", ["click", "rich"])
def test_without_the_extra_the_command_says_how_to_install_it(missing: str) -> None:
    program = f"import sys; sys.modules[{missing!r}] = None; from streamcore.cli import main; main()"
    process = subprocess.run([sys.executable, "-c", program], env=ENVIRONMENT, capture_output=True, check=False)
    assert process.returncode == 1
    assert process.stdout == b""
    assert process.stderr.count(b"\n") == 1
    assert b"pip install 'streamcore-messages[cli]'" in process.stderr


def test_the_core_imports_neither_click_nor_rich() -> None:
    program = "import sys, streamcore, streamcore.cli; assert not {'click', 'rich'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", program], env=ENVIRONMENT, check=True)
