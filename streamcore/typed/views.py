"""Views of a message that is still growing: the values at a path, and the value so far as the user's class.

A view reads from a source of unfinished blocks, an engine or an accumulator. It remembers for each open block how far
it has read, and reads nothing twice. It does no I/O and asks for no event. A view that is asked for again goes on where
it was left; every view sees the message from its beginning, whenever it was made.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from typing import Any, Generic, Protocol

import attrs
from typing_extensions import TypeVar

from streamcore.accumulator import BlockInProgress
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
from streamcore.types import Message

__all__ = ["Source", "Values", "Views"]

_T = TypeVar("_T", default=Any)


class Source(Protocol):
    """An object with unfinished blocks: an engine or an accumulator."""

    @property
    def snapshot(self) -> Message | None: ...
    @property
    def block_count(self) -> int: ...
    def block_in_progress(self, index: int) -> BlockInProgress | None: ...


class _Blocks:
    """The blocks of a source, each given once, also when another message begins."""

    __slots__ = ("_first", "_next", "_source")

    def __init__(self, source: Source) -> None:
        self._source = source
        self._first: BlockInProgress | None = None
        self._next = 0

    def take_new(self) -> list[BlockInProgress]:
        """Return the blocks that have begun since the last call."""
        source = self._source
        first = source.block_in_progress(0)
        if first is not self._first:  # another message
            self._first, self._next = first, 0
        count = source.block_count
        if count <= self._next:
            return []
        found = [source.block_in_progress(index) for index in range(self._next, count)]
        self._next = count
        return [block for block in found if block is not None]


def _text_since(block: BlockInProgress, position: int) -> str:
    """Return the JSON text of a block after its first `position` characters, as far as it has come."""
    if block.length > position:
        return block.since(position)
    given = getattr(block.start, "input", None)
    if given and block.is_closed and not block.length and not position:
        return json.dumps(given)  # the input came with the start of the block, already parsed
    return ""


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

    def __init__(self, source: Source, path: Path, target: Target) -> None:
        self._source = source
        self._path = path
        self._target = target
        self._blocks = _Blocks(source)
        self._open: list[_OpenBlock] = []
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
            error.snapshot = self._source.snapshot
            raise
        return made

    def _read(self) -> None:
        for block in self._blocks.take_new():
            meant, annotation = self._target.type_in(block.start, block.index)
            if meant:
                self._open.append(_OpenBlock(block, PathReader(self._path), annotation))
        for open_block in self._open[:]:
            self._found.extend((open_block, found) for found in open_block.read())
            if open_block.reader.done:
                self._open.remove(open_block)


# The value so far


class _PartialReader:
    """The value so far of the latest block that `target` selects."""

    __slots__ = ("_block", "_blocks", "_json", "_made", "_target")

    def __init__(self, source: Source, target: Target) -> None:
        self._target = target
        self._blocks = _Blocks(source)
        self._block: BlockInProgress | None = None
        self._json = PartialJSON()
        self._made: MadeValues = {}

    def view(self) -> Any:
        """Return the value as far as it has come: a `Partial` of a class, a list of the items so far, and so on.

        If nothing has come, return a `Partial` whose attributes are all missing, or `MISSING` if the type is not a
        class.
        """
        for block in self._blocks.take_new():
            if self._target.type_in(block.start, block.index)[0]:
                self._block, self._json, self._made = block, PartialJSON(), {}
        json = self._json
        if self._block is not None and (text := _text_since(self._block, json.length)):
            json.feed(text)
        value = json.best
        edge = Edge(json.depth, json.is_inside_scalar)
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
        source: The engine or accumulator.
        types: The types of the answer, if there are any.
    """

    __slots__ = ("_made", "_source", "_types")

    def __init__(self, source: Source, types: AnswerTypes | None) -> None:
        self._source = source
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
            view = self._made[key] = Values(self._source, parsed, target)
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
            reader = self._made[key] = _PartialReader(self._source, target)
        return reader.view()


def _check_choice(block: int | None, tool: str | None) -> None:
    if block is not None and tool is not None:
        raise PathError("give a block or a tool, not both: a block has at most one tool")
