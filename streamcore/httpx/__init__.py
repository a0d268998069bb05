"""The client on httpx2: `import streamcore.httpx as anthropic`, and a program for the `anthropic` package runs."""

from httpx2 import Timeout

from streamcore import types
from streamcore.api.client import DEFAULT_MAX_RETRIES, DEFAULT_TIMEOUT
from streamcore.api.errors import (
    APIConnectionError,
    APIError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ClientClosedRequestError,
    ConflictError,
    ContentTooLargeError,
    DeadlineExceededError,
    GatewayTimeoutError,
    HTTPNotImplementedError,
    InternalServerError,
    InvalidArgumentError,
    NotFoundError,
    OverloadedError,
    PaymentRequiredError,
    PermissionDeniedError,
    PreconditionFailedError,
    RateLimitError,
    RequestHeaderFieldsTooLargeError,
    RequestTimeoutError,
    RequestTooLargeError,
    ServiceUnavailableError,
    UnprocessableEntityError,
)
from streamcore.api.request import NOT_GIVEN, NotGiven, Omit, not_given, omit
from streamcore.errors import (
    DecodeError,
    EventOrderError,
    IncompleteStreamError,
    LimitExceededError,
    ProtocolError,
    StreamCoreError,
)
from streamcore.httpx.client import Anthropic, AsyncAnthropic
from streamcore.httpx.responses import async_message_stream, message_stream
from streamcore.stream import (
    AsyncMessageStream,
    AsyncMessageStreamManager,
    AsyncStream,
    MessageStream,
    MessageStreamManager,
    Stream,
)

AnthropicError = StreamCoreError
Client = Anthropic
AsyncClient = AsyncAnthropic

__all__ = [
    "DEFAULT_MAX_RETRIES",
    "DEFAULT_TIMEOUT",
    "NOT_GIVEN",
    "APIConnectionError",
    "APIError",
    "APIStatusError",
    "APITimeoutError",
    "Anthropic",
    "AnthropicError",
    "AsyncAnthropic",
    "AsyncClient",
    "AsyncMessageStream",
    "AsyncMessageStreamManager",
    "AsyncStream",
    "AuthenticationError",
    "BadRequestError",
    "Client",
    "ClientClosedRequestError",
    "ConflictError",
    "ContentTooLargeError",
    "DeadlineExceededError",
    "DecodeError",
    "EventOrderError",
    "GatewayTimeoutError",
    "HTTPNotImplementedError",
    "IncompleteStreamError",
    "InternalServerError",
    "InvalidArgumentError",
    "LimitExceededError",
    "MessageStream",
    "MessageStreamManager",
    "NotFoundError",
    "NotGiven",
    "Omit",
    "OverloadedError",
    "PaymentRequiredError",
    "PermissionDeniedError",
    "PreconditionFailedError",
    "ProtocolError",
    "RateLimitError",
    "RequestHeaderFieldsTooLargeError",
    "RequestTimeoutError",
    "RequestTooLargeError",
    "ServiceUnavailableError",
    "Stream",
    "StreamCoreError",
    "Timeout",
    "UnprocessableEntityError",
    "async_message_stream",
    "message_stream",
    "not_given",
    "omit",
    "types",
]
