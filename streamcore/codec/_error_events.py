"""Read errors of any shape as `ErrorEvent`.

The API sends `{"type": "error", "error": {"type": ..., "message": ...}}`. Servers and gateways also send the inner
object alone, without its type or its message, a string in its place, a list of one error, or plain text.
"""

from __future__ import annotations

import json
from typing import Any

from streamcore._objects.construct import evolve
from streamcore.types import ErrorEvent, ErrorObject
from streamcore.types.base import with_extra

__all__ = ["error_event", "is_error"]

_UNKNOWN_TYPE = "api_error"
_NO_ERRORS = (None, False)  # a cost report, say, may state that nothing failed

# Keys that may have the message, in order of preference.
_MESSAGE_KEYS = ("message", "detail", "error_message", "error_description", "error", "msg", "reason", "title")


def is_error(value: dict[str, Any]) -> bool:
    """Return whether an object is an error by its own fields: by its type, or by its `error` if it has no type."""
    event_type = value.get("type")
    return event_type == "error" or (event_type is None and value.get("error") not in _NO_ERRORS)


def error_event(payload: Any) -> tuple[ErrorEvent, bool]:
    """Return the event for an error, and whether the error is spelled as the API spells it.

    Args:
        payload: A JSON value, or a text that is not JSON.
    """
    if type(payload) is list and len(payload) == 1 and type(payload[0]) is dict:
        event, _ = error_event(payload[0])
        return evolve(event, {"payload": payload}), False
    if type(payload) is not dict:
        error = ErrorObject(type=_UNKNOWN_TYPE, message=_as_text(payload))
        return ErrorEvent(error=error, payload=payload), False
    inner = payload.get("error")
    if payload.get("type") == "error" and type(inner) is dict and _is_canonical(inner):
        return _nested(payload, inner), True
    return _of_odd_shape(payload), False


def _is_canonical(inner: dict[str, Any]) -> bool:
    return type(inner.get("type")) is str and inner["type"] != "" and type(inner.get("message")) is str


def _nested(payload: dict[str, Any], inner: dict[str, Any]) -> ErrorEvent:
    """Return the event of an error in which the inner error is an object."""
    return _event(payload, inner, {key: payload[key] for key in payload if key not in ("type", "error", "request_id")})


def _of_odd_shape(payload: dict[str, Any]) -> ErrorEvent:
    """Return the event of an error that is not spelled as the API spells it."""
    # An error that a gateway got from another server may be inside an error of its own.
    inner = payload
    while (deeper := _object_inside(inner)) is not None:
        inner = deeper
    return _event(payload, payload, {}) if inner is payload else _nested(payload, inner)


def _object_inside(error: dict[str, Any]) -> dict[str, Any] | None:
    """Return the nested object that has the message, or None."""
    found = error.get("error")
    if type(found) is dict:
        return found
    found = error.get("message")
    return found if type(found) is dict and type(found.get("message")) is str else None


def _event(payload: dict[str, Any], inner: dict[str, Any], extra: dict[str, Any]) -> ErrorEvent:
    """Make the event of an inner error, which is the payload itself if that is flat."""
    is_flat = inner is payload
    error_type = inner.get("type")
    if type(error_type) is not str or not error_type or (is_flat and error_type == "error"):
        error_type = _UNKNOWN_TYPE
    found = next((key for key in _MESSAGE_KEYS if inner.get(key) not in (None, "")), None)
    message = "" if found is None else _as_text(inner[found])
    if found is None and type(inner.get("message")) is not str:
        # No known key has the message: show the whole object.
        rest = {key: value for key, value in inner.items() if key != "type"}
        message = _as_text(rest) if rest else ""
    used = ("type", "message", found, "request_id" if is_flat else "type")
    left = {key: value for key, value in inner.items() if key not in used}
    error = ErrorObject(type=error_type, message=message)
    request_id = payload.get("request_id")
    event = ErrorEvent(
        error=with_extra(error, left) if left else error,
        request_id=request_id if type(request_id) is str else None,
        payload=payload,
    )
    return with_extra(event, extra) if extra else event


def _as_text(value: Any) -> str:
    return value if type(value) is str else json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=repr)
