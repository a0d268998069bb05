"""Hypothesis profiles, and garbage collections that stay cheap in a long run.

The profile is `quick`, unless `HYPOTHESIS_PROFILE` says `full`, as it does in `.ci/run`, or `thorough`.
"""

from __future__ import annotations

import gc
import os
import signal
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# A job in the background is started with interrupts ignored, and so is all that it starts: tests of them would wait
# in vain.
signal.signal(signal.SIGINT, signal.default_int_handler)

_SLOW_MACHINES = (HealthCheck.too_slow, HealthCheck.data_too_large)

settings.register_profile("quick", max_examples=10, deadline=None, suppress_health_check=_SLOW_MACHINES)
settings.register_profile("full", max_examples=100, deadline=None, suppress_health_check=_SLOW_MACHINES)
settings.register_profile("thorough", max_examples=2000, deadline=None, suppress_health_check=_SLOW_MACHINES)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.fixture(autouse=True, scope="module")
def _only_what_a_module_made_is_collected() -> None:
    """Take what exists already out of the garbage collections of the tests.

    Without this each of their many calls of `gc.collect()` takes half a second, as it visits every test of the run.
    """
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """With `-n auto`, use one worker more than there are processors: tests wait for sockets a quarter of the time."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `-n`, let a worker that is done take tests of another: the slowest ones stand together in a few files."""
    from xdist.scheduler import WorkStealingScheduling  # type: ignore[import-untyped]  # the core's tests run without xdist too

    return WorkStealingScheduling(config, log) if config.getoption("dist") == "load" else None
