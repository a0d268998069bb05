"""The table of events that are the same in every stream, held to the plain path."""

from __future__ import annotations

from typing import Any

import pytest
from helpers import STREAMS, stream_id
from hypothesis import given
from hypothesis import strategies as st

from streamcore import MessageEventDecoder, MessageStreamEvent, SSEDecoder
from streamcore.codec import decode_event
from streamcore.codec._recurring import _TABLE, recurring_event

PAYLOADS = [
    b'{"type":"ping"}',
    b'{"type": "ping"}',
    b'{"type":"message_stop"}',
    b'{"type":"content_block_stop","index":0}',
    b'{"type":"content_block_stop","index":15}',
    b'{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}',
    b'{"type":"content_block_start","index":15,"content_block":{"type":"thinking","thinking":"","signature":""}}',
]


def piece(payload: bytes, *, after: bytes = b"") -> bytes:
    return b"event: " + payload.replace(b" ", b"").split(b'"')[3] + b"\ndata: " + payload + after


def check(data: bytes) -> MessageStreamEvent | None:
    """Return what is recognised, which must be what the plain path makes of the same bytes."""
    event = recurring_event(data, is_chunk=False)
    if not data.endswith(b"\n"):
        assert recurring_event(data, is_chunk=True) is None
        assert recurring_event(data + b"\n\n", is_chunk=True) is event
    if event is None:
        return None
    decoder = SSEDecoder()
    decoder.receive_data(data + b"\n\n")
    frames = list(decoder.events())
    assert len(frames) == 1
    assert decoder.pending == 0
    assert frames[0].event == event.type
    plain = decode_event(frames[0].data.encode())
    assert type(event) is type(plain)
    assert event == plain
    assert repr(event) == repr(plain)
    assert event.to_dict() == plain.to_dict()
    return event


def padded(payload: bytes, blanks: int) -> bytes:
    """The payload with blanks before its last brace, as the API sends it."""
    return payload[:-1] + b" " * blanks + payload[-1:]


@pytest.mark.parametrize("blanks", [0, 1, 15, 31])
@pytest.mark.parametrize("payload", PAYLOADS)
def test_the_spelling_of_the_api_is_recognised(payload: bytes, blanks: int) -> None:
    assert check(piece(padded(payload, blanks))) == decode_event(payload)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_the_lines_of_an_event_without_its_blank_line_are_not_an_event_yet(payload: bytes) -> None:
    decoder = MessageEventDecoder()
    decoder.receive_data(piece(PAYLOADS[0]) + b"\n\n")
    assert len(list(decoder.events())) == 1
    for part in (piece(payload), b"\n"):
        decoder.receive_data(part)
        assert list(decoder.events()) == []
    decoder.receive_data(b"\n")
    assert list(decoder.events()) == [decode_event(payload)]


@pytest.mark.parametrize("path", STREAMS, ids=stream_id)
def test_recorded_events_are_what_the_plain_path_says(path: Any) -> None:
    for block in set(path.read_bytes().split(b"\n\n")):
        for data in (block, block + b"\n\n", block + b"\n"):
            check(data)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_near_miss_is_left_to_the_plain_path(payload: bytes) -> None:
    good = piece(payload, after=b"")
    misses = [
        good[:-1],
        good + b"}",
        good + b" }",
        good.replace(b"\ndata", b"\r\ndata"),
        good.replace(b"\ndata", b"\rdata"),
        good + b"\r",
        good + b"\r\n\r\n",
        good + b"\n",
        good + b"\n\n\n",
        good + b"\n\n\n\n",
        good + b"\n}\n\n",
        good[:-1] + b"\n}",
        good[:-1] + b"\n\n}",
        good[:-1] + b"\t}",
        good + b"\t",
        good[:-1] + b',"extra":1}',
        good[:-1] + b',"index":1}',
        good.replace(b"event: ", b"event: x"),
        good.replace(b"event: ", b"event:"),
        good.replace(b"event: ", b"event:  "),
        good.replace(b"data: ", b"data:"),
        good.replace(b"data: ", b"data:  "),
        good.replace(b'{"type"', b'{"Type"'),
        good.partition(b"\n")[2],
        b"\n" + good,
        b" " + good,
        b": comment\n" + good,
        b"\xef\xbb\xbf" + good,
        good + b"\nid: 1",
        good + b"\ndata: ",
        good + b"\n\n" + good,
        good + b"\n\n" + good + b"\n\n",
    ]
    for miss in misses:
        assert recurring_event(miss, is_chunk=False) is None, miss


def test_a_block_beyond_the_table_or_with_text_in_it_is_left_to_the_plain_path() -> None:
    for payload in (
        b'{"type":"content_block_stop","index":32}',
        b'{"type":"content_block_stop","index":-1}',
        b'{"type":"content_block_stop","index":00}',
        b'{"type":"content_block_start","index":0,"content_block":{"type":"text","text":" "}}',
        b'{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"}}',
        b'{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"}"}}',
        b'{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"","citations":[]}}',
    ):
        assert recurring_event(piece(payload), is_chunk=False) is None


_PARTS = st.sampled_from(
    [b"}", b" ", b"\n", b"\r", b"\t", b"{", b'"', b",", b"0", b"1", b":", b"data: ", b"\n\n", b"\xff"]
)


@given(st.sampled_from(PAYLOADS), st.lists(st.tuples(st.integers(0, 120), _PARTS, st.integers(0, 3)), max_size=3))
def test_a_changed_event_is_what_the_plain_path_says(payload: bytes, changes: list[tuple[int, bytes, int]]) -> None:
    data = piece(payload)
    for place, part, dropped in changes:
        data = data[:place] + part + data[place + dropped :]
    check(data)


@given(st.sampled_from(PAYLOADS), st.text("} \n", max_size=6))
def test_any_end_is_what_the_plain_path_says(payload: bytes, end: str) -> None:
    check(piece(payload, after=b"").rstrip(b"}") + end.encode())


def test_what_is_recognised_is_shared_and_the_table_never_grows() -> None:
    recurring_event(piece(PAYLOADS[0]), is_chunk=False)
    size = len(_TABLE)
    for number in range(100):
        recurring_event(piece(b'{"type":"content_block_stop","index":%d}' % number), is_chunk=False)
        recurring_event(piece(b'{"type":"new%d"}' % number), is_chunk=False)
    assert len(_TABLE) == size
    first, second = piece(PAYLOADS[0]), piece(padded(PAYLOADS[0], 3))
    assert recurring_event(first, is_chunk=False) is recurring_event(second, is_chunk=False)
