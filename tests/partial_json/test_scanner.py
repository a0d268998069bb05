"""`Scanner`: the values that close at one depth, however the text is cut."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamcore.partial_json import PartialJSON, Scanner, ValueAt
from streamcore.testing.strategies import fragments, json_texts, json_values

DOCUMENTS = json_values(duplicate_keys=True).flatmap(json_texts)


def values_at(value: Any, depth: int, path: tuple[str | int, ...] = ()) -> Iterator[ValueAt]:
    """The values at a depth of a document whose objects are lists of pairs, in their order."""
    is_object = isinstance(value, tuple)
    if depth == 0:
        yield ValueAt(path, merged(value))
    elif is_object:
        for key, member in value:
            yield from values_at(member, depth - 1, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from values_at(item, depth - 1, (*path, index))


def merged(value: Any) -> Any:
    """Such a document as JSON has it: of a repeated key the last value counts."""
    if isinstance(value, tuple):
        return {key: merged(member) for key, member in value}
    return [merged(item) for item in value] if isinstance(value, list) else value


def closed(pieces: list[str], depth: int) -> list[ValueAt]:
    scanner = Scanner(watch_depth=depth)
    found: list[ValueAt] = []
    for piece in pieces:
        scanner.scan(piece)
        found += scanner.take_closed()
    scanner.end()
    assert scanner.done
    return found + scanner.take_closed()


@given(DOCUMENTS, st.integers(0, 4), st.data())
def test_each_value_at_the_watched_depth_is_given_once_also_of_a_repeated_key(
    text: str, depth: int, data: st.DataObject
) -> None:
    document = json.loads(text, object_pairs_hook=tuple)
    expected = list(values_at(document, depth))
    assert repr(closed(data.draw(fragments(text)), depth)) == repr(expected)


@pytest.mark.parametrize(
    ("text", "before_last", "after_last"),
    [
        ('["a"', [], ["a"]),
        ("[true", [], [True]),
        ("[12", [], []),
        ("[12,", [], [12]),
        ("[12 ", [], [12]),
        ("[[1]", [], [[1]]),
        ('{"a":{}', [], [{}]),
        ("[1,2x", [1], [1, 2]),
        ("[1,]", [1], [1]),
    ],
)
def test_a_value_closes_with_its_last_character_and_a_number_with_the_next(
    text: str, before_last: list[Any], after_last: list[Any]
) -> None:
    for stop, expected in ((len(text) - 1, before_last), (len(text), after_last)):
        scanner = Scanner(watch_depth=1)
        scanner.scan(text[:stop])
        assert [item.value for item in scanner.take_closed()] == expected
        assert scanner.take_closed() == []


def test_a_number_at_the_top_closes_at_the_end_of_the_text() -> None:
    assert closed(["1", "2"], 0) == [((), 12)]


def test_the_open_string_is_shown_at_the_watched_depth_only() -> None:
    scanner = Scanner(watch_depth=1)
    seen: list[Any] = []
    for character in '{"k":"a\\n","l":["b"],"m':
        scanner.scan(character)
        string = scanner.open_string()
        seen += [] if string is None else [string]
    assert seen == [(("k",), ""), (("k",), "a"), (("k",), "a"), (("k",), "a\n")]


@pytest.mark.parametrize("text", ["[1 2", "]", "[1]x", "Sure: [1]"])
def test_nothing_more_comes_after_a_fault(text: str) -> None:
    scanner = Scanner(watch_depth=1)
    scanner.scan(text)
    assert scanner.fault is not None
    assert scanner.done


def test_values_that_were_handed_over_are_not_kept() -> None:
    scanner = Scanner(watch_depth=2)
    scanner.scan('{"rows":[{"id":1},"two",[3]],"rest":[4')
    assert [item.path for item in scanner.take_closed()] == [("rows", 0), ("rows", 1), ("rows", 2)]
    assert scanner.snapshot() == {"rows": [None, None, None], "rest": [4]}


@given(DOCUMENTS.flatmap(fragments))
def test_watching_changes_neither_what_is_accepted_nor_where_the_fault_is(pieces: list[str]) -> None:
    pieces = [*pieces, " x"]
    plain, watching = PartialJSON(), Scanner(watch_depth=1)
    for piece in pieces:
        plain.feed(piece)
        if watching.fault is None:
            watching.scan(piece)
    assert plain.error is not None
    assert watching.fault is not None
    assert watching.fault.offset == plain.error.offset
