"""Wire types get their fields and their `__init__` on first use, and then equal what `attrs.frozen` makes."""

from __future__ import annotations

import copy
import inspect
import pickle
import subprocess
import sys
import threading
from typing import Any, ClassVar, Generic, TypeVar

import attrs
import pytest

import streamcore.types
from streamcore.types import ContentBlockDeltaEvent, Message, TextBlock, TextDelta, UnknownBlock, Usage, WireObject
from streamcore.types._frozen import frozen

T = TypeVar("T")


class Plain(WireObject):
    """The base of one class body that is decorated in two ways."""

    __slots__ = ()


def _made(decorate: Any) -> Any:
    @decorate
    class Made(Plain, Generic[T]):
        """Two fields."""

        kind: ClassVar[str] = "made"

        needed: T
        given: int = attrs.field(default=3, metadata={"key": "given"})

        @property
        def double(self) -> int:
            return 2 * self.given

    return Made


def _late() -> Any:
    return _made(frozen(kw_only=True))


def _at_once() -> Any:
    return _made(attrs.frozen(kw_only=True, eq=False, repr=False))


def _error(do: Any) -> str:
    with pytest.raises((TypeError, AttributeError)) as caught:
        do()
    return repr(caught.value).replace("_late", "").replace("_at_once", "")


def _says(cls: Any) -> list[Any]:
    """Return all that a caller can see of a class from `_late` or `_at_once`."""
    value = cls(needed="a")
    return [
        str(inspect.signature(cls)),
        str(inspect.signature(cls.__init__)),
        _error(lambda: cls()),
        _error(lambda: cls("a")),
        _error(lambda: cls(needed="a", more=1)),
        _error(lambda: setattr(value, "needed", "b")),
        _error(lambda: setattr(value, "more", "b")),
        _error(lambda: delattr(value, "needed")),
        [field.name for field in attrs.fields(cls)],
        [(field.default, field.type, field.kw_only, dict(field.metadata)) for field in attrs.fields(cls)],
        attrs.has(cls),
        attrs.asdict(attrs.evolve(value, given=5)),
        (cls.__name__, cls.__doc__, cls.__module__, cls.__match_args__, cls.__parameters__),
        (cls[int](needed=1).double, value.to_dict(), hasattr(value, "__dict__")),
    ]


def test_a_class_looks_like_one_made_by_attrs() -> None:
    assert _says(_late()) == _says(_at_once())


@pytest.mark.parametrize("look", [inspect.signature, attrs.fields, attrs.has, lambda cls: cls(needed=1)])
def test_any_first_use_builds_the_class(look: Any) -> None:
    cls = _late()
    look(cls)
    assert str(inspect.signature(cls)) == "(*, needed: 'T', given: 'int' = 3) -> None"
    assert cls(needed=1) == cls(needed=1, given=3)


def test_wrong_arguments_raise_the_errors_of_attrs() -> None:
    with pytest.raises(TypeError, match=r"^TextBlock\.__init__\(\) missing 1 required keyword-only argument: 'text'$"):
        TextBlock()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"^TextBlock\.__init__\(\) takes 1 positional argument but 2 were given$"):
        TextBlock("text")  # type: ignore[call-arg]
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        TextBlock(text="a").text = "b"  # type: ignore[misc]


def test_the_signature_names_each_field() -> None:
    names = ["type", "text", "citations", "parsed_output", "parse_error"]
    assert list(inspect.signature(TextBlock).parameters) == names
    assert str(inspect.signature(Usage.__init__)).startswith("(self, *, input_tokens: 'int' = 0, output_tokens:")


def test_an_attrs_class_can_derive_from_it() -> None:
    base = _late()
    more = {"more": attrs.field(kw_only=True)}
    Derived: Any = attrs.make_class("Derived", more, bases=(base,), frozen=True, eq=False, repr=False)  # noqa: N806
    assert [field.name for field in attrs.fields(Derived)] == ["needed", "given", "more"]
    assert repr(Derived(needed=1, more="a")) == "Derived(needed=1, given=3, more='a')"
    assert attrs.fields(base).given == attrs.fields(_at_once()).given


def test_a_subclass_with_an_init_of_its_own_calls_the_one_that_attrs_makes() -> None:
    class Positional(_late()):  # type: ignore[misc]
        def __init__(self, needed: int) -> None:
            super().__init__(needed=needed, given=4)

    assert (Positional(1).needed, Positional(1).given) == (1, 4)


def test_copy_and_pickle_work_as_the_first_use() -> None:
    code = """
import copy, pickle, sys
from streamcore import codec
event = codec.decode_event(b'{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"a"}}')
sys.stdout.buffer.write(pickle.dumps([event, copy.copy(event), copy.deepcopy(event)]))
"""
    program = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    events = pickle.loads(program.stdout)
    assert events[0] == events[1] == events[2] == copy.deepcopy(events[0])
    assert events[0].content_block == TextBlock(text="a")


def test_threads_that_use_a_class_at_the_same_time_get_the_same_fields() -> None:
    cls = _late()
    barrier = threading.Barrier(8)
    seen: list[Any] = []

    def look() -> None:
        barrier.wait()
        seen.append((attrs.fields(cls), cls(needed=1)))

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8
    assert len({id(fields) for fields, _ in seen}) == 1
    assert {value for _, value in seen} == {cls(needed=1)}


def test_the_import_builds_few_of_the_classes() -> None:
    code = """
import streamcore.types
from streamcore.types._frozen import _Placeholder
classes = [value for value in vars(streamcore.types).values() if isinstance(value, type)]
inits = [vars(cls)["__init__"] for cls in classes if "__init__" in vars(cls)]
print(len(inits), sum(not isinstance(init, _Placeholder) for init in inits))
"""
    program = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    count, made = map(int, program.stdout.split())
    assert count > 90
    assert made < 10


@pytest.mark.parametrize("cls", [Message, UnknownBlock, ContentBlockDeltaEvent[TextDelta]])
def test_types_have_slots_and_weak_references(cls: Any) -> None:
    origin = getattr(cls, "__origin__", cls)
    assert not any("__dict__" in vars(base) for base in origin.__mro__[:-1] if issubclass(base, WireObject))
    assert origin.__weakrefoffset__


def test_every_wire_type_is_an_attrs_class_that_lists_its_slots() -> None:
    for name, cls in vars(streamcore.types).items():
        if isinstance(cls, type) and "__attrs_attrs__" in vars(cls):
            own = {field.name for field in attrs.fields(cls) if not field.inherited}
            of_bases = {slot for base in cls.__mro__[1:] for slot in vars(base).get("__slots__", ())}
            assert set(vars(cls)["__slots__"]) == own - of_bases, name


def test_an_attribute_assigned_before_the_first_use_is_kept() -> None:
    code = """
import attrs
from streamcore.types import SignatureDelta
def mine(self, **fields):
    object.__setattr__(self, "signature", "patched")
SignatureDelta.__init__ = mine
assert [field.name for field in attrs.fields(SignatureDelta)] == ["signature"]
assert SignatureDelta.__init__ is mine
assert SignatureDelta(signature="given").signature == "patched"
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_unknown_fields_in_the_state_of_another_version_are_ignored() -> None:
    delta = copy.copy(TextDelta(text="a"))
    delta.__setstate__({"text": "b", "not_known": 1})
    assert delta == TextDelta(text="b")
