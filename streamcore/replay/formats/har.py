"""Read and write HAR files, as browsers and proxies export them (HTTP Archive 1.2). They end in `.har` or `.json`.

They hold requests, heads and bodies, the bodies without content codings. They do not hold times or cuts, or how a body
ended: each body is one piece. Entries without an answer (status 0) are skipped. Source:
http://www.softwareishard.com/blog/har-12-spec/.

The file is parsed as a stream, and bodies are kept on disk, so that one entry is in memory at a time. How deep it is
nested is checked before the parser sees it. The work is linear, except for a single string of more than some 32 MB.
"""

from __future__ import annotations

import base64
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import attrs
import msgspec

from streamcore._extras import requires_extra
from streamcore.replay.capture import Capture, CapturedRequest, CaptureError, End, Headers, text_of
from streamcore.replay.content_coding import content_headers
from streamcore.replay.formats.file_head import head_of, shown
from streamcore.replay.formats.json_depth import DepthGuard, TooDeepError
from streamcore.replay.formats.spool import Spool

# The parser begins a string anew with each block that it reaches into. With 64 KB, long ones take six times as long.
# Blocks of a megabyte take 0.16 s for a string of 16 MB, 0.4 for 32, 1.2 for 64 and 3.8 for 128. Blocks that grow
# within a string would be linear, but take more memory for the whole file, and no answer of the API is so long.
_BLOCK_SIZE = 1024 * 1024
_NARROWING = 32  # a block is 32 to the power of 4

_encode = msgspec.json.Encoder().encode


@attrs.frozen
class _Pair:
    name: str
    value: str = ""


@attrs.frozen(kw_only=True)
class _Posted:
    text: str | None = None
    encoding: str | None = None
    params: list[_Pair] = attrs.Factory(list)


@attrs.frozen(kw_only=True)
class _Request:
    method: str
    url: str
    headers: list[_Pair] = attrs.Factory(list)
    postData: _Posted | None = None  # noqa: N815  # the format's name


@attrs.frozen(kw_only=True)
class _Content:
    text: str | None = None
    encoding: str | None = None


@attrs.frozen(kw_only=True)
class _Response:
    status: int = 0
    headers: list[_Pair] = attrs.Factory(list)
    content: _Content = _Content()


@attrs.frozen(kw_only=True)
class _Entry:
    request: _Request
    response: _Response


# Reading


def read_har(path: Path) -> Iterator[Capture | CaptureError]:
    """Yield the captures in a file. An entry that is JSON and not an entry of HAR yields an error.

    Raises:
        CaptureError: It is not a HAR file.
        OSError: The file cannot be read.
    """
    spool = Spool()
    with path.open("rb") as file:
        for number, found in enumerate(_entries(file, path), 1):
            try:
                entry = msgspec.convert(_without_nulls(found), _Entry)
                if entry.response.status:
                    yield _capture(entry, spool, f"{path}, entry {number}")
            except (msgspec.ValidationError, ValueError, OverflowError) as error:  # of UTF-8 and base64, too
                yield CaptureError(f"entry {number} is not a HAR entry: {error}", path=str(path))


def _entries(file: BufferedReader, path: Path) -> Iterator[Any]:
    with requires_extra("replay"):
        import ijson  # type: ignore[import-untyped]  # it has no types

    head = head_of(file)
    reader = _Reader(file)
    try:
        yield from ijson.items(reader, "log.entries.item", use_float=True, buf_size=_BLOCK_SIZE)
    except TooDeepError as error:
        raise CaptureError(f"not a HAR file: {error}", path=str(path)) from error
    except (ijson.JSONError, ValueError) as error:  # wrong UTF-8, or a number that is too long, too
        raise CaptureError(_why_not(error, head, file, reader.block), path=str(path)) from error


class _Reader:
    """Gives a parser the bytes of a file, without its BOM, and checks how deep they are nested.

    Args:
        file: The file, at its beginning.
        careful: From this byte on it gives blocks of at most `step` bytes.
        step: The size of those blocks.

    Attributes:
        block: The offset of the bytes that were read last.
    """

    def __init__(self, file: BufferedReader, careful: int | None = None, step: int = _BLOCK_SIZE) -> None:
        self._file = file
        self._careful = careful
        self._step = step
        self._end = len(file.read(len(BOM_UTF8))) if file.peek(len(BOM_UTF8)).startswith(BOM_UTF8) else 0
        self._guard = DepthGuard()
        self.block = self._end

    def read(self, size: int) -> bytes:
        """Return at most so many bytes.

        Raises:
            TooDeepError: They are nested too deep.
        """
        if self._careful is not None:
            size = min(size, max(self._step, self._careful - self._end))
        data = self._file.read(size)
        self._guard.check(data)
        self.block = self._end
        self._end += len(data)
        return data


