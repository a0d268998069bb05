"""A ticket: of several threads, the first one gets it."""

from __future__ import annotations

__all__ = ["Ticket"]


class Ticket:
    """Decide without a lock which of several threads does something that must be done once."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = [None]

    def take(self) -> bool:
        """Return True to the first caller only."""
        try:
            self._left.pop()  # atomic
        except IndexError:
            return False
        return True
