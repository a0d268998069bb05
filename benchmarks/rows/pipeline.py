"""The whole pipeline from bytes to events and messages: streams from folders, and generated ones of each shape."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks import inputs, pipelines
from benchmarks.harness import Contestant, Row
from benchmarks.inputs import Stream
from benchmarks.pipelines import Pipeline
from benchmarks.rows.settings import RowMaker, Settings, doing, through
from benchmarks.targets import AtMost, Faster


def _floors(streams: list[Stream]) -> list[Contestant]:
    payloads = [payload for stream in streams for payload in stream.payloads]
    return [
        doing("msgspec", lambda: pipelines.decode_with_msgspec(payloads), units=len(payloads)),
        doing("orjson", lambda: pipelines.decode_with_orjson(payloads), units=len(payloads)),
    ]


def recorded(settings: Settings) -> Row:
    streams = settings.streams
    frames = [stream.frames for stream in streams]
    events = sum(stream.events for stream in streams)
    return Row(
        name=settings.kind,
        contestants=[
            through(pipelines.ENGINE, frames, units=events),
            through(pipelines.OFFICIAL, frames, units=events),
            *_floors(streams),
        ],
        targets=[Faster(20, ("anthropic",)), AtMost(4, "msgspec"), AtMost(4, "orjson")],
    )


def recorded_64k(settings: Settings) -> Row:
    streams = settings.streams
    chunks = [stream.chunks(64 * 1024) for stream in streams]
    events = sum(stream.events for stream in streams)
    return Row(
        name=f"{settings.kind}, 64 KB chunks",
        contestants=[
            through(pipelines.ENGINE, chunks, units=events),
            *_floors(streams),
        ],
        targets=[AtMost(3, "msgspec"), AtMost(3, "orjson")],
    )


def _beside_official(
    name: str, settings: Settings, ours: Pipeline, official: Pipeline, inputs: list[list[bytes]], *targets: Faster
) -> Row:
    events = sum(stream.events for stream in settings.streams)
    return Row(
        name=name,
        contestants=[through(ours, inputs, units=events), through(official, inputs, units=events)],
        targets=list(targets),
    )


def recorded_1400(settings: Settings) -> Row:
    """Make the row for chunks the size of a network packet, which begin and end anywhere. It has no target."""
    chunks = [stream.chunks(1400) for stream in settings.streams]
    name = f"{settings.kind}, 1,400-byte chunks"
    return _beside_official(name, settings, pipelines.ENGINE, pipelines.OFFICIAL, chunks)


def derived(settings: Settings) -> Row:
    frames = [stream.frames for stream in settings.streams]
    name = f"MessageStream on {settings.kind}, derived events"
    target = Faster(12, ("anthropic",))
    return _beside_official(name, settings, pipelines.MESSAGE_STREAM, pipelines.OFFICIAL, frames, target)


def derived_read(settings: Settings) -> Row:
    frames = [stream.frames for stream in settings.streams]
    name = f"MessageStream on {settings.kind}, every snapshot read"
    target = Faster(7, ("anthropic",))
    return _beside_official(name, settings, pipelines.MESSAGE_STREAM_READ, pipelines.OFFICIAL_READ, frames, target)


def _shape(make: Callable[[int], Stream], size: int) -> RowMaker:
    """Make the row for a generated stream with one event per chunk. It has no target."""

    def row(settings: Settings) -> Row:
        stream = make(settings.size(size, smoke=8))
        return Row(
            name=stream.name,
            contestants=[
                through(pipelines.ENGINE, [stream.frames], units=stream.events),
                through(pipelines.OFFICIAL, [stream.frames], units=stream.events),
                *_floors([stream]),
            ],
        )

    return row


ROWS: dict[str, RowMaker] = {
    "recorded": recorded,
    "recorded-64k": recorded_64k,
    "recorded-1400": recorded_1400,
    "derived": derived,
    "derived-read": derived_read,
    "text": _shape(inputs.long_text, 4000),
    "blocks": _shape(inputs.many_blocks, 1000),
    "multibyte": _shape(inputs.multibyte, 4000),
    "pings": _shape(inputs.pings_and_comments, 2000),
    "crlf": _shape(inputs.crlf, 4000),
    "idle": _shape(inputs.idle, 4000),
}
