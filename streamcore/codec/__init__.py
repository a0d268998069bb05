"""JSON payloads to typed events and back.

The way of a payload: `_json` makes an object of it, and `_structure` a typed event of that, with functions from
`_generated`. Anything unusual goes to `_interpreter`, which decides what event it is, and `_plain`, which decides what
each field means or says what is wrong; `_error_events` reads errors of any shape. There are two ways around all this:
`_fast_delta` for the deltas that are nearly all of a stream, and `_recurring` for the events that are the same in every
stream.

This folder knows nothing of the order of events, or of messages in the making.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from streamcore.codec._error_events import error_event
from streamcore.codec._interpreter import EventInterpreter, Progress, structure_or_read
from streamcore.codec._json import decode_leniently, kind_of, parse, parse_json, too_deep
from streamcore.codec._plain import StructureError
from streamcore.codec._structure import UNUSUAL, structure, structurer_for
from streamcore.errors import LimitExceededError
from streamcore.limits import DEFAULT_LIMITS
from streamcore.types import MessageStreamEvent, RawMessageStreamEvent
from streamcore.types._base import plain

__all__ = [
    "UNUSUAL",
    "EventInterpreter",
    "Progress",
    "StructureError",
    "converter",
    "copied",
    "decode_event",
    "decode_leniently",
    "decode_raw_event",
    "encode_event",
    "kind_of",
    "parse",
    "parse_json",
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

    What servers leave out or spell oddly is accepted, as the guide in this folder says. A decoder of streams records it
    too; here there is nowhere to record it.

    Args:
        payload: JSON as UTF-8 bytes.
        max_depth: How many arrays and objects may be nested.

    Raises:
        DecodeError: The payload is not JSON, is not an object, has no `type`, or a known field of it is missing or has
            the wrong type. The text names the paths of the first such fields.
        LimitExceededError: It nests too deep.
    """
    event: MessageStreamEvent = _event_in(parse(payload, max_depth=max_depth), _structure_event, MessageStreamEvent)
    return event


def decode_raw_event(payload: bytes, *, max_depth: int = DEFAULT_LIMITS.max_depth) -> RawMessageStreamEvent:
    """Return the event in one payload, with content blocks and deltas as the plain dicts that they are in the payload.

    Arguments and errors are those of `decode_event`.
    """
    value = parse(payload, max_depth=max_depth)
    event: RawMessageStreamEvent = _event_in(value, _structure_raw_event, RawMessageStreamEvent)
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
    event: MessageStreamEvent = _event_in(copied(value, max_depth=max_depth), _structure_event, MessageStreamEvent)
    return event


def copied(value: dict[str, Any], *, max_depth: int) -> dict[str, Any]:
    """Return a deep copy of a JSON object that somebody else has parsed.

    Raises:
        LimitExceededError: It nests too deep.
    """
    if too_deep(value, max_depth):
        raise LimitExceededError(f"the payload nests deeper than {max_depth} levels")
    copy: dict[str, Any] = plain(value)
    return copy


def _event_in(value: dict[str, Any], structure: Callable[[Any], Any], annotation: Any) -> Any:
    if value.get("type") == "error" or ("type" not in value and value.get("error") is not None):
        event, _ = error_event(value)
    else:
        event, _ = structure_or_read(structure, value, annotation)
    return event


def encode_event(event: MessageStreamEvent | RawMessageStreamEvent) -> bytes:
    """Return the payload of an event: JSON as UTF-8 bytes, on one line.

    `decode_event` gives the event back, unless it has a number that no float can hold (`1e400`): that is written as
    `Infinity`, which is not JSON.
    """
    return event.to_json().encode()
