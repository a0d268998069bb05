"""The fast path of deltas, held to the plain path; the parts are named after the steps of its proof."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from helpers import CAPTURES, NASTY_TEXT, stream_id
from hypothesis import example, given
from hypothesis import strategies as st

from streamcore import MessageEngine, SSEDecoder
from streamcore.codec import decode_event
from streamcore.codec._fast_delta import _MADE, NO_FAST_DELTA, fast_delta
from streamcore.types import ContentBlockDeltaEvent
from streamcore.types.text_deltas import TEXT_DELTAS

PREFIX = b"event: content_block_delta\ndata: "
FIELDS = {delta_type: row.source for delta_type, row in TEXT_DELTAS.items()}


def piece(
    spelling: bytes, *, index: bytes = b"0", delta_type: str = "text_delta", end: bytes = b"}}", after: bytes = b"\n\n"
) -> bytes:
    """One delta as the API spells it, with a string of any spelling in it."""
    start = b'{"type":"content_block_delta","index":%s,"delta":{"type":"%s","%s":"'
    return PREFIX + start % (index, delta_type.encode(), FIELDS[delta_type].encode()) + spelling + b'"' + end + after


def check(data: bytes, index: int = 0, delta_type: str = "text_delta") -> ContentBlockDeltaEvent | None:
    """Return what the fast path makes of these bytes, which must be what the plain path makes of them."""
    added: list[str] = []
    fast = fast_delta(index, delta_type)
    event, as_section = fast.in_chunk(data, added.append), fast.in_section(data, added.append)
    assert event is None or as_section is None  # one needs the blank line, the other must not have it
    event = event or as_section
    if event is None:
        assert added == []
        return None
    # A block of a chunk that was cut at its blank lines comes without its own.
    decoder = SSEDecoder()
    decoder.receive_data(data if data.endswith(b"\n\n") else data + b"\n\n")
    frames = list(decoder.events())
    assert len(frames) == 1
    assert decoder.pending == 0
    assert frames[0].event == "content_block_delta"
    assert frames[0].data.encode() in data
    plain = decode_event(frames[0].data.encode())
    assert type(event) is type(plain)
    assert event == plain
    assert repr(event) == repr(plain)
    assert event.to_dict() == plain.to_dict()
    assert event.extra == event.delta.extra == {}
    assert event.index == index
    assert event.delta.type == delta_type
    assert added == [getattr(event.delta, FIELDS[delta_type])]
    return event


def taken(data: bytes, **where: Any) -> bool:
    return check(data, **where) is not None


def both_ends(data: bytes) -> list[bytes]:
    """The bytes as a chunk and as a block of a chunk."""
    return [data, data.removesuffix(b"\n\n")]


# What it takes


@pytest.mark.parametrize("delta_type", TEXT_DELTAS)
def test_the_spelling_of_the_api_is_taken(delta_type: str) -> None:
    spelling = json.dumps('é "quoted" \\ \n\t line 😀', ensure_ascii=False).encode()[1:-1]
    for index, blanks in itertools.product((0, 1, 7, 8, 12345), (0, 1, 7, 31)):
        end = b"}" + b" " * blanks + b"}"
        data = piece(spelling, index=b"%d" % index, delta_type=delta_type, end=end)
        for one in both_ends(data):
            assert taken(one, index=index, delta_type=delta_type), one


@pytest.mark.parametrize("path", CAPTURES, ids=stream_id)
def test_recorded_deltas_are_what_the_plain_path_says(path: Any) -> None:
    for block in set(path.read_bytes().split(b"\n\n")):
        for delta_type in TEXT_DELTAS:
            for index in range(3):
                check(block, index, delta_type)
                check(block + b"\n\n", index, delta_type)


def test_most_recorded_deltas_are_taken() -> None:
    blocks = {block for path in CAPTURES for block in path.read_bytes().split(b"\n\n")}
    found = [
        (block, delta_type)
        for block in blocks
        for delta_type in TEXT_DELTAS
        if block.startswith(PREFIX) and b'"delta":{"type":"%s"' % delta_type.encode() in block
    ]
    fast = sum(any(taken(block, index=index, delta_type=name) for index in range(100)) for block, name in found)
    assert len(found) > 1000
    assert fast > 0.98 * len(found)


@given(NASTY_TEXT, st.booleans(), st.integers(0, 40), st.sampled_from([b"", b"\n\n"]))
def test_any_text_is_taken_or_left_to_the_plain_path(text: str, escaped: bool, blanks: int, after: bytes) -> None:
    spelling = json.dumps(text, ensure_ascii=escaped).encode("utf-8", "surrogatepass")[1:-1]
    check(piece(spelling, end=b"}" + b" " * blanks + b"}", after=after))


# Step 1: what comes before the string


@pytest.mark.parametrize(
    "data",
    [
        piece(b"a", index=b"1"),
        piece(b"a", index=b"00"),
        piece(b"a", index=b"0.0"),
        piece(b"a", index=b"-0"),
        piece(b"a", index=b" 0"),
        piece(b"a", index=b"01"),
        piece(b"a", delta_type="thinking_delta"),
        piece(b"a").replace(b"event: ", b"event:"),
        piece(b"a").replace(b"event: ", b"event:  "),
        piece(b"a").replace(b"data: ", b"data:"),
        piece(b"a").replace(b"data: ", b"data:  "),
        piece(b"a").replace(b"\ndata", b"\r\ndata"),
        piece(b"a").replace(b"\ndata", b"\n\ndata"),
        piece(b"a").replace(b"\ndata", b"\nid: 1\ndata"),
        piece(b"a").replace(b'"text":', b'"text": '),
        piece(b"a").replace(b'{"type"', b'{ "type"'),
        piece(b"a").replace(b'"index":0,', b'"index":0,"index":0,'),
        b"\xef\xbb\xbf" + piece(b"a"),
        b"\n" + piece(b"a"),
        b": comment\n" + piece(b"a"),
        piece(b"a").removeprefix(b"event: content_block_delta\n"),
        piece(b"a").replace(b"event: content_block_delta", b"event: message_delta"),
        piece(b"a").replace(b'"type":"content_block_delta"', b'"type":"content_block_stop"'),
    ],
)
def test_another_start_is_left_to_the_plain_path(data: bytes) -> None:
    for one in both_ends(data):
        assert not taken(one)


# Step 3: the string


@pytest.mark.parametrize("byte", range(0x20))
def test_a_raw_control_character_is_left_to_the_plain_path(byte: int) -> None:
    for one in both_ends(piece(b"a" + bytes([byte]) + b"b")):
        assert not taken(one)


@pytest.mark.parametrize(
    "spelling",
    [b"\xff", b"\xc3", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\\ud800", b"\\udc00a", b"\\udc00\\ud800"],
)
def test_invalid_utf_8_and_lone_surrogates_are_left_to_the_plain_path(spelling: bytes) -> None:
    for one in both_ends(piece(spelling)):
        assert not taken(one)


@pytest.mark.parametrize("spelling", [b"\\", b"\\x41", b"\\u12", b"\\u12G4", b"\\U0041", b"\\'", b"\\ "])
def test_a_wrong_escape_is_left_to_the_plain_path(spelling: bytes) -> None:
    for one in both_ends(piece(spelling)):
        assert not taken(one)


SPELLINGS = [
    (b"", b""),
    (b'\\"', b'"'),
    (b"\\\\", b"\\"),
    (b"\\b\\f\\n\\r\\t", b"\b\f\n\r\t"),
    (b"\\u0000\\u001f", b"\0\x1f"),
    (b"\\u001F", b"\x1f"),
    (b"\\/", b"/"),
    (b"\\u0041", b"A"),
    (b"\\u000a", b"\n"),
    (b"\\u0022", b'"'),
    (b"\\u005c", b"\\"),
    (b"\\u00e9", "é".encode()),
    (b"\\u00E9", "é".encode()),
    (b"\\ud83d\\ude00", "😀".encode()),
    (b"\\uD83D\\uDE00", "😀".encode()),
    (b"\x7f", b"\x7f"),
    ("\u2028\u0085".encode(), "\u2028\u0085".encode()),
]


@pytest.mark.parametrize(("spelling", "text"), SPELLINGS)
def test_any_spelling_of_a_string_is_taken(spelling: bytes, text: bytes) -> None:
    for around in (b"", b"x", "é".encode()):
        for one in both_ends(piece(around + spelling + around)):
            event = check(one)
            assert event is not None
            assert event.delta.to_dict()["text"] == (around + text + around).decode()


# Step 2: what comes after the string


@pytest.mark.parametrize(
    "end",
    [
        b"}",
        b"",
        b"}}}",
        b"}} ",
        b"} } ",
        b"}\t}",
        b" }}",
        b"} \n}",
        b"}\r}",
        b"}}\r",
        b"}}\x00",
        b"}" + b" " * 32 + b"}",
        b',"citations":[]}}',
        b'},"extra":1}',
        b'}, "index":0}',
        b'},"index":1}',
        b'},"type":"content_block_delta"}',
        b'},"type":"content_block_stop"}',
        b'},"delta":{"type":"text_delta","text":"a"}}',
        b'},"delta":{}}',
        b"}}\nid: 1",
        b"}}\ndata: ",
        b"}}\ndata",
        b"}}\nretry: 5",
        b"}}\n: comment",
        b"}}\nevent: ping",
        b"}}\nunknown",
    ],
)
def test_another_end_is_left_to_the_plain_path(end: bytes) -> None:
    for after in (b"", b"\n", b"\n\n", b"\n\n\n", b"\r\n\r\n", b"\r\r", b"\n\r\n"):
        assert not taken(piece(b"a", end=end, after=after)), after


@pytest.mark.parametrize("after", [b"\n", b"\r", b"\r\n", b"\n\n\n", b"\r\n\r\n", b"\r\r", b"\n\r", b"\n\n ", b" \n\n"])
def test_another_line_end_is_left_to_the_plain_path(after: bytes) -> None:
    assert not taken(piece(b"a", after=after))


def test_a_chunk_of_more_than_one_event_is_left_to_the_plain_path() -> None:
    one = piece(b"a")
    for data in (one + one, one + one.removesuffix(b"\n\n"), one + b"data", one + b"\n", one[:-1], one[:-3]):
        assert not taken(data)


# Step 3: more than one string


TEXTS = ["", "a", "aaaa", "aaaaaaaaaaaa", '"', "é", "\n", "}}", "a}}", '"}}', "x" * 40]


@pytest.mark.parametrize("name", [b"text", b"te\\u0078t", b"type", b"other"])
def test_a_name_that_comes_again_is_left_to_the_plain_path(name: bytes) -> None:
    spellings = [json.dumps(text, ensure_ascii=False).encode()[1:-1] for text in TEXTS]
    for first, second in itertools.product(spellings, spellings):
        for end in (b"}}", b"} }", b"}" + b" " * 31 + b"}"):
            for one in both_ends(piece(first + b'","' + name + b'":"' + second, end=end)):
                check(one)
                assert name == b"other" or not taken(one), one


@given(st.lists(st.sampled_from(TEXTS), min_size=2, max_size=4), st.integers(0, 31), st.booleans())
def test_any_number_of_repetitions_is_left_to_the_plain_path(texts: list[str], blanks: int, pretty: bool) -> None:
    between = b'", "text" : "' if pretty else b'","text":"'
    spelled = between.join(json.dumps(text, ensure_ascii=False).encode()[1:-1] for text in texts)
    for one in both_ends(piece(spelled, end=b"}" + b" " * blanks + b"}")):
        assert not taken(one)


# All steps at once

_PARTS = st.sampled_from(
    [
        *[bytes([byte]) for byte in b'"\\}{ ,:\n\r\ta\x00\xff'],
        *[
            b"\n\n",
            b"text",
            b'"text":"',
            b'","text":"',
            b"}}",
            b'"}}',
            b'"} }',
            b"data: ",
            b'"index":1',
            b'},"index":0',
        ],
        *[b"\\u0041", b"\\u00e9", b"\\/", b"\\n", b'\\"', b"\\\\", b"\\ud83d", b"\\ude00"],
        *[b"\xc3\xa9", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b"\xe2\x80\xa8"],
    ]
)


@given(
    st.lists(_PARTS, max_size=8), st.sampled_from([b"}}", b"}  }", b"}", b""]), st.sampled_from([b"", b"\n\n", b"\n"])
)
@example([b"a"], b"}}", b"")
def test_whatever_the_string_is_the_fast_path_agrees_with_the_plain_path(
    parts: list[bytes], end: bytes, after: bytes
) -> None:
    check(piece(b"".join(parts), end=end, after=after))


@given(st.data())
def test_a_changed_delta_is_what_the_plain_path_says(data: st.DataObject) -> None:
    delta_type = data.draw(st.sampled_from(sorted(TEXT_DELTAS)))
    text = data.draw(NASTY_TEXT)
    one = piece(json.dumps(text, ensure_ascii=False).encode("utf-8", "surrogatepass")[1:-1], delta_type=delta_type)
    for _ in range(data.draw(st.integers(1, 3))):
        begin = data.draw(st.integers(0, len(one)))
        end = min(len(one), begin + data.draw(st.integers(0, 4)))
        one = one[:begin] + data.draw(st.one_of(_PARTS, st.just(b""))) + one[end:]
    check(one, 0, delta_type)


# Its state


def test_a_peer_cannot_fill_the_table() -> None:
    size = len(_MADE)
    for index in range(1000, 1100):
        assert fast_delta(index, "text_delta") is not fast_delta(index, "text_delta")  # made anew, and not kept
    assert len(_MADE) == size
    assert fast_delta(0, "text_delta") is fast_delta(0, "text_delta")


def test_without_an_open_block_nothing_is_recognised() -> None:
    added: list[str] = []
    assert NO_FAST_DELTA.in_chunk(piece(b"a"), added.append) is None
    assert NO_FAST_DELTA.in_section(piece(b"a", after=b""), added.append) is None
    assert added == []


def test_a_delta_for_another_block_than_the_current_one_is_not_added_to_it() -> None:
    engine = MessageEngine()
    for index in (0, 1):
        payload = b'{"type":"content_block_start","index":%d,"content_block":{"type":"text","text":""}}' % index
        if index == 0:
            engine.receive_data(
                b'event: message_start\ndata: {"type":"message_start","message":{"id":"1","type":"message",'
                b'"role":"assistant","model":"m","content":[],"usage":{"input_tokens":1,"output_tokens":1}}}\n\n'
            )
        engine.receive_data(b"event: content_block_start\ndata: " + payload + b"\n\n")
    list(engine.events())
    for index, spelling in ((1, b"b"), (0, b"a"), (0, b"a"), (1, b"b"), (1, b"b")):
        engine.receive_data(piece(spelling, index=b"%d" % index))
        list(engine.events())
    assert engine.snapshot is not None
    assert [block.to_dict()["text"] for block in engine.snapshot.content] == ["aa", "bbb"]
