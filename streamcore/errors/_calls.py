"""The errors of a peer that breaks the protocol, as clients raise them: each is an `APIError` too.

A program that was written for the `anthropic` package expects nothing but `APIError` from a call. A program that uses
an engine without a client expects `ProtocolError`, and no call has failed there. So a client, and a stream that has a
response, raises an error of a class that is both. Each of these classes is written out, so that it can be imported,
pickled and seen by a type checker. A class that is made while the program runs could not.

A room that has errors of its own adds its rows to `CALL_ERRORS`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from streamcore.errors._api import APIError, as_raised, request_of
from streamcore.errors._protocol import (
    DecodeError,
    EventOrderError,
    IncompleteStreamError,
    LimitExceededError,
    ProtocolError,
)

__all__ = [
    "APIEventOrderError",
    "APIIncompleteStreamError",
    "APILimitExceededError",
    "APIProtocolError",
    "APIResponseValidationError",
]


class APIProtocolError(APIError, ProtocolError):
    """The answer to a call breaks the protocol. It has the attributes of an `APIError` and of a `ProtocolError`.

    Attributes:
        status_code: The HTTP status, None if the response is not known.
        response: The HTTP library's response.
    """

    status_code: int | None
    response: Any
    request: Any

    def set_response(self, response: Any) -> None:
        """Set the response, and what follows from it."""
        self.response = response
        self.request = request_of(response)
        self.status_code = getattr(response, "status_code", getattr(response, "status", None))


class APIResponseValidationError(APIProtocolError, DecodeError):
    """The API answered with success, but what came is not the event stream, the event or the message it should be.

    `received` is the body or the payload as it came, or its beginning.
    """

    def __init__(
        self, message: str, *, response: Any = None, body: object = None, received: str | bytes | None = None
    ) -> None:
        super().__init__(message, body=body)
        self.set_response(response)
        self.offset: int | None = 0
        self.received = received


class APIEventOrderError(APIProtocolError, EventOrderError):
    """An `EventOrderError` in the answer to a call."""


class APILimitExceededError(APIProtocolError, LimitExceededError):
    """A `LimitExceededError` in the answer to a call."""


class APIIncompleteStreamError(APIProtocolError, IncompleteStreamError):
    """The answer to a call ended before `message_stop`."""


CALL_ERRORS: dict[type[ProtocolError], type[APIProtocolError]] = {
    ProtocolError: APIProtocolError,
    DecodeError: APIResponseValidationError,
    EventOrderError: APIEventOrderError,
    LimitExceededError: APILimitExceededError,
    IncompleteStreamError: APIIncompleteStreamError,
}
"""For each class of error that a decoder raises, the class that a call raises in its place."""


def error_in_call(error: ProtocolError, response: Any) -> ProtocolError:
    """Return an error as a client raises it: an `APIError` too, with all that the error has.

    An error that is an `APIError` already, or whose class is not in the table, keeps its class, but for `as_raised`.

    Args:
        error: What a decoder has raised.
        response: The HTTP library's response, None if it is not known.
    """
    cls = CALL_ERRORS.get(type(error))
    if cls is None:
        return as_raised(error, response)
    made = cls.__new__(cls, *error.args)
    made.body = None
    made.set_response(response)
    made.__dict__.update(error.__dict__)
    made.__cause__, made.__context__ = error.__cause__, error.__context__
    return as_raised(made.with_traceback(error.__traceback__), response)


@contextlib.contextmanager
def api_errors(response: Any) -> Iterator[None]:
    """Raise the errors of a `with` block as a client raises them."""
    try:
        yield
    except ProtocolError as error:
        raise error_in_call(error, response) from error.__cause__
