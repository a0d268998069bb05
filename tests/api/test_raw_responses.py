"""`with_raw_response` and `with_streaming_response`, beside those of the official package and on each adapter."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import anthropic
import pytest
from adapters import Adapter, each_adapter
from helpers import HELLO, body, in_pieces
from server import ASK, Reply, error_reply, json_reply, serving, stream_reply

import streamcore.httpx as ours
from streamcore import StreamCoreError
from streamcore.errors import APIResponseValidationError, InvalidArgumentError

MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-1",
    "content": [{"type": "text", "text": "one\ntwo\r\nthree é"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 2},
}
HEADERS = {"request-id": "req_7", "anthropic-workspace-id": "wrk_7"}
STREAM = body(*HELLO)
LINES = STREAM.decode().split("\n")[:-1]


def answer(request: Any) -> Reply:
    if request.json().get("stream"):
        return stream_reply(*in_pieces(STREAM, 7), headers=HEADERS)
    return json_reply(MESSAGE, headers=HEADERS)


def head(response: Any) -> Any:
    return (
        response.status_code,
        response.headers["REQUEST-ID"],
        response.request_id,
        response.workspace_id,
        response.retries_taken,
        str(response.url).partition("?")[0],
        response.method,
        response.http_version,
        response.http_response.headers["request-id"],
    )


def test_sync_responses_are_those_of_the_official_client() -> None:
    with serving(always=answer) as server:
        outcomes = []
        for package in (anthropic, ours):
            server.reply(error_reply(529, headers={"retry-after-ms": "1"}))
            client: Any = package.Anthropic(api_key="key", base_url=server.url)
            found: list[Any] = []
            raw = client.messages.with_raw_response.create(**ASK)
            message = raw.parse()
            found += [head(raw), type(message).__name__, message.content[0].text, message._request_id]
            found += [message._workspace_id, raw.parse() is message, raw.read(), raw.text(), raw.json(), raw.is_closed]
            found += [b"".join(raw.iter_bytes()), "".join(raw.iter_text()), raw.http_response.json(), raw.elapsed.days]
            for api in (client.beta, client, client.with_raw_response.beta):
                messages = getattr(api.messages, "with_raw_response", api.messages)
                events = messages.create(**ASK, stream=True).parse()
                found.append([event.type for event in events])
            found.append([event.type for event in client.with_raw_response.messages.create(**ASK, stream=True).parse()])
            with client.messages.with_streaming_response.create(**ASK) as response:
                found += [head(response), response.parse().content[0].text, response.is_closed]
            with client.with_streaming_response.messages.create(**ASK) as response:
                found += [response.json(), response.read() == response.text().encode()]
            with client.beta.with_streaming_response.messages.create(**ASK, stream=True) as response:
                found += [response.is_closed, list(response.iter_lines())]
            assert response.is_closed
            with client.messages.with_streaming_response.create(**ASK, stream=True) as response:
                found += [list(response.iter_bytes(100))[:-1], next(iter(HELLO))["type"]]
            with client.messages.with_streaming_response.create(**ASK, stream=True) as response:
                pieces = list(response.iter_text(50))
                found += [len(pieces), "".join(pieces)]
            with client.messages.with_streaming_response.create(**ASK, stream=True) as response:
                found.append([event.type for event in response.parse()])
            message = client.messages.create(**ASK)
            found += [message._request_id, message._workspace_id, message.to_dict().get("response_ids")]
            client.close()
            outcomes.append(found)
        server.wait_until_idle()
    assert outcomes[0] == outcomes[1]
    assert outcomes[1][0][4] == 1


@each_adapter
def test_async_responses(adapter: Adapter) -> None:
    async def use(client: Any) -> Any:
        raw = await client.messages.with_raw_response.create(**ASK)
        message = await raw.parse()
        found = [head(raw), message.content[0].text, message._request_id, await raw.parse() is message]
        found += [
            await raw.read(),
            await raw.text(),
            await raw.json(),
            b"".join([each async for each in raw.iter_bytes()]),
        ]
        stream = await (await client.with_raw_response.beta.messages.create(**ASK, stream=True)).parse()
        found.append([event.type async for event in stream])
        async with client.beta.messages.with_streaming_response.create(**ASK) as response:
            found += [(await response.parse()).content[0].text, response.request_id]
        async with client.messages.with_streaming_response.create(**ASK, stream=True) as response:
            found.append([line async for line in response.iter_lines()])
        async with client.with_streaming_response.messages.create(**ASK, stream=True) as response:
            found.append([len(piece) async for piece in response.iter_text(50)])
        async with client.messages.with_streaming_response.create(**ASK, stream=True) as response:
            found.append([event.type async for event in await response.parse()])
        async with client.messages.with_streaming_response.create(**ASK, stream=True) as response:
            pass  # nothing is read, and the connection is closed
        assert response.is_closed
        assert response.http_request is not None
        await client.close()
        return found

    with serving(always=answer) as server:
        mine = adapter.run(lambda: use(adapter.client(server)))
        theirs = asyncio.run(use(anthropic.AsyncAnthropic(api_key="key", base_url=server.url)))
        server.wait_until_idle()
    assert mine == theirs


def test_what_fails() -> None:
    with serving(always=answer) as server, ours.Anthropic(api_key="key", base_url=server.url, max_retries=0) as client:
        with client.messages.with_streaming_response.create(**ASK, stream=True) as response:
            assert list(response.iter_lines()) == LINES
            for read_again in (response.read, response.parse, lambda: list(response.iter_bytes())):
                with pytest.raises(StreamCoreError, match="already read"):
                    read_again()
        with pytest.raises(InvalidArgumentError, match="chunk_size"):
            list(client.messages.with_raw_response.create(**ASK).iter_text(0))
        server.reply(json_reply({}), Reply(steps=[b"<html>"], framing="length"), error_reply(429))
        with pytest.raises(APIResponseValidationError, match="'content' is missing"):
            client.messages.with_raw_response.create(**ASK).parse()
        raw = client.messages.with_raw_response.create(**ASK)
        with pytest.raises(APIResponseValidationError, match="not JSON"):
            raw.json()
        assert raw.text() == "<html>"
        with pytest.raises(ours.RateLimitError), client.messages.with_streaming_response.create(**ASK):
            raise AssertionError("it was entered")
        with pytest.raises(TypeError, match="max_token"):
            client.messages.with_raw_response.create(**ASK, max_token=1)  # type: ignore[call-overload]
        assert json.loads(server.requests[-1].body) == ASK
        dropped: Any = client.messages.with_streaming_response.create(**ASK, stream=True).__enter__()
        assert dropped.status_code == 200
        del dropped
        server.wait_until_idle(connections=1)


@pytest.mark.parametrize("charset", ["utf-16", '"UTF-8"', "latin-1", "nonsense", "base64"])
def test_text_is_decoded_by_the_charset_that_the_answer_names(charset: str) -> None:
    encoding = charset.strip('"') if charset not in ("nonsense", "base64") else "utf-8"
    text = "é\r\n\rñ\nlast"
    data, headers = text.encode(encoding), {"content-type": f"text/plain; charset={charset}"}
    reply = Reply(steps=in_pieces(data, 1), headers=headers)
    with serving(always=reply) as server, ours.Anthropic(api_key="key", base_url=server.url) as client:
        assert client.messages.with_raw_response.create(**ASK).text() == text
        with client.messages.with_streaming_response.create(**ASK) as response:
            assert list(response.iter_lines()) == text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        with client.messages.with_streaming_response.create(**ASK) as response:
            assert list(response.iter_text(3)) == [text[start : start + 3] for start in range(0, len(text), 3)]
