"""Read the items of a sequence in a YAML file one by one. PyYAML's own loaders build the whole document.

`yaml.CSafeLoader` behind a bound on the size of the file does not replace this. It takes hundreds of bytes of memory
for a node of three bytes, so the bound would have to be far below the size of a long recording. And one interaction
with an error (an unknown tag or alias, a wrong number) makes the whole file unreadable; here only that one is lost.

So this combines PyYAML's parser in C, if it is installed, with the parts in Python that turn its events into values.
Only plain values come out, and those with the names that Python 2 gave them.

A small document must not become a large value or a deep recursion. So there are limits: on the depth, on the length of
numbers, on the nodes of one value (each takes some 700 bytes in memory) and on those with an anchor, which are kept to
the end of the file, on the text that the aliases of a document stand for, and on what is before it. Merge keys (`<<`),
which can double a mapping with each line, are refused.

An item that goes beyond a limit, or that has a value that is wrong, is skipped with its error in its place. After an
error of syntax, nothing more can be read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

from streamcore._extras import requires_extra

with requires_extra("replay"):
    import yaml

from yaml.composer import ComposerError
from yaml.constructor import ConstructorError, SafeConstructor

if TYPE_CHECKING or not yaml.__with_libyaml__:
    from yaml import SafeDumper as _Dumper
    from yaml import SafeLoader as _Parts
else:
    from yaml import CSafeDumper as _Dumper
    from yaml.composer import Composer
    from yaml.cyaml import CParser
    from yaml.resolver import Resolver

    class _Parts(CParser, Composer, SafeConstructor, Resolver):
        def __init__(self, stream: Any) -> None:
            CParser.__init__(self, stream)
            Composer.__init__(self)
            SafeConstructor.__init__(self)
            Resolver.__init__(self)


# Each level is several calls deep in PyYAML; a cassette needs five.
_MAX_DEPTH = 50
_LONGEST_NUMBER = 400
# Integers have the hash of themselves modulo 2**61 - 1, so keys that are longer could be chosen to collide in a dict.
_LONGEST_KEY = 17
_MOST_NODES = 100_000
_MOST_ANCHORED = 200_000
_MOST_ALIASED = 4 * 1024 * 1024
_LARGEST_HEAD = 64 * 1024
_INTEGER = "tag:yaml.org,2002:int"
_NUMBERS = frozenset({_INTEGER, "tag:yaml.org,2002:float"})


class _ValueError(yaml.MarkedYAMLError):
    """A value is wrong or goes beyond a limit."""


# Errors of one value: its events, and those after it, can be read nevertheless.
_OF_A_VALUE = (_ValueError, ComposerError, ConstructorError, ValueError)


class _Reader:
    """A file with a limit on what is before the document: libyaml compares each directive with all before it.

    Attributes:
        is_before: Whether the document has not begun.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._size = 0
        self.is_before = True

    def read(self, size: int = -1, /) -> bytes:
        """Return at most so many bytes.

        Raises:
            yaml.YAMLError: The document should have begun.
        """
        if self.is_before and self._size > _LARGEST_HEAD:
            raise yaml.YAMLError("there are more than 64 KB before the document")
        data = self._file.read(size)
        self._size += len(data)
        return data


