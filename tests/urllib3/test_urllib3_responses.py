"""Responses of urllib3 and requests as streams, over real sockets."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
import urllib3
from closing import closed_as_a_read_ends
from helpers import HELLO, body, by_frame
from server import BOUND, Cut, Pause, Reply, Server, Stall, error_reply, json_reply, serving, stream_reply
from tls import make_certificate

import streamcore.httpx as anthropic
from streamcore import IncompleteStreamError
from streamcore.errors import InvalidArgumentError
from streamcore.urllib3 import message_stream
from streamcore.urllib3.from_response import Urllib3Answer

HELLO_BODY = body(*HELLO)
BEGUN = stream_reply(body(*HELLO[:3]), Stall())

Post = Callable[..., Any]
"""Send a request to a URL and return the response; `timeout=` and `ca=` (certificates) are optional."""


def by_requests(url: str, *, timeout: float | None = None, ca: str | None = None, stream: bool = True) -> Any:
    return requests.post(url, json={}, stream=stream, timeout=timeout, verify=ca)


def by_urllib3(url: str, *, timeout: float | None = None, ca: str | None = None, stream: bool = True) -> Any:
    pool = urllib3.PoolManager(ca_certs=ca, timeout=urllib3.Timeout(read=timeout))
    return pool.request("POST", url, body=b"{}", preload_content=not stream, retries=False)


@pytest.fixture(params=[by_requests, by_urllib3])
def post(request: pytest.FixtureRequest) -> Iterator[Post]:
    responses = []

    def opened(*args: Any, **options: Any) -> Any:
        responses.append(request.param(*args, **options))
        return responses[-1]

    yield opened
    for response in responses:
        response.close()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
@pytest.mark.parametrize("gzip", [False, True])
def test_a_response_can_be_wrapped(server: Server, post: Post, framing: Any, gzip: bool) -> None:
    server.reply(stream_reply(*by_frame(HELLO_BODY), framing=framing, gzip=gzip))
    with message_stream(post(server.url)) as stream:
        assert stream.get_final_text() == "Hello"
        assert stream.request_id == "req_1"


@pytest.mark.parametrize("framing", ["chunked", "close"])
def test_events_are_delivered_as_they_arrive(server: Server, post: Post, framing: Any) -> None:
    server.reply(stream_reply(body(*HELLO[:3]), Stall(), framing=framing))
    with message_stream(post(server.url)) as stream:
        assert next(iter(stream.text_stream)) == "Hel"


def test_events_before_a_cut_are_delivered(server: Server, post: Post) -> None:
    server.reply(stream_reply(body(*HELLO[:4]), Cut()))
    seen: list[str] = []
    with message_stream(post(server.url)) as stream, pytest.raises(anthropic.APIConnectionError) as caught:
        seen.extend(stream.text_stream)
    assert "".join(seen) == "Hello"
    assert caught.value.snapshot is not None
    assert not isinstance(caught.value, anthropic.APITimeoutError)


def test_a_body_shorter_than_its_length_is_not_whole(server: Server, post: Post) -> None:
    server.reply(stream_reply(body(*HELLO[:-1]), framing="length", missing=10))
    with message_stream(post(server.url)) as stream, pytest.raises(anthropic.APIConnectionError):
        list(stream)


def test_a_silence_longer_than_the_read_timeout_is_a_timeout(server: Server, post: Post) -> None:
    server.reply(BEGUN)
    with message_stream(post(server.url, timeout=0.1)) as stream, pytest.raises(anthropic.APITimeoutError) as caught:
        stream.until_done()
    assert caught.value.snapshot is not None
    server.wait_until_idle()


def close_in_a_thread(stream: Any) -> threading.Thread:
    closer = threading.Timer(0.1, stream.close)
    closer.start()
    return closer


def test_close_from_another_thread_ends_a_read_that_waits(server: Server, post: Post) -> None:
    server.reply(BEGUN)
    with message_stream(post(server.url)) as stream:  # without a read timeout: nothing else would end the read
        assert next(iter(stream.text_stream)) == "Hel"
        closer = close_in_a_thread(stream)
        assert list(stream.text_stream) == []
        closer.join(BOUND)
        with pytest.raises(IncompleteStreamError):
            stream.get_final_message()
    server.wait_until_idle()


def test_a_read_that_begins_while_another_thread_closes_does_not_wait(server: Server, post: Post) -> None:
    server.reply(BEGUN)
    looked, go_on = threading.Event(), threading.Event()

    class Paused(Urllib3Answer):
        """It pauses its reader after it has found that nothing is closed."""

        @property
        def _closed(self) -> bool:
            closed: bool = self.__dict__["closed"]
            if threading.current_thread() is reader and not looked.is_set():
                looked.set()
                go_on.wait(BOUND)
            return closed

        @_closed.setter
        def _closed(self, closed: bool) -> None:
            self.__dict__["closed"] = closed

    response = post(server.url)
    answer = Paused(response)
    raw = answer._raw
    close = raw.close

    def read() -> None:
        with pytest.raises(anthropic.APIConnectionError):
            list(answer)

    reader = threading.Thread(target=read, daemon=True)

    def close_late() -> None:
        go_on.set()
        reader.join(0.2)  # at the latest now it waits for bytes, and closing waits for it
        close()

    next(answer)
    raw.close = close_late
    reader.start()
    assert looked.wait(BOUND)
    closer = threading.Thread(target=answer.close, daemon=True)
    closer.start()
    closer.join(0.5)
    go_on.set()
    closer.join(BOUND / 2)  # the server of the tests ends a stall itself after `BOUND`
    reader.join(BOUND / 2)
    assert not reader.is_alive()
    assert not closer.is_alive()
    server.wait_until_idle()


def test_a_connection_is_given_back_once_if_a_read_ends_while_another_thread_closes(
    server: Server, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.reply(BEGUN)

    answer = closed_as_a_read_ends(Urllib3Answer)(post(server.url))
    given_back: list[None] = []
    monkeypatch.setattr(answer._raw, "release_conn", lambda: given_back.append(None))
    with pytest.raises(anthropic.APIConnectionError):
        next(answer)
    assert len(given_back) == 1
    server.wait_until_idle()


def test_close_from_another_thread_over_tls(post: Post, tmp_path: Any) -> None:
    certificate, context = make_certificate(tmp_path)
    with serving(BEGUN, tls=context) as server:
        with message_stream(post(server.url, ca=str(certificate))) as stream:
            assert next(iter(stream.text_stream)) == "Hel"
            closer = close_in_a_thread(stream)
            assert list(stream.text_stream) == []
            closer.join(BOUND)
        server.wait_until_idle()


def test_a_read_after_close_is_not_an_end(server: Server, post: Post) -> None:
    server.reply(BEGUN)
    stream = message_stream(post(server.url))
    next(iter(stream.text_stream))
    stream.close()
    stream.close()
    server.wait_until_idle()
    assert list(stream) == []
    with pytest.raises(IncompleteStreamError):
        stream.get_final_message()


def test_a_stream_that_is_dropped_closes_its_connection(server: Server, post: Post) -> None:
    server.reply(BEGUN)
    stream = message_stream(post(server.url))
    next(stream)
    del stream
    server.wait_until_idle()


def test_a_connection_is_used_again_after_a_whole_stream(server: Server) -> None:
    server.always = stream_reply(*by_frame(HELLO_BODY))
    pool = urllib3.PoolManager(maxsize=1, block=True)
    session = requests.Session()
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=1, pool_block=True))
    with session:
        for _ in range(3):
            response = pool.request("POST", server.url, preload_content=False)
            assert message_stream(response).get_final_text() == "Hello"
            with message_stream(session.post(server.url, stream=True)) as stream:
                stream.until_done()
    assert server.connections == 2
    # A stream that is left early gives its place in the pool back.
    for _ in range(3):
        with message_stream(pool.request("POST", server.url, preload_content=False)) as stream:
            next(stream)
    pool.clear()


def test_an_error_of_the_api_is_raised_and_its_body_kept(server: Server, post: Post) -> None:
    server.reply(error_reply(529, "overloaded_error"), json_reply({"hello": 1}))
    response = post(server.url)
    with pytest.raises(anthropic.OverloadedError) as caught:
        message_stream(response)
    assert caught.value.response is response
    assert caught.value.request_id == "req_1"
    assert caught.value.body == response.json()
    assert json.loads(response.data if hasattr(response, "data") else response.content) == response.json()
    with pytest.raises(anthropic.APIResponseValidationError, match="hello"):
        message_stream(post(server.url))


def test_a_response_that_was_read_before_can_be_wrapped(server: Server, post: Post) -> None:
    server.reply(stream_reply(HELLO_BODY), error_reply(529, "overloaded_error"))
    assert message_stream(post(server.url, stream=False)).get_final_text() == "Hello"
    with pytest.raises(anthropic.OverloadedError):
        message_stream(post(server.url, stream=False))


def test_something_else_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match=r"requests\.Response or a urllib3\.HTTPResponse, not list"):
        message_stream([b""])


def test_a_pause_is_not_an_end(server: Server, post: Post) -> None:
    server.reply(
        Reply(headers={"content-type": "text/event-stream"}, steps=[HELLO_BODY[:99], Pause(0.1), HELLO_BODY[99:]])
    )
    assert message_stream(post(server.url)).get_final_text() == "Hello"
