"""Structure parsed JSON as values of the user's types, with cattrs.

The rules:

- A value must have the right JSON type: `"3"` is not an integer, although cattrs by itself would convert it. `1.0` is
  an integer, as in JSON Schema.
- msgspec reads what is written as a string because JSON has no type for it (dates, enums, UUIDs). It also describes
  these in the schema, so the two agree.
- Members that a class does not have are left out.
- pydantic models validate themselves, by their own rules.

There is a hook for each kind of shape: a function that takes a JSON value and returns a value of the type, or raises.
Not only the first fault of a value is collected, but the first hundred or so.
"""

from __future__ import annotations

import collections
import functools
import json
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Any, TypeAlias, TypeVar, get_origin, overload

import cattrs
import msgspec
import typing_extensions
from cattrs.errors import ClassValidationError, IterableValidationError
from cattrs.gen import make_dict_structure_fn

from streamcore.typed.annotations import UnsupportedTypeError, cached_by_annotation, name_of
from streamcore.typed.faults import (
    MAX_FAULTS,
    InvalidOutputError,
    JSONStep,
    Mismatch,
    count_faults,
    expected,
    expected_scalar,
    faults_of,
    group_errors,
    item_error,
    member_error,
)
from streamcore.typed.fields import MISSING, adapter_of, is_model
from streamcore.typed.shapes import (
    Anything,
    Array,
    Map,
    OneOf,
    Record,
    Scalar,
    Shape,
    Tuple,
    own_choices,
    shape_of,
)
from streamcore.typed.unions import may_be, misfit
from streamcore.types.base import plain

__all__ = ["structure"]

_T = TypeVar("_T")
_StepT = TypeVar("_StepT", str, int)
_Hook = Callable[[Any, Any], Any]

_Tried: TypeAlias = dict[tuple[int, int], tuple[Any, "tuple[int, Any] | None"]]
# What the unions have made of the values of this call. Each member of a union tries all that is inside a value: without
# this, the time would double with each level of a class that is a member of its own unions. The values are kept, so
# that no other value gets the `id` of one.
_tried: ContextVar[_Tried] = ContextVar("_tried")


@overload
def structure(value: Any, annotation: type[_T], *, what: str = ..., steps: tuple[JSONStep, ...] = ()) -> _T: ...
@overload
def structure(value: Any, annotation: Any, *, what: str = ..., steps: tuple[JSONStep, ...] = ()) -> Any: ...
def structure(value: Any, annotation: Any, *, what: str = "the output", steps: tuple[JSONStep, ...] = ()) -> Any:
    """Return `value` as a value of the type.

    Args:
        value: Parsed JSON. The result shares no dict or list with it.
        annotation: The type.
        what: What `value` is, for the error message.
        steps: Where it stands in `what`.

    Raises:
        InvalidOutputError: The value is not of that type.
        UnsupportedTypeError: JSON cannot be structured as the type.
    """
    token = _tried.set({})
    try:
        return _hook(annotation)(value, annotation)
    except UnsupportedTypeError:
        raise
    except Exception as error:  # a user's class may raise anything to refuse a value
        faults = tuple(faults_of(error, annotation, value, steps))
        more = "" if len(faults) < MAX_FAULTS else "at least "
        shown = "; ".join(map(str, faults[:5])) + (f"; and {more}{len(faults) - 5} more" if len(faults) > 5 else "")
        message = f"{what} is not of the type {name_of(annotation)}: {shown}"
        raise InvalidOutputError(message, faults=faults, value=value) from error
    finally:
        _tried.reset(token)


# The hooks, one for each kind of shape


def _scalar(shape: Scalar) -> _Hook:
    if choices := own_choices(shape.annotation):
        return _choice(shape, choices)
    annotation = shape.constrain(shape.annotation)
    # msgspec also accepts a number for a Decimal, but its schema says that a Decimal is written as a string.
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


def _array(shape: Array) -> _Hook:
    item_type, structure_item = shape.item, _later(shape.item)
    made: Any = get_origin(shape.annotation) or shape.annotation
    # For an abstract class such as Sequence, a list or a set will do.
    finish = made if made in _ARRAYS else set if shape.unique else None

    def hook(value: list[Any], _: Any) -> Any:
        items = _structured(list, ((place, item, item_type, structure_item) for place, item in enumerate(value)))
        if finish is None:
            return [*items.values()]
        try:
            return finish(items.values())
        except TypeError as error:  # an item that cannot be in a set
            raise UnsupportedTypeError(f"{name_of(shape.annotation)}: {error}") from None

    return _checked(shape, list, _limited(shape, hook))


_ARRAYS = (tuple, set, frozenset, collections.deque)


def _map(shape: Map) -> _Hook:
    structure_it = _later(shape.value)

    def hook(value: dict[str, Any], _: Any) -> dict[str, Any]:
        return _structured(dict, ((key, item, shape.value, structure_it) for key, item in value.items()))

    return _checked(shape, dict, _limited(shape, hook))


def _tuple(shape: Tuple) -> _Hook:
    hooks = [_later(item) for item in shape.items]
    made: Any = get_origin(shape.annotation) or shape.annotation

    def hook(value: list[Any], _: Any) -> Any:
        if not shape.required <= len(value) <= len(hooks):
            raise Mismatch(expected(shape.annotation), value)
        items = _structured(tuple, zip(range(len(value)), value, shape.items, hooks, strict=False)).values()
        return tuple(items) if made is tuple else made(*items)

    return _checked(shape, list, hook)


