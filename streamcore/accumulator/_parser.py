"""The protocol of a parser that makes values of the user's own classes: what the accumulator calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, Protocol

from streamcore._objects.state import SavedState
from streamcore.errors import shortened
from streamcore.types import ContentBlock

__all__ = ["BlockParser", "ParserState"]


class ParserState(SavedState):
    """What a checkpoint says about a parser. The classes themselves must be given again.

    Attributes:
        on_invalid: What happens if a block is not of its class.
        output_format: The name of the class of text blocks, and a checksum of its schema; None without one.
        tools: The same of the classes of tools, by the tools' names.
    """

    on_invalid: Literal["raise", "keep"] = "raise"
    output_format: str | None = None
    tools: dict[str, str] = {}  # noqa: RUF012  # msgspec copies it

    @property
    def names(self) -> str:
        """The classes in words."""
        text = [] if self.output_format is None else [f"output_format={self.output_format}"]
        tools = [f"{described} for the tool {name!r}" for name, described in sorted(self.tools.items())]
        return shortened(", ".join([*text, *tools, f"on_invalid={self.on_invalid!r}"]), 500)


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

    def get_state(self) -> ParserState:
        """Return what a checkpoint says about the parser."""
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
