"""What is measured, each behind a function that takes the same input: ours, the official package, bare JSON."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import msgspec
import orjson
from anthropic import NOT_GIVEN, Anthropic, Stream
from anthropic.lib.streaming import BetaMessageStream
from anthropic.types.beta import BetaRawMessageStreamEvent

from streamcore import MessageEngine

_client = Anthropic(api_key="none")
_decode = msgspec.json.Decoder().decode


def streamcore_engine(chunks: list[bytes]) -> int:
    engine = MessageEngine()
    receive_data = engine.receive_data
    events = engine.events
    count = 0
    for chunk in chunks:
        receive_data(chunk)
        for _ in events():
            count += 1
    return count


class _Body(httpx2.SyncByteStream):
    def __init__(self, chunks: list[bytes]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)


def official_message_stream(chunks: list[bytes]) -> int:
    response = httpx2.Response(200, stream=_Body(chunks), request=httpx2.Request("POST", "http://localhost"))
    raw: Stream[BetaRawMessageStreamEvent] = Stream(
        cast_to=BetaRawMessageStreamEvent,  # type: ignore[arg-type]  # a union, as the package itself passes it
        response=response,
        client=_client,
    )
    return sum(1 for _ in BetaMessageStream(raw, output_format=NOT_GIVEN))


def decode_with_msgspec(payloads: list[bytes]) -> None:
    for payload in payloads:
        _decode(payload)


def decode_with_orjson(payloads: list[bytes]) -> None:
    for payload in payloads:
        orjson.loads(payload)
