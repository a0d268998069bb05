"""Deltas to content blocks: what each type of delta does to its block, in one table, and the block in the making.

In: the block as it started, and the deltas for it. Out: the block so far, immutable, built when it is asked for.

Costs: a delta is an append to a buffer. Building the block copies what has changed since it was last built; what is
closed in a tool's input is shared. Knows nothing of messages, nor of the order of events.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from streamcore._twin import changer, replaced
from streamcore._uncopied import Uncopied
from streamcore.errors import DecodeError, LimitExceededError
from streamcore.partial_json import PartialJSON, join_parts
from streamcore.types import (
    CompactionBlock,
    ContentBlock,
    ContentBlockDelta,
    MCPToolUseBlock,
    ServerToolUseBlock,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    Unknown,
    UnknownBlock,
    WireObject,
)

__all__ = ["DELTA_RULES", "BlockBuilder", "BlockOptions", "DeltaRule", "Marks"]


@attrs.frozen(eq=False, repr=False)
class BlockOptions:
    """What a block's parts need to know."""

    trailing_strings: bool
    max_depth: int


# Parts of a block in the making: one for each field that deltas change. What a part was when `mark()` was taken can be
# had later, as all but `_Latest` only ever add: `at(mark)` is its value then, and `upto(mark)` a part like it.


class _Text:
    """A string that deltas add to. Reading it copies it once; reading it again, unchanged, copies nothing."""

    __slots__ = ("_buffer", "_joined", "_json", "_value", "add", "mark")

    def __init__(self, start: str | None, _: BlockOptions) -> None:
        self._buffer = io.StringIO()
        self._joined = 0
        self._value = ""
        self._json: PartialJSON | None = None
        self.add = self._buffer.write
        self.mark = self._buffer.tell
        if start:
            self.add(start)

    def write_to(self, changes: dict[str, Any], field: str, *, ended: bool) -> None:
        changes[field] = self.at(self.mark())

    def at(self, mark: int) -> str:
        if len(self._value) < mark:
            self._value = self._buffer.getvalue()
        return self._value[:mark]  # no copy if that is all of it

    def compact(self) -> None:
        self._joined = join_parts(self._buffer, self._joined)

    def upto(self, mark: int, options: BlockOptions) -> _Text:
        return _Text(self.at(mark), options)

    def since(self, mark: int) -> str:
        self._buffer.seek(mark)
        return self._buffer.read()  # which leaves it at its end, where `add` goes on

    def parsed(self, mark: int) -> Any:
        """The JSON value of the text at a mark. What was parsed for an earlier one is not parsed again."""
        json = self._json
        if json is None or json.length > mark:
            json = PartialJSON()
            if self._json is None:
                self._json = json
        if json.length < mark:
            self._buffer.seek(json.length)
            json.feed(self._buffer.read(mark - json.length))
            self._buffer.seek(0, io.SEEK_END)
        return json.value


class _Latest:
    """A value that deltas replace."""

    __slots__ = ("_value",)

    def __init__(self, start: Any, _: BlockOptions) -> None:
        self._value = start

    def add(self, value: Any) -> None:
        self._value = value

    def write_to(self, changes: dict[str, Any], field: str, *, ended: bool) -> None:
        changes[field] = self._value

    def mark(self) -> Any:
        return self._value

    def at(self, mark: Any) -> Any:
        return mark

    def upto(self, mark: Any, options: BlockOptions) -> _Latest:
        return _Latest(mark, options)


class _Items:
    """A list that deltas add to, one item each."""

    __slots__ = ("_items",)

    def __init__(self, start: tuple[Any, ...] | None, _: BlockOptions) -> None:
        self._items = list(start or ())

    def add(self, item: Any) -> None:
        self._items.append(item)

    def write_to(self, changes: dict[str, Any], field: str, *, ended: bool) -> None:
        changes[field] = tuple(self._items)

    def mark(self) -> int:
        return len(self._items)

    def at(self, mark: int) -> tuple[Any, ...]:
        return tuple(self._items[:mark])

    def upto(self, mark: int, options: BlockOptions) -> _Items:
        return _Items(self.at(mark), options)


