"""The fuzzer's targets, without the fuzzer: on the streams it starts from, and on all that it has found."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from helpers import FIXTURES, stream_id

FUZZ = Path(__file__).parent / "fuzz"
sys.path.insert(0, str(FUZZ))

from targets import TARGETS, chunked, engine, partial_json, sse  # noqa: E402

FINDS = sorted(path for path in (FUZZ / "finds").glob("*/*") if path.is_file())


@pytest.mark.parametrize("path", [path for path in FIXTURES if path.stat().st_size < 3000], ids=stream_id)
@pytest.mark.parametrize("cut", [0, 7])
def test_targets_hold_on_fixtures(path: Path, cut: int) -> None:
    data = bytes([cut]) + path.read_bytes()
    for target in (sse, engine, partial_json):
        target(data)


@pytest.mark.parametrize("path", FINDS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_targets_hold_on_what_was_found(path: Path) -> None:
    TARGETS[path.parent.name](path.read_bytes())


def test_the_first_byte_says_how_the_rest_is_cut() -> None:
    assert chunked(b"\x02abc") == (b"abc", [b"ab", b"c"])
    assert chunked(b"\x00a\n\nb") == (b"a\n\nb", [b"a\n\n", b"b"])
    assert chunked(b"") == (b"", [])


def test_a_target_sees_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    path = next(path for path in FIXTURES if path.stem == "text")
    monkeypatch.setattr("targets.sse_frames", lambda data: ([], False))
    with pytest.raises(AssertionError):
        sse(b"\x01" + path.read_bytes())
    monkeypatch.setattr("targets._jiter_accepts", lambda text: True)
    with pytest.raises(AssertionError):
        partial_json(b"\x01[}")
