"""Texts of errors and violations are short, however long the values are that a peer sends."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from helpers import HELLO, STOP, block_start, block_stop, body, message_delta, partial_json, start, text, tool_start

from streamcore import (
    IncompleteStreamError,
    LimitExceededError,
    Limits,
    MessageEngine,
    MessageStream,
    ProtocolError,
    RawMessageDecoder,
    StreamCoreError,
    Violation,
)
from streamcore.errors import APIError, NoTextError
from streamcore.types import UnknownBlock

LONG = "x" * 10_000_000
LONGEST_TEXT = 3000


def error(message: str = "m", type: str = "overloaded_error") -> dict[str, Any]:  # noqa: A002  # the field's word
    return {"type": "error", "error": {"type": type, "message": message}}


def start_of(**fields: Any) -> Any:
    payload = json.loads(json.dumps(start()))
    payload["message"].update(fields)
    return payload


def delta_of(delta: dict[str, Any]) -> Any:
    return {"type": "content_block_delta", "index": 0, "delta": delta}


def read(data: bytes, decoder: Any) -> tuple[Any, tuple[Violation, ...]]:
    decoder.receive_data(data)
    decoder.receive_eof()
    try:
        list(decoder.events())
    except ProtocolError as raised:
        return raised, decoder.violations
    return None, decoder.violations


UNKNOWN_BLOCK = block_start(0, {"type": LONG})

STREAMS: dict[str, list[Any]] = {
    "message of an error event": [start(), error(LONG)],
    "type of an error event": [start(), error(type=LONG)],
    "type of an event after message_stop": [*HELLO, {"type": LONG}],
    "type of an unknown delta": [start(), block_start(0, {"type": "text", "text": ""}), delta_of({"type": LONG})],
    "type of a block that a delta cannot go to": [start(), UNKNOWN_BLOCK, text(0, "a")],
    "id of a message that starts again": [start_of(id=LONG), start_of(id=LONG), message_delta(), STOP],
    "id of a message inside another": [start(), start_of(id=LONG)],
    "id of a message with content": [
        start_of(id=LONG),
        block_start(0, {"type": "text", "text": ""}),
        start_of(id=LONG),
    ],
    "id of a message after message_stop": [*HELLO, start_of(id=LONG)],
    "name of a tool": [start(), tool_start(0, name=LONG), partial_json(0, "]"), block_stop(0)],
    "input of a tool": [start(), tool_start(0), partial_json(0, '{"a": ' + LONG), block_stop(0)],
    "type of a tagged object": [start_of(type=LONG)],
    "name of an unknown field": [start(), {"type": "message_delta", "delta": {}, "usage": {LONG: 1}, "content": []}],
    "type of a content block that is wrong": [start(), block_start(0, {"type": "text", "text": 1, LONG: 1})],
}


@pytest.mark.parametrize("strict", [False, True], ids=["default", "strict"])
@pytest.mark.parametrize("payloads", STREAMS.values(), ids=STREAMS)
def test_long_values_of_a_peer_make_no_long_texts(payloads: list[Any], strict: bool) -> None:
    for decoder in (MessageEngine(strict=strict), RawMessageDecoder(strict=strict)):
        raised, violations = read(body(*payloads), decoder)
        assert raised is not None or violations or type(decoder) is RawMessageDecoder
        if raised is not None:
            check_short(raised)
        for violation in violations:
            assert len(violation.message) < LONGEST_TEXT
            assert len(str(violation)) < LONGEST_TEXT


def check_short(raised: Any) -> None:
    assert len(str(raised)) < LONGEST_TEXT
    assert len(raised.message) < LONGEST_TEXT
    assert all(len(str(argument)) < LONGEST_TEXT for argument in raised.args)
    assert str(pickle.loads(pickle.dumps(raised))) == str(raised)


@pytest.mark.parametrize("strict", [False, True], ids=["default", "strict"])
def test_long_names_on_event_lines_make_no_long_texts(strict: bool) -> None:
    raised, violations = read(
        b"event: %s\ndata: %s\n\n" % (LONG.encode(), json.dumps(start()).encode()), MessageEngine(strict=strict)
    )
    check_short(raised)
    assert all(len(str(violation)) < LONGEST_TEXT for violation in violations)


def test_a_long_body_that_is_no_stream_makes_no_long_text() -> None:
    raised, _ = read(b"<html>" + LONG.encode(), MessageEngine())
    check_short(raised)


def test_a_long_error_message_makes_no_long_text_of_a_stream() -> None:
    with MessageStream([body(start(), error(LONG))]) as stream, pytest.raises(StreamCoreError) as caught:
        stream.until_done()
    assert isinstance(caught.value, (APIError, IncompleteStreamError))
    check_short(caught.value)


def test_the_last_of_many_violations_is_short_too() -> None:
    _, violations = read(body(*HELLO, *[{"type": "n" * 10_000}] * 120), MessageEngine())
    assert len(violations) == 100
    assert "further ones are not recorded" in violations[-1].message
    assert all(len(str(violation)) < LONGEST_TEXT for violation in violations)


def test_a_text_of_blocks_of_long_types_is_short() -> None:
    with MessageStream([body(start(), UNKNOWN_BLOCK, block_stop(0), message_delta(), STOP)]) as stream:
        with pytest.raises(NoTextError) as caught:
            stream.get_final_text()
        assert len(str(caught.value)) < LONGEST_TEXT
        block = stream.get_final_message().content[0]
    assert isinstance(block, UnknownBlock)
    with pytest.raises(AttributeError) as missing:
        block.nothing  # noqa: B018  # reading it is what raises
    assert len(str(missing.value)) < LONGEST_TEXT


def test_long_values_of_typed_answers_make_no_long_texts() -> None:
    payloads = [start(), block_start(0, {"type": "text", "text": json.dumps({LONG: LONG})}), block_stop(0)]
    raised, _ = read(body(*payloads, message_delta(), STOP), MessageEngine(output_format=dict[str, int]))
    check_short(raised)
    assert all(len(str(fault)) < LONGEST_TEXT for fault in raised.faults)


def test_a_payload_of_too_many_arrays_and_objects_is_refused_before_it_is_parsed() -> None:
    limits = Limits(max_containers=1000)
    payload = {"type": "ping", "a": [[] for _ in range(1000)]}
    for decoder in (MessageEngine(limits=limits), RawMessageDecoder(limits=limits)):
        raised, _ = read(body(payload), decoder)
        assert isinstance(raised, LimitExceededError)
        assert "1000 arrays and objects" in raised.message
    raised, _ = read(body(*HELLO[:1], {**payload, "a": payload["a"][:990]}, *HELLO[1:]), MessageEngine(limits=limits))
    assert raised is None
