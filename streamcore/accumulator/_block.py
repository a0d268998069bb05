"""A content block in progress: the block as it started, and the fields that deltas have changed since.

A delta appends to a buffer. The block itself, an immutable value, is built when it is read (`_block_value`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

from streamcore._checkpoint import require
from streamcore._objects.not_copyable import NotCopyable
from streamcore._objects.state import Count, SavedState
from streamcore.accumulator._block_value import BlockValue, changed
from streamcore.accumulator._deltas import TEXT_RULES, DeltaRule, field_classes
from streamcore.accumulator._fields import Field, FieldOptions, FieldState, GrowingInput, GrowingText
from streamcore.accumulator._transitions import BlockPhase
from streamcore.codec import structure
from streamcore.errors import CheckpointError, DecodeError, LimitExceededError, ProtocolError, excerpt
from streamcore.partial_json import PartialJSON
from streamcore.types import ContentBlock, ContentBlockDelta
from streamcore.types.base import plain

__all__ = ["BlockInProgress", "BlockState", "Marks"]

Marks: TypeAlias = tuple[tuple[str, Any], ...]
"""The mark of each changed field of a block: how far it has come."""

_NOTHING: Mapping[str, Any] = {}
_TEXT_FIELDS = (GrowingText, GrowingInput)
# A global is read far faster than an enum member on Python 3.11.
_UNSTARTED, _CLOSED = BlockPhase.UNSTARTED, BlockPhase.CLOSED


class BlockState(SavedState):
    """The state of a content block.

    Attributes:
        start: The block as `content_block_start` gave it.
        is_closed: Whether `content_block_stop` has arrived.
        fields: The fields that deltas may have changed.
        may_have_halves: Whether the text may contain halves of surrogate pairs.
        parsed: When values of the user's own classes, or the fault of an input, were set: never; at the stop; at the
            stop, and dropped since because more deltas came; or again when the message was complete. They are made
            again, as JSON cannot carry them.
        stopped_at: The lengths of the fields at the stop, if values were set then.
    """

    start: dict[str, Any]
    is_closed: bool = False
    fields: tuple[FieldState, ...] = ()
    may_have_halves: bool = False
    parsed: Literal["never", "at_stop", "dropped", "again"] = "never"
    stopped_at: dict[str, Count] = {}  # noqa: RUF012  # msgspec copies it


def _refuse_text(text: str) -> None:
    raise AssertionError("a block without a text_delta cannot take text")


class BlockInProgress(NotCopyable):
    """One content block in progress.

    Args:
        index: Its index.
        start: The block as `content_block_start` gave it.
        options: How the input of a tool is read.

    Attributes:
        phase: Where the block is in its life. The accumulator sets it, by its table.
        fields: The fields that deltas have changed, by name.
        value: Builds the block; None until the block is first read.
        text_delta: The type of the deltas that add text to this block, or None.
        text: The field that they add it to.
        add_text: Adds text to that field. A caller who has recognised a delta of type `text_delta` for this block,
            while it is the accumulator's `current_block`, may call this in place of `MessageAccumulator.apply`.
        parsed: Values of the user's own classes, which the complete block has beside its wire fields.
        fault: The fault in the tool's input, if invalid input is kept.
        may_have_halves: Whether the text may contain halves of surrogate pairs. (`add_text` never adds any.)
    """

    __slots__ = (
        "_marks_at_stop",
        "_options",
        "_parsed_at_stop",
        "add_text",
        "fault",
        "fields",
        "index",
        "may_have_halves",
        "parsed",
        "phase",
        "start",
        "text",
        "text_delta",
        "value",
    )

    def __init__(self, index: int, start: ContentBlock, options: FieldOptions) -> None:
        self.index: int = index
        self.start: ContentBlock = start
        self.phase: BlockPhase = _UNSTARTED
        self._options = options
        self.parsed: Mapping[str, Any] = _NOTHING
        self._parsed_at_stop: Mapping[str, Any] | None = None
        self._marks_at_stop: Marks = ()
        self.fault: ProtocolError | None = None
        self.fields: dict[str, Field] = {}
        self.may_have_halves: bool = False
        self.text_delta: str | None = None
        self.text: GrowingText | GrowingInput | None = None
        self.add_text: Callable[[str], object] = _refuse_text
        text_rule = TEXT_RULES.get(start.type)
        self.value: BlockValue | None = None
        if text_rule is not None:
            value = getattr(start, text_rule.target, None)
            self.text = self.fields[text_rule.target] = field = text_rule.field_class(value, options)
            self.text_delta = text_rule.delta_type
            self.add_text = field.add
            self.may_have_halves = bool(value)

    @property
    def is_closed(self) -> bool:
        """Whether `content_block_stop` has arrived."""
        return self.phase is _CLOSED

    def accepts(self, rule: DeltaRule) -> bool:
        """Return whether a delta with this rule may come to this block."""
        return isinstance(self.start, rule.blocks)

    def apply(self, delta: ContentBlockDelta, rule: DeltaRule) -> None:
        """Change the fields that a delta is about."""
        self.may_have_halves = True
        for move in rule.moves:
            value = getattr(delta, move.source)
            if value is not None:
                self._field(move.target, move.field_class).extend(value)

    def _field(self, name: str, field_class: type[Field]) -> Field:
        field = self.fields.get(name)
        if field is None:
            field = self.fields[name] = field_class(getattr(self.start, name, None), self._options)
        return field

    def finish(self) -> ProtocolError | None:
        """Check the input of a tool, and store it in less memory: no more deltas are expected.

        Deltas may still come late. The accumulator then calls this again when the message is complete.

        Returns:
            A DecodeError if the input of a tool is wrong JSON, as opposed to unfinished. A LimitExceededError if it is
            over a limit. Otherwise None.
        """
        field = self.fields.get("input")
        if not isinstance(field, GrowingInput):
            return None
        fault = self._input_fault(field.json)
        field.settle()
        if field is self.text:
            self.add_text = field.add  # `settle` has replaced the buffer
        return fault

    def keep_fault(self, fault: ProtocolError) -> bool:
        """Keep the fault in the tool's input. Return whether it is the first one of this block."""
        is_first = self.fault is None
        self.fault = fault
        return is_first

    def take_lone_surrogates(self) -> bool:
        """Return whether a text of the block has half of a surrogate pair. A second call returns False."""
        found = 0
        for field in self.fields.values():
            if isinstance(field, _TEXT_FIELDS):
                found += field.take_lone_surrogate()
        return found > 0

    def _input_fault(self, json: PartialJSON) -> ProtocolError | None:
        fault = json.error
        if fault is None:
            return None
        name = getattr(self.start, "name", self.start.type)
        is_over_limit = isinstance(fault, LimitExceededError)
        what = "is over a limit" if is_over_limit else "is not valid JSON"
        return (LimitExceededError if is_over_limit else DecodeError)(
            f"the input of {excerpt(name)} {what}: {fault.message} at character {fault.offset}",
            index=self.index,
            received=json.text,
        )

    @property
    def has_unfinished_input(self) -> bool:
        """Whether the input of a tool has begun and is not whole."""
        field = self.fields.get("input")
        if self.fault is not None or not isinstance(field, GrowingInput):
            return False
        return field.json.length > 0 and not field.json.complete

    @property
    def length(self) -> int:
        """Characters of the text so far, 0 if the block has no text."""
        return 0 if self.text is None else self.text.mark()

    def since(self, offset: int) -> str:
        """Return the text after its first `offset` characters."""
        return "" if self.text is None else self.text.since(offset)

    def set_parsed(self, parsed: Mapping[str, Any]) -> None:
        """Set the values of the user's own classes. Deltas that come late may change them."""
        self.parsed = parsed
        if self._parsed_at_stop is None:
            self._parsed_at_stop = parsed
            self._marks_at_stop = self.marks()

    def drop_parsed(self) -> None:
        """Drop these values: a delta has come late."""
        self.parsed = _NOTHING

    # Checkpoints

    def get_state(self) -> BlockState:
        """Return the state for a checkpoint."""
        parsed: Literal["never", "at_stop", "dropped", "again"] = "never"
        if self._parsed_at_stop is not None:
            parsed = (
                "at_stop" if self.parsed is self._parsed_at_stop else "dropped" if self.parsed is _NOTHING else "again"
            )
        return BlockState(
            start=self.start.to_dict(),
            is_closed=self.is_closed,
            fields=tuple([field.get_state(name) for name, field in self.fields.items()]),
            may_have_halves=self.may_have_halves,
            parsed=parsed,
            stopped_at={name: mark for name, mark in self._marks_at_stop if type(mark) is int},
        )

    @classmethod
    def of_state(
        cls, index: int, state: BlockState, options: FieldOptions, end: Callable[[BlockInProgress], None]
    ) -> BlockInProgress:
        """Return a block with the state of a checkpoint.

        Args:
            index: Its index.
            state: The state.
            options: How the input of a tool is read.
            end: Ends a block without recording violations.

        Raises:
            CheckpointError: The state contradicts itself.
            ProtocolError: The block is not of the user's class.
            ValueError: The block is not valid.
        """
        start: ContentBlock = structure(plain(state.start), ContentBlock)
        block = cls(index, start, options)
        # The block goes through what the original did: it was ended with the fields that it had at its stop, then late
        # deltas changed them and dropped the values of the user's classes, and the end of the message made these anew.
        if state.parsed != "never":
            block._set_fields(state, state.stopped_at)
            end(block)
        block._set_fields(state, None)
        if state.parsed != "at_stop":
            block.drop_parsed()
        if state.parsed == "again":
            end(block)
        for field_state in state.fields:
            field = block.fields[field_state.name]
            if isinstance(field, _TEXT_FIELDS):
                field.had_halves = field_state.had_halves
        block.may_have_halves = state.may_have_halves
        block.phase = _CLOSED if state.is_closed else BlockPhase.OPEN
        return block

    def _set_fields(self, state: BlockState, marks: Mapping[str, int] | None) -> None:
        """Take over the fields: those with a mark up to their marks or, without `marks`, all of them."""
        classes = field_classes(self.start)
        require(all(field.name in classes for field in state.fields), "a field cannot grow")
        values = {field.name: field.value for field in state.fields}
        others = {name: value for name, value in values.items() if not issubclass(classes[name], _TEXT_FIELDS)}
        # Values that are not texts have types of their own, those of the fields of a block.
        typed = structure(plain({**state.start, **others}), ContentBlock) if others else self.start
        self.fields = {}
        for field_state in state.fields:
            name = field_state.name
            require(name not in self.fields, "a field is there twice")
            if marks is not None and name not in marks:
                continue
            value: Any = getattr(typed, name) if name in others else values[name]
            require(name in others or type(value) is str, "a text is not a string")
            if marks is not None and isinstance(value, (str, list)):
                value = value[: marks[name]]
            field_class: Any = classes[name]
            if field_class is GrowingInput:
                growing = GrowingInput(getattr(self.start, name, None), self._options)
                growing.set_text(value, joins_halves=field_state.joins_halves)
                self.fields[name] = growing
            else:
                self.fields[name] = field_class(value, self._options)
        text_rule = TEXT_RULES.get(self.start.type)
        if text_rule is not None:
            self.text = self._text_field(text_rule.target)
            self.add_text = self.text.add

    def _text_field(self, name: str) -> GrowingText | GrowingInput:
        field = self.fields.get(name)
        if isinstance(field, _TEXT_FIELDS):
            return field
        raise CheckpointError("the checkpoint is not valid: the text of a block is missing")

    # The block as a value

    @property
    def has_only_grown(self) -> bool:
        """Whether only the text has changed since the start: the usual case while it is open."""
        return self.phase is not _CLOSED and self.text is not None and len(self.fields) == 1

    def snapshot(self, *, ended: bool) -> ContentBlock:
        """Return the block so far: the same object as before if nothing was added.

        Args:
            ended: Whether the stream has ended, so that an unfinished input stays unfinished.
        """
        value = self.value
        if value is None:
            text_rule = TEXT_RULES.get(self.start.type)
            value = self.value = BlockValue(self.start, None if text_rule is None else text_rule.target)
        if self.text is not None and self.has_only_grown and not ended:
            return value.with_text(self.text.at(self.length))
        changes: dict[str, Any] = dict(self.parsed)
        for name, field in self.fields.items():
            field.write_to(changes, name, ended=ended or self.is_closed)
        return value.with_changes(changes)

    def marks(self) -> Marks:
        """Return the mark of each changed field, for `at`."""
        return tuple([(name, field.mark()) for name, field in self.fields.items()])

    def at(self, marks: Marks) -> ContentBlock:
        """Return the block as it would be if it had been stopped at these marks."""
        if marks == self.marks():
            return self.snapshot(ended=True)
        changes: dict[str, Any] = dict(self._parsed_at_stop or _NOTHING)
        for name, mark in marks:
            self.fields[name].upto(mark, self._options).write_to(changes, name, ended=True)
        return changed(self.start, changes)
