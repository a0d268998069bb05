"""Play captures to any HTTP client, as a local Messages endpoint on aiohttp.

A `Replay` has a capture for each request. A chunk of the capture is a chunk of the transfer coding and sent at once.
Where the captured connection broke, the connection is closed in the middle of the answer. A request without
`stream: true` gets the complete message that the stream adds up to, or an error in the API's form that says why not.

A body is read from its file while it is played.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any, Unpack
from urllib.parse import quote

import attrs
import msgspec

from streamcore import StreamCoreError
from streamcore._extras import requires_extra
from streamcore.errors import shortened
from streamcore.replay.capture import Capture, CapturedRequest, CaptureError
from streamcore.replay.formats.files import capture_files, open_capture
from streamcore.replay.formats.sse import is_stream
from streamcore.replay.headers import HOP_BY_HOP, unsendable
from streamcore.replay.playing.complete_message import accumulate
from streamcore.replay.playing.players import AsyncPlayer, Failures
from streamcore.replay.playing.replay import (
    MOST_LISTED,
    FoundFile,
    NoCaptureError,
    Replay,
    ReplayOptions,
    Source,
    request_line,
)
from streamcore.replay.server.listening import (
    LOOPBACK,
    MALFORMED,
    Log,
    ServerOptions,
    error_response,
    hang_up,
    in_thread,
    listening,
    no_log,
    not_http,
    who_left,
)

with requires_extra("serve"):
    import anyio
    from aiohttp import web
    from multidict import CIMultiDict

_PATH = "/v1/messages"

# Also headers about how the bytes were coded on a connection: captures hold the decoded content.
_NOT_PLAYED = HOP_BY_HOP | {"alt-svc", "content-encoding", "content-length"}


class ServeOptions(ServerOptions, ReplayOptions, total=False):
    """The options of `serve()`."""


@contextlib.contextmanager
def serve(source: Source, **options: Unpack[ServeOptions]) -> Iterator[str]:
    """Run a Messages endpoint in a new thread for the time of the block, which gets its URL.

    ```python
    with serve("captures/weather.jsonl", speed=AS_RECORDED) as url:
        client = anthropic.Anthropic(base_url=url, api_key="none")
    ```

    `/v1/messages` plays all captures in turn, and then starts again. `/NAME/v1/messages` plays those of one file: give
    a client the base URL `url + "/NAME"`. The name has no suffix if it is unique without one; otherwise it has the
    suffix and as many of its folders as it needs to be unique.

    Args:
        source: A file of captures, a directory of such files, a capture, or several of these.
        **options: `host`, the address to listen on; `port` (0 picks a free one); `allowed_hosts`, further names that a
            request may have as its `Host` (`*` allows any); `log`, called with one line for each request, when it has
            been answered; and the options of `Replay`.

    Raises:
        CaptureError: `source` has no captures, or a link leads out of the folder that it is in.
        InvalidArgumentError: An option is invalid.
        StreamCoreError: The server cannot listen there.
    """
    with in_thread(serving(source, **options)) as url:
        yield url


def serving(
    source: Source,
    *,
    host: str = LOOPBACK,
    port: int = 0,
    allowed_hosts: Collection[str] = (),
    log: Log = no_log,
    **playing: Unpack[ReplayOptions],
) -> AbstractAsyncContextManager[str]:
    """Like `serve`, in the running event loop."""
    options: ReplayOptions = {"repeat": True, **playing}
    if isinstance(source, Iterable) and not isinstance(source, str):
        source = tuple(source)
    named = {name: Replay(file, **options) for name, file in _named(source).items()}
    endpoint = Endpoint(Replay(source, **options), named=named, log=log)
    return listening(endpoint, host=host, port=port, allowed_hosts=allowed_hosts, log=log)


def _named(source: Source) -> dict[str, FoundFile]:
    """Return the files under the names by which requests may choose them.

    Each file is opened, so that a bad one fails before the first request.

    Raises:
        CaptureError: One of them has no capture.
    """
    files = list(_files(source))
    for file in files:
        open_capture(file.path)
    counts = Counter(name for path in {file.path for file in files} for name in set(_names(path)))
    return {next((name for name in _names(file.path) if counts[name] == 1), str(file.path)): file for file in files}


def _names(path: Path) -> list[str]:
    """Return what a file may be called, the shortest first."""
    return [path.stem, *("/".join(path.parts[-count:]) for count in range(1, len(path.parts) + 1))]


def _files(source: Source) -> Iterator[FoundFile]:
    if isinstance(source, tuple):
        for each in source:
            yield from _files(each)
    elif isinstance(source, (str, os.PathLike)):
        folder = Path(source) if os.path.isdir(source) else None
        for path in capture_files(Path(source)):
            yield FoundFile(path, folder)


class _Cut(Exception):
    """The connection breaks in the middle of the answer."""


@attrs.define
class _Exchange:
    """One request and the progress of its answer, for the log."""

    request: web.Request
    began: float = attrs.field(factory=time.monotonic)
    status: int = 0
    what: str = ""
    chunks: int = 0
    size: int = 0
    end: str = ""

    def line(self) -> str:
        parts = [self.what] if self.what else []
        if self.chunks:
            parts.append(f"{self.chunks} chunk{'s' if self.chunks > 1 else ''}, {self.size} bytes")
        parts.append(f"{time.monotonic() - self.began:.2f} s")
        if self.end:
            parts.append(self.end)
        asked = request_line(CapturedRequest(method=self.request.method, url=self.request.path_qs))
        return f"{asked} {self.status or '-'}: {', '.join(parts)}"


class Endpoint:
    """Answers requests with captures.

    Args:
        replay: The captures for `/v1/messages`.
        named: Others by name, for `/NAME/v1/messages`: the path for a client whose `base_url` ends in the name.
        log: Called with one line for each request, when it has been answered.
    """

    def __init__(
        self,
        replay: Replay,
        *,
        named: Mapping[str, Replay] = MappingProxyType({}),
        log: Log = no_log,
    ) -> None:
        self._replays = {_PATH: replay} | {f"/{name}{_PATH}": each for name, each in named.items()}
        self._log = log

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        """Answer a request."""
        exchange = _Exchange(request)
        try:
            return await self._answer(request, exchange)
        except _Cut as cut:
            exchange.end = str(cut)
            hang_up(request)
            return web.StreamResponse()
        except (asyncio.CancelledError, ConnectionError):
            exchange.end = who_left(request)
            raise  # `listening` ends the connection
        finally:
            self._log(exchange.line())

    async def _answer(self, request: web.Request, exchange: _Exchange) -> web.StreamResponse:
        replay = self._replays.get(request.path)
        if replay is None:
            there = ", ".join(quote(path, errors="surrogateescape") for path in islice(self._replays, MOST_LISTED))
            more = len(self._replays) - MOST_LISTED
            said = f"{request.path} is not served; POST to one of: {there}" + (f" and {more} more" if more > 0 else "")
            return _error(exchange, 404, said, log="this path does not exist")
        if request.method != "POST":
            said = f"{request.path} takes POST, not {shortened(request.method)}"
            response = _error(exchange, 405, said)
            response.headers["allow"] = "POST"
            return response
        try:
            body = await request.read()
            asked = msgspec.json.decode(body, type=_Asked)
        except web.HTTPRequestEntityTooLarge as error:
            return _error(exchange, 413, error.text or "the body is too large")
        except MALFORMED as error:
            return _error(exchange, 400, not_http(error))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return _error(exchange, 400, f"the body does not ask for a message: {error}")
        try:
            capture = replay.answer(_captured(request, body))
            exchange.what = capture.name
            if asked.stream or not is_stream(capture):
                return await self._play(capture, replay.speed, request, exchange)
            return await self._accumulate(capture, replay.speed, exchange)
        except NoCaptureError as error:
            return _error(exchange, 404, str(error), log="no capture answers it")
        except StreamCoreError as error:  # a file is damaged, or a fault has no place in it
            if exchange.status:
                raise _Cut(f"cut, as the rest cannot be played: {error}") from error
            return _error(exchange, 500, f"the capture cannot be played: {error}")

    async def _play(
        self, capture: Capture, speed: float, request: web.Request, exchange: _Exchange
    ) -> web.StreamResponse:
        response = web.StreamResponse(**_response_head(capture))
        anyio.CancelScope()  # load this before the head is sent, as times count from there
        await response.prepare(request)
        exchange.status = capture.status
        async for data in AsyncPlayer(capture.body, speed=speed, failures=_FAILURES, sleep=asyncio.sleep):
            await response.write(data)
            exchange.chunks += 1
            exchange.size += len(data)
        return response

    async def _accumulate(self, capture: Capture, speed: float, exchange: _Exchange) -> web.StreamResponse:
        """Answer with the message that a stream adds up to, when the stream is over."""
        answer = await accumulate(capture, speed=speed, failures=_FAILURES, sleep=asyncio.sleep)
        exchange.status = answer.status
        if answer.status >= 400:
            exchange.end = answer.data.decode()
        return web.Response(**_response_head(answer), body=answer.data)


_FAILURES = Failures(broken=lambda message: _Cut(f"cut ({message})"))


@attrs.frozen
class _Asked:
    """The part of a request's body that matters to the endpoint."""

    stream: bool = False


def _captured(request: web.Request, body: bytes) -> CapturedRequest:
    # Not `request.url`: it fails for a Host that is not valid.
    url = f"{request.scheme}://{request.headers.get('host', '')}{request.raw_path}"
    return CapturedRequest(method=request.method, url=url, headers=request.headers, body=body)


def _response_head(capture: Capture) -> dict[str, Any]:
    """Return the status, and the headers that are about the content.

    Raises:
        CaptureError: The status or a header cannot be sent.
    """
    # Recordings of HTTP/2 may hold `:status`.
    headers = [pair for pair in capture.headers if pair[0].lower() not in _NOT_PLAYED and not pair[0].startswith(":")]
    fault = unsendable(capture.status, tuple(headers))
    if fault is not None:
        raise CaptureError(fault, path=capture.name or None)
    return {"status": capture.status, "headers": CIMultiDict(headers)}


def _error(exchange: _Exchange, status: int, message: str, *, log: str | None = None) -> web.Response:
    """Return an error of the endpoint itself. `log` is a shorter text for the log.

    The answer tells clients not to retry: that would not help, and would take the next capture.
    """
    exchange.status = status
    exchange.end = message if log is None else log
    response = error_response(status, message)
    response.headers["x-should-retry"] = "false"
    return response
