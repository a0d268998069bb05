"""The body of a request without what is in its secret places: JSON, forms of both kinds, and other text.

What looks like JSON is read as JSON, whatever the content type says: `curl -d` calls everything a form.
"""

from __future__ import annotations

import json
import re
from typing import Any, Protocol

from streamcore.replay.capture import CapturedRequest
from streamcore.replay.mask import REDACTED

__all__ = ["Places", "clean_body"]

_BOUNDARY = re.compile(r"boundary=(?:\"([^\"]+)\"|([^;\s]+))", re.IGNORECASE)
_PART_NAME = re.compile(rb"\bname=(?:\"([^\"]*)\"|([^;\s]+))", re.IGNORECASE)
_PART_HEAD_END = re.compile(rb"\r?\n\r?\n")


class Places(Protocol):
    """What knows secret places, and remembers what was there."""

    def is_field(self, name: str, /) -> bool: ...
    def is_parameter(self, name: str, /) -> bool: ...
    def is_header(self, name: str, /) -> bool: ...
    def found(self, name: str, /, *secrets: str) -> str: ...
    def header(self, name: str, value: str, /) -> str: ...
    def form(self, text: str, /) -> str: ...
    def text(self, text: str, /) -> str: ...


def clean_body(places: Places, request: CapturedRequest) -> bytes:
    """The body of a request without what is in its secret places; as it is if there is nothing in them."""
    return _content(places, request.body, request.header("content-type") or "")


def _content(places: Places, body: bytes, content_type: str) -> bytes:
    if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        return _json(places, body)
    if boundary := _BOUNDARY.search(content_type):
        return _multipart(places, body, (boundary[1] or boundary[2]).encode("utf-8", "surrogateescape"))
    text = body.decode("utf-8", "surrogateescape")
    clean = places.form(text) if "urlencoded" in content_type.lower() else text
    return places.text(clean).encode("utf-8", "surrogateescape")


def _multipart(places: Places, body: bytes, boundary: bytes) -> bytes:
    return (b"--" + boundary).join(_part(places, part) for part in body.split(b"--" + boundary))


def _part(places: Places, part: bytes) -> bytes:
    head_end = _PART_HEAD_END.search(part)
    if head_end is None:
        return part
    head, content = part[: head_end.end()], part[head_end.end() :]
    named = _PART_NAME.search(head)
    name = (named[1] or named[2] or b"").decode("utf-8", "replace") if named else ""
    value = content.rstrip(b"\r\n")
    if places.is_parameter(name):
        return head + places.found(name, value.decode("utf-8", "replace")).encode() + content[len(value) :]
    return head + _content(places, value, "") + content[len(value) :]


# JSON. The standard library's reader: msgspec takes no lone surrogates, and makes floats of large integers.


def _json(places: Places, body: bytes) -> bytes:
    try:
        decoded = json.loads(body, object_pairs_hook=_object)
        clean = _value(places, decoded)
        return body if clean == decoded else _encoded(clean)
    except (ValueError, RecursionError):
        return REDACTED.encode()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice: one of the values would not be seen")
    return found


def _encoded(value: Any) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # a lone surrogate
        return json.dumps(value, separators=(",", ":")).encode()


def _value(places: Places, value: Any) -> Any:
    if isinstance(value, dict):
        clean = {name: _field(places, name, each) for name, each in value.items()}
        header = value.get("name")
        if isinstance(header, str) and "value" in value and places.is_header(header):  # a header, as a pair
            clean["value"] = _secret(places, header, value["value"])
        return clean
    if isinstance(value, list):
        return [_value(places, each) for each in value]
    return places.text(value) if isinstance(value, str) else value


def _field(places: Places, name: str, value: Any) -> Any:
    return _secret(places, name, value) if places.is_field(name) else _value(places, value)


def _secret(places: Places, name: str, value: Any) -> Any:
    """All that is in a secret place without it; what is empty, true or false there tells nothing."""
    if isinstance(value, dict):
        return {each: _secret(places, name, below) for each, below in value.items()}
    if isinstance(value, list):
        return [_secret(places, name, each) for each in value]
    if value is None or isinstance(value, bool) or value == "":
        return value
    if isinstance(value, str) and places.is_header(name):
        return places.header(name, value)  # the names of headers are names of fields too: there may be a scheme
    return places.found(name, str(value))
