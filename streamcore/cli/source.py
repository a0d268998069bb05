"""Where a stream comes from: a raw body in a file or on standard input, as bytes and as the events of an engine.

Every fault of the input becomes a `Failure`: one line for people. Bytes are read as they arrive, at most 64 KB at once,
so that a live stream is seen at once and a large file is never held in memory. `exchanges` has the sources in captures.
"""

from __future__ import annotations

import io
import os
import stat
import sys
from collections.abc import Iterator
from typing import TextIO, cast

import click

from streamcore import MessageEngine, MessageStreamEvent, ProtocolError
from streamcore.errors import excerpt
from streamcore.types import MessageStartEvent, MessageStopEvent

_CHUNK_SIZE = 64 * 1024
_CONTEXT_SIZE = 4096
_CONTEXT_WIDTH = 100

# A terminal obeys control characters, and a model may write any: they are shown as the pictures Unicode has for them.
_VISIBLE = (
    {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\n\t"}
    | {0x7F: 0x2421}
    | dict.fromkeys(range(0x80, 0xA0), 0xFFFD)
)


class Failure(click.ClickException):
    """The command cannot go on, or has found a stream to be bad. Ends it with exit code 1 and one line on stderr."""

    def show(self, file: object = None) -> None:
        """Print the line. `file` is not used: it is always stderr."""
        click.echo(f"streamcore: {visible(self.format_message(), lines=False)}", err=True)


class Mistake(Failure):
    """An option or an argument is wrong. Ends the command with exit code 2 and one line on stderr."""

    exit_code = 2


def visible(text: str, *, lines: bool = True) -> str:
    """Return `text` without characters that a terminal would obey. Line ends stay only with `lines`."""
    shown = text.translate(_VISIBLE)
    return shown if lines else " ".join(shown.splitlines())


def discard(stream: TextIO) -> None:
    """Send the rest of the output nowhere. Otherwise the interpreter would write it again at exit, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class StreamSource:
    """One stream to read: a raw body in a file or on standard input.

    Attributes:
        path: The file, `-` for standard input.
        name: What to call it.
        exchange: Its number among the exchanges of a capture file, counted from 1; None for a raw body.
        kind: What it is: `stream`, or for an exchange of a capture one of `exchanges.Kind`.
        summary: The request and the head of the answer, or why an exchange cannot be read; None for a raw body.
        size: Bytes read so far.
        has_times: Whether it is known when each chunk arrived.
        speed: How fast a capture with times is read: 1 is as recorded, 0 at once.
    """

    exchange: int | None = None
    kind = "stream"
    summary: str | None = None
    has_times = False

    def __init__(self, path: str) -> None:
        self.path = path
        self.is_stdin: bool = path == "-"
        self.name: str = "standard input" if self.is_stdin else path
        self.size: int = 0
        self.speed: float = 0

    def chunks(self) -> Iterator[bytes]:
        """Generate the bytes, as they arrive.

        Raises:
            Failure: They cannot be read, or the source is empty.
        """
        try:
            for chunk in self._read():
                self.size += len(chunk)
                yield chunk
        except OSError as error:
            raise self.failure((error.strerror or str(error)).lower()) from error
        if not self.size:
            raise self.failure("it is empty")

    def _read(self) -> Iterator[bytes]:
        if not self.is_stdin:
            with open(self.path, "rb", buffering=0) as file:
                yield from iter(lambda: file.read(_CHUNK_SIZE), b"")
        elif sys.stdin is None:  # pyright: ignore[reportUnnecessaryComparison]  # closed by the caller
            raise self.failure("it is closed")
        else:
            read = cast(io.BufferedReader, sys.stdin.buffer).read1
            yield from iter(lambda: read(_CHUNK_SIZE), b"")

    def batches(self, engine: MessageEngine) -> Iterator[Iterator[MessageStreamEvent]]:
        """Generate what `engine` makes of the stream: the events of each chunk, and those that the end brings.

        Raises:
            Failure: As `chunks()`. Reading a batch raises what `engine.events()` does.
        """
        for chunk in self.chunks():
            engine.receive_data(chunk)
            yield engine.events()
        engine.receive_eof()
        yield engine.events()

    def failure(self, what: str) -> Failure:
        """Return a `Failure` that names this source."""
        return Failure(f"{self.name}: {what}")

    def context(self, error: ProtocolError) -> str | None:
        """Return one line from the place of an error: the data of that event or, at the end, the last line.

        None if there is nothing to show.
        """
        if self._is_file() and error.offset is not None:
            line = _line_at(self.path, error.offset)
        elif error.received is not None:
            line = excerpt(error.received)
        else:
            return None
        shown = visible(line, lines=False).strip()
        if not shown:
            return None
        return shown if len(shown) <= _CONTEXT_WIDTH else shown[: _CONTEXT_WIDTH - 1] + "…"

    def _is_file(self) -> bool:
        """Whether offsets are places in it, and it can be read a second time: a named pipe cannot."""
        return not self.is_stdin and self.exchange is None and stat.S_ISREG(os.stat(self.path).st_mode)


def _line_at(path: str, offset: int) -> str:
    """Return the line with the data of the event at `offset`; at the end of the file, the last line before."""
    with open(path, "rb") as file:
        file.seek(offset)
        lines = file.read(_CONTEXT_SIZE).lstrip().splitlines()
        if lines:
            event = lines[: lines.index(b"")] if b"" in lines else lines
            line = next((line for line in event if line.startswith(b"data")), event[0])
        else:
            start = max(0, offset - _CONTEXT_SIZE)
            file.seek(start)
            line = file.read(offset - start).rstrip().rpartition(b"\n")[2]
    return line.decode("utf-8", "replace")


class Boundaries:
    """Tells which `message_start` begins a message and which `message_stop` ends one. Any other is only a violation.

    Attributes:
        open: Whether a message has begun and not ended.
        complete: How many messages have ended.
    """

    def __init__(self) -> None:
        self.open: bool = False
        self.complete: int = 0

    def begins(self, event: MessageStreamEvent) -> bool:
        """Take the next event: whether a message begins with it."""
        if self.open or not isinstance(event, MessageStartEvent):
            return False
        self.open = True
        return True

    def ends(self, event: MessageStreamEvent) -> bool:
        """Take the next event: whether a message ends with it."""
        if not self.open or not isinstance(event, MessageStopEvent):
            return False
        self.open = False
        self.complete += 1
        return True
