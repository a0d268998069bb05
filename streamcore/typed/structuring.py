"""Parsed JSON to values of the users' types, by cattrs.

In: dicts, lists and scalars, as a JSON decoder makes them, and a type. Out: a value of the type, or an
`InvalidOutputError` with the path, the expected type and what arrived, for all that is wrong.

Nothing is converted that is not of the right JSON type: `"3"` is no integer, though cattrs by itself would make it one.
What is written as a string because JSON has no type for it (dates, enums, UUIDs) is read by msgspec, which described it
in the schema, so that the two agree; `1.0` is an integer, as JSON Schema says. Members that a class does not have are
left out. pydantic models validate themselves, by their own rules.
"""

from __future__ import annotations

import collections
import functools
import json
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar, get_origin, overload

import cattrs
import msgspec
import typing_extensions
from cattrs.cols import list_structure_factory
from cattrs.errors import ClassValidationError, IterableValidationError
from cattrs.gen import make_dict_structure_fn

from streamcore.typed.annotations import cached_by_annotation
from streamcore.typed.choices import choices_of, own_choices
from streamcore.typed.faults import InvalidOutputError, Step
from streamcore.typed.mismatches import Mismatch, faults_of, grouped, item_error, member_error
from streamcore.typed.missing import MISSING
from streamcore.typed.shapes import (
    Anything,
    Array,
    Map,
    OneOf,
    Record,
    Scalar,
    Shape,
    Tuple,
    UnsupportedTypeError,
    adapter_of,
    is_model,
    name_of,
    shape_of,
)
from streamcore.typed.wording import expected, expected_scalar

__all__ = ["may_be", "structure"]

_T = TypeVar("_T")
_Hook = Callable[[Any, Any], Any]


@overload
def structure(value: Any, annotation: type[_T], *, what: str = ..., steps: tuple[Step, ...] = ()) -> _T: ...
@overload
def structure(value: Any, annotation: Any, *, what: str = ..., steps: tuple[Step, ...] = ()) -> Any: ...
def structure(value: Any, annotation: Any, *, what: str = "the output", steps: tuple[Step, ...] = ()) -> Any:
    """`value` as a value of the type.

    Args:
        value: Parsed JSON. It may become part of the result: of a `dict` field, or of `Any`.
        annotation: The type.
        what: What `value` is, for the message of the error.
        steps: Where it stands in `what`.

    Raises:
        InvalidOutputError: It is not of that type.
        UnsupportedTypeError: The type is none that JSON can be structured as.
    """
    try:
        return _hook(annotation)(value, annotation)
    except UnsupportedTypeError:
        raise
    except Exception as error:  # whatever a user's class raises speaks of the value
        faults = tuple(faults_of(error, annotation, value, steps))
        shown = "; ".join(map(str, faults[:5])) + (f"; and {len(faults) - 5} more" if len(faults) > 5 else "")
        message = f"{what} is not of the type {name_of(annotation)}: {shown}"
        raise InvalidOutputError(message, faults=faults, value=value) from error


# The hooks, one for each kind of shape


def _scalar(shape: Scalar) -> _Hook:
    if choices := own_choices(shape.annotation):
        return _choice(shape, choices)
    annotation = shape.annotation
    for meta in shape.constraints:
        annotation = Annotated[annotation, meta]

    # msgspec takes a number for a Decimal, though the schema says that it is written as a string.
    is_decimal = name_of(shape.annotation) == "Decimal"

    def hook(value: Any, _: Any) -> Any:
        if is_decimal and type(value) is not str:
            raise Mismatch(expected_scalar(shape), value)
        try:
            return msgspec.convert(value, annotation, strict=True)
        except (msgspec.ValidationError, ValueError, OverflowError):
            if type(value) is float and value.is_integer():
                return hook(int(value), None)
            raise Mismatch(expected_scalar(shape), value) from None

    return hook


def _choice(shape: Scalar, choices: list[tuple[Any, Any]]) -> _Hook:
    def hook(value: Any, _: Any) -> Any:
        kinds = (int, float) if type(value) in (int, float) else (type(value),)
        for choice, member in choices:
            if type(choice) in kinds and choice == value:
                return member
        raise Mismatch(expected_scalar(shape), value)

    return hook


def _anything(shape: Anything) -> _Hook:
    return lambda value, _: value


