"""What several test files need: streams to decode, ways to cut them, and a drive through an engine."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeAlias, Union

import attrs
from hypothesis import settings

import streamcore.types
from streamcore import Message, MessageEngine, MessageStreamEvent, ProtocolError, Violation
from streamcore.testing import strategies
from streamcore.types import Unknown, WireObject

if typing.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hypothesis.strategies import SearchStrategy

JSON: TypeAlias = Any
Payload: TypeAlias = dict[str, Any]

# Streams that lie in files

CAPTURES = sorted((Path(__file__).parents[2] / "shared" / "captures").glob("*.sse"))
FIXTURES = sorted((Path(__file__).parents[1] / "fixtures").rglob("*.sse"))
STREAMS = [*CAPTURES, *FIXTURES]


def stream_id(path: Path) -> str:
    return path.stem


def payloads_of(body: bytes) -> list[bytes]:
    """The data of each event, read the simple way: good for well-formed files only."""
    lines = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return [line.removeprefix(b"data:").strip(b" ") for line in lines if line.startswith(b"data:")]


# Streams made here


def _compact(payload: Payload) -> bytes:
    """JSON as the API writes it, which is what decoders have shortcuts for."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def frame(payload: Payload | bytes, *, event: str | None = "") -> bytes:
    """One event as the API writes it; `event` is the payload's type, another name, or `None` for no `event:` line."""
    data = payload if isinstance(payload, bytes) else _compact(payload)
    if event == "":
        event = json.loads(data)["type"]
    return (b"" if event is None else b"event: %s\n" % event.encode()) + b"data: %s\n\n" % data


def body(*payloads: Payload | bytes) -> bytes:
    """A stream: dicts become frames, bytes go in as they are."""
    return b"".join(payload if isinstance(payload, bytes) else frame(payload) for payload in payloads)


def start(id: str = "msg_1", **fields: JSON) -> Payload:  # noqa: A002  # the field's name
    message: Payload = {
        "id": id,
        "type": "message",
        "role": "assistant",
        "model": "claude-1",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 25, "output_tokens": 1},
    }
    return {"type": "message_start", "message": message | fields}


def block_start(index: int, block: Payload | None = None) -> Payload:
    block = {"type": "text", "text": ""} if block is None else block
    return {"type": "content_block_start", "index": index, "content_block": block}


def tool_start(index: int, name: str = "search") -> Payload:
    return block_start(index, {"type": "tool_use", "id": f"toolu_{index}", "name": name, "input": {}})


def delta(index: int, type: str, **fields: JSON) -> Payload:  # noqa: A002  # the field's name
    return {"type": "content_block_delta", "index": index, "delta": {"type": type, **fields}}


def text(index: int, text: str) -> Payload:
    return delta(index, "text_delta", text=text)


def partial_json(index: int, text: str) -> Payload:
    return delta(index, "input_json_delta", partial_json=text)


def block_stop(index: int) -> Payload:
    return {"type": "content_block_stop", "index": index}


def message_delta(stop_reason: str | None = "end_turn", **fields: JSON) -> Payload:
    change = {"stop_reason": stop_reason, "stop_sequence": None}
    return {"type": "message_delta", "delta": change, "usage": {"output_tokens": 8}} | fields


STOP: Payload = {"type": "message_stop"}
PING: Payload = {"type": "ping"}

HELLO = [start(), block_start(0), text(0, "Hel"), text(0, "lo"), block_stop(0), message_delta(), STOP]
# What a message stream yields of it: its events, and those derived from them.
HELLO_TYPES = [
    "message_start",
    "content_block_start",
    "content_block_delta",
    "text",
    "content_block_delta",
    "text",
    "content_block_stop",
    "message_delta",
    "message_stop",
]


# Ways to cut them


def cut(data: bytes, points: Iterable[int]) -> list[bytes]:
    """`data` cut at `points`, which may repeat and come in any order."""
    edges = [0, *sorted(min(point, len(data)) for point in points), len(data)]
    return [data[begin:end] for begin, end in pairwise(edges)]


def in_pieces(data: bytes, size: int) -> list[bytes]:
    return [data[begin : begin + size] for begin in range(0, len(data), size)]


def by_frame(data: bytes) -> list[bytes]:
    """As live streams mostly arrive: an event a chunk."""
    parts = data.split(b"\n\n")
    return [part + b"\n\n" for part in parts[:-1]] + [parts[-1]]


def chunkings(data: bytes) -> Iterator[list[bytes]]:
    yield [data]
    yield in_pieces(data, 1)
    yield in_pieces(data, 7)
    yield in_pieces(data, 100)
    yield by_frame(data)


# A drive through an engine


