"""The kinds of targets. Each computes one figure from the values of a row and compares it with a bound."""

from __future__ import annotations

import itertools
import statistics

import attrs

from benchmarks.harness import OURS, Values


def _ratio(values: Values, one: str, other: str) -> float:
    """Return how much `one` needed for each unit that `other` needed: the median of the ratios of all rounds."""
    return statistics.median(a / b for a, b in zip(values[one], values[other], strict=True))


def faster(times: float) -> str:
    """Describe how fast something is compared with another that takes `times` as long."""
    ratio = max(times, 1 / times)
    figure = f"{ratio:.1f}" if ratio < 100 else f"{ratio:,.0f}"
    if figure == "1.0":
        return "as fast"
    return f"{figure}× {'faster' if times > 1 else 'slower'}"


@attrs.frozen
class Faster:
    """Ours is at least this many times as fast as the fastest of others.

    Attributes:
        start: The contestant that only starts up, as all do. Its time is subtracted from all others.
    """

    times: float
    than: tuple[str, ...]
    start: str | None = None

    def beside(self, values: Values) -> str:
        return min(self.than, key=lambda name: statistics.median(values[name]))

    def value(self, values: Values) -> float:
        starts = values[self.start] if self.start else [0.0] * len(values[OURS])
        rounds = zip(values[self.beside(values)], values[OURS], starts, strict=True)
        return statistics.median((theirs - start) / (ours - start) for theirs, ours, start in rounds)

    def met(self, value: float) -> bool:
        return value >= self.times

    def wanted(self) -> str:
        return f"≥ {self.times:g}× faster"

    def reached(self, value: float) -> str:
        return faster(value)


@attrs.frozen
class AtMost:
    """Ours takes at most this many times what another takes."""

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
    """Twice the work takes at most this many times as long, at every doubling.

    Attributes:
        sizes: Contestants, each with twice the work of the one before. Their values are for all their work.
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
    """Ours takes at most this many seconds more than another."""

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
class AtMostBytes:
    """Ours takes at most this many bytes."""

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
