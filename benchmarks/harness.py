"""How a row is measured: its contestants take turns, and a target is judged by what they needed in the same rounds.

A machine that slows down slows all of them, so only ratios within one round mean something; what is reported is the
median of the rounds' ratios. Times are CPU times of this process where the work is done in it: another process that
takes the core away costs the contestant nothing. pyperf keeps the values, their statistics and what machine it was.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Protocol

import attrs
import pyperf  # type: ignore[import-untyped]

Values = Mapping[str, list[float]]
"""What each contestant needed in each round, per unit of work: seconds, or bytes."""

OURS = "streamcore"


class Disagreement(Exception):
    """Two contestants made something different of the same input: their times cannot be compared."""


@attrs.frozen(kw_only=True)
class Contestant:
    """One way to do the work of a row.

    Attributes:
        measure: Does it once and says what it took, in the unit of the row.
        units: How much work that is; what it took is divided by it.
        result: Does it once and gives what came out, in a form that compares with what came out of the others; for
            contestants that do less than that, `None`.
    """

    name: str
    measure: Callable[[], float]
    units: float = 1
    result: Callable[[], object] | None = None


class Target(Protocol):
    """What a row is to reach."""

    def value(self, values: Values) -> float:
        """What it has reached."""

    def met(self, value: float) -> bool: ...

    def wanted(self) -> str:
        """The target in words."""

    def reached(self, value: float) -> str:
        """What it has reached, in words."""


@attrs.frozen(kw_only=True)
class Row:
    """One comparison. Of its contestants the first is ours.

    Attributes:
        unit: `s` or `B`.
        per: What the figures are per.
        most_rounds: Where a round takes long, or all rounds give the same.
    """

    name: str
    contestants: list[Contestant]
    targets: list[Target] = attrs.field(factory=list)
    unit: str = "s"
    per: str = "event"
    most_rounds: int = 25


@attrs.frozen(kw_only=True)
class Measured:
    """A row with its values."""

    row: Row
    values: Values

    def median(self, name: str) -> float:
        return statistics.median(self.values[name])

    def benchmarks(self) -> list[pyperf.Benchmark]:
        """The same for pyperf, whose `compare_to` tells two runs apart."""
        unit = "byte" if self.row.unit == "B" else "second"
        return [
            pyperf.Benchmark([pyperf.Run(values, metadata={"name": f"{self.row.name}: {name}", "unit": unit})])
            for name, values in self.values.items()
        ]


def timed(run: Callable[[], object]) -> Callable[[], float]:
    """Measures `run` by its CPU time."""

    def measure() -> float:
        start = time.process_time()
        run()
        return time.process_time() - start

    return measure


def verify(row: Row) -> None:
    """See that the contestants of a row do the same work.

    Raises:
        Disagreement: They do not.
    """
    results = [(contestant.name, contestant.result()) for contestant in row.contestants if contestant.result]
    for name, result in results[1:]:
        if result != results[0][1]:
            raise Disagreement(f"{row.name}: {name} and {results[0][0]} make different things of the same input")


def measure(row: Row, *, seconds: float) -> Measured:
    """Measure a row for about so many seconds, three rounds at least."""
    verify(row)
    values: dict[str, list[float]] = {contestant.name: [] for contestant in row.contestants}
    # What lies around from the making of inputs is not for the collector to look at in the middle of a round.
    gc.collect()
    gc.freeze()
    try:
        end = None
        for number in range(row.most_rounds + 1):
            for contestant in row.contestants:
                value = contestant.measure()
                if number > 0:  # the first round warms up
                    values[contestant.name].append(value / contestant.units)
            if end is None:
                end = time.perf_counter() + seconds
            elif number >= 3 and time.perf_counter() > end:
                break
    finally:
        gc.unfreeze()
    return Measured(row=row, values=values)


def smoke(row: Row) -> None:
    """Do everything once; what it took means nothing."""
    verify(row)
    for contestant in row.contestants:
        contestant.measure()
