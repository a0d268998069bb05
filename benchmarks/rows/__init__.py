"""The rows to measure. A function prepares the input and makes the row; `ROWS` maps names to these functions."""

from __future__ import annotations

from benchmarks import node_peers
from benchmarks.rows import (
    checkpoints,
    command,
    footprint,
    framing,
    node,
    pipeline,
    snapshots,
    tool_input,
    typed,
    wrapped,
)
from benchmarks.rows.settings import RowMaker, Settings

__all__ = ["ROWS", "Settings"]

ROWS: dict[str, RowMaker] = {
    **pipeline.ROWS,
    **snapshots.ROWS,
    **tool_input.ROWS,
    **typed.ROWS,
    **wrapped.ROWS,
    **framing.ROWS,
    **checkpoints.ROWS,
    **footprint.ROWS,
    **command.ROWS,
    **({} if node_peers.missing() else node.ROWS),
}
