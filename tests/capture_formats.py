"""The suffixes of the capture formats, for tests of what every format must do. A new format is tested by its row."""

from __future__ import annotations

from streamcore.replay.formats.files import FORMATS

ALL = [each.suffixes[0] for each in FORMATS.values()]
WITH_HEADS = [each.suffixes[0] for each in FORMATS.values() if each.has_heads]
