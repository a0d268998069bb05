"""JSON payloads to typed events and back.

In: the payload of one event, as UTF-8 bytes, or the dict that an SDK parsed from it. Out: one frozen event. Back: an
event to its payload. A payload is decoded by msgspec and structured by one cattrs converter; `delta_shape` is a
shortcut for the deltas that are nearly all of a stream.

Costs: linear in the payload. Knows nothing of framing, of the order of events or of messages in the making.

What the wire may surprise with:

- A field that a class does not know goes to `extra`; an object whose `type` no class has becomes the union's
  `Unknown...` class. Neither is an error.
- A known field that is null counts as absent.
- A known field of the wrong JSON type is a `DecodeError` that names the path. Strings are not taken for numbers, nor
  numbers for booleans; where a class lists the values it knows (`StopReason`), any other string is kept as it is.
"""

from __future__ import annotations

import functools
import json
import re
import types
from collections.abc import Callable
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

import attrs
import cattrs
import msgspec
from cattrs.gen import make_dict_structure_fn, override

from streamcore.errors import DecodeError, LimitExceededError
from streamcore.limits import DEFAULT_LIMITS
from streamcore.types import (
    ContentBlockDeltaEvent,
    ContentBlockStartEvent,
    ContentBlockStopEvent,
    InputJSONDelta,
    MessageStopEvent,
    MessageStreamEvent,
    PingEvent,
    RawMessageStreamEvent,
    TextBlock,
    TextDelta,
    ThinkingBlock,
    ThinkingDelta,
    Unknown,
    WireObject,
)
from streamcore.types._base import plain, type_tag, wire_fields, with_extra

__all__ = [
    "DeltaShape",
    "converter",
    "decode_event",
    "decode_raw_event",
    "delta_shape",
    "encode_event",
    "parse",
    "structure_event",
]

_Hook = Callable[[Any, Any], Any]


# Structuring: the hooks of the converter


def _origin(annotation: Any) -> Any:
    return get_origin(annotation)


def _kind(value: object) -> str:
    """What JSON calls the type of `value`."""
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def _scalar_hook(accepted: tuple[type, ...], name: str) -> _Hook:
    # By exact type: a bool is not a number on the wire, though Python takes it for an int.
    def structure(value: Any, _: Any) -> Any:
        if type(value) in accepted:
            return value
        raise ValueError(f"expected {name}, got {_kind(value)}")

    return structure


_SCALARS: dict[Any, tuple[tuple[type, ...], str]] = {
    str: ((str,), "a string"),
    int: ((int,), "an integer"),
    float: ((int, float), "a number"),
    bool: ((bool,), "a boolean"),
    # A closed set of strings, of which the API may add to any without notice.
    Literal: ((str,), "a string"),
    dict: ((dict,), "an object"),
}


def _scalar(annotation: Any) -> tuple[tuple[type, ...], str] | None:
    return _SCALARS.get(_origin(annotation) or annotation)


def _class_hook(cls: type[Any], converter: cattrs.BaseConverter) -> _Hook:
    """A wire type: the function that cattrs generates, between the check of the tag and the unknown fields."""
    overrides = {field.name: override(omit=True) for field in attrs.fields(cls)}
    overrides |= {field.name: override(rename=field.key) for field in wire_fields(cls)}
    fill: _Hook = make_dict_structure_fn(
        cls,
        converter,
        _cattrs_forbid_extra_keys=False,
        _cattrs_detailed_validation=converter.detailed_validation,
        **overrides,  # type: ignore[arg-type]
    )
    tag = type_tag(cls)
    known = frozenset(field.key for field in wire_fields(cls)) | ({"type"} if tag is not None else frozenset())

    def structure(value: Any, _: Any) -> Any:
        if type(value) is not dict:
            raise ValueError(f"expected an object, got {_kind(value)}")
        if tag is not None and value.get("type", tag) != tag:
            raise ValueError(f"expected the type {tag!r}, got {value['type']!r}")
        try:
            result = fill(value, cls)
        except (ValueError, KeyError, cattrs.BaseValidationError):
            # Null where the class has a default but no None: rare enough to be looked for only now.
            if None not in value.values():
                raise
            result = fill({key: item for key, item in value.items() if item is not None}, cls)
        if not value.keys() <= known:
            return with_extra(result, {key: item for key, item in value.items() if key not in known})
        return result

    return structure


