"""The exceptions that programs catch, and `Violation`, without the functions of `streamcore.errors`: for re-exports.

There is no `__all__`, and everything here is public. Type checkers treat a star import as a re-export, so no name has
to be repeated.
"""
# ruff: noqa: F403

from streamcore.errors._api import *
from streamcore.errors._calls import *
from streamcore.errors._codes import *
from streamcore.errors._protocol import *
