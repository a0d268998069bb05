"""Hypothesis profiles: `quick` for every run, `thorough` by `HYPOTHESIS_PROFILE=thorough`; and cheap collections."""

from __future__ import annotations

import gc
import os
import signal

import pytest
from hypothesis import HealthCheck, settings

# A job in the background is started with interrupts ignored, and so is all that it starts: tests of them would wait
# in vain.
signal.signal(signal.SIGINT, signal.default_int_handler)

_SLOW_MACHINES = (HealthCheck.too_slow, HealthCheck.data_too_large)

settings.register_profile("quick", max_examples=60, deadline=None, suppress_health_check=_SLOW_MACHINES)
settings.register_profile("thorough", max_examples=2000, deadline=None, suppress_health_check=_SLOW_MACHINES)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.fixture(autouse=True, scope="module")
def _only_what_a_module_made_is_collected() -> None:
    """Take what exists already out of the garbage collections of the tests.

    Without this each of their many calls of `gc.collect()` takes half a second, as it visits every test of the run.
    """
    gc.collect()
    gc.freeze()
