"""The streams that are measured: recorded ones from a folder, and made ones of named shapes."""

from __future__ import annotations

import json
import random
from pathlib import Path

import attrs

from streamcore.sse import ServerSentEvent, SSEDecoder, encode
from streamcore.types import (
    ContentBlockDeltaEvent,
    ContentBlockStartEvent,
    ContentBlockStopEvent,
    InputJSONDelta,
    Message,
    MessageDelta,
    MessageDeltaEvent,
    MessageDeltaUsage,
    MessageStartEvent,
    MessageStopEvent,
    MessageStreamEvent,
    StopReason,
    TextBlock,
    TextDelta,
    ToolUseBlock,
    Usage,
)

FIXTURES = Path(__file__).parent.parent / "fixtures"


@attrs.frozen(kw_only=True)
class Stream:
    """A stream as bytes, cut at its events, with the payload of each.

    Attributes:
        frames: The bytes of each event with its blank line: the chunks of a live stream.
        payloads: The JSON of each event.
    """

    name: str
    frames: list[bytes]
    payloads: list[bytes]

    @property
    def size(self) -> int:
        return sum(map(len, self.frames))

    def chunks(self, size: int) -> list[bytes]:
        """The same bytes in chunks of `size`."""
        data = b"".join(self.frames)
        return [data[start : start + size] for start in range(0, len(data), size)]


def read_folder(folder: Path) -> list[Stream]:
    """The complete single-message streams in a folder, in the order of their names.

    Streams that one of the contestants refuses would not be the same work for all: they are left out.
    """
    streams = []
    for path in sorted(folder.glob("*.sse")):
        data = path.read_bytes()
        if data.count(b'"type":"message_start"') == 1 and b"\r" not in data and data.endswith(b"\n\n"):
            streams.append(from_bytes(path.stem, data))
    return streams


def from_bytes(name: str, data: bytes) -> Stream:
    frames = [frame + b"\n\n" for frame in data.split(b"\n\n") if frame.strip()]
    decoder = SSEDecoder()
    decoder.receive_data(data)
    return Stream(name=name, frames=frames, payloads=[data for _, data in decoder.frames()])


def long_text(*, deltas: int, seed: int = 0) -> Stream:
    """One text block of many small deltas."""
    words = random.Random(seed).choices(
        [" stream", " of", " consciousness", ",", "\n\n", ' "quoted"', " naïve"], k=deltas
    )
    return _one_block(
        "long text", TextBlock(text=""), [TextDelta(text=word * 3) for word in words], stop_reason="end_turn"
    )


def large_tool_input(*, fragments: int, seed: int = 0) -> Stream:
    """One tool call whose input comes in fragments of 20 characters."""
    generator = random.Random(seed)
    rows = [{"id": number, "name": f"row {number}", "score": generator.random()} for number in range(fragments // 3)]
    text = json.dumps({"rows": rows})
    parts = [text[start : start + 20] for start in range(0, len(text), 20)]
    return _one_block(
        "large tool input",
        ToolUseBlock(id="toolu_1", name="write_rows", input={}),
        [InputJSONDelta(partial_json=part) for part in parts],
        stop_reason="tool_use",
    )


def _one_block(
    name: str,
    block: TextBlock | ToolUseBlock,
    deltas: list[TextDelta] | list[InputJSONDelta],
    *,
    stop_reason: StopReason,
) -> Stream:
    events: list[MessageStreamEvent] = [
        MessageStartEvent(message=Message(id="msg_1", model="model", usage=Usage(input_tokens=1))),
        ContentBlockStartEvent(index=0, content_block=block),
        *(ContentBlockDeltaEvent(index=0, delta=delta) for delta in deltas),
        ContentBlockStopEvent(index=0),
        MessageDeltaEvent(
            delta=MessageDelta(stop_reason=stop_reason), usage=MessageDeltaUsage(output_tokens=len(deltas))
        ),
        MessageStopEvent(),
    ]
    data = b"".join(
        encode(ServerSentEvent(event=event.type, data=json.dumps(event.to_dict(), separators=(",", ":"))))
        for event in events
    )
    return from_bytes(name, data)
