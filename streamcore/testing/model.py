"""A slow model of `MessageEngine`: what a stream means, in simple Python.

It takes all the bytes of a stream so far, and returns the events, the message after each, the violations and the error.
It works everything out from the first byte: each block from all of its deltas, and each tool's input from all of its
text. So it has no state that could go wrong. It shares no code with the engine, so that the two can disagree, and knows
the types by their names only.

The cost is quadratic. The model does not know limits, most fields of the wrong JSON type, and bodies that are not event
streams at all.
"""

from __future__ import annotations

import json
import re

import attrs

from streamcore.testing._model_events import JSON, Payload, Refused, is_whole_payload, payload_of_frame, sse_frames

__all__ = ["Outcome", "Refused", "outcome_in_model", "sse_frames", "without_nulls"]


@attrs.frozen(kw_only=True)
class Outcome:
    """What the bytes of a stream mean.

    Attributes:
        events: The payload of each event.
        snapshots: The message after each event; `None` before `message_start`.
        violations: The kinds of deviations that lost nothing, in the order in which they were noticed.
        error: The name of the exception that ends the stream, or `None`.
        complete: Whether `message_stop` has come.
    """

    events: list[Payload]
    snapshots: list[Payload | None]
    violations: list[str]
    error: str | None
    complete: bool

    @property
    def message(self) -> Payload | None:
        """The message so far."""
        return self.snapshots[-1] if self.snapshots else None


def outcome_in_model(data: bytes, *, ended: bool = True) -> Outcome:
    """Return what the stream `data` means; `ended` is whether this is the end of input."""
    message = _Message()
    events: list[Payload] = []
    snapshots: list[Payload | None] = []
    error = None
    frames, rest = sse_frames(data, dataless=True)
    last, _ = sse_frames(data + b"\n\n", dataless=True)
    line = re.split(rb"[\r\n]", data)[-1]
    # A line that may still become a field: it may have belonged to the payload. Any other line never counts.
    has_cut_field = line != b"" and any(name.startswith(line) for name in (b"event", b"data", b"id", b"retry"))
    lacks_blank_line = ended and rest and not has_cut_field and len(last) > len(frames) and is_whole_payload(*last[-1])
    if lacks_blank_line:
        frames, rest = last, False
    for number, (name, text) in enumerate(frames):
        if lacks_blank_line and number == len(frames) - 1:
            message.violations.append("missing_blank_line")
        try:
            payload = payload_of_frame(
                name,
                text,
                message.violations,
                has_begun=message.message is not None,
                lacks_only_stop=message.lacks_only_stop,
            )
            if payload is None:
                continue
            message.apply(payload)
        except Refused as refused:
            error = refused.args[0]
            break
        events.append(payload)
        snapshots.append(message.snapshot())
    if ended and error is None:
        if not message.stopped:
            error = "IncompleteStreamError"
        elif rest:
            message.violations.append("after_message_stop")
    return Outcome(
        events=events, snapshots=snapshots, violations=message.violations, error=error, complete=message.stopped
    )


def without_nulls(value: JSON) -> JSON:
    """Return `value` without members that are null, which mean the same as absent ones.

    In a tool's input they do not, so there a null is kept.
    """
    if isinstance(value, dict):
        return {key: item if key == "input" else without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [without_nulls(item) for item in value]
    return value


# Events to the message

_TEXT_DELTAS = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "compaction_delta": ("compaction", "content"),
}
_TOOL_USE = {"tool_use", "server_tool_use", "mcp_tool_use"}
_KNOWN_BLOCKS = _TOOL_USE | {
    *("text", "thinking", "redacted_thinking", "compaction", "fallback", "container_upload", "mcp_tool_listing"),
    *("web_search_tool_result", "web_fetch_tool_result", "code_execution_tool_result", "mcp_tool_result"),
    *("bash_code_execution_tool_result", "text_editor_code_execution_tool_result"),
    *("tool_search_tool_result", "advisor_tool_result"),
}
_MAY_TAKE = {
    "text_delta": {"text"},
    "citations_delta": {"text"},
    "thinking_delta": {"thinking"},
    "signature_delta": {"thinking"},
    "compaction_delta": {"compaction"},
    "input_json_delta": _TOOL_USE,
}


