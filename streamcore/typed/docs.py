"""Docstrings to descriptions: of a class or function, and of its members or parameters.

With the extra `typed` installed, `docstring_parser` reads the sections that the styles of Google, NumPy and Sphinx have
for parameters and attributes. Without it nothing is lost: the whole docstring is the description.
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
from typing import Any

__all__ = ["description_of", "member_descriptions"]


def _docstring(thing: Any) -> str:
    doc: object = vars(thing).get("__doc__") if isinstance(thing, type) else getattr(thing, "__doc__", None)
    if not isinstance(doc, str):
        return ""
    doc = inspect.cleandoc(doc)
    if isinstance(thing, type):
        if issubclass(thing, enum.Enum) and doc == "An enumeration.":
            return ""
        made = dataclasses.is_dataclass(thing) or issubclass(thing, tuple)
        if made and doc.startswith(f"{thing.__name__}(") and doc.endswith(")"):
            return ""  # the signature, which Python writes there if there is no docstring
    return doc


def description_of(thing: Any) -> str:
    """What the docstring of a class or function says of the whole; empty if it says nothing."""
    doc = _docstring(thing)
    parsed = _parsed(doc)
    if parsed is None:
        return doc
    parts = (parsed.short_description, parsed.long_description)
    return "\n\n".join(part for part in parts if part)


def member_descriptions(thing: Any) -> dict[str, str]:
    """What the docstring of a class or function says of attributes or parameters, by their names."""
    parsed = _parsed(_docstring(thing))
    if parsed is None:
        return {}
    return {member.arg_name: member.description for member in parsed.params if member.description}


def _parsed(doc: str) -> Any:
    if not doc:
        return None
    try:
        import docstring_parser
    except ImportError:
        return None
    try:
        return docstring_parser.parse(doc)
    except docstring_parser.ParseError:
        return None
