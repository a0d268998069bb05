"""What wrapped clients deliver are instances of the official classes too, and otherwise what our own clients give.

If a test here fails after an update of pydantic or `anthropic`, `streamcore/anthropic/official_classes.py` says how
`isinstance` is made to hold.
"""

from __future__ import annotations

import copy
import functools
import inspect
import itertools
import json
import pickle
import subprocess
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import anthropic
import anthropic.lib.streaming
import anthropic.types
import anthropic.types.beta
import attrs
import httpx2
import pydantic
import pytest
from anthropic.lib import streaming
from helpers import FIXTURES, HELLO, block_start, body, delta, example, start, text, wire_types
from official_clients import KINDS, Setup, set_up
from server import ASK, Cut, json_reply, stream_reply

import streamcore
import streamcore.httpx
import streamcore.types as ours
from streamcore import codec
from streamcore.anthropic.official_classes import lookalike, lookalike_class, official_classes
from streamcore.anthropic.streams import EventDecoder, Parts, message_stream_class
from streamcore.types import WireObject

SYNC, ASYNC = KINDS[:2]

# Ours stand for what the official package has no class for, or several.
WITHOUT = {"CacheMiss", "ErrorEvent", "ErrorObject", "PingEvent"}


@pytest.fixture
def setup() -> Iterator[Setup]:
    yield from set_up(SYNC)


def lookalikes() -> Iterator[tuple[Any, Any]]:
    """Yield an object of each class of ours, with few and with all fields, and what it is cast to."""
    for cls in (*wire_types(), *DERIVED):
        for full in (True, False):
            plain: Any = example(cls, full=full)
            yield plain, lookalike(plain)


DERIVED = [
    cls
    for name, cls in vars(ours.derived).items()
    if isinstance(cls, type) and name in ours.derived.__all__ and cls not in wire_types()
]


def test_which_official_classes_there_are() -> None:
    table = official_classes()
    for cls in wire_types():
        is_known = cls.__name__ not in WITHOUT and not cls.__name__.startswith("Unknown")
        assert (cls in table) == is_known, cls
    names = {cls.__name__: {model.__name__ for model in models} for cls, models in table.items()}
    assert names["Message"] == {"ParsedMessage", "ParsedBetaMessage"}
    assert names["TextBlock"] == {"ParsedTextBlock", "ParsedBetaTextBlock"}
    assert names["ContentBlockDeltaEvent"] == {"RawContentBlockDeltaEvent", "BetaRawContentBlockDeltaEvent"}
    assert names["ContentBlockStopEvent"] == {"RawContentBlockStopEvent", "BetaRawContentBlockStopEvent"}
    assert {"ParsedContentBlockStopEvent", "ContentBlockStopEvent"} <= names["ParsedContentBlockStopEvent"]
    assert names["TextEvent"] == {"TextEvent", "ParsedBetaTextEvent"}
    assert names["CompactionEvent"] == {"BetaCompactionEvent"}
    assert "Delta" in names["MessageDelta"]


def test_an_object_is_an_instance_of_both_and_behaves_as_ours() -> None:
    for plain, made in lookalikes():
        cls, models = type(plain), official_classes().get(type(plain), ())
        if not models:
            assert made is plain
            continue
        assert isinstance(made, cls)
        assert all(isinstance(made, model) for model in models), (cls, "isinstance no longer asks for __class__")
        assert not isinstance(plain, pydantic.BaseModel)
        assert not isinstance(made, anthropic.types.ModelInfo)
        assert type(made) is not cls
        assert made == plain == made == lookalike(plain)
        assert plain == made
        assert repr(made) == repr(plain)
        assert {made} == {plain} if hashable(plain) else not hashable(made)
        assert made.to_dict() == plain.to_dict() == made.model_dump() == codec.converter.unstructure(made)
        assert (made.to_param(), made.to_json()) == (plain.to_param(), plain.to_json())
        assert lookalike(made) is made
        known = attrs.evolve(made)
        unknown = made.model_copy(update={"unknown": 1})
        assert unknown.extra["unknown"] == 1
        assert unknown == plain.model_copy(update={"unknown": 1}) != made
        for value in (known, unknown):
            for again in (
                pickle.loads(pickle.dumps(value)),
                copy.copy(value),
                copy.deepcopy(value),
                value.model_copy(),
            ):
                assert type(again) is type(value)
                assert again == value
                assert isinstance(again, (cls, models[0]))
        assert attrs.asdict(made).keys() == attrs.asdict(plain).keys()
        assert cls.from_dict(made.to_dict()) == made
        assert cls.model_validate(made) is made


