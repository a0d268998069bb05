"""The four tables that a delta that adds text stands in must agree: see "Where a new thing goes" in the map."""

from __future__ import annotations

from typing import get_args

from streamcore.accumulator._deltas import DELTA_RULES, TEXT_DELTAS
from streamcore.codec._fast_delta import FAST_DELTAS
from streamcore.stream._derived import _TEXT_DELTAS
from streamcore.types import ContentBlock, ContentBlockDelta, Unknown
from streamcore.types._base import type_tag


def test_the_tables_of_deltas_that_add_text_have_the_same_rows() -> None:
    assert {delta for delta, _, _ in TEXT_DELTAS.values()} == FAST_DELTAS.keys() == _TEXT_DELTAS.keys()


def test_each_table_says_the_same_of_a_delta() -> None:
    blocks = {type_tag(cls): cls for cls in get_args(ContentBlock)}
    for block_type, (delta_type, target, field_class) in TEXT_DELTAS.items():
        rule = DELTA_RULES[delta_type]
        assert blocks[block_type] in rule.blocks
        (move,) = rule.moves
        delta_class, source = FAST_DELTAS[delta_type]
        assert type_tag(delta_class) == delta_type
        assert (source, target, field_class) == (move.source, move.target, move.field_class)
        assert _TEXT_DELTAS[delta_type][:2] == (target, source)


def test_every_delta_has_a_rule() -> None:
    known = {type_tag(cls) for cls in get_args(ContentBlockDelta) if not issubclass(cls, Unknown)}
    assert known == DELTA_RULES.keys()
