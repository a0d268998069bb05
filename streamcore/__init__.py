"""streamcore: the bytes of a Messages API event stream to typed events and an always-current `Message`.

The core does no I/O: feed `MessageEngine` the bytes, iterate over its events, look at its snapshot; or let a
`MessageStream` do so over any iterable of bytes. The types are in `streamcore.types`.

A name is loaded, with its module and what that stands on, when it is first asked for: whoever uses one decoder alone
does not wait for the rest.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streamcore.accumulator import MessageAccumulator
    from streamcore.decoders import MessageEventDecoder, RawMessageDecoder
    from streamcore.engine import MessageEngine
    from streamcore.errors import (
        DecodeError,
        EventOrderError,
        IncompleteStreamError,
        InvalidArgumentError,
        LimitExceededError,
        NoTextError,
        ProtocolError,
        StreamCoreError,
        Violation,
    )
    from streamcore.limits import Limits
    from streamcore.partial_json import PartialJSON
    from streamcore.sse import ServerSentEvent, SSEDecoder
    from streamcore.stream import (
        AsyncMessageStream,
        AsyncMessageStreamManager,
        AsyncStream,
        MessageStream,
        MessageStreamManager,
        Stream,
    )
    from streamcore.types import Message, MessageStreamEvent, RawMessageStreamEvent
else:
    # The same, for a program that runs.
    _NAMES = {
        "accumulator": ["MessageAccumulator"],
        "decoders": ["MessageEventDecoder", "RawMessageDecoder"],
        "engine": ["MessageEngine"],
        "errors": [
            "DecodeError",
            "EventOrderError",
            "IncompleteStreamError",
            "InvalidArgumentError",
            "LimitExceededError",
            "NoTextError",
            "ProtocolError",
            "StreamCoreError",
            "Violation",
        ],
        "limits": ["Limits"],
        "partial_json": ["PartialJSON"],
        "sse": ["ServerSentEvent", "SSEDecoder"],
        "stream": [
            "AsyncMessageStream",
            "AsyncMessageStreamManager",
            "AsyncStream",
            "MessageStream",
            "MessageStreamManager",
            "Stream",
        ],
        "types": ["Message", "MessageStreamEvent", "RawMessageStreamEvent"],
    }
    _MODULE_OF = {name: module for module, names in _NAMES.items() for name in names}

    def __getattr__(name: str) -> Any:
        if name in _MODULE_OF:
            value = globals()[name] = getattr(import_module(f"streamcore.{_MODULE_OF[name]}"), name)
            return value
        if name in _NAMES or name == "codec":
            return import_module(f"streamcore.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})


__all__ = [
    "AsyncMessageStream",
    "AsyncMessageStreamManager",
    "AsyncStream",
    "DecodeError",
    "EventOrderError",
    "IncompleteStreamError",
    "InvalidArgumentError",
    "LimitExceededError",
    "Limits",
    "Message",
    "MessageAccumulator",
    "MessageEngine",
    "MessageEventDecoder",
    "MessageStream",
    "MessageStreamEvent",
    "MessageStreamManager",
    "NoTextError",
    "PartialJSON",
    "ProtocolError",
    "RawMessageDecoder",
    "RawMessageStreamEvent",
    "SSEDecoder",
    "ServerSentEvent",
    "Stream",
    "StreamCoreError",
    "Violation",
]
