"""The names that every adapter module has: those that a program for the `anthropic` package uses, without the clients.

An adapter re-exports all of them (`from streamcore.api.names import *`). It adds its clients and the names that depend
on the HTTP library, such as `DEFAULT_TIMEOUT`. Names for things that streamcore does not do are missing: other clouds,
credentials in files, middleware, tracing, uploads, webhooks, and calls of other endpoints.
"""

from streamcore import types
from streamcore.api import error_codes
from streamcore.api.client import DEFAULT_MAX_RETRIES
from streamcore.api.error_codes import *  # noqa: F403  # one class for each code
from streamcore.api.errors import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
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
from streamcore.api.request import NOT_GIVEN, NotGiven, Omit, library_version, not_given, omit
from streamcore.errors import (
    DecodeError,
    EventOrderError,
    IncompleteStreamError,
    LimitExceededError,
    NoTextError,
    ProtocolError,
    StreamCoreError,
)
from streamcore.stream import (
    AsyncMessageStream,
    AsyncMessageStreamManager,
    AsyncStream,
    MessageStream,
    MessageStreamManager,
    Stream,
)
from streamcore.typed import InvalidOutputError, PathError, UnsupportedTypeError, tool, transform_schema
from streamcore.types import (
    CitationEvent,
    CompactionEvent,
    InputJsonEvent,
    ParsedContentBlockStopEvent,
    ParsedMessageStopEvent,
    ParsedMessageStreamEvent,
    SignatureEvent,
    TextEvent,
    ThinkingEvent,
)

__version__ = library_version()

AnthropicError = StreamCoreError

# In modules of clients, these names mean the events of a stream: the two stop events carry the complete block or
# message.
ContentBlockStopEvent = ParsedContentBlockStopEvent
MessageStopEvent = ParsedMessageStopEvent
MessageStreamEvent = ParsedMessageStreamEvent

# `client.beta` has the same classes, under both names.
BetaAsyncMessageStream = AsyncMessageStream
BetaAsyncMessageStreamManager = AsyncMessageStreamManager
BetaContentBlockStopEvent = ParsedBetaContentBlockStopEvent = ContentBlockStopEvent
BetaInputJsonEvent = InputJsonEvent
BetaMessageStopEvent = ParsedBetaMessageStopEvent = MessageStopEvent
BetaMessageStream = MessageStream
BetaMessageStreamEvent = ParsedBetaMessageStreamEvent = MessageStreamEvent
BetaMessageStreamManager = MessageStreamManager
BetaTextEvent = ParsedBetaTextEvent = TextEvent

__all__ = [
    "DEFAULT_MAX_RETRIES",
    "NOT_GIVEN",
    "APIConnectionError",
    "APIError",
    "APIResponseValidationError",
    "APIStatusError",
    "APITimeoutError",
    "AnthropicError",
    "AsyncMessageStream",
    "AsyncMessageStreamManager",
    "AsyncStream",
    "AuthenticationError",
    "BadRequestError",
    "BetaAsyncMessageStream",
    "BetaAsyncMessageStreamManager",
    "BetaContentBlockStopEvent",
    "BetaInputJsonEvent",
    "BetaMessageStopEvent",
    "BetaMessageStream",
    "BetaMessageStreamEvent",
    "BetaMessageStreamManager",
    "BetaTextEvent",
    "CitationEvent",
    "ClientClosedRequestError",
    "CompactionEvent",
    "ConflictError",
    "ContentBlockStopEvent",
    "ContentTooLargeError",
    "DeadlineExceededError",
    "DecodeError",
    "EventOrderError",
    "GatewayTimeoutError",
    "HTTPNotImplementedError",
    "IncompleteStreamError",
    "InputJsonEvent",
    "InternalServerError",
    "InvalidArgumentError",
    "InvalidOutputError",
    "LimitExceededError",
    "MessageStopEvent",
    "MessageStream",
    "MessageStreamEvent",
    "MessageStreamManager",
    "NoTextError",
    "NotFoundError",
    "NotGiven",
    "Omit",
    "OverloadedError",
    "ParsedBetaContentBlockStopEvent",
    "ParsedBetaMessageStopEvent",
    "ParsedBetaMessageStreamEvent",
    "ParsedBetaTextEvent",
    "ParsedContentBlockStopEvent",
    "ParsedMessageStopEvent",
    "ParsedMessageStreamEvent",
    "PathError",
    "PaymentRequiredError",
    "PermissionDeniedError",
    "PreconditionFailedError",
    "ProtocolError",
    "RateLimitError",
    "RequestHeaderFieldsTooLargeError",
    "RequestTimeoutError",
    "RequestTooLargeError",
    "ServiceUnavailableError",
    "SignatureEvent",
    "Stream",
    "StreamCoreError",
    "TextEvent",
    "ThinkingEvent",
    "UnprocessableEntityError",
    "UnsupportedTypeError",
    "__version__",
    "not_given",
    "omit",
    "tool",
    "transform_schema",
    "types",
]
__all__ += error_codes.__all__
