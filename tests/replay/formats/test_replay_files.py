"""Captures in files: each format gives back what was written, reading is lazy, files are whole or not there."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from helpers import STOP, STREAMS, body, start, stream_id
from hypothesis import given
from hypothesis import strategies as st

from streamcore.replay import (
    Capture,
    CapturedRequest,
    CaptureError,
    Chunk,
    End,
    Format,
    Pause,
    open_capture,
    read_captures,
    write_captures,
)
from streamcore.replay.capture import Headers
from streamcore.replay.formats.files import FORMATS, SUFFIXES

REQUEST = CapturedRequest(
    url="https://api.anthropic.com/v1/messages", headers={"content-type": "application/json"}, body=b'{"max_tokens":1}'
)


def chunked(data: bytes, size: int = 1000) -> tuple[Chunk, ...]:
    return tuple(Chunk(n * 0.25, data[n * size : (n + 1) * size]) for n in range(-(-len(data) // size)))


def captured(data: bytes, headers: Headers = (("request-id", "req_1"),)) -> Capture:
    chunks = chunked(data)
    end = End(chunks[-1].time if chunks else 0.0)
    return Capture(request=REQUEST, status=201, headers=headers, body=(*chunks, end))


def test_each_name_of_a_format_has_its_row() -> None:
    assert FORMATS.keys() == set(get_args(Format))


@pytest.mark.parametrize("path", STREAMS, ids=stream_id)
def test_a_recorded_stream_comes_through_every_format_unchanged(path: Path, tmp_path: Path) -> None:
    data = path.read_bytes()
    capture = captured(data, headers=(("content-type", "text/event-stream"), ("a", "1"), ("a", "2"), ("b", "")))
    for suffix, name in SUFFIXES.items():
        file, form = tmp_path / f"a{suffix}", FORMATS[name]
        write_captures(file, [capture, capture] if form.has_heads else [capture])
        back = list(read_captures(file))
        assert b"".join(each.data for each in back) == data * (2 if form.has_heads else 1), suffix
        if form.has_heads:
            assert {(each.request, each.status, each.headers) for each in back} == {(REQUEST, 201, capture.headers)}
        if form.has_times:
            assert [each.in_memory() for each in back] == [capture, capture]


steps = st.lists(st.builds(Chunk, st.integers(0, 10**9).map(lambda n: n / 1000), st.binary(max_size=20)))
ends = st.builds(End, st.just(1e6), st.sampled_from(["complete", "closed"])) | st.builds(
    End, st.just(1e6), st.just("broken"), st.text()
)
headers = st.lists(st.tuples(st.text(), st.text())).map(tuple)
requests = st.none() | st.builds(
    CapturedRequest, method=st.text(), url=st.text(), headers=headers, body=st.binary(max_size=20)
)


@given(
    st.lists(
        st.builds(Capture, request=requests, status=st.integers(100, 599), headers=headers, body=steps), max_size=3
    ),
    ends,
)
def test_the_timed_format_gives_back_any_captures(
    tmp_path_factory: pytest.TempPathFactory, made: list[Capture], end: End
) -> None:
    captures = [Capture(request=c.request, status=c.status, headers=c.headers, body=(*c.body, end)) for c in made]
    if not captures:
        return
    path = tmp_path_factory.mktemp("timed") / "a.jsonl"
    write_captures(path, captures, redaction=None)
    assert [capture.in_memory() for capture in read_captures(path)] == captures


def test_a_file_cut_short_gives_what_it_has_and_then_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_captures(path, [captured(b"x" * 5000)])
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))
    body = iter(open_capture(path).body)
    assert [next(body) for _ in range(5)] == list(chunked(b"x" * 5000))
    with pytest.raises(CaptureError, match=r"a\.jsonl, line 6: the capture has no end line"):
        next(body)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b"", "it has no captures"),
        (b"{}\n", "line 1: not the header of a capture"),
        (b"data: {}\n", "line 1: not the header of a capture"),
        (b"\xff\n", "line 1: not the header of a capture"),
        (b'{"streamcore":"capture","version":2,"response":{"status":200}}\n', "version 2, and this reads version 1"),
        (b'{"streamcore":"capture","version":1,"response":{"status":"ok"}}\n', r"\$.response.status"),
    ],
)
def test_what_is_no_capture_is_refused_with_its_place(line: bytes, fault: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(line)
    with pytest.raises(CaptureError, match=fault):
        open_capture(path)


@pytest.mark.parametrize(
    "line", [b"{}", b'{"t":0}', b'{"t":0,"text":"\\ud800"}', b'{"t":0,"base64":"?"}', b"[", b"\xff"]
)
def test_a_bad_line_is_named(line: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_captures(path, [captured(b"x" * 3000)])
    lines = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([*lines[:2], line, *lines[2:]]))
    with pytest.raises(CaptureError, match="line 3: not a line of a capture"):
        list(open_capture(path).body)


def test_a_file_that_is_not_there_or_has_an_unknown_suffix_is_a_clear_error(tmp_path: Path) -> None:
    for name in ("none.jsonl", "none.sse"):
        with pytest.raises(CaptureError, match="cannot be read: No such file"):
            open_capture(tmp_path / name)
    with pytest.raises(CaptureError, match=r"the suffix '\.xml' must be one of \.jsonl"):
        open_capture(tmp_path / "a.xml")
    with pytest.raises(CaptureError, match="cannot be written: No such file"):
        write_captures(tmp_path / "none" / "a.jsonl", [])


def test_a_file_that_could_not_be_written_whole_is_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"before")

    def failing() -> Iterator[Capture]:
        yield captured(b"x" * 5000)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_captures(path, failing())
    assert path.read_bytes() == b"before"
    assert [each.name for each in tmp_path.iterdir()] == ["a.jsonl"]


def test_pauses_become_times(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_captures(path, [Capture(body=(Chunk(1, b"a"), Pause(2), Chunk(1.5, b"b"), End(2)))])
    assert list(open_capture(path).body) == [Chunk(1, b"a"), Chunk(3.5, b"b"), End(4)]


def test_streams_one_after_the_other_are_captures_of_their_own(tmp_path: Path) -> None:
    first = body(start("msg_1"), STOP)
    second = b": hello\n" + body(start("msg_2"), STOP) + b": bye\n\n"
    path = tmp_path / "a.sse"
    path.write_bytes(first + second)
    assert [capture.data for capture in read_captures(path)] == [first, second]


def test_only_the_message_start_after_a_message_stop_begins_a_stream(tmp_path: Path) -> None:
    data = body(start("msg_1"), start("msg_1"), start("msg_2")) + b"data: message_stop\n\n" + body(start("msg_3"))
    path = tmp_path / "a.sse"
    path.write_bytes(data)
    assert [capture.data for capture in read_captures(path)] == [data]


def test_a_stream_after_one_that_broke_off_is_a_capture_of_its_own(tmp_path: Path) -> None:
    whole = body(start("msg_2"), STOP)
    path = tmp_path / "a.sse"
    for size in (0, 1, 40, len(body(start("msg_1"))), len(body(start("msg_1"))) + 5, len(whole) - 1):
        for newline in (b"\n", b"\r\n", b"\r"):
            broken = body(start("msg_1"), STOP).replace(b"\n", newline)[:size]
            write_captures(path, [captured(broken), captured(whole), captured(whole), captured(broken)])
            found = [capture.data for capture in read_captures(path)]
            assert b"".join(found) == broken + whole + whole + broken
            assert found[:2] == [broken, whole]
    write_captures(path, [captured(whole), captured(whole)])
    assert path.read_bytes() == whole * 2


def test_where_a_stream_broke_off_is_found_at_any_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = body(start("msg_2"), STOP)
    path = tmp_path / "a.sse"
    write_captures(path, [captured(whole[:50]), captured(whole)])
    for size in range(1, 80):
        monkeypatch.setattr("streamcore.replay.formats.sse._BLOCK_SIZE", size)
        assert [capture.data for capture in read_captures(path)] == [whole[:50], whole]


def test_a_plain_file_is_no_larger_in_memory_than_a_block(tmp_path: Path) -> None:
    path = tmp_path / "a.sse"
    path.write_bytes(b"\0" * 300_000 + b"\n\n")
    assert max(len(chunk.data) for chunk in open_capture(path).chunks) <= 300_002
    assert open_capture(path).data == path.read_bytes()


def test_a_file_of_bare_streams_holds_no_other_answers(tmp_path: Path) -> None:
    path = tmp_path / "a.sse"
    failure = Capture(status=529, headers={"content-type": "application/json"}, body=[Chunk(0, b"{}")], name="busy")
    page = Capture(headers={"Content-Type": "text/html; charset=utf-8"}, body=[Chunk(0, b"<html>")])
    write_captures(path, [failure, captured(b"data: 1\n\n"), page])
    assert path.read_bytes() == b"data: 1\n\n"
    with pytest.raises(CaptureError, match="none of the captures is an event stream: busy · status 529"):
        write_captures(path, [failure, page])
    assert path.read_bytes() == b"data: 1\n\n"


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "link.sse").symlink_to(tmp_path / "a.sse")
    write_captures(tmp_path / "link.sse", [captured(b"data: 1\n\n")])
    assert (tmp_path / "a.sse").read_bytes() == b"data: 1\n\n"
    assert (tmp_path / "link.sse").is_symlink()


def test_a_pipe_can_be_read_once(tmp_path: Path) -> None:
    path = tmp_path / "a.sse"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=[b"data: 1\n\n" * 3])
    writer.start()
    assert [capture.data for capture in read_captures(path)] == [b"data: 1\n\n" * 3]
    writer.join()


@pytest.mark.parametrize(("name", "library"), [("a.har", "ijson"), ("a.yaml", "yaml")])
def test_a_library_that_is_not_installed_is_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, library: str
) -> None:
    path = tmp_path / name
    write_captures(path, [captured(b"data: 1\n\n")])
    monkeypatch.delitem(sys.modules, "streamcore.replay.formats.yaml_items", raising=False)
    monkeypatch.setitem(sys.modules, library, None)
    said = rf"{library} is not installed, which this needs: pip install 'streamcore-messages\[replay\]'"
    with pytest.raises(CaptureError, match=said):
        open_capture(path)
    if library == "yaml":
        with pytest.raises(CaptureError, match=said):
            write_captures(path, [captured(b"data: 1\n\n")])


PAGE = b"<!doctype html>\n<html>\n<title>502 Bad Gateway</title>\n</html>\n"
HAR = b'{"log": {"entries": [{"request": {"method": "GET", "url": ""}, "response": {}}'


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize(
    ("content", "place", "begins"),
    [
        (PAGE, 0, "b'<!doctype html>'"),
        (b"\n \n" + PAGE, 3, "b'<!doctype html>'"),
        (b"<html>" + b"x" * 3_000_000, 0, "b'<html>xxx"),
        (HAR, len(HAR), "b'{"),
        (HAR + b",\xff]", len(HAR) + 1, "b'{"),
        (HAR + b"]}} x", len(HAR) + 4, "b'{"),
        (HAR + b"," + b" " * 3_000_000 + b"!" + b" " * 3_000_000, len(HAR) + 3_000_001, "b'{"),
        (b" " * 500 + b"!", 500, "b'    "),
    ],
)
def test_what_is_no_archive_is_said_in_one_line_with_its_place(
    content: bytes, place: int, begins: str, bom: bytes, tmp_path: Path
) -> None:
    for name in ("a.har", "a.json"):
        path = tmp_path / name
        path.write_bytes(bom + content)
        with pytest.raises(CaptureError) as caught:
            list(read_captures(path))
        said = str(caught.value)
        assert said.startswith(f"{path}: not a HAR file: ")
        assert f" (at byte {len(bom) + place}); it begins with {begins}" in said
        assert "\n" not in said
        assert "  " not in said.partition("; it begins")[0]
        assert "right here" not in said
        assert len(said) < 400


@pytest.mark.parametrize("suffix", [suffix for suffix, name in SUFFIXES.items() if FORMATS[name].has_heads])
def test_an_empty_archive_is_said_to_be_empty(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    is_timed = SUFFIXES[suffix] == "timed"  # it may be empty; the others have at least an empty list
    for content in (b"",) if is_timed else (b"", b" \n", b"\xef\xbb\xbf"):
        path.write_bytes(content)
        with pytest.raises(CaptureError) as caught:
            open_capture(path)
        assert str(caught.value) == f"{path}: {'it has no captures' if is_timed else 'it is empty'}"


def test_a_page_is_no_cassette_either(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(PAGE)
    with pytest.raises(CaptureError) as caught:
        open_capture(path)
    assert (
        str(caught.value) == f"{path}: not a cassette: the document is not a mapping; it begins with b'<!doctype html>'"
    )


def test_an_archive_may_come_through_a_pipe(tmp_path: Path) -> None:
    write_captures(tmp_path / "a.har", [captured(b"data: 1\n\n")])
    for content in ((tmp_path / "a.har").read_bytes(), PAGE):
        path = tmp_path / f"{len(content)}.har"
        os.mkfifo(path)
        writer = threading.Thread(target=path.write_bytes, args=[content])
        writer.start()
        if content is PAGE:
            with pytest.raises(CaptureError, match=r"invalid char in json text; it begins with b'<!doctype html>'$"):
                list(read_captures(path))
        else:
            assert [capture.data for capture in read_captures(path)] == [b"data: 1\n\n"]
        writer.join()
