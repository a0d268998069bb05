"""Habits with raw and streamed responses."""

from __future__ import annotations

from typing import Any

from habits import Area, Package, asking
from server import error_reply, stream_reply

raw = Area("Raw responses")


@raw.same
def headers_and_parse(at: Package) -> Any:
    """`client.messages.with_raw_response.create(...)`: `.headers`, `.parse()`"""
    response = at.client.messages.with_raw_response.create(**asking())
    return response.headers["request-id"], response.parse().content[0].text


@raw.same
def attributes(at: Package) -> Any:
    """`response.status_code`, `.request_id`, `.http_response`, `.http_request`, `.url`, `.method`, `.is_closed`"""
    response = at.client.messages.with_raw_response.create(**asking())
    return (
        [response.status_code, response.request_id, response.http_response.status_code, response.is_closed],
        [response.http_request.method, response.url.path, response.method, response.retries_taken],
    )


@raw.same
def contents(at: Package) -> Any:
    """`response.text()`, `.json()`, `.read()`, `.content`"""
    response = at.client.messages.with_raw_response.create(**asking())
    return response.http_response.json()["id"], response.http_response.text[:5], response.http_response.content[:5]


@raw.same
def methods(at: Package) -> Any:
    """`response.text()`, `response.json()`, `response.read()`"""
    response = at.client.messages.with_raw_response.create(**asking())
    return [name for name in ("text", "json", "read") if callable(getattr(response, name, None))]


@raw.same
def parsed_request_id(at: Package) -> Any:
    """`response.parse()._request_id`, and `parse()` twice is one object"""
    response = at.client.messages.with_raw_response.create(**asking())
    return response.parse()._request_id, response.parse() is response.parse()


@raw.same
def parsed_stream(at: Package) -> Any:
    """`with_raw_response.create(stream=True).parse()` is a stream"""
    response = at.client.messages.with_raw_response.create(**asking(stream=True))
    stream = response.parse()
    return isinstance(stream, at.module.Stream), [event.type for event in stream if event.type != "ping"]


@raw.same
def of_the_client(at: Package) -> Any:
    """`client.with_raw_response.messages.create(...)`"""
    return at.client.with_raw_response.messages.create(**asking()).parse().role


@raw.same
def of_beta(at: Package) -> Any:
    """`client.beta.messages.with_raw_response.create(...)`"""
    response = at.client.beta.messages.with_raw_response.create(**asking(), betas=["a-1"])
    return response.parse().role, at.server.requests[-1].headers["anthropic-beta"]


@raw.same
def errors(at: Package) -> Any:
    """`except anthropic.RateLimitError` around `with_raw_response.create(...)`"""
    try:
        at.client.messages.with_raw_response.create(**asking("status:429"))
    except at.module.RateLimitError as error:
        return error.status_code
    return None


@raw.same
def retries_taken(at: Package) -> Any:
    """`response.retries_taken` after a repeated request"""
    at.server.reply(error_reply(500, headers={"retry-after-ms": "1"}))
    return at.client.with_options(max_retries=1).messages.with_raw_response.create(**asking()).retries_taken


@raw.same
async def of_async(at: Package) -> Any:
    """`await client.messages.with_raw_response.create(...)`, `response.parse()`"""
    response = await at.async_client.messages.with_raw_response.create(**asking())
    parsed = response.parse()
    if hasattr(parsed, "__await__"):
        parsed = await parsed
    return response.headers["request-id"], parsed.content[0].text


@raw.same
async def of_async_stream(at: Package) -> Any:
    """`(await client.messages.with_raw_response.create(stream=True)).parse()`"""
    response = await at.async_client.messages.with_raw_response.create(**asking(stream=True))
    stream = response.parse()
    if hasattr(stream, "__await__"):
        stream = await stream
    return [event.type async for event in stream if event.type != "ping"]


@raw.same
def streaming_lines(at: Package) -> Any:
    """`with client.messages.with_streaming_response.create(...) as response`: `iter_lines()`"""
    with at.client.messages.with_streaming_response.create(**asking(stream=True)) as response:
        return [line for line in response.iter_lines() if line.startswith("event:")], response.headers["request-id"]


@raw.same
def streaming_bytes(at: Package) -> Any:
    """`response.iter_bytes()`, `response.iter_text()`, `response.read()`"""
    found = []
    for read in ("iter_bytes", "iter_text", "read"):
        with at.client.messages.with_streaming_response.create(**asking(stream=True)) as response:
            data = getattr(response, read)()
            joined = data if isinstance(data, bytes) else ("" if read == "iter_text" else b"").join(data)
            found.append(len(joined))
    return found


@raw.same
def streaming_parse(at: Package) -> Any:
    """`with_streaming_response.create(...)`: `response.parse()`"""
    with at.client.messages.with_streaming_response.create(**asking()) as response:
        message = response.parse()
    with at.client.messages.with_streaming_response.create(**asking(stream=True)) as response:
        return message.role, [event.type for event in response.parse() if event.type != "ping"]


@raw.same
async def streaming_async(at: Package) -> Any:
    """`async with client.messages.with_streaming_response.create(...) as response`: `iter_lines()`, `await parse()`"""
    async with at.async_client.messages.with_streaming_response.create(**asking(stream=True)) as response:
        lines = [line async for line in response.iter_lines() if line.startswith("event:")]
    async with at.async_client.messages.with_streaming_response.create(**asking()) as response:
        return lines, (await response.parse()).role


@raw.same
def classes(at: Package) -> Any:
    """`anthropic.APIResponse`, `anthropic.AsyncAPIResponse` are classes"""
    return isinstance(at.module.APIResponse, type), isinstance(at.module.AsyncAPIResponse, type)


@raw.different("one way: `json()`, `text()` and `read()` give the body")
def parse_to(at: Package) -> Any:
    """`response.parse(to=dict)`"""
    return sorted(at.client.messages.with_raw_response.create(**asking()).parse(to=dict[str, Any]))[:3]


@raw.different("a text may contain other line ends of Unicode")
def unicode_lines(at: Package) -> Any:
    """`response.iter_lines()` of a text with U+2028"""
    at.server.reply(stream_reply(b"data: a\xe2\x80\xa8b\n\n"))
    with at.client.messages.with_streaming_response.create(**asking(stream=True)) as response:
        return list(response.iter_lines())
