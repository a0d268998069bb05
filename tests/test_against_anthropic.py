"""The official `anthropic` package as a reference, with each quirk in which we differ from it."""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING, Any

import anthropic
import attrs
import httpx2
import pytest
from anthropic.lib.streaming._beta_messages import BetaMessageStream
from anthropic.types.beta import BetaRawMessageStreamEvent
from helpers import (
    CAPTURES,
    FIXTURES,
    HELLO,
    STREAMS,
    body,
    by_frame,
    drive,
    frame,
    message_delta,
    start,
    stream_id,
    text,
)

from streamcore import DecodeError, EventOrderError, IncompleteStreamError, MessageEngine
from streamcore.types import ErrorEvent, TextBlock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WIRE_TYPES = {
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
}
CLIENT = anthropic.Anthropic(api_key="none")


class Chunks(httpx2.SyncByteStream):
    def __init__(self, data: bytes) -> None:
        self._data = data

    def __iter__(self) -> Iterator[bytes]:
        return iter(by_frame(self._data))


@attrs.frozen
class Theirs:
    """What the official package makes of a stream: the wire events, the message so far, and how it failed."""

    types: list[str]
    message: dict[str, Any] | None
    error: Exception | None

    @property
    def text(self) -> str:
        assert self.message is not None
        return "".join(block.get("text", "") for block in self.message["content"])


def theirs(data: bytes) -> Theirs:
    request = httpx2.Request("POST", "http://localhost")
    headers = {"content-type": "text/event-stream"}
    response = httpx2.Response(200, headers=headers, stream=Chunks(data), request=request)
    raw: Any = anthropic.Stream(cast_to=BetaRawMessageStreamEvent, response=response, client=CLIENT)  # type: ignore[arg-type]  # a union, as their own code passes it
    stream: Any = BetaMessageStream(raw, output_format=anthropic.NOT_GIVEN)
    types: list[str] = []
    error: Exception | None = None
    try:
        for event in stream:
            # Their stream puts derived events among those of the wire.
            if event.type in WIRE_TYPES:
                types.append(event.type)
    except Exception as caught:  # noqa: BLE001  # theirs may raise anything
        error = caught
    snapshot = stream._current_snapshot_or_none()
    message = None if snapshot is None else snapshot.model_dump(mode="json", by_alias=True, warnings=False)
    return Theirs(types, message, error)


