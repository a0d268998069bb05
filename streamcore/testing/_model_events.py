"""The first half of the slow model: turn each frame into the payload of an event, by the table of deviations.

Absent and odd values are replaced by what they are taken for, as in the events of an engine. Of the odd shapes of
errors it knows those that `broken_streams` draws.
"""

from __future__ import annotations

import json
import math
from typing import Any

JSON = Any
Payload = dict[str, Any]


class Refused(Exception):
    """An event is illegal, or a payload is not an event; `args[0]` is the name of the exception of the engine."""


def sse_frames(data: bytes, *, dataless: bool = False) -> tuple[list[tuple[str | None, str]], bool]:
    """Return the name and the data of each event of a stream, and whether one is unfinished (HTML, 9.2.6).

    Args:
        data: The bytes of the stream.
        dataless: Whether events that have a name and no data count too. The standard drops them.
    """
    text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    unfinished_line = lines.pop()
    frames: list[tuple[str | None, str]] = []
    name: str | None = None
    data_lines: list[str] = []
    begun = False
    for line in lines:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if line == "":
            if data_lines or (dataless and name is not None):
                frames.append((name, "\n".join(data_lines)))
            name, data_lines, begun = None, [], False
        elif field == "data":
            data_lines.append(value)
        elif field == "event":
            name = value or None
        begun = begun or field in ("data", "event", "id", "retry")
    return frames, begun or unfinished_line.split(":")[0] in ("data", "event", "id", "retry")


_KNOWN_TYPES = {
    *("message_start", "message_delta", "message_stop"),
    *("content_block_start", "content_block_delta", "content_block_stop"),
    *("ping", "error"),
}
_BLANKS = " \t\n\r\x0b\x0c"
_NOT_JSON: JSON = object()


def is_whole_payload(name: str | None, text: str) -> bool:
    """Return whether a payload is complete without its blank line: an object, `[DONE]`, or what an error says."""
    whole = (dict, str, list) if name == "error" else dict
    return text.strip(_BLANKS) == "[DONE]" or isinstance(_value_of(text), whole)


def payload_of_frame(
    name: str | None, text: str, violations: list[str], *, has_begun: bool, lacks_only_stop: bool
) -> Payload | None:
    """Return the payload that a frame is taken for, or None if it has no meaning.

    Args:
        name: The name in the `event:` line.
        text: The data.
        violations: The list to which the kinds of violations are added.
        has_begun: Whether `message_start` has come.
        lacks_only_stop: Whether the message is complete but for its `message_stop`.
    """
    content = text.strip(_BLANKS)
    if content == "[DONE]" and name not in ("ping", "error"):
        violations.append("done_sentinel")
        return {"type": "message_stop"} if lacks_only_stop else None
    if content == "" and name not in ("ping", "error"):
        violations.append("empty_data")
        return None
    value = _value_of(text)
    kind = value.get("type") if isinstance(value, dict) else None
    is_known = isinstance(kind, str) and kind in _KNOWN_TYPES
    is_object = isinstance(value, dict)
    has_error = is_object and kind is None and value.get("error") not in (None, False)
    if kind == "error" or (name == "error" and not is_known) or has_error:
        return _error(name, text if value is _NOT_JSON else value, violations)
    if name == "ping" and not is_known:
        violations.append("odd_ping")
        return {**(value if is_object else {}), "type": "ping"}
    if not is_object or (kind is not None and not isinstance(kind, str)):
        raise Refused("DecodeError")
    if kind is None:
        if name not in (None, "message"):
            payload = _accepted({**value, "type": name}, violations)
            violations.append("missing_type")
            return payload
        if not has_begun:
            raise Refused("DecodeError")
        violations.append("typeless_event")
        return {key: item for key, item in value.items() if key != "type"}
    payload = _accepted(value, violations)
    if name != kind:
        violations.append("event_name")
    return payload


def _value_of(text: str) -> JSON:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        return json.loads(text, parse_constant=refuse)
    except ValueError:
        return _NOT_JSON


