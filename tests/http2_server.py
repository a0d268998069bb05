"""An HTTP/2 server for the tests, for clients that know beforehand what it speaks: no TLS, no negotiation.

Like `server`, it runs on asyncio in a thread of its own. All requests get the same answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Sequence
from typing import Self

import h2.config
import h2.connection
import h2.events
from server import BOUND

HEADERS = [(":status", "200"), ("content-type", "text/event-stream"), ("request-id", "req_1")]


class Http2Server:
    """A server on a free port of the loopback interface, while its `with` block is open.

    Args:
        chunks: What is sent at once; then `more()` is waited for.
        rest: What is sent after that, up to the end.

    Attributes:
        url: Where it listens.
        connections: How many were ever made.
        open_connections: How many of them there are.
    """

    def __init__(self, chunks: Sequence[bytes], rest: Sequence[bytes] = ()) -> None:
        self.url = ""
        self.connections = 0
        self.open_connections = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self.faults: list[Exception] = []
        self._chunks = chunks
        self._rest = rest
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="test server", daemon=True)
        self._started = threading.Event()
        self._more: asyncio.Event
        self._stop: asyncio.Event

    def more(self) -> None:
        """Send the rest, to those who wait and to all to come."""
        self._loop.call_soon_threadsafe(lambda: self._more.set())

    def wait_until_idle(self) -> None:
        """Wait until no connection is open."""
        with self._changed:
            assert self._changed.wait_for(lambda: not self.open_connections, 5), "connections are still open"

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._started.wait(BOUND), "the server did not start"
        return self

    def __exit__(self, *exc: object) -> None:
        self._loop.call_soon_threadsafe(lambda: self._stop.set())
        self._thread.join(BOUND)
        assert not self._thread.is_alive(), "the server did not end"
        assert self.faults == []

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._stop, self._more = asyncio.Event(), asyncio.Event()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._started.set()
        await self._stop.wait()
        server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        self.open_connections += 1
        answers: set[asyncio.Task[None]] = set()
        try:
            await self._converse(reader, writer, answers)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the client has gone, or the server ends
        finally:
            for answer in answers:
                answer.cancel()
            results = await asyncio.gather(*answers, return_exceptions=True)
            writer.transport.abort()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
            self._tasks.discard(task)
            with self._changed:
                self.open_connections -= 1
                self._changed.notify_all()
        self.faults += [fault for fault in results if isinstance(fault, Exception)]

    async def _converse(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answers: set[asyncio.Task[None]]
    ) -> None:
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        connection.initiate_connection()
        writer.write(connection.data_to_send())
        while data := await reader.read(65536):
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.StreamEnded):
                    answers.add(asyncio.create_task(self._answer(connection, writer, event.stream_id)))
            writer.write(connection.data_to_send())

    async def _answer(
        self, connection: h2.connection.H2Connection, writer: asyncio.StreamWriter, stream_id: int
    ) -> None:
        connection.send_headers(stream_id, HEADERS)
        for chunk in self._chunks:
            connection.send_data(stream_id, chunk)
            writer.write(connection.data_to_send())
        await self._more.wait()
        for chunk in self._rest:
            connection.send_data(stream_id, chunk)
            writer.write(connection.data_to_send())
        connection.end_stream(stream_id)
        writer.write(connection.data_to_send())
