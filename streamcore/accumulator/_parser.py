"""The protocol of a parser that makes values of the user's own classes: what the accumulator calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from streamcore.types import ContentBlock

__all__ = ["BlockParser"]


class BlockParser(Protocol):
    """Makes values of the user's own classes from complete blocks; see `streamcore.typed`."""

    def parse(self, block: ContentBlock, index: int) -> Mapping[str, Any]:
        """Return attributes to set on a block.

        Raises:
            ProtocolError: The block does not fit its class.
        """
        ...

    def keeps_invalid_json(self, block: ContentBlock) -> bool:
        """Return whether a tool's input that is not valid JSON is kept. `parse` is not called for it."""
        ...

    def check_end(self, parsed: Iterable[Mapping[str, Any]], stop_reason: str | None) -> None:
        """Check the blocks of a complete message.

        Args:
            parsed: What `parse` returned for each of them.
            stop_reason: Why the model stopped.

        Raises:
            ProtocolError: A block could not be parsed, and the stop reason does not explain it.
        """
        ...
