"""JSON: values, the texts that say them, and the fragments in which a text arrives.

A text is its value and a list of small numbers, the whims: each place where JSON leaves a choice (blanks, how to write
a character or a float) takes the next of them, round and round. No whims is the plainest text, so that is what a
failure shrinks to.
"""

from __future__ import annotations

import functools
import itertools
import json
import math
from collections.abc import Iterable, Sequence
from typing import Any, AnyStr, TypeAlias

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

__all__ = [
    "JSON",
    "RepeatedKeys",
    "Whims",
    "cut",
    "fragments",
    "json_objects",
    "json_texts",
    "json_values",
    "partial_json_deltas",
    "texts",
    "whims",
    "write",
]

JSON: TypeAlias = Any
Whims: TypeAlias = list[int]


class RepeatedKeys(dict[str, Any]):
    """An object whose text names some keys more than once.

    As a value it is what JSON readers make of it, where the last of each counts. `json_texts` and
    `partial_json_deltas` write all `members`.
    """

    def __init__(self, members: Iterable[tuple[str, Any]] = ()) -> None:
        self.members = tuple(members)
        super().__init__(self.members)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self.members)!r})"


# Values

# Every character that JSON escapes, what passes for a line end or a blank elsewhere, the edges of the surrogates, and
# characters of two, three and four bytes.
_TRICKY = '"\\/\b\f\n\r\t\0\x1f\x7f{}[]:, \x0b\u0085\u2028\u2029\ufeffé漢\ud7ff\ue000😀𐀀\U0010ffff'
# Hypothesis joins two plain alphabets into one, in which these few would be lost: so this one is not plain.
_CHARACTERS = st.characters(codec="utf-8") | st.sampled_from(_TRICKY).map(str)
# Where a float, a signed or an unsigned word ends.
_EDGES = [2**53, 2**53 + 1, -(2**63), 2**63, 2**64, 10**40]


def texts(*, max_size: int = 20) -> SearchStrategy[str]:
    """Unicode text without lone surrogates, of at most `max_size` characters; often those that break readers."""
    return st.text(_CHARACTERS, max_size=max_size)


def json_values(*, max_leaves: int = 8, duplicate_keys: bool = False) -> SearchStrategy[JSON]:
    """Any JSON value: scalars of all sizes, and containers that are mixed, deep (to 60 levels) or wide (to 200 items).

    Args:
        max_leaves: How many scalars a mixed value has, about.
        duplicate_keys: Whether some objects are `RepeatedKeys`.

    ```python
    @given(json_values())
    def test_comes_back(value):
        assert json.loads(json.dumps(value)) == value
    ```
    """
    return _drawn_json(max_leaves, duplicate_keys)


# Of a composite strategy only the name and the arguments are shown. What it draws from is large, and Hypothesis shows
# strategies to itself when it shrinks: so these are what the public functions return, here and for wire objects.
@st.composite
def _drawn_json(draw: st.DrawFn, max_leaves: int, duplicate_keys: bool) -> JSON:
    return draw(_json_values(max_leaves, duplicate_keys))


@st.composite
def _drawn_object(draw: st.DrawFn, max_leaves: int, duplicate_keys: bool) -> dict[str, JSON]:
    return draw(_json_objects(max_leaves, duplicate_keys))


# Cached, like all that strategies are made of at every draw: making one takes longer than drawing from it.
@functools.cache
def _json_values(max_leaves: int, duplicate_keys: bool) -> SearchStrategy[JSON]:
    numbers = st.integers() | st.sampled_from(_EDGES) | st.floats(allow_nan=False, allow_infinity=False)
    scalars = st.none() | st.booleans() | numbers | texts()
    mixed = st.recursive(scalars, lambda inner: _containers(inner, duplicate_keys), max_leaves=max_leaves)
    deep = st.builds(_deep, scalars, st.integers(0, 6) | st.integers(0, 60), st.integers(0, 7))
    return mixed | deep | st.builds(_wide, scalars, st.integers(0, 20) | st.integers(0, 200))


def json_objects(*, max_leaves: int = 8, duplicate_keys: bool = False) -> SearchStrategy[dict[str, JSON]]:
    """Any JSON object, as the input of a tool is one; the arguments are those of `json_values`."""
    return _drawn_object(max_leaves, duplicate_keys)


@functools.cache
def _json_objects(max_leaves: int, duplicate_keys: bool) -> SearchStrategy[dict[str, JSON]]:
    return _objects(_json_values(max_leaves, duplicate_keys), duplicate_keys)


_KEYS = st.sampled_from(["a", "b", ""]) | texts(max_size=8)


def _containers(inner: SearchStrategy[JSON], duplicate_keys: bool) -> SearchStrategy[JSON]:
    return st.lists(inner, max_size=4) | _objects(inner, duplicate_keys)


