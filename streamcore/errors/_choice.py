"""Choose the exception for an answer whose status is not 2xx, and for an `error` event.

The status and the code of the cause decide the class. An `error` event comes after a status of 200, so the error's
`type` decides in place of the status.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from streamcore.errors import _codes, _statuses
from streamcore.errors._api import APIStatusError, as_raised, error_code_in, request_id_of
from streamcore.errors._statuses import (
    AuthenticationError,
    BadRequestError,
    ConflictError,
    ContentTooLargeError,
    GatewayTimeoutError,
    InternalServerError,
    NotFoundError,
    OverloadedError,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitError,
)

if TYPE_CHECKING:
    from streamcore.types import ErrorEvent, Message

__all__ = ["error_from_event", "error_from_status", "error_type_of"]

_BY_STATUS: dict[int, type[APIStatusError]] = {
    cls.status_code: cls for cls in vars(_statuses).values() if hasattr(cls, "status_code")
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

_TYPE_OF_STATUS = {cls.status_code: name for name, cls in _BY_TYPE.items()}

# Codes are unique.
BY_CODE: dict[str | None, type[APIStatusError]] = {
    cls.error_code: cls for cls in vars(_codes).values() if getattr(cls, "error_code", None) is not None
}


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
    cls = BY_CODE.get(error_code_in(body))
    if cls is None or cls.status_code != status:
        cls = _class_of_status(status)
    found = request_id or request_id_of(response) or _request_id_in(body)
    said = message if message is not None else _describe(status, body)
    return cls(said, status_code=status, response=response, body=body, request_id=found)


def _class_of_status(status: int) -> type[APIStatusError]:
    return _BY_STATUS.get(status) or (InternalServerError if status >= 500 else APIStatusError)


def error_type_of(status: int) -> str:
    """Return the `type` that the API gives to an error with this status, or to one of the same kind."""
    return _TYPE_OF_STATUS.get(status) or ("api_error" if status >= 500 else "invalid_request_error")


def error_from_event(event: ErrorEvent, *, response: Any, snapshot: Message | None) -> APIStatusError:
    """Return the exception for an `error` event in a stream that began with status 200.

    The code of the cause decides the class, or else the `type` of the error, or a `code` that is one of these types. If
    none of them is known, an HTTP status in the body does. Without one, the exception is a plain `APIStatusError`, or
    an `InternalServerError` if no type came.

    Args:
        event: The event.
        response: The HTTP library's response, or None.
        snapshot: The message up to the event.
    """
    error_type, message = event.error.type, event.error.message
    body = event.to_dict() if event.payload is None else event.payload
    cls = BY_CODE.get(error_code_in(body)) or _class_named_in(body)
    status = None
    if cls is None and (status := _status_in(body)) is not None:
        cls = _class_of_status(status)
    if cls is None:
        cls = _BY_TYPE.get(error_type, APIStatusError)
    if status is None:
        status = getattr(response, "status_code", 200) if cls is APIStatusError else cls.status_code
    error = cls(
        f"{error_type}: {message}" if message else error_type,
        status_code=status,
        response=response,
        body=body,
        request_id=request_id_of(response) or event.request_id or _request_id_in(body),
        snapshot=snapshot,
    )
    # A body of another shape than the API's has these elsewhere.
    error.type, error.api_message = error_type, message
    return as_raised(error, response)


def _objects_in(body: object) -> Iterator[Mapping[str, Any]]:
    """Yield the body of an error and the objects inside it that describe the error too."""
    if isinstance(body, list) and len(body) == 1:
        body = body[0]
    while isinstance(body, Mapping):
        yield body
        inner = body.get("error")
        body = inner if isinstance(inner, Mapping) else body.get("message")


def _class_named_in(body: object) -> type[APIStatusError] | None:
    """Return the class that a type or a code in the body names, or None. The innermost object comes first."""
    for each in reversed(list(_objects_in(body))):
        for name in (each.get("type"), each.get("code")):
            if isinstance(name, str) and name in _BY_TYPE:
                return _BY_TYPE[name]
    return None


_STATUS_KEYS = ("status_code", "http_status", "http_code", "statusCode", "status", "code", "type")


def _status_in(body: object) -> int | None:
    """Return the HTTP status that an error says in its body, or None. The innermost object comes first."""
    for each in reversed(list(_objects_in(body))):
        for value in map(each.get, _STATUS_KEYS):
            if isinstance(value, float) and value.is_integer():
                value = int(value)
            if isinstance(value, (int, str)) and _HTTP_FAILURE.fullmatch(str(value)):
                return int(value)
    return None


_HTTP_FAILURE = re.compile("[45][0-9]{2}", re.ASCII)


def _request_id_in(body: object) -> str | None:
    value = body.get("request_id") if isinstance(body, Mapping) else None
    return value if isinstance(value, str) else None


def _describe(status: int, body: object) -> str:
    """Return the text that the `anthropic` package has for this error."""
    if isinstance(body, str):
        return body or f"Error code: {status}"
    return f"Error code: {status} - {body}"
