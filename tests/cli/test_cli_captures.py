"""The commands that look at streams, over captures of every format."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import capture_formats
import pytest
from helpers import HELLO, body, by_frame
from test_cli import run, start_command
from wire import ask

from streamcore.replay import Capture, Chunk, End, read_captures, write_captures
from streamcore.replay.formats.files import capture_files
from streamcore.replay.server import serve

WEATHER = Path(__file__).parents[2] / "fixtures" / "weather.sse"
EVENT_STREAM = {"content-type": "text/event-stream"}
HELLO_BYTES = body(*HELLO)


@pytest.mark.parametrize("suffix", capture_formats.WITH_HEADS)
def test_a_capture_is_read_as_the_stream_it_holds(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"weather{suffix}"
    write_captures(path, read_captures(WEATHER))
    for command in ("replay", "events", "message"):
        assert run(command, path).stdout == run(command, WEATHER).stdout != ""
    assert run("check", path).stdout == run("check", WEATHER).stdout.replace(str(WEATHER), str(path))


def test_several_captures_in_a_file_are_several_messages(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_captures(path, [Capture(headers=EVENT_STREAM, body=(Chunk(0.0, HELLO_BYTES),))] * 3)
    lines = run("check", path).stdout.splitlines()
    for number, line in enumerate(lines[:3], 1):
        assert line == f"ok          {path}, exchange {number}  (messages: 1, events: 7, bytes: {len(HELLO_BYTES)})"
    assert lines[3:] == ["3 ok, 0 with violations, 0 failed"]
    assert run("message", path).stdout.count('"type": "message"') == 3


def test_a_folder_is_checked_with_its_captures(tmp_path: Path) -> None:
    write_captures(tmp_path / "a.jsonl", read_captures(WEATHER))
    (tmp_path / "b.sse").write_bytes(HELLO_BYTES)
    report = json.loads(run("check", "--json", tmp_path).stdout)
    assert [Path(file["path"]).name for file in report["files"]] == ["a.jsonl", "b.sse"]


def test_check_and_serve_find_the_same_captures_in_a_folder(tmp_path: Path) -> None:
    there = ["a.sse", "b.JSONL", "c.har", "below/a.sse", "below/more/d.yml", "below/more/e.json"]
    for name in there:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        write_captures(path, read_captures(WEATHER))
    (tmp_path / ".git").mkdir()
    for name in ("notes.txt", "sse", ".hidden.sse", ".git/f.sse"):
        (tmp_path / name).write_bytes(b"no capture")
    expected = sorted(tmp_path / name for name in there)
    report = json.loads(run("check", "--json", tmp_path).stdout)
    assert [Path(file["path"]) for file in report["files"]] == expected == capture_files(tmp_path)
    assert report["counts"]["ok"] == len(there)
    with serve(tmp_path) as url:
        names = ["", "/b", "/c", "/d", "/e", "/below/a.sse", f"/{tmp_path.name}/a.sse"]
        assert [ask(url + name).status for name in names] == [200] * len(names)
        assert [ask(url + name).status for name in ("/a", "/a.sse", "/f")] == [404] * 3


def test_a_folder_with_nothing_but_an_archive_is_checked(tmp_path: Path) -> None:
    write_captures(tmp_path / "a.har", read_captures(WEATHER))
    assert run("check", tmp_path).stdout.endswith("1 ok, 0 with violations, 0 failed\n")


def test_a_connection_that_broke_is_a_stream_that_ended_too_soon(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    body_of = (Chunk(0.0, by_frame(HELLO_BYTES)[0]), End(1.0, "broken", "reset"))
    write_captures(path, [Capture(headers=EVENT_STREAM, body=body_of)])
    result = run("check", path)
    assert result.exit_code == 1
    assert "message_stop has not come" in result.stdout
    assert run("replay", path).exit_code == 1


@pytest.mark.parametrize(
    ("capture", "said"),
    [
        (
            Capture(status=529, body=(Chunk(0.0, b"busy"),)),
            "the answer is not a stream or a message (status 529): b'busy'",
        ),
        (
            Capture(headers={"content-type": "application/json"}, body=(Chunk(0.0, b"{}"),)),
            "the answer is not a stream or a message (status 200, application/json): b'{}'",
        ),
        (Capture(headers=EVENT_STREAM), "it is empty"),
    ],
)
def test_a_capture_that_holds_no_stream_says_so(capture: Capture, said: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_captures(path, [capture])
    result = run("replay", path)
    assert (result.exit_code, result.stderr) == (1, f"streamcore: {path}, exchange 1: {said}\n")


def test_a_damaged_capture_names_the_line_once(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_captures(path, read_captures(WEATHER))
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    result = run("message", path)
    assert result.exit_code == 1
    assert result.stderr == f"streamcore: {path}, line 2: the capture has no end line: the file was cut short\n"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "a.jsonl",
            b"<html>",
            "line 1: not the header of a capture (JSON is malformed: invalid character (byte 0)): b'",
        ),
        ("a.jsonl", b"", "it has no captures"),
        ("a.har", b"{}", "it has no captures"),
        ("a.yaml", b"a: [", "line 2: not a cassette: did not find expected node content"),
    ],
)
def test_check_of_what_is_no_capture_names_the_file_once(name: str, content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    first, second, _ = run("check", path).stdout.splitlines()
    assert first.split() == ["failed", str(path)]
    assert second.strip().startswith(said)
    assert json.loads(run("check", "--json", path).stdout)["files"][0]["fault"]["message"].startswith(said)


def test_an_error_event_in_a_capture_is_shown_as_it_came(tmp_path: Path) -> None:
    """Offsets are in the stream then, and no places in the file."""
    path = tmp_path / "a.jsonl"
    write_captures(path, read_captures(WEATHER.parent / "broken" / "error.sse"))
    (report,) = json.loads(run("check", "--json", path).stdout)["files"]
    assert (report["fault"]["kind"], report["fault"]["offset"]) == ("overloaded_error", 900)
    assert report["fault"]["context"].startswith('b\'{"type":"error",')


def test_replay_keeps_the_times_of_a_capture(tmp_path: Path) -> None:
    """Output that is due in an hour is not shown; output before it is."""
    path = tmp_path / "a.jsonl"
    frames = by_frame(HELLO_BYTES)
    body_of = (Chunk(0.0, b"".join(frames[:3])), Chunk(3600.0, b"".join(frames[3:])))
    write_captures(path, [Capture(headers=EVENT_STREAM, body=body_of)])
    process = start_command("replay", "--speed", "1", path)
    try:
        assert process.stdout is not None
        shown = b""
        deadline = time.monotonic() + 30
        while b"Hel" not in shown and time.monotonic() < deadline:
            shown += process.stdout.read1()  # type: ignore[attr-defined]
        assert b"Hel" in shown
        assert b"Hello" not in shown
    finally:
        process.kill()
        process.communicate()
    assert "Hello" in run("replay", "--speed", "0", path).stdout
    assert "Hello" in run("replay", "--speed", "100000", path).stdout


@pytest.mark.parametrize(
    ("module", "arguments", "extra"),
    [
        ("ijson", ["message", "a.har"], "replay"),
        ("yaml", ["convert", "a.jsonl", "b.yaml"], "replay"),
        ("aiohttp", ["serve", "a.jsonl"], "serve"),
        ("aiohttp", ["record", "--url", "http://x", "--output", "b.jsonl"], "serve"),
    ],
)
def test_what_is_not_installed_is_said_with_the_extra_that_brings_it(
    module: str, arguments: list[str], extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.jsonl", "a.har"):
        write_captures(name, read_captures(WEATHER))
    for name in [name for name in sys.modules if name.startswith(("streamcore.replay.", "aiohttp"))]:
        if name.startswith(("aiohttp", "streamcore.replay.server")) or name.endswith(".yaml_items"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    result = run(*arguments)
    assert result.exit_code == 1
    assert result.stderr == (
        f"streamcore: {module} is not installed, which this needs: pip install 'streamcore-messages[{extra}]'\n"
    )
