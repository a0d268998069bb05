"""Threads that close a stream or a client at the moment when another one begins to read."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import httpx2
import pytest
from closing import closed_as_a_read_ends
from helpers import HELLO, body
from server import BOUND, Server, Stall, serving, stream_reply

import streamcore.httpx as anthropic
from streamcore.httpx import open_response
from streamcore.httpx.open_response import HttpxAnswer

HALF_A_BOUND = BOUND / 2  # the server of the tests ends a stall itself after `BOUND`
ASK: Any = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "Hi"}]}


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


def read_in_a_thread(stream: Any) -> threading.Thread:
    """Return a thread, not started, that reads to an error of ours."""

    def read() -> None:
        with pytest.raises(anthropic.APIError):
            list(stream)

    return threading.Thread(target=read, daemon=True)


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_a_read_that_begins_while_another_thread_closes_does_not_wait(server: Server, library: Any) -> None:
    server.reply(stream_reply(body(*HELLO[:3]), Stall()))
    with library.Client(timeout=None) as http, http.stream("POST", server.url) as response:
        answer = HttpxAnswer(response)
        next(answer)
        close = response.close
        reader = read_in_a_thread(answer)

        def begin_to_read_and_close() -> None:
            if not reader.ident:
                reader.start()
                reader.join(0.2)  # at the latest now it waits for bytes, and no close will wake it
            close()

        response.close = begin_to_read_and_close
        answer.close()
        reader.join(HALF_A_BOUND)
        assert not reader.is_alive()
    server.wait_until_idle()


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_a_response_is_closed_once_if_a_read_ends_while_another_thread_closes(server: Server, library: Any) -> None:
    server.reply(stream_reply(body(*HELLO[:3]), Stall()))

    with library.Client(timeout=None) as http, http.stream("POST", server.url) as response:
        answer = closed_as_a_read_ends(HttpxAnswer)(response)
        closed: list[None] = []
        response.close = lambda: closed.append(None)
        next(answer)
        assert len(closed) == 1
        del response.close
    server.wait_until_idle()


@pytest.mark.parametrize("whole_client", [False, True])
def test_a_socket_is_closed_when_its_reader_has_woken_up(
    server: Server, monkeypatch: pytest.MonkeyPatch, whole_client: bool
) -> None:
    # A file descriptor that is closed while a thread is about to wait for it may become that of another socket.
    server.reply(stream_reply(body(*HELLO[:3]), Stall()))
    shut_down = open_response._shut_down
    monkeypatch.setattr(open_response, "_shut_down", lambda found: threading.Timer(0.1, shut_down, (found,)).start())
    client = anthropic.Anthropic(api_key="key", base_url=server.url)
    stream = client.messages.create(**ASK, stream=True)
    answer: Any = stream._chunks
    connection = stream.response.extensions["network_stream"]
    reader = read_in_a_thread(answer)
    was_reading: list[bool] = []
    close = connection.close

    def close_connection() -> None:
        was_reading.append(answer._reading and threading.current_thread() is not reader)
        close()

    connection.close = close_connection
    reader.start()
    while not answer._reading:
        time.sleep(0.01)
    time.sleep(0.1)
    (client if whole_client else stream).close()
    reader.join(HALF_A_BOUND)
    assert not reader.is_alive()
    assert was_reading
    assert not any(was_reading)
    client.close()


def test_a_client_does_not_wait_for_readers_that_it_cannot_wake(monkeypatch: pytest.MonkeyPatch) -> None:
    # One without a socket, as of a transport that plays captures: it waited a second for each.
    waits, go_on = threading.Event(), threading.Event()

    class Stalled(httpx2.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            yield body(*HELLO[:3])
            waits.set()
            go_on.wait(BOUND)

    headers = {"content-type": "text/event-stream"}
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, headers=headers, stream=Stalled()))
    client = anthropic.Anthropic(api_key="key", http_client=httpx2.Client(transport=transport))
    reader = read_in_a_thread(client.messages.create(**ASK, stream=True))
    reader.start()
    assert waits.wait(BOUND)
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    client.close()
    monkeypatch.undo()
    go_on.set()
    reader.join(BOUND)
    assert not slept
    assert not reader.is_alive()
