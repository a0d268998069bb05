"""The rooms of the package: who may import whom, and that no outer room imports what is private to another."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import streamcore

PACKAGE = Path(streamcore.__file__).parent

# From the inside to the outside. A room imports from the lines above its own; rooms on one line do not know each other.
ORDER = """
    _objects _extras _steps limits
    errors
    _checkpoint
    partial_json sse
    types
    codec
    accumulator
    typed
    _event_source
    _engine_state
    decoders engine
    stream
    streamcore
    api
    bedrock
    aiohttp httpx urllib3
    anthropic
    replay
    testing
    cli
    __main__
"""
RANK = {room: rank for rank, line in enumerate(ORDER.split("\n")) for room in line.split()}
OUTER = {"typed", *(room for room in RANK if RANK[room] > RANK["streamcore"])}


def room_of(dotted: str) -> str:
    """Return the room of a module or name. The package itself, and the names that it exports, are a room too."""
    room = dotted.split(".")[1] if "." in dotted else "streamcore"
    return room if room in RANK else "streamcore"


def room_of_file(path: Path) -> str:
    name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    room = name.split(".")[1]
    assert room in RANK or room == "__init__", f"{room} is a new room: add it to ORDER"
    return room_of(name)


def imports(node: ast.AST) -> Iterator[str]:
    """Yield what a tree imports from the package, but for imports that only type checkers see."""
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        for other in node.orelse:
            yield from imports(other)
        return
    names: list[str] = []
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0
        names = [f"{node.module}.{alias.name}" for alias in node.names]
    elif isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    yield from (name for name in names if name.split(".")[0] == "streamcore")
    for child in ast.iter_child_nodes(node):
        yield from imports(child)


FILES = {path: ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))}


def test_a_room_that_is_not_in_the_order_is_named() -> None:
    with pytest.raises(AssertionError, match="new_room is a new room: add it to ORDER"):
        room_of_file(PACKAGE / "new_room" / "__init__.py")


@pytest.mark.parametrize("room", RANK)
def test_a_room_imports_only_from_rooms_further_inside(room: str) -> None:
    files = [path for path in FILES if room_of_file(path) == room]
    assert files
    used = {(path.name, room_of(name)) for path in files for name in imports(FILES[path])}
    assert [(file, other) for file, other in used if other != room and RANK[other] >= RANK[room]] == []


ADAPTERS = {room for room in RANK if RANK[room] == RANK["httpx"]}
WITH_CLIENTS = {room for room in ADAPTERS if (PACKAGE / room / "client.py").exists()}
# Tests that open each adapter in a way of its own.
LISTS_OF_CLIENTS = [
    "tests/adapters.py",
    "tests/cli/test_serve.py",
    "tests/replay/recording/test_replay_record.py",
    "tests/replay/transports/test_replay_outcomes.py",
    "streamcore/testing/plugin.py",
]
LISTS_OF_ADAPTERS = ["tests/stream/test_stream_over.py", "tests/test_extras.py"]


def test_each_list_of_adapters_has_each_of_them() -> None:
    assert {"httpx", "aiohttp"} <= WITH_CLIENTS < ADAPTERS
    for files, rooms in ((LISTS_OF_CLIENTS, WITH_CLIENTS), (LISTS_OF_ADAPTERS, ADAPTERS)):
        for file in files:
            text = (PACKAGE.parent / file).read_text(encoding="utf-8")
            assert {room for room in rooms if f"streamcore.{room}" not in text} == set(), file


def test_the_reference_has_each_public_room() -> None:
    tree = ast.parse((PACKAGE.parent / ".ci" / "reference.py").read_text(encoding="utf-8"))
    (public,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "PUBLIC"
    )
    found = {room_of(name) for name in public}
    internal = {"api", "accumulator", "decoders", "engine", "cli", "__main__"}  # users get their names elsewhere
    assert {room for room in RANK if not room.startswith("_")} | {"__main__"} == found | internal


def test_the_map_has_each_room() -> None:
    table = (PACKAGE / "README.md").read_text(encoding="utf-8").partition("## The rooms")[2].partition("\n## ")[0]
    rooms = RANK.keys() - {"streamcore", "__main__"}  # the package itself
    assert {room for room in rooms if not re.search(rf"`{room}(/|\.py)`", table)} == set()


def test_no_outer_room_imports_what_is_private_to_another() -> None:
    found = set()
    for path, tree in FILES.items():
        room = room_of_file(path)
        # `ast.walk` sees the imports for type checkers too.
        for name in {name for node in ast.walk(tree) for name in imports(node)}:
            inside = name.split(".")[2:]
            private = any(part.startswith("_") and not part.startswith("__") for part in inside)
            if room in OUTER and private and room_of(name) != room:
                found.add(f"{path.relative_to(PACKAGE.parent)}: {name}")
    assert found == set()
