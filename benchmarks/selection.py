"""Which streams are the same work for all: those of which ours and the official package make the same."""

from __future__ import annotations

import anthropic

from benchmarks import pipelines
from benchmarks.inputs import Stream
from streamcore import StreamCoreError


def comparable_streams(streams: list[Stream]) -> list[Stream]:
    """The streams that hold one whole message, in which the official package sees what we see."""
    return [stream for stream in streams if _agreed(stream)]


def _agreed(stream: Stream) -> bool:
    try:
        ours = pipelines.ENGINE.result(pipelines.engine(stream.frames))
        theirs = pipelines.OFFICIAL.result(pipelines.official(stream.frames))
    except (StreamCoreError, anthropic.AnthropicError, AssertionError, LookupError, RuntimeError, ValueError):
        return False
    return ours == theirs
