"""`streamcore convert`: captures from one format to another.

Captures go through one by one, so that an archive is never held in memory. Standard input and output go by way of
temporary files: formats are read more than once, and what is written is whole or not there.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from streamcore import StreamCoreError
from streamcore.cli.source import Failure, Source
from streamcore.replay.capture import CaptureError
from streamcore.replay.files import Format, check_format, read_captures, write_captures

__all__ = ["convert"]

_STDIN = "standard input"
_STDOUT = "standard output"


def convert(source: str, target: str, *, source_format: str | None, target_format: str | None) -> None:
    """Write the captures in `source` to `target`; `-` is standard input or output.

    Raises:
        Failure: One of the two has no format, cannot be read or cannot be written, or is not what it should be.
    """
    # Both before anything is read: standard input may take its time.
    reading = _format(source, source_format, _STDIN, "--from")
    writing = _format(target, target_format, _STDOUT, "--to")
    try:
        with _input(source) as readable, _output(target) as writable:
            write_captures(writable, read_captures(readable, format=reading), format=writing)
    except StreamCoreError as error:
        raise Failure(str(error)) from error


def _format(path: str, given: str | None, stream: str, option: str) -> Format:
    if path == "-" and given is None:
        raise Failure(f"{stream} has no suffix that tells its format: give {option}")
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
    with _temporary(_STDIN) as spooled:
        with spooled.open("wb") as file:
            file.writelines(Source("-").chunks())
        yield spooled


@contextlib.contextmanager
def _output(path: str) -> Iterator[Path]:
    if path != "-":
        yield Path(path)
        return
    with _temporary(_STDOUT) as spooled:
        yield spooled
        with spooled.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)


@contextlib.contextmanager
def _temporary(name: str) -> Iterator[Path]:
    """A path for a file that goes when the block ends; errors call it by `name`."""
    with tempfile.TemporaryDirectory(prefix="streamcore-") as folder:
        path = Path(folder, "capture")
        try:
            yield path
        except CaptureError as error:
            if error.path is not None and error.path.startswith(str(path)):
                error.path = name
            raise
