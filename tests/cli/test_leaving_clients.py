"""`serve` and `record` as processes of their own, under clients that leave, speak no HTTP, or read no log."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from helpers import HELLO, body
from server import serving, stream_reply
from test_cli import COMMAND, ENVIRONMENT, read_until, start_command
from test_serve import capture_of
from wire import Connection, ask

from streamcore.replay import End, read_captures, write_captures
from streamcore.replay.server import serve

HELLO_BYTES = body(*HELLO)
CLIENTS = 50
# More than the buffers of a connection take, so that the server is still writing when the client leaves.
LONG = [b": " + b"x" * 65_533 + b"\n"] * 160
SECRET = "sk-ant-very-secret"


@contextlib.contextmanager
def command(*arguments: str | Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    process = start_command(*arguments)
    assert process.stdout is not None
    try:
        yield process, read_until(process.stdout.fileno(), b"\n").decode().strip()
    finally:
        process.kill()
        process.communicate()


@contextlib.contextmanager
def either(name: str, folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """`serve` or `record`, which answer every request with the same stream."""
    write_captures(folder / "short.jsonl", [capture_of(HELLO_BYTES)])
    with serving(always=stream_reply(HELLO_BYTES)) as upstream:
        arguments: dict[str, list[str | Path]] = {
            "serve": [folder / "short.jsonl"],
            "record": ["--url", upstream.url, "--output", folder / "out.jsonl"],
        }
        with command(name, *arguments[name], *options) as started:
            yield started


def stopped(process: subprocess.Popen[bytes]) -> list[str]:
    """The lines that a command has logged, once it has ended in good order."""
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err.decode()
    return err.decode().splitlines()


def connect(url: str) -> socket.socket:
    parts = urlsplit(url)
    connection = socket.create_connection((parts.hostname, parts.port), timeout=30)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    return connection


def leave(url: str, *, reset: bool) -> None:
    """Ask for a stream, read its beginning, and go."""
    with connect(url) as connection:
        data = b'{"stream": true}'
        host, path = urlsplit(url).netloc, urlsplit(url).path
        head = f"POST {path}/v1/messages HTTP/1.1\r\nhost: {host}\r\ncontent-length: {len(data)}\r\n\r\n"
        connection.sendall(head.encode() + data)
        assert connection.recv(12) == b"HTTP/1.1 200"
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def leave_all(url: str) -> None:
    with ThreadPoolExecutor(CLIENTS) as pool:
        for done in [pool.submit(leave, url, reset=bool(number % 2)) for number in range(CLIENTS)]:
            done.result()


def test_serve_outlives_fifty_clients_that_leave(tmp_path: Path) -> None:
    write_captures(tmp_path / "long.jsonl", [capture_of(*LONG)])
    write_captures(tmp_path / "short.jsonl", [capture_of(HELLO_BYTES)])
    with command("serve", tmp_path / "long.jsonl", tmp_path / "short.jsonl", "--speed", "0") as (process, url):
        leave_all(f"{url}/long")
        assert ask(f"{url}/short").body == HELLO_BYTES
        lines = stopped(process)
    assert len(lines) == CLIENTS + 1
    assert sum(line.endswith("the client has left") for line in lines) == CLIENTS
    assert lines[-1].startswith("POST /short/v1/messages 200: ")


def test_record_outlives_fifty_clients_that_leave_and_keeps_what_came(tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    with (
        serve([capture_of(*LONG)]) as upstream,
        command("record", "--url", upstream, "--output", output) as (
            process,
            url,
        ),
    ):
        leave_all(url)
        assert ask(url).complete
        lines = stopped(process)
    assert len(lines) == CLIENTS + 1
    assert sum(line.endswith("the client has left") for line in lines) == CLIENTS
    captures = list(read_captures(output))
    ends = [step.reason for capture in captures for step in capture.body if isinstance(step, End)]
    assert sorted(ends) == ["closed"] * CLIENTS + ["complete"]


@pytest.mark.parametrize("name", ["serve", "record"])
def test_a_client_that_leaves_within_its_request_is_one_line(name: str, tmp_path: Path) -> None:
    with either(name, tmp_path) as (process, url):
        for reset in (False, True):
            with connect(url) as connection:
                host = urlsplit(url).netloc
                connection.sendall(
                    f"POST /v1/messages HTTP/1.1\r\nhost: {host}\r\ncontent-length: 9999\r\n\r\n{{".encode()
                )
                assert process.stderr is not None
                if reset:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            line = read_until(process.stderr.fileno(), b"\n").decode()
            assert line.startswith("POST /v1/messages -: ")
            assert line.endswith("the client has left\n")
        with connect(url):
            pass  # asks for nothing: nothing to say
        assert ask(url).body == HELLO_BYTES
        assert len(stopped(process)) == 1


@pytest.mark.parametrize("name", ["serve", "record"])
def test_a_client_that_leaves_before_it_is_told_to_continue_is_one_line(name: str, tmp_path: Path) -> None:
    with either(name, tmp_path) as (process, url):
        request = f"POST /v1/messages HTTP/1.1\r\nhost: {urlsplit(url).netloc}\r\nexpect: 100-continue\r\n"
        for _ in range(CLIENTS):
            with connect(url) as connection:
                connection.sendall(request.encode() + b"content-length: 2\r\n\r\n{}")
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass
        assert ask(url).body == HELLO_BYTES
        *lines, last = stopped(process)
    assert 0 < len(lines) <= CLIENTS
    # A client is answered if the server does not know yet that it has left.
    assert all(line.endswith("the client has left") or " 200: " in line for line in lines), "\n".join(lines)
    assert last.startswith("POST /v1/messages 200: ")


HOST = "host: 127.0.0.1\r\n"
MALFORMED: dict[str, bytes] = {
    "a header without a colon": f"POST /v1/messages HTTP/1.1\r\n{HOST}x-api-key {SECRET}\r\n\r\n".encode(),
    "a control character": f"POST /v1/messages HTTP/1.1\r\n{HOST}x-api-key: {SECRET}\x00\r\n\r\n".encode(),
    "a long header": f"POST /v1/messages HTTP/1.1\r\n{HOST}x-api-key: {SECRET * 10_000}\r\n\r\n".encode(),
    "a length that is not a number": f"POST / HTTP/1.1\r\n{HOST}content-length: {SECRET}\r\n\r\n".encode(),
    "another protocol": f"{SECRET} {SECRET}\r\n\r\n".encode(),
    "TLS": bytes.fromhex("16030100a5010000a10303") + b"x" * 160 + b"\r\n\r\n",
    "a body that is not gzip": (
        f"POST /v1/messages HTTP/1.1\r\n{HOST}content-encoding: gzip\r\ncontent-length: 18\r\n\r\n{SECRET}".encode()
    ),
    "chunks that are not": (
        f"POST /v1/messages HTTP/1.1\r\n{HOST}transfer-encoding: chunked\r\n\r\n{SECRET}\r\n{SECRET}\r\n".encode()
    ),
}


@pytest.mark.parametrize("name", ["serve", "record"])
def test_malformed_http_is_one_line_without_what_was_sent(name: str, tmp_path: Path) -> None:
    sent_to = {"serve": MALFORMED, "record": {key: data for key, data in MALFORMED.items() if b"gzip" not in data}}[
        name
    ]
    with either(name, tmp_path) as (process, url):
        for sent in sent_to.values():
            with connect(url) as connection:
                connection.sendall(sent)
                assert b" 400 " in connection.recv(65536)
                while connection.recv(65536):
                    pass
        assert ask(url).body == HELLO_BYTES
        lines = stopped(process)
    assert len(lines) == len(sent_to) + 1, "\n".join(lines)
    assert SECRET not in "".join(lines)
    assert all(" 400: " in line and "not valid HTTP" in line for line in lines[:-1]), "\n".join(lines)


@pytest.mark.parametrize("name", ["serve", "record"])
def test_an_expectation_that_is_not_one_is_one_line(name: str, tmp_path: Path) -> None:
    with either(name, tmp_path) as (process, url):
        with connect(url) as connection:
            connection.sendall(f"POST /v1/messages HTTP/1.1\r\n{HOST}expect: {SECRET}\r\n\r\n".encode())
            assert b" 417 " in connection.recv(65536)
        assert ask(url).body == HELLO_BYTES
        first, second = stopped(process)
    assert first == "POST 417: Expectation Failed"
    assert second.startswith("POST /v1/messages 200: ")


def test_an_upstream_that_sends_malformed_http_is_one_line_without_what_it_sent(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as upstream:
        port = upstream.getsockname()[1]
        with command("record", "--url", f"http://127.0.0.1:{port}", "--output", tmp_path / "a.jsonl") as (process, url):
            connection = Connection(url)
            connection.send()
            accepted, _ = upstream.accept()
            accepted.recv(65536)
            accepted.sendall(f"HTTP/1.1 200 OK\r\nset-cookie {SECRET}\r\n\r\n".encode())
            answer = connection.receive()
            accepted.close()
            connection.close()
            (line,) = stopped(process)
    assert answer.status == 502
    assert SECRET not in line + answer.body.decode()
    assert "no answer from http://127.0.0.1" in line
    assert "not valid HTTP" in line


def test_every_request_is_a_line_whatever_its_path(tmp_path: Path) -> None:
    paths = ["*", "/%00%0a%1b", "//", "/x", "http://other/x"]
    with either("serve", tmp_path) as (process, url):
        for path in paths:
            with connect(url) as connection:
                connection.sendall(f"OPTIONS {path} HTTP/1.0\r\n{HOST}\r\n".encode())
                assert b" 404 " in connection.recv(65536)
        lines = stopped(process)
    assert len(lines) == len(paths)
    assert all("404" in line for line in lines)


@pytest.mark.parametrize("target", ["*", "other:443"])
def test_record_refuses_a_request_that_is_not_for_a_path(target: str, tmp_path: Path) -> None:
    method = "OPTIONS" if target == "*" else "CONNECT"
    with either("record", tmp_path) as (process, url):
        with connect(url) as connection:
            connection.sendall(f"{method} {target} HTTP/1.1\r\n{HOST}\r\n".encode())
            assert b" 400 " in connection.recv(65536)
        assert ask(url).body == HELLO_BYTES
        lines = stopped(process)
    assert len(lines) == 2, "\n".join(lines)
    assert lines[0].endswith(" 400: the target of the request must be a path")


def test_record_outlives_answers_without_a_body(tmp_path: Path) -> None:
    """aiohttp has one object for all bodies that are empty; an iterator over its chunks ends only the first time."""
    with (
        serving(always=stream_reply(framing="length")) as upstream,
        command("record", "--url", upstream.url, "--output", tmp_path / "a.jsonl") as (process, url),
    ):
        for _ in range(3):
            assert ask(url).status == 200
        stopped(process)
    assert [capture.data for capture in read_captures(tmp_path / "a.jsonl")] == [b""] * 3


@pytest.mark.parametrize("name", ["serve", "record"])
def test_it_goes_on_when_nobody_reads_its_log(name: str, tmp_path: Path) -> None:
    with either(name, tmp_path) as (process, url):
        assert process.stderr is not None
        process.stderr.close()
        for _ in range(3):
            assert ask(url).body == HELLO_BYTES
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    if name == "record":
        assert len(list(read_captures(tmp_path / "out.jsonl"))) == 3


def test_a_url_that_nobody_can_read_ends_the_command(tmp_path: Path) -> None:
    write_captures(tmp_path / "short.jsonl", [capture_of(HELLO_BYTES)])
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.run(
        [*COMMAND, "serve", str(tmp_path / "short.jsonl")],
        env=ENVIRONMENT,
        stdout=writer,
        stderr=subprocess.PIPE,
        timeout=30,
        check=False,
    )
    os.close(writer)
    assert process.returncode != 0
    assert b"Traceback" not in process.stderr


# Whose requests are answered


def status_for(url: str, host: str | None) -> int:
    with connect(url) as connection:
        line = "" if host is None else f"host: {host}\r\n"
        head = f"POST /v1/messages HTTP/1.0\r\n{line}content-length: 15\r\n\r\n"
        connection.sendall(head.encode() + b'{"stream":true}')
        return int(connection.recv(65536).split()[1])


LOCAL = [None, "localhost", "LOCALHOST:80", "a.localhost:1", "127.0.0.1", "[::1]:9", "::1", "192.168.0.7:80"]
FOREIGN = ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example:1", "1.2.3", "", "[x]"]


@pytest.mark.parametrize("name", ["serve", "record"])
def test_a_foreign_host_is_refused_unless_it_is_allowed(name: str, tmp_path: Path) -> None:
    """A page whose name resolves to 127.0.0.1 could read the answers."""
    with either(name, tmp_path) as (process, url):
        assert [status_for(url, host) for host in LOCAL] == [200] * len(LOCAL)
        assert [status_for(url, host) for host in FOREIGN] == [403] * len(FOREIGN)
        lines = stopped(process)
    assert lines[len(LOCAL) :] == ["POST 403: the Host header names another host"] * len(FOREIGN)
    with either(name, tmp_path, "--allow-host", "Box.example.", "--allow-host", "other") as (_, url):
        hosts = ["box.example:8000", "BOX.example", "other", "evil.example", "x.box.example"]
        assert [status_for(url, host) for host in hosts] == [200, 200, 200, 403, 403]
    with either(name, tmp_path, "--allow-host", "*") as (_, url):
        assert status_for(url, "evil.example") == 200
