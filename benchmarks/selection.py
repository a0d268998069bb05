"""Select the streams that are the same work for all contestants."""

from __future__ import annotations

import anthropic

from benchmarks import pipelines
from benchmarks.inputs import Stream
from streamcore import StreamCoreError


def comparable_streams(streams: list[Stream]) -> list[Stream]:
    """Return the streams that hold one complete message which the official package reads as streamcore does."""
    return [stream for stream in streams if _agreed(stream)]


def _agreed(stream: Stream) -> bool:
    try:
        ours = pipelines.ENGINE.result(pipelines.engine(stream.frames))
        theirs = pipelines.OFFICIAL.result(pipelines.official(stream.frames))
    except (StreamCoreError, anthropic.AnthropicError, AssertionError, LookupError, RuntimeError, ValueError):
        return False
    return ours == theirs
