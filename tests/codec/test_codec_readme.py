"""The table in the guide of the codec names each kind of violation."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import streamcore
from streamcore.errors import ViolationKind, _protocol

GUIDE = (Path(streamcore.__file__).parent / "codec" / "README.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(\w+)` \|.*\| (`\w+`|recorded) \|$", GUIDE, re.MULTILINE)


def test_the_table_names_exactly_the_kinds_of_violations() -> None:
    kinds = [kind for kind, _ in ROWS]
    assert sorted(kinds) == sorted(get_args(ViolationKind))


def test_the_table_says_what_strict_mode_raises() -> None:
    raised = {kind: cls.__name__ for kind, cls in _protocol._STRICT_ERRORS.items()}
    assert {kind: name.strip("`") for kind, name in ROWS if name != "recorded"} == raised
