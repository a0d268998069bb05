"""The body of a response in pieces: chunks of one size, text, lines.

The work is linear, whatever the sizes of the chunks and the pieces.
"""

from __future__ import annotations

import codecs
import io
import reprlib
from collections.abc import Iterator, Mapping
from typing import Any

from streamcore.errors import InvalidArgumentError

__all__ = ["Lines", "Pieces", "decoder_of", "encoding_of"]


def encoding_of(headers: Mapping[str, str]) -> str:
    """Return the encoding that the content type names, or UTF-8."""
    for parameter in headers.get("content-type", "").split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            encoding = value.strip(" \"'")
            try:
                codecs.getincrementaldecoder(encoding)
                b"x".decode(encoding, "replace")
            except (LookupError, ValueError):  # it is not known, or is not an encoding of text
                break
            return encoding
    return "utf-8"


def decoder_of(headers: Mapping[str, str]) -> codecs.IncrementalDecoder:
    """Return a decoder for the text of a body."""
    return codecs.getincrementaldecoder(encoding_of(headers))("replace")


def _unchanged(chunk: bytes, final: bool) -> Any:
    return chunk


class Pieces:
    """Cut a body into pieces of one size, or leave its chunks as they are if the size is None.

    Args:
        decoder: Decodes the text; None if the pieces are bytes.
        size: The size of the pieces.

    Raises:
        InvalidArgumentError: The size is not above 0.
    """

    def __init__(self, decoder: codecs.IncrementalDecoder | None, size: int | None) -> None:
        if size is not None and size < 1:
            raise InvalidArgumentError(f"chunk_size must be a number above 0, or None, not {reprlib.repr(size)}")
        self._decode = decoder.decode if decoder is not None else _unchanged
        self._size = size
        self._rest: list[Any] = []
        self._length = 0

    def feed(self, chunk: bytes, *, final: bool = False) -> Iterator[Any]:
        """Yield the pieces that a chunk completes."""
        decoded = self._decode(chunk, final)
        if not decoded:
            return
        if self._size is None:
            yield decoded
            return
        self._rest.append(decoded)
        self._length += len(decoded)
        if self._length >= self._size:
            data = decoded[:0].join(self._rest)
            end = len(data) - len(data) % self._size
            for start in range(0, end, self._size):
                yield data[start : start + self._size]
            self._rest, self._length = [data[end:]], len(data) - end

    def finish(self) -> Iterator[Any]:
        """Yield what is left at the end of the body."""
        yield from self.feed(b"", final=True)
        if self._length:
            yield self._rest[0][:0].join(self._rest)


class Lines:
    """Cut a body into lines, without their ends: CR, LF or both.

    Args:
        decoder: Decodes the text.
    """

    def __init__(self, decoder: codecs.IncrementalDecoder) -> None:
        self._decoder = io.IncrementalNewlineDecoder(decoder, translate=True)
        self._rest: list[str] = []

    def feed(self, chunk: bytes, *, final: bool = False) -> Iterator[str]:
        """Yield the lines that a chunk completes."""
        first, *others = self._decoder.decode(chunk, final).split("\n")
        self._rest.append(first)
        for part in others:
            yield "".join(self._rest)
            self._rest = [part]

    def finish(self) -> Iterator[str]:
        """Yield what is left at the end of the body."""
        yield from self.feed(b"", final=True)
        if line := "".join(self._rest):
            yield line
