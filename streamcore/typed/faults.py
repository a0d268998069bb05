"""What is wrong with an answer that is JSON, but not of the user's type."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, TypeAlias

import attrs
import msgspec

from streamcore.errors import DecodeError, excerpt
from streamcore.typed.missing import MISSING

__all__ = ["Fault", "InvalidOutputError", "Step", "format_path"]

Step: TypeAlias = str | int
"""One step down into JSON: a member of an object, or a place in an array."""

_PLAIN: Final = re.compile(r'[^."*~\x00-\x1f]+')


def format_path(steps: Iterable[Step]) -> str:
    """A path as `values` takes it: `edits.3.line`; `""` is the whole."""
    return ".".join(
        str(step) if isinstance(step, int) or _PLAIN.fullmatch(step) else msgspec.json.encode(step).decode()
        for step in steps
    )


@attrs.frozen
class Fault:
    """One thing that is wrong.

    Attributes:
        path: Where, as a path that `values` would take: `edits.3.line`; `""` is the whole.
        expected: What should be there, in words.
        received: What arrived, `MISSING` if nothing did.
    """

    path: str
    expected: str
    received: Any

    def __str__(self) -> str:
        where = f"at {self.path}" if self.path else "at the top"
        if self.received is MISSING:
            return f"{where}: expected {self.expected}, got nothing"
        return f"{where}: expected {self.expected}, got {_shown(self.received)}"


def _shown(value: Any) -> str:
    from streamcore.codec import kind_of

    if value is None:
        return "null"
    try:
        text = msgspec.json.encode(value).decode()
    except (TypeError, ValueError):
        text = repr(value)
    return f"{kind_of(value)}: {text}" if len(text) <= 80 else f"{kind_of(value)}: {excerpt(text, 80)}"


class InvalidOutputError(DecodeError):
    """What the model wrote is not of the type that was asked for. The message has the path, the type expected there
    and what arrived.

    Attributes:
        faults: All that is wrong, in the order of the type's fields; empty if it is not JSON, or not all of it.
        value: The JSON value that arrived, `None` if it was none.
    """

    faults: tuple[Fault, ...]
    value: Any

    def __init__(self, message: str, *, faults: tuple[Fault, ...] = (), value: Any = None, **place: Any) -> None:
        super().__init__(message, **place)
        self.faults = faults
        self.value = value
