"""`EngineMachine`: a state machine that compares an engine with a slow model of it at every step.

Its rules are what a server may do, and what it must not do. Each rule writes one event; Hypothesis decides which, how
the bytes are framed and cut, and how many of them arrive at once. After each step the two messages must be equal.

To test another accumulator, write a subclass that makes it:

    class TheirMachine(EngineMachine):
        def make(self):
            return TheirAccumulator()  # see `UnderTest`

    TestTheirs = TheirMachine.TestCase

The subclass can also limit what the server does: with `breaks_rules = False` all streams are legal.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any, ClassVar, Protocol, TypeAlias

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from streamcore.engine import MessageEngine
from streamcore.errors import ProtocolError
from streamcore.testing._choices import CHOICES, cut, endless
from streamcore.testing._json import json_objects, texts, write
from streamcore.testing._model_events import Payload
from streamcore.testing._values import CHANGING_BLOCKS, content_blocks, wire_objects
from streamcore.testing._wire import FRAMINGS, Framing, encode, ways_of_framing
from streamcore.testing.model import Outcome, replay, without_nulls
from streamcore.types import (
    CitationCharLocation,
    ContentBlock,
    MessageDelta,
    MessageDeltaUsage,
    Usage,
)

__all__ = ["EngineMachine", "UnderTest"]


class UnderTest(Protocol):
    """The interface of an accumulator under test. If it raises any exception, it refuses the stream."""

    def receive_data(self, chunk: bytes) -> None:
        """Process the next bytes."""

    def receive_eof(self) -> None:
        """End the stream, and raise if it is incomplete."""

    @property
    def message(self) -> Mapping[str, Any] | None:
        """The message so far as JSON; `None` before it has started."""


class _Engine:
    """Give `MessageEngine` the interface of `UnderTest`."""

    def __init__(self) -> None:
        self.engine = MessageEngine()
        self.events: list[Payload] = []

    def receive_data(self, chunk: bytes) -> None:
        self.engine.receive_data(chunk)
        self._read()

    def receive_eof(self) -> None:
        self.engine.receive_eof()
        self._read()

    def _read(self) -> None:
        for event in self.engine.events():
            self.events.append(event.to_dict())

    @property
    def message(self) -> Payload | None:
        return None if self.engine.snapshot is None else self.engine.snapshot.to_dict()


# How an event is written and delivered: its framing, the choices for it, where its bytes are cut, and how many of them
# arrive only with the next event.
_Way: TypeAlias = tuple[list[Framing], bytes, list[int], int]


@st.composite
def _ways(draw: st.DrawFn) -> _Way:
    ways = ways_of_framing([way for way in FRAMINGS if way != "bom"])
    return draw(ways), draw(CHOICES), draw(_FEW_POINTS), draw(_BEHIND)


# Few, because the model starts again from the first byte after each chunk.
_FEW_POINTS: st.SearchStrategy[list[int]] = st.just([]) | st.lists(st.integers(0, 200), min_size=1, max_size=2)
_BEHIND = st.just(0) | st.integers(0, 20)
_WAYS = _ways()
_INDICES = st.integers(0, 3)
_PIECES = st.lists(texts(max_size=8), max_size=4)
# Mostly blocks that deltas add to.
_CHANGING = content_blocks(*CHANGING_BLOCKS)
_BLOCKS = _CHANGING | _CHANGING | content_blocks(unknown=True)


def _delta(index: int, **fields: Any) -> Payload:
    return {"type": "content_block_delta", "index": index, "delta": fields}


def _start(**fields: Any) -> Payload:
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-1", "content": []}
    return {"type": "message_start", "message": message | fields}


# Events that break the rules, always or at some times.
_OUT_OF_PLACE: st.SearchStrategy[Payload | bytes] = st.sampled_from(
    [_start(), _start(id="msg_2"), {"type": "message_delta"}, {"type": "message_stop"}]
)
_OUT_OF_PLACE |= st.builds(
    lambda index, event: {**event, "index": index},
    st.integers(-1, 4),
    st.sampled_from(
        [
            {"type": "content_block_start", "content_block": {"type": "text", "text": ""}},
            _delta(0, type="text_delta", text="x"),
            _delta(0, type="input_json_delta", partial_json="}"),
            _delta(0, type="signature_delta", signature="x"),
            _delta(0, type="new_delta", text="x"),
            _delta(0, type="text_delta"),
            _delta(0, type="signature_delta", signature=None),
            _delta(0, type="input_json_delta", partial_json=""),
            {"type": "content_block_start", "content_block": {"type": "tool_use"}},
            {"type": "content_block_stop"},
        ]
    ),
)
_OUT_OF_PLACE |= st.sampled_from(
    [
        {"type": "content_block_stop", "index": 0.0},
        {"type": "message_delta", "usage": {"input_tokens": "7", "output_tokens": 2.5}},
        {"type": "message_delta", "usage": {"output_tokens": True}},
    ]
)
# Frames
_OUT_OF_PLACE |= st.builds(
    lambda name, payload: name + b"data: " + payload + b"\n\n",
    st.sampled_from([b"event: ping\n", b"event: content_block_stop\n", b"event: message\n", b""]),
    st.sampled_from([b"[DONE]", b"{oops}", b"[]", b"{}", b"", b'{"index":0}', b'{"error":"down"}', b'{"type":"ping"}']),
)


class EngineMachine(RuleBasedStateMachine):
    """Feed a stream, event by event, to the object under test and to the model.

    Attributes:
        breaks_rules: Whether there are also events in places where they are illegal, or with odd or missing fields.
        framing: The ways in which the bytes may differ from what the API writes; see `Framing`.
        looks_between: Whether the messages are compared after every event, and not only at the end.
    """

    breaks_rules: ClassVar[bool] = True
    framing: ClassVar[Collection[Framing]] = FRAMINGS
    looks_between: ClassVar[bool] = True

    def make(self) -> UnderTest:
        """Return the object under test. Override it to test another one."""
        return _Engine()

    def compare(self, expected: Payload | None, found: Mapping[str, Any] | None) -> None:
        """Fail if the messages differ. Null and absent are the same, except in a tool's input."""
        assert without_nulls(found) == without_nulls(expected)

    def __init__(self) -> None:
        super().__init__()
        self.under_test: UnderTest = self.make()
        self.data: bytes = b""  # all bytes that were delivered
        self.waiting: bytes = b""  # written, but not delivered yet
        self.over: bool = False  # refused, or at the end
        self.stopped: bool = False
        self.loses_the_end: bool = False
        # The types of the blocks, the indexes of those that are open, and the rest of the input of each tool.
        self.blocks: list[str] = []
        self.open: list[int] = []
        self.inputs: dict[int, str] = {}

    # What a server may do

    @initialize(
        pings=st.integers(0, 1),
        usage=wire_objects(Usage),
        extra=st.sampled_from([{}, {"new_thing": [1]}]),
        loses_the_end=st.booleans(),
        way=_WAYS,
    )
    def start_message(self, pings: int, usage: Usage, extra: Payload, loses_the_end: bool, way: Any) -> None:
        self.loses_the_end = loses_the_end
        for event in [{"type": "ping"}] * pings + [_start(usage=usage.to_dict(), **extra)]:
            self._send(event, way)

    @precondition(lambda self: not self.stopped and not self.over)
    @rule(block=_BLOCKS, value=json_objects(max_leaves=4), drawn=CHOICES, pieces=_PIECES, way=_WAYS)
    def start_block(self, block: ContentBlock, value: Payload, drawn: bytes, pieces: list[str], way: Any) -> None:
        index = len(self.blocks)
        self.blocks.append(str(block.type))
        self.open.append(index)
        self.inputs[index] = write(value, endless(drawn))
        self._send({"type": "content_block_start", "index": index, "content_block": block.to_dict()}, way)
        self._send_deltas(index, pieces, way)

    @precondition(lambda self: self.open and not self.stopped and not self.over)
    @rule(which=_INDICES, pieces=_PIECES, citation=st.none() | wire_objects(CitationCharLocation), way=_WAYS)
    def add_deltas(self, which: int, pieces: list[str], citation: CitationCharLocation | None, way: Any) -> None:
        index = self.open[which % len(self.open)]
        if citation is not None and self.blocks[index] == "text":
            self._send(_delta(index, type="citations_delta", citation=citation.to_dict()), way)
        self._send_deltas(index, pieces, way)

    def _send_deltas(self, index: int, pieces: list[str], way: Any) -> None:
        for piece in pieces:
            fields = self._fields_of_delta(index, piece)
            if fields is not None and not self.over:
                self._send(_delta(index, **fields), way)

    def _fields_of_delta(self, index: int, piece: str) -> Payload | None:
        match self.blocks[index]:
            case "text":
                return {"type": "text_delta", "text": piece}
            case "thinking" if len(piece) % 2:
                return {"type": "thinking_delta", "thinking": piece}
            case "thinking":
                return {"type": "signature_delta", "signature": piece}
            case "compaction":
                return {"type": "compaction_delta", "content" if len(piece) % 2 else "encrypted_content": piece}
            case "tool_use" | "server_tool_use" | "mcp_tool_use" | "new_thing" | "newer_thing":
                size = 2 * len(piece)
                fragment, self.inputs[index] = self.inputs[index][:size], self.inputs[index][size:]
                return {"type": "input_json_delta", "partial_json": fragment}
        return None

    @precondition(lambda self: self.open and not self.stopped and not self.over)
    @rule(which=_INDICES, way=_WAYS)
    def stop_block(self, which: int, way: Any) -> None:
        index = self.open.pop(which % len(self.open))
        self._send({"type": "content_block_stop", "index": index}, way)

    @precondition(lambda self: not self.stopped and not self.over)
    @rule(delta=wire_objects(MessageDelta), usage=wire_objects(MessageDeltaUsage), way=_WAYS)
    def change_message(self, delta: MessageDelta, usage: MessageDeltaUsage, way: Any) -> None:
        self._send({"type": "message_delta", "delta": delta.to_dict(), "usage": usage.to_dict()}, way)

    @precondition(lambda self: not self.stopped and not self.over and not self.open)
    @rule(way=_WAYS)
    def stop_message(self, way: Any) -> None:
        self.stopped = True
        self._send({"type": "message_stop"}, way)

    @precondition(lambda self: not self.over)
    @rule(new=st.booleans(), way=_WAYS)
    def say_something_else(self, new: bool, way: Any) -> None:
        self._send({"type": "new_event", "index": 0} if new and not self.stopped else {"type": "ping"}, way)

    # What a server must not do

    @precondition(lambda self: self.breaks_rules and len(self.data) > 600 and not self.over)
    @rule(event=_OUT_OF_PLACE, really=st.integers(0, 4), way=_WAYS)
    def break_a_rule(self, event: Payload | bytes, really: int, way: Any) -> None:
        if really != 4:  # most of these events end the stream, so they must be rare
            return
        if isinstance(event, bytes):
            self._deliver(event, [], 0)
        else:
            self._send(event, way)

    @precondition(lambda self: self.over)
    @rule()
    def do_no_more(self) -> None:
        """Do nothing: Hypothesis requires that some rule can run at any time."""

    def teardown(self) -> None:
        if not self.over and not self.loses_the_end:
            self._deliver(b"", [], 0)
        if not self.over:
            self._end()

    # Delivery

    def _send(self, event: Payload, way: _Way) -> None:
        ways, drawn, points, behind = way
        self._deliver(encode([event], [some for some in ways if some in self.framing], endless(drawn)), points, behind)

    def _deliver(self, data: bytes, points: list[int], behind: int) -> None:
        self.waiting += data
        size = len(self.waiting) - min(behind, len(self.waiting))
        now, self.waiting = self.waiting[:size], self.waiting[size:]
        for chunk in cut(now, points):
            self.data += chunk
            refused = self._refuses(functools.partial(self.under_test.receive_data, chunk))
            self._check(refused)
            if self.over:
                return

    def _end(self) -> None:
        self._check(self._refuses(self.under_test.receive_eof), ended=True)
        self.over = True

    @staticmethod
    def _refuses(action: Any) -> Exception | None:
        try:
            action()
        except Exception as error:  # noqa: BLE001  # the object under test may raise any exception
            return error
        return None

    # Comparison

    def _check(self, refused: Exception | None, *, ended: bool = False) -> None:
        expected = replay(self.data, ended=ended)
        self.over = expected.error is not None or refused is not None
        if expected.error is not None:
            assert refused is not None, f"{expected.error} is due, and nothing was raised"
        elif refused is not None and (isinstance(self.under_test, _Engine) or not expected.violations):
            # Other accumulators may refuse a deviation that loses nothing.
            raise AssertionError(f"the stream was refused, and nothing is wrong with it: {refused!r}") from refused
        if isinstance(self.under_test, _Engine):
            self._check_engine(self.under_test, expected, refused)
        if (self.looks_between or ended) and refused is None:
            self.compare(expected.message, self.under_test.message)

    def _check_engine(self, found: _Engine, expected: Outcome, refused: Exception | None) -> None:
        """Compare the events and violations of an engine, and its error with the message before it."""
        assert without_nulls(found.events) == without_nulls(expected.events)
        assert Counter(violation.kind for violation in found.engine.violations) == Counter(expected.violations)
        if refused is not None:
            assert isinstance(refused, ProtocolError)
            assert type(refused).__name__ == expected.error or not expected.events
            assert refused.event_number == len(expected.events)
            self.compare(expected.message, None if refused.snapshot is None else refused.snapshot.to_dict())
