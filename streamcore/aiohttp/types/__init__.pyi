# For type checkers. At run time, `streamcore/api/import_paths.py` makes this module.
# ruff: noqa: F403
from streamcore.api.options import MessageCreateParams as MessageCreateParams
from streamcore.types import *
from streamcore.types import beta as beta
