"""The examples of the guide to the aiohttp adapter run as they are printed, one after the other, as a reader would."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from guides import PACKAGE, python_examples
from helpers import HELLO, body
from server import Server, Stall, serving, stream_reply
from tls import make_certificate

import streamcore.aiohttp

GUIDE = PACKAGE / "aiohttp" / "README.md"
MANY, CANCELLING, CLOSING, TIMEOUTS, SESSION_TIMEOUT, PROXY, TLS, OWN = python_examples(GUIDE)

HELLO_REPLY = stream_reply(body(*HELLO))
BEGUN = stream_reply(body(*HELLO[:3]), Stall())


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "key")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with serving(always=HELLO_REPLY) as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        yield server


def run(example: str) -> dict[str, Any]:
    """Run an example after what the first one has defined, whose own run is left out."""
    definitions = MANY.partition("async def main")[0]
    namespace: dict[str, Any] = {}
    for code in (definitions, "import aiohttp\n", example):
        exec(compile(textwrap.dedent(code), "README.md", "exec"), namespace)
    return namespace


def test_many_streams(server: Server) -> None:
    assert run(MANY)["answers"] == ["Hello"] * 200
    server.wait_until_idle()


def test_cancelling(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.always = BEGUN
    run(CANCELLING)
    assert capsys.readouterr().out == "cancelled\n"
    server.wait_until_idle()


def test_timeouts(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.always = BEGUN
    run(TIMEOUTS)
    printed = capsys.readouterr().out
    assert printed.startswith("Request timed out")
    assert "'Hel'" in printed


def test_closing_from_another_task(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.always = BEGUN
    run(CLOSING)
    first, second = capsys.readouterr().out.splitlines()
    assert first == "Hel"
    assert second.startswith("closed: Message(")
    server.wait_until_idle()


def test_a_timeout_of_a_session(server: Server) -> None:
    assert run(SESSION_TIMEOUT)["answer"] == "Hello"
    server.always = BEGUN
    with pytest.raises(streamcore.aiohttp.APITimeoutError, match="reading"):
        run(SESSION_TIMEOUT.replace("sock_read=60", "sock_read=0.05"))


def test_a_proxy(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://api.example")
    assert run(PROXY.replace("http://proxy.example:3128", server.url))["answer"] == "Hello"
    assert server.requests[0].target == "http://api.example/v1/messages"


def test_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, context = make_certificate(tmp_path)
    certificate.rename(tmp_path / "company.pem")
    monkeypatch.chdir(tmp_path)
    with serving(HELLO_REPLY, tls=context) as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        assert run(TLS)["answer"] == "Hello"


def test_a_request_of_ones_own(server: Server) -> None:
    assert run(OWN)["answer"] == "Hello"
    assert server.requests[0].path == "/v1/messages"
