"""Streams in memory that are still alive when the interpreter exits: nothing is printed, and nothing is closed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# The interpreter takes the module `threading` apart after streamcore.
PROGRAM = """
import threading
from streamcore import AsyncMessageStream, MessageStream

class Chunks:
    def __aiter__(self): return self
    async def __anext__(self): return b": ping\\n"

async def generator():
    yield b": ping\\n"

def close(): print("closed")
async def aclose(): print("closed")
"""
STREAMS = [
    "threading.stream = MessageStream([], close=close)",
    "threading.stream = AsyncMessageStream(Chunks(), close=aclose)",
    "threading.stream = AsyncMessageStream(generator(), close=aclose)",
    """
import asyncio
async def main(): threading.stream = AsyncMessageStream(generator(), close=aclose)
asyncio.run(main())
""",
]


@pytest.mark.parametrize("stream", STREAMS)
def test_a_stream_at_exit_prints_nothing(stream: str) -> None:
    process = subprocess.run(
        [sys.executable, "-c", PROGRAM + stream], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert (process.stdout, process.stderr) == ("", "")
