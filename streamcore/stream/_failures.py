"""Choose the exception that a stream raises after an `error` event, or for an error that came in place of a stream."""

from __future__ import annotations

from typing import Any

from streamcore.codec import parse
from streamcore.errors import DecodeError, ProtocolError, error_from_event, error_from_json
from streamcore.types import ErrorEvent

__all__ = ["error_after_event", "error_in_place"]


def error_after_event(event: ErrorEvent, decoder: object, response: Any) -> Exception:
    """Return what is raised after an `error` event has been delivered."""
    return error_from_event(event, response=response, snapshot=getattr(decoder, "snapshot", None))


def error_in_place(error: DecodeError, response: Any) -> Exception:
    """Return what is raised for an error of a decoder: mostly the error itself.

    The API may answer with the JSON of an error in place of the stream, under a content type that does not say so. Then
    it is the exception for that error. The JSON must be on one line and as short as the API's errors are, because of
    any other body the decoder has kept no more than the excerpt it shows.
    """
    if error.offset != 0 or not isinstance(error.received, bytes):
        return error
    try:
        value = parse(error.received)
    except ProtocolError:
        return error
    return error_from_json(value, response=response) or error
