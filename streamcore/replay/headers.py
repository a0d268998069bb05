"""Which statuses and headers an HTTP server can send. Captures come from files, which may hold anything."""

from __future__ import annotations

import re

from streamcore.replay.capture import Headers

__all__ = ["unsendable"]

# RFC 9110, sections 5.1, 5.5 and 5.6.2. The characters of a value are those of text; they are sent as UTF-8.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile("[^\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]*")


def unsendable(status: int, headers: Headers) -> str | None:
    """Say what an answer with this status and these headers has that cannot be sent; None if it is fine.

    A status below 200 is not a final one.
    """
    if not 200 <= status <= 599:
        return f"the status {status} is not valid"
    for name, value in headers:
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            return f"the header {name!r} cannot be sent"
    return None
