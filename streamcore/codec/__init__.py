"""JSON payloads to typed events and back.

The way of a payload: `_json` makes an object of it, and `_structure` a typed event of that, with functions from
`_generated`. Anything unusual goes to `_plain`, which decides what it means or says what is wrong. There are two ways
around all this: `_fast_delta` for the deltas that are nearly all of a stream, and `_recurring` for the events that are
the same in every stream.

This folder knows nothing of the order of events, or of messages in the making.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from streamcore.codec._json import decode_leniently, kind_of, parse, too_deep
from streamcore.codec._plain import StructureError, read
from streamcore.codec._structure import UNUSUAL, structure, structurer_for
from streamcore.errors import DecodeError, LimitExceededError, excerpt
from streamcore.limits import DEFAULT_LIMITS
from streamcore.types import MessageStreamEvent, RawMessageStreamEvent
from streamcore.types._base import plain

__all__ = [
    "StructureError",
    "converter",
    "decode_event",
    "decode_leniently",
    "decode_raw_event",
    "encode_event",
    "kind_of",
    "parse",
    "structure",
    "structure_event",
    "too_deep",
]

if TYPE_CHECKING:
    from streamcore.codec._converter import converter
else:

    def __getattr__(name: str) -> Any:
        # cattrs is a seventh of the import, and decoding does without it.
        if name == "converter":
            from streamcore.codec._converter import converter

            return converter
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


_structure_event = structurer_for(MessageStreamEvent)
_structure_raw_event = structurer_for(RawMessageStreamEvent)


def decode_event(payload: bytes, *, max_depth: int = DEFAULT_LIMITS.max_depth) -> MessageStreamEvent:
    """Return the typed event in one payload.

    Args:
        payload: JSON as UTF-8 bytes.
        max_depth: How many arrays and objects may be nested.

    Raises:
        DecodeError: The payload is not JSON, is not an object, has no `type`, or a known field of it is missing or has
            the wrong type. The text names the paths of the first such fields.
        LimitExceededError: It nests too deep.
    """
    value = parse(payload, max_depth=max_depth)
    try:
        event: MessageStreamEvent = _structure_event(value)
    except UNUSUAL:
        event = _read_plainly(value, MessageStreamEvent)
    return event


def decode_raw_event(payload: bytes, *, max_depth: int = DEFAULT_LIMITS.max_depth) -> RawMessageStreamEvent:
    """Return the event in one payload, with content blocks and deltas as the plain dicts that they are in the payload.

    Arguments and errors are those of `decode_event`.
    """
    value = parse(payload, max_depth=max_depth)
    try:
        event: RawMessageStreamEvent = _structure_raw_event(value)
    except UNUSUAL:
        event = _read_plainly(value, RawMessageStreamEvent)
    return event


def structure_event(value: dict[str, Any], *, max_depth: int = DEFAULT_LIMITS.max_depth) -> MessageStreamEvent:
    """Return the typed event in a payload that is already parsed. The event shares nothing with `value`.

    Args:
        value: The JSON object.
        max_depth: How many arrays and objects may be nested.

    Raises:
        DecodeError: The object has no `type`, or a known field of it is missing or has the wrong type.
        LimitExceededError: It nests too deep.
    """
    if type(value.get("type")) is not str:
        raise DecodeError("the payload has no type", received=repr(value))
    if too_deep(value, max_depth):
        raise LimitExceededError(f"the payload nests deeper than {max_depth} levels")
    copied = plain(value)
    try:
        event: MessageStreamEvent = _structure_event(copied)
    except UNUSUAL:
        event = _read_plainly(copied, MessageStreamEvent)
    return event


def _read_plainly(value: dict[str, Any], annotation: Any) -> Any:
    """Return the event that an unusual object stands for."""
    try:
        return read(value, annotation)
    except StructureError as error:
        fault = str(error)
    received = json.dumps(value, ensure_ascii=False, default=repr)
    raise DecodeError(f"the payload is not a valid {excerpt(value['type'])} event: {fault}", received=received)


def encode_event(event: MessageStreamEvent | RawMessageStreamEvent) -> bytes:
    """Return the payload of an event: JSON as UTF-8 bytes, on one line.

    `decode_event` gives the event back, unless it has a number that no float can hold (`1e400`): that is written as
    `Infinity`, which is not JSON.
    """
    return event.to_json().encode()
