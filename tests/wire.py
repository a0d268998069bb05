"""HTTP/1.1 over a bare socket, for tests of what is on the wire: each chunk of the transfer coding as it came."""

from __future__ import annotations

import json
import socket
from typing import IO, Any
from urllib.parse import urlsplit

import attrs


@attrs.frozen
class Answer:
    """What a server sent.

    Attributes:
        chunks: Of the transfer coding; the whole body as one without it.
        complete: Whether the body ended as it should.
    """

    status: int
    headers: dict[str, str]
    chunks: list[bytes]
    complete: bool

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)

    def json(self) -> Any:
        return json.loads(self.body)


class Connection:
    """A connection to keep; a request after the other."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host = parts.netloc
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=30)
        self._reader = self.socket.makefile("rb")

    def ask(
        self, path: str = "/v1/messages", body: Any = None, *, method: str = "POST", version: str = "1.1"
    ) -> Answer:
        """Send a request and read the answer to its end, or to where it breaks off."""
        self.send(path, body, method=method, version=version)
        return self.receive()

    def send(self, path: str = "/v1/messages", body: Any = None, *, method: str = "POST", version: str = "1.1") -> None:
        data = body if isinstance(body, bytes) else json.dumps({"stream": True} if body is None else body).encode()
        head = f"{method} {path} HTTP/{version}\r\nhost: {self._host}\r\ncontent-length: {len(data)}\r\n\r\n"
        self.socket.sendall(head.encode() + data)

    def receive(self) -> Answer:
        status, headers = self.receive_head()
        chunks: list[bytes] = []
        if headers.get("transfer-encoding") == "chunked":
            complete = _read_chunks(self._reader, chunks)
        elif "content-length" in headers:
            length = int(headers["content-length"])
            chunks.append(self._reader.read(length))
            complete = len(chunks[0]) == length
        else:
            chunks.append(self._reader.read())
            complete = True
        return Answer(status, headers, chunks, complete)

    def receive_head(self) -> tuple[int, dict[str, str]]:
        status = int(self._reader.readline().split()[1])
        headers = {}
        while line := self._reader.readline().strip():
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        return status, headers

    def receive_chunk(self) -> bytes:
        size = int(self._reader.readline(), 16)
        data = self._reader.read(size)
        self._reader.readline()
        return data

    def close(self) -> None:
        self._reader.close()
        self.socket.close()


def _read_chunks(reader: IO[bytes], chunks: list[bytes]) -> bool:
    """Read chunks; whether the last, which is empty, has come."""
    try:
        while line := reader.readline():
            size = int(line, 16)
            data = reader.read(size)
            end = reader.readline()
            if size == 0:
                return end == b"\r\n"
            chunks.append(data)
    except ConnectionResetError:
        pass
    return False


def ask(url: str, path: str = "/v1/messages", body: Any = None, **options: Any) -> Answer:
    """One request on a connection of its own."""
    connection = Connection(url)
    try:
        return connection.ask(urlsplit(url).path + path, body, **options)
    finally:
        connection.close()
