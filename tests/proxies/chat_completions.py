"""Answers of an upstream that speaks OpenAI's chat completions, as steps for `server.stream_reply`."""

from __future__ import annotations

import json
from typing import Any

from server import Cut, Pause, Reply, Step, json_reply

DONE = b"data: [DONE]\n\n"


def _data(value: Any) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def _chunk(choices: list[Any], **fields: Any) -> bytes:
    return _data(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "scripted",
            "choices": choices,
            **fields,
        }
    )


def delta(**fields: Any) -> bytes:
    return _chunk([{"index": 0, "delta": fields, "finish_reason": None}])


def content(text: str) -> bytes:
    return delta(content=text)


def call(index: int, arguments: str = "") -> bytes:
    """The first fragment of a tool call."""
    function = {"name": "get_weather", "arguments": arguments}
    return delta(tool_calls=[{"index": index, "id": f"call_{index}", "type": "function", "function": function}])


def arguments(index: int, text: str) -> bytes:
    """A later fragment of a tool call."""
    return delta(tool_calls=[{"index": index, "function": {"arguments": text}}])


def end(reason: str) -> list[Step]:
    """The finish reason, the usage and the end."""
    usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    return [_chunk([{"index": 0, "delta": {}, "finish_reason": reason}]), _chunk([], usage=usage), DONE]


def error(message: str, **fields: Any) -> bytes:
    return _data({"error": {"message": message, **fields}})


def completion(finish_reason: str, **message: Any) -> Reply:
    """An answer that is not a stream."""
    return json_reply(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "scripted",
            "choices": [
                {
                    "index": 0,
                    "finish_reason": finish_reason,
                    "message": {"role": "assistant", "content": None, **message},
                }
            ],
            "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
        }
    )


def _tool(index: int, **input: Any) -> dict[str, Any]:  # noqa: A002  # the field's name
    return {"type": "tool_use", "id": f"call_{index}", "name": "get_weather", "input": input}


_ROME = [arguments(0, '{"ci'), arguments(0, 'ty": "Ro'), arguments(0, 'me"}')]
_OSLO = [arguments(1, '{"city": '), arguments(1, '"Oslo"}')]

ANSWERS: dict[str, tuple[list[Step], list[dict[str, Any]], str]] = {
    "text": ([content("Hel"), content("lo 🌊"), *end("stop")], [{"type": "text", "text": "Hello 🌊"}], "end_turn"),
    "a character in two halves": (
        [content("\ud83c"), content("\udf0a"), *end("stop")],
        [{"type": "text", "text": "🌊"}],
        "end_turn",
    ),
    "no text": (end("stop"), [{"type": "text", "text": ""}], "end_turn"),
    "text cut at the limit": ([content("Hel"), *end("length")], [{"type": "text", "text": "Hel"}], "max_tokens"),
    "reasoning": (
        [delta(reasoning_content="Hm"), delta(reasoning_content="m."), content("Hello"), *end("stop")],
        [{"type": "thinking", "thinking": "Hmm.", "signature": ""}, {"type": "text", "text": "Hello"}],
        "end_turn",
    ),
    "tool": ([call(0), *_ROME, *end("tool_calls")], [_tool(0, city="Rome")], "tool_use"),
    "tool without arguments": ([call(0), *end("tool_calls")], [_tool(0)], "tool_use"),
    "tool cut at the limit": ([call(0, '{"city": "Rome", "da'), *end("length")], [_tool(0, city="Rome")], "max_tokens"),
    "text and parallel tools": (
        [content("Let me see."), call(0), *_ROME, call(1), *_OSLO, *end("tool_calls")],
        [{"type": "text", "text": "Let me see."}, _tool(0, city="Rome"), _tool(1, city="Oslo")],
        "tool_use",
    ),
}
"""Answers that LiteLLM translates well: what the upstream sends, the content that it means, the stop reason."""

HEL = content("Hel")

FAILURES: dict[str, tuple[list[Step], str, str]] = {
    "an error": ([HEL, error("the GPU is on fire", code=500), DONE], "InternalServerError", "the GPU is on fire"),
    "an error at once": ([error("the GPU is on fire", code=500), DONE], "InternalServerError", "the GPU is on fire"),
    "too many requests": ([HEL, error("slow down, please", code=429), DONE], "RateLimitError", "slow down, please"),
    "a cut connection": ([HEL, Cut()], "InternalServerError", "payload is not completed"),
    # The pause lets LiteLLM read the text before the reset drops it.
    "a reset connection": ([HEL, Pause(0.3), Cut(reset=True)], "InternalServerError", "payload is not completed"),
    "wrong JSON": ([call(0, '{"city": Rome}'), *end("tool_calls")], "DecodeError", """received '{"city": Rome}'"""),
    # LiteLLM puts the fragments of both calls into the second.
    "mixed calls": (
        [call(0), call(1), *(fragment for pair in zip(_ROME, _OSLO, strict=False) for fragment in pair), *end("stop")],
        "DecodeError",
        "the input of 'get_weather' is not valid JSON",
    ),
}
"""Answers that fail in mid-stream, at the upstream or in LiteLLM: what the upstream sends, the error, words in it."""
