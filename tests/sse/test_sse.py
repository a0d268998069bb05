"""`SSEDecoder` against the WHATWG standard (HTML, section 9.2), sentence by sentence, and the way back."""

from __future__ import annotations

import itertools
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from helpers import chunkings, in_pieces

from streamcore import LimitExceededError, Limits, ProtocolError, ServerSentEvent, SSEDecoder, StreamCoreError
from streamcore.sse import encode, encode_comment

if TYPE_CHECKING:
    from collections.abc import Iterable


def decode(*chunks: bytes, limits: Limits | None = None) -> list[ServerSentEvent]:
    decoder = SSEDecoder() if limits is None else SSEDecoder(limits=limits)
    events: list[ServerSentEvent] = []
    for chunk in chunks:
        decoder.receive_data(chunk)
        events += decoder.events()
    decoder.receive_eof()
    return events + list(decoder.events())


def every_way(body: bytes) -> list[ServerSentEvent]:
    """The events of `body`, after a check that no way to cut it gives others."""
    events = decode(body)
    for chunks in chunkings(body):
        assert decode(*chunks) == events
    for point in range(len(body) + 1):
        assert decode(body[:point], body[point:]) == events
        assert decode(body[:point], b"", body[point:]) == events
    return events


def data_of(body: bytes) -> list[str]:
    return [event.data for event in every_way(body)]


# Lines


@pytest.mark.parametrize("newline", [b"\n", b"\r", b"\r\n"])
def test_lines_end_in_lf_cr_or_crlf(newline: bytes) -> None:
    body = newline.join([b"event: a", b"data: 1", b"data: 2", b"", b"data: 3", b"", b""])
    assert every_way(body) == [
        ServerSentEvent(event="a", data="1\n2"),
        ServerSentEvent(data="3"),
    ]


def test_line_ends_of_all_kinds_mix() -> None:
    assert data_of(b"data: 1\r\ndata: 2\rdata: 3\n\r\ndata: 4\n\rdata: 5\r\r") == ["1\n2\n3", "4", "5"]


def test_lf_then_cr_is_two_line_ends() -> None:
    assert data_of(b"data: 1\n\rdata: 2\n\n") == ["1", "2"]


def test_a_blank_line_that_is_a_lone_cr_dispatches_before_the_next_byte() -> None:
    decoder = SSEDecoder()
    decoder.receive_data(b"data: 1\r\r")
    assert [event.data for event in decoder.events()] == ["1"]
    decoder.receive_data(b"\ndata: 2\r\n\r")
    assert [event.data for event in decoder.events()] == ["2"]
    assert decoder.pending == 0


def test_the_lf_of_a_cut_crlf_is_no_blank_line() -> None:
    assert data_of(b"data: 1\r\ndata: 2\r\n\r\n") == ["1\n2"]


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\u0085", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\0"])
def test_other_line_separators_end_no_line(character: str) -> None:
    assert data_of(f"data: a{character}b\n\n".encode()) == [f"a{character}b"]
    assert data_of(f"{character}\ndata: a\r\n\r\n".encode()) == ["a"]


# Encoding


def test_one_leading_bom_is_dropped() -> None:
    assert data_of(b"\xef\xbb\xbfdata: 1\n\n") == ["1"]


def test_a_second_bom_is_part_of_the_field_name() -> None:
    assert data_of(b"\xef\xbb\xbf\xef\xbb\xbfdata: 1\ndata: 2\n\n") == ["2"]


def test_a_bom_inside_the_stream_is_kept() -> None:
    assert data_of(b"data: \xef\xbb\xbf1\n\n\xef\xbb\xbfdata: 2\n\ndata: 3\n\n") == ["\ufeff1", "3"]


@pytest.mark.parametrize("start", [b"\xef", b"\xef\xbb", b"\xef\xbb\xbe", b"\xef\n", b"\xef\xbb\r\n"])
def test_a_start_that_is_only_like_a_bom_is_kept(start: bytes) -> None:
    body = start + b"data: 1\n\ndata: 2\n\n"
    expected = ["1", "2"] if start[-1:] == b"\n" else ["2"]
    assert data_of(body) == expected


def test_utf8_is_decoded_across_cuts() -> None:
    assert every_way("event: é漢😀\ndata: é漢😀\n\n".encode()) == [ServerSentEvent(event="é漢😀", data="é漢😀")]


