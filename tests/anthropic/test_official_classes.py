"""Objects of wrapped clients are instances of the official classes too, and remain what they were."""

from __future__ import annotations

import copy
import functools
import pickle
import subprocess
import sys
from typing import Any

import anthropic
import anthropic.lib.streaming
import anthropic.types
import anthropic.types.beta
import attrs
import msgspec
import pydantic
import pytest
from helpers import FIXTURES, HELLO, body, example, wire_types
from official_clients import KINDS, set_up
from server import ASK

import streamcore
import streamcore.types
from streamcore import codec
from streamcore.anthropic.classes import official_classes_of, pass_for_official

# What the official package has no class for, or one that is no model.
_WITHOUT = {"CacheMiss", "ErrorEvent", "ErrorObject", "MessageDelta", "PingEvent"}


def test_events_of_every_fixture_are_instances_of_the_official_classes() -> None:
    seen: set[str] = set()
    for setup in set_up(KINDS[0]):
        for path in FIXTURES:
            if "broken" in path.parts:
                continue
            setup.server.reply(setup.kind.reply(path.read_bytes()))
            with setup.client.messages.stream(**ASK) as stream:
                assert isinstance(stream, anthropic.lib.streaming.MessageStream)
                assert isinstance(stream, anthropic.lib.streaming.BetaMessageStream)
                for event in stream:
                    seen.add(event.type)
                    match event:
                        case anthropic.types.RawContentBlockDeltaEvent(
                            delta=anthropic.types.beta.BetaTextDelta(text=text)
                        ):
                            assert text == event.delta.text
                        case anthropic.types.RawContentBlockDeltaEvent():
                            assert not isinstance(event.delta, anthropic.types.TextDelta)
                        case anthropic.types.beta.BetaRawMessageStartEvent():
                            assert isinstance(event.message, anthropic.types.Message)
                            assert isinstance(event.message, anthropic.types.beta.BetaMessage)
                        case anthropic.lib.streaming.TextEvent(text=text):
                            assert event.type == "text"
                message = stream.get_final_message()
            for block in message.content:
                known = not isinstance(block, streamcore.types.UnknownBlock)
                assert isinstance(block, pydantic.BaseModel) == known
            assert isinstance(message, anthropic.types.Message)
            assert isinstance(message.usage, anthropic.types.beta.BetaUsage)
    assert {"content_block_delta", "message_start", "text"} <= seen


def test_which_official_classes_there_are() -> None:
    for cls in wire_types():
        names = {official.__name__ for official in official_classes_of(cls)}
        is_known = cls.__name__ not in _WITHOUT and not cls.__name__.startswith("Unknown")
        assert bool(names) == is_known, cls
    derived = vars(streamcore.types.derived)
    for name in (
        "TextEvent",
        "InputJsonEvent",
        "ParsedMessageStopEvent",
        "ParsedContentBlockStopEvent",
    ):
        assert list(official_classes_of(derived[name]))


def test_instances_of_other_classes_they_are_not() -> None:
    pass_for_official()
    text = streamcore.types.TextBlock(text="a")
    assert isinstance(text, anthropic.types.TextBlock)
    assert isinstance(text, streamcore.types.TextBlock)
    assert not isinstance(text, anthropic.types.ThinkingBlock)
    assert not isinstance(text, streamcore.types.ThinkingBlock)
    assert type(text) is streamcore.types.TextBlock
    assert text.__class__.__name__ == "TextBlock"
    assert text.__class__(text="b") == streamcore.types.TextBlock(text="b")
    assert attrs.evolve(text, text="b") == streamcore.types.TextBlock(text="b")
    assert type(attrs.evolve(text, text="b")) is streamcore.types.TextBlock

    @functools.singledispatch
    def kind(value: object) -> str:
        return "other"

    kind.register(anthropic.types.TextBlock, lambda value: "text")
    assert kind(text) == "text"


def _facts() -> list[Any]:
    """All that can be seen of our objects, but for their `__class__`."""
    facts: list[Any] = []
    for cls in wire_types():
        for full in (True, False):
            value = example(cls, full=full)
            again = pickle.loads(pickle.dumps(value))
            assert again == copy.copy(value) == copy.deepcopy(value) == value
            assert type(again) is type(copy.copy(value)) is type(copy.deepcopy(value)) is cls
            assert value != example(streamcore.types.Usage) or cls is streamcore.types.Usage
            facts += [repr(value), value.to_dict(), codec.converter.unstructure(value), type(value).__name__]
            facts += [hash(value) == hash(copy.copy(value)) if _hashable(value) else None, isinstance(value, cls)]
            facts.append(attrs.asdict(value).keys())
    engine = streamcore.MessageEngine()
    engine.receive_data(body(*HELLO))
    facts += [repr(event) for event in engine.events()]
    facts.append(repr(engine.final_message))
    return facts


def _hashable(value: object) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def test_our_objects_remain_what_they_were() -> None:
    program = f"import sys; sys.path[:0] = {sys.path!r}; import test_official_classes as t; t.compare()"
    subprocess.run([sys.executable, "-c", program], check=True)


def compare() -> None:
    """Compare what can be seen before and after, in a process that has wrapped no client before."""
    assert type(streamcore.types.TextBlock(text="a")) is streamcore.types.TextBlock(text="a").__class__
    before = _facts()
    kept = pickle.dumps([example(cls) for cls in wire_types()])
    pass_for_official()
    pass_for_official()
    assert _facts() == before
    assert [example(cls) for cls in wire_types()] == pickle.loads(kept)
    assert msgspec.json.encode(streamcore.types.TextBlock(text="a").to_dict())


def test_a_wrapped_client_is_what_lets_them_pass() -> None:
    program = """
import anthropic, streamcore, streamcore.anthropic, streamcore.types
text = streamcore.types.TextBlock(text="a")
assert not isinstance(text, anthropic.types.TextBlock)
streamcore.anthropic.wrap(anthropic.Anthropic(api_key="key"))
assert isinstance(text, anthropic.types.TextBlock)
"""
    subprocess.run([sys.executable, "-c", program], check=True)
    with pytest.raises(AttributeError):
        streamcore.types.TextBlock(text="a").nothing  # type: ignore[attr-defined]  # noqa: B018
