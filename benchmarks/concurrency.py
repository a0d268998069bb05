"""`python -m benchmarks.concurrency`: many streams at once in one process, against a server in another.

A cell of the table is one library with so many streams, in a process of its own with a server of its own. It is bounded
in time; what a library does not get done, it cannot do. `--smoke` runs all of it once, with a few streams, and times
nothing.
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

ROOT = Path(__file__).parent.parent
TABLE = Path(__file__).with_name("CONCURRENCY.md")
CONTESTANTS = {
    "aiohttp": "streamcore.aiohttp",
    "httpx2": "streamcore.httpx",
    "anthropic": "anthropic",
    "bare": "bare sockets, nothing parsed",
}
STREAMS = (1, 100, 1000, 3000, 10_000)
_SPARE_FILES = 100
_FLOOD = 10_000_000
_FLOODED = 50

_TEXT = """\
# Many streams at once

Written by `{command}`. The client is one process on one core, the server another.

{machine}
{versions}

| streams | library | events a second | first text, ms p50 / p99 | added latency, ms p50 / p99 | memory per stream, KB |
| ---: | --- | ---: | ---: | ---: | ---: |
{cells}

*Events a second*: all streams get as much as they can take. *First text*: from the call to the first text of the
answer, where ten streams are opened at a time. *Added latency*: from when the server sends an event to when the program
has its text, at {pace} events a second in all (50 for one stream). *Memory*: resident memory of the process with all
streams open and waiting, less that before. *Bare sockets* are asyncio and a regular expression: what the machine itself
needs. A dash: not done in {bound} seconds; the pools of httpx and httpx2 go through all their connections for each
request, so that the time for opening streams grows with the square of their number.

Each row is one run, and the machine had other work too: between runs, figures of one row have differed by three times,
and a latency (of anthropic with 100 streams) by twenty. Compare orders of magnitude; memory is steady.

## A burst does not hold up others

One of {flooded} streams gets 10 MB at once while the others get {few} events a second. A *turn* is what the process
does between two times that another task runs, in CPU time: so long others are held up. An async stream gives way after
every {work} items or KB, whoever brings the bytes, and decodes a chunk in slices of {slice} KB; *never*: without that.

| burst | gives way | turn, ms p99 / longest | others' latency, ms p50 / p99 |
| --- | --- | ---: | ---: |
{floods}
"""


@contextmanager
def _server() -> Iterator[list[str]]:
    """A server in a process of its own: its ports."""
    command = [sys.executable, "-m", "benchmarks.concurrency_server"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()
        finally:
            process.kill()


def run(contestant: str, streams: int, *options: str, bound: float) -> dict[str, Any] | None:
    """One cell; `None` if it is not done in `bound` seconds."""
    with _server() as ports:
        command = [sys.executable, "-m", "benchmarks.concurrency_client", contestant, str(streams), *ports, *options]
        try:
            done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, timeout=bound, check=True)
        except subprocess.TimeoutExpired:
            return None
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def _milliseconds(values: dict[str, float], first: str = "p50", second: str = "p99") -> str:
    return f"{values[first] * 1e3:.2f} / {values[second] * 1e3:.2f}"


def _cell(contestant: str, streams: int, *, bound: float) -> str:
    measured = run(contestant, streams, bound=bound)
    if measured is None:
        figures = ["–"] * 4
    else:
        figures = [
            f"{measured['events a second']:,.0f}",
            _milliseconds(measured["first text"]),
            _milliseconds(measured["latency"]),
            f"{measured['memory'] / 1024:.0f}" if streams >= 100 else "",
        ]
    return f"| {streams:,} | {CONTESTANTS[contestant]} | {' | '.join(figures)} |"


def _flood(contestant: str, *, fair: bool, bound: float) -> str:
    name = CONTESTANTS.get(contestant, "`AsyncMessageStream` over one chunk of 10 MB")
    options = ["--flood", str(_FLOOD), *([] if fair else ["--unfair"])]
    measured = run(contestant, _FLOODED, *options, bound=bound)
    gives_way = "" if contestant == "anthropic" else "yes" if fair else "never"
    if measured is None:
        return f"| {name} | {gives_way} | – | – |"
    flood = measured["flood"]
    latency = _milliseconds(flood["latency"]) if "latency" in flood else ""
    return f"| {name} | {gives_way} | {_milliseconds(flood['turns'], 'p99', 'max')} | {latency} |"


def _lines(cells: Iterator[str]) -> str:
    lines = []
    for line in cells:
        print(line, flush=True)
        lines.append(line)
    return "\n".join(lines)


def measure(counts: list[int], contestants: list[str], *, bound: float) -> str:
    """The page with both tables."""
    from benchmarks.concurrency_client import PACE, PACE_IN_FLOOD
    from streamcore.stream._pump import SLICE_SIZE, WORK_PER_TURN

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    cells = (
        _cell(contestant, count, bound=bound)
        if count + _SPARE_FILES <= most
        else f"| {count:,} | {CONTESTANTS[contestant]} | not run: only {most:,} open files are allowed | | | |"
        for count in counts
        for contestant in contestants
    )
    floods = [(name, fair) for name in ("aiohttp", "httpx2", "chunk") for fair in (True, False)]
    if "anthropic" in contestants:
        floods.append(("anthropic", True))
    versions = report.versions()
    return _TEXT.format(
        command=shlex.join(["python", "-m", "benchmarks.concurrency", *sys.argv[1:]]),
        machine=report.machine(),
        versions=", ".join(f"{name} {versions[name]}" for name in ("streamcore", "aiohttp", "anthropic", "httpx2")),
        cells=_lines(cells),
        floods=_lines(_flood(name, fair=fair, bound=2 * bound) for name, fair in floods),
        pace=f"{PACE:,}",
        few=PACE_IN_FLOOD,
        bound=f"{bound:.0f}",
        flooded=_FLOODED,
        work=WORK_PER_TURN,
        slice=SLICE_SIZE // 1024,
    )


def smoke() -> None:
    """Everything once, with little."""
    for contestant in CONTESTANTS:
        assert run(contestant, 3, "--texts", "60", "--seconds", "0.1", bound=60) is not None
    for contestant in ("aiohttp", "chunk"):
        assert run(contestant, 3, "--flood", "100000", "--seconds", "0.1", "--unfair", bound=60) is not None
    print("concurrent streams ran")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.concurrency", description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="run everything once with a few streams, time nothing")
    parser.add_argument("--streams", type=int, nargs="+", default=list(STREAMS), metavar="N", help="how many at once")
    parser.add_argument("--only", nargs="+", choices=CONTESTANTS, default=list(CONTESTANTS), help="these libraries")
    parser.add_argument("--bound", type=float, default=60, help="seconds that a cell may take (default: 60)")
    parser.add_argument("--write", action="store_true", help=f"write the tables to benchmarks/{TABLE.name}")
    options = parser.parse_args()
    if options.smoke:
        smoke()
        return
    page = measure(options.streams, options.only, bound=options.bound)
    if options.write:
        TABLE.write_text(page)


if __name__ == "__main__":
    main()
