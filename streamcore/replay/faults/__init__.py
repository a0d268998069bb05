r"""Break captures on purpose, in ways in which streams break in practice.

A fault is a value that is called with a capture and returns another one. Faults compose: each works on the result of
the one before it.

```python
with open_stream("weather.sse", faults=[Pings(), Cut(event=7, broken=True)]) as stream: ...
```

The guide, `replay/README.md`, has a table of the faults and their texts. The place is `event`, the number of an event
(the first is 0), or `byte`, a number of bytes. A cut at event 3 lets events 0, 1 and 2 through. Without either, the
place is a random event: the same one for the same `seed` and stream. If the stream does not have the place, its end
raises `InvalidArgumentError`. Faults that concern events make one chunk of each event; the chunking is applied after
them and may cut the bytes differently.

In texts, a comma within a value is `\,`, and headers are `status:code=429,headers=retry-after: 7|x-should-retry: true`.

| file | idea |
| --- | --- |
| `kinds.py` | the classes, and the table of their names in texts |
| `places.py` | where in a body a fault is |
| `parsing.py`, `text_options.py` | faults as texts |
"""

# ruff: noqa: F403

from streamcore.replay.faults import kinds
from streamcore.replay.faults.kinds import *

__all__: list[str] = []
__all__ += kinds.__all__
