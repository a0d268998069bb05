"""The examples in the README run as they are printed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from helpers import HELLO, body
from server import json_reply, serving, stream_reply

from streamcore.api.json_body import json_body

ROOT = Path(__file__).parent.parent
EXAMPLES = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)


class _Response:
    """What the examples call `response`: a recorded body, in chunks that mean nothing."""

    closed = False

    def iter_bytes(self) -> list[bytes]:
        data = (ROOT / "fixtures" / "weather.sse").read_bytes()
        return [data[start : start + 100] for start in range(0, len(data), 100)]

    def close(self) -> None:
        self.closed = True


def _run(example: str) -> dict[str, Any]:
    namespace: dict[str, Any] = {"response": _Response()}
    exec(compile(example, "README.md", "exec"), namespace)
    return namespace


@pytest.mark.parametrize("of", ["MessageEngine", "MessageStream"])
def test_the_examples_over_a_response_end_with_the_message(of: str, capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = [example for example in EXAMPLES if f"import {of}\n" in example]
    found = _run(example)
    assert found["message"].id == "msg_weather"
    assert found["message"].stop_reason == "tool_use"
    assert capsys.readouterr().out


def test_the_example_of_match_tells_events_apart(capsys: pytest.CaptureFixture[str]) -> None:
    from streamcore import MessageEngine

    (example,) = [example for example in EXAMPLES if example.startswith("match event:")]
    engine = MessageEngine()
    for chunk in _Response().iter_bytes():
        engine.receive_data(chunk)
    for event in engine.events():
        exec(f"from streamcore.types import *\n{example}", {"event": event})
    assert "Lisbon" in capsys.readouterr().out


# Captures


def _example(of: str) -> str:
    (example,) = [str(example) for example in EXAMPLES if of in example]
    return example


def test_the_examples_of_recording_and_replaying_end_with_the_same_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import streamcore.httpx

    monkeypatch.chdir(tmp_path)
    data = (ROOT / "fixtures" / "text.sse").read_bytes()
    with serving(stream_reply(data)) as server, streamcore.httpx.Anthropic(api_key="k", base_url=server.url) as client:
        namespace: dict[str, Any] = {"client": client}
        exec(compile(_example("import record\n"), "README.md", "exec"), namespace)
    expected = "".join(block.text for block in namespace["message"].content)
    exec(compile(_example("import ReplayTransport\n"), "README.md", "exec"), {})
    assert capsys.readouterr().out == f"{expected}\n"
    assert expected


def test_the_example_of_a_broken_stream_ends_with_the_snapshot(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    exec(compile(_example("import Cut"), "README.md", "exec"), {})
    assert "no more than Message(" in capsys.readouterr().out


# A client


def test_the_examples_of_a_client_ask_and_go_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (ask,) = [example for example in EXAMPLES if example.startswith("import streamcore.httpx as anthropic\n")]
    (go_on,) = [example for example in EXAMPLES if "turns: list[MessageParam]" in example]
    message = {**HELLO[0]["message"], "content": [{"type": "text", "text": "And you?"}], "stop_reason": "end_turn"}
    with serving() as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", "key")
        server.reply(stream_reply(body(*HELLO)), json_reply(message))
        namespace: dict[str, Any] = {}
        exec(compile(ask, "README.md", "exec"), namespace)
        assert capsys.readouterr().out == "Hello"
        exec(compile(go_on, "README.md", "exec"), namespace)
        namespace["client"].close()
        assert json_body({"messages": namespace["turns"]}) == json_body(
            {"messages": [*server.requests[1].json()["messages"], {"role": "assistant", "content": message["content"]}]}
        )


def test_the_examples_of_message_stream_print_the_text(capsys: pytest.CaptureFixture[str]) -> None:
    examples = [example for example in EXAMPLES if "import message_stream" in example]
    assert len(examples) == 2
    with serving(always=stream_reply(body(*HELLO))) as server:
        for example in examples:
            given: dict[str, Any] = {"url": server.url, "headers": {}, "request": {}}
            exec(compile(example, "README.md", "exec"), given)
            assert capsys.readouterr().out == "Hello"


# Typed answers


def _asking(fixture: str, example: str) -> list[tuple[str, str]]:
    """Run an example that asks a client: what it prints, each with the text of the message so far."""
    import streamcore.httpx

    chunks = [chunk + b"\n\n" for chunk in (ROOT / "fixtures" / fixture).read_bytes().split(b"\n\n") if chunk]
    printed: list[tuple[str, str]] = []

    def note(*words: object) -> None:
        content = namespace["stream"].current_message_snapshot.content
        printed.append((" ".join(map(str, words)), getattr(content[-1], "text", "")))

    with (
        serving(stream_reply(*chunks)) as server,
        streamcore.httpx.Anthropic(api_key="k", base_url=server.url) as client,
    ):
        namespace: dict[str, Any] = {"client": client, "print": note}
        exec(compile(example, "README.md", "exec", dont_inherit=True), namespace)
    printed.append((repr(namespace.get("answer") or namespace.get("calls")), ""))
    return printed


def test_the_example_of_typed_answers_renders_results_one_by_one_while_they_stream() -> None:
    *results, (answer, _) = _asking("results.sse", _example("class SearchResult:"))
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


def test_the_example_of_tools_shows_the_input_while_it_streams() -> None:
    *cities, (calls, _) = _asking("weather.sse", _example("class GetForecast:"))
    lines = list(dict.fromkeys(line for line, _ in cities))
    assert lines[0] == "The weather in L"[: len(lines[0])]
    assert lines[-1] == "The weather in Lisbon"
    assert len(lines) > 1
    assert calls == "[GetForecast(city='Lisbon', days=3)]"


# Streams to test with


def test_the_examples_of_strategies_and_of_check_accumulator_pass() -> None:
    from streamcore import MessageStream

    for word, test in (("whole_streams", "test_engine"), ("check_accumulator", "test_accumulate")):
        (example,) = [example for example in EXAMPLES if f"import {word}\n" in example]
        namespace: dict[str, Any] = {"MessageStream": MessageStream}
        exec(compile(example.replace("])", "], max_examples=5)"), "README.md", "exec"), namespace)
        namespace[test]()
