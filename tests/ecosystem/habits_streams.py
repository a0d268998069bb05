"""Habits with streams: loops over events and text, and what is read during and after them."""

from __future__ import annotations

import json
from typing import Any

from habits import Area, Package, asking

streams = Area("Streams")


def deltas(stream: Any) -> str:
    return "".join(event.delta.text for event in stream if event.type == "content_block_delta")


def kinds(stream: Any) -> list[str]:
    return [event.type for event in stream if event.type != "ping"]


@streams.same
def text_stream(at: Package) -> Any:
    """`for text in stream.text_stream`"""
    with at.stream() as stream:
        return list(stream.text_stream)


@streams.same
def text_stream_then_message(at: Package) -> Any:
    """`stream.get_final_message()` after `text_stream`, and after the `with` block"""
    with at.stream("weather") as stream:
        text = "".join(stream.text_stream)
    message = stream.get_final_message()
    return text, message.stop_reason, message.usage.output_tokens, [block.type for block in message.content]


@streams.same
def final_text(at: Package) -> Any:
    """`stream.get_final_text()`"""
    with at.stream() as stream:
        return stream.get_final_text()


@streams.same
def until_done(at: Package) -> Any:
    """`stream.until_done()`, then `stream.get_final_message()`"""
    with at.stream() as stream:
        stream.until_done()
        return stream.get_final_message().content[0].text


@streams.same
def snapshot_in_the_loop(at: Package) -> Any:
    """`stream.current_message_snapshot` in the loop"""
    with at.stream() as stream:
        return [
            len(stream.current_message_snapshot.content[0].text)
            for event in stream
            if event.type == "content_block_delta"
        ]


@streams.same
def request_id(at: Package) -> Any:
    """`stream.request_id`, `stream.response.headers`, `stream.response.status_code`"""
    with at.stream() as stream:
        return stream.request_id, stream.response.headers["content-type"], stream.response.status_code


@streams.same
def leave_early(at: Package) -> Any:
    """`break` out of the loop: the connection is closed, and the text so far can be read"""
    with at.stream() as stream:
        for event in stream:
            if event.type == "text":
                break
    return stream.current_message_snapshot.content[0].text, stream.response.is_closed


@streams.same
def close(at: Package) -> Any:
    """`stream.close()` inside the `with` block"""
    with at.stream() as stream:
        next(stream)
        stream.close()
        return stream.response.is_closed


@streams.same
def without_with(at: Package) -> Any:
    """`client.messages.create(stream=True)` without `with`"""
    return deltas(at.create(stream=True))


@streams.same
def create_in_with(at: Package) -> Any:
    """`with client.messages.create(stream=True) as stream`"""
    with at.create(stream=True) as stream:
        return deltas(stream)


@streams.same
def by_next(at: Package) -> Any:
    """`next(stream)`, and `iter(stream)` later on"""
    with at.create(stream=True) as stream:
        return next(stream).type, deltas(iter(stream))


@streams.same
def manager_by_hand(at: Package) -> Any:
    """`manager.__enter__()` and `manager.__exit__()` by hand"""
    manager = at.stream()
    stream = manager.__enter__()
    text = stream.get_final_text()
    manager.__exit__(None, None, None)
    return text


@streams.same
def classes_of_streams(at: Package) -> Any:
    """`isinstance(stream, anthropic.Stream)`, and `lib.streaming.MessageStream`"""
    (message_stream, manager) = at.load("lib.streaming", "MessageStream", "MessageStreamManager")
    with at.create(stream=True) as plain, at.stream() as stream:
        return (
            isinstance(plain, at.module.Stream),
            isinstance(stream, message_stream),
            isinstance(at.stream(), manager),
        )


@streams.same
def count_tokens_by_hand(at: Package) -> Any:
    """Tokens from `message_start` and `message_delta`"""
    tokens = [0, 0]
    for event in at.create("weather", stream=True):
        if event.type == "message_start":
            tokens[0] = event.message.usage.input_tokens
        elif event.type == "message_delta":
            tokens[1] = event.usage.output_tokens
    return tokens


@streams.same
def tool_input_by_hand(at: Package) -> Any:
    """`json.loads` of the `partial_json` of all deltas of a block"""
    pieces: dict[int, str] = {}
    for event in at.create("parallel", stream=True):
        if event.type == "content_block_delta" and event.delta.type == "input_json_delta":
            pieces[event.index] = pieces.get(event.index, "") + event.delta.partial_json
    return {index: json.loads(text) for index, text in pieces.items()}


@streams.same
async def async_text_stream(at: Package) -> Any:
    """`async for text in stream.text_stream`"""
    async with at.async_client.messages.stream(**asking()) as stream:
        return [text async for text in stream.text_stream]


@streams.same
async def async_final(at: Package) -> Any:
    """`await stream.get_final_message()`, `await stream.get_final_text()`"""
    async with at.async_client.messages.stream(**asking()) as stream:
        message = await stream.get_final_message()
        return message.content[0].text, await stream.get_final_text(), stream.request_id


@streams.same
async def async_create(at: Package) -> Any:
    """`async for event in await client.messages.create(stream=True)`"""
    stream = await at.async_client.messages.create(**asking(stream=True))
    return isinstance(stream, at.module.AsyncStream), [event.type async for event in stream if event.type != "ping"]


@streams.same
async def async_break(at: Package) -> Any:
    """`break` out of `async for`, then `await stream.close()`"""
    async with at.async_client.messages.stream(**asking()) as stream:
        async for event in stream:
            if event.type == "text":
                break
        await stream.close()
        return stream.response.is_closed


@streams.same
def beta_stream(at: Package) -> Any:
    """`client.beta.messages.stream(betas=[...])`, and the header that it sends"""
    with at.client.beta.messages.stream(**asking("weather"), betas=["a-1", "b-2"]) as stream:
        message = stream.get_final_message()
    request = at.server.requests[-1]
    return message.stop_reason, request.headers["anthropic-beta"], request.json().get("betas")


@streams.same
def nested_generators(at: Package) -> Any:
    """A generator that yields from a stream inside `with`, and is closed early"""

    def texts() -> Any:
        with at.stream() as stream:
            yield from stream.text_stream

    generator = texts()
    first = next(generator)
    generator.close()
    return first
