"""The state of an accumulator, and what the table of transitions relies on."""

from __future__ import annotations

from typing import Any

from streamcore._checkpoint import require
from streamcore._objects.state import Count, SavedState
from streamcore.accumulator._message import MessageState
from streamcore.accumulator._parser import ParserState
from streamcore.accumulator._transitions import MessagePhase
from streamcore.codec import too_deep
from streamcore.errors import InvalidJSON, LogState
from streamcore.limits import Limits

__all__ = ["AccumulatorCheckpoint", "AccumulatorState"]


class AccumulatorState(SavedState):
    """The state of a `MessageAccumulator`, without that of the log, which others share.

    Attributes:
        phase: Where the message is in its life.
        trailing_strings: Whether a string value that is still open is part of a tool's `input`.
        multiple_messages: Whether another message may follow.
        invalid_json: What happens if the input of a tool is not valid JSON.
        parser: The classes that blocks are parsed as, None without any.
        message: The message, None before `message_start`.
        saw_message_delta: Whether a `message_delta` has come.
        stop_reason: Why the model stopped, once that is known.
        late_blocks: The indexes of the blocks that received deltas after they were closed.
        unknown_fields: The names of the unknown fields, once a `message_delta` has brought some.
    """

    phase: MessagePhase
    trailing_strings: bool = False
    multiple_messages: bool = False
    invalid_json: InvalidJSON = "raise"
    parser: ParserState | None = None
    message: MessageState | None = None
    saw_message_delta: bool = False
    stop_reason: str | None = None
    late_blocks: tuple[Count, ...] = ()
    unknown_fields: tuple[str, ...] | None = None

    def check(self, limits: Limits) -> None:
        """Check that the state does not contradict itself and is within the limits.

        Raises:
            CheckpointError: It does, or it is not.
        """
        require((self.message is None) == (self.phase is MessagePhase.BEFORE), "the message does not fit the phase")
        require(len(self.unknown_fields or ()) <= limits.max_unknown_fields, "there are too many unknown fields")
        if self.message is not None:
            content: Any = self.message.message.get("content")
            count = len(content) if type(content) is list else 0
            require(count + len(self.message.blocks) <= limits.max_blocks, "there are too many blocks")
            values = [self.message.message, *(block.start for block in self.message.blocks)]
            values += [field.value for block in self.message.blocks for field in block.fields]
            require(not too_deep(values, limits.max_depth + 1), "a value nests too deep")


class AccumulatorCheckpoint(SavedState):
    """A checkpoint of a `MessageAccumulator` that is used alone.

    Attributes:
        limits: Bounds on the message.
        log: The violations.
        accumulator: The state.
    """

    limits: Limits
    log: LogState
    accumulator: AccumulatorState
