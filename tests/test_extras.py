"""What an import says when the library that it needs is not installed: one line, with the extra that installs it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import streamcore

IMPORTS = [
    ("import streamcore.httpx", "httpx2", "streamcore-messages[httpx]"),
    ("import streamcore.httpx", "anyio", "streamcore-messages[httpx]"),
    ("from streamcore.httpx.client import Anthropic", "httpx2", "streamcore-messages[httpx]"),
    ("import streamcore.aiohttp", "aiohttp", "streamcore-messages[aiohttp]"),
    ("import streamcore.aiohttp", "multidict", "streamcore-messages[aiohttp]"),
    ("from streamcore.aiohttp.client import AsyncAnthropic", "aiohttp", "streamcore-messages[aiohttp]"),
    ("import streamcore.urllib3", "urllib3", "streamcore-messages[urllib3]"),
    ("import streamcore.anthropic", "anthropic", "streamcore-messages[anthropic]"),
    ("from streamcore.anthropic import wrap", "httpx2", "streamcore-messages[anthropic]"),
    ("import streamcore.bedrock", "botocore", "streamcore-messages[bedrock]"),
    ("import streamcore.replay.httpx2", "httpx2", "streamcore-messages[httpx]"),
    ("import streamcore.replay.httpx", "httpx", "httpx"),
    ("import streamcore.replay.aiohttp", "aiohttp", "streamcore-messages[aiohttp]"),
    ("import streamcore.replay.server", "aiohttp", "streamcore-messages[serve]"),
    ("import streamcore.replay.server", "anyio", "streamcore-messages[serve]"),
    ("import streamcore.replay.server.proxy", "aiohttp", "streamcore-messages[serve]"),
    ("import streamcore.testing.strategies", "hypothesis", "streamcore-messages[testing]"),
    ("from streamcore.testing import check_accumulator", "hypothesis", "streamcore-messages[testing]"),
]


def failure(statement: str, library: str) -> str:
    """Run a statement in a process that cannot import a library, and return the last line that it prints."""
    program = f"import sys; sys.modules[{library!r}] = None\n{statement}"
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert process.returncode == 1, process.stderr
    assert "During handling" not in process.stderr
    return process.stderr.splitlines()[-1]


@pytest.mark.parametrize(("statement", "library", "requirement"), IMPORTS)
def test_an_import_without_its_library_says_what_to_install(statement: str, library: str, requirement: str) -> None:
    said = failure(statement, library)
    assert said.startswith("streamcore._extras.NotInstalledError: ")
    quoted = f"'{requirement}'" if "[" in requirement else requirement
    said = said.removeprefix("streamcore._extras.NotInstalledError: ")
    name, _, rest = said.partition(" is not installed, which this needs: pip install ")
    assert name.partition(".")[0] == library
    assert rest == quoted


def test_the_error_is_one_that_programs_expect_of_an_import() -> None:
    program = """
import sys
sys.modules["httpx2"] = None
try:
    import streamcore.httpx
except ModuleNotFoundError as error:
    assert error.name == "httpx2"
else:
    raise SystemExit("imported")
try:
    import streamcore.nothing
except ModuleNotFoundError as error:
    assert "pip install" not in str(error)
"""
    subprocess.run([sys.executable, "-c", program], check=True)


CORE_LIBRARIES = {"attrs", "attr", "cattrs", "msgspec", "typing_extensions"}
# All that modules of the package import, but for the plugin of pytest.
LIBRARIES = sorted(
    {
        name.partition(".")[0]
        for path in Path(streamcore.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names])
    }
    - sys.stdlib_module_names
    - CORE_LIBRARIES
    - {"streamcore", "pytest"}
)


@pytest.mark.parametrize("module", ["streamcore.replay", "streamcore.cli", "streamcore.testing", "streamcore.typed"])
def test_these_import_without_any_extra(module: str) -> None:
    assert {"aiohttp", "urllib3", "yaml"} < set(LIBRARIES)
    program = f"import sys; sys.modules.update(dict.fromkeys({LIBRARIES})); import {module}"
    subprocess.run([sys.executable, "-c", program], check=True)
