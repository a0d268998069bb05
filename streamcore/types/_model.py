"""The methods of wire types that programs know from the models of pydantic and of the `anthropic` package.

What they do is in `_dumping`, `_reading` and `_pydantic`. These are imported when they are first needed: decoding
needs none of them, and they need the classes that derive from this one.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import attrs

from streamcore.types._frozen import Frozen

if TYPE_CHECKING:
    from streamcore.types._dumping import Selection

__all__ = ["Model", "ModelField"]


@attrs.frozen
class ModelField:
    """A field of a wire type, as `model_fields` describes it.

    Attributes:
        annotation: The type of the attribute.
        alias: The name on the wire, if it is not that of the attribute.
        default: The value of a field that did not arrive; None if the field is required.
    """

    annotation: Any
    alias: str | None
    default: Any
    _required: bool

    def is_required(self) -> bool:
        """Return whether the constructor needs a value."""
        return self._required


class _ModelFields:
    """The attribute `model_fields` of a class: the fields that have a wire form, by their names."""

    def __get__(self, instance: Any, cls: Any) -> dict[str, ModelField]:
        from streamcore.types._pydantic import fields_of

        return fields_of(cls)


class _Serializer:
    """How pydantic writes an object that it knows nothing of, as in a field that is annotated with `Any`."""

    def __get__(self, instance: Any, cls: Any) -> Any:
        from streamcore.types._pydantic import serializer_of

        return serializer_of(cls)


class Model(Frozen):
    """The base of `WireObject` with the methods that have names of pydantic's.

    Options that have no meaning here are accepted where pydantic has them, and have no effect.
    """

    __slots__ = ()

    if TYPE_CHECKING:
        # The methods use these; `WireObject` has them.
        extra: Mapping[str, Any]

        def _wire_items(self, as_param: bool = False) -> list[tuple[str, Any]]: ...

    model_fields: ClassVar[_ModelFields] = _ModelFields()
    __pydantic_serializer__: ClassVar[_Serializer] = _Serializer()

    @property
    def model_extra(self) -> dict[str, Any]:
        """The unknown fields: `extra` as a new dict."""
        return dict(self.extra)

    @property
    def model_fields_set(self) -> set[str]:
        """The names of the attributes that have a value, and of the unknown fields."""
        return set(self.model_dump(by_alias=False, exclude_defaults=True))

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Yield the fields of the wire form, their names and their values, so that `dict(message)` is possible."""
        return iter(self._wire_items())

    @classmethod
    def from_dict(cls, value: Any) -> Self:
        """Return the object for its wire form, the way back from `to_dict()`.

        Args:
            value: A mapping, an object of this class, or a model of another package (anything with `model_dump`). It
                is not changed.

        Raises:
            InvalidArgumentError: A known field is missing or has the wrong type. The text says which and where.
        """
        from streamcore.types._reading import from_value

        return from_value(cls, value)  # type: ignore[type-var]  # every class but this one is a wire type

    @classmethod
    def from_json(cls, text: str | bytes | bytearray) -> Self:
        """Return the object for its wire form as JSON text, the way back from `to_json()`.

        Raises:
            InvalidArgumentError: The text is not JSON, or a known field is missing or has the wrong type.
        """
        from streamcore.types._reading import from_text

        return from_text(cls, text)  # type: ignore[type-var]  # every class but this one is a wire type

    @classmethod
    def model_validate(
        cls,
        obj: Any,
        *,
        strict: bool | None = None,
        extra: str | None = None,
        from_attributes: bool | None = None,
        context: Any = None,
        by_alias: bool | None = None,
        by_name: bool | None = None,
    ) -> Self:
        """Return the same as `from_dict(obj)`. The other arguments have no effect.

        Raises:
            InvalidArgumentError: A known field is missing or has the wrong type. (It is a `ValueError`, as pydantic's
                `ValidationError` is.)
        """
        return cls.from_dict(obj)

    @classmethod
    def model_validate_json(
        cls,
        json_data: str | bytes | bytearray,
        *,
        strict: bool | None = None,
        extra: str | None = None,
        context: Any = None,
        by_alias: bool | None = None,
        by_name: bool | None = None,
    ) -> Self:
        """Return the same as `from_json(json_data)`. The other arguments have no effect.

        Raises:
            InvalidArgumentError: The text is not JSON, or a known field is missing or has the wrong type.
        """
        return cls.from_json(json_data)

    @classmethod
    def model_construct(cls, _fields_set: set[str] | None = None, **values: Any) -> Self:
        """Return an object of values that are not checked.

        Dicts and lists become the types of their fields where they fit. A required field that is missing is None.
        """
        from streamcore.types._reading import construct

        return construct(cls, values)  # type: ignore[type-var]  # every class but this one is a wire type

    @classmethod
    def construct(cls, _fields_set: set[str] | None = None, **values: Any) -> Self:
        """Return the same as `model_construct(**values)`."""
        return cls.model_construct(**values)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy, with other values for the attributes in `update`, which are not checked.

        Args:
            update: Names and values. A name that is not an attribute is an unknown field.
            deep: Whether nested objects are copied too. They cannot be changed, so this is seldom needed.

        Raises:
            InvalidArgumentError: The `type` would change.
        """
        from streamcore.types._reading import copied

        made = copy.deepcopy(self) if deep else copy.copy(self)
        return copied(made, update) if update else made  # type: ignore[type-var]  # as above

    def model_dump(
        self,
        *,
        mode: str = "python",
        include: Selection | None = None,
        exclude: Selection | None = None,
        context: Any = None,
        by_alias: bool | None = None,
        exclude_unset: bool = True,
        exclude_defaults: bool = False,
        exclude_none: bool = False,
        exclude_computed_fields: bool = False,
        round_trip: bool = False,
        warnings: bool | Literal["none", "warn", "error"] = True,
        fallback: Callable[[Any], Any] | None = None,
        serialize_as_any: bool = False,
        polymorphic_serialization: bool | None = None,
    ) -> dict[str, Any]:
        """Return the wire form as new dicts and lists: `to_dict()` under the name and with the options of pydantic.

        Fields without a value are left out by default. The arguments that are not listed have no effect.

        Args:
            mode: `"python"` or `"json"`. Both are the same here: all values are JSON values.
            include: What to write: a set of names, or a dict of names and what is written inside of each.
            exclude: What to leave out, in the same form.
            context: Without effect, like all that follow and are not in this list.
            by_alias: Whether keys are those of the wire (the default), and not the names of attributes.
            exclude_unset: Whether fields without a value are left out. Otherwise they are None.
            exclude_defaults: Whether None is left out for known fields that the API always sends, too.
            exclude_none: Whether None is left out for all fields, unknown ones included.
            exclude_computed_fields: Without effect.
            round_trip: Without effect.
            warnings: Without effect.
            fallback: Without effect.
            serialize_as_any: Without effect.
            polymorphic_serialization: Without effect.

        Raises:
            TypeError: `include` or `exclude` is not a set or a dict.
        """
        from streamcore.types._dumping import Options, dump, selection

        options = Options(
            api_names=by_alias is not False,
            unset=not exclude_unset,
            defaults=not exclude_defaults,
            none=not exclude_none,
        )
        dumped: dict[str, Any] = dump(self, options, selection("include", include), selection("exclude", exclude))
        return dumped

    def model_dump_json(
        self,
        *,
        indent: int | None = None,
        ensure_ascii: bool = False,
        include: Selection | None = None,
        exclude: Selection | None = None,
        context: Any = None,
        by_alias: bool | None = None,
        exclude_unset: bool = True,
        exclude_defaults: bool = False,
        exclude_none: bool = False,
        exclude_computed_fields: bool = False,
        round_trip: bool = False,
        warnings: bool | Literal["none", "warn", "error"] = True,
        fallback: Callable[[Any], Any] | None = None,
        serialize_as_any: bool = False,
        polymorphic_serialization: bool | None = None,
    ) -> str:
        """Return the wire form as JSON text, on one line or indented by `indent` spaces.

        The other arguments are those of `model_dump()`. `ensure_ascii` escapes all characters that are not ASCII.
        """
        from streamcore.types.base import json_text

        value = self.model_dump(
            include=include,
            exclude=exclude,
            by_alias=by_alias,
            exclude_unset=exclude_unset,
            exclude_defaults=exclude_defaults,
            exclude_none=exclude_none,
        )
        return json_text(value, indent=indent, ensure_ascii=ensure_ascii)

    @classmethod
    def model_json_schema(cls, by_alias: bool = True, ref_template: str = "#/$defs/{model}", **options: Any) -> Any:
        """Return the JSON Schema of the wire form. It is made by pydantic, which must be installed.

        The arguments are those of pydantic's method of this name.
        """
        from pydantic import TypeAdapter

        return TypeAdapter(cls).json_schema(by_alias=by_alias, ref_template=ref_template, **options)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Return how pydantic reads, writes and describes this type. Only pydantic calls it."""
        from streamcore.types._pydantic import core_schema_of

        return core_schema_of(cls, source, handler)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> Any:
        """Return the JSON Schema of this type. Only pydantic calls it."""
        from streamcore.types._pydantic import json_schema_of

        return json_schema_of(schema, handler)
