"""Record answers while they are received, and write them to a file of captures at the end.

A `Recorder` takes any number of exchanges, also at once; each is fed by the code that has its bytes. What it stores has
no secrets from the start, and is in an unnamed temporary file once it exceeds a megabyte. The file itself is written
when the recorder is saved or closed: whole, with all exchanges in the order in which their answers began.

Recording never makes the recorded code fail. An exchange that cannot be stored or redacted is lost, and only that one;
its `failure` and `close()` say so. If the file cannot be written, `close()` keeps the temporary one and says where.

Redaction takes time in proportion to the size of a body. `abegin()` and `areceive()` do it in a thread when there is
more than 64 KB of it, or when a request is packed.
"""

from __future__ import annotations

import os
import secrets
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self, TypedDict, TypeVar

from streamcore._extras import requires_extra
from streamcore.errors import StreamCoreError
from streamcore.replay.capture import Capture, CapturedRequest, CaptureError, Chunk, End, EndReason, Step
from streamcore.replay.content_coding import codings, encoding_of
from streamcore.replay.formats.files import FORMATS, Format, StrPath, check_format, write_captures
from streamcore.replay.formats.spool import Spool
from streamcore.replay.formats.sse import is_stream
from streamcore.replay.formats.timed import timed_capture, timed_chunk, timed_end, timed_header
from streamcore.replay.redaction import DEFAULT_REDACTION, Redaction
from streamcore.replay.redaction.mask import BLOCK_SIZE, Mask

_LITTLE = 1024 * 1024

_T = TypeVar("_T")


class RecorderOptions(TypedDict, total=False):
    """The options of a `Recorder`, which describes them."""

    format: Format | None
    redaction: Redaction | None
    clock: Callable[[], float]


