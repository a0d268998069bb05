"""`streamcore convert`: between files, formats and pipes, and what it says when it cannot."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import attrs
import capture_formats
import pytest
from helpers import STREAMS, stream_id
from test_cli import run

from streamcore.replay import Capture, CapturedRequest, Chunk, End, open_capture, read_captures, write_captures
from streamcore.replay.formats.files import FORMATS, check_format

WEATHER = Path(__file__).parents[2] / "fixtures" / "weather.sse"
CAPTURE = Capture(
    request=CapturedRequest(url="https://api.anthropic.com/v1/messages", body=b"{}"),
    headers={"content-type": "text/event-stream"},
    body=(Chunk(0.0, b"data: 1\n\n"), Chunk(0.5, b"data: \xf0"), Chunk(1.5, b"\x9f\x8c\xa6\n\n"), End(2.0)),
)


@pytest.fixture
def timed(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    write_captures(path, [CAPTURE])
    return path


@pytest.mark.parametrize("path", STREAMS, ids=stream_id)
def test_a_stream_comes_back_unchanged(path: Path, tmp_path: Path) -> None:
    assert run("convert", path, tmp_path / "a.jsonl").exit_code == 0
    result = run("convert", tmp_path / "a.jsonl", tmp_path / "b.sse")
    assert (result.exit_code, result.output) == (0, "")
    assert (tmp_path / "b.sse").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("suffix", capture_formats.WITH_HEADS)
def test_the_other_formats_keep_the_exchange(suffix: str, timed: Path, tmp_path: Path) -> None:
    other, back = tmp_path / f"a{suffix}", tmp_path / "b.jsonl"
    assert run("convert", timed, other).exit_code == 0
    assert run("convert", other, back).exit_code == 0
    capture = open_capture(back)
    assert capture.data == CAPTURE.data
    assert capture.request is not None
    assert capture.request.url == "https://api.anthropic.com/v1/messages"
    assert capture.header("content-type") == "text/event-stream"


def test_secrets_are_left_behind(tmp_path: Path) -> None:
    request = CapturedRequest(url="https://api.anthropic.com/v1/messages", headers={"x-api-key": "very-secret-key"})
    write_captures(tmp_path / "a.jsonl", [attrs.evolve(CAPTURE, request=request)], redaction=None)
    assert "very-secret" in (tmp_path / "a.jsonl").read_text()
    assert run("convert", tmp_path / "a.jsonl", tmp_path / "b.har").exit_code == 0
    assert "very-secret" not in (tmp_path / "b.har").read_text()


def test_the_suffixes_tell_the_formats_unless_options_do(timed: Path, tmp_path: Path) -> None:
    assert run("convert", timed, tmp_path / "a.txt", "--to", "sse").exit_code == 0
    assert (tmp_path / "a.txt").read_bytes() == CAPTURE.data
    assert run("convert", tmp_path / "a.txt", tmp_path / "b.txt", "--from", "sse", "--to", "timed").exit_code == 0
    assert open_capture(tmp_path / "b.txt", format="timed").data == CAPTURE.data


def test_the_same_format_keeps_all(timed: Path, tmp_path: Path) -> None:
    assert run("convert", timed, tmp_path / "out.jsonl").exit_code == 0
    assert [each.in_memory() for each in read_captures(tmp_path / "out.jsonl")] == [CAPTURE]


def test_standard_input_and_output(timed: Path) -> None:
    result = run("convert", "-", "-", "--from", "timed", "--to", "sse", stdin=timed.read_bytes())
    assert (result.exit_code, result.stdout_bytes) == (0, CAPTURE.data)
    result = run("convert", "-", "-", "--from", "sse", "--to", "timed", stdin=WEATHER.read_bytes())
    assert result.stdout_bytes.startswith(b'{"streamcore":"capture"')


def test_a_file_may_be_converted_onto_itself(timed: Path) -> None:
    assert run("convert", timed, timed, "--to", "sse").exit_code == 0
    assert timed.read_bytes() == CAPTURE.data


@pytest.mark.parametrize(
    ("arguments", "stdin", "said"),
    [
        (["-", "a.sse"], b"", "standard input has no suffix that tells its format: give --from"),
        (["a.sse", "-"], b"", "standard output has no suffix that tells its format: give --to"),
        (["a.sse", "b.xml"], b"", "b.xml: the suffix '.xml' must be one of"),
        (["a.sse", "b.xml", "--to", "xml"], b"", "the format 'xml' must be one of"),
        (["a.txt", "b.sse"], b"", "--from says what it is"),
        (["a.sse", "b.jsonl"], b"", "a.sse: cannot be read: No such file"),
        (["-", "b.sse", "--from", "timed"], b"", "standard input: it is empty"),
        (["-", "b.sse", "--from", "timed"], b"data: {}\n", "standard input, line 1: not the header of a capture"),
        (["-", "/nowhere/b.sse", "--from", "sse"], b"data: {}\n\n", "/nowhere/b.sse: cannot be written: No such file"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    arguments: list[str], stdin: bytes, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("convert", *arguments, stdin=stdin)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


NO_STREAMS = {
    "empty": (b"", "it is empty"),
    "html": (
        b"<!doctype html>\n<title>502</title>",
        "the body is not an event stream; it begins with b'<!doctype html>'",
    ),
    "html with an event in it": (b"<html>\ndata: {}\n\n", "the body is not an event stream; it begins with b'<html>'"),
    "html after blank lines": (b"\n\n\n<html>\n" * 6_000, "the body is not an event stream; it begins with"),
    "json": (b'{"type":"error"}', 'the body is not an event stream; it begins with b\'{"type":"error"}\''),
    "binary": (bytes(range(256)) * 1000, "the body is not an event stream"),
    "text": (b"busy\ntry again\n\n" * 9000, "the body is not an event stream; it begins with b'busy"),
    "utf-16": (WEATHER.read_text(encoding="utf-8").encode("utf-16"), "the body is not an event stream"),
}


@pytest.mark.parametrize("kind", NO_STREAMS)
def test_bytes_that_are_no_event_stream_make_no_capture(kind: str, tmp_path: Path) -> None:
    content, said = NO_STREAMS[kind]
    path = tmp_path / "in.sse"
    path.write_bytes(content)
    out = tmp_path / "out"
    for target_format in FORMATS:
        out.write_bytes(b"before")
        for source, stdin, name in ((path, None, str(path)), ("-", content, "standard input")):
            result = run("convert", source, out, "--from", "sse", "--to", target_format, stdin=stdin)
            assert (result.exit_code, result.stdout) == (1, "")
            assert result.stderr.startswith(f"streamcore: {name}: {said}")
            assert result.stderr.count("\n") == 1
            assert out.read_bytes() == b"before"
    fifo = tmp_path / "fifo.sse"
    os.mkfifo(fifo)
    writer = threading.Thread(target=fifo.write_bytes, args=[content])
    writer.start()
    assert said in run("convert", fifo, tmp_path / "b.jsonl").stderr
    writer.join()
    assert not (tmp_path / "b.jsonl").exists()


@pytest.mark.parametrize(
    "content",
    [
        b": ping",
        b"data: {",
        b"event: message_start\ndata: {}\n\n",
        b"\xef\xbb\xbfdata: \xff\n\n",
        b"even",
        b"data: 1\n\n<html>",
        WEATHER.read_bytes()[:100],
    ],
)
def test_a_stream_that_is_broken_is_a_stream(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "in.sse").write_bytes(content)
    assert run("convert", tmp_path / "in.sse", tmp_path / "out.jsonl").exit_code == 0
    assert open_capture(tmp_path / "out.jsonl").data == content


def test_answers_that_are_no_stream_are_kept_where_the_format_knows_them(tmp_path: Path) -> None:
    busy = Capture(status=529, headers={"content-type": "text/html"}, body=(Chunk(0.0, b"<html>"),))
    none = Capture(status=204)
    write_captures(tmp_path / "a.har", [busy, none])
    assert run("convert", tmp_path / "a.har", tmp_path / "b.jsonl").exit_code == 0
    assert [(each.status, each.data) for each in read_captures(tmp_path / "b.jsonl")] == [(529, b"<html>"), (204, b"")]


def test_a_directory_is_said_to_be_one(timed: Path, tmp_path: Path) -> None:
    for arguments in ((tmp_path, tmp_path / "b.sse"), (timed, tmp_path)):
        result = run("convert", *arguments)
        assert (result.exit_code, result.stderr) == (1, f"streamcore: {tmp_path}: is a directory\n")


def test_a_capture_that_is_damaged_half_way_leaves_what_was_there(timed: Path, tmp_path: Path) -> None:
    timed.write_bytes(b"".join(timed.read_bytes().splitlines(keepends=True)[:-1]))
    (tmp_path / "out.sse").write_bytes(b"before")
    result = run("convert", timed, tmp_path / "out.sse")
    assert result.exit_code == 1
    assert "in.jsonl, line 4: the capture has no end line" in result.stderr
    assert (tmp_path / "out.sse").read_bytes() == b"before"
    piped = run("convert", timed, "-", "--to", "sse")
    assert (piped.exit_code, piped.stdout_bytes) == (1, b"")


def packed(number: int) -> Capture:
    return attrs.evolve(CAPTURE, headers={"content-encoding": "lzma"}, body=[Chunk(0, b"packed-%d" % number)])


@pytest.mark.parametrize("suffix", capture_formats.ALL)
@pytest.mark.parametrize("count", [1, 3])
def test_a_capture_that_cannot_be_redacted_is_left_out_and_said(suffix: str, count: int, tmp_path: Path) -> None:
    source, target = tmp_path / "a.jsonl", tmp_path / f"b{suffix}"
    captures = [CAPTURE, *map(packed, range(count)), CAPTURE]
    write_captures(source, captures, redaction=None)
    result = run("convert", source, target)
    assert result.exit_code == 1
    others = "" if count == 1 else " (and 2 more)"
    name = list(read_captures(source))[1].name
    assert result.stderr == (
        f"streamcore: left out because it cannot be redacted: {name}: "
        f"its body is packed ('lzma'), so secrets cannot be found in it{others}\n"
    )
    assert [capture.data for capture in read_captures(target)] == [CAPTURE.data] * 2
    printed = run("convert", source, "-", "--to", check_format(None, target))
    assert printed.exit_code == 1
    assert printed.stdout_bytes == target.read_bytes()


def test_nothing_is_written_if_no_capture_can_be_redacted(tmp_path: Path) -> None:
    source, target = tmp_path / "a.jsonl", tmp_path / "b.har"
    write_captures(source, [packed(0)], redaction=None)
    result = run("convert", source, target)
    assert result.exit_code == 1
    assert "its body is packed ('lzma')" in result.stderr
    assert not target.exists()
