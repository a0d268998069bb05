"""The names that every adapter module has: those that a program for the `anthropic` package uses, without the clients.

An adapter re-exports all of them (`from streamcore.api.names import *`). It adds its clients and the names that depend
on the HTTP library, such as `DEFAULT_TIMEOUT`. Names for things that streamcore does not do are missing: other clouds,
credentials in files, middleware, tracing, uploads, webhooks, and calls of other endpoints.

Everything here is public. Type checkers do not see an `__all__`: without one, they treat star imports and
`import X as X` as re-exports, so no name has to be repeated.
"""
# ruff: noqa: F403

from streamcore import types as types
from streamcore.api.api_response import APIResponse as APIResponse
from streamcore.api.api_response import AsyncAPIResponse as AsyncAPIResponse
from streamcore.api.client import DEFAULT_MAX_RETRIES as DEFAULT_MAX_RETRIES
from streamcore.api.logs import set_up_logging as _set_up_logging
from streamcore.api.options import NOT_GIVEN as NOT_GIVEN
from streamcore.api.options import NotGiven as NotGiven
from streamcore.api.options import Omit as Omit
from streamcore.api.options import not_given as not_given
from streamcore.api.options import omit as omit
from streamcore.api.request import library_version as _library_version
from streamcore.errors.exceptions import *
from streamcore.errors.exceptions import StreamCoreError
from streamcore.stream import AsyncMessageStream as AsyncMessageStream
from streamcore.stream import AsyncMessageStreamManager as AsyncMessageStreamManager
from streamcore.stream import AsyncStream as AsyncStream
from streamcore.stream import MessageStream as MessageStream
from streamcore.stream import MessageStreamManager as MessageStreamManager
from streamcore.stream import Stream as Stream
from streamcore.typed import InvalidOutputError as InvalidOutputError
from streamcore.typed import PathError as PathError
from streamcore.typed import UnsupportedTypeError as UnsupportedTypeError
from streamcore.typed import tool as tool
from streamcore.typed import transform_schema as transform_schema
from streamcore.types.derived import *
from streamcore.types.derived import (
    InputJsonEvent,
    ParsedContentBlockStopEvent,
    ParsedMessageStopEvent,
    ParsedMessageStreamEvent,
    TextEvent,
)

__version__ = _library_version()
_set_up_logging()

AnthropicError = StreamCoreError

# In modules of clients, these names mean the events of a stream: the two stop events carry the complete block or
# message.
ContentBlockStopEvent = ParsedContentBlockStopEvent
MessageStopEvent = ParsedMessageStopEvent
MessageStreamEvent = ParsedMessageStreamEvent

# `client.beta` has the same classes, under both names.
BetaAsyncMessageStream = AsyncMessageStream
BetaAsyncMessageStreamManager = AsyncMessageStreamManager
BetaContentBlockStopEvent = ParsedBetaContentBlockStopEvent = ContentBlockStopEvent
BetaInputJsonEvent = InputJsonEvent
BetaMessageStopEvent = ParsedBetaMessageStopEvent = MessageStopEvent
BetaMessageStream = MessageStream
BetaMessageStreamEvent = ParsedBetaMessageStreamEvent = MessageStreamEvent
BetaMessageStreamManager = MessageStreamManager
BetaTextEvent = ParsedBetaTextEvent = TextEvent

globals()["__all__"] = ["__version__", *(name for name in dir() if not name.startswith("_"))]
