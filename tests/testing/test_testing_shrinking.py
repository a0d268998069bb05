"""Failures shrink: whatever is wrong with an accumulator, its author sees a small stream, after few attempts."""

from __future__ import annotations

import copy
import json
import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings

from streamcore import MessageAccumulator, SSEDecoder
from streamcore.testing.model import without_nulls
from streamcore.testing.strategies import WholeStream, broken_streams, whole_streams

if TYPE_CHECKING:
    from collections.abc import Iterable


class Accumulator:
    """An accumulator as someone might write it around ours, with places to plant faults."""

    def __init__(self) -> None:
        self.accumulator = MessageAccumulator()
        self.snapshots: list[tuple[Any, Any]] = []  # each as it was given out, and a copy of what it was then

    def take(self, payload: dict[str, Any]) -> None:
        if payload["type"] == "content_block_delta":
            self.take_delta(payload, payload["delta"])
        else:
            self.accumulator.apply(payload)

    def take_delta(self, payload: dict[str, Any], delta: dict[str, Any]) -> None:
        self.accumulator.apply(payload | {"delta": delta})

    def message(self) -> dict[str, Any]:
        assert self.accumulator.snapshot is not None
        return self.accumulator.snapshot.to_dict()


class DropsTheLastDelta(Accumulator):
    def __init__(self) -> None:
        super().__init__()
        self.held: dict[int, dict[str, Any]] = {}

    def take_delta(self, payload: dict[str, Any], delta: dict[str, Any]) -> None:
        before = self.held.get(payload["index"])
        self.held[payload["index"]] = delta
        if before is not None:
            super().take_delta(payload, before)


class JoinsThinkingIntoText(Accumulator):
    def message(self) -> dict[str, Any]:
        message = super().message()
        texts = [block for block in message["content"] if block["type"] == "text"]
        for block in message["content"]:
            if block["type"] == "thinking" and texts:
                texts[0]["text"] += block["thinking"]
        return message


class ForgetsUsage(Accumulator):
    def take(self, payload: dict[str, Any]) -> None:
        wrong = payload["type"] == "message_delta"
        super().take({key: item for key, item in payload.items() if not wrong or key != "usage"})


class LosesInputAfterAnEscape(Accumulator):
    def __init__(self) -> None:
        super().__init__()
        self.inputs: dict[int, str] = {}

    def take_delta(self, payload: dict[str, Any], delta: dict[str, Any]) -> None:
        if delta["type"] == "input_json_delta":
            text = self.inputs.get(payload["index"], "")
            self.inputs[payload["index"]] = text + delta["partial_json"]
            if "\\" in self.inputs[payload["index"]]:
                return
        super().take_delta(payload, delta)


class SaysAWrongStopReason(Accumulator):
    def message(self) -> dict[str, Any]:
        message = super().message()
        return message | ({"stop_reason": "end_turn"} if message["stop_reason"] == "tool_use" else {})


class LosesABlock(Accumulator):
    def message(self) -> dict[str, Any]:
        message = super().message()
        return message | {"content": message["content"][:1] + message["content"][2:]}


class CountsUTF16(Accumulator):
    def take_delta(self, payload: dict[str, Any], delta: dict[str, Any]) -> None:
        if delta["type"] == "text_delta":
            pairs = sum(character > "\uffff" for character in delta["text"])
            delta = delta | {"text": delta["text"][: len(delta["text"]) - pairs]}
        super().take_delta(payload, delta)


class DropsCitations(Accumulator):
    def take_delta(self, payload: dict[str, Any], delta: dict[str, Any]) -> None:
        if delta["type"] != "citations_delta":
            super().take_delta(payload, delta)


class MergesTexts(Accumulator):
    def message(self) -> dict[str, Any]:
        message = super().message()
        blocks: list[dict[str, Any]] = []
        for block in message["content"]:
            if blocks and blocks[-1]["type"] == block["type"] == "text":
                blocks[-1]["text"] += block["text"]
            else:
                blocks.append(block)
        return message | {"content": blocks}


class ChangesSnapshots(Accumulator):
    def __init__(self) -> None:
        super().__init__()
        self.live: dict[str, Any] = {}

    def take(self, payload: dict[str, Any]) -> None:
        super().take(payload)
        if self.accumulator.snapshot is not None:
            self.live.update(super().message())
            self.snapshots.append((self.live, copy.deepcopy(self.live)))


