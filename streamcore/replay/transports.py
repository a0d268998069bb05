"""What the transports for httpx2 and httpx share: the two libraries have the same names and different classes.

`streamcore.replay.httpx2` and `streamcore.replay.httpx` derive their transports from these, and say which module they
belong to. The bodies they give are content: what told of codings and lengths is not among the headers.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from types import ModuleType
from typing import Any, ClassVar

from streamcore.errors import StreamCoreError
from streamcore.replay.answers import Accumulated, accumulate, error_body, wants_message
from streamcore.replay.capture import Capture, CapturedRequest
from streamcore.replay.chunking import Chunking
from streamcore.replay.content import ContentDecoder, ContentError, content_headers, encoding_of
from streamcore.replay.faults import Fault
from streamcore.replay.files import StrPath
from streamcore.replay.playing import INSTANTLY, AsyncPlayer, Failures, SyncPlayer
from streamcore.replay.recorder import Exchange, Recorder
from streamcore.replay.replay import Choose, NoCaptureError, Replay, Source
from streamcore.replay.tee import AsyncTee, SyncTee, pairs

__all__ = ["AsyncRecording", "AsyncReplaying", "Recording", "Replaying", "Streams"]


class Streams:
    """The classes of one of the libraries.

    Attributes:
        module: The library.
        sync_stream: Makes its `SyncByteStream` of an iterator of chunks and what closes it.
        async_stream: Makes its `AsyncByteStream` in the same way.
    """

    def __init__(self, module: ModuleType) -> None:
        self.module = module

        class SyncBytes(module.SyncByteStream):  # type: ignore[misc, name-defined]  # of either library
            def __init__(self, chunks: Iterable[bytes], close: Callable[[], object]) -> None:
                self._chunks = chunks
                self.close = close

            def __iter__(self) -> Iterator[bytes]:
                return iter(self._chunks)

        class AsyncBytes(module.AsyncByteStream):  # type: ignore[misc, name-defined]  # of either library
            def __init__(self, chunks: Any, close: Callable[[], Awaitable[object]]) -> None:
                self._chunks = chunks
                self.aclose = close

            def __aiter__(self) -> AsyncIterator[bytes]:
                return aiter(self._chunks)

        self.sync_stream = SyncBytes
        self.async_stream = AsyncBytes


class _Replaying:
    """A transport that plays captures in place of sending requests.

    Args:
        source: Captures, or a `Replay` of them: then that has the options that follow.
        speed: 1 is as recorded, 10 ten times as fast, `INSTANTLY` (the default) without waiting.
        chunking: How the bytes are cut.
        faults: Faults to apply, in this order. The chunking comes after them.
        choose: Says which capture answers a request. Without it they are played in order.
        repeat: Whether the order starts again at its end.
        sleep: Waits for so many seconds.
        clock: Tells the time in seconds.

    Raises:
        InvalidArgumentError: An option is invalid.
    """

    streams: ClassVar[Streams]

    def __init__(
        self,
        source: Source | Replay,
        *,
        speed: float = INSTANTLY,
        chunking: Chunking | str = "recorded",
        faults: Iterable[Fault | str] = (),
        choose: Choose | None = None,
        repeat: bool = False,
        sleep: Callable[[float], Any] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not isinstance(source, Replay):
            source = Replay(source, speed=speed, chunking=chunking, faults=faults, choose=choose, repeat=repeat)
        self.replay = source
        self._sleep = sleep
        self._clock = clock

    def _failures(self, request: Any) -> Failures:
        module = self.streams.module
        # Looked up for each wait: clients change it while the body is read.
        timeouts = request.extensions.get("timeout", {})
        return Failures(
            broken=lambda message: module.ReadError(message, request=request),
            timed_out=lambda seconds: module.ReadTimeout(f"nothing came for {seconds} s", request=request),
            timeout=lambda: timeouts.get("read"),
        )

    def _options(self, request: Any) -> dict[str, Any]:
        """Those of the player that answers a request."""
        return {
            "speed": self.replay.speed,
            "failures": self._failures(request),
            "sleep": self._sleep,
            "clock": self._clock,
        }

    def _refused(self, error: StreamCoreError) -> Any:
        """Answer a request that no capture can answer. `streamcore.httpx` raises `error` itself.

        Other clients wrap an exception of a transport in one that hides it, some after they have tried again. They
        show an answer at once.
        """
        status, kind = (404, "not_found_error") if isinstance(error, NoCaptureError) else (500, "api_error")
        said = str(error) if status == 404 else f"the capture cannot be played: {error}"
        return self.streams.module.Response(
            status,
            headers={"content-type": "application/json", "x-should-retry": "false"},
            content=error_body(kind, said),
            extensions={"streamcore_error": error},
        )

    def _response(self, capture: Capture, stream: Any) -> Any:
        return self.streams.module.Response(capture.status, headers=content_headers(capture.headers), stream=stream)


class Replaying(_Replaying):
    """The same for sync clients."""

    def handle_request(self, request: Any) -> Any:
        """Answer with the next capture, or the chosen one; with an error in the API's form if that fails."""
        request.read()
        asked = _captured(request)
        try:
            capture = self.replay.answer(asked)
            if wants_message(asked, capture):
                capture = self._accumulated(capture, request)
        except StreamCoreError as error:
            return self._refused(error)
        player = SyncPlayer(capture.body, **self._options(request))
        return self._response(capture, self.streams.sync_stream(player, player.close))

    def _accumulated(self, capture: Capture, request: Any) -> Capture:
        accumulated = Accumulated(capture.name)
        with contextlib.closing(SyncPlayer(capture.body, **self._options(request))) as player:
            any(map(accumulated.receive_data, player))
        return accumulated.receive_eof()


