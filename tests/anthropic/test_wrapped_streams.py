"""Streams of wrapped clients, of every kind and over real sockets: what our own clients make of the same bytes."""

from __future__ import annotations

import gc
import json
import pickle
import threading
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import httpx2
import pytest
from bedrock_frames import BINARY, binary_of, chunk_of, exception_of
from helpers import FIXTURES, HELLO, HELLO_TYPES, body, in_pieces
from official_clients import KINDS, Kind, Setup, each_kind, set_up
from server import ASK, Cut, Reply, Stall, error_reply, json_reply, stream_reply

import streamcore.httpx
from streamcore import Limits, MessageStream
from streamcore.anthropic.exceptions import _both, as_theirs
from streamcore.errors import (
    APIConnectionError,
    APIError,
    APIIncompleteStreamError,
    APILimitExceededError,
    APIResponseValidationError,
    APITimeoutError,
    OverloadedError,
    ProtocolError,
    RateLimitError,
)

MAIN = KINDS[:4]
SYNC, ASYNC, BEDROCK, ASYNC_BEDROCK = MAIN
each_main = pytest.mark.parametrize("kind", MAIN, ids=str)
LIMITS = Limits(max_blocks=1)
FEW = [path for path in FIXTURES if path.stem in ("weather", "pings", "thinking")]


@pytest.fixture
def setup(kind: Kind) -> Iterator[Setup]:
    yield from set_up(kind)


def read(client: Any, **options: Any) -> tuple[list[Any], Any]:
    """Return all that a stream gives: each event with the message after it, and the error or the final message."""
    seen = []
    with client.messages.stream(**ASK, **options) as stream:
        try:
            for event in stream:
                seen.append((event, stream.current_message_snapshot))
            end = stream.get_final_message()
        except streamcore.StreamCoreError as error:
            end = error
        return [*seen, stream.violations], end


def described(error: Any) -> object:
    """An error as a value that compares."""
    if not isinstance(error, Exception):
        return error
    names = ("message", "offset", "event_number", "index", "snapshot", "received", "body", "status_code", "type")
    return type(error).__name__, {name: getattr(error, name, None) for name in names}


@each_kind
def test_every_fixture_gives_what_it_gives_on_our_own_client(setup: Setup) -> None:
    kind = setup.kind
    with streamcore.httpx.Anthropic(api_key="key", base_url=setup.server.url, max_retries=0) as ours:
        for path in FIXTURES if kind in MAIN else FEW:
            data = path.read_bytes()
            setup.server.reply(kind.reply(data), stream_reply(data))
            seen, end = read(setup.client)
            expected, expected_end = read(ours)
            # What frames cannot express: how an event stream is spelled, and where it is cut.
            if kind.binary and (expected[-1] or isinstance(expected_end, ProtocolError)):
                continue
            assert seen == expected, path
            assert described(end) == described(expected_end), path
            if isinstance(end, Exception):
                assert isinstance(end, anthropic.APIError)
                assert isinstance(end, type(expected_end))


@each_kind
def test_a_call_is_sent_as_the_official_client_sends_it(setup: Setup) -> None:
    setup.server.reply(*[setup.kind.reply(body(*HELLO))] * 6)
    theirs = setup.kind.official(setup.server)
    for ours, official in (
        (setup.client.messages, theirs.messages),
        (setup.client.beta.messages, theirs.beta.messages),
    ):
        with ours.stream(**ASK, stop_sequences=["."], extra_headers={"x-mine": "1"}) as stream:
            assert [event.type for event in stream] == [*HELLO_TYPES]
            assert stream.request_id == "req_1"
            assert stream.response.status_code == 200
        assert [event.type for event in ours.create(**ASK, stream=True)] == [payload["type"] for payload in HELLO]
        if not setup.kind.is_async:
            official.create(**ASK, stop_sequences=["."], extra_headers={"x-mine": "1"}, stream=True).close()
            sent, again, expected = setup.server.requests[-3:]
            assert (sent.target, sent.json()) == (expected.target, expected.json())
            names = {name for request in (sent, expected) for name in request.headers} - {"x-amz-date", "authorization"}
            differing = {name for name in names if sent.headers.get(name) != expected.headers.get(name)}
            assert differing == {"x-stainless-raw-response"}
            schemes = [request.headers.get("authorization", "").split()[:1] for request in (sent, again, expected)]
            assert schemes[0] == schemes[1] == schemes[2]
    if not setup.kind.is_async:
        theirs.close()


def opened(client: Any, call: str) -> Any:
    return client.messages.stream(**ASK).__enter__() if call == "stream" else client.messages.create(**ASK, stream=True)


STATUSES: list[tuple[Reply, type[Exception]]] = [
    (error_reply(429, "rate_limit_error"), anthropic.RateLimitError),
    (error_reply(529, "overloaded_error"), anthropic.OverloadedError),
    (error_reply(400, "invalid_request_error"), anthropic.BadRequestError),
]


