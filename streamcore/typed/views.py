"""The views of one message: asked for again, a view goes on where it was left.

In: a source of blocks in the making, the types of the answer, and what somebody wants to see. Out: the view of it,
which is made once. All of them see the message from its beginning, whenever they are made.
"""

from __future__ import annotations

from typing import Any

from streamcore.typed.annotations import as_written
from streamcore.typed.answers import AnswerTypes
from streamcore.typed.partial import PartialReader
from streamcore.typed.paths import PathError, parse_path
from streamcore.typed.supported import check_type
from streamcore.typed.tools import annotation_of
from streamcore.typed.values import Source, Values

__all__ = ["Views"]


class Views:
    """Makes the views of a message, and remembers them.

    Args:
        source: The engine or accumulator.
        types: The types of the answer, if there are any.
    """

    __slots__ = ("_made", "_source", "_types")

    def __init__(self, source: Source, types: AnswerTypes | None) -> None:
        self._source = source
        self._types = AnswerTypes() if types is None else types
        self._made: dict[Any, Any] = {}

    def values(self, path: str, annotation: Any, *, block: int | None, tool: str | None) -> Values[Any]:
        """The values at a path.

        Raises:
            PathError: It is no path, or the types do not have it; or both `block` and `tool` were given.
            UnsupportedTypeError: JSON cannot be structured as the type.
        """
        _check_choice(block, tool)
        key = ("values", path, as_written(annotation), block, tool)
        view: Values[Any] | None = self._made.get(key)
        if view is None:
            parsed = parse_path(path)
            if annotation is not None:
                check_type(annotation)
            target = self._types.target(parsed, annotation, block=block, tool=tool)
            view = self._made[key] = Values(self._source, parsed, target)
        return view

    def partial(self, source: Any, *, block: int | None, tool: str | None) -> Any:
        """What there is of a value of a type.

        Raises:
            UnsupportedTypeError: JSON cannot be structured as the type.
        """
        _check_choice(block, tool)
        annotation = annotation_of(source)
        key = ("partial", as_written(annotation), block, tool)
        reader: PartialReader | None = self._made.get(key)
        if reader is None:
            check_type(annotation)
            target = self._types.target_of(annotation, block=block, tool=tool)
            reader = self._made[key] = PartialReader(self._source, target)
        return reader.view()


def _check_choice(block: int | None, tool: str | None) -> None:
    if block is not None and tool is not None:
        raise PathError("give a block or a tool, not both: a block has one tool at most")
