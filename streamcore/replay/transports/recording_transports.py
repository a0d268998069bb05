"""Send requests with another transport and record what comes back, for clients on httpx2 and httpx."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, ClassVar

from streamcore.replay.capture import Capture
from streamcore.replay.content_coding import ContentDecoder, ContentError, content_headers, encoding_of
from streamcore.replay.formats.files import StrPath
from streamcore.replay.headers import header_pairs
from streamcore.replay.recording.recorded_answer import AsyncRecordedAnswer, RecordedAnswer
from streamcore.replay.recording.recorder import Exchange, Recorder
from streamcore.replay.transports.library import Library, captured_request


class _Unpacking:
    """Undoes the content codings of an answer for an exchange."""

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
        try:
            if self._decoder is not None:
                self._decoder.check_complete()
        except ContentError as error:
            self._exchange.broke(error)
        self._exchange.complete()

    def _unpacked(self, packed: bytes) -> Iterator[bytes]:
        try:
            yield from (packed,) if self._decoder is None else self._decoder.pieces(packed)
        except ContentError as error:  # the HTTP library raises its own error for the reader of the body
            self._exchange.broke(error)


class _Recording:
    """A transport that sends requests, and records the answers.

    The file is written when the client is closed. Bodies are recorded after their content codings were undone. The
    client gets them unchanged.

    Args:
        recorder: The file to write, or a `Recorder` for what several transports receive: its owner closes it.
        transport: Sends the requests; by default the library's own transport.
    """

    library: ClassVar[Library]
    default: ClassVar[str]

    def __init__(self, recorder: StrPath | Recorder, transport: Any = None) -> None:
        self._is_own = not isinstance(recorder, Recorder)
        self._recorder = recorder if isinstance(recorder, Recorder) else Recorder(recorder)
        self._transport = transport if transport is not None else getattr(self.library.module, self.default)()

    def _head(self, request: Any, response: Any) -> tuple[Capture, ContentDecoder | None]:
        headers = header_pairs(response.headers)
        decoder = None
        # A body in an unknown coding is recorded as it arrives, with its headers. It is lost if it must be redacted.
        with contextlib.suppress(ContentError):
            decoder = ContentDecoder(encoding_of(headers))
        head = Capture(
            request=captured_request(request),
            status=response.status_code,
            headers=headers if decoder is None else content_headers(headers),
        )
        return head, decoder

    def _response(self, response: Any, answer: RecordedAnswer | AsyncRecordedAnswer) -> Any:
        return self.library.module.Response(
            response.status_code,
            headers=response.headers,
            stream=self.library.stream(answer),
            extensions=response.extensions,
        )

    def _save(self) -> None:
        if self._is_own:
            self._recorder.close()


class Recording(_Recording):
    """`_Recording` for sync clients."""

    default = "HTTPTransport"

    def handle_request(self, request: Any) -> Any:
        """Send a request, and begin to record its answer. Exceptions are those of the sending transport."""
        request.read()
        response = self._transport.handle_request(request)
        head, decoder = self._head(request, response)
        exchange = _Unpacking(self._recorder.begin(head), decoder)
        return self._response(response, RecordedAnswer(response.stream, exchange))

    def close(self) -> None:
        """Close the connections, and write the file.

        Raises:
            CaptureError: It cannot be written.
        """
        try:
            self._transport.close()
        finally:
            self._save()


class AsyncRecording(_Recording):
    """`_Recording` for async clients."""

    default = "AsyncHTTPTransport"

    async def handle_async_request(self, request: Any) -> Any:
        """Send a request, and begin to record its answer. Exceptions are those of the sending transport."""
        await request.aread()
        response = await self._transport.handle_async_request(request)
        head, decoder = self._head(request, response)
        exchange = _Unpacking(await self._recorder.abegin(head), decoder)
        return self._response(response, AsyncRecordedAnswer(response.stream, exchange))

    async def aclose(self) -> None:
        """Close the connections, and write the file.

        Raises:
            CaptureError: It cannot be written.
        """
        try:
            await self._transport.aclose()
        finally:
            self._save()
