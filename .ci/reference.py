"""Build the reference of all public modules from their docstrings: `python .ci/reference.py FOLDER` (extra `docs`).

pdoc shows the submodules of a package only if the package has no `__all__`, so the modules are named here.
A module that is not among them is not public.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from pathlib import Path

import pdoc
import pdoc.render

PUBLIC = [
    "streamcore",
    "streamcore.types",
    "streamcore.errors",
    "streamcore.limits",
    "streamcore.sse",
    "streamcore.codec",
    "streamcore.partial_json",
    "streamcore.stream",
    "streamcore.typed",
    "streamcore.api",
    "streamcore.httpx",
    "streamcore.aiohttp",
    "streamcore.urllib3",
    "streamcore.anthropic",
    "streamcore.bedrock",
    "streamcore.replay",
    "streamcore.replay.faults",
    "streamcore.replay.redaction",
    "streamcore.replay.httpx",
    "streamcore.replay.httpx2",
    "streamcore.replay.aiohttp",
    "streamcore.replay.server",
    "streamcore.testing",
    "streamcore.testing.strategies",
]


def main(folder: Path) -> None:
    """Write a page for each public module, and an index."""
    for name in PUBLIC:
        module = importlib.import_module(name)
        for public in getattr(module, "__all__", ()):
            setattr(module, public, getattr(module, public))  # pdoc does not see what is imported when it is first used
    # pdoc says of each type that is imported for type checkers only that it cannot be linked.
    warnings.filterwarnings("ignore", module="pdoc")
    warnings.filterwarnings("error", message=".*does not resolve")
    pdoc.render.configure(docformat="google")
    # The paths of `api/import_paths.py` have names of other modules.
    paths = ["!streamcore.httpx.types", "!streamcore.aiohttp.types"]
    pdoc.pdoc(*PUBLIC, *paths, output_directory=folder)
    missing = [name for name in PUBLIC if not folder.joinpath(*name.split(".")).with_suffix(".html").exists()]
    if missing:
        raise SystemExit(f"no page was written for {', '.join(missing)}")
    print(f"{len(PUBLIC)} modules: {folder / 'index.html'}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
