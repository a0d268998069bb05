"""Pass requests on to an upstream and its answers back, and record both, as a proxy on aiohttp.

Bytes are passed on as they arrive, in both directions. The upstream is asked for an answer without content coding,
which every client can read; if it sends one nevertheless, the coding is undone, up to 64 MB, unless it is unknown. A
chunk of the transfer coding is a chunk of the capture. If the connection to either side breaks, everything received by
then is kept. A request of more than 64 MB is refused (413), as it is kept in memory.

The proxy does not look at the content of requests and answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import Unpack

from streamcore._extras import requires_extra
from streamcore.api.request import check_base_url, without_userinfo
from streamcore.replay.capture import Capture, CapturedRequest, CaptureError
from streamcore.replay.content_coding import MAX_SIZE, ContentDecoder, ContentError, content_headers, encoding_of
from streamcore.replay.formats.files import StrPath
from streamcore.replay.headers import HOP_BY_HOP, header_pairs, unsendable
from streamcore.replay.playing.replay import request_line
from streamcore.replay.recording.recorder import Exchange, Recorder
from streamcore.replay.redaction import DEFAULT_REDACTION, Redaction
from streamcore.replay.server.listening import (
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
from streamcore.replay.server.upstream import environment_proxy, login_of

with requires_extra("serve"):
    import aiohttp
    from aiohttp import web
    from aiohttp.http import HttpProcessingError
    from multidict import CIMultiDict, CIMultiDictProxy
    from yarl import URL

__all__ = ["BrokenAnswerError", "pieces_of", "proxy", "proxying"]

# aiohttp sets these for the upstream itself.
_NOT_PASSED_ON = HOP_BY_HOP | {"accept-encoding", "expect", "host"}

# Everything that a request may fail with; aiohttp raises RuntimeError for a connection that is gone.
_FAILURES = (aiohttp.ClientError, HttpProcessingError, OSError, RuntimeError)

# A model may think for minutes: only connecting has a timeout.
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=30)
_LARGEST_CHUNK = 1024 * 1024
# A large file is written again after so many seconds, and one more for so many bytes: writing them takes 0.05 s.
_PAUSE = 1.0
_BYTES_A_SECOND = 4 * 1024 * 1024


@contextlib.contextmanager
def proxy(
    url: str,
    output: StrPath,
    *,
    redaction: Redaction | None = DEFAULT_REDACTION,
    **options: Unpack[ServerOptions],
) -> Iterator[str]:
    """Run a recording proxy in a new thread for the time of the block, which gets its URL.

    ```python
    with proxy("https://api.anthropic.com", "captures/weather.jsonl") as url:
        client = anthropic.Anthropic(base_url=url)
    ```

    All exchanges go to one file, in the order in which their answers began. It is written whole: whenever an exchange
    ends and no other is open (if the file is large: when it has doubled, or after some seconds), and at the end of the
    block. An exchange that does not fit on the disk is lost, and the log says so; the others are written. If
    the file cannot be written at the end, the recording is kept in the folder for temporary files.

    Args:
        url: The URL of the upstream, without the path of an endpoint.
        output: The file. It is replaced as soon as there is something to write. Its suffix tells the format.
        redaction: Removes secrets; None keeps everything.
        **options: `host`, the address to listen on; `port` (0 picks a free one); `allowed_hosts`, further names that a
            request may have as its `Host` (`*` allows any); `log`, called with one line for each finished request.

    Raises:
        CaptureError: No format has the suffix of `output`, or it cannot be written. At the end of the block: it cannot
            be written (the message says where the recording is kept), or exchanges were lost.
        InvalidArgumentError: `url` is not a URL.
        StreamCoreError: The proxy cannot listen there.
    """
    with in_thread(proxying(url, output, redaction=redaction, **options)) as local:
        yield local


@contextlib.asynccontextmanager
async def proxying(
    url: str,
    output: StrPath,
    *,
    redaction: Redaction | None = DEFAULT_REDACTION,
    **options: Unpack[ServerOptions],
) -> AsyncIterator[str]:
    """Like `proxy`, in the running event loop."""
    upstream = check_base_url(url)
    log = options.get("log", no_log)
    recorder = Recorder(output, redaction=redaction)
    with recorder:
        async with (
            aiohttp.ClientSession(
                auto_decompress=False,
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                proxy=environment_proxy(URL(upstream)),
                skip_auto_headers=("accept", "content-type", "user-agent"),
                timeout=_TIMEOUT,
            ) as session,
            listening(_Proxy(upstream, session, recorder, log), auto_decompress=False, **options) as local,
        ):
            yield local


class BrokenAnswerError(Exception):
    """The answer of the upstream ends in the middle, for this `reason`."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(f"the upstream broke off ({reason})")
        self.reason = reason