class _Input:
    """The JSON of a tool's input, parsed when it is read. Until a value has begun it is what the block started with."""

    __slots__ = ("_mark", "_options", "_start", "_value", "add", "json", "mark")

    def __init__(self, start: Any, options: BlockOptions) -> None:
        self._options = options
        self._start = {} if start is None else start
        self.json = PartialJSON(trailing_strings=options.trailing_strings, max_depth=options.max_depth)
        self.add: Callable[[str], object]
        self.mark: Callable[[], int]
        self._take_buffer()
        # The value when it was last read, and how long the text was then.
        self._value = self._start
        self._mark = 0

    def write_to(self, changes: dict[str, Any], field: str, *, ended: bool) -> None:
        changes[field] = self.at(self.mark())
        if ended and self.json.text and (self.json.error is not None or not self.json.complete):
            changes["partial_input"] = self.json.text

    def at(self, mark: int) -> Any:
        if mark != self._mark:
            if mark != self.mark():
                # A value that grows cannot be taken back: the text up to there is parsed anew.
                return self.upto(mark, self._options).at(mark)
            value = self.json.best
            # A fault is reported when the block stops, whether or not anyone looks; a look is not what finds it.
            complete = value is not None or (self.json.error is None and self.json.complete)
            self._value = value if complete else self._start
            self._mark = mark
        return self._value

    def upto(self, mark: int, options: BlockOptions) -> _Input:
        part = _Input(self._start, options)
        part.add(self.json.text[:mark])
        return part

    def since(self, mark: int) -> str:
        return self.json.since(mark)

    def compact(self) -> None:
        self.json.compact()

    def settle(self) -> None:
        self.json.settle()
        self._take_buffer()

    def _take_buffer(self) -> None:
        self.add = self.json.buffer.write
        self.mark = self.json.buffer.tell


_Part = _Text | _Latest | _Items | _Input
Marks = tuple[tuple[str, Any], ...]


# The deltas


@attrs.frozen(eq=False, repr=False)
class DeltaRule:
    """What one type of delta does: to which blocks it may come, and which of its fields goes where and how."""

    blocks: tuple[type[WireObject], ...]
    moves: tuple[tuple[str, str, type[_Part]], ...]


_TOOL_USE = (ToolUseBlock, ServerToolUseBlock, MCPToolUseBlock)

DELTA_RULES: dict[str, DeltaRule] = {
    "text_delta": DeltaRule((TextBlock,), (("text", "text", _Text),)),
    "input_json_delta": DeltaRule((*_TOOL_USE, UnknownBlock), (("partial_json", "input", _Input),)),
    "thinking_delta": DeltaRule((ThinkingBlock,), (("thinking", "thinking", _Text),)),
    "signature_delta": DeltaRule((ThinkingBlock,), (("signature", "signature", _Latest),)),
    "citations_delta": DeltaRule((TextBlock,), (("citation", "citations", _Items),)),
    "compaction_delta": DeltaRule(
        (CompactionBlock,), (("content", "content", _Text), ("encrypted_content", "encrypted_content", _Latest))
    ),
}

# For each type of block the delta that, in most streams, is all it gets: the one that adds text to it.
_HOT_DELTAS: dict[str, tuple[str, str, type[_Text | _Input]]] = {
    "text": ("text_delta", "text", _Text),
    "thinking": ("thinking_delta", "thinking", _Text),
    "tool_use": ("input_json_delta", "input", _Input),
    "server_tool_use": ("input_json_delta", "input", _Input),
    "mcp_tool_use": ("input_json_delta", "input", _Input),
}


_NOT_PARSED: Mapping[str, Any] = {}
_NO_VALUE: Any = object()


def _no_text(text: str) -> None:
    raise AssertionError("a block without a delta_type takes no text")


