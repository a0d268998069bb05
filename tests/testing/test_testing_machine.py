"""`EngineMachine`: our engine passes it, and accumulators that are wrong do not."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from helpers import drive
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from streamcore import MessageAccumulator
from streamcore.testing import EngineMachine, UnderTest
from streamcore.testing.model import may_go_on, outcome_in_model, partial_value, sse_frames

if TYPE_CHECKING:
    from collections.abc import Mapping

TestEngine = EngineMachine.TestCase
TestEngine.settings = settings(max_examples=settings().max_examples, stateful_step_count=25)

# As many tries as finding a fault takes, and nothing kept of it.
SEARCH = settings(
    max_examples=300,
    stateful_step_count=25,
    database=None,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


class Accumulator:
    """An SDK that does its own framing and parsing, and gives the dicts to our accumulator."""

    def __init__(self) -> None:
        self.data = b""
        self.seen = 0
        self.accumulator = MessageAccumulator()

    def receive_data(self, chunk: bytes) -> None:
        self.data += chunk
        frames, _ = sse_frames(self.data)
        for name, text in frames[self.seen :]:
            self.seen += 1
            if text != "[DONE]":
                payload = json.loads(text)
                if isinstance(payload, dict) and name not in (None, "message"):
                    payload.setdefault("type", name)
                self.take(payload)

    def take(self, payload: Any) -> None:
        if not isinstance(payload, dict):
            raise TypeError("no event")
        self.accumulator.apply(payload)

    def receive_eof(self) -> None:
        self.accumulator.end()

    @property
    def message(self) -> Mapping[str, Any] | None:
        snapshot = self.accumulator.snapshot
        return None if snapshot is None else snapshot.to_dict()


class LooksComplete(Accumulator):
    def receive_eof(self) -> None:
        pass


class StricterThanDue(Accumulator):
    def take(self, payload: Any) -> None:
        before = len(self.accumulator.violations)
        super().take(payload)
        if len(self.accumulator.violations) > before:
            raise AssertionError("odd, and refused")


class TakesTextTwice(Accumulator):
    def take(self, payload: Any) -> None:
        super().take(payload)
        if isinstance(payload, dict) and payload.get("delta", {}).get("type") == "text_delta":
            super().take(payload)


class RefusesPings(Accumulator):
    def take(self, payload: Any) -> None:
        if isinstance(payload, dict) and payload["type"] == "ping":
            raise ValueError("what is this?")
        super().take(payload)


class MergesMessages(Accumulator):
    def take(self, payload: Any) -> None:
        if not (self.accumulator.snapshot is not None and payload["type"] == "message_start"):
            super().take(payload)


def machine(under_test: type[Accumulator], **options: Any) -> type[EngineMachine]:
    return type("Machine", (EngineMachine,), {"make": lambda self: under_test(), **options})


@pytest.mark.parametrize("under_test", [Accumulator, StricterThanDue], ids=lambda cls: cls.__name__)
def test_another_accumulator_is_tested_by_a_subclass(under_test: type[Accumulator]) -> None:
    run_state_machine_as_test(machine(under_test), settings=settings(SEARCH, max_examples=15))


@pytest.mark.parametrize(
    "under_test",
    [
        TakesTextTwice,
        RefusesPings,
        pytest.param(LooksComplete, marks=pytest.mark.slow),
        pytest.param(MergesMessages, marks=pytest.mark.slow),
    ],
    ids=lambda cls: cls.__name__,
)
def test_an_accumulator_that_is_wrong_does_not_pass(under_test: type[Accumulator]) -> None:
    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine(under_test), settings=SEARCH)


def failure_and_streams(under_test: type[Accumulator], number: int) -> tuple[str, int]:
    """Return the failure that a search finds and shrinks, and how many streams that took."""
    streams = 0

    class Counting(machine(under_test)):  # type: ignore[misc]  # the base is made by a function
        def __init__(self) -> None:
            nonlocal streams
            streams += 1
            super().__init__()

    seed(number)(Counting)
    try:
        run_state_machine_as_test(Counting, settings=settings(SEARCH, phases=[Phase.generate, Phase.shrink]))
    except AssertionError as error:
        return "\n".join(error.__notes__), streams
    return "", streams


@pytest.mark.parametrize(
    "under_test",
    [
        RefusesPings,
        *(pytest.param(cls, marks=pytest.mark.slow) for cls in (LooksComplete, TakesTextTwice, MergesMessages)),
    ],
    ids=lambda cls: cls.__name__,
)
def test_a_failure_shrinks_to_few_steps_after_few_attempts(under_test: type[Accumulator]) -> None:
    # What a seed finds depends on the modules that are loaded, as Hypothesis also draws constants from them. One search
    # in ten finds nothing, or a failure from which Hypothesis cannot remove all steps that do nothing. So there are
    # up to three searches, with other seeds.
    found = []
    for number in range(3):
        shown, streams = failure_and_streams(under_test, number)
        assert streams <= 3000
        found.append(shown)
        if 0 < len([line for line in shown.splitlines() if line.startswith("state.")]) <= 5:
            assert len(shown.splitlines()) <= 20
            assert "framing=([], b'')" in shown
            return
    pytest.fail("\n\n".join(found))


@pytest.mark.parametrize("under_test", [MergesMessages], ids=lambda cls: cls.__name__)
def test_a_machine_that_keeps_the_rules_does_not_see_what_only_broken_streams_show(
    under_test: type[Accumulator],
) -> None:
    keeps_the_rules = machine(under_test, breaks_rules=False)
    run_state_machine_as_test(keeps_the_rules, settings=settings(SEARCH, max_examples=15))


def test_what_is_under_test_has_a_type() -> None:
    under_test: UnderTest = Accumulator()
    assert under_test.message is None


# The model's own parts


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", "nothing"),
        ("  ", "nothing"),
        ("{", {}),
        ('{"a', {}),
        ('{"a":', {}),
        ('{"a": 1', {"a": 1}),
        ('{"a": 1.', {}),
        ('{"a": -', {}),
        ('{"a": 1e', {}),
        ('{"a": tru', {}),
        ('{"a": "b', {}),
        ('{"a": "b"', {"a": "b"}),
        ('{"a": [1, [2', {"a": [1, [2]]}),
        ('{"a": [1, {"b": "\\', {"a": [1, {}]}),
        ('{"a": {"b": null}, "c', {"a": {"b": None}}),
        ('{"a": "]}"', {"a": "]}"}),
    ],
)
def test_the_model_closes_what_is_open(text: str, value: Any) -> None:
    assert partial_value(text, "nothing") == value
    assert may_go_on(text)


@pytest.mark.parametrize("text", ["}", "{]", "[1 2", "{a", '{"a" 1', '{"a": 1} x', "[1,,", "tx", '{"a": "\\x'])
def test_the_model_knows_what_no_json_begins_with(text: str) -> None:
    assert not may_go_on(text)


def test_frames_are_those_of_the_standard() -> None:
    data = b"\xef\xbb\xbf: c\r\nevent: a\r\ndata: 1\r\ndata:2\r\n\r\ndata: 3\n\nevent: lost\n\ndata: un"
    assert sse_frames(data) == ([("a", "1\n2"), (None, "3")], True)


# What it costs not to be used


def test_the_room_is_entered_without_hypothesis() -> None:
    code = "import sys, streamcore.testing; print('hypothesis' in sys.modules); streamcore.testing.check_accumulator"
    code += "; print('hypothesis' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.split() == ["False", "True"]
    with pytest.raises(AttributeError, match="no_such_name"):
        __import__("streamcore.testing").testing.no_such_name  # noqa: B018


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        (b"d", False),
        (b"data", False),
        (b"retr", False),
        (b"datax", True),
        (b"new", True),
        (b"x: y", True),
        (b": z", True),
    ],
)
def test_the_model_and_the_engine_agree_whether_an_event_counts_before_a_line_that_is_cut(
    line: bytes, counts: bool
) -> None:
    start = b'{"type":"message_start","message":{"id":"m","model":"x","role":"assistant","content":[],"usage":{}}}'
    data = b"event: message_start\ndata: " + start + b'\n\nevent: ping\ndata: {"type":"ping"}\n' + line
    found = [event.type for event in drive([data]).events]
    assert found == [event["type"] for event in outcome_in_model(data).events] == ["message_start", *["ping"] * counts]
