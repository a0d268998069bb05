"""Small files and bodies that would become large: each is refused in one line, in little memory and linear work."""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import subprocess
import sys
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import brotli  # type: ignore[import-untyped]
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from test_bombs import check_linear

from streamcore.replay import Capture, CapturedRequest, CaptureError, Redaction, read_captures
from streamcore.replay import content_coding as content
from streamcore.replay.content_coding import ContentDecoder, ContentError, decoded
from streamcore.replay.formats import cassette, timed, yaml_items
from streamcore.replay.formats import har as har_format
from streamcore.replay.formats import sse as plain
from streamcore.replay.formats.event_splitter import EventSplitter
from streamcore.replay.formats.files import read_exchanges
from streamcore.replay.formats.json_depth import DepthGuard, TooDeepError

MB = 1024 * 1024
DEEP = 100_000
LONG = "9" * 5000
HEADER = '{"streamcore":"capture","version":1,"response":{"status":200}}\n'


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


def har(entry: str) -> str:
    return f'{{"log":{{"entries":[{entry}]}}}}'


def answered(status: str) -> str:
    return har(f'{{"request":{{"method":"GET","url":"a"}},"response":{{"status":{status}}}}}')


def interaction(response: str, request: str = "{method: A, uri: b}") -> str:
    return f"interactions:\n- request: {request}\n  response: {response}\n"


FILES = [
    ("a.har", "[" * 40_000, "nested more than 200 deep"),
    ("a.har", "[" * DEEP, "nested more than 200 deep"),
    ("a.har", '{"a":' * DEEP, "nested more than 200 deep"),
    ("a.har", har("[" * DEEP), "nested more than 200 deep"),
    ("a.har", har(nested(201)), "nested more than 200 deep"),
    ("a.har", har('{"request":' + nested(DEEP) + "}"), "nested more than 200 deep"),
    ("a.har", " " * 3 * MB + "[" * DEEP, "nested more than 200 deep"),
    ("a.har", har('{"a":"' + '\\"[' * MB + '"},' + "[" * 300), "nested more than 200 deep"),
    ("a.har", answered(LONG), "not a HAR file"),
    ("a.har", answered("1e999999"), "not a HAR file"),
    ("a.har", answered("-1.5"), "entry 1 is not a HAR entry"),
    ("a.har", '{"a":' + LONG + "}", "not a HAR file"),
    ("a.jsonl", "[" * DEEP, "line 1: not the header of a capture"),
    ("a.jsonl", '{"streamcore":' + nested(DEEP) + "}", "line 1: not the header of a capture"),
    ("a.jsonl", HEADER.replace("1,", '1,"x":' + nested(DEEP) + ",", 1), "line 1: not the header of a capture"),
    ("a.jsonl", HEADER.replace("200", LONG), "line 1: not the header of a capture"),
    ("a.jsonl", HEADER.replace("1,", LONG + ",", 1), "line 1: not the header of a capture"),
    ("a.jsonl", HEADER + '{"t":0,"x":' + nested(DEEP) + "}\n", "line 2: not a line of a capture"),
    ("a.jsonl", HEADER + '{"t":' + LONG + "}\n", "line 2: not a line of a capture"),
    ("a.jsonl", HEADER + '{"t":0,"end":"complete"}\n{"streamcore":' + nested(DEEP) + "}\n", "line 3: not the header"),
    ("a.yaml", "[" * DEEP, "not a cassette: .*nest"),
    ("a.yaml", "interactions:\n- " + "- " * DEEP + "1", "nested more than 50 deep"),
    ("a.yaml", "interactions:\n- " + "{a: " * DEEP, "nested more than 50 deep"),
    ("a.yaml", interaction("{status: {code: " + LONG + "}}"), "a number is too long"),
    ("a.yaml", interaction("{status: {code: '" + LONG + "'}}"), "interaction 1 is not one of vcrpy's"),
    ("a.yaml", interaction("{status: {code: 1" + ":1" * DEEP + "}}"), "a number is too long"),
    ("a.yaml", "".join(f"%TAG !{n}! a\n" for n in range(10_000)) + "---\n" + interaction("{}"), "64 KB before"),
    ("a.yaml", "interactions:\n- {" + f"{2**61 - 1}: 1, " * DEEP + "}", "a value has more than 100000 parts"),
    ("a.yaml", f"interactions:\n- {{{2**61 - 1}: 1}}", "a number is too long for a key"),
    ("a.yaml", f"interactions:\n- {{{2**61 - 1:#x}: 1}}", "a number is too long for a key"),
    ("a.yaml", f"interactions:\n- !!set {{{-(2**61 - 1)}}}", "a number is too long for a key"),
    ("a.yaml", interaction("{status: {code: 200}, x: [" + "[]," * DEEP + "]}"), "a value has more than 100000 parts"),
    ("a.yaml", interaction("{status: {code: !!bool x}}"), "not of the type that its tag names"),
    ("a.yaml", interaction("{status: {code: !!timestamp x}}"), "not of the type that its tag names"),
    ("a.yaml", interaction("{status: {code: !!int ''}}"), "not of the type that its tag names"),
    ("a.yaml", "interactions: [\0]", "control characters are not allowed"),
    ("a.yaml", interaction("{status: {code: .inf}}"), "interaction 1 is not one of vcrpy's"),
    ("a.yaml", interaction("{status: {code: 200}, headers: [1]}"), "headers are a mapping, not list"),
    ("a.yaml", interaction("{status: {code: 200}, headers: {a: [[1]]}}"), "the value of a header is a text, not list"),
]


