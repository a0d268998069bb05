"""Typed events to the message so far.

In: one event at a time, typed or as the dict that an SDK parsed. Out: `snapshot`, an immutable `Message` that holds
exactly what the events so far have said. Which events may come when is one table, at the end; everything that affects
the order of events lives here. What a delta does to its block is the table in `block_builder`.

Costs: a delta is an append to a buffer. A snapshot is built when it is asked for, from the blocks that have changed
since the last one; the others, and all that is closed in a tool's input, are shared between snapshots. Who asks for
none pays for none, but for one check of each tool's input, when it is complete.

Knows nothing of bytes or of framing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn, Protocol

from streamcore._message_deltas import MESSAGE_FIELDS, after_deltas
from streamcore._twin import changer, replaced
from streamcore._uncopied import Uncopied
from streamcore.block_builder import DELTA_RULES, BlockBuilder, BlockOptions
from streamcore.codec import structure_event
from streamcore.errors import (
    EventOrderError,
    IncompleteStreamError,
    InvalidArgumentError,
    LimitExceededError,
    ProtocolError,
    Violation,
    ViolationLog,
)
from streamcore.limits import DEFAULT_LIMITS, Limits
from streamcore.types import (
    ContentBlock,
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

__all__ = ["COMPACT_AFTER", "BlockParser", "MessageAccumulator"]


class BlockParser(Protocol):
    """What makes values of the user's types of complete blocks (see `streamcore.typed`)."""

    def parse(self, block: ContentBlock, index: int) -> Mapping[str, Any]:
        """Attributes to set on a block.

        Raises:
            ProtocolError: The block is not what it should be.
        """
        ...

    def check_end(self, parsed: Iterable[Mapping[str, Any]], stop_reason: str | None) -> None:
        """The message is complete: raise if one of these attributes, of its blocks, says that it should not be."""
        ...


COMPACT_AFTER = 1024
"""After so many deltas, a power of two, the text of a block is put together. It costs 1 % of what they do."""