def _error(name: str | None, payload: JSON, violations: list[str]) -> Payload:
    inner = payload.get("error") if isinstance(payload, dict) else payload
    is_canonical = (
        name == "error"
        and isinstance(payload, dict)
        and payload.get("type") == "error"
        and isinstance(inner, dict)
        and all(isinstance(inner.get(key), str) for key in ("type", "message"))
    )
    if not is_canonical:
        violations.append("odd_error")
    if isinstance(payload, dict) and inner is None:
        inner = {**payload, "type": None if payload.get("type") == "error" else payload.get("type")}
    if not isinstance(inner, dict):
        inner = {"message": inner if isinstance(inner, str) else json.dumps(inner, separators=(",", ":"))}
    return {"type": "error", "error": {**inner, "type": inner.get("type") or "api_error"}}


# Absent fields and odd numbers

_TOOL: Payload = {"id": "", "name": "", "input": {}}
_MISSING: dict[str, Payload] = {
    "text": {"text": ""},
    "thinking": {"thinking": ""},
    "tool_use": _TOOL,
    "server_tool_use": _TOOL,
    "mcp_tool_use": _TOOL,
    "web_search_tool_result": {"content": []},
    "mcp_tool_result": {"content": []},
    "web_fetch_tool_result": {"content": None},
    "code_execution_tool_result": {"content": None},
    "bash_code_execution_tool_result": {"content": None},
    "text_editor_code_execution_tool_result": {"content": None},
    "tool_search_tool_result": {"content": None},
    "advisor_tool_result": {"content": None},
    "web_search_result": {"encrypted_content": None},
    "advisor_redacted_result": {"encrypted_content": None},
    "web_search_result_location": {"encrypted_index": None},
    "text_delta": {"text": ""},
    "thinking_delta": {"thinking": ""},
    "signature_delta": {"signature": None},
    "input_json_delta": {"partial_json": ""},
}


def _accepted(event: Payload, violations: list[str]) -> Payload:
    """Replace the absent and odd values of a payload by what they are taken for, and return it."""
    kind = event["type"]
    if "index" in event and kind.startswith("content_block_"):
        event["index"] = _index(event["index"], violations)
    elif kind.startswith("content_block_"):
        raise Refused("DecodeError")
    if kind == "message_start":
        message = event["message"]
        _fill(message, {"id": "", "model": ""}, violations)
        if not isinstance(message.get("content") or [], list):
            raise Refused("DecodeError")
        if message.get("usage") is None:
            message.pop("usage", None)
        message["content"] = [_block(block, violations) for block in message.get("content") or []]
        _take_counts(message.get("usage"), violations)
    elif kind == "message_delta":
        _take_counts(event.get("usage"), violations)
    elif kind == "content_block_start":
        _block(event["content_block"], violations)
    elif kind == "content_block_delta":
        delta = event["delta"]
        _fill(delta, _MISSING.get(delta["type"], {}), violations)
        if delta["type"] == "citations_delta":
            _fill(delta["citation"], _MISSING.get(delta["citation"]["type"], {}), violations)
        for key in ("text", "thinking", "partial_json"):
            if delta["type"] in _MISSING and not isinstance(delta.get(key, ""), str):
                raise Refused("DecodeError")
    return event


def _block(block: Payload, violations: list[str]) -> Payload:
    _fill(block, _MISSING.get(block["type"], {}), violations)
    content = block.get("content")
    for item in content if isinstance(content, list) else [content]:
        if isinstance(item, dict) and "type" in item and block["type"].endswith("_result"):
            _fill(item, _MISSING.get(item["type"], {}), violations)
    for citation in block.get("citations") or []:
        _fill(citation, _MISSING.get(citation["type"], {}), violations)
    return block


def _fill(value: Payload, missing: Payload, violations: list[str]) -> None:
    for key, taken_for in missing.items():
        if value.get(key) is None:
            value[key] = taken_for
            violations.append("missing_field")


def _index(index: JSON, violations: list[str]) -> int:
    if isinstance(index, float) and index.is_integer():
        violations.append("odd_number")
        return int(index)
    if isinstance(index, bool) or not isinstance(index, int):
        raise Refused("DecodeError")
    return index


def _take_counts(usage: JSON, violations: list[str]) -> None:
    for key, value in usage.items() if isinstance(usage, dict) else ():
        if not key.endswith("_tokens") or value is None or type(value) is int:
            continue
        if isinstance(value, float) and math.isfinite(value):
            usage[key] = round(value)
        elif isinstance(value, str) and value.isascii() and value.isdigit():
            usage[key] = int(value)
        else:
            raise Refused("DecodeError")
        violations.append("odd_number")
