"""The three tables that a delta that adds text stands in must agree: see "Where a new thing goes" in the map."""

from __future__ import annotations

from typing import get_args

import pytest

from streamcore.accumulator._deltas import DELTA_RULES, TEXT_RULES
from streamcore.codec._fast_delta import FAST_DELTAS
from streamcore.stream._derived import _TEXT_EVENTS
from streamcore.types import ContentBlock, ContentBlockDelta, Unknown
from streamcore.types.base import type_tag, wire_fields


def test_the_tables_of_deltas_that_add_text_have_the_same_rows() -> None:
    assert FAST_DELTAS.keys() == _TEXT_EVENTS.keys() == {rule.delta_type for rule in TEXT_RULES.values()}


@pytest.mark.parametrize("delta_type", FAST_DELTAS)
def test_each_table_says_the_same_of_a_delta(delta_type: str) -> None:
    delta_class, source = FAST_DELTAS[delta_type]
    assert type_tag(delta_class) == delta_type
    (move,) = DELTA_RULES[delta_type].moves
    assert move.source == source
    assert source in {field.name for field in wire_fields(_TEXT_EVENTS[delta_type])}


def test_the_blocks_that_the_fast_path_adds_text_to() -> None:
    rules = {block_type: (rule.delta_type, rule.target) for block_type, rule in TEXT_RULES.items()}
    assert rules.items() >= {
        ("text", ("text_delta", "text")),
        ("thinking", ("thinking_delta", "thinking")),
        ("tool_use", ("input_json_delta", "input")),
        ("server_tool_use", ("input_json_delta", "input")),
        ("mcp_tool_use", ("input_json_delta", "input")),
    }
    blocks = {type_tag(cls): cls for cls in get_args(ContentBlock)}
    for block_type, rule in TEXT_RULES.items():
        assert rule.target in {field.name for field in wire_fields(blocks[block_type])}


def test_every_delta_has_a_rule() -> None:
    known = {type_tag(cls) for cls in get_args(ContentBlockDelta) if not issubclass(cls, Unknown)}
    assert known == DELTA_RULES.keys()