class _Loader(_Parts):
    def __init__(self, stream: _Reader) -> None:
        super().__init__(stream)
        self._depth = self._nodes = self._anchored = self._aliased = 0
        self._events = self._open = 0  # events so far; lists and mappings that have begun and not ended
        self._sizes: dict[str | None, int] = {}  # how much text an alias of each anchor stands for

    def value(self) -> Any:
        """Return the next value."""
        self._nodes = self._depth = 0
        node = self.compose_node(None, 0)
        try:
            return self.construct_document(node)
        except (LookupError, AttributeError):  # PyYAML does not check the text of a tag that is written out
            raise _ValueError(
                problem="a text is not of the type that its tag names", problem_mark=node.start_mark
            ) from None

    def item(self) -> Any:
        """Return the next value. If it is wrong, skip it and return the error.

        Raises:
            yaml.YAMLError: It cannot be skipped: the YAML after it is wrong.
        """
        events, is_open, anchors, anchored = self._events, self._open, len(self.anchors), self._anchored
        try:
            return self.value()
        except _OF_A_VALUE as error:
            try:
                while self._events == events or self._open > is_open:
                    self.get_event()
            except yaml.YAMLError:
                raise error from None
            # Later aliases must not refer to nodes that were read only in part.
            while len(self.anchors) > anchors:
                self.anchors.popitem()
            self._anchored = anchored
            SafeConstructor.__init__(self)
            return error

    def get_event(self) -> Any:
        """Return the next event, and count it."""
        event: Any = super().get_event()  # type: ignore[no-untyped-call]  # its stub has no types
        self._events += 1
        self._open += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        return event

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Compose the next node, within the limits."""
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]  # its stub has no types
        self._nodes += 1
        if isinstance(event, yaml.AliasEvent):
            self._aliased += self._sizes.get(event.anchor, 0)
        self._check(self._depth <= _MAX_DEPTH, f"it is nested more than {_MAX_DEPTH} deep", event)
        self._check(self._nodes <= _MOST_NODES, f"a value has more than {_MOST_NODES} parts", event)
        self._check(self._aliased <= _MOST_ALIASED, f"aliases stand for more than {_MOST_ALIASED} characters", event)
        aliased_before, nodes_before = self._aliased, self._nodes - 1
        self._depth += 1
        node: Any = super().compose_node(parent, index)
        self._depth -= 1
        self._check(node.tag not in _NUMBERS or len(node.value) <= _LONGEST_NUMBER, "a number is too long", node)
        if event.anchor is not None and not isinstance(event, yaml.AliasEvent):
            written = node.end_mark.index - node.start_mark.index
            self._sizes[event.anchor] = written + self._aliased - aliased_before
            self._anchored += self._nodes - nodes_before
            self._check(self._anchored <= _MOST_ANCHORED, f"anchors are on more than {_MOST_ANCHORED} parts", event)
        return node

    @staticmethod
    def _check(is_so: bool, problem: str, where: Any) -> None:
        if not is_so:
            raise _ValueError(problem=problem, problem_mark=where.start_mark)

    def flatten_mapping(self, node: Any) -> None:
        """Check the keys. Leave merge keys as they are: nothing constructs them, so they are refused."""
        for key, _ in node.value:
            self._check(key.tag != _INTEGER or len(key.value) <= _LONGEST_KEY, "a number is too long for a key", key)


# The tags that Python 2 wrote. The stub of the method is for other classes.
_PYTHON_2 = {"unicode": "construct_yaml_str", "str": "construct_yaml_str", "tuple": "construct_yaml_seq"}
_add: Any = _Loader.add_constructor
for _name, _constructor in _PYTHON_2.items():
    _add(f"tag:yaml.org,2002:python/{_name}", getattr(_Loader, _constructor))


def sequence_items(file: IO[bytes], key: str) -> Iterator[Any]:
    """Yield the items of the sequence under `key` in the document, which is a mapping.

    An item that is wrong or goes beyond a limit is an error in its place: a `yaml.MarkedYAMLError` or a `ValueError`.

    Raises:
        yaml.YAMLError: It is not YAML, or goes beyond a limit outside of the items.
        ValueError: It is not a mapping.
    """
    reader = _Reader(file)
    loader: Any = _Loader(reader)
    try:
        loader.get_event()
        if loader.check_event(yaml.DocumentStartEvent):
            loader.get_event()
        if not loader.check_event(yaml.MappingStartEvent):
            raise ValueError("the document is not a mapping")
        reader.is_before = False
        loader.get_event()
        while not loader.check_event(yaml.MappingEndEvent):
            if loader.value() == key and loader.check_event(yaml.SequenceStartEvent):
                loader.get_event()
                while not loader.check_event(yaml.SequenceEndEvent):
                    yield loader.item()
                loader.get_event()
            else:
                loader.value()
    finally:
        loader.dispose()


def dumped(value: Any) -> bytes:
    """Return a value as YAML."""
    text: bytes = yaml.dump(value, Dumper=_Dumper, encoding="utf-8", allow_unicode=True, sort_keys=False)
    return text
