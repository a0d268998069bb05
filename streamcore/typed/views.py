"""Views of a message that is still growing: the values at a path, and the value so far as the user's class.

A view reads the unfinished blocks of an accumulator. It remembers for each open block how far it has read, and reads
nothing twice. Each time it looks only at the blocks that events have touched since the last time. It does no I/O and
asks for no event. A new view begins at the beginning of the message, however far the message has come. A program that
asks for the same view again gets the same object, which goes on after what it has yielded.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from typing import Any, Generic

import attrs
from typing_extensions import TypeVar

from streamcore.accumulator import BlockInProgress, MessageAccumulator
from streamcore.accumulator.surrogates import is_first_half
from streamcore.partial_json import PartialJSON, ValueAt
from streamcore.typed.annotations import as_written
from streamcore.typed.answers import AnswerTypes, Target
from streamcore.typed.faults import InvalidOutputError
from streamcore.typed.fields import MISSING
from streamcore.typed.partial import CLOSED, Edge, MadeValues, partial_value
from streamcore.typed.paths import Path, PathError, PathReader, parse_path
from streamcore.typed.schema import check_type
from streamcore.typed.shapes import Record, shape_of
from streamcore.typed.structuring import structure
from streamcore.typed.tools import annotation_of
from streamcore.types import TextBlock

__all__ = ["Values", "Views"]

_T = TypeVar("_T", default=Any)


class _Blocks:
    """The blocks that events have touched. When another message begins, it starts again with the blocks of that one.

    Args:
        accumulator: The accumulator.
        only: The index of the only block to look at, or None. A program may have a view for each block.
    """

    __slots__ = ("_accumulator", "_begun", "_message", "_only", "_position")

    def __init__(self, accumulator: MessageAccumulator, only: int | None) -> None:
        self._accumulator = accumulator
        self._only = only
        self._message = accumulator.message
        self._position = 0  # where to read on in `touched`
        self._begun = 0  # blocks with a lower index are not new

    def take_touched(self) -> list[tuple[BlockInProgress, bool]]:
        """Return the blocks that may have changed since the last call, in their order, and whether each is new."""
        touched = self._read()
        if self._message is not self._accumulator.message:
            self._message, self._position, self._begun = self._accumulator.message, 0, 0
            touched += self._read()
        return touched

    def _read(self) -> list[tuple[BlockInProgress, bool]]:
        message = self._message
        if message is None or not message.touched:
            return []
        if self._only is None:
            indexes = sorted(set(message.touched[self._position :]))
            self._position = len(message.touched) - 1  # the last block may change without another entry
        elif self._only in message.blocks:
            indexes = [self._only]
        else:
            return []
        begun, self._begun = self._begun, max(self._begun, indexes[-1] + 1)
        return [(message.blocks[index], index >= begun) for index in indexes]


def _text_since(block: BlockInProgress, position: int) -> str:
    """Return the JSON text of a block after its first `position` characters, as far as it has come."""
    if block.length > position:
        text = block.since(position)
        if is_first_half(text[-1]) and not block.is_closed:
            return text[:-1]  # a server may split a surrogate pair between two deltas: then the pair takes its place
        return text
    # An unknown field of a text block may have this name too.
    given = None if isinstance(block.start, TextBlock) else getattr(block.start, "input", None)
    if given and block.is_closed and not block.length and not position:
        return json.dumps(given)  # the input came with the start of the block, already parsed
    return ""


def _keeps_halves(block: BlockInProgress) -> bool:
    """Return whether half of a surrogate pair may stay alone: it is kept in a tool's input, and wrong in an answer."""
    return not isinstance(block.start, TextBlock)


# The values at a path


@attrs.frozen(eq=False)
class _OpenBlock:
    """A block that a `Values` is reading."""

    block: BlockInProgress
    reader: PathReader
    annotation: Any

    def read(self) -> list[ValueAt]:
        text = _text_since(self.block, self.reader.length)
        found = self.reader.feed(text) if text else []
        if self.block.is_closed:
            found += self.reader.close()
        return found


