"""Take headers from the objects of HTTP libraries, and check which ones a server can send."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from streamcore.replay.capture import Headers

HOP_BY_HOP = frozenset(
    {
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection"),
        *("te", "trailer", "transfer-encoding", "upgrade"),
    }
)
"""Headers about one connection and not about the exchange (RFC 9110, section 7.6.1)."""

# RFC 9110, sections 5.1, 5.5 and 5.6.2. The characters of a value are those of text; they are sent as UTF-8.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile("[^\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]*")


def unsendable(status: int, headers: Headers) -> str | None:
    """Return why an answer with this status and these headers cannot be sent, or None.

    Captures come from files, which may hold anything. A status below 200 is not a final one.
    """
    if not 200 <= status <= 599:
        return f"the status {status} is not valid"
    for name, value in headers:
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            return f"the header {name!r} cannot be sent"
    return None


def header_pairs(headers: Any) -> Headers:
    """Return the headers in a mapping of any HTTP library, with those that come more than once."""
    items = getattr(headers, "multi_items", None)
    found: Iterable[tuple[str, str]] = items() if items is not None else headers.items()
    return tuple((str(name), _value(value)) for name, value in found)


def _value(value: str) -> str:
    """Return a header's value. For bytes that are not UTF-8 aiohttp has surrogates, which cannot be written."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogateescape").decode("latin-1")
    return str(value)
