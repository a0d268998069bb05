"""How drawn streams print: short enough for a screen, as code that can be copied into a test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from streamcore.testing._wire import by_event
from streamcore.types import WireObject

__all__ = ["ShownByEvent"]

# They only repeat what `chunks` says.
_LEFT_OUT = ("data", "events")


class ShownByEvent:
    """Print the attributes of an attrs class that differ from their default, and `chunks` with one event on a line."""

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
                yield "    chunks=["
                for chunk in value:
                    *others, last = by_event(chunk) or [b""]
                    yield from (f"        {piece!r}" for piece in others)
                    yield f"        {last!r},"
                yield "    ],"
            elif field.name not in _LEFT_OUT and value not in (None, field.default):
                shown = f"{type(value).__name__}.from_dict({value.to_dict()!r})" if isinstance(value, WireObject) else value
                yield f"    {field.name}={shown if isinstance(value, (WireObject, type)) else repr(value)},"
        yield ")"
