"""A payload to the JSON object in it."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from streamcore.errors import DecodeError, LimitExceededError
from streamcore.limits import DEFAULT_LIMITS
from streamcore.types.structuring import kind_of

__all__ = ["decode_leniently", "parse", "parse_json", "too_deep"]

_decode_json = msgspec.json.Decoder().decode


def parse(payload: bytes, *, max_depth: int = DEFAULT_LIMITS.max_depth) -> dict[str, Any]:
    """Return the JSON object in a payload.

    Args:
        payload: JSON as UTF-8 bytes.
        max_depth: How many arrays and objects may be nested.

    Raises:
        DecodeError: The payload is not JSON or not an object.
        LimitExceededError: It nests too deep.
    """
    value = parse_json(payload, max_depth=max_depth)
    if type(value) is not dict:
        raise DecodeError(f"the payload is not an object but {kind_of(value)}", received=payload)
    return value


def parse_json(payload: bytes, *, max_depth: int = DEFAULT_LIMITS.max_depth) -> Any:
    """Return the JSON value in a payload.

    The arguments and errors are those of `parse`, except that the value need not be an object.
    """
    try:
        value = _decode_json(payload)
    except RecursionError:
        raise LimitExceededError(f"the payload nests deeper than {max_depth} levels", received=payload) from None
    except UnicodeDecodeError as error:
        raise DecodeError(f"the payload is not UTF-8: {error.reason}", received=payload) from None
    except msgspec.MsgspecError as error:
        value = decode_leniently(payload)
        if value is None:
            raise DecodeError(f"the payload is not JSON: {error}", received=payload) from None
    # Nearly every payload is short, or has few brackets, and so is shallow.
    if (
        len(payload) > 2 * max_depth
        and payload.count(b"{") + payload.count(b"[") > max_depth
        and too_deep(value, max_depth)
    ):
        raise LimitExceededError(f"the payload nests deeper than {max_depth} levels", received=payload)
    return value


def decode_leniently(payload: bytes) -> Any:
    """Return the value of valid JSON that msgspec refuses, or None if it is not valid JSON.

    msgspec refuses escaped lone surrogates and numbers that are too large for a float.
    """
    try:
        return json.loads(payload.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def too_deep(value: Any, max_depth: int) -> bool:
    """Return whether more than `max_depth` arrays and objects are nested in a value.

    It goes level by level and not by recursion, so that no depth is too much for it.
    """
    depth = 0
    level = [value]
    while level and depth <= max_depth:
        level = [
            item
            for container in level
            if isinstance(container, (dict, list))
            for item in (container.values() if isinstance(container, dict) else container)
            if isinstance(item, (dict, list))
        ]
        depth += 1
    return depth > max_depth
