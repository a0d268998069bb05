"""What mypyc would give: `python -m benchmarks.compiled` compiles the hot modules in a copy of the package and measures
it beside a copy that is as it was. Needs mypyc, which comes with mypy, and a C compiler. NOTES.md says what came out.

mypyc takes the sources but for one thing. It checks what is assigned to an annotated name, also in the body of a class,
and `attrs.field()` is of none of the types that it is annotated with there. In the copy, classes of attrs are therefore
left to the interpreter (their methods are compiled), and one that calls `attrs.field()` gets a written-out `__init__`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.harness import OURS

_ROOT = Path(__file__).parent.parent
_PARTS = ("streamcore", "benchmarks", "fixtures")

# Not `codec`: mypyc does not take a module with a `__getattr__`.
HOT_MODULES = (
    "_chunks",
    "framing",
    "sse",
    "_decoder",
    "decoders",
    "partial_json",
    "block_builder",
    "accumulator",
    "engine",
)
_ROWS = ("recorded", "recorded-64k", "derived", "derived-read", "text", "text-read", "json", "sse-16", "line")
_TIMES = 3

_SETUP = """
import sys
from mypyc.build import mypycify
from setuptools import setup

setup(name="compiled", packages=[], ext_modules=mypycify(sys.argv.pop().split(","), opt_level="3"))
"""

_ATTRS_CLASS = re.compile(r"^(?=@attrs\.(?:frozen|define))", re.MULTILINE)
_FIELD = re.compile(r"^    (\w+): (.+?) = attrs\.field\((.*)\)(?:  #.*)?\n", re.MULTILINE)
# mypyc takes no slice object for an index of bytes.
_SLICES = {"chunk[shape.head]": "chunk[: shape.quote + 1]", "chunk[PAYLOAD]": "chunk[PAYLOAD.start :]"}
_DEFINE = re.compile(r"@attrs\.define\(.*\)\n(?=class (\w+):\n)")


def _compilable(source: str) -> str:
    """A module as mypyc takes it."""
    for prepared, written in _SLICES.items():
        source = source.replace(prepared, written)
    fields = list(_FIELD.finditer(source))
    if fields:
        source = _with_init(source, fields)
    marked = _ATTRS_CLASS.sub("@mypyc_attr(native_class=False)\n", source)
    if marked == source:
        return source
    return marked.replace("import attrs\n", "import attrs\nfrom mypy_extensions import mypyc_attr\n", 1)


def _with_init(source: str, fields: list[re.Match[str]]) -> str:
    parameters = []
    lines = []
    for field in fields:
        name, annotation, given = field.groups()
        default = re.search(r"default=(.+?)(?:, alias|$)", given)
        factory = re.search(r"factory=([\w.]+)", given)
        value = default[1] if default else f"{factory[1]}()" if factory else "..."
        if "init=False" not in given:
            parameters.append(f"{name.lstrip('_')}: {annotation} = {value}")
            value = name.lstrip("_")
        lines.append(f"        self.{name}: {annotation} = {value}\n")
    init = f"    def __init__(self, *, {', '.join(parameters)}) -> None:\n{''.join(lines)}"
    source = source[: fields[0].start()] + init + source[fields[-1].end() :]
    return _DEFINE.sub("", source)


def build(folder: Path) -> None:
    """Put a copy of the package with compiled modules into `folder`."""
    _copy(folder)
    sources = [f"streamcore/{name}.py" for name in HOT_MODULES]
    for source in sources:
        path = folder / source
        path.write_text(_compilable(path.read_text(encoding="utf-8")), encoding="utf-8")
    (folder / "setup.py").write_text(_SETUP, encoding="utf-8")
    command = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace", ",".join(sources)]
    subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL)


def _copy(folder: Path) -> None:
    for part in _PARTS:
        shutil.copytree(_ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))


def _medians(folder: Path, rows: list[str], captures: Path | None) -> dict[str, float]:
    """What ours takes in each row of the benchmarks in a folder; in rows of ours alone, its last."""
    command = [sys.executable, "-m", "benchmarks", "--seconds", "1", "--json", "results.json", "--rows", *rows]
    command += ["--captures", str(captures)] if captures else []
    subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": ""})
    found = json.loads((folder / "results.json").read_text(encoding="utf-8"))["rows"]
    ours = {row["work"]: row["values"].get(OURS) or list(row["values"].values())[-1] for row in found}
    return {work: statistics.median(values) for work, values in ours.items()}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compiled", description=__doc__)
    parser.add_argument("--captures", type=Path, metavar="DIR", help="as for the benchmarks")
    parser.add_argument("--rows", nargs="+", metavar="ROW", default=list(_ROWS), help="which (default: the hot ones)")
    options = parser.parse_args()
    captures = options.captures.resolve() if options.captures else None
    with tempfile.TemporaryDirectory() as scratch:
        plain, compiled = Path(scratch, "plain"), Path(scratch, "compiled")
        _copy(plain)
        build(compiled)
        runs = [
            (_medians(plain, options.rows, captures), _medians(compiled, options.rows, captures)) for _ in range(_TIMES)
        ]
    for work in runs[0][0]:
        before = statistics.median(one[work] for one, _ in runs)
        ratio = statistics.median(one[work] / other[work] for one, other in runs)
        print(f"{work:60} {before * 1e6:12.2f} µs   compiled {ratio:.2f}× faster")


if __name__ == "__main__":
    main()
