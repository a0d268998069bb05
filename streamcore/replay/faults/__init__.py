r"""Faults: captures broken on purpose, in ways in which streams break in the wild.

A fault is a value that is called with a capture and gives another one. Faults compose: each works on what the one
before it has made.

```python
with open_stream("weather.sse", faults=[Pings(), Cut(event=7, broken=True)]) as stream: ...
```

| fault | what it does | text |
| --- | --- | --- |
| `Cut` | the body ends early: in good order, or (`broken`) because the connection fails | `cut:event=3,broken=yes` |
| `Stall` | nothing comes for so many seconds, at any speed of playing | `stall:seconds=2,byte=100` |
| `Error` | an `error` event in place of all that follows | `error:event=3,type=api_error` |
| `Status` | another answer altogether, with this status | `status:code=529` |
| `Corrupt` | bytes of a payload become such as JSON does not allow | `corrupt:event=3,count=2` |
| `Duplicate`, `Drop` | an event comes twice, or not at all | `duplicate:event=3`, `drop:event=3` |
| `Nameless` | no `event:` lines, as behind some proxies | `nameless` |
| `Comments`, `Pings` | a comment, a `ping` event, between events | `comments`, `pings:every=5` |
| `Crlf` | lines end in CRLF | `crlf` |

Where: `event` is the number of an event, the first being 0, and `byte` a number of bytes. A cut at event 3 lets events
0, 1 and 2 through. Without either, the place is a random event, the same for the same `seed` and stream. A place that
the stream does not have is an `InvalidArgumentError` where the stream ends. Faults that concern events leave a chunk
for each event; a chunking, which comes after them, may cut the bytes in any other way.

In texts, a comma within a value is `\,`, and headers are `status:code=429,headers=retry-after: 7|x-should-retry: true`.

| file | idea |
| --- | --- |
| `kinds.py` | the classes, and the table of their names in texts; a new fault goes here |
| `places.py` | where in a body a fault is |
| `parsing.py`, `text_options.py` | faults as texts |
"""

from streamcore.replay.faults.kinds import (
    Comments,
    Corrupt,
    Crlf,
    Cut,
    Drop,
    Duplicate,
    Error,
    Fault,
    Nameless,
    Pings,
    Stall,
    Status,
)

__all__ = [
    "Comments",
    "Corrupt",
    "Crlf",
    "Cut",
    "Drop",
    "Duplicate",
    "Error",
    "Fault",
    "Nameless",
    "Pings",
    "Stall",
    "Status",
]
