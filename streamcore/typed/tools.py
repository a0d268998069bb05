"""Classes and functions to tools of a request, and a tool's input back to what it was made from.

In: an attrs class (or dataclass, TypedDict, Struct, pydantic model), or an annotated function. Out: a `Tool` with name,
description and schema, as the request needs them, that structures an input: of a class to an instance of it, of a
function to `Arguments`, which can be read and called.
"""

from __future__ import annotations

import functools
import inspect
import keyword
import re
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Final, TypeAlias

import attrs

from streamcore.typed.docs import description_of, member_descriptions
from streamcore.typed.faults import Step
from streamcore.typed.schema import json_schema, transform_schema
from streamcore.typed.shapes import Record, UnsupportedTypeError, name_of, shape_of
from streamcore.typed.structuring import structure
from streamcore.typed.supported import check_type

__all__ = ["Arguments", "Tool", "ToolSource", "annotation_of", "tool", "tool_params", "tool_types"]

ToolSource: TypeAlias = "type[Any] | Callable[..., Any] | Tool"
"""What a tool can be made from."""

_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_WORD: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@attrs.frozen(kw_only=True)
class Tool:
    """A tool whose input has a type.

    Attributes:
        name: Its name in the request.
        description: What the model is told of it.
        annotation: What its input is structured as.
        input_schema: The JSON schema of its input.
        options: Other members that it has in the request: `cache_control`, `strict`, ...
    """

    name: str
    description: str
    annotation: Any
    input_schema: dict[str, Any]
    options: dict[str, Any] = attrs.field(factory=dict)

    def to_param(self) -> dict[str, Any]:
        """The tool as it stands in the request's `tools`."""
        param: dict[str, Any] = {"name": self.name}
        if self.description:
            param["description"] = self.description
        return {**param, "input_schema": self.input_schema, **self.options}

    def structure(self, value: Any, steps: tuple[Step, ...] = ()) -> Any:
        """An input as a value of the type.

        Raises:
            InvalidOutputError: It is not of that type.
        """
        return structure(value, self.annotation, what=f"the input of {self.name!r}", steps=steps)


def tool(source: Any, *, name: str | None = None, description: str | None = None, **options: Any) -> Tool:
    """A tool made from a class or an annotated function; for `tools=[...]`, which takes them as they are, where
    something is to be said that they do not say.

    Args:
        source: The class of the input, or a function that takes it as its arguments.
        name: By default that of the function, or of the class in snake case: `GetWeather` is `get_weather`.
        description: By default the docstring. What that says of parameters or attributes goes into the schema, if
            `docstring_parser` is installed (the extra `typed`).
        **options: Other members of the tool in the request. With `strict=True` the schema is made to fit what the API
            accepts then.

    Raises:
        UnsupportedTypeError: No tool can be made from it.
    """
    if isinstance(source, Tool):
        changes = {"name": name, "description": description}
        given: dict[str, Any] = {key: value for key, value in changes.items() if value is not None}
        return attrs.evolve(source, **given, options={**source.options, **options})
    annotation = source if _is_class(source) else _arguments_of(source)
    shape = shape_of(annotation)
    if not isinstance(shape, Record):
        raise UnsupportedTypeError(f"the input of a tool is an object, which {name_of(annotation)} is not")
    check_type(annotation)
    schema = json_schema(annotation)
    described = description_of(source if not _is_class(source) else shape.cls)
    schema.pop("description", None)
    if options.get("strict"):
        schema = transform_schema(schema)
    made = name if name is not None else _snake_case(getattr(source, "__name__", ""), of_class=_is_class(source))
    if not _NAME.fullmatch(made):
        raise UnsupportedTypeError(f"{made!r} cannot be the name of a tool: give another one by tool(..., name=...)")
    return Tool(
        name=made,
        description=described if description is None else description,
        annotation=annotation,
        input_schema=schema,
        options=options,
    )


def annotation_of(source: Any) -> Any:
    """The type that is meant: of a tool that of its input, of a function that of its arguments, or the type itself."""
    if isinstance(source, Tool):
        return source.annotation
    return _arguments_of(source) if inspect.isroutine(source) else source


