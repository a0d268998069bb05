"""Play captures in place of sending requests, for clients on httpx2 and httpx.

The bodies that the transports give are content: headers about codings and lengths are left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, ClassVar, Unpack

from streamcore._steps import Steps, run, run_async
from streamcore.errors import StreamCoreError
from streamcore.replay.content_coding import content_headers
from streamcore.replay.playing.complete_message import accumulating, error_body, wants_message
from streamcore.replay.playing.players import AsyncPlayer, Failures, SyncPlayer
from streamcore.replay.playing.replay import NoCaptureError, Replay, ReplayOptions, Source
from streamcore.replay.transports.library import Library, captured_request


class _Replaying:
    """A transport that plays captures in place of sending requests.

    Args:
        source: Captures, or a `Replay` of them.
        sleep: Waits for so many seconds.
        clock: Returns the time in seconds.
        **options: The options of `Replay`, unless `source` is one: `speed`, `chunking`, `faults`, `choose`, `repeat`.

    Raises:
        InvalidArgumentError: An option is invalid.
    """

    library: ClassVar[Library]

    def __init__(
        self,
        source: Source | Replay,
        *,
        sleep: Callable[[float], Any] | None = None,
        clock: Callable[[], float] = time.monotonic,
        **options: Unpack[ReplayOptions],
    ) -> None:
        self.replay: Replay = Replay.of(source, options)
        self._sleep = sleep
        self._clock = clock

    def _options(self, request: Any) -> dict[str, Any]:
        """Return the options of the player that answers a request."""
        module = self.library.module
        # Looked up for each wait: clients change it while the body is read.
        timeouts = request.extensions.get("timeout", {})
        failures = Failures(
            broken=lambda message: module.ReadError(message, request=request),
            timed_out=lambda seconds: module.ReadTimeout(f"nothing came for {seconds} s", request=request),
            timeout=lambda: timeouts.get("read"),
        )
        return {"speed": self.replay.speed, "failures": failures, "sleep": self._sleep, "clock": self._clock}

    def _refused(self, error: StreamCoreError) -> Any:
        """Answer a request that no capture can answer. `streamcore.httpx` raises `error` itself.

        Other clients hide an exception of a transport in their own, some after retries. An answer they show at once.
        """
        status = 404 if isinstance(error, NoCaptureError) else 500
        said = str(error) if status == 404 else f"the capture cannot be played: {error}"
        return self.library.module.Response(
            status,
            headers={"content-type": "application/json", "x-should-retry": "false"},
            content=error_body(status, said),
            extensions={"streamcore_error": error},
        )

    def _handling(self, request: Any, read: Callable[[], Any], player: type[SyncPlayer | AsyncPlayer]) -> Steps[Any]:
        yield read, ()
        asked = captured_request(request)
        options = self._options(request)
        try:
            capture = self.replay.answer(asked)
            if wants_message(asked, capture):
                capture = yield from accumulating(player(capture.body, **options), capture.name)
        except StreamCoreError as error:
            return self._refused(error)
        stream = self.library.stream(player(capture.body, **options))
        return self.library.module.Response(capture.status, headers=content_headers(capture.headers), stream=stream)


class Replaying(_Replaying):
    """`_Replaying` for sync clients."""

    def handle_request(self, request: Any) -> Any:
        """Answer with the next capture, or the chosen one. If that fails, answer with an error in the API's form."""
        return run(self._handling(request, request.read, SyncPlayer))


class AsyncReplaying(_Replaying):
    """`_Replaying` for async clients."""

    async def handle_async_request(self, request: Any) -> Any:
        """Answer with the next capture, or the chosen one. If that fails, answer with an error in the API's form."""
        return await run_async(self._handling(request, request.aread, AsyncPlayer))
