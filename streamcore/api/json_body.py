"""Write the JSON body of a request.

Values of `streamcore.types` may stand anywhere in it: `message.content` as the content of the next assistant turn, or a
whole `Message` as that turn.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from streamcore.api.options import given
from streamcore.errors import InvalidArgumentError
from streamcore.types import WireObject

__all__ = ["json_body"]


def json_body(fields: Mapping[str, Any]) -> bytes:
    """Return `fields` as a JSON object in UTF-8.

    Lone surrogates are escaped: an answer may contain them, and UTF-8 cannot encode them.

    Raises:
        InvalidArgumentError: A value does not have a JSON form. The message says where it is.
    """
    try:
        text = json.dumps(_jsonable(fields, "the body"), ensure_ascii=False, separators=(",", ":"))
    except RecursionError:
        raise InvalidArgumentError("the body nests too deep") from None
    return text.encode("utf-8", "backslashreplace")  # what this handler writes for a lone surrogate is its JSON escape


def _jsonable(value: Any, path: str) -> Any:
    """Return `value` made of dicts, lists and scalars only. `path` says where it is, for errors."""
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        raise InvalidArgumentError(f"{path} is {value}, which JSON has no number for")
    if isinstance(value, WireObject):
        return _jsonable(value.to_param(), path)
    if isinstance(value, Mapping):
        result = {}
        for key, item in value.items():
            if not isinstance(key, str):
                raise InvalidArgumentError(f"{path} has the key {key!r}, which is not a string")
            if given(item):
                result[key] = _jsonable(item, key if path == "the body" else f"{path}.{key}")
        return result
    if isinstance(value, Iterable) and not isinstance(value, (bytes, bytearray, memoryview, set, frozenset)):
        return [_jsonable(item, f"{path}[{number}]") for number, item in enumerate(value)]
    hint = ": encode it as base64 text" if isinstance(value, (bytes, bytearray, memoryview)) else ""
    raise InvalidArgumentError(f"{path} is of type {type(value).__name__}, which has no JSON form{hint}")
