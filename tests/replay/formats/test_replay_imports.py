"""HAR files and cassettes of vcrpy: what they hold, packed or not, without ever holding the file in memory."""

from __future__ import annotations

import base64
import gzip
import json
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import brotli  # type: ignore[import-untyped]
import capture_formats
import httpx
import pytest
import vcr  # type: ignore[import-untyped]
import yaml
import zstandard
from helpers import HELLO, body, text
from hypothesis import given
from hypothesis import strategies as st
from server import serving, stream_reply
from vcr.serializers import yamlserializer  # type: ignore[import-untyped]

from streamcore.replay import (
    Capture,
    CapturedRequest,
    CaptureError,
    Chunk,
    End,
    Redaction,
    open_capture,
    open_stream,
    read_captures,
    write_captures,
)
from streamcore.replay.content_coding import ContentDecoder, ContentError

EVENT_STREAM = {"content-type": "text/event-stream"}
URL = "https://api.anthropic.com/v1/messages"
DATA = body(*HELLO)
REQUEST = CapturedRequest(url=URL, headers={"content-type": "application/json"}, body='{"text":"käse"}'.encode())
PACKED = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


# There and back


texts = st.text(max_size=20) | st.text(st.sampled_from("\x00\x1b\x85\u2028\ufeff\uffff\r\n \t\"'\\:#-é😀"), max_size=8)
datas = st.binary(max_size=20) | texts.map(str.encode)
names = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=":"), min_size=1, max_size=5)


@given(
    st.lists(
        st.builds(
            Capture,
            request=st.none()
            | st.builds(
                CapturedRequest,
                url=texts.map(lambda path: f"{URL}/{path}"),
                headers=st.dictionaries(names, texts, max_size=2),
                body=texts.map(str.encode),
            ),
            status=st.integers(100, 599),
            headers=st.dictionaries(names.map("x-{}".format), texts, max_size=2),
            body=datas.map(lambda data: (Chunk(0.0, data),) if data else ()),
        ),
        max_size=3,
    ),
    st.sampled_from(capture_formats.WITH_HEADS),
)
def test_any_exchange_comes_back(
    tmp_path_factory: pytest.TempPathFactory, captures: list[Capture], suffix: str
) -> None:
    path = tmp_path_factory.mktemp("any") / f"a{suffix}"
    write_captures(path, captures, redaction=None)
    if captures:
        back = [(each.request, each.status, each.headers, each.data) for each in read_captures(path)]
        assert back == [(each.request, each.status, each.headers, each.data) for each in captures]
    else:
        with pytest.raises(CaptureError, match="it has no captures"):
            open_capture(path)


@pytest.mark.parametrize("suffix", capture_formats.ALL)
def test_secrets_are_in_none_of_them(suffix: str, tmp_path: Path) -> None:
    name = f"a{suffix}"
    key = "sk-ant-api03-verysecret"
    request = CapturedRequest(url=f"{URL}?key={key}", headers={"x-api-key": key}, body=key.encode())
    capture = Capture(request=request, headers=EVENT_STREAM | {"set-cookie": f"a={key}"}, body=[Chunk(0, key.encode())])
    write_captures(tmp_path / name, [capture], redaction=Redaction())
    assert key.encode() not in (tmp_path / name).read_bytes()


# Cassettes, as vcrpy writes and reads them