def _structured(kind: type, parts: Iterable[tuple[_StepT, Any, Any, _Hook]]) -> dict[_StepT, Any]:
    """Structure the members or items of a value: each has its step, its JSON value, its type and its hook.

    This ends with the hundredth fault: each takes a thousand times the memory of a short item.
    """
    made: dict[_StepT, Any] = {}
    errors: list[Exception] = []
    count = 0
    for step, value, annotation, hook in parts:
        try:
            made[step] = hook(value, annotation)
        except Exception as error:  # noqa: BLE001  # grouped, and raised below
            errors.append(item_error(error, step, annotation))
            count += count_faults(error)
            if count >= MAX_FAULTS:
                break
    if errors:
        raise group_errors(IterableValidationError, errors, kind)
    return made


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
    """Return the hook of a Struct or a TypedDict.

    msgspec can make a Struct, but not one with a union of classes in it, and it stops at the first fault. cattrs can
    make a TypedDict, but keeps members that it does not know, and overlooks a `NotRequired` in a string.
    """
    hooks = [(field, _later(field.annotation)) for field in shape.fields]
    config = getattr(shape.cls, "__struct_config__", None)
    strict = config is not None and config.forbid_unknown_fields
    known = shape.known_keys

    def hook(value: dict[str, Any], _: Any) -> Any:
        members: dict[str, Any] = {}
        errors: list[Exception] = []
        if shape.tag is not None and value.get(shape.tag[0]) != shape.tag[1]:
            errors.append(Mismatch(repr(shape.tag[1]), value.get(shape.tag[0], MISSING), (shape.tag[0],)))
        if strict and (unknown := value.keys() - known):
            errors += [Mismatch("nothing", value[key], (key,)) for key in sorted(unknown)[:MAX_FAULTS]]
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
            except Exception as error:  # noqa: BLE001  # the class itself refuses its members
                errors.append(error)
        raise group_errors(ClassValidationError, errors, shape.cls)

    return hook


def _validated(cls: Any, validate: Callable[[str], Any], value: Any) -> Any:
    """Return a pydantic model. It gets JSON text, because its strict mode then accepts a string for a date."""
    try:
        return validate(json.dumps(value))
    except ValueError as error:
        found = getattr(error, "errors", None)
        if found is None:
            raise
        faults = [
            Mismatch(
                _expected_by_pydantic(fault),
                MISSING if fault["type"] == "missing" else fault["input"],
                tuple(fault["loc"]),
            )
            for fault in found(include_url=False, include_context=False)[:MAX_FAULTS]
        ]
    raise group_errors(ClassValidationError, faults, cls)


def _expected_by_pydantic(fault: dict[str, Any]) -> str:
    message: str = fault["msg"]
    return "a value" if fault["type"] == "missing" else f"something else (pydantic: {message})"


def _union(shape: OneOf) -> _Hook:
    members = [(shape_of(member), member, _later(member)) for member in shape.members]

    def hook(value: Any, _: Any) -> Any:
        possible = [member for member in members if may_be(member[0], value)]
        if len(possible) == 1:
            member, annotation, structure_it = possible[0]
            if not isinstance(member, Scalar):
                return structure_it(value, annotation)  # its error says more than "expected A or B"
        tried, key = _tried.get(), (id(value), id(shape))
        if key not in tried:
            tried[key] = value, best_of(possible, value)
        _, best = tried[key]
        if best is None:
            raise Mismatch(expected(shape.annotation), value)
        return best[1]

    def best_of(possible: list[tuple[Shape, Any, _Hook]], value: Any) -> tuple[int, Any] | None:
        best: tuple[int, Any] | None = None
        for member, annotation, structure_it in possible:
            try:
                made = structure_it(value, annotation)
            except Exception:  # noqa: BLE001, S112  # the value is of another member, or of none
                continue
            changes = misfit(member, value)
            if best is None or changes < best[0]:
                best = (changes, made)
        return best

    return hook


# Hooks around hooks


def _later(annotation: Any) -> _Hook:
    """Return a hook that looks up the annotation's own hook when it is first called: a class may occur in itself."""
    made: list[_Hook] = []

    def hook(value: Any, _: Any) -> Any:
        if not made:
            made.append(_hook(annotation))
        return made[0](value, annotation)

    return hook


def _checked(shape: Shape, kind: type, hook: _Hook) -> _Hook:
    """Check the JSON type before `hook` runs; cattrs would take any iterable for a list, even a string."""

    def checked(value: Any, annotation: Any) -> Any:
        if not isinstance(value, kind):
            raise Mismatch(expected(shape.annotation), value)
        return hook(value, annotation)

    return checked


def _limited(shape: Shape, hook: _Hook) -> _Hook:
    """Check the limits on the length of a container before `hook` runs."""
    if not shape.constraints:
        return hook
    kind = shape.constrain(dict if isinstance(shape, Map) else list)

    def limited(value: Any, annotation: Any) -> Any:
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            raise Mismatch(f"{expected(shape.annotation)} ({error})", value) from None
        return hook(value, annotation)

    return limited


_HOOKS: dict[type[Shape], Callable[[Any], _Hook]] = {
    Anything: lambda _: lambda value, _: plain(value),  # the user's own, not shared with a snapshot
    Scalar: _scalar,
    Array: _array,
    Tuple: _tuple,
    Map: _map,
    OneOf: _union,
    Record: _record,
}


# Finding hooks


@cached_by_annotation
def _hook(annotation: Any) -> _Hook:
    shape = shape_of(annotation)
    return _HOOKS[type(shape)](shape)


class _Converter(cattrs.Converter):
    """A converter that finds hooks by shape. cattrs finds some by class, and takes `A | B` for `B | A`."""

    def get_structure_hook(self, type: Any, cache_result: bool = True) -> _Hook:  # noqa: A002  # the name in cattrs
        return _later(type)

    def structure(self, obj: Any, cl: Any) -> Any:
        return _hook(cl)(obj, cl)


@functools.cache
def _converter() -> _Converter:
    return _Converter(detailed_validation=True)
