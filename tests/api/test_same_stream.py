"""`assert_same_stream`: what counts as the same, and what it says of two streams that are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anthropic
import httpx2
import pytest
from helpers import (
    FIXTURES,
    HELLO,
    PING,
    STOP,
    any_chunks,
    block_start,
    block_stop,
    body,
    by_frame,
    drive,
    in_pieces,
    message_bodies,
    message_delta,
    start,
    stream_id,
    text,
)
from hypothesis import given
from hypothesis import strategies as st

from streamcore import MessageStream, RawMessageDecoder, Stream, StreamCoreError
from streamcore.replay import Capture, CaptureError, Chunk, End, open_capture
from streamcore.testing import assert_same_stream
from streamcore.testing.differences import value_lines

ONE_MESSAGE = [path for path in FIXTURES if path.stem != "several"]


def said(left: Any, right: Any) -> list[str]:
    with pytest.raises(AssertionError) as caught:
        assert_same_stream(left, right)
    return str(caught.value).splitlines()


def up_to_stop(data: bytes) -> bytes:
    """Drop what follows `message_stop`, as streams do."""
    frames = by_frame(data)
    last = next((number for number, each in enumerate(frames) if b'"message_stop"' in each), len(frames))
    return b"".join(frames[: last + 1])


# The same


@pytest.mark.parametrize("path", ONE_MESSAGE, ids=stream_id)
def test_a_stream_is_the_same_in_every_form(path: Path) -> None:
    data = path.read_bytes()
    for form in (bytearray(data), by_frame(data), in_pieces(data, 7)):
        assert_same_stream(data, form)
    assert_same_stream(up_to_stop(data), MessageStream([data]))


@pytest.mark.parametrize("path", [path for path in ONE_MESSAGE if path.parent.name != "broken"], ids=stream_id)
def test_events_are_the_same_as_the_bytes_that_they_came_in(path: Path) -> None:
    data = path.read_bytes()
    events = drive(data).events
    assert_same_stream(data, events)
    assert_same_stream(data, [event.to_dict() for event in events])
    assert_same_stream(up_to_stop(data), Stream([data], decoder=RawMessageDecoder()))


def test_events_of_the_anthropic_package_compare_with_ours() -> None:
    data = (FIXTURES[-1].parent / "tool.sse").read_bytes()  # it has no pings, which the package drops
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, content=data))
    with (
        anthropic.Anthropic(api_key="k", http_client=httpx2.Client(transport=transport)) as client,
        client.messages.stream(model="m", max_tokens=1, messages=[]) as theirs,
    ):
        assert_same_stream(data, theirs)


@pytest.mark.parametrize("path", FIXTURES, ids=stream_id)
def test_a_capture_and_the_path_of_one_are_streams(path: Path) -> None:
    data = path.read_bytes()
    assert_same_stream(str(path), data)
    assert_same_stream(data, path)
    if path in ONE_MESSAGE:
        assert_same_stream(open_capture(path), data)


@given(st.data())
def test_how_a_stream_is_cut_does_not_count(data: st.DataObject) -> None:
    stream = data.draw(message_bodies())
    assert_same_stream(stream, data.draw(any_chunks(stream)))


# Not the same


def test_a_changed_event_is_shown_beside_the_other_with_what_differs_in_it() -> None:
    assert said(body(*HELLO), body(*HELLO[:3], text(0, "la"), *HELLO[4:])) == [
        "the streams differ (7 events on the left, 7 on the right)",
        "…",
        '          2  content_block_delta  {"index": 0, "delta": {"type": "text_delta", "text": "Hel"}}',
        'left      3  content_block_delta  {"index": 0, "delta": {"type": "text_delta", "text": "lo"}}',
        'right     3  content_block_delta  {"index": 0, "delta": {"type": "text_delta", "text": "la"}}',
        "            delta.text: 'lo' on the left, 'la' on the right",
        '          4  content_block_stop  {"index": 0}',
        "…",
        "the messages differ:",
        "    content[0].text: 'Hello' on the left, 'Hella' on the right",
    ]


def test_an_event_that_only_one_has_does_not_make_the_ones_after_it_differ() -> None:
    lines = said(body(*HELLO), body(*HELLO[:3], PING, *HELLO[3:]))
    assert [line for line in lines if line.startswith(("left", "right"))] == ["right     3  ping"]
    assert lines[-1] == "the message is the same"


def test_the_same_text_in_other_deltas_is_another_stream_with_the_same_message() -> None:
    lines = said(body(*HELLO), body(*HELLO[:2], text(0, "Hello"), *HELLO[4:]))
    assert len([line for line in lines if line.startswith("left")]) == 2
    assert lines[-1] == "the message is the same"


def test_an_end_too_soon_is_a_difference_also_where_no_event_is_missing() -> None:
    whole = body(*HELLO)
    early = "IncompleteStreamError: the stream ended before the message did: message_stop has not come"
    assert said(whole[:-3], body(*HELLO[:-1]))[1:] == [
        f"left ends with   {early}; 48 bytes of an unfinished event were left over: no blank line ended it",
        f"right ends with  {early}",
    ]


def test_a_capture_whose_connection_failed_ends_in_another_way() -> None:
    data = body(*HELLO[:3])
    lines = said(
        Capture(body=(Chunk(0.0, data), End(1.0, "broken", "reset by peer"))), Capture(body=(Chunk(0.0, data),))
    )
    assert lines[1].startswith("left ends with   APIConnectionError: ")
    assert "reset by peer" in lines[1]
    assert lines[2].startswith("right ends with  IncompleteStreamError: ")


def test_files_that_cannot_be_read_are_not_the_same(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="No such file"):
        assert_same_stream(tmp_path / "none.sse", tmp_path / "none.sse")
    (tmp_path / "a.jsonl").write_bytes(b"{}\n")
    with pytest.raises(CaptureError, match="line 1"):
        assert_same_stream(tmp_path / "a.jsonl", tmp_path / "a.jsonl")


def test_an_error_event_is_the_end_of_a_stream_whoever_reads_it() -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}
    broken = body(start(), error)
    assert_same_stream(broken, MessageStream([broken]))
    assert said(broken, body(start()))[2].startswith("left      1  error")


def test_many_differences_are_counted_rather_than_shown() -> None:
    def stream(words: list[str]) -> bytes:
        return body(start(), block_start(0), *(text(0, word) for word in words), block_stop(0), message_delta(), STOP)

    words = [str(number) for number in range(200)]
    other = [word if number % 2 else f"{word}!" for number, word in enumerate(words)]
    lines = said(stream(words), stream(other))
    assert len(lines) < 30
    assert "… and 95 more places where they differ" in lines
    shifted = said(stream(words), stream([f"{word}?" for word in words]))
    assert "… and 192 more events here" in shifted


def test_streams_too_long_to_align_are_compared_place_by_place() -> None:
    count = 3000
    payloads = [start(), block_start(0), *(text(0, str(number)) for number in range(count)), block_stop(0)]
    other = payloads.copy()
    other[2], other[-2] = text(0, "first"), text(0, "last")
    lines = said(body(*payloads, message_delta(), STOP), body(*other, message_delta(), STOP))
    assert any('"first"' in line for line in lines)
    assert any('"last"' in line for line in lines)


def test_what_is_no_stream_is_said_so() -> None:
    async def events() -> Any:
        yield b""

    with pytest.raises(StreamCoreError, match="a int is not a stream that can be compared"):
        assert_same_stream(b"", 5)
    with pytest.raises(StreamCoreError, match=r"\[event async for event in stream\]"):
        assert_same_stream(b"", events())
    with pytest.raises(StreamCoreError, match="a int is neither an event nor bytes of a stream"):
        assert_same_stream(b"", [5])


# Values


def test_long_strings_are_cut_to_where_they_part() -> None:
    left, right = "a" * 500 + "b" + "c" * 500, "a" * 500 + "d" + "c" * 500
    assert value_lines({"text": left}, {"text": right}) == [
        "text, from character 500 on:",
        f"    left   …'{'a' * 24}b{'c' * 51}'…",
        f"    right  …'{'a' * 24}d{'c' * 51}'…",
    ]


def test_each_place_has_its_path_and_what_only_one_side_has() -> None:
    left = {"content": [{"text": "x"}, 1], "a": {"b": True}, "gone": None}
    right = {"content": [{"text": "x"}, 2, []], "a": {"b": 1}, "more": 1.5}
    assert value_lines(left, right) == [
        "content[1]: 1 on the left, 2 on the right",
        "content[2]: only on the right: []",
        "a.b: true on the left, 1 on the right",
        "gone: only on the left: null",
        "more: only on the right: 1.5",
    ]
    assert value_lines(left, left) == []


def test_the_rest_of_many_places_is_counted() -> None:
    assert value_lines(list(range(20)), list(range(1, 21)))[-1] == "… and 12 more differences"
