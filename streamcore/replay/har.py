"""HAR files, as browsers and proxies export them (HTTP Archive 1.2). Files end in `.har` or `.json`.

They hold requests, heads and bodies, the latter without content codings; of times and cuts, and of how a body ended,
they know nothing: a body is all there at once. Entries without an answer (status 0) are no captures. Source:
http://www.softwareishard.com/blog/har-12-spec/.

The file is parsed as a stream, and bodies are put by on disk. What is in memory at once is one entry.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import attrs
import msgspec

from streamcore.replay.capture import Capture, CapturedRequest, CaptureError, End, Headers
from streamcore.replay.content import content_headers
from streamcore.replay.spool import Spool, SpooledBody

__all__ = ["har_pieces", "read_har"]

# The parser begins a string anew with each block that it reaches into: with 64 KB, long ones take six times as long.
_BLOCK_SIZE = 1024 * 1024

_BOM = b"\xef\xbb\xbf"
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


def read_har(path: Path) -> Iterator[Capture]:
    """The captures in a file, one by one.

    Raises:
        CaptureError: It is no HAR file.
        OSError: The file cannot be read.
    """
    spool = Spool()
    with path.open("rb") as file:
        for number, found in enumerate(_entries(file, path), 1):
            try:
                entry = msgspec.convert(_without_nulls(found), _Entry)
                if entry.response.status:
                    yield _capture(entry, spool, f"{path}, entry {number}")
            except (msgspec.ValidationError, UnicodeError, binascii.Error) as error:
                raise CaptureError(f"entry {number} is none of a HAR file: {error}", path=str(path)) from error


def _entries(file: IO[bytes], path: Path) -> Iterator[Any]:
    import ijson  # type: ignore[import-untyped]  # it has no types

    if file.read(len(_BOM)) != _BOM:
        file.seek(0)
    try:
        yield from ijson.items(file, "log.entries.item", use_float=True, buf_size=_BLOCK_SIZE)
    except (ijson.JSONError, UnicodeError) as error:
        raise CaptureError(f"not a HAR file: {error}", path=str(path)) from error


def _without_nulls(value: Any) -> Any:
    """What has no value is left out by some, and is `null` with others."""
    if isinstance(value, dict):
        return {name: _without_nulls(each) for name, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value


def _capture(entry: _Entry, spool: Spool, name: str) -> Capture:
    begin = spool.size
    spool.append(_content(entry.response.content))
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
        body=SpooledBody(spool, begin, spool.size),
        name=name,
    )


def _pairs(pairs: list[_Pair]) -> Headers:
    # HTTP/2 has things like `:status` among them, which are no headers.
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
    """The bytes of a file with these captures."""
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
        "queryString": _named(parse_qsl(urlsplit(request.url).query, keep_blank_values=True)),
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
    # The format has an encoding for contents only; for what was posted, others read no less if they pass over it.
    try:
        return {"text": data.decode()}
    except UnicodeDecodeError:
        return {"text": base64.b64encode(data).decode(), "encoding": "base64"}
