"""The peers that run in Node, where Node and their packages are present: `npm install --prefix benchmarks/node`.

One process of Node reads the same bytes and says what CPU time that took; see `node/peers.mjs` for what each does.
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
    """Of Node and the packages; none if they are missing."""
    if missing():
        return {}
    with Node(_FOLDER) as node:
        return node.versions


def missing() -> str | None:
    """What must be there and is not."""
    if shutil.which("node") is None:
        return "Node is not installed"
    if not all((_FOLDER / "node_modules" / name).is_dir() for name in (EVENTSOURCE_PARSER, SDK)):
        return "the packages for Node are not: npm install --prefix benchmarks/node"
    return None


class Node:
    """A process of Node that reads streams when told to.

    Attributes:
        versions: Of Node and its packages.
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
        with self._process:  # it ends when its input does
            pass

    def load(self, streams: list[Stream]) -> None:
        """The streams to read from now on, a chunk an event."""
        chunks = [[frame.decode() for frame in stream.frames] for stream in streams]
        self._path.write_text(json.dumps(chunks), encoding="utf-8")
        self._ask({"load": str(self._path)})

    def seconds(self, peer: str) -> float:
        """The CPU time that `peer` takes to read all streams once."""
        return float(self._ask({"run": peer})["seconds"])

    def results(self, peer: str) -> list[Any]:
        """What `peer` makes of each stream, `None` for one that it refuses."""
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
            raise RuntimeError(f"Node has ended, with exit code {self._process.wait()}")
        return json.loads(line)
