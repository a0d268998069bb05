"""The state of an engine: those of its stages, and what a message stream over it has still to deliver."""

from __future__ import annotations

from typing import Any, NamedTuple

from streamcore._checkpoint import require, validating
from streamcore._event_source import SourceState
from streamcore._objects.state import Count, SavedState
from streamcore.accumulator._state import AccumulatorState
from streamcore.codec import error_event, structure, too_deep
from streamcore.errors import LogState
from streamcore.limits import Limits
from streamcore.types import ErrorEvent, MessageStreamEvent
from streamcore.types.base import plain

__all__ = ["Delivery", "DeliveryState", "EngineState"]


class DeliveryState(SavedState):
    """The latest event of an engine, and how far a message stream has delivered it.

    Attributes:
        event: The event as JSON; of an error, its payload.
        is_error: Whether it is an error.
        delivered: How many of the event and its derived events have been delivered.
    """

    event: Any
    is_error: bool = False
    delivered: Count = 0


class Delivery(NamedTuple):
    """A `DeliveryState` with the event itself, and the number of events that the engine had delivered by then."""

    event: MessageStreamEvent
    delivered: int
    event_number: int

    def get_state(self) -> DeliveryState:
        """Return the state for a checkpoint."""
        event = self.event
        if isinstance(event, ErrorEvent) and event.payload is not None:
            return DeliveryState(event=plain(event.payload), is_error=True, delivered=self.delivered)
        return DeliveryState(event=event.to_dict(), is_error=isinstance(event, ErrorEvent), delivered=self.delivered)

    @classmethod
    def of_state(cls, state: DeliveryState, event_number: int, limits: Limits) -> Delivery:
        """Return the delivery of a checkpoint.

        Raises:
            CheckpointError: The event is not valid.
        """
        with validating():
            require(not too_deep(state.event, limits.max_depth), "an event nests too deep")
            event: MessageStreamEvent = (
                error_event(state.event)[0] if state.is_error else structure(state.event, MessageStreamEvent)
            )
        return cls(event, state.delivered, event_number)


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
    delivery: DeliveryState | None = None
