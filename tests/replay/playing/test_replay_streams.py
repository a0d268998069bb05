"""Captures played: which one answers, when its bytes come, how they are cut, and what the streams make of them."""

from __future__ import annotations

import asyncio
import math
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest
from helpers import FIXTURES, HELLO, STOP, STREAMS, body, start, stream_id
from hypothesis import given
from hypothesis import strategies as st
from server import BACKENDS, run

from streamcore import IncompleteStreamError, Message, MessageEngine, ProtocolError, StreamCoreError
from streamcore.errors import APIConnectionError, APITimeoutError, InvalidArgumentError, OverloadedError
from streamcore.replay import (
    AS_RECORDED,
    INSTANTLY,
    AsyncPlayer,
    Capture,
    CapturedRequest,
    CaptureError,
    Chunk,
    Chunking,
    End,
    NoCaptureError,
    Pause,
    RandomChunks,
    Replay,
    Step,
    SyncPlayer,
    aopen_stream,
    open_stream,
    parse_chunking,
)
from streamcore.replay.formats import same_file
from streamcore.replay.formats.files import capture_files
from streamcore.replay.playing.chunking import rechunk

GOOD = [path for path in FIXTURES if path.parent.name != "broken" and path.stem != "several"]
REQUEST = CapturedRequest(url="http://api/v1/messages", body=b"{}")


class Clock:
    """A clock that goes on by what is slept, and by what a reader takes."""

    def __init__(self) -> None:
        self.time = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    async def async_sleep(self, seconds: float) -> None:
        self.sleep(seconds)


def message(path: Path) -> Message:
    engine = MessageEngine()
    engine.receive_data(path.read_bytes())
    for _ in engine.events():
        pass
    return engine.final_message


# When


STEPS: tuple[Step, ...] = (Chunk(0.0, b"a"), Chunk(0.5, b"b"), Chunk(0.5, b"c"), Chunk(2.0, b"d"), End(3.0))


@pytest.mark.parametrize(
    ("speed", "slept"),
    [(AS_RECORDED, [0.5, 1.5, 1.0]), (2, [0.25, 0.75, 0.5]), (0.5, [1.0, 3.0, 2.0]), (INSTANTLY, [])],
)
def test_chunks_come_when_they_came_or_so_many_times_as_fast(speed: float, slept: list[float]) -> None:
    clock = Clock()
    player = SyncPlayer(STEPS, speed=speed, sleep=clock.sleep, clock=clock)
    assert list(player) == [b"a", b"b", b"c", b"d"]
    assert clock.slept == slept

    async def play() -> list[bytes]:
        player = AsyncPlayer(STEPS, speed=speed, sleep=clock.async_sleep, clock=clock)
        return [chunk async for chunk in player]

    clock.slept.clear()
    assert anyio.run(play) == [b"a", b"b", b"c", b"d"]
    assert clock.slept == slept


@pytest.mark.parametrize("time", [1e10, 1e300])
def test_a_time_beyond_what_a_system_can_wait_for_is_waited_for_as_long_as_it_can(time: float) -> None:
    clock = Clock()
    player = SyncPlayer([Chunk(time, b"a")], speed=AS_RECORDED, sleep=clock.sleep, clock=clock)
    assert list(player) == [b"a"]
    assert clock.slept == [threading.TIMEOUT_MAX]


def test_a_reader_who_is_slow_does_not_shift_what_comes_later() -> None:
    clock = Clock()
    player = SyncPlayer(STEPS, speed=AS_RECORDED, sleep=clock.sleep, clock=clock)
    assert next(player) == b"a"
    clock.time += 1.75
    assert list(player) == [b"b", b"c", b"d"]
    assert clock.slept == [0.25, 1.0]


def test_a_pause_lasts_at_any_speed_and_shifts_what_comes_later() -> None:
    steps = (Chunk(1.0, b"a"), Pause(7), Chunk(2.0, b"b"))
    for speed, slept in ((INSTANTLY, [7]), (2, [0.5, 7, 0.5])):
        clock = Clock()
        assert list(SyncPlayer(steps, speed=speed, sleep=clock.sleep, clock=clock)) == [b"a", b"b"]
        assert clock.slept == slept


@pytest.mark.parametrize("speed", [0, -1, math.nan, "fast", None])
def test_a_speed_that_is_none_is_refused(speed: float) -> None:
    with pytest.raises(InvalidArgumentError, match="speed must be a number above 0"):
        Replay([], speed=speed)


