"""The documents of the repository, and the examples in them."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from server import Reply, Request, json_reply, stream_reply
from sybil import Document, Example
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser

from streamcore import MessageEngine

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "streamcore"
FIXTURES = ROOT / "fixtures"

DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / ".github").glob("*.md")),
    *sorted((ROOT / "benchmarks").glob("*.md")),
    *sorted(PACKAGE.rglob("*.md")),
]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def parsed(path: Path) -> Document:
    """Return a document whose examples can be evaluated: Python, and commands in `console` blocks.

    Outside of the package, commands install things, so they are not among them. `.ci/run` runs those.
    """
    python, console = PythonCodeBlockParser(), CodeBlockParser("console", _run_commands)
    return Document.parse(str(path), python, console) if PACKAGE in path.parents else Document.parse(str(path), python)


def python_examples(path: Path, *, having: str = "") -> list[str]:
    """Return the Python examples of a document that have these words."""
    examples = [str(example.parsed) for example in Document.parse(str(path), CodeBlockParser("python"))]
    return [example for example in examples if having in example]


def python_example(path: Path, having: str) -> str:
    """Return the only Python example of a document that has these words."""
    (example,) = python_examples(path, having=having)
    return example


def run(example: str, **given: Any) -> dict[str, Any]:
    """Run an example with these names and return all names that it leaves."""
    exec(compile(example, "example", "exec", dont_inherit=True), given)
    return given


def _run_commands(example: Example) -> None:
    """Run the commands of a `console` block, each after `$ `, and compare what they print with the lines after it.

    A line that is `...` stands for any number of lines, and `...` within a line for any text.
    """
    for command, expected in _commands(str(example.parsed)):
        done = subprocess.run(
            ["bash", "-c", f'PATH="{Path(sys.executable).parent}:$PATH"; {command}'],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        pattern = "".join(
            r"(?:.*\n)*" if line == "..." else re.escape(line).replace(re.escape("..."), ".*") + r"\n"
            for line in expected
        )
        assert re.fullmatch(pattern, done.stdout), f"{command}\nprinted\n{done.stdout}"


def _commands(source: str) -> list[tuple[str, Sequence[str]]]:
    commands: list[tuple[str, list[str]]] = []
    for line in source.splitlines():
        if line.startswith("$ "):
            commands.append((line.removeprefix("$ "), []))
        elif commands:
            commands[-1][1].append(line)
    return [(command, lines) for command, lines in commands]


def answered(request: Request) -> Reply:
    """Answer a request of an example with a fixture: the one that fits the tools or the format that it asks for."""
    asked = request.json()
    if "output_config" in asked or "output_format" in asked:
        name = "results.sse"
    elif "tools" in asked and b"tool_result" not in request.body:
        name = "weather.sse"
    else:
        name = "text.sse"
    data = (FIXTURES / name).read_bytes()
    if asked.get("stream"):
        return stream_reply(*(event + b"\n\n" for event in data.split(b"\n\n") if event))
    engine = MessageEngine()
    engine.receive_data(data)
    for _ in engine.events():
        pass
    return json_reply(engine.final_message.to_dict())
