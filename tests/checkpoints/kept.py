"""The checkpoints that are kept in this folder, so that later versions read them, or refuse them by name.

`python tests/checkpoints/kept.py` writes those that are missing. It never changes one: a file is what a version wrote.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs

from streamcore import (
    MessageAccumulator,
    MessageEngine,
    MessageEventDecoder,
    MessageStream,
    PartialJSON,
    RawMessageDecoder,
    SSEDecoder,
)
from streamcore.codec import structure_event

FOLDER = Path(__file__).parent / "v1"
FIXTURES = Path(__file__).parents[2] / "fixtures"


@attrs.frozen
class Weather:
    """The input of the tool of these streams."""

    city: str
    days: int = 1


WEATHER = (FIXTURES / "weather.sse").read_bytes()
SEVERAL = (FIXTURES / "several.sse").read_bytes()
CITATIONS = (FIXTURES / "citations.sse").read_bytes()


def frame(payload: str, name: str = "content_block_delta") -> bytes:
    return f"event: {name}\ndata: {payload}\n\n".encode()


_START = '{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-1",'
_START += (
    '"content":[],"usage":{"input_tokens":25,"output_tokens":1},"new":[123456789012345678901234567890,1e400,-0.0]}}'
)
ODD = b"".join(
    [
        b"\xef\xbb\xbf: a comment\n\n",
        frame(_START, "message_start"),
        frame(
            '{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}', "content_block_start"
        ),
        frame(
            '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"caf\u00e9 \\ud83d"}}', "odd"
        ),
        frame('{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\\ude00 \\ud83d"}}'),
        b"id: 7\nretry: 3000\n" + frame('{"type":"content_block_stop","index":0}', "content_block_stop"),
        frame('{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"late"}}'),
        frame(
            '{"type":"content_block_start","index":1,"content_block":'
            '{"type":"tool_use","id":"t","name":"search","input":{}}}',
            "content_block_start",
        ),
        frame('{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"[1 2"}}'),
        frame('{"type":"content_block_stop","index":1}', "content_block_stop"),
        frame(
            '{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":9,"new_count":1.0},'
            '"new_field":null}',
            "message_delta",
        ),
        frame('{"type":"error","error":{"type":"api_error","message":"odd"}}', "error"),
        frame('{"type":"message_stop"}', "message_stop"),
        b"event: ping\ndata: {",
    ]
)


@attrs.frozen
class Case:
    """A decoder, the bytes before the checkpoint, how many of their events are read, and the bytes after it."""

    make: Callable[[], Any]
    before: bytes
    after: bytes
    restore: dict[str, Any] = attrs.field(factory=dict)
    events: int | None = None
    eof: bool = False

    def decoder(self) -> Any:
        """The decoder at the moment of the checkpoint."""
        decoder = self.make()
        if self.before:
            decoder.receive_data(self.before)
        if self.eof:
            decoder.receive_eof()
        events = decoder.events()
        for _ in range(10**6 if self.events is None else self.events):
            if next(events, None) is None:
                break
        return decoder


def cut(body: bytes, mark: bytes, **more: Any) -> dict[str, Any]:
    """The arguments for a cut at the end of these bytes."""
    place = body.index(mark) + len(mark)
    return {"before": body[:place], "after": body[place:], **more}


def keeping() -> MessageEngine:
    return MessageEngine(invalid_json="keep", trailing_strings=True)


CASES: dict[str, Case] = {
    "new": Case(MessageEngine, b"", WEATHER),
    "in-bom": Case(keeping, ODD[:2], ODD[2:]),
    "in-character": Case(keeping, **cut(ODD, b"caf\xc3")),
    "after-half": Case(keeping, **cut(ODD, b'caf\xc3\xa9 \\ud83d"}}\n\n')),
    "in-line": Case(MessageEngine, **cut(WEATHER, b'"thinking_delta","thi')),
    "in-tool-input": Case(MessageEngine, **cut(WEATHER, b'partial_json":"{')),
    "between-events": Case(MessageEngine, WEATHER, b"", events=9),
    "several": Case(lambda: MessageEngine(multiple_messages=True), SEVERAL, b"", events=30),
    "citations": Case(MessageEngine, CITATIONS, b"", events=14),
    "invalid-input": Case(
        keeping, **cut(ODD, b'event: content_block_stop\ndata: {"type":"content_block_stop","index":1}\n\n')
    ),
    "after-error": Case(keeping, **cut(ODD, b'"message":"odd"}}\n\n')),
    "at-end": Case(keeping, ODD, b"", eof=True),
    "by-lines": Case(keeping, **cut(ODD.replace(b"\n", b"\r\n"), b"event: odd\r")),
    "in-comment": Case(MessageEngine, WEATHER[:300] + b"\n: a comment", b" that goes on\n" + WEATHER[300:]),
    "typed": Case(
        lambda: MessageEngine(tool_types={"get_weather": Weather}, on_invalid="keep"),
        WEATHER,
        b"",
        restore={"tool_types": {"get_weather": Weather}},
        events=40,
    ),
    "sse": Case(SSEDecoder, **cut(ODD, b"retry: 3000\n")),
    "raw": Case(RawMessageDecoder, WEATHER, b"", events=9),
    "events": Case(MessageEventDecoder, WEATHER, b"", events=9),
}


def stream_in_event() -> MessageStream:
    """A stream between a wire event and its derived event."""
    stream = MessageStream([WEATHER])
    while next(stream).type != "content_block_delta":
        pass
    return stream


def accumulator() -> MessageAccumulator:
    decoder = MessageEventDecoder()
    decoder.receive_data(WEATHER)
    accumulator = MessageAccumulator(trailing_strings=True)
    for event, _ in zip(decoder.events(), range(20), strict=False):
        accumulator.apply(structure_event(event.to_dict()))
    return accumulator


def partial_json() -> PartialJSON:
    json = PartialJSON(trailing_strings=False)
    json.feed('{"big": 123456789012345678901234567890, "half": "\\ud83d\\ude')
    return json


def all_checkpoints() -> dict[str, bytes]:
    """Every checkpoint by its name, as this version writes it."""
    made = {name: case.decoder().checkpoint() for name, case in CASES.items()}
    others: dict[str, Any] = {"stream": stream_in_event(), "accumulator": accumulator(), "partial-json": partial_json()}
    return made | {name: other.checkpoint() for name, other in others.items()}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, data in all_checkpoints().items():
        path = FOLDER / f"{name}.jsonl"
        if not path.exists():
            path.write_bytes(data)
