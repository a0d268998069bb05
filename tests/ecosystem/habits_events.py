"""Habits with events: their classes and fields, and streams that do not end well."""

from __future__ import annotations

import json
from typing import Any

from habits import Area, Package, asking
from habits_streams import deltas, kinds

events = Area("Events")
ends = Area("Streams that do not end well")


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
    """`isinstance(event.delta, types.TextDelta)`, and the other classes of deltas"""
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
    """`isinstance(event, lib.streaming.TextEvent)`, `InputJsonEvent`"""
    names = ["TextEvent", "InputJsonEvent"]
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
    return [
        (event.to_dict(), event.model_dump(mode="json", exclude_unset=True))
        for event in at.create("weather", stream=True)
        if event.type != "ping"
    ]


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
    """The class and the `status_code` of the exception for an `error` event that says `overloaded_error`"""
    try:
        at.final("error")
    except at.module.APIStatusError as error:
        return type(error).__name__, error.status_code
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
    """The last events before the exception for an `error` event"""
    found = []
    try:
        for event in at.create("error", stream=True):
            found.append(event.type)
    except at.module.APIError:
        pass
    return found[-2:]


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


@ends.different("its meaning is clear; `stream.violations` says that it is unusual")
def nameless(at: Package) -> Any:
    """A stream whose events have no `event:` lines"""
    return at.final("nameless").content[0].text
