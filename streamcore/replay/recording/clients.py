"""Record what a client receives: it is used as before, and a file of captures is written at the end.

Answers are recorded where the client gets them, whichever HTTP library is below: each attempt is an exchange, with its
request. The bytes are those after content codings were undone. For other clients on httpx2 or httpx, there are the
recording transports of `streamcore.replay.httpx2` and `streamcore.replay.httpx`.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any, TypeVar, Unpack, overload

from streamcore.api.attempts import AsyncAnswer, SyncAnswer
from streamcore.api.client import Call
from streamcore.api.face import AsyncClient, SyncClient
from streamcore.errors import InvalidArgumentError
from streamcore.replay.capture import Capture, CapturedRequest
from streamcore.replay.content_coding import content_headers
from streamcore.replay.formats.files import StrPath
from streamcore.replay.headers import header_pairs
from streamcore.replay.recording.recorded_answer import AsyncRecordedAnswer, RecordedAnswer
from streamcore.replay.recording.recorder import Recorder, RecorderOptions

_SyncT = TypeVar("_SyncT", bound=SyncClient)
_AsyncT = TypeVar("_AsyncT", bound=AsyncClient)
_ClientT = TypeVar("_ClientT", bound="SyncClient | AsyncClient")


@overload
def record(
    client: _SyncT, path: StrPath, **options: Unpack[RecorderOptions]
) -> contextlib.AbstractContextManager[_SyncT]: ...
@overload
def record(
    client: _AsyncT, path: StrPath, **options: Unpack[RecorderOptions]
) -> contextlib.AbstractAsyncContextManager[_AsyncT]: ...
def record(client: Any, path: StrPath, **options: Unpack[RecorderOptions]) -> Any:
    """Record what a client receives, for as long as a `with` block lasts.

    ```python
    with record(client, "weather.jsonl") as recorded:
        with recorded.messages.stream(...) as stream:
            ...
    ```

    The block gets a client to use in place of the given one; the two share their connections. The file is written at
    the end of the block, however it ends, and holds what was received by then. A stream that broke is recorded as far
    as it came, and as broken. Without an answer no file is written. The time of a chunk is the time at which it was
    read.

    Args:
        client: A client of any adapter; an async one takes `async with`.
        path: The file to write. It is replaced.
        **options: `format`, the format to write, if the suffix does not name it; `redaction`, which removes secrets
            (None keeps everything); `clock`, which returns the time in seconds.

    Raises:
        CaptureError: The suffix is unknown, or the folder does not exist. At the end of the block: the file cannot be
            written, or the hook of the redaction has failed.
        InvalidArgumentError: `client` is not a client of streamcore.
    """
    if not isinstance(client, SyncClient | AsyncClient):
        raise InvalidArgumentError(
            f"only clients of streamcore can be recorded, not {type(client).__name__}: for a stream, record the client "
            "that makes it; for other clients on httpx2 or httpx, use a recording transport"
        )
    recorder = Recorder(path, **options)
    return _sync_block(client, recorder) if isinstance(client, SyncClient) else _async_block(client, recorder)


@contextlib.contextmanager
def _sync_block(client: _SyncT, recorder: Recorder) -> Iterator[_SyncT]:
    with recorder:
        yield recorded(client, recorder)


@contextlib.asynccontextmanager
async def _async_block(client: _AsyncT, recorder: Recorder) -> AsyncIterator[_AsyncT]:
    with recorder:
        yield recorded(client, recorder)


def recorded(client: _ClientT, recorder: Recorder) -> _ClientT:
    """Return a copy of a client that is recorded, as are its own copies. The recorder's owner closes it."""
    recording = _RecordedSyncClient if isinstance(client, SyncClient) else _RecordedAsyncClient
    cls = type(client)
    recorded_class: Any = type(f"Recorded{cls.__name__}", (recording, cls), {"_recorder": recorder})
    # A client of that class with the attributes of a copy: its constructor would open connections of its own.
    copied: _ClientT = object.__new__(recorded_class)
    vars(copied).update(vars(client.copy()))
    return copied


class _RecordedSyncClient(SyncClient):
    _recorder: Recorder

    def _send(self, call: Call) -> SyncAnswer:
        answer = super()._send(call)
        recorded_answer: Any = RecordedAnswer(answer, self._recorder.begin(_head(call, answer)))
        return recorded_answer  # type: ignore[no-any-return]  # the rest of an answer is that of `answer`


class _RecordedAsyncClient(AsyncClient):
    _recorder: Recorder

    async def _send(self, call: Call) -> AsyncAnswer:
        answer = await super()._send(call)
        recorded_answer: Any = AsyncRecordedAnswer(answer, await self._recorder.abegin(_head(call, answer)))
        return recorded_answer  # type: ignore[no-any-return]  # the rest of an answer is that of `answer`


def _head(call: Call, answer: SyncAnswer | AsyncAnswer) -> Capture:
    sent = call.request
    request = CapturedRequest(method=sent.method, url=sent.url, headers=sent.headers, body=sent.body)
    return Capture(request=request, status=answer.status, headers=content_headers(header_pairs(answer.headers)))
