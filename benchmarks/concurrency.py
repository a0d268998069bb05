"""`python -m benchmarks.concurrency`: measure many streams at once in one process, against a server in another.

Each cell of the table is one library with one number of streams. It runs in a client process of its own with a server
of its own, and is given up after a time limit.
"""

from __future__ import annotations

import argparse
import json
import resource
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.concurrency_client import CONTESTANTS, ONE_CHUNK, PACE, PACE_IN_FLOOD

ROOT = Path(__file__).parent.parent
TABLE = Path(__file__).with_name("CONCURRENCY.md")
STREAMS = (1, 100, 1000, 3000, 10_000)
_SPARE_FILES = 100
_FLOOD = 10_000_000
_FLOODED = 50

_PAGE = """\
# Many streams at once

Written by `{command}`. The client is one process on one core, the server another.

{machine}
{versions}

| streams | library | events a second | first text, ms p50 / p99 | added latency, ms p50 / p99 | memory per stream, KB |
| ---: | --- | ---: | ---: | ---: | ---: |
{cells}

- *Events a second*: all streams receive as fast as they can.
- *First text*: from the call to the first text of the answer, while ten streams are being opened at a time.
- *Added latency*: from sending an event to having its text, at {pace} events a second in all (50 for one stream).
- *Memory*: how much the resident memory of the process grows when all streams are open and waiting.
- *Bare sockets*: asyncio and a regular expression, as a measure of the machine itself.
- A dash: not finished in {bound} seconds. The pools of httpx and httpx2 look at all their connections for each request,
  so the time to open streams grows with the square of their number.

Each row is one run on a machine that had other work to do. Between runs, figures of a row have differed by a factor of
three, and one latency (anthropic, 100 streams) by twenty. Compare orders of magnitude. Memory is steady.

## A burst does not hold up other streams

One of {flooded} streams receives 10 MB at once while the others together get {few} events a second. A *turn* is the CPU
time that passes until another task can run. An async stream lets other tasks run after a bounded amount of work
(`WORK_PER_TURN` and `SLICE_SIZE` in `streamcore/stream/_pump.py`), whatever library brings the bytes.

| burst | turn, ms p99 / longest | latency of the others, ms p50 / p99 |
| --- | ---: | ---: |
{floods}
"""


@contextmanager
def _server() -> Iterator[str]:
    """Run a server in another process, and give its address."""
    command = [sys.executable, "-m", "benchmarks.concurrency_server"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def run(contestant: str, streams: int, *options: str, limit: float) -> dict[str, Any] | None:
    """Measure one cell. Return None if it takes more than `limit` seconds."""
    with _server() as url:
        command = [sys.executable, "-m", "benchmarks.concurrency_client", contestant, str(streams), url, *options]
        try:
            done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, timeout=limit, check=True)
        except subprocess.TimeoutExpired:
            return None
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def _milliseconds(values: dict[str, float], first: str = "p50", second: str = "p99") -> str:
    return f"{values[first] * 1e3:.2f} / {values[second] * 1e3:.2f}"


def _cell(contestant: str, streams: int, *, limit: float) -> str:
    measured = run(contestant, streams, limit=limit)
    if measured is None:
        figures = ["–"] * 4
    else:
        figures = [
            f"{measured['events a second']:,.0f}",
            _milliseconds(measured["first text"]),
            _milliseconds(measured["latency"]),
            f"{measured['memory'] / 1024:.0f}" if streams >= 100 else "",
        ]
    return f"| {streams:,} | {contestant} | {' | '.join(figures)} |"


def _flood(contestant: str, *, limit: float) -> str:
    name = "`AsyncMessageStream` over one chunk of 10 MB" if contestant == ONE_CHUNK else contestant
    measured = run(contestant, _FLOODED, "--flood", str(_FLOOD), limit=limit)
    if measured is None:
        return f"| {name} | – | – |"
    flood = measured["flood"]
    latency = _milliseconds(flood["latency"]) if "latency" in flood else ""
    return f"| {name} | {_milliseconds(flood['turns'], 'p99', 'max')} | {latency} |"


def _lines(cells: Iterator[str]) -> str:
    lines = []
    for line in cells:
        print(line, flush=True)
        lines.append(line)
    return "\n".join(lines)


def measure(counts: list[int], contestants: list[str], *, limit: float) -> str:
    """Measure all cells, print them on the way, and return the page with both tables."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    cells = (
        _cell(contestant, count, limit=limit)
        if count + _SPARE_FILES <= most
        else f"| {count:,} | {contestant} | not run: only {most:,} open files are allowed | | | |"
        for count in counts
        for contestant in contestants
    )
    flooded = [name for name in contestants if name != "bare sockets"]
    versions = report.versions()
    return _PAGE.format(
        command=shlex.join(["python", "-m", "benchmarks.concurrency", *sys.argv[1:]]),
        machine=report.machine(),
        versions=", ".join(f"{name} {versions[name]}" for name in ("streamcore", "aiohttp", "anthropic", "httpx2")),
        cells=_lines(cells),
        floods=_lines(_flood(name, limit=2 * limit) for name in [*flooded, ONE_CHUNK]),
        pace=f"{PACE:,}",
        few=PACE_IN_FLOOD,
        bound=f"{limit:.0f}",
        flooded=_FLOODED,
    )


def smoke() -> None:
    """Run everything once with few streams and little data."""
    for contestant in CONTESTANTS:
        assert run(contestant, 3, "--texts", "60", "--seconds", "0.1", limit=60) is not None
    for contestant in ("streamcore.aiohttp", ONE_CHUNK):
        assert run(contestant, 3, "--flood", "100000", "--seconds", "0.1", limit=60) is not None
    print("concurrent streams ran")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.concurrency", description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="run everything once with a few streams, time nothing")
    parser.add_argument("--streams", type=int, nargs="+", default=list(STREAMS), metavar="N", help="how many at once")
    parser.add_argument("--only", nargs="+", choices=CONTESTANTS, default=list(CONTESTANTS), help="these libraries")
    parser.add_argument("--limit", type=float, default=60, help="how many seconds a cell may take (default: 60)")
    parser.add_argument("--write", action="store_true", help=f"write the tables to benchmarks/{TABLE.name}")
    options = parser.parse_args()
    if options.smoke:
        smoke()
        return
    page = measure(options.streams, options.only, limit=options.limit)
    if options.write:
        TABLE.write_text(page)


if __name__ == "__main__":
    main()
