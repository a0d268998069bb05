"""What a fuzzer runs: functions of bytes that raise if the core is wrong about them.

The first byte of an input says how the rest is cut into chunks; see `chunked`. Nothing here needs a fuzzer: an input
that was found is a test once it lies in `finds/`, see `test_fuzz.py`.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import jiter

from streamcore import (
    DecodeError,
    LimitExceededError,
    Limits,
    Message,
    MessageEngine,
    PartialJSON,
    ProtocolError,
    RawMessageDecoder,
    SSEDecoder,
)
from streamcore.codec import converter
from streamcore.testing.model import outcome_in_model, sse_frames, without_nulls

# Small enough for an input of a few kilobytes to be over each of them.
LIMITS = Limits(max_line_size=700, max_event_size=900, max_stream_size=6000, max_depth=12, max_blocks=6)


def chunked(data: bytes) -> tuple[bytes, list[bytes]]:
    """Return the bytes to decode, whole and in chunks. The first byte is the size of a chunk; 0 is one event each."""
    size, body = (data[0] % 48, data[1:]) if data else (1, b"")
    if size == 0:
        return body, [part + b"\n\n" for part in body.split(b"\n\n")[:-1]] + [body.split(b"\n\n")[-1]]
    return body, [body[begin : begin + size] for begin in range(0, len(body), size)]


# Framing


def sse(data: bytes) -> None:
    """Any cut gives the same events, and they are those of the standard."""
    body, chunks = chunked(data)
    whole = _sse_outcome([body], Limits())
    assert _sse_outcome(chunks, Limits()) == whole
    frames, _ = sse_frames(body)
    assert [(event.event, event.data) for event, _ in whole[0]] == [(name or "message", text) for name, text in frames]
    assert _sse_outcome(chunks, LIMITS) == _sse_outcome([body], LIMITS)


def _sse_outcome(chunks: list[bytes], limits: Limits) -> tuple[list[Any], object]:
    decoder = SSEDecoder(limits=limits)
    events: list[Any] = []
    try:
        for chunk in [*chunks, None]:
            if chunk is None:
                decoder.receive_eof()
            else:
                decoder.receive_data(chunk)
            for event in decoder.events():
                events.append((event, decoder.event_offset))
    except LimitExceededError as error:
        return events, (error.message, error.offset)
    return events, (decoder.pending, decoder.retry, decoder.last_event_id)


# Partial JSON


def partial_json(data: bytes) -> None:
    """Reading early or late is the same, and the values are those of jiter, of a part and of the whole."""
    body, _ = chunked(data)
    text = body.decode("utf-8", "replace")
    size = data[0] % 16 + 1 if data else 1
    for trailing_strings in (False, True):
        whole, pieces = (PartialJSON(trailing_strings=trailing_strings, max_depth=50) for _ in range(2))
        whole.feed(text)
        for begin in range(0, len(text), size):
            pieces.feed(text[begin : begin + size])
            _ = pieces.best
        if whole.error is None:
            mode: Any = "trailing-strings" if trailing_strings else True
            assert repr(whole.value) == repr(_jiter_value(text, mode))
        assert _json_outcome(whole) == _json_outcome(pieces)
        if not isinstance(whole.error, LimitExceededError):
            assert (whole.error is None) == _jiter_accepts(text)


def _json_outcome(decoder: PartialJSON) -> tuple[Any, ...]:
    error = decoder.error
    try:
        decoder.close()
    except (DecodeError, LimitExceededError) as caught:
        error = caught
    return type(error), getattr(error, "offset", None), repr(decoder.best), decoder.text


def _jiter_value(text: str, mode: Any) -> Any:
    try:
        return jiter.from_json(text.encode(), partial_mode=mode)
    except ValueError as error:
        if "EOF" not in str(error):
            raise
        return None


def _jiter_accepts(text: str) -> bool:
    try:
        jiter.from_json(text.encode(), partial_mode=False, allow_inf_nan=True)
    except ValueError:
        return False
    return True


# The engine


def engine(data: bytes) -> None:
    """Any cut gives the same; nothing but our own errors comes out; what is whole is what the model says."""
    body, chunks = chunked(data)
    options: dict[str, Any] = {"strict": len(body) % 2 == 1, "limits": LIMITS if len(body) % 3 == 2 else Limits()}
    whole, pieces = (_engine_outcome(cut, MessageEngine(**options)) for cut in ([body], chunks))
    assert whole == pieces or repr(whole) == repr(pieces)  # a NaN is not equal to itself
    _check_against_model(body)
    _engine_outcome(chunks, RawMessageDecoder())


def _engine_outcome(chunks: list[bytes], decoder: Any) -> tuple[Any, ...]:
    events: list[Any] = []
    error: ProtocolError | None = None
    try:
        for chunk in [*chunks, None]:
            if chunk is None:
                decoder.receive_eof()
            else:
                decoder.receive_data(chunk)
            for event in decoder.events():
                events.append((event, getattr(decoder, "snapshot", None)))
    except ProtocolError as caught:
        error = caught
        assert str(error)
        assert error.offset is not None
        assert error.event_number == len(events)
    snapshot = getattr(decoder, "snapshot", None)
    if snapshot is not None:
        json.loads(snapshot.to_json())
    return events, decoder.violations, type(error), str(error), snapshot


def _check_against_model(body: bytes) -> None:
    decoder = MessageEngine(limits=Limits(max_depth=10**6))
    events, violations, error, _, snapshot = _engine_outcome([body], decoder)
    if error is type(None):
        modelled = outcome_in_model(body)
        assert modelled.error is None
        assert modelled.complete
        assert [event["type"] for event in modelled.events] == [event.type for event, _ in events]
        assert Counter(modelled.violations) == Counter(violation.kind for violation in violations)
        # By way of the types, whose defaults stand for what the stream left out.
        modelled_message = converter.structure(modelled.message, Message)
        assert _as_text(modelled_message) == _as_text(snapshot)


def _as_text(message: Message) -> str:
    """In which NaN is equal to itself, and the order of keys does not matter."""
    return json.dumps(without_nulls(message.to_dict()), sort_keys=True)


TARGETS = {"sse": sse, "partial_json": partial_json, "engine": engine}
