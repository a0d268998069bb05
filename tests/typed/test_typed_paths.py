"""Paths, and the reader that finds what stands at them in a text that arrives in fragments."""

from __future__ import annotations

import enum
import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import attrs
import pytest
from helpers import JSON_VALUES, NASTY_TEXT
from hypothesis import given
from hypothesis import strategies as st

from streamcore.partial_json import Scanner, ValueAt
from streamcore.typed import PathError
from streamcore.typed.faults import JSONStep, format_path
from streamcore.typed.paths import Path, PathReader, PathStep, parse_path, resolve

# The language


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", Path(())),
        ("~", Path((), grows=True)),
        ("summary", Path((PathStep("summary"),))),
        ("summary~", Path((PathStep("summary"),), grows=True)),
        ("edits.*", Path((PathStep("edits"), PathStep()))),
        ("a.*.b", Path((PathStep("a"), PathStep(), PathStep("b")))),
        ("a.12", Path((PathStep("a"), PathStep("12", 12)))),
        ("a.012", Path((PathStep("a"), PathStep("012")))),
        ('a."12"', Path((PathStep("a"), PathStep("12")))),
        ('"a.b"."*"."~"', Path((PathStep("a.b"), PathStep("*"), PathStep("~")))),
        (r'"a\"\u00e9"', Path((PathStep('a"é'),))),
        ("first name", Path((PathStep("first name"),))),
        ("größe.漢", Path((PathStep("größe"), PathStep("漢")))),
    ],
)
def test_a_path_is_read_as_its_steps(text: str, path: Path) -> None:
    assert parse_path(text) == path


@pytest.mark.parametrize(
    "text", [".", "a.", ".a", "a..b", "a*", "*a", "a~b", "a~~", '"a', 'a"b"', '"a"b', r'"\x"', "a.~", '"~']
)
def test_what_is_no_path_is_refused_with_the_place(text: str) -> None:
    with pytest.raises(PathError, match="is not a path"):
        parse_path(text)


@given(st.lists(NASTY_TEXT | st.integers(0, 10**6), max_size=4))
def test_a_formatted_path_is_read_back(steps: list[JSONStep]) -> None:
    read = parse_path(format_path(steps))
    assert [step.key if isinstance(was, str) else step.index for step, was in zip(read.steps, steps, strict=True)] == (
        steps
    )
    assert parse_path(str(read)) == read


# Paths through types


@attrs.frozen
class Insert:
    kind: Literal["insert"]
    text: str


@attrs.frozen
class Delete:
    kind: Literal["delete"]
    count: int


class Color(enum.Enum):
    RED = "red"


class Point(NamedTuple):
    x: float
    name: str


@attrs.frozen
class Report:
    title: str
    edits: list[Insert | Delete]
    by_name: dict[str, Insert]
    point: Point
    color: Color
    free: Any
    note: str | None = None


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("", Report),
        ("title", str),
        ("title~", str),
        ("note", str | None),
        ("note~", str),
        ("color~", str),
        ("edits", list[Insert | Delete]),
        ("edits.*", Insert | Delete),
        ("edits.3", Insert | Delete),
        ("edits.*.text", str),
        ("edits.*.count", int),
        ("by_name.whoever.text", str),
        ("by_name.*", Insert),
        ("point.0", float),
        ("point.*", float | str),
        ("free.what.ever", Any),
        ("free~", str),
    ],
)
def test_a_path_leads_to_a_type(path: str, found: Any) -> None:
    assert resolve(parse_path(path), Report) == found


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("tittle", "no member 'tittle', but 'title', 'edits'"),
        ("title.x", "title is a string, which has no members or items"),
        ("edits.text", "an array, which has no member 'text': its items are '\\*'"),
        ("edits.*.size", "no member 'size'"),
        ("point.2", "an array of 2, which has no item '2'"),
        ("edits~", "there is an array, not text"),
        ("edits.*.count~", "there is an integer, not text"),
    ],
)
def test_a_path_that_no_value_can_have_is_refused_with_the_reason(path: str, why: str) -> None:
    with pytest.raises(PathError, match=why):
        resolve(parse_path(path), Report)