def hashable(value: object) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def test_they_differ_from_other_objects() -> None:
    block: Any = lookalike(ours.TextBlock(text="a"))
    assert block != lookalike(ours.TextBlock(text="b"))
    assert block != lookalike(ours.ThinkingBlock(thinking="a", signature="b"))
    assert block != "a"
    assert block != anthropic.types.TextBlock(type="text", text="a")
    assert anthropic.types.TextBlock(type="text", text="a") != block
    assert not isinstance(block, (anthropic.types.ThinkingBlock, ours.ThinkingBlock))
    # A part that did not arrive equals one with the same fields, also one that is cast.
    assert ours.base.absent(ours.Usage) == lookalike(ours.Usage()) == ours.base.absent(ours.Usage)
    with pytest.raises(AttributeError):
        block.text = "b"


def test_classes_by_which_programs_go() -> None:
    block: Any = lookalike(ours.TextBlock(text="a"))
    cls: Any = block.__class__
    assert (cls.__name__, type(block).__name__) == (official_classes()[ours.TextBlock][0].__name__, "TextBlock")
    assert type(cls(text="b")) is type(attrs.evolve(block, text="b")) is type(block)
    assert isinstance(cls.model_validate({"type": "text", "text": "c"}), anthropic.types.TextBlock)
    assert lookalike(ours.MessageStopEvent()).__class__() == ours.MessageStopEvent()
    assert lookalike_class(ours.PingEvent) is None

    @functools.singledispatch
    def kind(value: object) -> str:
        return "other"

    kind.register(anthropic.types.TextBlock, lambda value: "text")
    assert kind(block) == "text"


def test_pydantic_and_official_models_take_them_for_models() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for plain, made in lookalikes():
            if isinstance(plain, (ours.ParsedMessageStopEvent, ours.ErrorEvent)):
                continue
            for model in official_classes().get(type(plain), ()):
                adapter: Any = pydantic.TypeAdapter(model)
                assert adapter.validate_python(made) is made
                if "Unknown" not in repr(plain) and "CacheMiss" not in repr(plain):
                    # Without warnings, as some strings of the examples are not among the literals of the models.
                    options: Any = {"by_alias": True, "exclude_unset": True, "warnings": False}
                    assert adapter.dump_python(made, mode="json", **options) == plain.to_dict()
                    assert json.loads(adapter.dump_json(made, **options)) == plain.to_dict()
        block: Any = lookalike(ours.TextBlock(text="a", citations=[]))
        message = anthropic.types.Message(
            id="m",
            type="message",
            role="assistant",
            model="c",
            content=[block],
            usage=lookalike(ours.Usage(input_tokens=1, output_tokens=2)),  # type: ignore[arg-type]
        )
        first: Any = message.content[0]
        assert first is block
        assert message.to_dict()["content"] == [{"type": "text", "text": "a", "citations": []}]
        assert json.loads(message.model_dump_json())["usage"]["output_tokens"] == 2
        assert json.loads(pydantic.TypeAdapter(Any).dump_json({"block": block})) == {"block": block.to_dict()}
        assert json.loads(pydantic.TypeAdapter(ours.TextBlock).dump_json(block)) == block.to_dict()

        class Chat(pydantic.BaseModel):
            last: anthropic.types.TextBlock

        last: Any = Chat(last=block).last
        assert last is block
        assert Chat(last=block).model_dump(exclude_unset=True) == {"last": block.to_dict()}


