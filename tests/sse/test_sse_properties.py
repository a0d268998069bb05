"""`SSEDecoder` against a slow decoder that is the standard's text, and against itself cut in other ways."""

from __future__ import annotations

import re

import attrs
from hypothesis import example, given
from hypothesis import strategies as st

from streamcore import LimitExceededError, Limits, ServerSentEvent, SSEDecoder
from streamcore.sse import encode, encode_comment
from streamcore.testing.strategies import chunkings

_PIECES = [
    b"data",
    b"event",
    b"id",
    b"retry",
    b":",
    b": ",
    b" ",
    b"\n",
    b"\n",
    b"\r",
    b"\r\n",
    b"\n\n",
    b"data: 1\n\n",
    b"a",
    b"12",
]
_PIECES += [
    b"\0",
    b"\xef\xbb\xbf",
    b"\xff",
    b"\xc3",
    b"\xf0\x9f\x98\x80",
    "\u2028\u0085".encode(),
    b"\x0b",
    b"dat",
    b"event: a\ndata: b\n\n",
    b"event: ping\ndata: {}\n\n",
    b"retry: 12\n",
    b"event: ab\n",
    b"data: 1\n",
]
BODIES = st.lists(st.sampled_from(_PIECES) | st.binary(max_size=3), max_size=40).map(b"".join)
CUT_BODIES = BODIES.flatmap(lambda body: st.tuples(st.just(body), chunkings(body)))

Placed = tuple[ServerSentEvent, int]


def standard(body: bytes) -> list[Placed]:
    """Each event with its offset: HTML section 9.2.6, "Interpreting an event stream", word for word.

    Ours is that `id` starts as `None`, that `retry` is reported with its event, and the offset.
    """
    bom = 3 if body.startswith(b"\xef\xbb\xbf") else 0
    text = body[bom:].decode("utf-8", "replace")
    lines = re.split(r"\r\n|\n|\r", text)[:-1]
    offsets = [bom] + [bom + match.end() for match in re.finditer(rb"\r\n|\n|\r", body[bom:])]
    found: list[Placed] = []
    data_buffer = event_type_buffer = ""
    last_event_id_buffer: str | None = None
    retry: int | None = None
    begun: int | None = None
    for line, offset in zip(lines, offsets, strict=False):
        if line == "":
            if data_buffer != "":
                assert begun is not None
                event = ServerSentEvent(
                    event=event_type_buffer or "message",
                    data=data_buffer.removesuffix("\n"),
                    id=last_event_id_buffer,
                    retry=retry,
                )
                found.append((event, begun))
            data_buffer = event_type_buffer = ""
            retry = begun = None
            continue
        if line.startswith(":"):
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field in ("data", "event", "id", "retry") and begun is None:
            begun = offset
        if field == "event":
            event_type_buffer = value
        elif field == "data":
            data_buffer += value + "\n"
        elif field == "id" and "\0" not in value:
            last_event_id_buffer = value
        elif field == "retry" and re.fullmatch("[0-9]{1,18}", value):
            retry = int(value)
    return found


def decode(chunks: list[bytes], limits: Limits | None = None) -> tuple[list[Placed], object]:
    """The events with their offsets, and how it ended: bytes left over, or the error."""
    decoder = SSEDecoder() if limits is None else SSEDecoder(limits=limits)
    events: list[Placed] = []
    try:
        for chunk in chunks:
            decoder.receive_data(chunk)
            events.extend((event, decoder.event_offset) for event in decoder.events())
        decoder.receive_eof()
        events.extend((event, decoder.event_offset) for event in decoder.events())
    except LimitExceededError as error:
        return events, (error.message, error.offset)
    return events, (decoder.pending, decoder.received, decoder.retry)


@given(BODIES)
def test_equals_the_standard(body: bytes) -> None:
    assert decode([body])[0] == standard(body)


@given(CUT_BODIES)
def test_equals_the_standard_however_the_stream_is_cut(case: tuple[bytes, list[bytes]]) -> None:
    body, chunks = case
    assert decode(chunks)[0] == standard(body)


