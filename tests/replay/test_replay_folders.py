"""The folders of the room depend on each other in the order of the table in its README."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import streamcore.replay

ROOM = Path(streamcore.replay.__file__).parent
TABLE = (ROOM / "README.md").read_text().partition("| folder or file |")[2].partition("\n\n")[0]
ROWS = [re.findall(r"`(\w+)(?:\.py|/)`", row) for row in TABLE.splitlines()[2:]]
ROW_OF = {name: number for number, names in enumerate(ROWS) for name in names}


def modules() -> list[Path]:
    return [path for path in ROOM.rglob("*.py") if path != ROOM / "__init__.py"]


def part_of(path: Path) -> str:
    return path.relative_to(ROOM).parts[0].removesuffix(".py")


def test_the_table_has_every_folder_and_file() -> None:
    assert {part_of(path) for path in modules()} == set(ROW_OF)


def test_a_folder_imports_only_from_the_rows_above_it() -> None:
    wrong = [
        f"{path.relative_to(ROOM)} imports {node.module}"
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("streamcore.replay")
        if ROW_OF[(node.module or "").split(".")[2]] > ROW_OF[part_of(path)]
    ]
    assert wrong == []


def test_each_folder_describes_each_of_its_files() -> None:
    for folder in {path.parent for path in modules()} - {ROOM}:
        described = (folder / "__init__.py").read_text()
        for path in folder.glob("[a-z]*.py"):
            assert f"`{path.name}`" in described, path
