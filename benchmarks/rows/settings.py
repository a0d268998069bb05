"""What the rows are made for, and what several of them need."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import attrs

from benchmarks.harness import Contestant, Row, timed
from benchmarks.inputs import Stream, kind_of
from benchmarks.pipelines import Pipeline


@attrs.frozen(kw_only=True)
class Settings:
    """Of what size the inputs are.

    Attributes:
        streams: Those of `fixtures/`, and with them any that were recorded.
        scratch: A folder for files.
        resources: Closes at the end what rows have opened.
        smoke: Tiny inputs.
        full: The sizes of the targets where by default a part of them is enough to see that work grows linearly.
    """

    streams: list[Stream]
    scratch: Path
    resources: ExitStack
    smoke: bool = False
    full: bool = False

    @property
    def kind(self) -> str:
        """What the streams are, for the names of rows that are about them."""
        return kind_of(self.streams)

    def size(self, usual: int, *, smoke: int, full: int | None = None) -> int:
        if self.smoke:
            return smoke
        return full if self.full and full is not None else usual


RowMaker = Callable[[Settings], Row]


def through(pipeline: Pipeline, inputs: list[list[bytes]], *, units: float = 1, name: str | None = None) -> Contestant:
    """A contestant that takes each input through a pipeline. One that has a name of its own has other inputs than the
    rest, and is not compared with them.
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
    """A contestant of whose work nothing can be compared: it does less than the others."""
    return Contestant(name=name, measure=timed(run), units=units)
