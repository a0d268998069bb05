"""The caller's own classes among the arguments of a call.

In: the arguments as they were given. Out: the arguments for the request, with schemas in the place of classes, and the
types of the answer. A call without classes does not load `streamcore.typed`.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from streamcore.api.request import given
from streamcore.errors import InvalidArgumentError
from streamcore.types import Message

if TYPE_CHECKING:
    from streamcore.typed import AnswerTypes, OnInvalid

__all__ = ["TypedArguments", "typed_arguments"]


@attrs.frozen
class TypedArguments:
    """The arguments of a call.

    Attributes:
        request: The arguments for the request.
        types: The types of the answer, None if the call names none.
    """

    request: dict[str, Any]
    types: AnswerTypes | None

    @property
    def for_stream(self) -> dict[str, Any]:
        """The arguments for a message stream."""
        if self.types is None:
            return {}
        return {
            "output_format": self.types.output_format,
            "tool_types": self.types.tools,
            "on_invalid": self.types.on_invalid,
        }

    def parsed(self, message: Message) -> Message[Any]:
        """Return a message that was not streamed, with the parsed values of its blocks.

        Raises:
            InvalidOutputError: A block does not match its type.
        """
        return message if self.types is None else self.types.parse_message(message)


def typed_arguments(arguments: Mapping[str, Any], *, output_format: Any, on_invalid: OnInvalid) -> TypedArguments:
    """Take the classes out of the arguments of a call.

    Raises:
        InvalidArgumentError: Two output formats are given.
        UnsupportedTypeError: A class does not have a schema that the API accepts.
    """
    request = dict(arguments)
    if not given(output_format):
        output_format = None
    tools = request.get("tools")
    if given(tools) and tools is not None:
        tools = request["tools"] = list(tools)
    else:
        tools = []
    if output_format is None and not any(map(_may_have_a_type, tools)):
        return TypedArguments(request, None)

    from streamcore.typed import AnswerTypes, output_format_param, tool_params

    if output_format is not None:
        config = request.get("output_config")
        config = dict(config) if given(config) and config is not None else {}
        if config.get("format") is not None:
            raise InvalidArgumentError("both output_format and output_config['format'] were given")
        request["output_config"] = {**config, "format": output_format_param(output_format)}
    types = AnswerTypes(output_format=output_format, tools=tools, on_invalid=on_invalid)
    if tools:
        request["tools"] = tool_params(tools)
    return TypedArguments(request, types if types.some else None)


def _may_have_a_type(tool: Any) -> bool:
    return not isinstance(tool, Mapping) and (inspect.isroutine(tool) or callable(tool) or hasattr(tool, "structure"))