def _unknown_hook(cls: type[Unknown], _: cattrs.BaseConverter) -> _Hook:
    def structure(value: Any, _: Any) -> Unknown:
        return cls(data=value)

    return structure


def _union_hook(union: Any, converter: cattrs.BaseConverter) -> _Hook:
    """A union: objects by their `type`, everything else by its JSON type."""
    members = [member for member in get_args(union) if member is not types.NoneType]
    if len(members) == 1 and (scalar := _scalar(members[0])) is not None:
        accepted, name = scalar
        return _scalar_hook((*accepted, types.NoneType), name)
    classes: dict[str, Any] = {}
    by_kind: dict[type, _Hook] = {types.NoneType: lambda value, _: None} if types.NoneType in get_args(union) else {}
    fallback: _Hook | None = None
    for member in members:
        cls = _origin(member) or member
        if issubclass(cls, WireObject) and (tag := type_tag(cls)) is not None:
            classes[tag] = member
        elif issubclass(cls, Unknown):
            fallback = converter.get_structure_hook(member)
        else:
            kind = dict if issubclass(cls, WireObject) else list if cls is tuple else cls
            by_kind[kind] = converter.get_structure_hook(member)
    has_objects = bool(classes or fallback)
    names = [_kind(kind()) for kind in by_kind if kind is not types.NoneType]
    expected = " or ".join([*names, "an object"] if has_objects else names)
    # Filled as types are met: most programs meet few, and making all hooks would double the time of an import.
    by_tag: dict[str, _Hook] = {}

    def structure(value: Any, _: Any) -> Any:
        hook = by_kind.get(type(value))
        if hook is not None:
            return hook(value, None)
        if type(value) is not dict or not has_objects:
            raise ValueError(f"expected {expected}, got {_kind(value)}")
        tag = value.get("type")
        if type(tag) is not str:
            raise ValueError("expected an object with a type")
        hook = by_tag.get(tag)
        if hook is None:
            if tag in classes:
                hook = by_tag[tag] = converter.get_structure_hook(classes[tag])
            elif fallback is not None:
                hook = fallback
            else:
                raise ValueError(f"unknown type {tag!r}")
        return hook(value, None)

    return structure


def _tuple_hook(annotation: Any, converter: cattrs.BaseConverter) -> _Hook:
    items = list[get_args(annotation)[0]]  # type: ignore[valid-type, misc]  # a type made at run time
    structure_items = converter.get_structure_hook(items)

    def structure(value: Any, _: Any) -> tuple[Any, ...]:
        # cattrs takes any iterable for a list, a string too.
        if type(value) is not list:
            raise ValueError(f"expected an array, got {_kind(value)}")
        return tuple(structure_items(value, items))

    return structure


def _make_converter(*, detailed_validation: bool) -> cattrs.Converter:
    made = cattrs.Converter(detailed_validation=detailed_validation)
    made.register_structure_hook_factory(
        lambda annotation: _scalar(annotation) is not None,
        lambda annotation: _scalar_hook(*_SCALARS[_origin(annotation) or annotation]),
    )
    for scalar in (str, int, float, bool):  # cattrs looks these up by class, before it asks the factories
        made.register_structure_hook(scalar, _scalar_hook(*_SCALARS[scalar]))
    made.register_structure_hook_factory(lambda annotation: _origin(annotation) is tuple, _tuple_hook)
    made.register_structure_hook_factory(
        lambda annotation: _origin(annotation) in (Union, types.UnionType), _union_hook
    )
    made.register_structure_hook_factory(
        lambda annotation: isinstance(annotation, TypeVar),
        lambda variable, converter: converter.get_structure_hook(variable.__bound__),
    )
    made.register_structure_hook_factory(_is_wire_type, _class_hook)
    made.register_structure_hook_factory(
        lambda annotation: _is_wire_type(annotation) and issubclass(annotation, Unknown), _unknown_hook
    )
    made.register_unstructure_hook_func(_is_wire_type, WireObject.to_dict)
    return made


def _is_wire_type(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, WireObject)


converter = _make_converter(detailed_validation=False)
"""The converter for every wire type: `converter.structure(obj, Message)`, `converter.unstructure(message)`."""


