"""Choose the exception that a stream raises: after an `error` event, for an error in its place, for a broken stream."""

from __future__ import annotations

from typing import Any

from streamcore.codec import error_event, parse
from streamcore.errors import APIStatusError, ProtocolError, error_from_event, error_in_call
from streamcore.types import ErrorEvent

__all__ = ["error_after_event", "error_from_json", "error_of_decoder"]


def error_after_event(event: ErrorEvent, decoder: object, response: Any) -> Exception:
    """Return the exception to raise after an `error` event has been delivered."""
    return error_from_event(event, response=response, snapshot=getattr(decoder, "snapshot", None))


def error_from_json(value: object, *, response: Any) -> APIStatusError | None:
    """Return the exception for a decoded body that is the JSON of an error though the status is 2xx.

    Return None if it is not. An object is an error if it has an `error` and no other type than that, or if its type is
    `error` and it has a `message`.
    """
    if not isinstance(value, dict) or value.get("type") not in ("error", None):
        return None
    if value.get("error") is None and not ("type" in value and isinstance(value.get("message"), str)):
        return None
    event, _ = error_event(value)
    return error_from_event(event, response=response, snapshot=None)


def error_of_decoder(error: ProtocolError, response: Any) -> Exception:
    """Return the exception for a decoder's error. It is an `APIError` if the stream has a response.

    The API may answer with the JSON of an error in place of the stream, under a content type that does not say so. Then
    the result is the exception for that error. The JSON must be short: of a long body, the decoder keeps an excerpt.
    """
    if error.offset == 0 and isinstance(error.received, bytes):
        try:
            in_place = error_from_json(parse(error.received), response=response)
        except ProtocolError:
            in_place = None
        if in_place is not None:
            return in_place
    return error if response is None else error_in_call(error, response)
