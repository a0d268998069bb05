"""What each type of delta does to its block, in one table."""

from __future__ import annotations

from typing import Any

import attrs

from streamcore.accumulator._fields import Field, GrowingInput, GrowingList, GrowingText, ReplacedValue
from streamcore.types import (
    CompactionBlock,
    MCPToolUseBlock,
    ServerToolUseBlock,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    UnknownBlock,
    WireObject,
)

__all__ = ["DELTA_RULES", "TEXT_DELTAS", "DeltaRule", "Move"]


@attrs.frozen
class Move:
    """Where one field of a delta goes, and how.

    Attributes:
        source: The field of the delta. If it is None, nothing moves.
        target: The field of the block.
        field_class: How the field of the block changes.
    """

    source: str
    target: str
    field_class: type[Field]


@attrs.frozen
class DeltaRule:
    """What one type of delta does.

    Attributes:
        blocks: The types of blocks that such a delta may come to.
        moves: Where each field of the delta goes.
    """

    blocks: tuple[type[WireObject], ...]
    moves: tuple[Move, ...]

    def carries_nothing(self, delta: Any) -> bool:
        """Return whether all fields of a delta are empty."""
        return all(getattr(delta, move.source) in (None, "") for move in self.moves)


_TOOL_USE = (ToolUseBlock, ServerToolUseBlock, MCPToolUseBlock)

DELTA_RULES: dict[str, DeltaRule] = {
    "text_delta": DeltaRule((TextBlock,), (Move("text", "text", GrowingText),)),
    "input_json_delta": DeltaRule((*_TOOL_USE, UnknownBlock), (Move("partial_json", "input", GrowingInput),)),
    "thinking_delta": DeltaRule((ThinkingBlock,), (Move("thinking", "thinking", GrowingText),)),
    "signature_delta": DeltaRule((ThinkingBlock,), (Move("signature", "signature", ReplacedValue),)),
    "citations_delta": DeltaRule((TextBlock,), (Move("citation", "citations", GrowingList),)),
    "compaction_delta": DeltaRule(
        (CompactionBlock,),
        (
            Move("content", "content", GrowingText),
            Move("encrypted_content", "encrypted_content", ReplacedValue),
        ),
    ),
}

# Blocks whose deltas are nearly all of one kind that adds text: that delta, the block's field, and how it grows.
# Unknown blocks are missing, because they may get no text, and compaction blocks, because they get one delta.
TEXT_DELTAS: dict[str, tuple[str, str, type[GrowingText | GrowingInput]]] = {
    "text": ("text_delta", "text", GrowingText),
    "thinking": ("thinking_delta", "thinking", GrowingText),
    "tool_use": ("input_json_delta", "input", GrowingInput),
    "server_tool_use": ("input_json_delta", "input", GrowingInput),
    "mcp_tool_use": ("input_json_delta", "input", GrowingInput),
}
