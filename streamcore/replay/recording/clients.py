"""`record()`: a stream or a client that is used as ever, and a file of what came.

Clients are recorded where they get their answers, whichever HTTP library is below: each attempt is an exchange, with
its request. Streams are recorded where they read their chunks. The bytes are those after content codings were undone.
For any other client on httpx2 or httpx, there are the recording transports of `streamcore.replay.httpx2` and
`streamcore.replay.httpx`.
"""

from __future__ import annotations

import contextlib
import inspect
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from typing import Any, TypeVar, overload

from streamcore.api.attempts import AsyncAnswer, SyncAnswer
from streamcore.api.client import Call
from streamcore.api.errors import InvalidArgumentError
from streamcore.api.face import AsyncClient, SyncClient
from streamcore.replay.capture import Capture, CapturedRequest
from streamcore.replay.content_coding import content_headers
from streamcore.replay.formats.files import Format, StrPath
from streamcore.replay.recording.recorded_chunks import (
    AsyncTee,
    RecordedAsyncAnswer,
    RecordedSyncAnswer,
    SyncTee,
    aclosing,
    closing,
    head_of,
    pairs,
)
from streamcore.replay.recording.recorder import Recorder
from streamcore.replay.redaction import DEFAULT_REDACTION, Redaction
from streamcore.stream import (
    AsyncMessageStream,
    AsyncMessageStreamManager,
    AsyncStream,
    MessageStream,
    MessageStreamManager,
    Stream,
)

__all__ = ["record", "recorded"]

_SyncT = TypeVar("_SyncT", bound="SyncClient | Stream[Any]")
_AsyncT = TypeVar("_AsyncT", bound="AsyncClient | AsyncStream[Any]")
_SyncClientT = TypeVar("_SyncClientT", bound=SyncClient)
_AsyncClientT = TypeVar("_AsyncClientT", bound=AsyncClient)
_ClientT = TypeVar("_ClientT", bound="SyncClient | AsyncClient")
_StreamT = TypeVar("_StreamT", bound="Stream[Any]")
_AsyncStreamT = TypeVar("_AsyncStreamT", bound="AsyncStream[Any]")
_MessageStreamT = TypeVar("_MessageStreamT", bound=MessageStream)
_AsyncMessageStreamT = TypeVar("_AsyncMessageStreamT", bound=AsyncMessageStream)


@overload
def record(
    target: _SyncT,
    path: StrPath,
    *,
    format: Format | None = None,
    redaction: Redaction | None = DEFAULT_REDACTION,
    clock: Callable[[], float] = time.monotonic,
) -> contextlib.AbstractContextManager[_SyncT]: ...
@overload
def record(
    target: MessageStreamManager[_MessageStreamT],
    path: StrPath,
    *,
    format: Format | None = None,
    redaction: Redaction | None = DEFAULT_REDACTION,
    clock: Callable[[], float] = time.monotonic,
) -> contextlib.AbstractContextManager[_MessageStreamT]: ...
@overload
def record(
    target: _AsyncT,
    path: StrPath,
    *,
    format: Format | None = None,
    redaction: Redaction | None = DEFAULT_REDACTION,
    clock: Callable[[], float] = time.monotonic,
) -> contextlib.AbstractAsyncContextManager[_AsyncT]: ...
@overload
def record(
    target: AsyncMessageStreamManager[_AsyncMessageStreamT],
    path: StrPath,
    *,
    format: Format | None = None,
    redaction: Redaction | None = DEFAULT_REDACTION,
    clock: Callable[[], float] = time.monotonic,
) -> contextlib.AbstractAsyncContextManager[_AsyncMessageStreamT]: ...
def record(
    target: Any,
    path: StrPath,
    *,
    format: Format | None = None,  # noqa: A002  # the field's word
    redaction: Redaction | None = DEFAULT_REDACTION,
    clock: Callable[[], float] = time.monotonic,
) -> Any:
    """Record what a client or a stream receives, for as long as a `with` block lasts.

    ```python
    with record(client, "weather.jsonl") as client:
        with client.messages.stream(...) as stream:
            ...
    with record(client.messages.stream(...), "weather.jsonl") as stream:
        ...
    ```

    The file is written at the end of the block, however that ends, and holds what was received by then; a stream that
    broke is recorded up to there, and that it broke. Without an answer no file is written. The time of a chunk is that
    at which it was read: who reads late, records late.

    Args:
        target: A client of `streamcore.httpx` or `streamcore.aiohttp`: what is to be used in its place shares its
            connections. Or what `messages.stream()` returns; or a stream that nothing has been read from. For the async
            ones it is `async with`.
        path: The file to write. It is replaced.
        format: What to write, if its suffix does not tell.
        redaction: Removes secrets; None keeps everything.
        clock: Tells the time in seconds.

    Raises:
        CaptureError: The suffix stands for no format, or the folder is not there. At the end of the block: the file
            cannot be written, or the hook of the redaction has failed.
        InvalidArgumentError: `target` is nothing that can be recorded; when the block is entered: a stream has been
            read from.
    """
    for kind, begin in _TARGETS.items():
        if isinstance(target, kind):
            return begin(target, Recorder(path, format=format, redaction=redaction, clock=clock))
    raise InvalidArgumentError(
        "only clients and streams of streamcore can be recorded (for other clients on httpx2 or httpx there are "
        f"recording transports), not {type(target).__name__}"
    )


