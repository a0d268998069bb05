"""Report measurements: as a table in the terminal or in Markdown, as JSON, and for pyperf."""

from __future__ import annotations

import platform
import shutil
import subprocess
import tomllib
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import attrs
import pyperf  # type: ignore[import-untyped]  # it has no types
from rich.console import Console
from rich.table import Table

import streamcore
from benchmarks import node_peers
from benchmarks.harness import OURS, Measured
from benchmarks.targets import faster

ROOT = Path(streamcore.__file__).parents[1]

_PACKAGES = (
    "anthropic",
    "msgspec",
    "orjson",
    "jiter",
    "httpx2",
    "httpx-sse",
    "sseclient-py",
    "aiohttp",
    "aiohttp-sse-client",
    "partial-json-parser",
    "ijson",
)


def machine() -> str:
    """Describe this machine in one line."""
    metadata = pyperf.Run([1.0]).get_metadata()
    cpu = metadata.get("cpu_model_name", platform.machine())
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{python}, {platform.system()}, {metadata.get('cpu_count', '?')} × {cpu}"


def versions() -> dict[str, str]:
    """Return the version of streamcore, with its commit, and those of all peers that can run."""
    return {"streamcore": _our_version(), **{name: version(name) for name in _PACKAGES}, **node_peers.versions()}


def versions_line() -> str:
    return ", ".join(f"{name} {number}" for name, number in versions().items())


def _our_version() -> str:
    project = ROOT / "pyproject.toml"
    if not project.is_file():
        return version("streamcore-messages")
    # Package metadata may belong to another installation than this working copy.
    number = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"]
    commit = _commit()
    return f"{number} ({commit})" if commit else str(number)


def _commit() -> str:
    """Return the commit of the working copy and whether the package was changed since, or "" without Git."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        return ""
    commit, changes = _git("rev-parse", "--short", "HEAD"), _git("status", "--porcelain", "--", "streamcore")
    return f"{commit}, changed" if commit and changes else commit


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


@attrs.frozen(kw_only=True)
class Line:
    """A line of the table: ours beside another contestant, and the target if there is one.

    Attributes:
        met: Whether the target is met. None without a target.
    """

    work: str
    ours: str
    beside: str
    theirs: str
    reached: str
    wanted: str = ""
    met: bool | None = None

    def cells(self) -> tuple[str, ...]:
        return self.work, self.ours, self.beside, self.theirs, self.reached, self.wanted


HEADINGS = ("work", "streamcore", "beside", "takes", "ratio", "target")


def lines_of(measured: Measured) -> Iterator[Line]:
    """Return one line for each target of a row, then one for each contestant that has no target."""
    row = measured.row
    values = measured.values
    rest = {name: None for name in values if name != OURS and OURS in values}
    for target in row.targets:
        beside = target.beside(values)
        rest.pop(beside or "", None)
        value = target.value(values)
        yield Line(
            work=row.name,
            ours=_quantity(measured, OURS if OURS in values else row.contestants[-1].name),
            beside=beside or "",
            theirs=_quantity(measured, beside) if beside else "",
            reached=target.reached(value),
            wanted=target.wanted(),
            met=target.met(value),
        )
    for name in rest:
        yield Line(
            work=row.name,
            ours=_quantity(measured, OURS),
            beside=name,
            theirs=_quantity(measured, name),
            reached=faster(measured.median(name) / measured.median(OURS)),
        )


def _quantity(measured: Measured, name: str) -> str:
    value = measured.median(name)
    if measured.row.unit == "B":
        return f"{value:,.0f} B"
    return f"{value * 1e3:,.1f} ms" if value >= 1e-3 else f"{value * 1e6:.2f} µs"


def print_table(results: Sequence[Measured], console: Console) -> None:
    """Print the table. Cells that repeat the line above are left empty."""
    table = Table(*HEADINGS, "", title="per event, unless the work says otherwise")
    for measured in results:
        before: tuple[str, ...] = ("", "")
        for line in lines_of(measured):
            work, ours, *others = line.cells()
            repeated = (work, ours) == before
            before = (work, ours)
            mark = "[bold red]MISS[/]" if line.met is False else ""
            table.add_row("" if repeated else work, "" if repeated else ours, *others, mark)
        table.add_section()
    console.print(table)


def missed(results: Sequence[Measured]) -> int:
    return sum(line.met is False for measured in results for line in lines_of(measured))


def markdown(lines: Sequence[Line], headings: Sequence[str]) -> str:
    """Format lines as a Markdown table with as many columns as headings. Missed targets are marked."""
    rows = [headings, ["---"] * len(headings)]
    for line in lines:
        *others, wanted = line.cells()
        rows.append([*others, f"{wanted}, **missed**" if line.met is False else wanted][: len(headings)])
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


def as_json(results: Sequence[Measured]) -> dict[str, Any]:
    """Return all values (seconds or bytes, by contestant and round) and the lines of the table."""
    return {
        "machine": machine(),
        "versions": versions(),
        "rows": [
            {
                "work": measured.row.name,
                "unit": measured.row.unit,
                "per": measured.row.per,
                "values": dict(measured.values),
                "lines": [attrs.asdict(line) for line in lines_of(measured)],
            }
            for measured in results
        ],
    }


def dump_for_pyperf(results: Sequence[Measured], path: Path) -> None:
    """Write the values for pyperf, whose `python -m pyperf compare_to BEFORE AFTER` shows what has changed."""
    suite = pyperf.BenchmarkSuite([benchmark for measured in results for benchmark in measured.benchmarks()])
    suite.dump(str(path), replace=True)
