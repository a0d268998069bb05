"""The table of transitions: against the rows of the protocol, and against what an accumulator does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import pytest
from helpers import PING, STOP, block_start, block_stop, delta, message_delta, start, text

import streamcore.accumulator
from streamcore import EventOrderError, MessageAccumulator, ProtocolError
from streamcore.accumulator._transitions import (
    BLOCK_TRANSITIONS,
    MESSAGE_TRANSITIONS,
    NEW_EVENT,
    BlockPhase,
    MessagePhase,
    diagram,
)
from streamcore.types import MessageStreamEvent

GUIDE = Path(streamcore.accumulator.__file__).parent / "README.md"

Outcome: TypeAlias = Literal["applied", "ignored", "violation", "refused"]


class Row(NamedTuple):
    """What the protocol says about an event that comes in a phase.

    `applied`: the message changes. `ignored`: nothing happens, as nothing is wrong. `violation`: it is recorded, and
    raised in strict mode. `refused`: it is raised in any mode.
    """

    outcome: Outcome
    says: str


# The rows of the protocol about the order of events, in our own words.

BEFORE, OPEN, COMPLETE = MessagePhase
TOO_EARLY = Row("refused", "a message begins with message_start: nothing can be added to one that has not begun")
TOO_LATE = Row("violation", "a message ends with message_stop: what comes after it changes nothing")
ANYWHERE = Row("ignored", "a ping may come anywhere")
BY_BLOCK = Row(
    "applied", "the events of a block belong between message_start and message_stop; the block's phase decides"
)

MESSAGE_ROWS: dict[MessagePhase, dict[str, Row]] = {
    BEFORE: {
        "message_start": Row("applied", "a message begins"),
        "content_block_start": TOO_EARLY,
        "content_block_delta": TOO_EARLY,
        "content_block_stop": TOO_EARLY,
        "message_delta": TOO_EARLY,
        "message_stop": TOO_EARLY,
        "ping": ANYWHERE,
        "error": Row("ignored", "an error may come in place of everything: it is delivered, and changes no message"),
        "new_event": Row("ignored", "new events may come without notice"),
    },
    OPEN: {
        "message_start": Row("violation", "the same message_start again, before any content, says nothing new"),
        "content_block_start": BY_BLOCK,
        "content_block_delta": BY_BLOCK,
        "content_block_stop": BY_BLOCK,
        "message_delta": Row("applied", "one or more of them change the message itself"),
        "message_stop": Row("applied", "the message is complete"),
        "ping": ANYWHERE,
        "error": Row("ignored", "an error may come in place of the rest: it is delivered, and changes no message"),
        "new_event": Row("ignored", "new events may come without notice"),
    },
    COMPLETE: {
        "message_start": Row("refused", "a stream has one message"),
        "content_block_start": TOO_LATE,
        "content_block_delta": TOO_LATE,
        "content_block_stop": TOO_LATE,
        "message_delta": TOO_LATE,
        "message_stop": TOO_LATE,
        "ping": ANYWHERE,
        "error": TOO_LATE,
        "new_event": TOO_LATE,
    },
}

BLOCK_ROWS: dict[BlockPhase, dict[str, Row]] = {
    BlockPhase.UNSTARTED: {
        "content_block_start": Row("applied", "a block begins"),
        "content_block_delta": Row("refused", "it is not known which block the delta belongs to"),
        "content_block_stop": Row("refused", "a block that has not begun cannot stop"),
    },
    BlockPhase.OPEN: {
        "content_block_start": Row("refused", "to begin a block again would lose what it has"),
        "content_block_delta": Row("applied", "the block grows"),
        "content_block_stop": Row("applied", "the block is complete"),
    },
    BlockPhase.CLOSED: {
        "content_block_start": Row("refused", "to begin a block again would lose what it has"),
        "content_block_delta": Row("violation", "it can only mean that block: it is added, though late"),
        "content_block_stop": Row("violation", "the block is complete already"),
    },
}

# What the phase alone does not tell.

PAYLOADS: dict[str, dict[str, Any]] = {
    "message_start": start(),
    "content_block_start": block_start(0),
    "content_block_delta": text(0, "a"),
    "content_block_stop": block_stop(0),
    "message_delta": message_delta(),
    "message_stop": STOP,
    "ping": PING,
    "error": {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
    "new_event": {"type": "new_event", "index": 0},
}
WAYS_TO_MESSAGE = {
    BEFORE: [],
    OPEN: [start()],
    COMPLETE: [start(), block_start(0), text(0, "x"), block_stop(0), message_delta(), STOP],
}
WAYS_TO_BLOCK = {
    BlockPhase.UNSTARTED: [start()],
    BlockPhase.OPEN: [start(), block_start(0), text(0, "x")],
    BlockPhase.CLOSED: [start(), block_start(0), text(0, "x"), block_stop(0)],
}
MESSAGE_PAIRS = [
    (phase, event_type)
    for phase in MESSAGE_ROWS
    for event_type in PAYLOADS
    if MESSAGE_ROWS[phase][event_type] != BY_BLOCK
]
BLOCK_PAIRS = [(phase, event_type) for phase in BLOCK_ROWS for event_type in BLOCK_ROWS[phase]]


def name(value: Any) -> str:
    return value if isinstance(value, str) else value.name


def accumulated(payloads: list[dict[str, Any]], *, strict: bool = False) -> MessageAccumulator:
    accumulator = MessageAccumulator(strict=strict)
    for payload in payloads:
        accumulator.apply(payload)
    return accumulator


def phase_of(accumulator: MessageAccumulator) -> MessagePhase:
    """The phase, as the face shows it."""
    if accumulator.snapshot is None:
        return MessagePhase.BEFORE
    return MessagePhase.COMPLETE if accumulator.complete else MessagePhase.OPEN


def block_phase_of(accumulator: MessageAccumulator) -> BlockPhase:
    block = accumulator.block_in_progress(0)
    if block is None:
        return BlockPhase.UNSTARTED
    return BlockPhase.CLOSED if block.is_closed else BlockPhase.OPEN


def state(accumulator: MessageAccumulator) -> tuple[Any, ...]:
    return accumulator.snapshot, phase_of(accumulator), block_phase_of(accumulator), accumulator.block_count


def check(way: list[dict[str, Any]], payload: dict[str, Any], outcome: Outcome, *, changes: bool) -> MessageAccumulator:
    """Check what comes of an event at the end of a way, in both modes. Return the accumulator that is not strict."""
    strict, accumulator = accumulated(way, strict=True), accumulated(way)
    before = state(strict)
    if outcome in ("violation", "refused"):
        with pytest.raises(EventOrderError) as caught:
            strict.apply(payload)
        assert caught.value.snapshot == before[0]
        assert state(strict) == before
    elif payload["type"] != "message_stop":  # which also says what has not come before it
        strict.apply(payload)
        assert strict.violations == ()
    before = state(accumulator)
    if outcome == "refused":
        with pytest.raises(EventOrderError):
            accumulator.apply(payload)
    else:
        accumulator.apply(payload)
    assert (state(accumulator) != before) is changes
    if outcome == "violation":
        assert len(accumulator.violations) == 1
    elif payload["type"] != "message_stop":
        assert accumulator.violations == ()
    return accumulator


# The tables


def test_every_pair_of_phase_and_event_is_in_the_table_and_among_the_rows() -> None:
    known = {event.type for event in MessageStreamEvent.__args__ if isinstance(event.type, str)}
    blocks = {event_type for event_type in known if event_type.startswith("content_block_")}
    assert {*PAYLOADS} == known | {"new_event"}
    assert {*MESSAGE_TRANSITIONS} == {*MESSAGE_ROWS} == {*NEW_EVENT} == {*MessagePhase}
    assert {*BLOCK_TRANSITIONS} == {*BLOCK_ROWS} == {*BlockPhase}
    for phase in MessagePhase:
        assert {*MESSAGE_TRANSITIONS[phase]} == known
        assert {*MESSAGE_ROWS[phase]} == {*PAYLOADS}
    for block_phase in BlockPhase:
        assert {*BLOCK_TRANSITIONS[block_phase]} == {*BLOCK_ROWS[block_phase]} == blocks


def transitions() -> list[Any]:
    tables: list[Any] = [*MESSAGE_TRANSITIONS.values(), *BLOCK_TRANSITIONS.values()]
    return [*NEW_EVENT.values(), *(transition for row in tables for transition in row.values())]


def test_every_action_is_a_method_of_the_accumulator() -> None:
    for transition in transitions():
        assert callable(getattr(MessageAccumulator, f"_{transition.action}"))


@pytest.mark.parametrize(("phase", "event_type"), MESSAGE_PAIRS, ids=name)
def test_a_message_does_with_an_event_what_its_row_says(phase: MessagePhase, event_type: str) -> None:
    outcome = MESSAGE_ROWS[phase][event_type].outcome
    accumulator = check(WAYS_TO_MESSAGE[phase], PAYLOADS[event_type], outcome, changes=outcome == "applied")
    transition = MESSAGE_TRANSITIONS[phase].get(event_type, NEW_EVENT[phase])
    assert phase_of(accumulator) is (phase if outcome == "refused" else transition.next_phase)
    assert transition.action.startswith("ignore") == (outcome in ("ignored", "violation"))


@pytest.mark.parametrize(("phase", "event_type"), BLOCK_PAIRS, ids=name)
def test_a_block_does_with_an_event_what_its_row_says(phase: BlockPhase, event_type: str) -> None:
    outcome = BLOCK_ROWS[phase][event_type].outcome
    late_delta = phase is BlockPhase.CLOSED and event_type == "content_block_delta"
    changes = outcome == "applied" or late_delta
    accumulator = check(WAYS_TO_BLOCK[phase], PAYLOADS[event_type], outcome, changes=changes)
    transition = BLOCK_TRANSITIONS[phase][event_type]
    assert block_phase_of(accumulator) is transition.next_phase
    assert phase_of(accumulator) is MessagePhase.OPEN
    assert transition.action.startswith("refuse") == (outcome == "refused")


def test_phases_are_looked_up_by_identity() -> None:
    for phase in (*MessagePhase, *BlockPhase):
        assert hash(phase) == object.__hash__(phase)


# What the phase alone does not tell: the actions decide it

CONTENT = {"type": "text", "text": "given"}
REFUSED = {
    "message_start with another id": ([start()], start("msg_2")),
    "message_start again after content": ([start(), block_start(0)], start()),
    "message_start again after given content": ([start(content=[CONTENT])], start(content=[CONTENT])),
    "a block whose index leaves a gap": ([start(), block_start(0)], block_start(2)),
    "a first block that is not block 0": ([start()], block_start(1)),
    "a block with a negative index": ([start()], block_start(-1)),
    "a delta for a negative index": ([start(), block_start(0)], text(-1, "a")),
    "a stop for a block that comes later": ([start(), block_start(0)], block_stop(1)),
    "a block again that came with message_start": ([start(content=[CONTENT])], block_start(0)),
    "a delta of the wrong kind": ([start(), block_start(0)], delta(0, "thinking_delta", thinking="a")),
}


@pytest.mark.parametrize(("way", "payload"), REFUSED.values(), ids=REFUSED.keys())
def test_what_would_make_the_message_wrong_is_refused(way: list[dict[str, Any]], payload: dict[str, Any]) -> None:
    check(way, payload, "refused", changes=False)


@pytest.mark.parametrize("way", WAYS_TO_BLOCK.values(), ids=[phase.name for phase in WAYS_TO_BLOCK])
def test_pings_errors_and_new_events_change_no_block(way: list[dict[str, Any]]) -> None:
    for event_type in ("ping", "error", "new_event"):
        check(way, PAYLOADS[event_type], "ignored", changes=False)


def test_several_messages_may_follow_one_another_if_the_caller_says_so() -> None:
    accumulator = MessageAccumulator(multiple_messages=True)
    for payload in [*WAYS_TO_MESSAGE[COMPLETE], start("msg_2")]:
        accumulator.apply(payload)
    assert phase_of(accumulator) is MessagePhase.OPEN
    assert accumulator.snapshot is not None
    assert accumulator.snapshot.id == "msg_2"
    assert accumulator.violations == ()
    with pytest.raises(EventOrderError):
        accumulator.apply(start("msg_3"))


def test_what_has_not_come_before_message_stop_is_a_violation_of_its_own() -> None:
    assert [violation.kind for violation in accumulated([start(), STOP]).violations] == ["missing_message_delta"]
    opened = accumulated([start(), block_start(0), STOP])
    assert [violation.kind for violation in opened.violations] == ["unclosed_block", "missing_message_delta"]
    assert block_phase_of(opened) is BlockPhase.CLOSED
    for way in ([start()], [start(), block_start(0)], [start(), block_start(0), message_delta()]):
        strict = accumulated(way, strict=True)
        with pytest.raises(ProtocolError):
            strict.apply(STOP)
        assert not strict.complete


# The drawing


def test_the_guide_has_the_drawing_of_the_tables() -> None:
    drawings = re.findall(r"```mermaid\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert drawings == [diagram()]


def test_the_drawing_has_an_arrow_for_every_event_that_changes_something() -> None:
    arrows = set(re.findall(r"^ +(\w+) --> (\w+): (\w+) / (\w+)$", diagram(), re.MULTILINE))
    expected = set()
    tables: list[tuple[str, Any]] = [("Message", MESSAGE_TRANSITIONS), ("Block", BLOCK_TRANSITIONS)]
    for title, rows in tables:
        for phase, row in rows.items():
            for event_type, (action, to) in row.items():
                if not action.startswith(("ignore", "refuse")):
                    expected.add((f"{title}_{phase.name}", f"{title}_{to.name}", event_type, action))
    assert arrows == expected
    assert "[*] --> Message_BEFORE" in diagram()
    assert "[*] --> Block_UNSTARTED" in diagram()
