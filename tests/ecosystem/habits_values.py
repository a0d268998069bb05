"""Habits with messages and blocks as values: dumped, copied, compared."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

from habits import Area, Package
from habits_messages import MESSAGE, filled

dumps = Area("JSON of messages")
values = Area("Messages as values")


@dumps.same
def to_dict(at: Package) -> Any:
    """`message.to_dict()`"""
    return at.create("weather").to_dict()


@dumps.same
def to_dict_mode(at: Package) -> Any:
    """`message.to_dict(mode="python", use_api_names=True, exclude_none=True)`"""
    return at.create("weather").to_dict(mode="python", use_api_names=True, exclude_none=True)


@dumps.same
def to_json(at: Package) -> Any:
    """`message.to_json()`: indented by two spaces"""
    text = at.create("weather").to_json()
    return json.loads(text), text.startswith('{\n  "')


@dumps.same
def to_json_compact(at: Package) -> Any:
    """`message.to_json(indent=None)`: on one line"""
    text = at.create("weather").to_json(indent=None)
    return json.loads(text), "\n" in text, ", " in text.partition('"content"')[0]


@dumps.same
def model_dump(at: Package) -> Any:
    """`message.model_dump(exclude_none=True)`"""
    return at.create("weather").model_dump(exclude_none=True)


@dumps.same
def model_dump_unset(at: Package) -> Any:
    """`message.model_dump(mode="json", by_alias=True, exclude_unset=True, warnings=False)`"""
    return at.create("weather").model_dump(mode="json", by_alias=True, exclude_unset=True, warnings=False)


@dumps.same
def model_dump_plain(at: Package) -> Any:
    """`message.model_dump()`, nulls left out"""
    return filled(at.create("weather").model_dump())


@dumps.different("only what the API sent")
def model_dump_nulls(at: Package) -> Any:
    """`message.model_dump()["content"][0]`: its keys"""
    return sorted(at.create().model_dump()["content"][0])


@dumps.same
def model_dump_include(at: Package) -> Any:
    """`message.model_dump(include={...})`, `exclude={...}`, also of nested fields"""
    message = at.create("weather")
    return (
        message.model_dump(include={"id", "role"}),
        sorted(message.model_dump(exclude={"content", "usage"}, exclude_none=True)),
        message.model_dump(include={"usage": {"input_tokens"}}),
        message.model_dump(exclude={"content": {"__all__": {"signature"}}}, exclude_none=True)["content"],
    )


@dumps.same
def model_dump_json(at: Package) -> Any:
    """`message.model_dump_json(exclude_none=True)`, `indent=2`"""
    message = at.create("weather")
    indented = message.model_dump_json(indent=2, exclude_none=True)
    return json.loads(message.model_dump_json(exclude_none=True)), json.loads(indented), indented[:5]


@dumps.same
def dump_of_blocks(at: Package) -> Any:
    """`[block.model_dump(exclude_none=True) for block in message.content]`, `usage.model_dump(exclude_none=True)`"""
    message = at.create("weather")
    return [block.model_dump(exclude_none=True) for block in message.content], message.usage.model_dump(
        exclude_none=True
    )


@dumps.same
def json_default(at: Package) -> Any:
    """`json.dumps(message, default=lambda value: value.model_dump())`"""
    return filled(json.loads(json.dumps(at.create("weather"), default=lambda value: value.model_dump())))


@dumps.same
def json_of_input(at: Package) -> Any:
    """`json.dumps(block.input)`"""
    return json.dumps(at.create("tool").content[-1].input)


@dumps.same
def iterate_fields(at: Package) -> Any:
    """`dict(message)`: field names to values"""
    return sorted(name for name, value in dict(at.create()).items() if value is not None)


@dumps.different("pydantic itself deprecates these names")
def old_names(at: Package) -> Any:
    """`message.dict()`, `message.json()`: names of pydantic 1"""
    message = at.create()
    return message.dict()["id"], json.loads(message.json())["id"]


# Values


@values.same
def equal(at: Package) -> Any:
    """`==` of messages and of blocks"""
    first, second = at.create("weather"), at.create("weather")
    return first.content == second.content, first == second, first.content[0] == second.content[1]


@values.same
def copies(at: Package) -> Any:
    """`copy.copy`, `copy.deepcopy`, `pickle` of a message"""
    message = at.create("weather")
    return (
        copy.copy(message) == message,
        copy.deepcopy(message) == message,
        pickle.loads(pickle.dumps(message)) == message,
    )


@values.same
def copies_of_lists(at: Package) -> Any:
    """`list(message.content)`, `message.content.copy()`, `copy.copy(message.content)`, `sorted(...)`"""
    content = at.create("weather").content
    copied = copy.copy(content)
    types = [block.type for block in sorted(content, key=lambda block: str(block.type))]
    return type(list(content)) is list, content.copy() == content, copied == content, types


@values.same
def model_copy(at: Package) -> Any:
    """`message.model_copy(update={...})`, `deep=True`"""
    message = at.create("weather")
    changed = message.model_copy(update={"stop_reason": "end_turn"})
    return changed.stop_reason, message.stop_reason, message.model_copy(deep=True) == message


@values.same
def model_extra(at: Package) -> Any:
    """`block.model_extra`, and an unknown field as an attribute"""
    data = {**MESSAGE, "content": [{"type": "text", "text": "Hi", "mood": {"a": 1}}], "colour": "red"}
    message = at.types.Message.model_validate(data)
    return message.model_extra, message.colour, message.content[0].model_extra, message.content[0].mood


@values.same
def fields_set(at: Package) -> Any:
    """`message.model_fields_set`"""
    return sorted(at.types.TextBlock.model_validate({"type": "text", "text": "Hi"}).model_fields_set)


@values.same
def model_fields(at: Package) -> Any:
    """`types.TextBlock.model_fields`, `name in type(message).model_fields`"""
    return sorted(at.types.TextBlock.model_fields), "stop_reason" in type(at.create()).model_fields


@values.same
def has_attribute(at: Package) -> Any:
    """`hasattr(block, "text")`, `getattr(block, "text", None)`"""
    return [(hasattr(block, "text"), getattr(block, "input", None)) for block in at.create("tool").content]


@values.different("a value prints as it is written in Python, without fields that did not arrive")
def shown(at: Package) -> Any:
    """`print(block)`"""
    return repr(at.types.TextBlock.model_validate({"type": "text", "text": "Hi"}))