# The reader


@attrs.frozen
class Place:
    """Where a value stands in a text; `complete` is how many characters must have come for it to be complete."""

    steps: tuple[JSONStep, ...]
    value: Any
    complete: int


def places(text: str, position: int, steps: tuple[JSONStep, ...] = ()) -> Iterator[Place | int]:
    """Every value in a JSON text, in the order of their ends, then where the value at `position` ends; by recursion
    over the grammar, as slow as can be."""
    while text[position] in " \n":
        position += 1
    begin = position
    if text[position] not in "[{":
        value, end = json.JSONDecoder().raw_decode(text, position)
        yield Place(steps, value, end + (text[begin] in "-0123456789"))
        yield end
        return
    close = {"[": "]", "{": "}"}[text[position]]
    position += 1
    count = 0
    while True:
        while text[position] in " \n,:":
            position += 1
        if text[position] == close:
            break
        step: JSONStep = count
        if close == "}":
            step, position = json.JSONDecoder().raw_decode(text, position)
            while text[position] in " \n:":
                position += 1
        for found in places(text, position, (*steps, step)):
            if isinstance(found, int):
                position = found
            else:
                yield found
        count += 1
    yield Place(steps, json.loads(text[begin : position + 1]), position + 1)
    yield position + 1


def matches(path: Path, steps: tuple[JSONStep, ...]) -> bool:
    return len(path.steps) == len(steps) and all(
        want.any or (want.key == step if isinstance(step, str) else want.index == step)
        for want, step in zip(path.steps, steps, strict=True)
    )


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, Path]:
    """A JSON text, in some layout, and a path that something in it has, or nothing."""
    value = draw(JSON_VALUES)
    separators = draw(st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : ")]))
    text = json.dumps(
        value, ensure_ascii=draw(st.booleans()), separators=separators, indent=draw(st.sampled_from([None, None, 1]))
    )
    text = draw(st.sampled_from(["", " \n"])) + text + draw(st.sampled_from(["", " \n"]))
    steps = draw(st.sampled_from([place.steps for place in places(text, 0) if isinstance(place, Place)]))
    path = [
        PathStep() if draw(st.booleans()) else PathStep(*((step,) if isinstance(step, str) else (str(step), step)))
        for step in steps
    ]
    if draw(st.integers(0, 5)) == 0:
        path.append(PathStep("absent"))
    return text, Path(tuple(path))


def pieces(draw: st.DataObject, text: str) -> list[str]:
    points = sorted(draw.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    edges = [0, *points, len(text)]
    return [text[begin:end] for begin, end in pairwise(edges)]


@given(documents())
def test_a_value_is_found_with_the_character_that_completes_it(document: tuple[str, Path]) -> None:
    text, path = document
    wanted = [place for place in places(text, 0) if isinstance(place, Place) and matches(path, place.steps)]
    reader = PathReader(path)
    found: list[Place] = []
    for number, char in enumerate(text):
        found += [Place(item.path, item.value, number + 1) for item in reader.feed(char)]
    found += [Place(item.path, item.value, len(text) + 1) for item in reader.close()]
    assert found == wanted


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a.*", [r'"\\"', r'"\"]"', '[{"b": "]}\\\\"}, []]', "-1.5e3", "true", "null", '""']),
        ("a.2.0.b", [r'"]}\\"']),
        (r'"\""', ["12"]),
        ("z", ["{}"]),
    ],
)
def test_strings_that_look_like_structure_are_none_wherever_they_are_cut(path: str, found: list[str]) -> None:
    text = r"""{"a": ["\\", "\"]", [{"b": "]}\\"}, []], -1.5e3, true, null, ""], "\"": 12 , "z": {}}"""
    assert json.loads(text)
    for size in (1, 2, 3, 5, 1000):
        reader = PathReader(parse_path(path))
        cut = [text[start : start + size] for start in range(0, len(text), size)]
        values = [item.value for piece in cut for item in reader.feed(piece)] + reader.close()
        assert values == [json.loads(value) for value in found]


