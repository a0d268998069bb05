"""Each fault on each fixture leads to the outcome that the protocol's table names, in the clients of both adapters."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import aiohttp
import attrs
import httpx2
import pytest
from helpers import FIXTURES, by_frame, stream_id
from server import ASK

import streamcore.aiohttp
import streamcore.httpx
from streamcore import (
    DecodeError,
    EventOrderError,
    IncompleteStreamError,
    Message,
    MessageEngine,
    ProtocolError,
    StreamCoreError,
)
from streamcore.errors import (
    CALL_ERRORS,
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    InternalServerError,
    OverloadedError,
    RateLimitError,
)
from streamcore.replay import Capture, Fault, open_capture
from streamcore.replay.aiohttp import ReplayConnector
from streamcore.replay.faults import (
    Comments,
    Corrupt,
    Crlf,
    Cut,
    Drop,
    Duplicate,
    Error,
    Nameless,
    Pings,
    Stall,
    Status,
)
from streamcore.replay.httpx2 import AsyncReplayTransport, ReplayTransport

WHOLE = [path for path in FIXTURES if path.parent.name != "broken"]
BROKEN = [path for path in FIXTURES if path.parent.name == "broken"]
IDLE = 0.2


@attrs.frozen
class Outcome:
    """What a program sees of a stream."""

    types: tuple[str, ...]
    message: Message | None
    violations: frozenset[str]
    error: StreamCoreError | None

    @property
    def snapshot(self) -> Any:
        return getattr(self.error, "snapshot", self.message)


Run: TypeAlias = Callable[[Capture], Outcome]


def _outcome(stream: Any, types: list[str], error: StreamCoreError | None) -> Outcome:
    violations = frozenset(violation.kind for violation in stream.violations) if stream is not None else frozenset()
    message = stream.current_message_snapshot if error is None else None
    return Outcome(tuple(types), message, violations, error)


def on_httpx(capture: Capture) -> Outcome:
    types: list[str] = []
    stream = None
    with httpx2.Client(transport=ReplayTransport(capture)) as http_client:
        client = streamcore.httpx.Anthropic(api_key="k", http_client=http_client, max_retries=0, idle_timeout=IDLE)
        try:
            with client.messages.stream(**ASK) as stream:
                types.extend(event.type for event in stream)
        except StreamCoreError as error:
            return _outcome(stream, types, error)
    return _outcome(stream, types, None)


async def _async_outcome(client: Any) -> Outcome:
    types: list[str] = []
    stream = None
    try:
        async with client.messages.stream(**ASK) as stream:
            async for event in stream:
                types.append(event.type)
    except StreamCoreError as error:
        return _outcome(stream, types, error)
    return _outcome(stream, types, None)


def on_async_httpx(capture: Capture) -> Outcome:
    async def test() -> Outcome:
        async with httpx2.AsyncClient(transport=AsyncReplayTransport(capture)) as http_client:
            return await _async_outcome(
                streamcore.httpx.AsyncAnthropic(api_key="k", http_client=http_client, max_retries=0, idle_timeout=IDLE)
            )

    return asyncio.run(test())


def on_aiohttp(capture: Capture) -> Outcome:
    async def test() -> Outcome:
        async with aiohttp.ClientSession(connector=ReplayConnector(capture)) as http_client:
            return await _async_outcome(
                streamcore.aiohttp.AsyncAnthropic(
                    api_key="k", http_client=http_client, max_retries=0, idle_timeout=IDLE
                )
            )

    return asyncio.run(test())


each_client = pytest.mark.parametrize("run", [on_httpx, on_async_httpx, on_aiohttp])


# What to expect


@attrs.frozen
class Stream:
    """A fixture, taken apart the simple way."""

    path: Path
    capture: Capture = attrs.field(init=False)
    frames: list[bytes] = attrs.field(init=False)
    payloads: list[Any] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        capture = open_capture(self.path)
        events = [frame for frame in by_frame(capture.data.replace(b"\r\n", b"\n")) if b"data:" in frame]
        object.__setattr__(self, "capture", capture)
        object.__setattr__(self, "frames", events)
        object.__setattr__(self, "payloads", [json.loads(frame.split(b"data:")[1]) for frame in events])

    @property
    def types(self) -> list[str]:
        return [payload["type"] for payload in self.payloads]

    def first(self, type: str) -> int | None:  # noqa: A002
        return self.types.index(type) if type in self.types else None

    def snapshot(self, count: int) -> Message | None:
        """The message after so many events."""
        engine = MessageEngine()
        engine.receive_data(b"".join(self.frames[:count]))
        for _ in engine.events():
            pass
        return engine.snapshot


def raises(run: Run, stream: Stream, fault: Fault, error: type[StreamCoreError], events: int | None = None) -> Outcome:
    """The fault leads to the error, which has the snapshot after so many events."""
    outcome = run(fault(stream.capture))
    assert type(outcome.error) in (error, CALL_ERRORS.get(error)), (fault, outcome.error)  # type: ignore[arg-type]  # any class may be asked for
    if events is not None:
        assert outcome.snapshot == stream.snapshot(events), fault
    return outcome


def goes_well(run: Run, stream: Stream, fault: Fault, also: frozenset[str] = frozenset(), *, same: bool = True) -> None:
    """The fault leads to the whole message, and to such violations besides those that are there without it."""
    outcome, before = run(fault(stream.capture)), run(stream.capture)
    assert outcome.error is None, (fault, outcome.error)
    assert outcome.violations == before.violations | also, fault
    if same:
        assert outcome.message == before.message, fault


def places(stream: Stream) -> Iterator[int]:
    """Events to be hit: the first of each type, and the one in the middle."""
    yield from sorted({stream.types.index(each) for each in stream.types} | {len(stream.types) // 2})


@each_client
@pytest.mark.parametrize("path", WHOLE, ids=stream_id)
def test_a_stream_that_ends_or_fails_early_never_looks_finished(path: Path, run: Run) -> None:
    stream = Stream(path)
    for number in places(stream):
        raises(run, stream, Cut(event=number), IncompleteStreamError, number)
        raises(run, stream, Cut(event=number, broken=True), APIConnectionError, number)
        raises(run, stream, Error(event=number), OverloadedError, number)
    middle = len(stream.types) // 2
    raises(run, stream, Stall(event=middle, seconds=1000), APITimeoutError, middle)
    goes_well(run, stream, Stall(event=middle, seconds=0.001))
    inside = stream.capture.data.index(b"message_stop") + 3
    error = raises(run, stream, Cut(byte=inside), IncompleteStreamError).error
    assert isinstance(error, ProtocolError)
    assert "left over" in str(error)


@each_client
@pytest.mark.parametrize("path", WHOLE, ids=stream_id)
def test_what_is_harmless_changes_nothing(path: Path, run: Run) -> None:
    stream = Stream(path)
    for fault in (Comments(), Pings(), Pings(every=3), Crlf()):
        goes_well(run, stream, fault)
    goes_well(run, stream, Nameless(), frozenset({"event_name"}))


@each_client
@pytest.mark.parametrize("path", WHOLE, ids=stream_id)
def test_a_corrupt_payload_is_a_decode_error_after_what_came_before(path: Path, run: Run) -> None:
    stream = Stream(path)
    for number in places(stream):
        fault = Corrupt(event=number, seed=number)
        if stream.types[number] == "ping":
            goes_well(run, stream, fault, frozenset({"odd_ping"}))  # a ping says nothing that could be lost
        else:
            raises(run, stream, fault, DecodeError, number)


DROPPED: dict[str, type[StreamCoreError] | str] = {
    "message_start": EventOrderError,
    "content_block_start": EventOrderError,
    "content_block_stop": "unclosed_block",
    "message_delta": "missing_message_delta",
    "message_stop": IncompleteStreamError,
    "ping": "",
}
DUPLICATED: dict[str, type[StreamCoreError] | str] = {
    "message_start": "repeated_message_start",
    "content_block_start": EventOrderError,
    "content_block_stop": "after_block_stop",
    "message_delta": "",
    "message_stop": "",  # the stream is over before it
    "ping": "",
}


@each_client
@pytest.mark.parametrize("path", WHOLE, ids=stream_id)
def test_events_that_are_missing_or_come_twice(path: Path, run: Run) -> None:
    stream = Stream(path)
    for make, table in ((Drop, DROPPED), (Duplicate, DUPLICATED)):
        for kind, outcome in table.items():
            number = stream.first(kind)
            if number is None or (make is Drop and kind == "message_start" and stream.types.count(kind) > 1):
                continue
            fault = make(event=number)
            if not isinstance(outcome, str):
                raises(run, stream, fault, outcome)
            else:
                same = kind != "message_delta" or make is Duplicate
                goes_well(run, stream, fault, frozenset({outcome} - {""}), same=same)


@each_client
def test_a_status_is_its_exception(run: Run) -> None:
    stream = Stream(WHOLE[0])
    raises(run, stream, Status(code=529), OverloadedError)
    raises(run, stream, Status(code=429), RateLimitError)
    page = Status(code=502, body=b"<html>", headers=(("content-type", "text/html"),))
    assert isinstance(raises(run, stream, page, InternalServerError).error, APIStatusError)
    with_success = Status(code=200, body=b"<html>", headers=())
    raises(run, stream, with_success, DecodeError)


@each_client
@pytest.mark.parametrize("path", BROKEN, ids=stream_id)
def test_what_is_broken_anyway_stays_broken(path: Path, run: Run) -> None:
    capture = open_capture(path)
    before = run(capture)
    assert before.error is not None
    harmless: list[Fault] = [Comments(), Pings(), Crlf(), Stall(seconds=0.001)]
    for fault in harmless:
        after = run(fault(capture))
        assert type(after.error) is type(before.error)
        assert after.snapshot == before.snapshot
    others: list[Fault] = [Nameless(), Cut(), Corrupt(), Error(), Cut(broken=True), Status(code=500)]
    for fault in others:
        assert run(fault(capture)).error is not None
