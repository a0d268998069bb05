"""Values at a path, out of the blocks of a message that still grows.

In: a source of blocks in the making (an engine, or an accumulator), and a path. Out: the values at it that are
complete, structured, one by one and each once, from the beginning of the message on, whenever one looks. Remembers for
each block that is open how far it has read; reads nothing twice. Does no I/O and asks for no event.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from typing import Any, Generic, Protocol

import attrs
from typing_extensions import TypeVar

from streamcore.accumulator import BlockInProgress as BlockBuilder
from streamcore.errors import ProtocolError
from streamcore.partial_json import PartialJSON
from streamcore.typed.answers import Target
from streamcore.typed.faults import InvalidOutputError
from streamcore.typed.paths import Path
from streamcore.typed.scanner import Found, PathScanner
from streamcore.typed.structuring import structure
from streamcore.types import Message

__all__ = ["Blocks", "Source", "Values", "growth"]

_T = TypeVar("_T", default=Any)


class Source(Protocol):
    """What has blocks in the making."""

    @property
    def snapshot(self) -> Message | None: ...
    @property
    def block_count(self) -> int: ...
    def block_in_progress(self, index: int) -> BlockBuilder | None: ...


class Blocks:
    """The blocks of a source, each given once, also when another message begins."""

    __slots__ = ("_first", "_next", "_source")

    def __init__(self, source: Source) -> None:
        self._source = source
        self._first: BlockBuilder | None = None
        self._next = 0

    def fresh(self) -> list[BlockBuilder]:
        """Those that have begun since the last call."""
        source = self._source
        first = source.block_in_progress(0)
        if first is not self._first:
            self._first, self._next = first, 0
        count = source.block_count
        if count <= self._next:
            return []
        found = [source.block_in_progress(index) for index in range(self._next, count)]
        self._next = count
        return [builder for builder in found if builder is not None]


def growth(builder: BlockBuilder, position: int) -> str:
    """The JSON text of a block after its first characters, as far as it has come."""
    if builder.length > position:
        return builder.since(position)
    given = getattr(builder.start, "input", None)
    if given and builder.is_closed and not builder.length and not position:
        return json.dumps(given)  # it came with the start of the block
    return ""


@attrs.define(eq=False)
class _Reading:
    """A block that is being read: how many characters of it have been."""

    builder: BlockBuilder
    scanner: PathScanner
    annotation: Any
    position: int = 0

    def read(self) -> list[Found]:
        text = growth(self.builder, self.position)
        self.position += len(text)
        found = self.scanner.feed(text) if text else []
        if self.builder.is_closed:
            found += self.scanner.close()
        return found


class Values(Generic[_T]):
    """The values at a path, up to the latest event. Iterating gives those that have not been given, then stops; iterate
    again when there have been more events.

    A value that is not of the type raises `InvalidOutputError`; those after it can be had by going on.
    Of a key that an object has twice, both values are given, though the finished object has the latter only.
    """

    def __init__(self, source: Source, path: Path, target: Target) -> None:
        self._source = source
        self._path = path
        self._target = target
        self._blocks = Blocks(source)
        self._open: list[_Reading] = []
        self._found: deque[tuple[_Reading, Found]] = deque()

    def __iter__(self) -> Iterator[_T]:
        return self

    def __next__(self) -> _T:
        while True:
            if not self._found:
                self._read()
                if not self._found:
                    raise StopIteration
            reading, found = self._found.popleft()
            if self._path.grows:
                return found.text  # type: ignore[return-value]  # text is what was asked for
            document = PartialJSON()
            document.feed(found.text)
            try:
                value = document.close()
            except ProtocolError:
                continue  # the block is no JSON, which is for the engine to say
            return self._structured(value, reading, found)

    def _structured(self, value: Any, reading: _Reading, found: Found) -> _T:
        try:
            made: _T = structure(value, reading.annotation, what=f"the value at {self._path}", steps=found.steps)
        except InvalidOutputError as error:
            error.index = reading.builder.index
            error.snapshot = self._source.snapshot
            raise
        return made

    def _read(self) -> None:
        for builder in self._blocks.fresh():
            meant, annotation = self._target.type_in(builder.start, builder.index)
            if meant:
                self._open.append(_Reading(builder, PathScanner(self._path), annotation))
        for reading in self._open[:]:
            self._found.extend((reading, found) for found in reading.read())
            if reading.scanner.done:
                self._open.remove(reading)
