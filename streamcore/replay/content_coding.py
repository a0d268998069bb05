"""Undo content codings (gzip, ...), so that captures have the content itself.

gzip and deflate are always available, `br` with the package `brotli` (1.2 or later), `zstd` with `zstandard` (or Python
3.14). The input may be cut anywhere.

A few bytes can be packed so that they unpack to gigabytes. So there are limits: on the size of the content, on the
number of codings, and on the number of gzip members and of zstd frames. The bytes are unpacked in small slices, so that
little more than the limit is ever in memory, and the work is linear in what comes in and goes out.
"""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Protocol, TypeAlias

from streamcore.errors import StreamCoreError, excerpt
from streamcore.replay.capture import Headers
from streamcore.replay.headers import HOP_BY_HOP

MAX_SIZE = 64 * 1024 * 1024
"""The largest content, in bytes, if nothing else is said. The API takes requests of 32 MB."""

_MOST_CODINGS = 4
_MOST_MEMBERS = 1000
# A slice is unpacked in memory: each byte gives up to a kilobyte with deflate, and thirty with zstd.
_SLICE = 256
_LARGEST_PIECE = 1024 * 1024
_ZSTD_WINDOW_LOG = 23  # RFC 9659 allows 8 MB in HTTP

# Headers about how the bytes were coded and sent.
_OF_THE_TRANSFER = HOP_BY_HOP | {"content-encoding", "content-length"}


class ContentError(StreamCoreError):
    """Content is not coded as its `content-encoding` says, has an unknown coding, or is too large."""


def content_headers(headers: Headers) -> Headers:
    """Return the headers that are still correct after the content codings were undone."""
    return tuple((name, value) for name, value in headers if name.lower() not in _OF_THE_TRANSFER)


def encoding_of(headers: Headers) -> str:
    """Return the value of `content-encoding`, or an empty text."""
    return ", ".join(value for name, value in headers if name.lower() == "content-encoding")


def codings(encoding: str) -> list[str]:
    """Return the names of the codings in the value of `content-encoding` that change the content."""
    names = [name.strip().lower() for name in encoding.split(",")]
    return [name for name in names if name not in ("", "identity")]


def decoded(encoding: str, data: bytes, *, max_size: int = MAX_SIZE) -> bytes:
    """Undo the codings of a whole body.

    Raises:
        ContentError: It cannot be done, or the content is larger than `max_size`.
    """
    return ContentDecoder(encoding, max_size=max_size).decode(data)


class _Coding(Protocol):
    @property
    def complete(self) -> bool: ...
    def decode(self, data: bytes) -> Iterator[bytes]: ...


