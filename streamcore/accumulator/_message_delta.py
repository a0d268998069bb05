"""What `message_delta` events do to a message: a value replaces the old one; null and absent fields change nothing.

Fields that no class knows are copied too: those of the usage to the usage, the others to the message.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from streamcore._objects.construct import evolve
from streamcore.types import Message, MessageDelta, MessageDeltaEvent, MessageDeltaUsage, WireObject
from streamcore.types.base import extend, wire_fields, with_extra

__all__ = ["MESSAGE_FIELDS", "after_deltas"]

MESSAGE_FIELDS = {field.name for field in wire_fields(Message)} | {"type"}
"""Unknown fields with these names are not copied: in a message they mean something else."""

_DELTA_FIELDS = [field.name for field in wire_fields(MessageDelta)]
_USAGE_FIELDS = [field.name for field in wire_fields(MessageDeltaUsage)]
_OTHER_FIELDS = [field.name for field in wire_fields(MessageDeltaEvent) if field.name not in ("delta", "usage")]


def after_deltas(message: Message, events: Iterable[MessageDeltaEvent]) -> Message:
    """Return the message after these events.

    The events are merged first: copying the message for each event would copy its unknown fields each time.
    """
    changes: dict[str, Any] = {}
    usage: dict[str, Any] = {}
    unknown: dict[str, Any] = {}
    for event in events:
        _collect(event, _OTHER_FIELDS, changes)
        _collect(event.delta, _DELTA_FIELDS, changes)
        _collect(event.usage, _USAGE_FIELDS, usage)
        if event.usage.extra:
            usage |= {name: value for name, value in event.usage.extra.items() if value is not None}
        if event.extra or event.delta.extra:
            given = {**event.extra, **event.delta.extra}
            unknown |= {name: value for name, value in given.items() if name not in MESSAGE_FIELDS}
    if usage:
        changes["usage"] = extend(message.usage, usage)
    changed = evolve(message, changes)
    return with_extra(changed, unknown) if unknown else changed


def _collect(value: WireObject, names: list[str], changes: dict[str, Any]) -> None:
    """Add the fields with these names that are not None to `changes`."""
    for name in names:
        if (field := getattr(value, name)) is not None:
            changes[name] = field
