"""Each habit on both packages: the relation between the two outcomes is the one that the catalogue says."""

from __future__ import annotations

from typing import Any

from catalogue import HABITS
from habits import Habit, Raised, both_packages, outcome


def fault(habit: Habit, there: Any, here: Any) -> str:
    """Return what is wrong with the two outcomes, or an empty text."""
    if habit.relation == "same":
        if isinstance(there, Raised):
            return "the habit does not work there"
        return "" if there == here and type(there) is type(here) else "they must be the same"
    if habit.relation == "different":
        return "" if there != here else "they must differ"
    if not isinstance(here, Raised) or not {"AttributeError", "ImportError"} & set(here.kinds):
        return "here it must be an AttributeError or ImportError"
    if "\n" in here.text or habit.note not in here.text:
        return f"the error must say on one line: {habit.note}"
    return ""


def test_each_habit_has_the_outcome_that_the_catalogue_says() -> None:
    faults = []
    with both_packages() as (theirs, ours, portal):
        for habit in HABITS:
            there, here = outcome(habit, theirs, portal), outcome(habit, ours, portal)
            if problem := fault(habit, there, here):
                faults.append(f"{habit.name}: {habit.text}\n  {problem}\n  there: {there!r}\n  here:  {here!r}")
    assert not faults, f"{len(faults)} of {len(HABITS)}:\n" + "\n".join(faults)
