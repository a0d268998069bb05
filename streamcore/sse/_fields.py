"""The fields of one event: lines in, a frame out when the blank line comes."""

from __future__ import annotations

from typing import TypeAlias

from streamcore._checkpoint import require
from streamcore._objects.state import Count, SavedState
from streamcore.errors import LimitExceededError
from streamcore.limits import Limits
from streamcore.sse._lines import FIELD_NAMES

__all__ = ["MAX_RETRY_DIGITS", "EventFields", "FieldsState", "Frame"]

Frame: TypeAlias = tuple[str | None, bytes]
"""One dispatched event: its name, `None` if the stream gave none, and its data, undecoded."""

# A longer number is not a plausible time, and `int()` takes quadratic time.
MAX_RETRY_DIGITS = 18

_COLON = 0x3A


class FieldsState(SavedState):
    """The state of `EventFields`.

    Attributes:
        has_begun: Whether a field has come since the last blank line.
        name: The name of the event.
        data: Its data so far, None if no data has come.
        id: The id that the end of the event makes the last one.
        offset: Bytes of the stream before the first field of the latest event that has begun.
        last_event_id: The id that a client would send when it reconnects.
        retry: The latest reconnection time that the stream asked for, in milliseconds.
        event_retry: The reconnection time that came with the latest event.
    """

    has_begun: bool = False
    name: str | None = None
    data: bytes | None = None
    id: str | None = None
    offset: Count = 0
    last_event_id: str | None = None
    retry: Count | None = None
    event_retry: Count | None = None


class EventFields:
    """Collect the fields of an event.

    Args:
        limits: `max_line_size` and `max_event_size` are checked here.
        keep_dataless: Whether an event that has a name and no data gets a frame with empty data. The standard drops it.

    Attributes:
        offset: Bytes of the stream before the first field of the latest event that has begun.
        has_begun: Whether a field has come since the last blank line.
        last_event_id: The id that a client would send when it reconnects; `None` before the first `id` field.
        retry: The latest reconnection time that the stream asked for, in milliseconds.
        event_retry: The reconnection time that came with the latest event, or None.
    """

    __slots__ = (
        "_data",
        "_id",
        "_keep_dataless",
        "_max_event_size",
        "_max_line_size",
        "_name",
        "event_retry",
        "has_begun",
        "last_event_id",
        "offset",
        "retry",
    )

    def __init__(self, limits: Limits, *, keep_dataless: bool = False) -> None:
        self._keep_dataless = keep_dataless
        self._max_line_size = limits.max_line_size
        self._max_event_size = limits.max_event_size
        self._name: str | None = None
        self._data: bytes | bytearray | None = None
        self._id: str | None = None
        self.offset = 0
        self.has_begun = False
        self.last_event_id: str | None = None
        self.retry: int | None = None
        self.event_retry: int | None = None

    def add(self, line: bytes, offset: int) -> None:
        """Take a line that is not blank, without its line end. Comments and unknown fields are ignored.

        Args:
            line: The line.
            offset: Bytes of the stream before it.

        Raises:
            LimitExceededError: The line, or all data of the event, is too long.
        """
        field, _, value = line.partition(b":")
        if field not in FIELD_NAMES:
            return
        if len(line) > self._max_line_size:
            raise LimitExceededError(
                f"a line is longer than {self._max_line_size} bytes",
                offset=offset,
                received=line[: self._max_line_size],
            )
        if not self.has_begun:
            self.has_begun = True
            self.offset = offset
            self._name = self._data = self.event_retry = None
        value = value.removeprefix(b" ")
        if field == b"data":
            self._add_data(value, line)
        elif field == b"event":
            self._name = value.decode("utf-8", "replace") or None
        elif field == b"id":
            if b"\0" not in value:
                self._id = value.decode("utf-8", "replace")
        elif value.isdigit() and len(value) <= MAX_RETRY_DIGITS:
            self.retry = self.event_retry = int(value)

    def _add_data(self, value: bytes, line: bytes) -> None:
        if self._data is None:
            self._data = value
        else:
            # A bytearray and not a list of lines: a list of short lines would take many times their size.
            if type(self._data) is bytes:
                self._data = bytearray(self._data)
            self._data += b"\n" + value
        if len(self._data) > self._max_event_size:
            raise LimitExceededError(
                f"the data of an event is longer than {self._max_event_size} bytes", offset=self.offset, received=line
            )

    def dispatch(self) -> Frame | None:
        """End the event: its blank line has come. Return its frame, or None if it has no data.

        The standard says that an event without data is not dispatched, but its `id` counts.
        """
        if not self.has_begun:
            self.event_retry = None
            return None
        self.has_begun = False
        self.last_event_id = self._id
        frame = self.frame
        self._data = None
        return frame

    @property
    def frame(self) -> Frame | None:
        """The frame of the fields so far, or None if they have no data."""
        if self._data is None:
            return (self._name, b"") if self._keep_dataless and self._name is not None else None
        return self._name, bytes(self._data)

    def get_state(self) -> FieldsState:
        """Return the state for a checkpoint."""
        return FieldsState(
            has_begun=self.has_begun,
            name=self._name,
            data=None if self._data is None else bytes(self._data),
            id=self._id,
            offset=self.offset,
            last_event_id=self.last_event_id,
            retry=self.retry,
            event_retry=self.event_retry,
        )

    def set_state(self, state: FieldsState) -> None:
        """Take over the state of a checkpoint.

        Raises:
            CheckpointError: The state is over a limit or contradicts itself.
        """
        require(len(state.data or b"") <= self._max_event_size, "the data of an event is over the limit")
        require(state.data is None or state.has_begun, "an event has data before it has begun")
        most = 10**MAX_RETRY_DIGITS
        require((state.retry or 0) < most and (state.event_retry or 0) < most, "a retry is too long")
        self.has_begun, self._name, self._data, self._id = state.has_begun, state.name, state.data, state.id
        self.offset, self.last_event_id = state.offset, state.last_event_id
        self.retry, self.event_retry = state.retry, state.event_retry

    def discard(self) -> None:
        """Forget the event that has begun."""
        self.has_begun = False
        self._data = None
