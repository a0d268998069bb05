"""Open message streams on a capture, without an HTTP library.

The exceptions are those of the clients: the status and the content type are checked, a connection that was cut raises
`APIConnectionError`, and a silence longer than `idle_timeout` raises `APITimeoutError`.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from streamcore.api.attempts import async_checked, checked
from streamcore.replay.capture import Capture, CapturedRequest
from streamcore.replay.faults import Fault
from streamcore.replay.formats.files import StrPath, open_capture
from streamcore.replay.playing.chunking import Chunking
from streamcore.replay.playing.players import INSTANTLY, AsyncPlayer, Failures, SyncPlayer
from streamcore.replay.playing.replay import prepare
from streamcore.stream import AsyncMessageStream, MessageStream


def open_stream(
    source: StrPath | Capture,
    *,
    speed: float = INSTANTLY,
    chunking: Chunking | str = "recorded",
    faults: Iterable[Fault | str] = (),
    idle_timeout: float | None = None,
    sleep: Callable[[float], object] | None = None,
    clock: Callable[[], float] = time.monotonic,
    **options: Any,
) -> MessageStream:
    """Return a `MessageStream` that plays a capture.

    ```python
    with open_stream("weather.jsonl", speed=AS_RECORDED) as stream:
        for text in stream.text_stream:
            print(text, end="", flush=True)
    ```

    Args:
        source: The capture, or a file, whose first capture is played.
        speed: 1 is as recorded, 10 ten times as fast, `INSTANTLY` (the default) without waiting.
        chunking: How the bytes are cut.
        faults: Faults to apply, in this order. The chunking comes after them.
        idle_timeout: The longest silence between bytes, in seconds.
        sleep: Waits for so many seconds. It replaces a wait that `close()` ends.
        clock: Returns the time in seconds.
        **options: The options of `MessageStream`.

    Raises:
        CaptureError: The file cannot be read.
        APIStatusError: The status of the capture is not 2xx.
        APIResponseValidationError: Its body is not an event stream.
        InvalidArgumentError: An option is invalid.
    """
    capture = prepare(source if isinstance(source, Capture) else open_capture(source), faults, chunking)
    player = SyncPlayer(capture.body, speed=speed, failures=_failures(idle_timeout), sleep=sleep, clock=clock)
    answer: Any = _CapturedAnswer(capture, player)
    answer = checked(answer, stream=True)
    return MessageStream(answer, response=answer.response, close=answer.close, **options)


async def aopen_stream(
    source: StrPath | Capture,
    *,
    speed: float = INSTANTLY,
    chunking: Chunking | str = "recorded",
    faults: Iterable[Fault | str] = (),
    idle_timeout: float | None = None,
    sleep: Callable[[float], Awaitable[object]] | None = None,
    clock: Callable[[], float] = time.monotonic,
    **options: Any,
) -> AsyncMessageStream:
    """Like `open_stream`, for async code, under asyncio or trio. Reading the file blocks the event loop."""
    capture = prepare(source if isinstance(source, Capture) else open_capture(source), faults, chunking)
    player = AsyncPlayer(capture.body, speed=speed, failures=_failures(idle_timeout), sleep=sleep, clock=clock)
    answer: Any = _CapturedAnswer(capture, player)
    answer = await async_checked(answer, stream=True)
    return AsyncMessageStream(answer, response=answer.response, close=answer.aclose, **options)


def _failures(idle_timeout: float | None) -> Failures:
    return Failures(timeout=lambda: idle_timeout)


class _CapturedHeaders(Mapping[str, str]):
    """The headers of a capture. Names may be in any case."""

    def __init__(self, capture: Capture) -> None:
        self._found = {name.lower(): capture.header(name) or "" for name, _ in capture.headers}

    def __getitem__(self, name: str) -> str:
        return self._found[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


class CapturedResponse:
    """The response of a stream that plays a capture without an HTTP library.

    Attributes:
        status_code: The status.
        headers: The headers. Names may be in any case.
        request: The request, if it is known.
        content: The beginning of the body of a failure.
    """

    def __init__(self, capture: Capture) -> None:
        self.status_code: int = capture.status
        self.headers: Mapping[str, str] = _CapturedHeaders(capture)
        self.request: CapturedRequest | None = capture.request
        self.content = b""

    @property
    def text(self) -> str:
        """`content` as text."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """`content` as JSON."""
        return msgspec.json.decode(self.content)


class _CapturedAnswer:
    """A capture as the answer that a client gets: the head here, everything else the player's."""

    def __init__(self, capture: Capture, player: SyncPlayer | AsyncPlayer) -> None:
        self.response = CapturedResponse(capture)
        self.status = capture.status
        self.headers = self.response.headers
        self._player: Any = player

    def keep_body(self, body: bytes) -> None:
        self.response.content = body

    def __iter__(self) -> Any:
        return self._player

    def __aiter__(self) -> Any:
        return self._player

    def __getattr__(self, name: str) -> Any:
        return getattr(self._player, name)
