"""Turn the arguments of a call into a request: method, URL, headers, and the JSON body as bytes.

Values of `streamcore.types` may stand anywhere in the body: `message.content` as the content of the next assistant
turn, or a whole `Message` as that turn. This module does not know HTTP libraries, answers or retries.
"""

from __future__ import annotations

import enum
import functools
import importlib.metadata
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, Required, TypeAlias, TypeVar
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import attrs
import msgspec
from typing_extensions import TypedDict

from streamcore.errors import InvalidArgumentError
from streamcore.types import (
    CacheControlEphemeralParam,
    DiagnosticsParam,
    Message,
    MessageParam,
    MetadataParam,
    ModelParam,
    OutputConfigParam,
    TextBlock,
    TextBlockParam,
    ThinkingConfigParam,
    ToolChoiceParam,
    ToolUnionParam,
    WireObject,
)

if TYPE_CHECKING:
    from streamcore.errors import InvalidJSON
    from streamcore.limits import Limits
    from streamcore.typed import OnInvalid
    from streamcore.typed.tools import ToolSource

__all__ = [
    "NOT_GIVEN",
    "CallOptions",
    "DecodingOptions",
    "Headers",
    "MessageParams",
    "NotGiven",
    "Omit",
    "Request",
    "StreamOptions",
    "build_request",
    "check_base_url",
    "given",
    "json_body",
    "library_version",
    "merge_headers",
    "not_given",
    "omit",
    "without_userinfo",
]

API_VERSION = "2026-10-21"
_SENT_AS_HEADERS = {"user_profile_id": "anthropic-user-profile-id", "workspace_id": "anthropic-workspace-id"}


class NotGiven(enum.Enum):
    """The type of `NOT_GIVEN`: this argument was not given, where `None` would mean something."""

    NOT_GIVEN = "NOT_GIVEN"

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "NOT_GIVEN"


class Omit:
    """The type of `omit`: leave this out, even where there is a default. As a header's value, it removes the header."""

    __slots__ = ()

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "omit"


NOT_GIVEN: Final = NotGiven.NOT_GIVEN
not_given: Final = NOT_GIVEN
omit: Final = Omit()

Headers: TypeAlias = Mapping[str, "str | Omit"]


_T = TypeVar("_T")
Maybe: TypeAlias = _T | NotGiven | Omit
"""The type of an argument that may also be `NOT_GIVEN` or `omit`."""


class MessageParams(TypedDict, total=False):
    """The parameters of `messages.create` and `messages.stream` for the body of the request.

    The API's documentation explains them: https://docs.claude.com/en/api/messages. Parameters that are not listed here
    are passed on unchanged. Where beta features have forms that `streamcore.types` does not know, any mapping is
    accepted.
    """

    model: Required[ModelParam]
    messages: Required[Iterable[MessageParam | Message]]
    max_tokens: Required[int]
    billing_policy: Maybe[Mapping[str, Any] | None]
    cache_control: Maybe[CacheControlEphemeralParam | None]
    compaction: Maybe[Mapping[str, Any] | None]
    container: Maybe[str | Mapping[str, Any] | None]
    context_management: Maybe[Mapping[str, Any] | None]
    diagnostics: Maybe[DiagnosticsParam | None]
    fallback_credit_token: Maybe[str | Mapping[str, Any] | None]
    fallbacks: Maybe[Iterable[Mapping[str, Any]] | Literal["default"] | None]
    inference_geo: Maybe[str | None]
    mcp_servers: Maybe[Iterable[Mapping[str, Any]]]
    metadata: Maybe[MetadataParam]
    output_config: Maybe[OutputConfigParam | Mapping[str, Any]]
    service_tier: Maybe[Literal["auto", "standard_only"]]
    speed: Maybe[Literal["standard", "fast"] | None]
    stop_sequences: Maybe[list[str] | tuple[str, ...]]
    system: Maybe[str | Iterable[TextBlockParam | TextBlock]]
    temperature: Maybe[float]
    thinking: Maybe[ThinkingConfigParam | Mapping[str, Any]]
    thread: Maybe[Mapping[str, Any] | None]
    tool_choice: Maybe[ToolChoiceParam]
    tools: Maybe[Iterable[ToolUnionParam | Mapping[str, Any] | ToolSource]]
    top_k: Maybe[int]
    top_p: Maybe[float]


