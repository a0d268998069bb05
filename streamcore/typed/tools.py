"""Tools made from classes and functions.

`tool` makes a `Tool` from an attrs class (or a dataclass, TypedDict, Struct or pydantic model) or from an annotated
function. The `Tool` has the name, description and schema that a request needs, and structures the input of a call: as
an instance of the class, or as `Arguments` of the function, which can be read and called.
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

from streamcore.typed.annotations import UnsupportedTypeError, name_of
from streamcore.typed.faults import JSONStep
from streamcore.typed.output_schema import transform_schema
from streamcore.typed.schema import check_type, description_of, json_schema, member_descriptions
from streamcore.typed.shapes import Record, shape_of
from streamcore.typed.structuring import structure

__all__ = ["Arguments", "Tool", "ToolSource", "annotation_of", "tool", "tool_params", "tool_types"]

ToolSource: TypeAlias = "type[Any] | Callable[..., Any] | Tool"
"""A tool, or a class or function to make one from."""

_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_WORD: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@attrs.frozen(kw_only=True)
class Tool:
    """A tool whose input has a type.

    Attributes:
        name: Its name in the request.
        description: What the model reads about it.
        annotation: The type of its input.
        input_schema: The JSON schema of its input.
        options: Other members of the tool in the request: `cache_control`, `strict`, ...
    """

    name: str
    description: str
    annotation: Any
    input_schema: dict[str, Any]
    options: dict[str, Any] = attrs.field(factory=dict)

    def to_param(self) -> dict[str, Any]:
        """Return the tool as an item of the request's `tools`."""
        param: dict[str, Any] = {"name": self.name}
        if self.description:
            param["description"] = self.description
        return {**param, "input_schema": self.input_schema, **self.options}

    def structure(self, value: Any, steps: tuple[JSONStep, ...] = ()) -> Any:
        """Return an input as a value of the type.

        Raises:
            InvalidOutputError: The input is not of that type.
        """
        return structure(value, self.annotation, what=f"the input of {self.name!r}", steps=steps)


def tool(source: Any, *, name: str | None = None, description: str | None = None, **options: Any) -> Tool:
    """Make a tool from a class or an annotated function.

    `tools=[...]` also accepts classes and functions as they are; use this to give a tool a name, a description or
    options of its own.

    Args:
        source: The class of the input, or a function that takes the input as its arguments.
        name: By default the name of the function, or of the class in snake case: `GetWeather` becomes `get_weather`.
        description: By default the docstring. If `docstring_parser` is installed (the extra `typed`), descriptions of
            parameters or attributes in the docstring go into the schema.
        **options: Other members of the tool in the request. With `strict=True`, the schema is changed to what the API
            accepts for strict tools.

    Raises:
        UnsupportedTypeError: No tool can be made from `source`.
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
    chosen = _default_name(source) if name is None else name
    if not _NAME.fullmatch(chosen):
        raise UnsupportedTypeError(f"{chosen!r} cannot be the name of a tool: give another one by tool(..., name=...)")
    return Tool(
        name=chosen,
        description=described if description is None else description,
        annotation=annotation,
        input_schema=schema,
        options=options,
    )


def annotation_of(source: Any) -> Any:
    """Return the type of a tool's input or of a function's arguments; any other type is returned as it is."""
    if isinstance(source, Tool):
        return source.annotation
    return _arguments_of(source) if inspect.isroutine(source) else source


def _is_class(source: Any) -> bool:
    return isinstance(source, type) or isinstance(typing.get_origin(source), type)


def _default_name(source: Any) -> str:
    name: str = getattr(source, "__name__", "")
    return _WORD.sub("_", name).lower() if _is_class(source) else name


def tool_params(tools: Iterable[Any]) -> list[Any]:
    """Return `tools` of a request with classes and functions replaced by tools; other entries stay as they are."""
    return [tool(item).to_param() if _is_source(item) else item for item in tools]


def tool_types(tools: Mapping[str, Any] | Iterable[Any]) -> dict[str, Tool]:
    """Return the tools that have types, by their names.

    Args:
        tools: A mapping of names to classes and functions, or the `tools` of a request. Entries without a type are left
            out.

    Raises:
        UnsupportedTypeError: No tool can be made from an entry, or two have the same name.
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
    """The input of a tool that was made from a function, with an attribute for each parameter.

    Calling it calls the function with these arguments: `block.parsed_input()`.
    """

    _function: ClassVar[Callable[..., Any]]
    _parameters: ClassVar[tuple[tuple[str, bool], ...]]  # name, whether it is keyword-only

    def __call__(self) -> Any:
        parameters = self._parameters
        positional = [getattr(self, name) for name, keyword_only in parameters if not keyword_only]
        named = {name: getattr(self, name) for name, keyword_only in parameters if keyword_only}
        return self._function(*positional, **named)

    def __reduce__(self) -> tuple[Any, ...]:
        # pickle cannot import the class, which was made at run time, but it can import the function.
        return _restore, (self._function, {name: getattr(self, name) for name, _ in self._parameters})


def _restore(function: Any, values: dict[str, Any]) -> Arguments:
    return _arguments_of(function)(**values)


@functools.lru_cache(maxsize=256)
def _arguments_of(function: Any) -> type[Arguments]:
    """Return the class of a function's arguments: the same one each time, so that equal arguments compare equal."""
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
        # attrs would drop a leading underscore from the name of the argument; cattrs and this module do not.
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
