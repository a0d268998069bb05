"""Objects of frozen classes made without `__init__`, held to `__init__` and `attrs.evolve`."""

from __future__ import annotations

import ast
import copy
import inspect
import pickle
import traceback
from pathlib import Path
from typing import Any

import attrs
import pytest
from helpers import example, for_each, wire_types

import streamcore
from streamcore._objects.construct import constructor, copier, draft_class, evolve, freezer, generate
from streamcore.types import Message, TextBlock, TextDelta, Unknown, Usage
from streamcore.types.base import with_extra

_TYPES = wire_types()
_KNOWN = [cls for cls in _TYPES if not issubclass(cls, Unknown)]


def names_of(cls: type[Any]) -> list[str]:
    return [field.name for field in attrs.fields(cls)]


def filled(value: Any) -> Any:
    """The same object, by way of a draft."""
    cls: Any = type(value)
    draft = draft_class(cls)()
    for name in names_of(cls):
        setattr(draft, name, getattr(value, name))
    return freezer(cls)(draft)


@for_each([(cls,) for cls in _TYPES])
def test_a_frozen_draft_is_like_an_object_that_its_class_has_made(cls: Any) -> None:
    value = example(cls)
    made = filled(value)
    assert type(made) is cls
    assert made == value
    assert repr(made) == repr(value)
    assert copy.copy(made) == copy.deepcopy(made) == pickle.loads(pickle.dumps(made)) == value
    assert not hasattr(made, "__dict__")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(made, names_of(cls)[0] if names_of(cls) else "x", None)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        delattr(made, names_of(cls)[0] if names_of(cls) else "x")


@for_each([(cls,) for cls in _TYPES])
def test_no_python_code_runs_when_a_draft_is_filled(cls: Any) -> None:
    # With only one of the first two, Python looks both up at every use: three times the cost.
    draft: Any = draft_class(cls)
    assert draft.__setattr__ is object.__setattr__
    assert draft.__delattr__ is object.__delattr__
    assert draft.__init__ is object.__init__
    assert draft is draft_class(cls) is not cls


@for_each([(cls,) for cls in _KNOWN])
def test_evolve_does_what_attrs_does(cls: type[Any]) -> None:
    full, bare = example(cls), example(cls, full=False)
    assert evolve(full, {}) == full
    assert evolve(full, {}) is not full
    for name in names_of(cls):
        changes = {name: getattr(bare, name)}
        before = repr(full)
        assert evolve(full, changes) == attrs.evolve(full, **changes)
        assert repr(evolve(full, changes)) == repr(attrs.evolve(full, **changes))
        assert repr(full) == before
    every = {name: getattr(bare, name) for name in names_of(cls)}
    assert evolve(full, every) == bare


@for_each([(cls,) for cls in _KNOWN])
def test_a_copier_changes_one_attribute_and_shares_the_others(cls: type[Any]) -> None:
    value, marker = example(cls), object()
    for name in names_of(cls):
        made = copier(cls, name)(value, marker)
        assert type(made) is cls
        for other in names_of(cls):
            assert getattr(made, other) is (marker if other == name else getattr(value, other))


def test_an_object_with_unknown_fields_keeps_them() -> None:
    usage = with_extra(Usage(input_tokens=1), {"value": 1, "new": [2]})
    changed = evolve(usage, {"input_tokens": 3})
    assert changed == attrs.evolve(usage, input_tokens=3)
    assert changed.to_dict() == Usage(input_tokens=3).to_dict() | {"value": 1, "new": [2]}
    assert copier(type(usage), "input_tokens")(usage, 3) == changed
    assert pickle.loads(pickle.dumps(changed)) == changed


def test_a_copier_is_made_once_for_an_attribute() -> None:
    assert copier(TextBlock, "text") is copier(TextBlock, "text")
    assert copier(TextBlock, "text") is not copier(TextBlock, "citations")


def test_evolve_refuses_a_name_that_is_not_an_attribute() -> None:
    with pytest.raises(AttributeError):
        evolve(TextBlock(text=""), {"txt": "a"})


def test_a_constructor_takes_attributes_by_position() -> None:
    make = constructor(TextBlock, "text", "citations", "parsed_output", "parse_error")
    assert make("a", None, None, None) == TextBlock(text="a")
    assert repr(make("a", None, None, None)) == repr(TextBlock(text="a"))


def test_a_constructor_may_take_an_attribute_out_of_another_object() -> None:
    make = constructor(TextBlock, "delta.text")
    made: Any = make(TextDelta(text="a"))
    assert made.text == "a"
    assert not hasattr(made, "citations")


def test_a_message_evolves_as_attrs_does_it() -> None:
    usage = Usage(input_tokens=1)
    message = Message(id="1", model="m", usage=usage)
    changed = evolve(message, {"stop_reason": "end_turn"})
    assert changed == attrs.evolve(message, stop_reason="end_turn")
    assert changed.usage is usage
    assert message.stop_reason is None


def test_generated_code_is_shown_by_inspect_and_by_tracebacks() -> None:
    function = generate("def fail(value):\n    raise ValueError(value)\n", "fail", {"cls": TextBlock})
    assert inspect.getsource(function) == "def fail(value):\n    raise ValueError(value)\n"
    with pytest.raises(ValueError, match="7") as caught:
        function(7)
    assert "raise ValueError(value)" in "".join(traceback.format_exception(caught.value))
    assert inspect.getsource(copier(TextBlock, "text")).startswith("def copy(given, new):\n    made = Draft()\n")


def assigns_class(node: ast.AST) -> bool:
    """Whether a statement sets the `__class__` of an object."""
    if isinstance(node, ast.Attribute):
        return node.attr == "__class__" and not isinstance(node.ctx, ast.Load)
    if isinstance(node, ast.Call):
        function = node.func
        name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
        texts = [item.value for item in node.args if isinstance(item, ast.Constant)]
        return name in ("setattr", "__setattr__") and "__class__" in texts
    if isinstance(node, ast.Constant) and isinstance(node.value, str):  # in a template of generated code
        return "__class__ =" in node.value.replace("`", "").replace("draft.__class__ = cls", "")
    return False


def test_values_get_their_class_in_one_module_only() -> None:
    package = Path(streamcore.__file__).parent
    found = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if assigns_class(node)
    }
    assert found == {"_objects/construct.py"}
