"""`python -m benchmarks`: how fast streamcore is, beside its peers and its targets, in one run on the same bytes."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from benchmarks import harness, inputs, report
from benchmarks.rows import ROWS, Settings
from benchmarks.selection import complete_streams


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="run everything once on tiny inputs, time nothing")
    parser.add_argument("--captures", type=Path, metavar="DIR", help="a folder of .sse files to use beside fixtures/")
    parser.add_argument("--rows", nargs="+", metavar="ROW", choices=ROWS, help=f"only these: {', '.join(ROWS)}")
    parser.add_argument("--seconds", type=float, default=4, help="about how long to measure each row (default: 4)")
    parser.add_argument("--full", action="store_true", help="the largest inputs in full: takes much longer")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was measured as JSON")
    options = parser.parse_args()

    folders = [inputs.FIXTURES] + ([options.captures] if options.captures else [])
    found = [stream for folder in folders for stream in inputs.read_folder(folder)]
    streams = complete_streams(found)
    names = options.rows or list(ROWS)
    with tempfile.TemporaryDirectory() as scratch:
        settings = Settings(streams=streams, scratch=Path(scratch), smoke=options.smoke, full=options.full)
        if options.smoke:
            for name in names:
                harness.smoke(ROWS[name](settings))
            print(f"{len(names)} benchmarks ran, on {len(streams)} streams")
            return
        print(f"{report.machine()}\n{report.versions()}")
        print(
            f"{len(streams)} recorded streams of {len(found)}: those that the official package can read as one message"
        )
        results = []
        missed = 0
        for name in names:
            measured = harness.measure(ROWS[name](settings), seconds=options.seconds)
            print(f"[{name}] " + "\n".join(report.lines(measured)), flush=True)
            results.append(report.as_json(measured))
    missed = sum(not target["met"] for result in results for target in result["targets"])
    print(f"\n{missed} targets missed")
    if options.json:
        found_on = {"machine": report.machine(), "versions": report.versions()}
        options.json.write_text(json.dumps({**found_on, "rows": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
