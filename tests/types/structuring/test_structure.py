"""The generated functions that structure wire types, held to the plain path that they stand in for."""

from __future__ import annotations

import copy
import inspect
import json
import linecache
import traceback
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from helpers import (
    CAPTURES,
    STREAMS,
    body,
    example,
    for_each,
    message_delta,
    payloads_of,
    same,
    start,
    stream_id,
    wire_types,
    without_nulls,
)
from hypothesis import given
from hypothesis import strategies as st

from streamcore import DecodeError, MessageEngine, RawMessageDecoder
from streamcore.api.response import message_from_body
from streamcore.codec import decode_event
from streamcore.errors import APIResponseValidationError
from streamcore.types import (
    MessageStreamEvent,
    RawMessageStreamEvent,
    RedactedThinkingBlock,
    TextBlock,
    Unknown,
    WireObject,
)
from streamcore.types.structuring import UNUSUAL, StructureError, _plain, structure, structurer_for

if TYPE_CHECKING:
    from collections.abc import Callable

_EVENT: Any = MessageStreamEvent
_RAW_EVENT: Any = RawMessageStreamEvent
_KNOWN = [cls for cls in wire_types() if not issubclass(cls, Unknown)]


def check(value: Any, annotation: Any) -> bool:
    """Compare what both ways make of a value. Return whether the fast way took it."""
    before = copy.deepcopy(value)
    try:
        fast = structurer_for(annotation)(value)
    except UNUSUAL:
        check_error(value, annotation)
        return False
    finally:
        assert repr(value) == repr(before)
    plain = _plain.read(value, annotation)
    assert type(fast) is type(plain)
    assert same(fast, plain)
    assert repr(fast) == repr(plain)
    if isinstance(fast, WireObject):
        assert repr(fast.to_dict()) == repr(plain.to_dict())
        assert repr(fast.extra) == repr(plain.extra)
    return True


def check_error(value: Any, annotation: Any) -> None:
    """The only error is one whose text is short and names a path."""
    try:
        structure(value, annotation)
    except StructureError as error:
        assert " @ $" in str(error)
        assert len(str(error)) < 1000


@pytest.mark.parametrize("path", STREAMS, ids=stream_id)
def test_recorded_payloads_are_structured_as_the_plain_path_does_it(path: Any) -> None:
    for payload in set(payloads_of(path.read_bytes())):
        try:
            value = msgspec.json.decode(payload)
        except msgspec.DecodeError:
            continue  # a recording of a broken stream
        if isinstance(value, dict):
            check(value, _EVENT)
            check(value, _RAW_EVENT)


