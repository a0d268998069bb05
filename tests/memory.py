"""The memory of a process, for tests that start one to measure it. It imports little, as the process does too."""

from __future__ import annotations

import re
import resource
import sys
from pathlib import Path


def peak_memory() -> int:
    """Return the most memory that this process has had, in bytes.

    On Linux, `ru_maxrss` begins with the memory of the process that started this one, and would hide what comes after.
    """
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        assert found is not None
        return int(found[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
