"""Draw the cost of an event against the length of its stream.

The line of a parser that only works on new data is flat. The line of one that starts over for each event rises.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks import inputs, json_peers, pipelines
from benchmarks.harness import Contestant, Row, measure
from benchmarks.inputs import Stream
from benchmarks.rows.settings import doing, through

_LENGTHS = (250, 1_000, 4_000, 16_000)
_SMOKE_LENGTHS = (2, 4)

STYLES = {
    "streamcore": {"color": "#c2410c", "marker": "o"},
    "streamcore, read after each": {"color": "#c2410c", "marker": "o", "linestyle": "--"},
    "anthropic": {"color": "#1d4ed8", "marker": "s"},
    "jiter, reparsing": {"color": "#4d7c0f", "marker": "^"},
    "partial-json-parser": {"color": "#7e22ce", "marker": "v"},
    "msgspec, JSON only": {"color": "#57534e", "marker": "."},
}


@attrs.frozen(kw_only=True)
class Panel:
    """One half of the chart.

    Attributes:
        row: Makes the row for a stream of this many deltas.
        longest: For contestants that would take minutes, the length of the longest stream they read.
    """

    title: str
    row: Callable[[int], Row]
    longest: dict[str, int] = attrs.field(factory=dict)


def _text(deltas: int) -> Row:
    stream = inputs.long_text(deltas)
    return Row(name=f"chart: text of {deltas:,}", contestants=[*_pipelines(stream, pipelines.ENGINE_TEXT)])


def _tool(fragments: int) -> Row:
    json = inputs.written_file(fragments * inputs.DELTA_SIZE)
    stream = inputs.large_tool_input(json)
    pieces = inputs.fragments_of(json)
    peers: dict[str, Callable[[list[str]], object]] = {
        "jiter, reparsing": json_peers.with_jiter,
        "partial-json-parser": json_peers.with_partial_json_parser,
    }
    return Row(
        name=f"chart: tool input of {fragments:,}",
        contestants=[
            *_pipelines(stream, pipelines.ENGINE_INPUT),
            *(_reparsing(name, run, pieces) for name, run in peers.items()),
        ],
    )


def _reparsing(name: str, run: Callable[[list[str]], object], pieces: list[str]) -> Contestant:
    return doing(name, lambda: run(pieces), units=len(pieces))


def _pipelines(stream: Stream, read: pipelines.Pipeline) -> Iterator[Contestant]:
    frames = [stream.frames]
    payloads = stream.payloads
    yield through(pipelines.ENGINE, frames, units=stream.events)
    yield through(read, frames, units=stream.events, name="streamcore, read after each")
    yield through(pipelines.OFFICIAL, frames, units=stream.events)
    yield doing("msgspec, JSON only", lambda: pipelines.decode_with_msgspec(payloads), units=stream.events)


PANELS = (
    Panel(title="a text", row=_text),
    Panel(title="a tool's input, one long string", row=_tool, longest={"partial-json-parser": 1_000}),
)

Lines = dict[str, dict[int, float]]
"""For each contestant, the seconds per event by the length of the stream."""


def measure_panel(panel: Panel, *, seconds: float, smoke: bool = False) -> Lines:
    lines: Lines = {}
    for length in _SMOKE_LENGTHS if smoke else _LENGTHS:
        row = panel.row(length)
        row = attrs.evolve(
            row,
            most_rounds=1 if smoke else 3,
            contestants=[one for one in row.contestants if length <= panel.longest.get(one.name, length)],
        )
        for name, values in measure(row, seconds=seconds).values.items():
            lines.setdefault(name, {})[length] = statistics.median(values)
    return lines


def draw(panels: dict[str, Lines], path: Path, *, caption: str) -> None:
    """Write the chart as SVG or PNG, depending on the suffix of `path`."""
    with mpl.rc_context({"svg.hashsalt": "streamcore", "svg.fonttype": "none", "font.size": 10}):
        figure = Figure(figsize=(11, 4.6), layout="constrained", facecolor="white")
        axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for ax, (title, lines) in zip(axes, panels.items(), strict=True):
            for name, points in lines.items():
                ax.plot(list(points), [value * 1e6 for value in points.values()], label=name, **STYLES[name])
            ax.set(title=title, xscale="log", yscale="log", xlabel="deltas of 20 characters in the stream")
            ax.grid(visible=True, which="major", alpha=0.3)
        axes[0].set_ylabel("µs an event")
        handles = {name: line for ax in axes for line, name in zip(*ax.get_legend_handles_labels(), strict=True)}
        figure.legend(handles.values(), handles, loc="outside lower center", ncols=len(handles), fontsize=9)
        figure.suptitle(caption, fontsize=8, color="#57534e")
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def make(path: Path, *, caption: str, seconds: float = 1.0, smoke: bool = False) -> None:
    """Measure everything and draw the chart."""
    draw({panel.title: measure_panel(panel, seconds=seconds, smoke=smoke) for panel in PANELS}, path, caption=caption)