def comparable(value: Any) -> Any:
    """JSON without nulls, times as instants: theirs are parsed and written anew."""
    if isinstance(value, dict):
        return {key: comparable(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [comparable(item) for item in value]
    if isinstance(value, str) and value[:4].isdigit() and value[10:11] == "T":
        try:
            return datetime.datetime.fromisoformat(value).astimezone(datetime.UTC)
        except ValueError:
            return value
    return value


def messages(data: bytes) -> list[bytes]:
    """The streams of a file that holds several, one by one."""
    parts: list[bytes] = []
    for piece in by_frame(data):
        starts = b'"message_start"' in piece
        if not parts or (starts and b'"message_stop"' in parts[-1]):
            parts.append(b"")
        parts[-1] += piece
    return parts


def each_message(paths: list[Path]) -> list[Any]:
    return [
        pytest.param(data, id=f"{stream_id(path)}-{number}")
        for path in paths
        for number, data in enumerate(messages(path.read_bytes()))
    ]


BROKEN = [path for path in FIXTURES if path.parent.name == "broken"]
# Streams that the official package gets wrong. What it makes of each is asserted below.
MANGLED = [path for path in FIXTURES if path.stem in ("compaction", "nameless", "unknown")]
SOUND = [path for path in STREAMS if path not in BROKEN and path not in MANGLED]


@pytest.mark.parametrize("data", each_message(SOUND))
def test_the_final_message_is_the_official_one(data: bytes) -> None:
    official, outcome = theirs(data), drive(data)
    assert official.error is None
    assert outcome.error is None or not data.endswith(b"\n\n")
    assert outcome.snapshot is not None
    assert comparable(outcome.snapshot.to_dict()) == comparable(official.message)


@pytest.mark.parametrize("data", each_message(SOUND))
def test_the_order_of_events_is_the_official_one(data: bytes) -> None:
    data += b"" if data.endswith(b"\n\n") else b"\n\n"
    assert [name for name in drive(data).types if name in WIRE_TYPES] == theirs(data).types


@pytest.mark.parametrize("path", [path for path in STREAMS if path in BROKEN or path in MANGLED], ids=stream_id)
def test_what_both_make_of_other_fixtures_differs_only_where_theirs_loses_something(path: Path) -> None:
    data = path.read_bytes()
    official, outcome = theirs(data), drive(data)
    types = [name for name in outcome.types if name in WIRE_TYPES]
    if path.stem == "nameless":
        assert len(official.types) < len(types)
    elif path.stem == "cut-inside-event":
        # They hand out the cut event if its JSON happens to be whole.
        assert official.types[: len(types)] == types
    else:
        assert official.types == types[: len(official.types)]
        assert len(types) - len(official.types) <= (1 if official.error else 0)


# Where theirs is wrong


def cut_after(count: int) -> bytes:
    return body(*HELLO[:count])


@pytest.mark.parametrize("count", range(1, len(HELLO)))
def test_a_truncated_stream_looks_complete_to_them_and_raises_here(count: int) -> None:
    official = theirs(cut_after(count))
    assert official.error is None
    assert official.message is not None
    error = drive(cut_after(count)).error
    assert type(error) is IncompleteStreamError
    assert error.snapshot is not None
    assert comparable(error.snapshot.to_dict()["content"]) == comparable(official.message["content"])


def test_a_stream_that_never_began_is_an_assertion_error_of_theirs() -> None:
    stream = theirs(b"")
    assert stream.error is None
    assert stream.message is None
    assert type(drive(b"").error) is IncompleteStreamError


UNTERMINATED = [path for path in CAPTURES if not path.read_bytes().endswith(b"\n\n")]


@pytest.mark.parametrize("path", UNTERMINATED, ids=stream_id)
def test_a_recorded_stream_whose_last_blank_line_is_missing_loses_its_last_event_in_theirs_and_not_here(
    path: Path,
) -> None:
    # The standard discards the event; it is the message_stop.
    data = path.read_bytes()
    official, outcome = theirs(data), drive(data)
    assert official.error is None
    assert official.types[-1] == "message_delta"
    assert outcome.error is None
    assert outcome.types[-1] == "message_stop"
    assert outcome.kinds[0] == "missing_blank_line"
    strict = drive(data, engine=MessageEngine(strict=True))
    assert type(strict.error) is IncompleteStreamError
    assert "left over" in strict.error.message
    assert drive(data + b"\n\n").kinds == outcome.kinds[1:]


def test_a_missing_event_line_loses_text_without_a_word_in_theirs_and_none_here() -> None:
    data = body(*HELLO[:3], frame(HELLO[3], event=None), *HELLO[4:])
    official, outcome = theirs(data), drive(data)
    assert official.error is None
    assert official.text == "Hel"
    assert outcome.error is None
    assert outcome.snapshot is not None
    assert outcome.snapshot.content == [TextBlock(text="Hello")]
    assert outcome.kinds == ["event_name"]


def test_a_stream_without_event_lines_is_no_message_at_all_to_them() -> None:
    data = b"".join(frame(payload, event=None) for payload in HELLO)
    official, outcome = theirs(data), drive(data)
    assert official.types == []
    assert official.message is None
    assert outcome.error is None
    assert outcome.snapshot is not None
    assert outcome.snapshot.content == [TextBlock(text="Hello")]


def test_an_event_line_that_says_ping_loses_the_payload_in_theirs_and_not_here() -> None:
    data = body(*HELLO[:3], frame(HELLO[3], event="ping"), *HELLO[4:])
    assert theirs(data).text == "Hel"
    outcome = drive(data)
    assert outcome.snapshot is not None
    assert outcome.snapshot.content == [TextBlock(text="Hello")]


def test_a_block_never_started_is_a_bare_index_error_in_theirs_and_says_where_here() -> None:
    data = body(*HELLO[:4], text(3, "x"))
    assert type(theirs(data).error) is IndexError
    error = drive(data).error
    assert type(error) is EventOrderError
    assert error.index == 3
    assert error.offset == len(body(*HELLO[:4]))


def test_a_negative_index_goes_to_the_last_block_in_theirs_and_raises_here() -> None:
    data = body(*HELLO[:4], text(-1, " you"), *HELLO[4:])
    official = theirs(data)
    assert official.error is None
    assert official.text == "Hello you"
    assert type(drive(data).error) is EventOrderError


def test_two_messages_merge_in_theirs_and_raise_or_stay_apart_here() -> None:
    data = body(*HELLO, start("msg_2"), *HELLO[1:])
    official = theirs(data)
    assert official.error is None
    assert official.message is not None
    assert official.message["id"] == "msg_1"
    assert official.text == "HelloHello"
    assert type(drive(data).error) is EventOrderError
    engine = MessageEngine(multiple_messages=True)
    assert drive(data, engine=engine).error is None
    assert engine.final_message.id == "msg_2"
    assert engine.final_message.content == [TextBlock(text="Hello")]


def test_a_message_inside_another_merges_in_theirs_and_raises_here() -> None:
    data = body(*HELLO[:4], start("msg_2"), *HELLO[4:])
    official = theirs(data)
    assert official.error is None
    assert official.message is not None
    assert official.message["id"] == "msg_1"
    assert type(drive(data).error) is EventOrderError


def test_a_delta_of_the_wrong_kind_is_dropped_by_theirs_and_raises_here() -> None:
    wrong = {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "x"}}
    data = body(*HELLO[:4], wrong, *HELLO[4:])
    official = theirs(data)
    assert official.error is None
    assert official.text == "Hello"
    assert type(drive(data).error) is EventOrderError


def test_a_second_message_delta_without_them_wipes_the_stop_reason_and_the_count_in_theirs() -> None:
    last = {"type": "message_delta", "delta": {}, "usage": {"input_tokens": 26}}
    data = body(*HELLO[:6], last, HELLO[6])
    official, outcome = theirs(data), drive(data)
    assert official.message is not None
    assert official.message["stop_reason"] is None
    assert official.message["usage"]["output_tokens"] is None
    assert outcome.snapshot is not None
    assert outcome.snapshot.stop_reason == "end_turn"
    assert outcome.snapshot.usage.output_tokens == 8
    assert outcome.snapshot.usage.input_tokens == 26


def test_a_compaction_in_several_pieces_keeps_only_the_last_in_theirs() -> None:
    def piece(**fields: str | None) -> dict[str, Any]:
        return {"type": "content_block_delta", "index": 0, "delta": {"type": "compaction_delta", **fields}}

    opening = [
        start(),
        {"type": "content_block_start", "index": 0, "content_block": {"type": "compaction", "content": None}},
    ]
    pieces = [piece(content="They ", encrypted_content=None), piece(content="met."), piece(encrypted_content="e")]
    data = body(*opening, *pieces, HELLO[4], message_delta("compaction"), HELLO[6])
    official, outcome = theirs(data), drive(data)
    assert official.message is not None
    assert official.message["content"][0]["content"] is None
    assert outcome.snapshot is not None
    assert outcome.snapshot.to_dict()["content"] == [
        {"type": "compaction", "content": "They met.", "encrypted_content": "e"}
    ]


def test_unknown_fields_of_a_message_delta_and_its_usage_are_dropped_by_theirs() -> None:
    change = {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "mood": "calm"},
        "usage": {"output_tokens": 8, "ink": 7},
    }
    data = body(*HELLO[:5], change, HELLO[6])
    official, outcome = theirs(data), drive(data)
    assert official.message is not None
    assert "mood" not in official.message
    assert "ink" not in official.message["usage"]
    assert outcome.snapshot is not None
    assert outcome.snapshot.to_dict()["mood"] == "calm"
    assert outcome.snapshot.to_dict()["usage"]["ink"] == 7


