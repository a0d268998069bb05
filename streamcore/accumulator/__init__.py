"""Typed events to the message so far.

| file | idea |
| --- | --- |
| `_transitions.py` | the order of events, as a table |
| `_accumulator.py` | what the table says is done |
| `_message.py` | a message in progress |
| `_block.py` | a content block in progress |
| `_block_value.py` | a content block as a value, built from the one in progress |
| `_fields.py` | the fields of a block that grow |
| `surrogates.py` | surrogate pairs that two deltas split |
| `_deltas.py` | what each type of delta does to its block, as a table |
| `_delta_rule.py` | the row of that table for a delta, or what to do with a delta that does not fit its block |
| `_message_delta.py` | what `message_delta` events do to the message |
| `_ending.py` | what is checked when a block ends |
| `_parser.py` | the protocol of a parser that makes values of the user's own classes |
| `_state.py` | the state of an accumulator, for checkpoints |

Nothing in this folder knows bytes.
"""

from streamcore.accumulator._accumulator import COMPACT_AFTER, MessageAccumulator
from streamcore.accumulator._block import BlockInProgress
from streamcore.accumulator._parser import BlockParser, ParserState

__all__ = ["COMPACT_AFTER", "BlockInProgress", "BlockParser", "MessageAccumulator", "ParserState"]
