"""Which exception it is: of an answer whose status is not 2xx, of an `error` event, of a body that is something else.

The status and the code of the cause decide the class. In an `error` event, which comes after a status of 200, the
error's `type` stands for the status.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streamcore.api.error_codes import BY_CODE
from streamcore.api.errors import (
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
from streamcore.errors import excerpt
from streamcore.types import ErrorEvent, Message

__all__ = ["error_from_event", "error_from_status"]

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

# The causes are told apart by their codes; of an event, the status is not known but by its class.
_BY_CODE_ALONE = {code: cls for (_, code), cls in BY_CODE.items()}

_SHOWN = 2000
"""Characters of a body that a message shows."""


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
    cls = (
        BY_CODE.get((status, error_code_in(body)))
        or _BY_STATUS.get(status)
        or (InternalServerError if status >= 500 else APIStatusError)
    )
    found = request_id or request_id_of(response) or _request_id_in(body)
    return cls(_describe(status, body), status_code=status, response=response, body=body, request_id=found)


def error_from_event(event: ErrorEvent, *, response: Any, snapshot: Message | None) -> APIStatusError:
    """The exception for an `error` event in a stream that began with status 200.

    Args:
        event: The event; the code of the cause or else the `type` of its error decides the class. If both are new, it
            is a plain `APIStatusError`.
        response: The HTTP library's response, or `None`.
        snapshot: The message up to the event.
    """
    body = event.to_dict()
    cls = _BY_CODE_ALONE.get(error_code_in(body)) or _BY_TYPE.get(event.error.type, APIStatusError)
    status: int = cls.status_code if cls is not APIStatusError else getattr(response, "status_code", 200)
    return cls(
        f"{event.error.type}: {event.error.message}" if event.error.message else event.error.type,
        status_code=status,
        response=response,
        body=body,
        request_id=request_id_of(response) or event.request_id,
        snapshot=snapshot,
    )


def _request_id_in(body: object) -> str | None:
    value = body.get("request_id") if isinstance(body, Mapping) else None
    return value if isinstance(value, str) else None


def _describe(status: int, body: object) -> str:
    """What the `anthropic` package says, but for a body that would fill the screen: of that the beginning."""
    if isinstance(body, str):
        return (body if len(body) <= _SHOWN else excerpt(body, _SHOWN)) or f"Error code: {status}"
    shown = str(body)
    return f"Error code: {status} - {shown if len(shown) <= _SHOWN else excerpt(shown, _SHOWN)}"
