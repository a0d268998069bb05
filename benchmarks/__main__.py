"""`python -m benchmarks`: measure streamcore and its peers on the same bytes, and compare the figures with targets."""

from __future__ import annotations

import argparse
import json
import tempfile
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from benchmarks import chart, concurrency, harness, inputs, node_peers, readme, report
from benchmarks.harness import Measured
from benchmarks.rows import ROWS, Settings
from benchmarks.selection import comparable_streams


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="run everything once on tiny inputs, time nothing")
    parser.add_argument(
        "--captures",
        type=Path,
        metavar="DIR",
        help="a folder of recorded .sse files to read in addition to fixtures/",
    )
    parser.add_argument("--rows", nargs="+", metavar="ROW", choices=ROWS, help=f"only these rows: {', '.join(ROWS)}")
    parser.add_argument("--seconds", type=float, default=3, help="about how long to measure each row (default: 3)")
    parser.add_argument("--full", action="store_true", help="use inputs of full size instead of a part of them")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all values as JSON")
    parser.add_argument("--pyperf", type=Path, metavar="FILE", help="write the values for `pyperf compare_to`")
    parser.add_argument("--chart", type=Path, metavar="FILE", help="draw the chart of the README, as SVG or PNG")
    parser.add_argument("--readme", action="store_true", help="write the table and the chart into the README")
    return parser.parse_args()


def _smoke(settings: Settings, names: list[str]) -> None:
    for name in names:
        harness.smoke(ROWS[name](settings))
    chart.make(settings.scratch / "chart.svg", caption=report.machine(), smoke=True)
    concurrency.smoke()
    print(f"{len(names)} benchmarks ran, on {len(settings.streams)} streams")


def _measure(settings: Settings, names: list[str], console: Console, *, seconds: float) -> list[Measured]:
    results = []
    with console.status("") as status:
        for name in names:
            status.update(name)
            results.append(harness.measure(ROWS[name](settings), seconds=seconds))
    return results


def _print(settings: Settings, results: list[Measured], console: Console, *, left_out: int) -> None:
    console.print(report.machine(), report.versions_line(), sep="\n", highlight=False, soft_wrap=True)
    console.print(
        f"{inputs.counted(settings.streams)}; {left_out} left out, which anthropic reads differently",
        highlight=False,
    )
    if missing := node_peers.missing():
        console.print(f"the peers that run in Node are left out: {missing}", highlight=False, soft_wrap=True)
    report.print_table(results, console)
    console.print(f"targets missed: {report.missed(results)}", highlight=False)


def main() -> None:
    options = _options()
    found = inputs.read_folder(inputs.FIXTURES)
    if options.captures:
        found += inputs.read_folder(options.captures, recorded=True)
    streams = comparable_streams(found)
    names = options.rows or list(ROWS)
    console = Console()
    if not console.is_terminal:
        console.width = 160  # wide enough for the table if the output is a file
    with ExitStack() as resources:
        scratch = Path(resources.enter_context(tempfile.TemporaryDirectory()))
        settings = Settings(
            streams=streams, scratch=scratch, resources=resources, smoke=options.smoke, full=options.full
        )
        if options.smoke:
            _smoke(settings, names)
            return
        results = _measure(settings, names, console, seconds=options.seconds)
    _print(settings, results, console, left_out=len(found) - len(streams))
    if options.json:
        options.json.write_text(json.dumps(report.as_json(results), indent=1, ensure_ascii=False) + "\n")
    if options.pyperf:
        report.dump_for_pyperf(results, options.pyperf)
    if options.chart:
        chart.make(options.chart, caption=report.machine())
    if options.readme:
        readme.write(results, streams=inputs.counted(streams))


if __name__ == "__main__":
    main()
