"""The engine beside the peers that run in Node."""

from __future__ import annotations

from benchmarks import inputs, node_peers, pipelines
from benchmarks.harness import Contestant, Disagreement, Row
from benchmarks.inputs import Stream
from benchmarks.rows.settings import RowMaker, Settings, through


def _beside(name: str, streams: list[Stream], settings: Settings) -> Row:
    node = settings.resources.enter_context(node_peers.Node(settings.scratch))
    node.load(streams)
    # Keep only the streams that the SDK reads as one message and as the same one: the others are different work.
    theirs = [message and pipelines.comparable(message) for message in node.results(node_peers.SDK)]
    ours = [pipelines.ENGINE.result(pipelines.engine(stream.frames)) for stream in streams]
    streams = [stream for stream, one, other in zip(streams, ours, theirs, strict=True) if one == other]
    if not streams:
        raise Disagreement(f"{name}: {node_peers.SDK} reads all of these streams differently")
    node.load(streams)
    events = sum(stream.events for stream in streams)
    seen = sum(node.results(node_peers.EVENTSOURCE_PARSER))
    if seen != events:
        raise Disagreement(f"{name}: {node_peers.EVENTSOURCE_PARSER} sees {seen} events instead of {events}")

    def contestant(peer: str) -> Contestant:
        return Contestant(name=f"{peer} (Node)", measure=lambda: node.seconds(peer), units=events)

    return Row(
        name=f"{name}, beside Node",
        contestants=[
            through(pipelines.ENGINE, [stream.frames for stream in streams], units=events),
            contestant(node_peers.SDK),
            contestant(node_peers.EVENTSOURCE_PARSER),
        ],
        most_rounds=10,
    )


def recorded(settings: Settings) -> Row:
    return _beside(settings.kind, settings.streams, settings)


def long_text(settings: Settings) -> Row:
    return _beside("long text", [inputs.long_text(settings.size(4000, smoke=8))], settings)


def tool_input(settings: Settings) -> Row:
    """Make the row for a tool's input that is read only when its block stops, which the SDK parses lazily as well."""
    text = inputs.written_file(settings.size(256 * 1024, smoke=500))
    return _beside("tool input of 256 KB (one string)", [inputs.large_tool_input(text)], settings)


ROWS: dict[str, RowMaker] = {"node-recorded": recorded, "node-text": long_text, "node-tool": tool_input}