def test_streams_of_wrapped_clients_deliver_only_lookalikes(setup: Setup) -> None:
    """Compare with our own client, and look at everything that is inside."""
    seen = set()
    with streamcore.httpx.Anthropic(api_key="key", base_url=setup.server.url, max_retries=0) as plain:
        for path in FIXTURES:
            if "broken" in path.parts:
                continue
            data = path.read_bytes()
            setup.server.reply(*[stream_reply(data)] * 4)
            with setup.client.messages.stream(**ASK) as stream, plain.messages.stream(**ASK) as expected:
                for event, other in zip(stream, expected, strict=True):
                    assert event == other
                    assert type(other).__module__.startswith("streamcore.types")
                    check(event)
                    seen.add(event.type)
                    snapshot = stream.current_message_snapshot
                    assert snapshot == expected.current_message_snapshot
                    check(snapshot)
                final = stream.get_final_message()
                assert final == expected.get_final_message()
                check(final)
                assert all(one is two for one, two in zip(final.content, snapshot.content, strict=True))
            events = setup.client.messages.create(**ASK, stream=True)
            for event, other in zip(events, plain.messages.create(**ASK, stream=True), strict=True):
                assert event == other
                check(event)
    assert {"content_block_delta", "message_start", "text", "thinking", "citation", "input_json", "signature"} <= seen


def check(value: Any) -> None:
    """Check that an object of ours, and everything inside, is an instance of the official classes."""
    if isinstance(value, list):
        for item in value:
            check(item)
    elif isinstance(value, WireObject):
        official = official_classes().get(type(value).__mro__[1])
        if official is None:  # ours stays as it is: nothing is inside that has an official class, or nothing came
            assert (
                type(value).__name__ in WITHOUT
                or ours.base.is_absent(value)
                or isinstance(value, ours.Unknown)
                or value.extra
            )
        else:
            assert all(isinstance(value, model) for model in official)
        for field in attrs.fields(type(value)):
            check(getattr(value, field.name))


def test_habits_of_programs(setup: Setup) -> None:
    setup.server.reply(*[stream_reply(body(*HELLO))] * 2)
    found = []
    for event in setup.client.beta.messages.create(**ASK, stream=True):
        match event:
            case anthropic.types.beta.BetaRawMessageStartEvent(message=anthropic.types.beta.BetaMessage(id=id_)):
                found.append(id_)
            case anthropic.types.RawContentBlockDeltaEvent(delta=anthropic.types.beta.BetaTextDelta(text=text)):
                found.append(text)
            case ours.MessageDeltaEvent(delta=anthropic.types.beta.beta_raw_message_delta_event.Delta() as delta):
                found.append(delta.stop_reason)
    assert found == [HELLO[0]["message"]["id"], "Hel", "lo", "end_turn"]
    with setup.client.messages.stream(**ASK) as stream:
        assert "".join(event.text for event in stream if isinstance(event, streaming.TextEvent)) == "Hello"


def test_unknown_fields_of_a_delta_survive() -> None:
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "a", "new": 1}}
    data = body(start(), block_start(0), delta, text(0, "b"))
    decoder = EventDecoder()
    decoder.receive_data(data)
    third = list(decoder.events())[2]
    assert third.delta.extra == {"new": 1}
    assert third.delta.new == 1
    assert isinstance(third.delta, anthropic.types.TextDelta)
    stream = iter(message_stream_class(streamcore.MessageStream)([data]))
    assert next(event for event in stream if event.type == "content_block_delta") == third


def test_classes_of_streams_and_resources(setup: Setup) -> None:
    client = setup.client
    setup.server.reply(*[stream_reply(body(*HELLO))] * 2)
    manager = client.messages.stream(**ASK)
    assert isinstance(manager, (streaming.MessageStreamManager, streamcore.MessageStreamManager))
    with manager as stream:
        for cls in (streaming.MessageStream, streaming.BetaMessageStream, streamcore.MessageStream):
            assert isinstance(stream, cls)
    with client.messages.create(**ASK, stream=True) as events:
        assert isinstance(events, anthropic.Stream)
        assert isinstance(events, streamcore.Stream)
    assert isinstance(client.messages, anthropic.resources.messages.Messages)
    assert isinstance(client.beta.messages, anthropic.resources.beta.messages.Messages)
    with anthropic.Anthropic(api_key="key") as official:
        signature = inspect.signature(official.messages.create)
    assert inspect.signature(client.messages.create).parameters == signature.parameters


