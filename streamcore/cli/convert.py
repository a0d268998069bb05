"""`streamcore convert`: captures from one format to another.

Captures are converted one by one, so that a large archive does not fill the memory. Standard input and output go
through temporary files, because some formats are read twice, and output is printed completely or not at all. A capture
that cannot be redacted is left out. The others are written, then the command reports it and fails.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import cast

from rich.console import Console
from rich.progress import track

from streamcore import DecodeError, ProtocolError, RawMessageDecoder, StreamCoreError
from streamcore.cli.source import Failure, StreamSource
from streamcore.replay.capture import Capture, CaptureError, Chunk, Step
from streamcore.replay.formats.files import FORMATS, Format, capture_pieces, check_format, read_captures, write_captures
from streamcore.replay.formats.replace_file import temporary_file
from streamcore.replay.redaction import DEFAULT_REDACTION, RedactionError

_STDIN = "standard input"
_STDOUT = "standard output"
_LARGE = 4 * 1024 * 1024
_HEAD_SIZE = 64 * 1024  # more than any error shows of what a body begins with


def convert(source: str, target: str, *, source_format: str | None, target_format: str | None) -> None:
    """Write the captures in `source` to `target`; `-` is standard input or output.

    Raises:
        Failure: A format is unknown, `source` cannot be read, or `target` cannot be written.
    """
    # Check both formats before reading: standard input may take a long time.
    reading = _format(source, source_format, _STDIN, "--from")
    writing = _format(target, target_format, _STDOUT, "--to")
    try:
        with _input(source) as readable:
            captures: Iterator[Capture] = read_captures(readable, format=reading)
            if not FORMATS[reading].has_heads:
                captures = _streams(captures, readable)
            lost: list[str] = []
            captures = _redacted(_with_progress(captures, readable), lost)
            if target == "-":
                _print(capture_pieces(captures, writing, redaction=None))
            else:
                write_captures(target, captures, format=writing, redaction=None)
    except StreamCoreError as error:
        if source == "-" and isinstance(error, CaptureError) and error.path != target:
            error.path = _STDIN  # not the temporary file
        raise Failure(str(error)) from error
    if lost:
        others = "" if len(lost) == 1 else f" (and {len(lost) - 1} more)"
        raise Failure(f"left out because it cannot be redacted: {lost[0]}{others}")


def _with_progress(captures: Iterator[Capture], path: Path) -> Iterable[Capture]:
    """Show that the command is at work, on a terminal and for a large file: redacting 1 GB takes a minute."""
    console = Console(stderr=True)
    if not console.is_terminal or path.stat().st_size < _LARGE:
        return captures
    return track(captures, "converting", console=console, transient=True)


def _redacted(captures: Iterable[Capture], lost: list[str]) -> Iterator[Capture]:
    """Generate the captures without secrets. Leave out those that cannot be redacted, and add the reasons to `lost`.

    Raises:
        RedactionError: None of them can be redacted.
    """
    is_empty = True
    failure: RedactionError | None = None
    for capture in captures:
        try:
            clean = DEFAULT_REDACTION.redact(capture)
        except RedactionError as error:
            failure = error
            lost.append(f"{capture.name}: {error}" if capture.name else str(error))
        else:
            is_empty = False
            yield clean
    if failure is not None and is_empty:
        raise failure


def _print(pieces: Iterable[bytes]) -> None:
    """Print a file when all of it has been made; if that fails, print nothing."""
    with tempfile.TemporaryFile() as file:
        file.writelines(pieces)
        file.seek(0)
        shutil.copyfileobj(file, sys.stdout.buffer)


def _streams(captures: Iterator[Capture], path: Path) -> Iterator[Capture]:
    """Check that the file contains an event stream, complete or broken, and return the same captures.

    Bare bytes have no status and content type, so those of an event stream are assumed. For an error page that would be
    wrong. The other formats have them, and may contain any answer.

    Raises:
        CaptureError: The file is empty or is not an event stream. Reading a body may raise it too.
    """
    is_empty = True

    def checked(body: Iterable[Step], name: str) -> Iterator[Step]:
        nonlocal is_empty
        decoder: RawMessageDecoder | None = RawMessageDecoder()
        head = b""
        for step in body:
            if isinstance(step, Chunk):
                is_empty = False
                if decoder is not None:
                    head = (head + step.data)[:_HEAD_SIZE]
                    decoder.receive_data(step.data)
                    decoder = _undecided(decoder, head, name)
            yield step
        if decoder is not None:
            decoder.receive_eof()
            _undecided(decoder, head, name)

    for capture in captures:
        yield capture.with_body(partial(checked, name=capture.name))
    if is_empty:
        raise CaptureError("it is empty", path=str(path))


def _undecided(decoder: RawMessageDecoder, head: bytes, name: str) -> RawMessageDecoder | None:
    """Return the decoder, or None as soon as the bytes so far are the beginning of an event stream.

    Raises:
        CaptureError: It is not an event stream. Other errors of the stream are not raised.
    """
    try:
        for _ in decoder.events():
            return None
    except ProtocolError as error:
        # If the error shows the first bytes of the file, they are not the start of an event stream. An error about an
        # event shows its data, without the `data:` before it.
        received = error.received
        if isinstance(error, DecodeError) and isinstance(received, bytes) and received and head.startswith(received):
            raise CaptureError(error.message, path=name) from error
        return None
    return decoder


def _format(path: str, given: str | None, stream: str, option: str) -> Format:
    if path == "-" and given is None:
        raise Failure(f"{stream} has no suffix that tells its format: give {option}")
    if os.path.isdir(path):
        raise Failure(f"{path}: is a directory")
    try:
        return check_format(cast("Format | None", given), path)
    except CaptureError as error:
        raise Failure(
            f"{error.message} ({option} {given})" if given else f"{error}; {option} says what it is"
        ) from error


@contextlib.contextmanager
def _input(path: str) -> Iterator[Path]:
    if path != "-":
        yield Path(path)
        return
    with temporary_file(Path(tempfile.gettempdir(), "streamcore-convert")) as file:
        file.writelines(StreamSource("-").chunks())
        file.flush()
        yield Path(file.name)
