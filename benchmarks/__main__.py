"""`python -m benchmarks`: one table of times and ratios.

The contestants of a row take turns, round after round, so that a machine that slows down slows all of them; a figure
is the median of its rounds, a ratio the median of the rounds' ratios. `--smoke` runs everything once on little input
and prints no times.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import attrs

from benchmarks import contestants, inputs

Run = Callable[[], object]


@attrs.frozen(kw_only=True)
class Row:
    """One comparison: what streamcore does, the others it is held against, and the work in it."""

    name: str
    ours: Run
    others: dict[str, Run]
    events: int


def rows(streams: list[inputs.Stream], *, scale: int) -> list[Row]:
    payloads = [payload for stream in streams for payload in stream.payloads]
    events = len(payloads)
    tool = inputs.large_tool_input(fragments=64 * scale)
    text = inputs.long_text(deltas=64 * scale)

    def engine(chunks_of: Callable[[inputs.Stream], list[bytes]], of: list[inputs.Stream]) -> Run:
        def run() -> None:
            for stream in of:
                contestants.streamcore_engine(chunks_of(stream))

        return run

    def official(of: list[inputs.Stream]) -> Run:
        def run() -> None:
            for stream in of:
                contestants.official_message_stream(stream.frames)

        return run

    bare: dict[str, Run] = {
        "msgspec, JSON only": lambda: contestants.decode_with_msgspec(payloads),
        "orjson, JSON only": lambda: contestants.decode_with_orjson(payloads),
    }

    def per_event(stream: inputs.Stream) -> list[bytes]:
        return stream.frames

    return [
        Row(
            name="engine, a chunk an event",
            ours=engine(per_event, streams),
            others={"anthropic": official(streams), **bare},
            events=events,
        ),
        Row(
            name="engine, 64 KB chunks",
            ours=engine(lambda stream: stream.chunks(64 * 1024), streams),
            others={"anthropic": official(streams), **bare},
            events=events,
        ),
        Row(
            name=f"text of {64 * scale} deltas",
            ours=engine(per_event, [text]),
            others={"anthropic": official([text])},
            events=len(text.payloads),
        ),
        Row(
            name=f"tool input of {tool.size // 1024} KB",
            ours=engine(per_event, [tool]),
            others={"anthropic": official([tool])},
            events=len(tool.payloads),
        ),
    ]


def measure(row: Row, rounds: int) -> tuple[float, dict[str, tuple[float, float]]]:
    """Seconds of ours, and for each other contestant its seconds and how many times ours it takes."""
    runs = {"": row.ours, **row.others}
    times: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(rounds + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            if number > 0:  # the first round warms up
                times[name].append(time.perf_counter() - start)
    ours = times.pop("")
    return statistics.median(ours), {
        name: (statistics.median(theirs), statistics.median(t / o for t, o in zip(theirs, ours, strict=True)))
        for name, theirs in times.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="run everything once on little input, time nothing")
    parser.add_argument("--captures", type=Path, metavar="DIR", help="a folder of .sse files to use beside fixtures/")
    parser.add_argument("--rounds", type=int, default=7, help="rounds that count (default: 7)")
    options = parser.parse_args()

    folders = [inputs.FIXTURES] + ([options.captures] if options.captures else [])
    streams = [stream for folder in folders for stream in inputs.read_folder(folder)]
    table = rows(streams, scale=1 if options.smoke else 64)
    if options.smoke:
        for row in table:
            for run in (row.ours, *row.others.values()):
                run()
        print(f"{len(table)} benchmarks ran, on {len(streams)} streams")
        return

    packages = ", ".join(f"{name} {version(name)}" for name in ("anthropic", "msgspec", "orjson"))
    print(f"Python {platform.python_version()}, {platform.machine()}, {packages}; {len(streams)} streams\n")
    print(f"{'':34} {'µs an event':>12} {'times ours':>11}")
    for row in table:
        ours, others = measure(row, options.rounds)
        print(f"{row.name:34} {ours / row.events * 1e6:12.2f}")
        for name, (seconds, ratio) in others.items():
            print(f"  {name:32} {seconds / row.events * 1e6:12.2f} {ratio:11.2f}")


if __name__ == "__main__":
    main()
