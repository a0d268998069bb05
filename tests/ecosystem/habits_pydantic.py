"""Habits with pydantic: type adapters, fields of models and JSON schemas of the package's types."""

from __future__ import annotations

import json
from typing import Annotated, Any

import fastapi
import pydantic
from habits import Area, Package
from habits_messages import MESSAGE, filled

pydantic_habits = Area("pydantic")


def field(annotation: Any) -> Any:
    """Return a model with one field of this type."""
    return pydantic.create_model("Model", value=(annotation, ...))


def list_of(item: Any) -> Any:
    """Return the type of a list, made at run time, as type checkers do not know `item`."""
    return list[item]


@pydantic_habits.same
def adapter(at: Package) -> Any:
    """`TypeAdapter(types.Message).validate_python(data)`, `validate_json(text)`, `dump_python(message)`"""
    of = pydantic.TypeAdapter(at.types.Message)
    message = of.validate_python(MESSAGE)
    return (
        type(message) is at.types.Message,
        message == of.validate_json(json.dumps(MESSAGE)),
        filled(of.dump_python(message)),
        filled(json.loads(of.dump_json(message))),
    )


@pydantic_habits.same
def adapter_of_unions(at: Package) -> Any:
    """`TypeAdapter(types.ContentBlock)`, `TypeAdapter(types.RawMessageStreamEvent)`: the class that `type` says"""
    block = pydantic.TypeAdapter(at.types.ContentBlock).validate_python({"type": "text", "text": "Hi"})
    events = pydantic.TypeAdapter(at.types.RawMessageStreamEvent)
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}}
    event = events.validate_python(delta)
    return (
        isinstance(block, at.types.TextBlock),
        isinstance(event, at.types.RawContentBlockDeltaEvent),
        event.delta.text,
    )


@pydantic_habits.same
def model_field(at: Package) -> Any:
    """A field of a model: `message: types.Message`, with a message and with a dict"""
    model = field(at.types.Message)
    message = at.create("weather")
    kept = model(value=message)
    return kept.value is message, filled(kept.model_dump()), model(value=MESSAGE).value.content[0].text


@pydantic_habits.same
def model_field_json(at: Package) -> Any:
    """`model_dump_json()` and `model_validate_json()` of a model with a message"""
    model = field(at.types.Message)
    text = model(value=at.create("weather")).model_dump_json()
    return filled(json.loads(text)), model.model_validate_json(text).value.stop_reason


@pydantic_habits.same
def model_field_of_lists(at: Package) -> Any:
    """Fields of a model: `list[types.ContentBlock]`, `types.Usage | None`"""
    blocks = field(list_of(at.types.ContentBlock))(value=at.create("weather").content)
    usage = field(at.types.Usage | None)(value=None)
    return [block.type for block in blocks.value], usage.value


@pydantic_habits.same
def model_field_of_params(at: Package) -> Any:
    """A field of a model: `list[types.MessageParam]`"""
    model = field(list_of(at.types.MessageParam))
    turns = [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}, {"role": "assistant", "content": "Ho"}]
    dumped = model(value=turns).model_dump(mode="json")
    return json.loads(json.dumps(dumped))


@pydantic_habits.same
def any_field(at: Package) -> Any:
    """A message in a field `value: Any` of a model: `model_dump_json()`"""
    return filled(json.loads(field(Any)(value=at.create("weather")).model_dump_json()))


@pydantic_habits.same
def wrong_params(at: Package) -> Any:
    """`except pydantic.ValidationError` around a wrong `types.MessageParam`"""
    try:
        pydantic.TypeAdapter(list_of(at.types.MessageParam)).validate_python([{"role": "nobody", "content": "Hi"}])
    except pydantic.ValidationError:
        return "refused"
    return "accepted"


@pydantic_habits.same
def wrong_message(at: Package) -> Any:
    """`except pydantic.ValidationError` around a wrong message in a field"""
    try:
        field(at.types.Message)(value={"id": 3})
    except pydantic.ValidationError as error:
        return error.errors()[0]["loc"][0]
    return "accepted"


@pydantic_habits.same
def schema(at: Package) -> Any:
    """`TypeAdapter(types.Message).json_schema()`: required fields"""
    schema = pydantic.TypeAdapter(at.types.Message).json_schema()
    return schema["type"], {"id", "content", "role", "usage"} <= set(schema["properties"])


@pydantic_habits.same
def schema_of_params(at: Package) -> Any:
    """`TypeAdapter(types.ToolParam).json_schema()`, `TypeAdapter(list[types.MessageParam]).json_schema()`"""
    schema = pydantic.TypeAdapter(at.types.UserMessageParam).json_schema()
    turns = pydantic.TypeAdapter(list_of(at.types.MessageParam)).json_schema()
    return schema["type"], sorted(schema["required"]), sorted(schema["properties"]), turns["type"]


@pydantic_habits.same
def schema_of_class(at: Package) -> Any:
    """`types.TextBlock.model_json_schema()`"""
    schema = at.types.TextBlock.model_json_schema()
    return schema["type"], {"text", "type"} <= set(schema["properties"]), "text" in schema["required"]


@pydantic_habits.same
def validated_call(at: Package) -> Any:
    """`@pydantic.validate_call` on a function that takes a `types.Message`"""

    def stop_reason(message: Any) -> Any:
        return message.stop_reason

    stop_reason.__annotations__["message"] = at.types.Message
    return pydantic.validate_call(stop_reason)(at.create())


@pydantic_habits.missing("attrs")
def base_model(at: Package) -> Any:
    """`isinstance(message, anthropic.BaseModel)`"""
    return isinstance(at.create(), at.module.BaseModel)


@pydantic_habits.same
def discriminated_union(at: Package) -> Any:
    """`Annotated[types.TextBlock | types.ToolUseBlock, Field(discriminator="type")]`"""
    union = at.types.TextBlock | at.types.ToolUseBlock
    annotation: Any = Annotated[union, pydantic.Field(discriminator="type")]
    adapter: Any = pydantic.TypeAdapter(annotation)
    block = adapter.validate_python({"type": "text", "text": "Hi"})
    return (
        isinstance(block, at.types.TextBlock),
        filled(adapter.dump_python(block)),
        adapter.validate_python(block) is block,
    )


@pydantic_habits.different(
    "FastAPI takes only its own kinds of classes for a body: write `Annotated[types.Usage, Body()]`"
)
def body_of_an_endpoint(at: Package) -> Any:
    """An endpoint of FastAPI with an argument `usage: types.Usage`: where it is looked for"""

    def endpoint(usage: Any) -> None: ...

    endpoint.__annotations__["usage"] = at.types.Usage
    app = fastapi.FastAPI()
    app.post("/")(endpoint)
    return "body" if "requestBody" in app.openapi()["paths"]["/"]["post"] else "query"
