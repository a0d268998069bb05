"""Transports for clients on httpx2 and httpx. `streamcore.replay.httpx2` and `streamcore.replay.httpx` have them.

| file | idea |
| --- | --- |
| `library.py` | the classes of the one library or the other |
| `replaying_transports.py` | play captures in place of sending requests |
| `recording_transports.py` | send requests, and record what comes back |
"""
