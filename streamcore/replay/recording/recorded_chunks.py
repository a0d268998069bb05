"""Answers and chunks that are recorded while they are read. The reader does not notice.

Chunks and exceptions are passed on unchanged; an `Exchange` of a `Recorder` gets a copy. The head of an answer is taken
from the objects of the HTTP library that it came by.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterable, Iterator, Mapping
from typing import Any, Protocol, Self

from streamcore.api.attempts import AsyncAnswer, SyncAnswer
from streamcore.replay.capture import Capture, CapturedRequest, Headers
from streamcore.replay.content_coding import content_headers
from streamcore.replay.recording.recorder import Exchange
from streamcore.stream._drain import is_drainable

__all__ = [
    "AsyncTee",
    "RecordedAsyncAnswer",
    "RecordedSyncAnswer",
    "SyncTee",
    "aclosing",
    "closing",
    "head_of",
    "pairs",
]


class Receiver(Protocol):
    """Takes the copy: an `Exchange`, or what unpacks content for one."""

    def receive(self, data: bytes, /) -> None: ...
    async def areceive(self, data: bytes, /) -> None: ...
    def complete(self) -> None: ...
    def broke(self, error: BaseException, /) -> None: ...


class SyncTee(Iterator[bytes]):
    """Chunks, as they are read."""

    def __init__(self, chunks: Iterator[bytes], exchange: Receiver) -> None:
        self._chunks = chunks
        self._exchange = exchange
        self.is_drainable = is_drainable(chunks)

    def __next__(self) -> bytes:
        try:
            chunk = next(self._chunks)
        except StopIteration:
            self._exchange.complete()
            raise
        except Exception as error:
            self._exchange.broke(error)
            raise
        self._exchange.receive(chunk)
        return chunk


class AsyncTee:
    """Chunks, as they are read by async code."""

    def __init__(self, chunks: AsyncIterator[bytes], exchange: Receiver) -> None:
        self._chunks = chunks
        self._exchange = exchange
        self.is_drainable = is_drainable(chunks)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await self._chunks.__anext__()
        except StopAsyncIteration:
            self._exchange.complete()
            raise
        except Exception as error:
            self._exchange.broke(error)
            raise
        await self._exchange.areceive(chunk)
        return chunk


# Answers, as clients have them


class _RecordedHead:
    def __init__(self, answer: SyncAnswer | AsyncAnswer, exchange: Exchange) -> None:
        self._answer = answer
        self._exchange = exchange

    @property
    def status(self) -> int:
        return self._answer.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self._answer.headers

    @property
    def response(self) -> Any:
        return self._answer.response

    def keep_body(self, body: bytes) -> None:
        self._answer.keep_body(body)


class RecordedSyncAnswer(_RecordedHead):
    """A `SyncAnswer`, as it is read."""

    def __init__(self, answer: SyncAnswer, exchange: Exchange) -> None:
        super().__init__(answer, exchange)
        self._tee = SyncTee(iter(answer), exchange)
        self._close = answer.close

    def __iter__(self) -> SyncTee:
        return self._tee

    def close(self) -> None:
        self._exchange.close()
        self._close()


class RecordedAsyncAnswer(_RecordedHead):
    """An `AsyncAnswer`, as it is read."""

    def __init__(self, answer: AsyncAnswer, exchange: Exchange) -> None:
        super().__init__(answer, exchange)
        self._tee = AsyncTee(aiter(answer), exchange)
        self._aclose = answer.aclose

    def __aiter__(self) -> AsyncTee:
        return self._tee

    async def aclose(self) -> None:
        self._exchange.close()
        await self._aclose()


# What streams release at their end. A stream closes the generator that it reads from; with a tee between, this does.


def closing(
    exchange: Exchange, chunks: Iterator[bytes], release: Callable[[], object] | None, is_read: Callable[[], bool]
) -> Callable[[], None]:
    """Ends the exchange, and then what a stream would have closed itself."""

    def close() -> None:
        exchange.close()
        try:
            if isinstance(chunks, Generator) and not is_read():
                with contextlib.suppress(ValueError):  # another thread has begun to read just now
                    chunks.close()
        finally:
            if release is not None:
                release()

    return close


def aclosing(
    exchange: Exchange,
    chunks: AsyncIterator[bytes],
    release: Callable[[], Awaitable[object]] | None,
    is_read: Callable[[], bool],
) -> Callable[[], Awaitable[None]]:
    """As `closing`, for async code."""

    async def close() -> None:
        exchange.close()
        try:
            if isinstance(chunks, AsyncGenerator) and not is_read():
                await chunks.aclose()
        finally:
            if release is not None:
                await release()

    return close


# Heads


def pairs(headers: Any) -> Headers:
    """The headers in a mapping of any library, those that come more than once too."""
    items = getattr(headers, "multi_items", None)
    found: Iterable[tuple[str, str]] = items() if items is not None else headers.items()
    return tuple((str(name), _text(value)) for name, value in found)


def _text(value: str) -> str:
    """Return a header's value. aiohttp puts surrogates in it for bytes that are not UTF-8; no file could hold those."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogateescape").decode("latin-1")
    return str(value)


def head_of(response: Any, request_body: bytes = b"") -> Capture:
    """The head of a response of httpx2, httpx, aiohttp or of our own; of `None` what is known without one.

    `request_body` is for a request that does not know its own.
    """
    if response is None:
        return Capture()
    status = getattr(response, "status_code", None)
    return Capture(
        request=_request_of(response, request_body),
        status=response.status if status is None else status,
        headers=content_headers(pairs(response.headers)),
    )


def _request_of(response: Any, request_body: bytes) -> CapturedRequest | None:
    try:
        request = getattr(response, "request", None) or getattr(response, "request_info", None)
    except RuntimeError:  # a response of httpx that was made by hand has none, and says so in this way
        return None
    if request is None or isinstance(request, CapturedRequest):
        return request
    try:
        body: object = getattr(request, "content", getattr(request, "body", request_body))  # requests calls it `body`
    except Exception:  # noqa: BLE001  # httpx's way to say that it has sent the body and not kept it
        body = b""
    if isinstance(body, str):
        body = body.encode()
    if not isinstance(body, bytes):  # requests has sent a file or an iterator, or nothing
        body = b""
    return CapturedRequest(method=request.method, url=str(request.url), headers=pairs(request.headers), body=body)
