"""The settings of a run, and how contestants are made."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import attrs

from benchmarks.harness import Contestant, Row, timed
from benchmarks.inputs import Stream, kind_of, large_tool_input, tool_input
from benchmarks.pipelines import Pipeline


@attrs.frozen(kw_only=True)
class Settings:
    """Which streams to read, and how large to make the inputs.

    Attributes:
        streams: The streams of `fixtures/` and any recorded ones.
        scratch: A folder for temporary files.
        resources: Closes what rows have opened when the run ends.
        smoke: Use tiny inputs.
        full: Use inputs as large as the targets say, where by default a part is enough to see that time grows linearly.
    """

    streams: list[Stream]
    scratch: Path
    resources: ExitStack
    smoke: bool = False
    full: bool = False

    @property
    def kind(self) -> str:
        """Return `made streams`, `recorded streams` or `recorded and made streams`, for the names of rows."""
        return kind_of(self.streams)

    def size(self, usual: int, *, smoke: int, full: int | None = None) -> int:
        if self.smoke:
            return smoke
        return full if self.full and full is not None else usual


RowMaker = Callable[[Settings], Row]

_DOUBLED = tuple(256 * 1024 << doublings for doublings in range(5))


def doubled_tables(settings: Settings) -> dict[str, Stream]:
    """Make the streams of a tool's input from 256 KB to 4 MB, each twice as large as the one before."""
    return {
        f"{size // 1024} KB": large_tool_input(tool_input(settings.size(size, smoke=size // 1024))) for size in _DOUBLED
    }


def through(pipeline: Pipeline, inputs: list[list[bytes]], *, units: float = 1, name: str | None = None) -> Contestant:
    """Make a contestant that runs a pipeline on each input.

    A contestant with a `name` of its own has different inputs than the others, so its results are not compared.
    """
    run = pipeline.run

    def run_all() -> None:
        for chunks in inputs:
            run(chunks)

    return Contestant(
        name=name or pipeline.name,
        measure=timed(run_all),
        units=units,
        result=None if name else lambda: [pipeline.result(run(chunks)) for chunks in inputs],
    )


def doing(name: str, run: Callable[[], object], *, units: float = 1) -> Contestant:
    """Make a contestant whose result is not compared, because it does less than the others."""
    return Contestant(name=name, measure=timed(run), units=units)
