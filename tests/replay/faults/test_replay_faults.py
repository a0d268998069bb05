"""Captures broken on purpose: what each fault does to the bytes, and what the clients then make of every fixture."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from helpers import HELLO, body, by_frame
from hypothesis import given
from hypothesis import strategies as st

import streamcore.replay.faults
from streamcore.errors import InvalidArgumentError
from streamcore.replay import Capture, Chunk, End, Fault, Pause, Step, parse_fault
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
from streamcore.replay.faults.kinds import FAULTS

FRAMES = [frame for frame in by_frame(body(*HELLO)) if frame]
WHOLE = b"".join(FRAMES)


def chunks(data: bytes, size: int = 100) -> tuple[Chunk, ...]:
    return tuple(Chunk(begin / 100, data[begin : begin + size]) for begin in range(0, len(data), size))


CAPTURE = Capture(body=(*chunks(WHOLE), End(99)))


def steps(*faults: Fault, capture: Capture = CAPTURE) -> list[Step]:
    for fault in faults:
        capture = fault(capture)
    found = list(capture.body)
    assert list(capture.body) == found, "a body can be gone through again"
    return found


def data_of(found: Sequence[Step]) -> bytes:
    return b"".join(step.data for step in found if isinstance(step, Chunk))


# What they do to the bytes


@pytest.mark.parametrize("number", range(len(FRAMES) + 1))
def test_a_cut_lets_so_many_events_through(number: int) -> None:
    found = steps(Cut(event=number))
    assert data_of(found) == b"".join(FRAMES[:number])
    end = found[-1]
    assert isinstance(end, End)
    assert end.reason == "complete"


@given(st.integers(0, len(WHOLE)))
def test_a_cut_lets_so_many_bytes_through_in_their_chunks(byte: int) -> None:
    found = steps(Cut(byte=byte, broken=True))
    assert data_of(found) == WHOLE[:byte]
    assert found[:-2] == list(CAPTURE.body)[: max(len(found) - 2, 0)]
    end = found[-1]
    assert isinstance(end, End)
    assert end.reason == "broken"
    assert end.time < 99


EVENTS = len(FRAMES)
SIZE = len(WHOLE)


@pytest.mark.parametrize("end", [(), (End(99),)])
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Cut(event=EVENTS + 1), f"at event {EVENTS + 1} has no place: the stream has {EVENTS} events"),
        (Cut(byte=SIZE + 1), f"at byte {SIZE + 1} has no place: the stream has {SIZE} bytes"),
        (Stall(seconds=1, event=99), f"the stream has {EVENTS} events"),
        (Stall(seconds=1, byte=SIZE + 1), f"the stream has {SIZE} bytes"),
        (Error(event=EVENTS + 1), f"the stream has {EVENTS} events"),
        (Duplicate(event=EVENTS), f"the stream has {EVENTS} events"),
        (Drop(event=EVENTS), f"the stream has {EVENTS} events"),
        (Corrupt(event=EVENTS), f"the stream has {EVENTS} events"),
        (Corrupt(byte=SIZE), f"the stream has {SIZE} bytes"),
    ],
)
def test_a_place_beyond_the_end_is_an_error_after_all_bytes(fault: Fault, said: str, end: tuple[End, ...]) -> None:
    found: list[Step] = []
    with pytest.raises(InvalidArgumentError, match=said):
        found.extend(fault(Capture(body=(*chunks(WHOLE), *end))).body)
    assert data_of(found) == WHOLE


@pytest.mark.parametrize("number", range(len(FRAMES) + 1))
def test_a_stall_is_before_an_event(number: int) -> None:
    found = steps(Stall(seconds=2, event=number))
    place = found.index(Pause(2))
    assert data_of(found[:place]) == b"".join(FRAMES[:number])
    assert data_of(found) == WHOLE
    assert found[-1] == End(99)


@given(st.integers(0, len(WHOLE)))
def test_a_stall_is_after_so_many_bytes(byte: int) -> None:
    found = steps(Stall(seconds=2, byte=byte))
    assert data_of(found[: found.index(Pause(2))]) == WHOLE[:byte]
    assert data_of(found) == WHOLE


def test_an_error_event_ends_the_stream() -> None:
    found = data_of(steps(Error(event=3, type="api_error", message="Ouch")))
    assert found.startswith(b"".join(FRAMES[:3]))
    error = found.removeprefix(b"".join(FRAMES[:3]))
    assert error.startswith(b"event: error\ndata: ")
    payload = json.loads(error.split(b"data: ")[1])
    assert payload == {"type": "error", "error": {"type": "api_error", "message": "Ouch"}}


def test_a_status_is_another_answer() -> None:
    assert json.loads(Status(code=402)(CAPTURE).data)["error"]["type"] == "billing_error"
    broken = Status(code=529)(CAPTURE)
    assert broken.status == 529
    assert json.loads(broken.data)["error"]["type"] == "overloaded_error"
    other = Status(code=502, body=b"<html>", headers=(("content-type", "text/html"),))(CAPTURE)
    assert (other.status, other.data, other.header("content-type")) == (502, b"<html>", "text/html")


def test_an_event_comes_twice_or_not_at_all() -> None:
    assert data_of(steps(Duplicate(event=2))) == b"".join([*FRAMES[:3], *FRAMES[2:]])
    assert data_of(steps(Drop(event=2))) == b"".join([*FRAMES[:2], *FRAMES[3:]])


@given(st.integers(0, len(FRAMES) - 1), st.integers(0, 1000), st.integers(1, 5))
def test_corrupt_bytes_are_such_as_json_does_not_allow(event: int, seed: int, count: int) -> None:
    found = data_of(steps(Corrupt(event=event, seed=seed, count=count)))
    assert len(found) == len(WHOLE)
    changed = [place for place in range(len(WHOLE)) if found[place] != WHOLE[place]]
    begin = sum(map(len, FRAMES[:event])) + FRAMES[event].index(b"data: ") + 6
    assert len(changed) == count
    for place in changed:
        assert begin <= place < begin + len(FRAMES[event])
        assert found[place] < 0x20
        assert found[place] not in b"\t\r\n"


@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 300))
def test_bytes_can_be_corrupted_anywhere(byte: int, count: int) -> None:
    found = steps(Corrupt(byte=byte, count=count))
    data = data_of(found)
    assert [len(step.data) for step in found if isinstance(step, Chunk)] == [len(c.data) for c in CAPTURE.chunks]
    assert data[:byte] == WHOLE[:byte]
    assert data[byte + count :] == WHOLE[byte + count :]
    assert all(code < 0x20 for code in data[byte : byte + count])


def test_names_go_and_nothing_else() -> None:
    lines = WHOLE.split(b"\n")
    assert data_of(steps(Nameless())) == b"\n".join(line for line in lines if not line.startswith(b"event:"))
    assert data_of(steps(Crlf(), Nameless())) == data_of(steps(Nameless(), Crlf()))
    tricky = b"\xef\xbb\xbfevent: a\ndata: event: b\nevents: c\nevent\nid: event:\r\revent:\rdata\r\r"
    left = b"\xef\xbb\xbfdata: event: b\nevents: c\nid: event:\r\rdata\r\r"
    assert data_of(steps(Nameless(), capture=Capture(body=[Chunk(0, tricky)]))) == left


def test_comments_and_pings_come_between_events() -> None:
    assert data_of(steps(Comments(text="hi"))) == b": hi\n\n".join(FRAMES)
    ping = b'event: ping\ndata: {"type":"ping"}\n\n'
    assert data_of(steps(Pings(every=3))) == b"".join([*FRAMES[:3], ping, *FRAMES[3:6], ping, *FRAMES[6:]])


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_lines_end_in_crlf(end: bytes) -> None:
    capture = Capture(body=chunks(WHOLE.replace(b"\n", end), 3))
    assert data_of(steps(Crlf(), capture=capture)) == WHOLE.replace(b"\n", b"\r\n")


def test_faults_compose_and_the_same_seed_is_the_same_fault() -> None:
    faults = (Pings(), Duplicate(seed=1), Corrupt(seed=2), Stall(seconds=1, seed=3), Cut(seed=4, broken=True))
    assert steps(*faults) == steps(*faults)
    places = {len(data_of(steps(Cut(seed=seed)))) for seed in range(50)}
    assert places == {sum(map(len, FRAMES[:number])) for number in range(len(FRAMES))}


# A value of each fault.
EACH = [parse_fault({"stall": "stall:seconds=1", "status": "status:code=529"}.get(name, name)) for name in FAULTS]


def test_each_fault_can_be_imported() -> None:
    for cls in FAULTS.values():
        assert getattr(streamcore.replay.faults, cls.__name__) is cls
        assert cls.__name__ in streamcore.replay.faults.__all__


@pytest.mark.parametrize("fault", EACH, ids=FAULTS)
@pytest.mark.parametrize("data", [b"", b": nothing\n\n", b"\n", b"data: {", b"<html>"])
def test_what_is_no_stream_can_be_broken_too(fault: Fault, data: bytes) -> None:
    steps(fault, capture=Capture(body=(Chunk(0, data), End(1))))


# Their text


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("cut:event=3", Cut(event=3)),
        ("cut:byte=30,broken=yes", Cut(byte=30, broken=True)),
        ("cut:seed=5", Cut(seed=5)),
        ("stall:seconds=0.5,event=5", Stall(seconds=0.5, event=5)),
        ("error:event=1,type=api_error,message=Oh no", Error(event=1, type="api_error", message="Oh no")),
        ("status:code=502,body=Bad gateway", Status(code=502, body=b"Bad gateway")),
        (r"error:message=Oh\, no\, a=b,event=1", Error(event=1, message="Oh, no, a=b")),
        (
            r"status:code=429,headers=retry-after: 7|accept: a\,b|x-empty:,body=no",
            Status(code=429, headers=(("retry-after", "7"), ("accept", "a,b"), ("x-empty", "")), body=b"no"),
        ),
        ("corrupt:event=3,count=2,seed=9", Corrupt(event=3, count=2, seed=9)),
        ("duplicate:event=0", Duplicate(event=0)),
        ("drop", Drop()),
        ("nameless", Nameless()),
        ("comments:every=2,text=hi", Comments(every=2, text="hi")),
        ("pings", Pings()),
        ("crlf", Crlf()),
    ],
)
def test_faults_have_a_text(text: str, fault: Fault) -> None:
    assert parse_fault(text) == fault
    assert type(fault) is FAULTS[text.partition(":")[0]]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "'' is not a fault; it must be one of cut, stall, error, status"),
        ("cuts", "'cuts' is not a fault; it must be one of cut, stall"),
        ("cut:", "'' in 'cut:' must be option=value"),
        ("cut:event", "'event' in 'cut:event' must be option=value"),
        ("cut:event=1,event=2", "'event=2' in .* each option must occur once"),
        ("cut:event=one", "'one' is not a value for the option 'event' of 'cut'"),
        ("cut:event=-1", "event must be a number of at least 0, not -1"),
        ("cut:event=1,byte=2", "at an event or at a byte, not at both"),
        ("cut:broken=maybe", "'maybe' is not a value for the option 'broken' of 'cut'"),
        ("cut:seconds=1", "'cut' has no option 'seconds', but event, seed, byte, broken"),
        ("crlf:every=1", "'crlf' has no option 'every', but none"),
        ("stall", "'stall' needs a value for seconds"),
        ("stall:seconds=nan", "seconds must be a number of at least 0, not nan"),
        ("status:code=1", "the status 1 is not valid"),
        ("status:code=99999", "the status 99999 is not valid"),
        ("status:code=429,headers=a b: c", "the header 'a b' cannot be sent"),
        ("status:code=429,headers=retry-after", "'retry-after' is not a value for the option 'headers' of 'status'"),
        ("corrupt:count=0", "count must be a number of at least 1, not 0"),
        ("pings:every=0", "every must be a number of at least 1, not 0"),
    ],
)
def test_a_text_that_is_no_fault_is_refused(text: str, said: str) -> None:
    with pytest.raises(InvalidArgumentError, match=said):
        parse_fault(text)