def _why_not(error: Exception, head: bytes, file: BufferedReader, block: int) -> str:
    """Say in one line what is wrong, where, and what the file begins with. The parser's message has several lines."""
    begins_with = shown(head)
    if begins_with is None:
        return "it is empty"
    reason: Any = error.args[0]
    text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
    said = f"not a HAR file: {text.splitlines()[0].rstrip('. ')}"
    if (offset := _offset(file, block)) is not None:
        said += f" (at byte {offset})"
    return f"{said}; it begins with {begins_with}"


def _offset(file: BufferedReader, block: int) -> int | None:
    """Return the offset of the byte that the parser stopped at, in the block that begins at `block`.

    The parser does not say. So the file is parsed again in smaller and smaller blocks. One byte at a time from the
    beginning of the block would be quadratic: the parser begins a long string or number anew with each.

    Return None where the file cannot be read a second time, and for the parser in Python, which reads ahead and says it
    in its message.
    """
    import ijson

    if not file.seekable() or ijson.backend == "python":
        return None
    step = _BLOCK_SIZE
    while step > 1:
        step //= _NARROWING
        file.seek(0)
        reader = _Reader(file, block, step)
        try:
            for _ in ijson.basic_parse(reader, use_float=True, buf_size=_BLOCK_SIZE):
                pass
        except (ijson.JSONError, ValueError):
            block = reader.block
    return block


def _without_nulls(value: Any) -> Any:
    """Drop null values, which some programs write for missing ones."""
    if isinstance(value, dict):
        return {name: _without_nulls(each) for name, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value


def _capture(entry: _Entry, spool: Spool, name: str) -> Capture:
    body = spool.body(_content(entry.response.content))
    asked = entry.request
    request = None
    if asked.url:
        request = CapturedRequest(
            method=asked.method, url=asked.url, headers=_pairs(asked.headers), body=_posted(asked.postData)
        )
    return Capture(
        request=request,
        status=entry.response.status,
        headers=content_headers(_pairs(entry.response.headers)),
        body=body,
        name=name,
    )


def _pairs(pairs: list[_Pair]) -> Headers:
    # HTTP/2 has pseudo-headers among them, such as `:status`.
    return tuple((pair.name, pair.value) for pair in pairs if not pair.name.startswith(":"))


def _content(content: _Content | _Posted) -> bytes:
    if content.text is None:
        return b""
    if content.encoding == "base64":
        return base64.b64decode(content.text, validate=True)
    return content.text.encode()


def _posted(posted: _Posted | None) -> bytes:
    if posted is None:
        return b""
    if posted.text is not None:
        return _content(posted)
    return urlencode([(pair.name, pair.value) for pair in posted.params]).encode()


# Writing


def har_pieces(captures: Iterable[Capture]) -> Iterator[bytes]:
    """Yield the bytes of a file with these captures."""
    yield b'{"log":{"version":"1.2","creator":{"name":"streamcore","version":"1"},"entries":['
    for number, capture in enumerate(captures):
        yield (b",\n" if number else b"\n") + _encode(_entry(capture))
    yield b"\n]}}\n"


def _entry(capture: Capture) -> dict[str, Any]:
    data = bytearray()
    seconds = 0.0
    for step in capture.body:
        seconds = getattr(step, "time", seconds)
        data += getattr(step, "data", b"")
        if isinstance(step, End):
            break
    request = capture.request or CapturedRequest(url="")
    asked: dict[str, Any] = {
        "method": request.method,
        "url": request.url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _named(request.headers),
        "queryString": _named(parse_qsl(request.url.partition("#")[0].partition("?")[2], keep_blank_values=True)),
        "headersSize": -1,
        "bodySize": len(request.body),
    }
    if request.body:
        asked["postData"] = {"mimeType": request.header("content-type") or "", **_text(request.body)}
    return {
        "startedDateTime": "1970-01-01T00:00:00.000Z",
        "time": seconds * 1000,
        "request": asked,
        "response": {
            "status": capture.status,
            "statusText": "",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _named(capture.headers),
            "content": {
                "size": len(data),
                "mimeType": capture.header("content-type") or "",
                **_text(bytes(data)),
            },
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": len(data),
        },
        "cache": {},
        "timings": {"send": 0, "wait": 0, "receive": seconds * 1000},
    }


def _named(pairs: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def _text(data: bytes) -> dict[str, str]:
    # The format defines `encoding` for contents only. For posted data, other programs lose nothing if they ignore it.
    text = text_of(data)
    return {"text": base64.b64encode(data).decode(), "encoding": "base64"} if text is None else {"text": text}
