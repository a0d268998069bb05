"""Types to JSON schemas, and schemas to what the API accepts."""

from __future__ import annotations

import datetime
import decimal
import enum
import json
import uuid
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, Literal, NamedTuple, NotRequired, TypedDict, TypeVar

import anthropic
import attrs
import jsonschema
import msgspec
import pydantic
import pytest
from helpers import JSON_VALUES
from hypothesis import given
from hypothesis import strategies as st

from streamcore.typed import (
    InvalidOutputError,
    UnsupportedTypeError,
    json_schema,
    output_format_param,
    structure,
    transform_schema,
)

T = TypeVar("T")


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    """How bad it is."""

    LOW = 1
    HIGH = 2


@attrs.frozen
class Point:
    """A place.

    Attributes:
        x: To the right.
    """

    x: float
    y: float = 0.0


@dataclass
class Box:
    corner: Point
    size: Annotated[int, msgspec.Meta(ge=1, description="in metres")]
    tags: list[str] = field(default_factory=list)


class Movie(TypedDict):
    title: str
    year: NotRequired[int]


class Pair(NamedTuple):
    left: int
    right: str = ""


class Insert(msgspec.Struct, tag="insert", rename="camel"):
    new_text: str


class Delete(msgspec.Struct, tag="delete"):
    count: int


@attrs.frozen
class Page(Generic[T]):
    items: list[T]
    next_page: str | None = None


@attrs.frozen
class Tree:
    name: str
    children: list[Tree] = attrs.field(factory=list)


@attrs.frozen
class Circle:
    kind: Literal["circle"]
    radius: Annotated[float, msgspec.Meta(gt=0)]


@attrs.frozen
class Square:
    kind: Literal["square"]
    side: float


@attrs.frozen
class Everything:
    shapes: list[Circle | Square]
    color: Color
    level: Level
    box: Box
    day: datetime.date
    at: datetime.datetime
    movie: Movie
    pair: Pair
    edit: Insert | Delete
    unit: Literal["c", "f"] | None
    codes: set[int]
    names: dict[str, int]
    place: tuple[float, float]
    key: uuid.UUID
    price: decimal.Decimal
    flag: bool | None = None


MSGSPEC_TAKES = [
    *(str, int, float, bool, None, Color, Level, datetime.date, uuid.UUID, decimal.Decimal, Any),
    *(Box, Movie, Pair, Insert, Page[Point], Tree),
    *(list[Box], dict[str, Point], set[int], tuple[int, str], tuple[int, ...], Point | None, list[int] | str | None),
    *(
        Literal["a", 1] | None,
        Annotated[list[int], msgspec.Meta(min_length=1)],
        Annotated[str, msgspec.Meta(pattern="a")],
    ),
]


