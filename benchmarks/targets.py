"""The kinds of targets: how what the contestants needed becomes the figure that a target is about."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence

import attrs

from benchmarks.harness import OURS, Values


def _fastest(values: Values, names: Sequence[str]) -> str:
    return min(names, key=lambda name: statistics.median(values[name]))


@attrs.frozen
class Faster:
    """At least so many times as fast as another, or as the fastest of several."""

    times: float
    than: tuple[str, ...]

    def value(self, values: Values) -> float:
        theirs = values[_fastest(values, self.than)]
        return statistics.median(other / ours for other, ours in zip(theirs, values[OURS], strict=True))

    def met(self, value: float) -> bool:
        return value >= self.times

    def wanted(self) -> str:
        than = self.than[0] if len(self.than) == 1 else "the fastest peer"
        return f"≥ {self.times:g}× faster than {than}"

    def reached(self, value: float) -> str:
        return f"{value:.2f}×"


@attrs.frozen
class AtMost:
    """At most so many times what another takes."""

    times: float
    of: str
    ours: str = OURS

    def value(self, values: Values) -> float:
        return statistics.median(mine / other for mine, other in zip(values[self.ours], values[self.of], strict=True))

    def met(self, value: float) -> bool:
        return value <= self.times

    def wanted(self) -> str:
        ours = "" if self.ours == OURS else f"{self.ours} "
        return f"{ours}≤ {self.times:g}× {self.of}"

    def reached(self, value: float) -> str:
        return f"{value:.2f}×"


@attrs.frozen
class Doubling:
    """Twice the work takes at most so many times as long, wherever on the way: `sizes` are contestants, each with
    twice the work of the one before. What each of them takes is for all of its work.
    """

    times: float
    sizes: tuple[str, ...]

    def value(self, values: Values) -> float:
        medians = [statistics.median(values[name]) for name in self.sizes]
        return max(longer / shorter for shorter, longer in itertools.pairwise(medians))

    def met(self, value: float) -> bool:
        return value <= self.times

    def wanted(self) -> str:
        return f"doubled: ≤ {self.times:g}×"

    def reached(self, value: float) -> str:
        return f"{value:.2f}×"


@attrs.frozen
class More:
    """At most so many seconds more than another."""

    seconds: float
    than: str

    def value(self, values: Values) -> float:
        return statistics.median(mine - other for mine, other in zip(values[OURS], values[self.than], strict=True))

    def met(self, value: float) -> bool:
        return value <= self.seconds

    def wanted(self) -> str:
        return f"≤ {self.seconds * 1e3:g} ms more than {self.than}"

    def reached(self, value: float) -> str:
        return f"{value * 1e3:.0f} ms"


@attrs.frozen
class FasterNet:
    """At least so many times as fast as another, not counting what both of them need for a start."""

    times: float
    than: str
    start: str

    def value(self, values: Values) -> float:
        rounds = zip(values[OURS], values[self.than], values[self.start], strict=True)
        return statistics.median((theirs - start) / (mine - start) for mine, theirs, start in rounds)

    def met(self, value: float) -> bool:
        return value >= self.times

    def wanted(self) -> str:
        return f"≥ {self.times:g}× faster than {self.than}"

    def reached(self, value: float) -> str:
        return f"{value:.2f}×"


@attrs.frozen
class AtMostBytes:
    """At most so much memory."""

    size: float

    def value(self, values: Values) -> float:
        return statistics.median(values[OURS])

    def met(self, value: float) -> bool:
        return value <= self.size

    def wanted(self) -> str:
        return f"≤ {self.size:,.0f} B"

    def reached(self, value: float) -> str:
        return f"{value:,.0f} B"
