"""Hold our exports, exceptions, types and request fields to the newest `anthropic` package.

    pip install --upgrade anthropic && pytest -m drift

This is not part of the default run, which compares with the version that `pyproject.toml` pins, so that it passes
whatever is released tomorrow. A workflow runs the command above once a week. Each test prints a table of what the
installed version has and we do not, and fails if there is anything. To follow a new version: add what the tables say
(or list it in `tests/official.py` as something that streamcore does not do), then raise the pin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import requires, version
from typing import Any, Literal, NamedTuple, NotRequired, Required, TypedDict, get_type_hints

import anthropic
import anthropic.types
import attrs
import official
import pydantic
import pytest
from anthropic._error_classes import ERROR_CLASSES
from typing_extensions import is_typeddict

import streamcore.httpx as ours
from streamcore import types
from streamcore.api.options import CallOptions
from streamcore.types import WireObject


class New(NamedTuple):
    """One thing that the official package has and ours does not, or has no longer."""

    where: str
    what: str


def exports() -> Iterator[New]:
    for name in sorted(official.exports() - official.NOT_HERE):
        if not hasattr(ours, name):
            yield New("anthropic", name)


def exceptions() -> Iterator[New]:
    public = {name: getattr(anthropic, name) for name in official.exports()}
    raised = {(status, code): kind for (status, code), kind in ERROR_CLASSES.items() if kind.__name__ in public}
    for name, kind in sorted(public.items()):
        mine = getattr(ours, name, None)
        if isinstance(kind, type) and issubclass(kind, anthropic.APIError) and mine is not None:
            bases, our_bases = official.family_of(kind, anthropic.APIError), official.family_of(mine, ours.APIError)
            yield from (New(name, f"is derived from {base}") for base in bases if base not in our_bases)
    for (status, code), kind in raised.items():
        mine = getattr(ours, kind.__name__, None)
        if mine is not None and (mine.status_code, mine.error_code) != (status, code):
            yield New(kind.__name__, f"is raised for {status} {code or ''}".rstrip())


def answers() -> Iterator[New]:
    for model in official.models_of_answers():
        cls = getattr(types, official.our_name(model), None)
        if isinstance(cls, type) and issubclass(cls, WireObject):
            for what in of_model(model, cls):
                yield New(model.__name__, what)
        else:
            yield New(model.__name__, "the class")


def of_model(model: Any, cls: type[WireObject]) -> Iterator[str]:
    """Yield the fields, words and classes that a class of theirs has and `cls` does not."""
    hints = get_type_hints(cls)
    fields: tuple[Any, ...] = attrs.fields(cls)
    mine = {field.metadata.get("key") or field.name: hints[field.name] for field in fields}
    for name, field in model.model_fields.items():
        key = field.alias or name
        words, classes = official.words(field.annotation), official.their_classes(field.annotation)
        if key not in mine:
            tag = getattr(cls, key, None)  # a constant, or a property
            if tag is None or (isinstance(tag, str) and tag not in words):
                yield f"field {key}"
            continue
        hint = mine[key]
        if key not in official.OPEN_LISTS:
            yield from (f"{key}: {word!r}" for word in sorted(words - official.words(hint)))
        if key not in official.LOOSER and dict not in official.parts(hint):
            yield from (f"{key}: class {name}" for name in sorted(classes - official.our_classes(hint)))


def requests() -> Iterator[New]:
    for method in ("create", "stream"):
        known = {*CallOptions.__annotations__, "stream", "output_format"}
        yield from (New(method, f"parameter {name}") for name in sorted(official.parameters_of(method) - known))
    face: Any = types  # type checkers do not know its `__all__`
    for name in face.__all__:
        if name.endswith("Param") and name != "ModelParam":
            theirs, mine = getattr(anthropic.types, name, None), getattr(types, name)
            if theirs is None:
                yield New(name, "is no longer there")
            elif is_typeddict(mine):
                yield from (New(name, what) for what in of_dict(theirs, mine))
            else:
                for member in sorted(official.members_for_callers(theirs) - official.members(mine)):
                    yield New(name, f"member {member}")


def of_dict(theirs: Any, mine: Any) -> Iterator[str]:
    """Yield the differences between a dict of theirs and one of ours."""
    hints, own = (get_type_hints(each, include_extras=True) for each in (theirs, mine))
    yield from (f"key {key}" for key in sorted(hints.keys() - own.keys()))
    yield from (f"key {key} is no longer there" for key in sorted(own.keys() - hints.keys()))
    needed, needed_here = official.required(theirs, hints), official.required(mine, own)
    yield from (f"key {key} is {'' if key in needed else 'not '}required" for key in sorted(needed ^ needed_here))
    for key in hints.keys() & own.keys():
        if not is_typeddict(official.bare(hints[key])):
            new = official.words_of_key(hints[key]) - official.words_of_key(own[key])
            yield from (f"{key}: {word!r}" for word in sorted(new))


def table(found: Iterable[New]) -> str:
    """Return what was found as a table, one row for each."""
    rows = [New("where", "new"), *dict.fromkeys(found)]
    width = max(len(row.where) for row in rows)
    return "\n".join(f"{row.where:{width}}  {row.what}" for row in rows)


@pytest.mark.drift
@pytest.mark.parametrize("compare", [exports, exceptions, answers, requests], ids=lambda compare: compare.__name__)
def test_nothing_is_new_in_the_newest_official_package(
    compare: Callable[[], Iterator[New]], capsys: pytest.CaptureFixture[str]
) -> None:
    found = list(compare())
    with capsys.disabled():
        print(f"\n{compare.__name__} of anthropic {version('anthropic')}: {table(found) if found else 'nothing new'}")
    assert not found


# That the comparisons see what is new


def test_the_default_run_compares_with_the_pinned_version() -> None:
    pins = [pin.partition(";") for pin in requires("streamcore-messages") or ()]
    # The extra `ecosystem` pins another version, for an environment of its own.
    found = {pin.strip() for pin, _, marker in pins if pin.startswith("anthropic=") and "bench" in marker}
    assert found == {f"anthropic=={version('anthropic')}"}


def test_a_missing_name_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(exports()) == []
    monkeypatch.delattr(ours, "RateLimitError")
    assert list(exports()) == [New("anthropic", "RateLimitError")]


def test_a_changed_exception_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(exceptions()) == []
    monkeypatch.setattr(ours, "OverloadedError", type("OverloadedError", (ours.APIStatusError,), {"status_code": 530}))
    assert list(exceptions()) == [
        New("OverloadedError", "is derived from InternalServerError"),
        New("OverloadedError", "is raised for 529"),
    ]


class Mood(pydantic.BaseModel):
    type: Literal["mood"]


class Citing(pydantic.BaseModel):
    type: Literal["text"]
    text: str
    citations: list[Mood] | None
    caller: Mood


class Reason(pydantic.BaseModel):
    type: Literal["message_delta"]
    stop_reason: Literal["end_turn", "bored"] | None


def test_new_fields_words_and_classes_of_an_answer_are_found() -> None:
    assert list(of_model(Citing, types.TextBlock)) == ["citations: class Mood", "field caller"]
    assert list(of_model(Citing, types.ThinkingBlock)) == [
        "field type",
        "field text",
        "field citations",
        "field caller",
    ]
    assert list(of_model(Reason, types.Message)) == ["field type", "stop_reason: 'bored'"]


def test_a_class_without_one_of_ours_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(types, "TextBlock")
    assert set(answers()) == {New("TextBlock", "the class"), New("BetaTextBlock", "the class")}


def test_a_new_parameter_and_a_new_member_of_a_union_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(CallOptions.__annotations__, "speed")
    monkeypatch.setattr(
        types, "ThinkingConfigParam", types.ThinkingConfigAdaptiveParam | types.ThinkingConfigEnabledParam
    )
    assert list(requests()) == [
        New("create", "parameter speed"),
        New("stream", "parameter speed"),
        New("ThinkingConfigParam", "member ThinkingConfigBetweenToolsParam"),
        New("ThinkingConfigParam", "member ThinkingConfigDisabledParam"),
    ]


class Theirs(TypedDict):
    type: Required[Literal["text", "prose"]]
    text: NotRequired[str]
    mood: NotRequired[str]


def test_differences_between_dicts_are_found() -> None:
    assert list(of_dict(types.TextBlockParam, types.TextBlockParam)) == []
    assert list(of_dict(Theirs, types.TextBlockParam)) == [
        "key mood",
        "key cache_control is no longer there",
        "key citations is no longer there",
        "key text is not required",
        "type: 'prose'",
    ]


def test_the_table_has_a_row_for_each_thing() -> None:
    rows = [New("TextBlock", "field caller"), New("create", "parameter mood"), New("create", "parameter mood")]
    assert table(rows).splitlines() == [
        "where      new",
        "TextBlock  field caller",
        "create     parameter mood",
    ]
