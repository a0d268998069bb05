"""What is received while it is received, to a file of captures at the end.

A `Recorder` takes any number of exchanges, also at once; each is fed by whoever has its bytes. What it holds is free of
secrets from the start, and lies in an unnamed temporary file as soon as it is more than a megabyte. The file itself is
written when the recorder is closed: whole, with all exchanges in the order in which their answers began.

Recording never fails what is recorded: if there is no room to write, or the hook of the redaction fails, `close()` says
so.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from streamcore.replay.capture import Capture, CaptureError, Chunk, End, EndReason, Step
from streamcore.replay.files import Format, StrPath, check_format, write_captures
from streamcore.replay.mask import Mask
from streamcore.replay.plain import is_stream
from streamcore.replay.redaction import DEFAULT_REDACTION, Redaction
from streamcore.replay.spool import Spool
from streamcore.replay.timed import read_timed, timed_chunk, timed_end, timed_header

__all__ = ["Exchange", "Recorder"]

_LITTLE = 1024 * 1024


class Recorder:
    """Takes exchanges, and writes them to a file when it is closed. Threads may share it.

    If there is nothing to write (of failures a file of bare streams holds nothing), no file is written.

    Args:
        path: The file. It is replaced.
        format: What to write, if its suffix does not tell.
        redaction: What is taken out; `None` is nothing.
        clock: Tells the time in seconds.

    Raises:
        CaptureError: The suffix stands for no format, or the folder is not there.
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
        folder = Path(path).parent
        if not os.path.isdir(folder):  # which is false also where it may not be looked at
            raise CaptureError("cannot be written: its folder is not there", path=str(path))
        if os.path.isdir(path):
            raise CaptureError("cannot be written: it is a folder", path=str(path))
        if not os.access(folder, os.W_OK | os.X_OK):  # at the end, what has come would be lost
            raise CaptureError("cannot be written: its folder may not be written to", path=str(path))
        self._redaction = redaction
        self._clock = clock
        self._lock = threading.Lock()
        self._spool = Spool()
        self._open: dict[int, Exchange] = {}
        self._finished: dict[int, int] = {}
        self._count = 0
        self._saved = 0
        self._saved_size = 0
        self._closed = False
        self._failure: CaptureError | None = None

    def begin(self, head: Capture) -> Exchange:
        """The head of an answer has arrived: its time begins. The body of `head` is not looked at."""
        with self._lock:
            number = self._count
            self._count += 1
            clean, mask = self._clean(head)
            exchange = Exchange(self, number, clean, mask, self._clock)
            if not self._closed:
                self._open[number] = exchange
        return exchange

    def _clean(self, head: Capture) -> tuple[Capture, Mask | None]:
        if self._redaction is None:
            return head, None
        try:
            return self._redaction.begin(head)
        except Exception as error:  # noqa: BLE001  # the hook is the user's: whatever it raises is raised at the end
            self._fail(f"a capture could not be redacted: {type(error).__name__}: {error}", error)
            return Capture(), None

    @property
    def is_worth_saving(self) -> bool:
        """Whether there is little to write, or as much again as was written: saving costs what is recorded, then."""
        size = self._spool.size
        return size < _LITTLE or size >= 2 * self._saved_size

    def save(self) -> None:
        """Write the file now, with the exchanges that have ended.

        Raises:
            CaptureError: It cannot be written, there was no room for what came, or it could not be redacted.
        """
        if self._failure is not None:
            raise self._failure
        with self._lock:
            finished = sorted(self._finished.items())
            size = self._spool.size
        if len(finished) == self._saved:
            return
        captures = [next(read_timed(self._spool, offset)) for _, offset in finished]
        if self._format == "sse":
            captures = [capture for capture in captures if is_stream(capture)]
        if captures:
            write_captures(self._path, captures, format=self._format, redaction=None)
        self._saved, self._saved_size = len(finished), size

    def close(self) -> None:
        """Write the file. Exchanges that have not ended are kept as far as they came.

        Raises:
            CaptureError: It cannot be written, there was no room for what came, or it could not be redacted.
        """
        for exchange in list(self._open.values()):
            exchange.close()
        with self._lock:
            if self._closed:
                return
            self._closed = True
        try:
            self.save()
        finally:
            self._spool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _finish(self, number: int, recorded: Spool) -> None:
        with self._lock:
            if self._open.pop(number, None) is None:
                return
            self._finished[number] = self._spool.size
            try:
                for offset in range(0, recorded.size, 1024 * 1024):
                    self._spool.append(recorded.read(offset, 1024 * 1024))
            except OSError as error:
                self._no_room(error)

    def _no_room(self, error: OSError) -> None:
        self._fail(f"there was no room for the recording: {error}", error)

    def _fail(self, message: str, cause: Exception) -> None:
        """Nothing is written any more: files are whole."""
        if self._failure is None:
            self._failure = CaptureError(message, path=str(self._path))
            self._failure.__cause__ = cause


class Exchange:
    """One answer as it arrives. It ends once: complete, broken, or closed; after that nothing is taken any more."""

    def __init__(
        self, recorder: Recorder, number: int, head: Capture, mask: Mask | None, clock: Callable[[], float]
    ) -> None:
        self._recorder = recorder
        self._number = number
        self._mask = mask
        self._clock = clock
        self._began = clock()
        self._spool = Spool()
        self._over = False
        self._lock = threading.Lock()
        self._write(timed_header(head))

    def receive(self, data: bytes) -> None:
        """Bytes of the content have arrived."""
        if data:
            self._step(Chunk(self._clock() - self._began, data))

    def complete(self) -> None:
        """The body has ended as the server meant it to."""
        self._end("complete")

    def broke(self, error: BaseException) -> None:
        """The connection has failed."""
        self._end("broken", f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)

    def close(self) -> None:
        """The reader has left, if the body has not ended before."""
        self._end("closed")

    def _end(self, reason: EndReason, message: str = "") -> None:
        self._step(End(self._clock() - self._began, reason, message))

    def _step(self, step: Step) -> None:
        with self._lock:
            if self._over:
                return
            for ready in [step] if self._mask is None else self._mask.feed(step):
                if isinstance(ready, Chunk):
                    self._write(timed_chunk(ready))
                elif isinstance(ready, End):
                    self._over = True
                    self._write(timed_end(ready))
        if self._over:
            self._recorder._finish(self._number, self._spool)
            self._spool.close()

    def _write(self, line: bytes) -> None:
        if self._recorder._failure is not None:
            return  # nothing will be kept, and of what could not be redacted nothing may be
        try:
            self._spool.append(line)
        except OSError as error:
            self._recorder._no_room(error)