def test_a_payload_that_is_not_json_is_a_bare_value_error_in_theirs() -> None:
    data = body(*HELLO[:4], frame(b"{oops}", event="content_block_delta"))
    assert type(theirs(data).error) is json.JSONDecodeError
    error = drive(data).error
    assert type(error) is DecodeError
    assert error.snapshot is not None
    assert error.snapshot.content == [TextBlock(text="Hello")]


def test_invalid_utf8_is_a_unicode_error_in_theirs_and_a_replacement_character_here() -> None:
    broken = frame(text(0, "?!")).replace(b"?!", b"\xff!")
    data = body(*HELLO[:4], broken, *HELLO[4:])
    assert type(theirs(data).error) is UnicodeDecodeError
    outcome = drive(data)
    assert outcome.snapshot is not None
    assert outcome.snapshot.content == [TextBlock(text="Hello\ufffd!")]


def test_a_bom_loses_the_whole_message_in_theirs() -> None:
    data = b"\xef\xbb\xbf" + body(*HELLO)
    assert theirs(data).message is None
    assert drive(data).comparable()[1] == drive(body(*HELLO)).comparable()[1]


def test_html_is_an_empty_stream_to_them_and_raises_here_showing_it() -> None:
    data = b"<html><body>502 Bad Gateway</body></html>"
    official = theirs(data)
    assert official.error is None
    assert official.types == []
    error = drive(data).error
    assert type(error) is DecodeError
    assert "502 Bad Gateway" in str(error)


def test_an_error_event_is_raised_by_their_client_and_an_event_to_the_engine() -> None:
    data = body(*HELLO[:4], {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})
    assert isinstance(theirs(data).error, anthropic.APIStatusError)
    outcome = drive(data)
    assert isinstance(outcome.events[-1], ErrorEvent)
    assert type(outcome.error) is IncompleteStreamError
