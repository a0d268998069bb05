# For type checkers. At run time, `streamcore/api/import_paths.py` makes this module.
# ruff: noqa: F403
from streamcore.types.beta import *