@pytest.mark.parametrize(("name", "text", "said"), FILES, ids=lambda value: str(value)[:20])
def test_a_file_that_is_nested_too_deep_or_has_too_long_a_number_is_refused_in_a_line(
    name: str, text: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(CaptureError, match=said) as caught:
        all(capture.data or True for capture in read_captures(path))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_an_alias_that_stands_for_much_is_not_written_out(tmp_path: Path) -> None:
    lists = "\n".join(["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40))])
    merged = "\n".join(["m0: &m0 {x: y}", *(f"m{n}: &m{n} {{<<: [*m{n - 1}, *m{n - 1}]}}" for n in range(1, 40))])
    for text, said in (
        (f"{lists}\n{interaction('{status: {code: 200}, headers: {a: *a39}}')}", "aliases stand for more than"),
        (f"a: &a [x, [y]]\n{interaction('{status: {code: 200}, headers: {a: *a}}')}", "is a text, not list"),
        (f"{merged}\n{interaction('{status: {code: 200}}')}", "not a cassette: .*merge"),
    ):
        (tmp_path / "a.yaml").write_text(text)
        with pytest.raises(CaptureError, match=said):
            list(read_captures(tmp_path / "a.yaml"))


def test_aliases_in_many_interactions_do_not_stand_for_much_more_than_the_file_has(tmp_path: Path) -> None:
    answered_alike = interaction("{status: {code: 200}, body: {string: *body}}").partition("\n")[2]
    for count, size in ((100, 1000), (100, MB)):
        path = tmp_path / "a.yaml"
        path.write_text(f"x: &body {'a' * size}\ninteractions:\n{answered_alike * count}")
        if size == MB:
            with pytest.raises(CaptureError, match="aliases stand for more than 4194304 characters"):
                list(read_captures(path))
        else:
            assert {capture.data for capture in read_captures(path)} == {b"a" * size}


def test_the_bodies_of_a_cassette_have_a_limit_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cassette, "_MOST_CONTENT", 3 * MB)
    body = base64.b64encode(brotli.compress(bytes(MB))).decode()
    answer = f"{{status: {{code: 200}}, headers: {{content-encoding: br}}, body: {{string: !!binary '{body}'}}}}"
    packed = interaction(answer).partition("\n")[2]
    for count in (3, 4):
        (tmp_path / "a.yaml").write_text("interactions:\n" + packed * count)
        captures = read_captures(tmp_path / "a.yaml")
        assert [len(next(captures).data) for _ in range(3)] == [MB] * 3
    with pytest.raises(CaptureError, match=r"interaction 4 .* more than 3145728 bytes when they are unpacked"):
        next(captures)


def test_the_work_on_a_file_of_many_short_streams_grows_with_their_number(tmp_path: Path) -> None:
    """Count the bytes that are split: those of a stream, and not a block for each."""
    streams = 200
    (tmp_path / "a.sse").write_bytes(b'data: {"type":"message_start"}\n\ndata: {"type":"message_stop"}\n\n' * streams)
    split = 0

    class Counting(EventSplitter):
        def feed(self, data: bytes) -> list[bytes]:
            nonlocal split
            split += len(data)
            return super().feed(data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain, "EventSplitter", Counting)
        assert len(list(read_captures(tmp_path / "a.sse"))) == streams
    assert split < streams * 2048


def test_captures_of_a_jsonl_file_do_not_overlap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Count the lines that are read: one that is both a header and a chunk ends the capture before it."""
    read = 0
    step = timed._TimedBody._step

    def counting(body: Any, line: bytes, number: int) -> Any:
        nonlocal read
        read += 1
        return step(body, line, number)

    monkeypatch.setattr(timed._TimedBody, "_step", counting)
    both = HEADER.replace("}}", '},"t":0,"text":"a"}')
    counts = []
    for captures in (50, 100):
        (tmp_path / "a.jsonl").write_text((both + '{"t":0,"text":"b"}\n') * captures + '{"t":0,"end":"complete"}\n')
        read = 0
        for number, capture in enumerate(read_captures(tmp_path / "a.jsonl"), 1):
            if number == captures:
                assert capture.data == b"b"
            else:
                with pytest.raises(CaptureError, match=f"line {2 * number}: the capture has no end line"):
                    _ = capture.data
        counts.append(read)
    assert counts[1] < 2.1 * counts[0]


def test_a_line_of_a_jsonl_file_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of zeros that takes no room on the disk would fill the memory."""
    monkeypatch.setattr(timed, "_LONGEST_LINE", MB)
    path = tmp_path / "a.jsonl"
    for text in ("", HEADER, HEADER + '{"t":0,"end":"complete"}\n'):
        path.write_text(text)
        os.truncate(path, 100 * 1024 * MB)
        with pytest.raises(CaptureError, match=r"a\.jsonl: a line has more than 1048576 bytes"):
            all(capture.data or True for capture in read_captures(path))


def test_the_parts_that_anchors_keep_to_the_end_of_a_cassette_have_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yaml_items, "_MOST_ANCHORED", 250)
    path = tmp_path / "a.yaml"
    path.write_text("interactions:\n" + "".join(f"- &a{n} [{'1,' * 98}1]\n- *a{n}\n" for n in range(3)) + "- [1]\n")
    *_, too_many, lost, other = map(str, read_exchanges(path))
    assert "anchors are on more than 250 parts" in too_many
    assert "found undefined alias" in lost
    assert "on more than" not in other


# Depth


@given(st.lists(st.sampled_from(["[", "]", "{", "}", '"', "\\", "a", '"["', '"\\""'])).map("".join), st.integers(1, 9))
def test_depth_is_counted_outside_strings_however_the_text_is_cut(text: str, size: int) -> None:
    depth = deepest = 0
    in_string = escaped = False
    for character in text:
        if in_string:
            in_string = escaped or character != '"'
            escaped = not escaped and character == "\\"
        elif character == '"':
            in_string = True
        else:
            depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(character, 0)
            deepest = max(deepest, depth)
    data = text.encode()

    def check(limit: int) -> None:
        guard = DepthGuard(limit)
        for at in range(0, len(data), size):
            guard.check(data[at : at + size])

    check(deepest)
    if deepest:
        with pytest.raises(TooDeepError, match=f"more than {deepest - 1} deep"):
            check(deepest - 1)


def test_a_har_file_may_be_nested_as_deep_as_the_stack_of_a_browser(tmp_path: Path) -> None:
    stack: Any = {}
    for _ in range(150):
        stack = {"parent": stack}
    entry = {"request": {"method": "GET", "url": "a"}, "response": {"status": 200}, "_initiator": {"stack": stack}}
    (tmp_path / "a.har").write_text(har(json.dumps(entry)))
    assert [capture.status for capture in read_captures(tmp_path / "a.har")] == [200]


def test_the_place_of_a_fault_is_found_in_few_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parser begins a long number or string anew with each read: many small ones are quadratic."""
    reads = 0
    read = har_format._Reader.read

    def counting(reader: Any, size: int) -> bytes:
        nonlocal reads
        reads += 1
        return read(reader, size)

    monkeypatch.setattr(har_format._Reader, "read", counting)
    for begin in ('{"a":"' + "b" * 10_000, '{"a":"' + "b" * (MB + 5000), '\ufeff{"a":[' + "[1]," * 10_000):
        reads = 0
        (tmp_path / "a.har").write_text(begin + '\\x"}')
        with pytest.raises(CaptureError) as caught:
            list(read_captures(tmp_path / "a.har"))
        found = re.search(r"at byte (\d+)", str(caught.value))
        assert found is not None
        assert 0 <= int(found[1]) - len(begin.encode()) <= 1
        assert reads < 150


# Content codings


PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": partial(brotli.compress, quality=1),
    "zstd": zstandard.compress,
}


def zeros(size: int, encoding: str) -> bytes:
    data = bytes(size)
    for name in encoding.split(", "):
        data = PACK[name](data)
    return data


ENCODINGS = [*PACK, "gzip, gzip", "br, zstd"]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_content_may_be_as_large_as_the_limit_and_no_larger(encoding: str) -> None:
    packed = zeros(2 * MB, encoding)
    whole = ContentDecoder(encoding, max_size=2 * MB)
    assert whole.decode(packed) == bytes(2 * MB)
    for size in (1, 10_000):
        short = ContentDecoder(encoding, max_size=2 * MB - 1)
        pieces = [packed[at : at + size] for at in range(0, len(packed), size)]
        with pytest.raises(ContentError, match=f"larger than {2 * MB - 1} bytes when it is unpacked"):
            list(map(short.decode, pieces))


def test_the_codings_have_a_limit() -> None:
    packed = b"a"
    for _ in range(4):
        packed = gzip.compress(packed)
    assert decoded("gzip, gzip,gzip, identity, gzip", packed) == b"a"
    with pytest.raises(ContentError, match="names 5 codings; at most 4 are undone"):
        ContentDecoder(", ".join(["gzip"] * 5))


def test_the_members_of_a_gzip_body_have_a_limit() -> None:
    assert decoded("gzip", gzip.compress(b"ab") * 1000) == b"ab" * 1000
    with pytest.raises(ContentError, match="more than 1000 gzip members"):
        decoded("gzip", gzip.compress(b"ab") * 1001)


def test_the_work_on_gzip_members_grows_with_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count the bytes that are copied: for each member the rest of a slice, and not the rest of the body."""
    monkeypatch.setattr(content, "_MOST_MEMBERS", 10**9)
    copied = 0
    begin = zlib.decompressobj

    class Counting:
        def __init__(self, wbits: int) -> None:
            self._decompressor = begin(wbits=wbits)

        def decompress(self, data: bytes) -> bytes:
            nonlocal copied
            copied += len(data)
            return self._decompressor.decompress(data)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._decompressor, name)

    monkeypatch.setattr(zlib, "decompressobj", Counting)
    counts = []
    for members in (1000, 2000):
        copied = 0
        decoded("gzip", gzip.compress(b"") * members)
        counts.append(copied)
    assert counts[1] < 2.1 * counts[0]


