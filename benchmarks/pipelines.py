"""Pipelines from the bytes of a Messages stream to a message: ours, the official package, and bare JSON decoding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import attrs
import httpx2
import msgspec
import orjson
from anthropic import NOT_GIVEN, Anthropic, Stream
from anthropic.lib.streaming import BetaMessageStream
from anthropic.types.beta import BetaRawMessageStreamEvent

from streamcore import MessageEngine, MessageStream

_client = Anthropic(api_key="none")
_decode = msgspec.json.Decoder().decode

# The derived events that carry a snapshot, in both packages.
_WITH_SNAPSHOT = frozenset(("text", "thinking", "citation", "input_json"))


@attrs.frozen
class Pipeline:
    """A way to read a stream.

    Attributes:
        run: Reads the chunks of a stream.
        result: Turns what `run` returned into something that compares with the result of other pipelines.
    """

    name: str
    run: Callable[[list[bytes]], Any]
    result: Callable[[Any], object]


# Ours


def engine(chunks: list[bytes]) -> MessageEngine:
    """Read all events, but never the message."""
    engine = MessageEngine()
    receive_data = engine.receive_data
    events = engine.events
    for chunk in chunks:
        receive_data(chunk)
        for _ in events():
            pass
    engine.receive_eof()
    for _ in events():
        pass
    return engine


def engine_reading_at_stop(chunks: list[bytes]) -> MessageEngine:
    """Read the input of each tool use when its block stops."""
    engine = MessageEngine()
    for chunk in chunks:
        engine.receive_data(chunk)
        for event in engine.events():
            if event.type == "content_block_stop":
                snapshot = engine.snapshot
                assert snapshot is not None
                _ = snapshot.content[event.index].input  # type: ignore[union-attr]  # all blocks are tool uses
    return engine


def engine_reading(field: str) -> Callable[[list[bytes]], MessageEngine]:
    """Make a pipeline that reads this field of the last block after every event."""

    def run(chunks: list[bytes]) -> MessageEngine:
        engine = MessageEngine()
        receive_data = engine.receive_data
        events = engine.events
        for chunk in chunks:
            receive_data(chunk)
            for _ in events():
                snapshot = engine.snapshot
                if snapshot is not None and snapshot.content:
                    getattr(snapshot.content[-1], field)
        return engine

    return run


def message_stream(chunks: list[bytes]) -> MessageStream:
    """Read all events and derived events, but no snapshot."""
    stream = MessageStream(chunks)
    for _ in stream:
        pass
    return stream


# The official package. It always accumulates, and parses a tool's input at every fragment. Each stream needs a response
# of httpx2, which costs about a microsecond per event if the stream is short. It drops pings, does not check the order
# of events and has no limits.


class _Body(httpx2.SyncByteStream):
    def __init__(self, chunks: list[bytes]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)


def response(chunks: list[bytes]) -> httpx2.Response:
    return httpx2.Response(
        200,
        headers={"content-type": "text/event-stream"},
        stream=_Body(chunks),
        request=httpx2.Request("POST", "http://localhost"),
    )


def _official_stream(chunks: list[bytes]) -> BetaMessageStream[Any]:
    raw: Stream[BetaRawMessageStreamEvent] = Stream(
        cast_to=BetaRawMessageStreamEvent,  # type: ignore[arg-type]  # a union, as the package itself passes it
        response=response(chunks),
        client=_client,
    )
    return BetaMessageStream(raw, output_format=NOT_GIVEN)


def official(chunks: list[bytes]) -> BetaMessageStream[Any]:
    stream = _official_stream(chunks)
    for _ in stream:
        pass
    return stream


# Both, with every snapshot read


def _read_all(stream: Any) -> None:
    for event in stream:
        if event.type in _WITH_SNAPSHOT:
            _ = event.snapshot
        content = stream.current_message_snapshot.content
        if content:
            _ = content[-1]


def message_stream_read(chunks: list[bytes]) -> MessageStream:
    """Read the snapshot of each derived event, and the message after each event."""
    stream = MessageStream(chunks)
    _read_all(stream)
    return stream


def official_read(chunks: list[bytes]) -> BetaMessageStream[Any]:
    stream = _official_stream(chunks)
    _read_all(stream)
    return stream


# The parts of a message that both packages know in full, to compare them


def comparable(message: dict[str, Any]) -> object:
    names = ("type", "text", "thinking", "signature", "name", "input", "content")
    content = [{name: block[name] for name in names if block.get(name)} for block in message["content"]]
    return message["id"], message["model"], message["stop_reason"], message["usage"]["output_tokens"], content


def _our_message(engine_or_stream: Any) -> object:
    if isinstance(engine_or_stream, MessageEngine):
        return comparable(engine_or_stream.final_message.to_dict())
    return comparable(engine_or_stream.get_final_message().to_dict())


def _official_message(stream: BetaMessageStream[Any]) -> object:
    return comparable(stream.get_final_message().to_dict(mode="json", warnings=False))


ENGINE = Pipeline("streamcore", engine, _our_message)
ENGINE_AT_STOP = Pipeline("streamcore", engine_reading_at_stop, _our_message)
ENGINE_TEXT = Pipeline("streamcore", engine_reading("text"), _our_message)
ENGINE_INPUT = Pipeline("streamcore", engine_reading("input"), _our_message)
MESSAGE_STREAM = Pipeline("streamcore", message_stream, _our_message)
MESSAGE_STREAM_READ = Pipeline("streamcore", message_stream_read, _our_message)
OFFICIAL = Pipeline("anthropic", official, _official_message)
OFFICIAL_READ = Pipeline("anthropic", official_read, _official_message)


# The lower bound: decode the JSON of the events and nothing else. No framing, no types, no message.


def decode_with_msgspec(payloads: list[bytes]) -> None:
    for payload in payloads:
        _decode(payload)


def decode_with_orjson(payloads: list[bytes]) -> None:
    for payload in payloads:
        orjson.loads(payload)
