"""The user's own classes: describe them in a request, and get values of them from the answer while it arrives.

The modules, from the bottom up:

- `annotations`, `fields` and `shapes` read a type; `Shape` is the one meaning that the others share.
- `schema` and `output_schema` describe a type in a request. `structuring` makes values of it from JSON, `unions` tells
  which member of a union a value can be, and `faults` says what is wrong.
- `tools` makes tools from classes and functions.
- `answers` knows which type belongs to which block of a message.
- `paths` finds the values at a path, and `partial` shows a value that is not complete, in text that grows. `views`
  applies both to the blocks of an engine or accumulator.

Nothing here does I/O or knows about HTTP.
"""

from streamcore.typed.annotations import UnsupportedTypeError
from streamcore.typed.answers import AnswerTypes, OnInvalid
from streamcore.typed.faults import APIInvalidOutputError, Fault, InvalidOutputError
from streamcore.typed.fields import MISSING, Missing
from streamcore.typed.output_schema import output_format_param, transform_schema
from streamcore.typed.partial import Partial
from streamcore.typed.paths import PathError
from streamcore.typed.schema import json_schema
from streamcore.typed.structuring import structure
from streamcore.typed.tools import Arguments, Tool, tool, tool_params, tool_types
from streamcore.typed.views import Values, Views

__all__ = [
    "MISSING",
    "APIInvalidOutputError",
    "AnswerTypes",
    "Arguments",
    "Fault",
    "InvalidOutputError",
    "Missing",
    "OnInvalid",
    "Partial",
    "PathError",
    "Tool",
    "UnsupportedTypeError",
    "Values",
    "Views",
    "json_schema",
    "output_format_param",
    "structure",
    "tool",
    "tool_params",
    "tool_types",
    "transform_schema",
]
