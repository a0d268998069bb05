"""`python -m benchmarks.against REVISION`: compare the speed of the working copy with that of an earlier commit.

Both packages are named `streamcore`, so each runs in a process of its own. The processes do the same work in turns, so
a noisy machine slows both alike. Figures are the CPU time of each process. The ratio is the median over all rounds.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent


def works(folder: Path) -> dict[str, tuple[Callable[[], object], int]]:
    """Return each work by its name, with the number of its events."""
    from benchmarks.inputs import cut, read_folder
    from streamcore import MessageEngine, MessageStream, SSEDecoder

    streams = [stream.frames for stream in read_folder(folder)]
    streams = [frames for frames in streams if b"message_stop" in frames[-1] and frames[-1].endswith(b"\n\n")]
    events = sum(map(len, streams))

    def decode(make: Callable[[], Any], chunked: list[list[bytes]], read: str | None = None) -> Callable[[], None]:
        def run() -> None:
            for chunks in chunked:
                decoder = make()
                for chunk in chunks:
                    decoder.receive_data(chunk)
                    for _ in decoder.events():
                        if read is not None:
                            getattr(decoder, read)

        return run

    def derived(read: bool) -> Callable[[], None]:
        def run() -> None:
            for frames in streams:
                stream = MessageStream(frames)
                for _ in stream:
                    if read:
                        _ = stream.current_message_snapshot

        return run

    def engine() -> MessageEngine:
        return MessageEngine(multiple_messages=True)

    single = [frames for frames in streams if sum(b"event: message_start" in frame for frame in frames) == 1]
    streams_in = {"an event a chunk": streams}
    for size in (65536, 1400, 100):
        streams_in[f"{size} bytes a chunk"] = [cut(b"".join(frames), size) for frames in streams]
    streams_in["one chunk"] = [[b"".join(frames)] for frames in streams]
    made: dict[str, tuple[Callable[[], object], int]] = {
        f"engine, {name}": (decode(engine, chunked), events) for name, chunked in streams_in.items()
    }
    made["engine, every snapshot"] = (decode(engine, streams, "snapshot"), events)
    made["SSEDecoder, 65536 bytes a chunk"] = (decode(SSEDecoder, streams_in["65536 bytes a chunk"]), events)
    streams[:] = single
    made["MessageStream"] = (derived(False), sum(map(len, single)))
    made["MessageStream, every snapshot"] = (derived(True), sum(map(len, single)))
    return made


def work(folder: Path) -> None:
    """For each name on standard input, do that work and print how many microseconds an event took."""
    named = works(folder)
    gc.disable()
    print("\t".join(named), flush=True)
    for line in sys.stdin:
        run, events = named[line.rstrip("\n")]
        start = time.process_time()
        run()
        print((time.process_time() - start) / events * 1e6, flush=True)
        gc.collect()


class Worker:
    """A process that measures the package of one source tree."""

    def __init__(self, tree: Path, folder: Path) -> None:
        code = f"import sys; sys.path[:0] = [{str(tree)!r}, {str(ROOT)!r}]; from benchmarks.against import work; "
        code += f"from pathlib import Path; work(Path({str(folder)!r}))"
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.names = self._read().split("\t")

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().rstrip("\n")

    def measure(self, name: str) -> float:
        """Do the work of this name, and return how many microseconds an event took."""
        assert self._process.stdin is not None
        print(name, file=self._process.stdin, flush=True)
        return float(self._read())

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


@contextmanager
def checked_out(revision: str) -> Iterator[Path]:
    """Check out the package of this revision into a temporary folder."""
    with tempfile.TemporaryDirectory() as name:
        archive = subprocess.run(
            ["git", "archive", revision, "streamcore"], cwd=ROOT, check=True, capture_output=True
        ).stdout
        subprocess.run(["tar", "-x", "-C", name], input=archive, check=True)
        yield Path(name)


def main() -> None:
    """Print a line for each work, with both figures and their ratio."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.against", description=__doc__)
    parser.add_argument("revision", help="the commit to compare with")
    parser.add_argument(
        "--captures", type=Path, default=ROOT / "fixtures", metavar="DIR", help="a folder of .sse files"
    )
    parser.add_argument("--rounds", type=int, default=15, help="how often each work is measured (default: 15)")
    options = parser.parse_args()
    with checked_out(options.revision) as before:
        workers = [Worker(before, options.captures.resolve()), Worker(ROOT, options.captures.resolve())]
        try:
            print(f"{'µs an event':38s} {'before':>8s} {'now':>8s} {'ratio':>7s}")
            for name in workers[1].names:
                rounds = []
                for number in range(options.rounds + 1):
                    order = workers if number % 2 else workers[::-1]
                    taken = {id(worker): worker.measure(name) for worker in order}
                    rounds.append([taken[id(worker)] for worker in workers])
                old, new = zip(*rounds[1:], strict=True)  # the first round warms up
                ratio = statistics.median(now / was for was, now in zip(old, new, strict=True))
                print(f"{name:38s} {min(old):8.2f} {min(new):8.2f} {ratio:7.2f}", flush=True)
        finally:
            for worker in workers:
                worker.close()


if __name__ == "__main__":
    main()