@pytest.mark.parametrize(
    ("raw", "decoded"),
    [
        (b"\xff", "\ufffd"),
        (b"\xc3", "\ufffd"),
        (b"\xf0\x9f\x98", "\ufffd"),
        (b"\xf0\x9f\x98a", "\ufffda"),
        (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),
        (b"\xc0\xaf", "\ufffd\ufffd"),
        (b"\xf4\x90\x80\x80", "\ufffd\ufffd\ufffd\ufffd"),
    ],
)
def test_invalid_utf8_becomes_the_replacement_character(raw: bytes, decoded: str) -> None:
    assert data_of(b"data: " + raw + b"\n\n") == [decoded]
    assert every_way(b"event: " + raw + b"\nid: " + raw + b"\ndata: " + raw + b"\n\n") == [
        ServerSentEvent(event=decoded, data=decoded, id=decoded)
    ]


# Fields


def test_one_space_after_the_colon_is_dropped_and_no_more() -> None:
    assert data_of(b"data:1\n\ndata: 2\n\ndata:  3\n\ndata:\t4\n\ndata:5 \n\n") == ["1", "2", " 3", "\t4", "5 "]


def test_only_the_first_colon_separates() -> None:
    assert data_of(b"data: a: b:c\n\ndata::\n\n") == ["a: b:c", ":"]


def test_several_data_lines_join_with_lf() -> None:
    assert data_of(b"data: a\ndata\ndata:\ndata: b\n\n") == ["a\n\n\nb"]


def test_a_line_without_colon_is_a_field_without_value() -> None:
    assert every_way(b"event: a\nevent\nid: 1\nid\ndata\n\n") == [ServerSentEvent(data="", id="")]


def test_an_empty_data_field_dispatches_an_empty_string() -> None:
    assert data_of(b"data\n\ndata:\n\ndata: \n\n") == ["", "", ""]


def test_an_event_without_data_is_not_dispatched_and_its_name_is_forgotten() -> None:
    assert every_way(b"event: a\n\ndata: 1\n\nevent:b\nid: 7\nretry: 5\n\n\n\ndata: 2\n\n") == [
        ServerSentEvent(data="1"),
        ServerSentEvent(data="2", id="7"),
    ]


def test_the_name_lasts_for_one_event_and_the_last_one_given_counts() -> None:
    assert every_way(b"event: a\ndata: 1\nevent: b\n\ndata: 2\n\nevent: c\nevent:\ndata: 3\n\n") == [
        ServerSentEvent(event="b", data="1"),
        ServerSentEvent(data="2"),
        ServerSentEvent(data="3"),
    ]


def test_the_order_of_fields_does_not_matter() -> None:
    assert every_way(b"data: 1\nretry: 10\nid: 4\nevent: a\n\n") == [
        ServerSentEvent(event="a", data="1", id="4", retry=10)
    ]


def test_an_id_lasts_until_another_comes() -> None:
    events = every_way(b"data: 1\n\nid: 5\ndata: 2\n\ndata: 3\n\nid\ndata: 4\n\nid: 6\n\ndata: 5\n\n")
    assert [event.id for event in events] == [None, "5", "5", "", "6"]


def test_an_id_with_nul_is_ignored() -> None:
    events = every_way(b"id: 5\ndata: 1\n\nid: 6\x007\ndata: 2\n\nid: \x00\ndata: 3\n\n")
    assert [event.id for event in events] == ["5", "5", "5"]


def test_the_last_event_id_is_at_hand_for_a_reconnection() -> None:
    decoder = SSEDecoder()
    assert decoder.last_event_id is None
    decoder.receive_data(b"id: 5\n\n")
    assert list(decoder.events()) == []
    assert decoder.last_event_id == "5"


def test_the_id_of_an_event_that_never_was_dispatched_does_not_count_for_a_reconnection() -> None:
    # "Once the end of the file is reached, any pending data must be discarded", and it is dispatching that sets "the
    # last event ID string of the event source". A client that sent the id of a lost event would never get it.
    decoder = SSEDecoder()
    decoder.receive_data(b"id: 5\ndata: 1\n\nid: 6\ndata: 2\n")
    decoder.receive_eof()
    assert [event.data for event in decoder.events()] == ["1"]
    assert decoder.last_event_id == "5"