def is_wrong(cls: type[Accumulator], stream: WholeStream) -> bool:
    accumulator = cls()
    decoder = SSEDecoder()
    for chunk in stream.chunks:
        decoder.receive_data(chunk)
        for event in decoder.events():
            accumulator.take(json.loads(event.data))
    if any(now != then for now, then in accumulator.snapshots):
        return True
    return bool(without_nulls(accumulator.message()) != without_nulls(stream.message.to_dict()))


@given(whole_streams())
def test_the_accumulator_is_right_without_a_fault(stream: WholeStream) -> None:
    assert not is_wrong(Accumulator, stream)


# The most events and blocks that the example may have: two events more than the smallest one, as Hypothesis may stop
# early. What it draws first depends on the constants in our sources, so any change here may change it.
FAULTS: list[tuple[type[Accumulator], int, int]] = [
    (DropsTheLastDelta, 8, 1),
    (JoinsThinkingIntoText, 10, 2),
    (ForgetsUsage, 5, 0),
    (LosesInputAfterAnEscape, 9, 1),
    (SaysAWrongStopReason, 5, 0),
    (LosesABlock, 9, 2),
    (CountsUTF16, 8, 1),
    (DropsCitations, 8, 1),
    (MergesTexts, 9, 2),
    (ChangesSnapshots, 5, 0),
]
OPTIONS = settings(
    max_examples=1000,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.generate, Phase.shrink],
)


@pytest.mark.parametrize(
    ("cls", "events", "blocks"),
    [*FAULTS[:2], *(pytest.param(*fault, marks=pytest.mark.slow) for fault in FAULTS[2:])],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_planted_fault_shrinks_to_a_small_plain_stream(cls: type[Accumulator], events: int, blocks: int) -> None:
    # What one seed finds, and when, is a matter of luck: a test of 100 examples should find each fault in some of five.
    for seed in range(5):
        found: list[bool] = []

        def fails(stream: WholeStream, found: list[bool] = found) -> bool:
            found.append(is_wrong(cls, stream))
            return found[-1]

        stream = find(whole_streams(), fails, settings=OPTIONS, random=random.Random(seed))
        if found.index(True) < 100:
            break
    assert found.index(True) < 100
    assert len(stream.events) <= events
    assert len(stream.message.content) <= blocks
    assert stream.chunks == [stream.data]
    assert b"\r" not in stream.data
    assert len(shown(stream)) <= 20
    assert len(found) - found.index(True) < 400


def shown(stream: object) -> list[str]:
    return repr(stream).splitlines()


# How a stream is shown


def test_a_stream_is_shown_with_one_event_on_a_line() -> None:
    stream = find(whole_streams(), lambda stream: stream.message.content, settings=OPTIONS, random=random.Random(0))
    lines = shown(stream)
    assert lines[0] == "WholeStream("
    assert lines[1].startswith("    message=Message.from_dict({'type': 'message', 'id': 'msg_1'")
    assert lines[2:4] == ["    chunks=[", lines[3]]
    assert "".join(lines[3:-2]).count("b'event: ") == len(stream.events)
    assert eval(" ".join(lines[3:-2])) == (stream.data,)


def test_a_broken_stream_is_shown_with_what_must_come_of_it() -> None:
    stream = find(broken_streams("truncated"), lambda stream: True, settings=OPTIONS, random=random.Random(0))
    lines = shown(stream)
    assert lines[:2] == ["BrokenStream(", "    row='truncated',"]
    assert "    error=<class 'streamcore.errors.IncompleteStreamError'>," in [
        line.replace(".errors._protocol.", ".errors.") for line in lines
    ]
    assert not any("violation" in line or "api_error" in line for line in lines)


@pytest.mark.parametrize("chunks", [[b"x"] * 10_000, [b"x" * 10_000]], ids=["many", "long"])
def test_a_long_stream_is_shown_in_part(chunks: Iterable[bytes]) -> None:
    plain = find(whole_streams(), lambda stream: True, settings=OPTIONS, random=random.Random(0))
    text = repr(WholeStream(message=plain.message, events=[], data=b"", chunks=list(chunks)))
    assert len(text) < 2000
    assert len(text.splitlines()) < 40