class Values(Generic[_T]):
    """The values at a path, up to the latest event.

    Iterating gives the values that have not been given yet, then stops. Iterate again after more events.

    A value that is not of the type raises `InvalidOutputError`; go on iterating to get the values after it. If an
    object has a key twice, both values are given, although the finished object keeps only the second.
    """

    def __init__(self, accumulator: MessageAccumulator, path: Path, target: Target) -> None:
        self._accumulator = accumulator
        self._path = path
        self._target = target
        self._blocks = _Blocks(accumulator, target.block)
        self._open: dict[BlockInProgress, _OpenBlock] = {}
        self._found: deque[tuple[_OpenBlock, ValueAt]] = deque()

    def __iter__(self) -> Iterator[_T]:
        return self

    def __next__(self) -> _T:
        if not self._found:
            self._read()
        if not self._found:
            raise StopIteration
        open_block, found = self._found.popleft()
        if self._path.grows:
            return found.value  # type: ignore[no-any-return]  # a path that grows gives strings
        try:
            made: _T = structure(
                found.value, open_block.annotation, what=f"the value at {self._path}", steps=found.path
            )
        except InvalidOutputError as error:
            error.index = open_block.block.index
            error.snapshot = self._accumulator.snapshot
            raise
        return made

    def _read(self) -> None:
        for block, is_new in self._blocks.take_touched():
            if is_new:
                meant, annotation = self._target.type_in(block.start, block.index)
                if meant:
                    reader = PathReader(self._path, keeps_halves=_keeps_halves(block))
                    self._open[block] = _OpenBlock(block, reader, annotation)
            open_block = self._open.get(block)
            if open_block is not None:
                self._found.extend((open_block, found) for found in open_block.read())
                if open_block.reader.done:
                    del self._open[block]


# The value so far


class _PartialReader:
    """The value so far of the latest block that `target` selects."""

    __slots__ = ("_block", "_blocks", "_json", "_made", "_target")

    def __init__(self, accumulator: MessageAccumulator, target: Target) -> None:
        self._target = target
        self._blocks = _Blocks(accumulator, target.block)
        self._block: BlockInProgress | None = None
        self._json = PartialJSON()
        self._made: MadeValues = {}

    def view(self) -> Any:
        """Return the value as far as it has come: a `Partial` of a class, a list of the items so far, and so on.

        If nothing has come, return a `Partial` whose attributes are all missing, or `MISSING` if the type is not a
        class.
        """
        for block, is_new in self._blocks.take_touched():
            if is_new and self._target.type_in(block.start, block.index)[0]:
                self._block, self._json, self._made = block, PartialJSON(), {}
                self._json.joins_halves = _keeps_halves(block)
        json = self._json
        if self._block is not None and (text := _text_since(self._block, json.length)):
            json.feed(text)
        value = json.best
        edge = Edge(json.open_path)
        if self._block is not None and self._block.is_closed and type(value) in (int, float):
            edge = CLOSED  # the whole document is a number, and the end of the block ends it
        annotation = self._target.annotation
        if value is None and not (json.error is None and json.complete):
            value = {} if isinstance(shape_of(annotation), Record) else MISSING
        return value if value is MISSING else partial_value(value, annotation, edge, self._made)


# All views of one message


class Views:
    """Make the views of a message, and remember them.

    Args:
        accumulator: The accumulator of the message.
        types: The types of the answer, if there are any.
    """

    __slots__ = ("_accumulator", "_made", "_types")

    def __init__(self, accumulator: MessageAccumulator, types: AnswerTypes | None) -> None:
        self._accumulator = accumulator
        self._types = AnswerTypes() if types is None else types
        self._made: dict[Any, Any] = {}

    def values(self, path: str, annotation: Any, *, block: int | None, tool: str | None) -> Values[Any]:
        """Return the view of the values at a path.

        Raises:
            PathError: The path is malformed, or the types do not have it; or both `block` and `tool` were given.
            UnsupportedTypeError: JSON cannot be structured as the type.
        """
        _check_choice(block, tool)
        key = ("values", path, as_written(annotation), block, tool)
        view: Values[Any] | None = self._made.get(key)
        if view is None:
            parsed = parse_path(path)
            if annotation is not None:
                check_type(annotation)
            target = self._types.target(parsed, annotation, block=block, tool=tool)
            view = self._made[key] = Values(self._accumulator, parsed, target)
        return view

    def partial(self, source: Any, *, block: int | None, tool: str | None) -> Any:
        """Return what has come so far of a value of a type.

        Raises:
            UnsupportedTypeError: JSON cannot be structured as the type.
        """
        _check_choice(block, tool)
        annotation = annotation_of(source)
        key = ("partial", as_written(annotation), block, tool)
        reader: _PartialReader | None = self._made.get(key)
        if reader is None:
            check_type(annotation)
            target = self._types.target_of(annotation, block=block, tool=tool)
            reader = self._made[key] = _PartialReader(self._accumulator, target)
        return reader.view()


def _check_choice(block: int | None, tool: str | None) -> None:
    if block is not None and tool is not None:
        raise PathError("give a block or a tool, not both: a block has at most one tool")
