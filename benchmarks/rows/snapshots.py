"""The cost of reading the message, and that the length of a message costs nothing if it is not read."""

from __future__ import annotations

from benchmarks import inputs, json_peers, pipelines
from benchmarks.harness import Row
from benchmarks.rows.settings import RowMaker, Settings, doing, through
from benchmarks.targets import AtMost


def text_read(settings: Settings) -> Row:
    """Make the row that reads the text so far after every event, beside copying it, which is the least it can cost."""
    deltas = settings.size(20_000, smoke=50)
    stream = inputs.long_text(deltas)
    pieces = inputs.fragments_of(inputs.text_of(deltas * inputs.DELTA_SIZE))
    return Row(
        name=f"text of {deltas:,} deltas, read after each",
        contestants=[
            through(pipelines.ENGINE_TEXT, [stream.frames], units=stream.events),
            doing("copying the text", lambda: json_peers.copy_text(pieces), units=stream.events),
        ],
        targets=[AtMost(2, "copying the text")],
        most_rounds=7,
    )


def text_flat(settings: Settings) -> Row:
    """Make the row that checks that the cost of an event does not depend on how many came before it."""
    short = inputs.long_text(settings.size(2_000, smoke=20))
    long = inputs.long_text(settings.size(200_000, smoke=200))
    # The short stream is read several times, so that both contestants read equally many events.
    times = long.events // short.events
    return Row(
        name="text of 200,000 deltas, beside 2,000",
        contestants=[
            through(pipelines.ENGINE, [long.frames], units=long.events),
            through(pipelines.ENGINE, [short.frames] * times, units=short.events * times, name="2,000 deltas"),
        ],
        targets=[AtMost(1.1, "2,000 deltas")],
        most_rounds=7,
    )


ROWS: dict[str, RowMaker] = {"text-read": text_read, "text-flat": text_flat}
