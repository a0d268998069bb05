"""The table of what the `anthropic` package has and streamcore has not is complete, and nothing in it is here."""

from __future__ import annotations

import re
from typing import Any

import anthropic
from guides import PACKAGE

import streamcore.httpx as ours
from streamcore.api.elsewhere import missing_name

GUIDE = (PACKAGE / "api" / "README.md").read_text(encoding="utf-8")
_ROWS = GUIDE.partition("## What is not here")[2].partition("\n## ")[0]
# What stands after the names in a row says what to use instead.
NAMES = {
    name for row in _ROWS.splitlines() if row.startswith("|") for name in re.findall(r"`(\w+)`", row.partition(". ")[0])
}


def public(value: Any) -> set[str]:
    return {name for name in dir(value) if not name.startswith("_") and "[" not in name}


def test_the_table_has_exactly_what_is_not_here() -> None:
    theirs: Any = anthropic.Anthropic(api_key="none")
    mine: Any = ours.Anthropic(api_key="none")
    pairs = [
        (anthropic, ours),
        (theirs, mine),
        (theirs.messages, mine.messages),
        (theirs.beta, mine.beta),
        (theirs.beta.messages, mine.beta.messages),
    ]
    missing = set().union(*(public(their) - public(my) for their, my in pairs))
    assert sorted(missing - NAMES) == []
    assert sorted(NAMES - missing) == []
    mine.close()


def test_each_name_in_the_table_has_a_text() -> None:
    assert [name for name in sorted(NAMES) if missing_name("owner", name) is None] == []
    assert "anthropic package has it" in str(missing_name("owner", "models"))
    assert missing_name("owner", "nonsense") is None
