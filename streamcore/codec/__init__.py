"""JSON payloads to typed events and back.

| file | idea |
| --- | --- |
| `_json.py` | a payload to the JSON value in it |
| `_interpreter.py` | which event an unusual payload is |
| `_error_events.py` | errors of any shape |
| `_fast_delta.py` | a shortcut for deltas, nearly all of a stream |
| `_recurring.py` | a shortcut for events that are the same in every stream |
| `_converter.py` | the cattrs converter, for programs that use cattrs |

`streamcore.types.structuring` makes typed events of JSON values. The two shortcuts compare all bytes of an event, so
they know the two lines that it has in an event stream. The rest of this folder knows payloads only, and nothing about
the order of events or about accumulating them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from streamcore.codec._error_events import error_event, is_error
from streamcore.codec._interpreter import (
    EVENT_TYPES,
    EventInterpreter,
    EventKind,
    Progress,
    means_error,
    structure_or_read,
)
from streamcore.codec._json import decode_leniently, parse, parse_json, too_deep
from streamcore.errors import LimitExceededError
from streamcore.limits import DEFAULT_LIMITS
from streamcore.types import MessageStreamEvent, RawMessageStreamEvent
from streamcore.types.base import plain
from streamcore.types.structuring import UNUSUAL, StructureError, kind_of, structure, structurer_for

__all__ = [
    "EVENT_TYPES",
    "RAW_EVENTS",
    "TYPED_EVENTS",
    "UNUSUAL",
    "EventInterpreter",
    "EventKind",
    "Progress",
    "StructureError",
    "converter",
    "copied",
    "decode_event",
    "decode_leniently",
    "decode_raw_event",
    "encode_event",
    "error_event",
    "kind_of",
    "means_error",
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
        # cattrs takes a seventh of the import time, and decoding does not need it.
        if name == "converter":
            from streamcore.codec._converter import converter

            return converter
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


TYPED_EVENTS = EventKind(MessageStreamEvent, structurer_for(MessageStreamEvent))
"""Events whose content blocks and deltas are typed."""

RAW_EVENTS = EventKind(RawMessageStreamEvent, structurer_for(RawMessageStreamEvent))
"""Events whose content blocks and deltas are dicts."""


def decode_event(payload: bytes, *, max_depth: int = DEFAULT_LIMITS.max_depth) -> MessageStreamEvent:
    """Return the typed event in one payload.

    Fields that servers leave out or spell oddly are accepted (see `README.md`). Decoders of streams also record them.

    Args:
        payload: JSON as UTF-8 bytes.
        max_depth: How many arrays and objects may be nested.

    Raises:
        DecodeError: The payload is not JSON, is not an object, has no `type`, or a known field of it is missing or has
            the wrong type. The text names the paths of the first such fields.
        LimitExceededError: It nests too deep.
    """
    event: MessageStreamEvent = _event_in(parse(payload, max_depth=max_depth), TYPED_EVENTS)
    return event


def decode_raw_event(payload: bytes, *, max_depth: int = DEFAULT_LIMITS.max_depth) -> RawMessageStreamEvent:
    """Return the event in one payload, with content blocks and deltas as the plain dicts that they are in the payload.

    Arguments and errors are those of `decode_event`.
    """
    value = parse(payload, max_depth=max_depth)
    event: RawMessageStreamEvent = _event_in(value, RAW_EVENTS)
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
    event: MessageStreamEvent = _event_in(copied(value, max_depth=max_depth), TYPED_EVENTS)
    return event


def copied(value: dict[str, Any], *, max_depth: int) -> dict[str, Any]:
    """Return a deep copy of a JSON object that belongs to the caller.

    Raises:
        LimitExceededError: It nests too deep.
    """
    if too_deep(value, max_depth):
        raise LimitExceededError(f"the payload nests deeper than {max_depth} levels")
    copy: dict[str, Any] = plain(value)
    return copy


def _event_in(value: dict[str, Any], kind: EventKind) -> Any:
    event, _ = error_event(value) if is_error(value) else structure_or_read(kind, value)
    return event


def encode_event(event: MessageStreamEvent | RawMessageStreamEvent) -> bytes:
    """Return the payload of an event: JSON as UTF-8 bytes, on one line.

    `decode_event` gives the event back, unless it has a number that is too large for a float (`1e400`): that is written
    as `Infinity`, which is not JSON.
    """
    return event.model_dump_json().encode()
