"""Which events may come when. Everything about their order lives in this file.

A message goes through three phases, and so does each of its content blocks:

    message:  BEFORE ──message_start──► OPEN ──message_stop──► COMPLETE
    block:    UNSTARTED ──content_block_start──► OPEN ──content_block_stop──► CLOSED

`MESSAGE_TRANSITIONS[phase][event type]` says what is done with an event and which phase the message is in afterwards.
An event type that is not there is new to this version of streamcore: `NEW_EVENT` has its row. The three events of
content blocks are handed on to `BLOCK_TRANSITIONS[phase of the block][event type]`, which says the same for the block.

An action is only named here: the accumulator has a method of that name. The method may refuse the event, and then
nothing changes. It decides what the phase alone cannot tell, such as whether a second `message_start` repeats the
first. `diagram()` draws the tables for the guide.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, NamedTuple

__all__ = [
    "BLOCK_TRANSITIONS",
    "MESSAGE_TRANSITIONS",
    "NEW_EVENT",
    "BlockPhase",
    "BlockTransition",
    "MessagePhase",
    "MessageTransition",
    "diagram",
]


class _Phase(enum.Enum):
    # Hash by identity: `Enum.__hash__` is a Python function, and phases are looked up for each event.
    if not TYPE_CHECKING:
        __hash__ = object.__hash__


class MessagePhase(_Phase):
    """Where a message is in its life."""

    BEFORE = "before message_start"
    OPEN = "open"
    COMPLETE = "complete"


class BlockPhase(_Phase):
    """Where a content block is in its life."""

    UNSTARTED = "not started"
    OPEN = "open"
    CLOSED = "closed"


class MessageTransition(NamedTuple):
    """The action for an event, and the phase of the message after it."""

    action: str
    next_phase: MessagePhase


class BlockTransition(NamedTuple):
    """The action for an event of a block, and the phase of the block after it."""

    action: str
    next_phase: BlockPhase


_BEFORE, _OPEN, _COMPLETE = MessagePhase

MESSAGE_TRANSITIONS: dict[MessagePhase, dict[str, MessageTransition]] = {
    _BEFORE: {
        "message_start": MessageTransition("start_message", _OPEN),
        "content_block_start": MessageTransition("refuse_too_early", _BEFORE),
        "content_block_delta": MessageTransition("refuse_too_early", _BEFORE),
        "content_block_stop": MessageTransition("refuse_too_early", _BEFORE),
        "message_delta": MessageTransition("refuse_too_early", _BEFORE),
        "message_stop": MessageTransition("refuse_too_early", _BEFORE),
        "ping": MessageTransition("ignore", _BEFORE),
        "error": MessageTransition("ignore", _BEFORE),
    },
    _OPEN: {
        "message_start": MessageTransition("ignore_repeated_start", _OPEN),
        "content_block_start": MessageTransition("change_block", _OPEN),
        "content_block_delta": MessageTransition("change_block", _OPEN),
        "content_block_stop": MessageTransition("change_block", _OPEN),
        "message_delta": MessageTransition("change_message", _OPEN),
        "message_stop": MessageTransition("complete_message", _COMPLETE),
        "ping": MessageTransition("ignore", _OPEN),
        "error": MessageTransition("ignore", _OPEN),
    },
    _COMPLETE: {
        "message_start": MessageTransition("start_another_message", _OPEN),
        "content_block_start": MessageTransition("ignore_too_late", _COMPLETE),
        "content_block_delta": MessageTransition("ignore_too_late", _COMPLETE),
        "content_block_stop": MessageTransition("ignore_too_late", _COMPLETE),
        "message_delta": MessageTransition("ignore_too_late", _COMPLETE),
        "message_stop": MessageTransition("ignore_too_late", _COMPLETE),
        "ping": MessageTransition("ignore", _COMPLETE),
        "error": MessageTransition("ignore_too_late", _COMPLETE),
    },
}

NEW_EVENT: dict[MessagePhase, MessageTransition] = {
    _BEFORE: MessageTransition("ignore", _BEFORE),
    _OPEN: MessageTransition("ignore", _OPEN),
    _COMPLETE: MessageTransition("ignore_too_late", _COMPLETE),
}

BLOCK_TRANSITIONS: dict[BlockPhase, dict[str, BlockTransition]] = {
    BlockPhase.UNSTARTED: {
        "content_block_start": BlockTransition("start_block", BlockPhase.OPEN),
        "content_block_delta": BlockTransition("refuse_unstarted", BlockPhase.UNSTARTED),
        "content_block_stop": BlockTransition("refuse_unstarted", BlockPhase.UNSTARTED),
    },
    BlockPhase.OPEN: {
        "content_block_start": BlockTransition("refuse_restart", BlockPhase.OPEN),
        "content_block_delta": BlockTransition("add_delta", BlockPhase.OPEN),
        "content_block_stop": BlockTransition("close_block", BlockPhase.CLOSED),
    },
    BlockPhase.CLOSED: {
        "content_block_start": BlockTransition("refuse_restart", BlockPhase.CLOSED),
        "content_block_delta": BlockTransition("add_late_delta", BlockPhase.CLOSED),
        "content_block_stop": BlockTransition("ignore_repeated_stop", BlockPhase.CLOSED),
    },
}


def diagram() -> str:
    """Return both tables as one Mermaid state diagram. Events that change nothing are left out."""
    lines = ["stateDiagram-v2"]
    for name, rows in (("Message", MESSAGE_TRANSITIONS), ("Block", BLOCK_TRANSITIONS)):
        lines += [f"    state {name} {{", f"        [*] --> {name}_{next(iter(rows)).name}"]
        for phase, row in rows.items():
            for event_type, (action, next_phase) in row.items():
                if not action.startswith(("ignore", "refuse")):
                    lines.append(f"        {name}_{phase.name} --> {name}_{next_phase.name}: {event_type} / {action}")
        lines.append("    }")
    return "\n".join(lines) + "\n"
