"""What mypyc would give: `python -m benchmarks.compiled` compiles the hot modules in a copy of the package and measures
it beside a copy that is as it was. Needs mypyc, which comes with mypy, and a C compiler. NOTES.md says what came out.

mypyc translates all of the sources, but three things in them fail when they run, and are otherwise in the copy:

- What is assigned to an annotated name is checked, also in the body of a class, and `attrs.field()` is of none of the
  types that it is annotated with there. A class that calls it gets a written-out `__init__`.
- No slice object is taken for an index of bytes: such slices are written out.
- A module's `__getattr__` that mypy is not shown is taken to be unreachable: `codec` stays interpreted.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from benchmarks.harness import OURS
from benchmarks.targets import faster

_ROOT = Path(__file__).parent.parent
_PARTS = ("streamcore", "benchmarks", "fixtures")

# Not `codec`, for its `__getattr__`, nor `_uncopied`: interpreted classes derive from it, too.
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

level, sources = sys.argv.pop(), sys.argv.pop()
setup(name="compiled", packages=[], ext_modules=mypycify(sources.split(","), opt_level=level))
"""

_FIELD = re.compile(r"^    (\w+): (.+?) = attrs\.field\((.*)\)(?:  #.*)?\n", re.MULTILINE)
_SLICES = {"chunk[shape.head]": "chunk[: shape.quote + 1]", "chunk[PAYLOAD]": "chunk[PAYLOAD.start :]"}
_DEFINE = re.compile(r"@attrs\.define\(.*\)\n(?=class \w+(?:\(\w+\))?:\n)")


class CompilationError(Exception):
    """mypyc or the C compiler has refused the copy, with what they wrote."""


def missing() -> str | None:
    """What must be there and is not."""
    # mypyc imports setuptools, which Python brings until 3.11, and mypy with its extra.
    if any(importlib.util.find_spec(name) is None for name in ("mypyc", "setuptools")):
        return "mypyc is not installed: pip install 'mypy[mypyc]'"
    compiler = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    if shutil.which(compiler.split()[0]) is None:
        return f"there is no C compiler: {compiler}"
    if not Path(sysconfig.get_path("include"), "Python.h").is_file():
        return "the C compiler has no headers of Python"
    return None


def _compilable(source: str) -> str:
    """A module as it can be compiled."""
    for prepared, written in _SLICES.items():
        source = source.replace(prepared, written)
    fields = list(_FIELD.finditer(source))
    return _with_init(source, fields) if fields else source


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


def build(folder: Path, *, optimize: int = 3) -> None:
    """Put a copy of the package with compiled modules into `folder`.

    Args:
        optimize: The level of the C compiler's optimization.

    Raises:
        CompilationError: The sources cannot be compiled.
    """
    _copy(folder)
    sources = [f"streamcore/{name}.py" for name in HOT_MODULES]
    for source in sources:
        path = folder / source
        path.write_text(_compilable(path.read_text(encoding="utf-8")), encoding="utf-8")
    (folder / "setup.py").write_text(_SETUP, encoding="utf-8")
    command = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace", ",".join(sources), str(optimize)]
    # What mypyc has to say, it says on standard output; warnings that stop nothing are not for the table.
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise CompilationError(f"the sources cannot be compiled:\n{done.stdout}")


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
    if lacking := missing():
        sys.exit(lacking)
    captures = options.captures.resolve() if options.captures else None
    with tempfile.TemporaryDirectory() as scratch:
        plain, compiled = Path(scratch, "plain"), Path(scratch, "compiled")
        _copy(plain)
        try:
            build(compiled)
        except CompilationError as error:
            sys.exit(str(error))
        runs = [
            (_medians(plain, options.rows, captures), _medians(compiled, options.rows, captures)) for _ in range(_TIMES)
        ]
    for work in runs[0][0]:
        before = statistics.median(one[work] for one, _ in runs)
        ratio = statistics.median(one[work] / other[work] for one, other in runs)
        print(f"{work:72} {before * 1e6:12.2f} µs   compiled {faster(ratio)}")


if __name__ == "__main__":
    main()