class Recorder:
    """Takes exchanges, and writes them to a file when it is closed. Threads may share it.

    If there is nothing to write, no file is written. Formats without statuses (`.sse`) get event streams only.

    Args:
        path: The file. It is replaced, unless something else has written it since the recorder was made.
        format: The format to write, if the suffix does not name it.
        redaction: Removes secrets; None keeps everything.
        clock: Returns the time in seconds.

    Raises:
        CaptureError: The suffix is unknown, or the file cannot be written.
    """

    def __init__(
        self,
        path: StrPath,
        *,
        format: Format | None = None,  # noqa: A002  # the field's word
        redaction: Redaction | None = DEFAULT_REDACTION,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._format: Format = check_format(format, path)
        if why := _why_not_writable(Path(path)):
            raise CaptureError(f"cannot be written: {why}", path=str(path))
        self._redaction = redaction
        self._clock = clock
        self._lock = threading.Lock()
        self._spool = Spool()
        self._open: dict[int, Exchange] = {}
        self._finished: dict[int, int] = {}
        self._lost: list[CaptureError] = []
        self._count = 0
        self._saved = 0
        self._saved_size = 0
        self._seen = _version(path)
        self._closed = False

    def begin(self, head: Capture) -> Exchange:
        """Begin an exchange when the head of an answer has arrived. The body of `head` is not looked at."""
        return self._begin(head, self._clock())

    async def abegin(self, head: Capture) -> Exchange:
        """Like `begin()`, for async code: a large request, or one that is packed, is redacted in a thread.

        If this is cancelled, the exchange ends as if it was closed.
        """
        began = self._clock()
        if self._redaction is None or head.request is None or not _is_large(head.request):
            return self._begin(head, began)
        begun: list[Exchange] = []
        cancelled = threading.Event()

        def begin() -> None:
            begun.append(self._begin(head, began))
            if cancelled.is_set():
                begun[0].close()

        try:
            await _in_thread(begin)
        except BaseException:
            # The thread goes on. Whichever of the two is later ends the exchange, which nobody gets.
            cancelled.set()
            for exchange in begun:
                exchange.close()
            raise
        return begun[0]

    def _begin(self, head: Capture, began: float) -> Exchange:
        with self._lock:
            number = self._count
            self._count += 1
        mask: Mask | None = None
        failed: Exception | None = None
        if self._redaction is not None:
            try:
                head, mask = self._redaction.begin(head)
            except Exception as error:  # noqa: BLE001  # an error in the user's hook must not break the recorded code
                failed = error
        exchange = Exchange(self, number, mask, self._clock, began)
        with self._lock:
            if not self._closed:
                self._open[number] = exchange
        if failed is not None:
            exchange._lose(_NOT_REDACTED, failed)
        else:
            exchange._write(timed_header(head))
        return exchange

    @property
    def size(self) -> int:
        """How many bytes the exchanges that have ended take."""
        return self._spool.size

    @property
    def is_worth_saving(self) -> bool:
        """Whether saving is cheap: there is little to write, or twice as much as at the last time."""
        return self.size < _LITTLE or self.size >= 2 * self._saved_size

    def save(self) -> None:
        """Write the file now, with the exchanges that have ended.

        Raises:
            CaptureError: It cannot be written, or something else has written it since this recording began: two
                recordings to one file must not overwrite each other. The next call tries again.
        """
        with self._lock:
            finished = sorted(self._finished.items())
            size = self._spool.size
        if len(finished) == self._saved:
            return
        captures = [timed_capture(self._spool, offset) for _, offset in finished]
        if not FORMATS[self._format].has_heads:
            captures = [capture for capture in captures if is_stream(capture)]
        if captures:
            if _version(self._path) not in (self._seen, None):
                said = "cannot be written: another recording or program has written it"
                raise CaptureError(said, path=str(self._path))
            write_captures(self._path, captures, format=self._format, redaction=None)
            self._seen = _version(self._path)
        self._saved, self._saved_size = len(finished), size

    def close(self) -> None:
        """Write the file. Exchanges that have not ended are kept up to this point.

        Raises:
            CaptureError: It cannot be written, or exchanges were lost.
        """
        for exchange in list(self._open.values()):
            exchange.close()
        with self._lock:
            if self._closed:
                return
            self._closed = True
        try:
            self.save()
        except CaptureError as error:
            raise CaptureError(f"{error.message}; {self._kept()}", path=str(self._path)) from error
        finally:
            self._spool.close()
        if self._lost:
            first = self._lost[0]
            said = f"{len(self._lost)} of {self._count} exchanges could not be recorded: {first.message}"
            raise CaptureError(said, path=str(self._path)) from first.__cause__

    def _kept(self) -> str:
        """Keep the recording that could not be written, and return where it is."""
        folder = "a temporary folder"
        try:
            folder = tempfile.gettempdir()  # fails if no folder has room for a single byte
            path = Path(folder, f"streamcore-recording-{secrets.token_hex(8)}.jsonl")
            self._spool.keep(path)
        except OSError as error:
            return f"the recording could not be kept in {folder} either: {error.strerror or error}"
        return f"the recording is kept in {path}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _finish(self, exchange: Exchange) -> None:
        with self._lock:
            if self._open.pop(exchange._number, None) is None:
                return
            begin = self._spool.size
            if exchange.failure is None:
                try:
                    self._spool.extend(exchange._spool)
                    self._finished[exchange._number] = begin
                except OSError as error:
                    exchange.failure = _failed(_NO_ROOM, error)
            if exchange.failure is not None:
                self._lost.append(exchange.failure)


def _why_not_writable(path: Path) -> str | None:
    if not os.path.isdir(path.parent):  # this is False also where it must not be looked at
        return "its folder is not there"
    if os.path.isdir(path):
        return "it is a folder"
    if os.path.exists(path) and not os.path.isfile(path):
        return "it is not a regular file"
    return None if os.access(path.parent, os.W_OK | os.X_OK) else "its folder is not writable"


def _version(path: StrPath) -> tuple[int, ...] | None:
    """Return values that change when a file is written, or None if it does not exist."""
    try:
        found = os.stat(path)
    except OSError:  # writing it will raise the error
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size


def _is_large(request: CapturedRequest) -> bool:
    """Whether there is much to redact in a request: a few bytes may unpack to any number."""
    size = len(request.body) + len(request.url) + sum(len(value) for _, value in request.headers)
    return size >= BLOCK_SIZE or bool(codings(encoding_of(request.headers)))


_NO_ROOM = "the recording does not fit on the disk"
_NOT_REDACTED = "the capture could not be redacted"


def _failed(what: str, cause: Exception) -> CaptureError:
    said = str(cause) if isinstance(cause, OSError | StreamCoreError) else f"{type(cause).__name__}: {cause}"
    failure = CaptureError(f"{what}: {said}")
    failure.__cause__ = cause
    return failure


class Exchange:
    """One answer as it arrives. It ends once: complete, broken or closed. After that, it ignores everything.

    Attributes:
        failure: Why it is lost, if it is.
    """

    def __init__(
        self, recorder: Recorder, number: int, mask: Mask | None, clock: Callable[[], float], began: float
    ) -> None:
        self._recorder = recorder
        self._number = number
        self._mask = mask
        self._clock = clock
        self._began = began
        self._spool = Spool()
        self._over = False
        self._lock = threading.Lock()
        self.failure: CaptureError | None = None

    def receive(self, data: bytes) -> None:
        """Take bytes of the content that have arrived."""
        if data:
            self._step(Chunk(self._clock() - self._began, data))

    async def areceive(self, data: bytes) -> None:
        """Like `receive()`, for async code: large blocks are redacted in a thread."""
        if self._mask is None or self.failure is not None or not self._mask.is_due(len(data)):
            self.receive(data)
        else:
            await _in_thread(self._step, Chunk(self._clock() - self._began, data))

    def complete(self) -> None:
        """End the body normally."""
        self._end("complete")

    def broke(self, error: BaseException) -> None:
        """End the body because the connection has failed."""
        self._end("broken", f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)

    def close(self) -> None:
        """End the body because the reader left, unless it has ended already."""
        self._end("closed")

    def _end(self, reason: EndReason, message: str = "") -> None:
        self._step(End(self._clock() - self._began, reason, message))

    def _step(self, step: Step) -> None:
        with self._lock:
            if self._over:
                return
            self._over = isinstance(step, End)
            if self.failure is None:
                self._take(step)
        if self._over:
            self._recorder._finish(self)
            self._spool.close()

    def _take(self, step: Step) -> None:
        try:
            ready = [step] if self._mask is None else self._mask.feed(step)
        except Exception as error:  # noqa: BLE001  # any error loses only this exchange
            self._lose(_NOT_REDACTED, error)
            return
        for each in ready:
            if isinstance(each, Chunk):
                self._write(timed_chunk(each))
            elif isinstance(each, End):
                self._write(timed_end(each))

    def _write(self, line: bytes) -> None:
        if self.failure is None:
            try:
                self._spool.append(line)
            except OSError as error:
                self._lose(_NO_ROOM, error)

    def _lose(self, what: str, cause: Exception) -> None:
        self.failure = _failed(what, cause)
        self._spool.close()
        self._spool = Spool()


async def _in_thread(function: Callable[..., _T], *args: Any) -> _T:
    """Call a function in a thread, from any event loop."""
    with requires_extra("replay"):
        import anyio.to_thread

    return await anyio.to_thread.run_sync(function, *args)
