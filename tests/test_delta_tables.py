"""The tables of deltas must know the classes of `types`: see "Where a new thing goes" in the map."""

from __future__ import annotations

from typing import get_args

import pytest

from streamcore.accumulator._deltas import DELTA_RULES, TEXT_RULES
from streamcore.types import ContentBlock, ContentBlockDelta, Unknown
from streamcore.types.base import type_tag, wire_fields
from streamcore.types.text_deltas import TEXT_DELTAS


@pytest.mark.parametrize("delta_type", TEXT_DELTAS)
def test_the_row_of_a_delta_that_adds_text_names_fields_that_its_classes_have(delta_type: str) -> None:
    row = TEXT_DELTAS[delta_type]
    assert type_tag(row.delta) == delta_type
    assert [field.name for field in wire_fields(row.delta)] == [row.source]
    assert row.source in {field.name for field in wire_fields(row.derived)}
    for block in row.blocks:
        assert issubclass(block, Unknown) or row.target in {field.name for field in wire_fields(block)}


def test_the_blocks_that_the_fast_path_adds_text_to() -> None:
    rules = {block_type: (rule.delta_type, rule.target) for block_type, rule in TEXT_RULES.items()}
    assert rules == {
        "text": ("text_delta", "text"),
        "thinking": ("thinking_delta", "thinking"),
        "tool_use": ("input_json_delta", "input"),
        "server_tool_use": ("input_json_delta", "input"),
        "mcp_tool_use": ("input_json_delta", "input"),
    }
    known = {type_tag(cls) for cls in get_args(ContentBlock)}
    assert known >= rules.keys()


def test_a_block_gets_text_from_one_type_of_delta_only() -> None:
    """Otherwise the fast path would not know which field the text goes to."""
    blocks = [block for row in TEXT_DELTAS.values() for block in row.blocks]
    assert len(set(blocks)) == len(blocks)


def test_every_delta_has_a_rule() -> None:
    known = {type_tag(cls) for cls in get_args(ContentBlockDelta) if not issubclass(cls, Unknown)}
    assert known == DELTA_RULES.keys()
