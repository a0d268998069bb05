"""The stages below `SSEDecoder`, where its face does not show what they do: places, memory, refusals."""

from __future__ import annotations

import re
from itertools import accumulate

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streamcore import InvalidArgumentError, LimitExceededError, Limits, SSEDecoder, StreamCoreError
from streamcore.sse._buffer import ChunkBuffer
from streamcore.sse._fields import EventFields
from streamcore.sse._lines import LineSplitter
from streamcore.sse._sections import Sections
from streamcore.testing.strategies import chunkings

# Chunks


def buffer_of(*, head_size: int = 512, max_chunk_size: int = 1000) -> ChunkBuffer:
    return ChunkBuffer(head_size=head_size, max_chunk_size=max_chunk_size)


def take(buffer: ChunkBuffer) -> bytes | None:
    """Return the next chunk, as a reader that is done with it."""
    chunk = buffer.next_chunk
    if chunk is not None:
        buffer.advance()
    return chunk


def test_chunks_come_out_in_order() -> None:
    buffer = buffer_of()
    for chunk in (b"a", b"b", b"c"):
        buffer.append(chunk)
    assert [take(buffer), take(buffer)] == [b"a", b"b"]
    buffer.append(b"d")
    assert [take(buffer), take(buffer), take(buffer)] == [b"c", b"d", None]
    assert buffer.later is None  # so that a reader may take the next one by setting `next_chunk`
    buffer.append(b"e")
    assert take(buffer) == b"e"


def test_a_chunk_that_is_too_long_is_cut() -> None:
    buffer = buffer_of(max_chunk_size=2)
    buffer.append(b"abcde")
    assert [take(buffer), take(buffer), take(buffer), take(buffer)] == [b"ab", b"cd", b"e", None]


@given(st.lists(st.one_of(st.binary(max_size=4), st.none()), max_size=30), st.integers(0, 6))
def test_no_byte_is_lost_or_moved_however_chunks_and_reads_alternate(steps: list[bytes | None], head_size: int) -> None:
    buffer = buffer_of(head_size=head_size)
    taken = b""
    for step in steps:
        if step is None:
            taken += take(buffer) or b""
        else:
            buffer.append(step)
    while (chunk := take(buffer)) is not None:
        assert chunk
        taken += chunk
    assert taken == b"".join(step or b"" for step in steps)
    assert buffer.head == taken[:head_size]


def test_an_empty_chunk_is_nothing() -> None:
    buffer = buffer_of()
    buffer.append(b"")
    assert take(buffer) is None


def test_a_chunk_is_copied_if_its_owner_can_change_it() -> None:
    buffer, chunk = buffer_of(head_size=0), bytearray(b"abc")
    for given_chunk in (chunk, memoryview(chunk)[1:]):
        buffer.append(given_chunk)  # type: ignore[arg-type]  # bytes-like
    chunk[:] = b"xyz"
    assert [take(buffer), take(buffer)] == [b"abc", b"bc"]


@pytest.mark.parametrize("chunk", ["text", 5, None, [1]], ids=repr)
def test_a_chunk_that_is_not_bytes_is_refused_and_changes_nothing(chunk: object) -> None:
    buffer = buffer_of(head_size=0)
    buffer.append(b"a")
    with pytest.raises(InvalidArgumentError, match="must be bytes"):
        buffer.append(chunk)  # type: ignore[arg-type]  # on purpose
    assert [take(buffer), take(buffer)] == [b"a", None]


@pytest.mark.parametrize("head_size", [0, 1, 100])
def test_a_closed_buffer_refuses_chunks_and_says_why(head_size: int) -> None:
    buffer = buffer_of(head_size=head_size)
    for chunk in (b"abc", b"d", b"e"):
        buffer.append(chunk)
    buffer.close("it is late")
    for chunk in (b"d", b""):
        with pytest.raises(StreamCoreError, match="cannot receive more data: it is late"):
            buffer.append(chunk)
    assert [take(buffer) for _ in range(4)] == [b"abc", b"d", b"e", None]
    with pytest.raises(StreamCoreError, match="it is late"):
        buffer.append(b"d")


