"""Habits with streams: loops over events and text, what is read during and after them, and ends that are not good."""

from __future__ import annotations

import json
from typing import Any

from habits import Area, Package, asking

streams = Area("Streams")
events = Area("Events")
ends = Area("Ends of streams")


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


# Events


@events.same
def event_types(at: Package) -> Any:
    """The types of the events of `stream()`, without `ping`"""
    with at.stream("weather") as stream:
        return kinds(stream)


@events.same
def raw_event_types(at: Package) -> Any:
    """The types of the events of `create(stream=True)`, without `ping`"""
    return kinds(at.create("weather", stream=True))


@events.same
def raw_delta(at: Package) -> Any:
    """`isinstance(event, types.RawContentBlockDeltaEvent)`"""
    cls = at.types.RawContentBlockDeltaEvent
    return "".join(event.delta.text for event in at.create(stream=True) if isinstance(event, cls))


@events.same
def raw_classes(at: Package) -> Any:
    """`isinstance` with each of the `Raw…Event` classes"""
    names = [
        "MessageStart",
        "ContentBlockStart",
        "ContentBlockDelta",
        "ContentBlockStop",
        "MessageDelta",
        "MessageStop",
    ]
    classes = {name: getattr(at.types, f"Raw{name}Event") for name in names}
    return [
        [name for name, cls in classes.items() if isinstance(event, cls)]
        for event in at.create("weather", stream=True)
        if event.type != "ping"
    ]


@events.same
def beta_raw_classes(at: Package) -> Any:
    """`isinstance(event, types.beta.BetaRawContentBlockDeltaEvent)`, `BetaTextDelta`"""
    event_cls, delta_cls = at.load("types.beta", "BetaRawContentBlockDeltaEvent", "BetaTextDelta")
    stream = at.client.beta.messages.create(**asking(), stream=True)
    return [event.delta.text for event in stream if isinstance(event, event_cls) and isinstance(event.delta, delta_cls)]


@events.same
def match_raw(at: Package) -> Any:
    """`match event: case RawContentBlockDeltaEvent(delta=TextDelta(text=text))`"""
    types, found = at.types, []
    for event in at.create("weather", stream=True):
        match event:
            case types.RawContentBlockDeltaEvent(delta=types.TextDelta(text=text)):
                found.append(text)
            case types.RawContentBlockStartEvent(index=index, content_block=types.ToolUseBlock(name=name)):
                found.append((index, name))
            case types.RawMessageDeltaEvent(delta=delta, usage=usage):
                found.append((delta.stop_reason, usage.output_tokens))
    return found


@events.same
def delta_classes(at: Package) -> Any:
    """`isinstance(event.delta, types.TextDelta)`, `ThinkingDelta`, `SignatureDelta`, `InputJSONDelta`, `CitationsDelta`"""
    names = ["TextDelta", "ThinkingDelta", "SignatureDelta", "InputJSONDelta", "CitationsDelta"]
    classes = [getattr(at.types, name) for name in names]
    return [
        [isinstance(event.delta, cls) for cls in classes]
        for model in ("weather", "thinking", "citations")
        for event in at.create(model, stream=True)
        if event.type == "content_block_delta"
    ]


@events.same
def derived_text(at: Package) -> Any:
    """`event.type == "text"`: `event.text`, `event.snapshot`"""
    with at.stream() as stream:
        return [(event.text, event.snapshot) for event in stream if event.type == "text"]


@events.same
def derived_classes(at: Package) -> Any:
    """`isinstance(event, lib.streaming.TextEvent)`, `InputJsonEvent`, `ContentBlockStopEvent`, `MessageStopEvent`"""
    names = ["TextEvent", "InputJsonEvent", "ContentBlockStopEvent", "MessageStopEvent"]
    classes = at.load("lib.streaming", *names)
    with at.stream("weather") as stream:
        return [name for event in stream for name, cls in zip(names, classes, strict=True) if isinstance(event, cls)]


