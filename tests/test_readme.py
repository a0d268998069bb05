"""What some examples of the guides print and return. `test_guides.py` runs all examples."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from guides import FIXTURES, PACKAGE, ROOT, python_example, run
from helpers import HELLO, body
from server import serving, stream_reply

import streamcore.httpx
import streamcore.replay.faults
from streamcore import MessageEngine
from streamcore.api.json_body import json_body
from streamcore.replay.faults.kinds import FAULTS
from streamcore.replay.formats import files

README = ROOT / "README.md"
CLIENTS = PACKAGE / "httpx" / "README.md"
CAPTURES = PACKAGE / "replay" / "README.md"
TYPED = PACKAGE / "typed" / "README.md"


# The README's tour


@pytest.mark.parametrize(("of", "id_"), [("MessageEngine", "msg_weather"), ("MessageStream", "msg_text")])
def test_the_examples_over_a_file_end_with_the_message(
    of: str, id_: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    found = run(python_example(README, f"import {of}\n"))
    assert found["message"].id == id_
    assert capsys.readouterr().out


def test_the_example_of_a_client_prints_the_answer(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(stream_reply(body(*HELLO))) as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", "key")
        run(python_example(README, "import streamcore.httpx as anthropic\n"))["client"].close()
    assert capsys.readouterr().out == "Hello"


# Events


def test_the_example_of_match_tells_events_apart(capsys: pytest.CaptureFixture[str]) -> None:
    engine = MessageEngine()
    engine.receive_data((FIXTURES / "weather.sse").read_bytes())
    run(python_example(PACKAGE / "types" / "README.md", "match event:"), events=list(engine.events()))
    printed = capsys.readouterr().out
    assert printed.startswith("Lisbon in November")
    assert printed.endswith("calls get_forecast\n")


# Clients


def test_the_tool_loop_sends_the_answer_back_as_it_came(capsys: pytest.CaptureFixture[str]) -> None:
    asking = MessageEngine()
    asking.receive_data((FIXTURES / "weather.sse").read_bytes())
    list(asking.events())
    with serving() as server:
        server.reply(stream_reply((FIXTURES / "weather.sse").read_bytes()), stream_reply(body(*HELLO)))
        with streamcore.httpx.Anthropic(api_key="k", base_url=server.url) as client:
            run(python_example(CLIENTS, "def talk("), client=client)
        first, second = (request.json()["messages"] for request in server.requests)
    assert second[: len(first)] == first
    assert json_body({"messages": second[1:2]}) == json_body({"messages": [asking.final_message]})
    assert [item["type"] for item in second[2]["content"]] == ["tool_result"]
    assert capsys.readouterr().out.endswith("Hello")


def test_the_examples_of_message_stream_print_the_text(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(always=stream_reply(body(*HELLO))) as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", "key")
        for room, import_line in (("httpx", "import httpx2\n"), ("urllib3", "import requests\n")):
            run(python_example(PACKAGE / room / "README.md", import_line))
            assert capsys.readouterr().out == "Hello"


# Captures


def test_the_examples_of_recording_and_replaying_end_with_the_same_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "key")
    with serving(stream_reply((FIXTURES / "text.sse").read_bytes())) as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        recorded = run(python_example(CAPTURES, "import record\n"))
        recorded["client"].close()
    expected = "".join(block.text for block in recorded["message"].content)
    run(python_example(CAPTURES, "import ReplayTransport\n"))
    assert capsys.readouterr().out == f"{expected}\n"
    assert expected


def test_the_example_of_a_broken_stream_ends_with_the_snapshot(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    run(python_example(CAPTURES, "import Cut"))
    assert "no more than Message(" in capsys.readouterr().out


def test_the_table_of_faults_has_each_of_them() -> None:
    rows = CAPTURES.read_text(encoding="utf-8").partition("| fault |")[2].partition("\n\n")[0].splitlines()[2:]
    found = [name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert sorted(found) == sorted(cls.__name__ for cls in FAULTS.values())
    for name in FAULTS:
        assert any(re.search(rf"`{name}[:`]", row.split("|")[3]) for row in rows), f"no row has {name} as a text"


def test_the_table_of_files_has_each_suffix() -> None:
    table = CAPTURES.read_text(encoding="utf-8").partition("| file | holds |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(\.\w+)`", table)) == set(files.SUFFIXES)


# Tests


def test_the_example_of_streams_that_differ_prints_what_the_guide_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    guide = PACKAGE / "testing" / "README.md"
    run(python_example(guide, "import assert_same_stream"))
    printed = guide.read_text(encoding="utf-8").partition("It prints:\n\n```text\n")[2].partition("```")[0]
    assert capsys.readouterr().out == printed


# Typed answers


def _asking(fixture: str, example: str, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Run an example that asks a client: what it prints, each with the text of the message so far."""
    chunks = [chunk + b"\n\n" for chunk in (FIXTURES / fixture).read_bytes().split(b"\n\n") if chunk]
    printed: list[tuple[str, str]] = []

    def note(*words: object) -> None:
        content = namespace["stream"].current_message_snapshot.content
        printed.append((" ".join(map(str, words)), getattr(content[-1], "text", "")))

    with serving(stream_reply(*chunks)) as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", "key")
        with streamcore.httpx.Anthropic() as client:
            namespace: dict[str, Any] = {"client": client, "print": note}
            exec(compile(example, "README.md", "exec", dont_inherit=True), namespace)
            namespace["client"].close()
    printed.append((repr(namespace.get("answer") or namespace.get("calls")), ""))
    return printed


def test_the_example_of_typed_answers_renders_results_one_by_one_while_they_stream(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    *results, (answer, _) = _asking("results.sse", python_example(TYPED, "class SearchResult:"), monkeypatch)
    assert [line for line, _ in results] == [
        " 97%  Why the sea rises twice a day  <https://example.org/tides>",
        ' 90%  Spring and "neap"  <https://example.org/tides/spring?moon=full>',
        " 62%  Les marées de Saint-Malo 🌊  <https://example.org/saint-malo>",
    ]
    assert answer.startswith("Answer(question='Where can I read about tides?', results=[SearchResult(")
    for number, (_, so_far) in enumerate(results, start=1):
        # Each is printed when as many results are complete, and the next is not.
        assert so_far.count("}") == number or number == len(results)
        assert so_far.count('"relevance"') == number


def test_the_example_of_tools_shows_the_input_while_it_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    example = f"import attrs\n{python_example(TYPED, 'class GetForecast:')}"
    *cities, (calls, _) = _asking("weather.sse", example, monkeypatch)
    lines = list(dict.fromkeys(line for line, _ in cities))
    assert lines[0] == "The weather in L"[: len(lines[0])]
    assert lines[-1] == "The weather in Lisbon"
    assert len(lines) > 1
    assert calls == "[GetForecast(city='Lisbon', days=3)]"
