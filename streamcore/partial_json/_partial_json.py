"""Store the text of a JSON document that arrives in fragments, and parse it on demand.

What it costs:

- `feed` appends to a buffer and looks at nothing.
- A read scans what was fed since the last read. If that added nothing to the value, the read returns the same object as
  before. Otherwise it copies the open containers (their own level only: closed values are shared by all reads) and the
  open string or number. A string can be long, so do not read after every few characters of a very long one.
- A text that is whole when it is first read is decoded at once.
"""

from __future__ import annotations

import contextlib
import io
import sys
from typing import Any, Self

from streamcore._checkpoint import read_checkpoint, write_checkpoint
from streamcore._objects.not_copyable import NotCopyable
from streamcore._objects.state import Count, SavedState
from streamcore.errors import DecodeError, EventOrderError, LimitExceededError, ProtocolError
from streamcore.partial_json._scanner import ABSENT, Fault, Scanner, State
from streamcore.partial_json._whole import decode_whole

__all__ = ["PartialJSON", "join_parts"]


class PartialJSONState(SavedState):
    """The state of a `PartialJSON`. Its value depends on the text alone, so it is read again from that.

    Attributes:
        text: The text.
        trailing_strings: Whether a string value that is still open belongs to the value.
        max_depth: How many containers may lie around a value.
        joins_halves: Whether the first half of a surrogate pair at the end may yet be replaced by the pair.
        closed: Whether the text has ended.
        faulty_at: The length of the text when a fault in it was found, for the error's `received`.
    """

    text: str
    trailing_strings: bool
    max_depth: Count
    joins_halves: bool = False
    closed: bool = False
    faulty_at: Count | None = None


