r"""Turn JSON text into a value, one fragment after the other.

The strategy:

1. `Scanner.scan` is one loop; each round takes one token. Regular expressions take a run of text, a number or a run of
   blanks in one call, so the loop does not look at single characters of them.
2. Between two fragments the scanner remembers its state (what may come next), the stack of open containers with the key
   that each is at, and the open string so far. Nothing that was scanned is scanned again.
3. A token that is cut off stays in `_tail` and is put before the next fragment: part of a number, a literal or an
   escape. Only a number can be long, and it is limited to 4300 digits in a row.
4. A value is put into its container when it closes, and a container becomes immutable then. Open containers therefore
   have closed, immutable values only, and `snapshot` needs to copy no more than the open containers themselves: their
   own level, not what lies inside. So each container is copied once when it closes, and at each read while it is open.
5. The first character that no valid text could have there is the fault. The scanner stops at it and keeps what it has.
"""

from __future__ import annotations

import enum
from typing import Any, Final, NamedTuple

from streamcore._objects.immutable import ImmutableDict, ImmutableList, sealed
from streamcore.partial_json._tokens import (
    BLANKS,
    DIGITS,
    LITERALS,
    MAX_DIGITS,
    find_long_digits,
    match_blanks,
    match_cut_escape,
    match_number,
    match_part_with_halves,
    match_string_part,
    to_integer,
    unescape,
)

__all__ = ["ABSENT", "Fault", "Scanner", "State", "ValueAt"]

ABSENT: Final[Any] = object()
"""No value; `None` is the value of `null`."""


class State(enum.Enum):
    """What may come next, apart from blanks."""

    VALUE = ("a value", "")
    VALUE_OR_END = ("a value or ']'", "]")
    KEY = ("a key in double quotes", "")
    KEY_OR_END = ("a key in double quotes or '}'", "}")
    COLON = ("':'", "")
    COMMA_OR_ARRAY_END = ("',' or ']'", "]")
    COMMA_OR_OBJECT_END = ("',' or '}'", "}")
    REST_OF_STRING = ("the rest of a string", "")
    REST_OF_KEY = ("the rest of a key", "")
    NOTHING = ("nothing after the value", "")

    def __init__(self, expected: str, closer: str) -> None:
        self.expected = expected
        """The state in words, for error messages."""
        self.closer = closer
        """The bracket that may close the innermost container here, or an empty string."""


# The loop compares states by identity. A name of the module is found faster than a member of the class.
_VALUE: Final = State.VALUE
_VALUE_OR_END: Final = State.VALUE_OR_END
_KEY: Final = State.KEY
_KEY_OR_END: Final = State.KEY_OR_END
_COLON: Final = State.COLON
_COMMA_OR_ARRAY_END: Final = State.COMMA_OR_ARRAY_END
_COMMA_OR_OBJECT_END: Final = State.COMMA_OR_OBJECT_END
_REST_OF_STRING: Final = State.REST_OF_STRING
_REST_OF_KEY: Final = State.REST_OF_KEY
_NOTHING: Final = State.NOTHING


class ValueAt(NamedTuple):
    """A value and its place: object keys and array indexes, from the top down."""

    path: tuple[str | int, ...]
    value: Any


class Fault(NamedTuple):
    """Why a text cannot be read further; `offset` is the number of characters before the wrong one."""

    offset: int
    message: str
    is_over_limit: bool = False


