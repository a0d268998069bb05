"""The memory that one event may take, measured in a child process: the multiples that `Limits` states."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from streamcore import Limits

# Arguments: the length of the JSON value, the unit that it is made of, and what stands around all units.
CHILD = """
import sys
from memory import peak_memory
from streamcore import Limits, MessageEngine

size, unit, before, after = int(sys.argv[1]), *sys.argv[2:]
engine = MessageEngine(limits=Limits(max_containers=10**9))
start = b'{"type":"message_start","message":{"id":"1","model":"m","content":[],"usage":{}}}'
value = before.encode() + unit.encode() * (size // len(unit)) + after.encode()
block = b'{"type":"tool_use","id":"t","name":"n","input":{"a":' + value + b"}}"
del value
event = b'data: {"type":"content_block_start","index":0,"content_block":' + block + b"}\\n\\n"
del block
peak = peak_memory()
engine.receive_data(b"data: " + start + b"\\n\\n")
engine.receive_data(event)
for _ in engine.events():
    engine.snapshot
assert len(engine.snapshot.content) == 1
print(peak_memory() - peak)
"""


def peak_of(size: int, unit: str, before: str, after: str) -> float:
    """Return the memory at the peak, as a multiple of the size of the event."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(size), unit, before, after],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout) / size


@pytest.mark.parametrize(
    ("unit", "before", "after", "most"),
    [
        pytest.param("x", '["', '"]', 8, id="a document"),
        pytest.param("1,", "[", "1]", 20, id="numbers"),
        pytest.param('"ab",', "[", "1]", 20, id="short strings"),
        pytest.param('{"a":1},', "[", "1]", 60, id="small objects"),
        pytest.param("[" * 190 + "]" * 190 + ",", "[", "1]", 60, id="nested arrays"),
    ],
)
def test_an_event_takes_no_more_memory_than_limits_say(unit: str, before: str, after: str, most: int) -> None:
    assert peak_of(2_000_000, unit, before, after) < most


def test_the_default_limits_keep_one_event_below_a_gigabyte() -> None:
    limits = Limits()
    # Numbers and short strings take 20 times their length, and a container 110 bytes, or 600 with an object of ours.
    assert limits.max_event_size * 20 + limits.max_containers * 600 < 1024**3
    assert limits.max_line_size >= 32 * 1024 * 1024  # a request may have 32 MB, and so may a document in an answer
