"""Typed events to the message so far.

`_transitions` is the table of the order of events, and `_accumulator` does what the table says. `_message` and `_block`
are a message and a content block in progress. `_fields` has the fields of a block that grow, and `_surrogates` joins
the surrogate pairs that two deltas split. `_deltas` is the table of what each type of delta does, `_delta_rule` decides
what to do with a delta that does not fit its block, and `_message_delta` applies a `message_delta`. `_ending` checks a
block at its end, and `_parser` is the protocol of the user's own parser. Nothing in this folder knows bytes.
"""

from streamcore.accumulator._accumulator import COMPACT_AFTER, MessageAccumulator
from streamcore.accumulator._block import BlockInProgress
from streamcore.accumulator._parser import BlockParser

__all__ = ["COMPACT_AFTER", "BlockInProgress", "BlockParser", "MessageAccumulator"]
