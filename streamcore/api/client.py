"""The options of a client: where they come from, what a copy inherits, and how they shape a call.

This module does not know how a request is sent, or when it is sent again.
"""

from __future__ import annotations

import math
import os
import reprlib
from collections.abc import Iterable, Mapping
from typing import Any, Generic, Self, Unpack

import attrs
from typing_extensions import TypedDict, TypeVar

from streamcore.api.arguments import mapping_of
from streamcore.api.options import NOT_GIVEN, Headers, given, if_given, only_given
from streamcore.api.request import Request, build_request, check_base_url, merge_headers
from streamcore.api.resources import HasResources
from streamcore.errors import InvalidArgumentError

__all__ = [
    "DEFAULT_CONNECT_TIMEOUT",
    "DEFAULT_MAX_RETRIES",
    "DEFAULT_TIMEOUT",
    "BaseClient",
    "Call",
    "ClientOptions",
    "HttpClientT",
    "check_bounds",
    "checked_idle_timeout",
    "is_seconds",
]

DEFAULT_BASE_URL = "https://api.anthropic.com"
DEFAULT_MAX_RETRIES = 2
DEFAULT_TIMEOUT = 600.0
"""Seconds: the API's own limit for an answer that is not streamed."""
DEFAULT_CONNECT_TIMEOUT = 5.0

HttpClientT = TypeVar("HttpClientT", default=Any)
"""The HTTP library's client that an adapter sends with."""


class ClientOptions(TypedDict, total=False):
    """The arguments of a client's constructor, for its copies. `BaseClient` explains them."""

    api_key: str | None
    auth_token: str | None
    base_url: str | None
    timeout: Any
    idle_timeout: float | None
    max_retries: int
    default_headers: Headers | None
    default_query: Mapping[str, Any] | None
    http_client: Any


# Arguments of a call that add to its request.
_EXTRAS = ("extra_headers", "extra_query", "extra_body")


@attrs.frozen(kw_only=True)
class Call:
    """One call of the API: the request, and how it is made.

    Attributes:
        timeout: Seconds or the HTTP library's timeout object. `None` means without a timeout, `NOT_GIVEN` the
            adapter's default.
        idle_timeout: The longest silence between bytes of the answer, in seconds.
        max_retries: How often the call may be repeated.
        stream: Whether the answer should be an event stream.
    """

    request: Request
    timeout: Any
    idle_timeout: float | None
    max_retries: int
    stream: bool


