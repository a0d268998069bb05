"""The headers of captures: take them from the objects of HTTP libraries, and say which ones a server can send."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from streamcore.replay.capture import Headers

__all__ = ["pairs", "unsendable"]

# RFC 9110, sections 5.1, 5.5 and 5.6.2. The characters of a value are those of text; they are sent as UTF-8.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile("[^\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]*")


def unsendable(status: int, headers: Headers) -> str | None:
    """Say what an answer with this status and these headers has that cannot be sent; None if it is fine.

    Captures come from files, which may hold anything. A status below 200 is not a final one.
    """
    if not 200 <= status <= 599:
        return f"the status {status} is not valid"
    for name, value in headers:
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            return f"the header {name!r} cannot be sent"
    return None


def pairs(headers: Any) -> Headers:
    """Return the headers in a mapping of any HTTP library, with those that come more than once."""
    items = getattr(headers, "multi_items", None)
    found: Iterable[tuple[str, str]] = items() if items is not None else headers.items()
    return tuple((str(name), _value(value)) for name, value in found)


def _value(value: str) -> str:
    """Return a header's value. aiohttp puts surrogates in it for bytes that are not UTF-8; no file could hold those."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogateescape").decode("latin-1")
    return str(value)