@pytest.mark.parametrize(
    "value", [b"", b"-1", b"+1", b"1.5", b"1e3", b" 1", b"1 ", b"0x10", "٣".encode(), b"1_0", b"\xb2"]
)
def test_a_retry_that_is_not_all_ascii_digits_is_ignored(value: bytes) -> None:
    (event,) = every_way(b"retry: 7\n\nretry: " + value + b"\ndata: 1\n\n")
    assert event.retry is None


def test_a_retry_of_digits_is_an_integer_in_base_ten() -> None:
    decoder = SSEDecoder()
    assert decoder.retry is None
    decoder.receive_data(b"retry: 010\ndata: 1\n\ndata: 2\n\nretry:3000\n\n")
    assert [event.retry for event in decoder.events()] == [10, None]
    assert decoder.retry == 3000


def test_a_retry_of_many_digits_raises_nothing() -> None:
    assert data_of(b"retry: " + b"9" * 5000 + b"\ndata: 1\n\n") == ["1"]


@pytest.mark.parametrize(
    "line",
    [
        b":",
        b": comment",
        b":data: 1",
        b"::",
        b" data: 1",
        b"Data: 1",
        b"data : 1",
        b"datax: 1",
        b"dat: 1",
        b"x",
        b"eventdata",
    ],
)
def test_comments_and_unknown_fields_are_ignored(line: bytes) -> None:
    assert data_of(line + b"\ndata: 1\n" + line + b"\n\n" + line + b"\n\n") == ["1"]


def test_an_unfinished_event_is_discarded_at_the_end() -> None:
    assert data_of(b"data: 1\n\ndata: 2") == ["1"]
    assert data_of(b"data: 1\n\ndata: 2\n") == ["1"]
    assert data_of(b"data: 1\n\nevent: a\r\n") == ["1"]


def test_an_empty_stream_has_no_events() -> None:
    assert decode() == []
    assert decode(b"") == []
    assert decode(b"\xef\xbb\xbf") == []


# Where we are


def test_pending_is_the_size_of_what_was_left_over() -> None:
    def pending(body: bytes) -> set[int]:
        sizes = set()
        for chunks in chunkings(body):
            decoder = SSEDecoder()
            for chunk in chunks:
                decoder.receive_data(chunk)
                list(decoder.events())
            decoder.receive_eof()
            assert list(decoder.events()) == []
            sizes.add(decoder.pending)
        return sizes

    assert pending(b"") == {0}
    assert pending(b"data: 1") == {7}
    assert pending(b"data: 1\n") == {8}
    assert pending(b": comment\ndata: 1\r\nda") == {11}
    assert pending(b"event: a\n\n") == {0}
    assert pending(b": comment\n") == {0}
    assert pending(b"dat") == {3}


def test_pending_is_refused_while_events_are_unread() -> None:
    decoder = SSEDecoder()
    decoder.receive_data(b"data: 1\n\n")
    with pytest.raises(StreamCoreError):
        _ = decoder.pending


def test_event_offset_is_where_the_first_field_of_the_event_begins() -> None:
    body = b"\xef\xbb\xbfdata: 1\n\n: comment\nunknown: 1\nevent: a\r\ndata: 2\r\n\r\n\ndata: 3\ndata: 4\r\r"
    expected = [body.index(b"data: 1"), body.index(b"event: a"), body.index(b"data: 3")]
    for chunks in chunkings(body):
        decoder = SSEDecoder()
        offsets = []
        for chunk in chunks:
            decoder.receive_data(chunk)
            offsets += [decoder.event_offset for _ in decoder.events()]
        assert offsets == expected
        assert decoder.received == len(body)


def test_the_offset_of_an_event_forgets_one_before_it_that_was_not_dispatched() -> None:
    body = b"event: a\ndata: 1\n\nevent: b\n\nevent: a\ndata: 2\n\n"
    for point in range(len(body) + 1):
        decoder = SSEDecoder()
        offsets = []
        for chunk in (body[:point], body[point:]):
            decoder.receive_data(chunk)
            offsets += [decoder.event_offset for _ in decoder.events()]
        assert offsets == [0, body.rindex(b"event")]


