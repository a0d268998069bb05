"""States that no engine can be in: each is refused by a sentence of its own."""

from __future__ import annotations

import re
from typing import Any

import pytest
from helpers import PING, STOP, block_start, block_stop, body, frame, message_delta, start, tool_start
from test_checkpoint_mutations import DEEP, state_of, with_state

from streamcore import CheckpointError, Limits, MessageEngine

FRAMES = ("source", "frames")
LINES = (*FRAMES, "lines")
FIELDS = (*LINES, "fields")
MESSAGE = ("accumulator", "message")
BLOCKS = (*MESSAGE, "blocks")
INPUT = {"name": "input", "value": ""}
TEXT = {"name": "text", "value": ""}
PINGS = frame(PING) * 3


def after(data: bytes, *, events: int | None = None, limits: Limits | None = None) -> bytes:
    """The checkpoint of an engine that was given the bytes and has read some of the events."""
    engine = MessageEngine(limits=limits or Limits())
    engine.receive_data(data)
    for number, _ in enumerate(engine.events(), 1):
        if number == events:
            break
    return engine.checkpoint()


NEW = after(b"")
BEGUN = after(body(start(), block_start(0), tool_start(1), block_stop(1)))
SHALLOW = after(body(start(), block_start(0)), limits=Limits(max_depth=100))
COMPLETE = after(body(start(), block_start(0), block_stop(0), message_delta(), STOP))
IN_EVENT = after(body(start()) + b"event: ping\nda")
IN_LINES = after(body(start()).replace(b"\n", b"\r\n") + b"event: ping\r\nda")
SECTIONS = after(body(start()) + PINGS, events=1)
UNREAD_LINES = after(body(start()).replace(b"\n", b"\r\n") + PINGS, events=1)
AFTER_LINES = after(body(start()).replace(b"\n", b"\r\n") + PINGS)

CONTRADICTIONS: list[tuple[bytes, tuple[Any, ...], Any, str]] = [
    (NEW, (*FRAMES, "rest"), "eA==", "a stream begins with other bytes than a BOM"),
    (NEW, ("accumulator", "phase"), "open", "the message does not fit the phase"),
    (NEW, (*FRAMES, "position"), "in_lines", "the reader of lines is missing"),
    (NEW, ("source", "has_finished"), True, "the end was checked before it came"),
    (NEW, ("source", "left_over"), 0, "the end was checked before it came"),
    (NEW, ("source", "unfinished"), "eA==", "the end was checked before it came"),
    (NEW, ("source", "event_number"), 2**63, "Expected `int` <= "),
    (NEW, ("accumulator", "late_blocks"), [0], "a block with late deltas is not closed"),
    (BEGUN, (*FRAMES, "rest"), "eA==", "there are bytes of an event between events"),
    (BEGUN, (*FRAMES, "event_offset"), 10**6, "an event begins after the end of the stream"),
    (BEGUN, (*MESSAGE, "current_block"), 1, "the current block is not open"),
    (BEGUN, (*MESSAGE, "current_block"), 2, "the current block is not open"),
    (BEGUN, (*MESSAGE, "unclosed"), [2], "an unclosed block was never started"),
    (BEGUN, ("accumulator", "late_blocks"), [0], "a block with late deltas is not closed"),
    (BEGUN, ("accumulator", "unknown_fields"), ["x"] * 1001, "there are too many unknown fields"),
    (BEGUN, (*BLOCKS, 0, "fields"), [INPUT], "a field cannot grow"),
    (BEGUN, (*BLOCKS, 0, "fields"), [], "the text of a block is missing"),
    (BEGUN, (*BLOCKS, 0, "fields"), [TEXT, TEXT], "a field is there twice"),
    (BEGUN, (*BLOCKS, 0, "fields", 0, "value"), 1, "a text is not a string"),
    (SHALLOW, (*MESSAGE, "message", "x"), DEEP, "a value nests too deep"),
    (SHALLOW, (*BLOCKS, 0, "start", "x"), DEEP, "a value nests too deep"),
    (SHALLOW, (*BLOCKS, 0, "fields", 0, "value"), DEEP, "a value nests too deep"),
    (SHALLOW, ("delivery",), {"event": {"type": "new", "x": DEEP}}, "an event nests too deep"),
    (COMPLETE, (*BLOCKS, 0, "is_closed"), False, "a block is open in a complete message"),
    (IN_EVENT, (*FRAMES, "rest"), "", "the bytes are not those of one event"),
    (IN_EVENT, (*FRAMES, "rest"), "eAoKeA==", "the bytes are not those of one event"),
    (IN_EVENT, (*FRAMES, "rest"), "eA0=", "the bytes are not those of one event"),
    (SECTIONS, (*FRAMES, "position"), "at_start", "sections are left over"),
    (SECTIONS, (*FRAMES, "sections", "offset"), 7, "the sections do not end where they should"),
    (SECTIONS, (*FRAMES, "sections", "event_offset"), 10**6, "an event begins after the end of the stream"),
    (SECTIONS, (*FRAMES, "sections", "unread", 0), "", "a section is not one event, or it is over the limit"),
    (SECTIONS, (*FRAMES, "sections", "unread", 0), "eAoKeA==", "a section is not one event, or it is over the limit"),
    (UNREAD_LINES, (*FRAMES, "position"), "between_events", "lines are left over"),
    (UNREAD_LINES, (*LINES, "offset"), 10**6, "the lines end after the stream"),
    (IN_LINES, (*FRAMES, "position"), "between_events", "lines are left over"),
    (IN_LINES, (*FIELDS, "offset"), 10**6, "an event begins after the end of the stream"),
    (IN_LINES, (*FIELDS, "has_begun"), False, "an event has data before it has begun"),
    (IN_LINES, (*FIELDS, "retry"), 10**18, "a retry is too long"),
    (IN_LINES, (*FIELDS, "event_retry"), 10**18, "a retry is too long"),
    (IN_LINES, (*LINES, "splitter", "mode"), "dropping", "an unfinished line has begun outside of a line"),
    (IN_LINES, (*LINES, "splitter", "unfinished"), "Cg==", "an unfinished line has a line end"),
    (IN_LINES, (*LINES, "splitter", "end"), 1, "an unfinished line is longer than the stream"),
    (AFTER_LINES, (*FIELDS, "has_begun"), True, "lines are left over"),
]


@pytest.mark.parametrize(("data", "path", "value", "said"), CONTRADICTIONS)
def test_a_state_that_contradicts_itself_is_refused(data: bytes, path: tuple[Any, ...], value: Any, said: str) -> None:
    assert MessageEngine.restore(data).checkpoint() == data
    state = state_of(data)
    place = state
    for key in path[:-1]:
        place = place[key] if isinstance(place, list) else place.setdefault(key, {})
    if path == (*FIELDS, "has_begun") and value is False:
        place["data"] = "eA=="
    place[path[-1]] = value
    with pytest.raises(CheckpointError, match=re.escape(f"the checkpoint is not valid: {said}")):
        MessageEngine.restore(with_state(data, state))
