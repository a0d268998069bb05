"""The streams in a file: one in a raw body, one for each exchange in a capture.

A capture may hold exchanges that are not about Messages, such as a `HEAD /`, a list of models or the stream of another
API: they are skipped. An answer that is a complete message, because the request did not ask for a stream, is read as
the stream of that message. An exchange that is damaged in the file is a source that fails when it is read.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import attrs
import click
import msgspec

from streamcore import StreamCoreError
from streamcore.cli.kinds import NOT_DECODED, kind_of
from streamcore.cli.source import Failure, StreamSource
from streamcore.errors import excerpt

if TYPE_CHECKING:
    from streamcore.replay import Capture, CaptureError


@attrs.frozen
class Selection:
    """The exchanges of a file that a command reads.

    Attributes:
        exchange: The number of the only one, from 1; None for all Messages streams.
        only_list: Whether the command lists them instead of reading them.
    """

    exchange: int | None = None
    only_list: bool = False


def options(command: Callable[..., None]) -> Callable[..., None]:
    """Add `--exchange` and `--list` to a command, which gets them as arguments of these names."""
    add_exchange = click.option(
        "--exchange",
        type=click.IntRange(min=1),
        metavar="N",
        help="Read only the Nth exchange of a capture, the first being 1. The default is every Messages stream in it.",
    )
    add_list = click.option("--list", "only_list", is_flag=True, help="List the exchanges instead of reading them.")
    return add_exchange(add_list(command))


def streams(path: str, selection: Selection) -> Iterator[StreamSource]:
    """Generate the Messages streams in a file, or the exchange that is selected.

    Raises:
        Failure: The file cannot be read or has no Messages stream.
    """
    found = False
    skipped: StreamSource | None = None
    for source in sources(path, selection):
        if source.kind == "other":
            skipped = skipped or source
        else:
            found = True
            yield source
    if not found and skipped is not None:
        raise no_stream(path, skipped)


def no_stream(path: str, skipped: StreamSource) -> Failure:
    """Return the failure of a file without a Messages stream; `skipped` is the first exchange that was skipped."""
    return Failure(f"{path}: it has no Messages stream; exchange {skipped.exchange} is {skipped.summary}")


def sources(path: str, selection: Selection) -> Iterator[StreamSource]:
    """Generate all exchanges of a file, or the one that is selected.

    Raises:
        Failure: The file cannot be read, or has fewer exchanges.
    """
    wanted = selection.exchange
    count = 0
    for source in _sources(path):
        count += 1
        if wanted in (None, count):
            yield source
        if wanted == count:
            return
    if wanted is not None:
        raise Failure(f"{path}: exchange {wanted} does not exist: the last is {count}")


class _CapturedSource(StreamSource):
    """One exchange of a capture file."""

    def __init__(self, path: str, number: int, capture: Capture, *, has_times: bool) -> None:
        super().__init__(path)
        self.name = f"{path}, exchange {number}"
        self.exchange = number
        self.has_times = has_times
        self._capture = capture
        self.kind = kind_of(capture)
        request = capture.request
        asked = "" if request is None else f"{request.method} {request.path or '/'}: "
        self.summary = f"{asked}{self._answer()}"

    def _answer(self) -> str:
        content_type = self._capture.header("content-type")
        return ", ".join(filter(None, (f"status {self._capture.status}", content_type)))

    def _read(self) -> Iterator[bytes]:
        """Generate the bytes. If the connection broke, just end: the reader of the stream reports what is missing."""
        from streamcore.errors import APIConnectionError
        from streamcore.replay import INSTANTLY, SyncPlayer
        from streamcore.replay.playing.complete_message import stream_of

        try:
            if self.kind == "message":
                yield stream_of(msgspec.json.decode(self._capture.data))
            elif self.kind == "stream":
                with contextlib.suppress(APIConnectionError):
                    yield from SyncPlayer(self._capture.body, speed=self.speed or INSTANTLY)
            else:
                data = excerpt(self._capture.data)
                raise self.failure(f"the answer is not a stream or a message ({self._answer()}): {data}")
        except StreamCoreError as error:
            raise Failure(str(error)) from error
        except NOT_DECODED as error:  # for example a number that is too long: `kind_of` does not look at all of it
            raise self.failure(f"the message cannot be read: {error}") from error


class _DamagedSource(StreamSource):
    """One exchange of a capture file that cannot be read."""

    kind = "damaged"

    def __init__(self, path: str, number: int, error: CaptureError) -> None:
        super().__init__(path)
        self.name = f"{path}, exchange {number}"
        self.exchange = number
        self.summary = str(error).removeprefix(path).lstrip(":, ")

    def _read(self) -> Iterator[bytes]:
        raise self.failure(self.summary or "")


def _sources(path: str) -> Iterator[StreamSource]:
    # Most raw bodies are recognised here, because the formats of captures are slow to import.
    suffix = "" if path == "-" else os.path.splitext(path)[1].lower()
    if suffix in ("", ".sse"):
        yield StreamSource(path)
        return
    from streamcore.replay import CaptureError
    from streamcore.replay.formats.files import FORMATS, SUFFIXES, read_exchanges

    if suffix not in SUFFIXES:
        yield StreamSource(path)
        return
    has_times = FORMATS[SUFFIXES[suffix]].has_times
    number = 0
    try:
        for number, found in enumerate(read_exchanges(path), 1):
            if isinstance(found, CaptureError):
                yield _DamagedSource(path, number, found)
            else:
                yield _CapturedSource(path, number, found, has_times=has_times)
    except StreamCoreError as error:
        if not number:
            raise Failure(str(error)) from error
        said = str(error).removeprefix(path).lstrip(":, ")
        raise Failure(f"{path}: the rest, after exchange {number}, cannot be read: {said}") from error
