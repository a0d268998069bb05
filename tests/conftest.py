"""Hypothesis profiles: `quick` for every run, `thorough` by `HYPOTHESIS_PROFILE=thorough`."""

from __future__ import annotations

import os
import signal

from hypothesis import HealthCheck, settings

# A job in the background is started with interrupts ignored, and so is all that it starts: tests of them would wait
# in vain.
signal.signal(signal.SIGINT, signal.default_int_handler)

_SLOW_MACHINES = (HealthCheck.too_slow, HealthCheck.data_too_large)

settings.register_profile("quick", max_examples=60, deadline=None, suppress_health_check=_SLOW_MACHINES)
settings.register_profile("thorough", max_examples=2000, deadline=None, suppress_health_check=_SLOW_MACHINES)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
