"""Every exception that leaves streamcore, and the `Violation` recorded where none has to be raised.

`StreamCoreError` is the base of all. Packages with exceptions of their own derive them from these.

| file | idea |
| --- | --- |
| `_protocol.py` | what the peer did wrong: `ProtocolError` and its children, `Violation` |
| `_api.py` | a call failed: `APIError`, `APIConnectionError`, `APIStatusError` |
| `_statuses.py` | subclasses of `APIStatusError`, one for each HTTP status |
| `_codes.py` | their subclasses, one for each code that names a cause |
| `_calls.py` | the errors of a peer as clients raise them: each is an `APIError` too |
| `_choice.py` | choose the exception for an answer or an `error` event |
| `exceptions.py` | all the classes, for modules that re-export them |

Clients and streams both raise the exceptions of the API, so these are here and not in `api`. This folder is below all
others. Loading the classes of the API takes 1.5 ms, too little to be worth deferring.

The functions are for the other rooms.
"""
# ruff: noqa: F403

from typing import TYPE_CHECKING

from streamcore.errors import exceptions
from streamcore.errors._api import RAISED_AS as RAISED_AS
from streamcore.errors._api import as_raised as as_raised
from streamcore.errors._api import connection_error as connection_error
from streamcore.errors._api import error_code_in as error_code_in
from streamcore.errors._api import request_id_of as request_id_of
from streamcore.errors._api import request_of as request_of
from streamcore.errors._calls import CALL_ERRORS as CALL_ERRORS
from streamcore.errors._calls import api_errors as api_errors
from streamcore.errors._calls import error_in_call as error_in_call
from streamcore.errors._choice import error_from_event as error_from_event
from streamcore.errors._choice import error_from_status as error_from_status
from streamcore.errors._choice import error_type_of as error_type_of
from streamcore.errors._protocol import LogState as LogState
from streamcore.errors._protocol import StreamCoreError as StreamCoreError
from streamcore.errors._protocol import ViolationLog as ViolationLog
from streamcore.errors._protocol import excerpt as excerpt
from streamcore.errors._protocol import shortened as shortened
from streamcore.errors.exceptions import *

if not TYPE_CHECKING:  # a type checker would see an `__all__` without the names of the star import
    __all__ = [name for name in vars(exceptions) if not name.startswith("_")]

# A traceback and a pickle name the module of a class. They name this one, which is where programs import it from.
for _value in list(vars(exceptions).values()):
    if isinstance(_value, type) and issubclass(_value, StreamCoreError):
        _value.__module__ = __name__
