"""The part of a client that does no I/O: build requests, read answers, decide on redirects and retries.

| file | idea |
| --- | --- |
| `options.py` | the arguments of a call |
| `request.py` | build method, URL, headers and body from them |
| `json_body.py` | the body as JSON |
| `response.py` | turn status, headers and body into an exception or a `Message`, or allow streaming |
| `peeked.py` | answers whose beginning was read to find out what they are |
| `redirects.py` | which redirects to follow, and with which request |
| `retry.py` | whether to try again, and after how long |
| `client.py` | the options of a client, and where they come from |
| `attempts.py` | make a call: send, check the answer, follow redirects, retry |
| `prepared.py` | what is decided about a call before it is sent, with the caller's own classes among its arguments |
| `messages.py` | `client.messages` and `client.beta.messages` |
| `face.py` | the clients, sync and async: `messages`, `beta`, `with`, `close()` |
| `continuing.py` | the turns that ask the model to go on with an answer that was cut off |
| `resources.py` | attributes of a client that are made once |
| `loops.py` | close connections when their event loop ends, or where nothing can be awaited |
| `names.py` | the names that adapter modules export besides their clients |
| `import_paths.py` | import paths of the `anthropic` package below the adapters |
| `elsewhere.py` | what is said about names of that package that are not here |
| `arguments.py` | check names and kinds of the arguments of a call |
| `models.py` | which models are deprecated |
| `api_response.py` | the answer to a call as an HTTP response |
| `body_pieces.py` | the body of a response in chunks of one size, as text, in lines |
| `raw_messages.py` | `with_raw_response` and `with_streaming_response` |
| `logs.py` | what is logged about calls |

Nothing here imports an HTTP library; the adapters bring theirs.
"""

from streamcore.api.continuing import Continuation, DroppedBlock, continuation

__all__ = ["Continuation", "DroppedBlock", "continuation"]
