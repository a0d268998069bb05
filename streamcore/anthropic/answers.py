"""An answer of the official client as chunks for our streams.

The official client has sent the request, with its retries, and raised its own exception if the status was not 2xx. Of
what it returns only the HTTP response is used. The answers of `streamcore.httpx` read it: they can be closed by other
threads and tasks, and give their connection back.
"""

from __future__ import annotations

from typing import Any

import anthropic
import attrs

from streamcore.anthropic.exceptions import as_theirs
from streamcore.api.attempts import async_checked, checked
from streamcore.errors import RAISED_AS, ProtocolError, StreamCoreError
from streamcore.httpx.open_response import AsyncHttpxAnswer, HttpxAnswer
from streamcore.limits import DEFAULT_LIMITS, Limits

__all__ = ["Opened", "is_bedrock", "opened", "opened_async"]

_BINARY = "application/vnd.amazon.eventstream"
# The content types of a server or a gateway that does not know better.
_UNKNOWN = ("", "application/octet-stream")


@attrs.frozen
class Opened:
    """An answer whose body is read as a stream.

    Attributes:
        chunks: The bytes of the event stream.
        close: Releases the connection.
    """

    chunks: Any
    close: Any


def is_bedrock(client: object) -> bool:
    """Return whether a client's answers are binary event streams, if they do not say what they are."""
    kinds = (getattr(anthropic, name, None) for name in ("AnthropicBedrock", "AsyncAnthropicBedrock"))
    return isinstance(client, tuple(kind for kind in kinds if kind is not None))


def opened(response: Any, *, bedrock: bool, idle_timeout: float | None, limits: Limits | None) -> Opened:
    """Return the event stream in a response to a request with `stream=True`.

    Args:
        response: A response of httpx2 or httpx, not read yet.
        bedrock: Whether a body of an unknown type is a binary event stream.
        idle_timeout: The longest silence between bytes of the body, in seconds.
        limits: Bounds on the stream, None for the defaults.

    Raises:
        APIStatusError: The body is the JSON of an error.
        APIResponseValidationError: The body is not an event stream.
        APIConnectionError: A body that is not a stream could not be read.
    """
    response.extensions[RAISED_AS] = as_theirs
    answer = HttpxAnswer(response, idle_timeout=idle_timeout)
    if not _is_binary(response, bedrock):
        try:
            return Opened(checked(answer, stream=True), answer.close)
        except StreamCoreError as error:
            raise as_theirs(error) from error.__cause__
    from streamcore.bedrock import EventChunks

    chunks = EventChunks(answer, response=response, limits=limits or DEFAULT_LIMITS)
    response.extensions[RAISED_AS] = _placing(chunks)
    return Opened(chunks, answer.close)


async def opened_async(response: Any, *, bedrock: bool, idle_timeout: float | None, limits: Limits | None) -> Opened:
    """Like `opened`, for async code."""
    response.extensions[RAISED_AS] = as_theirs
    answer = AsyncHttpxAnswer(response, idle_timeout=idle_timeout)
    if not _is_binary(response, bedrock):
        try:
            return Opened(await async_checked(answer, stream=True), answer.aclose)
        except StreamCoreError as error:
            raise as_theirs(error) from error.__cause__
    from streamcore.bedrock import AsyncEventChunks

    chunks = AsyncEventChunks(answer, response=response, limits=limits or DEFAULT_LIMITS)
    response.extensions[RAISED_AS] = _placing(chunks)
    return Opened(chunks, answer.aclose)


def _is_binary(response: Any, bedrock: bool) -> bool:
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type == _BINARY or (bedrock and media_type in _UNKNOWN)


def _placing(chunks: Any) -> Any:
    """Return `as_theirs`, with offsets that count bytes of a binary stream."""
    place = chunks.place

    def convert(error: StreamCoreError) -> StreamCoreError:
        if isinstance(error, ProtocolError):
            place(error)
        return as_theirs(error)

    return convert
