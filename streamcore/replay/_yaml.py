"""YAML read as a stream: the items of a sequence one by one, where PyYAML's own loaders build the whole document.

Of PyYAML's parts this takes the parser that is written in C, where it is there, and those written in Python that make
values of its events. Only plain values come out, and those that Python 2 had named.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

import yaml

__all__ = ["dumped", "sequence_items"]

if TYPE_CHECKING or not yaml.__with_libyaml__:
    from yaml import SafeDumper as _Dumper
    from yaml import SafeLoader as _Parts
else:
    from yaml import CSafeDumper as _Dumper
    from yaml.composer import Composer
    from yaml.constructor import SafeConstructor
    from yaml.cyaml import CParser
    from yaml.resolver import Resolver

    class _Parts(CParser, Composer, SafeConstructor, Resolver):
        def __init__(self, stream: IO[bytes]) -> None:
            CParser.__init__(self, stream)
            Composer.__init__(self)
            SafeConstructor.__init__(self)
            Resolver.__init__(self)


class _Loader(_Parts):
    def value(self) -> Any:
        """The next value, whole."""
        return self.construct_document(self.compose_node(None, 0))


# What Python 2 wrote. The stub of the method is for other classes.
_PYTHON_2 = {"unicode": "construct_yaml_str", "str": "construct_yaml_str", "tuple": "construct_yaml_seq"}
_add: Any = _Loader.add_constructor
for _name, _constructor in _PYTHON_2.items():
    _add(f"tag:yaml.org,2002:python/{_name}", getattr(_Loader, _constructor))


def sequence_items(file: IO[bytes], key: str) -> Iterator[Any]:
    """The items of the sequence under `key` in the mapping that the document is.

    Raises:
        yaml.YAMLError: It is no YAML.
        ValueError: It is no such mapping.
    """
    loader: Any = _Loader(file)
    try:
        loader.get_event()
        if loader.check_event(yaml.DocumentStartEvent):
            loader.get_event()
        if not loader.check_event(yaml.MappingStartEvent):
            raise ValueError("the document is no mapping")
        loader.get_event()
        while not loader.check_event(yaml.MappingEndEvent):
            if loader.value() == key and loader.check_event(yaml.SequenceStartEvent):
                loader.get_event()
                while not loader.check_event(yaml.SequenceEndEvent):
                    yield loader.value()
                loader.get_event()
            else:
                loader.value()
    finally:
        loader.dispose()


def dumped(value: Any) -> bytes:
    """A value as YAML."""
    text: bytes = yaml.dump(value, Dumper=_Dumper, encoding="utf-8", allow_unicode=True, sort_keys=False)
    return text
