"""What the official `anthropic` package has, for the tests that compare ours with it and for `pytest -m drift`."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any, ForwardRef, Literal, NotRequired, Required, TypeVar, get_args, get_origin

import anthropic
import anthropic.types
import anthropic.types.beta
import pydantic
from typing_extensions import is_typeddict

from streamcore.types import Unknown, WireObject

if TYPE_CHECKING:
    from collections.abc import Iterator

# Types of responses

# Their name for one of our classes, where it is a different one. (A `Beta` or `Raw` in front does not count.)
OTHER_NAMES = {
    "BetaCitationConfig": "CitationsConfig",
    "BetaCitationSearchResultLocation": "CitationsSearchResultLocation",
    "BetaCompactionContentBlockDelta": "CompactionDelta",
    "BetaResponseToolAdditionBlock": "ToolAdditionBlock",
    "BetaResponseToolRemovalBlock": "ToolRemovalBlock",
    "Delta": "MessageDelta",
}
# Strings here: the API adds words without notice, so a type checker must not rely on the list.
OPEN_LISTS = {"category", "error_code", "file_type", "media_type", "model", "name", "reason", "type"}
# One class, or JSON, for many of theirs.
LOOSER = {"cache_miss_reason", "input_transformations", "tool"}


def parts(hint: Any) -> set[Any]:
    """Return all that a union or a container consists of."""
    if isinstance(hint, TypeVar):
        return parts(hint.__bound__)
    if get_origin(hint) is Literal or not get_args(hint):
        return {hint}
    inner = set().union(*(parts(item) for item in get_args(hint)))
    return inner | {get_origin(hint)} if isinstance(get_origin(hint), type) else inner


def words(hint: Any) -> set[Any]:
    """Return the literals of a field of a response."""
    return {word for part in parts(hint) if get_origin(part) is Literal for word in get_args(part)}


def models(hint: Any) -> set[type[pydantic.BaseModel]]:
    return {part for part in parts(hint) if isinstance(part, type) and issubclass(part, pydantic.BaseModel)}


def our_name(model: type[pydantic.BaseModel]) -> str:
    """Return the name that we have, or would have, for a class of theirs."""
    return OTHER_NAMES.get(model.__name__, model.__name__.removeprefix("Beta").removeprefix("Raw"))


def their_classes(hint: Any) -> set[str]:
    return {our_name(model) for model in models(hint)}


def our_classes(hint: Any) -> set[str]:
    classes = {part for part in parts(hint) if isinstance(part, type) and issubclass(part, WireObject)}
    return {item.__name__ for item in classes if not issubclass(item, Unknown)}


def models_of_answers() -> Iterator[type[pydantic.BaseModel]]:
    """Yield each class of theirs that a message or an event of a stream may contain, as far as ours have classes."""
    waiting = [
        *models(anthropic.types.Message),
        *models(anthropic.types.RawMessageStreamEvent),
        *models(anthropic.types.beta.BetaMessage),
        *models(anthropic.types.beta.BetaRawMessageStreamEvent),
    ]
    seen: set[type[pydantic.BaseModel]] = set()
    while waiting:
        model = waiting.pop()
        if model not in seen:
            seen.add(model)
            yield model
            for name, field in model.model_fields.items():
                if (field.alias or name) not in LOOSER:
                    waiting += models(field.annotation)


# Dicts of requests


def bare(hint: Any) -> Any:
    """Return a hint without the marker that says whether the key is required."""
    return get_args(hint)[0] if get_origin(hint) in (Required, NotRequired) else hint


def required(kind: Any, hints: dict[str, Any]) -> set[str]:
    # What the class itself knows of this does not count with annotations that are strings.
    default = (Required, None) if kind.__total__ else (Required,)
    return {key for key, hint in hints.items() if _marker(hint) in default}


def _marker(hint: Any) -> Any:
    return get_origin(hint) if get_origin(hint) in (Required, NotRequired) else None


def words_of_key(hint: Any) -> set[Any]:
    """Return the strings that a key may have, as far as the hint names them."""
    hint = bare(hint)
    if get_origin(hint) is Literal:
        return set(get_args(hint))
    return set().union(*(words_of_key(item) for item in get_args(hint))) if get_origin(hint) else set()


def members(alias: Any) -> set[str]:
    """Return the names of the dicts in a union."""
    if is_typeddict(alias):
        return {alias.__name__}
    if isinstance(alias, ForwardRef):
        return {alias.__forward_arg__}
    return set().union(*(members(item) for item in get_args(alias))) if get_args(alias) else set()


# What only browsers and computers in a box need, which other tools have no use for.
NO_DICTS_HERE = {"BrowserStateBlockParam", "BrowserToolset20260801Param", "ComputerToolset20260801Param"}


def members_for_callers(alias: Any) -> set[str]:
    """Return the dicts of a union of theirs that a caller writes."""
    # Those which the API alone makes go into messages as the values that they are.
    return {name for name in members(alias) if not re.search(".ToolResultBlockParam", name)} - NO_DICTS_HERE


# Names and calls

# What belongs to things that streamcore does not do: other clouds, credentials in files, middleware, tracing, uploads,
# webhooks, calls of other endpoints, and pydantic.
_NOT_HERE = """
    APIRequest APIWebhookValidationError AccessToken AccessTokenAuth AccessTokenProvider AnthropicAWS
    AnthropicBedrock AnthropicBedrockMantle AnthropicFoundry AnthropicGoogleCloud AnthropicVertex
    AsyncAccessTokenProvider AsyncAnthropicAWS AsyncAnthropicBedrock AsyncAnthropicBedrockMantle AsyncAnthropicFoundry
    AsyncAnthropicGoogleCloud AsyncAnthropicVertex AsyncCallNext AsyncMiddlewareCallable BaseModel BaseURLBoundProvider
    BetaFallbackState BetaRefusalFallbackMiddleware CallNext CredentialResult CredentialsError CredentialsFile
    DefaultAioHttpClient EnvToken IdentityTokenFile IdentityTokenFileError IdentityTokenProvider InMemoryConfig
    Middleware MiddlewareCallable MiddlewareInput NoneType OpenTelemetryClientOption OpenTelemetryOptions
    OpenTelemetryTraces RequestOptions ResolvedOpenTelemetryOptions ResolvedOpenTelemetryTraces RetryableError
    StaticToken TokenCache
    TypeAlias WorkloadIdentityCredentials WorkloadIdentityError beta_async_tool beta_tool default_credentials
    exchange_federation_assertion file_from_path pagination
"""
NOT_HERE = set(_NOT_HERE.split())


def exports() -> set[str]:
    """Return the names that a program may use of their package."""
    return {name for name in dir(anthropic) if not name.startswith("_") and "[" not in name}


def family_of(kind: type, base: type) -> list[str]:
    """Return the names of a class and its bases, down to `base`."""
    return [cls.__name__ for cls in kind.__mro__ if issubclass(cls, base)]


def parameters_of(method: str) -> set[str]:
    """Return the parameters of `create` or `stream`, of the ordinary and of the beta API."""
    with anthropic.Anthropic(api_key="none") as client:
        return {
            name
            for messages in (client.messages, client.beta.messages)
            for name in inspect.signature(getattr(messages, method)).parameters
        }
