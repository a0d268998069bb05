"""Read and write files of captures in any format. `FORMATS` has a row for each.

A file is read only as far as its captures are asked for. Bodies of `timed` and `sse` are read from the file each time:
if it has changed since, that is an error, as the same place in it may be something else. Reading and writing hold one
line of `timed`, one block and one event of `sse`, and one exchange of the other formats in memory.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import Literal, TypeAlias

import attrs

from streamcore._extras import NotInstalledError
from streamcore.replay.capture import Capture, CaptureError
from streamcore.replay.formats.cassette import cassette_pieces, read_cassette
from streamcore.replay.formats.har import har_pieces, read_har
from streamcore.replay.formats.replace_file import replacing
from streamcore.replay.formats.sse import read_sse, sse_pieces
from streamcore.replay.formats.timed import read_timed, timed_lines
from streamcore.replay.redaction import DEFAULT_REDACTION, Redaction

Format: TypeAlias = Literal["timed", "sse", "har", "cassette"]
"""The name of a format."""

StrPath: TypeAlias = str | os.PathLike[str]

Reader: TypeAlias = Callable[[Path], Iterator[Capture | CaptureError]]
Writer: TypeAlias = Callable[[Iterable[Capture]], Iterator[bytes]]


@attrs.frozen
class FileFormat:
    """A format of capture files.

    Attributes:
        read: Generates the captures in a file.
        write: Generates the bytes of a file of captures.
        suffixes: The suffixes of its files, the usual one first.
        has_heads: Whether a file has requests, statuses and headers. Otherwise it has the bytes of event streams only.
        has_times: Whether a file says how the bytes were cut, when they came, and whether the connection broke.
    """

    read: Reader
    write: Writer
    suffixes: tuple[str, ...]
    has_heads: bool = True
    has_times: bool = False


FORMATS: dict[Format, FileFormat] = {
    "timed": FileFormat(read_timed, timed_lines, (".jsonl",), has_times=True),
    "sse": FileFormat(read_sse, sse_pieces, (".sse",), has_heads=False),
    "har": FileFormat(read_har, har_pieces, (".har", ".json")),
    "cassette": FileFormat(read_cassette, cassette_pieces, (".yaml", ".yml")),
}
SUFFIXES: dict[str, Format] = {suffix: name for name, each in FORMATS.items() for suffix in each.suffixes}
"""The formats by the suffixes of their files."""


def format_of(path: StrPath) -> Format:
    """Return the format that the suffix of a file name stands for.

    Raises:
        CaptureError: It is unknown.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        said = f"the suffix {suffix!r} must be one of" if suffix else "it has no suffix, which must be one of"
        raise CaptureError(f"{said} {', '.join(SUFFIXES)}", path=str(path))
    return SUFFIXES[suffix]


def capture_files(path: Path) -> list[Path]:
    """Return the files of captures in a directory and below, in the order of their names, or the file itself.

    Hidden files are left out, and so are named pipes and devices, which could block for ever. Links to directories are
    not followed.

    Raises:
        CaptureError: The path does not exist, a directory has no captures or cannot be read, or a link leads out of it.
    """
    try:
        # This also fails, with the reason, if the parent directory is not readable.
        if not stat.S_ISDIR(path.stat().st_mode):
            return [path]
        found = [
            Path(folder, name)
            for folder, below, names in os.walk(path, onerror=_raise)
            for name in _shown(below, names)
            if Path(name).suffix.lower() in SUFFIXES
        ]
    except OSError as error:
        raise _unreadable(error, error.filename or path) from error
    files = sorted(each for each in found if not _blocks(each))
    for each in files:
        check_inside(each, path)
    if not files:
        raise CaptureError(f"this directory has no captures: no {', '.join(SUFFIXES)}", path=str(path))
    return files


def check_inside(path: Path, folder: Path) -> None:
    """Check that a file found in a folder is inside it, with all links followed.

    A folder of captures may come from somebody else; a link in it must not publish other files. The folder may change,
    so this is called each time before the file is read.

    Raises:
        CaptureError: A link leads out of the folder, or the file has become a named pipe or a device.
    """
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):
        raise CaptureError("it is a link that leads out of the folder; name the file itself to use it", path=str(path))
    if _blocks(path):
        raise CaptureError("it is not a regular file", path=str(path))