@given(CUT_BODIES)
def test_any_cut_gives_the_same_events_offsets_and_rest(case: tuple[bytes, list[bytes]]) -> None:
    body, chunks = case
    whole = decode([body])
    assert decode(chunks) == whole
    assert decode([body[i : i + 1] for i in range(len(body))]) == whole


# The head of a stream, which is kept for error messages, is read without the shortcut for small pieces.
_HEAD = b": " + b"x" * 600 + b"\n\n"


def told_by(decoder: SSEDecoder) -> list[object]:
    """What can be asked of a decoder between its events."""
    return [decoder.event_offset, decoder.pending, decoder.received, decoder.retry, decoder.last_event_id]


@example((b"retry: 5\ndata: 1\ndata: 2\ndata: 3\n\nevent: a\n\nevent: a\n\r\ndata: 1\r", []))
@given(CUT_BODIES)
def test_what_a_decoder_tells_between_events_does_not_depend_on_how_the_bytes_were_cut(
    case: tuple[bytes, list[bytes]],
) -> None:
    body, chunks = case
    for pieces in (chunks, [body[i : i + 1] for i in range(len(body))]):
        cut = SSEDecoder()
        events: list[ServerSentEvent] = []
        so_far = b""
        for piece in [_HEAD, *pieces]:
            so_far += piece
            cut.receive_data(piece)
            events += cut.events()
            whole = SSEDecoder()
            whole.receive_data(so_far)
            assert list(whole.events()) == events
            assert told_by(cut) == told_by(whole)


@given(CUT_BODIES)
def test_all_chunks_before_the_first_look_give_the_same_events(case: tuple[bytes, list[bytes]]) -> None:
    body, chunks = case
    decoder = SSEDecoder()
    for chunk in chunks:
        decoder.receive_data(chunk)
    decoder.receive_eof()
    assert [(event, decoder.event_offset) for event in decoder.events()] == standard(body)


@given(
    CUT_BODIES,
    st.builds(
        Limits,
        max_line_size=st.integers(6, 30),
        max_event_size=st.integers(1, 30),
        max_stream_size=st.integers(1, 200),
    ),
)
def test_limits_do_not_depend_on_the_cut(case: tuple[bytes, list[bytes]], limits: Limits) -> None:
    body, chunks = case
    whole = decode([body], limits)
    assert decode(chunks, limits) == whole
    one_by_one = [body[i : i + 1] for i in range(len(body))]
    later = attrs.evolve(limits, max_stream_size=len(_HEAD) + limits.max_stream_size)
    assert decode([_HEAD, *chunks], later) == decode([_HEAD, *one_by_one], later) == decode([_HEAD + body], later)
    assert whole[0] == standard(body)[: len(whole[0])]
    assert all(len(event.data.encode()) <= 3 * limits.max_event_size for event, _ in whole[0])


@given(st.binary(max_size=200).flatmap(chunkings))
def test_arbitrary_bytes_raise_nothing(chunks: list[bytes]) -> None:
    assert decode(chunks)[0] == standard(b"".join(chunks))


_TEXT = st.text(st.sampled_from(" :\n\ufeff\u2028\u0085\x0bé😀a") | st.characters(codec="utf-8"), max_size=20)
_ONE_LINE = _TEXT.map(lambda text: re.sub("[\r\n\0]", "", text))
EVENTS = st.builds(
    ServerSentEvent,
    event=_ONE_LINE.map(lambda name: name or "message"),
    data=_TEXT.map(lambda text: text.replace("\r", "")),
    id=st.none() | _ONE_LINE,
    retry=st.none() | st.integers(0, 10**17),
)


@given(st.lists(EVENTS, max_size=5), st.sampled_from([b"\n", b"\r", b"\r\n"]), st.booleans(), st.data())
def test_encoded_events_come_back(
    events: list[ServerSentEvent], newline: bytes, comments: bool, data: st.DataObject
) -> None:
    between = encode_comment("x", newline=newline) if comments else b""
    body = between.join([b"", *(encode(event, newline=newline) for event in events)])
    last_id: str | None = None
    expected = []
    for event in events:
        last_id = event.id if event.id is not None else last_id
        expected.append(attrs.evolve(event, id=last_id))
    assert [event for event, _ in decode(data.draw(chunkings(body)))[0]] == expected