class CallOptions(MessageParams, total=False):
    """`MessageParams`, and options for how a single call is made.

    Attributes:
        betas: Beta features to turn on, sent as the `anthropic-beta` header.
        user_profile_id: The user profile that the request is for, sent as the `anthropic-user-profile-id` header.
        workspace_id: The workspace of the request, sent as the `anthropic-workspace-id` header.
        extra_headers: Headers in addition to the client's. The value `omit` removes a header.
        extra_query: Query parameters in addition to the client's.
        extra_body: Members of the body in addition to the parameters. They win over them.
        timeout: Replaces the client's: seconds, or a timeout object of the HTTP library; `None` means without one.
        idle_timeout: Replaces the client's: the longest silence between bytes of the answer, in seconds.
        max_retries: Replaces the client's.
        on_invalid: What to do if something does not match its class: `"raise"` (the default) or `"keep"`; see
            `MessageEngine`.
    """

    betas: Maybe[Iterable[str] | None]
    user_profile_id: Maybe[str]
    workspace_id: Maybe[str]
    extra_headers: Headers | None
    extra_query: Mapping[str, Any] | None
    extra_body: Mapping[str, Any] | None
    timeout: Any
    idle_timeout: float | NotGiven | None
    max_retries: int | NotGiven
    on_invalid: OnInvalid


class DecodingOptions(CallOptions, total=False):
    """`CallOptions`, and options for decoding a stream, as for `MessageEngine`."""

    strict: bool
    limits: Limits