def test_vcrpy_reads_what_is_written(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    write_captures(path, [Capture(request=REQUEST, body=[Chunk(0, DATA)]), Capture(body=[Chunk(0, b"\xff")])])
    requests, responses = vcr.serialize.deserialize(path.read_text(), yamlserializer)
    assert (requests[0].uri, requests[0].body) == (URL, REQUEST.body)
    assert [response["body"]["string"] for response in responses] == [DATA, b"\xff"]


@pytest.mark.parametrize("gzipped", [False, True])
def test_what_vcrpy_records_is_read_packed_or_not(gzipped: bool, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    with (
        serving(always=stream_reply(DATA, gzip=gzipped)) as server,
        vcr.use_cassette(str(path)),
        httpx.Client() as client,
    ):
        for number in range(2):
            client.post(f"{server.url}/v1/messages", json={"number": number}, headers={"x-api-key": "sk-ant-x"})
    captures = list(read_captures(path))
    assert [capture.data for capture in captures] == [DATA, DATA]
    assert [json.loads(capture.request.body)["number"] for capture in captures if capture.request] == [0, 1]
    assert captures[0].header("request-id") == "req_1"
    assert captures[0].header("content-encoding") is None
    assert open_stream(captures[0]).get_final_text() == "Hello"


def cassette(tmp_path: Path, *responses: dict[str, Any]) -> Path:
    path = tmp_path / "a.yaml"
    request = {"method": "POST", "uri": URL, "headers": {"a": ["1"]}, "body": None}
    interactions = [{"request": request, "response": response} for response in responses]
    path.write_text(yaml.safe_dump({"interactions": interactions, "version": 1}))
    return path


@pytest.mark.parametrize("encoding", PACKED)
def test_packed_bodies_are_unpacked(encoding: str, tmp_path: Path) -> None:
    headers = {"Content-Encoding": [encoding], "content-length": ["7"], "x": "y"}
    status = {"code": 200, "message": "OK"}
    path = cassette(tmp_path, {"status": status, "headers": headers, "body": {"string": PACKED[encoding](DATA)}})
    capture = open_capture(path)
    assert capture.data == DATA
    assert capture.headers == (("x", "y"),)


def test_other_forms_of_cassettes_are_read(tmp_path: Path) -> None:
    of_httpx = {"status_code": 201, "http_version": "HTTP/1.1", "headers": {"content-encoding": ["gzip"]}}
    unpacked = {"status": {"code": 200}, "headers": {"content-encoding": ["gzip"]}, "body": {"string": DATA}}
    path = cassette(tmp_path, {**of_httpx, "content": DATA.decode()}, unpacked)
    assert [(capture.status, capture.data) for capture in read_captures(path)] == [(201, DATA), (200, DATA)]
    path.write_text(
        "version: 1\ninteractions:\n- request: {method: !!python/unicode GET, uri: !!python/str 'http://a/'}\n"
        "  response: {status: {code: 200}, headers: {a: !!python/tuple [1]}, body: {string: !!python/unicode hi}}\n"
    )
    assert open_capture(path).data == b"hi"


@pytest.mark.parametrize(
    ("yaml_text", "fault"),
    [
        ("", "it is empty"),
        ("[]", "not a cassette: the document is not a mapping"),
        ("a: 1", "it has no captures"),
        ("interactions: [", "line 2: not a cassette: did not find expected node"),
        ("interactions:\n- {}", "interaction 1 is not one of vcrpy's: .*missing required field `request`"),
        (
            "interactions:\n- request: !!python/object:os.system {}",
            "line 2: not a cassette: could not determine a const",
        ),
        ("interactions:\n- {request: {method: A, uri: b}, response: {body: {string: [1]}}}", "a body is text or bytes"),
        ("interactions:\n- {request: {method: A, uri: b}, response: {}}", "interaction 1 is not one of vcrpy's"),
    ],
)
def test_what_is_no_cassette_is_refused(yaml_text: str, fault: str, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(yaml_text)
    with pytest.raises(CaptureError, match=fault):
        list(read_captures(path))


def test_a_body_that_cannot_be_unpacked_is_refused(tmp_path: Path) -> None:
    for encoding, fault in (
        ("gzip", "not packed as"),
        ("lzma", "'lzma' is not one of gzip, x-gzip, deflate, br, zstd"),
    ):
        response = {
            "status": {"code": 200},
            "headers": {"content-encoding": [encoding]},
            "body": {"string": b"\xff\xfe"},
        }
        with pytest.raises(CaptureError, match=fault):
            open_capture(cassette(tmp_path, response))


# HAR files


def har(tmp_path: Path, *entries: dict[str, Any], bom: bytes = b"") -> Path:
    path = tmp_path / "a.har"
    path.write_bytes(bom + json.dumps({"log": {"version": "1.2", "pages": [{"id": 1.5}], "entries": entries}}).encode())
    return path


def entry(content: dict[str, Any], *, status: int = 200, **request: Any) -> dict[str, Any]:
    headers = [
        {"name": ":status", "value": "200"},
        {"name": "Content-Encoding", "value": "br"},
        {"name": "X", "value": "y"},
    ]
    asked = {"method": "POST", "url": URL, "headers": [{"name": ":path", "value": "/"}], **request}
    return {"time": 12.5, "request": asked, "response": {"status": status, "headers": headers, "content": content}}


def test_what_browsers_export_is_read(tmp_path: Path) -> None:
    posted: dict[str, Any] = {"postData": {"mimeType": "application/json", "text": '{"a":"ä"}'}}
    form: dict[str, Any] = {"postData": {"mimeType": "a", "params": [{"name": "a b", "value": "ä"}, {"name": "c"}]}}
    path = har(
        tmp_path,
        entry({"size": 3, "text": DATA.decode()}, **posted),
        entry({"text": base64.b64encode(b"\xff" + DATA).decode(), "encoding": "base64"}, **form),
        entry({}, status=0),
        entry({"size": 0}, status=204),
        bom=b"\xef\xbb\xbf",
    )
    first, second, third = read_captures(path)
    assert (first.data, second.data, third.data) == (DATA, b"\xff" + DATA, b"")
    assert third.status == 204
    assert first.headers == (("X", "y"),)
    assert first.request == CapturedRequest(url=URL, body='{"a":"ä"}'.encode())
    assert second.request is not None
    assert second.request.body == b"a+b=%C3%A4&c="
    assert open_stream(path).get_final_text() == "Hello"


ODD = '{"status":200,"content":{"text":"!","encoding":"base64"}}'


@pytest.mark.parametrize(
    ("har_text", "fault"),
    [
        ("", "it is empty"),
        ("<html>", "not a HAR file"),
        ('{"log":{"entries":[', "not a HAR file"),
        ("{}", "it has no captures"),
        ('{"log":{"entries":[{}]}}', "entry 1 is not a HAR entry: .*missing required field `request`"),
        (
            '{"log":{"entries":[{"request":{"method":"GET","url":"a"},"response":{"status":"x"}}]}}',
            "entry 1 is not a HAR entry",
        ),
        (
            '{"log":{"entries":[{"request":{"method":"GET","url":"a"},"response":' + ODD + "}]}}",
            "entry 1 is not a HAR entry",
        ),
    ],
)
def test_what_is_no_har_file_is_refused(har_text: str, fault: str, tmp_path: Path) -> None:
    path = tmp_path / "a.har"
    path.write_text(har_text)
    with pytest.raises(CaptureError, match=fault):
        list(read_captures(path))


@pytest.mark.parametrize(
    ("request_part", "response"),
    [
        ({"postData": None}, {}),
        ({"postData": {"mimeType": "x", "text": None, "params": None}}, {}),
        ({"headers": None}, {"headers": [{"name": "x-a", "value": None}]}),
        ({}, {"content": None}),
        ({}, {"content": {"text": None, "encoding": None}}),
    ],
)
def test_null_in_a_har_file_is_nothing(request_part: dict[str, Any], response: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "a.har"
    entry = {
        "request": {"method": "POST", "url": URL, "headers": []} | request_part,
        "response": {"status": 200, "headers": [], "content": {}} | response,
    }
    unanswered = entry | {"response": {"status": None}}
    path.write_text(json.dumps({"log": {"entries": [unanswered, entry]}}))
    (found,) = read_captures(path)
    assert (found.data, found.request and found.request.body) == (b"", b"")
    assert found.headers == ((("x-a", ""),) if "headers" in response else ())


def test_what_was_posted_comes_back_from_a_har_file_if_it_is_no_text(tmp_path: Path) -> None:
    request = CapturedRequest(url=URL, body=b"\xff\xfe\x00")
    write_captures(tmp_path / "a.har", [Capture(request=request)])
    assert open_capture(tmp_path / "a.har").request == request


# Content codings


@pytest.mark.parametrize("encoding", [*PACKED, "", "identity", "gzip, br", "X-GZIP"])
def test_content_is_unpacked_however_it_is_cut(encoding: str) -> None:
    packed = DATA
    for name in encoding.split(", "):
        packed = PACKED.get(name.lower().removeprefix("x-"), bytes)(packed)
    for size in (1, 7, 10_000):
        decoder = ContentDecoder(encoding)
        found = b"".join(decoder.decode(packed[begin : begin + size]) for begin in range(0, len(packed), size))
        assert found == DATA
        decoder.check_complete()


@pytest.mark.parametrize("encoding", PACKED)
def test_content_that_was_cut_off_is_not_complete(encoding: str) -> None:
    packed = PACKED[encoding](DATA)
    decoder = ContentDecoder(encoding)
    decoder.check_complete()  # nothing is packed in nothing
    decoder.decode(packed[:-1])
    with pytest.raises(ContentError, match="cut off"):
        decoder.check_complete()
    decoder.decode(packed[-1:])
    decoder.check_complete()


def test_odd_packings_are_unpacked() -> None:
    raw = zlib.compressobj(wbits=-15)
    assert ContentDecoder("deflate").decode(raw.compress(DATA) + raw.flush()) == DATA
    assert ContentDecoder("gzip").decode(gzip.compress(DATA) + gzip.compress(DATA)) == DATA + DATA
    assert ContentDecoder("gzip").decode(gzip.compress(DATA)[:-20]) in DATA


def test_a_coding_that_is_not_known_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ContentError, match="'compress' is not one of gzip"):
        ContentDecoder("compress")
    monkeypatch.setitem(__import__("sys").modules, "brotli", None)
    with pytest.raises(ContentError, match="'br' needs a package that is not installed"):
        ContentDecoder("br")


# Memory


@pytest.mark.slow
@pytest.mark.parametrize("suffix", capture_formats.ALL)
def test_a_large_archive_is_never_held_in_memory(suffix: str, tmp_path: Path) -> None:
    """40 answers of 250 KB: 10 MB, and at most a few answers are in memory at once."""
    answer = body(*HELLO[:2], *[text(0, "la" * 1000)] * 120, *HELLO[4:])
    path = tmp_path / f"a{suffix}"

    def captures() -> Any:
        for _ in range(40):
            yield Capture(request=REQUEST, body=[Chunk(0, answer), End(1)])

    tracemalloc.start()
    try:
        write_captures(path, captures())
        written = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        size = sum(len(chunk.data) for capture in read_captures(path) for chunk in capture.chunks)
        held = list(read_captures(path))
        read = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size == 40 * len(answer)
    assert size > 10_000_000
    assert len(held) == 40
    assert written < 3_000_000
    assert read < 4_000_000