@attrs.define
class _Block:
    start: Payload
    deltas: list[Payload] = attrs.field(factory=list)
    closed: bool = False
    has_halves: bool = False  # of surrogate pairs, in a text since the last check

    @property
    def input_text(self) -> str:
        return _joined("".join(delta["partial_json"] for delta in self.deltas if delta["type"] == "input_json_delta"))

    def value(self) -> Payload:
        """Return the block so far: its start with all deltas applied."""
        block = dict(self.start)
        for delta in self.deltas:
            kind = delta["type"]
            if kind in _TEXT_DELTAS:
                field = _TEXT_DELTAS[kind][1]
                if delta.get(field) is not None:
                    block[field] = _joined((block.get(field) or "") + delta[field])
            if kind == "signature_delta" and delta["signature"] is not None:
                block["signature"] = delta["signature"]
            if kind == "citations_delta":
                block["citations"] = [*(block.get("citations") or []), delta["citation"]]
            if kind == "compaction_delta" and delta.get("encrypted_content") is not None:
                block["encrypted_content"] = delta["encrypted_content"]
        if any(delta["type"] == "input_json_delta" for delta in self.deltas):
            nothing = {} if block.get("input") is None else block["input"]
            block["input"] = partial_value(self.input_text, nothing)
        return block

    def add(self, delta: Payload) -> None:
        self.deltas.append(delta)
        self.has_halves = self.has_halves or any(map(_has_half, _texts_of(delta)))

    def check(self, violations: list[str]) -> None:
        if not may_go_on(self.input_text):
            raise Refused("DecodeError")
        if self.has_halves and any(map(_has_half, [*_texts_of(self.value()), self.input_text])):
            violations.append("lone_surrogate")
        self.has_halves = False


class _Message:
    """The message, changed by one event after the other."""

    def __init__(self) -> None:
        self.message: Payload | None = None
        self.prefilled: list[Payload] = []  # the blocks that came with message_start; nothing may follow for them
        self.blocks: list[_Block] = []
        self.violations: list[str] = []
        self.stopped = False
        self.has_changed = False

    def snapshot(self) -> Payload | None:
        if self.message is None:
            return None
        return self.message | {"content": self.prefilled + [block.value() for block in self.blocks]}

    @property
    def lacks_only_stop(self) -> bool:
        return (
            self.message is not None
            and not self.stopped
            and self.message.get("stop_reason") is not None
            and all(block.closed for block in self.blocks)
        )

    def apply(self, payload: Payload) -> None:
        kind = payload.get("type")
        if self.stopped:
            if kind == "message_start":
                raise Refused("EventOrderError")
            if kind != "ping":
                self.violations.append("after_message_stop")
        elif kind == "message_start":
            self.start(payload["message"])
        elif kind in _HANDLERS:
            if self.message is None:
                raise Refused("EventOrderError")
            _HANDLERS[kind](self, payload)

    def start(self, message: Payload) -> None:
        if self.message is None:
            self.message = dict(message)
            self.prefilled = self.message.get("content") or []
        elif message["id"] != self.message["id"] or self.prefilled or self.blocks:
            raise Refused("EventOrderError")
        else:
            self.violations.append("repeated_message_start")

    def start_block(self, payload: Payload) -> None:
        if payload["index"] != len(self.prefilled) + len(self.blocks):
            raise Refused("EventOrderError")
        block = payload["content_block"]
        self.blocks.append(_Block(block, has_halves=any(map(_has_half, _texts_of(block)))))
        if block["type"] == "fallback" and self.message is not None:
            self.message["model"] = block["to"]["model"]

    def block(self, payload: Payload) -> _Block:
        place: int = payload["index"] - len(self.prefilled)
        if not 0 <= place < len(self.blocks):
            raise Refused("EventOrderError")
        return self.blocks[place]

    def add_delta(self, payload: Payload) -> None:
        block = self.block(payload)
        delta = payload["delta"]
        kind, of = delta["type"], block.start["type"]
        if kind not in _MAY_TAKE or (of not in _KNOWN_BLOCKS and kind != "input_json_delta"):
            self.violations.append("unapplied_delta")
            return
        if of in _KNOWN_BLOCKS and of not in _MAY_TAKE[kind]:
            if any(value not in (None, "") for key, value in delta.items() if key != "type"):
                raise Refused("EventOrderError")
            self.violations.append("misplaced_delta")
            return
        if block.closed:
            self.violations.append("after_block_stop")
        block.add(delta)

    def stop_block(self, payload: Payload) -> None:
        block = self.block(payload)
        if block.closed:
            self.violations.append("after_block_stop")
            return
        block.check(self.violations)
        block.closed = True

    def change(self, payload: Payload) -> None:
        assert self.message is not None
        self.has_changed = True
        changes = {key: value for key, value in payload.items() if key not in ("type", "delta", "usage")}
        changes |= payload.get("delta") or {}
        for key, value in changes.items():
            if value is not None:
                self.message[key] = value
        usage = {key: value for key, value in (payload.get("usage") or {}).items() if value is not None}
        if usage:
            self.message["usage"] = (self.message.get("usage") or {}) | usage

    def stop(self, _: Payload) -> None:
        assert self.message is not None
        for block in self.blocks:
            if block.closed:
                block.check(self.violations)
        for block in self.blocks:
            if not block.closed:
                self.violations.append("unclosed_block")
                block.check(self.violations)
        if not self.has_changed:
            self.violations.append("missing_message_delta")
        if self.message.get("stop_reason") == "tool_use":
            unfinished = [block for block in self.blocks if block.input_text and not is_whole(block.input_text)]
            self.violations += ["incomplete_input" for _ in unfinished]
        self.stopped = True


