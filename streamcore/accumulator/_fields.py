"""The fields of a content block that deltas change, one class for each way to change one.

- `GrowingText`: a string that deltas add to.
- `GrowingInput`: the input of a tool, whose JSON text deltas add to.
- `GrowingList`: a list that deltas add items to.
- `ReplacedValue`: a value that deltas replace.

Each has the same methods. `extend` takes the value that a delta has. For the two texts, `extend` accepts any text;
`add` is faster and must not be given halves of surrogate pairs. `mark` says how far the field has come, and `at(mark)`
is its value then: derived events take a mark when they are made, and build their snapshot from it when it is first
read. A field keeps its past values, so any mark can be read at any time; `upto(mark)` is a field that ends there.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, TypeAlias

import attrs

from streamcore._objects.immutable import ImmutableDict, ImmutableList, immutable
from streamcore._objects.state import SavedState
from streamcore.accumulator.surrogates import has_halves, is_first_half, write_joined
from streamcore.partial_json import PartialJSON, join_parts
from streamcore.types.base import lone_surrogate, plain

__all__ = ["Field", "FieldOptions", "FieldState", "GrowingInput", "GrowingList", "GrowingText", "ReplacedValue"]


@attrs.frozen(eq=False, repr=False)
class FieldOptions:
    """How the input of a tool is read: see `MessageAccumulator`."""

    trailing_strings: bool
    max_depth: int


class FieldState(SavedState):
    """The state of a field.

    Attributes:
        name: The name of the field.
        value: Its value as JSON; of the input of a tool, its JSON text.
        had_halves: Whether halves of surrogate pairs have arrived since this was last asked.
        joins_halves: Whether they have ever arrived, in the input of a tool.
    """

    name: str
    value: Any
    had_halves: bool = False
    joins_halves: bool = False


class GrowingText:
    """A string that deltas add to. Reading it copies it once; reading it again, unchanged, copies nothing."""

    __slots__ = ("_buffer", "_joined", "_json", "_value", "add", "had_halves", "mark")

    def __init__(self, start: str | None, _: FieldOptions) -> None:
        self._buffer = io.StringIO()
        # The length of the text when it was last compacted, for `join_parts`.
        self._joined = 0
        self._value = ""
        self._json: PartialJSON | None = None
        # Whether halves of surrogate pairs have arrived. They may have been joined since.
        self.had_halves: bool = False
        self.add: Callable[[str], int] = self._buffer.write
        self.mark: Callable[[], int] = self._buffer.tell
        if start:
            self.extend(start)

    def extend(self, text: str) -> None:
        """Append text that may begin or end with half of a surrogate pair."""
        if not has_halves(text):
            self.add(text)
            return
        self.had_halves = True
        if write_joined(self._buffer, text):
            self._value = ""  # its last character has changed

    def take_lone_surrogate(self) -> bool:
        """Return whether the text has half of a surrogate pair. A second call returns False."""
        had_halves, self.had_halves = self.had_halves, False
        return had_halves and lone_surrogate.search(self.at(self.mark())) is not None

    def write_to(self, changes: dict[str, Any], name: str, *, ended: bool) -> None:
        """Write the value to `changes`, under `name`."""
        changes[name] = self.at(self.mark())

    def at(self, mark: int) -> str:
        """Return the value when it had this length."""
        if len(self._value) < mark:
            self._value = self._buffer.getvalue()
        return self._value[:mark]  # not a copy if that is all of it

    def upto(self, mark: int, options: FieldOptions) -> GrowingText:
        """Return a new field that ends at this mark."""
        return GrowingText(self.at(mark), options)

    def since(self, mark: int) -> str:
        """Return the text after this length."""
        self._buffer.seek(mark)
        return self._buffer.read()  # this leaves the position at the end, where `add` goes on

    def get_state(self, name: str) -> FieldState:
        """Return the state for a checkpoint."""
        return FieldState(name=name, value=self._buffer.getvalue(), had_halves=self.had_halves)

    def compact(self) -> None:
        """Store the text in less memory. A caller that adds many pieces does this now and then."""
        self._joined = join_parts(self._buffer, self._joined)

    def parsed(self, mark: int) -> Any:
        """Return the value of the text as JSON, when it had this length.

        What was parsed for an earlier mark is not parsed again.
        """
        if self.had_halves and mark and is_first_half(self.at(mark)[mark - 1]):
            mark -= 1  # the other half may come
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


class GrowingInput:
    """The input of a tool, parsed when it is read. Until its JSON begins, it is what the block started with."""

    __slots__ = ("_mark", "_options", "_start", "_value", "add", "had_halves", "json", "mark")

    def __init__(self, start: Any, options: FieldOptions) -> None:
        self._options = options
        self._start = ImmutableDict() if start is None else immutable(start)
        self.json: PartialJSON = PartialJSON(trailing_strings=options.trailing_strings, max_depth=options.max_depth)
        self.add: Callable[[str], object]
        self.mark: Callable[[], int]
        self._use_buffer()
        # The value when it was last read, and the length of the text then.
        self._value = self._start
        self._mark = 0
        self.had_halves: bool = False

    def extend(self, text: str) -> None:
        """Append text that may begin or end with half of a surrogate pair."""
        if not has_halves(text):
            self.add(text)
            return
        self.had_halves = self.json.joins_halves = True
        if write_joined(self.json.buffer, text):
            self._mark = -1  # the text has changed, perhaps without growing

    def take_lone_surrogate(self) -> bool:
        """Return whether the text has half of a surrogate pair. A second call returns False."""
        had_halves, self.had_halves = self.had_halves, False
        return had_halves and lone_surrogate.search(self.json.text) is not None

    def write_to(self, changes: dict[str, Any], name: str, *, ended: bool) -> None:
        """Write the value to `changes`, and also the text if it has ended and is not whole, valid JSON."""
        changes[name] = self.at(self.mark())
        if ended and self.json.text and (self.json.error is not None or not self.json.complete):
            changes["partial_input"] = self.json.text

    def at(self, mark: int) -> Any:
        """Return the value when the text had this length."""
        if mark != self._mark:
            if mark != self.mark():
                # A parsed value cannot shrink, so the text up to the mark is parsed again.
                return self.upto(mark, self._options).at(mark)
            value = self.json.best
            # Reading must not raise: a fault in the JSON is reported when the block stops.
            has_begun = value is not None or (self.json.error is None and self.json.complete)
            self._value = value if has_begun else self._start
            self._mark = mark
        return self._value

    def upto(self, mark: int, options: FieldOptions) -> GrowingInput:
        """Return a new field that ends at this mark."""
        field = GrowingInput(self._start, options)
        field.extend(self.json.text[:mark])
        return field

    def since(self, mark: int) -> str:
        """Return the text after this length."""
        return self.json.since(mark)

    def get_state(self, name: str) -> FieldState:
        """Return the state for a checkpoint."""
        joins_halves = self.json.joins_halves
        return FieldState(name=name, value=self.json.text, had_halves=self.had_halves, joins_halves=joins_halves)

    def set_text(self, text: str, *, joins_halves: bool) -> None:
        """Set the text of a new field, in which halves of surrogate pairs have been joined already."""
        self.json.joins_halves = joins_halves
        self.add(text)

    def compact(self) -> None:
        """Store the text in less memory. A caller that adds many pieces does this now and then."""
        self.json.compact()

    def settle(self) -> None:
        """Store the text in as little memory as possible: few deltas will follow, or none."""
        self.json.settle()
        self._use_buffer()

    def _use_buffer(self) -> None:
        self.add = self.json.buffer.write
        self.mark = self.json.buffer.tell


class GrowingList:
    """A list that deltas add to, one item each."""

    __slots__ = ("_items",)

    def __init__(self, start: list[Any] | None, _: FieldOptions) -> None:
        self._items = list(start or ())

    def extend(self, item: Any) -> None:
        """Append an item."""
        self._items.append(item)

    def write_to(self, changes: dict[str, Any], name: str, *, ended: bool) -> None:
        """Write the value to `changes`, under `name`."""
        changes[name] = ImmutableList(self._items)

    def get_state(self, name: str) -> FieldState:
        """Return the state for a checkpoint."""
        return FieldState(name=name, value=plain(self._items))

    def mark(self) -> int:
        """Return how many items there are."""
        return len(self._items)

    def at(self, mark: int) -> list[Any]:
        """Return the value when it had this many items."""
        return ImmutableList(self._items[:mark])

    def upto(self, mark: int, options: FieldOptions) -> GrowingList:
        """Return a new field that ends at this mark."""
        return GrowingList(self.at(mark), options)


class ReplacedValue:
    """A value that deltas replace. It is its own mark."""

    __slots__ = ("_value",)

    def __init__(self, start: Any, _: FieldOptions) -> None:
        self._value = start

    def extend(self, value: Any) -> None:
        """Replace the value."""
        self._value = value

    def write_to(self, changes: dict[str, Any], name: str, *, ended: bool) -> None:
        """Write the value to `changes`, under `name`."""
        changes[name] = self._value

    def get_state(self, name: str) -> FieldState:
        """Return the state for a checkpoint."""
        return FieldState(name=name, value=plain(self._value))

    def mark(self) -> Any:
        """Return the value."""
        return self._value

    def at(self, mark: Any) -> Any:
        """Return the value that was this mark."""
        return mark

    def upto(self, mark: Any, options: FieldOptions) -> ReplacedValue:
        """Return a new field that ends at this mark."""
        return ReplacedValue(mark, options)


Field: TypeAlias = GrowingText | GrowingInput | GrowingList | ReplacedValue
