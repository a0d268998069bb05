"""The user's own classes: the schema of a request made from them, and values of them out of an answer, also while it
still comes.

`shapes` reads annotations; `schema` and `structuring` go from them to the wire and back (what is wrong: `mismatches`,
`faults`, in the words of `wording`), `tools` for tools; `paths`,
`scanner` and `values` find what is complete in a text that grows; `partial` shows what there is. Engines and streams
come through `answers` and `views`. No I/O, and nothing of HTTP.
"""

from streamcore.typed.answers import AnswerTypes, OnInvalid
from streamcore.typed.faults import Fault, InvalidOutputError
from streamcore.typed.missing import MISSING, Missing
from streamcore.typed.partial import Partial
from streamcore.typed.paths import PathError
from streamcore.typed.schema import json_schema, output_format_param, transform_schema
from streamcore.typed.shapes import UnsupportedTypeError
from streamcore.typed.structuring import structure
from streamcore.typed.tools import Arguments, Tool, tool, tool_params, tool_types
from streamcore.typed.values import Values
from streamcore.typed.views import Views

__all__ = [
    "MISSING",
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
