"""Which capture answers a request, and how it is played: what all ways to replay share. Does no waiting itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TypeAlias

import attrs

from streamcore.api.errors import InvalidArgumentError
from streamcore.errors import StreamCoreError, excerpt
from streamcore.replay.answers import refusal, unplayable
from streamcore.replay.capture import Capture, CapturedRequest, CaptureError
from streamcore.replay.chunking import Chunking, rechunk
from streamcore.replay.faults import Fault
from streamcore.replay.files import StrPath, capture_files, read_captures
from streamcore.replay.playing import INSTANTLY, check_speed
from streamcore.replay.redaction import DEFAULT_REDACTION, REDACTED, RedactionError

__all__ = ["Choose", "NoCaptureError", "Replay", "Source", "prepare", "without_secrets"]

Choose: TypeAlias = Callable[[CapturedRequest, Sequence[Capture]], Capture | None]
"""Says which of the captures answers a request, `None` for none."""

Source: TypeAlias = StrPath | Capture | Iterable[StrPath | Capture]
"""Captures: one, a file of them, a directory of such files (in the order of their names, also below it), or several of
these."""

MOST_LISTED = 20


class NoCaptureError(CaptureError):
    """A request came that no capture answers. The message lists what there was.

    Attributes:
        request: The request.
    """

    def __init__(self, message: str, *, request: CapturedRequest | None = None) -> None:
        super().__init__(message)
        self.request = request


def prepare(capture: Capture, faults: Iterable[Fault], chunking: Chunking) -> Capture:
    """A capture with faults, and then cut in another way.

    Raises:
        InvalidArgumentError: `chunking` is none.
    """
    rechunk((), chunking)
    for fault in faults:
        capture = fault(capture)
    if chunking == "recorded":
        return capture
    return capture.with_body(partial(rechunk, chunking=chunking))


class Replay:
    """Captures, to answer requests with. Threads may share it.

    Args:
        source: Where the captures are. Files are read as far as they are needed.
        speed: 1 is as recorded, 10 ten times as fast, `INSTANTLY` (the default) without waiting.
        chunking: How the bytes are cut.
        faults: What breaks on purpose, in this order. The chunking comes after them.
        choose: Says which capture answers a request. Without it they are played in order.
        repeat: Whether the order begins again at its end. An iterator as `source` cannot.

    Raises:
        InvalidArgumentError: `speed` or `chunking` is none.
    """

    def __init__(
        self,
        source: Source,
        *,
        speed: float = INSTANTLY,
        chunking: Chunking = "recorded",
        faults: Iterable[Fault] = (),
        choose: Choose | None = None,
        repeat: bool = False,
    ) -> None:
        rechunk((), chunking)
        self.speed = check_speed(speed)
        self._chunking: Chunking = chunking
        self._faults = tuple(faults)
        self._choose = choose
        self._repeat = repeat
        self._source = source
        self._left = _captures(source)
        self._all: Sequence[Capture] | None = None
        self._failed: CaptureError | None = None
        self._played: list[str] = []
        self._count = 0
        self._lock = threading.Lock()

    def answer(self, request: CapturedRequest) -> Capture:
        """The capture that answers a request, cut and broken as was asked for.

        Raises:
            NoCaptureError: None does.
            CaptureError: A file cannot be read: the same error for this request and for all that follow.
            InvalidArgumentError: `choose` gave what is no capture.
        """
        with self._lock:
            found = self._next(request) if self._choose is None else self._chosen(request, self._choose)
        return prepare(found, self._faults, self._chunking)

    def respond(self, request: CapturedRequest) -> Capture:
        """As `answer`; where there is none, an error in the API's form says why.

        Clients wrap what is raised where they send, some of them after they have tried again. An answer they show.
        """
        try:
            return self.answer(request)
        except NoCaptureError as error:
            return refusal(404, "not_found_error", str(error))
        except StreamCoreError as error:
            return unplayable(error)

    def _take(self) -> Capture | None:
        """The next of the captures that are left, if there is one."""
        if self._failed is not None:
            raise self._failed.with_traceback(None)
        try:
            return next(self._left, None)
        except CaptureError as error:
            self._failed = error  # the iterator is over with it: it would only say that there are no more
            raise

    def _next(self, request: CapturedRequest) -> Capture:
        found = self._take()
        if found is None and self._repeat and self._count:
            self._left = _captures(self._source)
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
        if self._all is None:
            self._all = tuple(iter(self._take, None))
        found = choose(request, self._all)
        if found is not None and not isinstance(found, Capture):  # pyright: ignore[reportUnnecessaryIsInstance]  # the user's function
            raise InvalidArgumentError(f"choose has to give one of the captures, or None, not {excerpt(repr(found))}")
        if found is None:
            there = [_name(capture) for capture in self._all[: MOST_LISTED + 1]]
            raise NoCaptureError(
                f"{_asked(request)}: none of the captures was chosen, {len(self._all)} in number{_listed(there)}",
                request=request,
            )
        return found


def _captures(source: Source) -> Iterator[Capture]:
    if isinstance(source, Capture):
        return iter((source,))
    if isinstance(source, Iterable) and not isinstance(source, str):
        return chain.from_iterable(_captures(each) for each in source)
    return _in_path(Path(source))


def _in_path(path: Path) -> Iterator[Capture]:
    for each in capture_files(path):
        yield from read_captures(each)


def without_secrets(request: CapturedRequest) -> CapturedRequest:
    """Return a request as it can be shown in messages and logs."""
    try:
        return DEFAULT_REDACTION.redact(Capture(request=request)).request or request
    except RedactionError:
        return CapturedRequest(method=request.method, url=REDACTED)


def _name(capture: Capture) -> str:
    request = None if capture.request is None else without_secrets(capture.request)
    return str(attrs.evolve(capture, request=request))


def _asked(request: CapturedRequest) -> str:
    request = without_secrets(request)
    body = f" with {excerpt(request.body)}" if request.body else ""
    return f"{request.method} {request.url}{body}"


def _listed(names: list[str]) -> str:
    numbered = [f"{number}. {name}" for number, name in enumerate(names[:MOST_LISTED], 1)]
    if len(names) > MOST_LISTED:
        numbered.append("...")
    return "; there were: " + "; ".join(numbered) if numbered else ""
