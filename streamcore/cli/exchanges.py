"""The streams in a file: one in a raw body, one for each exchange in a capture.

A capture may hold exchanges that are not about Messages, such as a `HEAD /` or a list of models: they are skipped. An
answer that is a complete message, because the request did not ask for a stream, is read as the stream of that message.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal, TypeAlias

import attrs
import click
import msgspec

from streamcore import StreamCoreError
from streamcore.cli.source import Failure, Source, visible
from streamcore.errors import excerpt

if TYPE_CHECKING:
    from streamcore.replay import Capture

__all__ = ["Selection", "no_stream", "options", "sources", "streams"]

_PATH = "/v1/messages"
_TIMED = ".jsonl"
# Any other file is taken for the bytes of a stream.
_CAPTURES = frozenset({_TIMED, ".har", ".json", ".yaml", ".yml"})


_NOT_DECODED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


@attrs.frozen
class Selection:
    """Which exchanges of a file are read.

    Attributes:
        exchange: The number of one of them, the first being 1; None for all Messages streams.
        only_list: Whether they are listed, and not read.
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
    add_list = click.option("--list", "only_list", is_flag=True, help="List the exchanges, and read none.")
    return add_exchange(add_list(command))


def streams(path: str, selection: Selection) -> Iterator[Source]:
    """Generate the Messages streams in a file, or the exchange that is selected. If they are listed, none.

    Raises:
        Failure: The file cannot be read, or has no Messages stream.
    """
    found = False
    skipped: Source | None = None
    for source in sources(path, selection):
        if selection.only_list:
            click.echo(f"{source.exchange or 1:>4}  {visible(source.description(), lines=False)}")
        elif source.skipped is None:
            found = True
            yield source
        else:
            skipped = skipped or source
    if not found and skipped is not None:
        raise no_stream(path, skipped)


def no_stream(path: str, skipped: Source) -> Failure:
    """Return the failure of a file whose exchanges were all skipped, this one first."""
    return Failure(f"{path}: it has no Messages stream; exchange {skipped.exchange} is {skipped.skipped}")


def sources(path: str, selection: Selection) -> Iterator[Source]:
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


class _CapturedSource(Source):
    """One exchange of a capture file."""

    def __init__(self, path: str, number: int, capture: Capture) -> None:
        super().__init__(path)
        self.name = f"{path}, exchange {number}"
        self.exchange = number
        self.has_times = path.lower().endswith(_TIMED)
        self._capture = capture
        self._kind = _kind_of(capture)
        if self._kind == "other":
            self.skipped = self._summary()

    def description(self) -> str:
        return f"{self._kind:<8}  {self._summary()}"

    def _summary(self) -> str:
        request = self._capture.request
        asked = "" if request is None else f"{request.method} {request.path or '/'}: "
        return f"{asked}{self._answer()}"

    def _answer(self) -> str:
        content_type = self._capture.header("content-type")
        return ", ".join(filter(None, (f"status {self._capture.status}", content_type)))

    def _read(self) -> Iterator[bytes]:
        """Generate the bytes. A broken end is an end: the reader of the stream says what is missing."""
        from streamcore.api.errors import APIConnectionError
        from streamcore.replay import INSTANTLY, SyncPlayer
        from streamcore.replay.answers import stream_of

        try:
            if self._kind == "message":
                yield stream_of(msgspec.json.decode(self._capture.data))
            elif self._kind == "stream":
                with contextlib.suppress(APIConnectionError):
                    yield from SyncPlayer(self._capture.body, speed=self.speed or INSTANTLY)
            else:
                data = excerpt(self._capture.data)
                raise self.failure(f"the answer is not a stream or a message ({self._answer()}): {data}")
        except StreamCoreError as error:
            raise Failure(str(error)) from error
        except _NOT_DECODED as error:  # a number that is too long, say, which `_is_message` does not look at
            raise self.failure(f"the message cannot be read: {error}") from error


Kind: TypeAlias = Literal["stream", "message", "failed", "other"]
"""What an exchange is: a stream, a complete message, a call of Messages without either, or something else."""


def _kind_of(capture: Capture) -> Kind:
    from streamcore.api.response import is_event_stream, is_success

    content_type = capture.header("content-type") or ""
    success = is_success(capture.status)
    request = capture.request
    if request is not None and request.method in ("HEAD", "OPTIONS"):
        return "other"
    if success and is_event_stream({"content-type": content_type}):
        return "stream"
    if request is not None and not (request.method == "POST" and request.path.endswith(_PATH)):
        return "other"
    return "message" if success and _is_message(capture) else "failed"


@attrs.frozen
class _Message:
    type: Literal["message"]
    content: list[msgspec.Raw]
    usage: msgspec.Raw


def _is_message(capture: Capture) -> bool:
    try:
        msgspec.json.decode(capture.data, type=_Message)
    except _NOT_DECODED:
        return False
    return True


def _sources(path: str) -> Iterator[Source]:
    if path == "-" or os.path.splitext(path)[1].lower() not in _CAPTURES:
        yield Source(path)
        return
    from streamcore.replay import read_captures

    try:
        for number, capture in enumerate(read_captures(path), 1):
            yield _CapturedSource(path, number, capture)
    except StreamCoreError as error:
        raise Failure(str(error)) from error