def test_the_offset_of_the_latest_event_stays_until_another_begins() -> None:
    body = b": comment\ndata: 1\n\n: comment\n\nunknown\n: more\ndata: 2\n\n"
    places = [body.index(b"data: 1"), body.index(b"data: 2")]
    for size in (1, 2, 3, 7, 16, 30, len(body)):
        decoder = SSEDecoder()
        for start in range(0, len(body), size):
            decoder.receive_data(body[start : start + size])
            for _ in decoder.events():
                pass
            begun = [place for place in places if decoder.received >= place + len("data: 1\n")]
            assert decoder.event_offset == (begun[-1] if begun else 0)


def test_events_is_lazy_and_can_be_left_and_resumed() -> None:
    decoder = SSEDecoder()
    decoder.receive_data(b"data: 1\n\ndata: 2\n\ndata: 3\n\n")
    assert next(iter(decoder.events())).data == "1"
    decoder.receive_data(b"data: 4\n\n")
    assert [event.data for event in decoder.events()] == ["2", "3", "4"]
    assert list(decoder.events()) == []


def test_data_received_inside_the_loop_is_decoded_in_order() -> None:
    decoder = SSEDecoder()
    decoder.receive_data(b"data: 1\n\ndata: 2\n\n")
    seen = []
    for event in decoder.events():
        seen.append(event.data)
        if event.data == "1":
            decoder.receive_data(b"data: 3\n\n")
    assert seen + [event.data for event in decoder.events()] == ["1", "2", "3"]


def test_an_iterator_goes_on_where_the_one_before_it_was_left() -> None:
    decoder = SSEDecoder()
    decoder.receive_data(b"data: 1\n\nevent: a\ndata: 2\n\nevent: a\ndata: 3\n\nevent: a\ndata: 4\n\n")
    seen = [event.data for event in itertools.islice(decoder.events(), 2)]
    decoder.receive_data(b"event: a\ndata: 5\n\nevent: a\ndata: 6\n\ndata: 7\n\n")
    seen += [event.data for event in decoder.events()]
    assert seen == ["1", "2", "3", "4", "5", "6", "7"]


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_kind_of_bytes_is_taken_and_may_be_reused_by_the_caller(kind: type[bytes]) -> None:
    source = bytearray(b"data: 1\n\n")
    decoder = SSEDecoder()
    decoder.receive_data(kind(source))
    source[6:7] = b"2"
    assert [event.data for event in decoder.events()] == ["1"]


# Limits


LINE_LIMIT = Limits(max_line_size=20)
EVENT_LIMIT = Limits(max_event_size=20)
STREAM_LIMIT = Limits(max_stream_size=20)


def failure(chunks: Iterable[bytes], limits: Limits) -> tuple[list[str], LimitExceededError | None]:
    decoder = SSEDecoder(limits=limits)
    events: list[str] = []
    try:
        for chunk in chunks:
            decoder.receive_data(chunk)
            events.extend(event.data for event in decoder.events())
    except LimitExceededError as error:
        with pytest.raises(StreamCoreError):
            decoder.receive_data(b"data: 1\n\n")
        with pytest.raises(LimitExceededError):
            list(decoder.events())
        return events, error
    return events, None


@pytest.mark.parametrize(
    ("body", "limits", "events", "offset"),
    [
        (b"data: 1\n\ndata: 3456789012345678901\n\n", LINE_LIMIT, ["1"], 9),
        (b"data: 1\n\ndata: 3456789012345678901", LINE_LIMIT, ["1"], 9),
        (b"data: 1\n\nevent: 890123456789012345678901\n\n", LINE_LIMIT, ["1"], 9),
        (b"data: 1\n\nid: 0123\ndata: 0123456789\ndata: 0123456789\n\n", EVENT_LIMIT, ["1"], 9),
        (b"data: 1\r\n\r\ndata: 012345678901234567890\r\n\r\n", EVENT_LIMIT, ["1"], 11),
        (b"data: 1\n\ndata: 2\n\ndata: 3\n\n", STREAM_LIMIT, ["1", "2"], 20),
    ],
)
def test_over_a_limit_is_an_error_however_the_stream_is_cut(
    body: bytes, limits: Limits, events: list[str], offset: int
) -> None:
    for chunks in chunkings(body):
        delivered, error = failure(chunks, limits)
        assert delivered == events
        assert error is not None
        assert error.offset == offset
        assert "20 bytes" in error.message