def _objects(inner: SearchStrategy[JSON], duplicate_keys: bool) -> SearchStrategy[dict[str, JSON]]:
    objects: SearchStrategy[dict[str, JSON]] = st.dictionaries(_KEYS, inner, max_size=4)
    if duplicate_keys:
        objects |= st.lists(st.tuples(st.sampled_from(["a", "b", ""]), inner), max_size=5).map(RepeatedKeys)
    return objects


def _deep(value: JSON, levels: int, objects: int) -> JSON:
    # Which levels are objects, three bits say, round and round.
    for level in range(levels):
        value = {"": value} if objects >> level % 3 & 1 else [value]
    return value


def _wide(value: JSON, width: int) -> JSON:
    return [value] * width if width % 2 else {str(number): value for number in range(width)}


# Texts


def whims(*, max_size: int = 12) -> SearchStrategy[Whims]:
    """What decides how a text or a stream is written; see the module."""
    return _whims(max_size)


@functools.cache
def _whims(max_size: int) -> SearchStrategy[Whims]:
    return st.lists(st.integers(0, 7), max_size=max_size)


def json_texts(value: JSON) -> SearchStrategy[str]:
    """Every way, near enough, to write `value` as JSON: with any blanks, escapes and forms of floats."""
    return whims().map(lambda drawn: write(value, drawn))


def partial_json_deltas(value: JSON) -> SearchStrategy[list[str]]:
    r"""The fragments in which `value` may arrive as a tool's input: a text of it, cut anywhere, also inside an escape
    and a number. Some are empty; an empty object may come as no fragments at all.

    Their concatenation is JSON text of `value`:

    ```python
    @given(st.data(), json_objects(duplicate_keys=True))
    def test_fragments(data, value):
        partial = PartialJSON()
        for fragment in data.draw(partial_json_deltas(value)):
            partial.feed(fragment)
        assert (partial.value or {}) == value
    ```
    """
    some = json_texts(value).flatmap(fragments)
    return st.just([]) | some if value == {} else some


def write(value: JSON, drawn: Whims) -> str:
    """`value` as JSON text, written as the whims have it."""
    return _write(value, itertools.cycle(drawn or [0]))


_BLANKS = ("", "", "", " ", "", "\n", "\t", "\r\n  ")


def _write(value: JSON, dice: Iterable[int]) -> str:
    roll = iter(dice)

    def blank() -> str:
        return _BLANKS[next(roll)]

    def written(value: JSON) -> str:
        if isinstance(value, str):
            return '"' + "".join(_character(character, next(roll)) for character in value) + '"'
        if isinstance(value, float) and math.isfinite(value):
            return _float(value, next(roll))
        if isinstance(value, (list, tuple)):
            return "[" + (",".join(blank() + written(item) + blank() for item in value) or blank()) + "]"
        if isinstance(value, dict):
            members = value.members if isinstance(value, RepeatedKeys) else value.items()
            pairs = (
                blank() + written(key) + blank() + ":" + blank() + written(item) + blank() for key, item in members
            )
            return "{" + (",".join(pairs) or blank()) + "}"
        return json.dumps(value)

    return blank() + written(value) + blank()


def _character(character: str, whim: int) -> str:
    plain = json.dumps(character, ensure_ascii=False)[1:-1]
    if whim < 4:
        return plain
    if whim == 4:
        return json.dumps(character)[1:-1]
    if whim == 5:
        return "\\/" if character == "/" else plain
    units = character.encode("utf-16-be")
    form = "\\u{:02x}{:02x}" if whim == 6 else "\\u{:02X}{:02X}"
    return "".join(form.format(units[i], units[i + 1]) for i in range(0, len(units), 2))


def _float(value: float, whim: int) -> str:
    # 17 digits are enough to give the very same float back.
    forms = {5: "{:.16e}", 6: "{:.16E}", 7: "{:.20e}"}
    return forms.get(whim, "{!r}").format(value)


# Pieces


def cut(whole: AnyStr, points: Iterable[int]) -> list[AnyStr]:
    """`whole` cut at `points`, which may repeat: then there is an empty piece. No points leave it in one piece."""
    edges: Sequence[int] = [0, *sorted(points), len(whole)]
    return [whole[begin:end] for begin, end in itertools.pairwise(edges)]


def fragments(text: AnyStr) -> SearchStrategy[list[AnyStr]]:
    """`text` in pieces, cut anywhere, often near its ends; some may be empty."""
    size = len(text)
    points = st.integers(0, size) | st.integers(0, min(3, size)) | st.integers(0, min(3, size)).map(lambda n: size - n)
    return st.lists(points, max_size=8).map(lambda drawn: cut(text, drawn))