class MessageAccumulator(Uncopied):
    """Builds a message from its events.

    ```python
    accumulator = MessageAccumulator()
    for event in events:  # typed, or parsed JSON objects
        accumulator.apply(event)
    message = accumulator.final_message
    ```

    Args:
        strict: Raise where otherwise a `Violation` is recorded.
        limits: Bounds on the number of blocks and on nesting.
        trailing_strings: Whether a string that is still open counts, in the input of a tool, as far as it has come.
            Off, as in the `anthropic` package, a value appears when it is complete.
        multiple_messages: Whether a `message_start` after `message_stop` begins another message, as in a capture
            of several, instead of being an error. `snapshot` and `final_message` are then those of the latest.
        log: Where violations go; by default a log of this accumulator's own.
        parser: Makes values of the user's types of the blocks that are complete.

    Attributes:
        hot: The block that the latest event was about, while it is open. Until this is another one, a caller may give
            the text of a delta of its `delta_type` to its `add` instead of calling `apply`.
    """

    __slots__ = (
        "_blocks",
        "_builders",
        "_deltas",
        "_ended",
        "_grown_to",
        "_late",
        "_limits",
        "_log",
        "_mark",
        "_message",
        "_message_deltas",
        "_multiple_messages",
        "_options",
        "_order",
        "_parser",
        "_saw_message_delta",
        "_snapshot",
        "_stop_reason",
        "_touched",
        "_with_content",
        "hot",
    )

    def __init__(
        self,
        *,
        strict: bool = False,
        limits: Limits = DEFAULT_LIMITS,
        trailing_strings: bool = False,
        multiple_messages: bool = False,
        log: ViolationLog | None = None,
        parser: BlockParser | None = None,
    ) -> None:
        self._parser = parser
        self._limits = limits
        self._options = BlockOptions(trailing_strings, limits.max_depth)
        self._multiple_messages = multiple_messages
        self._log = ViolationLog(strict=strict) if log is None else log
        self._reset()

    def _reset(self) -> None:
        self.hot: BlockBuilder | None = None
        self._order = _BEFORE
        self._saw_message_delta = False
        self._stop_reason: str | None = None
        self._ended = False
        # The message as far as it is known without its content, what is still to be applied to it, and the last
        # snapshot of the whole.
        self._message: Message | None = None
        self._message_deltas: list[MessageDeltaEvent] = []
        self._snapshot: Message | None = None
        # For as long as only the text of `hot` can have changed since then: what says how long it is, how long it was,
        # and what puts blocks into the message.
        self._grown_to: Callable[[], int] | None = None
        self._mark = 0
        self._with_content: Callable[[Any, Any], Any] = changer(Message, "content")
        # The blocks as they were in the last snapshot, the builders of all that deltas may still change, and which of
        # these may have changed since.
        self._blocks: list[ContentBlock] = []
        self._builders: dict[int, BlockBuilder] = {}
        self._touched: set[int] = set()
        # Closed blocks to which deltas came all the same: what these made of a tool's input is checked at the end, as
        # checking it after each would cost more with each.
        self._late: set[int] = set()
        self._deltas = 0

    @property
    def complete(self) -> bool:
        """Whether `message_stop` has come."""
        return self._order is _AFTER

    @property
    def violations(self) -> tuple[Violation, ...]:
        """What was odd so far, but lost nothing."""
        return self._log.entries

    @property
    def snapshot(self) -> Message | None:
        """The message after the events so far, `None` before `message_start`. It never changes; the same one is
        returned until an event changes the message.
        """
        if self._grown_to is not None:
            # So it is between nearly all deltas. Half of the time are the two copies, of a block and of the message.
            mark = self._grown_to()
            if mark != self._mark:
                self._mark = mark
                hot: Any = self.hot
                block = hot.grown(mark)
                if block is not self._blocks[hot.index]:
                    self._blocks[hot.index] = block
                    self._snapshot = self._with_content(self._message, tuple(self._blocks))
            return self._snapshot
        message = self._message
        if message is None:
            return None
        if self._message_deltas:
            message = self._message = after_deltas(message, self._message_deltas)
            self._message_deltas = []
        for index in self._touched:
            block = self._builders[index].snapshot(ended=self._ended)
            if block is not self._blocks[index]:
                self._blocks[index] = block
                self._snapshot = None
        with_content = changer(type(message), "content")
        if self._snapshot is None:
            self._snapshot = with_content(message, tuple(self._blocks))
        at_hand = self.hot
        self._touched = set() if at_hand is None else {at_hand.index}
        if at_hand is not None and at_hand.growing is not None and at_hand.only_grows and not self._ended:
            self._grown_to, self._with_content = at_hand.growing.mark, with_content
            self._mark = self._grown_to()
        return self._snapshot

    @property
    def final_message(self) -> Message:
        """The complete message.

        Raises:
            IncompleteStreamError: `message_stop` has not come.
        """
        snapshot = self.snapshot
        if snapshot is None or not self.complete:
            raise IncompleteStreamError(f"the message is not complete: {self._phase_reached()}", snapshot=snapshot)
        return snapshot

    def builder(self, index: int) -> BlockBuilder | None:
        """The block in the making with this index, `None` if it was never started."""
        return self._builders.get(index)

    @property
    def block_count(self) -> int:
        """How many blocks have begun."""
        return len(self._blocks)

    def compact(self) -> None:
        """Hold the block at hand in less memory. For who adds text to `hot` himself, now and then."""
        if self.hot is not None and self.hot.growing is not None:
            self.hot.growing.compact()

    def deferred_message(self) -> Callable[[], Message]:
        """`final_message`, to be built when it is called for, and this one even if another message begins before.

        To be taken when the message is complete.
        """
        if not self._multiple_messages:
            return lambda: self.final_message
        # Another message puts its own in the place of all this; a second accumulator keeps it, and what it makes of it.
        kept = MessageAccumulator(limits=self._limits, log=self._log)
        kept._order = self._order
        kept._message = self._message
        kept._message_deltas = self._message_deltas
        kept._snapshot = self._snapshot
        kept._builders = self._builders
        kept._blocks = self._blocks.copy()
        kept._touched = self._touched.copy()
        return lambda: kept.final_message

    def _phase_reached(self) -> str:
        if self._order is _BEFORE:
            return "message_start has not come"
        index = self._open_block()
        inside = "" if index is None else f", inside block {index}"
        return f"message_stop has not come{inside}"

    def _open_block(self) -> int | None:
        """The last of the blocks that are open."""
        return max((index for index, builder in self._builders.items() if not builder.closed), default=None)

    def end(self) -> None:
        """No more events will come. What is still open stays as far as it has come.

        Raises:
            IncompleteStreamError: `message_stop` has not come.
        """
        if not self.complete:
            self._ended = True
            self._grown_to = None
            self._touched.update(self._builders)
            raise IncompleteStreamError(
                f"the stream ended before the message did: {self._phase_reached()}",
                index=self._open_block(),
                snapshot=self.snapshot,
            )

    def apply(self, event: MessageStreamEvent | dict[str, Any]) -> None:
        """Take the next event.

        Raises:
            InvalidArgumentError: It is neither an event nor a dict.
            DecodeError: A dict that is no valid event, or a tool's input that is complete and not JSON.
            EventOrderError: The event may not come here. In strict mode, also what would be a violation.
            LimitExceededError: Too many blocks, or a dict or a tool's input nests too deep.
        """
        try:
            if isinstance(event, dict):
                event = structure_event(event, max_depth=self._limits.max_depth)
            elif not isinstance(getattr(event, "type", None), str):
                raise InvalidArgumentError(f"an event is a dict or has a type, and {event!r} is neither")
            self.take(event)
        except ProtocolError as error:
            error.snapshot = self.snapshot
            raise

    def take(self, event: MessageStreamEvent) -> None:
        """The same for a typed event, by who puts the snapshot into errors himself."""
        self._grown_to = None
        self._order.get(event.type, MessageAccumulator._unknown_event)(self, event)

    # What each event does

    def _nothing(self, event: Any) -> None:
        pass

    def _unknown_event(self, event: Any) -> None:
        if self._order is _AFTER:
            self._late_event(event)

    def _start_message(self, event: MessageStartEvent) -> None:
        self._order = _INSIDE
        self._message = event.message
        self._blocks = list(event.message.content)

    def _restart_message(self, event: MessageStartEvent) -> None:
        assert self._message is not None
        if event.message.id != self._message.id:
            raise EventOrderError(
                f"message_start of {event.message.id!r} came inside the open message {self._message.id!r}"
            )
        if self._blocks:
            raise EventOrderError(f"message_start of {event.message.id!r} came again after its content had begun")
        self._log.report("repeated_message_start", f"message_start of {event.message.id!r} came again")

    def _start_another_message(self, event: MessageStartEvent) -> None:
        if not self._multiple_messages:
            raise EventOrderError(f"message_start of {event.message.id!r} came after message_stop")
        self._reset()
        self._start_message(event)

    def _start_block(self, event: ContentBlockStartEvent) -> None:
        index = event.index
        expected = len(self._blocks)
        if index != expected:
            if 0 <= index < expected:
                builder = self._builders.get(index)
                state = "open" if builder is not None and not builder.closed else "closed"
                raise EventOrderError(f"content_block_start came again for a block that is {state}", index=index)
            raise EventOrderError(f"content_block_start came for block {index} where {expected} is next", index=index)
        if index >= self._limits.max_blocks:
            raise LimitExceededError(f"the message has more than {self._limits.max_blocks} blocks", index=index)
        block = event.content_block
        builder = BlockBuilder(index, block, self._options)
        self._builders[index] = builder
        self._blocks.append(block)
        self._touched.add(index)
        self.hot = builder
        self._snapshot = None
        if isinstance(block, FallbackBlock):
            assert self._message is not None
            self._message = replaced(self._message, model=block.to.model)

    def _add_delta(self, event: ContentBlockDeltaEvent) -> None:
        builder = self._builders.get(event.index) or self._never_started(event)
        delta = event.delta
        rule = DELTA_RULES.get(delta.type)
        if rule is None:
            self._log.report(
                "unapplied_delta", f"the snapshot cannot apply the unknown delta {delta.type!r}", index=event.index
            )
            return
        if not builder.accepts(rule):
            if not isinstance(builder.start, UnknownBlock):
                raise EventOrderError(
                    f"{delta.type} cannot go to a block of type {builder.start.type!r}", index=event.index
                )
            self._log.report(
                "unapplied_delta",
                f"the snapshot cannot apply {delta.type} to a block of the unknown type {builder.start.type!r}",
                index=event.index,
            )
            return
        if builder.closed:
            self._log.report("after_block_stop", f"{delta.type} came after its block's stop", index=event.index)
            self._late.add(event.index)
            builder.parsed = {}
        builder.apply(delta, rule)
        self._touched.add(event.index)
        self.hot = None if builder.closed else builder
        self._deltas += 1
        if not self._deltas % COMPACT_AFTER:
            self.compact()

    def _stop_block(self, event: ContentBlockStopEvent) -> None:
        builder = self._builders.get(event.index) or self._never_started(event)
        if builder.closed:
            self._log.report("after_block_stop", "content_block_stop came again", index=event.index)
            return
        self._close(builder)

    def _change_message(self, event: MessageDeltaEvent) -> None:
        if event.extra or event.delta.extra:
            for name in sorted(MESSAGE_FIELDS & (event.extra.keys() | event.delta.extra.keys())):
                self._log.report("unapplied_delta", f"the snapshot cannot apply {name!r} of a message_delta")
        self._message_deltas.append(event)
        self._saw_message_delta = True
        self._stop_reason = event.delta.stop_reason or self._stop_reason
        self._snapshot = None

    def _stop_message(self, event: MessageStopEvent) -> None:
        for index in self._late:
            self._close(self._builders[index])
        for builder in self._builders.values():
            if not builder.closed:
                self._log.report("unclosed_block", "the block was still open at message_stop", index=builder.index)
                self._close(builder)
        if not self._saw_message_delta:
            self._log.report("missing_message_delta", "message_stop came without a message_delta")
        if self._stop_reason == "tool_use":
            for builder in self._builders.values():
                if builder.has_unfinished_input:
                    self._log.report(
                        "incomplete_input", "the tool is to be used, but its input is incomplete", index=builder.index
                    )
        if self._parser is not None:
            self._parser.check_end((builder.parsed for builder in self._builders.values()), self._stop_reason)
        self._order = _AFTER

    def _too_early(self, event: Any) -> None:
        raise EventOrderError(f"{event.type} came before message_start")

    def _late_event(self, event: Any) -> None:
        self._log.report("after_message_stop", f"{event.type} came after message_stop")

    # What they share

    def _never_started(self, event: ContentBlockDeltaEvent | ContentBlockStopEvent) -> NoReturn:
        raise EventOrderError(f"{event.type} came for a block that was never started", index=event.index)

    def _close(self, builder: BlockBuilder) -> None:
        builder.close()
        self._touched.add(builder.index)
        if self.hot is builder:
            self.hot = None
        if self._parser is not None:
            builder.set_parsed(self._parser.parse(builder.snapshot(ended=True), builder.index))


