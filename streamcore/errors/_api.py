"""The exceptions of a call that failed, named as in the `anthropic` package, and what they read from an answer.

The classes for a status are in `_statuses`, those for more specific causes in `_codes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from streamcore.errors._protocol import StreamCoreError, shortened

if TYPE_CHECKING:
    from streamcore.types import Message

__all__ = ["APIConnectionError", "APIError", "APIStatusError", "APITimeoutError"]


# Errors are logged and shown on screens, and their text repeats what a server sent, which may be megabytes.
_MAX_MESSAGE_LENGTH = 2000


class APIError(StreamCoreError):
    """A call to the API failed.

    Attributes:
        message: What went wrong. It has at most some 2,000 characters of what the server said; `body` has all of it.
        request: The HTTP library's request, None if it is not known.
        body: The body of the answer: decoded if it is JSON, text otherwise, None without an answer.
        snapshot: The message so far if a stream had begun, None before `message_start`.
    """

    message: str
    request: Any
    body: object
    snapshot: Message | None

    def __init__(
        self, message: str, request: Any = None, *, body: object = None, snapshot: Message | None = None
    ) -> None:
        message = shortened(message, _MAX_MESSAGE_LENGTH)
        super().__init__(message)
        self.message = message
        self.request = request
        self.body = body
        self.snapshot = snapshot

    def __reduce__(self) -> tuple[Any, ...]:
        # The HTTP library's objects have connections, so they stay in the process that made them.
        state = {name: None if name in ("request", "response") else value for name, value in self.__dict__.items()}
        return _restore, (type(self), self.args), state


def _restore(cls: type[APIError], args: tuple[Any, ...]) -> APIError:
    return cls.__new__(cls, *args)


class APIConnectionError(APIError):
    """The connection could not be made, or it broke before the answer was complete."""

    _default_message = "Connection error."

    def __init__(self, message: Any = None, *, request: Any = None, snapshot: Message | None = None) -> None:
        if message is not None and not isinstance(message, str):
            # Programs' tests make an `APITimeoutError(request)`, as the `anthropic` package does.
            message, request = None, message
        super().__init__(self._default_message if message is None else message, request=request, snapshot=snapshot)


class APITimeoutError(APIConnectionError):
    """The connection, the answer or the next bytes of it took longer than the timeout allows."""

    _default_message = "Request timed out."


class APIStatusError(APIError):
    """The API said that the call failed, with a status that is not 2xx or an `error` event in a stream.

    Attributes:
        status_code: The HTTP status. For an `error` event, the status that its type stands for, if there is one
            (529 for `overloaded_error`); `response` still has the 200 that arrived.
        response: The HTTP library's response. If the status is not 2xx, its body can be read (`.json()`, `.text`,
            `.content`), up to the first 256 KB. The body of a stream cannot: it has been read as events.
        request_id: The id to give Anthropic when you ask about this request, if there is one.
        workspace_id: The workspace that the API key belongs to, if the answer says so.
        type: The `type` of the error as the API names it (`"rate_limit_error"`), if the body has one.
        api_message: What the API says, whole and without the status, if the body has it. The wording may change.
        error_code: The code of the cause, if the body has one. Many codes have a class of their own.
        details: All that the body says about the cause, as it came.

    A subclass for a status or a code is declared with it: `class NewError(BadRequestError, code="new")`.
    """

    status_code: int
    response: Any
    request_id: str | None
    workspace_id: str | None
    type: str | None
    api_message: str | None
    error_code: str | None = None
    details: Mapping[str, Any] | None

    def __init_subclass__(cls, *, status: int | None = None, code: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if status is not None:
            cls.status_code = status
        if code is not None:
            cls.error_code = code

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
        super().__init__(message, request=request_of(response), body=body, snapshot=snapshot)
        found = status_code if status_code is not None else getattr(response, "status_code", None)
        if found is not None:
            self.status_code = found
        self.response = response
        self.request_id = request_id if request_id is not None else request_id_of(response)
        self.workspace_id = _header(response, "anthropic-workspace-id")
        error = _member(body, "error")
        self.type = _text(_member(error, "type"))
        self.api_message = _text(_member(error, "message"))
        details = _member(error, "details")
        self.details = details if isinstance(details, Mapping) else None
        if (code := error_code_in(body)) is not None:
            self.error_code = code


def connection_error(error: Exception, *, timed_out: bool, request: Any, doing: str) -> APIConnectionError:
    """Return our exception for an exception of the HTTP library.

    Args:
        error: The library's exception.
        timed_out: Whether it means that something took too long.
        request: The library's request.
        doing: What was going on, for the message.

    Raises:
        StreamCoreError: `error` itself, if it is one of ours: a transport that plays captures has failed, and not the
            connection.
    """
    if isinstance(error, StreamCoreError):
        raise error
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if timed_out:
        return APITimeoutError(f"Request timed out while {doing} ({said}).", request=request)
    return APIConnectionError(f"Connection error while {doing} ({said}).", request=request)


RAISED_AS = "streamcore_raised_as"
"""Where the response of a foreign client has a function that makes its client's exceptions of ours: see `as_raised`."""

_ErrorT = TypeVar("_ErrorT", bound=StreamCoreError)


def as_raised(error: _ErrorT, response: Any) -> _ErrorT:
    """Return an error of a stream as the client that sent the request raises it.

    Our clients raise it as it is. `streamcore.anthropic` reads the answers of another package's client, whose programs
    expect exceptions of that package. It puts a function into `response.extensions`, which httpx has for such purposes.
    The function returns an exception of a subclass.
    """
    extensions = getattr(response, "extensions", None)
    convert = extensions.get(RAISED_AS) if isinstance(extensions, Mapping) else None
    return error if convert is None else convert(error)


def request_of(response: Any) -> Any:
    """Return the request of any HTTP library's response, or None."""
    try:
        return getattr(response, "request", None) or getattr(response, "request_info", None)
    except RuntimeError:  # httpx raises it for a response that was made by hand
        return None


def request_id_of(response: Any) -> str | None:
    """Return the `request-id` header of any HTTP library's response, or None."""
    return _header(response, "request-id")


def _header(response: Any, name: str) -> str | None:
    headers = getattr(response, "headers", None)
    return headers.get(name) if headers is not None else None


def error_code_in(body: object) -> str | None:
    """Return the code that names the cause in the body of an error, or None."""
    return _text(_member(_member(_member(body, "error"), "details"), "error_code"))


def _member(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, Mapping) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
