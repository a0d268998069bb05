"""Read a JSON text that arrives in fragments: the best value so far, at any moment, in linear time.

`PartialJSON` stores the text and decides what has to be read when. `Scanner` reads it token by token (`_tokens`); it
also serves code that needs single values as soon as they are complete (`streamcore.typed`). `_whole` is the shortcut
for a text that arrived whole. Nothing here knows messages, tools, events or bytes.

The grammar is RFC 8259 plus `NaN`, `Infinity` and `-Infinity`. The reference for the value of an incomplete text is
`jiter.from_json(text, partial_mode="trailing-strings")`, or `partial_mode=True` without `trailing_strings`. There is
one difference: jiter stops quietly at some wrong JSON (`[1 2`); here every text that cannot become valid is an error.
"""

from streamcore.partial_json._partial_json import PartialJSON, join_parts
from streamcore.partial_json._scanner import ABSENT, Scanner, ValueAt

__all__ = ["ABSENT", "PartialJSON", "Scanner", "ValueAt", "join_parts"]
