"""JSON payloads to typed events and back.

In: the payload of one event, as UTF-8 bytes, or the dict that an SDK parsed from it. Out: one frozen event. Back: an
event to its payload. A payload is decoded by msgspec and structured by the rules of `_hooks`, which the cattrs
`converter` has too; `delta_shape` is a shortcut for the deltas that are nearly all of a stream.

Costs: linear in the payload. Knows nothing of framing, of the order of events or of messages in the making.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs
import msgspec

from streamcore._hooks import Hook, hook_for, kind_of
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
)
from streamcore.types._base import plain

__all__ = [
    "converter",
    "decode_event",
    "decode_leniently",
    "decode_raw_event",
    "encode_event",
    "parse",
    "structure_event",
    "too_deep",
]

_structure_event = hook_for(MessageStreamEvent)
_structure_raw_event = hook_for(RawMessageStreamEvent)

if TYPE_CHECKING:
    from streamcore._converter import converter
else:

    def __getattr__(name: str) -> Any:
        # cattrs is a seventh of the import, and decoding does without it.
        if name == "converter":
            from streamcore._converter import converter

            return converter
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


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
        value = decode_leniently(payload)
        if value is None:
            raise DecodeError(f"the payload is not JSON: {error}", received=payload) from None
    if type(value) is not dict:
        raise DecodeError(f"the payload is not an object, but {kind_of(value)}", received=payload)
    # Its length, or two searches for one byte, tell of nearly every payload that it is shallow.
    if (
        len(payload) > 2 * max_depth
        and payload.count(b"{") + payload.count(b"[") > max_depth
        and too_deep(value, max_depth)
    ):
        raise LimitExceededError(f"the payload nests deeper than {max_depth} levels", received=payload)
    if type(value.get("type")) is not str:
        raise DecodeError("the payload has no type", received=payload)
    return value


def decode_leniently(payload: bytes) -> Any:
    """What is valid JSON and yet refused by msgspec: escaped lone surrogates, numbers that no float can hold. `None` if
    it is not even that.
    """
    import json

    try:
        return json.loads(payload.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def too_deep(value: Any, max_depth: int) -> bool:
    """Whether more than `max_depth` arrays and objects are nested in `value`; level by level, so that no depth is too
    much for it.
    """
    depth = 0
    level = [value]
    while level and depth <= max_depth:
        level = [
            item
            for container in level
            if isinstance(container, (dict, list))
            for item in (container.values() if isinstance(container, dict) else container)
            if isinstance(item, (dict, list))
        ]
        depth += 1
    return depth > max_depth


def structure_event(value: dict[str, Any], *, max_depth: int = DEFAULT_LIMITS.max_depth) -> MessageStreamEvent:
    """The typed event in a payload that is already parsed. Nothing of `value` is shared with it.

    Raises:
        DecodeError: It has no `type`, or a known field is missing or of the wrong JSON type; the message names its
            path.
        LimitExceededError: It nests deeper than `max_depth` arrays and objects.
    """
    if type(value.get("type")) is not str:
        raise DecodeError("the payload has no type", received=repr(value))
    if too_deep(value, max_depth):
        raise LimitExceededError(f"the payload nests deeper than {max_depth} levels")
    event: MessageStreamEvent = _structured(_structure_event, plain(value), MessageStreamEvent)
    return event


def _structured(hook: Hook, value: dict[str, Any], annotation: Any) -> Any:
    try:
        return hook(value, annotation)
    except (ValueError, KeyError):
        import json

        from streamcore._converter import explain

        fault = explain(value, annotation)
        received = json.dumps(value, ensure_ascii=False, default=repr)
    raise DecodeError(f"the payload is not a valid {value.get('type')!r} event: {fault}", received=received)


# Events that recur, in every stream or many times in one, and hold nothing that can be changed. One value serves
# each of their payloads: a look-up costs 0.1 µs where structuring costs 2 to 5. Bounded, so that a peer cannot fill
# memory; one that fills these slots costs others time, nothing else.
_recurring: dict[bytes, MessageStreamEvent] = {}
_RECURRING_COUNT = 1024
_RECURRING_SIZE = 128
RECURRING_DEPTH = 3
"""In how many objects and arrays, at the most, such an event nests: under a lower limit it has to be looked at."""


def _recurs(event: MessageStreamEvent) -> bool:
    if type(event) is ContentBlockStartEvent:
        block = event.content_block
        return type(block) is ThinkingBlock or (type(block) is TextBlock and not block.citations)
    return type(event) in (ContentBlockStopEvent, MessageStopEvent, PingEvent)


def recurs(payload: bytes) -> bool:
    """Whether this payload has been decoded to an event that recurs: the same frozen object each time."""
    return payload in _recurring


def decode_event(payload: bytes, *, max_depth: int = DEFAULT_LIMITS.max_depth) -> MessageStreamEvent:
    """The typed event in one payload (JSON as UTF-8 bytes).

    Raises:
        DecodeError: It is not JSON, not an object, has no `type`, or a known field of it is missing or of the wrong
            type; the message names the field's path.
        LimitExceededError: It nests deeper than `max_depth` arrays and objects.
    """
    may_recur = len(payload) <= _RECURRING_SIZE and max_depth >= RECURRING_DEPTH
    known = _recurring.get(payload) if may_recur else None
    if known is not None:
        return known
    event: MessageStreamEvent = _structured(_structure_event, parse(payload, max_depth=max_depth), MessageStreamEvent)
    if may_recur and len(_recurring) < _RECURRING_COUNT and _recurs(event):
        _recurring[payload] = event
    return event


def decode_raw_event(payload: bytes, *, max_depth: int = DEFAULT_LIMITS.max_depth) -> RawMessageStreamEvent:
    """Like `decode_event`, but content blocks and deltas stay the plain dicts that they are in the payload."""
    value = parse(payload, max_depth=max_depth)
    event: RawMessageStreamEvent = _structured(_structure_raw_event, value, RawMessageStreamEvent)
    return event


def encode_event(event: MessageStreamEvent | RawMessageStreamEvent) -> bytes:
    """The payload of an event: JSON as UTF-8 bytes, on one line.

    `decode_event` gives the event back, unless a number of it is one that no float can hold (`1e400`): that is written
    as `Infinity`, which is not JSON.
    """
    return event.to_json().encode()


# The hot deltas


# msgspec fills the frozen attrs classes straight from the bytes, in the time that building a dict would take: 0.25 µs,
# beside 3 µs by way of the converter.
_HOT_DELTAS: dict[str, tuple[str, Any]] = {
    "text_delta": ("text", ContentBlockDeltaEvent[TextDelta]),
    "input_json_delta": ("partial_json", ContentBlockDeltaEvent[InputJSONDelta]),
    "thinking_delta": ("thinking", ContentBlockDeltaEvent[ThinkingDelta]),
}

# One name for the string of each, which so is had by one load from a slot.
_delta: Any
for _delta in (TextDelta, InputJSONDelta, ThinkingDelta):
    _delta._added = getattr(_delta, _HOT_DELTAS[_delta.type][0])

_BEFORE_PAYLOAD = b"event: content_block_delta\ndata: "
PAYLOAD = slice(len(_BEFORE_PAYLOAD), None)


@attrs.frozen(eq=False, repr=False)
class DeltaShape:
    """How the API writes the deltas of one type for one block, byte for byte, as chunks that are one event; see
    `delta_shape`.

    Attributes:
        prefix: What such a chunk begins with, up to the opening quote of its one string.
        head: The slice of a chunk that this is.
        quote: Where that quote is.
        decode: Makes the event of the payload. Its `delta` has the string as `_added`, too.
    """

    prefix: bytes
    head: slice
    quote: int
    decode: Callable[[bytes], Any]

    def event_of(self, payload: bytes) -> Any:
        """The event in the payload of such a chunk; `None` if it is of no such chunk. (`MessageEngine.events` does this
        written out, for whole chunks.)
        """
        chunk = _BEFORE_PAYLOAD + payload + b"\n\n"
        if chunk[self.head] == self.prefix:
            try:
                event = self.decode(payload)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                return None
            if chunk[self.quote + len(encode_string(event.delta._added)) :] in CHUNK_ENDS:
                return event
        return None


@functools.cache
def _decoder(delta_type: str) -> Callable[[bytes], Any]:
    return msgspec.json.Decoder(_HOT_DELTAS[delta_type][1]).decode


@functools.lru_cache(maxsize=64)
def delta_shape(index: int, delta_type: str) -> DeltaShape:
    """The shape of deltas of one type (`"text_delta"`, `"input_json_delta"` or `"thinking_delta"`) for the block with
    this index.

    If a chunk begins with its prefix, and ends in one of `CHUNK_ENDS` where the string does, then `decode` does with
    the payload what `decode_event` does, in a tenth of the time, and raises `msgspec.MsgspecError` or
    `UnicodeDecodeError` if it is wrong all the same. Where the string ends is to be counted by `encode_string` of the
    string as it was decoded. JSON has no shorter form of it: if the bytes after those are one of the known ends, there
    is no room for a longer form, nor for fields that are not known. (msgspec skips fields that a class does not have.)
    """
    field, _ = _HOT_DELTAS[delta_type]
    shape = b'{"type":"content_block_delta","index":%d,"delta":{"type":"%s","%s":"'
    prefix = _BEFORE_PAYLOAD + shape % (index, delta_type.encode(), field.encode())
    return DeltaShape(prefix=prefix, head=slice(len(prefix)), quote=len(prefix) - 1, decode=_decoder(delta_type))


encode_string = msgspec.json.Encoder().encode

# The API pads what it sends with blanks.
CHUNK_ENDS = frozenset(b"}" + b" " * blanks + b"}\n\n" for blanks in range(32))
