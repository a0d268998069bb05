"""Write `streamcore/api/COMPARED.md`: what each habit of the catalogue comes to with both packages.

python tests/ecosystem/compared.py
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(1, str(Path(__file__).parents[1]))  # where pytest finds the helpers of all tests

import attrs
from catalogue import HABITS
from guides import PACKAGE
from habits import Habit, Raised, outcome, packages

GUIDE = PACKAGE / "api" / "COMPARED.md"
_WIDTH = 90  # characters of a value
_INTRODUCTION = """\
Programs do these {all} things with `anthropic` 2.14. A test does each of them with that package and with
`streamcore.httpx`, against one server: {same} come to the same, {different} differ on purpose, and {missing} are not
here. An official client that [`wrap`](../anthropic/README.md) puts our engine under does what it does without it, and
its streams do what is said under *here*.

`tests/ecosystem/compared.py` wrote this page, and a test fails if it is out of date. See also the
[names of both packages](README.md), and the [streams](../testing/README.md#is-an-accumulator-right) that they read
differently."""


@attrs.frozen
class Compared:
    """A habit, and its outcomes: with the official package, with ours, and with wrapped clients of the official one."""

    habit: Habit
    there: Any
    here: Any
    wrapped: Any


def compare() -> list[Compared]:
    """Run all habits."""
    with packages() as (each, portal):
        return [Compared(habit, *(outcome(habit, package, portal) for package in each)) for habit in HABITS]


def page(rows: Sequence[Compared]) -> str:
    """Return the guide."""
    groups = {
        relation: [row for row in rows if row.habit.relation == relation]
        for relation in ("different", "missing", "same")
    }
    counts = {relation: len(group) for relation, group in groups.items()}
    return "\n".join(
        [
            "# Habits of programs for `anthropic`, with both packages",
            "",
            _INTRODUCTION.format(all=len(rows), **counts),
            "",
            "## Different on purpose",
            "",
            *_different(groups["different"]),
            "",
            "## Not here",
            "",
            "The error that a program gets says which package does it.",
            "",
            *_missing(groups["missing"]),
            "",
            "## The same",
            "",
            *_same(groups["same"]),
            "",
        ]
    )


def _different(rows: Sequence[Compared]) -> Iterator[str]:
    yield "| what a program does | there | here | why |"
    yield "| --- | --- | --- | --- |"
    for row in rows:
        yield f"| {_cell(row.habit.text)} | {_shown(row.there)} | {_shown(row.here)} | {_cell(row.habit.note)} |"


def _missing(rows: Sequence[Compared]) -> Iterator[str]:
    yield "| what a program does | here |"
    yield "| --- | --- |"
    for row in rows:
        yield f"| {_cell(row.habit.text)} | {_error(row.here)} |"


def _same(rows: Sequence[Compared]) -> Iterator[str]:
    yield "| subject | what a program does |"
    yield "| --- | --- |"
    for row in rows:
        yield f"| {row.habit.area} | {_cell(row.habit.text)} |"


def _shown(value: Any) -> str:
    if isinstance(value, Raised):
        return f"raises `{value.name}`"
    text = repr(value)
    return _code(text if len(text) <= _WIDTH else text[:_WIDTH] + "…")


def _error(raised: Raised) -> str:
    text = re.sub(r" \(/.*\)", "", raised.text)  # an ImportError names the file of the module
    return _cell(f"`{raised.name}`: {text}")


def _code(text: str) -> str:
    fence = "``" if "`" in text else "`"
    return _cell(f"{fence}{text}{fence}")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    GUIDE.write_text(page(compare()), encoding="utf-8")
