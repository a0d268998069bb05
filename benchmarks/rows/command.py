"""The cost of `streamcore check` beside that of the engine it runs."""

from __future__ import annotations

import itertools

from benchmarks import inputs, pipelines
from benchmarks.harness import OURS, Row
from benchmarks.rows.settings import RowMaker, Settings, doing
from benchmarks.targets import AtMost
from streamcore.cli.check import check_file
from streamcore.cli.exchanges import Selection

_CHUNK = 64 * 1024


def check(settings: Settings) -> Row:
    deltas = settings.size(250_000, smoke=1_000, full=1_000_000)
    some = inputs.long_text(min(deltas, 10_000))
    start, between, end = some.frames[:2], some.frames[2:-3], some.frames[-3:]
    data = b"".join([*start, *itertools.islice(itertools.cycle(between), deltas), *end])
    path = settings.scratch / "check.sse"
    path.write_bytes(data)
    chunks = inputs.cut(data, _CHUNK)
    del data
    events = deltas + len(start) + len(end)

    def run_check() -> None:
        (report,) = check_file(str(path), Selection(), strict=False)
        assert report.status == "ok"
        assert report.events == events

    return Row(
        name=f"check of {deltas:,} deltas",
        contestants=[
            doing(OURS, run_check, units=events),
            doing("engine alone", lambda: pipelines.engine(chunks), units=events),
        ],
        targets=[AtMost(1.3, "engine alone")],
        most_rounds=7,
    )


ROWS: dict[str, RowMaker] = {"check": check}