# Clients


@contextlib.contextmanager
def _sync_client(client: _SyncClientT, recorder: Recorder) -> Iterator[_SyncClientT]:
    with recorder:
        yield recorded(client, recorder)


@contextlib.asynccontextmanager
async def _async_client(client: _AsyncClientT, recorder: Recorder) -> AsyncIterator[_AsyncClientT]:
    with recorder:
        yield recorded(client, recorder)


def recorded(client: _ClientT, recorder: Recorder) -> _ClientT:
    """A copy of a client that is recorded, and so are its own copies. The recorder is for its owner to close."""
    recording = _RecordedSyncClient if isinstance(client, SyncClient) else _RecordedAsyncClient
    copied: Any = client.copy()
    cls = type(client)
    copied.__class__ = type(f"Recorded{cls.__name__}", (recording, cls), {"_recorder": recorder})
    return copied  # type: ignore[no-any-return]  # of a child of the client's class


class _RecordedSyncClient(SyncClient):
    _recorder: Recorder

    def _send(self, call: Call) -> SyncAnswer:
        answer = super()._send(call)
        return RecordedSyncAnswer(answer, self._recorder.begin(_head(call, answer)))


class _RecordedAsyncClient(AsyncClient):
    _recorder: Recorder

    async def _send(self, call: Call) -> AsyncAnswer:
        answer = await super()._send(call)
        return RecordedAsyncAnswer(answer, await self._recorder.abegin(_head(call, answer)))


def _head(call: Call, answer: SyncAnswer | AsyncAnswer) -> Capture:
    sent = call.request
    request = CapturedRequest(method=sent.method, url=sent.url, headers=sent.headers, body=sent.body)
    return Capture(request=request, status=answer.status, headers=content_headers(pairs(answer.headers)))


# Streams


@contextlib.contextmanager
def _stream(stream: _StreamT, recorder: Recorder) -> Iterator[_StreamT]:
    with recorder, stream:
        yield _tapped(stream, recorder)


@contextlib.contextmanager
def _manager(manager: MessageStreamManager[_MessageStreamT], recorder: Recorder) -> Iterator[_MessageStreamT]:
    with recorder, manager as stream:
        yield _tapped(stream, recorder)


@contextlib.asynccontextmanager
async def _async_stream(stream: _AsyncStreamT, recorder: Recorder) -> AsyncIterator[_AsyncStreamT]:
    with recorder:
        async with stream:
            yield await _async_tapped(stream, recorder)


@contextlib.asynccontextmanager
async def _async_manager(
    manager: AsyncMessageStreamManager[_AsyncMessageStreamT], recorder: Recorder
) -> AsyncIterator[_AsyncMessageStreamT]:
    with recorder:
        async with manager as stream:
            yield await _async_tapped(stream, recorder)


def _check_unread(stream: Stream[Any] | AsyncStream[Any]) -> None:
    items = stream._pump.items
    begun = isinstance(items, Generator) and inspect.getgeneratorstate(items) != inspect.GEN_CREATED
    if stream._pump.over or begun:
        raise InvalidArgumentError("the stream has been read from: what came before could not be recorded any more")


def _tapped(stream: _StreamT, recorder: Recorder) -> _StreamT:
    _check_unread(stream)
    exchange = recorder.begin(head_of(stream.response))
    pump, chunks = stream._pump, stream._chunks
    stream._chunks = SyncTee(chunks, exchange)
    stream._release = closing(exchange, chunks, stream._release, lambda: pump.reading)
    return stream


async def _async_tapped(stream: _AsyncStreamT, recorder: Recorder) -> _AsyncStreamT:
    _check_unread(stream)
    pump, chunks = stream._pump, stream._chunks
    exchange = await recorder.abegin(head_of(stream.response, getattr(chunks, "request_body", b"")))
    stream._chunks = AsyncTee(chunks, exchange)
    stream._release = aclosing(exchange, chunks, stream._release, lambda: pump.reading)
    return stream


_TARGETS: dict[type, Callable[[Any, Recorder], Any]] = {
    SyncClient: _sync_client,
    AsyncClient: _async_client,
    Stream: _stream,
    AsyncStream: _async_stream,
    MessageStreamManager: _manager,
    AsyncMessageStreamManager: _async_manager,
}
