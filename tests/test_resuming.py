"""The examples of the guide `streamcore/RESUMING.md` run as they are printed, against real parts."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from browser import CHROMIUM, DRIVER, Browser, browsing
from guides import FIXTURES, PACKAGE, python_example, run
from processes import free_port, running, wait_until
from server import Cut, Gate, Pause, Server, Step, serving, stream_reply

from streamcore import MessageEngine

GUIDE = PACKAGE / "RESUMING.md"
REDIS = shutil.which("redis-server")

WEATHER = (FIXTURES / "weather.sse").read_bytes()
TEXT = (FIXTURES / "text.sse").read_bytes()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with serving() as server:
        monkeypatch.setenv("ANTHROPIC_API_KEY", "key")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        yield server


def events_of(data: bytes) -> tuple[list[str], MessageEngine]:
    engine = MessageEngine()
    engine.receive_data(data)
    return [event.to_json() for event in engine.events()], engine


def text_of(data: bytes) -> str:
    return "".join(block.text for block in events_of(data)[1].final_message.content if block.type == "text")


def save(folder: Path, *names: str) -> None:
    """Write the programs of the guide to files, as a reader would. Each says its name in its first line."""
    for name in names:
        (folder / name).write_text(python_example(GUIDE, f"# {name}"), encoding="utf-8")


def test_after_a_cut(server: Server) -> None:
    events = [event + b"\n\n" for event in TEXT.split(b"\n\n") if event]
    server.reply(stream_reply(*events[:8], Cut()), stream_reply(TEXT))
    first, second = run(python_example(GUIDE, "import continuation"))["answers"]
    asked, kept, instruction = server.requests[1].json()["messages"]
    assert asked == {"role": "user", "content": "What is a tide?"}
    assert kept == {"role": "assistant", "content": [{"type": "text", "text": first.content[0].text}]}
    assert first.content[0].text[-20:] in instruction["content"]
    assert second.stop_reason == "end_turn"


# A worker that is killed


@pytest.mark.slow  # starts eight processes, one after the other
def test_a_worker_that_is_killed_in_mid_stream(server: Server, tmp_path: Path) -> None:
    save(tmp_path, "store.py", "collect.py", "work.py")
    gates = [Gate() for _ in range(5)]
    pieces = [WEATHER[start : start + 37] for start in range(0, len(WEATHER), 37)]
    server.reply(stream_reply(*with_gates(pieces, gates)))

    database = tmp_path / "answer.db"
    body = json.dumps({"model": "claude-sonnet-5-5", "max_tokens": 1024, "messages": [], "stream": True})
    collect = [sys.executable, "collect.py", str(database), f"{server.url}/v1/messages", body]
    work = [sys.executable, "work.py", str(database)]

    with running(collect, tmp_path, "collect") as collector:
        wait_until(lambda: query(database, "SELECT count(*) FROM chunks") not in ([], [(0,)]), "bytes have arrived")
        for gate in gates:
            before = query(database, "SELECT next FROM worker")
            with running(work, tmp_path, "worker") as worker:
                wait_until(partial(has_changed, database, before), "the worker has done something")
                worker.kill()  # SIGKILL
            gate.open()
        for _ in range(2):  # one that comes after the end has nothing left to do
            done = subprocess.run(work, cwd=tmp_path, stdout=subprocess.PIPE, check=True, timeout=60)
        assert collector.wait(60) == 0

    expected, engine = events_of(WEATHER)
    assert [event for (event,) in query(database, "SELECT event FROM done ORDER BY rowid")] == expected
    assert json.loads(done.stdout) == engine.final_message.to_dict()


@pytest.mark.slow  # starts two processes
def test_a_worker_says_that_the_answer_was_cut_off(server: Server, tmp_path: Path) -> None:
    save(tmp_path, "store.py", "collect.py", "work.py")
    server.reply(stream_reply(WEATHER[:3000], Cut()))
    collect = [sys.executable, "collect.py", "answer.db", f"{server.url}/v1/messages", "{}"]
    assert subprocess.run(collect, cwd=tmp_path, stderr=subprocess.PIPE, timeout=60).returncode == 1
    work = [sys.executable, "work.py", "answer.db"]
    done = subprocess.run(work, cwd=tmp_path, stderr=subprocess.PIPE, timeout=60)
    assert b"IncompleteStreamError: the stream ended" in done.stderr
    assert [event for (event,) in query(tmp_path / "answer.db", "SELECT event FROM done")] == events_of(WEATHER[:3000])[
        0
    ]


def with_gates(pieces: list[bytes], gates: list[Gate]) -> list[Step]:
    """Return the steps of a reply: the pieces, in equal parts with a gate after each but the last."""
    size = len(pieces) // (len(gates) + 1)
    steps: list[Step] = []
    for number, gate in enumerate(gates):
        for piece in pieces[number * size :][:size]:
            steps += [piece, Pause(0.002)]  # so that the client gets most of them one by one
        steps.append(gate)
    return [*steps, *pieces[len(gates) * size :]]


def query(database: Path, sql: str) -> list[Any]:
    """Return the rows of a query, or none if the tables are not there yet."""
    with contextlib.closing(sqlite3.connect(database, timeout=60)) as db:
        try:
            return db.execute(sql).fetchall()
        except sqlite3.OperationalError as error:
            assert "no such table" in str(error)
            return []


def has_changed(database: Path, before: list[Any]) -> bool:
    return query(database, "SELECT next FROM worker") != before


# A page that survives reloads

needs_redis_and_a_browser = pytest.mark.skipif(
    REDIS is None or DRIVER is None or CHROMIUM is None,
    reason="Redis or Chromium is not installed: apt-get install redis-server chromium chromium-driver",
)


@pytest.mark.slow  # starts Redis, a browser and web servers
@needs_redis_and_a_browser
def test_a_page_that_survives_reloads(server: Server, tmp_path: Path) -> None:
    save(tmp_path, "chat.py")
    (page,) = re.findall(r"^```html\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (tmp_path / "chat.html").write_text(page, encoding="utf-8")
    events = [event + b"\n\n" for event in TEXT.split(b"\n\n") if event]
    gates = [Gate() for _ in range(3)]
    server.reply(stream_reply(*with_gates(events, gates)))
    quarter = len(events) // 4
    parts = [text_so_far(b"".join(events[: number * quarter])) for number in (1, 2, 3)]
    assert "" != parts[0] != parts[1] != parts[2] != text_of(TEXT)

    with running_redis(tmp_path) as redis, browsing(tmp_path) as browser, running_chat(tmp_path, redis) as asking:
        request = urllib.request.Request(f"{asking}/", b"What is a tide?", method="POST")
        with urllib.request.urlopen(request) as response:
            chat = response.url.rpartition("/")[2]

        # The page is served by another process, so that it can be killed without the answer.
        port = free_port()
        with running_chat(tmp_path, redis, port) as pages:
            browser.go(f"{pages}/{chat}")
            wait_for_text(browser, parts[0])
            browser.reload()
            wait_for_text(browser, parts[0])  # again from the beginning, and once
            gates[0].open()
            wait_for_text(browser, parts[1])
            browser.run("source.addEventListener('message_start', () => { window.isRepeated = true })")
        gates[1].open()
        with running_chat(tmp_path, redis, port):
            wait_for_text(browser, parts[2])  # the browser has reconnected by itself
            gates[2].open()
            wait_until(lambda: browser.run("document.title") == "done", "the page has the whole answer")
            assert browser.run("answer.textContent") == text_of(TEXT)
            assert browser.run("window.isRepeated") is None  # it has sent Last-Event-ID


@contextlib.contextmanager
def running_redis(folder: Path) -> Iterator[str]:
    """Run Redis, which keeps its data in memory, and return its URL."""
    assert REDIS is not None
    port = free_port()
    command = [REDIS, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with running(command, folder, "redis"):
        wait_until(lambda: is_listening(port), "Redis has started")
        yield f"redis://127.0.0.1:{port}"


@contextlib.contextmanager
def running_chat(folder: Path, redis: str, port: int | None = None) -> Iterator[str]:
    """Run the server of the guide, and kill it at the end. Return its URL."""
    port = port or free_port()
    command = [sys.executable, "-m", "uvicorn", "chat:app", "--port", str(port)]
    with running(command, folder, "chat", REDIS_URL=redis) as process:
        wait_until(lambda: is_listening(port), "the server has started")
        yield f"http://127.0.0.1:{port}"
        process.kill()


def is_listening(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def text_so_far(data: bytes) -> str:
    snapshot: Any = events_of(data)[1].snapshot
    return "".join(block.text for block in snapshot.content)


def wait_for_text(browser: Browser, text: str) -> None:
    wait_until(lambda: browser.run("answer.textContent") == text, f"the page shows {text!r}")
