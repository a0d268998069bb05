"""How a row is measured: its contestants take turns, and a target is judged by what they needed in the same rounds.

A machine that slows down slows all of them, so only ratios within one round mean something; what is reported is the
median of the rounds' ratios. Times are CPU times of this process where the work is done in it: another process that
takes the core away costs the contestant nothing.

pyperf keeps the values, compares those of two runs and says what machine it was. Its `Runner` does not measure: it ends
one benchmark before it begins another, and the ratio of the two would be one of different moments.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Protocol

import attrs
import pyperf  # type: ignore[import-untyped]  # it has no types

Values = Mapping[str, list[float]]
"""What each contestant needed in each round, per unit of work: seconds, or bytes."""

OURS = "streamcore"

_LEAST_ROUNDS = 3


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
    """What a row is to reach. A figure is made of what its contestants needed."""

    def beside(self, values: Values) -> str | None:
        """The contestant that ours is held against."""

    def value(self, values: Values) -> float:
        """What has been reached."""

    def met(self, value: float) -> bool:
        """Whether that is enough."""

    def wanted(self) -> str:
        """The target in words."""

    def reached(self, value: float) -> str:
        """What has been reached, in words."""


@attrs.frozen(kw_only=True)
class Row:
    """One comparison.

    Attributes:
        contestants: Ours is called `OURS`, unless all of them are: then each has its size as its name.
        unit: `s` or `B`.
        per: What the figures are per.
        most_rounds: Fewer where a round takes long, or all rounds give the same.
    """

    name: str
    contestants: list[Contestant]
    targets: list[Target] = attrs.field(factory=list)
    unit: str = "s"
    per: str = "event"
    most_rounds: int = 30


@attrs.frozen(kw_only=True)
class Measured:
    """A row with its values."""

    row: Row
    values: Values

    def median(self, name: str) -> float:
        return statistics.median(self.values[name])

    def benchmarks(self) -> list[pyperf.Benchmark]:
        """The same for pyperf, whose `compare_to` tells two runs apart."""
        unit = {"s": "second", "B": "byte"}[self.row.unit]
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
        Disagreement: They make different things of the same input.
    """
    results = {contestant.name: contestant.result() for contestant in row.contestants if contestant.result}
    expected = next(iter(results.items()), None)
    for name, result in results.items():
        if expected is not None and result != expected[1]:
            raise Disagreement(f"{row.name}: {name} and {expected[0]} make different things of the same input")


def _warm_up(row: Row) -> None:
    """Run once what `verify` has not run. What is done but once needs no warmth."""
    for contestant in row.contestants:
        if contestant.result is None and row.most_rounds > 1:
            contestant.measure()


def measure(row: Row, *, seconds: float) -> Measured:
    """Measure a row for about so many seconds, three rounds at least if it may have so many."""
    verify(row)
    _warm_up(row)
    values: dict[str, list[float]] = {contestant.name: [] for contestant in row.contestants}
    # What lies around from the making of inputs is not for the collector to look at in the middle of a round.
    gc.collect()
    gc.freeze()
    try:
        end = time.perf_counter() + seconds
        for number in range(row.most_rounds):
            if number >= _LEAST_ROUNDS and time.perf_counter() > end:
                break
            for contestant in row.contestants:
                values[contestant.name].append(contestant.measure() / contestant.units)
    finally:
        gc.unfreeze()
    return Measured(row=row, values=values)


def smoke(row: Row) -> None:
    """Do everything once; what it took means nothing."""
    verify(row)
    for contestant in row.contestants:
        contestant.measure()
