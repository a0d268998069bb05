"""Programs that tests start, and wait for."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from server import BOUND


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextlib.contextmanager
def running(command: Sequence[str], folder: Path, name: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program in a folder while the `with` block is open. Its output goes to `name.log` there."""
    with (folder / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **environment}, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        yield process
    except BaseException as error:
        error.add_note(f"{name} printed:\n{(folder / f'{name}.log').read_text(encoding='utf-8', errors='replace')}")
        raise
    finally:
        process.terminate()
        try:
            process.wait(BOUND)
        finally:
            process.kill()
            process.wait()


def wait_until(condition: Callable[[], bool], meaning: str) -> None:
    deadline = time.monotonic() + 2 * BOUND
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {meaning}"
        time.sleep(0.005)
