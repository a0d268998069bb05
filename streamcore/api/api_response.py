"""The answer to a call as an HTTP response: what `with_raw_response` and `with_streaming_response` return.

It is the same for all HTTP libraries. What it has of the library is `http_response`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Generic, TypeVar

import attrs

from streamcore._objects.not_copyable import NotCopyable
from streamcore._steps import run, run_async
from streamcore.api.attempts import AsyncAnswer, SyncAnswer, whole_body
from streamcore.api.body_pieces import Lines, Pieces, decoder_of, encoding_of
from streamcore.api.response import json_in
from streamcore.errors import StreamCoreError, request_of

__all__ = ["APIResponse", "AsyncAPIResponse", "AsyncResponseManager", "ResponseManager", "Result"]

_T = TypeVar("_T")


@attrs.frozen(kw_only=True)
class Result(Generic[_T]):
    """How the result of a call is made of its answer. One of the two functions is given.

    Attributes:
        of_body: Makes a message of the body.
        of_chunks: Makes a stream of an iterable over the body.
    """

    of_body: Callable[[Any, bytes], _T] | None = None
    of_chunks: Callable[[Any, Any], _T] | None = None


class _Response(NotCopyable, Generic[_T]):
    """What sync and async responses share.

    Args:
        answer: The answer.
        result: How `parse()` makes its result.
        body: The body, if it was read.
        retries_taken: How many retries were made.
    """

    def __init__(self, answer: Any, result: Result[_T], *, body: bytes | None, retries_taken: int) -> None:
        self.retries_taken = retries_taken
        self._answer = answer
        self._result = result
        self._body = body
        self._is_taken = False
        self._parsed: list[_T] = []

    @property
    def http_response(self) -> Any:
        """The HTTP library's response."""
        return self._answer.response

    @property
    def http_request(self) -> Any:
        """The HTTP library's request."""
        return request_of(self.http_response)

    @property
    def status_code(self) -> int:
        """The HTTP status."""
        return int(self._answer.status)

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers. Names are found in any case."""
        headers: Mapping[str, str] = self._answer.headers
        return headers

    @property
    def request_id(self) -> str | None:
        """The id to give Anthropic when you ask about this answer."""
        return self.headers.get("request-id")

    @property
    def workspace_id(self) -> str | None:
        """The workspace that the API key belongs to, if the answer says so."""
        return self.headers.get("anthropic-workspace-id")

    @property
    def url(self) -> Any:
        """The URL that answered, as an object of the HTTP library."""
        return self.http_response.url

    @property
    def method(self) -> str:
        """The method of the request."""
        return str(self.http_request.method)

    @property
    def http_version(self) -> str:
        """The version of HTTP, such as `"HTTP/1.1"`."""
        response = self.http_response
        return (
            str(response.http_version) if hasattr(response, "http_version") else "HTTP/{}.{}".format(*response.version)
        )

    @property
    def elapsed(self) -> Any:
        """The time from the request to the end of the answer, if the HTTP library measures it. aiohttp does not."""
        return self.http_response.elapsed

    @property
    def is_closed(self) -> bool:
        """Whether the body was read or the response was closed."""
        response = self.http_response
        return bool(response.is_closed if hasattr(response, "is_closed") else response.closed)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} [{self.status_code}]>"

    def _take(self) -> bytes | None:
        """Return the body if it was read, or None if the caller may read the answer now.

        Raises:
            StreamCoreError: Something else reads or has read the answer.
        """
        if self._body is None:
            if self._is_taken:
                raise StreamCoreError("the body was already read, by iteration or as a stream; it is not kept")
            self._is_taken = True
        return self._body

    def _text(self, body: bytes) -> str:
        return body.decode(encoding_of(self.headers), "replace")


class APIResponse(_Response[_T]):
    """The response to a call."""

    _answer: SyncAnswer

    def parse(self) -> _T:
        """Return what the call returns without `with_raw_response`: a message or a stream. Each time the same object.

        Raises:
            Exception: As for `messages.create`.
        """
        if not self._parsed:
            if self._result.of_chunks is None:
                self._parsed.append(_made(self._result, self._answer, self.read()))
            else:
                body = self._take()
                self._parsed.append(self._result.of_chunks(self._answer, self._answer if body is None else [body]))
        return self._parsed[0]

    def read(self) -> bytes:
        """Return the body. It is read to its end, and kept.

        Raises:
            APIConnectionError: It could not be read.
            LimitExceededError: It is longer than `Limits.max_event_size`.
            StreamCoreError: It was already read by iteration.
        """
        if self._take() is None:
            self._body = run(whole_body(self._answer))
        assert self._body is not None
        return self._body

    def text(self) -> str:
        """Return the body as text. Raises what `read()` raises."""
        return self._text(self.read())

    def json(self) -> Any:
        """Return the JSON value of the body.

        Raises:
            APIResponseValidationError: The body is not JSON.
            Exception: As for `read()`.
        """
        return json_in(self.read(), response=self.http_response)

    def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """Yield the body as it arrives, or in chunks of `chunk_size` bytes. It is not kept.

        Raises:
            APIConnectionError: It could not be read.
            StreamCoreError: It was already read by iteration.
        """
        return self._pieces(Pieces(None, chunk_size))

    def iter_text(self, chunk_size: int | None = None) -> Iterator[str]:
        """Like `iter_bytes`, as text. `chunk_size` counts characters."""
        return self._pieces(Pieces(decoder_of(self.headers), chunk_size))

    def iter_lines(self) -> Iterator[str]:
        """Yield the lines of the body, without their ends: CR, LF or both. Raises what `iter_bytes()` raises."""
        return self._pieces(Lines(decoder_of(self.headers)))

    def _pieces(self, splitter: Pieces | Lines) -> Iterator[Any]:
        body = self._take()
        chunks: Iterable[bytes] = self._answer if body is None else [body]
        try:
            for chunk in chunks:
                yield from splitter.feed(chunk)
            yield from splitter.finish()
        finally:
            self.close()

    def close(self) -> None:
        """Close the response. What was read of the body stays.

        Raises:
            APIConnectionError: The connection could not be closed cleanly.
        """
        self._answer.close()


class AsyncAPIResponse(_Response[_T]):
    """The response to a call, for async code. Where its methods do not say more, they are those of `APIResponse`."""

    _answer: AsyncAnswer

    async def parse(self) -> _T:
        """Like `APIResponse.parse`."""
        if not self._parsed:
            if self._result.of_chunks is None:
                self._parsed.append(_made(self._result, self._answer, await self.read()))
            else:
                body = self._take()
                chunks = self._answer if body is None else _as_async(body)
                self._parsed.append(self._result.of_chunks(self._answer, chunks))
        return self._parsed[0]

    async def read(self) -> bytes:
        """Like `APIResponse.read`."""
        if self._take() is None:
            self._body = await run_async(whole_body(self._answer))
        assert self._body is not None
        return self._body

    async def text(self) -> str:
        """Like `APIResponse.text`."""
        return self._text(await self.read())

    async def json(self) -> Any:
        """Like `APIResponse.json`."""
        return json_in(await self.read(), response=self.http_response)

    def iter_bytes(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        """Like `APIResponse.iter_bytes`."""
        return self._pieces(Pieces(None, chunk_size))

    def iter_text(self, chunk_size: int | None = None) -> AsyncIterator[str]:
        """Like `APIResponse.iter_text`."""
        return self._pieces(Pieces(decoder_of(self.headers), chunk_size))

    def iter_lines(self) -> AsyncIterator[str]:
        """Like `APIResponse.iter_lines`."""
        return self._pieces(Lines(decoder_of(self.headers)))

    async def _pieces(self, splitter: Pieces | Lines) -> AsyncIterator[Any]:
        body = self._take()
        try:
            async for chunk in self._answer if body is None else _as_async(body):
                for piece in splitter.feed(chunk):
                    yield piece
            for piece in splitter.finish():
                yield piece
        finally:
            await self.close()

    async def close(self) -> None:
        """Like `APIResponse.close`."""
        await self._answer.aclose()


def _made(result: Result[_T], answer: Any, body: bytes) -> _T:
    assert result.of_body is not None
    return result.of_body(answer, body)


async def _as_async(body: bytes) -> AsyncIterator[bytes]:
    yield body


class ResponseManager(Generic[_T]):
    """Send a call on entering and close its response on leaving. Before that, nothing is sent.

    Args:
        send: Sends the call.
    """

    def __init__(self, send: Callable[[], APIResponse[_T]]) -> None:
        self._send = send
        self._response: APIResponse[_T] | None = None

    def __enter__(self) -> APIResponse[_T]:
        self._response = self._send()
        return self._response

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        response, self._response = self._response, None
        if response is not None:
            response.close()


class AsyncResponseManager(Generic[_T]):
    """Like `ResponseManager`, for async code.

    Args:
        send: Sends the call. It is called, and awaited, when the manager is entered.
    """

    def __init__(self, send: Callable[[], Awaitable[AsyncAPIResponse[_T]]]) -> None:
        self._send = send
        self._response: AsyncAPIResponse[_T] | None = None

    async def __aenter__(self) -> AsyncAPIResponse[_T]:
        self._response = await self._send()
        return self._response

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        response, self._response = self._response, None
        if response is not None:
            await response.close()