class PartialJSON(NotCopyable):
    """The value of a JSON text that arrives in fragments, cut anywhere.

    The value is what a reader would have if the text ended here: open containers count as closed, and an open string
    counts as far as it has arrived. Read it at any time, after every fragment or only at the end: which texts are
    accepted and which values they have depends on the text alone.

    A value that was returned never changes afterwards. Its closed parts are the same objects in all later values.
    Therefore the dicts and lists in it are immutable: methods that would change them raise `TypeError`. Copies of
    them (`dict(value)`, `copy.deepcopy(value)`) are ordinary ones.

    Numbers may have 4300 digits in a row, also where jiter accepts more (fractions and exponents).

    Args:
        trailing_strings: Whether a string value that is still open belongs to the value, as far as it has arrived.
        max_depth: How many containers may lie around a value; 200 is the limit of jiter.

    Attributes:
        buffer: The text. Writing to it is the same as `feed`, without the check for `close`, in a third of the time.
        joins_halves: Whether the first half of a surrogate pair at the end of the buffer may yet be replaced by the
            pair. That half is not parsed before more text has arrived. A half that stays alone is kept; by default it
            is wrong.
    """

    __slots__ = (
        "_ended",
        "_error",
        "_joined",
        "_max_depth",
        "_read_to",
        "_scanner",
        "_trailing_strings",
        "_value",
        "_wide",
        "buffer",
        "joins_halves",
    )

    def __init__(self, *, trailing_strings: bool = True, max_depth: int = 200) -> None:
        self._max_depth = max_depth
        self._trailing_strings = trailing_strings
        self._scanner = Scanner(trailing_strings=trailing_strings, max_depth=max_depth)
        # A list of fragments would take fifty bytes more for each of them.
        self.buffer: io.StringIO = io.StringIO()
        self._joined = 0  # what `join_parts` returned last
        # A StringIO stores ASCII text in one byte a character until it is read before its end; then, in four.
        self._wide = False
        self._read_to = 0  # how many characters the scanner has got
        self._value: Any = None  # the value at the last read, or ABSENT if it has changed
        self._error: ProtocolError | None = None
        self._ended = False
        self.joins_halves: bool = False

    # The text

    def feed(self, fragment: str) -> None:
        """Append text, without looking at it: the next read raises what is wrong with it.

        Raises:
            EventOrderError: `close` was called before.
        """
        if self._ended:
            raise EventOrderError(
                "JSON text after close()", offset=len(self.text), offset_unit="character", received=fragment
            )
        self.buffer.write(fragment)

    @property
    def length(self) -> int:
        """The number of characters fed so far."""
        return self.buffer.tell()

    @property
    def text(self) -> str:
        """A copy of all the text fed so far."""
        return self.buffer.getvalue()

    def since(self, offset: int) -> str:
        """Return the text after its first `offset` characters, in time linear in what is returned."""
        self.buffer.seek(min(offset, self.length))
        return self.buffer.read()  # this leaves the buffer at its end, where `feed` goes on

    def compact(self) -> None:
        """Reduce the memory that the text takes. Call it now and then if there are many fragments."""
        self._joined = join_parts(self.buffer, self._joined)

    def settle(self) -> None:
        """Store the text in one byte a character again. Call it when hardly any more text will come.

        It replaces `buffer`.
        """
        if self._wide:
            text = self.text
            self.buffer = io.StringIO()
            self.buffer.write(text)
            self._wide, self._joined = False, len(text)

    # The value

    @property
    def value(self) -> Any:
        """The value of the text so far, None if none has begun.

        Raises:
            DecodeError: No valid JSON text starts like this. `offset` is the number of characters before the fault.
            LimitExceededError: A value lies deeper than `max_depth`, or a number has more than 4300 digits in a row.
        """
        self._check()
        return self._snapshot()

    @property
    def best(self) -> Any:
        """The same as `value`, or if that raises, the value of the text before the fault."""
        self._read()
        return self._snapshot()

    @property
    def error(self) -> ProtocolError | None:
        """The `DecodeError` or `LimitExceededError` that `value` raises, or None."""
        self._read()
        return self._error

    @property
    def complete(self) -> bool:
        """Whether one whole value has arrived. A number at the top is whole when a blank follows, or at `close`.

        Raises:
            DecodeError, LimitExceededError: As for `value`.
        """
        self._check()
        return self._scanner.state is State.NOTHING

    def close(self) -> Any:
        """Return the value of the text, which ends here. May be called again.

        Raises:
            DecodeError: As for `value`, or the text ended before its value did. `error` and `value` report it from now
                on.
            LimitExceededError: As for `value`.
        """
        self._read()
        if not self._ended:
            self._ended = True
            if self._error is None:
                self._scanner.end()
                if self._scanner.fault is not None:
                    self._error = self._error_of(self._scanner.fault)
        self._check()
        return self._snapshot()

    # Checkpoints

    def checkpoint(self) -> bytes:
        """Return the state as bytes, at any moment. This changes nothing."""
        state = PartialJSONState(
            text=self.text,
            trailing_strings=self._trailing_strings,
            max_depth=self._max_depth,
            joins_halves=self.joins_halves,
            closed=self._ended,
            faulty_at=None if self._error is None else len(self._error.received or ""),
        )
        return write_checkpoint("PartialJSON", state)

    @classmethod
    def restore(cls, data: bytes, *, max_depth: int | None = None) -> Self:
        """Return a `PartialJSON` that goes on from a checkpoint as the original would have.

        Args:
            data: What `checkpoint` returned.
            max_depth: How many containers may lie around a value, in place of the number of the original.

        Raises:
            CheckpointError: It is not a valid checkpoint of a `PartialJSON`.
            InvalidArgumentError: `data` is not bytes.
        """
        state = read_checkpoint(data, "PartialJSON", PartialJSONState)
        json = cls(
            trailing_strings=state.trailing_strings, max_depth=state.max_depth if max_depth is None else max_depth
        )
        json.joins_halves = state.joins_halves
        if state.faulty_at is not None:
            json.feed(state.text[: state.faulty_at])
            json._read()  # finds the fault when the original found it, so that the error has the same text
        json.feed(state.text[json.length :])
        if state.closed:
            with contextlib.suppress(ProtocolError):  # `value` raises it
                json.close()
        return json

    # The state of the text

    @property
    def open_path(self) -> tuple[str | int, ...] | None:
        """The place of the innermost value that is open at the end of the text, or None if nothing is open.

        More text can change nothing in `best` but the values on the way to it, and what they do not yet have. If an
        object has a key twice, the open value need not be the last one in it.
        """
        self._read()
        return self._scanner.open_path()

    # Reading

    def _read(self) -> None:
        """Scan what was fed since the last read."""
        buffer = self.buffer
        start, end = self._read_to, buffer.tell()
        if start == end:
            return
        self._read_to = end
        if self._error is not None:
            return
        scanner = self._scanner
        scanner.keeps_halves = self.joins_halves
        if start:
            self._wide = True
            buffer.seek(start)
            text = buffer.read()
        else:
            text = buffer.getvalue()
            value = decode_whole(text, self._max_depth)
            if value is not ABSENT:
                scanner.take_whole(value, end)
                self._value = value
                return
        # Half of a surrogate pair, at the end and in a string, waits for the other half.
        half = text[-1] if self.joins_halves and "\ud800" <= text[-1] <= "\udbff" else ""
        if half:
            text = text[:-1]
        if scanner.scan(text):
            self._value = ABSENT
        if half and scanner.state in (State.REST_OF_STRING, State.REST_OF_KEY):
            self._read_to -= 1
        elif half and scanner.scan(half):
            self._value = ABSENT
        if scanner.fault is not None:
            self._error = self._error_of(scanner.fault)

    def _error_of(self, fault: Fault) -> ProtocolError:
        kind = LimitExceededError if fault.is_over_limit else DecodeError
        return kind(fault.message, offset=fault.offset, offset_unit="character", received=self.text)

    def _check(self) -> None:
        self._read()
        if self._error is not None:
            # The same exception is raised each time; without this, its traceback would grow.
            raise self._error.with_traceback(None)

    def _snapshot(self) -> Any:
        if self._value is ABSENT:
            self._value = self._scanner.snapshot()
        return self._value


def join_parts(buffer: io.StringIO, joined: int) -> int:
    """Reduce the memory that a growing `StringIO` takes. Return the number of characters to pass as `joined` next time.

    Before Python 3.12, a StringIO is a list of the fragments inside, with fifty bytes more for each, until its value is
    read. Reading copies the text, so this does it only when an eighth has been added since: the copies of a text that
    grows are in total nine times as long as the text.
    """
    length = buffer.tell()
    if sys.version_info < (3, 12) and length >= joined + (joined >> 3):
        buffer.getvalue()
        return length
    return joined
