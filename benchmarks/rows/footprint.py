"""Memory and import time, each measured in a process of its own."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.harness import OURS, Contestant, Row
from benchmarks.rows.settings import RowMaker, Settings
from benchmarks.targets import AtMost, AtMostBytes, Faster, More


def _probe(*arguments: object) -> Callable[[], float]:
    """Return a function that runs a probe of `benchmarks.memory` and returns the bytes it prints."""
    command = [sys.executable, "-m", "benchmarks.memory", *map(str, arguments)]
    return lambda: float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def idle_memory(settings: Settings) -> Row:
    return Row(
        name="memory of an idle engine",
        contestants=[Contestant(name=OURS, measure=_probe("idle"))],
        targets=[AtMostBytes(4096)],
        unit="B",
        per="engine",
        most_rounds=1,
    )


def text_memory(settings: Settings) -> Row:
    characters = settings.size(1_000_000, smoke=1_000)
    return Row(
        name="memory of a text of 1 MB",
        contestants=[
            Contestant(name=OURS, measure=_probe("text", characters)),
            Contestant(name="the text", measure=lambda: float(characters)),
        ],
        targets=[AtMost(3, "the text")],
        unit="B",
        per="stream",
        most_rounds=1,
    )


def _capture_memory(what: str, probe: str) -> RowMaker:
    """Make the row that checks that a larger capture takes no more memory."""

    def row(settings: Settings) -> Row:
        size = settings.size(16_000_000, smoke=1_000_000, full=1_000_000_000)
        return Row(
            name=f"memory of {what} of {size // 1_000_000:,} MB",
            contestants=[
                Contestant(name=OURS, measure=_probe(probe, size, settings.scratch)),
                Contestant(name="a quarter of it", measure=_probe(probe, size // 4, settings.scratch)),
            ],
            targets=[AtMost(1.1, "a quarter of it")],
            unit="B",
            per="capture",
            most_rounds=1,
        )

    return row


def _process(code: str, bytecode: Path) -> Callable[[], float]:
    """Return a function that runs `code` in a new process and returns its CPU time.

    Installed packages are compiled. A working copy is compiled at each start where `PYTHONDONTWRITEBYTECODE` is set,
    which takes a third of its import time. So all contestants keep their bytecode in the folder `bytecode`, which the
    warm-up fills.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(bytecode)

    def measure() -> float:
        start = _children()
        subprocess.run([sys.executable, "-c", code], check=True, env=environment)
        return _children() - start

    return measure


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def importing(settings: Settings) -> Row:
    bytecode = settings.scratch / "bytecode"
    return Row(
        name="import",
        contestants=[
            Contestant(name=OURS, measure=_process("from streamcore import MessageEngine, MessageStream", bytecode)),
            Contestant(name="anthropic", measure=_process("import anthropic", bytecode)),
            Contestant(name="python -c pass", measure=_process("pass", bytecode)),
        ],
        targets=[More(0.080, "python -c pass"), Faster(10, ("anthropic",), start="python -c pass")],
        per="process",
        most_rounds=9,
    )


ROWS: dict[str, RowMaker] = {
    "memory-idle": idle_memory,
    "memory-text": text_memory,
    "memory-replay": _capture_memory("a replay", "replay"),
    "memory-check": _capture_memory("a check", "check"),
    "import": importing,
}