class StreamOptions(DecodingOptions, total=False):
    """`DecodingOptions`, and options for building a message from a stream, as for `MessageEngine`."""

    trailing_strings: bool
    invalid_json: InvalidJSON


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
        InvalidArgumentError: A value does not have a JSON form, a parameter is missing, or credentials are.
    """
    fields = {name: value for name, value in {**params, **(extra_body or {})}.items() if given(value)}
    named = {header: fields.pop(name) for name, header in _SENT_AS_HEADERS.items() if name in params and name in fields}
    for name in ("model", "messages", "max_tokens"):
        if name not in fields:
            raise InvalidArgumentError(f"the parameter {name!r} is missing")
    if stream:
        fields["stream"] = True
    defaults: dict[str, str | Omit] = {
        "accept": "application/json",  # for a stream too: the body asks for it
        "content-type": "application/json",
        "anthropic-version": API_VERSION,
        "user-agent": user_agent(),
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


def given(value: object) -> bool:
    """Return whether `value` is neither `NOT_GIVEN` nor `omit`."""
    return value is not NOT_GIVEN and not isinstance(value, Omit)


def merge_headers(*layers: Headers) -> dict[str, str]:
    """Merge several sets of headers. Later ones win, names become lower case, and `omit` removes a header.

    Raises:
        InvalidArgumentError: HTTP does not allow a name or a value.
    """
    merged: dict[str, str] = {}
    for layer in layers:
        for name, value in layer.items():
            if isinstance(value, Omit):
                merged.pop(name.lower(), None)
            elif given(value):
                _check_header(name, value)
                merged[name.lower()] = value
    return merged


# RFC 9110, sections 5.1 and 5.5.
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"(?:[!-~](?:[ \t!-~]*[!-~])?)?")


def _check_header(name: object, value: object) -> None:
    if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
        raise InvalidArgumentError(f"{name!r} cannot be the name of a header")
    # The value may be a credential, so it is not shown.
    if not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
        raise InvalidArgumentError(
            f"the value of the header {name!r} must be ASCII text without line breaks, and without blanks around it"
        )


def _check_credentials(headers: Mapping[str, str], *layers: Headers) -> None:
    """Raise unless there are credentials, or a layer has removed `authorization` on purpose."""
    left_out = any(
        name.lower() == "authorization" and isinstance(value, Omit) for layer in layers for name, value in layer.items()
    )
    if not (headers.get("authorization") or headers.get("x-api-key") or left_out):
        raise InvalidArgumentError(
            "no credentials were given: give the client an api_key or an auth_token, or set ANTHROPIC_API_KEY or "
            "ANTHROPIC_AUTH_TOKEN"
        )


def _beta_header(betas: Any) -> str:
    names = [betas] if isinstance(betas, str) else list(betas)
    if not all(isinstance(name, str) for name in names):
        raise InvalidArgumentError(f"betas must be names, not {names!r}")
    return ",".join(names)


@functools.cache
def library_version() -> str:
    """Return the version of this library."""
    try:
        return importlib.metadata.version("streamcore-messages")
    except importlib.metadata.PackageNotFoundError:
        return "0"  # the package runs from a source tree that was never installed


def user_agent() -> str:
    """Return the name and version that the library sends in requests."""
    return f"streamcore/{library_version()}"


def check_base_url(base_url: str) -> str:
    """Return `base_url` without the slash at its end.

    Raises:
        InvalidArgumentError: It is not an http or https URL with a host.
    """
    try:
        parts = urlsplit(base_url)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        base_url.encode()
    except ValueError:  # a port that is not a number raises it too, and text that is not Unicode
        fine = False
    if not fine:
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
    pairs = [pair for key, value in query.items() if given(value) for pair in _query_pairs(key, value)]
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
    elif value is not None:
        yield key, str(value).lower() if isinstance(value, bool) else str(value)


def json_body(fields: Mapping[str, Any]) -> bytes:
    """Return `fields` as a JSON object in UTF-8.

    Lone surrogates are escaped: an answer may contain them, and UTF-8 cannot encode them.

    Raises:
        InvalidArgumentError: A value does not have a JSON form. The message says where it is.
    """
    try:
        jsonable = _jsonable(fields, "the body")
        try:
            return msgspec.json.encode(jsonable)
        except UnicodeEncodeError:
            return msgspec.json.encode(_with_text_encoded(jsonable))
    except RecursionError:
        raise InvalidArgumentError("the body nests too deep") from None


def _with_text_encoded(value: Any) -> Any:
    """Return `value` with `msgspec.Raw` in the place of strings, as msgspec cannot encode lone surrogates."""
    if isinstance(value, str):
        return msgspec.Raw(_encode_string(value))
    if isinstance(value, list):
        return [_with_text_encoded(item) for item in value]
    if not isinstance(value, dict):
        return value
    # The name of a member cannot be `Raw` by itself, so the whole object is.
    members = [
        _encode_string(key) + b":" + msgspec.json.encode(_with_text_encoded(item)) for key, item in value.items()
    ]
    return msgspec.Raw(b"{" + b",".join(members) + b"}")


def _encode_string(text: str) -> bytes:
    # What this error handler writes for a lone surrogate is its escape in JSON.
    return json.dumps(text, ensure_ascii=False).encode("utf-8", "backslashreplace")


def _jsonable(value: Any, path: str) -> Any:
    """Return `value` made of dicts, lists and scalars only. `path` says where it is, for errors."""
    if value is None or isinstance(value, (str, bool, int)):
        return _exact(value)
    if isinstance(value, float):
        if math.isfinite(value):
            return _exact(value)
        raise InvalidArgumentError(f"{path} is {value}, which JSON has no number for")
    if isinstance(value, WireObject):
        return _jsonable(value.to_param(), path)
    if isinstance(value, Mapping):
        result = {}
        for key, item in value.items():
            if not isinstance(key, str):
                raise InvalidArgumentError(f"{path} has the key {key!r}, which is not a string")
            if given(item):
                result[_exact(key)] = _jsonable(item, key if path == "the body" else f"{path}.{key}")
        return result
    if isinstance(value, Iterable) and not isinstance(value, (bytes, bytearray, memoryview, set, frozenset)):
        return [_jsonable(item, f"{path}[{number}]") for number, item in enumerate(value)]
    hint = ": encode it as base64 text" if isinstance(value, (bytes, bytearray, memoryview)) else ""
    raise InvalidArgumentError(f"{path} is of type {type(value).__name__}, which has no JSON form{hint}")


def _exact(scalar: Any) -> Any:
    """Return a scalar as an instance of a class that JSON knows.

    msgspec encodes enums by their value, but it refuses other subclasses of `str`, `int` and `float`, which template
    engines and numpy have.
    """
    cls = type(scalar)
    if cls in (str, bool, int, float, type(None)) or issubclass(cls, enum.Enum):
        return scalar
    base: Any = next(base for base in (str, int, float) if issubclass(cls, base))
    return base.__getnewargs__(scalar)[0]  # the value itself, whatever the class does in `__str__`
