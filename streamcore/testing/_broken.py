"""Streams that are broken in one way, each with what must come of it: the rows of the protocol's table of deviations.

A row is a function that draws what came before the fault, the fault, and what would have come after it. What stays of
the message is for the slow model to say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs
from hypothesis import strategies as st

from streamcore.codec import converter
from streamcore.errors import (
    DecodeError,
    EventOrderError,
    IncompleteStreamError,
    LimitExceededError,
    ProtocolError,
    ViolationKind,
)
from streamcore.limits import DEFAULT_LIMITS, Limits
from streamcore.testing import _faults as faults
from streamcore.testing import _field_faults as fields
from streamcore.testing._shown import ShownByEvent
from streamcore.testing._wire import Event, chunkings, frame
from streamcore.testing.model import replay
from streamcore.types import Message

__all__ = ["BROKEN_ROWS", "BrokenStream", "broken_streams"]


@attrs.frozen(kw_only=True, repr=False)
class BrokenStream(ShownByEvent):
    """A stream with a fault, and what must come of it.

    Attributes:
        row: Which row of the table of deviations this is; see `BROKEN_ROWS`.
        data: Its bytes.
        chunks: The same, cut somehow.
        error: What an engine raises, by default; `None` if it goes on.
        strict_error: What it raises in strict mode.
        violation: The kind of the violation that it records by default, where it does not raise.
        message: The message that stays: that before the fault if an error is raised, else that at the end.
        event_count: How many events are delivered, by default.
        limits: The limits that an engine must have for the stream to be over one.
        api_error: The `type` of the `error` event in it, if there is one. Streams raise the matching `APIStatusError`.
        stalls: Whether the stream is silent from here on, but has not ended. An engine then waits; it is for adapters
            to raise `APITimeoutError`.
        comes_too_late: Whether the fault comes after `message_stop`. Who stops reading there returns the message.
    """

    row: str
    data: bytes
    chunks: list[bytes]
    error: type[ProtocolError] | None
    strict_error: type[ProtocolError] | None
    violation: ViolationKind | None
    message: Message | None
    event_count: int
    limits: Limits = DEFAULT_LIMITS
    api_error: str | None = None
    stalls: bool = False
    comes_too_late: bool = False


@attrs.frozen
class _Row:
    seen: str
    draw: Callable[[st.DrawFn], faults.Fault]
    error: type[ProtocolError] | None = None
    violation: ViolationKind | None = None
    strict: type[ProtocolError] | None = None
    stalls: bool = False
    comes_too_late: bool = False


def broken_streams(*rows: str) -> st.SearchStrategy[BrokenStream]:
    """Streams with one fault each, and what must come of it.

    Args:
        rows: Of which rows, by default all of `BROKEN_ROWS`.

    Raises:
        ValueError: A row is not in `BROKEN_ROWS`.

    ```python
    broken_streams("truncated", "truncated_inside_event")
    ```
    """
    for row in rows:
        if row not in _ROWS:
            raise ValueError(f"{row!r} is not a row; it must be one of {', '.join(_ROWS)}")
    return st.one_of([_broken_stream(row) for row in rows or _ROWS])


@st.composite
def _broken_stream(draw: st.DrawFn, name: str) -> BrokenStream:
    row = _ROWS[name]
    made = row.draw(draw)
    before = _bytes(made.before)
    fault = made.fault if isinstance(made.fault, bytes) else frame(made.fault)
    data = before + fault + _bytes(made.after)
    stays = replay(before if row.error is not None else data, ended=row.error is None and not row.stalls)
    return BrokenStream(
        row=name,
        data=data,
        chunks=draw(chunkings(data)),
        error=row.error,
        strict_error=row.error or row.strict,
        violation=row.violation,
        message=None if stays.message is None else converter.structure(stays.message, Message),
        event_count=len(stays.events) + (row.error is not None and made.api_error is not None),
        limits=made.limits,
        api_error=made.api_error,
        stalls=row.stalls,
        comes_too_late=row.comes_too_late,
    )


def _bytes(events: Sequence[Event]) -> bytes:
    return b"".join(frame(event) for event in events)


_ROWS: dict[str, _Row] = {
    "unknown": _Row("unknown event, block, delta or field", faults.unknown),
    "unknown_event": _Row("unknown event", faults.put(faults.unknown_event, "inside")),
    "unknown_delta": _Row(
        "unknown delta on a known block",
        faults.put(lambda *_: faults.delta_event(0, type="new_delta", text="x"), "open"),
        violation="unapplied_delta",
    ),
    "missing_event_name": _Row(
        "`event:` line missing",
        lambda draw: faults.misnamed(draw, st.none()),
        violation="event_name",
        strict=DecodeError,
    ),
    "wrong_event_name": _Row(
        "`event:` line different from the payload's type",
        lambda draw: faults.misnamed(draw, faults.OTHER_NAMES),
        violation="event_name",
        strict=DecodeError,
    ),
    "missing_type": _Row(
        "payload is an object without `type`, `event:` names the type",
        faults.typeless,
        violation="missing_type",
        strict=DecodeError,
    ),
    "typeless_event": _Row(
        "payload is an object without either, inside a message",
        faults.put(faults.typeless_event, "inside"),
        violation="typeless_event",
        strict=DecodeError,
    ),
    "typeless_before_start": _Row("the same before `message_start`", faults.typeless_before_start, DecodeError),
    "odd_ping": _Row(
        "`event: ping` whose payload has no known type",
        faults.put(faults.odd_ping, "anywhere"),
        violation="odd_ping",
        strict=DecodeError,
    ),
    "empty_data": _Row(
        "`data:` empty", faults.put(faults.empty_data, "anywhere"), violation="empty_data", strict=DecodeError
    ),
    "missing_type_or_role": _Row(
        "`type` or `role` of a message absent or null",
        fields.lacking("message_start", "message", ["type", "role"]),
    ),
    "missing_usage": _Row("usage absent or null, at the start or in `message_delta`", fields.without_usage),
    "missing_identity": _Row(
        "`id` or `model` of a message absent or null",
        fields.lacking("message_start", "message", ["id", "model"]),
        violation="missing_field",
        strict=DecodeError,
    ),
    "missing_text": _Row(
        "text, thinking, signature or partial_json absent or null",
        fields.missing(fields.MISSING_TEXTS),
        violation="missing_field",
        strict=DecodeError,
    ),
    "missing_tool_field": _Row(
        "`input`, `id` or `name` of a tool absent or null",
        fields.missing(fields.MISSING_TOOL_FIELDS),
        violation="missing_field",
        strict=DecodeError,
    ),
    "missing_result": _Row(
        "`content` of a result null, or an opaque field absent",
        fields.missing(fields.MISSING_RESULTS),
        violation="missing_field",
        strict=DecodeError,
    ),
    "odd_count": _Row(
        "a count that is a float or digits in a string",
        lambda draw: fields.counted(draw, fields.ODD_COUNTS),
        violation="odd_number",
        strict=DecodeError,
    ),
    "wrong_count": _Row(
        "a count that is a boolean, an infinity or another text",
        lambda draw: fields.counted(draw, fields.WRONG_COUNTS),
        DecodeError,
    ),
    "odd_index": _Row(
        "an index that is an integral float",
        lambda draw: fields.indexed(draw, float),
        violation="odd_number",
        strict=DecodeError,
    ),
    "wrong_index": _Row(
        "an index that is absent or has another JSON type",
        lambda draw: fields.indexed(draw, draw(fields.WRONG_INDEXES)),
        DecodeError,
    ),
    "wrong_field": _Row("a wrong JSON type anywhere else", faults.put(fields.wrong_field, "open"), DecodeError),
    "split_surrogates": _Row("a surrogate pair that is split between two deltas", fields.split_surrogates),
    "lone_surrogate": _Row(
        "half of a surrogate pair without the other", fields.lone_surrogate, violation="lone_surrogate"
    ),
    "repeated_message_start": _Row(
        "`message_start` again, same id, before any content",
        faults.repeated_start,
        violation="repeated_message_start",
        strict=EventOrderError,
    ),
    "late_message_start": _Row(
        "`message_start` again, same id, after content", faults.put(faults.start_again, "open"), EventOrderError
    ),
    "other_message_start": _Row(
        "`message_start` with another id inside an open message",
        faults.put(faults.other_start, "inside"),
        EventOrderError,
    ),
    "message_start_after_stop": _Row(
        "`message_start` after `message_stop`", faults.start_after_stop, EventOrderError, comes_too_late=True
    ),
    "block_never_started": _Row(
        "delta or stop for a block never started",
        faults.put(lambda draw, before: faults.about(draw, faults.started(before) + draw(st.integers(0, 2))), "inside"),
        EventOrderError,
    ),
    "negative_index": _Row(
        "negative index",
        faults.put(lambda draw, _: faults.about(draw, -draw(st.integers(1, 3)), start=True), "inside"),
        EventOrderError,
    ),
    "index_gap": _Row(
        "index gap",
        faults.put(lambda draw, before: faults.block_start(faults.started(before) + draw(st.integers(1, 3))), "inside"),
        EventOrderError,
    ),
    "block_started_again": _Row(
        "`content_block_start` again for an index",
        lambda draw: faults.put(lambda *_: faults.block_start(0), draw(st.sampled_from(["open", "closed"])))(draw),
        EventOrderError,
    ),
    "late_delta": _Row(
        "delta after that block's stop",
        faults.put(lambda *_: faults.delta_event(0, type="text_delta", text="x"), "closed"),
        violation="after_block_stop",
        strict=EventOrderError,
    ),
    "unclosed_block": _Row(
        "block still open at `message_stop`",
        faults.without("content_block_stop"),
        violation="unclosed_block",
        strict=EventOrderError,
    ),
    "empty_wrong_delta": _Row(
        "a delta of the wrong kind for its block that carries nothing",
        faults.put(faults.empty_wrong_delta, "open"),
        violation="misplaced_delta",
        strict=EventOrderError,
    ),
    "wrong_delta": _Row(
        "delta of the wrong kind for its block",
        faults.put(lambda *_: faults.delta_event(0, type="input_json_delta", partial_json="{}"), "open"),
        EventOrderError,
    ),
    "missing_message_delta": _Row(
        "`message_delta` missing before `message_stop`",
        faults.without("message_delta"),
        violation="missing_message_delta",
        strict=EventOrderError,
    ),
    "truncated": _Row("end of input before `message_stop`", faults.truncated, IncompleteStreamError),
    "truncated_inside_event": _Row(
        "end of input inside an event whose payload is not whole", faults.truncated_inside_event, IncompleteStreamError
    ),
    "missing_blank_line": _Row(
        "end of input inside an event whose payload is whole JSON",
        faults.missing_blank_line,
        violation="missing_blank_line",
        strict=IncompleteStreamError,
    ),
    "done": _Row(
        "`data: [DONE]` after `message_stop`",
        lambda draw: faults.done(draw, "after"),
        violation="done_sentinel",
        strict=DecodeError,
    ),
    "done_instead_of_stop": _Row(
        "`data: [DONE]` in place of `message_stop`",
        lambda draw: faults.done(draw, "instead"),
        violation="done_sentinel",
        strict=DecodeError,
    ),
    "done_too_soon": _Row(
        "`data: [DONE]` otherwise",
        lambda draw: faults.done(draw, "before"),
        violation="done_sentinel",
        strict=DecodeError,
    ),
    "not_an_event": _Row(
        "payload is not JSON or not an object, and no ping or error",
        faults.put(faults.not_an_event, "anywhere"),
        DecodeError,
    ),
    "not_a_stream": _Row(
        "body is not an event stream at all",
        lambda draw: faults.Fault((), draw(st.sampled_from(faults.NO_STREAMS))),
        DecodeError,
    ),
    "after_message_stop": _Row(
        "anything after `message_stop` but comments and pings",
        faults.after_stop,
        violation="after_message_stop",
        strict=EventOrderError,
    ),
    "error_event": _Row("`error` event", faults.error_event, IncompleteStreamError),
    "odd_error": _Row("an error in another shape", faults.odd_error, IncompleteStreamError, violation="odd_error"),
    "stall": _Row("a stall", faults.truncated, stalls=True),
    "over_limit": _Row("over a limit", faults.over_limit, LimitExceededError),
    "unfinished_input": _Row(
        "the input of a tool that is to be used has ended early", faults.unfinished_input, violation="incomplete_input"
    ),
    "wrong_input": _Row("tool input that is wrong JSON", faults.wrong_input, DecodeError),
}

BROKEN_ROWS: dict[str, str] = {name: row.seen for name, row in _ROWS.items()}
"""The rows of the table of deviations by name, and what is seen in each."""