# The table of legal orders: how each event is handled before the message, inside it and after it. An event type that is
# not here is new; it may come at any time before `message_stop`.

_Order = dict[str, Callable[[MessageAccumulator, Any], None]]

_BEFORE: _Order = {
    "message_start": MessageAccumulator._start_message,
    "content_block_start": MessageAccumulator._too_early,
    "content_block_delta": MessageAccumulator._too_early,
    "content_block_stop": MessageAccumulator._too_early,
    "message_delta": MessageAccumulator._too_early,
    "message_stop": MessageAccumulator._too_early,
    "ping": MessageAccumulator._nothing,
    "error": MessageAccumulator._nothing,
}
_INSIDE: _Order = {
    "message_start": MessageAccumulator._restart_message,
    "content_block_start": MessageAccumulator._start_block,
    "content_block_delta": MessageAccumulator._add_delta,
    "content_block_stop": MessageAccumulator._stop_block,
    "message_delta": MessageAccumulator._change_message,
    "message_stop": MessageAccumulator._stop_message,
    "ping": MessageAccumulator._nothing,
    "error": MessageAccumulator._nothing,
}
_AFTER: _Order = {
    "message_start": MessageAccumulator._start_another_message,
    "content_block_start": MessageAccumulator._late_event,
    "content_block_delta": MessageAccumulator._late_event,
    "content_block_stop": MessageAccumulator._late_event,
    "message_delta": MessageAccumulator._late_event,
    "message_stop": MessageAccumulator._late_event,
    "ping": MessageAccumulator._nothing,
    "error": MessageAccumulator._late_event,
}