@given(documents(), st.data())
def test_the_values_do_not_depend_on_the_chunking(document: tuple[str, Path], data: st.DataObject) -> None:
    text, path = document
    wanted = [
        ValueAt(place.steps, place.value)
        for place in places(text, 0)
        if isinstance(place, Place) and matches(path, place.steps)
    ]
    reader = PathReader(path)
    found = [item for piece in pieces(data, text) for item in reader.feed(piece)] + reader.close()
    assert found == wanted


@given(st.text() | NASTY_TEXT, st.booleans(), st.data())
def test_a_growing_string_comes_in_pieces_that_make_it_up(value: str, ascii_only: bool, data: st.DataObject) -> None:
    text = json.dumps({"before": [value], "it": value, "after": value}, ensure_ascii=ascii_only)
    begin = len(json.dumps({"before": [value]}, ensure_ascii=ascii_only)) - 1 + len(', "it": ') + 1
    end = begin + len(json.dumps(value, ensure_ascii=ascii_only)) - 2
    reader = PathReader(parse_path("it~"))
    so_far, position = "", 0
    for piece in pieces(data, text):
        position += len(piece)
        found = reader.feed(piece)
        assert all(item.path == ("it",) for item in found)
        assert all(item.value for item in found), "an empty piece says nothing"
        so_far += "".join(item.value for item in found)
        # At any time all of it has come but an escape that was cut.
        raw = text[begin : min(max(begin, position), end)]
        assert value.startswith(so_far)
        assert len(json.dumps(so_far, ensure_ascii=ascii_only)) - 2 > len(raw) - 12
    assert so_far == value


@pytest.mark.parametrize(
    "text", ["[1,]", '{"a" 1}', '{"a":1,}', "{1:2}", "[1 2]", "[,1]", '{"a":,}', "]", "Sure! Here: [1]", '{"\\x":1}']
)
def test_a_text_that_is_no_json_gives_no_more_values(text: str) -> None:
    reader = PathReader(parse_path("*"))
    found = [item for char in text for item in reader.feed(char)] + reader.close()
    assert [item.value for item in found] in ([], [1])
    assert reader.done
    assert reader.feed("[5,6]") == []


def test_a_fault_ends_the_reading_at_once() -> None:
    reader = PathReader(parse_path("*"))
    assert reader.feed("Sure: ") == []
    assert reader.done
    assert reader.feed("[1]") == reader.close() == []


def test_the_characters_scanned_double_with_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a token that is cut is scanned again, and the longest one, a number, is limited."""
    scanned = 0
    original = Scanner.scan

    def scan(self: Scanner, fragment: str) -> bool:
        nonlocal scanned
        scanned += len(self._tail) + len(fragment)
        return original(self, fragment)

    monkeypatch.setattr(Scanner, "scan", scan)
    element = {"text": "x" * 5000, "escapes": "\n" * 500, "tags": ["a"] * 100, "number": 10**4000}
    counts: list[int] = []
    for items in (20, 40):
        scanned = 0
        text = json.dumps({"edits": [element] * items})
        reader = PathReader(parse_path("edits.*"))
        found = [item for start in range(0, len(text), 20) for item in reader.feed(text[start : start + 20])]
        assert [item.value for item in found] == [element] * items
        counts.append(scanned)
    assert counts[1] <= 2.01 * counts[0]


def test_a_string_that_grows_is_scanned_once(monkeypatch: pytest.MonkeyPatch) -> None:
    scanned = 0
    original = Scanner.scan

    def scan(self: Scanner, fragment: str) -> bool:
        nonlocal scanned
        scanned += len(self._tail) + len(fragment)
        return original(self, fragment)

    monkeypatch.setattr(Scanner, "scan", scan)
    text = json.dumps({"before": ["x" * 1000], "it": "y" * 20_000})
    reader = PathReader(parse_path("it~"))
    found = [item for start in range(0, len(text), 20) for item in reader.feed(text[start : start + 20])]
    assert "".join(item.value for item in found) == "y" * 20_000
    assert scanned == len(text)
