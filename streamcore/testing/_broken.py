"""A strategy for streams with one fault, each with its outcome: the rows of the protocol's table of deviations.

Each row has a function that draws the fault and the events around it. The message that remains is worked out by the
slow model.
"""

from __future__ import annotations

from collections.abc import Sequence

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
from streamcore.testing import _event_faults as faults
from streamcore.testing import _field_faults as fields
from streamcore.testing._shown import ShownByEvent
from streamcore.testing._wire import Event, chunkings, frame, payload_of
from streamcore.testing.model import outcome_in_model
from streamcore.types import Message


@attrs.frozen(kw_only=True, repr=False)
class BrokenStream(ShownByEvent):
    """A stream with a fault and its outcome.

    Attributes:
        row: The row of the table of deviations; see `BROKEN_ROWS`.
        data: The bytes of the stream.
        chunks: The same bytes in chunks.
        error: The exception that an engine raises by default; `None` if it does not raise.
        strict_error: The exception that it raises in strict mode.
        violation: The kind of the violation that it records by default, if it does not raise.
        message: The message that remains: that before the fault if an error is raised, else that at the end.
        event_count: How many events an engine delivers by default.
        limits: The limits that an engine needs so that the stream exceeds one.
        api_error: The `type` of the `error` event in the stream, if it has one. Streams raise the matching
            `APIStatusError`.
        stalls: Whether the stream stops without an end. An engine then waits, and adapters raise `APITimeoutError`.
        comes_too_late: Whether the fault comes after `message_stop`. A reader that stops there returns the message.
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
    description: str
    draw: faults.Draw
    error: type[ProtocolError] | None = None
    violation: ViolationKind | None = None
    strict: type[ProtocolError] | None = None
    stalls: bool = False


def broken_streams(*rows: str) -> st.SearchStrategy[BrokenStream]:
    """Streams with one fault each, and their outcomes.

    Args:
        rows: The rows to draw from, by default all of `BROKEN_ROWS`.

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
    stays = outcome_in_model(before if row.error is not None else data, ended=row.error is None and not row.stalls)
    return BrokenStream(
        row=name,
        data=data,
        chunks=draw(chunkings(data)),
        error=row.error,
        strict_error=row.error or row.strict,
        violation=row.violation,
        message=None if stays.message is None else converter.structure(stays.message, Message),
        # An `error` event is delivered before its error is raised, and it is not one of those that stay.
        event_count=len(stays.events) + (1 if row.error is not None and made.api_error is not None else 0),
        limits=made.limits,
        api_error=made.api_error,
        stalls=row.stalls,
        comes_too_late=row.error is not None and {"type": "message_stop"} in map(payload_of, made.before),
    )


def _bytes(events: Sequence[Event]) -> bytes:
    return b"".join(frame(event) for event in events)


def _odd(
    description: str, draw: faults.Draw, violation: ViolationKind, strict: type[ProtocolError] = DecodeError
) -> _Row:
    """Describe a fault that an engine records as a violation, and raises in strict mode."""
    return _Row(description, draw, violation=violation, strict=strict)