_HANDLERS = {
    "content_block_start": _Message.start_block,
    "content_block_delta": _Message.add_delta,
    "content_block_stop": _Message.stop_block,
    "message_delta": _Message.change,
    "message_stop": _Message.stop,
}


def _texts_of(value: Payload) -> list[str]:
    return [value[key] for key in ("text", "thinking", "partial_json") if isinstance(value.get(key), str)]


def _has_half(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _joined(text: str) -> str:
    """Join the halves of surrogate pairs that stand side by side."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


# The JSON of a tool's input

_TOKEN = re.compile(
    r'\s*("(?:[^"\\]|\\.)*"|-Infinity|Infinity|NaN|true|false|null|-?[0-9][-+.0-9eE]*|[\[\]{}:,])', re.DOTALL
)
_CLOSING = {"[": "]", "{": "}"}

# What may be missing at the end of a JSON text before its containers are closed.
_ENDINGS = ["", "0", '"', '":0', ":0", '"":0', '\\"', '\\":0']
_ENDINGS += [digits + end for digits in ("0", "00", "000", "0000", "u0000") for end in ('"', '":0')]
_ENDINGS += [word[begun:] for word in ("true", "false", "null", "NaN", "Infinity") for begun in range(1, len(word))]
_ENDINGS += ["Infinity"]


def _closers(text: str) -> str:
    """Return the brackets that close the open containers of a text, as if it did not end inside a string."""
    closers: list[str] = []
    for token in re.findall(r'"(?:[^"\\]|\\.)*"?|[\[\]{}]', text, re.DOTALL):
        if token in _CLOSING:
            closers.insert(0, _CLOSING[token])
        elif token in ("]", "}") and closers:
            closers.pop(0)
    return "".join(closers)


def _reads(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def is_whole(text: str) -> bool:
    """Whether `text` is one JSON value, closed: more digits cannot follow it."""
    return _reads(text) and text[-1] not in "0123456789"


def may_go_on(text: str) -> bool:
    """Whether some JSON text begins with `text`."""
    closers = _closers(text)
    return not text.strip(" \t\r\n") or any(_reads(text + ending + closers) for ending in _ENDINGS)


def partial_value(text: str, nothing: JSON = None) -> JSON:
    """Return the best value of a JSON text that was cut off, or `nothing`.

    It is made of as many whole tokens as give a value once the containers are closed. A string that is open is not a
    whole token, a number that may go on is one.
    """
    tokens = []
    position = 0
    while (match := _TOKEN.match(text, position)) is not None:
        if match[1][-1] not in '"]}:,[{' and not _reads(match[1]):
            break
        tokens.append(match[1])
        position = match.end()
    for count in range(len(tokens), 0, -1):
        some = "".join(tokens[:count])
        if _reads(some + _closers(some)):
            return json.loads(some + _closers(some))
    return nothing
