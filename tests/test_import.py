"""What `import streamcore` loads, and what is loaded when it is needed."""

from __future__ import annotations

import subprocess
import sys

import cattrs
import pytest
from helpers import FIXTURES

import streamcore._converter
from streamcore import codec, engine

OURS = ["streamcore.types", "streamcore.engine", "streamcore.stream"]
HEAVY = ["aiohttp", "anyio", "cattrs", "click", "httpx", "httpx2", "hypothesis", "pytest", "rich", "yaml"]


def loaded_by(code: str, watched: list[str] = HEAVY) -> set[str]:
    """Which of the heavy libraries, or of the modules watched, are loaded at the end of a program of its own."""
    code += f"\nimport sys; print(*sys.modules.keys() & set({watched}))"
    return set(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split())


def test_the_import_loads_attrs_and_msgspec_only() -> None:
    assert loaded_by("from streamcore import *; import streamcore.codec") == set()


@pytest.mark.parametrize(
    ("program", "loaded"),
    [
        ("import streamcore", set()),
        ("from streamcore import SSEDecoder, Limits, ProtocolError", set()),
        ("from streamcore import MessageEngine", {"streamcore.types", "streamcore.engine"}),
        ("import streamcore; streamcore.MessageStream", set(OURS)),
        ("import streamcore; streamcore.types.TextBlock", {"streamcore.types"}),
        ("import streamcore.testing.plugin", set()),
    ],
)
def test_a_name_loads_what_it_stands_on(program: str, loaded: set[str]) -> None:
    assert loaded_by(program, OURS) == loaded


def test_every_public_name_is_found_and_listed() -> None:
    for name in streamcore.__all__:
        assert getattr(streamcore, name) is getattr(streamcore, name)
    assert {*streamcore.__all__, "__doc__"} <= set(dir(streamcore))
    assert streamcore.MessageEngine is engine.MessageEngine
    with pytest.raises(AttributeError, match=r"module 'streamcore' has no attribute 'Konvert'"):
        streamcore.Konvert  # type: ignore[attr-defined]  # noqa: B018


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
    assert codec.converter is streamcore._converter.converter
    with pytest.raises(AttributeError, match=r"module 'streamcore\.codec' has no attribute 'konverter'"):
        codec.konverter  # type: ignore[attr-defined]  # noqa: B018
