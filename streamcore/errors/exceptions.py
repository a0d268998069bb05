"""The exceptions that programs catch, and `Violation`, without the functions of `streamcore.errors`: for re-exports.

Everything here is public. Without an `__all__`, type checkers treat star imports as re-exports, so no name has to be
repeated. `_statuses` and `_codes` consist of nothing but such classes.
"""
# ruff: noqa: F403

from streamcore.errors._api import *
from streamcore.errors._calls import *
from streamcore.errors._codes import *
from streamcore.errors._protocol import *
from streamcore.errors._statuses import *
