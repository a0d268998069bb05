"""What pydantic has to be told about the dicts of requests. Type checkers see only what is annotated.

- An array is an `Iterable`, which pydantic would read lazily: the dict would contain a generator.
- A block is a dict of one of many classes, told apart by `type`, or an object of an answer. A dict stays a dict, and
  errors are those of its own class only.
- The `role` says which class a message is.
- Keys that this version does not know are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, TypeAlias, TypeVar, Union, get_args

from typing_extensions import get_type_hints, is_typeddict

__all__ = ["ByRole", "Items", "keep_unknown_keys"]

_T = TypeVar("_T")


class _Eager:
    """Tell pydantic to read all items of an iterable."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        (item,) = get_args(source)
        blocks = _tagged(get_args(item), "type")
        schema = _block_schema(item, blocks, handler) if blocks else handler.generate_schema(item)
        return core_schema.list_schema(schema)  # it takes tuples and generators too


Items: TypeAlias = Annotated[Iterable[_T], _Eager()]
"""`Items[TextBlockParam]` is `Iterable[TextBlockParam]`."""


class ByRole:
    """Tell pydantic that the `role` tells the members of a union apart."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        members = _tagged(get_args(source), "role")
        choices = {role: handler.generate_schema(member) for role, member in members.items()}
        return core_schema.tagged_union_schema(choices, discriminator="role")


def keep_unknown_keys(module: dict[str, Any]) -> None:
    """Tell pydantic to keep the keys that the TypedDicts of a module do not have."""
    for value in module.values():
        if is_typeddict(value):
            value.__pydantic_config__ = {"extra": "allow"}


def _tagged(members: tuple[Any, ...], key: str) -> dict[str, Any]:
    """Return the TypedDicts among the members of a union, by the value of their `key`."""
    dicts = [member for member in members if is_typeddict(member)]
    return {tag: member for member in dicts for tag in get_args(get_type_hints(member)[key])}


_OF_AN_ANSWER = "block of an answer"


def _block_schema(item: Any, blocks: dict[str, Any], handler: Any) -> Any:
    """Return the schema of a union of TypedDicts and, perhaps, of the blocks of an answer."""
    from pydantic_core import core_schema

    choices = {tag: handler.generate_schema(member) for tag, member in blocks.items()}
    others = tuple(member for member in get_args(item) if not is_typeddict(member))
    if not others:
        return core_schema.tagged_union_schema(choices, discriminator="type")

    from streamcore.types._pydantic import schema_of_answer

    def tag_of(value: Any) -> Any:
        found = value.get("type") if isinstance(value, Mapping) else None
        return found if type(found) is str and found in blocks else _OF_AN_ANSWER

    answer: Any = Union[others]  # noqa: UP007  # known at run time only
    choices[_OF_AN_ANSWER] = schema_of_answer(answer, set(blocks), handler)
    return core_schema.tagged_union_schema(choices, discriminator=tag_of)
