"""An HTTP/2 server for the tests, for clients that know in advance that it speaks HTTP/2: no TLS, no negotiation.

h2 does the protocol. All requests get the same answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import h2.config
import h2.connection
import h2.events
from server import LoopbackServer

HEADERS = [(":status", "200"), ("content-type", "text/event-stream"), ("request-id", "req_1")]


class Http2Server(LoopbackServer):
    """A server that sends some chunks and waits for `more()` before it sends the rest.

    Args:
        chunks: The chunks that are sent at once.
        rest: The chunks that are sent after `more()`, up to the end.
    """

    def __init__(self, chunks: Sequence[bytes], rest: Sequence[bytes] = ()) -> None:
        super().__init__()
        self._chunks = chunks
        self._rest = rest
        self._more = asyncio.Event()

    def more(self) -> None:
        """Send the rest, in answer to the requests that wait and to all later ones."""
        self._loop.call_soon_threadsafe(self._more.set)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        connection.initiate_connection()
        writer.write(connection.data_to_send())
        answers: set[asyncio.Task[None]] = set()
        try:
            while data := await reader.read(65536):
                for event in connection.receive_data(data):
                    if isinstance(event, h2.events.StreamEnded):
                        answers.add(asyncio.create_task(self._answer(connection, writer, event.stream_id)))
                writer.write(connection.data_to_send())
        finally:
            for answer in answers:
                answer.cancel()
            results = await asyncio.gather(*answers, return_exceptions=True)
            self._faults += [fault for fault in results if isinstance(fault, Exception)]
            writer.transport.abort()

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
