"""Read a response of urllib3 or requests that the caller asked for, as a `MessageStream`."""

from __future__ import annotations

import contextlib
from typing import Any, Self

from urllib3.exceptions import TimeoutError as Urllib3TimeoutError

from streamcore._objects.ticket import Ticket
from streamcore.api.attempts import checked
from streamcore.errors import APIConnectionError, InvalidArgumentError, connection_error
from streamcore.stream import MessageStream

__all__ = ["message_stream"]

_CHUNK_SIZE = 64 * 1024


def message_stream(response: Any, **options: Any) -> MessageStream:
    """Return the stream in a response of urllib3 or requests.

    ```python
    with requests.post(url, json=body, stream=True, timeout=(5, 60)) as response:
        with message_stream(response) as stream:
            for text in stream.text_stream:
                print(text, end="", flush=True)
    ```

    Events are delivered as they arrive, whereas `iter_content()` of requests may wait until a chunk is full. `close()`
    from another thread ends a read that is waiting for bytes. The read timeout of the request bounds the silence
    between bytes.

    Args:
        response: A `requests.Response` to a request with `stream=True`, or a `urllib3.HTTPResponse` to a request with
            `preload_content=False`. It is closed with the stream.
        **options: Those of `MessageStream`.

    Raises:
        InvalidArgumentError: `response` is something else.
        APIStatusError: The status is not 2xx.
        APIResponseValidationError: The body is not an event stream.
        APIConnectionError: The body of a response that is not a stream could not be read.
    """
    answer = checked(Urllib3Answer(response), stream=True)
    return MessageStream(answer, response=response, close=answer.close, **options)


class Urllib3Answer:
    """A response as a `SyncAnswer`: its body in chunks, with our exceptions, closable from any thread."""

    def __init__(self, response: Any) -> None:
        self.response = response
        self._raw = getattr(response, "raw", response)  # requests has the response of urllib3 inside of its own
        if not hasattr(self._raw, "read1"):
            raise InvalidArgumentError(
                f"response must be a requests.Response or a urllib3.HTTPResponse, not {type(response).__name__}"
            )
        self._already_read = _body_of(response)
        # Without `shutdown()`, nothing could end a read.
        self.is_drainable: bool = hasattr(self._raw, "shutdown")
        self._closed = False
        self._reading = False
        self._ticket = Ticket()  # for `_release`

    @property
    def status(self) -> int:
        return int(self._raw.status)

    @property
    def headers(self) -> Any:
        return self._raw.headers

    def keep_body(self, body: bytes) -> None:
        """Make `body` the body of `response`: both libraries keep nothing of what is read in chunks."""
        if self._raw is self.response:
            self._raw._body = body
        else:
            self.response._content = body
            self.response._content_consumed = True

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        if self._already_read is not None:
            chunk, self._already_read = self._already_read, b""
        else:
            chunk = self._read()
        if not chunk:
            raise StopIteration
        return chunk

    def _read(self) -> bytes:
        self._reading = True
        try:
            # `close()` sets `_closed` before it looks at `_reading`. So at least one of the two threads sees what the
            # other has set.
            if self._closed:
                raise self._translated(None)
            # Unlike `read()`, it does not wait for more once there is something.
            chunk: bytes = self._raw.read1(_CHUNK_SIZE, decode_content=True)
        except APIConnectionError:
            raise
        except Exception as error:
            raise self._translated(error) from error
        finally:
            self._reading = False
            if self._closed:  # by another thread, which left the rest to this one
                self._release()
        if self._closed:  # what looks like the end is the shutdown of the socket
            raise self._translated(None)
        return chunk

    def _translated(self, error: Exception | None) -> APIConnectionError:
        request = getattr(self.response, "request", None)
        if error is None or self._closed:
            return APIConnectionError("The stream was closed.", request=request)
        timed_out = isinstance(error, Urllib3TimeoutError)
        return connection_error(error, timed_out=timed_out, request=request, doing="reading the answer")

    def close(self) -> None:
        """Close the connection, or give it back if the body was read to its end. Any thread may call this.

        A read that is waiting in another thread ends: urllib3 shuts the socket down, as closing it would first wait for
        the bytes. urllib3 before 2.3 cannot do that, and the read ends with the next bytes or its timeout.
        """
        if self._closed:
            return
        self._closed = True
        if self._reading:
            # The read may have ended in the meantime, and the connection may have been given back.
            with contextlib.suppress(AttributeError, ValueError, RuntimeError, OSError):
                self._raw.shutdown()
        else:
            self._release()

    def _release(self) -> None:
        # A reader that has just ended a read and a thread that closes may both come here. Given back twice, a
        # connection would serve two requests at the same time.
        if not self._ticket.take():
            return
        try:
            self._raw.close()
            self._raw.release_conn()
        except Exception as error:
            request = getattr(self.response, "request", None)
            raise connection_error(error, timed_out=False, request=request, doing="closing the connection") from error


def _body_of(response: Any) -> bytes | None:
    """Return the body if it was read before, or None."""
    body = getattr(response, "_content", None) or getattr(response, "_body", None)
    return body if isinstance(body, bytes) else None