@pytest.mark.parametrize("line", [b"even", b"x", b"retr", b"dat"])
def test_a_line_that_is_no_field_may_be_longer_than_any_limit(line: bytes) -> None:
    for chunks in chunkings(line + b"\n\n" + line * 10 + b"\n"):
        assert failure(chunks, Limits(max_line_size=2)) == ([], None)


def test_only_iterating_raises() -> None:
    before = b"data: 1\n\n:" + b"x" * 1000 + b"\n"
    decoder = SSEDecoder(limits=Limits(max_stream_size=len(before) + 20))
    decoder.receive_data(before)
    assert len(list(decoder.events())) == 1
    decoder.receive_data(b"data: 01234567")
    assert list(decoder.events()) == []
    decoder.receive_data(b"0123456789\n")
    events = decoder.events()
    with pytest.raises(LimitExceededError):
        next(events)


def test_an_event_of_many_short_lines_takes_no_more_than_its_size() -> None:
    decoder = SSEDecoder(limits=Limits(max_event_size=1_000_000))
    tracemalloc.start()
    try:
        for _ in range(2_000):
            decoder.receive_data(b"data:ab\n" * 100)
            assert list(decoder.events()) == []
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 1_000_000
    decoder.receive_data(b"\n")
    assert [len(event.data) for event in decoder.events()] == [3 * 200_000 - 1]


@pytest.mark.parametrize("before", [b"data: 1\n\n", b"data: 1\n\n:" + b"x" * 1000 + b"\n"])
@pytest.mark.parametrize(
    ("chunks", "needed"),
    [
        ([b"event: e\ndata: 01234567890123456789"], 1),
        ([b"event: e\ndata: 0123", b"4567890123456789", b"x"], 2),
        ([b"event: e\n", b"data: 0123", b"4567890123456789", b"x"], 3),
        ([b"event: 01234567890123456789"], 1),
        ([b"event: 0123", b"4567890123456789", b"x"], 2),
    ],
)
def test_a_line_over_the_limit_is_refused_with_the_chunk_that_makes_it_so(
    before: bytes, chunks: list[bytes], needed: int
) -> None:
    decoder = SSEDecoder(limits=LINE_LIMIT)
    decoder.receive_data(before)
    assert len(list(decoder.events())) == 1
    for chunk in chunks[: needed - 1]:
        decoder.receive_data(chunk)
        assert list(decoder.events()) == []
    decoder.receive_data(chunks[needed - 1])
    with pytest.raises(LimitExceededError, match="a line is longer than 20 bytes"):
        list(decoder.events())


@pytest.mark.parametrize(
    ("body", "limits"),
    [
        (b"data: 34567890123456\n\n", LINE_LIMIT),
        (b"data: 34567890123456\r\n\r\n", LINE_LIMIT),
        (b"data: 01234567890123456789\n\n", EVENT_LIMIT),
        (b"data: 012345678\ndata: 0123456789\n\n", EVENT_LIMIT),
        (b"data: 0123456789\n\ndata: 0123456789\n\n", EVENT_LIMIT),
        (b"data: 1\n\ndata: 2\n\n\n\n", STREAM_LIMIT),
        (b":" + b"x" * 1000 + b"\ndata: 1\n\n", LINE_LIMIT),
        (b"x" * 1000 + b"\ndata: 1\n\n" + b"datum: " + b"x" * 1000 + b"\n\n", LINE_LIMIT),
    ],
)
def test_what_is_within_the_limits_passes_however_the_stream_is_cut(body: bytes, limits: Limits) -> None:
    for chunks in chunkings(body):
        events, error = failure(chunks, limits)
        assert error is None
        assert events


def test_events_before_the_fault_come_out_though_they_came_in_one_chunk_with_it() -> None:
    events, error = failure([b"data: 1\n\ndata: 2\n\ndata: " + b"x" * 30], LINE_LIMIT)
    assert events == ["1", "2"]
    assert error is not None


@pytest.mark.parametrize("start", [b":", b"unknown: ", b"dataset: ", b"\xff"])
def test_a_line_that_can_be_no_field_takes_no_memory(start: bytes) -> None:
    decoder = SSEDecoder(limits=Limits(max_stream_size=10**9))
    piece = b"x" * 65536
    decoder.receive_data(b"data: 1\n\n" + start)
    assert len(list(decoder.events())) == 1
    tracemalloc.start()
    try:
        for _ in range(128):
            decoder.receive_data(piece)
            assert list(decoder.events()) == []
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000
    assert decoder.pending == 0
    decoder.receive_data(b"\ndata: 2\n\n")
    assert [event.data for event in decoder.events()] == ["2"]


