"""Write the measurements into this folder's README, between two markers, and draw the chart that it shows."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

from benchmarks import chart, report
from benchmarks.harness import Measured

README = Path(__file__).parent / "README.md"
_CHART = Path(__file__).parent / "chart.svg"
BEGIN = "<!-- benchmarks: what follows is written by `python -m benchmarks --readme` -->\n"
END = "<!-- benchmarks: end -->\n"


def write(results: Sequence[Measured], *, streams: str) -> None:
    """Rewrite the section and draw the chart.

    Args:
        streams: The number of streams of each kind, in words.
    """
    chart.make(_CHART, caption=report.machine())
    text = replaced(README.read_text(encoding="utf-8"), section(results, streams=streams))
    README.write_text(text, encoding="utf-8")


def section(results: Sequence[Measured], *, streams: str) -> str:
    lines = [line for measured in results for line in report.lines_of(measured)]
    targets = [line for line in lines if line.met is not None]
    others = [line for line in lines if line.met is None]
    met = sum(bool(line.met) for line in targets)
    where = (
        f"{report.machine()}; {report.versions_line()}. {streams}. Figures are for an event, unless the "
        f"work says otherwise. {met} of {len(targets)} targets are met."
    )
    return (
        "![What an event costs, against the length of its stream](chart.svg)\n\n"
        f"{textwrap.fill(where, 120, break_on_hyphens=False)}\n\n"
        f"{report.markdown(targets, report.HEADINGS)}\n"
        "<details><summary>Other shapes, and the other peers</summary>\n\n"
        f"{report.markdown(others, report.HEADINGS[:-1])}\n"
        "</details>\n"
    )


def replaced(readme: str, section: str) -> str:
    """Replace the section between the markers of `readme`.

    Raises:
        ValueError: The markers must each occur once and in order, and do not.
    """
    if readme.count(BEGIN) != 1 or readme.count(END) != 1 or readme.index(END) < readme.index(BEGIN):
        raise ValueError("the README has no place for the benchmarks: each of its two markers must occur once")
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{section}\n{END}{after}"