class _TooLargeError(Exception):
    """A request has more bytes than are kept in memory."""


class _Proxy:
    """The handler of the proxy.

    Args:
        upstream: Its URL.
        session: Sends requests to it.
        recorder: Takes the exchanges.
        log: Called with one line for each finished request.
    """

    def __init__(self, upstream: str, session: aiohttp.ClientSession, recorder: Recorder, log: Log) -> None:
        self._upstream = upstream
        self._login = login_of(URL(upstream))
        self._session = session
        self._recorder = recorder
        self._log = log
        self._open = 0
        self._later: asyncio.TimerHandle | None = None

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        """Pass a request on, and its answer back."""
        url = self._upstream + request.rel_url.raw_path_qs
        line = request_line(CapturedRequest(method=request.method, url=request.rel_url.raw_path_qs))
        if not request.rel_url.raw_path.startswith("/"):  # OPTIONS * and CONNECT
            return self._error(line, 400, "the target of the request must be a path")
        body = _RequestBody(request.content)
        passed_on = _request_headers(request.headers, self._login)
        try:
            answer = await self._session.request(
                request.method,
                URL(url, encoded=True).with_user(None),
                headers=passed_on,
                data=aiter(body) if request.body_exists else None,
                allow_redirects=False,
            )
        except _FAILURES as error:
            if isinstance(body.failure, _TooLargeError):
                return self._error(line, 413, str(body.failure))
            if isinstance(body.failure, MALFORMED):
                return self._error(line, 400, not_http(body.failure))
            if isinstance(error, (aiohttp.ClientResponseError, HttpProcessingError)):
                why = not_http(error)
            else:
                why = f"{type(error).__name__}: {without_userinfo(str(error))}"
            return self._error(line, 502, f"no answer from {without_userinfo(self._upstream)}: {why}")
        except asyncio.CancelledError:
            self._log(f"{line} -: {who_left(request)}")
            raise
        async with answer:
            sent = header_pairs(passed_on)
            asked = CapturedRequest(method=request.method, url=url, headers=sent, body=bytes(body.seen))
            headers = header_pairs(answer.headers)
            if fault := unsendable(answer.status, headers):
                return self._error(line, 502, f"the answer of the upstream cannot be passed on: {fault}")
            decoder = _decoder(encoding_of(headers))
            if decoder is not None:
                headers = content_headers(headers)
            head = Capture(request=asked, status=answer.status, headers=headers)
            try:
                exchange = await self._recorder.abegin(head)
            except asyncio.CancelledError:
                self._log(f"{line} -: {who_left(request)}")
                self._save_soon()  # the exchange ends without this handler
                raise
            tape = _Tape(exchange, chunked="chunked" in answer.headers.get("transfer-encoding", ""))
            self._open += 1
            try:
                return await _pass_on(request, answer, decoder, tape)
            finally:
                tape.close(who_left(request))
                self._log(f"{line} {answer.status}: {tape}{self._saved()}")

    def _error(self, line: str, status: int, said: str) -> web.Response:
        self._log(f"{line} {status}: {said}")
        return error_response(status, said)

    def _saved(self) -> str:
        """Write the file, unless an exchange is open. Return what went wrong, as text for the log."""
        self._open -= 1
        if self._open:
            return ""
        if self._recorder.is_worth_saving:
            return self._save()
        self._save_soon()
        return ""

    def _save_soon(self) -> None:
        pause = _PAUSE + self._recorder.size / _BYTES_A_SECOND
        self._later = self._later or asyncio.get_running_loop().call_later(pause, self._save_later)

    def _save_later(self) -> None:
        self._later = None
        if not self._open and (said := self._save()):
            self._log(f"the answers before{said}")

    def _save(self) -> str:
        try:
            self._recorder.save()
        except CaptureError as error:
            return f"; not saved yet: {error}"
        return ""


