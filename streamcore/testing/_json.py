"""JSON: values, and the texts that may stand for them.

A JSON text is made from its value and from choices (see `_choices`): each place where JSON leaves a choice (blanks, how
to write a character or a float) takes the next one. Without choices, the text is the plainest.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias, TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from streamcore.testing._choices import CHOICES, POINTS, Choices, cut, endless

JSON: TypeAlias = Any
_T = TypeVar("_T")


class RepeatedKeys(dict[str, Any]):
    """An object whose text names some keys more than once.

    As a value it is what JSON readers make of it, where the last of each counts. `json_texts` and
    `partial_json_deltas` write all `members`.
    """

    def __init__(self, members: Iterable[tuple[str, Any]] = ()) -> None:
        self.members: tuple[tuple[str, Any], ...] = tuple(members)
        super().__init__(self.members)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self.members)!r})"


# Values

# Every character that JSON escapes, what passes for a line end or a blank elsewhere, the edges of the surrogates, and
# characters of two, three and four bytes.
_TRICKY = '"\\/\b\f\n\r\t\0\x1f\x7f{}[]:, \x0b\u0085\u2028\u2029\ufeffé漢\ud7ff\ue000😀𐀀\U0010ffff'
# Where a float, a signed or an unsigned word ends.
_EDGES = [2**53, 2**53 + 1, -(2**63), 2**63, 2**64, 10**40]


def texts(*, max_size: int = 20) -> SearchStrategy[str]:
    """Unicode text without lone surrogates, of at most `max_size` characters; often those that break readers."""
    # A text is one draw. One alphabet for both kinds of characters would take two draws for each character.
    return st.text(st.characters(codec="utf-8"), max_size=max_size) | st.text(_TRICKY, max_size=max_size)


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
    return made_by(_json_values, max_leaves, duplicate_keys)


def json_objects(*, max_leaves: int = 8, duplicate_keys: bool = False) -> SearchStrategy[dict[str, JSON]]:
    """Any JSON object, as the input of a tool is one; the arguments are those of `json_values`."""
    return made_by(_json_objects, max_leaves, duplicate_keys)


@st.composite
def made_by(draw: st.DrawFn, make: Callable[..., SearchStrategy[_T]], *arguments: Any) -> _T:
    """Draw from the strategy that `make` returns.

    Hypothesis prints strategies to itself when it shrinks. Of a composite strategy it prints only the arguments, and
    what `make` returns may be large.
    """
    return draw(make(*arguments))


# Cached, like all that strategies are made of at every draw: making one takes longer than drawing from it.
@functools.cache
def _json_values(max_leaves: int, duplicate_keys: bool) -> SearchStrategy[JSON]:
    numbers = st.integers() | st.sampled_from(_EDGES) | st.floats(allow_nan=False, allow_infinity=False)
    scalars = st.none() | st.booleans() | numbers | texts()
    mixed = st.recursive(scalars, lambda inner: _containers(inner, duplicate_keys), max_leaves=max_leaves)
    nested = st.builds(deep, scalars, st.integers(0, 6) | st.integers(0, 60), st.integers(0, 7))
    return mixed | nested | st.builds(_wide, scalars, st.integers(0, 20) | st.integers(0, 200))


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


def deep(value: JSON, levels: int, objects: int = 0) -> JSON:
    """Wrap a value in arrays and objects. Three bits, used over and over, say which levels are objects."""
    for level in range(levels):
        value = {"": value} if objects >> level % 3 & 1 else [value]
    return value


def _wide(value: JSON, width: int) -> JSON:
    return [value] * width if width % 2 else {str(number): value for number in range(width)}


# Texts


def json_texts(value: JSON) -> SearchStrategy[str]:
    """Write `value` as JSON text with any blanks, escapes and forms of floats."""
    return CHOICES.map(lambda drawn: write(value, endless(drawn)))


def partial_json_deltas(value: JSON) -> SearchStrategy[list[str]]:
    r"""Write `value` as the fragments in which a tool's input arrives.

    They are cut anywhere, also inside an escape or a number. Some are empty, and an empty object may have no fragments
    at all. Joined, they are JSON text of `value`:

    ```python
    @given(st.data(), json_objects(duplicate_keys=True))
    def test_fragments(data, value):
        partial = PartialJSON()
        for fragment in data.draw(partial_json_deltas(value)):
            partial.feed(fragment)
        assert (partial.value or {}) == value
    ```
    """
    some = st.builds(lambda text, points: cut(text, points), json_texts(value), POINTS)
    return st.just([]) | some if value == {} else some


_BLANKS = ("", "", "", " ", "", "\n", "\t", "\r\n  ")
_FLOATS = {5: "{:.16e}", 6: "{:.16E}", 7: "{:.20e}"}


def write(value: JSON, choices: Choices) -> str:
    """Write `value` as JSON text."""

    def blank() -> str:
        return _BLANKS[next(choices) % 8]

    def written(value: JSON) -> str:
        if isinstance(value, str):
            return '"' + "".join(_character(character, next(choices) % 8) for character in value) + '"'
        if isinstance(value, float) and math.isfinite(value):
            # 17 digits are enough to give the very same float back.
            return _FLOATS.get(next(choices) % 8, "{!r}").format(value)
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


def _character(character: str, form: int) -> str:
    plain = json.dumps(character, ensure_ascii=False)[1:-1]
    if form < 4:
        return plain
    if form == 4:
        return json.dumps(character)[1:-1]
    if form == 5:
        return "\\/" if character == "/" else plain
    units = character.encode("utf-16-be")
    escape = "\\u{:02x}{:02x}" if form == 6 else "\\u{:02X}{:02X}"
    return "".join(escape.format(units[i], units[i + 1]) for i in range(0, len(units), 2))
