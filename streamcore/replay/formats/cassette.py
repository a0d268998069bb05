"""Read and write cassettes of vcrpy: YAML files of requests and responses (version 1). They end in `.yaml` or `.yml`.

They hold requests, heads and bodies. They do not hold times or cuts, or how a body ended: each body is one piece. A
body that was recorded packed (gzip, ...) is unpacked. Source: vcrpy's `serialize.py`.

The file is parsed as a stream, and bodies are kept on disk, so that one exchange is in memory at a time. A few bytes
can unpack to much, so together the bodies of a file may have 1 GB.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import Any

import attrs
import msgspec

from streamcore._extras import requires_extra
from streamcore.replay.capture import Capture, CapturedRequest, CaptureError, Headers, text_of
from streamcore.replay.content_coding import ContentError, content_headers, decoded, encoding_of
from streamcore.replay.formats.file_head import head_of, shown
from streamcore.replay.formats.spool import Spool

_MOST_CONTENT = 1024 * 1024 * 1024


@attrs.frozen(kw_only=True)
class _Request:
    method: str
    uri: str
    headers: Any = None
    body: Any = None


@attrs.frozen(kw_only=True)
class _Response:
    # Before version 6, vcrpy used other names for responses of httpx.
    status: Any = None
    status_code: int | None = None
    headers: Any = None
    body: Any = None
    content: Any = None


@attrs.frozen(kw_only=True)
class _Interaction:
    request: _Request
    response: _Response


# Reading


def read_cassette(path: Path) -> Iterator[Capture | CaptureError]:
    """Yield the captures in a file. An interaction that is YAML and not one of vcrpy's yields an error.

    Raises:
        CaptureError: It is not a cassette.
        OSError: The file cannot be read.
    """
    spool = Spool()
    with path.open("rb") as file:
        for number, found in enumerate(_interactions(file, path), 1):
            try:
                if isinstance(found, CaptureError):
                    yield found
                else:
                    yield _capture(msgspec.convert(found, _Interaction), spool, f"{path}, interaction {number}")
            except (msgspec.ValidationError, ContentError, ValueError, TypeError, OverflowError) as error:
                yield CaptureError(f"interaction {number} is not one of vcrpy's: {error}", path=str(path))


def _interactions(file: BufferedReader, path: Path) -> Iterator[Any]:
    with requires_extra("replay"):
        import yaml

    from streamcore.replay.formats.yaml_items import sequence_items

    head = head_of(file)

    def fault(error: yaml.YAMLError | ValueError) -> CaptureError:
        if isinstance(error, yaml.MarkedYAMLError):
            line = error.problem_mark.line + 1 if error.problem_mark is not None else None
            return CaptureError(f"not a cassette: {error.problem or error}", path=str(path), line=line)
        begins_with = shown(head)
        reason = str(error).partition("\n")[0]  # PyYAML adds lines about where
        said = "it is empty" if begins_with is None else f"not a cassette: {reason}; it begins with {begins_with}"
        return CaptureError(said, path=str(path))

    try:
        for item in sequence_items(file, "interactions"):
            yield fault(item) if isinstance(item, yaml.YAMLError | ValueError) else item
    except (yaml.YAMLError, ValueError) as error:
        raise fault(error) from error


def _capture(interaction: _Interaction, spool: Spool, name: str) -> Capture:
    asked, answered = interaction.request, interaction.response
    headers = _headers(answered.headers)
    packed = answered.body if answered.body is not None else answered.content
    content = _unpacked(packed.get("string") if isinstance(packed, dict) else packed, headers)
    if spool.size + len(content) > _MOST_CONTENT:
        raise ContentError(f"the bodies of the file have more than {_MOST_CONTENT} bytes when they are unpacked")
    status: Any = answered.status.get("code") if isinstance(answered.status, dict) else answered.status_code
    return Capture(
        request=CapturedRequest(
            method=asked.method, url=asked.uri, headers=_headers(asked.headers), body=_bytes(asked.body)
        )
        if asked.uri
        else None,
        status=int(status),
        headers=content_headers(headers),
        body=spool.body(content),
        name=name,
    )


def _headers(headers: Any) -> Headers:
    found: list[tuple[str, str]] = []
    if not isinstance(headers, dict | None):
        raise TypeError(f"headers are a mapping, not {type(headers).__name__}")
    for name, values in (headers or {}).items():
        found += [(_text(name), _text(value)) for value in (values if isinstance(values, list | tuple) else [values])]
    return tuple(found)


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, list | dict | set | tuple):  # with aliases, its text can be far longer than the file
        raise TypeError(f"the value of a header is a text, not {type(value).__name__}")
    return str(value)


def _bytes(value: Any) -> bytes:
    if value is None:
        return b""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    raise ValueError(f"a body is text or bytes, not {type(value).__name__}")


def _unpacked(body: Any, headers: Headers) -> bytes:
    data = _bytes(body)
    if not isinstance(body, bytes):
        return data  # vcrpy unpacks a body before it writes it as text, and keeps its headers
    try:
        return decoded(encoding_of(headers), data)
    except ContentError:
        if text_of(data) is not None:  # some versions kept the header when they unpacked the body
            return data
        raise


# Writing


def cassette_pieces(captures: Iterable[Capture]) -> Iterator[bytes]:
    """Yield the bytes of a file with these captures."""
    from streamcore.replay.formats.yaml_items import dumped

    empty = True
    for capture in captures:
        if empty:
            yield b"interactions:\n"
        empty = False
        yield dumped([_interaction(capture)])
    if empty:
        yield b"interactions: []\n"
    yield b"version: 1\n"


def _interaction(capture: Capture) -> dict[str, Any]:
    request = capture.request or CapturedRequest(url="")
    return {
        "request": {
            "body": _text_or_bytes(request.body) if request.body else None,
            "headers": _grouped(request.headers),
            "method": request.method,
            "uri": request.url,
        },
        "response": {
            "body": {"string": _text_or_bytes(capture.data)},
            "headers": _grouped(capture.headers),
            "status": {"code": capture.status, "message": ""},
        },
    }


def _text_or_bytes(data: bytes) -> str | bytes:
    text = text_of(data)
    return data if text is None else text


def _grouped(headers: Headers) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in headers:
        grouped.setdefault(name, []).append(value)
    return grouped
