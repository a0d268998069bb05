"""What `import streamcore` loads, and what is loaded when it is needed."""

from __future__ import annotations

import subprocess
import sys

import cattrs
import pytest
from helpers import FIXTURES

import streamcore._converter
from streamcore import codec

HEAVY = ["aiohttp", "anyio", "cattrs", "click", "httpx", "httpx2", "hypothesis", "pytest", "rich", "yaml"]


def loaded_by(code: str) -> set[str]:
    """Which of the heavy libraries are loaded at the end of a program of its own."""
    code += f"\nimport sys; print(*sys.modules.keys() & set({HEAVY}))"
    return set(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split())


def test_the_import_loads_attrs_and_msgspec_only() -> None:
    assert loaded_by("import streamcore, streamcore.types, streamcore.codec") == set()


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