@functools.cache
def _explainer() -> cattrs.Converter:
    """Says where an object is wrong, at several times the cost: made and asked only when one is."""
    return _make_converter(detailed_validation=True)


_structure_event = converter.get_structure_hook(MessageStreamEvent)
_structure_raw_event = converter.get_structure_hook(RawMessageStreamEvent)


def _explain(value: Any, annotation: Any) -> str:
    try:
        _explainer().structure(value, annotation)
    except (cattrs.BaseValidationError, ValueError) as error:
        return "; ".join(cattrs.transform_error(error, format_exception=_format_fault))
    raise AssertionError("the two converters disagree")


def _format_fault(error: BaseException, _: type | None) -> str:
    if isinstance(error, KeyError):
        return f"required field {error.args[0]!r} is missing"
    return str(error)


# Decoding


_decode_json = msgspec.json.Decoder().decode


def parse(payload: bytes, *, max_depth: int = DEFAULT_LIMITS.max_depth) -> dict[str, Any]:
    """The JSON object in `payload` (UTF-8).

    Raises:
        DecodeError: It is not JSON, not an object, or has no `type`.
        LimitExceededError: It nests deeper than `max_depth` arrays and objects.
    """
    try:
        value = _decode_json(payload)
    except RecursionError:
        raise LimitExceededError(f"the payload nests deeper than {max_depth} levels", received=payload) from None
    except UnicodeDecodeError as error:
        raise DecodeError(f"the payload is not UTF-8: {error.reason}", received=payload) from None
    except msgspec.MsgspecError as error:
        raise DecodeError(f"the payload is not JSON: {error}", received=payload) from None
    if type(value) is not dict:
        raise DecodeError(f"the payload is not an object, but {_kind(value)}", received=payload)
    # Its length, or two searches for one byte, tell of nearly every payload that it is shallow.
    if (
        len(payload) > 2 * max_depth
        and payload.count(b"{") + payload.count(b"[") > max_depth
        and _depth(value) > max_depth
    ):
        raise LimitExceededError(f"the payload nests deeper than {max_depth} levels", received=payload)
    if type(value.get("type")) is not str:
        raise DecodeError("the payload has no type", received=payload)
    return value


def _depth(value: Any) -> int:
    """How many arrays and objects are nested in `value`; level by level, so that no depth is too much for it."""
    depth = 0
    level = [value]
    while level:
        level = [
            item
            for container in level
            if isinstance(container, (dict, list))
            for item in (container.values() if isinstance(container, dict) else container)
            if isinstance(item, (dict, list))
        ]
        depth += 1
    return depth


def structure_event(value: dict[str, Any], *, max_depth: int = DEFAULT_LIMITS.max_depth) -> MessageStreamEvent:
    """The typed event in a payload that is already parsed. Nothing of `value` is shared with it.

    Raises:
        DecodeError: It has no `type`, or a known field is missing or of the wrong JSON type; the message names its
            path.
        LimitExceededError: It nests deeper than `max_depth` arrays and objects.
    """
    if _depth(value) > max_depth:
        raise LimitExceededError(f"the payload nests deeper than {max_depth} levels")
    return _structured(_structure_event, plain(value), MessageStreamEvent)  # type: ignore[no-any-return]


def _structured(hook: _Hook, value: dict[str, Any], annotation: Any) -> Any:
    try:
        return hook(value, annotation)
    except (ValueError, KeyError):
        fault = _explain(value, annotation)
        received = json.dumps(value, ensure_ascii=False, default=repr)
    raise DecodeError(f"the payload is not a valid {value.get('type')!r} event: {fault}", received=received)


# Events that recur, in every stream or many times in one, and hold nothing that can be changed. One value serves
# each of their payloads: a look-up costs 0.1 µs where structuring costs 2 to 5. Bounded, so that a peer cannot fill
# memory; one that fills these slots costs others time, nothing else.
_recurring: dict[bytes, MessageStreamEvent] = {}
_RECURRING_COUNT = 1024
_RECURRING_SIZE = 128


def _recurs(event: MessageStreamEvent) -> bool:
    if type(event) is ContentBlockStartEvent:
        block = event.content_block
        return type(block) is ThinkingBlock or (type(block) is TextBlock and not block.citations)
    return type(event) in (ContentBlockStopEvent, MessageStopEvent, PingEvent)


