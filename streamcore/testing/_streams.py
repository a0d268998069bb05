"""`assert_same_stream`: compare two streams, given as bytes, chunks, events of any library, or captures.

Only wire events and the error at the end are compared. Derived events, and what message streams add to stop events, are
left out, because they follow from the others.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

import attrs

from streamcore import Message, MessageAccumulator, MessageEngine, MessageStreamEvent, ProtocolError, StreamCoreError
from streamcore.codec import structure_event
from streamcore.errors import InvalidArgumentError
from streamcore.replay.capture import Capture, CaptureError
from streamcore.replay.formats.files import read_captures
from streamcore.replay.playing.players import SyncPlayer
from streamcore.testing.differences import event_lines, value_lines
from streamcore.types import ErrorEvent, ParsedMessageStreamEvent, WireObject

_DERIVED = frozenset({"text", "thinking", "signature", "citation", "input_json", "compaction"})
# The fields that message streams add to wire events.
_ADDED = {"content_block_stop": "content_block", "message_stop": "message"}


@attrs.frozen
class Outcome:
    """The events of a stream and how it ended.

    Attributes:
        events: The wire events.
        error: The error that the stream ended with, or `None`.
    """

    events: list[MessageStreamEvent]
    error: StreamCoreError | None

    @property
    def message(self) -> Message | None:
        """The message that the events add up to, as far as they are valid."""
        accumulator = MessageAccumulator(multiple_messages=True)
        try:
            for event in self.events:
                accumulator.apply(event)
        except ProtocolError as error:
            return error.snapshot
        return accumulator.snapshot


def assert_same_stream(left: Any, right: Any) -> None:
    """Fail unless two streams have the same events in the same order and end in the same way.

    Chunks, line ends, comments and anything else that does not change an event is ignored.

    ```python
    assert_same_stream("weather.sse", response.iter_bytes())
    ```

    Args:
        left: The body as bytes; its chunks; its events, typed, as dicts, or of the `anthropic` package; a stream of
            streamcore, which is read to its end; a capture, or the path of a file with captures.
        right: The other stream, in any of these forms.

    Raises:
        AssertionError: They differ. The message shows where.
        CaptureError: A file cannot be read.
        InvalidArgumentError: An argument is not a stream.
    """
    __tracebackhide__ = True
    lines = difference(outcome_of(left), outcome_of(right))
    if lines:
        raise AssertionError("\n".join(lines))


def difference(left: Outcome, right: Outcome) -> list[str]:
    """Return lines that describe how two outcomes differ; none if they are equal."""
    places = event_lines(left.events, right.events)
    ends = (
        []
        if _ending(left.error) == _ending(right.error)
        else [
            f"left ends with   {_ending(left.error)}",
            f"right ends with  {_ending(right.error)}",
        ]
    )
    if not places and not ends:
        return []
    counts = f"the streams differ ({len(left.events)} events on the left, {len(right.events)} on the right)"
    return [counts, *places, *ends, *(_messages(left.message, right.message) if places else [])]


def explain(left: object, right: object) -> list[str] | None:
    """Return lines for `assert left == right` that show where the two differ.

    They may be two wire objects, two lists of them or of events, or the bytes of two streams. For anything else, return
    None.
    """
    if (_all_are(left, _EVENTS) and _all_are(right, _EVENTS)) or (_is_body(left) and _is_body(right)):
        return difference(outcome_of(left), outcome_of(right)) or None
    if (isinstance(left, WireObject) or _all_are(left, WireObject)) and type(left) is type(right):
        lines = value_lines(left, right)
        return [f"two values of {type(left).__name__} differ:", *lines] if lines else None
    return None


_EVENTS = get_args(ParsedMessageStreamEvent)


def _all_are(value: object, kinds: type | tuple[type, ...]) -> bool:
    return isinstance(value, (list, tuple)) and bool(value) and all(isinstance(item, kinds) for item in value)


_BEGINS_BODY = re.compile(rb"(?:\xef\xbb\xbf)?(?:event|data|id|retry)?:")


def _is_body(value: object) -> bool:
    return isinstance(value, bytes) and _BEGINS_BODY.match(value) is not None


def _ending(error: StreamCoreError | None) -> str:
    if error is None:
        return "no error"
    # Without the offset, which depends on the framing.
    return f"{type(error).__name__}: {error.message if isinstance(error, ProtocolError) else error}"


def _messages(left: Message | None, right: Message | None) -> list[str]:
    if left == right:
        return ["the message is the same"]
    return ["the messages differ:", *(f"    {line}" for line in value_lines(left, right))]


def outcome_of(stream: Any) -> Outcome:
    """Read a stream to its end; see `assert_same_stream` for what counts as one."""
    events: list[MessageStreamEvent] = []
    try:
        for event in _wire_events(_items(stream)):
            events.append(event)
            if isinstance(event, ErrorEvent):
                break  # streams raise here and decoders go on, so an error event counts as the end
    except (InvalidArgumentError, CaptureError):
        raise  # these are about the argument, not about the stream
    except StreamCoreError as error:
        return Outcome(events, error)
    return Outcome(events, None)


def _items(stream: Any) -> Iterable[Any]:
    if isinstance(stream, (bytes, bytearray, memoryview)):
        return [bytes(stream)]
    if isinstance(stream, Capture):
        return SyncPlayer(stream.body)
    if isinstance(stream, (str, os.PathLike)):
        return (data for capture in read_captures(stream) for data in SyncPlayer(capture.body))
    if isinstance(stream, Iterable):
        return stream
    hint = ": read it first, `[event async for event in stream]`" if hasattr(stream, "__aiter__") else ""
    raise InvalidArgumentError(f"a {type(stream).__name__} is not a stream that can be compared{hint}")


def _wire_events(items: Iterable[Any]) -> Iterator[MessageStreamEvent]:
    engine: MessageEngine | None = None
    for item in items:
        if isinstance(item, (bytes, bytearray, memoryview)):
            engine = engine or MessageEngine(multiple_messages=True)
            engine.receive_data(bytes(item))
            yield from engine.events()
        elif (event := _wire_event(item)) is not None:
            yield event
    if engine is not None:
        engine.receive_eof()
        yield from engine.events()


def _wire_event(item: Any) -> MessageStreamEvent | None:
    """Convert an event of any library to a wire event; return None if it is a derived event."""
    kind = item.get("type") if isinstance(item, Mapping) else getattr(item, "type", None)
    if kind in _DERIVED:
        return None
    if not isinstance(item, Mapping) and not hasattr(item, "to_dict"):
        raise InvalidArgumentError(f"a {type(item).__name__} is neither an event nor bytes of a stream")
    value: dict[str, Any] = dict(item if isinstance(item, Mapping) else item.to_dict())
    value.pop(_ADDED.get(value.get("type", ""), ""), None)
    return structure_event(value)