_ROWS: dict[str, _Row] = {
    "unknown": _Row("unknown event, block, delta or field", faults.unknown),
    "unknown_event": _Row("unknown event", faults.put(faults.unknown_event, "inside")),
    "unknown_delta": _Row(
        "unknown delta on a known block",
        faults.put([faults.delta_event(0, type="new_delta", text="x")], "open"),
        violation="unapplied_delta",
    ),
    "missing_event_name": _odd(
        "`event:` line missing", faults.changed(lambda _, payload: frame(payload, name=None)), "event_name"
    ),
    "wrong_event_name": _odd(
        "`event:` line different from the payload's type",
        faults.changed(faults.misnamed),
        "event_name",
    ),
    "missing_type": _odd(
        "payload is an object without `type`, `event:` names the type", faults.changed(faults.typeless), "missing_type"
    ),
    "typeless_event": _odd(
        "payload is an object without either, inside a message",
        faults.put(faults.TYPELESS_EVENTS, "inside"),
        "typeless_event",
    ),
    "typeless_before_start": _Row("the same before `message_start`", faults.typeless_before_start, DecodeError),
    "odd_ping": _odd(
        "`event: ping` whose payload has no known type", faults.put(faults.ODD_PINGS, "anywhere"), "odd_ping"
    ),
    "empty_data": _odd("`data:` empty", faults.put(faults.EMPTY_DATA, "anywhere"), "empty_data"),
    "missing_type_or_role": _Row(
        "`type` or `role` of a message absent or null", fields.lacking("message_start", "message", ["type", "role"])
    ),
    "missing_usage": _Row("usage absent or null, at the start or in `message_delta`", fields.without_usage),
    "missing_identity": _odd(
        "`id` or `model` of a message absent or null",
        fields.lacking("message_start", "message", ["id", "model"]),
        "missing_field",
    ),
    "missing_text": _odd(
        "text, thinking, signature or partial_json absent or null",
        fields.missing(fields.MISSING_TEXTS),
        "missing_field",
    ),
    "missing_tool_field": _odd(
        "`input`, `id` or `name` of a tool absent or null", fields.missing(fields.MISSING_TOOL_FIELDS), "missing_field"
    ),
    "missing_result": _odd(
        "`content` of a result null, or an opaque field absent", fields.missing(fields.MISSING_RESULTS), "missing_field"
    ),
    "odd_count": _odd(
        "a count that is a float or digits in a string",
        lambda draw: fields.counted(draw, fields.ODD_COUNTS),
        "odd_number",
    ),
    "wrong_count": _Row(
        "a count that is a boolean, an infinity or another text",
        lambda draw: fields.counted(draw, fields.WRONG_COUNTS),
        DecodeError,
    ),
    "odd_index": _odd("an index that is an integral float", lambda draw: fields.indexed(draw, float), "odd_number"),
    "wrong_index": _Row(
        "an index that is absent or has another JSON type",
        lambda draw: fields.indexed(draw, draw(st.sampled_from(fields.WRONG_INDEXES))),
        DecodeError,
    ),
    "wrong_field": _Row("a wrong JSON type anywhere else", faults.put(fields.WRONG_FIELDS, "open"), DecodeError),
    "split_surrogates": _Row("a surrogate pair that is split between two deltas", fields.split_surrogates),
    "lone_surrogate": _Row(
        "half of a surrogate pair without the other", fields.lone_surrogate, violation="lone_surrogate"
    ),
    "repeated_message_start": _odd(
        "`message_start` again, same id, before any content",
        faults.repeated_start,
        "repeated_message_start",
        EventOrderError,
    ),
    "late_message_start": _Row(
        "`message_start` again, same id, after content",
        faults.put(lambda _, before: before[0], "open"),
        EventOrderError,
    ),
    "other_message_start": _Row(
        "`message_start` with another id inside an open message",
        faults.put(faults.other_start, "inside"),
        EventOrderError,
    ),
    "message_start_after_stop": _Row("`message_start` after `message_stop`", faults.start_after_stop, EventOrderError),
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
        lambda draw: faults.put([faults.block_start(0)], draw(st.sampled_from(["open", "closed"])))(draw),
        EventOrderError,
    ),
    "late_delta": _odd(
        "delta after that block's stop",
        faults.put([faults.delta_event(0, type="text_delta", text="x")], "closed"),
        "after_block_stop",
        EventOrderError,
    ),
    "unclosed_block": _odd(
        "block still open at `message_stop`", faults.without("content_block_stop"), "unclosed_block", EventOrderError
    ),
    "empty_wrong_delta": _odd(
        "a delta of the wrong kind for its block that carries nothing",
        faults.put(faults.EMPTY_WRONG_DELTAS, "open"),
        "misplaced_delta",
        EventOrderError,
    ),
    "wrong_delta": _Row(
        "delta of the wrong kind for its block",
        faults.put([faults.delta_event(0, type="input_json_delta", partial_json="{}")], "open"),
        EventOrderError,
    ),
    "missing_message_delta": _odd(
        "`message_delta` missing before `message_stop`",
        faults.without("message_delta"),
        "missing_message_delta",
        EventOrderError,
    ),
    "truncated": _Row("end of input before `message_stop`", faults.truncated, IncompleteStreamError),
    "truncated_inside_event": _Row(
        "end of input inside an event whose payload is not whole", faults.truncated_inside_event, IncompleteStreamError
    ),
    "missing_blank_line": _odd(
        "end of input inside an event whose payload is whole JSON",
        faults.missing_blank_line,
        "missing_blank_line",
        IncompleteStreamError,
    ),
    "done": _odd("`data: [DONE]` after `message_stop`", lambda draw: faults.done(draw, "after"), "done_sentinel"),
    "done_instead_of_stop": _odd(
        "`data: [DONE]` in place of `message_stop`", lambda draw: faults.done(draw, "instead"), "done_sentinel"
    ),
    "done_too_soon": _odd("`data: [DONE]` otherwise", lambda draw: faults.done(draw, "before"), "done_sentinel"),
    "not_an_event": _Row(
        "payload is not JSON or not an object, and no ping or error",
        faults.put(faults.NO_EVENTS, "anywhere"),
        DecodeError,
    ),
    "not_a_stream": _Row(
        "body is not an event stream at all",
        lambda draw: faults.FaultyStream((), draw(st.sampled_from(faults.NO_STREAMS))),
        DecodeError,
    ),
    "after_message_stop": _odd(
        "anything after `message_stop` but comments and pings", faults.after_stop, "after_message_stop", EventOrderError
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

BROKEN_ROWS: dict[str, str] = {name: row.description for name, row in _ROWS.items()}
"""The rows of the table of deviations: the description of each by its name."""