def test_the_work_on_a_body_grows_with_its_size() -> None:
    check_linear(lambda count: decoded("gzip", gzip.compress(bytes(count * 1000), 0)), 300)


def test_a_brotli_without_limits_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    class Old:
        def process(self, data: bytes) -> bytes:
            return data

    monkeypatch.setattr(brotli, "Decompressor", Old)
    with pytest.raises(ContentError, match=r"'br' needs a package that is not installed: brotli 1\.2 or later"):
        ContentDecoder("br")


# Memory, of a process of its own

CHILD = """
import sys
from memory import peak_memory
from pathlib import Path
from streamcore import StreamCoreError
from streamcore.replay import Capture, CapturedRequest, Chunk, Redaction, read_captures
import brotli, ijson, yaml, zstandard

name, path = sys.argv[1], Path(sys.argv[2])
before = peak_memory()
try:
    if name.startswith("request"):
        request = CapturedRequest(url="http://a/", headers={"content-encoding": sys.argv[3]}, body=path.read_bytes())
        found = Redaction().redact(Capture(request=request))
        print(found.request.body)
    else:
        for capture in read_captures(path):
            for _ in capture.body:
                pass
except StreamCoreError as error:
    print(error)
print(peak_memory() - before)
"""


def grown(name: str, path: Path, *arguments: str) -> tuple[str, int]:
    """What a process says of a file, and by how many bytes its memory has grown at most."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, name, str(path), *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    *said, memory = done.stdout.splitlines()
    return "\n".join(said), int(memory)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.har", "[" * 40_000),
        ("a.har", har('{"request":' + "[" * 1_000_000)),
        ("a.jsonl", HEADER + '{"streamcore":' + nested(500_000)),
        ("a.yaml", "interactions:\n- " + "- " * 500_000),
    ],
    ids=["har", "entry", "timed", "cassette"],
)
def test_a_deep_file_takes_little_memory(name: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text)
    said, memory = grown(name, path)
    assert name in said
    assert memory < 64 * MB


@pytest.mark.parametrize(
    "encoding", ["gzip", *(pytest.param(name, marks=pytest.mark.slow) for name in ENCODINGS if name != "gzip")]
)
def test_a_packed_body_takes_no_more_memory_than_the_limit_allows(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "packed"
    path.write_bytes(zeros(256 * MB, encoding))
    assert path.stat().st_size < MB
    said, memory = grown("request", path, encoding)
    assert said == "b'REDACTED'"
    assert memory < 128 * MB  # the limit of 64 MB, and once more where the pieces are joined


def test_a_packed_body_of_many_values_takes_no_more_memory_than_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "packed"
    path.write_bytes(gzip.compress(b"[" + b"{}," * 3_000_000 + b"{}]"))
    said, memory = grown("request", path, "gzip")
    assert said == "b'REDACTED'"
    assert memory < 64 * MB  # as values, they would take 400 MB


@pytest.mark.slow
def test_a_large_text_in_a_request_is_not_many_values() -> None:
    body = json.dumps({"text": '[{",\\' * 1_000_000}).encode()
    request = CapturedRequest(url="http://a/", body=body)
    assert Redaction().redact(Capture(request=request)).request == request
