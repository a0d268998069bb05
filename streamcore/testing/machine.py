"""`EngineMachine`: a state machine that compares an engine with a slow model of it at every step.

Its rules are what a server may do, and what it must not do. Each rule writes events; Hypothesis decides which. How they
are framed and cut is drawn once for a stream, and its plainest form is one chunk for each event. After each chunk the
two messages must be equal.

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
from typing import Any, ClassVar, Protocol

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from streamcore.engine import MessageEngine
from streamcore.errors import ProtocolError
from streamcore.testing._choices import CHOICES, Choices, cut, endless
from streamcore.testing._json import json_objects, texts, write
from streamcore.testing._model_events import Payload
from streamcore.testing._values import content_blocks
from streamcore.testing._wire import FRAMINGS, Framing, encode, ways_of_framing
from streamcore.testing.model import Outcome, outcome_in_model, without_nulls
from streamcore.types import WireObject

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


_INDICES = st.integers(0, 3)
_PIECES = st.lists(texts(max_size=8), max_size=4)
# Plain values, each one draw, so that a failure shrinks in few steps. Mostly blocks that deltas add to.
_TOOL = {"id": "toolu_1", "name": "search", "input": {}}
_STARTS: list[Payload] = [
    {"type": "text", "text": ""},
    {"type": "thinking", "thinking": "", "signature": ""},
    {"type": "compaction", "content": None},
    *({"type": kind, **_TOOL} for kind in ("tool_use", "server_tool_use")),
    {"type": "mcp_tool_use", "server_name": "maps", **_TOOL},
]
_BLOCKS = st.sampled_from(_STARTS) | content_blocks(unknown=True).map(WireObject.to_dict)
_INPUTS: st.SearchStrategy[Payload] = st.just({}) | json_objects(max_leaves=4)
_CITATION = {"type": "char_location", "cited_text": "x"}
_CITATION |= dict.fromkeys(("document_index", "start_char_index", "end_char_index"), 0)  # type: ignore[arg-type]
_CHANGES: list[Payload] = [
    {},
    {"stop_reason": "end_turn"},
    {"stop_reason": "tool_use", "stop_sequence": None},
    {"stop_reason": "stop_sequence", "stop_sequence": "x"},
    {"container": {"id": "container_1", "expires_at": "2026-01-01T00:00:00Z"}},
]
_USAGES: list[Payload] = [
    {"output_tokens": 1},
    {"input_tokens": 2, "output_tokens": 3, "output_tokens_details": None},
    {"output_tokens": 4, "cache_read_input_tokens": 5, "server_tool_use": {"web_search_requests": 6}},
]


def _delta(index: int, **fields: Any) -> Payload:
    return {"type": "content_block_delta", "index": index, "delta": fields}


def _start(**fields: Any) -> Payload:
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-1", "content": []}
    return {"type": "message_start", "message": message | fields}


_OPENINGS: list[list[Payload]] = [
    [_start(usage={"input_tokens": 1, "output_tokens": 1})],
    [{"type": "ping"}, _start(usage={"input_tokens": 1, "output_tokens": 1})],
    [_start(usage={"input_tokens": 0, "output_tokens": 1, "cache_read_input_tokens": 2}, new_thing=[1])],
]
# The ways in which a stream is framed, and the choices for them. All that is drawn for a stream as a whole is in few
# arguments: Hypothesis explains a failure for each argument apart.
_FRAMINGS = st.tuples(ways_of_framing([way for way in FRAMINGS if way != "bom"]), CHOICES)

# Events that break the rules, always or at some times: without an index, with any, and as frames.
_WITHOUT_INDEX: list[Payload] = [
    _start(),
    _start(id="msg_2"),
    {"type": "message_delta"},
    {"type": "message_stop"},
    {"type": "content_block_stop", "index": 0.0},
    {"type": "message_delta", "usage": {"input_tokens": "7", "output_tokens": 2.5}},
    {"type": "message_delta", "usage": {"output_tokens": True}},
]
_WITH_INDEX: list[Payload] = [
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
_NAMES = [b"event: ping\n", b"event: content_block_stop\n", b"event: message\n", b""]
_DATA = [b"[DONE]", b"{oops}", b"[]", b"{}", b"", b'{"index":0}', b'{"error":"down"}', b'{"type":"ping"}']
_OUT_OF_PLACE: st.SearchStrategy[Payload | bytes] = st.sampled_from(_WITHOUT_INDEX)
_OUT_OF_PLACE |= st.builds(
    lambda event, index: {**event, "index": index}, st.sampled_from(_WITH_INDEX), st.integers(-1, 4)
)
_OUT_OF_PLACE |= st.sampled_from([b"%sdata: %s\n\n" % (name, data) for name in _NAMES for data in _DATA])
# Most of these events end the stream, so they are rare. A step without one takes a single draw: the fewer draws a step
# takes, the more often Hypothesis succeeds in removing it from a failure.
_SELDOM_OUT_OF_PLACE = st.integers(0, 9).flatmap(lambda number: _OUT_OF_PLACE if number == 9 else st.none())


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
        found, expected = without_nulls(found), without_nulls(expected)
        assert found == expected, f"the message is {found}, and should be {expected}"

    def __init__(self) -> None:
        super().__init__()
        self.under_test: UnderTest = self.make()
        self.data: bytes = b""  # all bytes that were delivered
        self.waiting: bytes = b""  # written, but not delivered yet
        self.over: bool = False  # refused, or at the end
        self.stopped: bool = False
        self.loses_the_end: bool = False
        self.ways: list[Framing] = []
        self.choices: Choices = endless(b"")  # how events are framed, and where their bytes are cut
        # The types of the blocks, the indexes of those that are open, and the rest of the input of each tool.
        self.blocks: list[str] = []
        self.open: list[int] = []
        self.inputs: dict[int, str] = {}

    # What a server may do

    @initialize(events=st.sampled_from(_OPENINGS), framing=_FRAMINGS, loses_the_end=st.booleans())
    def start_message(self, events: list[Payload], framing: tuple[list[Framing], bytes], loses_the_end: bool) -> None:
        ways, choices = framing
        self.ways = [way for way in ways if way in self.framing]
        self.choices = endless(choices)
        self.loses_the_end = loses_the_end
        for event in events:
            self._send(event)

    @precondition(lambda self: not self.stopped and not self.over)
    @rule(block=_BLOCKS, value=_INPUTS, pieces=_PIECES)
    def start_block(self, block: Payload, value: Payload, pieces: list[str]) -> None:
        index = len(self.blocks)
        self.blocks.append(block["type"])
        self.open.append(index)
        self.inputs[index] = write(value, self.choices)
        self._send({"type": "content_block_start", "index": index, "content_block": block})
        self._send_deltas(index, pieces)

    @precondition(lambda self: self.open and not self.stopped and not self.over)
    @rule(which=_INDICES, pieces=_PIECES, cites=st.booleans())
    def add_deltas(self, which: int, pieces: list[str], cites: bool) -> None:
        index = self.open[which % len(self.open)]
        if cites and self.blocks[index] == "text":
            self._send(_delta(index, type="citations_delta", citation=_CITATION))
        self._send_deltas(index, pieces)

    def _send_deltas(self, index: int, pieces: list[str]) -> None:
        for piece in pieces:
            fields = self._fields_of_delta(index, piece)
            if fields is not None:
                self._send(_delta(index, **fields))

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
    @rule(which=_INDICES)
    def stop_block(self, which: int) -> None:
        index = self.open.pop(which % len(self.open))
        self._send({"type": "content_block_stop", "index": index})

    @precondition(lambda self: not self.stopped and not self.over)
    @rule(delta=st.sampled_from(_CHANGES), usage=st.sampled_from(_USAGES))
    def change_message(self, delta: Payload, usage: Payload) -> None:
        self._send({"type": "message_delta", "delta": delta, "usage": usage})

    @precondition(lambda self: not self.stopped and not self.over and not self.open)
    @rule()
    def stop_message(self) -> None:
        self.stopped = True
        self._send({"type": "message_stop"})

    @precondition(lambda self: not self.over)
    @rule(new=st.booleans())
    def say_something_else(self, new: bool) -> None:
        self._send({"type": "new_event", "index": 0} if new and not self.stopped else {"type": "ping"})

    # What a server must not do

    @precondition(lambda self: self.breaks_rules and not self.over)
    @rule(event=_SELDOM_OUT_OF_PLACE)
    def break_a_rule(self, event: Payload | bytes | None) -> None:
        if event is None:
            return
        if isinstance(event, bytes):
            self._deliver(event)
        else:
            self._send(event)

    @precondition(lambda self: self.over)
    @rule()
    def do_no_more(self) -> None:
        """Do nothing: Hypothesis requires that some rule can run at any time."""

    def teardown(self) -> None:
        if not self.over and not self.loses_the_end:
            self._deliver(b"", behind=0)
        if not self.over:
            self._end()

    # Delivery

    def _send(self, event: Payload) -> None:
        if not self.over:
            self._deliver(encode([event], self.ways, self.choices))

    def _deliver(self, data: bytes, behind: int | None = None) -> None:
        """Deliver bytes in up to three chunks, but for `behind` of them, which arrive with the next event."""
        # Few, because the model starts again from the first byte after each chunk.
        points = [next(self.choices) for _ in range(next(self.choices) % 3)]
        behind = next(self.choices) % 20 if behind is None else behind
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
        expected = outcome_in_model(self.data, ended=ended)
        self.over = expected.error is not None or refused is not None
        problem = None
        try:
            self._compare(expected, refused, ended=ended)
        except AssertionError as error:
            problem = str(error)
        if problem is not None:
            # All failures come from this line, and the end of a stream is not compared after one. Otherwise Hypothesis
            # would shrink each kind of failure.
            self.over = True
            raise AssertionError(problem)

    def _compare(self, expected: Outcome, refused: Exception | None, *, ended: bool) -> None:
        is_engine = isinstance(self.under_test, _Engine)
        if expected.error is not None:
            assert refused is not None, f"{expected.error} is due, and nothing was raised"
        elif is_engine or not expected.violations:  # other accumulators may refuse a deviation that loses nothing
            assert refused is None, f"the stream was refused, and nothing is wrong with it: {refused!r}"
        if isinstance(self.under_test, _Engine):
            self._compare_engine(self.under_test, expected, refused)
        if (self.looks_between or ended) and refused is None:
            self.compare(expected.message, self.under_test.message)

    def _compare_engine(self, found: _Engine, expected: Outcome, refused: Exception | None) -> None:
        """Compare the events and violations of an engine, and its error with the message before it."""
        assert without_nulls(found.events) == without_nulls(expected.events)
        assert Counter(violation.kind for violation in found.engine.violations) == Counter(expected.violations)
        if refused is not None:
            assert isinstance(refused, ProtocolError)
            assert type(refused).__name__ == expected.error or not expected.events
            assert refused.event_number == len(expected.events)
            self.compare(expected.message, None if refused.snapshot is None else refused.snapshot.to_dict())
