"""Choose the capture that answers a request, with its faults and chunking, for all transports and servers."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeAlias, TypedDict

import attrs

from streamcore.errors import InvalidArgumentError, StreamCoreError, excerpt, shortened
from streamcore.replay.capture import Capture, CapturedRequest, CaptureError, Step
from streamcore.replay.faults import Fault
from streamcore.replay.faults.parsing import check_faults
from streamcore.replay.formats.files import StrPath, capture_files, check_inside, read_exchanges
from streamcore.replay.formats.same_file import FileChangedError
from streamcore.replay.playing.chunking import Chunking, check_chunking, rechunk
from streamcore.replay.playing.players import INSTANTLY, check_speed
from streamcore.replay.redaction import DEFAULT_REDACTION, REDACTED, RedactionError

Choose: TypeAlias = Callable[[CapturedRequest, Sequence[Capture]], Capture | None]
"""Returns which of the captures answers a request, or None."""

Source: TypeAlias = StrPath | Capture | Iterable[StrPath | Capture]
"""Where captures are: a capture, a file, a directory of files (also below it, in the order of names), or several."""


@attrs.frozen
class FoundFile:
    """A file of captures, and the folder that it was found in and must stay in; None if it was named itself."""

    path: Path
    folder: Path | None = None


MOST_LISTED = 20
"""At most so many captures or paths are listed in a message."""

_LONGEST_LINE = 500


class NoCaptureError(CaptureError):
    """No capture answers a request. The message lists the captures.

    Attributes:
        request: The request.
    """

    def __init__(self, message: str, *, request: CapturedRequest | None = None) -> None:
        super().__init__(message)
        self.request = request


def prepare(capture: Capture, faults: Iterable[Fault | str], chunking: Chunking | str) -> Capture:
    """Return a capture with faults, and then cut in another way.

    Raises:
        InvalidArgumentError: A fault or `chunking` is invalid.
    """
    checked = check_chunking(chunking)
    given = check_faults(faults)
    for fault in given:
        capture = fault(capture)
        if not isinstance(capture, Capture):  # pyright: ignore[reportUnnecessaryIsInstance]  # the user's function
            raise InvalidArgumentError(f"the fault {fault!r} must return a Capture, not {excerpt(repr(capture))}")
    if given:
        # A fault that has no place in the body says so at its end. A stream that is over before would not read it.
        for _ in capture.body:
            pass
    if checked == "recorded":
        return capture
    return capture.with_body(partial(rechunk, chunking=checked))


class ReplayOptions(TypedDict, total=False):
    """The options of a `Replay`, which describes them, for everything that makes one."""

    speed: float
    chunking: Chunking | str
    faults: Iterable[Fault | str]
    choose: Choose | None
    repeat: bool


class Replay:
    """Captures, to answer requests with. Threads may share it.

    Args:
        source: Where the captures are. Files are read as far as they are needed. A file that has changed is read again
            from its beginning.
        speed: 1 is as recorded, 10 ten times as fast, `INSTANTLY` (the default) without waiting.
        chunking: How the bytes are cut; also as text, as on the command line.
        faults: Faults to apply, in this order; also as texts. The chunking comes after them.
        choose: Says which capture answers a request. Without it they are played in order.
        repeat: Whether the captures are played again after the last one. If `source` is an iterator, they are not.

    Attributes:
        error: The first reason why a request got no capture, or a capture could not be played to its end.

    Raises:
        InvalidArgumentError: An option is invalid.
    """

    def __init__(
        self,
        source: Source | FoundFile,
        *,
        speed: float = INSTANTLY,
        chunking: Chunking | str = "recorded",
        faults: Iterable[Fault | str] = (),
        choose: Choose | None = None,
        repeat: bool = False,
    ) -> None:
        if choose is not None and not callable(choose):
            raise InvalidArgumentError(f"choose must be a function, not {choose!r}")
        self.error: StreamCoreError | None = None
        self.speed: float = check_speed(speed)
        if not isinstance(repeat, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidArgumentError(f"repeat must be True or False, not {repeat!r}")
        self._chunking = check_chunking(chunking)
        self._faults = check_faults(faults)
        self._choose = choose
        self._repeat = repeat
        self._source = source
        self._left = _captures(source)
        self._taken = 0  # of this round
        self._all: list[Capture] = []
        self._is_outdated = False  # whether a file of `_all` has changed
        self._played: list[str] = []
        self._count = 0
        self._lock = threading.Lock()

    @classmethod
    def of(cls, source: Source | Replay, options: ReplayOptions) -> Replay:
        """Return `source` if it is a `Replay`, which has its own options, and otherwise make one."""
        return source if isinstance(source, Replay) else cls(source, **options)

    def answer(self, request: CapturedRequest) -> Capture:
        """Return the capture that answers a request, with its faults and chunking.

        Raises:
            NoCaptureError: None does.
            CaptureError: A file cannot be read (with `repeat` the next request gets the next capture, otherwise it
                looks again), or a function of the user has failed.
            InvalidArgumentError: `choose` returned something other than a capture.
        """
        with self._noting_errors():
            with self._lock:
                found = self._next(request) if self._choose is None else self._chosen(request, self._choose)
            return prepare(found, self._faults, self._chunking).with_body(self._body)

    def _body(self, body: Iterable[Step]) -> Iterator[Step]:
        with self._noting_errors():
            yield from body

    @contextlib.contextmanager
    def _noting_errors(self) -> Iterator[None]:
        """Keep the first error. An exception of a fault or of `choose` becomes one of ours.

        A client takes any other exception for a failure of the connection, and a test of that would pass.
        """
        try:
            yield
        except StreamCoreError as error:
            self.error = self.error or error
            if isinstance(error, FileChangedError):
                self._is_outdated = True
            raise
        except Exception as error:
            failed = CaptureError(f"a fault or `choose` has failed: {type(error).__name__}: {error}")
            self.error = self.error or failed
            raise failed from error

    def _take(self) -> Capture | None:
        """Return the next of the captures that are left, if there is one."""
        found = next(self._left, None)
        # To choose, all captures are needed at once, and a file that always changes would never come to an end.
        while isinstance(found, FileChangedError) and self._choose is None:
            found = next(self._left, None)
        if isinstance(found, CaptureError):
            # With `repeat`, this request fails, and the next gets the next capture. Otherwise the next request reads
            # the same place again, unless the source is an iterator, which can only go on.
            if self._repeat and self._choose is None:
                self._taken += 1
            elif not isinstance(self._source, Iterator):
                self._left = islice(_captures(self._source), self._taken, None)
            raise found
        self._taken += found is not None
        return found

    def _next(self, request: CapturedRequest) -> Capture:
        found = self._take()
        if found is None and self._repeat and self._taken:
            self._left = _captures(self._source)
            self._taken = 0
            found = self._take()
        if found is None:
            raise NoCaptureError(
                f"{_asked(request)}: all captures have been played, {self._count} in number{_listed(self._played)}",
                request=request,
            )
        self._count += 1
        if len(self._played) <= MOST_LISTED:
            self._played.append(_name(found))
        return found

    def _chosen(self, request: CapturedRequest, choose: Choose) -> Capture:
        if self._is_outdated and not isinstance(self._source, Iterator):
            self._is_outdated = False
            self._all.clear()
            self._left, self._taken = _captures(self._source), 0
        self._all.extend(iter(self._take, None))
        found = choose(request, self._all)
        if found is not None and not isinstance(found, Capture):  # pyright: ignore[reportUnnecessaryIsInstance]  # the user's function
            raise InvalidArgumentError(f"choose must return one of the captures or None, not {excerpt(repr(found))}")
        if found is None:
            there = [_name(capture) for capture in self._all[: MOST_LISTED + 1]]
            raise NoCaptureError(
                f"{_asked(request)}: none of the captures was chosen, {len(self._all)} in number{_listed(there)}",
                request=request,
            )
        return found


def _captures(source: Source | FoundFile) -> Iterator[Capture | CaptureError]:
    """Generate the captures, and an error in the place of one, or of the rest of a file, that cannot be read."""
    if isinstance(source, Capture):
        yield source
    elif isinstance(source, FoundFile):
        yield from _in_file(source)
    elif isinstance(source, Iterable) and not isinstance(source, str):
        for each in source:
            yield from _captures(each)
    else:
        yield from _in_path(Path(source))


def _in_path(path: Path) -> Iterator[Capture | CaptureError]:
    try:
        files = capture_files(path)
    except CaptureError as error:
        yield error
        return
    for each in files:
        yield from _in_file(FoundFile(each, path if each != path else None))


def _in_file(file: FoundFile) -> Iterator[Capture | CaptureError]:
    while True:
        try:
            if file.folder is not None:
                check_inside(file.path, file.folder)
            yield from read_exchanges(file.path)
        except FileChangedError as error:
            yield error
            continue  # with the first capture of what the file is now
        except CaptureError as error:
            yield error
        return


def request_line(request: CapturedRequest) -> str:
    """Return the method and URL of a request for messages and logs: without secrets, and not too long."""
    request = _without_secrets(request)
    return shortened(f"{request.method} {request.url}", _LONGEST_LINE)


def _without_secrets(request: CapturedRequest) -> CapturedRequest:
    try:
        return DEFAULT_REDACTION.redact(Capture(request=request)).request or request
    except RedactionError:
        return CapturedRequest(method=request.method, url=REDACTED)


def _name(capture: Capture) -> str:
    request = None if capture.request is None else _without_secrets(capture.request)
    return str(attrs.evolve(capture, request=request))


def _asked(request: CapturedRequest) -> str:
    body = _without_secrets(request).body
    return request_line(request) + (f" with {excerpt(body)}" if body else "")


def _listed(names: list[str]) -> str:
    numbered = [f"{number}. {name}" for number, name in enumerate(names[:MOST_LISTED], 1)]
    if len(names) > MOST_LISTED:
        numbered.append("...")
    return "; there were: " + "; ".join(numbered) if numbered else ""