@each_main
def test_errors_of_a_status_are_theirs_and_their_retries_count(setup: Setup) -> None:
    server = setup.server
    for reply, cls in STATUSES:
        for call in ("stream", "create"):
            server.reply(reply)
            with pytest.raises(cls) as caught:
                opened(setup.client, call)
            assert type(caught.value) is cls
    before = len(server.requests)
    retry = error_reply(529, "overloaded_error", headers={"retry-after-ms": "1"})
    server.reply(retry, Reply(head=[Cut()]), setup.kind.reply(body(*HELLO)))
    with setup.client.with_options(max_retries=2).messages.stream(**ASK) as stream:
        assert stream.get_final_text() == "Hello"
    assert [request.headers["x-stainless-retry-count"] for request in server.requests[before:]] == ["0", "1", "2"]


ERROR = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}


@each_kind
def test_an_error_event_is_an_exception_of_both_packages(setup: Setup) -> None:
    binary = setup.kind.binary
    for _ in range(2):
        data = body(*HELLO[:3], ERROR)
        setup.server.reply(setup.kind.reply(data))
        seen, error = read(setup.client)
        assert seen[-2][0].type == "error"
        assert isinstance(error, OverloadedError)
        assert isinstance(error, anthropic.OverloadedError)
        assert isinstance(error, anthropic.APIStatusError)
        assert (error.status_code, error.body, error.type) == (529, ERROR, "overloaded_error")
        assert error.request_id == "req_1"
        assert error.response.status_code == 200
        assert error.request.url.path
        assert error.snapshot.content[0].text == "Hel"
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is type(error)
        assert described(again) == described(error)
        assert (again.response, again.request) == (None, None)
        assert as_theirs(error) is error
    if binary:
        setup.server.reply(
            stream_reply(binary_of(*HELLO[:3]), exception_of("throttlingException", "no"), headers=BINARY)
        )
        error = read(setup.client)[1]
        assert isinstance(error, RateLimitError)
        assert isinstance(error, anthropic.RateLimitError)


@each_main
def test_a_stream_that_breaks_raises_exceptions_of_both_packages(setup: Setup) -> None:
    kind, server = setup.kind, setup.server
    steps = kind.reply(body(*HELLO[:3])).steps
    headers = BINARY if kind.binary else {}
    html = Reply(steps=[b"<html>no</html>"], headers={"content-type": "text/html"})
    broken = b"\0\0\0\x10nonsense nonsense" if kind.binary else b"data: {\n\n"
    cases: list[tuple[Reply, type[APIError], type[Exception], type[Exception] | None]] = [
        (stream_reply(*steps, headers=headers), APIIncompleteStreamError, anthropic.APIError, None),
        (
            stream_reply(*steps, broken, headers=headers),
            APIResponseValidationError,
            anthropic.APIResponseValidationError,
            None,
        ),
        (html, APIResponseValidationError, anthropic.APIResponseValidationError, None),
        (json_reply(ERROR), OverloadedError, anthropic.OverloadedError, None),
        (
            stream_reply(*steps, Cut(), headers=headers),
            APIConnectionError,
            anthropic.APIConnectionError,
            httpx2.RemoteProtocolError,
        ),
        (
            stream_reply(*steps, Cut(reset=True), headers=headers),
            APIConnectionError,
            anthropic.APIConnectionError,
            httpx2.ReadError,
        ),
        (
            stream_reply(*steps, Stall(), headers=headers),
            APITimeoutError,
            anthropic.APITimeoutError,
            httpx2.ReadTimeout,
        ),
    ]
    timeout = httpx2.Timeout(10, read=0.3)
    for reply, ours, theirs, library in cases:
        server.reply(reply)
        with pytest.raises(theirs) as caught, setup.client.messages.stream(**ASK, timeout=timeout) as stream:
            stream.get_final_message()
        error: Any = caught.value
        assert isinstance(error, ours), error
        assert library is None or (isinstance(error, library) and isinstance(error.__cause__, library))
        assert type(error).__name__ == ours.__name__
        assert described(pickle.loads(pickle.dumps(error))) == described(error)
        assert repr(error)
        if reply.headers.get("content-type", "").startswith(("text/event-stream", "application/vnd")):
            snapshot: Any = error.snapshot
            assert snapshot.content[0].text == "Hel"
            assert error.request.method == "POST"
    server.wait_until_idle(connections=1)


@each_main
def test_a_silence_is_limited(setup: Setup) -> None:
    reply = setup.kind.reply(body(*HELLO[:3]))
    setup.server.reply(Reply(steps=[*reply.steps, Stall()], headers=reply.headers))
    error = read(setup.client, idle_timeout=0.2)[1]
    assert isinstance(error, APITimeoutError)
    assert isinstance(error, anthropic.APITimeoutError)
    setup.server.wait_until_idle()


