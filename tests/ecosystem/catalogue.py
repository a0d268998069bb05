"""All habits: importing the modules that have them fills the list."""

import habits_errors
import habits_messages
import habits_names
import habits_pydantic
import habits_raw
import habits_requests
import habits_streams
from habits import HABITS

__all__ = ["HABITS", "MODULES"]

MODULES = (
    habits_streams,
    habits_messages,
    habits_pydantic,
    habits_requests,
    habits_raw,
    habits_errors,
    habits_names,
)
