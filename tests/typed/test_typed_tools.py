"""Tools made from classes and functions."""

from __future__ import annotations

import pickle
import sys
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypedDict

import anthropic
import attrs
import jsonschema
import msgspec
import pydantic
import pytest

from streamcore.typed import InvalidOutputError, UnsupportedTypeError, tool, tool_params, tool_types


@attrs.frozen
class GetWeather:
    """Look up the weather.

    Now or in some days.

    Attributes:
        city: Where.
        days: From today.
    """

    city: str
    days: int = 0


@dataclass
class HTTPGet:
    url: str


class Search(TypedDict):
    """Search the web."""

    query: str


class Move(msgspec.Struct):
    x: int


class Note(pydantic.BaseModel):
    """Write it down."""

    text: str = pydantic.Field(description="what")


def lookup(word: str, /, language: Literal["de", "en"] = "en", *, limit: Annotated[int, "at most"] = 3) -> str:
    """Look a word up.

    Args:
        word: The word.
        limit: Something else.
    """
    return f"{word} {language} {limit}"


async def later(seconds: float) -> float:
    return seconds


class Shop:
    def order(self, item: str, near: GetWeather | None = None) -> tuple[Shop, str]:
        return self, item


@pytest.mark.parametrize(
    ("source", "name", "description"),
    [
        (GetWeather, "get_weather", "Look up the weather.\n\nNow or in some days."),
        (HTTPGet, "http_get", ""),
        (Search, "search", "Search the web."),
        (Move, "move", ""),
        (Note, "note", "Write it down."),
        (lookup, "lookup", "Look a word up."),
        (later, "later", ""),
        (Shop().order, "order", ""),
    ],
)
def test_name_and_description_come_from_the_class_or_function(source: Any, name: str, description: str) -> None:
    (param,) = tool_params([source])
    assert param["name"] == name
    assert param.get("description", "") == description
    assert param["input_schema"]["type"] == "object"
    jsonschema.Draft202012Validator.check_schema(param["input_schema"])


def test_the_schema_of_a_function_is_that_of_its_parameters() -> None:
    schema = tool(lookup).input_schema
    assert schema["properties"] == {
        "word": {"type": "string", "description": "The word."},
        "language": {"enum": ["de", "en"], "default": "en"},
        "limit": {"type": "integer", "description": "at most", "default": 3},
    }
    assert schema["required"] == ["word"]


def test_a_function_has_the_descriptions_that_the_official_package_finds() -> None:
    def get_weather(location: str, unit: Literal["c", "f"] = "c") -> str:
        """Look up the weather.

        In more words.

        Args:
            location: The city.
            unit: Of the temperature.
        """
        return location + unit

    theirs, ours = anthropic.beta_tool(get_weather).to_dict(), tool(get_weather).to_param()
    assert ours["name"] == theirs["name"]
    assert ours["description"] == theirs["description"]
    for name, member in ours["input_schema"]["properties"].items():
        assert member["description"] == theirs["input_schema"]["properties"][name]["description"]  # type: ignore[index]


def test_without_docstring_parser_the_whole_docstring_is_the_description(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "docstring_parser", None)
    found = tool(GetWeather)
    assert "city: Where." in found.description
    assert "description" not in found.input_schema["properties"]["city"]


def test_what_the_source_does_not_say_can_be_said() -> None:
    found = tool(GetWeather, name="weather", description="Ask.", cache_control={"type": "ephemeral"})
    assert found.to_param() == {
        "name": "weather",
        "description": "Ask.",
        "input_schema": tool(GetWeather).input_schema,
        "cache_control": {"type": "ephemeral"},
    }
    assert tool(found, name="other", strict=False).options == {"cache_control": {"type": "ephemeral"}, "strict": False}


def test_a_strict_tool_has_a_schema_that_the_api_accepts_then() -> None:
    schema = tool(GetWeather, strict=True).input_schema
    assert schema["additionalProperties"] is False
    assert schema == anthropic.transform_schema(tool(GetWeather).input_schema)


def test_plain_tools_stay_as_they_are_beside_classes() -> None:
    plain = {"name": "plain", "input_schema": {"type": "object"}}
    server: Any = {"type": "web_search_20250305", "name": "web_search"}
    assert tool_params([plain, GetWeather, server])[::2] == [plain, server]
    assert list(tool_types([plain, GetWeather, server, lookup])) == ["get_weather", "lookup"]


def test_an_input_becomes_an_instance() -> None:
    assert tool(GetWeather).structure({"city": "Lisbon"}) == GetWeather("Lisbon")
    with pytest.raises(InvalidOutputError, match=r"the input of 'get_weather' .* at days: expected an integer"):
        tool(GetWeather).structure({"city": "Lisbon", "days": "2"})


def test_the_input_of_a_function_can_be_read_and_called() -> None:
    arguments = tool(lookup).structure({"word": "tide", "limit": 1})
    assert (arguments.word, arguments.language, arguments.limit) == ("tide", "en", 1)
    assert arguments() == "tide en 1"
    assert arguments == tool(lookup).structure({"limit": 1, "word": "tide"})
    assert pickle.loads(pickle.dumps(arguments)) == arguments
    assert repr(arguments) == "lookup(word='tide', language='en', limit=1)"


async def _called(arguments: Any) -> Any:
    return await arguments()


def test_methods_and_coroutine_functions_are_called_as_what_they_are() -> None:
    import asyncio

    shop = Shop()
    arguments = tool(shop.order).structure({"item": "tea", "near": {"city": "Porto"}})
    assert arguments.near == GetWeather("Porto")
    assert arguments() == (shop, "tea")
    assert asyncio.run(_called(tool(later).structure({"seconds": 2}))) == 2.0


def _untyped(word) -> None:  # type: ignore[no-untyped-def]
    pass


def _many(*words: str) -> None:
    pass


def _unknown(word: Nowhere) -> None:  # type: ignore[name-defined]  # noqa: F821
    pass


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (_untyped, "parameter 'word' of _untyped\\(\\) has no annotation"),
        (_many, "takes \\*words"),
        (_unknown, "cannot be resolved"),
        (lambda: None, "neither a class nor a function with a name"),
        (list[int], "is an object, which list\\[int\\] is not"),
        (int, "is an object, which int is not"),
        (3, "neither a class nor a function"),
    ],
)
def test_what_no_tool_can_be_made_from_is_refused(source: Any, why: str) -> None:
    with pytest.raises(UnsupportedTypeError, match=why):
        tool(source)


def test_names_must_be_possible_and_different() -> None:
    with pytest.raises(UnsupportedTypeError, match="cannot be the name"):
        tool(GetWeather, name="get weather")
    with pytest.raises(UnsupportedTypeError, match="two tools are named 'get_weather'"):
        tool_types([GetWeather, tool(HTTPGet, name="get_weather")])
