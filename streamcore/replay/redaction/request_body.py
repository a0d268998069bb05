"""Take secrets out of the body of a request: JSON, both kinds of forms, and other text; and out of headers.

A body that looks like JSON is read as JSON, whatever the content type says: `curl -d` calls everything a form.
"""

from __future__ import annotations

import contextlib
import json
import re
from itertools import islice
from typing import Any

from streamcore.replay.capture import CapturedRequest, Headers
from streamcore.replay.redaction.mask import REDACTED
from streamcore.replay.redaction.secret_names import normal_name
from streamcore.replay.redaction.secret_places import SecretPlaces, TooManyPiecesError

# Blanks, a byte order mark, and the separator of RFC 7464.
_BEFORE_JSON = b"\xef\xbb\xbf\x1e \t\r\n\v\f"
_BOUNDARY = re.compile(r"boundary[ \t]*+=[ \t]*+(?:\"([^\"]++)\"|([^;\s]++))", re.IGNORECASE)
_FIRST_PART = re.compile(rb"(?:\A|\n)--([^\r\n]++)\r?\ncontent-[\w-]++:", re.IGNORECASE)
# Also as `name*=utf-8''api_key` (RFC 8187).
_PART_NAME = re.compile(
    rb"\bname\*?[ \t]*+=[ \t]*+(?:\"([^\"]*+)\"|(?:[\w-]*+'[\w-]*+')?([^;\s]++))", re.IGNORECASE
)  # RFC 8187
_LONG_ID = re.compile(r"[0-9A-Fa-f-]{32,}+")
_PART_HEAD_END = re.compile(rb"\r?\n\r?\n")


def clean_body(places: SecretPlaces, request: CapturedRequest) -> bytes:
    """Return the body of a request without the values in its secret places."""
    content_type = request.header("content-type") or ""
    try:
        if not _is_like_json(request.body) and (boundary := _boundary(request.body, content_type)):
            return _multipart(places, request.body, boundary)
        return _content(places, request.body, content_type)
    except TooManyPiecesError:
        return REDACTED.encode()


def clean_headers(places: SecretPlaces, headers: Headers) -> Headers:
    """Return headers without secrets. A value may be JSON: some gateways are configured with it."""
    return tuple((name, _header(places, name, value)) for name, value in headers)


def _header(places: SecretPlaces, name: str, value: str) -> str:
    clean = _json_header(places, value)
    return places.header(name, value) if clean is None or places.is_header(name) else clean


def _json_header(places: SecretPlaces, value: str) -> str | None:
    data = value.encode("utf-8", "surrogatepass")
    if not _is_like_json(data) or b'"' not in data:  # an IPv6 address, say
        return None
    return _json(places, data).decode("utf-8", "surrogatepass")


def _boundary(body: bytes, content_type: str) -> bytes | None:
    """Return the boundary of a multipart body. Some HAR files do not have its content type, or have a wrong one."""
    found = _BOUNDARY.search(content_type)
    named = (found[1] or found[2]).encode("utf-8", "surrogateescape") if found else None
    if named and b"--" + named in body:
        return named
    begun = _FIRST_PART.search(body)
    return begun[1] if begun else named


def _is_like_json(body: bytes) -> bool:
    return body.lstrip(_BEFORE_JSON)[:1] in (b"{", b"[")


def _content(places: SecretPlaces, body: bytes, content_type: str) -> bytes:
    if _is_like_json(body):
        return _json(places, body)
    text = body.decode("utf-8", "surrogateescape")
    clean = places.form(text) if not content_type or "urlencoded" in content_type.lower() else text
    return places.text(clean).encode("utf-8", "surrogateescape")


def _multipart(places: SecretPlaces, body: bytes, boundary: bytes) -> bytes:
    places.count(body.count(b"--" + boundary))
    # All of it is before the first boundary if the body is not what its content type says.
    before, *parts = body.split(b"--" + boundary)
    return (b"--" + boundary).join((_content(places, before, ""), *(_part(places, part) for part in parts)))


def _part(places: SecretPlaces, part: bytes) -> bytes:
    head_end = _PART_HEAD_END.search(part)
    if head_end is None:
        return _content(places, part, "")
    head, content = part[: head_end.end()], part[head_end.end() :]
    value = content.rstrip(b"\r\n")
    for named in _PART_NAME.finditer(head):  # it may have several, also in other headers and in the name of a file
        name = (named[1] or named[2] or b"").decode("utf-8", "replace")
        if places.is_parameter(name):
            return head + places.found(name, value.decode("utf-8", "replace")).encode() + content[len(value) :]
    return head + _content(places, value, "") + content[len(value) :]


# JSON. It is read by the standard library: msgspec refuses lone surrogates, and turns large integers into floats.

# The values take up to 100 bytes a token, and a packed body of a kilobyte may unpack to 30 million tokens.
_MOST_TOKENS = 1_000_000
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{,]', re.DOTALL)


def _json(places: SecretPlaces, body: bytes) -> bytes:
    if next(islice(_TOKEN.finditer(body), _MOST_TOKENS, None), None) is not None:
        return REDACTED.encode()
    try:
        decoded = json.loads(body, object_pairs_hook=_object)
        clean = _value(places, decoded)
        return body if clean == decoded else _encoded(clean)
    except (ValueError, RecursionError):
        return REDACTED.encode()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is there twice: one of the values would be overlooked")
    return found


def _encoded(value: Any) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # a lone surrogate
        return json.dumps(value, separators=(",", ":")).encode()


def _value(places: SecretPlaces, value: Any) -> Any:
    if isinstance(value, dict):
        clean = {name: _field(places, name, each) for name, each in value.items()}
        pair = {name.lower(): name for name in value}
        header = value.get(pair.get("name", ""))
        if isinstance(header, str) and "value" in pair and places.is_header(header):  # a header, as a pair
            clean[pair["value"]] = _secret(places, header, value[pair["value"]])
        return clean
    if isinstance(value, list):
        return [_value(places, each) for each in value]
    return places.text(value) if isinstance(value, str) else value


def _field(places: SecretPlaces, name: str, value: Any) -> Any:
    if normal_name(name) == "metadata" and isinstance(value, dict):
        value = {each: _user_id(places, below) if _is_user_id(each) else below for each, below in value.items()}
    return _secret(places, name, value) if places.is_field(name) else _value(places, value)


def _is_user_id(name: str) -> bool:
    return normal_name(name).replace("_", "") == "userid"


def _user_id(places: SecretPlaces, user_id: Any) -> Any:
    """Take out the id of the end user. Claude Code puts several into it, as JSON or with words between them."""
    if not isinstance(user_id, str):
        return _secret(places, "user_id", user_id)
    if user_id.lstrip().startswith("{"):
        with contextlib.suppress(ValueError):
            _secret(places, "user_id", json.loads(user_id))
    return places.found("user_id", user_id, *_LONG_ID.findall(user_id))


def _secret(places: SecretPlaces, name: str, value: Any) -> Any:
    """Replace all values in a secret place. Empty ones, true and false are not secret."""
    if isinstance(value, dict):
        return {each: _secret(places, name, below) for each, below in value.items()}
    if isinstance(value, list):
        return [_secret(places, name, each) for each in value]
    if value is None or isinstance(value, bool) or value == "":
        return value
    if isinstance(value, str) and places.is_header(name):
        return places.header(name, value)  # the names of headers are names of fields too: there may be a scheme
    return places.found(name, str(value))