class AsyncReplaying(_Replaying):
    """The same for async clients."""

    async def handle_async_request(self, request: Any) -> Any:
        """Answer with the next capture, or the chosen one; with an error in the API's form if that fails."""
        await request.aread()
        asked = _captured(request)
        try:
            capture = self.replay.answer(asked)
            if wants_message(asked, capture):
                capture = await accumulate(capture, **self._options(request))
        except StreamCoreError as error:
            return self._refused(error)
        player = AsyncPlayer(capture.body, **self._options(request))
        return self._response(capture, self.streams.async_stream(player, player.aclose))


def _captured(request: Any) -> CapturedRequest:
    return CapturedRequest(
        method=request.method, url=str(request.url), headers=pairs(request.headers), body=request.content
    )


class _Unpacking:
    """Feeds an exchange with the content of what arrives packed."""

    def __init__(self, exchange: Exchange, decoder: ContentDecoder | None) -> None:
        self._exchange = exchange
        self._decoder = decoder
        self.broke = exchange.broke
        self.close = exchange.close

    def receive(self, data: bytes) -> None:
        for content in self._unpacked(data):
            self._exchange.receive(content)

    async def areceive(self, data: bytes) -> None:
        for content in self._unpacked(data):
            await self._exchange.areceive(content)

    def complete(self) -> None:
        for content in self._unpacked(None):
            self._exchange.receive(content)
        self._exchange.complete()

    def _unpacked(self, packed: bytes | None) -> Iterator[bytes]:
        """Generate the content that is known with these bytes; with None, the rest."""
        if self._decoder is None:
            yield packed or b""
            return
        try:
            if packed is not None:
                yield from self._decoder.pieces(packed)
            else:
                yield self._decoder.finish()
                self._decoder.check_complete()
        except ContentError as error:  # the library tells the reader of the body itself
            self._exchange.broke(error)


class _Recording:
    """A transport that sends requests, and records what comes back.

    The file is written when the client is closed. Bodies are recorded after their content codings were undone; what
    the client gets is what came.

    Args:
        recorder: The file to write, or a `Recorder` for what several transports receive: its owner closes it.
        transport: What sends; by default the library's own.
    """

    streams: ClassVar[Streams]
    default: ClassVar[str]

    def __init__(self, recorder: StrPath | Recorder, transport: Any = None) -> None:
        self._is_own = not isinstance(recorder, Recorder)
        self._recorder = recorder if isinstance(recorder, Recorder) else Recorder(recorder)
        self._transport = transport if transport is not None else getattr(self.streams.module, self.default)()

    def _head(self, request: Any, response: Any) -> tuple[Capture, ContentDecoder | None]:
        headers = pairs(response.headers)
        decoder = None
        # A body in an unknown coding is recorded as it comes, if it need not be redacted. Its headers say so.
        with contextlib.suppress(ContentError):
            decoder = ContentDecoder(encoding_of(headers))
        head = Capture(
            request=_captured(request),
            status=response.status_code,
            headers=headers if decoder is None else content_headers(headers),
        )
        return head, decoder

    def _response(self, response: Any, stream: Any) -> Any:
        return self.streams.module.Response(
            response.status_code, headers=response.headers, stream=stream, extensions=response.extensions
        )


class Recording(_Recording):
    """The same for sync clients."""

    default = "HTTPTransport"

    def handle_request(self, request: Any) -> Any:
        """Send a request. Raises what the transport that sends does."""
        request.read()
        response = self._transport.handle_request(request)
        head, decoder = self._head(request, response)
        exchange = _Unpacking(self._recorder.begin(head), decoder)

        def close() -> None:
            exchange.close()
            response.stream.close()

        return self._response(response, self.streams.sync_stream(SyncTee(iter(response.stream), exchange), close))

    def close(self) -> None:
        """Close the connections, and write the file.

        Raises:
            CaptureError: It cannot be written.
        """
        try:
            self._transport.close()
        finally:
            if self._is_own:
                self._recorder.close()


class AsyncRecording(_Recording):
    """The same for async clients."""

    default = "AsyncHTTPTransport"

    async def handle_async_request(self, request: Any) -> Any:
        """Send a request. Raises what the transport that sends does."""
        await request.aread()
        response = await self._transport.handle_async_request(request)
        head, decoder = self._head(request, response)
        exchange = _Unpacking(await self._recorder.abegin(head), decoder)

        async def close() -> None:
            exchange.close()
            await response.stream.aclose()

        return self._response(response, self.streams.async_stream(AsyncTee(aiter(response.stream), exchange), close))

    async def aclose(self) -> None:
        """Close the connections, and write the file.

        Raises:
            CaptureError: It cannot be written.
        """
        try:
            await self._transport.aclose()
        finally:
            if self._is_own:
                self._recorder.close()
