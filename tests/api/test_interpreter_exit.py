"""Clients and streams that are still alive when the interpreter exits: nothing is printed, whatever is left open."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import HELLO, body
from server import ASK, BOUND, Request, Server, Stall, serving, stream_reply
from server import Reply as ServerReply

from streamcore.testing.plugin import ADAPTERS

ROOT = Path(__file__).parents[2]
WHOLE = stream_reply(body(*HELLO))
BEGUN = stream_reply(body(*HELLO[:4]), Stall())

SYNC = """
def used():
    with client.messages.stream(**ask("whole")) as stream:
        stream.until_done()

def open_stream():
    global stream
    stream = client.messages.create(**ask("begun"), stream=True)
    next(stream)
"""
ASYNC = """
import asyncio

async def used():
    async with client.messages.stream(**ask("whole")) as stream:
        await stream.until_done()

async def open_stream():
    global stream
    stream = await client.messages.create(**ask("begun"), stream=True)
    await anext(stream)

def in_an_open_loop(main):
    global loop
    loop = asyncio.new_event_loop()
    loop.run_until_complete(main())

def in_a_thread(main):
    import threading
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    asyncio.run_coroutine_threadsafe(main(), loop).result()
"""
CLIENTS = {
    adapter: f"from {module} import {cls} as Client{ASYNC if cls.startswith('Async') else SYNC}"
    for adapter, (module, cls) in ADAPTERS.items()
}
# The interpreter takes this module apart after those that the client needs.
KEPT_LONG = "\nimport threading; threading.client = client; del client"
KEPT_STREAM = f"open_stream()\nimport threading; threading.stream = stream; del stream{KEPT_LONG}"
CYCLE = "\nclient.itself = client"
SYNC_ENDS = ["", "used()", "open_stream()", f"used(){KEPT_LONG}", f"open_stream(){CYCLE}", KEPT_STREAM]
ASYNC_ENDS = [
    KEPT_LONG,
    "asyncio.run(used())",
    f"asyncio.run(used()){KEPT_LONG}",
    "asyncio.run(open_stream())",
    f"in_an_open_loop(used){CYCLE}",
    f"in_an_open_loop(used){KEPT_LONG}",
    "in_an_open_loop(open_stream)",
    "in_a_thread(open_stream)",
]
ENDS = {name: ASYNC_ENDS if cls.startswith("Async") else SYNC_ENDS for name, (_, cls) in ADAPTERS.items()}


def answer(request: Request) -> ServerReply:
    return {"whole": WHOLE, "begun": BEGUN}[request.headers["x-reply"]]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(always=answer) as server:
        yield server


def stderr_of(program: str) -> str:
    process = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=BOUND, check=True
    )
    return process.stderr


# Each is a process of its own: by default only those that leave most behind.
DEFAULT_ENDS = {KEPT_STREAM, "asyncio.run(open_stream())", "in_an_open_loop(open_stream)", "in_a_thread(open_stream)"}


@pytest.mark.parametrize(
    ("kind", "end"),
    [
        pytest.param(kind, end, marks=[] if end in DEFAULT_ENDS else pytest.mark.slow)
        for kind, ends in ENDS.items()
        for end in ends
    ],
)
def test_a_client_at_exit_prints_nothing(server: Server, kind: str, end: str) -> None:
    program = f"""
ASK = {ASK}
def ask(reply): return {{**ASK, "extra_headers": {{"x-reply": reply}}}}
{CLIENTS[kind]}
client = Client(api_key="key", base_url={server.url!r})
{end}
"""
    assert stderr_of(program) == ""


def test_a_stream_of_trio_at_exit_prints_nothing(server: Server) -> None:
    program = f"""
ASK = {ASK}
def ask(reply): return {{**ASK, "extra_headers": {{"x-reply": reply}}}}
{CLIENTS["httpx-async"]}
import trio
client = Client(api_key="key", base_url={server.url!r})
trio.run(open_stream)
"""
    assert stderr_of(program) == ""