def test_a_cleared_buffer_keeps_its_head_only() -> None:
    buffer = buffer_of(head_size=2)
    for chunk in (b"abc", b"d", b"e"):
        buffer.append(chunk)
    buffer.clear()
    assert take(buffer) is None
    assert buffer.head == b"ab"


# Lines

LINE_PIECES = st.sampled_from(
    [b"\r", b"\n", b"\r\n", b"data", b": ", b"x", b"d", b"event: ", b"", b"\xe2\x80\xa8", b"\x0b"]
)
LINE_TEXTS = st.lists(LINE_PIECES, max_size=20).map(b"".join)


@given(LINE_TEXTS.flatmap(lambda text: st.tuples(st.just(text), chunkings(text))))
@example((b"x\r\ndata\n", [b"x", b"\r", b"\ndata\n"]))
@example((b"data\r\ndata\n", [b"data", b"\r", b"\n", b"data\n"]))
def test_lines_that_may_be_fields_and_their_places_do_not_depend_on_the_chunks(case: tuple[bytes, list[bytes]]) -> None:
    text, chunks = case
    splitter = LineSplitter(max_line_size=100)
    found: list[tuple[int, bytes]] = []
    for chunk in chunks:
        part = splitter.split(chunk)
        places = accumulate((len(line) for line in part), initial=splitter.line_offset)
        found += [(place, line.rstrip(b"\r\n")) for place, line in zip(places, part, strict=False)]
    assert splitter.end == len(text)
    lines = [(match.start(), match[1]) for match in re.finditer(rb"([^\r\n]*)(?:\r\n|\r|\n)", text)]
    # A line that cannot be a field is dropped only if it came in several pieces.
    assert [(place, line) for place, line in found if _may_be_field(line)] == [
        (place, line) for place, line in lines if _may_be_field(line)
    ]
    assert {*found} <= {*lines}


def _may_be_field(line: bytes) -> bool:
    return line == b"" or line.partition(b":")[0] in (b"data", b"event", b"id", b"retry")


@pytest.mark.parametrize("dropped", [b": comment", b"unknown", b"x"])
@pytest.mark.parametrize("chunks", [[b"\r", b"\n"], [b"y\r", b"\n"], [b"\r\n"], [b"y", b"\r", b"", b"\n"]])
def test_the_lf_of_a_cut_crlf_does_not_end_an_event_after_a_line_that_was_dropped(
    dropped: bytes, chunks: list[bytes]
) -> None:
    decoder = SSEDecoder()
    seen = []
    for chunk in [b"data: 1\r\n", dropped, *chunks, b"data: 2\r\n\r\n"]:
        decoder.receive_data(chunk)
        seen += [event.data for event in decoder.events()]
    assert seen == ["1\n2"]


@pytest.mark.parametrize("start", [b":", b"x", b"dat:", b"datum", b"events", b"\xff"])
def test_a_line_that_cannot_be_a_field_takes_no_memory(start: bytes) -> None:
    splitter = LineSplitter(max_line_size=10)
    for piece in (start, b"x" * 1000, b"data: "):
        assert splitter.split(piece) == []
        splitter.check_size()
    assert splitter.unfinished_size == 0
    assert not splitter.is_between_lines
    assert splitter.split(b"\ndata: 1\n") == [b"data: 1\n"]
    assert splitter.line_offset == len(start) + 1007
    assert splitter.is_between_lines


@pytest.mark.parametrize("start", [b"d", b"data", b"data:", b"retry: ", b"event"])
def test_a_line_that_may_be_a_field_is_kept_and_refused_if_it_gets_too_long(start: bytes) -> None:
    splitter = LineSplitter(max_line_size=10)
    splitter.split(b"data: 1\n" + start)
    splitter.check_size()
    assert splitter.unfinished_size == len(start)
    rest = b"data: x"[len(start) :] if b"data: x".startswith(start) else b": "
    splitter.split(rest + b"y" * 10)
    with pytest.raises(LimitExceededError, match="a line is longer than 10 bytes") as caught:
        splitter.check_size()
    assert caught.value.offset == len(b"data: 1\n")
    assert caught.value.received is not None
    assert len(caught.value.received) == 10


# Fields


