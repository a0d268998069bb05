"""Puts what was measured into the README: between its two markers, and the chart beside it."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

from benchmarks import chart, report
from benchmarks.harness import Measured

_README = Path(__file__).parent.parent / "README.md"
_CHART = Path(__file__).parent / "chart.svg"
_BEGIN = "<!-- benchmarks: what follows is written by `python -m benchmarks --readme` -->\n"
_END = "<!-- benchmarks: end -->\n"


def write(results: Sequence[Measured], *, streams: str) -> None:
    """Rewrite the section, and draw the chart.

    Args:
        streams: How many of which kind were read.
    """
    chart.make(_CHART, caption=report.machine())
    text = replaced(_README.read_text(encoding="utf-8"), section(results, streams=streams))
    _README.write_text(text, encoding="utf-8")


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
        "![What an event costs, against the length of its stream](benchmarks/chart.svg)\n\n"
        f"{textwrap.fill(where, 120, break_on_hyphens=False)}\n\n"
        f"{report.markdown(targets, report.HEADINGS)}\n"
        "<details><summary>Other shapes, and the other peers</summary>\n\n"
        f"{report.markdown(others, report.HEADINGS[:-1])}\n"
        "</details>\n"
    )


def replaced(readme: str, section: str) -> str:
    """`readme` with another section between the markers.

    Raises:
        ValueError: It does not have each of them once, in this order.
    """
    if readme.count(_BEGIN) != 1 or readme.count(_END) != 1 or readme.index(_END) < readme.index(_BEGIN):
        raise ValueError("the README has no place for the benchmarks: one of its two markers is not there once")
    before, _, rest = readme.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}\n{section}\n{_END}{after}"
