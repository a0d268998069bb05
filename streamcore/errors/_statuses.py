"""The exceptions of the API that stand for an HTTP status. Source: https://docs.claude.com/en/api/errors."""

from streamcore.errors._api import APIStatusError


class BadRequestError(APIStatusError, status=400):
    """400: the request is malformed."""


class AuthenticationError(APIStatusError, status=401):
    """401: the API key is missing or wrong."""


class PaymentRequiredError(APIStatusError, status=402):
    """402: there is a problem with billing."""


class PermissionDeniedError(APIStatusError, status=403):
    """403: the API key does not have permission for this."""


class NotFoundError(APIStatusError, status=404):
    """404: the model or the resource does not exist."""


class RequestTimeoutError(APIStatusError, status=408):
    """408: the request took too long to arrive."""


class ConflictError(APIStatusError, status=409):
    """409: the resource is in use."""


class PreconditionFailedError(APIStatusError, status=412):
    """412: the resource is not in the state that the request asked for."""


class ContentTooLargeError(APIStatusError, status=413):
    """413: the request has too many bytes."""


RequestTooLargeError = ContentTooLargeError


class UnprocessableEntityError(APIStatusError, status=422):
    """422: the request is well-formed but makes no sense."""


class RateLimitError(APIStatusError, status=429):
    """429: too many requests or tokens."""


class RequestHeaderFieldsTooLargeError(APIStatusError, status=431):
    """431: the request's headers have too many bytes."""


class ClientClosedRequestError(APIStatusError, status=499):
    """499: a gateway saw the client hang up."""


class InternalServerError(APIStatusError, status=500):
    """500 and above: the API itself failed."""


class HTTPNotImplementedError(InternalServerError, status=501):
    """501: the server does not know the method."""


class ServiceUnavailableError(InternalServerError, status=503):
    """503: the API is not available for the moment."""


class GatewayTimeoutError(InternalServerError, status=504):
    """504: the request took the API too long. Streaming avoids it."""


DeadlineExceededError = GatewayTimeoutError


class OverloadedError(InternalServerError, status=529):
    """529: the API has too many requests from everyone."""
