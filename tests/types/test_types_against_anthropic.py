"""The types of a response have the fields, tags, literals and union members of the official package."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

import anthropic.types
import anthropic.types.beta
import attrs
import pydantic
import pytest
from helpers import wire_types
from official import LOOSER, OPEN_LISTS, OTHER_NAMES, our_classes, parts, their_classes, words

import streamcore.types
from streamcore.types import Unknown, WireObject

# Our classes serve both the ordinary and the beta API; these words are only in the lists of the latter.
BETA_ONLY_WORDS = {"stop_reason": {"compaction"}}


def models_of(name: str) -> list[Any]:
    """Return their classes for one of ours: the ordinary one, the one of beta, or both."""
    named = [theirs for theirs, mine in OTHER_NAMES.items() if mine == name]
    found = [
        getattr(module, candidate, None)
        for module in (anthropic.types, anthropic.types.beta)
        for candidate in (name, f"Beta{name}", *named)
    ]
    classes = [item for item in found if isinstance(item, type) and issubclass(item, pydantic.BaseModel)]
    return list(dict.fromkeys(classes))


COMPARED = [(cls, theirs) for cls in wire_types() if not issubclass(cls, Unknown) for theirs in models_of(cls.__name__)]


@pytest.mark.parametrize(
    ("cls", "theirs"), COMPARED, ids=[f"{cls.__name__}-{theirs.__name__}" for cls, theirs in COMPARED]
)
def test_fields_words_and_classes_are_those_of_the_official_package(cls: type[WireObject], theirs: Any) -> None:
    fields: tuple[Any, ...] = attrs.fields(cls)
    mine = {field.metadata.get("key") or field.name: field.name for field in fields}
    hints = get_type_hints(cls)
    tag = getattr(cls, "type", None)
    for name, field in theirs.model_fields.items():
        key = field.alias or name
        if key == "type" and isinstance(tag, str):
            assert tag in words(field.annotation)
            continue
        if key == "estimated_tokens":
            assert hasattr(cls, key)  # a property, because a field would cost every delta time
            continue
        hint = hints[mine[key]]
        if key not in OPEN_LISTS:
            beta_only = BETA_ONLY_WORDS.get(key, set())
            assert words(hint) - beta_only == words(field.annotation) - beta_only, key
        if key not in LOOSER and dict not in parts(hint):
            assert their_classes(field.annotation) <= our_classes(hint), key
        if type(None) in get_args(field.annotation):
            assert type(None) in get_args(hint) or key == "content", key


def test_nearly_every_class_is_compared() -> None:
    compared = {cls.__name__ for cls, _ in COMPARED}
    known = {cls.__name__ for cls in wire_types() if not issubclass(cls, Unknown)}
    assert known - compared == {"CacheMiss", "ErrorEvent", "ErrorObject", "MessageDelta", "PingEvent"}


@pytest.mark.parametrize("name", ["ContentBlock", "TextCitation", "StopReason"])
def test_unions_have_the_members_of_the_official_package(name: str) -> None:
    mine = getattr(streamcore.types, name)
    for module, prefix in ((anthropic.types, ""), (anthropic.types.beta, "Beta")):
        theirs = getattr(module, prefix + name)
        assert their_classes(theirs) <= our_classes(mine)
        assert words(theirs) <= words(mine)
    assert their_classes(theirs) == our_classes(mine)  # those of beta are complete