def test_classes_of_async_streams() -> None:
    from streamcore.anthropic.streams import AsyncMessageStreamManager, AsyncStream

    cls = message_stream_class(streamcore.AsyncMessageStream)
    assert issubclass(cls, streamcore.AsyncMessageStream)

    async def nothing() -> Any:
        yield b""

    stream = cls(nothing())
    assert isinstance(stream, streaming.AsyncMessageStream)
    assert isinstance(stream, streaming.BetaAsyncMessageStream)
    events = AsyncStream(nothing(), decoder=EventDecoder())
    assert isinstance(events, anthropic.AsyncStream)
    assert isinstance(AsyncMessageStreamManager(nothing), streaming.AsyncMessageStreamManager)


def test_handlers_get_lookalikes(setup: Setup) -> None:
    got: list[Any] = []

    class Handling(streamcore.MessageStream):
        def on_stream_event(self, event: Any) -> None:
            got.append(event)

        def on_content_block(self, content_block: Any) -> None:
            got.append(content_block)

        def on_message(self, message: Any) -> None:
            got.append(message)

    setup.server.reply(stream_reply(body(*HELLO)), stream_reply(body(*HELLO[:3]), Cut()))
    with setup.client.messages.stream(**ASK, event_handler=Handling) as stream:
        assert isinstance(stream, Handling)
        stream.until_done()
    assert isinstance(got[0], anthropic.types.RawMessageStartEvent)
    assert sum(isinstance(item, anthropic.types.TextBlock) for item in got) == 1
    assert isinstance(got[-1], anthropic.types.Message)
    with pytest.raises(anthropic.APIError) as caught, setup.client.messages.stream(**ASK) as stream:
        stream.until_done()
    check(caught.value.snapshot)  # type: ignore[attr-defined]  # it is an error of ours too
    assert isinstance(caught.value.snapshot.content[0], anthropic.types.TextBlock)  # type: ignore[attr-defined]


def test_they_are_sent_back_by_wrapped_and_by_official_clients(setup: Setup) -> None:
    setup.server.reply(stream_reply(body(*HELLO)), *[json_reply({"input_tokens": 1})] * 2)
    with setup.client.messages.stream(**ASK) as stream:
        message = stream.get_final_message()
    turns = [*ASK["messages"], {"role": "assistant", "content": message.content}]
    expected = [*ASK["messages"], {"role": "assistant", "content": [{"type": "text", "text": "Hello"}]}]
    for client in (setup.client, setup.client.__wrapped__):
        client.messages.count_tokens(model="m", messages=turns)
        assert setup.server.requests[-1].json()["messages"] == expected


def test_a_snapshot_casts_only_what_has_changed() -> None:
    blocks = [ours.TextBlock(text=str(number)) for number in range(20)]
    parts, casts = Parts(), []
    for number in range(1, 20):
        message = ours.Message(id="m", model="c", content=[*blocks[:number]], usage=ours.Usage(input_tokens=1))
        made = parts.lookalike(message)
        assert made == message
        casts.append(made.content)
        assert len(parts._made) <= 4  # the message, its usage, and two blocks
    for fewer, more in itertools.pairwise(casts):
        assert all(one is two for one, two in zip(fewer, more, strict=False))


