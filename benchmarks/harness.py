"""Measure a row: its contestants take turns, and a target compares what they needed in the same round.

A noisy machine slows all contestants of a round alike, so ratios within one round are meaningful, and the median of
these ratios is reported. Work in this process is measured in CPU time, so other processes do not count.

pyperf stores the values, compares two runs and describes the machine. Its `Runner` is not used: it finishes one
benchmark before it starts the next, so a ratio would compare two different moments.
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
"""For each contestant, the seconds or bytes that a unit of work needed in each round."""

OURS = "streamcore"

_LEAST_ROUNDS = 3


class Disagreement(Exception):
    """Two contestants made different things of the same input, so their times cannot be compared."""


@attrs.frozen(kw_only=True)
class Contestant:
    """One way to do the work of a row.

    Attributes:
        measure: Does the work once and returns what it took, in the unit of the row.
        units: How many units of work that is. Figures are divided by it.
        result: Does the work once and returns what came out, to be compared with the other contestants. None if this
            contestant does less than the others.
    """

    name: str
    measure: Callable[[], float]
    units: float = 1
    result: Callable[[], object] | None = None


class Target(Protocol):
    """A bound on a figure that is computed from the values of a row."""

    def beside(self, values: Values) -> str | None:
        """Return the name of the contestant that ours is compared with, if there is one."""

    def value(self, values: Values) -> float:
        """Compute the figure."""

    def met(self, value: float) -> bool:
        """Return whether the figure is within the bound."""

    def wanted(self) -> str:
        """Describe the bound."""

    def reached(self, value: float) -> str:
        """Describe the figure."""


@attrs.frozen(kw_only=True)
class Row:
    """One comparison: a line of the table, or several.

    Attributes:
        contestants: Ours is named `OURS`. Where all are ours, each is named after its size.
        unit: `s` or `B`.
        per: The unit of work.
        most_rounds: A small number where a round takes long, or where all rounds give the same value.
    """

    name: str
    contestants: list[Contestant]
    targets: list[Target] = attrs.field(factory=list)
    unit: str = "s"
    per: str = "event"
    most_rounds: int = 30


@attrs.frozen(kw_only=True)
class Measured:
    """A row and its values."""

    row: Row
    values: Values

    def median(self, name: str) -> float:
        return statistics.median(self.values[name])

    def benchmarks(self) -> list[pyperf.Benchmark]:
        """Return the values in the form that pyperf stores and compares."""
        unit = {"s": "second", "B": "byte"}[self.row.unit]
        return [
            pyperf.Benchmark([pyperf.Run(values, metadata={"name": f"{self.row.name}: {name}", "unit": unit})])
            for name, values in self.values.items()
        ]


def timed(run: Callable[[], object]) -> Callable[[], float]:
    """Return a function that runs `run` and returns the CPU time it took."""

    def measure() -> float:
        start = time.process_time()
        run()
        return time.process_time() - start

    return measure


def verify(row: Row) -> None:
    """Check that the contestants of a row do the same work.

    Raises:
        Disagreement: Two of them make different things of the same input.
    """
    results = {contestant.name: contestant.result() for contestant in row.contestants if contestant.result}
    expected = next(iter(results.items()), None)
    for name, result in results.items():
        if expected is not None and result != expected[1]:
            raise Disagreement(f"{row.name}: {name} and {expected[0]} make different things of the same input")


def _warm_up(row: Row) -> None:
    """Run each contestant once that `verify` has not run, unless a single round is all there is."""
    for contestant in row.contestants:
        if contestant.result is None and row.most_rounds > 1:
            contestant.measure()


def measure(row: Row, *, seconds: float) -> Measured:
    """Measure a row for about `seconds`, but for three rounds at least (fewer only if `most_rounds` is smaller)."""
    verify(row)
    _warm_up(row)
    values: dict[str, list[float]] = {contestant.name: [] for contestant in row.contestants}
    # Hide the inputs from the garbage collector, which would otherwise traverse them in the middle of a round.
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
    """Run everything once, without keeping any figures."""
    verify(row)
    for contestant in row.contestants:
        contestant.measure()
