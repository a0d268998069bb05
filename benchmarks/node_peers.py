"""The peers that run in Node, if Node and their packages are installed (`npm install --prefix benchmarks/node`).

A Node process reads the same bytes and reports its CPU time. `node/peers.mjs` describes what each peer does.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.inputs import Stream

_FOLDER = Path(__file__).parent / "node"

EVENTSOURCE_PARSER = "eventsource-parser"
SDK = "@anthropic-ai/sdk"


def versions() -> dict[str, str]:
    """Return the versions of Node and the packages, or nothing if they are missing."""
    if missing():
        return {}
    with Node(_FOLDER) as node:
        return node.versions


def missing() -> str | None:
    """Return what is missing, or None if the peers can run."""
    if shutil.which("node") is None:
        return "Node is not installed"
    if not all((_FOLDER / "node_modules" / name).is_dir() for name in (EVENTSOURCE_PARSER, SDK)):
        return "the packages for Node are not installed: npm install --prefix benchmarks/node"
    return None


class Node:
    """A Node process that runs the peers on request.

    Attributes:
        versions: The versions of Node and of the peers' packages.
    """

    def __init__(self, scratch: Path) -> None:
        self._path = scratch / "streams.json"
        self._process = subprocess.Popen(
            ["node", str(_FOLDER / "peers.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.versions: dict[str, str] = self._answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        self._process.communicate()  # closes its standard input, which ends it

    def load(self, streams: list[Stream]) -> None:
        """Set the streams to read from now on, with one event per chunk."""
        chunks = [[frame.decode() for frame in stream.frames] for stream in streams]
        self._path.write_text(json.dumps(chunks), encoding="utf-8")
        self._ask({"load": str(self._path)})

    def seconds(self, peer: str) -> float:
        """Let `peer` read all streams once, and return the CPU time it took."""
        return float(self._ask({"run": peer})["seconds"])

    def results(self, peer: str) -> list[Any]:
        """Return what `peer` makes of each stream, or None for a stream that it rejects."""
        return list(self._ask({"results": peer}))

    def _ask(self, command: dict[str, Any]) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"Node ended with exit code {self._process.wait()}")
        return json.loads(line)
