"""Write the JSON body of a request.

Values of `streamcore.types`, models of the `anthropic` package and other pydantic models may stand anywhere in it:
`message.content` as the content of the next assistant turn, or a whole `Message` as that turn. Files are sent where the
API takes base64: as the `data` of a source of the type `"base64"`.
"""

from __future__ import annotations

import base64
import datetime
import io
import json
import math
import os
import pathlib
import reprlib
from collections import UserString
from collections.abc import Iterator, Mapping, MappingView, Sequence
from typing import Any

from streamcore.api.options import given
from streamcore.errors import InvalidArgumentError
from streamcore.types import WireObject

__all__ = ["json_body"]

_BINARY = (bytes, bytearray, memoryview)
_FILES = (io.IOBase, os.PathLike)
# What these consist of is sent as an array. A set has no order, and a file or a string is not meant as its parts.
_ARRAYS = (Sequence, MappingView, Iterator)
_NO_ARRAYS = (*_BINARY, *_FILES, UserString)


def json_body(fields: Mapping[str, Any]) -> bytes:
    """Return `fields` as a JSON object in UTF-8.

    Lone surrogates are escaped: an answer may contain them, and UTF-8 cannot encode them. Files are read to their end.

    Raises:
        InvalidArgumentError: A value does not have a JSON form, or a file cannot be read. The message says where it is.
    """
    try:
        text = json.dumps(_jsonable(fields, "the body"), ensure_ascii=False, separators=(",", ":"))
    except RecursionError:
        raise InvalidArgumentError("the body nests too deep, or contains itself") from None
    except ValueError as error:
        if isinstance(error, InvalidArgumentError):
            raise
        raise InvalidArgumentError(f"the body has no JSON form: {error}") from None  # an integer with too many digits
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
        return _object(value, path)
    if _is_model(value):
        return _jsonable(_dumped(value, path), path)
    if isinstance(value, _ARRAYS) and not isinstance(value, _NO_ARRAYS):
        items: Any = value
        return [_jsonable(item, f"{path}[{number}]") for number, item in enumerate(items)]
    if isinstance(value, datetime.date):
        return value.isoformat()
    hint = ""
    if isinstance(value, (*_BINARY, *_FILES)):
        hint = ": bytes and files are sent as the data of a source of the type 'base64'"
    raise InvalidArgumentError(f"{path} is of type {type(value).__name__}, which has no JSON form{hint}")


def _object(value: Mapping[Any, Any], path: str) -> dict[str, Any]:
    result = {}
    is_base64 = value.get("type") == "base64"
    for key, item in value.items():
        if not isinstance(key, str):
            raise InvalidArgumentError(f"{path} has the key {reprlib.repr(key)}, which is not a string")
        if not given(item):
            continue
        where = key if path == "the body" else f"{path}.{key}"
        if is_base64 and key == "data" and isinstance(item, (*_BINARY, *_FILES)):
            result[key] = _base64(item, where)
        else:
            result[key] = _jsonable(item, where)
    return result


def _is_model(value: Any) -> bool:
    return not isinstance(value, type) and callable(getattr(value, "model_dump", None))


def _dumped(model: Any, path: str) -> Any:
    """Return the content of a pydantic model, or of another object that has `model_dump()`.

    Of a whole message, only what a turn consists of is returned: the API rejects the rest.
    """
    options: dict[str, Any] = {}
    if hasattr(type(model), "__pydantic_validator__"):
        options = {"mode": "json", "by_alias": True, "exclude_unset": True}
        # Fields of the `anthropic` package's models that the API does not accept.
        options["exclude"] = getattr(model, "__api_exclude__", None)
    try:
        dumped = model.model_dump(**options)
    except RecursionError:
        raise  # of the whole body: the caller knows what it means
    except Exception as error:
        raise InvalidArgumentError(
            f"{path} is of type {type(model).__name__}, and cannot be dumped: {error}"
        ) from error
    if _is_model(dumped):  # a mock, which would give mocks without end
        raise InvalidArgumentError(f"{path} is of type {type(model).__name__}, whose model_dump() gives another model")
    if isinstance(dumped, dict) and dumped.get("type") == "message" and "role" in dumped and "content" in dumped:
        return {"role": dumped["role"], "content": dumped["content"]}
    return dumped


def _base64(data: Any, path: str) -> str:
    try:
        if isinstance(data, os.PathLike):
            data = pathlib.Path(data).read_bytes()
        elif isinstance(data, io.IOBase):
            data = data.read()
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise InvalidArgumentError(f"{path} cannot be read: {error}") from error
    if isinstance(data, str):  # a file that was opened as text
        data = data.encode()
    if not isinstance(data, _BINARY):
        raise InvalidArgumentError(f"{path} gave {type(data).__name__} when it was read, not bytes")
    return base64.b64encode(data).decode("ascii")