@pytest.mark.parametrize("kind", [BEDROCK, ASYNC_BEDROCK], ids=str)
def test_frames(setup: Setup) -> None:
    whole = binary_of(*HELLO)
    odd = {"content-type": "application/octet-stream"}
    for steps, headers in ((in_pieces(whole, 7), BINARY), ([whole], BINARY), ([whole], odd)):
        setup.server.reply(stream_reply(*steps, headers=headers))
        assert read(setup.client)[1].content[0].text == "Hello"
    setup.server.reply(stream_reply(body(*HELLO)))  # a gateway has translated it
    assert read(setup.client)[1].content[0].text == "Hello"
    # What follows the message is read to free the connection, and says nothing.
    connections = setup.server.connections
    setup.server.reply(*[stream_reply(whole + b"not a frame " * 3, headers=BINARY)] * 2)
    for _ in range(2):
        assert read(setup.client)[1].content[0].text == "Hello"
    assert setup.server.connections == connections
    # The offset is that in the binary stream.
    setup.server.reply(stream_reply(binary_of(*HELLO[:3], HELLO[0] | {"message": None}), headers=BINARY))
    assert read(setup.client)[1].offset == len(binary_of(*HELLO[:3]))
    setup.server.reply(stream_reply(binary_of(*HELLO[:3]), headers=BINARY))
    assert read(setup.client)[1].offset == len(binary_of(*HELLO[:3]))
    setup.server.reply(stream_reply(binary_of(*HELLO[:3]) + chunk_of(HELLO[3])[:50], headers=BINARY))
    error = read(setup.client)[1]
    assert isinstance(error, APIIncompleteStreamError)
    assert "50 bytes of a frame" in error.message
    assert error.offset == len(binary_of(*HELLO[:3]))
    for limits in (Limits(max_blocks=0), Limits(max_stream_size=len(whole) - 1), Limits(max_event_size=100)):
        setup.server.reply(stream_reply(whole, headers=BINARY))
        error = read(setup.client, limits=limits)[1]
        assert isinstance(error, APILimitExceededError)
        assert isinstance(error, anthropic.APIError)


@each_main
def test_connections_are_given_back(setup: Setup) -> None:
    server = setup.server
    complete = setup.kind.reply(body(*HELLO))
    for _ in range(3):  # read to the end: the connection is used again
        server.reply(complete)
        with setup.client.messages.stream(**ASK) as stream:
            stream.until_done()
    assert server.connections == 1
    half = Reply(steps=[*complete.steps[:2], Stall()], headers=complete.headers)
    ways: list[Callable[[], object]] = [
        lambda: leave(setup.client.messages.stream(**ASK)),
        lambda: next(iter(setup.client.messages.create(**ASK, stream=True))),  # dropped
    ]
    for way in ways if not setup.kind.is_async else ways[:1]:
        server.reply(half)
        way()
        gc.collect()
        server.wait_until_idle()


def leave(manager: Any) -> None:
    with manager as stream:
        next(iter(stream))


@pytest.mark.parametrize("kind", [SYNC, BEDROCK], ids=str)
def test_another_thread_can_close_a_stream_that_waits(setup: Setup) -> None:
    complete = setup.kind.reply(body(*HELLO))
    beginning = setup.kind.reply(body(*HELLO[:3])).steps
    setup.server.reply(Reply(steps=[*beginning, Stall()], headers=complete.headers))
    with setup.client.messages.stream(**ASK) as stream:
        timer = threading.Timer(0.05, stream.close)
        timer.start()
        assert [event.type for event in stream] == HELLO_TYPES[:4]
        timer.join()
    setup.server.wait_until_idle()


@pytest.mark.parametrize("kind", [SYNC, ASYNC], ids=str)
def test_the_classes_are_made_once(setup: Setup) -> None:
    setup.server.reply(*[setup.kind.reply(body(*HELLO[:3], ERROR))] * 5)
    read(setup.client)
    made = _both.cache_info().currsize
    for _ in range(4):
        read(setup.client)
    assert _both.cache_info().currsize == made


def test_each_exception_of_ours_is_one_of_theirs_too() -> None:
    found = [cls for cls in vars(streamcore.errors).values() if isinstance(cls, type) and issubclass(cls, APIError)]
    assert len(found) > 30
    for cls in found:
        error = as_theirs(cls("it failed"))
        assert isinstance(error, anthropic.APIError)
        assert isinstance(error, cls)
        for module in (anthropic, anthropic.types):
            theirs = getattr(module, cls.__name__, None)
            if isinstance(theirs, type) and issubclass(theirs, anthropic.APIError):
                assert isinstance(error, theirs)
        assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_handlers_see_the_exception_that_is_raised() -> None:
    seen: list[Exception] = []

    class Handling(MessageStream):
        def on_exception(self, exception: Exception) -> None:
            seen.append(exception)

    for setup in set_up(SYNC):
        setup.server.reply(stream_reply(body(*HELLO[:3], ERROR)))
        error = read(setup.client, event_handler=Handling)[1]
        assert isinstance(error, anthropic.OverloadedError)
        assert seen == [error]


def test_lines_of_json_are_not_cut() -> None:
    for setup in set_up(BEDROCK):
        payloads = [json.dumps(payload, indent=1).encode() for payload in HELLO]
        setup.server.reply(stream_reply(*map(chunk_of, payloads), headers=BINARY))
        assert read(setup.client)[1].content[0].text == "Hello"
