"""Dicts and lists of snapshots: they cannot be changed, and are a dict and a list in every other way."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import attrs
import msgspec
import pytest
from hypothesis import given

from streamcore import MessageAccumulator, MessageEngine, PartialJSON
from streamcore._objects import immutable as module
from streamcore._objects.immutable import ImmutableDict, ImmutableList, immutable
from streamcore.codec import converter, decode_event, decode_raw_event
from streamcore.testing.strategies import WholeStream, json_values, whole_streams
from streamcore.types import (
    ContentBlockStartEvent,
    ErrorEvent,
    Message,
    RawContentBlockStartEvent,
    TextBlock,
    ToolUseBlock,
    UnknownBlock,
    UnknownCitation,
    WireObject,
)

VALUE = {"a": [1, {"b": None}, []], "c": {"d": {"e": "f"}}, "g": 1.5}

CHANGES: list[tuple[str, tuple[Any, ...]]] = [
    ("__setitem__", ("a", 1)),
    ("__setitem__", (0, 1)),
    ("__delitem__", ("a",)),
    ("__delitem__", (0,)),
    ("__ior__", ({"z": 1},)),
    ("__iadd__", ([1],)),
    ("__imul__", (2,)),
    ("append", (1,)),
    ("clear", ()),
    ("extend", ([1],)),
    ("insert", (0, 1)),
    ("pop", ()),
    ("pop", ("a", None)),
    ("popitem", ()),
    ("remove", (1,)),
    ("reverse", ()),
    ("setdefault", ("z", 1)),
    ("sort", ()),
    ("update", ({"z": 1},)),
]

READING_METHODS = {"copy", "count", "fromkeys", "get", "index", "items", "keys", "values"}


def containers_in(value: Any) -> list[Any]:
    """Return all dicts and lists that can be reached from a value, through wire types too."""
    found: list[Any] = []
    unread = [value]
    while unread:
        item = unread.pop()
        if isinstance(item, WireObject):
            fields = [field for field in attrs.fields(type(item)) if not field.metadata.get("local")]
            unread += [getattr(item, field.name) for field in fields]
        elif isinstance(item, dict):
            found.append(item)
            unread += item.values()
        elif isinstance(item, (list, tuple)):
            if isinstance(item, list):
                found.append(item)
            unread += item
    return found


def attempt_changes(container: Any) -> None:
    for name, arguments in CHANGES:
        if hasattr(container, name):
            with pytest.raises(TypeError, match=r"copy it first: (dict|list)\(value\)"):
                getattr(container, name)(*arguments)


# Changes are refused


@pytest.mark.parametrize("container", [immutable(VALUE), immutable([1, [2]])])
def test_methods_that_change_say_how_to_copy(container: Any) -> None:
    before = copy.deepcopy(container)
    attempt_changes(container)
    assert container == before


@pytest.mark.parametrize(("cls", "base"), [(ImmutableDict, dict), (ImmutableList, list)])
def test_every_public_method_of_the_base_either_reads_or_is_refused(cls: type, base: type) -> None:
    public = {name for name in vars(base) if not name.startswith("_")}
    refused = {name for name in public if vars(cls).get(name) in (module._refuse_dict, module._refuse_list)}
    assert public - refused == public & READING_METHODS


def test_arrays_of_wire_types_are_lists_that_cannot_be_changed() -> None:
    citation = UnknownCitation(data={"type": "a"})
    block = TextBlock(text="a", citations=(citation,))  # type: ignore[arg-type]  # tuples are taken too
    message = Message(id="1", model="m", content=[block, TextBlock(text="b")])
    decoded = Message.from_dict(message.to_dict())
    for content in (message.content, decoded.content):
        attempt_changes(content)
        assert isinstance(content, list)
        assert type(content) is type(content[0].citations) is ImmutableList  # type: ignore[union-attr]
        items = [*content]
        # A list equals a list and a tuple of the same items, from either side, and has the hash of the tuple.
        for other in (items, tuple(items), immutable(items)):
            assert content == other
            assert other == content
            assert not content != other  # noqa: SIM202  # `!=` has code of its own
            assert not other != content  # noqa: SIM202
        for other in (items[:1], tuple(items[:1]), {}, None, "ab"):
            assert content != other
            assert other != content
            assert not content == other  # noqa: SIM201
        assert hash(content) == hash(tuple(items))
        joined = [content + items, items + content, content[:], content * 1, content.copy(), list(content)]
        assert {type(made) for made in joined} == {list}
        joined[0].append(block)
        assert pickle.loads(pickle.dumps(content)) == copy.deepcopy(content) == content
        assert type(pickle.loads(pickle.dumps(content))) is ImmutableList
        assert msgspec.json.decode(msgspec.json.encode(immutable([1]))) == json.loads(json.dumps(immutable([1]))) == [1]
        match content:
            case [TextBlock(text="a"), *rest]:
                assert rest == items[1:]
            case _:
                pytest.fail("the content is a sequence")
    assert len({message, decoded}) == 1


def test_pickles_with_tuples_are_read() -> None:
    message = Message(id="1", model="m", content=[TextBlock(text="a")])
    state = message.__getstate__()
    old = copy.copy(message)
    old.__setstate__({**state, "content": tuple(state["content"])})
    assert type(old.content) is ImmutableList
    assert old == message


def test_fromkeys_gives_an_ordinary_dict() -> None:
    made = immutable({"a": 1}).fromkeys("ab")
    assert type(made) is dict
    assert made == {"a": None, "b": None}


def test_operators_that_change_are_refused() -> None:
    mapping, items = immutable({"a": 1}), immutable([1])
    with pytest.raises(TypeError):
        mapping |= {"b": 2}
    with pytest.raises(TypeError):
        items += [2]
    with pytest.raises(TypeError):
        items *= 2
    with pytest.raises(TypeError):
        del items[:]


# In every other way they are a dict and a list


@given(json_values())
def test_an_immutable_value_is_like_the_value_that_it_was_made_of(value: Any) -> None:
    made = immutable(value)
    assert made == value
    assert repr(made) == repr(value)
    assert json.dumps(made) == json.dumps(value)
    assert isinstance(made, type(value))
    assert all(type(container) in (ImmutableDict, ImmutableList) for container in containers_in(made))
    assert immutable(made) is made


def test_the_original_stays_as_it_was() -> None:
    value = copy.deepcopy(VALUE)
    immutable(value)
    assert value == VALUE
    assert all(type(container) in (dict, list) for container in containers_in(value))


def test_parts_that_are_immutable_are_shared_and_not_copied() -> None:
    inner = immutable({"a": [1]})
    assert immutable({"x": [inner]})["x"][0] is inner


def test_a_value_that_contains_itself_gives_one_that_contains_itself() -> None:
    items: list[Any] = [1]
    items.append(items)
    made = immutable(items)
    assert made[1] is made
    assert type(made) is ImmutableList
    fields: dict[str, Any] = {}
    fields["again"] = [fields]
    assert immutable(fields)["again"][0]["again"][0] is not fields
    shared = [1]
    twice = immutable([shared, {"a": shared}])
    assert twice[0] is twice[1]["a"]


def test_depth_is_no_problem() -> None:
    value: Any = []
    for _ in range(100_000):
        value = [value]
    made = immutable(value)
    depth = 0
    while made:
        made, depth = made[0], depth + 1
    assert depth == 100_000
    while value:  # to free it level by level
        value = value.pop()


def test_json_and_msgspec_write_and_convert_them() -> None:
    made = immutable(VALUE)
    assert json.loads(json.dumps(made, indent=1, sort_keys=True)) == VALUE
    assert msgspec.json.decode(msgspec.json.encode(made)) == VALUE
    assert msgspec.convert(made["a"], list[Any]) == VALUE["a"]
    assert msgspec.to_builtins(made) == VALUE


def test_pickles_of_them_are_immutable_again() -> None:
    made = immutable(VALUE)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        loaded = pickle.loads(pickle.dumps(made, protocol))
        assert loaded == VALUE
        assert type(loaded) is ImmutableDict
        assert type(loaded["a"]) is ImmutableList
        attempt_changes(loaded["a"])


def test_values_of_the_default_depth_can_be_copied_and_pickled() -> None:
    value: Any = immutable(json.loads('{"a":[' * 100 + "]}" * 100))
    assert copy.deepcopy(value) == pickle.loads(pickle.dumps(value)) == value


def test_copies_are_ordinary() -> None:
    made = immutable(VALUE)
    for copied in (copy.copy(made), made.copy(), dict(made), made | {}, {**made}):
        assert type(copied) is dict
        assert copied == VALUE
        assert copied["a"] is made["a"]
    items = made["a"]
    for copied in (copy.copy(items), items.copy(), list(items), items + [], items[:], items * 1):  # noqa: RUF005
        assert type(copied) is list
        assert copied == VALUE["a"]
    deep = copy.deepcopy(made)
    assert deep == VALUE
    assert all(type(container) in (dict, list) for container in containers_in(deep))
    deep["a"].append("mine")
    assert made == VALUE


def test_they_match_patterns() -> None:
    match immutable(VALUE):
        case {"a": [1, {"b": None}, []], **rest}:
            assert rest == {"c": {"d": {"e": "f"}}, "g": 1.5}
        case _:
            pytest.fail("no match")


def test_they_have_a_hash_if_what_they_hold_has_one() -> None:
    assert hash(immutable(VALUE)) == hash(immutable(dict(reversed(VALUE.items()))))
    assert hash(immutable([1, [2]])) == hash(immutable([1.0, [2]]))
    with pytest.raises(TypeError):
        hash(immutable([{1, 2}]))


# Where they are


def test_values_that_a_program_puts_in_are_copied() -> None:
    given: Any = {"a": [1]}
    block = ToolUseBlock(id="1", name="n", input=given)
    given["a"].append(2)
    assert block.input == {"a": [1]}
    attempt_changes(block.input["a"])


def test_unknown_blocks_and_unknown_fields_are_immutable_at_every_depth() -> None:
    payload = b'{"type":"content_block_start","index":0,"content_block":%s,"new":[{"x":[1]}]}'
    for block in (b'{"type":"new","a":{"b":[1]}}', b'{"type":"text","text":"","b":{"c":[1]}}'):
        event = decode_event(payload % block)
        assert isinstance(event, ContentBlockStartEvent)
        found = containers_in(event)
        assert len(found) >= 6
        assert all(type(container) in (ImmutableDict, ImmutableList) for container in found)
        attempt_changes(event.extra)


def test_the_payload_of_an_error_is_immutable() -> None:
    engine = MessageEngine()
    engine.receive_data(b'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"m"}}\n\n')
    (event,) = engine.events()
    assert isinstance(event, ErrorEvent)
    assert [type(container) for container in (event.payload, event.payload["error"])] == [ImmutableDict] * 2


def test_the_dicts_of_raw_events_are_ordinary() -> None:
    event = decode_raw_event(
        b'{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"1","name":"n","input":{}}}'
    )
    assert isinstance(event, RawContentBlockStartEvent)
    assert type(event.content_block) is dict
    event.content_block["input"]["mine"] = 1


def test_to_dict_and_to_param_give_ordinary_values() -> None:
    for block in (ToolUseBlock(id="1", name="n", input=VALUE), UnknownBlock(data={"type": "new", **VALUE})):
        for form in (block.to_dict(), block.to_param(), block.model_dump()):
            assert all(type(container) in (dict, list) for container in containers_in(form))


def test_wire_types_are_copied_and_pickled_with_immutable_values() -> None:
    block = ToolUseBlock(id="1", name="n", input=VALUE)
    for made in (copy.copy(block), pickle.loads(pickle.dumps(block))):
        assert made == block
        assert hash(made) == hash(block)
        assert all(type(container) in (ImmutableDict, ImmutableList) for container in containers_in(made))


def test_a_deep_copy_of_a_wire_type_has_ordinary_values_of_its_own() -> None:
    block = ToolUseBlock(id="1", name="n", input=VALUE)
    copied = copy.deepcopy(block)
    assert copied == block
    copied.input["a"].append("mine")
    assert block.input == VALUE


def test_values_out_of_a_snapshot_can_be_structured_again() -> None:
    data = immutable(
        {
            "id": "1",
            "type": "message",
            "role": "assistant",
            "model": "m",
            "content": [{"type": "text", "text": "hi"}],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": 1, "output_tokens": 1},
        }
    )
    assert converter.structure(data, Message).content == [TextBlock(text="hi")]


@pytest.mark.parametrize("text", ['{"a": [1, {"b": 2}]} ', '{"a": [1, {"b": 2'])
def test_partial_json_gives_immutable_values(text: str) -> None:
    for fragments in ([text], list(text)):
        decoder = PartialJSON()
        for fragment in fragments:
            decoder.feed(fragment)
            for container in containers_in(decoder.value):
                attempt_changes(container)
        assert decoder.value == {"a": [1, {"b": 2}]}


@given(whole_streams())
def test_a_snapshot_never_changes_whatever_is_done_with_values_out_of_it(stream: WholeStream) -> None:
    accumulator = MessageAccumulator()
    seen: list[tuple[Message, Any]] = []
    for event in stream.events:
        accumulator.apply(event)
        snapshot = accumulator.snapshot
        if snapshot is None or (seen and seen[-1][0] is snapshot):
            continue
        seen.append((snapshot, snapshot.to_dict()))
        for container in containers_in(snapshot):
            attempt_changes(container)
            copy.copy(container).clear()
            copy.deepcopy(container).clear()
    assert all(snapshot.to_dict() == before for snapshot, before in seen)
