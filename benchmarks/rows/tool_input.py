"""The input of a tool, which grows by fragments of 20 characters."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks import inputs, json_peers, pipelines
from benchmarks.harness import Contestant, Row, timed
from benchmarks.rows.settings import RowMaker, Settings, doing, doubled_tables, through
from benchmarks.targets import AtMost, Doubling, Faster

_SIZE = 256 * 1024


def _at_stop(name: str, text: Callable[[int], str]) -> RowMaker:
    def row(settings: Settings) -> Row:
        stream = inputs.large_tool_input(text(settings.size(_SIZE, smoke=500)))
        return Row(
            name=f"tool input of 256 KB ({name}), read at its end",
            contestants=[
                through(pipelines.ENGINE_AT_STOP, [stream.frames], units=stream.events),
                through(pipelines.OFFICIAL, [stream.frames], units=stream.events),
            ],
            targets=[Faster(40, ("anthropic",))],
            most_rounds=3,
        )

    return row


def doubled(settings: Settings) -> Row:
    streams = doubled_tables(settings)
    return Row(
        name="tool input to 4 MB, read at its end",
        contestants=[through(pipelines.ENGINE_AT_STOP, [stream.frames], name=name) for name, stream in streams.items()],
        targets=[Doubling(2.2, tuple(streams))],
        per="stream",
        most_rounds=7,
    )


def _read(name: str, text: Callable[[int], str]) -> RowMaker:
    def row(settings: Settings) -> Row:
        json = text(settings.size(_SIZE, smoke=500))
        stream = inputs.large_tool_input(json)
        fragments = inputs.fragments_of(json)
        events = stream.events
        return Row(
            name=f"tool input of 256 KB ({name}), read after each event",
            contestants=[
                through(pipelines.ENGINE_INPUT, [stream.frames], units=events),
                through(pipelines.OFFICIAL_READ, [stream.frames], units=events),
                doing("jiter, reparsing", lambda: json_peers.with_jiter(fragments), units=events),
                doing("copying the text", lambda: json_peers.copy_text(fragments), units=events),
            ],
            targets=[Faster(6, ("anthropic",)), Faster(4, ("jiter, reparsing",)), AtMost(2, "copying the text")],
            most_rounds=3,
        )

    return row


def _alone(name: str, text: Callable[[int], str], size: int) -> RowMaker:
    """Make the row for partial JSON without a stream. Its input is small because one peer is slow. It has no target."""

    def row(settings: Settings) -> Row:
        fragments = inputs.fragments_of(text(settings.size(size, smoke=500)))

        def contestant(name: str, run: Callable[[list[str]], object]) -> Contestant:
            return Contestant(
                name=name, measure=timed(lambda: run(fragments)), units=len(fragments), result=lambda: run(fragments)
            )

        return Row(
            name=f"PartialJSON alone, {size // 1024} KB ({name})",
            contestants=[
                contestant("streamcore", json_peers.streamcore),
                contestant("jiter, reparsing", json_peers.with_jiter),
                contestant("partial-json-parser", json_peers.with_partial_json_parser),
            ],
            per="fragment",
            most_rounds=3,
        )

    return row


ROWS: dict[str, RowMaker] = {
    "tool-stop": _at_stop("a table", inputs.tool_input),
    "tool-stop-string": _at_stop("one string", inputs.written_file),
    "tool-doubled": doubled,
    "tool-read": _read("a table", inputs.tool_input),
    "tool-read-string": _read("one string", inputs.written_file),
    "json": _alone("a table", inputs.tool_input, 32 * 1024),
    "json-string": _alone("one string", inputs.written_file, 32 * 1024),
}