def _is_class(source: Any) -> bool:
    return isinstance(source, type) or isinstance(typing.get_origin(source), type)


def _snake_case(name: str, *, of_class: bool) -> str:
    return _WORD.sub("_", name).lower() if of_class else name


def tool_params(tools: Iterable[Any]) -> list[Any]:
    """`tools` of a request with classes and functions made into tools; what is already one stays as it is."""
    return [tool(item).to_param() if _is_source(item) else item for item in tools]


def tool_types(tools: Mapping[str, Any] | Iterable[Any]) -> dict[str, Tool]:
    """The tools that have types, by their names: from a mapping of names to classes and functions, or from the `tools`
    of a request, whose other entries are passed over.

    Raises:
        UnsupportedTypeError: No tool can be made from one, or two have the same name.
    """
    if isinstance(tools, Mapping):
        return {name: tool(source, name=name) for name, source in tools.items()}
    found: dict[str, Tool] = {}
    for made in (tool(item) for item in tools if _is_source(item)):
        if made.name in found:
            raise UnsupportedTypeError(f"two tools are named {made.name!r}")
        found[made.name] = made
    return found


def _is_source(item: Any) -> bool:
    return isinstance(item, Tool) or _is_class(item) or (callable(item) and not isinstance(item, Mapping))


# Functions


@attrs.frozen
class Arguments:
    """The input of a tool that was made from a function: an attribute for each parameter. Calling it calls the
    function with them: `block.parsed_input()`.
    """

    _function: ClassVar[Callable[..., Any]]
    _parameters: ClassVar[tuple[tuple[str, bool], ...]]  # names, each with whether it is passed by name

    def __call__(self) -> Any:
        parameters = self._parameters
        positional = [getattr(self, name) for name, keyword_only in parameters if not keyword_only]
        named = {name: getattr(self, name) for name, keyword_only in parameters if keyword_only}
        return self._function(*positional, **named)

    def __reduce__(self) -> tuple[Any, ...]:
        # The class has no importable name; the function has.
        return _restore, (self._function, {name: getattr(self, name) for name, _ in self._parameters})


def _restore(function: Any, values: dict[str, Any]) -> Arguments:
    return _arguments_of(function)(**values)


@functools.lru_cache(maxsize=256)
def _arguments_of(function: Any) -> type[Arguments]:
    """The class of a function's arguments: the same one each time, so that equal arguments are equal."""
    return _make_class(function)


def _make_class(function: Any) -> type[Arguments]:
    name = getattr(function, "__name__", None)
    if not callable(function) or name is None or not name.isidentifier() or keyword.iskeyword(name):
        raise UnsupportedTypeError(f"{function!r} is neither a class nor a function with a name")
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except NameError as error:
        raise UnsupportedTypeError(f"{name}() has an annotation that cannot be resolved: {error}") from None
    described = member_descriptions(function)
    fields: dict[str, Any] = {}
    parameters: list[tuple[str, bool]] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
            raise UnsupportedTypeError(f"{name}() takes {parameter}, which no schema can name")
        if parameter.name not in hints:
            raise UnsupportedTypeError(f"the parameter {parameter.name!r} of {name}() has no annotation")
        annotation: Any = hints[parameter.name]
        if parameter.name in described and not _is_described(annotation):
            annotation = typing.Annotated[annotation, described[parameter.name]]
        default = attrs.NOTHING if parameter.default is inspect.Parameter.empty else parameter.default
        # cattrs and this module speak of attributes, so a leading underscore has to stay what it is.
        fields[parameter.name] = attrs.field(type=annotation, default=default, alias=parameter.name, kw_only=True)
        parameters.append((parameter.name, parameter.kind is inspect.Parameter.KEYWORD_ONLY))
    body = {
        "__module__": function.__module__,
        "_function": staticmethod(function),
        "_parameters": tuple(parameters),
    }
    return attrs.make_class(name, fields, bases=(Arguments,), frozen=True, class_body=body)


def _is_described(annotation: Any) -> bool:
    return any(
        isinstance(item, str) or getattr(item, "description", None) for item in getattr(annotation, "__metadata__", ())
    )
