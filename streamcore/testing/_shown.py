"""How drawn streams print: short enough for a screen, as code that can be copied into a test."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from streamcore.testing._wire import by_event
from streamcore.types import WireObject

_LEFT_OUT = ("data", "events")  # `chunks` says the same
_MAX_LINES = 30
_MAX_WIDTH = 1000


class ShownByEvent:
    """Print an attrs class: the attributes that differ from their default, and `chunks` with one event on a line."""

    def __repr__(self) -> str:
        return "\n".join(self._lines())

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Print it in Hypothesis, which would otherwise print every field of every part."""
        for number, line in enumerate(self._lines()):
            if number:
                printer.break_()
            printer.text(line)

    def _lines(self) -> Iterator[str]:
        cls: Any = type(self)
        yield f"{cls.__name__}("
        for field in attrs.fields(cls):
            value = getattr(self, field.name)
            if field.name == "chunks":
                lines = list(itertools.islice(_chunk_lines(value), _MAX_LINES + 1))
                yield "    chunks=["
                yield from lines[:_MAX_LINES]
                if len(lines) > _MAX_LINES:
                    yield f"        ...  # {len(value)} chunks"
                yield "    ],"
            elif field.name not in _LEFT_OUT and value not in (None, field.default):
                yield _cut(f"    {field.name}={_shown(value)},")
        yield ")"


def _shown(value: Any) -> str:
    # Of a message most fields are None, which its own form would print.
    return f"{type(value).__name__}.from_dict({value.to_dict()})" if isinstance(value, WireObject) else repr(value)


def _chunk_lines(chunks: Iterable[bytes]) -> Iterator[str]:
    for chunk in chunks:
        *others, last = by_event(chunk) or [b""]
        yield from (_cut(f"        {piece!r}") for piece in others)
        yield _cut(f"        {last!r},")


def _cut(line: str) -> str:
    return line if len(line) <= _MAX_WIDTH else f"{line[:_MAX_WIDTH]}..."
