"""The exceptions that name a cause, under the path that clients know. They are defined in `streamcore.errors`."""

from streamcore.errors import _codes
from streamcore.errors._codes import *  # noqa: F403  # one class for each code

__all__: list[str] = []
__all__ += _codes.__all__
