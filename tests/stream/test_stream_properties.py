"""Properties of streams: the same whatever the chunks, the views and the moment of reading; sync as async."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import attrs
from helpers import message_bodies
from hypothesis import given
from hypothesis import strategies as st

from streamcore import IncompleteStreamError, MessageEngine, PartialJSON, StreamCoreError
from streamcore.stream import AsyncMessageStream, MessageStream, derive
from streamcore.testing.strategies import chunkings, mutations
from streamcore.types import (
    CitationEvent,
    ContentBlockDeltaEvent,
    ContentBlockStartEvent,
    InputJsonEvent,
    ParsedContentBlockStopEvent,
    ParsedMessageStopEvent,
    SignatureEvent,
    TextEvent,
    ThinkingEvent,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

BODIES_AND_CHUNKS = message_bodies().flatmap(lambda data: st.tuples(st.just(data), chunkings(data)))
MAYBE_BROKEN = message_bodies().flatmap(lambda data: st.just(data) | mutations(data))
MAYBE_BROKEN_AND_CHUNKS = MAYBE_BROKEN.flatmap(lambda data: st.tuples(st.just(data), chunkings(data)))


def expected_events(data: bytes) -> list[Any]:
    """Everything up to `message_stop` read at once, from one chunk."""
    engine = MessageEngine()
    engine.receive_data(data)
    engine.receive_eof()
    events = []
    for event in engine.events():
        for item in derive(event, engine):
            repr(item)
            events.append(item)
        if event.type == "message_stop":
            break
    return events


@given(BODIES_AND_CHUNKS, st.data())
def test_events_are_the_same_whatever_the_chunks_and_the_moment_of_reading(
    sample: tuple[bytes, list[bytes]], data: st.DataObject
) -> None:
    body, chunks = sample
    expected = expected_events(body)
    events: list[Any] = []
    with MessageStream(chunks) as stream:
        for number, event in enumerate(stream):
            events.append(event)
            if data.draw(st.booleans()):
                repr(events[data.draw(st.integers(0, number))])
    for number in data.draw(st.permutations(range(len(events)))):
        assert events[number] == expected[number]
    assert len(events) == len(expected)


@given(message_bodies())
def test_snapshots_are_what_the_fragments_add_up_to(body: bytes) -> None:
    texts: dict[int, str] = defaultdict(str)
    index = -1
    delta: Any = None
    with MessageStream([body]) as stream:
        events = list(stream)
    for event in events:
        match event:
            case ContentBlockStartEvent(index=index, content_block=block):
                texts[index] = getattr(block, block.type, "") if block.type in ("text", "thinking") else ""
            case ContentBlockDeltaEvent(index=index, delta=delta):
                pass
            case TextEvent(text=piece, snapshot=snapshot) | ThinkingEvent(thinking=piece, snapshot=snapshot):
                texts[index] += piece
                assert snapshot == texts[index]
            case InputJsonEvent(partial_json=piece, snapshot=value):
                texts[index] += piece
                json = PartialJSON(trailing_strings=False)
                json.feed(texts[index])
                assert value == ({} if json.value is None and not json.complete else json.value)
            case CitationEvent(citation=citation, snapshot=citations):
                assert citations[-1] == citation
            case SignatureEvent(signature=signature):
                assert signature == delta.signature
            case ParsedContentBlockStopEvent(index=stopped, content_block=block):
                assert block == stream.get_final_message().content[stopped]
            case ParsedMessageStopEvent(message=message):
                assert message == stream.get_final_message()
            case _:
                pass


@given(BODIES_AND_CHUNKS, st.lists(st.sampled_from(["event", "text", "new event loop", "new text loop"]), max_size=30))
def test_text_and_events_are_views_of_one_stream(sample: tuple[bytes, list[bytes]], reads: list[str]) -> None:
    body, chunks = sample
    expected = expected_events(body)
    with MessageStream(chunks) as stream:
        texts = stream.text_stream
        position = 0
        for read in reads:
            if read == "new text loop":
                texts = stream.text_stream
            elif read == "text":
                piece = next(texts, None)
                while position < len(expected) and not isinstance(expected[position], TextEvent):
                    position += 1
                assert piece == (expected[position].text if position < len(expected) else None)
                position += 1
            else:
                event = next(iter(stream), None)
                assert event == (expected[position] if position < len(expected) else None)
                position += 1
        assert list(stream) == expected[position:]
        (stop,) = (event for event in expected if event.type == "message_stop")
        assert stream.get_final_message() == stop.message


@attrs.frozen
class Read:
    """All that reading a stream gave."""

    events: list[Any]
    error: tuple[Any, ...] | None
    final: Any
    closed: int


def fault(error: StreamCoreError | None) -> tuple[Any, ...] | None:
    if error is None:
        return None
    return type(error), str(error), getattr(error, "snapshot", None)


def read_sync(chunks: Sequence[bytes], stop_after: int) -> Read:
    closed: list[int] = []
    events: list[Any] = []
    error: StreamCoreError | None = None
    stream = MessageStream(chunks, close=lambda: closed.append(1))
    with stream:
        try:
            for event in stream:
                events.append(event)
                if len(events) == stop_after:
                    break
        except StreamCoreError as caught:
            error = caught
    try:
        final: Any = stream.get_final_message()
    except StreamCoreError as caught:
        final = fault(caught)
    return Read(events, fault(error), final, len(closed))


def read_async(chunks: Sequence[bytes], stop_after: int) -> Read:
    closed: list[int] = []
    events: list[Any] = []
    error: StreamCoreError | None = None

    async def source() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    async def close() -> None:
        closed.append(1)

    async def main() -> Read:
        nonlocal error
        async with AsyncMessageStream(source(), close=close) as stream:
            try:
                async for event in stream:
                    events.append(event)
                    if len(events) == stop_after:
                        break
            except StreamCoreError as caught:
                error = caught
        try:
            final: Any = await stream.get_final_message()
        except StreamCoreError as caught:
            final = fault(caught)
        return Read(events, fault(error), final, len(closed))

    return asyncio.run(main())


@given(MAYBE_BROKEN_AND_CHUNKS, st.integers(0, 40))
def test_sync_and_async_are_the_same_and_only_our_errors_come_out(
    sample: tuple[bytes, list[bytes]], stop_after: int
) -> None:
    _, chunks = sample
    read = read_sync(chunks, stop_after)
    assert read == read_async(chunks, stop_after)
    assert read.closed == 1


@given(MAYBE_BROKEN_AND_CHUNKS, st.integers(0, 40))
def test_the_message_is_final_if_and_only_if_it_stopped(sample: tuple[bytes, list[bytes]], stop_after: int) -> None:
    _, chunks = sample
    read = read_sync(chunks, stop_after)
    stopped = [event for event in read.events if isinstance(event, ParsedMessageStopEvent)]
    if stopped and read.error is None:
        assert read.final == stopped[0].message
    elif not stopped:
        assert isinstance(read.final, tuple)
        assert issubclass(read.final[0], StreamCoreError)
        if read.error is None:
            assert read.final[0] is IncompleteStreamError


@given(MAYBE_BROKEN_AND_CHUNKS)
def test_events_before_a_fault_are_delivered(sample: tuple[bytes, list[bytes]]) -> None:
    _, chunks = sample
    engine = MessageEngine()
    events: list[Any] = []
    error: StreamCoreError | None = None
    try:
        for chunk in [*chunks, None]:
            if chunk is None:
                engine.receive_eof()
            else:
                engine.receive_data(chunk)
            for event in engine.events():
                events += [item.to_dict() for item in derive(event, engine)]
    except StreamCoreError as caught:
        error = caught
    read = read_sync(chunks, -1)
    delivered = [event.to_dict() for event in read.events]
    ended = next((number for number, event in enumerate(events) if event["type"] in ("error", "message_stop")), None)
    if ended is not None and events[ended]["type"] == "message_stop":
        assert delivered == events[: ended + 1]  # a stream is over there
        assert read.error is None
    elif ended is not None:
        assert delivered == events[: len(delivered)]  # a stream ends there
        assert read.error is not None
    else:
        assert delivered == events
        assert read.error == fault(error)
