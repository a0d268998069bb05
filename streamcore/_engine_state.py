"""The state of an engine: those of its stages, and what a message stream over it has still to deliver."""

from __future__ import annotations

from typing import Any

from streamcore._event_source import SourceState
from streamcore._objects.state import Count, SavedState
from streamcore.accumulator._state import AccumulatorState
from streamcore.errors import LogState
from streamcore.limits import Limits

__all__ = ["Delivery", "EngineState"]


class Delivery(SavedState):
    """The latest event of an engine, and how far a message stream has delivered it.

    Attributes:
        event: The event as JSON; of an error, its payload.
        delivered: How many of the event and its derived events have been delivered.
    """

    event: Any
    delivered: Count


class EngineState(SavedState):
    """The state of a `MessageEngine`.

    Attributes:
        limits: Bounds on the stream.
        log: The violations.
        source: The state of the events.
        accumulator: The state of the message.
        delivery: If a message stream over the engine made the checkpoint: what it has still to deliver.
    """

    limits: Limits
    log: LogState
    source: SourceState
    accumulator: AccumulatorState
    delivery: Delivery | None = None
