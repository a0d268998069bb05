"""The streams that are measured: files from folders, and generated streams of named shapes.

Generated streams come from fixed seeds, so they are the same in every run.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import attrs

FIXTURES = Path(__file__).parent.parent / "fixtures"

DELTA_SIZE = 20
"""How many characters a delta has: a few tokens."""

_FRAME = re.compile(rb".*?(?:\n\n|\r\n\r\n|\r\r|\Z)", re.DOTALL)
_DATA = re.compile(rb"^data: ?(.*)$", re.MULTILINE)


@attrs.frozen(kw_only=True)
class Stream:
    """The bytes of a stream, split at its events.

    Attributes:
        frames: The bytes of each event including its blank line, as the chunks of a live stream.
        recorded: Whether it came from a server. Generated streams and `fixtures/` did not.
    """

    name: str
    frames: list[bytes]
    recorded: bool = False

    @property
    def data(self) -> bytes:
        return b"".join(self.frames)

    @property
    def payloads(self) -> list[bytes]:
        """Return the JSON of each event. It must be on one line."""
        return [payload for frame in self.frames for payload in _DATA.findall(frame)]

    @property
    def events(self) -> int:
        return len(self.payloads)

    def chunks(self, size: int) -> list[bytes]:
        """Split the bytes into chunks of `size`."""
        return cut(self.data, size)


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


# From folders


def read_folder(folder: Path, *, recorded: bool = False) -> list[Stream]:
    """Read all streams of a folder, ordered by name."""
    return [
        Stream(
            name=path.stem, frames=[frame for frame in _FRAME.findall(path.read_bytes()) if frame], recorded=recorded
        )
        for path in sorted(folder.glob("*.sse"))
    ]


def kind_of(streams: Sequence[Stream]) -> str:
    """Return `made streams`, `recorded streams` or `recorded and made streams`."""
    return f"{' and '.join(_by_kind(streams))} streams"


def counted(streams: Sequence[Stream]) -> str:
    """Return the same with counts, such as `90 recorded and 16 made streams`."""
    return f"{' and '.join(f'{count} {kind}' for kind, count in _by_kind(streams).items())} streams"


def _by_kind(streams: Sequence[Stream]) -> dict[str, int]:
    recorded = sum(stream.recorded for stream in streams)
    counts = {"recorded": recorded, "made": len(streams) - recorded}
    return {kind: count for kind, count in counts.items() if count} or {"no": 0}


# Generated. The JSON is formatted as the API does it: no spaces, and no escapes for non-ASCII characters.


def frame(payload: dict[str, Any]) -> bytes:
    data = json.dumps(payload, separators=(",", ":"), ensure_ascii=False)
    return f"event: {payload['type']}\ndata: {data}\n\n".encode()


def text_of(characters: int, *, alphabet: Iterable[str] | None = None, seed: int = 0) -> str:
    """Make a text of this many characters, with quotes and line ends in it."""
    words = tuple(alphabet or (" stream", " of", " consciousness", ",", "\n\n", ' "quoted"', " a", " message", "."))
    generator = random.Random(seed)
    text = ""
    while len(text) < characters:
        text += "".join(generator.choices(words, k=1000))
    return text[:characters]


def fragments_of(text: str) -> list[str]:
    """Cut `text` into fragments as long as a delta."""
    return [text[start : start + DELTA_SIZE] for start in range(0, len(text), DELTA_SIZE)]


_START = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "model",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    },
}


def _message(name: str, content: Iterable[bytes], *, stop_reason: str = "end_turn") -> Stream:
    end = {"type": "message_delta", "delta": {"stop_reason": stop_reason, "stop_sequence": None}}
    usage = {"usage": {"output_tokens": 100}}
    return Stream(
        name=name,
        frames=[frame(_START), *content, frame(end | usage), frame({"type": "message_stop"})],
    )


def delta_frame(delta: dict[str, str], *, index: int = 0) -> bytes:
    return frame({"type": "content_block_delta", "index": index, "delta": delta})


def _block(block: dict[str, Any], deltas: Iterable[dict[str, str]], *, index: int = 0) -> list[bytes]:
    return [
        frame({"type": "content_block_start", "index": index, "content_block": block}),
        *(delta_frame(delta, index=index) for delta in deltas),
        frame({"type": "content_block_stop", "index": index}),
    ]


def _text_block(text: str, *, index: int = 0) -> list[bytes]:
    deltas = ({"type": "text_delta", "text": piece} for piece in fragments_of(text))
    return _block({"type": "text", "text": ""}, deltas, index=index)


def long_text(deltas: int) -> Stream:
    """Make a message with one text block of many small deltas."""
    return _message("long text", _text_block(text_of(deltas * DELTA_SIZE)))


def multibyte(deltas: int) -> Stream:
    """Make a text of characters that take two, three and four bytes."""
    words = (" поток", "意識の流れ", " größe", "🌊🌊", " café", "\n")
    return _message("multibyte", _text_block(text_of(deltas * DELTA_SIZE, alphabet=words)))


def many_blocks(blocks: int) -> Stream:
    """Make a message with many blocks of one delta each."""
    frames = [_text_block(text_of(DELTA_SIZE, seed=index), index=index) for index in range(blocks)]
    return _message("many small blocks", [frame for block in frames for frame in block])


def pings_and_comments(deltas: int) -> Stream:
    """Make a text with a ping and a comment before each delta."""
    ping = frame({"type": "ping"})
    frames = _text_block(text_of(deltas * DELTA_SIZE))
    return _message("pings and comments", [part for delta in frames for part in (ping, b": keep-alive\n" + delta)])


def crlf(deltas: int) -> Stream:
    """Make a text whose lines end in CRLF."""
    return Stream(name="CRLF", frames=[frame.replace(b"\n", b"\r\n") for frame in long_text(deltas).frames])


def idle(pings: int) -> Stream:
    """Make a stream of comments and pings only."""
    return _message("idle stream", [b": keep-alive\n\n" + frame({"type": "ping"})] * pings)


def tool_input(characters: int, *, seed: int = 0) -> str:
    """Make the JSON of a table whose rows have an integer, a string and a float."""
    generator = random.Random(seed)
    rows: list[str] = []
    size = 0
    while size < characters:
        rows.append(json.dumps({"id": len(rows), "name": f"row {len(rows)}", "score": generator.random()}))
        size += len(rows[-1]) + 2
    return f'{{"rows": [{", ".join(rows)}]}}'


def written_file(characters: int) -> str:
    """Make the JSON of a file to write, which is one long string."""
    return json.dumps({"path": "notes.md", "content": text_of(characters)})


def large_tool_input(text: str) -> Stream:
    """Make one tool call whose input `text` arrives in small fragments."""
    block = {"type": "tool_use", "id": "toolu_1", "name": "write", "input": {}}
    deltas = ({"type": "input_json_delta", "partial_json": piece} for piece in fragments_of(text))
    return _message("large tool input", _block(block, deltas), stop_reason="tool_use")


# Worst cases for framing


def huge_line(size: int) -> bytes:
    """Make one event whose data is a single line of `size` bytes."""
    return b"data: " + b"x" * (size - len(b"data: ")) + b"\n\n"


def comments(size: int) -> bytes:
    """Make comment lines and nothing else."""
    line = b": " + b"x" * 61 + b"\n"
    return line * (size // len(line))


def split_at_every_cr(size: int) -> list[bytes]:
    """Make short events with CRLF line ends, split so that each chunk ends in CR and the next one starts with LF."""
    event = b"event: ping\r\ndata: {}\r\n\r\n"
    return re.findall(rb"[^\r]*\r|\n\Z", event * (size // len(event)))
