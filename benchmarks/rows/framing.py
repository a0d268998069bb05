"""Framing alone: beside its peers, and in its worst cases."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from benchmarks import inputs, sse_peers
from benchmarks.harness import OURS, Contestant, Row, timed
from benchmarks.rows.settings import RowMaker, Settings, doing
from benchmarks.targets import Doubling, Faster
from streamcore import SSEDecoder


def _chunks(size: int, name: str) -> RowMaker:
    def row(settings: Settings) -> Row:
        # Small chunks take many steps, so a part of the streams is enough.
        data = b"".join(stream.data for stream in settings.streams)[: settings.size(1_000_000, smoke=5_000)]
        data = data[: data.rindex(b"\n\n") + 2]
        chunks = inputs.cut(data, size)
        events = len(sse_peers.pairs(sse_peers.streamcore, [data]))

        def contestant(name: str, peer: sse_peers.Peer) -> Contestant:
            return Contestant(
                name=name,
                measure=timed(lambda: sse_peers.read(peer, chunks)),
                units=events,
                result=lambda: sse_peers.pairs(peer, chunks),
            )

        return Row(
            name=f"SSEDecoder on {settings.kind}, {name} chunks",
            contestants=[contestant(*item) for item in sse_peers.PEERS.items()],
            targets=[Faster(2, tuple(name for name in sse_peers.PEERS if name != OURS))],
            most_rounds=9,
        )

    return row


def _run(chunks: list[bytes]) -> None:
    decoder = SSEDecoder()
    receive_data = decoder.receive_data
    events = decoder.events
    for chunk in chunks:
        receive_data(chunk)
        for _ in events():
            pass


def _linear(name: str, make: Callable[[int], list[bytes]], size: int, full: int | None = None) -> RowMaker:
    """Make the row that checks that time grows linearly: a quarter, a half and all of the bytes."""

    def row(settings: Settings) -> Row:
        whole = settings.size(size, smoke=4_000, full=full)
        chunks = {f"{part:,} bytes": make(part) for part in (whole // 4, whole // 2, whole)}

        return Row(
            name=f"{name}, {whole // 1_000_000 or 1} MB",
            contestants=[doing(name, partial(_run, of)) for name, of in chunks.items()],
            targets=[Doubling(2.2, tuple(chunks))],
            per="stream",
            most_rounds=5,
        )

    return row


_MB = 1_000_000

ROWS: dict[str, RowMaker] = {
    "sse-64k": _chunks(64 * 1024, "64 KB"),
    "sse-16": _chunks(16, "16-byte"),
    "line": _linear(
        "huge-line drip: one line in 1-byte chunks",
        lambda size: inputs.cut(inputs.huge_line(size), 1),
        2 * _MB,
        full=10 * _MB,
    ),
    "comments": _linear("comments in 64 KB chunks", lambda size: inputs.cut(inputs.comments(size), 65536), 10 * _MB),
    "comments-1": _linear(
        "comments in 1-byte chunks", lambda size: inputs.cut(inputs.comments(size), 1), 2 * _MB, full=10 * _MB
    ),
    "crs": _linear("CRLF, split at every CR", inputs.split_at_every_cr, _MB),
}
