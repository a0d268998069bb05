"""Memory probes, each run in a process of its own: `python -m benchmarks.memory PROBE ...` prints bytes.

They count what Python allocates, as reported by tracemalloc: only this measure is the same on every machine.
"""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

from benchmarks import inputs
from streamcore import MessageEngine
from streamcore.cli.check import check_file
from streamcore.cli.exchanges import Selection
from streamcore.replay import open_stream, read_captures


def idle() -> int:
    """Measure an engine that has read the start of a message and waits (the mean of many)."""
    frames = inputs.long_text(1).frames[:1]
    _engine(frames)  # warm up
    count = 1000
    gc.collect()
    tracemalloc.start()
    engines = [_engine(frames) for _ in range(count)]
    gc.collect()
    used, _ = tracemalloc.get_traced_memory()
    del engines
    return used // count


def _engine(frames: list[bytes]) -> MessageEngine:
    engine = MessageEngine()
    for frame in frames:
        engine.receive_data(frame)
        for _ in engine.events():
            pass
    return engine


def text(characters: int) -> int:
    """Measure the peak while a text streams and its final message is read."""
    frames = inputs.long_text(characters // inputs.DELTA_SIZE).frames
    _engine(frames[:3])
    gc.collect()
    tracemalloc.start()
    engine = _engine(frames)
    _ = engine.final_message
    _, peak = tracemalloc.get_traced_memory()
    return peak


def _peak_of(read: Callable[[Path], None]) -> Callable[[int, str], int]:
    """Make a probe that measures the peak while `read` reads a capture of many messages."""

    def probe(size: int, scratch: str) -> int:
        data = inputs.long_text(1000).data
        path = Path(scratch) / "capture.sse"
        with path.open("wb") as file:
            for _ in range(size // len(data)):
                file.write(data)
        try:
            gc.collect()
            tracemalloc.start()
            read(path)
            return tracemalloc.get_traced_memory()[1]
        finally:
            path.unlink()

    return probe


def _replay(path: Path) -> None:
    for capture in read_captures(path):
        with open_stream(capture) as stream:
            stream.until_done()


def _check(path: Path) -> None:
    (report,) = check_file(str(path), Selection(), strict=True)
    if report.status != "ok":
        raise ValueError(f"the capture is not complete: {report.reason or report.violations}")


replay = _peak_of(_replay)
check = _peak_of(_check)

_PROBES: dict[str, Callable[[list[str]], int]] = {
    "idle": lambda _: idle(),
    "text": lambda arguments: text(int(arguments[0])),
    "replay": lambda arguments: replay(int(arguments[0]), arguments[1]),
    "check": lambda arguments: check(int(arguments[0]), arguments[1]),
}

if __name__ == "__main__":
    print(_PROBES[sys.argv[1]](sys.argv[2:]))