class _Tape:
    """The body of an answer on its way to the recorder.

    Args:
        exchange: Takes the chunks.
        chunked: Whether the body came in the chunks of the transfer coding, which are kept whole then.
    """

    def __init__(self, exchange: Exchange, *, chunked: bool) -> None:
        self.exchange = exchange
        self._chunked = chunked
        self._held = bytearray()
        self._began = time.monotonic()
        self._count = self._size = 0
        self._end: str | None = None

    async def receive(self, data: bytes, *, complete: bool) -> None:
        """Take bytes that have arrived; `complete` says whether a chunk ends with them."""
        self._held += data
        self._size += len(data)
        if self._held and (complete or not self._chunked or len(self._held) > _LARGEST_CHUNK):
            await self.exchange.areceive(self._take())

    def complete(self) -> None:
        """End the body normally."""
        self._flush()
        self.exchange.complete()
        self._end = ""

    def broke(self, reason: Exception, said: str) -> None:
        """End the body in the middle."""
        self._flush()
        self.exchange.broke(reason)
        self._end = said

    def close(self, reason: str) -> None:
        """End the answer for this reason, unless it has ended for another."""
        self._flush()
        self.exchange.close()
        self._end = reason if self._end is None else self._end

    def _flush(self) -> None:
        if self._held:
            self.exchange.receive(self._take())

    def _take(self) -> bytes:
        chunk = bytes(self._held)
        self._held.clear()
        self._count += 1
        return chunk

    def __str__(self) -> str:
        chunks = f"{self._count} chunk{'' if self._count == 1 else 's'}, {self._size} bytes"
        taken = f"{time.monotonic() - self._began:.2f} s"
        failure = self.exchange.failure
        lost = "" if failure is None else f"not recorded: {failure.message}"
        return ", ".join(filter(None, (chunks, taken, self._end, lost)))


async def _pass_on(
    request: web.Request, answer: aiohttp.ClientResponse, decoder: ContentDecoder | None, tape: _Tape
) -> web.StreamResponse:
    headers = _answer_headers(answer.headers, unpacked=decoder is not None)
    reason = answer.reason if (answer.reason or "").isprintable() else None
    response = web.StreamResponse(status=answer.status, reason=reason, headers=headers)
    await response.prepare(request)
    try:
        async with contextlib.aclosing(pieces_of(answer.content)) as pieces:
            async for data, complete in pieces:
                for content in (data,) if decoder is None else decoder.pieces(data):
                    await tape.receive(content, complete=False)
                    await response.write(content)
                await tape.receive(b"", complete=complete)
        if decoder is not None:
            decoder.check_complete()
    except BrokenAnswerError as error:
        tape.broke(error.reason, str(error))
        hang_up(request)
    except ContentError as error:
        tape.broke(error, f"broken off: {error}")
        hang_up(request)
    else:
        tape.complete()
    return response


class _RequestBody:
    """The body of a request on its way to the upstream.

    Attributes:
        seen: The bytes that have been passed on.
        failure: Why the client did not send all of it. aiohttp reports it as a failure of the upstream.
    """

    def __init__(self, content: aiohttp.StreamReader) -> None:
        self._content = content
        self.seen = bytearray()
        self.failure: Exception | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for data in self._content.iter_any():
                self.seen += data
                if len(self.seen) > MAX_SIZE:
                    raise _TooLargeError(f"the request has more than {MAX_SIZE} bytes")
                yield data
        except Exception as error:
            self.failure = error
            raise


async def pieces_of(content: aiohttp.StreamReader) -> AsyncGenerator[tuple[bytes, bool]]:
    """Generate the bytes that arrive, and whether a chunk of the transfer coding ends with them.

    Raises:
        BrokenAnswerError: The connection has failed. Everything that arrived before has been generated.
    """
    if content.at_eof():
        return  # for an answer without a body, aiohttp's iterator would never end
    try:
        async for piece in content.iter_chunks():
            yield piece
    except _FAILURES as error:
        # aiohttp raises at once, and has bytes that were not read.
        content.set_exception(None)  # type: ignore[arg-type]  # its initial value
        content.feed_eof()
        async for piece in content.iter_chunks():
            yield piece
        raise BrokenAnswerError(error) from error


def _request_headers(headers: CIMultiDictProxy[str], login: str | None) -> CIMultiDict[str]:
    passed_on = _without(headers, _NOT_PASSED_ON)
    passed_on["accept-encoding"] = "identity"
    if login is not None:
        passed_on.setdefault("authorization", login)
    return passed_on


def _answer_headers(headers: CIMultiDictProxy[str], *, unpacked: bool) -> CIMultiDict[str]:
    coded = {"content-encoding", "content-length"} if unpacked and "content-encoding" in headers else set[str]()
    return _without(headers, HOP_BY_HOP | coded)


def _decoder(encoding: str) -> ContentDecoder | None:
    """Return a decoder for an answer, or None if a coding is unknown: then it is passed on unchanged."""
    try:
        return ContentDecoder(encoding, max_size=MAX_SIZE)
    except ContentError:
        return None


def _without(headers: CIMultiDictProxy[str], names: frozenset[str]) -> CIMultiDict[str]:
    """Return the headers without these names, and without those that the `connection` header names."""
    named = {name.strip().lower() for value in headers.getall("connection", ()) for name in value.split(",")}
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in names | named)
