"""The kinds of targets: how what the contestants needed becomes the figure that a target is about."""

from __future__ import annotations

import itertools
import statistics

import attrs

from benchmarks.harness import OURS, Values


def _ratio(values: Values, one: str, other: str) -> float:
    """What one needed by what another needed: the median of the rounds, in each of which both had the same machine."""
    return statistics.median(a / b for a, b in zip(values[one], values[other], strict=True))


def faster(times: float) -> str:
    """How fast something is beside another that takes so many times as long."""
    ratio = max(times, 1 / times)
    figure = f"{ratio:.1f}" if ratio < 100 else f"{ratio:,.0f}"
    if figure == "1.0":
        return "as fast"
    return f"{figure}× {'faster' if times > 1 else 'slower'}"


@attrs.frozen
class Faster:
    """At least so many times as fast as another, or as the fastest of several."""

    times: float
    than: tuple[str, ...]

    def beside(self, values: Values) -> str:
        return min(self.than, key=lambda name: statistics.median(values[name]))

    def value(self, values: Values) -> float:
        return _ratio(values, self.beside(values), OURS)

    def met(self, value: float) -> bool:
        return value >= self.times

    def wanted(self) -> str:
        return f"≥ {self.times:g}× faster"

    def reached(self, value: float) -> str:
        return faster(value)


@attrs.frozen
class AtMost:
    """At most so many times what another takes."""

    times: float
    of: str

    def beside(self, values: Values) -> str:
        return self.of

    def value(self, values: Values) -> float:
        return _ratio(values, OURS, self.of)

    def met(self, value: float) -> bool:
        return value <= self.times

    def wanted(self) -> str:
        return f"≤ {self.times:g}×"

    def reached(self, value: float) -> str:
        return f"{value:.2f}×"


@attrs.frozen
class Doubling:
    """Twice the work takes at most so many times as long, wherever on the way.

    Attributes:
        sizes: Contestants, each with twice the work of the one before. What each of them needed is for all its work.
    """

    times: float
    sizes: tuple[str, ...]

    def beside(self, values: Values) -> None:
        return None

    def value(self, values: Values) -> float:
        return max(_ratio(values, longer, shorter) for shorter, longer in itertools.pairwise(self.sizes))

    def met(self, value: float) -> bool:
        return value <= self.times

    def wanted(self) -> str:
        return f"≤ {self.times:g}× when doubled"

    def reached(self, value: float) -> str:
        return f"{value:.2f}×"


@attrs.frozen
class More:
    """At most so many seconds more than another."""

    seconds: float
    than: str

    def beside(self, values: Values) -> str:
        return self.than

    def value(self, values: Values) -> float:
        return statistics.median(mine - other for mine, other in zip(values[OURS], values[self.than], strict=True))

    def met(self, value: float) -> bool:
        return value <= self.seconds

    def wanted(self) -> str:
        return f"≤ {self.seconds * 1e3:g} ms more"

    def reached(self, value: float) -> str:
        return f"{value * 1e3:.0f} ms more"


@attrs.frozen
class FasterNet:
    """At least so many times as fast as another, not counting what both of them need for a start.

    Attributes:
        start: The contestant that does nothing but start.
    """

    times: float
    than: str
    start: str

    def beside(self, values: Values) -> str:
        return self.than

    def value(self, values: Values) -> float:
        rounds = zip(values[OURS], values[self.than], values[self.start], strict=True)
        return statistics.median((theirs - start) / (mine - start) for mine, theirs, start in rounds)

    def met(self, value: float) -> bool:
        return value >= self.times

    def wanted(self) -> str:
        return f"≥ {self.times:g}× faster"

    def reached(self, value: float) -> str:
        return faster(value)


@attrs.frozen
class AtMostBytes:
    """At most so much memory."""

    size: float

    def beside(self, values: Values) -> None:
        return None

    def value(self, values: Values) -> float:
        return statistics.median(values[OURS])

    def met(self, value: float) -> bool:
        return value <= self.size

    def wanted(self) -> str:
        return f"≤ {self.size:,.0f} B"

    def reached(self, value: float) -> str:
        return f"{value:,.0f} B"
