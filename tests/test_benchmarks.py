"""The benchmarks: figures are computed right, inputs match their names, peers do the same work. Nothing is timed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks import __main__ as command
from benchmarks import chart, harness, inputs, json_peers, node_peers, pipelines, readme, report, sse_peers
from benchmarks.harness import OURS, Contestant, Disagreement, Measured, Row
from benchmarks.rows import ROWS, Settings
from benchmarks.selection import comparable_streams
from benchmarks.targets import AtMost, AtMostBytes, Doubling, Faster, More, faster
from streamcore import MessageEngine

if TYPE_CHECKING:
    from collections.abc import Callable

MESSAGES = [
    inputs.long_text(5),
    inputs.multibyte(5),
    inputs.many_blocks(5),
    inputs.pings_and_comments(5),
    inputs.crlf(5),
    inputs.idle(5),
    inputs.large_tool_input(inputs.tool_input(200)),
    inputs.large_tool_input(inputs.written_file(200)),
]
A_MESSAGE = inputs.long_text(50)

# Targets


def test_faster_is_judged_by_the_fastest_of_the_others() -> None:
    target = Faster(2, ("slow", "fast"))
    values = {OURS: [1.0, 1.0, 1.0], "slow": [9.0, 9.0, 9.0], "fast": [3.0, 3.0, 3.0]}
    assert target.beside(values) == "fast"
    assert target.value(values) == 3.0
    assert target.met(2.0)
    assert not target.met(1.9)


def test_a_ratio_is_the_median_of_the_rounds_not_the_ratio_of_medians() -> None:
    # The machine was three times slower in the second round, for both.
    values = {OURS: [1.0, 3.0, 2.0], "other": [2.0, 6.0, 1.0]}
    assert Faster(1, ("other",)).value(values) == 2.0
    assert AtMost(1, "other").value(values) == 0.5


def test_at_most_is_missed_above_its_bound() -> None:
    assert AtMost(2, "other").met(2.0)
    assert not AtMost(2, "other").met(2.1)
    assert AtMostBytes(4096).met(AtMostBytes(4096).value({OURS: [4096.0]}))
    assert not AtMostBytes(4096).met(AtMostBytes(4096).value({OURS: [4097.0]}))


def test_doubling_is_judged_by_its_worst_step() -> None:
    target = Doubling(2.2, ("1", "2", "4"))
    assert target.value({"1": [1.0], "2": [2.0], "4": [6.0]}) == 3.0
    assert not target.met(3.0)


def test_what_both_need_for_a_start_does_not_count() -> None:
    values = {OURS: [1.5], "other": [6.0], "start": [1.0]}
    assert Faster(10, ("other",), start="start").value(values) == 10.0
    assert More(0.5, "start").value(values) == 0.5
    assert not More(0.5, "start").met(0.51)


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (497.4, "497× faster"),
        (1038, "1,038× faster"),
        (22.16, "22.2× faster"),
        (1.14, "1.1× faster"),
        (1.04, "as fast"),
        (1, "as fast"),
        (0.97, "as fast"),
        (0.7, "1.4× slower"),
        (0.005, "200× slower"),
    ],
)
def test_what_is_slower_is_not_called_faster(times: float, words: str) -> None:
    assert faster(times) == words
    assert Faster(2, ("other",)).reached(times) == words


# The harness


def contestant(name: str, took: list[float], result: object = None, units: float = 1) -> Contestant:
    figures = iter(took)
    return Contestant(name=name, measure=lambda: next(figures), units=units, result=lambda: result)


def test_contestants_take_turns_and_figures_are_for_a_unit() -> None:
    turns: list[str] = []

    def one(name: str) -> Contestant:
        def measure() -> float:
            turns.append(name)
            return len(turns)

        return Contestant(name=name, measure=measure, units=2, result=str)

    row = Row(name="row", contestants=[one(OURS), one("other")], most_rounds=4)
    assert harness.measure(row, seconds=60).values == {OURS: [0.5, 1.5, 2.5, 3.5], "other": [1.0, 2.0, 3.0, 4.0]}
    assert turns == [OURS, "other"] * 4


def test_there_are_three_rounds_at_least() -> None:
    row = Row(name="row", contestants=[contestant(OURS, [1.0] * 9)])
    assert harness.measure(row, seconds=0).values == {OURS: [1.0] * 3}


@pytest.mark.parametrize("run", [harness.smoke, lambda row: harness.measure(row, seconds=0)])
def test_contestants_that_make_different_things_are_not_compared(run: Callable[[Row], object]) -> None:
    row = Row(
        name="row", contestants=[contestant(OURS, [1.0], result="this"), contestant("other", [1.0], result="that")]
    )
    with pytest.raises(Disagreement, match="row: other and streamcore make different things"):
        run(row)


# The report


def measured(*, bound: float = 20) -> Measured:
    values = {OURS: [1e-6, 1e-6], "slow": [1e-5, 1e-5], "fast": [5e-7, 5e-7]}
    contestants = [contestant(name, took) for name, took in values.items()]
    row = Row(name="work", contestants=contestants, targets=[Faster(bound, ("slow",))])
    return Measured(row=row, values=values)


def test_a_row_has_a_line_for_each_target_and_each_other_contestant() -> None:
    lines = list(report.lines_of(measured()))
    assert [line.cells() for line in lines] == [
        ("work", "1.00 µs", "slow", "10.00 µs", "10.0× faster", "≥ 20× faster"),
        ("work", "1.00 µs", "fast", "0.50 µs", "2.0× slower", ""),
    ]
    assert [line.met for line in lines] == [False, None]


def test_a_row_of_ours_alone_shows_its_largest() -> None:
    values = {"1 MB": [1.0], "2 MB": [2.0]}
    contestants = [contestant(name, took) for name, took in values.items()]
    row = Row(name="work", contestants=contestants, targets=[Doubling(2.2, ("1 MB", "2 MB"))])
    (line,) = report.lines_of(Measured(row=row, values=values))
    assert line.cells() == ("work", "2,000.0 ms", "", "", "2.00×", "≤ 2.2× when doubled")


def test_what_misses_its_target_is_marked() -> None:
    assert report.missed([measured(bound=20), measured(bound=10)]) == 1
    assert "≥ 20× faster, **missed** |" in report.markdown(list(report.lines_of(measured())), report.HEADINGS)
    assert "missed" not in report.markdown(list(report.lines_of(measured(bound=10))), report.HEADINGS)


def test_json_has_every_round_and_the_verdicts(tmp_path: Path) -> None:
    found = json.loads(json.dumps(report.as_json([measured()])))
    assert found["rows"][0]["values"][OURS] == [1e-6, 1e-6]
    assert found["rows"][0]["lines"][0]["met"] is False
    assert found["versions"]["anthropic"]
    assert found["versions"] == report.versions()
    report.dump_for_pyperf([measured()], tmp_path / "values.json")
    assert "work: streamcore" in (tmp_path / "values.json").read_text()


def test_the_readme_has_a_place_for_the_table() -> None:
    text = readme.README.read_text(encoding="utf-8")
    section = readme.section([measured()], streams="3 made streams")
    once = readme.replaced(text, section)
    assert section in once
    assert readme.replaced(once, section) == once
    assert once.startswith(text.partition(readme.BEGIN)[0])
    assert once.endswith(text.partition(readme.END)[2])
    with pytest.raises(ValueError, match="no place"):
        readme.replaced(text.replace(readme.END, ""), section)


def test_versions_are_those_of_all_that_stand_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    of_node = {"node": "v1", node_peers.SDK: "2", node_peers.EVENTSOURCE_PARSER: "3"}
    monkeypatch.setattr(node_peers, "versions", lambda: of_node)
    versions = report.versions()
    assert versions.items() >= of_node.items()
    assert versions.keys() >= {*sse_peers.PEERS, "ijson", "jiter", "partial-json-parser", "msgspec", "orjson"}
    line = report.versions_line()
    assert all(f"{name} {number}" in line for name, number in versions.items())


def test_ours_is_named_with_its_commit_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=a", "-c", "user.email=a@localhost", "-c", "commit.gpgsign=false"]
        return subprocess.run(
            ["git", "-C", str(tmp_path), *identity, *arguments], check=True, capture_output=True, text=True
        ).stdout.strip()

    monkeypatch.setattr(report, "ROOT", tmp_path)
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "9.8"\n')
    assert report.versions()["streamcore"] == "9.8"
    if shutil.which("git") is None:
        pytest.skip("Git is not installed")
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "All")
    commit = git("rev-parse", "--short", "HEAD")
    (tmp_path / "README.md").touch()
    assert report.versions()["streamcore"] == f"9.8 ({commit})"
    (tmp_path / "streamcore").mkdir()
    (tmp_path / "streamcore" / "new.py").touch()
    assert report.versions()["streamcore"] == f"9.8 ({commit}, changed)"


def _as_in_any_run(work: str) -> str:
    """The name of a row without what is another where inputs have another size, or other streams are read."""
    return re.sub(r"(recorded and made|recorded|made) streams", "streams", re.sub(r"\d[\d,]*", "#", work))


def test_the_table_in_the_readme_has_the_rows_that_there_are(tmp_path: Path) -> None:
    section = readme.README.read_text(encoding="utf-8").partition(readme.BEGIN)[2].partition(readme.END)[0]
    lines = [line.removeprefix("| ").split(" | ")[0] for line in section.splitlines() if line.startswith("| ")]
    with ExitStack() as resources:
        settings = Settings(streams=[A_MESSAGE], scratch=tmp_path, resources=resources, smoke=True)
        rows = {_as_in_any_run(make(settings).name) for make in ROWS.values()}
    assert len(rows) == len(ROWS)
    there = {_as_in_any_run(line) for line in lines} - {"work", "---"}
    if node_peers.missing():
        there = {work for work in there if not work.endswith(", beside Node")}
    assert sorted(rows - there) == []
    assert sorted(there - rows) == []


def test_rows_and_report_say_which_streams_are_made_and_which_recorded(tmp_path: Path) -> None:
    (made,) = [stream for stream in inputs.read_folder(inputs.FIXTURES) if stream.name == "text"]
    (tmp_path / "one.sse").write_bytes(A_MESSAGE.data)
    (recorded,) = inputs.read_folder(tmp_path, recorded=True)
    for streams, kind, counted in [
        ([made], "made streams", "1 made streams"),
        ([recorded, recorded], "recorded streams", "2 recorded streams"),
        ([made, recorded], "recorded and made streams", "1 recorded and 1 made streams"),
    ]:
        assert inputs.counted(streams) == counted
        with ExitStack() as resources:
            settings = Settings(streams=streams, scratch=tmp_path, resources=resources, smoke=True)
            names = [ROWS[key](settings).name for key in ("recorded", "recorded-64k", "recorded-1400", "derived")]
            names += [ROWS[key](settings).name for key in ("derived-read", "sse-64k", "sse-16")]
        assert all(kind in name for name in names)
        assert len(set(names)) == len(names)


@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_the_chart_shows_all_that_were_measured(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"chart{suffix}"
    lines = {name: {2: 1e-6, 4: 2e-6} for name in chart.STYLES}
    chart.draw({"a text": lines}, path, caption="where")
    if suffix == ".svg":
        drawn = path.read_text(encoding="utf-8")
        assert all(name in drawn for name in ["a text", "where", *chart.STYLES])
    else:
        assert path.read_bytes().startswith(b"\x89PNG")


def test_the_command_writes_what_it_has_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "results.json"
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--rows", "memory-idle", "--json", str(path)])
    command.main()
    (row,) = json.loads(path.read_text())["rows"]
    assert row["work"] == "memory of an idle engine"
    assert len(row["values"][OURS]) == 1


# Inputs


@pytest.mark.parametrize("stream", MESSAGES, ids=lambda stream: stream.name)
def test_made_streams_are_whole_messages_with_nothing_odd(stream: inputs.Stream) -> None:
    engine = MessageEngine(strict=True)
    events = 0
    for chunk in stream.frames:
        engine.receive_data(chunk)
        events += len(list(engine.events()))
    assert engine.complete
    assert not engine.violations
    assert events == stream.events


def test_inputs_are_the_same_each_time() -> None:
    assert inputs.long_text(50).data == inputs.long_text(50).data
    assert inputs.tool_input(2000) == inputs.tool_input(2000)
    assert inputs.text_of(99, seed=1) != inputs.text_of(99, seed=2)


def test_inputs_have_the_size_that_was_asked_for() -> None:
    assert len(inputs.text_of(1234)) == 1234
    assert len(inputs.huge_line(1000)) == 1000 + len("\n\n")
    assert inputs.long_text(50).events == 50 + 5
    assert 2000 <= len(inputs.tool_input(2000)) < 2100
    json.loads(inputs.tool_input(2000))


def test_every_cr_of_the_split_stream_ends_a_chunk() -> None:
    chunks = inputs.split_at_every_cr(1000)
    assert all(chunk.endswith(b"\r") and chunk.count(b"\r") == 1 for chunk in chunks[:-1])
    assert chunks[-1] == b"\n"
    events = b"".join(chunks).split(b"\r\n\r\n")
    assert events == [b"event: ping\r\ndata: {}"] * (len(events) - 1) + [b""]
    assert len(events) > 30


def test_recorded_streams_are_cut_at_their_events_and_lose_nothing(tmp_path: Path) -> None:
    events = [b": hello\n\n", b"event: ping\ndata: {}\n\n", b"event: ping\r\ndata: {}\r\n\r\n", b"data: 1"]
    (tmp_path / "one.sse").write_bytes(b"".join(events))
    (stream,) = inputs.read_folder(tmp_path)
    assert stream.name == "one"
    assert stream.frames == events


def test_streams_that_the_official_package_does_not_read_as_we_do_are_left_out() -> None:
    cut_short = inputs.Stream(name="cut short", frames=A_MESSAGE.frames[:-1])
    (other,) = [stream for stream in inputs.read_folder(inputs.FIXTURES) if stream.name == "compaction"]
    assert comparable_streams([A_MESSAGE, cut_short, other]) == [A_MESSAGE]


# Peers


@pytest.mark.parametrize("chunk_size", [16, 64 * 1024])
@pytest.mark.parametrize("name", [name for name in sse_peers.PEERS if name != OURS])
def test_decoders_of_event_streams_give_the_same_events(name: str, chunk_size: int) -> None:
    chunks = A_MESSAGE.chunks(chunk_size)
    assert sse_peers.pairs(sse_peers.PEERS[name], chunks) == sse_peers.pairs(sse_peers.PEERS[OURS], chunks)


@pytest.mark.parametrize("text", [inputs.tool_input(300), inputs.written_file(300)])
def test_parsers_of_partial_json_give_the_same_value(text: str) -> None:
    fragments = inputs.fragments_of(text)
    expected = json.loads(text)
    for parse in (json_peers.streamcore, json_peers.with_jiter, json_peers.with_partial_json_parser):
        assert parse(fragments) == expected
    assert json_peers.copy_text(fragments) == text


@pytest.mark.parametrize(
    "pipeline",
    [pipelines.ENGINE, pipelines.ENGINE_TEXT, pipelines.MESSAGE_STREAM, pipelines.MESSAGE_STREAM_READ],
    ids=lambda pipeline: pipeline.run.__name__,
)
def test_pipelines_make_the_same_message(pipeline: pipelines.Pipeline) -> None:
    theirs = pipelines.OFFICIAL.result(pipelines.OFFICIAL.run(A_MESSAGE.frames))
    assert pipeline.result(pipeline.run(A_MESSAGE.frames)) == theirs
    assert pipelines.OFFICIAL_READ.result(pipelines.OFFICIAL_READ.run(A_MESSAGE.frames)) == theirs


def test_without_node_its_peers_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert node_peers.missing() == "Node is not installed"