class BaseClient(HasResources, Generic[HttpClientT]):
    """What all clients share, sync or async, on whichever HTTP library."""

    def __init__(
        self,
        *,
        api_key: str | None = None,
        auth_token: str | None = None,
        base_url: str | None = None,
        timeout: Any = NOT_GIVEN,
        idle_timeout: float | None = None,
        max_retries: int = DEFAULT_MAX_RETRIES,
        default_headers: Headers | None = None,
        default_query: Mapping[str, Any] | None = None,
        http_client: HttpClientT | None = None,
    ) -> None:
        """Make a client. Nothing is sent yet.

        Args:
            api_key: Sent as `authorization: Bearer`. If neither this nor `auth_token` is given, the environment's
                `ANTHROPIC_API_KEY` is used, or else `ANTHROPIC_AUTH_TOKEN`.
            auth_token: Sent in the same way, in place of an API key.
            base_url: The URL of the API. The default is the environment's `ANTHROPIC_BASE_URL`, or else Anthropic's.
            timeout: Seconds, or a timeout object of the HTTP library; `None` means without a timeout. The default is 10
                minutes, and 5 seconds for connecting.
            idle_timeout: The longest silence between bytes of an answer once it has begun, in seconds. By default only
                `timeout` limits it.
            max_retries: How often a failed call is repeated, if it failed before its answer began.
            default_headers: Sent with every request. The value `omit` removes a header. If a server accepts API keys
                only as `x-api-key`, give that header here, with an `api_key` or in place of one. These headers win over
                those in the environment's `ANTHROPIC_CUSTOM_HEADERS`, which has a `Name: value` on each line.
            default_query: Query parameters of every request.
            http_client: A client of the HTTP library to send with, in place of our own.

        Raises:
            InvalidArgumentError: An option, or its value in the environment, is invalid, or an HTTP client cannot be
                made with the proxies and certificates that the environment names.
        """
        self._resources = {}
        api_key, auth_token = if_given(api_key, None), if_given(auth_token, None)
        base_url, http_client = if_given(base_url, None), if_given(http_client, None)
        default_headers, default_query = if_given(default_headers, None), if_given(default_query, None)
        if api_key is not None and auth_token is not None:
            raise InvalidArgumentError("give an api_key or an auth_token, not both")
        _check_kinds(str, "a string", api_key=api_key, auth_token=auth_token)
        _check_kinds(Mapping, "a mapping", default_headers=default_headers, default_query=default_query)
        if api_key is None and auth_token is None:
            api_key = os.environ.get("ANTHROPIC_API_KEY") or None
            auth_token = (os.environ.get("ANTHROPIC_AUTH_TOKEN") or None) if api_key is None else None
        self.api_key = api_key
        self.auth_token = auth_token
        self.base_url: str = check_base_url(str(base_url or os.environ.get("ANTHROPIC_BASE_URL") or DEFAULT_BASE_URL))
        self.timeout: Any = self._checked_timeout(if_given(timeout, NOT_GIVEN))
        self.idle_timeout: float | None = checked_idle_timeout(if_given(idle_timeout, None))
        self.max_retries: int = _checked_max_retries(if_given(max_retries, DEFAULT_MAX_RETRIES))
        self.default_headers: dict[str, Any] = {**_headers_from_environment(), **(default_headers or {})}
        self.default_query: dict[str, Any] = dict(default_query or {})
        merge_headers(self._credentials(), self.default_headers)  # raises if one is not valid in HTTP
        self._send_with(http_client)

    def _send_with(self, http_client: HttpClientT | None) -> None:
        """Send with `http_client`, or with an HTTP client of our own if it is None."""

    def copy(self, **changes: Unpack[ClientOptions]) -> Self:
        """Return a client with the same options except for `changes`, on the same connections.

        It takes the arguments of the constructor. `default_headers` and `default_query` are added to this client's. An
        API key replaces an auth token, and the reverse.

        The connections stay shared: `close()` on either client closes both, and so does leaving the `with` block of
        either. So close only the client that was made first.

        Raises:
            InvalidArgumentError: As for the constructor.
        """
        inherited = self._arguments()
        changed = only_given(changes)
        if changed.get("api_key") is not None or changed.get("auth_token") is not None:
            del inherited["api_key"], inherited["auth_token"]
        for name in ("default_headers", "default_query"):
            added = changed.get(name) or {}
            if name in changed and isinstance(added, Mapping):
                changed[name] = {**inherited[name], **added}
        return type(self)(**{**inherited, **changed})

    def with_options(self, **changes: Unpack[ClientOptions]) -> Self:
        """Do the same as `copy()`. It reads better in `client.with_options(timeout=10).messages.create(...)`."""
        return self.copy(**changes)

    def is_closed(self) -> bool:
        """Return whether `close()` was called."""
        raise NotImplementedError

    def _arguments(self) -> dict[str, Any]:
        """Return the arguments of the constructor that make this client again."""
        return {
            "api_key": self.api_key,
            "auth_token": self.auth_token,
            "base_url": self.base_url,
            "timeout": self.timeout,
            "idle_timeout": self.idle_timeout,
            "max_retries": self.max_retries,
            "default_headers": self.default_headers,
            "default_query": self.default_query,
        }

    def _checked_timeout(self, timeout: Any) -> Any:
        """Return `timeout` if it is valid. The clients of adapters also accept the objects of their library.

        Raises:
            InvalidArgumentError: It is not a timeout.
        """
        if given(timeout) and timeout is not None and not is_seconds(timeout):
            raise InvalidArgumentError(f"timeout must be seconds above 0, or None, not {reprlib.repr(timeout)}")
        return timeout

    def _call(self, path: str, arguments: Mapping[str, Any], *, stream: bool) -> Call:
        """Return the call for these arguments, which are those of `CallOptions`.

        Raises:
            InvalidArgumentError: An argument is missing or invalid.
        """
        params = dict(arguments)

        def option(name: str) -> Any:
            """Return the call's own value of an option of clients, or else the client's."""
            value = params.pop(name, NOT_GIVEN)
            return value if given(value) else getattr(self, name)

        timeout = self._checked_timeout(option("timeout"))
        idle_timeout = checked_idle_timeout(option("idle_timeout"))
        max_retries = _checked_max_retries(option("max_retries"))
        request = build_request(
            path,
            base_url=self.base_url,
            credentials=self._credentials(),
            default_headers=self.default_headers,
            default_query=self.default_query,
            stream=stream,
            betas=params.pop("betas", NOT_GIVEN),
            **{name: mapping_of(params.pop(name, None), name) for name in _EXTRAS},
            params=params,
        )
        return Call(request=request, timeout=timeout, idle_timeout=idle_timeout, max_retries=max_retries, stream=stream)

    def _credentials(self) -> dict[str, str]:
        secret = self.api_key if self.api_key is not None else self.auth_token
        return {"authorization": f"Bearer {secret}"} if secret else {}


def _check_kinds(kind: type, name_of_kind: str, **options: object) -> None:
    for name, value in options.items():
        if value is not None and not isinstance(value, kind):
            # The value may be a credential, so it is not shown.
            raise InvalidArgumentError(f"{name} must be {name_of_kind}, not of type {type(value).__name__}")


def _headers_from_environment() -> dict[str, str]:
    lines = os.environ.get("ANTHROPIC_CUSTOM_HEADERS", "").split("\n")
    return {name.strip(): value.strip() for name, colon, value in (line.partition(":") for line in lines) if colon}


def is_seconds(value: object) -> bool:
    """Return whether `value` is a number of seconds above 0."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0


def check_bounds(timeout: object, bounds: Iterable[object]) -> None:
    """Check that each bound in an HTTP library's timeout object is None, seconds, or 0, which may have a meaning there.

    Raises:
        InvalidArgumentError: A bound is something else.
    """
    if not all(bound is None or bound == 0 or is_seconds(bound) for bound in bounds):
        raise InvalidArgumentError(f"timeout must have seconds, or None, for each step, not {reprlib.repr(timeout)}")


def checked_idle_timeout(seconds: float | None) -> float | None:
    """Return `seconds`, or None if they are infinite.

    Raises:
        InvalidArgumentError: `seconds` is not a number above 0, or None.
    """
    if seconds is not None and not is_seconds(seconds):
        raise InvalidArgumentError(
            f"idle_timeout must be a number of seconds above 0, or None, not {reprlib.repr(seconds)}"
        )
    return None if seconds == math.inf else seconds


def _checked_max_retries(number: Any) -> int:
    if not isinstance(number, int) or number < 0:
        raise InvalidArgumentError(f"max_retries must be a whole number from 0 on, not {reprlib.repr(number)}")
    return number