class ContentDecoder:
    """Undoes the codings of one body.

    Args:
        encoding: The value of `content-encoding`.
        max_size: The limit on the size of the content, and of what is between two codings, in bytes.

    Raises:
        ContentError: There are too many codings, one is unknown, or its package is not installed.
    """

    def __init__(self, encoding: str, *, max_size: int = MAX_SIZE) -> None:
        names = codings(encoding)
        if len(names) > _MOST_CODINGS:
            raise ContentError(f"the content-encoding names {len(names)} codings; at most {_MOST_CODINGS} are undone")
        self._stages = [_Stage(_coding(name), max_size) for name in reversed(names)]

    def check_complete(self) -> None:
        """Check that the packed content has ended. An empty body has.

        Raises:
            ContentError: It was cut off. HTTP libraries do not report that if the transfer was complete.
        """
        if not all(stage.complete for stage in self._stages):
            raise ContentError("the packed content was cut off")

    def decode(self, data: bytes) -> bytes:
        """Return the content that is known with the next bytes.

        Raises:
            ContentError: They are not packed in that way, or the content is too large.
        """
        return b"".join(self.pieces(data))

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Generate the same content in pieces of two megabytes at most: a few bytes may unpack to the limit.

        Raises:
            ContentError: As `decode()`. Everything before that has been generated.
        """
        pieces = iter((data,))
        for stage in self._stages:
            pieces = stage.decode(pieces)
        held: list[bytes] = []
        size = 0
        failure: ContentError | None = None
        try:
            for piece in pieces:
                held.append(piece)
                size += len(piece)
                if size >= _LARGEST_PIECE:
                    yield b"".join(held)
                    held, size = [], 0
        except ContentError as error:
            failure = error
        if size:
            yield b"".join(held)
        if failure is not None:
            raise failure


class _Stage:
    """One coding, with a limit on the size of its output."""

    def __init__(self, coding: _Coding, max_size: int) -> None:
        self._coding = coding
        self._max_size = max_size
        self._size = 0
        self._begun = False

    @property
    def complete(self) -> bool:
        return self._coding.complete or not self._begun

    def decode(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for data in pieces:
            self._begun = self._begun or bool(data)
            for begin in range(0, len(data), _SLICE):
                yield from self._decoded(data[begin : begin + _SLICE])

    def _decoded(self, data: bytes) -> Iterator[bytes]:
        try:
            for piece in self._coding.decode(data):
                self._size += len(piece)
                if self._size > self._max_size:
                    raise ContentError(f"the content is larger than {self._max_size} bytes when it is unpacked")
                if piece:
                    yield piece
        except ContentError:
            raise
        except Exception as error:  # each of the libraries has an exception of its own
            raise ContentError(f"the body is not packed as its content-encoding says: {error}") from error


def _coding(name: str) -> _Coding:
    if name not in _CODINGS:
        raise ContentError(f"the content-encoding {excerpt(name)} is not one of {', '.join(_CODINGS)}")
    try:
        return _CODINGS[name]()
    except ImportError as error:
        raise ContentError(f"the content-encoding {name!r} needs a package that is not installed: {error}") from error


class _Frames:
    """A coding in which packed pieces may follow each other: members of gzip, frames of zstd (RFC 8878, section 3).

    Args:
        new: Makes the library's decompressor for a piece. It gives all that the bytes so far stand for.
        name: What the format calls the pieces.
    """

    def __init__(self, new: Callable[[], Any], name: str) -> None:
        self._new = new
        self._name = name
        self._decompressor = new()
        self._count = 1

    @property
    def complete(self) -> bool:
        return bool(self._decompressor.eof)

    def decode(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._decompressor.eof:
                self._count += 1
                if self._count > _MOST_MEMBERS:
                    raise ContentError(f"the body has more than {_MOST_MEMBERS} {self._name}")
                self._decompressor = self._new()
            content = self._decompress(data)
            for begin in range(0, len(content), _LARGEST_PIECE):
                yield content[begin : begin + _LARGEST_PIECE]
            data = self._decompressor.unused_data

    def _decompress(self, data: bytes) -> bytes:
        content: bytes = self._decompressor.decompress(data)
        return content


class _Zlib(_Frames):
    """gzip; deflate, also without its zlib header."""

    def __init__(self) -> None:
        super().__init__(partial(zlib.decompressobj, wbits=47), "gzip members")
        self._header = b""  # the bytes of a header that is not complete

    def _decompress(self, data: bytes) -> bytes:
        if len(self._header) > 1:
            return super()._decompress(data)
        # Whether it has a header is known when there are two bytes.
        self._header += data
        try:
            return super()._decompress(data)
        except zlib.error:
            self._decompressor = zlib.decompressobj(wbits=-15)
            return super()._decompress(self._header)


class _Brotli:
    def __init__(self) -> None:
        self._decompressor: Any = importlib.import_module("brotli").Decompressor()
        if not hasattr(self._decompressor, "can_accept_more_data"):
            raise ImportError("brotli 1.2 or later")

    @property
    def complete(self) -> bool:
        return bool(self._decompressor.is_finished())

    def decode(self, data: bytes) -> Iterator[bytes]:
        # A slice of any size may unpack to megabytes, so the library has a limit for it.
        # It may have more after that; only an empty piece says that it has not.
        piece = self._decompressor.process(data, output_buffer_limit=_LARGEST_PIECE)
        while piece or not self._decompressor.can_accept_more_data():
            yield piece
            piece = self._decompressor.process(b"", output_buffer_limit=_LARGEST_PIECE)


class _Zstd(_Frames):
    def __init__(self) -> None:
        try:
            standard: Any = importlib.import_module("compression.zstd")
        except ImportError:
            library: Any = importlib.import_module("zstandard")
            new: Callable[[], Any] = library.ZstdDecompressor(max_window_size=1 << _ZSTD_WINDOW_LOG).decompressobj
        else:
            limit = {standard.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG}
            new = partial(standard.ZstdDecompressor, options=limit)
        super().__init__(new, "zstd frames")


_Make: TypeAlias = Callable[[], _Coding]
_CODINGS: dict[str, _Make] = {"gzip": _Zlib, "x-gzip": _Zlib, "deflate": _Zlib, "br": _Brotli, "zstd": _Zstd}
