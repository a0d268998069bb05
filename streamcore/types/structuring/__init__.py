"""JSON values to wire types, the way back from `to_dict()`.

| file | idea |
| --- | --- |
| `_structure.py` | a JSON value to a wire type, if it fits its class exactly |
| `_generated.py` | the generated functions that do it |
| `_plain.py` | the same for any value: decide what each field means, or say what is wrong |
| `tolerance.py` | what servers leave out or spell oddly, and what that means: tables |
| `annotations.py` | what an annotation of a wire type says about JSON |
"""

from __future__ import annotations

from streamcore.types.structuring._plain import Deviation, StructureError, read
from streamcore.types.structuring._structure import UNUSUAL, structure, structurer_for
from streamcore.types.structuring.annotations import kind_of

__all__ = ["UNUSUAL", "Deviation", "StructureError", "kind_of", "read", "structure", "structurer_for"]
