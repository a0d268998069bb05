"""A content block as a value: built from the block as it started and the fields that deltas have changed.

The value that was built last is kept. If nothing has changed since, the same object is returned again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from streamcore._objects.construct import copier, evolve
from streamcore.types import ContentBlock, Unknown, UnknownBlock

__all__ = ["BlockValue", "changed"]

_NO_TEXT: Any = object()


class BlockValue:
    """Build the value of one block.

    Args:
        start: The block as `content_block_start` gave it.
        text_name: The field that most of its deltas add text to, or None.
    """

    __slots__ = ("_built", "_built_from", "_built_from_text", "_copy_with_text", "_start", "_text_name")

    def __init__(self, start: ContentBlock, text_name: str | None) -> None:
        self._start = start
        self._text_name = text_name
        # The block as it was last built, and what it was built from: its text alone, or else the values of its fields.
        self._built = start
        self._built_from_text = _NO_TEXT if text_name is None else getattr(start, text_name, None)
        self._built_from: Mapping[str, Any] = {}
        # Made when first needed; many blocks are closed before they are read.
        self._copy_with_text: Callable[[Any, Any], Any] | None = None

    def with_text(self, text: Any) -> ContentBlock:
        """Return the block with this value of its text field: the usual case, in half the time of `with_changes`."""
        if text is not self._built_from_text:
            self._built_from_text = text
            if self._copy_with_text is None:
                assert self._text_name is not None
                self._copy_with_text = copier(type(self._start), self._text_name)
            self._built = self._copy_with_text(self._start, text)
        return self._built

    def with_changes(self, changes: Mapping[str, Any]) -> ContentBlock:
        """Return the block with these values of its fields."""
        built_from = self._built_from
        if self._text_name is not None and self._built_from_text is not _NO_TEXT:
            built_from = {self._text_name: self._built_from_text}
            self._built_from_text = _NO_TEXT
        self._built_from = changes
        if changes.keys() != built_from.keys() or any(changes[name] is not built_from[name] for name in changes):
            self._built = changed(self._start, changes)
        return self._built


def changed(start: ContentBlock, changes: Mapping[str, Any]) -> ContentBlock:
    """Return a copy of a block with other values for some fields, or the block itself if nothing changes."""
    if not changes:
        return start
    if isinstance(start, Unknown):
        # `partial_input` is our own attribute. In `data`, it would look like a field that the stream sent.
        data = {**start.data, **{name: value for name, value in changes.items() if name != "partial_input"}}
        return UnknownBlock(data=data)
    return evolve(start, dict(changes))