@events.same
def derived_json(at: Package) -> Any:
    """`event.type == "input_json"`: `event.partial_json`, `event.snapshot`"""
    with at.stream("weather") as stream:
        return [event.partial_json for event in stream if event.type == "input_json"]


@events.same
def derived_others(at: Package) -> Any:
    """`event.type in ("thinking", "signature", "citation")`"""
    found = []
    for model in ("thinking", "citations"):
        with at.stream(model) as stream:
            for event in stream:
                if event.type == "thinking":
                    found.append(event.snapshot)
                elif event.type == "signature":
                    found.append(event.signature)
                elif event.type == "citation":
                    found.append(event.citation.cited_text)
    return found


@events.same
def stop_events(at: Package) -> Any:
    """`event.content_block` of `content_block_stop`, `event.message` of `message_stop`"""
    with at.stream("weather") as stream:
        return [
            event.content_block.type if event.type == "content_block_stop" else event.message.stop_reason
            for event in stream
            if event.type in ("content_block_stop", "message_stop")
        ]


@events.same
def relay_json(at: Package) -> Any:
    """`event.model_dump_json()` of each event, to relay it"""
    return [
        {key: value for key, value in json.loads(event.model_dump_json(exclude_none=True)).items() if value != {}}
        for event in at.create("weather", stream=True)
        if event.type != "ping"
    ]


@events.same
def relay_dict(at: Package) -> Any:
    """`event.to_dict()` and `event.model_dump(mode="json", exclude_unset=True)` of each event"""
    found = [
        (event.to_dict(), event.model_dump(mode="json", exclude_unset=True))
        for event in at.create("weather", stream=True)
        if event.type != "ping"
    ]
    return found


@events.same
def unknown_event(at: Package) -> Any:
    """Blocks, deltas and events of unknown types: the text is read around them"""
    with at.stream("unknown") as stream:
        return stream.get_final_text()


# Ends


@ends.different("a program can see that the stream is alive")
def pings(at: Package) -> Any:
    """`ping` events"""
    return [event.type for event in at.create("pings", stream=True)].count("ping")


@ends.different("a message that is not complete must not pass for one")
def cut_off(at: Package) -> Any:
    """A stream that is cut off: `stream.get_final_message()`"""
    return at.final("truncated").stop_reason


@ends.different("a message that is not complete must not pass for one")
def cut_off_events(at: Package) -> Any:
    """A stream that is cut off: the loop over `create(stream=True)`"""
    return deltas(at.create("truncated", stream=True))


@ends.different("the class is the one that the kind of the error has elsewhere")
def error_in_the_stream(at: Package) -> Any:
    """The class of the exception for an `error` event that says `overloaded_error`"""
    try:
        at.final("error")
    except at.module.APIStatusError as error:
        return type(error).__name__, error.status_code, error.message
    return None


@ends.same
def error_in_the_stream_status(at: Package) -> Any:
    """`except anthropic.APIStatusError` for an `error` event: `error.type`, `error.body`, `error.response`"""
    try:
        kinds(at.create("error", stream=True))
    except at.module.APIStatusError as error:
        return error.type, error.body, error.response.status_code
    return None


@ends.different("nothing is lost: the error is an event, then an exception")
def error_is_an_event(at: Package) -> Any:
    """The types of the events that arrive before an `error` event raises"""
    found = []
    try:
        for event in at.create("error", stream=True):
            found.append(event.type)
    except at.module.APIError:
        pass
    return found


@ends.different('a part must not pass for the whole; `invalid_json="keep"` takes it')
def wrong_json(at: Package) -> Any:
    """Input of a tool that is not valid JSON"""
    return at.final("wrong-input").content[-1].input


@ends.different("text must not be lost or put elsewhere")
def unstarted_block(at: Package) -> Any:
    """A delta for a block that never started"""
    return at.final("unstarted-block").stop_reason


@ends.different("a snapshot that you keep stays true")
def kept_snapshot(at: Package) -> Any:
    """`stream.current_message_snapshot`, kept from the first event on: its content after the stream"""
    with at.stream() as stream:
        next(stream)
        kept = stream.current_message_snapshot
        stream.until_done()
    return len(kept.content)