@pytest.mark.parametrize("path", CAPTURES, ids=stream_id)
def test_recorded_payloads_never_need_the_plain_path(path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = count_reads(monkeypatch)
    for payload in set(payloads_of(path.read_bytes())):
        decode_event(payload)
        assert reads() == 0, payload


@for_each([(cls, full) for cls in _KNOWN for full in (False, True)])
def test_an_example_of_every_type_takes_the_fast_way(cls: type[WireObject], full: bool) -> None:
    assert check(example(cls, full=full).to_dict(), cls)


@pytest.mark.parametrize("value", [None, [], "", "text", 0, 1.5, True, ["type"], [["type", "text"]]], ids=repr)
def test_a_value_that_is_not_an_object_is_refused_for_every_type(value: Any) -> None:
    for cls in _KNOWN:
        with pytest.raises(StructureError, match=r"expected an object, got .* @ \$$"):
            structure(value, cls)


OTHER_VALUES: list[Any] = [[], {}, "", "text", 0, 1.5, True, None]


@for_each([(cls,) for cls in _KNOWN])
def test_a_field_that_is_null_or_of_another_json_type_is_what_the_plain_path_says(cls: type[WireObject]) -> None:
    whole = example(cls).to_dict()
    for key in whole:
        for value in OTHER_VALUES:
            check(whole | {key: value}, cls)
        check({name: item for name, item in whole.items() if name != key}, cls)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner: list[tuple[Any, ...]] = [path]
    if isinstance(value, dict):
        inner += [place for key, item in value.items() for place in places(item, (*path, key))]
    if isinstance(value, list):
        inner += [place for number, item in enumerate(value) for place in places(item, (*path, number))]
    return inner


_OTHER_VALUES = [None, True, 0, 7, 2**70, 1.5, "", "text", [], [None], {}, {"type": "text"}, {"type": ["a"]}]
_UNKNOWN_NAMES = ["a field of tomorrow", "extra", "value", "self", "cls", "type", "parsed_output", "__class__"]


@given(st.sampled_from(_KNOWN), st.booleans(), st.data())
def test_a_changed_example_is_structured_as_the_plain_path_does_it(
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
            name = data.draw(st.sampled_from(_UNKNOWN_NAMES))
            holder[name] = copy.deepcopy(data.draw(st.sampled_from(_OTHER_VALUES)))
    check(value, cls)


def test_an_empty_object_is_a_fault_only_if_a_field_is_required() -> None:
    assert check({}, RedactedThinkingBlock) is False
    with pytest.raises(StructureError, match=r"required field 'data' is missing @ \$"):
        structure({}, RedactedThinkingBlock)


@pytest.mark.parametrize("tag", [["text"], {}, None, 5, True], ids=repr)
def test_a_tag_that_is_not_a_string_is_a_fault_of_its_object(tag: object) -> None:
    value = {"type": "content_block_start", "index": 0, "content_block": {"type": tag}}
    with pytest.raises(StructureError, match=r"an object needs a type @ \$\.content_block"):
        structure(value, _EVENT)


# Generated code


def test_generated_code_is_shown_by_inspect_and_by_tracebacks() -> None:
    function = structurer_for(TextBlock)
    source = inspect.getsource(function)
    assert source.startswith("def structure(value):\n")
    assert "item = value['text']" in source
    with pytest.raises(KeyError) as caught:
        function({"type": "text"})
    assert "item = value['text']" in "".join(traceback.format_exception(caught.value))


def test_what_a_peer_sends_generates_no_code() -> None:
    for number in range(3):
        size = len(linecache.cache)
        made = structurer_for.cache_info().currsize
        for tag in range(100):
            name = f"new {number} {tag}"
            structure({"type": name}, _EVENT)
            structure({"type": "content_block_start", "index": 0, "content_block": {"type": name}}, _EVENT)
            structure({"type": "ping", name: 1}, _EVENT)
        if number:
            assert structurer_for.cache_info().currsize == made
            assert len(linecache.cache) == size


# A budget for errors

COUNT = 9_000  # fewer than `Limits.max_blocks`
WRONG_CONTENT = [1] * COUNT
WRONG_MESSAGES = [
    {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": WRONG_CONTENT, "usage": {}},
    {"id": "msg_1", "model": "m", "content": [{"type": "text", "text": 1}] * COUNT},
    {"id": "msg_1", "model": "m", "content": [{"type": "text", "text": "", "citations": [1] * 100_000}] * 3},
]


def count_reads(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Count the values that the plain path looks at."""
    count = 0
    read = _plain._Reader.read

    def counting(self: Any, value: Any, annotation: Any, path: str) -> Any:
        nonlocal count
        count += 1
        return read(self, value, annotation, path)

    monkeypatch.setattr(_plain._Reader, "read", counting)
    return lambda: count


@pytest.mark.parametrize("message", WRONG_MESSAGES, ids=["items", "fields", "citations"])
@pytest.mark.parametrize("decoder", [MessageEngine, RawMessageDecoder])
def test_the_error_about_a_long_wrong_payload_is_short_and_found_soon(
    decoder: type[Any], message: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = decoder()
    made.receive_data(body({"type": "message_start", "message": message}))
    reads = count_reads(monkeypatch)
    with pytest.raises(DecodeError) as caught:
        list(made.events())
    assert "message.content[0]" in str(caught.value)
    assert len(str(caught.value)) < 1000
    assert len(caught.value.message) < 1000
    assert 0 < reads() < 100


@pytest.mark.parametrize("message", WRONG_MESSAGES, ids=["items", "fields", "citations"])
def test_the_error_about_a_long_wrong_body_is_short_and_found_soon(
    message: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = count_reads(monkeypatch)
    with pytest.raises(APIResponseValidationError) as caught:
        message_from_body(json.dumps(message).encode())
    assert "content[0]" in str(caught.value)
    assert len(str(caught.value)) < 1000
    assert 0 < reads() < 100


def test_the_name_of_a_wrong_type_is_shortened() -> None:
    with pytest.raises(StructureError) as caught:
        structure({"type": "x" * 10_000, "text": ""}, TextBlock)
    assert len(str(caught.value)) < 200


# Names from the wire

NAMES = ["value", "self", "cls", "changes", "message", "extra", "name", "given", "type", "__class__", "usage", "made"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("where", ["usage", "delta", "event"])
def test_an_unknown_field_of_a_message_delta_may_have_any_name(where: str, name: str) -> None:
    change = message_delta()
    change["delta"] |= {name: 7} if where == "delta" else {}
    change["usage"] |= {name: 7} if where == "usage" else {}
    change |= {name: 7} if where == "event" and name not in ("usage", "type") else {}
    engine = MessageEngine()
    engine.receive_data(body(start(), change))
    events = list(engine.events())
    assert events[-1].to_dict() == without_nulls(change)
    snapshot = engine.snapshot
    assert snapshot is not None
    if where == "usage":
        assert snapshot.usage.to_dict()[name] == 7
        assert snapshot.usage.output_tokens == 8
    elif name not in ("type", "usage"):
        assert snapshot.to_dict()[name] == 7
