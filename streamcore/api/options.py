"""The arguments of a call, for type checkers, and the values that say that an argument was not given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, Required, TypeAlias, TypeVar

from typing_extensions import TypedDict, TypeIs

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
)

if TYPE_CHECKING:
    from streamcore.errors import InvalidJSON
    from streamcore.limits import Limits
    from streamcore.typed import OnInvalid
    from streamcore.typed.tools import ToolSource

__all__ = [
    "NOT_GIVEN",
    "Body",
    "CallOptions",
    "DecodingOptions",
    "Headers",
    "MessageCreateParams",
    "MessageCreateParamsBase",
    "MessageCreateParamsNonStreaming",
    "MessageCreateParamsStreaming",
    "MessageParams",
    "NotGiven",
    "Omit",
    "Query",
    "StreamOptions",
    "given",
    "if_given",
    "not_given",
    "omit",
    "omitted",
    "only_given",
]


class NotGiven:
    """The type of `NOT_GIVEN`: this argument was not given, where `None` would mean something."""

    __slots__ = ()

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


NOT_GIVEN: Final = NotGiven()
not_given: Final = NOT_GIVEN
omit: Final = Omit()

_T = TypeVar("_T")

Headers: TypeAlias = Mapping[str, "str | Omit"]
Query: TypeAlias = Mapping[str, Any]
Body: TypeAlias = Mapping[str, Any]


def given(value: object) -> bool:
    """Return whether `value` is neither `NOT_GIVEN` nor `omit`, of this package or of `anthropic`."""
    return not isinstance(value, (NotGiven, Omit)) and not _is_of_anthropic(value, ("NotGiven", "Omit"))


def omitted(value: object) -> TypeIs[Omit]:
    """Return whether `value` is `omit`, of this package or of `anthropic`."""
    return isinstance(value, Omit) or _is_of_anthropic(value, ("Omit",))


def _is_of_anthropic(value: object, names: tuple[str, ...]) -> bool:
    # By name, as that package is not a dependency.
    cls = type(value)
    return cls.__name__ in names and cls.__module__.partition(".")[0] == "anthropic"


def if_given(value: _T, default: _T) -> _T:
    """Return `value`, or `default` if it was not given."""
    return value if given(value) else default


def only_given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that were given."""
    return {name: value for name, value in arguments.items() if given(value)}


Maybe: TypeAlias = _T | NotGiven | Omit
"""The type of an argument that may also be `NOT_GIVEN` or `omit`."""


class MessageParams(TypedDict, total=False):
    """The parameters of `messages.create` and `messages.stream` for the body of the request.

    The API's documentation explains them: https://docs.claude.com/en/api/messages. A parameter that is not listed here
    is a `TypeError`: pass it in `extra_body`. Where beta features have forms that `streamcore.types` does not know, any
    mapping is accepted.
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


class MessageCreateParamsNonStreaming(MessageParams, total=False):
    """The parameters of a `create()` that returns a message, for programs that keep them in a dict."""

    stream: Literal[False]


class MessageCreateParamsStreaming(MessageParams, total=False):
    """The parameters of a `create()` that returns a stream, for programs that keep them in a dict."""

    stream: Required[Literal[True]]


MessageCreateParamsBase: TypeAlias = MessageParams
MessageCreateParams: TypeAlias = MessageCreateParamsNonStreaming | MessageCreateParamsStreaming


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