@attrs.frozen
class Outcome:
    """All that an engine gave: `snapshots[n]` is the one after `events[n]`."""

    events: list[MessageStreamEvent]
    snapshots: list[Message | None]
    violations: tuple[Violation, ...]
    error: ProtocolError | None
    snapshot: Message | None

    @property
    def kinds(self) -> list[str]:
        return [violation.kind for violation in self.violations]

    @property
    def types(self) -> list[str]:
        return [event.type for event in self.events]

    @property
    def fault(self) -> tuple[object, ...] | None:
        """The error as values that compare."""
        error = self.error
        if error is None:
            return None
        return type(error), error.message, error.offset, error.event_number, error.index, error.snapshot

    def comparable(self) -> tuple[object, ...]:
        return self.events, self.snapshots, self.violations, self.fault, self.snapshot


def drive(chunks: Sequence[bytes] | bytes, *, engine: MessageEngine | None = None, eof: bool = True) -> Outcome:
    """Everything that comes out of an engine fed with `chunks`; only a `ProtocolError` is caught."""
    engine = MessageEngine() if engine is None else engine
    events: list[MessageStreamEvent] = []
    snapshots: list[Message | None] = []
    error: ProtocolError | None = None
    try:
        for chunk in [chunks] if isinstance(chunks, bytes) else chunks:
            engine.receive_data(chunk)
            for event in engine.events():
                events.append(event)
                snapshots.append(engine.snapshot)
        if eof:
            engine.receive_eof()
            for event in engine.events():
                events.append(event)
                snapshots.append(engine.snapshot)
    except ProtocolError as caught:
        error = caught
    return Outcome(events, snapshots, engine.violations, error, engine.snapshot)


def same(first: object, second: object) -> bool:
    """Whether two values are equal where a NaN, which the input of a tool may hold, is equal to another."""
    return first == second or repr(first) == repr(second)


# JSON values


def without_nulls(value: JSON) -> JSON:
    """`value` without members that are null: the wire and we both take null for absent."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value


# Drawn values and streams: the public strategies, as most tests want them


def examples(share: float) -> settings:
    """As many examples as the profile says, times `share`."""
    return settings(max_examples=max(1, int(share * settings().max_examples)))


NASTY_TEXT = strategies.texts()
JSON_VALUES = strategies.json_values()
JSON_OBJECTS = strategies.json_objects()
any_chunks = strategies.chunkings


def message_payloads() -> SearchStrategy[list[Payload]]:
    """The payloads of a legal stream: any blocks, interleaved, with pings and new events between them."""
    events = strategies.event_streams(interleaved=True, unknown=True)
    return events.map(lambda drawn: [event.to_dict() for event in drawn])


def message_bodies() -> SearchStrategy[bytes]:
    """A legal stream as bytes, as the API writes it or in other ways that mean the same."""
    framing = [way for way in strategies.FRAMINGS if way != "missing_names"]
    return strategies.whole_streams(framing=framing).map(lambda stream: stream.data)


# An example of every wire type


def for_each(cases: Iterable[tuple[Any, ...]]) -> Callable[[Callable[..., None]], Callable[[], None]]:
    """Make one test of a check of many cases: pytest takes longer for a test than a quick check does."""

    def decorate(check: Callable[..., None]) -> Callable[[], None]:
        def test() -> None:
            count = 0
            for count, case in enumerate(cases, 1):  # noqa: B007  # the last one
                try:
                    check(*case)
                except BaseException as error:
                    error.add_note(f"in the case {case}")
                    raise
            assert count

        test.__name__, test.__module__, test.__doc__ = check.__name__, check.__module__, check.__doc__
        return test

    return decorate


def wire_types() -> list[type[WireObject]]:
    """Every class of `streamcore.types` that has a wire form; not the two bases, nor what streams derive."""
    classes = [
        item for item in vars(streamcore.types).values() if isinstance(item, type) and issubclass(item, WireObject)
    ]
    own = [item for item in classes if item.__module__ != "streamcore.types.derived"]
    return [item for item in dict.fromkeys(own) if item not in (WireObject, Unknown)]


def example(cls: type[WireObject], *, full: bool = True) -> Any:
    """A value of `cls`: with every field filled in or, if not `full`, with only the required ones."""
    if issubclass(cls, Unknown):
        return cls(data={"type": "new_type", "field": [1, {"deep": None}]})
    hints = typing.get_type_hints(cls)
    values = {
        field.name: _example_of(hints[field.name], full=full)
        for field in attrs.fields(cls)
        if field.repr and (full or field.default is attrs.NOTHING)  # what is not printed is not the wire's
    }
    return cls(**values)


def _example_of(annotation: Any, *, full: bool) -> Any:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in (str, int, bool, float):
        return {str: 'é\\"', int: 2**70, bool: True, float: 1.5}[annotation]
    if annotation is Any:
        return {"key": [1, None, {"a": "b"}]}
    if isinstance(annotation, typing.TypeVar):
        return _example_of(annotation.__bound__, full=full)
    if origin in (Union, types.UnionType):
        return _example_of(next(item for item in arguments if item is not type(None)), full=full)
    if origin is Literal:
        return arguments[0]
    if origin is list:
        return [_example_of(arguments[0], full=full)]
    if origin is dict:
        return {"key": [1, None, {"a": "b"}]}
    if origin is ClassVar:
        raise AssertionError("a constant is not a field")
    return example(origin or annotation, full=full)
