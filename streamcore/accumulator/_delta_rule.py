"""Find the rule for a delta, or decide what to do with one that is new, empty or of the wrong kind for its block."""

from __future__ import annotations

from streamcore.accumulator._block import BlockInProgress
from streamcore.accumulator._deltas import DELTA_RULES, DeltaRule
from streamcore.errors import EventOrderError, ViolationLog, excerpt
from streamcore.types import ContentBlockDeltaEvent, UnknownBlock

__all__ = ["rule_for"]


def rule_for(event: ContentBlockDeltaEvent, block: BlockInProgress, log: ViolationLog) -> DeltaRule | None:
    """Return the rule for a delta, or None if the delta does nothing to its block. The log then says why.

    Raises:
        EventOrderError: The delta is of the wrong kind for the block, and is not empty.
    """
    delta = event.delta
    rule = DELTA_RULES.get(delta.type)
    if rule is None:
        log.report(
            "unapplied_delta", f"the snapshot cannot apply the unknown delta {excerpt(delta.type)}", index=event.index
        )
        return None
    if block.accepts(rule):
        return rule
    if isinstance(block.start, UnknownBlock):
        log.report(
            "unapplied_delta",
            f"the snapshot cannot apply {delta.type} to a block of the unknown type {excerpt(block.start.type)}",
            index=event.index,
        )
        return None
    if not rule.carries_nothing(delta):
        raise EventOrderError(
            f"{delta.type} cannot go to a block of type {excerpt(block.start.type)}", index=event.index
        )
    log.report(
        "misplaced_delta",
        f"an empty {delta.type} came for a block of type {excerpt(block.start.type)}; it was ignored",
        index=event.index,
    )
    return None
