"""The exceptions for a peer that breaks the protocol, and `Violation` for deviations that lose nothing.

A `ProtocolError` says where the fault is. The layer that notices a fault fills in what it knows (an offset into its own
input, a block index), and the layers above add the rest while the exception passes through them.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Literal

import attrs

from streamcore._objects.state import SavedState

if TYPE_CHECKING:
    from streamcore.types import Message

__all__ = [
    "CheckpointError",
    "DecodeError",
    "EventOrderError",
    "IncompleteStreamError",
    "InvalidArgumentError",
    "InvalidJSON",
    "LimitExceededError",
    "NoTextError",
    "ProtocolError",
    "StreamCoreError",
    "Violation",
    "ViolationKind",
]

_EXCERPT_LENGTH = 120

# Errors are logged and shown on screens, so every message is cut to this length.
_MAX_MESSAGE_LENGTH = 1500


class StreamCoreError(Exception):
    """Base of every exception that streamcore raises."""


class InvalidArgumentError(StreamCoreError, ValueError):
    """An argument is invalid. Nothing was sent or consumed."""


class CheckpointError(StreamCoreError, ValueError):
    """A checkpoint cannot be read, does not belong to what it is given to, or cannot be made."""


class NoTextError(StreamCoreError, RuntimeError):
    """The text of a message was asked for, and the complete message has no text block."""


class ProtocolError(StreamCoreError):
    """The peer broke the protocol.

    Attributes:
        message: The fault, without the place. It has at most some 1,500 characters, however long the values are that
            the peer sent; `received` has all of what arrived.
        offset: Where the fault is. From an engine or a decoder of bytes: the number of bytes of the stream before the
            frame at fault. From `PartialJSON` alone: the number of characters of JSON text before the fault.
        offset_unit: What `offset` counts: `"byte"` or `"character"`.
        event_number: How many events had been decoded before this one (so the first event is number 0).
        index: Index of the content block concerned.
        snapshot: The message as it was before the fault, `None` before `message_start`.
        received: The whole payload, line or text at fault, for a program to look at.
    """

    message: str
    offset: int | None
    offset_unit: Literal["byte", "character"]
    event_number: int | None
    index: int | None
    snapshot: Message | None
    received: str | bytes | None

    def __init__(
        self,
        message: str,
        *,
        offset: int | None = None,
        offset_unit: Literal["byte", "character"] = "byte",
        event_number: int | None = None,
        index: int | None = None,
        snapshot: Message | None = None,
        received: str | bytes | None = None,
    ) -> None:
        message = shortened(message, _MAX_MESSAGE_LENGTH)
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.offset_unit = offset_unit
        self.event_number = event_number
        self.index = index
        self.snapshot = snapshot
        self.received = received

    def __str__(self) -> str:
        place = [
            f"{name} {value}"
            for name, value in ((self.offset_unit, self.offset), ("event", self.event_number), ("block", self.index))
            if value is not None
        ]
        text = f"{self.message} (at {', '.join(place)})" if place else self.message
        if self.received is not None and (shown := excerpt(self.received)) not in text:
            text += f"; received {shown}"
        return text

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message,), self.__dict__.copy()


class DecodeError(ProtocolError):
    """The bytes are not JSON, or the JSON is not a valid event."""


class EventOrderError(ProtocolError):
    """An event came where the protocol does not allow it, or for a block that does not exist."""


class LimitExceededError(ProtocolError):
    """The stream grew past one of the `Limits`."""


class IncompleteStreamError(ProtocolError):
    """The input ended before `message_stop`."""


InvalidJSON = Literal["raise", "keep"]
"""What happens if the input of a tool is not valid JSON."""

ViolationKind = Literal[
    "event_name",
    "done_sentinel",
    "repeated_message_start",
    "after_block_stop",
    "unclosed_block",
    "missing_message_delta",
    "after_message_stop",
    "incomplete_input",
    "unapplied_delta",
    "missing_field",
    "odd_number",
    "missing_type",
    "typeless_event",
    "odd_ping",
    "odd_error",
    "empty_data",
    "missing_blank_line",
    "misplaced_delta",
    "lone_surrogate",
    "invalid_input",
]
"""What a `Violation` is about. The table in `codec/README.md` says what each kind means."""

# What strict mode raises instead of recording. The kinds that are not here are recorded in strict mode too: something
# new (`unapplied_delta`), input that ended early (`incomplete_input`), input that the caller asked to keep
# (`invalid_input`), error messages of servers (`odd_error`), and valid JSON (`lone_surrogate`).
_STRICT_ERRORS: dict[ViolationKind, type[ProtocolError]] = {
    "event_name": DecodeError,
    "done_sentinel": DecodeError,
    "repeated_message_start": EventOrderError,
    "after_block_stop": EventOrderError,
    "unclosed_block": EventOrderError,
    "missing_message_delta": EventOrderError,
    "after_message_stop": EventOrderError,
    "missing_field": DecodeError,
    "odd_number": DecodeError,
    "missing_type": DecodeError,
    "typeless_event": DecodeError,
    "odd_ping": DecodeError,
    "empty_data": DecodeError,
    "missing_blank_line": IncompleteStreamError,
    "misplaced_delta": EventOrderError,
}

# A proxy may drop every `event:` line of a stream of a million events. That is one deviation, not a million.
_MOST_OF_A_KIND = 100


@attrs.frozen(kw_only=True)
class Violation:
    """A deviation that lost nothing, recorded instead of raised.

    Attributes:
        kind: Which deviation it is.
        message: The deviation in words.
        offset: Bytes of the stream before the frame concerned; `None` when the events did not come from bytes.
        event_number: Number of the event concerned, the first being 0.
        index: Index of the content block concerned, if one is.
        path: Where the field concerned is in the payload, as in JSONPath: `$.message.usage.output_tokens`.
        received: The value that came, as JSON or as Python shows it, shortened; `None` if it was absent.
        taken_for: The value that it was taken for, written in the same way.
    """

    kind: ViolationKind
    message: str
    offset: int | None = None
    event_number: int | None = None
    index: int | None = None
    path: str | None = None
    received: str | None = None
    taken_for: str | None = None

    def __str__(self) -> str:
        return str(ProtocolError(self.message, offset=self.offset, event_number=self.event_number, index=self.index))


class LogState(SavedState):
    """The state of a `ViolationLog`.

    Attributes:
        strict: Whether most violations are raised.
        entries: The violations.
    """

    strict: bool = False
    entries: tuple[Violation, ...] = ()


class ViolationLog:
    """Record violations or, in strict mode, raise them. All layers of an engine share one log.

    At most 100 of a kind are recorded, so that a peer cannot fill the memory. The last of them says so.
    """

    __slots__ = ("_counts", "_entries", "_strict", "length")

    def __init__(self, *, strict: bool = False) -> None:
        self._strict = strict
        self._entries: list[Violation] = []
        self._counts: dict[ViolationKind, int] = {}
        self.length: int = 0

    @property
    def is_strict(self) -> bool:
        """Whether most violations are raised."""
        return self._strict

    @property
    def entries(self) -> tuple[Violation, ...]:
        return tuple(self._entries)

    def report(
        self,
        kind: ViolationKind,
        message: str,
        *,
        index: int | None = None,
        path: str | None = None,
        received: str | None = None,
        taken_for: str | None = None,
    ) -> None:
        """Record a violation. The arguments are the attributes of `Violation`; its message also says `taken_for`.

        Raises:
            ProtocolError: In strict mode, instead.
        """
        if self._strict and kind in _STRICT_ERRORS:
            raise _STRICT_ERRORS[kind](message, index=index)
        count = self._counts.get(kind, 0)
        if count < _MOST_OF_A_KIND:
            self._counts[kind] = count + 1
            if taken_for is not None:
                message += f"; it was taken for {taken_for}"
            if count + 1 == _MOST_OF_A_KIND:
                message += f" (the {_MOST_OF_A_KIND}th of this kind: further ones are not recorded)"
            message = shortened(message, _MAX_MESSAGE_LENGTH)
            self._entries.append(
                Violation(kind=kind, message=message, index=index, path=path, received=received, taken_for=taken_for)
            )
            self.length += 1

    def get_state(self) -> LogState:
        """Return the state for a checkpoint. All entries have their locations by then."""
        return LogState(strict=self._strict, entries=self.entries)

    def set_state(self, state: LogState) -> None:
        """Take over the state of a checkpoint.

        Raises:
            CheckpointError: It has more violations of a kind than are recorded.
        """
        self._strict = state.strict
        self._entries = list(state.entries)
        self._counts = dict(Counter(violation.kind for violation in state.entries))
        if any(count > _MOST_OF_A_KIND for count in self._counts.values()):
            raise CheckpointError(f"the checkpoint has more than {_MOST_OF_A_KIND} violations of a kind")
        self.length = len(self._entries)

    def locate(self, since: int, *, offset: int | None, event_number: int) -> None:
        """Add a location to all entries from number `since` on."""
        for number in range(since, self.length):
            self._entries[number] = attrs.evolve(self._entries[number], offset=offset, event_number=event_number)


def shortened(text: str, length: int = _EXCERPT_LENGTH) -> str:
    """Return the start of a text, with its length if that is not all of it.

    Halves of surrogate pairs, which a server may send, are escaped: a program that prints the text would fail.
    """
    shown = text if len(text) <= length else f"{text[:length]}... ({len(text)} characters in all)"
    return shown if shown.isascii() else shown.encode("utf-8", "backslashreplace").decode()


def excerpt(received: str | bytes, length: int = _EXCERPT_LENGTH) -> str:
    """Return the start of what arrived, as a literal that fits in an error message."""
    shown = repr(received[:length])
    return shown if len(received) <= length else f"{shown}... ({len(received)} in all)"
