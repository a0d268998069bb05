"""Parsed JSON to values of users' types: what is taken, what is not, and how that is said."""

from __future__ import annotations

import contextlib
import copy
import datetime
import decimal
import enum
import pickle
import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple, NewType, TypedDict

import attrs
import msgspec
import pydantic
import pytest
from helpers import JSON_VALUES
from hypothesis import given

from streamcore import DecodeError, MessageEngine
from streamcore.typed import (
    MISSING,
    AnswerTypes,
    Fault,
    InvalidOutputError,
    UnsupportedTypeError,
    json_schema,
    structure,
)
from streamcore.typed.paths import parse_path


class Color(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    LOW = 1


@attrs.frozen
class Edit:
    line: int
    text: str = ""


@attrs.frozen
class Insert:
    kind: Literal["insert"]
    text: str


@attrs.frozen
class Delete:
    kind: Literal["delete"]
    count: int


@attrs.frozen
class Wide:
    name: str
    size: int = 0
    color: str = ""


@attrs.frozen
class Narrow:
    name: str


class Tagged(msgspec.Struct, tag="tagged", rename="camel", forbid_unknown_fields=True):
    own_name: str
    inner: list[Edit] = []


class Other(msgspec.Struct, tag="other"):
    number: int


@dataclass
class Positive:
    number: int

    def __post_init__(self) -> None:
        if self.number <= 0:
            raise ValueError("must be above 0")


class Movie(TypedDict, total=False):
    title: str


class Pair(NamedTuple):
    left: int
    right: str = "r"


class Model(pydantic.BaseModel):
    count: int
    day: datetime.date


@attrs.frozen
class Holder:
    models: list[Model]


UserId = NewType("UserId", int)


@pytest.mark.parametrize(
    ("value", "annotation", "made"),
    [
        ("a", str, "a"),
        (2**70, int, 2**70),
        (1.0, int, 1),
        (1, float, 1.0),
        (None, None, None),
        ("red", Color, Color.RED),
        (1, Level, Level.LOW),
        ("2026-11-20", datetime.date, datetime.date(2026, 11, 20)),
        ("21:40:00", datetime.time, datetime.time(21, 40)),
        ("P1DT2H", datetime.timedelta, datetime.timedelta(days=1, hours=2)),
        ("aGk=", bytes, b"hi"),
        ("1.50", decimal.Decimal, decimal.Decimal("1.50")),
        ("12345678-1234-5678-1234-567812345678", uuid.UUID, uuid.UUID("12345678-1234-5678-1234-567812345678")),
        (7, UserId, 7),
        ([1, 1], set[int], {1}),
        ([1, 2], tuple[int, ...], (1, 2)),
        ([1, 2], Sequence[int], [1, 2]),
        ([1, 2], deque[int], deque([1, 2])),
        ([1, "a"], tuple[int, str], (1, "a")),
        ([1], Pair, Pair(1)),
        ({"a": 1}, Mapping[str, int], {"a": 1}),
        ({"a": [1]}, dict[str, Any], {"a": [1]}),
        ({"line": 1, "unknown": 2}, Edit, Edit(1)),
        ({"title": "t", "unknown": 2}, Movie, {"title": "t"}),
        ({"type": "tagged", "ownName": "n", "inner": [{"line": 1}]}, Tagged, Tagged("n", [Edit(1)])),
        ({"count": "3", "day": "2026-11-20"}, Model, Model(count=3, day=datetime.date(2026, 11, 20))),
        ({"models": []}, Holder, Holder([])),
    ],
)  # fmt: skip
def test_json_becomes_a_value_of_the_type(value: Any, annotation: Any, made: Any) -> None:
    found = structure(value, annotation)
    assert found == made
    assert type(found) is type(made)


@pytest.mark.parametrize(
    ("value", "annotation", "made"),
    [
        ({"kind": "delete", "count": 2}, Insert | Delete, Delete("delete", 2)),
        ({"type": "other", "number": 1}, Tagged | Other, Other(1)),
        ({"name": "n"}, Wide | Narrow, Wide("n")),
        ({"name": "n", "size": 1}, Narrow | Wide, Wide("n", 1)),
        (1, float | int, 1),
        (1.5, int | float, 1.5),
        ("2026-11-20", datetime.date | str, datetime.date(2026, 11, 20)),
        ("soon", datetime.date | str, "soon"),
        ([1], list[str] | list[int], [1]),
        (None, Edit | None, None),
        ({"line": 1}, dict[str, int] | Edit, {"line": 1}),
    ],
)
def test_a_union_gives_the_member_that_fits_best(value: Any, annotation: Any, made: Any) -> None:
    found = structure(value, annotation)
    assert found == made
    assert type(found) is type(made)


@pytest.mark.parametrize(
    ("value", "annotation", "faults"),
    [
        ("3", int, [("", "an integer", "3")]),
        (3, str, [("", "a string", 3)]),
        (True, int, [("", "an integer", True)]),
        (1, bool, [("", "a boolean", 1)]),
        (1.5, int, [("", "an integer", 1.5)]),
        (True, Literal[1], [("", "one of 1", True)]),
        ("1", float, [("", "a number", "1")]),
        ("x", list[str], [("", "an array", "x")]),
        ({"a": 1}, list[str], [("", "an array", {"a": 1})]),
        ([["a", 1]], dict[str, int], [("", "an object", [["a", 1]])]),
        ("blue", Color, [("", "one of 'red'", "blue")]),
        ("soon", datetime.date, [("", "a string that is a date", "soon")]),
        (1.5, decimal.Decimal, [("", "a string that is a Decimal", 1.5)]),
        (20261120, datetime.date, [("", "a string that is a date", 20261120)]),
        ([1, "2", None], list[int], [("1", "an integer", "2"), ("2", "an integer", None)]),
        ([1], tuple[int, str], [("", "an array of 2", [1])]),
        ([1, 2], tuple[int, str], [("1", "a string", 2)]),
        ({"a b": "x"}, dict[str, int], [("a b", "an integer", "x")]),
        ({"a.b": "x"}, dict[str, int], [('"a.b"', "an integer", "x")]),
        ({}, Edit, [("line", "an integer", MISSING)]),
        ([{"line": "1", "text": 2}], list[Edit], [("0.line", "an integer", "1"), ("0.text", "a string", 2)]),
        ({"title": 1}, Movie, [("title", "a string", 1)]),
        ({"type": "tagged", "ownName": 1, "x": 2}, Tagged, [("x", "nothing", 2), ("ownName", "a string", 1)]),
        ({"type": "x", "number": 1}, Other, [("type", "'other'", "x")]),
        ({"kind": "insert"}, Insert | Delete, [("text", "a string", MISSING)]),
        ("x", int | None, [("", "an integer or null", "x")]),
        ([], Edit | list[Edit] | None, []),
        (0, Annotated[int, msgspec.Meta(ge=1)], [("", "an integer (minimum 1)", 0)]),
        ("ab", Annotated[str, msgspec.Meta(max_length=1)], [("", "a string (maxLength 1)", "ab")]),
        ([{"number": 0}], list[Positive], [("0", "Positive (must be above 0)", {"number": 0})]),
    ],
)  # fmt: skip
def test_what_is_of_another_type_is_not_converted_but_named(
    value: Any, annotation: Any, faults: list[tuple[str, str, Any]]
) -> None:
    if not faults:
        assert structure(value, annotation) == value
        return
    with pytest.raises(InvalidOutputError) as caught:
        structure(value, annotation)
    assert [(fault.path, fault.expected, fault.received) for fault in caught.value.faults] == faults
    assert caught.value.value == value
    for path, expected, _ in faults:
        assert path in str(caught.value)
        assert expected in str(caught.value)


def test_too_few_items_are_a_fault() -> None:
    with pytest.raises(InvalidOutputError, match="of length >= 2"):
        structure([1], Annotated[list[int], msgspec.Meta(min_length=2)])


def test_what_pydantic_has_against_its_model_is_named_with_the_path() -> None:
    with pytest.raises(InvalidOutputError) as caught:
        structure({"models": [{"count": "many"}]}, Holder)
    assert [(fault.path, fault.received) for fault in caught.value.faults] == [
        ("models.0.count", "many"),
        ("models.0.day", MISSING),
    ]
    assert "valid integer" in str(caught.value)


def test_the_message_says_path_expected_type_and_what_arrived() -> None:
    with pytest.raises(InvalidOutputError) as caught:
        structure({"line": "seven", "text": None}, Edit, what="the input of 'edit'")
    assert str(caught.value) == (
        "the input of 'edit' is not of the type Edit: at line: expected an integer, got a string: \"seven\"; "
        "at text: expected a string, got null"
    )
    assert isinstance(caught.value, DecodeError)


def test_the_error_of_many_faults_shows_some_and_keeps_all() -> None:
    with pytest.raises(InvalidOutputError, match="and 94 more") as caught:
        structure(["x"] * 99, list[int])
    assert len(caught.value.faults) == 99


@pytest.mark.parametrize(
    ("value", "annotation"),
    [
        (["x"] * 10_000, list[int]),
        ([{}] * 10_000, list[Edit]),
        ({str(number): "x" for number in range(10_000)}, dict[str, int]),
        ([["x"] * 3] * 10_000, list[list[int]]),
        ([{}] * 10_000, list[Model]),
    ],
    ids=["list", "list of objects", "map", "list of lists", "list of pydantic models"],
)
def test_the_faults_of_an_answer_are_bounded(value: Any, annotation: Any) -> None:
    with pytest.raises(InvalidOutputError, match=r"and at least \d+ more") as caught:
        structure(value, annotation)
    assert 100 <= len(caught.value.faults) <= 102
    assert str(caught.value.faults[0].path).startswith("0")


@pytest.mark.parametrize("key", ["a\ud83d.", "\ude00*", '"\ud83d'])
def test_a_wrong_value_under_a_key_with_half_of_a_surrogate_pair(key: str) -> None:
    with pytest.raises(InvalidOutputError) as caught:
        structure({key: "x"}, dict[str, int])
    assert parse_path(caught.value.faults[0].path).steps[0].key == key


def test_an_error_and_its_faults_are_values() -> None:
    with pytest.raises(InvalidOutputError) as caught:
        structure({}, Edit)
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.faults == caught.value.faults == (Fault("line", "an integer", MISSING),)
    assert again.faults[0].received is MISSING
    assert copy.deepcopy(MISSING) is MISSING
    assert not MISSING
    assert repr(MISSING) == "MISSING"


def test_what_is_no_type_is_refused() -> None:
    with pytest.raises(UnsupportedTypeError):
        structure({}, complex)
    with pytest.raises(UnsupportedTypeError):
        structure([[]], set[list[int]])


@given(JSON_VALUES)
def test_any_json_is_taken_or_refused_with_our_error(value: Any) -> None:
    for annotation in (Edit, list[Edit], Insert | Delete | None, Tagged | Other, Movie, Pair, Positive, Model, Holder):
        try:
            structure(value, annotation)
        except InvalidOutputError as error:
            assert error.faults


@attrs.frozen
class Left:
    x: int
    y: int = 0


@attrs.frozen
class Right:
    x: int
    z: int = 0


@attrs.frozen
class LeftFirst:
    items: list[Left | Right]


@attrs.frozen
class RightFirst:
    items: list[Right | Left]


def test_the_order_of_a_union_counts_whichever_came_first() -> None:
    assert structure({"x": 1}, Left | Right) == Left(1)
    assert structure({"x": 1}, Right | Left) == Right(1)
    day = datetime.date(2024, 1, 1)
    assert structure("2024-01-01", str | datetime.date) == "2024-01-01"
    assert structure(["2024-01-01"], list[datetime.date | str]) == [day]
    assert structure(["2024-01-01"], list[str | datetime.date]) == ["2024-01-01"]
    assert structure({"items": [{"x": 1}]}, LeftFirst) == LeftFirst([Left(1)])
    assert structure({"items": [{"x": 1}]}, RightFirst) == RightFirst([Right(1)])
    first, second = json_schema(int | str), json_schema(str | int)
    assert [member["type"] for member in first["anyOf"]] == ["integer", "string"]
    assert [member["type"] for member in second["anyOf"]] == ["string", "integer"]


class Broken(pydantic.BaseModel):
    x: int

    @pydantic.model_validator(mode="before")
    @classmethod
    def check(cls, value: Any) -> Any:
        raise RuntimeError("boom")


@pytest.mark.parametrize("annotation", [Broken, list[Broken], dict[str, Broken]])
def test_whatever_a_users_class_raises_makes_the_output_invalid(annotation: Any) -> None:
    value: Any = {"x": 1} if annotation is Broken else [{"x": 1}] if annotation == list[Broken] else {"a": {"x": 1}}
    with pytest.raises(InvalidOutputError, match="boom") as caught:
        structure(value, annotation)
    cause = caught.value.__cause__
    while isinstance(cause, BaseExceptionGroup):
        cause = cause.exceptions[0]
    assert isinstance(cause, RuntimeError)


class Ratio(enum.Enum):
    HALF = 0.5
    WHOLE = 1.0


class Mixed(enum.Enum):
    NAME = "name"
    NUMBER = 1
    NOTHING = None


class Pairs(enum.Enum):
    PAIR = (1, 2)


@dataclass
class Signal:
    value: complex


@attrs.define
class Changing:
    x: int


@pytest.mark.parametrize(
    ("annotation", "value", "made"),
    [
        (Literal[Color.RED], "red", Color.RED),
        (Literal[Level.LOW, "high"], 1, Level.LOW),
        (Literal[True], True, True),
        (Ratio, 0.5, Ratio.HALF),
        (Ratio, 1, Ratio.WHOLE),
        (Mixed, 1, Mixed.NUMBER),
    ],
)
def test_a_choice_may_be_any_scalar(annotation: Any, value: Any, made: Any) -> None:
    assert structure(value, annotation) is made
    assert structure([value], list[annotation]) == [made]
    assert value in json_schema(annotation)["enum"]
    with pytest.raises(InvalidOutputError, match="one of"):
        structure("another", annotation)
    assert AnswerTypes(output_format=annotation).some


@pytest.mark.parametrize(
    "annotation",
    [list[complex], Signal, dict[str, Signal], Pairs, Literal[b"x"], set[dict[str, int]], set[Changing], int | Signal],
)
def test_a_type_is_refused_before_there_is_anything_to_structure(annotation: Any) -> None:
    with pytest.raises(UnsupportedTypeError):
        AnswerTypes(output_format=annotation)
    with pytest.raises(UnsupportedTypeError):
        MessageEngine().values("x", annotation)
    with pytest.raises(UnsupportedTypeError):
        MessageEngine().partial(annotation)


class Optional(msgspec.Struct):
    a: int | msgspec.UnsetType = msgspec.UNSET
    b: int | str | msgspec.UnsetType = msgspec.UNSET


def test_a_member_of_a_struct_may_be_unset() -> None:
    assert structure({}, Optional) == Optional()
    assert structure({"a": 1, "b": "x"}, Optional) == Optional(1, "x")
    schema = json_schema(Optional)
    assert schema["properties"]["a"] == {"type": "integer"}
    assert schema["required"] == []


# Classes that are members of their own unions


@attrs.frozen
class Folder:
    name: str
    items: list[Folder | Album]

    def __attrs_post_init__(self) -> None:
        MADE.append(self.name)


@attrs.frozen
class Album:
    name: str
    items: list[Folder | Album]
    year: int = 0

    def __attrs_post_init__(self) -> None:
        MADE.append(self.name)


MADE: list[str] = []


@pytest.mark.parametrize("inside", [[], [5]], ids=["valid", "wrong"])
def test_classes_that_look_alike_are_tried_once_for_each_value(inside: list[Any]) -> None:
    def made(depth: int) -> int:
        value: Any = {"name": "a", "items": inside}
        for _ in range(depth):
            value = {"name": "a", "items": [value]}
        MADE.clear()
        with contextlib.suppress(InvalidOutputError):
            structure(value, Folder)
        return len(MADE)

    assert made(40) <= 2 * 41
