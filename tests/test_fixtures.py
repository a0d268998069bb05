"""The streams in `fixtures/`: they are what their script writes, and each ends as it is meant to."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from streamcore import (
    DecodeError,
    EventOrderError,
    IncompleteStreamError,
    Message,
    MessageEngine,
    ProtocolError,
)

FIXTURES = Path(__file__).parents[1] / "fixtures"
GOOD = sorted(FIXTURES.glob("*.sse"))
BROKEN: dict[str, type[ProtocolError]] = {
    "cut-inside-event": IncompleteStreamError,
    "error": IncompleteStreamError,
    "truncated": IncompleteStreamError,
    "unstarted-block": EventOrderError,
    "wrong-input": DecodeError,
}
VIOLATIONS = {"nameless": {"event_name"}, "repeated-start": {"repeated_message_start"}, "unknown": {"unapplied_delta"}}


def read(path: Path) -> MessageEngine:
    engine = MessageEngine(multiple_messages=True)
    engine.receive_data(path.read_bytes())
    for _ in engine.events():
        pass
    engine.receive_eof()
    for _ in engine.events():
        pass
    return engine


def message(name: str) -> Message:
    return read(FIXTURES / f"{name}.sse").final_message


def test_the_files_are_what_the_script_writes() -> None:
    process = subprocess.run(
        [sys.executable, FIXTURES / "make.py", "--check"],
        env={"PYTHONPATH": str(FIXTURES.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.stderr == ""
    assert process.returncode == 0


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_good_stream_is_complete_and_odd_only_where_it_is_meant_to_be(path: Path) -> None:
    engine = read(path)
    assert engine.complete
    assert {violation.kind for violation in engine.violations} == VIOLATIONS.get(path.stem, set())


@pytest.mark.parametrize("path", sorted((FIXTURES / "broken").glob("*.sse")), ids=lambda path: path.stem)
def test_a_broken_stream_fails_as_it_is_meant_to(path: Path) -> None:
    with pytest.raises(ProtocolError) as caught:
        read(path)
    assert type(caught.value) is BROKEN[path.stem]
    assert caught.value.snapshot is not None


def test_the_weather_stream_thinks_talks_and_calls_a_tool() -> None:
    blocks = message("weather").content
    assert [block.type for block in blocks] == ["thinking", "text", "tool_use"]
    assert message("weather").stop_reason == "tool_use"


def test_tools_in_turn_get_each_its_own_input() -> None:
    _, first, second = message("interleaved").to_dict()["content"]
    assert (first["input"], second["input"]) == ({"zone": "America/La_Paz"}, {"zone": "Pacific/Apia"})


def test_input_cut_by_max_tokens_is_as_far_as_it_came() -> None:
    final = message("max-tokens")
    assert final.stop_reason == "max_tokens"
    assert final.to_dict()["content"][0]["input"] == {"path": "poem.txt", "lines": ["The sea", "the sea"]}


def test_what_is_unknown_is_kept() -> None:
    final = message("unknown").to_dict()
    assert [block["type"] for block in final["content"]] == ["sketch", "text"]
    assert final["content"][1] == {"type": "text", "text": "Hello", "tone": "warm"}
    assert final["mood"] == "calm"
    assert final["usage"]["ink"] == 7


def test_the_streams_cover_padding_comments_and_both_line_ends() -> None:
    assert b"     }\n" in (FIXTURES / "weather.sse").read_bytes()
    assert b"\n: keep-alive\n" in (FIXTURES / "pings.sse").read_bytes()
    assert b"\r\n\r\n" in (FIXTURES / "crlf.sse").read_bytes()
    assert b"\r" not in (FIXTURES / "text.sse").read_bytes()
