"""The recording proxy under requests and answers that are made to hurt: each costs at most itself."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path

import brotli  # type: ignore[import-untyped]
import httpx2
import pytest
import zstandard
from helpers import HELLO, body
from server import serving, stream_reply

import streamcore.replay.server.proxy
from streamcore.errors import InvalidArgumentError
from streamcore.replay import CaptureError, read_captures
from streamcore.replay.httpx2 import RecordingTransport
from streamcore.replay.server.proxy import proxy

SECRET = "TOPSECRET-123456"


def many(name: str, count: int) -> str:
    return "&".join(f"{name}=secret{number}" for number in range(count))


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (f"/?{'a=1;' * 1000}", {}),
        ("/", {"referer": f"https://a/?{'a=1;' * 1000}"}),
        ("/", {"x-long": "a" * 4000 + "://b"}),
        ("/", {"authorization": "Bearer " + "a" * 6000}),
        (f"/?aPi_KeY={SECRET}", {"x-api-kEy": SECRET, "AuthoriZation": f"Bearer {SECRET}", "CooKie": f"a={SECRET}"}),
    ],
    ids=["query", "referer", "letters", "bearer", "case"],
)
def test_a_hostile_request_is_recorded_and_so_is_the_next(path: str, headers: dict[str, str], tmp_path: Path) -> None:
    output = tmp_path / "a.jsonl"
    location = {"location": f"/?{'a=1;' * 1000}&token={SECRET}", "Set-CooKie": f"a={SECRET}"}
    reply = stream_reply(body(*HELLO), headers=location)
    with serving(reply, always=stream_reply(body(*HELLO))) as server, proxy(server.url, output) as url:
        for target in (path, "/second"):
            assert httpx2.post(url + target, headers=headers, json={"a": 1}).content == body(*HELLO)
    first, second = read_captures(output)
    assert first.data == second.data == body(*HELLO)
    assert SECRET.encode() not in output.read_bytes()


def test_a_request_that_cannot_be_redacted_is_answered_and_left_out(tmp_path: Path) -> None:
    output, lines = tmp_path / "a.jsonl", list[str]()
    with serving(always=stream_reply(body(*HELLO))) as server:
        recording = proxy(server.url, output, log=lines.append)
        url = recording.__enter__()
        for target in ("/first", "/second", "/third"):
            data = {f"{n}_token": f"{SECRET}-{n}" for n in range(1200)} if target == "/second" else {}
            query = "?" + many("token", 1200) if target == "/second" else ""
            assert httpx2.post(url + target + query, json=data).content == body(*HELLO)
        with pytest.raises(CaptureError, match=r"1 of 3 exchanges .*: .*more than 1000 different secrets"):
            recording.__exit__(None, None, None)
    assert [capture.request.url[-6:] for capture in read_captures(output) if capture.request] == ["/first", "/third"]
    assert SECRET.encode() not in output.read_bytes()
    assert "could not be redacted" in lines[1]


def test_a_packed_request_is_passed_on_as_it_is_and_its_bomb_is_not_unpacked(tmp_path: Path) -> None:
    output = tmp_path / "a.jsonl"
    bomb = gzip.compress(gzip.compress(bytes(100_000_000)))
    packed = gzip.compress(json.dumps({"api_key": SECRET, "a": 1}).encode())
    with serving(always=stream_reply(body(*HELLO))) as server, proxy(server.url, output) as url:
        httpx2.post(url, headers={"content-encoding": "gzip, gzip"}, content=bomb)
        httpx2.post(url, headers={"content-encoding": "gzip"}, content=packed)
        assert [request.body for request in server.requests] == [bomb, packed]
    requests = [capture.request for capture in read_captures(output)]
    assert [request.body for request in requests if request] == [b"REDACTED", b'{"api_key":"REDACTED","a":1}']


def test_a_request_has_a_limit_as_it_is_kept_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamcore.replay.server.proxy, "MAX_SIZE", 1_000_000)
    output, lines = tmp_path / "a.jsonl", list[str]()
    with serving(always=stream_reply(body(*HELLO))) as server, proxy(server.url, output, log=lines.append) as url:
        assert httpx2.post(url, content=bytes(1_000_000)).status_code == 200
        answer = httpx2.post(url, content=bytes(1_000_001))
        assert (answer.status_code, answer.json()["error"]["type"]) == (413, "request_too_large")
    assert lines[1] == "POST / 413: the request has more than 1000000 bytes"
    assert len(list(read_captures(output))) == 1


@pytest.mark.parametrize("name", ["gzip", *(pytest.param(name, marks=pytest.mark.slow) for name in ("br", "zstd"))])
def test_an_answer_that_unpacks_to_much_is_passed_on_and_recorded_in_pieces(name: str, tmp_path: Path) -> None:
    """Redacting and writing a chunk takes twenty times its size in memory."""
    size = 6 * 1024 * 1024
    pack = {"gzip": gzip.compress, "br": brotli.compress, "zstd": zstandard.compress}[name]
    packed = stream_reply(pack(bytes(size)), headers={"content-encoding": name})
    with serving(always=packed) as server:
        with proxy(server.url, tmp_path / "proxy.jsonl") as url:
            assert httpx2.post(url).content == bytes(size)
        with httpx2.Client(transport=RecordingTransport(tmp_path / "client.jsonl")) as client:
            assert client.post(server.url).status_code == 200  # without a package for zstd, the content stays packed
    for file in ("proxy.jsonl", "client.jsonl"):
        (capture,) = read_captures(tmp_path / file)
        sizes = [len(chunk.data) for chunk in capture.chunks]
        assert sum(sizes) == size
        assert max(sizes) <= 4 * 1024 * 1024


@pytest.mark.parametrize("headers", [{}, {"authorization": f"Bearer {SECRET}"}], ids=["none", "bearer"])
@pytest.mark.parametrize("user", ["", "me:pa%40ss@"], ids=["netrc", "user"])
def test_a_login_is_that_of_the_client_or_of_the_url_and_not_of_netrc(
    headers: dict[str, str], user: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login other password other\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    output = tmp_path / "a.jsonl"
    with serving(always=stream_reply(body(*HELLO))) as server:
        with proxy(server.url.replace("://", f"://{user}"), output) as url, httpx2.Client(trust_env=False) as client:
            assert client.post(url + "/a%2Fb?c=%26", headers=headers).content == body(*HELLO)
        (request,) = server.requests
    of_the_url = "Basic " + base64.b64encode(b"me:pa@ss").decode() if user else None
    assert request.headers.get("authorization") == headers.get("authorization", of_the_url)
    assert request.target == "/a%2Fb?c=%26"
    assert not any(secret in output.read_text() for secret in (SECRET, "pa%40ss", "pa@ss", "other"))


def test_the_proxy_of_the_environment_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(always=stream_reply(body(*HELLO))) as other, httpx2.Client(trust_env=False) as client:
        for given in (other.url.replace("://", f"://me:{SECRET}@"), other.url.removeprefix("http://")):
            monkeypatch.setenv("http_proxy", given)
            with proxy("http://api.invalid", tmp_path / "a.jsonl") as url:
                assert client.post(url + "/a").content == body(*HELLO)
    assert [request.target for request in other.requests] == ["http://api.invalid/a"] * 2
    assert SECRET not in (tmp_path / "a.jsonl").read_text()


@pytest.mark.parametrize("given", [f"socks5://me:{SECRET}@a", f"http://me:{SECRET}@a:99999", f"me:{SECRET}@[a"])
def test_a_proxy_of_the_environment_that_is_none_is_refused_in_a_line(
    given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", given)
    with (
        pytest.raises(InvalidArgumentError, match="the proxy in the environment must be") as caught,
        proxy("http://api.invalid", tmp_path / "a.jsonl"),
    ):
        pass
    assert SECRET not in str(caught.value)
