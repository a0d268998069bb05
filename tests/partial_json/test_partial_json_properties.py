"""`PartialJSON` against jiter, and against itself cut and read in other ways."""

from __future__ import annotations

import copy
import json
import math
from itertools import pairwise
from typing import Any

import jiter
from helpers import examples
from hypothesis import example, given
from hypothesis import strategies as st

from streamcore.errors import DecodeError, LimitExceededError
from streamcore.partial_json import PartialJSON
from streamcore.testing.strategies import fragments, json_texts, json_values


@st.composite
def number_texts(draw: st.DrawFn) -> str:
    integer = str(draw(st.integers(0, 99) | st.integers(0, 10**40)))
    fraction = draw(st.just("") | st.text("0123456789", min_size=1, max_size=20).map(".{}".format))
    exponent = draw(st.just("") | st.from_regex(r"[eE][+-]?[0-9]{1,3}", fullmatch=True))
    return draw(st.sampled_from(["", "-"])) + integer + fraction + exponent


# What no value in Python says, or not in this form.
ODD_TEXTS = number_texts() | st.sampled_from(
    ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "-0", "-0.0", '"\\u0061"', '{"a":1,"\\u0061":[]}']
)


def around(odd: list[str], text: str) -> str:
    """A document that holds other texts beside its own."""
    return "[" + ",".join([*odd, text, '{"a":' + (odd[0] if odd else "0") + "}"]) + "]"


PLAIN = json_values(duplicate_keys=True).flatmap(json_texts)
DOCUMENTS = PLAIN | ODD_TEXTS | st.builds(around, st.lists(ODD_TEXTS, max_size=3), PLAIN)
LOOKS_LIKE_JSON = st.text('{}[]:,"\\ue+-.0123truefalsnNaIity \n\x00\ud83d\ude00a', max_size=30)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A document with up to three characters lost, changed or put in."""
    text = draw(DOCUMENTS)
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        stop = start + draw(st.integers(0, 2))
        text = text[:start] + draw(st.just("") | LOOKS_LIKE_JSON.map(lambda piece: piece[:2])) + text[stop:]
    return text


def exact(value: Any) -> str:
    """Tells apart what `==` takes for equal: 1 and 1.0 and True, 0.0 and -0.0, the order of keys."""
    return repr(value)


def jiter_value(text: str, *, trailing_strings: bool) -> Any:
    try:
        return jiter.from_json(text.encode(), partial_mode="trailing-strings" if trailing_strings else True)
    except ValueError as error:
        if "EOF" not in str(error):
            raise
        return None


def outcome(decoder: PartialJSON) -> tuple[Any, ...]:
    """All that can be seen from outside of a text that has been closed."""
    try:
        decoder.close()
    except (DecodeError, LimitExceededError) as error:
        if error is not decoder.error:
            raise
        return type(error), error.message, error.offset, exact(decoder.best), decoder.text
    assert decoder.complete
    assert decoder.error is None
    return exact(decoder.value), exact(decoder.best), decoder.text


def jiter_accepts(text: str) -> bool:
    try:
        jiter.from_json(text.encode(), partial_mode=False, allow_inf_nan=True)
    except ValueError:
        return False
    return True


@examples(2.5)
@given(DOCUMENTS, st.booleans())
@example('{"a":1,"b":[],"a":{"":"\\ud83d\\ude00"}}', True)
def test_every_prefix_of_a_document_has_the_value_that_jiter_gives_it(text: str, trailing_strings: bool) -> None:
    decoder = PartialJSON(trailing_strings=trailing_strings)
    for stop in range(len(text) + 1):
        expected = exact(jiter_value(text[:stop], trailing_strings=trailing_strings))
        assert exact(decoder.value) == expected
        fresh = PartialJSON(trailing_strings=trailing_strings)
        fresh.feed(text[:stop])
        assert exact(fresh.value) == expected
        assert fresh.complete == decoder.complete
        decoder.feed(text[stop : stop + 1])
    assert exact(decoder.close()) == exact(jiter.from_json(text.encode()))


@examples(5)
@given((DOCUMENTS | mutated() | LOOKS_LIKE_JSON).flatmap(fragments), st.booleans(), st.data())
def test_outcome_depends_on_the_text_alone(fragments: list[str], trailing_strings: bool, data: st.DataObject) -> None:
    never, always, sometimes, whole = (PartialJSON(trailing_strings=trailing_strings) for _ in range(4))
    whole.feed("".join(fragments))
    for fragment in fragments:
        for decoder in (never, always, sometimes):
            decoder.feed(fragment)
        _ = always.best
        if data.draw(st.booleans()):
            _ = sometimes.error
    expected = outcome(whole)
    assert outcome(never) == expected
    assert outcome(always) == expected
    assert outcome(sometimes) == expected


@examples(8)
@given(DOCUMENTS | mutated() | LOOKS_LIKE_JSON | st.text(max_size=20))
@example("[1 2")
@example('"\\ud83d"')
@example("01")
def test_a_whole_text_is_accepted_exactly_if_jiter_accepts_it(text: str) -> None:
    decoder = PartialJSON()
    decoder.feed(text)
    try:
        value = decoder.close()
    except DecodeError:
        assert not jiter_accepts(text)
    else:
        assert exact(value) == exact(jiter.from_json(text.encode()))


@examples(5)
@given(mutated() | LOOKS_LIKE_JSON | st.text(max_size=20))
def test_fault_is_at_the_first_character_that_makes_the_text_wrong(text: str) -> None:
    whole = PartialJSON()
    whole.feed(text)
    error = whole.error
    decoder = PartialJSON()
    for offset, character in enumerate(text):
        assert decoder.error is None
        before = exact(decoder.best)
        decoder.feed(character)
        if decoder.error is not None:
            assert error is not None
            assert error.offset == decoder.error.offset == offset
            assert exact(whole.best) == exact(decoder.best)
            assert before == exact(decoder.best) or character not in ' \t\n\r"'
            return
    assert error is None


@examples(2.5)
@given(DOCUMENTS)
def test_values_handed_out_never_change_and_closed_parts_are_shared(text: str) -> None:
    decoder = PartialJSON()
    handed_out: list[tuple[Any, Any]] = []
    for character in text:
        decoder.feed(character)
        handed_out.append((decoder.value, copy.deepcopy(decoder.value)))
    for value, before in handed_out:
        assert exact(value) == exact(before)
    for (value, _), (later, _) in pairwise(handed_out):
        # All but the last element, which was open, was closed and must be the same object.
        if isinstance(value, list) and isinstance(later, list):
            assert all(a is b for a, b in zip(value[:-1], later, strict=False))


@examples(5)
@given(number_texts())
def test_numbers_are_those_of_python(text: str) -> None:
    for document in (f"[{text}]", f"[{text}"):
        decoder = PartialJSON()
        decoder.feed(document)
        (number,) = decoder.value
        expected = json.loads(text)
        assert type(number) is type(expected)
        assert number == expected
        if isinstance(number, float):
            assert math.copysign(1, number) == math.copysign(1, expected)
