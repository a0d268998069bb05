"""`MISSING`: what stands where nothing is, or nothing yet, as `None` is a value of JSON."""

from __future__ import annotations

import enum
from typing import Any, Final, Literal

__all__ = ["MISSING", "Missing"]


class Missing(enum.Enum):
    """The type of `MISSING`. It is false, and itself in copies and pickles."""

    MISSING = "MISSING"

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "MISSING"


# A type checker that knew more would say of an attribute that it believes to be a `str` that it cannot be missing.
MISSING: Final[Any] = Missing.MISSING
"""Nothing has come here yet."""
