"""What the `anthropic` package has and streamcore has not: one line that says so, and says where it is.

A program whose import line was changed may ask for any of it. The attribute or the import fails as any other that does
not exist, so `hasattr` says False; the text of the error names what to use. `README.md` of this folder has the same
lists, and a test compares both with the package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["Elsewhere", "missing_name"]

_OF_CLIENTS = """
    models files skills organization user_profiles agents compliance deployment_runs deployments dreams environments
    memory_stores sessions thread tunnels vaults webhooks credentials custom_auth auth_headers middleware
    with_middleware get post put patch delete request get_api_list qs platform_headers user_agent webhook_key
    open_telemetry count_tokens batches tool_runner
"""
_OF_MODULES = """
    APIRequest APIWebhookValidationError AccessToken AccessTokenAuth AccessTokenProvider AnthropicAWS AnthropicBedrock
    AnthropicBedrockMantle AnthropicFoundry AnthropicGoogleCloud AnthropicVertex AsyncAccessTokenProvider
    AsyncAnthropicAWS AsyncAnthropicBedrock AsyncAnthropicBedrockMantle AsyncAnthropicFoundry AsyncAnthropicGoogleCloud
    AsyncAnthropicVertex AsyncCallNext AsyncMiddlewareCallable BaseURLBoundProvider BetaFallbackState
    BetaRefusalFallbackMiddleware CallNext CredentialResult CredentialsError CredentialsFile EnvToken IdentityTokenFile
    IdentityTokenFileError IdentityTokenProvider InMemoryConfig Middleware MiddlewareCallable MiddlewareInput NoneType
    OpenTelemetryClientOption OpenTelemetryOptions OpenTelemetryTraces RequestOptions ResolvedOpenTelemetryOptions
    ResolvedOpenTelemetryTraces RetryableError StaticToken TokenCache TypeAlias WorkloadIdentityCredentials
    WorkloadIdentityError beta_async_tool beta_tool default_credentials exchange_federation_assertion file_from_path
    pagination tools
"""
_OTHER_HINTS = {
    "BaseModel": "types are attrs classes here; make models of pydantic's own BaseModel",
    "DefaultAioHttpClient": "streamcore.aiohttp is a client on aiohttp",
    "Anthropic": "aiohttp is async only; streamcore.httpx has the sync client",
    "Client": "aiohttp is async only; streamcore.httpx has the sync client",
    "DefaultHttpxClient": "streamcore.httpx has it",
    "DefaultAsyncHttpxClient": "streamcore.httpx has it",
    "DEFAULT_CONNECTION_LIMITS": "streamcore.httpx has it",
    "message_stream": "aiohttp is async only: use async_message_stream",
}
_ELSEWHERE = frozenset([*_OF_CLIENTS.split(), *_OF_MODULES.split()])


def missing_name(owner: str, name: str) -> str | None:
    """Return the text about a name of the `anthropic` package that is not here, or None if it is not known there."""
    if name in _OTHER_HINTS:
        return f"{owner} has no {name!r}: {_OTHER_HINTS[name]}"
    if name in _ELSEWHERE:
        return (
            f"{owner} has no {name!r}, as streamcore only creates messages: the anthropic package has it, and "
            "streamcore.anthropic.wrap() puts our streams under its clients"
        )
    return None


class Elsewhere:
    """The base of the classes whose namesakes in the `anthropic` package have more attributes."""

    __slots__ = ()

    if not TYPE_CHECKING:  # a type checker would take any attribute to exist

        def __getattr__(self, name: str) -> Any:
            owner = type(self).__name__
            text = missing_name(owner, name) or f"{owner!r} object has no attribute {name!r}"
            raise AttributeError(text, name=name, obj=self)
