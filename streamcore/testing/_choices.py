"""The choices that a format leaves open: where a text is cut, which blanks a JSON text has, which line end comes next.

They are drawn apart from the values, as bytes that are used in turn, over and over. So shrinking a value never changes
how many choices are drawn, and no bytes at all is the plainest form: Hypothesis tries that first.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import AnyStr, TypeAlias

from hypothesis import strategies as st

Choices: TypeAlias = Iterator[int]
"""Numbers from 0 to 255 without end; 0 is always the plainest choice."""

# Half of all examples are plain. Bytes are one draw, so they cost little and shrink in few steps.
CHOICES: st.SearchStrategy[bytes] = st.just(b"") | st.binary(min_size=1, max_size=12)

# Places in a text whose size is not known yet, counted from its start or, if negative, from its end. Often near either.
POINTS: st.SearchStrategy[list[int]] = st.lists(
    st.integers(0, 3) | st.integers(-4, -1) | st.integers(0, 0xFFFF), max_size=8
)


def endless(drawn: bytes) -> Choices:
    """Return the bytes as choices, over and over. No bytes give only zeros."""
    return itertools.cycle(drawn or b"\0")


def draw_choices(draw: st.DrawFn, wanted: bool = True) -> Choices:
    """Draw choices, or return the plainest ones if no others are wanted."""
    return endless(draw(CHOICES) if wanted else b"")


def cut(whole: AnyStr, points: Iterable[int]) -> list[AnyStr]:
    """Cut `whole` at each of `points`, modulo its size. A point that repeats makes an empty piece."""
    edges: Sequence[int] = [0, *sorted(point % (len(whole) + 1) for point in points), len(whole)]
    return [whole[begin:end] for begin, end in itertools.pairwise(edges)]


def fragments(text: AnyStr) -> st.SearchStrategy[list[AnyStr]]:
    """Cut `text` anywhere, often near its ends; some pieces may be empty."""
    return POINTS.map(lambda points: cut(text, points))
