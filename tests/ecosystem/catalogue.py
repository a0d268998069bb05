"""All habits: importing the modules that have them fills the list."""

import habits_calls
import habits_clients
import habits_errors
import habits_events
import habits_messages
import habits_names
import habits_pydantic
import habits_raw
import habits_streams
import habits_values
from habits import HABITS

__all__ = ["HABITS", "MODULES"]

MODULES = (
    habits_streams,
    habits_events,
    habits_messages,
    habits_values,
    habits_pydantic,
    habits_calls,
    habits_clients,
    habits_raw,
    habits_errors,
    habits_names,
)