class BlockBuilder(Uncopied):
    """One content block in the making.

    Attributes:
        start: The block as `content_block_start` gave it.
        closed: Whether `content_block_stop` has come.
        delta_type: The type of delta that adds text to such a block, for a caller who applies it himself: giving
            `add` its text is the same as `apply`. `None` where there is no such delta.
        growing: The part of the block that such text goes to.
        parsed: Attributes that the complete block has besides what the wire says: values of the user's types.
    """

    __slots__ = (
        "_block",
        "_options",
        "_parsed_at_stop",
        "_value",
        "_with_value",
        "_written",
        "add",
        "closed",
        "delta_type",
        "growing",
        "index",
        "parsed",
        "parts",
        "start",
    )

    def __init__(self, index: int, start: ContentBlock, options: BlockOptions) -> None:
        self.index = index
        self.start = start
        self._options = options
        # The block in the last snapshot, and what deltas had made of it: while that is all, the value of `growing`.
        self._block = start
        self._written: dict[str, Any] = {}
        self._value: Any = _NO_VALUE
        self.closed = False
        self.parsed: Mapping[str, Any] = _NOT_PARSED
        self._parsed_at_stop: Mapping[str, Any] | None = None
        self.parts: dict[str, _Part] = {}
        self.delta_type: str | None = None
        self.add: Callable[[str], object] = _no_text
        self.growing: _Text | _Input | None = None
        hot = _HOT_DELTAS.get(start.type)
        if hot is not None:
            self.delta_type, field, part_type = hot
            self._value = value = getattr(start, field, None)
            self._with_value = changer(type(start), field)
            self.growing = part = part_type(value, options)
            self.parts[field] = part
            self.add = part.add

    def accepts(self, rule: DeltaRule) -> bool:
        """Whether a delta with this rule may come to this block."""
        return isinstance(self.start, rule.blocks)

    def apply(self, delta: ContentBlockDelta, rule: DeltaRule) -> None:
        for source, target, part_type in rule.moves:
            value = getattr(delta, source)
            if value is not None:
                self._part(target, part_type).add(value)

    def _part(self, field: str, part_type: type[_Part]) -> _Part:
        part = self.parts.get(field)
        if part is None:
            start = getattr(self.start, field, None)
            part = self.parts[field] = part_type(start, self._options)
        return part

    def close(self) -> None:
        """The block is complete. To be called again if deltas have come all the same, once there are no more of them.

        Raises:
            DecodeError: A tool's input is wrong, as opposed to unfinished.
            LimitExceededError: It is over a limit.
        """
        part = self.parts.get("input")
        if isinstance(part, _Input):
            self._check_input(part.json)
            part.settle()
            if part is self.growing:
                self.add = part.add  # of another buffer: to hold on to the old one would keep it
        self.closed = True

    def _check_input(self, json: PartialJSON) -> None:
        fault = json.error
        if fault is not None:
            over = isinstance(fault, LimitExceededError)
            name = getattr(self.start, "name", self.start.type)
            what = "goes over a limit" if over else "is not valid JSON"
            raise (LimitExceededError if over else DecodeError)(
                f"the input of {name!r} {what}: {fault.message} at character {fault.offset}",
                index=self.index,
                received=json.text,
            )

    @property
    def length(self) -> int:
        """Characters of the text that deltas add to, if there is a delta that adds text to such a block."""
        return 0 if self.growing is None else self.growing.mark()

    def since(self, offset: int) -> str:
        """That text after its first `offset` characters."""
        return "" if self.growing is None else self.growing.since(offset)

    def set_parsed(self, parsed: Mapping[str, Any]) -> None:
        """The complete block is found to have these attributes besides. Deltas that come later may change them."""
        self.parsed = parsed
        if self._parsed_at_stop is None:
            self._parsed_at_stop = parsed

    @property
    def has_unfinished_input(self) -> bool:
        part = self.parts.get("input")
        return isinstance(part, _Input) and part.json.length > 0 and not part.json.complete

    @property
    def only_grows(self) -> bool:
        """Whether nothing but `growing` makes the block other than it started: nearly always, while it is open."""
        return not self.closed and self.growing is not None and len(self.parts) == 1

    def grown(self, mark: int) -> ContentBlock:
        """`snapshot`, of a block that `only_grows`, with its part at this mark."""
        growing = self.growing
        assert growing is not None
        value = growing.at(mark)
        if value is not self._value:
            self._value = value
            self._block = self._with_value(self.start, value)
        return self._block

    def snapshot(self, *, ended: bool) -> ContentBlock:
        """The block so far; the same object as before if nothing was added."""
        if self.only_grows and not ended:
            return self.grown(self.length)
        if self._value is not _NO_VALUE:
            self._written = {_HOT_DELTAS[self.start.type][1]: self._value}
            self._value = _NO_VALUE
        changes: dict[str, Any] = dict(self.parsed)
        for field, part in self.parts.items():
            part.write_to(changes, field, ended=ended or self.closed)
        written = self._written
        if changes.keys() == written.keys() and all(changes[field] is written[field] for field in written):
            return self._block
        self._written = changes
        start = self.start
        if isinstance(start, Unknown):
            # What is ours has no wire form: a field of that name would be the stream's own.
            data = {**start.data, **{field: value for field, value in changes.items() if field != "partial_input"}}
            self._block = UnknownBlock(data=data)
        else:
            self._block = replaced(start, **changes)
        return self._block

    def marks(self) -> Marks:
        """Where the block is now, for `at`."""
        return tuple([(field, part.mark()) for field, part in self.parts.items()])

    def at(self, marks: Marks) -> ContentBlock:
        """The block, stopped, as it was when `marks()` was taken; what `snapshot` gives, if nothing came since."""
        if marks == self.marks():
            return self.snapshot(ended=True)
        past = BlockBuilder(self.index, self.start, self._options)
        past.parts = {field: self.parts[field].upto(mark, self._options) for field, mark in marks}
        past.parsed = self._parsed_at_stop or _NOT_PARSED
        return past.snapshot(ended=True)