def test_an_event_begins_with_its_first_field() -> None:
    fields = EventFields(Limits())
    for offset, line in ((0, b": comment"), (10, b"unknown: 1"), (21, b"id: 7"), (27, b"data: a")):
        fields.add(line, offset)
    assert fields.has_begun
    assert fields.offset == 21
    assert fields.last_event_id is None
    assert fields.dispatch() == (None, b"a")
    assert fields.last_event_id == "7"
    assert not fields.has_begun


def test_an_event_without_data_is_no_frame_but_its_id_and_retry_count() -> None:
    fields = EventFields(Limits())
    for line in (b"event: a", b"id: 7", b"retry: 5"):
        fields.add(line, 0)
    assert fields.dispatch() is None
    assert (fields.last_event_id, fields.retry) == ("7", 5)
    fields.add(b"data", 30)
    assert fields.dispatch() == (None, b"")
    assert (fields.last_event_id, fields.retry, fields.event_retry) == ("7", 5, None)


def test_a_frame_does_not_change_when_the_next_event_comes() -> None:
    fields = EventFields(Limits())
    for line in (b"data: a", b"data: b"):
        fields.add(line, 0)
    frame = fields.dispatch()
    fields.add(b"data: c", 20)
    assert frame == (None, b"a\nb")
    assert type(frame[1]) is bytes


def test_a_discarded_event_leaves_nothing_to_the_next() -> None:
    fields = EventFields(Limits())
    for line in (b"event: a", b"data: a"):
        fields.add(line, 0)
    fields.discard()
    assert fields.dispatch() is None
    fields.add(b"data: b", 20)
    assert fields.dispatch() == (None, b"b")


def test_all_data_of_an_event_counts_for_its_limit() -> None:
    fields = EventFields(Limits(max_event_size=5))
    for line in (b"data: ab", b"data: cd"):
        fields.add(line, 3)
    with pytest.raises(LimitExceededError, match="the data of an event is longer than 5 bytes") as caught:
        fields.add(b"data", 20)
    assert caught.value.offset == 3


# Sections


@given(st.lists(st.binary(min_size=1, max_size=9), min_size=1, max_size=8), st.lists(st.booleans(), max_size=8))
def test_places_of_blocks_are_right_whenever_they_are_asked_for(parts: list[bytes], asked: list[bool]) -> None:
    sections = Sections(parts, offset=100, event_offset=7)
    assert (sections.event_offset, sections.end, sections.is_read) == (7, 100, False)
    place = 100
    for number, part in enumerate(sections.unread):
        if number < len(asked) and asked[number]:
            assert sections.end == place + len(part) + 2
            assert sections.latest_offset == sections.event_offset == place
            assert sections.end == place + len(part) + 2
        place += len(part) + 2
    assert sections.is_read
    assert sections.end == place
    assert sections.event_offset == sections.latest_offset == place - len(parts[-1]) - 2


def test_a_block_without_an_event_leaves_the_place_of_the_one_before() -> None:
    sections = Sections([b": a", b"data: 1", b": b", b": c\ndata: 2"], offset=0, event_offset=50)
    offsets = []
    for _, offset in zip(sections.unread, (None, 5, None, 23), strict=True):
        sections.set_event_offset(offset)
        offsets.append(sections.event_offset)
    assert offsets == [50, 5, 5, 23]


@pytest.mark.parametrize(
    "limits", [Limits(max_line_size=20), Limits(max_event_size=14), Limits(max_line_size=20, max_event_size=30)]
)
def test_a_start_of_an_event_that_is_too_long_is_refused_with_the_chunk_that_has_it(limits: Limits) -> None:
    decoder = SSEDecoder(limits=limits)
    decoder.receive_data(b"data: 1\n\ndata: " + b"x" * 30 + b"\n")
    events = decoder.events()
    assert next(events).data == "1"
    with pytest.raises(LimitExceededError) as caught:
        next(events)
    assert caught.value.offset == 9


def test_an_event_that_has_begun_has_a_place_only_when_all_before_it_have_been_read() -> None:
    decoder = SSEDecoder()
    decoder.receive_data(b"data: 1\n\ndata: 2\n\ndata: 3\n")
    offsets = [decoder.event_offset for _ in decoder.events()]
    assert offsets == [0, 9]
    assert decoder.event_offset == 18
