"""The exceptions of the API, named as in the `anthropic` package, and the table that says which one it is.

The HTTP status decides the class; in an `error` event, which comes after a status of 200, the error's `type` does.
Source: https://docs.claude.com/en/api/errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streamcore.errors import StreamCoreError
from streamcore.types import ErrorEvent, Message

__all__ = [
    "APIConnectionError",
    "APIError",
    "APIStatusError",
    "APITimeoutError",
    "AuthenticationError",
    "BadRequestError",
    "ClientClosedRequestError",
    "ConflictError",
    "ContentTooLargeError",
    "DeadlineExceededError",
    "GatewayTimeoutError",
    "HTTPNotImplementedError",
    "InternalServerError",
    "InvalidArgumentError",
    "NotFoundError",
    "OverloadedError",
    "PaymentRequiredError",
    "PermissionDeniedError",
    "PreconditionFailedError",
    "RateLimitError",
    "RequestHeaderFieldsTooLargeError",
    "RequestTimeoutError",
    "RequestTooLargeError",
    "ServiceUnavailableError",
    "UnprocessableEntityError",
    "connection_error",
    "error_from_event",
    "error_from_status",
]


class APIError(StreamCoreError):
    """A call to the API failed.

    Attributes:
        message: What went wrong.
        request: The HTTP library's request, `None` where there is none at hand.
        body: The body of the answer: decoded if it is JSON, text otherwise, `None` if there was no answer.
        snapshot: The message so far if a stream had begun, `None` before `message_start`.
    """

    message: str
    request: Any
    body: object
    snapshot: Message | None

    def __init__(
        self, message: str, *, request: Any = None, body: object = None, snapshot: Message | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.request = request
        self.body = body
        self.snapshot = snapshot

    def __reduce__(self) -> tuple[Any, ...]:
        # The HTTP library's objects hold connections: they stay in the process that made them.
        state = {name: None if name in ("request", "response") else value for name, value in self.__dict__.items()}
        return _restore, (type(self), self.args), state


def _restore(cls: type[APIError], args: tuple[Any, ...]) -> APIError:
    return cls.__new__(cls, *args)


class InvalidArgumentError(StreamCoreError, ValueError):
    """The arguments make no request that could be sent. Nothing was sent."""


class APIConnectionError(APIError):
    """No answer, or not all of one: the connection could not be made, or it broke."""

    def __init__(
        self, message: str = "Connection error.", *, request: Any = None, snapshot: Message | None = None
    ) -> None:
        super().__init__(message, request=request, snapshot=snapshot)


class APITimeoutError(APIConnectionError):
    """The connection, the answer or the next bytes of it took longer than the timeout that bounds them."""

    def __init__(
        self, message: str = "Request timed out.", *, request: Any = None, snapshot: Message | None = None
    ) -> None:
        super().__init__(message, request=request, snapshot=snapshot)


class APIStatusError(APIError):
    """The API answered that it failed: a status that is not 2xx, or an `error` event in a stream.

    Attributes:
        status_code: The HTTP status. For an `error` event the one that its type stands for, where it stands for one
            (529 for `overloaded_error`); `response` still has the 200 that came.
        response: The HTTP library's response.
        request_id: The id to name when asking Anthropic about this request, if one came.
        type: The `type` of the error as the API names it (`"rate_limit_error"`), if the body has one.
    """

    status_code: int
    response: Any
    request_id: str | None
    type: str | None

    def __init__(
        self,
        message: str,
        *,
        status_code: int | None = None,
        response: Any = None,
        body: object = None,
        request_id: str | None = None,
        snapshot: Message | None = None,
    ) -> None:
        super().__init__(message, request=_request_of(response), body=body, snapshot=snapshot)
        found = status_code if status_code is not None else getattr(response, "status_code", None)
        if found is not None:
            self.status_code = found
        self.response = response
        self.request_id = request_id if request_id is not None else request_id_of(response)
        self.type = _error_field(body, "type")


class BadRequestError(APIStatusError):
    """400: the request is malformed."""

    status_code: int = 400


class AuthenticationError(APIStatusError):
    """401: the API key is missing or wrong."""

    status_code: int = 401


class PaymentRequiredError(APIStatusError):
    """402: there is a problem with billing."""

    status_code: int = 402


class PermissionDeniedError(APIStatusError):
    """403: the API key may not do this."""

    status_code: int = 403


class NotFoundError(APIStatusError):
    """404: there is no such model or resource."""

    status_code: int = 404


class RequestTimeoutError(APIStatusError):
    """408: the request took too long to arrive."""

    status_code: int = 408


class ConflictError(APIStatusError):
    """409: the resource is in use."""

    status_code: int = 409


class PreconditionFailedError(APIStatusError):
    """412: the resource is not in the state that the request asked for."""

    status_code: int = 412


class ContentTooLargeError(APIStatusError):
    """413: the request has too many bytes."""

    status_code: int = 413


RequestTooLargeError = ContentTooLargeError


class UnprocessableEntityError(APIStatusError):
    """422: the request is well-formed but makes no sense."""

    status_code: int = 422


class RateLimitError(APIStatusError):
    """429: too many requests or tokens."""

    status_code: int = 429


class RequestHeaderFieldsTooLargeError(APIStatusError):
    """431: the request's headers have too many bytes."""

    status_code: int = 431


