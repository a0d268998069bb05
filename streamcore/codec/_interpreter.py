"""Decide which event a payload and its name mean: the order of precedence, in one place.

The caller comes here with payloads that the generated functions refuse, and with payloads whose name is not their type.
An ordinary payload never comes here. The order:

1. The name `error` makes it an error, unless the payload has the type of another event that we know.
2. The payload's own type. An object that has no type but an `error` is an error too.
3. The name, if the payload is an object without a type, or if the name is `ping`.
4. Otherwise it is an event without a type: unknown once the message has begun, an error before.

Each deviation that is accepted is reported as a violation, which strict mode raises.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, Protocol, TypeVar, get_args

from streamcore.codec._error_events import error_event, is_error
from streamcore.codec._json import parse_json
from streamcore.errors import DecodeError, ViolationLog, excerpt
from streamcore.types import MessageStopEvent, MessageStreamEvent, PingEvent, UnknownEvent
from streamcore.types.base import type_tag, with_extra
from streamcore.types.structuring import UNUSUAL, Deviation, StructureError, kind_of, read

__all__ = ["EVENT_TYPES", "EventInterpreter", "EventKind", "Progress", "means_error", "structure_or_read"]

EventT = TypeVar("EventT")

EVENT_TYPES = frozenset(tag for cls in get_args(MessageStreamEvent) if (tag := type_tag(cls)) is not None)
"""The types of all events that this version knows."""

_DONE = b"[DONE]"
_UNNAMED = (None, "message")  # the standard gives the second name to an event without one


class EventKind(NamedTuple):
    """Typed events, or raw ones.

    Attributes:
        annotation: The union of the events.
        structure: Makes an event of an ordinary payload, or raises one of `UNUSUAL`.
    """

    annotation: Any
    structure: Callable[[Any], Any]


class Progress(Protocol):
    """How far the message has come: the part that decides what some payloads mean."""

    @property
    def has_begun(self) -> bool:
        """Whether `message_start` has arrived."""
        ...

    @property
    def lacks_only_stop(self) -> bool:
        """Whether all blocks are closed, the stop reason has arrived, and `message_stop` has not."""
        ...


class EventInterpreter(Generic[EventT]):
    """Decide what unusual payloads mean.

    Args:
        kind: Typed events or raw ones.
        progress: How far the message has come.
        log: Where violations are reported.
        max_depth: How many arrays and objects may be nested.
    """

    __slots__ = ("_kind", "_log", "_max_depth", "_progress")

    def __init__(self, kind: EventKind, progress: Progress, log: ViolationLog, *, max_depth: int) -> None:
        self._kind = kind
        self._progress = progress
        self._log = log
        self._max_depth = max_depth

    def event_of(self, name: str | None, payload: bytes) -> EventT | None:
        """Return the event in a payload, or None if it means nothing.

        Args:
            name: The name that came beside the payload.
            payload: The bytes, which need not be JSON. Invalid UTF-8 is read as U+FFFD.

        Raises:
            DecodeError: The payload is not an event. In strict mode, also what would be a violation.
            LimitExceededError: It nests too deep.
        """
        content = payload.strip()
        if content == _DONE and name not in ("ping", "error"):
            done: EventT | None = self._event_of_done()
            return done
        if not content and name not in ("ping", "error"):
            self._log.report("empty_data", f"an event came with empty data; its name is {excerpt(name or '')}")
            return None
        event: EventT = self._event_of_text(name, payload)
        return event

    def _event_of_done(self) -> Any:
        """Return the event that `[DONE]` stands for; other APIs end their streams with it."""
        if self._progress.lacks_only_stop:
            self._log.report("done_sentinel", "[DONE] came in place of message_stop", taken_for="message_stop")
            return MessageStopEvent()
        self._log.report("done_sentinel", "[DONE] came, which belongs to another protocol; it was ignored")
        return None

    def _event_of_text(self, name: str | None, payload: bytes) -> Any:
        """Return the event in a payload that is neither empty nor `[DONE]`."""
        # The standard says that invalid UTF-8 is read as U+FFFD.
        text = payload.decode("utf-8", "replace")
        try:
            value = parse_json(text.encode(), max_depth=self._max_depth)
        except DecodeError:
            if name == "error":
                return self._error(name, text)
            if name == "ping":
                return self._odd_ping(text, {})
            raise
        if type(value) is dict:
            return self.event_of_object(name, value)
        if name == "error":
            return self._error(name, value)
        if name == "ping":
            return self._odd_ping(text, {})
        raise DecodeError(f"the payload is not an object but {kind_of(value)}", received=payload)

    def event_of_object(self, name: str | None, value: dict[str, Any]) -> Any:
        """Return the event in a JSON object. The arguments and errors are those of `event_of`."""
        if means_error(name, value):
            return self._error(name, value)
        event_type = value.get("type")
        if name == "ping" and not _is_known(event_type):
            return self._odd_ping(_whole(value), {key: value[key] for key in value if key != "type"})
        if event_type is None:
            return self._event_of_typeless(name, value)
        event = self._event_of_typed(value)
        if name is None or name != event_type:
            self.report_name(name, event_type)
        return event

    def report_name(self, name: str | None, event_type: object) -> None:
        """Report that the name beside a payload is not the payload's type."""
        found = "the event: line is missing" if name is None else f"the event: line says {excerpt(name)}"
        taken_for = excerpt(str(event_type))
        self._log.report(
            "event_name",
            f"{found} where the payload's type is {taken_for}",
            received=None if name is None else excerpt(name),
            taken_for=taken_for,
        )

    def _error(self, name: str | None, payload: Any) -> Any:
        """Return the event of an error. Report it unless it has the API's form and the name `error`."""
        event, is_canonical = error_event(payload)
        if not is_canonical or name != "error":
            shown = _shown(payload)
            self._log.report(
                "odd_error",
                f"an error came in an unusual form: {'' if name == 'error' else 'not named error, '}{shown}",
                received=shown,
                taken_for=excerpt(f"{event.error.type}: {event.error.message}"),
            )
        return event

    def _odd_ping(self, shown: str, extra: dict[str, Any]) -> Any:
        """Return a ping, and report its payload."""
        self._log.report(
            "odd_ping",
            f"a ping came whose payload is {excerpt(shown)}",
            received=excerpt(shown),
            taken_for=excerpt("ping"),
        )
        return with_extra(PingEvent(), extra) if extra else PingEvent()

    def _event_of_typeless(self, name: str | None, value: dict[str, Any]) -> Any:
        """Return the event in an object without a type: that of its name if it has one, otherwise an unknown event."""
        rest = {key: value[key] for key in value if key != "type"}
        if name not in _UNNAMED:
            event = self._event_of_typed({"type": name, **rest})
            self._log.report(
                "missing_type",
                f"the payload of an event named {excerpt(str(name))} has no type",
                path="$.type",
                taken_for=excerpt(str(name)),
            )
            return event
        if not self._progress.has_begun:
            raise DecodeError("the payload has no type", received=_whole(value))
        self._log.report(
            "typeless_event", f"an event without a type came: {_shown(value)}", path="$.type", received=_shown(value)
        )
        return UnknownEvent(data=rest)

    def _event_of_typed(self, value: dict[str, Any]) -> Any:
        """Return the event in an object with a type, and report the values in it that were taken for others."""
        event, deviations = structure_or_read(self._kind, value)
        index = getattr(event, "index", None)
        for deviation in deviations:
            self._log.report(
                deviation.kind,
                deviation.message,
                index=index if type(index) is int else None,
                path=deviation.path,
                received=deviation.received,
                taken_for=deviation.taken_for,
            )
        return event


