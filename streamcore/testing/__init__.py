"""Tools for tests of streams: comparing two of them, and the pytest plugin in `plugin`."""

from streamcore.testing._streams import assert_same_stream

__all__ = ["assert_same_stream"]
