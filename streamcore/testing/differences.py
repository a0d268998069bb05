"""Describe how two streams or two messages differ, in lines of text.

The lines name each place where the two differ, and show both sides. Events that are equal are left out, except those
next to a difference. Long strings are cut, and after some differences the others are only counted.

Where the two agree the cost is linear. `difflib` aligns the events between the first and the last difference.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, zip_longest
from typing import Any

import attrs

from streamcore.types import MessageStreamEvent
from streamcore.types.base import plain

_WIDTH = 100
_AROUND = 24  # characters of a long string shown before the first that differs
_MOST_PLACES = 8
_MOST_RUNS = 5
_MOST_OF_A_RUN = 8
# Above this, events are compared place by place: difflib can take the square of their number.
_MOST_TO_ALIGN = 2000

ABSENT = object()


# Values


@attrs.frozen
class Difference:
    """A place where two values differ. `left` or `right` is `ABSENT` if only the other has a value there."""

    path: str
    left: Any
    right: Any

    def lines(self) -> list[str]:
        place = self.path or "the value"
        if self.left is ABSENT:
            return [f"{place}: only on the right: {_short(self.right)}"]
        if self.right is ABSENT:
            return [f"{place}: only on the left: {_short(self.left)}"]
        left, right = _short(self.left), _short(self.right)
        at = 0
        if isinstance(self.left, str) and isinstance(self.right, str):
            at = _first_difference(self.left, self.right)
            left, right = _around(self.left, at), _around(self.right, at)
            place += f", from character {at} on" if at > _AROUND or len(left) + len(right) > _WIDTH else ""
        if at > _AROUND or len(left) + len(right) > _WIDTH:
            return [f"{place}:", f"    left   {left}", f"    right  {right}"]
        return [f"{place}: {left} on the left, {right} on the right"]


def value_lines(left: object, right: object) -> list[str]:
    """Return lines for the places where two wire objects, or two JSON values, differ; none if they are equal."""
    differences = list(differences_of(plain(left), plain(right)))
    lines = [line for difference in differences[:_MOST_PLACES] for line in difference.lines()]
    return lines + _and_more(len(differences) - _MOST_PLACES, "difference")


def differences_of(left: Any, right: Any, path: str = "") -> Iterator[Difference]:
    """Yield the places where two JSON values differ."""
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        for key in [*left, *(key for key in right if key not in left)]:
            below = f"{path}.{key}" if path else str(key)
            yield from differences_of(left.get(key, ABSENT), right.get(key, ABSENT), below)
    elif isinstance(left, list) and isinstance(right, list):
        for number, (one, other) in enumerate(zip_longest(left, right, fillvalue=ABSENT)):
            yield from differences_of(one, other, f"{path}[{number}]")
    elif type(left) is not type(right) or left != right:
        yield Difference(path, left, right)


def _first_difference(left: str, right: str) -> int:
    for number, (one, other) in enumerate(zip(left, right, strict=False)):
        if one != other:
            return number
    return min(len(left), len(right))


def _around(text: str, at: int) -> str:
    start = at - _AROUND if at > _AROUND else 0
    end = start + _WIDTH - _AROUND
    return f"{'…' if start else ''}{text[start:end]!r}{'…' if end < len(text) else ''}"


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


# Events


def event_lines(left: Sequence[MessageStreamEvent], right: Sequence[MessageStreamEvent]) -> list[str]:
    """Return lines for the places where two lists of events differ; none if they are equal.

    Each event is shown with its number, starting from 0. An event that both have is shown once, for orientation.
    """
    runs = [run for run in _runs(left, right) if run[0] != "equal"]
    lines: list[str] = []
    shown_to = 0
    for _, left_start, left_end, right_start, right_end in runs[:_MOST_RUNS]:
        if left_start > shown_to:
            lines += ["…"] * (left_start - 1 > shown_to)
            lines.append(_line("", left_start - 1, left[left_start - 1]))
        lines += _run_lines(left[left_start:left_end], right[right_start:right_end], left_start, right_start)
        shown_to = left_end
    if runs and shown_to < len(left) and len(runs) <= _MOST_RUNS:
        lines.append(_line("", shown_to, left[shown_to]))
        lines += ["…"] * (shown_to + 1 < len(left))
    return lines + _and_more(len(runs) - _MOST_RUNS, "place", "where they differ")


_Run = tuple[str, int, int, int, int]


def _runs(left: Sequence[Any], right: Sequence[Any]) -> Iterator[_Run]:
    """Yield the changes that turn the left into the right, as `difflib` describes them."""
    shorter = min(len(left), len(right))
    start = next((n for n in range(shorter) if left[n] != right[n]), shorter)
    tail = next((n for n in range(shorter - start) if left[-1 - n] != right[-1 - n]), shorter - start)
    left_end, right_end = len(left) - tail, len(right) - tail
    if max(left_end, right_end) - start > _MOST_TO_ALIGN:
        yield from _places(left, right, start, left_end, right_end)
        return
    # An event may contain a dict, which `difflib` cannot hash: compare its JSON.
    one, other = ([item.model_dump_json() for item in side] for side in (left[start:left_end], right[start:right_end]))
    for tag, a, b, c, d in difflib.SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        yield (tag, start + a, start + b, start + c, start + d)


def _places(left: Sequence[Any], right: Sequence[Any], start: int, left_end: int, right_end: int) -> Iterator[_Run]:
    """Yield such changes without alignment: compare each event with the one of the same number."""
    both = min(left_end, right_end)
    number = start
    for equal, run in groupby(left[n] == right[n] for n in range(start, both)):
        length = len(list(run))
        if not equal:
            yield ("replace", number, number + length, number, number + length)
        number += length
    if left_end != right_end:
        yield ("replace", both, left_end, both, right_end)


def _run_lines(left: Sequence[Any], right: Sequence[Any], left_start: int, right_start: int) -> list[str]:
    lines: list[str] = []
    pairs = list(enumerate(zip_longest(left, right)))
    for number, (one, other) in pairs[:_MOST_OF_A_RUN]:
        if one is not None:
            lines.append(_line("left", left_start + number, one))
        if other is not None:
            lines.append(_line("right", right_start + number, other))
        if one is not None and other is not None and one.type == other.type:
            lines += [f"{'':12}{line}" for line in value_lines(one, other)]
    return lines + _and_more(len(pairs) - _MOST_OF_A_RUN, "event", "here")


def _line(side: str, number: int, event: MessageStreamEvent) -> str:
    fields = {key: value for key, value in event.to_dict().items() if key != "type"}
    return f"{side:5} {number:>5}  {event.type}" + (f"  {_short(fields)}" if fields else "")


def _and_more(number: int, noun: str, where: str = "") -> list[str]:
    if number <= 0:
        return []
    return [f"… and {number} more {noun}{'s' if number > 1 else ''} {where}".rstrip()]