def _array(shape: Array) -> _Hook:
    structure_items = list_structure_factory(list[shape.item], _converter())  # type: ignore[name-defined]  # made at run time
    made: Any = get_origin(shape.annotation) or shape.annotation
    # What an abstract class promises, a list or a set keeps.
    finish = made if made in _ARRAYS else set if shape.unique else None

    def hook(value: list[Any], _: Any) -> Any:
        items = structure_items(value, list)
        if finish is None:
            return items
        try:
            return finish(items)
        except TypeError as error:  # a set of what cannot be in one
            raise UnsupportedTypeError(f"{name_of(shape.annotation)}: {error}") from None

    return _checked(shape, list, _limited(shape, hook))


_ARRAYS = (tuple, set, frozenset, collections.deque)


def _map(shape: Map) -> _Hook:
    structure_it = _later(shape.value)

    def hook(value: dict[str, Any], _: Any) -> dict[str, Any]:
        members: dict[str, Any] = {}
        errors: list[Exception] = []
        for key, item in value.items():
            try:
                members[key] = structure_it(item, shape.value)
            except Exception as error:  # noqa: BLE001  # grouped, and raised below
                errors.append(item_error(error, key, shape.value))
        if errors:
            raise grouped(IterableValidationError, errors, dict)
        return members

    return _checked(shape, dict, _limited(shape, hook))


def _tuple(shape: Tuple) -> _Hook:
    hooks = [_later(item) for item in shape.items]
    made: Any = get_origin(shape.annotation) or shape.annotation

    def hook(value: list[Any], _: Any) -> Any:
        if not shape.required <= len(value) <= len(hooks):
            raise Mismatch(expected(shape.annotation), value)
        items: list[Any] = []
        errors: list[Exception] = []
        for number, item in enumerate(value):
            try:
                items.append(hooks[number](item, shape.items[number]))
            except Exception as error:  # noqa: BLE001  # grouped, and raised below
                errors.append(item_error(error, number, shape.items[number]))
        if errors:
            raise grouped(IterableValidationError, errors, tuple)
        return tuple(items) if made is tuple else made(*items)

    return _checked(shape, list, hook)


def _record(shape: Record) -> _Hook:
    cls: Any = shape.cls
    if is_model(cls):
        validate = getattr(cls, "model_validate_json", None) or adapter_of(shape.annotation).validate_json
        return lambda value, _: _validated(cls, validate, value)
    if issubclass(cls, msgspec.Struct) or typing_extensions.is_typeddict(cls):
        return _checked(shape, dict, _members(shape))
    return _checked(
        shape, dict, make_dict_structure_fn(shape.annotation, _converter(), _cattrs_detailed_validation=True)
    )


def _members(shape: Record) -> _Hook:
    """A Struct or a TypedDict. msgspec would make a Struct at once, but no union of classes in it, and it would stop at
    the first fault; cattrs keeps the members that a TypedDict does not know, and asks for those that a `NotRequired` in
    a string says need not be there.
    """
    hooks = [(field, _later(field.annotation)) for field in shape.fields]
    config = getattr(shape.cls, "__struct_config__", None)
    strict = config is not None and config.forbid_unknown_fields
    known = shape.by_key.keys() | ({shape.tag[0]} if shape.tag is not None else set())

    def hook(value: dict[str, Any], _: Any) -> Any:
        members: dict[str, Any] = {}
        errors: list[Exception] = []
        if shape.tag is not None and value.get(shape.tag[0]) != shape.tag[1]:
            errors.append(Mismatch(repr(shape.tag[1]), value.get(shape.tag[0], MISSING), (shape.tag[0],)))
        if strict and (unknown := value.keys() - known):
            errors += [Mismatch("nothing", value[key], (key,)) for key in sorted(unknown)]
        for field, structure_field in hooks:
            try:
                if field.key in value:
                    members[field.name] = structure_field(value[field.key], field.annotation)
                elif field.required:
                    raise KeyError(field.key)
            except Exception as error:  # noqa: BLE001  # grouped, and raised below
                errors.append(member_error(error, field.name, field.annotation))
        if not errors:
            try:
                return shape.cls(**members)
            except Exception as error:  # noqa: BLE001  # what the class itself has against its members
                errors.append(error)
        raise grouped(ClassValidationError, errors, shape.cls)

    return hook


def _validated(cls: Any, validate: Callable[[str], Any], value: Any) -> Any:
    """A pydantic model, read as from JSON text: so its strict mode, too, takes a string for a date."""
    try:
        return validate(json.dumps(value))
    except ValueError as error:
        found = getattr(error, "errors", None)
        if found is None:
            raise
        faults = [
            Mismatch(_words(fault), MISSING if fault["type"] == "missing" else fault["input"], tuple(fault["loc"]))
            for fault in found(include_url=False, include_context=False)
        ]
    raise grouped(ClassValidationError, faults, cls)


