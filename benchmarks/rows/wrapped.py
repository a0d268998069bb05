"""A wrapped client of the official package beside the bare one. Both make whole calls, with all that a call costs."""

from __future__ import annotations

from benchmarks import inputs, wrapped
from benchmarks.harness import Row
from benchmarks.inputs import Stream
from benchmarks.rows.settings import RowMaker, Settings, doing, through
from benchmarks.targets import AtMost, Faster

_TOOL_SIZE = 256 * 1024


def text(settings: Settings) -> Row:
    stream = inputs.long_text(settings.size(4000, smoke=8))
    return _beside_bare("wrap(Anthropic()), text", stream, 10, rounds=5)


def tool(settings: Settings) -> Row:
    stream = inputs.large_tool_input(inputs.tool_input(settings.size(_TOOL_SIZE, smoke=500)))
    return _beside_bare("wrap(Anthropic()), tool input of 256 KB", stream, 40, rounds=1)


def _beside_bare(name: str, stream: Stream, factor: int, *, rounds: int) -> Row:
    return Row(
        name=name,
        contestants=[
            through(wrapped.WRAPPED, [stream.frames], units=stream.events),
            through(wrapped.BARE, [stream.frames], units=stream.events),
        ],
        targets=[Faster(factor, ("anthropic",))],
        most_rounds=rounds,
    )


def bedrock(settings: Settings) -> Row:
    """Make the row for Bedrock, where botocore's parser is most of the cost."""
    stream = inputs.long_text(settings.size(4000, smoke=8))
    frames = wrapped.frames_of(stream.payloads)
    return Row(
        name="wrap(AnthropicBedrock()), text",
        contestants=[
            through(wrapped.WRAPPED_BEDROCK, [frames], units=stream.events),
            through(wrapped.BARE_BEDROCK, [frames], units=stream.events),
            doing("botocore's parser", lambda: wrapped.parse_frames(frames), units=stream.events),
        ],
        targets=[Faster(3, ("anthropic",)), AtMost(3, "botocore's parser")],
        most_rounds=5,
    )


ROWS: dict[str, RowMaker] = {"wrapped": text, "wrapped-tool": tool, "wrapped-bedrock": bedrock}
