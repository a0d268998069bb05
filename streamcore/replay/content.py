"""Content codings undone: a capture holds the content itself, whatever it was packed in on its way.

In: the value of `content-encoding` and bytes, cut anywhere. Out: the content. gzip and deflate are always known, `br`
with the package `brotli`, `zstd` with `zstandard` (or Python 3.14).
"""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from streamcore.errors import StreamCoreError
from streamcore.replay.capture import Headers

__all__ = ["ContentDecoder", "ContentError", "content_headers", "encoding_of"]

# What tells how the bytes were packed and sent, and not what they are.
_OF_THE_TRANSFER = frozenset(
    {"content-encoding", "content-length", "transfer-encoding", "connection", "keep-alive", "trailer", "upgrade"}
)


class ContentError(StreamCoreError):
    """Content is not packed as its `content-encoding` says, or in a way that is not known here."""


def content_headers(headers: Headers) -> Headers:
    """The headers that are true of the content when its codings have been undone, and sent in any other way."""
    return tuple((name, value) for name, value in headers if name.lower() not in _OF_THE_TRANSFER)


def encoding_of(headers: Headers) -> str:
    """The value of `content-encoding`, empty if there is none."""
    return ", ".join(value for name, value in headers if name.lower() == "content-encoding")


class _Coding(Protocol):
    def decode(self, data: bytes) -> bytes: ...
    def finish(self) -> bytes: ...


class ContentDecoder:
    """Undoes the codings of one body.

    Args:
        encoding: The value of `content-encoding`.

    Raises:
        ContentError: One of the codings is not known, or its package is not installed.
    """

    def __init__(self, encoding: str) -> None:
        names = [name.strip().lower() for name in encoding.split(",")]
        self._codings = [_coding(name) for name in reversed(names) if name not in ("", "identity")]

    def decode(self, data: bytes) -> bytes:
        """The content that is known with the next bytes.

        Raises:
            ContentError: They are not packed in that way.
        """
        for coding in self._codings:
            data = _decoded(coding, data)
        return data

    def finish(self) -> bytes:
        """The rest of the content. What was cut off too early is not noticed: it is for others to say so."""
        data = b""
        for coding in self._codings:
            data = _decoded(coding, data, last=True)
        return data


def _decoded(coding: _Coding, data: bytes, *, last: bool = False) -> bytes:
    try:
        return coding.decode(data) + (coding.finish() if last else b"")
    except Exception as error:
        # Each of the libraries has an exception of its own.
        raise ContentError(f"the body is not packed as its content-encoding says: {error}") from error


def _coding(name: str) -> _Coding:
    if name not in _CODINGS:
        raise ContentError(f"the content-encoding {name!r} is none of {', '.join(_CODINGS)}")
    try:
        return _CODINGS[name]()
    except ImportError as error:
        raise ContentError(f"the content-encoding {name!r} needs a package that is not installed: {error}") from error


class _Zlib:
    """gzip, also of several members, and deflate, also without the zlib header that it should have."""

    def __init__(self) -> None:
        self._decompressor = zlib.decompressobj(wbits=47)
        self._begun = False

    def decode(self, data: bytes) -> bytes:
        content = []
        while data:
            content.append(self._decompress(data))
            data = self._decompressor.unused_data
            if self._decompressor.eof:
                self._decompressor = zlib.decompressobj(wbits=47)
        return b"".join(content)

    def _decompress(self, data: bytes) -> bytes:
        begun, self._begun = self._begun, True
        try:
            return self._decompressor.decompress(data)
        except zlib.error:
            if begun:
                raise
            self._decompressor = zlib.decompressobj(wbits=-15)
            return self._decompressor.decompress(data)

    def finish(self) -> bytes:
        return self._decompressor.flush()


class _Other:
    """A decompressor of another library, which has one method for it."""

    def __init__(self, decode: Callable[[bytes], bytes]) -> None:
        self._decode = decode

    def decode(self, data: bytes) -> bytes:
        return self._decode(data) if data else b""

    def finish(self) -> bytes:
        return b""


def _brotli() -> _Coding:
    decompressor: Any = importlib.import_module("brotli").Decompressor()
    return _Other(decompressor.process)


def _zstd() -> _Coding:
    try:
        standard: Any = importlib.import_module("compression.zstd")
    except ImportError:
        return _Other(importlib.import_module("zstandard").ZstdDecompressor().decompressobj().decompress)
    return _Other(standard.ZstdDecompressor().decompress)


_Make: TypeAlias = Callable[[], _Coding]
_CODINGS: dict[str, _Make] = {"gzip": _Zlib, "x-gzip": _Zlib, "deflate": _Zlib, "br": _brotli, "zstd": _zstd}
