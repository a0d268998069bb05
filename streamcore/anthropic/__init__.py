"""Clients of the official `anthropic` package with our engine under their streams (extra `anthropic`).

```python
import anthropic
from streamcore.anthropic import wrap

client = wrap(anthropic.AnthropicBedrock())
```

| file | idea |
| --- | --- |
| `clients.py` | `wrap`: the client that was passed, with other `messages` and `beta` |
| `messages.py` | `client.messages` and `client.beta.messages`: which calls are ours |
| `arguments.py` | the arguments of a call, as the official client takes them |
| `answers.py` | an answer of the official client as chunks for our streams |
| `raw.py` | `with_raw_response` and `with_streaming_response` |
| `streams.py` | our streams as instances of the official classes too, and all that they deliver |
| `official_classes.py` | lookalikes: objects of ours that are instances of the official classes too |
| `own.py` | clients of streamcore, whose objects pass for official ones too |
| `casting.py` | an object as one of another class with the same fields |
| `exceptions.py` | our exceptions as exceptions of that package too |

This uses what the package documents, and of its private names none: `with_streaming_response.create(stream=True)`
sends a request with everything that the client does for it, and gives the HTTP response.
"""

from streamcore._extras import requires_extra

with requires_extra("anthropic"):
    from streamcore.anthropic.clients import AsyncWrapped, Wrapped, wrap

__all__ = ["AsyncWrapped", "Wrapped", "wrap"]
