"""Every exception that leaves streamcore, and the `Violation` recorded where none has to be raised.

`StreamCoreError` is the base of all. Packages with exceptions of their own derive them from these.

| file | idea |
| --- | --- |
| `_protocol.py` | what the peer did wrong: `ProtocolError` and its children, `Violation` |
| `_api.py` | the API said no, or could not be reached: `APIError`, and one class for each HTTP status |
| `_calls.py` | the errors of a peer as clients raise them: each is an `APIError` too |
| `_codes.py` | their subclasses, one for each code that names a cause |
| `_choice.py` | choose the exception for an answer or an `error` event |

Clients and streams both raise the exceptions of the API, so these are here and not in `api`. This folder is below all
others. Loading the classes of the API takes 1.5 ms, too little to be worth deferring.
"""

from streamcore.errors import _api, _calls, _choice, _codes, _protocol
from streamcore.errors._api import *  # noqa: F403  # they are listed where they are defined
from streamcore.errors._calls import *  # noqa: F403
from streamcore.errors._choice import *  # noqa: F403
from streamcore.errors._codes import *  # noqa: F403
from streamcore.errors._protocol import *  # noqa: F403
from streamcore.errors._protocol import StreamCoreError

__all__: list[str] = []
__all__ += _protocol.__all__
__all__ += _api.__all__
__all__ += _calls.__all__
__all__ += _codes.__all__
__all__ += _choice.__all__

# A traceback and a pickle name the module of a class. They name this one, which is where programs import it from.
for _name in __all__:
    _value = globals()[_name]
    if isinstance(_value, type) and issubclass(_value, StreamCoreError):
        _value.__module__ = __name__
