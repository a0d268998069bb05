"""Fragments of one JSON text in, the best value of the text so far out, at any moment.

In go strings, cut anywhere: inside a number, an escape, a surrogate pair. Out comes the value that a reader would have
if the text ended here: open containers are closed, and a string that is still open counts as far as it has come.
This module has never heard of messages, tools or events, and never sees bytes.

What it costs:

- `feed` appends to a buffer and looks at nothing.
- A read scans what was fed since the last one, once; nothing that was scanned is scanned again. Where that has added
  nothing to the value, the read gives the one before. Else it copies the containers that are still open (their own
  level: the closed values inside are shared between all reads) and the string or number that is still open and counts.
  A number is bounded (4300 digits in a row), a string is not.
- A text that is whole when it is first read is one `msgspec` decode and a check of its depth.

The scanner is a loop over tokens, and regular expressions take whole runs of text at a time. What
it remembers is the stack of open containers, the open string so far, and the characters of a token that was cut.

The grammar is RFC 8259 with `NaN`, `Infinity` and `-Infinity`; the reference for values of incomplete text is
`jiter.from_json(text, partial_mode="trailing-strings")`, or `partial_mode=True` without `trailing_strings`. jiter
stops quietly at some wrong JSON (`[1 2`); here a text that no valid document starts with is always an error.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from typing import Any, Final, cast

import attrs
import msgspec

from streamcore._uncopied import Uncopied
from streamcore.errors import DecodeError, EventOrderError, LimitExceededError, ProtocolError

__all__ = ["PartialJSON", "join_parts"]

# What the scanner expects next, and in words. The order matters to `_scan`.
_VALUE, _VALUE_OR_END, _KEY, _KEY_OR_END, _COLON, _COMMA_OR_END, _NOTHING, _REST_OF_STRING, _REST_OF_KEY = range(9)
_EXPECTED: Final = (
    "a value",
    "a value or ']'",
    "a key in double quotes",
    "a key in double quotes or '}'",
    "':'",
    "',' or the end of the container",
    "nothing after the value",
    "the rest of a string",
    "the rest of a key",
)
_MAY_END: Final = frozenset((_VALUE_OR_END, _KEY_OR_END, _COMMA_OR_END))
_LITERALS: Final[dict[str, tuple[str, Any]]] = {
    "t": ("true", True),
    "f": ("false", False),
    "n": ("null", None),
    "N": ("NaN", float("nan")),
    "I": ("Infinity", float("inf")),
    "-": ("-Infinity", float("-inf")),
}

# Possessive quantifiers: none of these can backtrack, so a failed match costs what it has read and no more.
_H = "[0-9a-fA-F]"
_TEXT = r'[^"\\\x00-\x1f\ud800-\udfff]'
_ESCAPE = (
    rf'\\(?:["\\/bfnrt]|u(?:[0-9a-ce-fA-CE-F]{_H}{{3}}|[dD][0-7]{_H}{{2}}'
    rf"|[dD][89abAB]{_H}{{2}}\\u[dD][c-fC-F]{_H}{{2}}))"
)
_RUN = rf"{_TEXT}*+(?:{_ESCAPE}{_TEXT}*+)*+"
_AlwaysMatch = Callable[[str, int], re.Match[str]]

_space = cast("_AlwaysMatch", re.compile(r"[ \t\n\r]*+").match)
# Of a string's inside, all that is certainly right: an escaped surrogate pair is taken whole or not at all.
_run = cast("_AlwaysMatch", re.compile(_RUN).match)
# The longest start of an escape, or of an escaped surrogate pair, that something can still complete.
_escape_start = re.compile(
    rf"\\(?:u(?:[0-9a-ce-fA-CE-F]{_H}{{0,3}}|[dD](?:[0-7]{_H}{{0,2}}"
    rf"|[89abAB](?:{_H}(?:{_H}(?:\\(?:u(?:[dD](?:[c-fC-F]{_H}{{0,2}})?)?)?)?)?)?)?)?)?"
).match
# The longest start of a number. It is whole if its last character is a digit, an integer if no group took part.
_NUMBER = r"-?(?:0|[1-9][0-9]*+)?((?<=[0-9])\.[0-9]*+)?((?<=[0-9])[eE][+-]?[0-9]*+)?"
_number_start = cast("_AlwaysMatch", re.compile(_NUMBER).match)
_unescape = msgspec.json.Decoder(str).decode
_DIGITS: Final = frozenset("0123456789")
_ABSENT: Final[Any] = object()

# Integers take quadratic time in their digits, and a number that is cut is read again from its start: both are bounded
# by a limit on the digits in a row. For integers it is jiter's limit, and Python's own default.
_MAX_DIGITS: Final = 4300
_too_many_digits = re.compile(f"[0-9]{{{_MAX_DIGITS + 1}}}").search
# Texts nested deeper are left to the scanner, which counts as it goes: `_is_shallow` reads the brackets once a level.
_SHALLOW: Final = 32
_strings = re.compile(rb'"[^"]*+"').sub
_NOT_STRUCTURE: Final = bytes(sorted(set(range(256)) - set(b'[]{}"')))
_SQUARE: Final = bytes.maketrans(b"{}", b"[]")


@attrs.define(eq=False, repr=False, kw_only=True)
class PartialJSON(Uncopied):
    """The value of a JSON text that arrives in fragments.

    Reading is free to happen at any time, after every fragment or only at the end: which texts are accepted and which
    values come out depend on the text alone.

    What a read hands out never changes afterwards. A container that was still open is a fresh copy at every read that
    finds something added to the value; everything that had been closed is the same object in all of them. So treat
    values as read-only.

    Args:
        trailing_strings: Whether a string value that is still open is part of the value, as far as it has come.
        max_depth: In how many containers a value may lie (jiter: 200).

    Attributes:
        buffer: The text. To write to it is to feed, for who does not close the text: in a third of the time.

    Numbers may have 4300 digits in a row, also where jiter takes more (after the point, and in exponents).
    """

    _trailing_strings: bool = attrs.field(default=True, alias="trailing_strings")
    _max_depth: int = attrs.field(default=200, alias="max_depth")
    # All that was fed. A StringIO holds ASCII in a byte a character, and in four once it was read in the middle of its
    # growth, until `settle`; a list of fragments would take fifty bytes more for each.
    buffer: io.StringIO = attrs.field(init=False, factory=io.StringIO)
    _joined: int = attrs.field(init=False, default=0)
    _read_to: int = attrs.field(init=False, default=0)
    _wide: bool = attrs.field(init=False, default=False)
    _closed: bool = attrs.field(init=False, default=False)
    _error: ProtocolError | None = attrs.field(init=False, default=None)
    _state: int = attrs.field(init=False, default=_VALUE)
    # The open containers, outermost first, holding their closed values only; and the key that each is at.
    _open: list[Any] = attrs.field(init=False, factory=list)
    _keys: list[str] = attrs.field(init=False, factory=list)
    _root: Any = attrs.field(init=False, default=_ABSENT)
    _string: str = attrs.field(init=False, default="")  # the open string so far, in the two states for the rest of one
    _number: Any = attrs.field(init=False, default=_ABSENT)  # value of the number that ends the text and may go on
    _made: Any = attrs.field(init=False, default=_ABSENT)  # the value that was read last, while it is that of the text
    _tail: str = attrs.field(init=False, default="")  # of what was read, the token that was cut
    _offset: int = attrs.field(init=False, default=0)  # characters before `_tail`

    def feed(self, fragment: str) -> None:
        """Append text. Nothing is looked at: a fault in it is raised by the next read.

        Raises:
            EventOrderError: `close` has been called.
        """
        if self._closed:
            raise EventOrderError(
                "JSON text after close()", offset=len(self.text), offset_unit="character", received=fragment
            )
        self.buffer.write(fragment)

    @property
    def length(self) -> int:
        """Characters fed so far."""
        return self.buffer.tell()

    def compact(self) -> None:
        """Hold what was fed in less memory. For who feeds many fragments, now and then."""
        self._joined = join_parts(self.buffer, self._joined)

    def settle(self) -> None:
        """Hold the text in a byte a character again, in another `buffer`. For who knows that hardly more will come."""
        if self._wide:
            text = self.text
            self.buffer = io.StringIO()
            self.buffer.write(text)
            self._wide, self._joined = False, len(text)

    @property
    def text(self) -> str:
        """All the text fed so far, a copy of it."""
        return self.buffer.getvalue()

    def since(self, offset: int) -> str:
        """The text fed after its first `offset` characters; whoever asks as it grows pays for each character once."""
        self.buffer.seek(min(offset, self.length))
        return self.buffer.read()  # which leaves it at its end, where `feed` goes on

    @property
    def value(self) -> Any:
        """The value of the text so far, `None` while none has begun.

        Raises:
            DecodeError: No valid JSON text starts like this. `offset` is the number of characters before the fault.
            LimitExceededError: A value lies deeper than `max_depth`, or a number has more than 4300 digits in a row.
        """
        self._check()
        return self._snapshot()

    @property
    def best(self) -> Any:
        """`value`, or where that raises, the value of the text before the fault; never raises."""
        self._read()
        return self._snapshot()

    @property
    def error(self) -> ProtocolError | None:
        """What `value` raises, from the moment that the fault has been fed: `DecodeError` or `LimitExceededError`."""
        self._read()
        return self._error

    @property
    def depth(self) -> int:
        """How many containers are open at the end of the text."""
        self._read()
        return len(self._open)

    @property
    def is_inside_scalar(self) -> bool:
        """Whether the last thing in `best` is a string or a number that may still become another one."""
        self._read()
        return self._state == _REST_OF_STRING or self._number is not _ABSENT

    @property
    def complete(self) -> bool:
        """Whether one whole value has been read. A number at the top is whole when something follows, or at `close`.

        Raises:
            DecodeError, LimitExceededError: As `value`.
        """
        self._check()
        return self._state == _NOTHING

    def close(self) -> Any:
        """End of the text: check that one whole value was there, and return it. May be called again.

        Raises:
            DecodeError: As `value`, or the text ended before its value did; `error` and `value` say so from now on.
            LimitExceededError: As `value`.
        """
        self._read()
        if not self._closed:
            self._closed = True
            if self._error is None and self._tail and not self._open and self._state == _VALUE:
                # A number at the top ends where the text does, as if by a space.
                self._scan(self._tail + " ")
            if self._error is None and self._state != _NOTHING:
                message = f"JSON text ends where there should be {_EXPECTED[self._state]}"
                self._error = DecodeError(message, offset=len(self.text), offset_unit="character", received=self.text)
        self._check()
        return self._snapshot()

    def _snapshot(self) -> Any:
        """The value so far: if it has changed, the open containers copied, each with the copy of the one inside it."""
        if self._root is not _ABSENT:
            return self._root
        if self._made is not _ABSENT:
            return self._made
        value: Any = self._string if self._state == _REST_OF_STRING and self._trailing_strings else self._number
        for level in range(len(self._open) - 1, -1, -1):
            container = self._open[level]
            if type(container) is dict:
                copy = container.copy()
                if value is not _ABSENT:
                    copy[self._keys[level]] = value
                value = copy
            elif value is _ABSENT:
                value = container[:]
            else:
                # Appending to the copy would make room by copying it once more.
                container.append(value)
                value = container[:]
                container.pop()
        self._made = None if value is _ABSENT else value
        return self._made

    def _read(self) -> None:
        """Take in what was fed since the last read."""
        buffer = self.buffer
        start, end = self._read_to, buffer.tell()
        if start == end:
            return
        self._read_to = end
        if self._error is not None:
            return
        if start:
            self._wide = True
            buffer.seek(start)
            self._scan(self._tail + buffer.read())
        elif not self._decode_whole(text := buffer.getvalue()):
            self._scan(text)

    def _check(self) -> None:
        self._read()
        if self._error is not None:
            # Without this, each raise would add its frames to the traceback of the one before.
            raise self._error.with_traceback(None)

    def _decode_whole(self, text: str) -> bool:
        """Try a text that may be whole with one decode; what is not certain is left to the scanner.

        msgspec takes nothing that the scanner refuses, but for the limits, and makes the same values of what it takes.
        It refuses `NaN`, infinities (`1e400` too) and, by an error that depends on the caller's stack, deep nesting.
        """
        start = _space(text, 0).end()
        if text[start : start + 1] not in ("{", "[") or text[-1] not in "]} \t\n\r":
            return False
        try:
            value = msgspec.json.decode(text)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return False
        if not _is_shallow(text, self._max_depth) or _may_have_long_number(text):
            return False
        self._root, self._state, self._offset = value, _NOTHING, len(text)
        return True

    def _scan(self, buffer: str) -> None:
        """Go through `buffer`, the cut token of last time and what was fed since, and keep what is left of it."""
        open_, keys, state, string = self._open, self._keys, self._state, self._string
        value: Any
        trailing = self._trailing_strings
        changed = self._number is not _ABSENT  # whether what is read is not `_made` any more
        self._string = ""  # while nobody else holds `string`, Python adds to it in its place
        pos, end = 0, len(buffer)
        wrong, limit = -1, ""  # where a fault is; which limit it goes over, if it is not wrong JSON
        self._number = _ABSENT
        while pos < end:
            # A branch leaves a whole value in `value`, or continues, or breaks: at a cut token, or at a fault.
            char = buffer[pos]
            if state >= _REST_OF_STRING:
                stop = _run(buffer, pos).end()
                if stop > pos:
                    piece = buffer[pos:stop]
                    if "\\" in piece:
                        piece = _unescape(f'"{piece}"')
                    string += piece
                    pos = stop
                    changed |= trailing and state == _REST_OF_STRING
                if pos == end:
                    break
                if buffer[pos] != '"':
                    started = _escape_start(buffer, pos)
                    if started is None or started.end() < end:
                        wrong = started.end() if started is not None else pos
                    break
                pos += 1
                if state == _REST_OF_KEY:
                    keys[-1], state = string, _COLON
                    continue
                value = string
            elif char in " \t\n\r":
                pos = _space(buffer, pos).end()
                continue
            elif state == _COMMA_OR_END and char == ",":
                pos += 1
                state = _KEY if type(open_[-1]) is dict else _VALUE
                continue
            elif state in _MAY_END and char == ("}" if type(open_[-1]) is dict else "]"):
                pos += 1
                keys.pop()
                value = open_.pop()
            elif _KEY <= state <= _KEY_OR_END and char == '"':
                pos += 1
                state, string = _REST_OF_KEY, ""
                continue
            elif state == _COLON and char == ":":
                pos += 1
                state = _VALUE
                continue
            elif state > _VALUE_OR_END:
                wrong = pos
                break
            elif len(open_) > self._max_depth:
                wrong, limit = pos, f"JSON value in more than {self._max_depth} containers"
                break
            elif char == '"':
                pos += 1
                state, string = _REST_OF_STRING, ""
                changed |= trailing
                continue
            elif char == "{" or char == "[":
                pos += 1
                open_.append({} if char == "{" else [])
                keys.append("")
                changed = True
                state = _KEY_OR_END if char == "{" else _VALUE_OR_END
                continue
            elif char in _DIGITS or (char == "-" and buffer[pos + 1 : pos + 2] != "I"):
                started = _number_start(buffer, pos)
                token, stop = started[0], started.end()
                if len(token) > _MAX_DIGITS and (digits := _too_many_digits(token)) is not None:
                    wrong, limit = pos + digits.end() - 1, f"number with more than {_MAX_DIGITS} digits in a row"
                    break
                if token[-1] not in _DIGITS:
                    wrong = stop if stop < end else -1
                    break
                value = _integer(token) if started.lastindex is None else float(token)
                if stop == end:
                    self._number = value
                    changed = True
                    break
                pos = stop
            elif char in _LITERALS:
                word, value = _LITERALS[char]
                part = buffer[pos : pos + len(word)]
                if part != word:
                    if not word.startswith(part):
                        wrong = pos + next(i for i, letter in enumerate(part) if letter != word[i])
                    break
                pos += len(word)
            else:
                wrong = pos
                break
            changed = True
            if not open_:
                self._root, state = value, _NOTHING
                continue
            state = _COMMA_OR_END
            if isinstance(open_[-1], dict):
                open_[-1][keys[-1]] = value
            else:
                open_[-1].append(value)
        if changed:
            self._made = _ABSENT
        self._state, self._string, self._tail = state, string, buffer[pos:]
        if wrong >= 0:
            kind = LimitExceededError if limit else DecodeError
            message = limit or f"wrong JSON: there should be {_EXPECTED[state]}"
            self._error = kind(message, offset=self._offset + wrong, offset_unit="character", received=self.text)
        self._offset += pos


def join_parts(buffer: io.StringIO, joined: int) -> int:
    """Hold what was written to `buffer` in less memory: before Python 3.12 it is a list of parts inside, fifty bytes
    more for each, until it is read. `joined` is what this returned last. It copies when an eighth has been added since,
    so that the copies of a text that grows are as long as nine of it.
    """
    length = buffer.tell()
    if sys.version_info < (3, 12) and length >= joined + (joined >> 3):
        buffer.getvalue()
        return length
    return joined


def _integer(token: str) -> int:
    try:
        return int(token)
    except ValueError:
        # `sys.set_int_max_str_digits` was set below the default; 640 is the lowest it takes.
        value = 0
        for part in re.findall("[0-9]{1,640}", token):
            value = value * 10 ** len(part) + int(part)
        return -value if token[0] == "-" else value


def _may_have_long_number(text: str) -> bool:
    """Whether some number may be over the limit: looks for half as many digits at multiples of that half."""
    half = _MAX_DIGITS // 2
    return any(text[start : start + half].isdecimal() for start in range(0, len(text) - half, half))


def _is_shallow(text: str, max_depth: int) -> bool:
    """Whether no value of a valid text can lie too deep, whatever becomes of it.

    The decoded value cannot tell: of a repeated key only the last value is in it.
    """
    if text.count("[") + text.count("{") <= max_depth:
        return True  # brackets in strings counted too
    data = text.encode()
    if b"\\" in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    quoted = data.translate(None, _NOT_STRUCTURE)
    skeleton = quoted.replace(b'""', b"")
    if b'"' in skeleton:
        # A string that holds a bracket; any other has left its two quotes alone.
        skeleton = _strings(b"", quoted)
    # Without strings, each round takes away the innermost level.
    skeleton = skeleton.translate(_SQUARE)
    for _ in range(min(_SHALLOW, max_depth)):
        skeleton = skeleton.replace(b"[]", b"")
    return not skeleton