class Scanner:
    """The state of reading one JSON text. It keeps the value so far, but not the text.

    It serves two readers. `PartialJSON` wants the value so far: `snapshot`. Others want certain values as soon as they
    are complete: with a `watch_depth`, `take_closed` returns the values that close inside exactly that many containers.
    These are handed over and not kept, so `snapshot` shows None in their places.

    Args:
        trailing_strings: Whether a string value that is still open belongs to the snapshot.
        max_depth: How many containers may lie around a value.
        watch_depth: The depth for `take_closed`; by default no values are collected, at no cost.

    Attributes:
        state: What may come next.
        containers: The open containers, outermost first, with their closed values.
        number: The value of a number that ends the text and may go on, or `ABSENT`.
        fault: Why scanning stopped, if it did. Do not call `scan` again then.
        keeps_halves: Whether a string may contain half of a surrogate pair. JSON in bytes cannot, so it is a fault by
            default.
    """

    __slots__ = (
        "_closed",
        "_keys",
        "_max_depth",
        "_offset",
        "_root",
        "_string",
        "_tail",
        "_trailing_strings",
        "_watch_depth",
        "containers",
        "fault",
        "keeps_halves",
        "number",
        "state",
    )

    def __init__(self, *, trailing_strings: bool = True, max_depth: int = 200, watch_depth: int | None = None) -> None:
        self._trailing_strings = trailing_strings
        self._max_depth = max_depth
        self._watch_depth = watch_depth
        self._closed: list[ValueAt] | None = None  # most scanners watch nothing, and need no list
        self.state: State = _VALUE
        self.containers: list[Any] = []
        self._keys: list[str | None] = []  # the key that each open container is at; None for an array
        self._root: Any = ABSENT  # the value at the top, once it is closed
        self._string = ""  # the open string so far, in the two states for the rest of one
        self.number: Any = ABSENT
        self.fault: Fault | None = None
        self.keeps_halves: bool = False
        self._tail = ""  # the token that was cut off
        self._offset = 0  # number of characters before `_tail`

    def scan(self, fragment: str) -> bool:
        """Take in more of the text. Return whether `snapshot` may differ from before.

        Cost: linear in the fragment and the token that was cut off. The loop is long because it is the hot path of tool
        input, where a function call for each token would be felt.
        """
        containers: list[Any] = self.containers
        keys, state, string = self._keys, self.state, self._string
        match_part = match_part_with_halves if self.keeps_halves else match_string_part
        text = self._tail + fragment
        position, end = 0, len(text)
        value: Any
        changed = self.number is not ABSENT  # it is read again, and may become another number
        if changed:
            self.number = ABSENT
        # CPython extends a string in place while only one name refers to it; so growing one is linear.
        self._string = ""
        wrong, limit = -1, ""  # the position of a fault, and the message if a limit is the reason
        while position < end:
            # Each branch does one of three things. It leaves a closed value in `value`, which is put into its container
            # below; or it moves on to the next token with `continue`; or it ends the loop with `break`, at a token that
            # is cut off or at a fault.
            char = text[position]
            if state is _REST_OF_STRING or state is _REST_OF_KEY:
                stop = match_part(text, position).end()
                if stop > position:
                    part = text[position:stop]
                    if "\\" in part:
                        part = unescape(f'"{part}"')
                    string += part
                    position = stop
                    if state is _REST_OF_STRING and self._trailing_strings:
                        changed = True
                    if position == end:
                        break
                if text[position] != '"':
                    escape = match_cut_escape(text, position)
                    if escape is None or escape.end() < end:
                        wrong = position if escape is None else escape.end()
                    break
                position += 1
                if state is _REST_OF_KEY:
                    keys[-1], state = string, _COLON
                    continue
                value = string
            elif char in BLANKS:
                position = match_blanks(text, position).end()
                continue
            # Punctuation.
            elif char == "," and state is _COMMA_OR_ARRAY_END:
                position += 1
                state = _VALUE
                continue
            elif char == "," and state is _COMMA_OR_OBJECT_END:
                position += 1
                state = _KEY
                continue
            elif char == ":" and state is _COLON:
                position += 1
                state = _VALUE
                continue
            elif char == state.closer:
                position += 1
                keys.pop()
                value = sealed(containers.pop())
            elif char == '"' and (state is _KEY or state is _KEY_OR_END):
                position += 1
                state, string = _REST_OF_KEY, ""
                continue
            # The start of a value.
            elif state is not _VALUE and state is not _VALUE_OR_END:
                wrong = position
                break
            elif len(containers) > self._max_depth:
                wrong, limit = position, f"a JSON value lies in more than {self._max_depth} containers"
                break
            elif char == '"':
                position += 1
                state, string = _REST_OF_STRING, ""
                if self._trailing_strings:
                    changed = True
                continue
            elif char == "{":
                position += 1
                containers.append({})
                keys.append("")
                state, changed = _KEY_OR_END, True
                continue
            elif char == "[":
                position += 1
                containers.append([])
                keys.append(None)
                state, changed = _VALUE_OR_END, True
                continue
            elif char in DIGITS or (char == "-" and text[position + 1 : position + 2] != "I"):
                number = match_number(text, position)
                token, stop = number[0], number.end()
                if len(token) > MAX_DIGITS and (digits := find_long_digits(token)) is not None:
                    wrong, limit = position + digits.end() - 1, f"a number has more than {MAX_DIGITS} digits in a row"
                    break
                if token[-1] not in DIGITS:  # `-`, `1.` or `1e`, which are not numbers yet
                    wrong = stop if stop < end else -1
                    break
                value = to_integer(token) if number.lastindex is None else float(token)
                if stop == end:
                    # The next fragment may bring more digits; until then this is the value.
                    self.number, changed = value, True
                    break
                position = stop
            elif char in LITERALS:
                word, value = LITERALS[char]
                part = text[position : position + len(word)]
                if part != word:
                    if not word.startswith(part):
                        wrong = position + next(i for i, letter in enumerate(part) if letter != word[i])
                    break
                position += len(word)
            else:
                wrong = position
                break
            # A value has closed.
            changed = True
            depth = len(containers)
            if depth == self._watch_depth:
                if self._closed is None:
                    self._closed = []
                self._closed.append(ValueAt(self._path(), value))
                value = None
            if depth == 0:
                self._root, state = value, _NOTHING
            elif (key := keys[-1]) is not None:
                containers[-1][key] = value
                state = _COMMA_OR_OBJECT_END
            else:
                containers[-1].append(value)
                state = _COMMA_OR_ARRAY_END
        self.state, self._string = state, string
        self._tail = text[position:] if position < end else ""
        if wrong >= 0:
            self.fault = Fault(
                self._offset + wrong, limit or f"wrong JSON: expected {state.expected}", is_over_limit=bool(limit)
            )
        self._offset += position
        return changed

    def take_whole(self, value: Any, length: int) -> None:
        """Take over the value of a whole text of this length, instead of scanning it."""
        self._root, self.state, self._offset = value, _NOTHING, length

    def end(self) -> None:
        """Accept that the text ends here, or set `fault`. The snapshot stays the same."""
        # A number at the top ends with the text, as if a blank followed. Other values have an end of their own.
        if self._tail and not self.containers and self.state is _VALUE:
            self.scan(" ")
        if self.fault is None and self.state is not _NOTHING:
            message = f"the JSON text ends too early: expected {self.state.expected}"
            self.fault = Fault(self._offset + len(self._tail), message)

    def snapshot(self) -> Any:
        """Return the value so far, or None if none has begun.

        It cannot be changed: each open container is copied, with the copy of the next one inside it. Closed ones are
        immutable already, and shared.
        """
        if self._root is not ABSENT:
            return self._root
        value: Any = self._string if self.state is _REST_OF_STRING and self._trailing_strings else self.number
        for level in range(len(self.containers) - 1, -1, -1):
            container, key = self.containers[level], self._keys[level]
            if key is not None:
                copy: ImmutableDict[str, Any] = ImmutableDict(container)
                if value is not ABSENT:
                    dict.__setitem__(copy, key, value)
                value = copy
            elif value is ABSENT:
                value = ImmutableList(container)
            else:
                # To append to the copy would have to enlarge it, and so copy it again.
                container.append(value)
                value = ImmutableList(container)
                container.pop()
        return None if value is ABSENT else value

    @property
    def done(self) -> bool:
        """Whether nothing more can come: the value is complete, or the text is wrong."""
        return self.state is _NOTHING or self.fault is not None

    def take_closed(self) -> list[ValueAt]:
        """Return the values that have closed at the watched depth since the last call, in their order.

        A value closes with its last character; a number, with the character after it. If an object has a key twice,
        both values are returned. Values before a fault are returned too.
        """
        closed, self._closed = self._closed, None
        return closed or []

    def open_string(self) -> ValueAt | None:
        """Return the string value that is open at the watched depth, as far as it has arrived, or None."""
        if self.state is not _REST_OF_STRING or len(self.containers) != self._watch_depth:
            return None
        return ValueAt(self._path(), self._string)

    def open_path(self) -> tuple[str | int, ...] | None:
        """Return the place of the innermost value that is open, or None if nothing is open.

        A number is open until the character after it. A literal, which has no value before it is whole, never is.
        """
        path = self._path()
        if self.state is _REST_OF_STRING or self.number is not ABSENT:
            return path
        return path[:-1] if path else None

    def _path(self) -> tuple[str | int, ...]:
        """Return the place of the next value in the innermost container."""
        places = zip(self.containers, self._keys, strict=True)
        return tuple([len(container) if key is None else key for container, key in places])
