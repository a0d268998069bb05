"""Turn an answer's status, headers and body into an exception or a `Message`, or decide that it can be streamed.

Nothing is read here. The caller reads the body, and of a failure's body at most `ERROR_BODY_SIZE` bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from streamcore.codec import StructureError, decode_leniently, structure, too_deep
from streamcore.errors import (
    APIResponseValidationError,
    APIStatusError,
    LimitExceededError,
    ProtocolError,
    error_from_status,
    error_in_call,
    excerpt,
)
from streamcore.limits import DEFAULT_LIMITS
from streamcore.stream.failures import error_from_json
from streamcore.types import Message

__all__ = [
    "ERROR_BODY_SIZE",
    "is_event_stream",
    "is_success",
    "json_in",
    "message_from_body",
    "not_a_stream",
    "status_error",
]

ERROR_BODY_SIZE = 256 * 1024
"""How many bytes of a failure's body are read. A page of HTML may be long, and only its beginning is shown."""

# A tool's input may be as deep here as in a stream. It is three levels down: message, content, block.
_MAX_DEPTH = DEFAULT_LIMITS.max_depth + 3


# The content types of event streams: the right one, and those of servers that do not know it. The decoder looks at the
# body.
_MAY_BE_A_STREAM = frozenset({"", "text/event-stream", "text/plain", "application/octet-stream"})


def is_success(status: int) -> bool:
    """Return whether the status is 2xx."""
    return 200 <= status < 300


def is_event_stream(headers: Mapping[str, str]) -> bool:
    """Return whether the content type allows the body to be an event stream.

    `headers` must find `content-type` under its name in lower case.
    """
    return _media_type(headers) in _MAY_BE_A_STREAM


def _media_type(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def status_error(status: int, body: bytes, *, response: Any, message: str | None = None) -> APIStatusError:
    """Return the exception for an answer whose status is not 2xx.

    Args:
        status: The status.
        body: The body, or the beginning of it.
        response: The HTTP library's response.
        message: What the exception says, if not what the status and the body say.
    """
    return error_from_status(status, body=_json_or_text(body), response=response, message=message)


def not_a_stream(
    headers: Mapping[str, str], body: bytes, *, response: Any
) -> APIStatusError | APIResponseValidationError:
    """Return the exception for an answer with status 2xx that is not the event stream that was asked for.

    Gateways send such answers: a page of HTML, or the JSON of an error with the wrong status. For the latter it is the
    exception that the error's type stands for.
    """
    decoded = _json_or_text(body)
    return error_from_json(decoded, response=response) or APIResponseValidationError(
        f"the body is not an event stream but {_media_type(headers)}; it begins with {excerpt(body)}",
        response=response,
        body=decoded,
        received=body,
    )


def message_from_body(body: bytes, *, response: Any = None) -> Message:
    """Return the message in the body of an answer that is not a stream. It may have the same oddities as a stream.

    Raises:
        APIStatusError: The body is the JSON of an error, though the status is 2xx.
        APIResponseValidationError: The body is not JSON, or not a message. The error names the path to the fault.
        LimitExceededError: The body nests too deep, or has too many arrays and objects, or too many blocks.
    """
    if body.count(b"{") + body.count(b"[") > DEFAULT_LIMITS.max_containers:
        raise _over_limit(f"the body has more than {DEFAULT_LIMITS.max_containers} arrays and objects", body, response)
    try:
        decoded = _decode(body)
    except RecursionError:
        raise _over_limit(f"the body nests deeper than {_MAX_DEPTH} levels", body, response) from None
    except ValueError as error:
        raise _not_a_message(f"the body is not JSON ({error})", body, response) from None
    if not isinstance(decoded, dict):
        raise _not_a_message("the body is not a message", body, response)
    if (failure := error_from_json(decoded, response=response)) is not None:
        raise failure
    if "content" not in decoded:
        # A message_start may leave it out. Here, without this check, any JSON object would become an empty answer.
        raise _not_a_message("the body is not a message: required field 'content' is missing @ $", body, response)
    if too_deep(decoded, _MAX_DEPTH):
        raise _over_limit(f"the body nests deeper than {_MAX_DEPTH} levels", body, response)
    content = decoded.get("content")
    if isinstance(content, list) and len(content) > DEFAULT_LIMITS.max_blocks:
        raise _over_limit(f"the message has more than {DEFAULT_LIMITS.max_blocks} blocks", body, response)
    try:
        message: Message = structure(decoded, Message)
    except StructureError as fault:
        raise _not_a_message(f"the body is not a message: {fault}", body, response) from None
    return message


def json_in(body: bytes, *, response: Any) -> Any:
    """Return the JSON value of a body.

    Raises:
        APIResponseValidationError: The body is not JSON.
        LimitExceededError: The body nests too deep.
    """
    try:
        return _decode(body)
    except RecursionError:
        raise _over_limit("the body nests too deep", body, response) from None
    except ValueError as error:
        raise _not_a_message(f"the body is not JSON ({error})", body, response) from None


def _not_a_message(message: str, body: bytes, response: Any) -> APIResponseValidationError:
    return APIResponseValidationError(message, response=response, body=_json_or_text(body), received=body)


def _over_limit(message: str, body: bytes, response: Any) -> ProtocolError:
    return error_in_call(LimitExceededError(message, received=body), response)


def _json_or_text(body: bytes) -> object:
    """Return the JSON in `body`, or its text if it is not JSON."""
    try:
        return _decode(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace").strip()


def _decode(body: bytes) -> Any:
    """Return the JSON in `body`, by the rules of `codec.parse`.

    Raises:
        ValueError: The body is not JSON in UTF-8.
        RecursionError: The body nests too deep for the decoder.
    """
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        if (value := decode_leniently(body)) is None:
            raise
        return value