def test_snapshots_of_growing_lists_take_linear_time_and_memory() -> None:
    """Count casts instead of seconds: with a snapshot at each event, each citation is cast a few times at most."""
    known = {"type": "char_location", "cited_text": "a", "document_index": 0, "document_title": None}
    citations = [
        delta(0, "citations_delta", citation=known | {"start_char_index": number, "end_char_index": number + 1})
        for number in range(200)
    ]
    stream = message_stream_class(streamcore.MessageStream)([body(*HELLO[:2], *citations, *HELLO[4:])])
    casts = []
    with pytest.MonkeyPatch.context() as patch:
        part = Parts._part

        def counting(self: Parts, value: Any) -> Any:
            casts.append(value)
            return part(self, value)

        patch.setattr(Parts, "_part", counting)
        for event in stream:
            if event.type == "citation":
                assert event.snapshot[-1] is event.citation
                assert stream.current_message_snapshot.content[0].citations == event.snapshot
    assert len(casts) < 200 * 40
    assert len(stream.current_message_snapshot.content[0].citations) == 200
    assert len(stream._parts._made) < 20
    assert not any(type(value).__name__ == "CitationEvent" for value, _ in stream._parts._made.values())


def test_a_list_that_changes_in_the_middle_is_cast_anew() -> None:
    parts = Parts()
    blocks: list[Any] = [ours.TextBlock(text=str(number)) for number in range(4)]
    for content in (blocks, blocks[:2], [blocks[0], blocks[2], blocks[3]], blocks[:1], blocks, []):
        message = ours.Message(id="m", model="c", content=content, usage=ours.Usage())
        made = parts.lookalike(message)
        assert made == message
        check(made)


def test_models_write_unions_of_them_as_those_of_official_objects() -> None:
    block: Any = ours.TextBlock(text="a")
    message = lookalike(ours.Message(id="m", model="c", content=[block], usage=ours.Usage(input_tokens=1)))
    start_event = lookalike(ours.MessageStartEvent(message=message))
    thought = lookalike(ours.ContentBlockDeltaEvent(index=0, delta=ours.ThinkingDelta(thinking="a")))
    types, beta = anthropic.types, anthropic.types.beta
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        unions: list[tuple[Any, Any]] = [
            (types.Message, types.RawMessageStreamEvent),
            (beta.BetaMessage, beta.BetaRawMessageStreamEvent),
        ]
        for cls, event_union in unions:
            adapter: Any = pydantic.TypeAdapter(cls)
            official: Any = cls.construct(**message.to_dict())
            for options in ({}, {"exclude_unset": True}, {"exclude_none": True}, {"exclude_defaults": True}):
                assert adapter.dump_python(message, **options) == official.model_dump(**options)
            events: Any = pydantic.TypeAdapter(event_union)
            for event in (start_event, thought):
                assert events.dump_python(event, exclude_unset=True) == event.to_dict()


@pytest.mark.slow  # it starts processes
def test_nothing_else_in_the_process_changes() -> None:
    program = """
import anthropic, pickle, sys, streamcore, streamcore.anthropic, streamcore.types
streamcore.anthropic.wrap(anthropic.Anthropic(api_key="key"))
text = streamcore.types.TextBlock(text="a")
assert text.__class__ is type(text) is streamcore.types.TextBlock
assert not isinstance(text, anthropic.types.TextBlock)
from streamcore.anthropic.official_classes import lookalike
sys.stdout.buffer.write(pickle.dumps(lookalike(text)))
"""
    written = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True).stdout
    loading = f"""
import sys, pickle
sys.modules["anthropic"] = None  # as if it were not installed
import streamcore.types
text = pickle.loads({written!r})
assert type(text) is streamcore.types.TextBlock and text.text == "a"
"""
    subprocess.run([sys.executable, "-c", loading], check=True)
    assert isinstance(pickle.loads(written), anthropic.types.TextBlock)


def test_what_the_trick_relies_on() -> None:
    """If one of these fails, so does most of the above. These say why."""

    class Model(pydantic.BaseModel):
        text: str

    class Plain:
        __class__ = property(lambda self: Model)

    assert isinstance(Plain(), Model), "pydantic no longer looks at __class__"
    assert Model.__instancecheck__(Plain())
    assert isinstance(Plain(), pydantic.BaseModel)
    assert httpx2.Response(200).status_code == 200
