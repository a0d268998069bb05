r"""Checkpoints as bytes: two lines of JSON, a head and the state.

    {"format": "streamcore checkpoint", "version": 1, "kind": "MessageEngine", "crc32": 1234567890}
    {...}

The head says what the second line is and has its checksum, which finds damage. It does not sign: whoever can write a
checkpoint can write its checksum too. Therefore the state is validated like any other input from outside.

What the states are is declared by the stages (`_objects/state.py`); `EMBEDDING.md` describes all keys.

Python's `json` writes and reads the state, and not msgspec, because it keeps everything that a stream can bring: large
integers, lone surrogates and numbers that are too large for a float (as `Infinity`).
"""

from __future__ import annotations

import contextlib
import json
import re
import zlib
from collections.abc import Iterator
from typing import TypeVar

import attrs
import msgspec

from streamcore._objects.state import SavedState
from streamcore.errors import CheckpointError, InvalidArgumentError, ProtocolError, shortened
from streamcore.limits import Limits

__all__ = ["limits_of", "read_checkpoint", "require", "validating", "write_checkpoint"]

_FORMAT = "streamcore checkpoint"
_VERSION = 1
_MAX_HEAD_SIZE = 1024

_S = TypeVar("_S", bound=SavedState)


class _Head(msgspec.Struct, frozen=True):
    """The first line. Only the first two fields are there in every version."""

    format: str
    version: int
    kind: str = ""
    crc32: int = -1


def write_checkpoint(kind: str, state: SavedState) -> bytes:
    """Return a checkpoint.

    Args:
        kind: The name of the class whose state it is.
        state: The state.

    Raises:
        CheckpointError: JSON cannot carry a value that a program has put into the message.
    """
    try:
        body = _encoded(json.dumps(msgspec.to_builtins(state), ensure_ascii=False, separators=(",", ":")))
    except (TypeError, ValueError, RecursionError) as error:
        raise CheckpointError(f"the state cannot be written as JSON: {shortened(str(error))}") from error
    head = {"format": _FORMAT, "version": _VERSION, "kind": kind, "crc32": zlib.crc32(body)}
    return json.dumps(head).encode() + b"\n" + body + b"\n"


def read_checkpoint(data: bytes, kind: str, state_class: type[_S]) -> _S:
    """Return the state in a checkpoint. Its fields have the types that their class declares.

    Args:
        data: The checkpoint, as bytes or another object with the buffer protocol.
        kind: The name of the class that is to be restored.
        state_class: The class of its state.

    Raises:
        CheckpointError: It is not a whole and undamaged checkpoint of that kind and of a version that we know.
        InvalidArgumentError: `data` is not bytes.
    """
    try:
        data = bytes(memoryview(data))
    except TypeError:
        raise InvalidArgumentError(f"a checkpoint must be bytes; received {type(data).__name__}") from None
    line, _, _ = data[: _MAX_HEAD_SIZE + 1].partition(b"\n")
    try:
        if len(line) > _MAX_HEAD_SIZE:
            raise ValueError
        head = msgspec.json.decode(line, type=_Head)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        head = None
    if head is None or head.format != _FORMAT:
        raise CheckpointError("the bytes are not a checkpoint: the first line must be the head of one")
    if head.version != _VERSION:
        raise CheckpointError(
            f"the checkpoint has version {head.version}; this version of streamcore reads version {_VERSION} only"
        )
    if head.kind != kind:
        raise CheckpointError(f"the checkpoint is one of a {shortened(head.kind)}, not of a {kind}")
    # A message may be long, so the line is not copied.
    body = memoryview(data)[len(line) + 1 : len(data) - data.endswith(b"\n")]
    if zlib.crc32(body) != head.crc32:
        raise CheckpointError("the checkpoint is damaged or cut off: its checksum is wrong")
    with validating():
        return msgspec.convert(json.loads(str(body, "utf-8", "surrogatepass")), state_class)


@contextlib.contextmanager
def validating() -> Iterator[None]:
    """Raise a `CheckpointError` for whatever is raised because a state is not valid."""
    try:
        yield
    except CheckpointError:
        raise
    except (msgspec.MsgspecError, ProtocolError, ValueError, RecursionError) as error:
        raise CheckpointError(f"the checkpoint is not valid: {shortened(str(error), 500)}") from error


def require(condition: bool, what: str) -> None:  # as with `assert`
    """Raise a `CheckpointError` unless the condition is true.

    Args:
        condition: What a state must fulfil.
        what: The fault otherwise, in words.
    """
    if not condition:
        raise CheckpointError(f"the checkpoint is not valid: {what}")


def limits_of(stored: Limits, given: Limits | None) -> Limits:
    """Return the limits of what is restored: those that the caller has given, or else those of the checkpoint."""
    if given is not None:
        return given
    require(all(number >= 0 for number in attrs.astuple(stored)), "a limit is negative")
    return stored


# A half of a surrogate pair without the other beside it
_lone_half = re.compile("[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]")


def _encoded(text: str) -> bytes:
    """Return JSON text as UTF-8. Halves of surrogate pairs are escaped.

    Two halves that are beside each other and not joined cannot be escaped: readers would join them. No stream can bring
    such a pair, but a program can feed one to a `PartialJSON`. Each half is then written as three bytes.
    """
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _lone_half.sub(lambda half: f"\\u{ord(half[0]):x}", text).encode("utf-8", "surrogatepass")