def test_a_stream_of_many_events_takes_no_memory() -> None:
    decoder = SSEDecoder()
    piece = b"id: 1\nevent: a\ndata: " + b"x" * 1000 + b"\n\n"
    tracemalloc.start()
    try:
        for _ in range(5000):
            decoder.receive_data(piece)
            assert len(list(decoder.events())) == 1
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 500_000


def test_a_long_line_in_small_pieces_is_whole() -> None:
    line = b"x" * 1_000_000
    assert decode(*in_pieces(b"data: " + line + b"\n\n", 100)) == [ServerSentEvent(data=line.decode())]


# The end


def test_data_after_the_end_is_refused() -> None:
    decoder = SSEDecoder()
    decoder.receive_data(b"data: 1\n\n")
    decoder.receive_eof()
    with pytest.raises(StreamCoreError, match="ended"):
        decoder.receive_data(b"data: 2\n\n")
    assert [event.data for event in decoder.events()] == ["1"]
    decoder.receive_eof()


# And back


@pytest.mark.parametrize("newline", [b"\n", b"\r", b"\r\n"])
@pytest.mark.parametrize(
    "event",
    [
        ServerSentEvent(data=""),
        ServerSentEvent(data=" 1"),
        ServerSentEvent(event="a", data="1\n\n2\n", id="é", retry=3),
        ServerSentEvent(data="\ufeff\u2028\x0b\0", id=""),
        ServerSentEvent(event=" a:b", data=":", id=" 1"),
    ],
)
def test_an_event_survives_encoding_and_decoding(event: ServerSentEvent, newline: bytes) -> None:
    assert every_way(encode(event, newline=newline)) == [event]


def test_an_encoded_event_reads_as_people_write_it() -> None:
    assert encode(ServerSentEvent(event="ping", data='{"type": "ping"}')) == b'event: ping\ndata: {"type": "ping"}\n\n'


@pytest.mark.parametrize(
    "event",
    [
        ServerSentEvent(data="a\rb"),
        ServerSentEvent(event="a\nb", data=""),
        ServerSentEvent(event="a\rb", data=""),
        ServerSentEvent(id="a\nb", data=""),
        ServerSentEvent(id="a\0b", data=""),
    ],
)
def test_an_event_that_would_not_come_back_is_refused(event: ServerSentEvent) -> None:
    with pytest.raises(ProtocolError):
        encode(event)


@pytest.mark.parametrize(
    "event",
    [
        ServerSentEvent(event="", data="1"),
        ServerSentEvent(data="1", retry=-1),
        ServerSentEvent(data="1", retry=10**20),
        ServerSentEvent(data="\ud800"),
    ],
)
def test_what_the_encoder_takes_comes_back_and_what_it_refuses_it_refuses_with_our_own_error(
    event: ServerSentEvent,
) -> None:
    try:
        encoded = encode(event)
    except StreamCoreError:
        return
    assert decode(encoded) == [event]


def test_an_encoded_comment_decodes_to_nothing() -> None:
    assert decode(encode_comment("keep-alive") + b"data: 1\n\n") == [ServerSentEvent(data="1")]
    with pytest.raises(ProtocolError):
        encode_comment("a\ndata: 1")


def test_a_comment_inside_an_event_does_not_end_it() -> None:
    assert data_of(b"data: 1\n" + encode_comment("x") + b"data: 2\n\n") == ["1\n2"]


def test_an_iterator_gives_what_came_after_it_was_made() -> None:
    decoder = SSEDecoder()
    decoder.receive_data(b": " + b"x" * 600 + b"\n\nevent: a\ndata: " + b"x" * 600)
    assert list(decoder.events()) == []
    decoder.receive_data(b"more")
    events = decoder.events()
    decoder.receive_data(b"\n\n")
    assert [event.event for event in events] == ["a"]


def test_a_cut_byte_order_mark_is_no_line() -> None:
    decoder = SSEDecoder(limits=Limits(max_line_size=1))
    for byte in b"\xef\xbb\xbf\n\n":
        decoder.receive_data(bytes([byte]))
        assert list(decoder.events()) == []
    decoder.receive_data(b"data: 1")
    with pytest.raises(LimitExceededError):
        list(decoder.events())