def means_error(name: str | None, value: Any) -> bool:
    """Return whether a JSON value is an error: the first rule, and what the second one says of errors."""
    if type(value) is not dict:
        return name == "error"
    return is_error(value) or (name == "error" and not _is_known(value.get("type")))


def _is_known(event_type: object) -> bool:
    return type(event_type) is str and event_type in EVENT_TYPES


def structure_or_read(kind: EventKind, value: dict[str, Any]) -> tuple[Any, list[Deviation]]:
    """Return the event in an object, and the values in it that were taken for others.

    Args:
        kind: Typed events or raw ones.
        value: The JSON object.

    Raises:
        DecodeError: The object has no `type`, or a known field of it is missing or has the wrong type.
    """
    try:
        return kind.structure(value), []
    except UNUSUAL:
        pass  # the plain path decides, outside of this handler
    if type(value.get("type")) is not str:
        raise DecodeError("the payload has no type", received=_whole(value))
    deviations: list[Deviation] = []
    try:
        return read(value, kind.annotation, deviations), deviations
    except StructureError as error:
        fault = str(error)
    raise DecodeError(f"the payload is not a valid {excerpt(value['type'])} event: {fault}", received=_whole(value))


def _whole(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=repr)


def _shown(value: Any) -> str:
    return excerpt(value if type(value) is str else _whole(value))
