"""What each type of delta does to its block, in one table.

The rules of deltas that add text follow from `types/text_deltas.py`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import attrs

from streamcore.accumulator._fields import Field, GrowingInput, GrowingList, GrowingText, ReplacedValue
from streamcore.types import CompactionBlock, TextBlock, ThinkingBlock, WireObject
from streamcore.types.base import type_tag
from streamcore.types.text_deltas import TEXT_DELTAS, TextDeltaRow

__all__ = ["DELTA_RULES", "TEXT_RULES", "DeltaRule", "Move", "TextRule", "field_classes"]


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
        blocks: The types of blocks that the delta may come to.
        moves: Where each field of the delta goes.
    """

    blocks: tuple[type[WireObject], ...]
    moves: tuple[Move, ...]

    def carries_nothing(self, delta: Any) -> bool:
        """Return whether all fields of a delta are empty."""
        return all(getattr(delta, move.source) in (None, "") for move in self.moves)


def _field_class(row: TextDeltaRow) -> type[GrowingText | GrowingInput]:
    return GrowingInput if row.is_json else GrowingText


DELTA_RULES: dict[str, DeltaRule] = {
    **{
        kind: DeltaRule(row.blocks, (Move(row.source, row.target, _field_class(row)),))
        for kind, row in TEXT_DELTAS.items()
    },
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


def field_classes(block: WireObject) -> dict[str, type[Field]]:
    """Return how each field of a block grows that deltas may change."""
    rules = [rule for rule in DELTA_RULES.values() if isinstance(block, rule.blocks)]
    return {move.target: move.field_class for rule in rules for move in rule.moves}


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


TEXT_RULES: dict[str, TextRule] = {
    block_type: TextRule(kind, row.target, _field_class(row))
    for kind, row in TEXT_DELTAS.items()
    for block_type in map(type_tag, row.blocks)
    if block_type is not None  # an unknown block gets no text
}
"""The rules of the deltas that add text, by the type of the block. A block gets text from one type of delta only.

Compaction blocks have no rule: they get a single delta.
"""
