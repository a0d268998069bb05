"""Play captures: choose one for a request, cut it, and give its bytes when they are due.

| file | idea |
| --- | --- |
| `replay.py` | `Replay`: which capture answers a request |
| `players.py` | `SyncPlayer`, `AsyncPlayer`: a body, chunk by chunk, with its timing |
| `chunking.py` | cut the bytes of a body in another way |
| `open_stream.py` | a `MessageStream` from a capture, without an HTTP library |
| `complete_message.py` | the message that a stream adds up to, for requests without `stream: true`; and the reverse |
"""