def _words(fault: dict[str, Any]) -> str:
    message: str = fault["msg"]
    return "a value" if fault["type"] == "missing" else f"something else (pydantic: {message})"


def _union(shape: OneOf) -> _Hook:
    members = [(shape_of(member), member, _later(member)) for member in shape.members]

    def hook(value: Any, _: Any) -> Any:
        possible = [member for member in members if may_be(member[0], value)]
        if len(possible) == 1:
            member, annotation, structure_it = possible[0]
            if not isinstance(member, Scalar):
                return structure_it(value, annotation)  # and if it is wrong, it says in what
        best: tuple[int, Any] | None = None
        for member, annotation, structure_it in possible:
            try:
                made = structure_it(value, annotation)
            except Exception:  # noqa: BLE001, S112  # it is another member, or none
                continue
            misfit = _misfit(member, value)
            if best is None or misfit < best[0]:
                best = (misfit, made)
        if best is None:
            raise Mismatch(expected(shape.annotation), value)
        return best[1]

    return hook


def may_be(shape: Shape, value: Any) -> bool:
    """Whether a value has the JSON kind of a shape and, if that is a class, does not contradict its constants."""
    match shape:
        case Record():
            return type(value) is dict and all(
                value[key] in allowed for key, allowed in _constants(shape.annotation).items() if key in value
            )
        case Map():
            return type(value) is dict
        case Array() | Tuple():
            return type(value) is list
        case Scalar():
            return type(value) not in (dict, list) and (value is None) == (shape.annotation is type(None))
        case _:
            return True


@cached_by_annotation
def _constants(annotation: Any) -> dict[str, tuple[Any, ...]]:
    """The members of a class that may only have certain values: what tells it from others."""
    shape = shape_of(annotation)
    assert isinstance(shape, Record)
    found: dict[str, tuple[Any, ...]] = {shape.tag[0]: (shape.tag[1],)} if shape.tag is not None else {}
    for field in shape.fields:
        literal = field.shape
        if isinstance(literal, Scalar) and get_origin(literal.annotation) is Literal:
            found[field.key] = tuple(value for value, _ in choices_of(literal.annotation))
    return found


def _misfit(shape: Shape, value: Any) -> int:
    """How badly a member of a union that takes a value fits: the members it would drop, or the number it changes."""
    if isinstance(shape, Record):
        known = shape.by_key.keys() | ({shape.tag[0]} if shape.tag is not None else set())
        return len(value.keys() - known)
    return int(isinstance(shape, Scalar) and type(value) is int and shape.annotation is float)


# Around the hooks


def _later(annotation: Any) -> _Hook:
    """The hook of an annotation, made when it is first called: a class may occur in itself."""
    made: list[_Hook] = []

    def hook(value: Any, _: Any) -> Any:
        if not made:
            made.append(_hook(annotation))
        return made[0](value, annotation)

    return hook


def _checked(shape: Shape, kind: type, hook: _Hook) -> _Hook:
    # cattrs takes any iterable for a list, a string too.
    def checked(value: Any, annotation: Any) -> Any:
        if type(value) is not kind:
            raise Mismatch(expected(shape.annotation), value)
        return hook(value, annotation)

    return checked


def _limited(shape: Shape, hook: _Hook) -> _Hook:
    if not shape.constraints:
        return hook
    kind: Any = dict if isinstance(shape, Map) else list
    for meta in shape.constraints:
        kind = Annotated[kind, meta]

    def limited(value: Any, annotation: Any) -> Any:
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            raise Mismatch(f"{expected(shape.annotation)} ({error})", value) from None
        return hook(value, annotation)

    return limited


_HOOKS: dict[type[Shape], Callable[[Any], _Hook]] = {
    Anything: _anything,
    Scalar: _scalar,
    Array: _array,
    Tuple: _tuple,
    Map: _map,
    OneOf: _union,
    Record: _record,
}


# The converter


@cached_by_annotation
def _hook(annotation: Any) -> _Hook:
    shape = shape_of(annotation)
    return _HOOKS[type(shape)](shape)


class _Converter(cattrs.Converter):
    """Finds hooks by shape. cattrs looks some up by class, and takes `A | B` for `B | A`."""

    def get_structure_hook(self, type: Any, cache_result: bool = True) -> _Hook:  # noqa: A002  # as it is there
        return _later(type)

    def structure(self, obj: Any, cl: Any) -> Any:
        return _hook(cl)(obj, cl)


@functools.cache
def _converter() -> _Converter:
    return _Converter(detailed_validation=True)