class ClientClosedRequestError(APIStatusError):
    """499: a gateway saw the client hang up."""

    status_code: int = 499


class InternalServerError(APIStatusError):
    """500 and above: the API itself failed."""

    status_code: int = 500


class HTTPNotImplementedError(InternalServerError):
    """501: the server does not know the method."""

    status_code: int = 501


class ServiceUnavailableError(InternalServerError):
    """503: the API is not available for the moment."""

    status_code: int = 503


class GatewayTimeoutError(InternalServerError):
    """504: the request took the API too long. Streaming avoids it."""

    status_code: int = 504


DeadlineExceededError = GatewayTimeoutError


class OverloadedError(InternalServerError):
    """529: the API has too many requests from everyone."""

    status_code: int = 529


_BY_STATUS: dict[int, type[APIStatusError]] = {
    cls.status_code: cls
    for cls in (
        BadRequestError,
        AuthenticationError,
        PaymentRequiredError,
        PermissionDeniedError,
        NotFoundError,
        RequestTimeoutError,
        ConflictError,
        PreconditionFailedError,
        ContentTooLargeError,
        UnprocessableEntityError,
        RateLimitError,
        RequestHeaderFieldsTooLargeError,
        ClientClosedRequestError,
        InternalServerError,
        HTTPNotImplementedError,
        ServiceUnavailableError,
        GatewayTimeoutError,
        OverloadedError,
    )
}

_BY_TYPE: dict[str, type[APIStatusError]] = {
    "invalid_request_error": BadRequestError,
    "authentication_error": AuthenticationError,
    "billing_error": PaymentRequiredError,
    "permission_error": PermissionDeniedError,
    "not_found_error": NotFoundError,
    "conflict_error": ConflictError,
    "request_too_large": ContentTooLargeError,
    "rate_limit_error": RateLimitError,
    "api_error": InternalServerError,
    "timeout_error": GatewayTimeoutError,
    "overloaded_error": OverloadedError,
}


def error_from_status(
    status: int, *, body: object, response: Any = None, request_id: str | None = None
) -> APIStatusError:
    """The exception for an answer with this status and body.

    Args:
        status: The HTTP status.
        body: The body: decoded if it is JSON, text otherwise.
        response: The HTTP library's response, kept on the exception.
        request_id: The `request-id` header; read from `response`, or else the body, if not given.
    """
    cls = _BY_STATUS.get(status) or (InternalServerError if status >= 500 else APIStatusError)
    found = request_id or request_id_of(response) or _request_id_in(body)
    return cls(_describe(status, body), status_code=status, response=response, body=body, request_id=found)


def error_from_event(event: ErrorEvent, *, response: Any, snapshot: Message | None) -> APIStatusError:
    """The exception for an `error` event in a stream that began with status 200.

    Args:
        event: The event; the `type` of its error decides the class. A type that is new is a plain `APIStatusError`.
        response: The HTTP library's response, or `None`.
        snapshot: The message up to the event.
    """
    cls = _BY_TYPE.get(event.error.type, APIStatusError)
    status: int = cls.status_code if cls is not APIStatusError else getattr(response, "status_code", 200)
    return cls(
        f"{event.error.type}: {event.error.message}" if event.error.message else event.error.type,
        status_code=status,
        response=response,
        body=event.to_dict(),
        request_id=request_id_of(response) or event.request_id,
        snapshot=snapshot,
    )


def connection_error(error: Exception, *, timed_out: bool, request: Any, doing: str) -> APIConnectionError:
    """The exception for one of the HTTP library's.

    Args:
        error: The library's exception.
        timed_out: Whether it says that something took too long.
        request: The library's request.
        doing: What was going on, for the message.
    """
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if timed_out:
        return APITimeoutError(f"Request timed out while {doing} ({said}).", request=request)
    return APIConnectionError(f"Connection error while {doing} ({said}).", request=request)


def _request_of(response: Any) -> Any:
    try:
        return getattr(response, "request", None) or getattr(response, "request_info", None)
    except RuntimeError:  # what httpx says for a response that was made by hand
        return None


def request_id_of(response: Any) -> str | None:
    """The `request-id` header of any HTTP library's response, `None` if there is none."""
    headers = getattr(response, "headers", None)
    return headers.get("request-id") if headers is not None else None


def _error_field(body: object, name: str) -> str | None:
    error = body.get("error") if isinstance(body, Mapping) else None
    value = error.get(name) if isinstance(error, Mapping) else None
    return value if isinstance(value, str) else None


def _request_id_in(body: object) -> str | None:
    value = body.get("request_id") if isinstance(body, Mapping) else None
    return value if isinstance(value, str) else None


def _describe(status: int, body: object) -> str:
    kind, message = _error_field(body, "type"), _error_field(body, "message")
    if kind is not None or message is not None:
        return f"{status} {': '.join(part for part in (kind, message) if part)}"
    return f"{status} {body}" if body else f"Error code: {status}"