def expanded(schema: Any, definitions: dict[str, Any], depth: int = 0) -> Any:
    """A schema with what it refers to in place, down to some depth, and alternatives in one order."""
    if isinstance(schema, list):
        return [expanded(item, definitions, depth) for item in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {key: value for key, value in schema.items() if key != "$defs"}
    if "$ref" in schema and depth < 6:
        name = schema.pop("$ref").removeprefix("#/$defs/")
        return expanded({**definitions[name], **schema}, definitions, depth + 1)
    made = {key: expanded(value, definitions, depth) for key, value in schema.items()}
    if "anyOf" in made:
        made["anyOf"] = sorted(made["anyOf"], key=json.dumps)
    if "required" in made and not made["required"]:
        del made["required"]
    return made


@pytest.mark.parametrize("annotation", MSGSPEC_TAKES, ids=str)
def test_a_type_that_msgspec_can_describe_is_described_as_msgspec_does(annotation: Any) -> None:
    theirs, ours = msgspec.json.schema(annotation), json_schema(annotation)
    defaults = _without_docs(expanded(theirs, theirs.get("$defs", {})))
    depth = 1 if "$ref" in theirs else 0  # which ours has in place
    assert _without_docs(expanded(ours, ours.get("$defs", {}), depth)) == defaults


def _without_docs(schema: Any) -> Any:
    """Without what the docstring of `Point` says: we take it apart, msgspec does not.

    Also without the default of a field whose factory is `list`: msgspec says it from 0.23 on.
    """
    if isinstance(schema, list):
        return [_without_docs(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _without_docs(value)
        for key, value in schema.items()
        if not (key == "description" and isinstance(value, str) and ("A place." in value or "right" in value))
        and not (key == "default" and value == [])
    }


def test_a_class_stands_at_the_top_and_those_it_is_made_of_beside_it() -> None:
    schema = json_schema(Box)
    assert schema["title"] == "Box"
    assert schema["type"] == "object"
    assert schema["properties"]["corner"] == {"$ref": "#/$defs/Point"}
    assert schema["properties"]["size"]["description"] == "in metres"
    assert schema["$defs"]["Point"]["description"] == "A place."
    assert schema["$defs"]["Point"]["properties"]["x"]["description"] == "To the right."


def test_two_classes_of_one_name_are_both_described() -> None:
    @attrs.frozen
    class Point:
        z: int

    here = Point
    both: Any = list[tuple[globals()["Point"], here]]  # type: ignore[misc]  # found at run time
    schema = json_schema(both)
    assert set(schema["$defs"]) == {"Point", "Point_2"}


@pytest.mark.parametrize(
    ("annotation", "why"),
    [
        (object(), "not a type"),
        (complex, "complex is not an attrs class"),
        (dict[int, str], "keys of a JSON object are strings"),
        ("Report", "not a type"),
    ],
)
def test_what_json_cannot_describe_is_refused(annotation: Any, why: str) -> None:
    with pytest.raises(UnsupportedTypeError, match=why):
        json_schema(annotation)


@pytest.mark.parametrize(
    ("annotation", "why"),
    [
        (Any, "may be anything"),
        (dict[str, int], "an object with any keys"),
        (Page[dict[str, int]], r"Page\[dict\[str, int\]\].items.\* is an object with any keys"),
        ({"type": "object"}, "output_config"),
    ],
)
def test_what_structured_output_cannot_have_is_refused(annotation: Any, why: str) -> None:
    with pytest.raises(UnsupportedTypeError, match=why):
        output_format_param(annotation)


def accepted_by_the_api(schema: Any) -> None:
    """The rules of structured output: https://docs.claude.com/en/docs/build-with-claude/structured-outputs."""
    if "$ref" in schema:
        assert set(schema) <= {"$ref", "$defs"}
    else:
        assert schema.keys() & {"type", "enum", "const", "anyOf", "allOf"}
    assert set(schema) <= {
        *("type", "enum", "const", "anyOf", "allOf", "$ref", "$defs", "title", "description", "format"),
        *("properties", "required", "additionalProperties", "items", "minItems"),
    }
    if schema.get("type") == "object":
        assert schema["additionalProperties"] is False
    assert schema.get("minItems", 0) in (0, 1)
    for inner in (*schema.get("$defs", {}).values(), *schema.get("properties", {}).values()):
        accepted_by_the_api(inner)
    for inner in (*schema.get("anyOf", ()), *schema.get("allOf", ())):
        accepted_by_the_api(inner)
    if "items" in schema:
        accepted_by_the_api(schema["items"])


@pytest.mark.parametrize(
    "annotation",
    [Box, Movie, Pair, Insert | Delete, Page[Point], list[Circle | Square], tuple[int, str], Color, set[datetime.date]],
    ids=str,
)
def test_what_is_sent_has_only_what_the_api_accepts(annotation: Any) -> None:
    param = output_format_param(annotation)
    assert param["type"] == "json_schema"
    accepted_by_the_api(param["schema"])
    jsonschema.Draft202012Validator.check_schema(param["schema"])


def test_what_the_api_does_not_accept_is_said_in_words() -> None:
    schema = output_format_param(Circle)["schema"]
    assert schema["properties"]["radius"] == {"type": "number", "description": "{exclusiveMinimum: 0}"}


# As the official package


class Item(pydantic.BaseModel):
    """One of them."""

    name: str = pydantic.Field(min_length=1, description="what it is called")
    price: float = pydantic.Field(gt=0)
    count: int | None = None
    tags: list[str] = pydantic.Field(default_factory=list, max_length=5)
    when: datetime.date
    link: pydantic.HttpUrl | None = None


class Cat(pydantic.BaseModel):
    kind: Literal["cat"]
    lives: int = 9


class Dog(pydantic.BaseModel):
    kind: Literal["dog"]
    item: Item


class Order(pydantic.BaseModel):
    items: list[Item]
    color: Color
    pet: Annotated[Cat | Dog, pydantic.Field(discriminator="kind")]
    other: dict[str, int] = {}
    pair: tuple[int, int] = (1, 2)


class Node(pydantic.BaseModel):
    children: list[Node] = []


@pytest.mark.parametrize("model", [Item, Cat, Dog], ids=lambda model: model.__name__)
def test_a_pydantic_model_has_the_schema_that_the_official_package_sends(model: type[pydantic.BaseModel]) -> None:
    assert output_format_param(model)["schema"] == anthropic.transform_schema(model)
    assert transform_schema(model.model_json_schema()) == anthropic.transform_schema(model.model_json_schema())


def test_a_model_that_occurs_in_itself_is_described() -> None:
    schema = json_schema(Node)
    assert schema["type"] == "object"
    assert schema["$defs"]["Node"]["properties"]["children"]["items"] == {"$ref": "#/$defs/Node"}


def test_a_list_of_models_has_the_schema_that_the_official_package_sends() -> None:
    theirs = anthropic.transform_schema(pydantic.TypeAdapter(list[Dog]).json_schema())
    assert output_format_param(list[Dog])["schema"] == theirs


_TYPES = st.sampled_from(["object", "array", "string", "integer", "number", "boolean", "null"])
_KEYWORDS = st.fixed_dictionaries(
    {},
    optional={
        "description": st.text(max_size=3),
        "title": st.text(max_size=3),
        "minimum": st.integers(0, 3),
        "minItems": st.integers(0, 3),
        "pattern": st.just("a"),
        "format": st.sampled_from(["date", "date-time", "binary", "uuid"]),
        "enum": st.lists(st.sampled_from(["a", 1, None, {}]), max_size=3),
        "const": st.sampled_from(["a", 1, None, {}]),
        "default": st.none(),
        "required": st.just(["a"]),
        "additionalProperties": st.booleans(),
    },
)


def _grown(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(
        _KEYWORDS,
        st.fixed_dictionaries(
            {"type": _TYPES},
            optional={
                "items": inner,
                "properties": st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
                "anyOf": st.lists(inner, max_size=2),
                "oneOf": st.lists(inner, max_size=2),
                "$defs": st.dictionaries(st.sampled_from("AB"), inner, max_size=2),
                "$ref": st.just("#/$defs/A"),
            },
        ),
    ).map(lambda parts: {**parts[0], **parts[1]})


@given(st.recursive(_grown(st.just({"type": "string"})), _grown, max_leaves=4))
def test_any_schema_is_transformed_as_the_official_package_does(schema: dict[str, Any]) -> None:
    assert transform_schema(schema) == anthropic.transform_schema(schema)


def test_a_schema_that_does_not_say_what_it_is_is_refused() -> None:
    with pytest.raises(UnsupportedTypeError, match="does not say what it is"):
        transform_schema({"description": "something"})


# Instances, both ways


def _json(value: Any) -> Any:
    """An instance as JSON, by msgspec, as the reference for how dates and such are written."""
    return msgspec.json.decode(msgspec.json.encode(value))


_TEXT = st.text(max_size=5)
_NUMBER = st.floats(allow_nan=False, allow_infinity=False)
_POINTS = st.builds(Point, x=_NUMBER, y=_NUMBER)
_EVERYTHING = st.builds(
    Everything,
    shapes=st.lists(
        st.builds(Circle, kind=st.just("circle"), radius=st.floats(0.1, 10))
        | st.builds(Square, kind=st.just("square"), side=_NUMBER),
        max_size=2,
    ),
    color=st.sampled_from(Color),
    level=st.sampled_from(Level),
    box=st.builds(Box, corner=_POINTS, size=st.integers(1, 9), tags=st.lists(_TEXT, max_size=2)),
    day=st.dates(),
    at=st.datetimes(timezones=st.just(datetime.UTC)),
    movie=st.fixed_dictionaries({"title": _TEXT}, optional={"year": st.integers()}),
    pair=st.builds(Pair, left=st.integers(), right=_TEXT),
    edit=st.builds(Insert, new_text=_TEXT) | st.builds(Delete, count=st.integers()),
    unit=st.sampled_from(["c", "f", None]),
    codes=st.sets(st.integers(), max_size=2),
    names=st.dictionaries(_TEXT, st.integers(), max_size=2),
    place=st.tuples(_NUMBER, _NUMBER),
    key=st.uuids(),
    price=st.decimals(allow_nan=False, allow_infinity=False),
    flag=st.none() | st.booleans(),
)
_validator = jsonschema.Draft202012Validator(
    json_schema(Everything), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
)

_sent = jsonschema.Draft202012Validator(transform_schema(json_schema(Everything)))


@given(_EVERYTHING)
def test_an_instance_is_valid_and_comes_back_as_it_was(value: Everything) -> None:
    written = _json(value)
    _validator.validate(written)
    assert structure(written, Everything) == value
    # What the API is sent says the same, but that it has no objects with any keys, and what is said in words only.
    assert all(list(error.path) == ["names"] for error in _sent.iter_errors(written))


@st.composite
def _mutated(draw: st.DrawFn, value: Any) -> Any:
    """JSON with something in it replaced, removed or added."""
    if isinstance(value, dict) and value and draw(st.integers(0, 4)):
        key = draw(st.sampled_from(sorted(value)))
        if not draw(st.integers(0, 5)):
            return {name: item for name, item in value.items() if name != key}
        return {**value, key: draw(_mutated(value[key]))}
    if isinstance(value, list) and value and draw(st.integers(0, 4)):
        place = draw(st.integers(0, len(value) - 1))
        return [*value[:place], draw(_mutated(value[place])), *value[place + 1 :]]
    return draw(JSON_VALUES | st.sampled_from([1.0, 1.5, "1", True, "red", "2024-01-01", [1, 1], {"kind": "circle"}]))


@given(_EVERYTHING.flatmap(lambda value: _mutated(_json(value))))
def test_what_is_structured_is_valid_and_what_is_not_is_not(written: Any) -> None:
    errors = list(_validator.iter_errors(written))
    try:
        structure(written, Everything)
    except InvalidOutputError as error:
        assert error.faults
        # A decimal, a number of any size and a set have rules that JSON Schema cannot say, or a checker does not know.
        unknown = ("price", "codes")
        assert errors or all(fault.path.split(".")[0] in unknown or "at" in fault.path for fault in error.faults)
    else:
        # What the schema says of the items of a set, structuring does not mind: it makes one of them.
        assert [error for error in errors if error.validator not in ("uniqueItems", "format")] == []