def decode_event(payload: bytes, *, max_depth: int = DEFAULT_LIMITS.max_depth) -> MessageStreamEvent:
    """The typed event in one payload (JSON as UTF-8 bytes).

    Raises:
        DecodeError: It is not JSON, not an object, has no `type`, or a known field of it is missing or of the wrong
            type; the message names the field's path.
        LimitExceededError: It nests deeper than `max_depth` arrays and objects.
    """
    event = _recurring.get(payload)
    if event is None:
        event = _structured(_structure_event, parse(payload, max_depth=max_depth), MessageStreamEvent)
        assert event is not None
        if len(payload) <= _RECURRING_SIZE and len(_recurring) < _RECURRING_COUNT and _recurs(event):
            _recurring[payload] = event
    return event


def decode_raw_event(payload: bytes, *, max_depth: int = DEFAULT_LIMITS.max_depth) -> RawMessageStreamEvent:
    """Like `decode_event`, but content blocks and deltas stay the plain dicts that they are in the payload."""
    value = parse(payload, max_depth=max_depth)
    return _structured(_structure_raw_event, value, RawMessageStreamEvent)  # type: ignore[no-any-return]


def encode_event(event: MessageStreamEvent | RawMessageStreamEvent) -> bytes:
    """The payload of an event: JSON as UTF-8 bytes, on one line."""
    try:
        return event.to_json().encode()
    except UnicodeEncodeError:
        # A lone surrogate, in an event that was not decoded: JSON can escape what UTF-8 cannot say.
        return json.dumps(event.to_dict(), separators=(",", ":")).encode()


# The hot deltas


# msgspec fills the frozen attrs classes straight from the bytes, in the time that building a dict would take: 0.25 µs,
# beside 3 µs by way of the converter.
_DELTA_DECODERS: dict[str, tuple[bytes, Callable[[bytes], ContentBlockDeltaEvent]]] = {
    "text_delta": (b"text", msgspec.json.Decoder(ContentBlockDeltaEvent[TextDelta]).decode),
    "input_json_delta": (b"partial_json", msgspec.json.Decoder(ContentBlockDeltaEvent[InputJSONDelta]).decode),
    "thinking_delta": (b"thinking", msgspec.json.Decoder(ContentBlockDeltaEvent[ThinkingDelta]).decode),
}


@attrs.frozen
class DeltaShape:
    """How the API writes the deltas of one type for one block, byte for byte; see `delta_shape`.

    Attributes:
        prefix: What such a delta begins with, up to the opening quote of its one string.
        start: The length of `prefix`.
        rest: Whether from `start` on come the rest of that string, braces and blanks on one line, and nothing else.
        payload: Which part of the bytes is the payload.
        decode: Makes the event of the payload.
    """

    prefix: bytes
    start: int
    rest: Callable[[bytes, int], object]
    payload: slice
    decode: Callable[[bytes], ContentBlockDeltaEvent]


@functools.lru_cache(maxsize=64)
def delta_shape(index: int, delta_type: str, before: bytes = b"", after: bytes = b"") -> DeltaShape:
    """The shape of deltas of one type (`"text_delta"`, `"input_json_delta"` or `"thinking_delta"`) for the block with
    this index. If bytes begin with its `prefix`, and its `rest` says yes to what follows, `decode` does with their
    payload what `decode_event` does, in a tenth of the time, and raises `msgspec.MsgspecError` or `UnicodeDecodeError`
    if it is wrong all the same.

    msgspec skips fields that a class does not have. A payload of this shape can have none.

    Args:
        before: Bytes that stand before the payload.
        after: Bytes that stand after it.
    """
    field, decode = _DELTA_DECODERS[delta_type]
    shape = b'{"type":"content_block_delta","index":%d,"delta":{"type":"%s","%s":"'
    prefix = before + shape % (index, delta_type.encode(), field)
    rest = re.compile(rb'[^"\\\n\r]*+(?:\\.[^"\\\n\r]*+)*+"[ }]*+' + re.escape(after) + rb"\Z")
    return DeltaShape(prefix, len(prefix), rest.match, slice(len(before), -len(after) or None), decode)