def _blocks(path: Path) -> bool:
    """Whether reading may block, as with a named pipe. Reading a missing file raises an error later."""
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


def _shown(below: list[str], names: list[str]) -> list[str]:
    """Return the names that are not hidden. Remove hidden directories from `below`, so that they are not walked."""
    below[:] = [name for name in below if not name.startswith(".")]
    return [name for name in names if not name.startswith(".")]


def _raise(error: OSError) -> None:
    raise error


def _unreadable(error: OSError, path: StrPath) -> CaptureError:
    return CaptureError(f"cannot be read: {error.strerror or error}", path=str(path))


# Reading


def read_captures(path: StrPath, *, format: Format | None = None) -> Generator[Capture]:  # noqa: A002  # the field's word
    """Generate the captures in a file, one by one, as the file is read.

    Args:
        path: The file.
        format: Its format, if the suffix does not name it.

    Raises:
        CaptureError: It cannot be read, is not of that format, or has no capture; or the next capture is damaged.
    """
    for found in read_exchanges(path, format=format):
        if isinstance(found, CaptureError):
            raise found
        yield found


def read_exchanges(path: StrPath, *, format: Format | None = None) -> Iterator[Capture | CaptureError]:  # noqa: A002
    """Like `read_captures()`, but yield an error for a damaged capture, and go on after it.

    Raises:
        CaptureError: The file, or the rest of it, cannot be read.
    """
    read = FORMATS[check_format(format, path)].read
    empty = True
    try:
        for found in read(Path(path)):
            empty = False
            yield found
    except NotInstalledError as error:
        raise CaptureError(str(error)) from error
    except OSError as error:
        raise _unreadable(error, path) from error
    if empty:
        raise CaptureError("it has no captures", path=str(path))


def open_capture(path: StrPath, *, format: Format | None = None) -> Capture:  # noqa: A002
    """Return the first capture in a file.

    Raises:
        CaptureError: As `read_captures`.
    """
    with contextlib.closing(read_captures(path, format=format)) as captures:
        return next(captures)


def check_format(format: Format | None, path: StrPath) -> Format:  # noqa: A002
    """Return the format to read or write a file in.

    Raises:
        CaptureError: The given format, or the suffix, is unknown.
    """
    if format is None:
        return format_of(path)
    if format not in FORMATS:
        raise CaptureError(f"the format {format!r} must be one of {', '.join(FORMATS)}", path=str(path))
    return format


# Writing


def write_captures(
    path: StrPath,
    captures: Iterable[Capture],
    *,
    format: Format | None = None,  # noqa: A002
    redaction: Redaction | None = DEFAULT_REDACTION,
) -> None:
    """Write captures to a file, one by one. The file is replaced at the end, with all of them.

    A new file is readable by its owner only; one that is replaced keeps its mode.

    Args:
        path: The file.
        captures: May be an iterator; each is written before the next is asked for.
        format: The format to write, if the suffix does not name it.
        redaction: Removes secrets; None keeps everything.

    Raises:
        CaptureError: It cannot be written. After any exception, also from `captures`, the file is unchanged.
    """
    pieces = capture_pieces(captures, check_format(format, path), redaction=redaction)
    try:
        with replacing(Path(path)) as file:
            file.writelines(pieces)
    except OSError as error:
        raise CaptureError(f"cannot be written: {error.strerror or error}", path=str(path)) from error


def capture_pieces(
    captures: Iterable[Capture],
    format: Format,  # noqa: A002
    *,
    redaction: Redaction | None = DEFAULT_REDACTION,
) -> Iterator[bytes]:
    """Generate the bytes of a file of captures.

    Raises:
        CaptureError: A library for the format is not installed. Also whatever `captures` raises.
    """
    if redaction is not None:
        captures = map(redaction.redact, captures)
    try:
        yield from FORMATS[format].write(captures)
    except NotInstalledError as error:
        raise CaptureError(str(error)) from error
