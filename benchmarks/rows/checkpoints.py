"""Checkpoints: their time and size follow the message, and not the bytes that were read.

Each contestant puts an engine away in the last block of a message and takes it up again, from bytes to bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from benchmarks import inputs
from benchmarks.harness import OURS, Contestant, Row, timed
from benchmarks.rows.settings import RowMaker, Settings, doing, doubled_tables
from benchmarks.targets import AtMost, Doubling
from streamcore import MessageEngine

_CHARACTERS = 1_000_000


def _engine_in(frames: list[bytes]) -> MessageEngine:
    """Return an engine that has read a message up to the end of its last block."""
    engine = MessageEngine()
    for frame in frames[:-3]:
        engine.receive_data(frame)
        for _ in engine.events():
            pass
    return engine


def _put_away(engine: MessageEngine, times: int = 1) -> Callable[[], None]:
    def run() -> None:
        for _ in range(times):
            MessageEngine.restore(engine.checkpoint())

    return run


def text(settings: Settings) -> Row:
    """Make the row of a long text, beside writing and reading the message as JSON, which is the least it can cost."""
    characters = settings.size(_CHARACTERS, smoke=1_000)
    engine = _engine_in(inputs.long_text(characters // inputs.DELTA_SIZE).frames)
    message = engine.snapshot
    assert message is not None
    return Row(
        name="checkpoint of a text of 1 MB, and back",
        contestants=[
            Contestant(name=OURS, measure=timed(_put_away(engine))),
            doing("the message as JSON", lambda: json.loads(message.to_json())),
        ],
        targets=[AtMost(4, "the message as JSON")],
        per="checkpoint",
    )


def flat(settings: Settings) -> Row:
    """Make the row that checks that a checkpoint does not depend on how much was read."""
    times = settings.size(100, smoke=2)
    short, long = (
        _engine_in([*text.frames[:-3], *inputs.idle(settings.size(pings, smoke=3)).frames[1:-3], *text.frames[-3:]])
        for text in [inputs.long_text(settings.size(100, smoke=3))]
        for pings in (200, 20_000)
    )
    return Row(
        name="checkpoint after 20,000 pings, and back, beside 200",
        contestants=[
            Contestant(name=OURS, measure=timed(_put_away(long, times)), units=times),
            Contestant(name="200 pings", measure=timed(_put_away(short, times)), units=times),
        ],
        targets=[AtMost(1.1, "200 pings")],
        per="checkpoint",
    )


def doubled(settings: Settings) -> Row:
    """Make the row that checks that time is linear. Copies of megabytes also take time for new pages of memory."""
    engines = {name: _engine_in(stream.frames) for name, stream in doubled_tables(settings).items()}
    return Row(
        name="checkpoint of a tool input to 4 MB, and back",
        contestants=[Contestant(name=name, measure=timed(_put_away(engine))) for name, engine in engines.items()],
        targets=[Doubling(2.5, tuple(engines))],
        per="checkpoint",
        most_rounds=7,
    )


def size(settings: Settings) -> Row:
    characters = settings.size(_CHARACTERS, smoke=10_000)
    engine = _engine_in(inputs.long_text(characters // inputs.DELTA_SIZE).frames)
    (block,) = [block for block in [engine.block_in_progress(0)] if block is not None]
    return Row(
        name="size of a checkpoint of a text of 1 MB",
        contestants=[
            Contestant(name=OURS, measure=lambda: float(len(engine.checkpoint()))),
            Contestant(name="the text", measure=lambda: float(block.length)),
        ],
        targets=[AtMost(1.2, "the text")],
        unit="B",
        per="checkpoint",
        most_rounds=1,
    )


ROWS: dict[str, RowMaker] = {
    "checkpoint": text,
    "checkpoint-flat": flat,
    "checkpoint-doubled": doubled,
    "checkpoint-size": size,
}
