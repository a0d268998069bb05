"""What `import streamcore` loads, and what is loaded on first use."""

from __future__ import annotations

import subprocess
import sys

import cattrs
import pytest
from helpers import FIXTURES
from test_extras import LIBRARIES
from test_rooms import OUTER

import streamcore.codec._converter
from streamcore import codec, engine

HEAVY = sorted({*LIBRARIES, "cattrs", "pytest"})
OTHER_ROOMS = [f"streamcore.{room}" for room in sorted(OUTER)]


def loaded_by(code: str, watched: list[str] = HEAVY) -> set[str]:
    """Which of the heavy libraries, or of the modules watched, are loaded at the end of a program of its own."""
    code += f"\nimport sys; print(*sys.modules.keys() & set({watched}))"
    return set(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split())


def test_the_import_loads_attrs_and_msgspec_only() -> None:
    assert loaded_by("from streamcore import *; import streamcore.codec") == set()


def test_the_import_loads_the_core_only() -> None:
    code = "from streamcore import *; import streamcore.codec"
    assert loaded_by(code, [*OTHER_ROOMS, "streamcore.types.params", "streamcore.types.tool_params"]) == set()


def test_the_types_of_requests_are_loaded_on_first_use() -> None:
    params = ["streamcore.types.params"]
    assert loaded_by("from streamcore.types import TextBlock; import streamcore.types", params) == set()
    assert loaded_by("from streamcore.types import MessageParam", params) == set(params)


def test_a_star_import_of_the_types_gives_every_name() -> None:
    names: dict[str, object] = {}
    exec("from streamcore.types import *", names)  # our own text
    assert {"Message", "WireObject", "Unknown", "ParsedMessage", "MessageParam", "ToolUnionParam"} <= names.keys()
    assert not {"blocks", "params", "absent", "OutputT", "TYPE_CHECKING"} & names.keys()


def test_every_public_name_is_found_and_listed() -> None:
    for name in streamcore.__all__:
        assert getattr(streamcore, name) is getattr(streamcore, name)
    assert {*streamcore.__all__} <= set(dir(streamcore))
    assert streamcore.MessageEngine is engine.MessageEngine


def test_streams_are_decoded_without_cattrs() -> None:
    whole = [str(path) for path in FIXTURES if path.parent.name != "broken" and path.stem != "several"]
    code = f"""
from streamcore import MessageStream
for path in {whole}:
    with MessageStream(open(path, "rb")) as stream:
        for event in stream:
            stream.current_message_snapshot
"""
    assert len(whole) > 10
    assert loaded_by(code) == set()


def test_the_converter_is_loaded_when_it_is_asked_for() -> None:
    assert isinstance(codec.converter, cattrs.Converter)
    assert codec.converter is streamcore.codec._converter.converter
    with pytest.raises(AttributeError, match=r"module 'streamcore\.codec' has no attribute 'konverter'"):
        codec.konverter  # type: ignore[attr-defined]  # noqa: B018
