# ruff: noqa: E501  # tables, a row a line
"""What servers send in place of what the protocol says (`streamcore/codec/README.md`), in both modes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from helpers import (
    HELLO,
    PING,
    STOP,
    block_start,
    block_stop,
    body,
    chunkings,
    delta,
    drive,
    frame,
    message_delta,
    partial_json,
    start,
    text,
    tool_start,
)

from streamcore import (
    DecodeError,
    EventOrderError,
    IncompleteStreamError,
    InvalidArgumentError,
    LimitExceededError,
    Limits,
    Message,
    MessageAccumulator,
    MessageEngine,
    ProtocolError,
    RawMessageDecoder,
    StreamCoreError,
)
from streamcore.decoders import MessageEventDecoder
from streamcore.types import (
    CacheCreation,
    ErrorEvent,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    UnknownBlock,
    UnknownDelta,
    UnknownEvent,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from helpers import Outcome, Payload

    Part = Payload | bytes


@attrs.frozen
class Row:
    """A stream that is as it should be, then a fault, then what would have come."""

    name: str
    before: Sequence[Part]
    fault: Part
    after: Sequence[Part] = attrs.field(factory=list)
    index: int | None = None
    # The error by default, or else the kind of the violation; and the error in strict mode.
    error: type[ProtocolError] | None = None
    kind: str | None = None
    strict: type[ProtocolError] | None = None
    words: tuple[str, ...] = ()
    # What the violation says in addition; in strict mode nothing was taken for anything.
    taken_for: str | None = None
    # What a violation leaves the final message with.
    texts: tuple[str, ...] = ("Hello",)
    delivered: bool = True

    @property
    def stream(self) -> bytes:
        return body(*self.before, self.fault, *self.after)


OPEN = HELLO[:4]  # the block 0 is open and says "Hello"
CLOSED = HELLO[:5]
DONE = HELLO[:6]
REST = [block_stop(0), message_delta(), STOP]
TOOL = [start(), tool_start(0), partial_json(0, '{"a": 1}'), block_stop(0)]

RAISED: list[Row] = [
    Row("message_start with another id", OPEN, start("msg_2"), REST, None, EventOrderError, words=("'msg_2'", "'msg_1'")),
    Row("message_start with another id and no content", [start()], start("msg_2"), HELLO, None, EventOrderError),
    Row("message_start again after content", OPEN, start(), REST, None, EventOrderError, words=("again",)),
    Row("message_start after message_stop", HELLO, start(), HELLO, None, EventOrderError, words=("after message_stop",)),
    Row("another message_start after message_stop", HELLO, start("msg_2"), HELLO, None, EventOrderError),
    Row("delta for a block never started", OPEN, text(1, "x"), REST, 1, EventOrderError, words=("never started",)),
    Row("first delta for a block never started", [start()], text(0, "x"), REST, 0, EventOrderError),
    Row("stop for a block never started", OPEN, block_stop(1), REST, 1, EventOrderError, words=("never started",)),
    Row("delta with a negative index", OPEN, text(-1, "x"), REST, -1, EventOrderError),
    Row("stop with a negative index", OPEN, block_stop(-1), REST, -1, EventOrderError),
    Row("start with a negative index", OPEN, block_start(-1), REST, -1, EventOrderError),
    Row("start with an index gap", CLOSED, block_start(2), REST, 2, EventOrderError, words=("1 is next",)),
    Row("first start with an index gap", [start()], block_start(1), REST, 1, EventOrderError),
    Row("start again for an open index", OPEN, block_start(0), REST, 0, EventOrderError, words=("again", "open")),
    Row("start again for a closed index", CLOSED, block_start(0), REST, 0, EventOrderError, words=("again", "closed")),
    Row("input_json_delta on text", OPEN, partial_json(0, "{"), REST, 0, EventOrderError, words=("input_json_delta", "text")),
    Row("thinking_delta on text", OPEN, delta(0, "thinking_delta", thinking="x"), REST, 0, EventOrderError),
    Row("signature_delta on text", OPEN, delta(0, "signature_delta", signature="x"), REST, 0, EventOrderError),
    Row("compaction_delta on text", OPEN, delta(0, "compaction_delta", content="x"), REST, 0, EventOrderError),
    Row("text_delta on a tool", TOOL[:3], text(0, "x"), REST, 0, EventOrderError, words=("text_delta", "tool_use")),
    Row("late delta of the wrong kind", CLOSED, partial_json(0, "{"), REST, 0, EventOrderError, words=("input_json_delta",)),
    Row("block before message_start", [PING], block_start(0), HELLO, None, EventOrderError, words=("before message_start",)),
    Row("delta before message_start", [], text(0, "x"), HELLO, None, EventOrderError),
    Row("message_delta before message_start", [], message_delta(), HELLO, None, EventOrderError),
    Row("message_stop before message_start", [], STOP, HELLO, None, EventOrderError),
    Row("payload is not JSON", OPEN, frame(b"{oops}", event="x"), REST, None, DecodeError, words=("not JSON",)),
    Row("payload is cut JSON", OPEN, frame(b'{"type":"ping"', event="x"), REST, None, DecodeError, words=("not JSON",)),
    Row("payload is an array", OPEN, frame(b"[1]", event="x"), REST, None, DecodeError, words=("not an object",)),
    Row("payload is a string", OPEN, frame(b'"x"', event="x"), REST, None, DecodeError, words=("not an object",)),
    Row("payload has a type that is a number", OPEN, frame(b'{"type":1}', event="x"), REST, None, DecodeError, words=("no type",)),
    Row("payload has no type and no name before message_start", [], frame(b'{"a":1}', event=None), HELLO, None, DecodeError, words=("no type",)),
    Row("the same with the name that the standard gives", [], frame(b'{"a":1}', event="message"), HELLO, None, DecodeError, words=("no type",)),
    Row("payload is not JSON after message_stop", HELLO, frame(b"oops", event="x"), [], None, DecodeError, words=("not JSON",)),
    Row("raw control characters", OPEN, frame(b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a\tb"}}', event="content_block_delta"), REST, None, DecodeError, words=("not JSON",)),
    Row("index absent", OPEN, {"type": "content_block_stop"}, REST, None, DecodeError, words=("index",)),
    Row("index null", OPEN, {"type": "content_block_stop", "index": None}, REST, None, DecodeError, words=("index",)),
    Row("index with a fraction", OPEN, {"type": "content_block_stop", "index": 0.5}, REST, None, DecodeError, words=("index",)),
    Row("index a boolean", OPEN, {"type": "content_block_stop", "index": False}, REST, None, DecodeError, words=("index",)),
    Row("count a boolean", CLOSED, message_delta(usage={"output_tokens": True}), [STOP], None, DecodeError, words=("output_tokens",)),
    Row("count infinite", CLOSED, frame(b'{"type":"message_delta","delta":{},"usage":{"output_tokens":1e999}}'), [STOP], None, DecodeError, words=("output_tokens",)),
    Row("count another text", CLOSED, message_delta(usage={"output_tokens": "5.5"}), [STOP], None, DecodeError, words=("output_tokens",)),
    Row("count an empty text", CLOSED, message_delta(usage={"output_tokens": ""}), [STOP], None, DecodeError, words=("output_tokens",)),
    Row("count negative in a text", CLOSED, message_delta(usage={"output_tokens": "-5"}), [STOP], None, DecodeError, words=("output_tokens",)),
    Row("text a number", OPEN, delta(0, "text_delta", text=1), REST, None, DecodeError, words=("text",)),
    Row("partial_json an object", TOOL[:2], delta(0, "input_json_delta", partial_json={"a": 1}), REST, None, DecodeError, words=("partial_json",)),
    *[Row(f"input of a tool {value!r} at its start", CLOSED, block_start(1, {"type": kind, "id": "t", "name": "n", "server_name": "s", "input": value}), REST, 1, DecodeError, words=("input", "object", "$.content_block.input")) for kind, value in (("tool_use", ""), ("tool_use", []), ("server_tool_use", "{}"), ("mcp_tool_use", 0), ("tool_use", False))],
    Row("content of a message a string", [], start(content=""), HELLO[1:], None, DecodeError, words=("content",)),
    Row("url of a result absent", CLOSED, block_start(1, {"type": "web_search_tool_result", "tool_use_id": "t", "content": [{"type": "web_search_result", "title": "t"}]}), REST, None, DecodeError, words=("url",)),
    Row("payload has a wrong field", OPEN, frame(b'{"type":"content_block_stop","index":"0"}'), REST, None, DecodeError),
    Row("tool input that is wrong JSON", [start(), tool_start(0), partial_json(0, '{"a": oops}')], block_stop(0), [], 0, DecodeError, words=("'search'", "not valid JSON")),
    Row("tool input with more after its end", [start(), tool_start(0), partial_json(0, '{"a": 1}')], partial_json(0, " x"), [block_stop(0)], 0, DecodeError, words=("'search'",)),
]  # fmt: skip

RECORDED: list[Row] = [
    Row("event line missing", OPEN, frame(text(0, "!"), event=None), REST, kind="event_name", strict=DecodeError, words=("missing", "content_block_delta"), texts=("Hello!",)),
    Row("event line differs", OPEN, frame(text(0, "!"), event="ping"), REST, kind="event_name", strict=DecodeError, words=("'ping'", "content_block_delta"), texts=("Hello!",)),
    Row("event line of an unknown event differs", OPEN, frame({"type": "new"}, event="newer"), REST, kind="event_name", strict=DecodeError),
    Row("message_start again before content", [start()], start(), HELLO[1:], kind="repeated_message_start", strict=EventOrderError, words=("'msg_1'", "again")),
    Row("delta after its block's stop", CLOSED, text(0, "!"), [message_delta(), STOP], 0, kind="after_block_stop", strict=EventOrderError, words=("text_delta",), texts=("Hello!",)),
    Row("stop again", CLOSED, block_stop(0), [message_delta(), STOP], 0, kind="after_block_stop", strict=EventOrderError),
    Row("block open at message_stop", [*OPEN, message_delta()], STOP, [], 0, kind="unclosed_block", strict=EventOrderError, words=("open",)),
    Row("message_delta missing", CLOSED, STOP, [], kind="missing_message_delta", strict=EventOrderError, words=("message_delta",)),
    Row("[DONE] in the middle", OPEN, frame(b"[DONE]", event=None), REST, kind="done_sentinel", strict=DecodeError, words=("[DONE]",), delivered=False),
    Row("[DONE] at the end", HELLO, frame(b"[DONE]", event=None), [], kind="done_sentinel", strict=DecodeError, delivered=False),
    Row("[DONE] under a name at the end", HELLO, frame(b"[DONE]", event="done"), [], kind="done_sentinel", strict=DecodeError, delivered=False),
    Row("[DONE] in place of message_stop", DONE, frame(b"[DONE]", event=None), [], kind="done_sentinel", strict=DecodeError, words=("message_stop",)),
    Row("type absent, named by the event line", OPEN, frame(b'{"index":0,"delta":{"type":"text_delta","text":"!"}}', event="content_block_delta"), REST, kind="missing_type", strict=DecodeError, words=("content_block_delta",), texts=("Hello!",)),
    Row("type null, named by the event line", CLOSED, frame(b'{"type":null,"delta":{"stop_reason":"end_turn"}}', event="message_delta"), [STOP], kind="missing_type", strict=DecodeError),
    Row("type absent, named as something new, before message_start", [], frame(b"{}", event="gateway_hello"), HELLO, kind="missing_type", strict=DecodeError),
    Row("neither type nor name inside a message", OPEN, frame(b'{"cost":1}', event=None), REST, kind="typeless_event", strict=DecodeError, words=("cost",)),
    Row("neither type nor name, and no error", OPEN, frame(b'{"cost":1,"error":false}', event=None), REST, kind="typeless_event", strict=DecodeError),
    Row("neither type nor name but the standard's", OPEN, frame(b'{"cost":1}', event="message"), REST, kind="typeless_event", strict=DecodeError),
    Row("ping of an object without type", OPEN, frame(b"{}", event="ping"), REST, kind="odd_ping", strict=DecodeError),
    Row("ping of a new type", OPEN, frame(b'{"type":"beat"}', event="ping"), REST, kind="odd_ping", strict=DecodeError),
    Row("ping of text", OPEN, frame(b"still here", event="ping"), REST, kind="odd_ping", strict=DecodeError, words=("still here",)),
    Row("ping of an array", OPEN, frame(b"[]", event="ping"), REST, kind="odd_ping", strict=DecodeError),
    Row("ping of nothing", OPEN, b"event: ping\ndata:\n\n", REST, kind="odd_ping", strict=DecodeError),
    Row("ping without data", OPEN, b"event: ping\n\n", REST, kind="odd_ping", strict=DecodeError),
    Row("ping before message_start", [], frame(b"{}", event="ping"), HELLO, kind="odd_ping", strict=DecodeError),
    Row("error line over another known type", OPEN, frame(text(0, "!"), event="error"), REST, kind="event_name", strict=DecodeError, texts=("Hello!",)),
    Row("empty data", OPEN, b"event: content_block_delta\ndata: \n\n", REST, kind="empty_data", strict=DecodeError, delivered=False),
    Row("empty data without a name", OPEN, b"data:\n\n", REST, kind="empty_data", strict=DecodeError, delivered=False),
    Row("a name without data", OPEN, b"event: content_block_delta\n\n", REST, kind="empty_data", strict=DecodeError, delivered=False),
    Row("text of a delta absent", OPEN, delta(0, "text_delta"), REST, 0, kind="missing_field", strict=DecodeError, words=("$.delta.text",)),
    Row("text of a delta null", OPEN, delta(0, "text_delta", text=None), REST, 0, kind="missing_field", strict=DecodeError, words=("null",)),
    Row("text of a block absent", CLOSED, block_start(1, {"type": "text"}), [block_stop(1), message_delta(), STOP], 1, kind="missing_field", strict=DecodeError, words=("$.content_block.text",), texts=("Hello", "")),
    Row("thinking of a block null", CLOSED, block_start(1, {"type": "thinking", "thinking": None, "signature": ""}), [block_stop(1), message_delta(), STOP], 1, kind="missing_field", strict=DecodeError),
    Row("signature of a block null", CLOSED, block_start(1, {"type": "thinking", "thinking": "", "signature": None}), [block_stop(1), message_delta(), STOP], 1, kind="missing_field", strict=DecodeError, words=("$.content_block.signature", "null")),
    Row("thinking of a delta absent", [*CLOSED, block_start(1, {"type": "thinking", "thinking": ""})], delta(1, "thinking_delta"), [block_stop(1), message_delta(), STOP], 1, kind="missing_field", strict=DecodeError),
    Row("thinking of a delta under a name that means nothing", [*CLOSED, block_start(1, {"type": "thinking", "thinking": ""})], delta(1, "thinking_delta", text="x"), [block_stop(1), message_delta(), STOP], 1, kind="missing_field", strict=DecodeError, words=("$.delta.thinking",)),
    Row("signature of a delta absent", [*CLOSED, block_start(1, {"type": "thinking", "thinking": ""})], delta(1, "signature_delta"), [block_stop(1), message_delta(), STOP], 1, kind="missing_field", strict=DecodeError),
    Row("partial_json null", [*CLOSED, tool_start(1)], delta(1, "input_json_delta", partial_json=None), [block_stop(1), message_delta(), STOP], 1, kind="missing_field", strict=DecodeError),
    Row("input of a tool absent", CLOSED, block_start(1, {"type": "tool_use", "id": "t", "name": "n"}), [block_stop(1), message_delta(), STOP], 1, kind="missing_field", strict=DecodeError, words=("$.content_block.input",), taken_for="{}"),
    Row("name of a tool null", CLOSED, block_start(1, {"type": "tool_use", "id": "t", "name": None, "input": {}}), [block_stop(1), message_delta(), STOP], 1, kind="missing_field", strict=DecodeError),
    Row("id of a server's tool absent", CLOSED, block_start(1, {"type": "server_tool_use", "name": "n", "input": {}}), [block_stop(1), message_delta(), STOP], 1, kind="missing_field", strict=DecodeError),
    Row("content of a search null", CLOSED, block_start(1, {"type": "web_search_tool_result", "tool_use_id": "t", "content": None}), [block_stop(1), message_delta(), STOP], 1, kind="missing_field", strict=DecodeError, taken_for="[]"),
    Row("content of a run null", CLOSED, block_start(1, {"type": "bash_code_execution_tool_result", "tool_use_id": "t", "content": None}), [block_stop(1), message_delta(), STOP], 1, kind="missing_field", strict=DecodeError),
    Row("encrypted content absent", CLOSED, block_start(1, {"type": "web_search_tool_result", "tool_use_id": "t", "content": [{"type": "web_search_result", "title": "t", "url": "u"}]}), [block_stop(1), message_delta(), STOP], 1, kind="missing_field", strict=DecodeError, words=("$.content_block.content[0].encrypted_content",)),
    Row("encrypted index null", OPEN, delta(0, "citations_delta", citation={"type": "web_search_result_location", "cited_text": "c", "url": "u", "encrypted_index": None}), REST, 0, kind="missing_field", strict=DecodeError),
    Row("model null", [], start(model=None), HELLO[1:], kind="missing_field", strict=DecodeError, words=("$.message.model",)),
    Row("count with a fraction", CLOSED, message_delta(usage={"output_tokens": 24.6}), [STOP], kind="odd_number", strict=DecodeError, words=("24.6",), taken_for="25"),
    Row("count as digits", CLOSED, message_delta(usage={"output_tokens": "8"}), [STOP], kind="odd_number", strict=DecodeError),
    Row("count of requests as a float", CLOSED, message_delta(usage={"server_tool_use": {"web_search_requests": 2.0}}), [STOP], kind="odd_number", strict=DecodeError, words=("web_search_requests",)),
    Row("index as a float", OPEN, {"type": "content_block_stop", "index": 0.0}, REST[1:], 0, kind="odd_number", strict=DecodeError, words=("$.index",)),
    Row("empty delta of the wrong kind", OPEN, partial_json(0, ""), REST, 0, kind="misplaced_delta", strict=EventOrderError, words=("input_json_delta", "text")),
    Row("empty signature for text", OPEN, delta(0, "signature_delta", signature=""), REST, 0, kind="misplaced_delta", strict=EventOrderError),
    Row("empty delta of the wrong kind after its block's stop", CLOSED, partial_json(0, ""), [message_delta(), STOP], 0, kind="misplaced_delta", strict=EventOrderError),
    Row("message_stop again", HELLO, STOP, [], kind="after_message_stop", strict=EventOrderError),
    Row("delta after message_stop", HELLO, text(0, "!"), [], kind="after_message_stop", strict=EventOrderError, words=("content_block_delta",)),
    Row("block after message_stop", HELLO, block_start(1), [], kind="after_message_stop", strict=EventOrderError),
    Row("block stop after message_stop", HELLO, block_stop(0), [], kind="after_message_stop", strict=EventOrderError),
    Row("message_delta after message_stop", HELLO, message_delta("refusal"), [], kind="after_message_stop", strict=EventOrderError),
    Row("error after message_stop", HELLO, {"type": "error", "error": {"type": "e", "message": "m"}}, [], kind="after_message_stop", strict=EventOrderError),
    Row("unknown event after message_stop", HELLO, {"type": "new"}, [], kind="after_message_stop", strict=EventOrderError),
]  # fmt: skip


def row_id(row: Row) -> str:
    return row.name


def after(payloads: Sequence[Part]) -> Outcome:
    return drive(body(*payloads), eof=False)


def check_raised(row: Row, expected: type[ProtocolError], *, strict: bool) -> None:
    good = after(row.before)
    assert good.error is None
    for chunks in chunkings(row.stream):
        engine = MessageEngine(strict=strict)
        outcome = drive(chunks, engine=engine)
        error = outcome.error
        # The tool's input is looked into when its block stops, so that no one pays for it on the way.
        late = isinstance(row.fault, dict) and row.name == "tool input with more after its end"
        extra = 1 if late else 0
        assert outcome.events[: len(good.events)] == good.events
        assert len(outcome.events) == len(good.events) + extra
        assert outcome.snapshots[: len(good.snapshots)] == good.snapshots
        assert type(error) is expected
        assert error is not None
        fault = row.fault if isinstance(row.fault, bytes) else frame(row.fault)
        assert error.offset == len(body(*row.before)) + (len(fault) if late else 0)
        assert error.event_number == len(good.events) + extra
        assert error.index == row.index
        assert error.snapshot == good.snapshot
        assert outcome.snapshot == good.snapshot
        for word in row.words:
            assert word in str(error)
        assert "taken for" not in str(error)
        assert f"byte {error.offset}" in str(error)
        assert f"event {error.event_number}" in str(error)
        check_stopped(engine, error)


def check_stopped(engine: MessageEngine, error: ProtocolError) -> None:
    with pytest.raises(StreamCoreError, match="stream has failed"):
        engine.receive_data(frame(PING))
    for _ in range(2):
        with pytest.raises(type(error)) as caught:
            list(engine.events())
        assert caught.value is error
    if engine.complete:  # what came after the message does not take it away
        assert engine.final_message == engine.snapshot
    else:
        with pytest.raises(type(error)):
            _ = engine.final_message


@pytest.mark.parametrize("strict", [False, True], ids=["default", "strict"])
@pytest.mark.parametrize("row", RAISED, ids=row_id)
def test_what_is_broken_is_raised_in_both_modes(row: Row, strict: bool) -> None:
    assert row.error is not None
    check_raised(row, row.error, strict=strict)


@pytest.mark.parametrize("row", RECORDED, ids=row_id)
def test_what_loses_nothing_is_a_violation(row: Row) -> None:
    good = after(row.before)
    for chunks in chunkings(row.stream):
        engine = MessageEngine()
        outcome = drive(chunks, engine=engine)
        assert outcome.error is None
        count = len(row.before) + len(row.after) + row.delivered
        assert len(outcome.events) == count
        (violation,) = outcome.violations
        assert violation.kind == row.kind
        assert violation.offset == len(body(*row.before))
        assert violation.event_number == len(good.events)
        assert violation.index == row.index
        for word in row.words:
            assert word in violation.message
        if row.taken_for is not None:
            assert violation.taken_for == row.taken_for
            assert violation.message.endswith(f"; it was taken for {row.taken_for}")
        assert f"byte {violation.offset}" in str(violation)
        assert texts(engine.final_message) == row.texts
        assert engine.complete


@pytest.mark.parametrize("row", RECORDED, ids=row_id)
def test_what_loses_nothing_is_raised_in_strict_mode(row: Row) -> None:
    assert row.strict is not None
    check_raised(row, row.strict, strict=True)


def texts(message: Message) -> tuple[str, ...]:
    return tuple(block.text for block in message.content if isinstance(block, TextBlock))


# New, not broken


BOTH = pytest.mark.parametrize("strict", [False, True], ids=["default", "strict"])


@BOTH
def test_an_unknown_event_is_delivered(strict: bool) -> None:
    payload = {"type": "new_event", "more": [1]}
    outcome = drive(body(*OPEN, payload, *REST), engine=MessageEngine(strict=strict))
    assert outcome.error is None
    assert outcome.violations == ()
    assert outcome.events[len(OPEN)] == UnknownEvent(data=payload)


@BOTH
def test_an_unknown_block_is_kept_and_takes_fragments_of_input(strict: bool) -> None:
    block = {"type": "new_tool_use", "name": "n", "input": {}, "glow": True}
    payloads = [start(), block_start(0, block), partial_json(0, '{"a"'), partial_json(0, ": 1}"), *REST]
    outcome = drive(body(*payloads), engine=MessageEngine(strict=strict))
    assert outcome.error is None
    assert outcome.violations == ()
    assert outcome.snapshot is not None
    assert outcome.snapshot.content == [UnknownBlock(data=block | {"input": {"a": 1}})]


@BOTH
def test_unknown_fields_are_kept(strict: bool) -> None:
    changed = message_delta(mood="calm")
    outcome = drive(
        body(
            start(zone=1),
            block_start(0, {"type": "text", "text": "", "lang": "fr"}),
            text(0, "a"),
            block_stop(0),
            changed,
            STOP,
        ),
        engine=MessageEngine(strict=strict),
    )
    assert outcome.error is None
    assert outcome.violations == ()
    assert outcome.snapshot is not None
    assert outcome.snapshot.extra == {"zone": 1, "mood": "calm"}
    assert outcome.snapshot.to_dict()["content"] == [{"type": "text", "text": "a", "lang": "fr"}]


@BOTH
def test_an_unknown_delta_on_a_known_block_is_delivered_and_a_violation_even_in_strict_mode(strict: bool) -> None:
    payload = delta(0, "smell_delta", smell="rose")
    outcome = drive(body(*OPEN, payload, *REST), engine=MessageEngine(strict=strict))
    assert outcome.error is None
    event: Any = outcome.events[len(OPEN)]
    assert event.delta == UnknownDelta(data=payload["delta"])
    assert outcome.kinds == ["unapplied_delta"]
    assert outcome.violations[0].index == 0
    assert outcome.violations[0].offset == len(body(*OPEN))
    assert "smell_delta" in outcome.violations[0].message
    assert outcome.snapshot is not None
    assert texts(outcome.snapshot) == ("Hello",)


@BOTH
def test_an_unknown_delta_for_a_block_never_started_is_raised(strict: bool) -> None:
    row = Row("", OPEN, delta(4, "smell_delta"), REST, 4)
    check_raised(row, EventOrderError, strict=strict)


@BOTH
def test_pings_and_comments_may_come_anywhere(strict: bool) -> None:
    comment = b": keep-alive\n\n"
    payloads: list[Part] = [comment, PING]
    for payload in HELLO:
        payloads += [payload, PING, comment]
    outcome = drive(body(*payloads), engine=MessageEngine(strict=strict))
    assert outcome.error is None
    assert outcome.violations == ()
    assert outcome.types.count("ping") == len(HELLO) + 1


# The end comes too soon


@BOTH
@pytest.mark.parametrize("count", range(len(HELLO)))
def test_the_end_before_message_stop_is_raised_with_the_snapshot(count: int, strict: bool) -> None:
    data = body(*HELLO[:count])
    good = after(HELLO[:count])
    for chunks in chunkings(data):
        engine = MessageEngine(strict=strict)
        outcome = drive(chunks, engine=engine)
        assert outcome.events == good.events
        assert type(outcome.error) is IncompleteStreamError
        assert outcome.error.offset == len(data)
        assert outcome.error.event_number == count
        assert outcome.error.snapshot == good.snapshot
        assert "left over" not in outcome.error.message
        check_stopped(engine, outcome.error)


@BOTH
@pytest.mark.parametrize("left", [1, 5, 6, 20, 60, -3])
def test_the_end_inside_an_event_is_raised_and_counts_the_bytes_left_over(left: int, strict: bool) -> None:
    whole, last = body(*OPEN), frame(text(0, " world"))
    left = len(last) + left if left < 0 else left
    for chunks in chunkings(whole + last[:left]):
        outcome = drive(chunks, engine=MessageEngine(strict=strict))
        assert type(outcome.error) is IncompleteStreamError
        assert f"{left} bytes" in outcome.error.message
        assert outcome.error.snapshot == after(OPEN).snapshot
        assert outcome.error.offset == len(whole) + left


def test_an_incomplete_stream_says_which_block_was_open() -> None:
    error = drive(body(*OPEN)).error
    assert error is not None
    assert "block 0" in error.message


@pytest.mark.parametrize("missing", [1, 2])
@pytest.mark.parametrize("crlf", [False, True])
def test_a_last_event_without_its_blank_line_counts(missing: int, crlf: bool) -> None:
    data = body(*DONE, STOP)[:-missing]
    data = data.replace(b"\n", b"\r\n") if crlf else data
    place = data.rindex(b"event:")
    for chunks in chunkings(data):
        engine = MessageEngine()
        outcome = drive(chunks, engine=engine)
        assert outcome.error is None
        assert outcome.types[-1] == "message_stop"
        assert texts(engine.final_message) == ("Hello",)
        (violation,) = outcome.violations
        assert violation.kind == "missing_blank_line"
        assert violation.offset == place
        assert violation.event_number == len(DONE)
        assert f"{len(data) - place} bytes" in violation.message
        assert engine.pending == 0
        strict = drive(chunks, engine=MessageEngine(strict=True))
        assert type(strict.error) is IncompleteStreamError
        assert "left over" in strict.error.message


@BOTH
@pytest.mark.parametrize(
    "last",
    [b"data: 1", b'data: "x"', b'event: message_stop\ndata: {"type":"message_stop"}\nda', b"event: message_stop"],
)
def test_a_last_event_that_may_be_cut_does_not_count(last: bytes, strict: bool) -> None:
    for chunks in chunkings(body(*DONE) + last):
        outcome = drive(chunks, engine=MessageEngine(strict=strict))
        assert type(outcome.error) is IncompleteStreamError
        assert f"{len(last)} bytes" in outcome.error.message
        assert outcome.types == [payload["type"] for payload in DONE]


@pytest.mark.parametrize("payload", [b'"too busy"', b'["too busy"]', b'{"error":"too busy"}'])
def test_an_error_without_its_blank_line_counts(payload: bytes) -> None:
    for chunks in chunkings(body(*OPEN) + b"event: error\ndata: " + payload):
        outcome = drive(chunks)
        event = outcome.events[-1]
        assert isinstance(event, ErrorEvent)
        assert "too busy" in event.error.message
        assert outcome.kinds == ["missing_blank_line", "odd_error"]
        assert type(outcome.error) is IncompleteStreamError
        assert "too busy" in outcome.error.message


@BOTH
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
@pytest.mark.parametrize("last", [b"event: error\ndata: too busy", b'data: {"type":"error","error":"too busy'])
def test_the_words_of_an_error_that_may_be_cut_are_shown(last: bytes, end: bytes, strict: bool) -> None:
    for chunks in chunkings(body(*OPEN) + last + end):
        outcome = drive(chunks, engine=MessageEngine(strict=strict))
        assert type(outcome.error) is IncompleteStreamError
        assert f"{len(last + end)} bytes" in outcome.error.message
        assert "too busy" in str(outcome.error)
        assert outcome.error.received == last.rpartition(b"data: ")[2]


def test_a_last_event_after_message_stop_is_after_message_stop_too() -> None:
    outcome = drive(body(*HELLO, STOP)[:-2])
    assert outcome.error is None
    assert outcome.kinds == ["missing_blank_line", "after_message_stop"]


@BOTH
def test_tool_input_that_ends_early_is_normal(strict: bool) -> None:
    payloads = [
        start(),
        tool_start(0),
        partial_json(0, '{"a": [1, "b'),
        block_stop(0),
        message_delta("max_tokens"),
        STOP,
    ]
    outcome = drive(body(*payloads), engine=MessageEngine(strict=strict))
    assert outcome.error is None
    assert outcome.violations == ()
    assert outcome.snapshot is not None
    (block,) = outcome.snapshot.content
    assert isinstance(block, ToolUseBlock)
    assert block.input == {"a": [1]}
    assert block.partial_input == '{"a": [1, "b'


# Not an event stream at all


@BOTH
@pytest.mark.parametrize(
    "data",
    [
        b"<html><body>502 Bad Gateway</body></html>",
        b"\n\n  <!DOCTYPE html>\r\n<html>\n<head>\n\n</head>",
        b"\xef\xbb\xbf<html>",
        b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}',
        b'{\n  "error": "x"\n}\n\n',
        b'[{"a": 1}]',
        b"upstream connect error or disconnect/reset before headers",
        b"database connection failed\n",
        b"idle timeout",
        b"data center unavailable\n\n",
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03K\xcb\xcf\x07\x00!es\x8c\x03\x00\x00\x00",
        b"\x89PNG\r\n\x1a\n\x00\x00",
    ],
)
def test_a_body_that_is_no_event_stream_is_raised_showing_its_first_bytes(data: bytes, strict: bool) -> None:
    for chunks in chunkings(data):
        engine = MessageEngine(strict=strict)
        outcome = drive(chunks, engine=engine)
        assert outcome.events == []
        assert type(outcome.error) is DecodeError
        assert "not an event stream" in outcome.error.message
        assert repr(data[:1])[2:-1] in outcome.error.message
        assert outcome.error.offset == 0
        assert outcome.error.snapshot is None
        check_stopped(engine, outcome.error)


# Errors of the API


@BOTH
@pytest.mark.parametrize("count", range(len(HELLO)))
def test_an_error_event_is_delivered_and_the_end_after_it_is_raised(count: int, strict: bool) -> None:
    payload = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "req_1"}
    outcome = drive(body(*HELLO[:count], payload), engine=MessageEngine(strict=strict))
    event = outcome.events[-1]
    assert isinstance(event, ErrorEvent)
    assert event.error.type == "overloaded_error"
    assert event.request_id == "req_1"
    assert outcome.violations == ()
    assert type(outcome.error) is IncompleteStreamError
    assert "overloaded_error" in outcome.error.message
    assert outcome.error.snapshot == after(HELLO[:count]).snapshot


ERRORS: list[tuple[str | None, bytes, str, str]] = [
    ("error", b'{"type":"error","error":{"message":"too busy"}}', "api_error", "too busy"),
    ("error", b'{"type":"error","error":{"type":null,"message":"too busy"}}', "api_error", "too busy"),
    ("error", b'{"type":"error","error":{"type":"","message":"too busy"}}', "api_error", "too busy"),
    ("error", b'{"type":"error","error":"too busy"}', "api_error", "too busy"),
    ("error", b'{"type":"error","message":"too busy"}', "api_error", "too busy"),
    ("error", b'{"type":"error","message":{"type":"busy_error","message":"too busy"}}', "busy_error", "too busy"),
    ("error", b'{"error":{"type":"busy_error","message":"too busy"}}', "busy_error", "too busy"),
    ("error", b'{"error":{"error":{"type":"busy_error","message":"too busy"}}}', "busy_error", "too busy"),
    ("error", b'{"code":529,"message":"too busy","type":"busy_error"}', "busy_error", "too busy"),
    ("error", b'{"detail":"too busy"}', "api_error", "too busy"),
    ("error", b"too busy", "api_error", "too busy"),
    ("error", b'"too busy"', "api_error", "too busy"),
    ("error", b'["too busy"]', "api_error", '["too busy"]'),
    ("error", b"too \xff busy", "api_error", "too \ufffd busy"),
    ("error", b"{}", "api_error", ""),
    ("error", b"", "api_error", ""),
    (None, b'{"type":"error","error":{"type":"busy_error","message":"too busy"}}', "busy_error", "too busy"),
    (None, b'{"error":{"type":"busy_error","message":"too busy"}}', "busy_error", "too busy"),
    (None, b'{"error":"too busy"}', "api_error", "too busy"),
    ("message_stop", b'{"error":"too busy"}', "api_error", "too busy"),
    ("chunk", b'{"type":null,"error":"too busy"}', "api_error", "too busy"),
]


@BOTH
@pytest.mark.parametrize("count", [0, 4, 6])
@pytest.mark.parametrize(("name", "payload", "kind", "words"), ERRORS)
def test_an_error_of_any_shape_is_an_error_event_in_both_modes(
    name: str | None, payload: bytes, kind: str, words: str, count: int, strict: bool
) -> None:
    data = body(*HELLO[:count], frame(payload, event=name))
    for chunks in chunkings(data):
        outcome = drive(chunks, engine=MessageEngine(strict=strict))
        event = outcome.events[-1]
        assert isinstance(event, ErrorEvent)
        assert (event.error.type, event.error.message) == (kind, words)
        try:
            came = json.loads(payload)
        except ValueError:
            came = payload.decode("utf-8", "replace")
        assert event.payload == came
        assert outcome.kinds == ["odd_error"]
        assert type(outcome.error) is IncompleteStreamError
        assert f"{kind}: {words}" in outcome.error.message


def test_the_payload_of_a_usual_error_is_kept_too() -> None:
    payload = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded", "code": 1}, "id": 2}
    (event,) = drive(frame(payload)).events
    assert isinstance(event, ErrorEvent)
    assert event.payload == payload
    assert event.to_dict() == payload


# The payload without its form: what is left out and what it is taken for


def test_a_violation_says_what_came_and_what_it_was_taken_for() -> None:
    usage = {"output_tokens": "12", "cache_read_input_tokens": 2.5, "cache_creation_input_tokens": 3.5}
    engine = MessageEngine()
    outcome = drive(body(*CLOSED, message_delta(usage=usage), STOP), engine=engine)
    found = [(violation.path, violation.received, violation.taken_for) for violation in outcome.violations]
    assert found == [
        ("$.usage.output_tokens", "'12'", "12"),
        ("$.usage.cache_creation_input_tokens", "3.5", "4"),
        ("$.usage.cache_read_input_tokens", "2.5", "2"),
    ]
    assert engine.final_message.usage.output_tokens == 12
    assert engine.final_message.to_dict()["usage"]["cache_read_input_tokens"] == 2


@BOTH
@pytest.mark.parametrize(
    "message",
    [
        {"id": "m", "model": "x"},
        {"id": "m", "model": "x", "type": None, "role": None, "usage": None, "content": None},
        {"id": "m", "model": "x", "usage": {"input_tokens": None}},
    ],
)
def test_what_a_message_can_only_be_is_no_violation(message: Payload, strict: bool) -> None:
    for change in (message_delta(usage=None), {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}):
        data = body({"type": "message_start", "message": message}, *HELLO[1:5], change, STOP)
        engine = MessageEngine(strict=strict)
        outcome = drive(data, engine=engine)
        assert outcome.error is None
        assert outcome.violations == ()
        assert engine.final_message.role == "assistant"
        assert engine.final_message.usage.output_tokens == 0


def test_a_message_delta_may_have_every_count_of_a_usage() -> None:
    written = {"ephemeral_5m_input_tokens": "3", "ephemeral_1h_input_tokens": 0.5}
    usage = {"output_tokens": 8, "cache_creation": written, "service_tier": "standard", "inference_geo": "eu"}
    engine = MessageEngine()
    outcome = drive(body(*CLOSED, message_delta(usage=usage), STOP), engine=engine)
    assert outcome.kinds == ["odd_number", "odd_number"]
    found = engine.final_message.usage
    assert found.cache_creation == CacheCreation(ephemeral_5m_input_tokens=3, ephemeral_1h_input_tokens=0)
    assert (found.service_tier, found.inference_geo) == ("standard", "eu")


@BOTH
@pytest.mark.parametrize("decoder", [MessageEngine, MessageEventDecoder, RawMessageDecoder])
@pytest.mark.parametrize("delta", [{}, {"delta": None}, {"delta": {}}])
def test_a_message_delta_without_a_delta_changes_only_the_usage(decoder: Any, delta: Payload, strict: bool) -> None:
    payload = {"type": "message_delta", "usage": {"output_tokens": 8}} | delta
    source = decoder(strict=strict)
    source.receive_data(body(*CLOSED, payload, STOP))
    source.receive_eof()
    event = list(source.events())[-2]
    assert event.usage.output_tokens == 8
    assert source.violations == ()


def test_a_dict_is_read_as_a_payload_is() -> None:
    accumulator = MessageAccumulator()
    with pytest.raises(DecodeError, match="no type"):
        accumulator.apply({"choices": []})
    for payload in (start(model=None), {"cost": 1}, block_start(0.0, {"type": "tool_use"}), {"error": "x"}):  # type: ignore[arg-type]
        accumulator.apply(payload)
    kinds = [violation.kind for violation in accumulator.violations]
    assert kinds == ["missing_field", "typeless_event", "odd_number", *["missing_field"] * 3, "odd_error"]
    strict = MessageAccumulator(strict=True)
    with pytest.raises(DecodeError, match=r"\$\.message\.model is null"):
        strict.apply(start(model=None))
    assert strict.snapshot is None


# [DONE]


@pytest.mark.parametrize("end", [b"\n\n", b"\n", b""])
@pytest.mark.parametrize("decoder", [MessageEngine, RawMessageDecoder, MessageEventDecoder])
def test_done_ends_a_message_that_lacks_only_its_stop(end: bytes, decoder: Any) -> None:
    made = decoder()
    made.receive_data(body(*DONE) + b"data: [DONE]" + end)
    made.receive_eof()
    assert [event.type for event in made.events()][-1] == "message_stop"
    assert "done_sentinel" in [violation.kind for violation in made.violations]


@pytest.mark.parametrize("decoder", [MessageEngine, RawMessageDecoder, MessageEventDecoder])
@pytest.mark.parametrize(
    "payloads",
    [
        OPEN,
        CLOSED,
        [*OPEN, message_delta()],
        [*CLOSED, message_delta(None)],
        [*CLOSED, message_delta("")],
        [start(stop_reason=""), *CLOSED[1:]],
        [*CLOSED, block_stop(0), block_start(1), message_delta()],
    ],
)
def test_done_ends_no_message_that_lacks_more(payloads: list[Payload], decoder: Any) -> None:
    made = decoder()
    made.receive_data(body(*payloads, frame(b"[DONE]", event=None)))
    made.receive_eof()
    with pytest.raises(IncompleteStreamError):
        list(made.events())


# Surrogate pairs


def escaped(payload: Payload) -> bytes:
    return frame(json.dumps(payload).encode())


@BOTH
def test_halves_of_a_surrogate_pair_are_joined(strict: bool) -> None:
    payloads: list[Part] = [
        start(),
        block_start(0),
        escaped(text(0, "a\ud83d")),
        escaped(text(0, "\ude00b\ud83d")),
        escaped(text(0, "\ude01")),
        text(0, "c"),
        block_stop(0),
        block_start(1, {"type": "thinking", "thinking": ""}),
        escaped(delta(1, "thinking_delta", thinking="\ud83d")),
        escaped(delta(1, "thinking_delta", thinking="\ude02")),
        block_stop(1),
        tool_start(2),
        escaped(partial_json(2, '{"a": "\ud83d')),
        escaped(partial_json(2, '\ude03"}')),
        block_stop(2),
        message_delta(),
        STOP,
    ]
    for chunks in chunkings(body(*payloads)):
        engine = MessageEngine(strict=strict)
        outcome = drive(chunks, engine=engine)
        assert outcome.error is None
        assert outcome.violations == ()
        seen = [texts(snapshot)[0] for snapshot in outcome.snapshots[2:7] if snapshot is not None]
        assert seen == ["a\ud83d", "a😀b\ud83d", "a😀b😁", "a😀b😁c", "a😀b😁c"]
        said, thought, used = engine.final_message.content
        assert isinstance(said, TextBlock)
        assert said.text == "a😀b😁c"
        assert isinstance(thought, ThinkingBlock)
        assert thought.thinking == "😂"
        assert isinstance(used, ToolUseBlock)
        assert used.input == {"a": "😃"}


@BOTH
def test_half_of_a_surrogate_pair_stays_and_is_a_violation(strict: bool) -> None:
    payloads: list[Part] = [
        start(),
        block_start(0),
        escaped(text(0, "a\ud83d")),
        text(0, "b"),
        escaped(text(0, "\ude00")),
    ]
    for chunks in chunkings(body(*payloads, *REST)):
        engine = MessageEngine(strict=strict)
        outcome = drive(chunks, engine=engine)
        assert outcome.error is None
        assert outcome.kinds == ["lone_surrogate"]
        assert outcome.violations[0].index == 0
        assert outcome.violations[0].event_number == len(payloads)
        assert texts(engine.final_message) == ("a\ud83db\ude00",)


@BOTH
def test_half_of_a_surrogate_pair_stays_in_the_input_of_a_tool(strict: bool) -> None:
    pieces = ['{"a": "b', "\ud83d", 'c\\n"}']
    payloads: list[Part] = [start(), tool_start(0), *[escaped(partial_json(0, piece)) for piece in pieces], *REST]
    for chunks in chunkings(body(*payloads)):
        engine = MessageEngine(strict=strict)
        outcome = drive(chunks, engine=engine)
        assert outcome.error is None
        assert outcome.kinds == ["lone_surrogate"]
        (block,) = engine.final_message.content
        assert isinstance(block, ToolUseBlock)
        assert block.input == {"a": "b\ud83dc\n"}


# Input that is not JSON


@BOTH
def test_wrong_json_is_kept_if_asked_for(strict: bool) -> None:
    wrong = '{"city": "Rome", "n": oops'
    payloads = [start(), tool_start(0), partial_json(0, wrong), block_stop(0), message_delta("tool_use"), STOP]
    for chunks in chunkings(body(*payloads)):
        engine = MessageEngine(strict=strict, invalid_json="keep")
        outcome = drive(chunks, engine=engine)
        assert outcome.error is None
        (violation,) = outcome.violations
        assert (violation.kind, violation.index, violation.event_number) == ("invalid_input", 0, 3)
        (block,) = engine.final_message.content
        assert isinstance(block, ToolUseBlock)
        assert block.input == {"city": "Rome"}
        assert block.partial_input == wrong
        assert isinstance(block.parse_error, DecodeError)
        assert block.parse_error.received == wrong
        assert engine.final_message.stop_reason == "tool_use"


def test_input_over_a_limit_is_not_kept() -> None:
    payloads = [start(), tool_start(0), partial_json(0, "[[[[[["), block_stop(0)]
    outcome = drive(body(*payloads), engine=MessageEngine(invalid_json="keep", limits=Limits(max_depth=4)))
    assert type(outcome.error) is LimitExceededError


@attrs.frozen
class Search:
    a: int


def test_on_invalid_keep_implies_it_for_tools_that_have_a_class() -> None:
    for name, error in (("search", None), ("other", DecodeError)):
        engine = MessageEngine(tool_types={"search": Search}, on_invalid="keep")
        payloads = [start(), tool_start(0, name), partial_json(0, '{"a": oops}'), block_stop(0), *REST[1:]]
        outcome = drive(body(*payloads), engine=engine)
        assert type(outcome.error) is (error or type(None))


def test_invalid_json_must_be_one_of_two() -> None:
    with pytest.raises(InvalidArgumentError, match="'raise', 'keep'"):
        MessageEngine(invalid_json="ignore")  # type: ignore[arg-type]


# Limits


@BOTH
@pytest.mark.parametrize(
    ("limits", "payloads", "fault", "index", "words"),
    [
        (Limits(max_blocks=1), CLOSED, block_start(1), 1, "1 blocks"),
        (Limits(max_unknown_fields=1), CLOSED, message_delta(new_1=1, new_2=2), None, "1 unknown fields"),
        (Limits(max_unknown_fields=1), CLOSED, block_start(1, {"type": "new", "a": 1}), 1, "1 fields"),
        (Limits(max_depth=5), OPEN, {"type": "new", "a": [[[[[]]]]]}, None, "5 levels"),
        (Limits(max_event_size=400), OPEN, text(0, "x" * 400), None, "400 bytes"),
        (Limits(max_line_size=400), OPEN, text(0, "x" * 400), None, "400 bytes"),
        (Limits(max_depth=4), [start(), tool_start(0), partial_json(0, "[[[[[[")], block_stop(0), 0, "4 containers"),
    ],
)
def test_over_a_limit_is_raised(
    limits: Limits, payloads: list[Payload], fault: Payload, index: int | None, words: str, strict: bool
) -> None:
    good = drive(body(*payloads), eof=False, engine=MessageEngine(limits=limits))
    assert good.error is None
    for chunks in chunkings(body(*payloads, fault)):
        engine = MessageEngine(strict=strict, limits=limits)
        outcome = drive(chunks, engine=engine)
        assert outcome.events == good.events
        assert type(outcome.error) is LimitExceededError
        assert words in outcome.error.message
        assert outcome.error.index == index
        assert outcome.error.event_number == len(good.events)
        assert outcome.error.snapshot == good.snapshot
        check_stopped(engine, outcome.error)


@BOTH
def test_a_stream_over_its_limit_delivers_what_came_before(strict: bool) -> None:
    size = len(body(*OPEN))
    for chunks in chunkings(body(*HELLO)):
        outcome = drive(chunks, engine=MessageEngine(strict=strict, limits=Limits(max_stream_size=size)))
        assert outcome.events == after(OPEN).events
        assert type(outcome.error) is LimitExceededError
        assert outcome.error.offset == size


@BOTH
def test_what_is_left_over_after_message_stop_is_where_it_begins_however_the_stream_is_cut(strict: bool) -> None:
    whole = body(*HELLO) + b": comment\n"
    for chunks in chunkings(whole + b"data: un"):
        outcome = drive(chunks, engine=MessageEngine(strict=strict))
        found = outcome.error if strict else outcome.violations[0]
        assert found is not None
        assert found.offset == len(whole)
        assert "8 bytes" in found.message


@pytest.mark.parametrize("name", ["error", "ping"])
def test_the_type_of_another_event_counts_before_the_name_also_if_a_field_is_missing(name: str) -> None:
    nothing = b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta"}}'
    engine = MessageEngine()
    engine.receive_data(body(start(), block_start(0)) + b"event: " + name.encode() + b"\ndata: " + nothing + b"\n\n")
    assert list(engine.events())[-1].type == "content_block_delta"
    assert [violation.kind for violation in engine.violations] == ["missing_field", "event_name"]


def test_done_ends_a_message_whose_stop_reason_came_with_its_start() -> None:
    data = body(start(stop_reason="end_turn"), *HELLO[1:5]) + frame(b"[DONE]", event=None)
    for decoder in (MessageEngine(), RawMessageDecoder(), MessageEventDecoder()):
        decoder.receive_data(data)
        decoder.receive_eof()
        assert list(decoder.events())[-1].type == "message_stop"


@pytest.mark.parametrize(
    ("fault", "received", "taken_for"),
    [
        (frame(PING, event=None), None, "'ping'"),
        (frame(PING, event="beat"), "'beat'", "'ping'"),
        (frame(b"alive", event="ping"), "'alive'", "'ping'"),
        (frame(b"{}", event="ping"), "'{}'", "'ping'"),
        (frame(b'"alive"', event="ping"), "'\"alive\"'", "'ping'"),
    ],
)
def test_a_violation_about_a_whole_event_says_what_came_too(
    fault: bytes, received: str | None, taken_for: str | None
) -> None:
    (violation,) = drive(body(*OPEN, fault, *REST)).violations
    assert (violation.received, violation.taken_for) == (received, taken_for)
