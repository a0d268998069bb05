"""Redirects: which of them a client follows, and with which request.

HTTP libraries follow a redirect wherever it leads. With 307 and 308 they send the prompt along, and an `x-api-key`
header with every redirect. So the adapters have their library follow none, and a client follows those to the same
origin only: the same scheme, host and port (RFC 6454, section 4).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urljoin, urlsplit, urlunsplit

import attrs

from streamcore.api.request import Request, without_userinfo

__all__ = ["MAX_REDIRECTS", "describe_redirect", "redirected"]

MAX_REDIRECTS = 20
"""How many redirects a client follows in a row, as many as httpx does."""

_STATUSES = frozenset({301, 302, 303, 307, 308})
_DEFAULT_PORTS = {"http": 80, "https": 443}
# Longer URLs, and other characters, are refused by the HTTP libraries, each in a way of its own.
_LOCATION = re.compile(r"[!-~]{1,8000}")


def redirected(request: Request, status: int, headers: Mapping[str, str]) -> Request | None:
    """Return the request that follows the redirect in an answer, or None if nothing is to be followed.

    The method and the body change as in browsers: 303, and 301 and 302 after a POST, are followed by a GET without a
    body (RFC 9110, section 15.4).

    Args:
        request: The request that was answered.
        status: The status of the answer.
        headers: The headers of the answer, found under their names in lower case.
    """
    location = headers.get("location", "")
    if status not in _STATUSES or not _LOCATION.fullmatch(location):
        return None
    here = urlsplit(request.url)
    try:
        there = urlsplit(urljoin(request.url, location))
        same_origin = _origin(there.scheme, there.hostname, there.port) == _origin(
            here.scheme, here.hostname, here.port
        )
    except ValueError:  # the location is not a URL
        return None
    if not same_origin:
        return None
    # The authority is that of the request and not that of the location. So even a URL which the HTTP library reads
    # differently from `urlsplit` cannot lead to another host.
    url = urlunsplit((here.scheme, here.netloc, there.path or "/", there.query, ""))
    if status == 303 or (status in (301, 302) and request.method == "POST"):
        kept = {name: value for name, value in request.headers.items() if not name.startswith("content-")}
        return Request(method="GET", url=url, headers=kept, body=b"")
    return attrs.evolve(request, url=url)


def _origin(scheme: str, host: str | None, port: int | None) -> tuple[str, str | None, int | None]:
    return scheme, host, port if port is not None else _DEFAULT_PORTS.get(scheme)


def describe_redirect(status: int, headers: Mapping[str, str]) -> str | None:
    """Describe a redirect that was not followed for an error message. Return None if the answer is not a redirect."""
    location = headers.get("location")
    if status not in _STATUSES or location is None:
        return None
    return (
        f"Error code: {status} - the redirect to {without_userinfo(location)!r} was not followed:"
        f" only redirects to the same scheme, host and port are, and at most {MAX_REDIRECTS} in a row"
    )
