"""The half of a client that does no I/O: requests to bytes, answers to exceptions or messages, when to try again.

| file | idea |
| --- | --- |
| `errors.py` | the exceptions of the API: their base, and one for each status |
| `error_codes.py` | their children, one for each code that names a cause |
| `failures.py` | which of them an answer or an `error` event is |
| `request.py` | the arguments of a call to method, URL, headers and JSON body |
| `response.py` | status, headers and body to an exception, a `Message` or the go-ahead to stream |
| `retry.py` | whether to try again, and after how long |
| `client.py` | the options of a client, and where they come from |
| `attempts.py` | a call to its answer: sent, looked at, sent again; over an adapter's `_send` |
| `messages.py` | `client.messages` and `client.beta.messages` |
| `face.py` | what clients have besides: `messages`, `beta`, `with`, `close()` |
| `names.py` | what adapter modules export besides their clients |

Nothing here imports an HTTP library; the adapters (`streamcore.httpx`, `streamcore.aiohttp`) bring theirs.
"""
