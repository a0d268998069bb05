"""Choose the exception for an answer whose status is not 2xx, for an `error` event, and for its JSON in another place.

The status and the code of the cause decide the class. An `error` event comes after a status of 200, so the error's
`type` decides in place of the status.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from streamcore.errors._api import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ClientClosedRequestError,
    ConflictError,
    ContentTooLargeError,
    GatewayTimeoutError,
    HTTPNotImplementedError,
    InternalServerError,
    NotFoundError,
    OverloadedError,
    PaymentRequiredError,
    PermissionDeniedError,
    PreconditionFailedError,
    RateLimitError,
    RequestHeaderFieldsTooLargeError,
    RequestTimeoutError,
    ServiceUnavailableError,
    UnprocessableEntityError,
    error_code_in,
    request_id_of,
)
from streamcore.errors._codes import BY_CODE

if TYPE_CHECKING:
    from streamcore.types import ErrorEvent, Message

__all__ = ["error_from_event", "error_from_json", "error_from_status"]

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

# Codes are unique. They alone decide the class for an event, whose status is not known.
_BY_CODE_ALONE = {code: cls for (_, code), cls in BY_CODE.items()}


def error_from_status(
    status: int, *, body: object, response: Any = None, request_id: str | None = None, message: str | None = None
) -> APIStatusError:
    """Return the exception for an answer with this status and body.

    Args:
        status: The HTTP status.
        body: The body: decoded if it is JSON, text otherwise.
        response: The HTTP library's response, kept on the exception.
        request_id: The `request-id` header. If not given, it is read from `response` or else from the body.
        message: What the exception says, if not what the status and the body say.
    """
    cls = (
        BY_CODE.get((status, error_code_in(body)))
        or _BY_STATUS.get(status)
        or (InternalServerError if status >= 500 else APIStatusError)
    )
    found = request_id or request_id_of(response) or _request_id_in(body)
    said = message if message is not None else _describe(status, body)
    return cls(said, status_code=status, response=response, body=body, request_id=found)


def error_from_event(event: ErrorEvent, *, response: Any, snapshot: Message | None) -> APIStatusError:
    """Return the exception for an `error` event in a stream that began with status 200.

    Args:
        event: The event. The code of the cause or else the `type` of its error decides the class. If both are new, the
            exception is a plain `APIStatusError`.
        response: The HTTP library's response, or None.
        snapshot: The message up to the event.
    """
    return _error_of(event.error.type, event.error.message, event.to_dict(), response, snapshot)


def error_from_json(value: object, *, response: Any) -> APIStatusError | None:
    """Return the exception for a decoded body that is the JSON of an error though the status is 2xx.

    Return None if it is not. An error that a gateway made may lack fields that the API's own errors have.
    """
    if not isinstance(value, dict) or value.get("type") != "error" or not isinstance(value.get("error"), dict):
        return None
    error = value["error"]
    error_type, message = str(error.get("type", "error")), str(error.get("message", ""))
    body: dict[str, Any] = {"type": "error", "error": {**error, "type": error_type, "message": message}}
    if (request_id := _request_id_in(value)) is not None:
        body["request_id"] = request_id
    return _error_of(error_type, message, body, response, None)


def _error_of(
    error_type: str, message: str, body: Mapping[str, Any], response: Any, snapshot: Message | None
) -> APIStatusError:
    cls = _BY_CODE_ALONE.get(error_code_in(body)) or _BY_TYPE.get(error_type, APIStatusError)
    status: int = cls.status_code if cls is not APIStatusError else getattr(response, "status_code", 200)
    return cls(
        f"{error_type}: {message}" if message else error_type,
        status_code=status,
        response=response,
        body=body,
        request_id=request_id_of(response) or _request_id_in(body),
        snapshot=snapshot,
    )


def _request_id_in(body: object) -> str | None:
    value = body.get("request_id") if isinstance(body, Mapping) else None
    return value if isinstance(value, str) else None


def _describe(status: int, body: object) -> str:
    """Return the text that the `anthropic` package has for this error."""
    if isinstance(body, str):
        return body or f"Error code: {status}"
    return f"Error code: {status} - {body}"
