"""Turn the arguments of a call into a request: method, URL, headers, and the JSON body as bytes.

This module does not know HTTP libraries, answers or retries.
"""

from __future__ import annotations

import functools
import importlib.metadata
import re
import reprlib
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import attrs

from streamcore.api.arguments import list_of
from streamcore.api.json_body import json_body
from streamcore.api.options import NOT_GIVEN, Headers, Omit, given, omitted
from streamcore.errors import InvalidArgumentError

__all__ = [
    "Request",
    "build_request",
    "check_base_url",
    "library_version",
    "merge_headers",
    "without_userinfo",
]

API_VERSION = "2026-10-21"
_SENT_AS_HEADERS = {"user_profile_id": "anthropic-user-profile-id", "workspace_id": "anthropic-workspace-id"}


@attrs.frozen(kw_only=True)
class Request:
    """An HTTP request, ready to be sent. The names of `headers` are in lower case."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes


def build_request(
    path: str,
    *,
    base_url: str,
    credentials: Headers,
    default_headers: Headers,
    default_query: Mapping[str, Any],
    params: Mapping[str, Any],
    stream: bool,
    betas: Any = NOT_GIVEN,
    extra_headers: Headers | None = None,
    extra_query: Mapping[str, Any] | None = None,
    extra_body: Mapping[str, Any] | None = None,
) -> Request:
    """Build the request for one call.

    Args:
        path: The path below `base_url`, with or without a query.
        base_url: The URL of the API, with or without a slash at its end.
        credentials: The header that identifies the caller. Later layers may replace it. An `x-api-key` in one of them
            is sent in addition to it, and is enough without it.
        default_headers: The client's headers.
        default_query: The client's query parameters.
        params: Members of the body. Those that were not given are left out.
        stream: Whether the answer should be an event stream.
        betas: Names of beta features.
        extra_headers: The call's headers, which win over all others.
        extra_query: The call's query parameters.
        extra_body: Members of the body that win over `params`.

    Raises:
        InvalidArgumentError: A value does not have a JSON form, or credentials are missing.
    """
    fields = {name: value for name, value in {**params, **(extra_body or {})}.items() if given(value)}
    named = {header: fields.pop(name) for name, header in _SENT_AS_HEADERS.items() if name in params and name in fields}
    if stream:
        fields["stream"] = True
    defaults: dict[str, str | Omit] = {
        "accept": "application/json",  # for a stream too: the body asks for it
        "content-type": "application/json",
        "anthropic-version": API_VERSION,
        "user-agent": f"streamcore/{library_version()}",
    }
    beta: Headers = {"anthropic-beta": _beta_header(betas)} if given(betas) and betas is not None else {}
    headers = merge_headers(defaults, credentials, default_headers, beta, named, extra_headers or {})
    _check_credentials(headers, default_headers, extra_headers or {})
    return Request(
        method="POST",
        url=_url(base_url, path, {**default_query, **(extra_query or {})}),
        headers=headers,
        body=json_body(fields),
    )


def merge_headers(*layers: Headers) -> dict[str, str]:
    """Merge several sets of headers. Later ones win, names become lower case, and `omit` removes a header.

    Raises:
        InvalidArgumentError: HTTP does not allow a name or a value.
    """
    merged: dict[str, str] = {}
    for layer in layers:
        for name, value in layer.items():
            _check_header_name(name)
            if omitted(value):
                merged.pop(name.lower(), None)
            elif given(value):
                _check_header_value(name, value)
                merged[name.lower()] = value
    return merged


# RFC 9110, sections 5.1 and 5.5.
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"(?:[!-~](?:[ \t!-~]*[!-~])?)?")


def _check_header_name(name: object) -> None:
    if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
        raise InvalidArgumentError(f"{name!r} cannot be the name of a header")


def _check_header_value(name: str, value: object) -> None:
    # The value may be a credential, so it is not shown.
    if not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
        raise InvalidArgumentError(
            f"the value of the header {name!r} must be ASCII text without line breaks, and without blanks around it"
        )


def _check_credentials(headers: Mapping[str, str], *layers: Headers) -> None:
    """Raise unless there are credentials, or a layer has removed `authorization` on purpose."""
    left_out = any(
        name.lower() == "authorization" and omitted(value) for layer in layers for name, value in layer.items()
    )
    if not (headers.get("authorization") or headers.get("x-api-key") or left_out):
        raise InvalidArgumentError(
            "no credentials were given: give the client an api_key or an auth_token, or set ANTHROPIC_API_KEY or "
            "ANTHROPIC_AUTH_TOKEN"
        )


def _beta_header(betas: Any) -> str:
    if isinstance(betas, (str, AbstractSet)):
        names = [betas] if isinstance(betas, str) else sorted(betas, key=str)
    else:
        names = list_of(betas, "betas")
    if not all(isinstance(name, str) for name in names):
        raise InvalidArgumentError(f"betas must be names, not {reprlib.repr(names)}")
    return ",".join(names)


@functools.cache
def library_version() -> str:
    """Return the version of this library."""
    try:
        return importlib.metadata.version("streamcore-messages")
    except importlib.metadata.PackageNotFoundError:
        return "0"  # the package runs from a source tree that was never installed


def check_base_url(base_url: str) -> str:
    """Return `base_url` without the slash at its end.

    Raises:
        InvalidArgumentError: It is not an http or https URL with a host.
    """
    try:
        parts = urlsplit(base_url)
        is_valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        base_url.encode()
    except ValueError:  # a port that is not a number raises it too, and text that is not Unicode
        is_valid = False
    if not is_valid:
        raise InvalidArgumentError(f"base_url must be an http or https URL, not {without_userinfo(base_url)!r}")
    return base_url.rstrip("/")


def without_userinfo(text: str) -> str:
    """Return a URL, or a text that contains one, with `***` in place of user and password.

    In a malformed URL, a password may contain any character. So all up to the last `@` is replaced, which is sometimes
    too much.
    """
    return re.sub(r"\A(.*?://)?.*@", r"\1***@", text, flags=re.DOTALL)


def _url(base_url: str, path: str, query: Mapping[str, Any]) -> str:
    parts = urlsplit(base_url.rstrip("/") + path)
    try:
        pairs = [pair for key, value in query.items() if given(value) for pair in _query_pairs(key, value)]
    except RecursionError:
        raise InvalidArgumentError("the query nests too deep, or contains itself") from None
    try:
        encoded = urlencode(pairs, quote_via=quote)
    except UnicodeEncodeError as error:
        raise InvalidArgumentError(f"a query parameter is not Unicode text: {error.reason}") from None
    joined = "&".join(part for part in (parts.query, encoded) if part)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, joined, ""))


def _query_pairs(key: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield a parameter as it is written in a URL: lists as `key[]`, mappings as `key[name]`, `None` not at all."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _query_pairs(f"{key}[{name}]", item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _query_pairs(f"{key}[]", item)
    elif isinstance(value, Iterable) and not isinstance(value, str):  # a set, bytes, a file
        raise InvalidArgumentError(f"the query parameter {key} must be text, not of type {type(value).__name__}")
    elif value is not None:
        yield key, str(value).lower() if isinstance(value, bool) else str(value)
