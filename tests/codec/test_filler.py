"""The generated functions that fill wire types, against what cattrs makes of the same objects."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import attrs
import cattrs
import msgspec
import pytest
from helpers import STREAMS, example, payloads_of, same, stream_id, wire_types
from hypothesis import given
from hypothesis import strategies as st
from streamcore._converter import _explainer, converter
from streamcore._twin import replaced, twin

from streamcore.types import Message, MessageStreamEvent, TextBlock, Unknown, Usage

_EVENT: Any = MessageStreamEvent
_KNOWN = [cls for cls in wire_types() if not issubclass(cls, Unknown)]


def structured(by: cattrs.Converter, value: Any, annotation: Any) -> Any:
    """What comes of an object, `None` if it is refused."""
    try:
        return by.structure(value, annotation)
    except (ValueError, KeyError, cattrs.BaseValidationError):
        return None


def check(value: Any, annotation: Any) -> None:
    quick, plain = structured(converter, value, annotation), structured(_explainer(), value, annotation)
    assert type(quick) is type(plain)
    assert same(quick, plain)
    if quick is not None:
        assert repr(quick) == repr(plain)
        assert converter.unstructure(quick) == converter.unstructure(plain)


@pytest.mark.parametrize("path", STREAMS, ids=stream_id)
def test_recorded_payloads_are_filled_as_cattrs_fills_them(path: Any) -> None:
    for payload in set(payloads_of(path.read_bytes())):
        try:
            value = msgspec.json.decode(payload)
        except msgspec.DecodeError:
            continue  # a recording of a broken stream
        if isinstance(value, dict):
            check(value, _EVENT)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner: list[tuple[Any, ...]] = [path]
    if isinstance(value, dict):
        inner += [place for key, item in value.items() for place in places(item, (*path, key))]
    if isinstance(value, list):
        inner += [place for number, item in enumerate(value) for place in places(item, (*path, number))]
    return inner


_OTHER_VALUES = [None, True, 0, 7, 2**70, 1.5, "", "text", [], [None], {}, {"type": "text"}, {"type": ["a"]}]


@given(st.sampled_from(_KNOWN), st.booleans(), st.data())
def test_objects_that_are_not_as_their_class_says_are_met_as_cattrs_meets_them(
    cls: type[Any], full: bool, data: st.DataObject
) -> None:
    value: Any = example(cls, full=full).to_dict()
    for _ in range(data.draw(st.integers(0, 2))):
        path = data.draw(st.sampled_from(places(value)))
        if not path:
            value = copy.deepcopy(data.draw(st.sampled_from(_OTHER_VALUES)))
            break
        holder: Any = value
        for key in path[:-1]:
            holder = holder[key]
        last = path[-1]
        change = data.draw(st.sampled_from(["other", "drop", "add"]))
        if change == "other" or isinstance(holder, list):
            holder[last] = copy.deepcopy(data.draw(st.sampled_from(_OTHER_VALUES)))
        elif change == "drop":
            del holder[last]
        else:
            holder["a field of tomorrow"] = copy.deepcopy(data.draw(st.sampled_from(_OTHER_VALUES)))
    check(value, cls)


# Twins


@pytest.mark.parametrize("cls", _KNOWN, ids=lambda cls: cls.__name__)
def test_a_filled_object_is_like_one_that_its_class_has_made(cls: type[Any]) -> None:
    filled = converter.structure(example(cls).to_dict(), cls)
    fields = [field.name for field in attrs.fields(type(filled))]
    made = type(filled)(**{name: getattr(filled, name) for name in fields})
    assert type(filled) is type(made)
    assert filled == made
    assert repr(filled) == repr(made)
    assert copy.copy(filled) == pickle.loads(pickle.dumps(filled)) == made
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(filled, fields[0] if fields else "x", None)
    assert not hasattr(filled, "__dict__")


def test_a_twin_is_made_once_and_its_objects_become_objects_of_the_class() -> None:
    made = twin(TextBlock)()
    assert type(made) is twin(TextBlock) is not TextBlock
    made.text = "a"
    made.citations = None
    made.__class__ = TextBlock
    assert made == TextBlock(text="a")


@pytest.mark.parametrize("cls", _KNOWN)
def test_no_python_code_runs_when_a_twin_is_filled(cls: type[Any]) -> None:
    # Both, or Python looks both up at every use: three times the cost of whatever is made so.
    made: Any = twin(cls)
    assert made.__setattr__ is object.__setattr__
    assert made.__delattr__ is object.__delattr__
    assert made.__init__ is object.__init__


def test_a_replaced_object_has_the_changes_and_shares_the_rest() -> None:
    usage = Usage(input_tokens=1)
    message = Message(id="1", model="m", usage=usage)
    changed = replaced(message, stop_reason="end_turn")
    assert changed == attrs.evolve(message, stop_reason="end_turn")
    assert changed.usage is usage
    assert message.stop_reason is None
