"""`message_stream()` for responses of urllib3 and of requests, which is built on it."""

from streamcore._extras import requires_extra

with requires_extra("urllib3"):
    from streamcore.urllib3.from_response import message_stream

__all__ = ["message_stream"]
