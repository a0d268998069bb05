"""Each habit on both packages: the relation between the two outcomes is the one that the catalogue says."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from compared import GUIDE, Compared, compare, page
from habits import Raised


@pytest.fixture(scope="module")
def rows() -> Sequence[Compared]:
    return compare()


def fault(row: Compared) -> str:
    """Return what is wrong with the two outcomes, or an empty text."""
    there, here, relation = row.there, row.here, row.habit.relation
    if relation == "same":
        if isinstance(there, Raised):
            return "the habit does not work there"
        return "" if there == here and type(there) is type(here) else "they must be the same"
    if relation == "different":
        return "" if there != here else "they must differ"
    if not isinstance(here, Raised) or not {"AttributeError", "ImportError"} & set(here.kinds):
        return "here it must be an AttributeError or ImportError"
    if "\n" in here.text or row.habit.note not in here.text:
        return f"the error must say on one line: {row.habit.note}"
    return ""


def test_each_habit_has_the_outcome_that_the_catalogue_says(rows: Sequence[Compared]) -> None:
    faults = [
        f"{row.habit.name}: {row.habit.text}\n  {problem}\n  there: {row.there!r}\n  here:  {row.here!r}"
        for row in rows
        if (problem := fault(row))
    ]
    assert not faults, f"{len(faults)} of {len(rows)}:\n" + "\n".join(faults)


def test_wrapped_clients_do_what_the_official_ones_do_or_what_ours_do_on_purpose(rows: Sequence[Compared]) -> None:
    faults = [
        f"{row.habit.name}: {row.habit.text}\n  there:   {row.there!r}\n  wrapped: {row.wrapped!r}"
        for row in rows
        if row.wrapped != row.there and (row.habit.relation != "different" or row.wrapped != row.here)
    ]
    assert not faults, f"{len(faults)} of {len(rows)}:\n" + "\n".join(faults)


def test_the_guide_is_what_the_run_gives(rows: Sequence[Compared]) -> None:
    assert GUIDE.read_text(encoding="utf-8") == page(rows), "run tests/ecosystem/compared.py"
