"""Typed events to the message so far: what is done with each event that the table of transitions allows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, Self

from streamcore._checkpoint import limits_of, read_checkpoint, require, validating, write_checkpoint
from streamcore._objects.not_copyable import NotCopyable
from streamcore.accumulator._block import BlockInProgress
from streamcore.accumulator._delta_rule import rule_for
from streamcore.accumulator._ending import BlockEnding
from streamcore.accumulator._fields import FieldOptions
from streamcore.accumulator._message import MessageInProgress
from streamcore.accumulator._message_delta import MESSAGE_FIELDS
from streamcore.accumulator._parser import BlockParser
from streamcore.accumulator._state import AccumulatorCheckpoint, AccumulatorState
from streamcore.accumulator._transitions import (
    BLOCK_TRANSITIONS,
    MESSAGE_TRANSITIONS,
    NEW_EVENT,
    BlockPhase,
    MessagePhase,
)
from streamcore.codec import TYPED_EVENTS, EventInterpreter, copied, kind_of
from streamcore.errors import (
    CheckpointError,
    DecodeError,
    EventOrderError,
    IncompleteStreamError,
    InvalidArgumentError,
    InvalidJSON,
    LimitExceededError,
    ProtocolError,
    Violation,
    ViolationLog,
    excerpt,
    shortened,
)
from streamcore.limits import DEFAULT_LIMITS, Limits
from streamcore.types import (
    ContentBlockDeltaEvent,
    ContentBlockStartEvent,
    ContentBlockStopEvent,
    FallbackBlock,
    Message,
    MessageDeltaEvent,
    MessageStartEvent,
    MessageStopEvent,
    MessageStreamEvent,
    UnknownBlock,
)

__all__ = ["COMPACT_AFTER", "MessageAccumulator"]


_UNSTARTED = BlockPhase.UNSTARTED  # A global is read far faster than an enum member on Python 3.11.

COMPACT_AFTER = 1024
"""The text is compacted after this many deltas, at about 1 % of their cost."""


class MessageAccumulator(NotCopyable):
    """Build a message from its events.

    ```python
    accumulator = MessageAccumulator()
    for event in events:  # typed events, or parsed JSON objects
        accumulator.apply(event)
    message = accumulator.final_message
    ```

    Which events may come when is in `_transitions`.

    Args:
        strict: Raise where otherwise a `Violation` is recorded.
        limits: Bounds on the number of blocks and of unknown fields, and on nesting.
        trailing_strings: Whether a string value that is still open is part of a tool's `input`, as far as it has
            arrived. Off, as in the `anthropic` package, a value appears when it is complete.
        multiple_messages: Whether a `message_start` after `message_stop` begins another message, as in a capture of
            several, instead of being an error. `snapshot` and `final_message` are then those of the latest.
        invalid_json: What happens if the input of a tool is not valid JSON; see `MessageEngine`.
        log: Where violations are recorded; by default a log of this accumulator's own.
        parser: Makes values of the user's own classes from complete blocks.
    """

    __slots__ = (
        "_delta_count",
        "_ending",
        "_interpreter",
        "_invalid_json",
        "_late_blocks",
        "_limits",
        "_log",
        "_multiple_messages",
        "_options",
        "_parser",
        "_phase",
        "_saw_message_delta",
        "_stop_reason",
        "_unknown_fields",
        "message",
    )

    def __init__(
        self,
        *,
        strict: bool = False,
        limits: Limits = DEFAULT_LIMITS,
        trailing_strings: bool = False,
        multiple_messages: bool = False,
        invalid_json: InvalidJSON = "raise",
        log: ViolationLog | None = None,
        parser: BlockParser | None = None,
    ) -> None:
        self._parser = parser
        self._interpreter: EventInterpreter[MessageStreamEvent] | None = None  # only `apply` of dicts needs it
        self._limits = limits
        self._options = FieldOptions(trailing_strings, limits.max_depth)
        self._multiple_messages = multiple_messages
        self._invalid_json: InvalidJSON = invalid_json
        self._log = ViolationLog(strict=strict) if log is None else log
        self._ending = BlockEnding(invalid_json, parser, self._log)
        self._phase = MessagePhase.BEFORE
        self.message: MessageInProgress | None = None
        self._begin(None)

    def _begin(self, message: Message | None) -> None:
        self.message = None if message is None else MessageInProgress(message)
        self._saw_message_delta = False
        # An empty string counts as no stop reason.
        self._stop_reason: str | None = None if message is None else message.stop_reason or None
        # Blocks that received deltas after they were closed. Their tool input is checked when the message is complete:
        # a check after each delta would cost more each time.
        self._late_blocks: set[int] = set()
        self._delta_count = 0
        # The names of the unknown fields of the message and its usage, None until a `message_delta` brings one.
        self._unknown_fields: set[str] | None = None

    # The message

    @property
    def complete(self) -> bool:
        """Whether `message_stop` has arrived."""
        return self._phase is MessagePhase.COMPLETE

    @property
    def has_begun(self) -> bool:
        """Whether `message_start` has arrived."""
        return self.message is not None

    @property
    def lacks_only_stop(self) -> bool:
        """Whether all blocks are closed, the stop reason has arrived, and `message_stop` has not."""
        message = self.message
        return (
            message is not None
            and not message.is_complete
            and self._stop_reason is not None
            and message.last_open_block is None
        )

    @property
    def multiple_messages(self) -> bool:
        """Whether another message may follow the one that is complete."""
        return self._multiple_messages

    @property
    def violations(self) -> tuple[Violation, ...]:
        """Protocol violations seen so far that did not lose any data."""
        return self._log.entries

    @property
    def snapshot(self) -> Message | None:
        """The message after the events so far, `None` before `message_start`.

        It never changes. The same object is returned until an event changes the message.
        """
        return None if self.message is None else self.message.snapshot()

    @property
    def final_message(self) -> Message:
        """The complete message.

        Raises:
            IncompleteStreamError: `message_stop` has not arrived.
        """
        return self.deferred_message()()

    def deferred_message(self) -> Callable[[], Message]:
        """Return a function for the current message's final state, even if another message has begun by then."""
        message = self.message

        def final_message() -> Message:
            if message is None or not message.is_complete:
                raise IncompleteStreamError(
                    f"the message is not complete: {self._progress()}",
                    snapshot=None if message is None else message.snapshot(),
                )
            return message.snapshot()

        return final_message

    def _progress(self) -> str:
        if self.message is None:
            return "message_start has not come"
        index = self.message.last_open_block
        inside = "" if index is None else f", inside block {index}"
        return f"message_stop has not come{inside}"

    def block_in_progress(self, index: int) -> BlockInProgress | None:
        """Return the block with this index, or None if it was never started."""
        return None if self.message is None else self.message.blocks.get(index)

    @property
    def block_count(self) -> int:
        """How many blocks there are."""
        return 0 if self.message is None else len(self.message.content)

    @property
    def current_block(self) -> BlockInProgress | None:
        """The block that the latest event was about, while it is open."""
        return None if self.message is None else self.message.current_block

    def compact(self) -> None:
        """Store the text of the current block in less memory.

        A caller who adds text to `current_block` without `apply` calls this after every `COMPACT_AFTER` deltas.
        """
        block = self.current_block
        if block is not None and block.text is not None:
            block.text.compact()

    # Events

    def apply(self, event: MessageStreamEvent | dict[str, Any]) -> None:
        """Take the next event.

        Args:
            event: A typed event, or the parsed JSON object of one.

        Raises:
            InvalidArgumentError: The event is neither an event nor a dict.
            DecodeError: The dict is not a valid event, or the input of a tool is complete and not JSON.
            EventOrderError: The event must not come here. In strict mode, also what would be a violation.
            LimitExceededError: There are too many blocks or unknown fields, or a dict or the input of a tool nests too
                deep.
        """
        try:
            if isinstance(event, dict):
                self.take(self._event_of(copied(event, max_depth=self._limits.max_depth)))
            elif isinstance(getattr(event, "type", None), str):
                self.take(event)
            else:
                raise InvalidArgumentError(f"an event must be a dict or have a type; received {shortened(repr(event))}")
        except ProtocolError as error:
            error.snapshot = self.snapshot
            raise

    def _event_of(self, value: dict[str, Any]) -> MessageStreamEvent:
        if self._interpreter is None:
            self._interpreter = EventInterpreter(TYPED_EVENTS, self, self._log, max_depth=self._limits.max_depth)
        event: MessageStreamEvent = self._interpreter.event_of_object(value.get("type"), value)
        return event

    def take(self, event: MessageStreamEvent) -> None:
        """Like `apply` for a typed event, but leave it to the caller to attach the snapshot to errors."""
        phase = self._phase
        handle, next_phase = _MESSAGE_HANDLERS[phase].get(event.type) or _NEW_EVENT_HANDLERS[phase]
        handle(self, event)
        self._phase = next_phase

    def end(self) -> None:
        """Note that no more events will come. Open blocks keep what has arrived.

        Raises:
            IncompleteStreamError: `message_stop` has not arrived.
        """
        if self.complete:
            return
        if self.message is not None:
            self.message.end()
        raise IncompleteStreamError(
            f"the stream ended before the message did: {self._progress()}",
            index=None if self.message is None else self.message.last_open_block,
            snapshot=self.snapshot,
        )

    # Checkpoints

    def checkpoint(self) -> bytes:
        """Return the state as bytes, between any two events. This changes nothing."""
        state = AccumulatorCheckpoint(limits=self._limits, log=self._log.get_state(), accumulator=self.get_state())
        return write_checkpoint("MessageAccumulator", state)

    @classmethod
    def restore(cls, data: bytes, *, limits: Limits | None = None, parser: BlockParser | None = None) -> Self:
        """Return an accumulator that goes on from a checkpoint as the original would have.

        Args:
            data: What `checkpoint` returned.
            limits: Bounds on the message in place of those of the original.
            parser: The parser, if the original had one.

        Raises:
            CheckpointError: It is not a valid checkpoint of a `MessageAccumulator`, it is over the limits, or it
                was made with another parser.
            InvalidArgumentError: `data` is not bytes.
        """
        checkpoint = read_checkpoint(data, "MessageAccumulator", AccumulatorCheckpoint)
        state = checkpoint.accumulator
        accumulator = cls(
            limits=limits_of(checkpoint.limits, limits),
            trailing_strings=state.trailing_strings,
            multiple_messages=state.multiple_messages,
            invalid_json=state.invalid_json,
            parser=parser,
        )
        accumulator._log.set_state(checkpoint.log)
        accumulator.set_state(state)
        return accumulator

    def get_state(self) -> AccumulatorState:
        """Return the state for a checkpoint, without that of the log."""
        return AccumulatorState(
            phase=self._phase,
            trailing_strings=self._options.trailing_strings,
            multiple_messages=self._multiple_messages,
            invalid_json=self._invalid_json,
            parser=None if self._parser is None else self._parser.get_state(),
            message=None if self.message is None else self.message.get_state(),
            saw_message_delta=self._saw_message_delta,
            stop_reason=self._stop_reason,
            late_blocks=tuple(sorted(self._late_blocks)),
            unknown_fields=None if self._unknown_fields is None else tuple(sorted(self._unknown_fields)),
        )

    def set_state(self, state: AccumulatorState) -> None:
        """Take over the state of a checkpoint. The log has its state already, and the options are those of the state.

        Raises:
            CheckpointError: The state is over a limit, contradicts itself, or has another parser.
        """
        parser = None if self._parser is None else self._parser.get_state()
        if parser != state.parser:
            had, given = ("no classes" if classes is None else classes.names for classes in (state.parser, parser))
            raise CheckpointError(f"the checkpoint was made with {had}, and {given} are given to restore it")
        with validating():
            state.check(self._limits)
            self._phase = state.phase
            if state.message is not None:
                # The log has the violations of its blocks already, so these are reported to another one.
                ending = BlockEnding(self._invalid_json, self._parser, ViolationLog())
                self.message = MessageInProgress.of_state(
                    state.message, self._options, ending.end, is_complete=self.complete
                )
            self._saw_message_delta, self._stop_reason = state.saw_message_delta, state.stop_reason
            self._late_blocks = set(state.late_blocks)
            self._unknown_fields = None if state.unknown_fields is None else set(state.unknown_fields)
        late = [self.block_in_progress(index) for index in self._late_blocks]
        require(all(block is not None and block.is_closed for block in late), "a block with late deltas is not closed")

    # The actions of MESSAGE_TRANSITIONS. The table guarantees a message wherever one is asserted.

    def _ignore(self, event: Any) -> None:
        pass

    def _ignore_too_late(self, event: Any) -> None:
        self._log.report("after_message_stop", f"{shortened(event.type)} came after message_stop")

    def _refuse_too_early(self, event: Any) -> None:
        raise EventOrderError(f"{shortened(event.type)} came before message_start")

    def _start_message(self, event: MessageStartEvent) -> None:
        self._check_block_count(len(event.message.content))
        self._begin(event.message)

    def _start_another_message(self, event: MessageStartEvent) -> None:
        if not self._multiple_messages:
            raise EventOrderError(f"message_start of {excerpt(event.message.id)} came after message_stop")
        self._start_message(event)

    def _ignore_repeated_start(self, event: MessageStartEvent) -> None:
        message = self.message
        assert message is not None
        if event.message.id != message.id:
            raise EventOrderError(
                f"message_start of {excerpt(event.message.id)} came inside the open message {excerpt(message.id)}"
            )
        if message.content:
            raise EventOrderError(
                f"message_start of {excerpt(event.message.id)} came again after its content had begun"
            )
        self._log.report("repeated_message_start", f"message_start of {excerpt(event.message.id)} came again")

    def _change_message(self, event: MessageDeltaEvent) -> None:
        if event.extra or event.delta.extra:
            for name in sorted(MESSAGE_FIELDS & (event.extra.keys() | event.delta.extra.keys())):
                self._log.report("unapplied_delta", f"the snapshot cannot apply {excerpt(name)} of a message_delta")
        if event.extra or event.delta.extra or event.usage.extra:
            self._count_unknown_fields(event)
        assert self.message is not None
        self.message.add_delta(event)
        self._saw_message_delta = True
        self._stop_reason = event.delta.stop_reason or self._stop_reason

    def _count_unknown_fields(self, event: MessageDeltaEvent) -> None:
        message, most = self.message, self._limits.max_unknown_fields
        assert message is not None
        known = message.unknown_fields if self._unknown_fields is None else self._unknown_fields
        new = {*event.extra, *event.delta.extra, *event.usage.extra} - known
        if len(known) + len(new) > most:  # the event is refused, so its fields do not count
            raise LimitExceededError(f"the message has more than {most} unknown fields")
        known |= new
        self._unknown_fields = known

    def _check_block_count(self, count: int, index: int | None = None) -> None:
        most = self._limits.max_blocks
        if count > most:
            raise LimitExceededError(f"the message has more than {most} blocks", index=index)

    def _complete_message(self, event: MessageStopEvent) -> None:
        message = self.message
        assert message is not None
        blocks = message.blocks.values()
        for index in self._late_blocks:
            self._close_block(None, message.blocks[index])
        message.unclosed = tuple([block for block in blocks if not block.is_closed])
        for block in message.unclosed:
            self._log.report("unclosed_block", "the block was still open at message_stop", index=block.index)
            block.phase = BlockPhase.CLOSED
            self._close_block(None, block)
        if not self._saw_message_delta:
            self._log.report("missing_message_delta", "message_stop came without a message_delta")
        if self._stop_reason == "tool_use":
            for block in blocks:
                if block.has_unfinished_input:
                    self._log.report(
                        "incomplete_input", "the tool is to be used, but its input is incomplete", index=block.index
                    )
        if self._parser is not None:
            # Blocks with a fault that is kept are left out: it must not be raised here either.
            self._parser.check_end((block.parsed for block in blocks if block.fault is None), self._stop_reason)
        message.is_complete = True

    def _change_block(self, event: ContentBlockStartEvent | ContentBlockDeltaEvent | ContentBlockStopEvent) -> None:
        assert self.message is not None
        block = self.message.blocks.get(event.index)
        phase = _UNSTARTED if block is None else block.phase
        handle, next_phase = _BLOCK_HANDLERS[phase][event.type]
        handle(self, event, block).phase = next_phase

    # The actions of BLOCK_TRANSITIONS. Each returns the block.

    def _start_block(self, event: ContentBlockStartEvent, _: None) -> BlockInProgress:
        index, message = event.index, self.message
        assert message is not None
        count = len(message.content)
        if index != count:
            if 0 <= index < count:
                self._refuse_restart(event, None)  # the block came with message_start
            raise EventOrderError(f"content_block_start came for block {index} where {count} is next", index=index)
        self._check_block_count(count + 1, index)
        start = event.content_block
        most = self._limits.max_unknown_fields
        if isinstance(start, UnknownBlock) and len(start.data) > most:
            raise LimitExceededError(f"the block has more than {most} fields, and its type is unknown", index=index)
        block = BlockInProgress(index, start, self._options)
        first_input = getattr(start, "input", None)
        if block.text_delta == "input_json_delta" and not isinstance(first_input, dict):
            # Checked only here: deltas may add any JSON, and the input in a message that is read back may be any JSON.
            raise DecodeError(
                f"the input of a tool must begin as an object, not {kind_of(first_input)} @ $.content_block.input",
                index=index,
            )
        message.add_block(block)
        if isinstance(start, FallbackBlock):
            message.set_model(start.to.model)
        return block

    def _add_delta(self, event: ContentBlockDeltaEvent, block: BlockInProgress) -> BlockInProgress:
        rule = rule_for(event, block, self._log)
        if rule is not None:
            block.apply(event.delta, rule)
            message = self.message
            assert message is not None
            message.current_block = block
            message.touch(block)
            self._delta_count += 1
            if not self._delta_count % COMPACT_AFTER:
                self.compact()
        return block

    def _add_late_delta(self, event: ContentBlockDeltaEvent, block: BlockInProgress) -> BlockInProgress:
        rule = rule_for(event, block, self._log)
        if rule is not None:
            self._log.report("after_block_stop", f"{event.delta.type} came after its block's stop", index=event.index)
            block.apply(event.delta, rule)
            message = self.message
            assert message is not None
            message.current_block = None
            message.touch(block)
            self._late_blocks.add(event.index)
            block.drop_parsed()
        return block

    def _close_block(self, _: ContentBlockStopEvent | None, block: BlockInProgress) -> BlockInProgress:
        message = self.message
        assert message is not None
        if message.current_block is block:
            message.current_block = None
        message.touch(block)
        self._ending.end(block)
        return block

    def _ignore_repeated_stop(self, event: ContentBlockStopEvent, block: BlockInProgress) -> BlockInProgress:
        self._log.report("after_block_stop", "content_block_stop came again", index=event.index)
        return block

    def _refuse_restart(self, event: ContentBlockStartEvent, block: BlockInProgress | None) -> NoReturn:
        state = "closed" if block is None else block.phase.value
        raise EventOrderError(f"content_block_start came again for a block that is {state}", index=event.index)

    def _refuse_unstarted(self, event: Any, block: BlockInProgress | None) -> NoReturn:
        raise EventOrderError(f"{event.type} came for a block that was never started", index=event.index)


# The tables, with the methods in place of their names.

_MESSAGE_HANDLERS = {
    phase: {event_type: (getattr(MessageAccumulator, f"_{action}"), to) for event_type, (action, to) in row.items()}
    for phase, row in MESSAGE_TRANSITIONS.items()
}
_NEW_EVENT_HANDLERS = {
    phase: (getattr(MessageAccumulator, f"_{action}"), to) for phase, (action, to) in NEW_EVENT.items()
}
_BLOCK_HANDLERS = {
    phase: {event_type: (getattr(MessageAccumulator, f"_{action}"), to) for event_type, (action, to) in row.items()}
    for phase, row in BLOCK_TRANSITIONS.items()
}