def test_closing_ends_a_wait_in_another_thread() -> None:
    player = SyncPlayer((Chunk(0, b"a"), Pause(1000), Chunk(0, b"b")))
    assert next(player) == b"a"
    found: list[bytes] = []
    thread = threading.Thread(target=lambda: found.extend(player))
    thread.start()
    player.close()
    thread.join(10)
    assert not thread.is_alive()
    assert found == []


@pytest.mark.parametrize("backend", BACKENDS)
def test_closing_ends_a_wait_in_another_task(backend: str) -> None:
    async def test() -> None:
        capture = Capture(body=(Chunk(0, body(*HELLO)), Pause(1000)))
        async with await aopen_stream(capture) as stream, anyio.create_task_group() as group:
            group.start_soon(stream.until_done)
            await anyio.wait_all_tasks_blocked()
            await stream.close()

    run(backend, test)


# In which cuts


def steps_of(data: bytes) -> list[Step]:
    return [Chunk(n, data[n * 7 : n * 7 + 7]) for n in range(-(-len(data) // 7))]


def data_of(steps: Sequence[Step]) -> bytes:
    return b"".join(step.data for step in steps if isinstance(step, Chunk))


line_ends = st.sampled_from([b"\n", b"\r", b"\r\n"])
texts = st.lists(st.sampled_from([b"data: 1", b"event: x", b": c", b"", b"\r", b"\n", b"\r\n", b"\xef\xbb\xbf"])).map(
    b"".join
)


@given(texts, st.integers(1, 30) | st.builds(RandomChunks, st.integers(), st.integers(1, 9)) | st.just("event"))
def test_the_bytes_stay_whatever_the_cuts(data: bytes, chunking: Chunking) -> None:
    cut = list(rechunk([*steps_of(data), End(99)], chunking))
    assert data_of(cut) == data
    assert cut[-1] == End(99)
    times = [step.time for step in cut if isinstance(step, Chunk)]
    assert times == sorted(times)
    read = 0
    for step in cut[:-1]:
        assert isinstance(step, Chunk)
        read += len(step.data)
        assert step.time >= (read - 1) // 7, "no chunk comes before its last byte did"
    if isinstance(chunking, int):
        assert {len(step.data) for step in cut[:-2] if isinstance(step, Chunk)} <= {chunking}
    if isinstance(chunking, RandomChunks):
        assert all(len(step.data) <= chunking.largest for step in cut[:-1] if isinstance(step, Chunk))
        assert cut == list(rechunk([*steps_of(data), End(99)], chunking))


@given(texts)
def test_events_are_cut_the_same_however_they_arrive(data: bytes) -> None:
    whole = [step.data for step in rechunk([Chunk(0, data)], "event") if isinstance(step, Chunk)]
    assert [step.data for step in rechunk(steps_of(data), "event") if isinstance(step, Chunk)] == whole


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_an_event_is_cut_after_its_blank_line(end: bytes) -> None:
    events = [b"event: a%sdata: 1%s%s" % (end, end, end), b"data: 2%s%s" % (end, end)]
    cut = list(rechunk([Chunk(0, b"".join(events))], "event"))
    assert [step.data for step in cut if isinstance(step, Chunk)] == events


def test_a_pause_stays_where_it_is() -> None:
    steps = (Chunk(0, b"ab"), Pause(1), Chunk(1, b"cd"), End(2))
    assert list(rechunk(steps, 3)) == list(steps)


@pytest.mark.parametrize(
    ("text", "chunking"),
    [
        ("recorded", "recorded"),
        ("event", "event"),
        ("1000", 1000),
        ("random", RandomChunks()),
        ("random:seed=3", RandomChunks(seed=3)),
        ("random:largest=9,seed=3", RandomChunks(seed=3, largest=9)),
    ],
)
def test_chunkings_have_a_text(text: str, chunking: Chunking) -> None:
    assert parse_chunking(text) == chunking


@pytest.mark.parametrize("text", ["", "events", "0", "-1", "1.5", "random:seed", "random:largest=0", "7:seed=1"])
def test_a_text_that_is_no_chunking_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgumentError, match="is not a chunking; it must be recorded, event"):
        parse_chunking(text)


@pytest.mark.parametrize("chunking", [0, -1, "events", "random:largest=0", True, 1.5])
def test_a_chunking_that_is_none_is_refused(chunking: Chunking) -> None:
    for make in (lambda: Replay([], chunking=chunking), lambda: open_stream(Capture(), chunking=chunking)):
        with pytest.raises(InvalidArgumentError, match=r"chunking must be|is not a chunking|largest must be"):
            make()


# Which


def test_captures_are_played_in_order_and_when_there_are_no_more_they_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "two.sse"
    path.write_bytes(body(start("msg_1"), STOP, start("msg_2"), STOP))
    replay = Replay([path, Capture(request=REQUEST, name="third")])
    names = [replay.answer(REQUEST).name for _ in range(3)]
    assert names == [str(path), f"{path}, byte {len(body(start('msg_1'), STOP))}", "third"]
    with pytest.raises(NoCaptureError) as caught:
        replay.answer(REQUEST)
    assert caught.value.request == REQUEST
    said = str(caught.value)
    assert said.startswith("POST http://api/v1/messages with b'{}': all captures have been played, 3 in number")
    assert f"1. {path} · status 200; 2. " in said
    assert said.endswith("3. third · POST http://api/v1/messages · status 200")


def test_the_order_may_begin_again() -> None:
    replay = Replay([Capture(name="a"), Capture(name="b")], repeat=True)
    assert [replay.answer(REQUEST).name for _ in range(5)] == ["a", "b", "a", "b", "a"]
    with pytest.raises(NoCaptureError):
        Replay([], repeat=True).answer(REQUEST)


def test_choosing_from_a_file_that_always_changes_comes_to_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.sse"
    path.write_bytes(body(*HELLO) * 3)
    checks = 0
    check = same_file.check_version

    def changed(*args: Any) -> None:
        nonlocal checks
        checks += 1
        assert checks < 50
        with path.open("ab") as file:
            file.write(body(*HELLO))
        check(*args)

    replay = Replay(path, choose=lambda _, captures: captures[0])
    with monkeypatch.context() as patch:
        patch.setattr("streamcore.replay.formats.sse.check_version", changed)
        for _ in range(2):
            with pytest.raises(same_file.FileChangedError):
                replay.answer(REQUEST)
    assert replay.answer(REQUEST).data == body(*HELLO)


def test_a_function_chooses_and_none_is_an_error_that_lists_them() -> None:
    def choose(request: CapturedRequest, captures: Sequence[Capture]) -> Capture | None:
        return next((capture for capture in captures if capture.name.encode() in request.body), None)

    replay = Replay([Capture(name="paris"), Capture(name="lima", status=429)], choose=choose)
    for asked in ("lima", "paris", "lima"):
        assert replay.answer(CapturedRequest(url="/", body=f"in {asked}?".encode())).name == asked
    with pytest.raises(
        NoCaptureError, match=r"none of the captures .* 2 in number; there were: 1\. paris · .*; 2\. lima · status 429"
    ):
        replay.answer(REQUEST)


def test_threads_are_answered_one_after_the_other() -> None:
    inside: list[int] = []
    others: list[threading.Thread] = []

    def choose(request: CapturedRequest, captures: Sequence[Capture]) -> Capture | None:
        inside.append(threading.get_ident())
        if not others:
            others.append(threading.Thread(target=replay.answer, args=(REQUEST,)))
            others[0].start()
            others[0].join(0.1)
            assert len(inside) == 1, "another thread was let in"
        return captures[0]

    replay = Replay(Capture(), choose=choose)
    replay.answer(REQUEST)
    others[0].join()
    assert len(inside) == 2


def test_long_lists_are_cut() -> None:
    replay = Replay(Capture(name=f"number {n}") for n in range(50))
    for _ in range(50):
        replay.answer(REQUEST)
    with pytest.raises(NoCaptureError, match=r"50 in number.*20\. number 19 · status 200; \.\.\.$"):
        replay.answer(REQUEST)


def test_a_directory_is_the_captures_in_it_by_name(tmp_path: Path) -> None:
    for name in ("b.sse", "a.sse", "notes.txt", ".hidden.sse"):
        (tmp_path / name).write_bytes(name.encode())
    replay = Replay(tmp_path)
    assert [replay.answer(REQUEST).data for _ in range(2)] == [b"a.sse", b"b.sse"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(CaptureError, match="this directory has no captures"):
        Replay(tmp_path / "empty").answer(REQUEST)


def test_a_directory_may_have_pipes_which_nobody_waits_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.sse")
    (tmp_path / "link.sse").symlink_to("a.sse")
    (tmp_path / "b.sse").write_bytes(b"data: 1\n\n")
    assert capture_files(tmp_path) == [tmp_path / "b.sse"]
    assert capture_files(tmp_path / "a.sse") == [tmp_path / "a.sse"]
    (tmp_path / "b.sse").unlink()
    with pytest.raises(CaptureError, match="this directory has no captures"):
        capture_files(tmp_path)


# What the streams make of it


@pytest.mark.parametrize("chunking", ["recorded", "event", 1000, RandomChunks(seed=1)])
@pytest.mark.parametrize("path", GOOD, ids=stream_id)
def test_a_stream_of_a_capture_ends_with_its_message(path: Path, chunking: Chunking) -> None:
    with open_stream(path, chunking=chunking) as stream:
        assert stream.get_final_message() == message(path)

    async def play() -> Message:
        async with await aopen_stream(path, chunking=chunking) as stream:
            return await stream.get_final_message()

    assert asyncio.run(play()) == message(path)


def test_options_go_to_the_stream_and_it_has_the_response() -> None:
    data = body(HELLO[0], b"data: [DONE]\n\n", *HELLO[1:])
    capture = Capture(request=REQUEST, headers={"Request-Id": "req_7"}, body=(Chunk(0, data),))
    with open_stream(capture) as stream:
        assert stream.request_id == "req_7"
        assert stream.response.status_code == 200
        assert stream.response.request == REQUEST
        stream.until_done()
    with open_stream(capture, strict=True) as stream, pytest.raises(ProtocolError):
        stream.until_done()


def both(capture: Capture, check: Callable[[StreamCoreError], None], **options: float) -> None:
    """What a sync and an async stream of it raise."""
    with pytest.raises(StreamCoreError) as caught:
        open_stream(capture, **options).until_done()  # type: ignore[arg-type]
    check(caught.value)

    async def play() -> None:
        stream = await aopen_stream(capture, **options)  # type: ignore[arg-type]
        await stream.until_done()

    for backend in BACKENDS:
        with pytest.raises(StreamCoreError) as caught:
            run(backend, play)
        check(caught.value)


def test_a_status_is_the_exception_that_the_clients_raise() -> None:
    def check(error: StreamCoreError) -> None:
        assert isinstance(error, OverloadedError)
        assert error.response.json()["error"]["message"] == "busy"

    data = b'{"type":"error","error":{"type":"overloaded_error","message":"busy"}}'
    both(Capture(status=529, headers={"content-type": "application/json"}, body=(Chunk(0, data),)), check)


def test_a_broken_end_is_a_failed_connection_with_the_snapshot() -> None:
    def check(error: StreamCoreError) -> None:
        assert isinstance(error, APIConnectionError)
        assert error.snapshot is not None
        assert "reset by peer" in str(error)

    both(Capture(body=(Chunk(0, body(start())), End(1, "broken", "reset by peer"))), check)


def test_the_end_too_soon_is_an_incomplete_stream() -> None:
    def check(error: StreamCoreError) -> None:
        assert isinstance(error, IncompleteStreamError)
        assert error.snapshot is not None

    both(Capture(body=(Chunk(0, body(start())), End(1, "closed"))), check)


def test_a_silence_that_is_too_long_is_a_timeout_with_the_snapshot() -> None:
    def check(error: StreamCoreError) -> None:
        assert isinstance(error, APITimeoutError)
        assert error.snapshot is not None

    both(Capture(body=(Chunk(0, body(start())), Pause(1000), Chunk(0, body(*HELLO[1:])))), check, idle_timeout=0.01)


@pytest.mark.parametrize("path", STREAMS, ids=stream_id)
def test_every_capture_plays_to_the_same_outcome_as_its_bytes(path: Path) -> None:
    def outcome(run: Callable[[], Message]) -> object:
        try:
            return run()
        except StreamCoreError as error:
            return str(error)

    def directly() -> Message:
        engine = MessageEngine()
        engine.receive_data(first)
        for _ in engine.events():
            pass
        engine.receive_eof()
        for _ in engine.events():
            pass
        return engine.final_message

    first = Replay(path).answer(REQUEST).data
    streamed = outcome(lambda: open_stream(path, chunking=100).get_final_message())
    if not (isinstance(streamed, str) and "overloaded" in streamed.lower()):
        assert streamed == outcome(directly)
