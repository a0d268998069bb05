"""What each type of delta does to its block, in one table.

`TEXT_RULES` follows from it and from the table of the fast path: nothing needs to be added there.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import attrs

from streamcore.accumulator._fields import Field, GrowingInput, GrowingList, GrowingText, ReplacedValue
from streamcore.codec._fast_delta import FAST_DELTAS
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
from streamcore.types.base import type_tag

__all__ = ["DELTA_RULES", "TEXT_RULES", "DeltaRule", "Move", "TextRule"]


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


class TextRule(NamedTuple):
    """Which type of delta adds text to a block: nearly all deltas of the block are of this type.

    Attributes:
        delta_type: The type of the delta.
        target: The field of the block that the text goes to.
        field_class: How that field grows.
    """

    delta_type: str
    target: str
    field_class: type[GrowingText | GrowingInput]


def _text_rules() -> dict[str, TextRule]:
    rules: dict[str, TextRule] = {}
    for delta_type in FAST_DELTAS:
        rule = DELTA_RULES[delta_type]
        (move,) = rule.moves
        assert issubclass(move.field_class, (GrowingText, GrowingInput))
        for block in rule.blocks:
            block_type = type_tag(block)
            if block_type is not None:  # an unknown block has no tag: it may get no text at all
                assert block_type not in rules, "a block has one field that the fast path adds text to"
                rules[block_type] = TextRule(delta_type, move.target, move.field_class)
    return rules


TEXT_RULES = _text_rules()
"""The rules of the deltas that the codec has a fast path for, by the type of the block.

Compaction blocks have none: they get one delta in all.
"""
